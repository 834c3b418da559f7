//! Cut-off targets: which branch a receipt takes.

use chrono::NaiveDate;

use super::ask::Ask;
use super::due::Count;
use super::{Branch, ClosedDay, DayTime, Due, NoDeadline};
use crate::time::Instant;

/// What became of one branch, in the order they were tried. Branches after the one taken are not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It asks for an earlier receipt.
    TooLate,
    /// The receipt's date is closed, and only the last branch stands for closed dates.
    ClosedDate,
    /// It says "same day", and the receipt's date is closed.
    SameDayClosed,
    /// Its instant is not after the receipt.
    NotAfter(Instant),
    /// It is the one.
    Taken(Instant),
}

/// A receipt as a cut-off target sees it.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'a> {
    ask: Ask<'a>,
    /// Where the count begins, after the rule for closed dates.
    pub(super) at: Instant,
    /// A due instant must be after this.
    floor: Instant,
}

impl<'a> Arrival<'a> {
    /// The count's receipt; on a closed date as moved by `closed_day`.
    pub(super) fn of(count: &Count<'a>, closed_day: ClosedDay) -> Result<Arrival<'a>, NoDeadline> {
        let (ask, local) = (count.ask, count.ask.local(count.from));
        let at = if closed_day == ClosedDay::Otherwise || ask.is_working_day(local.date()) {
            count.from
        } else {
            let next = ask.working_day(local.date(), 1)?;
            match closed_day {
                ClosedDay::NextOpenDaySameTime => ask.civil(next, local.time().into())?,
                ClosedDay::NextOpenDay | ClosedDay::Otherwise => ask.first_open(next)?,
            }
        };
        Ok(Arrival { ask, at, floor: at.max(count.received) })
    }

    /// The local date from which the branches count.
    pub(super) fn date(&self) -> NaiveDate {
        self.ask.local(self.at).date()
    }

    /// The due instant of the first branch that applies; `note` hears of every branch tried.
    ///
    /// # Errors
    /// `NoBranch` if none applies; the reason if the one that applies leads nowhere.
    pub(super) fn choose(&self, branches: &[Branch], mut note: impl FnMut(usize, Verdict)) -> Due {
        let date = self.date();
        let working = self.ask.is_working_day(date);
        for (index, branch) in branches.iter().enumerate() {
            let verdict = match branch.received_before {
                _ if !working && index + 1 < branches.len() => Verdict::ClosedDate,
                _ if !working && branch.working_days == 0 => Verdict::SameDayClosed,
                Some(before) if working && !self.ask.is_before(self.at, before) => Verdict::TooLate,
                _ => match self.due(date, branch)? {
                    due if due <= self.floor => Verdict::NotAfter(due),
                    due => Verdict::Taken(due),
                },
            };
            note(index, verdict);
            if let Verdict::Taken(due) = verdict {
                return Ok(due);
            }
        }
        Err(NoDeadline::NoBranch)
    }

    fn due(&self, date: NaiveDate, branch: &Branch) -> Due {
        let date = self.ask.working_day(date, branch.working_days)?;
        match branch.at {
            DayTime::Close => self.ask.close(date),
            DayTime::At(time) => self.ask.civil(date, time),
            DayTime::SameTime => self.ask.civil(date, self.ask.local(self.at).time().into()),
        }
    }
}
