//! The layout `cases`: one row per request, with a column for each thing that happened to it.

use super::happening::Placed;
use super::mapping::{DatedEvent, Mapping};
use super::report::{ImportReport, OddityCode};
use super::source::{Row, Rows};
use super::stamp::quoted;
use super::{Entry, checked, facts_of, request_of};
use crate::error::Result;
use crate::model::Event;
use crate::time::Instant;

/// The mapping's columns found in the file.
pub(super) struct Cases<'m> {
    mapping: &'m Mapping,
    pub(super) id: usize,
    received: usize,
    subject: Option<usize>,
    facts: Vec<(&'m str, usize)>,
    events: Vec<Dated<'m>>,
}

/// An event's column in the file.
struct Dated<'m> {
    event: &'m DatedEvent,
    column: usize,
    what: Placed<'m>,
    /// Where and with which values the date should be there.
    expected: Option<(usize, &'m [String])>,
}

impl<'m> Cases<'m> {
    pub(super) fn new(mapping: &'m Mapping, rows: &Rows) -> Result<Cases<'m>> {
        let mut events = Vec::with_capacity(mapping.dated.len());
        for event in &mapping.dated {
            let expected = match &event.expected {
                Some((column, values)) => Some((rows.column(column)?, values.as_slice())),
                None => None,
            };
            let what = Placed::new(&event.what, rows)?;
            events.push(Dated { event, column: rows.column(&event.column)?, what, expected });
        }
        Ok(Cases {
            mapping,
            id: rows.column(&mapping.request.id)?,
            received: rows.column(&mapping.request.received)?,
            subject: rows.optional(&mapping.request.subject)?,
            facts: facts_of(mapping, rows)?,
            events,
        })
    }

    /// Makes the request of its row. `None` if the row does not say when it was received.
    ///
    /// # Errors
    /// `InvalidRow` or `OutOfRange` for a date that cannot be read; nothing is reported then.
    pub(super) fn entry(&self, id: &str, row: &Row, report: &mut ImportReport) -> Result<Option<Entry>> {
        let stamp = &self.mapping.stamp;
        let written = row.get(self.received);
        if stamp.is_missing(written) {
            report.odd(
                row.line,
                id,
                OddityCode::NoReceived,
                "the row does not say when the request was received",
            );
            report.rows_skipped += 1;
            return Ok(None);
        }
        let received = stamp.read(written)?;
        let mut found: Vec<(Instant, Event, &str)> = Vec::with_capacity(self.events.len());
        let mut odd = Vec::new();
        for dated in &self.events {
            let Dated { event, column, expected, .. } = dated;
            let text = row.get(*column);
            let name = &event.column.name;
            if stamp.is_missing(text) {
                if let Some((other, values)) = expected
                    && values.iter().any(|value| value == row.get(*other))
                {
                    let text = format!("column `{name}` is missing on a row marked {}", row.get(*other));
                    odd.push((OddityCode::MissingDate, text));
                }
                continue;
            }
            let at = stamp.read(text)?.at;
            if at < received.at {
                let (text, written) = (quoted(text), quoted(written));
                let text = format!(
                    "column `{name}` is stamped {text}, before the receipt at {written}; counts as at the receipt"
                );
                odd.push((OddityCode::BeforeReceived, text));
            }
            let event = dated.what.event(row, stamp, at.max(received.at), "")?;
            match event.and_then(checked) {
                Ok(event) => found.push((at.max(received.at), event, name)),
                Err(why) => odd.push((OddityCode::MissingDate, why)),
            }
        }
        if received.date_only {
            let text = "received at midnight exactly: only the date is known".to_owned();
            odd.push((OddityCode::DateOnly, text));
        }
        for (code, text) in odd {
            report.odd(row.line, id, code, text);
        }
        found.sort_by_key(|(at, _, _)| *at);
        let request = request_of(id, received.at, row, stamp, self.subject, &self.facts);
        let mut entry = Entry { row: row.line, rows: 1, request, events: Vec::new(), event_rows: Vec::new() };
        for (at, event, name) in found {
            entry.add(vec![event], at, name, row.line);
        }
        report.rows_used += 1;
        Ok(Some(entry))
    }
}
