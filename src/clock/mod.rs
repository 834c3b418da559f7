//! Clocks: the life of each promise about a request, as a pure function of its events, the policy and now.

mod care;
mod cycle;
mod derive;
mod finish;
mod fold;
mod interruption;
mod lane;
mod timeline;
mod waits;

pub use care::{Expedite, Refusal, Waiver};
pub use cycle::{Cycle, Warning};
pub(crate) use derive::{Given, derive_before_and_after, derive_given, derive_over};
pub use derive::{derive, derive_at, derive_interrupted};
pub(crate) use interruption::NO_INTERRUPTIONS;
pub use interruption::{Act, Entry, Interruptions, Scope, Stretch, Window};
pub use timeline::{Hold, RequestState, Timeline, order};
pub use waits::{Party, Wait, waits};

use crate::target::NoDeadline;
use crate::time::{Instant, Span};

/// Where a clock stands at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Has not started, or has no deadline.
    Idle,
    /// Running, no warning threshold has passed.
    OnTrack,
    /// Running, a warning threshold has passed.
    AtRisk,
    /// Running, due has passed, the limit has not: spends error budget.
    Late,
    /// Running, the promise is broken: the limit has passed, or due where there is no backstop.
    Breached,
    /// Stopped by a pause: has remaining time, but no due instant.
    Paused,
    /// Finished at or before due.
    Met,
    /// Finished after due.
    Missed,
    /// Withdrawn before due.
    Cancelled,
}

impl Stage {
    /// Every stage, in the order above.
    pub const ALL: [Stage; 9] = [
        Stage::Idle,
        Stage::OnTrack,
        Stage::AtRisk,
        Stage::Late,
        Stage::Breached,
        Stage::Paused,
        Stage::Met,
        Stage::Missed,
        Stage::Cancelled,
    ];

    /// The word for it in every language and in JSON, such as `at_risk`.
    pub const fn word(self) -> &'static str {
        match self {
            Stage::Idle => "idle",
            Stage::OnTrack => "on_track",
            Stage::AtRisk => "at_risk",
            Stage::Late => "late",
            Stage::Breached => "breached",
            Stage::Paused => "paused",
            Stage::Met => "met",
            Stage::Missed => "missed",
            Stage::Cancelled => "cancelled",
        }
    }

    /// The stage with this word.
    pub fn from_word(word: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.word() == word)
    }
}

/// What a clock crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdKind {
    /// This percentage of the target's own time was used up.
    Warning(u8),
    /// The due instant passed unmet.
    Late,
    /// The limit passed unmet (or due, where there is no backstop: then there is no separate `Late`).
    Breached,
    /// Somebody excused the miss: it counts in the raw figure only. Its instant is that of the waiver.
    Waived,
    /// Nobody reviewed the policy by its review date. About no request.
    Review,
    /// A reader did not read the policy in time. About no request.
    Reading,
    /// Of the misses that a promised share allows, none was left any more. About a period.
    BudgetExhausted,
    /// A promised share was missed for certain: the period is over, and there were more misses than it allows. About a
    /// period.
    PeriodBreached,
}

/// A point at which a cycle's stage changes by the mere passing of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Threshold {
    /// The instant it is about: the due, limit or warning instant, or the change's instant if `by_change`.
    pub at: Instant,
    /// What is crossed.
    pub kind: ThresholdKind,
    /// A change of facts, not the passing of time, put the threshold into the past.
    pub by_change: bool,
}

impl Threshold {
    /// The threshold has passed at `now` iff its key is below `now`: the instant itself, or the second before it
    /// where a change of facts put it into the past (it then counts from the change's own instant on).
    pub fn key(self) -> i64 {
        if self.by_change { self.at.as_secs() - 1 } else { self.at.as_secs() }
    }

    /// Whether it has passed at `now`.
    pub fn passed(self, now: Instant) -> bool {
        self.key() < now.as_secs()
    }
}

/// How far a cycle has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The time runs (or will from `started_at` on, if that is in the future).
    Running,
    /// Stopped before due.
    Paused {
        /// Since when.
        since: Instant,
        /// What was left then, in the target's own time.
        remaining: Span,
    },
    /// There is no deadline.
    NoDeadline(NoDeadline),
    /// Finished at or before due.
    Met {
        /// When.
        at: Instant,
    },
    /// Finished (or withdrawn) after due.
    Missed {
        /// When.
        at: Instant,
    },
    /// Withdrawn, or superseded, before due.
    Cancelled {
        /// When.
        at: Instant,
    },
    /// Finished without ever having a deadline.
    Finished {
        /// When.
        at: Instant,
        /// Why there was none.
        reason: NoDeadline,
    },
}

#[cfg(test)]
pub(crate) mod tests;
