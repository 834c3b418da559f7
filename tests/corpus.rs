//! The fuzz targets' corpora, replayed and gone beyond without a fuzzer: what could go wrong is an input that once reached a
//! place where something broke, or that reaches far into the library, or one like it, and that nobody tries before the next
//! night of fuzzing. `SLACLOCK_INPUTS` sets how many are tried beyond each corpus, `SLACLOCK_SEED` where the seeds begin. The
//! target `calls` is in `bindings/c/src/corpus.rs`.
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

/// Tries a target's corpus, and what lies beyond it: so many inputs that all targets together take some seconds.
fn replay(target: &str, count: u64, run: fn(&[u8])) {
    fuzz::replay::replay(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz"), target, count, run);
}

#[test]
fn policies() {
    replay("policy", 8_000, fuzz::policy::run);
}

#[test]
fn calendars() {
    replay("calendar", 8_000, fuzz::calendar::run);
}

#[test]
fn icalendar_files() {
    replay("ical", 20_000, fuzz::ical::run);
}

#[test]
fn imports() {
    replay("import", 1_500, fuzz::import::run);
}

#[test]
fn records() {
    replay("record", 100_000, fuzz::record::run);
}

#[test]
fn lives() {
    replay("life", 150, fuzz::life::run);
}

#[test]
fn images() {
    replay("image", 150, fuzz::image::run);
}

#[test]
fn an_input_that_fails_is_named_by_its_seed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let tried = || {
        let inputs = std::cell::RefCell::new(Vec::new());
        fuzz::replay::replay(&folder, "ical", 200, |bytes| inputs.borrow_mut().push(bytes.to_vec()));
        inputs.into_inner()
    };
    let inputs = tried();
    assert_eq!(inputs, tried(), "the same seeds give the same inputs");
    let distinct: std::collections::BTreeSet<_> = inputs.iter().collect();
    assert!(distinct.len() * 10 > inputs.len() * 9, "{} of {} differ", distinct.len(), inputs.len());
    let last = inputs.last().unwrap();
    let fails = |bytes: &[u8]| assert!(bytes != last, "this one");
    let replayed = || fuzz::replay::replay(&folder, "ical", 200, fails);
    let told = *std::panic::catch_unwind(replayed).unwrap_err().downcast::<String>().unwrap();
    assert!(
        told.contains("SLACLOCK_SEED=") && told.contains("reproduces this: ") && told.contains("this one"),
        "{told}"
    );
}
