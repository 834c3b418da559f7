//! Policy text, TOML and JSON: any text gives a policy or an error with its place. A policy that loads answers every
//! question, and is the same again when its own source is read.

use std::time::Duration;

use chrono::NaiveDate;
use slaclock::{ErrorKind, Facts, Instant, Policy, Request, clock, zone::TzData};

use super::within;

fn one(text: &str, read: impl Fn(&str) -> slaclock::Result<Policy>) {
    let policy = match read(text) {
        Ok(policy) => policy,
        Err(error) => {
            let kinds = [
                ErrorKind::InvalidPolicy,
                ErrorKind::InvalidCalendar,
                ErrorKind::UnknownZone,
                ErrorKind::Unsupported,
            ];
            assert!(kinds.contains(&error.kind()), "{:?}: {error}", error.kind());
            assert!(error.message().len() < 4_096, "a message of {} bytes", error.message().len());
            return;
        }
    };
    let again = Policy::from_text(policy.source(), &TzData::bundled()).expect("its own source loads again");
    assert_eq!(again.source(), policy.source());
    let facts = [Facts::none(), Facts::none().with("priority", "high").with("customer", "acme")];
    let instants = [0, 1_772_891_999, 4_102_444_799].map(|secs| Instant::from_secs(secs).expect("in range"));
    for received in instants {
        for facts in &facts {
            for clock in policy.clocks() {
                let due = clock.due(received, facts);
                let same = again.clock(&clock.name).expect("the same clocks").due(received, facts);
                assert_eq!(due.as_ref().ok(), same.as_ref().ok(), "{}", clock.name);
                if let Ok(due) = due {
                    assert!(due >= received, "{} is due {due}, received {received}", clock.name);
                }
            }
        }
        let timeline = clock::derive(&policy, &Request::new("CASE-1", received), &[]);
        assert_eq!(timeline, clock::derive(&again, &Request::new("CASE-1", received), &[]));
    }
    let day = NaiveDate::from_ymd_opt(2026, 3, 2).expect("a date");
    assert_eq!(policy.check(day), again.check(day));
}

/// Tries one input.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    within(Duration::from_secs(4), "a policy", || {
        one(text, Policy::from_toml);
        one(text, Policy::from_json);
    });
}
