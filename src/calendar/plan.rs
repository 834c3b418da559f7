//! What a calendar says about each date, before time zones come into it.

use super::holidays::{FIRST_DAY, LAST_DAY, day_of, most_days, observed_on, visit_days};
use super::spec::{CalendarSpec, Hours};
use crate::error::{Error, ErrorKind, Result};

/// Most dates that the rules of one calendar may name together.
const MAX_DATES: usize = 1_000_000;

/// Where a date's hours come from; the numbers are those of the calendar's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Week,
    Exception(usize),
    Extra(usize),
    Holiday(usize),
}

/// A part-day closure on one date, in seconds since its midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cut {
    pub(super) day: i32,
    pub(super) from_s: u32,
    pub(super) to_s: u32,
    /// Its number in the calendar's list.
    pub(super) closure: u32,
}

/// The sources and closures of all dates.
#[derive(Debug)]
pub(super) struct Plan {
    /// For each date from [`FIRST_DAY`] on: 0 for the week, then the lists one after the other.
    codes: Vec<u16>,
    exceptions: usize,
    extras: usize,
    /// By date, then by time.
    cuts: Vec<Cut>,
}

impl Plan {
    /// Checks that the rules do not name too many dates, mostly without working them out.
    ///
    /// # Errors
    /// `InvalidCalendar` if they do.
    pub(super) fn check(spec: &CalendarSpec) -> Result<()> {
        let between =
            |first, last| (day_of(last).min(LAST_DAY) - day_of(first).max(FIRST_DAY) + 1).max(0) as usize;
        let exceptions: usize = spec.exceptions.iter().map(|it| between(it.first, it.last)).sum();
        let rules = || spec.holidays.iter().map(|it| &it.on).chain(spec.closures.iter().map(|it| &it.on));
        let at_most: usize = rules().map(most_days).sum();
        if exceptions + at_most <= MAX_DATES {
            return Ok(());
        }
        let mut named = exceptions;
        for rule in rules() {
            if named > MAX_DATES {
                break;
            }
            visit_days(rule, |_| named += 1);
        }
        if named <= MAX_DATES {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidCalendar,
            format!(
                "calendar `{}`: its holidays, closures and exceptions name more than {MAX_DATES} dates",
                spec.name
            ),
        ))
    }

    /// The spec must have passed its checks.
    pub(super) fn of(spec: &CalendarSpec) -> Plan {
        let mut plan = Plan {
            codes: vec![0; (LAST_DAY - FIRST_DAY + 1) as usize],
            exceptions: spec.exceptions.len(),
            extras: spec.extra_days.len(),
            cuts: Vec::new(),
        };
        // Painted over each other, so that what wins comes last.
        for (number, exception) in spec.exceptions.iter().enumerate() {
            let (first, last) = (day_of(exception.first), day_of(exception.last));
            for day in first.max(FIRST_DAY)..=last.min(LAST_DAY) {
                plan.paint(day, 1 + number);
            }
        }
        for (number, extra) in spec.extra_days.iter().enumerate() {
            plan.paint(day_of(extra.date), 1 + plan.exceptions + number);
        }
        let mut not_holidays: Vec<i32> = spec.not_holidays.iter().map(|&date| day_of(date)).collect();
        not_holidays.sort_unstable();
        let is_holiday = |day: i32| not_holidays.binary_search(&day).is_err();
        // Backwards, so that of two holidays on one date the first listed names it.
        for (number, holiday) in spec.holidays.iter().enumerate().rev() {
            let code = 1 + plan.exceptions + plan.extras + number;
            visit_days(&holiday.on, |day| {
                let kept = observed_on(day, holiday.observed);
                if is_holiday(day) && is_holiday(kept) {
                    plan.paint(kept, code);
                }
            });
        }
        for (number, closure) in spec.closures.iter().enumerate() {
            let (from_s, to_s) = (closure.from.as_secs() as u32, closure.to.as_secs() as u32);
            visit_days(&closure.on, |day| plan.cuts.push(Cut { day, from_s, to_s, closure: number as u32 }));
        }
        plan.cuts.sort_unstable();
        plan.cuts.shrink_to_fit();
        plan
    }

    /// Where the hours of a date come from.
    pub(super) fn source(&self, day: i32) -> Source {
        let at = usize::try_from(day.saturating_sub(FIRST_DAY)).ok();
        let code = at.and_then(|at| self.codes.get(at)).copied().map_or(0, usize::from);
        let Some(number) = code.checked_sub(1) else { return Source::Week };
        if number < self.exceptions {
            Source::Exception(number)
        } else if number < self.exceptions + self.extras {
            Source::Extra(number - self.exceptions)
        } else {
            Source::Holiday(number - self.exceptions - self.extras)
        }
    }

    /// What opens on a date, before closures.
    pub(super) fn hours<'a>(&self, spec: &'a CalendarSpec, day: i32) -> &'a [Hours] {
        // 1970-01-01 was a Thursday.
        let weekday = day.saturating_add(3).rem_euclid(7) as usize;
        let hours = match self.source(day) {
            Source::Week => spec.week.get(weekday),
            Source::Exception(number) => spec.exceptions.get(number).and_then(|it| it.week.get(weekday)),
            Source::Extra(number) => spec.extra_days.get(number).map(|it| &it.hours),
            Source::Holiday(_) => None,
        };
        hours.map_or(&[], Vec::as_slice)
    }

    /// The closures of a date, by time.
    pub(super) fn cuts(&self, day: i32) -> &[Cut] {
        let from = self.cuts.partition_point(|cut| cut.day < day);
        let to = self.cuts.partition_point(|cut| cut.day <= day);
        self.cuts.get(from..to).unwrap_or(&[])
    }

    /// The closures of all dates, by date.
    pub(super) fn all_cuts(&self) -> &[Cut] {
        &self.cuts
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        2 * self.codes.capacity() + size_of::<Cut>() * self.cuts.capacity()
    }

    fn paint(&mut self, day: i32, code: usize) {
        let at = usize::try_from(day.saturating_sub(FIRST_DAY)).ok();
        // The limits on the lists keep all codes within 16 bits.
        if let (Some(cell), Ok(code)) = (at.and_then(|at| self.codes.get_mut(at)), u16::try_from(code)) {
            *cell = code;
        }
    }
}
