//! What could go wrong: a verdict that depends on when an event was recorded, a pause that grants or takes time it
//! should not, a miss that a later event takes away. `table` holds one rule each, a second below, at and above its
//! edge; `laws` and `reference` hold them for random lives of requests.

mod laws;
mod reference;
pub(crate) mod support;
mod table;
