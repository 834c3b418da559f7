//! The FAQ of the histories as plain maps: what is published, amended and withdrawn, which requests it is linked to, and the
//! history of each customer.

use std::sync::Arc;

use slaclock::{
    Answer, Db, ErrorKind, Event, EventKind, EventTag, FaqAct, FaqDraft, FaqEntry, FaqRecord, History,
    Instant, Outcome, Page, Result,
};

use super::model::{Kept, Lives, Model, differs, text};

/// What is done about an entry.
#[derive(Clone, Debug)]
pub(crate) enum FaqCall {
    Publish(FaqDraft, Instant, &'static str),
    Amend { id: String, question: Option<String>, answer: Option<String>, at: Instant, by: &'static str },
    Withdraw { id: String, at: Instant, by: &'static str },
}

/// The ids of the histories' entries.
pub(crate) const ENTRIES: [&str; 3] = ["vpn", "lamp", "keys"];
/// Their customers.
pub(crate) const CUSTOMERS: [&str; 2] = ["acme", "borealis"];

/// Does such a call.
pub(crate) fn perform(db: &Db, call: &FaqCall) -> Result<Outcome> {
    match call {
        FaqCall::Publish(draft, at, by) => db.publish(draft, *at, by),
        FaqCall::Amend { id, question, answer, at, by } => {
            db.amend_faq(id, question.as_deref(), answer.as_deref(), *at, by)
        }
        FaqCall::Withdraw { id, at, by } => db.withdraw_faq(id, *at, by),
    }
}

/// When a request was linked to an entry, if it is: by instant, then by arrival.
fn linked_at(events: &[Event], id: &str) -> Option<Instant> {
    let mut events: Vec<&Event> = events.iter().collect();
    events.sort_by_key(|event| event.at);
    let mut linked = None;
    for event in events {
        match &event.kind {
            EventKind::FaqLinked { faq } if faq == id => linked = linked.or(Some(event.at)),
            EventKind::FaqUnlinked { faq } if faq == id => linked = None,
            _ => {}
        }
    }
    linked
}

fn is_said(text: &str) -> Result<(), ErrorKind> {
    if text.trim().is_empty() { Err(ErrorKind::InvalidArgument) } else { Ok(()) }
}

/// What was said about a request, by instant.
fn answers(kept: &Kept) -> Vec<Answer> {
    let mut events = kept.events.clone();
    events.sort_by_key(|event| event.at);
    let said = events.into_iter().filter_map(|event| {
        let tag = event.kind.tag();
        let told = [
            EventTag::Acknowledged,
            EventTag::Replied,
            EventTag::Updated,
            EventTag::Promised,
            EventTag::Resolved,
        ];
        let text = event.text.filter(|text| !text.trim().is_empty())?;
        let (word, to_customer) = (tag.word().to_owned(), told.contains(&tag));
        Some(Answer { at: event.at, event: word, by: event.by, text, to_customer })
    });
    said.collect()
}

impl Model {
    /// Does such a call.
    pub(super) fn about_faq(&mut self, call: &FaqCall) -> Result<Outcome, ErrorKind> {
        match call {
            FaqCall::Publish(draft, at, by) => self.publish(draft, *at, by),
            FaqCall::Amend { id, question, answer, at, by } => {
                [question, answer].into_iter().flatten().try_for_each(|text| is_said(text))?;
                let last = self.last(id)?;
                let record = FaqRecord {
                    act: FaqAct::Amended,
                    at: *at,
                    by: (*by).to_owned(),
                    question: question.clone().unwrap_or_else(|| last.question.clone()),
                    answer: answer.clone().unwrap_or_else(|| last.answer.clone()),
                    ..last.clone()
                };
                self.change(record)
            }
            FaqCall::Withdraw { id, at, by } => {
                let last = self.last(id)?.clone();
                self.change(FaqRecord { act: FaqAct::Withdrawn, at: *at, by: (*by).to_owned(), ..last })
            }
        }
    }

    fn last(&self, id: &str) -> Result<&FaqRecord, ErrorKind> {
        self.faq.get(id).and_then(|records| records.last()).ok_or(ErrorKind::NotFound)
    }

    fn publish(&mut self, draft: &FaqDraft, at: Instant, by: &str) -> Result<Outcome, ErrorKind> {
        let (mut question, mut answer) = (draft.question.clone(), draft.answer.clone());
        if let Some(id) = &draft.request {
            let kept = self.requests.get(id).ok_or(ErrorKind::NotFound)?;
            question = question.or_else(|| kept.request.subject.clone());
            let told = answers(kept).into_iter().rfind(|said| said.to_customer);
            answer = answer.or(told.map(|said| said.text));
        }
        let (question, answer) = question.zip(answer).ok_or(ErrorKind::InvalidArgument)?;
        is_said(&question).and_then(|()| is_said(&answer))?;
        let (id, request) = (draft.id.clone(), draft.request.clone());
        let record =
            FaqRecord { id, act: FaqAct::Published, at, by: by.to_owned(), question, answer, request };
        match self.faq.get(&draft.id) {
            Some(records) if records[0] == record => Ok(Outcome::AlreadyRecorded),
            Some(_) => Err(ErrorKind::Conflict),
            None => {
                self.faq.insert(draft.id.clone(), vec![record]);
                Ok(Outcome::Recorded)
            }
        }
    }

    fn change(&mut self, record: FaqRecord) -> Result<Outcome, ErrorKind> {
        let records = self.faq.get_mut(&record.id).ok_or(ErrorKind::NotFound)?;
        let last = &records[records.len() - 1];
        let same = record.question == last.question && record.answer == last.answer;
        if records.contains(&record) {
            return Ok(Outcome::AlreadyRecorded);
        }
        if last.act == FaqAct::Withdrawn || record.at < last.at {
            return Err(ErrorKind::Conflict);
        }
        if same && record.act == FaqAct::Amended {
            return Ok(Outcome::AlreadyRecorded);
        }
        records.push(record);
        Ok(Outcome::Recorded)
    }

    /// Whether an event may link a request to an entry, or unlink it.
    pub(super) fn permit_link(&self, kind: &EventKind, known: &[Event]) -> Result<(), ErrorKind> {
        match kind {
            EventKind::FaqLinked { faq } if self.last(faq)?.act == FaqAct::Withdrawn => {
                Err(ErrorKind::InvalidEvent)
            }
            EventKind::FaqUnlinked { faq } if linked_at(known, faq).is_none() => Err(ErrorKind::InvalidEvent),
            _ => Ok(()),
        }
    }

    /// The FAQ, what is linked to it, and the history of every customer.
    pub(super) fn compare_faq(&self, db: &Db, lives: &Lives<'_>) -> Result<(), String> {
        let mut expected = Vec::new();
        for (id, records) in &self.faq {
            differs("records", &text(db.faq_records(id))?, records)?;
            let uses: Vec<_> = self.linked_to(id).into_iter().map(|(at, _)| at).collect();
            let (first, last) = (&records[0], &records[records.len() - 1]);
            expected.push(FaqEntry {
                id: id.clone(),
                question: last.question.clone(),
                answer: last.answer.clone(),
                request: last.request.clone(),
                published_at: first.at,
                published_by: first.by.clone(),
                changed_at: last.at,
                changed_by: last.by.clone(),
                withdrawn: last.act == FaqAct::Withdrawn,
                uses: uses.len() as u64,
                last_used_at: uses.last().copied(),
            });
            let pages = |page: Page| db.faq_requests(id, page);
            self.compare_pages(id, self.linked_to(id), pages)?;
        }
        differs("FAQ", &text(db.faq(true))?, &expected)?;
        for customer in CUSTOMERS {
            let is_of =
                |kept: &&Arc<Kept>| lives[kept.request.id.as_str()].facts.get("customer") == Some(customer);
            let of = self.requests.values().filter(is_of);
            let mut requests: Vec<_> =
                of.map(|kept| (kept.request.received_at, kept.request.id.as_str())).collect();
            requests.sort_unstable();
            self.compare_pages(customer, requests, |page| db.history(customer, page))?;
        }
        Ok(())
    }

    /// The requests linked to an entry, by the instant of linking.
    fn linked_to(&self, id: &str) -> Vec<(Instant, &str)> {
        let linked = self
            .requests
            .iter()
            .filter_map(|(request, kept)| linked_at(&kept.events, id).map(|at| (at, request.as_str())));
        let mut linked: Vec<_> = linked.collect();
        linked.sort_unstable();
        linked
    }

    /// Page by page, newest first; of one instant in any order.
    fn compare_pages(
        &self,
        what: &str,
        expected: Vec<(Instant, &str)>,
        pages: impl Fn(Page) -> Result<History>,
    ) -> Result<(), String> {
        let (mut page, mut rows) = (Page::first(7), Vec::new());
        loop {
            let found = text(pages(page))?;
            rows.extend(found.rows);
            match found.next {
                Some(next) => page = Page::after(next, 7),
                None => break,
            }
        }
        let at = |id: &str| expected.iter().find(|(_, known)| *known == id).map(|(at, _)| *at);
        let mut found: Vec<_> = rows.iter().map(|row| (at(&row.request), row.request.as_str())).collect();
        if !found.is_sorted_by(|before, after| before.0 >= after.0) {
            return Err(format!("{what}: {found:?} is not from the newest on"));
        }
        found.sort_unstable();
        let wanted: Vec<_> = expected.iter().map(|(at, id)| (Some(*at), *id)).collect();
        differs(what, &found, &wanted)?;
        for row in &rows {
            let kept = &self.requests[&row.request];
            let linked = self.faq.keys().filter(|id| linked_at(&kept.events, id).is_some());
            differs("links", &row.faq, &linked.cloned().collect())?;
            differs("answers", &row.answers, &answers(kept))?;
        }
        Ok(())
    }
}
