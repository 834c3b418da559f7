//! History: what a customer asked before and what was said, newest first, from an index by customer.

use serde::Serialize;

use super::faq::no_entry;
use super::request::Life;
use super::{ClockStatus, Db, Page, PageKey};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Answer, Event, EventKind, Facts, answers, links};
use crate::store::faq::StoredEntry;
use crate::store::snapshot::Snapshot;
use crate::store::topics::{About, TopicRow, place, topic};
use crate::time::Instant;

/// Most rows of a page of history: each has all that was said.
pub const MAX_HISTORY: usize = 1_000;

/// A request in a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryRow {
    /// External id of the request.
    pub request: String,
    /// One line for people.
    pub subject: Option<String>,
    /// When it was received.
    pub received_at: Instant,
    /// Customer, priority, category, channel and attributes after all changes.
    pub facts: Facts,
    /// `open`, `resolved`, `cancelled` or `refused`.
    pub state: &'static str,
    /// When it came to that; `None` while open.
    pub handled_at: Option<Instant>,
    /// Its clocks with their verdicts, as of its latest event, in the order of the policy.
    pub clocks: Vec<ClockStatus>,
    /// What was said, by instant.
    pub answers: Vec<Answer>,
    /// The FAQ entries it is linked to, by id.
    pub faq: Vec<String>,
}

/// A page of a history, newest first, those of the same instant by falling order of submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct History {
    /// The requests.
    pub rows: Vec<HistoryRow>,
    /// Where the next page begins; `None` if this was the last.
    pub next: Option<PageKey>,
}

impl Db {
    /// All requests of a customer with what was said, newest receipt first. The customer is the one after all changes.
    ///
    /// The cost is the page's, whatever the customer asked before: an index by customer leads to it. A page has 1 to
    /// [`MAX_HISTORY`] rows. Reads one snapshot; a key stays valid whatever is written meanwhile. Unknown customers have
    /// no requests.
    ///
    /// # Errors
    /// `OutOfRange` for a page of another length; `InvalidArgument` for an empty customer; the errors of the file.
    pub fn history(&self, customer: &str, page: Page) -> Result<History> {
        if customer.is_empty() {
            let what = "customer: is empty; requests without a customer have no history";
            return Err(Error::new(ErrorKind::InvalidArgument, what));
        }
        self.store.read(|snapshot| {
            // Another customer may have the same hash.
            let is_of = |row: &HistoryRow| row.facts.get("customer") == Some(customer);
            self.topic_page(snapshot, topic(About::Customer, customer), page, is_of)
        })
    }

    /// The requests linked to an FAQ entry, latest link first; see [`history`](Self::history).
    ///
    /// # Errors
    /// `NotFound` if there is no such entry; `OutOfRange` for a page of another length; the errors of the file.
    pub fn faq_requests(&self, id: &str, page: Page) -> Result<History> {
        self.store.read(|snapshot| {
            StoredEntry::find(snapshot.reader()?, id)?.ok_or_else(|| no_entry(id))?;
            let is_linked = |row: &HistoryRow| row.faq.iter().any(|faq| faq == id);
            self.topic_page(snapshot, topic(About::Faq, id), page, is_linked)
        })
    }

    fn topic_page(
        &self,
        snapshot: &Snapshot<'_>,
        topic: u64,
        page: Page,
        belongs: impl Fn(&HistoryRow) -> bool,
    ) -> Result<History> {
        let (limit, below) = page.falling(MAX_HISTORY)?;
        let mut rows = Vec::new();
        let (mut last, mut more) = (None, false);
        snapshot.visit_topic(topic, below, |place| {
            if rows.len() == limit {
                more = true;
                return Ok(false);
            }
            let row = self.history_row(snapshot, place as u32)?;
            if belongs(&row) {
                rows.push(row);
                last = Some(PageKey::from_bits(place));
            }
            Ok(true)
        })?;
        Ok(History { rows, next: last.filter(|_| more) })
    }

    fn history_row(&self, snapshot: &Snapshot<'_>, slot: u32) -> Result<HistoryRow> {
        let life = self.facts_of(snapshot, slot)?;
        let timeline = life.timeline();
        let Life { request, events, policy, .. } = life;
        let clocks = (0..policy.clocks().len())
            .map(|clock| ClockStatus::of(&policy, clock, timeline.current(clock), timeline.last_event_at));
        Ok(HistoryRow {
            subject: request.subject,
            received_at: request.received_at,
            state: timeline.state.word(),
            handled_at: timeline.state.since(),
            clocks: clocks.collect(),
            answers: answers(&events),
            faq: links(events.iter()).into_keys().map(str::to_owned).collect(),
            request: request.id,
            facts: timeline.facts,
        })
    }
}

/// The topics that a request belongs to: its customer's, and those of the FAQ entries it is linked to.
pub(super) fn topics_of<'e>(
    slot: u32,
    received_at: Instant,
    facts: &Facts,
    events: impl Iterator<Item = &'e Event>,
) -> Vec<TopicRow> {
    let row = |topic, at: Instant| TopicRow { topic, place: place(at.raw(), slot), came: true };
    let customer = facts.get("customer").map(|customer| row(topic(About::Customer, customer), received_at));
    let faq = links(events).into_iter().map(|(id, at)| row(topic(About::Faq, id), at));
    customer.into_iter().chain(faq).collect()
}

/// Whether an event can change what topics its request belongs to.
pub(super) fn may_move_topics(event: &Event) -> bool {
    matches!(
        event.kind,
        EventKind::Changed { .. } | EventKind::FaqLinked { .. } | EventKind::FaqUnlinked { .. }
    )
}

/// What a request's topics became: those that it left, and those that it came to.
pub(super) fn topic_moves(before: &[TopicRow], after: &[TopicRow]) -> Vec<TopicRow> {
    let left = before.iter().filter(|row| !after.contains(row)).map(|row| TopicRow { came: false, ..*row });
    left.chain(after.iter().filter(|row| !before.contains(row)).copied()).collect()
}
