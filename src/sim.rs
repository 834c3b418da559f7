//! For the simulations under `tests/`: databases on storages of their own. No part of the public interface, and
//! subject to change at any time.

pub use redb::{BackendError, StorageBackend};

pub use crate::db::reread::reread;
pub use crate::db::sim::{create, fold_after, open, open_like};
pub use crate::store::file::Draft;
