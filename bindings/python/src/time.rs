//! Instants and spans at the border: aware `datetime` and `timedelta` outside, whole seconds inside.

use std::time::SystemTime;

use chrono::{Datelike, NaiveDate};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDate, PyDateTime, PyDelta, PyDict, PyTzInfo};
use slaclock::zone::Zone;
use slaclock::{ErrorKind, Instant, Span, TimeOfDay};

use crate::error::{from_core, raised};
use crate::offsets::{Offsets, from_timestamp};

pub(crate) const DAY_S: i64 = 86_400;

/// The instant of an aware `datetime`; a fraction of a second is floored. `what` names the argument in messages.
///
/// # Errors
/// `TypeError` for anything but a `datetime`; `InvalidArgumentError` for a naive one; `OutOfRangeError` before 1970
/// and from 2100 on.
pub(crate) fn instant(value: &Bound<'_, PyAny>, what: &str) -> PyResult<Instant> {
    let py = value.py();
    let seconds = match known_zone(value) {
        Some(offsets) => offsets.seconds(value)?,
        None => seconds_since(value, what)?,
    };
    Instant::from_secs(seconds).map_err(|error| match error.kind() {
        ErrorKind::OutOfRange => {
            raised(py, ErrorKind::OutOfRange, format!("{what} {value}: {}", error.message()))
        }
        _ => from_core(py, &error),
    })
}

/// The offsets of its zone, if it is a plain `datetime`: a class derived from it may mean something else.
fn known_zone(value: &Bound<'_, PyAny>) -> Option<&'static Offsets> {
    if !value.is_exact_instance_of::<PyDateTime>() {
        return None;
    }
    Offsets::of(&value.getattr(intern!(value.py(), "tzinfo")).ok()?)
}

/// Seconds from 1970-01-01T00:00:00Z to any aware `datetime`, floored.
fn seconds_since(value: &Bound<'_, PyAny>, what: &str) -> PyResult<i64> {
    static EPOCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = value.py();
    if value.cast::<PyDateTime>().is_err() {
        let found = value.get_type().qualname()?;
        return Err(PyTypeError::new_err(format!(
            "{what} of type {found}: must be an aware datetime, like datetime(2026, 3, 6, 15, 0, tzinfo=ZoneInfo(\"Europe/Moscow\"))"
        )));
    }
    let epoch = EPOCH.get_or_try_init(py, || {
        let utc = PyTzInfo::utc(py)?.to_owned();
        Ok::<_, PyErr>(PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&utc))?.into_any().unbind())
    })?;
    // Subtracting is the one operation that tells the instant whatever the zone; it refuses naive ones.
    let Ok(since) = value.sub(epoch) else { return Err(naive(value, what)) };
    delta_seconds(&since)
}

fn naive(value: &Bound<'_, PyAny>, what: &str) -> PyErr {
    let message = format!(
        "{what} {value}: has no time zone, so it is no instant; add one with .replace(tzinfo=ZoneInfo(\"Europe/Moscow\")) \
         or make it with datetime.now(timezone.utc)"
    );
    raised(value.py(), ErrorKind::InvalidArgument, message)
}

/// The instant of an argument that may be left out: then the system clock's. The only place that reads it.
pub(crate) fn instant_or_now(
    value: Option<&Bound<'_, PyAny>>,
    py: Python<'_>,
    what: &str,
) -> PyResult<Instant> {
    if let Some(value) = value {
        return instant(value, what);
    }
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
    let seconds = since.and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(-1);
    Instant::from_secs(seconds).map_err(|error| {
        raised(py, ErrorKind::OutOfRange, format!("the system clock: {}; give {what}", error.message()))
    })
}

/// Whole seconds of a `timedelta`, floored.
pub(crate) fn delta_seconds(delta: &Bound<'_, PyAny>) -> PyResult<i64> {
    let py = delta.py();
    let days: i64 = delta.getattr(intern!(py, "days"))?.extract()?;
    let seconds: i64 = delta.getattr(intern!(py, "seconds"))?.extract()?;
    Ok(days * DAY_S + seconds)
}

/// The span of a `timedelta`; a fraction of a second is floored.
///
/// # Errors
/// `TypeError` for anything else.
pub(crate) fn span(value: &Bound<'_, PyAny>, what: &str) -> PyResult<Span> {
    if value.cast::<PyDelta>().is_err() {
        let found = value.get_type().qualname()?;
        return Err(PyTypeError::new_err(format!(
            "{what} of type {found}: must be a timedelta, like timedelta(hours=8)"
        )));
    }
    delta_seconds(value).map(Span::from_secs)
}

/// A span as `timedelta`.
pub(crate) fn delta(py: Python<'_>, span: Span) -> PyResult<Bound<'_, PyDelta>> {
    let (days, seconds) = (span.as_secs().div_euclid(DAY_S), span.as_secs().rem_euclid(DAY_S));
    let days = i32::try_from(days).map_err(|_| {
        raised(py, ErrorKind::OutOfRange, format!("{span}: is longer than a timedelta can be"))
    })?;
    PyDelta::new(py, days, seconds as i32, 0, true)
}

/// A time zone as Python's `datetime` understands it. Cheap to clone.
pub(crate) struct Tz {
    object: Py<PyAny>,
    offsets: Option<&'static Offsets>,
}

impl Tz {
    /// `zoneinfo.ZoneInfo` of this name; of our own data where the interpreter has none.
    pub(crate) fn of(py: Python<'_>, zone: &Zone) -> PyResult<Tz> {
        let class = py.import(intern!(py, "zoneinfo"))?.getattr(intern!(py, "ZoneInfo"))?;
        if let Ok(known) = class.call1((zone.name(),)) {
            return Ok(Tz::from_object(&known));
        }
        let file = py.import("io")?.call_method1("BytesIO", (PyBytes::new(py, zone.data()),))?;
        let key = PyDict::new(py);
        key.set_item("key", zone.name())?;
        Ok(Tz::from_object(&class.call_method("from_file", (file,), Some(&key))?))
    }

    pub(crate) fn utc(py: Python<'_>) -> PyResult<Tz> {
        Ok(Tz::from_object(PyTzInfo::utc(py)?.as_any()))
    }

    /// A zone that Python made, or that came out of a pickle.
    pub(crate) fn from_object(object: &Bound<'_, PyAny>) -> Tz {
        Tz { object: object.clone().unbind(), offsets: Offsets::of(object) }
    }

    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Tz {
        Tz { object: self.object.clone_ref(py), offsets: self.offsets }
    }

    pub(crate) fn object(&self) -> &Py<PyAny> {
        &self.object
    }

    /// The aware `datetime` of an instant in this zone.
    pub(crate) fn datetime<'py>(&self, py: Python<'py>, at: Instant) -> PyResult<Bound<'py, PyAny>> {
        if let Some(known) = self.offsets.and_then(|offsets| offsets.datetime(py, at)) {
            return Ok(known);
        }
        from_timestamp(py)?.call1((at.as_secs(), &self.object))
    }

    /// The same for an instant that may be missing.
    pub(crate) fn optional<'py>(
        &self,
        py: Python<'py>,
        at: Option<Instant>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        at.map(|at| self.datetime(py, at)).transpose()
    }
}

/// A calendar date. A `datetime` is one to Python, but no date here: it is refused.
pub(crate) fn date(value: &Bound<'_, PyAny>, what: &str) -> PyResult<NaiveDate> {
    if value.cast::<PyDate>().is_err() || value.cast::<PyDateTime>().is_ok() {
        let found = value.get_type().qualname()?;
        return Err(PyTypeError::new_err(format!(
            "{what} of type {found}: must be a date, like date(2026, 3, 6)"
        )));
    }
    let py = value.py();
    let (year, month, day) = (
        value.getattr(intern!(py, "year"))?.extract()?,
        value.getattr(intern!(py, "month"))?.extract()?,
        value.getattr(intern!(py, "day"))?.extract()?,
    );
    let found = NaiveDate::from_ymd_opt(year, month, day).filter(|date| (1970..2100).contains(&date.year()));
    found
        .ok_or_else(|| raised(py, ErrorKind::OutOfRange, format!("{what} {value}: must lie in 1970 to 2099")))
}

/// A date for Python.
pub(crate) fn python_date(py: Python<'_>, date: NaiveDate) -> PyResult<Bound<'_, PyDate>> {
    PyDate::new(py, date.year(), date.month() as u8, date.day() as u8)
}

/// A time of day, given as `datetime.time` or as text like `09:00`.
pub(crate) fn time_of_day(value: &Bound<'_, PyAny>, what: &str) -> PyResult<TimeOfDay> {
    let py = value.py();
    let text: String = match value.extract() {
        Ok(text) => text,
        Err(_) if value.cast::<pyo3::types::PyTime>().is_ok() => {
            value.call_method1(intern!(py, "strftime"), ("%H:%M:%S",))?.extract()?
        }
        Err(_) => {
            let found = value.get_type().qualname()?;
            return Err(PyTypeError::new_err(format!(
                "{what} of type {found}: must be a time or a text like \"09:00\""
            )));
        }
    };
    TimeOfDay::parse(&text).map_err(|error| raised(py, error.kind(), format!("{what}: {}", error.message())))
}
