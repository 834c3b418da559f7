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
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use redb::{BackendError, StorageBackend};

use super::errors::Fault;

/// Pauses between two tries for a lock, growing from the first to the second.
const POLL_EVERY: [Duration; 2] = [Duration::from_micros(40), Duration::from_micros(250)];

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
        self.with(|storage| storage.read(offset, out))
    }

    /// The length of the file in bytes.
    pub(super) fn len(&self) -> io::Result<u64> {
        self.with(|storage| storage.len())
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
        self.0.with(|storage| storage.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.with(|storage| storage.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.with(|storage| storage.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.0.retire()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.with_locks(|storage| storage.try_lock_range(start, end))
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.with_locks(|storage| storage.try_lock_shared_range(start, end))
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.wait_for(|storage| storage.try_lock_range(start, end))
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.wait_for(|storage| storage.try_lock_shared_range(start, end))
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.with_locks(|storage| storage.unlock_range(start, end))
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.with_locks(|storage| storage.query_lock_range(start, end))
    }
}
