//! Our storage backend: redb's file backend behind a process check, a bounded wait and a switch.
//!
//! - A handle inherited through `fork` shares its locks with the parent, so using it corrupts the file
//!   and releasing a lock in the child releases the parent's. In a child every operation is refused here
//!   and nothing reaches the file.
//! - The engine waits for locks without limit. Here it polls, gives up after the busy timeout and
//!   notices the cancellation flag. Polling stays short: a writer that backs off for milliseconds starves
//!   beside writers that never pause.
//! - A handle found damaged is retired: its locks go, the file is closed under it, and whatever of the
//!   engine is still in use cannot write any more.

use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use redb::{BackendError, StorageBackend};

use super::errors::Fault;
use crate::error::Result as OurResult;

/// Pauses between two tries for a lock, growing from the first to the second.
const POLL_EVERY: [Duration; 2] = [Duration::from_micros(40), Duration::from_micros(250)];

/// The lock byte that a writing process holds alone from the begin of a transaction to its end.
const WRITER_BYTE: u64 = 1 << 62;
/// The engine's header, where it keeps its flags, and the one that says that a commit's last sync is outstanding.
const HEADER_BYTES: usize = 320;
const FLAGS_AT: usize = 9;
const UNSYNCED_FLAG: u8 = 8;

/// How long a commit waits for a lock at least: giving up there leaves the outcome unknown, so it gives
/// up only when the other process must be stopped or gone.
const COMMIT_PATIENCE: Duration = Duration::from_secs(60);

/// The part of a backend that outlives the engine's use of it.
pub(super) struct Core {
    owner: u32,
    /// `None` once closed or retired.
    storage: RwLock<Option<Box<dyn StorageBackend>>>,
    busy_timeout: Duration,
    cancel: Arc<AtomicBool>,
    commits: AtomicU32,
    may_be_empty: bool,
    /// Written to since the last sync.
    written: AtomicBool,
    /// Holds the byte that lets one process write at a time.
    writing: AtomicBool,
    /// The header waits for what it speaks of, see [`Core::header_last`].
    header_last: AtomicBool,
    /// The header that waits.
    header: Mutex<Option<Vec<u8>>>,
}

impl Core {
    pub(super) fn new(
        storage: Box<dyn StorageBackend>,
        may_be_empty: bool,
        busy_timeout: Duration,
        cancel: Arc<AtomicBool>,
    ) -> Arc<Self> {
        Arc::new(Core {
            owner: std::process::id(),
            storage: RwLock::new(Some(storage)),
            busy_timeout,
            cancel,
            commits: AtomicU32::new(0),
            may_be_empty,
            written: AtomicBool::new(false),
            writing: AtomicBool::new(false),
            header_last: AtomicBool::new(false),
            header: Mutex::new(None),
        })
    }

    /// Whether this process is a fork of the one that opened the file.
    pub(super) fn is_forked(&self) -> bool {
        self.owner != std::process::id()
    }

    /// Whether the storage was closed or retired.
    pub(super) fn is_closed(&self) -> bool {
        self.storage.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Releases every lock and closes the file at once, whatever the engine still holds. Operations that
    /// run end first; later ones are refused. Does nothing in a fork.
    pub(super) fn retire(&self) -> io::Result<()> {
        if self.is_forked() {
            return Ok(());
        }
        let storage = self.storage.write().unwrap_or_else(PoisonError::into_inner).take();
        storage.map_or(Ok(()), |storage| storage.close())
    }

    /// Reads bytes of the file.
    pub(super) fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset < HEADER_BYTES as u64 {
            self.release_header()?;
        }
        self.with(|storage| storage.read(offset, out))
    }

    /// Runs work of the engine's that commits in one phase, page and header with one sync, as moving pages does. If that
    /// sync fails, the header may be found on the disk later without its pages. Here the pages are synced first.
    pub(super) fn header_last<T>(&self, work: impl FnOnce() -> OurResult<T>) -> OurResult<T> {
        self.header_last.store(true, Ordering::Release);
        let done = work();
        self.header_last.store(false, Ordering::Release);
        if done.is_err() {
            // As if it had not been written: whatever comes later must not be overwritten by it.
            *self.waiting_header() = None;
        }
        self.release_header()?;
        done
    }

    fn waiting_header(&self) -> MutexGuard<'_, Option<Vec<u8>>> {
        self.header.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the header that waits, after all that was written before it is on the disk.
    fn release_header(&self) -> io::Result<()> {
        let Some(header) = self.waiting_header().take() else { return Ok(()) };
        self.with(|storage| storage.sync_data())?;
        self.with(|storage| storage.write(0, &header))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.written.store(true, Ordering::Release);
        if offset == 0 && self.header_last.load(Ordering::Acquire) {
            *self.waiting_header() = Some(data.to_vec());
            return Ok(());
        }
        self.with(|storage| storage.write(offset, data))
    }

    /// The length of the file in bytes.
    pub(super) fn len(&self) -> io::Result<u64> {
        self.with(|storage| storage.len())
    }

    /// Syncs, after making sure that there is something to sync.
    ///
    /// Where another writer's last sync failed or never came, the engine syncs in its place, writing nothing. But a
    /// system that failed to write a page once takes it for written, so such a sync could succeed and leave the commit
    /// out of the disk. Hence the header is written anew first; the right to write keeps others from it meanwhile.
    fn sync(&self) -> io::Result<()> {
        let nothing_written = !self.written.swap(false, Ordering::AcqRel);
        if nothing_written && self.writing.load(Ordering::Acquire) {
            let mut header = [0; HEADER_BYTES];
            self.read(0, &mut header)?;
            if header[FLAGS_AT] & UNSYNCED_FLAG != 0 {
                self.with(|storage| storage.write(0, &header))?;
            }
        }
        self.release_header()?;
        self.with(|storage| storage.sync_data())
    }

    /// Notes that a lock was taken or given up.
    fn note_lock(&self, start: Bound<u64>, held: bool) {
        if start == Bound::Included(WRITER_BYTE) {
            self.writing.store(held, Ordering::Release);
        }
    }

    /// Runs a commit, whose waits are longer and cannot be cancelled.
    pub(super) fn committing<T>(&self, commit: impl FnOnce() -> T) -> T {
        struct Leave<'a>(&'a AtomicU32);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.commits.fetch_add(1, Ordering::Relaxed);
        let _leave = Leave(&self.commits);
        commit()
    }

    fn with<T>(&self, operation: impl FnOnce(&dyn StorageBackend) -> io::Result<T>) -> io::Result<T> {
        match &*self.storage()? {
            Some(storage) => operation(&**storage),
            None => Err(Fault::Retired.into()),
        }
    }

    fn with_locks<T>(
        &self,
        operation: impl FnOnce(&dyn StorageBackend) -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        match &*self.storage()? {
            Some(storage) => operation(&**storage),
            None => Err(BackendError::Io(Fault::Retired.into())),
        }
    }

    fn storage(&self) -> io::Result<RwLockReadGuard<'_, Option<Box<dyn StorageBackend>>>> {
        // Before the lock: another thread of the parent may have held it when the process was forked.
        if self.is_forked() {
            return Err(Fault::Forked.into());
        }
        Ok(self.storage.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn wait_for(
        &self,
        try_lock: impl Fn(&dyn StorageBackend) -> Result<bool, BackendError>,
    ) -> Result<(), BackendError> {
        let mut waits = Waits::new();
        while !self.with_locks(&try_lock)? {
            let committing = self.commits.load(Ordering::Relaxed) > 0;
            let (patience, cancel) = match committing {
                true => (self.busy_timeout.max(COMMIT_PATIENCE), None),
                false => (self.busy_timeout, Some(&*self.cancel)),
            };
            waits.pause(patience, cancel).map_err(|fault| BackendError::Io(fault.into()))?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// A series of short pauses with an end.
pub(super) struct Waits {
    since: Instant,
    pause: Duration,
}

impl Waits {
    pub(super) fn new() -> Self {
        Waits { since: Instant::now(), pause: POLL_EVERY[0] }
    }

    /// Sleeps once. `Busy` when `patience` is used up, `Cancelled` when the flag is raised.
    pub(super) fn pause(&mut self, patience: Duration, cancel: Option<&AtomicBool>) -> Result<(), Fault> {
        if cancel.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return Err(Fault::Cancelled);
        }
        let left = patience.saturating_sub(self.since.elapsed());
        if left.is_zero() {
            return Err(Fault::Busy(patience.as_millis()));
        }
        std::thread::sleep(self.pause.min(left));
        self.pause = (self.pause * 2).min(POLL_EVERY[1]);
        Ok(())
    }
}

/// The backend handed to the engine.
#[derive(Debug)]
pub(super) struct Guarded(pub(super) Arc<Core>);

impl StorageBackend for Guarded {
    fn len(&self) -> io::Result<u64> {
        match self.0.len()? {
            0 if !self.0.may_be_empty => Err(Fault::Empty.into()),
            len => Ok(len),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.written.store(true, Ordering::Release);
        self.0.release_header()?;
        self.0.with(|storage| storage.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.retire()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        let taken = self.0.with_locks(|storage| storage.try_lock_range(start, end))?;
        if taken {
            self.0.note_lock(start, true);
        }
        Ok(taken)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.with_locks(|storage| storage.try_lock_shared_range(start, end))
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.wait_for(|storage| storage.try_lock_range(start, end))?;
        self.0.note_lock(start, true);
        Ok(())
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.wait_for(|storage| storage.try_lock_shared_range(start, end))
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.note_lock(start, false);
        self.0.with_locks(|storage| storage.unlock_range(start, end))
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.with_locks(|storage| storage.query_lock_range(start, end))
    }
}
