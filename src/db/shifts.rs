//! What moved: a clock before and after something that is larger than its request.

use serde::{Deserialize, Serialize};

use crate::attainment::{Outcome, Verdict};
use crate::clock::{Phase, Stage, Timeline};
use crate::policy::Policy;
use crate::time::{Instant, Span};

/// Where a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fate {
    /// When it is due; `None` while paused or without deadline.
    pub due_at: Option<Instant>,
    /// When it is breached, if the rule has a backstop.
    pub limit_at: Option<Instant>,
    /// What is left of the target, while paused.
    pub remaining: Option<Span>,
    /// Its stage.
    pub stage: Stage,
    /// The verdict over all its cycles.
    pub verdict: Verdict,
}

/// A clock that moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// External id of the request.
    pub request: String,
    /// The clock's name.
    pub clock: String,
    /// As it was; `None` if there was no such clock, or it had not begun.
    pub before: Option<Fate>,
    /// As it is.
    pub after: Option<Fate>,
}

impl Fate {
    /// Where the clock of this name stands at `now`.
    fn of(policy: &Policy, timeline: &Timeline, clock: &str, now: Instant) -> Option<Fate> {
        let index = policy.clocks().iter().position(|own| own.name == clock)?;
        let cycle = timeline.current(index).filter(|cycle| cycle.has_started(now))?;
        let remaining = match cycle.phase {
            Phase::Paused { remaining, .. } => Some(remaining),
            _ => None,
        };
        Some(Fate {
            due_at: cycle.due_at,
            limit_at: cycle.limit_at,
            remaining,
            stage: cycle.stage(now),
            verdict: Outcome::of(timeline.cycles_of(index), now).verdict,
        })
    }

    /// Adds a request's clocks that stand elsewhere afterwards.
    pub(super) fn shifts(
        request: &str,
        policy_before: &Policy,
        before: &Timeline,
        policy_after: &Policy,
        after: &Timeline,
        now: Instant,
        out: &mut Vec<Shift>,
    ) {
        let names = |policy: &Policy| -> Vec<String> {
            policy.clocks().iter().map(|clock| clock.name.clone()).collect()
        };
        let (new, gone) = (names(policy_after), names(policy_before));
        let gone = gone.into_iter().filter(|name| !new.contains(name)).collect::<Vec<_>>();
        for clock in new.into_iter().chain(gone) {
            let before = Fate::of(policy_before, before, &clock, now);
            let after = Fate::of(policy_after, after, &clock, now);
            if before != after {
                out.push(Shift { request: request.to_owned(), clock, before, after });
            }
        }
    }
}
