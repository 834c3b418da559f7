//! What could go wrong: the reference of the policy language shows what slaclock does not read, leaves out a key, or a
//! lint. Every fenced example of `docs/policy.md` is read here; what an example leaves out is added to it.

use std::collections::BTreeSet;

use slaclock::policy::Policy;

const HEADER: &str = "[policy]\nname = \"docs\"\nversion = 1\n";
const CALENDAR: &str = "[calendar.office]\nzone = \"Europe/Moscow\"\nhours = { mon-fri = \"09:00-18:00\" }\n";
const CLOCK: &str = "[[clock]]\nname = \"resolution\"\nstart = \"received\"\nstop = \"resolved\"\ntarget = { working = \"8h\" }\n";

fn page() -> String {
    std::fs::read_to_string("docs/policy.md").unwrap()
}

/// The fenced blocks of one language, with their lines.
fn blocks(language: &str) -> Vec<(usize, String)> {
    let (page, fence) = (page(), format!("```{language}"));
    let mut lines = page.lines().enumerate();
    let mut blocks = Vec::new();
    while let Some((number, line)) = lines.next() {
        if line == fence {
            let block: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            blocks.push((number + 1, block.join("\n") + "\n"));
        }
    }
    blocks
}

#[test]
fn every_example_is_read() {
    let toml = blocks("toml");
    assert!(toml.len() >= 8);
    for (line, mut block) in toml {
        for (table, text) in [("[[clock]]", CLOCK), ("[calendar.", CALENDAR), ("[policy]", HEADER)] {
            if !block.contains(table) {
                block = format!("{text}\n{block}");
            }
        }
        if let Err(error) = Policy::from_toml(&block) {
            panic!("docs/policy.md, example of line {line}: {error}\n{block}");
        }
    }
    let json = blocks("json");
    assert_eq!(json.len(), 1);
    Policy::from_json(&json[0].1).unwrap();
}

#[test]
fn every_key_is_described() {
    let schema: serde_json::Value = serde_json::from_str(&Policy::json_schema()).unwrap();
    let mut keys = BTreeSet::new();
    collect_keys(&schema, &mut keys);
    let page = page();
    let missing: Vec<&String> = keys
        .iter()
        .filter(|key| !page.contains(&format!("`{key}`")) && !page.contains(&format!("{key} = ")))
        .collect();
    assert!(missing.is_empty(), "docs/policy.md says nothing of {missing:?}");
}

fn collect_keys(schema: &serde_json::Value, keys: &mut BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(map) => {
            if let Some(serde_json::Value::Object(properties)) = map.get("properties") {
                keys.extend(
                    properties
                        .keys()
                        .filter(|key| {
                            ![
                                "policy",
                                "calendar",
                                "clock",
                                "example",
                                "attached",
                                "interruptions",
                                "expedites",
                                "refusals",
                                "waivers",
                            ]
                            .contains(&key.as_str())
                        })
                        .cloned(),
                );
            }
            map.values().for_each(|value| collect_keys(value, keys));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|value| collect_keys(value, keys)),
        _ => {}
    }
}
