//! What anyone would write with chrono and chrono-tz: walk from day to day and use up the hours.

use std::collections::HashSet;

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday,
};
use chrono_tz::Tz;

pub(crate) struct DayWalker {
    zone: Tz,
    holidays: HashSet<NaiveDate>,
    hours: Vec<(NaiveTime, NaiveTime)>,
}

impl DayWalker {
    /// Monday to Friday from and to these seconds of the day, but not on these dates.
    pub(crate) fn new(zone: Tz, holidays: &[(i16, i8, i8)], hours: &[(u32, u32)]) -> DayWalker {
        let date = |&(year, month, day): &(i16, i8, i8)| {
            NaiveDate::from_ymd_opt(i32::from(year), month as u32, day as u32).expect("a date")
        };
        let time =
            |seconds| NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).expect("a time of day");
        DayWalker {
            zone,
            holidays: holidays.iter().map(date).collect(),
            hours: hours.iter().map(|&(opens, closes)| (time(opens), time(closes))).collect(),
        }
    }

    /// The instant by which so many working seconds have passed since `seconds`.
    pub(crate) fn add(&self, seconds: i64, working_s: i64) -> i64 {
        let from: DateTime<Utc> = DateTime::from_timestamp(seconds, 0).expect("an instant");
        let local = from.with_timezone(&self.zone);
        let mut left = TimeDelta::seconds(working_s);
        let mut date = local.date_naive();
        loop {
            if !matches!(date.weekday(), Weekday::Sat | Weekday::Sun) && !self.holidays.contains(&date) {
                for (opens, closes) in &self.hours {
                    let (opens, closes) = (self.at(date, *opens), self.at(date, *closes));
                    let begins = opens.max(local);
                    if begins >= closes {
                        continue;
                    }
                    let length = closes - begins;
                    if left <= length {
                        return (begins + left).timestamp();
                    }
                    left -= length;
                }
            }
            date = date + Days::new(1);
        }
    }

    fn at(&self, date: NaiveDate, time: NaiveTime) -> DateTime<Tz> {
        match self.zone.from_local_datetime(&date.and_time(time)) {
            MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at,
            MappedLocalTime::None => panic!("{date} {time} does not exist"),
        }
    }
}
