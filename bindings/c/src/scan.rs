//! Scans: what is late, what is about to be, how many of each, and when to look again.
//!
//! A scan costs as much as its answer, whatever the size of the table. It reads one snapshot. Rows come earliest due
//! first, ties in the order of submission, and a page at a time:
//!
//!     int64_t after = SLACLOCK_PAGE_FIRST;
//!     while (after != SLACLOCK_PAGE_END) {
//!         size_t filled;
//!         if (slaclock_late(db, now, after, rows, 100, &filled, &after, &error) != SLACLOCK_STATUS_OK) break;
//!         for (size_t i = 0; i < filled; i++) use(&rows[i]);
//!     }

use std::ffi::c_char;

use slaclock_core::{Counts, Page, PageKey, Query, Row, Rows, Stage};

use crate::db::{self, slaclock_db};
use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::guard::guard;
use crate::input::{NTS, SLACLOCK_NONE, Sized32};
use crate::output::{inline, number};
use crate::request::{SLACLOCK_NAME_SIZE, or_none, slaclock_stage};
use crate::status::slaclock_status;
use crate::text::{give_json, slaclock_text};
use crate::{input, output};

/// The place before the first page.
pub const SLACLOCK_PAGE_FIRST: i64 = -1;

/// The place after the last page.
pub const SLACLOCK_PAGE_END: i64 = -2;

/// Most rows that one call gives; a larger capacity is not an error.
pub const SLACLOCK_MAX_PAGE: usize = 10_000;

const _: () = assert!(SLACLOCK_MAX_PAGE == slaclock_core::db::MAX_PAGE);

/// A running clock.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct slaclock_row {
    /// When it is due.
    pub due_at: i64,
    /// When it breaches; SLACLOCK_NONE without backstop.
    pub limit_at: i64,
    /// When its cycle started.
    pub started_at: i64,
    /// Number of its cycle, from 1.
    pub cycle: i64,
    /// Where it stands.
    pub stage: slaclock_stage,
    /// The request's id; ends with NUL.
    pub request: [c_char; SLACLOCK_NAME_SIZE],
    /// The clock's name; ends with NUL.
    pub clock: [c_char; SLACLOCK_NAME_SIZE],
}

/// What a scan looks for. Set it up with `SLACLOCK_QUERY_INIT` or `slaclock_query_init`, which ask for every running
/// clock; then set `now`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct slaclock_query {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Only clocks in one of these stages: the sum of `1 << SLACLOCK_STAGE_...`; 0 for all running ones.
    pub stages: i32,
    /// The instant to judge by: seconds since 1970-01-01T00:00:00Z, below 2100.
    pub now: i64,
    /// Only clocks due at or after this instant; SLACLOCK_NONE for any.
    pub since: i64,
    /// Only clocks due before this instant; SLACLOCK_NONE for any.
    pub until: i64,
    /// Only clocks of this name: (borrowed) UTF-8; NULL for any.
    pub clock: *const c_char,
    /// Length of `clock` in bytes, or SLACLOCK_NTS.
    pub clock_len: usize,
}

// SAFETY: integers and pointers only, the size first.
unsafe impl Sized32 for slaclock_query {
    const NAME: &'static str = "slaclock_query";
    const FIRST_SIZE: usize = size_of::<slaclock_query>();
}

const EVERYTHING: slaclock_query = slaclock_query {
    size: size_of::<slaclock_query>() as u32,
    stages: 0,
    now: SLACLOCK_NONE,
    since: SLACLOCK_NONE,
    until: SLACLOCK_NONE,
    clock: std::ptr::null(),
    clock_len: NTS,
};

/// The query that a struct of the caller's describes.
///
/// # Safety
/// As for [`input::sized`], and its text as for [`input::text`].
pub(crate) unsafe fn read(query: *const slaclock_query) -> Result<Query, Fault> {
    // SAFETY: the same promise.
    let (given, clock) = unsafe {
        let given = input::sized("query", query)?;
        (given, input::optional_text("query.clock", given.clock, given.clock_len)?)
    };
    let mut read = Query::at(input::instant("query.now", given.now)?);
    read.since = input::optional_instant("query.since", given.since)?;
    read.until = input::optional_instant("query.until", given.until)?;
    read.clock = clock.map(str::to_owned);
    if !(0..1 << Stage::ALL.len()).contains(&given.stages) {
        return Err(Fault::argument(format!(
            "`query.stages` is {}: must be a sum of 1 << SLACLOCK_STAGE_..., at most {}",
            given.stages,
            (1 << Stage::ALL.len()) - 1
        )));
    }
    let wanted = Stage::ALL.iter().enumerate().filter(|(at, _)| given.stages >> at & 1 == 1);
    read.stages = wanted.map(|(_, stage)| *stage).collect();
    Ok(read)
}

/// Makes a query for every running clock, as `SLACLOCK_QUERY_INIT` does.
///
/// \param query (out)
/// \param size  `sizeof(slaclock_query)`
///
/// Errors: INVALID_ARGUMENT if `query` is NULL or `size` is not that of a header. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_query_init(
    query: *mut slaclock_query,
    size: usize,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, structs with a size.
        unsafe { output::initialise("query", query, size, EVERYTHING) }
    })
}

/// The page that begins after a place; `None` after the end.
pub(crate) fn page(after: i64, capacity: usize) -> Result<Option<Page>, Fault> {
    let limit = capacity.min(SLACLOCK_MAX_PAGE);
    // 0 rows are for the core to refuse.
    Ok(match after {
        SLACLOCK_PAGE_FIRST => Some(Page::first(limit)),
        SLACLOCK_PAGE_END => None,
        key => Some(Page::after(PageKey::from_bits(key.cast_unsigned()), limit)),
    })
}

pub(crate) fn place(next: Option<PageKey>) -> i64 {
    next.map_or(SLACLOCK_PAGE_END, |key| key.to_bits().cast_signed())
}

fn row(row: &Row) -> Result<slaclock_row, Fault> {
    Ok(slaclock_row {
        due_at: row.due_at.as_secs(),
        limit_at: or_none(row.limit_at),
        started_at: row.started_at.as_secs(),
        cycle: number(u64::from(row.cycle)),
        stage: row.stage.into(),
        request: inline("request", &row.request)?,
        clock: inline("clock", &row.clock)?,
    })
}

/// The places of a page of rows.
struct PageOut {
    rows: *mut slaclock_row,
    capacity: usize,
    filled: *mut usize,
    next: *mut i64,
}

impl PageOut {
    /// Fills the page with what `scan` finds.
    ///
    /// # Safety
    /// The places are as [`output::out`] and [`output::column_out`] ask.
    unsafe fn fill(self, after: i64, scan: impl FnOnce(Page) -> Result<Rows, Fault>) -> Result<(), Fault> {
        // SAFETY: the same promise.
        let (rows, filled, next) = unsafe {
            (
                output::column_out("out_rows", self.rows, self.capacity)?,
                output::out("out_filled", self.filled)?,
                output::optional_out("out_next", self.next)?,
            )
        };
        let found = match page(after, rows.len())? {
            Some(page) => scan(page)?,
            None => Rows { rows: Vec::new(), next: None },
        };
        let converted = found.rows.iter().map(row).collect::<Result<Vec<_>, Fault>>()?;
        filled.set(converted.len());
        rows.fill(converted);
        if let Some(next) = next {
            next.set(place(found.next));
        }
        Ok(())
    }
}

/// One page of the running clocks that a query asks for.
///
/// \param db         (in)
/// \param query      (in)
/// \param after      SLACLOCK_PAGE_FIRST, or what the call before wrote to `out_next`
/// \param out_rows   (out) room for `capacity` rows
/// \param capacity   at least 1; at most SLACLOCK_MAX_PAGE rows are filled
/// \param out_filled (out) rows written
/// \param out_next   (out) where the next page begins, SLACLOCK_PAGE_END if this was the last; NULL to decline. Stays
///                   valid whatever is written meanwhile.
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for an instant or a capacity of 0; NOT_FOUND if no policy of the
/// database has the clock asked for; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_scan(
    db: *const slaclock_db,
    query: *const slaclock_query,
    after: i64,
    out_rows: *mut slaclock_row,
    capacity: usize,
    out_filled: *mut usize,
    out_next: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, structs with a size.
        let query = unsafe { read(query) }?;
        let out = PageOut { rows: out_rows, capacity, filled: out_filled, next: out_next };
        // SAFETY: docs/capi.md, columns and out parameters.
        unsafe { out.fill(after, |page| Ok(db.db.scan(&query, page)?)) }
    })
}

/// The same page as JSON: `rows` (`request`, `clock`, `cycle`, `stage`, `due_at`, `limit_at`, `started_at`) and
/// `next` (for `after`; SLACLOCK_PAGE_END at the end).
///
/// \param db       (in)
/// \param query    (in)
/// \param after    SLACLOCK_PAGE_FIRST, or `next` of the page before
/// \param limit    most rows, 1 to SLACLOCK_MAX_PAGE
/// \param out_json (out, owned) free with `slaclock_text_free`
///
/// Errors: as for `slaclock_scan`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_scan_json(
    db: *const slaclock_db,
    query: *const slaclock_query,
    after: i64,
    limit: usize,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, structs with a size and out parameters.
        let (query, out) = unsafe { (read(query)?, output::out("out_json", out_json)?) };
        let found = match page(after, limit)? {
            Some(page) => db.db.scan(&query, page)?,
            None => Rows { rows: Vec::new(), next: None },
        };
        give_json(out, &serde_json::json!({ "rows": found.rows, "next": place(found.next) }))
    })
}

/// Clocks that are late at `now`: due has passed, the limit has not.
///
/// \param db         (in)
/// \param now        seconds since 1970-01-01T00:00:00Z, below 2100
/// \param after      SLACLOCK_PAGE_FIRST, or what the call before wrote to `out_next`
/// \param out_rows   (out) room for `capacity` rows
/// \param capacity   at least 1; at most SLACLOCK_MAX_PAGE rows are filled
/// \param out_filled (out) rows written
/// \param out_next   (out) where the next page begins, or SLACLOCK_PAGE_END; NULL to decline
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now` or a capacity of 0; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_late(
    db: *const slaclock_db,
    now: i64,
    after: i64,
    out_rows: *mut slaclock_row,
    capacity: usize,
    out_filled: *mut usize,
    out_next: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let (db, now) = (db::get(db)?, input::instant("now", now)?);
        let out = PageOut { rows: out_rows, capacity, filled: out_filled, next: out_next };
        // SAFETY: docs/capi.md, columns and out parameters.
        unsafe { out.fill(after, |page| Ok(db.db.late(now, page)?)) }
    })
}

/// Clocks that are breached at `now`: the limit has passed, or due where there is no backstop.
///
/// Arguments and errors: as for `slaclock_late`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_breached(
    db: *const slaclock_db,
    now: i64,
    after: i64,
    out_rows: *mut slaclock_row,
    capacity: usize,
    out_filled: *mut usize,
    out_next: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let (db, now) = (db::get(db)?, input::instant("now", now)?);
        let out = PageOut { rows: out_rows, capacity, filled: out_filled, next: out_next };
        // SAFETY: docs/capi.md, columns and out parameters.
        unsafe { out.fill(after, |page| Ok(db.db.breached(now, page)?)) }
    })
}

/// Clocks that are at risk at `now`: a warning threshold has passed, due has not.
///
/// Arguments and errors: as for `slaclock_late`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_at_risk(
    db: *const slaclock_db,
    now: i64,
    after: i64,
    out_rows: *mut slaclock_row,
    capacity: usize,
    out_filled: *mut usize,
    out_next: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let (db, now) = (db::get(db)?, input::instant("now", now)?);
        let out = PageOut { rows: out_rows, capacity, filled: out_filled, next: out_next };
        // SAFETY: docs/capi.md, columns and out parameters.
        unsafe { out.fill(after, |page| Ok(db.db.at_risk(now, page)?)) }
    })
}

/// Running clocks due before `until`, judged at `until`.
///
/// \param until seconds since 1970-01-01T00:00:00Z, below 2100
///
/// Other arguments and errors: as for `slaclock_late`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_due_before(
    db: *const slaclock_db,
    until: i64,
    after: i64,
    out_rows: *mut slaclock_row,
    capacity: usize,
    out_filled: *mut usize,
    out_next: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let (db, until) = (db::get(db)?, input::instant("until", until)?);
        let out = PageOut { rows: out_rows, capacity, filled: out_filled, next: out_next };
        // SAFETY: docs/capi.md, columns and out parameters.
        unsafe { out.fill(after, |page| Ok(db.db.due_before(until, page)?)) }
    })
}

/// Clocks that passed due from `last` on and before `now`, and still run: newly late since the last look.
///
/// \param last  when was looked last: seconds since 1970-01-01T00:00:00Z, below 2100
/// \param now   the same, of this look
///
/// Other arguments and errors: as for `slaclock_late`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_newly_late(
    db: *const slaclock_db,
    last: i64,
    now: i64,
    after: i64,
    out_rows: *mut slaclock_row,
    capacity: usize,
    out_filled: *mut usize,
    out_next: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let (db, last) = (db::get(db)?, input::instant("last", last)?);
        let now = input::instant("now", now)?;
        let out = PageOut { rows: out_rows, capacity, filled: out_filled, next: out_next };
        // SAFETY: docs/capi.md, columns and out parameters.
        unsafe { out.fill(after, |page| Ok(db.db.newly_late(last, now, page)?)) }
    })
}

/// The running clock that is due first at or after `now`: the next instant to look again.
///
/// \param db        (in)
/// \param now       seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_row   (out) the clock, written if there is one; NULL to decline
/// \param out_found (out) 1 if there is one, else 0
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_next_due(
    db: *const slaclock_db,
    now: i64,
    out_row: *mut slaclock_row,
    out_found: *mut i32,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let (db, now) = (db::get(db)?, input::instant("now", now)?);
        // SAFETY: docs/capi.md, out parameters.
        let (out, found) =
            unsafe { (output::optional_out("out_row", out_row)?, output::out("out_found", out_found)?) };
        let next = db.db.next_due(now)?;
        let converted = next.as_ref().map(row).transpose()?;
        found.set(i32::from(converted.is_some()));
        if let (Some(out), Some(row)) = (out, converted) {
            out.set(row);
        }
        Ok(())
    })
}

/// Clocks by stage.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct slaclock_stage_counts {
    /// Running, no warning threshold has passed.
    pub on_track: i64,
    /// Running, a warning threshold has passed.
    pub at_risk: i64,
    /// Running, due has passed, the limit has not.
    pub late: i64,
    /// Running, the promise is broken.
    pub breached: i64,
    /// Stopped by a pause.
    pub paused: i64,
    /// Not started, or without deadline.
    pub idle: i64,
    /// Latest cycle finished in time.
    pub met: i64,
    /// Latest cycle finished late.
    pub missed: i64,
    /// Latest cycle withdrawn.
    pub cancelled: i64,
}

impl From<Counts> for slaclock_stage_counts {
    fn from(counts: Counts) -> slaclock_stage_counts {
        slaclock_stage_counts {
            on_track: number(counts.on_track),
            at_risk: number(counts.at_risk),
            late: number(counts.late),
            breached: number(counts.breached),
            paused: number(counts.paused),
            idle: number(counts.idle),
            met: number(counts.met),
            missed: number(counts.missed),
            cancelled: number(counts.cancelled),
        }
    }
}

/// All clocks by stage at `now`. Takes microseconds, whatever the size, unless `now` lies before recorded events.
///
/// \param db         (in)
/// \param now        seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_counts (out)
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_counts(
    db: *const slaclock_db,
    now: i64,
    out_counts: *mut slaclock_stage_counts,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let (db, now) = (db::get(db)?, input::instant("now", now)?);
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_counts", out_counts) }?;
        out.set(db.db.counts(now)?.into());
        Ok(())
    })
}
