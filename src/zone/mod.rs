//! Time zones: the rules of civil time, read from TZif data. Nothing here knows the machine's own zone.

mod data;
mod table;
#[cfg(test)]
mod tests;
mod tzif;

pub use data::TzData;
pub use table::{Edge, Zone};
