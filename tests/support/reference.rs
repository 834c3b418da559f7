//! Deadlines worked out a second time, slowly and straight from the specification: dates are walked one by one, civil
//! times are found by trying the zone's offsets. Shares nothing with the library but the data types of its rules.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Datelike};
use slaclock::target::{Branch, ClosedDay, CountsAs, DayTime, NoDeadline, ReceiptRule, ReceiptWhen, Target};
use tz::TimeZone;

const DAY: i64 = 86_400;
const END: i64 = 4_102_444_800;
type Found = Result<i64, NoDeadline>;

/// A calendar as the reference knows it. Days are days since 1970-01-01; times are civil seconds of the day.
pub(crate) struct Reference {
    pub(crate) tz: TimeZone,
    /// Monday first; a close beyond 86,400 lies on the next date.
    pub(crate) week: [Vec<(i64, i64)>; 7],
    pub(crate) holidays: BTreeSet<i64>,
    pub(crate) extra: HashMap<i64, Vec<(i64, i64)>>,
    /// (date, from, to)
    pub(crate) closures: Vec<(i64, i64, i64)>,
    pub(crate) known: RefCell<HashMap<i64, Vec<(i64, i64)>>>,
}

impl Reference {
    pub(crate) fn offset(&self, t: i64) -> i64 {
        i64::from(self.tz.find_local_time_type(t).expect("an offset").ut_offset())
    }

    pub(crate) fn local(&self, t: i64) -> i64 {
        t + self.offset(t)
    }

    /// The instants with this civil time, or the change that skips it twice.
    fn civil(&self, civil: i64) -> (i64, i64) {
        // Every offset lasts longer than six hours, so this meets all of them.
        let offsets: BTreeSet<i64> = (-5..=5).map(|step| self.offset(civil + step * 21_600)).collect();
        let mut hits: Vec<i64> =
            offsets.iter().map(|offset| civil - offset).filter(|t| self.local(*t) == civil).collect();
        hits.sort_unstable();
        match (hits.first(), hits.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => {
                let (mut before, mut after) = (civil - 30 * 3600, civil + 30 * 3600);
                while after - before > 1 {
                    let middle = (before + after) / 2;
                    if self.local(middle) < civil { before = middle } else { after = middle }
                }
                (after, after)
            }
        }
    }

    pub(crate) fn first(&self, day: i64, time: i64) -> i64 {
        self.civil(day * DAY + time).0
    }

    fn last(&self, day: i64, time: i64) -> i64 {
        self.civil(day * DAY + time).1
    }

    /// The stretches that belong to a date, in UTC; not joined.
    pub(crate) fn day(&self, day: i64) -> Vec<(i64, i64)> {
        if let Some(known) = self.known.borrow().get(&day) {
            return known.clone();
        }
        let weekday =
            DateTime::from_timestamp(day * DAY, 0).expect("a date").weekday().num_days_from_monday();
        let hours = if self.holidays.contains(&day) {
            Vec::new()
        } else {
            self.extra.get(&day).unwrap_or(&self.week[weekday as usize]).clone()
        };
        let mut pieces: Vec<(i64, i64)> =
            hours.iter().map(|(from, to)| (day * DAY + from, day * DAY + to)).collect();
        for (date, from, to) in &self.closures {
            let (cut_from, cut_to) = (date * DAY + from, date * DAY + to);
            pieces = pieces
                .into_iter()
                .flat_map(|(from, to)| [(from, to.min(cut_from)), (from.max(cut_to), to)])
                .filter(|(from, to)| from < to)
                .collect();
        }
        let utc: Vec<(i64, i64)> = pieces
            .into_iter()
            .map(|(from, to)| (self.civil(from).0, self.civil(to).1))
            .filter(|(from, to)| from < to)
            .collect();
        self.known.borrow_mut().insert(day, utc.clone());
        utc
    }

    fn working_day(&self, day: i64) -> bool {
        !self.day(day).is_empty()
    }

    /// What is open in `[from, to)`, joined.
    fn open(&self, from: i64, to: i64) -> Vec<(i64, i64)> {
        let days = from.div_euclid(DAY) - 3..=to.div_euclid(DAY) + 3;
        let mut all: Vec<(i64, i64)> = days.flat_map(|day| self.day(day)).collect();
        all.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::new();
        for (opens, closes) in all {
            match joined.last_mut() {
                Some(last) if opens <= last.1 => last.1 = last.1.max(closes),
                _ => joined.push((opens, closes)),
            }
        }
        joined.retain(|(opens, closes)| *closes > from && *opens < to);
        joined.into_iter().map(|(opens, closes)| (opens.max(from), closes.min(to))).collect()
    }

    pub(crate) fn is_open(&self, t: i64) -> bool {
        !self.open(t, t + 1).is_empty()
    }

    pub(crate) fn working(&self, from: i64, to: i64) -> i64 {
        if to < from {
            return -self.working(to, from);
        }
        self.open(from, to).iter().map(|(opens, closes)| closes - opens).sum()
    }

    /// The earliest instant by which `span` of working time has passed.
    pub(crate) fn add(&self, t: i64, span: i64) -> Found {
        let (mut at, mut left) = (t, span);
        while left > 0 {
            if at >= END {
                return Err(NoDeadline::BeyondRange);
            }
            for (opens, closes) in self.open(at, at + 10 * DAY) {
                if closes - opens >= left {
                    return in_range(opens + left);
                }
                left -= closes - opens;
            }
            at += 10 * DAY;
        }
        Ok(t)
    }

    fn next_open(&self, t: i64) -> Found {
        let mut at = t;
        while at < END {
            if let Some((opens, _)) = self.open(at, at + 10 * DAY).first() {
                return in_range(*opens);
            }
            at += 10 * DAY;
        }
        Err(NoDeadline::BeyondRange)
    }

    fn nth_working_day(&self, day: i64, nth: u32) -> Result<i64, NoDeadline> {
        let (mut day, mut left) = (day, nth);
        while left > 0 {
            day += 1;
            if day * DAY > END + DAY {
                return Err(NoDeadline::BeyondRange);
            }
            left -= u32::from(self.working_day(day));
        }
        Ok(day)
    }

    fn at(&self, day: i64, at: DayTime, same: i64) -> Found {
        in_range(match at {
            DayTime::Close => {
                self.day(day).iter().map(|(_, to)| *to).max().unwrap_or_else(|| self.last(day, DAY))
            }
            DayTime::At(time) => self.first(day, time.as_secs()),
            DayTime::SameTime => self.first(day, same),
        })
    }

    fn split(&self, t: i64) -> (i64, i64) {
        let local = self.local(t);
        (local.div_euclid(DAY), local.rem_euclid(DAY))
    }
}

fn in_range(t: i64) -> Found {
    if t < END { Ok(t.max(0)) } else { Err(NoDeadline::BeyondRange) }
}

/// A rule over the reference's calendar.
pub(crate) struct Slow<'a> {
    pub(crate) calendar: &'a Reference,
    pub(crate) receipt: &'a [ReceiptRule],
    pub(crate) target: &'a Target,
    pub(crate) roll_forward: bool,
}

impl Slow<'_> {
    pub(crate) fn counted_from(&self, received: i64) -> Found {
        let c = self.calendar;
        let mut t = received;
        for rule in self.receipt {
            let (day, time) = c.split(t);
            let applies = match rule.when {
                ReceiptWhen::ClosedDay => !c.working_day(day),
                ReceiptWhen::From(from) => t >= c.first(day, from.as_secs()),
                ReceiptWhen::Before(before) => t < c.first(day, before.as_secs()),
                ReceiptWhen::OutsideHours => !c.is_open(t),
            };
            if applies {
                t = match rule.counts_as {
                    CountsAs::NextOpening => c.next_open(t)?,
                    CountsAs::SameDay(at) => in_range(c.first(day, at.as_secs()))?,
                    CountsAs::NextWorkingDay(at) => {
                        in_range(c.first(c.nth_working_day(day, 1)?, at.as_secs()))?
                    }
                    CountsAs::NextWorkingDaySameTime => in_range(c.first(c.nth_working_day(day, 1)?, time))?,
                    CountsAs::NextWorkingDayOpening => {
                        let next = c.day(c.nth_working_day(day, 1)?);
                        in_range(next.iter().map(|(from, _)| *from).min().expect("a working day"))?
                    }
                };
            }
        }
        Ok(t)
    }

    /// The due instant after this much working and wall-clock time on hold.
    pub(crate) fn due(&self, received: i64, paused: (i64, i64), promised: Option<i64>) -> Found {
        let from = self.counted_from(received)?;
        let due = self.part(self.target, received, from, paused, promised)?;
        let c = self.calendar;
        if !self.roll_forward || c.is_open(due) || (due > 0 && c.is_open(due - 1)) {
            Ok(due)
        } else {
            c.next_open(due)
        }
    }

    fn part(
        &self,
        target: &Target,
        received: i64,
        from: i64,
        paused: (i64, i64),
        promised: Option<i64>,
    ) -> Found {
        let c = self.calendar;
        let (day, time) = c.split(from);
        let (base, working) = match target {
            Target::None => return Err(NoDeadline::NoTarget),
            Target::Earliest(parts) => {
                let all: Vec<Found> =
                    parts.iter().map(|part| self.part(part, received, from, paused, promised)).collect();
                let first = *all.first().expect("a part");
                return all.into_iter().flatten().min().map_or(first, Ok);
            }
            Target::Latest(parts) => {
                let all: Result<Vec<i64>, NoDeadline> =
                    parts.iter().map(|part| self.part(part, received, from, paused, promised)).collect();
                return Ok(all?.into_iter().max().expect("a part"));
            }
            Target::Elapsed(span) => (in_range(from + span.as_secs())?, false),
            Target::Working(span) => (c.add(from, span.as_secs())?, true),
            Target::WorkingDays { days, at } => (c.at(c.nth_working_day(day, *days)?, *at, time)?, true),
            Target::CalendarDays { days, at } => (c.at(day + i64::from(*days), *at, time)?, false),
            Target::Cutoff { branches, closed_day } => {
                (self.cutoff(branches, *closed_day, received, from)?, true)
            }
            Target::Promised => (promised.ok_or(NoDeadline::NotPromised)?, false),
        };
        let base = base.max(received);
        match (working, paused) {
            (true, (paused, _)) if paused > 0 => c.add(base, paused),
            (false, (_, paused)) => in_range(base + paused),
            _ => Ok(base),
        }
    }

    fn cutoff(&self, branches: &[Branch], closed_day: ClosedDay, received: i64, from: i64) -> Found {
        let c = self.calendar;
        let (mut day, mut time, mut from) = {
            let (day, time) = c.split(from);
            (day, time, from)
        };
        if !c.working_day(day) && closed_day != ClosedDay::Otherwise {
            let next = c.nth_working_day(day, 1)?;
            from = match closed_day {
                ClosedDay::NextOpenDaySameTime => in_range(c.first(next, time))?,
                _ => in_range(c.day(next).iter().map(|(from, _)| *from).min().expect("a working day"))?,
            };
            (day, time) = c.split(from);
        }
        let closed = !c.working_day(day);
        for (index, branch) in branches.iter().enumerate() {
            let last = index + 1 == branches.len();
            let takes = if closed {
                last && branch.working_days > 0
            } else {
                branch.received_before.is_none_or(|before| from < c.first(day, before.as_secs()))
            };
            if takes {
                let due = c.at(c.nth_working_day(day, branch.working_days)?, branch.at, time)?;
                if due > from.max(received) {
                    return Ok(due);
                }
            }
        }
        Err(NoDeadline::NoBranch)
    }
}
