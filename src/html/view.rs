//! What the template shows: the report's figures in words, each with its list.

use serde::Serialize;

use super::lists::{Chapter, Linked, Lists};
use super::plots;
use super::words::{self, Zones};
use crate::attainment::{Comparison, GoalVerdict, Tally};
use crate::error::Result;
use crate::policy::Policy;
use crate::report::{
    Burndown, ClockReport, Fairness, GroupFairness, Handling, Heat, Latest, Quantiles, Report, Side,
    WaitingFigures,
};
use crate::time::Span;

/// The most months (or quarters) whose budget is plotted.
const MOST_BURNDOWNS: usize = 6;

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

#[derive(Serialize)]
pub(super) struct View {
    title: String,
    policy: String,
    statement: String,
    period: String,
    now: String,
    zone: String,
    most_ids: String,
    clocks: Vec<ClockView>,
    waiting: Vec<WaitingRow>,
    lists: Vec<Chapter>,
}

#[derive(Serialize)]
struct ClockView {
    name: String,
    id: String,
    headline: Headline,
    tiles: Vec<Tile>,
    tail: Option<TailView>,
    months: Vec<MonthRow>,
    budgets: Vec<BudgetView>,
    budgets_left_out: usize,
    handling: HandlingView,
    heat: Option<HeatView>,
    fairness: Vec<FairnessView>,
    latest: Vec<LatestRow>,
    missed_total: String,
    nearest: Vec<NearestRow>,
}

/// The share against the promise, large.
#[derive(Serialize)]
struct Headline {
    share: String,
    goal: Option<String>,
    verdict: Option<&'static str>,
    sentence: String,
    budget: Option<String>,
    /// For the bar: hundredths of a percent.
    share_bp: Option<u32>,
    goal_bp: Option<u32>,
}

#[derive(Serialize)]
struct Tile {
    name: &'static str,
    number: Linked,
    note: String,
}

#[derive(Serialize)]
struct TailView {
    within: Linked,
    open: Linked,
    breached: Linked,
    share: String,
}

#[derive(Serialize)]
struct MonthRow {
    period: String,
    share: String,
    met: Linked,
    missed: Linked,
    undecided: Linked,
    verdict: &'static str,
    budget: String,
}

#[derive(Serialize)]
struct BudgetView {
    period: String,
    sentence: String,
    svg: String,
    days: Vec<DayRow>,
}

#[derive(Serialize)]
struct DayRow {
    day: String,
    received: Linked,
    missed: Linked,
    left: String,
}

#[derive(Serialize)]
struct HandlingView {
    any: bool,
    svg: String,
    bins: Vec<BinRow>,
    on_hold: Linked,
    open_late: Linked,
    spreads: Vec<SpreadRow>,
}

#[derive(Serialize)]
struct BinRow {
    text: String,
    late: bool,
    number: Linked,
}

#[derive(Serialize)]
struct SpreadRow {
    name: &'static str,
    median: String,
    p90: String,
    p95: String,
    longest: String,
}

#[derive(Serialize)]
struct HeatView {
    weekdays: [&'static str; 7],
    hours: Vec<HourRow>,
    received: String,
    missed: String,
}

#[derive(Serialize)]
struct HourRow {
    hour: String,
    arrivals: Vec<HeatCellView>,
    misses: Vec<HeatCellView>,
}

#[derive(Serialize)]
struct HeatCellView {
    number: Option<Linked>,
    /// 0 to 8.
    level: u64,
    title: String,
}

#[derive(Serialize)]
struct FairnessView {
    fact: String,
    shown: String,
    total: String,
    at_once: String,
    all_listed: bool,
    out: usize,
    groups: Vec<GroupRow>,
}

#[derive(Serialize)]
struct GroupRow {
    name: Option<String>,
    counted: Linked,
    missed: Linked,
    share: String,
    range: String,
    low_bp: Option<u32>,
    high_bp: Option<u32>,
    share_bp: Option<u32>,
    difference: String,
    standing: String,
    class: &'static str,
    median: String,
    speed: String,
    speed_class: &'static str,
    held: Vec<String>,
}

#[derive(Serialize)]
struct LatestRow {
    request: String,
    who: Option<String>,
    subject: Option<String>,
    priority: Option<String>,
    received: String,
    due: String,
    handled: Option<String>,
    late_by: String,
}

#[derive(Serialize)]
struct NearestRow {
    request: String,
    due: String,
    left: String,
    limit: Option<String>,
    stage: &'static str,
    class: &'static str,
}

#[derive(Serialize)]
struct WaitingRow {
    reason: String,
    requests: Linked,
    holds: String,
    median: String,
    elapsed: String,
    working: String,
}

impl View {
    pub(super) fn of(report: &Report, policy: &Policy) -> Result<View> {
        let zones = Zones::of(policy);
        let mut lists = Lists::default();
        let build = |(at, clock)| ClockView::of(at, clock, report, &zones, &mut lists);
        let clocks = report.clocks.iter().enumerate().map(build).collect::<Result<Vec<_>>>()?;
        lists.chapter("Time on hold");
        let waiting = report.waiting.iter().map(|waiting| waiting_row(waiting, &mut lists)).collect();
        Ok(View {
            title: format!("{}: {}", policy.name(), report.period),
            policy: report.policy.clone(),
            statement: report.statement.clone(),
            period: report.period.to_string(),
            now: zones.show(None, report.now_at),
            zone: report.zone.clone(),
            most_ids: words::count(report.most_ids.into()),
            clocks,
            waiting,
            lists: lists.chapters(),
        })
    }
}

impl ClockView {
    fn of(
        at: usize,
        clock: &ClockReport,
        report: &Report,
        zones: &Zones<'_>,
        lists: &mut Lists,
    ) -> Result<ClockView> {
        let name = clock.attainment.clock.as_str();
        let id = format!("clock-{at}");
        lists.chapter(format!("{name}: verdicts"));
        let tiles = tiles(clock, lists);
        let tail = tail(clock, lists);
        let months: Vec<MonthRow> = match clock.burndown.as_slice() {
            [] | [_] => Vec::new(),
            several => several.iter().map(|month| month_row(month, lists)).collect(),
        };
        let left_out = clock.burndown.len().saturating_sub(MOST_BURNDOWNS);
        let budgets = clock.burndown.iter().skip(left_out).enumerate();
        let budgets = budgets.map(|(number, month)| budget(month, &format!("{id}-budget-{number}"), lists));
        Ok(ClockView {
            name: name.to_owned(),
            headline: headline(clock),
            tiles,
            tail,
            months,
            budgets: budgets.collect::<Result<_>>()?,
            budgets_left_out: left_out,
            handling: handling(name, &clock.handling, &format!("{id}-handling"), lists)?,
            heat: heat(name, clock, lists),
            fairness: clock.fairness.iter().map(|fairness| fairness_view(name, fairness, lists)).collect(),
            latest: clock.latest.iter().map(|late| latest_row(late, name, zones)).collect(),
            missed_total: words::count(clock.attainment.tally.missed),
            nearest: clock.nearest.iter().map(|row| nearest_row(row, report, zones)).collect(),
            id,
        })
    }
}

fn verdict_word(verdict: GoalVerdict) -> &'static str {
    match verdict {
        GoalVerdict::Kept => "kept",
        GoalVerdict::Open => "open",
        GoalVerdict::Broken => "broken",
    }
}

fn headline(clock: &ClockReport) -> Headline {
    let (attainment, tally) = (&clock.attainment, &clock.attainment.tally);
    let goal = attainment.goal.as_ref();
    let decided = tally.met + tally.missed;
    let mut sentence = match decided {
        0 => "Nothing is decided yet".to_owned(),
        _ => format!(
            "{} of {} decided {} handled in time",
            words::count(tally.met),
            words::count(decided),
            if tally.met == 1 { "was" } else { "were" }
        ),
    };
    if tally.undecided > 0 {
        sentence.push_str(&format!(
            "; {} not decided yet: between {} and {} in the end",
            words::count(tally.undecided),
            words::percent(tally.worst_share_bp()),
            words::percent(tally.best_share_bp())
        ));
    }
    sentence.push('.');
    let several = clock.burndown.len() > 1;
    Headline {
        share: words::percent(tally.share_bp()),
        goal: goal.map(|goal| words::percent(Some(goal.share_bp))),
        // A goal by the month is judged by the month.
        verdict: if several { None } else { attainment.verdict().map(verdict_word) },
        sentence,
        budget: goal.filter(|_| !several).map(|_| budget_text(attainment)),
        share_bp: tally.share_bp(),
        goal_bp: goal.map(|goal| goal.share_bp),
    }
}

fn budget_text(attainment: &crate::attainment::Attainment) -> String {
    let Some(goal) = &attainment.goal else { return String::new() };
    let (allowed_misses, left) = (attainment.tally.allowed_misses(goal), attainment.tally.budget_left(goal));
    let allowed = words::count(allowed_misses);
    if left < 0 {
        let over = words::count(left.unsigned_abs());
        let are = if allowed_misses == 1 { "miss is" } else { "misses are" };
        format!("{over} too many: {allowed} {are} allowed")
    } else {
        let misses = if allowed_misses == 1 { "miss" } else { "misses" };
        format!("{} of {allowed} {misses} left", words::count(left.unsigned_abs()))
    }
}

fn tiles(clock: &ClockReport, lists: &mut Lists) -> Vec<Tile> {
    let (ids, Tally { not_started, no_deadline, cancelled, .. }) = (&clock.ids, clock.attainment.tally);
    let name = clock.attainment.clock.as_str();
    let mut tile = |title: &'static str, ids, note: String| Tile {
        name: title,
        number: lists.link(format!("{name}: {}", title.to_lowercase()), ids),
        note,
    };
    let why = [(cancelled, "withdrawn"), (no_deadline, "without deadline"), (not_started, "never started")];
    let why: Vec<String> = why
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", words::count(*count)))
        .collect();
    vec![
        tile("In time", &ids.met, "at or before the deadline".to_owned()),
        tile("Missed", &ids.missed, "handled late, or open and late".to_owned()),
        tile("Undecided", &ids.undecided, "open, deadline ahead or on hold".to_owned()),
        tile(
            "Not counted",
            &ids.excluded,
            if why.is_empty() { "nothing is left out".to_owned() } else { why.join(", ") },
        ),
    ]
}

fn tail(clock: &ClockReport, lists: &mut Lists) -> Option<TailView> {
    let (ids, tally) = (&clock.ids, &clock.attainment.tally);
    let decided = tally.missed_within_limit + tally.missed_breached;
    (tally.missed > 0).then(|| TailView {
        within: lists.link("Missed, but within the limit", &ids.within_limit),
        open: lists.link("Missed, limit still ahead", &ids.limit_open),
        breached: lists.link("Beyond the limit", &ids.breached),
        share: words::share(crate::attainment::Share { part: tally.missed_within_limit, whole: decided }),
    })
}

fn month_row(month: &Burndown, lists: &mut Lists) -> MonthRow {
    let (attainment, tally) = (&month.attainment, &month.attainment.tally);
    let period = &attainment.period;
    MonthRow {
        period: attainment.period.to_string(),
        share: words::percent(tally.share_bp()),
        met: lists.link(format!("In time, received in {period}"), &month.met),
        missed: lists.link(format!("Missed, received in {period}"), &month.missed),
        undecided: lists.link(format!("Undecided, received in {period}"), &month.undecided),
        verdict: attainment.verdict().map_or("", verdict_word),
        budget: budget_text(attainment),
    }
}

fn budget(month: &Burndown, id: &str, lists: &mut Lists) -> Result<BudgetView> {
    let signed = |left: i64| {
        let sign = if left < 0 { "−" } else { "" };
        format!("{sign}{}", words::count(left.unsigned_abs()))
    };
    let sentence = match month.days.iter().find(|day| day.left < 0) {
        Some(day) => format!("Used up on {}. {}.", words::day(day.date), budget_text(&month.attainment)),
        None => format!("{}.", budget_text(&month.attainment)),
    };
    Ok(BudgetView {
        period: month.attainment.period.to_string(),
        sentence,
        svg: plots::burndown(month, id)?,
        days: month
            .days
            .iter()
            .map(|day| DayRow {
                day: words::short_day(day.date),
                received: lists.link(format!("Received on {}", words::day(day.date)), &day.received_on),
                missed: lists.link(format!("Missed on {}", words::day(day.date)), &day.missed_on),
                left: signed(day.left),
            })
            .collect(),
    })
}

fn handling(name: &str, handling: &Handling, id: &str, lists: &mut Lists) -> Result<HandlingView> {
    lists.chapter(format!("{name}: handled against the deadline"));
    let bins = handling.bins.iter().map(|bin| {
        let late = bin.side == Side::Late;
        let word = if late { "late" } else { "early" };
        let from = words::span(bin.from);
        let text = match bin.to {
            None => format!("more than {from} {word}"),
            Some(to) if bin.from == Span::ZERO => format!("up to {} {word}", words::span(to)),
            Some(to) => format!("{from} to {} {word}", words::span(to)),
        };
        BinRow { number: lists.link(text.clone(), &bin.ids), text, late }
    });
    let bins = bins.collect();
    let spread = |name, quantiles: &Quantiles| SpreadRow {
        name,
        median: words::span(quantiles.median),
        p90: words::span(quantiles.p90),
        p95: words::span(quantiles.p95),
        longest: words::span(quantiles.longest),
    };
    let spreads = [("by the clock on the wall", &handling.elapsed), ("in working time", &handling.working)];
    Ok(HandlingView {
        any: handling.bins.iter().any(|bin| bin.ids.total > 0),
        svg: plots::handling(handling, id)?,
        bins,
        on_hold: lists.link("Handled while on hold", &handling.on_hold),
        open_late: lists.link("Open with the deadline passed", &handling.open_late),
        spreads: spreads
            .into_iter()
            .filter(|(_, quantiles)| quantiles.count > 0)
            .map(|(name, quantiles)| spread(name, quantiles))
            .collect(),
    })
}

fn heat(name: &str, clock: &ClockReport, lists: &mut Lists) -> Option<HeatView> {
    let hours = || clock.arrivals.cells.iter().map(|cell| cell.hour);
    let (first, last) = (hours().min()?, hours().max()?);
    let cells = |hour: u8, heat: &Heat, what: &str, lists: &mut Lists| -> Vec<HeatCellView> {
        (0..7_u8).map(|weekday| heat_cell(heat, weekday, hour, what, clock, lists)).collect()
    };
    lists.chapter(format!("{name}: received by weekday and hour"));
    let arrivals: Vec<_> =
        (first..=last).map(|hour| cells(hour, &clock.arrivals, "received", lists)).collect();
    lists.chapter(format!("{name}: missed, by the weekday and hour of receipt"));
    let misses = (first..=last).map(|hour| cells(hour, &clock.misses, "missed", lists));
    let rows = (first..=last).zip(arrivals).zip(misses);
    let rows =
        rows.map(|((hour, arrivals), misses)| HourRow { hour: format!("{hour:02}"), arrivals, misses });
    let total = |heat: &Heat| words::count(heat.cells.iter().map(|cell| cell.ids.total).sum());
    Some(HeatView {
        hours: rows.collect(),
        received: total(&clock.arrivals),
        missed: total(&clock.misses),
        weekdays: WEEKDAYS,
    })
}

fn heat_cell(
    heat: &Heat,
    weekday: u8,
    hour: u8,
    what: &str,
    clock: &ClockReport,
    lists: &mut Lists,
) -> HeatCellView {
    let day = WEEKDAYS.get(usize::from(weekday)).copied().unwrap_or_default();
    let place = format!("{day} {hour:02}:00 to {:02}:00", hour + 1);
    let all = clock.arrivals.get(weekday, hour).map_or(0, |ids| ids.total);
    let Some(ids) = heat.get(weekday, hour) else {
        let title = format!("{place}: none {what}");
        return HeatCellView { number: None, level: 0, title };
    };
    let count = words::count(ids.total);
    let title = if what == "missed" {
        format!("{place}: {count} of {} missed", words::count(all))
    } else {
        format!("{place}: {count} received")
    };
    let level = (ids.total * 8).div_ceil(heat.most().max(1));
    HeatCellView { number: Some(lists.link(format!("{place}, {what}"), ids)), level, title }
}

fn fairness_view(name: &str, fairness: &Fairness, lists: &mut Lists) -> FairnessView {
    let fact = fairness.by.join(" and ");
    lists.chapter(format!("{name}: by {fact}"));
    let groups: Vec<GroupRow> = fairness.groups.iter().map(|group| group_row(group, lists)).collect();
    FairnessView {
        shown: words::count(fairness.groups.len() as u64),
        total: words::count(fairness.groups_total),
        at_once: words::count(fairness.compared_at_once),
        all_listed: fairness.groups.len() as u64 == fairness.groups_total,
        out: fairness.groups.iter().filter(|group| group.stands_out()).count(),
        groups,
        fact,
    }
}

fn group_row(group: &GroupFairness, lists: &mut Lists) -> GroupRow {
    let named = group.values.iter().flatten().next().is_some();
    let name =
        group.values.iter().map(|value| value.as_deref().unwrap_or("–")).collect::<Vec<_>>().join(", ");
    let title = if named { name.clone() } else { "none given".to_owned() };
    let told = |of: &Option<Comparison>, better: &str, worse: &str| match of {
        Some(of) => {
            (words::standing(of.standing, better, worse), of.standing.word(), words::points(of.difference_bp))
        }
        None => (String::new(), "", String::new()),
    };
    let (standing, class, difference) = told(&group.attainment, "better", "worse");
    let (speed, speed_class, _) = told(&group.speed, "sooner", "later");
    let held = group.held.iter().map(|held| {
        format!(
            "{}: {} in {}",
            held.reason.replace('_', " "),
            words::span(held.elapsed),
            words::counted(held.requests, "request")
        )
    });
    GroupRow {
        name: named.then_some(name),
        counted: lists.link(format!("{title}, counted"), &group.counted),
        missed: lists.link(format!("{title}, missed"), &group.missed),
        share: words::percent(group.share_bp),
        range: words::range(group.share_interval_bp),
        low_bp: group.share_interval_bp.map(|(low, _)| low),
        high_bp: group.share_interval_bp.map(|(_, high)| high),
        share_bp: group.share_bp,
        difference,
        standing,
        class,
        median: if group.handled.count > 0 { words::span(group.handled.median) } else { "–".to_owned() },
        speed,
        speed_class,
        held: held.collect(),
    }
}

fn latest_row(late: &Latest, clock: &str, zones: &Zones<'_>) -> LatestRow {
    LatestRow {
        request: late.request.clone(),
        who: late.customer.clone(),
        subject: late.subject.clone(),
        priority: late.priority.clone(),
        received: zones.show(Some(clock), late.received_at),
        due: zones.show(Some(clock), late.due_at),
        handled: late.handled_at.map(|at| zones.show(Some(clock), at)),
        late_by: words::span(late.late_by),
    }
}

fn nearest_row(row: &crate::db::Row, report: &Report, zones: &Zones<'_>) -> NearestRow {
    use crate::clock::Stage;
    let (stage, class) = match row.stage {
        Stage::AtRisk => ("at risk", "warn"),
        Stage::Late => ("late", "bad"),
        Stage::Breached => ("breached", "bad"),
        _ => ("on track", "good"),
    };
    NearestRow {
        request: row.request.clone(),
        due: zones.show(Some(&row.clock), row.due_at),
        left: words::span(row.due_at.since(report.now_at)),
        limit: row.limit_at.map(|at| zones.show(Some(&row.clock), at)),
        stage,
        class,
    }
}

fn waiting_row(figures: &WaitingFigures, lists: &mut Lists) -> WaitingRow {
    let waiting = &figures.waiting;
    let reason = match waiting.reason.as_str() {
        "waiting_customer" => "the customer".to_owned(),
        "waiting_vendor" => "a vendor".to_owned(),
        own => own.trim_start_matches("waiting_").replace('_', " "),
    };
    WaitingRow {
        requests: lists.link(format!("Waited for {reason}"), &figures.ids),
        reason,
        holds: words::count(waiting.holds),
        median: words::span(waiting.median),
        elapsed: words::span(waiting.elapsed),
        working: words::span(waiting.working),
    }
}
