//! Reminders: what could go wrong is a notice given twice or never, one that an earlier acknowledgement or a newer version
//! has taken away, a name nobody knows, and state that does not follow from what was recorded.

use slaclock::db::{Acknowledgement, Duty};
use slaclock::{Db, ErrorKind, Instant, Options, Outcome, Policy, ThresholdKind};

fn policy(version: u32, header: &str) -> Policy {
    let text = format!(
        r#"
        [policy]
        name = "care"
        version = {version}
        {header}
        [calendar.office]
        zone = "Europe/Moscow"
        hours = {{ mon-fri = "09:00-18:00" }}
        [[clock]]
        name = "resolution"
        start = "received"
        stop = "resolved"
        target = {{ working = "8h" }}
        "#
    );
    Policy::from_toml(&text).unwrap()
}

const FIRST: &str = "review_at = 2026-06-30\nreaders = [\"ann\", \"bob\"]\nread_by = 2026-01-31";

/// A civil time in Moscow.
fn at(text: &str) -> Instant {
    Instant::parse(&format!("{}:00+03:00", text.replace(' ', "T"))).unwrap()
}

fn done(version: u32, duty: Duty, by: &str, when: &str) -> Acknowledgement {
    Acknowledgement { version, duty, by: by.into(), at: at(when) }
}

fn proven(db: &Db) {
    let found = db.verify().unwrap();
    assert_eq!(found.differing, 0, "{:?}", found.differences);
}

/// `(kind, version, reader, retracted)` of every notice so far.
fn told(db: &Db) -> Vec<(ThresholdKind, u32, String, bool)> {
    let notices = db.feed("desk").unwrap().pending(100).unwrap();
    let line = |notice: slaclock::Notice| {
        let reminder = notice.reminder.unwrap();
        (notice.threshold, reminder.version, reminder.reader.unwrap_or_default(), notice.retracted)
    };
    notices.into_iter().map(line).collect()
}

#[test]
fn what_is_due_is_told_once_at_the_end_of_its_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    let db = Db::create(&path, &policy(1, FIRST), Options::default()).unwrap();
    assert_eq!(
        db.acknowledge_policy(&done(1, Duty::Reading, "ann", "2026-01-20 10:00")).unwrap(),
        Outcome::Recorded
    );
    let again = db.acknowledge_policy(&done(1, Duty::Reading, "ann", "2026-01-20 10:00")).unwrap();
    assert_eq!(again, Outcome::AlreadyRecorded);
    let listed = db.reminders(at("2026-01-31 23:59")).unwrap();
    let lines: Vec<_> =
        listed.iter().map(|it| (it.duty, it.reader.as_deref(), it.due_at, it.overdue)).collect();
    assert_eq!(
        lines,
        [
            (Duty::Reading, Some("bob"), at("2026-02-01 00:00"), false),
            (Duty::Review, None, at("2026-07-01 00:00"), false),
        ]
    );
    // The last instant is in time: at midnight nothing has passed yet.
    assert_eq!(db.advance(at("2026-02-01 00:00")).unwrap(), 0);
    let second = Instant::from_secs(at("2026-02-01 00:00").as_secs() + 1).unwrap();
    assert_eq!(db.advance(second).unwrap(), 1);
    assert_eq!(db.advance(at("2026-03-01 00:00")).unwrap(), 0);
    assert_eq!(told(&db), [(ThresholdKind::Reading, 1, "bob".into(), false)]);
    let notice = &db.feed("desk").unwrap().pending(1).unwrap()[0];
    assert_eq!((notice.request.as_str(), notice.at), ("", at("2026-02-01 00:00")));
    let text = serde_json::to_string(notice).unwrap();
    assert_eq!(&serde_json::from_str::<slaclock::Notice>(&text).unwrap(), notice);
    proven(&db);
    drop(db);
    // It lasts, and nothing is told anew.
    let db = Db::open(&path, Options::default()).unwrap();
    assert_eq!(db.advance(at("2026-07-02 00:00")).unwrap(), 1);
    assert_eq!(told(&db).last(), Some(&(ThresholdKind::Review, 1, String::new(), false)));
    assert!(db.reminders(at("2026-07-02 00:00")).unwrap().iter().all(|it| it.overdue));
    db.acknowledge_policy(&done(1, Duty::Reading, "bob", "2026-07-02 10:00")).unwrap();
    db.acknowledge_policy(&done(1, Duty::Review, "eve", "2026-07-02 10:00")).unwrap();
    assert_eq!(db.reminders(at("2026-07-02 11:00")).unwrap(), []);
    assert_eq!(told(&db).len(), 2, "they were late: what was told stays true");
    assert_eq!(db.acknowledgements().unwrap().len(), 3);
    proven(&db);
}

#[test]
fn a_late_word_that_was_in_time_takes_the_notice_back() {
    let db = Db::in_memory(&policy(1, FIRST)).unwrap();
    db.advance(at("2026-02-02 00:00")).unwrap();
    assert_eq!(told(&db).len(), 2);
    db.acknowledge_policy(&done(1, Duty::Reading, "bob", "2026-02-01 00:00")).unwrap();
    assert_eq!(told(&db)[2..], [(ThresholdKind::Reading, 1, "bob".into(), true)]);
    proven(&db);
}

#[test]
fn a_new_version_takes_the_duties_of_the_last_away() {
    let db = Db::in_memory(&policy(1, FIRST)).unwrap();
    db.advance(at("2026-03-01 00:00")).unwrap();
    // In force before the review of the first was due, and to be read by a date that has passed already.
    let second = policy(2, "readers = \"ann\"\nread_by = 2026-02-15");
    db.install(&second, at("2026-02-10 09:00")).unwrap();
    assert_eq!(told(&db)[2..], [(ThresholdKind::Reading, 2, "ann".into(), false)]);
    assert_eq!(db.advance(at("2026-08-01 00:00")).unwrap(), 0, "version 1 is no longer to be reviewed");
    let due: Vec<u32> = db.reminders(at("2026-08-01 00:00")).unwrap().iter().map(|it| it.version).collect();
    assert_eq!(due, [2]);
    proven(&db);
    // One that is in force from before takes back what was told of the last.
    let db = Db::in_memory(&policy(1, FIRST)).unwrap();
    db.advance(at("2026-03-01 00:00")).unwrap();
    db.install(&policy(2, ""), at("2026-01-15 09:00")).unwrap();
    assert!(told(&db)[2..].iter().all(|line| line.3) && told(&db).len() == 4);
    proven(&db);
}

#[test]
fn bad_acknowledgements_are_refused_by_name() {
    let db = Db::in_memory(&policy(1, FIRST)).unwrap();
    let refused = |wrong: Acknowledgement, kind: ErrorKind, says: &str| {
        let error = db.acknowledge_policy(&wrong).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(says), "{error}");
    };
    refused(done(7, Duty::Reading, "ann", "2026-01-20 10:00"), ErrorKind::NotFound, "version 7");
    refused(done(1, Duty::Reading, "", "2026-01-20 10:00"), ErrorKind::InvalidArgument, "1 to 255");
    refused(done(1, Duty::Reading, "eve", "2026-01-20 10:00"), ErrorKind::InvalidArgument, "ann, bob");
    db.acknowledge_policy(&done(1, Duty::Reading, "ann", "2026-01-20 10:00")).unwrap();
    refused(done(1, Duty::Reading, "ann", "2026-01-21 10:00"), ErrorKind::Conflict, "recorded before");
    assert_eq!(db.acknowledgements().unwrap().len(), 1);
    for (header, says) in [
        ("readers = \"ann\"", "no `read_by`"),
        ("read_by = 2026-01-31", "no `readers`"),
        ("readers = []\nread_by = 2026-01-31", "names nobody"),
        ("readers = [\"ann\", \"ann\"]\nread_by = 2026-01-31", "`ann` twice"),
    ] {
        let text = policy(1, "").source().replace("version = 1", &format!("version = 1\n{header}"));
        let error = Policy::from_toml(&text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidPolicy);
        assert!(error.message().contains(says), "{error}");
        assert!(error.position().is_some());
    }
}
