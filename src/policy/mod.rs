//! Policies: the written agreement, read, checked and compiled.
//!
//! Text becomes a tree of nodes with places (`text`), the tree becomes the document's types (`doc`), these become
//! a [`Policy`] (`build`), which must agree with its own worked examples (`example`). `lint` names what an
//! agreement is silent on. The language is described in `docs/policy.md`.

mod build;
mod calendars;
pub(crate) mod care;
mod clocks;
mod columns;
mod doc;
mod example;
mod forms;
mod lint;
mod matching;
mod read;
mod schema;
mod targets;
pub(crate) mod text;
pub(crate) mod words;

use std::sync::Arc;

use chrono::NaiveDate;

use crate::calendar::Calendar;
use crate::error::{Error, ErrorKind, Result};
use crate::model::EventTag;
use crate::target::{ReceiptRule, Tables, Target};

pub use care::{ExpediteRules, Reading, RefusalRules, WaiverRules};
pub use columns::NO_RULE;
pub use lint::{Lint, Severity};
pub use matching::{Index, Matched, Mismatch};

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
    /// What it remembers for long columns of receipts; the default is nothing.
    pub tables: Tables,
}

/// The share of a cohort that must meet its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AttainmentGoal {
    /// In hundredths of a percent, 1 to 10,000: 95 % is 9,500.
    pub share_bp: u32,
    /// The period it is judged by.
    pub per: Period,
}

/// A period of the calendar in which attainment is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
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
    /// The first that matches counts; the last is the clock's own target, if it has one.
    pub rules: Vec<Rule>,
    /// The share that must be met.
    pub attainment: Option<AttainmentGoal>,
    /// Vendors that its vendor events must be about; empty for any.
    pub vendors: Vec<String>,
    /// Finds rules by value; the default tries them in order.
    pub index: Index,
}

impl Clock {
    /// Whether it runs again and again to keep the customer informed: each round ends with something that the customer hears.
    pub fn informs_customer(&self) -> bool {
        use EventTag::{Acknowledged, Promised, Replied, Updated};
        let heard = |tag: &EventTag| matches!(tag, Acknowledged | Promised | Replied | Updated);
        !self.restart.is_empty() && self.restart.iter().all(heard)
    }

    /// Whether an event about this vendor concerns it.
    pub fn is_about_vendor(&self, vendor: &str) -> bool {
        self.vendors.is_empty() || self.vendors.iter().any(|known| known == vendor)
    }
}

/// A written agreement: checked, compiled, immutable. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Policy(pub(crate) Arc<Body>);

#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) statement: String,
    pub(crate) review_at: Option<NaiveDate>,
    pub(crate) interruptions: Vec<(Interruption, Handling)>,
    pub(crate) care: care::Care,
    pub(crate) calendars: Vec<Arc<Calendar>>,
    pub(crate) clocks: Vec<Clock>,
    /// The text it was read from, as stored in databases; needs no other file.
    pub(crate) source: String,
    /// The document as written, for the linter.
    doc: doc::PolicyDoc,
}

impl Policy {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its version, from 1.
    pub fn version(&self) -> u32 {
        self.0.version
    }

    /// Name and version as people read them, `name v1`.
    pub(crate) fn title(&self) -> String {
        format!("{} v{}", self.name(), self.version())
    }

    /// The promise in plain words; empty if the text has none.
    pub fn statement(&self) -> &str {
        &self.0.statement
    }

    /// The date on which somebody should read it again.
    pub fn review_at(&self) -> Option<NaiveDate> {
        self.0.review_at
    }

    /// What each foreseen kind of interruption does to the clocks, as far as the policy says.
    pub fn interruptions(&self) -> &[(Interruption, Handling)] {
        &self.0.interruptions
    }

    /// How many requests of a customer may go first each month; `None` if it foresees no expedites.
    pub fn expedites(&self) -> Option<&ExpediteRules> {
        self.0.care.expedites.as_ref()
    }

    /// Who may approve refusals.
    pub fn refusals(&self) -> &RefusalRules {
        &self.0.care.refusals
    }

    /// Who may excuse a miss; `None` if nobody may.
    pub fn waivers(&self) -> Option<&WaiverRules> {
        self.0.care.waivers.as_ref()
    }

    /// Who must have read this version, and until when, if the policy says so.
    pub fn reading(&self) -> Option<&Reading> {
        self.0.care.reading.as_ref()
    }

    /// Its clocks, in the order of the text.
    pub fn clocks(&self) -> &[Clock] {
        &self.0.clocks
    }

    /// The clock of this name.
    ///
    /// # Errors
    /// `NotFound` if there is none; the message lists the names and the nearest one.
    pub fn clock(&self, name: &str) -> Result<&Clock> {
        self.0.clocks.iter().find(|clock| clock.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.0.clocks.iter().map(|clock| clock.name.as_str()).collect();
            Error::new(ErrorKind::NotFound, words::unknown("clock", name, &names))
        })
    }

    /// Its calendars, in the order of the text.
    pub fn calendars(&self) -> &[Arc<Calendar>] {
        &self.0.calendars
    }

    /// How many worked examples it carries; all of them hold.
    pub fn example_count(&self) -> usize {
        self.0.doc.example.as_ref().map_or(0, Vec::len)
    }

    /// The text it was read from. Holiday files that the text names are carried at its end, so that
    /// [`Policy::from_text`] reads the same policy from it anywhere.
    pub fn source(&self) -> &str {
        &self.0.source
    }
}

/// Kinds of interruption that an agreement should foresee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Interruption {
    /// Illness, strike, loss of key people.
    Personnel,
    /// Buildings and workplaces.
    Facilities,
    /// Electric power.
    Power,
    /// Internet and telecommunication.
    InternetTelecom,
    /// A merger or an acquisition.
    MergerAcquisition,
    /// Fire, flood and other disasters.
    Disaster,
    /// Any kind of the agreement's own.
    Own,
}

/// What an interruption does to the clocks in its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Handling {
    /// They stop while it lasts.
    Stop,
    /// Their deadlines move by its length.
    Extend,
    /// It is only recorded.
    Record,
}
