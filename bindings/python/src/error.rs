//! Errors: each kind of the core becomes its own Python exception, defined in `slaclock._errors`.

use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use slaclock::{Error, ErrorKind, NoDeadline};

static BY_CODE: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

fn class_of(py: Python<'_>, kind: ErrorKind) -> PyResult<Bound<'_, PyAny>> {
    let classes = BY_CODE.get_or_try_init(py, || {
        let classes = py.import("slaclock._errors")?.getattr("BY_CODE")?;
        Ok::<_, PyErr>(classes.cast_into::<PyDict>()?.unbind())
    })?;
    classes.bind(py).as_any().get_item(kind.code())
}

/// An exception of this kind, made here instead of in the core.
pub(crate) fn raised(py: Python<'_>, kind: ErrorKind, message: impl AsRef<str>) -> PyErr {
    match class_of(py, kind).and_then(|class| class.call1((message.as_ref(),))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// The core's error as an exception, with its place and reason where it has them.
pub(crate) fn from_core(py: Python<'_>, error: &Error) -> PyErr {
    converted(py, error, error.to_string()).unwrap_or_else(|error| error)
}

/// The same without the place: for texts that the caller never wrote.
pub(crate) fn without_place(py: Python<'_>, error: &Error) -> PyErr {
    let exception = class_of(py, error.kind()).and_then(|class| class.call1((error.message(),)));
    exception.map_or_else(|error| error, PyErr::from_value)
}

/// The same about a file: one that is missing is also a `FileNotFoundError`.
pub(crate) fn about_file(py: Python<'_>, error: &Error) -> PyErr {
    if error.kind() != ErrorKind::NotFound {
        return from_core(py, error);
    }
    let class = py.import("slaclock._errors").and_then(|errors| errors.getattr("FileMissingError"));
    let exception = class.and_then(|class| class.call1((error.to_string(),)));
    exception.map_or_else(|error| error, PyErr::from_value)
}

fn converted(py: Python<'_>, error: &Error, text: String) -> PyResult<PyErr> {
    let exception = class_of(py, error.kind())?.call1((text,))?;
    if let Some(place) = error.position() {
        exception.setattr("line", place.line)?;
        exception.setattr("column", place.column)?;
    }
    if let Some(reason) = error.source().and_then(|cause| cause.downcast_ref::<NoDeadline>()) {
        exception.setattr("reason", reason_word(*reason))?;
    }
    Ok(PyErr::from_value(exception))
}

/// Why a calendar or rule gives nothing, as an exception.
pub(crate) fn no_deadline(py: Python<'_>, asked: &str, reason: NoDeadline) -> PyErr {
    let error = raised(py, ErrorKind::NoDeadline, format!("{asked}: {reason}"));
    match error.value(py).setattr("reason", reason_word(reason)) {
        Ok(()) => error,
        Err(error) => error,
    }
}

fn reason_word(reason: NoDeadline) -> String {
    let word = serde_json::to_value(reason).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Runs a call into the core with the interpreter released. A panic, which would be a defect, becomes `InternalError`.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    call: impl FnOnce() -> slaclock::Result<T> + Send,
) -> PyResult<T> {
    match caught(py, call)? {
        Ok(value) => Ok(value),
        Err(error) => Err(from_core(py, &error)),
    }
}

/// The same, leaving the core's error to the caller.
pub(crate) fn caught<T: Send>(py: Python<'_>, call: impl FnOnce() -> T + Send) -> PyResult<T> {
    // What the call may have left half done sits behind the core's own latch, which refuses everything after a panic.
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(call)));
    outcome.map_err(|_| raised(py, ErrorKind::Internal, "a defect in slaclock; please report it"))
}

/// The error table of the core, as (name, code, text): what the tests hold the classes against.
#[pyfunction]
pub(crate) fn error_kinds() -> Vec<(&'static str, i32, &'static str)> {
    ErrorKind::ALL.iter().map(|kind| (kind.name(), kind.code(), kind.text())).collect()
}
