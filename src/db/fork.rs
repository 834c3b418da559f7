//! A copy to try things on.

use std::path::Path;

use super::Db;
use crate::error::Result;

impl Db {
    /// Copies the database as it is to a new file at `to`, for experiments; returns the length of the copy in bytes.
    ///
    /// The copy is one consistent state, with its feed and its consumers, whoever writes meanwhile. It appears when it is
    /// complete, and the original is only read.
    ///
    /// # Errors
    /// `AlreadyExists` if anything at all is at `to`; `Damaged` if something in the original is not as it was written;
    /// `Io`, `StorageFull`; the errors of the file.
    pub fn fork(&self, to: impl AsRef<Path>) -> Result<u64> {
        self.store.copy_to(to.as_ref())
    }
}
