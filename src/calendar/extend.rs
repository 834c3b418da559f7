//! A calendar that is written as a change of another.

use super::spec::CalendarSpec;

impl CalendarSpec {
    /// This calendar with everything of `parent` that it does not say itself.
    ///
    /// Its name is its own, and its zone too unless it is empty. Its week replaces the parent's if anything opens in it.
    /// The lists are the parent's followed by its own, so that its exceptions win, and so do its `not_holidays` over the
    /// parent's holidays. Its `holidays_known_until` replaces the parent's if it is given, and so do
    /// its `conventions`.
    #[must_use]
    pub fn extend(self, parent: &CalendarSpec) -> CalendarSpec {
        fn chained<T: Clone>(parent: &[T], own: Vec<T>) -> Vec<T> {
            parent.iter().cloned().chain(own).collect()
        }
        let has_week = self.week.iter().any(|hours| !hours.is_empty());
        CalendarSpec {
            name: self.name,
            zone: if self.zone.is_empty() { parent.zone.clone() } else { self.zone },
            week: if has_week { self.week } else { parent.week.clone() },
            holidays: chained(&parent.holidays, self.holidays),
            not_holidays: chained(&parent.not_holidays, self.not_holidays),
            closures: chained(&parent.closures, self.closures),
            exceptions: chained(&parent.exceptions, self.exceptions),
            // Of two sets of hours for one date the child's is kept.
            extra_days: {
                let kept = parent
                    .extra_days
                    .iter()
                    .filter(|extra| !self.extra_days.iter().any(|own| own.date == extra.date));
                kept.cloned().chain(self.extra_days.iter().cloned()).collect()
            },
            holidays_known_until: self.holidays_known_until.or(parent.holidays_known_until),
            conventions: self.conventions.or(parent.conventions),
        }
    }
}
