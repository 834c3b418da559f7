//! How long does it take to list what is late, to find the first hundred, to count, and to see what is newly late?

#[path = "peers/lmdb.rs"]
mod lmdb;
#[path = "peers/sqlite.rs"]
mod sqlite;

use std::hint::black_box;

use lmdb::Lmdb;
use slaclock::{Db, Instant, Mode, OnError, Options, Page, Query, Stage};
use slaclock_benches::{Goal, Race, Timer, desk, report, rounds, size};
use sqlite::Sqlite;

const BENCH: &str = "scan";

struct Peers {
    own: Db,
    shared: Db,
    sqlite: Sqlite,
    lmdb: Lmdb,
}

fn main() {
    report::begin(BENCH);
    let count = size(1_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let policy = desk::policy();
    let requests = desk::requests(count);
    let path = folder.path().join("desk.slaclock");
    let copy = folder.path().join("shared.slaclock");
    let options = Options::default().mode(Mode::Exclusive);
    let own = Db::create(&path, &policy, options.clone()).expect("a database");
    let mut sqlite = Sqlite::create(&folder.path().join("desk.sqlite"));
    let lmdb = Lmdb::create(&folder.path().join("desk.lmdb"));
    for (number, some) in requests.chunks(1_000_000).enumerate() {
        own.apply(&desk::submits(some), OnError::Abort).expect("submits");
        sqlite.submit(&policy, number * 1_000_000, some);
        lmdb.submit(&policy, number * 1_000_000, some);
    }
    own.close().expect("a close");
    std::fs::copy(&path, &copy).expect("a copy");
    let own = Db::open(&path, options).expect("a database");
    let shared = Db::open(&copy, Options::default()).expect("a database");
    let peers = Peers { own, shared, sqlite, lmdb };
    let marks: Vec<(f64, Instant)> =
        [0.01, 0.3].into_iter().map(|share| (share, desk::when_late(&policy, &requests, share))).collect();
    drop(requests);
    for (share, now) in &marks {
        list(&peers, count, *share, *now);
    }
    let (_, now) = marks[1];
    short(&peers, count, now);
    let memory = peers.own.info().expect("facts").index_bytes as f64 / 1_048_576.0;
    report::figure(
        BENCH,
        &format!("memory of the indexes, {count} requests"),
        "slaclock",
        memory,
        "MiB",
        None,
    );
    let resident = resident_mib();
    report::figure(
        BENCH,
        "memory of the whole process, peers and their maps included",
        "all",
        resident,
        "MiB",
        None,
    );
    report::write();
}

fn past_due(now: Instant) -> Query {
    Query::at(now).stage(Stage::Late).stage(Stage::Breached)
}

/// Everything past due, as two columns.
fn list(peers: &Peers, count: usize, share: f64, now: Instant) {
    let query = past_due(now);
    let own = peers.own.scan_columns(&query, usize::MAX).expect("columns");
    let until = now.as_secs();
    let expected = peers.sqlite.list(0, until, usize::MAX >> 1);
    assert_eq!((&own.due_at, &own.clock), (&expected.0, &expected.1));
    assert_eq!(peers.lmdb.list(0, until, usize::MAX), expected);
    assert_eq!(peers.shared.scan_columns(&query, usize::MAX).expect("columns"), own);
    let rows = own.len();
    let question = format!("list all late, {} % of {count} requests", share * 100.0);
    let outcome = Race::new(BENCH, &question, "row", Timer::Cpu, ())
        .with("slaclock", rows, |_| {
            black_box(peers.own.scan_columns(&query, usize::MAX).expect("columns"));
        })
        .with("slaclock, shared", rows, |_| {
            black_box(peers.shared.scan_columns(&query, usize::MAX).expect("columns"));
        })
        .with("slaclock, all of a row", rows, |_| {
            black_box(peers.own.scan_table(&query).expect("a table"));
        })
        .with("SQLite", rows, |_| {
            black_box(peers.sqlite.list(0, until, usize::MAX >> 1));
        })
        .with("LMDB", rows, |_| {
            black_box(peers.lmdb.list(0, until, usize::MAX));
        })
        .with("memcpy", rows, |_| {
            black_box((black_box(&own.due_at).clone(), black_box(&own.clock).clone()));
        })
        .run(rounds(9));
    outcome
        .compare("slaclock", "SQLite", Some(Goal::AtLeast(25.0)))
        .compare("slaclock", "LMDB", Some(Goal::AtLeast(6.0)))
        .compare("slaclock", "memcpy", Some(Goal::AtLeast(0.8)))
        .compare("slaclock, shared", "SQLite", None)
        .compare("slaclock, all of a row", "SQLite", None);
}

/// What a screen asks for.
fn short(peers: &Peers, count: usize, now: Instant) {
    const CALLS: usize = 200;
    let query = past_due(now);
    let until = now.as_secs();
    let calls = |db: &Db, query: &Query| {
        for _ in 0..CALLS {
            black_box(db.scan_columns(query, 100).expect("columns"));
        }
    };
    Race::new(BENCH, &format!("first 100 most urgent of {count} requests"), "call", Timer::Cpu, ())
        .with("slaclock", CALLS, |_| calls(&peers.own, &query))
        .with("slaclock, shared", CALLS, |_| calls(&peers.shared, &query))
        .with("slaclock, as rows", CALLS, |_| {
            for _ in 0..CALLS {
                black_box(peers.own.due_before(now, Page::first(100)).expect("rows"));
            }
        })
        .with("SQLite", CALLS, |_| {
            for _ in 0..CALLS {
                black_box(peers.sqlite.list(0, until, 100));
            }
        })
        .run(rounds(9))
        .compare("slaclock", "SQLite", Some(Goal::AtLeast(50.0)))
        .compare("slaclock, shared", "SQLite", None)
        .compare("slaclock, as rows", "SQLite", None);

    let counts = peers.own.counts(now).expect("counts");
    assert_eq!(counts.late + counts.breached, peers.sqlite.count(until));
    Race::new(BENCH, &format!("count what is late of {count} requests"), "call", Timer::Cpu, ())
        .with("slaclock", CALLS, |_| {
            for _ in 0..CALLS {
                black_box(peers.own.counts(now).expect("counts"));
            }
        })
        .with("slaclock, shared", CALLS, |_| {
            for _ in 0..CALLS {
                black_box(peers.shared.counts(now).expect("counts"));
            }
        })
        .with("SQLite", 1, |_| {
            black_box(peers.sqlite.count(until));
        })
        .run(rounds(9))
        .absolute("slaclock", Some(Goal::AtMostNs(1_000.0)))
        .absolute("slaclock, shared", None)
        .compare("slaclock", "SQLite", None);

    let later = Instant::from_secs(until + 60).expect("an instant");
    let query = past_due(later).since(now);
    let rows = peers.own.scan_columns(&query, usize::MAX).expect("columns");
    let question = format!("newly late within 60 s ({} rows) of {count} requests", rows.len());
    Race::new(BENCH, &question, "call", Timer::Cpu, ())
        .with("slaclock", CALLS, |_| {
            for _ in 0..CALLS {
                black_box(peers.own.scan_columns(&query, usize::MAX).expect("columns"));
            }
        })
        .with("SQLite", CALLS, |_| {
            for _ in 0..CALLS {
                black_box(peers.sqlite.list(until, until + 60, usize::MAX >> 1));
            }
        })
        .run(rounds(9))
        .compare("slaclock", "SQLite", Some(Goal::AtLeast(10.0)));
}

fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1_024.0
}
