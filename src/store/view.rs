//! The view: what a process knows of the file without reading it: the indexes, and all that the log holds since the
//! last fold. Every commit, one's own and those of other processes, is applied to it in the same way.

use std::sync::Arc;

use super::blocks::Blocks;
use super::head::Head;
use super::ids;
use super::index::{Index, IndexKind};
use super::sealed::SealedRows;
use super::snapshot::sealed_key;
use super::tables::{META_HEAD, Reader, Table};
use super::tail::Tail;
use crate::error::{Error, ErrorKind, Result};

/// What a process knows of the file, as of one commit.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) head: Head,
    pub(crate) tail: Tail,
    pub(crate) indexes: [Index; 8],
    pub(crate) ids: ids::Directory,
    /// Sealed values of this epoch.
    pub(crate) blocks: Blocks,
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
        let mut indexes: [Index; 8] = Default::default();
        for kind in IndexKind::ALL {
            let directory =
                reader.with(Table::Index, sealed_key(kind as u32, 0), SealedRows::from_directory)?;
            indexes[kind as usize] = Index::new(directory.unwrap_or_default());
        }
        let ids = reader.with(Table::Ids, sealed_key(0, 0), ids::Directory::read)?.unwrap_or_default();
        let head = Head { seq: last.folded, ..last };
        let blocks = Blocks::new(block_bytes);
        let mut view = View { head, tail: Tail::new(&head), indexes, ids, blocks, block_bytes };
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
            let mut values = Vec::new();
            let mut expected = self.head.seq + 1;
            reader.visit(Table::Log, expected..=last.seq, |seq, payload| {
                if seq != expected {
                    return Err(Error::new(ErrorKind::Damaged, format!("log value {expected} is missing")));
                }
                expected += 1;
                values.push(Arc::new(payload.to_vec()));
                Ok(true)
            })?;
            if expected != last.seq + 1 {
                return Err(Error::new(ErrorKind::Damaged, format!("log value {expected} is missing")));
            }
            self.take(values)?;
        }
        self.head = *last;
        Ok(())
    }

    /// Applies one commit: its log value and the head after it.
    pub(crate) fn apply(&mut self, value: Vec<u8>, head: &Head) -> Result<()> {
        self.take(vec![Arc::new(value)])?;
        self.head = *head;
        Ok(())
    }

    fn take(&mut self, values: Vec<Arc<Vec<u8>>>) -> Result<()> {
        let mut moves: [Vec<(u64, bool)>; 8] = Default::default();
        for value in values {
            let moved = |(kind, row): (IndexKind, u64), came: bool| moves[kind as usize].push((row, came));
            self.tail.take(value, moved)?;
        }
        for (index, moves) in self.indexes.iter_mut().zip(moves) {
            index.take(moves);
        }
        Ok(())
    }
}
