//! Salvage: what could go wrong is a request that could be read and is not in the new file, one that is there with other
//! content than was written, an event twice or in another order, a loss that is not told, a source that is written to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use slaclock::db::Salvage;
use slaclock::{
    Db, ErrorKind, Event, EventKind, Instant, Mode, OnError, Operation, Options, Policy, Request,
    SalvageOptions,
};

const POLICY: &str = r#"
    [policy]
    name = "care"
    version = 1
    statement = "Handled within eight working hours."

    [calendar.office]
    zone = "Europe/Moscow"
    hours = { mon-fri = "09:00-18:00" }

    [[clock]]
    name = "resolution"
    start = "received"
    stop = "resolved"
    pause = ["waiting_customer"]
    target = { working = "8h" }
"#;

fn policy(version: u32) -> Policy {
    Policy::from_toml(&POLICY.replace("version = 1", &format!("version = {version}"))).unwrap()
}

fn at(secs: i64) -> Instant {
    Instant::from_secs(1_772_434_800 + secs).unwrap()
}

fn request(number: i64) -> Request {
    Request::new(format!("CASE-{number}"), at(number * 60))
        .customer(format!("customer {}", number % 17))
        .subject("something is broken ".repeat(1 + (number % 9) as usize))
        .attribute("type", ["pump", "valve", "seal"][(number % 3) as usize])
}

fn event(number: i64, step: i64) -> Operation {
    let kind = match step % 4 {
        0 => EventKind::Replied,
        1 => EventKind::Paused { reason: "waiting_customer".into() },
        2 => EventKind::Resumed,
        _ => EventKind::Resolved,
    };
    let event =
        Event::new(kind, at(number * 60 + step * 600)).by("ann").key(format!("k{step}")).text("a remark");
    Operation::Record { id: format!("CASE-{number}"), event }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// What is known of every request: the text, the policy, the events, the clocks.
type Known = BTreeMap<String, serde_json::Value>;

fn known(db: &Db, count: i64) -> Known {
    let ids = (0..count).map(|number| format!("CASE-{number}"));
    ids.filter_map(|id| db.get(&id).ok().map(|status| (id, serde_json::to_value(status).unwrap()))).collect()
}

const COUNT: i64 = 3_000;

/// A database with two folds, an unfolded tail, two policies, and events of one request in all three.
fn filled(path: &Path) -> Known {
    let db = Db::create(path, &policy(1), Options::default()).unwrap();
    let submit = |range: std::ops::Range<i64>| {
        let rows: Vec<Operation> = range.map(|number| Operation::Submit(request(number))).collect();
        db.apply(&rows, OnError::Abort).unwrap();
    };
    let events = |steps: std::ops::Range<i64>, numbers: &mut dyn Iterator<Item = i64>| {
        let rows: Vec<Operation> =
            numbers.flat_map(|number| steps.clone().map(move |step| event(number, step))).collect();
        rows.chunks(200).for_each(|rows| drop(db.apply(rows, OnError::Abort).unwrap()));
    };
    submit(0..1_500);
    events(0..2, &mut (0..1_500));
    db.compact().unwrap();
    db.install(&policy(2), at(2_000 * 60)).unwrap();
    submit(1_500..2_500);
    events(2..3, &mut (0..1_500).step_by(2));
    db.compact().unwrap();
    submit(2_500..COUNT);
    events(3..4, &mut (0..COUNT).step_by(3));
    let known = known(&db, COUNT);
    db.close().unwrap();
    known
}

/// Salvages, holds what came out against what was written, and returns the report.
fn salvaged(folder: &Folder, from: &Path, written: &Known, options: &SalvageOptions) -> Salvage {
    let before = std::fs::read(from).unwrap();
    let to = folder.path("saved");
    let _ = std::fs::remove_file(&to);
    let saved = Db::salvage(from, &to, options).unwrap();
    assert_eq!(std::fs::read(from).unwrap(), before, "the source is only read");
    let db = Db::open(&to, Options::default()).unwrap();
    assert_eq!(db.check().unwrap().differences, []);
    let found = known(&db, COUNT);
    let mut events = 0;
    for (id, now) in &found {
        let then = &written[id];
        assert_eq!(now["request"], then["request"], "{id}");
        let (now_events, then_events) =
            (now["events"].as_array().unwrap(), then["events"].as_array().unwrap());
        // In order, none twice, none that was not there; some may be lost.
        let mut rest = then_events.iter();
        assert!(now_events.iter().all(|event| rest.any(|other| other == event)), "{id}: {now_events:?}");
        events += now_events.len() as u64;
        if now_events.len() == then_events.len() && saved.repinned == 0 {
            assert_eq!(now, then, "{id}");
        }
    }
    assert_eq!(
        (saved.requests - saved.stand_ins, saved.requests),
        (found.len() as u64, db.info().unwrap().requests)
    );
    if saved.stand_ins == 0 {
        assert_eq!(saved.events, events);
    }
    let all: u64 = written.values().map(|status| status["events"].as_array().unwrap().len() as u64).sum();
    if let (Some(requests), Some(lost)) = (saved.lost_requests, saved.lost_events) {
        assert!(requests <= COUNT as u64 - found.len() as u64 && lost <= all - saved.events);
    }
    let lost = found.len() < written.len() || saved.events < all;
    assert!(!lost || saved.unreadable > 0, "what is missing is told: {saved:?}");
    db.close().unwrap();
    saved
}

#[test]
fn a_sound_file_gives_a_complete_copy() {
    let folder = Folder::new();
    let from = folder.path("care");
    let written = filled(&from);
    let saved = salvaged(&folder, &from, &written, &SalvageOptions::default());
    assert!(saved.is_complete(), "{saved:?}");
    assert_eq!((saved.requests, saved.policies.len(), saved.repinned), (3_000, 2, 0));
    assert_eq!((saved.unproven, saved.damaged_pages, saved.unreadable), (0, 0, 0));
    let db = Db::open(folder.path("saved"), Options::default()).unwrap();
    assert_eq!(known(&db, COUNT), written);
    assert_eq!(db.policies().unwrap().len(), 2);
}

#[test]
fn any_one_page_may_be_lost() {
    let folder = Folder::new();
    let (from, hurt) = (folder.path("care"), folder.path("hurt"));
    let written = filled(&from);
    let bytes = std::fs::read(&from).unwrap();
    let pages = bytes.len() / 4096;
    let (mut whole, mut least) = (0, u64::MAX);
    for page in (0..pages).step_by(pages / 40) {
        let mut bytes = bytes.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        std::fs::write(&hurt, &bytes).unwrap();
        let saved = salvaged(&folder, &hurt, &written, &SalvageOptions::default());
        whole += u64::from(saved.is_complete());
        least = least.min(saved.requests);
    }
    // A page of sealed texts holds a few dozen requests, the longest value of the log the 500 of one call.
    assert!(least >= 2_500, "{least}");
    assert!(whole > 0, "pages without anything of ours are damaged without harm");
}

#[test]
fn without_the_trees_the_pages_are_enough() {
    let folder = Folder::new();
    let (from, hurt) = (folder.path("care"), folder.path("hurt"));
    let written = filled(&from);
    let mut bytes = std::fs::read(&from).unwrap();
    // The header, and every page that says it is a branch.
    bytes[..4096].fill(0);
    let is_branch = |page: &[u8]| page[0] == 2 && page[1] == 0 && page[4..8] == [0; 4];
    for page in bytes.chunks_mut(4096).filter(|page| is_branch(page)) {
        page.fill(0);
    }
    std::fs::write(&hurt, &bytes).unwrap();
    assert_eq!(Db::open(&hurt, Options::default()).unwrap_err().kind(), ErrorKind::NotADatabase);
    let saved = salvaged(&folder, &hurt, &written, &SalvageOptions::default());
    assert_eq!((saved.requests, saved.lost_requests), (3_000, Some(0)), "{saved:?}");
    assert_eq!(saved.lost_events, Some(0));
    assert!(!saved.is_complete(), "nothing proves that these pages are the latest");
}

#[test]
fn half_a_file_gives_what_was_in_it() {
    let folder = Folder::new();
    let (from, hurt) = (folder.path("care"), folder.path("hurt"));
    let written = filled(&from);
    let bytes = std::fs::read(&from).unwrap();
    for tenth in [9, 7, 5, 3, 2] {
        std::fs::write(&hurt, &bytes[..bytes.len() * tenth / 10]).unwrap();
        let options = SalvageOptions::default().policy(policy(1)).stand_ins();
        let saved = salvaged(&folder, &hurt, &written, &options);
        assert!(saved.requests > 0, "{tenth}");
    }
}

#[test]
fn events_without_their_request_are_kept_if_asked_for() {
    let folder = Folder::new();
    let (from, hurt) = (folder.path("care"), folder.path("hurt"));
    let written = filled(&from);
    let mut bytes = std::fs::read(&from).unwrap();
    // A record block: its first request's id occurs as text there. The events of the same requests lie elsewhere.
    let text = b"\x06CASE-0";
    let places: Vec<usize> =
        (0..bytes.len() - text.len()).filter(|place| bytes[*place..].starts_with(text)).collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place + 1] ^= 1;
    }
    std::fs::write(&hurt, &bytes).unwrap();
    let saved = salvaged(&folder, &hurt, &written, &SalvageOptions::default());
    assert!(saved.orphaned_events > 50 && saved.stand_ins == 0, "{saved:?}");
    assert_eq!(saved.requests + saved.lost_requests.unwrap(), 3_000);
    assert!(saved.places.iter().any(|lost| lost.place == "table records, key 0"), "{:?}", saved.places);
    let with = salvaged(&folder, &hurt, &written, &SalvageOptions::default().stand_ins());
    assert_eq!(with.events, saved.events + saved.orphaned_events);
    let db = Db::open(folder.path("saved"), Options::default()).unwrap();
    assert_eq!(db.get("salvaged:0").unwrap().events.len(), 4);
}

#[test]
fn a_policy_is_needed_only_where_none_is_left() {
    let folder = Folder::new();
    let (from, hurt) = (folder.path("care"), folder.path("hurt"));
    let written = filled(&from);
    let mut bytes = std::fs::read(&from).unwrap();
    let text = b"Handled within eight working hours.";
    for place in 0..bytes.len() - text.len() {
        if bytes[place..].starts_with(text) {
            bytes[place] ^= 1;
        }
    }
    std::fs::write(&hurt, &bytes).unwrap();
    let to = folder.path("saved");
    let error = Db::salvage(&hurt, &to, &SalvageOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(error.message().contains("no policy in it can be read"), "{error}");
    assert!(!to.exists());
    let saved = salvaged(&folder, &hurt, &written, &SalvageOptions::default().policy(policy(7)));
    assert_eq!((saved.requests, saved.repinned, saved.policies[0].version), (3_000, 3_000, 7));
}

#[test]
fn what_is_no_damaged_database_is_refused() {
    let folder = Folder::new();
    let to = folder.path("saved");
    let refused = |from: &Path| Db::salvage(from, &to, &SalvageOptions::default()).unwrap_err().kind();
    assert_eq!(refused(&folder.path("missing")), ErrorKind::NotFound);
    assert_eq!(refused(folder.0.path()), ErrorKind::NotADatabase);
    for (name, content) in [("empty", vec![]), ("text", b"hello".to_vec()), ("zeros", vec![0; 1 << 20])] {
        std::fs::write(folder.path(name), content).unwrap();
        assert_eq!(refused(&folder.path(name)), ErrorKind::NotADatabase, "{name}");
    }
    for mode in [Mode::Shared, Mode::Exclusive] {
        let path = folder.path(&format!("{mode:?}"));
        let db = Db::create(&path, &policy(1), Options::default().mode(mode)).unwrap();
        assert_eq!(refused(&path), ErrorKind::Busy, "{mode:?}");
        db.close().unwrap();
    }
    std::fs::write(&to, "mine").unwrap();
    assert_eq!(refused(&folder.path("Shared")), ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read(&to).unwrap(), b"mine");
    let left: Vec<_> =
        std::fs::read_dir(folder.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_str().unwrap().starts_with('.')), "{left:?}");
}
