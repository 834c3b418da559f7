//! Rows of the threat table that no other test shows: docs/reliability.md says which does.
//!
//! What could go wrong: a path leads to a file that the caller did not name, one tenant is given what is another's, a message
//! repeats what a record holds, the order of arrival decides a verdict, a second beyond an end of time is taken for one
//! within, memory grows with the file.
#![cfg(unix)]
#![allow(clippy::print_stdout, reason = "counts and seeds are part of the outcome")]

#[path = "clock/lives.rs"]
#[allow(dead_code, reason = "wild lives are for other tests")]
mod lives;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use slaclock::attainment::Month;
use slaclock::db::Mode;
use slaclock::{
    AttainmentQuery, Db, ErrorKind, Event, EventKind, Facts, Instant, OnError, Operation, Options, Page,
    Policy, Query, Request, SalvageOptions, Span, TimeOfDay,
};

const POLICY: &str = r#"
    [policy]
    name = "care"
    version = 1

    [calendar.office]
    zone = "Europe/Moscow"
    hours = { mon-fri = "09:00-18:00" }

    [expedites]
    per_month = 1

    [refusals]
    approvers = ["ann"]

    [waivers]
    by = ["ann"]

    [[clock]]
    name = "resolution"
    start = "received"
    stop = "resolved"
    pause = ["waiting_customer"]
    target = { working = "8h" }
    backstop = { working_days = 3 }
    warn_at = "50 %"
    attainment = { share = "95 %", per = "month" }
"#;

fn policy() -> Policy {
    Policy::from_toml(POLICY).unwrap()
}

fn at(secs: i64) -> Instant {
    Instant::from_secs(1_772_434_800 + secs).unwrap()
}

fn kind<T>(result: slaclock::Result<T>) -> ErrorKind {
    result.err().expect("must be refused").kind()
}

/// Every way that a name can lead elsewhere, or to something that is no file.
#[test]
fn a_path_leads_to_the_very_file_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("inner")).unwrap();
    Db::create(path("care"), &policy(), Options::default()).unwrap().close().unwrap();
    assert_eq!(std::fs::metadata(path("care")).unwrap().permissions().mode() & 0o777, 0o600);
    // What leads nowhere, or to no file. None of these may wait for somebody at the other end.
    assert!(Command::new("mkfifo").arg(path("fifo")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    symlink("nothing", path("dangling")).unwrap();
    symlink("fifo", path("to_fifo")).unwrap();
    symlink("loop", path("loop")).unwrap();
    let nobody = [("fifo", ErrorKind::NotADatabase), ("socket", ErrorKind::NotADatabase)];
    let more = [
        ("to_fifo", ErrorKind::NotADatabase),
        ("inner", ErrorKind::NotADatabase),
        ("dangling", ErrorKind::NotFound),
    ];
    for (name, expected) in nobody.into_iter().chain(more) {
        assert_eq!(kind(Db::open(path(name), Options::default())), expected, "{name}");
        assert_eq!(kind(Db::open(path(name), Options::default().read_only())), expected, "{name}");
        assert_eq!(kind(Db::shared(path(name), Options::default())), expected, "{name}");
        let saved = Db::salvage(path(name), path("saved"), &SalvageOptions::default());
        assert_eq!(kind(saved), expected, "{name}");
        assert_eq!(
            kind(Db::create(path(name), &policy(), Options::default())),
            ErrorKind::AlreadyExists,
            "{name}"
        );
    }
    for name in ["/dev/null", "/dev/zero", "/dev/tty", "/proc/self/mem"] {
        let found = kind(Db::open(name, Options::default()));
        assert!(matches!(found, ErrorKind::NotADatabase | ErrorKind::Io), "{name}: {found:?}");
    }
    assert_eq!(kind(Db::open(path("loop"), Options::default())), ErrorKind::Io);
    for name in ["", "nowhere/care", "care/", "care/below", "a\0b"] {
        let found = kind(Db::create(path("").join(name), &policy(), Options::default()));
        assert!(
            matches!(found, ErrorKind::Io | ErrorKind::AlreadyExists | ErrorKind::NotFound),
            "{name:?}: {found:?}"
        );
    }
    // Nothing was made on the way, nor left in the making.
    let names: BTreeSet<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let expected = ["care", "dangling", "fifo", "inner", "loop", "socket", "to_fifo"];
    assert_eq!(names, expected.into_iter().map(Into::into).collect());
}

/// One file by many names is one file: whoever has it for himself has it by each of them.
#[test]
fn a_file_by_another_name_is_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("inner")).unwrap();
    Db::create(path("care"), &policy(), Options::default()).unwrap().close().unwrap();
    symlink("care", path("link")).unwrap();
    std::fs::hard_link(path("care"), path("hard")).unwrap();
    let names = ["care", "link", "hard", "inner/../care", "./care"];
    let patient = Options::default().busy_timeout(std::time::Duration::from_millis(50));
    for name in names {
        let alone = Db::open(path(name), Options::default().mode(Mode::Exclusive)).unwrap();
        for other in names {
            assert_eq!(kind(Db::open(path(other), patient.clone())), ErrorKind::Busy, "{name}, {other}");
            let saved = Db::salvage(path(other), path("saved"), &SalvageOptions::default());
            assert_eq!(kind(saved), ErrorKind::Busy, "{name}, {other}");
        }
        alone.close().unwrap();
    }
    // Writes by one name are read by the others.
    for (number, name) in names.iter().enumerate() {
        let db = Db::open(path(name), Options::default()).unwrap();
        db.submit(&Request::new(format!("CASE-{number}"), at(0))).unwrap();
    }
    assert_eq!(Db::open(path("care"), Options::default()).unwrap().info().unwrap().requests, 5);
    // A handle stays with its file when the name is given to another one: under a shared handle too.
    let shared = Db::shared(path("care"), Options::default()).unwrap();
    std::fs::remove_file(path("care")).unwrap();
    Db::create(path("care"), &policy(), Options::default()).unwrap().close().unwrap();
    assert_eq!(shared.info().unwrap().requests, 5);
    assert_eq!(Db::shared(path("care"), Options::default()).unwrap().info().unwrap().requests, 0);
    // A copy never takes the place of something.
    for name in ["care", "link", "inner"] {
        assert_eq!(kind(shared.fork(path(name))), ErrorKind::AlreadyExists, "{name}");
        let saved = Db::salvage(path("hard"), path(name), &SalvageOptions::default());
        assert!(matches!(kind(saved), ErrorKind::AlreadyExists | ErrorKind::Busy), "{name}");
    }
}

/// While one writes and another swaps the name between two files, every opening finds one of them whole.
#[test]
fn a_name_that_is_swapped_meanwhile_leads_to_one_of_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, requests) in [("one", 1), ("two", 2)] {
        let db = Db::create(path(name), &policy(), Options::default()).unwrap();
        (0..requests)
            .for_each(|number| drop(db.submit(&Request::new(format!("{name}-{number}"), at(0))).unwrap()));
    }
    symlink("one", path("link")).unwrap();
    let over = std::sync::atomic::AtomicBool::new(false);
    let (over, path) = (&over, &path);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for target in ["two", "one"].iter().cycle() {
                if over.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                let _ = std::fs::remove_file(path("next"));
                symlink(target, path("next")).unwrap();
                std::fs::rename(path("next"), path("link")).unwrap();
            }
        });
        let mut seen = BTreeSet::new();
        for _ in 0..60 {
            let db = Db::open(path("link"), Options::default()).unwrap();
            let requests = db.info().unwrap().requests;
            assert!(db.get(&format!("{}-0", if requests == 1 { "one" } else { "two" })).is_ok());
            seen.insert(requests);
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(seen.iter().all(|requests| [1, 2].contains(requests)), "{seen:?}");
    });
}

/// Many tenants in one process: whatever is asked of one's file is answered from it alone.
#[test]
fn no_tenant_is_answered_from_anothers_file() {
    const TENANTS: usize = 6;
    let folder = tempfile::tempdir().unwrap();
    let dbs: Vec<Db> = (0..TENANTS)
        .map(|tenant| {
            Db::create(folder.path().join(format!("{tenant}")), &policy(), Options::default()).unwrap()
        })
        .collect();
    let mut dice = lives::Dice::new(12);
    for (tenant, db) in dbs.iter().enumerate() {
        // The same ids in every file, and other customers: an answer tells whose it is.
        let rows: Vec<Operation> = (0..200_i64)
            .map(|number| Request::new(format!("CASE-{number}"), at(number * (60 + tenant as i64))))
            .map(|request| Operation::Submit(request.customer(format!("tenant {tenant}"))))
            .collect();
        db.apply(&rows, OnError::Abort).unwrap();
        db.advance(at(200_000 + tenant as i64)).unwrap();
        db.feed("mail").unwrap().acknowledge(tenant as u64 + 1).unwrap();
    }
    let mut answers = 0_u64;
    let mut keys = Vec::new();
    while answers < 100_000 {
        let tenant = dice.below(TENANTS as u32) as usize;
        let (db, own) = (&dbs[tenant], format!("tenant {tenant}"));
        match dice.below(5) {
            0 | 1 => {
                let id = format!("CASE-{}", dice.below(200));
                assert_eq!(db.get(&id).unwrap().request.customer.as_deref(), Some(&own[..]));
                answers += 1;
            }
            2 => {
                // A resume key of one tenant's page is a place in an order, and gives another nothing but its own.
                let now = at(i64::from(dice.below(300_000)));
                let page = match keys.len() {
                    0 => Page::first(40),
                    count => Page::after(keys[dice.below(count as u32) as usize], 40),
                };
                let rows = db.scan(&Query::at(now), page).unwrap();
                for row in &rows.rows {
                    let number: i64 = row.request[5..].parse().unwrap();
                    assert_eq!(row.started_at, at(number * (60 + tenant as i64)), "{own}");
                }
                answers += rows.rows.len() as u64;
                keys.extend(rows.next.filter(|_| keys.len() < 100));
            }
            3 => {
                let feed = db.feed("mail").unwrap();
                assert_eq!(feed.acknowledged().unwrap(), tenant as u64 + 1);
                answers += feed.pending(20).unwrap().len() as u64;
            }
            _ => {
                let groups = db.attainment_by(&AttainmentQuery::at(at(400_000)).by("customer")).unwrap();
                let customers: BTreeSet<_> = groups.iter().flat_map(|group| &group.by).collect();
                assert!(
                    customers.iter().all(|(_, customer)| customer.as_deref() == Some(&own[..])),
                    "{customers:?}"
                );
                answers += groups.len() as u64;
            }
        }
    }
    println!("{answers} answers to {TENANTS} tenants, none of them another's");
}

/// What nobody outside may read: the free texts of records.
const SECRET: &str = "hunter2-swordfish";

/// Errors of every kind that calls on a full record can give: ids and names are in them, what people wrote is not.
#[test]
fn messages_repeat_nothing_that_people_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care");
    let db = Db::create(&path, &policy(), Options::default()).unwrap();
    let full = |id: &str| {
        let request = Request::new(id, at(0)).customer("acme").subject(SECRET);
        request.attribute("secret", SECRET)
    };
    db.submit(&full("CASE-1")).unwrap();
    db.submit(&full("CASE-2")).unwrap();
    let note = |secs: i64, text: &str| Event::new(EventKind::Note, at(secs)).by("bob").key("k").text(text);
    db.record("CASE-1", note(10, SECRET)).unwrap();
    let propose = |kind: EventKind, secs: i64, by: &str| Event::new(kind, at(secs)).by(by).text(SECRET);
    db.record("CASE-1", propose(EventKind::RefusalProposed, 20, "bob")).unwrap();
    db.record("CASE-1", propose(EventKind::Expedited { approved_by: None }, 25, "bob")).unwrap();
    let waive = |cycle: u32| EventKind::Waived { clock: "resolution".into(), cycle };
    let mut errors = vec![
        // Another content under the same id, under the same key.
        db.submit(&full("CASE-1").subject("other").attribute("secret", "other")).unwrap_err(),
        db.submit(&full("CASE-1").subject(format!("{SECRET}!"))).unwrap_err(),
        db.record("CASE-1", note(10, "other")).unwrap_err(),
        db.record("CASE-1", note(11, SECRET)).unwrap_err(),
        db.record("NOBODY", note(11, SECRET)).unwrap_err(),
        db.record("CASE-2", note(-5, SECRET)).unwrap_err(),
        // What may not be.
        db.record("CASE-1", propose(EventKind::RefusalProposed, 30, "eve")).unwrap_err(),
        db.record("CASE-1", propose(EventKind::RefusalApproved, 30, "bob")).unwrap_err(),
        db.record("CASE-1", propose(EventKind::RefusalApproved, 30, "eve")).unwrap_err(),
        db.record("CASE-2", propose(EventKind::Expedited { approved_by: None }, 30, "bob")).unwrap_err(),
        db.record("CASE-2", propose(EventKind::ExpediteWithdrawn, 30, "bob")).unwrap_err(),
        db.record("CASE-2", propose(waive(1), 30, "ann")).unwrap_err(),
        db.record("CASE-2", propose(waive(9), 30, "eve")).unwrap_err(),
        // What is too long or wrongly formed.
        db.submit(&full("CASE-3").subject(SECRET.repeat(10_000))).unwrap_err(),
        db.submit(&full("CASE-3").attribute("customer", SECRET)).unwrap_err(),
        db.record("CASE-2", note(30, &SECRET.repeat(10_000))).unwrap_err(),
        db.explain("CASE-1", "nothing", at(50)).unwrap_err(),
        db.feed(&"x".repeat(300)).map(drop).unwrap_err(),
    ];
    // A damaged file: every place of it, errors of reading, checking and salvaging.
    db.compact().unwrap();
    db.close().unwrap();
    errors.push(db.get("CASE-1").unwrap_err());
    let whole = std::fs::read(&path).unwrap();
    // Where something is stored: most of a small file is room.
    let used = |place: &usize| whole[*place..whole.len().min(place + 40)].iter().any(|byte| *byte != 0);
    let places: Vec<usize> = (0..whole.len()).step_by(64).filter(used).collect();
    for place in places.iter().copied().step_by(places.len().div_ceil(250)) {
        let mut bytes = whole.clone();
        let until = bytes.len().min(place + 40);
        bytes[place..until].iter_mut().for_each(|byte| *byte ^= 0x55);
        std::fs::write(&path, &bytes).unwrap();
        match Db::open(&path, Options::default().mode(Mode::Exclusive)) {
            Err(error) => errors.push(error),
            Ok(db) => errors.extend(
                [db.get("CASE-1").err(), db.get("CASE-2").err(), db.check().err()].into_iter().flatten(),
            ),
        }
        let to = folder.path().join("saved");
        match Db::salvage(&path, &to, &SalvageOptions::default()) {
            Err(error) => errors.push(error),
            Ok(saved) => {
                let told = format!("{:?}", saved.places);
                assert!(!told.contains(SECRET), "{told}");
                std::fs::remove_file(to).unwrap();
            }
        }
    }
    let kinds: BTreeSet<String> = errors.iter().map(|error| format!("{:?}", error.kind())).collect();
    println!("{} errors of the kinds {kinds:?}", errors.len());
    assert!(kinds.len() >= 8 && errors.len() > 50);
    for error in &errors {
        let mut told = format!("{error} {error:?} {}", error.message());
        let mut cause = std::error::Error::source(error);
        while let Some(below) = cause {
            told += &format!(" {below} {below:?}");
            cause = below.source();
        }
        // A long text that is refused is not repeated either.
        assert!(!told.contains(SECRET), "{told}");
        assert!(error.message().len() < 2_000, "{} bytes", error.message().len());
    }
}

/// The same events in any order of arrival, in batches of any size: the same state, scans, counts and standing notices.
#[test]
fn the_order_of_arrival_decides_nothing() {
    let policy = lives::policy();
    let mut lives_lived = 0;
    for seed in 0..60 {
        let mut dice = lives::Dice::new(seed);
        let mut rows: Vec<(Request, Vec<Event>)> = (0..20)
            .map(|number| {
                let request = lives::request(&mut dice);
                let mut events = lives::life(&mut dice, request.received_at);
                // Of the same second, the first to arrive counts as the first: so no two share one here.
                events.dedup_by_key(|event| event.at);
                (Request { id: format!("CASE-{number}"), ..request }, events)
            })
            .collect();
        lives_lived += rows.len();
        let last = rows
            .iter()
            .flat_map(|(request, events)| events.iter().map(|event| event.at).chain([request.received_at]));
        let last = last.max().unwrap().checked_add(Span::from_hours(500)).unwrap();
        let mut told: Option<String> = None;
        for _ in 0..4 {
            let db = Db::in_memory(&policy).unwrap();
            // The order of submission is that of ties, so it stays; events come as the dice say, and the feed is advanced
            // between them, to instants that rise.
            for (request, _) in &rows {
                db.submit(request).unwrap();
            }
            let mut events: Vec<(String, Event)> = rows
                .iter()
                .flat_map(|(request, events)| events.iter().map(|event| (request.id.clone(), event.clone())))
                .collect();
            dice.shuffle(&mut events);
            let mut now = Instant::MIN;
            while !events.is_empty() {
                let count = (1 + dice.below(30) as usize).min(events.len());
                let batch: Vec<Operation> =
                    events.drain(..count).map(|(id, event)| Operation::Record { id, event }).collect();
                db.apply(&batch, OnError::Abort).unwrap();
                if dice.below(3) == 0 {
                    now = now.max(at(i64::from(dice.below(800_000))));
                    db.advance(now).unwrap();
                }
            }
            db.advance(last).unwrap();
            let found = state(&db, rows.iter().map(|(request, _)| request), last);
            assert_eq!(told.get_or_insert_with(|| found.clone()), &found, "seed {seed}");
            dice.shuffle(&mut rows[..0]);
        }
    }
    println!("{lives_lived} lives, each arriving in four orders");
}

fn state<'a>(db: &Db, requests: impl Iterator<Item = &'a Request>, now: Instant) -> String {
    let mut told = String::new();
    for request in requests {
        let status = db.get_at(&request.id, now).unwrap();
        told += &format!("{:?} {:?} {:?}\n", status.clocks, status.events, status.facts);
    }
    told += &format!("{:?}\n", db.scan(&Query::at(now), Page::first(10_000)).unwrap().rows);
    told += &format!("{:?}\n", db.counts(now).unwrap());
    // Of the notices, those that stand: what was given and taken back depends on what was known when.
    let mut standing: BTreeMap<String, i32> = BTreeMap::new();
    for notice in db.feed("nobody").unwrap().pending(10_000).unwrap() {
        let key = format!(
            "{} {} {} {:?} {}",
            notice.request, notice.clock, notice.cycle, notice.threshold, notice.at
        );
        *standing.entry(key).or_default() += if notice.retracted { -1 } else { 1 };
    }
    assert!(standing.values().all(|balance| (0..=1).contains(balance)), "{standing:?}");
    standing.retain(|_, balance| *balance == 1);
    told + &format!("{:?}", standing.keys())
}

/// Every public way to reckon with time, at both ends and one second to either side of them.
#[test]
fn one_second_beyond_either_end_is_said() {
    let (first, last) = (Instant::MIN, Instant::MAX);
    let one = Span::from_secs(1);
    assert_eq!((first.as_secs(), last.as_secs()), (0, 4_102_444_799));
    for (secs, there) in [(-1, false), (0, true), (1, true), (4_102_444_798, true), (4_102_444_799, true)] {
        assert_eq!(Instant::from_secs(secs).is_ok(), there, "{secs}");
    }
    for secs in [4_102_444_800, i64::MAX, i64::MIN, i64::from(u32::MAX), i64::from(u32::MAX) + 1, 1 << 40] {
        assert_eq!(kind(Instant::from_secs(secs)), ErrorKind::OutOfRange, "{secs}");
    }
    for (text, there) in [
        ("1969-12-31T23:59:59Z", false),
        ("1970-01-01T00:00:00Z", true),
        ("2099-12-31T23:59:59Z", true),
        ("2100-01-01T00:00:00Z", false),
        // The end is an instant, not a date: offsets lead over it.
        ("2100-01-01T00:59:59+01:00", true),
        ("2099-12-31T23:59:59-01:00", false),
        ("1970-01-01T00:00:00+00:01", false),
        ("1969-12-31T23:59:00-00:01", true),
        ("9999-12-31T23:59:59Z", false),
    ] {
        let found = Instant::parse(text);
        assert_eq!(found.is_ok(), there, "{text}");
        assert!(there || found.unwrap_err().kind() == ErrorKind::OutOfRange, "{text}");
    }
    let spans = [0, 1, -1, i64::MAX, i64::MIN, i64::from(u32::MAX), 4_102_444_799, 4_102_444_800];
    for span in spans.map(Span::from_secs) {
        for start in [first, at(0), last] {
            let exact = i128::from(start.as_secs()) + i128::from(span.as_secs());
            let found = start.checked_add(span).map(|found| i128::from(found.as_secs()));
            assert_eq!(
                found,
                Some(exact).filter(|exact| (0..4_102_444_800).contains(exact)),
                "{start} + {span:?}"
            );
        }
    }
    assert_eq!((last.checked_add(one), first.checked_add(Span::from_secs(-1))), (None, None));
    assert_eq!((last.since(first).as_secs(), first.since(last).as_secs()), (4_102_444_799, -4_102_444_799));
    assert!(TimeOfDay::from_secs(86_400).is_some() && TimeOfDay::from_secs(86_401).is_none());
    assert!(TimeOfDay::from_secs(u32::MAX).is_none());
    for text in ["9223372036854775807s", "99999999999999999999h", "2562047788015216h", "-1h", "0.5h"] {
        assert!(
            Span::parse(text).is_err_and(|error| !error.message().is_empty()) || Span::parse(text).is_ok(),
            "{text}"
        );
    }
    let db = Db::in_memory(&policy()).unwrap();
    for (year, month) in [(1969, 12), (2100, 1), (2026, 0), (2026, 13), (i32::MIN, 1), (i32::MAX, 12)] {
        assert!(db.attainment(Month::of(year, month), at(0)).is_err(), "{year}-{month}");
    }
    assert!(
        db.attainment(Month::of(1970, 1), at(0)).is_ok() && db.attainment(Month::of(2099, 12), at(0)).is_ok()
    );
    ends_of_a_calendar(first, last);
    ends_of_columns();
    ends_of_a_database(first, last);
}

fn ends_of_a_calendar(first: Instant, last: Instant) {
    let policy = policy();
    let calendar = &policy.calendars()[0];
    let ends = [first, Instant::from_secs(1).unwrap(), Instant::from_secs(4_102_444_798).unwrap(), last];
    for a in ends {
        for b in ends {
            // Between instants in the wrong order there is no working time.
            assert!(a <= b || calendar.working_time(a, b) <= Span::ZERO, "{a} to {b}");
            assert!(calendar.intervals(a, b).all(|open| open.opens <= open.closes));
        }
        for secs in [0, 1, -1, i64::MAX, i64::MIN, 4_102_444_800] {
            let span = Span::from_secs(secs);
            for found in [calendar.add_working_time(a, span), calendar.sub_working_time(a, span)] {
                let kinds = [ErrorKind::NoDeadline, ErrorKind::OutOfRange, ErrorKind::InvalidArgument];
                assert!(
                    found.as_ref().map_or_else(|error| kinds.contains(&error.kind()), |_| true),
                    "{a}, {secs}: {found:?}"
                );
            }
        }
        let _ = (calendar.next_open(a), calendar.next_close(a), calendar.is_open(a), calendar.local(a));
    }
    use chrono::NaiveDate;
    let dates = [NaiveDate::MIN, NaiveDate::MAX].into_iter().chain(
        [(1969, 12, 31), (1970, 1, 1), (2099, 12, 31), (2100, 1, 1)]
            .map(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day).unwrap()),
    );
    let dates: Vec<NaiveDate> = dates.collect();
    for date in &dates {
        for days in [0, 1, -1, i64::MAX, i64::MIN, 36_600] {
            let _ = calendar.add_working_days(*date, days);
        }
        dates.iter().for_each(|other| drop(calendar.working_days(*date, *other).to_string()));
        let _ = (calendar.is_working_day(*date), calendar.day_status(*date), calendar.first_open_of(*date));
        let _ = (
            calendar.close_of(*date),
            calendar.instant_at(*date, TimeOfDay::parse("24:00").unwrap(), slaclock::calendar::Edge::Close),
        );
    }
}

fn ends_of_columns() {
    let policy = policy();
    let (clock, calendar) = (policy.clock("resolution").unwrap(), &policy.calendars()[0]);
    let (_, rule) = clock.rule_for(&Facts::none()).unwrap();
    let good = [0, 1, 1_772_434_800, 4_102_444_798, 4_102_444_799];
    let mut out = [0; 5];
    rule.due_many(&good, &mut out).unwrap();
    assert_eq!(&out[3..], [slaclock::NO_DEADLINE; 2]);
    for bad in [-1, 4_102_444_800, i64::MIN + 1, i64::MAX] {
        let mut column = good;
        column[2] = bad;
        let mut out = [7; 5];
        assert_eq!(kind(rule.due_many(&column, &mut out)), ErrorKind::OutOfRange, "{bad}");
        assert_eq!(
            kind(calendar.working_time_many(&column, &good, &mut out)),
            ErrorKind::OutOfRange,
            "{bad}"
        );
        assert_eq!(
            kind(calendar.add_working_time_many(&column, &[1; 5], &mut out)),
            ErrorKind::OutOfRange,
            "{bad}"
        );
        assert_eq!(
            kind(calendar.add_working_span_many(&column, Span::from_secs(1), &mut out)),
            ErrorKind::OutOfRange
        );
    }
}

fn ends_of_a_database(first: Instant, last: Instant) {
    let db = Db::in_memory(&policy()).unwrap();
    for (id, received) in [("FIRST", first), ("LAST", last)] {
        db.submit(&Request::new(id, received).customer("acme")).unwrap();
        db.record(id, Event::new(EventKind::Note, last)).unwrap();
        let promised = EventKind::Promised { due: last };
        assert_eq!(
            kind(db.record(id, Event::new(promised, last))),
            ErrorKind::InvalidEvent,
            "not after its event"
        );
    }
    for now in [first, at(0), last] {
        db.counts(now).unwrap();
        db.scan(&Query::at(now).since(first).until(last), Page::first(10)).unwrap();
        db.newly_late(first, now, Page::first(10)).unwrap();
        db.attainment_by(&AttainmentQuery::at(now)).unwrap();
        db.waits(None, now).unwrap();
        db.reminders(now).unwrap();
        db.expedite_quota("acme", now).unwrap();
        db.explain("FIRST", "resolution", now).unwrap();
        db.declare(
            slaclock::clock::Window {
                category: "power".into(),
                scope: slaclock::clock::Scope::All,
                from: first,
                to: Some(last),
            },
            now,
            "ann",
        )
        .unwrap();
        db.advance(now).unwrap();
    }
    assert_eq!(db.verify().unwrap().differences, []);
}

const CHILD: &str = "SLACLOCK_SMALL_CHILD";

/// 60,000 requests, 120,000 events and every kind of question in 64 MiB of address space, the program itself included.
#[test]
fn a_large_file_is_worked_with_in_little_memory() {
    if std::env::var_os(CHILD).is_some() {
        return work_in_little_memory();
    }
    let limited = "ulimit -v 65536 && exec \"$0\" --exact a_large_file_is_worked_with_in_little_memory --test-threads=1 \
                   --nocapture";
    let mut command = Command::new("sh");
    command.args(["-c", limited]).arg(std::env::current_exe().unwrap()).env(CHILD, "1");
    // One arena: the others reserve address space that nobody uses.
    let output = command.env("MALLOC_ARENA_MAX", "1").output().unwrap();
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {told}", output.status);
    println!("{}", told.lines().find(|line| line.contains("MiB")).unwrap_or_default());
}

fn work_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care");
    let options = || Options::default().mode(Mode::Exclusive).cache_bytes(4 << 20);
    let db = Db::create(&path, &policy(), options()).unwrap();
    for from in (0..60_000).step_by(2_000) {
        let rows = (from..from + 2_000).flat_map(|number: i64| {
            let id = format!("CASE-{number}");
            let request = Request::new(id.clone(), at(number * 60)).customer("acme").subject("s".repeat(100));
            let note = Event::new(EventKind::Note, at(number * 60 + 5)).text("t".repeat(100));
            let paused = EventKind::Paused { reason: "waiting_customer".into() };
            let paused =
                Event::new(if number % 3 == 0 { paused } else { EventKind::Replied }, at(number * 60 + 9));
            let record = |event: Event| Operation::Record { id: id.clone(), event };
            [Operation::Submit(request), record(note), record(paused)]
        });
        db.apply(&rows.collect::<Vec<_>>(), OnError::Abort).unwrap();
    }
    let now = at(3_000_000);
    db.advance(now).unwrap();
    let (mut page, mut rows) = (Page::first(1_000), 0);
    loop {
        let found = db.scan(&Query::at(now), page).unwrap();
        rows += found.rows.len();
        match found.next {
            Some(key) => page = Page::after(key, 1_000),
            None => break,
        }
    }
    assert!(rows > 30_000, "{rows}");
    db.attainment_by(&AttainmentQuery::at(now).by("customer")).unwrap();
    assert_eq!(db.check().unwrap().differing, 0);
    db.compact().unwrap();
    db.close().unwrap();
    let db = Db::open(&path, options()).unwrap();
    assert_eq!(db.info().unwrap().requests, 60_000);
    assert_eq!(db.feed("mail").unwrap().pending(10_000).unwrap().len(), 10_000);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or("0 0");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1_024
    };
    let file = std::fs::metadata(Path::new(&path)).unwrap().len() >> 20;
    println!(
        "a file of {file} MiB in {} MiB of address space, {} MiB resident at most",
        of("VmPeak"),
        of("VmHWM")
    );
}
