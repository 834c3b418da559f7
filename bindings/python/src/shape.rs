//! The small tuples of `slaclock._types` that answers are made of.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule, PyTuple};

static TYPES: PyOnceLock<Py<PyModule>> = PyOnceLock::new();

/// A class of `slaclock._types`.
pub(crate) fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let types = TYPES.get_or_try_init(py, || Ok::<_, PyErr>(py.import("slaclock._types")?.unbind()))?;
    types.bind(py).getattr(name)
}

/// An object of a class of `slaclock._types`.
pub(crate) fn make<'py>(
    py: Python<'py>,
    name: &str,
    fields: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
) -> PyResult<Bound<'py, PyAny>> {
    class(py, name)?.call1(fields.into_pyobject(py)?)
}

/// Plain data written as JSON, as Python's own objects.
pub(crate) fn from_json<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(intern!(py, "json"))?.call_method1(intern!(py, "loads"), (json,))
}

/// Plain data as JSON, dates and times as the policy language writes them.
pub(crate) fn to_json(value: &Bound<'_, PyAny>) -> PyResult<String> {
    value.py().import("slaclock._json")?.call_method1("dumps", (value,))?.extract()
}

/// Names with texts, as a dict.
pub(crate) fn dict<'py, 'a>(
    py: Python<'py>,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in pairs {
        dict.set_item(name, value)?;
    }
    Ok(dict)
}
