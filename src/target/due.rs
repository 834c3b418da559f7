//! The due, limit and warning instants of a rule, with and without time on pause. Total: any input gives an instant
//! or the reason why there is none.

use chrono::{Days, NaiveDate};

use super::ask::Ask;
use super::batch::{ADDED_NS, COUNTED_NS};
use super::cutoff::Arrival;
use super::flow::Which;
use super::{DayTime, Due, Measure, NoDeadline, Paused, Target, receipt};
use crate::policy::Rule;
use crate::time::{Instant, Span};

impl Rule {
    /// The due instant of a request received at `received`, as if it is never paused and nothing is promised.
    ///
    /// Never before `received`. A span below one second counts as none.
    ///
    /// # Errors
    /// The reason why there is no deadline.
    #[inline]
    pub fn due(&self, received: Instant) -> Due {
        match self.tabled(Which::Due, received) {
            Some(due) => Ok(due),
            None => self.due_unknown(received),
        }
    }

    /// [`due`](Rule::due), where no table knows it.
    #[inline(never)]
    fn due_unknown(&self, received: Instant) -> Due {
        match self.plain_target() {
            Some(Target::Elapsed(span)) => {
                received.checked_add((*span).max(Span::ZERO)).ok_or(NoDeadline::BeyondRange)
            }
            Some(Target::Working(span)) => match self.searched(Which::Due, received, ADDED_NS) {
                Some(due) => Ok(due),
                None => self.calendar.work_after(received, (*span).max(Span::ZERO)),
            },
            // Where the table knows none, the count knows why.
            _ => match self.searched(Which::Due, received, COUNTED_NS) {
                Some(due) => Ok(due),
                None => self.count_due(received),
            },
        }
    }

    /// The limit instant, or `None` if the rule has no backstop. Never before the due instant.
    ///
    /// # Errors
    /// Inside, the reason why there is no limit.
    pub fn limit(&self, received: Instant) -> Option<Due> {
        self.backstop.as_ref()?;
        match self
            .tabled(Which::Limit, received)
            .or_else(|| self.searched(Which::Limit, received, COUNTED_NS))
        {
            Some(limit) => Some(Ok(limit)),
            None => self.count_limit(received),
        }
    }

    /// [`due`](Rule::due), counted out.
    pub(super) fn count_due(&self, received: Instant) -> Due {
        self.due_shifted(received, Paused::default(), None)
    }

    /// [`limit`](Rule::limit), counted out.
    pub(super) fn count_limit(&self, received: Instant) -> Option<Due> {
        self.limit_shifted(received, Paused::default(), None)
    }

    /// The instant from which the targets count: `received` as moved by the receipt rules.
    ///
    /// Where a receipt rule leads nowhere (the calendar never opens again) it is `received`; the rule then has no
    /// deadline, and [`due`](Rule::due) says why.
    pub fn counted_from(&self, received: Instant) -> Instant {
        receipt::counted_from(&self.receipt, Ask(&self.calendar), received).unwrap_or(received)
    }

    /// The due instant after `paused` time on hold, and with `promised` for targets that wait for a promise.
    ///
    /// Each component of the target moves by the paused time in its own measure; then the earliest or latest is
    /// taken, then `roll_forward` applies. More time on hold never gives an earlier instant.
    ///
    /// # Errors
    /// The reason why there is no deadline.
    pub fn due_shifted(&self, received: Instant, paused: Paused, promised: Option<Instant>) -> Due {
        let due = self.count(received, paused, promised)?.shifted(&self.target)?;
        self.rolled(due)
    }

    /// The limit instant after `paused` time on hold; `None` if the rule has no backstop.
    ///
    /// Moves as [`due_shifted`](Rule::due_shifted) does, each component in its own measure, and is never before the
    /// due instant of the same call.
    ///
    /// # Errors
    /// Inside, the reason why there is no limit.
    pub fn limit_shifted(&self, received: Instant, paused: Paused, promised: Option<Instant>) -> Option<Due> {
        let backstop = self.backstop.as_ref()?;
        let count = match self.count(received, paused, promised) {
            Ok(count) => count,
            Err(reason) => return Some(Err(reason)),
        };
        let limit = count.shifted(backstop).and_then(|limit| self.rolled(limit));
        let due = count.shifted(&self.target).and_then(|due| self.rolled(due));
        Some(limit.map(|limit| due.map_or(limit, |due| limit.max(due))))
    }

    /// The instant at which `percent` of the target's own time is used up, after `paused` time on hold before it.
    ///
    /// The whole is the time from [`counted_from`](Rule::counted_from) to the unpaused due, in the rule's
    /// [`measure`](Rule::measure); the part is rounded up to a second. Never after the due instant of the same
    /// `paused`. Percentages above 100 count as 100.
    ///
    /// # Errors
    /// The reason why there is no deadline.
    pub fn warn_shifted(
        &self,
        received: Instant,
        percent: u8,
        paused: Paused,
        promised: Option<Instant>,
    ) -> Due {
        let unpaused = self.due_shifted(received, Paused::default(), promised)?;
        let due = self.due_shifted(received, paused, promised)?;
        let from = self.counted_from(received);
        let total = self.measured(from, unpaused).as_secs().max(0);
        let part = (total * i64::from(percent.min(100)) + 99) / 100;
        let ask = Ask(&self.calendar);
        let warn =
            match self.measure() {
                Measure::Working => ask
                    .add_working(from, Span::from_secs(part.saturating_add(paused.working.as_secs().max(0)))),
                Measure::Elapsed => ask
                    .add_elapsed(from, Span::from_secs(part.saturating_add(paused.elapsed.as_secs().max(0)))),
            };
        Ok(warn.map_or(due, |warn| warn.min(due)))
    }

    /// What the rule's due instant is measured with: working time if any component of the target is.
    pub fn measure(&self) -> Measure {
        Rule::measure_of(&self.target)
    }

    /// What a target is measured with.
    ///
    /// Working time for `working`, `working_days` and cut-off targets, wall-clock time for `elapsed`,
    /// `calendar_days` and promised instants; working time for an earliest or latest with such a component.
    pub fn measure_of(target: &Target) -> Measure {
        match target {
            Target::Working(_) | Target::WorkingDays { .. } | Target::Cutoff { .. } => Measure::Working,
            Target::None | Target::Elapsed(_) | Target::CalendarDays { .. } | Target::Promised => {
                Measure::Elapsed
            }
            Target::Earliest(parts) | Target::Latest(parts) => {
                let working = parts.iter().any(|part| Rule::measure_of(part) == Measure::Working);
                if working { Measure::Working } else { Measure::Elapsed }
            }
        }
    }

    /// The time between `from` and `to` in both measures, as time on hold of a request received at `received`.
    ///
    /// What lies before [`counted_from`](Rule::counted_from) does not count, and an end before its start is no time.
    pub fn paused_between(&self, received: Instant, from: Instant, to: Instant) -> Paused {
        let from = from.max(self.counted_from(received));
        if to <= from {
            return Paused::default();
        }
        Paused { working: self.calendar.working_time(from, to), elapsed: to.since(from) }
    }

    /// What is left at `at` until the due instant of the same `paused` time, in the rule's own measure.
    ///
    /// Nothing (not less) once due has passed; never more than from [`counted_from`](Rule::counted_from) on.
    ///
    /// # Errors
    /// The reason why there is no deadline.
    pub fn remaining(
        &self,
        received: Instant,
        at: Instant,
        paused: Paused,
        promised: Option<Instant>,
    ) -> Result<Span, NoDeadline> {
        let due = self.due_shifted(received, paused, promised)?;
        Ok(self.measured(at.max(self.counted_from(received)), due).max(Span::ZERO))
    }

    /// Whether working out `due` counted past the date up to which the calendar's holidays are known.
    ///
    /// Always false where holidays do not matter: a target in wall-clock time without receipt rules or
    /// `roll_forward`, or a calendar that does not say until when it knows them.
    pub fn beyond_known_holidays(&self, received: Instant, due: Instant) -> bool {
        self.counts_beyond(&self.target, received, due)
    }

    /// As [`beyond_known_holidays`](Rule::beyond_known_holidays), for the instant of a target or a backstop.
    pub(super) fn counts_beyond(&self, target: &Target, received: Instant, instant: Instant) -> bool {
        let Some(known_until) = self.calendar.holidays_known_until() else {
            return false;
        };
        let matters = self.roll_forward
            || !self.receipt.is_empty()
            || Rule::measure_of(target) == Measure::Working
            || closes(target);
        matters && Ask(&self.calendar).local(instant.max(received)).date() > known_until
    }

    /// The time from `from` to `to` in the rule's own measure; negative if `to` comes first.
    pub(crate) fn measured(&self, from: Instant, to: Instant) -> Span {
        match self.measure() {
            Measure::Working => self.calendar.working_time(from, to),
            Measure::Elapsed => to.since(from),
        }
    }

    /// `due`, moved to the next opening if the rule says so and it is neither inside working hours nor a closing.
    pub(super) fn rolled(&self, due: Instant) -> Due {
        let ask = Ask(&self.calendar);
        if !self.roll_forward || ask.is_open(due) || ask.is_closing(due) {
            Ok(due)
        } else {
            ask.next_open(due)
        }
    }

    pub(super) fn count(
        &self,
        received: Instant,
        paused: Paused,
        promised: Option<Instant>,
    ) -> Result<Count<'_>, NoDeadline> {
        let ask = Ask(&self.calendar);
        let from = receipt::counted_from(&self.receipt, ask, received)?;
        Ok(Count { ask, received, from, paused, promised })
    }
}

/// Whether a target asks when a date closes.
fn closes(target: &Target) -> bool {
    match target {
        Target::CalendarDays { at, .. } => *at == DayTime::Close,
        Target::Earliest(parts) | Target::Latest(parts) => parts.iter().any(closes),
        _ => false,
    }
}

/// One count of targets: from where, by which calendar, with how much time on hold.
#[derive(Clone, Copy)]
pub(super) struct Count<'a> {
    pub(super) ask: Ask<'a>,
    /// The true receipt.
    pub(super) received: Instant,
    /// As moved by receipt rules.
    pub(super) from: Instant,
    pub(super) paused: Paused,
    pub(super) promised: Option<Instant>,
}

impl Count<'_> {
    /// The target's instant after the time on hold, before `roll_forward`.
    pub(super) fn shifted(&self, target: &Target) -> Due {
        match target {
            Target::Earliest(parts) => {
                let mut best: Due = Err(NoDeadline::NoTarget);
                for (index, part) in parts.iter().enumerate() {
                    best = match (best, self.shifted(part)) {
                        (Ok(best), Ok(due)) => Ok(best.min(due)),
                        (Ok(best), Err(_)) => Ok(best),
                        (Err(_), Ok(due)) => Ok(due),
                        // The first component's reason speaks for all.
                        (Err(first), Err(reason)) => Err(if index == 0 { reason } else { first }),
                    };
                }
                best
            }
            Target::Latest(parts) => {
                let mut latest = Err(NoDeadline::NoTarget);
                for part in parts {
                    let due = self.shifted(part)?;
                    latest = Ok(latest.map_or(due, |latest: Instant| latest.max(due)));
                }
                latest
            }
            single => self.shift(self.base(single)?, Rule::measure_of(single)),
        }
    }

    /// The instant of a target that is no earliest or latest, without time on hold.
    pub(super) fn base(&self, target: &Target) -> Due {
        let due = match target {
            Target::None | Target::Earliest(_) | Target::Latest(_) => Err(NoDeadline::NoTarget),
            Target::Elapsed(span) => self.ask.add_elapsed(self.from, (*span).max(Span::ZERO)),
            Target::Working(span) => self.ask.add_working(self.from, (*span).max(Span::ZERO)),
            Target::WorkingDays { days, at } => {
                let date = self.ask.working_day(self.date(), *days)?;
                self.on(date, *at)
            }
            Target::CalendarDays { days, at } => self.on(self.calendar_day(*days)?, *at),
            Target::Cutoff { branches, closed_day } => {
                let arrival = Arrival::of(self, *closed_day)?;
                arrival.choose(branches, |_, _| {})
            }
            Target::Promised => self.promised.ok_or(NoDeadline::NotPromised),
        }?;
        Ok(due.max(self.received))
    }

    /// `base` moved by the time on hold in its measure; exactly `base` if there was none.
    pub(super) fn shift(&self, base: Instant, measure: Measure) -> Due {
        match measure {
            Measure::Working if self.paused.working > Span::ZERO => {
                self.ask.add_working(base, self.paused.working)
            }
            Measure::Elapsed if self.paused.elapsed > Span::ZERO => {
                self.ask.add_elapsed(base, self.paused.elapsed)
            }
            _ => Ok(base),
        }
    }

    /// The local date from which days are counted.
    pub(super) fn date(&self) -> NaiveDate {
        self.ask.local(self.from).date()
    }

    /// The nth date after the receipt's, every date counting.
    pub(super) fn calendar_day(&self, days: u32) -> Result<NaiveDate, NoDeadline> {
        self.date().checked_add_days(Days::new(u64::from(days))).ok_or(NoDeadline::BeyondRange)
    }

    /// The instant on a date that `at` means.
    pub(super) fn on(&self, date: NaiveDate, at: DayTime) -> Due {
        match at {
            DayTime::Close => self.ask.close(date),
            DayTime::At(time) => self.ask.civil(date, time),
            DayTime::SameTime => self.ask.civil(date, self.ask.local(self.from).time().into()),
        }
    }
}
