//! Times as people write and read them, in the zone of the policy's calendars.

use std::sync::Arc;

use crate::calendar::{Calendar, Edge};
use crate::policy::Policy;
use crate::time::Instant;
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::clock;
use super::failure::Failure;

/// The zones that times are read and shown in: a clock's own, else the policy's first.
pub(crate) struct Zones {
    main: Option<Arc<Calendar>>,
    clocks: Vec<(String, Arc<Calendar>)>,
}

impl Zones {
    /// UTC, where there is no policy.
    pub(crate) fn utc() -> Zones {
        Zones { main: None, clocks: Vec::new() }
    }

    pub(crate) fn of(policy: &Policy) -> Zones {
        let of_clock = |clock: &crate::policy::Clock| clock.rules.first().map(|rule| rule.calendar.clone());
        let clocks: Vec<_> =
            policy.clocks().iter().filter_map(|clock| Some((clock.name.clone(), of_clock(clock)?))).collect();
        let main = clocks.first().map(|(_, calendar)| calendar.clone());
        Zones { main: main.or_else(|| policy.calendars().first().cloned()), clocks }
    }

    fn calendar(&self, clock: Option<&str>) -> Option<&Calendar> {
        let own =
            self.clocks.iter().find(|(name, _)| Some(name.as_str()) == clock).map(|(_, calendar)| calendar);
        own.or(self.main.as_ref()).map(Arc::as_ref)
    }

    /// `Thu 2016-03-10 12:00 -03`, with seconds only where there are some, in the clock's zone.
    pub(crate) fn show(&self, clock: Option<&str>, at: Instant) -> String {
        let calendar = self.calendar(clock);
        let local = calendar.map_or_else(|| at.to_utc(), |calendar| calendar.local(at));
        let zone = calendar.map_or("UTC", |calendar| calendar.zone().abbreviation_at(at));
        let format = if local.second() == 0 { "%a %Y-%m-%d %H:%M" } else { "%a %Y-%m-%d %H:%M:%S" };
        format!("{} {zone}", local.format(format))
    }

    /// The same in the policy's main zone.
    pub(crate) fn main(&self, at: Instant) -> String {
        self.show(None, at)
    }

    /// `2016-03-10T12:00:00-03:00`; `None` if these are no seconds of the supported range.
    pub(crate) fn rfc3339(&self, clock: Option<&str>, seconds: i64) -> Option<String> {
        let at = Instant::from_secs(seconds).ok()?;
        let offset = self.calendar(clock).map_or(0, |calendar| calendar.zone().offset_at(at));
        let offset = chrono::FixedOffset::east_opt(offset)?;
        Some(at.to_utc().and_utc().with_timezone(&offset).format("%Y-%m-%dT%H:%M:%S%:z").to_string())
    }

    /// The date of an instant in the main zone.
    pub(crate) fn date(&self, at: Instant) -> NaiveDate {
        self.calendar(None).map_or_else(|| at.to_utc(), |calendar| calendar.local(at)).date()
    }

    /// Reads `2026-03-06 15:00` (in the main zone), RFC 3339 or `@` and seconds since 1970.
    ///
    /// A civil time in a gap is the first instant after it, a repeated one the first occurrence.
    pub(crate) fn read(&self, option: &str, text: &str) -> Result<Instant, Failure> {
        if let Some(seconds) = text.strip_prefix('@').and_then(|seconds| seconds.parse().ok()) {
            return Ok(Instant::from_secs(seconds)?);
        }
        if let Some(civil) = civil(text) {
            if !(1970..2100).contains(&civil.year()) {
                return Err(Failure::text(format!("{option} `{text}`: must lie in 1970 to 2099")));
            }
            let Some(calendar) = &self.main else {
                return Ok(Instant::from_secs(civil.and_utc().timestamp())?);
            };
            return Ok(Instant::from_secs(calendar.zone().from_local(civil, Edge::Open))?);
        }
        Instant::parse(text).map_err(|error| match error.kind() {
            crate::error::ErrorKind::InvalidArgument => {
                let zone = self.main.as_ref().map_or("UTC", |calendar| calendar.zone().name());
                Failure::text(format!(
                    "{option} `{text}`: must be like \"2026-03-06 15:00\" (in {zone}), 2026-03-06T15:00:00+03:00 or @1772798400"
                ))
            }
            _ => Failure::text(format!("{option} `{text}`: must lie in 1970 to 2099")),
        })
    }

    /// The time that an option gives, else the system's.
    pub(crate) fn now(&self, option: &str, text: Option<&str>) -> Result<Instant, Failure> {
        match text {
            Some(text) => self.read(option, text),
            None => clock::now(),
        }
    }
}

fn civil(text: &str) -> Option<NaiveDateTime> {
    const FORMATS: [&str; 4] = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|date| date.and_time(NaiveTime::MIN));
    FORMATS.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()).or_else(date)
}
