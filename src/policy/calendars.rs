//! From written calendars to compiled ones.

use std::sync::Arc;

use super::doc::{
    self, At, CalendarDoc, ClosureDoc, ExceptionDoc, HolidayDoc, ObservedWord, PolicyDoc, PresetWord,
};
use super::forms::{DateText, check_overlap};
use super::text::Fault;
use super::words::{shown, unknown};
use crate::calendar::{
    Calendar, CalendarSpec, Closure, DateRule, Exception, ExtraDay, Holiday, Observed, Preset,
};
use crate::error::Result;
use crate::time::TimeOfDay;
use crate::zone::TzData;

/// Gives the text of a holiday file by the name that the policy has for it.
pub(super) type Files<'a> = &'a dyn Fn(&str) -> Result<String>;

/// The calendars of the document, in its order.
pub(super) fn compile(
    doc: &PolicyDoc,
    files: Files<'_>,
    zones: &TzData,
) -> Result<Vec<Arc<Calendar>>, Fault> {
    let mut specs: Vec<Option<CalendarSpec>> = vec![None; doc.calendar.0.len()];
    for index in 0..specs.len() {
        resolve(doc, index, &mut specs, files, zones)?;
    }
    let compiled = specs.into_iter().flatten().zip(&doc.calendar.0).map(|(spec, (name, _))| {
        Calendar::compile(spec, zones).map(Arc::new).map_err(|wrong| Fault::from_error(name.at, &wrong))
    });
    compiled.collect()
}

/// Fills in the spec of one calendar and of those it extends.
fn resolve(
    doc: &PolicyDoc,
    index: usize,
    specs: &mut [Option<CalendarSpec>],
    files: Files<'_>,
    zones: &TzData,
) -> Result<(), Fault> {
    // From the calendar up to one that is resolved or extends nothing, then back down.
    let mut chain = vec![index];
    while let Some((at, parent)) = parent(doc, chain.last().copied().unwrap_or(index))? {
        if chain.contains(&parent) {
            let name = |index: &usize| doc.calendar.0.get(*index).map_or("", |(name, _)| name.value.as_str());
            let names: Vec<String> =
                chain.iter().chain([&parent]).map(|at| format!("`{}`", shown(name(at)))).collect();
            return Err(Fault::new(
                at,
                format!("calendars extend each other in a circle: {}", names.join(" → ")),
            ));
        }
        chain.push(parent);
    }
    for index in chain.into_iter().rev() {
        let Some((name, calendar)) = doc.calendar.0.get(index) else { continue };
        if specs.get(index).is_some_and(Option::is_some) {
            continue;
        }
        let parent = parent(doc, index)?.and_then(|(_, parent)| specs.get(parent).cloned().flatten());
        let spec = spec(&name.value, calendar, parent.as_ref(), files, zones)?;
        if let Some(slot) = specs.get_mut(index) {
            *slot = Some(spec);
        }
    }
    Ok(())
}

/// Where a calendar says what it extends, and the number of that calendar.
fn parent(doc: &PolicyDoc, index: usize) -> Result<Option<(u32, usize)>, Fault> {
    let Some(extends) = doc.calendar.0.get(index).and_then(|(_, calendar)| calendar.value.extends.as_ref())
    else {
        return Ok(None);
    };
    find(doc, extends).map(|parent| Some((extends.at, parent)))
}

/// The number of the calendar of this name.
pub(super) fn find(doc: &PolicyDoc, name: &At<super::read::Name>) -> Result<usize, Fault> {
    let names: Vec<&str> = doc.calendar.0.iter().map(|(name, _)| name.value.as_str()).collect();
    let found = names.iter().position(|known| *known == name.value.0);
    found.ok_or_else(|| Fault::new(name.at, unknown("calendar", &name.value.0, &names)))
}

fn spec(
    name: &str,
    written: &At<CalendarDoc>,
    parent: Option<&CalendarSpec>,
    files: Files<'_>,
    zones: &TzData,
) -> Result<CalendarSpec, Fault> {
    let calendar = &written.value;
    let missing = |key: &str| {
        let name = shown(name);
        Fault::new(
            written.at,
            format!("the calendar `{name}` has no `{key}`, which is required unless it extends another"),
        )
    };
    let mut spec = CalendarSpec::new(name, "");
    match (&calendar.zone, parent) {
        (Some(zone), _) => {
            zones.zone(&zone.value.0).map_err(|wrong| Fault::from_error(zone.at, &wrong))?;
            spec.zone.clone_from(&zone.value.0);
        }
        (None, Some(parent)) => spec.zone.clone_from(&parent.zone),
        (None, None) => return Err(missing("zone")),
    }
    match (&calendar.hours, parent) {
        // Single days and exceptions may open it all the same.
        (Some(hours), _)
            if hours.value.week.iter().all(Vec::is_empty)
                && calendar.extra_days.iter().flatten().next().is_none()
                && calendar.exceptions.iter().flatten().next().is_none() =>
        {
            let name = shown(name);
            return Err(Fault::new(
                hours.at,
                format!("the calendar `{name}` never opens: give hours to at least one weekday"),
            ));
        }
        (Some(hours), _) => spec.week.clone_from(&hours.value.week),
        (None, Some(_)) => {}
        (None, None) => return Err(missing("hours")),
    }
    for holiday in calendar.holidays.iter().flatten() {
        spec.holidays.extend(holidays(&holiday.value));
    }
    for file in calendar.holiday_files.iter().flat_map(|files| files.as_slice()) {
        let text = files(&file.value.0).map_err(|wrong| Fault::from_error(file.at, &wrong))?;
        spec.add_ical(&text, zones).map_err(|wrong| {
            Fault::from_error(file.at, &wrong.context(format!("holiday file `{}`", shown(&file.value.0))))
        })?;
    }
    spec.not_holidays = calendar.not_holidays.iter().flatten().map(|date| date.value.0).collect();
    for closure in calendar.closures.iter().flatten() {
        spec.closures.extend(closures(closure)?);
    }
    spec.exceptions = calendar.exceptions.iter().flatten().map(exception).collect::<Result<_, _>>()?;
    for extra in calendar.extra_days.iter().flatten() {
        let hours: Vec<_> = extra.value.hours.value.as_slice().iter().map(|stretch| stretch.0).collect();
        check_overlap(&hours).map_err(|why| Fault::new(extra.value.hours.at, why))?;
        spec.extra_days.push(ExtraDay { date: extra.value.on.value.0, hours });
    }
    spec.conventions = calendar.preset.as_ref().map(|preset| preset_of(preset).conventions());
    spec.holidays_known_until = calendar.holidays_known_until.as_ref().map(|date| date.value.0);
    Ok(match parent {
        Some(parent) => spec.extend(parent),
        None => spec,
    })
}

fn preset_of(word: &PresetWord) -> Preset {
    match word {
        PresetWord::Biz => Preset::Biz,
        PresetWord::Rt => Preset::Rt,
        PresetWord::Pandas => Preset::Pandas,
        PresetWord::Glpi => Preset::Glpi,
        PresetWord::BusinessTime => Preset::BusinessTime,
    }
}

fn holidays(doc: &HolidayDoc) -> Vec<Holiday> {
    match doc {
        HolidayDoc::Dates(DateText(on)) => {
            vec![Holiday { on: *on, name: None, observed: Observed::SameDate }]
        }
        HolidayDoc::Table(table) => {
            let observed = match table.observed {
                None | Some(ObservedWord::SameDate) => Observed::SameDate,
                Some(ObservedWord::SundayToMonday) => Observed::SundayToMonday,
                Some(ObservedWord::Nearest) => Observed::Nearest,
                Some(ObservedWord::Monday) => Observed::Monday,
            };
            let name = table.name.as_ref().map(|name| name.0.clone());
            let dates = table.on.as_slice().iter();
            dates.map(|on| Holiday { on: on.0, name: name.clone(), observed }).collect()
        }
    }
}

fn closures(closure: &At<ClosureDoc>) -> Result<Vec<Closure>, Fault> {
    let (at, closure) = (closure.at, &closure.value);
    let from = closure.from.as_ref().map_or(TimeOfDay::START, |time| time.value.0);
    let to = closure.to.as_ref().map_or(TimeOfDay::END, |time| time.value.0);
    if from >= to {
        return Err(Fault::new(
            at,
            format!("the closure ends at {to}, which is not after its start at {from}"),
        ));
    }
    let name = closure.name.as_ref().map(|name| name.0.clone());
    let dates = closure.on.as_slice().iter();
    Ok(dates.map(|on| Closure { on: on.0, from, to, name: name.clone() }).collect())
}

fn exception(exception: &At<ExceptionDoc>) -> Result<Exception, Fault> {
    let doc::ExceptionDoc { on, hours, name } = &exception.value;
    let (first, last) = match on.value.0 {
        DateRule::On(date) => (date, date),
        DateRule::Between(first, last) => (first, last),
        _ => {
            let allowed = "one date like \"2026-12-24\" or two like \"2026-07-01..2026-07-14\"";
            return Err(Fault::new(on.at, format!("the `on` of an exception must be {allowed}")));
        }
    };
    let name = name.as_ref().map(|name| name.0.clone());
    Ok(Exception { first, last, week: hours.value.week.clone(), name })
}
