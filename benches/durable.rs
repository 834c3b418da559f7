//! How long does a write take that is on the disk when the call returns?

#[path = "peers/sqlite.rs"]
mod sqlite;

use std::cell::Cell;

use redb::{Durability, TableDefinition};
use slaclock::{Db, Event, EventKind, Instant, Mode, OnError, Operation, Options, Request};
use slaclock_benches::{Goal, Race, Timer, desk, report, rounds, size};
use sqlite::Sqlite;

const BENCH: &str = "durable";
const BATCH: usize = 1_000;

fn main() {
    report::begin(BENCH);
    let count = size(1_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let policy = desk::policy();
    let rounds = rounds(40);
    // Enough for every round, and one without the clock.
    let extra = (rounds + 2) * BATCH * 2;
    let mut requests = desk::requests(count + extra);
    let new = requests.split_off(count);
    let path = folder.path().join("desk.slaclock");
    let db = Db::create(&path, &policy, Options::default().mode(Mode::Exclusive)).expect("a database");
    db.apply(&desk::submits(&requests), OnError::Abort).expect("submits");
    db.close().expect("a close");
    let copy = folder.path().join("shared.slaclock");
    std::fs::copy(&path, &copy).expect("a copy");
    // The engine alone commits into the same file: what a commit costs grows with the pages that there are.
    let bare = folder.path().join("bare.redb");
    std::fs::copy(&path, &bare).expect("a copy");
    let bare = redb::Database::open(bare).expect("a database");
    let own = Db::open(&path, Options::default().mode(Mode::Exclusive)).expect("a database");
    let shared = Db::open(&copy, Options::default()).expect("a database");
    let mut sqlite = Sqlite::create(&folder.path().join("desk.sqlite"));
    sqlite.submit(&policy, 0, &requests);

    submits(&own, &shared, &mut sqlite, &policy, count, &new, rounds);
    pauses(&own, &shared, &mut sqlite, count, rounds);
    singles(&own, &shared, &bare, &mut sqlite, &policy, count + extra, rounds);
    report::write();
}

fn submits(
    own: &Db,
    shared: &Db,
    sqlite: &mut Sqlite,
    policy: &slaclock::Policy,
    count: usize,
    new: &[Request],
    rounds: usize,
) {
    let batches: Vec<&[Request]> = new.chunks(BATCH).collect();
    let operations: Vec<Vec<Operation>> = batches.iter().map(|some| desk::submits(some)).collect();
    let (a, b, c) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let next = |at: &Cell<usize>| at.replace(at.get() + 1);
    Race::new(BENCH, &format!("1,000 submits in a transaction, beside {count}"), "request", Timer::Wall, ())
        .with("slaclock", BATCH, |_| {
            own.apply(&operations[next(&a)], OnError::Abort).expect("submits");
        })
        .with("slaclock, shared", BATCH, |_| {
            shared.apply(&operations[next(&b)], OnError::Abort).expect("submits");
        })
        .with("SQLite", BATCH, |_| {
            let at = next(&c);
            sqlite.submit(policy, count + at * BATCH, batches[at]);
        })
        .run(rounds)
        .compare("slaclock", "SQLite", Some(Goal::AtLeast(2.0)))
        .compare("slaclock, shared", "SQLite", None);
}

/// Every second round resumes what the round before paused.
fn pauses(own: &Db, shared: &Db, sqlite: &mut Sqlite, count: usize, rounds: usize) {
    let at = |round: usize| desk::FIRST_S + desk::RECEIVED_WITHIN_S + 60 * round as i64;
    let ids = |round: usize| -> Vec<String> {
        let mut random = slaclock_benches::data::Random::new((round / 2) as u64);
        let mut numbers: Vec<usize> = (0..BATCH * 2).map(|_| random.below(count as i64) as usize).collect();
        numbers.sort_unstable();
        numbers.dedup();
        // In no order, as the events of a desk come.
        numbers.sort_by_key(|number| (number * 7_919) % 100_003);
        numbers.truncate(BATCH);
        numbers.into_iter().map(desk::id).collect()
    };
    let operations: Vec<Vec<Operation>> = (0..rounds + 2)
        .map(|round| {
            let when = Instant::from_secs(at(round)).expect("an instant");
            let kind = match round % 2 {
                0 => EventKind::Paused { reason: "waiting_customer".into() },
                _ => EventKind::Resumed,
            };
            let event = Event::new(kind, when).by("ann").key(format!("k{round}"));
            ids(round).into_iter().map(|id| Operation::Record { id, event: event.clone() }).collect()
        })
        .collect();
    let (a, b, c) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let next = |at: &Cell<usize>| at.replace(at.get() + 1);
    let question = format!("1,000 pauses or resumes in a transaction, of {count}");
    Race::new(BENCH, &question, "event", Timer::Wall, ())
        .with("slaclock", BATCH, |_| {
            own.apply(&operations[next(&a)], OnError::Abort).expect("events");
        })
        .with("slaclock, shared", BATCH, |_| {
            shared.apply(&operations[next(&b)], OnError::Abort).expect("events");
        })
        .with("SQLite", BATCH, |_| {
            let round = next(&c);
            sqlite.pause(&ids(round), at(round), round % 2 == 0);
        })
        .run(rounds)
        .compare("slaclock", "SQLite", Some(Goal::AtLeast(6.0)))
        .compare("slaclock, shared", "SQLite", None);
}

const LOG: TableDefinition<u64, &[u8]> = TableDefinition::new("bare log");
const HEAD: TableDefinition<u64, &[u8]> = TableDefinition::new("bare head");

fn singles(
    own: &Db,
    shared: &Db,
    bare: &redb::Database,
    sqlite: &mut Sqlite,
    policy: &slaclock::Policy,
    first: usize,
    rounds: usize,
) {
    const THREADS: usize = 64;
    let received = Instant::from_secs(desk::FIRST_S + desk::RECEIVED_WITHIN_S).expect("an instant");
    let number = Cell::new(0);
    let request = || {
        let id = format!("single-{}", number.replace(number.get() + 1));
        Request::new(id, received).customer("acme").priority("P1").category("c01").subject("One alone")
    };
    let slot = Cell::new(first);
    let sequence = Cell::new(0);
    let bare_commit = |_: &mut ()| {
        let mut txn = bare.begin_write().expect("a transaction");
        txn.set_durability(Durability::Immediate).expect("durable");
        txn.set_two_phase_commit(true);
        txn.set_quick_repair(true);
        sequence.set(sequence.get() + 1);
        // The bytes that a submit writes: its log value and the head.
        txn.open_table(LOG).expect("a table").insert(sequence.get(), [7; 330].as_slice()).expect("a row");
        txn.open_table(HEAD).expect("a table").insert(1, [7; 150].as_slice()).expect("a row");
        txn.commit().expect("a commit");
    };
    Race::new(BENCH, "one submit", "commit", Timer::Wall, ())
        .with("slaclock", 1, |_| {
            own.submit(&request()).expect("a submit");
        })
        .with("slaclock, shared", 1, |_| {
            shared.submit(&request()).expect("a submit");
        })
        .with("redb, two-phase", 1, bare_commit)
        .with("SQLite", 1, |_| {
            sqlite.submit(policy, slot.replace(slot.get() + 1), &[request()]);
        })
        .run(rounds * 3)
        .compare("slaclock", "redb, two-phase", Some(Goal::AtLeast(0.9)))
        .compare("slaclock", "SQLite", None)
        .compare("slaclock, shared", "SQLite", None);

    // Enough for each thread that starting the threads does not count.
    const EACH: usize = 32;
    let together = |db: &Db| {
        let requests: Vec<Request> = (0..THREADS * EACH).map(|_| request()).collect();
        std::thread::scope(|scope| {
            for some in requests.chunks(EACH) {
                scope.spawn(move || {
                    some.iter().for_each(|request| drop(db.submit(request).expect("a submit")))
                });
            }
        });
    };
    Race::new(BENCH, "64 threads submit at once", "commit", Timer::Wall, ())
        .with("slaclock", THREADS * EACH, |_| together(own))
        .with("slaclock, shared", THREADS * EACH, |_| together(shared))
        .with("SQLite, one by one", THREADS, |_| {
            for _ in 0..THREADS {
                sqlite.submit(policy, slot.replace(slot.get() + 1), &[request()]);
            }
        })
        .run(rounds.min(10))
        .compare("slaclock", "SQLite, one by one", Some(Goal::AtLeast(30.0)))
        .compare("slaclock, shared", "SQLite, one by one", None);
}
