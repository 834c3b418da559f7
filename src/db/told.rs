//! What was told: proving that the index by customer and FAQ entry, the FAQ itself and the digest of all texts follow from
//! requests, events and the FAQ's journal, and making them anew where they do not.

use std::collections::BTreeMap;

use super::history::topics_of;
use super::{Db, Rebuild};
use crate::clock::derive_over;
use crate::error::Result;
use crate::model::Facts;
use crate::store::faq::{self, StoredEntry};
use crate::store::log::LogEntry;
use crate::store::runs::{DIRECTORY, keys_of};
use crate::store::snapshot::{self, Snapshot};
use crate::store::tables::Table;
use crate::store::topics::{self, TopicRow};
use crate::store::{Commit, codec};

/// What is derived, gathered request by request.
#[derive(Default)]
pub(super) struct Told {
    topics: Vec<(u64, u64)>,
    texts: u64,
}

impl Told {
    /// Adds a request and what its facts came to.
    pub(super) fn add(&mut self, slot: u32, told: &snapshot::Told, facts: &Facts) {
        let rows = topics_of(slot, told.request.received_at, facts, told.events.iter());
        self.topics.extend(rows.iter().map(|row| (row.topic, row.place)));
        self.texts = self.texts.wrapping_add(told.digest);
    }

    /// Compares with what is stored.
    pub(super) fn compare(mut self, snapshot: &Snapshot<'_>, found: &mut Rebuild) -> Result<()> {
        self.topics.sort_unstable();
        let stored = snapshot.topics()?;
        found.index_rows += stored.len() as u64;
        if stored != self.topics {
            let wrong = stored.iter().filter(|row| self.topics.binary_search(row).is_err()).count();
            let missing = self.topics.iter().filter(|row| stored.binary_search(row).is_err()).count();
            found.differs(
                "topics",
                format!("{wrong} rows too many, {missing} are missing of {}", self.topics.len()),
            );
        }
        let (entries, texts) = replayed(snapshot)?;
        let stored = stored_entries(snapshot)?;
        for key in entries.keys().chain(stored.keys().filter(|key| !entries.contains_key(key))) {
            let (stored, derived) = (stored.get(key), entries.get(key));
            if stored != derived {
                found.differs("faq", format!("key {key}: stored {stored:?}, from the journal {derived:?}"));
            }
        }
        let texts = self.texts.wrapping_add(texts);
        if texts != snapshot.head().texts {
            let stored = snapshot.head().texts;
            found.differs("head", format!("digest of all texts: stored {stored:016x}, derived {texts:016x}"));
        }
        Ok(())
    }
}

impl Db {
    /// Replaces what differs by what follows.
    pub(super) fn repair_told(&self, snapshot: &Snapshot<'_>) -> Result<((), Option<Commit>)> {
        let mut told = Told::default();
        let interruptions = self.declared(snapshot)?;
        for slot in 0..snapshot.head().requests {
            let row = snapshot.request_row(slot)?;
            let read = snapshot.told(slot, &row)?;
            let eras = self.eras(snapshot, row.policy, read.events.iter())?;
            let timeline = derive_over(eras.given(&interruptions), &read.request, read.events.iter());
            told.add(slot, &read, &timeline.facts);
        }
        told.topics.sort_unstable();
        let (mut values, mut dropped) = (Vec::new(), Vec::new());
        // Damage in the index itself is no reason to keep it.
        if snapshot.topics().ok().as_ref() != Some(&told.topics) {
            let rows = told.topics.iter().map(|(topic, place)| TopicRow {
                topic: *topic,
                place: *place,
                came: true,
            });
            let directory = topics::read_directory(snapshot.reader()?).unwrap_or_default();
            let plan = directory.replaced(rows.collect())?;
            for run in plan.dropped_runs {
                dropped.push((Table::Topics, keys_of(run)));
            }
            values.extend(plan.blocks.into_iter().map(|(key, bytes)| (Table::Topics, key, bytes)));
            values.push((Table::Topics, DIRECTORY, plan.directory));
        }
        let (entries, texts) = replayed(snapshot)?;
        let stored = stored_entries(snapshot)?;
        for (key, entry) in entries.iter().filter(|(key, entry)| stored.get(key) != Some(entry)) {
            values.push((Table::Faq, *key, codec::encode(entry)?));
        }
        let strangers = stored.keys().filter(|key| !entries.contains_key(key));
        dropped.extend(strangers.map(|key| (Table::Faq, *key..=*key)));
        let mut head = *snapshot.head();
        let difference = told.texts.wrapping_add(texts).wrapping_sub(head.texts);
        if values.is_empty() && dropped.is_empty() && difference == 0 {
            return Ok(((), None));
        }
        head.unfolded = head.unfolded.saturating_add(1);
        let mut entry = LogEntry::new(head);
        entry.texts = difference;
        Ok(((), Some(Commit { entry, notices: vec![], values, dropped })))
    }
}

type Entries = BTreeMap<u64, StoredEntry>;

/// The FAQ as its journal says, and the sum of the digests of that.
fn replayed(snapshot: &Snapshot<'_>) -> Result<(Entries, u64)> {
    let (mut entries, mut sum) = (Entries::new(), 0_u64);
    faq::records(snapshot.reader()?, 1, snapshot.head().faq_acts, |number, record, digest| {
        let key = faq::key_of(&record.id);
        let before = entries.remove(&key);
        entries.insert(key, StoredEntry::after(before, number, record));
        sum = sum.wrapping_add(digest);
        Ok(())
    })?;
    Ok((entries, sum))
}

fn stored_entries(snapshot: &Snapshot<'_>) -> Result<Entries> {
    let mut stored = Entries::new();
    faq::visit(snapshot.reader()?, |key, entry| {
        stored.insert(key, entry);
        Ok(())
    })?;
    Ok(stored)
}
