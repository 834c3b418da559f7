//! The report as data: every figure that a service manager looks at, each with the requests behind it.
//!
//! Only counts and instants; what it looks like is somebody else's business (the feature `html` makes a page of it).

mod burndown;
mod fairness;
mod handling;
mod heat;
mod ids;
mod query;

pub use burndown::{BurnDay, Burndown};
pub use fairness::{Fairness, GroupFairness, Held};
pub use handling::{Bin, Handling, Quantiles, Side};
pub use heat::{Heat, HeatCell};
pub use ids::Ids;
pub use query::ReportQuery;

pub(crate) use burndown::Spending;
pub(crate) use fairness::{FairnessCount, Fate};

use serde::{Deserialize, Serialize};

use crate::attainment::{Attainment, PeriodRange};
use crate::db::{Row, Waiting};
use crate::time::{Instant, Span};

/// Everything that there is to say about the requests received in a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The newest policy, as `name v1`.
    pub policy: String,
    /// Its promise in plain words.
    pub statement: String,
    /// The zone of its first clock's calendar, in which weekdays and hours are counted.
    pub zone: String,
    /// Judged at this instant.
    pub now_at: Instant,
    /// The requests were received in it.
    pub period: PeriodRange,
    /// The most ids that each list holds.
    pub most_ids: u32,
    /// The clocks reported on, in the order of the policy.
    pub clocks: Vec<ClockReport>,
    /// Time on hold by reason.
    pub waiting: Vec<WaitingFigures>,
}

/// Time on hold for one reason, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingFigures {
    /// The figures.
    #[serde(flatten)]
    pub waiting: Waiting,
    /// The requests that were on hold for it.
    pub ids: Ids,
}

/// One clock's figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReport {
    /// The counts of the whole period against the goal.
    pub attainment: Attainment,
    /// Who is behind the counts.
    pub ids: VerdictIds,
    /// The error budget in every month, quarter or year that the goal is judged by, by rising date; empty without goal.
    pub burndown: Vec<Burndown>,
    /// How early or late requests were handled.
    pub handling: Handling,
    /// When they were received.
    pub arrivals: Heat,
    /// When those were received that missed their target.
    pub misses: Heat,
    /// By each of the facts asked for; those that no request has are left out.
    pub fairness: Vec<Fairness>,
    /// The latest, worst first: handled late, or still open.
    pub latest: Vec<Latest>,
    /// What is due next of all that is open at `now_at`, whenever it was received, nearest first.
    pub nearest: Vec<Row>,
}

/// The requests behind each count of a tally.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictIds {
    /// Met.
    pub met: Ids,
    /// Missed.
    pub missed: Ids,
    /// Not decided yet.
    pub undecided: Ids,
    /// Left out: never started, no deadline or withdrawn.
    pub excluded: Ids,
    /// Of the missed, those finished within the limit.
    pub within_limit: Ids,
    /// Of the missed, those still open whose limit has not passed.
    pub limit_open: Ids,
    /// Of the missed, those beyond the limit.
    pub breached: Ids,
}

/// A request that was handled late, or is late and still open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// Its external id.
    pub request: String,
    /// Who asked.
    pub customer: Option<String>,
    /// Its priority, after all changes.
    pub priority: Option<String>,
    /// One line for people.
    pub subject: Option<String>,
    /// When it was received.
    pub received_at: Instant,
    /// The first deadline that it missed.
    pub due_at: Instant,
    /// When it was handled; `None` while it is open.
    pub handled_at: Option<Instant>,
    /// Wall-clock time from due until it was handled, or until now.
    pub late_by: Span,
}
