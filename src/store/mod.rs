//! The store: everything about the file, and the only room that knows redb.

mod blocks;
pub(crate) mod bytes;
pub(crate) mod codec;
mod coded;
mod events;
pub(crate) mod expedites;
pub(crate) mod faq;
pub(crate) mod file;
mod fold;
mod frame;
pub(crate) mod head;
pub(crate) mod ids;
pub(crate) mod index;
pub(crate) mod log;
pub(crate) mod mirror;
pub(crate) mod notices;
pub(crate) mod periods;
pub(crate) mod pieces;
pub(crate) mod records;
pub(crate) mod reminders;
mod rows;
pub(crate) mod runs;
pub(crate) mod salvage;
pub(crate) mod sealed;
pub(crate) mod snapshot;
mod spread;
pub(crate) mod tables;
mod tail;
pub(crate) mod texts;
pub(crate) mod topics;
mod view;

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use crate::error::{Error, ErrorKind, Result};
use bytes::Input;
use file::{OpenFile, Options};
use head::Head;
use log::LogEntry;
use snapshot::Snapshot;
use tables::{META_FORMAT, META_HEAD, Reader, Table, Writer};
use view::{View, read_head};

/// First bytes of the format value.
const MAGIC: &[u8; 8] = b"slaclock";
/// The file format that this release writes. Older ones open, newer ones are refused by name.
pub(crate) const FORMAT: u32 = 1;

/// An open database file with its view.
pub(crate) struct Store {
    file: OpenFile,
    view: RwLock<View>,
}

/// What one transaction writes.
pub(crate) struct Commit {
    /// The operations, with the head after them. `head.seq` is set by the store.
    pub(crate) entry: LogEntry,
    /// New notices, in order; the store numbers them.
    pub(crate) notices: Vec<notices::NoticeRow>,
    /// Values written as they are.
    pub(crate) values: Vec<(Table, u64, Vec<u8>)>,
    /// Keys removed before that.
    pub(crate) dropped: Vec<(Table, RangeInclusive<u64>)>,
}

impl Store {
    /// Makes a new file; `first` are values that it holds from the start.
    pub(crate) fn create(
        path: Option<&Path>,
        options: &Options,
        head: Head,
        first: &[(Table, u64, Vec<u8>)],
    ) -> Result<Store> {
        Store::start(OpenFile::create(path, options, |transaction| initialise(transaction, head, first))?)
    }

    /// Makes a new file in a draft and publishes it.
    #[cfg(feature = "sim")]
    pub(crate) fn create_draft(
        draft: &impl file::Draft,
        options: &Options,
        head: Head,
        first: &[(Table, u64, Vec<u8>)],
    ) -> Result<()> {
        OpenFile::create_draft(draft, options, |transaction| initialise(transaction, head, first))
    }

    /// Opens what a storage holds.
    #[cfg(feature = "sim")]
    pub(crate) fn open_storage(storage: Box<dyn redb::StorageBackend>, options: &Options) -> Result<Store> {
        Store::start(OpenFile::open_storage(storage, options)?)
    }

    /// Opens an existing file.
    pub(crate) fn open(path: &Path, options: &Options, read_only: bool) -> Result<Store> {
        let open = if read_only { OpenFile::open_read_only } else { OpenFile::open };
        Store::start(open(path, options)?)
    }

    fn start(file: OpenFile) -> Result<Store> {
        let view = file.guard(|| {
            let reader = Reader::new(file.begin_read()?);
            check_format(&reader)?;
            View::load(&reader, file.block_bytes())
        })?;
        Ok(Store { file, view: RwLock::new(view) })
    }

    /// The file below.
    pub(crate) fn file(&self) -> &OpenFile {
        &self.file
    }

    /// Runs `read` on one consistent state that includes every commit made so far, by any process. It may run twice:
    /// what the first run found then does not count.
    pub(crate) fn read<T>(&self, mut read: impl FnMut(&Snapshot<'_>) -> Result<T>) -> Result<T> {
        self.file.guard(|| {
            if self.file.is_alone() {
                // Nobody else commits, so the view is of the last commit, and the file is read only if it must be.
                self.file.must_be_open()?;
                let snapshot = Snapshot::new(self.view(), &self.file, None);
                let answer = read(&snapshot);
                if !snapshot.is_stale() {
                    return answer;
                }
            }
            read(&self.snapshot()?)
        })
    }

    fn view(&self) -> RwLockReadGuard<'_, View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn snapshot(&self) -> Result<Snapshot<'_>> {
        loop {
            let reader = Reader::new(self.file.begin_read()?);
            let head = read_head(&reader)?;
            let view = self.view();
            if view.same_epoch(&head) && view.head.seq == head.seq {
                return Ok(Snapshot::new(view, &self.file, Some(reader)));
            }
            // Another thread may have followed a later commit meanwhile; then this reader is too old: look again.
            let behind = head.epoch > view.head.epoch || head.seq > view.head.seq;
            drop(view);
            if behind {
                let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
                if head.epoch > view.head.epoch || head.seq > view.head.seq {
                    view.follow(&reader, &head)?;
                }
            }
        }
    }

    /// Runs `work` as the only writer; what it returns is committed as one transaction, `None` commits nothing.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Snapshot<'_>) -> Result<(T, Option<Commit>)>,
    ) -> Result<T> {
        self.file.guard(|| {
            let transaction = self.file.begin_write()?;
            let snapshot = self.snapshot()?;
            let (answer, commit) = work(&snapshot)?;
            let Some(mut commit) = commit else { return Ok(answer) };
            let writer = Writer::new(&transaction);
            let before = snapshot.head().unfolded;
            let head = &mut commit.entry.head;
            head.seq = snapshot.head().seq + 1;
            head.texts = snapshot.head().texts.wrapping_add(commit.entry.texts);
            for rows in commit.notices.chunks(notices::ROWS_PER_VALUE) {
                writer.put(Table::Notices, head.notices + 1, &notices::write(rows)?)?;
                head.notices += rows.len() as u64;
            }
            for (table, keys) in &commit.dropped {
                writer.remove_range(*table, keys.clone())?;
            }
            for (table, key, payload) in &commit.values {
                writer.put(*table, *key, payload)?;
            }
            let head = commit.entry.head;
            let values = commit.entry.write()?;
            let operations = head.unfolded.saturating_sub(before);
            transaction.count_rows(u64::from(operations));
            if operations >= self.file.fold_after() {
                // So much at once is sealed at once. The log would only be written to be read again.
                let reader = snapshot.reader()?;
                let mut view = View::load(reader, 0)?;
                // Before the commit, whose own values are not in the file.
                view.tail(|| Ok(reader))?;
                view.apply(values, &head)?;
                fold::fold(&view, reader, &writer)?;
                drop(snapshot);
                self.file.commit(transaction)?;
                self.reload()?;
                return Ok(answer);
            }
            writer.put(Table::Meta, META_HEAD, &head.write())?;
            writer.put(Table::Log, head.seq, &values.changes)?;
            writer.put(Table::Moves, head.seq, &values.moves)?;
            drop(snapshot);
            self.file.commit(transaction)?;
            let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
            // A reader of this process may have followed the commit already.
            if view.head.seq < head.seq {
                view.apply(values, &head)?;
            }
            drop(view);
            Ok(answer)
        })
    }

    /// Folds the log if it holds at least `least` operations. True if it did.
    pub(crate) fn fold(&self, least: u32) -> Result<bool> {
        self.file.guard(|| {
            let transaction = self.file.begin_write()?;
            let snapshot = self.snapshot()?;
            let head = snapshot.head();
            if head.unfolded < least || head.seq == head.folded {
                return Ok(false);
            }
            fold::fold(&snapshot.view, snapshot.reader()?, &Writer::new(&transaction))?;
            drop(snapshot);
            self.file.commit(transaction)?;
            self.reload()?;
            Ok(true)
        })
    }

    /// Copies everything, as of one commit, to a new file, and returns its length in bytes. Every value is verified.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<u64> {
        /// Values are gathered up to this many bytes.
        const PIECE_BYTES: usize = 4 << 20;
        let reader = self.file.guard(|| Ok(Reader::new(self.file.begin_read()?)))?;
        let copy = OpenFile::create(Some(path), &Options::default(), |transaction| {
            let writer = Writer::new(transaction);
            writer.create_tables()?;
            Table::ALL.iter().try_for_each(|table| {
                let (mut values, mut bytes) = (Vec::new(), 0);
                reader.visit(*table, 0..=u64::MAX, |key, payload| {
                    bytes += payload.len();
                    values.push((key, payload.to_vec()));
                    if bytes >= PIECE_BYTES {
                        writer.put_all(*table, values.drain(..))?;
                        bytes = 0;
                    }
                    Ok(true)
                })?;
                writer.put_all(*table, values.into_iter())
            })
        })?;
        let bytes = copy.file_bytes()?;
        copy.close()?;
        Ok(bytes)
    }

    /// Gives free space in the file back.
    pub(crate) fn compact(&self) -> Result<bool> {
        self.file.compact()
    }

    /// Folds when the log has grown long.
    pub(crate) fn fold_if_due(&self) -> Result<()> {
        let unfolded = self.view().head.unfolded;
        let least = self.file.fold_after();
        if unfolded >= least { self.fold(least).map(drop) } else { Ok(()) }
    }

    fn reload(&self) -> Result<()> {
        let reader = Reader::new(self.file.begin_read()?);
        let loaded = View::load(&reader, self.file.block_bytes())?;
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }
}

/// Writes what a new file holds.
fn initialise(transaction: &file::WriteTxn, head: Head, first: &[(Table, u64, Vec<u8>)]) -> Result<()> {
    let writer = Writer::new(transaction);
    writer.create_tables()?;
    let mut format = MAGIC.to_vec();
    format.extend_from_slice(&FORMAT.to_le_bytes());
    writer.put(Table::Meta, META_FORMAT, &format)?;
    writer.put(Table::Meta, META_HEAD, &head.write())?;
    first.iter().try_for_each(|(table, key, payload)| writer.put(*table, *key, payload))
}

fn check_format(reader: &Reader) -> Result<()> {
    let format = reader.with(Table::Meta, META_FORMAT, |payload| {
        let mut input = Input::new(payload);
        if input.array::<8>()? != MAGIC {
            return Err(Error::new(
                ErrorKind::NotADatabase,
                "the file is a redb file, but no slaclock database",
            ));
        }
        input.u32()
    })?;
    match format {
        Some(FORMAT) => Ok(()),
        Some(newer) => Err(Error::new(
            ErrorKind::NewerFormat,
            format!(
                "the file has format {newer}: this release reads formats up to {FORMAT}; use a newer slaclock"
            ),
        )),
        None => Err(Error::new(ErrorKind::NotADatabase, "the file is a redb file, but no slaclock database")),
    }
}
