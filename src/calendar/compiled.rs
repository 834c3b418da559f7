//! A compiled calendar: every question is answered from tables, without walking days.

use std::sync::OnceLock;

use chrono::{NaiveDate, NaiveDateTime};

use super::check::check;
use super::compile;
use super::conventions::{Conventions, ExactFit, NoTime, OpenWhen};
use super::days::DayTable;
use super::holidays::{date_of, day_of};
use super::plan::Plan;
use super::spec::CalendarSpec;
use super::window::{Window, Windows};
use super::work::{Columns, END_S, WorkTable};
use crate::error::{Error, ErrorKind, Result};
use crate::target::NoDeadline;
use crate::time::{DAY_S, Instant, Span, TimeOfDay};
use crate::zone::{Edge, TzData, Zone};

/// A stretch of working time `[opens, closes)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The first open instant.
    pub opens: Instant,
    /// The first closed instant after it.
    pub closes: Instant,
}

/// Working hours in a time zone, for 1970 to 2099.
///
/// Immutable. Intervals are half-open, and stretches that touch or overlap are one. What is asked first is answered from the
/// years around it, which are made in about a tenth of a millisecond; whoever goes on asking gets the tables of the whole
/// range, about 1 MiB, made once in one to three milliseconds. Other threads that ask meanwhile wait for them.
#[derive(Debug)]
pub struct Calendar {
    spec: CalendarSpec,
    zone: Zone,
    tz_version: String,
    /// Its conventions on sums of working time are not slaclock's own.
    fits_otherwise: bool,
    /// It is open when the clock on the wall says so.
    open_on_the_wall: bool,
    plan: OnceLock<Plan>,
    windows: Windows,
    tables: OnceLock<Tables>,
}

/// All of 1970 to 2099.
#[derive(Debug)]
struct Tables {
    work: WorkTable,
    days: DayTable,
}

impl Calendar {
    /// Checks a calendar as written; whatever passes has an answer to every question.
    ///
    /// # Errors
    /// `InvalidCalendar` if hours overlap, a rule names no possible date, nothing ever opens by what is written, or
    /// there are more than 64 stretches on a date or 10,000 entries in a list; `UnknownZone` if the zone is not in `tz`;
    /// `Damaged` if its data cannot be read.
    ///
    /// ```
    /// use slaclock::calendar::{Calendar, CalendarSpec, Hours};
    /// use slaclock::time::{Instant, Span, TimeOfDay};
    /// use slaclock::zone::TzData;
    ///
    /// let mut spec = CalendarSpec::new("office", "Europe/Moscow");
    /// for weekday in 0..5 {
    ///     spec.week[weekday].push(Hours { opens: TimeOfDay::parse("09:00")?, closes: TimeOfDay::parse("18:00")? });
    /// }
    /// let office = Calendar::compile(spec, &TzData::bundled())?;
    /// let friday = Instant::parse("2026-03-06T17:00:00+03:00")?;
    /// assert_eq!(office.add_working_time(friday, Span::from_hours(2))?, Instant::parse("2026-03-09T10:00:00+03:00")?);
    /// # Ok::<(), slaclock::error::Error>(())
    /// ```
    pub fn compile(mut spec: CalendarSpec, tz: &TzData) -> Result<Calendar> {
        check(&mut spec)?;
        let own = spec.conventions.unwrap_or_default();
        let fits_otherwise = own.exact_fit != ExactFit::default() || own.no_time != NoTime::default();
        let zone = tz.zone(&spec.zone).map_err(|error| error.context(format!("calendar `{}`", spec.name)))?;
        Plan::check(&spec)?;
        Ok(Calendar {
            spec,
            zone,
            tz_version: tz.version().to_owned(),
            fits_otherwise,
            open_on_the_wall: own.open == OpenWhen::WallClock,
            plan: OnceLock::new(),
            windows: Windows::new(),
            tables: OnceLock::new(),
        })
    }

    /// Makes the tables of the whole range now, if no question has yet; takes one to three milliseconds.
    pub fn prepare(&self) {
        self.tables();
    }

    #[inline(always)]
    fn tables(&self) -> &Tables {
        match self.tables.get() {
            Some(tables) => tables,
            None => self.make(),
        }
    }

    #[cold]
    fn make(&self) -> &Tables {
        self.tables.get_or_init(|| {
            let (work, days) = compile::tables(&self.spec, self.plan(), &self.zone);
            Tables { work, days }
        })
    }

    /// The answer of the whole tables, if there are any; else of the years around a day, if they have it.
    #[inline(always)]
    fn ask<T>(&self, day: i32, whole: impl Fn(&Tables) -> T, near: impl Fn(&Window) -> Option<T>) -> T {
        match self.tables.get() {
            Some(tables) => whole(tables),
            None => self.near(day, near).unwrap_or_else(|| whole(self.make())),
        }
    }

    /// The answer of the years around a day, if they have it.
    #[cold]
    #[inline(never)]
    fn near<T>(&self, day: i32, ask: impl Fn(&Window) -> Option<T>) -> Option<T> {
        let make = |number| Window::build(number, &self.spec, self.plan(), &self.zone);
        self.windows.around(day, make).and_then(ask)
    }

    #[inline(always)]
    fn work(&self) -> &WorkTable {
        &self.tables().work
    }

    #[inline(always)]
    fn days(&self) -> &DayTable {
        &self.tables().days
    }

    /// Its name in the policy.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// The calendar as written, each date's hours in order of time.
    pub fn spec(&self) -> &CalendarSpec {
        &self.spec
    }

    /// Its time zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The version of the time zone data it was compiled with.
    pub fn tz_version(&self) -> &str {
        &self.tz_version
    }

    /// The last date up to which its holidays are known, if the calendar says so.
    pub fn holidays_known_until(&self) -> Option<NaiveDate> {
        self.spec.holidays_known_until
    }

    /// Whether `t` lies in working time, or what else makes it open by the calendar's [`Conventions::open`].
    #[inline]
    pub fn is_open(&self, t: Instant) -> bool {
        if self.open_on_the_wall { self.is_open_on_the_wall(t) } else { self.is_open_time(t) }
    }

    /// Whether `t` lies in working time, whatever the conventions.
    #[inline]
    pub(crate) fn is_open_time(&self, t: Instant) -> bool {
        self.ask(utc_day(t), |tables| tables.work.is_open(t.raw()), |window| window.is_open(t.raw()))
    }

    /// Whether the civil time at `t` lies in the hours that are written for its date, or that run on from the date before.
    #[cold]
    fn is_open_on_the_wall(&self, t: Instant) -> bool {
        let local = self.local(t);
        let (day, of_day) = (day_of(local.date()), TimeOfDay::from(local.time()).as_secs());
        let is_cut = self
            .plan()
            .cuts(day)
            .iter()
            .any(|cut| (i64::from(cut.from_s)..i64::from(cut.to_s)).contains(&of_day));
        let opens_on = |begins: i32, at: i64| {
            self.plan().hours(&self.spec, begins).iter().any(|hours| {
                let (opens, closes) = (hours.opens.as_secs(), hours.closes.as_secs());
                (opens..if closes > opens { closes } else { closes + DAY_S }).contains(&at)
            })
        };
        !is_cut && (opens_on(day, of_day) || opens_on(day - 1, of_day + DAY_S))
    }

    /// The next instant of working time: `t` itself if it is open.
    ///
    /// # Errors
    /// `NeverOpen` if the calendar has no working time after `t`, `BeyondRange` if it next opens in 2100 or later.
    pub fn next_open(&self, t: Instant) -> Result<Instant, NoDeadline> {
        let opens = self.ask(
            utc_day(t),
            |tables| tables.work.second(tables.work.before(t.raw())),
            |window| window.second(window.before(t.raw())?).map(Some),
        );
        opens.and_then(Instant::from_raw).ok_or_else(|| self.no_more_work())
    }

    /// The first instant after `t` at which open turns to closed.
    ///
    /// # Errors
    /// As for [`Calendar::next_open`]; `BeyondRange` also if it stays open to the end of 2099.
    pub fn next_close(&self, t: Instant) -> Result<Instant, NoDeadline> {
        match self.work().close_after(self.work().before(t.raw())) {
            Some(closes) => Instant::from_raw(closes).ok_or(NoDeadline::BeyondRange),
            None => Err(self.no_more_work()),
        }
    }

    /// Working time in `[a, b)`; if `b` comes before `a`, the negative of that in `[b, a)`.
    pub fn working_time(&self, a: Instant, b: Instant) -> Span {
        let between = |a: u32, b: u32| Span::from_secs(i64::from(b) - i64::from(a));
        self.ask(
            utc_day(a.min(b)),
            |tables| between(tables.work.before(a.raw()), tables.work.before(b.raw())),
            |window| Some(between(window.before(a.raw())?, window.before(b.raw())?)),
        )
    }

    /// The earliest instant by which `d` of working time has passed since `t`; `t` itself if `d` is zero.
    ///
    /// # Errors
    /// `OutOfRange` if `d` is negative; `NoDeadline` if that much working time does not pass before 2100.
    pub fn add_working_time(&self, t: Instant, d: Span) -> Result<Instant> {
        self.work_after(t, not_negative(d, "add_working_time", "sub_working_time")?).map_err(|reason| {
            let message = format!("calendar `{}`: {d} of working time after {t}: {reason}", self.spec.name);
            Error::new(ErrorKind::NoDeadline, message).because(reason)
        })
    }

    /// The latest instant from which `d` of working time passes until `t`; `t` itself if `d` is zero.
    ///
    /// # Errors
    /// `OutOfRange` if `d` is negative, or if that much working time has not passed since 1970.
    pub fn sub_working_time(&self, t: Instant, d: Span) -> Result<Instant> {
        let d = not_negative(d, "sub_working_time", "add_working_time")?;
        self.work_after(t, Span::from_secs(-d.as_secs())).map_err(|_| {
            Error::new(
                ErrorKind::OutOfRange,
                format!("calendar `{}`: {d} of working time before {t}: lies before 1970", self.spec.name),
            )
        })
    }

    /// Whether a non-empty stretch of working time opens on `date`. Dates outside 1970 to 2099 are no working days,
    /// except those that share an instant with them in this zone.
    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        self.is_working_date(day_of(date))
    }

    /// The nth working day strictly after `date`, or strictly before it if `n` is negative; `date` itself for 0.
    ///
    /// # Errors
    /// `NeverOpen` if the calendar has no working day there, `BeyondRange` if it leaves the supported range.
    pub fn add_working_days(&self, date: NaiveDate, n: impl Into<i64>) -> Result<NaiveDate, NoDeadline> {
        let (day, n) = (day_of(date), n.into());
        if n == 0 {
            return Ok(date);
        }
        self.nth_date(day, n).map(date_of).ok_or_else(|| {
            let days = self.days();
            if n > 0 && days.count_before(i32::MAX) <= days.count_before(day.saturating_add(1)) {
                self.no_more_work()
            } else {
                NoDeadline::BeyondRange
            }
        })
    }

    /// Working days in `(a, b]`; if `b` comes before `a`, the negative of those in `(b, a]`.
    pub fn working_days(&self, a: NaiveDate, b: NaiveDate) -> i64 {
        let up_to = |date: NaiveDate| self.days().count_before(day_of(date).saturating_add(1));
        up_to(b) - up_to(a)
    }

    /// When the first stretch that belongs to `date` opens. `None` if it is no working day or that instant lies
    /// outside the supported range.
    pub fn first_open_of(&self, date: NaiveDate) -> Option<Instant> {
        Instant::checked(self.edges_of_date(day_of(date))?.0)
    }

    /// When the last stretch that belongs to `date` closes, perhaps on the next date. `None` if it is no working day
    /// or that instant lies outside the supported range.
    pub fn close_of(&self, date: NaiveDate) -> Option<Instant> {
        Instant::checked(self.edges_of_date(day_of(date))?.1)
    }

    /// The working time in `[from, to)`, in order, clipped to it.
    pub fn intervals(&self, from: Instant, to: Instant) -> Intervals<'_> {
        Intervals { calendar: self, at: from.raw(), until: to.raw() }
    }

    /// The civil date and time of its zone at `t`.
    pub fn local(&self, t: Instant) -> NaiveDateTime {
        self.zone.local(t)
    }

    /// The instant of a civil time of its zone; see [`Edge`] for those that come twice or not at all. `None` outside the
    /// supported range. 24:00 is the midnight that ends the date.
    pub fn instant_at(&self, date: NaiveDate, time: TimeOfDay, edge: Edge) -> Option<Instant> {
        let civil = i64::from(day_of(date)) * DAY_S + time.as_secs();
        Instant::checked(self.zone.utc_of_civil_secs(civil, edge))
    }

    /// Working seconds of 1970 to 2099 before `t`.
    #[inline]
    pub(crate) fn work_at(&self, t: Instant) -> u32 {
        self.work().before(t.raw())
    }

    /// As [`Calendar::add_working_time`], and for a negative `d` as [`Calendar::sub_working_time`].
    #[inline]
    pub(crate) fn work_after(&self, t: Instant, d: Span) -> Result<Instant, NoDeadline> {
        if self.tables.get().is_none()
            && !self.fits_otherwise
            && let Some(due) = self.near(utc_day(t), |window| window.after(t, d))
        {
            return Ok(due);
        }
        self.work_after_that(t, self.work_at(t), d)
    }

    /// As [`Calendar::work_after`], where `worked` is [`work_at`](Calendar::work_at) of `t`.
    #[inline]
    pub(crate) fn work_after_that(&self, t: Instant, worked: u32, d: Span) -> Result<Instant, NoDeadline> {
        if self.fits_otherwise {
            return self.work_after_otherwise(t, worked, d);
        }
        self.work_after_at_closing(t, worked, d)
    }

    /// As [`Calendar::work_after_that`], by conventions other than slaclock's own.
    #[cold]
    fn work_after_otherwise(&self, t: Instant, worked: u32, d: Span) -> Result<Instant, NoDeadline> {
        let at = self.work_after_at_closing(t, worked, d)?;
        let conventions = self.conventions();
        let moves = match d.as_secs() {
            0 => conventions.no_time == NoTime::NextOpening,
            1.. => conventions.exact_fit == ExactFit::NextOpening,
            _ => false,
        };
        if moves { self.next_open(at) } else { Ok(at) }
    }

    /// How it counts at its edges.
    pub fn conventions(&self) -> Conventions {
        self.spec.conventions.unwrap_or_default()
    }

    /// Whether sums of working time must be counted one by one, since look-ups know slaclock's own way only.
    pub(crate) fn fits_otherwise(&self) -> bool {
        self.fits_otherwise
    }

    #[inline]
    fn work_after_at_closing(&self, t: Instant, worked: u32, d: Span) -> Result<Instant, NoDeadline> {
        // The last working second of `d` ends at the instant looked for; no time at all wraps to more than there can be.
        let more = (d.as_secs() as u64).wrapping_sub(1).min(u64::from(u32::MAX));
        let last = u32::try_from(u64::from(worked) + more).unwrap_or(u32::MAX);
        match self.work().second(last) {
            Some(begins) => Instant::from_raw(begins + 1).ok_or_else(|| self.not_reached(t)),
            None => self.work_after_rarely(t, d),
        }
    }

    /// As [`Calendar::work_after`], where nothing is to be added, the count goes back, or leads nowhere.
    #[cold]
    fn work_after_rarely(&self, t: Instant, d: Span) -> Result<Instant, NoDeadline> {
        match d.as_secs() {
            0 => Ok(t),
            1.. => Err(self.not_reached(t)),
            // Before it lies what is to be left; the last such instant is where the next working second begins.
            back => {
                let wanted = i64::from(self.work_at(t)).checked_add(back);
                let wanted = wanted.and_then(|work| u32::try_from(work).ok());
                let begins = wanted.and_then(|work| self.work().second(work));
                begins.and_then(Instant::from_raw).ok_or(NoDeadline::BeyondRange)
            }
        }
    }

    /// Why some working time after `t` is not reached.
    #[cold]
    fn not_reached(&self, t: Instant) -> NoDeadline {
        if self.work_at(t) < self.work().total() { NoDeadline::BeyondRange } else { self.no_more_work() }
    }

    /// The first instant after `t` at which it opens or closes, in seconds since 1970-01-01T00:00:00Z; `None` if it
    /// stays as it is.
    pub(crate) fn edge_after(&self, t: Instant) -> Option<i64> {
        self.work().edge_after(t.raw()).map(i64::from)
    }

    /// Whether a date, in days since 1970-01-01, is a working day.
    pub(crate) fn is_working(&self, day: i64) -> bool {
        self.is_working_date(clamp_day(day))
    }

    /// The nth working day after a date, both in days since 1970-01-01; the date itself for 0.
    pub(crate) fn nth_working(&self, day: i64, n: u32) -> Option<i64> {
        if n == 0 { Some(day) } else { self.nth_date(clamp_day(day), i64::from(n)).map(i64::from) }
    }

    /// The first opening and the last close of a date, in days and seconds since 1970-01-01T00:00:00Z.
    pub(crate) fn edges_of(&self, day: i64) -> Option<(i64, i64)> {
        self.edges_of_date(clamp_day(day))
    }

    #[inline]
    fn edges_of_date(&self, day: i32) -> Option<(i64, i64)> {
        self.ask(day, |tables| tables.days.edges_of(day), |window| Some(window.dates().edges_of(day)))
    }

    #[inline]
    fn is_working_date(&self, day: i32) -> bool {
        self.edges_of_date(day).is_some()
    }

    /// The nth working day after a date, or before it if `n` is negative; not for 0.
    #[inline]
    fn nth_date(&self, day: i32, n: i64) -> Option<i32> {
        self.ask(day, |tables| tables.days.nth(day, n), |window| window.dates().nth(day, n).map(Some))
    }

    /// The unit of the grid on which all its edges lie, if there is one; divides a day.
    pub(crate) fn grid_unit_s(&self) -> Option<u32> {
        self.work().grid_unit_s()
    }

    /// Bytes of memory that its tables hold; 0 as long as nothing was asked.
    pub fn table_size(&self) -> usize {
        self.tables.get().map_or(0, |tables| tables.work.size() + tables.days.size())
            + self.plan.get().map_or(0, Plan::size)
            + self.windows.size()
    }

    pub(super) fn columns(&self) -> Option<Columns<'_>> {
        if self.fits_otherwise { None } else { self.work().columns() }
    }

    pub(super) fn plan(&self) -> &Plan {
        self.plan.get_or_init(|| Plan::of(&self.spec))
    }

    /// Why there is no working time after some instant: a calendar that was open in the last year of the range would
    /// open again beyond it.
    fn no_more_work(&self) -> NoDeadline {
        let last_year = END_S - 366 * DAY_S as u32;
        if self.work().before(last_year) < self.work().total() {
            NoDeadline::BeyondRange
        } else {
            NoDeadline::NeverOpen
        }
    }
}

/// The stretches of working time of a window, in order. Made by [`Calendar::intervals`].
#[derive(Clone, Debug)]
pub struct Intervals<'a> {
    calendar: &'a Calendar,
    at: u32,
    until: u32,
}

impl Iterator for Intervals<'_> {
    type Item = Interval;

    fn next(&mut self) -> Option<Interval> {
        let work = self.calendar.work();
        let number = work.before(self.at);
        let opens = work.second(number).filter(|opens| *opens < self.until)?;
        let closes = work.close_after(number)?.min(self.until);
        self.at = closes;
        Some(Interval { opens: Instant::from_raw(opens)?, closes: Instant::from_raw(closes)? })
    }
}

/// The UTC day of an instant, in days since 1970-01-01.
fn utc_day(t: Instant) -> i32 {
    (t.raw() / DAY_S as u32) as i32
}

/// No calendar knows a date beyond these.
fn clamp_day(day: i64) -> i32 {
    day.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

fn not_negative(d: Span, asked: &str, other: &str) -> Result<Span> {
    if d >= Span::ZERO {
        return Ok(d);
    }
    Err(Error::new(
        ErrorKind::OutOfRange,
        format!("{asked} of {d}: must not be negative; use {other} for the other way"),
    ))
}
