//! All that a request's events come to: its clocks' cycles, its holds and its state.

use super::{Cycle, Expedite, Refusal, Waiver};
use crate::model::{Event, Facts};
use crate::time::{Instant, Span};

/// A stretch of time on hold.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Hold {
    /// `waiting_customer`, `waiting_vendor` or a reason of the policy's own.
    pub reason: String,
    /// Since when.
    pub from: Instant,
    /// Until when; `None` while it lasts.
    pub to: Option<Instant>,
}

/// What has become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Not handled yet, or reopened.
    Open,
    /// Handled.
    Resolved {
        /// When, by the first of several `resolved` events in a row.
        at: Instant,
    },
    /// Withdrawn.
    Cancelled {
        /// When.
        at: Instant,
    },
    /// Refused by two people.
    Refused {
        /// When the second approved.
        at: Instant,
    },
}

impl RequestState {
    /// `open`, `resolved`, `cancelled` or `refused`.
    pub const fn word(self) -> &'static str {
        match self {
            RequestState::Open => "open",
            RequestState::Resolved { .. } => "resolved",
            RequestState::Cancelled { .. } => "cancelled",
            RequestState::Refused { .. } => "refused",
        }
    }

    /// When it came to that; `None` while open.
    pub const fn since(self) -> Option<Instant> {
        match self {
            RequestState::Open => None,
            RequestState::Resolved { at } | RequestState::Cancelled { at } | RequestState::Refused { at } => {
                Some(at)
            }
        }
    }
}

/// What a request's events come to under its policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// The clocks' cycles by (clock index, number).
    pub cycles: Vec<Cycle>,
    /// Stretches on hold by rising start; the last may still last.
    pub holds: Vec<Hold>,
    /// The facts after the last change.
    pub facts: Facts,
    /// Open, resolved or cancelled.
    pub state: RequestState,
    /// When something last happened to it: the receipt if there was no event.
    pub last_event_at: Instant,
    /// Since when the customer waits for an answer: the receipt or the oldest message without a `replied` after it.
    pub unanswered_since: Option<Instant>,
    /// Expedites by instant, without those given back.
    pub expedites: Vec<Expedite>,
    /// The last proposal to refuse it that was not withdrawn.
    pub refusal: Option<Refusal>,
    /// Waivers of missed cycles, in the order of the events, without those withdrawn.
    pub waivers: Vec<Waiver>,
}

impl Timeline {
    /// The cycles of the clock of this index, by number.
    pub fn cycles_of(&self, clock: usize) -> &[Cycle] {
        let from = self.cycles.partition_point(|cycle| cycle.clock < clock);
        let to = self.cycles.partition_point(|cycle| cycle.clock <= clock);
        self.cycles.get(from..to).unwrap_or_default()
    }

    /// The last cycle of the clock of this index: the open one, if any is.
    pub fn current(&self, clock: usize) -> Option<&Cycle> {
        self.cycles_of(clock).last()
    }

    /// The reason it is on hold for after the last event.
    pub fn on_hold(&self) -> Option<&str> {
        self.holds.last().filter(|hold| hold.to.is_none()).map(|hold| hold.reason.as_str())
    }

    /// Every stretch on hold that began by `now`: reason, from, to. One that nobody ended lasts until the request was
    /// handled or withdrawn, or until `now`.
    pub fn stretches(&self, now: Instant) -> impl Iterator<Item = (&str, Instant, Instant)> {
        let end = match self.state {
            RequestState::Open => now,
            RequestState::Resolved { at } | RequestState::Cancelled { at } | RequestState::Refused { at } => {
                at.min(now)
            }
        };
        let begun = self.holds.iter().filter(move |hold| hold.from <= now);
        begun.map(move |hold| {
            (hold.reason.as_str(), hold.from, hold.to.unwrap_or(end).min(now).max(hold.from))
        })
    }

    /// Wall-clock time on hold for this reason up to `now`. A hold that nobody ended counts until the request was
    /// resolved.
    pub fn held(&self, reason: &str, now: Instant) -> Span {
        let stretches = self.stretches(now).filter(|(held, ..)| *held == reason);
        Span::from_secs(stretches.map(|(_, from, to)| to.since(from).as_secs()).sum())
    }
}

/// Puts events into the order that counts: by instant, those of the same second as they arrived.
pub fn order(events: &mut [Event]) {
    events.sort_by_key(|event| event.at);
}
