//! Calendars: working hours in a time zone, made of plain data, of the `holidays` package's objects, or by a policy.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDate, PyDateTime, PyDelta, PyDict, PyList, PyMapping, PyType};
use serde_json::{Map, Value, json};
use slaclock::policy::Rule;
use slaclock::target::{DayTime, Target};
use slaclock::zone::TzData;
use slaclock::{Calendar, ErrorKind, Instant, Span};

use crate::error::{caught, detached, from_core, no_deadline, raised, without_place};
use crate::kernel::{Owner, PyKernel, columns};
use crate::shape::{from_json, to_json};
use crate::time::{Tz, date, delta, instant, python_date, span, time_of_day};
use crate::{calendar_data as data, calendar_text as text};

/// Working hours in a time zone, for 1970 to 2099.
///
/// Everything but `zone` is written as in the policy language: `hours` as `{"mon-fri": "09:00-18:00"}` or `"24x7"`,
/// `holidays`, `not_holidays`, `closures`, `exceptions` and `extra_days` as there, with `date` and `time` objects where
/// you like. Intervals are half-open. Equal if they say the same; calendars hash and pickle, and any thread may use one.
///
/// Raises `InvalidCalendarError`, `InvalidPolicyError` or `UnknownZoneError` for what the policy language refuses.
///
/// >>> office = slaclock.Calendar("Europe/Berlin", hours={"mon-fri": "09:00-17:00"}, holidays=["12-25", "12-26"])
/// >>> friday = datetime(2026, 3, 6, 16, 0, tzinfo=ZoneInfo("Europe/Berlin"))
/// >>> print(office.add_working_time(friday, timedelta(hours=2)))
/// 2026-03-09 10:00:00+01:00
#[pyclass(frozen, module = "slaclock", name = "Calendar")]
pub(crate) struct PyCalendar {
    pub(crate) inner: Arc<Calendar>,
    pub(crate) zone: Tz,
    /// The text of the policy that it is one of.
    policy: Option<String>,
}

impl PyCalendar {
    pub(crate) fn new(py: Python<'_>, inner: Arc<Calendar>) -> PyResult<PyCalendar> {
        Ok(PyCalendar { zone: Tz::of(py, inner.zone())?, inner, policy: None })
    }

    pub(crate) fn of_policy(py: Python<'_>, inner: Arc<Calendar>, source: &str) -> PyResult<PyCalendar> {
        Ok(PyCalendar { policy: Some(source.to_owned()), ..PyCalendar::new(py, inner)? })
    }

    /// A calendar in the policy language, read as the only calendar of a policy.
    fn written(py: Python<'_>, name: &str, calendar: Value) -> PyResult<PyCalendar> {
        let mut calendars = Map::new();
        calendars.insert(name.to_owned(), calendar);
        // A policy must have a clock; this one promises nothing.
        let clock = json!({ "name": "none", "start": "received", "stop": "resolved", "target": "none" });
        let policy = json!({
            "policy": { "name": "calendar", "version": 1 },
            "calendar": calendars,
            "clock": [clock],
        });
        let text = policy.to_string();
        let policy =
            caught(py, || slaclock::Policy::from_json(&text))?.map_err(|error| without_place(py, &error))?;
        match policy.calendars() {
            [calendar] => PyCalendar::new(py, Arc::clone(calendar)),
            _ => Err(raised(py, ErrorKind::Internal, "a policy of one calendar has another number of them")),
        }
    }

    fn none(&self, py: Python<'_>, asked: &str, reason: slaclock::NoDeadline) -> PyErr {
        no_deadline(py, &format!("calendar `{}`: {asked}", self.inner.name()), reason)
    }
}

#[pymethods]
impl PyCalendar {
    #[new]
    #[pyo3(signature = (zone, *, hours, holidays = None, not_holidays = None, closures = None, exceptions = None,
                        extra_days = None, holidays_known_until = None, preset = None, name = "calendar"))]
    #[allow(clippy::too_many_arguments, reason = "each is a keyword of its own in Python")]
    fn from_keywords(
        py: Python<'_>,
        zone: &Bound<'_, PyAny>,
        hours: &Bound<'_, PyAny>,
        holidays: Option<&Bound<'_, PyAny>>,
        not_holidays: Option<&Bound<'_, PyAny>>,
        closures: Option<&Bound<'_, PyAny>>,
        exceptions: Option<&Bound<'_, PyAny>>,
        extra_days: Option<&Bound<'_, PyAny>>,
        holidays_known_until: Option<&Bound<'_, PyAny>>,
        preset: Option<&str>,
        name: &str,
    ) -> PyResult<PyCalendar> {
        let written = PyDict::new(py);
        written.set_item("zone", zone_name(zone)?)?;
        written.set_item("hours", hours)?;
        let lists = [
            ("holidays", holidays),
            ("not_holidays", not_holidays),
            ("closures", closures),
            ("exceptions", exceptions),
            ("extra_days", extra_days),
        ];
        for (key, value) in lists {
            if let Some(value) = value {
                written.set_item(key, listed(value)?)?;
            }
        }
        if let Some(until) = holidays_known_until {
            written.set_item("holidays_known_until", until)?;
        }
        if let Some(preset) = preset {
            written.set_item("preset", preset)?;
        }
        PyCalendar::written(py, name, data::parsed(&to_json(&written)?)?)
    }

    /// Reads a calendar from plain data, in either of two schemas.
    ///
    /// With `zone`: the keys of the policy language, as `to_dict` gives them. With `tz`: the schema of the conformance
    /// vectors: `week` from weekdays to lists of `[open, close]`, `holidays`, `extra_days` and `breaks` by date.
    ///
    /// Raises as the constructor does.
    ///
    /// >>> night = slaclock.Calendar.from_dict({"tz": "UTC", "week": {"mon": [["22:00", "06:00"]]}})
    /// >>> night.is_open(datetime(2026, 3, 3, 5, 59, tzinfo=timezone.utc))  # a Tuesday
    /// True
    #[classmethod]
    #[pyo3(signature = (data, /, *, name = None))]
    fn from_dict(
        _class: &Bound<'_, PyType>,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        name: Option<&str>,
    ) -> PyResult<PyCalendar> {
        let mut written = data::parsed(&to_json(data)?)?;
        let Some(keys) = written.as_object_mut() else {
            return Err(PyTypeError::new_err("data: must be a mapping with the keys of a calendar"));
        };
        // `to_dict` puts the name beside the keys of the policy language.
        let own = keys.remove("name").and_then(|name| name.as_str().map(str::to_owned));
        let name = name.map(str::to_owned).or(own).unwrap_or_else(|| "calendar".to_owned());
        if !keys.contains_key("tz") {
            return PyCalendar::written(py, &name, written);
        }
        let spec = data::spec_of(&name, keys)
            .map_err(|why| raised(py, ErrorKind::InvalidCalendar, format!("calendar `{name}`: {why}")))?;
        let calendar = detached(py, || Calendar::compile(spec, &TzData::bundled()))?;
        PyCalendar::new(py, Arc::new(calendar))
    }

    /// Makes a calendar whose holidays come from the `holidays` package, or from any mapping from dates to names, or
    /// from any list of dates.
    ///
    /// `years` says which years to take from an object that makes up its dates as they are asked for; left out, those
    /// that it has made up already. The last of them becomes `holidays_known_until`, unless that is given, so that
    /// deadlines beyond it are flagged. Other keywords are those of the constructor.
    ///
    /// Raises `InvalidArgumentError` if there is no date at all; else as the constructor does.
    ///
    /// >>> days = {date(2026, 1, 1): "New Year", date(2026, 12, 25): "Christmas"}
    /// >>> office = slaclock.Calendar.from_holidays(days, zone="Europe/Berlin", hours={"mon-fri": "09:00-17:00"})
    /// >>> office.is_working_day(date(2026, 1, 1)), office.holidays_known_until
    /// (False, datetime.date(2026, 12, 31))
    #[classmethod]
    #[pyo3(signature = (holidays, /, *, zone, hours, years = None, **rest))]
    fn from_holidays<'py>(
        class: &Bound<'py, PyType>,
        py: Python<'py>,
        holidays: &Bound<'py, PyAny>,
        zone: &Bound<'py, PyAny>,
        hours: &Bound<'py, PyAny>,
        years: Option<&Bound<'py, PyAny>>,
        rest: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let found = data::holidays(holidays, years)?;
        let last = found.iter().map(|(date, _)| chrono::Datelike::year(date)).max();
        let Some(last) = last else {
            let message =
                "holidays: has no dates; give years=range(2026, 2031), or make the object with years=…";
            return Err(raised(py, ErrorKind::InvalidArgument, message));
        };
        let keywords = PyDict::new(py);
        keywords.set_item("holidays_known_until", PyDate::new(py, last.clamp(1970, 2099), 12, 31)?)?;
        if let Some(rest) = rest {
            keywords.update(rest.as_mapping())?;
        }
        let list = PyList::empty(py);
        for (date, name) in &found {
            let entry = PyDict::new(py);
            entry.set_item("on", date.to_string())?;
            if let Some(name) = name {
                entry.set_item("name", name)?;
            }
            list.append(entry)?;
        }
        if let Some(more) = keywords.get_item("holidays")? {
            list.call_method1("extend", (more,))?;
        }
        keywords.set_item("holidays", list)?;
        keywords.set_item("hours", hours)?;
        class.call((zone,), Some(&keywords))
    }

    /// Its name in the policy.
    #[getter]
    fn name(&self) -> &str {
        self.inner.name()
    }

    /// The name of its time zone.
    #[getter]
    fn zone(&self) -> &str {
        self.inner.zone().name()
    }

    /// The version of the time zone data it was compiled with.
    #[getter]
    fn tzdb(&self) -> &str {
        self.inner.tz_version()
    }

    /// The last date up to which its holidays are known, if it says so.
    #[getter]
    fn holidays_known_until<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDate>>> {
        self.inner.holidays_known_until().map(|date| python_date(py, date)).transpose()
    }

    /// Whether `t` lies in working time.
    #[pyo3(signature = (t, /))]
    fn is_open(&self, t: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.inner.is_open(instant(t, "t")?))
    }

    /// The next instant of working time: `t` itself if it is open. Raises `NoDeadlineError` if there is none.
    #[pyo3(signature = (t, /))]
    fn next_open<'py>(&self, py: Python<'py>, t: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let found =
            self.inner.next_open(instant(t, "t")?).map_err(|reason| self.none(py, "next_open", reason))?;
        self.zone.datetime(py, found)
    }

    /// The first instant after `t` at which open turns to closed. Raises `NoDeadlineError` if there is none.
    #[pyo3(signature = (t, /))]
    fn next_close<'py>(&self, py: Python<'py>, t: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let found =
            self.inner.next_close(instant(t, "t")?).map_err(|reason| self.none(py, "next_close", reason))?;
        self.zone.datetime(py, found)
    }

    /// Working time in `[a, b)`; if `b` comes before `a`, the negative of that in `[b, a)`.
    #[pyo3(signature = (a, b, /))]
    fn working_time<'py>(
        &self,
        py: Python<'py>,
        a: &Bound<'py, PyAny>,
        b: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyDelta>> {
        delta(py, self.inner.working_time(instant(a, "a")?, instant(b, "b")?))
    }

    /// The earliest instant by which `d` of working time has passed since `t`; `t` itself if `d` is zero.
    ///
    /// Raises `OutOfRangeError` if `d` is negative, `NoDeadlineError` if that much does not pass before 2100.
    #[pyo3(signature = (t, d, /))]
    fn add_working_time<'py>(
        &self,
        py: Python<'py>,
        t: &Bound<'py, PyAny>,
        d: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let found = self.inner.add_working_time(instant(t, "t")?, span(d, "d")?);
        self.zone.datetime(py, found.map_err(|error| from_core(py, &error))?)
    }

    /// `add_working_time` of a whole column, in a column of the same kind.
    ///
    /// Takes what `Policy.due_many` takes, and gives a missing value where that much working time does not pass before 2100.
    #[pyo3(signature = (t, d, /, *, zone = None, out = None))]
    fn add_working_time_many<'py>(
        &self,
        py: Python<'py>,
        t: &Bound<'py, PyAny>,
        d: &Bound<'py, PyAny>,
        zone: Option<&Bound<'py, PyAny>>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let span = span(d, "d")?;
        // Refuses a negative span in the core's own words.
        self.inner
            .add_working_time(Instant::MIN, span.min(Span::ZERO))
            .map_err(|error| from_core(py, &error))?;
        let rule = self.rule(Target::Working(span));
        columns(py, PyKernel::new(Owner::Own(Box::new(rule))), t, zone, out)
    }

    /// The latest instant from which `d` of working time passes until `t`; `t` itself if `d` is zero.
    ///
    /// Raises `OutOfRangeError` if `d` is negative, or if that much has not passed since 1970.
    #[pyo3(signature = (t, d, /))]
    fn sub_working_time<'py>(
        &self,
        py: Python<'py>,
        t: &Bound<'py, PyAny>,
        d: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let found = self.inner.sub_working_time(instant(t, "t")?, span(d, "d")?);
        self.zone.datetime(py, found.map_err(|error| from_core(py, &error))?)
    }

    /// The nth working day after `t`.
    ///
    /// Of a `date` it is a date: strictly after it, strictly before it if `n` is negative, the date itself for 0. Of an
    /// instant it is an instant: the nth working day (1 or more) after the local date, `at` its `"close"`, the
    /// `"same time"` of day, or a time like `"11:00"`.
    ///
    /// Raises `NoDeadlineError` if there is no such day, `OutOfRangeError` for fewer than one day after an instant.
    #[pyo3(signature = (t, n, /, *, at = None))]
    fn add_working_days<'py>(
        &self,
        py: Python<'py>,
        t: &Bound<'py, PyAny>,
        n: i64,
        at: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = || format!("{n} working days after {t}");
        if t.cast::<PyDateTime>().is_err() {
            if at.is_some() {
                return Err(PyTypeError::new_err(
                    "at: a date has no time of day; leave it out, or give an aware datetime",
                ));
            }
            let found = self.inner.add_working_days(date(t, "t")?, n);
            return Ok(python_date(py, found.map_err(|reason| self.none(py, &asked(), reason))?)?.into_any());
        }
        let days = u32::try_from(n).ok().filter(|days| *days > 0).ok_or_else(|| {
            let message =
                format!("{}: must be 1 or more after an instant; other numbers are for dates", asked());
            raised(py, ErrorKind::OutOfRange, message)
        })?;
        let at = day_time(py, at)?;
        let due = self.rule(Target::WorkingDays { days, at }).due(instant(t, "t")?);
        self.zone.datetime(py, due.map_err(|reason| self.none(py, &asked(), reason))?)
    }

    /// Whether a non-empty stretch of working time opens on this date.
    #[pyo3(signature = (day, /))]
    fn is_working_day(&self, day: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.inner.is_working_day(date(day, "day")?))
    }

    /// Working days in `(a, b]`; if `b` comes before `a`, the negative of those in `(b, a]`.
    #[pyo3(signature = (a, b, /))]
    fn working_days(&self, a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<i64> {
        Ok(self.inner.working_days(date(a, "a")?, date(b, "b")?))
    }

    /// The stretches of working time in `[a, b)`, in order, clipped to it, as pairs of opening and closing.
    #[pyo3(signature = (a, b, /))]
    fn intervals<'py>(
        &self,
        py: Python<'py>,
        a: &Bound<'py, PyAny>,
        b: &Bound<'py, PyAny>,
    ) -> PyResult<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
        let (a, b) = (instant(a, "a")?, instant(b, "b")?);
        let pair = |at: Instant| self.zone.datetime(py, at);
        self.inner.intervals(a, b).map(|stretch| Ok((pair(stretch.opens)?, pair(stretch.closes)?))).collect()
    }

    /// The calendar as plain data with the keys of the policy language, and its name.
    ///
    /// Raises `UnsupportedError` for a rule of a holiday file that the language has no words for.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let written = text::written(self.inner.spec());
        let written = written.map_err(|why| {
            raised(py, ErrorKind::Unsupported, format!("calendar `{}`: {why}", self.inner.name()))
        })?;
        from_json(py, &written.to_string())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let (py, calendar) = (slf.py(), slf.get());
        if let Some(source) = &calendar.policy {
            let restore = py.import("slaclock._slaclock")?.getattr("calendar_of_policy")?;
            return Ok((restore, (source, calendar.inner.name()).into_pyobject(py)?.into_any()));
        }
        Ok((slf.get_type().getattr("from_dict")?, (calendar.to_dict(py)?,).into_pyobject(py)?.into_any()))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<PyCalendar>().is_ok_and(|other| {
            let other = &other.get().inner;
            other.spec() == self.inner.spec() && other.tz_version() == self.inner.tz_version()
        })
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let spec = self.inner.spec();
        (&spec.name, &spec.zone, spec.holidays.len(), spec.extra_days.len()).hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        format!("<slaclock.Calendar {} in {}>", self.inner.name(), self.inner.zone().name())
    }
}

impl PyCalendar {
    fn rule(&self, target: Target) -> Rule {
        Rule {
            when: Vec::new(),
            calendar: Arc::clone(&self.inner),
            receipt: Vec::new(),
            target,
            roll_forward: false,
            backstop: None,
            warn_at: Vec::new(),
            tables: Default::default(),
        }
    }
}

/// A calendar of a policy, by the policy's text: what pickled calendars of policies come back through.
#[pyfunction]
#[pyo3(signature = (source, name, /))]
pub(crate) fn calendar_of_policy(py: Python<'_>, source: &str, name: &str) -> PyResult<PyCalendar> {
    let policy = detached(py, || slaclock::Policy::from_text(source, &TzData::bundled()))?;
    let found = policy.calendars().iter().find(|calendar| calendar.name() == name).cloned();
    let found = found
        .ok_or_else(|| raised(py, ErrorKind::NotFound, format!("calendar `{name}`: not in the policy")))?;
    PyCalendar::of_policy(py, found, source)
}

fn day_time(py: Python<'_>, at: Option<&Bound<'_, PyAny>>) -> PyResult<DayTime> {
    let Some(at) = at else { return Ok(DayTime::Close) };
    match at.extract::<String>().as_deref() {
        Ok("close") => Ok(DayTime::Close),
        Ok("same time") => Ok(DayTime::SameTime),
        _ => time_of_day(at, "at").map(DayTime::At).map_err(|error| {
            if error.is_instance_of::<PyTypeError>(py) {
                return error;
            }
            let message = format!("{}; or \"close\", \"same time\"", error.value(py));
            raised(py, ErrorKind::InvalidArgument, message)
        }),
    }
}

/// A zone given by name, or as a `ZoneInfo`.
pub(crate) fn zone_name(zone: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(name) = zone.extract() {
        return Ok(name);
    }
    let key = zone.getattr("key").ok().and_then(|key| key.extract::<String>().ok());
    key.ok_or_else(|| {
        let found = zone.get_type().qualname().map_or_else(|_| "?".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!(
            "zone of type {found}: must be an IANA name or a zoneinfo.ZoneInfo made from one"
        ))
    })
}

/// A list, also of one date or text; a mapping stays one entry.
fn listed<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let single = value.is_instance_of::<pyo3::types::PyString>()
        || value.cast::<PyDate>().is_ok()
        || value.cast::<PyMapping>().is_ok();
    let list = PyList::empty(value.py());
    if single {
        list.append(value)?;
    } else {
        list.call_method1("extend", (value,))?;
    }
    Ok(list.into_any())
}
