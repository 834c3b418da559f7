//! Salvage: a new database from what can still be read of a damaged one.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::policies::{Stored, readable_edition, stored_edition};
use super::write::is_about_the_row;
use super::{Db, Durability, Mode, Operation, Options, PolicyInfo, reminders};
use crate::clock::Entry;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, EventKind, FaqRecord, Request};
use crate::policy::Policy;
use crate::store::bytes::Input;
use crate::store::faq::{self, StoredEntry};
use crate::store::head::Head;
use crate::store::reminders::{self as stored_reminders, Done, Schedule};
use crate::store::salvage::{Found, Gatherer, Wreck};
use crate::store::tables::Table;
use crate::store::{Store, codec, file, texts};
use crate::time::Instant;

/// Most places that a salvage names; all are counted.
const KEPT_PLACES: usize = 100;
/// Requests and events written in one transaction, and about how many bytes of them.
const CHUNK_ROWS: usize = 4_096;
const CHUNK_BYTES: usize = 8 << 20;

/// How a damaged database is salvaged. [`SalvageOptions::default`] suits most.
#[derive(Clone, Debug, Default)]
pub struct SalvageOptions {
    policy: Option<Policy>,
    stand_ins: bool,
}

impl SalvageOptions {
    /// Gives the policy for the case that none in the file can be read. It is not used otherwise.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Keeps events whose request cannot be read: under a request `salvaged:` and the number of its place in the
    /// damaged file, received when its row says, or at its first event. Without this they are counted and left out.
    #[must_use]
    pub fn stand_ins(mut self) -> Self {
        self.stand_ins = true;
        self
    }
}

/// Something that could not be read, or not be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// Where: a table and key, a page of the file, or a request.
    pub place: String,
    /// The number of the kind of error, as in [`ErrorKind::code`].
    pub code: i32,
    /// What is missing, or why it was refused.
    pub text: String,
}

/// A consumer of the feed in the damaged database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalvagedConsumer {
    /// Its name.
    pub name: String,
    /// The number of the last notice that it acknowledged there.
    pub acknowledged: u64,
}

/// What a salvage got out, and what it could not.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Salvage {
    /// Requests in the new database, stand-ins included.
    pub requests: u64,
    /// Events in the new database, the receipts not counted.
    pub events: u64,
    /// Policy versions in the new database, oldest first.
    pub policies: Vec<PolicyInfo>,
    /// Requests that are known to be missing; `None` if the damaged file does not say how many it had.
    pub lost_requests: Option<u64>,
    /// Events that are known to be missing, those without their request included; `None` likewise.
    pub lost_events: Option<u64>,
    /// Events that can be read, but whose request cannot. They are in the new database only as stand-ins.
    pub orphaned_events: u64,
    /// Stand-ins in the new database.
    pub stand_ins: u64,
    /// Requests and events on pages that are not proven to be of the latest commit.
    pub unproven: u64,
    /// Requests under another policy version than before, because theirs, or which one it was, cannot be read.
    pub repinned: u64,
    /// Up to where the feed had been advanced. The new database's feed begins anew.
    pub feed_advanced_to: Option<Instant>,
    /// The consumers that the feed had. They begin anew.
    pub consumers: Vec<SalvagedConsumer>,
    /// Length of the damaged file in bytes.
    pub file_bytes: u64,
    /// Pages of the tree that are not as they were written.
    pub damaged_pages: u64,
    /// Places that could not be read, pages included, and requests and events that were refused.
    pub unreadable: u64,
    /// The first 100 of them.
    pub places: Vec<Unreadable>,
}

impl Salvage {
    fn misses(&mut self, place: impl Into<String>, kind: ErrorKind, text: impl Into<String>) {
        self.unreadable += 1;
        if self.places.len() < KEPT_PLACES {
            self.places.push(Unreadable { place: place.into(), code: kind.code(), text: text.into() });
        }
    }

    /// Whether everything the damaged file is known to have held is in the new one.
    pub fn is_complete(&self) -> bool {
        self.unreadable == 0 && self.lost_requests == Some(0) && self.lost_events == Some(0)
    }
}

impl Db {
    /// Makes a new database at `to` from every request and event that can still be read of the damaged one at `from`,
    /// under the policy versions that can be read.
    ///
    /// Works on files that [`open`](Self::open) and [`check`](Self::check) refuse: pages are read one by one, and a
    /// value counts if its own checksum holds. `from` is only read, never written. `to` appears when it is complete.
    /// Memory is bounded whatever the file holds. What cannot be read is named and counted in the answer; a file
    /// without damage gives a complete copy. Deadlines and verdicts are derived anew, and who has read
    /// or reviewed which policy version is taken along. Notices and consumers' acknowledgements are not: the feed of the
    /// new database begins anew.
    ///
    /// # Errors
    /// `NotFound`; `NotADatabase` if there is nothing of a database in `from`; `NewerFormat`; `Damaged` if no policy
    /// can be read and none is given; `Busy` while `from` is open anywhere; `AlreadyExists` if anything is at `to`;
    /// `Io`, `StorageFull`.
    ///
    /// ```no_run
    /// use slaclock::{Db, SalvageOptions};
    ///
    /// let saved = Db::salvage("care.slaclock", "saved.slaclock", &SalvageOptions::default())?;
    /// println!("{} requests, {} events, {} places lost", saved.requests, saved.events, saved.unreadable);
    /// # Ok::<(), slaclock::Error>(())
    /// ```
    pub fn salvage(
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
        options: &SalvageOptions,
    ) -> Result<Salvage> {
        let work = || Db::salvaged(from.as_ref(), to.as_ref(), options);
        // Whatever the bytes are, the caller gets an answer or an error.
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
            let what =
                format!("salvaging {}: a defect in slaclock; please report it", from.as_ref().display());
            Err(Error::new(ErrorKind::Internal, what))
        })
    }

    fn salvaged(from: &Path, to: &Path, options: &SalvageOptions) -> Result<Salvage> {
        let (draft, _removes) = file::draft(to)?;
        let wreck = Wreck::search(from)?;
        let mut saved = Salvage { file_bytes: wreck.bytes(), ..Salvage::default() };
        note_damage(&wreck, &mut saved);
        let editions =
            editions(&wreck, options, &mut saved).map_err(|error| error.context(from.display()))?;
        let db = start(&draft, &editions, journal(&wreck, &mut saved), faq_journal(&wreck, &mut saved)?)?;
        let mut filling = Filling { db: &db, editions: &editions, saved, rows: vec![], bytes: 0 };
        let mut gatherer = Gatherer::new(&wreck);
        let losses = gatherer.losses();
        for loss in &losses.first {
            filling.saved.misses(&loss.place, ErrorKind::Damaged, &loss.text);
        }
        filling.saved.unreadable += losses.count - losses.first.len() as u64;
        while let Some(mut window) = gatherer.next_window() {
            while let Some(found) = gatherer.next(&mut window) {
                filling.add(found, options.stand_ins)?;
            }
        }
        filling.write()?;
        let mut saved = filling.saved;
        if gatherer.left_out > 0 {
            let text = format!("{} groups of events are more than a request can have", gatherer.left_out);
            saved.misses("table events", ErrorKind::OutOfRange, text);
        }
        let info = db.info()?;
        (saved.requests, saved.events) = (info.requests, info.events);
        saved.policies = db.policies()?;
        if let Some(head) = wreck.head() {
            let kept = saved.requests - saved.stand_ins;
            saved.lost_requests = Some(u64::from(head.requests).saturating_sub(kept));
            saved.lost_events = Some(head.events.saturating_sub(saved.events));
        }
        db.compact()?;
        db.close()?;
        file::publish(&draft, to)?;
        Ok(saved)
    }
}

/// What the search itself found wrong.
fn note_damage(wreck: &Wreck, saved: &mut Salvage) {
    let (damaged, first) = wreck.damaged_pages();
    saved.damaged_pages = damaged;
    for at in first {
        saved.misses(format!("page at byte {at}"), ErrorKind::Damaged, "its checksum does not match");
    }
    saved.unreadable += damaged - first.len() as u64;
    if wreck.refused() > 0 {
        let text = format!("the disk refused to read it {} times", wreck.refused());
        saved.misses("the file", ErrorKind::Io, text);
    }
    if wreck.overflowed() {
        saved.misses("the file", ErrorKind::OutOfRange, "it holds more values than can be remembered");
    }
    match wreck.head() {
        None => saved.misses("table meta, key 1", ErrorKind::Damaged, "the head is not in any sound value"),
        Some(_) if !wreck.is_head_sure() => {
            saved.misses("table meta, key 1", ErrorKind::Damaged, "the head may be one of an earlier commit");
        }
        Some(head) => {
            saved.feed_advanced_to = Instant::from_raw(head.advanced_to).filter(|_| head.advanced_to > 0);
        }
    }
    for (_, payload) in wreck.payloads(Table::Consumers) {
        let mut input = Input::new(&payload);
        if let (Ok(acknowledged), Ok(name)) = (input.u64(), input.value::<String>()) {
            saved.consumers.push(SalvagedConsumer { name, acknowledged });
        }
    }
}

/// The editions of the new database: the stored values, in order, and which number each had.
struct Editions {
    values: Vec<Vec<u8>>,
    /// What each asks of people.
    schedules: Vec<Schedule>,
    was: Vec<u32>,
    /// Who has read or reviewed which, by the edition's former number.
    done: Vec<(u32, Vec<u8>)>,
}

fn editions(wreck: &Wreck, options: &SalvageOptions, saved: &mut Salvage) -> Result<Editions> {
    let mut editions = Editions { values: vec![], schedules: vec![], was: vec![], done: vec![] };
    let mut next = 1;
    // Editions are numbered in 32 bits.
    for (key, payload) in wreck.payloads(Table::Policies).take_while(|(key, _)| *key <= u64::from(u32::MAX)) {
        let read = codec::decode_all::<Stored>(&payload).and_then(|stored| readable_edition(0, stored));
        match read {
            Err(error) => saved.misses(format!("table policies, key {key}"), error.kind(), error.message()),
            Ok(edition) => {
                missing_editions(next..key, saved);
                editions.schedules.push(reminders::schedule(&edition.policy, edition.in_force_from));
                next = key + 1;
                editions.values.push(payload);
                editions.was.push(key as u32);
            }
        }
    }
    let last = wreck.head().map_or(0, |head| u64::from(head.policy));
    missing_editions(next..last.saturating_add(1), saved);
    if editions.values.is_empty() {
        let Some(policy) = &options.policy else {
            let what = "no policy in it can be read: give the one to salvage its requests under";
            return Err(Error::new(ErrorKind::Damaged, what));
        };
        editions.schedules.push(reminders::schedule(policy, Instant::MIN));
        editions.values.push(stored_edition(policy, Instant::MIN)?);
        editions.was.push(0);
    }
    for (key, payload) in wreck.payloads(Table::Reminders).filter(|(key, _)| *key as u32 > 0) {
        match codec::decode_all::<Done>(&payload) {
            Ok(_) => editions.done.push(((key >> 32) as u32, payload)),
            Err(error) => saved.misses(format!("table reminders, key {key}"), error.kind(), error.message()),
        }
    }
    Ok(editions)
}

/// A damaged number may promise billions of them, so they are told as one place.
fn missing_editions(numbers: std::ops::Range<u64>, saved: &mut Salvage) {
    if !numbers.is_empty() {
        let count = numbers.end - numbers.start;
        let text = format!("{count} versions of the policy are not in any sound value");
        saved.misses(format!("table policies, key {}", numbers.start), ErrorKind::Damaged, text);
    }
}

/// The journal of interruptions, numbered anew. What is missing of it is named: later entries may tell it all the same.
fn journal(wreck: &Wreck, saved: &mut Salvage) -> Vec<(Table, u64, Vec<u8>)> {
    let mut journal: Vec<(Table, u64, Vec<u8>)> = Vec::new();
    let mut expected = 1;
    let last = wreck.head().map_or(0, |head| u64::from(head.interruptions));
    let mut misses = |keys: std::ops::Range<u64>| {
        if !keys.is_empty() {
            let text =
                format!("{} entries about interruptions are not in any sound value", keys.end - keys.start);
            saved.misses(format!("table interruptions, key {}", keys.start), ErrorKind::Damaged, text);
        }
    };
    for (key, payload) in wreck.payloads(Table::Interruptions) {
        // A value that decodes to something else is as good as missing.
        if codec::decode_all::<Entry>(&payload).is_ok() {
            misses(expected..key);
            expected = key.saturating_add(1);
            journal.push((Table::Interruptions, journal.len() as u64 + 1, payload));
        }
    }
    misses(expected..last.saturating_add(1));
    journal
}

/// The FAQ from what can be read of its journal, numbered anew. Each record has the whole entry, so one that is missing
/// costs no more than itself.
struct FaqJournal {
    values: Vec<(Table, u64, Vec<u8>)>,
    acts: u32,
    texts: u64,
    latest: u32,
}

fn faq_journal(wreck: &Wreck, saved: &mut Salvage) -> Result<FaqJournal> {
    let mut journal = FaqJournal { values: vec![], acts: 0, texts: 0, latest: 0 };
    let mut entries: BTreeMap<u64, StoredEntry> = BTreeMap::new();
    let (mut expected, last) = (1, wreck.head().map_or(0, |head| u64::from(head.faq_acts)));
    let mut misses = |keys: std::ops::Range<u64>| {
        if !keys.is_empty() {
            let text =
                format!("{} records about FAQ entries are not in any sound value", keys.end - keys.start);
            saved.misses(format!("table faq_acts, key {}", keys.start), ErrorKind::Damaged, text);
        }
    };
    for (key, payload) in wreck.payloads(Table::FaqActs).take_while(|(key, _)| *key < u64::from(u32::MAX)) {
        let Ok(record) = codec::decode_all::<FaqRecord>(&payload) else { continue };
        misses(expected..key);
        expected = key + 1;
        journal.acts += 1;
        journal.latest = journal.latest.max(record.at.raw());
        journal.texts = journal.texts.wrapping_add(texts::digest(texts::FAQ, journal.acts, &payload));
        journal.values.push((Table::FaqActs, u64::from(journal.acts), payload));
        let key = faq::key_of(&record.id);
        let before = entries.remove(&key);
        entries.insert(key, StoredEntry::after(before, journal.acts, record));
    }
    misses(expected..last.saturating_add(1));
    for (key, entry) in &entries {
        journal.values.push((Table::Faq, *key, codec::encode(entry)?));
    }
    Ok(journal)
}

fn start(
    draft: &Path,
    editions: &Editions,
    journal: Vec<(Table, u64, Vec<u8>)>,
    faq: FaqJournal,
) -> Result<Db> {
    let options = Options::default().mode(Mode::Exclusive).durability(Durability::BULK);
    let values = editions.values.iter().zip(1..);
    let mut first: Vec<(Table, u64, Vec<u8>)> =
        values.map(|(value, number)| (Table::Policies, number, value.clone())).collect();
    for (at, schedule) in editions.schedules.iter().enumerate() {
        let number = at as u32 + 1;
        first.push((Table::Reminders, stored_reminders::key(number, 0), stored_reminders::write(schedule)?));
        let done = editions.done.iter().filter(|(was, _)| editions.was.get(at) == Some(was));
        for ((_, payload), place) in done.zip(1..) {
            first.push((Table::Reminders, stored_reminders::key(number, place), payload.clone()));
        }
    }
    let entries = journal.iter().filter_map(|(.., payload)| codec::decode_all::<Entry>(payload).ok());
    let latest = entries.map(|entry| entry.at.raw());
    let head = Head {
        policy: editions.values.len() as u32,
        interruptions: journal.len() as u32,
        latest_event_at: latest.chain([faq.latest]).max().unwrap_or(0),
        faq_acts: faq.acts,
        texts: faq.texts,
        ..Head::default()
    };
    let first: Vec<(Table, u64, Vec<u8>)> = first.into_iter().chain(journal).chain(faq.values).collect();
    Ok(Db::over(Store::create(Some(draft), &options.file, head, &first)?))
}

/// A request and its events on their way into the new database.
struct Row {
    edition: Option<u32>,
    request: Operation,
    events: Vec<Operation>,
}

/// The new database being filled.
struct Filling<'a> {
    db: &'a Db,
    editions: &'a Editions,
    saved: Salvage,
    rows: Vec<Row>,
    bytes: usize,
}

impl Filling<'_> {
    fn add(&mut self, found: Found, stand_ins: bool) -> Result<()> {
        let request = match found.request {
            Some(request) => request,
            None => {
                self.saved.orphaned_events += found.events.len() as u64;
                let place = format!("request slot {}", found.slot);
                let text = format!("{} events can be read, but not their request", found.events.len());
                if !found.events.is_empty() {
                    self.saved.misses(place, ErrorKind::Damaged, text);
                }
                match stand_in(found.slot, found.received_at, &found.events) {
                    Some(request) if stand_ins => {
                        self.saved.stand_ins += 1;
                        request
                    }
                    _ => return Ok(()),
                }
            }
        };
        let missing =
            found.expected.map_or(0, |expected| (expected as usize).saturating_sub(found.events.len()));
        if missing > 0 {
            let place = format!("request `{}`", request.id);
            self.saved.misses(place, ErrorKind::Damaged, format!("{missing} of its events cannot be read"));
        }
        self.saved.unproven += found.unproven;
        let was = found.edition.and_then(|number| self.editions.was.iter().position(|was| *was == number));
        self.saved.repinned += u64::from(was.is_none());
        let id = &request.id;
        let events: Vec<Event> =
            found.events.into_iter().filter_map(|event| self.renumbered(event, &request.id)).collect();
        let events: Vec<Operation> =
            events.into_iter().map(|event| Operation::Record { id: id.clone(), event }).collect();
        self.bytes += 256 + events.len() * 128;
        let request = Operation::Submit(request);
        self.bytes += request.text_bytes() + events.iter().map(Operation::text_bytes).sum::<usize>();
        self.rows.push(Row { edition: was.map(|at| at as u32 + 1), request, events });
        let waiting: usize = self.rows.iter().map(|row| 1 + row.events.len()).sum();
        if waiting >= CHUNK_ROWS || self.bytes >= CHUNK_BYTES { self.write() } else { Ok(()) }
    }

    /// The event with the numbers that the editions have here; `None`, and named, if one of them is missing.
    fn renumbered(&mut self, mut event: Event, id: &str) -> Option<Event> {
        if let EventKind::Migrated { from, to } = &mut event.kind {
            for number in [from, to] {
                let Some(at) = self.editions.was.iter().position(|was| was == number) else {
                    let text =
                        format!("its migration at {} names edition {number}, which is missing", event.at);
                    self.saved.misses(format!("request `{id}`"), ErrorKind::Damaged, text);
                    return None;
                };
                *number = at as u32 + 1;
            }
        }
        Some(event)
    }

    /// Writes what waits. What the rules of the database refuse is named and left out.
    fn write(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let db = self.db;
        let refused = db.store.write(|snapshot| {
            let mut batch = Batch::of_recorded(db, snapshot);
            batch.salvages = true;
            let mut refused = Vec::new();
            let mut keep = |id: &str, result: Result<()>| match result {
                Err(error) if is_about_the_row(error.kind()) => {
                    refused.push((format!("request `{id}`"), error));
                    Ok(())
                }
                other => other,
            };
            for row in &rows {
                keep(row.request.id(), batch.add_under(&row.request, row.edition).map(drop))?;
                for event in &row.events {
                    keep(row.request.id(), batch.add(event).map(drop))?;
                }
            }
            Ok((refused, batch.finish()?.0))
        })?;
        db.store.fold_if_due()?;
        for (place, error) in refused {
            self.saved.misses(place, error.kind(), error.message());
        }
        Ok(())
    }
}

fn stand_in(slot: u32, received_at: Option<u32>, events: &[Event]) -> Option<Request> {
    let first = events.iter().map(|event| event.at).min()?;
    let received =
        received_at.and_then(Instant::from_raw).filter(|received| *received <= first).unwrap_or(first);
    Some(
        Request::new(format!("salvaged:{slot}"), received)
            .subject("the text of this request could not be read"),
    )
}
