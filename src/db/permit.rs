//! Who may do what: expedites within their quota, refusals by two people, waivers of missed cycles.
//!
//! These are checked against everything known when the event is recorded, inside the transaction that records it.
//! What is recorded holds whatever comes later: state follows from the events alone.

use crate::attainment::Verdict;
use crate::clock::{Expedite, RequestState, Timeline};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, EventKind};
use crate::policy::{ExpediteRules, Policy};

use super::quota::Use;

/// A request as it is when an event is about to be recorded.
pub(super) struct Before<'a> {
    pub(super) id: &'a str,
    pub(super) policy: &'a Policy,
    /// As of the event's instant.
    pub(super) then: &'a Timeline,
}

impl Before<'_> {
    /// Checks a refusal or a waiver; any other kind may be recorded.
    ///
    /// # Errors
    /// `InvalidEvent` with what is the case and who may.
    pub(super) fn allows(&self, event: &Event) -> Result<()> {
        match &event.kind {
            EventKind::RefusalProposed => self.proposal(event),
            EventKind::RefusalApproved => self.approval(event),
            EventKind::RefusalWithdrawn => match self.open_refusal() {
                Some(_) => Ok(()),
                None => Err(self.wrong(event, "there is no open proposal to refuse it")),
            },
            EventKind::Waived { clock, cycle } => self.waiver(event, clock, *cycle),
            EventKind::WaiverWithdrawn { clock, cycle } => {
                let index = self.clock(event, clock)?;
                let mut waivers = self.then.waivers.iter();
                match waivers.any(|waiver| waiver.clock == index && waiver.cycle == *cycle) {
                    true => Ok(()),
                    false => {
                        Err(self.wrong(event, format!("cycle {cycle} of clock `{clock}` is not waived")))
                    }
                }
            }
            _ => Ok(()),
        }
    }

    fn proposal(&self, event: &Event) -> Result<()> {
        if self.then.state != RequestState::Open {
            return Err(self.wrong(event, format!("the request is {}", self.then.state.word())));
        }
        match self.open_refusal() {
            Some(by) => {
                Err(self.wrong(event, format!("`{by}` has proposed it already; a second person may approve")))
            }
            None => Ok(()),
        }
    }

    fn approval(&self, event: &Event) -> Result<()> {
        let Some(proposed_by) = self.open_refusal() else {
            return Err(self.wrong(event, "there is no open proposal to refuse it"));
        };
        let by = event.by.as_deref().unwrap_or_default();
        if by == proposed_by {
            let message = format!("`{by}` has proposed the refusal; a second person must approve it");
            return Err(self.wrong(event, message));
        }
        let rules = self.policy.refusals();
        if !rules.may_approve(by) {
            let message =
                format!("`{by}` may not approve refusals; those who may: {}", rules.approvers.join(", "));
            return Err(self.wrong(event, message));
        }
        Ok(())
    }

    fn waiver(&self, event: &Event, clock: &str, cycle: u32) -> Result<()> {
        let by = event.by.as_deref().unwrap_or_default();
        let Some(rules) = self.policy.waivers() else {
            let message = format!(
                "policy {} says nothing of waivers, so nobody may excuse a miss; [waivers] says who may",
                self.policy.title()
            );
            return Err(self.wrong(event, message));
        };
        if !rules.may_waive(by) {
            let message = format!("`{by}` may not excuse a miss; those who may: {}", rules.by.join(", "));
            return Err(self.wrong(event, message));
        }
        let index = self.clock(event, clock)?;
        let cycles = self.then.cycles_of(index);
        let found = cycles.iter().find(|found| found.number == cycle && found.has_started(event.at));
        let Some(found) = found else {
            let count = cycles.iter().filter(|cycle| cycle.has_started(event.at)).count();
            let message = format!("clock `{clock}` has no cycle {cycle} at {}; it has {count}", event.at);
            return Err(self.wrong(event, message));
        };
        if found.waived_at.is_some() {
            let waiver =
                self.then.waivers.iter().find(|waiver| waiver.clock == index && waiver.cycle == cycle);
            let by = waiver.and_then(|waiver| waiver.by.as_deref()).unwrap_or("somebody");
            return Err(
                self.wrong(event, format!("cycle {cycle} of clock `{clock}` was waived before, by `{by}`"))
            );
        }
        if Verdict::of_cycle(found, event.at) != Verdict::Missed {
            let stage = found.stage(event.at).word();
            let message = format!(
                "cycle {cycle} of clock `{clock}` is {stage} at {}; only a miss can be waived",
                event.at
            );
            return Err(self.wrong(event, message));
        }
        Ok(())
    }

    fn clock(&self, event: &Event, name: &str) -> Result<usize> {
        self.policy.clock(name).map_err(|error| self.wrong(event, error.message()))?;
        let index = self.policy.clocks().iter().position(|clock| clock.name == name);
        index.ok_or_else(|| self.wrong(event, format!("there is no clock `{name}`")))
    }

    /// Who proposed the refusal that waits for a second person.
    fn open_refusal(&self) -> Option<&str> {
        let refusal = self.then.refusal.as_ref().filter(|refusal| refusal.is_open())?;
        Some(refusal.proposed_by.as_deref().unwrap_or("somebody"))
    }

    fn wrong(&self, event: &Event, why: impl std::fmt::Display) -> Error {
        wrong(self.id, event, why)
    }
}

/// Checks an expedite given that `new` is what it adds to the request, if it adds anything.
///
/// # Errors
/// `InvalidEvent` with the reason; `QuotaExceeded` with the count and the date when one is free again.
pub(super) fn expedite(
    id: &str,
    policy: &Policy,
    event: &Event,
    new: Option<&Expedite>,
    state: RequestState,
    count: impl FnOnce(&ExpediteRules, &str) -> Result<Use>,
) -> Result<()> {
    let EventKind::Expedited { approved_by } = &event.kind else { return Ok(()) };
    let Some(rules) = policy.expedites() else {
        let message =
            format!("policy {} foresees no expedites; [expedites] says how many a month", policy.title());
        return Err(wrong(id, event, message));
    };
    let Some(new) = new else {
        let why = match state {
            RequestState::Open => "the request is expedited already".to_owned(),
            other => format!("the request is {}", other.word()),
        };
        return Err(wrong(id, event, why));
    };
    let Some(customer) = new.customer.as_deref() else {
        return Err(wrong(id, event, "the request names no customer, and the quota is each customer's"));
    };
    if let Some(approver) = approved_by {
        if rules.may_approve(approver) {
            return Ok(());
        }
        let message =
            format!("`{approver}` may not approve expedites; those who may: {}", rules.approvers.join(", "));
        return Err(wrong(id, event, message));
    }
    let count = count(rules, customer)?;
    if count.used < u64::from(rules.per_month) {
        return Ok(());
    }
    let approvers = match rules.approvers.as_slice() {
        [] => "a second person".to_owned(),
        names => names.join(", "),
    };
    let free = count.next_free.map_or("never".to_owned(), |date| format!("on {date}"));
    Err(Error::new(
        ErrorKind::QuotaExceeded,
        format!(
            "expedite of request `{id}`: customer `{customer}` has used {} of {} in {}; the next is free {free}, or \
             with the approval of {approvers}",
            count.used,
            rules.per_month,
            count.month.format("%B %Y"),
        ),
    ))
}

/// Checks that giving an expedite back takes one away.
pub(super) fn expedite_withdrawn(id: &str, event: &Event, taken: bool) -> Result<()> {
    if taken { Ok(()) } else { Err(wrong(id, event, "the request is not expedited then")) }
}

fn wrong(id: &str, event: &Event, why: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidEvent,
        format!("event `{}` at {} on request `{id}`: {why}", event.kind.tag().word(), event.at),
    )
}
