//! Reports over cohorts, as tables.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use slaclock::db::PolicyInfo;
use slaclock::policy::Period;
use slaclock::{AttainmentQuery, ErrorKind, Instant, PeriodRange};

use crate::db::PyDb;
use crate::error::{from_core, raised};
use crate::shape::make;
use crate::table::{Kind, PyTable, Zones};
use crate::time::date;

/// A period: a text like `2026-03`, a date, or two dates, both included.
pub(crate) fn period(py: Python<'_>, period: Option<&Bound<'_, PyAny>>) -> PyResult<Option<PeriodRange>> {
    let Some(period) = period else { return Ok(None) };
    let parsed = if let Ok(text) = period.extract::<String>() {
        PeriodRange::parse(&text)
    } else if let Ok((first, last)) = period.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() {
        PeriodRange::between(date(&first, "first date")?, date(&last, "last date")?)
    } else if let Ok(only) = date(period, "period") {
        PeriodRange::between(only, only)
    } else {
        let found = period.get_type().qualname()?;
        let message =
            format!("period of type {found}: must be a text like \"2026-03\", a date or a pair of dates");
        return Err(PyTypeError::new_err(message));
    };
    parsed.map(Some).map_err(|error| from_core(py, &error))
}

pub(crate) fn attainment(
    py: Python<'_>,
    db: &PyDb,
    period: Option<PeriodRange>,
    by: Vec<String>,
    clock: Option<String>,
    per: Option<&str>,
    now: Instant,
) -> PyResult<PyTable> {
    let facts = by.len();
    let query = query(py, period, by, clock, per, now)?;
    let (batch, lines, facts) = db.call(py, |db| {
        let groups = db.attainment_by(&query)?;
        let line = |group: &slaclock::db::Group| {
            let by =
                group.by.iter().map(|(name, value)| format!("{name} {}", value.as_deref().unwrap_or("-")));
            let by = by.collect::<Vec<_>>().join(", ");
            if by.is_empty() { group.attainment.to_string() } else { format!("{by}: {}", group.attainment) }
        };
        // Without a group the columns of the facts are not there.
        let facts = if groups.is_empty() { 0 } else { facts };
        Ok((slaclock::arrow::groups(&groups)?, groups.iter().map(line).collect(), facts))
    })?;
    PyTable::new(batch, Kind::Attainment(facts, lines), db.zones(py)?, None)
}

/// What attainment is asked of.
pub(crate) fn query(
    py: Python<'_>,
    period: Option<PeriodRange>,
    by: Vec<String>,
    clock: Option<String>,
    per: Option<&str>,
    now: Instant,
) -> PyResult<AttainmentQuery> {
    let mut query = AttainmentQuery::at(now);
    if let Some(period) = period {
        query = query.period(period);
    }
    if let Some(clock) = clock {
        query = query.clock(clock);
    }
    match per {
        None => {}
        Some("month") => query = query.per(Period::Month),
        Some("quarter") => query = query.per(Period::Quarter),
        Some("year") => query = query.per(Period::Year),
        Some(other) => {
            let message = format!("per \"{other}\": must be \"month\", \"quarter\" or \"year\"");
            return Err(raised(py, ErrorKind::InvalidArgument, message));
        }
    }
    Ok(by.into_iter().fold(query, AttainmentQuery::by))
}

pub(crate) fn waiting(
    py: Python<'_>,
    db: &PyDb,
    period: Option<PeriodRange>,
    now: Instant,
) -> PyResult<PyTable> {
    let batch = db.call(py, |db| slaclock::arrow::waiting(&db.waiting(period, now)?))?;
    PyTable::new(batch, Kind::Waiting, db.zones(py)?, None)
}

pub(crate) fn policies<'py>(
    py: Python<'py>,
    policies: &[PolicyInfo],
    zones: &Zones,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let info = |info: &PolicyInfo| {
        let from = zones.main().datetime(py, info.in_force_from)?;
        make(py, "PolicyInfo", (&info.name, info.version, from, &info.tzdb))
    };
    policies.iter().map(info).collect()
}
