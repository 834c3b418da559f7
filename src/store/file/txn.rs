//! The engine's transactions, with an end that is safe in every state of the handle.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::backend::Core;
use super::errors::{Fault, StoreResult};
use super::health::{Health, State};
use super::turnstile::Turn;
use crate::error::{Error, ErrorKind, Result};

/// One snapshot to read. Gives the engine's read transaction by `Deref`.
///
/// Keep it short: a snapshot keeps its pages from being used again, so the file grows meanwhile.
pub(crate) struct ReadTxn {
    inner: Option<redb::ReadTransaction>,
    core: Arc<Core>,
}

/// The one write transaction; dropped without a commit, it writes nothing. Gives the engine's by `Deref`.
pub(crate) struct WriteTxn {
    inner: Option<redb::WriteTransaction>,
    core: Arc<Core>,
    health: Arc<Health>,
    rows: AtomicU64,
    turn: Option<Turn>,
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

    pub(super) fn new(
        inner: redb::WriteTransaction,
        core: Arc<Core>,
        health: Arc<Health>,
        turn: Turn,
    ) -> Self {
        WriteTxn { inner: Some(inner), core, health, rows: AtomicU64::new(0), turn: Some(turn) }
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Commits; the turn stays taken until the transaction is dropped.
    pub(super) fn commit(&mut self, durable: bool) -> Result<()> {
        if unusable(&self.core) {
            return Err(Fault::Retired.error());
        }
        let mut txn = self.inner.take().ok_or_else(|| Fault::Retired.error())?;
        let durability = if durable { redb::Durability::Immediate } else { redb::Durability::None };
        txn.set_durability(durability).store("choosing durability")?;
        // A one-phase commit does not survive a failed sync, a reopening and a power cut. Quick repair
        // saves the allocator's state with the commit, so that recovery need not walk the file.
        txn.set_two_phase_commit(durable);
        txn.set_quick_repair(durable);
        txn.commit().store("committing")
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
        self.inner.as_ref().expect("taken only by commit, which consumes the transaction, and on drop")
    }
}

impl Drop for ReadTxn {
    fn drop(&mut self) {
        if unusable(&self.core) {
            std::mem::forget(self.inner.take());
        }
    }
}

impl Drop for WriteTxn {
    fn drop(&mut self) {
        if self.core.is_forked() {
            std::mem::forget((self.inner.take(), self.turn.take()));
            return;
        }
        // The turn ends after this: the next writer begins when the engine's transaction has ended.
        let Some(txn) = self.inner.take() else { return };
        if std::thread::panicking() {
            // What the panic left half done must neither be committed nor closed over.
            let reason = Error::new(ErrorKind::Damaged, "a panic ended a write");
            self.health.worsen(State::Damaged, &reason);
            let _ = self.core.retire();
        }
        if self.core.is_closed() {
            std::mem::forget(txn);
        } else {
            // A failure to give up is the engine's to remember; it shows at the next write.
            let _ = self.health.guard(|| txn.abort().store("giving up a write"));
        }
    }
}

/// In a fork, and once the handle is retired, ending a transaction could wait for a lock that another
/// thread left for ever, or panic in what a panic left half done.
fn unusable(core: &Core) -> bool {
    core.is_forked() || core.is_closed()
}
