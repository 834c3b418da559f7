//! Values that are written as phrases: hours, dates, due times.

#[cfg(test)]
use std::borrow::Cow;

use chrono::{NaiveDate, Weekday};
#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::read::{Many, Read, choice, entries, text_or_date, written};
use super::text::{Fault, Kind, Node};
use super::words::shown;
use crate::calendar::{self, DateRule};
use crate::target::{self, DayTime};
use crate::time::{TimeOfDay, parse_date};

choice! {
    /// When a receipt rule applies.
    Received {
        /// The date of the receipt is no working day.
        ClosedDay = "closed day",
    }
}

written! {
    /// Working hours of a day: `09:00-18:00`. A close that is not after the open lies on the next date; `24:00` is the
    /// end of the day.
    Stretch(calendar::Hours) = |node| {
        let allowed = "hours like \"09:00-18:00\", or a list of such";
        let Kind::Text(text) = &node.kind else { return Err(Fault::unexpected(node, allowed)) };
        let both = text.split_once('-').and_then(|(opens, closes)| {
            Some((TimeOfDay::parse(opens.trim()).ok()?, TimeOfDay::parse(closes.trim()).ok()?))
        });
        match both {
            Some((opens, closes)) if opens < TimeOfDay::END => Ok(calendar::Hours { opens, closes }),
            _ => Err(Fault::unexpected(node, allowed)),
        }
    }, "^ *[0-2][0-9]:[0-5][0-9](:[0-5][0-9])? *- *[0-2][0-9]:[0-5][0-9](:[0-5][0-9])? *$"
}

/// What opens by weekday, Monday first, and where each weekday is written.
#[derive(Clone, Debug)]
pub(super) struct Hours {
    pub(super) week: [Vec<calendar::Hours>; 7],
    pub(super) at: [Option<u32>; 7],
}

const DAYS: [(&str, &str); 7] = [
    ("mon", "monday"),
    ("tue", "tuesday"),
    ("wed", "wednesday"),
    ("thu", "thursday"),
    ("fri", "friday"),
    ("sat", "saturday"),
    ("sun", "sunday"),
];

impl Read for Hours {
    fn read(node: &Node) -> Result<Self, Fault> {
        let mut hours = Hours { week: Default::default(), at: [None; 7] };
        match &node.kind {
            Kind::Text(text) if text == "24x7" => {
                let all_day = calendar::Hours { opens: TimeOfDay::START, closes: TimeOfDay::END };
                hours.week = std::array::from_fn(|_| vec![all_day]);
                hours.at = [Some(node.at); 7];
            }
            Kind::Text(text) if text == "closed" => {}
            Kind::Table(_) => {
                for (key, value) in entries(node)? {
                    let days = weekdays(&key.name).map_err(|message| Fault::new(key.at, message))?;
                    let stretches = stretches(value).map_err(|fault| fault.about(&key.name))?;
                    for day in days {
                        let (Some(slot), Some(at)) = (hours.week.get_mut(day), hours.at.get_mut(day)) else {
                            continue;
                        };
                        if at.is_some() {
                            let day = DAYS.get(day).map_or("", |(short, _)| short);
                            return Err(Fault::new(key.at, format!("the hours of `{day}` are given twice")));
                        }
                        (*slot, *at) = (stretches.clone(), Some(value.at));
                    }
                }
            }
            _ => {
                return Err(Fault::unexpected(
                    node,
                    "a table like { mon-fri = \"09:00-18:00\" }, \"24x7\" or \"closed\"",
                ));
            }
        }
        hours.check_nights()?;
        Ok(hours)
    }
}

impl Hours {
    /// No night may run into the first hours of the next day.
    fn check_nights(&self) -> Result<(), Fault> {
        for (day, stretches) in self.week.iter().enumerate() {
            let next = (day + 1) % 7;
            let last =
                stretches.iter().filter(|hours| hours.closes <= hours.opens).max_by_key(|hours| hours.closes);
            let first = self.week.get(next).and_then(|hours| hours.iter().min_by_key(|hours| hours.opens));
            let at = self.at.get(next).copied().flatten();
            if let (Some(last), Some(first), Some(at)) = (last, first, at)
                && last.closes > first.opens
            {
                let name = |day: usize| DAYS.get(day).map_or("", |(short, _)| short);
                let message = format!(
                    "the hours of `{}` up to {} overlap those of `{}` from {}",
                    name(day),
                    last.closes,
                    name(next),
                    first.opens
                );
                return Err(Fault::new(at, message));
            }
        }
        Ok(())
    }
}

/// The stretches of one date must not overlap.
pub(super) fn check_overlap(hours: &[calendar::Hours]) -> Result<(), String> {
    let mut sorted = hours.to_vec();
    sorted.sort_unstable();
    let overlap = sorted.windows(2).find_map(|pair| match pair {
        [first, second] if first.closes <= first.opens || first.closes > second.opens => {
            Some((*first, *second))
        }
        _ => None,
    });
    let text = |hours: calendar::Hours| format!("{}-{}", hours.opens, hours.closes);
    overlap.map_or(Ok(()), |(first, second)| {
        Err(format!("the hours {} and {} overlap", text(first), text(second)))
    })
}

/// One stretch, a list of them, or `closed`.
fn stretches(node: &Node) -> Result<Vec<calendar::Hours>, Fault> {
    match &node.kind {
        Kind::Text(text) if text == "closed" => Ok(Vec::new()),
        _ => {
            let hours: Vec<_> =
                Many::<Stretch>::read(node)?.as_slice().iter().map(|stretch| stretch.0).collect();
            check_overlap(&hours).map_err(|why| Fault::new(node.at, why))?;
            Ok(hours)
        }
    }
}

/// `mon-fri`, `sat`, `mon, wed, fri`; a range may run over Sunday.
fn weekdays(text: &str) -> Result<Vec<usize>, String> {
    let wrong = || {
        format!(
            "unknown weekdays `{}`; allowed are like `mon`, `mon-fri` or `mon, wed` with mon, tue, wed, \
             thu, fri, sat, sun",
            shown(text)
        )
    };
    let day = |name: &str| {
        let name = name.trim().to_ascii_lowercase();
        DAYS.iter().position(|(short, long)| name == *short || name == *long).ok_or_else(wrong)
    };
    let mut days = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            None => days.push(day(part)?),
            Some((first, last)) => {
                let (first, last) = (day(first)?, day(last)?);
                let count = (last + 7 - first) % 7;
                days.extend((0..=count).map(|step| (first + step) % 7));
            }
        }
    }
    Ok(days)
}

#[cfg(test)]
impl JsonSchema for Hours {
    fn schema_name() -> Cow<'static, str> {
        "Hours".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let stretches = generator.subschema_for::<Many<Stretch>>();
        let day = "(mon|tue|wed|thu|fri|sat|sun)[a-z]*";
        json_schema!({
            "description": "What opens by weekday: `24x7`, `closed`, or a table from weekdays (`mon`, \
             `mon-fri`, \
                            `sat, sun`) to hours (`09:00-18:00`, a list of such, or `closed`).",
            "anyOf": [
                { "enum": ["24x7", "closed"] },
                {
                    "type": "object",
                    "propertyNames": { "pattern": format!("^ *{day} *([-,] *{day} *)*$") },
                    "additionalProperties": { "anyOf": [{ "const": "closed" }, stretches] },
                },
            ],
        })
    }
}

written! {
    /// Dates: `2026-01-01`, `2026-07-01..2026-07-14`, each year's `01-01` or `01-01..01-08`, `last monday of may`,
    /// `4th thursday of november +1`, `easter -2`.
    DateText(DateRule) = |node| {
        let allowed = "dates like \"2026-01-01\", \"01-01\", \"01-01..01-08\", \"2026-07-01..2026-07-14\", \
                       \"last monday of may\", \"4th thursday of november +1\" or \"easter -2\"";
        let text = text_or_date(node, allowed)?;
        date_rule(text.trim()).map_err(|why| match why {
            Some(why) => Fault::predicate(node.at, format!("cannot be \"{}\": {why}", shown(text))),
            None => Fault::unexpected(node, allowed),
        })
    }, "^.{4,80}$"
}

/// The rule a text means; the error says why, or nothing if the form is unknown.
fn date_rule(text: &str) -> Result<DateRule, Option<String>> {
    if let Some((first, last)) = text.split_once("..") {
        let (first, last) = (first.trim(), last.trim());
        return match (month_day(first), month_day(last)) {
            (Some(first), Some(last)) => Ok(DateRule::YearlyBetween { first, last }),
            _ => {
                let (first, last) = (date(first)?, date(last)?);
                if last < first {
                    return Err(Some(format!("its last date {last} lies before its first")));
                }
                Ok(DateRule::Between(first, last))
            }
        };
    }
    if let Some((month, day)) = month_day(text) {
        return Ok(DateRule::Yearly { month, day });
    }
    match date(text) {
        Ok(date) => Ok(DateRule::On(date)),
        Err(wrong) => phrase(&text.to_ascii_lowercase()).ok_or(wrong),
    }
}

fn date(text: &str) -> Result<NaiveDate, Option<String>> {
    let looks_like_one = text.len() == 10 && text.as_bytes().get(4) == Some(&b'-');
    parse_date(text).map_err(|wrong| looks_like_one.then(|| wrong.message().to_owned()))
}

/// `MM-DD`, possible in a leap year.
fn month_day(text: &str) -> Option<(u32, u32)> {
    if text.len() != 5 {
        return None;
    }
    let date = NaiveDate::parse_from_str(&format!("2000-{text}"), "%Y-%m-%d").ok()?;
    let canonical = date.format("%m-%d").to_string() == text;
    canonical.then(|| (chrono::Datelike::month(&date), chrono::Datelike::day(&date)))
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const NTH: [(&str, i32); 11] = [
    ("1st", 1),
    ("first", 1),
    ("2nd", 2),
    ("second", 2),
    ("3rd", 3),
    ("third", 3),
    ("4th", 4),
    ("fourth", 4),
    ("5th", 5),
    ("fifth", 5),
    ("last", -1),
];

/// `last monday of may`, `4th thursday of november +1`, `easter -2`, in lower case.
fn phrase(text: &str) -> Option<DateRule> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    match words.as_slice() {
        ["easter", rest @ ..] => Some(DateRule::Easter { offset_days: offset(rest)? }),
        [nth, weekday, "of", month, rest @ ..] => Some(DateRule::NthWeekday {
            month: (1..).zip(MONTHS).find(|(_, name)| month_is(name, month))?.0,
            nth: NTH.iter().find(|(word, _)| word == nth)?.1,
            weekday: weekday_of(weekday)?,
            offset_days: offset(rest)?,
        }),
        _ => None,
    }
}

fn month_is(name: &str, word: &str) -> bool {
    name == word || (word.len() == 3 && name.starts_with(word))
}

fn weekday_of(word: &str) -> Option<Weekday> {
    let index = DAYS.iter().position(|(short, long)| word == *short || word == *long)?;
    Weekday::try_from(u8::try_from(index).ok()?).ok()
}

/// Nothing, `+1`, `-2`, `+ 1`; at most 366 days.
fn offset(words: &[&str]) -> Option<i32> {
    let text = words.concat();
    if text.is_empty() {
        return Some(0);
    }
    if !text.starts_with(['+', '-']) {
        return None;
    }
    text.parse::<i32>().ok().filter(|days| days.abs() <= 366)
}

written! {
    /// The time on the due date: `close` (of the last hours of that date), `same time` (as the receipt) or like `11:00`.
    At(DayTime) = |node| {
        let allowed = "\"close\", \"same time\" or a time of day like \"11:00\"";
        day_time(text_or_date(node, allowed)?).ok_or_else(|| Fault::unexpected(node, allowed))
    }, "^(close|same time|([01][0-9]|2[0-4]):[0-5][0-9](:[0-5][0-9])?)$"
}

fn day_time(text: &str) -> Option<DayTime> {
    match text.trim() {
        "close" => Some(DayTime::Close),
        "same time" => Some(DayTime::SameTime),
        time => TimeOfDay::parse(time).ok().map(DayTime::At),
    }
}

/// When a branch is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DueAt {
    pub(super) working_days: u32,
    pub(super) at: DayTime,
}

written! {
    /// A working day counted from the date of the receipt, and the time on it: `same day, close`, `next day, 11:00`,
    /// `+3 days, 11:00`.
    Due(DueAt) = |node| {
        let allowed = "a working day and a time like \"same day, close\", \"next day, 11:00\" or \"+3 \
         days, 11:00\"";
        let Kind::Text(text) = &node.kind else { return Err(Fault::unexpected(node, allowed)) };
        let parts = text.split_once(',');
        parts.and_then(|(day, time)| {
            let at = day_time(time).filter(|at| *at != DayTime::SameTime)?;
            Some(DueAt { working_days: day_count(day.trim())?, at })
        }).ok_or_else(|| Fault::unexpected(node, allowed))
    }, "^(same day|next (working )?day|\\+[0-9]+ (working )?days?), \
     *(close|[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?)$"
}

fn day_count(text: &str) -> Option<u32> {
    match text {
        "same day" => Some(0),
        "next day" | "next working day" => Some(1),
        _ => {
            let (number, unit) = text.strip_prefix('+')?.trim_start().split_once(' ')?;
            let known = matches!(unit.trim(), "day" | "days" | "working day" | "working days");
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            number.parse().ok().filter(|days| known && digits && (1..=36_600).contains(days))
        }
    }
}

written! {
    /// What a receipt counts as: `next opening`, `same day, 08:30`, `next working day, 08:30`, `next working day, same
    /// time` or `next working day, opening`.
    CountsAs(target::CountsAs) = |node| {
        let allowed = "\"next opening\", \"same day, 08:30\", \"next working day, 08:30\", \
                       \"next working day, same time\" or \"next working day, opening\"";
        let Kind::Text(text) = &node.kind else { return Err(Fault::unexpected(node, allowed)) };
        counts_as(text.trim()).ok_or_else(|| Fault::unexpected(node, allowed))
    }, "^(next opening|same day, *[0-2][0-9]:.*|next working day, *(opening|same time|[0-2][0-9]:.*))$"
}

fn counts_as(text: &str) -> Option<target::CountsAs> {
    if text == "next opening" {
        return Some(target::CountsAs::NextOpening);
    }
    let (day, time) = text.split_once(',')?;
    let clock_time = || TimeOfDay::parse(time.trim()).ok().filter(|time| *time < TimeOfDay::END);
    match (day.trim(), time.trim()) {
        ("next working day", "same time") => Some(target::CountsAs::NextWorkingDaySameTime),
        ("next working day", "opening") => Some(target::CountsAs::NextWorkingDayOpening),
        ("next working day", _) => clock_time().map(target::CountsAs::NextWorkingDay),
        ("same day", _) => clock_time().map(target::CountsAs::SameDay),
        _ => None,
    }
}
