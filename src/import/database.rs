//! A database as the taker of an import.

use super::Entry;
use super::run::{OnBadRow, Sink, Written};
use crate::db::{Db, OnError, Operation, Outcome};
use crate::error::{Error, ErrorKind, Result};

/// Each chunk is one transaction. A chunk with something to refuse takes two: its requests, then the events of those
/// that were not refused.
impl Sink for &Db {
    fn write(&mut self, entries: &[Entry], on_bad_row: OnBadRow) -> Result<Vec<Written>> {
        let all: Vec<Operation> = entries.iter().flat_map(operations).collect();
        match (self.apply(&all, OnError::Abort), on_bad_row) {
            (Ok(outcomes), _) => Ok(shared_out(entries, outcomes)),
            (Err(error), OnBadRow::Abort) => {
                let first = entries.first().map_or(0, |entry| entry.row);
                Err(error.context(format_args!("the chunk of requests from line {first} on")))
            }
            // The events must not end up on another request of the same id.
            (Err(_), OnBadRow::Skip) => {
                let requests: Vec<Operation> =
                    entries.iter().filter_map(|entry| operations(entry).next()).collect();
                let requests = self.apply(&requests, OnError::Skip)?;
                let taken = entries.iter().zip(&requests).filter(|(_, outcome)| outcome.is_ok());
                let events: Vec<Operation> = taken.flat_map(|(entry, _)| operations(entry).skip(1)).collect();
                let mut events = self.apply(&events, OnError::Skip)?.into_iter();
                let written = entries.iter().zip(requests).map(|(entry, request)| {
                    let count = if request.is_ok() { entry.events.len() } else { 0 };
                    let events = events.by_ref().take(count).map(|outcome| outcome.map(is_new)).collect();
                    Written { request: request.map(is_new), events }
                });
                Ok(written.collect())
            }
        }
    }
}

/// The request, then its events.
fn operations(entry: &Entry) -> impl Iterator<Item = Operation> {
    let submit = Operation::Submit(entry.request.clone());
    let record = |event: &crate::model::Event| Operation::Record {
        id: entry.request.id.clone(),
        event: event.clone(),
    };
    std::iter::once(submit).chain(entry.events.iter().map(record))
}

fn is_new(outcome: Outcome) -> bool {
    outcome == Outcome::Recorded
}

fn shared_out(entries: &[Entry], outcomes: Vec<Result<Outcome>>) -> Vec<Written> {
    let mut outcomes = outcomes.into_iter().map(|outcome| outcome.map(is_new));
    let missing = || Err(Error::new(ErrorKind::Internal, "a row without result"));
    let mut next = || outcomes.next().unwrap_or_else(missing);
    let written = entries
        .iter()
        .map(|entry| Written { request: next(), events: entry.events.iter().map(|_| next()).collect() });
    written.collect()
}
