//! Yearly repetition as iCalendar writes it (RFC 5545, RRULE), as far as holidays need it.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::holidays::nth_weekday;

/// When a rule ends, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    Never,
    /// After so many occurrences, the first included.
    Count(u32),
    /// With the occurrence that begins then, or the last one before; a date or a date and time.
    Until(String),
}

/// A yearly rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Yearly {
    interval: i32,
    pub(super) ends: Ends,
    months: Vec<u32>,
    month_days: Vec<i32>,
    /// Weekdays with the number that picks one of a month or year, 0 for all of them.
    weekdays: Vec<(i32, Weekday)>,
}

impl Yearly {
    /// Reads the value of an RRULE.
    ///
    /// What is not understood is an error that names the part.
    pub(super) fn parse(text: &str) -> Result<Yearly, String> {
        let mut rule = Yearly {
            interval: 1,
            ends: Ends::Never,
            months: Vec::new(),
            month_days: Vec::new(),
            weekdays: Vec::new(),
        };
        let mut frequency = None;
        let mut seen = Vec::new();
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (key, value) =
                part.split_once('=').ok_or_else(|| format!("RRULE part `{part}` has no value"))?;
            let key = key.trim().to_ascii_uppercase();
            let not_understood = || format!("RRULE part `{part}` is not understood");
            let number = |least: i64, most: i64| {
                let number = value.parse::<i64>().ok().filter(|number| (least..=most).contains(number));
                number.ok_or_else(not_understood)
            };
            match key.as_str() {
                "FREQ" => frequency = Some(value.to_ascii_uppercase()),
                "INTERVAL" => rule.interval = number(1, 1_000)? as i32,
                "COUNT" => rule.ends = Ends::Count(number(1, 1_000_000)? as u32),
                "UNTIL" => rule.ends = Ends::Until(value.to_owned()),
                "BYMONTH" => {
                    rule.months = list(value, |item| in_range(item, 1, 12)).ok_or_else(not_understood)?
                }
                "BYMONTHDAY" => {
                    let days: Option<Vec<i32>> =
                        list(value, |item| in_range(item, -31, 31).filter(|day| *day != 0));
                    rule.month_days = days.ok_or_else(not_understood)?;
                }
                "BYDAY" => rule.weekdays = list(value, weekday).ok_or_else(not_understood)?,
                // The first day of the week matters to weekly rules only.
                "WKST" => {}
                _ => return Err(not_understood()),
            }
            if seen.contains(&key) || key == "COUNT" && seen.iter().any(|seen| seen == "UNTIL") {
                return Err(format!("RRULE part `{part}` contradicts another"));
            }
            if key == "UNTIL" && seen.iter().any(|seen| seen == "COUNT") {
                return Err(format!("RRULE part `{part}` contradicts another"));
            }
            seen.push(key);
        }
        match frequency.as_deref() {
            Some("YEARLY") => {}
            Some(other) => return Err(format!("RRULE FREQ={other}: only YEARLY is understood")),
            None => return Err("RRULE without FREQ".to_owned()),
        }
        if !rule.month_days.is_empty() && rule.weekdays.iter().any(|&(nth, _)| nth != 0) {
            return Err("RRULE with BYMONTHDAY and a numbered BYDAY is not understood".to_owned());
        }
        Ok(rule)
    }

    /// The dates of an event that first takes place on `first`, rising, up to the end of 2099 and without regard to
    /// [`Yearly::ends`].
    pub(super) fn dates(&self, first: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        let years = (first.year()..2100).step_by(self.interval as usize);
        years.flat_map(move |year| self.dates_of_year(year, first)).filter(move |date| *date >= first)
    }

    fn dates_of_year(&self, year: i32, first: NaiveDate) -> Vec<NaiveDate> {
        let all_months: Vec<u32> = (1..=12).collect();
        let mut dates = Vec::new();
        if !self.month_days.is_empty() {
            for &month in if self.months.is_empty() { &all_months } else { &self.months } {
                dates.extend(self.month_days.iter().filter_map(|&day| month_day(year, month, day)));
            }
            dates.retain(|date| {
                self.weekdays.is_empty()
                    || self.weekdays.iter().any(|&(_, weekday)| weekday == date.weekday())
            });
        } else if self.weekdays.is_empty() {
            let own_month = [first.month()];
            let months = if self.months.is_empty() { &own_month[..] } else { &self.months };
            dates
                .extend(months.iter().filter_map(|&month| NaiveDate::from_ymd_opt(year, month, first.day())));
        } else if self.months.is_empty() {
            for &(nth, weekday) in &self.weekdays {
                dates.extend(weekdays_of_year(year, nth, weekday));
            }
        } else {
            for &month in &self.months {
                for &(nth, weekday) in &self.weekdays {
                    let numbers = if nth == 0 { 1..=5 } else { nth..=nth };
                    dates.extend(numbers.filter_map(|nth| nth_weekday(year, month, nth, weekday)));
                }
            }
        }
        dates.sort_unstable();
        dates.dedup();
        dates
    }
}

/// Values that are there twice add nothing but work.
fn list<T: PartialEq>(value: &str, item: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let mut items = Vec::new();
    for text in value.split(',') {
        let item = item(text.trim())?;
        if !items.contains(&item) {
            items.push(item);
        }
    }
    Some(items)
}

fn in_range<T: TryFrom<i64>>(text: &str, least: i64, most: i64) -> Option<T> {
    let number: i64 = text.parse().ok()?;
    if (least..=most).contains(&number) { T::try_from(number).ok() } else { None }
}

/// `MO`, `4TH` or `-1MO`.
fn weekday(text: &str) -> Option<(i32, Weekday)> {
    let upper = text.to_ascii_uppercase();
    let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let at = names.iter().position(|name| upper.ends_with(name))?;
    let weekday = Weekday::try_from(u8::try_from(at).ok()?).ok()?;
    let number = upper.strip_suffix(names.get(at)?)?;
    let nth = if number.is_empty() { 0 } else { in_range(number, -53, 53).filter(|nth| *nth != 0)? };
    Some((nth, weekday))
}

/// The day of a month, counted from its end if negative.
fn month_day(year: i32, month: u32, day: i32) -> Option<NaiveDate> {
    if day > 0 {
        return NaiveDate::from_ymd_opt(year, month, u32::try_from(day).ok()?);
    }
    let next = if month == 12 {
        NaiveDate::from_ymd_opt(year + 1, 1, 1)
    } else {
        NaiveDate::from_ymd_opt(year, month + 1, 1)
    };
    next?.checked_sub_days(Days::new(u64::from(day.unsigned_abs()))).filter(|date| date.month() == month)
}

/// The nth such weekday of a year, counted from its end if negative; all of them for 0.
fn weekdays_of_year(year: i32, nth: i32, weekday: Weekday) -> Vec<NaiveDate> {
    let days = NaiveDate::from_ymd_opt(year, 1, 1).into_iter().flat_map(|first| first.iter_days());
    let all: Vec<NaiveDate> =
        days.take_while(|date| date.year() == year).filter(|date| date.weekday() == weekday).collect();
    let at = match nth {
        0 => return all,
        1.. => nth as usize - 1,
        _ => match all.len().checked_sub(nth.unsigned_abs() as usize) {
            Some(at) => at,
            None => return Vec::new(),
        },
    };
    all.get(at).copied().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(rule: &str, first: &str, count: usize) -> Vec<String> {
        let rule = Yearly::parse(rule).unwrap();
        rule.dates(first.parse().unwrap()).take(count).map(|date| date.to_string()).collect()
    }

    #[test]
    fn yearly_rules_give_their_dates() {
        assert_eq!(dates("FREQ=YEARLY", "2024-02-29", 2), ["2024-02-29", "2028-02-29"]);
        assert_eq!(dates("FREQ=YEARLY;INTERVAL=4", "2022-06-01", 2), ["2022-06-01", "2026-06-01"]);
        assert_eq!(
            dates("FREQ=YEARLY;BYMONTH=1,7", "2026-01-15", 3),
            ["2026-01-15", "2026-07-15", "2027-01-15"]
        );
        assert_eq!(dates("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2025-11-27", 2), ["2025-11-27", "2026-11-26"]);
        assert_eq!(dates("FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO", "2026-05-25", 2), ["2026-05-25", "2027-05-31"]);
        assert_eq!(dates("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=-1", "2026-12-31", 1), ["2026-12-31"]);
        assert_eq!(
            dates("FREQ=YEARLY;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "2024-11-05", 2),
            ["2024-11-05", "2025-11-04"]
        );
        assert_eq!(
            dates("FREQ=YEARLY;BYDAY=20MO", "1997-05-19", 3),
            ["1997-05-19", "1998-05-18", "1999-05-17"]
        );
        assert_eq!(dates("FREQ=YEARLY;BYDAY=-1SU;WKST=SU", "2026-12-27", 1), ["2026-12-27"]);
        assert_eq!(dates("FREQ=YEARLY;BYMONTH=2;BYDAY=SA", "2026-02-07", 5).len(), 5);
        assert_eq!(dates("FREQ=YEARLY", "2098-12-25", 9), ["2098-12-25", "2099-12-25"]);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (rule, part) in [
            ("FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY"),
            ("BYMONTH=1", "without FREQ"),
            ("FREQ=YEARLY;BYSETPOS=1", "BYSETPOS=1"),
            ("FREQ=YEARLY;BYWEEKNO=20", "BYWEEKNO=20"),
            ("FREQ=YEARLY;BYMONTH=13", "BYMONTH=13"),
            ("FREQ=YEARLY;BYMONTHDAY=0", "BYMONTHDAY=0"),
            ("FREQ=YEARLY;BYDAY=54MO", "BYDAY=54MO"),
            ("FREQ=YEARLY;BYDAY=é", "BYDAY=é"),
            ("FREQ=YEARLY;INTERVAL=0", "INTERVAL=0"),
            ("FREQ=YEARLY;COUNT=0", "COUNT=0"),
            ("FREQ=YEARLY;COUNT=1;UNTIL=20300101", "contradicts"),
            ("FREQ=YEARLY;BYMONTH=1;BYMONTH=2", "contradicts"),
            ("FREQ=YEARLY;BYMONTHDAY=1;BYDAY=1MO", "numbered BYDAY"),
            ("FREQ", "`FREQ` has no value"),
        ] {
            let error = Yearly::parse(rule).unwrap_err();
            assert!(error.contains(part), "{rule}: {error}");
        }
    }
}
