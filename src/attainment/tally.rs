//! Counting verdicts and judging the count.

use std::fmt;

use super::{Exclusion, Outcome, PeriodRange, Tail, Verdict};
use crate::policy::AttainmentGoal;

/// A whole: 100 % in hundredths of a percent.
const WHOLE_BP: u128 = 10_000;

/// How many requests met their target, how many did not, and how many do not count and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    /// Met.
    pub met: u64,
    /// Missed, the waived ones included.
    pub missed: u64,
    /// Not decided yet.
    pub undecided: u64,
    /// Left out: the clock never started.
    pub not_started: u64,
    /// Left out: no deadline.
    pub no_deadline: u64,
    /// Left out: withdrawn before due.
    pub cancelled: u64,
    /// Of the missed, those that somebody excused, with actor and reason; see [`Tally::adjusted`].
    pub waived: u64,
    /// Of the missed, those finished within the limit.
    pub missed_within_limit: u64,
    /// Of the missed, those still open whose limit has not passed.
    pub missed_limit_open: u64,
    /// Of the missed, those whose limit passed unmet, or that have none.
    pub missed_breached: u64,
    /// Single cycles finished in time, where a clock runs again and again.
    pub cycles_met: u64,
    /// Single cycles whose due instant passed unmet.
    pub cycles_missed: u64,
}

impl Tally {
    /// Counts one request.
    pub fn add(&mut self, outcome: &Outcome) {
        *match outcome.verdict {
            Verdict::Met => &mut self.met,
            Verdict::Missed => &mut self.missed,
            Verdict::Undecided => &mut self.undecided,
            Verdict::Excluded(Exclusion::NotStarted) => &mut self.not_started,
            Verdict::Excluded(Exclusion::NoDeadline) => &mut self.no_deadline,
            Verdict::Excluded(Exclusion::Cancelled) => &mut self.cancelled,
        } += 1;
        if outcome.verdict == Verdict::Missed {
            match outcome.tail {
                Some(Tail::WithinLimit) => self.missed_within_limit += 1,
                Some(Tail::Undecided) => self.missed_limit_open += 1,
                Some(Tail::Breached) | None => self.missed_breached += 1,
            }
            self.waived += u64::from(outcome.waived);
        }
        self.cycles_met += u64::from(outcome.cycles_met);
        self.cycles_missed += u64::from(outcome.cycles_missed);
    }

    /// Adds another tally's counts; the cohorts must not overlap.
    pub fn merge(&mut self, other: &Tally) {
        let Tally {
            met,
            missed,
            undecided,
            not_started,
            no_deadline,
            cancelled,
            waived,
            missed_within_limit,
            missed_limit_open,
            missed_breached,
            cycles_met,
            cycles_missed,
        } = *other;
        self.met += met;
        self.missed += missed;
        self.undecided += undecided;
        self.not_started += not_started;
        self.no_deadline += no_deadline;
        self.cancelled += cancelled;
        self.waived += waived;
        self.missed_within_limit += missed_within_limit;
        self.missed_limit_open += missed_limit_open;
        self.missed_breached += missed_breached;
        self.cycles_met += cycles_met;
        self.cycles_missed += cycles_missed;
    }

    /// The same without the waived misses. Show both: the raw figure and this one.
    #[must_use]
    pub fn adjusted(mut self) -> Tally {
        self.missed = self.missed.saturating_sub(self.waived);
        self.waived = 0;
        self
    }

    /// Requests that count: met, missed and undecided.
    pub fn counted(&self) -> u64 {
        self.met + self.missed + self.undecided
    }

    /// Requests that do not count, for whatever reason.
    pub fn excluded(&self) -> u64 {
        self.not_started + self.no_deadline + self.cancelled
    }

    /// The share met of those decided, in hundredths of a percent, rounded down; `None` if none is decided.
    pub fn share_bp(&self) -> Option<u32> {
        share_bp(self.met, self.met + self.missed)
    }

    /// The range in which the share would lie with 95 % confidence if as many more requests were handled in the same
    /// way, lowest and highest, in hundredths of a percent; `None` if nothing is decided.
    ///
    /// The Wilson score interval (E. B. Wilson, 1927) with z = 1.96, rounded outwards. It tells a difference between
    /// two groups from chance: where the ranges do not touch, the difference is real.
    pub fn share_interval_bp(&self) -> Option<(u32, u32)> {
        wilson_bp(self.met, self.met + self.missed)
    }

    /// The share if every undecided one is met.
    pub fn best_share_bp(&self) -> Option<u32> {
        share_bp(self.met + self.undecided, self.counted())
    }

    /// The share if every undecided one is missed.
    pub fn worst_share_bp(&self) -> Option<u32> {
        share_bp(self.met, self.counted())
    }

    /// How many of the counted may be missed under the goal, rounded down.
    pub fn allowed_misses(&self, goal: &AttainmentGoal) -> u64 {
        allowed(self.counted(), goal)
    }

    /// Misses still allowed; negative if there were more than that.
    pub fn budget_left(&self, goal: &AttainmentGoal) -> i64 {
        let left = i128::from(self.allowed_misses(goal)) - i128::from(self.missed);
        i64::try_from(left).unwrap_or(i64::MIN)
    }

    /// How many of the undecided must still be met for the goal to be reached; `None` if all of them are not enough.
    pub fn must_meet(&self, goal: &AttainmentGoal) -> Option<u64> {
        let wanted = (u128::from(goal.share_bp) * u128::from(self.counted())).div_ceil(WHOLE_BP);
        let missing = u64::try_from(wanted).ok()?.saturating_sub(self.met);
        (missing <= self.undecided).then_some(missing)
    }

    /// Whether the goal is kept however the undecided ones end, cannot be kept any more, or depends on them.
    ///
    /// An empty cohort keeps every goal.
    pub fn judge(&self, goal: &AttainmentGoal) -> GoalVerdict {
        let reaches =
            |met: u64| u128::from(met) * WHOLE_BP >= u128::from(goal.share_bp) * u128::from(self.counted());
        if reaches(self.met) {
            GoalVerdict::Kept
        } else if reaches(self.met + self.undecided) {
            GoalVerdict::Open
        } else {
            GoalVerdict::Broken
        }
    }
}

/// How many of so many may be missed under the goal, rounded down.
pub(super) fn allowed(counted: u64, goal: &AttainmentGoal) -> u64 {
    let slack = WHOLE_BP.saturating_sub(u128::from(goal.share_bp));
    u64::try_from(u128::from(counted) * slack / WHOLE_BP).unwrap_or(u64::MAX)
}

fn share_bp(part: u64, whole: u64) -> Option<u32> {
    let share = (u128::from(part) * WHOLE_BP).checked_div(u128::from(whole))?;
    u32::try_from(share).ok()
}

/// The Wilson score interval of `part` in `whole` with z = 1.96, in integers.
///
/// With p = part / whole its middle is (part + z²/2) / (whole + z²), and it reaches z · √(whole · p (1 − p) + z²/4) /
/// (whole + z²) to either side.
fn wilson_bp(part: u64, whole: u64) -> Option<(u32, u32)> {
    /// z and z² in ten-thousandths; z²/4 is a whole number of them.
    const Z: u128 = 19_600;
    const Z_SQUARED: u128 = 38_416;
    if whole == 0 {
        return None;
    }
    let (part, whole) = (u128::from(part), u128::from(whole));
    let divisor = whole * WHOLE_BP + Z_SQUARED;
    let middle = part * WHOLE_BP + Z_SQUARED / 2;
    // The square of the reach, in the unit of `middle`: Z² (part (whole − part) / whole + z²/4).
    let squared = part * (whole - part) * WHOLE_BP + Z_SQUARED / 4 * whole;
    let reach = (Z * Z * squared).div_ceil(whole * WHOLE_BP);
    let reach = reach.isqrt() + u128::from(reach.isqrt().pow(2) < reach);
    let low = middle.saturating_sub(reach) * WHOLE_BP / divisor;
    let high = ((middle + reach) * WHOLE_BP).div_ceil(divisor).min(WHOLE_BP);
    Some((u32::try_from(low).ok()?, u32::try_from(high).ok()?))
}

/// Whether a promised share is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoalVerdict {
    /// Yes, however the undecided ones end.
    Kept,
    /// Not decided yet.
    Open,
    /// No, however the undecided ones end.
    Broken,
}

impl fmt::Display for GoalVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GoalVerdict::Kept => "kept",
            GoalVerdict::Open => "open",
            GoalVerdict::Broken => "broken",
        })
    }
}

/// One clock's attainment over a period. Written out as people read it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Attainment {
    /// Received when.
    pub period: PeriodRange,
    /// Judged by which clock.
    pub clock: String,
    /// The counts.
    pub tally: Tally,
    /// What was promised, if a share was.
    pub goal: Option<AttainmentGoal>,
    /// The period is over, so that no more requests join the cohort.
    pub period_over: bool,
}

impl Attainment {
    /// The verdict on the goal; `None` without one. While the period lasts it is open: more requests may come. Only a
    /// promise of 100 % is broken by one miss, whoever comes.
    pub fn verdict(&self) -> Option<GoalVerdict> {
        let goal = self.goal.as_ref()?;
        let verdict = self.tally.judge(goal);
        let is_certain =
            self.period_over || (verdict == GoalVerdict::Broken && u128::from(goal.share_bp) >= WHOLE_BP);
        Some(if is_certain { verdict } else { GoalVerdict::Open })
    }

    /// The same without the waived misses.
    #[must_use]
    pub fn adjusted(&self) -> Attainment {
        Attainment { tally: self.tally.adjusted(), ..self.clone() }
    }
}

impl fmt::Display for Attainment {
    /// `March 2016: 95.1 % of 8,123 by resolution; goal 95 %: kept; 12 misses left`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = &self.tally;
        match tally.share_bp() {
            Some(share) => {
                let decided = Grouped(tally.met + tally.missed);
                write!(f, "{}: {} of {decided} by {}", self.period, Percent(share), self.clock)?;
            }
            None => write!(f, "{}: nothing decided by {}", self.period, self.clock)?,
        }
        if tally.undecided > 0 {
            write!(f, ", {} undecided", Grouped(tally.undecided))?;
        }
        if let (1.., Some(share)) = (tally.waived, tally.adjusted().share_bp()) {
            write!(f, " ({} without {} waived)", Percent(share), Grouped(tally.waived))?;
        }
        let (Some(goal), Some(verdict)) = (&self.goal, self.verdict()) else { return Ok(()) };
        write!(f, "; goal {}: {verdict}", Percent(goal.share_bp))?;
        let left = tally.budget_left(goal);
        let misses = if left.unsigned_abs() == 1 { "miss" } else { "misses" };
        let side = if left < 0 { "too many" } else { "left" };
        write!(f, "; {} {misses} {side}", Grouped(left.unsigned_abs()))
    }
}

/// Hundredths of a percent as people write them: `95 %`, `95.1 %`, `99.95 %`.
pub(crate) struct Percent(pub(crate) u32);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match (rest / 10, rest % 10) {
            (0, 0) => write!(f, "{whole} %"),
            (tenths, 0) => write!(f, "{whole}.{tenths} %"),
            _ => write!(f, "{whole}.{rest:02} %"),
        }
    }
}

/// A count with commas between thousands.
pub(crate) struct Grouped(pub(crate) u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.char_indices() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_the_wilson_score_interval() {
        // Against the formula in floating point, for every count up to 200.
        for whole in 1..=200_u64 {
            for part in 0..=whole {
                let (low, high) = wilson_bp(part, whole).unwrap();
                let (n, z) = (whole as f64, 1.96_f64);
                let p = part as f64 / n;
                let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
                let reach = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
                let (from, to) = ((middle - reach) * 1e4, (middle + reach) * 1e4);
                assert!(
                    f64::from(low) <= from.max(0.0) + 1e-6 && f64::from(low) > from - 1.25,
                    "{part}/{whole}"
                );
                assert!(
                    f64::from(high) >= to.min(1e4) - 1e-6 && f64::from(high) < to + 1.25,
                    "{part}/{whole}"
                );
            }
        }
        assert_eq!(wilson_bp(0, 0), None);
        assert!(wilson_bp(1 << 31, 1 << 32).is_some());
    }
}
