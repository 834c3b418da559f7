//! What-if replays: the same history under other policies. What could go wrong: the stored promise counted by other
//! rules than the report's, requests judged by the wrong policy's zone or clock, anything written.

use slaclock::{
    AttainmentQuery, Db, ErrorKind, Event, EventKind, Instant, Month, OnError, Operation, Policy, Request,
    attainment::IntoPeriod,
};

const HOUR: i64 = 3_600;
/// Monday 2026-03-02 09:00 in Moscow.
const MONDAY: i64 = 1_772_431_200;

fn policy(name: &str, clock: &str, target: &str) -> Policy {
    Policy::from_toml(&format!(
        r#"
        [policy]
        name = "{name}"
        version = 1
        statement = "Handled in time."
        [calendar.office]
        zone = "Europe/Moscow"
        hours = {{ mon-fri = "09:00-18:00" }}
        [[clock]]
        name = "{clock}"
        start = "received"
        stop = "resolved"
        pause = ["waiting_customer"]
        target = {target}
        attainment = {{ share = "50 %", per = "month" }}
        "#
    ))
    .unwrap()
}

fn at(seconds: i64) -> Instant {
    Instant::from_secs(seconds).unwrap()
}

/// Ten requests of one Monday morning, handled after one, two, … ten working hours; the fifth waits an hour for its
/// customer.
fn history(promised: &Policy) -> Db {
    let db = Db::in_memory(promised).unwrap();
    let office = promised.calendars().first().unwrap();
    let mut operations = Vec::new();
    for n in 1..=10_i64 {
        let id = format!("R{n}");
        let received = at(MONDAY + n);
        let handled = office.add_working_time(received, slaclock::Span::from_hours(n)).unwrap();
        operations.push(Operation::Submit(Request::new(&id, received).priority(if n % 2 == 0 {
            "even"
        } else {
            "odd"
        })));
        if n == 5 {
            let pause = EventKind::Paused { reason: "waiting_customer".into() };
            operations
                .push(Operation::Record { id: id.clone(), event: Event::new(pause, at(MONDAY + HOUR)) });
            let resumed = Event::new(EventKind::Resumed, at(MONDAY + 2 * HOUR));
            operations.push(Operation::Record { id: id.clone(), event: resumed });
        }
        operations.push(Operation::Record { id, event: Event::new(EventKind::Resolved, handled) });
    }
    db.apply(&operations, OnError::Abort).unwrap();
    db
}

fn march() -> AttainmentQuery {
    AttainmentQuery::at(at(MONDAY + 60 * 86_400)).period(Month::of(2026, 3).period().unwrap())
}

#[test]
fn the_same_policy_changes_nothing() {
    let promised = policy("care", "resolution", "{ working = \"4h\" }");
    let db = history(&promised);
    for query in [march(), march().by("priority"), AttainmentQuery::at(at(MONDAY + 5 * HOUR))] {
        let runs = db.simulate(&[&promised], &query).unwrap();
        let reported = db.attainment_by(&query).unwrap();
        assert_eq!((runs[0].policy.as_str(), runs[1].policy.as_str()), ("as promised", "care v1"));
        assert_eq!((&runs[0].groups, &runs[1].groups), (&reported, &reported));
        let changes = &runs[1].changes[0];
        let counts =
            [changes.earlier, changes.later, changes.unmatched, changes.newly_met, changes.newly_missed];
        assert_eq!(counts, [0; 5]);
    }
}

#[test]
fn tighter_and_looser_promises_move_deadlines_and_verdicts() {
    let promised = policy("care", "resolution", "{ working = \"4h\" }");
    let db = history(&promised);
    let (tight, loose) = (
        policy("tight", "resolution", "{ working = \"2h\" }"),
        policy("loose", "resolution", "{ working = \"8h\" }"),
    );
    // Received a month before: beside the cohort, though near enough to be looked at.
    db.submit(&Request::new("R0", at(MONDAY - 36 * HOUR))).unwrap();
    let before = db.info().unwrap();
    let runs = db.simulate(&[&tight, &loose], &march()).unwrap();
    let met: Vec<u64> = runs.iter().map(|run| run.groups[0].attainment.tally.met).collect();
    // The fifth waited an hour, so that five hours count as four.
    assert_eq!(met, [5, 2, 8]);
    let (tight, loose) = (&runs[1].changes[0], &runs[2].changes[0]);
    assert_eq!((tight.earlier, tight.later, tight.newly_missed, tight.newly_met), (10, 0, 3, 0));
    assert_eq!((loose.earlier, loose.later, loose.newly_missed, loose.newly_met), (0, 10, 0, 3));
    let after = db.info().unwrap();
    assert_eq!(
        (before.requests, before.events, before.notices),
        (after.requests, after.events, after.notices)
    );
    assert_eq!(db.policies().unwrap().len(), 1);
}

#[test]
fn clocks_are_compared_by_name() {
    let promised = policy("care", "resolution", "{ working = \"4h\" }");
    let db = history(&promised);
    let other = policy("other", "closing", "{ working = \"4h\" }");
    let runs = db.simulate(&[&other], &march()).unwrap();
    assert_eq!(runs[1].changes[0].unmatched, 10);
    assert_eq!(runs[1].groups[0].attainment.clock, "closing");
    let error = db.simulate(&[&other], &march().clock("resolution")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().starts_with("policy other v1: "), "{error}");
}
