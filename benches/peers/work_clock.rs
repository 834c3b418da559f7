//! The crate `workclock`: business-time arithmetic in Rust, the nearest neighbour.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use workclock::{Break, Holidays, Schedule, Weekdays, WorkDay};

/// A schedule of New York, Monday to Friday from the first opening to the last close of `hours`, with a break between
/// its two stretches.
pub(crate) fn schedule(holidays: &[(i16, i8, i8)], hours: [(u32, u32); 2]) -> Schedule {
    let time = |seconds: u32| {
        Time::new((seconds / 3600) as i8, (seconds / 60 % 60) as i8, (seconds % 60) as i8, 0)
            .expect("a time of day")
    };
    let dates = holidays.iter().map(|&(year, month, day)| Date::new(year, month, day).expect("a date"));
    let [(opens, break_from), (break_to, closes)] = hours;
    Schedule::builder()
        .time_zone("America/New_York")
        .rule(WorkDay::new(time(opens), time(closes), Weekdays::MON_TO_FRI))
        .rule(Break::new(time(break_from), time(break_to), Weekdays::MON_TO_FRI))
        .rule(Holidays::new(dates))
        .build()
        .expect("a schedule")
}

/// The instant by which so many working seconds have passed since `seconds`.
pub(crate) fn add(schedule: &Schedule, seconds: i64, working_s: i64) -> i64 {
    let from = Timestamp::from_second(seconds).expect("an instant");
    schedule.add(from, SignedDuration::from_secs(working_s)).expect("a due instant").as_second()
}
