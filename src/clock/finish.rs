//! How a cycle that begins will end: interruptions go by what is known when it does.

use super::{Interruptions, Refusal, RequestState};
use crate::model::{Event, EventKind};
use crate::policy::{Clock, Policy, Trigger};
use crate::time::Instant;

/// A migration takes away a clock's open cycle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// The place of the migration among all events.
    pub(super) event: usize,
    /// The clock's index.
    pub(super) clock: usize,
    /// Since when that is known: the migration's instant, or that of an interruption's entry.
    pub(super) known: Instant,
}

/// All that happens to a request, in the order that counts.
#[derive(Clone, Default)]
pub(super) struct Ahead<'a> {
    events: Vec<(Instant, &'a Event)>,
    taken: Vec<Taken>,
}

impl<'a> Ahead<'a> {
    /// What is dated before the receipt counts as of the receipt.
    pub(super) fn new(events: impl Iterator<Item = &'a Event>, received_at: Instant) -> Ahead<'a> {
        let mut events: Vec<_> = events.map(|event| (event.at.max(received_at), event)).collect();
        events.sort_by_key(|(at, _)| *at);
        Ahead { events, taken: Vec::new() }
    }

    /// What happens until then.
    pub(super) fn until(&self, at: Instant) -> Ahead<'a> {
        let count = self.events.partition_point(|(event, _)| *event <= at);
        Ahead { events: self.events.iter().take(count).copied().collect(), taken: self.taken.clone() }
    }

    pub(super) fn events(&self) -> impl Iterator<Item = &'a Event> {
        self.events.iter().map(|(_, event)| *event)
    }

    /// Notes what a migration takes away. What is known first, stays.
    pub(super) fn take_away(&mut self, taken: Taken) {
        if self.taken_by(taken.event, taken.clock).is_none() {
            self.taken.push(taken);
        }
    }

    fn taken_by(&self, event: usize, clock: usize) -> Option<&Taken> {
        self.taken.iter().find(|taken| (taken.event, taken.clock) == (event, clock))
    }

    /// The instants at which something became known that decides what migrations take away, rising: the migrations
    /// themselves, and what was recorded after the first one about windows that begin before the last. None where nothing
    /// was recorded so late: then there is one answer for all time.
    pub(super) fn decisive(
        &self,
        editions: &[(u32, Policy)],
        interruptions: &Interruptions,
        now: Option<Instant>,
    ) -> Vec<Instant> {
        let migrations = self.events.iter().filter(|(_, event)| edition_of(event, editions).is_some());
        let mut known: Vec<Instant> = migrations.map(|(at, _)| *at).collect();
        let (Some(first), Some(last)) = (known.first().copied(), known.last().copied()) else {
            return Vec::new();
        };
        let entries = interruptions.entries();
        let begins_before =
            |number: u32| entries.iter().any(|entry| entry.number == number && entry.window.from <= last);
        let late = entries.iter().filter(|entry| entry.at > first && begins_before(entry.number));
        let late: Vec<Instant> = late.map(|entry| entry.at).collect();
        if late.is_empty() {
            return late;
        }
        known.extend(late);
        known.retain(|at| now.is_none_or(|now| *at <= now));
        known.sort_unstable();
        known.dedup();
        known
    }

    /// When it is known how a cycle of this clock that is open now, before the event at `next`, will be finished by what
    /// happens: what [`Run::event`](super::derive) will do, and no more. The first `replayed` events migrate nothing.
    pub(super) fn finish_of(
        &self,
        (index, clock): (usize, &Clock),
        (next, replayed): (usize, usize),
        editions: &[(u32, Policy)],
        mut state: RequestState,
        refusal: Option<&Refusal>,
    ) -> Option<Instant> {
        let mut clock = clock;
        // Who proposed the refusal that waits for a second person.
        let mut proposed = refusal.filter(|refusal| refusal.is_open()).map(|refusal| &refusal.proposed_by);
        for (place, (at, event)) in self.events.iter().enumerate().skip(next) {
            let tag = event.kind.tag();
            match &event.kind {
                EventKind::Cancelled => return Some(*at),
                EventKind::Promised { .. } if clock.start.contains(&Trigger::Event(tag)) => return Some(*at),
                EventKind::RefusalApproved => match proposed {
                    Some(by) if *by != event.by => return Some(*at),
                    _ => continue,
                },
                EventKind::RefusalProposed if state == RequestState::Open => {
                    proposed = proposed.or(Some(&event.by));
                }
                EventKind::RefusalWithdrawn => proposed = None,
                EventKind::VendorContacted { vendor } | EventKind::VendorReplied { vendor }
                    if !clock.is_about_vendor(vendor) =>
                {
                    continue;
                }
                EventKind::Migrated { .. } => {
                    if place >= replayed
                        && let Some(policy) = edition_of(event, editions)
                    {
                        if let Some(taken) = self.taken_by(place, index) {
                            return Some(taken.known);
                        }
                        clock = policy.clocks().get(index).unwrap_or(clock);
                    }
                    continue;
                }
                EventKind::Waived { .. } | EventKind::WaiverWithdrawn { .. } => continue,
                EventKind::Reopened if state == RequestState::Open => continue,
                EventKind::Reopened => state = RequestState::Open,
                EventKind::Resolved => {
                    if state == RequestState::Open {
                        state = RequestState::Resolved { at: *at };
                    }
                    proposed = None;
                }
                _ => {}
            }
            if clock.stop.contains(&tag) || clock.restart.contains(&tag) {
                return Some(*at);
            }
        }
        None
    }
}

/// The version that an event moves its request to, if it does.
fn edition_of<'p>(event: &Event, editions: &'p [(u32, Policy)]) -> Option<&'p Policy> {
    let EventKind::Migrated { to, .. } = event.kind else { return None };
    editions.iter().find(|(known, _)| *known == to).map(|(_, policy)| policy)
}
