//! Policies: the written agreement, and deadlines without any file.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use slaclock::policy::{Clock, Rule};
use slaclock::zone::TzData;
use slaclock::{ErrorKind, Facts, NoDeadline};

use crate::calendar::PyCalendar;
use crate::error::{about_file, caught, detached, from_core, no_deadline, raised, without_place};
use crate::explanation::explanation;
use crate::kernel::{Owner, PyKernel, columns};
use crate::shape::{make, to_json};
use crate::time::{Tz, date, instant, instant_or_now, python_date};

/// A written agreement: checked, compiled, immutable.
///
/// Two policies are equal if their texts are. Policies hash and pickle; any thread may use one.
///
/// >>> policy = slaclock.Policy.from_toml('''
/// ...     [policy]
/// ...     name = "care"
/// ...     version = 1
/// ...     [calendar.office]
/// ...     zone = "Europe/Moscow"
/// ...     hours = { mon-fri = "09:00-18:00" }
/// ...     [[clock]]
/// ...     name = "resolution"
/// ...     start = "received"
/// ...     stop = "resolved"
/// ...     target = [{ received_before = "14:00", due = "same day, close" }, { due = "next day, 11:00" }]
/// ... ''')
/// >>> received = datetime(2026, 3, 6, 15, 0, tzinfo=ZoneInfo("Europe/Moscow"))  # a Friday
/// >>> print(policy.due("resolution", received))
/// 2026-03-09 11:00:00+03:00
#[pyclass(frozen, module = "slaclock", name = "Policy")]
pub(crate) struct PyPolicy {
    pub(crate) inner: slaclock::Policy,
    /// The zones of its calendars, in their order.
    zones: Vec<Tz>,
}

impl PyPolicy {
    pub(crate) fn new(py: Python<'_>, inner: slaclock::Policy) -> PyResult<PyPolicy> {
        let zones =
            inner.calendars().iter().map(|calendar| Tz::of(py, calendar.zone())).collect::<PyResult<_>>()?;
        Ok(PyPolicy { inner, zones })
    }

    pub(crate) fn clock(&self, py: Python<'_>, name: &str) -> PyResult<&Clock> {
        self.inner.clock(name).map_err(|error| from_core(py, &error))
    }

    /// The zone of a rule's calendar.
    fn zone_of(&self, rule: &Rule) -> Option<&Tz> {
        let found = self.inner.calendars().iter().position(|calendar| Arc::ptr_eq(calendar, &rule.calendar));
        self.zones.get(found?)
    }

    /// The zone of a clock's last rule, which is its own; of the first calendar for a name that is not known.
    pub(crate) fn clock_zone(&self, name: &str) -> Option<&Tz> {
        let clock = self.inner.clocks().iter().find(|clock| clock.name == name);
        let rule = clock.and_then(|clock| clock.rules.last());
        rule.and_then(|rule| self.zone_of(rule)).or_else(|| self.main_zone())
    }

    /// The zone of the first clock, else of the first calendar.
    pub(crate) fn main_zone(&self) -> Option<&Tz> {
        let rule = self.inner.clocks().first().and_then(|clock| clock.rules.last());
        rule.and_then(|rule| self.zone_of(rule)).or_else(|| self.zones.first())
    }

    pub(crate) fn rule<'a>(&self, py: Python<'_>, clock: &'a Clock, facts: &Facts) -> PyResult<&'a Rule> {
        let (_, rule) = clock.rule_for(facts).ok_or_else(|| Self::none(py, clock, NoDeadline::NoRule))?;
        Ok(rule)
    }

    fn none(py: Python<'_>, clock: &Clock, reason: NoDeadline) -> PyErr {
        no_deadline(py, &format!("clock `{}`", clock.name), reason)
    }

    fn zoned<'py>(&self, py: Python<'py>, rule: &Rule, at: slaclock::Instant) -> PyResult<Bound<'py, PyAny>> {
        match self.zone_of(rule) {
            Some(zone) => zone.datetime(py, at),
            None => Tz::of(py, rule.calendar.zone())?.datetime(py, at),
        }
    }
}

#[pymethods]
impl PyPolicy {
    /// Reads and checks the policy file at `path`: JSON if it ends in `.json`, else TOML.
    ///
    /// Holiday files are found beside it. Raises `FileMissingError` or `InputOutputError` if a file cannot be read;
    /// `InvalidPolicyError`, `InvalidCalendarError` or `UnknownZoneError`, with line and column, if the policy is wrong
    /// or contradicts one of its own examples.
    #[classmethod]
    #[pyo3(signature = (path, /))]
    fn load(_class: &Bound<'_, PyType>, py: Python<'_>, path: PathBuf) -> PyResult<PyPolicy> {
        let policy = caught(py, || slaclock::Policy::load(&path))?.map_err(|error| about_file(py, &error))?;
        PyPolicy::new(py, policy)
    }

    /// Reads and checks a policy in TOML. Raises as `load` does.
    #[classmethod]
    #[pyo3(signature = (text, /))]
    fn from_toml(_class: &Bound<'_, PyType>, py: Python<'_>, text: &str) -> PyResult<PyPolicy> {
        PyPolicy::new(py, detached(py, || slaclock::Policy::from_toml(text))?)
    }

    /// Reads and checks a policy in JSON. Raises as `load` does.
    #[classmethod]
    #[pyo3(signature = (text, /))]
    fn from_json(_class: &Bound<'_, PyType>, py: Python<'_>, text: &str) -> PyResult<PyPolicy> {
        PyPolicy::new(py, detached(py, || slaclock::Policy::from_json(text))?)
    }

    /// Reads back what `source` gave: TOML, or JSON if the text begins with a brace.
    #[classmethod]
    #[pyo3(signature = (text, /))]
    fn from_text(_class: &Bound<'_, PyType>, py: Python<'_>, text: &str) -> PyResult<PyPolicy> {
        PyPolicy::new(py, detached(py, || slaclock::Policy::from_text(text, &TzData::bundled()))?)
    }

    /// Makes a policy of plain data, with the keys of the policy language. Dates, times, spans and `Calendar`s may stand
    /// where the language has them.
    ///
    /// Raises as `load` does, without line and column.
    #[classmethod]
    #[pyo3(signature = (data, /))]
    fn from_dict(_class: &Bound<'_, PyType>, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<PyPolicy> {
        let json = to_json(data)?;
        let policy =
            caught(py, || slaclock::Policy::from_json(&json))?.map_err(|error| without_place(py, &error))?;
        PyPolicy::new(py, policy)
    }

    /// The JSON Schema of the policy language, for editors and validators.
    #[staticmethod]
    fn json_schema() -> String {
        slaclock::Policy::json_schema()
    }

    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        self.inner.name()
    }

    /// Its version, from 1.
    #[getter]
    fn version(&self) -> u32 {
        self.inner.version()
    }

    /// The promise in plain words; empty if the text has none.
    #[getter]
    fn statement(&self) -> &str {
        self.inner.statement()
    }

    /// The date on which somebody should read it again.
    #[getter]
    fn review_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, pyo3::types::PyDate>>> {
        self.inner.review_at().map(|date| python_date(py, date)).transpose()
    }

    /// The text it was read from, holiday files included: `Policy.from_text` reads the same policy from it anywhere.
    #[getter]
    fn source(&self) -> &str {
        self.inner.source()
    }

    /// The names of its clocks, in the order of the text.
    #[getter]
    fn clocks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.inner.clocks().iter().map(|clock| clock.name.as_str()).collect::<Vec<_>>())
    }

    /// The names of its calendars, in the order of the text.
    #[getter]
    fn calendars<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.inner.calendars().iter().map(|calendar| calendar.name()).collect::<Vec<_>>())
    }

    /// The calendar of this name. Raises `NotFoundError` if there is none.
    #[pyo3(signature = (name, /))]
    fn calendar(&self, py: Python<'_>, name: &str) -> PyResult<PyCalendar> {
        let found = self.inner.calendars().iter().find(|calendar| calendar.name() == name);
        let calendar = found.ok_or_else(|| {
            let names: Vec<String> =
                self.inner.calendars().iter().map(|calendar| format!("`{}`", calendar.name())).collect();
            raised(py, ErrorKind::NotFound, format!("calendar `{name}`: the policy has {}", names.join(", ")))
        })?;
        PyCalendar::of_policy(py, Arc::clone(calendar), self.inner.source())
    }

    /// What the policy is silent on, and what it says that can hardly be meant, by place in the text.
    ///
    /// `on` is the date for which it is asked, today if left out: whether the holidays are known long enough depends
    /// on it.
    #[pyo3(signature = (*, on = None))]
    fn check<'py>(
        &self,
        py: Python<'py>,
        on: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let on = match on {
            Some(on) => date(on, "on")?,
            None => instant_or_now(None, py, "on")?.to_utc().date(),
        };
        let lints = caught(py, || self.inner.check(on))?;
        let made = lints.into_iter().map(|lint| {
            let severity = match lint.severity {
                slaclock::policy::Severity::Info => "info",
                slaclock::policy::Severity::Warning => "warning",
            };
            let (line, column) = (lint.position.line, lint.position.column);
            make(py, "Lint", (lint.code, severity, lint.message, line, column))
        });
        made.collect()
    }

    /// When a request received at `received` is due by this clock, if the clock starts then and is never paused.
    ///
    /// `facts` are what the policy's rules match on: `priority="high"`, `customer="acme"`, … The answer is an aware
    /// `datetime` in the zone of the calendar. Raises `NotFoundError` if there is no such clock, `NoDeadlineError` if
    /// nothing is due, `InvalidArgumentError` for a naive `received`.
    #[pyo3(signature = (clock, received, /, **facts))]
    fn due<'py>(
        &self,
        py: Python<'py>,
        clock: &str,
        received: &Bound<'py, PyAny>,
        facts: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let clock = self.clock(py, clock)?;
        let received = instant(received, "received")?;
        let rule = self.rule(py, clock, &crate::facts::facts(facts)?)?;
        let due = rule.due(received).map_err(|reason| Self::none(py, clock, reason))?;
        self.zoned(py, rule, due)
    }

    /// The outer limit of a request received at `received`, or `None` if the clock has no backstop for it.
    ///
    /// Arguments and errors are those of `due`.
    #[pyo3(signature = (clock, received, /, **facts))]
    fn limit<'py>(
        &self,
        py: Python<'py>,
        clock: &str,
        received: &Bound<'py, PyAny>,
        facts: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let clock = self.clock(py, clock)?;
        let received = instant(received, "received")?;
        let rule = self.rule(py, clock, &crate::facts::facts(facts)?)?;
        let limit = rule.limit(received).transpose().map_err(|reason| Self::none(py, clock, reason))?;
        limit.map(|limit| self.zoned(py, rule, limit)).transpose()
    }

    /// When the requests of a whole column are due, in a column of the same kind.
    ///
    /// Takes numpy arrays (`datetime64`, which numpy means as UTC, or `int64` seconds since 1970), pandas and polars series,
    /// pyarrow arrays and anything else that offers Arrow data, of every time unit and zone; and lists of `datetime`.
    /// Fractions of a second are floored. Where nothing is due, and where a receipt is missing, the answer is missing:
    /// `NaT`, null or `None`, `slaclock.NO_DEADLINE` in plain integers. `zone` is that of timestamps that have none;
    /// without it they are refused. `out` is a numpy array of the same type and length to fill instead of a new one. No other
    /// thread may write to the column meanwhile.
    ///
    /// `facts` are texts that hold for the whole column, or columns with one for each row: `priority=frame["priority"]`; rows
    /// that no rule of the clock matches have no deadline. Raises as `due` does, and `OutOfRangeError` naming the first receipt before 1970
    /// or from 2100 on.
    #[pyo3(signature = (clock, received, /, *, zone = None, out = None, **facts))]
    fn due_many<'py>(
        &self,
        py: Python<'py>,
        clock: &str,
        received: &Bound<'py, PyAny>,
        zone: Option<&Bound<'py, PyAny>>,
        out: Option<&Bound<'py, PyAny>>,
        facts: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let name = clock;
        let clock = self.clock(py, name)?;
        let policy = self.inner.clone();
        let place = self.inner.clocks().iter().position(|clock| clock.name == name).unwrap_or_default();
        let owner = match crate::facts::by_row(facts)? {
            Some(rows) => Owner::Rows { policy, clock: place, rules: rows.rules(clock) },
            None => {
                let (rule, _) = clock
                    .rule_for(&crate::facts::facts(facts)?)
                    .ok_or_else(|| Self::none(py, clock, NoDeadline::NoRule))?;
                Owner::Policy { policy, clock: place, rule }
            }
        };
        columns(py, PyKernel::new(owner), received, zone, out)
    }

    /// How the due and limit instants come about: every move, branch, date and stretch of time.
    ///
    /// Arguments and errors are those of `due`, but a clock without deadline is explained, too.
    #[pyo3(signature = (clock, received, /, **facts))]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        clock: &str,
        received: &Bound<'py, PyAny>,
        facts: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let clock = self.clock(py, clock)?;
        let received = instant(received, "received")?;
        let rule = self.rule(py, clock, &crate::facts::facts(facts)?)?;
        let trace = caught(py, || rule.trace(received, &[], None))?;
        let trace = trace.of_policy(self.inner.name(), self.inner.version());
        explanation(py, &trace, trace.lines(), serde_json::to_value(&trace))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("from_text")?, (slf.get().inner.source().to_owned(),)))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<PyPolicy>().is_ok_and(|other| other.get().inner.source() == self.inner.source())
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.inner.source().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        let clocks: Vec<&str> = self.inner.clocks().iter().map(|clock| clock.name.as_str()).collect();
        format!("<slaclock.Policy {} v{}: {}>", self.inner.name(), self.inner.version(), clocks.join(", "))
    }
}
