//! The border: what happens inside never leaves it as a panic.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use slaclock_core::ErrorKind;

use crate::error::{report, slaclock_error};
use crate::fault::Fault;
use crate::log;
use crate::status::slaclock_status;

/// Runs the body of an exported function and turns what it comes to into a status.
pub(crate) fn guard(error: *mut slaclock_error, body: impl FnOnce() -> Result<(), Fault>) -> slaclock_status {
    match caught(body) {
        Ok(()) => slaclock_status::Ok,
        Err(fault) => report(&fault, error),
    }
}

/// The same for a function that returns its value; `otherwise` where it fails, and then the reason is the thread's
/// last error.
pub(crate) fn value<T>(otherwise: T, body: impl FnOnce() -> Result<T, Fault>) -> T {
    match caught(body) {
        Ok(value) => value,
        Err(fault) => {
            report(&fault, std::ptr::null_mut());
            otherwise
        }
    }
}

#[inline]
fn caught<T>(body: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    hush();
    let run = || {
        forced_panic();
        body()
    };
    // Nothing half changed is left behind: the core latches a database in which it panicked, the tables of handles
    // are changed in single steps, and results are written only after the last step that can fail.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(panicked()))
}

#[cold]
fn panicked() -> Fault {
    // Not by `take`, which would panic in a thread that is ending.
    let text = PANIC.try_with(Cell::take).ok().flatten().unwrap_or_else(|| "unknown place".to_owned());
    Fault::new(ErrorKind::Internal, format!("a defect in slaclock, please report it: {text}"))
}

thread_local! {
    /// What the hook saw of the panic that is under way.
    static PANIC: Cell<Option<String>> = const { Cell::new(None) };
}

/// Panics are told to the log callback; nothing is ever printed into the host's streams.
#[inline]
fn hush() {
    static ONCE: Once = Once::new();
    if !ONCE.is_completed() {
        ONCE.call_once(|| {
            std::panic::set_hook(Box::new(|info| {
                let text = match (info.payload_as_str(), info.location()) {
                    (Some(text), Some(place)) => format!("{text} ({}:{})", place.file(), place.line()),
                    (Some(text), None) => text.to_owned(),
                    (None, _) => "a panic without text".to_owned(),
                };
                log::tell(log::slaclock_log_level::Error, &text);
                // The thread may be ending, and its locals gone.
                let _ = PANIC.try_with(|panic| panic.set(Some(text)));
            }));
        });
    }
}

/// In builds with debug assertions, the environment variable SLACLOCK_FORCE_PANIC = n makes every call after the
/// first n panic: the tests prove with it that no panic crosses, function by function.
#[inline]
fn forced_panic() {
    #[cfg(debug_assertions)]
    {
        use std::sync::LazyLock;
        use std::sync::atomic::{AtomicU64, Ordering};
        static SPARED: LazyLock<Option<u64>> =
            LazyLock::new(|| std::env::var("SLACLOCK_FORCE_PANIC").ok()?.parse().ok());
        static CALLS: AtomicU64 = AtomicU64::new(0);
        if let Some(spared) = *SPARED {
            assert!(CALLS.fetch_add(1, Ordering::Relaxed) < spared, "forced by SLACLOCK_FORCE_PANIC");
        }
    }
}
