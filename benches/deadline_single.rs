//! How long does one deadline take, asked for alone?

#[path = "peers/day_walker.rs"]
mod day_walker;
#[path = "peers/work_clock.rs"]
mod work_clock;

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use day_walker::DayWalker;
use slaclock::{Facts, Instant, Span};
use slaclock_benches::{Goal, Race, Timer, data, report, rounds, size};

const BENCH: &str = "deadline_single";
const TEN_HOURS_S: i64 = 36_000;
/// Calls of a peer that takes a microsecond for each.
const FEW: usize = 2_000;

fn main() {
    report::begin(BENCH);
    let policy = data::policy();
    let receipts: Vec<Instant> = data::receipts(size(100_000), 1)
        .into_iter()
        .map(|at| Instant::from_secs(at).expect("an instant"))
        .collect();
    alone(&policy, &receipts);
    beside(&policy, &receipts);
    on_hold(&policy, &receipts);
    report::write();
}

/// Each call by itself, with criterion's statistics.
fn alone(policy: &slaclock::Policy, receipts: &[Instant]) {
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let mut group = criterion.benchmark_group("one deadline");
    let mut at = (0..receipts.len()).cycle();
    let mut next = || receipts[at.next().unwrap_or(0)];
    for name in ["working", "cutoff", "working_days", "calendar_days", "elapsed", "earliest", "receipt"] {
        let rule = data::rule(policy, name);
        group.bench_function(format!("Rule::due, {name}"), |bench| bench.iter(|| rule.due(next())));
    }
    let calendar = data::calendar(policy);
    group.bench_function("Calendar::add_working_time", |bench| {
        bench.iter(|| calendar.add_working_time(next(), Span::from_secs(TEN_HOURS_S)));
    });
    let clock = policy.clock("working").expect("a clock");
    let facts = Facts::none();
    group.bench_function("Clock::due", |bench| bench.iter(|| clock.due(next(), &facts)));
    group.finish();
}

/// Beside peers. Each call waits for the one before it, as in a program that uses the answer.
fn beside(policy: &slaclock::Policy, receipts: &[Instant]) {
    let calendar = data::calendar(policy);
    let holidays = data::holidays(&calendar);
    let walker = DayWalker::new(chrono_tz::America::New_York, &holidays, &data::HOURS);
    let schedule = work_clock::schedule(&holidays, data::HOURS);
    let rule = data::rule(policy, "working");
    let clock = policy.clock("working").expect("a clock");
    let facts = Facts::none();
    let few = &receipts[..receipts.len().min(FEW)];
    for received in few {
        let due = rule.due(*received).expect("a due instant").as_secs();
        assert_eq!(walker.add(received.as_secs(), TEN_HOURS_S), due, "chrono, received at {received}");
        assert_eq!(work_clock::add(&schedule, received.as_secs(), TEN_HOURS_S), due, "workclock, {received}");
    }
    let chained = |received: &Instant, before: i64| {
        Instant::from_secs(received.as_secs() + (before & 1)).expect("an instant")
    };
    let question = "one deadline, 10 h of working time, each waits for the one before";
    let outcome = Race::new(BENCH, question, "deadline", Timer::Cpu, 0_i64)
        .with("Rule::due", receipts.len(), |before: &mut i64| {
            for received in receipts {
                *before = rule.due(chained(received, *before)).map_or(0, Instant::as_secs);
            }
        })
        .with("Clock::due", receipts.len(), |before| {
            for received in receipts {
                *before = clock.due(chained(received, *before), &facts).map_or(0, Instant::as_secs);
            }
        })
        .with("chrono-tz", few.len(), |before| {
            for received in few {
                *before = walker.add(black_box(chained(received, *before).as_secs()), TEN_HOURS_S);
            }
        })
        .with("workclock", few.len(), |before| {
            for received in few {
                *before = work_clock::add(&schedule, chained(received, *before).as_secs(), TEN_HOURS_S);
            }
        })
        .run(rounds(25));
    outcome
        .absolute("Rule::due", Some(Goal::AtMostNs(15.0)))
        .absolute("Clock::due", Some(Goal::AtMostNs(15.0)))
        .compare("Rule::due", "chrono-tz", Some(Goal::AtLeast(100.0)))
        .compare("Rule::due", "workclock", Some(Goal::AtLeast(20.0)));
}

/// A request is put on hold for an hour, taken up again, and its new due instant asked for.
fn on_hold(policy: &slaclock::Policy, receipts: &[Instant]) {
    let rule = data::rule(policy, "working");
    let countdowns: Vec<_> = receipts.iter().map(|received| rule.countdown(*received)).collect();
    let ends: Vec<(Instant, Instant)> = receipts
        .iter()
        .map(|received| {
            let later = |seconds| received.checked_add(Span::from_secs(seconds)).expect("an instant");
            (later(600), later(4_200))
        })
        .collect();
    Race::new(BENCH, "pause, resume and the new deadline of one request", "request", Timer::Cpu, 0_i64)
        .with("Countdown", receipts.len(), |sum: &mut i64| {
            for (countdown, (begin, end)) in countdowns.iter().zip(&ends) {
                let mut countdown = *countdown;
                countdown.pause(*begin);
                countdown.resume(*end);
                *sum = sum.wrapping_add(countdown.due().map_or(0, Instant::as_secs));
            }
        })
        .with("Rule::due_shifted", receipts.len(), |sum| {
            for (received, (begin, end)) in receipts.iter().zip(&ends) {
                let paused = rule.paused_between(*received, *begin, *end);
                *sum =
                    sum.wrapping_add(rule.due_shifted(*received, paused, None).map_or(0, Instant::as_secs));
            }
        })
        .run(rounds(25))
        .absolute("Countdown", Some(Goal::AtMostNs(30.0)))
        .compare("Countdown", "Rule::due_shifted", None);
}
