//! The proof of a deadline, as data. `prove` builds it, `words` puts it into sentences.

use chrono::{NaiveDate, NaiveDateTime};
use serde::{Serialize, Serializer};

use super::{Due, Measure, NoDeadline, Paused};
use crate::time::{Instant, Span};

/// Longest list of stretches or dates that a trace keeps; what lies beyond is only counted.
pub const MAX_STEPS: usize = 10_000;

/// How a deadline came about: every move, branch, date and stretch of time that led to it.
///
/// Made by [`Rule::trace`](crate::policy::Rule::trace). Its `Display` is the proof in sentences; serialized, it is the
/// proof as data, with instants in seconds since 1970-01-01T00:00:00Z and civil times of the calendar's zone beside
/// them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The calendar's name in the policy.
    pub calendar: String,
    /// The calendar's time zone.
    pub zone: String,
    /// The version of the time zone data.
    pub tzdb: String,
    /// Name and version of the policy, as in `customer-care v1`, if the trace was made by one.
    pub policy: Option<String>,
    /// The true receipt.
    pub received: Moment,
    /// The receipt's date.
    pub received_on: Day,
    /// The receipt rules that applied, in order.
    pub receipt_rules: Vec<ReceiptStep>,
    /// The instant from which the targets count.
    pub counted_from: Moment,
    /// Times on hold, in order.
    pub pauses: Vec<PauseStep>,
    /// How the target led to its instant.
    pub target: Derivation,
    /// The instant that `roll_forward` moved to the next opening.
    pub rolled_from: Option<Moment>,
    /// The due instant.
    pub due: Outcome,
    /// The hold that lasts. While it does there is no due instant: [`due`](Trace::due) is what it would be if the
    /// hold ended in the second it began.
    pub stopped: Option<Stopped>,
    /// How the backstop led to its instant.
    pub backstop: Option<Derivation>,
    /// The limit instant.
    pub limit: Option<Outcome>,
    /// Whether the due or limit instant counts past [`holidays_known_until`](Trace::holidays_known_until).
    pub beyond_known_holidays: bool,
    /// The last date for which the calendar's holidays are known.
    #[serde(serialize_with = "optional_text")]
    pub holidays_known_until: Option<NaiveDate>,
}

impl Trace {
    /// The due instant as [`Rule::due_shifted`](crate::policy::Rule::due_shifted) gives it.
    pub fn due(&self) -> Due {
        self.due.as_due()
    }

    /// Adds the policy's name and version, shown beside the due instant.
    #[must_use]
    pub fn of_policy(mut self, name: &str, version: u32) -> Trace {
        self.policy = Some(format!("{name} v{version}"));
        self
    }
}

/// An instant with its civil time in the calendar's zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// The instant.
    pub at: Instant,
    /// Its civil time.
    #[serde(serialize_with = "text")]
    pub local: NaiveDateTime,
    /// The abbreviation in use then, such as `MSK`.
    pub abbreviation: Box<str>,
}

/// A date and what it is in the calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Day {
    /// The date.
    #[serde(serialize_with = "text")]
    pub date: NaiveDate,
    /// Whether it is a working day.
    pub working: bool,
    /// Why it is none, or why its hours are special: the name of a holiday, `weekend`, `holiday`, `closed`.
    pub why: Option<String>,
}

/// A receipt rule that applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceiptStep {
    /// Its place among the rules, from 0.
    pub index: usize,
    /// The rule in words.
    pub rule: String,
    /// What it was applied to.
    pub before: Moment,
    /// What that counts as; or why it leads nowhere.
    pub after: Outcome,
}

/// An instant, or the reason why there is none. Serialized as the [`Moment`], or as `{ "no_deadline": reason }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is one.
    At(Moment),
    /// There is none.
    NoDeadline(NoDeadline),
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Outcome::At(moment) => moment.serialize(serializer),
            Outcome::NoDeadline(reason) => serializer.collect_map([("no_deadline", reason)]),
        }
    }
}

impl Outcome {
    /// The bare instant or reason.
    pub fn as_due(&self) -> Due {
        match self {
            Outcome::At(moment) => Ok(moment.at),
            Outcome::NoDeadline(reason) => Err(*reason),
        }
    }
}

/// A time on hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PauseStep {
    /// When it began.
    pub from: Moment,
    /// When it ended, unless it lasts.
    pub to: Option<Moment>,
    /// Why.
    pub reason: String,
    /// What it did.
    pub effect: PauseEffect,
}

/// What a time on hold did to the due instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PauseEffect {
    /// It counted.
    Counted {
        /// How long it was, from [`Trace::counted_from`] on.
        paused: Paused,
        /// The due instant with it.
        due: Outcome,
    },
    /// It lasts: the clock stands.
    Stopped,
    /// It began after due and changes nothing.
    AfterDue,
    /// It began while an earlier one lasted, and ended no later.
    Covered,
}

/// A hold that lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// Since when.
    pub since: Moment,
    /// Why.
    pub reason: String,
    /// What is left of the target, in `measure`.
    pub remaining: Span,
    /// What `remaining` is measured with.
    pub measure: Measure,
}

/// How a target led to its instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Derivation {
    /// The target in words.
    pub rule: String,
    /// The way there.
    pub how: How,
    /// Where it leads without time on hold.
    pub unpaused: Outcome,
    /// Where it leads with it.
    pub due: Outcome,
}

/// The way of a target to its instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum How {
    /// Nothing is promised.
    Nothing,
    /// An instant that was promised.
    Promised,
    /// A length of time was used up.
    Time(TimeUsed),
    /// Dates were counted.
    Days(Walk),
    /// A branch was chosen.
    Cutoff(Choice),
    /// The earliest of several.
    Earliest(Parts),
    /// The latest of several.
    Latest(Parts),
}

/// The stretches of time that a target used up. They add up to the target exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimeUsed {
    /// Working or wall-clock time.
    pub measure: Measure,
    /// The target.
    pub target: Span,
    /// In order, time on hold cut out; the first [`MAX_STEPS`] of them.
    pub stretches: Vec<Stretch>,
    /// How many more there are.
    pub more: u64,
    /// How long those are together.
    pub more_length: Span,
    /// Dates on the way that are closed, in working time; the first [`MAX_STEPS`] of them.
    pub closed: Vec<Day>,
}

impl TimeUsed {
    /// All stretches together: the target, or nothing where the target leads nowhere.
    pub fn total(&self) -> Span {
        let listed: i64 = self.stretches.iter().map(|stretch| stretch.length.as_secs()).sum();
        Span::from_secs(listed + self.more_length.as_secs())
    }
}

/// A stretch of time that was used up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// From here…
    pub from: Instant,
    /// …up to here.
    pub to: Instant,
    /// Civil time of `from`.
    #[serde(serialize_with = "text")]
    pub from_local: NaiveDateTime,
    /// Civil time of `to`.
    #[serde(serialize_with = "text")]
    pub to_local: NaiveDateTime,
    /// From one to the other.
    pub length: Span,
}

/// Dates that were walked over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Walk {
    /// Working time: working days are counted. Wall-clock time: every date is.
    pub measure: Measure,
    /// How many dates were to be counted; 0 means the date of the receipt itself.
    pub days: u32,
    /// In order, from the date after the receipt to the one that is due; the first [`MAX_STEPS`] of them.
    pub dates: Vec<WalkedDay>,
    /// How many more there are.
    pub more: u64,
}

/// One date of a walk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WalkedDay {
    /// The date.
    #[serde(flatten)]
    pub day: Day,
    /// Its number if it was counted, from 1.
    pub number: Option<u32>,
}

/// How a cut-off target chose its branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What a receipt on a closed date counted as.
    pub counts_as: Option<Moment>,
    /// The date from which the branches count.
    pub on: Day,
    /// The civil time that was compared.
    #[serde(serialize_with = "text")]
    pub compared: chrono::NaiveTime,
    /// The branches that were tried, in order. The last one was taken, if one was.
    pub tried: Vec<TriedBranch>,
    /// The dates from the receipt's to the due one.
    pub walk: Walk,
}

/// A branch of a cut-off target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TriedBranch {
    /// What it asks of the receipt, in words: `before 14:00`, `otherwise`.
    pub when: String,
    /// What it promises, in words: `same day, close`.
    pub promise: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Its instant, where it was worked out.
    pub due: Option<Moment>,
}

/// What became of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It asks for an earlier receipt.
    TooLate,
    /// The receipt's date is closed, and only the last branch stands for closed dates.
    ClosedDate,
    /// It says "same day", and the receipt's date is closed.
    SameDayClosed,
    /// Its instant is not after the receipt.
    NotAfterReceipt,
    /// It is the one.
    Taken,
}

/// The components of an earliest or latest target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parts {
    /// Each on its own.
    pub parts: Vec<Derivation>,
    /// The place of the one that was taken, from 0.
    pub taken: Option<usize>,
}

fn text<S: Serializer>(value: &impl std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn optional_text<S: Serializer>(
    value: &Option<impl std::fmt::Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}
