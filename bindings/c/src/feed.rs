//! The feed: one durable notice for each threshold that a clock crosses, exactly once, whatever the interval.
//!
//! `slaclock_advance` turns every threshold that passed since the last advance into a notice, in one transaction.
//! Notices are numbered 1, 2, 3 ... without gaps. Each consumer has a name of its own and a durable cursor: it reads
//! what is pending and acknowledges what it has dealt with. A crash between the two hands out the same notices again,
//! under the same numbers.
//!
//! A late event that makes a notice untrue is followed by the same notice marked `retracted`; none is ever deleted.

use std::ffi::c_char;

use slaclock_core::{Notice, PeriodRange, ThresholdKind};

use crate::db::{self, slaclock_db};
use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::guard::guard;
use crate::output::{inline, number};
use crate::request::SLACLOCK_NAME_SIZE;
use crate::status::slaclock_status;
use crate::text::{give_json, slaclock_text};
use crate::{input, output};

/// Most notices that one call gives; a larger capacity is not an error.
pub const SLACLOCK_MAX_NOTICES: usize = 10_000;

const _: () = assert!(SLACLOCK_MAX_NOTICES == slaclock_core::db::MAX_NOTICES);

/// Bytes of a period's text, the NUL at its end included.
pub const SLACLOCK_PERIOD_SIZE: usize = 24;

/// What a clock crossed.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_threshold {
    /// A share of the target's own time was used up: the notice's `percent`.
    Warning = 1,
    /// The due instant passed unmet.
    Late = 2,
    /// The limit passed unmet (or due, where there is no backstop: then there is no `LATE` of its own).
    Breached = 3,
    /// Somebody excused the miss; `at` is when.
    Waived = 4,
    /// Nobody reviewed the policy by its review date. About no request: its id and the clock's name are empty.
    Review = 5,
    /// A reader did not read the policy in time. About no request, likewise.
    Reading = 6,
    /// Of the misses that a promised share allows, none was left any more. About no request, but the notice's `period`.
    BudgetExhausted = 7,
    /// A promised share was missed for certain. About the notice's `period`, likewise.
    PeriodBreached = 8,
}

/// One crossing of a threshold.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct slaclock_notice {
    /// Its number, from 1, without gaps, in the order in which they became known.
    pub number: i64,
    /// The instant it is about: when the warning, due or limit instant was, or when the change was made that put it
    /// into the past. Not the instant of the scan.
    pub at: i64,
    /// Number of the clock's cycle, from 1.
    pub cycle: i64,
    /// What was crossed.
    pub threshold: slaclock_threshold,
    /// Of a warning, 1 to 99; else 0.
    pub percent: i32,
    /// 1 if a change of facts, not the passing of time, put it into the past, else 0.
    pub by_change: i32,
    /// 1 if the same notice was given before and turned out not to be true, else 0.
    pub retracted: i32,
    /// The request's id; ends with NUL.
    pub request: [c_char; SLACLOCK_NAME_SIZE],
    /// The clock's name; ends with NUL.
    pub clock: [c_char; SLACLOCK_NAME_SIZE],
    /// The period that `BUDGET_EXHAUSTED` and `PERIOD_BREACHED` are about, such as `2026-03`, `2026-Q1` or `2026`, as
    /// queries take it; else empty. Ends with NUL.
    pub period: [c_char; SLACLOCK_PERIOD_SIZE],
}

fn row(notice: &Notice) -> Result<slaclock_notice, Fault> {
    let (threshold, percent) = match notice.threshold {
        ThresholdKind::Warning(percent) => (slaclock_threshold::Warning, i32::from(percent)),
        ThresholdKind::Late => (slaclock_threshold::Late, 0),
        ThresholdKind::Breached => (slaclock_threshold::Breached, 0),
        ThresholdKind::Waived => (slaclock_threshold::Waived, 0),
        ThresholdKind::Review => (slaclock_threshold::Review, 0),
        ThresholdKind::Reading => (slaclock_threshold::Reading, 0),
        ThresholdKind::BudgetExhausted => (slaclock_threshold::BudgetExhausted, 0),
        ThresholdKind::PeriodBreached => (slaclock_threshold::PeriodBreached, 0),
    };
    Ok(slaclock_notice {
        number: number(notice.number),
        at: notice.at.as_secs(),
        cycle: number(u64::from(notice.cycle)),
        threshold,
        percent,
        by_change: i32::from(notice.by_change),
        retracted: i32::from(notice.retracted),
        request: inline("request", &notice.request)?,
        clock: inline("clock", &notice.clock)?,
        period: inline("period", &notice.period.map(PeriodRange::code).unwrap_or_default())?,
    })
}

/// Advances the feed to `now`: every threshold that passed since the last advance becomes a notice. A `now` at or
/// before the last advance changes nothing.
///
/// \param db        (in)
/// \param now       seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_count (out) new notices; NULL to decline
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_advance(
    db: *mut slaclock_db,
    now: i64,
    out_count: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let (db, now) = (db::get(db)?, input::instant("now", now)?);
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::optional_out("out_count", out_count) }?;
        let count = db.db.advance(now)?;
        if let Some(out) = out {
            out.set(number(count));
        }
        Ok(())
    })
}

/// The notices that a consumer has not acknowledged, by number.
///
/// \param db           (in)
/// \param consumer     (in) its name, 1 to 255 bytes of UTF-8; a new one begins with the first notice; `consumer_len`
///                     its length in bytes, or SLACLOCK_NTS
/// \param out_notices  (out) room for `capacity` notices
/// \param capacity     at least 1; at most SLACLOCK_MAX_NOTICES are filled
/// \param out_filled   (out) notices written; 0 if all are acknowledged
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for a capacity of 0; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_pending(
    db: *const slaclock_db,
    consumer: *const c_char,
    consumer_len: usize,
    out_notices: *mut slaclock_notice,
    capacity: usize,
    out_filled: *mut usize,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts, columns and out parameters.
        let (consumer, out, filled) = unsafe {
            (
                input::text("consumer", consumer, consumer_len)?,
                output::column_out("out_notices", out_notices, capacity)?,
                output::out("out_filled", out_filled)?,
            )
        };
        let notices = db.db.feed(consumer)?.pending(out.len().min(SLACLOCK_MAX_NOTICES))?;
        let rows = notices.iter().map(row).collect::<Result<Vec<_>, Fault>>()?;
        filled.set(rows.len());
        out.fill(rows);
        Ok(())
    })
}

/// The same as JSON: a list of `number`, `request`, `clock`, `cycle`, `threshold` (`"late"`, `"breached"` or
/// `{"warning": percent}`), `at`, `by_change`, `retracted`, and of a notice about a promised share `period`, of a reminder `reminder`.
///
/// \param db       (in)
/// \param consumer (in) as for `slaclock_pending`, with `consumer_len`
/// \param limit    most notices, 1 to SLACLOCK_MAX_NOTICES
/// \param out_json (out, owned) free with `slaclock_text_free`
///
/// Errors: as for `slaclock_pending`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_pending_json(
    db: *const slaclock_db,
    consumer: *const c_char,
    consumer_len: usize,
    limit: usize,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (consumer, out) =
            unsafe { (input::text("consumer", consumer, consumer_len)?, output::out("out_json", out_json)?) };
        give_json(out, &db.db.feed(consumer)?.pending(limit.min(SLACLOCK_MAX_NOTICES))?)
    })
}

/// Acknowledges all notices up to a number, durably. A number acknowledged before changes nothing.
///
/// \param db       (in)
/// \param consumer (in) as for `slaclock_pending`, with `consumer_len`
/// \param number   of the last notice dealt with
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE if there is no such notice yet; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_acknowledge(
    db: *mut slaclock_db,
    consumer: *const c_char,
    consumer_len: usize,
    number: i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts.
        let consumer = unsafe { input::text("consumer", consumer, consumer_len) }?;
        Ok(db.db.feed(consumer)?.acknowledge(input::count("number", number)?)?)
    })
}

/// The number of the last notice that a consumer acknowledged.
///
/// \param db         (in)
/// \param consumer   (in) as for `slaclock_pending`, with `consumer_len`
/// \param out_number (out) 0 if none
///
/// Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_acknowledged(
    db: *const slaclock_db,
    consumer: *const c_char,
    consumer_len: usize,
    out_number: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (consumer, out) = unsafe {
            (input::text("consumer", consumer, consumer_len)?, output::out("out_number", out_number)?)
        };
        out.set(number(db.db.feed(consumer)?.acknowledged()?));
        Ok(())
    })
}
