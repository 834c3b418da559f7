//! The rows of a table: its days on a grid, so that no piece is looked for, and the loops over columns of receipts.

use std::sync::atomic::{AtomicU16, Ordering};

use super::NO_DEADLINE;
use super::plain::{One, Several};
use super::table::{Days, Gives, Part, SHAPES, Table};
use crate::calendar::greatest_common_divisor;
use crate::lanes::{BLOCK, Loop, day_of};
use crate::time::DAY_S;

/// Most bytes of the rows of a table.
const MAX_BYTES: usize = 32 << 10;
/// Rows that a table begins with, if they fit.
const FIRST_ROWS: usize = 48;
/// Divisions by the unit are one multiplication, exact below this.
const MAX_UNIT_S: u32 = DAY_S as u32 / 2;
/// Stands for "no deadline".
const NOTHING: u16 = u16::MAX;
/// Stands for what is not known; the smallest number that is no entry.
const UNKNOWN: u16 = u16::MAX - 1;

/// Receipts that rise within less than this are in few pieces.
const NEAR_S: i64 = 3 * 3_600;

/// Days on a grid.
///
/// Pieces begin at multiples of the unit, or a second later: what is reached at a closing belongs to the closing. So
/// each unit of a day has two entries, for the multiple itself and for the seconds up to the next.
#[derive(Debug)]
pub(super) struct Rows {
    unit_s: u32,
    /// 2^32 / unit, rounded up.
    per_unit: u64,
    length: u32,
    /// Units from the receipt, or from the multiple before it, doubled; and one more for the latter. By the number of a
    /// shape and place in the day; the row of a shape that does not lie on the grid is not known.
    entries: Box<[AtomicU16]>,
}

impl Rows {
    /// Rows of which nothing is known yet, `None` if a shape of this number has no room in them.
    pub(super) fn new(unit_s: u32, shape: u8) -> Option<Rows> {
        let length = DAY_S as u32 / unit_s * 2;
        let most = (MAX_BYTES / (2 * length as usize)).min(SHAPES);
        let shape = usize::from(shape);
        let rows = if shape < FIRST_ROWS { most.min(FIRST_ROWS) } else { most };
        if shape >= rows {
            return None;
        }
        let entries = (0..rows * length as usize).map(|_| AtomicU16::new(UNKNOWN)).collect();
        let per_unit = (1_u64 << 32).div_ceil(u64::from(unit_s));
        Some(Rows { unit_s, per_unit, length, entries })
    }

    pub(super) fn entries(&self) -> &[AtomicU16] {
        &self.entries
    }

    pub(super) fn unit_s(&self) -> u32 {
        self.unit_s
    }

    /// Entries of a row.
    pub(super) fn length(&self) -> u32 {
        self.length
    }

    /// What an entry says: so many seconds after the receipt, or, if the instant stays, after the midnight before. `None` if
    /// there is no instant or nothing is known.
    pub(super) fn reaches(&self, shape: u8, place: u32) -> Option<(u32, bool)> {
        let entry =
            self.entries.get((u32::from(shape) * self.length + place) as usize)?.load(Ordering::Relaxed);
        let stays = entry & 1 == 1;
        let begin = if stays { place / 2 * self.unit_s } else { 0 };
        (entry < UNKNOWN).then(|| (begin + u32::from(entry >> 1) * self.unit_s, stays))
    }

    /// Whether there is room for a shape.
    pub(super) fn has(&self, shape: u8) -> bool {
        usize::from(shape) < self.entries.len() / self.length as usize
    }

    /// Makes the row of a shape known; false if there is no room for it or it does not lie on the grid.
    pub(super) fn write(&self, shape: u8, parts: &[Part]) -> bool {
        let begin = usize::from(shape) * self.length as usize;
        let Some(row) = self.entries.get(begin..begin + self.length as usize) else { return false };
        let entries = (0..self.length).scan(0, |at, place| {
            let begin = place / 2 * self.unit_s;
            let second = begin + place % 2;
            while parts.get(*at + 1).is_some_and(|next| next.from_s <= second) {
                *at += 1;
            }
            Some(parts.get(*at).and_then(|part| entry_of(part.gives, begin, self.unit_s)))
        });
        let Some(entries) = entries.collect::<Option<Vec<u16>>>() else { return false };
        for (place, entry) in row.iter().zip(entries) {
            // Whoever reads it has first read a day of this shape, which becomes known later.
            place.store(entry, Ordering::Relaxed);
        }
        true
    }

    /// The instant for a receipt on a day of this shape; `None` if there is none or nothing is known.
    #[inline(always)]
    pub(super) fn look_up(&self, shape: u8, of_day: u32, received: u32) -> Option<u32> {
        let unit = ((u64::from(of_day) * self.per_unit) >> 32) as u32;
        let rest = of_day - unit * self.unit_s;
        let place = u32::from(shape) * self.length + 2 * unit + u32::from(rest != 0);
        let entry = self.entries.get(place as usize)?.load(Ordering::Relaxed);
        if entry >= UNKNOWN {
            return None;
        }
        let back = if entry & 1 == 1 { rest } else { 0 };
        Some(received - back + u32::from(entry >> 1) * self.unit_s)
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        2 * self.entries.len()
    }
}

/// The largest unit on which a shape lies; `None` if that is less than a minute.
pub(super) fn unit_of(parts: &[Part]) -> Option<u32> {
    let mut unit_s = MAX_UNIT_S;
    for part in parts {
        let begins = if part.from_s % 60 == 1 { part.from_s - 1 } else { part.from_s };
        let span = match part.gives {
            Gives::Nothing => 0,
            Gives::After(span) | Gives::At(span) => span,
        };
        unit_s = greatest_common_divisor(greatest_common_divisor(unit_s, begins), span);
    }
    (unit_s >= 60).then_some(unit_s)
}

fn entry_of(gives: Gives, begin_s: u32, unit_s: u32) -> Option<u16> {
    let (units, stays) = match gives {
        Gives::Nothing => return Some(NOTHING),
        Gives::After(span) => (span / unit_s, 0),
        Gives::At(span) => (span.checked_sub(begin_s)? / unit_s, 1),
    };
    let entry = u16::try_from(units * 2 + stays).ok()?;
    (entry < UNKNOWN).then_some(entry)
}

/// The loop over a column, as far as the table's days are known.
pub(super) struct Column<'a> {
    pub(super) table: &'a Table,
    pub(super) rows: &'a Rows,
    pub(super) copy: Option<&'a mut One>,
    pub(super) received: &'a [[i64; BLOCK]],
    pub(super) out: &'a mut [[i64; BLOCK]],
}

/// A piece within a day, for receipts that come in order of time.
#[derive(Clone, Copy)]
struct Cursor {
    begin: i64,
    /// Receipts from `begin` on, below so many seconds later.
    length: u64,
    /// Added to the receipt if the piece moves along, else the instant itself.
    due: i64,
    /// All ones if it moves along.
    moves: i64,
}

impl Loop for Column<'_> {
    /// How many blocks were done; the next one has receipts of which nothing is known, or that are no instants, or is worth a
    /// newer copy.
    type Outcome = usize;

    #[inline(always)]
    fn run<const GATHERS: bool>(mut self) -> usize {
        let mut scratch = Scratch::new();
        let mut cursor = Cursor { begin: 0, length: 0, due: 0, moves: 0 };
        for (done, (received, out)) in self.received.iter().zip(self.out.iter_mut()).enumerate() {
            let (first, last) = (received[0], received[BLOCK - 1]);
            let is_near = first <= last && last.wrapping_sub(first) < NEAR_S;
            if is_near && !GATHERS {
                // One look-up for all costs less than one for each, unless these are many at once.
                if self.table.along(received, &mut cursor, out) {
                    continue;
                }
                return done;
            }
            if let Some(copy) = &mut self.copy {
                if copy.look_up(received, |_| 0, out) {
                    continue;
                }
                if copy.miss(self.table.known_days()) {
                    return done;
                }
            }
            let is_done = scratch.place(self.rows, received)
                && scratch.load(self.table.days(), self.rows)
                && scratch.finish(self.rows.unit_s, received, out);
            if !is_done {
                return done;
            }
        }
        self.received.len()
    }
}

/// The loop over a column of receipts that follow rules of their own, whose tables have the same grid.
pub(super) struct MixedColumn<'a> {
    /// The grid that all of them have.
    pub(super) grid: &'a Rows,
    pub(super) tables: &'a [OfRule<'a>],
    pub(super) copy: Option<&'a mut Several>,
    /// Days that all tables together knew of.
    pub(super) known_days: u32,
    pub(super) received: &'a [[i64; BLOCK]],
    /// The number in `tables` of each.
    pub(super) rules: &'a [[u32; BLOCK]],
    pub(super) out: &'a mut [[i64; BLOCK]],
}

/// The days and the entries of the table of a rule.
pub(super) type OfRule<'a> = (&'a Days, &'a [AtomicU16]);

impl Loop for MixedColumn<'_> {
    /// As for [`Column`].
    type Outcome = usize;

    #[inline(always)]
    fn run<const GATHERS: bool>(mut self) -> usize {
        let mut scratch = Scratch::new();
        let grid = self.grid;
        let blocks = self.received.iter().zip(self.rules).zip(self.out.iter_mut());
        for (done, ((received, rules), out)) in blocks.enumerate() {
            if let Some(copy) = &mut self.copy {
                if copy.look_up(received, |item| rules[item], out) {
                    continue;
                }
                if copy.miss(self.known_days) {
                    return done;
                }
            }
            let is_done = scratch.place(grid, received)
                && scratch.load_mixed(grid.length, self.tables, rules)
                && scratch.finish(grid.unit_s, received, out);
            if !is_done {
                return done;
            }
        }
        self.received.len()
    }
}

/// What the passes over a block hand on to each other.
struct Scratch {
    day: [u16; BLOCK],
    /// The place in the day's row.
    place: [u16; BLOCK],
    rest: [u32; BLOCK],
    shape: [u8; BLOCK],
    /// The place among all rows.
    found: [u32; BLOCK],
    entry: [u16; BLOCK],
}

#[allow(clippy::needless_range_loop, reason = "columns side by side")]
impl Scratch {
    #[inline(always)]
    fn new() -> Scratch {
        Scratch {
            day: [0; BLOCK],
            place: [0; BLOCK],
            rest: [0; BLOCK],
            shape: [0; BLOCK],
            found: [0; BLOCK],
            entry: [0; BLOCK],
        }
    }

    /// Days and places; false if a receipt lies far outside the range.
    #[inline(always)]
    fn place(&mut self, rows: &Rows, received: &[i64; BLOCK]) -> bool {
        let (per_unit, unit_s) = (rows.per_unit & 0xffff_ffff, u64::from(rows.unit_s));
        let mut outside = 0;
        for item in 0..BLOCK {
            let at = received[item] as u64;
            outside |= at;
            let day = day_of(at);
            let of_day = (at & 0xffff_ffff).wrapping_sub(day * DAY_S as u64) & 0x1_ffff;
            let unit = (of_day * per_unit) >> 32;
            let rest = of_day - (unit & 0xffff_ffff) * unit_s;
            self.day[item] = day as u16;
            self.place[item] = (2 * unit + u64::from(rest != 0)) as u16;
            self.rest[item] = rest as u32;
        }
        outside >> 32 == 0
    }

    /// Entries of one rule; always true.
    #[inline(always)]
    fn load(&mut self, days: &Days, rows: &Rows) -> bool {
        // By fours, so that the loop costs little beside its loads.
        for four in 0..BLOCK / 4 {
            for item in 4 * four..4 * four + 4 {
                self.shape[item] = days[usize::from(self.day[item])].load(Ordering::Acquire);
            }
        }
        self.find(rows.length);
        let entries = &*rows.entries;
        let last = entries.len().saturating_sub(1) as u32;
        let mut is_beyond = false;
        for item in 0..BLOCK {
            // Only a shape that is newer than these rows lies beyond them.
            is_beyond |= self.found[item] > last;
            self.found[item] = self.found[item].min(last);
        }
        for four in 0..BLOCK / 4 {
            for item in 4 * four..4 * four + 4 {
                self.entry[item] = entries[self.found[item] as usize].load(Ordering::Relaxed);
            }
        }
        !is_beyond
    }

    /// Entries of the rule of each item; false if a number is that of no rule, or a shape lies beyond the rows.
    #[inline(always)]
    fn load_mixed(&mut self, length: u32, tables: &[OfRule<'_>], rules: &[u32; BLOCK]) -> bool {
        for four in 0..BLOCK / 4 {
            for item in 4 * four..4 * four + 4 {
                let Some((days, _)) = tables.get(rules[item] as usize) else { return false };
                self.shape[item] = days[usize::from(self.day[item])].load(Ordering::Acquire);
            }
        }
        self.find(length);
        for four in 0..BLOCK / 4 {
            for item in 4 * four..4 * four + 4 {
                let entries = tables.get(rules[item] as usize).map_or(&[][..], |(_, entries)| *entries);
                let Some(entry) = entries.get(self.found[item] as usize) else { return false };
                self.entry[item] = entry.load(Ordering::Relaxed);
            }
        }
        true
    }

    /// From shapes and places in the day to places among all rows.
    #[inline(always)]
    fn find(&mut self, length: u32) {
        for item in 0..BLOCK {
            self.found[item] = u32::from(self.shape[item]) * length + u32::from(self.place[item]);
        }
    }

    /// From entries to instants; false if one is not known, then nothing of `out` counts.
    #[inline(always)]
    fn finish(&mut self, unit_s: u32, received: &[i64; BLOCK], out: &mut [i64; BLOCK]) -> bool {
        let mut is_unknown = 0;
        for item in 0..BLOCK {
            is_unknown |= u16::from(self.entry[item] == UNKNOWN);
        }
        for item in 0..BLOCK {
            let entry = u32::from(self.entry[item]);
            let back = if entry & 1 == 1 { self.rest[item] } else { 0 };
            let due = received[item] + i64::from((entry >> 1) * unit_s) - i64::from(back);
            out[item] = if entry == u32::from(NOTHING) { NO_DEADLINE } else { due };
        }
        is_unknown == 0
    }
}

impl Table {
    /// A block whose receipts mostly lie in one piece of a day, or go from one to the next, as they do where they come in
    /// order of time; false if nothing is known of one of them, then nothing of `out` counts.
    #[inline(always)]
    fn along(&self, received: &[i64; BLOCK], cursor: &mut Cursor, out: &mut [i64; BLOCK]) -> bool {
        if !cursor.has(received[0]) && !self.find(received[0], cursor) {
            return false;
        }
        if cursor.has(received[BLOCK - 1]) {
            let mut is_outside = false;
            let Cursor { begin, length, due, moves } = *cursor;
            for (out, received) in out.iter_mut().zip(received) {
                is_outside |= received.wrapping_sub(begin) as u64 >= length;
                *out = due.wrapping_add(received & moves);
            }
            if !is_outside {
                return true;
            }
        }
        for (out, received) in out.iter_mut().zip(received) {
            if !cursor.has(*received) && !self.find(*received, cursor) {
                return false;
            }
            *out = cursor.due.wrapping_add(received & cursor.moves);
        }
        true
    }

    /// Moves the cursor to the piece of a receipt; false if nothing is known of it.
    #[inline(never)]
    fn find(&self, received: i64, cursor: &mut Cursor) -> bool {
        let Ok(at) = u32::try_from(received) else { return false };
        let of_day = at % DAY_S as u32;
        let Some((part, end_s)) = self.part_at(at) else { return false };
        let midnight = i64::from(at - of_day);
        let (due, moves) = match part.gives {
            Gives::Nothing => (NO_DEADLINE, 0),
            Gives::After(span) => (i64::from(span), -1),
            Gives::At(span) => (midnight + i64::from(span), 0),
        };
        let length = u64::from(end_s - part.from_s);
        *cursor = Cursor { begin: midnight + i64::from(part.from_s), length, due, moves };
        true
    }
}

impl Cursor {
    #[inline(always)]
    fn has(&self, received: i64) -> bool {
        (received.wrapping_sub(self.begin) as u64) < self.length
    }
}
