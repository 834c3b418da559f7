//! One clock's part of a derivation: its open cycle, and what a change of rule has to replay.

use super::fold::{Counting, Fold, Step, asks_for_promise};
use super::{Cycle, Entry, Phase, Stretch, Warning};
use crate::model::EventTag;
use crate::policy::{Clock, Rule};
use crate::target::{NoDeadline, Paused};
use crate::time::{Instant, Span};

/// How a cycle came to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Event,
    Threshold { by_change: bool },
}

/// A fold left behind when another rule came into force; it continues from step `upto`.
#[derive(Clone)]
struct Kept {
    rule: Option<usize>,
    counting: Counting,
    upto: usize,
    fold: Fold,
}

/// A clock's state between two events.
#[derive(Clone)]
pub(super) struct Lane<'a> {
    clock: &'a Clock,
    /// Index of the clock.
    index: usize,
    /// The open cycle, or the last finished one.
    pub(super) cycle: Option<Cycle>,
    /// The rule in force.
    rule: Option<usize>,
    /// The promise that began the cycle.
    promise: Option<Instant>,
    fold: Fold,
    /// Since the start that the target counts from, which may be an earlier cycle's.
    steps: Vec<Step>,
    /// How many of them are marked: the due instants of their cycles are settled.
    settled: usize,
    kept: Vec<Kept>,
    /// A pause is among the steps whose end is not.
    pausing: bool,
    finished_by: EventTag,
    /// Missed in an earlier cycle: nothing remains. Whether the limit had passed too.
    spent: Option<bool>,
    pub(super) late_fired: bool,
    pub(super) breach_fired: bool,
    /// The request is on hold for a reason that stops the clock.
    held: bool,
    /// How many interruptions stop it now.
    interrupted: u32,
    /// Where interruptions begin and end for the open cycle, the next one last.
    edges: Vec<Edge<'a>>,
}

/// An interruption begins or ends to stop a cycle. Ordered by instant; at the same one it begins first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge<'a> {
    pub(super) at: Instant,
    pub(super) ends: bool,
    pub(super) entry: &'a Entry,
}

impl<'a> Lane<'a> {
    pub(super) fn new(clock: &'a Clock, index: usize) -> Lane<'a> {
        Lane {
            clock,
            index,
            cycle: None,
            rule: None,
            promise: None,
            fold: Fold::new(None, Instant::MIN, None),
            steps: Vec::new(),
            settled: 0,
            kept: Vec::new(),
            pausing: false,
            finished_by: EventTag::Note,
            spent: None,
            late_fired: false,
            breach_fired: false,
            held: false,
            interrupted: 0,
            edges: Vec::new(),
        }
    }

    pub(super) fn clock(&self) -> &'a Clock {
        self.clock
    }

    pub(super) fn open(&self) -> Option<&Cycle> {
        self.cycle.as_ref().filter(|cycle| cycle.is_open())
    }

    pub(super) fn finished_by(&self) -> EventTag {
        self.finished_by
    }

    /// Begins a cycle with the full target. The caller has taken the last cycle out of the way.
    pub(super) fn begin(
        &mut self,
        number: u32,
        at: Instant,
        rule: Option<usize>,
        promise: Option<Instant>,
        origin: Origin,
    ) {
        self.steps.clear();
        self.settled = 0;
        self.kept.clear();
        self.spent = None;
        self.rule = rule;
        self.promise = promise;
        self.fold = Fold::new(self.clock_rule(rule), at, promise);
        self.install(number, at, origin, false);
    }

    /// Begins a cycle with what remained of the last one.
    pub(super) fn reopen(&mut self, last: &Cycle, at: Instant, rule: Option<usize>) {
        let number = last.number.saturating_add(1);
        let closed = last.finished_at().unwrap_or(at);
        if self.spent.is_some() || matches!(last.phase, Phase::Missed { .. }) {
            let broken = last.breach_threshold().is_some_and(|limit| limit.passed(closed));
            self.steps.push(Step::Closed { from: closed, to: at });
            self.spend(at, broken || self.spent == Some(true), rule);
        } else {
            self.take(Step::Closed { from: closed, to: at });
            self.switch(rule);
        }
        self.install(number, at, Origin::Event, true);
    }

    /// Nothing of the target remains from `reopened_at` on. Of the limit does what remained, unless `broken`.
    fn spend(&mut self, reopened_at: Instant, broken: bool, rule: Option<usize>) {
        let mut fold = self.replayed(rule, Counting::AsSettled);
        let limit = match fold.limit {
            Some(_) if broken => Some(Ok(reopened_at)),
            other => other.map(|limit| limit.map(|limit| limit.max(reopened_at))),
        };
        fold.spend(reopened_at, limit);
        self.spent = Some(broken);
        self.rule = rule;
        self.fold = fold;
    }

    fn install(&mut self, number: u32, at: Instant, origin: Origin, reopened: bool) {
        self.pausing = false;
        self.held = false;
        self.interrupted = 0;
        self.edges.clear();
        self.late_fired = false;
        self.breach_fired = false;
        let received = self.fold.received;
        self.cycle = Some(Cycle {
            clock: self.index,
            number,
            rule: self.rule,
            limit_rule: self.rule,
            started_at: at,
            received_as: received,
            counted_from: self.fold.counted_from(),
            phase: Phase::Running,
            due_at: None,
            limit_at: None,
            backstop: false,
            warnings: Vec::new(),
            late_by_change: None,
            limit_by_change: None,
            armed: origin != Origin::Event,
            armed_by_change: origin == Origin::Threshold { by_change: true },
            reopened,
            promised: None,
            paused: Paused::default(),
            interruptions: Vec::new(),
            beyond_known_holidays: false,
            waived_at: None,
        });
        self.settle(None);
    }

    /// The request goes on hold at `at`, or its hold ends or changes: does it stop the clock?
    pub(super) fn hold(&mut self, at: Instant, stops: bool) {
        self.held = stops;
        if stops {
            self.pause(at);
        } else if self.interrupted == 0 {
            self.resume(at);
        }
    }

    /// Sets what interrupts the cycle that has just begun.
    pub(super) fn foresee(&mut self, entries: &[&'a Entry]) {
        self.edges.clear();
        let Some(begun) = self.open().map(|cycle| cycle.started_at) else { return };
        for entry in entries {
            let (from, to) = (entry.window.from, entry.window.to);
            if to.is_some_and(|to| to <= begun) {
                continue;
            }
            self.edges.push(Edge { at: from.max(begun), ends: false, entry });
            self.edges.extend(to.map(|at| Edge { at, ends: true, entry }));
        }
        self.edges.sort_by_key(|edge| std::cmp::Reverse((edge.at, edge.ends, edge.entry.number)));
    }

    /// The next instant at which an interruption begins or ends.
    pub(super) fn next_edge(&self) -> Option<Instant> {
        self.open()?;
        self.edges.last().map(|edge| edge.at)
    }

    /// Takes that edge. One that is not about the clock, as `is_about` says, is left out with its end.
    pub(super) fn take_edge(&mut self, is_about: impl FnOnce(&Entry, Option<&str>) -> bool) {
        let Some(edge) = self.edges.pop() else { return };
        let calendar = self.clock_rule(self.rule).map(|rule| rule.calendar.clone());
        let number = edge.entry.number;
        if edge.ends {
            let mut stretches = self.cycle.iter_mut().flat_map(|cycle| &mut cycle.interruptions);
            if let Some(stretch) = stretches.rfind(|stretch| stretch.number == number && stretch.to.is_none())
            {
                stretch.to = Some(edge.at);
            }
            self.interrupted = self.interrupted.saturating_sub(1);
            if self.interrupted == 0 && !self.held {
                self.resume(edge.at);
            }
        } else if is_about(edge.entry, calendar.as_ref().map(|calendar| calendar.name())) {
            if let Some(cycle) = &mut self.cycle {
                let category = edge.entry.window.category.clone();
                cycle.interruptions.push(Stretch { number, category, from: edge.at, to: None });
            }
            self.interrupted += 1;
            self.pause(edge.at);
        } else {
            self.edges.retain(|other| other.entry.number != number);
        }
    }

    /// Time stops at `at`.
    fn pause(&mut self, at: Instant) {
        if self.open().is_none() || self.pausing || self.passed_for_good(at) {
            return;
        }
        self.pausing = true;
        self.take(Step::Pause { at, counted: true });
        if self.fold.since.is_some() {
            self.settle(None);
        }
    }

    /// Time goes on at `at`.
    fn resume(&mut self, at: Instant) {
        if self.open().is_none() || !self.pausing {
            return;
        }
        self.pausing = false;
        let moves = self.fold.since.is_some();
        self.take(Step::Resume(at));
        if moves {
            self.settle(None);
        }
    }

    /// The customer was promised an instant while the cycle is open. An earned miss stays one.
    pub(super) fn promise(&mut self, at: Instant, due: Instant) {
        if self.open().is_none() || self.spent.is_some() || self.passed_for_good(at) {
            return;
        }
        self.take(Step::Promise { at, due });
        if self.clock_rule(self.rule).is_some_and(asks_for_promise) {
            self.settle(Some(at));
        }
    }

    /// This lane, of a version that comes into force at `at`, for a clock that had not begun under the one before. It goes
    /// on with a cycle that the version would have open.
    pub(super) fn joined(mut self, at: Instant) -> Lane<'a> {
        match self.cycle.as_mut().filter(|cycle| cycle.is_open()) {
            None => Lane::new(self.clock, self.index),
            Some(cycle) => {
                cycle.number = 1;
                cycle.warnings.clear();
                self.settle(Some(at));
                self
            }
        }
    }

    /// This lane goes on under the version of `new`, which comes into force at `at` and is as if it had been in force
    /// from the start. What is finished stays, and so does an earned miss.
    pub(super) fn migrated(mut self, mut new: Lane<'a>, rule: Option<usize>, at: Instant) -> Lane<'a> {
        let Some(cycle) = self.cycle.take() else {
            // What another clock arms is armed by what that one crosses under the new version.
            let armed = new.open().is_some_and(|cycle| cycle.armed);
            return if armed { Lane::new(new.clock, new.index) } else { new.joined(at) };
        };
        if cycle.is_open() && new.open().is_some() && cycle.due_threshold().is_none_or(|due| due.at >= at) {
            let interruptions = new.cycle.take().map(|cycle| cycle.interruptions);
            let interruptions = interruptions.unwrap_or_default();
            new.cycle = Some(Cycle { interruptions, ..cycle });
            (new.late_fired, new.breach_fired) = (self.late_fired, self.breach_fired);
            new.settle(Some(at));
            return new;
        }
        self.cycle = Some(cycle);
        let is_missed = self.passed_for_good(at);
        if !is_missed {
            // The version has nothing open here: what was promised before is withdrawn.
            self.finish(at, EventTag::Cancelled, true);
        }
        let due = self.cycle.as_ref().and_then(|cycle| cycle.due_at);
        self.clock = new.clock;
        self.kept.clear();
        self.mark_pauses(due);
        self.rule = if is_missed { rule } else { None };
        if is_missed {
            self.change_limit(at);
        }
        self
    }

    /// Another rule is in force from `at` on.
    pub(super) fn change(&mut self, at: Instant, rule: Option<usize>) {
        let Some(cycle) = self.open().filter(|_| rule != self.rule) else { return };
        let without = matches!(cycle.phase, Phase::NoDeadline(_));
        if let (Some(broken), true) = (self.spent, without) {
            let reopened_at = cycle.started_at;
            self.mark_pauses(Some(reopened_at));
            self.spend(reopened_at, broken, rule);
            self.settle(Some(at));
        } else if self.spent.is_some() || self.passed_for_good(at) {
            let due = cycle.due_at;
            self.mark_pauses(due);
            self.rule = rule;
            self.fold.rebase(self.clock_rule(rule));
            self.change_limit(at);
        } else {
            self.switch(rule);
            self.settle(Some(at));
        }
    }

    /// Finishes the open cycle at `at`; `withdrawn` where that is no fulfilment.
    pub(super) fn finish(&mut self, at: Instant, by: EventTag, withdrawn: bool) {
        // Stopping while paused is stopping at the moment the pause ends: a paused clock is never late.
        self.resume(at);
        let Some(cycle) = self.cycle.as_mut().filter(|cycle| cycle.is_open()) else { return };
        let missed = cycle.due_threshold().is_some_and(|due| due.passed(at));
        let due = cycle.due_at;
        cycle.phase = match cycle.phase {
            Phase::NoDeadline(reason) if !withdrawn => Phase::Finished { at, reason },
            _ if missed => Phase::Missed { at },
            _ if withdrawn => Phase::Cancelled { at },
            _ => Phase::Met { at },
        };
        for stretch in &mut cycle.interruptions {
            stretch.to = Some(stretch.to.map_or(at, |to| to.min(at)));
        }
        self.finished_by = by;
        self.interrupted = 0;
        self.mark_pauses(due);
    }

    /// The cycle's due instant is settled: of its pauses those count that began no later. Without a due instant all do.
    fn mark_pauses(&mut self, due: Option<Instant>) {
        for step in self.steps.get_mut(self.settled..).unwrap_or_default() {
            if let Step::Pause { at, counted } = step {
                *counted = due.is_none_or(|due| *at <= due);
            }
        }
        self.settled = self.steps.len();
    }

    /// Due had passed in an earlier second, so that no event from `at` on can take the miss away.
    fn passed_for_good(&self, at: Instant) -> bool {
        self.open().and_then(Cycle::due_threshold).is_some_and(|due| due.at < at)
    }

    fn clock_rule(&self, rule: Option<usize>) -> Option<&'a Rule> {
        self.clock.rules.get(rule?)
    }

    fn take(&mut self, step: Step) {
        self.steps.push(step);
        let rule = self.clock_rule(self.rule);
        self.fold.take(rule, step, Counting::ByRule);
    }

    /// Puts a rule into force as if it had been from the start.
    fn switch(&mut self, rule: Option<usize>) {
        if rule != self.rule {
            self.keep_fold();
            self.fold = self.replayed(rule, Counting::ByRule);
            self.rule = rule;
        }
    }

    fn keep_fold(&mut self) {
        let (rule, upto, fold) = (self.rule, self.steps.len(), self.fold.clone());
        self.kept.retain(|kept| kept.rule != rule || kept.counting != Counting::ByRule);
        self.kept.push(Kept { rule, counting: Counting::ByRule, upto, fold });
    }

    /// The fold of all steps under a rule.
    fn replayed(&mut self, rule: Option<usize>, counting: Counting) -> Fold {
        let found = self.kept.iter().position(|kept| kept.rule == rule && kept.counting == counting);
        let mut kept = match found {
            Some(at) => self.kept.swap_remove(at),
            None => {
                let first = Fold::new(self.clock_rule(rule), self.fold.received, self.promise);
                Kept { rule, counting, upto: 0, fold: first }
            }
        };
        for step in self.steps.get(kept.upto..).unwrap_or_default() {
            kept.fold.take(self.clock_rule(rule), *step, counting);
        }
        kept.upto = self.steps.len();
        let fold = kept.fold.clone();
        self.kept.push(kept);
        fold
    }

    /// Brings the cycle into line with the fold. `change`: facts or a promise changed then, so that what now lies
    /// before it was put there by the change.
    fn settle(&mut self, change: Option<Instant>) {
        let rule = self.clock_rule(self.rule);
        let (Some(cycle), fold) = (self.cycle.as_mut(), &self.fold) else { return };
        cycle.rule = self.rule;
        cycle.limit_rule = self.rule;
        cycle.paused = fold.paused;
        cycle.backstop = fold.limit.is_some();
        cycle.due_at = None;
        cycle.limit_at = None;
        cycle.late_by_change = None;
        cycle.limit_by_change = None;
        let (rule, due) = match (rule, fold.due) {
            (Some(rule), Ok(due)) => (rule, due),
            (rule, due) => {
                cycle.phase = Phase::NoDeadline(due.err().unwrap_or(NoDeadline::NoRule));
                cycle.warnings.clear();
                cycle.promised = rule.filter(|rule| asks_for_promise(rule)).and(fold.told);
                return;
            }
        };
        cycle.promised = if asks_for_promise(rule) { fold.told } else { None };
        cycle.counted_from = fold.counted_from();
        cycle.beyond_known_holidays = rule.beyond_known_holidays(fold.received, due);
        cycle.warnings = warnings(cycle, fold, due, change);
        if let Some(since) = fold.since {
            let remaining = rule.measured(since.max(cycle.counted_from), due).max(Span::ZERO);
            cycle.phase = Phase::Paused { since, remaining };
        } else {
            cycle.phase = Phase::Running;
            cycle.due_at = Some(due);
            cycle.limit_at = fold.limit.and_then(Result::ok);
            cycle.late_by_change = change.filter(|at| due < *at);
            cycle.limit_by_change = change.filter(|at| cycle.limit_at.is_some_and(|limit| limit < *at));
        }
    }

    /// After an earned miss a change of facts moves nothing but a limit that has not passed.
    fn change_limit(&mut self, at: Instant) {
        let fold = self.replayed(self.rule, Counting::AsSettled);
        let Some(cycle) = self.cycle.as_mut() else { return };
        let passed = cycle.breach_threshold().is_some_and(|limit| limit.at < at);
        let (Some(due), false) = (cycle.due_at, passed || !cycle.backstop) else { return };
        cycle.limit_rule = self.rule;
        cycle.limit_at = match (fold.due, fold.limit) {
            // Nothing is promised any more, so nothing more can be broken.
            (Err(_), _) => None,
            // One tier only, and that one was missed.
            (Ok(_), None) => Some(due),
            (Ok(_), Some(limit)) => limit.ok().map(|limit| limit.max(due)),
        };
        cycle.limit_by_change = cycle.limit_at.filter(|limit| *limit < at).map(|_| at);
    }
}

/// The warning thresholds of a cycle that is due at `due`, given those it had before.
fn warnings(cycle: &Cycle, fold: &Fold, due: Instant, change: Option<Instant>) -> Vec<Warning> {
    let mut warnings = Vec::with_capacity(fold.warnings.len());
    for &(percent, at) in &fold.warnings {
        if at < cycle.started_at && due <= cycle.started_at {
            // Nothing remained when the request was reopened, so there is nothing left to warn of.
            continue;
        }
        let at = at.max(cycle.started_at);
        let before = cycle.warnings.iter().find(|before| before.percent == percent);
        let warning = match (before, change) {
            (Some(before), _) if before.by_change && at < before.at => *before,
            (Some(before), Some(change)) if at < change && before.at < change => *before,
            (_, Some(change)) if at < change => Warning { percent, at: change, by_change: true },
            _ => Warning { percent, at, by_change: false },
        };
        let reached = |since: Instant| warning.at.as_secs() - i64::from(warning.by_change) < since.as_secs();
        if fold.since.is_none_or(reached) {
            warnings.push(warning);
        }
    }
    warnings
}
