//! One request: what is known of it.

use serde::Serialize;

use super::policies::Eras;
use super::status::ClockStatus;
use super::{Db, no_request};
use std::sync::Arc;

use crate::clock::{Given, Interruptions, RequestState, Timeline, derive_given, derive_interrupted, order};
use crate::error::Result;
use crate::model::{Event, Facts, Request};
use crate::policy::Policy;
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
            let life = self.facts_of(snapshot, slot)?;
            let timeline = life.timeline_at(now);
            let Life { request, mut events, policy, .. } = life;
            events.retain(|event| event.at <= now);
            let as_of = asked.unwrap_or(timeline.last_event_at);
            let clocks = (0..policy.clocks().len())
                .map(|clock| ClockStatus::of(&policy, clock, timeline.current(clock), as_of))
                .collect();
            let Timeline { facts, state, .. } = timeline;
            let policy = policy.title();
            Ok(RequestStatus { request, facts, policy, state, clocks, events })
        })
    }

    /// What a request's state follows from.
    pub(crate) fn facts_of(&self, snapshot: &Snapshot<'_>, slot: u32) -> Result<Life> {
        let row = snapshot.request_row(slot)?;
        let mut events = snapshot.events(slot, &row)?;
        order(&mut events);
        let edition = self.edition(snapshot, row.policy)?;
        let Eras { first, later } = self.eras(snapshot, row.policy, events.iter())?;
        Ok(Life {
            request: snapshot.request(slot)?,
            events,
            policy: edition.policy.clone(),
            first,
            editions: later,
            interruptions: self.declared(snapshot)?,
        })
    }
}

/// What a request's state follows from.
pub(crate) struct Life {
    /// As submitted.
    pub(crate) request: Request,
    /// In the order that counts.
    pub(crate) events: Vec<Event>,
    /// The one it is under after all of them.
    pub(crate) policy: Policy,
    /// The one it was pinned to when it was received.
    pub(crate) first: Policy,
    /// Those that migrations moved it to, by edition.
    pub(crate) editions: Vec<(u32, Policy)>,
    /// All that were declared.
    pub(crate) interruptions: Arc<Interruptions>,
}

impl Life {
    /// What its timeline follows from, besides the request and its events.
    pub(crate) fn given(&self) -> Given<'_> {
        Given { policy: &self.first, editions: &self.editions, interruptions: &self.interruptions }
    }

    /// All that its events come to.
    pub(crate) fn timeline(&self) -> Timeline {
        derive_given(self.given(), &self.request, &self.events, None)
    }

    /// What they come to as of `now`.
    pub(crate) fn timeline_at(&self, now: Instant) -> Timeline {
        derive_given(self.given(), &self.request, &self.events, Some(now))
    }

    /// What they would come to if another policy had been in force from the start.
    pub(crate) fn timeline_under(&self, policy: &Policy, now: Instant) -> Timeline {
        derive_interrupted(policy, &self.request, &self.events, &self.interruptions, Some(now))
    }
}
