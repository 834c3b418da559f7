//! From written targets and receipt rules to the engine's, with the checks that need no calendar.

use super::doc::{At, BranchDoc, ClosedDayWord, OutsideWord, ReceiptDoc, TargetDoc, TargetWord};
use super::forms::Received;
use super::text::Fault;
use crate::target::{Branch, ClosedDay, DayTime, ReceiptRule, ReceiptWhen, Target};
use crate::time::TimeOfDay;

/// The target as the engine has it.
pub(super) fn target(written: &At<TargetDoc>) -> Result<Target, Fault> {
    let day_time = |at: &Option<At<super::forms::At>>| at.as_ref().map_or(DayTime::Close, |at| at.value.0);
    Ok(match &written.value {
        TargetDoc::Word(TargetWord::None) => Target::None,
        TargetDoc::Word(TargetWord::Promised) => Target::Promised,
        TargetDoc::Elapsed(doc) => Target::Elapsed(doc.elapsed.value.0),
        TargetDoc::Working(doc) => Target::Working(doc.working.value.0),
        TargetDoc::WorkingDays(doc) => {
            Target::WorkingDays { days: doc.working_days.value.0, at: day_time(&doc.at) }
        }
        TargetDoc::CalendarDays(doc) => {
            Target::CalendarDays { days: doc.calendar_days.value.0, at: day_time(&doc.at) }
        }
        TargetDoc::Branches(list) => cutoff(written.at, list, None)?,
        TargetDoc::Cutoff(doc) => cutoff(written.at, &doc.cutoff, doc.closed_day)?,
        TargetDoc::Earliest(doc) => Target::Earliest(several(written.at, "earliest", &doc.earliest)?),
        TargetDoc::Latest(doc) => Target::Latest(several(written.at, "latest", &doc.latest)?),
    })
}

/// Whether the target waits, anywhere in it, for a promised instant.
pub(super) fn waits_for_promise(target: &Target) -> bool {
    match target {
        Target::Promised => true,
        Target::Earliest(parts) | Target::Latest(parts) => parts.iter().any(waits_for_promise),
        _ => false,
    }
}

fn several(at: u32, word: &str, list: &[At<TargetDoc>]) -> Result<Vec<Target>, Fault> {
    if list.len() < 2 {
        return Err(Fault::new(at, format!("`{word}` names {} target: at least two are needed", list.len())));
    }
    let part = |doc: &At<TargetDoc>| match target(doc)? {
        Target::None => {
            Err(Fault::new(doc.at, format!("\"none\" cannot be one of several targets in `{word}`")))
        }
        target => Ok(target),
    };
    list.iter().map(part).collect()
}

fn cutoff(at: u32, list: &[At<BranchDoc>], closed_day: Option<ClosedDayWord>) -> Result<Target, Fault> {
    let Some(last) = list.last() else {
        return Err(Fault::new(
            at,
            "the cut-off has no branches; the last has only `due`, those before it `received_before` too",
        ));
    };
    if last.value.received_before.is_some() {
        let message = "the last branch must have no `received_before`: it is for all other receipts, \
         those on closed days among them";
        return Err(Fault::new(last.at, message));
    }
    let mut branches: Vec<Branch> = Vec::with_capacity(list.len());
    for (number, written) in list.iter().enumerate() {
        let branch = &written.value;
        let after = branches.last().and_then(|branch| branch.received_before).unwrap_or(TimeOfDay::START);
        if let Some(before) = &branch.received_before {
            if before.value.0 <= after {
                let message = if number == 0 {
                    "no receipt comes before 00:00, so the branch is never taken".into()
                } else {
                    format!(
                        "the branch before {} is never taken: a branch above it takes receipts before \
                         {after}",
                        before.value.0
                    )
                };
                return Err(Fault::new(before.at, message));
            }
        } else if number + 1 < list.len() {
            let message = "only the last branch may leave out `received_before`: the branches after this \
             one are never taken";
            return Err(Fault::new(written.at, message));
        }
        let due = branch.due.value.0;
        if due.working_days == 0 && matches!(due.at, DayTime::At(time) if time <= after) {
            let DayTime::At(time) = due.at else { continue };
            let message = format!(
                "the branch takes receipts from {after} on but is due the same day at {time}, before any \
                 of them: it is never taken"
            );
            return Err(Fault::new(branch.due.at, message));
        }
        let received_before = branch.received_before.as_ref().map(|time| time.value.0);
        branches.push(Branch { received_before, working_days: due.working_days, at: due.at });
    }
    let closed_day = match closed_day {
        None | Some(ClosedDayWord::Otherwise) => ClosedDay::Otherwise,
        Some(ClosedDayWord::NextOpenDay) => ClosedDay::NextOpenDay,
        Some(ClosedDayWord::NextOpenDaySameTime) => ClosedDay::NextOpenDaySameTime,
    };
    Ok(Target::Cutoff { branches, closed_day })
}

/// The receipt rules as the engine has them.
pub(super) fn receipt(written: &[At<ReceiptDoc>]) -> Vec<ReceiptRule> {
    let rule = |doc: &At<ReceiptDoc>| {
        let (when, counts_as) = match &doc.value {
            ReceiptDoc::On(doc) => match doc.on {
                Received::ClosedDay => (ReceiptWhen::ClosedDay, &doc.counts_as),
            },
            ReceiptDoc::From(doc) => (ReceiptWhen::From(doc.from.value.0), &doc.counts_as),
            ReceiptDoc::Before(doc) => (ReceiptWhen::Before(doc.before.value.0), &doc.counts_as),
            ReceiptDoc::Outside(doc) => match doc.outside {
                OutsideWord::Hours => (ReceiptWhen::OutsideHours, &doc.counts_as),
            },
        };
        ReceiptRule { when, counts_as: counts_as.value.0 }
    };
    written.iter().map(rule).collect()
}
