//! What could go wrong: a verdict that depends on when an event was recorded, a pause that grants or takes time it
//! should not, a miss that a later event takes away. `table` holds one rule each, a second below, at and above its
//! edge; random lives of requests are in `tests/clock_properties.rs`.

pub(crate) mod support;
mod table;
