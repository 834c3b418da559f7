//! The fuzz targets' corpora, replayed without a fuzzer: what could go wrong is an input that once reached a place where
//! something broke, or that reaches far into the library, and that nobody tries again before the next night of fuzzing.
#![cfg(all(feature = "import", feature = "sim"))]
#![allow(clippy::print_stdout, reason = "counts are part of the outcome")]

#[path = "../fuzz/src/lib.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::print_stderr,
    reason = "a package of its own, of which this uses a part"
)]
mod fuzz;

use std::path::Path;

/// Tries every input of a target's corpus, and the same cut in half.
fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0;
    for file in std::fs::read_dir(&folder).expect("a corpus") {
        let path = file.expect("a corpus").path();
        let bytes = std::fs::read(&path).expect("an input");
        for bytes in [&bytes[..], &bytes[..bytes.len() / 2]] {
            if std::panic::catch_unwind(|| run(bytes)).is_err() {
                panic!("{}, {} bytes of it", path.display(), bytes.len());
            }
        }
        count += 1;
    }
    println!("{target}: {count} inputs");
    assert!(count >= 5, "{target}: {count} inputs are no corpus");
}

#[test]
fn policies() {
    replay("policy", fuzz::policy::run);
}

#[test]
fn calendars() {
    replay("calendar", fuzz::calendar::run);
}

#[test]
fn icalendar_files() {
    replay("ical", fuzz::ical::run);
}

#[test]
fn imports() {
    replay("import", fuzz::import::run);
}

#[test]
fn records() {
    replay("record", fuzz::record::run);
}

#[test]
fn lives() {
    replay("life", fuzz::life::run);
}
