//! Why a date is closed, for explanations.

use chrono::NaiveDate;

use super::compiled::Calendar;
use super::holidays::day_of;
use super::plan::Source;
use crate::time::DAY_S;
use crate::zone::Edge;

/// Whether a date is a working day, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayStatus<'a> {
    /// A working day.
    Working,
    /// A Saturday or Sunday without hours in the week.
    Weekend,
    /// Another weekday without hours in the week.
    NotInWeek,
    /// A holiday, with its name.
    Holiday(Option<&'a str>),
    /// An exception covers it and opens nothing on its weekday; with its name.
    Exception(Option<&'a str>),
    /// Closures cut out all its hours; with the name of the first.
    Closure(Option<&'a str>),
    /// The zone left this date out, as Samoa did with 2011-12-30.
    NoSuchDate,
    /// All its hours lie in a gap, as the clock is set forward.
    NoSuchTime,
}

impl Calendar {
    /// Whether `date` is a working day, and if not, why. The first reason that applies counts: no such date, holiday,
    /// exception, week, closure.
    pub fn day_status(&self, date: NaiveDate) -> DayStatus<'_> {
        let day = day_of(date);
        let (spec, plan) = (self.spec(), self.plan());
        if self.is_working_day(date) {
            return DayStatus::Working;
        }
        let midnight = i64::from(day) * DAY_S;
        let begins = self.zone().utc_of_civil_secs(midnight, Edge::Open);
        if self.zone().utc_of_civil_secs(midnight + DAY_S, Edge::Close) <= begins {
            return DayStatus::NoSuchDate;
        }
        match plan.source(day) {
            Source::Holiday(number) => {
                DayStatus::Holiday(spec.holidays.get(number).and_then(|holiday| holiday.name.as_deref()))
            }
            _ if !plan.hours(spec, day).is_empty() => self.cut_status(day),
            Source::Exception(number) => DayStatus::Exception(
                spec.exceptions.get(number).and_then(|exception| exception.name.as_deref()),
            ),
            Source::Week | Source::Extra(_) => match chrono::Datelike::weekday(&date) {
                chrono::Weekday::Sat | chrono::Weekday::Sun => DayStatus::Weekend,
                _ => DayStatus::NotInWeek,
            },
        }
    }

    /// Why a date with hours has no working time all the same.
    fn cut_status(&self, day: i32) -> DayStatus<'_> {
        // A stretch that runs past midnight may be cut on the next date alone.
        let cuts = self.plan().cuts(day).iter().chain(self.plan().cuts(day + 1));
        match cuts.map(|cut| cut.closure as usize).next() {
            Some(number) => DayStatus::Closure(
                self.spec().closures.get(number).and_then(|closure| closure.name.as_deref()),
            ),
            None => DayStatus::NoSuchTime,
        }
    }
}
