//! Calendars: working hours in a time zone. Immutable; take one from a policy or a rule.
//!
//! Dates are days since 1970-01-01 (0 is 1970-01-01), from -1 to 47482. Working time is counted in seconds.

use std::sync::Arc;

use slaclock_core::calendar::{Calendar, Edge};
use slaclock_core::{ErrorKind, Instant, NoDeadline, TimeOfDay};

use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::guard::guard;
use crate::handle::{self, object};
use crate::status::slaclock_status;
use crate::text::{give, slaclock_text};
use crate::{input, output};

/// A calendar.
pub struct slaclock_calendar {
    _opaque: (),
}

pub(crate) struct Hours(pub(crate) Arc<Calendar>);

object!(Hours, slaclock_calendar, 2, "a calendar");

impl Hours {
    #[cold]
    fn none(&self, reason: NoDeadline) -> Fault {
        Fault::no_deadline(&format!("calendar `{}`", self.0.name()), reason)
    }
}

fn get(calendar: *const slaclock_calendar) -> Result<Arc<Hours>, Fault> {
    handle::get::<Hours>("calendar", calendar)
}

/// Which of two instants a civil time means that comes twice, as clocks are set back. One that does not come at all, as
/// they are set forward, is the instant of the change either way.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_edge {
    /// The first: what an opening, a cut-off or a due time means.
    First = 0,
    /// The second: what a closing means.
    Second = 1,
}

/// The IANA name of a calendar's time zone.
///
/// \param calendar (in)
/// \param out_text (out, owned) free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_zone(
    calendar: *const slaclock_calendar,
    out_text: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        // SAFETY: docs/capi.md, out parameters.
        give(unsafe { output::out("out_text", out_text) }?, calendar.0.zone().name().to_owned())
    })
}

/// Whether an instant lies in working time.
///
/// \param calendar (in)
/// \param at       seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_open (out) 1 or 0
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_is_open(
    calendar: *const slaclock_calendar,
    at: i64,
    out_open: *mut i32,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_open", out_open) }?;
        out.set(i32::from(calendar.0.is_open(input::instant("at", at)?)));
        Ok(())
    })
}

/// The next instant of working time: `at` itself if it is open.
///
/// \param calendar     (in)
/// \param at           seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_opens_at (out) the same
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`; NO_DEADLINE if it does not open before 2100. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_next_open(
    calendar: *const slaclock_calendar,
    at: i64,
    out_opens_at: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_opens_at", out_opens_at) }?;
        let opens = calendar.0.next_open(input::instant("at", at)?);
        out.set(opens.map_err(|reason| calendar.none(reason))?.as_secs());
        Ok(())
    })
}

/// The first instant after `at` at which open turns to closed.
///
/// \param calendar      (in)
/// \param at            seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_closes_at (out) the same
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`; NO_DEADLINE if it does not close before 2100. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_next_close(
    calendar: *const slaclock_calendar,
    at: i64,
    out_closes_at: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_closes_at", out_closes_at) }?;
        let closes = calendar.0.next_close(input::instant("at", at)?);
        out.set(closes.map_err(|reason| calendar.none(reason))?.as_secs());
        Ok(())
    })
}

/// Working time in `[from_at, to_at)`.
///
/// \param calendar      (in)
/// \param from_at       seconds since 1970-01-01T00:00:00Z, below 2100
/// \param to_at         the same; if it comes before `from_at`, the answer is negative
/// \param out_working_s (out) seconds
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for an instant. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_working_time(
    calendar: *const slaclock_calendar,
    from_at: i64,
    to_at: i64,
    out_working_s: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_working_s", out_working_s) }?;
        let (from, to) = (input::instant("from_at", from_at)?, input::instant("to_at", to_at)?);
        out.set(calendar.0.working_time(from, to).as_secs());
        Ok(())
    })
}

/// Working time between many pairs of instants, columns in, column out, without allocation.
///
/// \param calendar      (in)
/// \param from_at       (in) `n` entries, seconds since 1970-01-01T00:00:00Z, below 2100
/// \param to_at         (in) `n` entries likewise
/// \param n             entries; 0 allows NULL columns
/// \param out_working_s (out) room for `n` entries, in the same order: seconds. Must not overlap the others.
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for the first entry that is no instant. Then nothing is
/// written. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_working_time_many(
    calendar: *const slaclock_calendar,
    from_at: *const i64,
    to_at: *const i64,
    n: usize,
    out_working_s: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        // SAFETY: docs/capi.md, columns.
        let (from, to) =
            unsafe { (input::column("from_at", from_at, n)?, input::column("to_at", to_at, n)?) };
        // SAFETY: as above; `numbers_out` is asked for both, so that it overlaps neither.
        unsafe { output::numbers_out("out_working_s", out_working_s, n, to) }?;
        // SAFETY: as above, and the reference before is not used.
        let out = unsafe { output::numbers_out("out_working_s", out_working_s, n, from) }?;
        input::instants("from_at", from)?;
        input::instants("to_at", to)?;
        let at = |seconds: i64| Instant::try_from(seconds).unwrap_or(Instant::MIN);
        for ((from, to), out) in from.iter().zip(to).zip(out) {
            *out = calendar.0.working_time(at(*from), at(*to)).as_secs();
        }
        Ok(())
    })
}

/// The earliest instant by which this much working time has passed since `at`; `at` itself for 0.
///
/// \param calendar  (in)
/// \param at        seconds since 1970-01-01T00:00:00Z, below 2100
/// \param working_s seconds of working time, not negative
/// \param out_at    (out) seconds since 1970-01-01T00:00:00Z
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at` or a negative time; NO_DEADLINE if that much working time
/// does not pass before 2100. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_add_working_time(
    calendar: *const slaclock_calendar,
    at: i64,
    working_s: i64,
    out_at: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_at", out_at) }?;
        let added = calendar.0.add_working_time(input::instant("at", at)?, input::span(working_s))?;
        out.set(added.as_secs());
        Ok(())
    })
}

/// The latest instant from which this much working time passes until `at`; `at` itself for 0.
///
/// \param calendar  (in)
/// \param at        seconds since 1970-01-01T00:00:00Z, below 2100
/// \param working_s seconds of working time, not negative
/// \param out_at    (out) seconds since 1970-01-01T00:00:00Z
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`, a negative time, or one that has not passed since 1970. Any
/// thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_sub_working_time(
    calendar: *const slaclock_calendar,
    at: i64,
    working_s: i64,
    out_at: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_at", out_at) }?;
        // A negative span of i64::MIN has no opposite, so the core must not be asked to turn it.
        if working_s < 0 {
            return Err(Fault::new(
                ErrorKind::OutOfRange,
                format!("`working_s` is {working_s}: must not be negative"),
            ));
        }
        let before = calendar.0.sub_working_time(input::instant("at", at)?, input::span(working_s))?;
        out.set(before.as_secs());
        Ok(())
    })
}

/// Whether a date is a working day.
///
/// \param calendar    (in)
/// \param day         days since 1970-01-01
/// \param out_working (out) 1 or 0
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `day`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_is_working_day(
    calendar: *const slaclock_calendar,
    day: i64,
    out_working: *mut i32,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_working", out_working) }?;
        out.set(i32::from(calendar.0.is_working_day(input::date("day", day)?)));
        Ok(())
    })
}

/// The nth working day strictly after a date, or strictly before it if `n` is negative; the date itself for 0.
///
/// \param calendar (in)
/// \param day      days since 1970-01-01
/// \param n        working days
/// \param out_day  (out) days since 1970-01-01
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `day`; NO_DEADLINE if there is no such day from 1970 to 2099. Any
/// thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_add_working_days(
    calendar: *const slaclock_calendar,
    day: i64,
    n: i64,
    out_day: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_day", out_day) }?;
        // No calendar has more working days than this; sums with larger numbers could leave the range of i64.
        let n = n.clamp(-1_000_000, 1_000_000);
        let found = calendar.0.add_working_days(input::date("day", day)?, n);
        out.set(input::day_of(found.map_err(|reason| calendar.none(reason))?));
        Ok(())
    })
}

/// Working days in `(from_day, to_day]`.
///
/// \param calendar (in)
/// \param from_day days since 1970-01-01
/// \param to_day   the same; if it comes before `from_day`, the answer is negative
/// \param out_days (out) working days
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for a date. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_working_days(
    calendar: *const slaclock_calendar,
    from_day: i64,
    to_day: i64,
    out_days: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_days", out_days) }?;
        let (from, to) = (input::date("from_day", from_day)?, input::date("to_day", to_day)?);
        out.set(calendar.0.working_days(from, to));
        Ok(())
    })
}

/// The civil date and time of a calendar's zone at an instant.
///
/// \param calendar   (in)
/// \param at         seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_day    (out) days since 1970-01-01
/// \param out_time_s (out) seconds since that day's midnight by the wall clock, 0 to 86399
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_local(
    calendar: *const slaclock_calendar,
    at: i64,
    out_day: *mut i64,
    out_time_s: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        // SAFETY: docs/capi.md, out parameters.
        let (day, time) =
            unsafe { (output::out("out_day", out_day)?, output::out("out_time_s", out_time_s)?) };
        let local = calendar.0.local(input::instant("at", at)?);
        day.set(input::day_of(local.date()));
        time.set(TimeOfDay::from(local.time()).as_secs());
        Ok(())
    })
}

/// The instant of a civil date and time in a calendar's zone.
///
/// \param calendar (in)
/// \param day      days since 1970-01-01
/// \param time_s   seconds since midnight by the wall clock, 0 to 86400 (24:00, the end of the day)
/// \param edge     one of `slaclock_edge`
/// \param out_at   (out) seconds since 1970-01-01T00:00:00Z
///
/// Errors: INVALID_ARGUMENT, also for `edge`; CLOSED; OUT_OF_RANGE for `day`, `time_s` or a result outside 1970 to
/// 2099. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_instant(
    calendar: *const slaclock_calendar,
    day: i64,
    time_s: i64,
    edge: i32,
    out_at: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        let edges = [
            (slaclock_edge::First as i32, "the first", Edge::Open),
            (slaclock_edge::Second as i32, "the second", Edge::Close),
        ];
        let edge = input::choice("edge", edge, &edges)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_at", out_at) }?;
        let date = input::date("day", day)?;
        let wrong = |what: String| Fault::new(ErrorKind::OutOfRange, what);
        let time = u32::try_from(time_s).ok().and_then(TimeOfDay::from_secs);
        let time = time.ok_or_else(|| wrong(format!("`time_s` is {time_s}: must be 0 to 86400")))?;
        let at = calendar.0.instant_at(date, time, edge);
        let at = at.ok_or_else(|| wrong(format!("{date} at {time_s} s: lies outside 1970 to 2099")))?;
        out.set(at.as_secs());
        Ok(())
    })
}

/// When a date's first stretch of working time opens and its last one closes, perhaps on the next date.
///
/// \param calendar      (in)
/// \param day           days since 1970-01-01
/// \param out_opens_at  (out) seconds since 1970-01-01T00:00:00Z; SLACLOCK_NONE if the date is no working day
/// \param out_closes_at (out) likewise
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `day`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_hours(
    calendar: *const slaclock_calendar,
    day: i64,
    out_opens_at: *mut i64,
    out_closes_at: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        // SAFETY: docs/capi.md, out parameters.
        let (opens, closes) = unsafe {
            (output::out("out_opens_at", out_opens_at)?, output::out("out_closes_at", out_closes_at)?)
        };
        let date = input::date("day", day)?;
        let or_none = |at: Option<Instant>| at.map_or(input::SLACLOCK_NONE, Instant::as_secs);
        opens.set(or_none(calendar.0.first_open_of(date)));
        closes.set(or_none(calendar.0.close_of(date)));
        Ok(())
    })
}

/// The stretches of working time in `[from_at, to_at)`, in order, clipped to it.
///
/// \param calendar      (in)
/// \param from_at       seconds since 1970-01-01T00:00:00Z, below 2100
/// \param to_at         the same
/// \param out_opens_at  (out) room for `capacity` entries
/// \param out_closes_at (out) likewise; each stretch is `[opens, closes)`
/// \param capacity      entries, at least 1. If as many are filled, ask again from the last `closes` on.
/// \param out_filled    (out) entries written
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for an instant or a capacity of 0. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_intervals(
    calendar: *const slaclock_calendar,
    from_at: i64,
    to_at: i64,
    out_opens_at: *mut i64,
    out_closes_at: *mut i64,
    capacity: usize,
    out_filled: *mut usize,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let calendar = get(calendar)?;
        // SAFETY: docs/capi.md, columns and out parameters.
        let (opens, closes, filled) = unsafe {
            (
                output::column_out("out_opens_at", out_opens_at, capacity)?,
                output::column_out("out_closes_at", out_closes_at, capacity)?,
                output::out("out_filled", out_filled)?,
            )
        };
        let (from, to) = (input::instant("from_at", from_at)?, input::instant("to_at", to_at)?);
        if capacity == 0 {
            return Err(Fault::new(ErrorKind::OutOfRange, "`capacity` is 0: must be at least 1"));
        }
        let found = || calendar.0.intervals(from, to).take(capacity);
        opens.fill(found().map(|interval| interval.opens.as_secs()));
        closes.fill(found().map(|interval| interval.closes.as_secs()));
        filled.set(found().count());
        Ok(())
    })
}

/// Frees a calendar. NULL is fine; a calendar that is freed already stays so, and the log is told.
///
/// \param calendar (in) not to be used again
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_calendar_free(calendar: *mut slaclock_calendar) {
    handle::free::<Hours>("slaclock_calendar_free", "calendar", calendar);
}
