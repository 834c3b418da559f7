//! Files on storages of a simulation's own: the same code as for files, but for the operating system below it.

use redb::StorageBackend;

use super::open::{self, Draft};
use super::{OpenFile, Options, WriteTxn};
use crate::error::Result;

impl OpenFile {
    /// Fills a draft and publishes it.
    pub(crate) fn create_draft(
        draft: &impl Draft,
        options: &Options,
        init: impl FnOnce(&WriteTxn) -> Result<()>,
    ) -> Result<()> {
        open::build(draft, options, init)
    }

    /// Opens what a storage holds.
    pub(crate) fn open_storage(storage: Box<dyn StorageBackend>, options: &Options) -> Result<OpenFile> {
        open::open_storage(storage, options, None)
    }
}
