//! Columns of instants, and the tables behind them, against one instant after the other, counted out.
//!
//! What could go wrong: a piece of a table that ends a second too late, a day that is taken for another, an edge of the
//! years a table covers, a block with one receipt that is no instant, a sorted block that is not inside one piece. Set
//! `SLACLOCK_SEED` to repeat a run; every failure prints it.
#![allow(clippy::print_stdout, reason = "the seed must be seen")]

#[path = "support/random.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod random;
#[path = "support/reference.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod reference;

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use random::{Random, World, seed, worlds};
use slaclock::calendar::{Calendar, CalendarSpec, ExtraDay, Hours};
use slaclock::error::ErrorKind;
use slaclock::model::Facts;
use slaclock::policy::{NO_RULE, Policy, Rule};
use slaclock::target::{DayTime, NO_DEADLINE, Paused, Target};
use slaclock::time::{Instant, Span, TimeOfDay};
use slaclock::zone::TzData;

const END: i64 = 4_102_444_800;
const DAY: i64 = 86_400;

fn at(seconds: i64) -> Instant {
    Instant::from_secs(seconds).expect("a supported instant")
}

/// The due instant as the rule counts it out, which never looks into a table.
fn counted(rule: &Rule, received: i64) -> i64 {
    rule.due_shifted(at(received), Paused::default(), None).map_or(NO_DEADLINE, Instant::as_secs)
}

fn counted_limit(rule: &Rule, received: i64) -> i64 {
    let limit = rule.limit_shifted(at(received), Paused::default(), None);
    limit.and_then(Result::ok).map_or(NO_DEADLINE, Instant::as_secs)
}

/// Receipts within some days from `first` on: anywhere, and around every instant at which something happens.
fn receipts(world: &World, rule: &Rule, first: i64, days: i64, random: &mut Random) -> Vec<i64> {
    let mut receipts: Vec<i64> = (0..150).map(|_| first + random.below(days * DAY)).collect();
    let mut near = Vec::new();
    for received in receipts.iter().step_by(10) {
        near.extend(world.edges_near(at(*received), random).into_iter().map(Instant::as_secs));
        // What falls due may be where something happens to what comes in.
        near.extend(Some(counted(rule, *received)).filter(|due| *due != NO_DEADLINE));
        near.push(received / 1800 * 1800);
        near.push(received / DAY * DAY);
    }
    receipts.extend(near.into_iter().flat_map(|at| [at - 1, at, at + 1]));
    receipts.retain(|received| (0..END).contains(received));
    receipts
}

#[test]
fn columns_and_tables_say_what_the_count_says() {
    let seed = seed();
    println!("SLACLOCK_SEED={seed}");
    let mut random = Random::new(seed);
    let (mut compared, mut with_limit) = (0, 0);
    for world in worlds(&mut random) {
        for _ in 0..8 {
            let case = world.case(&mut random);
            let rule = case.rule;
            let days = 20 + random.below(60);
            let first = case.received.as_secs().min(END - days * DAY);
            let mut receipts = receipts(&world, &rule, first, days, &mut random);
            if random.one_in(2) {
                receipts.sort_unstable();
            }
            let wanted: Vec<i64> = receipts.iter().map(|received| counted(&rule, *received)).collect();
            let limits: Vec<i64> = receipts.iter().map(|received| counted_limit(&rule, *received)).collect();
            let check = |when: &str, found: &[i64], wanted: &[i64]| {
                for ((received, found), wanted) in receipts.iter().zip(found).zip(wanted) {
                    assert_eq!(
                        found,
                        wanted,
                        "SLACLOCK_SEED={seed}, {when}: {} {:?} {:?} roll {} received {}",
                        world.zone,
                        rule.target,
                        rule.receipt,
                        rule.roll_forward,
                        at(*received)
                    );
                }
            };
            let mut out = vec![7; receipts.len()];
            rule.due_many(&receipts, &mut out).expect("supported receipts");
            check("due_many before any table", &out, &wanted);
            rule.prepare(at(first), at(first + days * DAY - 1));
            rule.due_many(&receipts, &mut out).expect("supported receipts");
            check("due_many", &out, &wanted);
            // Long enough that what the table knows is copied.
            let long: Vec<i64> = receipts.iter().copied().cycle().take(33_000).collect();
            let mut long_out = vec![7; long.len()];
            rule.due_many(&long, &mut long_out).expect("supported receipts");
            for found in long_out.chunks_exact(receipts.len()) {
                check("due_many, a long column", found, &wanted);
            }
            let single = |received: &i64| rule.due(at(*received)).map_or(NO_DEADLINE, Instant::as_secs);
            check("due", &receipts.iter().map(single).collect::<Vec<_>>(), &wanted);
            rule.limit_many(&receipts, &mut out).expect("supported receipts");
            check("limit_many", &out, &limits);
            compared += receipts.len();
            with_limit += usize::from(rule.backstop.is_some());
        }
    }
    assert!(
        compared > 100_000 && with_limit > 100,
        "{compared} receipts, {with_limit} rules with a backstop"
    );
}

#[test]
fn a_table_of_the_whole_range_is_right_around_every_breakpoint() {
    let mut random = Random::new(seed());
    for (index, world) in worlds(&mut random).into_iter().enumerate().filter(|(index, _)| index % 9 == 0) {
        let rules: Vec<Rule> = (0..40).map(|_| world.case(&mut random).rule).collect();
        let simple =
            |rule: &&Rule| !matches!(rule.target, Target::None | Target::Promised | Target::Elapsed(_));
        let rule = rules.iter().find(simple).expect("one of many");
        rule.prepare(at(0), at(END - 1));
        // The table keeps what it found out about every day; sample days all over, each second-breakpoint by bisection.
        for _ in 0..40 {
            let day = random.below(END / DAY - 2) * DAY;
            for step in 0..96 {
                let (low, high) = (day + step * 900, day + (step + 1) * 900);
                let mut around = vec![low, low + 1, low + 2, high - 1, high];
                let slope = |t: i64| counted(rule, t + 1).wrapping_sub(counted(rule, t));
                if slope(low + 1) != slope(high - 2) {
                    let (mut from, mut to) = (low + 1, high - 2);
                    while to - from > 1 {
                        let middle = (from + to) / 2;
                        if slope(middle) == slope(low + 1) { from = middle } else { to = middle }
                    }
                    around.extend([from - 1, from, from + 1, to, to + 1, to + 2]);
                }
                for received in around {
                    let found = rule.due(at(received)).map_or(NO_DEADLINE, Instant::as_secs);
                    assert_eq!(
                        found,
                        counted(rule, received),
                        "world {index}, {:?}, {}",
                        rule.target,
                        at(received)
                    );
                }
            }
        }
    }
}

#[test]
fn a_column_over_many_years_grows_its_table_and_keeps_bad_receipts_apart() {
    let mut random = Random::new(seed());
    let world = worlds(&mut random).into_iter().find(|world| world.day_shifts).expect("an office");
    let rules = (0..60).map(|_| world.case(&mut random).rule);
    let rule =
        rules.into_iter().find(|rule| matches!(rule.target, Target::Cutoff { .. })).expect("one of many");
    // Enough of them that a table pays, from decade to decade, with a hole in every seventh block.
    let mut receipts = Vec::new();
    for decade in 0..13 {
        let first = decade * 3_652 * DAY;
        receipts.extend((0..20_000).map(|_| first + random.below(3_000 * DAY)));
    }
    for block in (0..receipts.len()).step_by(7 * 64) {
        receipts[block + 5] = *random.pick(&[i64::MIN, -1, END, i64::MAX]);
    }
    let mut out = vec![7; receipts.len()];
    for _ in 0..3 {
        let error = rule.due_many(&receipts, &mut out).expect_err("some are no instants");
        assert_eq!(error.kind(), ErrorKind::OutOfRange);
        assert!(error.message().starts_with("receipt 5: "), "{error}");
        for (received, found) in receipts.iter().zip(&out) {
            let wanted = if (0..END).contains(received) { counted(&rule, *received) } else { NO_DEADLINE };
            assert_eq!(*found, wanted, "received at {received}");
        }
    }
    assert!(rule.tables.size() > 0, "a table was made");
    let changed = Rule { target: Target::Elapsed(Span::from_hours(1)), ..rule };
    changed.due_many(&receipts[..5], &mut out[..5]).expect("supported receipts");
    assert_eq!(out[0], receipts[0] + 3_600, "tables of another target are not used");
}

#[test]
fn single_instants_are_those_of_the_count_while_threads_make_days_known() {
    let seed = seed();
    println!("SLACLOCK_SEED={seed}");
    let mut random = Random::new(seed);
    let mut learned = 0;
    for world in worlds(&mut random) {
        let case = world.case(&mut random);
        let mut rule = case.rule;
        if random.one_in(3) {
            // On no grid.
            rule.target = Target::Working(Span::from_secs(86_400 + random.below(10_000)));
        }
        // Some days far apart and out of order, the first and the last of the range among them, each asked again and again.
        let mut days: Vec<i64> = (0..6).map(|_| random.below(END / DAY)).collect();
        days.extend([0, END / DAY - 1, 0, END / DAY - 2]);
        let mut receipts: Vec<i64> = (0..300).map(|_| random.pick(&days) * DAY + random.below(DAY)).collect();
        receipts.extend(days.iter().flat_map(|day| [day * DAY, day * DAY + 1, (day + 1) * DAY - 1]));
        let wanted: Vec<i64> = receipts.iter().map(|received| counted(&rule, *received)).collect();
        let limits: Vec<i64> = receipts.iter().map(|received| counted_limit(&rule, *received)).collect();
        let ask = |turn: usize| {
            for step in 0..2 * receipts.len() {
                let item = (step + turn * 67) % receipts.len();
                let received = at(receipts[item]);
                let due = rule.due(received).map_or(NO_DEADLINE, Instant::as_secs);
                assert_eq!(due, wanted[item], "SLACLOCK_SEED={seed}: {:?} received {received}", rule.target);
                let limit = rule.limit(received).and_then(Result::ok).map_or(NO_DEADLINE, Instant::as_secs);
                assert_eq!(
                    limit, limits[item],
                    "SLACLOCK_SEED={seed}: {:?} received {received}",
                    rule.backstop
                );
            }
        };
        std::thread::scope(|scope| {
            let ask = &ask;
            for turn in 0..3 {
                scope.spawn(move || ask(turn));
            }
        });
        learned += usize::from(rule.tables.size() > 0);
    }
    assert!(learned > 20, "{learned} rules have made tables");
}

#[test]
fn one_deadline_makes_no_table() {
    let mut random = Random::new(seed());
    let world = worlds(&mut random).into_iter().next().expect("a world");
    let rule = world.case(&mut random).rule;
    let _ = rule.due(at(1_400_000_000));
    assert_eq!(rule.tables.size(), 0);
}

#[test]
fn a_calendar_without_two_dates_alike_is_counted_where_its_shapes_run_out() {
    let mut spec = CalendarSpec::new("varied", "Europe/Berlin");
    let date = |day: u64| NaiveDate::default() + Days::new(day);
    for day in 0..700_u32 {
        let time = |seconds| TimeOfDay::from_secs(seconds).expect("a time of day");
        // Days on ever finer grids, and some on none.
        let step = [1_800, 900, 300, 60, 61][day as usize % 5];
        let hours =
            Hours { opens: time(28_800 + day * step % 7_200), closes: time(61_200 + day * step % 3_600) };
        spec.extra_days.push(ExtraDay { date: date(10_000 + u64::from(day)), hours: vec![hours] });
    }
    let calendar = Arc::new(Calendar::compile(spec, &TzData::bundled()).expect("a calendar"));
    let mut random = Random::new(seed());
    for target in [
        Target::Working(Span::from_hours(9)),
        Target::WorkingDays { days: 2, at: DayTime::Close },
        Target::Earliest(vec![Target::Working(Span::from_hours(20)), Target::Elapsed(Span::from_hours(48))]),
    ] {
        let rule = Rule {
            when: Vec::new(),
            calendar: Arc::clone(&calendar),
            receipt: Vec::new(),
            target,
            roll_forward: false,
            backstop: None,
            warn_at: Vec::new(),
            tables: Default::default(),
        };
        rule.prepare(at(10_000 * DAY), at(10_700 * DAY - 1));
        let receipts: Vec<i64> = (0..5_000).map(|_| 9_990 * DAY + random.below(720 * DAY)).collect();
        let mut out = vec![7; receipts.len()];
        rule.due_many(&receipts, &mut out).expect("supported receipts");
        for (received, found) in receipts.iter().zip(&out) {
            assert_eq!(*found, counted(&rule, *received), "{:?} received {received}", rule.target);
            let single = rule.due(at(*received)).map_or(NO_DEADLINE, Instant::as_secs);
            assert_eq!(single, *found, "{:?} received {received}", rule.target);
        }
    }
}

#[test]
fn working_time_in_columns_is_that_of_single_items() {
    let mut random = Random::new(seed());
    for world in worlds(&mut random) {
        let calendar = &world.calendar;
        let count = 700;
        let mut t: Vec<i64> = (0..count).map(|_| random.below(END)).collect();
        let near: Vec<i64> = t
            .iter()
            .take(60)
            .flat_map(|t| world.edges_near(at(*t), &mut random))
            .map(Instant::as_secs)
            .collect();
        t.extend(near);
        let spans: Vec<i64> = t
            .iter()
            .map(|_| match random.below(8) {
                0 => 0,
                1 => random.below(5_000_000_000),
                2 => 1800 * random.below(100),
                _ => random.below(400_000),
            })
            .collect();
        let single = |t: i64, span: i64| {
            calendar.add_working_time(at(t), Span::from_secs(span)).map_or(NO_DEADLINE, Instant::as_secs)
        };
        let mut out = vec![7; t.len()];
        calendar.add_working_time_many(&t, &spans, &mut out).expect("good items");
        for ((t, span), found) in t.iter().zip(&spans).zip(&out) {
            assert_eq!(*found, single(*t, *span), "{} {t} + {span}", world.zone);
        }
        // Long enough that the calendar's tables are copied.
        let long = |column: &[i64]| column.iter().copied().cycle().take(132_000).collect::<Vec<i64>>();
        let mut long_out = vec![7; 132_000];
        calendar.add_working_time_many(&long(&t), &long(&spans), &mut long_out).expect("good items");
        for found in long_out.chunks(t.len()) {
            assert_eq!(found, &out[..found.len()], "{}, a long column", world.zone);
        }
        for span in [0, 1, 1800, 36_000, 36_001, 3_000_000_000] {
            calendar.add_working_span_many(&t, Span::from_secs(span), &mut out).expect("good items");
            assert!(t.iter().zip(&out).all(|(t, found)| *found == single(*t, span)), "{} {span}", world.zone);
        }
        let ends: Vec<i64> = t.iter().rev().copied().collect();
        calendar.working_time_many(&t, &ends, &mut out).expect("good items");
        for ((a, b), found) in t.iter().zip(&ends).zip(&out) {
            assert_eq!(*found, calendar.working_time(at(*a), at(*b)).as_secs());
        }
        // One that is no instant or goes back stands alone.
        let (mut bad_t, mut bad_spans) = (t.clone(), spans.clone());
        (bad_t[70], bad_spans[3]) = (END, -1);
        let error = calendar.add_working_time_many(&bad_t, &bad_spans, &mut out).expect_err("bad items");
        assert_eq!(error.kind(), ErrorKind::OutOfRange);
        assert!(error.message().starts_with("item 3: "), "{error}");
        for (item, found) in out.iter().enumerate() {
            let wanted = if item == 3 || item == 70 { NO_DEADLINE } else { single(t[item], spans[item]) };
            assert_eq!(*found, wanted, "item {item}");
        }
        let short = calendar.add_working_time_many(&t, &spans[1..], &mut out).expect_err("another length");
        assert_eq!(short.kind(), ErrorKind::InvalidArgument);
    }
}

const MATCHED: &str = r#"
[policy]
name = "matched"
version = 1

[calendar.office]
zone = "Europe/Berlin"
hours = { mon-fri = ["08:00-12:00", "13:00-17:00"] }
holidays = ["01-01", "easter -2", "easter +1", "12-25", "12-26"]

[[clock]]
name = "working"
start = "received"
stop = "resolved"
rules = [
  { when = { priority = "P1" }, target = { working = "4h" } },
  { when = { priority = "P2" }, target = { working = "8h" } },
  { when = { priority = "P3" }, target = { working = "40h" } },
]

[[clock]]
name = "mixed"
start = "received"
stop = "resolved"
rules = [
  { when = { priority = "P1" }, target = { elapsed = "4h" } },
  { when = { priority = "P2" }, target = { working = "8h" } },
  { when = { priority = "P3" }, target = [{ received_before = "14:00", due = "same day, close" }, { due = "next day, 11:00" }] },
]
"#;

#[test]
fn columns_of_a_clock_follow_the_rule_that_each_request_matches() {
    let policy = Policy::from_toml(MATCHED).expect("a policy");
    let mut random = Random::new(seed());
    let priorities = ["P1", "P2", "P3", "P4"];
    let facts: Vec<Facts> = priorities
        .iter()
        .map(|priority| {
            let mut facts = Facts::none();
            facts.set("priority", *priority);
            facts
        })
        .collect();
    for name in ["working", "mixed"] {
        let clock = policy.clock(name).expect("a clock");
        let indexes: Vec<u32> = facts.iter().map(|facts| clock.rule_index_for(facts)).collect();
        assert_eq!(indexes, [0, 1, 2, NO_RULE]);
        // Chunks in which all match, and chunks in which some do not.
        let count = 80_000;
        let received: Vec<i64> = (0..count).map(|_| 1_400_000_000 + random.below(300_000_000)).collect();
        let matched: Vec<usize> =
            (0..count).map(|item| random.below(if item < 50_000 { 3 } else { 4 }) as usize).collect();
        let rules: Vec<u32> = matched.iter().map(|matched| indexes[*matched]).collect();
        let mut out = vec![7; count as usize];
        clock.due_many_by_rule(&received, &rules, &mut out).expect("supported receipts");
        for ((received, matched), found) in received.iter().zip(&matched).zip(&out) {
            let wanted = clock.due(at(*received), &facts[*matched]).map_or(NO_DEADLINE, Instant::as_secs);
            assert_eq!(*found, wanted, "{name}, {received}, {}", priorities[*matched]);
        }
        for facts in &facts {
            clock.due_many(&received, facts, &mut out).expect("supported receipts");
            let single = |received: i64| clock.due(at(received), facts).map_or(NO_DEADLINE, Instant::as_secs);
            assert!(received.iter().zip(&out).all(|(received, found)| *found == single(*received)), "{name}");
        }
        let mut bad = received.clone();
        bad[20_000] = -1;
        let error = clock.due_many_by_rule(&bad, &rules, &mut out).expect_err("a receipt is no instant");
        assert!(error.message().starts_with("receipt 20000: "), "{error}");
        assert_eq!(out[20_000], NO_DEADLINE);
        let mut unknown = rules.clone();
        unknown[9] = 3;
        let error = clock.due_many_by_rule(&received, &unknown, &mut out).expect_err("there is no such rule");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().starts_with("item 9: rule 3: "), "{error}");
    }
}
