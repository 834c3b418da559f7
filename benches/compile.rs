//! How long does it take until the first deadline can be asked for, and how much memory do the answers need?

use std::hint::black_box;

use slaclock::calendar::{Calendar, CalendarSpec, Hours};
use slaclock::zone::TzData;
use slaclock::{Instant, Policy, Span, TimeOfDay};
use slaclock_benches::{Goal, Race, Timer, data, report, rounds};

const BENCH: &str = "compile";
const MS: f64 = 1e6;

fn main() {
    report::begin(BENCH);
    let policy = data::policy();
    let calendar = data::calendar(&policy);
    let spec = calendar.spec().clone();
    let tz = TzData::bundled();
    let mut plain = CalendarSpec::new("plain", "Europe/Moscow");
    for weekday in 0..5 {
        let time = |text| TimeOfDay::parse(text).expect("a time of day");
        plain.week[weekday].push(Hours { opens: time("09:00"), closes: time("18:00") });
    }
    let promise =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/policies/promise.toml"))
            .expect("the example is there");
    let (first, last) = (Instant::from_secs(data::FIRST_S), Instant::from_secs(data::FIRST_S + data::YEAR_S));
    let (first, last) = (first.expect("an instant"), last.expect("an instant"));
    let compiled = |spec: &CalendarSpec| Calendar::compile(black_box(spec.clone()), &tz).expect("a calendar");
    let outcome = Race::new(BENCH, "from text to tables", "run", Timer::Cpu, ())
        .with("calendar of New York, checked", 1, |()| {
            black_box(compiled(&spec));
        })
        .with("calendar of New York, and a first deadline", 1, |()| {
            let calendar = compiled(&spec);
            black_box(calendar.add_working_time(first, Span::from_hours(10)).expect("a deadline"));
        })
        .with("calendar of New York, with its tables of 1970-2099", 1, |()| {
            let calendar = compiled(&spec);
            calendar.prepare();
            black_box(calendar);
        })
        .with("calendar of Moscow, no holidays, with its tables", 1, |()| {
            let calendar = compiled(&plain);
            calendar.prepare();
            black_box(calendar);
        })
        .with("policy of these benchmarks", 1, |()| {
            black_box(Policy::from_toml(black_box(data::POLICY)).expect("a policy"));
        })
        .with("policy of the reference promise", 1, |()| {
            black_box(Policy::from_toml(black_box(&promise)).expect("a policy"));
        })
        .with("table of a cut-off rule, 1 year", 1, |()| {
            let rule = data::rule(&policy, "cutoff").clone();
            rule.prepare(first, last);
            black_box(rule);
        })
        .run(rounds(25));
    outcome
        .absolute("calendar of New York, checked", None)
        .absolute("calendar of New York, and a first deadline", Some(Goal::AtMostNs(0.3 * MS)))
        .absolute("calendar of New York, with its tables of 1970-2099", None)
        .absolute("calendar of Moscow, no holidays, with its tables", None)
        .absolute("policy of these benchmarks", Some(Goal::AtMostNs(4.0 * MS)))
        .absolute("policy of the reference promise", Some(Goal::AtMostNs(4.0 * MS)))
        .absolute("table of a cut-off rule, 1 year", None);
    let kib = |bytes: usize| bytes as f64 / 1024.0;
    calendar.prepare();
    let size = kib(calendar.table_size());
    report::figure(
        BENCH,
        "memory of a calendar, 1970-2099",
        "tables",
        size,
        "KiB",
        Some(Goal::AtMost(1228.8)),
    );
    for (years, end) in [(20, data::FIRST_S + 20 * data::YEAR_S), (130, Instant::MAX.as_secs())] {
        for name in ["working", "cutoff", "receipt"] {
            let mut rule = data::rule(&policy, name).clone();
            rule.backstop = None;
            let first = if years == 130 { Instant::MIN } else { first };
            rule.prepare(first, Instant::from_secs(end).expect("an instant"));
            let question = format!("memory of a rule, {years} years");
            report::figure(BENCH, &question, name, kib(rule.tables.size()), "KiB", Some(Goal::AtMost(100.0)));
        }
    }
    report::write();
}
