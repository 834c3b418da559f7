//! Working time of many items at once, column in, column out.

use super::compiled::Calendar;
use super::plain::Plain;
use super::work::{Columns, DAY_S, DAYS, END_S};
use crate::error::{Error, ErrorKind, Result};
use crate::lanes::{self, BLOCK, Loop, day_of};
use crate::target::NO_DEADLINE;
use crate::time::{Instant, Span};

impl Calendar {
    /// [`add_working_time`](Calendar::add_working_time) for many instants, each with a span of its own, all in seconds.
    ///
    /// `out` has as many entries as `t` and `seconds` and gets the instants in the same order, [`NO_DEADLINE`] where
    /// there is none, the instant is not supported or the span is negative.
    ///
    /// # Errors
    /// `InvalidArgument` if the lengths differ; then nothing is written. `OutOfRange` naming the first item whose instant
    /// is not supported or whose span is negative; then all of `out` is written all the same.
    pub fn add_working_time_many(&self, t: &[i64], seconds: &[i64], out: &mut [i64]) -> Result<()> {
        same_lengths(&[("instants", t.len()), ("spans", seconds.len()), ("places", out.len())])?;
        match self.add_columns(t, Spans::Each(seconds), out) {
            Ok(()) => Ok(()),
            Err(index) => Err(wrong_item(index, t[index], seconds[index])),
        }
    }

    /// [`add_working_time`](Calendar::add_working_time) of the same span for many instants, in seconds.
    ///
    /// # Errors
    /// As for [`add_working_time_many`](Calendar::add_working_time_many).
    pub fn add_working_span_many(&self, t: &[i64], span: Span, out: &mut [i64]) -> Result<()> {
        same_lengths(&[("instants", t.len()), ("places", out.len())])?;
        if span < Span::ZERO {
            return Err(Error::new(
                ErrorKind::OutOfRange,
                format!("working time of {span}: must not be negative"),
            ));
        }
        self.add_to_column(t, span, out).map_err(|index| wrong_item(index, t[index], 0))
    }

    /// [`working_time`](Calendar::working_time) in seconds for many pairs of instants.
    ///
    /// `out` has as many entries as `a` and `b` and gets the working seconds in `[a, b)`, negative where `b` comes before
    /// `a`, and `i64::MIN` where one of them is not supported.
    ///
    /// # Errors
    /// `InvalidArgument` if the lengths differ; then nothing is written. `OutOfRange` naming the first item with an instant
    /// that is not supported; then all of `out` is written all the same.
    pub fn working_time_many(&self, a: &[i64], b: &[i64], out: &mut [i64]) -> Result<()> {
        same_lengths(&[("starts", a.len()), ("ends", b.len()), ("places", out.len())])?;
        let work_at = |t: i64| Instant::checked(t).map(|t| i64::from(self.work_at(t)));
        let mut first_bad = None;
        for (index, ((a, b), out)) in a.iter().zip(b).zip(out).enumerate() {
            *out = match (work_at(*a), work_at(*b)) {
                (Some(a), Some(b)) => b - a,
                _ => {
                    first_bad = first_bad.or(Some(index));
                    NO_DEADLINE
                }
            };
        }
        let wrong = |index: usize| match Instant::from_secs(a[index]).and(Instant::from_secs(b[index])) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.context(format_args!("item {index}"))),
        };
        first_bad.map_or(Ok(()), wrong)
    }

    /// Adds a span, below zero as none, to a column of the same length as `out`; the index of the first item that is no
    /// instant, if there is one.
    pub(crate) fn add_to_column(&self, t: &[i64], span: Span, out: &mut [i64]) -> Result<(), usize> {
        self.add_columns(t, Spans::One(span.as_secs().max(0)), out)
    }

    fn add_columns(&self, t: &[i64], spans: Spans<'_>, out: &mut [i64]) -> Result<(), usize> {
        let Some(tables) = self.columns() else { return self.add_one_by_one(t, spans, out) };
        let whole = t.len() / BLOCK * BLOCK;
        let (blocks, rest) = t.as_chunks::<BLOCK>();
        let (out_blocks, out_rest) = out.as_chunks_mut::<BLOCK>();
        let copy = Plain::of(&tables, blocks.len());
        let copy = copy.as_ref();
        let all_good = match spans {
            Spans::One(span) => {
                lanes::run(Added { tables, copy, t: blocks, spans: Same(span), out: out_blocks })
            }
            Spans::Each(spans) => {
                lanes::run(Added { tables, copy, t: blocks, spans: spans.as_chunks().0, out: out_blocks })
            }
        };
        let rest = self.add_one_by_one(rest, spans.from(whole), out_rest);
        if !all_good {
            let is_bad = |index: &usize| Instant::checked(t[*index]).is_none() || spans.at(*index) < 0;
            if let Some(index) = (0..whole).find(is_bad) {
                return Err(index);
            }
        }
        rest.map_err(|index| whole + index)
    }

    fn add_one_by_one(&self, t: &[i64], spans: Spans<'_>, out: &mut [i64]) -> Result<(), usize> {
        let mut first_bad = Ok(());
        for (index, (t, out)) in t.iter().zip(out).enumerate() {
            let span = spans.at(index);
            *out = match Instant::checked(*t) {
                Some(t) if span >= 0 => {
                    self.work_after(t, Span::from_secs(span)).map_or(NO_DEADLINE, Instant::as_secs)
                }
                _ => {
                    first_bad = first_bad.and(Err(index));
                    NO_DEADLINE
                }
            };
        }
        first_bad
    }
}

/// One span for all items, or one for each.
#[derive(Clone, Copy)]
enum Spans<'a> {
    One(i64),
    Each(&'a [i64]),
}

impl Spans<'_> {
    fn at(&self, index: usize) -> i64 {
        match self {
            Spans::One(span) => *span,
            Spans::Each(spans) => spans[index],
        }
    }

    /// Those from an item on.
    fn from(&self, first: usize) -> Spans<'_> {
        match self {
            Spans::One(span) => Spans::One(*span),
            Spans::Each(spans) => Spans::Each(&spans[first..]),
        }
    }
}

/// The spans of a block, known when the loop is compiled.
trait BlockSpans {
    fn at(&self, block: usize, item: usize) -> i64;
}

struct Same(i64);

impl BlockSpans for Same {
    #[inline(always)]
    fn at(&self, _: usize, _: usize) -> i64 {
        self.0
    }
}

impl BlockSpans for &[[i64; BLOCK]] {
    #[inline(always)]
    fn at(&self, block: usize, item: usize) -> i64 {
        self[block][item]
    }
}

/// Working time added to blocks of instants.
struct Added<'a, S> {
    tables: Columns<'a>,
    copy: Option<&'a Plain>,
    t: &'a [[i64; BLOCK]],
    spans: S,
    out: &'a mut [[i64; BLOCK]],
}

impl<S: BlockSpans> Loop for Added<'_, S> {
    /// Whether all items are good.
    type Outcome = bool;

    #[inline(always)]
    fn run<const GATHERS: bool>(self) -> bool {
        let mut scratch = Scratch::default();
        let mut all_good = true;
        for (number, (t, out)) in self.t.iter().zip(self.out.iter_mut()).enumerate() {
            if let Some(copy) = self.copy
                && copy.add(t, |item| self.spans.at(number, item), out)
            {
                continue;
            }
            for item in 0..BLOCK {
                scratch.span[item] = self.spans.at(number, item);
            }
            all_good &= scratch.add(&self.tables, t);
            *out = scratch.due;
        }
        all_good
    }
}

/// What the passes over a block hand on to each other.
struct Scratch {
    span: [i64; BLOCK],
    day: [u16; BLOCK],
    of_day: [u32; BLOCK],
    before: [u32; BLOCK],
    entry: [u16; BLOCK],
    /// The number of the last working second that is added, 0 where there is none.
    last: [u32; BLOCK],
    is_found: [bool; BLOCK],
    /// The day in which that second lies, its row, and how many working seconds of it come before.
    open_day: [u32; BLOCK],
    row: [u32; BLOCK],
    rest: [u32; BLOCK],
    /// Its place in its row, then its unit of the day.
    unit: [u32; BLOCK],
    due: [i64; BLOCK],
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch {
            span: [0; BLOCK],
            day: [0; BLOCK],
            of_day: [0; BLOCK],
            before: [0; BLOCK],
            entry: [0; BLOCK],
            last: [0; BLOCK],
            is_found: [false; BLOCK],
            open_day: [0; BLOCK],
            row: [0; BLOCK],
            rest: [0; BLOCK],
            unit: [0; BLOCK],
            due: [0; BLOCK],
        }
    }
}

#[allow(clippy::needless_range_loop, reason = "columns side by side")]
impl Scratch {
    /// A block; false if an instant is not supported or a span is negative.
    #[inline(always)]
    fn add(&mut self, tables: &Columns<'_>, t: &[i64; BLOCK]) -> bool {
        let is_good = self.place(t);
        self.worked(tables);
        self.count(tables);
        self.find(tables);
        for item in 0..BLOCK {
            let due = i64::from(self.open_day[item]) * i64::from(DAY_S) + i64::from(self.unit[item]) + 1;
            let is_due = self.is_found[item] && due < i64::from(END_S);
            let none = if self.span[item] == 0 { t[item] } else { NO_DEADLINE };
            self.due[item] = if is_due { due } else { none };
        }
        if !is_good {
            for item in 0..BLOCK {
                if Instant::checked(t[item]).is_none() || self.span[item] < 0 {
                    self.due[item] = NO_DEADLINE;
                }
            }
        }
        is_good
    }

    /// Days and their seconds; false if an instant is not supported or a span is negative.
    #[inline(always)]
    fn place(&mut self, t: &[i64; BLOCK]) -> bool {
        let mut bad = 0_u64;
        for item in 0..BLOCK {
            let at = t[item] as u64;
            bad |= at | (u64::from(END_S) - 1).wrapping_sub(at) | (self.span[item] as u64) >> 31;
            let day = day_of(at);
            self.day[item] = day as u16;
            // Never a whole day, whatever the instant is.
            self.of_day[item] =
                ((at & 0xffff_ffff).wrapping_sub(day * u64::from(DAY_S)) as u32).min(DAY_S - 1);
        }
        bad >> 32 == 0 && self.span.iter().all(|span| *span >= 0)
    }

    /// What was worked before the day, and the entries of the grid.
    #[inline(always)]
    fn worked(&mut self, tables: &Columns<'_>) {
        for item in 0..BLOCK {
            // A day beyond the table stands for an instant that is not supported; its answer is taken back later.
            let day = tables.days[usize::from(self.day[item]).min(DAYS)];
            self.before[item] = day.before_s;
            self.entry[item] = tables.grid.entry(day.row, self.of_day[item]);
        }
    }

    /// The last working second that is added.
    #[inline(always)]
    fn count(&mut self, tables: &Columns<'_>) {
        for item in 0..BLOCK {
            let worked = self.before[item] + tables.grid.worked_of(self.entry[item], self.of_day[item]);
            let more = (self.span[item] as u64).wrapping_sub(1);
            // Less than none wraps to more than there can be.
            let last = u64::from(worked) + more.min(u64::from(u32::MAX));
            self.is_found[item] = last < u64::from(tables.total);
            self.last[item] = if self.is_found[item] { last as u32 } else { 0 };
        }
    }

    /// The day in which it lies, and which second of that it is.
    #[inline(always)]
    fn find(&mut self, tables: &Columns<'_>) {
        let open_days = tables.open_days;
        for item in 0..BLOCK {
            let last = self.last[item];
            let mut at = usize::from(tables.index.get((last >> tables.shift) as usize).copied().unwrap_or(0));
            // Mostly no more than one day begins in a bucket, which is a step without a jump.
            at += usize::from(open_days[at + 1].before_s <= last);
            while open_days[at + 1].before_s <= last {
                at += 1;
            }
            let open_day = open_days[at];
            self.open_day[item] = u32::from(open_day.day);
            self.row[item] = u32::from(open_day.shape);
            self.rest[item] = open_day.before_s;
        }
        for item in 0..BLOCK {
            // Of a calendar that never opens the only day begins after everything.
            let rest = self.last[item].wrapping_sub(self.rest[item]).min(DAY_S - 1);
            let unit = tables.grid.units(rest);
            self.row[item] = self.row[item] * tables.grid.row_length() + unit;
            self.rest[item] = rest - unit * tables.grid.unit_s();
        }
        for item in 0..BLOCK {
            self.unit[item] = u32::from(tables.grid.unit_at(self.row[item]));
        }
        for item in 0..BLOCK {
            self.unit[item] = self.unit[item] * tables.grid.unit_s() + self.rest[item];
        }
    }
}

fn same_lengths(columns: &[(&str, usize)]) -> Result<()> {
    if columns.windows(2).all(|two| two[0].1 == two[1].1) {
        return Ok(());
    }
    let found: Vec<String> = columns.iter().map(|(what, length)| format!("{length} {what}")).collect();
    Err(Error::new(ErrorKind::InvalidArgument, format!("{}: must be as many", found.join(", "))))
}

#[cold]
fn wrong_item(index: usize, t: i64, span: i64) -> Error {
    match Instant::from_secs(t) {
        Err(error) => error.context(format_args!("item {index}")),
        Ok(_) => Error::new(
            ErrorKind::OutOfRange,
            format!("item {index}: working time of {span} s: must not be negative"),
        ),
    }
}
