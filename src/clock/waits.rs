//! Whom a request waited for, and how long: each vendor by name, and the customer.

use super::{RequestState, Timeline};
use crate::model::{Event, EventKind};
use crate::time::Instant;

/// For whom a request waits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// A third party, by name; empty where nobody wrote the name down.
    Vendor(String),
    /// The customer.
    Customer,
}

/// A stretch of waiting for somebody.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Wait {
    /// For whom.
    pub party: Party,
    /// Since when: the first contact, or the start of the hold.
    pub from: Instant,
    /// Until when: the answer, the end of the hold, or the end of the request; `None` while it lasts.
    pub to: Option<Instant>,
    /// Contacts with the vendor meanwhile, the first included; 0 for the customer.
    pub contacts: u32,
}

/// The waits that began by `now`, by start.
///
/// `events` are the request's, in the order that counts; `timeline` is what they come to at `now`. A vendor is awaited
/// from the first contact until it answers or the request is handled, withdrawn or refused; another contact meanwhile is
/// part of the same wait. An answer without a name is that of the vendor contacted last; one with a name that is not
/// awaited ends the wait for a vendor without name. The customer is awaited while the request is on hold for
/// `waiting_customer`.
pub fn waits(events: &[Event], timeline: &Timeline, now: Instant) -> Vec<Wait> {
    let mut found: Vec<Wait> = Vec::new();
    for event in events.iter().filter(|event| event.at <= now) {
        match &event.kind {
            EventKind::VendorContacted { vendor } => contacted(&mut found, vendor, event.at),
            EventKind::VendorReplied { vendor } => replied(&mut found, vendor, event.at),
            EventKind::Resolved | EventKind::Cancelled => close(&mut found, event.at),
            EventKind::RefusalApproved if timeline.state == RequestState::Refused { at: event.at } => {
                close(&mut found, event.at);
            }
            _ => {}
        }
    }
    let open = timeline.state == RequestState::Open;
    let holds = timeline.holds.iter().filter(|hold| hold.reason == "waiting_customer" && hold.from <= now);
    found.extend(holds.map(|hold| {
        let ended = match timeline.state {
            RequestState::Open => None,
            RequestState::Resolved { at } | RequestState::Cancelled { at } | RequestState::Refused { at } => {
                Some(at.max(hold.from))
            }
        };
        let to = hold.to.or(ended.filter(|_| !open));
        Wait { party: Party::Customer, from: hold.from, to, contacts: 0 }
    }));
    found.sort_by_key(|wait| wait.from);
    found
}

fn contacted(found: &mut Vec<Wait>, vendor: &str, at: Instant) {
    let party = Party::Vendor(vendor.to_owned());
    match found.iter_mut().find(|wait| wait.to.is_none() && wait.party == party) {
        Some(wait) => wait.contacts += 1,
        None => found.push(Wait { party, from: at, to: None, contacts: 1 }),
    }
}

fn replied(found: &mut [Wait], vendor: &str, at: Instant) {
    let ended = if vendor.is_empty() {
        found.iter_mut().rfind(|wait| wait.to.is_none())
    } else {
        let named = Party::Vendor(vendor.to_owned());
        let unnamed = Party::Vendor(String::new());
        let at = |party: &Party| found.iter().position(|wait| wait.to.is_none() && wait.party == *party);
        let place = at(&named).or_else(|| at(&unnamed));
        place.and_then(|place| found.get_mut(place))
    };
    if let Some(wait) = ended {
        wait.to = Some(at);
    }
}

fn close(found: &mut [Wait], at: Instant) {
    found.iter_mut().filter(|wait| wait.to.is_none()).for_each(|wait| wait.to = Some(at));
}
