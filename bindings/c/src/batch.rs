//! Batches: many requests and events in one transaction, with a result for each row.
//!
//! Collect rows, in any mixture, then apply them; a batch may be applied again, to another database say. A
//! transaction keeps other writers waiting, so make batches of some thousand rows, not of a million. Texts are copied
//! as rows are added.

use std::ffi::c_char;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use slaclock_core::{OnError, Operation};

use crate::db::{self, slaclock_db};
use crate::document::{self, OperationDoc, OutcomeDoc};
use crate::error::slaclock_error;
use crate::event::slaclock_event;
use crate::fault::Fault;
use crate::guard::guard;
use crate::handle::{self, Fresh, object};
use crate::request::{slaclock_outcome, slaclock_request};
use crate::status::slaclock_status;
use crate::text::{give_json, slaclock_text};
use crate::{event, input, output, request};

/// Rows to be written together.
pub struct slaclock_batch {
    _opaque: (),
}

#[derive(Default)]
struct Batch(Mutex<Vec<Operation>>);

object!(Batch, slaclock_batch, 6, "a batch");

impl Batch {
    fn push(&self, operation: Operation) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(operation);
    }
}

/// What a batch does with a row that is wrong.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_on_error {
    /// Nothing of the batch is written; the error names the row.
    Abort = 0,
    /// The row is left out and reported; the others are written.
    Skip = 1,
}

/// A row that was refused.
#[derive(Serialize)]
struct Refused {
    row: usize,
    #[serde(flatten)]
    why: OutcomeDoc,
}

pub(crate) fn on_error(value: i32) -> Result<OnError, Fault> {
    input::choice("on_error", value, &[(0, "abort", OnError::Abort), (1, "skip", OnError::Skip)])
}

/// Makes an empty batch.
///
/// \param out_batch (out, owned) free with `slaclock_batch_free`
///
/// Errors: INVALID_ARGUMENT if `out_batch` is NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_batch_new(
    out_batch: *mut *mut slaclock_batch,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_batch", out_batch) }?;
        out.set(Fresh::new(Batch::default())?.hand_over());
        Ok(())
    })
}

/// Adds a request to be submitted.
///
/// \param batch   (in)
/// \param request (in) copied
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `received_at`. Then nothing is added. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_batch_submit(
    batch: *mut slaclock_batch,
    request: *const slaclock_request,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let batch = handle::get::<Batch>("batch", batch)?;
        // SAFETY: docs/capi.md, structs with a size.
        batch.push(Operation::Submit(unsafe { request::read(request) }?));
        Ok(())
    })
}

/// Adds an event to be recorded.
///
/// \param batch (in)
/// \param id    (in) the request's id, UTF-8, of the database or of a row before; `id_len` its length in bytes, or
///              SLACLOCK_NTS
/// \param event (in) copied
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for an instant. Then nothing is added. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_batch_record(
    batch: *mut slaclock_batch,
    id: *const c_char,
    id_len: usize,
    event: *const slaclock_event,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let batch = handle::get::<Batch>("batch", batch)?;
        // SAFETY: docs/capi.md, texts and structs with a size.
        let (id, event) = unsafe { (input::text("id", id, id_len)?, event::read(event)?) };
        batch.push(Operation::Record { id: id.to_owned(), event });
        Ok(())
    })
}

/// How many rows a batch has.
///
/// \param batch (in)
/// \return 0 also if `batch` is no batch, and then `slaclock_last_error` says why. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_batch_len(batch: *const slaclock_batch) -> usize {
    crate::guard::value(0, || {
        let batch = handle::get::<Batch>("batch", batch)?;
        Ok(batch.0.lock().unwrap_or_else(PoisonError::into_inner).len())
    })
}

/// Takes all rows out of a batch.
///
/// \param batch (in)
///
/// Errors: INVALID_ARGUMENT, CLOSED. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_batch_clear(
    batch: *mut slaclock_batch,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let batch = handle::get::<Batch>("batch", batch)?;
        batch.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    })
}

/// Frees a batch. NULL is fine; a batch that is freed already stays so, and the log is told.
///
/// \param batch (in) not to be used again
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_batch_free(batch: *mut slaclock_batch) {
    handle::free::<Batch>("slaclock_batch_free", "batch", batch);
}

/// Writes all rows of a batch in one transaction.
///
/// \param db           (in)
/// \param batch        (in) keeps its rows
/// \param on_error     one of `slaclock_on_error`
/// \param out_outcomes (out) room for a `slaclock_outcome` (as a number) for each row, in order; NULL to decline
/// \param out_statuses (out) room for the status of each row, in order; NULL to decline
/// \param capacity     entries in either; must be at least the number of rows unless both are NULL
/// \param out_refused  (out, owned) JSON: a list of `row` (from 0), `status`, `name`, `message` for the refused rows;
///                     free with `slaclock_text_free`; NULL to decline
///
/// Errors: INVALID_ARGUMENT, also for a capacity that is too small; CLOSED; with `SLACLOCK_ON_ERROR_ABORT` the error
/// of the first wrong row, its position named, and nothing is written: INVALID_ARGUMENT, OUT_OF_RANGE, NOT_FOUND,
/// INVALID_EVENT, CONFLICT; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_apply(
    db: *mut slaclock_db,
    batch: *const slaclock_batch,
    on_error: i32,
    out_outcomes: *mut i32,
    out_statuses: *mut i32,
    capacity: usize,
    out_refused: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let (db, batch) = (db::get(db)?, handle::get::<Batch>("batch", batch)?);
        let on_error = self::on_error(on_error)?;
        let operations = batch.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = |place: *mut i32| if place.is_null() { 0 } else { capacity };
        // SAFETY: docs/capi.md, columns and out parameters.
        let (outcomes, statuses, refused) = unsafe {
            (
                output::column_out("out_outcomes", out_outcomes, room(out_outcomes))?,
                output::column_out("out_statuses", out_statuses, room(out_statuses))?,
                output::optional_out("out_refused", out_refused)?,
            )
        };
        let wanted = !out_outcomes.is_null() || !out_statuses.is_null();
        if wanted && capacity < operations.len() {
            return Err(Fault::argument(format!(
                "`capacity` is {capacity}: the batch has {} rows",
                operations.len()
            )));
        }
        let results = db.db.apply(&operations, on_error)?;
        let number = |result: &Result<slaclock_core::Outcome, slaclock_core::Error>| match result {
            Ok(outcome) => (slaclock_outcome::from(*outcome) as i32, slaclock_status::Ok as i32),
            Err(error) => (slaclock_outcome::Refused as i32, slaclock_status::of(error.kind()) as i32),
        };
        let numbers: Vec<(i32, i32)> = results.iter().map(number).collect();
        if let Some(refused) = refused {
            let rows = results.into_iter().enumerate().filter(|(_, result)| result.is_err());
            let rows: Vec<Refused> = rows.map(|(row, result)| Refused { row, why: result.into() }).collect();
            give_json(refused, &rows)?;
        }
        outcomes.fill(numbers.iter().map(|(outcome, _)| *outcome));
        statuses.fill(numbers.iter().map(|(_, status)| *status));
        Ok(())
    })
}

/// The same with JSON in and out, for languages in which structs are tedious.
///
/// \param db       (in)
/// \param json     (in) a list of `{"submit": {...}}` (as for `slaclock_submit_json`) and `{"request": ID, "record":
///                 {...}}` (as for `slaclock_record_json`); `json_len` its length in bytes, or SLACLOCK_NTS
/// \param on_error one of `slaclock_on_error`
/// \param out_json (out, owned) a list with, for each row in order, `{"outcome": "recorded"}`, `{"outcome":
///                 "already_recorded"}` or `{"status", "name", "message"}`; free with `slaclock_text_free`; NULL to
///                 decline
///
/// Errors: as for `slaclock_apply`. A list that cannot be read is INVALID_ARGUMENT whatever `on_error` says. Any
/// thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_apply_json(
    db: *mut slaclock_db,
    json: *const c_char,
    json_len: usize,
    on_error: i32,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        let on_error = self::on_error(on_error)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (json, out) =
            unsafe { (input::text("json", json, json_len)?, output::optional_out("out_json", out_json)?) };
        let rows: Vec<OperationDoc> = document::read("json", json)?;
        let operation = |(row, doc): (usize, OperationDoc)| {
            doc.into_operation().map_err(|fault| fault.context(&format!("row {row}")))
        };
        let operations = rows.into_iter().enumerate().map(operation).collect::<Result<Vec<_>, Fault>>()?;
        let results = db.db.apply(&operations, on_error)?;
        let results: Vec<OutcomeDoc> = results.into_iter().map(OutcomeDoc::from).collect();
        out.map_or(Ok(()), |out| give_json(out, &results))
    })
}
