//! The whole public interface against plain maps and a slow life. What could go wrong: any answer.
//!
//! Requests lead random lives, recorded one by one, in batches, late and twice; in between everything that can be asked is
//! asked. Content is compared with a model of maps (`sim/model.rs`), deadlines, stages, scans, counts and notices with a
//! simulator that lets time pass five minutes at a step (`clock/simulator.rs`) and knows nothing of the library.
//!
//! `SLACLOCK_OPERATIONS` sets the number of operations (1,000,000 unless set; a row of a batch is one), `SLACLOCK_SEED`
//! where the seeds begin.
#![cfg(feature = "sim")]
#![allow(clippy::print_stderr, reason = "counts and seeds are part of the outcome")]

#[path = "clock/lives.rs"]
#[allow(dead_code, reason = "wild lives are for other tests")]
mod lives;
mod sim;
#[path = "clock/simulator.rs"]
mod simulator;

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sim::dice::Dice;
use sim::model::{Answer, CONSUMERS, Call, Model, perform, text};
use sim::run;
use simulator::{Line, TICK_S};
use slaclock::clock::Stage;
use slaclock::{
    ClockStatus, Db, ErrorKind, Event, EventKind, Instant, OnError, Operation, Page, Policy, Query, Request,
    ThresholdKind,
};

/// Requests of one database.
const REQUESTS: usize = 120;
/// Of so many databases, one has every life lived slowly.
const SLOW: u64 = 24;
const CLOCKS: [&str; simulator::CLOCKS] = [
    "resolution",
    "first_response",
    "next_response",
    "update",
    "vendor",
    "call_back",
    "escalation",
    "assignment",
];

fn policy() -> &'static Policy {
    static POLICY: OnceLock<Policy> = OnceLock::new();
    POLICY.get_or_init(lives::policy)
}

/// A request and what will happen to it.
struct Life {
    request: Request,
    submitted: bool,
    coming: Vec<Event>,
}

fn life(dice: &mut lives::Dice, id: String) -> Life {
    let request = lives::request(dice);
    let mut coming = lives::life(dice, request.received_at);
    for (event, number) in coming.iter_mut().zip(0..) {
        event.key = (number % 4 > 0).then(|| format!("key-{number}"));
    }
    coming.reverse();
    Life { request: Request { id, ..request }, submitted: false, coming }
}

impl Life {
    /// What happens next; now and then an event is late, or comes twice.
    fn next(&mut self, dice: &mut Dice) -> Option<Operation> {
        if !self.submitted {
            self.submitted = true;
            return Some(Operation::Submit(self.request.clone()));
        }
        let last = self.coming.len().checked_sub(1)?;
        let at = if dice.one_in(6) { last.saturating_sub(1) } else { last };
        let id = self.request.id.clone();
        let event = if dice.one_in(12) && self.coming[at].key.is_some() {
            self.coming[at].clone()
        } else {
            self.coming.remove(at)
        };
        Some(Operation::Record { id, event })
    }
}

fn tick(at: Option<Instant>) -> Option<i64> {
    at.map(|at| at.as_secs() / TICK_S)
}

/// `at_risk` is compared elsewhere: the simulator knows no warnings.
fn calm(stage: Stage) -> Stage {
    if stage == Stage::AtRisk { Stage::OnTrack } else { stage }
}

/// The slow life of a request.
fn lived(model: &Model, id: &str, now: Instant) -> Vec<Line> {
    let kept = &model.requests[id];
    let mut events = kept.events.clone();
    events.sort_by_key(|event| event.at);
    simulator::run(&kept.request, &events, now)
}

fn latest(lines: &[Line], clock: usize) -> Option<&Line> {
    lines.iter().rfind(|line| line.clock == clock)
}

/// A clock as the database has it, held against the slow one.
fn same_clock(status: &ClockStatus, line: Option<&Line>, now: Instant) -> Result<(), String> {
    let ahead = tick(status.started_at).is_some_and(|at| at >= now.as_secs() / TICK_S);
    if status.stage == Stage::Idle && status.no_deadline.is_none() && (status.cycle == 0 || ahead) {
        // Not begun: the slow life knows the cycles before it.
        let begun = line.map_or(0, |line| line.number);
        return match begun == status.cycle.saturating_sub(1) || begun == status.cycle {
            true => Ok(()),
            false => Err(format!("{status:?}; the slow life has {begun} cycles")),
        };
    }
    let Some(line) = line else { return Err(format!("{status:?}; in the slow life it has not begun")) };
    let found = (
        status.cycle,
        tick(status.started_at),
        tick(status.due_at),
        tick(status.limit_at),
        status.remaining.map(|span| span.as_secs() / TICK_S),
        tick(status.finished_at),
        calm(status.stage),
    );
    let ended = if line.phase == "paused" { None } else { line.at };
    let expected =
        (line.number, Some(line.started), line.due, line.limit, line.remaining, ended, calm(line.stage));
    if found == expected { Ok(()) } else { Err(format!("{status:?}: {found:?}, expected {expected:?}")) }
}

fn one_request(db: &Db, model: &Model, id: &str, now: Instant) -> Result<(), String> {
    let status = text(db.get_at(id, now))?;
    let lines = lived(model, id, now);
    for (clock, status) in status.clocks.iter().enumerate() {
        same_clock(status, latest(&lines, clock), now).map_err(|why| format!("{id} at {now}: {why}"))?;
    }
    Ok(())
}

/// Everything that scans and counts say at `now`, held against all slow lives.
fn everything(
    db: &Db,
    model: &Model,
    order: &[String],
    now: Instant,
    dice: &mut Dice,
) -> Result<u64, String> {
    let mut expected: Vec<(i64, usize, usize, u32, Stage)> = Vec::new();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (slot, id) in order.iter().enumerate() {
        let lines = lived(model, id, now);
        for clock in 0..simulator::CLOCKS {
            let Some(line) = latest(&lines, clock) else { continue };
            let name = match calm(line.stage) {
                Stage::OnTrack => "on_track",
                Stage::Late => "late",
                Stage::Breached => "breached",
                Stage::Paused => "paused",
                _ => continue,
            };
            *counts.entry(name).or_default() += 1;
            if let (true, Some(due)) = (line.phase == "running", line.due) {
                expected.push((due, slot, clock, line.number, calm(line.stage)));
            }
        }
    }
    expected.sort_by_key(|(due, slot, clock, ..)| (*due, *slot, *clock));
    let limit = 1 + dice.below(40);
    let (mut found, mut page, mut calls) = (Vec::new(), Page::first(limit), 0);
    loop {
        let rows = text(db.scan(&Query::at(now), page))?;
        calls += 1;
        for row in &rows.rows {
            let slot = order.iter().position(|id| *id == row.request).ok_or("a row of an unknown request")?;
            let clock = CLOCKS.iter().position(|name| *name == row.clock).ok_or("an unknown clock")?;
            found.push((row.due_at.as_secs() / TICK_S, slot, clock, row.cycle, calm(row.stage)));
        }
        match rows.next {
            Some(key) => page = Page::after(key, limit),
            None => break,
        }
    }
    if found != expected {
        let first = found.iter().zip(&expected).position(|(found, expected)| found != expected);
        let at = first.unwrap_or(found.len().min(expected.len()));
        return Err(format!("scan at {now}, row {at}: {:?}, expected {:?}", found.get(at), expected.get(at)));
    }
    let said = text(db.counts(now))?;
    let said = [
        ("on_track", said.on_track + said.at_risk),
        ("late", said.late),
        ("breached", said.breached),
        ("paused", said.paused),
    ];
    for (name, count) in said {
        let expected = counts.get(name).copied().unwrap_or(0);
        if count != expected {
            return Err(format!("{count} clocks are {name} at {now}, expected {expected}"));
        }
    }
    Ok(calls + 1)
}

/// The notices that stand at the end, held against the slow lives of those requests whose facts never changed.
fn notices(db: &Db, model: &Model, order: &[String], end: Instant) -> Result<u64, String> {
    text(db.advance(end))?;
    let mut standing: BTreeMap<(String, String, u32, bool, i64), i64> = BTreeMap::new();
    for (notice, number) in text(text(db.feed("nobody"))?.pending(10_000))?.into_iter().zip(1..) {
        if notice.number != number {
            return Err(format!("notice {number} is numbered {}", notice.number));
        }
        if matches!(notice.threshold, ThresholdKind::Late | ThresholdKind::Breached) {
            let broken = notice.threshold == ThresholdKind::Breached;
            let key = (notice.request, notice.clock, notice.cycle, broken, notice.at.as_secs() / TICK_S);
            *standing.entry(key).or_default() += if notice.retracted { -1 } else { 1 };
        }
    }
    if let Some((key, balance)) = standing.iter().find(|(_, balance)| !(0..=1).contains(*balance)) {
        return Err(format!("{key:?} was given {balance} times"));
    }
    standing.retain(|_, balance| *balance == 1);
    let mut compared = 0;
    for id in order {
        let changed = |event: &Event| matches!(event.kind, EventKind::Changed { .. });
        if model.requests[id].events.iter().any(changed) {
            continue;
        }
        let mut expected: Vec<(String, u32, bool, i64)> = Vec::new();
        for line in lived(model, id, end) {
            let until = if line.phase == "paused" { Some(i64::MIN) } else { line.at };
            let until = until.unwrap_or(end.as_secs() / TICK_S);
            let name = CLOCKS[line.clock].to_owned();
            let two_tiers = line.clock == 0 && line.limit.is_some();
            expected.extend(
                line.due.filter(|due| *due < until).map(|due| (name.clone(), line.number, !two_tiers, due)),
            );
            expected.extend(
                line.limit.filter(|limit| *limit < until).map(|limit| (name, line.number, true, limit)),
            );
        }
        expected.sort();
        let found: Vec<_> = standing
            .keys()
            .filter(|(request, ..)| request == id)
            .map(|(_, clock, cycle, broken, at)| (clock.clone(), *cycle, *broken, *at))
            .collect();
        if found != expected {
            return Err(format!("notices of {id}: {found:?}, expected {expected:?}"));
        }
        compared += found.len() as u64;
    }
    Ok(compared)
}

#[derive(Debug, Default)]
struct Tally {
    databases: u64,
    operations: u64,
    writes: u64,
    reads: u64,
    refused: u64,
    lives: u64,
    notices: u64,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.databases += other.databases;
        self.operations += other.operations;
        self.writes += other.writes;
        self.reads += other.reads;
        self.refused += other.refused;
        self.lives += other.lives;
        self.notices += other.notices;
    }
}

fn call(db: &Db, model: &mut Model, call: &Call, tally: &mut Tally) -> Result<(), String> {
    let expected = model.apply(call);
    let answer = text(perform(db, call))?;
    let rows = match &answer {
        Answer::Rows(rows) => rows.len() as u64,
        _ => 1,
    };
    tally.writes += rows;
    tally.operations += rows;
    tally.refused += u64::from(matches!(answer, Answer::Refused(_)));
    if answer == expected { Ok(()) } else { Err(format!("{call:?}: {answer:?}, expected {expected:?}")) }
}

/// One question that a map can answer.
fn ask(db: &Db, model: &Model, order: &[String], dice: &mut Dice) -> Result<(), String> {
    let wrong = |what: String| -> Result<(), String> { Err(what) };
    match dice.below(8) {
        0..=3 if !order.is_empty() => {
            let kept = &model.requests[dice.pick(order)];
            let found = text(db.get(&kept.request.id))?;
            let mut events = kept.events.clone();
            events.sort_by_key(|event| event.at);
            match found.request == kept.request && found.events == events {
                true => Ok(()),
                false => wrong(format!("{found:#?}, expected {kept:#?}")),
            }
        }
        4 => match db.get("NOBODY").map_err(|error| error.kind()) {
            Err(ErrorKind::NotFound) => Ok(()),
            other => wrong(format!("{other:?} for an id that nobody has")),
        },
        5 => {
            let info = text(db.info())?;
            let events = model.requests.values().map(|kept| kept.events.len() as u64).sum();
            let found = (info.requests, info.events, info.clocks, info.advanced_to);
            let requests = model.requests.len() as u64;
            match found == (requests, events, requests * CLOCKS.len() as u64, model.advanced_to) {
                true => Ok(()),
                false => wrong(format!("{info:?}, expected {requests} requests, {events} events")),
            }
        }
        6 => {
            let consumer = dice.pick(&CONSUMERS);
            let feed = text(db.feed(consumer))?;
            let cursor = model.cursors.get(consumer).copied().unwrap_or(0);
            let pending = text(feed.pending(1 + dice.below(20)))?;
            let numbers = pending.iter().zip(cursor + 1..).all(|(notice, number)| notice.number == number);
            match text(feed.acknowledged())? == cursor && numbers {
                true => Ok(()),
                false => wrong(format!("{consumer} acknowledged {cursor}, gets {pending:?}")),
            }
        }
        _ => {
            let policies = text(db.policies())?;
            match policies.len() == 1 && policies[0].name == "everything" {
                true => Ok(()),
                false => wrong(format!("{policies:?}")),
            }
        }
    }
}

/// One database from its first request to its last.
fn database(seed: u64) -> Result<Tally, String> {
    let mut dice = Dice::new(seed);
    let mut tally = Tally { databases: 1, ..Tally::default() };
    let db = text(Db::in_memory(policy()))?;
    let mut model = Model::new();
    let mut fates = lives::Dice::new(seed);
    let mut living: Vec<Life> = (0..REQUESTS).map(|at| life(&mut fates, format!("CASE-{at:03}"))).collect();
    let mut order: Vec<String> = Vec::new();
    let (mut now, mut last) = (Instant::MIN, Instant::MIN);
    while !living.is_empty() {
        let mut rows = Vec::new();
        for _ in 0..1 + if dice.one_in(3) { dice.below(12) } else { 0 } {
            let at = dice.below(living.len());
            match living[at].next(&mut dice) {
                Some(row) => rows.push(row),
                None => drop(living.swap_remove(at)),
            }
            if living.is_empty() {
                break;
            }
        }
        for row in &rows {
            match row {
                Operation::Submit(request) => {
                    order.push(request.id.clone());
                    now = now.max(request.received_at);
                }
                Operation::Record { event, .. } => now = now.max(event.at),
            }
            last = last.max(now);
        }
        let rows = if rows.len() == 1 {
            match rows.remove(0) {
                Operation::Submit(request) => Call::Submit(request),
                Operation::Record { id, event } => Call::Record(id, event),
            }
        } else {
            Call::Apply(rows, OnError::Skip)
        };
        call(&db, &mut model, &rows, &mut tally)?;
        for _ in 0..3 {
            ask(&db, &model, &order, &mut dice)?;
            tally.reads += 1;
            tally.operations += 1;
        }
        if dice.one_in(12) {
            call(&db, &mut model, &Call::Advance(now), &mut tally)?;
            model.learn(&db)?;
            let number = dice.below(model.notices.len() + 2) as u64;
            call(&db, &mut model, &Call::Acknowledge(CONSUMERS[dice.below(3)], number), &mut tally)?;
        }
        if dice.one_in(200) && !order.is_empty() {
            // Deadlines at any instant, also before events that are known already.
            let id = dice.pick(&order).clone();
            let received = model.requests[&id].request.received_at.as_secs();
            let at = received + dice.below(2_000) as i64 * TICK_S;
            one_request(&db, &model, &id, Instant::from_secs(at).map_err(|error| error.to_string())?)?;
            (tally.lives, tally.operations) = (tally.lives + 1, tally.operations + 1);
        }
    }
    // On the grid of the slow life, and past everything that happened.
    let end = Instant::from_secs(last.as_secs() + dice.below(1_000) as i64 * TICK_S);
    let end = end.map_err(|error| error.to_string())?;
    if seed.is_multiple_of(SLOW) {
        tally.operations += everything(&db, &model, &order, end, &mut dice)?;
        tally.notices += notices(&db, &model, &order, end)?;
        tally.lives += 2 * order.len() as u64;
    }
    sim::model::is_sound(&db)?;
    tally.operations += 3;
    Ok(tally)
}

#[test]
fn every_answer_is_that_of_plain_maps_and_slow_lives() {
    let wanted = run::number("SLACLOCK_OPERATIONS", 1_000_000);
    let since = std::time::Instant::now();
    let tally = run::seeds(database, Tally::add, |tally| tally.operations >= wanted);
    eprintln!(
        "model: from SLACLOCK_SEED={}, {:.0} s, {tally:?}",
        run::first_seed(),
        since.elapsed().as_secs_f64()
    );
    assert!(tally.databases < 2 * SLOW || tally.refused > 0 && tally.notices > 0, "{tally:?}");
}

/// The histories of `crash.rs`, longer and without crashes: interruptions, migrations, other zone data, expedites, refusals,
/// waivers and acknowledgements beside all else.
fn long_history(seed: u64) -> Result<Tally, String> {
    let mut tally = Tally { databases: 1, ..Tally::default() };
    let db = text(Db::in_memory(sim::policies::policy(1)))?;
    let (mut model, mut history) = (Model::new(), sim::history::History::new(seed));
    for number in 0..160 {
        let drawn = history.draw(&model);
        call(&db, &mut model, &drawn, &mut tally).map_err(|why| format!("call {number}: {why}"))?;
        model.learn(&db)?;
        // Whoever reproduces a failure wants to know after which call.
        if number % 40 == 39 || std::env::var_os("SLACLOCK_SEED").is_some() {
            let same = model.compare(&db).and_then(|()| sim::model::is_sound(&db));
            same.map_err(|why| {
                let concerned = model.requests.iter().filter(|(id, _)| why.contains(id.as_str()));
                let concerned: Vec<_> = concerned.map(|(_, kept)| kept).collect();
                format!("after call {number}, {drawn:?}: {why}\n{:#?}\n{concerned:?}", model.declared)
            })?;
        }
    }
    Ok(tally)
}

#[test]
fn agreements_are_lived_with_as_plain_maps_say() {
    let wanted = run::number("SLACLOCK_OPERATIONS", 1_000_000) / 100;
    let since = std::time::Instant::now();
    let tally = run::seeds(long_history, Tally::add, |tally| tally.operations >= wanted);
    eprintln!(
        "agreements: from SLACLOCK_SEED={}, {:.0} s, {tally:?}",
        run::first_seed(),
        since.elapsed().as_secs_f64()
    );
    assert!(tally.databases < 10 || tally.refused > 0, "{tally:?}");
}

/// Threads write pairs of requests and their lives, while others read without end: whoever reads sees whole batches.
#[test]
fn threads_write_and_readers_see_whole_batches() {
    const WRITERS: usize = 3;
    let wanted = run::number("SLACLOCK_OPERATIONS", 1_000_000) / 20;
    let db = Db::in_memory(policy()).unwrap();
    let (over, reads, writes) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let seed = run::first_seed();
    let models: Vec<Model> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|thread| {
                let (db, writes) = (&db, &writes);
                scope.spawn(move || written_by(db, seed, thread, wanted / WRITERS as u64, writes))
            })
            .collect();
        for reader in 0..2 {
            let (db, over, reads) = (&db, &over, &reads);
            scope.spawn(move || {
                let mut dice = Dice::new(seed ^ reader);
                while !over.load(Ordering::Relaxed) {
                    reads.fetch_add(read_once(db, &mut dice), Ordering::Relaxed);
                }
            });
        }
        let models = writers.into_iter().map(|writer| writer.join());
        let models: Vec<_> = models.collect();
        over.store(true, Ordering::Relaxed);
        models.into_iter().map(|model| model.expect("a writer")).collect()
    });
    let (mut requests, mut events) = (0, 0);
    for model in &models {
        for (id, kept) in &model.requests {
            let found = db.get(id).unwrap();
            let mut expected = kept.events.clone();
            expected.sort_by_key(|event| event.at);
            assert_eq!((&found.request, &found.events), (&kept.request, &expected), "SLACLOCK_SEED={seed}");
            (requests, events) = (requests + 1, events + expected.len() as u64);
        }
    }
    let info = db.info().unwrap();
    assert_eq!((info.requests, info.events), (requests, events), "SLACLOCK_SEED={seed}");
    assert_eq!(db.verify().unwrap().differences, [], "SLACLOCK_SEED={seed}");
    let (writes, reads) = (writes.into_inner(), reads.into_inner());
    eprintln!("threads: SLACLOCK_SEED={seed}, {writes} written by {WRITERS}, {reads} reads by 2");
    assert!(writes >= wanted && reads > 100, "{writes} writes, {reads} reads");
}

fn written_by(db: &Db, seed: u64, thread: usize, wanted: u64, writes: &AtomicU64) -> Model {
    let mut dice = Dice::new(seed ^ (thread as u64) << 32);
    let mut fates = lives::Dice::new(seed * 7 + thread as u64);
    let (mut model, mut done, mut number) = (Model::new(), 0, 0);
    while done < wanted + 1 {
        let mut pair = [0, 1].map(|at| life(&mut fates, format!("T{thread}-{:05}", number + at)));
        number += 2;
        let both = pair.iter_mut().filter_map(|life| life.next(&mut dice)).collect();
        let mut calls = vec![Call::Apply(both, OnError::Abort)];
        for life in &mut pair {
            let rest = std::iter::from_fn(|| life.next(&mut dice)).collect::<Vec<_>>();
            match rest.len() % 2 {
                0 => calls.push(Call::Apply(rest, OnError::Skip)),
                _ => calls.extend(rest.into_iter().filter_map(|row| match row {
                    Operation::Record { id, event } => Some(Call::Record(id, event)),
                    Operation::Submit(_) => None,
                })),
            }
        }
        for call in calls {
            let expected = model.apply(&call);
            let answer = perform(db, &call).unwrap();
            assert_eq!(answer, expected, "SLACLOCK_SEED={seed}, {call:?}");
            let rows = if let Answer::Rows(rows) = &answer { rows.len() as u64 } else { 1 };
            done += rows;
            writes.fetch_add(rows, Ordering::Relaxed);
        }
    }
    model
}

/// Reads in several ways, and holds the reading open while others write.
fn read_once(db: &Db, dice: &mut Dice) -> u64 {
    let pair = 2 * CLOCKS.len() as u64;
    let now = Instant::from_secs(1_772_409_600 + dice.below(30 * 86_400) as i64).unwrap();
    let clocks = db.info().unwrap().clocks;
    assert_eq!(clocks % pair, 0, "half a batch is seen");
    let end = Instant::parse("2026-12-01T00:00:00Z").unwrap();
    assert_eq!(db.counts(end).unwrap().total() % pair, 0, "half a batch is counted");
    let page = db.scan(&Query::at(end), Page::first(500)).unwrap();
    assert!(page.rows.is_sorted_by_key(|row| row.due_at));
    let mut seen = 0;
    db.visit(&Query::at(now), |row| {
        // Somebody who looks at one row after the other, while the world goes on.
        if seen % 50 == 0 {
            std::thread::yield_now();
            assert!(db.get(&row.request).is_ok());
        }
        seen += 1;
        seen < 2_000
    })
    .unwrap();
    4
}
