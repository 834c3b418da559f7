//! The feed: each crossing of a threshold exactly once, to each consumer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use slaclock::db::MAX_NOTICES;
use slaclock::{Db, Notice, PeriodRange};

use crate::db::PyDb;
use crate::error::detached;
use crate::shape::make;
use crate::status::threshold;
use crate::table::{Kind, PyTable, Zones};
use crate::time::instant_or_now;

/// A consumer of notices, with a durable cursor.
///
/// Iterating hands out the notices that are not acknowledged; `advance` first turns what has passed into notices. A
/// crash between handing out and acknowledging hands out the same notices again, under the same numbers.
#[pyclass(frozen, module = "slaclock", name = "Feed")]
pub(crate) struct PyFeed {
    db: Py<PyDb>,
    consumer: String,
    /// Number of the last notice that was handed out.
    last: AtomicU64,
}

impl PyFeed {
    pub(crate) fn new(db: Py<PyDb>, consumer: String) -> PyFeed {
        PyFeed { db, consumer, last: AtomicU64::new(0) }
    }

    fn call<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&slaclock::Feed<'_>) -> slaclock::Result<T> + Send,
    ) -> PyResult<T> {
        let db: Arc<Db> = self.db.get().handle(py)?;
        detached(py, || call(&db.feed(&self.consumer)?))
    }

    fn handed_out(slf: &Bound<'_, Self>, notices: Vec<Notice>) -> PyResult<PyNotices> {
        let zones = slf.get().db.get().zones(slf.py())?;
        Ok(PyNotices { feed: slf.clone().unbind(), zones, waiting: Mutex::new(notices.into_iter()) })
    }
}

#[pymethods]
impl PyFeed {
    /// The consumer's name.
    #[getter]
    fn consumer(&self) -> &str {
        &self.consumer
    }

    /// Advances the feed to `now` (the system clock's time if left out) and hands out what this consumer has not
    /// acknowledged, by number, at most 10,000 notices.
    #[pyo3(signature = (now = None))]
    fn advance(slf: &Bound<'_, Self>, now: Option<&Bound<'_, PyAny>>) -> PyResult<PyNotices> {
        let now = instant_or_now(now, slf.py(), "now")?;
        let notices = slf.get().call(slf.py(), |feed| feed.advance(now))?;
        PyFeed::handed_out(slf, notices)
    }

    /// What this consumer has not acknowledged, as a table, at most `limit` notices (1 to 10,000). Nothing is advanced,
    /// and nothing counts as handed out.
    #[pyo3(signature = (limit = 10_000))]
    fn pending(&self, py: Python<'_>, limit: usize) -> PyResult<PyTable> {
        let notices = self.call(py, |feed| feed.pending(limit))?;
        let batch = detached(py, || slaclock::arrow::notices(&notices))?;
        PyTable::new(batch, Kind::Notice, self.db.get().zones(py)?, None)
    }

    /// The number of the last notice that this consumer acknowledged, 0 if none.
    #[getter]
    fn acknowledged(&self, py: Python<'_>) -> PyResult<u64> {
        self.call(py, |feed| feed.acknowledged())
    }

    /// Acknowledges all notices up to `number`, durably. A number acknowledged before changes nothing.
    ///
    /// Raises `OutOfRangeError` if there is no such notice yet.
    #[pyo3(signature = (number, /))]
    fn acknowledge(&self, py: Python<'_>, number: u64) -> PyResult<()> {
        self.call(py, |feed| feed.acknowledge(number))
    }

    /// Acknowledges everything that this object has handed out, durably.
    fn ack(&self, py: Python<'_>) -> PyResult<()> {
        match self.last.load(Ordering::Acquire) {
            0 => Ok(()),
            last => self.acknowledge(py, last),
        }
    }

    /// Hands out what this consumer has not acknowledged, by number, at most 10,000 notices. Nothing is advanced.
    fn __iter__(slf: &Bound<'_, Self>) -> PyResult<PyNotices> {
        let notices = slf.get().call(slf.py(), |feed| feed.pending(MAX_NOTICES))?;
        PyFeed::handed_out(slf, notices)
    }

    fn __repr__(&self) -> String {
        format!("<slaclock.Feed of {:?}>", self.consumer)
    }
}

/// Notices as they are handed out.
#[pyclass(frozen, module = "slaclock", name = "Notices")]
pub(crate) struct PyNotices {
    feed: Py<PyFeed>,
    zones: Zones,
    waiting: Mutex<std::vec::IntoIter<Notice>>,
}

#[pymethods]
impl PyNotices {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let next = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some(notice) = next else { return Ok(None) };
        self.feed.get().last.fetch_max(notice.number, Ordering::AcqRel);
        let (crossed, percent) = threshold(notice.threshold);
        let at = self.zones.of_clock(&notice.clock).datetime(py, notice.at)?;
        let fields = (
            notice.number,
            &notice.request,
            &notice.clock,
            notice.cycle,
            crossed,
            percent,
            at,
            notice.by_change,
            notice.retracted,
            notice.period.map(PeriodRange::code),
            self.feed.clone_ref(py),
        );
        make(py, "Notice", fields).map(Some)
    }

    /// How many are left.
    fn __len__(&self) -> usize {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
