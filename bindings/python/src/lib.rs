//! The Python module of slaclock: conversions only. What anything means is decided in the core.
//!
//! `slaclock._slaclock` is private; the package `slaclock` re-exports it. Exceptions and the tuples that answers are made
//! of are written in Python, where they are typed, compared and pickled for nothing.

mod agreement;
mod batch;
mod calendar;
mod calendar_data;
mod calendar_text;
mod capsule;
mod cells;
mod db;
mod desk;
mod error;
mod explanation;
mod facts;
mod feed;
mod history;
mod import;
mod kernel;
mod offsets;
mod open;
mod policy;
mod report;
mod scan;
mod shape;
mod status;
mod table;
mod time;

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command line `arguments`, the program's name first, and returns its exit code.
#[pyfunction]
#[pyo3(signature = (arguments, /))]
fn cli(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    error::caught(py, || slaclock::cli::run(arguments))
}

/// The core of slaclock.
#[pymodule(gil_used = false)]
mod _slaclock {
    #[pymodule_export]
    use super::agreement::salvage;
    #[pymodule_export]
    use super::calendar::{PyCalendar, calendar_of_policy};
    #[pymodule_export]
    use super::cli;
    #[pymodule_export]
    use super::db::PyDb;
    #[pymodule_export]
    use super::error::error_kinds;
    #[pymodule_export]
    use super::feed::{PyFeed, PyNotices};
    #[pymodule_export]
    use super::kernel::{PyColumn, PyKernel};
    #[pymodule_export]
    use super::open::{create, in_memory, open, shutdown};
    #[pymodule_export]
    use super::policy::PyPolicy;
    #[pymodule_export]
    use super::table::{PyTable, PyTableRows, table_of};

    /// The version of the core, from its manifest.
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "the name that Python expects")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// What a column of whole seconds holds where there is no deadline.
    #[pymodule_export]
    const NO_DEADLINE: i64 = slaclock::target::NO_DEADLINE;
}
