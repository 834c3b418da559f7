//! With whom requests spent their time: every vendor and customer, with the requests behind each number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Db;
use super::report::{AttainmentQuery, local_date, period_of};
use crate::attainment::PeriodRange;
use crate::calendar::Calendar;
use crate::clock::{Party, RequestState, waits};
use crate::error::Result;
use crate::model::{EventKind, EventTag};
use crate::policy::{Policy, Trigger};
use crate::time::{Instant, Span};

/// One stretch of waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitEntry {
    /// External id of the request.
    pub request: String,
    /// Since when.
    pub from_at: Instant,
    /// Until when; `None` while it lasts.
    pub to_at: Option<Instant>,
    /// Contacts with the vendor meanwhile.
    pub contacts: u32,
    /// Wall-clock time, up to the query's `now` while it lasts.
    pub elapsed: Span,
    /// Working time, likewise, in the calendar of the group.
    pub working: Span,
}

/// Waits together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitSum {
    /// How many.
    pub waits: u64,
    /// Requests among them.
    pub requests: u64,
    /// Wall-clock time, summed.
    pub elapsed: Span,
    /// Working time, summed.
    pub working: Span,
}

/// All waits of one customer's requests for one party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitGroup {
    /// For whom.
    pub party: Party,
    /// Whose requests; `None` where they name no customer.
    pub customer: Option<String>,
    /// The calendar that working time is counted in: that of the vendor's clock, else of the policy's first clock.
    pub calendar: String,
    /// Waits that are over.
    pub closed: WaitSum,
    /// Waits that last.
    pub open: WaitSum,
    /// Every wait, by start, so that each number can be traced.
    pub entries: Vec<WaitEntry>,
}

/// A request that needed a vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VendorRequest {
    /// External id.
    pub request: String,
    /// Who asked.
    pub customer: Option<String>,
    /// The vendors contacted, in the order of the first contact.
    pub vendors: Vec<String>,
    /// Contacts.
    pub contacts: u64,
    /// Answers.
    pub replies: u64,
    /// The vendors still awaited.
    pub awaited: Vec<String>,
    /// Whether the request is open.
    pub is_open: bool,
}

/// Which requests waited for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitReport {
    /// By party, vendors by name before the customer, then by customer.
    pub groups: Vec<WaitGroup>,
    /// Requests that needed a vendor, in the order of submission.
    pub vendor_requests: Vec<VendorRequest>,
    /// Requests looked at: those received in the period.
    pub requests: u64,
}

impl Db {
    /// With whom the requests received in the period (all if `None`) spent their time up to `now`.
    ///
    /// A vendor is awaited from the first contact until it answers or the request ends; the customer while the request
    /// is on hold for `waiting_customer`.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn waits(&self, period: Option<PeriodRange>, now: Instant) -> Result<WaitReport> {
        let mut query = AttainmentQuery::at(now);
        if let Some(period) = period {
            query = query.period(period);
        }
        self.store.read(|snapshot| {
            let newest = self.edition(snapshot, snapshot.head().policy)?.policy.clone();
            let mut groups: BTreeMap<(Party, Option<String>, String), Vec<WaitEntry>> = BTreeMap::new();
            let mut report = WaitReport::default();
            self.each_cohort_member(snapshot, &[&newest], &query, |member| {
                let Some(clock) = member.policy.clocks().first() else { return Ok(()) };
                let date = local_date(clock, member.received_at);
                if date.map(|date| period_of(&query, date)).transpose()?.flatten().is_none() {
                    return Ok(());
                }
                report.requests += 1;
                let (request, events) = (member.request(), member.events());
                let timeline = member.timeline(&member.policy, now);
                let found = waits(events, &timeline, now);
                let customer = timeline.facts.get("customer").map(str::to_owned);
                let (mut vendors, mut awaited): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
                for wait in &found {
                    if let Party::Vendor(vendor) = &wait.party {
                        if !vendors.contains(vendor) {
                            vendors.push(vendor.clone());
                        }
                        if wait.to.is_none() {
                            awaited.push(vendor.clone());
                        }
                    }
                    let Some(calendar) = calendar_for(&member.policy, &wait.party) else { continue };
                    let to = wait.to.unwrap_or(now).max(wait.from);
                    let key = (wait.party.clone(), customer.clone(), calendar.name().to_owned());
                    groups.entry(key).or_default().push(WaitEntry {
                        request: request.id.clone(),
                        from_at: wait.from,
                        to_at: wait.to,
                        contacts: wait.contacts,
                        elapsed: to.since(wait.from),
                        working: calendar.working_time(wait.from, to),
                    });
                }
                let known = || events.iter().filter(|event| event.at <= now);
                let count = |tag: EventTag| known().filter(|event| event.kind.tag() == tag).count() as u64;
                let contacted = |kind: &EventKind| matches!(kind, EventKind::VendorContacted { .. });
                if known().any(|event| contacted(&event.kind)) {
                    report.vendor_requests.push(VendorRequest {
                        request: request.id.clone(),
                        customer,
                        vendors,
                        contacts: count(EventTag::VendorContacted),
                        replies: count(EventTag::VendorReplied),
                        awaited,
                        is_open: timeline.state == RequestState::Open,
                    });
                }
                Ok(())
            })?;
            report.groups = groups.into_iter().map(group).collect();
            Ok(report)
        })
    }
}

fn group(
    ((party, customer, calendar), mut entries): ((Party, Option<String>, String), Vec<WaitEntry>),
) -> WaitGroup {
    entries.sort_by_key(|entry| entry.from_at);
    let sum = |open: bool| {
        let of = || entries.iter().filter(|entry| entry.to_at.is_none() == open);
        let mut requests: Vec<&str> = of().map(|entry| entry.request.as_str()).collect();
        requests.sort_unstable();
        requests.dedup();
        let total =
            |part: fn(&WaitEntry) -> Span| Span::from_secs(of().map(|entry| part(entry).as_secs()).sum());
        WaitSum {
            waits: of().count() as u64,
            requests: requests.len() as u64,
            elapsed: total(|entry| entry.elapsed),
            working: total(|entry| entry.working),
        }
    };
    WaitGroup { party, customer, calendar, closed: sum(false), open: sum(true), entries }
}

/// The calendar of the clock that times this vendor, of one that times any vendor, or of the first clock.
fn calendar_for<'a>(policy: &'a Policy, party: &Party) -> Option<&'a Calendar> {
    let times = |named: bool| {
        let Party::Vendor(vendor) = party else { return None };
        policy.clocks().iter().find(|clock| {
            clock.start.contains(&Trigger::Event(EventTag::VendorContacted))
                && clock.vendors.is_empty() != named
                && clock.is_about_vendor(vendor)
        })
    };
    let clock = times(true).or_else(|| times(false)).or_else(|| policy.clocks().first())?;
    clock.rules.first().map(|rule| &*rule.calendar)
}
