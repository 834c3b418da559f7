//! Calendars from plain data: the schema of the conformance vectors, and holiday objects.

use chrono::NaiveDate;
use pyo3::prelude::*;
use pyo3::types::{PyDate, PyMapping};
use serde_json::{Map, Value};
use slaclock::TimeOfDay;
use slaclock::calendar::{CalendarSpec, Closure, DateRule, ExtraDay, Holiday, Hours, Observed};

use crate::time::date;

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// JSON that this module wrote itself.
pub(crate) fn parsed(json: &str) -> PyResult<Value> {
    serde_json::from_str(json).map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
}

/// Dates with their names, from a mapping from dates to names or from dates alone.
pub(crate) fn holidays(
    holidays: &Bound<'_, PyAny>,
    years: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<(NaiveDate, Option<String>)>> {
    let py = holidays.py();
    let mapping = holidays.cast::<PyMapping>().ok();
    if let (Some(mapping), Some(years)) = (mapping, years) {
        let years = if years.extract::<i32>().is_ok() {
            (years,).into_pyobject(py)?.into_any()
        } else {
            years.clone()
        };
        for year in years.try_iter()? {
            // Asking for one of its dates makes such an object add the dates of that year.
            mapping.contains(PyDate::new(py, year?.extract()?, 1, 1)?)?;
        }
    }
    let mut found = Vec::new();
    match mapping {
        Some(mapping) => {
            for pair in mapping.items()? {
                let (on, name): (Bound<'_, PyAny>, Option<String>) = pair.extract()?;
                found.push((date(&on, "holiday")?, name.filter(|name| !name.is_empty())));
            }
        }
        None => {
            for on in holidays.try_iter()? {
                found.push((date(&on?, "holiday")?, None));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A calendar in the schema of the conformance vectors.
///
/// # Errors
/// A sentence that says what was found where, and what is allowed.
pub(crate) fn spec_of(name: &str, keys: &Map<String, Value>) -> Result<CalendarSpec, String> {
    const KEYS: [&str; 5] = ["tz", "week", "holidays", "extra_days", "breaks"];
    if let Some(unknown) = keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("unknown key `{unknown}`; known beside `tz` are {}", KEYS[1..].join(", ")));
    }
    let zone = keys.get("tz").and_then(Value::as_str).ok_or("`tz`: must be the name of a time zone")?;
    let mut spec = CalendarSpec::new(name, zone);
    for (day, list) in object(keys, "week")? {
        let place = WEEKDAYS.iter().position(|known| known == day);
        let place = place.ok_or_else(|| format!("`week.{day}`: weekdays are {}", WEEKDAYS.join(", ")))?;
        if let Some(slot) = spec.week.get_mut(place) {
            *slot = hours(&format!("week.{day}"), list)?;
        }
    }
    let holidays = match keys.get("holidays") {
        None => &[][..],
        Some(list) => list.as_array().ok_or("`holidays`: must be a list of dates")?,
    };
    for on in holidays {
        let on = on.as_str().ok_or("`holidays`: must be dates like 2026-03-06")?;
        let on = DateRule::On(date_of("holidays", on)?);
        spec.holidays.push(Holiday { on, name: None, observed: Observed::SameDate });
    }
    for (on, list) in object(keys, "extra_days")? {
        let hours = hours(&format!("extra_days.{on}"), list)?;
        spec.extra_days.push(ExtraDay { date: date_of("extra_days", on)?, hours });
    }
    for (on, list) in object(keys, "breaks")? {
        let on_rule = DateRule::On(date_of("breaks", on)?);
        for closed in hours(&format!("breaks.{on}"), list)? {
            spec.closures.push(Closure { on: on_rule, from: closed.opens, to: closed.closes, name: None });
        }
    }
    Ok(spec)
}

fn object<'a>(keys: &'a Map<String, Value>, key: &str) -> Result<Vec<(&'a String, &'a Value)>, String> {
    match keys.get(key) {
        None => Ok(Vec::new()),
        Some(value) => {
            value.as_object().map(|map| map.iter().collect()).ok_or(format!("`{key}`: must be a table"))
        }
    }
}

fn date_of(place: &str, text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| format!("`{place}`: date `{text}`: must be a date like 2026-03-06"))
}

/// A list of `[open, close]`.
fn hours(place: &str, list: &Value) -> Result<Vec<Hours>, String> {
    let wrong = || format!("`{place}`: must be a list of [open, close] like [[\"09:00\", \"17:00\"]]");
    let pair = |pair: &Value| -> Result<Hours, String> {
        let [opens, closes] = pair.as_array().ok_or_else(wrong)?.as_slice() else { return Err(wrong()) };
        let time = |value: &Value| {
            let text = value.as_str().ok_or_else(wrong)?;
            TimeOfDay::parse(text).map_err(|error| format!("`{place}`: {}", error.message()))
        };
        Ok(Hours { opens: time(opens)?, closes: time(closes)? })
    };
    list.as_array().ok_or_else(wrong)?.iter().map(pair).collect()
}
