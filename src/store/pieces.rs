//! The rows of an index, many at a time: sealed blocks as they lie in memory wherever nothing changed.

use std::iter::Peekable;
use std::ops::{Deref, Range};
use std::sync::Arc;

use super::index::Index;
use super::rows::SortedRows;
use super::sealed::Load;
use crate::error::Result;

/// Some rows in rising order.
pub(crate) enum Piece<'a> {
    /// As they were sealed.
    Sealed(Arc<[u64]>, Range<usize>),
    /// As they were added since.
    Added(&'a [u64]),
    /// Put together.
    Made(Vec<u64>),
}

impl Deref for Piece<'_> {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        match self {
            Piece::Sealed(rows, range) => &rows[range.clone()],
            Piece::Added(rows) => rows,
            Piece::Made(rows) => rows,
        }
    }
}

/// The rows of a range of an index, piece by piece in rising order.
pub(crate) struct Pieces<'a> {
    index: &'a Index,
    load: Load<'a>,
    /// Rows that were not handed over yet.
    range: Range<u64>,
    /// The next sealed block.
    block: usize,
    /// What was added after the last sealed block, once that is passed.
    rest: Option<Box<dyn Iterator<Item = &'a [u64]> + 'a>>,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(index: &'a Index, range: Range<u64>, load: Load<'a>) -> Pieces<'a> {
        let block = index.sealed().first_block(range.start);
        Pieces { index, load, range, block, rest: None }
    }

    /// The next rows, at least one; `None` if there are no more.
    pub(crate) fn next(&mut self) -> Result<Option<Piece<'a>>> {
        while self.range.start < self.range.end
            && let Some(end) = self.index.sealed().end_of(self.block)
        {
            let rows = self.index.sealed().block(self.block, self.load)?;
            let part = self.range.start..end.min(self.range.end);
            (self.block, self.range.start) = (self.block + 1, part.end);
            let piece = self.changed(rows, part);
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        if self.range.start >= self.range.end {
            return Ok(None);
        }
        let (index, range) = (self.index, self.range.clone());
        let rest = self.rest.get_or_insert_with(|| Box::new(index.added().slices(range)));
        Ok(rest.find(|rows| !rows.is_empty()).map(Piece::Added))
    }

    /// The rows of `part`, which are among these sealed ones, as they are now.
    fn changed(&self, sealed: Arc<[u64]>, part: Range<u64>) -> Piece<'a> {
        let within = within(&sealed, &part);
        if self.index.is_unchanged() {
            return Piece::Sealed(sealed, within);
        }
        let changes = |of: &'a SortedRows| of.slices(part.clone()).flatten().copied().peekable();
        let (mut added, mut removed) = (changes(self.index.added()), changes(self.index.removed()));
        if added.peek().is_none() && removed.peek().is_none() {
            return Piece::Sealed(sealed, within);
        }
        Piece::Made(merged(&sealed[within], added, removed))
    }
}

fn within(rows: &[u64], range: &Range<u64>) -> Range<usize> {
    let place = |bound: u64| rows.partition_point(|row| *row < bound);
    // Most blocks lie within the range as a whole.
    let start = if rows.first().is_none_or(|first| *first >= range.start) { 0 } else { place(range.start) };
    let end = if rows.last().is_none_or(|last| *last < range.end) { rows.len() } else { place(range.end) };
    start..end
}

/// Sealed rows without the removed ones and with the added ones, in order.
fn merged(
    sealed: &[u64],
    mut added: Peekable<impl Iterator<Item = u64>>,
    mut removed: Peekable<impl Iterator<Item = u64>>,
) -> Vec<u64> {
    let mut out = Vec::with_capacity(sealed.len() + 64);
    for row in sealed {
        while let Some(new) = added.next_if(|new| new < row) {
            out.push(new);
        }
        if removed.next_if_eq(row).is_none() {
            out.push(*row);
        }
    }
    out.extend(added);
    out
}
