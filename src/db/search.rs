//! Search: brings the index up to what the store holds, looks words up, and reads every hit again from one snapshot.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant as Moment};

use super::Db;
use super::request::Life;
use crate::clock::order;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, EventKind, FaqAct, Request, answers, links};
use crate::search::Update;
use crate::search::index::{Doc, Engine, Failure, Found, Position, Terms};
use crate::search::{FoundIn, Hit, HitKind, Hits, SearchQuery, matched};
use crate::store::faq::{self, StoredEntry};
use crate::store::head::Head;
use crate::store::log;
use crate::store::snapshot::{Snapshot, Told};
use crate::store::tables::Table;
use crate::store::topics::{About, topic};
use crate::time::Instant;

/// Requests that are read for the index in one snapshot, so that none is held for long.
const CHUNK: usize = 1_000;
/// An update follows a store that goes on being written so many times.
const MAX_PASSES: usize = 8;
/// Keys of FAQ entries lie above all slots.
const FAQ_KEYS: u64 = 1 << 32;
/// Documents asked for beyond what is wanted: some may no longer match.
const SPARE: usize = 16;

impl Db {
    /// Looks for requests and FAQ entries by the words of their subjects, notes, answers and questions, best first.
    ///
    /// The index lies in a folder beside the database (in memory for one in memory) and is derived: it is made when first
    /// asked for, follows what was recorded since before each search, and is made anew when it is missing, damaged, of
    /// another file, or of a later state than the store's. Every hit is read again from one snapshot of the store, so
    /// whatever lies in the folder, nothing is told that is not so. Several processes may search at once; one of them
    /// builds, the others wait for it within the busy timeout and then search what is there, and say so.
    ///
    /// # Errors
    /// `InvalidArgument` for a query without a word; `OutOfRange` for one that is too long, or too many hits; `Busy` if
    /// another process is building the index and there is none yet; `Io`, `StorageFull` if there is none and the folder
    /// cannot be written; `Damaged` if the store does not hold the texts that its head speaks of; the errors of the file.
    pub fn search(&self, query: &SearchQuery) -> Result<Hits> {
        let terms = query.terms()?;
        let folder = self.search_folder(query.index.as_deref());
        let wait = self.store.file().busy_timeout();
        let mut guard = self.engine(wait)?;
        if !guard.as_ref().is_some_and(|engine| engine.is_in(folder.as_deref())) {
            *guard = Some(folder.as_deref().map_or_else(Engine::in_memory, Engine::in_folder));
        }
        let engine = guard.as_mut().ok_or_else(|| Error::new(ErrorKind::Internal, "no search index"))?;
        let (mut last, mut damage) = (None, None);
        for _ in 0..3 {
            let followed = self.follow(engine, wait)?;
            match engine.search(&terms, query.skip + query.limit + SPARE) {
                Ok(found) => {
                    let hits = self.read_again(query, &terms, &found)?;
                    if hits.complete || !followed {
                        return Ok(hits);
                    }
                    // Somebody wrote meanwhile.
                    last = Some(hits);
                }
                Err(Failure::Refused(error)) => return Err(error),
                Err(Failure::Damaged(what)) => {
                    if let Some(_lock) = engine.lock(wait)? {
                        engine.wipe()?;
                    }
                    damage = Some(what);
                }
            }
        }
        last.ok_or_else(|| {
            let what = damage.unwrap_or_default();
            Error::new(
                ErrorKind::Io,
                format!("search index: cannot be used although it was made anew: {what}"),
            )
        })
    }

    /// The folder that an index lies in; `None` for memory.
    fn search_folder(&self, asked: Option<&Path>) -> Option<PathBuf> {
        let beside = || {
            let mut path = self.store.file().path()?.as_os_str().to_owned();
            path.push(".search");
            Some(PathBuf::from(path))
        };
        asked.map(Path::to_path_buf).or_else(beside)
    }

    /// Waits for other threads that search.
    fn engine(&self, wait: Duration) -> Result<MutexGuard<'_, Option<Engine>>> {
        let since = Moment::now();
        loop {
            match self.engine.try_lock() {
                Ok(guard) => return Ok(guard),
                Err(TryLockError::Poisoned(poisoned)) => {
                    let mut guard = PoisonError::into_inner(poisoned);
                    *guard = None;
                    return Ok(guard);
                }
                Err(TryLockError::WouldBlock) if since.elapsed() >= wait => {
                    let what = format!(
                        "search index: another thread has been building it for {} ms",
                        wait.as_millis()
                    );
                    return Err(Error::new(ErrorKind::Busy, what));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Brings the index up to the store. False if that cannot be, but there is one to search.
    fn follow(&self, engine: &mut Engine, wait: Duration) -> Result<bool> {
        let is_current = |known: Option<Position>| -> Result<bool> {
            let head = self.head()?;
            Ok(known.is_some_and(|known| known.seq == head.seq && known.texts == head.texts))
        };
        let known = engine.refresh()?;
        if is_current(known)? {
            return Ok(true);
        }
        let lock = match engine.lock(wait) {
            Ok(Some(lock)) => lock,
            Ok(None) if known.is_some() => return Ok(false),
            Ok(None) => {
                let what =
                    format!("search index: another process has been building it for {} ms", wait.as_millis());
                return Err(Error::new(ErrorKind::Busy, what));
            }
            Err(_) if known.is_some() => return Ok(false),
            Err(error) => return Err(error),
        };
        // Whoever had the lock may have done it.
        let mut known = engine.refresh()?;
        if is_current(known)? {
            return Ok(true);
        }
        let mut why = String::new();
        for _ in 0..2 {
            if known.is_none() {
                engine.wipe()?;
            }
            match self.build(engine) {
                Ok(true) => {
                    engine.refresh()?;
                    drop(lock);
                    return Ok(true);
                }
                Err(Failure::Refused(error)) => {
                    let kind = error.kind();
                    let keeps = matches!(kind, ErrorKind::Io | ErrorKind::StorageFull) && known.is_some();
                    return if keeps { Ok(false) } else { Err(error) };
                }
                // Of another file or of a later state, or damaged where nobody had looked yet.
                Ok(false) => why = "it does not follow from the store".to_owned(),
                Err(Failure::Damaged(what)) => why = what,
            }
            known = None;
        }
        Err(Error::new(ErrorKind::Io, format!("search index: cannot be made anew: {why}")))
    }

    fn head(&self) -> Result<Head> {
        self.store.read(|snapshot| Ok(*snapshot.head()))
    }

    /// Puts what is new into the index. False if the index is not one of this store's past.
    fn build(&self, engine: &mut Engine) -> std::result::Result<bool, Failure> {
        let mut update = engine.update()?;
        let begun = update.position;
        let mut at = begun;
        let mut seen: HashMap<u64, u64> = HashMap::new();
        let mut head = Head::default();
        for _ in 0..MAX_PASSES {
            let (now, changed) = match self.news(&update, &at, &seen)? {
                Some(news) => news,
                None => return Ok(false),
            };
            head = now;
            let slots = at.requests..head.requests;
            let mut keys: Vec<u64> = changed.into_iter().chain(slots.map(u64::from)).collect();
            keys.dedup();
            for keys in keys.chunks(CHUNK) {
                let docs = refused(self.store.read(|snapshot| {
                    keys.iter().map(|slot| request_doc(snapshot, *slot as u32)).collect::<Result<Vec<Doc>>>()
                }))?;
                put_all(&mut update, &docs, &mut seen)?;
            }
            let docs = refused(self.store.read(|snapshot| faq_docs(snapshot, at.faq_acts, head.faq_acts)))?;
            put_all(&mut update, &docs, &mut seen)?;
            (at.seq, at.requests, at.faq_acts) = (head.seq, head.requests, head.faq_acts);
            let after = refused(self.head())?;
            if after.seq == head.seq {
                if update.position.texts == head.texts {
                    break;
                }
                if begun != Position::default() {
                    return Ok(false);
                }
                let what = "the texts are not those that the head speaks of; `rebuild` says which and repairs the head";
                return Err(Failure::Refused(Error::new(ErrorKind::Damaged, what)));
            }
        }
        update.commit(head.seq, head.requests, head.faq_acts)?;
        Ok(true)
    }

    /// The head, and the known requests that changed since a position; `None` if the position is not before the head.
    #[allow(clippy::type_complexity, reason = "a pair that is taken apart at once")]
    fn news(
        &self,
        update: &Update,
        at: &Position,
        seen: &HashMap<u64, u64>,
    ) -> std::result::Result<Option<(Head, BTreeSet<u64>)>, Failure> {
        let log = refused(self.store.read(|snapshot| {
            let head = *snapshot.head();
            if at.seq > head.seq || at.requests > head.requests || at.faq_acts > head.faq_acts {
                return Ok(None);
            }
            if at.requests == 0 || at.seq == head.seq {
                return Ok(Some((head, Some(BTreeSet::new()))));
            }
            if at.seq < head.folded {
                return Ok(Some((head, None)));
            }
            let mut changed = BTreeSet::new();
            snapshot.reader()?.visit(Table::Log, at.seq + 1..=head.seq, |_, value| {
                log::read(value, |change| {
                    if change.slot < at.requests {
                        changed.insert(u64::from(change.slot));
                    }
                    Ok(())
                })?;
                Ok(true)
            })?;
            Ok(Some((head, Some(changed))))
        }))?;
        match log {
            None => Ok(None),
            Some((head, Some(changed))) => Ok(Some((head, changed))),
            // The log of what came since is folded. Events are only added, so their number tells who changed.
            Some((head, None)) => {
                let mut counts = update.counts()?;
                counts.extend(seen);
                let mut changed = BTreeSet::new();
                for from in (0..at.requests).step_by(CHUNK * 64) {
                    let until = at.requests.min(from + CHUNK as u32 * 64);
                    refused(self.store.read(|snapshot| {
                        for slot in from..until {
                            let events = u64::from(snapshot.request_row(slot)?.events);
                            if counts.get(&u64::from(slot)) != Some(&events) {
                                changed.insert(u64::from(slot));
                            }
                        }
                        Ok(())
                    }))?;
                }
                Ok(Some((head, changed)))
            }
        }
    }

    /// Reads the hits from one snapshot, and leaves out what does not match there.
    fn read_again(&self, query: &SearchQuery, terms: &Terms, found: &Found) -> Result<Hits> {
        self.store.read(|snapshot| {
            let head = snapshot.head();
            let mut hits = Vec::new();
            let mut stale = 0;
            for (score, key) in &found.keys {
                let hit = match key.checked_sub(FAQ_KEYS) {
                    Some(number) => entry_hit(snapshot, number, *score, query, terms)?,
                    None => self.request_hit(snapshot, *key as u32, *score, query, terms)?,
                };
                match hit {
                    Some(hit) => hits.push(hit),
                    None => stale += 1,
                }
            }
            hits.sort_by_key(|hit| std::cmp::Reverse((hit.score, hit.at)));
            let hits = hits.into_iter().skip(query.skip).take(query.limit).collect();
            let complete = found.position.seq == head.seq && found.position.texts == head.texts;
            Ok(Hits { hits, matches: found.count.saturating_sub(stale), complete })
        })
    }

    fn request_hit(
        &self,
        snapshot: &Snapshot<'_>,
        slot: u32,
        score: u64,
        query: &SearchQuery,
        terms: &Terms,
    ) -> Result<Option<Hit>> {
        if slot >= snapshot.head().requests || query.kind == Some(HitKind::Faq) {
            return Ok(None);
        }
        let life = self.facts_of(snapshot, slot)?;
        let said = answers(&life.events);
        let told = said.iter().rfind(|answer| answer.to_customer);
        let received_at = life.request.received_at;
        if !is_within(query, received_at) || (query.answered && told.is_none()) {
            return Ok(None);
        }
        let place = |to_customer| if to_customer { FoundIn::Answer } else { FoundIn::Note };
        let subject = life.request.subject.as_deref().map(|subject| (FoundIn::Subject, subject));
        let mut texts: Vec<(FoundIn, &str)> = subject.into_iter().collect();
        texts.extend(said.iter().map(|answer| (place(answer.to_customer), answer.text.as_str())));
        let Some((found_in, snippet)) = matched(terms, &texts) else { return Ok(None) };
        let timeline = life.timeline();
        let customer = timeline.facts.get("customer").map(str::to_owned);
        if query.customer.is_some() && query.customer != customer {
            return Ok(None);
        }
        let answer = told.map(|answer| answer.text.clone());
        let Life { request, events, .. } = life;
        Ok(Some(Hit {
            kind: HitKind::Request,
            id: request.id,
            score,
            customer,
            subject: request.subject,
            at: received_at,
            state: Some(timeline.state.word()),
            handled_at: timeline.state.since(),
            answer,
            faq: links(events.iter()).into_keys().map(str::to_owned).collect(),
            found_in,
            snippet,
        }))
    }
}

fn entry_hit(
    snapshot: &Snapshot<'_>,
    number: u64,
    score: u64,
    query: &SearchQuery,
    terms: &Terms,
) -> Result<Option<Hit>> {
    let reader = snapshot.reader()?;
    let number = match u32::try_from(number) {
        Ok(number) if (1..=snapshot.head().faq_acts).contains(&number) => number,
        _ => return Ok(None),
    };
    let entry = StoredEntry::find(reader, &faq::record(reader, number)?.id)?;
    let Some(entry) = entry.filter(|entry| entry.last.act != FaqAct::Withdrawn && entry.records[0] == number)
    else {
        return Ok(None);
    };
    if query.customer.is_some()
        || query.kind == Some(HitKind::Request)
        || !is_within(query, entry.published_at)
    {
        return Ok(None);
    }
    let texts =
        [(FoundIn::Subject, entry.last.question.as_str()), (FoundIn::Answer, entry.last.answer.as_str())];
    Ok(matched(terms, &texts).map(|(found_in, snippet)| Hit {
        kind: HitKind::Faq,
        id: entry.last.id.clone(),
        score,
        customer: None,
        subject: Some(entry.last.question.clone()),
        at: entry.published_at,
        state: None,
        handled_at: None,
        answer: Some(entry.last.answer.clone()),
        faq: Vec::new(),
        found_in,
        snippet,
    }))
}

fn is_within(query: &SearchQuery, at: Instant) -> bool {
    query.from.is_none_or(|from| at >= from) && query.to.is_none_or(|to| at < to)
}

/// An error of the store is not the index's.
fn refused<T>(result: Result<T>) -> std::result::Result<T, Failure> {
    result.map_err(Failure::Refused)
}

fn put_all(
    update: &mut Update,
    docs: &[Doc],
    seen: &mut HashMap<u64, u64>,
) -> std::result::Result<(), Failure> {
    docs.iter().try_for_each(|doc| {
        seen.insert(doc.key, doc.count);
        update.put(doc)
    })
}

/// What the index holds of a request.
fn request_doc(snapshot: &Snapshot<'_>, slot: u32) -> Result<Doc> {
    let row = snapshot.request_row(slot)?;
    let Told { request, mut events, digest } = snapshot.told(slot, &row)?;
    order(&mut events);
    let (told, notes): (Vec<_>, Vec<_>) = answers(&events).into_iter().partition(|answer| answer.to_customer);
    let customer = customer(&request, &events).map(|customer| topic(About::Customer, customer));
    Ok(Doc {
        key: u64::from(slot),
        faq: false,
        at: row.received_at,
        answered: !told.is_empty(),
        customer,
        count: u64::from(row.events),
        digest,
        subject: request.subject.clone().unwrap_or_default(),
        answers: told.into_iter().map(|answer| answer.text).collect(),
        notes: notes.into_iter().map(|answer| answer.text).collect(),
    })
}

/// The customer after all changes, without the cost of a timeline.
fn customer<'e>(request: &'e Request, events: &'e [Event]) -> Option<&'e str> {
    let changes = events.iter().rev().filter_map(|event| match &event.kind {
        EventKind::Changed { facts } => facts.get("customer"),
        _ => None,
    });
    let last = changes.into_iter().next().or(request.customer.as_ref());
    last.map(String::as_str).filter(|customer| !customer.is_empty())
}

/// What the index holds of the FAQ entries that records after `after` are about.
fn faq_docs(snapshot: &Snapshot<'_>, after: u32, last: u32) -> Result<Vec<Doc>> {
    if after >= last {
        return Ok(Vec::new());
    }
    let reader = snapshot.reader()?;
    let mut ids = BTreeSet::new();
    faq::records(reader, after + 1, last, |_, record, _| {
        ids.insert(record.id);
        Ok(())
    })?;
    let mut docs = Vec::new();
    for id in ids {
        let missing = || Error::new(ErrorKind::Damaged, format!("FAQ entry `{id}` is missing"));
        let entry = StoredEntry::find(reader, &id)?.ok_or_else(missing)?;
        let mut digest = 0_u64;
        for number in &entry.records {
            faq::records(reader, *number, *number, |_, _, one| {
                digest = digest.wrapping_add(one);
                Ok(())
            })?;
        }
        // One that is withdrawn has no words, but counts.
        let is_given = entry.last.act != FaqAct::Withdrawn;
        docs.push(Doc {
            key: FAQ_KEYS + u64::from(entry.records[0]),
            faq: true,
            at: entry.published_at.raw(),
            answered: true,
            customer: None,
            count: entry.records.len() as u64,
            digest,
            subject: if is_given { entry.last.question } else { String::new() },
            answers: if is_given { vec![entry.last.answer] } else { Vec::new() },
            notes: Vec::new(),
        });
    }
    Ok(docs)
}
