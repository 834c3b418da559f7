//! Scans, as tables.

use pyo3::prelude::*;
use slaclock::{Page, PageKey, Query};

use crate::db::PyDb;
use crate::table::{Kind, PyTable};

/// Which part of the answer is wanted.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) limit: Option<usize>,
    pub(crate) after: Option<u64>,
}

/// The rows of a query: all from one snapshot, or a page.
pub(crate) fn scan(py: Python<'_>, db: &PyDb, query: Query, window: Window) -> PyResult<PyTable> {
    let (batch, next) = db.call(py, |db| {
        let after = window.after.map(PageKey::from_bits);
        let (Some(limit), after) = (window.limit.or(after.map(|_| slaclock::db::MAX_PAGE)), after) else {
            return Ok((slaclock::arrow::scan(db, &query)?, None));
        };
        let rows = db.scan(&query, after.map_or(Page::first(limit), |key| Page::after(key, limit)))?;
        Ok((slaclock::arrow::rows(&rows.rows)?, rows.next.map(PageKey::to_bits)))
    })?;
    PyTable::new(batch, Kind::Row, db.zones(py)?, next)
}
