//! How long does a column of deadlines take, beside copying it, and beside working them out day by day?

#[path = "peers/day_walker.rs"]
mod day_walker;
#[path = "peers/work_clock.rs"]
mod work_clock;

use std::hint::black_box;

use day_walker::DayWalker;
use slaclock::policy::Rule;
use slaclock_benches::{Goal, Race, Timer, data, report, rounds, size};

const BENCH: &str = "deadline_batch";
/// Peers that take a microsecond for each item get so many of them.
const FEW: usize = 20_000;
const TEN_HOURS_S: i64 = 36_000;

type Column = Vec<i64>;

fn main() {
    // More than the caches hold, as the goals say.
    let count = size(10_000_000);
    let policy = data::policy();
    report::begin(BENCH);
    let working = data::rule(&policy, "working");
    let columns = [
        ("random within 1 year", data::receipts(count, 1), 0.55),
        ("random within 20 years", data::receipts(count, 20), 0.55),
        ("in order of time, 1 year", data::sorted_receipts(count, 1), 1.0),
        ("in order of time, 20 years", data::sorted_receipts(count, 20), 1.0),
    ];
    for (what, receipts, goal) in &columns {
        let question = format!("{count} deadlines of one rule, {what}");
        beside_memcpy(&question, receipts, working).compare("due_many", "memcpy", Some(Goal::AtLeast(*goal)));
    }
    for (what, receipts, goal) in
        [("random within 1 year", &columns[0].1, 0.35), ("in order of time, 1 year", &columns[2].1, 0.6)]
    {
        differing(&policy, what, receipts, goal);
    }
    kinds(&policy, &columns[1].1);
    day_by_day(&policy, &columns[0].1);
    growth(working, count);
    report::write();
}

/// A race of one rule against copying the column.
fn beside_memcpy(question: &str, receipts: &[i64], rule: &Rule) -> slaclock_benches::Outcome<Column> {
    let count = receipts.len();
    Race::new(BENCH, question, "deadline", Timer::Cpu, vec![0; count])
        .with("due_many", count, |out: &mut Column| {
            rule.due_many(black_box(receipts), out).expect("all are instants");
            black_box(out);
        })
        .with("memcpy", count, |out| {
            out.copy_from_slice(black_box(receipts));
            black_box(out);
        })
        .run(rounds(15))
}

/// A span of its own for each item, and a rule of its own as matched by priority.
fn differing(policy: &slaclock::Policy, what: &str, receipts: &[i64], goal: f64) {
    let count = receipts.len();
    let calendar = data::calendar(policy);
    let mut random = data::Random::new(7);
    let spans: Vec<i64> = receipts.iter().map(|_| 1_800 * (1 + random.below(80))).collect();
    let rules: Vec<u32> = receipts.iter().map(|_| random.below(4) as u32).collect();
    let (same, mixed) = (policy.clock("matched").expect("a clock"), policy.clock("mixed").expect("a clock"));
    let question = format!("{count} deadlines, a target of its own for each, {what}");
    let outcome = Race::new(BENCH, &question, "deadline", Timer::Cpu, vec![0; count])
        .with("spans", count, |out: &mut Column| {
            calendar.add_working_time_many(black_box(receipts), &spans, out).expect("all are instants");
        })
        .with("rules, working time", count, |out| {
            same.due_many_by_rule(black_box(receipts), &rules, out).expect("all are instants");
        })
        .with("rules, all kinds", count, |out| {
            mixed.due_many_by_rule(black_box(receipts), &rules, out).expect("all are instants");
        })
        .with("memcpy", count, |out| {
            out.copy_from_slice(black_box(receipts));
            black_box(out);
        })
        .run(rounds(15));
    for name in ["spans", "rules, working time", "rules, all kinds"] {
        outcome.compare(name, "memcpy", Some(Goal::AtLeast(goal)));
    }
}

/// Every other kind of target beside the working-time rule.
fn kinds(policy: &slaclock::Policy, receipts: &[i64]) {
    let count = receipts.len();
    let names = ["cutoff", "working_days", "calendar_days", "elapsed", "earliest", "latest", "receipt"];
    let rules: Vec<&Rule> = names.iter().map(|name| data::rule(policy, name)).collect();
    let working = data::rule(policy, "working");
    let question = format!("{count} deadlines, other kinds of target, random within 20 years");
    let mut race = Race::new(BENCH, &question, "deadline", Timer::Cpu, vec![0; count]).with(
        "working",
        count,
        |out: &mut Column| working.due_many(black_box(receipts), out).expect("all are instants"),
    );
    for (name, rule) in names.iter().zip(&rules) {
        race = race.with(name, count, |out| {
            rule.due_many(black_box(receipts), out).expect("all are instants");
        });
    }
    let outcome = race.run(rounds(15));
    for name in names {
        // Within 1.3 times of the working-time rule.
        outcome.compare(name, "working", Some(Goal::AtLeast(1.0 / 1.3)));
    }
}

/// Beside peers that walk from day to day.
fn day_by_day(policy: &slaclock::Policy, receipts: &[i64]) {
    let holidays = data::holidays(&data::calendar(policy));
    let walker = DayWalker::new(chrono_tz::America::New_York, &holidays, &data::HOURS);
    let schedule = work_clock::schedule(&holidays, data::HOURS);
    let rule = data::rule(policy, "working");
    let (count, few) = (receipts.len(), &receipts[..receipts.len().min(FEW)]);
    let mut due = vec![0; few.len()];
    rule.due_many(few, &mut due).expect("all are instants");
    for (received, due) in few.iter().zip(due) {
        assert_eq!(walker.add(*received, TEN_HOURS_S), due, "chrono, received at {received}");
        assert_eq!(
            work_clock::add(&schedule, *received, TEN_HOURS_S),
            due,
            "workclock, received at {received}"
        );
    }
    let question = format!("{count} deadlines of one rule, random within 1 year, beside day walking");
    Race::new(BENCH, &question, "deadline", Timer::Cpu, vec![0; count])
        .with("due_many", count, |out: &mut Column| {
            rule.due_many(black_box(receipts), out).expect("all are instants");
        })
        .with("chrono-tz", few.len(), |out| {
            for (received, out) in few.iter().zip(out) {
                *out = walker.add(black_box(*received), TEN_HOURS_S);
            }
        })
        .with("workclock", few.len(), |out| {
            for (received, out) in few.iter().zip(out) {
                *out = work_clock::add(&schedule, black_box(*received), TEN_HOURS_S);
            }
        })
        .run(rounds(15))
        .compare("due_many", "chrono-tz", Some(Goal::AtLeast(400.0)))
        .compare("due_many", "workclock", Some(Goal::AtLeast(100.0)));
}

/// The time of one deadline as the column grows.
fn growth(rule: &Rule, count: usize) {
    let sizes = [10_000, 100_000, 1_000_000, 10_000_000];
    for size in sizes.into_iter().filter(|size| *size <= count) {
        let receipts = data::receipts(size, 1);
        let question = format!("growth: {size} deadlines of one rule, random within 1 year");
        beside_memcpy(&question, &receipts, rule).compare("due_many", "memcpy", None);
    }
}
