//! Policies and events in few words.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDateTime;

use crate::calendar::{Calendar, CalendarSpec, Hours};
use crate::clock::{Cycle, Given, Phase, Timeline, derive, derive_at, derive_before_and_after};
use crate::model::{Event, EventFields, EventKind, EventTag, Request};
use crate::policy::{Clock, Condition, Policy, Reopen, Rule, Trigger};
use crate::target::{DayTime, Target};
use crate::time::{Instant, Span, TimeOfDay};
use crate::zone::TzData;

pub(crate) fn hour(text: &str) -> TimeOfDay {
    TimeOfDay::parse(text).unwrap()
}

/// Monday to Friday between two times, in a zone.
pub(crate) fn calendar(name: &str, zone: &str, opens: &str, closes: &str) -> Arc<Calendar> {
    let mut spec = CalendarSpec::new(name, zone);
    for day in &mut spec.week[..5] {
        *day = vec![Hours { opens: hour(opens), closes: hour(closes) }];
    }
    Arc::new(Calendar::compile(spec, &TzData::bundled()).unwrap())
}

pub(crate) fn rule(calendar: &Arc<Calendar>, target: Target) -> Rule {
    Rule {
        when: Vec::new(),
        calendar: calendar.clone(),
        receipt: Vec::new(),
        target,
        roll_forward: false,
        backstop: None,
        warn_at: Vec::new(),
        tables: crate::target::Tables::default(),
    }
}

pub(crate) fn when(mut rule: Rule, fact: &str, value: &str) -> Rule {
    rule.when.push(Condition { fact: fact.into(), values: vec![value.into()] });
    rule
}

/// A clock from `received` to `resolved`, paused by waiting for the customer.
pub(crate) fn clock(name: &str, rules: Vec<Rule>) -> Clock {
    Clock {
        name: name.into(),
        start: vec![Trigger::Event(EventTag::Received)],
        stop: vec![EventTag::Resolved],
        restart: Vec::new(),
        pause: vec!["waiting_customer".into()],
        reopen: Reopen::Remaining,
        rules,
        attainment: None,
        vendors: Vec::new(),
        index: Default::default(),
    }
}

/// A policy of these clocks, named `customer-care`, version 1.
pub(crate) fn policy(clocks: Vec<Clock>) -> Policy {
    let least = r#"
        [policy]
        name = "customer-care"
        version = 1
        [calendar.office]
        zone = "UTC"
        hours = { mon-fri = "09:00-17:00" }
        [[clock]]
        name = "resolution"
        calendar = "office"
        start = "received"
        stop = "resolved"
        target = { working = "8h" }
    "#;
    let mut body = Arc::into_inner(Policy::from_toml(least).unwrap().0).unwrap();
    body.clocks = clocks;
    Policy(Arc::new(body))
}

/// 8 h of working time, Monday to Friday 09:00–17:00 UTC; three working days as backstop; warnings at 50 and 75 %.
pub(crate) fn eight_hours() -> Rule {
    let office = calendar("office", "UTC", "09:00", "17:00");
    Rule {
        backstop: Some(Target::WorkingDays { days: 3, at: DayTime::Close }),
        warn_at: vec![50, 75],
        ..rule(&office, Target::Working(Span::from_hours(8)))
    }
}

/// An instant in UTC from `03-02 10:00` (a Monday of March 2026) or `03-02 10:00:01`.
pub(crate) fn at(text: &str) -> Instant {
    let text = if text.len() == 11 { format!("{text}:00") } else { text.to_owned() };
    let civil = NaiveDateTime::parse_from_str(&format!("2026-{text}"), "%Y-%m-%d %H:%M:%S").unwrap();
    Instant::from_secs(civil.and_utc().timestamp()).unwrap()
}

/// Events from lines like `03-02 10:00 paused waiting_customer`; what an event carries comes after its word.
pub(crate) fn events(lines: &str) -> Vec<Event> {
    lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(event).collect()
}

fn event(line: &str) -> Event {
    let words: Vec<&str> = line.split(' ').collect();
    let when = at(&words[..2].join(" "));
    let carried = words[3..].join(" ");
    let kind = match EventTag::from_word(words[2]).unwrap() {
        EventTag::Received => EventKind::Received,
        EventTag::Acknowledged => EventKind::Acknowledged,
        EventTag::Replied => EventKind::Replied,
        EventTag::CustomerReplied => EventKind::CustomerReplied,
        EventTag::Updated => EventKind::Updated,
        EventTag::Assigned => EventKind::Assigned { to: carried },
        EventTag::Paused => EventKind::Paused { reason: carried },
        EventTag::Resumed => EventKind::Resumed,
        EventTag::VendorContacted => EventKind::VendorContacted { vendor: carried },
        EventTag::VendorReplied => EventKind::VendorReplied { vendor: carried },
        EventTag::Promised => EventKind::Promised { due: at(&carried) },
        EventTag::Resolved => EventKind::Resolved,
        EventTag::Reopened => EventKind::Reopened,
        EventTag::Cancelled => EventKind::Cancelled,
        EventTag::Changed => {
            let (name, value) = carried.split_once('=').unwrap();
            EventKind::Changed { facts: BTreeMap::from([(name.to_owned(), value.to_owned())]) }
        }
        EventTag::Migrated => EventKind::Migrated { from: 1, to: 2 },
        tag => EventKind::from_fields(tag, EventFields::default()).unwrap(),
    };
    Event::new(kind, when)
}

/// A request received at Monday 2026-03-02 09:00 UTC.
pub(crate) fn monday() -> Request {
    Request::new("CASE-1", at("03-02 09:00")).priority("high")
}

pub(crate) fn short(instant: Instant) -> String {
    let text = instant.to_utc().format("%m-%d %H:%M:%S").to_string();
    text.strip_suffix(":00").unwrap_or(&text).to_owned()
}

/// One line for each cycle that has begun at `now`: number, stage, due and limit, and what is special about it.
pub(crate) fn lines(policy: &Policy, timeline: &Timeline, now: Instant) -> String {
    let started = timeline.cycles.iter().filter(|cycle| cycle.has_started(now));
    let lines: Vec<String> = started.map(|cycle| line(policy, cycle, now)).collect();
    lines.join("\n")
}

fn line(policy: &Policy, cycle: &Cycle, now: Instant) -> String {
    let mut line = format!("{}#{} {:?}", policy.clocks()[cycle.clock].name, cycle.number, cycle.stage(now));
    match cycle.phase {
        Phase::Paused { since, remaining } => {
            line += &format!(" since {}, {remaining} left", short(since));
        }
        Phase::NoDeadline(reason) => line += &format!(" {reason:?}"),
        _ => {}
    }
    for (word, instant) in [("due", cycle.due_at), ("limit", cycle.limit_at)] {
        if let Some(instant) = instant {
            line += &format!(" {word} {}", short(instant));
        }
    }
    if let Some(change) = cycle.late_by_change {
        line += &format!(" by change {}", short(change));
    }
    if let Some(change) = cycle.limit_by_change {
        line += &format!(" limit by change {}", short(change));
    }
    line
}

/// Wherever a batch cuts the events in two, both derivations are those of one at a time; also where later ones lie before.
fn check_before_and_after(policy: &Policy, events: &[Event]) {
    let (given, request) = (Given::policy(policy), monday());
    for turned in [false, true] {
        let mut events = events.to_vec();
        if turned {
            events.reverse();
        }
        for cut in 0..=events.len() {
            let (known, added) = events.split_at(cut);
            let both = derive_before_and_after(given, &request, known, &added.iter().collect::<Vec<_>>());
            assert_eq!(both, (derive(policy, &request, known), derive(policy, &request, &events)), "{cut}");
        }
    }
}

/// The life of [`monday`]'s request up to `now`, as [`lines`].
pub(crate) fn life(policy: &Policy, text: &str, now: &str) -> String {
    let now = at(now);
    check_before_and_after(policy, &events(text));
    lines(policy, &derive_at(policy, &monday(), &events(text), now), now)
}

/// The thresholds of all cycles, as `kind instant`, with `by change`.
pub(crate) fn crossings(policy: &Policy, text: &str) -> Vec<String> {
    let timeline = derive(policy, &monday(), &events(text));
    let thresholds = timeline.cycles.iter().flat_map(Cycle::thresholds);
    let words = thresholds.map(|threshold| {
        let by_change = if threshold.by_change { " by change" } else { "" };
        format!("{:?} {}{by_change}", threshold.kind, short(threshold.at))
    });
    words.collect()
}
