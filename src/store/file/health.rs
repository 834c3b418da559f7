//! Whether a handle may still be used: a latch that only ever gets worse.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use super::errors::panicked;
use crate::error::{Error, ErrorKind, Result};

/// How much of a handle is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Reads and writes.
    Ok = 0,
    /// A write failed: what it left is unknown until the file is reopened.
    ReadOnly = 1,
    /// A panic or corruption was met: nothing more is asked of this handle.
    Damaged = 2,
}

/// The latch of one handle.
#[derive(Debug, Default)]
pub(crate) struct Health {
    state: AtomicU8,
    reason: Mutex<String>,
}

impl Health {
    /// The state now.
    pub(crate) fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            0 => State::Ok,
            1 => State::ReadOnly,
            _ => State::Damaged,
        }
    }

    /// # Errors
    /// `Damaged` once anything about the handle was found damaged.
    pub(crate) fn may_read(&self) -> Result<()> {
        match self.state() {
            State::Damaged => Err(Error::new(ErrorKind::Damaged, self.because("the file was found damaged"))),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// As [`may_read`](Self::may_read), and `ReadOnly` after a failed write.
    pub(crate) fn may_write(&self) -> Result<()> {
        self.may_read()?;
        match self.state() {
            State::ReadOnly => {
                let what = "an earlier write failed and its outcome is unknown until the file is reopened";
                Err(Error::new(ErrorKind::ReadOnly, self.because(what)))
            }
            _ => Ok(()),
        }
    }

    /// Runs store code: a panic becomes an error, and an error of the file is remembered.
    ///
    /// `Damaged` and a panic leave the handle [`State::Damaged`]. `Io`, `StorageFull` and `ReadOnly` leave
    /// it [`State::ReadOnly`], after reads too: the engine does no more once an operation has failed.
    pub(crate) fn guard<T>(&self, store_code: impl FnOnce() -> Result<T>) -> Result<T> {
        // Whatever a panic leaves half done is behind the latch and is never looked at again.
        let result =
            catch_unwind(AssertUnwindSafe(store_code)).unwrap_or_else(|cause| Err(panicked(&*cause)));
        if let Err(error) = &result {
            match error.kind() {
                ErrorKind::Damaged => self.worsen(State::Damaged, error),
                ErrorKind::Io | ErrorKind::StorageFull | ErrorKind::ReadOnly => {
                    self.worsen(State::ReadOnly, error);
                }
                _ => {}
            }
        }
        result
    }

    /// Moves to `state` unless already there or worse; the first reason for a state is kept.
    pub(crate) fn worsen(&self, state: State, reason: &Error) {
        let mut text = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        if self.state() < state {
            *text = reason.to_string();
            self.state.store(state as u8, Ordering::Release);
        }
    }

    fn because(&self, what: &str) -> String {
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{what} ({reason})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(kind: ErrorKind) -> Result<()> {
        Err(Error::new(kind, "for the test"))
    }

    #[test]
    fn the_latch_only_gets_worse_and_keeps_its_first_reason() {
        let health = Health::default();
        for kind in [ErrorKind::Busy, ErrorKind::Cancelled, ErrorKind::Conflict] {
            health.guard(|| fail(kind)).unwrap_err();
            assert_eq!(health.state(), State::Ok);
        }
        health.guard(|| fail(ErrorKind::StorageFull)).unwrap_err();
        assert_eq!(health.state(), State::ReadOnly);
        health.may_read().unwrap();
        let refused = health.may_write().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ReadOnly);
        assert!(refused.message().contains("unknown until the file is reopened (for the test)"));

        let caught = health.guard::<()>(|| panic!("at row {}", 7)).unwrap_err();
        assert_eq!(caught.kind(), ErrorKind::Damaged);
        assert!(caught.message().contains("at row 7"));
        health.guard(|| fail(ErrorKind::Io)).unwrap_err();
        assert_eq!(health.state(), State::Damaged);
        assert_eq!(health.may_read().unwrap_err().kind(), ErrorKind::Damaged);
        assert_eq!(health.may_write().unwrap_err().kind(), ErrorKind::Damaged);
    }
}
