//! What the storage engine reports, in our words.

use std::fmt;
use std::io;

use crate::error::{Error, ErrorKind, Result};

/// Turns any result of the storage engine into one of ours, saying what was being done.
pub(crate) trait StoreResult<T> {
    /// The same result; an error begins with `doing`, as in `reading requests: …`.
    fn store(self, doing: impl fmt::Display) -> Result<T>;
}

impl<T, E: Into<redb::Error>> StoreResult<T> for std::result::Result<T, E> {
    fn store(self, doing: impl fmt::Display) -> Result<T> {
        self.map_err(|error| translate(error.into()).context(doing))
    }
}

/// The error of opening a table.
pub(crate) fn from_table(error: redb::TableError) -> Error {
    translate(error.into())
}

/// The error of reading or writing within a table.
pub(crate) fn from_storage(error: redb::StorageError) -> Error {
    translate(error.into())
}

/// Why our backend refuses an operation. Travels through the engine inside an [`io::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Another process or thread held a lock for longer than the patience, in milliseconds.
    Busy(u128),
    /// The process is a fork of the one that opened the file.
    Forked,
    /// The caller raised the cancellation flag.
    Cancelled,
    /// The handle was found damaged, or is closed.
    Retired,
    /// The file is empty, and is not to be made a database.
    Empty,
}

impl Fault {
    pub(super) fn error(self) -> Error {
        let kind = match self {
            Fault::Busy(_) => ErrorKind::Busy,
            Fault::Forked => ErrorKind::ForkedHandle,
            Fault::Cancelled => ErrorKind::Cancelled,
            Fault::Retired => ErrorKind::Closed,
            Fault::Empty => ErrorKind::NotADatabase,
        };
        Error::new(kind, self.to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Busy(ms) => write!(f, "another writer held the file for more than {ms} ms"),
            Fault::Forked => f.write_str("the handle was opened before `fork`; a child must open its own"),
            Fault::Cancelled => f.write_str("cancelled by the caller"),
            Fault::Retired => f.write_str("the handle is closed"),
            Fault::Empty => f.write_str("the file is empty"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        io::Error::other(fault)
    }
}

/// The error for a panic that was caught.
pub(super) fn panicked(cause: &(dyn std::any::Any + Send)) -> Error {
    let text = cause
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| cause.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    Error::new(ErrorKind::Damaged, format!("the store met a state it cannot be in: {text}"))
}

fn translate(error: redb::Error) -> Error {
    use redb::Error as E;
    let text = error.to_string();
    match error {
        E::Io(cause) => io_error(cause),
        E::Corrupted(_) | E::LockPoisoned(_) => Error::new(ErrorKind::Damaged, text),
        // Our own tables, with another shape than ours or not there at all.
        E::TableTypeMismatch { .. }
        | E::TypeDefinitionChanged { .. }
        | E::TableIsMultimap(_)
        | E::TableIsNotMultimap(_)
        | E::TableDoesNotExist(_) => Error::new(ErrorKind::Damaged, text),
        E::ValueTooLarge(_) => Error::new(ErrorKind::OutOfRange, text),
        E::PreviousIo => Error::new(ErrorKind::ReadOnly, "an earlier operation failed; reopen the file"),
        E::DatabaseClosed => Fault::Retired.error(),
        E::Unsupported => Error::new(
            ErrorKind::Unsupported,
            "this file system has no byte-range locks, so the file can only be opened exclusively",
        ),
        E::DatabaseAlreadyOpen => {
            Error::new(ErrorKind::Busy, "another process has the file open in a mode that excludes this one")
        }
        E::LockProtocolMismatch => {
            Error::new(ErrorKind::Busy, "another process has the file open with an incompatible release")
        }
        E::RepairAborted => Error::new(
            ErrorKind::ReadOnly,
            "the file was not closed cleanly and must be opened for writing once before it can be read",
        ),
        E::UpgradeRequired(_) => Error::new(ErrorKind::NotADatabase, text),
        E::TransactionInProgress | E::WouldBlock | E::ReadTransactionStillInUse(_) => {
            Error::new(ErrorKind::Busy, "another transaction of this file is in progress")
        }
        _ => Error::new(ErrorKind::Internal, text),
    }
}

fn io_error(cause: io::Error) -> Error {
    if let Some(fault) = cause.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()) {
        return fault.error();
    }
    let kind = match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            ErrorKind::StorageFull
        }
        // The engine reads only what its own header promises to be there.
        io::ErrorKind::UnexpectedEof => ErrorKind::Damaged,
        // Reported by the engine for a wrong magic number, never by a file.
        io::ErrorKind::InvalidData => ErrorKind::NotADatabase,
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        _ => ErrorKind::Io,
    };
    Error::new(kind, cause.to_string()).because(cause)
}
