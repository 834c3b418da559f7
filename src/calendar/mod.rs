//! Calendars: working hours in a time zone.

mod spec;

pub use spec::{CalendarSpec, Closure, DateRule, Exception, ExtraDay, Holiday, Hours, Observed};

/// A compiled calendar.
#[derive(Debug)]
pub struct Calendar {
    spec: CalendarSpec,
}

impl Calendar {
    /// The calendar as written.
    pub fn spec(&self) -> &CalendarSpec {
        &self.spec
    }
}
