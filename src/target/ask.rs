//! What targets ask of a calendar, with every answer an instant or the reason why there is none.

use chrono::{NaiveDate, NaiveDateTime};

use super::{Due, NoDeadline};
use crate::calendar::{Calendar, Edge};
use crate::time::{Instant, Span, TimeOfDay};

/// A calendar, asked in the way of targets.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a>(pub(crate) &'a Calendar);

impl Ask<'_> {
    pub(crate) fn local(self, at: Instant) -> NaiveDateTime {
        self.0.local(at)
    }

    pub(crate) fn is_open(self, at: Instant) -> bool {
        self.0.is_open(at)
    }

    /// Whether working hours end at this instant.
    pub(crate) fn is_closing(self, at: Instant) -> bool {
        !self.0.is_open(at)
            && at.checked_add(Span::from_secs(-1)).is_some_and(|before| self.0.is_open(before))
    }

    pub(crate) fn is_working_day(self, date: NaiveDate) -> bool {
        self.0.is_working_day(date)
    }

    /// Whether `at` comes before this time of its own local date; where the clocks go back, before its first occurrence.
    pub(crate) fn is_before(self, at: Instant, time: TimeOfDay) -> bool {
        let local = self.local(at);
        match self.0.instant_at(local.date(), time, Edge::Open) {
            Some(limit) => at < limit,
            // Only on the first and last date of the supported range.
            None => TimeOfDay::from(local.time()) < time,
        }
    }

    /// The opening at or after `at`.
    pub(crate) fn next_open(self, at: Instant) -> Due {
        self.0.next_open(at).ok_or(NoDeadline::NeverOpen)
    }

    /// The first opening of a working date.
    pub(crate) fn first_open(self, date: NaiveDate) -> Due {
        self.0.first_open_of(date).ok_or(NoDeadline::BeyondRange)
    }

    /// The close of the last interval of a date; its end, 24:00, if nothing opens on it.
    pub(crate) fn close(self, date: NaiveDate) -> Due {
        match self.0.close_of(date) {
            Some(close) => Ok(close),
            None => self.0.instant_at(date, TimeOfDay::END, Edge::Close).ok_or(NoDeadline::BeyondRange),
        }
    }

    /// A civil time on a date: its first occurrence, or the first instant after the gap it lies in.
    pub(crate) fn civil(self, date: NaiveDate, time: TimeOfDay) -> Due {
        self.0.instant_at(date, time, Edge::Open).ok_or(NoDeadline::BeyondRange)
    }

    /// The nth working day strictly after `date`; `date` itself for 0.
    pub(crate) fn working_day(self, date: NaiveDate, nth: u32) -> Result<NaiveDate, NoDeadline> {
        if nth == 0 { Ok(date) } else { self.0.add_working_days(date, nth) }
    }

    /// The earliest instant by which this much working time has passed.
    pub(crate) fn add_working(self, at: Instant, span: Span) -> Due {
        self.0.add_working_time(at, span)
    }

    /// The instant this much wall-clock time later.
    pub(crate) fn add_elapsed(self, at: Instant, span: Span) -> Due {
        at.checked_add(span).ok_or(NoDeadline::BeyondRange)
    }
}
