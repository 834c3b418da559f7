//! The rows of a table: its days on a grid, so that no piece is looked for, and the loop over a column of receipts.

use super::NO_DEADLINE;
use super::table::{Gives, Part, Table};
use crate::calendar::greatest_common_divisor;
use crate::lanes::{BLOCK, Loop};
use crate::time::DAY_S;

/// Most bytes of a table with its rows.
const MAX_BYTES: usize = 100 << 10;
/// Divisions by the unit are one multiplication, exact below this.
const MAX_UNIT_S: u32 = DAY_S as u32 / 2;
/// Stands for "no deadline".
const NOTHING: u16 = u16::MAX;
/// 2^37 / 675, rounded up: a day is 128 times 675 seconds.
const PER_675: u64 = (1 << 37) / 675 + 1;

/// Days on a grid.
///
/// Pieces begin at multiples of the unit, or a second later: what is reached at a closing belongs to the closing. So
/// each unit of a day has two entries, for the multiple itself and for the seconds up to the next.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    unit_s: u32,
    /// 2^32 / unit, rounded up.
    per_unit: u64,
    length: u16,
    /// Units from the receipt, or from the multiple before it, doubled; and one more for the latter.
    entries: Vec<u16>,
}

impl Rows {
    /// `None` if the pieces lie on no grid that is coarse enough.
    pub(super) fn of(shapes: &[&[Part]], days: usize) -> Option<Rows> {
        let unit_s = unit_of(shapes)?;
        let length = (DAY_S as u32 / unit_s * 2) as u16;
        let all = shapes.len() * usize::from(length);
        if 2 * (all + days) > MAX_BYTES {
            return None;
        }
        let mut entries = Vec::with_capacity(all);
        for parts in shapes {
            let mut at = 0;
            for entry in 0..u32::from(length) {
                let begin = entry / 2 * unit_s;
                let second = begin + entry % 2;
                while parts.get(at + 1).is_some_and(|next| next.from_s <= second) {
                    at += 1;
                }
                entries.push(entry_of(parts.get(at)?.gives, begin, unit_s)?);
            }
        }
        let per_unit = (1_u64 << 32).div_ceil(u64::from(unit_s));
        Some(Rows { unit_s, per_unit, length, entries })
    }

    /// The length of a row.
    pub(super) fn length(&self) -> u16 {
        self.length
    }

    /// The instant for a receipt at a second of a day with this row.
    #[inline]
    pub(super) fn look_up(&self, row: u16, of_day: u32, received: i64) -> i64 {
        let unit = ((u64::from(of_day) * self.per_unit) >> 32) as u32;
        let rest = of_day - unit * self.unit_s;
        let place = u32::from(row) + 2 * unit + u32::from(rest != 0);
        let entry = self.entries[place as usize];
        if entry == NOTHING {
            return NO_DEADLINE;
        }
        let back = if entry & 1 == 1 { rest } else { 0 };
        received - i64::from(back) + i64::from(u32::from(entry >> 1) * self.unit_s)
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        2 * self.entries.capacity()
    }
}

/// The largest unit on which everything lies; `None` if that is less than a minute.
fn unit_of(shapes: &[&[Part]]) -> Option<u32> {
    let mut unit_s = MAX_UNIT_S;
    for part in shapes.iter().copied().flatten() {
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
    (entry != NOTHING).then_some(entry)
}

/// The loop over a column, as far as the table's days go.
pub(super) struct Column<'a> {
    pub(super) table: &'a Table,
    pub(super) rows: &'a Rows,
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
    moves: bool,
}

impl Loop for Column<'_> {
    /// How many blocks were done; the next one has receipts outside the table.
    type Outcome = usize;

    #[inline(always)]
    fn run(self) -> usize {
        let mut scratch = Scratch { place: [0; BLOCK], rest: [0; BLOCK], entry: [0; BLOCK], due: [0; BLOCK] };
        let mut cursor = Cursor { begin: 0, length: 0, due: 0, moves: false };
        let mut done = 0;
        for (received, out) in self.received.iter().zip(self.out.iter_mut()) {
            let is_done = self.table.in_piece(received, &mut cursor, &mut scratch.due)
                || self.rows.block(self.table, received, &mut scratch);
            if !is_done {
                break;
            }
            *out = scratch.due;
            done += 1;
        }
        done
    }
}

struct Scratch {
    /// Day and place in its row, in one.
    place: [u64; BLOCK],
    rest: [u32; BLOCK],
    entry: [u16; BLOCK],
    due: [i64; BLOCK],
}

impl Rows {
    /// A block of receipts; false if one of them lies outside the table, then nothing of `due` counts.
    #[allow(clippy::needless_range_loop, reason = "columns side by side")]
    #[inline(always)]
    fn block(&self, table: &Table, received: &[i64; BLOCK], scratch: &mut Scratch) -> bool {
        let first = i64::from(table.first_day) * DAY_S;
        let last = (table.days.len() as u64 * DAY_S as u64).wrapping_sub(1);
        let (per_unit, unit_s) = (self.per_unit & 0xffff_ffff, u64::from(self.unit_s));
        let mut outside = 0;
        for item in 0..BLOCK {
            let at = received[item].wrapping_sub(first) as u64;
            // Below the first or above the last receipt one of the two is negative or large.
            outside |= at | last.wrapping_sub(at);
            let day = (((at >> 7) & 0x1ff_ffff) * PER_675) >> 37;
            let of_day = (at & 0xffff_ffff).wrapping_sub(day * DAY_S as u64) & 0x1_ffff;
            let unit = (of_day * per_unit) >> 32;
            let rest = of_day - (unit & 0xffff_ffff) * unit_s;
            scratch.place[item] = day << 32 | (2 * unit + u64::from(rest != 0));
            scratch.rest[item] = rest as u32;
        }
        if outside >> 32 != 0 {
            return false;
        }
        for item in 0..BLOCK {
            let place = scratch.place[item];
            let row = u32::from(table.days[(place >> 32) as usize]);
            scratch.entry[item] = self.entries[(row + place as u32) as usize];
        }
        for item in 0..BLOCK {
            let entry = u32::from(scratch.entry[item]);
            let back = if entry & 1 == 1 { scratch.rest[item] } else { 0 };
            let due = received[item] + i64::from((entry >> 1) * self.unit_s) - i64::from(back);
            scratch.due[item] = if entry == u32::from(NOTHING) { NO_DEADLINE } else { due };
        }
        true
    }
}

impl Table {
    /// A block whose receipts all lie in one piece of a day, as they mostly do where they come in order of time; false
    /// if not, then nothing of `due` counts.
    #[inline(always)]
    fn in_piece(&self, received: &[i64; BLOCK], cursor: &mut Cursor, due: &mut [i64; BLOCK]) -> bool {
        let (first, last) = (received[0], received[BLOCK - 1]);
        if first > last || last.wrapping_sub(first) >= DAY_S {
            return false;
        }
        if !cursor.has(first) && !self.find(first, cursor) || !cursor.has(last) {
            return false;
        }
        let mut is_outside = false;
        let Cursor { begin, length, due: instant, moves } = *cursor;
        let mask = if moves { -1 } else { 0 };
        for (due, received) in due.iter_mut().zip(received) {
            is_outside |= received.wrapping_sub(begin) as u64 >= length;
            *due = instant.wrapping_add(received & mask);
        }
        !is_outside
    }

    /// Moves the cursor to the piece of a receipt; false if that is none, or too far away to look for.
    fn find(&self, received: i64, cursor: &mut Cursor) -> bool {
        let midnight = received.div_euclid(DAY_S) * DAY_S;
        let day = received.div_euclid(DAY_S) - i64::from(self.first_day);
        let Some(&row) = usize::try_from(day).ok().and_then(|day| self.days.get(day)) else { return false };
        let (part, end_s) = self.part_at(row, (received - midnight) as u32);
        let (due, moves) = match part.gives {
            Gives::Nothing => (NO_DEADLINE, false),
            Gives::After(span) => (i64::from(span), true),
            Gives::At(span) => (midnight + i64::from(span), false),
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
