//! What Python itself says of the offset of its zones, kept by day, so that most datetimes need not ask it again.
//!
//! The answers are the interpreter's, whose zone data may be of another version than ours. A day is *clear* if Python named one
//! and the same offset at each midnight (UTC) from the one a day before it to the one a day after it, if ours has this offset,
//! too, and no change between them, and if the offsets another day away differ from it by 24 hours at most.
//!
//! No two changes of a zone lie closer than six days (a test looks at all of them), so nothing hides between two midnights.
//! Around a change civil times jump or repeat for as long as the offset changes by, which is less than 48 hours. So on a
//! clear day the civil time is the instant plus the offset, no other instant has this civil time, and `fold` is 0 or says
//! nothing. Every other day is asked of Python each time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use chrono::{DateTime, Datelike, Timelike};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDateTime, PyTzInfo};
use slaclock::Instant;
use slaclock::zone::{TzData, Zone};

use crate::time::{DAY_S, delta_seconds};

/// Midnights from 1970-01-01 to 2099-12-31.
const MIDNIGHTS: usize = 47_482;
/// Midnights that get their memory together.
const CHUNK: usize = 512;
/// How many zone objects are held on to. Few programs have as many; of those, the later zones are asked each time.
const ZONES: usize = 256;

/// The offsets of one `ZoneInfo` object, as far as they were asked. Any thread may use it.
pub(crate) struct Offsets {
    zone: Py<PyAny>,
    /// The civil time from which Python counts without asking the zone.
    epoch: Py<PyAny>,
    ours: Zone,
    /// What Python says at each midnight.
    midnights: Days,
    /// The offsets of clear days.
    clear: Days,
}

/// An offset for each day, or that there is none, or nothing yet.
struct Days(Vec<OnceLock<Box<[AtomicI32; CHUNK]>>>);

/// An object that was looked at, held so that no other gets its address, and its offsets if it can be trusted to have them.
struct Seen {
    _object: Py<PyAny>,
    offsets: Option<&'static Offsets>,
}

/// By address.
static SEEN: OnceLock<Mutex<HashMap<usize, Seen>>> = OnceLock::new();

/// No call into Python is made while this is held, so it cannot be part of a deadlock.
fn seen() -> MutexGuard<'static, HashMap<usize, Seen>> {
    SEEN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

impl Offsets {
    /// Those of this very object. `None` unless it is the one that Python itself hands out for its key.
    pub(crate) fn of(zone: &Bound<'_, PyAny>) -> Option<&'static Offsets> {
        let class = class(zone.py())?;
        if !zone.get_type().is(class) {
            return None;
        }
        let address = zone.as_ptr() as usize;
        let full = {
            let seen = seen();
            if let Some(known) = seen.get(&address) {
                return known.offsets;
            }
            seen.len() >= ZONES
        };
        if full {
            return None;
        }
        let made = Offsets::new(zone, class);
        let object = zone.clone().unbind();
        let mut seen = seen();
        let known = seen.entry(address).or_insert_with(|| {
            // They live as long as the process, as does the list that leads to them.
            let offsets = made.map(|made| &*Box::leak(Box::new(made)));
            Seen { _object: object, offsets }
        });
        known.offsets
    }

    /// `None` for an object from a file, from before the cache was cleared and the like: its data may be anything.
    fn new(zone: &Bound<'_, PyAny>, class: &Bound<'_, PyAny>) -> Option<Offsets> {
        let py = zone.py();
        let key: String = zone.getattr(intern!(py, "key")).ok()?.extract().ok()?;
        let ours = TzData::bundled().zone(&key).ok()?;
        if !packs(py) || !class.call1((key,)).ok()?.is(zone) {
            return None;
        }
        let epoch = PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(zone.cast::<PyTzInfo>().ok()?)).ok()?;
        Some(Offsets {
            zone: zone.clone().unbind(),
            epoch: epoch.into_any().unbind(),
            ours,
            midnights: Days::new(),
            clear: Days::new(),
        })
    }

    /// The instant of a plain `datetime` in this zone, fractions floored; in seconds since 1970, and maybe before.
    pub(crate) fn seconds(&self, moment: &Bound<'_, PyAny>) -> PyResult<i64> {
        let py = moment.py();
        // Both in the same zone: Python subtracts what the clocks show.
        let civil = delta_seconds(&moment.sub(&self.epoch)?)?;
        let shown = civil.div_euclid(DAY_S);
        if let Some(offset) = self.on_clear(py, shown) {
            let at = civil - offset;
            let day = at.div_euclid(DAY_S);
            if day == shown || self.on_clear(py, day) == Some(offset) {
                return Ok(at);
            }
        }
        // Offsets of this class are whole seconds.
        Ok(civil - delta_seconds(&moment.call_method0(intern!(py, "utcoffset"))?)?)
    }

    /// The `datetime` of an instant in this zone; `None` if Python must be asked.
    pub(crate) fn datetime<'py>(&self, py: Python<'py>, at: Instant) -> Option<Bound<'py, PyAny>> {
        let offset = self.on_clear(py, at.as_secs() / DAY_S)?;
        let packed = packed(at.as_secs() + offset)?;
        py.get_type::<PyDateTime>().call1((PyBytes::new(py, &packed), &self.zone)).ok()
    }

    /// The offset on a clear day, counted from 1970-01-01 in UTC.
    fn on_clear(&self, py: Python<'_>, day: i64) -> Option<i64> {
        let found = self.clear.get_or_find(day, || self.find_clear(py, day));
        found.ok().flatten().map(i64::from)
    }

    fn find_clear(&self, py: Python<'_>, day: i64) -> PyResult<Option<i32>> {
        let (first, last) = (day - 1, day + 2);
        let Ok(begin) = Instant::from_secs(first * DAY_S) else { return Ok(None) };
        if self.ours.steady_until(begin).is_some_and(|change| change.as_secs() <= last * DAY_S) {
            return Ok(None);
        }
        let offset = self.ours.offset_at(begin);
        for midnight in first - 1..=last + 1 {
            let most = if (first..=last).contains(&midnight) { 0 } else { DAY_S as i32 };
            let said = self.midnights.get_or_find(midnight, || self.ask(py, midnight * DAY_S))?;
            if said.is_none_or(|said| (said - offset).abs() > most) {
                return Ok(None);
            }
        }
        Ok(Some(offset))
    }

    /// The offset that Python adds on the way out and names on the way in, if these are the same.
    fn ask(&self, py: Python<'_>, at: i64) -> PyResult<Option<i32>> {
        let moment = from_timestamp(py)?.call1((at, &self.zone))?;
        let added = delta_seconds(&moment.sub(&self.epoch)?)? - at;
        let named = moment.call_method0(intern!(py, "utcoffset"))?;
        let fraction: i64 = named.getattr(intern!(py, "microseconds"))?.extract()?;
        let same = fraction == 0 && delta_seconds(&named)? == added && added.abs() < DAY_S;
        Ok(same.then_some(added as i32))
    }
}

impl Days {
    /// In place of an offset: not known yet, and none at all. Others are kept with [`Days::ADDED`], so that 0 is free.
    const UNKNOWN: i32 = 0;
    const NONE: i32 = -1;
    const ADDED: i32 = 100_000;

    fn new() -> Days {
        Days((0..MIDNIGHTS.div_ceil(CHUNK)).map(|_| OnceLock::new()).collect())
    }

    /// The offset of a day, found out the first time. An error is not kept.
    fn get_or_find(&self, day: i64, find: impl FnOnce() -> PyResult<Option<i32>>) -> PyResult<Option<i32>> {
        let Some(day) = usize::try_from(day).ok().filter(|day| *day < MIDNIGHTS) else { return Ok(None) };
        let Some(chunk) = self.0.get(day / CHUNK) else { return Ok(None) };
        let chunk = chunk.get_or_init(|| Box::new([const { AtomicI32::new(Days::UNKNOWN) }; CHUNK]));
        let cell = &chunk[day % CHUNK];
        // Threads that find it out at once write the same, and it guards no other memory.
        match cell.load(Ordering::Relaxed) {
            Days::UNKNOWN => {
                let found = find()?;
                cell.store(found.map_or(Days::NONE, |offset| offset + Days::ADDED), Ordering::Relaxed);
                Ok(found)
            }
            Days::NONE => Ok(None),
            kept => Ok(Some(kept - Days::ADDED)),
        }
    }
}

/// `datetime.fromtimestamp`.
pub(crate) fn from_timestamp(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static FROM_TIMESTAMP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = FROM_TIMESTAMP.get_or_try_init(py, || {
        let class = py.get_type::<PyDateTime>();
        Ok::<_, PyErr>(class.getattr("fromtimestamp")?.unbind())
    })?;
    Ok(make.bind(py))
}

/// `zoneinfo.ZoneInfo`.
fn class(py: Python<'_>) -> Option<&Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class =
        CLASS.get_or_try_init(py, || Ok::<_, PyErr>(py.import("zoneinfo")?.getattr("ZoneInfo")?.unbind()));
    Some(class.ok()?.bind(py))
}

/// A civil time, in seconds since that of 1970-01-01, as `datetime` pickles it: year, month, day, hour, minute, second, and
/// three bytes of microseconds. It is the form in which Python makes one quickest.
fn packed(civil: i64) -> Option<[u8; 10]> {
    let civil = DateTime::from_timestamp(civil, 0)?.naive_utc();
    let [high, low] = u16::try_from(civil.year()).ok()?.to_be_bytes();
    let (month, day) = (civil.month() as u8, civil.day() as u8);
    Some([high, low, month, day, civil.hour() as u8, civil.minute() as u8, civil.second() as u8, 0, 0, 0])
}

/// Whether this interpreter's `datetime` reads [`packed`], as all that can read older pickles do.
fn packs(py: Python<'_>) -> bool {
    static PACKS: PyOnceLock<bool> = PyOnceLock::new();
    let tried = || -> PyResult<bool> {
        let utc = PyTzInfo::utc(py)?.to_owned();
        let plain = PyDateTime::new(py, 2026, 3, 6, 15, 4, 5, 0, Some(&utc))?;
        let Some(packed) = packed(1_772_809_445) else { return Ok(false) };
        let read = py.get_type::<PyDateTime>().call1((PyBytes::new(py, &packed), utc))?;
        read.eq(plain)
    };
    *PACKS.get_or_init(py, || tried().unwrap_or(false))
}
