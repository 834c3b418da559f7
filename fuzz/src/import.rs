//! Mappings and the logs read through them: the text up to a line of `===` is the mapping, the rest the CSV file, plain or
//! gzip. Any bytes give a report or an error, and the report accounts for every row.

use std::time::Duration;

use slaclock::import::{Entry, ImportOptions, Mapping, OnBadRow, import_from};
use slaclock::{Db, ErrorKind, Policy};

use super::within;

const LINE: &[u8] = b"\n===\n";
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
pause = ["waiting_customer"]
target = { working = "8h" }
"#;

fn known(kind: ErrorKind) -> bool {
    use ErrorKind::{Damaged, InvalidMapping, InvalidRow, UnknownZone};
    matches!(kind, InvalidMapping | InvalidRow | Damaged | UnknownZone)
}

fn imported(bytes: &[u8]) {
    let at = bytes.windows(LINE.len()).position(|part| part == LINE);
    let (text, log) = at.map_or((bytes, &b""[..]), |at| (&bytes[..at], &bytes[at + LINE.len()..]));
    let mapping = match std::str::from_utf8(text).map(Mapping::parse) {
        Err(_) => return,
        Ok(Err(error)) => {
            assert!(matches!(error.kind(), ErrorKind::InvalidMapping | ErrorKind::UnknownZone), "{error}");
            return;
        }
        Ok(Ok(mapping)) => mapping,
    };
    for on_bad_row in [OnBadRow::Skip, OnBadRow::Abort] {
        let mut entries: Vec<Entry> = Vec::new();
        let options = ImportOptions { on_bad_row, keep_oddities: 50, ..ImportOptions::default() };
        match import_from(&mapping, std::io::Cursor::new(log.to_vec()), &mut entries, options) {
            Err(error) => assert!(known(error.kind()), "{:?}: {error}", error.kind()),
            Ok(report) => {
                assert!(report.oddities.len() <= 50 && report.rows == report.rows_used + report.rows_skipped);
                entries.iter().for_each(|entry| {
                    entry.request.validate().expect("a row that is no request is reported")
                });
            }
        }
    }
    // Twice into a database: the second time nothing is new.
    let policy = Policy::from_toml(POLICY).expect("a policy");
    let db = Db::in_memory(&policy).expect("a database");
    let mut counted = [0; 2];
    for count in &mut counted {
        let options = ImportOptions { keep_oddities: 0, ..ImportOptions::default() };
        match import_from(&mapping, std::io::Cursor::new(log.to_vec()), &mut &db, options) {
            Err(error) => return assert!(known(error.kind()), "{:?}: {error}", error.kind()),
            Ok(_) => *count = db.info().expect("counts").requests,
        }
    }
    assert_eq!(counted[0], counted[1], "an import that is repeated adds nothing");
    assert_eq!(db.verify().expect("a check").differing, 0);
}

/// Tries one input.
pub fn run(bytes: &[u8]) {
    within(Duration::from_secs(4), "an import", || imported(bytes));
}
