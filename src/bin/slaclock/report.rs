//! The report: attainment against the promised shares, the tail, time spent waiting.

use serde_json::{Value, json};
use slaclock::attainment::{GoalVerdict, PeriodRange};
use slaclock::db::{AttainmentQuery, Db, Group, Options, Waiting};
use slaclock::policy::{AttainmentGoal, Period};
use slaclock::time::Instant;

use comfy_table::{Cell, Color};

use crate::Verdict;
use crate::args;
use crate::failure::Failure;
use crate::out::{self, Out, grouped, number, percent};
use crate::when::Zones;

pub(crate) fn report(args: &args::Report, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let now = zones.now("--now", args.now.as_deref())?;
    let text = args.month.as_ref().or(args.period.as_ref());
    let period = text.map(|text| PeriodRange::parse(text)).transpose()?;
    let mut query = AttainmentQuery::at(now);
    if let Some(period) = period {
        query = query.period(period);
    }
    if let Some(per) = per(args.per, period.is_none()) {
        query = query.per(per);
    }
    if let Some(clock) = &args.clock {
        query = query.clock(clock);
    }
    for fact in &args.by {
        query = query.by(fact);
    }
    let groups = db.attainment_by(&query)?;
    let waiting = db.waiting(period, now)?;
    if out.is_json() {
        let lines: Vec<Value> = groups.iter().map(line).collect::<Result<_, _>>()?;
        out.object(&json!({ "now_at": now.as_secs(), "attainment": lines, "waiting": waiting }), &zones)?;
    } else {
        people(&groups, &waiting, now, &zones, out)?;
    }
    let broken = groups.iter().any(|group| group.attainment.verdict() == Some(GoalVerdict::Broken));
    Ok(if broken { Verdict::Late } else { Verdict::Fine })
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

/// A group with what follows from its counts.
fn line(group: &Group) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(group).map_err(|error| Failure::text(error.to_string()))?;
    let tally = &group.attainment.tally;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("share_bp".to_owned(), json!(tally.share_bp()));
        fields.insert("best_share_bp".to_owned(), json!(tally.best_share_bp()));
        fields.insert("worst_share_bp".to_owned(), json!(tally.worst_share_bp()));
        fields.insert("verdict".to_owned(), json!(group.attainment.verdict()));
        let goal = group.attainment.goal;
        fields.insert("misses_allowed".to_owned(), json!(goal.map(|goal| tally.allowed_misses(&goal))));
        fields.insert("budget_left".to_owned(), json!(goal.map(|goal| tally.budget_left(&goal))));
    }
    Ok(value)
}

fn people(
    groups: &[Group],
    waiting: &[Waiting],
    now: Instant,
    zones: &Zones,
    out: &mut Out,
) -> Result<(), Failure> {
    if groups.is_empty() {
        out.line("nothing was received")?;
        return Ok(());
    }
    out.line(format!("as of {}", zones.main(now)))?;
    out.heading("Attainment, by month or period of receipt")?;
    attainment(groups, out)?;
    if groups.iter().any(|group| group.attainment.tally.missed > 0) {
        out.heading("The tail: what became of the missed")?;
        tail(groups, out)?;
    }
    if !waiting.is_empty() {
        out.heading("Time on hold")?;
        held(waiting, out)?;
    }
    Ok(())
}

fn names(group: &Group) -> Vec<Cell> {
    let mut cells = vec![Cell::new(group.attainment.period), Cell::new(&group.attainment.clock)];
    cells.extend(group.by.iter().map(|(_, value)| Cell::new(value.as_deref().unwrap_or("–"))));
    cells
}

fn header<'a>(groups: &'a [Group], rest: &[&'a str]) -> Vec<&'a str> {
    let facts = groups.iter().take(1).flat_map(|group| group.by.iter().map(|(name, _)| name.as_str()));
    ["received", "clock"].into_iter().chain(facts).chain(rest.iter().copied()).collect()
}

fn attainment(groups: &[Group], out: &mut Out) -> Result<(), Failure> {
    let rest =
        ["met", "missed", "undecided", "excluded", "share", "worst to best case", "goal", "", "budget"];
    let mut table = out::table(&header(groups, &rest));
    for group in groups {
        let tally = &group.attainment.tally;
        let share = |share: Option<u32>| percent(share.map(u64::from));
        let mut cells = names(group);
        cells.extend(
            [tally.met, tally.missed, tally.undecided, tally.excluded()].map(|count| number(grouped(count))),
        );
        cells.push(number(share(tally.share_bp())));
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

fn budget(group: &Group, goal: &AttainmentGoal) -> String {
    let tally = &group.attainment.tally;
    let (allowed, left) = (tally.allowed_misses(goal), tally.budget_left(goal));
    if left < 0 {
        format!("{} too many of {} allowed", grouped(-i128::from(left)), grouped(allowed))
    } else {
        format!("{} of {} left", grouped(left), grouped(allowed))
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
