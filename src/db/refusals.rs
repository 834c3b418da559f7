//! Refusals that wait for a second person.

use serde::{Deserialize, Serialize};

use super::Db;
use crate::clock::RequestState;
use crate::error::Result;
use crate::model::EventTag;
use crate::time::Instant;

/// A proposal to refuse a request that nobody has approved or withdrawn yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRefusal {
    /// External id of the request.
    pub request: String,
    /// Whose request it is.
    pub customer: Option<String>,
    /// When it was proposed.
    pub proposed_at: Instant,
    /// Who proposes it, and so cannot approve it.
    pub proposed_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Who may approve it; empty for anybody but the one who proposed it.
    pub approvers: Vec<String>,
}

impl Db {
    /// The refusals that wait for a second person at `now`, earliest proposal first, ties in the order of submission.
    ///
    /// Costs as much as reading all events.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn refusals(&self, now: Instant) -> Result<Vec<OpenRefusal>> {
        let mut found = self.store.read(|snapshot| {
            let mut found = Vec::new();
            for slot in 0..snapshot.head().requests {
                let row = snapshot.request_row(slot)?;
                if row.events == 0 || row.received_at > now.raw() {
                    continue;
                }
                let events = snapshot.events(slot, &row)?;
                if !events.iter().any(|event| event.kind.tag() == EventTag::RefusalProposed) {
                    continue;
                }
                let life = self.facts_of(snapshot, slot)?;
                let timeline = life.timeline_at(now);
                let Some(refusal) = timeline.refusal.filter(|refusal| refusal.is_open()) else { continue };
                if timeline.state != RequestState::Open {
                    continue;
                }
                let approvers = &life.policy.refusals().approvers;
                let may = |name: &&String| Some(*name) != refusal.proposed_by.as_ref();
                found.push(OpenRefusal {
                    request: life.request.id,
                    customer: timeline.facts.get("customer").map(str::to_owned),
                    proposed_at: refusal.proposed_at,
                    approvers: approvers.iter().filter(may).cloned().collect(),
                    proposed_by: refusal.proposed_by,
                    reason: refusal.reason,
                });
            }
            Ok(found)
        })?;
        found.sort_by_key(|refusal| refusal.proposed_at);
        Ok(found)
    }
}
