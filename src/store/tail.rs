//! The tail: what the log holds since the last fold, by slot.
//!
//! Fixed rows are kept as they are; texts stay in the log values and are read when somebody asks for them.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::codec;
use super::log::{self, ReadChange, ReadRequest};
use super::records::{ClockRow, RequestRow};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Event;

/// A map by a number that the store itself gave.
pub(crate) type BySlot<V> = HashMap<u32, V, FixedState>;

/// Bytes in one of the log values.
#[derive(Clone, Copy, Debug)]
struct Piece {
    value: u32,
    from: u32,
    to: u32,
}

/// Events that one commit recorded on one request.
#[derive(Clone, Copy, Debug)]
struct Group {
    piece: Piece,
    events: u32,
    /// The group of the same request before it, or `NO_GROUP`.
    before: u32,
}

const NO_GROUP: u32 = u32::MAX;

/// What the log holds since the last fold.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    values: Vec<Arc<[u8]>>,
    /// New requests, from slot `Head::sealed_requests` on.
    records: Vec<Piece>,
    /// Hash of external id → slot of a new request.
    ids: HashMap<u64, u32, FixedState>,
    /// The same for the second and further ones of one hash.
    more_ids: Vec<(u64, u32)>,
    /// New and changed request rows.
    pub(crate) requests: BySlot<RequestRow>,
    /// New and changed clock rows.
    pub(crate) clocks: BySlot<ClockRow>,
    /// The newest group of a request's new events.
    newest: BySlot<u32>,
    groups: Vec<Group>,
}

impl Tail {
    /// Makes room for about so many operations.
    pub(crate) fn reserve(&mut self, operations: usize) {
        self.requests.reserve(operations);
        self.clocks.reserve(operations);
    }

    /// Takes one log value. `moved` is told of every index row that comes (true) or goes.
    pub(crate) fn take(
        &mut self,
        value: Arc<[u8]>,
        sealed_requests: u32,
        mut moved: impl FnMut(log::IndexRow, bool),
    ) -> Result<()> {
        let number = self.values.len() as u32;
        self.values.push(value.clone());
        let piece = |place: std::ops::Range<usize>| {
            // A value is below 4 GiB: the engine's limit is 3 GiB.
            Piece { value: number, from: place.start as u32, to: place.end as u32 }
        };
        let Tail { records, ids, more_ids, requests, clocks, newest, groups, .. } = self;
        let new_request = |ReadRequest { slot, hash, place }: ReadRequest| {
            if slot.checked_sub(sealed_requests) != Some(records.len() as u32) {
                return Err(Error::new(ErrorKind::Damaged, "log: the slots of new requests do not follow"));
            }
            records.push(piece(place));
            match ids.entry(hash) {
                std::collections::hash_map::Entry::Vacant(entry) => drop(entry.insert(slot)),
                std::collections::hash_map::Entry::Occupied(_) => more_ids.push((hash, slot)),
            }
            Ok(())
        };
        let change = |change: ReadChange<'_>| {
            change.removed().try_for_each(|row| row.map(|row| moved(row, false)))?;
            change.added().try_for_each(|row| row.map(|row| moved(row, true)))?;
            for bytes in change.clocks {
                let clock = ClockRow::read(bytes)?;
                let slot = change.row.first_clock.checked_add(u32::from(clock.clock));
                let slot = slot.ok_or_else(|| Error::new(ErrorKind::Damaged, "log: too many clocks"))?;
                clocks.insert(slot, clock);
            }
            requests.insert(change.slot, change.row);
            if change.events > 0 {
                let group = groups.len() as u32;
                let before = newest.insert(change.slot, group).unwrap_or(NO_GROUP);
                groups.push(Group { piece: piece(change.place), events: change.events, before });
            }
            Ok(())
        };
        log::read(&value, new_request, change)
    }

    /// The codec bytes of the new request `index`.
    pub(crate) fn record(&self, index: usize) -> Option<&[u8]> {
        self.records.get(index).map(|piece| self.bytes(*piece))
    }

    /// The codec bytes of all new requests, by slot.
    pub(crate) fn records(&self) -> impl Iterator<Item = &[u8]> {
        self.records.iter().map(|piece| self.bytes(*piece))
    }

    /// The slots of new requests with this hash.
    pub(crate) fn with_hash(&self, hash: u64) -> impl Iterator<Item = u32> {
        let more = self.more_ids.iter().filter(move |(other, _)| *other == hash).map(|(_, slot)| *slot);
        self.ids.get(&hash).copied().into_iter().chain(more)
    }

    /// Every new request's hash and slot, in any order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = (u64, u32)> {
        self.ids.iter().map(|(hash, slot)| (*hash, *slot)).chain(self.more_ids.iter().copied())
    }

    /// Requests with new events, in any order.
    pub(crate) fn with_events(&self) -> impl Iterator<Item = u32> {
        self.newest.keys().copied()
    }

    /// A request's new events in arrival order: how many, and their codec bytes.
    pub(crate) fn event_groups(&self, slot: u32) -> Vec<(u32, &[u8])> {
        let mut found = Vec::new();
        let mut at = self.newest.get(&slot).copied().unwrap_or(NO_GROUP);
        while let Some(group) = self.groups.get(at as usize) {
            found.push((group.events, self.bytes(group.piece)));
            at = group.before;
        }
        found.reverse();
        found
    }

    /// Appends a request's new events in arrival order.
    pub(crate) fn events(&self, slot: u32, found: &mut Vec<Event>) -> Result<()> {
        if !self.newest.contains_key(&slot) {
            return Ok(());
        }
        for (count, mut bytes) in self.event_groups(slot) {
            for _ in 0..count {
                let (event, used) = codec::decode(bytes)?;
                found.push(event);
                bytes = &bytes[used..];
            }
            if !bytes.is_empty() {
                return Err(Error::new(ErrorKind::Damaged, "log: bytes are left over after events"));
            }
        }
        Ok(())
    }

    fn bytes(&self, piece: Piece) -> &[u8] {
        &self.values[piece.value as usize][piece.from as usize..piece.to as usize]
    }
}
