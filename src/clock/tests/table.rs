//! Each rule of a clock's life on its own.

use super::support::*;
use crate::clock::{RequestState, derive};
use crate::model::EventTag;
use crate::policy::{Clock, Policy, Reopen, Rule, Trigger};
use crate::target::{DayTime, Target};
use crate::time::Span;

/// 8 working hours from Monday 09:00: due Monday 17:00, limit Thursday 17:00.
fn resolution() -> Policy {
    policy(vec![clock("resolution", vec![eight_hours()])])
}

/// Rows of events, `now` and what the cycles look like then.
#[track_caller]
fn check(policy: &Policy, rows: &[(&str, &str, &str)]) {
    for (row, (events, now, expected)) in rows.iter().enumerate() {
        assert_eq!(life(policy, events, now), *expected, "row {row} at {now}, after:\n{events}");
    }
}

#[test]
fn stages_change_the_second_after_a_threshold() {
    check(
        &resolution(),
        &[
            ("", "03-02 08:59:59", ""),
            ("", "03-02 09:00", "resolution#1 OnTrack due 03-02 17:00 limit 03-05 17:00"),
            ("", "03-02 13:00", "resolution#1 OnTrack due 03-02 17:00 limit 03-05 17:00"),
            ("", "03-02 13:00:01", "resolution#1 AtRisk due 03-02 17:00 limit 03-05 17:00"),
            ("", "03-02 17:00", "resolution#1 AtRisk due 03-02 17:00 limit 03-05 17:00"),
            ("", "03-02 17:00:01", "resolution#1 Late due 03-02 17:00 limit 03-05 17:00"),
            ("", "03-05 17:00", "resolution#1 Late due 03-02 17:00 limit 03-05 17:00"),
            ("", "03-05 17:00:01", "resolution#1 Breached due 03-02 17:00 limit 03-05 17:00"),
        ],
    );
}

#[test]
fn without_a_backstop_due_is_the_limit() {
    let policy = policy(vec![clock("resolution", vec![Rule { backstop: None, ..eight_hours() }])]);
    check(
        &policy,
        &[
            ("", "03-02 17:00", "resolution#1 AtRisk due 03-02 17:00"),
            ("", "03-02 17:00:01", "resolution#1 Breached due 03-02 17:00"),
        ],
    );
    assert_eq!(
        crossings(&policy, ""),
        ["Warning(50) 03-02 13:00", "Warning(75) 03-02 15:00", "Breached 03-02 17:00"]
    );
}

#[test]
fn finishing_at_due_is_in_time() {
    check(
        &resolution(),
        &[
            ("03-02 16:59:59 resolved", "03-09 00:00", "resolution#1 Met due 03-02 17:00 limit 03-05 17:00"),
            ("03-02 17:00 resolved", "03-09 00:00", "resolution#1 Met due 03-02 17:00 limit 03-05 17:00"),
            (
                "03-02 17:00:01 resolved",
                "03-09 00:00",
                "resolution#1 Missed due 03-02 17:00 limit 03-05 17:00",
            ),
            // As of an earlier second nothing has happened yet.
            ("03-02 17:00 resolved", "03-02 16:00", "resolution#1 AtRisk due 03-02 17:00 limit 03-05 17:00"),
        ],
    );
    assert_eq!(crossings(&resolution(), "03-02 13:00 resolved"), Vec::<String>::new());
    assert_eq!(crossings(&resolution(), "03-02 13:00:01 resolved"), ["Warning(50) 03-02 13:00"]);
    assert_eq!(
        crossings(&resolution(), "03-02 17:00:01 resolved"),
        ["Warning(50) 03-02 13:00", "Warning(75) 03-02 15:00", "Late 03-02 17:00"]
    );
    assert_eq!(crossings(&resolution(), "03-05 17:00:01 resolved").last().unwrap(), "Breached 03-05 17:00");
}

#[test]
fn a_pause_moves_due_by_its_working_time() {
    let resolution = resolution();
    check(
        &resolution,
        &[
            (
                "03-02 11:00 paused waiting_customer",
                "03-20 00:00",
                "resolution#1 Paused since 03-02 11:00, 6 h left",
            ),
            (
                "03-02 11:00 paused waiting_customer
                 03-02 12:30 resumed",
                "03-02 12:30",
                "resolution#1 OnTrack due 03-03 10:30 limit 03-06 10:30",
            ),
            // A night grants nothing.
            (
                "03-02 16:00 paused waiting_customer
                 03-03 09:00 resumed",
                "03-03 09:00",
                "resolution#1 AtRisk due 03-03 10:00 limit 03-06 10:00",
            ),
            // Another reason does not stop this clock.
            (
                "03-02 11:00 paused waiting_spare_part
                 03-02 12:30 resumed",
                "03-02 12:30",
                "resolution#1 OnTrack due 03-02 17:00 limit 03-05 17:00",
            ),
            // A reason replaced by one that does not stop it is the end of the pause, and the other way round.
            (
                "03-02 11:00 paused waiting_customer
                 03-02 12:00 paused waiting_spare_part
                 03-02 14:00 resumed",
                "03-02 14:00",
                "resolution#1 OnTrack due 03-03 10:00 limit 03-06 10:00",
            ),
            (
                "03-02 10:00 paused waiting_spare_part
                 03-02 11:00 paused waiting_customer
                 03-02 12:00 paused waiting_customer
                 03-02 13:00 resumed
                 03-02 14:00 resumed",
                "03-02 14:00",
                "resolution#1 OnTrack due 03-03 11:00 limit 03-06 11:00",
            ),
        ],
    );
    assert_eq!(
        crossings(&resolution, "03-02 14:00 paused waiting_customer\n03-02 16:00 resumed"),
        ["Warning(50) 03-02 13:00", "Warning(75) 03-02 17:00", "Late 03-03 11:00", "Breached 03-06 11:00"]
    );
    assert_eq!(crossings(&resolution, "03-02 13:00 paused waiting_customer"), Vec::<String>::new());
    assert_eq!(crossings(&resolution, "03-02 13:00:01 paused waiting_customer"), ["Warning(50) 03-02 13:00"]);
}

#[test]
fn a_pause_after_due_changes_nothing() {
    check(
        &resolution(),
        &[
            (
                "03-02 16:59:59 paused waiting_customer",
                "03-04 00:00",
                "resolution#1 Paused since 03-02 16:59:59, 1 s left",
            ),
            (
                "03-02 17:00 paused waiting_customer",
                "03-04 00:00",
                "resolution#1 Paused since 03-02 17:00, 0 s left",
            ),
            (
                "03-02 17:00:01 paused waiting_customer
                 03-04 12:00 resumed",
                "03-05 17:00",
                "resolution#1 Late due 03-02 17:00 limit 03-05 17:00",
            ),
            (
                "03-02 17:00:01 paused waiting_customer",
                "03-05 17:00:01",
                "resolution#1 Breached due 03-02 17:00 limit 03-05 17:00",
            ),
            // Paused at the very close: no working time passes until it opens, but it cannot fall due meanwhile.
            (
                "03-02 17:00 paused waiting_customer
                 03-03 08:00 resumed",
                "03-03 08:00",
                "resolution#1 AtRisk due 03-03 08:00 limit 03-05 17:00",
            ),
        ],
    );
}

#[test]
fn stopping_while_paused_is_in_time() {
    check(
        &resolution(),
        &[
            (
                "03-02 16:00 paused waiting_customer
                 03-20 12:00 resolved",
                "03-20 12:00",
                "resolution#1 Met due 03-20 13:00 limit 03-25 13:00",
            ),
            (
                "03-02 17:00:01 paused waiting_customer
                 03-03 12:00 resolved",
                "03-20 12:00",
                "resolution#1 Missed due 03-02 17:00 limit 03-05 17:00",
            ),
        ],
    );
}

#[test]
fn reopening_gives_what_remained() {
    check(
        &resolution(),
        &[
            // 3 h were used, the request was closed for 16 h of working time.
            (
                "03-02 12:00 resolved
                 03-04 12:00 reopened",
                "03-04 12:00",
                "resolution#1 Met due 03-02 17:00 limit 03-05 17:00\n\
                 resolution#2 OnTrack due 03-04 17:00 limit 03-09 17:00",
            ),
            // Nothing remains after a miss, but the limit has not passed.
            (
                "03-02 17:00:01 resolved
                 03-04 12:00 reopened",
                "03-04 12:00:01",
                "resolution#1 Missed due 03-02 17:00 limit 03-05 17:00\n\
                 resolution#2 Late due 03-04 12:00 limit 03-09 12:00",
            ),
            (
                "03-05 17:00:01 resolved
                 03-06 12:00 reopened",
                "03-06 12:00:01",
                "resolution#1 Missed due 03-02 17:00 limit 03-05 17:00\n\
                 resolution#2 Breached due 03-06 12:00 limit 03-06 12:00",
            ),
            // Nothing remains for good: neither finishing at once nor a second reopening brings time back.
            (
                "03-02 17:00:01 resolved
                 03-04 12:00 reopened
                 03-04 12:00 resolved
                 03-04 13:00 reopened",
                "03-04 13:00:01",
                "resolution#1 Missed due 03-02 17:00 limit 03-05 17:00\n\
                 resolution#2 Met due 03-04 12:00 limit 03-09 12:00\n\
                 resolution#3 Late due 03-04 13:00 limit 03-09 13:00",
            ),
            // Not resolved: nothing to reopen. Resolved twice: the first counts.
            ("03-02 12:00 reopened", "03-02 12:00", "resolution#1 OnTrack due 03-02 17:00 limit 03-05 17:00"),
            (
                "03-02 12:00 resolved
                 03-02 20:00 resolved",
                "03-03 12:00",
                "resolution#1 Met due 03-02 17:00 limit 03-05 17:00",
            ),
            // A hold from before ends with the reopening.
            (
                "03-02 12:00 paused waiting_customer
                 03-02 13:00 resolved
                 03-02 14:00 reopened",
                "03-02 14:00",
                "resolution#1 Met due 03-03 10:00 limit 03-06 10:00\n\
                 resolution#2 OnTrack due 03-03 11:00 limit 03-06 11:00",
            ),
        ],
    );
    assert_eq!(
        crossings(&resolution(), "03-02 14:00 resolved\n03-02 14:00 reopened")[1..],
        ["Warning(50) 03-02 14:00", "Warning(75) 03-02 15:00", "Late 03-02 17:00", "Breached 03-05 17:00"]
    );
    assert_eq!(
        crossings(&resolution(), "03-02 18:00 resolved\n03-02 18:00 reopened")[3..],
        ["Late 03-02 18:00", "Breached 03-05 17:00"]
    );
}

#[test]
fn reopening_may_give_full_time_or_none() {
    let with = |reopen| policy(vec![Clock { reopen, ..clock("resolution", vec![eight_hours()]) }]);
    let story = "03-02 17:00:01 resolved\n03-04 12:00 reopened";
    let first = "resolution#1 Missed due 03-02 17:00 limit 03-05 17:00";
    check(&with(Reopen::None), &[(story, "03-04 12:00", first)]);
    let both = format!("{first}\nresolution#2 OnTrack due 03-05 12:00 limit 03-09 17:00");
    check(&with(Reopen::Full), &[(story, "03-04 12:00", &both)]);
}

/// High: 8 h and three days. Low: 16 h and five days. Anything else: no rule.
fn by_priority() -> Policy {
    let low = Rule {
        target: Target::Working(Span::from_hours(16)),
        backstop: Some(Target::WorkingDays { days: 5, at: DayTime::Close }),
        ..eight_hours()
    };
    let none = Rule { target: Target::None, backstop: None, warn_at: Vec::new(), ..eight_hours() };
    policy(vec![clock(
        "resolution",
        vec![
            when(eight_hours(), "priority", "high"),
            when(low, "priority", "low"),
            when(none, "priority", "none"),
        ],
    )])
}

#[test]
fn a_change_derives_anew_from_the_start() {
    check(
        &by_priority(),
        &[
            (
                "03-02 11:00 paused waiting_customer
                 03-02 12:00 resumed
                 03-02 12:00 changed priority=low",
                "03-02 12:00",
                "resolution#1 OnTrack due 03-04 10:00 limit 03-10 10:00",
            ),
            // High again: as if nothing had been.
            (
                "03-02 11:00 changed priority=low
                 03-02 11:00 paused waiting_customer
                 03-02 12:00 resumed
                 03-02 12:00 changed priority=high",
                "03-02 12:00",
                "resolution#1 OnTrack due 03-03 10:00 limit 03-06 10:00",
            ),
            ("03-02 11:00 changed priority=medium", "03-20 12:00", "resolution#1 Idle NoRule"),
            ("03-02 11:00 changed priority=none", "03-20 12:00", "resolution#1 Idle NoTarget"),
            (
                "03-02 11:00 changed priority=
                 03-02 12:00 paused waiting_customer
                 03-02 13:00 resumed
                 03-02 14:00 changed priority=high",
                "03-02 14:00",
                "resolution#1 OnTrack due 03-03 10:00 limit 03-06 10:00",
            ),
            (
                "03-02 11:00 changed priority=low
                 03-02 12:00 paused waiting_customer
                 03-02 13:00 changed priority=high",
                "03-02 13:00",
                "resolution#1 Paused since 03-02 12:00, 5 h left",
            ),
            ("03-02 11:00 changed priority=medium\n03-02 12:00 resolved", "03-20 12:00", "resolution#1 Idle"),
        ],
    );
}

#[test]
fn a_change_that_makes_late_says_so() {
    let policy = by_priority();
    let low_until =
        |change: &str| format!("03-02 09:00 changed priority=low\n{change} changed priority=high");
    let (at_due, after) = (low_until("03-02 17:00"), low_until("03-02 17:00:01"));
    check(
        &policy,
        &[
            (&at_due, "03-02 17:00", "resolution#1 AtRisk due 03-02 17:00 limit 03-05 17:00"),
            (&at_due, "03-02 17:00:01", "resolution#1 Late due 03-02 17:00 limit 03-05 17:00"),
            (&after, "03-02 17:00", "resolution#1 OnTrack due 03-03 17:00 limit 03-09 17:00"),
            (
                &after,
                "03-02 17:00:01",
                "resolution#1 Late due 03-02 17:00 limit 03-05 17:00 by change 03-02 17:00:01",
            ),
        ],
    );
    assert_eq!(
        crossings(&policy, &low_until("03-03 12:00")),
        [
            // Half of 16 h had passed before; three quarters of 8 h passed only by the change.
            "Warning(50) 03-02 17:00",
            "Warning(75) 03-03 12:00 by change",
            "Late 03-03 12:00 by change",
            "Breached 03-05 17:00"
        ]
    );
    // The correction of a slip in the same second is no miss; finishing in that second is.
    let slip = format!("{after}\n03-02 17:00:01 changed priority=low");
    check(&policy, &[(&slip, "03-02 17:00:01", "resolution#1 AtRisk due 03-03 17:00 limit 03-09 17:00")]);
    let finished = format!("{after}\n03-02 17:00:01 resolved");
    assert!(life(&policy, &finished, "03-03 00:00").contains("Missed"));
    // Paused under the old rule at an instant at which the new one was due already: late, not paused.
    let paused = "03-02 09:00 changed priority=low
                  03-02 18:00 paused waiting_customer
                  03-03 10:00 changed priority=high";
    check(
        &policy,
        &[(
            paused,
            "03-03 10:00",
            "resolution#1 Late due 03-02 17:00 limit 03-05 17:00 by change 03-03 10:00",
        )],
    );
}

#[test]
fn an_earned_miss_stays_and_only_the_limit_moves() {
    check(
        &by_priority(),
        &[
            (
                "03-02 17:00 changed priority=low",
                "03-02 17:00:01",
                "resolution#1 AtRisk due 03-03 17:00 limit 03-09 17:00",
            ),
            (
                "03-02 17:00:01 changed priority=low",
                "03-09 17:00",
                "resolution#1 Late due 03-02 17:00 limit 03-09 17:00",
            ),
            // The limit had passed too.
            (
                "03-05 17:00:01 changed priority=low",
                "03-06 00:00",
                "resolution#1 Breached due 03-02 17:00 limit 03-05 17:00",
            ),
            // Nothing is promised any more, so nothing more can be broken; the miss stays.
            ("03-03 12:00 changed priority=none", "03-20 00:00", "resolution#1 Late due 03-02 17:00"),
            (
                "03-03 12:00 changed priority=medium\n03-04 12:00 resolved",
                "03-20 00:00",
                "resolution#1 Missed due 03-02 17:00",
            ),
            // Late by 16 h; under the eight-hour rule the limit had passed.
            (
                "03-02 09:00 changed priority=low
                 03-06 12:00 changed priority=high",
                "03-06 12:00",
                "resolution#1 Breached due 03-03 17:00 limit 03-05 17:00 limit by change 03-06 12:00",
            ),
        ],
    );
}

#[test]
fn withdrawing_spares_only_what_was_in_time() {
    check(
        &resolution(),
        &[
            (
                "03-02 17:00 cancelled\n03-02 18:00 paused waiting_customer\n03-02 19:00 resolved",
                "03-20 00:00",
                "resolution#1 Cancelled due 03-02 17:00 limit 03-05 17:00",
            ),
            (
                "03-02 17:00:01 cancelled",
                "03-20 00:00",
                "resolution#1 Missed due 03-02 17:00 limit 03-05 17:00",
            ),
            (
                "03-02 12:00 cancelled\n03-02 13:00 changed priority=low\n03-02 14:00 reopened",
                "03-02 14:00",
                "resolution#1 Cancelled due 03-02 17:00 limit 03-05 17:00\n\
                 resolution#2 OnTrack due 03-03 11:00 limit 03-06 11:00",
            ),
        ],
    );
    let timeline = derive(&resolution(), &monday(), &events("03-02 12:00 cancelled\n03-03 12:00 note"));
    assert_eq!(timeline.state, RequestState::Cancelled { at: at("03-02 12:00") });
    assert_eq!(timeline.last_event_at, at("03-03 12:00"));
    assert_eq!(timeline.unanswered_since, None);
}

#[test]
fn next_response_runs_from_the_oldest_unanswered_message() {
    let next = Clock {
        start: vec![Trigger::Event(EventTag::CustomerReplied)],
        stop: vec![EventTag::Replied, EventTag::Resolved],
        ..clock("next_response", vec![Rule { backstop: None, warn_at: Vec::new(), ..eight_hours() }])
    };
    check(
        &policy(vec![next]),
        &[
            ("03-02 10:00 replied", "03-20 00:00", ""),
            (
                "03-02 10:00 customer_replied\n03-02 16:00 customer_replied",
                "03-02 16:00",
                "next_response#1 OnTrack due 03-03 10:00",
            ),
            (
                "03-02 10:00 customer_replied
                 03-02 16:00 customer_replied
                 03-02 16:30 replied
                 03-02 16:40 replied
                 03-04 09:00 customer_replied",
                "03-04 09:00",
                "next_response#1 Met due 03-03 10:00\nnext_response#2 OnTrack due 03-04 17:00",
            ),
        ],
    );
}

/// Resolution, and an update each working day once that is late.
fn with_updates() -> Policy {
    let daily = Rule {
        target: Target::WorkingDays { days: 1, at: DayTime::SameTime },
        backstop: None,
        warn_at: Vec::new(),
        ..eight_hours()
    };
    let update = Clock {
        start: vec![Trigger::Late(0)],
        restart: vec![EventTag::Updated],
        reopen: Reopen::Full,
        ..clock("update", vec![daily])
    };
    policy(vec![clock("resolution", vec![Rule { warn_at: Vec::new(), ..eight_hours() }]), update])
}

#[test]
fn updates_are_armed_by_the_first_miss() {
    let policy = with_updates();
    let late = "resolution#1 Late due 03-02 17:00 limit 03-05 17:00";
    let armed = format!("{late}\nupdate#1 OnTrack due 03-03 17:00");
    check(
        &policy,
        &[
            ("", "03-02 17:00", "resolution#1 OnTrack due 03-02 17:00 limit 03-05 17:00"),
            ("", "03-02 17:00:01", &armed),
            // An update before the miss is none that was asked for.
            ("03-02 17:00 updated", "03-02 17:00:01", &armed),
            (
                "03-02 17:00:01 updated",
                "03-02 17:00:01",
                &format!("{late}\nupdate#1 Met due 03-03 17:00\nupdate#2 OnTrack due 03-03 17:00:01"),
            ),
            (
                "03-03 12:00 updated\n03-04 12:00:01 updated",
                "03-04 12:00:01",
                &format!(
                    "{late}\nupdate#1 Met due 03-03 17:00\nupdate#2 Missed due 03-04 12:00\n\
                     update#3 OnTrack due 03-05 12:00:01"
                ),
            ),
            ("03-02 17:00 resolved", "03-20 00:00", "resolution#1 Met due 03-02 17:00 limit 03-05 17:00"),
            (
                "03-03 12:00 resolved",
                "03-20 00:00",
                "resolution#1 Missed due 03-02 17:00 limit 03-05 17:00\nupdate#1 Met due 03-03 17:00",
            ),
            (
                "03-02 16:00 paused waiting_customer",
                "03-20 00:00",
                "resolution#1 Paused since 03-02 16:00, 1 h left",
            ),
        ],
    );
    // It is known beforehand when it would be armed.
    let ahead = derive(&policy, &monday(), &[]);
    let update = ahead.current(1).unwrap();
    assert_eq!((update.started_at, update.due_at), (at("03-02 17:00"), Some(at("03-03 17:00"))));
    assert!(
        update.armed && !update.has_started(at("03-02 17:00")) && update.has_started(at("03-02 17:00:01"))
    );
}

#[test]
fn vendors_answer_in_their_own_hours() {
    let night = calendar("vendor", "UTC", "00:00", "08:00");
    let vendor = Clock {
        start: vec![Trigger::Event(EventTag::VendorContacted)],
        stop: vec![EventTag::VendorReplied, EventTag::Resolved],
        pause: Vec::new(),
        ..clock("vendor", vec![rule(&night, Target::Working(Span::from_hours(4)))])
    };
    check(
        &policy(vec![vendor]),
        &[
            ("", "03-20 00:00", ""),
            (
                "03-02 10:00 vendor_contacted acme
                 03-02 10:00 paused waiting_vendor
                 03-02 12:00 vendor_contacted acme
                 03-03 04:00 vendor_replied acme
                 03-03 06:00 vendor_contacted acme",
                "03-03 06:00",
                "vendor#1 Met due 03-03 04:00\nvendor#2 OnTrack due 03-04 02:00",
            ),
        ],
    );
}

#[test]
fn a_promise_is_a_clock_of_its_own() {
    let office = calendar("office", "UTC", "09:00", "17:00");
    let promised = Clock {
        start: vec![Trigger::Event(EventTag::Promised)],
        stop: vec![EventTag::Replied, EventTag::Resolved],
        ..clock("call_back", vec![rule(&office, Target::Promised)])
    };
    check(
        &policy(vec![promised]),
        &[
            ("", "03-20 00:00", ""),
            ("03-02 10:00 promised 03-04 10:00", "03-04 10:00", "call_back#1 OnTrack due 03-04 10:00"),
            ("03-02 10:00 promised 03-04 10:00", "03-04 10:00:01", "call_back#1 Breached due 03-04 10:00"),
            (
                "03-02 10:00 promised 03-04 10:00\n03-04 10:00 promised 03-06 10:00",
                "03-04 10:00",
                "call_back#1 Cancelled due 03-04 10:00\ncall_back#2 OnTrack due 03-06 10:00",
            ),
            (
                "03-02 10:00 promised 03-04 10:00\n03-04 10:00:01 promised 03-06 10:00",
                "03-04 10:00:01",
                "call_back#1 Missed due 03-04 10:00\ncall_back#2 OnTrack due 03-06 10:00",
            ),
            // Pauses move it by wall-clock time.
            (
                "03-02 10:00 promised 03-04 10:00
                 03-02 20:00 paused waiting_customer
                 03-02 22:00 resumed",
                "03-03 00:00",
                "call_back#1 OnTrack due 03-04 12:00",
            ),
        ],
    );
}

#[test]
fn a_negotiated_instant_is_not_moved_by_pauses_before_it() {
    let office = calendar("office", "UTC", "09:00", "17:00");
    let policy = policy(vec![clock("delivery", vec![rule(&office, Target::Promised)])]);
    check(
        &policy,
        &[
            ("", "03-20 00:00", "delivery#1 Idle NotPromised"),
            (
                "03-02 10:00 paused waiting_customer
                 03-03 10:00 resumed
                 03-03 11:00 promised 03-06 10:00",
                "03-03 12:00",
                "delivery#1 OnTrack due 03-06 10:00",
            ),
            (
                "03-02 10:00 paused waiting_customer
                 03-03 11:00 promised 03-06 10:00
                 03-03 12:00 resumed",
                "03-03 12:00",
                "delivery#1 OnTrack due 03-06 11:00",
            ),
            (
                "03-03 11:00 promised 03-06 10:00\n03-06 10:00:01 promised 03-09 10:00",
                "03-06 10:00:01",
                "delivery#1 Breached due 03-06 10:00",
            ),
        ],
    );
}

#[test]
fn what_is_dated_before_the_receipt_counts_as_of_the_receipt() {
    let timeline = derive(&resolution(), &monday(), &events("03-01 12:00 resolved"));
    assert_eq!(timeline.cycles[0].finished_at(), Some(at("03-02 09:00")));
    assert_eq!(timeline.last_event_at, at("03-02 09:00"));
}

#[test]
fn a_cycle_may_begin_on_hold() {
    let next = Clock {
        start: vec![Trigger::Event(EventTag::CustomerReplied)],
        stop: vec![EventTag::Replied],
        ..clock("next_response", vec![Rule { backstop: None, ..eight_hours() }])
    };
    check(
        &policy(vec![next]),
        &[(
            "03-02 10:00 paused waiting_customer
             03-02 12:00 customer_replied",
            "03-02 13:00",
            "next_response#1 Paused since 03-02 12:00, 8 h left",
        )],
    );
}

#[test]
fn time_on_hold_is_reported_by_reason() {
    let timeline = derive(
        &resolution(),
        &monday(),
        &events(
            "03-02 10:00 paused waiting_customer
             03-02 11:00 paused waiting_vendor
             03-02 14:00 resumed
             03-02 15:00 paused waiting_customer",
        ),
    );
    let held = |reason: &str, now: &str| timeline.held(reason, at(now)).to_string();
    assert_eq!(held("waiting_vendor", "03-03 00:00"), "3 h");
    assert_eq!(held("waiting_customer", "03-02 16:30"), "2 h 30 min");
    assert_eq!(timeline.on_hold(), Some("waiting_customer"));
}
