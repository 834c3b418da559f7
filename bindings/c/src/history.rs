//! What was asked before and what helped: a customer's history, the FAQ, and search. Answers are documents: JSON, instants
//! in seconds since 1970-01-01T00:00:00Z. `docs/history.md` says what each means.

use std::ffi::c_char;

use serde::Deserialize;
use slaclock_core::{Db, FaqDraft, History, Outcome, Recorded, faq_markdown};

use crate::db::{self, slaclock_db};
use crate::desk::{recorded, told};
use crate::document;
use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::guard::guard;
use crate::request::slaclock_outcome;
use crate::scan::{page, place};
use crate::status::slaclock_status;
use crate::text::{give, slaclock_text};
use crate::{input, output};

/// What is to be published, as a document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftDoc {
    id: String,
    question: Option<String>,
    answer: Option<String>,
    request: Option<String>,
}

/// What an entry says from now on, as a document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmendmentDoc {
    id: String,
    question: Option<String>,
    answer: Option<String>,
}

/// Hands a page of a history over.
///
/// # Safety
/// `out_json` as for [`output::out`].
unsafe fn paged(
    db: *const slaclock_db,
    (after, limit): (i64, usize),
    out_json: *mut *mut slaclock_text,
    ask: impl FnOnce(&Db, slaclock_core::Page) -> Result<History, Fault>,
) -> Result<(), Fault> {
    // SAFETY: the same promise.
    unsafe {
        told(db, out_json, |db| {
            let found = match page(after, limit)? {
                Some(page) => ask(db, page)?,
                None => History { rows: Vec::new(), next: None },
            };
            Ok(serde_json::json!({ "rows": found.rows, "next": place(found.next) }))
        })
    }
}

/// Reads who does something and when, does it, and hands over what became of it.
///
/// # Safety
/// `by` as for [`input::text`], `out_outcome` as for [`output::optional_out`].
unsafe fn done(
    db: *mut slaclock_db,
    at: i64,
    (by, by_len): (*const c_char, usize),
    out_outcome: *mut slaclock_outcome,
    work: impl FnOnce(&Db, slaclock_core::Instant, &str) -> Result<Outcome, Fault>,
) -> Result<(), Fault> {
    // SAFETY: the same promise.
    unsafe {
        let by = input::text("by", by, by_len);
        recorded(db, out_outcome, |db| work(db, input::instant("at", at)?, by?))
    }
}

/// All requests of a customer with what was said, newest receipt first. The cost is the page's, whatever the customer asked
/// before.
///
/// \param db       (in)
/// \param customer (in) the customer after all changes, UTF-8; `customer_len` its length in bytes, or SLACLOCK_NTS
/// \param after    SLACLOCK_PAGE_FIRST, or `next` of the page before
/// \param limit    most rows, 1 to 1,000
/// \param out_json (out, owned) `rows` (`request`, `subject`, `received_at`, `facts`, `state`, `handled_at`, `clocks`,
///                 `answers`, `faq`) and `next` (for `after`; SLACLOCK_PAGE_END at the end); free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, also for an empty customer; CLOSED; OUT_OF_RANGE for `limit`; the errors of the file. Any
/// thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_history_json(
    db: *const slaclock_db,
    customer: *const c_char,
    customer_len: usize,
    after: i64,
    limit: usize,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe {
            let customer = input::text("customer", customer, customer_len);
            paged(db, (after, limit), out_json, |db, page| Ok(db.history(customer?, page)?))
        }
    })
}

/// The requests linked to an FAQ entry, latest link first, as `slaclock_history_json` gives them.
///
/// \param db       (in)
/// \param id       (in) the entry's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
/// \param after    SLACLOCK_PAGE_FIRST, or `next` of the page before
/// \param limit    most rows, 1 to 1,000
/// \param out_json (out, owned) `rows` and `next`; free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `limit`; NOT_FOUND if there is no such entry; the errors of the file.
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_faq_requests_json(
    db: *const slaclock_db,
    id: *const c_char,
    id_len: usize,
    after: i64,
    limit: usize,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe {
            let id = input::text("id", id, id_len);
            paged(db, (after, limit), out_json, |db, page| Ok(db.faq_requests(id?, page)?))
        }
    })
}

/// Publishes an FAQ entry. Durable when the call returns (with safe durability). The same draft at the same instant by the
/// same person again gives ALREADY_RECORDED.
///
/// \param db          (in)
/// \param json        (in) `id`, the caller's own, and `question` and `answer`; or a `request`, whose subject and last answer
///                    to the customer stand in for what is left out; `json_len` its length in bytes, or SLACLOCK_NTS
/// \param at          when: seconds since 1970-01-01T00:00:00Z, below 2100
/// \param by          (in) who publishes it, UTF-8; `by_len` likewise
/// \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
///
/// Errors: INVALID_ARGUMENT, also for a document that is not as described, a malformed id, an empty or too long text, or one
/// that is left out and that the request does not have; CLOSED; OUT_OF_RANGE for `at`; NOT_FOUND if there is no such
/// request; CONFLICT if the id was published before with other content; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_faq_publish(
    db: *mut slaclock_db,
    json: *const c_char,
    json_len: usize,
    at: i64,
    by: *const c_char,
    by_len: usize,
    out_outcome: *mut slaclock_outcome,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe {
            let json = input::text("json", json, json_len);
            done(db, at, (by, by_len), out_outcome, |db, at, by| {
                let DraftDoc { id, question, answer, request } = document::read("json", json?)?;
                Ok(db.publish(&FaqDraft { id, question, answer, request }, at, by)?)
            })
        }
    })
}

/// Says otherwise what an entry asks or answers. What changes nothing gives ALREADY_RECORDED.
///
/// \param db          (in)
/// \param json        (in) `id` and what changes of `question` and `answer`; `json_len` its length in bytes, or SLACLOCK_NTS
/// \param at          when: seconds since 1970-01-01T00:00:00Z, below 2100
/// \param by          (in) who amends it, UTF-8; `by_len` likewise
/// \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
///
/// Errors: INVALID_ARGUMENT, also for a document that is not as described, or an empty or too long text; CLOSED;
/// OUT_OF_RANGE for `at`, or after 10,000 changes; NOT_FOUND if there is no such entry; CONFLICT if it is withdrawn or was
/// changed after `at`; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_faq_amend(
    db: *mut slaclock_db,
    json: *const c_char,
    json_len: usize,
    at: i64,
    by: *const c_char,
    by_len: usize,
    out_outcome: *mut slaclock_outcome,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe {
            let json = input::text("json", json, json_len);
            done(db, at, (by, by_len), out_outcome, |db, at, by| {
                let AmendmentDoc { id, question, answer } = document::read("json", json?)?;
                Ok(db.amend_faq(&id, question.as_deref(), answer.as_deref(), at, by)?)
            })
        }
    })
}

/// Withdraws an entry: it is no longer listed, exported or found. Requests stay linked to it.
///
/// \param db          (in)
/// \param id          (in) the entry's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
/// \param at          when: seconds since 1970-01-01T00:00:00Z, below 2100
/// \param by          (in) who withdraws it, UTF-8; `by_len` likewise
/// \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`; NOT_FOUND if there is no such entry; CONFLICT if it was
/// withdrawn otherwise or changed after `at`; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_faq_withdraw(
    db: *mut slaclock_db,
    id: *const c_char,
    id_len: usize,
    at: i64,
    by: *const c_char,
    by_len: usize,
    out_outcome: *mut slaclock_outcome,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe {
            let id = input::text("id", id, id_len);
            done(db, at, (by, by_len), out_outcome, |db, at, by| Ok(db.withdraw_faq(id?, at, by)?))
        }
    })
}

/// Records that an entry answers a request: the event `faq_linked`. A request counts once, whatever is recorded.
///
/// \param db          (in)
/// \param request     (in) the request's id, UTF-8; `request_len` its length in bytes, or SLACLOCK_NTS
/// \param id          (in) the entry's id, UTF-8; `id_len` likewise
/// \param at          when: seconds since 1970-01-01T00:00:00Z, below 2100
/// \param by          (in) who links it, UTF-8; `by_len` likewise
/// \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`; NOT_FOUND if there is no such request or entry; INVALID_EVENT if
/// the entry is withdrawn, or `at` is before the receipt; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_faq_link(
    db: *mut slaclock_db,
    request: *const c_char,
    request_len: usize,
    id: *const c_char,
    id_len: usize,
    at: i64,
    by: *const c_char,
    by_len: usize,
    out_outcome: *mut slaclock_outcome,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe {
            let (request, id) = (input::text("request", request, request_len), input::text("id", id, id_len));
            done(db, at, (by, by_len), out_outcome, |db, at, by| {
                let Recorded { outcome, .. } = db.link_faq(request?, id?, at, by)?;
                Ok(outcome)
            })
        }
    })
}

/// Records that an entry does not answer a request after all: the event `faq_unlinked`.
///
/// \param db          (in)
/// \param request     (in) the request's id, UTF-8; `request_len` its length in bytes, or SLACLOCK_NTS
/// \param id          (in) the entry's id, UTF-8; `id_len` likewise
/// \param at          when: seconds since 1970-01-01T00:00:00Z, below 2100
/// \param by          (in) who says so, UTF-8; `by_len` likewise
/// \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
///
/// Errors: as for `slaclock_faq_link`; INVALID_EVENT if the request was not linked to it then. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_faq_unlink(
    db: *mut slaclock_db,
    request: *const c_char,
    request_len: usize,
    id: *const c_char,
    id_len: usize,
    at: i64,
    by: *const c_char,
    by_len: usize,
    out_outcome: *mut slaclock_outcome,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe {
            let (request, id) = (input::text("request", request, request_len), input::text("id", id, id_len));
            done(db, at, (by, by_len), out_outcome, |db, at, by| {
                let Recorded { outcome, .. } = db.unlink_faq(request?, id?, at, by)?;
                Ok(outcome)
            })
        }
    })
}

/// All FAQ entries by id, with their use.
///
/// \param db             (in)
/// \param with_withdrawn 1 for withdrawn entries too, else 0
/// \param out_json       (out, owned) a list of `id`, `question`, `answer`, `request`, `published_at`, `published_by`,
///                       `changed_at`, `changed_by`, `withdrawn`, `uses`, `last_used_at`; free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_faq_json(
    db: *const slaclock_db,
    with_withdrawn: i32,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, out parameters.
        unsafe { told(db, out_json, |db| Ok(db.faq(input::flag("with_withdrawn", with_withdrawn)?)?)) }
    })
}

/// An FAQ entry, withdrawn or not, and what was done about it.
///
/// \param db       (in)
/// \param id       (in) the entry's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
/// \param out_json (out, owned) `entry`, as in `slaclock_faq_json`, and `records`: a list, in the order of recording, of `id`,
///                 `act` (`published`, `amended`, `withdrawn`), `at`, `by`, `question`, `answer`, `request`; free with
///                 `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED; NOT_FOUND if there is no such entry; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_faq_entry_json(
    db: *const slaclock_db,
    id: *const c_char,
    id_len: usize,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe {
            let id = input::text("id", id, id_len);
            told(db, out_json, |db| {
                let id = id?;
                Ok(serde_json::json!({ "entry": db.faq_entry(id)?, "records": db.faq_records(id)? }))
            })
        }
    })
}

/// The FAQ as a Markdown document: a table of contents, then each question with its answer. Texts are escaped.
///
/// \param db       (in)
/// \param title    (in) UTF-8; `title_len` its length in bytes, or SLACLOCK_NTS
/// \param out_text (out, owned) free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_faq_markdown(
    db: *const slaclock_db,
    title: *const c_char,
    title_len: usize,
    out_text: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (title, out) =
            unsafe { (input::text("title", title, title_len)?, output::out("out_text", out_text)?) };
        give(out, faq_markdown(&db.db.faq(false)?, title))
    })
}

/// Looks for requests and FAQ entries by the words of their subjects, notes, answers and questions, best first.
///
/// The index lies in a folder beside the database and is derived; every hit is read again from the store. A library that was
/// built without search, as it is unless asked for (`cargo build --features search`, `-DSLACLOCK_SEARCH=ON`, `SEARCH=1`),
/// gives UNSUPPORTED.
///
/// \param db       (in)
/// \param query    (in) JSON: `text`, 1 to 32 words in at most 1,000 bytes; if wanted `customer`, `from`, `to`, `answered`,
///                 `kind` (`"request"` or `"faq"`), `every_word`, `prefix` (true unless said otherwise: the last word also
///                 finds what begins with it), `limit` (20; at most 1,000), `skip`, `index` (a folder); `query_len` its
///                 length in bytes, or SLACLOCK_NTS
/// \param out_json (out, owned) `hits` (`kind`, `id`, `score`, `customer`, `subject`, `at`, `state`, `handled_at`, `answer`,
///                 `faq`, `found_in`, `snippet`: a list of `text` and `hit`), `matches`, `complete`; free with
///                 `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, also for a document that is not as described or a query without a word; CLOSED; OUT_OF_RANGE
/// for too many words, bytes or hits; UNSUPPORTED for a library without search; BUSY if another process is building the
/// index and there is none yet; IO, STORAGE_FULL if there is none and its folder cannot be written; the errors of the file.
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_search_json(
    db: *const slaclock_db,
    query: *const c_char,
    query_len: usize,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        unsafe {
            let query = input::text("query", query, query_len);
            told(db, out_json, |db| search(db, query?))
        }
    })
}

#[cfg(feature = "search")]
fn search(db: &Db, query: &str) -> Result<slaclock_core::Hits, Fault> {
    Ok(db.search(&document::read("query", query)?)?)
}

#[cfg(not(feature = "search"))]
fn search(_: &Db, _: &str) -> Result<(), Fault> {
    Err(Fault::new(
        slaclock_core::ErrorKind::Unsupported,
        "this library was built without search: build it with `cargo build --release -p slaclock-capi --features search`, \
         with -DSLACLOCK_SEARCH=ON or with `make install SEARCH=1`",
    ))
}
