//! What targets ask of a calendar, with every answer an instant or the reason why there is none.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::trace::Day;
use super::{Due, NoDeadline};
use crate::calendar::{Calendar, DayStatus, Edge, Intervals};
use crate::time::{Instant, Span, TimeOfDay};

/// A calendar, asked in the way of targets.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a>(pub(crate) &'a Calendar);

impl<'a> Ask<'a> {
    pub(crate) fn local(self, at: Instant) -> NaiveDateTime {
        self.0.local(at)
    }

    pub(crate) fn abbreviation(self, at: Instant) -> &'a str {
        self.0.zone().abbreviation_at(at)
    }

    pub(crate) fn is_open(self, at: Instant) -> bool {
        self.0.is_open_time(at)
    }

    /// Whether working hours end at this instant.
    pub(crate) fn is_closing(self, at: Instant) -> bool {
        let before = at.checked_add(Span::from_secs(-1));
        !self.0.is_open_time(at) && before.is_some_and(|before| self.0.is_open_time(before))
    }

    pub(crate) fn is_working_day(self, date: NaiveDate) -> bool {
        self.0.is_working_day(date)
    }

    /// Whether `at` comes before this time of its own local date; of a time that comes twice, before the first.
    pub(crate) fn is_before(self, at: Instant, time: TimeOfDay) -> bool {
        at.as_secs() < self.civil_secs(self.local(at).date(), time, Edge::Open)
    }

    /// The opening at or after `at`.
    pub(crate) fn next_open(self, at: Instant) -> Due {
        self.0.next_open(at)
    }

    /// The first opening of a working date after a receipt.
    pub(crate) fn first_open(self, date: NaiveDate) -> Due {
        self.0.first_open_of(date).ok_or(NoDeadline::BeyondRange)
    }

    /// The close of the last interval of a date; its end, 24:00, if nothing opens on it.
    pub(crate) fn close(self, date: NaiveDate) -> Due {
        match self.0.close_of(date) {
            Some(close) => Ok(close),
            None if !self.is_working_day(date) => {
                in_range(self.civil_secs(date, TimeOfDay::END, Edge::Close))
            }
            // It does close, but outside the range.
            None if date.year() <= 1970 => Ok(Instant::MIN),
            None => Err(NoDeadline::BeyondRange),
        }
    }

    /// A civil time on a date: its first occurrence, or the first instant after the gap it lies in.
    pub(crate) fn civil(self, date: NaiveDate, time: TimeOfDay) -> Due {
        in_range(self.civil_secs(date, time, Edge::Open))
    }

    /// The nth working day strictly after `date`; `date` itself for 0.
    pub(crate) fn working_day(self, date: NaiveDate, nth: u32) -> Result<NaiveDate, NoDeadline> {
        self.0.add_working_days(date, nth)
    }

    /// The earliest instant by which this much working time, not negative, has passed.
    pub(crate) fn add_working(self, at: Instant, span: Span) -> Due {
        self.0.work_after(at, span)
    }

    /// The instant this much wall-clock time later.
    pub(crate) fn add_elapsed(self, at: Instant, span: Span) -> Due {
        at.checked_add(span).ok_or(NoDeadline::BeyondRange)
    }

    /// The working time in `[from, to)`, clipped to it.
    pub(crate) fn intervals(self, from: Instant, to: Instant) -> Intervals<'a> {
        self.0.intervals(from, to)
    }

    /// What a date is, for explanations.
    pub(crate) fn day(self, date: NaiveDate) -> Day {
        let named = |name: Option<&str>, word: &str| Some(name.unwrap_or(word).to_owned());
        let why = match self.0.day_status(date) {
            DayStatus::Working => None,
            DayStatus::Weekend => Some("weekend".to_owned()),
            DayStatus::NotInWeek => Some("no hours on this weekday".to_owned()),
            DayStatus::Holiday(name) => named(name, "holiday"),
            DayStatus::Exception(name) => named(name, "other hours then"),
            DayStatus::Closure(name) => named(name, "closed"),
            DayStatus::NoSuchDate => Some("the clock skipped this date".to_owned()),
            DayStatus::NoSuchTime => Some("the clock skipped its hours".to_owned()),
        };
        Day { date, working: self.is_working_day(date), why }
    }

    fn civil_secs(self, date: NaiveDate, time: TimeOfDay, edge: Edge) -> i64 {
        let midnight = date.and_time(NaiveTime::MIN);
        let civil = midnight.checked_add_signed(TimeDelta::seconds(time.as_secs()));
        self.0.zone().from_local(civil.unwrap_or(NaiveDateTime::MAX), edge)
    }
}

/// An instant before 1970 counts as the first of the range: both come before every receipt or with it.
fn in_range(seconds: i64) -> Due {
    Instant::checked(seconds.max(0)).ok_or(NoDeadline::BeyondRange)
}
