//! The error budget of a month, day by day.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Ids;
use crate::attainment::{Attainment, Outcome, Tally, Verdict};

/// How the misses allowed in a period were spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burndown {
    /// The period's counts against the goal.
    pub attainment: Attainment,
    /// The requests that met their target.
    pub met: Ids,
    /// Those that missed it.
    pub missed: Ids,
    /// Those of which neither is decided.
    pub undecided: Ids,
    /// From the first date of the period to its last, or to the date of the last miss if that is later; not beyond the
    /// report's `now`.
    pub days: Vec<BurnDay>,
}

/// One date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BurnDay {
    /// In the clock's zone.
    #[serde(with = "crate::time::date_text")]
    pub date: NaiveDate,
    /// The requests that count, received on this date.
    pub received_on: Ids,
    /// Of the period's requests, those that missed their deadline on this date.
    pub missed_on: Ids,
    /// Requests that count, received up to the end of this date.
    pub received: u64,
    /// Of the period's requests, those whose deadline was missed up to the end of this date.
    pub missed: u64,
    /// What is left of the whole period's budget; negative if it is overspent.
    pub left: i64,
}

/// The requests of one period, being counted.
#[derive(Debug, Default)]
pub(crate) struct Spending {
    pub(crate) tally: Tally,
    met: Ids,
    missed: Ids,
    undecided: Ids,
    received: BTreeMap<NaiveDate, Ids>,
    misses: BTreeMap<NaiveDate, Ids>,
}

impl Spending {
    /// Counts a request received on a date; `missed` is the date on which it missed its target, if it did.
    pub(crate) fn add(
        &mut self,
        outcome: &Outcome,
        id: &str,
        received: NaiveDate,
        missed: Option<NaiveDate>,
        most: usize,
    ) {
        self.tally.add(outcome);
        if !matches!(outcome.verdict, Verdict::Excluded(_)) {
            self.received.entry(received).or_default().add(id, most);
        }
        match outcome.verdict {
            Verdict::Met => self.met.add(id, most),
            Verdict::Undecided => self.undecided.add(id, most),
            _ => {}
        }
        if let Some(missed) = missed {
            self.missed.add(id, most);
            self.misses.entry(missed).or_default().add(id, most);
        }
    }

    /// The days up to `today`. `attainment` carries the period and the goal.
    pub(crate) fn burndown(mut self, attainment: Attainment, today: NaiveDate) -> Burndown {
        let (first, last) = (attainment.period.first(), attainment.period.last());
        let last = self.misses.last_key_value().map_or(last, |(date, _)| last.max(*date)).min(today);
        let allowed = attainment.goal.as_ref().map_or(0, |goal| attainment.tally.allowed_misses(goal));
        let allowed = i64::try_from(allowed).unwrap_or(i64::MAX);
        let (mut received, mut missed) = (0, 0);
        let days = first.iter_days().take_while(|date| *date <= last).map(|date| {
            let received_on = self.received.remove(&date).unwrap_or_default();
            let missed_on = self.misses.remove(&date).unwrap_or_default();
            received += received_on.total;
            missed += missed_on.total;
            let left = allowed.saturating_sub(i64::try_from(missed).unwrap_or(i64::MAX));
            BurnDay { date, received_on, missed_on, received, missed, left }
        });
        let days = days.collect();
        Burndown { attainment, met: self.met, missed: self.missed, undecided: self.undecided, days }
    }
}
