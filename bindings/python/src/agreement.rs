//! Living with an agreement: outlook, interruptions, migration, forks. Answers are documents of the core, handed over as
//! the small tuples of `slaclock._agreement`.

use std::path::PathBuf;

use pyo3::prelude::*;
use serde::Serialize;
use slaclock::clock::{Scope, Window};
use slaclock::db::{Order, OutlookQuery};
use slaclock::zone::TzData;
use slaclock::{AttainmentQuery, Db, ErrorKind, ReportQuery, SalvageOptions};

use crate::db::PyDb;
use crate::error::{about_file, caught, detached, raised};
use crate::policy::PyPolicy;
use crate::report::{period, query};
use crate::shape::to_json;
use crate::table::Zones;
use crate::time::{Tz, instant, instant_or_now};

/// An answer of the core as the class of this name, or a tuple of them, instants in the zone of the agreement.
pub(crate) fn document<'py>(
    py: Python<'py>,
    class: &str,
    answer: &impl Serialize,
    zone: &Tz,
) -> PyResult<Bound<'py, PyAny>> {
    let text = json(py, answer)?;
    let decoded = py.import("slaclock._documents")?.getattr("decoded")?;
    decoded.call1((class, text, zone.object()))
}

fn json(py: Python<'_>, answer: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(answer)
        .map_err(|error| raised(py, ErrorKind::Internal, format!("writing JSON: {error}")))
}

/// Whom an interruption or a migration is about; all, if left out.
fn scope(scope: Option<&Bound<'_, PyAny>>) -> PyResult<Scope> {
    let Some(given) = scope else { return Ok(Scope::All) };
    serde_json::from_str(&to_json(given)?).map_err(|_| {
        let message = format!(
            "scope {given}: must be \"all\" or one of {{\"calendar\": NAME}}, {{\"customer\": NAME}}, {{\"category\": NAME}}"
        );
        raised(given.py(), ErrorKind::InvalidArgument, message)
    })
}

fn window(
    category: String,
    since: &Bound<'_, PyAny>,
    until: Option<&Bound<'_, PyAny>>,
    about: Option<&Bound<'_, PyAny>>,
) -> PyResult<Window> {
    Ok(Window {
        category,
        scope: scope(about)?,
        from: instant(since, "since")?,
        to: until.map(|until| instant(until, "until")).transpose()?,
    })
}

impl PyDb {
    pub(crate) fn shown_as<'py>(
        &self,
        py: Python<'py>,
        class: &str,
        answer: &impl Serialize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let zones: Zones = self.zones(py)?;
        document(py, class, answer, zones.main())
    }

    fn interrupt<'py>(
        &self,
        py: Python<'py>,
        order: &Order,
        (at, by): (Option<&Bound<'py, PyAny>>, &str),
        text: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let at = instant_or_now(at, py, "at")?;
        let done = self.call(py, |db| db.interrupt(order, at, by, text, dry_run))?;
        self.shown_as(py, "Interrupted", &done)
    }
}

#[pymethods]
impl PyDb {
    /// Where each promised share stands at `now`: misses left, worst and best case, and the requests whose handling
    /// decides it. One `Outlook` for each clock that promises a share.
    ///
    /// `period` is that of receipt (the running one if left out), `until` the horizon of what must be finished (the end of
    /// the local day). Raises `NotFoundError` if no clock promises a share.
    #[pyo3(signature = (now = None, *, clock = None, period = None, until = None))]
    fn outlook<'py>(
        &self,
        py: Python<'py>,
        now: Option<&Bound<'py, PyAny>>,
        clock: Option<String>,
        period: Option<&Bound<'py, PyAny>>,
        until: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let query = OutlookQuery {
            now: instant_or_now(now, py, "now")?,
            clock,
            period: self::period(py, period)?,
            until: until.map(|until| instant(until, "until")).transpose()?,
        };
        self.shown_as(py, "Outlook", &self.call(py, |db| db.outlook(&query))?)
    }

    /// Declares an interruption: from `since` on, before `until` (open if left out), for `scope`: `"all"`,
    /// `{"calendar": name}`, `{"customer": name}` or `{"category": name}`. The policy says what it does to clocks; those in
    /// scope are derived anew in one transaction. With `dry_run=True` nothing is written.
    ///
    /// Raises `InvalidArgumentError` for an unknown category or an end that is not after the start.
    #[pyo3(signature = (category, /, *, since, until = None, scope = None, by, at = None, text = None, dry_run = false))]
    #[allow(clippy::too_many_arguments, reason = "each is a keyword of its own in Python")]
    fn declare_interruption<'py>(
        &self,
        py: Python<'py>,
        category: String,
        since: &Bound<'py, PyAny>,
        until: Option<&Bound<'py, PyAny>>,
        scope: Option<&Bound<'py, PyAny>>,
        by: &str,
        at: Option<&Bound<'py, PyAny>>,
        text: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let order = Order::Declare(window(category, since, until, scope)?);
        self.interrupt(py, &order, (at, by), text, dry_run)
    }

    /// Says otherwise what was declared under a number; arguments as of `declare_interruption`.
    ///
    /// Raises `NotFoundError` for an unknown number, `ConflictError` for one that is withdrawn.
    #[pyo3(signature = (number, /, category, *, since, until = None, scope = None, by, at = None, text = None,
                        dry_run = false))]
    #[allow(clippy::too_many_arguments, reason = "each is a keyword of its own in Python")]
    fn amend_interruption<'py>(
        &self,
        py: Python<'py>,
        number: u32,
        category: String,
        since: &Bound<'py, PyAny>,
        until: Option<&Bound<'py, PyAny>>,
        scope: Option<&Bound<'py, PyAny>>,
        by: &str,
        at: Option<&Bound<'py, PyAny>>,
        text: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let order = Order::Amend { number, window: window(category, since, until, scope)? };
        self.interrupt(py, &order, (at, by), text, dry_run)
    }

    /// Says when an interruption ended: `until` is the first instant after it.
    #[pyo3(signature = (number, /, until, *, by, at = None, text = None, dry_run = false))]
    #[allow(clippy::too_many_arguments, reason = "each is a keyword of its own in Python")]
    fn end_interruption<'py>(
        &self,
        py: Python<'py>,
        number: u32,
        until: &Bound<'py, PyAny>,
        by: &str,
        at: Option<&Bound<'py, PyAny>>,
        text: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let order = Order::End { number, to: instant(until, "until")? };
        self.interrupt(py, &order, (at, by), text, dry_run)
    }

    /// Withdraws an interruption: it never was.
    #[pyo3(signature = (number, /, *, by, at = None, text = None, dry_run = false))]
    fn withdraw_interruption<'py>(
        &self,
        py: Python<'py>,
        number: u32,
        by: &str,
        at: Option<&Bound<'py, PyAny>>,
        text: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.interrupt(py, &Order::Withdraw { number }, (at, by), text, dry_run)
    }

    /// The journal of all interruptions, in the order of recording.
    fn interruptions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.shown_as(py, "Interruption", &self.call(py, Db::interruptions)?)
    }

    /// Moves open requests to another installed version of the policy, the newest if left out. `scope` is `"all"`,
    /// `{"customer": name}` or `{"category": name}`. What is finished keeps its verdict. With `dry_run=True` it tells every
    /// deadline and verdict that would move and writes nothing.
    ///
    /// Raises `NotFoundError` if there is no such version, `ConflictError` where the clocks of the versions do not fit.
    #[pyo3(signature = (version = None, /, *, scope = None, by, at = None, dry_run = false))]
    fn migrate<'py>(
        &self,
        py: Python<'py>,
        version: Option<u32>,
        scope: Option<&Bound<'py, PyAny>>,
        by: &str,
        at: Option<&Bound<'py, PyAny>>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (scope, at) = (self::scope(scope)?, instant_or_now(at, py, "at")?);
        let done = self.call(py, |db| db.migrate(version, &scope, at, by, dry_run))?;
        self.shown_as(py, "Migration", &done)
    }

    /// Moves open requests to other zone data: that of this release, or of a `folder` like /usr/share/zoneinfo.
    ///
    /// Raises `UnknownZoneError` if the data lacks a zone, `InvalidPolicyError` if a worked example no longer holds.
    #[pyo3(signature = (*, folder = None, by, at = None, dry_run = false))]
    fn retz<'py>(
        &self,
        py: Python<'py>,
        folder: Option<PathBuf>,
        by: &str,
        at: Option<&Bound<'py, PyAny>>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let at = instant_or_now(at, py, "at")?;
        let done = self.call(py, |db| {
            let zones = folder.map_or_else(|| Ok(TzData::bundled()), TzData::folder)?;
            db.retz(&zones, at, by, dry_run)
        })?;
        self.shown_as(py, "Migration", &done)
    }

    /// What if something else had been promised: attainment of the stored history as it was promised and as it would have
    /// been under each of `policies`, side by side. Nothing is written.
    ///
    /// The other arguments are those of `attainment`. Raises `NotFoundError` if a policy has no such clock, or promises no
    /// share.
    #[pyo3(signature = (policies, period = None, /, *, by = None, clock = None, per = None, now = None))]
    #[allow(clippy::too_many_arguments, reason = "each is a keyword of its own in Python")]
    fn simulate<'py>(
        &self,
        py: Python<'py>,
        policies: Vec<Bound<'py, PyPolicy>>,
        period: Option<&Bound<'py, PyAny>>,
        by: Option<Vec<String>>,
        clock: Option<String>,
        per: Option<&str>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if policies.is_empty() {
            let message = "`policies` is empty: must be at least one policy to compare with";
            return Err(raised(py, ErrorKind::InvalidArgument, message));
        }
        let now = instant_or_now(now, py, "now")?;
        let query = query(py, self::period(py, period)?, by.unwrap_or_default(), clock, per, now)?;
        let proposed: Vec<_> = policies.iter().map(|policy| policy.get().inner.clone()).collect();
        let proposed: Vec<&slaclock::Policy> = proposed.iter().collect();
        self.shown_as(py, "Simulation", &self.call(py, |db| db.simulate(&proposed, &query))?)
    }

    /// How groups of requests fare beside one another, by clock and period: attainment with Wilson intervals, time until
    /// handled, time on hold, and whether a difference is more than chance would make. `by` names the facts that make a
    /// group; without a `period` everything received so far is one.
    ///
    /// Raises `NotFoundError` if no request has any of the facts.
    #[pyo3(signature = (by, /, period = None, *, clock = None, now = None))]
    fn fairness<'py>(
        &self,
        py: Python<'py>,
        by: Vec<String>,
        period: Option<&Bound<'py, PyAny>>,
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
        query = by.into_iter().fold(query, AttainmentQuery::by);
        self.shown_as(py, "Fairness", &self.call(py, |db| db.fairness(&query))?)
    }

    /// Everything about the requests received in a period, each figure with the ids behind it, as a page and as data:
    /// `db.report("2026-03").save("march.html")`.
    ///
    /// `by` names the facts to compare groups by: priority, customer, channel and category if left out. `most_ids` (0 to
    /// 1,000) bounds each list of ids.
    #[pyo3(signature = (period, /, *, clock = None, by = None, most_ids = None, now = None))]
    fn report<'py>(
        &self,
        py: Python<'py>,
        period: &Bound<'py, PyAny>,
        clock: Option<String>,
        by: Option<Vec<String>>,
        most_ids: Option<u32>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(period) = self::period(py, Some(period))? else {
            return Err(raised(py, ErrorKind::InvalidArgument, "period None: a report is of a period"));
        };
        let mut query = ReportQuery::at(instant_or_now(now, py, "now")?, period);
        query.clock = clock;
        query.by = by.unwrap_or(query.by);
        query.most_ids = most_ids.unwrap_or(query.most_ids);
        let (page, report) = self.call(py, |db| {
            let report = db.report(&query)?;
            Ok((slaclock::html::page(&report, &db.policy()?)?, report))
        })?;
        py.import("slaclock._agreement")?.getattr("Report")?.call1((page, json(py, &report)?))
    }

    /// Copies the database as it is to a new file, for experiments; the copy's length in bytes.
    ///
    /// Raises `AlreadyExistsError` if anything at all is at `path`.
    #[pyo3(signature = (path, /))]
    fn fork(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        self.call(py, |db| db.fork(&path))
    }
}

/// Makes a new database at `to` from every request and event that can still be read of the damaged one at `source`, which
/// is only read.
///
/// Works on files that `open` refuses. `policy` is for the case that none in the file can be read; with `stand_ins=True`
/// events whose request is lost are kept, too. Raises `FileMissingError`, `NotADatabaseError`, `NewerFormatError`,
/// `DamagedError` if no policy can be read and none is given, `BusyError` while the file is open anywhere,
/// `AlreadyExistsError` if anything is at `to`.
#[pyfunction]
#[pyo3(signature = (source, to, /, *, policy = None, stand_ins = false))]
pub(crate) fn salvage<'py>(
    py: Python<'py>,
    source: PathBuf,
    to: PathBuf,
    policy: Option<&Bound<'py, PyPolicy>>,
    stand_ins: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let mut options = SalvageOptions::default();
    if let Some(policy) = policy {
        options = options.policy(policy.get().inner.clone());
    }
    if stand_ins {
        options = options.stand_ins();
    }
    let saved = caught(py, || Db::salvage(&source, &to, &options))?;
    let saved = saved.map_err(|error| about_file(py, &error))?;
    // The zone of an agreement that can be read again.
    let policy = detached(py, || Db::open(&to, slaclock::Options::default().read_only())?.policy());
    let zones = Zones::of(py, &PyPolicy::new(py, policy?)?)?;
    document(py, "Salvage", &saved, zones.main())
}
