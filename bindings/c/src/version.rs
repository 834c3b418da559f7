//! Which library this is. Compare with the macros of the header that the program was built with.

use std::ffi::c_char;

use slaclock_core::zone::TzData;

use crate::error::slaclock_error;
use crate::guard::{guard, value};
use crate::output;
use crate::status::slaclock_status;
use crate::text::{give, slaclock_text};

/// Number of this interface. Functions are only ever added to it, and structs with a size only ever grow; whatever
/// would break a program gets another number and another file name (`libslaclock.so.0`).
pub const SLACLOCK_ABI_VERSION: i32 = 0;

/// The library's version, like `0.1.0`. Compare with `SLACLOCK_VERSION`.
///
/// \return static text. Never fails; any thread.
#[unsafe(no_mangle)]
pub extern "C" fn slaclock_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    value(c"".as_ptr(), || Ok(VERSION.as_ptr().cast()))
}

/// The number of the library's interface. Compare with `SLACLOCK_ABI_VERSION`.
///
/// Never fails (-1 would be a defect); any thread.
#[unsafe(no_mangle)]
pub extern "C" fn slaclock_abi_version() -> i32 {
    value(-1, || Ok(SLACLOCK_ABI_VERSION))
}

/// The version of the bundled time zone data, like `2026e`.
///
/// \param out_text  (out, owned) free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT if `out_text` is NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_tzdb_version(
    out_text: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_text", out_text) }?;
        give(out, TzData::bundled().version().to_owned())
    })
}
