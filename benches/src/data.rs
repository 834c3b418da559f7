//! Data that the benchmarks share: a calendar, receipts, random numbers. Everything follows from a seed.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use slaclock::calendar::{Calendar, DayStatus};
use slaclock::policy::{Policy, Rule};

/// 2006-01-01T00:00:00Z: receipts come from here on.
pub const FIRST_S: i64 = 1_136_073_600;
/// Seconds of a year of 365 days.
pub const YEAR_S: i64 = 365 * 86_400;
/// The working hours of the calendar, in seconds since midnight, on Monday to Friday.
pub const HOURS: [(u32, u32); 2] = [(32_400, 45_000), (48_600, 63_000)];

/// New York, two stretches a day, eleven holidays a year; and one clock for each kind of target.
pub const POLICY: &str = r#"
[policy]
name    = "bench"
version = 1

[calendar.office]
zone     = "America/New_York"
hours    = { mon-fri = ["09:00-12:30", "13:30-17:30"] }
holidays = [
  { on = "01-01", observed = "nearest" },
  "3rd monday of january",
  "3rd monday of february",
  "last monday of may",
  { on = "06-19", observed = "nearest" },
  { on = "07-04", observed = "nearest" },
  "1st monday of september",
  "2nd monday of october",
  { on = "11-11", observed = "nearest" },
  "4th thursday of november",
  { on = "12-25", observed = "nearest" },
]

[[clock]]
name = "working"
start = "received"
stop = "resolved"
target = { working = "10h" }

[[clock]]
name = "cutoff"
start = "received"
stop = "resolved"
target = [{ received_before = "14:00", due = "same day, close" }, { due = "next day, 11:00" }]
backstop = { working_days = 3 }

[[clock]]
name = "working_days"
start = "received"
stop = "resolved"
target = { working_days = 3 }

[[clock]]
name = "calendar_days"
start = "received"
stop = "resolved"
target = { calendar_days = 3, at = "close" }

[[clock]]
name = "elapsed"
start = "received"
stop = "resolved"
target = { elapsed = "72h" }

[[clock]]
name = "earliest"
start = "received"
stop = "resolved"
target = { earliest = [{ working = "10h" }, { elapsed = "48h" }] }

[[clock]]
name = "latest"
start = "received"
stop = "resolved"
target = { latest = [{ working = "4h" }, { working_days = 1, at = "11:00" }] }

[[clock]]
name = "receipt"
start = "received"
stop = "resolved"
target = { working_days = 2, at = "same time" }
receipt = [{ on = "closed day", counts_as = "next working day, same time" }, { from = "17:00", counts_as = "next working day, 08:30" }]

[[clock]]
name = "matched"
start = "received"
stop = "resolved"
rules = [
  { when = { priority = "P1" }, target = { working = "4h" } },
  { when = { priority = "P2" }, target = { working = "8h" } },
  { when = { priority = "P3" }, target = { working = "16h" } },
  { when = { priority = "P4" }, target = { working = "40h" } },
]

[[clock]]
name = "mixed"
start = "received"
stop = "resolved"
rules = [
  { when = { priority = "P1" }, target = { elapsed = "4h" } },
  { when = { priority = "P2" }, target = { working = "8h" } },
  { when = { priority = "P3" }, target = [{ received_before = "14:00", due = "same day, close" }, { due = "next day, 11:00" }] },
  { when = { priority = "P4" }, target = { working_days = 3 } },
]
"#;

/// The policy [`POLICY`].
///
/// # Panics
/// If it does not load.
#[must_use]
pub fn policy() -> Policy {
    Policy::from_toml(POLICY).unwrap_or_else(|error| panic!("{error}"))
}

/// The one rule of the clock `name` of [`POLICY`].
///
/// # Panics
/// If there is no such clock.
#[must_use]
pub fn rule<'a>(policy: &'a Policy, name: &str) -> &'a Rule {
    &policy.clock(name).unwrap_or_else(|error| panic!("{error}")).rules[0]
}

/// The calendar of [`POLICY`].
#[must_use]
pub fn calendar(policy: &Policy) -> Arc<Calendar> {
    Arc::clone(&policy.calendars()[0])
}

/// Year, month and day of all holidays of the calendar in 2000 to 2059, for peers.
#[must_use]
pub fn holidays(calendar: &Calendar) -> Vec<(i16, i8, i8)> {
    let first = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default();
    let dates = first.iter_days().take_while(|date| date.year() < 2060);
    dates
        .filter(|date| matches!(calendar.day_status(*date), DayStatus::Holiday(_)))
        .map(|date| (date.year() as i16, date.month() as i8, date.day() as i8))
        .collect()
}

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The same numbers for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next of all 64-bit numbers.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 up to, not including, `limit`, which is at least 1.
    pub fn below(&mut self, limit: i64) -> i64 {
        ((u128::from(self.draw()) * limit as u128) >> 64) as i64
    }
}

/// `count` receipts within so many years from [`FIRST_S`] on, in random order.
#[must_use]
pub fn receipts(count: usize, years: i64) -> Vec<i64> {
    let mut random = Random::new(20_260_306);
    (0..count).map(|_| FIRST_S + random.below(years * YEAR_S)).collect()
}

/// The same in order of time.
#[must_use]
pub fn sorted_receipts(count: usize, years: i64) -> Vec<i64> {
    let mut receipts = receipts(count, years);
    receipts.sort_unstable();
    receipts
}
