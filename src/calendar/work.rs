//! Working time as a look-up: how many working seconds lie before an instant, and which instant a working second is.
//!
//! Each UTC day has the number of working seconds before it and its shape, the list of stretches open on it; days
//! repeat, so that 130 years have a few dozen shapes. The inverse starts from an index by working seconds. Where all
//! edges lie on a grid, as they do in practice, a shape is also a row of the grid, and nothing is searched.

use super::compile::Dates;
use super::grid::Grid;
use super::shapes::Shapes;

pub(super) const DAY_S: u32 = 86_400;
/// UTC days from 1970-01-01 up to, not including, 2100-01-01.
pub(super) const DAYS: usize = 47_482;
/// The first second that is not supported any more.
pub(super) const END_S: u32 = 4_102_444_800;
/// Runs of fewer days that are open throughout are walked, not skipped.
const LONG_RUN: usize = 8;
/// Most entries of the index by working seconds.
const MAX_INDEX: u32 = 1 << 16;

/// A stretch of one UTC day, in seconds from its midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Piece {
    pub(super) opens_s: u32,
    /// Up to 86,400.
    pub(super) closes_s: u32,
    /// Working seconds of the day before this piece.
    pub(super) before_s: u32,
}

/// A UTC day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    /// Working seconds before it.
    pub(super) before_s: u32,
    /// Its shape times the grid's length, 1 without a grid: where its row of the grid begins.
    pub(super) row: u32,
}

/// A UTC day with working time.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenDay {
    /// Working seconds before it; `u32::MAX` marks the end of the list.
    pub(super) before_s: u32,
    pub(super) day: u16,
    pub(super) shape: u16,
}

impl OpenDay {
    /// Working seconds before it, the day, and where its row of the grid begins: 32, 16 and 16 bits.
    pub(super) fn packed(self, row_length: u32) -> u64 {
        u64::from(self.before_s) << 32
            | u64::from(self.day) << 16
            | u64::from(u32::from(self.shape) * row_length)
    }
}

/// 2^64 divided by the golden ratio: spreads what it is multiplied with.
const FIBONACCI: u64 = 0x9e37_79b9_7f4a_7c15;

/// Working time of 1970 to 2099.
#[derive(Debug)]
pub(super) struct WorkTable {
    /// By day, and one that stands for what comes after.
    days: Box<[Day; DAYS + 1]>,
    /// Working seconds in all.
    total: u32,
    shapes: Shapes,
    open_days: Vec<OpenDay>,
    /// For each 2^shift working seconds the place in `open_days` of the first of them.
    index: Vec<u16>,
    shift: u32,
    grid: Option<Grid>,
    /// Entries of a row of the grid, 1 without one.
    row_length: u32,
    /// Long runs of days that are open throughout: first and last.
    full_runs: Vec<(u16, u16)>,
}

impl WorkTable {
    pub(super) fn build(dates: &Dates) -> WorkTable {
        let mut shapes = Shapes::new();
        let mut days: Vec<Day> = Vec::with_capacity(DAYS + 1);
        let mut open_days = Vec::with_capacity(DAYS + 1);
        let mut total = 0_u32;
        let mut around = Around::new(0, dates);
        for day in 0..DAYS {
            let (shape, in_day) = around.shape_of(day as i32, dates, &mut shapes);
            days.push(Day { before_s: total, row: u32::from(shape) });
            if in_day > 0 {
                open_days.push(OpenDay { before_s: total, day: day as u16, shape });
            }
            total += in_day;
        }
        days.push(Day { before_s: total, row: u32::from(Shapes::EMPTY) });
        open_days.push(OpenDay { before_s: u32::MAX, day: DAYS as u16, shape: Shapes::EMPTY });
        open_days.shrink_to_fit();
        let (index, shift) = index_work(&open_days, total);
        let full_runs = long_full_runs(&days);
        let grid = Grid::of(&shapes);
        let row_length = grid.as_ref().map_or(1, Grid::row_length);
        for day in &mut days {
            day.row *= row_length;
        }
        let Ok(days) = days.into_boxed_slice().try_into() else {
            unreachable!("as many days as the range has")
        };
        WorkTable {
            days,
            total,
            shapes: shapes.finish(),
            open_days,
            index,
            shift,
            grid,
            row_length,
            full_runs,
        }
    }

    /// Working seconds in all.
    pub(super) fn total(&self) -> u32 {
        self.total
    }

    /// Working seconds before `t`, which may be [`END_S`].
    #[inline(always)]
    pub(super) fn before(&self, t: u32) -> u32 {
        let day = self.days[((t / DAY_S) as usize).min(DAYS)];
        let of_day = t % DAY_S;
        match &self.grid {
            Some(grid) => day.before_s + grid.worked(day.row, of_day),
            None => day.before_s + self.worked(day, of_day),
        }
    }

    /// As [`Grid::worked`], by a search.
    #[cold]
    fn worked(&self, day: Day, of_day: u32) -> u32 {
        self.shapes.worked(self.shape_of(day), of_day)
    }

    /// Whether the second that begins at `t` is working time.
    #[inline]
    pub(super) fn is_open(&self, t: u32) -> bool {
        let day = self.days[((t / DAY_S) as usize).min(DAYS)];
        let of_day = t % DAY_S;
        match &self.grid {
            Some(grid) => grid.is_open(day.row, of_day),
            None => self.shapes.is_open(self.shape_of(day), of_day),
        }
    }

    /// When the working second of this number, from 0, begins; `None` if there are not so many.
    #[inline(always)]
    pub(super) fn second(&self, number: u32) -> Option<u32> {
        if number >= self.total {
            return None;
        }
        // The index leads to the day of its bucket's first second; rarely more than one day begins in a bucket.
        let mut at = usize::from(self.index[(number >> self.shift) as usize]);
        at += usize::from(self.open_days[at + 1].before_s <= number);
        while self.open_days[at + 1].before_s <= number {
            at += 1;
        }
        let open_day = self.open_days[at];
        let rest = number - open_day.before_s;
        let of_day = match &self.grid {
            Some(grid) => grid.second(open_day.shape, rest),
            None => {
                let piece = self.piece_of(open_day, rest)?;
                piece.opens_s + (rest - piece.before_s)
            }
        };
        Some(u32::from(open_day.day) * DAY_S + of_day)
    }

    /// When the stretch closes in which the working second of this number lies.
    pub(super) fn close_after(&self, number: u32) -> Option<u32> {
        let open_day = self.open_day_of(number)?;
        let mut day = usize::from(open_day.day);
        let mut closes_s = self.piece_of(open_day, number - open_day.before_s)?.closes_s;
        while closes_s == DAY_S && day + 1 < DAYS {
            match self.pieces_of(self.days[day + 1]).first() {
                Some(first) if first.opens_s == 0 => closes_s = first.closes_s,
                _ => break,
            }
            day += 1;
            if closes_s == DAY_S {
                day = self.last_of_full_run(day);
            }
        }
        Some(day as u32 * DAY_S + closes_s)
    }

    /// The first instant after `t` at which open turns to closed or closed to open; `None` if nothing opens any more.
    pub(super) fn edge_after(&self, t: u32) -> Option<u32> {
        let before = self.before(t);
        if self.is_open(t) { self.close_after(before) } else { self.second(before) }
    }

    /// The look-ups of a grid, for columns; `None` where edges lie on no grid.
    pub(super) fn columns(&self) -> Option<Columns<'_>> {
        let grid = self.grid.as_ref()?;
        let (days, open_days, index, shift) = (&*self.days, &self.open_days[..], &self.index[..], self.shift);
        Some(Columns { days, open_days, index, shift, total: self.total(), grid })
    }

    pub(super) fn grid_unit_s(&self) -> Option<u32> {
        self.grid.as_ref().map(Grid::unit_s)
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.days)
            + self.open_days.capacity() * size_of::<OpenDay>()
            + self.index.capacity() * 2
            + self.shapes.size()
            + self.grid.as_ref().map_or(0, Grid::size)
            + self.full_runs.capacity() * 4
    }

    /// The open day in which a working second lies.
    #[inline(always)]
    fn open_day_of(&self, number: u32) -> Option<OpenDay> {
        if number >= self.total {
            return None;
        }
        // The index leads to the day of its bucket's first second; rarely more than one day begins in a bucket.
        let first = usize::from(self.index[(number >> self.shift) as usize]);
        let after = self.open_days[first + 1..].iter().position(|next| next.before_s > number)?;
        Some(self.open_days[first + after])
    }

    #[cold]
    fn piece_of(&self, open_day: OpenDay, rest: u32) -> Option<Piece> {
        self.shapes.piece_of(open_day.shape, rest)
    }

    fn pieces_of(&self, day: Day) -> &[Piece] {
        self.shapes.pieces_of(self.shape_of(day))
    }

    fn shape_of(&self, day: Day) -> u16 {
        (day.row / self.row_length) as u16
    }

    /// The last day of the long run of full days around `day`, or `day` itself.
    fn last_of_full_run(&self, day: usize) -> usize {
        let after = self.full_runs.partition_point(|&(first, _)| usize::from(first) <= day);
        match after.checked_sub(1).and_then(|run| self.full_runs.get(run)) {
            Some(&(_, last)) => day.max(usize::from(last)),
            None => day,
        }
    }
}

/// The tables of a calendar as the column loops read them.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) days: &'a [Day; DAYS + 1],
    pub(super) open_days: &'a [OpenDay],
    pub(super) index: &'a [u16],
    pub(super) shift: u32,
    pub(super) total: u32,
    pub(super) grid: &'a Grid,
}

/// The dates around UTC days one after the other, and the shapes of the days with the same dates around them.
pub(super) struct Around {
    /// The numbers of six dates, 16 bits each; the last comes lowest.
    dates: u128,
    /// By a few bits of the dates: dates, the shape of the day among them and its working seconds.
    known: Vec<(u128, u16, u32)>,
    pieces: Vec<Piece>,
}

impl Around {
    /// Dates whose hours may reach a UTC day: a stretch is less than two days long and no offset reaches 26 hours.
    pub(super) const BEFORE: i32 = 3;
    pub(super) const AFTER: i32 = 2;
    const BITS: u32 = 16 * (Around::BEFORE + Around::AFTER + 1) as u32;
    const KNOWN_BITS: u32 = 9;

    /// Before the UTC day `first`.
    pub(super) fn new(first: i32, dates: &Dates) -> Around {
        let known = vec![(u128::MAX, 0, 0); 1 << Around::KNOWN_BITS];
        let mut around = Around { dates: 0, known, pieces: Vec::new() };
        (first - Around::BEFORE..first + Around::AFTER).for_each(|date| around.add(dates.number_at(date)));
        around
    }

    fn add(&mut self, number: u16) {
        self.dates = (self.dates << 16 | u128::from(number)) & ((1 << Around::BITS) - 1);
    }

    /// The shape of a day, and its working seconds. Days must come in order, from the first on.
    pub(super) fn shape_of(&mut self, day: i32, dates: &Dates, shapes: &mut Shapes) -> (u16, u32) {
        self.add(dates.number_at(day + Around::AFTER));
        let folded = (self.dates as u64).wrapping_add((self.dates >> 64) as u64).wrapping_mul(FIBONACCI);
        let place = (folded >> (64 - Around::KNOWN_BITS)) as usize;
        // Two places for each, since of a few that come again and again two may fall on the same.
        for (known, shape, in_day) in [self.known[place], self.known[place ^ 1]] {
            if known == self.dates {
                return (shape, in_day);
            }
        }
        let numbers = (-Around::BEFORE..=Around::AFTER).map(|apart| (apart, dates.number_at(day + apart)));
        let in_day = self.put_together(numbers, dates);
        let shape = shapes.number_of(&self.pieces);
        self.known[place ^ 1] = self.known[place];
        self.known[place] = (self.dates, shape, in_day);
        (shape, in_day)
    }

    /// Makes the pieces of a day from the dates around it, each with its distance: in order, joined where they touch or
    /// overlap, clipped to the day. Gives its working seconds.
    fn put_together(&mut self, numbers: impl Iterator<Item = (i32, u16)>, dates: &Dates) -> u32 {
        self.pieces.clear();
        for (apart, number) in numbers {
            let shift = apart * DAY_S as i32;
            for (opens, closes) in &dates.opens[usize::from(number)] {
                let clipped = |t: i32| (t + shift).clamp(0, DAY_S as i32) as u32;
                let (opens_s, closes_s) = (clipped(*opens), clipped(*closes));
                if opens_s < closes_s {
                    self.pieces.push(Piece { opens_s, closes_s, before_s: 0 });
                }
            }
        }
        self.pieces.sort_unstable_by_key(|piece| piece.opens_s);
        self.pieces.dedup_by(|next, last| {
            let is_joined = next.opens_s <= last.closes_s;
            if is_joined {
                last.closes_s = last.closes_s.max(next.closes_s);
            }
            is_joined
        });
        let mut in_day = 0;
        for piece in &mut self.pieces {
            piece.before_s = in_day;
            in_day += piece.closes_s - piece.opens_s;
        }
        in_day
    }
}

/// For each 2^shift working seconds the place of the day of the first of them, and the shift: buckets of less than a
/// working day, if they are not too many.
fn index_work(open_days: &[OpenDay], total: u32) -> (Vec<u16>, u32) {
    let mut shift = 12;
    while total >> shift >= MAX_INDEX {
        shift += 1;
    }
    let buckets_before = |work: u32| ((u64::from(work) + (1 << shift) - 1) >> shift) as usize;
    let mut index = Vec::with_capacity(buckets_before(total));
    // The last one marks the end.
    for (place, two) in open_days.windows(2).enumerate() {
        index.resize(buckets_before(two[1].before_s.min(total)), place as u16);
    }
    (index, shift)
}

fn long_full_runs(days: &[Day]) -> Vec<(u16, u16)> {
    let is_full = |day: usize| days[day + 1].before_s - days[day].before_s == DAY_S;
    let mut runs = Vec::new();
    let mut day = 0;
    while day < DAYS {
        let first = day;
        while day < DAYS && is_full(day) {
            day += 1;
        }
        if day - first >= LONG_RUN {
            runs.push((first as u16, (day - 1) as u16));
        }
        day += 1;
    }
    runs
}
