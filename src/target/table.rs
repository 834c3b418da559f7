//! A rule as a table: the due instant of a receipt, found without counting.
//!
//! A rule is a function of the receipt that stays or moves along, piece by piece (see `flow`). Cut into UTC days, most
//! days repeat, so a table is the number of the shape of each day, and the shapes: their pieces, and where these begin on
//! a grid of some minutes, as they do in practice, one row of the grid for each shape.
//!
//! Days become known one by one. Whoever makes one known writes its shape first and its number last, and nothing that is
//! known is ever changed, so that everybody else reads without waiting.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::flow::{self, Which};
use super::rows::{Rows, unit_of};
use crate::calendar::greatest_common_divisor;
use crate::policy::Rule;
use crate::time::{DAY_S, Instant};

/// A piece of one UTC day: for receipts from a second of the day on, up to the next piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Part {
    /// Seconds since midnight.
    pub(super) from_s: u32,
    pub(super) gives: Gives,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Gives {
    /// No deadline.
    Nothing,
    /// So many seconds after the receipt.
    After(u32),
    /// So many seconds after the midnight that began the day.
    At(u32),
}

/// By UTC day the number of its shape. More places than days, so that every number of 16 bits is one.
pub(super) type Days = [AtomicU8; 1 << 16];

/// Different numbers of shapes.
pub(super) const SHAPES: usize = 1 << 8;
/// The number of a day that is not known.
const UNKNOWN: u8 = 0;
/// The number of a day that is known to have a shape without a number, because there are too many.
const UNLISTED: u8 = u8::MAX;
/// Finer or longer rows are made so many times at most; mostly once.
const VERSIONS: usize = 12;

/// The due or limit instants of a rule.
pub(super) struct Table {
    days: Box<Days>,
    known_days: AtomicU32,
    /// All days that are known lie from the first up to, not including, the second.
    first_known: AtomicU32,
    end_known: AtomicU32,
    /// The parts of each shape, by number.
    shapes: Box<[OnceLock<Box<[Part]>>]>,
    versions: [OnceLock<Rows>; VERSIONS],
    /// How many versions there are; the last one counts.
    count: AtomicUsize,
    building: Mutex<HashMap<Box<[Part]>, u8>>,
}

impl Table {
    pub(super) fn new() -> Table {
        let days: Box<[AtomicU8]> = (0..1 << 16).map(|_| AtomicU8::new(UNKNOWN)).collect();
        let Ok(days) = days.try_into() else { unreachable!("as many as were made") };
        Table {
            days,
            known_days: AtomicU32::new(0),
            first_known: AtomicU32::new(u32::MAX),
            end_known: AtomicU32::new(0),
            shapes: (0..SHAPES).map(|_| OnceLock::new()).collect(),
            versions: Default::default(),
            count: AtomicUsize::new(0),
            building: Mutex::default(),
        }
    }

    /// The instant for a receipt; `None` if there is none, or it is not known or found less quickly.
    #[inline(always)]
    pub(super) fn look_up(&self, received: u32) -> Option<u32> {
        let rows = self.rows()?;
        let (day, of_day) = (received / DAY_S as u32, received % DAY_S as u32);
        rows.look_up(self.shape(day), of_day, received)
    }

    /// As [`Table::look_up`], where the grid knows nothing.
    pub(super) fn search(&self, received: u32) -> Option<u32> {
        let (part, _) = self.part_at(received)?;
        match part.gives {
            Gives::Nothing => None,
            Gives::After(span) => Some(received + span),
            Gives::At(span) => Some(received - received % DAY_S as u32 + span),
        }
    }

    /// The part of its day to which a receipt belongs, and up to which second of the day that goes.
    pub(super) fn part_at(&self, received: u32) -> Option<(Part, u32)> {
        let (day, of_day) = (received / DAY_S as u32, received % DAY_S as u32);
        let parts = self.shapes.get(usize::from(self.shape(day)))?.get()?;
        let next = parts.iter().position(|part| part.from_s > of_day).unwrap_or(parts.len());
        let end = parts.get(next).map_or(DAY_S as u32, |next| next.from_s);
        // Every day begins with a part at its midnight.
        Some((*parts.get(next.checked_sub(1)?)?, end))
    }

    #[inline(always)]
    pub(super) fn rows(&self) -> Option<&Rows> {
        let count = self.count.load(Ordering::Acquire);
        self.versions.get(count.checked_sub(1)?)?.get()
    }

    #[inline(always)]
    pub(super) fn days(&self) -> &Days {
        &self.days
    }

    pub(super) fn is_known(&self, day: u32) -> bool {
        self.shape(day) != UNKNOWN
    }

    /// How many days are known.
    pub(super) fn known_days(&self) -> u32 {
        self.known_days.load(Ordering::Relaxed)
    }

    /// The days among which all are that are known.
    pub(super) fn known_range(&self) -> Range<usize> {
        self.first_known.load(Ordering::Relaxed) as usize..self.end_known.load(Ordering::Relaxed) as usize
    }

    /// The shapes that have a number, by number.
    pub(super) fn shapes(&self) -> impl Iterator<Item = (u8, &[Part])> {
        (0..=u8::MAX).zip(&self.shapes).filter_map(|(number, parts)| Some((number, &**parts.get()?)))
    }

    #[inline(always)]
    fn shape(&self, day: u32) -> u8 {
        // No instant lies on a day that needs more bits.
        self.days[usize::from(day as u16)].load(Ordering::Acquire)
    }

    /// Makes the days from `first` up to, not including, `end` known, which lie in the range.
    pub(super) fn learn(&self, rule: &Rule, which: Which, first: u32, end: u32) {
        let mut numbers = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let mut parts: Vec<Part> = Vec::new();
        // The piece at hand, and the receipt from which it was worked out.
        let mut piece: Option<(i64, flow::Piece)> = None;
        for day in (first..end).filter(|day| !self.is_known(*day)).collect::<Vec<u32>>() {
            let midnight = i64::from(day) * DAY_S;
            parts.clear();
            let mut at = midnight;
            while at < midnight + DAY_S {
                let (begins, holds) = match piece {
                    Some((begins, holds)) if begins <= at && at < holds.until => (begins, holds),
                    _ => {
                        let Some(receipt) = Instant::checked(at) else { return };
                        let mut holds = flow::piece(rule, which, receipt);
                        holds.until = holds.until.max(at + 1);
                        debug_assert!(
                            agrees(rule, which, at, holds.until, holds.due),
                            "{rule:?} at {receipt}"
                        );
                        piece = Some((at, holds));
                        (at, holds)
                    }
                };
                let gives = match holds.due {
                    None => Gives::Nothing,
                    // A due instant is never before the receipt, and all of them fit 32 bits.
                    Some(due) if due.moves => Gives::After((due.at - begins) as u32),
                    Some(due) => Gives::At((due.at - midnight) as u32),
                };
                // What goes on as before needs no part of its own.
                if parts.last().is_none_or(|last| last.gives != gives) {
                    parts.push(Part { from_s: (at - midnight) as u32, gives });
                }
                at = holds.until;
            }
            let number = self.number_of(rule, &parts, &mut numbers);
            self.days[day as usize].store(number, Ordering::Release);
            self.first_known.fetch_min(day, Ordering::Relaxed);
            self.end_known.fetch_max(day + 1, Ordering::Relaxed);
            self.known_days.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The number of a shape, which is readable from then on.
    fn number_of(&self, rule: &Rule, parts: &[Part], numbers: &mut HashMap<Box<[Part]>, u8>) -> u8 {
        if let Some(number) = numbers.get(parts) {
            return *number;
        }
        let number = u8::try_from(numbers.len() + 1).unwrap_or(UNLISTED);
        if number == UNLISTED {
            return UNLISTED;
        }
        numbers.insert(parts.into(), number);
        if let Some(place) = self.shapes.get(usize::from(number)) {
            let _ = place.set(parts.into());
        }
        self.add_row(rule, number, parts);
        number
    }

    /// Gives a shape a row, if it can have one.
    fn add_row(&self, rule: &Rule, number: u8, parts: &[Part]) {
        let Some(unit_s) = unit_of(parts) else { return };
        let count = self.count.load(Ordering::Relaxed);
        let latest = self.rows();
        let common = |other: u32| Some(greatest_common_divisor(unit_s, other)).filter(|unit_s| *unit_s >= 60);
        let unit_s = match latest {
            Some(rows) if unit_s % rows.unit_s() == 0 && rows.write(number, parts) => return,
            Some(rows) => common(rows.unit_s()),
            // On the calendar's own grid from the beginning, so that rules of one calendar mostly have the same.
            None => rule.calendar.grid_unit_s().and_then(common).or(Some(unit_s)),
        };
        let Some(unit_s) = unit_s else { return };
        // A new version is worth it where the grid gets finer, or where there is no room.
        if latest.is_some_and(|rows| rows.unit_s() == unit_s && rows.has(number)) {
            return;
        }
        let (Some(place), Some(rows)) = (self.versions.get(count), Rows::new(unit_s, number)) else { return };
        for (number, parts) in self.shapes() {
            // One that has no place on the grid is searched.
            if unit_of(parts).is_some_and(|own| own % unit_s == 0) {
                rows.write(number, parts);
            }
        }
        if place.set(rows).is_ok() {
            self.count.store(count + 1, Ordering::Release);
        }
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        let parts = self.shapes().map(|(_, parts)| size_of_val(parts));
        size_of::<Table>()
            + size_of_val(&*self.days)
            + size_of_val(&*self.shapes)
            // Once more as a key.
            + 2 * parts.sum::<usize>()
            + self.versions.iter().filter_map(OnceLock::get).map(Rows::size).sum::<usize>()
    }
}

/// Whether the rule itself, asked at both ends of a piece and beside them, says the same.
fn agrees(rule: &Rule, which: Which, at: i64, until: i64, due: Option<flow::Moving>) -> bool {
    let ends = [at, at + 1, at + (until - at) / 2, until - 2, until - 1];
    ends.into_iter().filter(|receipt| (at..until).contains(receipt)).all(|receipt| {
        let wanted = due.map(|due| if due.moves { due.at + receipt - at } else { due.at });
        Instant::checked(receipt).and_then(|receipt| exact(rule, which, receipt)) == wanted
    })
}

/// What the rule itself says, counted out.
fn exact(rule: &Rule, which: Which, received: Instant) -> Option<i64> {
    let due = match which {
        Which::Due => Some(rule.count_due(received)),
        Which::Limit => rule.count_limit(received),
    };
    due?.ok().map(Instant::as_secs)
}
