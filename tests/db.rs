//! The database through its public face: what could go wrong is a lost or doubled write, an index that disagrees with
//! the records, a stage counted wrongly, a notice given twice or never. Each is compared with what the events say.

use slaclock::{
    AttainmentQuery, Db, Durability, ErrorKind, Event, EventKind, Instant, Mode, Month, OnError, Operation,
    Options, Outcome, Page, Policy, Query, Request, Stage,
};

const POLICY: &str = r#"
    [policy]
    name = "care"
    version = 1
    statement = "Handled within eight working hours; the rest within three working days."

    [calendar.office]
    zone = "Europe/Moscow"
    hours = { mon-fri = "09:00-18:00" }

    [[clock]]
    name = "first_response"
    start = "received"
    stop = ["replied", "resolved"]
    target = { working = "1h" }
    reopen = "none"

    [[clock]]
    name = "resolution"
    start = "received"
    stop = "resolved"
    pause = ["waiting_customer"]
    target = { working = "8h" }
    backstop = { working_days = 3 }
    warn_at = ["50 %", "75 %"]
    attainment = { share = "95 %", per = "month" }

    [[clock]]
    name = "update"
    start = "resolution.late"
    restart = "updated"
    stop = "resolved"
    target = { working_days = 1, at = "same time" }
"#;

fn policy() -> Policy {
    Policy::from_toml(POLICY).unwrap()
}

/// A civil time in Moscow.
fn at(text: &str) -> Instant {
    Instant::parse(&format!("{}:00+03:00", text.replace(' ', "T"))).unwrap()
}

#[test]
fn a_request_goes_through_its_life() {
    let db = Db::in_memory(&policy()).unwrap();
    let answer = db.submit(&Request::new("CASE-1", at("2026-03-02 10:00")).customer("acme")).unwrap();
    assert_eq!(answer.outcome, Outcome::Recorded);
    assert_eq!(answer.clocks[1].due_at, Some(at("2026-03-02 18:00")));
    assert_eq!(answer.clocks[1].limit_at, Some(at("2026-03-05 18:00")));

    let paused = Event::new(EventKind::Paused { reason: "waiting_customer".into() }, at("2026-03-02 12:00"));
    let answer = db.record("CASE-1", paused).unwrap();
    assert_eq!((answer.clocks[1].due_at, answer.clocks[1].stage), (None, Stage::Paused));
    let answer = db.record("CASE-1", Event::new(EventKind::Resumed, at("2026-03-03 12:00"))).unwrap();
    assert_eq!(answer.clocks[1].due_at, Some(at("2026-03-03 18:00")));

    let now = at("2026-03-03 18:01");
    let late = db.late(now, Page::first(10)).unwrap().rows;
    assert_eq!(late.len(), 1);
    assert_eq!((late[0].request.as_str(), late[0].clock.as_str()), ("CASE-1", "resolution"));
    let breached = db.breached(now, Page::first(10)).unwrap().rows;
    assert_eq!(breached[0].clock, "first_response");
    db.record("CASE-1", Event::new(EventKind::Resolved, now)).unwrap();
    assert_eq!(db.counts(now).unwrap().missed, 2);
    assert_eq!(db.counts(now).unwrap().open(), 0);
    assert_eq!(db.verify().unwrap().differences, []);
}

#[test]
fn repeating_a_call_changes_nothing_and_other_content_is_a_conflict() {
    let db = Db::in_memory(&policy()).unwrap();
    let request = Request::new("CASE-1", at("2026-03-02 10:00"));
    let event = Event::new(EventKind::Replied, at("2026-03-02 10:30")).key("mail-7");
    assert_eq!(db.submit(&request).unwrap().outcome, Outcome::Recorded);
    assert_eq!(db.submit(&request).unwrap().outcome, Outcome::AlreadyRecorded);
    assert_eq!(db.record("CASE-1", event.clone()).unwrap().outcome, Outcome::Recorded);
    assert_eq!(db.record("CASE-1", event.clone()).unwrap().outcome, Outcome::AlreadyRecorded);
    let other = db.submit(&request.clone().priority("high")).unwrap_err();
    assert_eq!(other.kind(), ErrorKind::Conflict);
    let other = Event { at: at("2026-03-02 10:31"), ..event };
    assert_eq!(db.record("CASE-1", other).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(db.info().unwrap().events, 1);
}

#[test]
fn wrong_rows_are_named_and_nothing_is_half_written() {
    let db = Db::in_memory(&policy()).unwrap();
    let received = at("2026-03-02 10:00");
    let batch = [
        Operation::Submit(Request::new("A", received)),
        Operation::Record { id: "B".into(), event: Event::new(EventKind::Replied, received) },
        Operation::Record { id: "A".into(), event: Event::new(EventKind::Replied, at("2026-03-02 09:59")) },
    ];
    let error = db.apply(&batch, OnError::Abort).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::NotFound, "row 1 of 3: request `B`: there is no such request")
    );
    assert_eq!(db.info().unwrap().requests, 0);
    let outcomes = db.apply(&batch, OnError::Skip).unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap(), &Outcome::Recorded);
    assert_eq!(outcomes[1].as_ref().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(outcomes[2].as_ref().unwrap_err().kind(), ErrorKind::InvalidEvent);
    assert_eq!((db.info().unwrap().requests, db.info().unwrap().events), (1, 0));
}

#[test]
fn pages_join_without_gap_or_repetition() {
    let db = Db::in_memory(&policy()).unwrap();
    let start = at("2026-03-02 09:00").as_secs();
    let rows: Vec<Operation> = (0..250)
        .map(|at| Request::new(format!("R{at}"), Instant::from_secs(start + (at % 7) * 60).unwrap()))
        .map(Operation::Submit)
        .collect();
    db.apply(&rows, OnError::Abort).unwrap();
    let query = Query::at(at("2026-03-10 09:00"));
    let whole = db.scan(&query, Page::first(1_000)).unwrap().rows;
    assert_eq!(whole.len(), 750);
    assert!(whole.is_sorted_by_key(|row| row.due_at));
    let (mut pieces, mut page) = (Vec::new(), Page::first(7));
    loop {
        let found = db.scan(&query, page).unwrap();
        pieces.extend(found.rows);
        match found.next {
            Some(key) => page = Page::after(key, 7),
            None => break,
        }
    }
    assert_eq!(pieces, whole);
    assert_eq!(db.scan(&query, Page::first(0)).unwrap_err().kind(), ErrorKind::OutOfRange);
}

#[test]
fn the_feed_gives_each_crossing_once_and_takes_back_what_was_not_true() {
    let db = Db::in_memory(&policy()).unwrap();
    db.submit(&Request::new("CASE-1", at("2026-03-02 10:00"))).unwrap();
    let feed = db.feed("mailer").unwrap();
    // 10:00 + 1 h for the first response, + 4 h and 6 h for the warnings.
    let seen = feed.advance(at("2026-03-02 16:30")).unwrap();
    let texts: Vec<String> = seen
        .iter()
        .map(|notice| format!("{} {} {:?} {}", notice.number, notice.clock, notice.threshold, notice.at))
        .collect();
    assert_eq!(
        texts,
        [
            "1 first_response Breached 2026-03-02T08:00:00Z",
            "2 resolution Warning(50) 2026-03-02T11:00:00Z",
            "3 resolution Warning(75) 2026-03-02T13:00:00Z",
        ]
    );
    assert_eq!(feed.advance(at("2026-03-02 16:30")).unwrap(), seen);
    feed.acknowledge(3).unwrap();
    assert_eq!(feed.advance(at("2026-03-02 16:31")).unwrap(), []);
    assert_eq!(feed.acknowledge(4).unwrap_err().kind(), ErrorKind::OutOfRange);

    // It had been answered in time; that was recorded late.
    db.record("CASE-1", Event::new(EventKind::Replied, at("2026-03-02 10:50"))).unwrap();
    let taken_back = feed.pending(10).unwrap();
    assert_eq!(taken_back.len(), 1);
    assert!(taken_back[0].retracted);
    assert_eq!((taken_back[0].number, taken_back[0].clock.as_str()), (4, "first_response"));
    // The due instant itself is in time; one second later it is late, and the update clock is armed.
    assert_eq!(db.advance(at("2026-03-02 18:00")).unwrap(), 0);
    // Of the one request of the month none may be missed.
    assert_eq!(db.advance(Instant::from_secs(at("2026-03-02 18:00").as_secs() + 1).unwrap()).unwrap(), 2);
    assert_eq!(db.verify().unwrap().differences, []);
}

#[test]
fn a_file_keeps_what_was_written_across_folds_and_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    let db = Db::create(&path, &policy(), Options::default()).unwrap();
    assert_eq!(
        Db::create(&path, &policy(), Options::default()).unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    let start = at("2026-03-02 09:00").as_secs();
    let submits: Vec<Operation> = (0..2_000)
        .map(|at| {
            Request::new(format!("R{at}"), Instant::from_secs(start + at * 37).unwrap()).priority("high")
        })
        .map(Operation::Submit)
        .collect();
    db.apply(&submits, OnError::Abort).unwrap();
    db.compact().unwrap();
    let events: Vec<Operation> = (0..1_000)
        .map(|at| Operation::Record {
            id: format!("R{}", at * 2),
            event: Event::new(EventKind::Resolved, Instant::from_secs(start + 100_000 + at).unwrap()),
        })
        .collect();
    db.apply(&events, OnError::Abort).unwrap();
    let now = at("2026-03-20 12:00");
    db.advance(now).unwrap();
    let before = (db.counts(now).unwrap(), db.scan(&Query::at(now), Page::first(5_000)).unwrap());
    db.close().unwrap();
    assert_eq!(db.counts(now).unwrap_err().kind(), ErrorKind::Closed);

    let db = Db::open(&path, Options::default()).unwrap();
    assert_eq!((db.counts(now).unwrap(), db.scan(&Query::at(now), Page::first(5_000)).unwrap()), before);
    assert_eq!(db.check().unwrap().differences, []);
    db.compact().unwrap();
    assert_eq!((db.counts(now).unwrap(), db.scan(&Query::at(now), Page::first(5_000)).unwrap()), before);
    assert_eq!(db.check().unwrap().differences, []);
    assert_eq!(db.get("R7").unwrap().request.priority.as_deref(), Some("high"));
    assert_eq!(db.get("R8").unwrap().events.len(), 1);
    assert_eq!(db.get("R2000").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn two_handles_of_one_file_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    let one = Db::create(&path, &policy(), Options::default()).unwrap();
    let other = Db::open(&path, Options::default()).unwrap();
    let now = at("2026-03-20 12:00");
    for round in 0..5 {
        one.submit(&Request::new(format!("A{round}"), at("2026-03-02 10:00"))).unwrap();
        assert_eq!(other.counts(now).unwrap().breached, one.counts(now).unwrap().breached);
        other.record(&format!("A{round}"), Event::new(EventKind::Resolved, at("2026-03-02 11:00"))).unwrap();
        assert_eq!(one.counts(now).unwrap().met, 2 * (round + 1));
        if round == 2 {
            one.compact().unwrap_or_else(|error| panic!("{error}"));
        }
    }
    assert_eq!(other.verify().unwrap().differences, []);
}

#[test]
fn a_scan_in_the_past_leaves_out_what_came_later() {
    let db = Db::in_memory(&policy()).unwrap();
    db.submit(&Request::new("A", at("2026-03-02 10:00"))).unwrap();
    db.record("A", Event::new(EventKind::Resolved, at("2026-03-04 12:00"))).unwrap();
    db.submit(&Request::new("B", at("2026-03-04 13:00"))).unwrap();
    let then = at("2026-03-03 09:00");
    let late = db.late(then, Page::first(10)).unwrap().rows;
    assert_eq!(late.len(), 1);
    assert_eq!((late[0].request.as_str(), late[0].stage), ("A", Stage::Late));
    let counts = db.counts(then).unwrap();
    assert_eq!((counts.late, counts.breached, counts.on_track, counts.total()), (1, 1, 1, 3));
    let later = at("2026-03-04 13:01");
    assert_eq!(db.counts(later).unwrap().total(), 6);
}

#[test]
fn a_new_policy_version_holds_for_new_requests_only() {
    let db = Db::in_memory(&policy()).unwrap();
    let stricter =
        POLICY.replace("version = 1", "version = 2").replace("working = \"8h\"", "working = \"2h\"");
    let stricter = Policy::from_toml(&stricter).unwrap();
    db.submit(&Request::new("OLD", at("2026-03-02 10:00"))).unwrap();
    db.install(&stricter, at("2026-03-03 00:00")).unwrap();
    db.install(&stricter, at("2026-03-03 00:00")).unwrap();
    db.submit(&Request::new("NEW", at("2026-03-03 10:00"))).unwrap();
    // Received before the new version was in force, submitted after.
    db.submit(&Request::new("LATE", at("2026-03-02 23:59"))).unwrap();
    let due = |id: &str| db.get(id).unwrap().clocks[1].due_at.unwrap();
    assert_eq!(due("OLD"), at("2026-03-02 18:00"));
    assert_eq!(due("NEW"), at("2026-03-03 12:00"));
    assert_eq!(due("LATE"), at("2026-03-03 17:00"));
    assert_eq!(db.get("OLD").unwrap().policy, "care v1");
    assert_eq!(db.policies().unwrap().len(), 2);
    let error = db.install(&policy(), at("2026-04-01 00:00")).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Conflict, "policy `care` version 1: must be above the newest installed version, 2")
    );
    assert_eq!(db.verify().unwrap().differences, []);
}

#[test]
fn a_reader_follows_a_writer_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    let writer = Db::create(&path, &policy(), Options::default()).unwrap();
    let reader = Db::open(&path, Options::default().read_only()).unwrap();
    writer.submit(&Request::new("A", at("2026-03-02 10:00"))).unwrap();
    assert_eq!(reader.get("A").unwrap().clocks.len(), 3);
    let refused = reader.submit(&Request::new("B", at("2026-03-02 10:00"))).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ReadOnly);
    assert_eq!(reader.advance(at("2026-03-03 10:00")).unwrap_err().kind(), ErrorKind::ReadOnly);
    writer.submit(&Request::new("C", at("2026-03-02 10:00"))).unwrap();
    assert_eq!((reader.info().unwrap().requests, reader.get("C").unwrap().clocks.len()), (2, 3));
}

#[test]
fn what_is_newly_late_is_what_passed_due_since_the_last_look() {
    let db = Db::in_memory(&policy()).unwrap();
    for minute in 0..10 {
        db.submit(&Request::new(format!("R{minute}"), at(&format!("2026-03-02 10:0{minute}")))).unwrap();
    }
    let names = |last: &str, now: &str| -> Vec<String> {
        let rows = db.newly_late(at(last), at(now), Page::first(100)).unwrap().rows;
        rows.into_iter().map(|row| format!("{} {}", row.request, row.clock)).collect()
    };
    // Due at 11:00, 11:01, …: at 11:02 the first two have passed, the third is still in time.
    assert_eq!(names("2026-03-02 10:00", "2026-03-02 11:02"), ["R0 first_response", "R1 first_response"]);
    assert_eq!(names("2026-03-02 11:02", "2026-03-02 11:03"), ["R2 first_response"]);
    assert!(names("2026-03-02 11:03", "2026-03-02 11:03").is_empty());
    let next = db.next_due(at("2026-03-02 11:03")).unwrap().unwrap();
    assert_eq!((next.request.as_str(), next.due_at), ("R3", at("2026-03-02 11:03")));
}

#[test]
fn bulk_loading_needs_the_file_for_itself_and_is_durable_after_a_flush() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    let bulk = || Options::default().durability(Durability::BULK);
    assert_eq!(Db::create(&path, &policy(), bulk()).unwrap_err().kind(), ErrorKind::Unsupported);
    let db = Db::create(&path, &policy(), bulk().mode(Mode::Exclusive)).unwrap();
    for number in 0..50 {
        db.submit(&Request::new(format!("R{number}"), at("2026-03-02 10:00"))).unwrap();
    }
    let refused = Db::open(&path, Options::default().busy_timeout(std::time::Duration::from_millis(50)));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Busy);
    db.flush().unwrap();
    db.close().unwrap();
    let db = Db::open(&path, Options::default()).unwrap();
    assert_eq!(db.info().unwrap().requests, 50);
    assert_eq!(db.check().unwrap().differences, []);
}

#[test]
fn attainment_counts_what_was_received_in_the_period() {
    let db = Db::in_memory(&policy()).unwrap();
    for number in 0..20 {
        let priority = if number < 5 { "high" } else { "low" };
        let id = format!("R{number}");
        // The 20th came on the 1st of April by Moscow's clock, still in March by UTC's.
        let received = if number == 19 { at("2026-04-01 00:30") } else { at("2026-03-02 10:00") };
        db.submit(&Request::new(&id, received).priority(priority)).unwrap();
        if number != 7 {
            let handled =
                if number == 3 { at("2026-03-02 18:00").as_secs() + 1 } else { received.as_secs() + 60 };
            db.record(&id, Event::new(EventKind::Resolved, Instant::from_secs(handled).unwrap())).unwrap();
        }
    }
    let now = at("2026-04-10 12:00");
    let march = &db.attainment(Month::of(2026, 3), now).unwrap()[0];
    assert_eq!((march.tally.met, march.tally.missed, march.tally.counted()), (17, 2, 19));
    assert_eq!((march.tally.missed_within_limit, march.tally.missed_breached), (1, 1));
    assert_eq!(
        march.to_string(),
        "March 2026: 89.47 % of 19 by resolution; goal 95 %: broken; 2 misses too many"
    );
    let query =
        AttainmentQuery::at(now).period(slaclock::PeriodRange::parse("2026-Q1").unwrap()).by("priority");
    let groups = db.attainment_by(&query).unwrap();
    let high = &groups[0];
    assert_eq!(high.by, [("priority".to_owned(), Some("high".to_owned()))]);
    assert_eq!((high.attainment.tally.met, high.attainment.tally.missed), (4, 1));
    // As of the second of due the late one was still undecided.
    let then = &db.attainment(Month::of(2026, 3), at("2026-03-02 18:00")).unwrap()[0];
    assert_eq!((then.tally.missed, then.tally.undecided), (0, 2));
}

#[test]
fn a_scan_in_the_past_gives_each_clock_once_in_order_and_within_its_bounds() {
    let db = Db::in_memory(&policy()).unwrap();
    for number in 0..6 {
        db.submit(&Request::new(format!("R{number}"), at(&format!("2026-03-02 10:0{number}")))).unwrap();
    }
    // What comes later moves the due instants of half of them; at 10:30 nobody knew.
    for number in [0, 2, 4] {
        let id = format!("R{number}");
        db.record(&id, Event::new(EventKind::Note, at("2026-03-02 11:00"))).unwrap();
        let waiting = EventKind::Paused { reason: "waiting_customer".into() };
        db.record(&id, Event::new(waiting, at("2026-03-02 12:00"))).unwrap();
        db.record(&id, Event::new(EventKind::Resumed, at("2026-03-04 12:00"))).unwrap();
    }
    let then = Query::at(at("2026-03-02 10:30")).clock("resolution");
    let rows = db.scan(&then, Page::first(100)).unwrap().rows;
    assert_eq!(rows.len(), 6);
    assert!(
        rows.iter().all(|row| row.due_at == at("2026-03-02 18:00") || row.due_at > at("2026-03-03 09:00"))
    );
    assert!(rows.is_sorted_by_key(|row| row.due_at));
    let (mut pieces, mut page) = (Vec::new(), Page::first(2));
    loop {
        let found = db.scan(&then, page).unwrap();
        pieces.extend(found.rows);
        match found.next {
            Some(key) => page = Page::after(key, 2),
            None => break,
        }
    }
    assert_eq!(pieces, rows);
    let later = then.since(at("2026-03-03 12:00"));
    assert!(db.scan(&later, Page::first(100)).unwrap().rows.is_empty());
}

#[test]
fn a_request_is_judged_at_the_instant_asked_for() {
    let db = Db::in_memory(&policy()).unwrap();
    db.submit(&Request::new("A", at("2026-03-02 10:00"))).unwrap();
    let stage = |now: &str| db.get_at("A", at(now)).unwrap().clocks[1].stage;
    assert_eq!(
        [
            stage("2026-03-02 13:00"),
            stage("2026-03-02 17:00"),
            stage("2026-03-03 09:00"),
            stage("2026-03-09 09:00")
        ],
        [Stage::OnTrack, Stage::AtRisk, Stage::Late, Stage::Breached]
    );
    assert_eq!(db.get("A").unwrap().clocks[1].stage, Stage::OnTrack);
}

#[test]
fn what_is_taken_back_comes_before_what_replaces_it() {
    let text = POLICY.replace(
        "target = { working = \"8h\" }",
        "rules = [{ when = { priority = \"high\" }, target = { working = \"2h\" } }]\n    target = { working = \"8h\" }",
    );
    let db = Db::in_memory(&Policy::from_toml(&text).unwrap()).unwrap();
    db.submit(&Request::new("A", at("2026-03-02 10:00"))).unwrap();
    let feed = db.feed("mailer").unwrap();
    let told = feed.advance(at("2026-03-02 19:00")).unwrap();
    feed.acknowledge(told.last().unwrap().number).unwrap();
    let facts = [("priority".to_owned(), "high".to_owned())].into();
    db.record("A", Event::new(EventKind::Changed { facts }, at("2026-03-02 11:00"))).unwrap();
    let told = feed.pending(100).unwrap();
    assert!(told.iter().any(|notice| notice.retracted) && told.iter().any(|notice| !notice.retracted));
    assert!(told.is_sorted_by_key(|notice| !notice.retracted), "{told:?}");
}

#[test]
fn a_miss_stays_late_when_nothing_more_is_promised() {
    let text = POLICY.replace(
        "target = { working = \"8h\" }",
        "rules = [{ when = { priority = \"none\" }, target = \"none\" }]\n    target = { working = \"8h\" }",
    );
    let db = Db::in_memory(&Policy::from_toml(&text).unwrap()).unwrap();
    db.submit(&Request::new("A", at("2026-03-02 10:00"))).unwrap();
    let facts = [("priority".to_owned(), "none".to_owned())].into();
    db.record("A", Event::new(EventKind::Changed { facts }, at("2026-03-03 12:00"))).unwrap();
    for now in [at("2026-03-03 13:00"), at("2026-04-03 13:00")] {
        let late = db.scan(&Query::at(now).clock("resolution"), Page::first(10)).unwrap().rows;
        assert_eq!((late.len(), late[0].stage, late[0].limit_at), (1, Stage::Late, None));
        assert_eq!(db.get_at("A", now).unwrap().clocks[1].stage, Stage::Late);
        assert_eq!(db.counts(now).unwrap().late, 1);
    }
    assert_eq!(db.verify().unwrap().differences, []);
}
