//! Care beyond deadlines: expedites within a quota, refusals by two people, waivers, vendors, call-backs, unattended
//! requests.
//!
//! What could go wrong: a quota that two writers overrun together, one counted in the wrong month or for the wrong
//! customer, an expedite paid for twice; one person who refuses a customer alone; a miss that vanishes from the raw
//! figure; a vendor's clock stopped by another vendor. Whatever is recorded, the stored state must be the one that
//! follows from the events.

use slaclock::clock::{Party, RequestState};
use slaclock::db::{ExpediteUse, WaitGroup};
use slaclock::{
    AttainmentQuery, Db, ErrorKind, Event, EventKind, Instant, Month, OnError, Operation, Options, Outcome,
    Page, Policy, Query, Request, Stage, ThresholdKind,
};

const POLICY: &str = r#"
    [policy]
    name = "care"
    version = 1

    [calendar.office]
    zone = "Europe/Moscow"
    hours = { mon-fri = "09:00-18:00" }

    [calendar.acme]
    zone = "Asia/Tokyo"
    hours = { mon-fri = "09:00-17:00" }

    [expedites]
    per_month = 2
    approvers = ["bob", "eve"]

    [refusals]
    approvers = ["bob", "ann"]

    [waivers]
    by = ["bob"]

    [[clock]]
    name = "resolution"
    calendar = "office"
    start = "received"
    stop = "resolved"
    pause = ["waiting_customer"]
    target = { working = "8h" }
    backstop = { working_days = 3 }
    attainment = { share = "95 %", per = "month" }
    rules = [{ when = { expedite = "yes" }, target = { working = "2h" }, backstop = "none" }]

    [[clock]]
    name = "acme"
    calendar = "acme"
    start = "vendor_contacted"
    restart = "vendor_contacted"
    stop = ["vendor_replied", "resolved"]
    vendor = "acme"
    target = { working = "4h" }

    [[clock]]
    name = "any_vendor"
    calendar = "office"
    start = "vendor_contacted"
    stop = ["vendor_replied", "resolved"]
    target = { working_days = 2 }

    [[clock]]
    name = "call_back"
    calendar = "office"
    start = "promised"
    stop = ["replied", "resolved"]
    target = "promised"

    [[clock]]
    name = "decision"
    calendar = "office"
    start = "refusal_proposed"
    stop = ["refusal_approved", "refusal_withdrawn", "resolved"]
    target = { working = "4h" }

    [[clock]]
    name = "unattended"
    calendar = "office"
    start = "received"
    restart = "activity"
    stop = "resolved"
    target = { working = "9h" }
"#;

fn policy() -> Policy {
    Policy::from_toml(POLICY).unwrap()
}

/// A civil time in Moscow.
fn at(text: &str) -> Instant {
    Instant::parse(&format!("{}:00+03:00", text.replace(' ', "T"))).unwrap()
}

fn db_with(requests: &[(&str, &str, &str)]) -> Db {
    let db = Db::in_memory(&policy()).unwrap();
    for (id, received, customer) in requests {
        db.submit(&Request::new(*id, at(received)).customer(*customer)).unwrap();
    }
    db
}

fn expedite(when: &str, by: &str) -> Event {
    Event::new(EventKind::Expedited { approved_by: None }, at(when)).by(by)
}

fn approved(when: &str, by: &str, approver: &str) -> Event {
    Event::new(EventKind::Expedited { approved_by: Some(approver.into()) }, at(when)).by(by)
}

fn proven(db: &Db) {
    let found = db.verify().unwrap();
    assert_eq!(found.differing, 0, "{:?}", found.differences);
}

/// `(customer, first date of the month, used, approved)`.
fn use_of(db: &Db) -> Vec<(String, String, u64, u64)> {
    let line = |used: ExpediteUse| {
        let month = used.month.first().format("%Y-%m").to_string();
        (used.customer.unwrap_or_default(), month, used.used, used.approved)
    };
    db.expedites(None).unwrap().into_iter().map(line).collect()
}

fn refused(result: slaclock::Result<slaclock::Recorded>, kind: ErrorKind, says: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(says), "{error}");
}

#[test]
fn an_expedite_uses_the_quota_and_rematches_the_clocks() {
    let db = db_with(&[
        ("C-1", "2026-03-02 10:00", "north"),
        ("C-2", "2026-03-02 10:00", "north"),
        ("C-3", "2026-03-02 10:00", "north"),
        ("C-4", "2026-03-02 10:00", "south"),
    ]);
    let answer = db.record("C-1", expedite("2026-03-02 10:30", "ann").key("e1")).unwrap();
    assert_eq!(answer.clocks[0].due_at, Some(at("2026-03-02 12:00")), "worked out anew from the receipt");
    assert_eq!(answer.clocks[0].limit_at, None);
    // The same again costs nothing; the same key for another instant is a conflict, not a second expedite.
    let again = db.record("C-1", expedite("2026-03-02 10:30", "ann").key("e1")).unwrap();
    assert_eq!(again.outcome, Outcome::AlreadyRecorded);
    refused(db.record("C-1", expedite("2026-03-02 10:31", "ann").key("e1")), ErrorKind::Conflict, "key `e1`");
    refused(
        db.record("C-1", expedite("2026-03-02 10:31", "ann")),
        ErrorKind::InvalidEvent,
        "the request is expedited already",
    );
    db.record("C-2", expedite("2026-03-02 11:00", "ann")).unwrap();
    let error = db.record("C-3", expedite("2026-03-02 12:00", "ann")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
    assert_eq!(
        error.message(),
        "expedite of request `C-3`: customer `north` has used 2 of 2 in March 2026; the next is free on 2026-04-01, \
         or with the approval of bob, eve"
    );
    // Another customer has a quota of its own, and a refused expedite leaves nothing behind.
    db.record("C-4", expedite("2026-03-02 12:00", "ann")).unwrap();
    assert_eq!(db.get("C-3").unwrap().events, []);
    let quota = db.expedite_quota("north", at("2026-03-10 12:00")).unwrap();
    assert_eq!((quota.used, quota.per_month, quota.next_free_at), (2, 2, Some(at("2026-04-01 00:00"))));
    let quota = db.expedite_quota("south", at("2026-03-10 12:00")).unwrap();
    assert_eq!((quota.used, quota.next_free_at), (1, Some(at("2026-03-10 12:00"))));
    // A second person can allow more: one of those named, and not the one who asks.
    refused(
        db.record("C-3", approved("2026-03-02 12:00", "ann", "ann")),
        ErrorKind::InvalidEvent,
        "a second person must approve",
    );
    refused(
        db.record("C-3", approved("2026-03-02 12:00", "ann", "mallory")),
        ErrorKind::InvalidEvent,
        "`mallory` may not approve expedites; those who may: bob, eve",
    );
    db.record("C-3", approved("2026-03-02 12:00", "ann", "bob")).unwrap();
    assert_eq!(
        use_of(&db),
        [("north".into(), "2026-03".into(), 3, 1), ("south".into(), "2026-03".into(), 1, 0)]
    );
    let entry = &db.expedites(None).unwrap()[0].expedites[2];
    assert_eq!((entry.request.as_str(), entry.approved_by.as_deref()), ("C-3", Some("bob")));
    proven(&db);
}

#[test]
fn months_are_those_of_the_policys_zone() {
    let db = db_with(&[
        ("C-1", "2026-03-02 10:00", "north"),
        ("C-2", "2026-03-02 10:00", "north"),
        ("C-3", "2026-03-02 10:00", "north"),
        ("C-4", "2026-03-02 10:00", "north"),
    ]);
    db.record("C-1", expedite("2026-03-31 23:00", "ann")).unwrap();
    // 23:59:59 in Moscow is March still, midnight is April, though both are March in UTC.
    let last = Event::new(
        EventKind::Expedited { approved_by: None },
        Instant::from_secs(at("2026-04-01 00:00").as_secs() - 1).unwrap(),
    );
    db.record("C-2", last.by("ann")).unwrap();
    refused(db.record("C-3", expedite("2026-03-31 23:30", "ann")), ErrorKind::QuotaExceeded, "2026-04-01");
    db.record("C-3", expedite("2026-04-01 00:00", "ann")).unwrap();
    // A late one counts to the month it is dated in, whatever came later.
    refused(
        db.record("C-4", expedite("2026-03-15 10:00", "ann")),
        ErrorKind::QuotaExceeded,
        "2 of 2 in March",
    );
    db.record("C-4", expedite("2026-04-15 10:00", "ann")).unwrap();
    assert_eq!(
        db.expedite_quota("north", at("2026-03-20 10:00")).unwrap().next_free_at,
        Some(at("2026-05-01 00:00"))
    );
    assert_eq!(
        use_of(&db),
        [("north".into(), "2026-03".into(), 2, 0), ("north".into(), "2026-04".into(), 2, 0)]
    );
    let april = slaclock::PeriodRange::parse("2026-04").unwrap();
    assert_eq!(db.expedites(Some(april)).unwrap().len(), 1);
    proven(&db);
}

#[test]
fn an_expedite_given_back_is_free_again_and_follows_the_customer() {
    let db = db_with(&[
        ("C-1", "2026-03-02 10:00", "north"),
        ("C-2", "2026-03-02 10:00", "north"),
        ("C-3", "2026-03-02 10:00", "north"),
    ]);
    db.record("C-1", expedite("2026-03-02 10:30", "ann")).unwrap();
    db.record("C-2", expedite("2026-03-02 10:30", "ann")).unwrap();
    let back = Event::new(EventKind::ExpediteWithdrawn, at("2026-03-02 11:00")).by("ann");
    refused(db.record("C-3", back.clone()), ErrorKind::InvalidEvent, "is not expedited then");
    let answer = db.record("C-2", back).unwrap();
    assert_eq!(answer.clocks[0].due_at, Some(at("2026-03-02 18:00")), "the ordinary target counts again");
    db.record("C-3", expedite("2026-03-02 12:00", "ann")).unwrap();
    assert_eq!(use_of(&db), [("north".into(), "2026-03".into(), 2, 0)]);
    // It turns out that C-3 was another customer's all along.
    let change = EventKind::Changed { facts: [("customer".to_owned(), "south".to_owned())].into() };
    db.record("C-3", Event::new(change, at("2026-03-02 11:30"))).unwrap();
    assert_eq!(
        use_of(&db),
        [("north".into(), "2026-03".into(), 1, 0), ("south".into(), "2026-03".into(), 1, 0)]
    );
    assert_eq!(db.rebuild().unwrap().differing, 0);
    proven(&db);
}

#[test]
fn an_expedite_needs_a_policy_a_customer_and_an_open_request() {
    let db = db_with(&[("C-1", "2026-03-02 10:00", "north")]);
    let nobody = Event::new(EventKind::Expedited { approved_by: None }, at("2026-03-02 11:00"));
    refused(db.record("C-1", nobody), ErrorKind::InvalidEvent, "must say who does it");
    db.submit(&Request::new("C-2", at("2026-03-02 10:00"))).unwrap();
    refused(
        db.record("C-2", expedite("2026-03-02 11:00", "ann")),
        ErrorKind::InvalidEvent,
        "names no customer",
    );
    db.record("C-1", Event::new(EventKind::Resolved, at("2026-03-02 12:00"))).unwrap();
    refused(
        db.record("C-1", expedite("2026-03-02 13:00", "ann")),
        ErrorKind::InvalidEvent,
        "the request is resolved",
    );
    // A late one, dated while it was open, is in time.
    db.record("C-1", expedite("2026-03-02 11:00", "ann")).unwrap();
    let fact = EventKind::Changed { facts: [("expedite".to_owned(), "yes".to_owned())].into() };
    refused(
        db.record("C-2", Event::new(fact, at("2026-03-02 11:00"))),
        ErrorKind::InvalidEvent,
        "`expedited`",
    );
    let attribute = Request::new("C-3", at("2026-03-02 10:00")).attribute("expedite", "yes");
    assert_eq!(db.submit(&attribute).unwrap_err().kind(), ErrorKind::InvalidArgument);

    let silent = Policy::from_toml(
        &POLICY.replace("[expedites]\n    per_month = 2\n    approvers = [\"bob\", \"eve\"]", ""),
    )
    .unwrap();
    let db = Db::in_memory(&silent).unwrap();
    db.submit(&Request::new("C-1", at("2026-03-02 10:00")).customer("north")).unwrap();
    refused(
        db.record("C-1", expedite("2026-03-02 11:00", "ann")),
        ErrorKind::InvalidEvent,
        "foresees no expedites",
    );
    assert_eq!(
        db.expedite_quota("north", at("2026-03-02 11:00")).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
}

#[test]
fn a_batch_counts_its_own_expedites() {
    let db = Db::in_memory(&policy()).unwrap();
    let mut rows = Vec::new();
    for number in 0..5 {
        let id = format!("C-{number}");
        rows.push(Operation::Submit(Request::new(&id, at("2026-03-02 10:00")).customer("north")));
        rows.push(Operation::Record { id, event: expedite("2026-03-02 11:00", "ann") });
    }
    assert_eq!(db.apply(&rows, OnError::Abort).unwrap_err().kind(), ErrorKind::QuotaExceeded);
    assert_eq!(db.info().unwrap().requests, 0, "nothing is half written");
    let outcomes = db.apply(&rows, OnError::Skip).unwrap();
    let skipped = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    assert_eq!(skipped, 3);
    assert_eq!(use_of(&db), [("north".into(), "2026-03".into(), 2, 0)]);
    proven(&db);
}

#[test]
fn writers_together_never_overrun_a_quota() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    let db = Db::create(&path, &policy(), Options::default()).unwrap();
    for number in 0..24 {
        let request = Request::new(format!("C-{number}"), at("2026-03-02 10:00")).customer("north");
        db.submit(&request).unwrap();
    }
    let accepted: usize = std::thread::scope(|scope| {
        let work = |thread: usize| {
            let path = &path;
            move || {
                // Handles of their own, as other processes would have.
                let db = Db::open(path, Options::default()).unwrap();
                let mine = (0..24).filter(|number| number % 4 == thread);
                let results =
                    mine.map(|number| db.record(&format!("C-{number}"), expedite("2026-03-02 11:00", "ann")));
                results
                    .filter(|result| match result {
                        Ok(_) => true,
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error}");
                            false
                        }
                    })
                    .count()
            }
        };
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(work(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(accepted, 2);
    assert_eq!(use_of(&db), [("north".into(), "2026-03".into(), 2, 0)]);
    proven(&db);
    db.compact().unwrap();
    drop(db);
    let db = Db::open(&path, Options::default()).unwrap();
    refused(db.record("C-9", expedite("2026-03-03 11:00", "ann")), ErrorKind::QuotaExceeded, "2 of 2");
    proven(&db);
}

fn event(kind: EventKind, when: &str, by: &str) -> Event {
    Event::new(kind, at(when)).by(by)
}

#[test]
fn a_refusal_takes_two_people_and_clocks_run_meanwhile() {
    let db = db_with(&[("C-1", "2026-03-02 10:00", "north"), ("C-2", "2026-03-02 10:00", "north")]);
    let approve = |when: &str, by: &str| event(EventKind::RefusalApproved, when, by);
    let propose = |when: &str, by: &str| event(EventKind::RefusalProposed, when, by).text("not our product");
    refused(
        db.record("C-1", approve("2026-03-02 10:20", "bob")),
        ErrorKind::InvalidEvent,
        "no open proposal",
    );
    let silent = event(EventKind::RefusalProposed, "2026-03-02 10:30", "ann");
    refused(db.record("C-1", silent), ErrorKind::InvalidEvent, "must say why");
    let answer = db.record("C-1", propose("2026-03-02 10:30", "ann")).unwrap();
    assert_eq!(answer.clocks[0].stage, Stage::OnTrack, "the customer's clock runs on");
    assert_eq!(
        answer.clocks[4].due_at,
        Some(at("2026-03-02 14:30")),
        "and the second person has a clock too"
    );
    refused(
        db.record("C-1", propose("2026-03-02 10:40", "eve")),
        ErrorKind::InvalidEvent,
        "`ann` has proposed it",
    );
    refused(
        db.record("C-1", approve("2026-03-02 10:40", "ann")),
        ErrorKind::InvalidEvent,
        "`ann` has proposed the refusal; a second person must approve it",
    );
    refused(db.record("C-1", approve("2026-03-02 10:40", "eve")), ErrorKind::InvalidEvent, "may: bob, ann");
    assert_eq!(db.get("C-1").unwrap().state, RequestState::Open);
    // Nobody decides: it shows in the scan and in the feed.
    let now = at("2026-03-02 15:00");
    let late = db.scan(&Query::at(now).clock("decision"), Page::first(10)).unwrap().rows;
    assert_eq!((late[0].request.as_str(), late[0].stage), ("C-1", Stage::Breached));
    let notices = db.feed("desk").unwrap().advance(now).unwrap();
    assert!(notices.iter().any(|notice| notice.clock == "decision" && notice.at == at("2026-03-02 14:30")));

    let answer = db.record("C-1", approve("2026-03-02 16:00", "bob")).unwrap();
    let stages: Vec<Stage> = answer.clocks.iter().map(|clock| clock.stage).collect();
    assert_eq!((stages[0], stages[4]), (Stage::Cancelled, Stage::Missed));
    assert_eq!(db.get("C-1").unwrap().state, RequestState::Refused { at: at("2026-03-02 16:00") });
    refused(
        db.record("C-1", approve("2026-03-02 17:00", "bob")),
        ErrorKind::InvalidEvent,
        "no open proposal",
    );
    // Reopened, it has what remained, and can be refused again.
    let answer = db.record("C-1", event(EventKind::Reopened, "2026-03-03 10:00", "bob")).unwrap();
    assert_eq!(answer.clocks[0].stage, Stage::OnTrack);
    db.record("C-1", propose("2026-03-03 10:30", "bob")).unwrap();
    db.record("C-1", event(EventKind::RefusalWithdrawn, "2026-03-03 10:40", "bob")).unwrap();
    refused(
        db.record("C-1", approve("2026-03-03 11:00", "ann")),
        ErrorKind::InvalidEvent,
        "no open proposal",
    );
    // A late withdrawal that comes before an approval takes its effect away: state follows from the events.
    db.record("C-2", propose("2026-03-02 10:30", "ann")).unwrap();
    db.record("C-2", approve("2026-03-02 12:00", "bob")).unwrap();
    db.record("C-2", event(EventKind::RefusalWithdrawn, "2026-03-02 11:00", "ann")).unwrap();
    assert_eq!(db.get("C-2").unwrap().state, RequestState::Open);
    proven(&db);
}

fn waive(when: &str, by: &str, clock: &str, cycle: u32) -> Event {
    event(EventKind::Waived { clock: clock.into(), cycle }, when, by).text("power cut at the customer's")
}

#[test]
fn a_waiver_changes_the_adjusted_figure_only() {
    let db = db_with(&[
        ("C-1", "2026-03-02 10:00", "north"),
        ("C-2", "2026-03-02 10:00", "north"),
        ("C-3", "2026-03-02 10:00", "north"),
    ]);
    db.record("C-1", event(EventKind::Resolved, "2026-03-02 17:00", "ann")).unwrap();
    db.record("C-2", event(EventKind::Resolved, "2026-03-03 12:00", "ann")).unwrap();
    let wrong = [
        (
            "C-2",
            waive("2026-03-03 13:00", "ann", "resolution", 1),
            "`ann` may not excuse a miss; those who may: bob",
        ),
        ("C-1", waive("2026-03-03 13:00", "bob", "resolution", 1), "is met at"),
        ("C-2", waive("2026-03-03 13:00", "bob", "resolution", 2), "has no cycle 2"),
        ("C-2", waive("2026-03-03 13:00", "bob", "resolutoin", 1), "did you mean `resolution`?"),
        ("C-2", waive("2026-03-02 17:59", "bob", "resolution", 1), "is on_track at"),
        // Due at 18:00 exactly: the miss begins a second later.
        ("C-3", waive("2026-03-02 18:00", "bob", "resolution", 1), "is on_track at"),
        ("C-2", waive("2026-03-03 13:00", "bob", "resolution", 0), "counted from 1"),
        (
            "C-2",
            event(EventKind::Waived { clock: "resolution".into(), cycle: 1 }, "2026-03-03 13:00", "bob"),
            "must say why",
        ),
    ];
    for (id, event, says) in wrong {
        refused(db.record(id, event), ErrorKind::InvalidEvent, says);
    }
    let now = at("2026-04-02 12:00");
    db.advance(at("2026-03-04 10:00")).unwrap();
    let answer = db.record("C-2", waive("2026-03-03 13:00", "bob", "resolution", 1).key("w1")).unwrap();
    assert_eq!(
        (answer.clocks[0].stage, answer.clocks[0].waived_at),
        (Stage::Missed, Some(at("2026-03-03 13:00")))
    );
    let again = db.record("C-2", waive("2026-03-03 13:00", "bob", "resolution", 1).key("w1")).unwrap();
    assert_eq!(again.outcome, Outcome::AlreadyRecorded);
    refused(
        db.record("C-2", waive("2026-03-03 14:00", "bob", "resolution", 1)),
        ErrorKind::InvalidEvent,
        "was waived before, by `bob`",
    );
    // A miss that lasts can be excused too; it stays in the queue, marked.
    db.record("C-3", waive("2026-03-04 11:00", "bob", "resolution", 1)).unwrap();
    let rows = db.late(at("2026-03-04 12:00"), Page::first(10)).unwrap().rows;
    assert_eq!((rows[0].request.as_str(), rows[0].waived), ("C-3", true));

    let month = &db.attainment(Month::of(2026, 3), now).unwrap()[0];
    assert_eq!((month.tally.met, month.tally.missed, month.tally.waived), (1, 2, 2));
    assert_eq!((month.tally.share_bp(), month.adjusted().tally.share_bp()), (Some(3_333), Some(10_000)));
    let text = month.to_string();
    assert!(text.contains("33.33 % of 3 by resolution (100 % without 2 waived)"), "{text}");
    let march = slaclock::PeriodRange::parse("2026-03").unwrap();
    let groups =
        db.attainment_by(&AttainmentQuery::at(now).period(march).clock("resolution").by("customer")).unwrap();
    let json = serde_json::to_value(&groups).unwrap();
    assert_eq!(json[0]["share_bp"], 3_333);
    assert_eq!(json[0]["adjusted"]["share_bp"], 10_000);
    assert_eq!((&json[0]["verdict"], &json[0]["adjusted"]["verdict"]), (&"broken".into(), &"kept".into()));
    // Both figures lead to ids.
    let judged = db.judged(&AttainmentQuery::at(now).clock("resolution")).unwrap();
    let waived: Vec<&str> = judged.iter().filter(|row| row.waived).map(|row| row.request.as_str()).collect();
    assert_eq!((judged.len(), waived), (3, vec!["C-2", "C-3"]));
    let waiver = &judged[1].waivers[0];
    assert_eq!(
        (waiver.by.as_deref(), waiver.reason.as_deref()),
        (Some("bob"), Some("power cut at the customer's"))
    );

    // In the feed: given once, at the waiver's instant, and taken back when the waiver is.
    let feed = db.feed("desk").unwrap();
    let told = |db: &Db| -> Vec<(String, bool)> {
        let notices = db.feed("desk").unwrap().advance(now).unwrap();
        let waived = notices.into_iter().filter(|notice| notice.threshold == ThresholdKind::Waived);
        waived.map(|notice| (notice.request, notice.retracted)).collect()
    };
    assert_eq!(told(&db), [("C-2".to_owned(), false), ("C-3".to_owned(), false)]);
    proven(&db);
    let back = EventKind::WaiverWithdrawn { clock: "resolution".into(), cycle: 1 };
    refused(
        db.record("C-1", event(back.clone(), "2026-03-05 10:00", "bob")),
        ErrorKind::InvalidEvent,
        "is not waived",
    );
    db.record("C-2", event(back, "2026-03-05 10:00", "bob")).unwrap();
    assert_eq!(told(&db).last(), Some(&("C-2".to_owned(), true)));
    assert_eq!(db.attainment(Month::of(2026, 3), now).unwrap()[0].tally.waived, 1);
    assert!(feed.pending(100).unwrap().windows(2).all(|pair| pair[1].number == pair[0].number + 1));
    proven(&db);
}

#[test]
fn a_late_event_that_cures_a_miss_leaves_nothing_to_excuse() {
    let db = db_with(&[("C-1", "2026-03-02 10:00", "north")]);
    db.record("C-1", event(EventKind::Resolved, "2026-03-03 12:00", "ann")).unwrap();
    db.record("C-1", waive("2026-03-03 13:00", "bob", "resolution", 1)).unwrap();
    db.advance(at("2026-03-04 10:00")).unwrap();
    // It was on hold all the time, only nobody had written it down.
    let hold = EventKind::Paused { reason: "waiting_customer".into() };
    db.record("C-1", event(hold, "2026-03-02 11:00", "ann")).unwrap();
    let tally = db.attainment(Month::of(2026, 3), at("2026-04-02 12:00")).unwrap()[0].tally;
    assert_eq!((tally.met, tally.missed, tally.waived), (1, 0, 0));
    let notices = db.feed("desk").unwrap().pending(100).unwrap();
    let waived = |retracted: bool| {
        notices.iter().filter(|it| it.threshold == ThresholdKind::Waived && it.retracted == retracted).count()
    };
    assert_eq!((waived(false), waived(true)), (1, 1));
    proven(&db);
}

#[test]
fn a_waiver_at_the_very_limit_is_told() {
    let db = db_with(&[("C-1", "2026-03-02 10:00", "north")]);
    let limit = db.get("C-1").unwrap().clocks[0].limit_at.unwrap();
    let kind = EventKind::Waived { clock: "resolution".into(), cycle: 1 };
    db.record("C-1", Event::new(kind, limit).by("bob").text("flood")).unwrap();
    let notices = db.feed("desk").unwrap().advance(at("2026-03-20 10:00")).unwrap();
    let kinds: Vec<ThresholdKind> =
        notices.iter().filter(|notice| notice.clock == "resolution").map(|notice| notice.threshold).collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    assert!(kinds.contains(&ThresholdKind::Waived));
    proven(&db);
}

fn contacted(vendor: &str, when: &str) -> Event {
    event(EventKind::VendorContacted { vendor: vendor.into() }, when, "ann")
}

fn answered(vendor: &str, when: &str) -> Event {
    event(EventKind::VendorReplied { vendor: vendor.into() }, when, "ann")
}

#[test]
fn a_vendors_clock_runs_on_its_calendar_and_knows_its_name() {
    let db = db_with(&[("C-1", "2026-03-02 10:00", "north")]);
    // 10:00 in Moscow is 16:00 in Tokyo: one hour today, three tomorrow.
    let answer = db.record("C-1", contacted("acme", "2026-03-02 10:00")).unwrap();
    let (acme, any) = (&answer.clocks[1], &answer.clocks[2]);
    assert_eq!((acme.cycle, acme.due_at), (1, Some(at("2026-03-03 06:00"))));
    assert_eq!((any.cycle, any.due_at), (1, Some(at("2026-03-04 18:00"))));
    // Another vendor neither restarts nor stops it.
    let answer = db.record("C-1", contacted("bolt", "2026-03-02 10:30")).unwrap();
    assert_eq!((answer.clocks[1].cycle, answer.clocks[2].cycle), (1, 1));
    let answer = db.record("C-1", answered("bolt", "2026-03-02 11:00")).unwrap();
    assert_eq!((answer.clocks[1].stage, answer.clocks[2].stage), (Stage::OnTrack, Stage::Met));
    // Another contact with the vendor restarts it.
    let answer = db.record("C-1", contacted("acme", "2026-03-03 05:00")).unwrap();
    assert_eq!((answer.clocks[1].cycle, answer.clocks[1].due_at), (2, Some(at("2026-03-03 09:00"))));
    let answer = db.record("C-1", answered("acme", "2026-03-03 09:00")).unwrap();
    assert_eq!(answer.clocks[1].stage, Stage::Met);
    proven(&db);
}

fn line(group: &WaitGroup) -> (String, u64, u64, i64, i64, u64, i64) {
    let party = match &group.party {
        Party::Vendor(name) => name.clone(),
        Party::Customer => "customer".to_owned(),
    };
    let (closed, open) = (&group.closed, &group.open);
    let hours = |seconds: i64| seconds / 3_600;
    (
        party,
        closed.waits,
        closed.requests,
        hours(closed.elapsed.as_secs()),
        hours(closed.working.as_secs()),
        open.waits,
        hours(open.elapsed.as_secs()),
    )
}

#[test]
fn waits_say_with_whom_the_time_was_spent() {
    let db = db_with(&[
        ("C-1", "2026-03-02 10:00", "north"),
        ("C-2", "2026-03-02 10:00", "north"),
        ("C-3", "2026-03-02 10:00", "south"),
    ]);
    db.record("C-1", contacted("acme", "2026-03-02 10:00")).unwrap();
    db.record("C-1", contacted("acme", "2026-03-02 12:00")).unwrap();
    db.record("C-1", contacted("bolt", "2026-03-02 12:00")).unwrap();
    db.record("C-1", answered("acme", "2026-03-03 10:00")).unwrap();
    db.record("C-1", event(EventKind::Resolved, "2026-03-03 12:00", "ann")).unwrap();
    // Nobody wrote down who answered: the one contacted last.
    db.record("C-2", contacted("acme", "2026-03-02 12:00")).unwrap();
    db.record("C-2", answered("", "2026-03-02 13:00")).unwrap();
    db.record("C-3", contacted("acme", "2026-03-04 10:00")).unwrap();
    let hold = EventKind::Paused { reason: "waiting_customer".into() };
    db.record("C-3", event(hold, "2026-03-02 12:00", "ann")).unwrap();
    db.record("C-3", event(EventKind::Resumed, "2026-03-03 12:00", "ann")).unwrap();
    let report = db.waits(None, at("2026-03-04 16:00")).unwrap();
    let lines: Vec<_> = report.groups.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            // 24 h, of which Tokyo works from 10:00 to 11:00 and from 03:00 to 10:00 Moscow's time; and 1 h outside.
            ("acme".to_owned(), 2, 2, 25, 8, 0, 0),
            ("acme".to_owned(), 0, 0, 0, 0, 1, 6),
            ("bolt".to_owned(), 1, 1, 24, 9, 0, 0),
            ("customer".to_owned(), 1, 1, 24, 9, 0, 0),
        ]
    );
    assert_eq!((report.groups[0].calendar.as_str(), report.groups[2].calendar.as_str()), ("acme", "office"));
    let ids: Vec<&str> = report.groups[0].entries.iter().map(|entry| entry.request.as_str()).collect();
    assert_eq!((ids, report.groups[0].entries[0].contacts), (vec!["C-1", "C-2"], 2));
    assert_eq!(report.vendor_requests.len(), 3);
    let first = &report.vendor_requests[0];
    assert_eq!(
        (first.vendors.as_slice(), first.contacts, first.replies),
        (&["acme".to_owned(), "bolt".to_owned()][..], 3, 1)
    );
    assert_eq!(report.vendor_requests[2].awaited, ["acme"]);
    // As of an earlier instant, what came later is unknown.
    let before = db.waits(None, at("2026-03-02 12:30")).unwrap();
    assert_eq!(before.groups.iter().map(|group| group.open.waits).sum::<u64>(), 4);
    let none = slaclock::PeriodRange::parse("2026-02").unwrap();
    assert_eq!(db.waits(Some(none), at("2026-03-04 16:00")).unwrap(), slaclock::db::WaitReport::default());
}

#[test]
fn a_promised_call_back_is_in_the_scan_and_in_the_feed() {
    let db = db_with(&[("C-1", "2026-03-02 10:00", "north"), ("C-2", "2026-03-02 10:00", "north")]);
    let promise = |due: &str| event(EventKind::Promised { due: at(due) }, "2026-03-02 10:30", "ann");
    db.record("C-1", promise("2026-03-02 12:00")).unwrap();
    db.record("C-2", promise("2026-03-02 12:00")).unwrap();
    db.record("C-2", event(EventKind::Replied, "2026-03-02 12:00", "ann")).unwrap();
    let now = at("2026-03-02 12:01");
    let rows = db.scan(&Query::at(now).clock("call_back"), Page::first(10)).unwrap().rows;
    assert_eq!(rows.len(), 1, "answered at the promised instant is kept");
    assert_eq!(
        (rows[0].request.as_str(), rows[0].stage, rows[0].due_at),
        ("C-1", Stage::Breached, at("2026-03-02 12:00"))
    );
    for _ in 0..2 {
        db.advance(now).unwrap();
    }
    let notices = db.feed("desk").unwrap().pending(10).unwrap();
    let told: Vec<_> = notices.iter().filter(|notice| notice.clock == "call_back").collect();
    assert_eq!((told.len(), told[0].request.as_str(), told[0].at), (1, "C-1", at("2026-03-02 12:00")));
    // Buying time again is a promise of its own: the first is broken and stays so.
    let again = Event::new(EventKind::Promised { due: at("2026-03-02 15:00") }, at("2026-03-02 13:00"));
    let answer = db.record("C-1", again).unwrap();
    assert_eq!((answer.clocks[3].cycle, answer.clocks[3].due_at), (2, Some(at("2026-03-02 15:00"))));
    proven(&db);
}

#[test]
fn a_request_nobody_attends_to_is_in_the_scan_and_in_the_feed() {
    let db = db_with(&[("C-1", "2026-03-02 10:00", "north"), ("C-2", "2026-03-02 10:00", "north")]);
    // Nine working hours from Monday 10:00: Tuesday 10:00. What the customer does is no attention.
    db.record("C-1", event(EventKind::CustomerReplied, "2026-03-02 15:00", "kim")).unwrap();
    db.record("C-2", event(EventKind::Note, "2026-03-02 15:00", "ann").text("asked the printer")).unwrap();
    let now = at("2026-03-03 10:01");
    let rows = db.scan(&Query::at(now).clock("unattended"), Page::first(10)).unwrap().rows;
    let seen: Vec<_> = rows.iter().map(|row| (row.request.as_str(), row.stage)).collect();
    assert_eq!(seen, [("C-1", Stage::Breached), ("C-2", Stage::OnTrack)]);
    assert_eq!(rows[1].due_at, at("2026-03-03 15:00"));
    let notices = db.feed("desk").unwrap().advance(now).unwrap();
    let told: Vec<_> = notices.iter().filter(|notice| notice.clock == "unattended").collect();
    assert_eq!((told.len(), told[0].request.as_str(), told[0].at), (1, "C-1", at("2026-03-03 10:00")));
    // Every kind of attention begins it anew, and the end of the request ends it.
    for (minute, kind) in [
        EventKind::Acknowledged,
        EventKind::Assigned { to: "eve".into() },
        EventKind::Updated,
        EventKind::Changed { facts: [("priority".to_owned(), "high".to_owned())].into() },
        EventKind::Promised { due: at("2026-03-05 10:00") },
        EventKind::VendorContacted { vendor: "acme".into() },
    ]
    .into_iter()
    .enumerate()
    {
        let when = Instant::from_secs(at("2026-03-03 11:00").as_secs() + 60 * minute as i64).unwrap();
        let answer = db.record("C-1", Event::new(kind, when).by("ann")).unwrap();
        assert_eq!(answer.clocks[5].started_at, Some(when));
        assert_eq!(answer.clocks[5].cycle, 2 + minute as u32);
    }
    let answer = db.record("C-1", event(EventKind::Resolved, "2026-03-03 12:00", "ann")).unwrap();
    assert_eq!(answer.clocks[5].stage, Stage::Met);
    proven(&db);
}

#[test]
fn explanations_speak_of_expedites_refusals_and_waivers() {
    let db = db_with(&[("C-1", "2026-03-02 10:00", "north")]);
    db.record("C-1", approved("2026-03-02 10:30", "ann", "bob")).unwrap();
    db.record("C-1", event(EventKind::RefusalProposed, "2026-03-02 11:00", "eve").text("not ours")).unwrap();
    db.record("C-1", waive("2026-03-02 13:00", "bob", "resolution", 1)).unwrap();
    let text = db.explain("C-1", "resolution", at("2026-03-02 14:00")).unwrap().to_string();
    for line in [
        "changed   Mon 2026-03-02 10:30 MSK: expedited by ann, approved by bob; rule 1 counts, worked out anew from the start",
        "refusal   proposed Mon 2026-03-02 11:00 MSK by eve: not ours; waits for a second person, and clocks run on",
        "waived    Mon 2026-03-02 13:00 MSK by bob: power cut at the customer's; it is left out of the adjusted figure",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let text = db.explain("C-1", "acme", at("2026-03-02 14:00")).unwrap().to_string();
    assert!(text.contains("vendors   only contacts with acme count"), "{text}");
}

#[test]
fn results_are_documents_that_read_back() {
    let db = db_with(&[("C-1", "2026-03-02 10:00", "north")]);
    db.record("C-1", expedite("2026-03-02 10:30", "ann")).unwrap();
    db.record("C-1", contacted("acme", "2026-03-02 11:00")).unwrap();
    db.record("C-1", waive("2026-03-03 13:00", "bob", "resolution", 1)).unwrap();
    let now = at("2026-03-04 10:00");
    fn again<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
        let text = serde_json::to_string(value).unwrap();
        assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
    }
    again(&db.expedites(None).unwrap());
    again(&db.expedite_quota("north", now).unwrap());
    again(&db.waits(None, now).unwrap());
    again(&db.judged(&AttainmentQuery::at(now)).unwrap());
    for event in db.get("C-1").unwrap().events {
        again(&event);
    }
}

#[test]
fn what_was_permitted_once_is_salvaged_whatever_the_order() {
    let folder = tempfile::tempdir().unwrap();
    let (path, saved) = (folder.path().join("care.slaclock"), folder.path().join("saved.slaclock"));
    let reading =
        POLICY.replace("version = 1", "version = 1\n    readers = \"ann\"\n    read_by = 2026-01-31");
    let db = Db::create(&path, &Policy::from_toml(&reading).unwrap(), Options::default()).unwrap();
    for number in 1..=4 {
        db.submit(&Request::new(format!("C-{number}"), at("2026-03-02 10:00")).customer("north")).unwrap();
    }
    // The last ones first: read back request by request, the quota would have been used up by C-1 and C-2.
    db.record("C-4", expedite("2026-03-02 11:00", "ann")).unwrap();
    db.record("C-3", expedite("2026-03-02 11:00", "ann")).unwrap();
    db.record("C-3", event(EventKind::ExpediteWithdrawn, "2026-03-02 12:00", "ann")).unwrap();
    db.record("C-2", expedite("2026-03-02 13:00", "ann")).unwrap();
    db.record("C-1", approved("2026-03-02 13:00", "ann", "bob")).unwrap();
    db.record("C-1", waive("2026-03-04 13:00", "bob", "resolution", 1)).unwrap();
    let read = slaclock::db::Acknowledgement {
        version: 1,
        duty: slaclock::db::Duty::Reading,
        by: "ann".into(),
        at: at("2026-01-20 10:00"),
    };
    db.acknowledge_policy(&read).unwrap();
    let before = db.expedites(None).unwrap();
    db.close().unwrap();
    let done = Db::salvage(&path, &saved, &slaclock::SalvageOptions::default()).unwrap();
    assert!(done.is_complete(), "{done:?}");
    let db = Db::open(&saved, Options::default()).unwrap();
    assert_eq!(db.expedites(None).unwrap(), before);
    assert_eq!(db.acknowledgements().unwrap(), [read]);
    proven(&db);
}
