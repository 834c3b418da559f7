//! Periods of the calendar: which dates a cohort was received on.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Months, NaiveDate};

use crate::calendar::{Calendar, Edge};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::Period;
use crate::time::{Instant, TimeOfDay, parse_date};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A stretch of dates, both ends included, in 1970 to 2099.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Dates")]
pub struct PeriodRange {
    #[serde(with = "crate::time::date_text")]
    first: NaiveDate,
    #[serde(with = "crate::time::date_text")]
    last: NaiveDate,
}

/// A period as it is written out: any two dates, or any text that [`PeriodRange::parse`] reads.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Dates {
    Between { first: String, last: String },
    Text(String),
}

impl TryFrom<Dates> for PeriodRange {
    type Error = Error;
    fn try_from(dates: Dates) -> Result<PeriodRange> {
        match dates {
            Dates::Between { first, last } => PeriodRange::between(parse_date(&first)?, parse_date(&last)?),
            Dates::Text(text) => PeriodRange::parse(&text),
        }
    }
}

impl PeriodRange {
    /// From the first date to the last, both included.
    ///
    /// # Errors
    /// `InvalidArgument` if the last comes before the first, `OutOfRange` outside 1970 to 2099.
    pub fn between(first: NaiveDate, last: NaiveDate) -> Result<PeriodRange> {
        if last < first {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("period {first}..{last}: the last date must not come before the first"),
            ));
        }
        if [first, last].iter().any(|date| !(1970..2100).contains(&date.year())) {
            return Err(Error::new(
                ErrorKind::OutOfRange,
                format!("period {first}..{last}: must lie in 1970 to 2099"),
            ));
        }
        Ok(PeriodRange { first, last })
    }

    /// Parses a month `2026-03`, a quarter `2026-Q1`, a year `2026`, a date `2026-03-01` or a range of dates
    /// `2026-03-01..2026-03-15`, whose last date is included.
    ///
    /// # Errors
    /// `InvalidArgument` for any other form, `OutOfRange` outside 1970 to 2099.
    pub fn parse(text: &str) -> Result<PeriodRange> {
        let wrong = || {
            Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "period `{text}`: must be like 2026-03, 2026-Q1, 2026, 2026-03-01 or 2026-03-01..2026-03-15"
                ),
            )
        };
        if let Some((first, last)) = text.split_once("..") {
            return PeriodRange::between(parse_date(first.trim())?, parse_date(last.trim())?);
        }
        let digits = |part: &str, length: usize| {
            let plain = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
            if plain { part.parse::<u32>().map_err(|_| wrong()) } else { Err(wrong()) }
        };
        let (year, rest) = text.split_once('-').map_or((text, None), |(year, rest)| (year, Some(rest)));
        let year = i32::try_from(digits(year, 4)?).map_err(|_| wrong())?;
        match rest {
            None => Year::of(year).period(),
            Some(rest) if rest.len() == 5 => {
                let date = parse_date(text)?;
                PeriodRange::between(date, date)
            }
            Some(rest) => match rest.strip_prefix(['Q', 'q']) {
                Some(quarter) => Quarter::of(year, digits(quarter, 1)?).period(),
                None => Month::of(year, digits(rest, 2)?).period(),
            },
        }
    }

    /// The month, quarter or year that a date lies in.
    ///
    /// # Errors
    /// `OutOfRange` outside 1970 to 2099.
    pub fn around(date: NaiveDate, per: Period) -> Result<PeriodRange> {
        match per {
            Period::Month => Month::of(date.year(), date.month()).period(),
            Period::Quarter => Quarter::of(date.year(), date.month().div_ceil(3)).period(),
            Period::Year => Year::of(date.year()).period(),
        }
    }

    /// The period as [`parse`](Self::parse) reads it, in its shortest form: `2026-03`, `2026-Q1`, `2026`, `2026-03-01` or
    /// `2026-03-01..2026-03-15`.
    pub fn code(self) -> String {
        let (first, last) = (self.first, self.last);
        let is = |per: Period| PeriodRange::around(first, per).is_ok_and(|whole| whole == self);
        if is(Period::Month) {
            first.format("%Y-%m").to_string()
        } else if is(Period::Quarter) {
            format!("{}-Q{}", first.year(), first.month().div_ceil(3))
        } else if is(Period::Year) {
            first.year().to_string()
        } else if first == last {
            first.to_string()
        } else {
            format!("{first}..{last}")
        }
    }

    /// The first date.
    pub fn first(self) -> NaiveDate {
        self.first
    }

    /// The last date, included.
    pub fn last(self) -> NaiveDate {
        self.last
    }

    /// The instants `[from, to)` that it covers in a calendar's zone.
    ///
    /// What lies outside the supported range is cut off; a period up to the end of 2099 ends with its last second.
    pub fn instants(self, calendar: &Calendar) -> (Instant, Instant) {
        let midnight = |date: NaiveDate| calendar.instant_at(date, TimeOfDay::START, Edge::Open);
        let from = midnight(self.first).unwrap_or(Instant::MIN);
        let to = self.last.succ_opt().and_then(midnight).unwrap_or(Instant::MAX);
        (from, to)
    }

    fn months(first: Option<NaiveDate>, months: u32, asked: impl Fn() -> String) -> Result<PeriodRange> {
        let range = first.and_then(|first| {
            let last = first.checked_add_months(Months::new(months))?.pred_opt()?;
            PeriodRange::between(first, last).ok()
        });
        range.ok_or_else(|| {
            Error::new(
                ErrorKind::OutOfRange,
                format!("period {}: months are 1 to 12, quarters 1 to 4, years 1970 to 2099", asked()),
            )
        })
    }
}

impl FromStr for PeriodRange {
    type Err = Error;
    fn from_str(text: &str) -> Result<PeriodRange> {
        PeriodRange::parse(text)
    }
}

impl fmt::Display for PeriodRange {
    /// `March 2026`, `Q1 2026`, `2026`, `2026-03-01` or `2026-03-01 to 2026-03-15`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.first, self.last);
        let is = |per: Period| PeriodRange::around(first, per).is_ok_and(|whole| whole == *self);
        if is(Period::Month) {
            let name = MONTHS.get(first.month0() as usize).copied().unwrap_or_default();
            write!(f, "{name} {}", first.year())
        } else if is(Period::Quarter) {
            write!(f, "Q{} {}", first.month().div_ceil(3), first.year())
        } else if is(Period::Year) {
            write!(f, "{}", first.year())
        } else if first == last {
            write!(f, "{first}")
        } else {
            write!(f, "{first} to {last}")
        }
    }
}

/// What can be asked for as a period: a [`Month`], [`Quarter`], [`Year`], [`PeriodRange`] or a text.
pub trait IntoPeriod {
    /// The dates.
    ///
    /// # Errors
    /// `InvalidArgument` or `OutOfRange` if there is no such period.
    fn period(self) -> Result<PeriodRange>;
}

impl IntoPeriod for PeriodRange {
    fn period(self) -> Result<PeriodRange> {
        Ok(self)
    }
}

impl IntoPeriod for &str {
    fn period(self) -> Result<PeriodRange> {
        PeriodRange::parse(self)
    }
}

/// A calendar month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// Month 1 to 12 of a year 1970 to 2099; checked when it is used.
    pub fn of(year: i32, month: u32) -> Month {
        Month { year, month }
    }
}

impl IntoPeriod for Month {
    fn period(self) -> Result<PeriodRange> {
        let first = NaiveDate::from_ymd_opt(self.year, self.month, 1);
        PeriodRange::months(first, 1, || format!("{}-{:02}", self.year, self.month))
    }
}

/// A calendar quarter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarter {
    year: i32,
    quarter: u32,
}

impl Quarter {
    /// Quarter 1 to 4 of a year 1970 to 2099; checked when it is used.
    pub fn of(year: i32, quarter: u32) -> Quarter {
        Quarter { year, quarter }
    }
}

impl IntoPeriod for Quarter {
    fn period(self) -> Result<PeriodRange> {
        let month = self.quarter.checked_sub(1).and_then(|before| before.checked_mul(3)?.checked_add(1));
        let first = month.and_then(|month| NaiveDate::from_ymd_opt(self.year, month, 1));
        PeriodRange::months(first, 3, || format!("{}-Q{}", self.year, self.quarter))
    }
}

/// A calendar year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Year {
    year: i32,
}

impl Year {
    /// A year 1970 to 2099; checked when it is used.
    pub fn of(year: i32) -> Year {
        Year { year }
    }
}

impl IntoPeriod for Year {
    fn period(self) -> Result<PeriodRange> {
        PeriodRange::months(NaiveDate::from_ymd_opt(self.year, 1, 1), 12, || self.year.to_string())
    }
}
