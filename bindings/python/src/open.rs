//! Opening: which options there are, and what becomes of a policy that comes with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDelta;
use slaclock::{Db, Durability, ErrorKind, Mode, Options, Policy, Verify};

use crate::db::PyDb;
use crate::error::{about_file, caught, from_core, raised};
use crate::policy::PyPolicy;
use crate::time::span;

/// Opens the database at `path`.
///
/// Never makes one unless `create=True`: then a missing file becomes a new database under `policy`, complete and on the
/// disk when the call returns, and an existing one is opened. A `policy` that is given must be one of those installed;
/// `Db.install` brings in a new version. Use `with` or `close()`.
///
/// `wait` is how long a call waits for other writers before `BusyError`, in seconds or as `timedelta`. `durability` is
/// `"safe"` (a power cut after a call loses nothing) or `"bulk"` (commits become durable together, once a second or
/// every 100,000 rows; needs `exclusive`). `exclusive` shuts other processes out, `read_only` opens beside writers,
/// `verify` (`"auto"`, `"always"`, `"never"`) says when every page is checked, `cache_bytes` is the memory for pages.
///
/// `shared=True` is for processes that open the same file again and again, such as web workers: it gives the handle that this
/// process has of the file already, with the same options, and closing it leaves the file open for another 60 seconds.
///
/// Raises `FileMissingError`, `NotADatabaseError`, `NewerFormatError`, `DamagedError`, `BusyError`, `ConflictError` for a
/// policy that is not installed, `UnsupportedError` for options that do not go together, `InputOutputError`.
#[pyfunction]
#[pyo3(signature = (path, /, policy = None, *, create = false, wait = None, durability = "safe", exclusive = false,
                    read_only = false, verify = "auto", cache_bytes = None, shared = false))]
#[allow(clippy::too_many_arguments, reason = "each is a keyword of its own in Python")]
pub(crate) fn open(
    py: Python<'_>,
    path: PathBuf,
    policy: Option<&Bound<'_, PyPolicy>>,
    create: bool,
    wait: Option<&Bound<'_, PyAny>>,
    durability: &str,
    exclusive: bool,
    read_only: bool,
    verify: &str,
    cache_bytes: Option<usize>,
    shared: bool,
) -> PyResult<PyDb> {
    let mut options = options(py, wait, durability, exclusive, verify, cache_bytes)?;
    if read_only {
        options = options.read_only();
    }
    let policy = policy.map(|policy| policy.get().inner.clone());
    if create && policy.is_none() {
        return Err(raised(py, ErrorKind::InvalidArgument, "create=True: a new database needs a policy"));
    }
    let opened = caught(py, || {
        let open = || {
            if shared {
                return Db::shared(&path, options.clone());
            }
            Db::open(&path, options.clone()).map(Arc::new)
        };
        let db = match open() {
            Err(error) if create && error.kind() == ErrorKind::NotFound => {
                make(&path, policy.as_ref(), &options)?;
                open()
            }
            opened => opened,
        }?;
        let missing = match &policy {
            Some(policy) => not_installed(&db, policy)?,
            None => None,
        };
        Ok::<_, slaclock::Error>((db, missing))
    })?;
    let (db, missing) = opened.map_err(|error| about_file(py, &error))?;
    match missing {
        Some(message) => Err(raised(py, ErrorKind::Conflict, message)),
        None => Ok(PyDb::new(db, Some(path), shared)),
    }
}

/// Closes every handle of this process that was opened with `shared=True`. The package does so when the interpreter ends.
#[pyfunction]
pub(crate) fn shutdown(py: Python<'_>) -> PyResult<()> {
    crate::error::detached(py, slaclock::db::shutdown)
}

/// Makes a new database at `path` under `policy`, complete and on the disk when the call returns, and opens it.
///
/// Options are those of `open`. Raises `AlreadyExistsError` if anything at all is at `path`, even an empty file.
#[pyfunction]
#[pyo3(signature = (path, policy, /, *, wait = None, durability = "safe", exclusive = false, cache_bytes = None))]
#[allow(clippy::too_many_arguments, reason = "each is a keyword of its own in Python")]
pub(crate) fn create(
    py: Python<'_>,
    path: PathBuf,
    policy: &Bound<'_, PyPolicy>,
    wait: Option<&Bound<'_, PyAny>>,
    durability: &str,
    exclusive: bool,
    cache_bytes: Option<usize>,
) -> PyResult<PyDb> {
    let options = options(py, wait, durability, exclusive, "auto", cache_bytes)?;
    let policy = policy.get().inner.clone();
    let made = caught(py, || Db::create(&path, &policy, options))?;
    let db = made.map_err(|error| from_core(py, &error))?;
    Ok(PyDb::new(Arc::new(db), Some(path), false))
}

/// Makes a database in memory, gone when closed: for tests and experiments.
#[pyfunction]
#[pyo3(signature = (policy, /))]
pub(crate) fn in_memory(py: Python<'_>, policy: &Bound<'_, PyPolicy>) -> PyResult<PyDb> {
    let policy = policy.get().inner.clone();
    let db = caught(py, || Db::in_memory(&policy))?.map_err(|error| from_core(py, &error))?;
    Ok(PyDb::new(Arc::new(db), None, false))
}

/// Makes a new database; one that another process made meanwhile is as good.
fn make(path: &Path, policy: Option<&Policy>, options: &Options) -> slaclock::Result<()> {
    let Some(policy) = policy else { return Ok(()) };
    match Db::create(path, policy, options.clone()) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made?.close(),
    }
}

/// Why a policy is none of those installed, if it is not.
fn not_installed(db: &Db, policy: &Policy) -> slaclock::Result<Option<String>> {
    let newest = db.policy()?;
    if newest.source() == policy.source() {
        return Ok(None);
    }
    let installed = db.policies()?;
    let is_older = |info: &slaclock::db::PolicyInfo| {
        (info.name.as_str(), info.version) == (policy.name(), policy.version())
            && info.version != newest.version()
    };
    if installed.iter().any(is_older) {
        return Ok(None);
    }
    let how = if policy.name() == newest.name() && policy.version() == newest.version() {
        "the same version is installed with another text"
    } else {
        "bring it in with db.install(policy, since)"
    };
    Ok(Some(format!(
        "policy {} v{}: is not the installed {} v{}; {how}",
        policy.name(),
        policy.version(),
        newest.name(),
        newest.version()
    )))
}

fn options(
    py: Python<'_>,
    wait: Option<&Bound<'_, PyAny>>,
    durability: &str,
    exclusive: bool,
    verify: &str,
    cache_bytes: Option<usize>,
) -> PyResult<Options> {
    let unknown = |what: &str, found: &str, allowed: &str| {
        raised(py, ErrorKind::InvalidArgument, format!("{what} \"{found}\": must be {allowed}"))
    };
    let mut options = Options::default().mode(if exclusive { Mode::Exclusive } else { Mode::Shared });
    if let Some(wait) = wait {
        options = options.busy_timeout(duration(wait)?);
    }
    options = match durability {
        "safe" => options.durability(Durability::Safe),
        "bulk" => options.durability(Durability::BULK),
        other => {
            return Err(unknown("durability", other, "\"safe\" or \"bulk\"; see also slaclock.in_memory"));
        }
    };
    options = match verify {
        "auto" => options.verify(Verify::Auto),
        "always" => options.verify(Verify::Always),
        "never" => options.verify(Verify::Never),
        other => return Err(unknown("verify", other, "\"auto\", \"always\" or \"never\"")),
    };
    Ok(match cache_bytes {
        Some(bytes) => options.cache_bytes(bytes),
        None => options,
    })
}

/// How long to wait: seconds, or a `timedelta`.
fn duration(wait: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let py = wait.py();
    let seconds: f64 = if wait.cast::<PyDelta>().is_ok() {
        span(wait, "wait")?;
        wait.call_method0("total_seconds")?.extract()?
    } else {
        wait.extract().map_err(|_| PyTypeError::new_err("wait: must be seconds or a timedelta"))?
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        raised(py, ErrorKind::OutOfRange, format!("wait of {seconds} s: must be 0 or more, and not for ever"))
    })
}
