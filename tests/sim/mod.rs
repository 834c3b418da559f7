//! The simulation layer: a disk that remembers what was not synced, a dice with a seed, a virtual clock, and histories of
//! calls with a model of what they must have done.
#![allow(dead_code, reason = "each test program uses its own part")]

pub(crate) mod dice;
pub(crate) mod disk;
pub(crate) mod faq;
pub(crate) mod history;
pub(crate) mod model;
pub(crate) mod platter;
pub(crate) mod policies;
pub(crate) mod run;
