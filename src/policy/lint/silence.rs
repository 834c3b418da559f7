//! What a policy does not say: clocks, reasons and interruptions that every agreement meets one day.

use std::collections::BTreeSet;

use super::{Linter, listed};
use crate::model::EventTag;
use crate::policy::words::{list, shown};
use crate::policy::{Clock, Interruption, Trigger};

impl Linter<'_> {
    pub(super) fn silences(&mut self) {
        self.header();
        self.missing_clocks();
        self.interruptions();
        self.unpromised_values();
        self.unlimited_rest();
    }

    fn header(&mut self) {
        if self.body.statement.is_empty() {
            let at = self.doc.policy.statement.as_ref().map_or(self.top(), |statement| statement.at);
            self.warn(
                at,
                "no-statement",
                "the promise is not said in plain words; add a `statement` to [policy]",
            );
        }
        match &self.doc.policy.review_at {
            None => self.info(
                self.top(),
                "no-review-date",
                "nobody is reminded to read the policy again; add `review_at` to [policy]",
            ),
            Some(date) if date.value.0 < self.on => {
                let message =
                    format!("the policy was to be reviewed on {}, before {}", date.value.0, self.on);
                self.warn(date.at, "review-overdue", message);
            }
            Some(_) => {}
        }
    }

    fn missing_clocks(&mut self) {
        let clocks = &self.body.clocks;
        let starts = |clock: &Clock, tag: EventTag| clock.start.contains(&Trigger::Event(tag));
        let ends = |clock: &Clock, tags: &[EventTag]| {
            tags.iter().any(|tag| clock.stop.contains(tag) || clock.restart.contains(tag))
        };
        let answered = [EventTag::Acknowledged, EventTag::Replied];
        if !clocks.iter().any(|clock| starts(clock, EventTag::Received) && ends(clock, &answered)) {
            let message = "nothing says how soon a request is acknowledged or first answered: no clock \
             starts at `received` and stops at `acknowledged` or `replied`";
            self.warn(self.top(), "no-first-response", message);
        }
        if !clocks.iter().any(|clock| ends(clock, &[EventTag::Resolved]) && clock.restart.is_empty()) {
            let message = "nothing says how soon a request is handled: no clock stops at `resolved`";
            self.warn(self.top(), "no-resolution", message);
        }
        if !clocks.iter().any(|clock| clock.restart.contains(&EventTag::Updated)) {
            let message = "nothing says how often the customer is told the state of the request: no \
             clock restarts at `updated`";
            self.warn(self.top(), "no-update-cadence", message);
        }
        let vendor = |clock: &Clock| {
            starts(clock, EventTag::VendorContacted)
                || clock.pause.iter().any(|reason| reason == "waiting_vendor")
        };
        if !clocks.iter().any(vendor) {
            let message = "nothing says what holds while a vendor is awaited: no clock starts at \
             `vendor_contacted` or pauses on `waiting_vendor`";
            self.warn(self.top(), "no-vendor-handling", message);
        }
    }

    fn interruptions(&mut self) {
        let foreseen = [
            (Interruption::Personnel, "personnel"),
            (Interruption::Facilities, "facilities"),
            (Interruption::Power, "power"),
            (Interruption::InternetTelecom, "internet_telecom"),
            (Interruption::MergerAcquisition, "merger_acquisition"),
            (Interruption::Disaster, "disaster"),
        ];
        let said = |kind: Interruption| self.body.interruptions.iter().any(|(known, _)| *known == kind);
        let missing: Vec<&str> =
            foreseen.iter().filter(|(kind, _)| !said(*kind)).map(|(_, name)| *name).collect();
        if !missing.is_empty() {
            let message = format!(
                "nothing says what an interruption does to the clocks: [interruptions] lacks {}",
                list(&missing)
            );
            self.warn(self.top(), "no-interruption-handling", message);
        }
    }

    /// Values of `priority` that one clock names and another, without a rule for all others, does not.
    fn unpromised_values(&mut self) {
        let values = |clock: &Clock| -> BTreeSet<String> {
            let conditions = clock.rules.iter().flat_map(|rule| &rule.when);
            conditions
                .filter(|condition| condition.fact == "priority")
                .flat_map(|condition| condition.values.clone())
                .collect()
        };
        let all: BTreeSet<String> = self.body.clocks.iter().flat_map(values).collect();
        for number in 0..self.body.clocks.len() {
            let Some(clock) = self.body.clocks.get(number) else { continue };
            // A rule that does not ask for the priority may speak about any.
            if clock.rules.iter().any(|rule| rule.when.iter().all(|condition| condition.fact != "priority")) {
                continue;
            }
            let missing: Vec<String> = all.difference(&values(clock)).cloned().collect();
            if !missing.is_empty() {
                let message = format!(
                    "clock `{}` promises nothing for priority {}, which other clocks name",
                    shown(&clock.name),
                    listed(&missing)
                );
                self.warn(self.clock_at(number), "priority-without-rule", message);
            }
        }
    }

    /// A share below 100 % leaves a rest of which something should be said.
    fn unlimited_rest(&mut self) {
        for number in 0..self.body.clocks.len() {
            let Some(clock) = self.body.clocks.get(number) else { continue };
            let partial = clock.attainment.is_some_and(|goal| goal.share_bp < 10_000);
            let promised = |rule: &crate::policy::Rule| rule.target != crate::target::Target::None;
            if partial && clock.rules.iter().any(|rule| promised(rule) && rule.backstop.is_none()) {
                let message = format!(
                    "clock `{}` promises a share of requests but no limit for the rest; add a `backstop`",
                    shown(&clock.name)
                );
                self.warn(self.clock_at(number), "no-backstop", message);
            }
        }
    }
}
