//! The slow reference for calendars: no table, no interval arithmetic, only a walk of the clock.

pub(crate) mod random;
pub(crate) mod window;
pub(crate) mod zones;
