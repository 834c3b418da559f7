//! Databases on storages of a simulation's own.

use std::sync::{PoisonError, RwLock};

use redb::StorageBackend;

use super::{Db, Options};
use crate::error::Result;
use crate::policy::Policy;
use crate::store::Store;
use crate::store::file::Draft;
use crate::store::head::Head;

/// Makes a new database in a draft and publishes it, by the steps of [`Db::create`].
///
/// # Errors
/// As for [`Db::create`].
pub fn create(draft: &impl Draft, policy: &Policy, options: &Options) -> Result<()> {
    let head = Head { policy: 1, ..Head::default() };
    Store::create_draft(draft, &options.file, head, &Db::first_edition(policy)?)
}

/// Opens what a storage holds, by the steps of [`Db::open`].
///
/// # Errors
/// As for [`Db::open`].
pub fn open(storage: Box<dyn StorageBackend>, options: &Options) -> Result<Db> {
    Ok(Db::over(Store::open_storage(storage, &options.file)?))
}

/// Opens as [`open`], and takes compiled policies over from a handle of the same history, so that they need not be
/// compiled for each of thousands of images.
///
/// # Errors
/// As for [`Db::open`].
pub fn open_like(known: &Db, storage: Box<dyn StorageBackend>, options: &Options) -> Result<Db> {
    let mut db = open(storage, options)?;
    db.editions = RwLock::new(known.editions.read().unwrap_or_else(PoisonError::into_inner).clone());
    Ok(db)
}

/// The same options, folding the log after so many operations: small files then fold as large ones do.
#[must_use]
pub fn fold_after(mut options: Options, operations: u32) -> Options {
    options.file.fold_after = operations;
    options
}
