//! What if something else had been promised: attainment as promised and under other policies, side by side.

use comfy_table::Cell;
use serde_json::json;

use crate::db::{Db, Group, Options, Simulation};
use crate::policy::Policy;

use super::Verdict;
use super::args;
use super::failure::Failure;
use super::out::{self, Out, grouped, number, percent};
use super::report::{budget, header, names, of_clock, query};
use super::when::Zones;

pub(crate) fn simulate(args: &args::Simulate, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let now = zones.now("--now", args.cohort.now.as_deref())?;
    let policies = args.policies.iter().map(Policy::load).collect::<crate::Result<Vec<_>>>()?;
    let proposed: Vec<&Policy> = policies.iter().collect();
    let runs = db.simulate(&proposed, &of_clock(&query(&args.cohort, now)?, &args.cohort))?;
    if out.is_json() {
        out.object(&json!({ "now_at": now.as_secs(), "simulations": runs }), &zones)?;
        return Ok(Verdict::Fine);
    }
    out.line(format!("as of {}; nothing is written", zones.main(now)))?;
    out.heading("Attainment, as promised and as it would have been")?;
    attainment(&runs, out)?;
    out.heading("What would have changed")?;
    changes(&runs, out)?;
    Ok(Verdict::Fine)
}

/// One line for each cohort and policy, the policies of a cohort together.
fn attainment(runs: &[Simulation], out: &mut Out) -> Result<(), Failure> {
    let Some(longest) = runs.iter().max_by_key(|run| run.groups.len()) else { return Ok(()) };
    let rest = ["policy", "met", "missed", "undecided", "share", "goal", "", "budget"];
    let mut table = out::table(&header(&longest.groups, &rest));
    let mut told: Vec<Cohort<'_>> = Vec::new();
    for group in runs.iter().flat_map(|run| &run.groups) {
        let cohort = Cohort::of(group);
        if told.contains(&cohort) {
            continue;
        }
        for run in runs {
            if let Some(group) = run.groups.iter().find(|group| Cohort::of(group) == cohort) {
                table.add_row(line(run, group));
            }
        }
        told.push(cohort);
    }
    out.table(&table)
}

/// What is compared: the same requests by the same clock.
#[derive(PartialEq)]
struct Cohort<'a> {
    period: crate::PeriodRange,
    clock: &'a str,
    by: &'a [(String, Option<String>)],
}

impl Cohort<'_> {
    fn of(group: &Group) -> Cohort<'_> {
        Cohort { period: group.attainment.period, clock: &group.attainment.clock, by: &group.by }
    }
}

fn line(run: &Simulation, group: &Group) -> Vec<Cell> {
    let (attainment, tally) = (&group.attainment, &group.attainment.tally);
    let mut cells = names(group);
    cells.push(Cell::new(&run.policy));
    cells.extend([tally.met, tally.missed, tally.undecided].map(|count| number(grouped(count))));
    cells.push(number(percent(tally.share_bp().map(u64::from))));
    if let (Some(goal), Some(verdict)) = (&attainment.goal, attainment.verdict()) {
        cells.push(number(percent(Some(goal.share_bp.into()))));
        cells.push(Cell::new(verdict));
        cells.push(Cell::new(budget(group, goal)));
    }
    cells
}

fn changes(runs: &[Simulation], out: &mut Out) -> Result<(), Failure> {
    let mut table = out::table(&[
        "policy",
        "clock",
        "deadlines earlier",
        "later",
        "on one side only",
        "missed that would be met",
        "met that would be missed",
    ]);
    for run in runs {
        for change in &run.changes {
            let counts =
                [change.earlier, change.later, change.unmatched, change.newly_met, change.newly_missed];
            let mut cells = vec![Cell::new(&run.policy), Cell::new(&change.clock)];
            cells.extend(counts.map(|count| number(grouped(count))));
            table.add_row(cells);
        }
    }
    out.table(&table)
}
