//! One open file: who may use it, how long anyone waits, what is durable, and when to stop trusting it.
//!
//! [`OpenFile`] is safe to share between threads. Every call checks that the process did not fork, runs
//! under the [health latch](health), and hands the engine's errors back as ours. What goes into the
//! tables is the caller's business; work on them belongs inside [`OpenFile::guard`], so that a panic or
//! damage met there ends the handle's use.

mod backend;
pub(crate) mod errors;
mod health;
mod open;
#[cfg(feature = "sim")]
mod sim;
mod turnstile;
mod txn;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use backend::{Core, Waits};
use errors::{Fault, StoreResult as _};
use health::Health;
pub(crate) use health::State;
#[cfg(feature = "sim")]
pub use open::Draft;
pub(crate) use open::Identity;
use redb::{ReadableDatabase, ReadableTableMetadata};
use turnstile::Turnstile;
pub(crate) use txn::{ReadTxn, WriteTxn};

use super::fold::FOLD_AFTER;
use crate::error::{Error, ErrorKind, Result};

/// Who may use the file at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Mode {
    /// Any number of processes read and write, one write transaction at a time.
    #[default]
    Shared,
    /// This handle only.
    Exclusive,
}

/// When a commit is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Durability {
    /// When [`OpenFile::commit`] returns. Recovery after a crash takes milliseconds.
    #[default]
    Safe,
    /// At the first commit that finds `every_rows` counted rows or `every` passed since the last durable
    /// one, and at [`OpenFile::flush`] and [`OpenFile::close`]. Needs [`Mode::Exclusive`].
    /// A crash loses the commits since then, whole ones only.
    Bulk {
        /// The longest time between durable commits while commits go on.
        every: Duration,
        /// The most rows ([`WriteTxn::count_rows`]) between durable commits.
        every_rows: u64,
    },
    /// Never: there is no file.
    Memory,
}

/// When opening verifies every page of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Verify {
    /// When the file was not closed cleanly and has at most [`VERIFY_UP_TO_BYTES`].
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The largest file that [`Verify::Auto`] verifies, so that whoever opens after a crash waits for some hundredths of a second
/// at most. Of larger ones every value is verified when it is read.
pub(crate) const VERIFY_UP_TO_BYTES: u64 = 16 << 20;

/// How to open a file.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    pub(crate) durability: Durability,
    pub(crate) verify: Verify,
    /// Memory for pages, in bytes.
    pub(crate) cache_bytes: usize,
    /// How long to wait for other writers before `Busy`.
    pub(crate) busy_timeout: Duration,
    /// While raised, every wait ends with `Cancelled`.
    pub(crate) cancel: Arc<AtomicBool>,
    /// Operations in the log after which a write folds it.
    pub(crate) fold_after: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            mode: Mode::default(),
            durability: Durability::default(),
            verify: Verify::default(),
            cache_bytes: 64 << 20,
            busy_timeout: Duration::from_secs(5),
            cancel: Arc::default(),
            fold_after: FOLD_AFTER,
        }
    }
}

/// What a full check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Integrity {
    /// Every page is as it was written.
    Sound,
    /// Something was not, and could be repaired without losing a commit.
    Repaired,
}

/// How much space a file takes, in bytes.
#[allow(dead_code, reason = "with `OpenFile::sizes`")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Sizes {
    /// The file itself.
    pub(crate) file: u64,
    /// Keys and values.
    pub(crate) stored: u64,
    /// Tree pages above and around them.
    pub(crate) overhead: u64,
}

/// A file of any content to read as it is: no engine, no lock, nothing written.
///
/// # Errors
/// `NotFound`; `NotADatabase` for anything but a regular file; `Busy` while somebody has it open; `Io`.
pub(crate) fn raw(path: &Path) -> Result<std::fs::File> {
    open::raw(path)
}

/// A free name beside `path` for a file in the making, and what removes the file unless it was published.
///
/// # Errors
/// `AlreadyExists` if anything is at `path`; `Io`.
pub(crate) fn draft(path: &Path) -> Result<(PathBuf, impl Drop + use<>)> {
    open::draft(path)
}

/// Gives a finished, closed file its name.
///
/// # Errors
/// `AlreadyExists` if anything is at `path` by now; `Io`.
pub(crate) fn publish(draft: &Path, path: &Path) -> Result<()> {
    open::publish(draft, path)
}

/// An open file, or a store in memory.
pub(crate) struct OpenFile {
    core: Arc<Core>,
    /// `None` once closed.
    handle: RwLock<Option<Handle>>,
    /// Serves reads of a shared file once a write of this handle failed.
    fallback: Mutex<Option<Arc<OpenFile>>>,
    health: Arc<Health>,
    turnstile: Arc<Turnstile>,
    pending: Mutex<Pending>,
    options: Options,
    path: Option<PathBuf>,
    identity: Option<Identity>,
    read_only: bool,
    /// The engine's own tables were looked at before the first write.
    was_looked_at: AtomicBool,
}

enum Handle {
    Write(redb::Database),
    Read(redb::ReadOnlyDatabase),
}

/// What was committed since the last durable commit.
#[derive(Debug)]
struct Pending {
    commits: u64,
    rows: u64,
    durable_at: Instant,
}

impl OpenFile {
    /// Makes a new file at `path`, runs `init` in its first transaction and opens it; without a path, or
    /// with [`Durability::Memory`], a store in memory, gone when dropped.
    ///
    /// The file appears under its name only when it is complete and on the disk, with mode 0600.
    ///
    /// # Errors
    /// `AlreadyExists` if anything at all is at `path`; `Unsupported` for bulk without
    /// [`Mode::Exclusive`]; what `init` returns.
    pub(crate) fn create(
        path: Option<&Path>,
        options: &Options,
        init: impl FnOnce(&WriteTxn) -> Result<()>,
    ) -> Result<OpenFile> {
        match path {
            Some(path) if options.durability != Durability::Memory => open::create(path, options, init),
            _ => {
                let (mode, durability) = (Mode::Exclusive, Durability::Memory);
                let options = Options { mode, durability, ..options.clone() };
                let file = open::on_backend(redb::backends::InMemoryBackend::new(), &options, None)?;
                file.initialise(init)?;
                Ok(file)
            }
        }
    }

    /// Opens an existing file for reading and writing. Never creates one.
    ///
    /// # Errors
    /// `NotFound`; `NotADatabase` for anything but a regular file with our engine's mark, without waiting
    /// on it; `Damaged`; `NewerFormat`; `Busy` after the busy timeout; `Io` without the permission to write.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<OpenFile> {
        open::open(path, options)
    }

    /// Opens an existing file for reading only; in [`Mode::Shared`] beside writers, following their commits.
    ///
    /// A file that was not closed cleanly is first repaired by opening it for writing for a moment.
    ///
    /// # Errors
    /// As [`open`](Self::open); `ReadOnly` if the file needs repair and may not be written.
    pub(crate) fn open_read_only(path: &Path, options: &Options) -> Result<OpenFile> {
        open::open_read_only(path, options)
    }

    /// Runs store code under the latch: a panic becomes `Damaged`, and errors of the file are remembered.
    ///
    /// A damaged handle loses its locks and its file at once, so that other processes go on and nothing
    /// marks the file as cleanly closed.
    pub(crate) fn guard<T>(&self, store_code: impl FnOnce() -> Result<T>) -> Result<T> {
        self.check()?;
        self.health.may_read()?;
        let result = self.health.guard(store_code);
        if result.is_err() {
            self.check()?;
        }
        if self.health.state() == State::Damaged {
            let _ = self.core.retire();
        }
        result
    }

    /// Begins to read the state as of the latest commit, by any process.
    ///
    /// # Errors
    /// `ForkedHandle`, `Closed`, `Damaged`, `Busy`, `Cancelled`, `Io`.
    pub(crate) fn begin_read(&self) -> Result<ReadTxn> {
        self.check()?;
        if let Some(other) = self.fallback()? {
            return other.begin_read();
        }
        let begun = self.guard(|| match &*self.handle() {
            Some(Handle::Write(database)) => database.begin_read().store("beginning to read"),
            Some(Handle::Read(database)) => database.begin_read().store("beginning to read"),
            None => Err(Fault::Retired.error()),
        });
        Ok(ReadTxn::new(begun?, self.core.clone()))
    }

    /// Begins the one write transaction, waiting for its turn among threads and processes.
    ///
    /// # Errors
    /// As [`begin_read`](Self::begin_read), and `ReadOnly` on a handle that may not write.
    pub(crate) fn begin_write(&self) -> Result<WriteTxn> {
        self.may_write()?;
        let turn = self.turnstile.enter(self.options.busy_timeout, &self.options.cancel)?;
        // Again: the writer before may have failed.
        self.may_write()?;
        let begun = self.guard(|| match &*self.handle() {
            Some(Handle::Write(database)) => {
                // Once, before the first write: a file may have lain about for years.
                if !self.was_looked_at.load(Ordering::Acquire) {
                    open::check_engine(&self.core)?;
                    self.was_looked_at.store(true, Ordering::Release);
                }
                database.begin_write().store("beginning to write")
            }
            Some(Handle::Read(_)) => Err(read_only()),
            None => Err(Fault::Retired.error()),
        });
        Ok(WriteTxn::new(begun?, self.core.clone(), self.health.clone(), turn))
    }

    /// Commits, durable as the options say.
    ///
    /// # Errors
    /// After any error the outcome is unknown until the file is reopened, and the handle writes no more:
    /// `StorageFull`, `Io`, `Damaged`, or `ForkedHandle`.
    pub(crate) fn commit(&self, txn: WriteTxn) -> Result<()> {
        self.commit_with(txn, false)
    }

    /// Puts everything committed so far on the disk. Only [`Durability::Bulk`] leaves anything to do.
    pub(crate) fn flush(&self) -> Result<()> {
        self.check()?;
        if self.pending().commits == 0 {
            return self.health.may_write();
        }
        self.commit_with(self.begin_write()?, true)
    }

    /// Gives free space at the end of the file back, after moving what lies there. `false` if nothing was gained.
    ///
    /// # Errors
    /// `Busy` if a reader or writer, here or in another process, does not end within the busy timeout.
    pub(crate) fn compact(&self) -> Result<bool> {
        self.alone("compacting", |database| self.core.header_last(|| database.compact().store("compacting")))
    }

    /// Verifies every page of the file. Waits and errors as [`compact`](Self::compact).
    ///
    /// # Errors
    /// `Damaged` if something is lost; the handle is then damaged too.
    pub(crate) fn check_integrity(&self) -> Result<Integrity> {
        self.alone("checking", |database| {
            open::check_engine(&self.core)?;
            settle(database)?;
            open::check_shape(&self.core)?;
            let sound = database.check_integrity().store("checking the file")?;
            Ok(if sound { Integrity::Sound } else { Integrity::Repaired })
        })
    }

    /// Space used now. Walks every page: for reports, not for hot paths.
    #[allow(dead_code, reason = "the report that shows it is still to come")]
    pub(crate) fn sizes(&self) -> Result<Sizes> {
        let file = self.file_bytes()?;
        let txn = self.begin_read()?;
        self.guard(|| {
            let mut sizes = Sizes { file, ..Sizes::default() };
            for table in txn.list_tables().store("listing tables")? {
                let table = txn.open_untyped_table(table).store("opening a table")?;
                let stats = table.stats().store("measuring a table")?;
                sizes.stored += stats.stored_bytes();
                sizes.overhead += stats.metadata_bytes() + stats.fragmented_bytes();
            }
            Ok(sizes)
        })
    }

    /// The length of the file, in bytes.
    pub(crate) fn file_bytes(&self) -> Result<u64> {
        self.check()?;
        self.core.len().store("measuring the file")
    }

    /// # Errors
    /// `Busy` when a wait that began at `since` took longer than the busy timeout, `Cancelled` when it should end.
    pub(crate) fn patience(&self, since: Instant) -> Result<()> {
        if self.options.cancel.load(Ordering::Relaxed) {
            Err(Fault::Cancelled.error())
        } else if since.elapsed() >= self.options.busy_timeout {
            Err(Fault::Busy(self.options.busy_timeout.as_millis()).error())
        } else {
            Ok(())
        }
    }

    /// # Errors
    /// `Closed`.
    pub(crate) fn must_be_open(&self) -> Result<()> {
        if self.handle().is_some() { Ok(()) } else { Err(Fault::Retired.error()) }
    }

    /// Where the file lies; `None` in memory.
    #[cfg(feature = "search")]
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// How long a call waits for others.
    #[cfg(feature = "search")]
    pub(crate) fn busy_timeout(&self) -> Duration {
        self.options.busy_timeout
    }

    /// Whether nobody but this handle can commit.
    pub(crate) fn is_alone(&self) -> bool {
        self.options.mode == Mode::Exclusive && !self.read_only
    }

    /// Operations in the log after which a write folds it.
    pub(crate) fn fold_after(&self) -> u32 {
        self.options.fold_after
    }

    /// Memory for verified values; the engine's pages take the other half.
    pub(crate) fn block_bytes(&self) -> usize {
        self.options.cache_bytes / 2
    }

    /// Memory for what long lists are told from, beside that for pages and values.
    pub(crate) fn mirror_bytes(&self) -> usize {
        self.options.cache_bytes
    }

    /// How much of the handle is left.
    pub(crate) fn state(&self) -> State {
        self.health.state()
    }

    /// Whether the handle was opened for reading only.
    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Whether the handle does all that it was opened for, in this process. A cache of handles asks before it
    /// lends one.
    pub(crate) fn is_usable(&self) -> bool {
        !self.core.is_forked()
            && self.health.state() == State::Ok
            && self.handle().is_some()
            && !self.core.is_closed()
    }

    /// Whether this is the file that the handle has open.
    pub(crate) fn is(&self, identity: Identity) -> bool {
        self.identity == Some(identity)
    }

    /// Whether `path` still names the file that this handle has open, and this process is the one that
    /// opened it.
    pub(crate) fn is_current(&self, path: &Path) -> bool {
        !self.core.is_forked() && self.identity.is_some() && Identity::of_path(path).ok() == self.identity
    }

    /// Closes the file; every later call is `Closed`. Waits for a running write, up to the busy timeout.
    ///
    /// # Errors
    /// `Busy`, and then the handle stays open; with any other error it is closed, but the file is not
    /// marked as cleanly closed, and the next opening repairs it.
    pub(crate) fn close(&self) -> Result<()> {
        self.check()?;
        let _turn = self.turnstile.enter(self.options.busy_timeout, &self.options.cancel)?;
        let handle = self.handle.write().unwrap_or_else(PoisonError::into_inner).take();
        self.shut(handle)
    }

    fn initialise(&self, init: impl FnOnce(&WriteTxn) -> Result<()>) -> Result<()> {
        let txn = self.begin_write()?;
        self.guard(|| init(&txn))?;
        self.commit(txn)
    }

    fn commit_with(&self, mut txn: WriteTxn, flush: bool) -> Result<()> {
        let rows = txn.rows();
        let durable = flush || self.wants_durable(rows);
        let committed = self.core.committing(|| self.guard(|| txn.commit(durable)));
        self.check()?;
        if let Err(error) = committed {
            // Of whatever kind: a commit that did not succeed may still be found done.
            let error = outcome_unknown(error);
            self.health.worsen(State::ReadOnly, &error);
            return Err(error);
        }
        let mut pending = self.pending();
        if durable || self.options.durability == Durability::Memory {
            *pending = Pending::none();
        } else {
            pending.commits += 1;
            pending.rows = pending.rows.saturating_add(rows);
        }
        // The next writer's turn begins here, when what this one left pending is counted.
        drop(pending);
        drop(txn);
        Ok(())
    }

    fn wants_durable(&self, rows: u64) -> bool {
        match self.options.durability {
            Durability::Safe => true,
            Durability::Memory => false,
            Durability::Bulk { every, every_rows } => {
                let pending = self.pending();
                pending.rows.saturating_add(rows) >= every_rows || pending.durable_at.elapsed() >= every
            }
        }
    }

    /// Runs `work` on the engine while no transaction of this handle is open.
    fn alone<T>(&self, doing: &str, work: impl Fn(&mut redb::Database) -> Result<T>) -> Result<T> {
        self.may_write()?;
        let _turn = self.turnstile.enter(self.options.busy_timeout, &self.options.cancel)?;
        let mut waits = Waits::new();
        loop {
            let result =
                self.guard(|| match &mut *self.handle.write().unwrap_or_else(PoisonError::into_inner) {
                    Some(Handle::Write(database)) => {
                        // Waits for a writer of another process. What follows must not give up half-way.
                        drop(database.begin_write().store(doing)?);
                        self.core.committing(|| work(database))
                    }
                    Some(Handle::Read(_)) => Err(read_only()),
                    None => Err(Fault::Retired.error()),
                });
            match result {
                Err(error) if error.kind() == ErrorKind::Busy => waits
                    .pause(self.options.busy_timeout, Some(&*self.options.cancel))
                    .map_err(|fault| fault.error().context(doing))?,
                result => {
                    *self.pending() = Pending::none();
                    return result;
                }
            }
        }
    }

    /// Another handle to read by, once a write of this one has failed: the engine answers nothing more.
    fn fallback(&self) -> Result<Option<Arc<OpenFile>>> {
        let Some(path) = &self.path else { return Ok(None) };
        if self.health.state() != State::ReadOnly || self.options.mode != Mode::Shared || self.is_read_only()
        {
            return Ok(None);
        }
        let mut fallback = self.fallback.lock().unwrap_or_else(PoisonError::into_inner);
        if fallback.is_none() {
            if !self.is_current(path) {
                return Err(Error::new(ErrorKind::Io, "the file is no longer at the path it was opened by"));
            }
            // Our own locks stay held and tell the new handle that the file is in use, not abandoned.
            *fallback = Some(Arc::new(open::read_only_beside_writer(path, &self.options)?));
        }
        Ok(fallback.clone())
    }

    fn check(&self) -> Result<()> {
        if self.core.is_forked() { Err(Fault::Forked.error()) } else { Ok(()) }
    }

    /// # Errors
    /// `ForkedHandle`; `ReadOnly` or `Damaged` on a handle that writes no more.
    pub(crate) fn may_write(&self) -> Result<()> {
        self.check()?;
        if self.is_read_only() { Err(read_only()) } else { self.health.may_write() }
    }

    fn handle(&self) -> RwLockReadGuard<'_, Option<Handle>> {
        self.handle.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the engine's part of a handle: cleanly if it is sound, never running its code otherwise.
    fn shut(&self, handle: Option<Handle>) -> Result<()> {
        let Some(handle) = handle else { return Ok(()) };
        if self.core.is_forked() || self.health.state() == State::Damaged {
            std::mem::forget(handle);
            return self.health.may_read();
        }
        let failed_before = self.health.state() == State::ReadOnly;
        let closed = self.guard(|| match handle {
            Handle::Write(database) => database.close().store("closing"),
            Handle::Read(database) => database.close().store("closing"),
        });
        let _ = self.core.retire();
        // The failure was reported when it happened.
        if failed_before { Ok(()) } else { closed }
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        let handle = self.handle.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // Nobody is left to hear of a failure; `close` reports it.
        let _ = self.shut(handle);
    }
}

impl std::fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenFile")
            .field("path", &self.path)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl Pending {
    fn none() -> Self {
        Pending { commits: 0, rows: 0, durable_at: Instant::now() }
    }
}

/// Puts what commits left pending on the disk: those of a bulk load, and the engine's own tidying after a durable one.
///
/// The engine's check would do it by a commit of one phase. That one does not survive a failed sync, a reopening and a
/// power cut.
fn settle(database: &redb::Database) -> Result<()> {
    let mut txn = database.begin_write().store("checking")?;
    txn.set_two_phase_commit(true);
    txn.set_quick_repair(true);
    txn.commit().store("checking")
}

fn read_only() -> Error {
    Error::new(ErrorKind::ReadOnly, "the file was opened for reading only")
}

fn outcome_unknown(error: Error) -> Error {
    let kind = match error.kind() {
        kind @ (ErrorKind::StorageFull | ErrorKind::Damaged | ErrorKind::Io) => kind,
        _ => ErrorKind::Io,
    };
    let message = format!("the outcome is unknown until the file is reopened: {}", error.message());
    Error::new(kind, message).because(error)
}
