//! Processes that are killed while they write. What could go wrong: a call that was answered is gone, one that was not is
//! there by half, a lock outlives its holder, a reader or another writer is disturbed, a notice is skipped or handed out
//! under another number.
//!
//! Writers and a consumer of the feed run as processes of their own and tell on a pipe what was answered; at random
//! moments they get SIGKILL. Beside them a writer, a reader and a consumer live on in this process, each with a handle of
//! its own. `SLACLOCK_KILLS` sets the number of kills (200 unless set), `SLACLOCK_SEED` where the seeds begin.
#![cfg(feature = "sim")]
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "counts and seeds are part of the outcome")]

mod sim;

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use sim::dice::Dice;
use sim::history::History;
use sim::model::{Call, Model, perform};
use sim::policies::policy;
use sim::run;
use slaclock::{Db, ErrorKind, Instant, Options, Page, Query};

const ROLE: &str = "SLACLOCK_KILLS_ROLE";
const PATH: &str = "SLACLOCK_KILLS_PATH";
const NUMBER: &str = "SLACLOCK_KILLS_NUMBER";
/// Patience for a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

fn options() -> Options {
    slaclock::sim::fold_after(Options::default().busy_timeout(PATIENCE), 400)
}

/// The calls of one writer: those on its own requests.
fn next_call(history: &mut History, model: &Model) -> Call {
    loop {
        let call = history.draw(model);
        if matches!(call, Call::Submit(_) | Call::Record(..) | Call::Apply(..)) {
            return call;
        }
    }
}

fn history_of(number: u64) -> History {
    History::of_thread(number, number as usize).keyed()
}

/// Not a test of its own: what the other processes do.
#[test]
fn in_a_child() {
    let (Ok(role), Ok(path)) = (std::env::var(ROLE), std::env::var(PATH)) else { return };
    let db = Db::open(&path, options()).unwrap();
    let say = |text: String| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{text}").and_then(|()| out.flush()).unwrap();
    };
    match role.as_str() {
        "writer" => {
            let number = run::number(NUMBER, 0);
            let (mut history, mut model) = (history_of(number), Model::new());
            for done in 1.. {
                let call = next_call(&mut history, &model);
                let expected = model.apply(&call);
                assert_eq!(perform(&db, &call).unwrap(), expected, "{call:?}");
                say(format!("done {done}"));
            }
        }
        "consumer" => {
            let feed = db.feed("killed").unwrap();
            say("done 0".to_owned());
            loop {
                for notice in feed.pending(7).unwrap() {
                    say(format!("got {}", notice.number));
                    feed.acknowledge(notice.number).unwrap();
                    say(format!("acknowledged {}", notice.number));
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        other => panic!("no role {other}"),
    }
}

struct Process {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Process {
    fn start(role: &str, path: &Path, number: u64) -> Process {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "in_a_child", "--nocapture", "--test-threads=1"]);
        command.env(ROLE, role).env(PATH, path).env(NUMBER, number.to_string());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Process { child, lines }
    }

    /// Waits until it has said its first word.
    fn wait(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the process ended by itself");
            if line.starts_with("done ") {
                return line;
            }
        }
    }

    /// Kills it, and returns all that it had said.
    fn kill(mut self, mut said: String) -> Vec<(String, u64)> {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert!(!status.success() && status.code().is_none(), "it ended by itself: {status}");
        self.lines.read_to_string(&mut said).unwrap();
        // The last line may have been cut off.
        let whole = said.rfind('\n').map_or("", |end| &said[..end]);
        let words = whole.lines().filter_map(|line| line.split_once(' '));
        words.filter_map(|(word, number)| Some((word.to_owned(), number.parse().ok()?))).collect()
    }
}

/// A write that changes nothing. Readers do not look at a commit whose last sync is outstanding; the next writer completes
/// it, or finds that there is none.
fn settle(db: &Db) {
    db.feed("nobody").unwrap().acknowledge(0).unwrap();
}

/// What a writer's requests are, with so many calls answered, and with one more.
fn verify_writer(db: &Db, number: u64, answered: u64) {
    settle(db);
    let (mut history, mut model) = (history_of(number), Model::new());
    for _ in 0..answered {
        let call = next_call(&mut history, &model);
        model.apply(&call);
    }
    let before = model.clone();
    let call = next_call(&mut history, &model);
    model.apply(&call);
    let holds = |model: &Model| -> Result<(), String> {
        for (id, kept) in &model.requests {
            let found = db.get(id).map_err(|error| format!("{id}: {error}"))?;
            let mut events = kept.events.clone();
            events.sort_by_key(|event| event.at);
            if (&found.request, &found.events) != (&kept.request, &events) {
                return Err(format!("{id}: {:?}, expected {events:?}", found.events));
            }
        }
        Ok(())
    };
    // Nothing of the call that was not answered, or all of it.
    let absent = |model: &Model| {
        model.requests.keys().all(|id| before.requests.contains_key(id) || db.get(id).is_err())
    };
    let (then, next) = (holds(&before), holds(&model));
    assert!(
        next.is_ok() || then.is_ok() && absent(&model),
        "writer {number} after {answered} answers: {then:?}; with {call:?}: {next:?}"
    );
}

/// The consumer's own tale: numbers without a gap, from the one after the last acknowledged.
fn verify_consumer(db: &Db, before: u64, said: &[(String, u64)]) -> u64 {
    let mut cursor = before;
    let mut got = before;
    for (word, number) in said {
        match word.as_str() {
            "got" => {
                assert_eq!(*number, cursor + 1, "handed out after {cursor} was acknowledged");
                got = *number;
            }
            "acknowledged" => cursor = *number,
            _ => {}
        }
    }
    settle(db);
    let now = db.feed("killed").unwrap().acknowledged().unwrap();
    assert!(now == cursor || now == got, "told {cursor} acknowledged, {got} handed out; the file says {now}");
    now
}

/// Lives on in this process: writes, reads, consumes.
fn live_on(path: &Path, over: &AtomicBool, seed: u64, told: &[AtomicU64; 3]) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let db = Db::open(path, options()).unwrap();
            let (mut history, mut model) = (history_of(seed | 1 << 40), Model::new());
            while !over.load(Ordering::Relaxed) {
                let call = next_call(&mut history, &model);
                let expected = model.apply(&call);
                assert_eq!(perform(&db, &call).unwrap(), expected, "{call:?}");
                told[0].fetch_add(1, Ordering::Relaxed);
            }
        });
        scope.spawn(|| {
            let db = Db::open(path, options().read_only()).unwrap();
            let now = Instant::parse("2026-06-01T00:00:00Z").unwrap();
            let mut seen = 0;
            while !over.load(Ordering::Relaxed) {
                let requests = db.info().unwrap().requests;
                assert!(requests >= seen, "{requests} requests, {seen} were there before");
                seen = requests;
                let page = db.scan(&Query::at(now), Page::first(200)).unwrap();
                assert!(page.rows.is_sorted_by_key(|row| row.due_at));
                told[1].fetch_add(1, Ordering::Relaxed);
            }
        });
        scope.spawn(|| {
            let db = Db::open(path, options()).unwrap();
            let feed = db.feed("lives on").unwrap();
            let mut now = Instant::parse("2026-03-02T00:00:00Z").unwrap();
            let mut last = 0;
            while !over.load(Ordering::Relaxed) {
                now = Instant::from_secs(now.as_secs() + 3_600).unwrap();
                for notice in feed.advance(now).unwrap() {
                    assert_eq!(notice.number, last + 1);
                    last = notice.number;
                }
                feed.acknowledge(last).unwrap();
                told[2].store(last, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
    });
}

#[test]
fn whoever_is_killed_loses_nothing_that_was_answered() {
    if std::env::var(ROLE).is_ok() {
        return;
    }
    let (wanted, seed) = (run::number("SLACLOCK_KILLS", 200), run::first_seed());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    Db::create(&path, policy(1), options()).unwrap().close().unwrap();
    let since = std::time::Instant::now();
    let (over, told) = (AtomicBool::new(false), [const { AtomicU64::new(0) }; 3]);
    let (mut kills, mut answers, mut cursor, mut round) = (0, 0, 0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| live_on(&path, &over, seed, &told));
        // Whatever happens here, the others must be told to end.
        struct End<'a>(&'a AtomicBool);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _end = End(&over);
        let db = Db::open(&path, options()).unwrap();
        let mut dice = Dice::new(seed);
        while kills < wanted {
            let numbers = [0, 1].map(|at| seed * 1_000_000 + round * 2 + at);
            let mut writers = numbers.map(|number| Process::start("writer", &path, number));
            let mut consumer = Process::start("consumer", &path, 0);
            let first = writers.each_mut().map(Process::wait);
            let ready = consumer.wait();
            std::thread::sleep(Duration::from_micros(dice.below(40_000) as u64));
            for ((writer, first), number) in writers.into_iter().zip(first).zip(numbers) {
                let said = writer.kill(first);
                let answered = said.iter().filter(|(word, _)| word == "done").map(|(_, count)| *count).max();
                let answered = answered.expect("it was answered once before it was killed");
                verify_writer(&db, number, answered);
                answers += answered;
                kills += 1;
                std::thread::sleep(Duration::from_micros(dice.below(3_000) as u64));
            }
            let said = consumer.kill(ready);
            cursor = verify_consumer(&db, cursor, &said);
            kills += 1;
            round += 1;
            if round % 16 == 0 {
                assert_eq!(db.verify().unwrap().differences, [], "SLACLOCK_SEED={seed}, round {round}");
            }
        }
    });
    let db = Db::open(&path, options()).unwrap();
    assert_eq!(db.check().unwrap().differences, []);
    let missing = db.get("NOBODY").map_err(|error| error.kind()).err();
    assert_eq!(missing, Some(ErrorKind::NotFound));
    let told = told.map(AtomicU64::into_inner);
    eprintln!(
        "kills: SLACLOCK_SEED={seed}, {:.0} s, {kills} kills after {answers} answers, {cursor} notices consumed by the \
         killed; living beside: {} writes, {} reads, {} notices; {} requests in the end",
        since.elapsed().as_secs_f64(),
        told[0],
        told[1],
        told[2],
        db.info().unwrap().requests
    );
    assert!(
        told.iter().all(|count| *count > 0) && cursor > 0 && answers > kills,
        "{told:?}, {cursor}, {answers}"
    );
}
