//! How early or late requests were handled.

use serde::{Deserialize, Serialize};

use super::Ids;
use crate::time::{Instant, Span};

/// Handling times against the deadline, one for each cycle that was finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handling {
    /// Wall-clock time from finish to due, from the earliest to the latest.
    pub bins: Vec<Bin>,
    /// Finished while on hold, so without a deadline at that time: in time, but not by so and so much.
    pub on_hold: Ids,
    /// Still open with their deadline passed.
    pub open_late: Ids,
    /// From the start of the clock until handled, wall-clock time.
    pub elapsed: Quantiles,
    /// The same in working time of the rule's calendar.
    pub working: Quantiles,
}

/// Before or after the deadline. A finish at the very instant of the deadline is in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// In time by so much.
    Early,
    /// Late by so much.
    Late,
}

/// A stretch of handling times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bin {
    /// In time or late.
    pub side: Side,
    /// By at least this; a late one by more than this.
    pub from: Span,
    /// And less than this (a late one by at most this); `None` for all beyond.
    pub to: Option<Span>,
    /// The requests.
    pub ids: Ids,
}

/// The spread of a set of lengths. Each quantile is the smallest length that at least this share does not exceed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many lengths.
    pub count: u64,
    /// Half take at most this.
    pub median: Span,
    /// 90 % take at most this.
    pub p90: Span,
    /// 95 % take at most this.
    pub p95: Span,
    /// The longest.
    pub longest: Span,
}

/// Where one bin ends and the next begins, in seconds from the deadline.
const EDGES: [i64; 7] = [3_600, 4 * 3_600, 8 * 3_600, 86_400, 2 * 86_400, 3 * 86_400, 7 * 86_400];

impl Default for Handling {
    fn default() -> Handling {
        let bounds = |at: usize| {
            let from = at.checked_sub(1).map_or(0, |before| EDGES[before]);
            (Span::from_secs(from), EDGES.get(at).map(|to| Span::from_secs(*to)))
        };
        let bin = |side: Side, at: usize| {
            let (from, to) = bounds(at);
            Bin { side, from, to, ids: Ids::default() }
        };
        let early = (0..=EDGES.len()).rev().map(|at| bin(Side::Early, at));
        let late = (0..=EDGES.len()).map(|at| bin(Side::Late, at));
        Handling {
            bins: early.chain(late).collect(),
            on_hold: Ids::default(),
            open_late: Ids::default(),
            elapsed: Quantiles::default(),
            working: Quantiles::default(),
        }
    }
}

impl Handling {
    /// Counts one finish against the deadline that it had.
    pub(crate) fn add(&mut self, due: Instant, finished: Instant, id: &str, most: usize) {
        let early = due.since(finished).as_secs();
        let at = if early >= 0 {
            EDGES.len() - EDGES.partition_point(|edge| *edge <= early)
        } else {
            EDGES.len() + 1 + EDGES.partition_point(|edge| *edge < -early)
        };
        if let Some(bin) = self.bins.get_mut(at) {
            bin.ids.add(id, most);
        }
    }
}

impl Quantiles {
    /// Of any lengths, in any order.
    pub(crate) fn of(mut lengths: Vec<i64>) -> Quantiles {
        lengths.sort_unstable();
        let rank = |percent: usize| (lengths.len() * percent).div_ceil(100).saturating_sub(1);
        let at = |percent: usize| Span::from_secs(lengths.get(rank(percent)).copied().unwrap_or(0));
        Quantiles { count: lengths.len() as u64, median: at(50), p90: at(90), p95: at(95), longest: at(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_meet_at_their_edges_and_nothing_falls_between() {
        let due = Instant::from_secs(100 * 86_400).unwrap();
        let bin_of = |late_by: i64| {
            let mut handling = Handling::default();
            handling.add(due, due.checked_add(Span::from_secs(late_by)).unwrap(), "A", 1);
            let hit: Vec<_> = handling.bins.iter().filter(|bin| bin.ids.total == 1).collect();
            assert_eq!(hit.len(), 1, "{late_by}");
            (hit[0].side, hit[0].from.as_secs(), hit[0].to.map(Span::as_secs))
        };
        assert_eq!(bin_of(0), (Side::Early, 0, Some(3_600)));
        assert_eq!(bin_of(1), (Side::Late, 0, Some(3_600)));
        assert_eq!(bin_of(-3_599), (Side::Early, 0, Some(3_600)));
        assert_eq!(bin_of(-3_600), (Side::Early, 3_600, Some(14_400)));
        assert_eq!(bin_of(3_600), (Side::Late, 0, Some(3_600)));
        assert_eq!(bin_of(3_601), (Side::Late, 3_600, Some(14_400)));
        assert_eq!(bin_of(7 * 86_400), (Side::Late, 3 * 86_400, Some(7 * 86_400)));
        assert_eq!(bin_of(7 * 86_400 + 1), (Side::Late, 7 * 86_400, None));
        assert_eq!(bin_of(-8 * 86_400), (Side::Early, 7 * 86_400, None));
        let bins = Handling::default().bins;
        assert!(bins.windows(2).all(|pair| match (pair[0].side, pair[1].side) {
            (Side::Early, Side::Early) => Some(pair[0].from) == pair[1].to,
            (Side::Late, Side::Late) => pair[0].to == Some(pair[1].from),
            (before, after) => (before, after) == (Side::Early, Side::Late),
        }));
    }

    #[test]
    fn quantiles_are_lengths_that_occur() {
        assert_eq!(Quantiles::of(vec![]), Quantiles::default());
        let one = Quantiles::of(vec![7]);
        assert_eq!((one.count, one.median.as_secs(), one.p95.as_secs()), (1, 7, 7));
        let hundred = Quantiles::of((1..=100).rev().collect());
        let seconds = [hundred.median, hundred.p90, hundred.p95, hundred.longest].map(Span::as_secs);
        assert_eq!(seconds, [50, 90, 95, 100]);
    }
}
