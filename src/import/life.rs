//! The life of a request in an audit log: what each row says, given what the rows before it said.

use std::collections::BTreeMap;

use super::audit::Audit;
use super::mapping::{Meaning, State};
use super::report::{ImportReport, OddityCode};
use super::source::Row;
use super::stamp::quoted;
use super::{Entry, checked};
use crate::model::{Event, EventKind, EventTag};
use crate::time::Instant;

/// A row in its turn.
pub(super) struct Step<'r> {
    pub(super) row: &'r Row,
    pub(super) at: Instant,
    pub(super) by: Option<&'r str>,
    pub(super) key: &'r str,
    pub(super) first: bool,
    pub(super) reopen_count: i64,
    /// Whom the row is about, and whom the one before it; empty if nobody is named.
    pub(super) vendor: &'r str,
    pub(super) left_vendor: &'r str,
}

/// What the rows of a request have said so far.
pub(super) struct Life {
    state: Option<usize>,
    acknowledged: bool,
    finished: bool,
    hold: Option<String>,
    facts: BTreeMap<String, String>,
    assigned: Vec<String>,
    reopen_count: i64,
    /// Of each `[[change]]`, the column's last value, and the FAQ entry that it linked.
    changes: Vec<(String, Option<String>)>,
}

impl Life {
    pub(super) fn new(audit: &Audit<'_>, first: &Row) -> Life {
        let facts = audit.facts.iter().filter_map(|(fact, column)| {
            audit.present(first, *column).map(|value| ((*fact).to_owned(), value.to_owned()))
        });
        Life {
            state: None,
            acknowledged: false,
            finished: false,
            hold: None,
            facts: facts.collect(),
            assigned: vec![String::new(); audit.assigned.len()],
            reopen_count: 0,
            changes: vec![Default::default(); audit.changes.len()],
        }
    }

    /// Turns one row into events, in the order: what ends, what changes, what begins.
    pub(super) fn step(
        &mut self,
        audit: &Audit<'_>,
        step: &Step<'_>,
        entry: &mut Entry,
        report: &mut ImportReport,
    ) {
        let row = step.row;
        let counted = step.reopen_count > self.reopen_count;
        self.reopen_count = self.reopen_count.max(step.reopen_count);
        let mut state = audit.state_of(row);
        if state.is_none() {
            let text = format!(
                "state {} is not in the mapping; the state before goes on",
                quoted(row.get(audit.state))
            );
            report.odd(row.line, &entry.request.id, OddityCode::UnknownState, text);
        }
        let open =
            state.is_some_and(|(_, state)| !matches!(state.meaning, Meaning::Resolved | Meaning::Cancelled));
        if self.finished && open && !counted && audit.reopen_count.is_some() {
            let text =
                "open again after it was resolved, but the count of reopenings did not rise; stays resolved";
            report.odd(row.line, &entry.request.id, OddityCode::NotReopened, text);
            state = None;
        }
        let entered = state.filter(|(at, _)| self.state != Some(*at)).map(|(_, state)| state);
        let mut told = Told { step, events: Vec::new() };
        if let Some(entered) = entered {
            self.leave(audit, entered, &mut told);
        }
        if self.finished && (counted || (open && state.is_some())) {
            self.finished = false;
            told.add(EventKind::Reopened);
        }
        self.change(audit, &mut told);
        self.assign(audit, &mut told);
        self.columns(audit, &entry.request.id, &mut told, report);
        if let Some((at, state)) = state {
            if audit.update.acknowledge && !self.acknowledged && state.meaning != Meaning::New {
                self.acknowledged = true;
                told.add(EventKind::Acknowledged);
            }
            self.enter(state, audit.text_of(row, at), entered.is_some(), &mut told);
            self.state = Some(at);
        }
        if told.events.is_empty() && !step.first {
            let stay = state.and_then(|(_, state)| state.stay).unwrap_or(audit.update.otherwise);
            told.add(plain(stay, step.vendor));
        }
        entry.add(told.events, step.at, step.key, row.line);
    }

    fn leave(&mut self, audit: &Audit<'_>, entered: &State, told: &mut Told<'_>) {
        let left = self.state.and_then(|at| audit.mapping.states.get(at));
        if let Some(event) = left.and_then(|state| state.leave) {
            told.add(plain(event, told.step.left_vendor));
        }
        let goes_on = matches!(entered.meaning, Meaning::New | Meaning::Open);
        if let Some(event) = left.and_then(|state| state.resume).filter(|_| goes_on) {
            told.add(plain(event, told.step.left_vendor));
        }
        if self.hold.is_some() && !matches!(entered.meaning, Meaning::Paused { .. }) {
            self.hold = None;
            told.add(EventKind::Resumed);
        }
    }

    fn change(&mut self, audit: &Audit<'_>, told: &mut Told<'_>) {
        let mut changed = BTreeMap::new();
        for (fact, column) in &audit.facts {
            let value = audit.present(told.step.row, *column).unwrap_or("");
            let known = self.facts.get(*fact).map_or("", String::as_str);
            if value == known {
                continue;
            }
            self.facts.insert((*fact).to_owned(), value.to_owned());
            if audit.update.changed.iter().any(|name| name == fact) {
                changed.insert((*fact).to_owned(), value.to_owned());
            }
        }
        if !changed.is_empty() {
            told.add(EventKind::Changed { facts: changed });
        }
    }

    fn assign(&mut self, audit: &Audit<'_>, told: &mut Told<'_>) {
        let mut to = None;
        for (known, column) in self.assigned.iter_mut().zip(&audit.assigned) {
            let Some(value) = audit.present(told.step.row, *column) else { continue };
            if known != value {
                value.clone_into(known);
                to = to.or(Some(value));
            }
        }
        if let Some(to) = to {
            told.add(EventKind::Assigned { to: to.to_owned() });
        }
    }

    /// The columns whose new values are events.
    fn columns(&mut self, audit: &Audit<'_>, id: &str, told: &mut Told<'_>, report: &mut ImportReport) {
        let step = told.step;
        for ((known, linked), changing) in self.changes.iter_mut().zip(&audit.changes) {
            let value = audit.present(step.row, changing.column).unwrap_or("");
            if known == value {
                continue;
            }
            value.clone_into(known);
            if let Some(faq) = linked.take() {
                told.add(EventKind::FaqUnlinked { faq });
            }
            let values = &changing.change.values;
            if value.is_empty() || (!values.is_empty() && !values.iter().any(|listed| listed == value)) {
                continue;
            }
            let event = changing.what.event(step.row, &audit.mapping.stamp, step.at, step.vendor);
            let event = event.unwrap_or_else(|error| Err(error.message().to_owned()));
            let by = |event: Event| Event { by: event.by.or_else(|| step.by.map(str::to_owned)), ..event };
            match event.map(by).and_then(checked) {
                Ok(event) => {
                    if let EventKind::FaqLinked { faq } = &event.kind {
                        *linked = Some(faq.clone());
                    }
                    told.events.push(event);
                }
                Err(why) => {
                    let text =
                        format!("column `{}`: {why}; the event is left out", changing.change.column.name);
                    report.odd(step.row.line, id, OddityCode::MissingDate, text);
                }
            }
        }
    }

    fn enter(&mut self, state: &State, text: Option<String>, entered: bool, told: &mut Told<'_>) {
        let kind = match &state.meaning {
            Meaning::Paused { reason } if self.hold.as_ref() != Some(reason) => {
                self.hold = Some(reason.clone());
                Some(EventKind::Paused { reason: reason.clone() })
            }
            Meaning::Resolved if !self.finished => {
                self.finished = true;
                Some(EventKind::Resolved)
            }
            Meaning::Cancelled if !self.finished => {
                self.finished = true;
                Some(EventKind::Cancelled)
            }
            _ => None,
        };
        if let Some(kind) = kind {
            told.add(kind);
            if let Some(event) = told.events.last_mut() {
                event.text = text;
            }
        }
        if let Some(event) = state.enter.filter(|_| entered) {
            let kind = plain(event, told.step.vendor);
            // A column whose new value says the same has said it.
            if !told.events.iter().any(|event| event.kind == kind) {
                told.add(kind);
            }
        }
    }
}

/// The events of a row so far.
struct Told<'r> {
    step: &'r Step<'r>,
    events: Vec<Event>,
}

impl Told<'_> {
    fn add(&mut self, kind: EventKind) {
        let mut event = Event::new(kind, self.step.at);
        event.by = self.step.by.map(str::to_owned);
        self.events.push(event);
    }
}

/// An event that carries nothing but perhaps a vendor's name.
fn plain(tag: EventTag, vendor: &str) -> EventKind {
    match tag {
        EventTag::Acknowledged => EventKind::Acknowledged,
        EventTag::Replied => EventKind::Replied,
        EventTag::CustomerReplied => EventKind::CustomerReplied,
        EventTag::Updated => EventKind::Updated,
        EventTag::VendorContacted => EventKind::VendorContacted { vendor: vendor.to_owned() },
        EventTag::VendorReplied => EventKind::VendorReplied { vendor: vendor.to_owned() },
        // The mapping's check lets no other word through.
        _ => EventKind::Note,
    }
}
