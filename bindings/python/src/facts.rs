//! Facts and other keyword arguments: names with texts.

use std::collections::HashMap;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString};
use slaclock::policy::Clock;
use slaclock::{ErrorKind, Facts};

use crate::error::raised;

/// What policies match on, from keyword arguments. `None` is no value.
pub(crate) fn facts(named: Option<&Bound<'_, PyDict>>) -> PyResult<Facts> {
    let mut facts = Facts::none();
    for (name, value) in texts(named)? {
        facts.set(name, value);
    }
    Ok(facts)
}

/// Names with texts, from keyword arguments. `None` is left out.
///
/// # Errors
/// `TypeError` for a value that is no text.
pub(crate) fn texts(named: Option<&Bound<'_, PyDict>>) -> PyResult<Vec<(String, String)>> {
    let Some(named) = named else { return Ok(Vec::new()) };
    let mut found = Vec::with_capacity(named.len());
    for (name, value) in named {
        if !value.is_none() {
            let name: String = name.extract()?;
            let value = text(&value, &name)?;
            found.push((name, value));
        }
    }
    Ok(found)
}

/// The same from any mapping.
pub(crate) fn mapped(mapping: &Bound<'_, PyMapping>) -> PyResult<Vec<(String, String)>> {
    let mut found = Vec::with_capacity(mapping.len()?);
    for pair in mapping.items()? {
        let (name, value): (String, Bound<'_, PyAny>) = pair.extract()?;
        if !value.is_none() {
            let value = text(&value, &name)?;
            found.push((name, value));
        }
    }
    Ok(found)
}

fn text(value: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    value.extract().map_err(|_| {
        let found = value.get_type().qualname().map_or_else(|_| "?".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!("{name} of type {found}: must be a text (str) or None"))
    })
}

/// New values of facts by name: `None` takes a fact away, as an empty text does.
pub(crate) fn changes(changes: Option<&Bound<'_, PyMapping>>) -> PyResult<Vec<(String, String)>> {
    let Some(changes) = changes else { return Ok(Vec::new()) };
    let mut found = Vec::with_capacity(changes.len()?);
    for pair in changes.items()? {
        let (name, value): (String, Bound<'_, PyAny>) = pair.extract()?;
        let value = if value.is_none() { String::new() } else { text(&value, &name)? };
        found.push((name, value));
    }
    Ok(found)
}

/// Facts of which each row of a column has its own.
pub(crate) struct FactRows {
    constant: Facts,
    columns: Vec<(String, Vec<Option<String>>)>,
    rows: usize,
}

/// The facts by row, if any of them is a column.
///
/// # Errors
/// `InvalidArgumentError` if the columns are not of the same length, `TypeError` for one that does not hold texts.
pub(crate) fn by_row(named: Option<&Bound<'_, PyDict>>) -> PyResult<Option<FactRows>> {
    let Some(named) = named else { return Ok(None) };
    let mut found = FactRows { constant: Facts::none(), columns: Vec::new(), rows: 0 };
    for (name, value) in named {
        let name: String = name.extract()?;
        if value.is_none() {
            continue;
        }
        if value.is_instance_of::<PyString>() {
            found.constant.set(name, value.extract::<String>()?);
            continue;
        }
        let py = value.py();
        let texts: Vec<Option<String>> =
            py.import("slaclock._columns")?.call_method1("texts", (&name, value))?.extract()?;
        if !found.columns.is_empty() && texts.len() != found.rows {
            let message = format!(
                "{name}: has {} rows, the facts before it {}: must be as many",
                texts.len(),
                found.rows
            );
            return Err(raised(py, ErrorKind::InvalidArgument, message));
        }
        found.rows = texts.len();
        found.columns.push((name, texts));
    }
    Ok((!found.columns.is_empty()).then_some(found))
}

impl FactRows {
    /// The number of the clock's rule for each row. Rows with the same facts are matched once.
    pub(crate) fn rules(&self, clock: &Clock) -> Vec<u32> {
        let mut known: HashMap<Vec<Option<&str>>, u32> = HashMap::new();
        let mut values: Vec<Option<&str>> = Vec::with_capacity(self.columns.len());
        let mut rules = Vec::with_capacity(self.rows);
        for row in 0..self.rows {
            values.clear();
            values.extend(self.columns.iter().map(|(_, column)| column.get(row).and_then(Option::as_deref)));
            let rule = known.get(&values).copied().unwrap_or_else(|| {
                let mut facts = self.constant.clone();
                for ((name, _), value) in self.columns.iter().zip(&values) {
                    facts.set(name.as_str(), value.unwrap_or_default());
                }
                let rule = clock.rule_index_for(&facts);
                known.insert(values.clone(), rule);
                rule
            });
            rules.push(rule);
        }
        rules
    }
}
