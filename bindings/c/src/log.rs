//! What the library has to say outside of any answer: defects it met, handles misused where no status can say so.
//!
//! The library never writes to standard output or error and installs no signal handlers. Without a callback these
//! texts are dropped.

use std::ffi::{c_char, c_void};
use std::sync::{PoisonError, RwLock};

use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::guard::guard;
use crate::status::slaclock_status;

/// How much a log message matters.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_log_level {
    /// A defect of the library.
    Error = 1,
    /// A misuse by the program, or something somebody should look at.
    Warning = 2,
}

/// Takes a log message: `user` as given to `slaclock_set_log`, one of `slaclock_log_level`, and `message_len` bytes of
/// UTF-8 at `message`, which end with a NUL not counted in it and are valid during the call only.
///
/// It may be called on any thread, also on several at once. It must return, and must not call this library.
pub type slaclock_log_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, level: i32, message: *const c_char, message_len: usize)>;

#[derive(Clone, Copy)]
struct Sink {
    callback: unsafe extern "C" fn(*mut c_void, i32, *const c_char, usize),
    user: *mut c_void,
}

// SAFETY: the caller promises that the callback may be called with `user` on any thread.
unsafe impl Send for Sink {}
// SAFETY: as above.
unsafe impl Sync for Sink {}

static SINK: RwLock<Option<Sink>> = RwLock::new(None);

/// Sets the callback for log messages of the whole process; NULL for none, which is how it begins.
///
/// \param callback  (borrowed) called until another is set; NULL for none
/// \param user      handed to the callback as it is; may be NULL
///
/// A message that is on its way on another thread may still reach the callback set before. Any thread.
///
/// Errors: none but INTERNAL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_set_log(
    callback: slaclock_log_fn,
    user: *mut c_void,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let sink = callback.map(|callback| Sink { callback, user });
        *SINK.write().unwrap_or_else(PoisonError::into_inner) = sink;
        Ok(())
    })
}

/// Hands a message to the callback, if there is one.
pub(crate) fn tell(level: slaclock_log_level, text: &str) {
    let sink = *SINK.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(sink) = sink {
        let mut message = text.replace('\0', "\u{fffd}");
        let length = message.len();
        message.push('\0');
        // SAFETY: the caller of `slaclock_set_log` promised that it may be called with `user` on any thread.
        unsafe { (sink.callback)(sink.user, level as i32, message.as_ptr().cast(), length) };
    }
}

/// Tells of a misuse that no status can report.
#[cold]
pub(crate) fn misuse(function: &str, fault: &Fault) {
    tell(slaclock_log_level::Warning, &format!("{function}: {}", fault.message()));
}
