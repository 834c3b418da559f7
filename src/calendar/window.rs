//! Some years of a calendar: enough for the first questions of a process, made in a fraction of the time of all.
//!
//! A script or a web request that asks for a handful of deadlines would wait longer for the tables of 130 years than for
//! everything else. So the years around a question are made first, searched rather than looked up; whoever goes on asking,
//! or asks far apart, gets the whole tables. Both give the same answers.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::compile::Dates;
use super::days::DayTable;
use super::holidays::{FIRST_DAY, LAST_DAY};
use super::plan::Plan;
use super::shapes::Shapes;
use super::spec::CalendarSpec;
use super::work::{Around, DAY_S, DAYS};
use crate::time::{Instant, Span};
use crate::zone::Zone;

/// Days whose questions go to one window.
const STEP: usize = 1_024;
/// Days beyond them that a window knows as well, so that what is received in them has its deadline there.
const MARGIN: usize = 256;
const WINDOWS: usize = DAYS.div_ceil(STEP);
/// An answer counts as one, a window as many as it takes the time of: whoever would spend more is better served by the whole.
const MOST_SPENT: u32 = 4_000;
const WINDOW_COSTS: u32 = 800;

/// The windows of a calendar that were asked for.
#[derive(Debug)]
pub(super) struct Windows {
    made: [OnceLock<Box<Window>>; WINDOWS],
    spent: AtomicU32,
}

impl Windows {
    pub(super) fn new() -> Windows {
        Windows { made: [const { OnceLock::new() }; WINDOWS], spent: AtomicU32::new(0) }
    }

    /// The window around a day, in days since 1970-01-01; `None` outside the range, or if so much was asked that the whole
    /// pays.
    pub(super) fn around(&self, day: i32, make: impl FnOnce(usize) -> Window) -> Option<&Window> {
        let number = usize::try_from(day).ok()? / STEP;
        let made = self.made.get(number)?;
        let costs = if made.get().is_some() { 1 } else { WINDOW_COSTS };
        if self.spent.fetch_add(costs, Ordering::Relaxed) > MOST_SPENT {
            // Stays above, however often it is asked.
            self.spent.store(MOST_SPENT + 1, Ordering::Relaxed);
            return None;
        }
        Some(made.get_or_init(|| Box::new(make(number))))
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        self.made.iter().filter_map(OnceLock::get).map(|window| window.size()).sum()
    }
}

/// Working time of some UTC days one after the other, and working days of the dates around them.
#[derive(Debug)]
pub(super) struct Window {
    /// The first UTC day, in days since 1970-01-01.
    first: u32,
    /// Working seconds of the window before each day, and in all.
    before: Vec<u32>,
    /// The shape of each day.
    shape: Vec<u16>,
    shapes: Shapes,
    dates: DayTable,
}

impl Window {
    pub(super) fn build(number: usize, spec: &CalendarSpec, plan: &Plan, zone: &Zone) -> Window {
        let first = number * STEP;
        let end = (first + STEP + MARGIN).min(DAYS);
        let (from, to) = (first as i32 - Around::BEFORE, end as i32 + Around::AFTER);
        let dates = Dates::of(spec, plan, zone, from.max(FIRST_DAY)..=to.min(LAST_DAY));
        let mut window = Window {
            first: first as u32,
            before: Vec::with_capacity(end - first + 1),
            shape: Vec::with_capacity(end - first),
            shapes: Shapes::new(),
            dates: DayTable::build(&dates),
        };
        let mut around = Around::new(first as i32, &dates);
        let mut total = 0;
        for day in first..end {
            let (shape, in_day) = around.shape_of(day as i32, &dates, &mut window.shapes);
            window.before.push(total);
            window.shape.push(shape);
            total += in_day;
        }
        window.before.push(total);
        window.shapes = window.shapes.finish();
        window
    }

    /// Working seconds of the window before `t`; `None` if `t` does not lie in it.
    pub(super) fn before(&self, t: u32) -> Option<u32> {
        let (at, of_day) = self.place(t)?;
        Some(self.before.get(at)? + self.shapes.worked(*self.shape.get(at)?, of_day))
    }

    /// Whether the second that begins at `t` is working time; `None` if `t` does not lie in the window.
    pub(super) fn is_open(&self, t: u32) -> Option<bool> {
        let (at, of_day) = self.place(t)?;
        Some(self.shapes.is_open(*self.shape.get(at)?, of_day))
    }

    /// When the working second of this number of the window, from 0, begins; `None` if there are not so many.
    pub(super) fn second(&self, number: u32) -> Option<u32> {
        // Of days that begin with the same number only the last one has any working time.
        let at = self.before.partition_point(|before| *before <= number).checked_sub(1)?;
        let rest = number - self.before.get(at)?;
        let piece = self.shapes.piece_of(*self.shape.get(at)?, rest)?;
        Some((self.first + at as u32) * DAY_S + piece.opens_s + (rest - piece.before_s))
    }

    /// The earliest instant by which `d` of working time has passed since `t`; `None` if not all of it passes in the window.
    pub(super) fn after(&self, t: Instant, d: Span) -> Option<Instant> {
        if d == Span::ZERO {
            return Some(t);
        }
        let more = u32::try_from(d.as_secs().checked_sub(1)?).ok()?;
        let last = self.before(t.raw())?.checked_add(more)?;
        Instant::from_raw(self.second(last)? + 1)
    }

    /// The working days of the window; of dates outside it nothing is known.
    pub(super) fn dates(&self) -> &DayTable {
        &self.dates
    }

    fn place(&self, t: u32) -> Option<(usize, u32)> {
        Some(((t / DAY_S).checked_sub(self.first)? as usize, t % DAY_S))
    }

    /// Bytes held.
    fn size(&self) -> usize {
        size_of::<Window>()
            + 4 * self.before.capacity()
            + 2 * self.shape.capacity()
            + self.shapes.size()
            + self.dates.size()
    }
}
