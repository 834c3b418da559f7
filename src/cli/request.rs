//! Commands on one request: `submit`, `event`, `show`.

use crate::db::{ClockStatus, Db, Options, Outcome, Recorded, RequestStatus};
use crate::model::{Event, EventKind, EventTag, Facts, Request};
use crate::time::Instant;

use super::Verdict;
use super::args;
use super::failure::Failure;
use super::out::{self, Out};
use super::policy::with_facts;
use super::when::Zones;

pub(crate) fn submit(args: &args::Submit, out: &mut Out) -> Result<Verdict, Failure> {
    if let Some((name, _)) = args.attributes.iter().find(|(name, _)| Facts::RESERVED.contains(&name.as_str()))
    {
        return Err(Failure::text(format!("--attr {name}=…: write --{name} instead")));
    }
    let db = Db::open(&args.db, Options::default())?;
    let zones = Zones::of(&db.policy()?);
    let received = zones.now("--received", args.received.as_deref())?;
    let mut request = with_facts(Request::new(&args.id, received), &args.attributes);
    request.customer.clone_from(&args.customer);
    request.priority.clone_from(&args.priority);
    request.category.clone_from(&args.category);
    request.channel.clone_from(&args.channel);
    request.subject.clone_from(&args.subject);
    let recorded = db.submit(&request)?;
    db.close()?;
    tell(&recorded, &zones, out)
}

pub(crate) fn event(args: &args::Event, out: &mut Out) -> Result<Verdict, Failure> {
    let tag = EventTag::from_word(&args.kind).filter(|tag| *tag != EventTag::Received).ok_or_else(|| {
        let own = |tag: &&EventTag| !matches!(**tag, EventTag::Received | EventTag::Migrated);
        let words = EventTag::ALL.iter().filter(own).map(|tag| tag.word());
        let words: Vec<&str> = words.collect();
        Failure::text(format!("event `{}`: must be one of {}", args.kind, words.join(", ")))
    })?;
    refuse_strangers(args, tag)?;
    let db = Db::open(&args.db, Options::default())?;
    let zones = Zones::of(&db.policy()?);
    let at = zones.now("--at", args.at.as_deref())?;
    let event = Event {
        kind: kind(args, tag, &zones)?,
        at,
        by: args.by.clone(),
        key: args.key.clone(),
        text: args.text.clone(),
    };
    let recorded = db.record(&args.id, event)?;
    db.close()?;
    tell(&recorded, &zones, out)
}

/// An option that the event cannot carry is a mistake, not a remark.
fn refuse_strangers(args: &args::Event, tag: EventTag) -> Result<(), Failure> {
    let given = [
        ("--reason", args.reason.is_some(), &[EventTag::Paused][..]),
        ("--to", args.to.is_some(), &[EventTag::Assigned][..]),
        ("--vendor", args.vendor.is_some(), &[EventTag::VendorContacted, EventTag::VendorReplied][..]),
        ("--due", args.due.is_some(), &[EventTag::Promised][..]),
        ("--set", !args.set.is_empty(), &[EventTag::Changed][..]),
        ("--approved-by", args.approved_by.is_some(), &[EventTag::Expedited][..]),
        ("--clock", args.clock.is_some(), &[EventTag::Waived, EventTag::WaiverWithdrawn][..]),
        ("--faq", args.faq.is_some(), &[EventTag::FaqLinked, EventTag::FaqUnlinked][..]),
        ("--cycle", args.cycle.is_some(), &[EventTag::Waived, EventTag::WaiverWithdrawn][..]),
    ];
    for (option, is_given, tags) in given {
        if is_given && !tags.contains(&tag) {
            let words: Vec<&str> = tags.iter().map(|tag| tag.word()).collect();
            return Err(Failure::text(format!(
                "{option}: is for {}, not for {}",
                words.join(" and "),
                tag.word()
            )));
        }
    }
    Ok(())
}

fn kind(args: &args::Event, tag: EventTag, zones: &Zones) -> Result<EventKind, Failure> {
    let need = |value: &Option<String>, option: &str| {
        value.clone().ok_or_else(|| Failure::text(format!("event `{}`: needs {option}", tag.word())))
    };
    Ok(match tag {
        EventTag::Migrated => {
            return Err(Failure::text(
                "event `migrated`: is recorded by `slaclock migrate` and `slaclock retz`",
            ));
        }
        EventTag::Received | EventTag::Note => EventKind::Note,
        EventTag::Acknowledged => EventKind::Acknowledged,
        EventTag::Replied => EventKind::Replied,
        EventTag::CustomerReplied => EventKind::CustomerReplied,
        EventTag::Updated => EventKind::Updated,
        EventTag::Assigned => EventKind::Assigned { to: need(&args.to, "--to")? },
        EventTag::Paused => {
            EventKind::Paused { reason: need(&args.reason, "--reason, like --reason waiting_customer")? }
        }
        EventTag::Resumed => EventKind::Resumed,
        EventTag::VendorContacted => EventKind::VendorContacted { vendor: need(&args.vendor, "--vendor")? },
        EventTag::VendorReplied => EventKind::VendorReplied { vendor: need(&args.vendor, "--vendor")? },
        EventTag::Promised => EventKind::Promised { due: zones.read("--due", &need(&args.due, "--due")?)? },
        EventTag::Resolved => EventKind::Resolved,
        EventTag::Reopened => EventKind::Reopened,
        EventTag::Cancelled => EventKind::Cancelled,
        EventTag::Changed if args.set.is_empty() => {
            return Err(Failure::text("event `changed`: needs --set, like --set priority=high"));
        }
        EventTag::Changed => EventKind::Changed { facts: args.set.iter().cloned().collect() },
        EventTag::Expedited => EventKind::Expedited { approved_by: args.approved_by.clone() },
        EventTag::ExpediteWithdrawn => EventKind::ExpediteWithdrawn,
        EventTag::RefusalProposed => EventKind::RefusalProposed,
        EventTag::RefusalApproved => EventKind::RefusalApproved,
        EventTag::RefusalWithdrawn => EventKind::RefusalWithdrawn,
        EventTag::Waived => EventKind::Waived { clock: need(&args.clock, "--clock")?, cycle: cycle(args) },
        EventTag::WaiverWithdrawn => {
            EventKind::WaiverWithdrawn { clock: need(&args.clock, "--clock")?, cycle: cycle(args) }
        }
        EventTag::FaqLinked => EventKind::FaqLinked { faq: need(&args.faq, "--faq")? },
        EventTag::FaqUnlinked => EventKind::FaqUnlinked { faq: need(&args.faq, "--faq")? },
    })
}

/// The cycle of a clock that an event is about: most clocks have one only.
fn cycle(args: &args::Event) -> u32 {
    args.cycle.unwrap_or(1)
}

pub(super) fn tell(recorded: &Recorded, zones: &Zones, out: &mut Out) -> Result<Verdict, Failure> {
    if out.is_json() {
        out.object(recorded, zones)?;
        return Ok(Verdict::Fine);
    }
    out.line(match recorded.outcome {
        Outcome::Recorded => "recorded",
        Outcome::AlreadyRecorded => "recorded before; nothing changed",
    })?;
    clocks(&recorded.clocks, zones, out)?;
    Ok(Verdict::Fine)
}

fn clocks(clocks: &[ClockStatus], zones: &Zones, out: &mut Out) -> Result<(), Failure> {
    let mut table = out::table(&["clock", "cycle", "stage", "", "limit"]);
    for clock in clocks {
        let show = |at: Instant| zones.show(Some(&clock.clock), at);
        let about = match (clock.finished_at, clock.due_at, clock.remaining, &clock.no_deadline) {
            (_, _, _, Some(reason)) => format!("no deadline: {reason}"),
            (Some(finished), Some(due), ..) => format!("finished {}, due {}", show(finished), show(due)),
            (Some(finished), ..) => format!("finished {}", show(finished)),
            (None, Some(due), ..) => format!("due {}", show(due)),
            (None, None, Some(remaining), _) => format!("{remaining} left"),
            (None, None, None, None) => String::new(),
        };
        table.add_row(vec![
            clock.clock.clone().into(),
            out::number(clock.cycle),
            out::stage(clock.stage),
            about.into(),
            clock.limit_at.map_or_else(String::new, show).into(),
        ]);
    }
    out.table(&table)
}

pub(crate) fn show(args: &args::Show, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let status = db.get_at(&args.id, zones.now("--now", args.now.as_deref())?)?;
    if out.is_json() {
        out.object(&status, &zones)?;
        return Ok(Verdict::Fine);
    }
    head(&status, &zones, out)?;
    out.heading("Clocks")?;
    clocks(&status.clocks, &zones, out)?;
    out.heading("Events")?;
    let mut table = out::table(&["at", "event", "by", ""]);
    for event in &status.events {
        table.add_row([
            zones.main(event.at),
            event.kind.tag().word().to_owned(),
            event.by.clone().unwrap_or_default(),
            particulars(event, &zones),
        ]);
    }
    out.table(&table)?;
    Ok(Verdict::Fine)
}

fn head(status: &RequestStatus, zones: &Zones, out: &mut Out) -> Result<(), Failure> {
    let mut table = out::table(&[]);
    table.add_row(["request", &status.request.id]);
    table.add_row(["received", &zones.main(status.request.received_at)]);
    table.add_row(["policy", &status.policy]);
    if let Some(subject) = &status.request.subject {
        table.add_row(["subject", subject]);
    }
    for (name, value) in status.facts.iter() {
        table.add_row([name, value]);
    }
    out.table(&table)
}

fn particulars(event: &Event, zones: &Zones) -> String {
    let own = match &event.kind {
        EventKind::Assigned { to } => to.clone(),
        EventKind::Migrated { from, to } => format!("from edition {from} to {to} of the policy"),
        EventKind::Paused { reason } => reason.clone(),
        EventKind::VendorContacted { vendor } | EventKind::VendorReplied { vendor } => vendor.clone(),
        EventKind::Promised { due } => zones.main(*due),
        EventKind::FaqLinked { faq } | EventKind::FaqUnlinked { faq } => faq.clone(),
        EventKind::Changed { facts } => {
            facts.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
        }
        EventKind::Expedited { approved_by: Some(approver) } => format!("approved by {approver}"),
        EventKind::Waived { clock, cycle } | EventKind::WaiverWithdrawn { clock, cycle } => {
            format!("{clock} #{cycle}")
        }
        _ => String::new(),
    };
    match &event.text {
        Some(text) if own.is_empty() => text.clone(),
        Some(text) => format!("{own}: {text}"),
        None => own,
    }
}
