//! The view: what a process knows of the file without reading it: the indexes, and all that the log holds since the
//! last fold. Every commit, one's own and those of other processes, is applied to it in the same way.

use std::collections::HashMap;

use super::head::Head;
use super::ids;
use super::index::{Index, IndexKind, row, rows_of};
use super::log::{Change, LogEntry};
use super::records::{ClockRow, RequestRow};
use super::sealed::SealedRows;
use super::snapshot::{sealed_clock_row, sealed_key};
use super::tables::{META_HEAD, Reader, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, Request};

/// What the log holds since the last fold, by slot.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// New requests, from slot `Head::sealed_requests` on.
    pub(crate) records: Vec<Request>,
    /// Hash of external id → slots of new requests.
    pub(crate) ids: HashMap<u64, Vec<u32>>,
    /// New and changed request rows.
    pub(crate) requests: HashMap<u32, RequestRow>,
    /// New and changed clock rows.
    pub(crate) clocks: HashMap<u32, ClockRow>,
    /// New events by request, in arrival order.
    pub(crate) events: HashMap<u32, Vec<Event>>,
}

/// What a process knows of the file, as of one commit.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) head: Head,
    pub(crate) tail: Tail,
    pub(crate) indexes: [Index; 8],
    pub(crate) ids: ids::Directory,
}

/// The head as of the reader's commit.
pub(crate) fn read_head(reader: &Reader) -> Result<Head> {
    reader.must(Table::Meta, META_HEAD, Head::read)
}

impl View {
    /// Reads the directories of the sealed values and the log since the last fold.
    pub(crate) fn load(reader: &Reader) -> Result<View> {
        let last = read_head(reader)?;
        let mut indexes: [Index; 8] = Default::default();
        for kind in IndexKind::ALL {
            let directory =
                reader.with(Table::Index, sealed_key(kind as u32, 0), SealedRows::from_directory)?;
            indexes[kind as usize] = Index::new(directory.unwrap_or_default());
        }
        let ids = reader.with(Table::Ids, sealed_key(0, 0), ids::Directory::read)?.unwrap_or_default();
        let head = Head { seq: last.folded, ..last };
        let mut view = View { head, tail: Tail::default(), indexes, ids };
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
            *self = View::load(reader)?;
            return Ok(());
        }
        if self.head.seq < last.seq {
            let mut expected = self.head.seq + 1;
            reader.visit(Table::Log, expected..=last.seq, |seq, payload| {
                if seq != expected {
                    return Err(Error::new(ErrorKind::Damaged, format!("log value {expected} is missing")));
                }
                expected += 1;
                self.apply(LogEntry::read(payload)?, reader)?;
                Ok(true)
            })?;
            if expected != last.seq + 1 {
                return Err(Error::new(ErrorKind::Damaged, format!("log value {expected} is missing")));
            }
        }
        self.head = *last;
        Ok(())
    }

    /// Applies one commit. `reader` reads the sealed values of this view's epoch.
    pub(crate) fn apply(&mut self, entry: LogEntry, reader: &Reader) -> Result<()> {
        let first = entry.head.requests.checked_sub(entry.requests.len() as u32);
        if first != Some(self.head.sealed_requests + self.tail.records.len() as u32) {
            return Err(Error::new(ErrorKind::Damaged, "log: the slots of new requests do not follow"));
        }
        for (request, slot) in entry.requests.into_iter().zip(first.unwrap_or_default()..) {
            self.tail.ids.entry(ids::hash(&request.id)).or_default().push(slot);
            self.tail.records.push(request);
        }
        for change in entry.changes {
            self.apply_change(change, reader)?;
        }
        self.head = entry.head;
        Ok(())
    }

    fn apply_change(&mut self, change: Change, reader: &Reader) -> Result<()> {
        let first = change.row.first_clock;
        for (clock, slot) in change.clocks.into_iter().zip(first..) {
            let before = match self.tail.clocks.get(&slot) {
                Some(row) => Some(*row),
                None if slot < self.head.sealed_clocks => Some(sealed_clock_row(reader, slot)?),
                None => None,
            };
            for (kind, row) in before.iter().flat_map(|before| rows_of(slot, before)) {
                self.indexes[kind as usize].remove(row);
            }
            for (kind, row) in rows_of(slot, &clock) {
                self.indexes[kind as usize].insert(row);
            }
            self.tail.clocks.insert(slot, clock);
        }
        let pending = &mut self.indexes[IndexKind::Pending as usize];
        for key in change.pending_removed {
            pending.remove(row(key, change.slot));
        }
        for key in change.pending_added {
            pending.insert(row(key, change.slot));
        }
        self.tail.requests.insert(change.slot, change.row);
        if !change.events.is_empty() {
            self.tail.events.entry(change.slot).or_default().extend(change.events);
        }
        Ok(())
    }
}
