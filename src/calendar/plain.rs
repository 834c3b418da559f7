//! The tables of a calendar, copied for a long column: plain numbers, which wide registers can gather, and no search.

use super::work::{Columns, DAY_S, DAYS, END_S};
use crate::lanes::{BLOCK, Units, day_of, zeros};

/// Columns of so many blocks are worth a copy, which takes about a quarter of a millisecond.
const MANY_BLOCKS: usize = 2_048;
/// More places than days, open days or entries of a grid, so that every number of 16 bits is one.
const PLACES: usize = 1 << 16;
/// Places of the index by working seconds.
const INDEX: usize = 1 << 19;

/// The copy. How many places there are is known when the loop is compiled, so that no place needs to be checked.
pub(super) struct Plain {
    units: Units,
    /// Working seconds in all.
    total: u64,
    /// By UTC day: working seconds before it, and where its row begins; 32 bits each.
    days: Box<[u64; PLACES]>,
    /// By row and unit of the day: working seconds before it, less its own second of the day if it is working time, so that
    /// the second asked for is added; doubled, and one more if it is.
    worked: Box<[u32; PLACES]>,
    /// For each 2^shift working seconds the place in `open_days` of the first of them.
    index: Box<[u32; INDEX]>,
    shift: u32,
    /// Days with working time: working seconds before it, the day, and where its row begins; 32, 16 and 16 bits.
    open_days: Box<[u64; PLACES]>,
    /// By row and unit of working time: how many seconds it begins later in the day.
    later: Box<[u32; PLACES]>,
}

impl Plain {
    /// A copy that is worth having for so many blocks; `None` also if two days can begin between two places of the index.
    pub(super) fn of(tables: &Columns<'_>, blocks: usize) -> Option<Plain> {
        if blocks < MANY_BLOCKS || tables.total == 0 {
            return None;
        }
        let grid = tables.grid;
        let unit_s = grid.unit_s();
        let shift = (0..u32::BITS).find(|shift| (tables.total >> shift) < INDEX as u32)?;
        let mut plain = Plain {
            units: Units::of(unit_s),
            total: u64::from(tables.total),
            days: zeros()?,
            worked: zeros()?,
            index: zeros()?,
            shift,
            open_days: zeros()?,
            later: zeros()?,
        };
        for (copy, day) in plain.days.iter_mut().zip(&tables.days[..DAYS]) {
            *copy = u64::from(day.before_s) << 32 | u64::from(day.row);
        }
        for (place, (copy, entry)) in plain.worked.iter_mut().zip(grid.entries()).enumerate() {
            let is_open = u32::from(entry & 1);
            let begins_s = (place as u32 % grid.row_length()) * unit_s * is_open;
            *copy = (u32::from(entry >> 1) * unit_s).wrapping_sub(begins_s) << 1 | is_open;
        }
        for (place, (copy, unit)) in plain.later.iter_mut().zip(grid.units_of_work()).enumerate() {
            // Of a row's rest there is no working time.
            *copy = u32::from(*unit).saturating_sub(place as u32 % grid.row_length()) * unit_s;
        }
        let mut bucket = 0;
        for (place, two) in tables.open_days.windows(2).enumerate() {
            let (day, next) = (two[0], two[1]);
            plain.open_days[place] = day.packed(grid.row_length());
            let end = u64::from(next.before_s.min(tables.total)).div_ceil(1 << shift) as usize;
            if end == bucket {
                return None;
            }
            plain.index[bucket..end].fill(place as u32);
            bucket = end;
        }
        *plain.open_days.get_mut(tables.open_days.len() - 1)? = u64::from(u32::MAX) << 32;
        Some(plain)
    }

    /// Adds to each instant of a block its span; false if one of them has no simple answer: then nothing of `out` counts.
    #[inline(always)]
    pub(super) fn add(&self, t: &[i64; BLOCK], span: impl Fn(usize) -> i64, out: &mut [i64; BLOCK]) -> bool {
        const LAST_S: u64 = END_S as u64 - 1;
        // Whatever is too large, or below zero, sets bits beyond the 32nd.
        let mut bad = 0_u64;
        // One loop of steps without jumps, which becomes one loop of wide registers.
        for item in 0..BLOCK {
            let (at, span) = (t[item] as u64, span(item) as u64);
            bad |= at | LAST_S.wrapping_sub(at) | span << 1 | span;
            let day = day_of(at);
            let of_day = ((at & 0xffff_ffff).wrapping_sub(day * u64::from(DAY_S))) as u32;
            let day = self.days[day as usize & (PLACES - 1)];
            let place = (day as u32).wrapping_add(self.units.down(of_day));
            let entry = self.worked[place as usize & (PLACES - 1)];
            let more = if entry & 1 == 1 { of_day } else { 0 };
            let worked = ((day >> 32) as u32).wrapping_add((entry as i32 >> 1) as u32).wrapping_add(more);
            // The last working second that is added; of no time at all, the first.
            let last = u64::from(worked) + (span.max(1) & 0xffff_ffff) - 1;
            bad |= (self.total - 1).wrapping_sub(last);
            let at_day = self.index[(last >> self.shift) as usize & (INDEX - 1)];
            let here = self.open_days[at_day as usize & (PLACES - 1)];
            let next = self.open_days[(at_day as usize + 1) & (PLACES - 1)];
            let open_day = if next >> 32 <= last { next } else { here };
            let rest = last.wrapping_sub(open_day >> 32) as u32;
            let place = (open_day as u32 & 0xffff).wrapping_add(self.units.down(rest));
            let later = self.later[place as usize & (PLACES - 1)];
            let midnight = u64::from(open_day as u32 >> 16) * u64::from(DAY_S);
            let due = midnight + u64::from(rest.wrapping_add(later)) + 1;
            bad |= LAST_S.wrapping_sub(due);
            out[item] = if span == 0 { t[item] } else { due as i64 };
        }
        bad >> 32 == 0
    }
}
