//! The index: documents by word, how far it is built, and looking words up.
//!
//! Nothing is believed of what lies in the folder: files are verified when they are opened, a panic of the engine counts as
//! damage, and whoever asks gets keys only, to be read again from the store.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant as Moment};

use serde::{Deserialize, Serialize};
use tantivy::collector::{Count, TopDocs};
use tantivy::directory::{Directory, DirectoryLock, Lock, RamDirectory};
use tantivy::query::{
    BooleanQuery, BoostQuery, ConstScoreQuery, FuzzyTermQuery, Occur, Query, RangeQuery, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::TokenizerManager;
use tantivy::{Index, IndexReader, ReloadPolicy, TantivyError, Term};

use super::folder::Folder;
use super::update::Update;
use super::words::analyzer;
use crate::error::{Error, ErrorKind, Result};

/// Another number makes an index that was built otherwise unusable: for other words, fields or digests.
pub(super) const FORMAT: u32 = 1;
/// Memory of the writer.
const WRITER_BYTES: usize = 32 << 20;
/// An update leaves at most so many segments.
pub(super) const MAX_SEGMENTS: usize = 8;
const TOKENIZER: &str = "slaclock";
const LOCK: &str = ".slaclock.lock";

/// What an index holds of a request or an FAQ entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Doc {
    pub(crate) key: u64,
    /// It is an FAQ entry.
    pub(crate) faq: bool,
    pub(crate) at: u32,
    pub(crate) answered: bool,
    /// The topic of its customer.
    pub(crate) customer: Option<u64>,
    /// Events or records it was made from.
    pub(crate) count: u64,
    /// The digests of all that it was made from.
    pub(crate) digest: u64,
    pub(crate) subject: String,
    pub(crate) answers: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// How far an index is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(super) format: u32,
    /// Number of the last commit.
    pub(crate) seq: u64,
    /// The sum of the digests of all documents.
    pub(crate) texts: u64,
    pub(crate) requests: u32,
    pub(crate) faq_acts: u32,
}

/// What is looked for.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) words: Vec<String>,
    /// The last one is the beginning of a word.
    pub(crate) prefix: bool,
    pub(crate) every: bool,
    pub(crate) faq: Option<bool>,
    pub(crate) answered: bool,
    pub(crate) customer: Option<u64>,
    pub(crate) from: Option<u32>,
    /// The first instant that is too late.
    pub(crate) to: Option<u32>,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Score in thousandths and key, best first.
    pub(crate) keys: Vec<(u64, u64)>,
    pub(crate) count: u64,
    pub(crate) position: Position,
}

/// Why the index did not answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It must be made anew.
    Damaged(String),
    /// Making it anew would not help.
    Refused(Error),
}

pub(super) type Done<T> = std::result::Result<T, Failure>;

#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub(super) key: Field,
    pub(super) faq: Field,
    pub(super) at: Field,
    pub(super) answered: Field,
    pub(super) customer: Field,
    pub(super) count: Field,
    pub(super) digest: Field,
    pub(super) subject: Field,
    pub(super) answer: Field,
    pub(super) note: Field,
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let indexed = || NumericOptions::default().set_indexed();
    let text = || {
        let words = TextFieldIndexing::default().set_tokenizer(TOKENIZER);
        TextOptions::default().set_indexing_options(words.set_index_option(IndexRecordOption::WithFreqs))
    };
    let fields = Fields {
        key: builder.add_u64_field("key", indexed().set_fast()),
        faq: builder.add_u64_field("faq", indexed()),
        at: builder.add_u64_field("at", indexed().set_fast()),
        answered: builder.add_u64_field("answered", indexed()),
        customer: builder.add_u64_field("customer", indexed()),
        count: builder.add_u64_field("count", NumericOptions::default().set_fast()),
        digest: builder.add_u64_field("digest", NumericOptions::default().set_fast()),
        subject: builder.add_text_field("subject", text()),
        answer: builder.add_text_field("answer", text()),
        note: builder.add_text_field("note", text()),
    };
    (builder.build(), fields)
}

/// Where an index lies.
#[derive(Clone, Debug)]
enum Place {
    Memory(RamDirectory),
    Folder(Folder),
}

/// An index that is open.
struct Open {
    index: Index,
    reader: IndexReader,
    fields: Fields,
    position: Position,
    /// What a look at the list of segments gave.
    opstamp: u64,
    segments: Vec<String>,
}

/// An index in a folder or in memory.
pub(crate) struct Engine {
    place: Place,
    open: Option<Open>,
}

impl Engine {
    pub(crate) fn in_folder(path: &Path) -> Engine {
        Engine { place: Place::Folder(Folder::new(path)), open: None }
    }

    pub(crate) fn in_memory() -> Engine {
        Engine { place: Place::Memory(RamDirectory::create()), open: None }
    }

    /// Whether this is the index in that folder.
    pub(crate) fn is_in(&self, path: Option<&Path>) -> bool {
        match &self.place {
            Place::Memory(_) => path.is_none(),
            Place::Folder(folder) => path == Some(folder.path()),
        }
    }

    fn directory(&self) -> Box<dyn Directory> {
        match &self.place {
            Place::Memory(memory) => Box::new(memory.clone()),
            Place::Folder(folder) => Box::new(folder.clone()),
        }
    }

    /// Waits to be the only one who writes the index; `None` if another process goes on writing.
    pub(crate) fn lock(&self, wait: Duration) -> Result<Option<DirectoryLock>> {
        if let Place::Folder(folder) = &self.place {
            std::fs::create_dir_all(folder.path()).map_err(|error| self.about(error))?;
        }
        let since = Moment::now();
        loop {
            let lock = Lock { filepath: LOCK.into(), is_blocking: false };
            match self.directory().acquire_lock(&lock) {
                Ok(lock) => return Ok(Some(lock)),
                Err(tantivy::directory::error::LockError::IoError(error)) => {
                    return Err(self.about(std::io::Error::new(error.kind(), error.to_string())));
                }
                Err(_) if since.elapsed() >= wait => return Ok(None),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    fn about(&self, error: std::io::Error) -> Error {
        let path = match &self.place {
            Place::Memory(_) => Path::new("memory"),
            Place::Folder(folder) => folder.path(),
        };
        Error::from(error).context(format_args!("search index {}", path.display()))
    }

    /// Looks at what is there now, and how far it is built; `None` if there is no index, or none that can be used.
    pub(crate) fn refresh(&mut self) -> Result<Option<Position>> {
        match guarded(|| self.look()) {
            Ok(position) => Ok(position),
            Err(Failure::Refused(error)) => Err(error),
            Err(Failure::Damaged(_)) => {
                self.open = None;
                Ok(None)
            }
        }
    }

    fn look(&mut self) -> Done<Option<Position>> {
        let directory = self.directory();
        if !Index::exists(&*directory).map_err(|error| damaged(error.into()))? {
            self.open = None;
            return Ok(None);
        }
        let changed = |open: &Open| match &self.place {
            Place::Memory(_) => false,
            Place::Folder(folder) => !folder.is_as_verified(&open.segments),
        };
        let open = match self.open.take() {
            Some(open) if !changed(&open) => open,
            _ => Open::at(directory)?,
        };
        let open = self.open.insert(open);
        open.reload()?;
        Ok(Some(open.position))
    }

    /// Forgets the index and removes it. Only under the lock.
    pub(crate) fn wipe(&mut self) -> Result<()> {
        self.open = None;
        match &mut self.place {
            Place::Memory(memory) => {
                *memory = RamDirectory::create();
                Ok(())
            }
            Place::Folder(folder) => folder.wipe().map_err(|error| self.about(error)),
        }
    }

    /// Begins an update; makes an empty index if there is none. Only under the lock.
    pub(crate) fn update(&mut self) -> Done<Update> {
        guarded(|| {
            if self.open.is_none() {
                let (schema, _) = schema();
                let index = Index::builder().schema(schema).tokenizers(tokenizers());
                index.open_or_create(self.directory()).map_err(damaged)?;
                self.open = Some(Open::at(self.directory())?);
            }
            let Some(open) = &mut self.open else { return Err(Failure::Damaged("no index".to_owned())) };
            open.reload()?;
            let writer = open.index.writer_with_num_threads(1, WRITER_BYTES).map_err(damaged)?;
            // Segments are merged below, where somebody waits for it, so that no thread outlives a call.
            writer.set_merge_policy(Box::new(tantivy::merge_policy::NoMergePolicy));
            let is_empty = open.position == Position::default();
            Ok(Update {
                writer,
                index: open.index.clone(),
                fields: open.fields,
                searcher: open.reader.searcher(),
                put: HashMap::new(),
                is_empty,
                position: open.position,
            })
        })
    }

    /// The best documents for these terms.
    pub(crate) fn search(&self, terms: &Terms, most: usize) -> Done<Found> {
        let Some(open) = &self.open else { return Err(Failure::Damaged("no index".to_owned())) };
        guarded(|| {
            let searcher = open.reader.searcher();
            let query = query(open.fields, terms);
            let collector = (TopDocs::with_limit(most).order_by_score(), Count);
            let (best, count) = searcher.search(&query, &collector).map_err(damaged)?;
            let mut keys = Vec::with_capacity(best.len());
            for (score, at) in best {
                let column =
                    searcher.segment_reader(at.segment_ord).fast_fields().u64("key").map_err(damaged)?;
                let key = column.first(at.doc_id).ok_or_else(|| Failure::Damaged("no key".to_owned()))?;
                keys.push(((f64::from(score) * 1000.0).round() as u64, key));
            }
            Ok(Found { keys, count: count as u64, position: open.position })
        })
    }
}

impl Open {
    fn at(directory: Box<dyn Directory>) -> Done<Open> {
        let mut index = Index::open(directory).map_err(damaged)?;
        index.set_tokenizers(tokenizers());
        let (schema, fields) = schema();
        if index.schema() != schema {
            return Err(Failure::Damaged("other fields".to_owned()));
        }
        let reader =
            index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(damaged)?;
        // No commit has this number.
        let (opstamp, segments) = (u64::MAX, Vec::new());
        Ok(Open { index, reader, fields, position: Position::default(), opstamp, segments })
    }

    /// Follows commits of other processes.
    fn reload(&mut self) -> Done<()> {
        let meta = self.index.load_metas().map_err(damaged)?;
        if meta.opstamp == self.opstamp {
            return Ok(());
        }
        let ids = |ids: Vec<tantivy::index::SegmentId>| {
            let mut ids: Vec<String> = ids.into_iter().map(|id| id.uuid_string()).collect();
            ids.sort();
            ids
        };
        self.reader.reload().map_err(damaged)?;
        let read =
            self.reader.searcher().segment_readers().iter().map(|reader| reader.segment_id()).collect();
        self.segments = ids(read);
        // A commit in between is of a later position; what is read may be ahead of what is said, and is looked at again.
        let listed = ids(meta.segments.iter().map(|segment| segment.id()).collect());
        self.opstamp = if listed == self.segments { meta.opstamp } else { u64::MAX };
        self.position = match &meta.payload {
            None => Position::default(),
            Some(payload) => serde_json::from_str(payload)
                .ok()
                .filter(|position: &Position| position.format == FORMAT)
                .ok_or_else(|| Failure::Damaged("its position cannot be read".to_owned()))?,
        };
        Ok(())
    }
}

fn tokenizers() -> TokenizerManager {
    // With its default ones: the engine asks for one even where a field holds numbers.
    let manager = TokenizerManager::default();
    manager.register(TOKENIZER, analyzer());
    manager
}

/// Subjects and answers weigh more than notes.
fn query(fields: Fields, terms: &Terms) -> BooleanQuery {
    let is = |field, value| -> Box<dyn Query> {
        Box::new(TermQuery::new(Term::from_field_u64(field, value), IndexRecordOption::Basic))
    };
    let last = terms.words.len().saturating_sub(1);
    let words = terms.words.iter().enumerate().map(|(at, word)| {
        let mut ways: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for (field, weight) in [(fields.subject, 2.0), (fields.answer, 1.5), (fields.note, 1.0)] {
            let term = Term::from_field_text(field, word);
            let whole = TermQuery::new(term.clone(), IndexRecordOption::WithFreqs);
            ways.push((Occur::Should, Box::new(BoostQuery::new(Box::new(whole), weight))));
            if terms.prefix && at == last {
                let begins = FuzzyTermQuery::new_prefix(term, 0, false);
                ways.push((Occur::Should, Box::new(ConstScoreQuery::new(Box::new(begins), weight / 2.0))));
            }
        }
        let way: Box<dyn Query> = Box::new(BooleanQuery::new(ways));
        (if terms.every { Occur::Must } else { Occur::Should }, way)
    });
    let words: Box<dyn Query> = Box::new(BooleanQuery::new(words.collect()));
    let mut all = vec![(Occur::Must, words)];
    let mut only = |query: Box<dyn Query>| {
        all.push((Occur::Must, Box::new(ConstScoreQuery::new(query, 0.0)) as Box<dyn Query>));
    };
    if let Some(faq) = terms.faq {
        only(is(fields.faq, u64::from(faq)));
    }
    if let Some(customer) = terms.customer {
        only(is(fields.customer, customer));
    }
    if terms.answered {
        only(is(fields.answered, 1));
    }
    if terms.from.is_some() || terms.to.is_some() {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let term = |at: u32| Term::from_field_u64(fields.at, u64::from(at));
        let from = terms.from.map_or(Unbounded, |at| Included(term(at)));
        let to = terms.to.map_or(Unbounded, |at| Excluded(term(at)));
        only(Box::new(RangeQuery::new(from, to)));
    }
    BooleanQuery::new(all)
}

/// A panic of the engine is damage that its checksums did not show.
pub(super) fn guarded<T>(work: impl FnOnce() -> Done<T>) -> Done<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Failure::Damaged("the engine panicked".to_owned())))
}

/// Whether to make the index anew: a full disk, or a folder that may not be written, is none the better for it.
pub(super) fn damaged(error: TantivyError) -> Failure {
    use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    let io = match &error {
        TantivyError::IoError(io) => Some(io.kind()),
        TantivyError::OpenReadError(tantivy::directory::error::OpenReadError::IoError {
            io_error, ..
        }) => Some(io_error.kind()),
        TantivyError::OpenWriteError(tantivy::directory::error::OpenWriteError::IoError {
            io_error, ..
        }) => Some(io_error.kind()),
        _ => loop {
            let Some(at) = cause else { break None };
            if let Some(io) = at.downcast_ref::<std::io::Error>() {
                break Some(io.kind());
            }
            cause = at.source();
        },
    };
    let what = format!("search index: {error}");
    match io {
        Some(StorageFull | QuotaExceeded) => Failure::Refused(Error::new(ErrorKind::StorageFull, what)),
        Some(PermissionDenied | ReadOnlyFilesystem) => Failure::Refused(Error::new(ErrorKind::Io, what)),
        _ if matches!(error, TantivyError::LockFailure(..)) => {
            Failure::Refused(Error::new(ErrorKind::Busy, what))
        }
        _ => Failure::Damaged(what),
    }
}
