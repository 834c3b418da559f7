//! Policies: the written agreement, compiled.

use std::sync::Arc;

use crate::calendar::Calendar;
use crate::model::EventTag;
use crate::target::{ReceiptRule, Target};

/// Starts a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// An event of this kind.
    Event(EventTag),
    /// The clock of this index became late: its due instant passed unmet.
    Late(usize),
    /// The clock of this index was breached: its limit (or due, where it has no backstop) passed unmet.
    Breached(usize),
}

/// What a clock does when its finished request is reopened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reopen {
    /// A new cycle with the time that remained; nothing remains after a miss.
    Remaining,
    /// A new cycle with the full time.
    Full,
    /// No new cycle.
    None,
}

/// One condition of a rule: the fact must have one of the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `customer`, `priority`, `category`, `channel` or an attribute's name.
    pub fact: String,
    /// Allowed values, compared exactly.
    pub values: Vec<String>,
}

/// What a clock promises to the requests it matches.
#[derive(Clone, Debug)]
pub struct Rule {
    /// All must hold; none matches everything.
    pub when: Vec<Condition>,
    /// The working hours and zone it counts in.
    pub calendar: Arc<Calendar>,
    /// Move the instant it counts from.
    pub receipt: Vec<ReceiptRule>,
    /// Gives the due instant.
    pub target: Target,
    /// A due instant outside working hours moves to the next opening.
    pub roll_forward: bool,
    /// Gives the limit instant.
    pub backstop: Option<Target>,
    /// Percent of the target after which the clock is at risk, rising, 1 to 99.
    pub warn_at: Vec<u8>,
}

/// The share of a cohort that must meet its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttainmentGoal {
    /// In hundredths of a percent, 1 to 10,000: 95 % is 9,500.
    pub share_bp: u32,
    /// The period it is judged by.
    pub per: Period,
}

/// A period of the calendar in which attainment is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
    /// A calendar year.
    Year,
}

/// One promise: when it starts and stops, what stops it meanwhile, and its rules.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Its name, unique in the policy.
    pub name: String,
    /// Any of these starts a cycle, unless one is open.
    pub start: Vec<Trigger>,
    /// Any of these finishes the open cycle.
    pub stop: Vec<EventTag>,
    /// Any of these finishes the open cycle and starts the next (periodic update, call-backs).
    pub restart: Vec<EventTag>,
    /// Pause reasons that stop it.
    pub pause: Vec<String>,
    /// What happens on reopening.
    pub reopen: Reopen,
    /// The first that matches counts.
    pub rules: Vec<Rule>,
    /// The share that must be met.
    pub attainment: Option<AttainmentGoal>,
}

/// A written agreement: checked, compiled, immutable. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Policy(pub(crate) Arc<Body>);

#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) statement: String,
    pub(crate) calendars: Vec<Arc<Calendar>>,
    pub(crate) clocks: Vec<Clock>,
    /// The text it was read from, as stored in databases.
    pub(crate) source: String,
}
