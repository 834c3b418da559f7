//! Requests: submitting them, and what is known of one.

use std::ffi::c_char;

use slaclock_core::{ClockStatus, Instant, OnError, Operation, Outcome, Request, Stage};

use crate::db::{self, slaclock_db};
use crate::document::{self, RequestDoc};
use crate::error::slaclock_error;
use crate::facts::{self, slaclock_facts};
use crate::fault::Fault;
use crate::guard::guard;
use crate::input::{NTS, SLACLOCK_NONE, Sized32};
use crate::output::{inline, number};
use crate::status::slaclock_status;
use crate::text::{give_json, slaclock_text};
use crate::{input, output};

/// Bytes of an id or a name in a struct, the NUL at its end included.
pub const SLACLOCK_NAME_SIZE: usize = 256;

/// Where a clock stands.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_stage {
    /// Has not started, or has no deadline.
    Idle = 0,
    /// Running, no warning threshold has passed.
    OnTrack = 1,
    /// Running, a warning threshold has passed.
    AtRisk = 2,
    /// Running, due has passed, the limit has not: spends error budget.
    Late = 3,
    /// Running, the promise is broken: the limit has passed, or due where there is no backstop.
    Breached = 4,
    /// Stopped by a pause: has remaining time, but no due instant.
    Paused = 5,
    /// Finished at or before due.
    Met = 6,
    /// Finished after due.
    Missed = 7,
    /// Withdrawn before due.
    Cancelled = 8,
}

impl From<Stage> for slaclock_stage {
    fn from(stage: Stage) -> slaclock_stage {
        match stage {
            Stage::Idle => slaclock_stage::Idle,
            Stage::OnTrack => slaclock_stage::OnTrack,
            Stage::AtRisk => slaclock_stage::AtRisk,
            Stage::Late => slaclock_stage::Late,
            Stage::Breached => slaclock_stage::Breached,
            Stage::Paused => slaclock_stage::Paused,
            Stage::Met => slaclock_stage::Met,
            Stage::Missed => slaclock_stage::Missed,
            Stage::Cancelled => slaclock_stage::Cancelled,
        }
    }
}

/// What became of something to be written.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_outcome {
    /// Nothing: the row of a batch is wrong, and its status says why.
    Refused = 0,
    /// It is written.
    Recorded = 1,
    /// The same content was there already, under the same id or key; nothing changed.
    AlreadyRecorded = 2,
}

impl From<Outcome> for slaclock_outcome {
    fn from(outcome: Outcome) -> slaclock_outcome {
        match outcome {
            Outcome::Recorded => slaclock_outcome::Recorded,
            Outcome::AlreadyRecorded => slaclock_outcome::AlreadyRecorded,
        }
    }
}

/// What a customer asked. Set it up with `SLACLOCK_REQUEST_INIT` or `slaclock_request_init`, which leave everything
/// out and take every text as ending with NUL; then set at least `id` and `received_at`.
///
/// Texts are (borrowed) UTF-8, each with its length in bytes or SLACLOCK_NTS; NULL leaves one out. They are read
/// during the call only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct slaclock_request {
    /// Size of this struct in bytes.
    pub size: u32,
    /// The CRM's own key: 1 to 255 bytes without control characters, unique in a database.
    pub id: *const c_char,
    /// Length of `id`.
    pub id_len: usize,
    /// When it was received: seconds since 1970-01-01T00:00:00Z, below 2100.
    pub received_at: i64,
    /// Who asked.
    pub customer: *const c_char,
    /// Length of `customer`.
    pub customer_len: usize,
    /// The CRM's own priority, like `high`, `P1`.
    pub priority: *const c_char,
    /// Length of `priority`.
    pub priority_len: usize,
    /// What it is about.
    pub category: *const c_char,
    /// Length of `category`.
    pub category_len: usize,
    /// How it arrived, like `phone`, `email`.
    pub channel: *const c_char,
    /// Length of `channel`.
    pub channel_len: usize,
    /// One line for people.
    pub subject: *const c_char,
    /// Length of `subject`.
    pub subject_len: usize,
    /// Anything else that policies match on; NULL for nothing.
    pub attributes: *const slaclock_facts,
}

// SAFETY: integers and pointers only, the size first.
unsafe impl Sized32 for slaclock_request {
    const NAME: &'static str = "slaclock_request";
    const FIRST_SIZE: usize = size_of::<slaclock_request>();
}

const EMPTY: slaclock_request = slaclock_request {
    size: size_of::<slaclock_request>() as u32,
    id: std::ptr::null(),
    id_len: NTS,
    received_at: SLACLOCK_NONE,
    customer: std::ptr::null(),
    customer_len: NTS,
    priority: std::ptr::null(),
    priority_len: NTS,
    category: std::ptr::null(),
    category_len: NTS,
    channel: std::ptr::null(),
    channel_len: NTS,
    subject: std::ptr::null(),
    subject_len: NTS,
    attributes: std::ptr::null(),
};

/// The request that a struct of the caller's describes.
///
/// # Safety
/// As for [`input::sized`], and its texts as for [`input::text`].
pub(crate) unsafe fn read(request: *const slaclock_request) -> Result<Request, Fault> {
    // SAFETY: the same promise, for the struct and for each text.
    unsafe {
        let given = input::sized("request", request)?;
        let optional = |name: &str, data: *const c_char, len: usize| {
            Ok::<_, Fault>(input::optional_text(name, data, len)?.map(str::to_owned))
        };
        let id = input::text("request.id", given.id, given.id_len)?;
        let mut read = Request::new(id, input::instant("request.received_at", given.received_at)?);
        read.customer = optional("request.customer", given.customer, given.customer_len)?;
        read.priority = optional("request.priority", given.priority, given.priority_len)?;
        read.category = optional("request.category", given.category, given.category_len)?;
        read.channel = optional("request.channel", given.channel, given.channel_len)?;
        read.subject = optional("request.subject", given.subject, given.subject_len)?;
        read.attributes = facts::pairs("request.attributes", given.attributes)?;
        Ok(read)
    }
}

/// Leaves everything in a request out, as `SLACLOCK_REQUEST_INIT` does.
///
/// \param request (out)
/// \param size    `sizeof(slaclock_request)`
///
/// Errors: INVALID_ARGUMENT if `request` is NULL or `size` is not that of a header. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_request_init(
    request: *mut slaclock_request,
    size: usize,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, structs with a size.
        unsafe { output::initialise("request", request, size, EMPTY) }
    })
}

/// Submits a request: pins it to the policy version in force when it was received and starts its clocks. Durable when
/// the call returns (with safe durability).
///
/// Idempotent by id: submitting the same content again gives ALREADY_RECORDED, so a call whose outcome is unknown may
/// simply be repeated.
///
/// \param db          (in)
/// \param request     (in)
/// \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
///
/// Errors: INVALID_ARGUMENT for an argument, id or field; CLOSED; OUT_OF_RANGE for `received_at`; CONFLICT if the id
/// was submitted with other content; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_submit(
    db: *mut slaclock_db,
    request: *const slaclock_request,
    out_outcome: *mut slaclock_outcome,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, structs with a size and out parameters.
        let (request, out) = unsafe { (read(request)?, output::optional_out("out_outcome", out_outcome)?) };
        let outcome = one(&db.db, Operation::Submit(request))?;
        if let Some(out) = out {
            out.set(outcome);
        }
        Ok(())
    })
}

/// Writes one row.
pub(crate) fn one(db: &slaclock_core::Db, operation: Operation) -> Result<slaclock_outcome, Fault> {
    let outcomes = db.apply(std::slice::from_ref(&operation), OnError::Abort)?;
    let outcome = outcomes.into_iter().next();
    let missing = || Fault::new(slaclock_core::ErrorKind::Internal, "a row without result");
    Ok(outcome.ok_or_else(missing)??.into())
}

/// The same with JSON in and out, for languages in which structs are tedious.
///
/// \param db       (in)
/// \param json     (in) an object of `id`, `received_at` and, as wanted, `customer`, `priority`, `category`, `channel`,
///                 `subject`, `attributes` (an object of texts); `json_len` its length in bytes, or SLACLOCK_NTS
/// \param out_json (out, owned) `outcome` (`recorded`, `already_recorded`) and `clocks`, as in `slaclock_get_json`;
///                 free with `slaclock_text_free`; NULL to decline
///
/// Errors: as for `slaclock_submit`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_submit_json(
    db: *mut slaclock_db,
    json: *const c_char,
    json_len: usize,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (json, out) =
            unsafe { (input::text("json", json, json_len)?, output::optional_out("out_json", out_json)?) };
        let request = document::read::<RequestDoc>("json", json)?.into_request()?;
        let recorded = db.db.submit(&request)?;
        out.map_or(Ok(()), |out| give_json(out, &recorded))
    })
}

/// One clock of a request.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct slaclock_clock_status {
    /// Number of the latest cycle; 0 if it has not started.
    pub cycle: i64,
    /// When that cycle started, or will if nothing happens before; SLACLOCK_NONE if not.
    pub started_at: i64,
    /// When it is due; SLACLOCK_NONE while paused, without deadline, or not started.
    pub due_at: i64,
    /// When it breaches; SLACLOCK_NONE without backstop.
    pub limit_at: i64,
    /// When it finished; SLACLOCK_NONE if it has not.
    pub finished_at: i64,
    /// What is left of the target while paused, in seconds of its own time; SLACLOCK_NONE if not paused.
    pub remaining_s: i64,
    /// Where it stands.
    pub stage: slaclock_stage,
    /// 1 if the deadline counts past the last date up to which the holidays are known, else 0.
    pub beyond_known_holidays: i32,
    /// The clock's name; ends with NUL.
    pub clock: [c_char; SLACLOCK_NAME_SIZE],
    /// Why there is no deadline, for people; empty if there is one. Ends with NUL.
    pub no_deadline: [c_char; SLACLOCK_NAME_SIZE],
}

/// Seconds of an instant that may not be there.
pub(crate) fn or_none(at: Option<Instant>) -> i64 {
    at.map_or(SLACLOCK_NONE, Instant::as_secs)
}

fn clock_row(status: &ClockStatus) -> Result<slaclock_clock_status, Fault> {
    Ok(slaclock_clock_status {
        cycle: number(u64::from(status.cycle)),
        started_at: or_none(status.started_at),
        due_at: or_none(status.due_at),
        limit_at: or_none(status.limit_at),
        finished_at: or_none(status.finished_at),
        remaining_s: status.remaining.map_or(SLACLOCK_NONE, |left| left.as_secs()),
        stage: status.stage.into(),
        beyond_known_holidays: i32::from(status.beyond_known_holidays),
        clock: inline("clock", &status.clock)?,
        no_deadline: inline("reason", status.no_deadline.as_deref().unwrap_or(""))?,
    })
}

/// # Safety
/// As for [`input::text`].
unsafe fn status(
    db: &slaclock_core::Db,
    id: *const c_char,
    id_len: usize,
    now: i64,
) -> Result<slaclock_core::RequestStatus, Fault> {
    // SAFETY: the same promise.
    let id = unsafe { input::text("id", id, id_len) }?;
    Ok(match input::optional_instant("now", now)? {
        None => db.get(id)?,
        Some(now) => db.get_at(id, now)?,
    })
}

/// The clocks of a request, in the order of its policy.
///
/// \param db         (in)
/// \param id         (in) the request's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
/// \param now        judges at this instant and leaves later events out; SLACLOCK_NONE for right after its latest event
/// \param out_clocks (out) room for `capacity` clocks
/// \param capacity   64 is always enough
/// \param out_count  (out) how many clocks the request has; as many as fit are written
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; NOT_FOUND if there is no such request; the errors of the
/// file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_clocks(
    db: *const slaclock_db,
    id: *const c_char,
    id_len: usize,
    now: i64,
    out_clocks: *mut slaclock_clock_status,
    capacity: usize,
    out_count: *mut usize,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, columns and out parameters.
        let (out, count) = unsafe {
            (output::column_out("out_clocks", out_clocks, capacity)?, output::out("out_count", out_count)?)
        };
        // SAFETY: docs/capi.md, texts.
        let status = unsafe { status(&db.db, id, id_len, now) }?;
        let rows = status.clocks.iter().map(clock_row).collect::<Result<Vec<_>, Fault>>()?;
        count.set(rows.len());
        out.fill(rows);
        Ok(())
    })
}

/// Everything known of a request, as JSON: `request` (as submitted), `facts` (after all changes), `policy` (`name
/// version`), `state` (`"open"`, or an object of `resolved` or `cancelled` with the instant `at`), `clocks`,
/// `events`. Instants are seconds since 1970-01-01T00:00:00Z.
///
/// \param db       (in)
/// \param id       (in) the request's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
/// \param now      judges at this instant and leaves later events out; SLACLOCK_NONE for right after its latest event
/// \param out_json (out, owned) free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; NOT_FOUND if there is no such request; the errors of the
/// file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_get_json(
    db: *const slaclock_db,
    id: *const c_char,
    id_len: usize,
    now: i64,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_json", out_json) }?;
        // SAFETY: docs/capi.md, texts.
        give_json(out, &unsafe { status(&db.db, id, id_len, now) }?)
    })
}
