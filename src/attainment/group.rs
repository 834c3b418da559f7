//! Attainment by customer, priority, channel, …: unequal treatment shows only where it is counted apart.

use std::collections::BTreeMap;

use super::{Outcome, Tally};
use crate::model::Facts;

/// What to count apart by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GroupBy {
    /// By clock.
    Clock,
    /// By `customer`, `priority`, `category`, `channel` or an attribute, by its name.
    Fact(String),
}

impl GroupBy {
    /// `clock`, or a fact's name.
    pub fn parse(name: &str) -> GroupBy {
        if name == "clock" { GroupBy::Clock } else { GroupBy::Fact(name.to_owned()) }
    }

    /// Its name, as a column heading.
    pub fn name(&self) -> &str {
        match self {
            GroupBy::Clock => "clock",
            GroupBy::Fact(name) => name,
        }
    }

    /// The value to count under; `None` if the request does not have the fact.
    pub fn value<'a>(&self, clock: &'a str, facts: &'a Facts) -> Option<&'a str> {
        match self {
            GroupBy::Clock => Some(clock),
            GroupBy::Fact(name) => facts.get(name),
        }
    }
}

/// Tallies by group. Each group is named by one value per [`GroupBy`], in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breakdown {
    by: Vec<GroupBy>,
    groups: BTreeMap<Vec<Option<String>>, Tally>,
}

impl Breakdown {
    /// No counts yet. Without any `by` there is one group.
    pub fn new(by: Vec<GroupBy>) -> Breakdown {
        Breakdown { by, groups: BTreeMap::new() }
    }

    /// What it counts apart by.
    pub fn by(&self) -> &[GroupBy] {
        &self.by
    }

    /// Counts one request's outcome for a clock.
    pub fn add(&mut self, clock: &str, facts: &Facts, outcome: &Outcome) {
        let key = self.by.iter().map(|by| by.value(clock, facts).map(str::to_owned)).collect();
        self.groups.entry(key).or_default().add(outcome);
    }

    /// Adds another breakdown by the same facts; the cohorts must not overlap.
    pub fn merge(&mut self, other: &Breakdown) {
        for (key, tally) in &other.groups {
            self.groups.entry(key.clone()).or_default().merge(tally);
        }
    }

    /// The groups by their values; requests without a value come first.
    pub fn iter(&self) -> impl Iterator<Item = (&[Option<String>], &Tally)> {
        self.groups.iter().map(|(key, tally)| (key.as_slice(), tally))
    }

    /// All groups together.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.groups.values().for_each(|tally| total.merge(tally));
        total
    }
}
