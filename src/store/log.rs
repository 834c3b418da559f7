//! The operation log: two packed values per commit, holding all that the commit changed.
//!
//! A commit appends; nothing sealed is touched. Other processes follow by reading the log from their last number on,
//! and a fold moves the log's content into the sealed values. Whoever follows wants to know at once which index rows
//! came and went and which requests are no longer as they were sealed: these are one value, the moves, a tenth of all.
//! The changes themselves are the other, read by those who ask for such a request. Both are read in place: texts are
//! skipped by their length.

use std::ops::Range;

use super::bytes::{Input, put_count};
use super::head::Head;
use super::index::IndexKind;
use super::records::{ClockRow, RequestRow};
use super::topics::{self, TopicRow};
use super::{codec, ids, texts};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, Request};

/// A row of an index.
pub(crate) type IndexRow = (IndexKind, u64);

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
    /// The topics that it came to or left.
    pub(crate) topics: &'a [TopicRow],
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
    /// The changes so far; the first four bytes are for their number.
    changes: Vec<u8>,
    count: usize,
    /// The sum of the digests of the texts that came.
    pub(crate) texts: u64,
    /// Requests sealed before that are changed.
    touched: Vec<u32>,
    /// Rows that come to an index, and rows that go.
    moved: [[Vec<u64>; 2]; IndexKind::ALL.len()],
}

/// The values of a commit.
pub(crate) struct Written {
    /// What moved in the indexes.
    pub(crate) moves: Vec<u8>,
    /// What changed, request by request.
    pub(crate) changes: Vec<u8>,
}

impl LogEntry {
    /// An entry without changes.
    pub(crate) fn new(head: Head) -> LogEntry {
        LogEntry {
            head,
            changes: vec![0; 4],
            count: 0,
            texts: 0,
            touched: Vec::new(),
            moved: Default::default(),
        }
    }

    /// Adds a change of a request, new ones included. Each request has one change at most.
    pub(crate) fn push_change(&mut self, change: &Change<'_>) -> Result<()> {
        let (out, texts) = (&mut self.changes, &mut self.texts);
        let slot = change.slot;
        out.extend_from_slice(&change.slot.to_le_bytes());
        change.row.write(out);
        sized(out, |out| match change.request {
            None => Ok(()),
            Some(request) => {
                out.extend_from_slice(&ids::hash(&request.id).to_le_bytes());
                let from = out.len();
                codec::append(out, request)?;
                *texts = texts.wrapping_add(texts::digest(slot, texts::REQUEST, &out[from..]));
                Ok(())
            }
        })?;
        put_count(out, change.events.len())?;
        let first = change.row.events.saturating_sub(change.events.len() as u32) + texts::FIRST_EVENT;
        sized(out, |out| {
            change.events.iter().zip(first..).try_for_each(|(event, number)| {
                let from = out.len();
                codec::append(out, *event)?;
                *texts = texts.wrapping_add(texts::digest(slot, number, &out[from..]));
                Ok(())
            })
        })?;
        put_count(out, change.clocks.len())?;
        change.clocks.iter().for_each(|clock| clock.write(out));
        put_count(out, change.topics.len())?;
        change.topics.iter().for_each(|row| row.write(out));
        if change.slot < self.head.sealed_requests {
            self.touched.push(change.slot);
        }
        for (rows, came) in [(change.removed, 0), (change.added, 1)] {
            rows.iter().for_each(|(kind, row)| self.moved[*kind as usize][came].push(*row));
        }
        self.count += 1;
        Ok(())
    }

    /// The entry as values.
    pub(crate) fn write(mut self) -> Result<Written> {
        let count = u32::try_from(self.count)
            .map_err(|_| Error::new(ErrorKind::OutOfRange, "too many requests in one call"))?;
        self.changes[..4].copy_from_slice(&count.to_le_bytes());
        let rows: usize = self.moved.iter().flatten().map(Vec::len).sum();
        let mut moves = Vec::with_capacity(4 + self.touched.len() * 4 + rows * 8 + 16 * SECTION_BYTES);
        put_count(&mut moves, self.touched.len())?;
        self.touched.iter().for_each(|slot| moves.extend_from_slice(&slot.to_le_bytes()));
        for (kind, sides) in IndexKind::ALL.into_iter().zip(&mut self.moved) {
            for (rows, came) in sides.iter_mut().zip(0_u8..) {
                if rows.is_empty() {
                    continue;
                }
                // In order, so that whoever merges many commits finds runs.
                rows.sort_unstable();
                moves.extend_from_slice(&[kind as u8, came]);
                put_count(&mut moves, rows.len())?;
                rows.iter().for_each(|row| moves.extend_from_slice(&row.to_le_bytes()));
            }
        }
        Ok(Written { moves, changes: self.changes })
    }
}

/// Bytes before the rows of a section of moves.
const SECTION_BYTES: usize = 6;

/// What one commit moved, read in place.
pub(crate) struct Moves<'a> {
    /// Requests sealed before that the commit changed.
    touched: &'a [[u8; 4]],
    sections: Vec<Section<'a>>,
}

/// Rows of one index, in rising order, that came or went.
pub(crate) struct Section<'a> {
    pub(crate) kind: IndexKind,
    pub(crate) came: bool,
    rows: &'a [[u8; 8]],
}

impl<'a> Moves<'a> {
    /// # Errors
    /// `Damaged`.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Moves<'a>> {
        let mut input = Input::new(bytes);
        let touched = input.rows()?;
        let mut sections = Vec::new();
        while !input.rest().is_empty() {
            let [code, came] = *input.array()?;
            let kind = IndexKind::ALL
                .get(usize::from(code))
                .ok_or_else(|| Error::new(ErrorKind::Damaged, format!("log: there is no index {code}")))?;
            let came = match came {
                0 => false,
                1 => true,
                _ => return Err(Error::new(ErrorKind::Damaged, format!("log: there is no move {came}"))),
            };
            sections.push(Section { kind: *kind, came, rows: input.rows()? });
        }
        Ok(Moves { touched, sections })
    }

    /// Requests sealed before that the commit changed.
    pub(crate) fn touched(&self) -> impl Iterator<Item = u32> {
        self.touched.iter().map(|slot| u32::from_le_bytes(*slot))
    }

    /// What moved in the indexes.
    pub(crate) fn sections(&self) -> &[Section<'a>] {
        &self.sections
    }
}

impl Section<'_> {
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = u64> {
        self.rows.iter().map(|row| u64::from_le_bytes(*row))
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
    pub(crate) topics: &'a [[u8; topics::ROW_BYTES]],
}

/// Reads the changes of a commit in place, one by one.
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
        let (clocks, topics) = (input.rows()?, input.rows()?);
        change(ReadChange { slot, row, request, events, place, clocks, topics })?;
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
        let topic = TopicRow { topic: 5, place: topics::place(6, 7), came: false };
        let (removed, added) = ([(IndexKind::Pending, 9)], [(IndexKind::Due, 5), (IndexKind::Limit, 6)]);
        let mut entry = LogEntry::new(Head { requests: 7, sealed_requests: 7, ..Head::default() });
        let change = Change {
            slot: 7,
            row,
            request: Some(&request),
            events: &[&event],
            clocks: &[clock],
            topics: &[topic],
            removed: &removed,
            added: &added,
        };
        entry.push_change(&change).unwrap();
        let (removed, added) = ([(IndexKind::Pending, 8)], [(IndexKind::Due, 4), (IndexKind::Limit, 7)]);
        let sealed =
            Change { slot: 3, request: None, events: &[], removed: &removed, added: &added, ..change };
        entry.push_change(&sealed).unwrap();
        let Written { moves, changes: bytes } = entry.write().unwrap();
        let mut seen = Vec::new();
        read(&bytes, |found| {
            seen.push((found.slot, found.events, found.request.is_some()));
            assert_eq!(found.row, row);
            if let Some(new) = &found.request {
                assert_eq!(new.hash, ids::hash("CASE-1"));
                assert_eq!(codec::decode_all::<Request>(&bytes[new.place.clone()]).unwrap(), request);
                assert_eq!(codec::decode_all::<Event>(&bytes[found.place.clone()]).unwrap(), event);
            }
            assert_eq!(ClockRow::read(&found.clocks[0]).unwrap(), clock);
            assert_eq!(TopicRow::read(&found.topics[0]).unwrap(), topic);
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [(7, 1, true), (3, 0, false)]);
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length], |_| Ok(())).is_err(), "{length}");
        }
        let longer = [bytes, vec![0]].concat();
        assert!(read(&longer, |_| Ok(())).is_err());

        let found = Moves::read(&moves).unwrap();
        assert_eq!(found.touched().collect::<Vec<_>>(), [3], "7 is new since the last fold");
        let sections: Vec<_> =
            found.sections().iter().map(|it| (it.kind, it.came, it.rows().collect::<Vec<_>>())).collect();
        let expected = [
            (IndexKind::Due, true, vec![4, 5]),
            (IndexKind::Limit, true, vec![6, 7]),
            (IndexKind::Pending, false, vec![8, 9]),
        ];
        assert_eq!(sections, expected);
        let ends: Vec<usize> = (0..moves.len()).filter(|to| Moves::read(&moves[..*to]).is_ok()).collect();
        assert_eq!(ends, [8, 8 + 22, 8 + 22 + 22], "only whole sections are read");
        for (at, byte) in [(8, 9), (9, 2)] {
            let mut wrong = moves.clone();
            wrong[at] = byte;
            assert_eq!(Moves::read(&wrong).err().unwrap().kind(), ErrorKind::Damaged);
        }
    }
}
