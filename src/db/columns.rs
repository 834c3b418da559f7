//! Scans by the column: when clocks are due and which they are, many at once, from one snapshot.

use super::Db;
use super::rows::{Found, Merge, rows_within};
use super::scan::Query;
use crate::error::Result;
use crate::store::index::{key_of, slot_of};

/// When running clocks are due, and which they are: row `i` of both columns is one clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// When it is due, in seconds since 1970-01-01T00:00:00Z; rising.
    pub due_at: Vec<u32>,
    /// The clock's number: the same for as long as the database exists. Ties are in its order.
    pub clock: Vec<u32>,
}

impl Columns {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.due_at.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.due_at.is_empty()
    }

    fn push(&mut self, found: &Found<'_>) {
        match *found {
            Found::Rows(rows, _) => {
                self.due_at.extend(rows.iter().map(|row| key_of(*row)));
                self.clock.extend(rows.iter().map(|row| slot_of(*row)));
            }
            Found::Runs(one, other, count) => self.push_merged(one, other, count),
        }
    }

    /// Adds the first `count` rows of two sorted runs in one order.
    fn push_merged(&mut self, one: &[u64], other: &[u64], count: usize) {
        let from = self.len();
        self.due_at.resize(from + count, 0);
        self.clock.resize(from + count, 0);
        let (due, clock) = (&mut self.due_at[from..], &mut self.clock[from..]);
        let (one, other) = first_of(one, other, count);
        let middle = one.len() / 2;
        let cut = one[..middle].last().map_or(0, |row| other.partition_point(|other| other < row));
        let mut low = Merge::new(&one[..middle], &other[..cut]);
        let mut high = Merge::new(&one[middle..], &other[cut..]);
        let (due_low, due_high) = due.split_at_mut(middle + cut);
        let (clock_low, clock_high) = clock.split_at_mut(middle + cut);
        // Each row of a merge waits for the one before it, so two merges at once take hardly longer than one.
        let both = due_low.len().min(due_high.len());
        for at in 0..both {
            let (row, later) = (low.take(), high.take());
            (due_low[at], clock_low[at]) = (key_of(row), slot_of(row));
            (due_high[at], clock_high[at]) = (key_of(later), slot_of(later));
        }
        for (due, clock) in due_low.iter_mut().zip(clock_low).skip(both) {
            let row = low.take();
            (*due, *clock) = (key_of(row), slot_of(row));
        }
        for (due, clock) in due_high.iter_mut().zip(clock_high).skip(both) {
            let row = high.take();
            (*due, *clock) = (key_of(row), slot_of(row));
        }
    }
}

/// Room for so many rows is there from the start: as much as costs next to nothing.
const FEW: usize = 256;
/// A list whose first part has fewer rows is short: it does not pay to look how many there are.
const SHORT: usize = 1_000;

/// The beginnings of two sorted runs that hold their first `count` rows.
fn first_of<'a>(one: &'a [u64], other: &'a [u64], count: usize) -> (&'a [u64], &'a [u64]) {
    let (mut least, mut most) = (count.saturating_sub(other.len()), count.min(one.len()));
    while least < most {
        let middle = least.midpoint(most);
        // That many of `one` are too few if the next of them comes before the last of `other`.
        if one[middle] < other[count - middle - 1] { least = middle + 1 } else { most = middle }
    }
    (&one[..least], &other[..count - least])
}

impl Db {
    /// The first `limit` running clocks that a query asks for, earliest due first, as two columns from one snapshot.
    ///
    /// The fastest way to a long list: what a query wants of every clock of an index is copied without a look at
    /// the clock.
    ///
    /// # Errors
    /// `NotFound` if no policy of the database has the clock asked for; the errors of the file.
    pub fn scan_columns(&self, query: &Query, limit: usize) -> Result<Columns> {
        self.store.read(|snapshot| {
            let few = || Vec::with_capacity(limit.min(FEW));
            let mut columns = Columns { due_at: few(), clock: few() };
            self.visit_rows(snapshot, query, limit, &mut |found| {
                let more = match (columns.is_empty(), found.len()) {
                    (true, SHORT..) => limit.min(rows_within(snapshot, query)?),
                    (_, rows) => rows,
                };
                columns.due_at.reserve(more);
                columns.clock.reserve(more);
                columns.push(&found);
                Ok(())
            })?;
            Ok(columns)
        })
    }
}
