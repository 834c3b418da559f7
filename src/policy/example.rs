//! Worked examples: an agreement that contradicts its own examples is not read.

use std::sync::Arc;

use chrono::NaiveDateTime;

use super::doc::{At, ExampleDoc, MomentText, PolicyDoc};
use super::text::{Fault, position};
use super::words::{shown, unknown};
use super::{Clock, Rule, Trigger, calendars};
use crate::calendar::Calendar;
use crate::model::Facts;
use crate::target::{Due, NoDeadline};
use crate::time::Instant;
use crate::zone::Edge;

/// Runs every example of the document.
pub(super) fn run(
    text: &str,
    doc: &PolicyDoc,
    calendars: &[Arc<Calendar>],
    clocks: &[Clock],
) -> Result<(), Fault> {
    for example in doc.example.iter().flatten() {
        let index = example.value.calendar.as_ref().map_or(Ok(0), |name| calendars::find(doc, name))?;
        let Some(calendar) = calendars.get(index) else { continue };
        Run { text, doc, calendar, clocks }.example(example)?;
    }
    Ok(())
}

/// The facts that an example names.
pub(super) fn facts(example: &ExampleDoc) -> Facts {
    let mut facts = Facts::none();
    for (name, value) in example.when.iter().flat_map(|when| &when.0) {
        facts.set(name.value.clone(), value.value.0.clone());
    }
    facts
}

/// The instant that a clock of an example counts from: its start, where nothing but `received` happens.
pub(super) fn start_of(clocks: &[Clock], clock: &Clock, received: Instant, facts: &Facts) -> Due {
    let mut earliest: Due = Err(NoDeadline::NoRule);
    for trigger in &clock.start {
        let (other, limit) = match trigger {
            Trigger::Event(_) => return Ok(received),
            Trigger::Late(other) => (*other, false),
            Trigger::Breached(other) => (*other, true),
        };
        // Clocks do not start each other in a circle, so this ends.
        let Some(other) = clocks.get(other) else { continue };
        let armed = due_and_limit(clocks, other, received, facts);
        let at = if limit { armed.limit.unwrap_or(armed.due) } else { armed.due };
        earliest = match (earliest, at) {
            (Ok(earliest), Ok(at)) => Ok(earliest.min(at)),
            (Err(_), at) => at,
            (earliest, Err(_)) => earliest,
        };
    }
    earliest
}

struct Outcome<'a> {
    rule: Option<(usize, &'a Rule)>,
    due: Due,
    limit: Option<Due>,
}

fn due_and_limit<'a>(clocks: &[Clock], clock: &'a Clock, received: Instant, facts: &Facts) -> Outcome<'a> {
    let rule = clock.rule_for(facts);
    let (start, chosen) = match (start_of(clocks, clock, received, facts), rule) {
        (Ok(start), Some((_, rule))) => (start, rule),
        (Ok(_), None) => return Outcome { rule, due: Err(NoDeadline::NoRule), limit: None },
        (Err(reason), _) => return Outcome { rule, due: Err(reason), limit: None },
    };
    Outcome { rule, due: chosen.due(start), limit: chosen.limit(start) }
}

struct Run<'a> {
    text: &'a str,
    doc: &'a PolicyDoc,
    calendar: &'a Calendar,
    clocks: &'a [Clock],
}

impl Run<'_> {
    fn example(&self, example: &At<ExampleDoc>) -> Result<(), Fault> {
        let received = self.moment(&example.value.received)?.ok_or_else(|| {
            Fault::new(
                example.value.received.at,
                "`received` must be a time like \"2026-03-06 15:00\"; found \"none\"",
            )
        })?;
        let facts = facts(&example.value);
        let expected = [("due", &example.value.due), ("limit", &example.value.limit)];
        if expected.iter().all(|(_, map)| map.as_ref().is_none_or(|map| map.0.is_empty())) {
            return Err(Fault::new(
                example.at,
                "the example expects nothing; give `due` or `limit` by clock",
            ));
        }
        for (what, map) in expected {
            for (name, moment) in map.iter().flat_map(|map| &map.0) {
                let names: Vec<&str> = self.clocks.iter().map(|clock| clock.name.as_str()).collect();
                let index = names.iter().position(|known| *known == name.value);
                let index =
                    index.ok_or_else(|| Fault::new(name.at, unknown("clock", &name.value, &names)))?;
                let Some(clock) = self.clocks.get(index) else { continue };
                let outcome = due_and_limit(self.clocks, clock, received, &facts);
                let found = if what == "due" { Some(outcome.due) } else { outcome.limit };
                let wanted = self.moment(moment)?;
                if found.and_then(Due::ok) != wanted {
                    let wanted = wanted
                        .map_or(format!("no {what}"), |wanted| format!("{what} {}", self.shown(wanted)));
                    let found = match found {
                        Some(Ok(found)) => format!("gives {what} {}", self.shown(found)),
                        Some(Err(reason)) => format!("gives none: {reason}"),
                        None => format!("gives no {what}"),
                    };
                    let rule = self.rule(index, outcome.rule);
                    let clock = shown(&clock.name);
                    let named = example
                        .value
                        .name
                        .as_ref()
                        .map_or(String::new(), |name| format!(" `{}`", shown(&name.0)));
                    return Err(Fault::new(
                        moment.at,
                        format!(
                            "the example{named} expects {wanted} for clock `{clock}`, but {rule} {found}"
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Names a rule by its place.
    fn rule(&self, clock: usize, rule: Option<(usize, &Rule)>) -> String {
        let Some((number, _)) = rule else { return "no rule matches and it".into() };
        let Some(written) = self.doc.clock.get(clock) else { return "the clock".into() };
        let at = match written.value.rules.as_ref().and_then(|rules| rules.get(number)) {
            Some(rule) => rule.at,
            None => written.value.target.as_ref().map_or(written.at, |target| target.at),
        };
        format!("the rule in line {}", position(self.text, at).line)
    }

    /// `None` for the word `none`.
    fn moment(&self, written: &At<MomentText>) -> Result<Option<Instant>, Fault> {
        let text = written.value.0.trim();
        if text == "none" {
            return Ok(None);
        }
        let wrong = || {
            let allowed = "a time like \"2026-03-06 15:00\" in the calendar's zone, \
             \"2026-03-06T15:00:00+03:00\" or \"none\"";
            Fault::new(written.at, format!("\"{}\" must be {allowed}", shown(text)))
        };
        let civil = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        let instant = match civil {
            Some(civil) => Instant::from_secs(self.calendar.zone().from_local(civil, Edge::Open)),
            None => match Instant::parse(text) {
                Err(error) if error.kind() == crate::error::ErrorKind::InvalidArgument => return Err(wrong()),
                parsed => parsed,
            },
        };
        instant
            .map(Some)
            .map_err(|_| Fault::new(written.at, format!("\"{}\" must lie in 1970 to 2099", shown(text))))
    }

    fn shown(&self, at: Instant) -> String {
        let local = self.calendar.local(at);
        let seconds = if at.as_secs() % 60 == 0 { "" } else { ":%S" };
        let form = format!("%a %Y-%m-%d %H:%M{seconds}");
        format!("{} {}", local.format(&form), self.calendar.zone().abbreviation_at(at))
    }
}
