//! Submitting requests and recording events: one transaction per call, with a result per row.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::derived::{NoticeKey, clock_rows, notices_until, pending_keys};
use super::policies::Edition;
use super::{ClockStatus, Db};
use crate::clock::{Timeline, derive};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, EventTag, Request, validate_id};
use crate::store::Commit;
use crate::store::head::Head;
use crate::store::log::{Change, LogEntry};
use crate::store::notices::NoticeRow;
use crate::store::records::{NO_EVENTS, RequestRow};
use crate::store::snapshot::Snapshot;

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
        let operation = Operation::Submit(request.clone());
        self.one(operation, &request.id)
    }

    /// Records an event on a request.
    ///
    /// Events may arrive late and out of order. Idempotent if the event has a key: the same event with the same key
    /// answers `AlreadyRecorded`.
    ///
    /// # Errors
    /// `NotFound` if there is no such request; `InvalidEvent` for an event before the receipt, or one that
    /// [`Event::validate`] refuses; `Conflict` if its key was used on this request with other content; the errors of
    /// the file as for [`submit`](Self::submit).
    pub fn record(&self, id: &str, event: Event) -> Result<Recorded> {
        self.one(Operation::Record { id: id.to_owned(), event }, id)
    }

    fn one(&self, operation: Operation, id: &str) -> Result<Recorded> {
        let outcome = self.apply(std::slice::from_ref(&operation), OnError::Skip)?.pop();
        let outcome =
            outcome.unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "a row without result")))?;
        Ok(Recorded { outcome, clocks: self.get(id)?.clocks })
    }

    /// Writes all rows in one transaction and returns a result for each, in the same order.
    ///
    /// With [`OnError::Abort`] the first wrong row is the call's error, its position named, and nothing is written.
    ///
    /// # Errors
    /// As for [`submit`](Self::submit) and [`record`](Self::record); an error of the file is always the call's.
    pub fn apply(&self, operations: &[Operation], on_error: OnError) -> Result<Vec<Result<Outcome>>> {
        let outcomes = self.store.write(|snapshot| {
            let mut batch = Batch::new(self, snapshot);
            let mut outcomes = Vec::with_capacity(operations.len());
            for (position, operation) in operations.iter().enumerate() {
                let outcome = batch.add(operation);
                match outcome {
                    Err(error) if on_error == OnError::Abort || !is_about_the_row(error.kind()) => {
                        return Err(match operations.len() {
                            1 => error,
                            rows => error.context(format_args!("row {position} of {rows}")),
                        });
                    }
                    outcome => outcomes.push(outcome),
                }
            }
            Ok((outcomes, batch.finish()?))
        })?;
        self.store.fold_if_due()?;
        Ok(outcomes)
    }
}

/// Errors that a caller can cure by leaving the row out.
fn is_about_the_row(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidArgument
            | ErrorKind::InvalidEvent
            | ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::OutOfRange
    )
}

fn other_content(stored: &Request, submitted: &Request) -> Error {
    let differs = [
        ("received_at", stored.received_at != submitted.received_at),
        ("customer", stored.customer != submitted.customer),
        ("priority", stored.priority != submitted.priority),
        ("category", stored.category != submitted.category),
        ("channel", stored.channel != submitted.channel),
        ("subject", stored.subject != submitted.subject),
        ("attributes", stored.attributes != submitted.attributes),
    ];
    let names: Vec<&str> = differs.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect();
    Error::new(
        ErrorKind::Conflict,
        format!(
            "request `{}`: this id was submitted before, received at {}, with another {}",
            submitted.id,
            stored.received_at,
            names.join(", ")
        ),
    )
}

/// A request that a batch has in hand.
struct Touched {
    request: Request,
    edition: Arc<Edition>,
    row: RequestRow,
    is_new: bool,
    /// As stored, in arrival order.
    stored: Vec<Event>,
    /// Of this batch, in arrival order.
    added: Vec<Event>,
}

/// One transaction in the making.
struct Batch<'a> {
    db: &'a Db,
    snapshot: &'a Snapshot<'a>,
    head: Head,
    new_ids: HashMap<String, u32>,
    /// By slot; new requests follow the stored ones.
    touched: BTreeMap<u32, Touched>,
    operations: u32,
}

impl<'a> Batch<'a> {
    fn new(db: &'a Db, snapshot: &'a Snapshot<'a>) -> Self {
        Batch {
            db,
            snapshot,
            head: *snapshot.head(),
            new_ids: HashMap::new(),
            touched: BTreeMap::new(),
            operations: 0,
        }
    }

    fn add(&mut self, operation: &Operation) -> Result<Outcome> {
        match operation {
            Operation::Submit(request) => self.submit(request),
            Operation::Record { id, event } => self.record(id, event),
        }
    }

    fn submit(&mut self, request: &Request) -> Result<Outcome> {
        request.validate()?;
        if let Some(slot) = self.find(&request.id)? {
            return if self.touch(slot)?.request == *request {
                Ok(Outcome::AlreadyRecorded)
            } else {
                Err(other_content(&self.touch(slot)?.request, request))
            };
        }
        let edition = self.db.edition_for(self.snapshot, request.received_at)?;
        let clocks = edition.policy.clocks().len();
        let slot = self.head.requests;
        let next = |count: u32, more: usize| {
            u32::try_from(more).ok().and_then(|more| count.checked_add(more)).filter(|next| *next < u32::MAX)
        };
        let (Some(requests), Some(clock_slots)) = (next(slot, 1), next(self.head.clocks, clocks)) else {
            return Err(Error::new(
                ErrorKind::OutOfRange,
                "the database is full: 4,294,967,294 requests or clocks",
            ));
        };
        let row = RequestRow {
            received_at: request.received_at.raw(),
            last_event_at: request.received_at.raw(),
            policy: edition.number,
            first_clock: self.head.clocks,
            clocks: clocks as u8,
            events: 0,
            newest_events: NO_EVENTS,
        };
        (self.head.requests, self.head.clocks) = (requests, clock_slots);
        self.head.latest_event_at = self.head.latest_event_at.max(row.received_at);
        self.new_ids.insert(request.id.clone(), slot);
        let touched =
            Touched { request: request.clone(), edition, row, is_new: true, stored: vec![], added: vec![] };
        self.touched.insert(slot, touched);
        self.operations += 1;
        Ok(Outcome::Recorded)
    }

    fn record(&mut self, id: &str, event: &Event) -> Result<Outcome> {
        validate_id(id)?;
        event.validate()?;
        let slot = self.find(id)?.ok_or_else(|| super::no_request(id))?;
        let touched = self.touch(slot)?;
        if event.at < touched.request.received_at {
            return Err(Error::new(
                ErrorKind::InvalidEvent,
                format!(
                    "event `{}` at {} on request `{id}`: must not be before the receipt at {}",
                    event.kind.tag().word(),
                    event.at,
                    touched.request.received_at
                ),
            ));
        }
        if let Some(key) = &event.key {
            let mut known = touched.stored.iter().chain(&touched.added);
            match known.find(|known| known.key.as_ref() == Some(key)) {
                Some(known) if known == event => return Ok(Outcome::AlreadyRecorded),
                Some(known) => {
                    return Err(Error::new(
                        ErrorKind::Conflict,
                        format!(
                            "event `{}` on request `{id}`: key `{key}` was used before for another event, `{}` at {}",
                            event.kind.tag().word(),
                            known.kind.tag().word(),
                            known.at
                        ),
                    ));
                }
                None => {}
            }
        }
        let at = event.at.raw();
        touched.row.events += 1;
        touched.row.last_event_at = touched.row.last_event_at.max(at);
        touched.added.push(event.clone());
        self.head.latest_event_at = self.head.latest_event_at.max(at);
        self.head.events += 1;
        self.operations += 1;
        Ok(Outcome::Recorded)
    }

    fn find(&self, id: &str) -> Result<Option<u32>> {
        match self.new_ids.get(id) {
            Some(slot) => Ok(Some(*slot)),
            None => self.snapshot.find(id),
        }
    }

    fn touch(&mut self, slot: u32) -> Result<&mut Touched> {
        use std::collections::btree_map::Entry;
        match self.touched.entry(slot) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let row = self.snapshot.request_row(slot)?;
                let touched = Touched {
                    request: self.snapshot.request(slot)?,
                    edition: self.db.edition(self.snapshot, row.policy)?,
                    row,
                    is_new: false,
                    stored: self.snapshot.events(slot, &row)?,
                    added: vec![],
                };
                Ok(entry.insert(touched))
            }
        }
    }

    fn finish(self) -> Result<Option<Commit>> {
        if self.operations == 0 {
            return Ok(None);
        }
        let Batch { snapshot, mut head, touched, operations, .. } = self;
        head.unfolded = head.unfolded.saturating_add(operations);
        let (mut requests, mut changes, mut notices) = (Vec::new(), Vec::new(), Vec::new());
        for (slot, touched) in touched {
            if !touched.is_new && touched.added.is_empty() {
                continue;
            }
            changes.push(touched.derive(slot, snapshot, &mut head, &mut notices)?);
            if touched.is_new {
                requests.push(touched.request);
            }
        }
        // What is taken back comes first, so that who keeps one notice for each threshold ends with what is true.
        notices
            .sort_by_key(|notice| (!notice.retracted, notice.at, notice.request, notice.clock, notice.cycle));
        Ok(Some(Commit { entry: LogEntry { head, requests, changes }, notices, values: vec![] }))
    }
}

impl Touched {
    /// Derives the request anew and says what changed: its rows, the thresholds ahead, the notices due.
    fn derive(
        &self,
        slot: u32,
        snapshot: &Snapshot<'_>,
        head: &mut Head,
        notices: &mut Vec<NoticeRow>,
    ) -> Result<Change> {
        let derived = |events: &[Event]| derive(&self.edition.policy, &self.request, events);
        let before = if self.is_new { None } else { Some(derived(&self.stored)) };
        let after = derived(&[self.stored.as_slice(), &self.added].concat());

        let old_rows = if self.is_new { vec![] } else { snapshot.clock_rows(&self.row)? };
        let clocks = clock_rows(slot, self.row.clocks, &after);
        for (index, row) in clocks.iter().enumerate() {
            head.move_phase(old_rows.get(index).map(|old| old.phase), row.phase);
        }
        let (old_keys, new_keys) = (
            before.as_ref().map_or_else(Vec::new, |timeline| pending_keys(timeline, head.advanced_to)),
            pending_keys(&after, head.advanced_to),
        );
        self.notices(slot, before.as_ref(), &after, head.advanced_to, notices);
        Ok(Change {
            slot,
            row: self.row,
            events: self.added.clone(),
            clocks,
            pending_removed: old_keys.iter().filter(|key| !new_keys.contains(key)).copied().collect(),
            pending_added: new_keys.iter().filter(|key| !old_keys.contains(key)).copied().collect(),
        })
    }

    /// Notices that the change makes true or untrue among the thresholds the feed has passed already.
    fn notices(
        &self,
        slot: u32,
        before: Option<&Timeline>,
        after: &Timeline,
        advanced_to: u32,
        out: &mut Vec<NoticeRow>,
    ) {
        let old: Vec<NoticeKey> =
            before.map_or_else(Vec::new, |timeline| notices_until(timeline, 0, advanced_to));
        let new = notices_until(after, 0, advanced_to);
        let only = |these: &[NoticeKey], those: &[NoticeKey]| -> Vec<NoticeKey> {
            these.iter().filter(|key| !those.contains(key)).copied().collect()
        };
        out.extend(only(&old, &new).into_iter().map(|key| key.row(slot, true)));
        out.extend(only(&new, &old).into_iter().map(|key| key.row(slot, false)));
    }
}

impl Operation {
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
