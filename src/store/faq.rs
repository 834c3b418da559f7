//! The FAQ: a journal of what was published, amended and withdrawn, and the entries as they are, by the hash of their id.
//!
//! Entries follow from the journal. An id whose hash another entry has is refused, so a hash leads to one entry.

use serde::{Deserialize, Serialize};

use super::tables::{Reader, Table};
use super::topics::{About, topic};
use super::{codec, texts};
use crate::error::{Error, ErrorKind, Result};
use crate::model::FaqRecord;
use crate::time::Instant;

/// An entry as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredEntry {
    /// The last record about it.
    pub(crate) last: FaqRecord,
    pub(crate) published_at: Instant,
    pub(crate) published_by: String,
    /// The numbers of the records about it, rising.
    pub(crate) records: Vec<u32>,
}

codec::coded!(StoredEntry, FaqRecord);

impl StoredEntry {
    /// The entry after one more record.
    pub(crate) fn after(before: Option<StoredEntry>, number: u32, record: FaqRecord) -> StoredEntry {
        match before {
            None => StoredEntry {
                published_at: record.at,
                published_by: record.by.clone(),
                records: vec![number],
                last: record,
            },
            Some(mut entry) => {
                entry.records.push(number);
                StoredEntry { last: record, ..entry }
            }
        }
    }

    /// The entry with this id.
    pub(crate) fn find(reader: &Reader, id: &str) -> Result<Option<StoredEntry>> {
        Ok(StoredEntry::at(reader, key_of(id))?.filter(|entry| entry.last.id == id))
    }

    /// The entry at this key.
    pub(crate) fn at(reader: &Reader, key: u64) -> Result<Option<StoredEntry>> {
        reader.with(Table::Faq, key, codec::decode_all)
    }
}

/// The key of the entry with this id.
pub(crate) fn key_of(id: &str) -> u64 {
    topic(About::Faq, id)
}

/// Hands over every entry with its key.
pub(crate) fn visit(reader: &Reader, mut visit: impl FnMut(u64, StoredEntry) -> Result<()>) -> Result<()> {
    reader.visit(Table::Faq, 0..=u64::MAX, |key, payload| {
        visit(key, codec::decode_all(payload)?)?;
        Ok(true)
    })
}

/// A record of the journal.
pub(crate) fn record(reader: &Reader, number: u32) -> Result<FaqRecord> {
    reader.must(Table::FaqActs, u64::from(number), codec::decode_all)
}

/// Hands over the records from number `from` up to `last`, each with the digest of its bytes; a missing one is damage.
pub(crate) fn records(
    reader: &Reader,
    from: u32,
    last: u32,
    mut visit: impl FnMut(u32, FaqRecord, u64) -> Result<()>,
) -> Result<()> {
    let mut expected = from;
    reader.visit(Table::FaqActs, u64::from(from)..=u64::from(last), |key, payload| {
        if key != u64::from(expected) {
            return Err(Error::new(ErrorKind::Damaged, "a record before it is missing"));
        }
        visit(expected, codec::decode_all(payload)?, texts::digest(texts::FAQ, expected, payload))?;
        expected += 1;
        Ok(true)
    })?;
    if expected == last + 1 {
        return Ok(());
    }
    let message = format!("{} records about FAQ entries, the head says {last}", expected - 1);
    Err(Error::new(ErrorKind::Damaged, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FaqAct;

    #[test]
    fn the_bytes_of_an_entry_are_pinned() {
        let at = Instant::from_secs(7).unwrap();
        let record = FaqRecord {
            id: "vpn".into(),
            act: FaqAct::Amended,
            at,
            by: "ann".into(),
            question: "q".into(),
            answer: "a".into(),
            request: None,
        };
        let bytes = [&[3][..], b"vpn", &[1, 14, 3], b"ann", &[1], b"q", &[1], b"a", &[0]].concat();
        assert_eq!(codec::encode(&record).unwrap(), bytes);
        let entry =
            StoredEntry { last: record, published_at: at, published_by: "bob".into(), records: vec![1, 9] };
        let stored = [&bytes[..], &[14, 3], b"bob", &[2, 1, 9]].concat();
        assert_eq!(codec::encode(&entry).unwrap(), stored);
        assert_eq!(codec::decode_all::<StoredEntry>(&stored).unwrap(), entry);
    }
}
