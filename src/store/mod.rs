//! The store: one file, its records and its indexes. The only room that knows redb.

pub(crate) mod file;
pub(crate) mod frame;
pub(crate) mod ids;
pub(crate) mod rows;
pub(crate) mod sealed;
