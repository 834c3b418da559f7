//! Reading request logs: a CSV file (plain or gzip) becomes requests and events through a [mapping](Mapping).
//!
//! The rules for odd rows stand in `docs/import.md`. Two things always hold: every row of the file is either
//! used or reported as left out, and importing the same file again changes nothing, since the events' idempotency keys
//! come from the rows.

mod audit;
mod cases;
mod compare;
mod database;
mod happening;
mod life;
mod mapping;
mod report;
mod run;
mod source;
mod stamp;

pub use compare::{Comparison, Deviation, compare_targets};
pub use mapping::{Layout, Mapping};
pub use report::{Held, ImportReport, Oddity, OddityCode, OddityCount};
pub use run::{ImportOptions, OnBadRow, Progress, Sink, Written, import, import_from};

use crate::error::Result;
use crate::model::{Event, EventTag, Request};
use crate::time::Instant;
use source::{Row, Rows};
use stamp::Stamp;

/// A request with its events, as found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Line of the request's first row; the header is line 1.
    pub row: u64,
    /// How many rows it was made of.
    pub rows: u64,
    /// The request, with the facts of its first row.
    pub request: Request,
    /// Its events, in order, each with an idempotency key.
    pub events: Vec<Event>,
    /// For each event the line of the row that gave it.
    pub event_rows: Vec<u64>,
}

impl Entry {
    /// Adds what one row gives, under keys made of the row's key.
    fn add(&mut self, events: Vec<Event>, at: Instant, key: &str, row: u64) {
        let tags: Vec<EventTag> = events.iter().map(|event| event.kind.tag()).collect();
        for (place, event) in events.into_iter().enumerate() {
            let tag = event.kind.tag();
            let word = tag.word();
            let before = tags.iter().take(place).filter(|other| **other == tag).count();
            let key =
                if before == 0 { format!("{key}:{word}") } else { format!("{key}:{word}~{}", before + 1) };
            self.events.push(Event { at, key: Some(key), ..event });
            self.event_rows.push(row);
        }
    }
}

/// An event that may be recorded, or why it may not.
fn checked(event: Event) -> std::result::Result<Event, String> {
    event.validate().map(|()| event).map_err(|error| error.message().to_owned())
}

/// The columns of the facts that requests match on.
fn facts_of<'m>(mapping: &'m Mapping, rows: &Rows) -> Result<Vec<(&'m str, usize)>> {
    mapping.request.facts.iter().map(|(fact, column)| Ok((fact.as_str(), rows.column(column)?))).collect()
}

/// The request as one row gives it.
fn request_of(
    id: &str,
    received_at: Instant,
    row: &Row,
    stamp: &Stamp,
    subject: Option<usize>,
    facts: &[(&str, usize)],
) -> Request {
    let present = |column: usize| Some(row.get(column).to_owned()).filter(|text| !stamp.is_missing(text));
    let mut request = Request::new(id, received_at);
    request.subject = subject.and_then(present);
    for (fact, column) in facts {
        let Some(value) = present(*column) else { continue };
        match *fact {
            "customer" => request.customer = Some(value),
            "priority" => request.priority = Some(value),
            "category" => request.category = Some(value),
            "channel" => request.channel = Some(value),
            other => {
                request.attributes.insert(other.to_owned(), value);
            }
        }
    }
    request
}
