//! Documents on their way into the index.

use std::collections::HashMap;

use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, Index, IndexWriter, Searcher, TERMINATED, TantivyDocument, Term};

use super::index::{Doc, Done, FORMAT, Failure, Fields, MAX_SEGMENTS, Position, damaged, guarded};

/// Documents on their way into the index.
pub(crate) struct Update {
    pub(super) writer: IndexWriter,
    pub(super) index: Index,
    pub(super) fields: Fields,
    /// What was there before.
    pub(super) searcher: Searcher,
    /// The digests of what was put or removed (0) since.
    pub(super) put: HashMap<u64, u64>,
    pub(super) is_empty: bool,
    /// How far the index was built, and the sum with what was put since.
    pub(crate) position: Position,
}

impl Update {
    /// Puts a document in the place of the one with its key.
    pub(crate) fn put(&mut self, doc: &Doc) -> Done<()> {
        guarded(|| {
            self.drop_key(doc.key)?;
            let fields = self.fields;
            let mut document = TantivyDocument::default();
            document.add_u64(fields.key, doc.key);
            document.add_u64(fields.faq, u64::from(doc.faq));
            document.add_u64(fields.at, u64::from(doc.at));
            document.add_u64(fields.answered, u64::from(doc.answered));
            document.add_u64(fields.count, doc.count);
            document.add_u64(fields.digest, doc.digest);
            if let Some(customer) = doc.customer {
                document.add_u64(fields.customer, customer);
            }
            document.add_text(fields.subject, &doc.subject);
            doc.answers.iter().for_each(|answer| document.add_text(fields.answer, answer));
            doc.notes.iter().for_each(|note| document.add_text(fields.note, note));
            self.writer.add_document(document).map_err(damaged)?;
            self.put.insert(doc.key, doc.digest);
            self.position.texts = self.position.texts.wrapping_add(doc.digest);
            Ok(())
        })
    }

    fn drop_key(&mut self, key: u64) -> Done<()> {
        let before = match self.put.get(&key) {
            Some(digest) => Some(*digest),
            None if self.is_empty => None,
            None => self.digest_of(key)?,
        };
        if let Some(digest) = before {
            self.writer.delete_term(Term::from_field_u64(self.fields.key, key));
            self.position.texts = self.position.texts.wrapping_sub(digest);
        }
        Ok(())
    }

    /// The digest of the document with this key.
    fn digest_of(&self, key: u64) -> Done<Option<u64>> {
        let term = Term::from_field_u64(self.fields.key, key);
        for segment in self.searcher.segment_readers() {
            let words = segment.inverted_index(self.fields.key).map_err(damaged)?;
            let postings = words.read_postings(&term, IndexRecordOption::Basic);
            let Some(mut postings) = postings.map_err(|error| damaged(error.into()))? else { continue };
            let mut doc = postings.doc();
            while doc != TERMINATED {
                if !segment.alive_bitset().is_some_and(|alive| alive.is_deleted(doc)) {
                    return Ok(segment.fast_fields().u64("digest").map_err(damaged)?.first(doc));
                }
                doc = postings.advance();
            }
        }
        Ok(None)
    }

    /// How many events or records each document was made from, by key.
    pub(crate) fn counts(&self) -> Done<HashMap<u64, u64>> {
        guarded(|| {
            let mut counts = HashMap::new();
            for segment in self.searcher.segment_readers() {
                let fast = segment.fast_fields();
                let (keys, count) = (fast.u64("key").map_err(damaged)?, fast.u64("count").map_err(damaged)?);
                for doc in segment.doc_ids_alive() {
                    counts.extend(keys.first(doc).zip(count.first(doc)));
                }
            }
            Ok(counts)
        })
    }

    /// Makes it so, as of this commit of the store.
    pub(crate) fn commit(mut self, seq: u64, requests: u32, faq_acts: u32) -> Done<()> {
        guarded(|| {
            let position = Position { format: FORMAT, seq, requests, faq_acts, ..self.position };
            let payload =
                serde_json::to_string(&position).map_err(|error| Failure::Damaged(error.to_string()))?;
            let mut prepared = self.writer.prepare_commit().map_err(damaged)?;
            prepared.set_payload(&payload);
            prepared.commit().map_err(damaged)?;
            self.merge()?;
            self.writer.wait_merging_threads().map_err(damaged)
        })
    }

    /// Merges small segments, so that a search looks at few of them.
    fn merge(&mut self) -> Done<()> {
        let mut segments = self.index.searchable_segment_metas().map_err(damaged)?;
        if segments.len() <= MAX_SEGMENTS {
            return Ok(());
        }
        segments.sort_by_key(|segment| segment.num_docs());
        let (mut docs, mut merged) = (0_u64, Vec::new());
        for segment in &segments {
            // One that is much larger than all smaller ones stays as it is, but half of them go.
            if merged.len() > MAX_SEGMENTS / 2 && u64::from(segment.num_docs()) > docs.saturating_mul(2) {
                break;
            }
            docs += u64::from(segment.num_docs());
            merged.push(segment.id());
        }
        self.writer.merge(&merged).wait().map_err(damaged)?;
        Ok(())
    }
}
