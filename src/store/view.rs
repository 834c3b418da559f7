//! The view: what a process knows of the file without reading it: the indexes, and what the log holds since the last
//! fold. Every commit, one's own and those of other processes, is applied to it in the same way.
//!
//! What moved in the indexes is taken at once; the changes themselves, which are ten times as much, when somebody first
//! asks for a request that was changed. A process that lives for one scan mostly does not.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

use foldhash::fast::FixedState;

use super::blocks::Blocks;
use super::head::Head;
use super::ids;
use super::index::{Index, IndexKind};
use super::log::{Moves, Written};
use super::mirror::{Mirror, MirroredIds};
use super::runs::DIRECTORY;
use super::sealed::SealedRows;
use super::snapshot::sealed_key;
use super::tables::{META_HEAD, Reader, Table};
use super::tail::Tail;
use crate::error::{Error, ErrorKind, Result};

/// What a process knows of the file, as of one commit.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) head: Head,
    /// The changes since the last fold, once they are read.
    tail: OnceLock<Tail>,
    /// The requests sealed before that they touch.
    touched: HashSet<u32, FixedState>,
    pub(crate) indexes: [Index; IndexKind::ALL.len()],
    pub(crate) ids: ids::Directory,
    /// Sealed values of this epoch.
    pub(crate) blocks: Blocks,
    /// What was asked for by external id lately: the slot by hash, row and text by slot. A request that is asked for once
    /// is mostly asked for again, and its three values are a hundredth of the blocks they lie in.
    pub(super) found: Blocks,
    /// Of sealed clocks, once lists have paid for it; `None` inside if it would be too large.
    pub(super) mirror: OnceLock<Option<Mirror>>,
    /// Of the ids of sealed requests, likewise.
    pub(super) mirrored_ids: OnceLock<Option<MirroredIds>>,
    /// Rows that long lists told without the mirror.
    pub(super) told: AtomicU64,
    block_bytes: usize,
}

/// The head as of the reader's commit.
pub(crate) fn read_head(reader: &Reader) -> Result<Head> {
    reader.must(Table::Meta, META_HEAD, Head::read)
}

impl View {
    /// Reads the directories of the sealed values and the log since the last fold. Keeps at most `block_bytes` of
    /// sealed values in memory.
    pub(crate) fn load(reader: &Reader, block_bytes: usize) -> Result<View> {
        let last = read_head(reader)?;
        let mut indexes: [Index; IndexKind::ALL.len()] = Default::default();
        for kind in IndexKind::ALL {
            let directory =
                reader.with(Table::Index, sealed_key(kind as u32, 0), SealedRows::from_directory)?;
            indexes[kind as usize] = Index::new(directory.unwrap_or_default());
        }
        let ids = reader.with(Table::Ids, DIRECTORY, ids::Directory::read)?.unwrap_or_default();
        let head = Head { seq: last.folded, ..last };
        let (blocks, found) = (Blocks::new(block_bytes / 4 * 3), Blocks::new(block_bytes / 4));
        let tail = OnceLock::new();
        let (mirror, mirrored_ids, told) = (OnceLock::new(), OnceLock::new(), AtomicU64::new(0));
        let touched = HashSet::default();
        let mut view = View {
            head,
            tail,
            touched,
            indexes,
            ids,
            blocks,
            found,
            mirror,
            mirrored_ids,
            told,
            block_bytes,
        };
        view.follow(reader, &last)?;
        Ok(view)
    }

    /// Whether sealed values that `head` speaks of are the ones this view speaks of.
    pub(crate) fn same_epoch(&self, head: &Head) -> bool {
        self.head.epoch == head.epoch
    }

    /// Applies the log from this view's last number up to `last`, the reader's head.
    pub(crate) fn follow(&mut self, reader: &Reader, last: &Head) -> Result<()> {
        if !self.same_epoch(last) {
            *self = View::load(reader, self.block_bytes)?;
            return Ok(());
        }
        if self.head.seq < last.seq {
            let new = self.head.seq + 1..=last.seq;
            let mut moves = Gathered::default();
            each_value(reader, Table::Moves, new.clone(), |value| moves.take(value))?;
            self.take(moves);
            if let Some(tail) = self.tail.get_mut() {
                each_value(reader, Table::Log, new, |value| tail.take(value.to_vec()))?;
            }
        }
        self.head = *last;
        Ok(())
    }

    /// Applies one commit: its log values and the head after it.
    pub(crate) fn apply(&mut self, values: Written, head: &Head) -> Result<()> {
        let mut moves = Gathered::default();
        moves.take(&values.moves)?;
        self.take(moves);
        if let Some(tail) = self.tail.get_mut() {
            tail.take(values.changes)?;
        }
        self.head = *head;
        Ok(())
    }

    fn take(&mut self, moves: Gathered) {
        self.touched.extend(moves.touched);
        for (index, moves) in self.indexes.iter_mut().zip(moves.rows) {
            index.take(moves);
        }
    }

    /// Whether a request that was sealed is not as it was sealed.
    pub(crate) fn is_touched(&self, slot: u32) -> bool {
        self.touched.contains(&slot)
    }

    /// Whether every request that was sealed is as it was sealed.
    pub(crate) fn is_untouched(&self) -> bool {
        self.touched.is_empty()
    }

    /// The changes since the last fold, if they were read before.
    pub(crate) fn known_tail(&self) -> Option<&Tail> {
        self.tail.get()
    }

    /// The changes since the last fold. `reader` begins to read the file, in this view's epoch; its commit may be later.
    pub(crate) fn tail<'r>(&self, reader: impl FnOnce() -> Result<&'r Reader>) -> Result<&Tail> {
        if let Some(tail) = self.tail.get() {
            return Ok(tail);
        }
        let mut tail = Tail::new(&self.head);
        if self.head.folded < self.head.seq {
            let all = self.head.folded + 1..=self.head.seq;
            each_value(reader()?, Table::Log, all, |value| tail.take(value.to_vec()))?;
        }
        // Two threads may both have read them; they are the same.
        Ok(self.tail.get_or_init(|| tail))
    }
}

/// What several commits moved.
#[derive(Default)]
struct Gathered {
    touched: Vec<u32>,
    rows: [Vec<(u64, bool)>; IndexKind::ALL.len()],
}

impl Gathered {
    fn take(&mut self, value: &[u8]) -> Result<()> {
        let moves = Moves::read(value)?;
        self.touched.extend(moves.touched());
        for section in moves.sections() {
            self.rows[section.kind as usize].extend(section.rows().map(|row| (row, section.came)));
        }
        Ok(())
    }
}

/// Hands over the log values of these commits, one after the other; a missing one is damage.
fn each_value(
    reader: &Reader,
    table: Table,
    numbers: RangeInclusive<u64>,
    mut take: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let missing =
        |number: u64| Error::new(ErrorKind::Damaged, format!("{} value {number} is missing", table.name()));
    let (mut expected, last) = (*numbers.start(), *numbers.end());
    reader.visit(table, numbers, |number, payload| {
        if number != expected {
            return Err(missing(expected));
        }
        expected += 1;
        take(payload)?;
        Ok(true)
    })?;
    if expected == last + 1 { Ok(()) } else { Err(missing(expected)) }
}
