//! Imports: request logs in CSV, plain or gzip, become requests and events through a mapping file.
//!
//! Every row of the file is either used or reported as left out. Importing the same file again changes nothing.

use std::ffi::{c_char, c_void};
use std::ops::ControlFlow;

use slaclock_core::import::{ImportOptions, Mapping, OnBadRow, Progress, import};

use crate::db::{self, slaclock_db};
use crate::error::slaclock_error;
use crate::guard::guard;
use crate::input::Sized32;
use crate::output::number;
use crate::status::slaclock_status;
use crate::text::{give_json, slaclock_text};
use crate::{input, output};

/// What an import does with a row that cannot be used.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_on_bad_row {
    /// Reports it and goes on. The default.
    Skip = 0,
    /// Stops with INVALID_ROW. What was written before stays; the chunk with the row is not written.
    Abort = 1,
}

/// How far an import has come.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct slaclock_progress {
    /// Bytes of the file read, as stored (compressed, if it is).
    pub bytes: i64,
    /// Size of the file; SLACLOCK_NONE where it is not known.
    pub total_bytes: i64,
    /// Rows read.
    pub rows: i64,
    /// Requests written.
    pub requests: i64,
    /// Events written.
    pub events: i64,
}

/// Told after each chunk of an import how far it has come: `user` as given in the options, and (borrowed) `progress`,
/// valid during the call. Anything but 0 stops the import with CANCELLED: what was written before stays, and
/// importing the file again goes on from there.
///
/// Called on the thread of the import, with no transaction open; it may use the library.
pub type slaclock_progress_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, progress: *const slaclock_progress) -> i32>;

/// How to import. Set it up with `SLACLOCK_IMPORT_OPTIONS_INIT` or `slaclock_import_options_init`, which give the
/// defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct slaclock_import_options {
    /// Size of this struct in bytes.
    pub size: u32,
    /// One of `slaclock_on_bad_row`.
    pub on_bad_row: i32,
    /// How many oddities to keep with their row and text; all are counted. 1000 by default.
    pub keep_oddities: i64,
    /// (borrowed) NULL for none.
    pub progress: slaclock_progress_fn,
    /// Handed to `progress` as it is; may be NULL.
    pub user: *mut c_void,
}

// SAFETY: integers, a pointer and an optional function pointer, for which zeros are a value and other bits come from the
// caller's own type; the size first.
unsafe impl Sized32 for slaclock_import_options {
    const NAME: &'static str = "slaclock_import_options";
    const FIRST_SIZE: usize = size_of::<slaclock_import_options>();
}

const DEFAULTS: slaclock_import_options = slaclock_import_options {
    size: size_of::<slaclock_import_options>() as u32,
    on_bad_row: slaclock_on_bad_row::Skip as i32,
    keep_oddities: 1_000,
    progress: None,
    user: std::ptr::null_mut(),
};

/// Sets import options to the defaults, as `SLACLOCK_IMPORT_OPTIONS_INIT` does.
///
/// \param options (out)
/// \param size    `sizeof(slaclock_import_options)`
///
/// Errors: INVALID_ARGUMENT if `options` is NULL or `size` is not that of a header. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_import_options_init(
    options: *mut slaclock_import_options,
    size: usize,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, structs with a size.
        unsafe { output::initialise("options", options, size, DEFAULTS) }
    })
}

/// Imports a log into a database, in chunks that keep other writers waiting for 50 to 100 ms.
///
/// \param db       (in)
/// \param path     (in) of the CSV file, plain or gzip: bytes of the path; `path_len` their number, or SLACLOCK_NTS
/// \param mapping  (in) of the mapping file, likewise
/// \param options  (in) NULL for the defaults
/// \param out_json (out, owned) the account: `rows`, `rows_used`, `rows_skipped`, `requests`, `requests_new`,
///                 `events`, `events_new`, `oddity_counts`, `oddities`, ...; free with `slaclock_text_free`; NULL to
///                 decline
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for a negative option; NOT_FOUND or IO if a file cannot be read;
/// INVALID_MAPPING; DAMAGED if the compressed data is; INVALID_ROW for a bad row with `SLACLOCK_ON_BAD_ROW_ABORT`;
/// CANCELLED if `progress` says so; the errors of the database's file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_import(
    db: *mut slaclock_db,
    path: *const c_char,
    path_len: usize,
    mapping: *const c_char,
    mapping_len: usize,
    options: *const slaclock_import_options,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts, structs with a size and out parameters.
        let (path, mapping, given, out) = unsafe {
            (
                input::path("path", path, path_len)?,
                input::path("mapping", mapping, mapping_len)?,
                input::optional_sized("options", options, DEFAULTS)?,
                output::optional_out("out_json", out_json)?,
            )
        };
        let choices = [(0, "skip", OnBadRow::Skip), (1, "abort", OnBadRow::Abort)];
        let on_bad_row = input::choice("options.on_bad_row", given.on_bad_row, &choices)?;
        let keep = input::count("options.keep_oddities", given.keep_oddities)?;
        let mut told = |progress: Progress| {
            let Some(callback) = given.progress else { return ControlFlow::Continue(()) };
            let row = slaclock_progress {
                bytes: number(progress.bytes),
                total_bytes: progress.total.map_or(input::SLACLOCK_NONE, number),
                rows: number(progress.rows),
                requests: number(progress.requests),
                events: number(progress.events),
            };
            // SAFETY: the caller's promise for `progress` and `user`.
            match unsafe { callback(given.user, &raw const row) } {
                0 => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        };
        let mapping = Mapping::load(mapping)?;
        let options = ImportOptions {
            on_bad_row,
            keep_oddities: usize::try_from(keep).unwrap_or(usize::MAX),
            progress: Some(&mut told),
        };
        let report = import(&mapping, path, &mut &*db.db, options)?;
        out.map_or(Ok(()), |out| give_json(out, &report))
    })
}
