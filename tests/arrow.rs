//! Columns in and out: what a dataframe hands over is what is written, and what comes back is what a scan says.
#![cfg(feature = "arrow")]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampSecondType};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Float64Array, Int64Array, LargeStringArray, RecordBatch, StringArray,
    StringViewArray, TimestampMicrosecondArray, TimestampSecondArray,
};
use slaclock::arrow;
use slaclock::attainment::IntoPeriod;
use slaclock::{
    AttainmentQuery, Db, ErrorKind, Event, EventKind, Instant, Month, OnError, Operation, Page, Policy,
    Query, Request,
};

const POLICY: &str = r#"
[policy]
name = "care"
version = 1
statement = "Handled within eight working hours, at the latest within three working days."
[calendar.office]
zone = "Europe/Moscow"
hours = { mon-fri = "09:00-18:00" }
[[clock]]
name = "resolution"
start = "received"
stop = "resolved"
pause = ["waiting_customer"]
target = { working = "8h" }
backstop = { working_days = 3 }
warn_at = ["50 %"]
attainment = { share = "95 %", per = "month" }
"#;

/// Monday 2026-03-02 09:00 in Moscow.
const MONDAY: i64 = 1_772_431_200;
const HOUR: i64 = 3_600;

fn at(seconds: i64) -> Instant {
    Instant::from_secs(seconds).unwrap()
}

fn db() -> Db {
    Db::in_memory(&Policy::from_toml(POLICY).unwrap()).unwrap()
}

type Columns = Vec<(&'static str, ArrayRef)>;

fn table(columns: Columns) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn tables_of_requests_and_events_are_read_row_by_row() {
    let words: DictionaryArray<Int32Type> = vec![Some("high"), None, Some("high")].into_iter().collect();
    let received = [MONDAY * 1_000_000 + 999_999, (MONDAY + 1) * 1_000_000, (MONDAY + 2) * 1_000_000];
    let requests = table(vec![
        ("id", Arc::new(Int64Array::from(vec![7, 8, 9]))),
        ("received_at", Arc::new(TimestampMicrosecondArray::from(received.to_vec()).with_timezone("UTC"))),
        ("customer", Arc::new(StringViewArray::from(vec![Some("acme"), Some(""), None]))),
        ("priority", Arc::new(words)),
        ("site", Arc::new(LargeStringArray::from(vec![None, Some("north"), None]))),
    ]);
    let operations = arrow::requests(&requests, None).unwrap();
    let expected = [
        Request::new("7", at(MONDAY)).customer("acme").priority("high"),
        Request::new("8", at(MONDAY + 1)).attribute("site", "north"),
        Request::new("9", at(MONDAY + 2)).priority("high"),
    ];
    assert_eq!(operations, expected.map(Operation::Submit));

    let events = table(vec![
        ("request", texts(&[Some("7"), Some("8"), Some("9")])),
        ("event", texts(&[Some("paused"), Some("changed"), Some("promised")])),
        ("at", Arc::new(Int64Array::from(vec![MONDAY + HOUR; 3]))),
        ("reason", texts(&[Some("waiting_customer"), None, None])),
        ("by", texts(&[Some("ann"), None, None])),
        ("key", texts(&[None, Some("k1"), None])),
        ("priority", texts(&[None, Some("low"), None])),
        (
            "due",
            Arc::new(
                TimestampSecondArray::from(vec![None, None, Some(MONDAY + 9 * HOUR)]).with_timezone("+00:00"),
            ),
        ),
    ]);
    let operations = arrow::events(&events, None).unwrap();
    let when = at(MONDAY + HOUR);
    let facts = [("priority".to_owned(), "low".to_owned())].into();
    let expected = [
        ("7", Event::new(EventKind::Paused { reason: "waiting_customer".into() }, when).by("ann")),
        ("8", Event::new(EventKind::Changed { facts }, when).key("k1")),
        ("9", Event::new(EventKind::Promised { due: at(MONDAY + 9 * HOUR) }, when)),
    ];
    assert_eq!(operations, expected.map(|(id, event)| Operation::Record { id: id.into(), event }));
}

#[test]
fn expedites_refusals_and_waivers_come_as_rows() {
    let words = ["expedited", "expedited", "refusal_proposed", "waived", "waiver_withdrawn"];
    let rows = |cycles: ArrayRef| {
        table(vec![
            ("request", texts(&[Some("7"); 5])),
            ("event", texts(&words.map(Some))),
            ("at", Arc::new(Int64Array::from(vec![MONDAY + HOUR; 5]))),
            ("by", texts(&[Some("ann"); 5])),
            ("text", texts(&[None, None, Some("not ours"), Some("power"), None])),
            ("approved_by", texts(&[None, Some("bob"), None, None, None])),
            ("clock", texts(&[None, None, None, Some("resolution"), Some("resolution")])),
            ("cycle", cycles),
        ])
    };
    let when = at(MONDAY + HOUR);
    let clock = || "resolution".to_owned();
    let expected = [
        Event::new(EventKind::Expedited { approved_by: None }, when),
        Event::new(EventKind::Expedited { approved_by: Some("bob".into()) }, when),
        Event::new(EventKind::RefusalProposed, when).text("not ours"),
        Event::new(EventKind::Waived { clock: clock(), cycle: 1 }, when).text("power"),
        Event::new(EventKind::WaiverWithdrawn { clock: clock(), cycle: 2 }, when),
    ];
    let expected = expected.map(|event| Operation::Record { id: "7".into(), event: event.by("ann") });
    let numbers = Arc::new(Int64Array::from(vec![None, None, None, Some(1), Some(2)]));
    assert_eq!(arrow::events(&rows(numbers), None).unwrap(), expected);
    assert_eq!(
        arrow::events(&rows(texts(&[None, None, None, Some("1"), Some("2")])), None).unwrap(),
        expected
    );
    for (cycle, kind, said) in [
        (-1, ErrorKind::InvalidArgument, "column `cycle`, row 3: `-1` must be a whole number from 1"),
        (1 << 40, ErrorKind::InvalidArgument, "column `cycle`, row 3"),
    ] {
        let numbers = Arc::new(Int64Array::from(vec![None, None, None, Some(cycle), Some(2)]));
        let error = arrow::events(&rows(numbers), None).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(said), "{error}");
    }
    let without = Arc::new(Int64Array::from(vec![None, None, None, None, Some(2)]));
    let error = arrow::events(&rows(without), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidEvent, "{error}");
    let stray = Arc::new(Int64Array::from(vec![Some(1), None, None, Some(1), Some(2)]));
    let error = arrow::events(&rows(stray), None).unwrap_err();
    assert!(error.to_string().contains("row 0: event `expedited`: carries no `cycle`"), "{error}");
}

#[test]
fn what_is_wrong_with_a_table_is_said_by_column_and_row() {
    let id = || ("id", texts(&[Some("a"), Some("b")]));
    let received = || ("received_at", Arc::new(Int64Array::from(vec![MONDAY, MONDAY])) as ArrayRef);
    let floats = || Arc::new(Float64Array::from(vec![1.0, 2.0])) as ArrayRef;
    let cases: Vec<(Columns, ErrorKind, &str)> = vec![
        (vec![id()], ErrorKind::InvalidArgument, "column `received_at` is missing; the table has id"),
        (
            vec![("id", texts(&[Some("a"), None])), received()],
            ErrorKind::InvalidArgument,
            "column `id`, row 1: is null",
        ),
        (
            vec![id(), ("received_at", Arc::new(Int64Array::from(vec![Some(MONDAY), None])))],
            ErrorKind::InvalidArgument,
            "column `received_at`, row 1: is null",
        ),
        (
            vec![id(), ("received_at", Arc::new(Int64Array::from(vec![MONDAY, -1])))],
            ErrorKind::OutOfRange,
            "column `received_at`, row 1: ",
        ),
        (
            vec![id(), ("received_at", Arc::new(TimestampSecondArray::from(vec![MONDAY, MONDAY])))],
            ErrorKind::InvalidArgument,
            "column `received_at`: column of timestamps without a time zone",
        ),
        (vec![id(), ("received_at", floats())], ErrorKind::InvalidArgument, "Float64"),
        (
            vec![id(), received(), ("weight", floats())],
            ErrorKind::InvalidArgument,
            "column `weight` of type Float64",
        ),
        (vec![id(), id(), received()], ErrorKind::InvalidArgument, "column `id`: the table has it twice"),
    ];
    for (columns, kind, said) in cases {
        let error = arrow::requests(&table(columns), None).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().starts_with(said) || error.to_string().contains(said), "{error} / {said}");
    }
    let event = |word: &'static str, reason: Option<&'static str>| {
        table(vec![
            ("request", texts(&[Some("a")])),
            ("event", texts(&[Some(word)])),
            ("at", Arc::new(Int64Array::from(vec![MONDAY]))),
            ("reason", texts(&[reason])),
        ])
    };
    for (batch, said) in [
        (event("payed", None), "row 0: event `payed`: must be one of received, "),
        (event("paused", None), "row 0: event `paused`: needs `reason`"),
        (event("resolved", Some("done")), "row 0: event `resolved`: carries no `reason`"),
    ] {
        let error = arrow::events(&batch, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidEvent);
        assert!(error.to_string().starts_with(said), "{error}");
    }
}

#[test]
fn a_scan_gives_the_same_rows_in_columns() {
    let db = db();
    let requests: Vec<Operation> =
        (0..500).map(|n| Operation::Submit(Request::new(format!("R{n}"), at(MONDAY + n * 60)))).collect();
    db.apply(&requests, OnError::Abort).unwrap();
    let query = Query::at(at(MONDAY + 30 * HOUR));
    let batch = arrow::scan(&db, &query).unwrap();
    let rows = db.scan(&query, Page::first(1_000)).unwrap().rows;
    assert!(!rows.is_empty());
    assert_eq!(batch.num_rows(), rows.len());
    let ids = batch.column(0).as_string::<i64>();
    let cycles = batch.column(2).as_primitive::<Int64Type>();
    let word = |column: usize, row: usize| {
        let words = batch.column(column).as_dictionary::<Int32Type>();
        let key = words.keys().value(row) as usize;
        words.values().as_string::<i32>().value(key).to_owned()
    };
    let time = |column: usize| batch.column(column).as_primitive::<TimestampSecondType>();
    for (at, row) in rows.iter().enumerate() {
        assert_eq!((ids.value(at), word(1, at).as_str()), (row.request.as_str(), row.clock.as_str()));
        assert_eq!(cycles.value(at), i64::from(row.cycle));
        assert_eq!(word(3, at), row.stage.word());
        assert_eq!(time(4).value(at), row.due_at.as_secs());
        assert_eq!(time(5).is_valid(at).then(|| time(5).value(at)), row.limit_at.map(Instant::as_secs));
        assert_eq!(time(6).value(at), row.started_at.as_secs());
    }
    let empty = arrow::scan(&db, &Query::at(at(MONDAY)).until(at(MONDAY))).unwrap();
    assert_eq!((empty.num_rows(), empty.schema()), (0, batch.schema()));
}

/// The memory of a batch that is dropped is used for the next one: never while somebody still looks at it, and not after the
/// database is gone.
#[test]
fn a_batch_stays_as_it_is_whatever_is_asked_next() {
    let db = db();
    let many = 20_000;
    let request =
        |number: i64| Operation::Submit(Request::new(format!("CASE-{number}"), at(MONDAY + number)));
    db.apply(&(0..many).map(request).collect::<Vec<_>>(), OnError::Abort).unwrap();
    db.compact().unwrap();
    let now = at(MONDAY + 30 * 86_400);
    let all = || arrow::scan(&db, &Query::at(now)).unwrap();
    let before = |seconds: i64| arrow::scan(&db, &Query::at(now).until(at(seconds))).unwrap();
    let first = all();
    assert_eq!(first.num_rows(), many as usize);
    let second = all();
    assert_eq!(first, second);
    // Columns of one width change places among each other.
    let places =
        |batch: &RecordBatch| [2, 4, 5, 6].map(|column| batch.column(column).to_data().buffers()[0].as_ptr());
    let shared = |one: [*const u8; 4], other: [*const u8; 4]| one.iter().any(|place| other.contains(place));
    assert!(!shared(places(&first), places(&second)));
    let given_back = places(&second);
    let slice = second.slice(10, 5);
    drop(second);
    assert!(!shared(places(&all()), given_back), "a slice still shows it");
    assert_eq!(slice, first.slice(10, 5));
    drop(slice);
    let third = [all(), all()];
    assert!(third.iter().any(|batch| shared(places(batch), given_back)), "its memory is used again");
    assert_eq!(third, [first.clone(), first.clone()]);
    let fewer = before(MONDAY + 8 * HOUR + 60);
    assert!((1..first.num_rows()).contains(&fewer.num_rows()));
    assert_eq!(fewer, first.slice(0, fewer.num_rows()));
    drop(db);
    assert_eq!(third[1], first);
    drop(third);
    assert_eq!(first.column(0).as_string::<i64>().value(7), "CASE-7");
}

#[test]
fn notices_attainment_and_waiting_have_columns() {
    let db = db();
    db.submit(&Request::new("A", at(MONDAY)).priority("high")).unwrap();
    db.submit(&Request::new("B", at(MONDAY))).unwrap();
    db.record("B", Event::new(EventKind::Paused { reason: "waiting_customer".into() }, at(MONDAY + HOUR)))
        .unwrap();
    db.record("B", Event::new(EventKind::Resumed, at(MONDAY + 2 * HOUR))).unwrap();
    let now = at(MONDAY + 9 * HOUR);
    let notices = db.feed("mailer").unwrap().advance(now).unwrap();
    let batch = arrow::notices(&notices).unwrap();
    assert_eq!(batch.num_rows(), notices.len());
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values().to_vec(), [1, 2, 3, 4]);
    let periods = batch.column_by_name("period").unwrap().as_string::<i64>();
    assert_eq!(periods.iter().collect::<Vec<_>>(), [None, None, None, Some("2026-03")], "no misses are left");
    let percent = batch.column(5).as_primitive::<Int64Type>();
    assert_eq!((0..3).map(|row| percent.is_valid(row)).collect::<Vec<_>>(), [true, true, false]);

    let query = AttainmentQuery::at(now)
        .period(Month::of(2026, 3).period().unwrap())
        .clock("resolution")
        .by("priority");
    let groups = db.attainment_by(&query).unwrap();
    let batch = arrow::groups(&groups).unwrap();
    let priority = batch.column_by_name("priority").unwrap().as_string::<i64>();
    let missed = batch.column_by_name("missed").unwrap().as_primitive::<Int64Type>();
    let got: Vec<_> = (0..batch.num_rows())
        .map(|row| (priority.is_valid(row).then(|| priority.value(row).to_owned()), missed.value(row)))
        .collect();
    assert_eq!(got, [(None, 0), (Some("high".to_owned()), 1)]);

    let waiting = db.waiting(None, now).unwrap();
    let batch = arrow::waiting(&waiting).unwrap();
    assert_eq!(batch.column_by_name("elapsed_s").unwrap().as_primitive::<Int64Type>().value(0), HOUR);
}

#[test]
fn a_stream_gives_the_batch_once() {
    let batch = arrow::notices(&[]).unwrap();
    let mut reader = arrow::reader(batch.clone());
    assert_eq!(reader.schema(), batch.schema());
    assert_eq!(reader.next().unwrap().unwrap(), batch);
    assert!(reader.next().is_none());
}
