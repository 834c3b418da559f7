//! The report: attainment against the promised shares, the tail, time spent waiting.

use crate::attainment::{Comparison, GoalVerdict, PeriodRange, Standing, Verdict as CountedAs};
use crate::db::{AttainmentQuery, Db, Group, Judged, Options, Waiting};
use crate::policy::{AttainmentGoal, Period};
use crate::report::Fairness;
use crate::time::Instant;
use serde_json::json;

use comfy_table::{Cell, Color};

use super::Verdict;
use super::args;
use super::failure::Failure;
use super::out::{self, Out, grouped, number, percent};
use super::page;
use super::when::Zones;

pub(crate) fn report(args: &args::Report, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    if let Some(file) = &args.html {
        return page::write(&db, args, file, &zones, out);
    }
    let which = args.requests.as_slice();
    let args = &args.cohort;
    let now = zones.now("--now", args.now.as_deref())?;
    let period = period(args)?;
    let query = query(args, now)?;
    let asked = of_clock(&query, args);
    let policy = db.policy()?;
    let informing = policy.clocks().iter().filter(|clock| clock.informs_customer());
    let report = Report {
        now,
        groups: db.attainment_by(&asked)?,
        cadence: cadence(&db, &query, args.clock.as_deref())?,
        informing: informing.map(|clock| clock.name.clone()).collect(),
        waiting: db.waiting(period, now)?,
        fairness: if args.by.is_empty() { Vec::new() } else { db.fairness(&asked)? },
        judged: if which.is_empty() { Vec::new() } else { db.judged(&asked)? },
    };
    let report = Report { judged: asked_for(report.judged, which), ..report };
    if out.is_json() {
        let answer = json!({
            "now_at": now.as_secs(),
            "attainment": report.groups,
            "cadence": report.cadence,
            "waiting": report.waiting,
            "fairness": report.fairness,
            "requests": (!which.is_empty()).then_some(&report.judged),
        });
        out.object(&answer, &zones)?;
    } else {
        people(&report, &zones, out)?;
        if !which.is_empty() {
            super::reports::judged(&report.judged, &zones, out)?;
        }
    }
    let broken = report.groups.iter().any(|group| group.attainment.verdict() == Some(GoalVerdict::Broken));
    Ok(if broken { Verdict::Late } else { Verdict::Fine })
}

/// What a report says.
struct Report {
    now: Instant,
    groups: Vec<Group>,
    /// Clocks that begin anew with each update, counted by cycle.
    cadence: Vec<Group>,
    /// Those of them that keep the customer informed.
    informing: Vec<String>,
    waiting: Vec<Waiting>,
    /// Groups beside one another, if any are asked for.
    fairness: Vec<Fairness>,
    /// The requests behind the figures, if they were asked for.
    judged: Vec<Judged>,
}

fn asked_for(judged: Vec<Judged>, which: &[args::CountsAs]) -> Vec<Judged> {
    use args::CountsAs;
    let counts = |row: &Judged, which: &CountsAs| match which {
        CountsAs::All => true,
        CountsAs::Met => row.verdict == CountedAs::Met,
        CountsAs::Missed => row.verdict == CountedAs::Missed,
        CountsAs::Waived => row.waived,
        CountsAs::Undecided => row.verdict == CountedAs::Undecided,
        CountsAs::Excluded => matches!(row.verdict, CountedAs::Excluded(_)),
    };
    judged.into_iter().filter(|row| which.iter().any(|which| counts(row, which))).collect()
}

/// The period asked for.
pub(crate) fn period(args: &args::Cohort) -> Result<Option<PeriodRange>, Failure> {
    let text = args.month.as_ref().or(args.period.as_ref());
    Ok(text.map(|text| PeriodRange::parse(text)).transpose()?)
}

/// The cohorts asked for, without a clock.
pub(crate) fn query(args: &args::Cohort, now: Instant) -> Result<AttainmentQuery, Failure> {
    let mut query = AttainmentQuery::at(now);
    let period = period(args)?;
    if let Some(period) = period {
        query = query.period(period);
    }
    if let Some(per) = per(args.per, period.is_none()) {
        query = query.per(per);
    }
    Ok(args.by.iter().fold(query, |query, fact| query.by(fact)))
}

/// The same, of the clock asked for.
pub(crate) fn of_clock(query: &AttainmentQuery, args: &args::Cohort) -> AttainmentQuery {
    args.clock.iter().fold(query.clone(), |query, clock| query.clock(clock))
}

/// The clocks that restart, such as the periodic update: each cycle is a promise of its own.
fn cadence(db: &Db, query: &AttainmentQuery, asked: Option<&str>) -> Result<Vec<Group>, Failure> {
    let policy = db.policy()?;
    let restarting = policy.clocks().iter().filter(|clock| !clock.restart.is_empty());
    let mut groups = Vec::new();
    for clock in restarting.filter(|clock| asked.is_none_or(|asked| asked == clock.name)) {
        groups.extend(db.attainment_by(&query.clone().clock(&clock.name))?);
    }
    groups.retain(|group| group.attainment.tally.cycles_met + group.attainment.tally.cycles_missed > 0);
    Ok(groups)
}

fn per(asked: Option<args::Per>, whole: bool) -> Option<Period> {
    match asked {
        Some(args::Per::Month) => Some(Period::Month),
        Some(args::Per::Quarter) => Some(Period::Quarter),
        Some(args::Per::Year) => Some(Period::Year),
        None if whole => Some(Period::Month),
        None => None,
    }
}

fn people(report: &Report, zones: &Zones, out: &mut Out) -> Result<(), Failure> {
    let Report { now, groups, cadence, informing, waiting, fairness, judged: _ } = report;
    if groups.is_empty() {
        out.line("nothing was received")?;
        return Ok(());
    }
    out.line(format!("as of {}", zones.main(*now)))?;
    out.heading("Attainment, by month or period of receipt")?;
    attainment(groups, out)?;
    if !fairness.is_empty() {
        out.heading("Each group beside the rest")?;
        beside(fairness, out)?;
    }
    if groups.iter().any(|group| group.attainment.tally.missed > 0) {
        out.heading("The tail: what became of the missed")?;
        tail(groups, out)?;
    }
    let (informing, others): (Vec<&Group>, Vec<&Group>) =
        cadence.iter().partition(|group| informing.contains(&group.attainment.clock));
    if !informing.is_empty() {
        out.heading("Keeping the customer informed: every update due is a promise of its own")?;
        updates(&informing, out)?;
    }
    if !others.is_empty() {
        out.heading("Clocks that begin anew: every round is a promise of its own")?;
        updates(&others, out)?;
    }
    if !waiting.is_empty() {
        out.heading("Time on hold")?;
        held(waiting, out)?;
    }
    Ok(())
}

pub(crate) fn names(group: &Group) -> Vec<Cell> {
    let mut cells = vec![Cell::new(group.attainment.period), Cell::new(&group.attainment.clock)];
    cells.extend(group.by.iter().map(|(_, value)| Cell::new(value.as_deref().unwrap_or("–"))));
    cells
}

pub(crate) fn header<'a>(groups: &'a [Group], rest: &[&'a str]) -> Vec<&'a str> {
    let facts = groups.iter().take(1).flat_map(|group| group.by.iter().map(|(name, _)| name.as_str()));
    ["received", "clock"].into_iter().chain(facts).chain(rest.iter().copied()).collect()
}

fn attainment(groups: &[Group], out: &mut Out) -> Result<(), Failure> {
    // Where groups are compared, the range tells a difference from chance; alone it would only puzzle.
    let compared = groups.first().is_some_and(|group| !group.by.is_empty());
    let mut rest = vec!["met", "missed", "undecided", "excluded", "share", "waived", "adjusted"];
    rest.extend(compared.then_some("95 % range"));
    rest.extend(["worst to best case", "goal", "", "budget"]);
    let mut table = out::table(&header(groups, &rest));
    for group in groups {
        let tally = &group.attainment.tally;
        let share = |share: Option<u32>| percent(share.map(u64::from));
        let mut cells = names(group);
        cells.extend(
            [tally.met, tally.missed, tally.undecided, tally.excluded()].map(|count| number(grouped(count))),
        );
        cells.push(number(share(tally.share_bp())));
        cells.push(number(grouped(tally.waived)));
        cells.push(number(share(tally.adjusted().share_bp())));
        if compared {
            let range = tally.share_interval_bp();
            let range = range.map(|(low, high)| format!("{} to {}", share(Some(low)), share(Some(high))));
            cells.push(number(range.unwrap_or_default()));
        }
        cells.push(number(if tally.undecided > 0 {
            format!("{} to {}", share(tally.worst_share_bp()), share(tally.best_share_bp()))
        } else {
            String::new()
        }));
        if let (Some(goal), Some(verdict)) = (&group.attainment.goal, group.attainment.verdict()) {
            cells.push(number(percent(Some(goal.share_bp.into()))));
            let cell = Cell::new(verdict);
            cells.push(match verdict {
                GoalVerdict::Kept => cell.fg(Color::Green),
                GoalVerdict::Open => cell,
                GoalVerdict::Broken => cell.fg(Color::Red),
            });
            cells.push(Cell::new(budget(group, goal)));
        }
        table.add_row(cells);
    }
    out.table(&table)
}

pub(crate) fn budget(group: &Group, goal: &AttainmentGoal) -> String {
    let tally = &group.attainment.tally;
    let (allowed, left) = (tally.allowed_misses(goal), tally.budget_left(goal));
    if left < 0 {
        format!("{} too many of {} allowed", grouped(-i128::from(left)), grouped(allowed))
    } else {
        format!("{} of {} left", grouped(left), grouped(allowed))
    }
}

/// Those that fare otherwise than the rest by more than chance.
fn beside(fairness: &[Fairness], out: &mut Out) -> Result<(), Failure> {
    let by = fairness.first().map_or(&[][..], |fairness| &fairness.by);
    let facts = by.iter().map(String::as_str);
    let rest = ["share", "rest", "difference in points", "", "half handled within", ""];
    let header: Vec<&str> = ["received", "clock"].into_iter().chain(facts).chain(rest).collect();
    let mut table = out::table(&header);
    let (mut compared, mut shown) = (0, 0);
    for fairness in fairness {
        compared += fairness.compared_at_once;
        for group in fairness.groups.iter().filter(|group| group.stands_out()) {
            shown += 1;
            let mut cells = vec![Cell::new(fairness.period), Cell::new(&fairness.clock)];
            cells.extend(group.values.iter().map(|value| Cell::new(value.as_deref().unwrap_or("–"))));
            cells.push(number(percent(group.share_bp.map(u64::from))));
            let compared = group.attainment;
            cells.push(number(percent(compared.and_then(|of| of.rest.bp()).map(u64::from))));
            let points = |bp: i32| {
                format!("{}{}.{:02}", if bp < 0 { "-" } else { "+" }, bp.abs() / 100, bp.abs() % 100)
            };
            let range = compared
                .map(|of| format!("{} to {}", points(of.difference_bp.0), points(of.difference_bp.1)));
            cells.push(number(range.unwrap_or_default()));
            cells.push(standing(group.attainment, "better", "worse"));
            cells.push(number(if group.handled.count > 0 {
                out::long_span(group.handled.median)
            } else {
                String::new()
            }));
            cells.push(standing(group.speed, "sooner", "later"));
            table.add_row(cells);
        }
    }
    if shown > 0 {
        out.table(&table)?;
    }
    let others = compared.saturating_sub(shown);
    out.line(format!(
        "{} of {} groups fare otherwise than the rest by more than chance{} (Newcombe's interval, 95 % for all groups of a \
         period together)",
        grouped(shown),
        grouped(compared),
        if shown > 0 && others > 0 { format!("; the other {} do not", grouped(others)) } else { String::new() },
    ))
}

fn standing(compared: Option<Comparison>, better: &str, worse: &str) -> Cell {
    match compared.map(|of| of.standing) {
        Some(Standing::Better) => Cell::new(better).fg(Color::Green),
        Some(Standing::Worse) => Cell::new(worse).fg(Color::Red),
        Some(Standing::Noise) | None => Cell::new(""),
    }
}

fn tail(groups: &[Group], out: &mut Out) -> Result<(), Failure> {
    let rest = ["missed", "within the limit", "limit still open", "beyond the limit", "share within"];
    let mut table = out::table(&header(groups, &rest));
    for group in groups {
        let tally = &group.attainment.tally;
        let decided = tally.missed_within_limit + tally.missed_breached;
        let share = (tally.missed_within_limit * 10_000).checked_div(decided);
        let mut cells = names(group);
        let counts =
            [tally.missed, tally.missed_within_limit, tally.missed_limit_open, tally.missed_breached];
        cells.extend(counts.map(|count| number(grouped(count))));
        cells.push(number(percent(share)));
        table.add_row(cells);
    }
    out.table(&table)
}

fn updates(groups: &[&Group], out: &mut Out) -> Result<(), Failure> {
    let first = groups.first().map_or(&[][..], |group| std::slice::from_ref(*group));
    let mut table = out::table(&header(first, &["in time", "late or missing", "share in time"]));
    for group in groups {
        let tally = &group.attainment.tally;
        let share = (tally.cycles_met * 10_000).checked_div(tally.cycles_met + tally.cycles_missed);
        let mut cells = names(group);
        cells.extend([tally.cycles_met, tally.cycles_missed].map(|count| number(grouped(count))));
        cells.push(number(percent(share)));
        table.add_row(cells);
    }
    out.table(&table)
}

fn held(waiting: &[Waiting], out: &mut Out) -> Result<(), Failure> {
    let mut table =
        out::table(&["reason", "requests", "holds", "median hold", "together", "of it working time"]);
    for reason in waiting {
        table.add_row(vec![
            Cell::new(&reason.reason),
            number(grouped(reason.requests)),
            number(grouped(reason.holds)),
            number(out::long_span(reason.median)),
            number(out::long_span(reason.elapsed)),
            number(out::long_span(reason.working)),
        ]);
    }
    out.table(&table)
}
