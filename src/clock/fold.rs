//! What pauses, closures and promises do to one cycle's instants under one rule, in order of time.
//!
//! A fold over the same steps gives the same result under the same rule, whichever rule was in force when they
//! happened. So a change of facts replays the steps under the new rule, and going back to an earlier rule continues
//! where its fold was left.

use crate::policy::Rule;
use crate::target::{Basis, Due, NoDeadline, Paused, Target};
use crate::time::{Instant, Span};

/// Something that moves a cycle's instants.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Time stops. `counted` is right once the cycle's due instant is settled: the pause began no later.
    Pause { at: Instant, counted: bool },
    /// Time goes on.
    Resume(Instant),
    /// The request was finished, and later reopened.
    Closed { from: Instant, to: Instant },
    /// The customer was promised an instant.
    Promise { at: Instant, due: Instant },
}

/// How a fold decides which pauses count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// Those that begin at or before the due instant of its own rule.
    ByRule,
    /// Those that are marked as counted: the due instant is settled, only the limit is asked for.
    AsSettled,
}

/// A cycle's instants after some steps.
#[derive(Clone, Debug)]
pub(super) struct Fold {
    /// What the target is worked out from.
    pub(super) received: Instant,
    /// The instants under the rule, the receipt and the promise, before any pause. `None` without a rule.
    basis: Option<Basis>,
    /// Closed pauses.
    pub(super) paused: Paused,
    /// The pause that lasts.
    pub(super) since: Option<Instant>,
    pub(super) due: Due,
    pub(super) limit: Option<Due>,
    pub(super) warnings: Vec<(u8, Instant)>,
    /// The promised instant as the customer heard it.
    pub(super) told: Option<Instant>,
    /// The same less the time on hold before the promise, which must not move it.
    promised: Option<Instant>,
    /// Nothing is due before this: the end of the last pause or closure.
    floor: Option<Instant>,
    /// The target was missed before the request was reopened: nothing remains.
    spent: bool,
}

impl Fold {
    /// The instants before any step.
    pub(super) fn new(rule: Option<&Rule>, received: Instant, promise: Option<Instant>) -> Fold {
        let mut fold = Fold {
            received,
            basis: rule.map(|rule| rule.basis(received, promise)),
            paused: Paused::default(),
            since: None,
            due: Err(NoDeadline::NoRule),
            limit: None,
            warnings: Vec::new(),
            told: promise,
            promised: promise,
            floor: None,
            spent: false,
        };
        if let Some(rule) = rule {
            fold.derive(rule);
            fold.warn(rule);
        }
        fold
    }

    /// The instant that targets count from, under the rule in force.
    pub(super) fn counted_from(&self) -> Instant {
        self.basis.as_ref().map_or(self.received, Basis::counted_from)
    }

    /// Another rule takes the steps to come; what the steps so far came to stays.
    pub(super) fn rebase(&mut self, rule: Option<&Rule>) {
        self.basis = rule.map(|rule| rule.basis(self.received, self.promised));
    }

    /// The same promise and receipt under a rule, nothing remaining from `reopened_at` on.
    pub(super) fn spend(&mut self, reopened_at: Instant, limit: Option<Due>) {
        self.spent = true;
        self.since = self.since.filter(|since| *since <= reopened_at);
        self.due = self.due.map(|_| reopened_at);
        self.limit = limit;
        self.warnings.clear();
        self.floor = Some(reopened_at);
    }

    /// Takes the next step in time. Without a rule nothing moves.
    pub(super) fn take(&mut self, rule: Option<&Rule>, step: Step, counting: Counting) {
        let Some(rule) = rule else { return };
        match step {
            Step::Pause { at, counted } => {
                let counts = match counting {
                    Counting::ByRule => self.counts_pause_at(at),
                    Counting::AsSettled => counted,
                };
                if counts && self.since.is_none() {
                    self.since = Some(at);
                }
            }
            Step::Resume(at) => {
                if let Some(from) = self.since.take() {
                    self.stand_still(rule, from, at);
                }
            }
            Step::Closed { from, to } => self.stand_still(rule, from, to),
            Step::Promise { at, due } => {
                let before = self.paused.elapsed.as_secs() + self.elapsed_pause_until(rule, at).as_secs();
                self.told = Some(due);
                self.promised = due.checked_add(Span::from_secs(-before));
                if asks_for_promise(rule) {
                    self.rebase(Some(rule));
                    self.derive(rule);
                    self.warn(rule);
                }
            }
        }
    }

    /// Whether a pause that begins at `at` stops the cycle: not once due has passed.
    fn counts_pause_at(&self, at: Instant) -> bool {
        self.due.map_or(true, |due| due >= at)
    }

    fn elapsed_pause_until(&self, rule: &Rule, at: Instant) -> Span {
        self.since.map_or(Span::ZERO, |from| rule.paused_between(self.received, from, at).elapsed)
    }

    /// Time stood still between two instants: everything that lay ahead moves, and nothing to before `to`.
    fn stand_still(&mut self, rule: &Rule, from: Instant, to: Instant) {
        let more = rule.paused_between(self.received, from, to);
        self.paused.working = plus(self.paused.working, more.working);
        self.paused.elapsed = plus(self.paused.elapsed, more.elapsed);
        self.floor = self.floor.max(Some(to));
        self.derive(rule);
        let floor = to;
        let Some(basis) = &self.basis else { return };
        for (percent, at) in &mut self.warnings {
            if *at >= from {
                *at = rule.warn_on(basis, *percent, self.paused).unwrap_or(*at).max(floor);
            }
        }
    }

    fn derive(&mut self, rule: &Rule) {
        let floor = self.floor.unwrap_or(Instant::MIN);
        let Some(basis) = &self.basis else { return };
        if self.spent {
            self.due = self.due.map(|due| due.max(floor));
        } else {
            self.due = rule.due_on(basis, self.paused).map(|due| due.max(floor));
        }
        let least = self.due.unwrap_or(floor).max(floor);
        let limit = rule.limit_on(basis, self.paused);
        self.limit = limit.map(|limit| limit.map(|limit| limit.max(least)));
    }

    fn warn(&mut self, rule: &Rule) {
        self.warnings.clear();
        let Some(basis) = self.basis.filter(|_| self.due.is_ok() && !self.spent) else { return };
        self.warnings.reserve(rule.warn_at.len());
        for &percent in &rule.warn_at {
            if let Ok(at) = rule.warn_on(&basis, percent, self.paused) {
                self.warnings.push((percent, at));
            }
        }
    }
}

fn plus(a: Span, b: Span) -> Span {
    Span::from_secs(a.as_secs().saturating_add(b.as_secs()))
}

/// Whether a rule waits for a promised instant.
pub(super) fn asks_for_promise(rule: &Rule) -> bool {
    fn asks(target: &Target) -> bool {
        match target {
            Target::Promised => true,
            Target::Earliest(parts) | Target::Latest(parts) => parts.iter().any(asks),
            _ => false,
        }
    }
    asks(&rule.target) || rule.backstop.as_ref().is_some_and(asks)
}
