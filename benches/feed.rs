//! How long does it take to turn what became late into notices, durably?

#[path = "peers/sqlite.rs"]
mod sqlite;

use std::cell::Cell;

use slaclock::{Db, Instant, Mode, OnError, Options};
use slaclock_benches::{Goal, Race, Timer, desk, report, rounds, size};
use sqlite::Sqlite;

const BENCH: &str = "feed";

fn main() {
    report::begin(BENCH);
    let count = size(1_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let policy = desk::policy();
    let requests = desk::requests(count);
    let options = Options::default().mode(Mode::Exclusive);
    let db = Db::create(folder.path().join("desk.slaclock"), &policy, options).expect("a database");
    db.apply(&desk::submits(&requests), OnError::Abort).expect("submits");
    let mut sqlite = Sqlite::create(&folder.path().join("desk.sqlite"));
    sqlite.submit(&policy, 0, &requests);
    // One advance a round over a twentieth of all clocks: 100,000 of a million requests with two clocks each.
    let rounds = rounds(5).min(7);
    let marks: Vec<Instant> =
        (0..=rounds + 1).map(|at| desk::when_late(&policy, &requests, 0.05 * (at + 1) as f64)).collect();
    db.advance(marks[0]).expect("an advance");
    sqlite.advance(0, marks[0].as_secs());
    let (a, b) = (Cell::new(0), Cell::new(0));
    let next = |at: &Cell<usize>| {
        let from = at.replace(at.get() + 1);
        (marks[from], marks[from + 1])
    };
    let clocks = count / 10;
    let (own, other) = (Cell::new(0), Cell::new(0));
    let question = format!("advance the feed across about {clocks} newly late clocks");
    Race::new(BENCH, &question, "clock", Timer::Wall, ())
        .with("slaclock", clocks, |_| {
            own.set(own.get() + db.advance(next(&a).1).expect("an advance"));
        })
        .with("SQLite", clocks, |_| {
            let (from, to) = next(&b);
            other.set(other.get() + sqlite.advance(from.as_secs(), to.as_secs()) as u64);
        })
        .run(rounds)
        .compare("slaclock", "SQLite", Some(Goal::AtLeast(5.0)));
    // Some limits fall into the same span; SQLite's statement asks for the due instants only.
    assert!(own.get() >= other.get() && other.get() > 0, "{} and {} notices", own.get(), other.get());
    report::write();
}
