//! Holidays from iCalendar files (RFC 5545): every event is understood or refused by name, none is left out silently.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use icalendar::parser::{Component, Property, read_components, unfold};

use super::check::MAX_ENTRIES;
use super::recurrence::{Ends, Yearly};
use super::spec::{CalendarSpec, Closure, DateRule, Holiday, Observed};
use crate::error::{Error, ErrorKind, Result};
use crate::time::{DAY_S, TimeOfDay};
use crate::zone::{Edge, TzData, Zone};

/// Largest file that is read.
const MAX_BYTES: usize = 16 << 20;
/// Deepest nesting of components that is read; alarms in events in a calendar are three.
const MAX_DEPTH: usize = 8;
/// Longest event.
const MAX_DAYS: u64 = 3_660;

impl CalendarSpec {
    /// Adds the events of an iCalendar file: all-day events as holidays, timed events as part-day closures in this
    /// calendar's zone, both named by their summary.
    ///
    /// Understood are dates, floating times, UTC and IANA zones, several days, yearly repetition (`RRULE` with
    /// `INTERVAL`, `COUNT`, `UNTIL`, `BYMONTH`, `BYMONTHDAY` and `BYDAY`), `RDATE` and `EXDATE`. Cancelled events add
    /// nothing. Dates outside 1970 to 2099 are left out.
    ///
    /// # Errors
    /// `InvalidCalendar` for what is no iCalendar file and for anything about an event's time that is not understood,
    /// naming the event; the calendar is unchanged then. `UnknownZone` if this calendar's own zone is unknown.
    ///
    /// ```
    /// use slaclock::calendar::CalendarSpec;
    /// use slaclock::zone::TzData;
    ///
    /// let file = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:New Year\nDTSTART;VALUE=DATE:20260101\nEND:VEVENT\nEND:VCALENDAR\n";
    /// let mut office = CalendarSpec::new("office", "Europe/Moscow");
    /// office.add_ical(file, &TzData::bundled())?;
    /// assert_eq!(office.holidays[0].name.as_deref(), Some("New Year"));
    /// # Ok::<(), slaclock::error::Error>(())
    /// ```
    pub fn add_ical(&mut self, text: &str, tz: &TzData) -> Result<()> {
        let zone = tz.zone(&self.zone).map_err(|error| error.context(format!("calendar `{}`", self.name)))?;
        let wrong = |why: String| Error::new(ErrorKind::InvalidCalendar, format!("iCalendar file: {why}"));
        let lines = uniform_lines(&unfold(checked_text(text).map_err(wrong)?));
        let events = check_structure(&lines).map_err(wrong)?;
        let roots = read_components(&lines).map_err(|cause| {
            let first_lines: String = cause.chars().take(300).collect();
            wrong(format!("is malformed: {first_lines}"))
        })?;
        let mut found = Found::default();
        for root in &roots {
            if !is_named(root.name.as_str(), "VCALENDAR") {
                return Err(wrong(format!("`{}` is not a VCALENDAR", root.name.as_str())));
            }
            for component in &root.components {
                let name = component.name.as_str();
                if is_named(name, "VEVENT") {
                    found.events += 1;
                    let event = Event { component, zone: &zone, tz };
                    event.read(&mut found).map_err(|why| wrong(format!("{}: {why}", event.label())))?;
                    // A calendar would refuse them all the same, after they took their memory.
                    if found.holidays.len().max(found.closures.len()) > MAX_ENTRIES {
                        let label = event.label();
                        let why =
                            format!("up to {label} it names more than {MAX_ENTRIES} holidays or closures");
                        return Err(wrong(why));
                    }
                } else if !is_named(name, "VTIMEZONE") && !name.to_ascii_uppercase().starts_with("X-") {
                    return Err(wrong(format!("component `{name}` is not understood, only VEVENT")));
                }
            }
        }
        // The reader must not have lost any on its way.
        if found.events != events {
            return Err(wrong(format!("{events} events begin, but {} were read", found.events)));
        }
        self.holidays.append(&mut found.holidays);
        self.closures.append(&mut found.closures);
        Ok(())
    }
}

/// What the events add.
#[derive(Default)]
struct Found {
    events: usize,
    holidays: Vec<Holiday>,
    closures: Vec<Closure>,
}

/// One event, read in the calendar's zone.
struct Event<'a> {
    component: &'a Component<'a>,
    zone: &'a Zone,
    tz: &'a TzData,
}

/// When something begins or ends, as written.
#[derive(Clone, Debug)]
enum When {
    Date(NaiveDate),
    /// A civil time of a zone; `None` is the calendar's own.
    Civil(NaiveDateTime, Option<Box<Zone>>),
}

impl Event<'_> {
    /// What the event is called in messages.
    fn label(&self) -> String {
        let short = |name: &str| {
            let text: String = self.text(name).unwrap_or_default().chars().take(80).collect();
            if text.is_empty() { format!("no {name}") } else { format!("{name} `{text}`") }
        };
        format!("event with {}, {}", short("SUMMARY"), short("UID"))
    }

    fn read(&self, found: &mut Found) -> Result<(), String> {
        for name in ["RECURRENCE-ID", "EXRULE"] {
            if self.property(name)?.is_some() {
                return Err(format!("{name} is not understood"));
            }
        }
        let start = self.property("DTSTART")?.ok_or("has no DTSTART")?;
        let start = self.single(start)?;
        if self.text("STATUS").is_some_and(|status| is_named(status, "CANCELLED")) {
            return Ok(());
        }
        let name = self.text("SUMMARY").filter(|summary| !summary.is_empty()).map(str::to_owned);
        match start {
            When::Date(first) => self.read_days(first, name, found),
            When::Civil(begin, zone) => self.read_times(begin, zone, name, found),
        }
    }

    fn read_days(&self, first: NaiveDate, name: Option<String>, found: &mut Found) -> Result<(), String> {
        let days = match (self.property("DTEND")?, self.duration()?) {
            (Some(_), Some(_)) => return Err("has both DTEND and DURATION".to_owned()),
            (Some(end), None) => match self.single(end)? {
                When::Date(end) => end.signed_duration_since(first).num_days(),
                When::Civil(..) => return Err("DTEND has a time of day, but DTSTART has none".to_owned()),
            },
            (None, Some(seconds)) if seconds % DAY_S == 0 => seconds / DAY_S,
            (None, Some(_)) => return Err("DURATION is no whole number of days".to_owned()),
            (None, None) => 1,
        };
        let more = u64::try_from(days - 1).map_err(|_| "must end after it begins")?;
        if more >= MAX_DAYS {
            return Err(format!("lasts {days} days: at most {MAX_DAYS} are allowed"));
        }
        for start in self.starts(NaiveDateTime::new(first, NaiveTime::MIN), None, true)? {
            let from = start.date();
            let Some(to) = from.checked_add_days(Days::new(more)) else { continue };
            if let Some(on) = dates(from, to) {
                found.holidays.push(Holiday { on, name: name.clone(), observed: Observed::SameDate });
            }
        }
        Ok(())
    }

    fn read_times(
        &self,
        begin: NaiveDateTime,
        zone: Option<Box<Zone>>,
        name: Option<String>,
        found: &mut Found,
    ) -> Result<(), String> {
        let own = zone.as_deref();
        let seconds = match (self.property("DTEND")?, self.duration()?) {
            (Some(_), Some(_)) => return Err("has both DTEND and DURATION".to_owned()),
            (Some(end), None) => match self.single(end)? {
                When::Date(_) => return Err("DTEND has no time of day, but DTSTART has one".to_owned()),
                When::Civil(end, end_zone) => {
                    let end = self.moved(end, end_zone.as_deref(), own, Edge::Close);
                    end.signed_duration_since(begin).num_seconds()
                }
            },
            (None, Some(seconds)) => seconds,
            (None, None) => return Err("has neither DTEND nor DURATION".to_owned()),
        };
        if seconds <= 0 {
            return Err("must end after it begins".to_owned());
        }
        if seconds > MAX_DAYS as i64 * DAY_S {
            return Err(format!("lasts more than {MAX_DAYS} days"));
        }
        for start in self.starts(begin, own, false)? {
            let Some(end) = start.checked_add_signed(TimeDelta::seconds(seconds)) else { continue };
            let from = self.moved(start, own, None, Edge::Open);
            let to = self.moved(end, own, None, Edge::Close);
            close_between(from, to, name.as_deref(), &mut found.closures);
        }
        Ok(())
    }

    /// The civil times at which the event begins, in the zone in which it is written.
    fn starts(
        &self,
        first: NaiveDateTime,
        zone: Option<&Zone>,
        all_day: bool,
    ) -> Result<Vec<NaiveDateTime>, String> {
        let mut starts: BTreeSet<NaiveDateTime> = BTreeSet::from([first]);
        if let Some(rule) = self.property("RRULE")? {
            let rule = Yearly::parse(rule.val.as_str())?;
            let mut repeated = rule.dates(first.date()).map(|date| date.and_time(first.time())).peekable();
            if repeated.peek() != Some(&first) {
                return Err("DTSTART is not one of the dates of its RRULE".to_owned());
            }
            match &rule.ends {
                Ends::Never => starts.extend(repeated),
                Ends::Count(count) => starts.extend(repeated.take(*count as usize)),
                Ends::Until(until) => {
                    let last = self.until(until, zone, all_day)?;
                    starts.extend(repeated.take_while(|start| *start <= last));
                }
            }
        }
        for (name, adds) in [("RDATE", true), ("EXDATE", false)] {
            for property in self.properties(name) {
                for value in property.val.as_str().split(',') {
                    let start = match (self.when(property, value)?, all_day) {
                        (When::Date(date), true) => date.and_time(NaiveTime::MIN),
                        (When::Civil(civil, of), false) => self.moved(civil, of.as_deref(), zone, Edge::Open),
                        _ => {
                            return Err(format!(
                                "{name} `{value}` is not of DTSTART's kind (date, or date and time)"
                            ));
                        }
                    };
                    if adds {
                        starts.insert(start)
                    } else {
                        starts.remove(&start)
                    };
                }
            }
        }
        Ok(starts.into_iter().collect())
    }

    /// The last civil time at which a repeated event may begin.
    fn until(&self, text: &str, zone: Option<&Zone>, all_day: bool) -> Result<NaiveDateTime, String> {
        let not_understood = || format!("RRULE part `UNTIL={text}` is not understood");
        match parse_when(text).ok_or_else(not_understood)? {
            (date, None, _) => Ok(date.and_time(NaiveTime::MIN) + TimeDelta::seconds(DAY_S - 1)),
            // Writers give whole-day events an end in UTC or civil time; its date is what they mean.
            (date, Some(_), _) if all_day => Ok(date.and_time(NaiveTime::MIN)),
            (date, Some(time), false) => Ok(date.and_time(time)),
            (date, Some(time), true) => {
                Ok(self.moved(date.and_time(time), Some(&Zone::utc()), zone, Edge::Close))
            }
        }
    }

    /// The same instant on the clocks of another zone.
    fn moved(
        &self,
        civil: NaiveDateTime,
        from: Option<&Zone>,
        to: Option<&Zone>,
        edge: Edge,
    ) -> NaiveDateTime {
        let (from, to) = (from.unwrap_or(self.zone), to.unwrap_or(self.zone));
        if from.name() == to.name() {
            return civil;
        }
        let shown = to.local_secs(from.from_local(civil, edge));
        chrono::DateTime::from_timestamp(shown, 0).map_or(civil, |shown| shown.naive_utc())
    }

    fn duration(&self) -> Result<Option<i64>, String> {
        let Some(property) = self.property("DURATION")? else { return Ok(None) };
        let text = property.val.as_str();
        parse_duration(text).map(Some).ok_or_else(|| format!("DURATION `{text}` is not understood"))
    }

    fn single(&self, property: &Property<'_>) -> Result<When, String> {
        self.when(property, property.val.as_str())
    }

    /// One value of a property, with the property's own zone.
    fn when(&self, property: &Property<'_>, value: &str) -> Result<When, String> {
        let name = property.name.as_str();
        let not_understood = || format!("{name} `{value}` is not understood");
        let parameter = |key: &str| {
            let found = property.params.iter().find(|parameter| is_named(parameter.key.as_str(), key));
            found.map(|parameter| parameter.val.as_ref().map_or("", |text| text.as_str()).trim_matches('"'))
        };
        let (date, time, is_utc) = parse_when(value).ok_or_else(not_understood)?;
        match parameter("VALUE").map(str::to_ascii_uppercase).as_deref() {
            None => {}
            Some("DATE") if time.is_none() => {}
            Some("DATE-TIME") if time.is_some() => {}
            Some(_) => return Err(not_understood()),
        }
        let Some(time) = time else { return Ok(When::Date(date)) };
        let zone = match parameter("TZID") {
            _ if is_utc => Some(Box::new(Zone::utc())),
            Some(id) if id == self.zone.name() => None,
            Some(id) => {
                Some(Box::new(self.tz.zone(id).map_err(|error| format!("{name}: {}", error.message()))?))
            }
            None => None,
        };
        Ok(When::Civil(date.and_time(time), zone))
    }

    /// The only property of this name.
    fn property(&self, name: &str) -> Result<Option<&Property<'_>>, String> {
        let mut all = self.properties(name);
        match (all.next(), all.next()) {
            (_, Some(_)) => Err(format!("has more than one {name}")),
            (found, None) => Ok(found),
        }
    }

    fn properties(&self, name: &str) -> impl Iterator<Item = &Property<'_>> {
        self.component.properties.iter().filter(move |property| is_named(property.name.as_str(), name))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.properties(name).next().map(|property| property.val.as_str().trim())
    }
}

fn is_named(found: &str, name: &str) -> bool {
    found.eq_ignore_ascii_case(name)
}

fn checked_text(text: &str) -> Result<&str, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("has {} bytes: at most {MAX_BYTES} are allowed", text.len()));
    }
    Ok(text.trim_start_matches('\u{feff}').trim())
}

/// Checks the nesting, which the reader follows by recursion, and counts the events.
fn check_structure(lines: &str) -> Result<usize, String> {
    let (mut depth, mut events) = (0_usize, 0);
    for line in lines.lines() {
        let (head, name) = line.trim().split_once(':').unwrap_or_default();
        if is_named(head, "BEGIN") {
            depth += 1;
            events += usize::from(is_named(name, "VEVENT"));
        } else if is_named(head, "END") {
            depth = depth.saturating_sub(1);
        }
        if depth > MAX_DEPTH {
            return Err(format!("components are nested more than {MAX_DEPTH} deep"));
        }
    }
    Ok(events)
}

/// The same lines, each ended as the standard says. In a file of other line ends the reader would look for the next right
/// one from every property on: that takes the square of its length, and beside one right end it would join lines.
fn uniform_lines(text: &str) -> String {
    let mut uniform = String::with_capacity(text.len() + text.len() / 16);
    for (line, at) in text.lines().zip(0..) {
        uniform.push_str(if at == 0 { "" } else { "\r\n" });
        uniform.push_str(line);
    }
    uniform
}

/// `20260101`, `20260101T090000` or `20260101T090000Z`: the date, the time if there is one, and whether it is UTC.
fn parse_when(text: &str) -> Option<(NaiveDate, Option<NaiveTime>, bool)> {
    let text = text.trim();
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let numbers =
        |text: &str, len: usize| text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
    if !numbers(date, 8) {
        return None;
    }
    let part = |text: &str, from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let year = i32::try_from(part(date, 0, 4)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, part(date, 4, 6)?, part(date, 6, 8)?)?;
    let Some(time) = time else { return Some((date, None, false)) };
    let civil = time.trim_end_matches(['Z', 'z']);
    if !numbers(civil, 6) || time.len() - civil.len() > 1 {
        return None;
    }
    let time_of_day = NaiveTime::from_hms_opt(part(civil, 0, 2)?, part(civil, 2, 4)?, part(civil, 4, 6)?)?;
    Some((date, Some(time_of_day), civil.len() < time.len()))
}

/// `P1D`, `PT4H30M`, `P2W`: seconds, of days of 24 hours.
fn parse_duration(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_uppercase();
    let mut rest = text.trim_start_matches('+').strip_prefix('P')?;
    let (mut total, mut in_time, mut any) = (0_i64, false, false);
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T').filter(|_| !in_time) {
            (rest, in_time) = (time, true);
            continue;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest.get(..digits)?.parse().ok()?;
        let unit = match (rest.as_bytes().get(digits)?, in_time) {
            (b'W', false) => 7 * DAY_S,
            (b'D', false) => DAY_S,
            (b'H', true) => 3_600,
            (b'M', true) => 60,
            (b'S', true) => 1,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        any = true;
        rest = rest.get(digits + 1..)?;
    }
    any.then_some(total)
}

/// The dates of an event that lie in the supported range.
fn dates(from: NaiveDate, to: NaiveDate) -> Option<DateRule> {
    let first = NaiveDate::from_ymd_opt(1970, 1, 1)?.max(from);
    let last = NaiveDate::from_ymd_opt(2099, 12, 31)?.min(to);
    match first.cmp(&last) {
        std::cmp::Ordering::Less => Some(DateRule::Between(first, last)),
        std::cmp::Ordering::Equal => Some(DateRule::On(first)),
        std::cmp::Ordering::Greater => None,
    }
}

/// Cuts a stretch of civil time into closures of the dates it touches.
fn close_between(from: NaiveDateTime, to: NaiveDateTime, name: Option<&str>, closures: &mut Vec<Closure>) {
    let mut close = |first: NaiveDate, last: NaiveDate, from: TimeOfDay, to: TimeOfDay| {
        if let (Some(on), true) = (dates(first, last), from < to) {
            closures.push(Closure { on, from, to, name: name.map(str::to_owned) });
        }
    };
    let (first, last) = (from.date(), to.date());
    let (begins, ends) = (TimeOfDay::from(from.time()), TimeOfDay::from(to.time()));
    if first == last {
        close(first, last, begins, ends);
        return;
    }
    close(first, first, begins, TimeOfDay::END);
    if let (Some(second), Some(but_last)) = (first.succ_opt(), last.pred_opt())
        && second <= but_last
    {
        close(second, but_last, TimeOfDay::START, TimeOfDay::END);
    }
    close(last, last, TimeOfDay::START, ends);
}
