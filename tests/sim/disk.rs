//! A disk in memory that notes every step that changes it, fails when told to, and knows locks of several handles.

use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slaclock::sim::{BackendError, Draft, StorageBackend};

/// What changes a disk.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Write {
        at: usize,
        bytes: Box<[u8]>,
    },
    Length(usize),
    Sync,
    /// A sync that failed: what was to be synced will never be, though it is read as if it were.
    FailedSync,
    /// The file got its name.
    Named,
    /// The folder was synced, and the name with it.
    FolderSync,
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// EIO; nothing is done.
    Broken,
    /// ENOSPC; nothing is done.
    Full,
    /// ENOSPC after the first half of a write, or EIO where nothing is written.
    Short,
}

/// Which operations fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// The number of the first operation that fails, counted from when the fault was set.
    pub(crate) at: u64,
    pub(crate) failure: Failure,
    /// All operations from there on, not only that one.
    pub(crate) sticky: bool,
    /// Reads count and fail as well.
    pub(crate) reads: bool,
}

#[derive(Debug, Default)]
struct Inner {
    content: Vec<u8>,
    steps: Vec<Step>,
    locks: Vec<Lock>,
    handles: u32,
    fault: Option<Fault>,
    operations: u64,
    failed: u64,
}

#[derive(Debug)]
struct Lock {
    owner: u32,
    from: u64,
    /// The first byte after it.
    until: u64,
    shared: bool,
}

/// A disk with one file. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<Inner>>);

impl Disk {
    pub(crate) fn with(content: Vec<u8>) -> Disk {
        Disk(Arc::new(Mutex::new(Inner { content, ..Inner::default() })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file, opened once more: by another handle, or by another process.
    pub(crate) fn handle(&self) -> Box<dyn StorageBackend> {
        let mut inner = self.inner();
        inner.handles += 1;
        Box::new(DiskHandle { disk: self.clone(), owner: inner.handles })
    }

    pub(crate) fn steps(&self) -> usize {
        self.inner().steps.len()
    }

    pub(crate) fn take_steps(&self) -> Vec<Step> {
        std::mem::take(&mut self.inner().steps)
    }

    pub(crate) fn content(&self) -> Vec<u8> {
        self.inner().content.clone()
    }

    /// Sets or clears a fault, and counts operations from here on.
    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        let mut inner = self.inner();
        (inner.fault, inner.operations, inner.failed) = (fault, 0, 0);
    }

    /// Operations since the fault was set or cleared, and how many of them failed.
    pub(crate) fn operations(&self) -> (u64, u64) {
        let inner = self.inner();
        (inner.operations, inner.failed)
    }

    /// Frees the locks that a dead process left.
    pub(crate) fn free_locks(&self) {
        self.inner().locks.clear();
    }
}

impl Inner {
    /// Counts an operation; says how it fails, if it does.
    fn count(&mut self, reading: bool) -> Option<Failure> {
        let fault = self.fault;
        if reading && !fault.is_some_and(|fault| fault.reads) {
            return None;
        }
        let number = self.operations;
        self.operations += 1;
        let fault = fault?;
        let hit = if fault.sticky { number >= fault.at } else { number == fault.at };
        self.failed += u64::from(hit);
        hit.then_some(fault.failure)
    }

    fn write(&mut self, at: usize, bytes: &[u8]) -> io::Result<()> {
        let until = at + bytes.len();
        if until > self.content.len() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        self.content[at..until].copy_from_slice(bytes);
        self.steps.push(Step::Write { at, bytes: bytes.into() });
        Ok(())
    }
}

fn error_of(failure: Failure) -> io::Error {
    match failure {
        Failure::Broken => io::Error::from_raw_os_error(5),
        Failure::Full | Failure::Short => io::Error::from_raw_os_error(28),
    }
}

#[derive(Debug)]
struct DiskHandle {
    disk: Disk,
    owner: u32,
}

impl DiskHandle {
    fn lock(&self, start: Bound<u64>, end: Bound<u64>, shared: bool) -> bool {
        let (from, until) = range(start, end);
        let mut inner = self.disk.inner();
        if inner.conflicts(self.owner, from, until, shared) {
            return false;
        }
        inner.locks.push(Lock { owner: self.owner, from, until, shared });
        true
    }
}

impl Inner {
    fn conflicts(&self, owner: u32, from: u64, until: u64, shared: bool) -> bool {
        self.locks.iter().any(|lock| {
            let apart = lock.until <= from || until <= lock.from;
            lock.owner != owner && !apart && !(shared && lock.shared)
        })
    }
}

fn range(start: Bound<u64>, end: Bound<u64>) -> (u64, u64) {
    let from = match start {
        Bound::Included(from) => from,
        Bound::Excluded(before) => before + 1,
        Bound::Unbounded => 0,
    };
    let until = match end {
        Bound::Included(last) => last + 1,
        Bound::Excluded(until) => until,
        Bound::Unbounded => u64::MAX,
    };
    (from, until)
}

impl StorageBackend for DiskHandle {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.inner().content.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut inner = self.disk.inner();
        if inner.count(true).is_some() {
            return Err(error_of(Failure::Broken));
        }
        let at = offset as usize;
        let found = inner.content.get(at..at + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut inner = self.disk.inner();
        if let Some(failure) = inner.count(false) {
            return Err(error_of(failure));
        }
        inner.content.resize(len as usize, 0);
        inner.steps.push(Step::Length(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut inner = self.disk.inner();
        let failure = inner.count(false);
        inner.steps.push(if failure.is_some() { Step::FailedSync } else { Step::Sync });
        // A disk that is full may say so only now; short is what a sync cannot be.
        failure.map_or(Ok(()), |failure| Err(error_of(failure)))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut inner = self.disk.inner();
        match inner.count(false) {
            None => inner.write(offset as usize, data),
            Some(failure) => {
                if failure == Failure::Short {
                    inner.write(offset as usize, &data[..data.len() / 2])?;
                }
                Err(error_of(failure))
            }
        }
    }

    fn close(&self) -> io::Result<()> {
        self.disk.inner().locks.retain(|lock| lock.owner != self.owner);
        Ok(())
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        Ok(self.lock(start, end, false))
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        Ok(self.lock(start, end, true))
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        let (from, until) = range(start, end);
        let mut inner = self.disk.inner();
        let held = inner
            .locks
            .iter()
            .position(|lock| (lock.owner, lock.from, lock.until) == (self.owner, from, until));
        if let Some(held) = held {
            inner.locks.swap_remove(held);
        }
        Ok(())
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        let (from, until) = range(start, end);
        Ok(self.disk.inner().conflicts(self.owner, from, until, false))
    }
}

/// Making the file: its name and its folder are steps as well.
impl Draft for Disk {
    fn storage(&self) -> io::Result<Box<dyn StorageBackend>> {
        Ok(self.handle())
    }

    fn sync(&self) -> io::Result<()> {
        self.handle().sync_data()
    }

    fn publish(&self) -> io::Result<()> {
        let mut inner = self.inner();
        if let Some(failure) = inner.count(false) {
            return Err(error_of(failure));
        }
        inner.steps.push(Step::Named);
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut inner = self.inner();
        if let Some(failure) = inner.count(false) {
            return Err(error_of(failure));
        }
        inner.steps.push(Step::FolderSync);
        Ok(())
    }
}
