//! What must hold before a calendar is compiled.

use chrono::{Datelike, NaiveDate, Weekday};

use super::spec::{CalendarSpec, DateRule, Hours};
use crate::error::{Error, ErrorKind, Result};
use crate::time::{DAY_S, TimeOfDay};

/// Most stretches of working hours on one date.
pub(super) const MAX_STRETCHES: usize = 64;
/// Most entries in each of a calendar's lists.
pub(super) const MAX_ENTRIES: usize = 10_000;

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Checks a calendar as written and puts each date's hours in order of time.
///
/// # Errors
/// `InvalidCalendar`, naming the calendar and the place in it.
pub(super) fn check(spec: &mut CalendarSpec) -> Result<()> {
    let name = spec.name.clone();
    check_all(spec).map_err(|why| Error::new(ErrorKind::InvalidCalendar, format!("calendar `{name}`: {why}")))
}

fn check_all(spec: &mut CalendarSpec) -> Result<(), String> {
    let lists = [
        ("holidays", spec.holidays.len()),
        ("not_holidays", spec.not_holidays.len()),
        ("closures", spec.closures.len()),
        ("exceptions", spec.exceptions.len()),
        ("extra days", spec.extra_days.len()),
    ];
    for (list, len) in lists {
        if len > MAX_ENTRIES {
            return Err(format!("{len} {list}: at most {MAX_ENTRIES} are allowed"));
        }
    }
    check_week(&mut spec.week, "the week")?;
    for exception in &mut spec.exceptions {
        let place = match &exception.name {
            Some(name) => format!("exception `{name}` from {}", exception.first),
            None => format!("exception from {}", exception.first),
        };
        check_range(exception.first, exception.last).map_err(|why| format!("{place}: {why}"))?;
        check_week(&mut exception.week, &place)?;
    }
    check_extra_days(spec)?;
    for holiday in &spec.holidays {
        let place = named("holiday", holiday.name.as_deref());
        check_rule(&holiday.on).map_err(|why| format!("{place}: {why}"))?;
    }
    for date in &spec.not_holidays {
        check_date(*date).map_err(|why| format!("not_holidays: {why}"))?;
    }
    for closure in &spec.closures {
        let place = named("closure", closure.name.as_deref());
        check_rule(&closure.on).map_err(|why| format!("{place}: {why}"))?;
        if closure.to <= closure.from {
            return Err(format!(
                "{place}: from {} to {}: must end after it begins",
                closure.from, closure.to
            ));
        }
    }
    if nothing_opens(spec) {
        return Err("no working hours: give hours for at least one weekday".to_owned());
    }
    Ok(())
}

fn nothing_opens(spec: &CalendarSpec) -> bool {
    let has_hours = |week: &[Vec<Hours>; 7]| week.iter().any(|hours| !hours.is_empty());
    !has_hours(&spec.week)
        && spec.extra_days.is_empty()
        && !spec.exceptions.iter().any(|exception| has_hours(&exception.week))
}

fn named(what: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{what} `{name}`"),
        None => format!("a {what} without name"),
    }
}

/// Sorts each weekday's hours; none may overlap, also not those of the evening before or, from Sunday, of Monday.
fn check_week(week: &mut [Vec<Hours>; 7], place: &str) -> Result<(), String> {
    for (hours, weekday) in week.iter_mut().zip(WEEKDAYS) {
        check_hours(hours).map_err(|why| format!("{place}: {weekday} {why}"))?;
    }
    for weekday in 0..7 {
        let next = (weekday + 1) % 7;
        let (Some(last), Some(first)) = (week[weekday].last(), week[next].first()) else { continue };
        if ends_s(last) - DAY_S > first.opens.as_secs() {
            return Err(format!(
                "{place}: {} {} overlaps {} {}",
                WEEKDAYS[weekday],
                text(last),
                WEEKDAYS[next],
                text(first)
            ));
        }
    }
    Ok(())
}

fn check_extra_days(spec: &mut CalendarSpec) -> Result<(), String> {
    let mut dates: Vec<NaiveDate> = Vec::with_capacity(spec.extra_days.len());
    for extra in &mut spec.extra_days {
        let place = format!("extra day {}", extra.date);
        check_date(extra.date)?;
        if extra.hours.is_empty() {
            return Err(format!("{place}: has no hours; a date on which nothing opens is a holiday"));
        }
        check_hours(&mut extra.hours).map_err(|why| format!("{place}: {why}"))?;
        dates.push(extra.date);
    }
    dates.sort_unstable();
    match dates.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("extra day {}: is given twice", pair[0])),
        None => Ok(()),
    }
}

/// Sorts the hours of one date.
fn check_hours(hours: &mut [Hours]) -> Result<(), String> {
    if hours.len() > MAX_STRETCHES {
        return Err(format!("has {} stretches: at most {MAX_STRETCHES} are allowed", hours.len()));
    }
    if let Some(late) = hours.iter().find(|hours| hours.opens >= TimeOfDay::END) {
        return Err(format!("{}: must open before 24:00", text(late)));
    }
    hours.sort_unstable_by_key(|hours| (hours.opens, ends_s(hours)));
    match hours.windows(2).find(|pair| ends_s(&pair[0]) > pair[1].opens.as_secs()) {
        Some(pair) => Err(format!("{} overlaps {}", text(&pair[0]), text(&pair[1]))),
        None => Ok(()),
    }
}

/// When a stretch ends, in seconds from the midnight that begins its date.
fn ends_s(hours: &Hours) -> i64 {
    let closes = hours.closes.as_secs();
    if hours.closes > hours.opens { closes } else { closes + DAY_S }
}

fn text(hours: &Hours) -> String {
    format!("{}-{}", hours.opens, hours.closes)
}

fn check_rule(rule: &DateRule) -> Result<(), String> {
    match *rule {
        DateRule::On(date) => check_date(date),
        DateRule::Between(first, last) => check_range(first, last),
        DateRule::Yearly { month, day } => check_month_day(month, day),
        DateRule::YearlyBetween { first, last } => {
            check_month_day(first.0, first.1)?;
            check_month_day(last.0, last.1)
        }
        DateRule::NthWeekday { month, nth, weekday, offset_days } => {
            if !(1..=12).contains(&month) {
                return Err(format!("month {month}: must be 1 to 12"));
            }
            if !(1..=5).contains(&nth.unsigned_abs()) {
                return Err(format!("{nth}. {}: must be 1 to 5 or -1 to -5", long_name(weekday)));
            }
            check_offset(offset_days)
        }
        DateRule::Easter { offset_days } => check_offset(offset_days),
    }
}

fn check_date(date: NaiveDate) -> Result<(), String> {
    if (1970..2100).contains(&date.year()) {
        Ok(())
    } else {
        Err(format!("date {date}: must lie in 1970 to 2099"))
    }
}

fn check_range(first: NaiveDate, last: NaiveDate) -> Result<(), String> {
    check_date(first)?;
    check_date(last)?;
    if last < first { Err(format!("{first} to {last}: must not end before it begins")) } else { Ok(()) }
}

fn check_month_day(month: u32, day: u32) -> Result<(), String> {
    // 2000 is a leap year, so that 29 February passes.
    match NaiveDate::from_ymd_opt(2000, month, day) {
        Some(_) => Ok(()),
        None => Err(format!("month {month}, day {day}: there is no such date")),
    }
}

fn check_offset(offset_days: i32) -> Result<(), String> {
    if (-366..=366).contains(&offset_days) {
        Ok(())
    } else {
        Err(format!("offset of {offset_days} days: must be -366 to 366"))
    }
}

fn long_name(weekday: Weekday) -> &'static str {
    WEEKDAYS[weekday.num_days_from_monday() as usize]
}
