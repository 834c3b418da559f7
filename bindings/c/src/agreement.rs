//! Living with an agreement: whether a promised share will hold, what an interruption moved, bringing in a new version,
//! and trying one out. What these calls ask and answer are documents: JSON, instants in seconds since
//! 1970-01-01T00:00:00Z, spans in seconds. `docs/agreement.md` says what each means.

use std::ffi::c_char;

use serde::Serialize;
use serde::de::DeserializeOwned;
use slaclock_core::clock::Scope;
use slaclock_core::db::{Order, OutlookQuery};
use slaclock_core::zone::TzData;

use crate::db::{self, slaclock_db};
use crate::document;
use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::guard::guard;
use crate::status::slaclock_status;
use crate::text::{give_json, slaclock_text};
use crate::{input, output};

/// Reads the document of a call, asks, and hands the answer over.
///
/// # Safety
/// `json` as for [`input::text`], `out_json` as for [`output::out`].
pub(crate) unsafe fn answered<Q: DeserializeOwned, A: Serialize>(
    (name, json, json_len): (&str, *const c_char, usize),
    out_json: *mut *mut slaclock_text,
    ask: impl FnOnce(Q) -> Result<A, Fault>,
) -> Result<(), Fault> {
    // SAFETY: the same promise.
    let (json, out) = unsafe { (input::text(name, json, json_len)?, output::out("out_json", out_json)?) };
    give_json(out, &ask(document::read(name, json)?)?)
}

/// Where each promised share stands at `now`: what is left to miss, between which shares the period ends, and the
/// requests whose handling decides it.
///
/// \param db       (in)
/// \param query    (in) JSON: `now`; if wanted `clock`, `period` (a text like `2026-03`) and `until`, the horizon of what
///                 must be finished; `query_len` its length in bytes, or SLACLOCK_NTS
/// \param out_json (out, owned) a list with an outlook for each clock that promises a share: `attainment`,
///                 `misses_allowed`, `misses_left`, `must_meet`, `best_share_bp`, `worst_share_bp`, `so_far`, `verdict`,
///                 `breaks_at`, `until_at`, `must_finish`, `deciding`, `later`, `on_hold`, `tail`, `cadence`; free with
///                 `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, also for a document that is not as described, a clock that promises no share or a horizon
/// before `now`; CLOSED; NOT_FOUND if the newest policy has no such clock, or none that promises a share; the errors of
/// the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_outlook_json(
    db: *const slaclock_db,
    query: *const c_char,
    query_len: usize,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        let ask = |query: OutlookQuery| Ok(db.db.outlook(&query)?);
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe { answered(("query", query, query_len), out_json, ask) }
    })
}

/// Declares, amends, ends or withdraws an interruption, and derives the clocks in its scope anew, in one transaction.
///
/// \param db       (in)
/// \param order    (in) JSON: `{"declare": WINDOW}`, `{"amend": {"number": N, "window": WINDOW}}`,
///                 `{"end": {"number": N, "to": T}}` or `{"withdraw": {"number": N}}`, where WINDOW is `category`
///                 (`personnel`, `facilities`, `power`, `internet_telecom`, `merger_acquisition`, `disaster`, `own` or
///                 `own:NAME`), `scope` (`"all"`, `{"calendar": NAME}`, `{"customer": NAME}`, `{"category": NAME}`),
///                 `from` and, if it is known, `to`; `order_len` its length in bytes, or SLACLOCK_NTS
/// \param at       when this is said: seconds since 1970-01-01T00:00:00Z, below 2100
/// \param by       (in) who says it, UTF-8; `by_len` likewise
/// \param text     (in) free text for the record; NULL for none; `text_len` likewise
/// \param dry_run  1 to write nothing and tell what would move, else 0
/// \param out_json (out, owned) `entry` (with the interruption's `number`), `dry_run`, `requests` looked at, and `moved`: a
///                 list of `request`, `clock`, `before` and `after`; free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, also for an unknown category, an end that is not after the start, an open end that begins
/// after `at`, or no actor; CLOSED; OUT_OF_RANGE for `at`; NOT_FOUND if there is no such interruption, or no policy has
/// the calendar; CONFLICT if it is withdrawn, has an end already, or was changed after `at`; the errors of the file. Any
/// thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_interrupt(
    db: *mut slaclock_db,
    order: *const c_char,
    order_len: usize,
    at: i64,
    by: *const c_char,
    by_len: usize,
    text: *const c_char,
    text_len: usize,
    dry_run: i32,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts.
        let (by, text) =
            unsafe { (input::text("by", by, by_len)?, input::optional_text("text", text, text_len)?) };
        let (at, dry_run) = (input::instant("at", at)?, input::flag("dry_run", dry_run)?);
        let ask = |order: Order| Ok(db.db.interrupt(&order, at, by, text, dry_run)?);
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe { answered(("order", order, order_len), out_json, ask) }
    })
}

/// The journal of all interruptions, in the order of recording.
///
/// \param db       (in)
/// \param out_json (out, owned) a list of `number`, `act` (`declared`, `amended`, `ended`, `withdrawn`), `at`, `by`, `window`,
///                 `text`; free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_interruptions_json(
    db: *const slaclock_db,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_json", out_json) }?;
        give_json(out, &db.db.interruptions()?)
    })
}

/// Moves open requests to another installed version of the policy.
///
/// \param db       (in)
/// \param version  the version; 0 for the newest
/// \param scope    (in) JSON: `"all"`, `{"customer": NAME}` or `{"category": NAME}`; NULL for all; `scope_len` its length in
///                 bytes, or SLACLOCK_NTS
/// \param at       when this is done: seconds since 1970-01-01T00:00:00Z, below 2100; requests received later stay
/// \param by       (in) who does it, UTF-8; `by_len` likewise
/// \param dry_run  1 to write nothing and tell what would move, else 0
/// \param out_json (out, owned) `to` (versions), `dry_run`, `requests` that move, and `moved`: every clock that stands
///                 elsewhere afterwards, as `request`, `clock`, `before`, `after`; free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, also for a scope of a calendar or no actor; CLOSED; OUT_OF_RANGE for `version` or `at`;
/// NOT_FOUND if there is no such version; CONFLICT if the version lacks a clock that a request has, or has it in another
/// place, or a request was migrated after `at`; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_migrate(
    db: *mut slaclock_db,
    version: i64,
    scope: *const c_char,
    scope_len: usize,
    at: i64,
    by: *const c_char,
    by_len: usize,
    dry_run: i32,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (scope, by, out) = unsafe {
            (
                input::optional_text("scope", scope, scope_len)?,
                input::text("by", by, by_len)?,
                output::out("out_json", out_json)?,
            )
        };
        let version = u32::try_from(version).map_err(|_| {
            let message = format!("`version` is {version}: must be 0 for the newest, or that of a policy");
            Fault::new(slaclock_core::ErrorKind::OutOfRange, message)
        })?;
        let (at, dry_run) = (input::instant("at", at)?, input::flag("dry_run", dry_run)?);
        let scope: Scope = scope.map_or(Ok(Scope::All), |scope| document::read("scope", scope))?;
        let wanted = (version != 0).then_some(version);
        give_json(out, &db.db.migrate(wanted, &scope, at, by, dry_run)?)
    })
}

/// Moves open requests to other zone data. Each version of the policy gets an edition with it.
///
/// \param db       (in)
/// \param folder   (in) of compiled zone files, such as /usr/share/zoneinfo: bytes of the path; NULL for the data of this
///                 library; `folder_len` their number, or SLACLOCK_NTS
/// \param at       when this is done: seconds since 1970-01-01T00:00:00Z, below 2100
/// \param by       (in) who does it, UTF-8; `by_len` likewise
/// \param dry_run  1 to write nothing and tell what would move, else 0
/// \param out_json (out, owned) as for `slaclock_migrate`
///
/// Errors: INVALID_ARGUMENT, also for no actor; CLOSED; OUT_OF_RANGE for `at`; NOT_FOUND or IO for the folder;
/// UNKNOWN_ZONE if the data lacks a zone; INVALID_POLICY if a worked example no longer holds; CONFLICT if a request was
/// migrated after `at`; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_retz(
    db: *mut slaclock_db,
    folder: *const c_char,
    folder_len: usize,
    at: i64,
    by: *const c_char,
    by_len: usize,
    dry_run: i32,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (by, out) = unsafe { (input::text("by", by, by_len)?, output::out("out_json", out_json)?) };
        let zones = if folder.is_null() {
            TzData::bundled()
        } else {
            // SAFETY: docs/capi.md, texts.
            TzData::folder(unsafe { input::path("folder", folder, folder_len) }?)?
        };
        let (at, dry_run) = (input::instant("at", at)?, input::flag("dry_run", dry_run)?);
        give_json(out, &db.db.retz(&zones, at, by, dry_run)?)
    })
}

/// Copies a database as it is to a new file, for experiments. The original is only read.
///
/// \param db        (in)
/// \param path      (in) of the copy: bytes of the path; `path_len` their number, or SLACLOCK_NTS
/// \param out_bytes (out) length of the copy; NULL to decline
///
/// Errors: INVALID_ARGUMENT, CLOSED; ALREADY_EXISTS if anything at all is at `path`; DAMAGED if something in the original
/// is not as it was written; IO, STORAGE_FULL; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_fork(
    db: *const slaclock_db,
    path: *const c_char,
    path_len: usize,
    out_bytes: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (path, out) =
            unsafe { (input::path("path", path, path_len)?, output::optional_out("out_bytes", out_bytes)?) };
        let bytes = db.db.fork(path)?;
        if let Some(out) = out {
            out.set(output::number(bytes));
        }
        Ok(())
    })
}
