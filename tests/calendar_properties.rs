//! Compiled calendars against a reference that walks the clock, on random calendars near the changes of real zones.
//!
//! What could go wrong: an edge that falls into a gap or a repeated hour, a night that crosses one, a date that a zone
//! left out, a closure that cuts a spilled-over night, a list that wins over the wrong other list, an index that is one
//! bucket off. The reference (`reference/mod.rs`) shares no code with the library: it reads the zones with another parser,
//! steps through a window of a few days and asks at each step what the wall clock shows.
//!
//! Each run takes another seed and prints it; `SLACLOCK_SEED=…` repeats a run.

// The counts and the seed are for whoever runs the test.
#![allow(clippy::print_stdout)]

mod reference;

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::NaiveDate;
use reference::random::{Random, calendar_near};
use reference::window::{Window, day_of};
use reference::zones::{ReferenceZone, ZONES};
use slaclock::calendar::{Calendar, Edge};
use slaclock::target::NoDeadline;
use slaclock::time::{Instant, Span, TimeOfDay};
use slaclock::zone::TzData;

const CALENDARS: usize = 300;
const WINDOWS_OF_CALENDAR: usize = 4;
const POINTS_OF_WINDOW: usize = 45;

#[test]
fn compiled_calendars_agree_with_a_walk_of_the_clock() {
    let seed = match std::env::var("SLACLOCK_SEED") {
        Ok(text) => text.parse().unwrap(),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64,
    };
    println!("SLACLOCK_SEED={seed}");
    let mut random = Random::new(seed);
    let tz = TzData::bundled();
    let zones: Vec<ReferenceZone> = ZONES.iter().map(|name| ReferenceZone::read(name)).collect();
    let mut cases = 0;
    for number in 0..CALENDARS {
        let zone = &zones[number % zones.len()];
        // One in six has edges between whole minutes; its windows are walked by the second, and so are short.
        let by_second = random.one_in(6);
        let centers: Vec<i64> =
            (0..WINDOWS_OF_CALENDAR).map(|_| zone.interesting_instant(&mut random)).collect();
        let spec = calendar_near(&mut random, zone, &centers, by_second);
        let calendar = match Calendar::compile(spec.clone(), &tz) {
            Ok(calendar) => calendar,
            Err(error) => panic!("SLACLOCK_SEED={seed} calendar {number}: {error}\n{spec:?}"),
        };
        laws_of_the_whole_range(&calendar);
        first_answers(&calendar, &tz, &centers, &mut random, &|| {
            format!("SLACLOCK_SEED={seed} calendar {number}")
        });
        for &center in &centers {
            let window = Window::walk(&spec, zone, center, by_second);
            let context = || format!("SLACLOCK_SEED={seed} calendar {number} window {center}\n{spec:?}");
            for _ in 0..POINTS_OF_WINDOW {
                check_point(&calendar, &window, &mut random, &context);
                cases += 1;
            }
            check_dates(&calendar, &window, &context);
            check_intervals(&calendar, &window, &mut random, &context);
        }
    }
    println!("{cases} cases over {} zones", zones.len());
    assert!(cases >= 50_000 && zones.len() >= 20);
}

/// What a calendar is asked first it answers from some years around the question; the whole tables must say the same.
fn first_answers(
    whole: &Calendar,
    tz: &TzData,
    centers: &[i64],
    random: &mut Random,
    context: &dyn Fn() -> String,
) {
    // Near what is interesting, at both ends of the range, and where one stretch of years gives way to the next.
    const STRETCH_S: i64 = 1_024 * 86_400;
    let last = Instant::MAX.as_secs();
    let edges = (0..=last / STRETCH_S).map(|number| number * STRETCH_S).chain([last]);
    let edges: Vec<i64> = centers.iter().copied().chain(edges).collect();
    for _ in 0..4 {
        let first = Calendar::compile(whole.spec().clone(), tz).unwrap();
        let about = edges[random.below(edges.len() as i64) as usize];
        for _ in 0..12 {
            let near = |random: &mut Random, days: i64| {
                let secs = about + random.below(2 * days * 86_400) - days * 86_400;
                Instant::from_secs(secs.clamp(0, last)).unwrap()
            };
            let (a, b) = (near(random, 5), near(random, 400));
            let d = Span::from_secs(random.amount(90 * 86_400));
            assert_eq!(first.is_open(a), whole.is_open(a), "is_open({a}) {}", context());
            assert_eq!(first.next_open(a), whole.next_open(a), "next_open({a}) {}", context());
            assert_eq!(first.working_time(a, b), whole.working_time(a, b), "work({a}, {b}) {}", context());
            assert_eq!(first.working_time(b, a), whole.working_time(b, a), "work({b}, {a}) {}", context());
            let sums = [&first, whole].map(|own| own.add_working_time(a, d).map_err(|e| e.to_string()));
            assert_eq!(sums[0], sums[1], "add({a}, {d}) {}", context());
            let date = first.local(a).date();
            assert_eq!(first.is_working_day(date), whole.is_working_day(date), "{date} {}", context());
            assert_eq!(first.first_open_of(date), whole.first_open_of(date), "{date} {}", context());
            assert_eq!(first.close_of(date), whole.close_of(date), "{date} {}", context());
            for n in [1, 2, -1, random.below(60), 300] {
                let nth = [&first, whole].map(|own| own.add_working_days(date, n));
                assert_eq!(nth[0], nth[1], "{date} and {n} working days {}", context());
            }
        }
    }
}

#[test]
fn the_first_answers_need_a_fifth_of_the_tables() {
    let spec =
        calendar_near(&mut Random::new(1), &ReferenceZone::read("America/New_York"), &[1_772_798_400], false);
    let calendar = |spec| Calendar::compile(spec, &TzData::bundled()).unwrap();
    let (few, many) = (calendar(spec.clone()), calendar(spec));
    assert_eq!((few.table_size(), many.table_size()), (0, 0));
    let at = |secs| Instant::from_secs(secs).unwrap();
    let hour = Span::from_hours(1);
    for secs in (0..100).map(|day| 1_772_798_400 + day * 86_400) {
        few.add_working_time(at(secs), hour).unwrap();
    }
    let first = few.table_size();
    many.prepare();
    assert!(first > 0 && first * 5 < many.table_size(), "{first} of {} bytes", many.table_size());
    // Whoever goes on asking is answered by look-ups in the end.
    for secs in (0..5_000).map(|hour| 1_772_798_400 + hour * 3_600) {
        few.add_working_time(at(secs), hour).unwrap();
    }
    assert!(few.table_size() > many.table_size());
}

/// What must hold of every calendar, whatever is open in it.
fn laws_of_the_whole_range(calendar: &Calendar) {
    let all = calendar.working_time(Instant::MIN, Instant::MAX);
    let (mut sum, mut last) = (0, None);
    for interval in calendar.intervals(Instant::MIN, Instant::MAX) {
        assert!(interval.opens < interval.closes && last.is_none_or(|closes| closes < interval.opens));
        sum += interval.closes.since(interval.opens).as_secs();
        last = Some(interval.closes);
    }
    assert_eq!(sum, all.as_secs());
    let first = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
    for n in [1_i64, 2, 1_000, 20_000] {
        if let Ok(nth) = calendar.add_working_days(first, n) {
            assert!(calendar.is_working_day(nth));
            assert_eq!(calendar.working_days(first, nth), n);
            assert!(n == 1 || calendar.add_working_days(nth, 1 - n).unwrap() > first);
        }
    }
    if let Ok(nth) = calendar.add_working_time(Instant::MIN, Span::from_secs(all.as_secs() / 3)) {
        assert_eq!(calendar.working_time(Instant::MIN, nth).as_secs(), all.as_secs() / 3);
    }
}

/// All questions about one instant of the window, and one further on.
fn check_point(calendar: &Calendar, window: &Window, random: &mut Random, context: &dyn Fn() -> String) {
    let t = window.interesting_instant(random);
    let at = Instant::from_secs(t).unwrap();
    assert_eq!(calendar.is_open(at), window.is_open(t), "is_open({at}) {}", context());
    assert_eq!(calendar.local(at).and_utc().timestamp(), window.civil(t), "local({at}) {}", context());
    // Beyond the window the reference knows nothing.
    if let Some(opens) = window.next_open(t) {
        assert_eq!(calendar.next_open(at).map(Instant::as_secs), Ok(opens), "next_open({at}) {}", context());
    }
    if let Some(closes) = window.next_close(t) {
        assert_eq!(
            calendar.next_close(at).map(Instant::as_secs),
            Ok(closes),
            "next_close({at}) {}",
            context()
        );
    }

    let u = window.interesting_instant(random);
    let other = Instant::from_secs(u).unwrap();
    let between = window.work(u) - window.work(t);
    assert_eq!(calendar.working_time(at, other).as_secs(), between, "work({at}, {other}) {}", context());
    assert_eq!(calendar.working_time(other, at).as_secs(), -between, "work({other}, {at}) {}", context());

    check_adding(calendar, window, random, at, context);
    check_subtracting(calendar, window, random, at, context);
    check_civil(calendar, window, random, context);
}

fn check_adding(
    calendar: &Calendar,
    window: &Window,
    random: &mut Random,
    at: Instant,
    context: &dyn Fn() -> String,
) {
    let t = at.as_secs();
    let left = window.work(window.end()) - window.work(t);
    let d = random.amount(left);
    let sum =
        calendar.add_working_time(at, Span::from_secs(d)).unwrap_or_else(|e| panic!("{e} {}", context()));
    assert_eq!(sum.as_secs(), window.earliest_after(t, d), "add({at}, {d}) {}", context());
    // The laws: it takes exactly d, and no less would do; the way back leads to t or to the closed time after it.
    assert_eq!(calendar.working_time(at, sum).as_secs(), d, "{}", context());
    let back = calendar.sub_working_time(sum, Span::from_secs(d)).unwrap();
    assert!(back >= at || d == 0, "add then sub from {at} by {d} gives {back} {}", context());
    assert_eq!(calendar.working_time(at, back), Span::ZERO, "{}", context());
    let one_more = Span::from_secs(calendar.working_time(at, Instant::MAX).as_secs() + 2);
    let beyond = calendar.add_working_time(at, one_more).unwrap_err();
    assert_eq!(beyond.kind(), slaclock::error::ErrorKind::NoDeadline);
}

fn check_subtracting(
    calendar: &Calendar,
    window: &Window,
    random: &mut Random,
    at: Instant,
    context: &dyn Fn() -> String,
) {
    let t = at.as_secs();
    let d = random.amount(window.work(t));
    let difference = calendar.sub_working_time(at, Span::from_secs(d)).unwrap();
    assert_eq!(difference.as_secs(), window.latest_before(t, d), "sub({at}, {d}) {}", context());
    assert_eq!(calendar.working_time(difference, at).as_secs(), d, "{}", context());
}

fn check_civil(calendar: &Calendar, window: &Window, random: &mut Random, context: &dyn Fn() -> String) {
    let (date, seconds) = window.interesting_civil(random);
    let time = TimeOfDay::from_secs(seconds).unwrap();
    for edge in [Edge::Open, Edge::Close] {
        let expected = match edge {
            Edge::Open => window.first_at_or_after(date, seconds),
            Edge::Close => window.last_at_or_before(date, seconds),
        };
        if let Some(expected) = expected {
            let found = calendar.instant_at(date, time, edge).map(Instant::as_secs);
            assert_eq!(found, Some(expected), "instant_at({date}, {time}, {edge:?}) {}", context());
        }
    }
}

/// Working days and their edges, for the dates that lie wholly in the window.
fn check_dates(calendar: &Calendar, window: &Window, context: &dyn Fn() -> String) {
    let dates = window.whole_dates();
    for (at, (date, edges)) in dates.iter().enumerate() {
        assert_eq!(calendar.is_working_day(*date), edges.is_some(), "is_working_day({date}) {}", context());
        let found = calendar.first_open_of(*date).zip(calendar.close_of(*date));
        let found = found.map(|(opens, closes)| (opens.as_secs(), closes.as_secs()));
        assert_eq!(found, *edges, "edges of {date} {}", context());
        let working = slaclock::calendar::DayStatus::Working;
        assert_eq!(calendar.day_status(*date) == working, edges.is_some(), "status of {date} {}", context());
        let later = dates[at + 1..].iter().filter(|(_, edges)| edges.is_some());
        for (n, (nth, _)) in later.enumerate() {
            let n = n as i64 + 1;
            assert_eq!(calendar.add_working_days(*date, n), Ok(*nth), "{date} + {n} {}", context());
            assert_eq!(calendar.working_days(*date, *nth), n, "({date}, {nth}] {}", context());
            assert!(day_of(*nth) > day_of(*date));
        }
    }
}

fn check_intervals(calendar: &Calendar, window: &Window, random: &mut Random, context: &dyn Fn() -> String) {
    let (t, u) = (window.interesting_instant(random), window.interesting_instant(random));
    let (from, to) = (Instant::from_secs(t.min(u)).unwrap(), Instant::from_secs(t.max(u)).unwrap());
    let found: Vec<(i64, i64)> = calendar
        .intervals(from, to)
        .map(|interval| (interval.opens.as_secs(), interval.closes.as_secs()))
        .collect();
    assert_eq!(found, window.runs(t.min(u), t.max(u)), "intervals({from}, {to}) {}", context());
}

#[test]
fn a_calendar_that_closed_for_good_never_opens_again() {
    let mut spec = slaclock::calendar::CalendarSpec::new("old", "Europe/Moscow");
    let hours = slaclock::calendar::Hours { opens: TimeOfDay::START, closes: TimeOfDay::END };
    spec.extra_days.push(slaclock::calendar::ExtraDay {
        date: NaiveDate::from_ymd_opt(1991, 12, 25).unwrap(),
        hours: vec![hours],
    });
    let old = Calendar::compile(spec, &TzData::bundled()).unwrap();
    let after = Instant::parse("1991-12-25T22:00:00Z").unwrap();
    assert_eq!(old.next_open(after), Err(NoDeadline::NeverOpen));
    assert_eq!(old.next_close(after), Err(NoDeadline::NeverOpen));
}
