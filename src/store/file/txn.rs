//! The engine's transactions, lent for the length of a closure.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::backend::Core;
use super::errors::{Fault, StoreResult};
use crate::error::Result;

/// One snapshot to read. Gives the engine's read transaction by `Deref`.
pub(crate) struct ReadTxn {
    inner: Option<redb::ReadTransaction>,
    core: Arc<Core>,
}

/// The one write transaction. Gives the engine's by `Deref`.
pub(crate) struct WriteTxn {
    inner: Option<redb::WriteTransaction>,
    core: Arc<Core>,
    rows: AtomicU64,
}

impl ReadTxn {
    pub(super) fn new(inner: redb::ReadTransaction, core: Arc<Core>) -> Self {
        ReadTxn { inner: Some(inner), core }
    }
}

impl WriteTxn {
    /// Counts rows written, towards the next durable commit of a bulk load.
    pub(crate) fn count_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    pub(super) fn new(inner: redb::WriteTransaction, core: Arc<Core>) -> Self {
        WriteTxn { inner: Some(inner), core, rows: AtomicU64::new(0) }
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    pub(super) fn commit(mut self, durable: bool) -> Result<()> {
        let mut txn = self.take()?;
        let durability = if durable { redb::Durability::Immediate } else { redb::Durability::None };
        txn.set_durability(durability).store("choosing durability")?;
        // A one-phase commit does not survive a failed sync, a reopening and a power cut. Quick repair
        // saves the allocator's state with the commit, so that recovery need not walk the file.
        txn.set_two_phase_commit(durable);
        txn.set_quick_repair(durable);
        txn.commit().store("committing")
    }

    pub(super) fn abort(mut self) -> Result<()> {
        self.take()?.abort().store("giving up a transaction")
    }

    fn take(&mut self) -> Result<redb::WriteTransaction> {
        if unusable(&self.core) {
            return Err(Fault::Retired.error());
        }
        self.inner.take().ok_or_else(|| Fault::Retired.error())
    }
}

impl Deref for ReadTxn {
    type Target = redb::ReadTransaction;

    fn deref(&self) -> &Self::Target {
        self.inner.as_ref().expect("taken only on drop")
    }
}

impl Deref for WriteTxn {
    type Target = redb::WriteTransaction;

    fn deref(&self) -> &Self::Target {
        self.inner.as_ref().expect("taken only by commit and abort, which consume the transaction")
    }
}

impl Drop for ReadTxn {
    fn drop(&mut self) {
        leak_if(unusable(&self.core), self.inner.take());
    }
}

impl Drop for WriteTxn {
    fn drop(&mut self) {
        leak_if(unusable(&self.core), self.inner.take());
    }
}

/// In a fork, and once the handle is retired, ending a transaction could take a lock that another thread
/// left for ever, or panic in what a panic left half done.
fn unusable(core: &Core) -> bool {
    core.is_forked() || core.is_closed()
}

fn leak_if<T>(leak: bool, value: Option<T>) {
    if leak {
        std::mem::forget(value);
    }
}
