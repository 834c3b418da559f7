//! From the bytes of a TZif file to a [`Zone`]: explicit transitions, and those that the footer's rule gives.

use chrono::{Datelike, Days, NaiveDate};
use tz::timezone::{AlternateTime, RuleDay, TimeZone, TransitionRule};

use super::table::{Segment, Zone};
use crate::error::{Error, ErrorKind, Result};
use crate::time::DAY_S;

/// Largest file that is taken for a zone; the largest of 2026 has 3.5 KiB, the "fat" form less than 10 KiB.
const MAX_BYTES: usize = 1 << 20;

/// Years for which the footer's rule is written out. One more than supported at each end, since a local date may
/// lie in the year before or after.
const RULE_YEARS: std::ops::RangeInclusive<i32> = 1968..=2101;

/// Reads a zone.
///
/// # Errors
/// `Damaged` if the bytes are no valid TZif data, or count leap seconds.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Zone> {
    let damaged = |why: &str| Error::new(ErrorKind::Damaged, format!("time zone data of `{name}`: {why}"));
    if bytes.len() > MAX_BYTES {
        return Err(damaged("is larger than 1 MiB"));
    }
    let parsed =
        TimeZone::from_tz_data(bytes).map_err(|cause| damaged("is no valid TZif data").because(cause))?;
    let parsed = parsed.as_ref();
    if !parsed.leap_seconds().is_empty() {
        return Err(damaged(
            "counts leap seconds, which civil instants do not; use the zone without `right/`",
        ));
    }
    // The first version ends in 2037 and has no rule for what follows.
    if bytes.get(4) == Some(&0) {
        return Err(damaged("is of version 1, which ends in 2037; version 2 or later is needed"));
    }
    // The reader takes the first of the two line ends around an empty rule for both, so that a file cut off there would
    // silently lose its rule.
    if parsed.extra_rule().is_none() && !bytes.ends_with(b"\n\n") {
        return Err(damaged("is cut off before its rule"));
    }
    let types = parsed.local_time_types();
    let segment = |from: i64, at: usize| {
        types.get(at).map(|kind| Segment {
            from,
            offset_s: kind.ut_offset(),
            abbreviation: kind.time_zone_designation().into(),
        })
    };
    let mut segments = Vec::new();
    segments.extend(segment(i64::MIN, 0));
    for transition in parsed.transitions() {
        segments.extend(segment(transition.unix_leap_time(), transition.local_time_type_index()));
    }
    let rule_from = parsed.transitions().last().map_or(i64::MIN, |last| last.unix_leap_time());
    match parsed.extra_rule() {
        Some(TransitionRule::Alternate(rule)) => segments.extend(rule_segments(rule, rule_from)),
        Some(TransitionRule::Fixed(kind)) if parsed.transitions().is_empty() => {
            segments = vec![Segment {
                from: i64::MIN,
                offset_s: kind.ut_offset(),
                abbreviation: kind.time_zone_designation().into(),
            }];
        }
        // After the last transition a fixed rule only repeats what that transition began.
        Some(TransitionRule::Fixed(_)) | None => {}
    }
    if segments.iter().any(|segment| i64::from(segment.offset_s).abs() > 24 * 3600) {
        return Err(damaged("has an offset of more than 24 hours"));
    }
    Zone::new(name, segments)
        .map(|zone| zone.with_data(bytes))
        .ok_or_else(|| damaged("has no local time type, or its transitions are out of order"))
}

/// The changes after `after` that a yearly rule makes, in order of time.
fn rule_segments(rule: &AlternateTime, after: i64) -> Vec<Segment> {
    let (standard, summer) = (rule.std(), rule.dst());
    let mut segments = Vec::new();
    for year in RULE_YEARS {
        let changes = [
            (rule.dst_start(), rule.dst_start_time(), standard.ut_offset(), summer),
            (rule.dst_end(), rule.dst_end_time(), summer.ut_offset(), standard),
        ];
        for (day, time_s, offset_before_s, kind) in changes {
            // The rule gives local time as it runs just before the change.
            if let Some(date) = rule_date(day, year) {
                segments.push(Segment {
                    from: days_since_epoch(date) * DAY_S + i64::from(time_s) - i64::from(offset_before_s),
                    offset_s: kind.ut_offset(),
                    abbreviation: kind.time_zone_designation().into(),
                });
            }
        }
    }
    segments.sort_by_key(|segment| segment.from);
    segments.retain(|segment| segment.from > after);
    // A rule may end its summer time at the very instant at which the next one begins; the later one counts.
    segments.reverse();
    segments.dedup_by_key(|segment| segment.from);
    segments.reverse();
    segments
}

fn rule_date(day: &RuleDay, year: i32) -> Option<NaiveDate> {
    let january_1 = NaiveDate::from_ymd_opt(year, 1, 1)?;
    match day {
        // Day 60 is 1 March in every year.
        RuleDay::Julian1WithoutLeap(day) => {
            let leap = u64::from(january_1.leap_year() && day.get() >= 60);
            january_1.checked_add_days(Days::new(u64::from(day.get()) - 1 + leap))
        }
        RuleDay::Julian0WithLeap(day) => january_1.checked_add_days(Days::new(u64::from(day.get()))),
        RuleDay::MonthWeekDay(day) => {
            let first = NaiveDate::from_ymd_opt(year, u32::from(day.month()), 1)?;
            let ahead = (7 + u32::from(day.week_day()) - first.weekday().num_days_from_sunday()) % 7;
            let nth =
                first.checked_add_days(Days::new(u64::from(ahead + 7 * (u32::from(day.week()) - 1))))?;
            // Week 5 means the last one.
            if nth.month() == first.month() { Some(nth) } else { nth.checked_sub_days(Days::new(7)) }
        }
    }
}

fn days_since_epoch(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}
