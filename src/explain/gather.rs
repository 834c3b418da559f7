//! Collects what an explanation says. Nothing is worked out a second time: instants are those of the derivation, and
//! the proof is asked for with the pauses that the derivation counted.

use super::{ChangeStory, CycleStory, Explanation, RuleNote, WarningStory};
use crate::attainment::Outcome;
use crate::calendar::Calendar;
use crate::clock::{Cycle, Given, Phase, RequestState, Timeline, derive_given};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, EventKind, EventTag, Facts, Request};
use crate::policy::{Clock, Mismatch, Policy, Reopen, Rule, Trigger};
use crate::target::{Moment, Trace};
use crate::time::Instant;

/// Why the clock of this name stands where it stands at `now`.
///
/// `policy` is the version the request is pinned to. `events` may come in any order; later ones than `now` are left
/// out.
///
/// # Errors
/// `NotFound` if the policy has no such clock.
pub fn explain(
    policy: &Policy,
    request: &Request,
    events: &[Event],
    clock: &str,
    now: Instant,
) -> Result<Explanation> {
    explain_given(Given::policy(policy), request, events, clock, now)
}

/// The same of a request that went from one version of the policy to another, beside interruptions. What happened or
/// was declared later than `now` is left out.
pub(crate) fn explain_given(
    given: Given<'_>,
    request: &Request,
    events: &[Event],
    clock: &str,
    now: Instant,
) -> Result<Explanation> {
    let policy = in_force(given, events, now);
    let found = policy.clock(clock)?;
    let index = policy.clocks().iter().position(|other| other.name == found.name);
    let (Some(index), Some(calendar)) = (index, calendar_of(policy, found)) else {
        return Err(Error::new(ErrorKind::NotFound, format!("clock `{clock}`: has no rule and no calendar")));
    };
    let timeline = derive_given(given, request, events, Some(now));
    let mut events: Vec<&Event> = events.iter().filter(|event| event.at <= now).collect();
    events.sort_by_key(|event| event.at);
    let story = Story { given, policy, request, events, clock: found, calendar, timeline: &timeline, now };
    let cycles = timeline.cycles_of(index);
    let begun = |cycle: &&Cycle| cycle.has_started(now);
    Ok(Explanation {
        request: request.id.clone(),
        clock: found.name.clone(),
        policy: policy.title(),
        tzdb: calendar.tz_version().to_owned(),
        zone: calendar.zone().name().to_owned(),
        now: story.moment(now),
        received_at: story.moment(request.received_at),
        facts: timeline.facts.clone(),
        state: timeline.state,
        vendors: found.vendors.clone(),
        refusal: story.refusal(),
        rules: rule_notes(found, &timeline.facts),
        cycles: cycles.iter().filter(begun).map(|cycle| story.cycle(cycles, cycle)).collect(),
        arms_at: cycles.iter().find(|cycle| !begun(cycle)).map(|cycle| story.moment(cycle.started_at)),
        verdict: Outcome::of(cycles, now).verdict,
    })
}

/// The version of the policy in force at `at`; `events` in any order.
fn in_force<'g, 'e>(
    given: Given<'g>,
    events: impl IntoIterator<Item = &'e Event>,
    at: Instant,
) -> &'g Policy {
    let moves = events.into_iter().filter_map(|event| match event.kind {
        EventKind::Migrated { to, .. } if event.at <= at => Some((event.at, to)),
        _ => None,
    });
    let last = moves.max_by_key(|(at, _)| *at).map(|(_, to)| to);
    let moved = given.editions.iter().find(|(edition, _)| Some(*edition) == last);
    moved.map_or(given.policy, |(_, policy)| policy)
}

/// The calendar whose zone the explanation speaks in.
fn calendar_of<'a>(policy: &'a Policy, clock: &'a Clock) -> Option<&'a Calendar> {
    let own = clock.rules.first().map(|rule| &rule.calendar);
    own.or_else(|| policy.calendars().first()).map(|calendar| &**calendar)
}

fn rule_notes(clock: &Clock, facts: &Facts) -> Vec<RuleNote> {
    let matched = clock.match_rules(facts);
    let note = |(index, rule): (usize, &Rule)| {
        let lost = matched.considered.iter().find(|(at, _)| *at == index).map(|(_, why)| match why {
            Mismatch::ComesLater => "an earlier rule matches".to_owned(),
            Mismatch::Differs { fact, found: Some(found) } => format!("{fact} is `{found}`"),
            Mismatch::Differs { fact, found: None } => format!("the request has no {fact}"),
        });
        RuleNote { index, asks: asks(rule), lost }
    };
    clock.rules.iter().enumerate().map(note).collect()
}

/// What a rule asks of a request: ``priority is `high` or `urgent` ``.
fn asks(rule: &Rule) -> String {
    let conditions: Vec<String> = rule
        .when
        .iter()
        .map(|condition| {
            let values: Vec<String> = condition.values.iter().map(|value| format!("`{value}`")).collect();
            format!("{} is {}", condition.fact, values.join(" or "))
        })
        .collect();
    if conditions.is_empty() { "any request".to_owned() } else { conditions.join(" and ") }
}

struct Story<'a> {
    given: Given<'a>,
    /// In force at `now`.
    policy: &'a Policy,
    request: &'a Request,
    events: Vec<&'a Event>,
    clock: &'a Clock,
    calendar: &'a Calendar,
    timeline: &'a Timeline,
    now: Instant,
}

/// A stretch of time in which the clock stood still, as the proof takes it.
type Stop = (Instant, Option<Instant>, String);

impl Story<'_> {
    /// The version that the cycle went by: the one in force when it was finished.
    fn policy_of(&self, cycle: &Cycle) -> &Policy {
        let until = cycle.finished_at().unwrap_or(self.now);
        in_force(self.given, self.events.iter().copied(), until)
    }

    fn moment(&self, at: Instant) -> Moment {
        let abbreviation = self.calendar.zone().abbreviation_at(at).into();
        Moment { at, local: self.calendar.local(at), abbreviation }
    }

    fn cycle(&self, all: &[Cycle], cycle: &Cycle) -> CycleStory {
        let policy = self.policy_of(cycle);
        let rule = cycle.rule(policy);
        let moment = |at: Option<Instant>| at.map(|at| self.moment(at));
        let trace = rule.map(|rule| self.trace(all, cycle, rule));
        let until = cycle.finished_at().unwrap_or(self.now);
        let is_move = |event: &&&Event| matches!(event.kind, EventKind::Migrated { .. });
        let is_moved =
            self.events.iter().filter(is_move).any(|event| cycle.due_at.is_some_and(|due| due < event.at));
        CycleStory {
            number: cycle.number,
            begun_by: self.begun_by(cycle),
            started_at: self.moment(cycle.started_at),
            stage: cycle.stage(self.now),
            phase: cycle.phase,
            finished_at: moment(cycle.finished_at()),
            rule: cycle.rule,
            due_at: moment(cycle.due_at),
            limit_at: moment(cycle.limit_at),
            late_by_change: moment(cycle.late_by_change),
            limit_by_change: moment(cycle.limit_by_change),
            warnings: cycle
                .warnings
                .iter()
                .map(|warning| WarningStory {
                    percent: warning.percent,
                    at: self.moment(warning.at),
                    passed: warning.threshold().passed(until),
                    by_change: warning.by_change,
                })
                .collect(),
            remaining: cycle.remaining(policy, self.now),
            measure: rule.map(Rule::measure),
            changes: self.changes(cycle),
            nothing_remained: nothing_remained(all, cycle),
            departs: trace.as_ref().and_then(|trace| departs(cycle, trace, is_moved)),
            waived: self.waived(cycle),
            trace,
        }
    }

    fn waived(&self, cycle: &Cycle) -> Option<String> {
        let mut waivers = self.timeline.waivers.iter();
        let waiver = waivers.find(|waiver| waiver.clock == cycle.clock && waiver.cycle == cycle.number)?;
        let (by, reason) = (by(waiver.by.as_ref()), why(waiver.reason.as_ref()));
        let left_out = "it is left out of the adjusted figure";
        Some(format!("{}{by}{reason}; {left_out}", self.moment(waiver.at)))
    }

    fn refusal(&self) -> Option<String> {
        let refusal = self.timeline.refusal.as_ref()?;
        let (proposed_by, reason) = (by(refusal.proposed_by.as_ref()), why(refusal.reason.as_ref()));
        let proposed = format!("proposed {}{proposed_by}{reason}", self.moment(refusal.proposed_at));
        Some(match refusal.approved_at {
            Some(at) => {
                format!("{proposed}; approved {}{}", self.moment(at), by(refusal.approved_by.as_ref()))
            }
            None => format!("{proposed}; waits for a second person, and clocks run on"),
        })
    }

    /// The proof under the cycle's rule, with every stop that the derivation counted.
    fn trace(&self, all: &[Cycle], cycle: &Cycle, rule: &Rule) -> Trace {
        let stops = self.stops(all, cycle);
        let trace = rule.trace(cycle.received_as, &stops, cycle.promised);
        let policy = self.policy_of(cycle);
        trace.of_policy(policy.name(), policy.version())
    }

    /// What stopped the cycle, and those before it whose time it continues.
    fn stops(&self, all: &[Cycle], cycle: &Cycle) -> Vec<Stop> {
        let mut stops: Vec<Stop> = Vec::new();
        let mut closed_since: Option<Instant> = None;
        let chain = all.iter().filter(|other| {
            other.number <= cycle.number
                && other.received_as == cycle.received_as
                && !superseded(other, cycle)
        });
        for link in chain {
            if let Some(closed) = closed_since {
                stops.push((closed, Some(link.started_at), "closed".to_owned()));
            }
            closed_since = link.finished_at();
            for hold in &self.timeline.holds {
                let stops_clock = self.clock.pause.contains(&hold.reason);
                let from = hold.from.max(link.started_at);
                let to = match (hold.to, link.finished_at()) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                if stops_clock && to.is_none_or(|to| from < to) && (link.is_open() || to.is_some()) {
                    stops.push((from, to, hold.reason.clone()));
                }
            }
            for stretch in &link.interruptions {
                let reason = format!("interruption {} ({})", stretch.number, stretch.category);
                stops.push((stretch.from, stretch.to, reason));
            }
        }
        apart(stops)
    }

    fn begun_by(&self, cycle: &Cycle) -> String {
        if cycle.reopened || (self.clock.reopen == Reopen::Full && self.reopened_at(cycle.started_at)) {
            return "reopening".to_owned();
        }
        if cycle.armed {
            let armed = self.clock.start.iter().find_map(|trigger| match trigger {
                Trigger::Event(_) => None,
                Trigger::Late(clock) => Some((*clock, "late")),
                Trigger::Breached(clock) => Some((*clock, "breached")),
            });
            let (index, word) = armed.unwrap_or((0, "late"));
            let name = self.policy.clocks().get(index).map_or("another", |clock| clock.name.as_str());
            return format!("clock \"{name}\" being {word}");
        }
        let begins = |tag: EventTag| {
            self.clock.start.contains(&Trigger::Event(tag)) || self.clock.restart.contains(&tag)
        };
        let concerns = |kind: &EventKind| match kind {
            EventKind::VendorContacted { vendor } | EventKind::VendorReplied { vendor } => {
                self.clock.is_about_vendor(vendor)
            }
            _ => true,
        };
        let at_start = |event: &&&Event| {
            event.at == cycle.started_at && begins(event.kind.tag()) && concerns(&event.kind)
        };
        match self.events.iter().find(at_start) {
            Some(event) if cycle.started_at != self.request.received_at || !begins(EventTag::Received) => {
                format!("`{}`", event.kind.tag().word())
            }
            _ => "the receipt".to_owned(),
        }
    }

    fn reopened_at(&self, at: Instant) -> bool {
        self.events.iter().any(|event| event.at == at && event.kind == EventKind::Reopened)
    }

    /// Changes of facts and promises from the start of the cycle to its end.
    fn changes(&self, cycle: &Cycle) -> Vec<ChangeStory> {
        let mut facts = self.request.facts();
        let mut changes = Vec::new();
        let until = cycle.finished_at().unwrap_or(self.now);
        for event in &self.events {
            let within = event.at >= cycle.started_at && event.at <= until;
            let (what, effect) = match &event.kind {
                EventKind::Changed { facts: changed } => {
                    let before = self.clock.rule_for(&facts).map(|(index, _)| index);
                    for (name, value) in changed {
                        facts.set(name.as_str(), value.as_str());
                    }
                    let after = self.clock.rule_for(&facts).map(|(index, _)| index);
                    (said(changed.iter()), self.effect(cycle, event.at, before, after))
                }
                EventKind::Expedited { .. } | EventKind::ExpediteWithdrawn => {
                    let before = self.clock.rule_for(&facts).map(|(index, _)| index);
                    let Some(what) = expedited(&mut facts, event) else { continue };
                    let after = self.clock.rule_for(&facts).map(|(index, _)| index);
                    (what, self.effect(cycle, event.at, before, after))
                }
                EventKind::Promised { due } if cycle.promised == Some(*due) => {
                    (format!("promised {}", self.moment(*due)), "this is what it waits for".to_owned())
                }
                _ => continue,
            };
            if within {
                changes.push(ChangeStory { at: self.moment(event.at), what, effect });
            }
        }
        changes
    }

    fn effect(&self, cycle: &Cycle, at: Instant, before: Option<usize>, after: Option<usize>) -> String {
        let missed_before = cycle.due_threshold().is_some_and(|due| due.at < at);
        let limit_moved = missed_before && cycle.limit_rule == after && cycle.limit_rule != cycle.rule;
        match after {
            _ if before == after => "the same rule counts".to_owned(),
            _ if limit_moved => "due had passed and stays; the limit is worked out anew".to_owned(),
            _ if missed_before => "due had passed and stays".to_owned(),
            None => "no rule matches any more".to_owned(),
            Some(_) if cycle.late_by_change == Some(at) => {
                "worked out anew from the start; by that it was due already".to_owned()
            }
            Some(rule) => format!("rule {} counts, worked out anew from the start", rule + 1),
        }
    }
}

/// The same stops without overlaps: what two of them cover counts once, for the one that began first.
fn apart(mut stops: Vec<Stop>) -> Vec<Stop> {
    stops.sort_by_key(|(from, ..)| *from);
    let mut last: Option<Instant> = Some(Instant::MIN);
    stops.retain_mut(|(from, to, _)| {
        let Some(since) = last else { return false };
        *from = since.max(*from);
        let counts = to.is_none_or(|to| to > *from);
        if counts {
            last = *to;
        }
        counts
    });
    stops
}

/// What an expedite, or its end, changes; `None` if it changes nothing.
fn expedited(facts: &mut Facts, event: &Event) -> Option<String> {
    let was = facts.get(Facts::EXPEDITE).is_some();
    match &event.kind {
        EventKind::Expedited { approved_by } if !was => {
            facts.set(Facts::EXPEDITE, "yes");
            let approved = approved_by.as_ref().map(|who| format!(", approved by {who}"));
            Some(format!("expedited{}{}", by(event.by.as_ref()), approved.unwrap_or_default()))
        }
        EventKind::ExpediteWithdrawn if was => {
            facts.set(Facts::EXPEDITE, "");
            Some(format!("the expedite was given back{}", by(event.by.as_ref())))
        }
        _ => None,
    }
}

fn by(actor: Option<&String>) -> String {
    actor.map(|actor| format!(" by {actor}")).unwrap_or_default()
}

fn why(reason: Option<&String>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

/// A cycle whose promise was replaced is no part of the next one's time, even if both began in one second.
fn superseded(other: &Cycle, cycle: &Cycle) -> bool {
    other.number < cycle.number && !cycle.reopened
}

/// `priority is now high`, `priority is no longer known`.
fn said<'a>(facts: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let parts = facts.map(|(name, value)| {
        if value.is_empty() {
            format!("{name} is no longer known")
        } else {
            format!("{name} is now `{value}`")
        }
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// Whether an earlier cycle whose time this one continues was missed.
fn nothing_remained(all: &[Cycle], cycle: &Cycle) -> bool {
    let missed = |other: &Cycle| {
        other.number < cycle.number
            && other.received_as == cycle.received_as
            && matches!(other.phase, Phase::Missed { .. })
    };
    cycle.reopened && all.iter().any(missed)
}

/// Why the cycle's due instant is not the one that the proof leads to.
fn departs(cycle: &Cycle, trace: &Trace, is_moved: bool) -> Option<String> {
    let due = cycle.due_at?;
    if trace.due() == Ok(due) {
        return None;
    }
    let why = if is_moved {
        "it was missed under the version of the policy before"
    } else if cycle.promised.is_some() {
        "time on hold before the promise does not move it"
    } else {
        "it cannot fall due while it stands still"
    };
    Some(why.to_owned())
}

impl Explanation {
    /// Whether the request is still open.
    pub fn is_open(&self) -> bool {
        self.state == RequestState::Open
    }
}
