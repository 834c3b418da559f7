//! The operation log: one packed value per commit, holding all that the commit changed.
//!
//! A commit appends; nothing sealed is touched. Other processes follow by reading the log from their last number on,
//! and a fold moves the log's content into the sealed values. Whoever follows wants the fixed parts at once and the
//! texts seldom, so a value is read in place: texts are skipped by their length, and index rows that come and go are
//! written down, not worked out from sealed values.

use std::ops::Range;

use super::bytes::{Input, put_count};
use super::head::Head;
use super::index::IndexKind;
use super::records::{ClockRow, RequestRow};
use super::{codec, ids};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, Request};

/// A row of an index.
pub(crate) type IndexRow = (IndexKind, u64);

/// Bytes of an index row: its index u32, the row u64.
const INDEX_ROW_BYTES: usize = 12;

/// What one commit did to one request.
#[derive(Clone, Debug)]
pub(crate) struct Change<'a> {
    /// Its slot.
    pub(crate) slot: u32,
    /// Its row after the commit.
    pub(crate) row: RequestRow,
    /// What was submitted, if it is new. New requests follow one another by slot.
    pub(crate) request: Option<&'a Request>,
    /// Events recorded, in arrival order.
    pub(crate) events: &'a [&'a Event],
    /// Those of its clock rows that are new or changed.
    pub(crate) clocks: &'a [ClockRow],
    /// Index rows that are no longer there.
    pub(crate) removed: &'a [IndexRow],
    /// Index rows that are new.
    pub(crate) added: &'a [IndexRow],
}

/// What one commit did, as it is written.
#[derive(Clone, Debug)]
pub(crate) struct LogEntry {
    /// The head after the commit.
    pub(crate) head: Head,
    /// The value so far; its first four bytes are for the number of changes.
    value: Vec<u8>,
    changes: usize,
}

impl LogEntry {
    /// An entry without changes.
    pub(crate) fn new(head: Head) -> LogEntry {
        LogEntry { head, value: vec![0; 4], changes: 0 }
    }

    /// Adds a change of a request, new ones included.
    pub(crate) fn push_change(&mut self, change: &Change<'_>) -> Result<()> {
        let out = &mut self.value;
        out.extend_from_slice(&change.slot.to_le_bytes());
        change.row.write(out);
        sized(out, |out| match change.request {
            None => Ok(()),
            Some(request) => {
                out.extend_from_slice(&ids::hash(&request.id).to_le_bytes());
                codec::append(out, request)
            }
        })?;
        put_count(out, change.events.len())?;
        sized(out, |out| change.events.iter().try_for_each(|event| codec::append(out, *event)))?;
        put_count(out, change.clocks.len())?;
        change.clocks.iter().for_each(|clock| clock.write(out));
        for rows in [change.removed, change.added] {
            put_count(out, rows.len())?;
            for (kind, row) in rows {
                out.extend_from_slice(&(*kind as u32).to_le_bytes());
                out.extend_from_slice(&row.to_le_bytes());
            }
        }
        self.changes += 1;
        Ok(())
    }

    /// The entry as a value.
    pub(crate) fn write(mut self) -> Result<Vec<u8>> {
        let count = u32::try_from(self.changes)
            .map_err(|_| Error::new(ErrorKind::OutOfRange, "too many requests in one call"))?;
        self.value[..4].copy_from_slice(&count.to_le_bytes());
        Ok(self.value)
    }
}

/// What `write` appends, with its length before it.
fn sized(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out)?;
    let length = u32::try_from(out.len() - at - 4).map_err(|_| {
        Error::new(ErrorKind::OutOfRange, "one request and its events in one call: must be below 4 GiB")
    })?;
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// A new request in a log value.
pub(crate) struct ReadRequest {
    /// The hash of its id.
    pub(crate) hash: u64,
    /// Where in the value the codec request lies.
    pub(crate) place: Range<usize>,
}

/// A change in a log value.
pub(crate) struct ReadChange<'a> {
    pub(crate) slot: u32,
    pub(crate) row: RequestRow,
    pub(crate) request: Option<ReadRequest>,
    pub(crate) events: u32,
    /// Where in the value the codec events lie.
    pub(crate) place: Range<usize>,
    pub(crate) clocks: &'a [[u8; ClockRow::SIZE]],
    removed: &'a [[u8; INDEX_ROW_BYTES]],
    added: &'a [[u8; INDEX_ROW_BYTES]],
}

impl ReadChange<'_> {
    pub(crate) fn removed(&self) -> impl Iterator<Item = Result<IndexRow>> {
        self.removed.iter().map(index_row)
    }

    pub(crate) fn added(&self) -> impl Iterator<Item = Result<IndexRow>> {
        self.added.iter().map(index_row)
    }
}

fn index_row(bytes: &[u8; INDEX_ROW_BYTES]) -> Result<IndexRow> {
    let [k0, k1, k2, k3, row @ ..] = *bytes;
    let code = u32::from_le_bytes([k0, k1, k2, k3]);
    let kind = IndexKind::ALL
        .get(code as usize)
        .ok_or_else(|| Error::new(ErrorKind::Damaged, format!("log: there is no index {code}")))?;
    Ok((*kind, u64::from_le_bytes(row)))
}

/// Reads a log value in place, change by change.
pub(crate) fn read(bytes: &[u8], mut change: impl FnMut(ReadChange<'_>) -> Result<()>) -> Result<()> {
    let mut input = Input::new(bytes);
    for _ in 0..input.u32()? {
        let slot = input.u32()?;
        let row = RequestRow::read(input.array()?)?;
        let request = match sized_place(&mut input)? {
            place if place.is_empty() => None,
            place => {
                let hash = Input::new(&bytes[place.clone()]).u64()?;
                Some(ReadRequest { hash, place: place.start + 8..place.end })
            }
        };
        let events = input.u32()?;
        let place = sized_place(&mut input)?;
        let (clocks, removed, added) = (input.rows()?, input.rows()?, input.rows()?);
        change(ReadChange { slot, row, request, events, place, clocks, removed, added })?;
    }
    input.end()
}

fn sized_place(input: &mut Input<'_>) -> Result<Range<usize>> {
    let length = input.count(1)?;
    let from = input.at();
    input.take(length)?;
    Ok(from..from + length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EventKind;
    use crate::store::records::NO_EVENTS;
    use crate::time::Instant;

    #[test]
    fn entries_are_read_as_written_and_no_prefix_is() {
        let at = Instant::from_secs(1_456_740_000).unwrap();
        let row = RequestRow {
            received_at: at.raw(),
            last_event_at: at.raw(),
            policy: 1,
            first_clock: 0,
            clocks: 1,
            events: 1,
            newest_events: NO_EVENTS,
        };
        let event = Event::new(EventKind::Resolved, at).by("ann").key("k1");
        let request = Request::new("CASE-1", at);
        let clock = ClockRow::unstarted(0, 0);
        let (removed, added) = ([(IndexKind::Pending, 9)], [(IndexKind::Due, 5), (IndexKind::Limit, 6)]);
        let mut entry = LogEntry::new(Head { requests: 7, ..Head::default() });
        let change = Change {
            slot: 7,
            row,
            request: Some(&request),
            events: &[&event],
            clocks: &[clock],
            removed: &removed,
            added: &added,
        };
        entry.push_change(&change).unwrap();
        entry.push_change(&Change { slot: 3, request: None, events: &[], ..change }).unwrap();
        let bytes = entry.write().unwrap();
        let mut seen = Vec::new();
        read(&bytes, |found| {
            seen.push((found.slot, found.events, found.request.is_some()));
            assert_eq!(found.row, row);
            if let Some(new) = &found.request {
                assert_eq!(new.hash, ids::hash("CASE-1"));
                assert_eq!(codec::decode_all::<Request>(&bytes[new.place.clone()]).unwrap(), request);
                assert_eq!(codec::decode_all::<Event>(&bytes[found.place.clone()]).unwrap(), event);
            }
            assert_eq!(found.removed().collect::<Result<Vec<_>>>().unwrap(), removed);
            assert_eq!(found.added().collect::<Result<Vec<_>>>().unwrap(), added);
            assert_eq!(ClockRow::read(&found.clocks[0]).unwrap(), clock);
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [(7, 1, true), (3, 0, false)]);
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length], |_| Ok(())).is_err(), "{length}");
        }
        let longer = [bytes, vec![0]].concat();
        assert!(read(&longer, |_| Ok(())).is_err());
    }
}
