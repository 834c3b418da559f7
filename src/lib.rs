//! slaclock is an embedded database library for promises to customers.
#![deny(unsafe_code)]

pub mod attainment;
pub mod calendar;
pub mod clock;
pub mod db;
pub mod error;
pub mod explain;
#[cfg(feature = "import")]
pub mod import;
pub mod model;
pub mod policy;
mod store;
pub mod target;
pub mod time;
pub mod zone;
