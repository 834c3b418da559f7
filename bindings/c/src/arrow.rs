//! Columns in and out through the Arrow C stream interface: what dataframes, DuckDB and every Arrow reader take as it
//! is.
//!
//! A stream that comes out is yours: read it, then call its `release`. A stream that goes in is taken: its `release`
//! is NULL after the call, unless an argument was wrong. Instants go out as timestamps in seconds, UTC; they come in
//! as int64 seconds or as timestamps of any unit, floored to seconds.

use std::ffi::c_char;

use arrow_array::RecordBatch;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use serde::Serialize;
use slaclock_core::arrow;
use slaclock_core::zone::{TzData, Zone};
use slaclock_core::{Db, ErrorKind, OnError, Operation, Outcome};

use crate::db::{self, slaclock_db};
use crate::document::OutcomeDoc;
use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::feed::SLACLOCK_MAX_NOTICES;
use crate::guard::guard;
use crate::output::{Out, number};
use crate::report::slaclock_attainment_query;
use crate::scan::slaclock_query;
use crate::status::slaclock_status;
use crate::text::{Text, slaclock_text};
use crate::{batch, input, output, report, scan};

/// The stream of the Arrow C stream interface, which the header declares as Arrow does.
pub struct ArrowArrayStream {
    _opaque: (),
}

type Stream<'a> = Out<'a, FFI_ArrowArrayStream>;

/// # Safety
/// As for [`output::out`].
unsafe fn stream_out<'a>(place: *mut ArrowArrayStream) -> Result<Stream<'a>, Fault> {
    // SAFETY: the same promise; the two types have the same layout.
    unsafe { output::out("out_stream", place.cast::<FFI_ArrowArrayStream>()) }
}

fn give(out: Stream<'_>, batch: RecordBatch) {
    out.set(FFI_ArrowArrayStream::new(arrow::reader(batch)));
}

/// Every running clock that a query asks for, from one snapshot, earliest due first. Columns: `request` (text),
/// `clock` and `stage` (dictionaries of text), `cycle` (int64), `due_at`, `limit_at` (null without backstop) and
/// `started_at` (timestamps in seconds, UTC).
///
/// \param db         (in)
/// \param query      (in)
/// \param out_stream (out, owned) release it
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for an instant; NOT_FOUND if no policy of the database has the
/// clock asked for; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_scan_arrow(
    db: *const slaclock_db,
    query: *const slaclock_query,
    out_stream: *mut ArrowArrayStream,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, structs with a size and out parameters.
        let (query, out) = unsafe { (scan::read(query)?, stream_out(out_stream)?) };
        give(out, arrow::scan(&db.db, &query)?);
        Ok(())
    })
}

/// The notices that a consumer has not acknowledged. Columns: `number` (int64), `request` (text), `clock`
/// (dictionary), `cycle` (int64), `threshold` (dictionary: `warning`, `late`, `breached`), `percent` (int64, of
/// warnings only), `at` (timestamp in seconds, UTC), `by_change` and `retracted` (booleans).
///
/// \param db         (in)
/// \param consumer   (in) as for `slaclock_pending`, with `consumer_len`
/// \param limit      most notices, 1 to SLACLOCK_MAX_NOTICES
/// \param out_stream (out, owned) release it
///
/// Errors: as for `slaclock_pending`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_pending_arrow(
    db: *const slaclock_db,
    consumer: *const c_char,
    consumer_len: usize,
    limit: usize,
    out_stream: *mut ArrowArrayStream,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (consumer, out) =
            unsafe { (input::text("consumer", consumer, consumer_len)?, stream_out(out_stream)?) };
        let notices = db.db.feed(consumer)?.pending(limit.min(SLACLOCK_MAX_NOTICES))?;
        give(out, arrow::notices(&notices)?);
        Ok(())
    })
}

/// Attainment by clock, period and group. Columns: one of text for each fact counted apart by; `period_first` and
/// `period_last` (dates), `clock` (dictionary), the counts of `slaclock_attainment_row` (int64), `share_bp`,
/// `goal_bp`, `allowed_misses`, `budget_left` (int64, null where there is none) and `verdict` (text).
///
/// \param db         (in)
/// \param query      (in)
/// \param out_stream (out, owned) release it
///
/// Errors: as for `slaclock_attainment`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_attainment_arrow(
    db: *const slaclock_db,
    query: *const slaclock_attainment_query,
    out_stream: *mut ArrowArrayStream,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, structs with a size and out parameters.
        let ((query, _), out) = unsafe { (report::read(query)?, stream_out(out_stream)?) };
        give(out, arrow::groups(&db.db.attainment_by(&query)?)?);
        Ok(())
    })
}

/// Time on hold by reason, as `slaclock_waiting_json` gives it. Columns: `reason` (text), `requests` and `holds`
/// (int64), `elapsed_s`, `working_s` and `median_s` (int64, seconds).
///
/// \param db         (in)
/// \param period     (in) as in `slaclock_attainment_query`, with `period_len`; NULL for all
/// \param now        seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_stream (out, owned) release it
///
/// Errors: as for `slaclock_waiting_json`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_waiting_arrow(
    db: *const slaclock_db,
    period: *const c_char,
    period_len: usize,
    now: i64,
    out_stream: *mut ArrowArrayStream,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        let (waiting, out) =
            unsafe { (report::waiting(db, period, period_len, now)?, stream_out(out_stream)?) };
        give(out, arrow::waiting(&waiting)?);
        Ok(())
    })
}

/// What became of the rows of a stream.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct slaclock_written {
    /// Rows that were written.
    pub recorded: i64,
    /// Rows whose content was there already.
    pub already_recorded: i64,
    /// Rows that were refused.
    pub refused: i64,
}

/// Rows that one transaction writes: some 50 ms, so that other writers get their turn.
const CHUNK: usize = 5_000;

/// Refused rows that are described; all are counted.
const KEPT: usize = 1_000;

#[derive(Serialize)]
struct RefusedRow {
    row: usize,
    #[serde(flatten)]
    why: OutcomeDoc,
}

/// How a table becomes rows.
type Read = fn(&RecordBatch, Option<&Zone>) -> slaclock_core::Result<Vec<Operation>>;

/// The arguments of a call that takes a stream.
struct Intake {
    db: *mut slaclock_db,
    stream: *mut ArrowArrayStream,
    zone: *const c_char,
    zone_len: usize,
    on_error: i32,
    written: *mut slaclock_written,
    refused: *mut *mut slaclock_text,
}

impl Intake {
    /// # Safety
    /// The arguments are as docs/capi.md asks for texts and out parameters; the stream is NULL, not aligned, or one
    /// of Arrow's.
    unsafe fn run(self, read: Read) -> Result<(), Fault> {
        let db = db::get(self.db)?;
        let stream = self.stream.cast::<FFI_ArrowArrayStream>();
        if stream.is_null() || !stream.is_aligned() {
            return Err(Fault::argument("`stream` is NULL or not aligned: must be an ArrowArrayStream"));
        }
        // SAFETY: the same promise.
        let (zone, out, refused) = unsafe {
            (
                input::optional_text("zone", self.zone, self.zone_len)?,
                output::optional_out("out_written", self.written)?,
                output::optional_out("out_refused", self.refused)?,
            )
        };
        let on_error = batch::on_error(self.on_error)?;
        let zone = zone.map(|name| TzData::bundled().zone(name)).transpose()?;
        // SAFETY: the same promise. The stream is moved out of its place, which is left released.
        let reader = unsafe { RecordBatchStreamReader::from_raw(stream) };
        let reader = reader.map_err(|error| Fault::argument(format!("`stream`: {error}")))?;
        let mut account = Written::default();
        for table in reader {
            let table = table.map_err(|error| Fault::argument(format!("`stream`: {error}")))?;
            account.take(&db.db, &read(&table, zone.as_ref())?, on_error)?;
        }
        if let Some(refused) = refused {
            let text = serde_json::to_string(&account.refused)
                .map_err(|error| Fault::new(ErrorKind::Internal, error.to_string()))?;
            refused.set(Text::fresh(text)?.hand_over());
        }
        if let Some(out) = out {
            out.set(slaclock_written {
                recorded: number(account.recorded),
                already_recorded: number(account.already),
                refused: number(account.refused_count),
            });
        }
        Ok(())
    }
}

/// The account so far.
#[derive(Default)]
struct Written {
    rows: usize,
    recorded: u64,
    already: u64,
    refused_count: u64,
    refused: Vec<RefusedRow>,
}

impl Written {
    fn take(&mut self, db: &Db, operations: &[Operation], on_error: OnError) -> Result<(), Fault> {
        for chunk in operations.chunks(CHUNK) {
            let results = db.apply(chunk, on_error).map_err(|error| {
                Fault::from(error).context(&format!("rows {} to {}", self.rows, self.rows + chunk.len() - 1))
            })?;
            for (row, result) in (self.rows..).zip(results) {
                match result {
                    Ok(Outcome::Recorded) => self.recorded += 1,
                    Ok(Outcome::AlreadyRecorded) => self.already += 1,
                    Err(error) => {
                        self.refused_count += 1;
                        if self.refused.len() < KEPT {
                            self.refused.push(RefusedRow { row, why: Err(error).into() });
                        }
                    }
                }
            }
            self.rows += chunk.len();
        }
        Ok(())
    }
}

/// Submits a table of requests, 5000 rows a transaction.
///
/// Columns `id` and `received_at` must be there; `customer`, `priority`, `category`, `channel` and `subject` may be;
/// every other column is an attribute of that name. Nulls and empty texts are no values.
///
/// \param db          (in)
/// \param requests    (in) taken
/// \param zone        (in) IANA name for timestamps without a zone of their own, UTF-8, with `zone_len`; NULL refuses
///                    them
/// \param on_error    one of `slaclock_on_error`; with `SLACLOCK_ON_ERROR_ABORT` the transactions before the wrong
///                    row stay
/// \param out_written (out) the account; NULL to decline
/// \param out_refused (out, owned) JSON: a list of `row` (from 0), `status`, `name`, `message` for the first 1000
///                    refused rows; free with `slaclock_text_free`; NULL to decline
///
/// Errors: INVALID_ARGUMENT, also for a table of other columns; CLOSED; UNKNOWN_ZONE; OUT_OF_RANGE for an instant;
/// with `SLACLOCK_ON_ERROR_ABORT` the errors of `slaclock_submit`; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_submit_arrow(
    db: *mut slaclock_db,
    requests: *mut ArrowArrayStream,
    zone: *const c_char,
    zone_len: usize,
    on_error: i32,
    out_written: *mut slaclock_written,
    out_refused: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let (written, refused) = (out_written, out_refused);
        let intake = Intake { db, stream: requests, zone, zone_len, on_error, written, refused };
        // SAFETY: docs/capi.md, texts, out parameters and streams.
        unsafe { intake.run(arrow::requests) }
    })
}

/// Records a table of events, 5000 rows a transaction.
///
/// Columns `request` (its id), `event` (the word, such as `paused`) and `at` must be there; `by`, `key` and `text`
/// may be, and what the kinds carry: `to`, `reason`, `vendor`, `due`. Every other column is a fact that a `changed`
/// event sets. Nulls and empty texts are no values.
///
/// Arguments: as for `slaclock_submit_arrow`, with `events` (in), taken.
///
/// Errors: INVALID_ARGUMENT, also for a table of other columns; CLOSED; UNKNOWN_ZONE; OUT_OF_RANGE for an instant;
/// INVALID_EVENT for a word that is no event, or fields that are not those of its kind; with
/// `SLACLOCK_ON_ERROR_ABORT` the errors of `slaclock_record`; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_record_arrow(
    db: *mut slaclock_db,
    events: *mut ArrowArrayStream,
    zone: *const c_char,
    zone_len: usize,
    on_error: i32,
    out_written: *mut slaclock_written,
    out_refused: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let (written, refused) = (out_written, out_refused);
        let intake = Intake { db, stream: events, zone, zone_len, on_error, written, refused };
        // SAFETY: docs/capi.md, texts, out parameters and streams.
        unsafe { intake.run(arrow::events) }
    })
}
