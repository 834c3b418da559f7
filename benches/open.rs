//! How long does it take from opening a file to its first answer? Every opening is a process of its own.

#[path = "peers/sqlite.rs"]
mod sqlite;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant as Clock};

use redb::ReadableTable;
use slaclock::{Db, Instant, Mode, OnError, Options, Page, Request};
use slaclock_benches::{Goal, Race, Timer, desk, median, report, rounds, size};

const BENCH: &str = "open";
const UNFOLDED: usize = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--child") {
        return child(&arguments[at + 1], Path::new(&arguments[at + 2]));
    }
    report::begin(BENCH);
    let count = size(1_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("desk.slaclock");
    let policy = desk::policy();
    let requests = desk::requests(count + UNFOLDED * 2);
    let (first, rest) = requests.split_at(count);
    let db = Db::create(&path, &policy, Options::default().mode(Mode::Exclusive)).expect("a database");
    for some in first.chunks(1_000_000) {
        db.apply(&desk::submits(some), OnError::Abort).expect("submits");
    }
    db.compact().expect("a compaction");
    db.close().expect("a close");
    let goal = Some(Goal::AtMost(5.0));
    measure(&path, "read", &format!("read-only, first 100, close; {count} requests, all folded"), goal);
    measure(
        &path,
        "answer",
        &format!("to the first answer; {count} requests, all folded"),
        Some(Goal::AtMost(10.0)),
    );
    writes(&path);

    let db = Db::open(&path, Options::default().mode(Mode::Exclusive)).expect("a database");
    for some in rest[..UNFOLDED].chunks(500) {
        db.apply(&desk::submits(some), OnError::Abort).expect("submits");
    }
    db.close().expect("a close");
    measure(&path, "read", "the same with 10,000 operations to fold, 500 a commit", goal);
    let db = Db::open(&path, Options::default().mode(Mode::Exclusive)).expect("a database");
    db.compact().expect("a compaction");
    for request in &rest[UNFOLDED..] {
        db.submit(request).expect("a submit");
    }
    db.close().expect("a close");
    measure(&path, "read", "the same with 10,000 operations to fold, one a commit", goal);
    measure(&path, "killed", "to the first answer after kill -9 in a write", Some(Goal::AtMost(50.0)));

    let shared = Db::shared(&path, Options::default()).expect("a database");
    drop(shared);
    let second = |_| {
        let start = Clock::now();
        let db = Db::shared(&path, Options::default()).expect("a database");
        std::hint::black_box(&db);
        start.elapsed().as_secs_f64() * 1e6
    };
    let us = median((0..1_000).map(second).collect());
    report::figure(BENCH, "a second opening in a process", "Db::shared", us, "µs", Some(Goal::AtMost(50.0)));
    slaclock::db::shutdown().expect("a shutdown");
    report::write();
}

/// One durable write in a process of its own, beside the engine's own in a copy of the file; they take turns.
fn writes(path: &Path) {
    let (copy, bare) = (path.with_extension("copy"), path.with_extension("redb"));
    std::fs::copy(path, &copy).expect("a copy");
    std::fs::copy(path, &bare).expect("a copy");
    let question = "open, one durable write, close";
    Race::new(BENCH, question, "process", Timer::Wall, ())
        .with("slaclock", 1, |_| drop(run_child("write", &copy)))
        .with("redb", 1, |_| drop(run_child("redb", &bare)))
        .run(rounds(25))
        .compare("slaclock", "redb", Some(Goal::AtLeast(0.5)));
    measure(&copy, "write", "open, one durable submit, close, without starting the process", None);
    measure(&bare, "redb", "the same by the engine alone", None);
    std::fs::remove_file(&copy).expect("a removal");
    std::fs::remove_file(&bare).expect("a removal");
}

/// What a process of its own says of what it did.
fn run_child(what: &str, path: &Path) -> String {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(&program).arg("--child").arg(what).arg(path).output().expect("a process");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The median over fresh processes of what each says it took, in milliseconds.
fn measure(path: &Path, what: &str, question: &str, goal: Option<Goal>) {
    let program = std::env::current_exe().expect("this program");
    let run = || -> f64 {
        if what == "killed" {
            let mut victim =
                Command::new(&program).arg("--child").arg("die").arg(path).spawn().expect("a process");
            std::thread::sleep(Duration::from_millis(200));
            victim.kill().expect("a kill");
            victim.wait().expect("an end");
        }
        let what = if what == "killed" { "answer" } else { what };
        let output = Command::new(&program).arg("--child").arg(what).arg(path).output().expect("a process");
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().parse().unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
    };
    let took = median((0..rounds(15)).map(|_| run()).collect());
    report::figure(BENCH, question, "slaclock", took, "ms", goal);
}

#[allow(clippy::print_stdout, reason = "the parent reads it")]
fn child(what: &str, path: &Path) {
    let until = Instant::from_secs(desk::FIRST_S + 200 * 86_400).expect("an instant");
    let id = || format!("{}-{:?}", std::process::id(), std::time::SystemTime::now());
    let received = Instant::from_secs(desk::FIRST_S + desk::RECEIVED_WITHIN_S).expect("an instant");
    let start = Clock::now();
    match what {
        "read" => {
            let db = Db::open(path, Options::default().read_only()).expect("a database");
            assert_eq!(db.due_before(until, Page::first(100)).expect("rows").rows.len(), 100);
            db.close().expect("a close");
        }
        "answer" => {
            let db = Db::open(path, Options::default()).expect("a database");
            assert_eq!(db.due_before(until, Page::first(100)).expect("rows").rows.len(), 100);
        }
        "write" => {
            let db = Db::open(path, Options::default()).expect("a database");
            db.submit(&Request::new(id(), received).priority("P1").category("c01")).expect("a submit");
            db.close().expect("a close");
        }
        "redb" => bare_write(path),
        "die" => {
            let db = Db::open(path, Options::default()).expect("a database");
            loop {
                db.submit(&Request::new(id(), received).priority("P1").category("c01")).expect("a submit");
            }
        }
        other => panic!("{other}"),
    }
    println!("{}", start.elapsed().as_secs_f64() * 1e3);
}

/// What a submit writes, in the same file and as safely, without anything of slaclock's.
fn bare_write(path: &Path) {
    const TABLE: redb::TableDefinition<u64, &[u8]> = redb::TableDefinition::new("rows");
    let mut builder = redb::Builder::new();
    builder.set_concurrency_mode(redb::ConcurrencyMode::MultiWriter).set_cache_size(64 << 20);
    let db = builder.open(path).expect("a database");
    let mut txn = db.begin_write().expect("a transaction");
    txn.set_two_phase_commit(true);
    txn.set_quick_repair(true);
    {
        let mut table = txn.open_table(TABLE).expect("a table");
        let next = table.last().expect("rows").map_or(1, |(last, _)| last.value() + 1);
        table.insert(next, [7; 330].as_slice()).expect("a row");
        table.insert(0, [7; 150].as_slice()).expect("a row");
    }
    txn.commit().expect("a commit");
    db.close().expect("a close");
}
