//! Care beyond deadlines: what is said of expedites, refusals, waivers, call-backs and unattended requests, and whether a
//! vendor's promise fits inside the customer's.

use super::times::receipts;
use super::{Linter, listed};
use crate::model::{EventTag, Facts};
use crate::policy::targets::waits_for_promise;
use crate::policy::words::{list, shown};
use crate::policy::{Clock, Rule, Trigger};
use crate::target::Target;
use crate::time::Instant;

impl Linter<'_> {
    pub(super) fn care(&mut self) {
        self.unsaid_care();
        self.expedites();
        self.readers();
        self.vendors();
    }

    /// One lint for all, since a short agreement leaves most of it out on purpose.
    fn unsaid_care(&mut self) {
        let clocks = &self.body.clocks;
        let starts = |tag: EventTag| {
            clocks
                .iter()
                .any(|clock| clock.start.contains(&Trigger::Event(tag)) || clock.restart.contains(&tag))
        };
        let attended = |clock: &Clock| {
            let ends = |tag: &EventTag| clock.restart.contains(tag) || clock.stop.contains(tag);
            EventTag::ACTIVITY.iter().all(ends)
        };
        let said = [
            ("expedites ([expedites])", self.doc.expedites.is_some()),
            ("refusals ([refusals])", self.doc.refusals.is_some() || starts(EventTag::RefusalProposed)),
            ("waivers of misses ([waivers]; nobody may)", self.doc.waivers.is_some()),
            ("promised call-backs (a clock that starts at `promised`)", starts(EventTag::Promised)),
            ("unattended requests (a clock that restarts at `activity`)", clocks.iter().any(attended)),
            ("who must have read it (`readers`)", self.doc.policy.readers.is_some()),
        ];
        let silent: Vec<&str> = said.iter().filter(|(_, said)| !said).map(|(what, _)| *what).collect();
        if !silent.is_empty() {
            self.info(self.top(), "silent-on-care", format!("nothing is said of {}", silent.join(", ")));
        }
    }

    /// An expedite that no rule asks for changes nothing, and a rule for what cannot be is never used.
    fn expedites(&mut self) {
        let asks = |rule: &Rule| rule.when.iter().any(|condition| condition.fact == Facts::EXPEDITE);
        let foreseen = self.doc.expedites.as_ref().map(|written| written.at);
        let mut asked = false;
        for number in 0..self.body.clocks.len() {
            let rules = self.body.clocks.get(number).map_or(&[][..], |clock| clock.rules.as_slice());
            for rule in 0..rules.len() {
                let Some(found) = self.body.clocks.get(number).and_then(|clock| clock.rules.get(rule)) else {
                    continue;
                };
                if !asks(found) {
                    continue;
                }
                asked = true;
                let conditions = found.when.iter().filter(|condition| condition.fact == Facts::EXPEDITE);
                let others: Vec<String> = conditions
                    .flat_map(|condition| condition.values.iter().filter(|value| *value != "yes").cloned())
                    .collect();
                let at = self.rule_at(number, rule);
                if !others.is_empty() {
                    let message = format!(
                        "an expedited request has the fact `{}` with the value `yes`, never {}",
                        Facts::EXPEDITE,
                        listed(&others)
                    );
                    self.warn(at, "expedite-value", message);
                }
                if foreseen.is_none() {
                    let message = "the rule is for expedited requests, but the policy foresees no expedites; add \
                                   [expedites] with `per_month`";
                    self.warn(at, "expedite-without-quota", message);
                }
            }
        }
        if let (Some(at), false) = (foreseen, asked) {
            let message = "expedites change nothing: no rule asks for the fact `expedite` (`when = { expedite = \
                           \"yes\" }`)";
            self.warn(at, "expedite-without-effect", message);
        }
    }

    fn readers(&mut self) {
        if let Some(date) = self.doc.policy.read_by.as_ref().filter(|date| date.value.0 < self.on) {
            let message = format!("the policy was to be read by {}, before {}", date.value.0, self.on);
            self.info(date.at, "reading-over", message);
        }
    }

    /// A vendor who may take longer than the customer was promised, while the customer's time runs on.
    fn vendors(&mut self) {
        let clocks = &self.body.clocks;
        let is_vendors = |clock: &Clock| clock.start.contains(&Trigger::Event(EventTag::VendorContacted));
        let is_customers = |clock: &Clock| {
            clock.start.contains(&Trigger::Event(EventTag::Received))
                && clock.stop.contains(&EventTag::Resolved)
                && clock.restart.is_empty()
                && !clock.pause.iter().any(|reason| reason == "waiting_vendor")
                && clock.stop.iter().all(|tag| {
                    // A first response needs no vendor.
                    !matches!(tag, EventTag::Acknowledged | EventTag::Replied | EventTag::Assigned)
                })
        };
        let mut found = Vec::new();
        for (number, vendor) in clocks.iter().enumerate().filter(|(_, clock)| is_vendors(clock)) {
            for customer in clocks.iter().filter(|clock| is_customers(clock)) {
                let late = vendor.rules.iter().enumerate().find_map(|(rule, vendor_rule)| {
                    let beyond = |other: &Rule| too_late(vendor_rule, other, self.on);
                    customer.rules.iter().find_map(beyond).map(|times| (rule, times))
                });
                if let Some((rule, times)) = late {
                    found.push((self.rule_at(number, rule), beyond_words(vendor, customer, &times)));
                }
            }
        }
        found.into_iter().for_each(|(at, message)| self.warn(at, "vendor-beyond-promise", message));
    }
}

/// For how many receipts a vendor contacted at once may answer after the customer's due time.
struct Beyond {
    late: usize,
    tried: usize,
    /// The first such receipt, the customer's due time and the vendor's, in the customer's zone.
    example: [String; 3],
}

fn too_late(vendor: &Rule, customer: &Rule, on: chrono::NaiveDate) -> Option<Beyond> {
    let promised = |rule: &Rule| rule.target != Target::None && !waits_for_promise(&rule.target);
    if !promised(vendor) || !promised(customer) {
        return None;
    }
    let mut beyond: Option<Beyond> = None;
    let (mut tried, mut late) = (0, 0);
    for received in receipts(&customer.calendar, on) {
        let (Ok(due), Ok(answer)) = (customer.due(received), vendor.due(received)) else { continue };
        tried += 1;
        if answer > due {
            late += 1;
            let text = |at: Instant| customer.calendar.local(at).format("%a %Y-%m-%d %H:%M").to_string();
            let example = || [text(received), text(due), text(answer)];
            beyond.get_or_insert_with(|| Beyond { late: 0, tried: 0, example: example() });
        }
    }
    beyond.map(|beyond| Beyond { late, tried, ..beyond })
}

fn beyond_words(vendor: &Clock, customer: &Clock, beyond: &Beyond) -> String {
    let [received, due, answer] = &beyond.example;
    let often = if beyond.late == beyond.tried {
        "never fits".to_owned()
    } else {
        format!("does not fit for {} of {} receipts tried", beyond.late, beyond.tried)
    };
    let whom = match vendor.vendors.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => "a vendor".to_owned(),
        names => format!("vendor {}", list(names)),
    };
    format!(
        "{whom} may answer after the customer was promised the result: `{}` {often} inside `{}`, which does not pause \
         on `waiting_vendor`; received and contacted {received}, due {due}, the vendor has until {answer}",
        shown(&vendor.name),
        shown(&customer.name)
    )
}
