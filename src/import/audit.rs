//! The layout `audit-log`: one row per update, from which the events are derived.

use std::collections::HashMap;

use super::happening::Placed;
use super::life::{Life, Step};
use super::mapping::{ColumnChange, Mapping, Meaning, State, Update};
use super::report::{ImportReport, OddityCode};
use super::source::{Row, Rows};
use super::stamp::quoted;
use super::{Entry, facts_of, request_of};
use crate::error::{Error, ErrorKind, Result};
use crate::model::EventKind;
use crate::time::Instant;

/// The mapping's columns found in the file.
pub(super) struct Audit<'m> {
    pub(super) mapping: &'m Mapping,
    pub(super) update: &'m Update,
    states: HashMap<&'m str, usize>,
    /// Of each state of the mapping, the column of its text.
    texts: Vec<Option<usize>>,
    pub(super) changes: Vec<Change<'m>>,
    pub(super) id: usize,
    received: usize,
    subject: Option<usize>,
    pub(super) facts: Vec<(&'m str, usize)>,
    at: usize,
    by: Option<usize>,
    key: usize,
    pub(super) state: usize,
    order: Vec<usize>,
    pub(super) assigned: Vec<usize>,
    pub(super) reopen_count: Option<usize>,
    vendor: Option<usize>,
    resolved_at: Option<usize>,
}

/// A column whose new value is an event.
pub(super) struct Change<'m> {
    pub(super) change: &'m ColumnChange,
    pub(super) column: usize,
    pub(super) what: Placed<'m>,
}

/// A row with its dates read.
pub(super) struct Audited {
    pub(super) row: Row,
    received: Option<Instant>,
    date_only: bool,
    at: Option<Instant>,
    resolved_at: Option<Instant>,
    pub(super) reopen_count: i64,
}

/// By what the rows of a request are ordered: numbers by value before texts.
type OrderKey = Vec<(Option<i64>, String)>;

impl<'m> Audit<'m> {
    pub(super) fn new(mapping: &'m Mapping, update: &'m Update, rows: &Rows) -> Result<Audit<'m>> {
        let states = mapping.states.iter().enumerate();
        let texts = mapping.states.iter().map(|state| rows.optional(&state.text)).collect::<Result<_>>()?;
        let mut changes = Vec::with_capacity(mapping.changes.len());
        for change in &mapping.changes {
            let what = Placed::new(&change.what, rows)?;
            changes.push(Change { change, column: rows.column(&change.column)?, what });
        }
        Ok(Audit {
            texts,
            changes,
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
        // A promised date that cannot be read makes the row as bad as any other date.
        for change in &self.changes {
            change.what.carries.due.map(date).transpose()?;
        }
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
        let vendors = self.vendors(&rows);
        let vendor = |at: Option<usize>| at.and_then(|at| vendors.get(at)).copied().unwrap_or("");
        for (at, (update, key)) in rows.iter().enumerate() {
            let step = Step {
                row: &update.row,
                at: update.at.unwrap_or(received_at),
                by: self.by.and_then(|column| self.present(&update.row, column)),
                key,
                first: at == 0,
                reopen_count: update.reopen_count,
                vendor: vendor(Some(at)),
                left_vendor: vendor(at.checked_sub(1)),
            };
            life.step(self, &step, &mut entry, report);
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

    /// Whom each row is about: the vendor it names or, if it names none, the one that another row of the same stay in its
    /// state names. Desks name the vendor a row late, and take the name out when they go on.
    fn vendors<'r>(&self, rows: &'r [(Audited, String)]) -> Vec<&'r str> {
        let Some(column) = self.vendor else { return Vec::new() };
        let named = rows.iter().map(|(update, _)| self.present(&update.row, column).unwrap_or(""));
        let mut vendors: Vec<&str> = named.collect();
        let stays: Vec<Option<usize>> =
            rows.iter().map(|(update, _)| self.state_of(&update.row).map(|(at, _)| at)).collect();
        let fill = |vendors: &mut Vec<&'r str>, to: usize, from: usize| {
            if stays.get(to) == stays.get(from)
                && let Some(known) = vendors.get(from).copied()
                && let Some(vendor) = vendors.get_mut(to).filter(|vendor| vendor.is_empty())
            {
                *vendor = known;
            }
        };
        for at in 1..rows.len() {
            fill(&mut vendors, at, at - 1);
        }
        for at in (1..rows.len()).rev() {
            fill(&mut vendors, at - 1, at);
        }
        vendors
    }

    pub(super) fn state_of(&self, row: &Row) -> Option<(usize, &'m State)> {
        let at = *self.states.get(row.get(self.state))?;
        Some((at, self.mapping.states.get(at)?))
    }

    pub(super) fn present<'r>(&self, row: &'r Row, column: usize) -> Option<&'r str> {
        Some(row.get(column)).filter(|text| !self.mapping.stamp.is_missing(text))
    }

    /// The text that the row gives for the event of its state.
    pub(super) fn text_of(&self, row: &Row, state: usize) -> Option<String> {
        let column = self.texts.get(state).copied().flatten()?;
        self.present(row, column).map(str::to_owned)
    }
}
