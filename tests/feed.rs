//! The feed under random life: whatever the order of writing and the instants of scanning, the notices given, without
//! those taken back, are the ones that a single scan at the end gives. What could go wrong: a crossing between two
//! scans is lost, one is given twice, an event recorded late leaves a notice standing that is no longer true.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use slaclock::{Db, Event, EventKind, Instant, Notice, Policy, Request};

const POLICY: &str = r#"
    [policy]
    name = "care"
    version = 1
    statement = "A promise with every kind of threshold."

    [calendar.office]
    zone = "America/New_York"
    hours = { mon-fri = ["09:00-12:30", "13:30-17:30"], sat = "10:00-13:00" }

    [[clock]]
    name = "first_response"
    start = "received"
    stop = ["replied", "resolved"]
    target = { working = "1h" }
    warn_at = ["50 %"]
    reopen = "none"

    [[clock]]
    name = "resolution"
    start = "received"
    stop = "resolved"
    pause = ["waiting_customer"]
    warn_at = ["50 %", "75 %"]
    backstop = { working_days = 3 }
    rules = [
        { when = { priority = "high" }, target = { working = "2h" } },
        { when = { priority = "low" }, target = "none" },
    ]
    target = { working = "8h" }
    attainment = { share = "60 %", per = "month" }

    [[clock]]
    name = "update"
    start = "resolution.late"
    restart = "updated"
    stop = "resolved"
    target = { working_days = 1, at = "same time" }

    [[clock]]
    name = "next_response"
    start = "customer_replied"
    stop = "replied"
    target = { elapsed = "4h" }
    reopen = "none"

    [[clock]]
    name = "promise"
    start = "promised"
    stop = "resolved"
    target = "promised"
"#;

const START: i64 = 1_772_416_800; // Monday, 2 March 2026; the clocks go forward on the 8th.
const SPAN: i64 = 14 * 86_400;

#[derive(Clone, Debug)]
enum Step {
    Submit(u8, i64),
    Record(u8, u8, i64),
    Advance(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let time = 0..SPAN;
    let step = prop_oneof![
        1 => (0..6_u8, time.clone()).prop_map(|(request, at)| Step::Submit(request, at / 2)),
        6 => (0..6_u8, 0..15_u8, time.clone()).prop_map(|(request, kind, at)| Step::Record(request, kind, at)),
        2 => time.prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 1..60)
}

fn event(kind: u8, at: i64) -> Event {
    let at = Instant::from_secs(START + at).unwrap();
    let fact = |value: &str| BTreeMap::from([("priority".to_owned(), value.to_owned())]);
    let kind = match kind {
        0 => EventKind::Replied,
        1 | 2 => EventKind::Paused { reason: "waiting_customer".into() },
        3 => EventKind::Paused { reason: "waiting_vendor".into() },
        4 | 5 => EventKind::Resumed,
        6 | 7 => EventKind::Resolved,
        8 => EventKind::Reopened,
        9 => EventKind::Changed { facts: fact("high") },
        10 => EventKind::Changed { facts: fact("low") },
        11 => EventKind::Changed { facts: fact("normal") },
        12 => EventKind::Updated,
        13 => EventKind::CustomerReplied,
        _ => EventKind::Promised { due: Instant::from_secs(at.as_secs() + 90_000).unwrap() },
    };
    Event::new(kind, at)
}

type Key = (String, String, u32, String, Instant, bool);

fn key(notice: &Notice) -> Key {
    let threshold = format!("{:?}", notice.threshold);
    (notice.request.clone(), notice.clock.clone(), notice.cycle, threshold, notice.at, notice.by_change)
}

/// Everything in the feed, checked for numbers without gaps, and the balance of each notice.
fn standing(db: &Db) -> BTreeMap<Key, i64> {
    let feed = db.feed("all").unwrap();
    let mut standing = BTreeMap::new();
    for (notice, number) in feed.pending(10_000).unwrap().iter().zip(1..) {
        assert_eq!(notice.number, number);
        let balance: &mut i64 = standing.entry(key(notice)).or_default();
        *balance += if notice.retracted { -1 } else { 1 };
        assert!((0..=1).contains(balance), "given twice or taken back twice: {notice:?}");
    }
    standing.retain(|_, balance| *balance != 0);
    standing
}

fn counted(db: &Db, now: Instant) -> BTreeMap<String, u64> {
    let counts = serde_json::to_value(db.counts(now).unwrap()).unwrap();
    let counts = counts.as_object().unwrap().iter();
    counts
        .map(|(stage, count)| (stage.clone(), count.as_u64().unwrap()))
        .filter(|(_, count)| *count > 0)
        .collect()
}

fn one_by_one(db: &Db, now: Instant) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for request in 0..6 {
        let Ok(status) = db.get_at(&format!("R{request}"), now) else { continue };
        for clock in status.clocks.iter().filter(|_| status.request.received_at <= now) {
            let stage = serde_json::to_value(clock.stage).unwrap().as_str().unwrap().to_owned();
            *counts.entry(stage).or_default() += 1;
        }
    }
    counts
}

fn play(db: &Db, steps: &[Step], advance: bool) {
    for step in steps {
        match step {
            Step::Submit(request, at) => {
                let request = Request::new(format!("R{request}"), Instant::from_secs(START + at).unwrap());
                let _ = db.submit(&request);
            }
            Step::Record(request, kind, at) => {
                let _ = db.record(&format!("R{request}"), event(*kind, *at));
            }
            Step::Advance(at) if advance => {
                db.advance(Instant::from_secs(START + at).unwrap()).unwrap();
            }
            Step::Advance(_) => {}
        }
    }
}

#[test]
fn any_sequence_of_scans_gives_what_one_scan_at_the_end_gives() {
    let policy = Policy::from_toml(POLICY).unwrap();
    let end = Instant::from_secs(START + 2 * SPAN).unwrap();
    let mut runner = TestRunner::new(Config { cases: 400, ..Config::default() });
    let given = std::cell::Cell::new(0);
    let outcome = runner.run(&steps(), |steps| {
        let often = Db::in_memory(&policy).unwrap();
        play(&often, &steps, true);
        often.advance(end).unwrap();
        let once = Db::in_memory(&policy).unwrap();
        play(&once, &steps, false);
        once.advance(end).unwrap();
        let (found, expected) = (standing(&often), standing(&once));
        prop_assert_eq!(&found, &expected);
        given.set(given.get() + found.len());
        prop_assert_eq!(often.verify().unwrap().differences, vec![]);
        // Stages counted from the indexes, and as of an instant amid the events, are those of the clocks one by one.
        for now in [START + SPAN / 2, START + SPAN, START + 2 * SPAN] {
            let now = Instant::from_secs(now).unwrap();
            prop_assert_eq!(counted(&often, now), one_by_one(&often, now));
        }
        prop_assert_eq!(once.verify().unwrap().differences, vec![]);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(given.get() > 1_000, "only {} notices in all: the steps say too little", given.get());
}

#[test]
fn a_breach_that_is_cured_between_two_scans_is_told() {
    let db = Db::in_memory(&Policy::from_toml(POLICY).unwrap()).unwrap();
    let at = |seconds: i64| Instant::from_secs(START + seconds).unwrap();
    db.submit(&Request::new("A", at(0))).unwrap();
    db.advance(at(10)).unwrap();
    let due = db.get("A").unwrap().clocks[0].due_at.unwrap();
    db.record("A", Event::new(EventKind::Replied, Instant::from_secs(due.as_secs() + 60).unwrap())).unwrap();
    db.advance(at(SPAN)).unwrap();
    let told: Vec<_> = db.feed("x").unwrap().pending(100).unwrap();
    assert!(
        told.iter().any(|notice| notice.clock == "first_response" && notice.at == due && !notice.retracted)
    );
}
