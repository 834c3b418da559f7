//! From civil hours to stretches of UTC: closures are cut out in civil time, then the edges are converted.
//!
//! Dates repeat: most of a year are one of seven, for as long as the clock does not change. So each different date is
//! worked out once, and a UTC day once for each different row of dates around it.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::conventions::ClockChange;
use super::days::DayTable;
use super::holidays::{FIRST_DAY, LAST_DAY};
use super::plan::{Cut, Plan, Source};
use super::spec::CalendarSpec;
use super::work::WorkTable;
use crate::time::DAY_S;
use crate::zone::{Edge, Zone};

/// The tables of a calendar that has passed its checks.
pub(super) fn tables(spec: &CalendarSpec, plan: &Plan, zone: &Zone) -> (WorkTable, DayTable) {
    let dates = Dates::of(spec, plan, zone, FIRST_DAY..=LAST_DAY);
    (WorkTable::build(&dates), DayTable::build(&dates))
}

/// What opens on each date, in UTC.
pub(super) struct Dates {
    /// The first of them, in days since 1970-01-01.
    pub(super) first: i32,
    /// For each date from the first on the number of what opens on it.
    pub(super) numbers: Vec<u16>,
    /// What opens, by number: stretches in seconds from the UTC midnight of the same date, none empty. Number 0 is
    /// nothing.
    pub(super) opens: Vec<Vec<(i32, i32)>>,
}

impl Dates {
    /// The number of a date on which nothing opens.
    pub(super) const CLOSED: u16 = 0;

    pub(super) fn of(spec: &CalendarSpec, plan: &Plan, zone: &Zone, days: RangeInclusive<i32>) -> Dates {
        let first = *days.start();
        let mut dates =
            Dates { first, numbers: Vec::with_capacity(days.clone().count()), opens: vec![Vec::new()] };
        let mut known = HashMap::from([(Vec::new(), Dates::CLOSED)]);
        // The numbers of plain dates by weekday, as long as the clock does not change.
        let mut week: [Option<u16>; 7] = [None; 7];
        let change = spec.conventions.unwrap_or_default().clock_change;
        let mut clock = Clock { zone, change, offset_s: 0, until: i64::MIN };
        let mut week_offset_s = i64::MAX;
        let (mut civil, mut cuts) = (Vec::new(), plan.all_cuts());
        // 1970-01-01 was a Thursday.
        let mut weekday = (first + 3).rem_euclid(7) as usize;
        for day in days {
            clock.turn_to(day);
            while cuts.first().is_some_and(|cut| cut.day < day) {
                cuts = &cuts[1..];
            }
            if clock.offset_s != week_offset_s {
                (week, week_offset_s) = ([None; 7], clock.offset_s);
            }
            let has_cuts = cuts.first().is_some_and(|cut| cut.day <= day + 1);
            let source = plan.source(day);
            let is_plain = source == Source::Week && !has_cuts && clock.is_steady();
            let number = match week[weekday] {
                _ if matches!(source, Source::Holiday(_)) => Dates::CLOSED,
                Some(number) if is_plain => number,
                _ => {
                    civil_stretches(spec, plan, day, &mut civil);
                    dates.number_of(day, &civil, &clock, &mut known)
                }
            };
            if is_plain {
                week[weekday] = Some(number);
            }
            dates.numbers.push(number);
            weekday = if weekday == 6 { 0 } else { weekday + 1 };
        }
        dates
    }

    /// The number of a date, that of nothing for one that is none of these.
    pub(super) fn number_at(&self, day: i32) -> u16 {
        let at = usize::try_from(day - self.first).ok();
        at.and_then(|at| self.numbers.get(at)).copied().unwrap_or(Dates::CLOSED)
    }

    /// The number of what opens on a date by civil time.
    fn number_of(
        &mut self,
        day: i32,
        civil: &[(i64, i64)],
        clock: &Clock<'_>,
        known: &mut HashMap<Vec<(i32, i32)>, u16>,
    ) -> u16 {
        let midnight = i64::from(day) * DAY_S;
        // A stretch begins within its date and ends before the next has ended, and no zone is a day off.
        let stretches = civil.iter().filter_map(|&(from, to)| {
            let (opens, closes) = (clock.utc(from, Edge::Open), clock.utc(to, Edge::Close));
            // Nothing is left of a stretch that the clock skips.
            (opens < closes).then_some(((opens - midnight) as i32, (closes - midnight) as i32))
        });
        let stretches: Vec<(i32, i32)> = stretches.collect();
        *known.entry(stretches).or_insert_with_key(|stretches| {
            self.opens.push(stretches.clone());
            // There are no more numbers than dates, and those fit.
            (self.opens.len() - 1) as u16
        })
    }
}

/// A zone's clock, read date by date: between two changes it is one subtraction.
struct Clock<'a> {
    zone: &'a Zone,
    change: ClockChange,
    offset_s: i64,
    /// Civil times of the date before this one are that offset from UTC.
    until: i64,
}

impl Clock<'_> {
    fn turn_to(&mut self, day: i32) {
        // A stretch ends before the next date has ended, and no offset reaches 26 hours.
        let (midnight, end) = (i64::from(day) * DAY_S, i64::from(day + 2) * DAY_S);
        if end < self.until {
            return;
        }
        let (offset_s, changes) = self.zone.offset_until(midnight - 26 * 3600);
        (self.offset_s, self.until) = (offset_s, changes.saturating_sub(26 * 3600));
        if end >= self.until {
            self.until = i64::MIN;
        }
    }

    /// Whether the clock does not change around the date.
    fn is_steady(&self) -> bool {
        self.until > i64::MIN
    }

    /// The instant of a civil time near a change of the clock.
    fn utc_at_change(&self, civil: i64, edge: Edge) -> i64 {
        let first = self.zone.utc_of_civil_secs(civil, Edge::Open);
        let is_skipped = self.zone.local_secs(first) != civil;
        match self.change {
            ClockChange::Outer => self.zone.utc_of_civil_secs(civil, edge),
            // Read by the clock as it was before the change.
            _ if is_skipped => civil - i64::from(self.zone.offset_at_secs(first - 1)),
            ClockChange::First => first,
            ClockChange::Second => self.zone.utc_of_civil_secs(civil, Edge::Close),
        }
    }

    fn utc(&self, civil: i64, edge: Edge) -> i64 {
        if self.is_steady() { civil - self.offset_s } else { self.utc_at_change(civil, edge) }
    }
}

/// What opens on a date in civil seconds since the midnight that began 1970-01-01, without what is closed.
fn civil_stretches(spec: &CalendarSpec, plan: &Plan, day: i32, out: &mut Vec<(i64, i64)>) {
    out.clear();
    let midnight = i64::from(day) * DAY_S;
    for hours in plan.hours(spec, day) {
        let (opens, mut closes) = (hours.opens.as_secs(), hours.closes.as_secs());
        if closes <= opens {
            closes += DAY_S;
        }
        let mut from = opens;
        let shifted =
            |shift: i64| move |cut: &Cut| (i64::from(cut.from_s) + shift, i64::from(cut.to_s) + shift);
        let today = plan.cuts(day).iter().map(shifted(0));
        let tomorrow = plan.cuts(day + 1).iter().map(shifted(DAY_S));
        for (cut_from, cut_to) in today.chain(tomorrow) {
            if cut_from >= closes {
                break;
            }
            if cut_from > from {
                out.push((midnight + from, midnight + cut_from));
            }
            from = from.max(cut_to);
        }
        if from < closes {
            out.push((midnight + from, midnight + closes));
        }
    }
}
