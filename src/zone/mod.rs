//! Time zones: the rules of civil time, read from TZif data. Nothing here knows the machine's own zone.

mod data;
mod table;
mod tzif;

pub use data::TzData;
pub use table::{Edge, Zone};
