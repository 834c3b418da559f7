//! Receipt rules: from which instant a target counts.

use super::ask::Ask;
use super::{CountsAs, NoDeadline, ReceiptRule, ReceiptWhen};
use crate::time::Instant;

impl ReceiptRule {
    /// What a receipt at `at` counts as under this rule; `None` if the rule does not apply to it.
    ///
    /// # Errors
    /// The reason why there is no such instant: the calendar never opens again, or not before 2100.
    pub(crate) fn apply(&self, ask: Ask<'_>, at: Instant) -> Result<Option<Instant>, NoDeadline> {
        if !self.when.holds(ask, at) {
            return Ok(None);
        }
        let local = ask.local(at);
        let moved = match self.counts_as {
            CountsAs::NextOpening => ask.next_open(at)?,
            CountsAs::SameDay(time) => ask.civil(local.date(), time)?,
            CountsAs::NextWorkingDay(time) => ask.civil(ask.working_day(local.date(), 1)?, time)?,
            CountsAs::NextWorkingDaySameTime => {
                ask.civil(ask.working_day(local.date(), 1)?, local.time().into())?
            }
            CountsAs::NextWorkingDayOpening => ask.first_open(ask.working_day(local.date(), 1)?)?,
        };
        Ok(Some(moved))
    }
}

impl ReceiptWhen {
    fn holds(self, ask: Ask<'_>, at: Instant) -> bool {
        match self {
            ReceiptWhen::ClosedDay => !ask.is_working_day(ask.local(at).date()),
            ReceiptWhen::From(time) => !ask.is_before(at, time),
            ReceiptWhen::Before(time) => ask.is_before(at, time),
            ReceiptWhen::OutsideHours => !ask.is_open(at),
        }
    }
}

/// The instant from which the target counts: `received` as moved by each rule in turn.
pub(crate) fn counted_from(
    rules: &[ReceiptRule],
    ask: Ask<'_>,
    received: Instant,
) -> Result<Instant, NoDeadline> {
    rules.iter().try_fold(received, |at, rule| Ok(rule.apply(ask, at)?.unwrap_or(at)))
}
