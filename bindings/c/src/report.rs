//! Reports: is the promise kept? Attainment against the promised share, and time spent waiting.
//!
//! A cohort is what was received in a period, by the local date in the zone of the clock's calendar. Shares are in
//! hundredths of a percent, rounded down. Where nothing is decided yet there is no share.

use std::ffi::c_char;

use serde_json::{Value, json};
use slaclock_core::AttainmentQuery;
use slaclock_core::attainment::{Attainment, GoalVerdict, PeriodRange};
use slaclock_core::db::Group;
use slaclock_core::policy::Period;

use crate::db::{self, slaclock_db};
use crate::document;
use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::guard::guard;
use crate::input::{NTS, SLACLOCK_NONE, Sized32, day_of};
use crate::output::{inline, number};
use crate::request::SLACLOCK_NAME_SIZE;
use crate::status::slaclock_status;
use crate::text::{give_json, slaclock_text};
use crate::{input, output};

/// How a report is cut into periods.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_per {
    /// One period: the one asked for, or all of time.
    Whole = 0,
    /// Calendar months.
    Month = 1,
    /// Calendar quarters.
    Quarter = 2,
    /// Calendar years.
    Year = 3,
}

/// Whether a promised share is kept.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_goal_verdict {
    /// No share was promised.
    None = 0,
    /// Yes, however the undecided ones end.
    Kept = 1,
    /// Not decided yet.
    Open = 2,
    /// No, however the undecided ones end.
    Broken = 3,
}

/// What to report. Set it up with `SLACLOCK_ATTAINMENT_QUERY_INIT` or `slaclock_attainment_query_init`, which ask for
/// everything received so far and all clocks that promise a share; then set `now`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct slaclock_attainment_query {
    /// Size of this struct in bytes.
    pub size: u32,
    /// One of `slaclock_per`.
    pub per: i32,
    /// The instant to judge by: seconds since 1970-01-01T00:00:00Z, below 2100.
    pub now: i64,
    /// Only what was received in this period: a month `2026-03`, a quarter `2026-Q1`, a year `2026`, a date
    /// `2026-03-01` or a range of dates `2026-03-01..2026-03-15`, its last date included. (borrowed) UTF-8; NULL for
    /// all.
    pub period: *const c_char,
    /// Length of `period` in bytes, or SLACLOCK_NTS.
    pub period_len: usize,
    /// Only the clock of this name, whether it promises a share or not. (borrowed) UTF-8; NULL for those that promise
    /// one.
    pub clock: *const c_char,
    /// Length of `clock` in bytes, or SLACLOCK_NTS.
    pub clock_len: usize,
    /// Counts apart by these facts: a JSON list of names, like `["priority", "customer"]`. (borrowed) UTF-8; NULL for
    /// none. Only for `slaclock_attainment_json` and `slaclock_attainment_arrow`.
    pub by: *const c_char,
    /// Length of `by` in bytes, or SLACLOCK_NTS.
    pub by_len: usize,
}

// SAFETY: integers and pointers only, the size first.
unsafe impl Sized32 for slaclock_attainment_query {
    const NAME: &'static str = "slaclock_attainment_query";
    const FIRST_SIZE: usize = size_of::<slaclock_attainment_query>();
}

const EVERYTHING: slaclock_attainment_query = slaclock_attainment_query {
    size: size_of::<slaclock_attainment_query>() as u32,
    per: slaclock_per::Whole as i32,
    now: SLACLOCK_NONE,
    period: std::ptr::null(),
    period_len: NTS,
    clock: std::ptr::null(),
    clock_len: NTS,
    by: std::ptr::null(),
    by_len: NTS,
};

/// What a clock's promise came to in a period.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct slaclock_attainment_row {
    /// First date of the period, days since 1970-01-01.
    pub first_day: i64,
    /// Last date, included.
    pub last_day: i64,
    /// Requests that met their target.
    pub met: i64,
    /// Requests that missed it, the waived ones included.
    pub missed: i64,
    /// Requests that are not decided yet.
    pub undecided: i64,
    /// Left out: the clock never started.
    pub not_started: i64,
    /// Left out: no deadline.
    pub no_deadline: i64,
    /// Left out: withdrawn before due.
    pub cancelled: i64,
    /// Of the missed, those that somebody excused.
    pub waived: i64,
    /// Of the missed, those finished within the limit.
    pub missed_within_limit: i64,
    /// Of the missed, those still open whose limit has not passed.
    pub missed_limit_open: i64,
    /// Of the missed, those whose limit passed unmet, or that have none.
    pub missed_breached: i64,
    /// Single cycles finished in time, where a clock runs again and again.
    pub cycles_met: i64,
    /// Single cycles whose due instant passed unmet.
    pub cycles_missed: i64,
    /// The share met of those decided, in hundredths of a percent; SLACLOCK_NONE if none is decided.
    pub share_bp: i64,
    /// The share without the waived misses; SLACLOCK_NONE likewise.
    pub adjusted_share_bp: i64,
    /// The promised share, in hundredths of a percent; SLACLOCK_NONE if none was promised.
    pub goal_bp: i64,
    /// Misses still allowed, negative if there were more than that; SLACLOCK_NONE if no share was promised.
    pub budget_left: i64,
    /// Whether the promise is kept.
    pub verdict: slaclock_goal_verdict,
    /// 1 if the period is over, so that no more requests join the cohort, else 0.
    pub period_over: i32,
    /// The clock's name; ends with NUL.
    pub clock: [c_char; SLACLOCK_NAME_SIZE],
}

fn verdict(attainment: &Attainment) -> slaclock_goal_verdict {
    match attainment.verdict() {
        None => slaclock_goal_verdict::None,
        Some(GoalVerdict::Kept) => slaclock_goal_verdict::Kept,
        Some(GoalVerdict::Open) => slaclock_goal_verdict::Open,
        Some(GoalVerdict::Broken) => slaclock_goal_verdict::Broken,
    }
}

fn row(attainment: &Attainment) -> Result<slaclock_attainment_row, Fault> {
    let (tally, goal) = (&attainment.tally, attainment.goal.as_ref());
    let share = |share: Option<u32>| share.map_or(SLACLOCK_NONE, i64::from);
    Ok(slaclock_attainment_row {
        first_day: day_of(attainment.period.first()),
        last_day: day_of(attainment.period.last()),
        met: number(tally.met),
        missed: number(tally.missed),
        undecided: number(tally.undecided),
        not_started: number(tally.not_started),
        no_deadline: number(tally.no_deadline),
        cancelled: number(tally.cancelled),
        waived: number(tally.waived),
        missed_within_limit: number(tally.missed_within_limit),
        missed_limit_open: number(tally.missed_limit_open),
        missed_breached: number(tally.missed_breached),
        cycles_met: number(tally.cycles_met),
        cycles_missed: number(tally.cycles_missed),
        share_bp: share(tally.share_bp()),
        adjusted_share_bp: share(tally.adjusted().share_bp()),
        goal_bp: share(goal.map(|goal| goal.share_bp)),
        budget_left: goal.map_or(SLACLOCK_NONE, |goal| tally.budget_left(goal)),
        verdict: verdict(attainment),
        period_over: i32::from(attainment.period_over),
        clock: inline("clock", &attainment.clock)?,
    })
}

/// The query that a struct of the caller's describes, and whether it counts apart.
///
/// # Safety
/// As for [`input::sized`], and its texts as for [`input::text`].
pub(crate) unsafe fn read(query: *const slaclock_attainment_query) -> Result<(AttainmentQuery, bool), Fault> {
    // SAFETY: the same promise.
    let (given, period, clock, by) = unsafe {
        let given = input::sized("query", query)?;
        (
            given,
            input::optional_text("query.period", given.period, given.period_len)?,
            input::optional_text("query.clock", given.clock, given.clock_len)?,
            input::optional_text("query.by", given.by, given.by_len)?,
        )
    };
    let pers = [
        (0, "whole", None),
        (1, "month", Some(Period::Month)),
        (2, "quarter", Some(Period::Quarter)),
        (3, "year", Some(Period::Year)),
    ];
    let per = input::choice("query.per", given.per, &pers)?;
    let mut read = AttainmentQuery::at(input::instant("query.now", given.now)?);
    if let Some(period) = period {
        read = read.period(PeriodRange::parse(period)?);
    }
    if let Some(per) = per {
        read = read.per(per);
    }
    if let Some(clock) = clock {
        read = read.clock(clock);
    }
    let names: Vec<String> = by.map(|by| document::read("query.by", by)).transpose()?.unwrap_or_default();
    let apart = !names.is_empty();
    Ok((names.into_iter().fold(read, AttainmentQuery::by), apart))
}

/// Makes a query for everything, as `SLACLOCK_ATTAINMENT_QUERY_INIT` does.
///
/// \param query (out)
/// \param size  `sizeof(slaclock_attainment_query)`
///
/// Errors: INVALID_ARGUMENT if `query` is NULL or `size` is not that of a header. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_attainment_query_init(
    query: *mut slaclock_attainment_query,
    size: usize,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, structs with a size.
        unsafe { output::initialise("query", query, size, EVERYTHING) }
    })
}

/// Attainment by clock, then period, in the order of the newest policy's clocks. Goals are those of the newest policy.
///
/// \param db             (in)
/// \param query          (in) without `by`
/// \param out_attainment (out) room for `capacity` entries
/// \param capacity       as many as fit are written
/// \param out_count      (out) how many there are; ask again with as much room if they did not fit
///
/// Errors: INVALID_ARGUMENT, also for a text that is no period; CLOSED; OUT_OF_RANGE for `now` or a period beyond 1970 to
/// 2099; NOT_FOUND if the newest policy has no such clock, or none that promises a share; the errors of the file. Any
/// thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_attainment(
    db: *const slaclock_db,
    query: *const slaclock_attainment_query,
    out_attainment: *mut slaclock_attainment_row,
    capacity: usize,
    out_count: *mut usize,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, structs with a size, columns and out parameters.
        let ((query, apart), out, count) = unsafe {
            (
                read(query)?,
                output::column_out("out_attainment", out_attainment, capacity)?,
                output::out("out_count", out_count)?,
            )
        };
        if apart {
            return Err(Fault::argument(
                "`query.by` is set: use slaclock_attainment_json or slaclock_attainment_arrow to count apart",
            ));
        }
        let groups = db.db.attainment_by(&query)?;
        let rows = groups.iter().map(|group| row(&group.attainment)).collect::<Result<Vec<_>, Fault>>()?;
        count.set(rows.len());
        out.fill(rows);
        Ok(())
    })
}

fn group(group: &Group) -> Value {
    let attainment = &group.attainment;
    let goal = attainment.goal.as_ref();
    let by: serde_json::Map<String, Value> =
        group.by.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({
        "by": by,
        "attainment": attainment,
        "share_bp": attainment.tally.share_bp(),
        "adjusted_share_bp": attainment.tally.adjusted().share_bp(),
        "budget_left": goal.map(|goal| attainment.tally.budget_left(goal)),
        "verdict": attainment.verdict(),
        "text": attainment.to_string(),
    })
}

/// Attainment by clock, period and group as JSON: a list of `by` (an object of the facts counted apart by),
/// `attainment` (`period`, `clock`, `tally`, `goal`, `period_over`), `share_bp`, `adjusted_share_bp`, `budget_left`,
/// `verdict` (`kept`, `open`, `broken` or null) and `text` (a line for people).
///
/// \param db       (in)
/// \param query    (in)
/// \param out_json (out, owned) free with `slaclock_text_free`
///
/// Errors: as for `slaclock_attainment`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_attainment_json(
    db: *const slaclock_db,
    query: *const slaclock_attainment_query,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, structs with a size and out parameters.
        let ((query, _), out) = unsafe { (read(query)?, output::out("out_json", out_json)?) };
        let groups: Vec<Value> = db.db.attainment_by(&query)?.iter().map(group).collect();
        give_json(out, &groups)
    })
}

/// The period and instant that a waiting report is asked for.
///
/// # Safety
/// As for [`input::text`].
pub(crate) unsafe fn waiting(
    db: *const slaclock_db,
    period: *const c_char,
    period_len: usize,
    now: i64,
) -> Result<Vec<slaclock_core::db::Waiting>, Fault> {
    let db = db::get(db)?;
    // SAFETY: the same promise.
    let period = unsafe { input::optional_text("period", period, period_len) }?;
    let period = period.map(PeriodRange::parse).transpose()?;
    Ok(db.db.waiting(period, input::instant("now", now)?)?)
}

/// Time on hold by reason, for requests received in a period, up to `now`, as JSON: a list of `reason`, `requests`,
/// `holds`, `elapsed` (wall-clock seconds, summed), `working` (working seconds in the calendar of the policy's first
/// clock), `median` (wall-clock seconds of the median hold). A hold that nobody ended counts until the request was
/// handled, or until `now`.
///
/// \param db       (in)
/// \param period   (in) as in `slaclock_attainment_query`, with `period_len`; NULL for all
/// \param now      seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_json (out, owned) free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, also for a text that is no period; CLOSED; OUT_OF_RANGE for `now` or a period beyond 1970 to
/// 2099; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_waiting_json(
    db: *const slaclock_db,
    period: *const c_char,
    period_len: usize,
    now: i64,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts.
        let waiting = unsafe { waiting(db, period, period_len, now) }?;
        // SAFETY: docs/capi.md, out parameters.
        give_json(unsafe { output::out("out_json", out_json) }?, &waiting)
    })
}
