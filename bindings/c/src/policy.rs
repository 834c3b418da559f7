//! Policies: the written agreement, read, checked and compiled. Immutable.
//!
//! A policy answers when a request would be due with no database at all. For one answer use `slaclock_policy_due`; for
//! many, a rule (`slaclock_policy_rule`), which answers in nanoseconds, or a column (`slaclock_policy_due_many`).

use std::ffi::c_char;

use serde_json::{Value, json};
use slaclock_core::policy::{Clock, Policy, Trigger};
use slaclock_core::zone::TzData;
use slaclock_core::{Request, explain};

use crate::calendar::{Hours, slaclock_calendar};
use crate::error::slaclock_error;
use crate::facts::{self, slaclock_facts};
use crate::fault::Fault;
use crate::guard::guard;
use crate::handle::{self, Fresh, object};
use crate::input::SLACLOCK_NONE;
use crate::rule::{Prepared, slaclock_rule};
use crate::status::slaclock_status;
use crate::text::{give, give_json, slaclock_text};
use crate::{input, output};

/// A policy.
pub struct slaclock_policy {
    _opaque: (),
}

object!(Policy, slaclock_policy, 0, "a policy");

pub(crate) fn get(policy: *const slaclock_policy) -> Result<std::sync::Arc<Policy>, Fault> {
    handle::get::<Policy>("policy", policy)
}

/// Reads and checks a policy file: JSON if its name ends in `.json`, else TOML. Holiday files are found beside it. Its
/// worked examples are run.
///
/// \param path        (in) bytes of the path; `path_len` their number, or SLACLOCK_NTS
/// \param out_policy  (out, owned) free with `slaclock_policy_free`
///
/// Errors: INVALID_ARGUMENT; NOT_FOUND or IO if a file cannot be read; INVALID_POLICY, INVALID_CALENDAR or UNKNOWN_ZONE
/// with line and column if the policy is wrong or contradicts one of its own examples. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_policy_load(
    path: *const c_char,
    path_len: usize,
    out_policy: *mut *mut slaclock_policy,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        let (path, out) =
            unsafe { (input::path("path", path, path_len)?, output::out("out_policy", out_policy)?) };
        out.set(Fresh::new(Policy::load(path)?)?.hand_over());
        Ok(())
    })
}

/// Reads and checks a policy from text: JSON if it begins with a brace, else TOML. Reads back what
/// `slaclock_policy_source` gave.
///
/// \param text        (in) UTF-8; `text_len` its length in bytes, or SLACLOCK_NTS
/// \param out_policy  (out, owned) free with `slaclock_policy_free`
///
/// Errors: INVALID_ARGUMENT; INVALID_POLICY, INVALID_CALENDAR or UNKNOWN_ZONE with line and column. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_policy_from_text(
    text: *const c_char,
    text_len: usize,
    out_policy: *mut *mut slaclock_policy,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        let (text, out) =
            unsafe { (input::text("text", text, text_len)?, output::out("out_policy", out_policy)?) };
        out.set(Fresh::new(Policy::from_text(text, &TzData::bundled())?)?.hand_over());
        Ok(())
    })
}

/// The text a policy was read from, holiday files included.
///
/// \param policy    (in)
/// \param out_text  (out, owned) free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_policy_source(
    policy: *const slaclock_policy,
    out_text: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let policy = get(policy)?;
        // SAFETY: docs/capi.md, out parameters.
        give(unsafe { output::out("out_text", out_text) }?, policy.source().to_owned())
    })
}

/// What a policy says of itself, as JSON: `name`, `version`, `statement`, `review_at` (a date or null), `tzdb`,
/// `examples` (how many; all hold), `calendars` (`name`, `zone`, `holidays_known_until`), `clocks` (`name`, `start`,
/// `stop`, `restart`, `pause`, `rules` (how many), `backstop`, `attainment` (`share_bp`: hundredths of a percent, and
/// `per`) or null).
///
/// \param policy    (in)
/// \param out_json  (out, owned) free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_policy_json(
    policy: *const slaclock_policy,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let policy = get(policy)?;
        // SAFETY: docs/capi.md, out parameters.
        give_json(unsafe { output::out("out_json", out_json) }?, &summary(&policy))
    })
}

fn summary(policy: &Policy) -> Value {
    let date = |date: Option<chrono::NaiveDate>| date.map(|date| date.to_string());
    let calendars: Vec<Value> = policy
        .calendars()
        .iter()
        .map(|calendar| {
            json!({
                "name": calendar.name(),
                "zone": calendar.zone().name(),
                "holidays_known_until": date(calendar.holidays_known_until()),
            })
        })
        .collect();
    json!({
        "name": policy.name(),
        "version": policy.version(),
        "statement": policy.statement(),
        "review_at": date(policy.review_at()),
        "tzdb": policy.calendars().first().map(|calendar| calendar.tz_version()),
        "examples": policy.example_count(),
        "calendars": calendars,
        "clocks": policy.clocks().iter().map(|clock| clock_summary(policy, clock)).collect::<Vec<_>>(),
    })
}

fn clock_summary(policy: &Policy, clock: &Clock) -> Value {
    let name = |at: usize| policy.clocks().get(at).map_or("", |clock| clock.name.as_str());
    let start = |trigger: &Trigger| match trigger {
        Trigger::Event(tag) => tag.word().to_owned(),
        Trigger::Late(at) => format!("{}.late", name(*at)),
        Trigger::Breached(at) => format!("{}.breached", name(*at)),
    };
    let words = |tags: &[slaclock_core::EventTag]| tags.iter().map(|tag| tag.word()).collect::<Vec<_>>();
    json!({
        "name": clock.name,
        "start": clock.start.iter().map(start).collect::<Vec<_>>(),
        "stop": words(&clock.stop),
        "restart": words(&clock.restart),
        "pause": clock.pause,
        "rules": clock.rules.len(),
        "backstop": clock.rules.iter().any(|rule| rule.backstop.is_some()),
        "attainment": clock.attainment,
    })
}

/// What a policy is silent on, and what it says that can hardly be meant.
///
/// \param policy     (in)
/// \param day        days since 1970-01-01 of the date for which it is asked: today, say. Whether the holidays are
///                   known long enough depends on it.
/// \param out_count  (out) number of findings; NULL to decline
/// \param out_json   (out, owned) a list of `code`, `severity` (`info`, `warning`), `message` and `position` (`line`,
///                   `column`), by place in the text; free with `slaclock_text_free`; NULL to decline
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `day`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_policy_lint(
    policy: *const slaclock_policy,
    day: i64,
    out_count: *mut i64,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let policy = get(policy)?;
        let date = input::date("day", day)?;
        // SAFETY: docs/capi.md, out parameters.
        let (count, json) = unsafe {
            (output::optional_out("out_count", out_count)?, output::optional_out("out_json", out_json)?)
        };
        let lints = policy.check(date);
        if let Some(json) = json {
            give_json(json, &lints)?;
        }
        if let Some(count) = count {
            count.set(output::number(lints.len() as u64));
        }
        Ok(())
    })
}

/// The JSON Schema (2020-12) of the policy language; holds for TOML too.
///
/// \param out_json  (out, owned) free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT if `out_json` is NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_policy_schema(
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, out parameters.
        give(unsafe { output::out("out_json", out_json) }?, Policy::json_schema())
    })
}

/// When a request received at `received_at` is due, if the clock starts then and is never paused.
///
/// \param policy      (in)
/// \param clock       (in) name of a clock, UTF-8; `clock_len` its length in bytes, or SLACLOCK_NTS
/// \param received_at seconds since 1970-01-01T00:00:00Z, below 2100
/// \param facts       (in) what rules match on; NULL for none
/// \param out_due_at  (out) seconds since 1970-01-01T00:00:00Z
///
/// Errors: INVALID_ARGUMENT, CLOSED; NOT_FOUND if the policy has no such clock; OUT_OF_RANGE for `received_at`;
/// NO_DEADLINE with its reason. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_policy_due(
    policy: *const slaclock_policy,
    clock: *const c_char,
    clock_len: usize,
    received_at: i64,
    facts: *const slaclock_facts,
    out_due_at: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let policy = get(policy)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (clock, out) =
            unsafe { (input::text("clock", clock, clock_len)?, output::out("out_due_at", out_due_at)?) };
        let (facts, clock) = (facts::matched("facts", facts)?, policy.clock(clock)?);
        out.set(clock.due(input::instant("received_at", received_at)?, &facts)?.as_secs());
        Ok(())
    })
}

/// When a request received at `received_at` breaches, if the clock starts then and is never paused: the outer limit.
///
/// \param policy       (in)
/// \param clock        (in) name of a clock, UTF-8; `clock_len` its length in bytes, or SLACLOCK_NTS
/// \param received_at  seconds since 1970-01-01T00:00:00Z, below 2100
/// \param facts        (in) what rules match on; NULL for none
/// \param out_limit_at (out) seconds since 1970-01-01T00:00:00Z; SLACLOCK_NONE where the clock has no backstop
///
/// Errors: as for `slaclock_policy_due`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_policy_limit(
    policy: *const slaclock_policy,
    clock: *const c_char,
    clock_len: usize,
    received_at: i64,
    facts: *const slaclock_facts,
    out_limit_at: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let policy = get(policy)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (clock, out) =
            unsafe { (input::text("clock", clock, clock_len)?, output::out("out_limit_at", out_limit_at)?) };
        let (facts, clock) = (facts::matched("facts", facts)?, policy.clock(clock)?);
        let limit = clock.limit(input::instant("received_at", received_at)?, &facts)?;
        out.set(limit.map_or(SLACLOCK_NONE, |limit| limit.as_secs()));
        Ok(())
    })
}

/// The due instants of many receipts with the same facts, column in, column out, without allocation.
///
/// \param policy      (in)
/// \param clock       (in) name of a clock, UTF-8; `clock_len` its length in bytes, or SLACLOCK_NTS
/// \param facts       (in) what rules match on; NULL for none
/// \param received_at (in) `n` entries, seconds since 1970-01-01T00:00:00Z, below 2100; rising ones are fastest
/// \param n           entries; 0 allows NULL columns
/// \param out_due_at  (out) room for `n` entries, in the same order; SLACLOCK_NONE where there is no deadline. Must not
///                    overlap `received_at`.
///
/// Errors: INVALID_ARGUMENT, CLOSED; NOT_FOUND if the policy has no such clock; NO_DEADLINE if no rule matches the
/// facts; OUT_OF_RANGE for the first receipt that is no instant. Then nothing is written. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_policy_due_many(
    policy: *const slaclock_policy,
    clock: *const c_char,
    clock_len: usize,
    facts: *const slaclock_facts,
    received_at: *const i64,
    n: usize,
    out_due_at: *mut i64,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let policy = get(policy)?;
        // SAFETY: docs/capi.md, texts and columns.
        let (clock, received) = unsafe {
            (input::text("clock", clock, clock_len)?, input::column("received_at", received_at, n)?)
        };
        // SAFETY: as above.
        let out = unsafe { output::numbers_out("out_due_at", out_due_at, n, received) }?;
        let facts = facts::matched("facts", facts)?;
        // The policy's own rule, which remembers what it found out.
        let rule = Prepared::find(&policy, clock, &facts)?;
        input::instants("received_at", received)?;
        Ok(rule.due_many(received, out)?)
    })
}

/// Finds the rule of a clock that speaks about requests with these facts, ready for many questions.
///
/// \param policy    (in) may be freed afterwards: the rule keeps what it needs
/// \param clock     (in) name of a clock, UTF-8; `clock_len` its length in bytes, or SLACLOCK_NTS
/// \param facts     (in) what rules match on; NULL for none
/// \param out_rule  (out, owned) free with `slaclock_rule_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED; NOT_FOUND if the policy has no such clock; NO_DEADLINE if no rule matches. Any
/// thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_policy_rule(
    policy: *const slaclock_policy,
    clock: *const c_char,
    clock_len: usize,
    facts: *const slaclock_facts,
    out_rule: *mut *mut slaclock_rule,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let policy = get(policy)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (clock, out) =
            unsafe { (input::text("clock", clock, clock_len)?, output::out("out_rule", out_rule)?) };
        let facts = facts::matched("facts", facts)?;
        let rule = Prepared::of(&policy, clock, &facts)?;
        out.set(Fresh::new(rule)?.hand_over());
        Ok(())
    })
}

/// A calendar of a policy, by its name.
///
/// \param policy       (in) may be freed afterwards: the calendar keeps what it needs
/// \param name         (in) UTF-8; `name_len` its length in bytes, or SLACLOCK_NTS
/// \param out_calendar (out, owned) free with `slaclock_calendar_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED; NOT_FOUND if the policy has no such calendar. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_policy_calendar(
    policy: *const slaclock_policy,
    name: *const c_char,
    name_len: usize,
    out_calendar: *mut *mut slaclock_calendar,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let policy = get(policy)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (name, out) =
            unsafe { (input::text("name", name, name_len)?, output::out("out_calendar", out_calendar)?) };
        let found = policy.calendars().iter().find(|calendar| calendar.name() == name);
        let calendar = found.ok_or_else(|| {
            let names: Vec<&str> = policy.calendars().iter().map(|calendar| calendar.name()).collect();
            Fault::new(
                slaclock_core::ErrorKind::NotFound,
                format!("calendar `{name}`: policy `{}` has {}", policy.name(), names.join(", ")),
            )
        })?;
        out.set(Fresh::new(Hours(calendar.clone()))?.hand_over());
        Ok(())
    })
}

/// Why a request received at `received_at` would be due when it is, step by step.
///
/// \param policy      (in)
/// \param clock       (in) name of a clock, UTF-8; `clock_len` its length in bytes, or SLACLOCK_NTS
/// \param received_at seconds since 1970-01-01T00:00:00Z, below 2100
/// \param facts       (in) what rules match on; NULL for none
/// \param out_text    (out, owned) sentences for people; free with `slaclock_text_free`; NULL to decline
/// \param out_json    (out, owned) the same as data; free with `slaclock_text_free`; NULL to decline
///
/// Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `received_at`; NOT_FOUND if the policy has no such clock. That
/// there is no deadline is no error: the text says why. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_policy_explain(
    policy: *const slaclock_policy,
    clock: *const c_char,
    clock_len: usize,
    received_at: i64,
    facts: *const slaclock_facts,
    out_text: *mut *mut slaclock_text,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let policy = get(policy)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (clock, text, json) = unsafe {
            (
                input::text("clock", clock, clock_len)?,
                output::optional_out("out_text", out_text)?,
                output::optional_out("out_json", out_json)?,
            )
        };
        let received = input::instant("received_at", received_at)?;
        let mut request = Request::new("example", received);
        for (name, value) in facts::matched("facts", facts)?.iter() {
            match name {
                "customer" => request.customer = Some(value.to_owned()),
                "priority" => request.priority = Some(value.to_owned()),
                "category" => request.category = Some(value.to_owned()),
                "channel" => request.channel = Some(value.to_owned()),
                _ => request = request.attribute(name, value),
            }
        }
        let explanation = explain::explain(&policy, &request, &[], clock, received)?;
        crate::explain::hand_over(&explanation, text, json)
    })
}

/// Frees a policy. NULL is fine; a policy that is freed already stays so, and the log is told. Rules, calendars and
/// databases made from it stay good.
///
/// \param policy  (in) not to be used again
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_policy_free(policy: *mut slaclock_policy) {
    handle::free::<Policy>("slaclock_policy_free", "policy", policy);
}
