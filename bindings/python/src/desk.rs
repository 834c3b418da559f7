//! What a desk does around its deadlines: expedites, waits, the requests behind a figure, reading and reviewing the policy.

use pyo3::prelude::*;
use slaclock::db::{Acknowledgement, Duty};
use slaclock::{AttainmentQuery, Db, ErrorKind};

use crate::db::PyDb;
use crate::error::raised;
use crate::report::period;
use crate::status::outcome_word;
use crate::time::instant_or_now;

#[pymethods]
impl PyDb {
    /// How many expedites a customer has used in the calendar month of `at`, and when the next is free.
    ///
    /// Raises `UnsupportedError` if the newest policy foresees no expedites.
    #[pyo3(signature = (customer, /, at = None))]
    fn expedite_quota<'py>(
        &self,
        py: Python<'py>,
        customer: &str,
        at: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let at = instant_or_now(at, py, "at")?;
        self.shown_as(py, "ExpediteQuota", &self.call(py, |db| db.expedite_quota(customer, at))?)
    }

    /// Use of expedites by customer, then calendar month; of the period's months only, if one is given.
    #[pyo3(signature = (period = None, /))]
    fn expedites<'py>(
        &self,
        py: Python<'py>,
        period: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let period = self::period(py, period)?;
        self.shown_as(py, "ExpediteUse", &self.call(py, |db| db.expedites(period))?)
    }

    /// With whom the requests received in a period (all if left out) spent their time up to `now`: each vendor and
    /// customer, with the requests behind each number.
    #[pyo3(signature = (period = None, /, *, now = None))]
    fn waits<'py>(
        &self,
        py: Python<'py>,
        period: Option<&Bound<'py, PyAny>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (period, now) = (self::period(py, period)?, instant_or_now(now, py, "now")?);
        self.shown_as(py, "WaitReport", &self.call(py, |db| db.waits(period, now))?)
    }

    /// Every request that `attainment` counts for the same arguments, with what it counts as: the ids behind each number.
    #[pyo3(signature = (period = None, /, *, by = None, clock = None, now = None))]
    fn judged<'py>(
        &self,
        py: Python<'py>,
        period: Option<&Bound<'py, PyAny>>,
        by: Option<Vec<String>>,
        clock: Option<String>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut query = AttainmentQuery::at(instant_or_now(now, py, "now")?);
        if let Some(period) = self::period(py, period)? {
            query = query.period(period);
        }
        if let Some(clock) = clock {
            query = query.clock(clock);
        }
        query = by.into_iter().flatten().fold(query, AttainmentQuery::by);
        self.shown_as(py, "Judged", &self.call(py, |db| db.judged(&query))?)
    }

    /// Records that somebody has read (or, with `duty="review"`, reviewed) a version of the policy: `"recorded"`, or
    /// `"already_recorded"`.
    ///
    /// Raises `NotFoundError` if no such version is installed, `InvalidArgumentError` for a person who is not among its
    /// readers, `ConflictError` if the person acknowledged it before at another instant.
    #[pyo3(signature = (version, /, *, by, duty = "reading", at = None))]
    fn acknowledge_policy(
        &self,
        py: Python<'_>,
        version: u32,
        by: String,
        duty: &str,
        at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<&'static str> {
        let duty = match duty {
            "reading" => Duty::Reading,
            "review" => Duty::Review,
            other => {
                let message = format!("duty \"{other}\": must be \"reading\" or \"review\"");
                return Err(raised(py, ErrorKind::InvalidArgument, message));
            }
        };
        let done = Acknowledgement { version, duty, by, at: instant_or_now(at, py, "at")? };
        Ok(outcome_word(self.call(py, |db| db.acknowledge_policy(&done))?))
    }

    /// Who has read or reviewed which version of the policy, by version, in the order of arrival.
    fn acknowledgements<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.shown_as(py, "Acknowledgement", &self.call(py, Db::acknowledgements)?)
    }

    /// The refusals that wait for a second person at `now`, earliest proposal first.
    #[pyo3(signature = (now = None, /))]
    fn refusals<'py>(&self, py: Python<'py>, now: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        let now = instant_or_now(now, py, "now")?;
        self.shown_as(py, "OpenRefusal", &self.call(py, |db| db.refusals(now))?)
    }

    /// What is yet to be read or reviewed at `now`, by due instant.
    #[pyo3(signature = (now = None, /))]
    fn reminders<'py>(
        &self,
        py: Python<'py>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let now = instant_or_now(now, py, "now")?;
        self.shown_as(py, "Reminder", &self.call(py, |db| db.reminders(now))?)
    }
}
