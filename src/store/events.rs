//! Sealed events: append-only groups, each with a pointer to the group of the same request before it, so that the
//! events of one request are read without scanning anything.

use std::sync::Arc;

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

/// Appends the events of request `slot` to `found`, oldest group first, following the chain from `newest`.
///
/// `block` hands over an event block by its number.
pub(crate) fn read_chain(
    block: &dyn Fn(u64) -> Result<Arc<[u8]>>,
    slot: u32,
    newest: u64,
    blocks: u32,
    found: &mut Vec<Event>,
) -> Result<()> {
    let mut groups: Vec<Vec<Event>> = Vec::new();
    let mut pointer = newest;
    // Every pointer leads to an earlier place, so the chain ends even in a damaged file.
    let mut bound = u64::from(blocks) << 32;
    while pointer != NO_EVENTS {
        if pointer >= bound {
            return Err(Error::new(
                ErrorKind::Damaged,
                format!("request slot {slot}: its chain of events is broken"),
            ));
        }
        bound = pointer;
        let bytes = block(pointer >> 32)?;
        let mut input = Input::from(&bytes, pointer as u32 as usize)?;
        if input.u32()? != slot {
            return Err(Error::new(
                ErrorKind::Damaged,
                format!("these are not events of request slot {slot}"),
            ));
        }
        let previous = input.u64()?;
        let count = input.count(2)?;
        let group = (0..count).map(|_| input.value()).collect::<Result<Vec<Event>>>()?;
        groups.push(group);
        pointer = previous;
    }
    found.extend(groups.into_iter().rev().flatten());
    Ok(())
}
