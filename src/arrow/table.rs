//! Tables of requests and events, read as operations.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;

use super::Instants;
use super::cells::{find, texts};
use crate::db::Operation;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, EventFields, EventKind, EventTag, Request};
use crate::target::NO_DEADLINE;
use crate::time::Instant;
use crate::zone::Zone;

/// Reads a table of requests, one a row, as submits in the same order.
///
/// Columns `id` and `received_at` must be there; `customer`, `priority`, `category`, `channel` and `subject` may be;
/// every other column is an attribute of that name. Nulls and empty texts are no values. `zone` is for timestamps
/// without a zone of their own.
///
/// # Errors
/// `InvalidArgument` for a missing or repeated column, one of another type, or a row without id or instant;
/// `OutOfRange` for an instant before 1970 or from 2100 on. The message names column and row, counted from 0.
pub fn requests(table: &RecordBatch, zone: Option<&Zone>) -> Result<Vec<Operation>> {
    let mut table = Table::new(table, zone);
    let (ids, received) = (table.needed_texts("id")?, table.needed_instants("received_at")?);
    let mut fields: Vec<Vec<Option<String>>> = Vec::new();
    for name in ["customer", "priority", "category", "channel", "subject"] {
        fields.push(table.texts(name)?.unwrap_or_default());
    }
    let mut attributes = table.rest()?;
    let mut operations = Vec::with_capacity(ids.len());
    for (row, (id, received_at)) in ids.into_iter().zip(received).enumerate() {
        let mut request = Request::new(id, received_at);
        let mut field = |at: usize| {
            let value = fields.get_mut(at).and_then(|column| column.get_mut(row)).and_then(Option::take);
            value.filter(|value| !value.is_empty())
        };
        (request.customer, request.priority, request.category) = (field(0), field(1), field(2));
        (request.channel, request.subject) = (field(3), field(4));
        request.attributes = facts_of(&mut attributes, row);
        operations.push(Operation::Submit(request));
    }
    Ok(operations)
}

/// Reads a table of events, one a row, as operations in the same order.
///
/// Columns `request` (its external id), `event` (the word, such as `paused`) and `at` must be there; `by`, `key` and
/// `text` may be, and what the kinds carry: `to`, `reason`, `vendor`, `due`, `approved_by`, `clock` and `cycle` (a whole
/// number from 1), `faq`. Every other column is a fact that a `changed` event sets. Nulls and empty texts are no values. `zone` is for timestamps without a zone of their own.
///
/// # Errors
/// As for [`requests`]; `InvalidEvent` for a word that is no event, or fields that are not those of the event's kind.
pub fn events(table: &RecordBatch, zone: Option<&Zone>) -> Result<Vec<Operation>> {
    let mut table = Table::new(table, zone);
    let (ids, words) = (table.needed_texts("request")?, table.needed_texts("event")?);
    let at = table.needed_instants("at")?;
    let mut carried: Vec<Vec<Option<String>>> = Vec::new();
    for name in ["by", "key", "text", "to", "reason", "vendor", "approved_by", "clock", "cycle", "faq"] {
        carried.push(table.texts(name)?.unwrap_or_default());
    }
    let due = table.instants("due")?.unwrap_or_default();
    let mut facts = table.rest()?;
    let mut operations = Vec::with_capacity(ids.len());
    for (row, ((id, word), at)) in ids.into_iter().zip(words).zip(at).enumerate() {
        let mut take = |place: usize| {
            let value = carried.get_mut(place).and_then(|column| column.get_mut(row)).and_then(Option::take);
            value.filter(|value| !value.is_empty())
        };
        let (by, key, text) = (take(0), take(1), take(2));
        let (to, reason, vendor) = (take(3), take(4), take(5));
        let (approved_by, clock) = (take(6), take(7));
        let cycle = take(8).map(|text| cycle_of(&text, row)).transpose()?;
        let faq = take(9);
        let due = due.get(row).copied().flatten();
        let facts = facts_of(&mut facts, row);
        let fields = EventFields { to, reason, vendor, due, facts, approved_by, clock, cycle, faq };
        let kind = EventTag::parse(&word).and_then(|tag| EventKind::from_fields(tag, fields));
        let kind = kind.map_err(|error| error.context(format_args!("row {row}")))?;
        operations.push(Operation::Record { id, event: Event { kind, at, by, key, text } });
    }
    Ok(operations)
}

/// A table and which of its columns were read.
struct Table<'t> {
    batch: &'t RecordBatch,
    zone: Option<&'t Zone>,
    read: Vec<&'static str>,
}

/// A column that is not one of the known ones.
type Fact = (String, Vec<Option<String>>);

impl<'t> Table<'t> {
    fn new(batch: &'t RecordBatch, zone: Option<&'t Zone>) -> Self {
        Table { batch, zone, read: Vec::new() }
    }

    fn texts(&mut self, name: &'static str) -> Result<Option<Vec<Option<String>>>> {
        self.read.push(name);
        find(self.batch, name)?.map(|column| texts(name, column)).transpose()
    }

    fn needed_texts(&mut self, name: &'static str) -> Result<Vec<String>> {
        let column = self.texts(name)?.ok_or_else(|| self.missing(name))?;
        let value = |(row, value): (usize, Option<String>)| value.ok_or_else(|| null(name, row));
        column.into_iter().enumerate().map(value).collect()
    }

    fn instants(&mut self, name: &'static str) -> Result<Option<Vec<Option<Instant>>>> {
        self.read.push(name);
        let Some(column) = find(self.batch, name)? else { return Ok(None) };
        let about = |error: Error| error.context(format_args!("column `{name}`"));
        let column = Instants::read(column, self.zone).map_err(about)?;
        let instant = |(row, second): (usize, &i64)| match *second {
            NO_DEADLINE => Ok(None),
            second => Instant::from_secs(second)
                .map(Some)
                .map_err(|error| error.context(format_args!("column `{name}`, row {row}"))),
        };
        column.seconds().iter().enumerate().map(instant).collect::<Result<_>>().map(Some)
    }

    fn needed_instants(&mut self, name: &'static str) -> Result<Vec<Instant>> {
        let column = self.instants(name)?.ok_or_else(|| self.missing(name))?;
        let value = |(row, value): (usize, Option<Instant>)| value.ok_or_else(|| null(name, row));
        column.into_iter().enumerate().map(value).collect()
    }

    /// The columns that nobody asked for by name.
    fn rest(&self) -> Result<Vec<Fact>> {
        let schema = self.batch.schema_ref();
        let names = schema.fields().iter().map(|field| field.name());
        let others = names.filter(|name| !self.read.contains(&name.as_str()));
        let column = |name: &String| {
            let column = find(self.batch, name)?.ok_or_else(|| self.missing(name))?;
            Ok((name.clone(), texts(name, column)?))
        };
        others.map(column).collect()
    }

    fn missing(&self, name: &str) -> Error {
        let schema = self.batch.schema_ref();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let found = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Error::new(ErrorKind::InvalidArgument, format!("column `{name}` is missing; the table has {found}"))
    }
}

fn null(name: &str, row: usize) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("column `{name}`, row {row}: is null"))
}

fn cycle_of(text: &str, row: usize) -> Result<u32> {
    text.parse().map_err(|_| {
        let message = format!("column `cycle`, row {row}: `{text}` must be a whole number from 1");
        Error::new(ErrorKind::InvalidArgument, message)
    })
}

fn facts_of(columns: &mut [Fact], row: usize) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    for (name, column) in columns {
        if let Some(value) = column.get_mut(row).and_then(Option::take).filter(|value| !value.is_empty()) {
            facts.insert(name.clone(), value);
        }
    }
    facts
}
