//! A database as the taker of an import.

use super::Entry;
use super::run::{OnBadRow, Sink, Written};
use crate::db::{Db, OnError, Operation, Outcome};
use crate::error::{Error, ErrorKind, Result};

/// Each chunk is one transaction.
impl Sink for &Db {
    fn write(&mut self, entries: &[Entry], on_bad_row: OnBadRow) -> Result<Vec<Written>> {
        let mut operations = Vec::with_capacity(entries.iter().map(|entry| 1 + entry.events.len()).sum());
        for entry in entries {
            operations.push(Operation::Submit(entry.request.clone()));
            let id = || entry.request.id.clone();
            operations.extend(
                entry.events.iter().map(|event| Operation::Record { id: id(), event: event.clone() }),
            );
        }
        let on_error = match on_bad_row {
            OnBadRow::Skip => OnError::Skip,
            OnBadRow::Abort => OnError::Abort,
        };
        let outcomes = self.apply(&operations, on_error).map_err(|error| {
            let first = entries.first().map_or(0, |entry| entry.row);
            error.context(format_args!("the chunk of requests from line {first} on"))
        })?;
        let mut outcomes =
            outcomes.into_iter().map(|outcome| outcome.map(|outcome| outcome == Outcome::Recorded));
        let missing = || Err(Error::new(ErrorKind::Internal, "a row without result"));
        let mut next = || outcomes.next().unwrap_or_else(missing);
        Ok(entries
            .iter()
            .map(|entry| Written { request: next(), events: entry.events.iter().map(|_| next()).collect() })
            .collect())
    }
}
