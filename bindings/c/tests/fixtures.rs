//! The fixtures that all languages share, answered through the C interface.
//!
//! The JSON becomes lines with tabs between their fields, which `c/fixtures.c` reads; what is asked is worked out there. Nothing
//! here knows a deadline: instants are parsed, calendars and rules are written in the policy language.

mod support;

use std::fmt::Write;

use serde_json::{Value, json};
use slaclock_core::Instant;
use support::{Program, root};

/// The conventions that differ from those of `expected`; see tests/vectors.rs.
const OURS: [&str; 3] = ["dst_endpoint=outer", "overnight_holiday=keep", "reversed_range=negative"];

#[test]
fn the_worked_examples_hold_in_c() {
    let text = std::fs::read_to_string(root().join("tests/fixtures/targets.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (mut lines, mut cases) = (String::new(), 0);
    for policy in rows.iter().filter(|row| row["id"].is_string()) {
        writeln!(lines, "policy\t{}", policy["policy"]).unwrap();
        for case in rows.iter().filter(|row| row["in"] == policy["id"]) {
            let text = |key: &str| case[key].as_str();
            let field = |key: &str| match text(key) {
                None => "absent".to_owned(),
                Some("none") => "none".to_owned(),
                Some(at) => instant(at),
            };
            writeln!(
                lines,
                "target\t{}\t{}\t{}\t{}\t{}\t{}",
                text("case").unwrap(),
                text("clock").unwrap(),
                field("received"),
                field("due"),
                text("reason").unwrap_or(""),
                field("limit")
            )
            .unwrap();
            cases += 1;
        }
    }
    assert!(cases > 150, "only {cases} cases");
    run(&lines, cases);
}

/// `@SECONDS`, or `DAY:SECONDS` of a civil time, which the program asks the calendar about.
fn instant(text: &str) -> String {
    if let Ok(instant) = Instant::parse(text) {
        return format!("@{}", instant.as_secs());
    }
    let form = if text.len() == 16 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
    let civil = chrono::NaiveDateTime::parse_from_str(text, form).unwrap();
    let seconds = civil.time() - chrono::NaiveTime::MIN;
    format!("{}:{}", civil.date().to_epoch_days(), seconds.num_seconds())
}

fn run(lines: &str, cases: usize) {
    let program = Program::build("fixtures.c", &[]);
    let path = program.folder.path().join("lines.txt");
    std::fs::write(&path, lines).unwrap();
    program.passes(&[path.to_str().unwrap(), &cases.to_string()]);
}

#[test]
fn the_answers_of_other_software_hold_in_c() {
    let (mut lines, mut cases, mut last) = (String::new(), 0, String::new());
    for entry in std::fs::read_dir(root().join("tests/fixtures/vectors")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let policy = policy_of(&case).to_string();
            if policy != last {
                writeln!(lines, "policy\t{policy}").unwrap();
                last = policy;
            }
            let (kind, arguments) = asked(&case);
            write!(lines, "{kind}\t{}", case["id"].as_str().unwrap()).unwrap();
            arguments.iter().for_each(|argument| write!(lines, "\t{argument}").unwrap());
            writeln!(lines, "\t{}", answer(expected(&case))).unwrap();
            cases += 1;
        }
    }
    assert!(cases >= 1_479, "only {cases} cases");
    run(&lines, cases);
}

fn expected(case: &Value) -> &Value {
    let outcomes = case["outcomes"].as_array().map(Vec::as_slice).unwrap_or(&[]);
    let ours = outcomes.iter().find(|outcome| OURS.contains(&outcome["when"].as_str().unwrap()));
    ours.map_or(&case["expected"], |outcome| &outcome["expected"])
}

fn answer(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(open) => u8::from(*open).to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => number_of(text),
        _ => panic!("{value}"),
    }
}

/// Seconds of an instant, or days of a date.
fn number_of(text: &str) -> String {
    match Instant::parse(text) {
        Ok(instant) => instant.as_secs().to_string(),
        Err(_) => text.parse::<chrono::NaiveDate>().unwrap().to_epoch_days().to_string(),
    }
}

/// The kind and its numbers.
fn asked(case: &Value) -> (&str, Vec<String>) {
    let kind = case["kind"].as_str().unwrap();
    let mut numbers = Vec::new();
    let keys: &[&str] = match kind {
        "is_open" | "next_open" | "next_close" => &["at"],
        "add_business" | "sub_business" => &["start", "amount_s"],
        "elapsed_business" | "paused_elapsed" => &["start", "end"],
        "paused" | "add_business_days_at" | "cutoff" => &["start"],
        "is_business_day" => &["date"],
        "add_business_days" => &["date", "days"],
        "business_days_between" => &["from", "to"],
        _ => panic!("unknown kind {kind}"),
    };
    keys.iter().for_each(|key| numbers.push(answer(&case[*key])));
    if kind == "add_business_days" {
        let roll = match case["roll"].as_str().unwrap_or("") {
            "forward" => "1",
            "backward" => "-1",
            _ => "0",
        };
        numbers.push(roll.to_owned());
    }
    for pause in case["pauses"].as_array().into_iter().flatten() {
        numbers.push(answer(&pause[0]));
        numbers.push(if pause[1].is_null() { "open".to_owned() } else { answer(&pause[1]) });
    }
    if kind == "cutoff" && is_due_at_opening(case) {
        return ("cutoff_open", numbers);
    }
    (kind, numbers)
}

/// Whether the branch that is taken is due at an opening, for which the language has no word.
fn is_due_at_opening(case: &Value) -> bool {
    let rule = &case["rule"];
    ["before", "after"].iter().any(|branch| rule[branch]["at"] == "open")
}

/// A policy with the case's calendar and a clock with its rule.
fn policy_of(case: &Value) -> Value {
    let written = &case["calendar"];
    let stretch = |pair: &Value| format!("{}-{}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
    let list = |value: &Value| value.as_array().unwrap().iter().map(stretch).collect::<Vec<_>>();
    let week: serde_json::Map<String, Value> = written["week"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(day, hours)| (day.clone(), json!(list(hours))))
        .collect();
    let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let extra: Vec<Value> = object(&written["extra_days"])
        .iter()
        .map(|(on, hours)| json!({ "on": on, "hours": list(hours) }))
        .collect();
    let closures: Vec<Value> = object(&written["breaks"])
        .iter()
        .flat_map(|(on, hours)| {
            let cut = |pair: &Value| json!({ "on": on, "from": pair[0], "to": pair[1] });
            hours.as_array().unwrap().iter().map(cut).collect::<Vec<_>>()
        })
        .collect();
    let holidays = written["holidays"].as_array().cloned().unwrap_or_default();
    json!({
        "policy": { "name": "vector", "version": 1 },
        "calendar": { "office": {
            "zone": written["tz"], "hours": week, "holidays": holidays, "closures": closures, "extra_days": extra,
        } },
        "clock": [{ "name": "clock", "start": "received", "stop": "resolved", "target": target_of(case) }],
    })
}

fn target_of(case: &Value) -> Value {
    match case["kind"].as_str().unwrap() {
        "paused" => json!({ "working": format!("{}s", case["amount_s"]) }),
        "add_business_days_at" => json!({ "working_days": case["days"], "at": "same time" }),
        "cutoff" => {
            let rule = &case["rule"];
            let due = |branch: &Value| {
                let at = match branch["at"].as_str().unwrap() {
                    // No target is due at an opening; noon of the same date stands in for it.
                    "open" => "12:00",
                    at => at,
                };
                match branch["days"].as_u64().unwrap() {
                    0 => format!("same day, {at}"),
                    1 => format!("next day, {at}"),
                    days => format!("+{days} days, {at}"),
                }
            };
            json!([
                { "received_before": rule["cutoff"], "due": due(&rule["before"]) },
                { "due": due(&rule["after"]) },
            ])
        }
        _ => json!({ "working": "1h" }),
    }
}
