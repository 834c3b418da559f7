//! Living with the agreement, on the command line: outlook, interruptions, migration, zone data, forks.
//!
//! What could go wrong: an option that is misread, a mistake that does something else instead of being refused, JSON
//! that loses what the library said.
#![cfg(feature = "cli")]

use std::process::Command;

use serde_json::Value;

const POLICY: &str = r#"
[policy]
name    = "customer-care"
version = 1

[calendar.office]
zone  = "Europe/Moscow"
hours = { mon-fri = "09:00-18:00" }

[interruptions]
power = "stop"
personnel = "record"

[[clock]]
name       = "resolution"
start      = "received"
stop       = "resolved"
target     = [{ received_before = "14:00", due = "same day, close" }, { due = "next day, 11:00" }]
attainment = { share = "75 %", per = "month" }
backstop   = { working_days = 3 }
"#;

struct Desk(tempfile::TempDir);

impl Desk {
    /// Three of four requests of March are open on the 10th.
    fn new() -> Desk {
        let desk = Desk(tempfile::tempdir().unwrap());
        desk.write("promise.toml", POLICY);
        desk.ok(&["create", "care.slaclock", "--policy", "promise.toml"]);
        for (id, received) in [
            ("C-1", "2026-03-02 10:00"),
            ("C-2", "2026-03-10 10:00"),
            ("C-3", "2026-03-10 10:30"),
            ("C-4", "2026-03-10 15:00"),
        ] {
            let customer = if id == "C-3" { "zenith" } else { "acme" };
            desk.ok(&["submit", "care.slaclock", id, "--received", received, "--customer", customer]);
        }
        desk.ok(&["event", "care.slaclock", "C-1", "resolved", "--at", "2026-03-02 16:00"]);
        desk
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_slaclock"))
            .args(arguments)
            .current_dir(self.0.path())
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.run(arguments);
        assert!(code == 0, "{arguments:?}: {code}\n{out}{err}");
        out
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let (code, out, err) = self.run(&[arguments, &["--json"]].concat());
        assert!(code < 2, "{arguments:?}: {err}");
        serde_json::from_str(&out).unwrap()
    }

    fn refused(&self, arguments: &[&str], said: &str) {
        let (code, out, err) = self.run(arguments);
        assert_eq!(code, 2, "{arguments:?}: {out}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
}

#[test]
fn the_outlook_tells_what_to_finish_today() {
    let desk = Desk::new();
    let told = desk.ok(&["outlook", "care.slaclock", "--now", "2026-03-10 16:00"]);
    assert!(told.contains("Finish at least 1 of these 2 before Wed 2026-03-11 00:00 MSK"), "{told}");
    let json = desk.json(&["outlook", "care.slaclock", "--now", "2026-03-10 16:00"]);
    let outlook = &json["outlooks"][0];
    assert_eq!(outlook["misses_left"], 1);
    assert_eq!(outlook["must_finish"], 1);
    assert_eq!(outlook["deciding"][0]["request"], "C-2");
    assert_eq!(outlook["deciding"][0]["due"], "2026-03-10T18:00:00+03:00");
    assert_eq!(outlook["breaks"], "2026-03-10T18:00:00+03:00");
    let (code, told, _) = desk.run(&["outlook", "care.slaclock", "--now", "2026-03-11 12:00"]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("broken so far"), "{told}");
    desk.refused(&["outlook", "care.slaclock", "--clock", "resolutoin"], "did you mean `resolution`");
    desk.refused(&["outlook", "care.slaclock", "--period", "2026-13"], "2026-13");
    let early = ["outlook", "care.slaclock", "--now", "2026-03-10 16:00", "--until", "2026-03-10 15:00"];
    desk.refused(&early, "must not lie before now");
}

#[test]
fn interruptions_are_declared_amended_ended_and_withdrawn() {
    let desk = Desk::new();
    let power =
        ["interruption", "declare", "care.slaclock", "power", "--by", "ann", "--at", "2026-03-10 15:45"];
    let from = ["--from", "2026-03-10 15:30"];
    let tried = desk.json(&[&power[..], &from, &["--dry-run"]].concat());
    assert_eq!((tried["moved"].as_array().unwrap().len(), &tried["dry_run"]), (3, &Value::Bool(true)));
    assert_eq!(desk.ok(&["interruption", "list", "care.slaclock"]), "no interruption was declared\n");
    let done = desk.json(&[&power[..], &from, &["--customer", "acme"]].concat());
    assert_eq!(done["moved"].as_array().unwrap().len(), 2);
    assert_eq!(done["moved"][0]["before"]["due"], "2026-03-10T18:00:00+03:00");
    assert_eq!(done["moved"][0]["after"]["remaining"], 9_000);
    assert_eq!(done["entry"]["window"]["scope"]["customer"], "acme");
    let end = ["interruption", "end", "care.slaclock", "1", "--by", "bob", "--at", "2026-03-10 16:45"];
    desk.refused(&[&end[..], &["--to", "2026-03-10 15:30"]].concat(), "must end after it begins");
    let told = desk.ok(&[&end[..], &["--to", "2026-03-10 16:30", "--text", "the substation"]].concat());
    assert!(told.contains("2 clocks move") && told.contains("due Wed 2026-03-11 10:00 MSK"), "{told}");
    desk.refused(&[&end[..], &["--to", "2026-03-10 16:40"]].concat(), "has an end already");
    let amend =
        ["interruption", "amend", "care.slaclock", "1", "power", "--by", "ann", "--at", "2026-03-10 16:50"];
    desk.ok(&[&amend[..], &from, &["--to", "2026-03-10 16:00"]].concat());
    desk.ok(&["interruption", "withdraw", "care.slaclock", "1", "--by", "ann", "--at", "2026-03-10 16:55"]);
    let listed = desk.json(&["interruption", "list", "care.slaclock", "--journal"]);
    let acts: Vec<&str> = listed["interruptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["act"].as_str().unwrap())
        .collect();
    assert_eq!(acts, ["declared", "ended", "amended", "withdrawn"]);
    assert_eq!(desk.json(&["rebuild", "care.slaclock", "--verify"])["differing"], 0);

    let declare = |rest: &[&str], said: &str| {
        let start = ["interruption", "declare", "care.slaclock"];
        desk.refused(&[&start[..], rest, &["--by", "ann", "--at", "2026-03-10 17:00"]].concat(), said);
    };
    declare(&["pwoer", "--from", "2026-03-10 15:30"], "must be one of personnel");
    declare(&["power", "--from", "2026-03-10 15:30", "--to", "2026-03-10 15:29"], "must end after it begins");
    declare(&["power", "--from", "2026-03-10 17:30"], "must have begun");
    declare(&["power", "--from", "2026-03-10 15:30", "--calendar", "offcie"], "there are office");
    declare(
        &["power", "--from", "2026-03-10 15:30", "--calendar", "office", "--customer", "acme"],
        "cannot be used",
    );
    declare(&["power", "--from", "yesterday"], "--from `yesterday`");
    desk.refused(&[&amend[..], &from].concat(), "was withdrawn");
    let nobody = ["interruption", "withdraw", "care.slaclock", "1", "--at", "2026-03-10 17:00"];
    desk.refused(&nobody, "--by <WHO>");
}

#[test]
fn a_new_version_is_tried_on_a_copy_and_then_migrated_to() {
    let desk = Desk::new();
    let stricter = POLICY.replace("version = 1", "version = 2").replace("11:00", "10:00");
    desk.write("two.toml", &stricter);
    desk.ok(&["fork", "care.slaclock", "copy.slaclock"]);
    desk.refused(&["fork", "care.slaclock", "copy.slaclock"], "copy.slaclock");
    let migrate = ["migrate", "care.slaclock", "--by", "ann", "--at", "2026-03-10 16:00"];
    desk.refused(
        &[&migrate[..], &["--version", "2"]].concat(),
        "policy version 2: is not installed; there are 1",
    );
    for db in ["copy.slaclock", "care.slaclock"] {
        desk.ok(&["install", db, "--policy", "two.toml", "--from", "2026-03-11"]);
    }
    let tried = desk.json(&[&migrate[..], &["--dry-run"]].concat());
    assert_eq!((&tried["requests"], tried["moved"].as_array().unwrap().len()), (&Value::from(3), 1));
    assert_eq!(tried["moved"][0]["request"], "C-4");
    assert_eq!(tried["moved"][0]["before"]["due"], "2026-03-11T11:00:00+03:00");
    assert_eq!(tried["moved"][0]["after"]["due"], "2026-03-11T10:00:00+03:00");
    let one = desk.json(&[
        "migrate",
        "copy.slaclock",
        "--by",
        "ann",
        "--at",
        "2026-03-10 16:00",
        "--customer",
        "zenith",
    ]);
    assert_eq!((&one["requests"], one["moved"].as_array().unwrap().len()), (&Value::from(1), 0));
    let told = desk.ok(&migrate);
    assert!(told.starts_with("to customer-care v2"), "{told}");
    assert!(told.contains("3 requests moved, 1 clock moves"), "{told}");
    let told = desk.ok(&["show", "care.slaclock", "C-4", "--now", "2026-03-10 17:00"]);
    assert!(told.contains("customer-care v2") && told.contains("from edition 1 to 2"), "{told}");
    desk.refused(&["migrate", "care.slaclock", "--at", "2026-03-10 16:00"], "--by <WHO>");
    desk.refused(&["event", "care.slaclock", "C-4", "migrated"], "is recorded by");
    let told = desk.ok(&["retz", "care.slaclock", "--by", "ann", "--dry-run"]);
    assert!(told.contains("already"), "{told}");
    desk.refused(&["retz", "care.slaclock", "--by", "ann", "--zones", "nowhere"], "nowhere");
    assert_eq!(desk.json(&["rebuild", "care.slaclock", "--verify"])["differing"], 0);
}
