//! Targets: the rules that turn the instant of receipt into the due instant.

mod ask;
mod basis;
mod batch;
mod countdown;
mod cutoff;
mod due;
mod flow;
mod mixed;
mod plain;
mod prove;
mod receipt;
mod rows;
mod table;
mod tables;
#[cfg(test)]
mod tests;
mod trace;
mod words;

pub(crate) use basis::Basis;
pub use batch::NO_DEADLINE;
pub use countdown::Countdown;
pub(crate) use mixed::Together;
pub use tables::Tables;
pub use trace::{
    Choice, Day, Derivation, How, MAX_STEPS, Moment, Outcome, Parts, PauseEffect, PauseStep, ReceiptStep,
    Stopped, Stretch, TimeUsed, Trace, TriedBranch, Verdict, Walk, WalkedDay,
};

use crate::time::{Instant, Span, TimeOfDay};
use std::fmt;

/// Why there is no deadline. Never replaced by a made-up date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum NoDeadline {
    /// The calendar has no working time after the receipt.
    #[error("the calendar has no working time after the receipt")]
    NeverOpen = 1,
    /// The target lies in 2100 or later, which is not supported.
    #[error("the target is not reached before 2100")]
    BeyondRange = 2,
    /// No branch of a cut-off target gives an instant after the receipt.
    #[error("no branch of the cut-off gives an instant after the receipt")]
    NoBranch = 3,
    /// The policy says `none`: nothing is promised.
    #[error("the policy promises nothing here (target `none`)")]
    NoTarget = 4,
    /// No rule of the clock matches the request.
    #[error("no rule of the clock matches the request")]
    NoRule = 5,
    /// The clock waits for a promised instant, and none was promised.
    #[error("no instant was promised")]
    NotPromised = 6,
}

/// What a due instant is measured with, for pauses, warnings and remaining time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Working time of the rule's calendar.
    Working,
    /// Wall-clock time.
    Elapsed,
}

/// The time of day at which a day-counting target falls due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayTime {
    /// The close of the date's last interval.
    Close,
    /// A civil time in the calendar's zone.
    At(TimeOfDay),
    /// The civil time at which the request (as moved by receipt rules) came.
    SameTime,
}

/// One branch of a cut-off target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Taken when the receipt's civil time is strictly before this; `None` is the "otherwise" branch.
    pub received_before: Option<TimeOfDay>,
    /// The due date: this many working days after the receipt's date; 0 is the receipt's date itself.
    pub working_days: u32,
    /// The time on that date: `Close` or `At`.
    pub at: DayTime,
}

/// What a receipt on a closed date means to a cut-off target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ClosedDay {
    /// The last ("otherwise") branch, counted from the receipt's date. The default.
    #[default]
    Otherwise,
    /// As if received at the first opening of the next working day.
    NextOpenDay,
    /// As if received on the next working day at the same time of day.
    NextOpenDaySameTime,
}

/// The rule that gives a due instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nothing is promised.
    None,
    /// Wall-clock time after the receipt.
    Elapsed(Span),
    /// Working time after the receipt.
    Working(Span),
    /// The nth working day after the receipt's date.
    WorkingDays {
        /// At least 1.
        days: u32,
        /// When on that date.
        at: DayTime,
    },
    /// The nth date after the receipt's date, every date counting.
    CalendarDays {
        /// At least 1.
        days: u32,
        /// When on that date.
        at: DayTime,
    },
    /// By the civil time of the receipt.
    Cutoff {
        /// In order; the last has no `received_before`.
        branches: Vec<Branch>,
        /// What a receipt on a closed date means.
        closed_day: ClosedDay,
    },
    /// The earliest of several; those without a deadline are left out.
    Earliest(Vec<Target>),
    /// The latest of several; if one has no deadline, there is none.
    Latest(Vec<Target>),
    /// The instant that a `promised` event carries.
    Promised,
}

/// When a receipt rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptWhen {
    /// On a date that is no working day.
    ClosedDay,
    /// At or after this civil time.
    From(TimeOfDay),
    /// Before this civil time.
    Before(TimeOfDay),
    /// Outside working hours.
    OutsideHours,
}

/// The instant a receipt rule counts from instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountsAs {
    /// The next opening of the calendar.
    NextOpening,
    /// The same date at this civil time.
    SameDay(TimeOfDay),
    /// The next working day at this civil time.
    NextWorkingDay(TimeOfDay),
    /// The next working day at the same civil time.
    NextWorkingDaySameTime,
    /// The next working day at its first opening.
    NextWorkingDayOpening,
}

/// Moves the instant that a target counts from. The true receipt is always kept.
///
/// Rules are applied in order, each at most once, each to the result of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptRule {
    /// When it applies.
    pub when: ReceiptWhen,
    /// What the receipt counts as then.
    pub counts_as: CountsAs,
}

/// Time on pause, measured both ways; each target takes the one that is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize)]
pub struct Paused {
    /// In working time of the rule's calendar.
    pub working: Span,
    /// In wall-clock time.
    pub elapsed: Span,
}

impl Paused {
    /// Both measures of this and another time on hold together; saturates at the ends of the range.
    #[must_use]
    pub fn plus(self, other: Paused) -> Paused {
        let sum = |a: Span, b: Span| Span::from_secs(a.as_secs().saturating_add(b.as_secs()));
        Paused { working: sum(self.working, other.working), elapsed: sum(self.elapsed, other.elapsed) }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Measure::Working => "working time",
            Measure::Elapsed => "wall-clock time",
        })
    }
}

/// The outcome of a deadline rule.
pub type Due = Result<Instant, NoDeadline>;
