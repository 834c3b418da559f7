//! From rules to dates: which dates a [`DateRule`] names, and where a holiday on a weekend goes.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::spec::{DateRule, Observed};

/// The dates for which rules are worked out: 1970 to 2099, and the few more on which a stretch of working hours can
/// begin that reaches into those years in some zone.
pub(super) const FIRST_DAY: i32 = -2;
pub(super) const LAST_DAY: i32 = 47_483;

/// Days from 1970-01-01 to a date.
pub(super) fn day_of(date: NaiveDate) -> i32 {
    date.signed_duration_since(NaiveDate::default()).num_days() as i32
}

/// The date so many days after 1970-01-01, for days near the supported range.
pub(super) fn date_of(day: i32) -> NaiveDate {
    let shift = Days::new(u64::from(day.unsigned_abs()));
    let epoch = NaiveDate::default();
    if day < 0 { epoch.checked_sub_days(shift) } else { epoch.checked_add_days(shift) }.unwrap_or(epoch)
}

/// Calls `visit` with every day that the rule names, as days since 1970-01-01, rising within each year. A day may come
/// twice.
pub(super) fn visit_days(rule: &DateRule, mut visit: impl FnMut(i32)) {
    let mut inside = |from: i32, to: i32| {
        for day in from.max(FIRST_DAY)..=to.min(LAST_DAY) {
            visit(day);
        }
    };
    // Years whose rules can reach a date in the range with an offset of up to 366 days.
    let years = 1967..=2102;
    match *rule {
        DateRule::On(date) => inside(day_of(date), day_of(date)),
        DateRule::Between(first, last) => inside(day_of(first), day_of(last)),
        DateRule::Yearly { month, day } => {
            for date in years.filter_map(|year| NaiveDate::from_ymd_opt(year, month, day)) {
                inside(day_of(date), day_of(date));
            }
        }
        DateRule::YearlyBetween { first, last } => {
            for year in years {
                let last_year = if last < first { year + 1 } else { year };
                // 29 February in other years: a range begins on 1 March or ends on 28 February.
                let from = NaiveDate::from_ymd_opt(year, first.0, first.1)
                    .or_else(|| NaiveDate::from_ymd_opt(year, first.0 + 1, 1));
                let to = NaiveDate::from_ymd_opt(last_year, last.0, last.1)
                    .or_else(|| NaiveDate::from_ymd_opt(last_year, last.0, last.1.saturating_sub(1)));
                if let (Some(from), Some(to)) = (from, to) {
                    inside(day_of(from), day_of(to));
                }
            }
        }
        DateRule::NthWeekday { month, nth, weekday, offset_days } => {
            for date in years.filter_map(|year| nth_weekday(year, month, nth, weekday)) {
                let day = day_of(date).saturating_add(offset_days);
                inside(day, day);
            }
        }
        DateRule::Easter { offset_days } => {
            for date in years.filter_map(easter) {
                let day = day_of(date).saturating_add(offset_days);
                inside(day, day);
            }
        }
    }
}

/// How many days a rule names at most.
pub(super) fn most_days(rule: &DateRule) -> usize {
    const YEARS: usize = 136;
    match *rule {
        DateRule::On(_) => 1,
        DateRule::Between(first, last) => (day_of(last).saturating_sub(day_of(first)) + 1).max(0) as usize,
        DateRule::Yearly { .. } | DateRule::NthWeekday { .. } | DateRule::Easter { .. } => YEARS,
        DateRule::YearlyBetween { .. } => YEARS * 366,
    }
}

/// The date on which a holiday of this date is kept.
pub(super) fn observed_on(date_day: i32, observed: Observed) -> i32 {
    // 1970-01-01 was a Thursday.
    match (observed, (date_day + 3).rem_euclid(7)) {
        (Observed::Nearest, 5) => date_day - 1,
        (Observed::Monday, 5) => date_day + 2,
        (Observed::SundayToMonday | Observed::Nearest | Observed::Monday, 6) => date_day + 1,
        _ => date_day,
    }
}

/// The nth weekday of a month, counted from its end if `nth` is negative; `None` if the month has no fifth one.
pub(super) fn nth_weekday(year: i32, month: u32, nth: i32, weekday: Weekday) -> Option<NaiveDate> {
    if nth > 0 {
        return NaiveDate::from_weekday_of_month_opt(year, month, weekday, u8::try_from(nth).ok()?);
    }
    let back = u64::from(nth.unsigned_abs().checked_sub(1)?);
    let last = (4..=5).rev().find_map(|n| NaiveDate::from_weekday_of_month_opt(year, month, weekday, n))?;
    last.checked_sub_days(Days::new(7 * back)).filter(|date| date.month() == month)
}

/// Western Easter Sunday, by the Gregorian computus as Butcher printed it.
pub(super) fn easter(year: i32) -> Option<NaiveDate> {
    let golden = year % 19;
    let (century, of_century) = (year / 100, year % 100);
    let lunar = (8 * century + 13) / 25;
    let epact = (19 * golden + century - century / 4 - lunar + 15) % 30;
    let sunday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let late = (golden + 11 * epact + 22 * sunday) / 451;
    let sum = epact + sunday - 7 * late + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(sum / 31).ok()?, u32::try_from(sum % 31 + 1).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn dates(rule: DateRule, year: i32) -> Vec<String> {
        let mut found = Vec::new();
        visit_days(&rule, |day| {
            if date_of(day).year() == year {
                found.push(date_of(day).to_string());
            }
        });
        found
    }

    #[test]
    fn the_range_has_the_days_around_1970_and_2100() {
        assert_eq!(date_of(FIRST_DAY), date("1969-12-30"));
        assert_eq!(date_of(LAST_DAY), date("2100-01-02"));
        assert_eq!(day_of(date("2100-01-01")), 47_482);
    }

    #[test]
    fn easter_falls_where_the_almanac_says() {
        for (year, expected) in [
            (1970, "1970-03-29"),
            (1981, "1981-04-19"),
            (2000, "2000-04-23"),
            (2008, "2008-03-23"),
            (2019, "2019-04-21"),
            (2024, "2024-03-31"),
            (2025, "2025-04-20"),
            (2026, "2026-04-05"),
            (2038, "2038-04-25"),
            (2049, "2049-04-18"),
            (2076, "2076-04-19"),
            (2099, "2099-04-12"),
        ] {
            assert_eq!(easter(year), Some(date(expected)));
        }
    }

    #[test]
    fn nth_weekdays_count_from_both_ends() {
        use Weekday::{Fri, Mon, Sat, Thu};
        for (year, month, nth, weekday, expected) in [
            (2026, 11, 4, Thu, Some("2026-11-26")),
            (2026, 5, -1, Mon, Some("2026-05-25")),
            (2026, 1, 5, Fri, Some("2026-01-30")),
            (2026, 2, 5, Fri, None),
            (2026, 1, -5, Sat, Some("2026-01-03")),
            (2026, 2, -5, Sat, None),
            (2026, 2, -4, Sat, Some("2026-02-07")),
            (2026, 2, 0, Sat, None),
        ] {
            assert_eq!(nth_weekday(year, month, nth, weekday), expected.map(date), "{year}-{month} {nth}");
        }
    }

    #[test]
    fn rules_name_their_dates() {
        let thanksgiving_friday =
            DateRule::NthWeekday { month: 11, nth: 4, weekday: Weekday::Thu, offset_days: 1 };
        assert_eq!(dates(thanksgiving_friday, 2026), ["2026-11-27"]);
        assert_eq!(dates(DateRule::Easter { offset_days: -2 }, 2026), ["2026-04-03"]);
        assert_eq!(dates(DateRule::Yearly { month: 2, day: 29 }, 2024), ["2024-02-29"]);
        assert!(dates(DateRule::Yearly { month: 2, day: 29 }, 2026).is_empty());
        let new_year = DateRule::YearlyBetween { first: (12, 31), last: (1, 2) };
        assert_eq!(dates(new_year, 2026), ["2026-01-01", "2026-01-02", "2026-12-31"]);
        let february = DateRule::YearlyBetween { first: (2, 28), last: (2, 29) };
        assert_eq!(dates(february, 2026), ["2026-02-28"]);
        assert_eq!(dates(february, 2028), ["2028-02-28", "2028-02-29"]);
        let from_leap_day = DateRule::YearlyBetween { first: (2, 29), last: (3, 1) };
        assert_eq!(dates(from_leap_day, 2026), ["2026-03-01"]);
        assert_eq!(dates(DateRule::Between(date("2026-01-30"), date("2026-02-01")), 2026).len(), 3);
        // An offset may lead into the year before or after.
        let eve = DateRule::NthWeekday { month: 1, nth: 1, weekday: Weekday::Thu, offset_days: -1 };
        assert_eq!(dates(eve, 2025), ["2025-01-01", "2025-12-31"]);
    }

    #[test]
    fn weekend_holidays_go_where_the_rule_says() {
        // 2026-08-15 is a Saturday.
        let (friday, saturday, sunday, monday) = (
            day_of(date("2026-08-14")),
            day_of(date("2026-08-15")),
            day_of(date("2026-08-16")),
            day_of(date("2026-08-17")),
        );
        for (observed, of_saturday, of_sunday) in [
            (Observed::SameDate, saturday, sunday),
            (Observed::SundayToMonday, saturday, monday),
            (Observed::Nearest, friday, monday),
            (Observed::Monday, monday, monday),
        ] {
            assert_eq!(observed_on(saturday, observed), of_saturday);
            assert_eq!(observed_on(sunday, observed), of_sunday);
            assert_eq!(observed_on(friday, observed), friday);
            assert_eq!(observed_on(monday, observed), monday);
        }
    }
}
