//! Bad mappings and bad files: each gives exactly one error, whose text is pinned.
//!
//! What could go wrong: a mistake in a mapping that is silently taken for something else, a row that vanishes, an error
//! that does not say where it is and what would be right.
#![cfg(feature = "import")]

use std::fmt::Write;
use std::io::Write as _;

use slaclock::error::ErrorKind;
use slaclock::import::{Entry, ImportOptions, ImportReport, Mapping, OnBadRow, import, import_from};

/// A mapping that is right, for single lines to be made wrong.
const AUDIT: &str = r#"[mapping]
name = "desk"
layout = "audit-log"
[time]
format = "%Y-%m-%d %H:%M"
zone = "Europe/Berlin"
[request]
id = "id"
received = "opened"
priority = "priority"
[update]
at = "at"
key = "n"
state = "state"
order = ["at", "n"]
changed = ["priority"]
[[state]]
values = ["New"]
is = "new"
[[state]]
values = ["Waiting"]
is = "paused"
reason = "waiting_customer"
[[state]]
values = ["Done"]
is = "resolved"
"#;

/// As `AUDIT`, with a column whose new value is an event.
const CHANGES: &str = r#"[mapping]
name = "desk"
layout = "audit-log"
[time]
format = "%Y-%m-%d %H:%M"
zone = "Europe/Berlin"
[request]
id = "id"
received = "opened"
[update]
at = "at"
key = "n"
state = "state"
[[state]]
values = ["New"]
is = "new"
[[state]]
values = ["Asked"]
is = "paused"
reason = "waiting_customer"
text = "words"
resume = "customer_replied"
[[state]]
values = ["Done"]
is = "resolved"
text = "words"
[[change]]
column = "problem"
is = "note"
text = "problem"
"#;

const CASES: &str = r#"[mapping]
name = "cases"
layout = "cases"
[time]
format = "%Y-%m-%d %H:%M"
zone = "Europe/Berlin"
[request]
id = "id"
received = "opened"
[[event]]
column = "closed"
is = "resolved"
"#;

/// As `CASES`, with what an event carries.
const CARRIED: &str = r#"[mapping]
name = "cases"
layout = "cases"
[time]
format = "%Y-%m-%d %H:%M"
zone = "Europe/Berlin"
[request]
id = "id"
received = "opened"
[[event]]
column = "given"
is = "assigned"
to = "person"
[[event]]
column = "excused"
is = "waived"
by = "boss"
text = "why"
clock = "resolution"
"#;

/// What is replaced by what, in which mapping.
const BAD_MAPPINGS: &[(&str, &str, &str)] = &[
    (AUDIT, "[mapping]", "[maping]"),
    (AUDIT, "layout = \"audit-log\"", "layout = \"log\""),
    (AUDIT, "layout = \"audit-log\"", "layout = \"cases\""),
    (AUDIT, "layout = \"audit-log\"", "layout = 7"),
    (AUDIT, "name = \"desk\"\n", ""),
    (AUDIT, "name = \"desk\"", "name = \"desk\"\ndelimiter = \"tab\""),
    (AUDIT, "name = \"desk\"", "name = desk"),
    (AUDIT, "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%Q"),
    (AUDIT, "%Y-%m-%d %H:%M", "%m-%d %H:%M"),
    (AUDIT, "%Y-%m-%d %H:%M", "%Y-%m-%d"),
    (AUDIT, "\"%Y-%m-%d %H:%M\"", "[]"),
    (AUDIT, "Europe/Berlin", "Europe/Berln"),
    (AUDIT, "zone = \"Europe/Berlin\"", "zone = \"UTC\"\nshift = \"4h\""),
    (AUDIT, "id = \"id\"\n", ""),
    (AUDIT, "id = \"id\"", "id = \"\""),
    (AUDIT, "id = \"id\"", "id = \"id\"\nticket = \"n\""),
    (AUDIT, "priority = \"priority\"", "[request.attributes]\npriority = \"priority\""),
    (AUDIT, "changed = [\"priority\"]", "changed = [\"urgency\"]"),
    (AUDIT, "changed = [\"priority\"]", "otherwise = \"resolved\""),
    (AUDIT, "changed = [\"priority\"]", "otherwise = \"mailed\""),
    (AUDIT, "values = [\"New\"]", "values = []"),
    (AUDIT, "values = [\"New\"]", "values = [\"Done\"]"),
    (AUDIT, "is = \"new\"", "is = \"fresh\""),
    (AUDIT, "is = \"new\"", "is = \"new\"\nreason = \"waiting\""),
    (AUDIT, "is = \"new\"", "is = \"new\"\nleave = \"paused\""),
    (AUDIT, "reason = \"waiting_customer\"\n", ""),
    (AUDIT, "reason = \"waiting_customer\"", "reason = \"\""),
    (AUDIT, "is = \"new\"", "is = \"new\"\ntext = \"why\""),
    (AUDIT, "is = \"new\"", "is = \"new\"\nresume = \"resolved\""),
    (CHANGES, "is = \"note\"", "is = \"resolved\""),
    (CHANGES, "is = \"note\"", "is = \"note\"\nvalues = []"),
    (CHANGES, "is = \"note\"", "is = \"note\"\nexpected = { column = \"x\", values = [] }"),
    (CHANGES, "is = \"note\"", "is = \"expedited\""),
    (CHANGES, "is = \"note\"", "is = \"faq_unlinked\"\nfaq = \"kb\""),
    (CASES, "[[event]]\ncolumn = \"closed\"", "[[change]]\ncolumn = \"closed\""),
    (
        CASES,
        "[[event]]\ncolumn = \"closed\"",
        "[update]\nat = \"x\"\nkey = \"x\"\nstate = \"x\"\n[[event]]\ncolumn = \"closed\"",
    ),
    (CASES, "layout = \"cases\"", "layout = \"audit-log\""),
    (CASES, "is = \"resolved\"", "is = \"changed\""),
    (CASES, "is = \"resolved\"", "is = \"paused\""),
    (CASES, "is = \"resolved\"", "is = \"resolved\"\nreason = \"x\""),
    (
        CASES,
        "[[event]]",
        "[compare]\nclock = \"resolution\"\ntarget = \"due\"\nclosed = \"closed\"\ntolerance = \"1d\"\n[[event]]",
    ),
    (
        CASES,
        "[[event]]",
        "[compare]\nclock = \"c\"\ntarget = \"d\"\nclosed = \"e\"\ntolerance = \"60s\"\nexact_from = \"5 pm\"\n[[event]]",
    ),
];

#[test]
fn bad_mappings() {
    assert!(Mapping::parse(AUDIT).is_ok() && Mapping::parse(CASES).is_ok());
    let mut found = String::new();
    for (text, right, wrong) in BAD_MAPPINGS {
        assert!(text.contains(right), "{right}");
        let error = Mapping::parse(&text.replacen(right, wrong, 1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidMapping, "{wrong}: {error}");
        assert!(error.position().is_some(), "{wrong}: {error}");
        writeln!(found, "{}\n    {error}", wrong.replace('\n', " | ")).unwrap();
    }
    insta::assert_snapshot!(found);
}

fn run(
    mapping: &str,
    file: &'static [u8],
    on_bad_row: OnBadRow,
) -> slaclock::error::Result<(Vec<Entry>, ImportReport)> {
    let mut entries = Vec::new();
    let options = ImportOptions { on_bad_row, ..ImportOptions::default() };
    let report = import_from(&Mapping::parse(mapping).unwrap(), file, &mut entries, options)?;
    Ok((entries, report))
}

const HEADER_AUDIT: &str = "id,opened,at,n,state,priority\n";

/// Files with one mistake each; of the same shape as the mappings above.
const BAD_FILES: &[(&str, &str, &[u8])] = &[
    ("empty", CASES, b""),
    ("no such column", CASES, b"id,open,closed\n1,2026-03-06 10:00,\n"),
    ("a column twice", CASES, b"id,opened,closed,id\n1,2026-03-06 10:00,,1\n"),
    ("a column missing from an audit log", AUDIT, b"id,opened,at,n,status,priority\n"),
    ("a short row", CASES, b"id,opened,closed\n1,2026-03-06 10:00,\n2,2026-03-06 10:00\n"),
    ("a long row", CASES, b"id,opened,closed\n1,2026-03-06 10:00,,,\n"),
    ("not UTF-8", CASES, b"id,opened,closed\n\xff,2026-03-06 10:00,\n"),
    ("a header that is not UTF-8", CASES, b"id,open\xff,closed\n"),
    ("no id", CASES, b"id,opened,closed\n,2026-03-06 10:00,\n"),
    ("an id with a control character", CASES, b"id,opened,closed\n\"a\nb\",2026-03-06 10:00,\n"),
    ("no receipt", CASES, b"id,opened,closed\n1,,2026-03-06 10:00\n"),
    ("a date of another form", CASES, b"id,opened,closed\n1,06.03.2026 10:00,\n"),
    ("an impossible date", CASES, b"id,opened,closed\n1,2026-02-30 10:00,\n"),
    ("a closing date of another form", CASES, b"id,opened,closed\n1,2026-03-06 10:00,soon\n"),
    ("a date out of range", CASES, b"id,opened,closed\n1,2100-03-06 10:00,\n"),
    ("an id twice", CASES, b"id,opened,closed\n1,2026-03-06 10:00,\n1,2026-03-06 10:00,\n"),
    ("damaged gzip", CASES, b"\x1f\x8b\x08\x00 this is no gzip"),
    ("gzip that ends early", CASES, &GZIP_CUT),
    ("an update without receipt", AUDIT, b"id,opened,at,n,state,priority\n1,,2026-03-06 10:00,0,New,1\n"),
    (
        "rows that do not stand together",
        AUDIT,
        b"id,opened,at,n,state,priority\n1,2026-03-06 10:00,2026-03-06 10:00,0,New,1\n2,2026-03-06 10:00,2026-03-06 10:00,0,New,1\n1,2026-03-06 10:00,2026-03-06 11:00,1,Done,1\n",
    ),
];

/// The first half of a gzip file.
static GZIP_CUT: [u8; 24] = [
    0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0xff, 0xcb, 0x4c, 0xd1, 0xc9, 0x2f, 0x48, 0xcd, 0x4b, 0x4d, 0xd1,
    0x49, 0xce, 0xc9, 0x2f,
];

#[test]
fn what_an_event_cannot_carry_is_refused_with_its_place() {
    assert!(Mapping::parse(CARRIED).is_ok());
    let to = "to = \"person\"";
    for (right, wrong, said) in [
        ("to = \"person\"\n", "", "event `assigned`: needs a column, like to ="),
        (to, "to = \"person\"\ndue = \"then\"", "due: an event `assigned` carries none"),
        (to, "to = \"person\"\nclock = \"resolution\"", "clock: only a waiver has one"),
        (to, "to = \"person\"\ncycle = 1", "cycle: only a waiver has one"),
        ("by = \"boss\"\n", "", "event `waived`: needs a column, like by ="),
        ("text = \"why\"\n", "", "event `waived`: needs a column, like text ="),
        ("clock = \"resolution\"\n", "", "event `waived`: needs a clock"),
        ("clock = \"resolution\"", "clock = \"resolution\"\ncycle = 0", "cycles are counted from 1"),
        ("is = \"assigned\"", "is = \"changed\"", "to: an event `changed` carries none"),
        (
            "is = \"assigned\"\nto = \"person\"",
            "is = \"changed\"",
            "event `changed`: needs a column, like set = {",
        ),
        (
            "is = \"assigned\"\nto = \"person\"",
            "is = \"changed\"\nset = { expedite = \"x\" }",
            "set `expedite`: must be",
        ),
        (to, "to = \"person\"\nset = { priority = \"p\" }", "set: an event `assigned` carries none"),
        (to, "to = \"person\"\nfaq = \"article\"", "faq: an event `assigned` carries none"),
        (
            "is = \"assigned\"\nto = \"person\"",
            "is = \"faq_linked\"",
            "event `faq_linked`: needs a column, like faq =",
        ),
        (to, "to = \"person\"\nvalues = [\"ann\"]", "values: a column of dates has none"),
        ("is = \"assigned\"", "is = \"migrated\"", "event `migrated`: must be one of"),
    ] {
        assert!(CARRIED.contains(right), "{right}");
        let error = Mapping::parse(&CARRIED.replacen(right, wrong, 1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidMapping, "{wrong}: {error}");
        assert!(error.position().is_some() && error.to_string().contains(said), "{wrong}: {error}");
    }
}

#[test]
fn what_an_event_carries_comes_from_its_row() {
    use slaclock::{Event, EventKind, Instant};
    let mapping = CARRIED.to_owned()
        + r#"[[event]]
column = "called"
is = "promised"
due = "call_by"
[[event]]
column = "asked"
is = "vendor_contacted"
vendor = "maker"
[[event]]
column = "rushed"
is = "expedited"
by = "boss"
approved_by = "person"
[[event]]
column = "turned_down"
is = "refusal_proposed"
by = "boss"
text = "why"
"#;
    let file: &[u8] =
        b"id,opened,given,person,excused,boss,why,called,call_by,asked,maker,rushed,turned_down\n\
        1,2026-03-06 10:00,2026-03-06 10:01,ann,2026-03-06 10:06,bob,power,2026-03-06 10:02,2026-03-07 10:00,\
        2026-03-06 10:03,acme pumps,2026-03-06 10:04,2026-03-06 10:05\n\
        2,2026-03-06 10:00,2026-03-06 10:01,,2026-03-06 10:06,bob,,2026-03-06 10:02,2026-03-06 10:00,\
        2026-03-06 10:03,,2026-03-06 10:04,2026-03-06 10:05\n";
    let (entries, report) = run(&mapping, file, OnBadRow::Skip).unwrap();
    let at = |minute: u32| Instant::parse(&format!("2026-03-06T10:{minute:02}:00+01:00")).unwrap();
    let due = Instant::parse("2026-03-07T10:00:00+01:00").unwrap();
    let waived = EventKind::Waived { clock: "resolution".into(), cycle: 1 };
    let expected = [
        Event::new(EventKind::Assigned { to: "ann".into() }, at(1)).key("given:assigned"),
        Event::new(EventKind::Promised { due }, at(2)).key("called:promised"),
        Event::new(EventKind::VendorContacted { vendor: "acme pumps".into() }, at(3))
            .key("asked:vendor_contacted"),
        Event::new(EventKind::Expedited { approved_by: Some("ann".into()) }, at(4))
            .key("rushed:expedited")
            .by("bob"),
        Event::new(EventKind::RefusalProposed, at(5))
            .key("turned_down:refusal_proposed")
            .by("bob")
            .text("power"),
        Event::new(waived, at(6)).key("excused:waived").by("bob").text("power"),
    ];
    assert_eq!(entries[0].events, expected);
    // The second row names nobody, gives no reason, and promises what is over: those three and the waiver are left out.
    let kinds: Vec<&str> = entries[1].events.iter().map(|event| event.kind.tag().word()).collect();
    assert_eq!(kinds, ["vendor_contacted", "expedited"]);
    let odd: Vec<&str> = report.oddities.iter().map(|odd| odd.code.word()).collect();
    assert_eq!(odd, ["missing_date"; 4], "{:?}", report.oddities);
}

#[test]
fn a_fact_and_an_answer_of_the_faq_come_from_a_row() {
    use slaclock::EventKind;
    let mapping = CASES.to_owned()
        + r#"[[event]]
column = "raised"
is = "changed"
set = { priority = "new_priority", team = "new_team" }
by = "who"
[[event]]
column = "looked_up"
is = "faq_linked"
faq = "article"
[[event]]
column = "mistaken"
is = "faq_unlinked"
faq = "article"
"#;
    let file: &[u8] = b"id,opened,closed,raised,new_priority,new_team,who,looked_up,article,mistaken\n\
        1,2026-03-06 10:00,,2026-03-06 10:01,high,,ann,2026-03-06 10:02,vpn,2026-03-06 10:03\n\
        2,2026-03-06 10:00,,2026-03-06 10:01,,,ann,2026-03-06 10:02,,\n";
    let (entries, report) = run(&mapping, file, OnBadRow::Skip).unwrap();
    let kinds: Vec<&EventKind> = entries[0].events.iter().map(|event| &event.kind).collect();
    let facts = [("priority".to_owned(), "high".to_owned())].into();
    let (linked, unlinked) =
        (EventKind::FaqLinked { faq: "vpn".into() }, EventKind::FaqUnlinked { faq: "vpn".into() });
    assert_eq!(kinds, [&EventKind::Changed { facts }, &linked, &unlinked]);
    assert_eq!(entries[0].events[0].by.as_deref(), Some("ann"));
    // The second row sets nothing and names no article.
    assert!(entries[1].events.is_empty());
    let odd: Vec<&str> = report.oddities.iter().map(|odd| odd.code.word()).collect();
    assert_eq!(odd, ["missing_date"; 2], "{:?}", report.oddities);
}

#[test]
fn a_new_value_in_a_column_is_an_event() {
    use slaclock::{EventKind, Instant};
    let mapping = CHANGES.replace("state = \"state\"", "state = \"state\"\nby = \"who\"\nvendor = \"maker\"")
        + r#"[[change]]
column = "call_by"
is = "promised"
due = "call_by"
[[change]]
column = "crisis"
values = ["yes"]
is = "expedited"
[[change]]
column = "article"
is = "faq_linked"
[[change]]
column = "maker"
is = "vendor_contacted"
"#;
    let file: &[u8] = b"id,opened,at,n,state,who,problem,call_by,crisis,article,maker,words\n\
        1,2026-03-06 10:00,2026-03-06 10:00,0,New,ann,P1,,no,,,\n\
        1,2026-03-06 10:00,2026-03-06 10:01,1,New,ann,P1,2026-03-06 12:00,yes,vpn,,\n\
        1,2026-03-06 10:00,2026-03-06 10:02,2,Asked,bob,,2026-03-06 12:00,yes,mail,acme,which one?\n\
        1,2026-03-06 10:00,2026-03-06 10:03,3,New,,P1,2026-03-06 09:00,,,acme,\n\
        1,2026-03-06 10:00,2026-03-06 10:04,4,Done,,P1,2026-03-06 09:00,,,,by phone\n\
        2,2026-03-06 10:00,2026-03-06 10:00,0,New,ann,,soon,,,,\n";
    let (entries, report) = run(&mapping, file, OnBadRow::Skip).unwrap();
    let told: Vec<(u64, &EventKind, Option<&str>, Option<&str>)> = entries[0]
        .events
        .iter()
        .zip(&entries[0].event_rows)
        .map(|(event, row)| (*row, &event.kind, event.by.as_deref(), event.text.as_deref()))
        .collect();
    let due = Instant::parse("2026-03-06T12:00:00+01:00").unwrap();
    let faq = |id: &str| id.to_owned();
    let expected = [
        (2, EventKind::Note, Some("ann"), Some("P1")),
        (3, EventKind::Promised { due }, Some("ann"), None),
        (3, EventKind::Expedited { approved_by: None }, Some("ann"), None),
        (3, EventKind::FaqLinked { faq: faq("vpn") }, Some("ann"), None),
        (4, EventKind::FaqUnlinked { faq: faq("vpn") }, Some("bob"), None),
        (4, EventKind::FaqLinked { faq: faq("mail") }, Some("bob"), None),
        (4, EventKind::VendorContacted { vendor: "acme".into() }, Some("bob"), None),
        (4, EventKind::Acknowledged, Some("bob"), None),
        (4, EventKind::Paused { reason: "waiting_customer".into() }, Some("bob"), Some("which one?")),
        (5, EventKind::CustomerReplied, None, None),
        (5, EventKind::Resumed, None, None),
        (5, EventKind::Note, None, Some("P1")),
        (5, EventKind::FaqUnlinked { faq: faq("mail") }, None, None),
        (6, EventKind::Resolved, None, Some("by phone")),
    ];
    let expected: Vec<_> = expected.iter().map(|(row, kind, by, text)| (*row, kind, *by, *text)).collect();
    assert_eq!(told, expected);
    // A promise that was over when it was made is left out; a promised date that is no date makes its row a bad one.
    let odd: Vec<(u64, &str)> = report.oddities.iter().map(|odd| (odd.row, odd.code.word())).collect();
    assert_eq!(odd, [(5, "missing_date"), (7, "bad_row")], "{:?}", report.oddities);
}

#[test]
fn a_link_to_an_entry_that_is_not_there_is_refused_alone() {
    use slaclock::{Db, FaqDraft, Instant, Policy};
    let policy = r#"
        [policy]
        name = "desk"
        version = 1
        [calendar.always]
        zone = "UTC"
        hours = "24x7"
        [[clock]]
        name = "resolution"
        start = "received"
        stop = "resolved"
        target = { elapsed = "8h" }
    "#;
    let db = Db::in_memory(&Policy::from_toml(policy).unwrap()).unwrap();
    let draft = FaqDraft {
        id: "vpn".into(),
        question: Some("Why?".into()),
        answer: Some("Because.".into()),
        request: None,
    };
    db.publish(&draft, Instant::parse("2026-03-01T00:00:00Z").unwrap(), "ann").unwrap();
    let mapping = CHANGES.to_owned() + "[[change]]\ncolumn = \"article\"\nis = \"faq_linked\"\n";
    let file: &[u8] = b"id,opened,at,n,state,problem,article,words\n\
        1,2026-03-06 10:00,2026-03-06 10:01,1,New,,vpn,\n\
        2,2026-03-06 10:00,2026-03-06 10:01,1,New,,moon,\n\
        2,2026-03-06 10:00,2026-03-06 10:02,2,Done,,vpn,\n";
    let mapping = Mapping::parse(&mapping).unwrap();
    let report = import_from(&mapping, file, &mut &db, ImportOptions::default()).unwrap();
    let odd: Vec<(u64, &str)> = report.oddities.iter().map(|odd| (odd.row, odd.code.word())).collect();
    // Without its link there is nothing to undo, either.
    assert_eq!(odd, [(3, "refused"), (4, "refused")], "{:?}", report.oddities);
    assert_eq!(db.faq_entry("vpn").unwrap().uses, 2);
    let again = import_from(&mapping, file, &mut &db, ImportOptions::default()).unwrap();
    assert_eq!((again.requests_new, again.events_new), (0, 0));
}

#[test]
fn bad_files() {
    let mut found = String::new();
    for (what, mapping, file) in BAD_FILES {
        let error = run(mapping, file, OnBadRow::Abort).map(|(_, report)| report).unwrap_err();
        writeln!(found, "{what}\n    {}: {error}", error.kind().name()).unwrap();
        // Leaving bad rows out accounts for each of them.
        if let Ok((entries, report)) = run(mapping, file, OnBadRow::Skip) {
            assert_eq!(report.rows, report.rows_used + report.rows_skipped, "{what}");
            assert_eq!(report.rows_used, entries.iter().map(|entry| entry.rows).sum::<u64>(), "{what}");
            assert!(
                report.rows_skipped > 0 && report.oddity_total() == report.rows_skipped,
                "{what}: {report:?}"
            );
            for odd in &report.oddities {
                writeln!(found, "    skipped line {}: {} ({})", odd.row, odd.text, odd.code.word()).unwrap();
            }
        }
    }
    insta::assert_snapshot!(found);
}

#[test]
fn files_that_are_not_there() {
    let mapping = Mapping::parse(CASES).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = import(&mapping, folder.path().join("none.csv"), &mut Vec::new(), ImportOptions::default())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = import(&mapping, folder.path(), &mut Vec::new(), ImportOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(Mapping::load(folder.path().join("none.toml")).unwrap_err().kind(), ErrorKind::NotFound);
}

/// Every oddity that is no error, one row each.
#[test]
fn odd_rows_are_read_under_the_rules() {
    let file = format!(
        "{HEADER_AUDIT}\
         1,2026-03-06 10:00,2026-03-06 09:00,0,New,1\n\
         1,2026-03-06 10:00,2026-03-06 12:00,2,Done,1\n\
         1,2026-03-06 10:01,2026-03-06 11:00,1,Waiting,1\n\
         1,2026-03-06 10:00,,3,-100,2\n\
         1,2026-03-06 10:00,2026-03-06 13:00,3,Waiting,2\n\
         1,2026-03-06 10:00,2026-03-06 13:00,3,Waiting,2\n"
    );
    let (entries, report) = run(AUDIT, Box::leak(file.into_boxed_str()).as_bytes(), OnBadRow::Abort).unwrap();
    assert_eq!((report.rows, report.rows_used, report.rows_skipped), (6, 5, 1));
    let mut found = String::new();
    for odd in &report.oddities {
        writeln!(found, "line {}: {} ({})", odd.row, odd.text, odd.code.word()).unwrap();
    }
    for (event, row) in entries[0].events.iter().zip(&entries[0].event_rows) {
        writeln!(found, "{} {:?} key {} line {row}", event.at, event.kind, event.key.as_deref().unwrap())
            .unwrap();
    }
    insta::assert_snapshot!(found);
}

#[test]
fn gzip_and_plain_text_read_alike_whatever_the_name() {
    let text = "id,opened,closed\r\n1,2026-03-06 10:00,2026-03-06 11:00\r\n2,2026-03-06 10:00,\r\n";
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text.as_bytes()).unwrap();
    let packed: &'static [u8] = Box::leak(packer.finish().unwrap().into_boxed_slice());
    let marked: &'static str = Box::leak(format!("\u{feff}{text}").into_boxed_str());
    let plain = run(CASES, text.as_bytes(), OnBadRow::Abort).unwrap();
    assert_eq!(plain.0.len(), 2);
    assert_eq!(plain, run(CASES, packed, OnBadRow::Abort).unwrap());
    assert_eq!(
        plain,
        run(CASES, marked.as_bytes(), OnBadRow::Abort).unwrap(),
        "a byte order mark is no part of a name"
    );
}

/// An audit log in any order gives the same as one sorted by request.
#[test]
fn scattered_rows_are_gathered_when_the_mapping_says_so() {
    let rows = [
        "1,2026-03-06 10:00,2026-03-06 10:00,0,New,1\n",
        "2,2026-03-06 10:00,2026-03-06 10:00,0,New,1\n",
        "1,2026-03-06 10:00,2026-03-06 11:00,1,Waiting,1\n",
        "2,2026-03-06 10:00,2026-03-06 11:00,1,Done,2\n",
        "1,2026-03-06 10:00,2026-03-06 12:00,2,Done,1\n",
    ];
    let scattered: &'static str = Box::leak(format!("{HEADER_AUDIT}{}", rows.concat()).into_boxed_str());
    let sorted = [rows[0], rows[2], rows[4], rows[1], rows[3]].concat();
    let sorted: &'static str = Box::leak(format!("{HEADER_AUDIT}{sorted}").into_boxed_str());
    let gathering = AUDIT.replace("key = \"n\"", "key = \"n\"\ngrouped = false");
    let (mut entries, report) = run(&gathering, scattered.as_bytes(), OnBadRow::Abort).unwrap();
    let (mut expected, _) = run(AUDIT, sorted.as_bytes(), OnBadRow::Abort).unwrap();
    assert_eq!((report.rows_used, report.rows_skipped), (5, 0));
    for entry in entries.iter_mut().chain(&mut expected) {
        entry.row = 0;
        entry.event_rows.clear();
    }
    assert_eq!(entries, expected);
}

/// Any bytes give a report or an error, never a panic, and rows in are rows accounted for.
#[test]
fn any_bytes_are_survived() {
    use proptest::prelude::*;
    let pieces = prop::sample::select(vec![
        "1",
        "2",
        ",",
        ",",
        ",",
        "\n",
        "\n",
        "\"",
        "2026-03-06 10:00",
        "New",
        "Done",
        "Waiting",
        "x",
        "\u{0}",
        "é",
        " ",
        "\r",
    ]);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = (prop::collection::vec(pieces, 0..60), prop::collection::vec(any::<u8>(), 0..4));
    runner
        .run(&strategy, |(pieces, noise)| {
            let mut file = HEADER_AUDIT.as_bytes().to_vec();
            file.extend(pieces.concat().bytes());
            file.extend(noise);
            let mapping = Mapping::parse(AUDIT).unwrap();
            let mut entries: Vec<Entry> = Vec::new();
            if let Ok(report) =
                import_from(&mapping, std::io::Cursor::new(file), &mut entries, ImportOptions::default())
            {
                prop_assert_eq!(report.rows, report.rows_used + report.rows_skipped);
            }
            Ok(())
        })
        .unwrap();
}

/// A file without line ends, a device or a decompression bomb must end in an error, not in the memory.
#[test]
fn a_row_that_does_not_end_is_refused() {
    use slaclock::import::{Entry, ImportOptions, Mapping, import_from};
    let mapping = Mapping::load("examples/mappings/boston-2015.toml").unwrap();
    let mut entries: Vec<Entry> = Vec::new();
    let endless = std::io::repeat(b'a');
    let error = import_from(&mapping, endless, &mut entries, ImportOptions::default()).unwrap_err();
    assert_eq!(error.kind(), slaclock::ErrorKind::InvalidRow);
    assert_eq!(error.message(), "a row is longer than 4194304 bytes: is this a CSV file?");
    let error = Mapping::load("/dev/zero").unwrap_err();
    assert_eq!(error.message(), "/dev/zero: is no regular file, and must be one");
}
