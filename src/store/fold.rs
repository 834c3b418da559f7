//! Folding: what the log holds moves into the sealed values, in one transaction, and the log starts anew.
//!
//! Done rarely, so that its cost spreads over many operations; a commit in between only appends.

use super::events::Packer;
use super::head::Head;
use super::ids;
use super::index::{IndexKind, row};
use super::records::RequestRow;
use super::runs::{DIRECTORY, Directory, Row, keys_of};
use super::sealed;
use super::snapshot::{
    CLOCKS_PER_BLOCK, REQUESTS_PER_BLOCK, load_block, packed, packed_record, record_block_key, sealed_key,
};
use super::spread;
use super::tables::{META_HEAD, Reader, Table, Writer};
use super::topics;
use super::view::View;
use crate::error::Result;

/// Operations in the log after which a write folds it first.
pub(crate) const FOLD_AFTER: u32 = 65_536;

/// Writes all that the view has of the log into the sealed values. `reader` reads those of the view's epoch.
pub(crate) fn fold(view: &View, reader: &Reader, writer: &Writer<'_>) -> Result<()> {
    let before = view.head;
    let tail = view.tail(|| Ok(reader))?;
    seal_records(before.sealed_requests, tail.records(), reader, writer)?;
    let mut ids: Vec<ids::Entry> = tail.ids().to_vec();
    if !ids.is_empty() {
        spread::sort(&mut ids, |(hash, _)| *hash, |(_, slot)| *slot);
        fold_runs(Table::Ids, &view.ids, ids, reader, writer)?;
    }
    let rows = tail.topics();
    if !rows.is_empty() {
        fold_runs(Table::Topics, &topics::read_directory(reader)?, rows, reader, writer)?;
    }

    let mut packer = Packer::new(before.event_blocks);
    let mut with_events: Vec<u32> = tail.with_events().collect();
    with_events.sort_unstable();
    let mut newest = Vec::with_capacity(with_events.len());
    for slot in with_events {
        if let Some(row) = tail.requests.get(slot) {
            newest.push((slot, packer.add(slot, row.newest_events, &tail.event_groups(slot))?));
        }
    }
    let (event_blocks, next_event_block) = packer.finish()?;
    writer.put_all(Table::Events, event_blocks.into_iter())?;

    let mut newest = newest.into_iter().peekable();
    let requests = tail.requests.sorted().map(|(slot, row)| {
        let events = newest.next_if(|(with, _)| *with == slot);
        (slot, events.map_or(row, |(_, newest_events)| RequestRow { newest_events, ..row }).bytes())
    });
    patch_blocks(reader, writer, Table::Requests, REQUESTS_PER_BLOCK, requests)?;
    let clocks = tail.clocks.sorted().map(|(slot, row)| (slot, row.bytes()));
    patch_blocks(reader, writer, Table::Clocks, CLOCKS_PER_BLOCK, clocks)?;
    for kind in IndexKind::ALL {
        fold_index(view, reader, writer, kind)?;
    }
    if before.seq > before.folded {
        for table in [Table::Log, Table::Moves] {
            writer.remove_range(table, before.folded + 1..=before.seq)?;
        }
    }
    let after = Head {
        epoch: before.epoch + 1,
        folded: before.seq,
        sealed_requests: before.requests,
        sealed_clocks: before.clocks,
        event_blocks: next_event_block,
        unfolded: 0,
        ..before
    };
    writer.put(Table::Meta, META_HEAD, &after.write())
}

/// Adds codec requests, from slot `first` on, to their blocks.
fn seal_records<'a>(
    first: u32,
    records: impl Iterator<Item = &'a [u8]>,
    reader: &Reader,
    writer: &Writer<'_>,
) -> Result<()> {
    let mut records = records.zip(first..).peekable();
    let mut blocks = writer.table(Table::Records)?;
    let (mut bytes, mut ends) = (Vec::new(), Vec::<u32>::new());
    let mut is_first = true;
    while let Some(key) = records.peek().map(|(_, slot)| record_block_key(*slot)) {
        bytes.clear();
        ends.clear();
        let mut add = |record: &[u8]| {
            bytes.extend_from_slice(record);
            ends.push(bytes.len() as u32);
        };
        // Only the first block can have records already.
        if u64::from(first) > key && is_first {
            let sealed = u64::from(first) - key;
            reader.must(Table::Records, key, |block| {
                (0..sealed).try_for_each(|index| packed_record(block, index).map(&mut add))
            })?;
        }
        while let Some((record, _)) = records.next_if(|(_, slot)| record_block_key(*slot) == key) {
            add(record);
        }
        blocks.put(key, &packed(&ends, &bytes)?)?;
        is_first = false;
    }
    Ok(())
}

/// Adds rows, in order, to the runs of a table.
fn fold_runs<R: Row>(
    table: Table,
    directory: &Directory<R>,
    rows: Vec<R>,
    reader: &Reader,
    writer: &Writer<'_>,
) -> Result<()> {
    let load = |key: u64| reader.must(table, key, |payload| Ok(payload.into()));
    let plan = directory.add_run(rows, &load)?;
    for run in plan.dropped_runs {
        writer.remove_range(table, keys_of(run))?;
    }
    writer.put_all(table, plan.blocks.into_iter())?;
    writer.put(table, DIRECTORY, &plan.directory)
}

/// Rewrites the blocks of fixed rows that hold a changed row; `rows` past the end extend the sequence.
fn patch_blocks<const SIZE: usize>(
    reader: &Reader,
    writer: &Writer<'_>,
    table: Table,
    per_block: u32,
    rows: impl Iterator<Item = (u32, [u8; SIZE])>,
) -> Result<()> {
    let mut rows = rows.peekable();
    let mut blocks = writer.table(table)?;
    let mut bytes = Vec::with_capacity(per_block as usize * SIZE);
    while let Some(block) = rows.peek().map(|(slot, _)| *slot / per_block) {
        bytes.clear();
        reader.with(table, u64::from(block), |payload| {
            bytes.extend_from_slice(payload);
            Ok(())
        })?;
        while let Some((slot, row)) = rows.next_if(|(slot, _)| *slot / per_block == block) {
            let at = (slot % per_block) as usize * SIZE;
            if bytes.len() < at + SIZE {
                bytes.resize(at + SIZE, 0);
            }
            bytes[at..at + SIZE].copy_from_slice(&row);
        }
        blocks.put(u64::from(block), &bytes)?;
    }
    Ok(())
}

/// Seals an index anew. Thresholds that the feed has passed are left out.
fn fold_index(view: &View, reader: &Reader, writer: &Writer<'_>, kind: IndexKind) -> Result<()> {
    let index = &view.indexes[kind as usize];
    if index.is_unchanged() && kind != IndexKind::Pending {
        return Ok(());
    }
    let load = |block: u64| load_block(reader, kind, block);
    let passed = if kind == IndexKind::Pending { view.head.advanced_to } else { 0 };
    let mut rows = Vec::with_capacity(index.len() as usize);
    index.visit_slices(row(passed, 0)..u64::MAX, &load, &mut |some| {
        rows.extend_from_slice(some);
        Ok(true)
    })?;
    let sequence = kind as u32;
    writer.remove_range(Table::Index, sealed_key(sequence, 0)..=sealed_key(sequence, u32::MAX))?;
    let (directory, blocks) = sealed::seal_rows(&rows);
    let keyed = blocks.into_iter().zip(1_u32..).map(|(bytes, block)| (sealed_key(sequence, block), bytes));
    writer.put_all(Table::Index, keyed)?;
    writer.put(Table::Index, sealed_key(sequence, 0), &directory)
}
