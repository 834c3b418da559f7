//! A period's cohort as the feed follows it: who counts, who missed and when, and what that says about the promise.
//!
//! Judged without the waived misses, as the adjusted figure is. Instants are kept as keys: something has happened at `now`
//! iff its key is below `now`.

use serde::{Deserialize, Serialize};

use super::tally::allowed;
use crate::clock::{Cycle, Phase};
use crate::policy::AttainmentGoal;
use crate::time::Instant;

/// What one request is to the cohort of one clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Membership {
    /// From when on it counts; `None` if it does not.
    pub(crate) joined: Option<u32>,
    /// When its first miss that nobody excused becomes one, if nothing happens; and whether by a change of facts.
    pub(crate) missed: Option<(u32, bool)>,
}

impl Membership {
    /// By a clock's cycles, all that is known of them. Withdrawn in time, a cycle never counted.
    pub(crate) fn of(cycles: &[Cycle]) -> Membership {
        let is_waived = cycles.iter().any(|cycle| cycle.waived_at.is_some());
        let missable = cycles.iter().filter(|cycle| {
            matches!(cycle.phase, Phase::Missed { .. } | Phase::Running) && cycle.waived_at.is_none()
        });
        let missed = missable.filter_map(Cycle::due_threshold);
        let missed = missed.map(|due| (u32::try_from(due.key()).unwrap_or(0), due.by_change)).min();
        let counts = |cycle: &&Cycle| {
            matches!(
                cycle.phase,
                Phase::Met { .. } | Phase::Missed { .. } | Phase::Running | Phase::Paused { .. }
            )
        };
        let begun = cycles.iter().find(counts).map(|cycle| {
            let from = cycle.started_at.raw();
            if cycle.armed && !cycle.armed_by_change { from } else { from.saturating_sub(1) }
        });
        // Excused misses leave the adjusted figure with their request, until another is not excused.
        Membership { joined: if is_waived { missed.map(|(key, _)| key) } else { begun }, missed }
    }

    /// What of it has happened at `now`.
    pub(crate) fn until(self, now: u32) -> Membership {
        Membership {
            joined: self.joined.filter(|key| *key < now),
            missed: self.missed.filter(|(key, _)| *key < now),
        }
    }
}

/// A request that missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Miss {
    pub(crate) key: u32,
    /// A change of facts put it into the past.
    pub(crate) by_change: bool,
    /// How many requests counted then, this one included.
    pub(crate) counted: u32,
}

impl Miss {
    fn at(&self) -> u32 {
        self.key.saturating_add(u32::from(self.by_change))
    }
}

/// Who counts and who missed, of one clock and period, up to where the feed is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cohort {
    /// Requests that count.
    pub(crate) counted: u32,
    /// Those that missed, by key.
    pub(crate) misses: Vec<Miss>,
}

/// When something was crossed, and whether a change of facts put it into the past.
pub(crate) type Crossed = Option<(Instant, bool)>;

impl Cohort {
    /// Of requests that joined and missed at these keys.
    pub(crate) fn of(mut joined: Vec<u32>, mut missed: Vec<(u32, bool)>) -> Cohort {
        joined.sort_unstable();
        missed.sort_unstable();
        let until = |key: u32| joined.partition_point(|joined| *joined <= key) as u32;
        let misses =
            missed.into_iter().map(|(key, by_change)| Miss { key, by_change, counted: until(key) }).collect();
        Cohort { counted: joined.len() as u32, misses }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.counted == 0 && self.misses.is_empty()
    }

    /// A request joined at `key`, or turns out not to have.
    pub(crate) fn join(&mut self, key: u32, came: bool) {
        let moved = |count: u32| if came { count.saturating_add(1) } else { count.saturating_sub(1) };
        self.counted = moved(self.counted);
        let from = self.misses.partition_point(|miss| miss.key < key);
        self.misses.iter_mut().skip(from).for_each(|miss| miss.counted = moved(miss.counted));
    }

    /// A request missed, when so many counted.
    pub(crate) fn miss(&mut self, key: u32, by_change: bool, counted: u32) {
        let place = self.misses.partition_point(|miss| (miss.key, miss.by_change) <= (key, by_change));
        self.misses.insert(place, Miss { key, by_change, counted });
    }

    /// A miss turns out to be none, or is excused.
    pub(crate) fn take_back(&mut self, key: u32, by_change: bool) {
        let place = self.misses.partition_point(|miss| (miss.key, miss.by_change) < (key, by_change));
        if self.misses.get(place).is_some_and(|miss| (miss.key, miss.by_change) == (key, by_change)) {
            self.misses.remove(place);
        }
    }

    /// The first instant at which no more misses were left of those that the cohort allowed by then, and at least one had
    /// happened. A promise of 100 % has no budget to use up.
    pub(crate) fn exhausted(&self, goal: &AttainmentGoal) -> Crossed {
        if goal.share_bp >= 10_000 {
            return None;
        }
        let used = (1_u64..).zip(&self.misses);
        let mut last = used.filter(|(used, miss)| *used >= allowed(u64::from(miss.counted), goal));
        let (_, miss) = last.next()?;
        Some((Instant::from_raw(miss.at())?, miss.by_change))
    }

    /// Since when the promise is broken for certain: more misses than the period allows, and no more requests to come.
    /// One miss breaks a promise of 100 % at once. `end` is the first instant after the period, if that has passed.
    pub(crate) fn broken(&self, goal: &AttainmentGoal, end: Option<Instant>) -> Crossed {
        let spare = usize::try_from(allowed(u64::from(self.counted), goal)).ok()?;
        let deciding = self.misses.get(spare)?;
        let at = Instant::from_raw(deciding.at())?;
        match end {
            Some(end) if at < end && goal.share_bp < 10_000 => Some((end, false)),
            None if goal.share_bp < 10_000 => None,
            _ => Some((at, deciding.by_change)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Period;

    fn goal(share_bp: u32) -> AttainmentGoal {
        AttainmentGoal { share_bp, per: Period::Month }
    }

    fn at(secs: i64) -> Instant {
        Instant::from_secs(secs).unwrap()
    }

    #[test]
    fn a_budget_is_used_up_by_the_miss_that_takes_the_last_one() {
        // One request a second from 0 on; 90 % of 30 allows three misses.
        for (misses, expected) in [
            (vec![], None),
            (vec![29], None),
            (vec![28, 29], None),
            (vec![27, 28, 29], Some(28)),
            // Of ten requests one may be missed; of nine, none: then the first miss is one too many.
            (vec![9], Some(9)),
            (vec![8], Some(8)),
            (vec![10], Some(10)),
            (vec![19], None),
            (vec![19, 20], Some(20)),
        ] {
            let cohort =
                Cohort::of((0..30).collect(), misses.iter().map(|key| (*key, false)).collect::<Vec<_>>());
            let found = cohort.exhausted(&goal(9_000));
            assert_eq!(found, expected.map(|key| (at(key), false)), "{misses:?}");
        }
    }

    #[test]
    fn a_promise_breaks_when_nobody_can_come_any_more() {
        let misses = [5, 50, 60, 200].map(|key| (key, false)).to_vec();
        let cohort = Cohort::of((0..30).collect(), misses);
        assert_eq!(cohort.broken(&goal(9_000), None), None, "more may come");
        assert_eq!(
            cohort.broken(&goal(9_000), Some(at(100))),
            Some((at(200), false)),
            "the fourth is too many"
        );
        assert_eq!(cohort.broken(&goal(9_500), Some(at(100))), Some((at(100), false)), "the second was");
        assert_eq!(cohort.broken(&goal(8_600), Some(at(100))), None, "four of 30 are allowed");
        assert_eq!(
            cohort.broken(&goal(10_000), None),
            Some((at(5), false)),
            "one is too many, whoever comes"
        );
        assert_eq!(cohort.exhausted(&goal(10_000)), None);
    }

    #[test]
    fn every_number_of_requests_and_misses_is_judged_as_the_tally_judges_it() {
        for counted in 1..=200_u32 {
            for share_bp in [5_000, 8_000, 9_000, 9_500, 9_900, 9_999, 10_000] {
                let goal = goal(share_bp);
                let spare = allowed(u64::from(counted), &goal) as u32;
                for missed in
                    [spare.saturating_sub(1), spare, spare + 1].into_iter().filter(|m| *m <= counted)
                {
                    let keys = (0..missed).map(|key| (1_000 + key, false)).collect();
                    let cohort = Cohort::of((0..counted).collect(), keys);
                    let tally = super::super::Tally {
                        met: u64::from(counted - missed),
                        missed: u64::from(missed),
                        ..Default::default()
                    };
                    let broken = tally.judge(&goal) == super::super::GoalVerdict::Broken;
                    assert_eq!(
                        cohort.broken(&goal, Some(at(500))).is_some(),
                        broken,
                        "{missed} of {counted}"
                    );
                    let used_up = missed > 0 && tally.budget_left(&goal) <= 0 && share_bp < 10_000;
                    assert_eq!(
                        cohort.exhausted(&goal).is_some(),
                        used_up,
                        "{missed} of {counted} at {share_bp}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_learned_late_comes_to_the_same_as_what_is_known_at_once() {
        let mut cohort = Cohort::of(vec![1, 2, 3, 9], vec![(4, false), (8, true)]);
        cohort.join(5, true);
        cohort.join(2, false);
        cohort.miss(6, false, 3);
        assert_eq!(cohort, Cohort::of(vec![1, 3, 5, 9], vec![(4, false), (6, false), (8, true)]));
        cohort.take_back(8, false);
        assert_eq!(cohort.misses.len(), 3, "that was never missed");
        cohort.take_back(4, false);
        assert_eq!(cohort, Cohort::of(vec![1, 3, 5, 9], vec![(6, false), (8, true)]));
    }
}
