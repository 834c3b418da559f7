//! Imports: request logs through the core's reader, tables of events in chunks; the caller hears of it in between.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant as StopWatch};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyMapping, PyTuple};
use slaclock::import::{ImportOptions, ImportReport, Mapping, OnBadRow, Progress};
use slaclock::{Db, Event, Instant, OnError, Operation};

use crate::batch::{What, operations};
use crate::db::PyDb;
use crate::error::{about_file, caught};
use crate::facts::mapped;
use crate::shape::make;
use crate::table::Zones;

/// Where events come from.
pub(crate) enum Source {
    File(PathBuf, Box<Mapping>),
    Bytes(Vec<u8>, Box<Mapping>),
    Operations(Vec<Operation>),
}

impl Source {
    /// Tells a file from bytes from a table.
    pub(crate) fn of(
        source: &Bound<'_, PyAny>,
        mapping: Option<&Bound<'_, PyAny>>,
        zone: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Source> {
        let bytes = source.cast::<PyBytes>().ok().map(|bytes| bytes.as_bytes().to_vec());
        let path = if bytes.is_none() { source.extract::<PathBuf>().ok() } else { None };
        if bytes.is_none() && path.is_none() {
            let names = mapping.map(|mapping| mapped(mapping.cast::<PyMapping>()?)).transpose()?;
            return Ok(Source::Operations(operations(
                source,
                What::Events,
                &names.unwrap_or_default(),
                zone,
            )?));
        }
        let mapping = mapping.and_then(|mapping| mapping.extract::<PathBuf>().ok()).ok_or_else(|| {
            PyTypeError::new_err(
                "mapping: a request log needs the path of a mapping file, like \"servicenow.toml\"",
            )
        })?;
        let py = source.py();
        let mapping = caught(py, || Mapping::load(&mapping))?.map_err(|error| about_file(py, &error))?;
        Ok(match (bytes, path) {
            (Some(bytes), _) => Source::Bytes(bytes, Box::new(mapping)),
            (None, Some(path)) => Source::File(path, Box::new(mapping)),
            (None, None) => Source::Operations(Vec::new()),
        })
    }
}

/// Who hears how far it has come, and whether somebody pressed Ctrl-C meanwhile.
struct Listener {
    report: Option<Py<PyAny>>,
    /// What the callable raised, or the interrupt.
    raised: Option<PyErr>,
}

impl Listener {
    fn hear(&mut self, done: u64, total: Option<u64>) -> ControlFlow<()> {
        let heard = Python::attach(|py| {
            py.check_signals()?;
            match &self.report {
                Some(report) => report.call1(py, (done, total)).map(|_| ()),
                None => Ok(()),
            }
        });
        match heard {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.raised = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

/// Imports, and accounts for every row.
pub(crate) fn import<'py>(
    py: Python<'py>,
    db: &PyDb,
    source: Source,
    on_error: OnError,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let handle = db.handle(py)?;
    let (report, finish): (Option<Py<PyAny>>, Py<PyAny>) =
        py.import("slaclock._progress")?.getattr("reporter")?.call1((progress,))?.extract()?;
    let mut listener = Listener { report, raised: None };
    let outcome = caught(py, || match source {
        Source::Operations(operations) => events(&handle, &operations, on_error, &mut listener),
        Source::File(path, mapping) => {
            let mut hear = |progress: Progress| listener.hear(progress.bytes, progress.total);
            slaclock::import::import(&mapping, path, &mut &*handle, how(on_error, &mut hear)).map(Account::of)
        }
        Source::Bytes(bytes, mapping) => {
            let total = bytes.len() as u64;
            let mut hear = |progress: Progress| listener.hear(progress.bytes, Some(total));
            let reader = std::io::Cursor::new(bytes);
            slaclock::import::import_from(&mapping, reader, &mut &*handle, how(on_error, &mut hear))
                .map(Account::of)
        }
    });
    let finished = finish.call0(py);
    if let Some(error) = listener.raised {
        return Err(error);
    }
    let account = outcome?.map_err(|error| about_file(py, &error))?;
    finished?;
    account.shown(py, &db.zones(py)?)
}

fn how<'a>(on_error: OnError, hear: &'a mut dyn FnMut(Progress) -> ControlFlow<()>) -> ImportOptions<'a> {
    let on_bad_row = if on_error == OnError::Abort { OnBadRow::Abort } else { OnBadRow::Skip };
    ImportOptions { on_bad_row, progress: Some(hear), ..ImportOptions::default() }
}

/// What an import did, whatever it was made from.
#[derive(Default)]
struct Account {
    rows: u64,
    rows_used: u64,
    rows_skipped: u64,
    requests: u64,
    requests_new: u64,
    events: u64,
    events_new: u64,
    by_kind: Vec<(&'static str, u64)>,
    odd: Vec<(&'static str, u64)>,
    oddities: Vec<(u64, String, &'static str, String)>,
    first_at: Option<Instant>,
    last_at: Option<Instant>,
}

/// Most oddities of a table that are kept with their text.
const KEEP: usize = 1_000;

impl Account {
    fn of(report: ImportReport) -> Account {
        let oddities = report.oddities.into_iter().map(|odd| (odd.row, odd.id, odd.code.word(), odd.text));
        Account {
            rows: report.rows,
            rows_used: report.rows_used,
            rows_skipped: report.rows_skipped,
            requests: report.requests,
            requests_new: report.requests_new,
            events: report.events,
            events_new: report.events_new,
            by_kind: report.events_by_kind.into_iter().collect(),
            odd: report.oddity_counts.into_iter().map(|(word, count)| (word, count.rows)).collect(),
            oddities: oddities.collect(),
            first_at: report.first_at,
            last_at: report.last_at,
        }
    }

    fn add(&mut self, row: u64, id: &str, event: &Event, outcome: slaclock::Result<slaclock::Outcome>) {
        match outcome {
            Ok(outcome) => {
                self.rows_used += 1;
                self.events += 1;
                self.events_new += u64::from(outcome == slaclock::Outcome::Recorded);
                count(&mut self.by_kind, event.kind.tag().word());
                self.first_at = Some(self.first_at.map_or(event.at, |first| first.min(event.at)));
                self.last_at = Some(self.last_at.map_or(event.at, |last| last.max(event.at)));
            }
            Err(error) => {
                self.rows_skipped += 1;
                count(&mut self.odd, "refused");
                if self.oddities.len() < KEEP {
                    self.oddities.push((row, id.to_owned(), "refused", error.message().to_owned()));
                }
            }
        }
    }

    fn shown<'py>(self, py: Python<'py>, zones: &Zones) -> PyResult<Bound<'py, PyAny>> {
        let counts = |pairs: &[(&str, u64)]| {
            let dict = PyDict::new(py);
            pairs.iter().try_for_each(|(word, count)| dict.set_item(word, count)).map(|()| dict)
        };
        let oddities =
            self.oddities.into_iter().map(|odd| make(py, "Oddity", odd)).collect::<PyResult<Vec<_>>>()?;
        let numbers = (self.rows, self.rows_used, self.rows_skipped, self.requests, self.requests_new);
        let fields = (
            numbers.0,
            numbers.1,
            numbers.2,
            numbers.3,
            numbers.4,
            self.events,
            self.events_new,
            counts(&self.by_kind)?,
            counts(&self.odd)?,
            PyTuple::new(py, oddities)?,
            zones.main().optional(py, self.first_at)?,
            zones.main().optional(py, self.last_at)?,
        );
        make(py, "ImportReport", fields)
    }
}

fn count(counts: &mut Vec<(&'static str, u64)>, word: &'static str) {
    match counts.iter_mut().find(|(known, _)| *known == word) {
        Some((_, count)) => *count += 1,
        None => counts.push((word, 1)),
    }
}

/// Records events in chunks that take 50 to 100 ms to write.
fn events(
    db: &Db,
    operations: &[Operation],
    on_error: OnError,
    listener: &mut Listener,
) -> slaclock::Result<Account> {
    let (mut account, mut chunk, mut done) = (Account::default(), 512, 0);
    account.rows = operations.len() as u64;
    while let Some(rest) = operations.get(done..).filter(|rest| !rest.is_empty()) {
        let now = rest.get(..chunk).unwrap_or(rest);
        let began = StopWatch::now(); // A stop-watch for the chunk's size; no answer depends on it.
        let outcomes = db.apply(now, on_error)?;
        let took = began.elapsed();
        for ((row, operation), outcome) in (done as u64..).zip(now).zip(outcomes) {
            if let Operation::Record { id, event } = operation {
                account.add(row, id, event, outcome);
            }
        }
        done += now.len();
        if took < Duration::from_millis(50) {
            chunk = (chunk * 2).min(65_536);
        } else if took > Duration::from_millis(100) {
            chunk = (chunk / 2).max(64);
        }
        if listener.hear(done as u64, Some(operations.len() as u64)).is_break() {
            break;
        }
    }
    Ok(account)
}
