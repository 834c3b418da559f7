//! Instants, spans and times of day: whole seconds, integers, checked. Nothing here reads a clock.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// Seconds in 24 hours.
pub(crate) const DAY_S: i64 = 86_400;

/// A point in time: whole seconds since 1970-01-01T00:00:00Z.
///
/// Supported are 1970-01-01 up to, not including, 2100-01-01; every value of this type lies in that range.
/// Finer input is floored to the second before it gets here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Instant(u32);

impl Instant {
    /// 1970-01-01T00:00:00Z.
    pub const MIN: Instant = Instant(0);
    /// 2099-12-31T23:59:59Z.
    pub const MAX: Instant = Instant(4_102_444_799);

    /// The instant `seconds` after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// `OutOfRange` before 1970 and from 2100 on.
    pub fn from_secs(seconds: i64) -> Result<Instant> {
        Instant::checked(seconds).ok_or_else(|| {
            Error::new(
                ErrorKind::OutOfRange,
                format!(
                    "instant {seconds} s since 1970-01-01T00:00:00Z: must be 0 to {} \
                     (1970-01-01 up to 2099-12-31T23:59:59Z)",
                    Instant::MAX.0
                ),
            )
        })
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn as_secs(self) -> i64 {
        self.0 as i64
    }

    /// The same, as stored in columns.
    pub(crate) const fn raw(self) -> u32 {
        self.0
    }

    /// From a stored column; `None` if it is no instant.
    pub(crate) const fn from_raw(raw: u32) -> Option<Instant> {
        if raw <= Instant::MAX.0 { Some(Instant(raw)) } else { None }
    }

    /// `None` outside the supported range.
    pub(crate) const fn checked(seconds: i64) -> Option<Instant> {
        if seconds >= 0 && seconds <= Instant::MAX.0 as i64 { Some(Instant(seconds as u32)) } else { None }
    }

    /// The instant `span` later; `None` when that leaves the supported range.
    pub fn checked_add(self, span: Span) -> Option<Instant> {
        Instant::checked(self.as_secs().checked_add(span.as_secs())?)
    }

    /// The wall-clock span from `earlier` to `self`; negative if `self` comes first.
    pub fn since(self, earlier: Instant) -> Span {
        Span(self.as_secs() - earlier.as_secs())
    }

    /// Parses RFC 3339 (`2026-03-06T15:00:00+03:00`, `…Z`); a fraction of a second is floored.
    ///
    /// # Errors
    /// `InvalidArgument` if the text has another form, `OutOfRange` before 1970 or from 2100 on.
    pub fn parse(text: &str) -> Result<Instant> {
        let moment = DateTime::parse_from_rfc3339(text).map_err(|cause| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("instant `{text}`: must be like 2026-03-06T15:00:00Z or 2026-03-06T15:00:00+03:00"),
            )
            .because(cause)
        })?;
        Instant::from_secs(moment.timestamp())
    }

    /// The date and time in UTC.
    pub fn to_utc(self) -> NaiveDateTime {
        DateTime::from_timestamp(self.as_secs(), 0).unwrap_or_default().naive_utc()
    }
}

impl TryFrom<i64> for Instant {
    type Error = Error;
    fn try_from(seconds: i64) -> Result<Instant> {
        Instant::from_secs(seconds)
    }
}

impl From<Instant> for i64 {
    fn from(instant: Instant) -> i64 {
        instant.as_secs()
    }
}

impl FromStr for Instant {
    type Err = Error;
    fn from_str(text: &str) -> Result<Instant> {
        Instant::parse(text)
    }
}

impl fmt::Display for Instant {
    /// `2026-03-06T12:00:00Z`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", self.to_utc().format("%Y-%m-%dT%H:%M:%S"))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Dates written as `2026-03-06`.
pub(crate) mod date_text {
    use chrono::NaiveDate;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(date: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
        super::parse_date(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A length of time in whole seconds, wall clock or working time as the context says. May be negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(i64);

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// `seconds` seconds.
    pub const fn from_secs(seconds: i64) -> Span {
        Span(seconds)
    }

    /// `hours` hours; saturates at the ends of the range.
    pub const fn from_hours(hours: i64) -> Span {
        Span(hours.saturating_mul(3600))
    }

    /// `minutes` minutes; saturates at the ends of the range.
    pub const fn from_minutes(minutes: i64) -> Span {
        Span(minutes.saturating_mul(60))
    }

    /// The length in seconds.
    pub const fn as_secs(self) -> i64 {
        self.0
    }

    /// Parses `90s`, `45m`, `8h`, `1h30m` or `1h 30m 15s`: larger units first, each at most once.
    ///
    /// # Errors
    /// `InvalidArgument` for any other form. A day is refused by name, since it could mean 24 hours,
    /// a working day or a calendar day.
    pub fn parse(text: &str) -> Result<Span> {
        let wrong = |why: &str| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "span `{text}`: {why}; allowed are hours, minutes and seconds like `8h`, `1h30m` or `90s`"
                ),
            )
        };
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(wrong("is empty"));
        }
        let (mut total, mut last_unit) = (0_i64, i64::MAX);
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return Err(wrong("a number is expected"));
            }
            let number: i64 = rest[..digits].parse().map_err(|_| wrong("the number is too large"))?;
            let after = rest[digits..].trim_start();
            let letters = after.chars().take_while(char::is_ascii_alphabetic).count();
            let unit = match &after[..letters] {
                "h" => 3600,
                "m" | "min" => 60,
                "s" => 1,
                "d" | "day" | "days" => {
                    return Err(wrong(
                        "a day alone is ambiguous: write `24h`, or use working_days or calendar_days",
                    ));
                }
                "" => return Err(wrong("the unit is missing")),
                _ => return Err(wrong("the unit is unknown")),
            };
            if unit >= last_unit {
                return Err(wrong("units must come in the order h, m, s, each once"));
            }
            last_unit = unit;
            total = number
                .checked_mul(unit)
                .and_then(|part| total.checked_add(part))
                .ok_or_else(|| wrong("the number is too large"))?;
            rest = after[letters..].trim_start();
        }
        Ok(Span(total))
    }
}

impl fmt::Display for Span {
    /// `8 h 30 min 5 s`, without the parts that are zero; `0 s` for no time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.0.unsigned_abs();
        let parts = [(length / 3600, "h"), (length / 60 % 60, "min"), (length % 60, "s")];
        let text: Vec<String> = parts
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, unit)| format!("{number} {unit}"))
            .collect();
        let sign = if self.0 < 0 { "-" } else { "" };
        if text.is_empty() { f.write_str("0 s") } else { write!(f, "{sign}{}", text.join(" ")) }
    }
}

/// A time on the wall clock: seconds since local midnight, 00:00:00 to 24:00:00.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u32);

impl TimeOfDay {
    /// 00:00, the start of the day.
    pub const START: TimeOfDay = TimeOfDay(0);
    /// 24:00, the end of the day.
    pub const END: TimeOfDay = TimeOfDay(86_400);

    /// The time `seconds` after midnight; `None` above 86,400.
    pub const fn from_secs(seconds: u32) -> Option<TimeOfDay> {
        if seconds <= 86_400 { Some(TimeOfDay(seconds)) } else { None }
    }

    /// Seconds since midnight, 0 to 86,400.
    pub const fn as_secs(self) -> i64 {
        self.0 as i64
    }

    /// Parses `HH:MM` or `HH:MM:SS`, from `00:00` to `24:00`.
    ///
    /// # Errors
    /// `InvalidArgument` for anything else.
    pub fn parse(text: &str) -> Result<TimeOfDay> {
        let wrong = || {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("time of day `{text}`: must be HH:MM or HH:MM:SS, from 00:00 to 24:00"),
            )
        };
        let parts: Vec<&str> = text.split(':').collect();
        if !(2..=3).contains(&parts.len())
            || parts.iter().any(|part| part.len() != 2 || !part.bytes().all(|b| b.is_ascii_digit()))
        {
            return Err(wrong());
        }
        let number = |at: usize| parts.get(at).map_or(Ok(0), |part| part.parse::<u32>().map_err(|_| wrong()));
        let (hour, minute, second) = (number(0)?, number(1)?, number(2)?);
        let total = hour * 3600 + minute * 60 + second;
        if minute > 59 || second > 59 || total > 86_400 {
            return Err(wrong());
        }
        Ok(TimeOfDay(total))
    }
}

impl From<NaiveTime> for TimeOfDay {
    fn from(time: NaiveTime) -> TimeOfDay {
        TimeOfDay(time.num_seconds_from_midnight())
    }
}

impl fmt::Display for TimeOfDay {
    /// `14:00`, with seconds only where there are some.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{hour:02}:{minute:02}")?;
        if second > 0 { write!(f, ":{second:02}") } else { Ok(()) }
    }
}

impl fmt::Debug for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = Error;
    fn try_from(text: String) -> Result<TimeOfDay> {
        TimeOfDay::parse(&text)
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> String {
        time.to_string()
    }
}

/// Parses a calendar date `YYYY-MM-DD` in 1970 to 2099.
///
/// # Errors
/// `InvalidArgument` for another form or an impossible date, `OutOfRange` outside 1970 to 2099.
pub(crate) fn parse_date(text: &str) -> Result<NaiveDate> {
    let wrong =
        || Error::new(ErrorKind::InvalidArgument, format!("date `{text}`: must be a date like 2026-03-06"));
    if text.len() != 10 {
        return Err(wrong());
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| wrong())?;
    if !(1970..2100).contains(&chrono::Datelike::year(&date)) {
        return Err(Error::new(ErrorKind::OutOfRange, format!("date `{text}`: must lie in 1970 to 2099")));
    }
    Ok(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_end_before_2100() {
        assert_eq!(Instant::from_secs(0).unwrap(), Instant::MIN);
        assert_eq!(Instant::from_secs(4_102_444_799).unwrap().to_string(), "2099-12-31T23:59:59Z");
        for outside in [-1, 4_102_444_800, i64::MIN, i64::MAX] {
            assert_eq!(Instant::from_secs(outside).unwrap_err().kind(), ErrorKind::OutOfRange);
        }
    }

    #[test]
    fn fractions_are_floored() {
        let floored = Instant::parse("2026-03-06T15:00:00.999Z").unwrap();
        assert_eq!(floored, Instant::parse("2026-03-06T18:00:00+03:00").unwrap());
    }

    #[test]
    fn spans_are_read_and_written() {
        for (text, seconds) in
            [("8h", 28_800), ("1h30m", 5_400), ("1h 30m 15s", 5_415), ("90s", 90), ("45 m", 2_700)]
        {
            assert_eq!(Span::parse(text).unwrap().as_secs(), seconds, "{text}");
        }
        assert_eq!(Span::from_secs(30_605).to_string(), "8 h 30 min 5 s");
        for text in ["", "8", "h", "3d", "1 day", "30m1h", "1h1h", "8x", "-3h", "99999999999999999999h"] {
            assert_eq!(Span::parse(text).unwrap_err().kind(), ErrorKind::InvalidArgument, "{text}");
        }
        assert!(Span::parse("3d").unwrap_err().message().contains("working_days"));
    }

    #[test]
    fn times_of_day_have_two_digits_and_reach_24() {
        assert_eq!(TimeOfDay::parse("24:00").unwrap(), TimeOfDay::END);
        assert_eq!(TimeOfDay::parse("08:30:05").unwrap().to_string(), "08:30:05");
        for text in ["8:30", "24:01", "12:60", "12", "12:00:60", "ab:cd", "12:00:00:00", "+1:00"] {
            assert!(TimeOfDay::parse(text).is_err(), "{text}");
        }
    }
}
