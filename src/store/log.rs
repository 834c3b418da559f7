//! The operation log: one packed value per commit, holding all that the commit changed.
//!
//! A commit appends; nothing sealed is touched. Other processes follow by reading the log from their last number on,
//! and a fold moves the log's content into the sealed values.

use super::bytes::{Input, put_count};
use super::records::{ClockRow, RequestRow};
use super::{codec, head::Head};
use crate::error::Result;
use crate::model::{Event, Request};

/// What one commit did to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Its slot.
    pub(crate) slot: u32,
    /// Its row after the commit.
    pub(crate) row: RequestRow,
    /// Events recorded, in arrival order.
    pub(crate) events: Vec<Event>,
    /// All its clock rows after the commit.
    pub(crate) clocks: Vec<ClockRow>,
    /// Keys of thresholds that the feed still has to pass and that no clock row shows: no longer there.
    pub(crate) pending_removed: Vec<u32>,
    /// The same: new.
    pub(crate) pending_added: Vec<u32>,
}

/// What one commit did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogEntry {
    /// The head after the commit.
    pub(crate) head: Head,
    /// New requests, from slot `head.requests - requests.len()` on.
    pub(crate) requests: Vec<Request>,
    /// Changed requests, the new ones included.
    pub(crate) changes: Vec<Change>,
}

impl LogEntry {
    pub(crate) fn write(&self) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(256 + self.requests.len() * 128 + self.changes.len() * 192);
        let head = self.head.write();
        put_count(&mut out, head.len())?;
        out.extend_from_slice(&head);
        put_count(&mut out, self.requests.len())?;
        for request in &self.requests {
            codec::append(&mut out, request)?;
        }
        put_count(&mut out, self.changes.len())?;
        for change in &self.changes {
            change.write(&mut out)?;
        }
        Ok(out)
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<LogEntry> {
        let mut input = Input::new(bytes);
        let length = input.count(1)?;
        let head = Head::read(input.take(length)?)?;
        let count = input.count(1)?;
        let requests = (0..count).map(|_| input.value()).collect::<Result<_>>()?;
        let count = input.count(RequestRow::SIZE)?;
        let changes = (0..count).map(|_| Change::read(&mut input)).collect::<Result<_>>()?;
        input.end()?;
        Ok(LogEntry { head, requests, changes })
    }
}

impl Change {
    fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(&self.slot.to_le_bytes());
        self.row.write(out);
        put_count(out, self.events.len())?;
        for event in &self.events {
            codec::append(out, event)?;
        }
        put_count(out, self.clocks.len())?;
        for clock in &self.clocks {
            clock.write(out);
        }
        for keys in [&self.pending_removed, &self.pending_added] {
            put_count(out, keys.len())?;
            for key in keys {
                out.extend_from_slice(&key.to_le_bytes());
            }
        }
        Ok(())
    }

    fn read(input: &mut Input<'_>) -> Result<Change> {
        let slot = input.u32()?;
        let row = RequestRow::read(input.array()?)?;
        let count = input.count(2)?;
        let events = (0..count).map(|_| input.value()).collect::<Result<_>>()?;
        let count = input.count(ClockRow::SIZE)?;
        let clocks = (0..count).map(|_| ClockRow::read(input.array()?)).collect::<Result<_>>()?;
        let mut keys = || -> Result<Vec<u32>> {
            let count = input.count(4)?;
            (0..count).map(|_| input.u32()).collect()
        };
        Ok(Change { slot, row, events, clocks, pending_removed: keys()?, pending_added: keys()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EventKind;
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
            newest_events: super::super::records::NO_EVENTS,
        };
        let change = Change {
            slot: 0,
            row,
            events: vec![Event::new(EventKind::Resolved, at).by("ann").key("k1")],
            clocks: vec![ClockRow::unstarted(0, 0)],
            pending_removed: vec![],
            pending_added: vec![5, 6],
        };
        let entry = LogEntry {
            head: Head { requests: 1, ..Head::default() },
            requests: vec![Request::new("CASE-1", at)],
            changes: vec![change],
        };
        let bytes = entry.write().unwrap();
        assert_eq!(LogEntry::read(&bytes).unwrap(), entry);
        for length in 0..bytes.len() {
            assert!(LogEntry::read(&bytes[..length]).is_err(), "{length}");
        }
    }
}
