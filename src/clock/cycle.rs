//! One run of a clock, from its start to its finish, and what it crosses on the way.

use super::{Phase, Stage, Stretch, Threshold, ThresholdKind};
use crate::policy::{Policy, Rule};
use crate::target::Paused;
use crate::time::{Instant, Span};

/// A warning threshold of a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Warning {
    /// The share of the target's own time that is used up then, 1 to 99.
    pub percent: u8,
    /// When; the change's instant if `by_change`.
    pub at: Instant,
    /// A change of facts, not the passing of time, put it into the past.
    pub by_change: bool,
}

impl Warning {
    /// The same as a threshold.
    pub fn threshold(&self) -> Threshold {
        Threshold { at: self.at, kind: ThresholdKind::Warning(self.percent), by_change: self.by_change }
    }
}

/// One run of a clock. A finished cycle's verdict never changes through later events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Index of the clock in the policy.
    pub clock: usize,
    /// 1 for the clock's first cycle of this request, then rising by 1.
    pub number: u32,
    /// Index of the rule that gives the due instant; `None` if no rule of the clock matches.
    pub rule: Option<usize>,
    /// Index of the rule that gives the limit; another than `rule` only if facts changed after a miss.
    pub limit_rule: Option<usize>,
    /// When it began.
    pub started_at: Instant,
    /// The instant its target was worked out from; before `started_at` if a reopened request keeps its remaining time.
    pub received_as: Instant,
    /// `received_as` as moved by the receipt rules.
    pub counted_from: Instant,
    /// How far it has come.
    pub phase: Phase,
    /// `None` while paused, and where there is no deadline.
    pub due_at: Option<Instant>,
    /// `None` while paused, and where there is no backstop or it is never reached. Never before `due_at`.
    pub limit_at: Option<Instant>,
    /// There is a second tier, so that due passing makes it late and not yet breached.
    pub backstop: bool,
    /// Warning thresholds by rising percentage; while paused only those that had passed before.
    pub warnings: Vec<Warning>,
    /// The change of facts that put the due instant into the past.
    pub late_by_change: Option<Instant>,
    /// The change of facts that put the limit into the past.
    pub limit_by_change: Option<Instant>,
    /// Started by another clock's threshold instead of an event. Such a cycle may lie in the future: it begins then
    /// if nothing happens before.
    pub armed: bool,
    /// The threshold that started it was put into the past by a change of facts.
    pub armed_by_change: bool,
    /// Begun by reopening the request.
    pub reopened: bool,
    /// The promised instant, where the target asks for one.
    pub promised: Option<Instant>,
    /// Time on pause so far that moved the due instant, without a pause that still lasts.
    pub paused: Paused,
    /// Stretches in which interruptions stopped it, by rising start; they may overlap each other and times on hold.
    pub interruptions: Vec<Stretch>,
    /// The due instant counts past the date up to which the calendar's holidays are known.
    pub beyond_known_holidays: bool,
    /// When somebody excused the miss; `None` if nobody did, and for a cycle that was not missed by then.
    pub waived_at: Option<Instant>,
}

impl Cycle {
    /// Where it stands at `now`, which must not lie before the last event it was derived from.
    pub fn stage(&self, now: Instant) -> Stage {
        match self.phase {
            Phase::Met { .. } => Stage::Met,
            Phase::Missed { .. } => Stage::Missed,
            Phase::Cancelled { .. } => Stage::Cancelled,
            Phase::Finished { .. } | Phase::NoDeadline(_) => Stage::Idle,
            _ if !self.has_started(now) => Stage::Idle,
            Phase::Paused { .. } => Stage::Paused,
            Phase::Running => self.running_stage(now),
        }
    }

    /// Whether it has begun at `now`. A cycle armed by another clock begins when that clock's threshold has passed.
    pub fn has_started(&self, now: Instant) -> bool {
        if self.armed && !self.armed_by_change { self.started_at < now } else { self.started_at <= now }
    }

    /// Whether no event has finished it.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Paused { .. } | Phase::NoDeadline(_))
    }

    /// When it was finished, withdrawn or superseded.
    pub fn finished_at(&self) -> Option<Instant> {
        match self.phase {
            Phase::Met { at }
            | Phase::Missed { at }
            | Phase::Cancelled { at }
            | Phase::Finished { at, .. } => Some(at),
            Phase::Running | Phase::Paused { .. } | Phase::NoDeadline(_) => None,
        }
    }

    /// What is left at `now` until due, in the measure of the rule; negative once due has passed.
    ///
    /// `None` for finished cycles and where there is no deadline. While paused it is what was left when the pause
    /// began. `policy` is the one the cycle was derived with.
    pub fn remaining(&self, policy: &Policy, now: Instant) -> Option<Span> {
        match self.phase {
            Phase::Paused { remaining, .. } => Some(remaining),
            Phase::Running => Some(self.rule(policy)?.measured(now.max(self.counted_from), self.due_at?)),
            _ => None,
        }
    }

    /// The rule that gives the due instant. `policy` is the one the cycle was derived with.
    pub fn rule<'a>(&self, policy: &'a Policy) -> Option<&'a Rule> {
        policy.clocks().get(self.clock)?.rules.get(self.rule?)
    }

    /// The threshold of the due instant: `Late`, or `Breached` where there is no backstop.
    pub fn due_threshold(&self) -> Option<Threshold> {
        let kind = if self.backstop { ThresholdKind::Late } else { ThresholdKind::Breached };
        let at = self.late_by_change.or(self.due_at)?;
        Some(Threshold { at, kind, by_change: self.late_by_change.is_some() })
    }

    /// The threshold at which the promise is broken: the limit's, or due's where there is no backstop.
    pub fn breach_threshold(&self) -> Option<Threshold> {
        if !self.backstop {
            return self.due_threshold();
        }
        let at = self.limit_by_change.or(self.limit_at)?;
        Some(Threshold { at, kind: ThresholdKind::Breached, by_change: self.limit_by_change.is_some() })
    }

    /// What it crosses: warnings, then due, then limit; last, that the miss was waived.
    ///
    /// An open cycle gives all that it crosses if nothing happens, a finished one those it crossed before it
    /// finished, a paused one those it crossed before the pause.
    pub fn thresholds(&self) -> impl Iterator<Item = Threshold> {
        let finished_at = self.finished_at();
        let warnings = self.warnings.iter().map(Warning::threshold);
        let limit = if self.backstop { self.breach_threshold() } else { None };
        warnings
            .chain(self.due_threshold())
            .chain(limit)
            .filter(move |threshold| finished_at.is_none_or(|at| threshold.passed(at)))
            .chain(self.waived_threshold())
    }

    fn waived_threshold(&self) -> Option<Threshold> {
        Some(Threshold { at: self.waived_at?, kind: ThresholdKind::Waived, by_change: false })
    }

    /// Excuses the miss, if it was one at `at`.
    pub(super) fn waive(&mut self, at: Instant) {
        let missable = matches!(self.phase, Phase::Missed { .. } | Phase::Running);
        let missed = missable && self.due_threshold().is_some_and(|due| due.passed(at));
        self.waived_at = Some(at).filter(|_| missed);
    }

    fn running_stage(&self, now: Instant) -> Stage {
        let passed = |threshold: Option<Threshold>| threshold.is_some_and(|threshold| threshold.passed(now));
        if passed(self.breach_threshold()) {
            Stage::Breached
        } else if passed(self.due_threshold()) {
            Stage::Late
        } else if self.thresholds().any(|threshold| threshold.passed(now)) {
            Stage::AtRisk
        } else {
            Stage::OnTrack
        }
    }
}
