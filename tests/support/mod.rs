//! Reads calendars, targets and receipt rules as the policy language writes them, from JSON, without the library's own
//! reader: what it builds is what a program would build by hand.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime, Weekday};
use serde_json::Value;
use slaclock::calendar::{
    Calendar, CalendarSpec, Closure, DateRule, Edge, ExtraDay, Holiday, Hours, Observed,
};
use slaclock::policy::Rule;
use slaclock::target::{Branch, ClosedDay, CountsAs, DayTime, ReceiptRule, ReceiptWhen, Target};
use slaclock::time::{Instant, Span, TimeOfDay};
use slaclock::zone::TzData;

/// A rule that matches everything and warns of nothing.
pub(crate) fn rule(calendar: Arc<Calendar>, target: Target) -> Rule {
    Rule {
        when: Vec::new(),
        calendar,
        receipt: Vec::new(),
        target,
        roll_forward: false,
        backstop: None,
        warn_at: Vec::new(),
        tables: Default::default(),
    }
}

/// A calendar open on some weekdays (Monday is 0) at the same hours.
pub(crate) fn weekly(
    name: &str,
    zone: &str,
    days: std::ops::Range<usize>,
    opens: &str,
    closes: &str,
) -> CalendarSpec {
    let mut spec = CalendarSpec::new(name, zone);
    for day in days {
        spec.week[day].push(hours(&format!("{opens}-{closes}")));
    }
    spec
}

pub(crate) fn compile(spec: CalendarSpec) -> Arc<Calendar> {
    Arc::new(Calendar::compile(spec, &TzData::bundled()).expect("the calendar compiles"))
}

/// The rule of a clock in a policy's JSON.
pub(crate) fn rule_of(policy: &Value, clock: &str) -> Rule {
    let clocks = policy["clock"].as_array().expect("clocks");
    let clock = clocks.iter().find(|doc| doc["name"] == clock).expect("the clock exists");
    let calendars = policy["calendar"].as_object().expect("calendars");
    let name = clock["calendar"]
        .as_str()
        .or_else(|| calendars.keys().next().map(String::as_str))
        .expect("a calendar");
    Rule {
        receipt: list(&clock["receipt"]).iter().map(receipt_rule).collect(),
        roll_forward: clock["roll_forward"].as_bool().unwrap_or(false),
        backstop: clock.get("backstop").map(target),
        ..rule(compile(calendar(name, &calendars[name])), target(&clock["target"]))
    }
}

/// `2026-03-06 15:00` in the calendar's zone (the first of two such times) or RFC 3339.
pub(crate) fn instant(calendar: &Calendar, text: &str) -> Instant {
    if let Ok(instant) = Instant::parse(text) {
        return instant;
    }
    let form = if text.len() == 16 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
    let civil = NaiveDateTime::parse_from_str(text, form).unwrap_or_else(|_| panic!("time `{text}`"));
    calendar.instant_at(civil.date(), civil.time().into(), Edge::Open).expect("a supported time")
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is a text"))
}

fn time(value: &str) -> TimeOfDay {
    TimeOfDay::parse(value).expect("a time of day")
}

fn hours(value: &str) -> Hours {
    let (opens, closes) = value.split_once('-').expect("hours");
    Hours { opens: time(opens), closes: time(closes) }
}

fn date(value: &str) -> NaiveDate {
    value.parse().expect("a date")
}

fn calendar(name: &str, doc: &Value) -> CalendarSpec {
    let mut spec = CalendarSpec::new(name, text(&doc["zone"]));
    match &doc["hours"] {
        Value::String(word) if word == "24x7" => {
            spec.week = std::array::from_fn(|_| vec![hours("00:00-24:00")])
        }
        Value::String(word) if word == "closed" => {}
        week => {
            for (days, stretches) in week.as_object().expect("hours by weekday") {
                for day in weekdays(days) {
                    spec.week[day] = list(stretches).iter().map(|stretch| hours(text(stretch))).collect();
                }
            }
        }
    }
    for holiday in list(&doc["holidays"]) {
        let on = if holiday.is_string() { text(&holiday) } else { text(&holiday["on"]) };
        let name = holiday["name"].as_str().map(str::to_owned);
        spec.holidays.push(Holiday { on: DateRule::On(date(on)), name, observed: Observed::SameDate });
    }
    for closure in list(&doc["closures"]) {
        spec.closures.push(Closure {
            on: DateRule::On(date(text(&closure["on"]))),
            from: time(text(&closure["from"])),
            to: time(text(&closure["to"])),
            name: closure["name"].as_str().map(str::to_owned),
        });
    }
    for extra in list(&doc["extra_days"]) {
        let hours = list(&extra["hours"]).iter().map(|stretch| hours(text(stretch))).collect();
        spec.extra_days.push(ExtraDay { date: date(text(&extra["on"])), hours });
    }
    spec
}

fn weekdays(days: &str) -> std::ops::RangeInclusive<usize> {
    let number = |day: &str| day.parse::<Weekday>().expect("a weekday").num_days_from_monday() as usize;
    match days.split_once('-') {
        Some((first, last)) => number(first)..=number(last),
        None => number(days)..=number(days),
    }
}

fn target(doc: &Value) -> Target {
    let span = |value: &Value| Span::parse(text(value)).expect("a span");
    let days = |value: &Value| u32::try_from(value.as_u64().expect("a number of days")).expect("few days");
    let at = doc["at"].as_str().map_or(DayTime::Close, day_time);
    match doc {
        Value::String(word) if word == "none" => Target::None,
        Value::String(word) if word == "promised" => Target::Promised,
        Value::Array(branches) => cutoff(branches, ClosedDay::Otherwise),
        _ if doc.get("elapsed").is_some() => Target::Elapsed(span(&doc["elapsed"])),
        _ if doc.get("working").is_some() => Target::Working(span(&doc["working"])),
        _ if doc.get("working_days").is_some() => {
            Target::WorkingDays { days: days(&doc["working_days"]), at }
        }
        _ if doc.get("calendar_days").is_some() => {
            Target::CalendarDays { days: days(&doc["calendar_days"]), at }
        }
        _ if doc.get("earliest").is_some() => {
            Target::Earliest(list(&doc["earliest"]).iter().map(target).collect())
        }
        _ if doc.get("latest").is_some() => Target::Latest(list(&doc["latest"]).iter().map(target).collect()),
        _ => {
            let closed_day = match doc["closed_day"].as_str() {
                Some("next_open_day") => ClosedDay::NextOpenDay,
                Some("next_open_day_same_time") => ClosedDay::NextOpenDaySameTime,
                _ => ClosedDay::Otherwise,
            };
            cutoff(&list(&doc["cutoff"]), closed_day)
        }
    }
}

fn cutoff(branches: &[Value], closed_day: ClosedDay) -> Target {
    let branch = |doc: &Value| {
        let (day, at) = text(&doc["due"]).split_once(", ").expect("day and time");
        let working_days = match day {
            "same day" => 0,
            "next day" => 1,
            more => {
                more.trim_start_matches('+').split(' ').next().and_then(|n| n.parse().ok()).expect("days")
            }
        };
        Branch { received_before: doc["received_before"].as_str().map(time), working_days, at: day_time(at) }
    };
    Target::Cutoff { branches: branches.iter().map(branch).collect(), closed_day }
}

fn day_time(value: &str) -> DayTime {
    match value {
        "close" => DayTime::Close,
        "same time" => DayTime::SameTime,
        at => DayTime::At(time(at)),
    }
}

fn receipt_rule(doc: &Value) -> ReceiptRule {
    let when = match (doc["from"].as_str(), doc["before"].as_str()) {
        (Some(from), _) => ReceiptWhen::From(time(from)),
        (_, Some(before)) => ReceiptWhen::Before(time(before)),
        _ if doc["on"] == "closed day" => ReceiptWhen::ClosedDay,
        _ => ReceiptWhen::OutsideHours,
    };
    let counts_as = match text(&doc["counts_as"]).split_once(", ") {
        None => CountsAs::NextOpening,
        Some(("same day", at)) => CountsAs::SameDay(time(at)),
        Some((_, "same time")) => CountsAs::NextWorkingDaySameTime,
        Some((_, "opening")) => CountsAs::NextWorkingDayOpening,
        Some((_, at)) => CountsAs::NextWorkingDay(time(at)),
    };
    ReceiptRule { when, counts_as }
}
