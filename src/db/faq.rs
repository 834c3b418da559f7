//! The FAQ: answers published for all to read, amended and withdrawn, and how often each helped.

use super::interruptions::check_actor;
use super::{Db, Outcome, Recorded, no_request};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Event, EventKind, FaqAct, FaqDraft, FaqEntry, FaqRecord, answers, validate_faq_id, validate_said,
};
use crate::store::faq::{self, StoredEntry};
use crate::store::log::LogEntry;
use crate::store::snapshot::Snapshot;
use crate::store::tables::Table;
use crate::store::topics::{About, topic};
use crate::store::{Commit, codec, texts};
use crate::time::Instant;

/// Most records of one FAQ entry.
pub const MAX_FAQ_RECORDS: usize = 10_000;

impl Db {
    /// Publishes an FAQ entry. The same draft at the same instant by the same person again changes nothing.
    ///
    /// # Errors
    /// `InvalidArgument` for a malformed id, no actor, an empty or too long question or answer, or one that is left out
    /// and that the request does not have; `NotFound` if there is no such request; `Conflict` if the id was published
    /// before with other content, or withdrawn; the errors of the file.
    pub fn publish(&self, draft: &FaqDraft, at: Instant, by: &str) -> Result<Outcome> {
        validate_faq_id(&draft.id)?;
        check_actor(by)?;
        self.write_faq(|snapshot| {
            let key = faq::key_of(&draft.id);
            let known = StoredEntry::at(snapshot.reader()?, key)?;
            let (question, answer) = self.drafted(snapshot, draft)?;
            let record = FaqRecord {
                id: draft.id.clone(),
                act: FaqAct::Published,
                at,
                by: by.to_owned(),
                question,
                answer,
                request: draft.request.clone(),
            };
            let Some(known) = known else { return Ok(Some((None, record))) };
            let first = faq::record(snapshot.reader()?, known.records[0])?;
            if first == record {
                return Ok(None);
            }
            let why = match known.last.act {
                _ if known.last.id != draft.id => {
                    "has the same hash as another; choose another id".to_owned()
                }
                FaqAct::Withdrawn => format!("was withdrawn at {}; choose another id", known.last.at),
                _ => format!("was published by `{}` at {} with other content; amend it", first.by, first.at),
            };
            Err(Error::new(ErrorKind::Conflict, format!("FAQ entry `{}`: {why}", draft.id)))
        })
    }

    /// Says otherwise what an entry asks or answers; `None` leaves it. What changes nothing is not recorded.
    ///
    /// # Errors
    /// `NotFound` if there is no such entry; `InvalidArgument` for no actor, or an empty or too long text; `Conflict`
    /// if it is withdrawn or was changed after `at`; `OutOfRange` after 10,000 changes; the errors of the file.
    pub fn amend_faq(
        &self,
        id: &str,
        question: Option<&str>,
        answer: Option<&str>,
        at: Instant,
        by: &str,
    ) -> Result<Outcome> {
        for (name, text) in [("question", question), ("answer", answer)] {
            text.map_or(Ok(()), |text| validate_said(name, text))?;
        }
        self.change_faq(id, at, by, |last| FaqRecord {
            question: question.unwrap_or(&last.question).to_owned(),
            answer: answer.unwrap_or(&last.answer).to_owned(),
            act: FaqAct::Amended,
            ..last.clone()
        })
    }

    /// Withdraws an entry: it is no longer listed, exported or found. Requests stay linked to it.
    ///
    /// # Errors
    /// `NotFound` if there is no such entry; `InvalidArgument` for no actor; `Conflict` if it was withdrawn otherwise or
    /// changed after `at`; the errors of the file.
    pub fn withdraw_faq(&self, id: &str, at: Instant, by: &str) -> Result<Outcome> {
        self.change_faq(id, at, by, |last| FaqRecord { act: FaqAct::Withdrawn, ..last.clone() })
    }

    /// Records that an entry answers a request: the event `faq_linked`. Idempotent: linking again by the same person at
    /// the same instant changes nothing, and a request counts once whatever is recorded.
    ///
    /// # Errors
    /// As for [`record`](Self::record); `NotFound` if there is no such entry; `InvalidEvent` if it is withdrawn.
    pub fn link_faq(&self, request: &str, id: &str, at: Instant, by: &str) -> Result<Recorded> {
        check_actor(by)?;
        let event = Event::new(EventKind::FaqLinked { faq: id.to_owned() }, at).by(by);
        self.record(request, event.key(format!("faq_linked {} {by} {id}", at.as_secs())))
    }

    /// Records that an entry does not answer a request after all: the event `faq_unlinked`. Idempotent likewise.
    ///
    /// # Errors
    /// As for [`record`](Self::record); `InvalidEvent` if it was not linked to it then.
    pub fn unlink_faq(&self, request: &str, id: &str, at: Instant, by: &str) -> Result<Recorded> {
        check_actor(by)?;
        let event = Event::new(EventKind::FaqUnlinked { faq: id.to_owned() }, at).by(by);
        self.record(request, event.key(format!("faq_unlinked {} {by} {id}", at.as_secs())))
    }

    /// The entry with this id, withdrawn or not.
    ///
    /// # Errors
    /// `NotFound`; the errors of the file.
    pub fn faq_entry(&self, id: &str) -> Result<FaqEntry> {
        self.store.read(|snapshot| {
            let entry = StoredEntry::find(snapshot.reader()?, id)?.ok_or_else(|| no_entry(id))?;
            used(snapshot, entry)
        })
    }

    /// All entries by id, with their use; withdrawn ones only if they are asked for.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn faq(&self, with_withdrawn: bool) -> Result<Vec<FaqEntry>> {
        self.store.read(|snapshot| {
            let mut entries = Vec::new();
            faq::visit(snapshot.reader()?, |_, entry| {
                if with_withdrawn || entry.last.act != FaqAct::Withdrawn {
                    entries.push(entry);
                }
                Ok(())
            })?;
            entries.sort_by(|one, other| one.last.id.cmp(&other.last.id));
            entries.into_iter().map(|entry| used(snapshot, entry)).collect()
        })
    }

    /// What was done about an entry, in the order of recording.
    ///
    /// # Errors
    /// `NotFound`; the errors of the file.
    pub fn faq_records(&self, id: &str) -> Result<Vec<FaqRecord>> {
        self.store.read(|snapshot| {
            let reader = snapshot.reader()?;
            let entry = StoredEntry::find(reader, id)?.ok_or_else(|| no_entry(id))?;
            entry.records.iter().map(|number| faq::record(reader, *number)).collect()
        })
    }

    /// Question and answer of a draft, taken from its request where they are left out.
    fn drafted(&self, snapshot: &Snapshot<'_>, draft: &FaqDraft) -> Result<(String, String)> {
        let (mut subject, mut said) = (None, None);
        if let Some(id) = &draft.request {
            let slot = snapshot.find(id)?.ok_or_else(|| no_request(id))?;
            let life = self.facts_of(snapshot, slot)?;
            said = answers(&life.events).into_iter().rfind(|it| it.to_customer).map(|it| it.text);
            subject = life.request.subject;
        }
        let texts = [("question", &draft.question, subject), ("answer", &draft.answer, said)];
        let [question, answer] = texts.map(|(name, given, stand_in)| {
            let text = given.clone().or(stand_in).ok_or_else(|| {
                let why = match &draft.request {
                    None => "neither it nor a request is given".to_owned(),
                    Some(request) => format!("it is not given, and request `{request}` has none"),
                };
                let message = format!("FAQ entry `{}`, `{name}`: {why}", draft.id);
                Error::new(ErrorKind::InvalidArgument, message)
            })?;
            validate_said(name, &text).map(|()| text)
        });
        Ok((question?, answer?))
    }

    fn change_faq(
        &self,
        id: &str,
        at: Instant,
        by: &str,
        change: impl FnOnce(&FaqRecord) -> FaqRecord,
    ) -> Result<Outcome> {
        check_actor(by)?;
        self.write_faq(|snapshot| {
            let reader = snapshot.reader()?;
            let entry = StoredEntry::find(reader, id)?.ok_or_else(|| no_entry(id))?;
            let record = FaqRecord { at, by: by.to_owned(), ..change(&entry.last) };
            // From the newest on: what is repeated was mostly just done.
            for number in entry.records.iter().rev() {
                if faq::record(reader, *number)? == record {
                    return Ok(None);
                }
            }
            let conflict = |why: String| {
                Err(Error::new(ErrorKind::Conflict, format!("FAQ entry `{id}` at {at}: {why}")))
            };
            if entry.last.act == FaqAct::Withdrawn {
                return conflict(format!("it was withdrawn at {}", entry.last.at));
            }
            if at < entry.last.at {
                return conflict(format!("it was changed at {}, which is later", entry.last.at));
            }
            let same = record.question == entry.last.question && record.answer == entry.last.answer;
            if same && record.act == FaqAct::Amended {
                return Ok(None);
            }
            if entry.records.len() >= MAX_FAQ_RECORDS {
                let message = format!("FAQ entry `{id}`: {MAX_FAQ_RECORDS} changes, no more are kept");
                return Err(Error::new(ErrorKind::OutOfRange, message));
            }
            Ok(Some((Some(entry), record)))
        })
    }

    /// Records what `work` decides, in one transaction.
    fn write_faq(
        &self,
        work: impl FnOnce(&Snapshot<'_>) -> Result<Option<(Option<StoredEntry>, FaqRecord)>>,
    ) -> Result<Outcome> {
        let outcome = self.store.write(|snapshot| {
            let Some((before, record)) = work(snapshot)? else {
                return Ok((Outcome::AlreadyRecorded, None));
            };
            let mut head = *snapshot.head();
            head.faq_acts =
                head.faq_acts.checked_add(1).filter(|acts| *acts < u32::MAX).ok_or_else(|| {
                    Error::new(ErrorKind::OutOfRange, "the FAQ has 4,294,967,294 records, no more are kept")
                })?;
            head.latest_event_at = head.latest_event_at.max(record.at.raw());
            head.unfolded = head.unfolded.saturating_add(1);
            let (number, bytes) = (head.faq_acts, codec::encode(&record)?);
            let mut entry = LogEntry::new(head);
            entry.texts = texts::digest(texts::FAQ, number, &bytes);
            let after = StoredEntry::after(before, number, record);
            let values = vec![
                (Table::FaqActs, u64::from(number), bytes),
                (Table::Faq, faq::key_of(&after.last.id), codec::encode(&after)?),
            ];
            Ok((Outcome::Recorded, Some(Commit { entry, notices: vec![], values, dropped: vec![] })))
        })?;
        self.store.fold_if_due()?;
        Ok(outcome)
    }
}

/// An entry with its use.
pub(super) fn used(snapshot: &Snapshot<'_>, entry: StoredEntry) -> Result<FaqEntry> {
    let (mut uses, mut last_used_at) = (0, None);
    snapshot.visit_topic(topic(About::Faq, &entry.last.id), None, |place| {
        uses += 1;
        last_used_at = last_used_at.or_else(|| Instant::from_raw((place >> 32) as u32));
        Ok(true)
    })?;
    let StoredEntry { last, published_at, published_by, .. } = entry;
    Ok(FaqEntry {
        id: last.id,
        question: last.question,
        answer: last.answer,
        request: last.request,
        published_at,
        published_by,
        changed_at: last.at,
        changed_by: last.by,
        withdrawn: last.act == FaqAct::Withdrawn,
        uses,
        last_used_at,
    })
}

/// Whether an event may link a request to an entry, or unlink it, given the request's events up to its instant.
pub(super) fn permit<'e>(
    snapshot: &Snapshot<'_>,
    request: &str,
    event: &Event,
    then: impl Iterator<Item = &'e Event>,
) -> Result<()> {
    match &event.kind {
        EventKind::FaqLinked { faq } => {
            let entry = StoredEntry::find(snapshot.reader()?, faq)?.ok_or_else(|| no_entry(faq))?;
            if entry.last.act == FaqAct::Withdrawn {
                let message = format!(
                    "event `faq_linked` on request `{request}`: FAQ entry `{faq}` was withdrawn at {}",
                    entry.last.at
                );
                return Err(Error::new(ErrorKind::InvalidEvent, message));
            }
        }
        EventKind::FaqUnlinked { faq } if !crate::model::links(then).contains_key(faq.as_str()) => {
            let message = format!(
                "event `faq_unlinked` at {} on request `{request}`: it is not linked to FAQ entry `{faq}` then",
                event.at
            );
            return Err(Error::new(ErrorKind::InvalidEvent, message));
        }
        _ => {}
    }
    Ok(())
}

pub(super) fn no_entry(id: &str) -> Error {
    let shown: String = id.chars().take(80).collect();
    Error::new(ErrorKind::NotFound, format!("FAQ entry `{shown}`: there is no such entry"))
}
