//! Care of the file: proving that what is stored follows from the events, checking, compacting, and facts about it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;

use super::Db;
use super::derived::{NoticeKey, clock_rows, index_moves, notices_until, pending_keys, put_clock_rows};
use super::periods::{Recount, goals};
use super::policies::Edition;
use super::told::Told;
use super::{quota, reminders};
use crate::attainment::{Cohort, Membership};
use crate::clock::{Given, derive_over};
use crate::error::{Error, ErrorKind, Result};
use crate::model::EventKind;
use crate::store::expedites::{self, ExpediteRow};
use crate::store::index::{IndexKind, key_of, row, rows_of};
use crate::store::log::{Change, LogEntry};
use crate::store::notices;
use crate::store::periods::{self, CohortKey};
use crate::store::records::PhaseCode;
use crate::store::reminders::{self as stored_reminders, Asked};
use crate::store::snapshot::Snapshot;
use crate::store::tables::Table;
use crate::store::{Commit, FORMAT};
use crate::time::Instant;

/// Most differences that a rebuild keeps; all are counted.
const KEPT_DIFFERENCES: usize = 100;

/// Requests that a rebuild repairs in one transaction.
const REPAIR_CHUNK: usize = 1_000;

/// Facts about a database.
#[derive(Clone, Debug, Serialize)]
pub struct Info {
    /// The file format.
    pub format: u32,
    /// Requests.
    pub requests: u64,
    /// Events, the receipts not counted.
    pub events: u64,
    /// Clocks.
    pub clocks: u64,
    /// Notices so far.
    pub notices: u64,
    /// Up to where the feed was advanced; `None` if never.
    pub advanced_to: Option<Instant>,
    /// The latest instant of any receipt or event; `None` in an empty database.
    pub latest_event_at: Option<Instant>,
    /// Operations in the log that are not folded into the sealed values yet.
    pub unfolded: u64,
    /// Length of the file in bytes.
    pub file_bytes: u64,
    /// Memory of the indexes in bytes.
    pub index_bytes: u64,
}

/// A clock whose stored state does not follow from its request's events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// External id of the request, or the name of the index.
    pub place: String,
    /// What is stored and what follows from the events.
    pub text: String,
}

/// The outcome of a rebuild.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Rebuild {
    /// Requests derived anew.
    pub requests: u64,
    /// Events they were derived from.
    pub events: u64,
    /// Clocks compared, byte by byte.
    pub clocks: u64,
    /// Index rows compared.
    pub index_rows: u64,
    /// Notices compared.
    pub notices: u64,
    /// Differences found.
    pub differing: u64,
    /// The first 100 of them.
    pub differences: Vec<Difference>,
    /// Requests whose stored state was replaced by what follows from their events.
    pub repaired: u64,
}

impl Rebuild {
    pub(super) fn differs(&mut self, place: impl Into<String>, text: impl Into<String>) {
        self.differing += 1;
        if self.differences.len() < KEPT_DIFFERENCES {
            self.differences.push(Difference { place: place.into(), text: text.into() });
        }
    }
}

impl Db {
    /// Facts about the database.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn info(&self) -> Result<Info> {
        self.store.read(|snapshot| {
            let head = snapshot.head();
            let some = |raw: u32, holds: bool| if holds { Instant::from_raw(raw) } else { None };
            Ok(Info {
                format: FORMAT,
                requests: u64::from(head.requests),
                events: head.events,
                clocks: head.phases.iter().sum(),
                notices: head.notices,
                advanced_to: some(head.advanced_to, head.advanced_to > 0),
                latest_event_at: some(head.latest_event_at, head.requests > 0),
                unfolded: u64::from(head.unfolded),
                file_bytes: self.store.file().file_bytes()?,
                index_bytes: IndexKind::ALL
                    .iter()
                    .map(|kind| snapshot.index(*kind).memory_bytes() as u64)
                    .sum(),
            })
        })
    }

    /// Derives every request anew from its events and compares the result with what is stored, byte by byte, the
    /// indexes and the notices included. Writes nothing.
    ///
    /// # Errors
    /// The errors of the file. Differences are no error; they are in the answer.
    pub fn verify(&self) -> Result<Rebuild> {
        self.store.read(|snapshot| self.verified(snapshot))
    }

    /// As [`verify`](Self::verify), then replaces the stored state of every differing request by what follows from
    /// its events, in transactions of 1,000 requests.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn rebuild(&self) -> Result<Rebuild> {
        let mut rebuild = self.verify()?;
        let requests = self.store.read(|snapshot| Ok(snapshot.head().requests))?;
        let mut from = 0;
        while rebuild.differing > 0 && from < requests {
            let until = requests.min(from + REPAIR_CHUNK as u32);
            rebuild.repaired += self.store.write(|snapshot| self.repair(snapshot, from..until))?;
            from = until;
        }
        if rebuild.differing > 0 {
            self.store.write(|snapshot| self.repair_expedites(snapshot))?;
            self.store.write(|snapshot| self.repair_cohorts(snapshot))?;
            self.store.write(|snapshot| self.repair_told(snapshot))?;
        }
        self.store.fold_if_due()?;
        Ok(rebuild)
    }

    /// Verifies every page of the file, then as [`verify`](Self::verify).
    ///
    /// # Errors
    /// `Damaged` with the place if anything was changed by other hands than ours; `Busy` if readers or writers do
    /// not pause within the busy timeout.
    pub fn check(&self) -> Result<Rebuild> {
        self.store.file().check_integrity()?;
        self.verify()
    }

    /// Folds the log into the sealed values and gives free space in the file back. True if the file shrank.
    ///
    /// # Errors
    /// `Busy` if readers or writers, here or in another process, do not pause within the busy timeout.
    pub fn compact(&self) -> Result<bool> {
        self.store.fold(1)?;
        self.store.compact()
    }

    fn verified(&self, snapshot: &Snapshot<'_>) -> Result<Rebuild> {
        let mut found = Rebuild::default();
        let mut expected: [Vec<u64>; IndexKind::ALL.len()] = Default::default();
        let mut phases = [0_u64; PhaseCode::COUNT];
        let mut noticed: HashMap<u32, Vec<NoticeKey>> = HashMap::new();
        let mut expedited = Expedites::new();
        let mut told = Told::default();
        let advanced_to = snapshot.head().advanced_to;
        let mut recount = Recount::new(self.judges(snapshot, None)?);
        let interruptions = self.declared(snapshot)?;
        let mut edition: Option<Arc<Edition>> = None;
        let mut clocks = Vec::new();
        for slot in 0..snapshot.head().requests {
            let row = snapshot.request_row(slot)?;
            let read = snapshot.told(slot, &row)?;
            let (request, events) = (&read.request, &read.events);
            // Mostly that of the request before.
            let edition = match &mut edition {
                Some(known) if known.number == row.policy => known,
                other => other.insert(self.edition(snapshot, row.policy)?),
            };
            let policy = &edition.policy;
            let moved = events.iter().any(|event| matches!(event.kind, EventKind::Migrated { .. }));
            let eras = moved.then(|| self.eras(snapshot, row.policy, events.iter())).transpose()?;
            let given = match &eras {
                Some(eras) => eras.given(&interruptions),
                None => Given { interruptions: &interruptions, ..Given::policy(policy) },
            };
            let timeline = derive_over(given, request, events.iter());
            found.requests += 1;
            found.events += events.len() as u64;
            let latest = events
                .iter()
                .map(|event| event.at)
                .max()
                .unwrap_or(request.received_at)
                .max(request.received_at);
            if latest.raw() != row.last_event_at || request.received_at.raw() != row.received_at {
                found.differs(&request.id, "the row's instants are not those of its events");
            }
            put_clock_rows(slot, row.clocks, &timeline, &mut clocks);
            for (at, clock) in clocks.iter().enumerate() {
                found.clocks += 1;
                let clock_slot = row.first_clock + at as u32;
                let stored = snapshot.clock_row(clock_slot)?;
                if stored != *clock {
                    found.differs(&request.id, format!("clock {at}: stored {stored:?}, derived {clock:?}"));
                }
                phases[clock.phase as usize] += 1;
                for (kind, row) in rows_of(clock_slot, clock) {
                    expected[kind as usize].push(row);
                }
            }
            let pending = pending_keys(&timeline, advanced_to).into_iter().map(|key| self::row(key, slot));
            expected[IndexKind::Pending as usize].extend(pending);
            let joined = goals(policy).filter_map(|clock| {
                let joined = Membership::of(timeline.cycles_of(clock)).joined?;
                Some(self::row(joined, row.first_clock + clock as u32))
            });
            expected[IndexKind::Joined as usize].extend(joined);
            recount.add(policy, request.received_at, &timeline, advanced_to);
            keep_expedites(&mut expedited, quota::rows_of(slot, &timeline.expedites));
            told.add(slot, &read, &timeline.facts);
            let keys = notices_until(&timeline, 0, advanced_to);
            if !keys.is_empty() {
                noticed.insert(slot, keys);
            }
        }
        if phases != snapshot.head().phases {
            found.differs("head", "the counts by phase are not those of the clocks");
        }
        verify_indexes(snapshot, &mut expected, &mut found)?;
        let asked = self.verify_reminders(snapshot, &mut found)?;
        let (cohorts, shares) = recount.cohorts(advanced_to);
        verify_cohorts(snapshot, &cohorts, &mut found)?;
        let about_none = [reminders::notices(&asked, 0, advanced_to), shares].concat();
        verify_notices(snapshot, noticed, about_none, &mut found)?;
        told.compare(snapshot, &mut found)?;
        let stored = stored_expedites(snapshot)?;
        for key in expedited.keys().chain(stored.keys().filter(|key| !expedited.contains_key(key))) {
            let (stored, derived) = (stored.get(key), expedited.get(key));
            if stored != derived {
                found.differs("expedites", format!("key {key}: stored {stored:?}, derived {derived:?}"));
            }
        }
        Ok(found)
    }

    /// What the policies ask of people must be what was stored when they were installed.
    fn verify_reminders(&self, snapshot: &Snapshot<'_>, found: &mut Rebuild) -> Result<Vec<Asked>> {
        let mut asked = stored_reminders::read(snapshot.reader()?, snapshot.head().policy, Instant::MIN)?;
        for asked in &mut asked {
            let edition = self.edition(snapshot, asked.edition)?;
            let schedule = reminders::schedule(&edition.policy, edition.in_force_from);
            if asked.schedule != schedule {
                let text = format!("stored {:?}, derived {schedule:?}", asked.schedule);
                found.differs(edition.policy.title(), text);
                asked.schedule = schedule;
            }
        }
        Ok(asked)
    }

    /// Replaces what is stored of the customers' expedites by what follows from the events.
    fn repair_expedites(&self, snapshot: &Snapshot<'_>) -> Result<((), Option<Commit>)> {
        let mut derived = Expedites::new();
        for slot in 0..snapshot.head().requests {
            let timeline = self.facts_of(snapshot, slot)?.timeline();
            keep_expedites(&mut derived, quota::rows_of(slot, &timeline.expedites));
        }
        let mut values = Vec::new();
        let stored = stored_expedites(snapshot)?;
        for key in stored.keys().chain(derived.keys().filter(|key| !stored.contains_key(key))) {
            if stored.get(key) != derived.get(key) {
                let rows = derived.get(key).map_or(&[][..], Vec::as_slice);
                values.push((Table::Expedites, *key, expedites::write(rows)?));
            }
        }
        if values.is_empty() {
            return Ok(((), None));
        }
        let mut head = *snapshot.head();
        head.unfolded = head.unfolded.saturating_add(1);
        Ok(((), Some(Commit { entry: LogEntry::new(head), notices: vec![], values, dropped: vec![] })))
    }

    /// Replaces what is stored of the promised shares' cohorts by what follows from the events. As with all that a repair
    /// does, notices given stay as they are.
    fn repair_cohorts(&self, snapshot: &Snapshot<'_>) -> Result<((), Option<Commit>)> {
        let (values, _) = self.rejudged(snapshot, None)?;
        if values.is_empty() {
            return Ok(((), None));
        }
        let mut head = *snapshot.head();
        head.unfolded = head.unfolded.saturating_add(1);
        Ok(((), Some(Commit { entry: LogEntry::new(head), notices: vec![], values, dropped: vec![] })))
    }

    fn repair(&self, snapshot: &Snapshot<'_>, slots: std::ops::Range<u32>) -> Result<(u64, Option<Commit>)> {
        let mut head = *snapshot.head();
        let mut entry = LogEntry::new(head);
        let mut repaired = 0;
        for slot in slots {
            let mut row = snapshot.request_row(slot)?;
            let timeline = self.facts_of(snapshot, slot)?.timeline();
            let clocks = clock_rows(slot, row.clocks, &timeline);
            let stored = snapshot.clock_rows(&row)?;
            if stored == clocks {
                continue;
            }
            for (old, new) in stored.iter().zip(&clocks) {
                head.move_phase(Some(old.phase), new.phase);
            }
            row.last_event_at = timeline.last_event_at.raw();
            let (mut removed, mut added) = (Vec::new(), Vec::new());
            index_moves(row.first_clock, &stored, &clocks, &mut removed, &mut added);
            let (removed, added) = (removed.as_slice(), added.as_slice());
            let clocks = &clocks;
            entry.push_change(&Change {
                slot,
                row,
                request: None,
                events: &[],
                clocks,
                topics: &[],
                removed,
                added,
            })?;
            repaired += 1;
        }
        if repaired == 0 {
            return Ok((0, None));
        }
        head.unfolded = head.unfolded.saturating_add(repaired);
        entry.head = head;
        Ok((u64::from(repaired), Some(Commit { entry, notices: vec![], values: vec![], dropped: vec![] })))
    }
}

/// Expedites by key; a key without any is as if it were not there.
type Expedites = BTreeMap<u64, Vec<ExpediteRow>>;

fn keep_expedites(kept: &mut Expedites, rows: impl Iterator<Item = ExpediteRow>) {
    for row in rows {
        let of_key = kept.entry(expedites::key_of(&row.customer)).or_default();
        let place = of_key.partition_point(|other| *other < row);
        of_key.insert(place, row);
    }
}

fn stored_expedites(snapshot: &Snapshot<'_>) -> Result<Expedites> {
    let mut stored = Expedites::new();
    expedites::visit(snapshot.reader()?, |key, rows| {
        if !rows.is_empty() {
            stored.insert(key, rows);
        }
    })?;
    Ok(stored)
}

fn verify_indexes(
    snapshot: &Snapshot<'_>,
    expected: &mut [Vec<u64>; IndexKind::ALL.len()],
    found: &mut Rebuild,
) -> Result<()> {
    for kind in IndexKind::ALL {
        let expected = &mut expected[kind as usize];
        expected.sort_unstable();
        let passed = if kind == IndexKind::Pending { snapshot.head().advanced_to } else { 0 };
        let (mut at, mut wrong) = (0, 0_u64);
        snapshot.visit_slices(kind, row(passed, 0)..u64::MAX, &mut |rows| {
            let until = at + rows.len();
            if expected.get(at..until) != Some(rows) {
                wrong +=
                    (at..until).zip(rows).filter(|(at, row)| expected.get(*at) != Some(row)).count() as u64;
            }
            at = until;
            Ok(true)
        })?;
        found.index_rows += at as u64;
        if wrong > 0 || at != expected.len() {
            let first = expected.first().map(|row| key_of(*row));
            found.differs(
                format!("index {kind:?}"),
                format!("{wrong} of {at} rows differ, {} are expected from {first:?} on", expected.len()),
            );
        }
    }
    Ok(())
}

fn verify_cohorts(
    snapshot: &Snapshot<'_>,
    derived: &BTreeMap<CohortKey, Cohort>,
    found: &mut Rebuild,
) -> Result<()> {
    let mut stored = BTreeMap::new();
    periods::visit(snapshot.reader()?, 0..=u64::MAX, |key, cohort| drop(stored.insert(key, cohort)))?;
    for key in derived.keys().chain(stored.keys().filter(|key| !derived.contains_key(key))) {
        let (stored, derived) = (stored.get(key), derived.get(key));
        if stored != derived {
            found.differs("periods", format!("{key:?}: stored {stored:?}, derived {derived:?}"));
        }
    }
    Ok(())
}

/// The notices given, without those retracted, must be those that follow from the events.
fn verify_notices(
    snapshot: &Snapshot<'_>,
    expected: HashMap<u32, Vec<NoticeKey>>,
    reminders: Vec<notices::NoticeRow>,
    found: &mut Rebuild,
) -> Result<()> {
    let mut given: HashMap<notices::NoticeRow, i64> = HashMap::new();
    let last = snapshot.head().notices;
    let mut after = 0;
    while after < last {
        let page = notices::read_after(snapshot.reader()?, after, last, 10_000)?;
        for (number, row) in &page {
            if *number != after + 1 {
                return Err(Error::new(ErrorKind::Damaged, format!("notice {} is missing", after + 1)));
            }
            after = *number;
            found.notices += 1;
            let plain = notices::NoticeRow { retracted: false, ..*row };
            *given.entry(plain).or_default() += if row.retracted { -1 } else { 1 };
        }
        if page.is_empty() {
            return Err(Error::new(ErrorKind::Damaged, format!("notice {} is missing", after + 1)));
        }
    }
    for (slot, keys) in expected {
        for key in keys {
            *given.entry(key.row(slot, false)).or_default() -= 1;
        }
    }
    for row in reminders {
        *given.entry(row).or_default() -= 1;
    }
    for (notice, balance) in given {
        if balance != 0 {
            let place = match notice.is_about_request() {
                true => snapshot.request_id(notice.request)?,
                false => "notices about no request".to_owned(),
            };
            found.differs(place, format!("{balance:+} notices more than follow from the events: {notice:?}"));
        }
    }
    Ok(())
}
