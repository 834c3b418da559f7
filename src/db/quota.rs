//! Expedites: how many of its quota a customer has used, when one is free again, and the report of use.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Db;
use crate::attainment::PeriodRange;
use crate::clock::Expedite;
use crate::error::{Error, ErrorKind, Result};
use crate::policy::ExpediteRules;
use crate::policy::Period;
use crate::policy::care::{begin_of, month_of};
use crate::store::expedites::{self, ExpediteRow};
use crate::store::snapshot::Snapshot;
use crate::time::Instant;

/// What a customer has used of a month's quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use {
    /// The month's first date.
    pub(super) month: NaiveDate,
    /// Expedites dated in it.
    pub(super) used: u64,
    /// The date from which one is free without approval; `None` if never before 2100.
    pub(super) next_free: Option<NaiveDate>,
}

impl Use {
    /// Counts a customer's expedites for the month of `at`.
    pub(super) fn at(rules: &ExpediteRules, at: Instant, used_at: impl Iterator<Item = Instant>) -> Use {
        let mut by_month: BTreeMap<NaiveDate, u64> = BTreeMap::new();
        for used in used_at {
            *by_month.entry(rules.month_of(used)).or_default() += 1;
        }
        let used = |month: NaiveDate| by_month.get(&month).copied().unwrap_or(0);
        let month = rules.month_of(at);
        let free = |month: &NaiveDate| used(*month) < u64::from(rules.per_month);
        let months = std::iter::successors(Some(month), |month| {
            Some(rules.next_month(*month)).filter(|next| begin_of(&rules.calendar, *next).is_some())
        });
        let next_free = if rules.per_month == 0 { None } else { months.into_iter().find(free) };
        let today = rules.calendar.local(at).date();
        Use { month, used: used(month), next_free: next_free.map(|date| date.max(today)) }
    }
}

/// How many expedites a customer has used in a month, and when the next is free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpediteQuota {
    /// The customer.
    pub customer: String,
    /// The calendar month, in the zone of the policy's `[expedites]`.
    pub month: PeriodRange,
    /// Expedites dated in it.
    pub used: u64,
    /// How many a month the newest policy allows without approval.
    pub per_month: u32,
    /// When the next is free without approval: now, or the first instant of a later month; `None` if never.
    pub next_free_at: Option<Instant>,
}

/// An expedited request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpediteEntry {
    /// External id of the request.
    pub request: String,
    /// When it was expedited.
    pub at: Instant,
    /// Who asked for it.
    pub by: Option<String>,
    /// Who allowed it beyond the quota.
    pub approved_by: Option<String>,
}

/// What a customer used in a calendar month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpediteUse {
    /// The customer; `None` where a late change left the request without one.
    pub customer: Option<String>,
    /// The calendar month.
    pub month: PeriodRange,
    /// Expedites dated in it.
    pub used: u64,
    /// Of these, those that a second person approved.
    pub approved: u64,
    /// How many a month the newest policy allows without approval; `None` if it foresees no expedites.
    pub per_month: Option<u32>,
    /// The requests, by instant.
    pub expedites: Vec<ExpediteEntry>,
}

impl Db {
    /// How many expedites a customer has used in the calendar month of `at`, under the newest policy.
    ///
    /// # Errors
    /// `Unsupported` if the newest policy foresees no expedites; the errors of the file.
    pub fn expedite_quota(&self, customer: &str, at: Instant) -> Result<ExpediteQuota> {
        self.store.read(|snapshot| {
            let policy = self.edition(snapshot, snapshot.head().policy)?.policy.clone();
            let rules = policy.expedites().ok_or_else(|| {
                let message = format!(
                    "policy {} foresees no expedites; [expedites] says how many a month",
                    policy.title()
                );
                Error::new(ErrorKind::Unsupported, message)
            })?;
            let rows = expedites::read(snapshot.reader()?, expedites::key_of(customer))?;
            let own = rows.iter().filter(|row| row.customer == customer);
            let count = Use::at(rules, at, own.filter_map(|row| Instant::from_raw(row.at)));
            let from = |date: NaiveDate| begin_of(&rules.calendar, date).map(|free| free.max(at));
            Ok(ExpediteQuota {
                customer: customer.to_owned(),
                month: PeriodRange::around(count.month, Period::Month)?,
                used: count.used,
                per_month: rules.per_month,
                next_free_at: count.next_free.and_then(from),
            })
        })
    }

    /// Use of expedites by customer, then calendar month; of the period's months only, if one is given. Months are
    /// those of the newest policy's zone. Reads expedited requests only.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn expedites(&self, period: Option<PeriodRange>) -> Result<Vec<ExpediteUse>> {
        self.store.read(|snapshot| {
            let policy = self.edition(snapshot, snapshot.head().policy)?.policy.clone();
            let rules = policy.expedites();
            let Some(calendar) = rules.map(|rules| &rules.calendar).or_else(|| policy.calendars().first())
            else {
                return Ok(Vec::new());
            };
            let mut rows: Vec<ExpediteRow> = Vec::new();
            expedites::visit(snapshot.reader()?, |_, value| rows.extend(value))?;
            rows.sort();
            let mut uses: BTreeMap<(String, NaiveDate), Vec<ExpediteEntry>> = BTreeMap::new();
            for row in rows {
                let Some(at) = Instant::from_raw(row.at) else { continue };
                let month = month_of(calendar, at);
                if period.is_some_and(|period| month > period.last() || month < first_month(period)) {
                    continue;
                }
                let entry = self.expedite_entry(snapshot, &row, at)?;
                uses.entry((row.customer, month)).or_default().push(entry);
            }
            uses.into_iter()
                .map(|((customer, month), expedites)| {
                    let approved = expedites.iter().filter(|entry| entry.approved_by.is_some()).count();
                    Ok(ExpediteUse {
                        customer: Some(customer).filter(|customer| !customer.is_empty()),
                        month: PeriodRange::around(month, Period::Month)?,
                        used: expedites.len() as u64,
                        approved: approved as u64,
                        per_month: rules.map(|rules| rules.per_month),
                        expedites,
                    })
                })
                .collect()
        })
    }

    fn expedite_entry(
        &self,
        snapshot: &Snapshot<'_>,
        row: &ExpediteRow,
        at: Instant,
    ) -> Result<ExpediteEntry> {
        let life = self.facts_of(snapshot, row.request)?;
        let timeline = life.timeline();
        let found = timeline.expedites.iter().find(|expedite| expedite.at == at);
        Ok(ExpediteEntry {
            request: life.request.id,
            at,
            by: found.and_then(|found| found.by.clone()),
            approved_by: found.and_then(|found| found.approved_by.clone()),
        })
    }
}

/// The rows that a request's expedites make.
pub(super) fn rows_of(slot: u32, expedites: &[Expedite]) -> impl Iterator<Item = ExpediteRow> {
    expedites.iter().map(move |expedite| ExpediteRow {
        customer: expedite.customer.clone().unwrap_or_default(),
        at: expedite.at.raw(),
        request: slot,
    })
}

/// The first date of the month in which a period begins.
fn first_month(period: PeriodRange) -> NaiveDate {
    chrono::Datelike::with_day(&period.first(), 1).unwrap_or(period.first())
}
