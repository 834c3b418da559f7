//! Sealed events: append-only groups, each with a pointer to the group of the same request before it, so that the
//! events of one request are read without scanning anything.

use std::ops::Deref;

use super::bytes::{Input, put_count};
use super::records::NO_EVENTS;
use super::snapshot::PAGE_BYTES;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Event;

/// Bytes before the events of a group: slot, pointer and count.
const GROUP_BYTES: usize = 16;

/// A block's number and bytes.
pub(crate) type Block = (u64, Vec<u8>);

/// Packs groups into blocks.
pub(crate) struct Packer {
    block: u32,
    bytes: Vec<u8>,
    done: Vec<Block>,
}

impl Packer {
    /// Blocks are numbered from `first` on.
    pub(crate) fn new(first: u32) -> Packer {
        Packer { block: first, bytes: Vec::new(), done: Vec::new() }
    }

    /// Appends the newest events of a request and returns the pointer to them.
    ///
    /// Each of `groups` is a number of events and their codec bytes.
    pub(crate) fn add(&mut self, slot: u32, previous: u64, groups: &[(u32, &[u8])]) -> Result<u64> {
        let more = GROUP_BYTES + groups.iter().map(|(_, events)| events.len()).sum::<usize>();
        if !self.bytes.is_empty() && self.bytes.len() + more > PAGE_BYTES {
            self.close()?;
        }
        let pointer = u64::from(self.block) << 32 | self.bytes.len() as u64;
        self.bytes.extend_from_slice(&slot.to_le_bytes());
        self.bytes.extend_from_slice(&previous.to_le_bytes());
        put_count(&mut self.bytes, groups.iter().map(|(count, _)| *count as usize).sum())?;
        groups.iter().for_each(|(_, events)| self.bytes.extend_from_slice(events));
        Ok(pointer)
    }

    fn close(&mut self) -> Result<()> {
        self.done.push((u64::from(self.block), std::mem::take(&mut self.bytes)));
        self.block = self.block.checked_add(1).ok_or_else(|| {
            Error::new(ErrorKind::OutOfRange, "too many event blocks: compact the database")
        })?;
        Ok(())
    }

    /// The blocks by number, and the next number.
    pub(crate) fn finish(mut self) -> Result<(Vec<Block>, u32)> {
        if !self.bytes.is_empty() {
            self.close()?;
        }
        Ok((self.done, self.block))
    }
}

/// The sealed events of a request.
pub(crate) struct Chain {
    pub(crate) slot: u32,
    /// The pointer to the newest group.
    pub(crate) newest: u64,
    /// How many event blocks there are.
    pub(crate) blocks: u32,
    /// How many events of the request are sealed.
    pub(crate) events: u32,
}

impl Chain {
    /// Appends the events to `found`, oldest first, following the chain from the newest group. `block` hands over an event
    /// block by its number, `visit` is given the number, from 1, and codec bytes of each event, the newest group first.
    pub(crate) fn read<B: Deref<Target = [u8]>>(
        &self,
        block: &dyn Fn(u64) -> Result<B>,
        found: &mut Vec<Event>,
        visit: &mut dyn FnMut(u32, &[u8]),
    ) -> Result<()> {
        let (mut pointer, mut last) = (self.newest, self.events);
        // Every pointer leads to an earlier place, so the chain ends even in a damaged file.
        let mut bound = u64::from(self.blocks) << 32;
        let first = found.len();
        while pointer != NO_EVENTS {
            if pointer >= bound {
                return Err(self.damaged("its chain of events is broken"));
            }
            bound = pointer;
            let bytes = block(pointer >> 32)?;
            let mut input = Input::from(&bytes, pointer as u32 as usize)?;
            if input.u32()? != self.slot {
                return Err(self.damaged("these are not its events"));
            }
            let previous = input.u64()?;
            let count = input.count(2)?;
            let before = last.saturating_sub(count as u32);
            let from = found.len();
            for number in (before.saturating_add(1)..).take(count) {
                let rest = input.rest();
                found.push(input.value()?);
                visit(number, &rest[..rest.len() - input.rest().len()]);
            }
            // The groups come newest first, so their events do here.
            found[from..].reverse();
            (pointer, last) = (previous, before);
        }
        found[first..].reverse();
        Ok(())
    }

    fn damaged(&self, what: &str) -> Error {
        Error::new(ErrorKind::Damaged, format!("request slot {}: {what}", self.slot))
    }
}
