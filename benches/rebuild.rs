//! How many events a second does deriving every clock anew go through?

use slaclock::{Db, Mode, OnError, Operation, Options};
use slaclock_benches::{Goal, Race, Timer, desk, report, rounds, size};

const BENCH: &str = "rebuild";

fn main() {
    report::begin(BENCH);
    let count = size(200_000);
    let policy = desk::policy();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("desk.slaclock");
    let db = Db::create(&path, &policy, Options::default().mode(Mode::Exclusive)).expect("a database");
    let requests = desk::requests(count);
    let mut events = 0;
    for some in requests.chunks(50_000) {
        db.apply(&desk::submits(some), OnError::Abort).expect("submits");
        let records = |request: &slaclock::Request| -> Vec<Operation> {
            let id = request.id.clone();
            desk::life(request).into_iter().map(|event| Operation::Record { id: id.clone(), event }).collect()
        };
        let records: Vec<Operation> = some.iter().flat_map(records).collect();
        events += records.len();
        db.apply(&records, OnError::Abort).expect("events");
    }
    db.compact().expect("a compaction");
    let question = format!("derive and compare every clock, {count} requests with {events} events");
    Race::new(BENCH, &question, "event", Timer::Cpu, ())
        .with("verify", events, |_| {
            let found = db.verify().expect("a verification");
            assert_eq!((found.differing, found.events), (0, events as u64));
        })
        .run(rounds(5))
        .absolute("verify", Some(Goal::AtMostNs(500.0)));
    let read: Vec<_> = requests.iter().map(|request| (request, desk::life(request))).collect();
    Race::new(BENCH, "derive alone, requests and events in memory", "event", Timer::Cpu, 0_usize)
        .with("derive", events, |cycles| {
            for (request, events) in &read {
                *cycles += slaclock::clock::derive(&policy, request, events).cycles.len();
            }
        })
        .run(rounds(5))
        .absolute("derive", None);
    report::write();
}
