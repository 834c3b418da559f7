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
        holidays = ["03-08"]

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
    insta::assert_snapshot!(story("resolution", "06 15:00", &[], "06 16:00"), @"");
}

#[test]
fn weekend() {
    let events = [(EventKind::Resolved, "10 11:00")];
    insta::assert_snapshot!(story("resolution", "07 10:00", &events, "11 09:00"), @"");
}

#[test]
fn on_hold() {
    let events = [(paused(), "02 12:00"), (EventKind::Resumed, "02 15:00"), (paused(), "03 09:30")];
    insta::assert_snapshot!(story("resolution", "02 10:00", &events, "04 12:00"), @"");
}

#[test]
fn reopened_after_a_miss() {
    let events = [(EventKind::Resolved, "03 12:00"), (EventKind::Reopened, "04 12:00")];
    insta::assert_snapshot!(story("resolution", "02 10:00", &events, "04 13:00"), @"");
}

#[test]
fn reopened_in_time() {
    let events = [(EventKind::Resolved, "02 13:00"), (EventKind::Reopened, "03 10:00")];
    insta::assert_snapshot!(story("resolution", "02 10:00", &events, "03 11:00"), @"");
}

#[test]
fn late_by_a_change() {
    let events = [(priority("high"), "02 16:00")];
    insta::assert_snapshot!(story("resolution", "02 10:00", &events, "02 17:00"), @"");
}

#[test]
fn update_armed_by_the_first_miss() {
    let events = [(EventKind::Updated, "03 12:00")];
    insta::assert_snapshot!(story("update", "02 10:00", &events, "04 13:00"), @"");
}

#[test]
fn update_not_armed_yet() {
    insta::assert_snapshot!(story("update", "02 10:00", &[], "02 13:00"), @"");
}

#[test]
fn vendor() {
    let contacted = EventKind::VendorContacted { vendor: "acme".into() };
    insta::assert_snapshot!(story("vendor", "02 10:00", &[(contacted, "02 14:00")], "03 06:00"), @"");
}

#[test]
fn promised() {
    let promised = |text: &str| EventKind::Promised { due: at(text) };
    let events = [
        (promised("04 12:00"), "02 14:00"),
        (promised("05 10:00"), "04 11:00"),
        (EventKind::Replied, "05 10:00"),
    ];
    insta::assert_snapshot!(story("call_back", "02 10:00", &events, "06 09:00"), @"");
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
