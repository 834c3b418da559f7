//! What does each thing cost as there is more of it? Per item where the answer grows with the data, as a whole where it must
//! not.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant as Clock;

use slaclock::{Db, Mode, OnError, Options, Page, Policy, Query, Stage};
use slaclock_benches::{data, desk, median, report, rounds, size};

const BENCH: &str = "growth";
/// Requests that are received in one transaction.
const AT_ONCE: usize = 1_000_000;

fn main() {
    report::begin(BENCH);
    let most = size(1_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    for count in [10_000, 100_000, 1_000_000, 10_000_000].into_iter().filter(|count| *count <= most) {
        deadlines(count);
        database(&folder.path().join("desk.slaclock"), count);
    }
    report::write();
}

/// The median time of a call, in nanoseconds.
fn timed<T>(mut call: impl FnMut() -> T) -> f64 {
    let once = |_| {
        let start = Clock::now();
        // What it gives is put away when the clock has stopped.
        let given = black_box(call());
        let took = start.elapsed().as_secs_f64() * 1e9;
        drop(given);
        took
    };
    median((0..rounds(9)).map(once).collect())
}

fn tell(what: &str, count: usize, value: f64, unit: &str) {
    report::figure(BENCH, what, &format!("{count}"), value, unit, None);
}

fn deadlines(count: usize) {
    let policy = data::policy();
    let rule = data::rule(&policy, "working");
    let received = data::receipts(count, 1);
    let mut due = vec![0; count];
    // The first call learns the days.
    rule.due_many(&received, &mut due).expect("deadlines");
    let ns = timed(|| rule.due_many(black_box(&received), black_box(&mut due)).expect("deadlines"));
    tell("a batch of deadlines, per deadline", count, ns / count as f64, "ns");
}

fn database(path: &Path, count: usize) {
    let policy = desk::policy();
    let requests = desk::requests(count);
    let now = desk::when_late(&policy, &requests, 0.01);
    ingest(path, &policy, &requests);
    drop(requests);
    let alone = || Db::open(path, Options::default().mode(Mode::Exclusive)).expect("a database");
    let opened = timed(|| {
        let db = alone();
        assert_eq!(db.due_before(now, Page::first(1)).expect("a row").rows.len(), 1);
        db
    });
    tell("opening and a first answer", count, opened / 1e6, "ms");
    let db = alone();
    let late = Query::at(now).stage(Stage::Late).stage(Stage::Breached);
    let rows = db.scan_columns(&late, usize::MAX).expect("columns").len();
    let listed = timed(|| db.scan_columns(&late, usize::MAX).expect("columns"));
    tell("a list of the 1 % that is late, per row", count, listed / rows as f64, "ns");
    let first = timed(|| db.scan_columns(&late, 100).expect("columns"));
    tell("the first 100 that are late", count, first / 1e3, "µs");
    let counted = timed(|| db.counts(now).expect("counts"));
    tell("how many are late", count, counted / 1e3, "µs");
    let mut random = data::Random::new(9);
    let ids: Vec<String> = (0..1_000).map(|_| desk::id(random.below(count as i64) as usize)).collect();
    let found = timed(|| ids.iter().for_each(|id| drop(black_box(db.get(id).expect("a request")))));
    tell("one request by its id, of 1,000 that are asked for again and again", count, found / 1e6, "µs");
    db.close().expect("a close");
    std::fs::remove_file(path).expect("a removal");
}

/// Receives the requests and tells what that took, with what each costs on the disk.
fn ingest(path: &Path, policy: &Policy, requests: &[slaclock::Request]) {
    let count = requests.len();
    let db = Db::create(path, policy, Options::default().mode(Mode::Exclusive)).expect("a database");
    let mut ns = 0.0;
    for some in requests.chunks(AT_ONCE) {
        let operations = desk::submits(some);
        let start = Clock::now();
        db.apply(&operations, OnError::Abort).expect("submits");
        ns += start.elapsed().as_secs_f64() * 1e9;
    }
    tell("receiving requests, per request", count, ns / count as f64 / 1e3, "µs");
    db.compact().expect("a compaction");
    db.close().expect("a close");
    let bytes = std::fs::metadata(path).expect("a file").len();
    tell("the file, per request", count, bytes as f64 / count as f64, "B");
}
