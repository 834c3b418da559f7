//! Facts and other keyword arguments: names with texts.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};
use slaclock::Facts;

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
            found.push((name.extract()?, text(&value, &name.extract::<String>()?)?));
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
