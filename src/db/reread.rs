//! Reads one stored value of any kind as the store does and writes it again: for fuzzing and for the tests of the format.

use std::collections::BTreeSet;

use super::policies::{Stored, readable_edition};
use crate::attainment::Cohort;
use crate::clock::Entry;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, FaqRecord, Request};
use crate::store::bytes::{Input, put_count};
use crate::store::expedites::ExpediteRow;
use crate::store::faq::StoredEntry;
use crate::store::head::Head;
use crate::store::log::{self, Change, LogEntry, Moves};
use crate::store::records::{ClockRow, RequestRow, row_at};
use crate::store::reminders::{Done, Schedule};
use crate::store::runs::{DIRECTORY, rows_of};
use crate::store::sealed::{SealedRows, seal_rows};
use crate::store::snapshot::{packed, packed_record};
use crate::store::tables::{META_FORMAT, Table};
use crate::store::topics::{self, TopicRow};
use crate::store::{codec, ids, notices};

/// The value that the store would write for what it reads from `payload`, the part of a value after its frame.
///
/// What was written by the store comes back byte for byte. `table` is the number of the table.
///
/// # Errors
/// `Damaged` for bytes that no value of this table and key consists of; `NotFound` if there is no such table.
pub fn reread(table: u8, key: u64, payload: &[u8]) -> Result<Vec<u8>> {
    let found = Table::ALL.iter().find(|found| **found as u8 == table);
    let Some(table) = found else {
        return Err(Error::new(ErrorKind::NotFound, format!("there is no table {table}")));
    };
    match table {
        Table::Meta if key == META_FORMAT => {
            let mut input = Input::new(payload);
            let (magic, format) = (*input.array::<8>()?, input.u32()?);
            input.end()?;
            Ok([&magic[..], &format.to_le_bytes()].concat())
        }
        Table::Meta => Ok(Head::read(payload)?.write()),
        Table::Policies => {
            let again = codec::encode(&codec::decode_all::<Stored>(payload)?)?;
            // The text in it is compiled when a request needs it.
            let _ = readable_edition(1, codec::decode_all(payload)?);
            Ok(again)
        }
        Table::Log => changes(payload),
        Table::Moves => moves(payload),
        Table::Records => records(payload),
        Table::Requests => rows(payload, RequestRow::read, RequestRow::write),
        Table::Clocks => rows(payload, ClockRow::read, ClockRow::write),
        Table::Events => groups(payload),
        Table::Ids if key == DIRECTORY => Ok(ids::Directory::read(payload)?.write()),
        Table::Ids => hashes(payload),
        Table::Index if key as u32 == 0 => directory(payload),
        Table::Index => sorted(payload),
        Table::Notices => notices::write(&notices::read(payload)?),
        Table::Consumers => {
            let mut input = Input::new(payload);
            let cursor = input.u64()?;
            let mut again = cursor.to_le_bytes().to_vec();
            codec::append(&mut again, &input.value::<String>()?)?;
            input.end()?;
            Ok(again)
        }
        Table::Interruptions => codec::encode(&codec::decode_all::<Entry>(payload)?),
        Table::Expedites => codec::encode(&codec::decode_all::<Vec<ExpediteRow>>(payload)?),
        Table::Reminders if key as u32 == 0 => codec::encode(&codec::decode_all::<Schedule>(payload)?),
        Table::Reminders => codec::encode(&codec::decode_all::<Done>(payload)?),
        Table::Topics if key == DIRECTORY => Ok(topics::Directory::read(payload)?.write()),
        Table::Topics => topic_rows(payload),
        Table::Faq => codec::encode(&codec::decode_all::<StoredEntry>(payload)?),
        Table::FaqActs => codec::encode(&codec::decode_all::<FaqRecord>(payload)?),
        Table::Periods => codec::encode(&codec::decode_all::<Cohort>(payload)?),
    }
}

fn damaged(what: &str) -> Error {
    Error::new(ErrorKind::Damaged, what)
}

/// A log value, change by change.
fn changes(payload: &[u8]) -> Result<Vec<u8>> {
    let mut entry = LogEntry::new(Head::default());
    log::read(payload, |read| {
        let place = read.request.as_ref().map(|new| &payload[new.place.clone()]);
        let request = place.map(codec::decode_all::<Request>).transpose()?;
        let mut input = Input::new(&payload[read.place.clone()]);
        let mut events: Vec<Event> = Vec::new();
        for _ in 0..read.events {
            events.push(input.value()?);
        }
        input.end()?;
        let clocks = read.clocks.iter().map(ClockRow::read).collect::<Result<Vec<_>>>()?;
        let topics = read.topics.iter().map(TopicRow::read).collect::<Result<Vec<_>>>()?;
        let events: Vec<&Event> = events.iter().collect();
        entry.push_change(&Change {
            slot: read.slot,
            row: read.row,
            request: request.as_ref(),
            events: &events,
            clocks: &clocks,
            topics: &topics,
            removed: &[],
            added: &[],
        })
    })?;
    Ok(entry.write()?.changes)
}

fn moves(payload: &[u8]) -> Result<Vec<u8>> {
    let read = Moves::read(payload)?;
    let touched: Vec<u32> = read.touched().collect();
    let mut again = Vec::with_capacity(payload.len());
    put_count(&mut again, touched.len())?;
    touched.iter().for_each(|slot| again.extend_from_slice(&slot.to_le_bytes()));
    for section in read.sections() {
        again.extend_from_slice(&[section.kind as u8, u8::from(section.came)]);
        put_count(&mut again, section.rows().len())?;
        section.rows().for_each(|row| again.extend_from_slice(&row.to_le_bytes()));
    }
    Ok(again)
}

/// Packed requests.
fn records(payload: &[u8]) -> Result<Vec<u8>> {
    let count = Input::new(payload).count(4)?;
    let (mut ends, mut bytes) = (Vec::new(), Vec::new());
    for index in 0..count {
        let record = packed_record(payload, index as u64)?;
        let _ = codec::first_text(record)?;
        codec::append(&mut bytes, &codec::decode_all::<Request>(record)?)?;
        ends.push(bytes.len() as u32);
    }
    packed(&ends, &bytes)
}

fn rows<const SIZE: usize, R>(
    payload: &[u8],
    read: impl Fn(&[u8; SIZE]) -> Result<R>,
    write: impl Fn(&R, &mut Vec<u8>),
) -> Result<Vec<u8>> {
    let mut again = Vec::with_capacity(payload.len());
    for index in 0..payload.len().div_ceil(SIZE) {
        write(&read(row_at(payload, index)?)?, &mut again);
    }
    Ok(again)
}

/// Groups of events, one after the other.
fn groups(payload: &[u8]) -> Result<Vec<u8>> {
    let mut input = Input::new(payload);
    let mut again = Vec::with_capacity(payload.len());
    while !input.rest().is_empty() {
        again.extend_from_slice(&input.u32()?.to_le_bytes());
        again.extend_from_slice(&input.u64()?.to_le_bytes());
        let count = input.count(2)?;
        put_count(&mut again, count)?;
        for _ in 0..count {
            codec::append(&mut again, &input.value::<Event>()?)?;
        }
    }
    Ok(again)
}

/// A block of the external ids, as the only one of a run, asked for each of its hashes.
fn hashes(payload: &[u8]) -> Result<Vec<u8>> {
    let directory = ids::Directory::of_block(payload)?;
    for hash in payload.as_chunks::<8>().0.iter().take(rows_of::<ids::Entry>(payload)) {
        directory.find(u64::from_le_bytes(*hash), &|_, visit| visit(payload))?;
    }
    Ok(payload.to_vec())
}

/// A block of topics, as the only one of a run.
fn topic_rows(payload: &[u8]) -> Result<Vec<u8>> {
    let again = rows(payload, TopicRow::read, TopicRow::write)?;
    topics::Directory::of_block(&again)?.each(&|_| Ok(payload.into()), drop)?;
    Ok(again)
}

/// The directory of an index. What it says of its blocks is held against them when they are read, here against nothing.
fn directory(payload: &[u8]) -> Result<Vec<u8>> {
    let sealed = SealedRows::from_directory(payload)?;
    let nothing = |_: u64| Ok(Vec::new());
    let _ = (sealed.len(), sealed.count_below(u64::MAX / 2, &nothing));
    Ok(payload.to_vec())
}

/// A block of an index.
fn sorted(payload: &[u8]) -> Result<Vec<u8>> {
    let (words, rest) = payload.as_chunks::<8>();
    let rows: BTreeSet<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
    if !rest.is_empty() || rows.is_empty() || rows.len() != words.len() {
        return Err(damaged("a block of an index that does not rise"));
    }
    let rows: Vec<u64> = rows.into_iter().collect();
    let (directory, blocks) = seal_rows(&rows);
    let sealed = SealedRows::from_directory(&directory)?;
    let load = |block: u64| Ok(blocks[block as usize - 1].clone());
    for row in [rows[0], rows[rows.len() / 2], u64::MAX] {
        sealed.count_below(row, &load)?;
    }
    let found = sealed.iter_from(0, &load).collect::<Result<Vec<u64>>>()?;
    Ok(found.iter().flat_map(|row| row.to_le_bytes()).collect())
}
