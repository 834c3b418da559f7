//! The ordered indexes: rows of (instant, slot), sealed blocks plus what changed since.
//!
//! Clocks are spread over four due indexes by whether they have a backstop and whether they have warnings, so that every
//! stage can be counted by subtracting counts, in O(log n).

use std::iter::Peekable;
use std::ops::Range;

use super::pieces::Pieces;
use super::records::{ClockRow, FLAG_ARMED, FLAG_BACKSTOP, NONE, PhaseCode};
use super::rows::SortedRows;
use super::sealed::SealedRows;
use crate::error::Result;

/// Which rows an index holds. The numbers are part of the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum IndexKind {
    /// (due, clock): running clocks without a backstop and without warnings.
    Due = 0,
    /// (due, clock): with a backstop.
    DueLimit = 1,
    /// (due, clock): with warnings.
    DueWarn = 2,
    /// (due, clock): with a backstop and warnings.
    DueLimitWarn = 3,
    /// (first warning, clock): running clocks with warnings.
    Warn = 4,
    /// (limit, clock): running clocks with a limit that is reached.
    Limit = 5,
    /// (start, clock): running clocks that start only if nothing happens before.
    Armed = 6,
    /// (key, request): thresholds ahead of the feed that no clock row shows.
    Pending = 7,
    /// (key, clock): clocks that promise a share, from when on their request counts.
    Joined = 8,
}

impl IndexKind {
    pub(crate) const ALL: [IndexKind; 9] = [
        IndexKind::Due,
        IndexKind::DueLimit,
        IndexKind::DueWarn,
        IndexKind::DueLimitWarn,
        IndexKind::Warn,
        IndexKind::Limit,
        IndexKind::Armed,
        IndexKind::Pending,
        IndexKind::Joined,
    ];

    /// The four that together hold every running clock.
    pub(crate) const DUE: [IndexKind; 4] =
        [IndexKind::Due, IndexKind::DueLimit, IndexKind::DueWarn, IndexKind::DueLimitWarn];
}

/// A row: earliest first, ties by slot.
pub(crate) const fn row(key: u32, slot: u32) -> u64 {
    (key as u64) << 32 | slot as u64
}

/// The instant of a row.
#[inline]
pub(crate) const fn key_of(row: u64) -> u32 {
    (row >> 32) as u32
}

/// The slot of a row.
#[inline]
pub(crate) const fn slot_of(row: u64) -> u32 {
    row as u32
}

/// The rows that a clock row puts into the indexes.
pub(crate) fn rows_of(slot: u32, clock: &ClockRow) -> impl Iterator<Item = (IndexKind, u64)> {
    let runs = clock.phase == PhaseCode::Running && clock.due != NONE;
    let (backstop, warn) = (clock.flags & FLAG_BACKSTOP != 0, clock.warn != NONE);
    let due = match (backstop, warn) {
        (false, false) => IndexKind::Due,
        (true, false) => IndexKind::DueLimit,
        (false, true) => IndexKind::DueWarn,
        (true, true) => IndexKind::DueLimitWarn,
    };
    let armed = clock.flags & FLAG_ARMED != 0;
    [
        (true, due, clock.due),
        (warn, IndexKind::Warn, clock.warn),
        (backstop && clock.limit != NONE, IndexKind::Limit, clock.limit),
        (armed, IndexKind::Armed, clock.started_at),
    ]
    .into_iter()
    .filter(move |(holds, ..)| runs && *holds)
    .map(move |(_, kind, key)| (kind, row(key, slot)))
}

/// Reads sealed block `block` of an index and hands over its verified payload.
pub(crate) type Load<'a> = super::sealed::Load<'a>;

/// One ordered index.
#[derive(Debug, Default)]
pub(crate) struct Index {
    sealed: SealedRows,
    added: SortedRows,
    removed: SortedRows,
}

impl Index {
    pub(crate) fn new(sealed: SealedRows) -> Index {
        Index { sealed, added: SortedRows::default(), removed: SortedRows::default() }
    }

    /// Takes rows that came (true) and went, in the order in which they did.
    ///
    /// Many at once are sorted first, so that a process that has just opened the file need not find a place for each.
    pub(crate) fn take(&mut self, mut moves: Vec<(u64, bool)>) {
        const MANY: usize = 256;
        if moves.len() < MANY || !self.is_unchanged() {
            for (row, came) in moves {
                if came { self.insert(row) } else { self.remove(row) }
            }
            return;
        }
        moves.sort_by_key(|(row, _)| *row);
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for moves in moves.chunk_by(|one, other| one.0 == other.0) {
            // A row comes and goes by turns, so its first and last move say what is left of them.
            match (moves[0], moves[moves.len() - 1]) {
                ((row, true), (_, true)) => added.push(row),
                ((row, false), (_, false)) => removed.push(row),
                _ => {}
            }
        }
        self.added = SortedRows::from_sorted(&added);
        self.removed = SortedRows::from_sorted(&removed);
    }

    /// Adds a row that is not there.
    pub(crate) fn insert(&mut self, row: u64) {
        if !self.removed.remove(row) {
            self.added.insert(row);
        }
    }

    /// Removes a row that is there.
    pub(crate) fn remove(&mut self, row: u64) {
        if !self.added.remove(row) {
            self.removed.insert(row);
        }
    }

    /// Whether nothing changed since the rows were sealed.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// Rows in all.
    pub(crate) fn len(&self) -> u64 {
        self.sealed.len() + self.added.len() as u64 - self.removed.len() as u64
    }

    /// Rows with an instant below `key`.
    pub(crate) fn count_below(&self, key: u32, load: Load<'_>) -> Result<u64> {
        let bound = row(key, 0);
        let sealed = self.sealed.count_below(bound, load)?;
        Ok(sealed + self.added.count_below(bound) as u64 - self.removed.count_below(bound) as u64)
    }

    /// The rows from `start` on, in rising order.
    pub(crate) fn iter_from<'a>(
        &'a self,
        start: u64,
        load: Load<'a>,
    ) -> impl Iterator<Item = Result<u64>> + 'a {
        Merge {
            sealed: self.sealed.iter_from(start, load).peekable(),
            added: self.added.iter_from(start).peekable(),
            removed: self.removed.iter_from(start).peekable(),
        }
    }

    /// Hands over the rows of a range in rising order, many at a time, until `visit` returns false.
    pub(crate) fn visit_slices(
        &self,
        range: Range<u64>,
        load: Load<'_>,
        visit: &mut dyn FnMut(&[u64]) -> Result<bool>,
    ) -> Result<bool> {
        let mut pieces = self.pieces(range, load);
        while let Some(rows) = pieces.next()? {
            if !visit(&rows)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The rows of a range, many at a time.
    pub(crate) fn pieces<'a>(&'a self, range: Range<u64>, load: Load<'a>) -> Pieces<'a> {
        Pieces::new(self, range, load)
    }

    /// The rows that were sealed.
    pub(super) fn sealed(&self) -> &SealedRows {
        &self.sealed
    }

    /// The rows that came since.
    pub(super) fn added(&self) -> &SortedRows {
        &self.added
    }

    /// The sealed rows that went since.
    pub(super) fn removed(&self) -> &SortedRows {
        &self.removed
    }

    /// Bytes held in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.sealed.memory_bytes() + self.added.memory_bytes() + self.removed.memory_bytes()
    }
}

/// Sealed rows without the removed ones, merged with the added ones.
struct Merge<S: Iterator, A: Iterator, R: Iterator> {
    sealed: Peekable<S>,
    added: Peekable<A>,
    removed: Peekable<R>,
}

impl<S, A, R> Iterator for Merge<S, A, R>
where
    S: Iterator<Item = Result<u64>>,
    A: Iterator<Item = u64>,
    R: Iterator<Item = u64>,
{
    type Item = Result<u64>;

    fn next(&mut self) -> Option<Result<u64>> {
        loop {
            let sealed = match self.sealed.peek() {
                Some(Ok(row)) => Some(*row),
                Some(Err(_)) => return self.sealed.next(),
                None => None,
            };
            let Some(sealed) = sealed else { return self.added.next().map(Ok) };
            if self.added.peek().is_some_and(|added| *added < sealed) {
                return self.added.next().map(Ok);
            }
            self.sealed.next();
            while self.removed.next_if(|removed| *removed < sealed).is_some() {}
            if self.removed.next_if_eq(&sealed).is_none() {
                return Some(Ok(sealed));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(due: u32) -> ClockRow {
        ClockRow { phase: PhaseCode::Running, due, ..ClockRow::unstarted(0, 0) }
    }

    #[test]
    fn a_clock_is_in_exactly_one_due_index() {
        let plain: Vec<_> = rows_of(3, &running(10)).collect();
        assert_eq!(plain, [(IndexKind::Due, row(10, 3))]);
        let flags = FLAG_ARMED | FLAG_BACKSTOP;
        let full = ClockRow { limit: 30, warn: 5, flags, started_at: 2, ..running(10) };
        let rows: Vec<_> = rows_of(3, &full).collect();
        assert_eq!(
            rows,
            [
                (IndexKind::DueLimitWarn, row(10, 3)),
                (IndexKind::Warn, row(5, 3)),
                (IndexKind::Limit, row(30, 3)),
                (IndexKind::Armed, row(2, 3)),
            ]
        );
        let paused = ClockRow { phase: PhaseCode::Paused, ..full };
        assert_eq!(rows_of(3, &paused).count(), 0);
    }

    #[test]
    fn many_moves_at_once_come_to_the_same_as_one_by_one() {
        let (directory, blocks) =
            super::super::sealed::seal_rows(&(0..1_000).map(|at| at * 3).collect::<Vec<_>>());
        let load = |block: u64| Ok(blocks[block as usize - 1].clone());
        let index = || Index::new(SealedRows::from_directory(&directory).unwrap());
        let mut present: std::collections::BTreeSet<u64> = (0..1_000).map(|at| at * 3).collect();
        let (mut moves, mut number) = (Vec::new(), 7_u64);
        for _ in 0..5_000 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let row = (number >> 33) % 700;
            let came = !present.contains(&row);
            if came {
                present.insert(row)
            } else {
                present.remove(&row)
            };
            moves.push((row, came));
        }
        let (mut together, mut apart) = (index(), index());
        together.take(moves.clone());
        moves.chunks(100).for_each(|some| apart.take(some.to_vec()));
        for index in [together, apart] {
            assert_eq!(index.len(), present.len() as u64);
            let rows: Vec<u64> = index.iter_from(0, &load).map(Result::unwrap).collect();
            assert!(rows.iter().eq(&present));
            for range in [0..u64::MAX, 5..699, 600..2_000, 2_998..9_000, 7..7] {
                let mut rows = Vec::new();
                let mut visit = |some: &[u64]| {
                    rows.extend_from_slice(some);
                    Ok(true)
                };
                assert!(index.visit_slices(range.clone(), &load, &mut visit).unwrap());
                assert!(rows.iter().eq(present.range(range)));
            }
        }
    }

    #[test]
    fn changes_are_merged_with_what_is_sealed() {
        let load = |_: u64| -> Result<Vec<u8>> { unreachable!("nothing is sealed") };
        let mut index = Index::default();
        for key in [5, 1, 3] {
            index.insert(row(key, key));
        }
        index.remove(row(3, 3));
        let keys: Vec<u32> = index.iter_from(0, &load).map(|row| key_of(row.unwrap())).collect();
        assert_eq!(keys, [1, 5]);
        assert_eq!((index.len(), index.count_below(5, &load).unwrap()), (2, 1));
    }
}
