//! Rules: what one clock promises to requests with certain facts, ready for many questions. Immutable.
//!
//! `slaclock_rule_due` is the fast single question: a few nanoseconds more than the same call in Rust. So that it need
//! not lock anything, each thread keeps the rule it asked last; the memory of a freed rule goes when the threads that
//! asked it last ask another, or end.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use slaclock_core::policy::{Policy, Rule};
use slaclock_core::target::Paused;
use slaclock_core::{Facts, NoDeadline};

use crate::calendar::{Hours, slaclock_calendar};
use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::guard::guard;
use crate::handle::{self, Fresh, object};
use crate::input::{self, SLACLOCK_NONE};
use crate::output;
use crate::status::slaclock_status;

/// A rule of a clock.
pub struct slaclock_rule {
    _opaque: (),
}

pub(crate) struct Prepared {
    policy: Policy,
    /// Numbers of the clock in the policy and of the rule in the clock.
    clock: usize,
    rule: usize,
}

object!(Prepared, slaclock_rule, 1, "a rule");

impl Prepared {
    /// The rule that counts for these facts.
    pub(crate) fn of(policy: &Policy, clock: &str, facts: &Facts) -> Result<Prepared, Fault> {
        let found = Prepared::find(policy, clock, facts)?;
        let place = policy.clocks().iter().enumerate().find_map(|(number, clock)| {
            Some((number, clock.rules.iter().position(|rule| std::ptr::eq(rule, found))?))
        });
        let (clock, rule) =
            place.ok_or_else(|| Fault::argument("the rule is none of its policy".to_owned()))?;
        Ok(Prepared { policy: policy.clone(), clock, rule })
    }

    /// The policy's own rule, which remembers what it found out.
    #[inline]
    pub(crate) fn rule(&self) -> &Rule {
        &self.policy.clocks()[self.clock].rules[self.rule]
    }

    /// The policy's own.
    pub(crate) fn find<'a>(policy: &'a Policy, clock: &str, facts: &Facts) -> Result<&'a Rule, Fault> {
        let clock = policy.clock(clock)?;
        let what = || format!("clock `{}`", clock.name);
        let (_, rule) =
            clock.rule_for(facts).ok_or_else(|| Fault::no_deadline(&what(), NoDeadline::NoRule))?;
        Ok(rule)
    }

    #[cold]
    fn none(&self, reason: NoDeadline) -> Fault {
        Fault::no_deadline(&format!("clock `{}`", self.policy.clocks()[self.clock].name), reason)
    }
}

/// Rises whenever a rule is freed; what threads remember from before is looked up again.
static FREED: AtomicUsize = AtomicUsize::new(0);

struct Remembered {
    handle: usize,
    freed: usize,
    rule: Option<Arc<Prepared>>,
}

thread_local! {
    static LAST: RefCell<Remembered> =
        const { RefCell::new(Remembered { handle: 0, freed: 0, rule: None }) };
}

/// Asks the rule behind a handle.
#[inline]
fn with<T>(
    handle: *const slaclock_rule,
    ask: impl FnOnce(&Prepared) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut ask = Some(ask);
    let fast = LAST.try_with(|last| {
        let mut last = last.try_borrow_mut().ok()?;
        // Read before the table is: a rule freed in between then counts as freed after.
        let freed = FREED.load(Ordering::Acquire);
        if last.handle != handle.addr() || last.freed != freed || last.rule.is_none() {
            let rule = match handle::get::<Prepared>("rule", handle) {
                Ok(rule) => rule,
                Err(fault) => {
                    *last = Remembered { handle: 0, freed: 0, rule: None };
                    return Some(Err(fault));
                }
            };
            *last = Remembered { handle: handle.addr(), freed, rule: Some(rule) };
        }
        let (rule, ask) = (last.rule.as_deref()?, ask.take()?);
        Some(ask(rule))
    });
    match (fast, ask) {
        (Ok(Some(answer)), _) => answer,
        // The thread is ending and has forgotten.
        (_, Some(ask)) => ask(&*handle::get::<Prepared>("rule", handle)?),
        (_, None) => {
            Err(Fault::new(slaclock_core::ErrorKind::Internal, "a rule was asked without an answer"))
        }
    }
}

/// When a request received at `received_at` is due, if it is never paused. Never before the receipt.
///
/// \param rule        (in)
/// \param received_at seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_due_at  (out) seconds since 1970-01-01T00:00:00Z
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `received_at`; NO_DEADLINE with its reason. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_rule_due(
    rule: *const slaclock_rule,
    received_at: i64,
    out_due_at: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let due = with(rule, |asked| {
            asked.rule().due(input::instant("received_at", received_at)?).map_err(|reason| asked.none(reason))
        })?;
        // SAFETY: docs/capi.md, out parameters.
        unsafe { output::out("out_due_at", out_due_at) }?.set(due.as_secs());
        Ok(())
    })
}

/// When a request received at `received_at` breaches, if it is never paused: the outer limit, never before due.
///
/// \param rule         (in)
/// \param received_at  seconds since 1970-01-01T00:00:00Z, below 2100
/// \param out_limit_at (out) seconds since 1970-01-01T00:00:00Z; SLACLOCK_NONE where the rule has no backstop
///
/// Errors: as for `slaclock_rule_due`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_rule_limit(
    rule: *const slaclock_rule,
    received_at: i64,
    out_limit_at: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let limit = with(rule, |asked| {
            let limit = asked.rule().limit(input::instant("received_at", received_at)?);
            limit.transpose().map_err(|reason| asked.none(reason))
        })?;
        // SAFETY: docs/capi.md, out parameters.
        unsafe { output::out("out_limit_at", out_limit_at) }?
            .set(limit.map_or(SLACLOCK_NONE, |limit| limit.as_secs()));
        Ok(())
    })
}

/// The due instants of many receipts, column in, column out, without allocation.
///
/// \param rule        (in)
/// \param received_at (in) `n` entries, seconds since 1970-01-01T00:00:00Z, below 2100; rising ones are fastest
/// \param n           entries; 0 allows NULL columns
/// \param out_due_at  (out) room for `n` entries, in the same order; SLACLOCK_NONE where there is no deadline. Must not
///                    overlap `received_at`.
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for the first receipt that is no instant. Then nothing is written.
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_rule_due_many(
    rule: *const slaclock_rule,
    received_at: *const i64,
    n: usize,
    out_due_at: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        with(rule, |asked| {
            // SAFETY: docs/capi.md, columns.
            let received = unsafe { input::column("received_at", received_at, n) }?;
            // SAFETY: as above.
            let out = unsafe { output::numbers_out("out_due_at", out_due_at, n, received) }?;
            input::instants("received_at", received)?;
            Ok(asked.rule().due_many(received, out)?)
        })
    })
}

/// The due instant of a request that was on hold, or that waits for a promise.
///
/// \param rule             (in)
/// \param received_at      seconds since 1970-01-01T00:00:00Z, below 2100
/// \param paused_working_s working seconds on hold, as `slaclock_rule_paused` gives them, summed over the holds
/// \param paused_elapsed_s seconds on hold by the wall clock, likewise
/// \param promised_at      the promised instant, for targets that wait for one; SLACLOCK_NONE for none
/// \param out_due_at       (out) seconds since 1970-01-01T00:00:00Z
///
/// More time on hold never gives an earlier instant; negative times count as none.
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for an instant; NO_DEADLINE with its reason. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_rule_due_paused(
    rule: *const slaclock_rule,
    received_at: i64,
    paused_working_s: i64,
    paused_elapsed_s: i64,
    promised_at: i64,
    out_due_at: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let due = with(rule, |asked| {
            let received = input::instant("received_at", received_at)?;
            let promised = input::optional_instant("promised_at", promised_at)?;
            let on_hold = |seconds: i64| input::span(seconds.max(0));
            let paused = Paused { working: on_hold(paused_working_s), elapsed: on_hold(paused_elapsed_s) };
            asked.rule().due_shifted(received, paused, promised).map_err(|reason| asked.none(reason))
        })?;
        // SAFETY: docs/capi.md, out parameters.
        unsafe { output::out("out_due_at", out_due_at) }?.set(due.as_secs());
        Ok(())
    })
}

/// The time on hold between two instants, as the rule counts it for a request received at `received_at`.
///
/// \param rule          (in)
/// \param received_at   seconds since 1970-01-01T00:00:00Z, below 2100
/// \param from_at       when the hold began
/// \param to_at         when it ended
/// \param out_working_s (out) working seconds
/// \param out_elapsed_s (out) seconds by the wall clock
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for an instant. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_rule_paused(
    rule: *const slaclock_rule,
    received_at: i64,
    from_at: i64,
    to_at: i64,
    out_working_s: *mut i64,
    out_elapsed_s: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let paused = with(rule, |asked| {
            Ok(asked.rule().paused_between(
                input::instant("received_at", received_at)?,
                input::instant("from_at", from_at)?,
                input::instant("to_at", to_at)?,
            ))
        })?;
        // SAFETY: docs/capi.md, out parameters.
        let (working, elapsed) = unsafe {
            (output::out("out_working_s", out_working_s)?, output::out("out_elapsed_s", out_elapsed_s)?)
        };
        working.set(paused.working.as_secs());
        elapsed.set(paused.elapsed.as_secs());
        Ok(())
    })
}

/// The calendar that a rule counts in.
///
/// \param rule         (in)
/// \param out_calendar (out, owned) free with `slaclock_calendar_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_rule_calendar(
    rule: *const slaclock_rule,
    out_calendar: *mut *mut slaclock_calendar,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let rule = handle::get::<Prepared>("rule", rule)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_calendar", out_calendar) }?;
        out.set(Fresh::new(Hours(rule.rule().calendar.clone()))?.hand_over());
        Ok(())
    })
}

/// Frees a rule. NULL is fine; a rule that is freed already stays so, and the log is told.
///
/// \param rule  (in) not to be used again
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_rule_free(rule: *mut slaclock_rule) {
    handle::free::<Prepared>("slaclock_rule_free", "rule", rule);
    FREED.fetch_add(1, Ordering::Release);
    // What this thread remembers goes at once.
    let _ = LAST.try_with(|last| {
        if let Ok(mut last) = last.try_borrow_mut()
            && last.handle == rule.addr()
        {
            *last = Remembered { handle: 0, freed: 0, rule: None };
        }
    });
}
