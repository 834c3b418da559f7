//! Facts: what rules match on, by name. `customer`, `priority`, `category`, `channel` or an attribute of the CRM's own.

use std::collections::BTreeMap;
use std::ffi::c_char;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use slaclock_core::Facts;

use crate::document;
use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::guard::guard;
use crate::handle::{self, Fresh, object};
use crate::status::slaclock_status;
use crate::{input, output};

/// Facts by name. Where a call takes facts, NULL stands for none.
pub struct slaclock_facts {
    _opaque: (),
}

#[derive(Default)]
pub(crate) struct Bag(RwLock<Kept>);

#[derive(Default)]
struct Kept {
    /// All, those with an empty value too.
    pairs: BTreeMap<String, String>,
    /// As rules match on them; shared with the calls that do so right now.
    matched: Arc<Facts>,
}

impl Kept {
    fn of(pairs: BTreeMap<String, String>) -> Kept {
        let matched = pairs.iter().fold(Facts::none(), |facts, (name, value)| facts.with(name, value));
        Kept { pairs, matched: Arc::new(matched) }
    }
}

object!(Bag, slaclock_facts, 3, "a set of facts");

/// All facts, those with an empty value too.
pub(crate) fn pairs(name: &str, facts: *const slaclock_facts) -> Result<BTreeMap<String, String>, Fault> {
    let bag = handle::optional::<Bag>(name, facts)?;
    let pairs = |bag: Arc<Bag>| bag.0.read().unwrap_or_else(PoisonError::into_inner).pairs.clone();
    Ok(bag.map_or_else(BTreeMap::new, pairs))
}

/// Facts as rules match on them, as they were when asked for.
pub(crate) enum Matched {
    Nothing(Facts),
    Given(Arc<Facts>),
}

impl Deref for Matched {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        match self {
            Matched::Nothing(facts) => facts,
            Matched::Given(facts) => facts,
        }
    }
}

/// As rules match on them.
pub(crate) fn matched(name: &str, facts: *const slaclock_facts) -> Result<Matched, Fault> {
    Ok(match handle::optional::<Bag>(name, facts)? {
        None => Matched::Nothing(Facts::none()),
        Some(bag) => Matched::Given(bag.0.read().unwrap_or_else(PoisonError::into_inner).matched.clone()),
    })
}

/// Makes an empty set of facts.
///
/// \param out_facts  (out, owned) free with `slaclock_facts_free`
///
/// Errors: INVALID_ARGUMENT if `out_facts` is NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_facts_new(
    out_facts: *mut *mut slaclock_facts,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_facts", out_facts) }?;
        out.set(Fresh::new(Bag::default())?.hand_over());
        Ok(())
    })
}

/// Makes a set of facts from a JSON object of texts, like `{"priority": "high"}`.
///
/// \param json       (in) UTF-8; `json_len` its length in bytes, or SLACLOCK_NTS
/// \param out_facts  (out, owned) free with `slaclock_facts_free`
///
/// Errors: INVALID_ARGUMENT if an argument is NULL or `json` is something else. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_facts_from_json(
    json: *const c_char,
    json_len: usize,
    out_facts: *mut *mut slaclock_facts,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        let (json, out) =
            unsafe { (input::text("json", json, json_len)?, output::out("out_facts", out_facts)?) };
        let facts: BTreeMap<String, String> = document::read("json", json)?;
        out.set(Fresh::new(Bag(RwLock::new(Kept::of(facts))))?.hand_over());
        Ok(())
    })
}

/// Sets or replaces one fact.
///
/// \param facts  (in) changed by the call
/// \param name   (in) UTF-8, not empty; `name_len` its length in bytes, or SLACLOCK_NTS
/// \param value  (in) UTF-8; `value_len` likewise. Empty: a request has no such fact; in an event of kind
///               `SLACLOCK_EVENT_KIND_CHANGED` it takes the fact away.
///
/// Errors: INVALID_ARGUMENT or CLOSED for `facts`, INVALID_ARGUMENT for `name` and `value`. Any thread; calls that use
/// the facts at the same time see them before or after.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_facts_set(
    facts: *mut slaclock_facts,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let bag = handle::get::<Bag>("facts", facts)?;
        // SAFETY: docs/capi.md, texts.
        let (name, value) =
            unsafe { (input::text("name", name, name_len)?, input::text("value", value, value_len)?) };
        if name.is_empty() {
            return Err(Fault::argument("`name` is empty: must name a fact like priority"));
        }
        let mut facts = bag.0.write().unwrap_or_else(PoisonError::into_inner);
        facts.pairs.insert(name.to_owned(), value.to_owned());
        Arc::make_mut(&mut facts.matched).set(name, value);
        Ok(())
    })
}

/// Frees facts. NULL is fine; facts that are freed already stay so, and the log is told. Calls that were given them
/// have copied what they need.
///
/// \param facts  (in) not to be used again
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_facts_free(facts: *mut slaclock_facts) {
    handle::free::<Bag>("slaclock_facts_free", "facts", facts);
}
