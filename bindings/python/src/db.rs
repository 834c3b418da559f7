//! The database handle: every method converts, calls the core once with the interpreter released, and converts back.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};
use slaclock::{Db, ErrorKind, Event, EventFields, Query, Request, Stage};

use crate::batch::{What, kind_of, on_error, operations, outcome};
use crate::error::{detached, raised};
use crate::explanation::explanation;
use crate::facts::{mapped, texts};
use crate::feed::PyFeed;
use crate::import::{Source, import};
use crate::policy::PyPolicy;
use crate::report::{attainment, period, policies, waiting};
use crate::scan::{Window, scan};
use crate::status;
use crate::table::{PyTable, Zones};
use crate::time::{instant, instant_or_now};

/// An open database: requests, their events, and their deadlines kept ready. Made by `open`, `create` or `in_memory`.
///
/// Any number of threads may use one, and `close` may come from any of them: calls under way end, later ones raise
/// `ClosedError`. A handle must not be used after `fork`; it raises `ForkedHandleError` there, and the child opens its own.
///
/// Wherever `now`, `at` or `received` is left out, the system clock's time is taken.
#[pyclass(frozen, module = "slaclock", name = "Db", weakref)]
pub(crate) struct PyDb {
    /// Locked for the moment of taking or cloning the pointer only, never while anything is waited for.
    open: RwLock<Option<Arc<Db>>>,
    path: Option<PathBuf>,
    /// Others may have the same handle: it is given up instead of closed.
    shared: bool,
}

impl PyDb {
    pub(crate) fn new(db: Arc<Db>, path: Option<PathBuf>, shared: bool) -> PyDb {
        PyDb { open: RwLock::new(Some(db)), path, shared }
    }

    /// The core's handle, unless it is closed.
    pub(crate) fn handle(&self, py: Python<'_>) -> PyResult<Arc<Db>> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner).clone();
        open.ok_or_else(|| {
            raised(py, ErrorKind::Closed, format!("{}: the database is closed; open it again", self.shown()))
        })
    }

    /// Calls the core with the interpreter released.
    pub(crate) fn call<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&Db) -> slaclock::Result<T> + Send,
    ) -> PyResult<T> {
        let db = self.handle(py)?;
        detached(py, || call(&db))
    }

    /// The zones of the newest policy.
    pub(crate) fn zones(&self, py: Python<'_>) -> PyResult<Zones> {
        Zones::of(py, &PyPolicy::new(py, self.call(py, Db::policy)?)?)
    }

    fn shown(&self) -> String {
        self.path.as_ref().map_or_else(|| "database in memory".to_owned(), |path| path.display().to_string())
    }

    fn scan_for(
        &self,
        py: Python<'_>,
        now: Option<&Bound<'_, PyAny>>,
        stage: Option<Stage>,
        clock: Option<String>,
        window: Window,
    ) -> PyResult<PyTable> {
        let mut query = Query::at(instant_or_now(now, py, "now")?);
        query.stages = stage.into_iter().collect();
        query.clock = clock;
        scan(py, self, query, window)
    }
}

#[pymethods]
impl PyDb {
    /// Closes the database. Calls under way end first; closing again does nothing.
    ///
    /// Raises `BusyError` if a write does not end within the waiting time, and then it stays open.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(db) = self.open.write().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        if self.shared {
            return detached(py, || {
                drop(db);
                Ok(())
            });
        }
        let closed = detached(py, || db.close());
        if closed.as_ref().is_err_and(|error| error.is_instance_of::<pyo3::exceptions::PyTimeoutError>(py)) {
            *self.open.write().unwrap_or_else(PoisonError::into_inner) = Some(db);
        }
        closed
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        self.close(py)
    }

    /// Whether it is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.open.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// The file, as it was given; `None` for a database in memory.
    #[getter]
    fn path(&self) -> Option<PathBuf> {
        self.path.clone()
    }

    /// Submits a request: pins it to the policy version in force when it was received and starts its clocks.
    ///
    /// Anything that policies match on beside the named fields goes into `attributes` or further keywords. Idempotent by
    /// id: the same content again answers `already_recorded`, other content raises `ConflictError`. Raises
    /// `InvalidArgumentError` for a malformed id or field.
    #[pyo3(signature = (id, /, *, received = None, customer = None, priority = None, category = None, channel = None,
                        subject = None, attributes = None, **more))]
    #[allow(clippy::too_many_arguments, reason = "each is a keyword of its own in Python")]
    fn submit<'py>(
        &self,
        py: Python<'py>,
        id: String,
        received: Option<&Bound<'py, PyAny>>,
        customer: Option<String>,
        priority: Option<String>,
        category: Option<String>,
        channel: Option<String>,
        subject: Option<String>,
        attributes: Option<&Bound<'py, PyMapping>>,
        more: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut request = Request::new(id, instant_or_now(received, py, "received")?);
        (request.customer, request.priority, request.category) = (customer, priority, category);
        (request.channel, request.subject) = (channel, subject);
        request.attributes =
            attributes.map(mapped).transpose()?.into_iter().flatten().chain(texts(more)?).collect();
        let answer = self.call(py, |db| db.submit(&request))?;
        status::recorded(py, &answer, &self.zones(py)?)
    }

    /// Records an event on a request: `"replied"`, `"paused"`, `"resolved"`, …
    ///
    /// What the kinds carry: `paused` a `reason`, `assigned` a `to`, `vendor_contacted` and `vendor_replied` a `vendor`,
    /// `promised` a `due`, `changed` the new values in `facts` or further keywords (`None` or empty text removes one),
    /// `waived` and `waiver_withdrawn` a `clock` and `cycle`, `expedited` beyond the quota who it was `approved_by`,
    /// `faq_linked` and `faq_unlinked` a `faq`. Events may arrive late and out of order. Idempotent if there is a `key`.
    ///
    /// Raises `NotFoundError` if there is no such request, `InvalidEventError` for an event before the receipt or with
    /// the wrong particulars, `ConflictError` if the key was used with other content, `QuotaExceededError` for an expedite
    /// beyond the customer's quota.
    #[pyo3(signature = (request, event, /, *, at = None, by = None, key = None, text = None, to = None, reason = None,
                        vendor = None, due = None, facts = None, approved_by = None, clock = None, cycle = None,
                        faq = None, **more))]
    #[allow(clippy::too_many_arguments, reason = "each is a keyword of its own in Python")]
    fn event<'py>(
        &self,
        py: Python<'py>,
        request: &str,
        event: &str,
        at: Option<&Bound<'py, PyAny>>,
        by: Option<String>,
        key: Option<String>,
        text: Option<String>,
        to: Option<String>,
        reason: Option<String>,
        vendor: Option<String>,
        due: Option<&Bound<'py, PyAny>>,
        facts: Option<&Bound<'py, PyMapping>>,
        approved_by: Option<String>,
        clock: Option<String>,
        cycle: Option<u32>,
        faq: Option<String>,
        more: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let at = instant_or_now(at, py, "at")?;
        let due = due.map(|due| instant(due, "due")).transpose()?;
        let facts = crate::facts::changes(facts)?
            .into_iter()
            .chain(crate::facts::changes(more.map(|more| more.as_mapping()))?);
        let facts = facts.collect();
        let fields = EventFields { to, reason, vendor, due, facts, approved_by, clock, cycle, faq };
        let event = Event { kind: kind_of(py, event, fields)?, at, by, key, text };
        let answer = self.call(py, |db| db.record(request, event))?;
        status::recorded(py, &answer, &self.zones(py)?)
    }

    /// Submits many requests in one transaction: a table of any package that speaks Arrow, or mappings.
    ///
    /// Columns or keys are `id` and `received_at`; `customer`, `priority`, `category`, `channel` and `subject`; every
    /// other one is an attribute. `columns` says which of them have other names: `{"id": "number"}`. `zone` is that of
    /// timestamps without one. With `on_error="abort"` the first wrong row is the call's error and nothing is written;
    /// with `"skip"` wrong rows are left out and reported.
    #[pyo3(signature = (table, /, *, columns = None, zone = None, on_error = "abort"))]
    fn submit_many<'py>(
        &self,
        py: Python<'py>,
        table: &Bound<'py, PyAny>,
        columns: Option<&Bound<'py, PyMapping>>,
        zone: Option<&Bound<'py, PyAny>>,
        on_error: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let on_error = self::on_error(py, on_error)?;
        let names = columns.map(mapped).transpose()?.unwrap_or_default();
        let operations = operations(table, What::Requests, &names, zone)?;
        outcome(py, self.call(py, |db| db.apply(&operations, on_error))?)
    }

    /// Records many events, in chunks that are one transaction each.
    ///
    /// From a table or mappings with `request`, `event` and `at`; `by`, `key`, `text` and what the kinds carry (`to`,
    /// `reason`, `vendor`, `due`); every other column is a fact that a `changed` event sets. Then `mapping` says which
    /// columns have other names. Or from a request log: a CSV file (plain or gzip) by its path, or its bytes; then
    /// `mapping` is the path of a mapping file, and requests are submitted, too. Importing the same file again changes
    /// nothing.
    ///
    /// `progress` is called with (done, total) between chunks, in rows or bytes; `True` draws a bar with tqdm or rich
    /// where installed. Ctrl-C ends the import between two chunks; what was written before stays. With
    /// `on_error="abort"` the first wrong row ends it.
    #[pyo3(signature = (source, /, mapping = None, *, zone = None, on_error = "skip", progress = None))]
    fn import_events<'py>(
        &self,
        py: Python<'py>,
        source: &Bound<'py, PyAny>,
        mapping: Option<&Bound<'py, PyAny>>,
        zone: Option<&Bound<'py, PyAny>>,
        on_error: &str,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let source = Source::of(source, mapping, zone)?;
        import(py, self, source, self::on_error(py, on_error)?, progress)
    }

    /// Everything known of a request: as of its latest event, or, with `now`, as of that instant.
    ///
    /// Raises `NotFoundError` if there is no such request.
    #[pyo3(signature = (request, /, *, now = None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        request: &str,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let now = now.map(|now| instant(now, "now")).transpose()?;
        let answer =
            self.call(py, |db| now.map_or_else(|| db.get(request), |now| db.get_at(request, now)))?;
        status::status(py, &answer, &self.zones(py)?)
    }

    /// Running clocks due before `until`, judged at `until`; earliest first, ties in the order of submission.
    ///
    /// All of them from one snapshot, unless there is a `limit` (1 to 10,000 rows): then `after=table.next` gives the
    /// page that follows.
    #[pyo3(signature = (until, /, *, clock = None, limit = None, after = None))]
    fn due_before(
        &self,
        py: Python<'_>,
        until: &Bound<'_, PyAny>,
        clock: Option<String>,
        limit: Option<usize>,
        after: Option<u64>,
    ) -> PyResult<PyTable> {
        let until = instant(until, "until")?;
        let mut query = self.call(py, |db| db.due_query(until))?;
        query.clock = clock;
        scan(py, self, query, Window { limit, after })
    }

    /// The running clock that is due first at or after `now`: the next instant to look again.
    #[pyo3(signature = (now = None))]
    fn next_due<'py>(
        &self,
        py: Python<'py>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let now = instant_or_now(now, py, "now")?;
        let row = self.call(py, |db| db.next_due(now))?;
        row.map(|row| status::row(py, &row, &self.zones(py)?)).transpose()
    }

    /// Clocks that are late at `now`: due has passed, the backstop has not. Pages as in `due_before`.
    #[pyo3(signature = (now = None, *, clock = None, limit = None, after = None))]
    fn late(
        &self,
        py: Python<'_>,
        now: Option<&Bound<'_, PyAny>>,
        clock: Option<String>,
        limit: Option<usize>,
        after: Option<u64>,
    ) -> PyResult<PyTable> {
        self.scan_for(py, now, Some(Stage::Late), clock, Window { limit, after })
    }

    /// Clocks that are breached at `now`: the limit has passed, or due where there is no backstop.
    #[pyo3(signature = (now = None, *, clock = None, limit = None, after = None))]
    fn breached(
        &self,
        py: Python<'_>,
        now: Option<&Bound<'_, PyAny>>,
        clock: Option<String>,
        limit: Option<usize>,
        after: Option<u64>,
    ) -> PyResult<PyTable> {
        self.scan_for(py, now, Some(Stage::Breached), clock, Window { limit, after })
    }

    /// Clocks that are at risk at `now`: a warning threshold has passed, due has not.
    #[pyo3(signature = (now = None, *, clock = None, limit = None, after = None))]
    fn at_risk(
        &self,
        py: Python<'_>,
        now: Option<&Bound<'_, PyAny>>,
        clock: Option<String>,
        limit: Option<usize>,
        after: Option<u64>,
    ) -> PyResult<PyTable> {
        self.scan_for(py, now, Some(Stage::AtRisk), clock, Window { limit, after })
    }

    /// Running clocks, judged at `now`: all of them, or those due from `since` on and before `until`, in one of `stages`.
    #[pyo3(signature = (now = None, *, since = None, until = None, stages = None, clock = None, limit = None,
                        after = None))]
    #[allow(clippy::too_many_arguments, reason = "each is a keyword of its own in Python")]
    fn scan(
        &self,
        py: Python<'_>,
        now: Option<&Bound<'_, PyAny>>,
        since: Option<&Bound<'_, PyAny>>,
        until: Option<&Bound<'_, PyAny>>,
        stages: Option<Vec<String>>,
        clock: Option<String>,
        limit: Option<usize>,
        after: Option<u64>,
    ) -> PyResult<PyTable> {
        let mut query = Query::at(instant_or_now(now, py, "now")?);
        query.since = since.map(|since| instant(since, "since")).transpose()?;
        query.until = until.map(|until| instant(until, "until")).transpose()?;
        for word in stages.into_iter().flatten() {
            query.stages.push(status::stage_of(&word).ok_or_else(|| {
                let message = format!("stage \"{word}\": must be on_track, at_risk, late or breached");
                raised(py, ErrorKind::InvalidArgument, message)
            })?);
        }
        query.clock = clock;
        scan(py, self, query, Window { limit, after })
    }

    /// Clocks by stage at `now`.
    #[pyo3(signature = (now = None))]
    fn counts<'py>(&self, py: Python<'py>, now: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        let now = instant_or_now(now, py, "now")?;
        status::counts(py, &self.call(py, |db| db.counts(now))?)
    }

    /// The feed as the consumer of this name sees it. A new name begins with the first notice.
    ///
    /// Raises `InvalidArgumentError` for a name that is empty or over 255 bytes.
    #[pyo3(signature = (consumer, /))]
    fn feed(slf: &Bound<'_, Self>, consumer: String) -> PyResult<PyFeed> {
        slf.get().call(slf.py(), |db| db.feed(&consumer).map(|_| ()))?;
        Ok(PyFeed::new(slf.clone().unbind(), consumer))
    }

    /// Attainment of the requests received in a period: `"2026-03"`, `"2026-Q1"`, `"2026"`, a date or `"first..last"`; of
    /// all requests if left out.
    ///
    /// `by` counts apart by facts (`"customer"`, `"priority"`, an attribute), `per` by `"month"`, `"quarter"` or
    /// `"year"`; `clock` asks for one clock, otherwise it is all that promise a share. `print` it for sentences.
    #[pyo3(signature = (period = None, *, by = None, clock = None, per = None, now = None))]
    fn attainment(
        &self,
        py: Python<'_>,
        period: Option<&Bound<'_, PyAny>>,
        by: Option<Vec<String>>,
        clock: Option<String>,
        per: Option<&str>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyTable> {
        let now = instant_or_now(now, py, "now")?;
        attainment(py, self, self::period(py, period)?, by.unwrap_or_default(), clock, per, now)
    }

    /// Time on hold by reason, for requests received in the period (all if left out), up to `now`.
    #[pyo3(signature = (period = None, *, now = None))]
    fn waiting(
        &self,
        py: Python<'_>,
        period: Option<&Bound<'_, PyAny>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyTable> {
        let now = instant_or_now(now, py, "now")?;
        waiting(py, self, self::period(py, period)?, now)
    }

    /// Why a request's clock stands where it stands at `now`, step by step.
    #[pyo3(signature = (request, clock, /, *, now = None))]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        request: &str,
        clock: &str,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let now = instant_or_now(now, py, "now")?;
        let story = self.call(py, |db| db.explain(request, clock, now))?;
        explanation(py, &story, story.lines(), serde_json::to_value(&story))
    }

    /// Installs a new version of the policy, in force for requests received from `since` on (now, if left out).
    ///
    /// Existing requests keep theirs. Raises `ConflictError` if the version is not above the newest installed one, or
    /// `since` is before that one's.
    #[pyo3(signature = (policy, /, since = None))]
    fn install(
        &self,
        py: Python<'_>,
        policy: &Bound<'_, PyPolicy>,
        since: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let since = instant_or_now(since, py, "since")?;
        let policy = policy.get().inner.clone();
        self.call(py, |db| db.install(&policy, since))
    }

    /// The newest installed policy.
    #[getter]
    fn policy(&self, py: Python<'_>) -> PyResult<PyPolicy> {
        PyPolicy::new(py, self.call(py, Db::policy)?)
    }

    /// The installed policy versions, oldest first.
    fn policies<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        policies(py, &self.call(py, Db::policies)?, &self.zones(py)?)
    }

    /// Facts about the database.
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        status::info(py, &self.call(py, Db::info)?, &self.zones(py)?)
    }

    /// Derives every request anew from its events and replaces stored state that does not follow from them; with
    /// `verify=True` only compares.
    #[pyo3(signature = (*, verify = false))]
    fn rebuild<'py>(&self, py: Python<'py>, verify: bool) -> PyResult<Bound<'py, PyAny>> {
        status::rebuild(py, &self.call(py, |db| if verify { db.verify() } else { db.rebuild() })?)
    }

    /// Verifies every page of the file, then as `rebuild(verify=True)`. Raises `DamagedError` with the place.
    fn check<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        status::rebuild(py, &self.call(py, Db::check)?)
    }

    /// Gives free space in the file back. True if the file shrank. Raises `BusyError` while others use it.
    fn compact(&self, py: Python<'_>) -> PyResult<bool> {
        self.call(py, Db::compact)
    }

    /// Puts everything written so far on the disk. Only bulk durability leaves anything to do.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, Db::flush)
    }

    fn __repr__(&self) -> String {
        format!("<slaclock.Db {}{}>", self.shown(), if self.closed() { ", closed" } else { "" })
    }
}
