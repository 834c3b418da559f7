//! What the tables of rules know, copied for a long column: plain numbers, which wide registers can gather, and no search.

use std::sync::atomic::Ordering;

use super::rows::Rows;
use super::table::Table;
use crate::lanes::{BLOCK, Units, day_of, zeros};
use crate::time::DAY_S;

/// Columns of so many blocks are worth a copy, which takes about 30 microseconds.
const MANY_BLOCKS: usize = 512;
/// After so many blocks with something unknown a newer copy is worth it.
const MOST_MISSES: usize = 32;
/// Places of days for one table: more than days, so that every number of 16 bits is one.
const DAYS: usize = 1 << 16;
/// Places of entries for one table.
const ENTRIES: usize = 1 << 14;

/// Set in an entry that is known and an instant. Everything else is looked for otherwise.
const KNOWN: u32 = 1 << 31;
/// Set in an entry that counts from the midnight before the receipt, not from the receipt.
const STAYS: u32 = 1 << 30;
const SPAN: u32 = STAYS - 1;

/// The copy of the table of one rule.
pub(super) type One = Plain<DAYS, ENTRIES>;
/// The copies of the tables of several rules, which have the same grid.
pub(super) type Several = Plain<{ MOST_TABLES * DAYS }, { MOST_TABLES * ENTRIES }>;
/// Tables that [`Several`] has room for.
const MOST_TABLES: usize = 16;

/// Copies of tables that have the same grid. How many places there are is known when the loops are compiled, so that no
/// place needs to be checked.
pub(super) struct Plain<const DAYS: usize, const ENTRIES: usize> {
    units: Units,
    /// By table and UTC day: where the row of the day's shape begins. A day that is not known has the first row of all, of
    /// which nothing is known.
    days: Box<[u32; DAYS]>,
    /// By row and place in the day: seconds, and what they count from.
    entries: Box<[u32; ENTRIES]>,
    /// Days that were known when it was made, of all tables.
    known_days: u32,
    misses: usize,
}

impl<const PLACES: usize, const ROOM: usize> Plain<PLACES, ROOM> {
    /// A copy that is worth having for so many blocks of receipts, of tables that know so many days: the one there is, unless
    /// it is old.
    pub(super) fn renewed(
        copy: Option<Self>,
        known_days: u32,
        blocks: usize,
        tables: &[(&Table, &Rows)],
    ) -> Option<Self> {
        match copy {
            Some(copy) if !copy.is_old(known_days) => Some(copy),
            _ if blocks >= MANY_BLOCKS => Self::of(tables),
            _ => None,
        }
    }

    /// `None` if there is no room for so many tables.
    fn of(tables: &[(&Table, &Rows)]) -> Option<Self> {
        if tables.len() * DAYS > PLACES {
            return None;
        }
        let mut days: Box<[u32; PLACES]> = zeros()?;
        let mut entries: Box<[u32; ROOM]> = zeros()?;
        let (mut unit_s, mut known_days) = (0, 0);
        for (number, (table, rows)) in tables.iter().enumerate() {
            let days = days.get_mut(number * DAYS..(number + 1) * DAYS)?;
            let entries = entries.get_mut(number * ENTRIES..(number + 1) * ENTRIES)?;
            // Before the days: what becomes known meanwhile is looked for otherwise.
            known_days += table.known_days();
            unit_s = rows.unit_s();
            for day in table.known_range() {
                let shape = table.days()[day].load(Ordering::Acquire);
                if rows.has(shape) {
                    days[day] = (number * ENTRIES) as u32 + u32::from(shape) * rows.length();
                }
            }
            for (shape, _) in table.shapes().filter(|(shape, _)| rows.has(*shape)) {
                let begin = usize::from(shape) * rows.length() as usize;
                for (place, entry) in (0..rows.length()).zip(&mut entries[begin..]) {
                    *entry = rows.reaches(shape, place).and_then(entry_of).unwrap_or(0);
                }
            }
        }
        Some(Plain { units: Units::of(unit_s), days, entries, known_days, misses: 0 })
    }

    /// Notes a block of which something is not known; whether a newer copy, of tables that know so many days, is worth it.
    pub(super) fn miss(&mut self, known_days: u32) -> bool {
        self.misses += 1;
        self.is_old(known_days)
    }

    /// Whether a newer copy, of tables that know so many days, is worth it.
    pub(super) fn is_old(&self, known_days: u32) -> bool {
        self.misses >= MOST_MISSES && known_days > self.known_days
    }

    /// The instants of a block, each from the table of its number; false if one is not known, a receipt is no instant or a
    /// number that of no table: then nothing of `out` counts.
    #[inline(always)]
    pub(super) fn look_up(
        &self,
        received: &[i64; BLOCK],
        table: impl Fn(usize) -> u32,
        out: &mut [i64; BLOCK],
    ) -> bool {
        let (mut outside, mut tables, mut known) = (0, 0, u32::MAX);
        // One loop of steps without jumps, which becomes one loop of wide registers.
        for item in 0..BLOCK {
            let number = table(item);
            tables |= number;
            let at = received[item] as u64;
            outside |= at;
            let at = at & 0xffff_ffff;
            let day = day_of(at);
            let midnight = day * DAY_S as u64;
            let of_day = at.wrapping_sub(midnight) as u32;
            // Two places for each unit, the first for the multiple itself: units rounded down and rounded up, added.
            let place = self.units.down(of_day).wrapping_add(self.units.up(of_day));
            let day = number.wrapping_mul(DAYS as u32) + (day as u32 & 0xffff);
            let row = self.days[day as usize & (PLACES - 1)];
            let entry = self.entries[row.wrapping_add(place & 0xffff) as usize & (ROOM - 1)];
            known &= entry;
            let from = if entry & STAYS == 0 { at as u32 } else { midnight as u32 };
            out[item] = i64::from(from.wrapping_add(entry & SPAN));
        }
        outside >> 32 == 0 && (tables as usize) < PLACES / DAYS && known & KNOWN != 0
    }
}

/// From seconds and whether they count from midnight, if they fit.
fn entry_of((span_s, stays): (u32, bool)) -> Option<u32> {
    (span_s <= SPAN).then_some(KNOWN | if stays { STAYS } else { 0 } | span_s)
}
