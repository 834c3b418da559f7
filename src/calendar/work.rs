//! Working time as a look-up: how many working seconds lie before an instant, and which instant a working second is.
//!
//! Each UTC day has the number of working seconds before it and the number of its shape, the list of stretches open on
//! it; days repeat, so that 130 years have a few dozen shapes. The inverse starts from an index by working seconds.

use std::collections::HashMap;

const DAY_S: u32 = 86_400;
/// UTC days from 1970-01-01 up to, not including, 2100-01-01.
const DAYS: usize = 47_482;
/// The first second that is not supported any more.
pub(super) const END_S: u32 = 4_102_444_800;
/// Runs of fewer days that are open throughout are walked, not skipped.
const LONG_RUN: usize = 8;

/// A stretch of one UTC day, in seconds from its midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Piece {
    opens_s: u32,
    /// Up to 86,400.
    closes_s: u32,
    /// Working seconds of the day before this piece.
    before_s: u32,
}

/// Working time of 1970 to 2099.
#[derive(Debug)]
pub(super) struct WorkTable {
    /// Working seconds before each UTC day, and in all.
    before_s: Vec<u32>,
    /// The shape of each UTC day.
    shape: Vec<u16>,
    /// Where each shape's pieces begin, and the end of the last.
    shape_from: Vec<u32>,
    pieces: Vec<Piece>,
    /// For each 2^shift working seconds the UTC day in which the first of them lies.
    day_of_work: Vec<u16>,
    shift: u32,
    /// Long runs of days that are open throughout: first and last.
    full_runs: Vec<(u16, u16)>,
}

impl WorkTable {
    /// From stretches `[opens, closes)` in seconds since 1970-01-01T00:00:00Z, rising, apart from each other, none empty
    /// and none beyond 2099.
    pub(super) fn build(stretches: &[(u32, u32)]) -> WorkTable {
        let mut shapes = Shapes::default();
        let mut before_s = Vec::with_capacity(DAYS + 1);
        let mut shape = Vec::with_capacity(DAYS);
        let (mut total, mut next) = (0_u32, 0_usize);
        let mut pieces = Vec::new();
        for day in 0..DAYS {
            let (begin, end) = (day as u32 * DAY_S, (day as u32 + 1) * DAY_S);
            pieces.clear();
            let mut in_day = 0;
            while let Some(&(opens, closes)) = stretches.get(next).filter(|(opens, _)| *opens < end) {
                let (from, to) = (opens.max(begin) - begin, closes.min(end) - begin);
                pieces.push(Piece { opens_s: from, closes_s: to, before_s: in_day });
                in_day += to - from;
                // One that runs on is met again on the next day.
                if closes > end {
                    break;
                }
                next += 1;
            }
            before_s.push(total);
            let again = [1, 7].into_iter().filter_map(|back| shape.get(day.checked_sub(back)?).copied());
            shape.push(shapes.number_of(&pieces, again));
            total += in_day;
        }
        before_s.push(total);
        let (day_of_work, shift) = index_work(&before_s);
        let full_runs = long_full_runs(&before_s);
        WorkTable {
            before_s,
            shape,
            shape_from: shapes.from,
            pieces: shapes.pieces,
            day_of_work,
            shift,
            full_runs,
        }
    }

    /// Working seconds in all.
    pub(super) fn total(&self) -> u32 {
        self.before_s[DAYS]
    }

    /// Working seconds before `t`, which may be [`END_S`].
    pub(super) fn before(&self, t: u32) -> u32 {
        let day = (t / DAY_S) as usize;
        if day >= DAYS {
            return self.total();
        }
        let of_day = t % DAY_S;
        let pieces = self.pieces_of(day);
        let begun = pieces.partition_point(|piece| piece.opens_s <= of_day);
        let in_day = match begun.checked_sub(1).and_then(|last| pieces.get(last)) {
            Some(piece) => piece.before_s + of_day.min(piece.closes_s) - piece.opens_s,
            None => 0,
        };
        self.before_s[day] + in_day
    }

    /// Whether the second that begins at `t` is working time.
    pub(super) fn is_open(&self, t: u32) -> bool {
        let (day, of_day) = ((t / DAY_S) as usize, t % DAY_S);
        let pieces = if day < DAYS { self.pieces_of(day) } else { &[] };
        pieces.iter().any(|piece| piece.opens_s <= of_day && of_day < piece.closes_s)
    }

    /// When the working second of this number, from 0, begins; `None` if there are not so many.
    pub(super) fn second(&self, number: u32) -> Option<u32> {
        let (day, piece) = self.find(number)?;
        let of_day = piece.opens_s + (number - self.before_s[day] - piece.before_s);
        Some(day as u32 * DAY_S + of_day)
    }

    /// When the stretch closes in which the working second of this number lies.
    pub(super) fn close_after(&self, number: u32) -> Option<u32> {
        let (mut day, piece) = self.find(number)?;
        let mut closes_s = piece.closes_s;
        while closes_s == DAY_S && day + 1 < DAYS {
            match self.pieces_of(day + 1).first() {
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

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        self.before_s.capacity() * 4
            + self.shape.capacity() * 2
            + self.shape_from.capacity() * 4
            + self.pieces.capacity() * size_of::<Piece>()
            + self.day_of_work.capacity() * 2
            + self.full_runs.capacity() * 4
    }

    /// The day and piece in which a working second lies.
    fn find(&self, number: u32) -> Option<(usize, Piece)> {
        if number >= self.total() {
            return None;
        }
        let bucket = (number >> self.shift) as usize;
        let first = usize::from(self.day_of_work[bucket]);
        let last = self.day_of_work.get(bucket + 1).map_or(DAYS - 1, |&day| usize::from(day));
        // The day is the last one with `before_s <= number`; there are rarely more than two to choose from.
        let day = first + self.before_s[first + 1..=last].partition_point(|&before| before <= number);
        let rest = number - self.before_s[day];
        let pieces = self.pieces_of(day);
        let at = pieces.partition_point(|piece| piece.before_s <= rest);
        Some((day, *pieces.get(at.checked_sub(1)?)?))
    }

    fn pieces_of(&self, day: usize) -> &[Piece] {
        let shape = usize::from(self.shape[day]);
        &self.pieces[self.shape_from[shape] as usize..self.shape_from[shape + 1] as usize]
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

/// The different days met so far.
#[derive(Default)]
struct Shapes {
    from: Vec<u32>,
    pieces: Vec<Piece>,
    numbers: HashMap<Vec<Piece>, u16>,
}

impl Shapes {
    /// The number of this shape; `guesses` are tried first, since most days are like the last or the one a week ago.
    fn number_of(&mut self, pieces: &[Piece], mut guesses: impl Iterator<Item = u16>) -> u16 {
        if let Some(number) = guesses.find(|&number| self.pieces_of(number) == pieces) {
            return number;
        }
        if let Some(&number) = self.numbers.get(pieces) {
            return number;
        }
        if self.from.is_empty() {
            self.from.push(0);
        }
        // There are no more shapes than days, and those fit.
        let number = (self.from.len() - 1) as u16;
        self.pieces.extend_from_slice(pieces);
        self.from.push(self.pieces.len() as u32);
        self.numbers.insert(pieces.to_vec(), number);
        number
    }

    fn pieces_of(&self, number: u16) -> &[Piece] {
        let number = usize::from(number);
        &self.pieces[self.from[number] as usize..self.from[number + 1] as usize]
    }
}

/// For each 2^shift working seconds the day of the first of them, and the shift: buckets of about a working day, at
/// most 65,536 of them.
fn index_work(before_s: &[u32]) -> (Vec<u16>, u32) {
    let total = before_s[DAYS];
    let mut shift = 12;
    while total >> shift > u32::from(u16::MAX) {
        shift += 1;
    }
    let mut day = 0_usize;
    let buckets = if total == 0 { 0 } else { ((total - 1) >> shift) + 1 };
    let days = (0..buckets).map(|bucket| {
        while before_s[day + 1] <= bucket << shift {
            day += 1;
        }
        day as u16
    });
    (days.collect(), shift)
}

fn long_full_runs(before_s: &[u32]) -> Vec<(u16, u16)> {
    let is_full = |day: usize| before_s[day + 1] - before_s[day] == DAY_S;
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
