//! One request: what is known of it.

use serde::Serialize;

use super::status::ClockStatus;
use super::{Db, no_request};
use std::sync::Arc;

use crate::clock::{Interruptions, RequestState, Timeline, derive_interrupted, order};
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
        Ok(Life {
            request: snapshot.request(slot)?,
            events,
            policy: edition.policy.clone(),
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
    /// The one it is pinned to.
    pub(crate) policy: Policy,
    /// All that were declared.
    pub(crate) interruptions: Arc<Interruptions>,
}

impl Life {
    /// All that its events come to.
    pub(crate) fn timeline(&self) -> Timeline {
        derive_interrupted(&self.policy, &self.request, &self.events, &self.interruptions, None)
    }

    /// What they come to as of `now`.
    pub(crate) fn timeline_at(&self, now: Instant) -> Timeline {
        self.timeline_under(&self.policy, now)
    }

    /// The same under another policy.
    pub(crate) fn timeline_under(&self, policy: &Policy, now: Instant) -> Timeline {
        derive_interrupted(policy, &self.request, &self.events, &self.interruptions, Some(now))
    }
}
