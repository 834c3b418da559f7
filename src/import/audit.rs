//! The layout `audit-log`: one row per update, from which the events are derived.

use std::collections::{BTreeMap, HashMap};

use super::mapping::{Mapping, Meaning, State, Update};
use super::report::{ImportReport, OddityCode};
use super::source::{Row, Rows};
use super::stamp::quoted;
use super::{Entry, facts_of, request_of};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{EventKind, EventTag};
use crate::time::Instant;

/// The mapping's columns found in the file.
pub(super) struct Audit<'m> {
    mapping: &'m Mapping,
    update: &'m Update,
    states: HashMap<&'m str, usize>,
    pub(super) id: usize,
    received: usize,
    subject: Option<usize>,
    facts: Vec<(&'m str, usize)>,
    at: usize,
    by: Option<usize>,
    key: usize,
    state: usize,
    order: Vec<usize>,
    assigned: Vec<usize>,
    reopen_count: Option<usize>,
    vendor: Option<usize>,
    resolved_at: Option<usize>,
}

/// A row with its dates read.
pub(super) struct Audited {
    pub(super) row: Row,
    received: Option<Instant>,
    date_only: bool,
    at: Option<Instant>,
    resolved_at: Option<Instant>,
    reopen_count: i64,
}

/// By what the rows of a request are ordered: numbers by value before texts.
type OrderKey = Vec<(Option<i64>, String)>;

impl<'m> Audit<'m> {
    pub(super) fn new(mapping: &'m Mapping, update: &'m Update, rows: &Rows) -> Result<Audit<'m>> {
        let states = mapping.states.iter().enumerate();
        Ok(Audit {
            mapping,
            update,
            states: states
                .flat_map(|(at, state)| state.values.iter().map(move |v| (v.as_str(), at)))
                .collect(),
            id: rows.column(&mapping.request.id)?,
            received: rows.column(&mapping.request.received)?,
            subject: rows.optional(&mapping.request.subject)?,
            facts: facts_of(mapping, rows)?,
            at: rows.column(&update.at)?,
            by: rows.optional(&update.by)?,
            key: rows.column(&update.key)?,
            state: rows.column(&update.state)?,
            order: update.order.iter().map(|column| rows.column(column)).collect::<Result<_>>()?,
            assigned: update.assigned.iter().map(|column| rows.column(column)).collect::<Result<_>>()?,
            reopen_count: rows.optional(&update.reopen_count)?,
            vendor: rows.optional(&update.vendor)?,
            resolved_at: rows.optional(&update.resolved_at)?,
        })
    }

    /// Whether the rows of a request stand together in the file.
    pub(super) fn grouped(&self) -> bool {
        self.update.grouped
    }

    /// Reads a row's dates and numbers.
    pub(super) fn read(&self, row: Row) -> Result<Audited> {
        let stamp = &self.mapping.stamp;
        let date = |column: usize| -> Result<Option<super::stamp::Stamped>> {
            let text = row.get(column);
            if stamp.is_missing(text) { Ok(None) } else { stamp.read(text).map(Some) }
        };
        let received = date(self.received)?;
        let at = date(self.at)?.map(|stamped| stamped.at);
        let resolved_at = match self.resolved_at {
            Some(column) => date(column)?.map(|stamped| stamped.at),
            None => None,
        };
        let reopen_count = match self.reopen_count.map(|column| row.get(column)) {
            Some(text) if !stamp.is_missing(text) => text.trim().parse().map_err(|_| {
                Error::new(ErrorKind::InvalidRow, format!("reopen count {} is no whole number", quoted(text)))
            })?,
            _ => 0,
        };
        Ok(Audited {
            received: received.map(|stamped| stamped.at),
            date_only: received.is_some_and(|stamped| stamped.date_only),
            at,
            resolved_at,
            reopen_count,
            row,
        })
    }

    /// Makes the request of all its rows, which come in the file's order. `None` if no row says when it was received.
    pub(super) fn entry(&self, id: &str, rows: Vec<Audited>, report: &mut ImportReport) -> Option<Entry> {
        let count = rows.len() as u64;
        let Some(received_at) = rows.iter().find_map(|row| row.received) else {
            for row in &rows {
                report.odd(
                    row.row.line,
                    id,
                    OddityCode::NoReceived,
                    "no row of the request says when it was received",
                );
            }
            report.rows_skipped += count;
            return None;
        };
        let rows = self.ordered(id, rows, received_at, report);
        report.rows_skipped += count - rows.len() as u64;
        report.rows_used += rows.len() as u64;
        let first = &rows.first()?.0;
        let mut request =
            request_of(id, received_at, &first.row, &self.mapping.stamp, self.subject, &self.facts);
        request.received_at = received_at;
        if first.date_only {
            report.odd(
                first.row.line,
                id,
                OddityCode::DateOnly,
                "received at midnight exactly: only the date is known",
            );
        }
        let mut entry = Entry {
            row: first.row.line,
            rows: rows.len() as u64,
            request,
            events: Vec::new(),
            event_rows: Vec::new(),
        };
        let mut life = Life::new(self, &first.row);
        for (at, (update, key)) in rows.iter().enumerate() {
            life.step(self, update, key, at == 0, &mut entry, report);
        }
        self.check_resolved(id, &rows, &entry, report);
        Some(entry)
    }

    /// Gives every row a time and a key of its own and puts the rows in order.
    fn ordered(
        &self,
        id: &str,
        rows: Vec<Audited>,
        received_at: Instant,
        report: &mut ImportReport,
    ) -> Vec<(Audited, String)> {
        let mut keyed: Vec<(OrderKey, Audited, String)> = Vec::with_capacity(rows.len());
        let mut keys: HashMap<String, u32> = HashMap::new();
        let dated = rows.iter().find(|row| row.received.is_some());
        let received = dated.map_or(String::new(), |row| row.row.get(self.received).to_owned());
        let mut before = received_at;
        for mut row in rows {
            let line = row.row.line;
            let key = row.row.get(self.key).to_owned();
            let times = keys.entry(key.clone()).or_default();
            *times += 1;
            if *times > 1 {
                if keyed.iter().any(|(_, other, _)| other.row.same_text(&row.row)) {
                    report.odd(
                        line,
                        id,
                        OddityCode::RepeatedRow,
                        "repeats another row of the request word for word",
                    );
                    *times -= 1;
                    continue;
                }
                let text = format!("row key {} came before on this request", quoted(&key));
                report.odd(line, id, OddityCode::RepeatedKey, text);
            }
            let key = if *times > 1 { format!("{key}~{times}") } else { key };
            if row.received.is_some_and(|other| other != received_at) {
                let here = quoted(row.row.get(self.received));
                let text = format!("received at {here} here, {} on the first row", quoted(&received));
                report.odd(line, id, OddityCode::ReceivedDiffers, text);
            }
            if row.at.is_none() {
                let text = format!(
                    "column `{}` is missing; the row counts as at the row before",
                    self.update.at.name
                );
                report.odd(line, id, OddityCode::MissingDate, text);
            }
            let at = row.at.unwrap_or(before);
            before = at;
            let order_key = self.order_key(&row.row, at);
            if keyed.last().is_some_and(|(last, _, _)| *last > order_key) {
                let text = "stands after a row of the request that it comes before";
                report.odd(line, id, OddityCode::OutOfOrder, text);
            }
            if at < received_at {
                let (stamped, received) = (quoted(row.row.get(self.at)), quoted(&received));
                let text =
                    format!("stamped {stamped}, before the receipt at {received}; counts as at the receipt");
                report.odd(line, id, OddityCode::BeforeReceived, text);
            }
            row.at = Some(at.max(received_at));
            keyed.push((order_key, row, key));
        }
        keyed.sort_by(|(a, _, _), (b, _, _)| a.cmp(b));
        keyed.into_iter().map(|(_, row, key)| (row, key)).collect()
    }

    fn order_key(&self, row: &Row, at: Instant) -> OrderKey {
        let part = |column: &usize| {
            if *column == self.at {
                return (Some(at.as_secs()), String::new());
            }
            let text = row.get(*column);
            match text.trim().parse::<i64>() {
                Ok(number) => (Some(number), String::new()),
                Err(_) => (None, text.to_owned()),
            }
        };
        self.order.iter().map(part).collect()
    }

    /// The file's own date of resolution is a check, never a source: it repeats the final value on every row.
    fn check_resolved(&self, id: &str, rows: &[(Audited, String)], entry: &Entry, report: &mut ImportReport) {
        let Some(column) = self.resolved_at else { return };
        for (update, _) in rows {
            let resolved =
                self.state_of(&update.row).is_some_and(|(_, state)| state.meaning == Meaning::Resolved);
            if resolved && self.mapping.stamp.is_missing(update.row.get(column)) {
                let text = "a resolved row without a date of resolution; the row's own time counts";
                report.odd(update.row.line, id, OddityCode::MissingDate, text);
            }
        }
        let last =
            entry.events.iter().zip(&entry.event_rows).rfind(|(event, _)| event.kind == EventKind::Resolved);
        let recorded = rows.last().and_then(|(update, _)| update.resolved_at);
        if let (Some((event, line)), Some(recorded)) = (last, recorded)
            && event.at != recorded
        {
            let written = |row: Option<&Audited>, column| quoted(row.map_or("", |row| row.row.get(column)));
            let text = format!(
                "resolved by this row at {}, the file's own date says {}",
                written(rows.iter().map(|(row, _)| row).find(|row| row.row.line == *line), self.at),
                written(rows.last().map(|(row, _)| row), column)
            );
            report.odd(*line, id, OddityCode::ResolvedDiffers, text);
        }
    }

    fn state_of(&self, row: &Row) -> Option<(usize, &'m State)> {
        let at = *self.states.get(row.get(self.state))?;
        Some((at, self.mapping.states.get(at)?))
    }

    fn present<'r>(&self, row: &'r Row, column: usize) -> Option<&'r str> {
        Some(row.get(column)).filter(|text| !self.mapping.stamp.is_missing(text))
    }
}

/// What the rows of a request have said so far.
struct Life {
    state: Option<usize>,
    acknowledged: bool,
    finished: bool,
    hold: Option<String>,
    facts: BTreeMap<String, String>,
    assigned: Vec<String>,
    reopen_count: i64,
}

impl Life {
    fn new(audit: &Audit<'_>, first: &Row) -> Life {
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
        }
    }

    /// Turns one row into events, in the order: what ends, what changes, what begins.
    fn step(
        &mut self,
        audit: &Audit<'_>,
        update: &Audited,
        key: &str,
        first: bool,
        entry: &mut Entry,
        report: &mut ImportReport,
    ) {
        let row = &update.row;
        let counted = update.reopen_count > self.reopen_count;
        self.reopen_count = self.reopen_count.max(update.reopen_count);
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
        let mut kinds = Vec::new();
        if let Some(entered) = entered {
            self.leave(audit, row, entered, &mut kinds);
        }
        if self.finished && (counted || (open && state.is_some())) {
            self.finished = false;
            kinds.push(EventKind::Reopened);
        }
        self.change(audit, row, &mut kinds);
        self.assign(audit, row, &mut kinds);
        if let Some((at, state)) = state {
            if audit.update.acknowledge && !self.acknowledged && state.meaning != Meaning::New {
                self.acknowledged = true;
                kinds.push(EventKind::Acknowledged);
            }
            self.enter(audit, row, state, entered.is_some(), &mut kinds);
            self.state = Some(at);
        }
        if kinds.is_empty() && !first {
            let stay = state.and_then(|(_, state)| state.stay).unwrap_or(audit.update.otherwise);
            kinds.push(plain(stay, audit.vendor_of(row)));
        }
        let at = update.at.unwrap_or(entry.request.received_at);
        entry.add(kinds, at, audit.by.and_then(|column| audit.present(row, column)), key, row.line);
    }

    fn leave(&mut self, audit: &Audit<'_>, row: &Row, entered: &State, kinds: &mut Vec<EventKind>) {
        let left = self.state.and_then(|at| audit.mapping.states.get(at));
        if let Some(event) = left.and_then(|state| state.leave) {
            kinds.push(plain(event, audit.vendor_of(row)));
        }
        if self.hold.is_some() && !matches!(entered.meaning, Meaning::Paused { .. }) {
            self.hold = None;
            kinds.push(EventKind::Resumed);
        }
    }

    fn change(&mut self, audit: &Audit<'_>, row: &Row, kinds: &mut Vec<EventKind>) {
        let mut changed = BTreeMap::new();
        for (fact, column) in &audit.facts {
            let value = audit.present(row, *column).unwrap_or("");
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
            kinds.push(EventKind::Changed { facts: changed });
        }
    }

    fn assign(&mut self, audit: &Audit<'_>, row: &Row, kinds: &mut Vec<EventKind>) {
        let mut to = None;
        for (known, column) in self.assigned.iter_mut().zip(&audit.assigned) {
            let Some(value) = audit.present(row, *column) else { continue };
            if known != value {
                value.clone_into(known);
                to = to.or(Some(value));
            }
        }
        if let Some(to) = to {
            kinds.push(EventKind::Assigned { to: to.to_owned() });
        }
    }

    fn enter(
        &mut self,
        audit: &Audit<'_>,
        row: &Row,
        state: &State,
        entered: bool,
        kinds: &mut Vec<EventKind>,
    ) {
        match &state.meaning {
            Meaning::Paused { reason } if self.hold.as_ref() != Some(reason) => {
                self.hold = Some(reason.clone());
                kinds.push(EventKind::Paused { reason: reason.clone() });
            }
            Meaning::Resolved if !self.finished => {
                self.finished = true;
                kinds.push(EventKind::Resolved);
            }
            Meaning::Cancelled if !self.finished => {
                self.finished = true;
                kinds.push(EventKind::Cancelled);
            }
            _ => {}
        }
        if let Some(event) = state.enter.filter(|_| entered) {
            kinds.push(plain(event, audit.vendor_of(row)));
        }
    }
}

impl Audit<'_> {
    fn vendor_of(&self, row: &Row) -> String {
        self.vendor.and_then(|column| self.present(row, column)).unwrap_or("").to_owned()
    }
}

/// An event that carries nothing but perhaps a vendor's name.
pub(super) fn plain(tag: EventTag, vendor: String) -> EventKind {
    match tag {
        EventTag::Acknowledged => EventKind::Acknowledged,
        EventTag::Replied => EventKind::Replied,
        EventTag::CustomerReplied => EventKind::CustomerReplied,
        EventTag::Updated => EventKind::Updated,
        EventTag::Resumed => EventKind::Resumed,
        EventTag::VendorContacted => EventKind::VendorContacted { vendor },
        EventTag::VendorReplied => EventKind::VendorReplied { vendor },
        EventTag::Resolved => EventKind::Resolved,
        EventTag::Reopened => EventKind::Reopened,
        EventTag::Cancelled => EventKind::Cancelled,
        // The mapping's check lets no other word through.
        _ => EventKind::Note,
    }
}
