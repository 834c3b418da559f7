//! The import itself: rows in, entries out, in chunks.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use super::Entry;
use super::audit::{Audit, Audited};
use super::cases::Cases;
use super::mapping::Mapping;
use super::report::{ImportReport, OddityCode};
use super::source::{Next, Row, Rows};
use super::stamp::quoted;
use crate::error::{Error, ErrorKind, Result};
use crate::model::validate_id;

/// What to do with a row that cannot be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBadRow {
    /// Report it and go on.
    #[default]
    Skip,
    /// Stop with `InvalidRow`. What was written before stays; the chunk with the row is not written.
    Abort,
}

/// How far an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file read, as stored (compressed, if it is).
    pub bytes: u64,
    /// Size of the file, where it is known.
    pub total: Option<u64>,
    /// Rows read.
    pub rows: u64,
    /// Requests written.
    pub requests: u64,
    /// Events written.
    pub events: u64,
}

/// How to import.
pub struct ImportOptions<'a> {
    /// What to do with a bad row. Default: skip.
    pub on_bad_row: OnBadRow,
    /// How many oddities to keep with their row and text; all are counted. Default 1,000.
    pub keep_oddities: usize,
    /// Called after each chunk; `Break` stops the import with `Cancelled`. What was written before stays, and
    /// importing the file again goes on from there.
    pub progress: Option<&'a mut dyn FnMut(Progress) -> ControlFlow<()>>,
}

impl Default for ImportOptions<'_> {
    fn default() -> Self {
        ImportOptions { on_bad_row: OnBadRow::Skip, keep_oddities: 1_000, progress: None }
    }
}

/// What became of an entry.
#[derive(Debug)]
pub struct Written {
    /// Whether the request is new, or why it was refused; then its events were not tried.
    pub request: Result<bool>,
    /// The same for each event.
    pub events: Vec<Result<bool>>,
}

/// Takes the entries of an import.
pub trait Sink {
    /// Writes entries in one transaction and says what became of each, in their order.
    ///
    /// # Errors
    /// If nothing of the chunk was written: `InvalidRow` for an entry that was refused under [`OnBadRow::Abort`], or
    /// a failure to write.
    fn write(&mut self, entries: &[Entry], on_bad_row: OnBadRow) -> Result<Vec<Written>>;
}

/// Keeps the entries in memory: for dry runs and tests.
impl Sink for Vec<Entry> {
    fn write(&mut self, entries: &[Entry], _: OnBadRow) -> Result<Vec<Written>> {
        self.extend_from_slice(entries);
        let all_new = |entry: &Entry| Written {
            request: Ok(true),
            events: entry.events.iter().map(|_| Ok(true)).collect(),
        };
        Ok(entries.iter().map(all_new).collect())
    }
}

/// Imports a file, plain or gzip (told apart by its first bytes).
///
/// Entries go to `sink` in the file's order, in chunks that take 50 to 100 ms to write.
///
/// # Errors
/// `NotFound` or `Io` if the file cannot be read, `Damaged` if its compressed data is, `InvalidMapping` if it lacks a
/// column that the mapping names, `InvalidRow` for a bad row under [`OnBadRow::Abort`], `Cancelled` if the progress
/// callback says so, and what `sink` returns. Messages begin with the path.
pub fn import(
    mapping: &Mapping,
    path: impl AsRef<Path>,
    sink: &mut dyn Sink,
    options: ImportOptions<'_>,
) -> Result<ImportReport> {
    let path = path.as_ref();
    let rows = Rows::open(path, mapping)?;
    Run::new(mapping, rows, sink, options).run().map_err(|error| match error.kind() {
        // The place is one in the mapping, not in this file.
        ErrorKind::InvalidMapping => error.context(&mapping.origin),
        _ => error.context(path.display()),
    })
}

/// Imports from anything that can be read, such as bytes in memory. As [`import`], without a path in messages.
///
/// # Errors
/// As [`import`].
pub fn import_from(
    mapping: &Mapping,
    reader: impl Read + 'static,
    sink: &mut dyn Sink,
    options: ImportOptions<'_>,
) -> Result<ImportReport> {
    let rows = Rows::new(reader, None, mapping)?;
    Run::new(mapping, rows, sink, options).run()
}

struct Run<'a, 'o, 'm> {
    mapping: &'m Mapping,
    rows: Rows,
    sink: &'a mut dyn Sink,
    options: ImportOptions<'o>,
    report: ImportReport,
    waiting: Vec<Entry>,
    waiting_writes: usize,
    /// Requests and events to write at once.
    chunk: usize,
    seen: HashSet<Box<str>>,
}

/// Limits of a chunk, in requests and events.
const CHUNK: std::ops::RangeInclusive<usize> = 64..=65_536;

impl<'a, 'o, 'm> Run<'a, 'o, 'm> {
    fn new(mapping: &'m Mapping, rows: Rows, sink: &'a mut dyn Sink, options: ImportOptions<'o>) -> Self {
        let report = ImportReport::keeping(options.keep_oddities);
        let (waiting, seen) = (Vec::new(), HashSet::new());
        Run { mapping, rows, sink, options, report, waiting, waiting_writes: 0, chunk: 512, seen }
    }

    fn run(mut self) -> Result<ImportReport> {
        match &self.mapping.update {
            Some(update) => {
                let audit = Audit::new(self.mapping, update, &self.rows)?;
                if audit.grouped() { self.groups(&audit)? } else { self.scattered(&audit)? }
            }
            None => {
                let cases = Cases::new(self.mapping, &self.rows)?;
                self.cases(&cases)?;
            }
        }
        self.flush()?;
        Ok(self.report)
    }

    /// The next usable row with its id.
    fn next(&mut self, id_column: usize) -> Result<Option<(String, Row)>> {
        loop {
            match self.rows.next()? {
                Next::End => return Ok(None),
                Next::Bad { line, why } => {
                    self.report.rows += 1;
                    self.bad(line, "", &Error::new(ErrorKind::InvalidRow, why))?;
                }
                Next::Row(row) => {
                    self.report.rows += 1;
                    let id = row.get(id_column).to_owned();
                    if self.mapping.stamp.is_missing(&id) {
                        let message = format!(
                            "column `{}` is missing: the row has no id",
                            self.mapping.request.id.name
                        );
                        self.bad(row.line, "", &Error::new(ErrorKind::InvalidRow, message))?;
                    } else if let Err(error) = validate_id(&id) {
                        self.bad(row.line, "", &error)?;
                    } else {
                        return Ok(Some((id, row)));
                    }
                }
            }
        }
    }

    /// Skips and reports a row, or stops.
    fn bad(&mut self, line: u64, id: &str, error: &Error) -> Result<()> {
        self.skip(line, id, OddityCode::BadRow, error.message())
    }

    fn skip(&mut self, line: u64, id: &str, code: OddityCode, why: &str) -> Result<()> {
        if self.options.on_bad_row == OnBadRow::Abort {
            let whose = if id.is_empty() { String::new() } else { format!(" (request {})", quoted(id)) };
            return Err(Error::new(ErrorKind::InvalidRow, format!("line {line}{whose}: {why}")));
        }
        self.report.odd(line, id, code, why);
        self.report.rows_skipped += 1;
        Ok(())
    }

    /// An audit log in which the rows of a request stand together: one request in memory at a time.
    fn groups(&mut self, audit: &Audit<'m>) -> Result<()> {
        let mut group: (String, Vec<Audited>) = (String::new(), Vec::new());
        while let Some((id, row)) = self.next(audit.id)? {
            if id != group.0 {
                let (done, rows) = std::mem::replace(&mut group, (id.clone(), Vec::new()));
                self.finish(audit, &done, rows)?;
            }
            let line = row.line;
            if self.seen.contains(id.as_str()) {
                let why =
                    "the rows of the request do not stand together; write `grouped = false` in [update]";
                self.skip(line, &id, OddityCode::RepeatedId, why)?;
                continue;
            }
            match audit.read(row) {
                Ok(update) => group.1.push(update),
                Err(error) => self.bad(line, &id, &error)?,
            }
        }
        self.finish(audit, &group.0, group.1)
    }

    /// An audit log in any order: the whole file is read before the first request is known.
    fn scattered(&mut self, audit: &Audit<'m>) -> Result<()> {
        let mut order: Vec<String> = Vec::new();
        let mut groups: HashMap<String, Vec<Audited>> = HashMap::new();
        while let Some((id, row)) = self.next(audit.id)? {
            let line = row.line;
            match audit.read(row) {
                Ok(update) => {
                    let group = groups.entry(id.clone()).or_default();
                    if group.is_empty() {
                        order.push(id);
                    }
                    group.push(update);
                }
                Err(error) => self.bad(line, &id, &error)?,
            }
        }
        for id in order {
            let rows = groups.remove(&id).unwrap_or_default();
            self.finish(audit, &id, rows)?;
        }
        Ok(())
    }

    fn finish(&mut self, audit: &Audit<'m>, id: &str, rows: Vec<Audited>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        self.seen.insert(id.into());
        match audit.entry(id, rows, &mut self.report) {
            Some(entry) => self.push(entry),
            None if self.options.on_bad_row == OnBadRow::Abort => {
                let message = format!("request {}: no row says when it was received", quoted(id));
                Err(Error::new(ErrorKind::InvalidRow, message))
            }
            None => Ok(()),
        }
    }

    fn cases(&mut self, cases: &Cases<'m>) -> Result<()> {
        while let Some((id, row)) = self.next(cases.id)? {
            if self.seen.contains(id.as_str()) {
                let why = "the id came up before; a file of cases has one row for each";
                self.skip(row.line, &id, OddityCode::RepeatedId, why)?;
                continue;
            }
            match cases.entry(&id, &row, &mut self.report) {
                Ok(Some(entry)) => {
                    self.seen.insert(id.into());
                    self.push(entry)?;
                }
                Ok(None) if self.options.on_bad_row == OnBadRow::Abort => {
                    let message = format!(
                        "line {} (request {}): the row does not say when the request was received",
                        row.line,
                        quoted(&id)
                    );
                    return Err(Error::new(ErrorKind::InvalidRow, message));
                }
                Ok(None) => {}
                Err(error) => self.bad(row.line, &id, &error)?,
            }
        }
        Ok(())
    }

    fn push(&mut self, entry: Entry) -> Result<()> {
        self.report.count(entry.request.received_at, &entry.events);
        self.waiting_writes += 1 + entry.events.len();
        self.waiting.push(entry);
        if self.waiting_writes >= self.chunk { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        if !self.waiting.is_empty() {
            let entries = std::mem::take(&mut self.waiting);
            let began = std::time::Instant::now(); // A stop-watch for the chunk's size; no answer depends on it.
            let written = self.sink.write(&entries, self.options.on_bad_row)?;
            self.resize(began.elapsed());
            self.waiting_writes = 0;
            for (entry, written) in entries.iter().zip(written) {
                self.account(entry, written);
            }
        }
        let progress = Progress {
            bytes: self.rows.bytes_read(),
            total: self.rows.total,
            rows: self.report.rows,
            requests: self.report.requests,
            events: self.report.events,
        };
        match self.options.progress.as_mut().map(|callback| callback(progress)) {
            Some(ControlFlow::Break(())) => Err(Error::new(
                ErrorKind::Cancelled,
                format!("import stopped after {} requests and {} events", progress.requests, progress.events),
            )),
            _ => Ok(()),
        }
    }

    /// Aims at chunks of 50 to 100 ms: long enough to amortise the sync, short enough for other writers.
    fn resize(&mut self, took: Duration) {
        if took < Duration::from_millis(50) && self.waiting_writes >= self.chunk {
            self.chunk = (self.chunk * 2).min(*CHUNK.end());
        } else if took > Duration::from_millis(100) {
            self.chunk = (self.chunk / 2).max(*CHUNK.start());
        }
    }

    fn account(&mut self, entry: &Entry, written: Written) {
        let id = &entry.request.id;
        match written.request {
            Ok(new) => self.report.requests_new += u64::from(new),
            Err(error) => {
                self.report.odd(entry.row, id, OddityCode::Refused, error.message());
                self.report.rows_used -= entry.rows;
                self.report.rows_skipped += entry.rows;
                return;
            }
        }
        for (row, event) in entry.event_rows.iter().zip(written.events) {
            match event {
                Ok(new) => self.report.events_new += u64::from(new),
                Err(error) => self.report.odd(*row, id, OddityCode::Refused, error.message()),
            }
        }
    }
}
