//! Attainment: the share of a cohort that met its target, judged against the promise in whole numbers.
//!
//! A cohort is what was **received** in a period. Nothing here rounds in favour of anybody: shares are floored, and
//! a promise of 95 % of 10 requests allows no miss.

mod cohort;
mod fairness;
mod group;
mod outlook;
mod period;
mod tally;

pub(crate) use cohort::{Cohort, Crossed, Membership};
pub use fairness::{Comparison, Share, Standing};
pub use group::{Breakdown, GroupBy};
pub use outlook::{Cadence, Outlook, Pressing, Pulse};
pub use period::{IntoPeriod, Month, PeriodRange, Quarter, Year};
pub use tally::{Attainment, GoalVerdict, Tally};
#[cfg(feature = "html")]
pub(crate) use tally::{Grouped, Percent};

use crate::clock::{Cycle, Phase};
use crate::time::Instant;

/// Why a request does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// The clock never started.
    NotStarted,
    /// Nothing was promised, or the deadline cannot be reached.
    NoDeadline,
    /// It was withdrawn before due.
    Cancelled,
}

/// Whether a request met a clock's target: the worst over the clock's cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every cycle that counts was finished at or before due.
    Met,
    /// A cycle was finished after due, or is open and due has passed.
    Missed,
    /// A cycle is open and due has not passed, or it is paused.
    Undecided,
    /// It does not count.
    Excluded(Exclusion),
}

/// What became of a missed target's second tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tail {
    /// Finished at or before the limit.
    WithinLimit,
    /// Still open, and the limit has not passed.
    Undecided,
    /// The limit passed unmet, or there is none.
    Breached,
}

/// What one request's cycles of one clock come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Outcome {
    /// The worst over the cycles.
    pub verdict: Verdict,
    /// Of a missed one, the worst over its missed cycles; otherwise `None`.
    pub tail: Option<Tail>,
    /// It is missed, and somebody excused every miss of it.
    pub waived: bool,
    /// Cycles finished in time.
    pub cycles_met: u32,
    /// Cycles finished late, or open with due passed.
    pub cycles_missed: u32,
}

impl Outcome {
    /// The outcome at `now` of one clock's cycles of one request, as [derived](crate::clock::derive_at) for `now`.
    ///
    /// Cycles that have not begun at `now` and cycles superseded by a new promise do not count.
    pub fn of(cycles: &[Cycle], now: Instant) -> Outcome {
        let mut outcome = Outcome {
            verdict: Verdict::Excluded(Exclusion::NotStarted),
            tail: None,
            waived: false,
            cycles_met: 0,
            cycles_missed: 0,
        };
        let mut excused = true;
        for cycle in cycles.iter().filter(|cycle| cycle.has_started(now)) {
            let verdict = Verdict::of_cycle(cycle, now);
            match verdict {
                Verdict::Met => outcome.cycles_met += 1,
                Verdict::Missed => {
                    outcome.cycles_missed += 1;
                    excused &= cycle.waived_at.is_some();
                    outcome.tail = outcome.tail.max(Some(Tail::of_missed(cycle, now)));
                }
                Verdict::Undecided | Verdict::Excluded(_) => {}
            }
            if verdict.weight() > outcome.verdict.weight() {
                outcome.verdict = verdict;
            }
        }
        outcome.waived = excused && outcome.cycles_missed > 0;
        outcome
    }
}

impl Verdict {
    /// The verdict on one cycle that has begun at `now`.
    pub fn of_cycle(cycle: &Cycle, now: Instant) -> Verdict {
        match cycle.phase {
            Phase::Met { .. } => Verdict::Met,
            Phase::Missed { .. } => Verdict::Missed,
            Phase::Cancelled { .. } => Verdict::Excluded(Exclusion::Cancelled),
            Phase::NoDeadline(_) | Phase::Finished { .. } => Verdict::Excluded(Exclusion::NoDeadline),
            Phase::Paused { .. } => Verdict::Undecided,
            Phase::Running if cycle.due_threshold().is_some_and(|due| due.passed(now)) => Verdict::Missed,
            Phase::Running => Verdict::Undecided,
        }
    }

    /// Which of two verdicts stands for both: the heavier.
    fn weight(self) -> u8 {
        match self {
            Verdict::Excluded(Exclusion::NotStarted) => 0,
            Verdict::Excluded(Exclusion::Cancelled) => 1,
            Verdict::Excluded(Exclusion::NoDeadline) => 2,
            Verdict::Met => 3,
            Verdict::Undecided => 4,
            Verdict::Missed => 5,
        }
    }
}

impl Tail {
    /// What became of the second tier of a cycle whose due instant passed unmet.
    fn of_missed(cycle: &Cycle, now: Instant) -> Tail {
        let until = cycle.finished_at();
        let passed = cycle.breach_threshold().is_some_and(|limit| limit.passed(until.unwrap_or(now)));
        match until {
            _ if passed || !cycle.backstop => Tail::Breached,
            Some(_) => Tail::WithinLimit,
            None => Tail::Undecided,
        }
    }
}
