//! How long does it take to take in many requests at once, their deadlines worked out and their clocks indexed?

#[path = "peers/lmdb.rs"]
mod lmdb;
#[path = "peers/sqlite.rs"]
mod sqlite;

use std::path::PathBuf;

use lmdb::Lmdb;
use slaclock::{Db, Mode, OnError, Options};
use slaclock_benches::{Goal, Race, Timer, desk, report, rounds, size};
use sqlite::Sqlite;

const BENCH: &str = "ingest";

fn main() {
    report::begin(BENCH);
    let count = size(1_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let policy = desk::policy();
    let requests = desk::requests(count);
    let operations = desk::submits(&requests);
    let mut number = 0;
    // Every run makes a new file; the one before goes.
    let mut fresh = |name: &str| -> PathBuf {
        number += 1;
        let path = folder.path().join(format!("{name}-{number}"));
        let before = folder.path().read_dir().expect("the folder").flatten();
        for entry in before.filter(|entry| entry.file_name().to_string_lossy().starts_with(name)) {
            let path = entry.path();
            let removed =
                if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            removed.expect("a removal");
        }
        path
    };
    let slaclock = |path: PathBuf, mode: Mode| {
        let options = Options::default().mode(mode).cache_bytes(1 << 30);
        let db = Db::create(&path, &policy, options).expect("a database");
        db.apply(&operations, OnError::Abort).expect("submits");
        db.close().expect("a close");
    };
    let fresh = std::cell::RefCell::new(&mut fresh);
    for timer in [Timer::Wall, Timer::Cpu] {
        let how = if timer == Timer::Cpu { ", processor time" } else { "" };
        let question = format!("take in {count} requests in one durable transaction{how}");
        Race::new(BENCH, &question, "request", timer, ())
            .with("slaclock", count, |_| slaclock(fresh.borrow_mut()("own"), Mode::Exclusive))
            .with("slaclock, shared", count, |_| slaclock(fresh.borrow_mut()("shared"), Mode::Shared))
            .with("SQLite", count, |_| {
                let path = fresh.borrow_mut()("sqlite");
                Sqlite::create(&path).submit(&policy, 0, &requests);
            })
            .with("LMDB", count, |_| Lmdb::create(&fresh.borrow_mut()("lmdb")).submit(&policy, 0, &requests))
            .run(rounds(3))
            .compare("slaclock", "SQLite", Some(Goal::AtLeast(5.0)))
            .compare("slaclock", "LMDB", Some(Goal::AtLeast(2.0)))
            .compare("slaclock, shared", "SQLite", None);
    }
    let path = folder.path().join("size.slaclock");
    slaclock(path.clone(), Mode::Exclusive);
    let db = Db::open(&path, Options::default().mode(Mode::Exclusive)).expect("a database");
    db.compact().expect("a compaction");
    db.close().expect("a close");
    let own = std::fs::metadata(&path).expect("the file").len();
    let path = folder.path().join("size.sqlite");
    let mut sqlite = Sqlite::create(&path);
    sqlite.submit(&policy, 0, &requests);
    let peer = sqlite.bytes(&path);
    let each = |bytes: u64| bytes as f64 / count as f64;
    report::figure(
        BENCH,
        "bytes a request",
        "slaclock",
        each(own),
        "B",
        Some(Goal::AtMost(each(peer) * 1.1)),
    );
    report::figure(BENCH, "bytes a request", "SQLite", each(peer), "B", None);
    report::write();
}
