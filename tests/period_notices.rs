//! Promised shares in the feed: "no misses left" and "promise broken", each told once and taken back when untrue.
//!
//! What could go wrong: the feed counts as it goes, so a request that comes late, a verdict that turns, a waiver or another
//! version of the policy leaves a count that is no longer true, and with it a notice; or how often somebody looks changes
//! what is told. Here every advance is compared with a recount that looks at each request at each instant.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use slaclock::clock::{Cycle, Phase, derive};
use slaclock::policy::AttainmentGoal;
use slaclock::{Db, Event, EventKind, Instant, Notice, PeriodRange, Policy, Request, Tally, ThresholdKind};

const POLICY: &str = r#"
    [policy]
    name = "care"
    version = 1
    statement = "Shares by month and by quarter."

    [calendar.office]
    zone = "America/New_York"
    hours = { mon-fri = "09:00-17:30" }

    [waivers]
    by = ["bob"]

    [[clock]]
    name = "first_response"
    start = "received"
    stop = ["replied", "resolved"]
    target = { elapsed = "20h" }
    attainment = { share = "100 %", per = "quarter" }
    reopen = "none"

    [[clock]]
    name = "resolution"
    start = "received"
    stop = "resolved"
    pause = ["waiting_customer"]
    backstop = { working_days = 3 }
    rules = [
        { when = { priority = "high" }, target = { working = "2h" } },
        { when = { priority = "low" }, target = "none" },
    ]
    target = { working = "16h" }
    attainment = { share = "60 %", per = "month" }

    [[clock]]
    name = "update"
    start = "resolution.late"
    restart = "updated"
    stop = "resolved"
    target = { working_days = 1, at = "same time" }
    attainment = { share = "50 %", per = "month" }
"#;

const START: i64 = 1_771_545_600; // 20 February 2026, 00:00 UTC: three months are touched, and a change of the clocks.
const SPAN: i64 = 50 * 86_400;

#[derive(Clone, Debug)]
enum Step {
    Submit(u8, i64),
    Record(u8, u8, i64),
    Advance(i64),
    Install(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let time = 0..SPAN;
    let step = prop_oneof![
        8 => (0..12_u8, time.clone()).prop_map(|(request, at)| Step::Submit(request, at)),
        12 => (0..12_u8, 0..13_u8, time.clone()).prop_map(|(request, kind, at)| Step::Record(request, kind, at)),
        5 => time.clone().prop_map(Step::Advance),
        1 => time.prop_map(Step::Install),
    ];
    prop::collection::vec(step, 1..70)
}

fn at(seconds: i64) -> Instant {
    Instant::from_secs(START + seconds).unwrap()
}

fn event(kind: u8, at: Instant) -> Event {
    let fact = |value: &str| [("priority".to_owned(), value.to_owned())].into();
    let waived = |clock: &str, cycle| EventKind::Waived { clock: clock.into(), cycle };
    let kind = match kind {
        0 => EventKind::Replied,
        1 => EventKind::Paused { reason: "waiting_customer".into() },
        2 => EventKind::Resumed,
        3 | 4 => EventKind::Resolved,
        5 => EventKind::Reopened,
        6 => EventKind::Changed { facts: fact("high") },
        7 => EventKind::Changed { facts: fact("low") },
        8 => EventKind::Updated,
        9 => EventKind::Cancelled,
        10 => waived("resolution", 1),
        11 => waived("first_response", 1),
        _ => EventKind::WaiverWithdrawn { clock: "resolution".into(), cycle: 1 },
    };
    Event::new(kind, at).by("bob").text("a reason")
}

/// What a notice about a period says.
type Told = (String, String, bool, Instant, bool);

/// The notices about periods that stand, checked to be given once.
fn standing(db: &Db) -> BTreeSet<Told> {
    let mut standing = BTreeSet::new();
    for notice in db.feed("all").unwrap().pending(10_000).unwrap() {
        let Some(period) = notice.period else { continue };
        assert_eq!((notice.request.as_str(), notice.cycle), ("", 0));
        let broken = notice.threshold == ThresholdKind::PeriodBreached;
        assert!(broken || notice.threshold == ThresholdKind::BudgetExhausted);
        let told = (notice.clock, period.code(), broken, notice.at, notice.by_change);
        let changed = if notice.retracted { standing.remove(&told) } else { standing.insert(told.clone()) };
        assert!(changed, "given twice, or taken back without having been given: {told:?}");
    }
    standing
}

/// One request by one clock, looked at as of any instant.
struct Course {
    received_at: Instant,
    cycles: Vec<Cycle>,
}

impl Course {
    fn missed(&self, waived: bool, now: Instant) -> Option<(i64, bool)> {
        let missable = |cycle: &&Cycle| {
            matches!(cycle.phase, Phase::Missed { .. } | Phase::Running)
                && cycle.waived_at.is_some() == waived
        };
        let due = self.cycles.iter().filter(missable).filter_map(|cycle| cycle.due_threshold());
        due.filter(|due| due.passed(now)).map(|due| (due.key(), due.by_change)).min()
    }

    fn counts(&self, now: Instant) -> bool {
        if self.cycles.iter().any(|cycle| cycle.waived_at.is_some()) {
            return self.missed(false, now).is_some();
        }
        self.cycles.iter().any(|cycle| {
            let counts = !matches!(
                cycle.phase,
                Phase::Cancelled { .. } | Phase::NoDeadline(_) | Phase::Finished { .. }
            );
            counts && cycle.has_started(now)
        })
    }
}

fn allowed(goal: AttainmentGoal, courses: &[&Course], now: Instant) -> u64 {
    let counted = courses.iter().filter(|course| course.counts(now)).count() as u64;
    Tally { met: counted, ..Tally::default() }.allowed_misses(&goal)
}

/// What must be told of one clock's periods, looked up from nothing.
fn recount(policy: &Policy, judged: [Instant; 2], db: &Db, ids: &[String], now: Instant) -> BTreeSet<Told> {
    let mut told = BTreeSet::new();
    for (index, clock) in policy.clocks().iter().enumerate() {
        let goal = clock.attainment.unwrap();
        let courses: Vec<Course> = ids
            .iter()
            .map(|id| {
                let status = db.get(id).unwrap();
                // Both versions have the same clocks; only the share differs.
                let cycles = derive(policy, &status.request, &status.events).cycles_of(index).to_vec();
                Course { received_at: status.request.received_at, cycles }
            })
            .collect();
        let codes = match clock.name.as_str() {
            "first_response" => &["2026-Q1", "2026-Q2"][..],
            _ => &["2026-02", "2026-03", "2026-04"],
        };
        for code in codes {
            let period = PeriodRange::parse(code).unwrap();
            let (from, end) = period.instants(&policy.calendars()[0]);
            if !(judged[0]..judged[1]).contains(&from) {
                continue;
            }
            let cohort: Vec<&Course> =
                courses.iter().filter(|course| (from..end).contains(&course.received_at)).collect();
            let mut misses: Vec<(i64, bool)> =
                cohort.iter().filter_map(|course| course.missed(false, now)).collect();
            misses.sort_unstable();
            let instant = |miss: &(i64, bool)| Instant::from_secs(miss.0 + i64::from(miss.1)).unwrap();
            let mut tell = |broken: bool, at: Instant, by_change: bool| {
                told.insert((clock.name.clone(), code.to_string(), broken, at, by_change));
            };
            let full = goal.share_bp == 10_000;
            let last = misses.iter().zip(1_u64..).find(|(miss, used)| {
                let then = Instant::from_secs(miss.0 + 1).unwrap();
                *used >= allowed(goal, &cohort, then)
            });
            if let Some((miss, _)) = last.filter(|_| !full) {
                tell(false, instant(miss), miss.1);
            }
            if let Some(miss) = misses.get(allowed(goal, &cohort, now) as usize) {
                if full || (end < now && instant(miss) >= end) {
                    tell(true, instant(miss), miss.1);
                } else if end < now {
                    tell(true, end, false);
                }
            }
        }
    }
    told
}

#[test]
fn every_advance_tells_what_a_naive_recount_finds() {
    let policy = Policy::from_toml(POLICY).unwrap();
    let next = POLICY.replace("version = 1", "version = 2").replace("\"60 %\"", "\"80 %\"");
    let next = Policy::from_toml(&next).unwrap();
    let mut runner = TestRunner::new(Config { cases: 300, ..Config::default() });
    let (compared, taken_back) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let outcome = runner.run(&steps(), |steps| {
        let db = Db::in_memory(&policy).unwrap();
        let mut ids: Vec<String> = Vec::new();
        let mut advanced = Instant::MIN;
        let mut installed = Instant::MAX;
        let expected = |ids: &[String], advanced: Instant, installed: Instant| {
            let mut expected = recount(&policy, [Instant::MIN, installed], &db, ids, advanced);
            expected.extend(recount(&next, [installed, Instant::MAX], &db, ids, advanced));
            expected
        };
        for step in &steps {
            match step {
                Step::Submit(request, after) => {
                    let id = format!("R{request}");
                    if db.submit(&Request::new(&*id, at(*after))).is_ok() && !ids.contains(&id) {
                        ids.push(id);
                    }
                }
                Step::Record(request, kind, after) => {
                    drop(db.record(&format!("R{request}"), event(*kind, at(*after))));
                }
                Step::Advance(until) => {
                    db.advance(at(*until)).unwrap();
                    advanced = advanced.max(at(*until));
                }
                Step::Install(from) => {
                    if db.install(&next, at(*from)).is_ok() && installed == Instant::MAX {
                        installed = at(*from);
                    }
                }
            }
            // After each step, not only after an advance: what is recorded late is told or taken back at once.
            let found = standing(&db);
            prop_assert_eq!(&found, &expected(&ids, advanced, installed), "after {:?}", step);
            compared.set(compared.get() + found.len());
        }
        let notices = db.feed("all").unwrap().pending(10_000).unwrap();
        let back = |notice: &&Notice| notice.retracted && notice.period.is_some();
        taken_back.set(taken_back.get() + notices.iter().filter(back).count());
        prop_assert_eq!(db.verify().unwrap().differences, vec![]);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(compared.get() > 1_000 && taken_back.get() > 50, "{} and {}", compared.get(), taken_back.get());
}

const DESK: &str = r#"
    [policy]
    name = "desk"
    version = 1
    statement = "Half of what comes in a month is handled within an hour."

    [calendar.always]
    zone = "UTC"
    hours = "24x7"

    [waivers]
    by = ["bob"]

    [[clock]]
    name = "resolution"
    start = "received"
    stop = "resolved"
    target = { elapsed = "1h" }
    attainment = { share = "50 %", per = "month" }
"#;

fn march(day: i64, hour: i64) -> Instant {
    Instant::from_secs(1_772_323_200 + ((day - 1) * 24 + hour) * 3_600).unwrap()
}

/// Four requests on 1 March, of which three are missed by 01:00 on the 2nd.
fn desk() -> Db {
    let db = Db::in_memory(&Policy::from_toml(DESK).unwrap()).unwrap();
    for hour in 0..4 {
        db.submit(&Request::new(format!("R{hour}"), march(1, hour))).unwrap();
    }
    db.record("R0", Event::new(EventKind::Resolved, march(1, 1))).unwrap();
    db
}

fn told(db: &Db) -> Vec<(ThresholdKind, Instant, bool)> {
    let notices = db.feed("boss").unwrap().pending(100).unwrap();
    let shares = notices.into_iter().filter(|notice| notice.period.is_some());
    shares.map(|notice| (notice.threshold, notice.at, notice.retracted)).collect()
}

#[test]
fn a_month_runs_out_of_misses_and_breaks_when_it_ends() {
    use ThresholdKind::{BudgetExhausted, PeriodBreached};
    let db = desk();
    // Met at the very second: no miss. R1 is due at 02:00: of three requests received until then, one may be missed.
    db.advance(march(1, 2)).unwrap();
    assert_eq!(told(&db), []);
    db.advance(Instant::from_secs(march(1, 2).as_secs() + 1).unwrap()).unwrap();
    assert_eq!(told(&db), [(BudgetExhausted, march(1, 2), false)]);
    // The next ones are not told again, and the month is not over.
    db.advance(march(31, 23)).unwrap();
    assert_eq!(told(&db).len(), 1);
    db.advance(march(32, 0)).unwrap();
    assert_eq!(told(&db).len(), 1, "the month ends at this instant; it has not passed");
    db.advance(march(32, 1)).unwrap();
    let broken = (PeriodBreached, march(32, 0), false);
    assert_eq!(told(&db)[1..], [broken]);
    db.advance(march(40, 0)).unwrap();
    assert_eq!(told(&db).len(), 2);
    // Two waivers leave one miss of two, and that many are allowed.
    let waived = |cycle| EventKind::Waived { clock: "resolution".into(), cycle };
    db.record("R1", Event::new(waived(1), march(33, 0)).by("bob").text("power")).unwrap();
    db.record("R2", Event::new(waived(1), march(33, 0)).by("bob").text("power")).unwrap();
    let taken_back = (PeriodBreached, march(32, 0), true);
    assert!(told(&db).contains(&taken_back), "{:?}", told(&db));
    assert_eq!(db.verify().unwrap().differences, vec![]);
}

#[test]
fn what_is_recorded_late_takes_a_notice_back() {
    let db = desk();
    db.advance(march(40, 0)).unwrap();
    assert_eq!(told(&db).len(), 2);
    // All was handled in time, as it turns out: nothing stands.
    for hour in 1..4 {
        db.record(&format!("R{hour}"), Event::new(EventKind::Resolved, march(1, hour))).unwrap();
    }
    let (given, back): (Vec<_>, Vec<_>) = told(&db).into_iter().partition(|told| !told.2);
    assert_eq!(given.len(), back.len());
    // A request of March that becomes known in April, late: of five one was missed, which is allowed.
    db.submit(&Request::new("late", march(9, 0))).unwrap();
    let (given, back): (Vec<_>, Vec<_>) = told(&db).into_iter().partition(|told| !told.2);
    assert_eq!(given.len(), back.len());
    assert_eq!(db.verify().unwrap().differences, vec![]);
}

#[test]
fn a_new_version_judges_the_periods_that_begin_under_it() {
    let db = desk();
    db.advance(march(40, 0)).unwrap();
    let stricter = DESK.replace("version = 1", "version = 2").replace("50 %", "100 %");
    db.install(&Policy::from_toml(&stricter).unwrap(), march(15, 0)).unwrap();
    assert_eq!(told(&db).len(), 2, "March began under the first version");
    db.submit(&Request::new("april", march(33, 0))).unwrap();
    let april = (ThresholdKind::PeriodBreached, march(33, 1), false);
    assert_eq!(told(&db)[2..], [april], "one miss breaks a promise of 100 %");
    assert_eq!(db.verify().unwrap().differences, vec![]);
}
