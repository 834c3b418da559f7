//! Many processes on one file, and their sudden ends. What could go wrong: a write that was acknowledged is gone, one is
//! there twice, a reader sees half of one, a killed writer leaves a lock behind or a file that does not open.
#![cfg(feature = "cli")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use slaclock::{Db, Instant, Options, Page, Policy, Query};

const TOOL: &str = env!("CARGO_BIN_EXE_slaclock");

fn policy() -> Policy {
    Policy::load("examples/policies/promise.toml").unwrap()
}

fn created(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("care.slaclock");
    Db::create(&path, &policy(), Options::default()).unwrap().close().unwrap();
    path
}

fn tool(arguments: &[&str]) -> Command {
    let mut command = Command::new(TOOL);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn eight_processes_write_and_each_acknowledged_write_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = created(folder.path());
    let file = path.to_str().unwrap();
    const PROCESSES: usize = 8;
    const ROUNDS: usize = 4;
    for round in 0..ROUNDS {
        let children: Vec<Child> = (0..PROCESSES)
            .map(|process| {
                // In every round two processes submit the same request: one of them first, the other again.
                let id = format!("CASE-{round}-{}", process / 2);
                tool(&["submit", file, &id, "--received", "2026-03-06 15:00"]).spawn().unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.code() == Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    let db = Db::open(&path, Options::default()).unwrap();
    assert_eq!(db.info().unwrap().requests, (ROUNDS * PROCESSES / 2) as u64);
    assert_eq!(db.check().unwrap().differences, []);
}

#[test]
fn twelve_processes_create_one_file_and_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    let arguments = ["create", path.to_str().unwrap(), "--policy", "examples/policies/promise.toml"];
    let children: Vec<Child> = (0..12).map(|_| tool(&arguments).spawn().unwrap()).collect();
    let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let won = outputs.iter().filter(|output| output.status.success()).count();
    assert_eq!(won, 1);
    let refused = outputs.iter().filter(|output| !output.status.success());
    for output in refused {
        assert!(String::from_utf8_lossy(&output.stderr).contains("already exists"), "{output:?}");
    }
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["care.slaclock"]);
}

/// An import is killed again and again at random moments, beside a reader; each time the file opens, is consistent, and
/// holds every chunk that was acknowledged. Importing once more ends with what one import without interruption gives.
#[test]
fn a_killed_import_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = created(folder.path());
    let whole = folder.path().join("whole.slaclock");
    Db::create(&whole, &policy(), Options::default()).unwrap().close().unwrap();
    let log = folder.path().join("log.csv");
    let mut text = String::from("id,opened,closed\n");
    for row in 0..3_000 {
        text.push_str(&format!("R{row},2026-03-{:02} {:02}:{:02}:00,", 1 + row % 27, row % 24, row % 60));
        text.push_str(if row % 3 == 0 { "\n" } else { "2026-03-29 12:00:00\n" });
    }
    std::fs::write(&log, text).unwrap();
    let mapping = folder.path().join("mapping.toml");
    std::fs::write(
        &mapping,
        r#"
[mapping]
name   = "rows"
layout = "cases"

[time]
format  = "%Y-%m-%d %H:%M:%S"
zone    = "Europe/Moscow"
missing = [""]

[request]
id       = "id"
received = "opened"

[[event]]
column = "closed"
is     = "resolved"
"#,
    )
    .unwrap();
    let import = |db: &Path| {
        tool(&["import", db.to_str().unwrap(), log.to_str().unwrap(), "--mapping", mapping.to_str().unwrap()])
    };
    let uninterrupted = import(&whole).output().unwrap();
    assert!(uninterrupted.status.success(), "{}", String::from_utf8_lossy(&uninterrupted.stderr));

    let now = Instant::parse("2026-04-01T00:00:00Z").unwrap();
    let reader = Db::open(&path, Options::default()).unwrap();
    let mut seen = 0;
    for round in 0..25_u64 {
        let mut child = import(&path).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(7 + round * 11 % 90));
        child.kill().unwrap();
        child.wait().unwrap();
        // What another process read once is never gone again.
        let requests = reader.info().unwrap().requests;
        assert!(requests >= seen, "{requests} requests, {seen} were there before");
        seen = requests;
    }
    assert_eq!(reader.verify().unwrap().differences, []);
    let last = import(&path).output().unwrap();
    assert!(last.status.success(), "{}", String::from_utf8_lossy(&last.stderr));
    let expected = Db::open(&whole, Options::default()).unwrap();
    assert_eq!(reader.counts(now).unwrap(), expected.counts(now).unwrap());
    let all = |db: &Db| db.scan(&Query::at(now), Page::first(10_000)).unwrap().rows;
    let key = |row: &slaclock::Row| (row.due_at, row.request.clone(), row.clock.clone());
    let (mut found, mut wanted) = (all(&reader), all(&expected));
    found.sort_by_key(key);
    wanted.sort_by_key(key);
    assert_eq!(found, wanted);
    assert_eq!(reader.check().unwrap().differences, []);
}

/// Writers that are killed right after they were told that their write is durable.
#[test]
fn what_a_killed_writer_was_told_is_durable_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = created(folder.path());
    let mut acknowledged = Vec::new();
    for round in 0..30 {
        let id = format!("CASE-{round}");
        let file = path.to_str().unwrap();
        let mut child =
            tool(&["submit", file, &id, "--received", "2026-03-06 15:00", "--json"]).spawn().unwrap();
        let mut line = String::new();
        let told = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap() > 0;
        child.kill().unwrap();
        child.wait().unwrap();
        if told {
            acknowledged.push(id);
        }
    }
    assert!(acknowledged.len() > 20);
    let db = Db::open(&path, Options::default()).unwrap();
    for id in &acknowledged {
        assert_eq!(db.get(id).unwrap().request.id, *id);
    }
    assert_eq!(db.check().unwrap().differences, []);
}

/// Eight processes at a time: some submit, some scan, some are killed wherever they happen to be. Whoever is not killed
/// succeeds or is told `Busy`, and what was acknowledged is there.
#[test]
fn eight_processes_write_and_read_while_twenty_five_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = created(folder.path());
    let file = path.to_str().unwrap().to_owned();
    let submit = |id: &str| tool(&["submit", &file, id, "--received", "2026-03-06 15:00"]).spawn().unwrap();
    let mut acknowledged = Vec::new();
    let mut killed = 0;
    let mut round = 0_u64;
    while killed < 25 {
        round += 1;
        let mut writers: Vec<(String, Child)> = Vec::new();
        for at in 0..3 {
            let id = format!("CASE-{round}-{at}");
            writers.push((id.clone(), submit(&id)));
        }
        let victims: Vec<Child> = (0..2).map(|at| submit(&format!("VICTIM-{round}-{at}"))).collect();
        let readers: Vec<Child> =
            (0..3).map(|_| tool(&["scan", &file, "--now", "2026-03-10 12:00"]).spawn().unwrap()).collect();
        std::thread::sleep(Duration::from_millis(round * 7 % 41));
        for mut victim in victims {
            killed += u32::from(victim.try_wait().unwrap().is_none());
            victim.kill().unwrap();
            victim.wait().unwrap();
        }
        for (id, writer) in writers {
            let output = writer.wait_with_output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            match output.status.success() {
                true => acknowledged.push(id),
                false => assert!(text.contains("Busy") || text.contains("busy"), "{text}"),
            }
        }
        for reader in readers {
            let output = reader.wait_with_output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            // 1 says that something is late.
            let answered = matches!(output.status.code(), Some(0 | 1)) && text.is_empty();
            assert!(answered || text.to_lowercase().contains("busy"), "{text}");
        }
        assert!(round < 400, "only {killed} were killed in time");
    }
    assert!(acknowledged.len() as u64 >= round * 3 / 2, "{} of {}", acknowledged.len(), round * 3);
    let db = Db::open(&path, Options::default()).unwrap();
    for id in &acknowledged {
        assert_eq!(db.get(id).unwrap().request.id, *id);
    }
    assert_eq!(db.check().unwrap().differences, []);
}

/// Threads of one process that write at the same time, beside another process, while the file is folded now and then.
#[test]
fn threads_share_transactions_and_each_has_its_own_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = created(folder.path());
    let db = Db::open(&path, Options::default()).unwrap();
    let beside = Db::open(&path, Options::default()).unwrap();
    let received = Instant::parse("2026-03-06T12:00:00Z").unwrap();
    let request = |id: String| slaclock::Request::new(id, received);
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let (db, request) = (&db, &request);
            scope.spawn(move || {
                for at in 0..12 {
                    let own = request(format!("T{thread}-{at}"));
                    let first = db.submit(&own).unwrap();
                    assert_eq!(first.outcome, slaclock::Outcome::Recorded);
                    assert_eq!(first.clocks[0].started_at, Some(received));
                    assert_eq!(db.submit(&own).unwrap().outcome, slaclock::Outcome::AlreadyRecorded);
                    // All threads race for this one: it is new once, and other content is refused to its owner only.
                    db.submit(&request(format!("ALL-{at}"))).unwrap();
                    let other = own.clone().customer("acme");
                    assert_eq!(db.submit(&other).unwrap_err().kind(), slaclock::ErrorKind::Conflict);
                    let resolved = slaclock::Event::new(slaclock::EventKind::Resolved, received).key("k");
                    let answer = db.record(&own.id, resolved).unwrap();
                    assert_eq!(answer.clocks[0].finished_at, Some(received));
                    let missing = slaclock::Event::new(slaclock::EventKind::Replied, received);
                    let error = db.record(&format!("NONE-{thread}-{at}"), missing).unwrap_err();
                    assert_eq!(error.kind(), slaclock::ErrorKind::NotFound);
                    assert!(error.message().contains(&format!("NONE-{thread}-{at}")));
                }
            });
        }
        scope.spawn(|| {
            for at in 0..20 {
                beside.submit(&request(format!("BESIDE-{at}"))).unwrap();
            }
        });
    });
    assert_eq!(beside.info().unwrap().requests, 16 * 12 + 12 + 20);
    assert_eq!(db.verify().unwrap().differences, []);
}
