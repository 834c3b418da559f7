//! The command line, through the built program: what it prints, its JSON, its exit codes, its errors.
//!
//! What could go wrong: a text that changes unnoticed, JSON that cannot be parsed, an exit code that a script would
//! misread, a mistake in the arguments that does something else instead of being refused.
#![cfg(feature = "cli")]

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const PROMISE: &str = "examples/policies/promise.toml";

/// A folder for a test's databases; its path is replaced in what is compared.
struct Desk {
    folder: tempfile::TempDir,
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Desk {
        Desk { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self.path(name)
    }

    /// Runs the program from the root of the repository. `DB` stands for the test's database, `@name` for a file.
    fn run(&self, arguments: &[&str]) -> Ran {
        let arguments = arguments.iter().map(|argument| match *argument {
            "DB" => self.path("care.slaclock"),
            other => other.strip_prefix("@file:").map_or_else(|| other.to_owned(), |name| self.path(name)),
        });
        let output = Command::new(env!("CARGO_BIN_EXE_slaclock"))
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_remove("CLICOLOR_FORCE")
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        let folder = self.folder.path().to_str().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(folder, "…");
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs without error.
    fn ok(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert!(ran.code < 2 && ran.err.is_empty(), "{arguments:?}: {} {}", ran.code, ran.err);
        ran
    }

    /// The lines of JSON that a command prints.
    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let ran = self.ok(&arguments);
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// A database with two requests: one late, one handled in time.
    fn with_two() -> Desk {
        let desk = Desk::new();
        desk.ok(&["create", "DB", "--policy", PROMISE]);
        let submit = ["submit", "DB", "CASE-1", "--received", "2026-03-06 15:00", "--priority", "high"];
        desk.ok(&[&submit[..], &["--customer", "acme", "--attr", "product=pump", "--subject", "It leaks"]]
            .concat());
        desk.ok(&["submit", "DB", "CASE-2", "--received", "2026-03-09 10:00"]);
        desk.ok(&[
            "event",
            "DB",
            "CASE-2",
            "resolved",
            "--at",
            "2026-03-09 12:00",
            "--by",
            "ann",
            "--key",
            "k1",
        ]);
        desk
    }
}

/// A transcript of commands with their answers and exit codes.
fn transcript(desk: &Desk, commands: &[&[&str]]) -> String {
    let mut text = String::new();
    for arguments in commands {
        let ran = desk.run(arguments);
        writeln!(text, "$ slaclock {}\n{}{}[{}]\n", arguments.join(" "), ran.out, ran.err, ran.code).unwrap();
    }
    text
}

#[test]
fn policies_are_checked_and_asked() {
    let desk = Desk::new();
    insta::assert_snapshot!(transcript(
        &desk,
        &[
            &["check", PROMISE, "--on", "2026-01-15"],
            &["due", PROMISE, "--received", "2026-03-06 15:00"],
            &["due", PROMISE, "--received", "2026-03-06T10:00:00Z", "--clock", "resolution"],
            &["due", PROMISE, "--received", "@1772791200", "--clock", "resolution"],
            &[
                "due",
                "examples/policies/itil.toml",
                "--received",
                "2026-03-06 15:00",
                "--attr",
                "priority=high"
            ],
            &["explain", PROMISE, "resolution", "--received", "2026-03-06 15:00"],
        ],
    ));
}

#[test]
fn a_request_from_receipt_to_report() {
    let desk = Desk::with_two();
    insta::assert_snapshot!(transcript(
        &desk,
        &[
            &["event", "DB", "CASE-2", "resolved", "--at", "2026-03-09 12:00", "--by", "ann", "--key", "k1"],
            &["event", "DB", "CASE-1", "paused", "--reason", "waiting_customer", "--at", "2026-03-09 09:30"],
            &["event", "DB", "CASE-1", "resumed", "--at", "2026-03-09 10:00"],
            &["scan", "DB", "--now", "2026-03-09 11:00"],
            &["scan", "DB", "--now", "2026-03-09 12:00"],
            &["scan", "DB", "--now", "2026-03-09 12:00", "--stage", "at-risk,on-track"],
            &["scan", "DB", "--now", "2026-03-09 12:00", "--limit", "0"],
            &["show", "DB", "CASE-1"],
            &["show", "DB", "CASE-1", "--now", "2026-03-09 09:45"],
            &["explain", "DB", "resolution", "--request", "CASE-1", "--now", "2026-03-09 12:00"],
            &["feed", "DB", "--consumer", "mailer", "--advance-to", "2026-03-09 12:00", "--ack"],
            &["feed", "DB", "--consumer", "mailer"],
            &["feed", "DB", "--consumer", "pager", "--limit", "1"],
            &["report", "DB", "--now", "2026-04-02 12:00"],
            &[
                "report",
                "DB",
                "--now",
                "2026-03-12 12:00",
                "--period",
                "2026-03-01..2026-03-08",
                "--by",
                "customer"
            ],
            &["rebuild", "DB", "--verify"],
            &["rebuild", "DB"],
            &["check-file", "DB"],
        ],
    ));
}

#[test]
fn json_has_stable_names() {
    let desk = Desk::with_two();
    let due = desk.json(&["due", PROMISE, "--received", "2026-03-06 15:00"]);
    assert_eq!(due.len(), 2);
    assert_eq!(
        (&due[0]["clock"], &due[0]["due"]),
        (&"resolution".into(), &"2026-03-09T11:00:00+03:00".into())
    );
    assert_eq!(due[0]["due_at"], 1_773_043_200);

    let scan = &desk.json(&["scan", "DB", "--now", "2026-03-09 12:00"])[0];
    assert_eq!((&scan["counts"]["late"], &scan["counts"]["met"]), (&1.into(), &1.into()));
    assert_eq!((&scan["rows"][0]["request"], &scan["rows"][0]["stage"]), (&"CASE-1".into(), &"late".into()));
    assert_eq!(scan["rows"][0]["limit"], "2026-03-11T18:00:00+03:00");
    assert_eq!(scan["next"], Value::Null);

    let show = &desk.json(&["show", "DB", "CASE-1"])[0];
    assert_eq!(show["request"]["attributes"]["product"], "pump");
    let notices = desk.json(&["feed", "DB", "--consumer", "mailer", "--advance-to", "2026-03-09 12:00"]);
    let numbers: Vec<&Value> = notices.iter().map(|notice| &notice["number"]).collect();
    assert!(numbers.iter().zip(1..).all(|(number, expected)| **number == expected), "{numbers:?}");

    let report = &desk.json(&["report", "DB", "--now", "2026-04-02 12:00"])[0];
    let march = &report["attainment"][0];
    assert_eq!((&march["share_bp"], &march["verdict"]), (&5_000.into(), &"broken".into()));
    assert_eq!((&march["misses_allowed"], &march["budget_left"]), (&0.into(), &(-1).into()));

    let info = &desk.json(&["info", "DB"])[0];
    assert_eq!((&info["requests"], &info["policies"][0]["name"]), (&2.into(), &"customer-care".into()));
    assert_eq!(desk.json(&["rebuild", "DB", "--verify"])[0]["differing"], 0);
    assert_eq!(desk.json(&["check", PROMISE])[0]["policy"], "customer-care");
    for command in [
        &["explain", "DB", "resolution", "--request", "CASE-1"][..],
        &["check-file", "DB"],
        &["compact", "DB"],
    ] {
        assert_eq!(desk.json(command).len(), 1, "{command:?}");
    }
}

#[test]
fn exit_codes_tell_late_from_fine() {
    let desk = Desk::with_two();
    for (arguments, code) in [
        (&["scan", "DB", "--now", "2026-03-09 11:00"][..], 0),
        (&["scan", "DB", "--now", "2026-03-09 11:00:01"], 1),
        (&["feed", "DB", "--consumer", "a", "--advance-to", "2026-03-09 11:00"], 0),
        (&["feed", "DB", "--consumer", "a", "--advance-to", "2026-03-09 11:00:01"], 1),
        (&["report", "DB", "--now", "2026-03-12 12:00"], 0),
        (&["report", "DB", "--now", "2026-04-02 12:00"], 1),
        (&["info", "DB"], 0),
        (&["--version"], 0),
        (&["--help"], 0),
        (&["scan", "@file:none"], 2),
    ] {
        assert_eq!(desk.run(arguments).code, code, "{arguments:?}");
    }
}

const LOG: &str = "id,opened,at,n,state\n\
    1,2026-03-06 15:00,2026-03-06 15:00,0,New\n\
    1,2026-03-06 15:00,2026-03-09 10:00,1,Done\n\
    2,2026-03-06 16:00,2026-03-06 15:59,0,New\n\
    2,2026-03-06 16:00,2026-03-06 17:00,1,Lost\n\
    3,soon,2026-03-06 17:00,1,New\n";

const MAPPING: &str = r#"
[mapping]
name = "desk"
layout = "audit-log"
[time]
format = "%Y-%m-%d %H:%M"
zone = "Europe/Moscow"
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
values = ["Done"]
is = "resolved"
"#;

#[test]
fn an_import_accounts_for_every_row_and_can_be_repeated() {
    let desk = Desk::new();
    desk.write("log.csv", LOG);
    desk.write("desk.toml", MAPPING);
    let import = ["import", "DB", "@file:log.csv", "--mapping", "@file:desk.toml", "--policy", PROMISE];
    let timeless = |ran: Ran| {
        let lines =
            ran.out.lines().filter(|line| !line.starts_with("written in") && !line.starts_with("read in"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let tried = timeless(desk.ok(&[&import[..], &["--dry-run"]].concat()));
    assert!(!Path::new(&desk.path("care.slaclock")).exists(), "a dry run writes nothing");
    let first = timeless(desk.ok(&import));
    let again = timeless(desk.ok(&import));
    insta::assert_snapshot!(format!("{tried}\n----\n{first}\n----\n{again}"));
    let report = &desk.json(&import)[0];
    assert_eq!(
        (&report["rows"], &report["rows_used"], &report["rows_skipped"]),
        (&5.into(), &4.into(), &1.into())
    );
    assert_eq!((&report["requests_new"], &report["events_new"]), (&0.into(), &0.into()));
    let aborted = desk.run(&[&import[..], &["--on-bad-row", "abort"]].concat());
    assert_eq!(aborted.code, 2);
    assert_eq!(
        aborted.err,
        "error: …/log.csv: line 6 (request `3`): `soon` is no date of the form `%Y-%m-%d %H:%M`\n"
    );
}

#[test]
fn a_policy_is_held_against_recorded_targets() {
    let desk = Desk::new();
    let compare = [
        "compare-targets",
        "examples/policies/boston-2015.toml",
        "examples/data/boston311-sample-2015-2019.csv.gz",
        "--mapping",
        "examples/mappings/boston-2015.toml",
        "--show",
        "2",
    ];
    insta::assert_snapshot!(transcript(&desk, &[&compare]));
    assert_eq!(desk.run(&[&compare[..], &["--at-least", "98"]].concat()).code, 0);
    let missed = desk.run(&[&compare[..], &["--at-least", "99.99"]].concat());
    assert_eq!((missed.code, missed.err.as_str()), (1, "less than 99.99 % of the targets are reproduced\n"));
}

#[test]
fn a_new_policy_version_is_installed_for_what_comes() {
    let desk = Desk::with_two();
    let text = std::fs::read_to_string(PROMISE).unwrap();
    desk.write("v2.toml", &text.replace("version   = 1", "version   = 2"));
    insta::assert_snapshot!(transcript(
        &desk,
        &[
            &["install", "DB", "--policy", "@file:v2.toml", "--from", "2026-04-01"],
            &["install", "DB", "--policy", PROMISE, "--from", "2026-05-01"],
            &["submit", "DB", "CASE-3", "--received", "2026-04-01 10:00"],
            &[
                "import",
                "DB",
                "@file:log.csv",
                "--mapping",
                "examples/mappings/nyc.toml",
                "--policy",
                PROMISE
            ],
        ],
    ));
}

/// Wrong arguments, each refused with its own text.
const BAD_ARGUMENTS: &[&[&str]] = &[
    &[],
    &["scna", "DB"],
    &["scan"],
    &["scan", "DB", "--limit", "10001"],
    &["scan", "DB", "--limit", "-1"],
    &["scan", "DB", "--stage", "overdue"],
    &["scan", "DB", "--now", "noon"],
    &["scan", "DB", "--now", "2026-02-30 10:00"],
    &["scan", "DB", "--now", "2100-01-01 00:00"],
    &["scan", "DB", "--now", "@-1"],
    &["scan", "DB", "--now", "2026-03-09 12:00", "--clock", "resolutoin"],
    &["scan", "@file:none.slaclock"],
    &["scan", "@file:text.slaclock"],
    &["due", PROMISE],
    &["due", PROMISE, "--received", "yesterday"],
    &["due", PROMISE, "--received", "2026-03-06 15:00", "--attr", "high"],
    &["due", PROMISE, "--received", "2026-03-06 15:00", "--clock", "respond"],
    &["due", "@file:none.toml", "--received", "2026-03-06 15:00"],
    &["due", "@file:bad.toml", "--received", "2026-03-06 15:00"],
    &["check", PROMISE, "--on", "tomorrow"],
    &["explain", PROMISE],
    &["explain", PROMISE, "--received", "2026-03-06 15:00"],
    &["explain", PROMISE, "resolution", "--received", "2026-03-06 15:00", "--request", "CASE-1"],
    &["explain", "DB", "resolution", "--request", "CASE-9", "--now", "2026-03-09 12:00"],
    &["create", "DB", "--policy", PROMISE],
    &["submit", "DB", "", "--received", "2026-03-06 15:00"],
    &["submit", "DB", "CASE-1", "--received", "2026-03-06 15:01"],
    &["submit", "DB", "CASE-8", "--received", "2026-03-06 15:00", "--attr", "priority=high"],
    &["event", "DB", "CASE-1", "closed"],
    &["event", "DB", "CASE-1", "received"],
    &["event", "DB", "CASE-1", "paused", "--at", "2026-03-07 10:00"],
    &["event", "DB", "CASE-1", "resolved", "--reason", "done"],
    &["event", "DB", "CASE-1", "changed", "--at", "2026-03-07 10:00"],
    &["event", "DB", "CASE-1", "promised", "--at", "2026-03-07 10:00"],
    &["event", "DB", "CASE-1", "promised", "--at", "2026-03-07 10:00", "--due", "2026-03-07 10:00"],
    &["event", "DB", "CASE-1", "resolved", "--at", "2026-03-06 14:00"],
    &["event", "DB", "CASE-9", "resolved", "--at", "2026-03-07 10:00"],
    &["event", "DB", "CASE-2", "resolved", "--at", "2026-03-09 13:00", "--key", "k1"],
    &["feed", "DB", "--limit", "5"],
    &["feed", "DB", "--consumer", ""],
    &["feed", "DB", "--consumer", "a", "--advance", "--advance-to", "2026-03-09 12:00"],
    &["report", "DB", "--now", "2026-04-01 12:00", "--month", "March"],
    &["report", "DB", "--now", "2026-04-01 12:00", "--period", "2026-13"],
    &["report", "DB", "--per", "week"],
    &["import", "@file:none.slaclock", "@file:log.csv", "--mapping", "examples/mappings/nyc.toml"],
    &["import", "DB", "@file:none.csv", "--mapping", "examples/mappings/nyc.toml"],
    &["import", "DB", "@file:log.csv", "--mapping", "examples/mappings/nyc.toml"],
    &["import", "DB", "@file:log.csv", "--mapping", "@file:bad.toml"],
    &["compare-targets", PROMISE, "@file:log.csv", "--mapping", "@file:desk.toml"],
    &["compare-targets", PROMISE, "@file:log.csv", "--mapping", "@file:desk.toml", "--at-least", "101"],
];

#[test]
fn bad_arguments_are_refused_by_name() {
    let desk = Desk::with_two();
    desk.write("text.slaclock", "not a database");
    desk.write("bad.toml", "[policy]\nname = \"x\"\nversoin = 1\n");
    desk.write("log.csv", LOG);
    desk.write("desk.toml", MAPPING);
    let mut found = String::new();
    for arguments in BAD_ARGUMENTS {
        let ran = desk.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        writeln!(found, "$ slaclock {}\n{}", arguments.join(" "), ran.err).unwrap();
    }
    insta::assert_snapshot!(found);
    let counted = &desk.json(&["info", "DB"])[0];
    assert_eq!((&counted["requests"], &counted["events"]), (&2.into(), &1.into()), "nothing was written");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let desk = Desk::with_two();
    let mut child = Command::new(env!("CARGO_BIN_EXE_slaclock"))
        .args(["show", &desk.path("care.slaclock"), "CASE-1"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn a_damaged_database_is_salvaged() {
    let desk = Desk::with_two();
    let path = desk.path("care.slaclock");
    let mut bytes = std::fs::read(&path).unwrap();
    // The text of CASE-2, wherever it lies.
    for place in 0..bytes.len() - 6 {
        if bytes[place..].starts_with(b"CASE-2") {
            bytes[place] ^= 1;
        }
    }
    std::fs::write(&path, bytes).unwrap();
    insta::assert_snapshot!(transcript(
        &desk,
        &[
            &["check-file", "DB"],
            &["salvage", "DB", "@file:saved.slaclock"],
            &["show", "@file:saved.slaclock", "CASE-1", "--now", "2026-03-09 12:30"],
            &["check-file", "@file:saved.slaclock"],
            &["salvage", "DB", "@file:saved.slaclock"],
            &["salvage", "@file:none", "@file:other.slaclock"],
        ]
    ));
    let saved = &desk.json(&["salvage", "DB", "@file:again.slaclock"])[0];
    assert_eq!((saved["requests"].as_u64(), saved["lost_requests"].as_u64()), (Some(1), Some(1)));
    assert_eq!(saved["places"].as_array().unwrap().len() as u64, saved["unreadable"].as_u64().unwrap());
}
