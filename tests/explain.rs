//! What could go wrong: an explanation that tells another story than the deadline it explains.

use std::collections::BTreeMap;

use slaclock::error::ErrorKind;
use slaclock::explain::{Explanation, explain};
use slaclock::model::{Event, EventKind, Request};
use slaclock::policy::Policy;
use slaclock::time::Instant;

/// The reference promise, an eight-hour one for high priority, an underpinning contract and promised call-backs.
fn policy() -> Policy {
    Policy::from_toml(
        r#"
        [policy]
        name = "customer-care"
        version = 3

        [calendar.office]
        zone = "Europe/Moscow"
        hours = { mon-fri = "09:00-18:00" }
        holidays = ["03-09"]

        [calendar.vendor]
        zone = "UTC"
        hours = { mon-sun = "00:00-08:00" }

        [[clock]]
        name = "resolution"
        calendar = "office"
        start = "received"
        stop = "resolved"
        pause = ["waiting_customer"]
        target = [{ received_before = "14:00", due = "same day, close" }, { due = "next day, 11:00" }]
        backstop = { working_days = 3 }
        warn_at = ["50 %", "75 %"]
        [[clock.rules]]
        when = { priority = ["high", "urgent"] }
        target = { working = "4h" }

        [[clock]]
        name = "update"
        calendar = "office"
        start = "resolution.late"
        restart = "updated"
        stop = "resolved"
        target = { working_days = 1, at = "same time" }

        [[clock]]
        name = "vendor"
        calendar = "vendor"
        start = "vendor_contacted"
        stop = ["vendor_replied", "resolved"]
        target = { working = "4h" }

        [[clock]]
        name = "call_back"
        calendar = "office"
        start = "promised"
        stop = ["replied", "resolved"]
        pause = ["waiting_customer"]
        target = "promised"
        "#,
    )
    .unwrap()
}

/// An instant of March 2026 in Moscow, from `06 15:00`.
fn at(text: &str) -> Instant {
    Instant::parse(&format!("2026-03-{}:00+03:00", text.replace(' ', "T"))).unwrap()
}

fn story(clock: &str, received: &str, events: &[(EventKind, &str)], now: &str) -> Explanation {
    let request = Request::new("CASE-1041", at(received)).customer("acme").priority("low");
    let events: Vec<Event> = events.iter().map(|(kind, when)| Event::new(kind.clone(), at(when))).collect();
    explain(&policy(), &request, &events, clock, at(now)).unwrap()
}

fn paused() -> EventKind {
    EventKind::Paused { reason: "waiting_customer".into() }
}

fn priority(value: &str) -> EventKind {
    EventKind::Changed { facts: BTreeMap::from([("priority".into(), value.into())]) }
}

#[test]
fn friday_afternoon() {
    insta::assert_snapshot!(story("resolution", "06 15:00", &[], "06 16:00"), @r#"
    request   CASE-1041, clock "resolution", policy customer-care v3, tzdb 2026e
    as of     Fri 2026-03-06 16:00 MSK; the request, received Fri 2026-03-06 15:00 MSK, is open
    facts     customer `acme`, priority `low`
    rule 1    does not count: priority is `high` or `urgent`; priority is `low`
    rule 2    counts: any request
    cycle 1   begun Fri 2026-03-06 15:00 MSK by the receipt
    received  Fri 2026-03-06 15:00 MSK (12:00 UTC), a working day of calendar "office"
    rule      15:00 is not before 14:00, so: next day, 11:00
    next day  Sat 03-07 to Sun 03-08 and Mon 03-09 (holiday) are closed; Tue 03-10 is open
    due       Tue 2026-03-10 11:00 MSK (08:00 UTC)                                      policy customer-care v3, tzdb 2026e
    limit     Thu 2026-03-12 18:00 MSK (15:00 UTC): 3 working days, close
    day 3     Sat 03-07 to Sun 03-08 and Mon 03-09 (holiday) are closed; Tue 03-10 is day 1, Wed 03-11 day 2, Thu 03-12 day 3
    warnings  50 % Fri 2026-03-06 17:30 MSK; 75 % Tue 2026-03-10 09:45 MSK
    stage     on track, 4 h of working time left
    verdict   undecided
    "#);
}

#[test]
fn weekend() {
    let events = [(EventKind::Resolved, "10 11:00")];
    insta::assert_snapshot!(story("resolution", "07 10:00", &events, "11 09:00"), @r#"
    request   CASE-1041, clock "resolution", policy customer-care v3, tzdb 2026e
    as of     Wed 2026-03-11 09:00 MSK; the request, received Sat 2026-03-07 10:00 MSK, is resolved
    facts     customer `acme`, priority `low`
    rule 1    does not count: priority is `high` or `urgent`; priority is `low`
    rule 2    counts: any request
    cycle 1   begun Sat 2026-03-07 10:00 MSK by the receipt
    received  Sat 2026-03-07 10:00 MSK (07:00 UTC), a closed day of calendar "office" (weekend)
    rule      Sat 03-07 is closed and takes the last branch, so: next day, 11:00
    next day  Sun 03-08 and Mon 03-09 (holiday) are closed; Tue 03-10 is open
    due       Tue 2026-03-10 11:00 MSK (08:00 UTC)                                      policy customer-care v3, tzdb 2026e
    limit     Thu 2026-03-12 18:00 MSK (15:00 UTC): 3 working days, close
    day 3     Sun 03-08 and Mon 03-09 (holiday) are closed; Tue 03-10 is day 1, Wed 03-11 day 2, Thu 03-12 day 3
    warnings  50 % Tue 2026-03-10 10:00 MSK, passed; 75 % Tue 2026-03-10 10:30 MSK, passed
    stage     met: finished Tue 2026-03-10 11:00 MSK
    verdict   met
    "#);
}

#[test]
fn on_hold() {
    let events = [(paused(), "02 12:00"), (EventKind::Resumed, "02 15:00"), (paused(), "03 09:30")];
    insta::assert_snapshot!(story("resolution", "02 10:00", &events, "04 12:00"), @r#"
    request   CASE-1041, clock "resolution", policy customer-care v3, tzdb 2026e
    as of     Wed 2026-03-04 12:00 MSK; the request, received Mon 2026-03-02 10:00 MSK, is open
    facts     customer `acme`, priority `low`
    rule 1    does not count: priority is `high` or `urgent`; priority is `low`
    rule 2    counts: any request
    cycle 1   begun Mon 2026-03-02 10:00 MSK by the receipt
    received  Mon 2026-03-02 10:00 MSK (07:00 UTC), a working day of calendar "office"
    rule      10:00 is before 14:00, so: same day, close
    on hold   Mon 03-02 12:00 to Mon 03-02 15:00 (waiting_customer): 3 h of working time; due moves to Tue 2026-03-03 12:00 MSK
    on hold   since Tue 03-03 09:30 (waiting_customer): the clock stands with 2 h 30 min of working time left
    due       none while on hold; Tue 2026-03-03 12:00 MSK without it                   policy customer-care v3, tzdb 2026e
    limit     none while on hold; Fri 2026-03-06 12:00 MSK without it: 3 working days, close
    day 3     Tue 03-03 is day 1, Wed 03-04 day 2, Thu 03-05 day 3
    warnings  50 % Mon 2026-03-02 17:00 MSK, passed
    stage     on hold, 2 h 30 min of working time left
    verdict   undecided
    "#);
}

#[test]
fn reopened_after_a_miss() {
    let events = [(EventKind::Resolved, "03 12:00"), (EventKind::Reopened, "04 12:00")];
    insta::assert_snapshot!(story("resolution", "02 10:00", &events, "04 13:00"), @r#"
    request   CASE-1041, clock "resolution", policy customer-care v3, tzdb 2026e
    as of     Wed 2026-03-04 13:00 MSK; the request, received Mon 2026-03-02 10:00 MSK, is open
    facts     customer `acme`, priority `low`
    rule 1    does not count: priority is `high` or `urgent`; priority is `low`
    rule 2    counts: any request
    cycle 1   begun Mon 2026-03-02 10:00 MSK by the receipt
    received  Mon 2026-03-02 10:00 MSK (07:00 UTC), a working day of calendar "office"
    rule      10:00 is before 14:00, so: same day, close
    due       Mon 2026-03-02 18:00 MSK (15:00 UTC)                                      policy customer-care v3, tzdb 2026e
    limit     Thu 2026-03-05 18:00 MSK (15:00 UTC): 3 working days, close
    day 3     Tue 03-03 is day 1, Wed 03-04 day 2, Thu 03-05 day 3
    warnings  50 % Mon 2026-03-02 14:00 MSK, passed; 75 % Mon 2026-03-02 16:00 MSK, passed
    stage     missed: finished Tue 2026-03-03 12:00 MSK, 18 h of wall-clock time after due
    cycle 2   begun Wed 2026-03-04 12:00 MSK by reopening
    due       Wed 2026-03-04 12:00 MSK, limit Fri 2026-03-06 18:00 MSK: it was missed before the request was reopened, so nothing remained
    stage     late since Wed 2026-03-04 12:00 MSK
    verdict   missed
    "#);
}

#[test]
fn reopened_in_time() {
    let events = [(EventKind::Resolved, "02 13:00"), (EventKind::Reopened, "03 10:00")];
    insta::assert_snapshot!(story("resolution", "02 10:00", &events, "03 11:00"), @r#"
    request   CASE-1041, clock "resolution", policy customer-care v3, tzdb 2026e
    as of     Tue 2026-03-03 11:00 MSK; the request, received Mon 2026-03-02 10:00 MSK, is open
    facts     customer `acme`, priority `low`
    rule 1    does not count: priority is `high` or `urgent`; priority is `low`
    rule 2    counts: any request
    cycle 1   begun Mon 2026-03-02 10:00 MSK by the receipt
    received  Mon 2026-03-02 10:00 MSK (07:00 UTC), a working day of calendar "office"
    rule      10:00 is before 14:00, so: same day, close
    due       Mon 2026-03-02 18:00 MSK (15:00 UTC)                                      policy customer-care v3, tzdb 2026e
    limit     Thu 2026-03-05 18:00 MSK (15:00 UTC): 3 working days, close
    day 3     Tue 03-03 is day 1, Wed 03-04 day 2, Thu 03-05 day 3
    warnings  50 % Mon 2026-03-02 14:00 MSK; 75 % Mon 2026-03-02 16:00 MSK
    stage     met: finished Mon 2026-03-02 13:00 MSK
    cycle 2   begun Tue 2026-03-03 10:00 MSK by reopening
    received  Mon 2026-03-02 10:00 MSK (07:00 UTC), a working day of calendar "office"
    rule      10:00 is before 14:00, so: same day, close
    on hold   Mon 03-02 13:00 to Tue 03-03 10:00 (closed): 6 h of working time; due moves to Tue 2026-03-03 15:00 MSK
    due       Tue 2026-03-03 15:00 MSK (12:00 UTC)                                      policy customer-care v3, tzdb 2026e
    limit     Fri 2026-03-06 15:00 MSK (12:00 UTC): 3 working days, close
    day 3     Tue 03-03 is day 1, Wed 03-04 day 2, Thu 03-05 day 3
    warnings  50 % Tue 2026-03-03 11:00 MSK; 75 % Tue 2026-03-03 13:00 MSK
    stage     on track, 4 h of working time left
    verdict   undecided
    "#);
}

#[test]
fn late_by_a_change() {
    let events = [(priority("high"), "02 16:00")];
    insta::assert_snapshot!(story("resolution", "02 10:00", &events, "02 17:00"), @r#"
    request   CASE-1041, clock "resolution", policy customer-care v3, tzdb 2026e
    as of     Mon 2026-03-02 17:00 MSK; the request, received Mon 2026-03-02 10:00 MSK, is open
    facts     customer `acme`, priority `high`
    rule 1    counts: priority is `high` or `urgent`
    rule 2    does not count: any request; an earlier rule matches
    cycle 1   begun Mon 2026-03-02 10:00 MSK by the receipt
    received  Mon 2026-03-02 10:00 MSK (07:00 UTC), a working day of calendar "office"
    rule      4 h of working time
    counted   Mon 03-02 10:00–14:00 (4 h)
    due       Mon 2026-03-02 14:00 MSK (11:00 UTC)                                      policy customer-care v3, tzdb 2026e
    limit     Thu 2026-03-05 18:00 MSK (15:00 UTC): 3 working days, close
    day 3     Tue 03-03 is day 1, Wed 03-04 day 2, Thu 03-05 day 3
    changed   Mon 2026-03-02 16:00 MSK: priority is now `high`; worked out anew from the start; by that it was due already
    warnings  50 % Mon 2026-03-02 14:00 MSK, passed; 75 % Mon 2026-03-02 16:00 MSK by the change, passed
    stage     late since the change of Mon 2026-03-02 16:00 MSK
    verdict   missed
    "#);
}

#[test]
fn update_armed_by_the_first_miss() {
    let events = [(EventKind::Updated, "03 12:00")];
    insta::assert_snapshot!(story("update", "02 10:00", &events, "04 13:00"), @r#"
    request   CASE-1041, clock "update", policy customer-care v3, tzdb 2026e
    as of     Wed 2026-03-04 13:00 MSK; the request, received Mon 2026-03-02 10:00 MSK, is open
    facts     customer `acme`, priority `low`
    cycle 1   begun Mon 2026-03-02 18:00 MSK by clock "resolution" being late
    from      Mon 2026-03-02 18:00 MSK (15:00 UTC), a working day of calendar "office"
    rule      1 working day, same time
    next day  Tue 03-03 is open
    due       Tue 2026-03-03 18:00 MSK (15:00 UTC)                                      policy customer-care v3, tzdb 2026e
    stage     met: finished Tue 2026-03-03 12:00 MSK
    cycle 2   begun Tue 2026-03-03 12:00 MSK by `updated`
    from      Tue 2026-03-03 12:00 MSK (09:00 UTC), a working day of calendar "office"
    rule      1 working day, same time
    next day  Wed 03-04 is open
    due       Wed 2026-03-04 12:00 MSK (09:00 UTC)                                      policy customer-care v3, tzdb 2026e
    stage     breached since Wed 2026-03-04 12:00 MSK
    verdict   missed
    "#);
}

#[test]
fn update_not_armed_yet() {
    insta::assert_snapshot!(story("update", "02 10:00", &[], "02 13:00"), @r#"
    request   CASE-1041, clock "update", policy customer-care v3, tzdb 2026e
    as of     Mon 2026-03-02 13:00 MSK; the request, received Mon 2026-03-02 10:00 MSK, is open
    facts     customer `acme`, priority `low`
    begins    Mon 2026-03-02 18:00 MSK, if nothing happens before
    verdict   does not count: the clock has not begun
    "#);
}

#[test]
fn vendor() {
    let contacted = EventKind::VendorContacted { vendor: "acme".into() };
    insta::assert_snapshot!(story("vendor", "02 10:00", &[(contacted, "02 14:00")], "03 06:00"), @r#"
    request   CASE-1041, clock "vendor", policy customer-care v3, tzdb 2026e
    as of     Tue 2026-03-03 03:00 UTC; the request, received Mon 2026-03-02 07:00 UTC, is open
    facts     customer `acme`, priority `low`
    cycle 1   begun Mon 2026-03-02 11:00 UTC by `vendor_contacted`
    from      Mon 2026-03-02 11:00 UTC, a working day of calendar "vendor"
    rule      4 h of working time
    counted   Tue 03-03 00:00–04:00 (4 h)
    due       Tue 2026-03-03 04:00 UTC                                                  policy customer-care v3, tzdb 2026e
    stage     on track, 1 h of working time left
    verdict   undecided
    "#);
}

#[test]
fn promised() {
    let promised = |text: &str| EventKind::Promised { due: at(text) };
    let events = [
        (promised("04 12:00"), "02 14:00"),
        (promised("05 10:00"), "04 11:00"),
        (EventKind::Replied, "05 10:00"),
    ];
    insta::assert_snapshot!(story("call_back", "02 10:00", &events, "06 09:00"), @r#"
    request   CASE-1041, clock "call_back", policy customer-care v3, tzdb 2026e
    as of     Fri 2026-03-06 09:00 MSK; the request, received Mon 2026-03-02 10:00 MSK, is open
    facts     customer `acme`, priority `low`
    cycle 1   begun Mon 2026-03-02 14:00 MSK by `promised`
    from      Mon 2026-03-02 14:00 MSK (11:00 UTC), a working day of calendar "office"
    rule      the promised instant
    due       Wed 2026-03-04 12:00 MSK (09:00 UTC)                                      policy customer-care v3, tzdb 2026e
    changed   Mon 2026-03-02 14:00 MSK: promised Wed 2026-03-04 12:00 MSK; this is what it waits for
    stage     withdrawn or superseded Wed 2026-03-04 11:00 MSK, before due
    cycle 2   begun Wed 2026-03-04 11:00 MSK by `promised`
    from      Wed 2026-03-04 11:00 MSK (08:00 UTC), a working day of calendar "office"
    rule      the promised instant
    due       Thu 2026-03-05 10:00 MSK (07:00 UTC)                                      policy customer-care v3, tzdb 2026e
    changed   Wed 2026-03-04 11:00 MSK: promised Thu 2026-03-05 10:00 MSK; this is what it waits for
    stage     met: finished Thu 2026-03-05 10:00 MSK
    verdict   met
    "#);
}

#[test]
fn data_and_sentences_agree_with_the_derivation() {
    let told = story("resolution", "06 15:00", &[], "06 16:00");
    let json = serde_json::to_value(&told).unwrap();
    assert_eq!(json["cycles"][0]["due_at"]["at"], at("10 11:00").as_secs());
    assert_eq!(json["verdict"], "undecided");
    assert_eq!(json["rules"][0]["lost"], "priority is `low`");
    let request = Request::new("CASE-1041", at("06 15:00"));
    let unknown = explain(&policy(), &request, &[], "resolutoin", at("06 15:00")).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
}
