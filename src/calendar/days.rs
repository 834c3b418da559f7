//! Working days as a look-up: the nth working day from a date, and when a date opens and closes.

use super::compile::Dates;
use crate::time::DAY_S;

/// Stands for "not a working day".
const CLOSED: u16 = u16::MAX;

/// The working days of a range of dates. Days are days since 1970-01-01.
#[derive(Debug)]
pub(super) struct DayTable {
    /// The first date.
    first: i32,
    /// Working days before each date, and in all.
    before: Vec<u16>,
    /// The working days, rising, counted from the first date.
    working: Vec<u16>,
    /// For each date the number of its first opening and last close, or [`CLOSED`].
    edge: Vec<u16>,
    /// First opening and last close in UTC, in seconds from the UTC midnight of the same date.
    edges: Vec<(i32, i32)>,
}

impl DayTable {
    pub(super) fn build(dates: &Dates) -> DayTable {
        let count = dates.numbers.len();
        let mut table = DayTable {
            first: dates.first,
            before: Vec::with_capacity(count + 1),
            working: Vec::with_capacity(count),
            edge: Vec::with_capacity(count),
            edges: Vec::new(),
        };
        // What opens on a date says when it first does.
        let edge_of: Vec<u16> = dates.opens.iter().map(|opens| table.edge_number(opens)).collect();
        for (at, number) in dates.numbers.iter().enumerate() {
            let edge = edge_of[usize::from(*number)];
            table.before.push(table.working.len() as u16);
            table.edge.push(edge);
            if edge != CLOSED {
                table.working.push(at as u16);
            }
        }
        table.before.push(table.working.len() as u16);
        table.working.shrink_to_fit();
        table
    }

    /// The number of the first opening and the last close of these stretches, a new one each time; numbers of stretches
    /// are few.
    fn edge_number(&mut self, opens: &[(i32, i32)]) -> u16 {
        let first = opens.iter().map(|stretch| stretch.0).min();
        let last = opens.iter().map(|stretch| stretch.1).max();
        let (Some(first), Some(last)) = (first, last) else { return CLOSED };
        self.edges.push((first, last));
        (self.edges.len() - 1) as u16
    }

    /// When the date first opens and last closes, in seconds since 1970-01-01T00:00:00Z and perhaps outside the range.
    pub(super) fn edges_of(&self, day: i32) -> Option<(i64, i64)> {
        let at = usize::try_from(day.checked_sub(self.first)?).ok()?;
        let (opens, closes) = *self.edges.get(usize::from(*self.edge.get(at)?))?;
        let midnight = i64::from(day) * DAY_S;
        Some((midnight + i64::from(opens), midnight + i64::from(closes)))
    }

    /// The nth working day after `day`, or before it if `n` is negative; not for 0.
    pub(super) fn nth(&self, day: i32, n: i64) -> Option<i32> {
        let number = if n > 0 {
            self.count_before(day.saturating_add(1)).checked_add(n - 1)?
        } else {
            self.count_before(day).checked_add(n)?
        };
        let at = *self.working.get(usize::try_from(number).ok()?)?;
        Some(i32::from(at) + self.first)
    }

    /// Working days before a date; those outside the table count as none.
    pub(super) fn count_before(&self, day: i32) -> i64 {
        let at = (i64::from(day) - i64::from(self.first)).clamp(0, self.edge.len() as i64);
        self.before.get(at as usize).copied().map_or(0, i64::from)
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        2 * (self.before.capacity() + self.working.capacity() + self.edge.capacity())
            + 8 * self.edges.capacity()
    }
}
