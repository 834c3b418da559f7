//! The real ServiceNow log in a database under the reference promise.
//!
//! What could go wrong: a row that the file has and the database has not, a second import that adds something, state
//! that does not follow from the events.
#![cfg(feature = "import")]

use slaclock::db::Db;
use slaclock::error::ErrorKind;
use slaclock::import::{ImportOptions, Mapping, OnBadRow, import, import_from};
use slaclock::model::{Event, EventKind, Request};
use slaclock::policy::Policy;
use slaclock::time::Instant;

const LOG: &str = "examples/data/uci498-incident-events-opened-to-2016-04-30.csv.gz";

#[test]
fn the_log_is_imported_whole_and_once() {
    let mapping = Mapping::load("examples/mappings/servicenow.toml").unwrap();
    let policy = Policy::load("examples/policies/servicenow.toml").unwrap();
    let db = Db::in_memory(&policy).unwrap();
    let first = import(&mapping, LOG, &mut &db, ImportOptions::default()).unwrap();
    assert_eq!((first.rows, first.rows_used, first.requests_new), (101_045, 101_045, 17_136));
    assert_eq!(first.events_new, first.events);
    let info = db.info().unwrap();
    assert_eq!((info.requests, info.events), (first.requests, first.events));

    let again = import(&mapping, LOG, &mut &db, ImportOptions::default()).unwrap();
    assert_eq!((again.requests_new, again.events_new), (0, 0));
    assert_eq!((again.events, again.rows_used), (first.events, 101_045));
    let now = db.info().unwrap();
    assert_eq!((now.requests, now.events), (info.requests, info.events));

    // What the database says of holds is what the file says.
    let held = db.waiting(None, Instant::MAX).unwrap();
    for waiting in &held {
        let counted = &first.held[&waiting.reason];
        assert_eq!(
            (waiting.requests, waiting.elapsed.as_secs()),
            (counted.requests, counted.total_s),
            "{}",
            waiting.reason
        );
    }
    assert_eq!(held.len(), first.held.len());
    let verified = db.verify().unwrap();
    assert_eq!((verified.requests, verified.events, verified.differing), (17_136, first.events, 0));
}

const MAPPING: &str = r#"
[mapping]
name = "cases"
layout = "cases"
[time]
format = "%Y-%m-%d %H:%M"
zone = "Europe/Moscow"
[request]
id = "id"
received = "opened"
[[event]]
column = "closed"
is = "resolved"
"#;

/// A request that the database knows with other content is refused, with its line.
#[test]
fn what_the_database_refuses_is_reported_or_stops_the_import() {
    let policy = Policy::load("examples/policies/promise.toml").unwrap();
    let mapping = Mapping::parse(MAPPING).unwrap();
    let file =
        &b"id,opened,closed\n1,2026-03-06 10:00,2026-03-06 11:00\n2,2026-03-06 10:00,2026-03-06 11:00\n"[..];
    for (on_bad_row, requests, events) in [(OnBadRow::Skip, 2, 2), (OnBadRow::Abort, 1, 1)] {
        let db = Db::in_memory(&policy).unwrap();
        let received = Instant::parse("2026-03-01T10:00:00Z").unwrap();
        db.submit(&Request::new("2", received)).unwrap();
        db.record("2", Event::new(EventKind::Replied, received)).unwrap();
        let options = ImportOptions { on_bad_row, ..ImportOptions::default() };
        match import_from(&mapping, file, &mut &db, options) {
            Ok(report) => {
                assert_eq!(on_bad_row, OnBadRow::Skip);
                assert_eq!((report.rows, report.rows_used, report.rows_skipped), (2, 1, 1));
                assert_eq!((report.oddities[0].row, report.oddities[0].code.word()), (3, "refused"));
            }
            Err(error) => {
                assert_eq!((on_bad_row, error.kind()), (OnBadRow::Abort, ErrorKind::Conflict));
                assert!(error.message().contains("`2`"), "{error}");
            }
        }
        let info = db.info().unwrap();
        assert_eq!((info.requests, info.events), (requests, events), "{on_bad_row:?}");
    }
}
