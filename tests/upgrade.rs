//! The file format: what could go wrong is a file of an earlier release that no longer opens or answers differently, a
//! value written in other bytes under the same format number, a newer file that is misread instead of refused.
//!
//! `tests/fixtures/format/N/` holds a small file written in format N and what it answers. `SLACLOCK_BLESS=1 cargo test
//! --all-features --test upgrade` writes those of the present format anew: only before its first release.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use redb::{ReadableDatabase, ReadableTable, TableDefinition, TableHandle};
use serde_json::{Value, json};
use slaclock::clock::{Scope, Window};
use slaclock::db::{Acknowledgement, Duty, Order};
use slaclock::{
    AttainmentQuery, Db, ErrorKind, Event, EventFields, EventKind, EventTag, FaqDraft, Instant, Mode,
    Options, Page, Policy, Query, Request, SalvageOptions,
};

const PRESENT: u32 = 1;

fn fixture(format: u32, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/format/{format}/{name}"))
}

fn at(secs: i64) -> Instant {
    Instant::from_secs(1_772_434_800 + secs).unwrap()
}

fn policy(version: u32) -> Policy {
    let text = format!(
        r#"
        [policy]
        name = "care"
        version = {version}
        statement = "Handled within eight working hours; the rest within three working days."
        review_at = 2026-04-01
        readers = ["ann", "bob"]
        read_by = 2026-03-20

        [interruptions]
        power = "stop"
        internet_telecom = "extend"

        [expedites]
        per_month = 2

        [refusals]
        approvers = ["bob"]

        [waivers]
        by = ["ann"]

        [calendar.office]
        zone = "Europe/Moscow"
        hours = {{ mon-fri = "09:00-18:00" }}

        [[clock]]
        name = "resolution"
        start = "received"
        stop = "resolved"
        pause = ["waiting_customer"]
        target = {{ working = "8h" }}
        backstop = {{ working_days = 3 }}
        warn_at = ["75 %"]
        attainment = {{ share = "95 %", per = "month" }}
    "#
    );
    Policy::from_toml(&text).unwrap()
}

/// An event of every kind that can be recorded, with everything it can carry.
fn events() -> Vec<Event> {
    let fields = |tag: EventTag| {
        let all = EventFields {
            to: Some("ann".into()),
            reason: Some("waiting_customer".into()),
            vendor: Some("acme pumps".into()),
            due: Some(at(400_000)),
            facts: BTreeMap::from([("priority".to_owned(), "high".to_owned())]),
            ..EventFields::default()
        };
        // The fields that a kind refuses are found by asking it.
        let mut fields = all;
        while let Err(error) = EventKind::from_fields(tag, fields.clone()) {
            let refused = error
                .message()
                .split("carries no `")
                .nth(1)
                .expect("a field too many")
                .trim_end_matches('`')
                .to_owned();
            match refused.as_str() {
                "to" => fields.to = None,
                "reason" => fields.reason = None,
                "vendor" => fields.vendor = None,
                "due" => fields.due = None,
                "facts" => fields.facts.clear(),
                other => panic!("`{other}` is new: give it here"),
            }
        }
        EventKind::from_fields(tag, fields).unwrap()
    };
    // These are recorded by submitting, by migrating and where there is an FAQ; what needs an actor needs a story, too.
    let by_others = [EventTag::Received, EventTag::Migrated, EventTag::FaqLinked, EventTag::FaqUnlinked];
    let tags = EventTag::ALL.iter().filter(|tag| !by_others.contains(tag) && !tag.needs_actor());
    tags.zip(1..)
        .map(|(tag, n)| {
            Event::new(fields(*tag), at(n * 3_000)).by("ann").key(format!("k{n}")).text("a remark, with ü")
        })
        .collect()
}

/// Expedites, refusals and waivers, as the policy and two people allow them.
fn stories() -> Vec<(&'static str, Event)> {
    let of = |kind: EventKind, n: i64, by: &str| Event::new(kind, at(20_000 + n)).by(by).text("the reason");
    let cycle = || ("resolution".to_owned(), 1);
    let waived = |(clock, cycle)| EventKind::Waived { clock, cycle };
    let late = Event::new(EventKind::Resolved, at(900_000));
    let after = |kind: EventKind, n: i64| Event { at: at(900_000 + n), ..of(kind, 0, "ann") };
    vec![
        ("CASE-2", of(EventKind::Expedited { approved_by: None }, 0, "ann")),
        ("CASE-2", of(EventKind::ExpediteWithdrawn, 1, "ann")),
        ("CASE-2", of(EventKind::Expedited { approved_by: Some("bob".into()) }, 2, "ann")),
        ("CASE-3", of(EventKind::RefusalProposed, 0, "ann")),
        ("CASE-3", of(EventKind::RefusalWithdrawn, 1, "ann")),
        ("CASE-3", of(EventKind::RefusalProposed, 2, "ann")),
        ("CASE-3", of(EventKind::RefusalApproved, 3, "bob")),
        ("CASE-4", late),
        ("CASE-4", after(waived(cycle()), 1)),
        ("CASE-4", after(EventKind::WaiverWithdrawn { clock: cycle().0, cycle: cycle().1 }, 2)),
        ("CASE-4", after(waived(cycle()), 3)),
    ]
}

/// Interruptions as they are declared, said otherwise, ended and withdrawn; and who has read the policy.
fn care(db: &Db) {
    let window = |from: i64, to: Option<i64>| Window {
        category: "power".into(),
        scope: Scope::Customer("acme".into()),
        from: at(from),
        to: to.map(at),
    };
    db.declare(window(10_000, Some(12_000)), at(9_000), "ann").unwrap();
    db.amend(1, window(10_000, Some(14_000)), at(9_500), "bob").unwrap();
    db.declare(Window { scope: Scope::All, ..window(20_000, None) }, at(21_000), "ann").unwrap();
    db.end(2, at(23_000), at(22_000), "ann").unwrap();
    let other = Window { scope: Scope::Calendar("office".into()), ..window(30_000, Some(31_000)) };
    db.interrupt(&Order::Declare(other), at(25_000), "ann", Some("a rumour"), false).unwrap();
    db.withdraw(3, at(26_000), "bob").unwrap();
    for (duty, by) in [(Duty::Reading, "ann"), (Duty::Review, "eve")] {
        let done = Acknowledgement { version: 1, duty, by: by.into(), at: at(40_000) };
        db.acknowledge_policy(&done).unwrap();
    }
}

/// A file with every kind of value: sealed and in the log, two policies, notices, a consumer.
fn write(path: &Path) {
    let open = || Db::open(path, Options::default().mode(Mode::Exclusive)).unwrap();
    Db::create(path, &policy(1), Options::default()).unwrap().close().unwrap();
    let db = open();
    for number in 0..20 {
        let request =
            Request::new(format!("CASE-{number}"), at(number * 900)).customer("acme").subject("It leaks");
        db.submit(&request.priority("low").category("pump").channel("mail").attribute("type", "seal"))
            .unwrap();
    }
    for event in events() {
        db.record("CASE-0", event).unwrap();
    }
    for (id, event) in stories() {
        db.record(id, event).unwrap();
    }
    care(&db);
    for id in ["leaks", "noise"] {
        let said = |text: &str| Some(text.to_owned());
        let (question, answer) = (said("Why does it leak?"), said("The seal is worn."));
        let request = Some("CASE-0".to_owned());
        db.publish(&FaqDraft { id: id.into(), question, answer, request }, at(25_000), "ann").unwrap();
    }
    db.link_faq("CASE-1", "leaks", at(26_000), "ann").unwrap();
    db.link_faq("CASE-2", "leaks", at(26_000), "ann").unwrap();
    db.compact().unwrap();
    db.install(&policy(2), at(30_000)).unwrap();
    for number in 20..40 {
        db.submit(&Request::new(format!("CASE-{number}"), at(number * 1_800))).unwrap();
    }
    for event in events() {
        db.record("CASE-21", Event { at: at(event.at.as_secs() - at(0).as_secs() + 60_000), ..event })
            .unwrap_or_else(|error| panic!("{error}"));
    }
    db.advance(at(200_000)).unwrap();
    db.feed("mail").unwrap().acknowledge(3).unwrap();
    db.compact().unwrap();
    db.amend_faq("leaks", None, Some("The seal is worn: we bring a new one."), at(80_000), "bob").unwrap();
    db.withdraw_faq("noise", at(80_000), "bob").unwrap();
    db.unlink_faq("CASE-1", "leaks", at(80_000), "ann").unwrap();
    let facts = BTreeMap::from([("customer".to_owned(), "borealis".to_owned())]);
    db.record("CASE-5", Event::new(EventKind::Changed { facts }, at(80_000))).unwrap();
    db.submit(&Request::new("CASE-40", at(90_000))).unwrap();
    db.record("CASE-1", Event::new(EventKind::Resolved, at(9_000))).unwrap();
    db.advance(at(250_000)).unwrap();
    db.migrate(Some(2), &Scope::Customer("acme".into()), at(260_000), "ann", false).unwrap();
    db.close().unwrap();
}

fn answers(db: &Db) -> Value {
    let now = at(300_000);
    let info = db.info().unwrap();
    let ids = (0..41).map(|number| format!("CASE-{number}"));
    let requests: BTreeMap<String, Value> = ids.map(|id| (id.clone(), json!(db.get(&id).unwrap()))).collect();
    json!({
        "counted": [info.requests, info.events, info.clocks, info.notices],
        "advanced_to": info.advanced_to,
        "policies": db.policies().unwrap(),
        "counts": db.counts(now).unwrap(),
        "scan": db.scan(&Query::at(now), Page::first(1_000)).unwrap().rows,
        "attainment": db.attainment_by(&AttainmentQuery::at(now)).unwrap(),
        "interruptions": db.interruptions().unwrap(),
        "acknowledgements": db.acknowledgements().unwrap(),
        "reminders": db.reminders(now).unwrap(),
        "notices": db.feed("mail").unwrap().pending(1_000).unwrap(),
        "requests": requests,
        "faq": db.faq(true).unwrap(),
        "faq_records": db.faq_records("leaks").unwrap(),
        "faq_requests": db.faq_requests("leaks", Page::first(10)).unwrap(),
        "history": db.history("borealis", Page::first(10)).unwrap(),
    })
}

type Values = BTreeMap<(String, u64), Vec<u8>>;

/// Every value of a file as its bytes lie there, frame and all.
fn values(path: &Path) -> Values {
    let database = redb::Builder::new().open_read_only(path).unwrap();
    let transaction = database.begin_read().unwrap();
    let mut found = Values::new();
    for table in transaction.list_tables().unwrap() {
        let definition: TableDefinition<u64, &[u8]> = TableDefinition::new(table.name());
        for entry in transaction.open_table(definition).unwrap().iter().unwrap() {
            let (key, value) = entry.unwrap();
            found.insert((table.name().to_owned(), key.value()), value.value().to_vec());
        }
    }
    found
}

#[test]
fn the_present_format_is_pinned_byte_by_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    write(&path);
    let (golden, told) = (fixture(PRESENT, "care.slaclock"), fixture(PRESENT, "answers.json"));
    if std::env::var_os("SLACLOCK_BLESS").is_some() {
        std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
        std::fs::copy(&path, &golden).unwrap();
        let db = Db::open(&path, Options::default()).unwrap();
        std::fs::write(&told, serde_json::to_string_pretty(&answers(&db)).unwrap() + "\n").unwrap();
    }
    let (now, then) = (values(&path), values(&golden));
    assert!(now.keys().eq(then.keys()), "other values: {:?} instead of {:?}", now.keys(), then.keys());
    for (key, value) in &now {
        // The newest time zone data is part of a policy, and not of the format.
        if key.0 != "policies" {
            assert!(
                then[key] == *value,
                "table {}, key {}: other bytes than format {PRESENT} has",
                key.0,
                key.1
            );
        }
    }
    let names: Vec<&str> = now.keys().map(|(table, _)| table.as_str()).collect();
    for table in [
        "meta",
        "policies",
        "log",
        "records",
        "requests",
        "clocks",
        "events",
        "ids",
        "index",
        "notices",
        "consumers",
        "moves",
        "interruptions",
        "expedites",
        "reminders",
    ] {
        assert!(names.contains(&table), "no value of table {table} is pinned");
    }
}

/// What the store reads of a value and writes again is the value, whatever kind it is of.
///
/// `SLACLOCK_SEEDS=folder` writes each value there, as the fuzz target `record` reads it.
#[cfg(feature = "sim")]
#[test]
fn every_value_is_written_again_as_it_was_read() {
    let values = values(&fixture(PRESENT, "care.slaclock"));
    for ((table, key), framed) in &values {
        let again = slaclock::sim::reread(framed[1], *key, &framed[10..]).unwrap();
        assert_eq!(again, framed[10..], "table {table}, key {key}");
        if let Some(folder) = std::env::var_os("SLACLOCK_SEEDS") {
            let seed = [&[framed[1], (*key as u32).min(2) as u8], &framed[10..]].concat();
            std::fs::write(Path::new(&folder).join(format!("{table}-{key}")), seed).unwrap();
        }
        // And no cut of it is read as a value that another was written for.
        for length in (0..framed.len() - 10).step_by(7) {
            if let Ok(other) = slaclock::sim::reread(framed[1], *key, &framed[10..10 + length]) {
                assert_ne!(other, framed[10..], "table {table}, key {key}, cut to {length} bytes");
            }
        }
    }
}

#[test]
fn files_of_every_format_open_and_answer_as_they_did() {
    for format in 1..=PRESENT {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("care.slaclock");
        std::fs::copy(fixture(format, "care.slaclock"), &path).unwrap();
        let told: Value =
            serde_json::from_str(&std::fs::read_to_string(fixture(format, "answers.json")).unwrap()).unwrap();
        let db = Db::open(&path, Options::default()).unwrap();
        assert_eq!(answers(&db), told, "format {format}");
        assert_eq!(db.check().unwrap().differences, []);
        // It goes on from there.
        db.submit(&Request::new("NEW", at(300_000))).unwrap();
        db.record("CASE-2", Event::new(EventKind::Resolved, at(300_000))).unwrap();
        db.compact().unwrap();
        assert_eq!(db.verify().unwrap().differences, []);
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    std::fs::copy(fixture(PRESENT, "care.slaclock"), &path).unwrap();
    // What a later release would write: the same magic, a higher number, a right checksum.
    let newer = redb::Database::open(&path).unwrap();
    let transaction = newer.begin_write().unwrap();
    {
        let meta: TableDefinition<u64, &[u8]> = TableDefinition::new("meta");
        let mut table = transaction.open_table(meta).unwrap();
        let payload = [&b"slaclock"[..], &(PRESENT + 1).to_le_bytes()].concat();
        table.insert(0, framed(1, 1, 0, &payload).as_slice()).unwrap();
    }
    transaction.commit().unwrap();
    drop(newer);
    for options in [Options::default(), Options::default().read_only()] {
        let error = Db::open(&path, options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NewerFormat);
        assert!(error.message().contains("format 2"), "{error}");
    }
    let error = Db::salvage(&path, folder.path().join("saved"), &SalvageOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NewerFormat, "{error}");
}

/// The frame as docs/design.md says.
fn framed(format: u8, kind: u8, key: u64, payload: &[u8]) -> Vec<u8> {
    use twox_hash::XxHash3_64;
    let seed = XxHash3_64::oneshot_with_seed(u64::from(kind) << 8 | u64::from(format), &key.to_be_bytes());
    let sum = XxHash3_64::oneshot_with_seed(seed, payload);
    [&[format, kind][..], &sum.to_le_bytes(), payload].concat()
}
