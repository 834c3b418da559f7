//! Attainment and waiting by group, each beside the rest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Ids, Quantiles};
use crate::attainment::{Comparison, Outcome, PeriodRange, Share, Standing, Tally, Verdict};
use crate::time::Span;

/// How groups of requests fare beside one another, by one clock in one period.
///
/// Each group is compared with all others together. The comparisons share one confidence of 95 %: see
/// [`Comparison::of`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fairness {
    /// The clock.
    pub clock: String,
    /// Received when.
    pub period: PeriodRange,
    /// The facts that make a group, in the order of its `values`.
    pub by: Vec<String>,
    /// How many groups there are, the ones not listed included.
    pub groups_total: u64,
    /// How many of them have something decided, so that the comparisons share the confidence among them.
    pub compared_at_once: u64,
    /// All groups: the median time until handled, wall clock, against which `within_median` is counted.
    pub median: Span,
    /// The groups. In a report those that stand out come first, then the largest; otherwise by their values.
    pub groups: Vec<GroupFairness>,
}

/// One group beside the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupFairness {
    /// One value for each fact; `None` where its requests do not have the fact.
    pub values: Vec<Option<String>>,
    /// Its counts.
    pub tally: Tally,
    /// The share met of those decided, in hundredths of a percent, rounded down.
    pub share_bp: Option<u32>,
    /// Its Wilson interval at 95 %.
    pub share_interval_bp: Option<(u32, u32)>,
    /// Its share met beside that of all other groups; `None` if nothing of one of the two is decided.
    pub attainment: Option<Comparison>,
    /// Time until handled, wall clock.
    pub handled: Quantiles,
    /// How many of the handled took no longer than the median of all groups.
    pub within_median: u64,
    /// That share beside that of all other groups: better means handled sooner.
    pub speed: Option<Comparison>,
    /// Time on hold by reason.
    pub held: Vec<Held>,
    /// Those that count: met, missed and undecided.
    pub counted: Ids,
    /// Those that missed their target.
    pub missed: Ids,
}

/// A group's time on hold for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// `waiting_customer`, `waiting_vendor` or a reason of the policy's own.
    pub reason: String,
    /// Requests that were on hold for it.
    pub requests: u64,
    /// Wall-clock time, summed over the requests.
    pub elapsed: Span,
}

impl GroupFairness {
    /// It differs from the rest by more than chance, in one way or another.
    pub fn stands_out(&self) -> bool {
        let differs = |of: &Option<Comparison>| of.is_some_and(|of| of.standing != Standing::Noise);
        differs(&self.attainment) || differs(&self.speed)
    }
}

impl Fairness {
    /// Puts those that stand out first, then the largest, and keeps `most` groups.
    pub(crate) fn shorten(&mut self, most: usize) {
        let rank = |group: &GroupFairness| (!group.stands_out(), std::cmp::Reverse(group.tally.counted()));
        self.groups.sort_by_key(rank);
        self.groups.truncate(most);
    }
}

/// What became of one request, as groups count it.
pub(crate) struct Fate<'a> {
    pub(crate) id: &'a str,
    pub(crate) outcome: &'a Outcome,
    /// From the start of the clock until handled, in seconds; `None` if it is open or does not count.
    pub(crate) handled: Option<i64>,
    /// Time on hold by reason, in seconds.
    pub(crate) held: &'a BTreeMap<&'a str, i64>,
}

/// Groups being counted.
#[derive(Debug, Default)]
pub(crate) struct FairnessCount {
    groups: BTreeMap<Vec<Option<String>>, Group>,
}

#[derive(Debug, Default)]
struct Group {
    tally: Tally,
    handled: Vec<i64>,
    held: BTreeMap<String, (u64, i64)>,
    counted: Ids,
    missed: Ids,
}

impl FairnessCount {
    pub(crate) fn add(&mut self, values: Vec<Option<String>>, fate: &Fate<'_>, most: usize) {
        let group = self.groups.entry(values).or_default();
        group.tally.add(fate.outcome);
        group.handled.extend(fate.handled);
        for (reason, seconds) in fate.held {
            let (requests, elapsed) = group.held.entry((*reason).to_owned()).or_default();
            *requests += 1;
            *elapsed += seconds;
        }
        if !matches!(fate.outcome.verdict, Verdict::Excluded(_)) {
            group.counted.add(fate.id, most);
        }
        if fate.outcome.verdict == Verdict::Missed {
            group.missed.add(fate.id, most);
        }
    }

    /// Whether any request has one of the facts.
    pub(crate) fn has_values(&self) -> bool {
        self.groups.keys().flatten().any(Option::is_some)
    }

    /// The groups, by their values.
    pub(crate) fn fairness(self, clock: &str, period: PeriodRange, by: Vec<String>) -> Fairness {
        let median =
            Quantiles::of(self.groups.values().flat_map(|group| group.handled.clone()).collect()).median;
        let attained =
            |group: &Group| Share { part: group.tally.met, whole: group.tally.met + group.tally.missed };
        let within = |group: &Group| {
            let part = group.handled.iter().filter(|length| **length <= median.as_secs()).count();
            Share { part: part as u64, whole: group.handled.len() as u64 }
        };
        let sum = |share: &dyn Fn(&Group) -> Share| {
            self.groups.values().map(share).fold(Share::default(), |sum, share| Share {
                part: sum.part + share.part,
                whole: sum.whole + share.whole,
            })
        };
        let (all_attained, all_within) = (sum(&attained), sum(&within));
        let at_once = self.groups.values().filter(|group| attained(group).whole > 0).count();
        let groups_total = self.groups.len() as u64;
        let groups = self.groups.into_iter().map(|(values, group)| {
            let (own, soon) = (attained(&group), within(&group));
            let held = group.held.into_iter().map(|(reason, (requests, elapsed))| Held {
                reason,
                requests,
                elapsed: Span::from_secs(elapsed),
            });
            GroupFairness {
                values,
                share_bp: group.tally.share_bp(),
                share_interval_bp: group.tally.share_interval_bp(),
                attainment: Comparison::of(own, all_attained.without(own), at_once),
                handled: Quantiles::of(group.handled),
                within_median: soon.part,
                speed: Comparison::of(soon, all_within.without(soon), at_once),
                held: held.collect(),
                counted: group.counted,
                missed: group.missed,
                tally: group.tally,
            }
        });
        Fairness {
            clock: clock.to_owned(),
            period,
            by,
            groups_total,
            compared_at_once: at_once as u64,
            median,
            groups: groups.collect(),
        }
    }
}
