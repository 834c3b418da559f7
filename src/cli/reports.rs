//! Reports beside attainment: `expedites`, `waits`, `refusals` and `reminders`, the requests behind the figures, and `acknowledge`.

use std::collections::BTreeMap;

use crate::attainment::{PeriodRange, Verdict};
use crate::clock::Party;
use crate::db::{
    Acknowledgement, Db, Duty, ExpediteUse, Judged, Options, Outcome, Reminder, WaitGroup, WaitReport,
    WaitSum,
};
use crate::time::Span;
use comfy_table::{Cell, Table};
use serde_json::json;

use super::Verdict as Exit;
use super::args;
use super::failure::Failure;
use super::out::{self, Out, grouped, number};
use super::when::Zones;

pub(crate) fn expedites(args: &args::Expedites, out: &mut Out) -> Result<Exit, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let now = zones.now("--now", args.now.as_deref())?;
    let period = args.period.as_deref().map(PeriodRange::parse).transpose()?;
    let mut uses = db.expedites(period)?;
    if let Some(customer) = &args.customer {
        uses.retain(|used| used.customer.as_ref() == Some(customer));
    }
    let quota = args.customer.as_ref().map(|customer| db.expedite_quota(customer, now)).transpose()?;
    if out.is_json() {
        out.object(&json!({ "now_at": now.as_secs(), "quota": quota, "expedites": uses }), &zones)?;
        return Ok(Exit::Fine);
    }
    if let Some(quota) = &quota {
        let free = match quota.next_free_at {
            Some(at) if at == now => "one is free now".to_owned(),
            Some(at) => format!("the next is free {}", zones.main(at)),
            None => "each needs an approval".to_owned(),
        };
        out.line(format!(
            "{}: {} of {} used in {}; {free}",
            quota.customer, quota.used, quota.per_month, quota.month
        ))?;
    }
    if uses.is_empty() {
        out.line("no expedites")?;
        return Ok(Exit::Fine);
    }
    let mut table =
        out::table(&["customer", "month", "used", "of", "approved", "at", "request", "by", "approved by"]);
    for used in &uses {
        used_rows(used, &zones, &mut table);
    }
    out.table(&table)?;
    Ok(Exit::Fine)
}

fn used_rows(used: &ExpediteUse, zones: &Zones, table: &mut comfy_table::Table) {
    for (at, entry) in used.expedites.iter().enumerate() {
        let first = |text: String| if at == 0 { text } else { String::new() };
        table.add_row(vec![
            first(used.customer.clone().unwrap_or_else(|| "–".to_owned())).into(),
            first(used.month.to_string()).into(),
            number(first(grouped(used.used))),
            number(first(used.per_month.map_or_else(|| "–".to_owned(), |count| count.to_string()))),
            number(first(grouped(used.approved))),
            zones.main(entry.at).into(),
            entry.request.clone().into(),
            entry.by.clone().unwrap_or_default().into(),
            entry.approved_by.clone().unwrap_or_default().into(),
        ]);
    }
}

pub(crate) fn waits(args: &args::Waits, out: &mut Out) -> Result<Exit, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let now = zones.now("--now", args.now.as_deref())?;
    let period = args.period.as_deref().map(PeriodRange::parse).transpose()?;
    let mut report = db.waits(period, now)?;
    let names = |name: &str| args.vendor.as_deref().is_none_or(|asked| asked == name);
    report.groups.retain(|group| match &group.party {
        Party::Vendor(name) => names(name),
        Party::Customer => args.vendor.is_none(),
    });
    report.vendor_requests.retain(|request| request.vendors.iter().any(|name| names(name)));
    if let Some(customer) = &args.customer {
        report.groups.retain(|group| group.customer.as_ref() == Some(customer));
        report.vendor_requests.retain(|request| request.customer.as_ref() == Some(customer));
    }
    if out.is_json() {
        let answer = json!({ "now_at": now.as_secs(), "report": report });
        out.object(&answer, &zones)?;
        return Ok(Exit::Fine);
    }
    waited(&report, args.by_customer, args.requests, &zones, out)?;
    Ok(Exit::Fine)
}

fn waited(
    report: &WaitReport,
    by_customer: bool,
    each: bool,
    zones: &Zones,
    out: &mut Out,
) -> Result<(), Failure> {
    let (all, needed) = (grouped(report.requests), grouped(report.vendor_requests.len() as i128));
    out.line(format!("{needed} of {all} requests needed a vendor"))?;
    if report.groups.is_empty() {
        return out.line("nothing waited for anybody");
    }
    out.heading("Time spent waiting, by whom it was spent on")?;
    if by_customer {
        let mut table = waits_table("customer");
        for group in &report.groups {
            let customer = named(group.customer.as_ref()).into();
            table.add_row(wait_cells(&group.party, customer, &group.closed, &group.open, &group.calendar));
        }
        out.table(&table)?;
    } else {
        let mut table = waits_table("customers");
        for ((party, calendar), (customers, closed, open)) in parties(&report.groups) {
            table.add_row(wait_cells(party, number(grouped(customers)), &closed, &open, calendar));
        }
        out.table(&table)?;
    }
    let open: Vec<_> = report.vendor_requests.iter().filter(|request| !request.awaited.is_empty()).collect();
    if !open.is_empty() {
        out.heading("Waiting for a vendor now")?;
        let mut table = out::table(&["request", "customer", "awaited", "contacts", "replies"]);
        for request in open {
            let awaited: Vec<String> = request.awaited.iter().map(|name| vendor(name)).collect();
            table.add_row(vec![
                request.request.clone().into(),
                named(request.customer.as_ref()).into(),
                awaited.join(", ").into(),
                number(grouped(request.contacts)),
                number(grouped(request.replies)),
            ]);
        }
        out.table(&table)?;
    }
    if each { entries(&report.groups, zones, out) } else { Ok(()) }
}

/// By party and calendar: how many customers, and what they waited for it, together.
fn parties(groups: &[WaitGroup]) -> BTreeMap<(&Party, &str), (u64, WaitSum, WaitSum)> {
    let mut parties: BTreeMap<(&Party, &str), (u64, WaitSum, WaitSum)> = BTreeMap::new();
    for group in groups {
        let (customers, closed, open) = parties.entry((&group.party, &group.calendar)).or_default();
        *customers += 1;
        // A request has one customer, so that none is counted twice.
        for (sum, part) in [(closed, &group.closed), (open, &group.open)] {
            sum.waits += part.waits;
            sum.requests += part.requests;
            sum.elapsed = Span::from_secs(sum.elapsed.as_secs() + part.elapsed.as_secs());
            sum.working = Span::from_secs(sum.working.as_secs() + part.working.as_secs());
        }
    }
    parties
}

fn waits_table(whose: &str) -> Table {
    out::table(&[
        "for", whose, "waits", "requests", "together", "working", "still", "together", "working", "calendar",
    ])
}

fn wait_cells(who: &Party, whose: Cell, closed: &WaitSum, open: &WaitSum, calendar: &str) -> Vec<Cell> {
    let mut cells = vec![party(who).into(), whose];
    cells.extend([number(grouped(closed.waits)), number(grouped(closed.requests))]);
    cells.extend(spans(closed));
    cells.push(number(grouped(open.waits)));
    cells.extend(spans(open));
    cells.push(calendar.into());
    cells
}

/// Every wait, so that each number can be traced.
fn entries(groups: &[WaitGroup], zones: &Zones, out: &mut Out) -> Result<(), Failure> {
    out.heading("Every wait")?;
    let mut table = out::table(&["for", "customer", "request", "from", "to", "together", "working"]);
    for group in groups {
        for entry in &group.entries {
            table.add_row(vec![
                party(&group.party).into(),
                named(group.customer.as_ref()).into(),
                entry.request.clone().into(),
                zones.main(entry.from_at).into(),
                entry.to_at.map_or_else(|| "still waiting".to_owned(), |at| zones.main(at)).into(),
                number(out::long_span(entry.elapsed)),
                number(out::long_span(entry.working)),
            ]);
        }
    }
    out.table(&table)
}

fn spans(sum: &WaitSum) -> [Cell; 2] {
    [sum.elapsed, sum.working]
        .map(|span| number(if sum.waits == 0 { String::new() } else { out::long_span(span) }))
}

fn party(party: &Party) -> String {
    match party {
        Party::Vendor(name) => vendor(name),
        Party::Customer => "the customer".to_owned(),
    }
}

fn vendor(name: &str) -> String {
    if name.is_empty() { "a vendor not named".to_owned() } else { name.to_owned() }
}

fn named(customer: Option<&String>) -> String {
    customer.map_or_else(|| "–".to_owned(), Clone::clone)
}

pub(crate) fn refusals(args: &args::Refusals, out: &mut Out) -> Result<Exit, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let now = zones.now("--now", args.now.as_deref())?;
    let refusals = db.refusals(now)?;
    if out.is_json() {
        out.object(&json!({ "now_at": now.as_secs(), "refusals": refusals }), &zones)?;
    } else if refusals.is_empty() {
        out.line("no refusal waits for a second person")?;
    } else {
        let mut table = out::table(&["request", "customer", "proposed", "by", "why", "may be approved by"]);
        for refusal in &refusals {
            let approvers = match refusal.approvers.as_slice() {
                [] => "anybody else".to_owned(),
                approvers => approvers.join(", "),
            };
            table.add_row([
                refusal.request.clone(),
                named(refusal.customer.as_ref()),
                zones.main(refusal.proposed_at),
                named(refusal.proposed_by.as_ref()),
                refusal.reason.clone().unwrap_or_default(),
                approvers,
            ]);
        }
        out.table(&table)?;
    }
    Ok(if refusals.is_empty() { Exit::Fine } else { Exit::Late })
}

pub(crate) fn reminders(args: &args::Reminders, out: &mut Out) -> Result<Exit, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let now = zones.now("--now", args.now.as_deref())?;
    let (reminders, done) = (db.reminders(now)?, db.acknowledgements()?);
    let overdue = reminders.iter().any(|reminder| reminder.overdue);
    if out.is_json() {
        let answer = json!({ "now_at": now.as_secs(), "reminders": reminders, "acknowledgements": done });
        out.object(&answer, &zones)?;
    } else {
        if reminders.is_empty() {
            out.line("nothing is to be read or reviewed")?
        } else {
            remind(&reminders, &zones, out)?
        }
        if !done.is_empty() {
            out.heading("Acknowledged")?;
            let mut table = out::table(&["policy", "by", "", "at"]);
            for done in &done {
                let duty = if done.duty == Duty::Review { "reviewed" } else { "read" };
                table.add_row([
                    format!("v{}", done.version),
                    done.by.clone(),
                    duty.into(),
                    zones.main(done.at),
                ]);
            }
            out.table(&table)?;
        }
    }
    Ok(if overdue { Exit::Late } else { Exit::Fine })
}

pub(crate) fn acknowledge(args: &args::Acknowledge, out: &mut Out) -> Result<Exit, Failure> {
    let db = Db::open(&args.db, Options::default())?;
    let policy = db.policy()?;
    let zones = Zones::of(&policy);
    let done = Acknowledgement {
        version: args.version.unwrap_or(policy.version()),
        duty: if args.review { Duty::Review } else { Duty::Reading },
        by: args.by.clone(),
        at: zones.now("--at", args.at.as_deref())?,
    };
    let outcome = db.acknowledge_policy(&done)?;
    db.close()?;
    if out.is_json() {
        out.object(&json!({ "outcome": outcome, "acknowledgement": done }), &zones)?;
    } else {
        out.line(match outcome {
            Outcome::Recorded => "recorded",
            Outcome::AlreadyRecorded => "recorded before; nothing changed",
        })?;
    }
    Ok(Exit::Fine)
}

/// Lists duties that nobody has done yet.
pub(crate) fn remind(reminders: &[Reminder], zones: &Zones, out: &mut Out) -> Result<(), Failure> {
    let mut table = out::table(&["policy", "who", "what", "until", "overdue"]);
    for reminder in reminders {
        let (who, what) = match (&reminder.reader, reminder.duty) {
            (Some(reader), _) => (reader.clone(), "must read it"),
            (None, Duty::Reading) => (String::new(), "must read it"),
            (None, Duty::Review) => ("somebody".to_owned(), "must review it"),
        };
        table.add_row([
            format!("{} v{}", reminder.policy, reminder.version),
            who,
            what.to_owned(),
            zones.main(reminder.due_at),
            (if reminder.overdue { "yes" } else { "no" }).to_owned(),
        ]);
    }
    out.table(&table)
}

/// Lists the requests behind the figures of a report.
pub(crate) fn judged(rows: &[Judged], zones: &Zones, out: &mut Out) -> Result<(), Failure> {
    out.heading("The requests behind the figures")?;
    let mut table = out::table(&["received", "clock", "request", "counts as", "waived", "by", "reason"]);
    for row in rows {
        let words = match row.verdict {
            Verdict::Met => "met",
            Verdict::Missed => "missed",
            Verdict::Undecided => "undecided",
            Verdict::Excluded(_) => "excluded",
        };
        let join = |part: &dyn Fn(&crate::db::WaivedCycle) -> String| {
            row.waivers.iter().map(part).collect::<Vec<_>>().join("; ")
        };
        table.add_row([
            row.period.to_string(),
            row.clock.clone(),
            row.request.clone(),
            words.to_owned(),
            join(&|waiver| zones.show(Some(&row.clock), waiver.at)),
            join(&|waiver| waiver.by.clone().unwrap_or_default()),
            join(&|waiver| waiver.reason.clone().unwrap_or_default()),
        ]);
    }
    out.table(&table)
}
