//! A year of a busy service. What could go wrong: the file grows without bound, memory does, an answer takes longer every
//! month, a reader that is never closed keeps the space of what it once saw, compaction fails beside it.
//!
//! Requests arrive through a simulated year; each gets ten events in the days after. A reader stays open for the whole
//! year, one more looks through a list row by row for a week at a time, and the file is compacted every quarter while both
//! are open. `SLACLOCK_REQUESTS` sets how many requests there are (2,000 unless set).
#![cfg(feature = "sim")]
#![allow(clippy::print_stderr, reason = "the table is part of the outcome")]

mod sim;

use std::time::{Duration, Instant as Watch};

use sim::dice::Dice;
use sim::policies::policy;
use sim::run;
use slaclock::{Db, Event, EventKind, Instant, OnError, Operation, Options, Page, Query, Request};

const START: i64 = 1_767_225_600; // 2026-01-01
const DAY: i64 = 86_400;
const EVENTS: usize = 10;

/// Bytes of memory that this process has in use.
fn memory_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4_096
}

fn instant(secs: i64) -> Instant {
    Instant::from_secs(secs).unwrap()
}

/// What happens on one day: requests that arrive, and events of those before.
fn operations_of(day: i64, per_day: usize, dice: &mut Dice) -> Vec<Operation> {
    let mut rows = Vec::new();
    for number in 0..per_day {
        let at = instant(START + day * DAY + dice.below(DAY as usize) as i64);
        let priority = *dice.pick(&["high", "medium", "low"]);
        let request =
            Request::new(format!("CASE-{day:03}-{number:05}"), at).priority(priority).customer("acme");
        rows.push(Operation::Submit(request.subject("The lamp at the corner is out again")));
    }
    for back in 1..=EVENTS as i64 {
        for number in 0..per_day {
            if day < back {
                continue;
            }
            let at = instant(START + day * DAY + dice.below(DAY as usize) as i64);
            let kind = match back {
                1 => EventKind::Replied,
                10 => EventKind::Resolved,
                _ => match dice.below(4) {
                    0 => EventKind::Paused { reason: "waiting_customer".into() },
                    1 => EventKind::Resumed,
                    2 => EventKind::CustomerReplied,
                    _ => EventKind::Updated,
                },
            };
            let event = Event::new(kind, at).key(format!("k{back}")).by("ann");
            rows.push(Operation::Record { id: format!("CASE-{:03}-{number:05}", day - back), event });
        }
    }
    rows
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// One month's line.
#[derive(Debug)]
struct Month {
    file: u64,
    memory: u64,
    write: Duration,
    scan: Duration,
    get: Duration,
}

#[test]
fn a_year_of_updates_stays_bounded() {
    let wanted = run::number("SLACLOCK_REQUESTS", 2_000) as usize;
    let per_day = wanted.div_ceil(365);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("year.slaclock");
    // As many folds in a small year as in a large one.
    let fold_after = (wanted as u32 / 2).clamp(500, 65_536);
    let options = slaclock::sim::fold_after(Options::default().cache_bytes(16 << 20), fold_after);
    let db = Db::create(&path, policy(1), options.clone()).unwrap();
    let reader = Db::open(&path, options.clone().read_only()).unwrap();
    let mut dice = Dice::new(run::first_seed());
    let (mut months, mut gained): (Vec<Month>, Vec<(u64, u64, Duration)>) = (Vec::new(), Vec::new());
    let (mut writes, mut scans, mut gets) = (Vec::new(), Vec::new(), Vec::new());
    let since = Watch::now();
    for day in 0..365 {
        let now = instant(START + (day + 1) * DAY);
        let rows = operations_of(day, per_day, &mut dice);
        // Somebody looks through the list, row by row, while the day's work is done.
        let mut coming = rows.chunks(100);
        let mut work = |chunk: &[Operation]| {
            let watch = Watch::now();
            for outcome in db.apply(chunk, OnError::Abort).unwrap() {
                outcome.unwrap();
            }
            writes.push(watch.elapsed());
        };
        reader
            .visit(&Query::at(now), |_| match coming.next() {
                Some(chunk) => {
                    work(chunk);
                    true
                }
                None => false,
            })
            .unwrap();
        coming.for_each(work);
        db.advance(now).unwrap();
        let watch = Watch::now();
        reader.scan(&Query::at(now), Page::first(100)).unwrap();
        scans.push(watch.elapsed());
        let id = format!("CASE-{:03}-{:05}", dice.below(day as usize + 1), dice.below(per_day));
        let watch = Watch::now();
        assert_eq!(reader.get(&id).unwrap().request.id, id);
        gets.push(watch.elapsed());
        if day % 91 == 90 {
            let (before, watch) = (db.info().unwrap().file_bytes, Watch::now());
            db.compact().unwrap();
            gained.push((before, db.info().unwrap().file_bytes, watch.elapsed()));
        }
        if day % 30 == 29 {
            months.push(Month {
                file: db.info().unwrap().file_bytes,
                memory: memory_bytes(),
                write: median(&mut std::mem::take(&mut writes)),
                scan: median(&mut std::mem::take(&mut scans)),
                get: median(&mut std::mem::take(&mut gets)),
            });
        }
    }
    let info = db.info().unwrap();
    let operations = info.requests + info.events;
    eprintln!(
        "long life: {} requests, {operations} operations, {:.0} s",
        info.requests,
        since.elapsed().as_secs_f64()
    );
    eprintln!(
        "| month | file, MiB | memory, MiB | 100 rows written, ms | 100 rows scanned, ms | a request read, ms |"
    );
    eprintln!("| --- | --- | --- | --- | --- | --- |");
    for (month, number) in months.iter().zip(1..) {
        let Month { file, memory, write, scan, get } = month;
        let ms = |time: &Duration| time.as_secs_f64() * 1e3;
        let mib = |bytes: &u64| *bytes as f64 / f64::from(1 << 20);
        let (write, scan, get) = (ms(write), ms(scan), ms(get));
        eprintln!("| {number} | {:.1} | {:.0} | {write:.1} | {scan:.2} | {get:.2} |", mib(file), mib(memory));
    }
    for (before, after, took) in &gained {
        eprintln!("compacted beside open readers: {before} -> {after} bytes in {:.2} s", took.as_secs_f64());
        assert!(after <= before);
    }
    assert_eq!(gained.len(), 4);
    assert_eq!(reader.verify().unwrap().differences, []);
    drop(reader);
    db.compact().unwrap();
    let compact = db.info().unwrap().file_bytes;
    eprintln!("in the end {} bytes, {compact} when compacted with nobody else", info.file_bytes);
    // Twice for the engine's growth by doubling, once more for what a fold replaces; and the least that a file takes.
    assert!(info.file_bytes <= 4 * compact + (4 << 20), "{} bytes, {compact} compacted", info.file_bytes);
    let (first, last) = (&months[1], &months[months.len() - 1]);
    // The log in memory is folded at a bound; indexes grow with the requests.
    let bound = 2 * first.memory + (256 << 20);
    assert!(last.memory <= bound, "{} bytes of memory in month 12, {} in month 2", last.memory, first.memory);
    // Medians, with room for a machine that does much else: ten times more requests would show.
    let slow = |early: Duration, late: Duration| late > early * 8 + Duration::from_millis(50);
    assert!(!slow(first.write, last.write) && !slow(first.scan, last.scan), "{first:?} {last:?}");
    assert!(!slow(first.get, last.get), "{first:?} {last:?}");
}
