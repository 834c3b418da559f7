//! Calendars: any specification compiles or is refused; what is compiled keeps the laws of working time.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use chrono::{NaiveDate, Weekday};
use slaclock::calendar::{Closure, DateRule, Edge, Exception, ExtraDay, Holiday, Hours, Observed};
use slaclock::zone::TzData;
use slaclock::{Calendar, CalendarSpec, ErrorKind, Instant, Span, TimeOfDay};

use super::{instant, within};

const ZONES: [&str; 12] = [
    "UTC",
    "Europe/Moscow",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "Europe/Dublin",
    "Antarctica/Troll",
    "America/Asuncion",
    "Nowhere/At_All",
];

fn time(input: &mut Unstructured<'_>) -> Result<TimeOfDay> {
    let secs = match input.int_in_range(0..=3_u8)? {
        0 => input.int_in_range(0..=86_400_u32)?,
        _ => input.int_in_range(0..=96_u32)? * 900,
    };
    let text = format!("{:02}:{:02}:{:02}", secs / 3_600, secs / 60 % 60, secs % 60);
    TimeOfDay::parse(&text).map_err(|_| arbitrary::Error::IncorrectFormat)
}

fn date(input: &mut Unstructured<'_>) -> Result<NaiveDate> {
    let days = match input.int_in_range(0..=3_u8)? {
        0 => input.int_in_range(-800_000..=3_000_000_i32)?,
        _ => input.int_in_range(739_000..=740_500_i32)?,
    };
    NaiveDate::from_num_days_from_ce_opt(days).ok_or(arbitrary::Error::IncorrectFormat)
}

fn hours(input: &mut Unstructured<'_>) -> Result<Vec<Hours>> {
    let count = input.int_in_range(0..=3_usize)?;
    (0..count).map(|_| Ok(Hours { opens: time(input)?, closes: time(input)? })).collect()
}

fn week(input: &mut Unstructured<'_>) -> Result<[Vec<Hours>; 7]> {
    let mut week: [Vec<Hours>; 7] = Default::default();
    let usual = hours(input)?;
    for day in &mut week {
        *day = if input.ratio(1_u8, 3)? { hours(input)? } else { usual.clone() };
    }
    Ok(week)
}

fn rule(input: &mut Unstructured<'_>) -> Result<DateRule> {
    let small = |input: &mut Unstructured<'_>| input.int_in_range(0..=33_u32);
    Ok(match input.int_in_range(0..=5_u8)? {
        0 => DateRule::On(date(input)?),
        1 => DateRule::Between(date(input)?, date(input)?),
        2 => DateRule::Yearly { month: small(input)?, day: small(input)? },
        3 => DateRule::YearlyBetween {
            first: (small(input)?, small(input)?),
            last: (small(input)?, small(input)?),
        },
        4 => DateRule::NthWeekday {
            month: small(input)?,
            nth: input.int_in_range(-6..=6)?,
            weekday: *input.choose(&[Weekday::Mon, Weekday::Thu, Weekday::Sun])?,
            offset_days: if input.ratio(1_u8, 8)? {
                input.arbitrary()?
            } else {
                input.int_in_range(-9..=9)?
            },
        },
        _ => DateRule::Easter {
            offset_days: if input.ratio(1_u8, 8)? {
                input.arbitrary()?
            } else {
                input.int_in_range(-60..=60)?
            },
        },
    })
}

fn several<T>(
    input: &mut Unstructured<'_>,
    make: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let count = input.int_in_range(0..=4_usize)?;
    (0..count).map(|_| make(input)).collect()
}

fn spec(input: &mut Unstructured<'_>) -> Result<CalendarSpec> {
    let mut spec = CalendarSpec::new("office", *input.choose(&ZONES)?);
    spec.week = week(input)?;
    let observed = [Observed::SameDate, Observed::SundayToMonday, Observed::Nearest, Observed::Monday];
    spec.holidays = several(input, |input| {
        Ok(Holiday { on: rule(input)?, name: None, observed: *input.choose(&observed)? })
    })?;
    spec.not_holidays = several(input, date)?;
    spec.closures = several(input, |input| {
        Ok(Closure { on: rule(input)?, from: time(input)?, to: time(input)?, name: None })
    })?;
    spec.exceptions = several(input, |input| {
        Ok(Exception { first: date(input)?, last: date(input)?, week: week(input)?, name: None })
    })?;
    spec.extra_days = several(input, |input| Ok(ExtraDay { date: date(input)?, hours: hours(input)? }))?;
    Ok(spec)
}

fn laws(calendar: &Calendar, input: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..8 {
        let (one, other) = (instant(input)?, instant(input)?);
        let (a, b) = (one.min(other), one.max(other));
        let worked = calendar.working_time(a, b);
        assert!(worked >= Span::ZERO && worked.as_secs() <= b.as_secs() - a.as_secs());
        let middle =
            Instant::from_secs(a.as_secs() + (b.as_secs() - a.as_secs()) / 2).expect("between two instants");
        let parts = calendar.working_time(a, middle).as_secs() + calendar.working_time(middle, b).as_secs();
        assert_eq!(parts, worked.as_secs(), "{a} to {b} is the sum of its halves");
        if worked > Span::ZERO {
            let found = calendar.add_working_time(a, worked).expect("it is worked before b");
            assert!(found <= b && calendar.working_time(a, found) == worked, "the earliest instant");
            let before = Instant::from_secs(found.as_secs() - 1).expect("after a");
            assert!(calendar.working_time(a, before) < worked, "{found} is not the earliest");
        }
        let summed: i64 = calendar
            .intervals(a, b)
            .take(5_000)
            .map(|open| open.closes.as_secs() - open.opens.as_secs())
            .sum();
        assert!(summed <= worked.as_secs(), "intervals of {summed} s in {worked}");
        if let Ok(opens) = calendar.next_open(a) {
            assert!(opens >= a && calendar.is_open(opens) && calendar.working_time(a, opens) == Span::ZERO);
        }
        let any = Span::from_secs(input.int_in_range(0..=400_000_000_i64)?);
        let _ =
            (calendar.add_working_time(a, any), calendar.sub_working_time(b, any), calendar.next_close(a));
        let day = date(input)?;
        let days = input.int_in_range(-100_000..=100_000_i64)?;
        let _ = (calendar.is_working_day(day), calendar.day_status(day), calendar.close_of(day));
        let _ = (calendar.add_working_days(day, days), calendar.working_days(day, date(input)?));
        let _ = (calendar.instant_at(day, time(input)?, Edge::Open), calendar.local(a));
    }
    Ok(())
}

fn compiled(input: &mut Unstructured<'_>) -> Result<()> {
    match Calendar::compile(spec(input)?, &TzData::bundled()) {
        Ok(calendar) => laws(&calendar, input),
        Err(error) => {
            let kinds = [ErrorKind::InvalidCalendar, ErrorKind::UnknownZone];
            assert!(kinds.contains(&error.kind()), "{:?}: {error}", error.kind());
            Ok(())
        }
    }
}

/// Tries one input.
pub fn run(bytes: &[u8]) {
    within(Duration::from_secs(4), "a calendar", || {
        let _ = compiled(&mut Unstructured::new(bytes));
    });
}
