//! Moving requests to another version of the policy, to other zone data, and copies to try it on. What could go wrong: a
//! verdict that was earned changes, a request moves that nobody meant, the list says something else than what is
//! written, a notice stays that is no longer true.

use std::collections::BTreeMap;

use slaclock::attainment::Verdict;
use slaclock::clock::{Scope, Stage, derive};
use slaclock::db::{Acknowledgement, Duty, Migration};
use slaclock::model::EventKind;
use slaclock::zone::TzData;
use slaclock::{Db, ErrorKind, Event, Instant, Options, Policy, Request, ThresholdKind};

const POLICY: &str = r#"
    [policy]
    name = "care"
    version = 1

    [calendar.office]
    zone = "Europe/Moscow"
    hours = { mon-fri = "09:00-18:00" }

    [interruptions]
    power = "stop"

    [[clock]]
    name = "response"
    start = "received"
    stop = "replied"
    target = { working = "1h" }
    reopen = "none"

    [[clock]]
    name = "resolution"
    start = "received"
    stop = "resolved"
    pause = "waiting_customer"
    target = { working = "8h" }
    backstop = { working = "16h" }
    warn_at = "50 %"
"#;

/// Four hours instead of eight, and work on hold for a vendor counts no longer.
fn stricter() -> String {
    POLICY
        .replace("version = 1", "version = 2")
        .replace("8h", "4h")
        .replace("\"waiting_customer\"", "[\"waiting_customer\", \"waiting_vendor\"]")
}

/// The same, and the customer hears from us every four hours.
fn longer() -> String {
    stricter().replace("version = 2", "version = 3")
        + r#"
    [[clock]]
    name = "update"
    start = "received"
    restart = "updated"
    stop = "resolved"
    target = { working = "4h" }
"#
}

fn policy(text: &str) -> Policy {
    Policy::from_toml(text).unwrap()
}

fn at(text: &str) -> Instant {
    Instant::parse(&format!("2026-03-{}:00+03:00", text.replace(' ', "T"))).unwrap()
}

fn due(db: &Db, id: &str, clock: usize) -> Option<Instant> {
    db.get(id).unwrap().clocks[clock].due_at
}

fn migrate(db: &Db, version: Option<u32>, when: &str) -> Migration {
    let tried = db.migrate(version, &Scope::All, at(when), "ann", true).unwrap();
    let done = db.migrate(version, &Scope::All, at(when), "ann", false).unwrap();
    assert_eq!((&tried.moved, tried.requests), (&done.moved, done.requests));
    assert_eq!(db.verify().unwrap().differing, 0, "{:#?}", db.verify().unwrap().differences);
    done
}

#[test]
fn open_requests_move_and_what_is_finished_stays() {
    let db = Db::in_memory(&policy(POLICY)).unwrap();
    // Mon 2 March 09:00: response due 10:00, resolution due 17:00; under version 2 due 13:00.
    for id in ["DONE", "MISSED", "EARLY", "HELD"] {
        db.submit(&Request::new(id, at("02 09:00"))).unwrap();
    }
    db.record("DONE", Event::new(EventKind::Replied, at("02 09:30"))).unwrap();
    db.record("DONE", Event::new(EventKind::Resolved, at("02 16:00"))).unwrap();
    db.record("EARLY", Event::new(EventKind::Replied, at("02 10:30"))).unwrap();
    db.record("HELD", Event::new(EventKind::Paused { reason: "waiting_vendor".into() }, at("02 10:00")))
        .unwrap();
    db.record("HELD", Event::new(EventKind::Resumed, at("02 12:00"))).unwrap();
    db.advance(at("02 14:30")).unwrap();
    db.install(&policy(&stricter()), at("03 00:00")).unwrap();
    assert_eq!(due(&db, "EARLY", 1), Some(at("02 17:00")), "installing changes nothing");

    let done = migrate(&db, None, "02 14:30");
    assert_eq!((done.requests, done.to.len(), done.to[0].version), (3, 1, 2));
    let moved: BTreeMap<(&str, &str), _> =
        done.moved.iter().map(|it| ((it.request.as_str(), it.clock.as_str()), it)).collect();
    assert!(moved.keys().all(|(id, clock)| *id != "DONE" && *clock == "resolution"), "{moved:#?}");
    let early = moved[&("EARLY", "resolution")];
    let (before, after) = (early.before.unwrap(), early.after.unwrap());
    assert_eq!((before.due_at, before.stage), (Some(at("02 17:00")), Stage::AtRisk));
    assert_eq!(
        (after.due_at, after.stage, after.verdict),
        (Some(at("02 13:00")), Stage::Late, Verdict::Missed)
    );
    // Two hours for the vendor count as a pause under version 2.
    assert_eq!(moved[&("HELD", "resolution")].after.unwrap().due_at, Some(at("02 15:00")));
    assert_eq!(due(&db, "DONE", 1), Some(at("02 17:00")));
    // Responses were missed, late, before: no version takes that back.
    assert_eq!(db.get("EARLY").unwrap().clocks[0].stage, Stage::Missed);
    assert_eq!(db.get("MISSED").unwrap().clocks[0].stage, Stage::Breached);

    // The feed had been advanced to the very second of the move: its notices follow.
    db.advance(at("02 15:30")).unwrap();
    let notices = db.feed("all").unwrap().pending(100).unwrap();
    assert!(notices.iter().map(|it| it.number).eq(1..=notices.len() as u64));
    let late: Vec<_> = notices
        .iter()
        .filter(|it| it.clock == "resolution" && it.threshold == ThresholdKind::Late && !it.retracted)
        .map(|it| (it.request.as_str(), it.at, it.by_change))
        .collect();
    assert_eq!(
        late,
        [("MISSED", at("02 14:30"), true), ("EARLY", at("02 14:30"), true), ("HELD", at("02 15:00"), false)]
    );

    // How things stood before the move.
    let then = db.get_at("EARLY", at("02 14:29")).unwrap();
    assert_eq!((then.clocks[1].due_at, then.clocks[1].stage), (Some(at("02 17:00")), Stage::AtRisk));
    let told = db.explain("EARLY", "resolution", at("02 15:00")).unwrap();
    assert_eq!(told.policy, "care v2");
    assert_eq!(told.cycles[0].due_at.as_ref().unwrap().at, at("02 13:00"));
    assert!(db.get("EARLY").unwrap().events.iter().any(|event| event.by.as_deref() == Some("ann")));
    // Again changes nothing, and an event recorded late finds its version.
    assert_eq!(migrate(&db, None, "02 15:30").requests, 0);
    db.record("MISSED", Event::new(EventKind::Resolved, at("02 14:00"))).unwrap();
    let cured = db.get("MISSED").unwrap();
    assert_eq!((cured.clocks[1].stage, cured.clocks[1].due_at), (Stage::Met, Some(at("02 17:00"))));
    assert_eq!(db.verify().unwrap().differing, 0);
}

#[test]
fn a_version_with_more_clocks_brings_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    let db = Db::create(&path, &policy(POLICY), Options::default()).unwrap();
    for id in ["A", "B", "C"] {
        db.submit(&Request::new(id, at("02 09:00")).customer(if id == "B" { "zenith" } else { "acme" }))
            .unwrap();
    }
    db.record("C", Event::new(EventKind::Updated, at("02 10:00"))).unwrap();
    db.advance(at("02 12:00")).unwrap();
    db.install(&policy(&stricter()), at("02 11:00")).unwrap();
    db.install(&policy(&longer()), at("02 11:00")).unwrap();
    assert_eq!(db.info().unwrap().clocks, 6);
    let customer = Scope::Customer("acme".into());
    let done = db.migrate(Some(3), &customer, at("02 12:00"), "ann", false).unwrap();
    assert_eq!(done.requests, 2);
    assert!(done.moved.iter().all(|it| it.request != "B"));
    assert_eq!((due(&db, "A", 2), due(&db, "C", 2)), (Some(at("02 13:00")), Some(at("02 14:00"))));
    assert_eq!(db.get("B").unwrap().clocks.len(), 2);
    assert_eq!((db.info().unwrap().clocks, db.verify().unwrap().differing), (8, 0));
    assert_eq!(db.counts(at("02 12:00")).unwrap().total(), 8);
    assert_eq!(db.counts(at("02 12:00")).unwrap().open(), 8);
    assert_eq!(db.counts(at("02 11:59")).unwrap().open(), 6, "as things stood then");
    // Through version 2 to 3 is the same.
    let zenith = Scope::Customer("zenith".into());
    assert_eq!(db.migrate(Some(2), &zenith, at("02 12:30"), "ann", false).unwrap().requests, 1);
    assert_eq!(db.get("B").unwrap().policy, "care v2");
    assert_eq!(due(&db, "B", 1), Some(at("02 13:00")));
    migrate(&db, None, "02 12:45");
    assert_eq!(due(&db, "B", 2), Some(at("02 13:00")));
    db.compact().unwrap();
    db.close().unwrap();
    let db = Db::open(&path, Options::default()).unwrap();
    assert_eq!(db.check().unwrap().differing, 0);
    // A what-if asks what another version would have come to from the start.
    let query = slaclock::AttainmentQuery::at(at("02 18:00")).clock("resolution");
    let runs = db.simulate(&[&policy(POLICY)], &query).unwrap();
    assert_eq!(
        (runs[0].groups[0].attainment.tally.missed, runs[1].groups[0].attainment.tally.missed),
        (3, 3)
    );
}

#[test]
fn whatever_happened_before_a_move_is_as_if_the_version_had_been_in_force() {
    // Random lives, moved at a random instant to a version with other hours and pauses: what had not been missed nor
    // finished by then is due as under that version alone.
    let (mut compared, mut kept) = (0, 0);
    for seed in 0..400_u64 {
        let mut state = seed;
        let mut below = |below: i64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i64 % below
        };
        let instant = |secs: i64| Instant::from_secs(at("02 09:00").as_secs() + secs).unwrap();
        let db = Db::in_memory(&policy(POLICY)).unwrap();
        db.install(&policy(&stricter()), instant(0)).unwrap();
        let request = Request::new("A", Instant::from_secs(instant(0).as_secs() - 1 - below(3_600)).unwrap());
        db.submit(&request).unwrap();
        let (mut events, mut t) = (Vec::new(), 0);
        for _ in 0..below(7) {
            t += 1 + below(7_000);
            events.push(Event::new(
                match below(6) {
                    0 => EventKind::Paused { reason: "waiting_customer".into() },
                    1 => EventKind::Paused { reason: "waiting_vendor".into() },
                    2 => EventKind::Replied,
                    3 => EventKind::Resolved,
                    4 => EventKind::Reopened,
                    _ => EventKind::Resumed,
                },
                instant(t),
            ));
            db.record("A", events.last().unwrap().clone()).unwrap();
        }
        let moved_at = instant(t + 1 + below(9_000));
        db.advance(instant(below(60_000))).unwrap();
        let before = db.get_at("A", moved_at).unwrap();
        let done = db.migrate(None, &Scope::All, moved_at, "ann", false).unwrap();
        assert_eq!(db.verify().unwrap().differing, 0, "seed {seed}: {:#?}", db.verify().unwrap().differences);
        if done.requests == 0 {
            continue;
        }
        let alone = derive(&policy(&stricter()), &request, &events);
        let after = db.get_at("A", moved_at).unwrap();
        for (index, (before, after)) in before.clocks.iter().zip(&after.clocks).enumerate() {
            let other = alone.current(index).unwrap();
            match before.stage {
                Stage::OnTrack | Stage::AtRisk | Stage::Paused if !other.reopened && other.is_open() => {
                    assert_eq!(
                        (after.due_at, after.limit_at),
                        (other.due_at, other.limit_at),
                        "seed {seed} {index}"
                    );
                    compared += 1;
                }
                Stage::Met | Stage::Missed | Stage::Cancelled => {
                    assert_eq!(after, before, "seed {seed}");
                    kept += 1;
                }
                Stage::Late | Stage::Breached => assert_eq!(after.due_at, before.due_at, "seed {seed}"),
                _ => {}
            }
        }
    }
    assert!(compared > 100 && kept > 20, "{compared} {kept}");
}

#[test]
fn new_zone_data_moves_deadlines_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    // The data of another zone under Moscow's name: as if the clocks there had been set two hours back.
    let zone = TzData::bundled().zone("Europe/Berlin").unwrap();
    std::fs::create_dir(folder.path().join("Europe")).unwrap();
    std::fs::write(folder.path().join("Europe/Moscow"), zone.data()).unwrap();
    std::fs::write(folder.path().join("+VERSION"), "2099z\n").unwrap();
    let db = Db::in_memory(&policy(POLICY)).unwrap();
    db.submit(&Request::new("A", at("02 09:00"))).unwrap();
    let same = db.retz(&TzData::bundled(), at("02 09:30"), "ann", false).unwrap();
    assert_eq!((same.to.len(), same.requests, db.policies().unwrap().len()), (0, 0, 1));
    let other = TzData::folder(folder.path()).unwrap();
    let tried = db.retz(&other, at("02 09:30"), "ann", true).unwrap();
    assert_eq!((tried.requests, db.policies().unwrap().len()), (1, 1));
    let done = db.retz(&other, at("02 09:30"), "ann", false).unwrap();
    assert_eq!(done.moved, tried.moved);
    assert_eq!(done.to[0].tzdb, "2099z");
    // Nine in Berlin is eleven in Moscow.
    assert_eq!((due(&db, "A", 0), due(&db, "A", 1)), (Some(at("02 12:00")), Some(at("02 19:00"))));
    db.submit(&Request::new("B", at("02 11:00"))).unwrap();
    assert_eq!(due(&db, "B", 0), Some(at("02 12:00")));
    assert_eq!(db.policies().unwrap().iter().map(|info| info.version).collect::<Vec<_>>(), [1, 1]);
    db.install(&policy(&stricter()), at("03 00:00")).unwrap();
    assert_eq!(db.verify().unwrap().differing, 0);
    // What was done about a version counts for it with other data, and is told once.
    let read = Acknowledgement { version: 2, duty: Duty::Review, by: "eve".into(), at: at("03 10:00") };
    db.acknowledge_policy(&read).unwrap();
    assert_eq!(
        db.retz(&other, at("03 12:00"), "ann", false).unwrap().to.len(),
        1,
        "only the second has the old data"
    );
    assert_eq!(db.acknowledgements().unwrap(), [read]);
    // An older version alone gets other data: the newest stays the one that new requests are under, and that is asked about.
    let db = Db::in_memory(&policy(POLICY)).unwrap();
    db.retz(&other, at("02 09:30"), "ann", false).unwrap();
    db.install(&policy(&stricter()), at("03 00:00")).unwrap();
    let back = db.retz(&TzData::bundled(), at("03 09:00"), "ann", false).unwrap();
    assert_eq!(back.to.iter().map(|info| info.version).collect::<Vec<_>>(), [1]);
    assert_eq!(db.policy().unwrap().version(), 2);
    db.submit(&Request::new("C", at("04 10:00"))).unwrap();
    assert_eq!(db.get("C").unwrap().policy, "care v2");
    db.acknowledge_policy(&Acknowledgement {
        version: 2,
        duty: Duty::Review,
        by: "eve".into(),
        at: at("04 10:00"),
    })
    .unwrap();
    assert_eq!(db.acknowledgements().unwrap().len(), 1);
    db.install(&policy(&stricter()), at("05 00:00")).unwrap();
    assert_eq!(db.policies().unwrap().len(), 5);
    let missing = TzData::folder(folder.path().join("Europe")).unwrap();
    assert_eq!(db.retz(&missing, at("03 13:00"), "ann", false).unwrap_err().kind(), ErrorKind::UnknownZone);
}

#[test]
fn a_fork_is_a_copy_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let db = Db::create(path("care.slaclock"), &policy(POLICY), Options::default()).unwrap();
    db.submit(&Request::new("A", at("02 09:00"))).unwrap();
    db.advance(at("02 12:00")).unwrap();
    let feed = db.feed("mailer").unwrap();
    feed.acknowledge(1).unwrap();
    assert!(db.fork(path("fork.slaclock")).unwrap() > 0);
    let fork = Db::open(path("fork.slaclock"), Options::default()).unwrap();
    assert_eq!(fork.feed("mailer").unwrap().acknowledged().unwrap(), 1);
    fork.submit(&Request::new("B", at("02 09:00"))).unwrap();
    db.record("A", Event::new(EventKind::Resolved, at("02 13:00"))).unwrap();
    assert_eq!((db.info().unwrap().requests, fork.info().unwrap().requests), (1, 2));
    assert_eq!(fork.get("A").unwrap().events.len(), 0);
    assert_eq!(fork.check().unwrap().differing, 0);
    for there in ["fork.slaclock", "care.slaclock"] {
        assert_eq!(db.fork(path(there)).unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
    std::fs::write(path("empty"), "").unwrap();
    assert_eq!(db.fork(path("empty")).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(db.info().unwrap().requests, 1);
    Db::in_memory(&policy(POLICY)).unwrap().fork(path("memory.slaclock")).unwrap();
    assert_eq!(Db::open(path("memory.slaclock"), Options::default()).unwrap().info().unwrap().requests, 0);
}

#[test]
fn wrong_moves_are_refused_by_name_and_write_nothing() {
    let db = Db::in_memory(&policy(POLICY)).unwrap();
    db.submit(&Request::new("A", at("02 09:00"))).unwrap();
    let reordered = stricter().replace("\"response\"", "\"answer\"");
    db.install(&policy(&reordered), at("03 00:00")).unwrap();
    db.install(&policy(&longer()), at("03 00:00")).unwrap();
    let refused = |version: Option<u32>, scope: Scope, when: &str, by: &str, kind: ErrorKind, said: &str| {
        for dry_run in [true, false] {
            let error = db.migrate(version, &scope, at(when), by, dry_run).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.message().contains(said), "{error}");
        }
    };
    use ErrorKind::{Conflict, InvalidArgument, NotFound};
    refused(Some(4), Scope::All, "02 10:00", "ann", NotFound, "there are 1, 2, 3");
    refused(Some(2), Scope::All, "02 10:00", "ann", Conflict, "has no clock `response` in place 1");
    refused(None, Scope::Calendar("office".into()), "02 10:00", "ann", InvalidArgument, "calendar `office`");
    refused(None, Scope::All, "02 10:00", "", InvalidArgument, "must be named");
    assert_eq!(db.get("A").unwrap().policy, "care v1");
    db.migrate(None, &Scope::All, at("02 10:00"), "ann", false).unwrap();
    refused(Some(1), Scope::All, "02 09:30", "ann", Conflict, "was migrated at");
    let forged = Event::new(EventKind::Migrated { from: 1, to: 3 }, at("02 11:00"));
    let error = db.record("A", forged).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidEvent);
    assert!(error.message().contains("recorded by migrating"), "{error}");
    // Not received yet: nothing to move.
    db.submit(&Request::new("LATER", at("02 12:00"))).unwrap();
    assert_eq!(db.migrate(None, &Scope::All, at("02 11:00"), "ann", false).unwrap().requests, 0);
}
