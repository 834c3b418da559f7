//! The requests behind the figures of attainment: who met, who missed, and which misses were waived by whom and why.

use serde::{Deserialize, Serialize};

use super::Db;
use super::report::{AttainmentQuery, Count};
use crate::attainment::{Outcome, PeriodRange, Tail, Verdict};
use crate::clock::Timeline;
use crate::error::Result;
use crate::time::Instant;

/// A waived miss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaivedCycle {
    /// Number of the clock's cycle.
    pub cycle: u32,
    /// When it was waived.
    pub at: Instant,
    /// Who did.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// What one request counts as by one clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// External id of the request.
    pub request: String,
    /// The clock's name.
    pub clock: String,
    /// The period of the cohort that it counts to.
    pub period: PeriodRange,
    /// The facts counted apart by, with its values.
    pub by: Vec<(String, Option<String>)>,
    /// What it counts as in the raw figure.
    pub verdict: Verdict,
    /// Of a missed one, what became of the second tier.
    pub tail: Option<Tail>,
    /// Every missed cycle is waived: it is left out of the adjusted figure.
    pub waived: bool,
    /// Its waived cycles.
    pub waivers: Vec<WaivedCycle>,
}

impl Db {
    /// Every request that [`attainment_by`](Db::attainment_by) counts for the same query, in the order of submission,
    /// those that are left out included: the ids behind each number.
    ///
    /// # Errors
    /// As for [`attainment_by`](Db::attainment_by).
    pub fn judged(&self, query: &AttainmentQuery) -> Result<Vec<Judged>> {
        self.store.read(|snapshot| {
            let newest = self.edition(snapshot, snapshot.head().policy)?.policy.clone();
            let count = Count::new(&newest, query)?;
            let mut found = Vec::new();
            self.each_cohort_member(snapshot, &[&newest], query, |member| {
                let timeline = member.timeline(&member.policy, query.now);
                for clock in count.clocks() {
                    let Some(period) = count.period(clock, member.received_at)? else { continue };
                    let clocks = member.policy.clocks();
                    let Some(own) = clocks.iter().position(|own| own.name == clock.name) else { continue };
                    let outcome = Outcome::of(timeline.cycles_of(own), query.now);
                    found.push(Judged {
                        request: member.id().to_owned(),
                        clock: clock.name.clone(),
                        period,
                        by: query.values(&clock.name, &timeline.facts),
                        verdict: outcome.verdict,
                        tail: outcome.tail,
                        waived: outcome.waived,
                        waivers: waivers(&timeline, own),
                    });
                }
                Ok(())
            })?;
            Ok(found)
        })
    }
}

fn waivers(timeline: &Timeline, clock: usize) -> Vec<WaivedCycle> {
    let of_clock = timeline.waivers.iter().filter(|waiver| waiver.clock == clock);
    let waived = of_clock.map(|waiver| WaivedCycle {
        cycle: waiver.cycle,
        at: waiver.at,
        by: waiver.by.clone(),
        reason: waiver.reason.clone(),
    });
    waived.collect()
}
