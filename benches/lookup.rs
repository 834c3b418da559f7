//! How long does it take to find one request by its external id?

#[path = "peers/lmdb.rs"]
mod lmdb;
#[path = "peers/sqlite.rs"]
mod sqlite;

use std::cell::RefCell;
use std::hint::black_box;

use lmdb::Lmdb;
use slaclock::{Db, Mode, OnError, Options};
use slaclock_benches::data::Random;
use slaclock_benches::{Goal, Race, Timer, desk, report, rounds, size};
use sqlite::Sqlite;

const BENCH: &str = "lookup";
const CALLS: usize = 5_000;

fn main() {
    report::begin(BENCH);
    let count = size(1_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let policy = desk::policy();
    let requests = desk::requests(count);
    let path = folder.path().join("desk.slaclock");
    let own = Db::create(&path, &policy, Options::default().mode(Mode::Exclusive)).expect("a database");
    let mut sqlite = Sqlite::create(&folder.path().join("desk.sqlite"));
    let lmdb = Lmdb::create(&folder.path().join("desk.lmdb"));
    // As a desk grows: the index of ids has the runs that many folds leave.
    for (number, some) in requests.chunks(100_000).enumerate() {
        own.apply(&desk::submits(some), OnError::Abort).expect("submits");
        sqlite.submit(&policy, number * 100_000, some);
        lmdb.submit(&policy, number * 100_000, some);
    }
    drop(requests);
    let random = RefCell::new(Random::new(5));
    let ids = || -> Vec<String> {
        (0..CALLS).map(|_| desk::id(random.borrow_mut().below(count as i64) as usize)).collect()
    };
    let ids = ids();
    Race::new(BENCH, &format!("one request by its id, warm, of {count}"), "call", Timer::Cpu, ())
        .with("slaclock", CALLS, |_| {
            for id in &ids {
                black_box(own.get(id).expect("a request"));
            }
        })
        .with("SQLite", CALLS, |_| {
            for id in &ids {
                assert!(black_box(sqlite.look_up(id)) > 0);
            }
        })
        .with("LMDB", CALLS, |_| {
            for id in &ids {
                assert!(black_box(lmdb.look_up(id)) > 0);
            }
        })
        .run(rounds(9))
        .compare("slaclock", "SQLite", Some(Goal::AtLeast(3.0)))
        .compare("slaclock", "LMDB", None);
    report::write();
}
