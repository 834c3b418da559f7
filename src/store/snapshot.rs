//! A snapshot: one consistent state of the file, sealed values and log together.

use std::cell::{Cell, OnceCell, RefCell};
use std::ops::{Deref, Range};
use std::rc::Rc;
use std::sync::{Arc, RwLockReadGuard};

use super::bytes::{Input, put_count};
use super::events::Chain;
use super::file::OpenFile;
use super::head::Head;
use super::ids;
use super::index::{Index, IndexKind};
use super::records::{ClockRow, NO_EVENTS, RequestRow, row_at};
use super::tables::{Reader, Table, Value};
use super::tail::Tail;
use super::view::{View, read_head};
use super::{codec, texts, topics};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, Request};

/// Payload bytes of a block that fits, framed and with the engine's own header, into one page of 4 KiB: what a look-up of
/// one request reads of each table.
pub(super) const PAGE_BYTES: usize = 4_060;
/// Request rows in a block: just under a page.
pub(crate) const REQUESTS_PER_BLOCK: u32 = 125;
/// Clock rows in a block: just under a page.
pub(crate) const CLOCKS_PER_BLOCK: u32 = 100;
/// Requests' texts in a block: of usual length, just under a page.
pub(super) const RECORDS_PER_BLOCK: u32 = 32;

/// The key of the block of texts that holds a request's: the first slot in it.
pub(super) const fn record_block_key(slot: u32) -> u64 {
    (slot - slot % RECORDS_PER_BLOCK) as u64
}

/// The key of block `block` of one of several sealed sequences in a table. Block 0 is the directory.
pub(crate) const fn sealed_key(sequence: u32, block: u32) -> u64 {
    (sequence as u64) << 32 | block as u64
}

/// A sealed value, verified: kept since it was read before, or where the engine has it.
#[derive(Clone)]
enum Block {
    Kept(Arc<[u8]>),
    Read(Rc<Value>),
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Block::Kept(bytes) => bytes,
            Block::Read(value) => value,
        }
    }
}

impl From<Block> for Arc<[u8]> {
    fn from(block: Block) -> Self {
        match block {
            Block::Kept(bytes) => bytes,
            Block::Read(value) => Arc::from(&**value),
        }
    }
}

/// All that was told about a request.
pub(crate) struct Told {
    /// What was submitted.
    pub(crate) request: Request,
    /// What happened, in arrival order.
    pub(crate) events: Vec<Event>,
    /// The sum of the digests of the texts of both.
    pub(crate) digest: u64,
}

/// A block and its key.
type Recent = (u64, Block);

/// One consistent state of the file.
pub(crate) struct Snapshot<'a> {
    pub(crate) view: RwLockReadGuard<'a, View>,
    pub(super) file: &'a OpenFile,
    /// Begun when something is asked for that is not in memory.
    reader: OnceCell<Reader>,
    /// The reader, begun late, met a later fold than the view knows of.
    stale: Cell<bool>,
    /// The blocks used last, by table: whoever reads row after row finds the next one in the same block.
    recent: RefCell<[Option<Recent>; Table::ALL.len()]>,
}

impl<'a> Snapshot<'a> {
    /// A state whose `reader` is of the view's commit, or is still to be begun by the only user of the file.
    pub(super) fn new(view: RwLockReadGuard<'a, View>, file: &'a OpenFile, reader: Option<Reader>) -> Self {
        let cell = OnceCell::new();
        if let Some(reader) = reader {
            let _ = cell.set(reader);
        }
        Snapshot { view, file, reader: cell, stale: Cell::new(false), recent: RefCell::default() }
    }

    /// Whether what the reader sees is sealed in another way than the view knows: then nothing read counts.
    pub(super) fn is_stale(&self) -> bool {
        self.stale.get()
    }

    /// Reads the file.
    pub(crate) fn reader(&self) -> Result<&Reader> {
        if let Some(reader) = self.reader.get() {
            return Ok(reader);
        }
        let reader = Reader::new(self.file.begin_read()?);
        if !self.view.same_epoch(&read_head(&reader)?) {
            self.stale.set(true);
            return Err(Error::new(ErrorKind::Busy, "the file was folded just now"));
        }
        Ok(self.reader.get_or_init(|| reader))
    }

    pub(crate) fn head(&self) -> &Head {
        &self.view.head
    }

    /// A block, if it is the one used last of its table.
    fn recent(&self, table: Table, key: u64) -> Option<Block> {
        let recent = &self.recent.borrow()[table as usize - 1];
        recent.as_ref().filter(|(recent, _)| *recent == key).map(|(_, block)| block.clone())
    }

    /// A sealed value, verified; a missing one is damage. Not for values that other commits than folds change.
    fn block(&self, table: Table, key: u64) -> Result<Block> {
        if let Some(block) = self.recent(table, key) {
            return Ok(block);
        }
        let blocks = &self.view.blocks;
        let block = match blocks.get(table, key) {
            Some(block) => Block::Kept(block),
            None => {
                let value = self.reader()?.value(table, key)?;
                if blocks.is_worth_keeping(table, key) {
                    let block: Arc<[u8]> = Arc::from(&*value);
                    blocks.put(table, key, block.clone());
                    Block::Kept(block)
                } else {
                    Block::Read(Rc::new(value))
                }
            }
        };
        self.recent.borrow_mut()[table as usize - 1] = Some((key, block.clone()));
        Ok(block)
    }

    /// The row of a request.
    pub(crate) fn request_row(&self, slot: u32) -> Result<RequestRow> {
        if self.is_changed(slot)
            && let Some(row) = self.tail()?.requests.get(slot)
        {
            return Ok(*row);
        }
        self.sealed_request_row(slot)
    }

    /// The row of a request as it was sealed.
    pub(super) fn sealed_request_row(&self, slot: u32) -> Result<RequestRow> {
        let (key, at) = (u64::from(slot / REQUESTS_PER_BLOCK), (slot % REQUESTS_PER_BLOCK) as usize);
        if let Some(block) = self.recent(Table::Requests, key) {
            return RequestRow::read(row_at(&block, at)?);
        }
        let found = &self.view.found;
        if let Some(row) = found.get(Table::Requests, u64::from(slot)) {
            return RequestRow::read(row_at(&row, 0)?);
        }
        let block = self.block(Table::Requests, key)?;
        let row: &[u8; RequestRow::SIZE] = row_at(&block, at)?;
        if found.get(Table::Records, u64::from(slot)).is_some() {
            found.put(Table::Requests, u64::from(slot), row.as_slice().into());
        }
        RequestRow::read(row)
    }

    /// The row of a clock.
    pub(crate) fn clock_row(&self, slot: u32) -> Result<ClockRow> {
        let tail = match self.view.known_tail() {
            None if slot >= self.view.head.sealed_clocks => Some(self.tail()?),
            known => known,
        };
        if let Some(row) = tail.and_then(|tail| tail.clocks.get(slot)) {
            return Ok(*row);
        }
        let row = self.sealed_clock_row(slot)?;
        if tail.is_none() && self.view.is_touched(row.request) {
            return Ok(self.tail()?.clocks.get(slot).copied().unwrap_or(row));
        }
        Ok(row)
    }

    /// The row of a clock as it was sealed.
    pub(super) fn sealed_clock_row(&self, slot: u32) -> Result<ClockRow> {
        let block = self.block(Table::Clocks, u64::from(slot / CLOCKS_PER_BLOCK))?;
        ClockRow::read(row_at(&block, (slot % CLOCKS_PER_BLOCK) as usize)?)
    }

    /// The changes since the last fold.
    fn tail(&self) -> Result<&Tail> {
        self.view.tail(|| self.reader())
    }

    /// Whether a request is new or changed since the last fold.
    fn is_changed(&self, slot: u32) -> bool {
        slot >= self.view.head.sealed_requests || self.view.is_touched(slot)
    }

    /// Hands over the rows of many clocks, each with its position in `slots`, in the order that reads the file least.
    pub(crate) fn each_clock(
        &self,
        slots: impl Iterator<Item = u32>,
        mut visit: impl FnMut(usize, &ClockRow) -> Result<()>,
    ) -> Result<()> {
        let mut order: Vec<u64> = slots.zip(0_u64..).map(|(slot, at)| u64::from(slot) << 32 | at).collect();
        order.sort_unstable();
        order
            .into_iter()
            .try_for_each(|place| visit(place as u32 as usize, &self.clock_row((place >> 32) as u32)?))
    }

    /// All clock rows of a request.
    pub(crate) fn clock_rows(&self, request: &RequestRow) -> Result<Vec<ClockRow>> {
        (0..u32::from(request.clocks)).map(|index| self.clock_row(request.first_clock + index)).collect()
    }

    /// What was submitted as request `slot`.
    pub(crate) fn request(&self, slot: u32) -> Result<Request> {
        self.record(slot, codec::decode_all)
    }

    /// Hands over the external id of a request, without reading the rest of it.
    pub(crate) fn with_request_id<T>(&self, slot: u32, read: impl FnOnce(&str) -> T) -> Result<T> {
        if let Some(id) = self.mirrored_id(slot) {
            return Ok(read(id));
        }
        self.record(slot, |bytes| codec::first_text(bytes).map(read))
    }

    /// The external id of a request.
    pub(crate) fn request_id(&self, slot: u32) -> Result<String> {
        self.with_request_id(slot, str::to_owned)
    }

    fn record<T>(&self, slot: u32, read: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        if let Some(index) = slot.checked_sub(self.view.head.sealed_requests) {
            let bytes = self.tail()?.record(index as usize);
            return bytes.map(read).unwrap_or_else(|| {
                Err(Error::new(ErrorKind::Damaged, format!("request slot {slot} does not exist")))
            });
        }
        let key = record_block_key(slot);
        let block = match self.recent(Table::Records, key) {
            Some(block) => block,
            None => match self.view.found.get(Table::Records, u64::from(slot)) {
                Some(bytes) => return read(&bytes),
                None => self.block(Table::Records, key)?,
            },
        };
        read(packed_record(&block, u64::from(slot) - key)?)
    }

    /// All events of a request in arrival order, the receipt not among them.
    pub(crate) fn events(&self, slot: u32, row: &RequestRow) -> Result<Vec<Event>> {
        self.events_and(slot, row, &mut |_, _| {})
    }

    /// All that was told about a request, and the sum of the digests of that.
    pub(crate) fn told(&self, slot: u32, row: &RequestRow) -> Result<Told> {
        let (request, first) = self.record(slot, |bytes| {
            Ok((codec::decode_all(bytes)?, texts::digest(slot, texts::REQUEST, bytes)))
        })?;
        let mut digest: u64 = first;
        let events = self.events_and(slot, row, &mut |number, bytes| {
            digest = digest.wrapping_add(texts::digest(slot, number, bytes));
        })?;
        Ok(Told { request, events, digest })
    }

    /// As [`events`](Self::events); hands over the number and codec bytes of each, in any order.
    fn events_and(
        &self,
        slot: u32,
        row: &RequestRow,
        visit: &mut dyn FnMut(u32, &[u8]),
    ) -> Result<Vec<Event>> {
        let mut found = Vec::with_capacity(row.events as usize % 4096);
        let tail = if self.is_changed(slot) { Some(self.tail()?) } else { None };
        // Events are numbered on from the sealed ones.
        let sealed = row.events.saturating_sub(tail.map_or(0, |tail| tail.events_of(slot)));
        if row.newest_events != NO_EVENTS {
            let chain = Chain {
                slot,
                newest: row.newest_events,
                blocks: self.view.head.event_blocks,
                events: sealed,
            };
            chain.read(&|number| self.block(Table::Events, number), &mut found, visit)?;
        }
        if let Some(tail) = tail {
            let mut number = sealed;
            tail.events(slot, &mut found, |bytes| {
                number = number.saturating_add(1);
                visit(number, bytes);
            })?;
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
        for slot in self.tail()?.with_hash(hash) {
            if self.with_request_id(slot, |found| found == id)? {
                return Ok(Some(slot));
            }
        }
        let found = &self.view.found;
        if let Some(slot) = found.get(Table::Ids, hash).and_then(|slot| slot.first_chunk().copied()) {
            let slot = u32::from_le_bytes(slot);
            if self.with_request_id(slot, |found| found == id)? {
                return Ok(Some(slot));
            }
        }
        let with = |key: u64, read: &mut dyn FnMut(&[u8]) -> Result<()>| read(&self.block(Table::Ids, key)?);
        for slot in self.view.ids.find(hash, &with)? {
            if self.with_request_id(slot, |found| found == id)? {
                self.record(slot, |bytes| {
                    found.put(Table::Ids, hash, slot.to_le_bytes().as_slice().into());
                    found.put(Table::Records, u64::from(slot), bytes.into());
                    Ok(())
                })?;
                return Ok(Some(slot));
            }
        }
        Ok(None)
    }

    /// The live places of a topic below `below`, newest first, until `visit` returns false.
    pub(crate) fn visit_topic(
        &self,
        topic: u64,
        below: Option<u64>,
        mut visit: impl FnMut(u64) -> Result<bool>,
    ) -> Result<()> {
        let recent = self.tail()?.topic(topic);
        let directory = topics::read_directory(self.reader()?)?;
        let load = |key: u64| self.block(Table::Topics, key).map(Arc::from);
        for place in directory.newest_first(topic, below, &recent, &load) {
            if !visit(place?)? {
                break;
            }
        }
        Ok(())
    }

    /// Every live place of every topic, in order.
    pub(crate) fn topics(&self) -> Result<Vec<(u64, u64)>> {
        let recent = self.tail()?.topics();
        let is_recent =
            |key: (u64, u64)| recent.binary_search_by_key(&key, |row| (row.topic, row.place)).is_ok();
        let mut found = Vec::new();
        let load = |key: u64| self.block(Table::Topics, key).map(Arc::from);
        topics::read_directory(self.reader()?)?.each(&load, |row| {
            if !is_recent((row.topic, row.place)) {
                found.push((row.topic, row.place));
            }
        })?;
        found.extend(recent.iter().filter(|row| row.came).map(|row| (row.topic, row.place)));
        found.sort_unstable();
        Ok(found)
    }

    /// One of the ordered indexes.
    pub(crate) fn index(&self, kind: IndexKind) -> &Index {
        &self.view.indexes[kind as usize]
    }

    /// Hands over the rows of a range of an index in rising order, many at a time, until `visit` returns false.
    pub(crate) fn visit_slices(
        &self,
        kind: IndexKind,
        range: Range<u64>,
        visit: &mut dyn FnMut(&[u64]) -> Result<bool>,
    ) -> Result<bool> {
        self.index(kind).visit_slices(range, &|block| self.load_block(kind, block), visit)
    }

    /// Reads a sealed block of an index.
    pub(crate) fn load_block(&self, kind: IndexKind, block: u64) -> Result<Vec<u8>> {
        load_block(self.reader()?, kind, block)
    }
}

/// Reads a sealed block of an index.
pub(crate) fn load_block(reader: &Reader, kind: IndexKind, block: u64) -> Result<Vec<u8>> {
    reader.must(Table::Index, sealed_key(kind as u32, block as u32), |payload| Ok(payload.to_vec()))
}

/// A packed block of records that lie one after the other: a count, that many end offsets, the records.
pub(crate) fn packed(ends: &[u32], bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(4 + ends.len() * 4 + bytes.len());
    put_count(&mut out, ends.len())?;
    for end in ends {
        out.extend_from_slice(&end.to_le_bytes());
    }
    out.extend_from_slice(bytes);
    Ok(out)
}

/// The bytes of record `index` of a packed block.
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
