//! Texts that the library makes: JSON, explanations, sources of policies.
//!
//! A call that gives a text gives a handle. Read it with `slaclock_text_data` and `slaclock_text_len`, then give it
//! back with `slaclock_text_free`.

use std::ffi::c_char;

use serde::Serialize;
use slaclock_core::ErrorKind;

use crate::fault::Fault;
use crate::guard::value;
use crate::handle::{self, Fresh, object};
use crate::output::Out;

/// A text made by the library.
pub struct slaclock_text {
    _opaque: (),
}

/// With a NUL after it.
pub(crate) struct Text(String);

object!(Text, slaclock_text, 5, "a text");

impl Text {
    /// A text that is freed again unless it is handed over.
    pub(crate) fn fresh(mut text: String) -> Result<Fresh<Text>, Fault> {
        text.push('\0');
        Fresh::new(Text(text))
    }
}

/// Hands a text over.
pub(crate) fn give(out: Out<'_, *mut slaclock_text>, text: String) -> Result<(), Fault> {
    out.set(Text::fresh(text)?.hand_over());
    Ok(())
}

/// Hands a value over as JSON.
pub(crate) fn give_json(out: Out<'_, *mut slaclock_text>, value: &impl Serialize) -> Result<(), Fault> {
    let text = serde_json::to_string(value)
        .map_err(|error| Fault::new(ErrorKind::Internal, format!("writing JSON: {error}")))?;
    give(out, text)
}

/// The bytes of a text: UTF-8 with a NUL after it.
///
/// \param text  (in)
/// \return (borrowed) valid until the text is freed; NULL if `text` is no text, and then `slaclock_last_error` says
/// why.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_text_data(text: *const slaclock_text) -> *const c_char {
    value(std::ptr::null(), || Ok(handle::get::<Text>("text", text)?.0.as_ptr().cast()))
}

/// The length of a text in bytes, its NUL not counted.
///
/// \param text  (in)
/// \return 0 also if `text` is no text, and then `slaclock_last_error` says why.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_text_len(text: *const slaclock_text) -> usize {
    value(0, || Ok(handle::get::<Text>("text", text)?.0.len() - 1))
}

/// Frees a text. NULL is fine; a text that is freed already stays so, and the log is told.
///
/// \param text  (in) not to be used again
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_text_free(text: *mut slaclock_text) {
    handle::free::<Text>("slaclock_text_free", "text", text);
}
