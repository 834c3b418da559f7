//! Databases: requests and their events in one file, with their deadlines kept ready.
//!
//! Any number of processes may use one file, and any number of threads one handle. Writes are one transaction each
//! and wait for one another; reads see every commit made before them and never wait for a writer. A handle inherited
//! through `fork` answers FORKED_HANDLE, and closing it in the child does nothing to the file.
//!
//! "The errors of the file" below are: CLOSED, FORKED_HANDLE, BUSY (another process kept the file for longer than the
//! busy timeout), CANCELLED, READ_ONLY, DAMAGED, STORAGE_FULL, IO. After an error from a write its outcome is unknown
//! until the file is reopened; submitting the same request and recording an event with the same key again is always
//! right.

use std::ffi::c_char;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use slaclock_core::{Db, Durability, ErrorKind, Mode, Options, Verify};

use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::guard::guard;
use crate::handle::{self, Fresh, object};
use crate::input::Sized32;
use crate::policy::{self, slaclock_policy};
use crate::status::slaclock_status;
use crate::text::{give_json, slaclock_text};
use crate::{input, output};

/// An open database.
pub struct slaclock_db {
    _opaque: (),
}

pub(crate) struct Open {
    pub(crate) db: Arc<Db>,
    how: How,
}

/// Whose handle of the core it is.
enum How {
    /// This one's alone, with the flag that cancels.
    Own(Arc<AtomicBool>),
    /// The process's: others may have it too, and it stays open when this one is closed.
    Lent,
}

object!(Open, slaclock_db, 4, "a database");

pub(crate) fn get(db: *const slaclock_db) -> Result<Arc<Open>, Fault> {
    handle::get::<Open>("db", db)
}

/// Who may use the file at the same time. Every program that opens a file must agree on it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_mode {
    /// Any number of processes on this machine, one writing at a time. The default.
    Shared = 0,
    /// This handle only; others get BUSY. Faster, for servers that are one process.
    Exclusive = 1,
}

/// When a commit is on the disk.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_durability {
    /// When the call returns: a power cut afterwards does not lose it. The default.
    Safe = 0,
    /// For loading much at once: commits become durable together, and at `slaclock_flush` and `slaclock_close`. A crash
    /// loses what was written since, whole calls only. Needs `SLACLOCK_MODE_EXCLUSIVE`.
    Bulk = 1,
}

/// When opening verifies every page of the file.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_verify_when {
    /// When the file was not closed cleanly and has at most 16 MiB. The default.
    Auto = 0,
    /// Always.
    Always = 1,
    /// Never.
    Never = 2,
}

/// How a database is opened. Set it up with `SLACLOCK_OPTIONS_INIT` or `slaclock_options_init`, which give the
/// defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct slaclock_options {
    /// Size of this struct in bytes.
    pub size: u32,
    /// One of `slaclock_mode`.
    pub mode: i32,
    /// One of `slaclock_durability`.
    pub durability: i32,
    /// One of `slaclock_verify_when`.
    pub verify: i32,
    /// 1 opens for reading only, beside writers; 0 is the default. Not for `slaclock_create`.
    pub read_only: i32,
    /// 1, the default, lets `slaclock_open` hand out the handle that this process has or had lately on the same file
    /// with the same options, which takes microseconds. 0 opens one of its own.
    pub share: i32,
    /// Memory for pages of the file, in bytes; 64 MiB by default.
    pub cache_bytes: i64,
    /// How long a call waits for other writers before BUSY, in milliseconds; 5000 by default.
    pub busy_timeout_ms: i64,
    /// For bulk durability: the longest time between durable commits, in milliseconds; 1000 by default.
    pub bulk_every_ms: i64,
    /// For bulk durability: the most rows between durable commits; 100000 by default.
    pub bulk_every_rows: i64,
}

// SAFETY: integers only, the size first.
unsafe impl Sized32 for slaclock_options {
    const NAME: &'static str = "slaclock_options";
    const FIRST_SIZE: usize = 56;
}

const DEFAULTS: slaclock_options = slaclock_options {
    size: size_of::<slaclock_options>() as u32,
    mode: slaclock_mode::Shared as i32,
    durability: slaclock_durability::Safe as i32,
    verify: slaclock_verify_when::Auto as i32,
    read_only: 0,
    share: 1,
    cache_bytes: 64 << 20,
    busy_timeout_ms: 5_000,
    bulk_every_ms: 1_000,
    bulk_every_rows: 100_000,
};

/// Sets options to the defaults, as `SLACLOCK_OPTIONS_INIT` does.
///
/// \param options (out)
/// \param size    `sizeof(slaclock_options)`
///
/// Errors: INVALID_ARGUMENT if `options` is NULL or `size` is not that of a header. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_options_init(
    options: *mut slaclock_options,
    size: usize,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, structs with a size.
        unsafe { output::initialise("options", options, size, DEFAULTS) }
    })
}

/// The options of the core, and the flag that cancels.
struct Wanted {
    options: Options,
    how: How,
}

/// # Safety
/// As for [`input::sized`].
unsafe fn wanted(given: *const slaclock_options) -> Result<Wanted, Fault> {
    // SAFETY: the same promise.
    let given = unsafe { input::optional_sized("options", given, DEFAULTS) }?;
    let mode = input::choice(
        "options.mode",
        given.mode,
        &[(0, "shared", Mode::Shared), (1, "exclusive", Mode::Exclusive)],
    )?;
    let bulk =
        input::choice("options.durability", given.durability, &[(0, "safe", false), (1, "bulk", true)])?;
    let verify = input::choice(
        "options.verify",
        given.verify,
        &[(0, "auto", Verify::Auto), (1, "always", Verify::Always), (2, "never", Verify::Never)],
    )?;
    let read_only = input::flag("options.read_only", given.read_only)?;
    let share = input::flag("options.share", given.share)?;
    let milliseconds = |name: &str, value: i64| input::count(name, value).map(Duration::from_millis);
    let cache = input::count("options.cache_bytes", given.cache_bytes)?;
    let every = milliseconds("options.bulk_every_ms", given.bulk_every_ms)?;
    let every_rows = input::count("options.bulk_every_rows", given.bulk_every_rows)?;
    let durability = if bulk { Durability::Bulk { every, every_rows } } else { Durability::Safe };
    let options = Options::default()
        .mode(mode)
        .durability(durability)
        .verify(verify)
        .cache_bytes(usize::try_from(cache).unwrap_or(usize::MAX))
        .busy_timeout(milliseconds("options.busy_timeout_ms", given.busy_timeout_ms)?);
    let options = if read_only { options.read_only() } else { options };
    if share {
        return Ok(Wanted { options, how: How::Lent });
    }
    let cancel = Arc::new(AtomicBool::new(false));
    Ok(Wanted { options: options.cancel(cancel.clone()), how: How::Own(cancel) })
}

/// Makes a new database under a policy, complete and on the disk when the call returns.
///
/// \param path    (in) bytes of the path; `path_len` their number, or SLACLOCK_NTS
/// \param policy  (in) may be freed afterwards
/// \param options (in) NULL for the defaults
/// \param out_db  (out, owned) close with `slaclock_close`
///
/// Errors: INVALID_ARGUMENT, CLOSED for `policy`, OUT_OF_RANGE for a negative option; ALREADY_EXISTS if anything at
/// all is at `path`; UNSUPPORTED for bulk durability without exclusive mode; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_create(
    path: *const c_char,
    path_len: usize,
    policy: *const slaclock_policy,
    options: *const slaclock_options,
    out_db: *mut *mut slaclock_db,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts.
        let path = unsafe { input::path("path", path, path_len) }?;
        let policy = policy::get(policy)?;
        // SAFETY: docs/capi.md, structs with a size and out parameters.
        let (wanted, out) = unsafe { (wanted(options)?, output::out("out_db", out_db)?) };
        // Nobody else has the handle of a file that is being made, so it is this one's alone.
        let (options, how) = match wanted.how {
            How::Lent => {
                let flag = Arc::new(AtomicBool::new(false));
                (wanted.options.cancel(flag.clone()), How::Own(flag))
            }
            own => (wanted.options, own),
        };
        let db = Arc::new(Db::create(path, &policy, options)?);
        out.set(Fresh::new(Open { db, how })?.hand_over());
        Ok(())
    })
}

/// Makes a database in memory, gone when closed: for tests and experiments.
///
/// \param policy (in) may be freed afterwards
/// \param out_db (out, owned) close with `slaclock_close`
///
/// Errors: INVALID_ARGUMENT, CLOSED. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_in_memory(
    policy: *const slaclock_policy,
    out_db: *mut *mut slaclock_db,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let policy = policy::get(policy)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_db", out_db) }?;
        let db = Arc::new(Db::in_memory(&policy)?);
        out.set(Fresh::new(Open { db, how: How::Own(Arc::default()) })?.hand_over());
        Ok(())
    })
}

/// Opens an existing database. Never makes one.
///
/// \param path    (in) bytes of the path; `path_len` their number, or SLACLOCK_NTS
/// \param options (in) NULL for the defaults
/// \param out_db  (out, owned) close with `slaclock_close`
///
/// Errors: INVALID_ARGUMENT, OUT_OF_RANGE for a negative option; NOT_FOUND; NOT_A_DATABASE for any other kind of file;
/// NEWER_FORMAT; UNSUPPORTED for bulk durability without exclusive mode; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_open(
    path: *const c_char,
    path_len: usize,
    options: *const slaclock_options,
    out_db: *mut *mut slaclock_db,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts, structs with a size and out parameters.
        let (path, wanted, out) = unsafe {
            (input::path("path", path, path_len)?, wanted(options)?, output::out("out_db", out_db)?)
        };
        let db = match wanted.how {
            How::Lent => Db::shared(path, wanted.options)?,
            How::Own(_) => Arc::new(Db::open(path, wanted.options)?),
        };
        out.set(Fresh::new(Open { db, how: wanted.how })?.hand_over());
        Ok(())
    })
}

/// Closes a database. NULL is fine. Calls on it that run on other threads end first. What was opened to be shared
/// stays open for this process for a minute, so that opening it again takes microseconds; `slaclock_shutdown` ends
/// that.
///
/// \param db (in) not to be used again, unless the call fails with BUSY
///
/// Errors: INVALID_ARGUMENT, CLOSED if it was closed before; BUSY if a write does not end within the busy timeout,
/// and then it stays open; IO. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_close(db: *mut slaclock_db, error: *mut slaclock_error) -> slaclock_status {
    guard(error, || {
        let Some(open) = handle::optional::<Open>("db", db)? else { return Ok(()) };
        if let How::Own(_) = open.how {
            open.db.close()?;
        }
        handle::take::<Open>("db", db)?;
        Ok(())
    })
}

/// Closes every handle that this process keeps open to share, whoever still has one: later calls on them are CLOSED,
/// and their `slaclock_close` only frees them. For the end of a process, so that files are left as cleanly closed.
/// Handles that were not opened to be shared, and those of a parent process, are left alone.
///
/// Errors: BUSY if a write does not end within the busy timeout, IO; the others are closed all the same. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_shutdown(error: *mut slaclock_error) -> slaclock_status {
    guard(error, || Ok(slaclock_core::db::shutdown()?))
}

/// Puts everything written so far on the disk. Only bulk durability leaves anything to do.
///
/// \param db (in)
///
/// Errors: INVALID_ARGUMENT; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_flush(db: *mut slaclock_db, error: *mut slaclock_error) -> slaclock_status {
    guard(error, || Ok(get(db)?.db.flush()?))
}

/// Raises or lowers a flag: while it is up, every wait of the handle for other writers ends with CANCELLED at once.
///
/// \param db     (in)
/// \param cancel 1 raises it, 0 lowers it
///
/// Errors: INVALID_ARGUMENT, CLOSED; UNSUPPORTED for a handle that was opened to be shared. Any thread: that is what
/// it is for. Not for signal handlers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_cancel(
    db: *mut slaclock_db,
    cancel: i32,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let open = get(db)?;
        let cancel = input::flag("cancel", cancel)?;
        match &open.how {
            How::Own(flag) => {
                flag.store(cancel, Ordering::Relaxed);
                Ok(())
            }
            How::Lent => Err(Fault::new(
                ErrorKind::Unsupported,
                "`db` is shared with others in this process: open it with options.share = 0 to cancel it",
            )),
        }
    })
}

/// Installs a new version of the policy, in force for requests received from `from_at` on. Existing requests keep the
/// version they are pinned to.
///
/// \param db      (in)
/// \param policy  (in) may be freed afterwards
/// \param from_at seconds since 1970-01-01T00:00:00Z, below 2100
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `from_at`; CONFLICT if the version is not above the newest
/// installed one or `from_at` is before that one's (installing the newest again with the same text changes nothing);
/// the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_install(
    db: *mut slaclock_db,
    policy: *const slaclock_policy,
    from_at: i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let (db, policy) = (get(db)?, policy::get(policy)?);
        Ok(db.db.install(&policy, input::instant("from_at", from_at)?)?)
    })
}

/// The newest installed policy.
///
/// \param db         (in)
/// \param out_policy (out, owned) free with `slaclock_policy_free`
///
/// Errors: INVALID_ARGUMENT; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_db_policy(
    db: *const slaclock_db,
    out_policy: *mut *mut slaclock_policy,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = get(db)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_policy", out_policy) }?;
        out.set(Fresh::new(db.db.policy()?)?.hand_over());
        Ok(())
    })
}

/// The installed policy versions, oldest first, as JSON: a list of `name`, `version`, `in_force_from`, `tzdb`.
///
/// \param db       (in)
/// \param out_json (out, owned) free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_policies_json(
    db: *const slaclock_db,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = get(db)?;
        // SAFETY: docs/capi.md, out parameters.
        give_json(unsafe { output::out("out_json", out_json) }?, &db.db.policies()?)
    })
}
