//! What a desk does around its deadlines: expedites within their quota, waits for vendors and customers, the requests
//! behind a figure, and who has read or reviewed the policy. Answers are documents: JSON, instants in seconds since
//! 1970-01-01T00:00:00Z, spans in seconds. `docs/care.md` says what each means.

use std::ffi::c_char;

use serde::Serialize;
use slaclock_core::db::Acknowledgement;
use slaclock_core::{Db, Outcome, PeriodRange};

use crate::db::{self, slaclock_db};
use crate::document;
use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::guard::guard;
use crate::report::{read, slaclock_attainment_query};
use crate::request::slaclock_outcome;
use crate::status::slaclock_status;
use crate::text::{give_json, slaclock_text};
use crate::{input, output};

/// Hands over what a question to the database is answered with.
///
/// # Safety
/// `out_json` as for [`output::out`].
pub(crate) unsafe fn told<A: Serialize>(
    db: *const slaclock_db,
    out_json: *mut *mut slaclock_text,
    ask: impl FnOnce(&Db) -> Result<A, Fault>,
) -> Result<(), Fault> {
    let db = db::get(db)?;
    // SAFETY: the same promise.
    let out = unsafe { output::out("out_json", out_json) }?;
    give_json(out, &ask(&db.db)?)
}

/// Does what is recorded once, and hands over what became of it.
///
/// # Safety
/// `out_outcome` as for [`output::optional_out`].
pub(crate) unsafe fn recorded(
    db: *mut slaclock_db,
    out_outcome: *mut slaclock_outcome,
    work: impl FnOnce(&Db) -> Result<Outcome, Fault>,
) -> Result<(), Fault> {
    let db = db::get(db)?;
    // SAFETY: the same promise.
    let out = unsafe { output::optional_out("out_outcome", out_outcome) }?;
    let outcome = work(&db.db)?;
    if let Some(out) = out {
        out.set(outcome.into());
    }
    Ok(())
}

/// How many expedites a customer has used in the calendar month of `at`, and when the next is free.
///
/// \param db       (in)
/// \param customer (in) UTF-8; `customer_len` its length in bytes, or SLACLOCK_NTS
/// \param at       seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_json (out, owned) `customer`, `month`, `used`, `per_month`, `next_free_at` (null if never); free with
///                 `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`; UNSUPPORTED if the newest policy foresees no expedites; the
/// errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_expedite_quota_json(
    db: *const slaclock_db,
    customer: *const c_char,
    customer_len: usize,
    at: i64,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe {
            let customer = input::text("customer", customer, customer_len);
            told(db, out_json, |db| Ok(db.expedite_quota(customer?, input::instant("at", at)?)?))
        }
    })
}

/// Use of expedites by customer, then calendar month.
///
/// \param db       (in)
/// \param period   (in) a text like `2026-03`; NULL for all; `period_len` its length in bytes, or SLACLOCK_NTS
/// \param out_json (out, owned) a list of `customer`, `month`, `used`, `approved`, `per_month` and `expedites` (`request`,
///                 `at`, `by`, `approved_by`); free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, also for a text that is no period; CLOSED; OUT_OF_RANGE for a period beyond 1970 to 2099; the
/// errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_expedites_json(
    db: *const slaclock_db,
    period: *const c_char,
    period_len: usize,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe {
            let period = input::optional_text("period", period, period_len);
            told(db, out_json, |db| Ok(db.expedites(period?.map(PeriodRange::parse).transpose()?)?))
        }
    })
}

/// With whom the requests received in a period spent their time up to `now`: each vendor and customer, waits that are over
/// and waits that last, with the requests behind each number.
///
/// \param db       (in)
/// \param period   (in) a text like `2026-03`; NULL for all; `period_len` its length in bytes, or SLACLOCK_NTS
/// \param now      seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_json (out, owned) `groups` (`party`, `customer`, `calendar`, `closed`, `open`, `entries`), `vendor_requests`,
///                 `requests` looked at; free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, also for a text that is no period; CLOSED; OUT_OF_RANGE for `now` or a period beyond 1970 to
/// 2099; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_waits_json(
    db: *const slaclock_db,
    period: *const c_char,
    period_len: usize,
    now: i64,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe {
            let period = input::optional_text("period", period, period_len);
            told(db, out_json, |db| {
                let period = period?.map(PeriodRange::parse).transpose()?;
                Ok(db.waits(period, input::instant("now", now)?)?)
            })
        }
    })
}

/// Every request that `slaclock_attainment_json` counts for the same query, with what it counts as: the ids behind each
/// number, waived misses with who excused them and why.
///
/// \param db       (in)
/// \param query    (in)
/// \param out_json (out, owned) a list, in the order of submission, of `request`, `clock`, `period`, `by`, `verdict`, `tail`,
///                 `waived`, `waivers`; free with `slaclock_text_free`
///
/// Errors: as for `slaclock_attainment_json`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_judged_json(
    db: *const slaclock_db,
    query: *const slaclock_attainment_query,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, structs with a size and out parameters.
        unsafe {
            let query = read(query);
            told(db, out_json, |db| Ok(db.judged(&query?.0)?))
        }
    })
}

/// Records that somebody has read or reviewed a version of the policy. Durable when the call returns (with safe
/// durability). The same again changes nothing.
///
/// \param db          (in)
/// \param json        (in) `version`, `duty` (`"reading"` or `"review"`), `by` and `at`; `json_len` its length in bytes, or
///                    SLACLOCK_NTS
/// \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
///
/// Errors: INVALID_ARGUMENT, also for a document that is not as described, or a person who is not among the version's
/// readers; CLOSED; NOT_FOUND if no such version is installed; CONFLICT if the person acknowledged it before at another
/// instant; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_acknowledge_policy(
    db: *mut slaclock_db,
    json: *const c_char,
    json_len: usize,
    out_outcome: *mut slaclock_outcome,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe {
            let json = input::text("json", json, json_len);
            recorded(db, out_outcome, |db| {
                let done: Acknowledgement = document::read("json", json?)?;
                Ok(db.acknowledge_policy(&done)?)
            })
        }
    })
}

/// Who has read or reviewed which version of the policy.
///
/// \param db       (in)
/// \param out_json (out, owned) a list, by version, in the order of arrival, of `version`, `duty`, `by`, `at`; free with
///                 `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_acknowledgements_json(
    db: *const slaclock_db,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    // SAFETY: docs/capi.md, out parameters.
    guard(error, || unsafe { told(db, out_json, |db| Ok(db.acknowledgements()?)) })
}

/// What is yet to be read or reviewed at `now`: of the version in force and of those that will be.
///
/// \param db       (in)
/// \param now      seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_json (out, owned) a list, by due instant, of `duty`, `policy`, `version`, `reader` (null for a review), `due_at`,
///                 `overdue`; free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_reminders_json(
    db: *const slaclock_db,
    now: i64,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, out parameters.
        unsafe { told(db, out_json, |db| Ok(db.reminders(input::instant("now", now)?)?)) }
    })
}

/// The refusals that wait for a second person at `now`.
///
/// \param db       (in)
/// \param now      seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_json (out, owned) a list, by instant of the proposal, of `request`, `customer` (null if it names none),
///                 `proposed_at`, `proposed_by`, `reason`, `approvers` (who may approve it; an empty list for anybody but
///                 the one who proposed it); free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_refusals_json(
    db: *const slaclock_db,
    now: i64,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, out parameters.
        unsafe { told(db, out_json, |db| Ok(db.refusals(input::instant("now", now)?)?)) }
    })
}
