//! What if something else had been promised? The stored history under other policies, side by side. Nothing is written.

use serde::Serialize;

use super::report::Count;
use super::{AttainmentQuery, Db, Group};
use crate::attainment::{Outcome, Verdict};
use crate::clock::Timeline;
use crate::error::Result;
use crate::policy::{Clock, Policy};
use crate::time::Instant;

/// The stored history as it would have been under one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Simulation {
    /// The policy's name and version, as `name v1`; `as promised` for the policies that requests are pinned to.
    pub policy: String,
    /// Attainment against this policy's goals.
    pub groups: Vec<Group>,
    /// What differs from what was promised, for each clock of this policy that the report counts.
    pub changes: Vec<Changes>,
}

/// How many requests fare differently by one clock.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Changes {
    /// The clock's name.
    pub clock: String,
    /// Requests with a deadline that is earlier.
    pub earlier: u64,
    /// Requests with a deadline that is later.
    pub later: u64,
    /// Requests that have the clock under one of the two policies only.
    pub unmatched: u64,
    /// Requests that would have met their target and did not.
    pub newly_met: u64,
    /// Requests that met their target and would not have.
    pub newly_missed: u64,
}

impl Db {
    /// Attainment of the stored history as it was promised, and as it would have been under each of `proposed`, in this
    /// order. Clocks are compared by name; the deadline compared is that of the first cycle.
    ///
    /// Events are replayed as they happened: nobody works faster because a deadline is nearer.
    ///
    /// # Errors
    /// `NotFound` if a policy has no clock of the name asked for, or promises no share; the errors of the file.
    pub fn simulate(&self, proposed: &[&Policy], query: &AttainmentQuery) -> Result<Vec<Simulation>> {
        self.store.read(|snapshot| {
            let newest = self.edition(snapshot, snapshot.head().policy)?.policy.clone();
            let mut promised = Count::new(&newest, query)?;
            let mut runs =
                proposed.iter().map(|policy| Run::new(policy, query)).collect::<Result<Vec<_>>>()?;
            let judges: Vec<&Policy> = std::iter::once(&newest).chain(proposed.iter().copied()).collect();
            self.each_cohort_member(snapshot, &judges, query, |member| {
                let lived = Life { policy: &member.policy, timeline: member.lived(query.now) };
                promised.add(lived.policy, member.received_at, &lived.timeline)?;
                runs.iter_mut().try_for_each(|run| {
                    let timeline = member.timeline(run.policy, query.now);
                    run.add(member.received_at, &lived, timeline, query.now)
                })
            })?;
            let promised =
                Simulation { policy: "as promised".to_owned(), groups: promised.groups(), changes: vec![] };
            Ok(std::iter::once(promised).chain(runs.into_iter().map(Run::simulation)).collect())
        })
    }
}

/// A request's life under a policy.
struct Life<'a> {
    policy: &'a Policy,
    timeline: Timeline,
}

impl Life<'_> {
    /// First deadline and verdict by the clock of this name; `None` if the policy has no such clock.
    fn fate(&self, clock: &str, now: Instant) -> Option<(Option<Instant>, Verdict)> {
        let own = self.policy.clocks().iter().position(|own| own.name == clock)?;
        let cycles = self.timeline.cycles_of(own);
        Some((cycles.first().and_then(|cycle| cycle.due_at), Outcome::of(cycles, now).verdict))
    }
}

/// One proposed policy, on its way through the history.
struct Run<'a> {
    policy: &'a Policy,
    count: Count<'a>,
    /// For each clock that is counted what changes by it.
    changes: Vec<(&'a Clock, Changes)>,
}

impl<'a> Run<'a> {
    fn new(policy: &'a Policy, query: &'a AttainmentQuery) -> Result<Run<'a>> {
        let about = |error: crate::Error| error.context(format_args!("policy {}", policy.title()));
        let count = Count::new(policy, query).map_err(about)?;
        let none = |clock: &'a Clock| (clock, Changes { clock: clock.name.clone(), ..Changes::default() });
        let changes = count.clocks().map(none);
        Ok(Run { policy, changes: changes.collect(), count })
    }

    fn add(
        &mut self,
        received_at: Instant,
        lived: &Life<'_>,
        timeline: Timeline,
        now: Instant,
    ) -> Result<()> {
        let life = Life { policy: self.policy, timeline };
        for (clock, changes) in &mut self.changes {
            if self.count.period(clock, received_at)?.is_none() {
                continue;
            }
            let (Some(was), Some(is)) = (lived.fate(&changes.clock, now), life.fate(&changes.clock, now))
            else {
                changes.unmatched += 1;
                continue;
            };
            match (was.0, is.0) {
                (Some(was), Some(is)) => {
                    changes.earlier += u64::from(is < was);
                    changes.later += u64::from(is > was);
                }
                (was, is) => changes.unmatched += u64::from(was.is_some() != is.is_some()),
            }
            changes.newly_met += u64::from((was.1, is.1) == (Verdict::Missed, Verdict::Met));
            changes.newly_missed += u64::from((was.1, is.1) == (Verdict::Met, Verdict::Missed));
        }
        self.count.add(self.policy, received_at, &life.timeline)
    }

    fn simulation(self) -> Simulation {
        let changes = self.changes.into_iter().map(|(_, changes)| changes).collect();
        Simulation { policy: self.policy.title(), groups: self.count.groups(), changes }
    }
}
