//! What of a rule's instants does not depend on time on hold: worked out once for a receipt, and then only moved.

use super::ask::Ask;
use super::due::Count;
use super::{Due, Measure, Paused, Target};
use crate::policy::Rule;
use crate::time::{Instant, Span};

/// The instants of one rule for one receipt and promise, before any time on hold and before `roll_forward`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Basis {
    received: Instant,
    promised: Option<Instant>,
    /// `received` as moved by the receipt rules.
    from: Due,
    /// The same; `received` itself where they lead nowhere.
    counted_from: Instant,
    /// The target's; `None` if it is not single.
    target: Option<Due>,
    /// The backstop's, in the same way, and maybe moved to the target's already.
    backstop: Option<Due>,
}

impl Rule {
    /// The basis of a receipt.
    pub(crate) fn basis(&self, received: Instant, promised: Option<Instant>) -> Basis {
        let count = self.count(received, Paused::default(), promised);
        let base = |target: &Target| Some(count.and_then(|count| count.base(target)));
        // What tables know of a rule is after `roll_forward`, and without a promise.
        let tabled = promised.is_none() && !self.roll_forward;
        let target = match &self.target {
            target if !is_single(target) => None,
            _ if tabled => Some(self.due(received)),
            target => base(target),
        };
        let backstop = match &self.backstop {
            None => None,
            Some(backstop) if !is_single(backstop) => None,
            // A table knows the limit as it is, never before the due instant. Moved by the same time, they stay in order.
            Some(backstop)
                if tabled
                    && is_single(&self.target)
                    && Rule::measure_of(backstop) == Rule::measure_of(&self.target) =>
            {
                self.limit(received)
            }
            Some(backstop) => base(backstop),
        };
        let from = count.map(|count| count.from);
        Basis { received, promised, from, counted_from: from.unwrap_or(received), target, backstop }
    }

    /// As [`due_shifted`](Rule::due_shifted).
    pub(crate) fn due_on(&self, basis: &Basis, paused: Paused) -> Due {
        self.moved(basis, &self.target, basis.target, paused)
    }

    /// As [`limit_shifted`](Rule::limit_shifted).
    pub(crate) fn limit_on(&self, basis: &Basis, paused: Paused) -> Option<Due> {
        let limit = self.moved(basis, self.backstop.as_ref()?, basis.backstop, paused);
        let due = self.due_on(basis, paused);
        Some(limit.map(|limit| due.map_or(limit, |due| limit.max(due))))
    }

    /// As [`warn_shifted`](Rule::warn_shifted).
    pub(crate) fn warn_on(&self, basis: &Basis, percent: u8, paused: Paused) -> Due {
        let unpaused = self.due_on(basis, Paused::default())?;
        let due = self.due_on(basis, paused)?;
        let from = basis.from?;
        let total = self.measured(from, unpaused).as_secs().max(0);
        let part = (total * i64::from(percent.min(100)) + 99) / 100;
        let after = |held: Span| Span::from_secs(part.saturating_add(held.as_secs().max(0)));
        let ask = Ask(&self.calendar);
        let warn = match self.measure() {
            Measure::Working => ask.add_working(from, after(paused.working)),
            Measure::Elapsed => ask.add_elapsed(from, after(paused.elapsed)),
        };
        Ok(warn.map_or(due, |warn| warn.min(due)))
    }

    /// A target's instant after the time on hold, given what it is without.
    fn moved(&self, basis: &Basis, target: &Target, base: Option<Due>, paused: Paused) -> Due {
        let Basis { received, promised, from, .. } = *basis;
        let count = Count { ask: Ask(&self.calendar), received, from: from?, paused, promised };
        let moved = match base {
            Some(base) => count.shift(base?, Rule::measure_of(target)),
            None => count.shifted(target),
        };
        self.rolled(moved?)
    }
}

/// Whether a target is no earliest or latest, the parts of which move each on its own.
fn is_single(target: &Target) -> bool {
    !matches!(target, Target::Earliest(_) | Target::Latest(_))
}

impl Basis {
    /// The receipt as moved by the receipt rules; the receipt itself where they lead nowhere.
    pub(crate) fn counted_from(&self) -> Instant {
        self.counted_from
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    /// Targets of every measure, alone and joined, with receipt rules and without.
    const POLICY: &str = r#"
        [policy]
        name = "basis"
        version = 1
        statement = "Every kind of target."

        [calendar.office]
        zone = "America/New_York"
        hours = { mon-thu = ["09:00-12:00", "13:00-17:30"], fri = "09:00-15:00" }
        holidays = ["07-04", "12-25"]

        [[clock]]
        name = "all"
        start = "received"
        stop = "resolved"

        [[clock.rules]]
        when = { priority = "1" }
        target = { working = "8h" }
        backstop = { elapsed = "72h" }

        [[clock.rules]]
        when = { priority = "2" }
        target = [{ received_before = "14:00", due = "same day, close" }, { due = "next day, 11:00" }]
        backstop = { working_days = 3 }

        [[clock.rules]]
        when = { priority = "3" }
        target = { earliest = [{ elapsed = "50h" }, { working = "12h" }] }
        backstop = { latest = [{ calendar_days = 4, at = "12:00" }, { working = "30h" }] }
        roll_forward = true

        [[clock.rules]]
        when = { priority = "5" }
        target = { calendar_days = 2, at = "23:00" }
        roll_forward = true

        [[clock]]
        name = "told"
        start = "promised"
        stop = "resolved"
        target = "promised"
        backstop = { working_days = 2, at = "same time" }
    "#;

    #[test]
    fn what_is_moved_is_what_is_counted_anew() {
        let policy = Policy::from_toml(POLICY).unwrap();
        let first = Instant::parse("2026-06-29T00:00:00-04:00").unwrap();
        let mut compared = 0;
        for rule in policy.clocks().iter().flat_map(|clock| &clock.rules) {
            for step in 0..400 {
                let received = first.checked_add(Span::from_secs(step * 1_777)).unwrap();
                for promised in [None, received.checked_add(Span::from_secs(100_000))] {
                    let basis = rule.basis(received, promised);
                    assert_eq!(basis.counted_from(), rule.counted_from(received));
                    for held in [0, 1, 3_600, 200_000] {
                        let to = received.checked_add(Span::from_secs(7_200 + held)).unwrap();
                        let from = received.checked_add(Span::from_secs(7_200)).unwrap();
                        let paused = rule.paused_between(received, from, to);
                        assert_eq!(rule.due_on(&basis, paused), rule.due_shifted(received, paused, promised));
                        assert_eq!(
                            rule.limit_on(&basis, paused),
                            rule.limit_shifted(received, paused, promised)
                        );
                        for percent in [1, 50, 99] {
                            let counted = rule.warn_shifted(received, percent, paused, promised);
                            assert_eq!(rule.warn_on(&basis, percent, paused), counted);
                        }
                        compared += 1;
                    }
                }
            }
        }
        assert_eq!(compared, 5 * 400 * 2 * 4);
    }
}
