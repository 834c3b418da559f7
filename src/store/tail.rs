//! The tail: the changes that the log holds since the last fold, by slot.
//!
//! Fixed rows are kept as they are; texts stay in the log values and are read when somebody asks for them.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use foldhash::fast::FixedState;

use super::codec;
use super::head::Head;
use super::log::{self, ReadChange, ReadRequest};
use super::records::{ClockRow, RequestRow};
use super::spread;
use super::topics::TopicRow;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Event;

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

/// Rows by slot: those that were sealed before and have changed, and the new ones, which follow one another.
#[derive(Debug)]
pub(crate) struct Rows<R> {
    first_new: u32,
    new: Vec<R>,
    changed: HashMap<u32, R, FixedState>,
}

impl<R: Copy> Rows<R> {
    fn new(first_new: u32) -> Rows<R> {
        Rows { first_new, new: Vec::new(), changed: HashMap::default() }
    }

    /// The row at `slot`, if it is new or changed.
    pub(crate) fn get(&self, slot: u32) -> Option<&R> {
        match slot.checked_sub(self.first_new) {
            Some(at) => self.new.get(at as usize),
            None => self.changed.get(&slot),
        }
    }

    fn set(&mut self, slot: u32, row: R) -> Result<()> {
        match slot.checked_sub(self.first_new) {
            None => drop(self.changed.insert(slot, row)),
            Some(at) if at as usize == self.new.len() => self.new.push(row),
            Some(at) => match self.new.get_mut(at as usize) {
                Some(known) => *known = row,
                None => {
                    return Err(Error::new(ErrorKind::Damaged, "log: the slots of new rows do not follow"));
                }
            },
        }
        Ok(())
    }

    /// All rows by rising slot.
    pub(crate) fn sorted(&self) -> impl Iterator<Item = (u32, R)> {
        let mut rows: Vec<(u32, R)> = self.changed.iter().map(|(slot, row)| (*slot, *row)).collect();
        rows.sort_unstable_by_key(|(slot, _)| *slot);
        rows.into_iter().chain((self.first_new..).zip(self.new.iter().copied()))
    }
}

/// New requests by the hash of their external ids.
#[derive(Debug)]
struct ById {
    first: HashMap<u64, u32, FixedState>,
    /// The second and further ones of one hash.
    more: Vec<(u64, u32)>,
}

impl ById {
    fn of(ids: &[(u64, u32)]) -> ById {
        let first = HashMap::with_capacity_and_hasher(ids.len(), FixedState::default());
        let mut by_id = ById { first, more: Vec::new() };
        ids.iter().for_each(|(hash, slot)| by_id.add(*hash, *slot));
        by_id
    }

    fn add(&mut self, hash: u64, slot: u32) {
        match self.first.entry(hash) {
            Entry::Vacant(entry) => drop(entry.insert(slot)),
            Entry::Occupied(_) => self.more.push((hash, slot)),
        }
    }
}

/// What the log holds since the last fold.
#[derive(Debug)]
pub(crate) struct Tail {
    values: Vec<Arc<Vec<u8>>>,
    /// New requests, from slot `Head::sealed_requests` on.
    records: Vec<Piece>,
    /// Hash of external id and slot of every new request.
    ids: Vec<(u64, u32)>,
    /// The same to look up, once somebody does: what is folded at once is never asked for.
    by_id: OnceLock<ById>,
    /// New and changed request rows.
    pub(crate) requests: Rows<RequestRow>,
    /// New and changed clock rows.
    pub(crate) clocks: Rows<ClockRow>,
    /// The newest group of a request's new events.
    newest: HashMap<u32, u32, FixedState>,
    groups: Vec<Group>,
    /// The newest row of a topic.
    newest_topic: HashMap<u64, u32, FixedState>,
    /// Rows of topics, each with the one of the same topic before it, or `NO_GROUP`.
    topics: Vec<(TopicRow, u32)>,
}

impl Tail {
    /// An empty tail after what `head` says is sealed.
    pub(crate) fn new(head: &Head) -> Tail {
        Tail {
            values: Vec::new(),
            records: Vec::new(),
            ids: Vec::new(),
            by_id: OnceLock::new(),
            requests: Rows::new(head.sealed_requests),
            clocks: Rows::new(head.sealed_clocks),
            newest: HashMap::default(),
            groups: Vec::new(),
            newest_topic: HashMap::default(),
            topics: Vec::new(),
        }
    }

    /// Takes the changes of one commit.
    pub(crate) fn take(&mut self, value: Vec<u8>) -> Result<()> {
        let number = self.values.len() as u32;
        let value = Arc::new(value);
        self.values.push(value.clone());
        let piece = |place: std::ops::Range<usize>| {
            // A value is below 4 GiB: the engine's limit is 3 GiB.
            Piece { value: number, from: place.start as u32, to: place.end as u32 }
        };
        let damaged = |what: &str| Err(Error::new(ErrorKind::Damaged, format!("log: {what}")));
        log::read(&value, |change: ReadChange<'_>| {
            if let Some(ReadRequest { hash, place }) = change.request {
                if change.slot.checked_sub(self.requests.first_new) != Some(self.records.len() as u32) {
                    return damaged("the slots of new requests do not follow");
                }
                self.records.push(piece(place));
                self.ids.push((hash, change.slot));
                if let Some(by_id) = self.by_id.get_mut() {
                    by_id.add(hash, change.slot);
                }
            }
            self.requests.set(change.slot, change.row)?;
            for bytes in change.clocks {
                let clock = ClockRow::read(bytes)?;
                let Some(slot) = change.row.first_clock.checked_add(u32::from(clock.clock)) else {
                    return damaged("too many clocks");
                };
                self.clocks.set(slot, clock)?;
            }
            for bytes in change.topics {
                let row = TopicRow::read(bytes)?;
                let before = self.newest_topic.insert(row.topic, self.topics.len() as u32);
                self.topics.push((row, before.unwrap_or(NO_GROUP)));
            }
            if change.events > 0 {
                let group = self.groups.len() as u32;
                let before = self.newest.insert(change.slot, group).unwrap_or(NO_GROUP);
                self.groups.push(Group { piece: piece(change.place), events: change.events, before });
            }
            Ok(())
        })
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
        let by_id = self.by_id.get_or_init(|| ById::of(&self.ids));
        let more = by_id.more.iter().filter(move |(other, _)| *other == hash).map(|(_, slot)| *slot);
        by_id.first.get(&hash).copied().into_iter().chain(more)
    }

    /// Every new request's hash and slot, by slot.
    pub(crate) fn ids(&self) -> &[(u64, u32)] {
        &self.ids
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

    /// How many new events a request has.
    pub(crate) fn events_of(&self, slot: u32) -> u32 {
        let (mut at, mut count) = (self.newest.get(&slot).copied().unwrap_or(NO_GROUP), 0_u32);
        while let Some(group) = self.groups.get(at as usize) {
            count = count.saturating_add(group.events);
            at = group.before;
        }
        count
    }

    /// Appends a request's new events in arrival order; `visit` is given the codec bytes of each.
    pub(crate) fn events(
        &self,
        slot: u32,
        found: &mut Vec<Event>,
        mut visit: impl FnMut(&[u8]),
    ) -> Result<()> {
        if !self.newest.contains_key(&slot) {
            return Ok(());
        }
        for (count, mut bytes) in self.event_groups(slot) {
            for _ in 0..count {
                let (event, used) = codec::decode(bytes)?;
                found.push(event);
                visit(&bytes[..used]);
                bytes = &bytes[used..];
            }
            if !bytes.is_empty() {
                return Err(Error::new(ErrorKind::Damaged, "log: bytes are left over after events"));
            }
        }
        Ok(())
    }

    /// A topic's places that came (true) or went, by the last word about each.
    pub(crate) fn topic(&self, topic: u64) -> BTreeMap<u64, bool> {
        let mut found = BTreeMap::new();
        let mut at = self.newest_topic.get(&topic).copied().unwrap_or(NO_GROUP);
        while let Some((row, before)) = self.topics.get(at as usize) {
            found.entry(row.place).or_insert(row.came);
            at = *before;
        }
        found
    }

    /// The last word about every place of every topic, in order. What went before it was ever sealed is left out.
    pub(crate) fn topics(&self) -> Vec<TopicRow> {
        // Of the same place the last comes first, and the others go.
        let mut rows: Vec<TopicRow> = self.topics.iter().rev().map(|(row, _)| *row).collect();
        spread::sort(&mut rows, |row| row.topic, |row| row.place);
        rows.dedup_by_key(|row| (row.topic, row.place));
        let sealed = self.requests.first_new;
        rows.retain(|row| row.came || row.slot() < sealed);
        rows
    }

    fn bytes(&self, piece: Piece) -> &[u8] {
        &self.values[piece.value as usize][piece.from as usize..piece.to as usize]
    }
}
