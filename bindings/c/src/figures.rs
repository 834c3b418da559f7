//! Every figure of a period, and groups beside one another, as documents. `docs/reports.md` says what each means.

use std::ffi::c_char;

use slaclock_core::ReportQuery;

use crate::agreement::answered;
use crate::db::{self, slaclock_db};
use crate::error::slaclock_error;
use crate::guard::guard;
use crate::output;
use crate::report::{read, slaclock_attainment_query};
use crate::status::slaclock_status;
use crate::text::{give_json, slaclock_text};

/// Everything about the requests received in a period: attainment, the error budget day by day, handling times against
/// the deadline, arrivals and misses by weekday and hour, groups beside one another, the latest and the nearest, time on
/// hold. Each figure with the ids behind it. `slaclock report --html` makes a page of the same.
///
/// \param db       (in)
/// \param query    (in) JSON: `now_at` and `period` (a text like `2026-03`); if wanted `clock`, `by` (a list of facts to
///                 compare groups by), `most_ids` (0 to 1,000), `most_groups` (1 to 10,000), `most_rows` (0 to 1,000);
///                 `query_len` its length in bytes, or SLACLOCK_NTS
/// \param out_json (out, owned) `policy`, `statement`, `zone`, `now_at`, `period`, `most_ids`, `clocks`, `waiting`; free with
///                 `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, also for a document that is not as described; CLOSED; OUT_OF_RANGE for a bound beyond its
/// limits; NOT_FOUND if the newest policy has no such clock, or none that promises a share; the errors of the file. Any
/// thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_report_json(
    db: *const slaclock_db,
    query: *const c_char,
    query_len: usize,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        let ask = |query: ReportQuery| Ok(db.db.report(&query)?);
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe { answered(("query", query, query_len), out_json, ask) }
    })
}

/// How groups of requests fare beside one another: attainment with Wilson intervals, time until handled, time on hold,
/// and whether a group's difference from the rest is more than chance would make.
///
/// \param db       (in)
/// \param query    (in) with `by`, the facts that make a group
/// \param out_json (out, owned) a list, by clock and period, of `clock`, `period`, `by`, `groups_total`,
///                 `compared_at_once`, `median`, `groups`; free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, also if the query names no fact; CLOSED; OUT_OF_RANGE for `now` or a period beyond 1970 to
/// 2099; NOT_FOUND if no request of the period has any of the facts, or the newest policy has no such clock; the errors of
/// the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_fairness_json(
    db: *const slaclock_db,
    query: *const slaclock_attainment_query,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, structs with a size and out parameters.
        let ((query, _), out) = unsafe { (read(query)?, output::out("out_json", out_json)?) };
        give_json(out, &db.db.fairness(&query)?)
    })
}
