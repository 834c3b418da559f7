//! A batch: operations on requests, gathered, derived and made one transaction.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Deref;
use std::sync::Arc;

use super::faq;
use super::history::{may_move_topics, topic_moves, topics_of};
use super::migrate::is_move;
use super::moves::{Moved, Moves};
use super::new_ids::NewIds;
use super::permit::{self, Before};
use super::policies::{Edition, Eras};
use super::quota::{self, Use};
use super::{ClockStatus, Db, Operation, Outcome};
use crate::clock::{Expedite, Given, Timeline, derive_before_and_after, derive_over};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, EventKind, Facts, Request, validate_id};
use crate::store::Commit;
use crate::store::expedites::{self, ExpediteRow};
use crate::store::head::Head;
use crate::store::records::{NO_EVENTS, RequestRow};
use crate::store::snapshot::Snapshot;
use crate::store::tables::Table;
use crate::store::topics::TopicRow;
use crate::time::Instant;

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

/// Most events of one request.
pub const MAX_EVENTS: u32 = 100_000;

/// What was submitted: now, or before. A batch may hold a million of them, so the text is elsewhere.
enum Held<'a> {
    New(&'a Request),
    Stored(Box<Request>),
}

impl Deref for Held<'_> {
    type Target = Request;

    fn deref(&self) -> &Request {
        match self {
            Held::New(request) => request,
            Held::Stored(request) => request,
        }
    }
}

/// A request that a batch has in hand.
struct Touched<'a> {
    request: Held<'a>,
    edition: Arc<Edition>,
    row: RequestRow,
    is_new: bool,
    /// As stored, in arrival order.
    stored: Vec<Event>,
    /// Of this batch, in arrival order.
    added: Vec<&'a Event>,
    /// Its expedites with the events added so far, once they were asked for.
    expedites: OnceCell<Vec<Expedite>>,
}

/// One transaction in the making.
pub(super) struct Batch<'a> {
    db: &'a Db,
    snapshot: &'a Snapshot<'a>,
    head: Head,
    new_ids: NewIds<'a>,
    /// Stored requests by slot.
    known: BTreeMap<u32, Touched<'a>>,
    /// New requests; their slots follow those of the stored ones.
    new: Vec<Touched<'a>>,
    operations: u32,
    /// That of the request before, which mostly is the next one's.
    edition: Option<Arc<Edition>>,
    /// Slots of requests in hand that are expedited, or were before the batch.
    expedited: BTreeSet<u32>,
    /// Its events were permitted when they were recorded first; what is permitted now depends on their order.
    permitted: bool,
    /// The caller wants to know the clocks of what it touched.
    answers: bool,
    /// What comes was in a database before.
    pub(super) salvages: bool,
}

/// The clocks of the requests that were touched, by slot.
pub(super) type Answers = HashMap<u32, Vec<ClockStatus>>;

impl<'a> Batch<'a> {
    pub(super) fn new(db: &'a Db, snapshot: &'a Snapshot<'a>, answers: bool) -> Self {
        Batch {
            db,
            snapshot,
            head: *snapshot.head(),
            new_ids: NewIds::default(),
            known: BTreeMap::new(),
            new: Vec::new(),
            operations: 0,
            edition: None,
            expedited: BTreeSet::new(),
            permitted: false,
            answers,
            salvages: false,
        }
    }

    /// Makes room for so many requests.
    pub(super) fn expect(&mut self, requests: usize) {
        self.new.reserve(requests);
        self.new_ids.reserve(requests);
    }

    /// The same for events that a database held before: expedites, refusals and waivers are taken as they are.
    pub(super) fn of_recorded(db: &'a Db, snapshot: &'a Snapshot<'a>) -> Self {
        Batch { permitted: true, ..Batch::new(db, snapshot, false) }
    }

    /// Adds an operation and returns what becomes of it, and its request's slot. After an error nothing of it is
    /// in the batch.
    pub(super) fn add(&mut self, operation: &'a Operation) -> Result<(Outcome, u32)> {
        self.add_under(operation, None)
    }

    /// As [`add`](Self::add); a request is pinned to this edition, if one is given, whatever was in force.
    pub(super) fn add_under(
        &mut self,
        operation: &'a Operation,
        edition: Option<u32>,
    ) -> Result<(Outcome, u32)> {
        match operation {
            Operation::Submit(request) => self.submit(request, edition),
            Operation::Record { id, event } => self.record(id, event),
        }
    }

    fn submit(&mut self, request: &'a Request, edition: Option<u32>) -> Result<(Outcome, u32)> {
        request.validate()?;
        if let Some(slot) = self.find(&request.id)? {
            let stored: &Request = &self.touch(slot)?.request;
            return if *stored == *request {
                Ok((Outcome::AlreadyRecorded, slot))
            } else {
                Err(other_content(stored, request))
            };
        }
        let edition = match edition {
            Some(number) => self.edition(number)?,
            // The only one.
            None if self.head.policy == 1 => self.edition(1)?,
            None => self.db.edition_for(self.snapshot, request.received_at)?,
        };
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
        self.new_ids.insert(&request.id, slot);
        self.new.push(Touched {
            request: Held::New(request),
            edition,
            row,
            is_new: true,
            stored: vec![],
            added: vec![],
            expedites: OnceCell::new(),
        });
        self.operations += 1;
        Ok((Outcome::Recorded, slot))
    }

    fn record(&mut self, id: &str, event: &'a Event) -> Result<(Outcome, u32)> {
        validate_id(id)?;
        // Only a salvage brings moves from one version to another as events.
        if !(self.salvages && is_move(event)) {
            event.validate()?;
        }
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
            let mut known = touched.stored.iter().chain(touched.added.iter().copied());
            match known.find(|known| known.key.as_ref() == Some(key)) {
                Some(known) if known == event => return Ok((Outcome::AlreadyRecorded, slot)),
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
        // Every event derives its request anew from all of them.
        if touched.row.events >= MAX_EVENTS {
            return Err(Error::new(
                ErrorKind::OutOfRange,
                format!("request `{id}` has {MAX_EVENTS} events: no more are allowed on one request"),
            ));
        }
        if matches!(event.kind, EventKind::Expedited { .. }) && self.permitted {
            self.expedited.insert(slot);
        } else if event.kind.tag().needs_actor() && !self.permitted {
            self.permit(slot, event)?;
        } else if matches!(event.kind, EventKind::FaqLinked { .. } | EventKind::FaqUnlinked { .. })
            && !self.permitted
        {
            let snapshot = self.snapshot;
            let touched = self.touch(slot)?;
            faq::permit(snapshot, id, event, touched.events(true).filter(|known| known.at <= event.at))?;
        }
        let touched = self.touch(slot)?;
        let at = event.at.raw();
        touched.expedites.take();
        touched.row.events += 1;
        touched.row.last_event_at = touched.row.last_event_at.max(at);
        touched.added.push(event);
        self.head.latest_event_at = self.head.latest_event_at.max(at);
        self.head.events += 1;
        self.operations += 1;
        Ok((Outcome::Recorded, slot))
    }

    /// Whether the policy allows an expedite, a refusal or a waiver, given all that is known of the request and, for an
    /// expedite, of the customer's other requests.
    fn permit(&mut self, slot: u32, event: &'a Event) -> Result<()> {
        let is_expedite = matches!(event.kind, EventKind::Expedited { .. } | EventKind::ExpediteWithdrawn);
        let (db, snapshot) = (self.db, self.snapshot);
        let interruptions = db.declared(snapshot)?;
        let touched = self.touch(slot)?;
        let eras = db.eras(snapshot, touched.row.policy, touched.events(true))?;
        let then = touched.derived_at(event.at, eras.given(&interruptions));
        let (policy, id) = (touched.edition.policy.clone(), touched.request.id.clone());
        if !is_expedite {
            return Before { id: &id, policy: &policy, then: &then }.allows(event);
        }
        let before = touched.expedites().to_vec();
        let after = touched.expedites_of(touched.events(true).chain(std::iter::once(event)));
        if event.kind == EventKind::ExpediteWithdrawn {
            return permit::expedite_withdrawn(&id, event, after.len() < before.len());
        }
        let new =
            after.iter().find(|expedite| !before.contains(expedite)).filter(|_| after.len() > before.len());
        let count = |rules: &crate::policy::ExpediteRules, customer: &str| {
            let used = self.expedites_of(customer)?;
            Ok(Use::at(rules, event.at, used.into_iter()))
        };
        permit::expedite(&id, &policy, event, new, then.state, count)?;
        self.expedited.insert(slot);
        Ok(())
    }

    /// The instants of a customer's expedites, those of this batch included.
    fn expedites_of(&self, customer: &str) -> Result<Vec<Instant>> {
        let stored = expedites::read(self.snapshot.reader()?, expedites::key_of(customer))?;
        let stored = stored.into_iter().filter(|row| !self.expedited.contains(&row.request));
        let in_hand = self.expedited.iter().filter_map(|slot| Some((*slot, self.in_hand(*slot)?)));
        let in_hand = in_hand.flat_map(|(slot, touched)| quota::rows_of(slot, touched.expedites()));
        let own = stored.chain(in_hand).filter(|row| row.customer == customer);
        Ok(own.filter_map(|row| Instant::from_raw(row.at)).collect())
    }

    /// A request that the batch holds already.
    fn in_hand(&self, slot: u32) -> Option<&Touched<'a>> {
        match slot.checked_sub(self.snapshot.head().requests) {
            Some(new) => self.new.get(new as usize),
            None => self.known.get(&slot),
        }
    }

    fn edition(&mut self, number: u32) -> Result<Arc<Edition>> {
        match &self.edition {
            Some(known) if known.number == number => Ok(known.clone()),
            _ => Ok(self.edition.insert(self.db.edition(self.snapshot, number)?).clone()),
        }
    }

    fn find(&self, id: &str) -> Result<Option<u32>> {
        let first = self.snapshot.head().requests;
        match self.new_ids.get(id, |slot| id_of(&self.new, first, slot)) {
            Some(slot) => Ok(Some(slot)),
            None => self.snapshot.find(id),
        }
    }

    fn touch(&mut self, slot: u32) -> Result<&mut Touched<'a>> {
        use std::collections::btree_map::Entry;
        let stored = self.snapshot.head().requests;
        if let Some(new) = slot.checked_sub(stored) {
            let requests = self.head.requests;
            return self.new.get_mut(new as usize).ok_or_else(|| {
                Error::new(
                    ErrorKind::Internal,
                    format!("request slot {slot} of {requests} is not in the batch"),
                )
            });
        }
        match self.known.entry(slot) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let row = self.snapshot.request_row(slot)?;
                let touched = Touched {
                    request: Held::Stored(Box::new(self.snapshot.request(slot)?)),
                    edition: self.db.edition(self.snapshot, row.policy)?,
                    row,
                    is_new: false,
                    stored: self.snapshot.events(slot, &row)?,
                    added: vec![],
                    expedites: OnceCell::new(),
                };
                let is_expedite = |event: &Event| matches!(event.kind, EventKind::Expedited { .. });
                if touched.stored.iter().any(is_expedite) {
                    self.expedited.insert(slot);
                }
                Ok(entry.insert(touched))
            }
        }
    }

    /// The transaction, `None` if there is nothing to write, and the clocks of all touched requests if the batch was
    /// asked for them.
    pub(super) fn finish(self) -> Result<(Option<Commit>, Answers)> {
        let mut values = self.expedite_values()?;
        let Batch { db, snapshot, head, known, new, operations, answers, .. } = self;
        let interruptions = db.declared(snapshot)?;
        let mut found = Answers::new();
        let mut moves = Moves::new(head);
        let first = snapshot.head().requests;
        for (slot, touched) in known.iter().map(|(slot, touched)| (*slot, touched)).chain((first..).zip(&new))
        {
            let eras = touched.eras(db, snapshot)?;
            let given = match &eras {
                Some(eras) => eras.given(&interruptions),
                None => Given { interruptions: &interruptions, ..Given::policy(&touched.edition.policy) },
            };
            if !touched.is_new && touched.added.is_empty() {
                if answers {
                    let now = derive_over(given, &touched.request, touched.events(true));
                    found.insert(slot, touched.statuses(&now));
                }
                continue;
            }
            let (before, after) = if touched.is_new {
                (None, derive_over(given, &touched.request, touched.events(true)))
            } else {
                let both = derive_before_and_after(given, &touched.request, &touched.stored, &touched.added);
                (Some(both.0), both.1)
            };
            touched.write(slot, before.as_ref(), &after, snapshot, &mut moves)?;
            if answers {
                found.insert(slot, touched.statuses(&after));
            }
        }
        if operations == 0 {
            return Ok((None, found));
        }
        values.extend(db.settled(snapshot, &mut moves)?);
        Ok((Some(moves.commit(operations, values)), found))
    }
}

impl Batch<'_> {
    /// What the batch makes of the customers' expedites: the values that change.
    fn expedite_values(&self) -> Result<Vec<(Table, u64, Vec<u8>)>> {
        if self.expedited.is_empty() {
            return Ok(Vec::new());
        }
        let reader = self.snapshot.reader()?;
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        for slot in &self.expedited {
            let Some(touched) = self.in_hand(*slot) else { continue };
            if !touched.is_new {
                gone.extend(quota::rows_of(*slot, &touched.expedites_of(touched.events(false))));
            }
            come.extend(quota::rows_of(*slot, touched.expedites()));
        }
        let keys: BTreeSet<u64> =
            gone.iter().chain(&come).map(|row| expedites::key_of(&row.customer)).collect();
        let mut values = Vec::new();
        for key in keys {
            let of_key = |row: &&ExpediteRow| expedites::key_of(&row.customer) == key;
            let stored = expedites::read(reader, key)?;
            let mut rows: Vec<ExpediteRow> =
                stored.iter().filter(|row| !gone.contains(row)).cloned().collect();
            rows.extend(come.iter().filter(of_key).cloned());
            rows.sort();
            if rows != stored {
                values.push((Table::Expedites, key, expedites::write(&rows)?));
            }
        }
        Ok(values)
    }
}

/// The id of the request at a slot, if it is new; `first` is the slot of the first new one.
fn id_of<'n>(new: &'n [Touched<'_>], first: u32, slot: u32) -> Option<&'n str> {
    let at = slot.checked_sub(first)? as usize;
    new.get(at).map(|touched| touched.request.id.as_str())
}

impl Touched<'_> {
    /// Its events in arrival order, with or without those of this batch.
    fn events(&self, with_added: bool) -> impl Iterator<Item = &Event> + Clone {
        let added = if with_added { self.added.as_slice() } else { &[] };
        self.stored.iter().chain(added.iter().copied())
    }

    /// The versions that it is under one after the other; `None` if it never moved from one to another.
    fn eras(&self, db: &Db, snapshot: &Snapshot<'_>) -> Result<Option<Eras>> {
        let moved = self.events(true).any(|event| matches!(event.kind, EventKind::Migrated { .. }));
        moved.then(|| db.eras(snapshot, self.row.policy, self.events(true))).transpose()
    }

    /// Its expedites with the events added so far.
    fn expedites(&self) -> &[Expedite] {
        self.expedites.get_or_init(|| self.expedites_of(self.events(true)))
    }

    /// The expedites that events come to. Neither interruptions nor the version of the policy change anything about them.
    fn expedites_of<'e>(&'e self, events: impl Iterator<Item = &'e Event> + Clone) -> Vec<Expedite> {
        derive_over(Given::policy(&self.edition.policy), &self.request, events).expedites
    }

    /// What its events up to an instant come to, those of this batch included.
    fn derived_at(&self, at: Instant, given: Given<'_>) -> Timeline {
        derive_over(given, &self.request, self.events(true).filter(|event| event.at <= at))
    }

    fn statuses(&self, timeline: &Timeline) -> Vec<ClockStatus> {
        let policy = &self.edition.policy;
        let status = |clock| ClockStatus::of(policy, clock, timeline.current(clock), timeline.last_event_at);
        (0..policy.clocks().len()).map(status).collect()
    }

    /// Adds what changed to the transaction.
    fn write(
        &self,
        slot: u32,
        before: Option<&Timeline>,
        after: &Timeline,
        snapshot: &Snapshot<'_>,
        moves: &mut Moves,
    ) -> Result<()> {
        let old = if self.is_new { vec![] } else { snapshot.clock_rows(&self.row)? };
        let topics = if self.is_new || self.added.iter().any(|event| may_move_topics(event)) {
            let new = self.topics(slot, &after.facts, true);
            match before {
                Some(before) => topic_moves(&self.topics(slot, &before.facts, false), &new),
                None => new,
            }
        } else {
            Vec::new()
        };
        moves.add(&Moved {
            slot,
            row: self.row,
            old: &old,
            old_first: self.row.first_clock,
            before,
            after,
            policies: [&self.edition.policy; 2],
            request: self.is_new.then_some(&*self.request),
            events: &self.added,
            topics: &topics,
        })
    }

    /// The topics it belongs to, with or without the events of this batch.
    fn topics(&self, slot: u32, facts: &Facts, with_added: bool) -> Vec<TopicRow> {
        topics_of(slot, self.request.received_at, facts, self.events(with_added))
    }
}
