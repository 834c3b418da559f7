//! Calendars: working hours in a time zone.
//!
//! A [`CalendarSpec`] is a calendar as written; [`Calendar`] is its compiled form, which answers when it is open, how
//! much working time lies between two instants and which date is the third working day from here.

mod check;
mod column;
mod compile;
mod compiled;
mod conventions;
mod days;
mod extend;
mod grid;
mod holidays;
mod ical;
#[cfg(test)]
mod ical_tests;
mod plain;
mod plan;
mod recurrence;
mod shapes;
mod spec;
mod status;
#[cfg(test)]
mod tests;
mod window;
mod work;

pub use crate::zone::Edge;
pub use compiled::{Calendar, Interval, Intervals};
pub use conventions::{ClockChange, Conventions, ExactFit, NoTime, OpenWhen, Preset};
pub(crate) use grid::greatest_common_divisor;
pub use spec::{CalendarSpec, Closure, DateRule, Exception, ExtraDay, Holiday, Hours, Observed};
pub use status::DayStatus;
