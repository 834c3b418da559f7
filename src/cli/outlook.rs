//! The outlook of the promised shares: what is left, and what must be handled today for the period to hold.

use std::path::PathBuf;

use clap::Args;
use comfy_table::{Cell, Color};
use serde_json::json;

use crate::attainment::{GoalVerdict, Outlook, PeriodRange, Pressing};
use crate::db::{Db, Options, OutlookQuery};

use super::Verdict;
use super::failure::Failure;
use super::out::{self, Out, grouped, number, percent};
use super::when::Zones;

#[derive(Args)]
pub(crate) struct OutlookArgs {
    /// The database.
    pub(crate) db: PathBuf,
    /// Judge by this time instead of the system's.
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
    /// The period of receipt, like 2016-03, 2016-Q1 or 2016; the running one if left out.
    #[arg(long)]
    period: Option<String>,
    /// Only this clock.
    #[arg(long)]
    clock: Option<String>,
    /// Tell what must be finished before this time; before the end of the day if left out.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many requests of each list to show. JSON has all.
    #[arg(long, value_name = "N", default_value_t = 10)]
    show: usize,
}

pub(crate) fn outlook(args: &OutlookArgs, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let mut query = OutlookQuery::at(zones.now("--now", args.now.as_deref())?);
    query.clock.clone_from(&args.clock);
    query.period = args.period.as_deref().map(PeriodRange::parse).transpose()?;
    query.until = args.until.as_deref().map(|text| zones.read("--until", text)).transpose()?;
    let outlooks = db.outlook(&query)?;
    if out.is_json() {
        out.object(&json!({ "now_at": query.now.as_secs(), "outlooks": outlooks }), &zones)?;
    } else {
        out.line(format!("as of {}", zones.main(query.now)))?;
        for outlook in &outlooks {
            people(outlook, args.show, &zones, out)?;
        }
    }
    let is_broken = |outlook: &Outlook| outlook.so_far == GoalVerdict::Broken;
    Ok(if outlooks.iter().any(is_broken) { Verdict::Late } else { Verdict::Fine })
}

fn people(outlook: &Outlook, show: usize, zones: &Zones, out: &mut Out) -> Result<(), Failure> {
    let (attainment, tally) = (&outlook.attainment, &outlook.attainment.tally);
    let goal = attainment.goal.map(|goal| percent(Some(goal.share_bp.into()))).unwrap_or_default();
    out.heading(&format!("{}, {}: {goal} promised", attainment.clock, attainment.period))?;
    let share = |share: Option<u32>| percent(share.map(u64::from));
    let mut table = out::table(&["so far", "met", "missed", "open", "misses left", "worst to best case", ""]);
    let verdict = Cell::new(verdict(outlook));
    table.add_row(vec![
        number(grouped(tally.counted())),
        number(grouped(tally.met)),
        number(grouped(tally.missed)),
        number(grouped(tally.undecided)),
        number(format!("{} of {}", grouped(outlook.misses_left), grouped(outlook.misses_allowed))),
        number(format!("{} to {}", share(outlook.worst_share_bp), share(outlook.best_share_bp))),
        match outlook.so_far {
            GoalVerdict::Kept => verdict.fg(Color::Green),
            GoalVerdict::Open => verdict,
            GoalVerdict::Broken => verdict.fg(Color::Red),
        },
    ]);
    out.table(&table)?;
    out.line("")?;
    out.line(advice(outlook, zones))?;
    let clock = attainment.clock.as_str();
    list(&outlook.deciding, "due", |open| open.due_at, clock, show, zones, out)?;
    if !outlook.tail.is_empty() {
        let beyond = tally.missed_breached;
        out.line("")?;
        out.line(format!(
            "The tail: {} missed, {} of them handled within the limit, {} beyond it; {} still open",
            grouped(tally.missed),
            grouped(tally.missed_within_limit),
            grouped(beyond),
            grouped(outlook.tail.len() as i128),
        ))?;
        list(&outlook.tail, "limit", |open| open.limit_at, clock, show, zones, out)?;
    }
    for line in &outlook.cadence {
        let all = line.kept + line.missed;
        let (clock, kept) = (&line.clock, grouped(line.kept));
        out.line(format!("Kept informed meanwhile by {clock}: {kept} of {} updates in time", grouped(all)))?;
    }
    Ok(())
}

fn verdict(outlook: &Outlook) -> &'static str {
    match (outlook.so_far, outlook.attainment.period_over) {
        (GoalVerdict::Kept, true) => "kept",
        (GoalVerdict::Kept, false) => "kept so far",
        (GoalVerdict::Open, _) => "open",
        (GoalVerdict::Broken, true) => "broken",
        (GoalVerdict::Broken, false) => "broken so far",
    }
}

/// What a service manager would say in the morning.
fn advice(outlook: &Outlook, zones: &Zones) -> String {
    let until = zones.show(Some(&outlook.attainment.clock), outlook.until_at);
    let due = outlook.deciding.len() as u64;
    let requests =
        |count: u64| if count == 1 { "1 request".to_owned() } else { format!("{} requests", grouped(count)) };
    if outlook.so_far == GoalVerdict::Broken {
        let over = outlook.misses_left.unsigned_abs();
        let later =
            if outlook.attainment.period_over { "" } else { "; only further requests in time can mend it" };
        let (over, missed) = (grouped(over), if over == 1 { "miss" } else { "misses" });
        let open = if due == 0 {
            String::new()
        } else {
            format!(" Still open and due before {until}: {}.", grouped(due))
        };
        return format!(
            "The promise is broken for what was received so far, by {over} {missed} too many{later}.{open}"
        );
    }
    if outlook.attainment.tally.undecided == 0 {
        return "Nothing is open: the figures stand.".to_owned();
    }
    if outlook.must_finish == 0 {
        let when = match outlook.breaks_at {
            Some(at) => format!("; untouched, it breaks {}", zones.show(Some(&outlook.attainment.clock), at)),
            None => "; it holds whatever becomes of the open ones".to_owned(),
        };
        return format!("{} due before {until}; none of them decides the verdict{when}.", requests(due));
    }
    if outlook.must_finish == due {
        return format!(
            "Finish {} before {until}, and the promise holds until then.",
            match due {
                1 => "this one".to_owned(),
                count => format!("these {}", grouped(count)),
            }
        );
    }
    format!(
        "Finish at least {} of these {} before {until}, and the promise holds until then.",
        grouped(outlook.must_finish),
        grouped(due)
    )
}

fn list(
    requests: &[Pressing],
    heading: &str,
    at: impl Fn(&Pressing) -> Option<crate::Instant>,
    clock: &str,
    show: usize,
    zones: &Zones,
    out: &mut Out,
) -> Result<(), Failure> {
    if requests.is_empty() || show == 0 {
        return Ok(());
    }
    let updates = requests.iter().any(|request| request.update_due_at.is_some());
    let mut names = vec!["request", heading];
    names.extend(updates.then_some("next update due"));
    let mut table = out::table(&names);
    let text =
        |at: Option<crate::Instant>| at.map_or_else(|| "–".to_owned(), |at| zones.show(Some(clock), at));
    for request in requests.iter().take(show) {
        let mut cells = vec![request.request.clone(), text(at(request))];
        cells.extend(updates.then(|| text(request.update_due_at)));
        table.add_row(cells);
    }
    out.table(&table)?;
    match requests.len().checked_sub(show) {
        Some(more) if more > 0 => out.line(format!("and {} more", grouped(more as i128))),
        _ => Ok(()),
    }
}
