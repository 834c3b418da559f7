//! Explanations: why a clock stands where it stands, step by step, for people and as data.

use std::ffi::c_char;

use slaclock_core::explain::Explanation;

use crate::db::{self, slaclock_db};
use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::guard::guard;
use crate::output::Out;
use crate::status::slaclock_status;
use crate::text::{Text, slaclock_text};
use crate::{input, output};

type TextOut<'a> = Option<Out<'a, *mut slaclock_text>>;

/// Hands an explanation over in the forms that are wanted, both or neither.
pub(crate) fn hand_over(
    explanation: &Explanation,
    text: TextOut<'_>,
    json: TextOut<'_>,
) -> Result<(), Fault> {
    let sentences =
        text.map(|out| Ok::<_, Fault>((out, Text::fresh(explanation.to_string())?))).transpose()?;
    if let Some(json) = json {
        crate::text::give_json(json, explanation)?;
    }
    if let Some((out, text)) = sentences {
        out.set(text.hand_over());
    }
    Ok(())
}

/// Why a request's clock stands where it stands at `now`: the rule that counts, every cycle with the proof of its
/// deadline, what paused, changed and reopened it, the verdict.
///
/// \param db       (in)
/// \param id       (in) the request's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
/// \param clock    (in) the clock's name, UTF-8; `clock_len` likewise
/// \param now      seconds since 1970-01-01T00:00:00Z, below 2100; later events are left out
/// \param out_text (out, owned) sentences for people; free with `slaclock_text_free`; NULL to decline
/// \param out_json (out, owned) the same as data; free with `slaclock_text_free`; NULL to decline
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; NOT_FOUND if there is no such request or its policy has
/// no such clock; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_explain(
    db: *const slaclock_db,
    id: *const c_char,
    id_len: usize,
    clock: *const c_char,
    clock_len: usize,
    now: i64,
    out_text: *mut *mut slaclock_text,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (id, clock, text, json) = unsafe {
            (
                input::text("id", id, id_len)?,
                input::text("clock", clock, clock_len)?,
                output::optional_out("out_text", out_text)?,
                output::optional_out("out_json", out_json)?,
            )
        };
        hand_over(&db.db.explain(id, clock, input::instant("now", now)?)?, text, json)
    })
}
