//! A calendar as written: hours, holidays, exceptions. Plain data; [`super::Calendar`] is the compiled form.

use chrono::{NaiveDate, Weekday};

use super::conventions::Conventions;
use crate::time::TimeOfDay;

/// A stretch of working hours on the wall clock.
///
/// A close that is not after the open lies on the next date (`22:00`–`06:00`); `24:00` is the end of the day. The
/// stretch belongs to the date on which it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hours {
    /// Opens at this civil time, below 24:00.
    pub opens: TimeOfDay,
    /// Closes at this civil time.
    pub closes: TimeOfDay,
}

/// Which dates a holiday or closure falls on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateRule {
    /// One date.
    On(NaiveDate),
    /// Every date from the first to the last, both included.
    Between(NaiveDate, NaiveDate),
    /// Every year on this month and day. 29 February only in leap years.
    Yearly {
        /// 1 to 12.
        month: u32,
        /// 1 to 31.
        day: u32,
    },
    /// Every year from a month and day to another, both included; may run over new year.
    YearlyBetween {
        /// Month and day of the first date.
        first: (u32, u32),
        /// Month and day of the last date.
        last: (u32, u32),
    },
    /// Every year on the nth given weekday of a month.
    NthWeekday {
        /// 1 to 12.
        month: u32,
        /// 1 to 5 from the start of the month, -1 to -5 from its end.
        nth: i32,
        /// The weekday.
        weekday: Weekday,
        /// Days after that date (negative: before), as in "the Friday after Thanksgiving".
        offset_days: i32,
    },
    /// Every year this many days after (negative: before) Western Easter Sunday.
    Easter {
        /// -366 to 366.
        offset_days: i32,
    },
}

/// Where a holiday goes that falls on a weekend day (a Saturday or Sunday).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Observed {
    /// It stays where it is. The default.
    #[default]
    SameDate,
    /// Sunday's goes to Monday; Saturday's stays.
    SundayToMonday,
    /// Saturday's goes to Friday, Sunday's to Monday.
    Nearest,
    /// Both go to Monday.
    Monday,
}

/// A date on which nothing opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// Its dates.
    pub on: DateRule,
    /// For people.
    pub name: Option<String>,
    /// Where it goes on a weekend.
    pub observed: Observed,
}

/// A stretch of a date that is closed: a part-day holiday.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    /// Its dates.
    pub on: DateRule,
    /// Closed from this civil time…
    pub from: TimeOfDay,
    /// …to this one, which is later.
    pub to: TimeOfDay,
    /// For people.
    pub name: Option<String>,
}

/// Other hours between two dates: summer hours, a company holiday.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// First date.
    pub first: NaiveDate,
    /// Last date, included.
    pub last: NaiveDate,
    /// What opens by weekday, Monday first, instead of the week's hours.
    pub week: [Vec<Hours>; 7],
    /// For people.
    pub name: Option<String>,
}

/// A date with hours of its own, whatever its weekday: a make-up working day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraDay {
    /// The date.
    pub date: NaiveDate,
    /// What opens on it.
    pub hours: Vec<Hours>,
}

/// A calendar as written.
///
/// What opens on a date, first that applies: nothing on a holiday; an extra day's hours; the hours of the last listed
/// exception that covers it; the week's hours. Closures are cut out of the result on their own date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarSpec {
    /// Its name in the policy.
    pub name: String,
    /// IANA time zone name.
    pub zone: String,
    /// What opens by weekday, Monday first.
    pub week: [Vec<Hours>; 7],
    /// Dates on which nothing opens.
    pub holidays: Vec<Holiday>,
    /// Dates that the holiday rules name but that are no holidays.
    pub not_holidays: Vec<NaiveDate>,
    /// Part-day closures.
    pub closures: Vec<Closure>,
    /// Other hours between dates.
    pub exceptions: Vec<Exception>,
    /// Make-up working days. A holiday on the same date wins.
    pub extra_days: Vec<ExtraDay>,
    /// The last date up to which the holidays are known.
    pub holidays_known_until: Option<NaiveDate>,
    /// How it counts at its edges; `None` in slaclock's own way.
    pub conventions: Option<Conventions>,
}

impl CalendarSpec {
    /// A calendar of this name and zone in which nothing opens yet.
    pub fn new(name: impl Into<String>, zone: impl Into<String>) -> Self {
        CalendarSpec {
            name: name.into(),
            zone: zone.into(),
            week: Default::default(),
            holidays: Vec::new(),
            not_holidays: Vec::new(),
            closures: Vec::new(),
            exceptions: Vec::new(),
            extra_days: Vec::new(),
            holidays_known_until: None,
            conventions: None,
        }
    }
}
