//! The worked examples of the specification and every edge of a target one second below, at and above it, as data.
//!
//! A wrong rule shows as a case whose due, limit or reason differs; all differing cases are listed at once. The file
//! is shared by all languages, see `fixtures/README.md`.

mod support;

use std::collections::HashMap;

use serde_json::Value;
use slaclock::policy::Rule;
use slaclock::target::Due;

const CASES: &str = include_str!("fixtures/targets.jsonl");

#[test]
fn every_case_of_the_fixture_holds() {
    let mut policies: HashMap<String, Value> = HashMap::new();
    let mut rules: HashMap<(String, String), Rule> = HashMap::new();
    let (mut cases, mut wrong) = (0, Vec::new());
    for (number, line) in CASES.lines().enumerate() {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        if let Some(id) = line["id"].as_str() {
            policies.insert(id.to_owned(), line["policy"].clone());
            continue;
        }
        let (id, clock) = (line["in"].as_str().expect("in"), line["clock"].as_str().expect("clock"));
        let policy = policies.get(id).expect("the policy comes first");
        let rule =
            rules.entry((id.to_owned(), clock.to_owned())).or_insert_with(|| support::rule_of(policy, clock));
        cases += 1;
        for difference in differences(rule, &line) {
            wrong.push(format!("line {}, {id}/{clock}, {}: {difference}", number + 1, line["case"]));
        }
    }
    assert!(cases > 150, "only {cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn differences(rule: &Rule, line: &Value) -> Vec<String> {
    let text = |key: &str| line[key].as_str();
    let received = support::instant(&rule.calendar, text("received").expect("received"));
    let shown = |due: Due| match due {
        Ok(due) => format!("{due} ({})", rule.calendar.local(due)),
        Err(reason) => serde_json::to_value(reason).unwrap().as_str().unwrap().to_owned(),
    };
    let wanted = |value: &str| match value {
        "none" => text("reason").expect("a reason").to_owned(),
        at => shown(Ok(support::instant(&rule.calendar, at))),
    };
    let mut differences = Vec::new();
    let mut compare = |what: &str, wanted: String, found: String| {
        if wanted != found {
            differences.push(format!("{what} is {found}, wanted {wanted}"));
        }
    };
    let due = rule.due(received);
    compare("due", wanted(text("due").expect("due")), shown(due));
    compare("traced due", shown(due), shown(rule.trace(received, &[], None).due()));
    let limit = rule.limit(received);
    compare(
        "limit",
        text("limit").map_or("absent".to_owned(), wanted),
        limit.map_or("absent".to_owned(), shown),
    );
    let traced = rule.trace(received, &[], None).limit.map(|limit| limit.as_due());
    compare(
        "traced limit",
        limit.map_or("absent".to_owned(), shown),
        traced.map_or("absent".to_owned(), shown),
    );
    let mut out = [0];
    rule.due_many(&[received.as_secs()], &mut out).expect("a supported receipt");
    compare("due of many", due.map_or(i64::MIN, |due| due.as_secs()).to_string(), out[0].to_string());
    differences
}
