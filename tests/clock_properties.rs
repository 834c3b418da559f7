//! What could go wrong: instants that are right in the cases somebody thought of and wrong in the others. Here requests
//! lead random lives, and the derivation is held against a simulator that knows nothing of calendars as tables or of
//! moving deadlines: it lets time pass five minutes at a step and counts (`clock/simulator.rs`). Besides, laws that
//! hold for every life.

#[path = "clock/lives.rs"]
mod lives;
#[path = "clock/simulator.rs"]
mod simulator;

use lives::{Dice, life, policy, request, wild_life};
use slaclock::clock::{Cycle, Phase, Stage, derive, derive_at};
use slaclock::model::{Event, EventKind};
use slaclock::time::{Instant, Span};

/// What both sides say about a cycle.
fn said(cycle: &Cycle, now: Instant) -> String {
    let (phase, at) = match cycle.phase {
        Phase::Running => ("running", None),
        Phase::Paused { since, .. } => ("paused", Some(since)),
        Phase::NoDeadline(_) => ("no deadline", None),
        Phase::Met { at } => ("met", Some(at)),
        Phase::Missed { at } => ("missed", Some(at)),
        Phase::Cancelled { at } => ("cancelled", Some(at)),
        Phase::Finished { at, .. } => ("finished", Some(at)),
    };
    let remaining = match cycle.phase {
        Phase::Paused { remaining, .. } => Some(remaining.as_secs() / simulator::TICK_S),
        _ => None,
    };
    let tick = |at: Option<Instant>| at.map(|at| at.as_secs() / simulator::TICK_S);
    simulator::Line {
        clock: cycle.clock,
        number: cycle.number,
        started: tick(Some(cycle.started_at)).unwrap_or(0),
        phase,
        at: tick(at),
        remaining,
        due: tick(cycle.due_at),
        limit: tick(cycle.limit_at),
        late_by_change: tick(cycle.late_by_change),
        limit_by_change: tick(cycle.limit_by_change),
        stage: match cycle.stage(now) {
            // The simulator does not keep warnings across changes; `at_risk` is compared on its own.
            Stage::AtRisk => Stage::OnTrack,
            stage => stage,
        },
    }
    .to_string()
}

#[test]
fn every_life_is_as_simulated() {
    let policy = policy();
    let mut kinds = std::collections::BTreeMap::<String, usize>::new();
    for seed in 0..6_000_u64 {
        let mut dice = Dice::new(seed);
        let request = request(&mut dice);
        let events = life(&mut dice, request.received_at);
        let now = request.received_at.as_secs() + i64::from(dice.below(8 * 288)) * simulator::TICK_S;
        let now = Instant::from_secs(now).unwrap();
        let timeline = derive_at(&policy, &request, &events, now);
        let started = timeline.cycles.iter().filter(|cycle| cycle.has_started(now));
        let ours: Vec<String> = started.clone().map(|cycle| said(cycle, now)).collect();
        let simulated: Vec<String> =
            simulator::run(&request, &events, now).iter().map(ToString::to_string).collect();
        assert_eq!(ours, simulated, "seed {seed}, now {now}, {request:#?}, {}", lives::told(&events, now));
        for cycle in started {
            let by_change = if cycle.late_by_change.is_some() { " by change" } else { "" };
            *kinds.entry(format!("{} {:?}{by_change}", cycle.clock, cycle.stage(now))).or_default() += 1;
        }
    }
    // The dice must reach every clock in every stage that it can have.
    for clock in 0..simulator::CLOCKS {
        let reached = kinds.keys().filter(|kind| kind.starts_with(&format!("{clock} "))).count();
        assert!(reached >= 4, "clock {clock} reached only {kinds:#?}");
    }
    assert!(kinds.keys().any(|kind| kind.ends_with("by change")), "{kinds:#?}");
}

#[test]
fn the_order_of_arrival_does_not_matter() {
    let policy = policy();
    for seed in 0..2_000_u64 {
        let mut dice = Dice::new(seed);
        let request = request(&mut dice);
        let mut events = life(&mut dice, request.received_at);
        // Events of the same second keep their order of arrival, so here each second has one.
        events.dedup_by_key(|event| event.at);
        let in_order = derive(&policy, &request, &events);
        for _ in 0..4 {
            dice.shuffle(&mut events);
            assert_eq!(derive(&policy, &request, &events), in_order, "seed {seed}");
        }
    }
}

#[test]
fn a_finished_cycle_never_changes() {
    let policy = policy();
    for seed in 0..2_000_u64 {
        let mut dice = Dice::new(seed);
        let request = request(&mut dice);
        let events = life(&mut dice, request.received_at);
        let all = derive(&policy, &request, &events);
        for event in &events {
            let until = derive_at(&policy, &request, &events, event.at);
            let known = events.iter().filter(|other| other.at <= event.at).cloned().collect::<Vec<_>>();
            assert_eq!(until, derive(&policy, &request, &known), "seed {seed}");
            for finished in until.cycles.iter().filter(|cycle| !cycle.is_open()) {
                let later = all.cycles_of(finished.clock).get(finished.number as usize - 1);
                assert_eq!(later, Some(finished), "seed {seed}");
            }
        }
    }
}

#[test]
fn pausing_never_makes_anything_due_earlier() {
    let policy = policy();
    for seed in 0..2_000_u64 {
        let mut dice = Dice::new(seed);
        let request = request(&mut dice);
        let plain = derive(&policy, &request, &[]);
        let mut events: Vec<Event> = Vec::new();
        let mut at = request.received_at;
        for _ in 0..dice.below(6) {
            let reason = if dice.below(2) == 0 { "waiting_customer" } else { "waiting_vendor" };
            at = at.checked_add(Span::from_secs(i64::from(dice.below(30_000)))).unwrap();
            events.push(Event::new(EventKind::Paused { reason: reason.into() }, at));
            at = at.checked_add(Span::from_secs(i64::from(dice.below(90_000)))).unwrap();
            events.push(Event::new(EventKind::Resumed, at));
        }
        let paused = derive(&policy, &request, &events);
        // A clock armed by another may begin in a night instead of a day, and be due at the same time of day.
        let own = |cycle: &&Cycle| !cycle.armed;
        for (before, after) in plain.cycles.iter().filter(own).zip(paused.cycles.iter().filter(own)) {
            assert_eq!((before.clock, before.number), (after.clock, after.number), "seed {seed}");
            assert!(before.due_at <= after.due_at, "seed {seed}: {before:#?} {after:#?}");
            assert!(before.limit_at <= after.limit_at, "seed {seed}: {before:#?} {after:#?}");
            let warnings = before.warnings.iter().zip(&after.warnings);
            assert!(warnings.clone().all(|(before, after)| before.at <= after.at), "seed {seed}");
        }
    }
}

#[test]
fn thresholds_agree_with_the_stage() {
    let policy = policy();
    for seed in 0..2_000_u64 {
        let mut dice = Dice::new(seed);
        let request = request(&mut dice);
        let events = life(&mut dice, request.received_at);
        let timeline = derive(&policy, &request, &events);
        for cycle in &timeline.cycles {
            let mut last = cycle.started_at.max(timeline.last_event_at);
            if !cycle.is_open() {
                let until = cycle.finished_at().unwrap();
                assert!(cycle.thresholds().all(|threshold| threshold.passed(until)), "seed {seed}");
                continue;
            }
            // Once begun, a running clock's stage only gets worse.
            let mut stages = Vec::new();
            for _ in 0..40 {
                last = last.checked_add(Span::from_secs(i64::from(dice.below(20_000)))).unwrap();
                stages.push(cycle.stage(last));
                let passed = cycle.thresholds().filter(|threshold| threshold.passed(last)).count();
                let calm = matches!(cycle.stage(last), Stage::OnTrack | Stage::Idle | Stage::Paused);
                assert!(calm || passed > 0, "seed {seed}: {cycle:#?}");
                assert!(cycle.stage(last) != Stage::OnTrack || passed == 0, "seed {seed}: {cycle:#?}");
            }
            assert!(stages.is_sorted(), "seed {seed}: {stages:?}");
        }
    }
}

#[test]
fn no_sequence_of_events_is_too_strange() {
    let policy = policy();
    for seed in 0..3_000_u64 {
        let mut dice = Dice::new(seed);
        let mut request = request(&mut dice);
        if dice.below(3) == 0 {
            request.received_at = dice.instant();
        }
        let events = wild_life(&mut dice);
        let timeline = derive(&policy, &request, &events);
        for cycle in &timeline.cycles {
            for now in [Instant::MIN, Instant::MAX, dice.instant()] {
                let _ = (cycle.stage(now), cycle.remaining(&policy, now), cycle.thresholds().count());
            }
        }
        let _ = derive_at(&policy, &request, &events, dice.instant());
    }
}
