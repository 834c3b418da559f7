//! A rule as a table: the due instant of every receipt of some years, found without counting.
//!
//! A rule is a function of the receipt that stays or moves along, piece by piece (see `flow`). Cut into UTC days, most
//! days repeat, so a table is the number of the shape of each day, and the shapes: their pieces, and where these begin on
//! a grid of some minutes, as they do in practice, one row of the grid for each shape.

use std::collections::HashMap;

use super::NO_DEADLINE;
use super::flow::{self, Which};
use super::rows::Rows;
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

/// The due or limit instants of a rule for receipts on the days from `first_day` on.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) first_day: u32,
    /// The shape of each day, times `stride`: where its row begins.
    pub(super) days: Vec<u16>,
    /// The length of a row, 1 without rows.
    stride: u16,
    /// Where each shape's parts begin, and the end of the last.
    from: Vec<u32>,
    parts: Vec<Part>,
    pub(super) rows: Option<Rows>,
}

impl Table {
    /// A table for receipts on the UTC days from `first_day` up to, not including, `end_day`, which lie in the range.
    pub(super) fn build(rule: &Rule, which: Which, first_day: u32, end_day: u32) -> Table {
        let mut building = Building::new(first_day, end_day);
        let (mut at, end) = (i64::from(first_day) * DAY_S, i64::from(end_day) * DAY_S);
        while at < end {
            let Some(begins) = Instant::checked(at) else { break };
            let piece = flow::piece(rule, which, begins);
            let until = piece.until.clamp(at + 1, end);
            debug_assert!(agrees(rule, which, at, until, piece.due), "{rule:?} at {begins}");
            building.add(at, until, piece.due);
            at = until;
        }
        building.finish()
    }

    /// The end of the window in days.
    pub(super) fn end_day(&self) -> u32 {
        self.first_day + self.days.len() as u32
    }

    /// The instant for a receipt, [`NO_DEADLINE`] if there is none; `None` outside the table's days.
    #[inline]
    pub(super) fn look_up(&self, received: i64) -> Option<i64> {
        let at = received.checked_sub(i64::from(self.first_day) * DAY_S)?;
        let at = u32::try_from(at).ok()?;
        let (day, of_day) = (at / DAY_S as u32, at % DAY_S as u32);
        let row = *self.days.get(day as usize)?;
        Some(match &self.rows {
            Some(rows) => rows.look_up(row, of_day, received),
            None => {
                let (part, _) = self.part_at(row, of_day);
                part.gives.of(received, of_day)
            }
        })
    }

    /// The part of a day, given by its row, for a second of it, and up to which second that part goes.
    pub(super) fn part_at(&self, row: u16, of_day: u32) -> (Part, u32) {
        let parts = self.parts_of(row / self.stride);
        let at = parts.partition_point(|part| part.from_s <= of_day);
        let end = parts.get(at).map_or(DAY_S as u32, |next| next.from_s);
        // Every day begins with a part at its midnight.
        (parts[at - 1], end)
    }

    fn parts_of(&self, shape: u16) -> &[Part] {
        let shape = usize::from(shape);
        &self.parts[self.from[shape] as usize..self.from[shape + 1] as usize]
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        2 * self.days.capacity()
            + 4 * self.from.capacity()
            + size_of::<Part>() * self.parts.capacity()
            + self.rows.as_ref().map_or(0, Rows::size)
    }
}

impl Gives {
    /// For a receipt at a second of its day.
    pub(super) fn of(self, received: i64, of_day: u32) -> i64 {
        match self {
            Gives::Nothing => NO_DEADLINE,
            Gives::After(span) => received + i64::from(span),
            Gives::At(span) => received - i64::from(of_day) + i64::from(span),
        }
    }
}

/// A table in the making.
struct Building {
    first_day: u32,
    days: Vec<u16>,
    from: Vec<u32>,
    parts: Vec<Part>,
    numbers: HashMap<Vec<Part>, u16>,
    /// The day at which the pieces have arrived, and its parts so far.
    today: i64,
    open: Vec<Part>,
}

impl Building {
    fn new(first_day: u32, end_day: u32) -> Building {
        Building {
            first_day,
            days: Vec::with_capacity((end_day - first_day) as usize),
            from: vec![0],
            parts: Vec::new(),
            numbers: HashMap::new(),
            today: i64::from(first_day),
            open: Vec::new(),
        }
    }

    /// Adds the piece of receipts from `at` up to, not including, `until`.
    fn add(&mut self, at: i64, until: i64, due: Option<flow::Moving>) {
        let mut begins = at;
        while begins < until {
            let midnight = self.today * DAY_S;
            let gives = match due {
                None => Gives::Nothing,
                // A due instant is never before the receipt, and all of them fit 32 bits.
                Some(due) if due.moves => Gives::After((due.at - at) as u32),
                Some(due) => Gives::At((due.at - midnight) as u32),
            };
            // What goes on as before needs no part of its own.
            if self.open.last().is_none_or(|last| last.gives != gives) {
                self.open.push(Part { from_s: (begins - midnight) as u32, gives });
            }
            begins = until.min(midnight + DAY_S);
            if begins == midnight + DAY_S {
                self.end_day();
            }
        }
    }

    fn end_day(&mut self) {
        let number = match self.numbers.get(&self.open) {
            Some(number) => *number,
            None => {
                let number = self.numbers.len() as u16;
                self.parts.extend_from_slice(&self.open);
                self.from.push(self.parts.len() as u32);
                self.numbers.insert(self.open.clone(), number);
                number
            }
        };
        self.days.push(number);
        self.open.clear();
        self.today += 1;
    }

    fn finish(mut self) -> Table {
        self.parts.shrink_to_fit();
        self.from.shrink_to_fit();
        let mut table = Table {
            first_day: self.first_day,
            days: self.days,
            stride: 1,
            from: self.from,
            parts: self.parts,
            rows: None,
        };
        let shapes: Vec<&[Part]> =
            (0..self.numbers.len()).map(|number| table.parts_of(number as u16)).collect();
        if let Some(rows) = Rows::of(&shapes, table.days.len()) {
            table.stride = rows.length();
            for day in &mut table.days {
                *day *= table.stride;
            }
            table.rows = Some(rows);
        }
        table
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
