//! slaclock is an embedded database library for promises to customers.
#![deny(unsafe_code)]

pub mod attainment;
pub mod calendar;
pub mod clock;
pub mod error;
pub mod model;
pub mod policy;
#[allow(dead_code)]
mod store;
pub mod target;
pub mod time;
pub mod zone;
