//! Every figure of a period, and groups beside one another, as documents. `docs/reports.md` says what each means.

use std::ffi::c_char;

use slaclock_core::ReportQuery;

use crate::agreement::answered;
use crate::db::{self, slaclock_db};
use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::guard::guard;
use crate::policy::{self, slaclock_policy};
use crate::report::{read, slaclock_attainment_query};
use crate::status::slaclock_status;
use crate::text::{give, give_json, slaclock_text};
use crate::{document, input, output};

/// Everything about the requests received in a period: attainment, the error budget day by day, handling times against
/// the deadline, arrivals and misses by weekday and hour, groups beside one another, the latest and the nearest, time on
/// hold. Each figure with the ids behind it. `slaclock_report_html` makes a page of the same.
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

/// The same as a page to look at: one HTML file that needs nothing else, neither scripts nor network.
///
/// \param db       (in)
/// \param query    (in) as for `slaclock_report_json`, with `query_len`
/// \param out_html (out, owned) free with `slaclock_text_free`
///
/// The drawing of plots makes a library larger, so it is built in only on demand: `cargo build --release -p slaclock-capi
/// --features html`, `-DSLACLOCK_HTML=ON` or `make install HTML=1`.
///
/// Errors: as for `slaclock_report_json`; UNSUPPORTED for a library without it. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_report_html(
    db: *const slaclock_db,
    query: *const c_char,
    query_len: usize,
    out_html: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (query, out) =
            unsafe { (input::text("query", query, query_len)?, output::out("out_html", out_html)?) };
        let report = db.db.report(&document::read::<ReportQuery>("query", query)?)?;
        give(out, page(&report, &db.db.policy()?)?)
    })
}

#[cfg(feature = "html")]
fn page(report: &slaclock_core::Report, policy: &slaclock_core::Policy) -> Result<String, Fault> {
    Ok(slaclock_core::html::page(report, policy)?)
}

#[cfg(not(feature = "html"))]
fn page(_: &slaclock_core::Report, _: &slaclock_core::Policy) -> Result<String, Fault> {
    Err(Fault::new(
        slaclock_core::ErrorKind::Unsupported,
        "this library was built without pages: build it with `cargo build --release -p slaclock-capi --features html`, \
         with -DSLACLOCK_HTML=ON or with `make install HTML=1`",
    ))
}

/// What if something else had been promised: attainment of the stored history as it was promised, and as it would have
/// been under each of some policies, side by side. Nothing is written, and nobody works faster because a deadline is
/// nearer.
///
/// \param db       (in)
/// \param policies (in) `n` policies, which stay the caller's
/// \param n        at least 1
/// \param query    (in) the requests, and what to count them by
/// \param out_json (out, owned) a list of n + 1, that of the promise first: `policy`, `groups` (as `slaclock_attainment_json`
///                 gives them, with `by` as a list of names and values) and `changes` (for each clock `clock`, `earlier`,
///                 `later`, `unmatched`, `newly_met`, `newly_missed`); free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, also for no policy; CLOSED; OUT_OF_RANGE for `now` or a period beyond 1970 to 2099; NOT_FOUND
/// if a policy has no such clock, or promises no share; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_simulate_json(
    db: *const slaclock_db,
    policies: *const *const slaclock_policy,
    n: usize,
    query: *const slaclock_attainment_query,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, columns, structs with a size and out parameters.
        let (policies, (query, _), out) = unsafe {
            (input::column("policies", policies, n)?, read(query)?, output::out("out_json", out_json)?)
        };
        if policies.is_empty() {
            return Err(Fault::argument("`n` is 0: must be at least one policy to compare with"));
        }
        let policies = policies.iter().map(|one| policy::get(*one)).collect::<Result<Vec<_>, Fault>>()?;
        let proposed: Vec<&slaclock_core::Policy> = policies.iter().map(AsRef::as_ref).collect();
        give_json(out, &db.db.simulate(&proposed, &query)?)
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
