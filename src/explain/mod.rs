//! Why a clock stands where it stands: the rule that was chosen, every cycle with the proof of its deadline, what
//! paused, changed and reopened it, and the verdict. As data, and in sentences.

mod gather;
mod words;

pub use gather::explain;
pub(crate) use gather::explain_given;

use serde::Serialize;

use crate::attainment::Verdict;
use crate::clock::{Phase, RequestState, Stage};
use crate::model::Facts;
use crate::target::{Measure, Moment, Trace};
use crate::time::Span;

/// The story of one clock of one request, as of an instant. `Display` tells it in sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The request's key.
    pub request: String,
    /// The clock's name.
    pub clock: String,
    /// The policy the request is pinned to, as `customer-care v1`.
    pub policy: String,
    /// The version of the time zone data.
    pub tzdb: String,
    /// The zone of the civil times.
    pub zone: String,
    /// As of when; later events are left out.
    pub now: Moment,
    /// When the request was received.
    pub received_at: Moment,
    /// Its facts after all changes.
    pub facts: Facts,
    /// Open, resolved, cancelled or refused.
    pub state: RequestState,
    /// Vendors that its vendor events must be about; empty for any.
    pub vendors: Vec<String>,
    /// The last proposal to refuse the request, in words.
    pub refusal: Option<String>,
    /// The rule that counts by these facts, and why the others do not.
    pub rules: Vec<RuleNote>,
    /// The clock's cycles that have begun, by number.
    pub cycles: Vec<CycleStory>,
    /// When the clock will begin if nothing happens before, where another clock arms it.
    pub arms_at: Option<Moment>,
    /// The verdict over all cycles.
    pub verdict: Verdict,
}

/// A rule of the clock, and whether it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleNote {
    /// Its place in the clock's list, from 0.
    pub index: usize,
    /// What it asks of a request, in words.
    pub asks: String,
    /// Why it does not count; `None` if it does.
    pub lost: Option<String>,
}

/// One cycle of the clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CycleStory {
    /// From 1.
    pub number: u32,
    /// What began it, in words.
    pub begun_by: String,
    /// When it began.
    pub started_at: Moment,
    /// Where it stands.
    pub stage: Stage,
    /// How far it has come.
    pub phase: Phase,
    /// When it was finished.
    pub finished_at: Option<Moment>,
    /// Index of the rule that gives the due instant.
    pub rule: Option<usize>,
    /// The due instant; `None` while paused and where there is none.
    pub due_at: Option<Moment>,
    /// The limit instant.
    pub limit_at: Option<Moment>,
    /// When due passed by a change of facts instead of the passing of time.
    pub late_by_change: Option<Moment>,
    /// When the limit passed by a change of facts.
    pub limit_by_change: Option<Moment>,
    /// Warning thresholds.
    pub warnings: Vec<WarningStory>,
    /// What is left until due, negative once it has passed.
    pub remaining: Option<Span>,
    /// What `remaining` is measured with.
    pub measure: Option<Measure>,
    /// Changes of facts and promises while it was open.
    pub changes: Vec<ChangeStory>,
    /// The target was missed before the request was reopened: it is due at the reopening, and the proof only says what
    /// the rule gave at first.
    pub nothing_remained: bool,
    /// Otherwise, why the due instant is not that of the proof, where it is not.
    pub departs: Option<String>,
    /// Who excused the miss, when and why, in words.
    pub waived: Option<String>,
    /// The proof of the due and limit instants under the rule.
    pub trace: Option<Trace>,
}

/// A warning threshold of a cycle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WarningStory {
    /// The share of the target's own time.
    pub percent: u8,
    /// When it is used up.
    pub at: Moment,
    /// Whether that has passed.
    pub passed: bool,
    /// A change of facts put it into the past.
    pub by_change: bool,
}

/// A change of facts, or a promise, while a cycle was open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeStory {
    /// When.
    pub at: Moment,
    /// What changed, in words.
    pub what: String,
    /// What it did, in words.
    pub effect: String,
}
