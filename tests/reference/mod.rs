//! The slow reference for calendars: no table, no interval arithmetic, only a walk of the clock.

pub mod random;
pub mod window;
pub mod zones;
