//! The feed over the whole real ServiceNow log, as it would have been lived: events arrive in the order in which they
//! happened, one in ten some days late, and the feed is advanced at random instants, often before events that are still
//! to come, sometimes beyond events that are recorded later. The notices that stand at the end must be those that one
//! scan at the end gives.
#![cfg(feature = "import")]
#![allow(clippy::print_stdout, reason = "the seed must be seen")]

use std::collections::BTreeMap;

use slaclock::import::{Entry, ImportOptions, Mapping, import};
use slaclock::{Db, Instant, OnError, Operation, Policy, ThresholdKind};

const LOG: &str = "examples/data/uci498-incident-events-opened-to-2016-04-30.csv.gz";
const DAY_S: u64 = 86_400;

/// xorshift64*: small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit
    }
}

/// Every submit and event with the instant at which it arrives.
fn arrivals(entries: &[Entry], dice: &mut Dice) -> Vec<(u64, Operation)> {
    let mut arrivals = Vec::new();
    for entry in entries {
        let received = entry.request.received_at.as_secs() as u64;
        arrivals.push((received, Operation::Submit(entry.request.clone())));
        let (mut last, mut late) = (None, 0);
        for event in &entry.events {
            // Events of the same second keep their order of arrival, so they are late together.
            if last.replace(event.at) != Some(event.at) {
                late = if dice.below(10) == 0 { dice.below(5 * DAY_S) } else { 0 };
            }
            let id = entry.request.id.clone();
            arrivals.push((event.at.as_secs() as u64 + late, Operation::Record { id, event: event.clone() }));
        }
    }
    // Stable, so that a request is submitted before events of the same second.
    arrivals.sort_by_key(|(at, _)| *at);
    arrivals
}

type Key = (String, String, u32, ThresholdKind, Instant, bool);

/// The notices that were given and not taken back; none may be given twice, and numbers have no gaps.
fn standing(db: &Db) -> (BTreeMap<Key, i64>, u64) {
    let feed = db.feed("reader").unwrap();
    let (mut standing, mut last) = (BTreeMap::<Key, i64>::new(), 0);
    loop {
        let page = feed.pending(10_000).unwrap();
        if page.is_empty() {
            break;
        }
        for notice in page {
            assert_eq!(notice.number, last + 1);
            last = notice.number;
            let key =
                (notice.request, notice.clock, notice.cycle, notice.threshold, notice.at, notice.by_change);
            let balance = standing.entry(key).or_default();
            *balance += if notice.retracted { -1 } else { 1 };
            assert!((0..=1).contains(balance), "notice {last} is given or taken back twice");
        }
        feed.acknowledge(last).unwrap();
    }
    standing.retain(|_, balance| *balance != 0);
    (standing, last)
}

#[test]
fn any_sequence_of_scans_over_the_log_gives_what_one_scan_at_the_end_gives() {
    let seed = std::env::var("SLACLOCK_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        std::time::UNIX_EPOCH.elapsed().map_or(1, |elapsed| elapsed.as_nanos() as u64 | 1)
    });
    println!("SLACLOCK_SEED={seed}");
    let mut dice = Dice(seed | 1);
    let mapping = Mapping::load("examples/mappings/servicenow.toml").unwrap();
    let policy = Policy::load("examples/policies/servicenow.toml").unwrap();
    let mut entries: Vec<Entry> = Vec::new();
    import(&mapping, LOG, &mut entries, ImportOptions::default()).unwrap();

    let once = Db::in_memory(&policy).unwrap();
    import(&mapping, LOG, &mut &once, ImportOptions::default()).unwrap();
    once.advance(Instant::MAX).unwrap();
    let (expected, given_once) = standing(&once);
    assert_eq!(expected.len() as u64, given_once);

    let often = Db::in_memory(&policy).unwrap();
    let arrivals = arrivals(&entries, &mut dice);
    let (mut from, mut scans) = (0, 0);
    while from < arrivals.len() {
        let until = arrivals.len().min(from + 1 + dice.below(1_500) as usize);
        let operations: Vec<Operation> =
            arrivals[from..until].iter().map(|(_, operation)| operation.clone()).collect();
        often.apply(&operations, OnError::Abort).unwrap();
        let now = arrivals[until - 1].0;
        let scan = match dice.below(4) {
            0 => now.saturating_sub(dice.below(3 * DAY_S)),
            1 => now + dice.below(3 * DAY_S),
            _ => now,
        };
        often.advance(Instant::from_secs(scan as i64).unwrap()).unwrap();
        (from, scans) = (until, scans + 1);
    }
    often.advance(Instant::MAX).unwrap();
    let (found, given) = standing(&often);
    println!("{scans} scans gave {given} notices, of which {} stand", found.len());
    assert!(given > given_once, "nothing was ever taken back: the late events did not matter");
    assert!(found == expected, "{} notices stand, {} are expected", found.len(), expected.len());
    assert_eq!(often.verify().unwrap().differences, []);
}
