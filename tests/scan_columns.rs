//! Scans by the column. What could go wrong: a row too many or too few where a stage is told from the index alone, rows of
//! several indexes out of order, sealed and recent rows mixed up, a page's end in the middle of ties.

use slaclock::{
    Db, ErrorKind, Event, EventKind, Instant, Mode, OnError, Operation, Options, Page, Policy, Query,
    Request, Row, ScanTable, Stage,
};

const START_S: i64 = 1_772_582_400; // 2026-03-04T00:00:00Z

/// Clocks with and without backstop and warnings, and one that another arms.
const POLICY: &str = r#"
[policy]
name = "care"
version = 1
statement = "Answered in four hours, handled in two days."
[calendar.office]
zone = "Europe/Moscow"
hours = { mon-fri = "09:00-18:00" }
[[clock]]
name = "response"
start = "received"
stop = "replied"
target = { working = "4h" }
[[clock]]
name = "resolution"
start = "received"
stop = "resolved"
pause = ["waiting_customer"]
target = { working_days = 2 }
backstop = { working_days = 4 }
[[clock]]
name = "watch"
start = "received"
stop = "resolved"
target = { working = "20h" }
warn_at = ["50 %", "75 %"]
[[clock]]
name = "update"
start = "resolution.late"
restart = "updated"
stop = "resolved"
target = { working_days = 1 }
"#;

fn at(second: i64) -> Instant {
    Instant::from_secs(START_S + second).unwrap()
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Short ids and long ones, which are copied in different ways.
fn id(number: u64) -> String {
    if number.is_multiple_of(3) { format!("CASE-of-a-long-name-{number}") } else { format!("CASE-{number}") }
}

fn operations(random: &mut Random, first: u64, count: u64) -> Vec<Operation> {
    let mut all = Vec::new();
    for number in first..first + count {
        let received = i64::try_from(random.below(10) * 86_400 + random.below(24) * 3_600).unwrap();
        all.push(Operation::Submit(Request::new(id(number), at(received))));
    }
    for _ in 0..count {
        let id = id(random.below(first + count));
        let when = at(10 * 86_400 + i64::try_from(random.below(5 * 86_400)).unwrap());
        let kind = match random.below(5) {
            0 => EventKind::Replied,
            1 => EventKind::Resolved,
            2 => EventKind::Paused { reason: "waiting_customer".into() },
            3 => EventKind::Updated,
            _ => EventKind::Resumed,
        };
        all.push(Operation::Record { id, event: Event::new(kind, when) });
    }
    all
}

fn queries() -> Vec<Query> {
    use Stage::{AtRisk, Breached, Late, OnTrack};
    let stages: [&[Stage]; 8] = [
        &[],
        &[Late],
        &[Breached],
        &[Late, Breached],
        &[AtRisk],
        &[OnTrack],
        &[OnTrack, Breached],
        &[OnTrack, AtRisk, Late, Breached],
    ];
    let mut all = Vec::new();
    for now in [at(12 * 86_400), at(16 * 86_400), at(22 * 86_400 + 7)] {
        for stages in stages {
            let staged = stages.iter().fold(Query::at(now), |query, stage| query.stage(*stage));
            all.push(staged.clone());
            all.push(staged.clone().since(at(13 * 86_400)).until(at(20 * 86_400)));
            for clock in ["response", "resolution", "watch", "update"] {
                all.push(staged.clone().clock(clock));
            }
        }
    }
    all
}

fn rows(db: &Db, query: &Query) -> Vec<Row> {
    let mut all = Vec::new();
    let mut page = Page::first(7);
    loop {
        let found = db.scan(query, page).unwrap();
        all.extend(found.rows);
        match found.next {
            Some(key) => page = Page::after(key, 997),
            None => return all,
        }
    }
}

/// A row is what its request, looked up alone, says of the clock after all that happened.
fn tells_what_its_request_says(db: &Db, row: &Row, now: Instant) {
    let request = db.get(&row.request).unwrap();
    let clock = request.clocks.iter().find(|clock| clock.clock == row.clock).unwrap();
    let said = (clock.cycle, clock.due_at, clock.limit_at, clock.started_at);
    assert_eq!((row.cycle, Some(row.due_at), row.limit_at, Some(row.started_at)), said, "{row:?}");
    let late = row.due_at < now;
    assert_eq!(matches!(row.stage, Stage::Late | Stage::Breached), late, "{row:?}");
}

fn check(db: &Db, what: &str) {
    for query in queries() {
        let expected = rows(db, &query);
        let table = db.scan_table(&query).unwrap();
        assert_eq!(table.len(), expected.len(), "{what}: {query:?}");
        assert_eq!(table.is_empty(), expected.is_empty());
        for (place, row) in expected.iter().enumerate() {
            let limit = table.limit_at[place];
            let found = Row {
                request: table.id(place).to_owned(),
                clock: table.clock_names[table.clock[place] as usize].clone(),
                cycle: table.cycle[place] as u32,
                stage: table.stage[place],
                due_at: Instant::from_secs(table.due_at[place]).unwrap(),
                limit_at: (limit != ScanTable::NO_LIMIT).then(|| Instant::from_secs(limit).unwrap()),
                started_at: Instant::from_secs(table.started_at[place]).unwrap(),
                // None of these requests is waived, and the columns do not carry it.
                waived: false,
            };
            assert_eq!(&found, row, "{what}: {query:?}, row {place}");
        }
        if query.now >= at(16 * 86_400) {
            expected.iter().for_each(|row| tells_what_its_request_says(db, row, query.now));
        }
        let columns = db.scan_columns(&query, usize::MAX).unwrap();
        assert!(columns.due_at.iter().map(|due| i64::from(*due)).eq(table.due_at.iter().copied()));
        let ordered = columns.due_at.iter().zip(&columns.clock);
        assert!(ordered.is_sorted_by(|one, other| one < other));
        for limit in [0, 1, 10, expected.len()] {
            let first = db.scan_columns(&query, limit).unwrap();
            assert_eq!(first.len(), limit.min(expected.len()));
            assert_eq!(first.due_at, columns.due_at[..first.len()]);
            assert_eq!(first.clock, columns.clock[..first.len()]);
        }
    }
}

/// A process that has just opened the file has read only what moved; whatever it asks for first must be as it is now.
fn fresh_readers_agree(path: &std::path::Path, db: &Db) {
    let fresh = || Db::open(path, Options::default().read_only()).unwrap();
    check(&fresh(), "a fresh reader");
    let query = Query::at(at(16 * 86_400));
    assert_eq!(fresh().scan_table(&query).unwrap(), db.scan_table(&query).unwrap());
    for number in 0..210 {
        let reader = fresh();
        let (found, expected) = (reader.get(&id(number)).unwrap(), db.get(&id(number)).unwrap());
        assert_eq!((found.clocks, found.events), (expected.clocks, expected.events));
    }
    let reader = fresh();
    for until in 10..24 {
        let until = at(until * 86_400);
        let first = Page::first(3);
        assert_eq!(reader.due_before(until, first).unwrap(), db.due_before(until, first).unwrap());
    }
    assert_eq!(fresh().verify().unwrap().differences, []);
}

#[test]
fn columns_say_what_pages_say() {
    let folder = tempfile::tempdir().unwrap();
    let policy = Policy::from_toml(POLICY).unwrap();
    for mode in [Mode::Shared, Mode::Exclusive] {
        let path = folder.path().join(format!("{mode:?}"));
        let db = Db::create(&path, &policy, Options::default().mode(mode)).unwrap();
        let mut random = Random(7);
        check(&db, "empty");
        db.apply(&operations(&mut random, 0, 150), OnError::Skip).unwrap();
        check(&db, "all in the log");
        db.compact().unwrap();
        check(&db, "all sealed");
        db.apply(&operations(&mut random, 150, 60), OnError::Skip).unwrap();
        check(&db, "sealed and in the log");
        if mode == Mode::Shared {
            fresh_readers_agree(&path, &db);
        }
        let second =
            Policy::from_toml(&POLICY.replace("version = 1", "version = 2").replace("watch", "vigil"));
        db.install(&second.unwrap(), at(5 * 86_400)).unwrap();
        db.apply(&operations(&mut random, 210, 20), OnError::Skip).unwrap();
        check(&db, "two editions");
        assert_eq!(db.verify().unwrap().differences, []);
        let unknown = db.scan_columns(&Query::at(at(0)).clock("nothing"), 1).unwrap_err();
        assert_eq!(unknown.kind(), ErrorKind::NotFound);
    }
}
