//! Submitting requests and recording events: many rows in one transaction, with a result per row, or one at a time.

use std::collections::BTreeMap;

use super::batch::Batch;
use super::{ClockStatus, Db};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, EventKind, EventTag, Request};

/// Most rows of one call.
pub const MAX_ROWS: usize = 1_000_000;
/// Most bytes of texts in one call.
const MAX_ROW_BYTES: usize = 256 << 20;

/// One row of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Submit a request.
    Submit(Request),
    /// Record an event on the request with this id.
    Record {
        /// External id of the request, which may be submitted earlier in the same batch.
        id: String,
        /// What happened.
        event: Event,
    },
}

/// What a batch does with a row that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnError {
    /// Nothing of the batch is written; the error names the row. The default.
    #[default]
    Abort,
    /// The row is left out and reported; the others are written.
    Skip,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is written.
    Recorded,
    /// The same content was there already, under the same key; nothing changed.
    AlreadyRecorded,
}

/// The answer to a single submit or event.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Recorded {
    /// Whether it was new.
    pub outcome: Outcome,
    /// The request's clocks after it, in the order of the policy.
    pub clocks: Vec<ClockStatus>,
}

impl Db {
    /// Submits a request: pins it to the policy version in force when it was received and starts its clocks.
    ///
    /// Idempotent by id: submitting the same content again answers `AlreadyRecorded`, so a call whose outcome is
    /// unknown may simply be repeated.
    ///
    /// # Errors
    /// `InvalidArgument` for a malformed id or field, `Conflict` if the id was submitted with other content;
    /// `Busy`, `ReadOnly`, `StorageFull`, `Io` or `Damaged` from the file.
    pub fn submit(&self, request: &Request) -> Result<Recorded> {
        self.queued(Operation::Submit(request.clone()))
    }

    /// Records an event on a request.
    ///
    /// Events may arrive late and out of order. Idempotent if the event has a key: the same event with the same key
    /// answers `AlreadyRecorded`.
    ///
    /// # Errors
    /// `NotFound` if there is no such request; `InvalidEvent` for an event before the receipt, one that
    /// [`Event::validate`] refuses, or an expedite, refusal or waiver that the policy does not allow; `QuotaExceeded` for
    /// an expedite beyond the customer's quota that nobody approved; `Conflict` if its key was used on this request with other content; the errors of
    /// the file as for [`submit`](Self::submit).
    pub fn record(&self, id: &str, event: Event) -> Result<Recorded> {
        self.queued(Operation::Record { id: id.to_owned(), event })
    }

    /// Writes all rows in one transaction and returns a result for each, in the same order.
    ///
    /// With [`OnError::Abort`] the first wrong row is the call's error, its position named, and nothing is written.
    ///
    /// # Errors
    /// As for [`submit`](Self::submit) and [`record`](Self::record); an error of the file is always the call's.
    /// `OutOfRange` for more than [`MAX_ROWS`] rows or 256 MiB of texts in one call.
    pub fn apply(&self, operations: &[Operation], on_error: OnError) -> Result<Vec<Result<Outcome>>> {
        check_size(operations)?;
        let outcomes = self.store.write(|snapshot| {
            let mut batch = Batch::new(self, snapshot, false);
            batch.expect(operations.iter().filter(|one| matches!(one, Operation::Submit(_))).count());
            let mut outcomes = Vec::with_capacity(operations.len());
            for (position, operation) in operations.iter().enumerate() {
                match batch.add(operation).map(|(outcome, _)| outcome) {
                    Err(error) if on_error == OnError::Abort || !is_about_the_row(error.kind()) => {
                        return Err(match operations.len() {
                            1 => error,
                            rows => error.context(format_args!("row {position} of {rows}")),
                        });
                    }
                    outcome => outcomes.push(outcome),
                }
            }
            Ok((outcomes, batch.finish()?.0))
        })?;
        self.store.fold_if_due()?;
        Ok(outcomes)
    }
}

/// A call holds its rows and what they change in memory until they are written.
fn check_size(operations: &[Operation]) -> Result<()> {
    if operations.len() > MAX_ROWS {
        let what = format!(
            "{} rows in one call: at most {MAX_ROWS} are allowed; make several calls",
            operations.len()
        );
        return Err(Error::new(ErrorKind::OutOfRange, what));
    }
    let bytes: usize = operations.iter().map(Operation::text_bytes).sum();
    if bytes > MAX_ROW_BYTES {
        let what = format!(
            "{bytes} bytes of texts in one call: at most {MAX_ROW_BYTES} are allowed; make several calls"
        );
        return Err(Error::new(ErrorKind::OutOfRange, what));
    }
    Ok(())
}

/// Errors that a caller can cure by leaving the row out.
pub(super) fn is_about_the_row(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidArgument
            | ErrorKind::InvalidEvent
            | ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::OutOfRange
            | ErrorKind::QuotaExceeded
    )
}

impl Operation {
    /// About how many bytes of text the row holds.
    pub(super) fn text_bytes(&self) -> usize {
        let sum = |texts: &[&Option<String>]| {
            texts.iter().filter_map(|text| text.as_ref()).map(String::len).sum::<usize>()
        };
        let pairs = |pairs: &BTreeMap<String, String>| {
            pairs.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
        };
        match self {
            Operation::Submit(request) => {
                let Request { id, customer, priority, category, channel, subject, attributes, .. } = request;
                id.len() + sum(&[customer, priority, category, channel, subject]) + pairs(attributes)
            }
            Operation::Record { id, event } => {
                let Event { kind, by, key, text, .. } = event;
                let carried = match kind {
                    EventKind::Changed { facts } => pairs(facts),
                    EventKind::Assigned { to: text }
                    | EventKind::Paused { reason: text }
                    | EventKind::VendorContacted { vendor: text }
                    | EventKind::VendorReplied { vendor: text }
                    | EventKind::Expedited { approved_by: Some(text) }
                    | EventKind::Waived { clock: text, .. }
                    | EventKind::WaiverWithdrawn { clock: text, .. }
                    | EventKind::FaqLinked { faq: text }
                    | EventKind::FaqUnlinked { faq: text } => text.len(),
                    _ => 0,
                };
                id.len() + sum(&[by, key, text]) + carried
            }
        }
    }

    /// The external id that the row is about.
    pub fn id(&self) -> &str {
        match self {
            Operation::Submit(request) => &request.id,
            Operation::Record { id, .. } => id,
        }
    }

    /// The kind of event that the row records.
    pub fn tag(&self) -> EventTag {
        match self {
            Operation::Submit(_) => EventTag::Received,
            Operation::Record { event, .. } => event.kind.tag(),
        }
    }
}
