//! Explanations: the core's proofs, with the sentences and the data that Python shows.

use std::fmt::Display;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use serde_json::Value;

use crate::shape::make;

/// A `slaclock.Explanation` of a proof.
pub(crate) fn explanation<'py>(
    py: Python<'py>,
    proof: &impl Display,
    lines: Vec<(String, String)>,
    data: serde_json::Result<Value>,
) -> PyResult<Bound<'py, PyAny>> {
    let data = data.map_err(|error| pyo3::exceptions::PyRuntimeError::new_err(error.to_string()))?;
    make(py, "Explanation", (PyTuple::new(py, lines)?, proof.to_string(), data.to_string()))
}
