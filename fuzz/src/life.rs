//! Lives: any calls in any order. After each of them what the database keeps is what its events come to, and in the end a
//! database that was told the same in another order keeps the same.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use arbitrary::{Result, Unstructured};
use slaclock::clock::{Scope, Window};
use slaclock::db::{Acknowledgement, Duty, Mode, Order};
use slaclock::{
    AttainmentQuery, Db, ErrorKind, Event, EventFields, EventKind, EventTag, FaqDraft, Instant, OnError,
    Operation, Options, Page, Policy, Query, Request,
};

use super::{MONDAY_S, instant};

const POLICY: &str = r#"
[policy]
name = "everything"
version = VERSION
statement = "Handled in time."
review_at = 2026-04-01
readers = ["ann", "bob"]
read_by = 2026-03-20

[calendar.office]
zone = "America/New_York"
hours = { mon-fri = ["09:00-12:30", "13:30-17:30"], sat = "10:00-13:00" }

[calendar.always]
zone = "Europe/Moscow"
hours = "24x7"

[expedites]
per_month = 2
approvers = ["bob"]

[refusals]
approvers = ["ann", "bob"]

[waivers]
by = ["ann", "bob"]

[interruptions]
power = "stop"
internet_telecom = "extend"
personnel = "record"
own = "stop"

[[clock]]
name = "resolution"
calendar = "office"
start = "received"
stop = "resolved"
pause = ["waiting_customer"]
warn_at = ["50 %", "75 %"]
backstop = { working_days = 3 }
attainment = { share = "95 %", per = "month" }
rules = [
    { when = { expedite = "yes" }, target = { working = "1h" } },
    { when = { priority = "high" }, target = { working = "2h" } },
    { when = { priority = "low" }, target = "none" },
]
target = [{ received_before = "14:00", due = "same day, close" }, { due = "next day, 11:00" }]

[[clock]]
name = "update"
calendar = "always"
start = "resolution.late"
restart = "updated"
stop = "resolved"
target = { elapsed = "20h" }

[[clock]]
name = "next_response"
calendar = "always"
start = "customer_replied"
stop = "replied"
pause = ["waiting_vendor"]
target = { elapsed = "4h" }
warn_at = "50 %"
reopen = "none"

[[clock]]
name = "promise"
calendar = "office"
start = "promised"
stop = ["replied", "resolved"]
target = "promised"

[[clock]]
name = "vendor"
calendar = "office"
start = "vendor_contacted"
stop = ["vendor_replied", "resolved"]
target = { working = "4h" }
LATER
"#;

const LATER: &str = r#"
[[clock]]
name = "unattended"
calendar = "office"
start = "received"
restart = "activity"
stop = "resolved"
target = { working_days = 1, at = "same time" }
"#;

/// Three versions; the last has one clock more.
fn policy(version: usize) -> &'static Policy {
    static POLICIES: OnceLock<Vec<Policy>> = OnceLock::new();
    let compile = |version: usize| {
        let text = POLICY.replace("VERSION", &version.to_string());
        let text = text.replace("LATER", if version == 3 { LATER } else { "" });
        Policy::from_toml(&text.replace("20h", &format!("{}h", 20 + version))).expect("the policy is right")
    };
    &POLICIES.get_or_init(|| (1..=3).map(compile).collect())[version - 1]
}

fn word<'a>(input: &mut Unstructured<'_>, words: &[&'a str]) -> Result<&'a str> {
    input.choose(words).copied()
}

fn id(input: &mut Unstructured<'_>) -> Result<String> {
    Ok(format!("CASE-{}", input.int_in_range(0..=3_u8)?))
}

fn request(input: &mut Unstructured<'_>) -> Result<Request> {
    let request =
        Request::new(id(input)?, instant(input)?).priority(word(input, &["high", "medium", "low"])?);
    Ok(request.customer(word(input, &["acme", "borealis"])?).category(word(input, &["printer", ""])?))
}

fn event(input: &mut Unstructured<'_>) -> Result<Event> {
    let tag = *input.choose(EventTag::ALL)?;
    let at = instant(input)?;
    let mut fields = EventFields::default();
    match tag {
        EventTag::Assigned => fields.to = Some("ann".into()),
        EventTag::Paused => {
            fields.reason = Some(word(input, &["waiting_customer", "waiting_vendor", "lunch"])?.into());
        }
        EventTag::VendorContacted | EventTag::VendorReplied => fields.vendor = Some("acme pumps".into()),
        EventTag::Promised => fields.due = Some(instant(input)?),
        EventTag::Changed => {
            let name = word(input, &["priority", "customer", "category", "colour"])?;
            let value = word(input, &["high", "low", "acme", "printer", ""])?;
            fields.facts = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        }
        EventTag::FaqLinked | EventTag::FaqUnlinked => {
            fields.faq = Some(word(input, &["vpn", "lamp"])?.into())
        }
        EventTag::Expedited if input.ratio(1_u8, 2)? => fields.approved_by = Some("bob".into()),
        EventTag::Waived | EventTag::WaiverWithdrawn => {
            fields.clock = Some(word(input, &["resolution", "update", "promise", "nothing"])?.into());
            fields.cycle = Some(input.int_in_range(0..=3)?);
        }
        _ => {}
    }
    let kind = EventKind::from_fields(tag, fields).map_err(|_| arbitrary::Error::IncorrectFormat)?;
    let event = Event::new(kind, at).by(word(input, &["ann", "bob", "eve"])?);
    let event = if input.ratio(1_u8, 2)? { event.text("a reason") } else { event };
    Ok(match input.int_in_range(0..=8_u8)? {
        0..=4 => event,
        key => event.key(format!("key-{key}")),
    })
}

fn operation(input: &mut Unstructured<'_>) -> Result<Operation> {
    if input.ratio(1_u8, 4)? {
        return request(input).map(Operation::Submit);
    }
    Ok(Operation::Record { id: id(input)?, event: event(input)? })
}

fn window(input: &mut Unstructured<'_>) -> Result<Window> {
    let scope = match input.int_in_range(0..=4_u8)? {
        0 => Scope::Customer("acme".into()),
        1 => Scope::Category("printer".into()),
        2 => Scope::Calendar(word(input, &["office", "always", "nowhere"])?.into()),
        _ => Scope::All,
    };
    let category =
        word(input, &["power", "internet_telecom", "personnel", "own:move", "disaster", "weather"])?;
    let to = if input.ratio(2_u8, 3)? { Some(instant(input)?) } else { None };
    Ok(Window { category: category.into(), scope, from: instant(input)?, to })
}

/// Errors that a caller's own words bring about.
fn mine<T>(answer: slaclock::Result<T>) -> Option<T> {
    use ErrorKind::{Conflict, InvalidArgument, InvalidEvent, NotFound, OutOfRange, QuotaExceeded};
    match answer {
        Ok(answer) => Some(answer),
        Err(error) => {
            let kinds = [Conflict, InvalidArgument, InvalidEvent, NotFound, OutOfRange, QuotaExceeded];
            assert!(kinds.contains(&error.kind()), "{:?}: {error}", error.kind());
            None
        }
    }
}

fn call(db: &Db, input: &mut Unstructured<'_>) -> Result<()> {
    match input.int_in_range(0..=25_u8)? {
        0..=3 => drop(mine(db.submit(&request(input)?))),
        4..=11 => drop(mine(db.record(&id(input)?, event(input)?))),
        12 | 13 => {
            let count = input.int_in_range(1..=6_usize)?;
            let rows = (0..count).map(|_| operation(input)).collect::<Result<Vec<_>>>()?;
            let on_error = *input.choose(&[OnError::Skip, OnError::Abort])?;
            for row in mine(db.apply(&rows, on_error)).into_iter().flatten() {
                mine(row);
            }
        }
        14 | 15 => drop(mine(db.advance(instant(input)?))),
        16 | 17 => {
            let order = match input.int_in_range(0..=5_u8)? {
                0 => Order::Amend { number: input.int_in_range(0..=3)?, window: window(input)? },
                1 => Order::End { number: input.int_in_range(0..=3)?, to: instant(input)? },
                2 => Order::Withdraw { number: input.int_in_range(0..=3)? },
                _ => Order::Declare(window(input)?),
            };
            let (at, dry) = (instant(input)?, input.ratio(1_u8, 5)?);
            mine(db.interrupt(&order, at, "ann", None, dry));
        }
        18 => drop(mine(db.install(policy(input.int_in_range(1..=3)?), instant(input)?))),
        19 => {
            let version = input.int_in_range(0..=3)?;
            let scope = if input.ratio(1_u8, 3)? { Scope::Customer("acme".into()) } else { Scope::All };
            mine(db.migrate(
                (version > 0).then_some(version),
                &scope,
                instant(input)?,
                "ann",
                input.arbitrary()?,
            ));
        }
        20 => {
            let duty = *input.choose(&[Duty::Review, Duty::Reading])?;
            let (version, by) = (input.int_in_range(0..=3)?, word(input, &["ann", "bob", "eve"])?);
            mine(db.acknowledge_policy(&Acknowledgement {
                version,
                duty,
                by: by.into(),
                at: instant(input)?,
            }));
        }
        21 => {
            let feed = db.feed("mail").expect("a good name");
            let number = input.int_in_range(0..=20)?;
            mine(feed.acknowledge(number));
        }
        22 => drop(mine(db.compact())),
        23 | 24 => faq(db, input)?,
        _ => ask(db, instant(input)?),
    }
    Ok(())
}

fn faq(db: &Db, input: &mut Unstructured<'_>) -> Result<()> {
    let id = word(input, &["vpn", "lamp"])?.to_owned();
    let (at, by) = (instant(input)?, word(input, &["ann", "bob"])?);
    match input.int_in_range(0..=3_u8)? {
        0 | 1 => {
            let question = Some(word(input, &["Why?", "Why is it dark?"])?.to_owned());
            let from = if input.ratio(1_u8, 3)? { Some(self::id(input)?) } else { None };
            let answer = from.is_none().then(|| "Restart it.".to_owned());
            mine(db.publish(&FaqDraft { id, question, answer, request: from }, at, by));
        }
        2 => drop(mine(db.amend_faq(&id, None, Some(word(input, &["Wait.", "Call us."])?), at, by))),
        _ => drop(mine(db.withdraw_faq(&id, at, by))),
    }
    Ok(())
}

fn ask(db: &Db, now: Instant) {
    let page = mine(db.scan(&Query::at(now), Page::first(100))).expect("a scan");
    let counts = mine(db.counts(now)).expect("counts");
    assert_eq!(
        page.rows.len() as u64,
        counts.on_track + counts.at_risk + counts.late + counts.breached,
        "{counts:?}"
    );
    mine(db.attainment_by(&AttainmentQuery::at(now))).expect("attainment");
    mine(db.judged(&AttainmentQuery::at(now))).expect("judged");
    mine(db.waits(None, now)).expect("waits");
    mine(db.reminders(now)).expect("reminders");
    for row in page.rows.iter().take(2) {
        mine(db.explain(&row.request, &row.clock, now)).expect("an explanation");
    }
    for customer in ["acme", "borealis"] {
        let asked = mine(db.history(customer, Page::first(100))).expect("a history");
        assert!(asked.rows.iter().all(|row| row.facts.get("customer") == Some(customer)));
    }
    for entry in mine(db.faq(true)).expect("an FAQ") {
        let linked = mine(db.faq_requests(&entry.id, Page::first(100))).expect("its requests");
        assert_eq!(linked.rows.len() as u64, entry.uses, "{}", entry.id);
    }
    let notices = mine(db.feed("nobody").expect("a good name").pending(1_000)).expect("notices");
    assert!(notices.iter().zip(1..).all(|(notice, number)| notice.number == number));
}

fn sound(db: &Db, after: &str) {
    let rebuild = db.verify().expect("a check");
    assert_eq!(rebuild.differing, 0, "{after}: {:#?}", rebuild.differences);
}

/// A database of the first version, which has it compiled.
fn known() -> &'static Db {
    static KNOWN: OnceLock<Db> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let db = Db::in_memory(policy(1)).expect("a database");
        db.policies().expect("its policy");
        db
    })
}

fn lived(input: &mut Unstructured<'_>) -> Result<()> {
    let folds =
        slaclock::sim::fold_after(Options::default().mode(Mode::Exclusive), input.int_in_range(2..=20)?);
    let storage = super::memory::Memory::default();
    slaclock::sim::create(&storage, policy(1), &folds).expect("a database");
    let db = slaclock::sim::open_like(known(), storage.handle(), &folds).expect("a database");
    for _ in 0..24 {
        if input.is_empty() {
            break;
        }
        call(&db, input)?;
        sound(&db, "a call");
    }
    ask(&db, Instant::from_secs(MONDAY_S + 1_000_000).expect("in range"));
    mine(db.close()).expect("closing");
    let again = slaclock::sim::open(storage.handle(), &folds).expect("what was closed opens");
    sound(&again, "opening again");
    Ok(())
}

/// Tries one input. One that is too short ends a life early.
pub fn run(bytes: &[u8]) {
    let _ = lived(&mut Unstructured::new(bytes));
}
