//! A snapshot: one consistent state of the file, sealed values and log together.

use std::sync::RwLockReadGuard;

use super::bytes::Input;
use super::head::Head;
use super::ids;
use super::index::{Index, IndexKind};
use super::records::{ClockRow, NO_EVENTS, RequestRow, row_at};
use super::tables::{Reader, Table};
use super::view::View;
use super::{codec, events};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, Request};

/// Request rows in a block: just under 16 KiB.
pub(crate) const REQUESTS_PER_BLOCK: u32 = 500;
/// Clock rows in a block: just under 16 KiB.
pub(crate) const CLOCKS_PER_BLOCK: u32 = 400;

/// The key of block `block` of one of several sealed sequences in a table. Block 0 is the directory.
pub(crate) const fn sealed_key(sequence: u32, block: u32) -> u64 {
    (sequence as u64) << 32 | block as u64
}

/// A clock row from the sealed values.
pub(crate) fn sealed_clock_row(reader: &Reader, slot: u32) -> Result<ClockRow> {
    reader.must(Table::Clocks, u64::from(slot / CLOCKS_PER_BLOCK), |block| {
        ClockRow::read(row_at(block, (slot % CLOCKS_PER_BLOCK) as usize)?)
    })
}

/// A request row from the sealed values.
pub(crate) fn sealed_request_row(reader: &Reader, slot: u32) -> Result<RequestRow> {
    reader.must(Table::Requests, u64::from(slot / REQUESTS_PER_BLOCK), |block| {
        RequestRow::read(row_at(block, (slot % REQUESTS_PER_BLOCK) as usize)?)
    })
}

/// One consistent state of the file.
pub(crate) struct Snapshot<'a> {
    pub(crate) view: RwLockReadGuard<'a, View>,
    pub(crate) reader: Reader,
}

impl Snapshot<'_> {
    pub(crate) fn head(&self) -> &Head {
        &self.view.head
    }

    /// The row of a request.
    pub(crate) fn request_row(&self, slot: u32) -> Result<RequestRow> {
        match self.view.tail.requests.get(&slot) {
            Some(row) => Ok(*row),
            None => sealed_request_row(&self.reader, slot),
        }
    }

    /// The row of a clock.
    pub(crate) fn clock_row(&self, slot: u32) -> Result<ClockRow> {
        match self.view.tail.clocks.get(&slot) {
            Some(row) => Ok(*row),
            None => sealed_clock_row(&self.reader, slot),
        }
    }

    /// All clock rows of a request.
    pub(crate) fn clock_rows(&self, request: &RequestRow) -> Result<Vec<ClockRow>> {
        (0..u32::from(request.clocks)).map(|index| self.clock_row(request.first_clock + index)).collect()
    }

    /// What was submitted as request `slot`.
    pub(crate) fn request(&self, slot: u32) -> Result<Request> {
        self.record(slot, codec::decode_all, Clone::clone)
    }

    /// The external id of a request, without reading the rest of it.
    pub(crate) fn request_id(&self, slot: u32) -> Result<String> {
        self.record(slot, |bytes| Ok(codec::decode::<String>(bytes)?.0), |request| request.id.clone())
    }

    fn record<T>(
        &self,
        slot: u32,
        sealed: impl FnOnce(&[u8]) -> Result<T>,
        tail: impl FnOnce(&Request) -> T,
    ) -> Result<T> {
        if let Some(index) = slot.checked_sub(self.view.head.sealed_requests) {
            let request = self.view.tail.records.get(index as usize);
            return request.map(tail).ok_or_else(|| {
                Error::new(ErrorKind::Damaged, format!("request slot {slot} does not exist"))
            });
        }
        let found = self.reader.with_last_until(Table::Records, u64::from(slot), |first, block| {
            sealed(packed_record(block, u64::from(slot) - first)?)
        })?;
        found.ok_or_else(|| {
            Error::new(ErrorKind::Damaged, format!("record of request slot {slot} is missing"))
        })
    }

    /// All events of a request in arrival order, the receipt not among them.
    pub(crate) fn events(&self, slot: u32, row: &RequestRow) -> Result<Vec<Event>> {
        let mut found = Vec::with_capacity(row.events as usize % 4096);
        if row.newest_events != NO_EVENTS {
            events::read_chain(
                &self.reader,
                slot,
                row.newest_events,
                self.view.head.event_blocks,
                &mut found,
            )?;
        }
        if let Some(tail) = self.view.tail.events.get(&slot) {
            found.extend(tail.iter().cloned());
        }
        if found.len() != row.events as usize {
            return Err(Error::new(
                ErrorKind::Damaged,
                format!(
                    "request slot {slot}: {} events are stored, its row says {}",
                    found.len(),
                    row.events
                ),
            ));
        }
        Ok(found)
    }

    /// The slot of the request with this external id.
    pub(crate) fn find(&self, id: &str) -> Result<Option<u32>> {
        let hash = ids::hash(id);
        let recent = self.view.tail.ids.get(&hash).into_iter().flatten().copied();
        for slot in recent {
            if self.request_id(slot)? == id {
                return Ok(Some(slot));
            }
        }
        let load = |key: u64| self.reader.must(Table::Ids, key, |payload| Ok(payload.to_vec()));
        for slot in self.view.ids.find(hash, &load)? {
            if self.request_id(slot)? == id {
                return Ok(Some(slot));
            }
        }
        Ok(None)
    }

    /// One of the ordered indexes.
    pub(crate) fn index(&self, kind: IndexKind) -> &Index {
        &self.view.indexes[kind as usize]
    }

    /// Visits the rows of an index from `start` on, in rising order, until `visit` returns false.
    pub(crate) fn visit_index(
        &self,
        kind: IndexKind,
        start: u64,
        mut visit: impl FnMut(u64) -> Result<bool>,
    ) -> Result<()> {
        let load = |block: u64| self.load_block(kind, block);
        for row in self.index(kind).iter_from(start, &load) {
            if !visit(row?)? {
                break;
            }
        }
        Ok(())
    }

    /// Reads a sealed block of an index.
    pub(crate) fn load_block(&self, kind: IndexKind, block: u64) -> Result<Vec<u8>> {
        self.reader.must(Table::Index, sealed_key(kind as u32, block as u32), |payload| Ok(payload.to_vec()))
    }
}

/// The bytes of record `index` of a packed block: a count, that many end offsets, the records.
pub(crate) fn packed_record(block: &[u8], index: u64) -> Result<&[u8]> {
    let mut input = Input::new(block);
    let count = input.count(4)?;
    let table = input.take(count * 4)?;
    let wanted = usize::try_from(index).ok().filter(|index| *index < count).ok_or_else(|| {
        Error::new(ErrorKind::Damaged, format!("record {index} of a block of {count} does not exist"))
    })?;
    let end = |index: usize| {
        let at = index * 4;
        u32::from_le_bytes([table[at], table[at + 1], table[at + 2], table[at + 3]]) as usize
    };
    let from = if wanted == 0 { 0 } else { end(wanted - 1) };
    let bytes = input.rest();
    bytes
        .get(from..end(wanted))
        .ok_or_else(|| Error::new(ErrorKind::Damaged, format!("record {index} lies outside its block")))
}
