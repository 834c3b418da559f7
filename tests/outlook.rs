//! The outlook of a promised share. What could go wrong: a miss too many is called allowed at an edge, a verdict is
//! called decided while it is open, the list of what must be finished is one short.
//!
//! Held against a reference that tries every way in which open requests can end, one miss after the other.

use slaclock::attainment::{Attainment, GoalVerdict, Outcome, Outlook, Pressing, Pulse, Tally, Verdict};
use slaclock::db::OutlookQuery;
use slaclock::policy::{AttainmentGoal, Period};
use slaclock::{Db, ErrorKind, Event, EventKind, Instant, PeriodRange, Policy, Request};

/// Whether `missed` of `whole` keep `share_bp`, by counting hundredths of a percent one by one.
fn keeps(missed: u64, whole: u64, share_bp: u64) -> bool {
    (whole - missed) * 10_000 >= share_bp * whole
}

fn attainment(met: u64, missed: u64, undecided: u64, share_bp: u32) -> Attainment {
    Attainment {
        period: PeriodRange::parse("2026-03").unwrap(),
        clock: "resolution".into(),
        tally: Tally { met, missed, undecided, missed_breached: missed, ..Tally::default() },
        goal: Some(AttainmentGoal { share_bp, per: Period::Month }),
        period_over: true,
    }
}

fn open(number: u64) -> Pulse {
    Pulse {
        outcome: Outcome {
            verdict: Verdict::Undecided,
            tail: None,
            waived: false,
            cycles_met: 0,
            cycles_missed: 0,
        },
        open: Pressing {
            due_at: Some(Instant::from_secs(1_000 + number as i64).unwrap()),
            limit_at: None,
            request: format!("CASE-{number}"),
            update_due_at: None,
        },
        updates: vec![],
    }
}

#[test]
fn every_cohort_up_to_200_agrees_with_counting() {
    for whole in 1..=200_u64 {
        for share_bp in [9_500_u32, 9_000, 9_999, 10_000, 5_000, 6_667, 9_950, 1] {
            let allowed = (0..=whole).rev().find(|missed| keeps(*missed, whole, share_bp.into())).unwrap();
            // Missed below, at and above what is allowed; open ones of which none, some or all decide.
            let edges = [allowed.saturating_sub(1), allowed, allowed + 1];
            for missed in edges.into_iter().filter(|missed| *missed <= whole) {
                let rest = whole - missed;
                for undecided in
                    [0, 1, allowed.saturating_sub(missed), allowed.saturating_sub(missed) + 1, rest]
                {
                    let undecided = undecided.min(rest);
                    let met = rest - undecided;
                    let until = Instant::MAX;
                    let members = (0..undecided).rev().map(open).collect();
                    let outlook =
                        Outlook::of(attainment(met, missed, undecided, share_bp), until, members).unwrap();
                    let case =
                        format!("{met} met, {missed} missed, {undecided} open, {share_bp}: {outlook:?}");
                    assert_eq!(outlook.misses_allowed, allowed, "{case}");
                    assert_eq!(outlook.misses_left, allowed as i64 - missed as i64, "{case}");
                    let fates = (0..=undecided).map(|more| keeps(missed + more, whole, share_bp.into()));
                    let fates: Vec<bool> = fates.collect();
                    let so_far = match (fates[0], fates[undecided as usize]) {
                        (_, true) => GoalVerdict::Kept,
                        (true, false) => GoalVerdict::Open,
                        (false, _) => GoalVerdict::Broken,
                    };
                    assert_eq!((outlook.so_far, outlook.verdict), (so_far, so_far), "{case}");
                    let may_miss = fates.iter().rposition(|kept| *kept).map(|most| most as u64);
                    assert_eq!(outlook.must_meet, may_miss.map(|most| undecided - most), "{case}");
                    // If nothing is done, the open ones are missed in the order in which they are due.
                    let breaking =
                        fates.iter().position(|kept| !kept).filter(|at| *at > 0).map(|at| at as i64 - 1);
                    assert_eq!(
                        outlook.breaks_at.map(|at| at.as_secs()),
                        breaking.map(|at| 1_000 + at),
                        "{case}"
                    );
                    let must = if fates[0] { undecided - may_miss.unwrap() } else { 0 };
                    assert_eq!(outlook.must_finish, must, "{case}");
                    let ids: Vec<String> = outlook.deciding.iter().map(|open| open.request.clone()).collect();
                    let expected: Vec<String> =
                        (0..undecided).map(|number| format!("CASE-{number}")).collect();
                    assert_eq!(ids, expected, "{case}");
                }
            }
        }
    }
}

#[test]
fn the_horizon_is_where_it_ends() {
    let until = |secs: i64| Instant::from_secs(secs).unwrap();
    for (horizon, due, must) in [(1_000, 0, 0), (1_001, 1, 0), (1_002, 2, 1), (1_010, 10, 9)] {
        let members = (0..10).map(open).collect();
        // 20 of 20 may lose one.
        let outlook = Outlook::of(attainment(10, 0, 10, 9_500), until(horizon), members).unwrap();
        assert_eq!((outlook.deciding.len(), outlook.later), (due, 10 - due as u64));
        assert_eq!(outlook.must_finish, must, "before {horizon}");
        assert_eq!(outlook.breaks_at, Some(until(1_001)));
    }
    let broken = Outlook::of(attainment(10, 2, 8, 9_500), Instant::MAX, (0..8).map(open).collect()).unwrap();
    assert_eq!((broken.so_far, broken.must_meet, broken.must_finish), (GoalVerdict::Broken, None, 0));
    assert_eq!((broken.misses_left, broken.breaks_at), (-1, None));
}

const POLICY: &str = r#"
    [policy]
    name = "care"
    version = 1

    [calendar.office]
    zone = "Europe/Moscow"
    hours = { mon-fri = "09:00-18:00" }

    [[clock]]
    name = "resolution"
    start = "received"
    stop = "resolved"
    pause = "waiting_customer"
    target = [{ received_before = "14:00", due = "same day, close" }, { due = "next day, 11:00" }]
    attainment = { share = "80 %", per = "month" }
    backstop = { working_days = 3 }

    [[clock]]
    name = "update"
    start = "resolution.late"
    restart = "updated"
    stop = "resolved"
    target = { working_days = 1, at = "same time" }
"#;

fn at(text: &str) -> Instant {
    Instant::parse(&format!("2026-03-{}:00+03:00", text.replace(' ', "T"))).unwrap()
}

#[test]
fn a_month_is_told_while_it_can_still_be_kept() {
    let db = Db::in_memory(&Policy::from_toml(POLICY).unwrap()).unwrap();
    for (id, received) in
        [("A", "02 10:00"), ("B", "02 10:00"), ("C", "02 15:00"), ("D", "04 10:00"), ("E", "04 15:00")]
    {
        db.submit(&Request::new(id, at(received))).unwrap();
    }
    db.submit(&Request::new("OLD", Instant::parse("2026-02-28T23:59:59+03:00").unwrap())).unwrap();
    db.record("A", Event::new(EventKind::Resolved, at("02 17:00"))).unwrap();
    db.record("B", Event::new(EventKind::Updated, at("03 12:00"))).unwrap();
    let pause = EventKind::Paused { reason: "waiting_customer".into() };
    db.record("C", Event::new(pause, at("02 16:00"))).unwrap();

    let now = at("04 12:00");
    let outlook = db.outlook(&OutlookQuery::at(now)).unwrap().remove(0);
    assert_eq!(outlook.attainment.period, PeriodRange::parse("2026-03").unwrap());
    let tally = outlook.attainment.tally;
    assert_eq!((tally.met, tally.missed, tally.undecided, tally.counted()), (1, 1, 2, 4));
    assert_eq!((outlook.misses_allowed, outlook.misses_left), (0, -1));
    assert_eq!((outlook.so_far, outlook.verdict), (GoalVerdict::Broken, GoalVerdict::Open));
    assert_eq!((outlook.deciding[0].request.as_str(), outlook.on_hold), ("D", 1));
    assert_eq!((outlook.tail.len(), outlook.tail[0].request.as_str()), (1, "B"));
    assert_eq!(outlook.tail[0].limit_at, Some(at("05 18:00")));
    assert_eq!(outlook.tail[0].update_due_at, Some(at("04 12:00")));
    assert_eq!((outlook.cadence[0].kept, outlook.cadence[0].missed), (1, 0));

    // With E a fifth joins, and one miss is allowed: D must be finished today.
    let outlook = db.outlook(&OutlookQuery::at(at("04 16:00"))).unwrap().remove(0);
    assert_eq!((outlook.misses_allowed, outlook.misses_left), (1, 0));
    assert_eq!((outlook.so_far, outlook.must_meet, outlook.must_finish), (GoalVerdict::Open, Some(3), 1));
    assert_eq!((outlook.breaks_at, outlook.later), (Some(at("04 18:00")), 1));
    assert_eq!(outlook.cadence[0].missed, 1);
    let written = serde_json::to_string(&outlook).unwrap();
    assert_eq!(serde_json::from_str::<Outlook>(&written).unwrap(), outlook);

    for id in ["C", "D", "E"] {
        db.record(id, Event::new(EventKind::Resolved, at("04 17:00"))).unwrap();
    }
    let over = OutlookQuery::at(Instant::parse("2026-04-01T00:00:00+03:00").unwrap());
    let march = db.outlook(&over.period(PeriodRange::parse("2026-03").unwrap())).unwrap().remove(0);
    assert_eq!(march.verdict, GoalVerdict::Kept);
}

#[test]
fn wrong_questions_are_refused_by_name() {
    let db = Db::in_memory(&Policy::from_toml(POLICY).unwrap()).unwrap();
    let ask = |query: OutlookQuery| db.outlook(&query).unwrap_err();
    let query = || OutlookQuery::at(at("04 12:00"));
    let error = ask(query().until(at("04 11:59")));
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("must not lie before now"), "{error}");
    assert_eq!(ask(query().clock("resolutoin")).kind(), ErrorKind::NotFound);
    let error = ask(query().clock("update"));
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("promises no share"), "{error}");
    assert!(serde_json::from_str::<PeriodRange>(r#"{"first":"2026-03-02","last":"2026-03-01"}"#).is_err());
}
