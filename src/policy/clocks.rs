//! From written clocks to the engine's.

use std::sync::Arc;

use super::calendars;
use super::doc::{
    At, ClockDoc, HandlingWord, PeriodWord, PolicyDoc, ReceiptDoc, ReopenWord, RuleDoc, TargetDoc,
};
use super::matching::Index;
use super::read::{Many, Name, Percent};
use super::targets::{receipt, target, waits_for_promise};
use super::text::{Fault, position};
use super::words::{list, shown, unknown};
use super::{AttainmentGoal, Clock, Condition, Handling, Interruption, Period, Reopen, Rule, Trigger};
use crate::calendar::Calendar;
use crate::model::EventTag;
use crate::target::{ReceiptRule, Tables, Target};

/// Most clocks of a policy.
pub(super) const MAX_CLOCKS: usize = 64;
/// Most rules of a policy, over all clocks.
pub(super) const MAX_RULES: usize = 1_000;

/// Most values of one condition.
const MAX_VALUES: usize = 1_000;

/// What clocks are built with.
pub(super) struct Builder<'a> {
    pub(super) text: &'a str,
    pub(super) doc: &'a PolicyDoc,
    pub(super) calendars: &'a [Arc<Calendar>],
}

impl Builder<'_> {
    /// The clocks, in the order of the text.
    pub(super) fn clocks(&self) -> Result<Vec<Clock>, Fault> {
        let written = &self.doc.clock;
        if written.is_empty() {
            return Err(Fault::new(
                0,
                "the policy has no clocks; a promise is a [[clock]] with name, start, stop and target",
            ));
        }
        if let Some(extra) = written.get(MAX_CLOCKS) {
            return Err(Fault::new(
                extra.at,
                format!("the policy has {} clocks: at most {MAX_CLOCKS} are allowed", written.len()),
            ));
        }
        let mut rules = 0;
        for clock in written {
            rules +=
                clock.value.rules.as_ref().map_or(0, Vec::len) + usize::from(clock.value.target.is_some());
            if rules > MAX_RULES {
                let message =
                    format!("the policy has {rules} rules up to here: at most {MAX_RULES} are allowed");
                return Err(Fault::new(clock.at, message));
            }
        }
        for (number, clock) in written.iter().enumerate() {
            let name = &clock.value.name;
            if name.value.0.contains('.') || EventTag::from_word(&name.value.0).is_some() {
                let message = "a clock's name must not contain a dot nor be the name of an event, since \
                 `start` names both";
                return Err(Fault::new(name.at, format!("`{}`: {message}", shown(&name.value.0))));
            }
            let twin = written.iter().take(number).find(|other| other.value.name.value.0 == name.value.0);
            if let Some(twin) = twin {
                let line = self.line(twin.value.name.at);
                return Err(Fault::new(
                    name.at,
                    format!("the clock `{}` is already defined in line {line}", shown(&name.value.0)),
                ));
            }
        }
        let clocks: Vec<Clock> = written.iter().map(|clock| self.clock(clock)).collect::<Result<_, _>>()?;
        self.check_arming(&clocks)?;
        Ok(clocks)
    }

    fn clock(&self, written: &At<ClockDoc>) -> Result<Clock, Fault> {
        let doc = &written.value;
        let start =
            doc.start.as_slice().iter().map(|word| self.trigger(word)).collect::<Result<Vec<_>, _>>()?;
        if start.is_empty() {
            return Err(Fault::new(
                written.at,
                format!(
                    "the clock `{}` has an empty `start`: name at least one event",
                    shown(&doc.name.value.0)
                ),
            ));
        }
        let (mut stop, mut restart) = (events(&doc.stop)?, events(&doc.restart)?);
        self.check_ends(doc, &start, &stop, &restart)?;
        // What `activity` stands for leaves out what the clock names otherwise.
        let (named_stop, named_restart) = (stop.named, restart.named);
        stop.activity.retain(|tag| {
            !named_stop.contains(tag)
                && !named_restart.contains(tag)
                && !start.contains(&Trigger::Event(*tag))
        });
        restart.activity.retain(|tag| !named_restart.contains(tag) && !named_stop.contains(tag));
        let stop = [named_stop, stop.activity].concat();
        let restart = [named_restart, restart.activity].concat();
        if stop.is_empty() && restart.is_empty() {
            return Err(Fault::new(
                written.at,
                format!(
                    "the clock `{}` has no `stop`, which is required unless it has `restart`",
                    shown(&doc.name.value.0)
                ),
            ));
        }
        self.check_vendors(doc, &start, &stop, &restart)?;
        let rules = self.rules(written, &start)?;
        let reopen = match doc.reopen {
            Some(ReopenWord::Remaining) => Reopen::Remaining,
            Some(ReopenWord::Full) => Reopen::Full,
            Some(ReopenWord::None) => Reopen::None,
            None if restart.is_empty() => Reopen::Remaining,
            None => Reopen::Full,
        };
        Ok(Clock {
            name: doc.name.value.0.clone(),
            start,
            stop,
            restart,
            pause: doc.pause.iter().flat_map(Many::as_slice).map(|reason| reason.value.0.clone()).collect(),
            reopen,
            vendors: vendors(doc),
            index: Index::of(&rules),
            rules,
            attainment: doc.attainment.as_ref().map(|goal| AttainmentGoal {
                share_bp: goal.share.value.0,
                per: match goal.per {
                    PeriodWord::Month => Period::Month,
                    PeriodWord::Quarter => Period::Quarter,
                    PeriodWord::Year => Period::Year,
                },
            }),
        })
    }

    /// No event may both start and finish a clock, or finish it in two ways.
    fn check_ends(
        &self,
        doc: &ClockDoc,
        start: &[Trigger],
        stop: &Ends,
        restart: &Ends,
    ) -> Result<(), Fault> {
        let ends = [("stop", &doc.stop, stop), ("restart", &doc.restart, restart)];
        if !stop.activity.is_empty() && !restart.activity.is_empty() {
            let word = doc.restart.iter().flat_map(Many::as_slice).find(|word| word.value.0 == ACTIVITY);
            let at = word.map_or(doc.name.at, |word| word.at);
            return Err(Fault::new(at, format!("`{ACTIVITY}` is both a `stop` and a `restart`")));
        }
        for (key, written, tags) in ends {
            let words = written.iter().flat_map(Many::as_slice).filter(|word| word.value.0 != ACTIVITY);
            for (word, tag) in words.zip(&tags.named) {
                let word_text = tag.word();
                if *tag == EventTag::Received {
                    return Err(Fault::new(
                        word.at,
                        format!("`received` happens once, at the start, and cannot be a `{key}`"),
                    ));
                }
                if key == "stop" && start.contains(&Trigger::Event(*tag)) {
                    return Err(Fault::new(
                        word.at,
                        format!(
                            "`{word_text}` is both a `start` and a `stop`; `restart` finishes a cycle \
                             and starts the next"
                        ),
                    ));
                }
                if key == "restart" && stop.named.contains(tag) {
                    return Err(Fault::new(
                        word.at,
                        format!("`{word_text}` is both a `stop` and a `restart`"),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Vendors can be named only where vendor events matter.
    fn check_vendors(
        &self,
        doc: &ClockDoc,
        start: &[Trigger],
        stop: &[EventTag],
        restart: &[EventTag],
    ) -> Result<(), Fault> {
        let Some(vendors) = &doc.vendor else { return Ok(()) };
        let about = [EventTag::VendorContacted, EventTag::VendorReplied];
        let matters = |tag: &EventTag| {
            start.contains(&Trigger::Event(*tag)) || stop.contains(tag) || restart.contains(tag)
        };
        if vendors.value.as_slice().is_empty() {
            return Err(Fault::new(vendors.at, "`vendor` names no vendor; leave it out for any vendor"));
        }
        if !about.iter().any(matters) {
            let message = "`vendor` is for clocks that vendor events start, stop or restart; this one knows \
                           neither `vendor_contacted` nor `vendor_replied`";
            return Err(Fault::new(vendors.at, message));
        }
        Ok(())
    }

    /// The event or threshold that a word of `start` names.
    fn trigger(&self, word: &At<Name>) -> Result<Trigger, Fault> {
        let text = word.value.0.as_str();
        let Some((clock, threshold)) = text.rsplit_once('.') else {
            let or_clock = "; a clock's name with `.late` or `.breached` is allowed too";
            return event(word, or_clock).map(Trigger::Event);
        };
        let names: Vec<&str> = self.doc.clock.iter().map(|clock| clock.value.name.value.0.as_str()).collect();
        let index = names.iter().position(|name| *name == clock);
        match (index, threshold) {
            (Some(index), "late") => Ok(Trigger::Late(index)),
            (Some(index), "breached") => Ok(Trigger::Breached(index)),
            (Some(_), _) => Err(Fault::new(
                word.at,
                format!(
                    "`{}`: a clock can be started by `{}.late` or `{}.breached` of another",
                    shown(text),
                    shown(clock),
                    shown(clock)
                ),
            )),
            (None, _) => Err(Fault::new(word.at, unknown("clock", clock, &names))),
        }
    }

    /// Clocks must not start each other in a circle.
    fn check_arming(&self, clocks: &[Clock]) -> Result<(), Fault> {
        let armed_by = |clock: usize| {
            let start = clocks.get(clock).map_or(&[][..], |clock| clock.start.as_slice());
            start.iter().filter_map(|trigger| match trigger {
                Trigger::Event(_) => None,
                Trigger::Late(other) | Trigger::Breached(other) => Some(*other),
            })
        };
        for first in 0..clocks.len() {
            let (mut seen, mut open) = (vec![false; clocks.len()], armed_by(first).collect::<Vec<_>>());
            while let Some(clock) = open.pop() {
                if clock == first {
                    let Some(written) = self.doc.clock.get(first) else { continue };
                    let at = written.value.start.as_slice().first().map_or(written.at, |word| word.at);
                    let name = shown(&written.value.name.value.0);
                    return Err(Fault::new(
                        at,
                        format!(
                            "the clock `{name}` is started by itself, directly or through others: it \
                             would never start"
                        ),
                    ));
                }
                if let Some(seen) = seen.get_mut(clock).filter(|seen| !**seen) {
                    *seen = true;
                    open.extend(armed_by(clock));
                }
            }
        }
        Ok(())
    }

    /// The rules of a clock: those written, then its own target for all other requests.
    fn rules(&self, written: &At<ClockDoc>, start: &[Trigger]) -> Result<Vec<Rule>, Fault> {
        let clock = &written.value;
        let name = shown(&clock.name.value.0);
        let listed = clock.rules.as_deref().unwrap_or_default();
        if clock.target.is_none() && listed.is_empty() {
            return Err(Fault::new(
                written.at,
                format!("the clock `{name}` has neither `target` nor `rules`"),
            ));
        }
        let promised = start.contains(&Trigger::Event(EventTag::Promised));
        let mut rules: Vec<Rule> = Vec::with_capacity(listed.len() + 1);
        for (number, rule) in listed.iter().enumerate() {
            let built = self.rule(clock, rule, promised)?;
            let last = number + 1 == listed.len() && clock.target.is_none();
            if built.when.is_empty() && !last {
                let message = "a rule without `when` holds for every request, so the ones after it and \
                 the clock's own target are never used";
                return Err(Fault::new(rule.at, message));
            }
            if let Some(other) = rules.iter().position(|earlier| covers(earlier, &built)) {
                let line = listed.get(other).map_or(0, |other| self.line(other.at));
                return Err(Fault::new(
                    rule.at,
                    format!(
                        "the rule is never used: whatever it matches, the rule in line {line} matches first"
                    ),
                ));
            }
            rules.push(built);
        }
        if let Some(target) = &clock.target {
            let parts = Parts {
                when: Vec::new(),
                target,
                backstop: clock.backstop.as_ref(),
                calendar: self.calendar(clock.calendar.as_ref(), written.at)?,
                receipt: clock.receipt.as_deref(),
                roll_forward: clock.roll_forward,
                warn_at: clock.warn_at.as_ref(),
            };
            rules.push(parts.into_rule(promised)?);
        }
        Ok(rules)
    }

    fn rule(&self, clock: &ClockDoc, written: &At<RuleDoc>, promised: bool) -> Result<Rule, Fault> {
        let rule = &written.value;
        let Some(target) = rule.target.as_ref().or(clock.target.as_ref()) else {
            return Err(Fault::new(written.at, "the rule has no `target`, and its clock has none either"));
        };
        let parts = Parts {
            when: conditions(rule)?,
            target,
            backstop: rule.backstop.as_ref().or(clock.backstop.as_ref()),
            calendar: self.calendar(rule.calendar.as_ref().or(clock.calendar.as_ref()), written.at)?,
            receipt: rule.receipt.as_deref().or(clock.receipt.as_deref()),
            roll_forward: rule.roll_forward.or(clock.roll_forward),
            warn_at: rule.warn_at.as_ref().or(clock.warn_at.as_ref()),
        };
        parts.into_rule(promised)
    }

    /// The calendar of this name, or the only one.
    fn calendar(&self, name: Option<&At<Name>>, at: u32) -> Result<Arc<Calendar>, Fault> {
        let index = match (name, self.calendars.len()) {
            (Some(name), _) => calendars::find(self.doc, name)?,
            (None, 1) => 0,
            (None, count) => {
                let names: Vec<&str> =
                    self.doc.calendar.0.iter().map(|(name, _)| name.value.as_str()).collect();
                return Err(Fault::new(
                    at,
                    format!("no `calendar` is named, and the policy has {count}: {}", list(&names)),
                ));
            }
        };
        self.calendars.get(index).cloned().ok_or_else(|| Fault::new(at, "the policy has no calendar"))
    }

    fn line(&self, at: u32) -> u32 {
        position(self.text, at).line
    }
}

/// A rule's written parts, its own or its clock's.
struct Parts<'a> {
    when: Vec<Condition>,
    target: &'a At<TargetDoc>,
    backstop: Option<&'a At<TargetDoc>>,
    calendar: Arc<Calendar>,
    receipt: Option<&'a [At<ReceiptDoc>]>,
    roll_forward: Option<bool>,
    warn_at: Option<&'a Many<At<Percent>>>,
}

impl Parts<'_> {
    fn into_rule(self, promised: bool) -> Result<Rule, Fault> {
        let built = target(self.target)?;
        if waits_for_promise(&built) && !promised {
            return Err(Fault::new(
                self.target.at,
                "the target \"promised\" needs a clock whose `start` is \"promised\"",
            ));
        }
        let backstop = match self.backstop {
            None => None,
            Some(written) => match target(written)? {
                Target::None => None,
                backstop if waits_for_promise(&backstop) => {
                    return Err(Fault::new(
                        written.at,
                        "a `backstop` cannot be \"promised\": it is the limit that is known beforehand",
                    ));
                }
                backstop => Some(backstop),
            },
        };
        let receipt: Vec<ReceiptRule> = receipt(self.receipt.unwrap_or_default());
        let written = self.warn_at.map_or(&[][..], Many::as_slice);
        for pair in written.windows(2) {
            if let [first, second] = pair
                && first.value.0 >= second.value.0
            {
                return Err(Fault::new(
                    second.at,
                    format!("`warn_at` must rise; {} % comes after {} %", second.value.0, first.value.0),
                ));
            }
        }
        Ok(Rule {
            when: self.when,
            calendar: self.calendar,
            receipt,
            target: built,
            roll_forward: self.roll_forward.unwrap_or(false),
            backstop,
            warn_at: written.iter().map(|percent| percent.value.0).collect(),
            // A policy hands out no rule that can be changed.
            tables: Tables::of_final_rule(),
        })
    }
}

fn conditions(rule: &RuleDoc) -> Result<Vec<Condition>, Fault> {
    let Some(when) = &rule.when else { return Ok(Vec::new()) };
    if when.value.0.is_empty() {
        return Err(Fault::new(
            when.at,
            "`when` names no fact; leave it out if the rule holds for every request",
        ));
    }
    let condition = |(fact, values): &(At<String>, Many<At<super::doc::Value>>)| {
        let values: Vec<String> = values.as_slice().iter().map(|value| value.value.0.clone()).collect();
        if values.len() > MAX_VALUES {
            return Err(Fault::new(
                fact.at,
                format!(
                    "`{}` allows {} values: at most {MAX_VALUES} are allowed",
                    shown(&fact.value),
                    values.len()
                ),
            ));
        }
        if values.is_empty() {
            return Err(Fault::new(
                fact.at,
                format!("`{}` allows no value, so the rule never holds", shown(&fact.value)),
            ));
        }
        Ok(Condition { fact: fact.value.clone(), values })
    };
    when.value.0.iter().map(condition).collect()
}

/// Whether every request that `later` matches is matched by `earlier`.
fn covers(earlier: &Rule, later: &Rule) -> bool {
    earlier.when.iter().all(|wide| {
        later.when.iter().any(|narrow| {
            narrow.fact == wide.fact && narrow.values.iter().all(|value| wide.values.contains(value))
        })
    })
}

/// The word for all events that show that somebody attended to a request.
pub(super) const ACTIVITY: &str = "activity";

/// Events that finish a clock.
struct Ends {
    /// Those named one by one, in the order of the text.
    named: Vec<EventTag>,
    /// Those that the word `activity` stands for, if it is there.
    activity: Vec<EventTag>,
}

fn events(written: &Option<Many<At<Name>>>) -> Result<Ends, Fault> {
    let mut ends = Ends { named: Vec::new(), activity: Vec::new() };
    for word in written.iter().flat_map(Many::as_slice) {
        if word.value.0 == ACTIVITY {
            ends.activity = EventTag::ACTIVITY.to_vec();
        } else {
            ends.named.push(event(word, "; `activity` is allowed too")?);
        }
    }
    Ok(ends)
}

fn vendors(doc: &ClockDoc) -> Vec<String> {
    let named = doc.vendor.iter().flat_map(|vendors| vendors.value.as_slice());
    named.map(|vendor| vendor.value.0.clone()).collect()
}

fn event(word: &At<Name>, more: &str) -> Result<EventTag, Fault> {
    EventTag::from_word(&word.value.0).ok_or_else(|| {
        let words: Vec<&str> = EventTag::ALL.iter().map(|tag| tag.word()).collect();
        Fault::new(word.at, unknown("event", &word.value.0, &words) + more)
    })
}

/// What the policy says about interruptions.
pub(super) fn interruptions(doc: &PolicyDoc) -> Vec<(Interruption, Handling)> {
    let Some(written) = &doc.interruptions else { return Vec::new() };
    let said = [
        (Interruption::Personnel, written.personnel),
        (Interruption::Facilities, written.facilities),
        (Interruption::Power, written.power),
        (Interruption::InternetTelecom, written.internet_telecom),
        (Interruption::MergerAcquisition, written.merger_acquisition),
        (Interruption::Disaster, written.disaster),
        (Interruption::Own, written.own),
    ];
    let handling = |(kind, word): (Interruption, Option<HandlingWord>)| {
        let handling = match word? {
            HandlingWord::Stop => Handling::Stop,
            HandlingWord::Extend => Handling::Extend,
            HandlingWord::Record => Handling::Record,
        };
        Some((kind, handling))
    };
    said.into_iter().filter_map(handling).collect()
}
