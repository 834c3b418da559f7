//! What a policy says about expedites, refusals, waivers and who must have read it.

use std::sync::Arc;

use chrono::{Datelike, Months, NaiveDate};

use super::calendars;
use super::doc::{At, PolicyDoc};
use super::read::{Many, Name};
use super::text::Fault;
use super::words::shown;
use crate::calendar::Calendar;
use crate::time::{Instant, TimeOfDay};
use crate::zone::Edge;

/// Most names in one list of people.
const MAX_PEOPLE: usize = 254;

/// How many requests of a customer may go first each month.
#[derive(Clone, Debug)]
pub struct ExpediteRules {
    /// How many of each customer's in a calendar month; more need the approval of a second person.
    pub per_month: u32,
    /// In whose zone months begin.
    pub calendar: Arc<Calendar>,
    /// Who may approve more; empty for anybody but the one who asks.
    pub approvers: Vec<String>,
}

/// Who may approve a refusal that somebody else proposed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusalRules {
    /// Their names; empty for anybody but the one who proposed it.
    pub approvers: Vec<String>,
}

/// Who may excuse a miss.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaiverRules {
    /// Their names; empty for anybody.
    pub by: Vec<String>,
}

/// Who must have read a version of the policy, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Their names, in the order of the text.
    pub readers: Vec<String>,
    /// The last date on which it is in time.
    pub by: NaiveDate,
}

/// What a policy says about care beyond deadlines.
#[derive(Clone, Debug)]
pub(crate) struct Care {
    pub(crate) expedites: Option<ExpediteRules>,
    pub(crate) refusals: RefusalRules,
    pub(crate) waivers: Option<WaiverRules>,
    pub(crate) reading: Option<Reading>,
}

impl ExpediteRules {
    /// The first date of the month that an instant belongs to.
    pub fn month_of(&self, at: Instant) -> NaiveDate {
        month_of(&self.calendar, at)
    }

    /// The first date of the month after the one that begins on `month`.
    pub fn next_month(&self, month: NaiveDate) -> NaiveDate {
        month.checked_add_months(Months::new(1)).unwrap_or(month)
    }

    /// Whether this person may approve more than the quota.
    pub fn may_approve(&self, person: &str) -> bool {
        allows(&self.approvers, person)
    }
}

impl RefusalRules {
    /// Whether this person may approve a refusal that another proposed.
    pub fn may_approve(&self, person: &str) -> bool {
        allows(&self.approvers, person)
    }
}

impl WaiverRules {
    /// Whether this person may excuse a miss.
    pub fn may_waive(&self, person: &str) -> bool {
        allows(&self.by, person)
    }
}

/// The first date of the calendar month that an instant belongs to in the calendar's zone. What lies beyond 1970 to
/// 2099 there counts to the first or last month of the range.
pub(crate) fn month_of(calendar: &Calendar, at: Instant) -> NaiveDate {
    let date = calendar.local(at).date();
    let year = date.year().clamp(1970, 2099);
    let month = if year == date.year() {
        date.month()
    } else if date.year() < 1970 {
        1
    } else {
        12
    };
    NaiveDate::from_ymd_opt(year, month, 1).unwrap_or_default()
}

/// The first instant of a date in the calendar's zone; `None` outside 1970 to 2099.
pub(crate) fn begin_of(calendar: &Calendar, date: NaiveDate) -> Option<Instant> {
    calendar.instant_at(date, TimeOfDay::START, Edge::Open)
}

/// The first instant after a date in the calendar's zone.
pub(crate) fn end_of(calendar: &Calendar, date: NaiveDate) -> Option<Instant> {
    begin_of(calendar, date.succ_opt()?)
}

fn allows(people: &[String], person: &str) -> bool {
    people.is_empty() || people.iter().any(|known| known == person)
}

impl Care {
    /// What the document says, with calendars already compiled.
    pub(super) fn of(doc: &PolicyDoc, calendars: &[Arc<Calendar>]) -> Result<Care, Fault> {
        let expedites = doc.expedites.as_ref().map(|written| {
            let table = &written.value;
            let index = table.calendar.as_ref().map_or(Ok(0), |name| calendars::find(doc, name))?;
            let calendar = calendars.get(index).cloned();
            let calendar = calendar.ok_or_else(|| Fault::new(written.at, "the policy has no calendar"))?;
            let approvers = people(table.approvers.as_ref(), "approvers")?;
            Ok(ExpediteRules { per_month: table.per_month.value.0, calendar, approvers })
        });
        let refusals = doc.refusals.as_ref().map(|written| {
            people(written.value.approvers.as_ref(), "approvers").map(|approvers| RefusalRules { approvers })
        });
        let waivers = doc
            .waivers
            .as_ref()
            .map(|written| people(written.value.by.as_ref(), "by").map(|by| WaiverRules { by }));
        Ok(Care {
            expedites: expedites.transpose()?,
            refusals: refusals.transpose()?.unwrap_or_default(),
            waivers: waivers.transpose()?,
            reading: reading(doc)?,
        })
    }
}

fn reading(doc: &PolicyDoc) -> Result<Option<Reading>, Fault> {
    let header = &doc.policy;
    match (&header.readers, &header.read_by) {
        (None, None) => Ok(None),
        (None, Some(date)) => Err(Fault::new(
            date.at,
            "`read_by` says until when, but no `readers` say who must read the policy",
        )),
        (Some(readers), None) => Err(Fault::new(
            readers.at,
            "`readers` are named, but no `read_by` says until when they must read it",
        )),
        (Some(readers), Some(date)) => {
            Ok(Some(Reading { readers: people(Some(readers), "readers")?, by: date.value.0 }))
        }
    }
}

/// The names of a list, which must not be empty: an empty one would allow everybody, or nobody.
fn people(written: Option<&At<Many<At<Name>>>>, key: &str) -> Result<Vec<String>, Fault> {
    let Some(written) = written else { return Ok(Vec::new()) };
    let names = written.value.as_slice();
    if names.is_empty() {
        return Err(Fault::new(written.at, format!("`{key}` names nobody; leave it out, or name people")));
    }
    if let Some(extra) = names.get(MAX_PEOPLE) {
        let message = format!("`{key}` names {} people: at most {MAX_PEOPLE} are allowed", names.len());
        return Err(Fault::new(extra.at, message));
    }
    for (number, name) in names.iter().enumerate() {
        if names.iter().take(number).any(|other| other.value.0 == name.value.0) {
            return Err(Fault::new(name.at, format!("`{key}` names `{}` twice", shown(&name.value.0))));
        }
    }
    Ok(names.iter().map(|name| name.value.0.clone()).collect())
}
