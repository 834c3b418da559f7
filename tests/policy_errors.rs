//! What could go wrong: a policy is wrong and slaclock takes it, or says something that does not lead to the place and
//! the remedy. Each case is a good policy with one thing changed; its exact error text, with line and column, is in
//! `tests/snapshots/`.

use slaclock::error::ErrorKind;
use slaclock::policy::Policy;

const GOOD: &str = r#"
[policy]
name    = "care"
version = 1

[calendar.office]
zone     = "Europe/Moscow"
hours    = { mon-fri = "09:00-18:00" }
holidays = ["01-01..01-08"]

[[clock]]
name     = "resolution"
start    = "received"
stop     = "resolved"
target   = [{ received_before = "14:00", due = "same day, close" }, { due = "next day, 11:00" }]
backstop = { working_days = 3 }
warn_at  = ["50 %", "75 %"]

[[clock]]
name    = "update"
start   = "resolution.late"
restart = "updated"
stop    = "resolved"
target  = { working_days = 1, at = "same time" }

[[example]]
received = "2026-03-06 15:00"
due      = { resolution = "2026-03-09 11:00" }
"#;

/// The good policy with `from` replaced by `to`.
fn with(from: &str, to: &str) -> String {
    assert_eq!(GOOD.matches(from).count(), 1, "{from}");
    GOOD.replace(from, to)
}

/// The good policy with `more` at its end.
fn and(more: &str) -> String {
    format!("{GOOD}\n{more}\n")
}

/// The good policy with this target for `update`.
fn target(target: &str) -> String {
    with(r#"{ working_days = 1, at = "same time" }"#, target)
}

/// The good policy with these rules for `update`.
fn rules(rules: &str) -> String {
    with(r#"target  = { working_days = 1, at = "same time" }"#, &format!("rules = [\n{rules}\n]"))
}

/// The good policy with this holiday.
fn holiday(text: &str) -> String {
    with(r#"["01-01..01-08"]"#, &format!("[{text}]"))
}

/// The good policy with these hours.
fn hours(text: &str) -> String {
    with(r#"{ mon-fri = "09:00-18:00" }"#, text)
}

fn cases() -> Vec<(&'static str, String)> {
    let deep = format!("[policy]\nname = {}1{}", "[".repeat(40), "]".repeat(40));
    let many_clocks: String = (0..64)
        .map(|n| {
            format!(
                "[[clock]]\nname = \"c{n}\"\nstart = \"received\"\nstop = \"resolved\"\ntarget = \"none\"\n"
            )
        })
        .collect();
    let many_rules: String =
        (0..1000).map(|n| format!("{{ when = {{ type = \"{n}\" }}, target = \"none\" }},\n")).collect();
    let many_values: String = (0..1001).map(|n| format!("\"{n}\",")).collect();
    let many_holidays: String = (0..10_001).map(|_| "\"01-01\",").collect();
    let long = "x".repeat(256);
    vec![
        // The text.
        ("nothing", String::new()),
        ("no TOML", "[policy\nname = 1".into()),
        ("an unterminated text", with(r#""care""#, r#""care"#)),
        ("a key given twice", with("version = 1", "version = 1\nversion = 2")),
        ("a table given twice", and("[policy]\nname = \"x\"")),
        ("nested too deep", deep),
        ("columns count characters", with(r#"name    = "care""#, r#"name    = "опора" x"#)),
        // Keys.
        ("a misspelt key", with("backstop =", "backstopp =")),
        ("an unknown key", with("backstop =", "colour =")),
        ("an unknown table", and("[colours]\nred = 1")),
        ("a misspelt table", with("[[example]]", "[[exampel]]")),
        ("no name of the policy", with("name    = \"care\"\n", "")),
        ("no version", with("version = 1\n", "")),
        ("version 0", with("version = 1", "version = 0")),
        ("a version that is no number", with("version = 1", "version = \"1\"")),
        ("a fractional version", with("version = 1", "version = 1.5")),
        ("a huge version", with("version = 1", "version = 99999999999999999999")),
        ("an empty name", with(r#""care""#, r#""""#)),
        ("a long name", with(r#""care""#, &format!("\"{long}\""))),
        ("a control character in a name", with(r#""care""#, r#""ca\u0007re""#)),
        ("a review date that does not exist", with("version = 1", "version = 1\nreview_at = \"2026-02-30\"")),
        ("a header that is no table", "policy = 1".into()),
        // Calendars.
        ("no calendar", "calendar = {}\nclock = []\n[policy]\nname = \"care\"\nversion = 1".into()),
        ("an unknown zone", with("Europe/Moscow", "Europe/Moskow")),
        ("no zone", with("zone     = \"Europe/Moscow\"\n", "")),
        ("no hours", with("hours    = { mon-fri = \"09:00-18:00\" }\n", "")),
        ("never open", hours(r#""closed""#)),
        ("hours as text", hours(r#""09:00-18:00""#)),
        ("an unknown weekday", hours(r#"{ mon-fry = "09:00-18:00" }"#)),
        ("a weekday given twice", hours(r#"{ mon-fri = "09:00-18:00", wed = "10:00-12:00" }"#)),
        ("an hour without two digits", hours(r#"{ mon-fri = "9:00-18:00" }"#)),
        ("an hour after midnight", hours(r#"{ mon-fri = "09:00-25:00" }"#)),
        ("hours that overlap", hours(r#"{ mon-fri = ["09:00-13:00", "12:00-18:00"] }"#)),
        ("a night that overlaps", hours(r#"{ mon = "22:00-06:00", tue = "05:00-12:00" }"#)),
        ("a circle of calendars", and("[calendar.a]\nextends = \"b\"\n[calendar.b]\nextends = \"a\"")),
        ("an unknown parent", and("[calendar.a]\nextends = \"offise\"")),
        ("a holiday that does not exist", holiday(r#""2026-02-30""#)),
        ("a holiday before 1970", holiday(r#""1969-12-31""#)),
        ("a holiday of the 13th month", holiday(r#""13-01""#)),
        ("a range of dates that runs backwards", holiday(r#""2026-07-14..2026-07-01""#)),
        ("half a range", holiday(r#""2026-07-14..07-20""#)),
        ("an unknown phrase", holiday(r#""sixth monday of may""#)),
        ("an offset of years", holiday(r#""easter +400""#)),
        ("a holiday as number", holiday("20260101")),
        ("a holiday without date", holiday(r#"{ name = "New Year" }"#)),
        ("an unknown way to observe", holiday(r#"{ on = "01-01", observed = "tuesday" }"#)),
        ("too many holidays", holiday(&many_holidays)),
        ("a holiday file without folder", with("[calendar.office]", "[calendar.office]\nholiday_files = \"x.ics\"")),
        (
            "a holiday file that is none",
            and("[[attached]]\nname = \"x.ics\"\ntext = \"hello\"")
                .replace("[calendar.office]", "[calendar.office]\nholiday_files = \"x.ics\""),
        ),
        (
            "a closure that ends before it starts",
            with("[calendar.office]", "[calendar.office]\nclosures = [{ on = \"12-24\", from = \"12:00\", to = \"11:00\" }]"),
        ),
        (
            "an exception every year",
            with("[calendar.office]", "[calendar.office]\nexceptions = [{ on = \"12-24\", hours = \"closed\" }]"),
        ),
        (
            "an extra day without hours",
            with("[calendar.office]", "[calendar.office]\nextra_days = [{ on = 2026-05-16 }]"),
        ),
        (
            "an extra day given twice",
            with(
                "[calendar.office]",
                "[calendar.office]\nextra_days = [{ on = 2026-05-16, hours = \"09:00-12:00\" }, { on = 2026-05-16, hours = \"10:00-12:00\" }]",
            ),
        ),
        // Clocks.
        ("no clocks", "clock = []\n[policy]\nname = \"care\"\nversion = 1\n[calendar.a]\nzone = \"UTC\"\nhours = \"24x7\"".into()),
        ("a clock that is no table", with("[[clock]]\nname    = \"update\"", "[clock]\nname    = \"update\"")),
        ("two clocks of one name", with("name    = \"update\"", "name    = \"resolution\"")),
        ("a clock with a dot", with("name    = \"update\"", "name    = \"update.daily\"")),
        ("a clock named like an event", with("name    = \"update\"", "name    = \"updated\"")),
        ("an unknown event", with("start    = \"received\"", "start    = \"recieved\"")),
        ("an unknown clock to start from", with("resolution.late", "resolutoin.late")),
        ("an unknown threshold to start from", with("resolution.late", "resolution.met")),
        ("clocks that start each other", with("start    = \"received\"", "start    = \"update.late\"")),
        ("an empty start", with("start    = \"received\"", "start    = []")),
        ("no stop", with("start    = \"received\"\nstop     = \"resolved\"", "start    = \"received\"")),
        ("a stop that is the start", with("start    = \"received\"", "start    = [\"received\", \"resolved\"]")),
        ("a stop at receipt", with("restart = \"updated\"", "restart = \"received\"")),
        ("a restart that is a stop", with("restart = \"updated\"", "restart = \"resolved\"")),
        ("an unknown way to reopen", with("restart = \"updated\"", "restart = \"updated\"\nreopen = \"fully\"")),
        ("an unknown calendar", with("start    = \"received\"", "start    = \"received\"\ncalendar = \"ofice\"")),
        ("no calendar named", and("[calendar.other]\nextends = \"office\"")),
        ("a share above 100 %", with("warn_at ", "attainment = { share = \"101 %\", per = \"month\" }\nwarn_at ")),
        ("a share with three decimals", with("warn_at ", "attainment = { share = \"99.999 %\", per = \"month\" }\nwarn_at ")),
        ("a share as number", with("warn_at ", "attainment = { share = 0.95, per = \"month\" }\nwarn_at ")),
        ("an unknown period", with("warn_at ", "attainment = { share = \"95 %\", per = \"week\" }\nwarn_at ")),
        ("a warning at 100 %", with("75 %", "100 %")),
        ("a warning at half a percent", with("75 %", "75.5 %")),
        ("warnings that fall", with(r#"["50 %", "75 %"]"#, r#"["75 %", "50 %"]"#)),
        ("too many clocks", and(&many_clocks)),
        // Targets.
        ("no target", with("target  = { working_days = 1, at = \"same time\" }\n", "")),
        ("a target that is a number", target("8")),
        ("a target in a wrong word", target("\"soon\"")),
        ("a target as text", target("\"8h\"")),
        ("an empty target", target("{}")),
        ("an unknown form of target", target("{ workdays = 3 }")),
        ("two forms in one target", target("{ working = \"8h\", elapsed = \"9h\" }")),
        ("a bare day", target("{ elapsed = \"3d\" }")),
        ("no time at all", target("{ working = \"0h\" }")),
        ("a negative time", target("{ working = \"-1h\" }")),
        ("a time without unit", target("{ working = \"8\" }")),
        ("a time as number", target("{ working = 8 }")),
        ("more than a century", target("{ elapsed = \"900000h\" }")),
        ("zero working days", target("{ working_days = 0 }")),
        ("negative working days", target("{ working_days = -3 }")),
        ("half a working day", target("{ working_days = 0.5 }")),
        ("an unknown time of day", target("{ working_days = 3, at = \"noon\" }")),
        ("no branches", target("[]")),
        ("a branch without due", target("[{ received_before = \"14:00\" }]")),
        ("no other branch", target("[{ received_before = \"14:00\", due = \"same day, close\" }]")),
        (
            "branches that fall",
            target("[{ received_before = \"14:00\", due = \"same day, close\" }, { received_before = \"12:00\", due = \"same day, close\" }, { due = \"next day, close\" }]"),
        ),
        (
            "a branch after the last",
            target("[{ due = \"next day, close\" }, { received_before = \"12:00\", due = \"same day, close\" }, { due = \"next day, close\" }]"),
        ),
        ("a branch before midnight", target("[{ received_before = \"00:00\", due = \"same day, close\" }, { due = \"next day, close\" }]")),
        ("a branch due before its receipts", target("[{ received_before = \"14:00\", due = \"same day, close\" }, { due = \"same day, 11:00\" }]")),
        ("a branch due some day", target("[{ due = \"someday, 11:00\" }]")),
        ("a branch due at the same time", target("[{ due = \"next day, same time\" }]")),
        ("an unknown reading of closed days", target("{ cutoff = [{ due = \"next day, close\" }], closed_day = \"monday\" }")),
        ("the earliest of one", target("{ earliest = [{ working = \"8h\" }] }")),
        ("the latest with none", target("{ latest = [{ working = \"8h\" }, \"none\"] }")),
        ("a promise nobody can make", target("\"promised\"")),
        ("a promised backstop", with("{ working_days = 3 }", "\"promised\"")),
        // Rules.
        ("a rule without target", rules("{ when = { priority = \"high\" } }")),
        ("a rule for everything before others", rules("{ target = \"none\" }, { when = { priority = \"high\" }, target = \"none\" }")),
        ("a rule that comes too late", rules("{ when = { priority = [\"high\", \"low\"] }, target = \"none\" },\n{ when = { priority = \"high\", type = \"a\" }, target = \"none\" }")),
        ("a rule without facts", rules("{ when = {}, target = \"none\" }")),
        ("a condition without values", rules("{ when = { priority = [] }, target = \"none\" }")),
        ("a condition on a number", rules("{ when = { priority = 1 }, target = \"none\" }")),
        ("a condition on nothing", rules("{ when = { priority = \"\" }, target = \"none\" }")),
        ("too many values", rules(&format!("{{ when = {{ type = [{many_values}] }}, target = \"none\" }}"))),
        ("too many rules", rules(&many_rules)),
        ("an unknown key in a rule", rules("{ when = { priority = \"high\" }, targets = \"none\" }")),
        // Receipt rules.
        ("a receipt rule without condition", with("warn_at ", "receipt = [{ counts_as = \"next opening\" }]\nwarn_at ")),
        ("a receipt rule with two conditions", with("warn_at ", "receipt = [{ from = \"17:00\", before = \"18:00\", counts_as = \"next opening\" }]\nwarn_at ")),
        ("an unknown day of receipt", with("warn_at ", "receipt = [{ on = \"sunday\", counts_as = \"next opening\" }]\nwarn_at ")),
        ("a receipt that counts as nothing known", with("warn_at ", "receipt = [{ from = \"17:00\", counts_as = \"tomorrow\" }]\nwarn_at ")),
        // Interruptions.
        ("an unknown interruption", and("[interruptions]\nearthquake = \"stop\"")),
        ("an unknown handling", and("[interruptions]\npower = \"ignore\"")),
        // Examples.
        ("a wrong example", with("2026-03-09 11:00", "2026-03-09 12:00")),
        ("an example that expects none", with("\"2026-03-09 11:00\"", "\"none\"")),
        ("an example that expects a limit", and("[[example]]\nreceived = \"2026-03-06 15:00\"\nlimit = { update = \"2026-03-09 11:00\" }")),
        ("an example of an unknown clock", with("{ resolution = \"2026-03-09 11:00\" }", "{ resolutino = \"2026-03-09 11:00\" }")),
        ("an example that expects nothing", with("due      = { resolution = \"2026-03-09 11:00\" }", "")),
        ("an example at no time", with("2026-03-06 15:00", "tomorrow")),
        ("an example at none", with("2026-03-06 15:00", "none")),
        ("an example after 2099", with("2026-03-06 15:00", "2100-01-01 15:00")),
        ("an example of an unknown calendar", with("received = \"2026-03-06 15:00\"", "received = \"2026-03-06 15:00\"\ncalendar = \"home\"")),
        (
            "an example without deadline",
            and("[[clock]]\nname = \"x\"\nstart = \"received\"\nstop = \"replied\"\nrules = [{ when = { priority = \"high\" }, target = { working = \"1h\" } }]\n[[example]]\nreceived = \"2026-03-06 15:00\"\ndue = { x = \"2026-03-06 16:00\" }"),
        ),
    ]
}

fn report(title: &str, error: &slaclock::error::Error) -> String {
    let kind = match error.kind() {
        ErrorKind::InvalidPolicy => String::new(),
        other => format!(" [{other}]"),
    };
    format!("{title}{kind}\n    {error}\n")
}

#[test]
fn good_is_good() {
    let policy = Policy::from_toml(GOOD).unwrap();
    assert_eq!(policy.clocks().len(), 2);
}

#[test]
fn every_bad_policy_has_its_error() {
    let cases = cases();
    assert!(cases.len() >= 60);
    let mut said = String::new();
    for (title, text) in cases {
        match Policy::from_toml(&text) {
            Ok(_) => panic!("{title}: is taken for good"),
            Err(error) => said.push_str(&report(title, &error)),
        }
    }
    insta::assert_snapshot!("toml", said);
}

#[test]
fn json_has_its_own_errors() {
    let head = r#"{"policy": {"name": "care", "version": 1},"#;
    let cases = [
        ("no object", "[]".to_owned()),
        ("no JSON", "{\"policy\": }".to_owned()),
        ("a comment", "{ // hello\n}".to_owned()),
        ("a trailing comma", "{\"policy\": {\"name\": \"care\", \"version\": 1,}}".to_owned()),
        ("a key given twice", "{\"policy\": {\"name\": \"care\",\n \"name\": \"other\"}}".to_owned()),
        ("null", "{\"policy\": {\"name\": null, \"version\": 1}}".to_owned()),
        ("cut off", "{\"policy\": {\"name\": \"ca".to_owned()),
        ("nested too deep", format!("{{\"policy\": {}{}}}", "[".repeat(40), "]".repeat(40))),
        ("very deep", "{\"a\":".repeat(100_000)),
        ("columns count characters", "{\"policy\": {\"name\": \"опора\", \"version\": 0}}".to_owned()),
        ("a number with an exponent", "{\"policy\": {\"name\": \"care\", \"version\": 1e0}}".to_owned()),
        (
            "a wrong value on one line",
            format!(
                "{head} \"calendar\": {{\"office\": {{\"zone\": \"UTC\", \"hours\": {{\"mon\": \"9-5\"}}}}}}, \"clock\": []}}"
            ),
        ),
    ];
    let mut said = String::new();
    for (title, text) in cases {
        said.push_str(&report(title, &Policy::from_json(&text).unwrap_err()));
    }
    insta::assert_snapshot!("json", said);
}

#[test]
fn files_have_their_errors() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("latin1.toml", b"[policy]\nname = \"caf\xe9\"\n");
    write("large.toml", &vec![b'#'; 1024 * 1024 + 1]);
    let files =
        |files: &str| with("[calendar.office]", &format!("[calendar.office]\nholiday_files = {files}"));
    write("missing-file.toml", files("\"none.ics\"").as_bytes());
    write("outside.toml", files("\"../x.ics\"").as_bytes());
    write("absolute.toml", files("\"/etc/passwd\"").as_bytes());
    write("wrong-file.toml", files("\"wrong.ics\"").as_bytes());
    write("wrong.ics", b"no calendar");
    let mut said = String::new();
    for name in [
        "none.toml",
        "latin1.toml",
        "large.toml",
        "missing-file.toml",
        "outside.toml",
        "absolute.toml",
        "wrong-file.toml",
    ] {
        let error = Policy::load(folder.path().join(name)).unwrap_err();
        said.push_str(&report(name, &error).replace(&folder.path().display().to_string(), "DIR"));
    }
    insta::assert_snapshot!("files", said);
}
