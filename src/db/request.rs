//! One request: what is known of it.

use serde::Serialize;

use super::status::ClockStatus;
use super::{Db, no_request};
use crate::clock::{RequestState, Timeline, derive_at, order};
use crate::error::Result;
use crate::model::{Event, Facts, Request};
use crate::store::snapshot::Snapshot;
use crate::time::Instant;

/// What is known of a request.
#[derive(Clone, Debug, Serialize)]
pub struct RequestStatus {
    /// As it was submitted.
    pub request: Request,
    /// Priority, category, customer, channel and attributes after all changes.
    pub facts: Facts,
    /// The policy it is pinned to, as `name version`.
    pub policy: String,
    /// Open, resolved or cancelled.
    pub state: RequestState,
    /// Its clocks, in the order of the policy.
    pub clocks: Vec<ClockStatus>,
    /// Its events by instant, those of the same second in the order of arrival; the receipt is not among them.
    pub events: Vec<Event>,
}

impl Db {
    /// Everything known of a request, as of its latest event.
    ///
    /// # Errors
    /// `NotFound` if there is no such request; the errors of the file.
    pub fn get(&self, id: &str) -> Result<RequestStatus> {
        self.status(id, None)
    }

    /// What was known of a request at `now`, its clocks judged at `now`; events after it are left out.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub fn get_at(&self, id: &str, now: Instant) -> Result<RequestStatus> {
        self.status(id, Some(now))
    }

    fn status(&self, id: &str, asked: Option<Instant>) -> Result<RequestStatus> {
        let now = asked.unwrap_or(Instant::MAX);
        self.store.read(|snapshot| {
            let slot = snapshot.find(id)?.ok_or_else(|| no_request(id))?;
            let (request, mut events, policy) = self.facts_of(snapshot, slot)?;
            events.retain(|event| event.at <= now);
            let timeline = derive_at(&policy, &request, &events, now);
            let as_of = asked.unwrap_or(timeline.last_event_at);
            let clocks = (0..policy.clocks().len())
                .map(|clock| ClockStatus::of(&policy, clock, timeline.current(clock), as_of))
                .collect();
            let Timeline { facts, state, .. } = timeline;
            let policy = policy.title();
            Ok(RequestStatus { request, facts, policy, state, clocks, events })
        })
    }

    /// A request as submitted, its events in the order that counts, and its policy.
    pub(crate) fn facts_of(
        &self,
        snapshot: &Snapshot<'_>,
        slot: u32,
    ) -> Result<(Request, Vec<Event>, crate::policy::Policy)> {
        let row = snapshot.request_row(slot)?;
        let mut events = snapshot.events(slot, &row)?;
        order(&mut events);
        let edition = self.edition(snapshot, row.policy)?;
        Ok((snapshot.request(slot)?, events, edition.policy.clone()))
    }
}
