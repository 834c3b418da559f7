//! Many requests or events at once: tables by their columns, or rows as plain mappings.

use arrow_array::RecordBatch;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyTuple};
use slaclock::zone::{TzData, Zone};
use slaclock::{ErrorKind, EventFields, EventKind, EventTag, OnError, Operation, Request};

use crate::calendar::zone_name;
use crate::capsule::{batches, renamed};
use crate::error::{detached, from_core, raised};
use crate::facts::mapped;
use crate::shape::make;
use crate::time::instant;

/// Whether rows are requests or events.
#[derive(Clone, Copy)]
pub(crate) enum What {
    Requests,
    Events,
}

/// The operations of a table, or of an iterable of mappings with the same names as keys.
///
/// `names` maps our column names to the table's, `zone` is the zone of timestamps without one.
pub(crate) fn operations(
    source: &Bound<'_, PyAny>,
    what: What,
    names: &[(String, String)],
    zone: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<Operation>> {
    let py = source.py();
    let zone = zone.map(|zone| known_zone(py, zone)).transpose()?;
    if !source.hasattr("__arrow_c_stream__")? && !source.hasattr("__arrow_c_array__")? {
        return rows(source, what, names);
    }
    let mut all = Vec::new();
    for batch in batches(source)? {
        let batch = if names.is_empty() { batch } else { renamed(&batch, names)? };
        all.append(&mut detached(py, || read(&batch, what, zone.as_ref()))?);
    }
    Ok(all)
}

fn read(batch: &RecordBatch, what: What, zone: Option<&Zone>) -> slaclock::Result<Vec<Operation>> {
    match what {
        What::Requests => slaclock::arrow::requests(batch, zone),
        What::Events => slaclock::arrow::events(batch, zone),
    }
}

/// A zone of the bundled data.
pub(crate) fn known_zone(py: Python<'_>, zone: &Bound<'_, PyAny>) -> PyResult<Zone> {
    TzData::bundled().zone(&zone_name(zone)?).map_err(|error| from_core(py, &error))
}

fn rows(source: &Bound<'_, PyAny>, what: What, names: &[(String, String)]) -> PyResult<Vec<Operation>> {
    let mut all = Vec::new();
    for (number, row) in source.try_iter()?.enumerate() {
        let row = row?;
        let Ok(row) = row.cast::<PyMapping>() else {
            let found = row.get_type().fully_qualified_name()?;
            return Err(PyTypeError::new_err(format!(
                "row {number} of type {found}: must be a mapping like {{\"id\": …, \"received_at\": …}}; or give a table"
            )));
        };
        all.push(operation(row, what, names).map_err(|error| at_row(row.py(), error, number))?);
    }
    Ok(all)
}

fn at_row(py: Python<'_>, error: PyErr, number: usize) -> PyErr {
    // A note would not be in `str(error)`, where people look.
    let class = error.get_type(py);
    let message = format!("row {number}: {}", error.value(py));
    class.call1((message,)).map_or_else(|error| error, PyErr::from_value)
}

/// What a row says under a name.
struct Row<'a, 'py> {
    left: Bound<'py, PyDict>,
    names: &'a [(String, String)],
}

impl<'py> Row<'_, 'py> {
    fn take(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let key =
            self.names.iter().find(|(ours, _)| ours == name).map_or(name, |(_, theirs)| theirs.as_str());
        let value = self.left.get_item(key)?;
        if value.is_some() {
            self.left.del_item(key)?;
        }
        Ok(value.filter(|value| !value.is_none()))
    }

    fn text(&self, name: &str) -> PyResult<Option<String>> {
        let value = self.take(name)?;
        let text = |value: Bound<'py, PyAny>| {
            value.extract::<String>().map_err(|_| PyTypeError::new_err(format!("`{name}`: must be text")))
        };
        Ok(value.map(text).transpose()?.filter(|text| !text.is_empty()))
    }

    fn needed<T>(&self, name: &str, value: Option<T>) -> PyResult<T> {
        value.ok_or_else(|| {
            raised(self.left.py(), ErrorKind::InvalidArgument, format!("`{name}`: is missing"))
        })
    }
}

fn operation(row: &Bound<'_, PyMapping>, what: What, names: &[(String, String)]) -> PyResult<Operation> {
    let left = PyDict::new(row.py());
    left.update(row)?;
    let row = Row { left, names };
    match what {
        What::Requests => request(&row).map(Operation::Submit),
        What::Events => event(&row),
    }
}

fn request(row: &Row<'_, '_>) -> PyResult<Request> {
    let id = row.needed("id", row.text("id")?)?;
    let received = row.needed("received_at", row.take("received_at")?)?;
    let mut request = Request::new(id, instant(&received, "received_at")?);
    request.customer = row.text("customer")?;
    request.priority = row.text("priority")?;
    request.category = row.text("category")?;
    request.channel = row.text("channel")?;
    request.subject = row.text("subject")?;
    request.attributes = mapped(row.left.as_mapping())?.into_iter().collect();
    Ok(request)
}

fn event(row: &Row<'_, '_>) -> PyResult<Operation> {
    let id = row.needed("request", row.text("request")?)?;
    let word = row.needed("event", row.text("event")?)?;
    let at = instant(&row.needed("at", row.take("at")?)?, "at")?;
    let (by, key, text) = (row.text("by")?, row.text("key")?, row.text("text")?);
    let (to, reason, vendor) = (row.text("to")?, row.text("reason")?, row.text("vendor")?);
    let due = row.take("due")?.map(|due| instant(&due, "due")).transpose()?;
    let (approved_by, clock) = (row.text("approved_by")?, row.text("clock")?);
    let faq = row.text("faq")?;
    let wrong = |_| PyTypeError::new_err("`cycle`: must be a whole number from 1");
    let cycle = row.take("cycle")?.map(|cycle| cycle.extract::<u32>().map_err(wrong)).transpose()?;
    let facts = mapped(row.left.as_mapping())?.into_iter().collect();
    let kind = kind_of(
        row.left.py(),
        &word,
        EventFields { to, reason, vendor, due, facts, approved_by, clock, cycle, faq },
    )?;
    Ok(Operation::Record { id, event: slaclock::Event { kind, at, by, key, text } })
}

/// The event kind of a word with what it carries.
pub(crate) fn kind_of(py: Python<'_>, word: &str, fields: EventFields) -> PyResult<EventKind> {
    EventTag::parse(word)
        .and_then(|tag| EventKind::from_fields(tag, fields))
        .map_err(|error| from_core(py, &error))
}

/// What to do with a bad row, by its word.
pub(crate) fn on_error(py: Python<'_>, word: &str) -> PyResult<OnError> {
    match word {
        "abort" => Ok(OnError::Abort),
        "skip" => Ok(OnError::Skip),
        other => {
            let message = format!("on_error \"{other}\": must be \"abort\" or \"skip\"");
            Err(raised(py, ErrorKind::InvalidArgument, message))
        }
    }
}

/// What became of a batch, as a `slaclock.Batch`.
pub(crate) fn outcome<'py>(
    py: Python<'py>,
    results: Vec<slaclock::Result<slaclock::Outcome>>,
) -> PyResult<Bound<'py, PyAny>> {
    let rows = results.len();
    let (mut new, mut old, mut errors) = (0_u64, 0_u64, Vec::new());
    for (row, result) in results.iter().enumerate() {
        match result {
            Ok(slaclock::Outcome::Recorded) => new += 1,
            Ok(slaclock::Outcome::AlreadyRecorded) => old += 1,
            Err(error) => errors.push((row, from_core(py, error).into_value(py))),
        }
    }
    make(py, "Batch", (rows, new, old, PyTuple::new(py, errors)?))
}
