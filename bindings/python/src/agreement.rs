//! Documents of the core, as the small tuples of `slaclock._agreement`.

use pyo3::prelude::*;
use serde::Serialize;
use slaclock::ErrorKind;

use crate::error::raised;
use crate::table::Zones;

/// An answer of the core as the class of this name, instants in the zone of the agreement.
pub(crate) fn document<'py>(
    py: Python<'py>,
    class: &str,
    answer: &impl Serialize,
    zones: &Zones,
) -> PyResult<Bound<'py, PyAny>> {
    let text = serde_json::to_string(answer)
        .map_err(|error| raised(py, ErrorKind::Internal, format!("writing JSON: {error}")))?;
    let zone = zones.main().object().bind(py);
    py.import("slaclock._documents")?.call_method1("decoded", (class, text, zone))
}
