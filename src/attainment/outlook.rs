//! The outlook: where a promised share will end, while something can still be done about it.
//!
//! Of a cohort so far it tells how many misses are left, between which shares the period will end, and which open
//! requests the verdict hangs on now.

use serde::{Deserialize, Serialize};

use super::{Attainment, GoalVerdict, Outcome, Tail, Verdict};
use crate::time::Instant;

/// An open request that can still change a period's figures, or its tail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pressing {
    /// When it is due (of the tail: was due); `None` while it is paused.
    pub due_at: Option<Instant>,
    /// When its second tier ends, if the clock has one.
    pub limit_at: Option<Instant>,
    /// External id of the request.
    pub request: String,
    /// When the next periodic update to the customer is due, where one runs.
    pub update_due_at: Option<Instant>,
}

/// How the updates that the missed requests of a cohort are owed were kept: every cycle is a promise of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cadence {
    /// The clock's name.
    pub clock: String,
    /// Updates given in time.
    pub kept: u64,
    /// Updates given late, or owed and not given.
    pub missed: u64,
}

/// Where one clock's promised share stands in one period, as of an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    /// The cohort so far and its goal.
    pub attainment: Attainment,
    /// How many of the cohort so far may be missed.
    pub misses_allowed: u64,
    /// Misses left; negative if there were more than allowed. Grows as the cohort does.
    pub misses_left: i64,
    /// How many of the open requests must still be met; `None` if not even all of them are enough.
    pub must_meet: Option<u64>,
    /// The share if every open request is met, in hundredths of a percent.
    pub best_share_bp: Option<u32>,
    /// The share if every open request is missed.
    pub worst_share_bp: Option<u32>,
    /// The verdict on the cohort so far, whatever becomes of the open ones: `open` if it depends on them.
    pub so_far: GoalVerdict,
    /// The verdict on the period: `open` while requests may still join the cohort.
    pub verdict: GoalVerdict,
    /// When the promise breaks for the cohort so far if nothing open is handled; `None` if it does not.
    pub breaks_at: Option<Instant>,
    /// The horizon of `must_finish` and `deciding`.
    pub until_at: Instant,
    /// How many of `deciding` must be handled in time, so that the misses left last until the horizon.
    pub must_finish: u64,
    /// Open requests due before the horizon, earliest due first.
    pub deciding: Vec<Pressing>,
    /// Open requests due later.
    pub later: u64,
    /// Open requests on hold: they cannot be missed until they go on.
    pub on_hold: u64,
    /// Missed requests that are still open, within the limit or beyond it, earliest limit first.
    pub tail: Vec<Pressing>,
    /// Updates owed to the customers of the missed requests, by clock.
    pub cadence: Vec<Cadence>,
}

/// What the outlook takes of one request of the cohort.
#[derive(Clone, Debug)]
pub struct Pulse {
    /// What it comes to by the clock that is judged.
    pub outcome: Outcome,
    /// The request, with the instants of its open cycle.
    pub open: Pressing,
    /// By each clock that keeps the customer informed: name, and what it comes to by that.
    pub updates: Vec<(String, Outcome)>,
}

impl Outlook {
    /// The outlook of a cohort as counted in `attainment`, which must have a goal, from its requests that are not
    /// decided or missed; `None` without a goal.
    ///
    /// ```
    /// use slaclock::attainment::{Attainment, Outlook, Tally};
    /// use slaclock::{Instant, PeriodRange, policy::{AttainmentGoal, Period}};
    ///
    /// let attainment = Attainment {
    ///     period: PeriodRange::parse("2026-03")?,
    ///     clock: "resolution".into(),
    ///     tally: Tally { met: 90, missed: 4, undecided: 6, ..Tally::default() },
    ///     goal: Some(AttainmentGoal { share_bp: 9_500, per: Period::Month }),
    ///     period_over: false,
    /// };
    /// let outlook = Outlook::of(attainment, Instant::MAX, vec![]).expect("it has a goal");
    /// assert_eq!((outlook.misses_allowed, outlook.misses_left), (5, 1));
    /// assert_eq!(outlook.must_meet, Some(5));
    /// # Ok::<(), slaclock::Error>(())
    /// ```
    pub fn of(attainment: Attainment, until: Instant, members: Vec<Pulse>) -> Option<Outlook> {
        let goal = attainment.goal?;
        let tally = attainment.tally;
        let misses_left = tally.budget_left(&goal);
        let mut cadence: Vec<Cadence> = Vec::new();
        let (mut open, mut tail, mut on_hold) = (Vec::new(), Vec::new(), 0);
        for member in members {
            match (member.outcome.verdict, member.open.due_at) {
                (Verdict::Undecided, None) => on_hold += 1,
                (Verdict::Undecided, Some(_)) => open.push(member.open),
                (Verdict::Missed, _) => {
                    owed(&mut cadence, &member.updates);
                    // A finished one has nothing that presses.
                    if member.outcome.tail != Some(Tail::WithinLimit) && member.open.due_at.is_some() {
                        tail.push(member.open);
                    }
                }
                _ => {}
            }
        }
        open.sort();
        tail.sort_by(|a, b| (a.limit_at, a).cmp(&(b.limit_at, b)));
        // The miss after the last one allowed breaks it.
        let spare = usize::try_from(misses_left).ok();
        let breaks_at = spare.and_then(|spare| open.get(spare)).and_then(|breaking| breaking.due_at);
        let soon = open.partition_point(|open| open.due_at < Some(until));
        let later = (open.len() - soon) as u64;
        open.truncate(soon);
        let spare = u64::try_from(misses_left).unwrap_or(0);
        Some(Outlook {
            misses_allowed: tally.allowed_misses(&goal),
            misses_left,
            must_meet: tally.must_meet(&goal),
            best_share_bp: tally.best_share_bp(),
            worst_share_bp: tally.worst_share_bp(),
            so_far: tally.judge(&goal),
            verdict: attainment.verdict()?,
            attainment,
            breaks_at,
            until_at: until,
            // A promise that is broken already cannot be held by anything.
            must_finish: if misses_left < 0 { 0 } else { (soon as u64).saturating_sub(spare) },
            deciding: open,
            later,
            on_hold,
            tail,
            cadence,
        })
    }
}

fn owed(cadence: &mut Vec<Cadence>, updates: &[(String, Outcome)]) {
    for (clock, outcome) in updates {
        let at = match cadence.iter().position(|line| line.clock == *clock) {
            Some(at) => at,
            None => {
                cadence.push(Cadence { clock: clock.clone(), ..Cadence::default() });
                cadence.len() - 1
            }
        };
        if let Some(line) = cadence.get_mut(at) {
            line.kept += u64::from(outcome.cycles_met);
            line.missed += u64::from(outcome.cycles_missed);
        }
    }
}
