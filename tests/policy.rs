//! What could go wrong: an example policy no longer loads or means something else, TOML and JSON part ways, the
//! published schema goes stale, the linter falls silent, a stored policy cannot be read back, or some text makes the
//! reader panic.

use chrono::NaiveDate;
use proptest::prelude::*;
use slaclock::model::{EventTag, Facts};
use slaclock::policy::{Handling, Interruption, Mismatch, Policy, Reopen, Trigger};
use slaclock::time::Instant;
use slaclock::zone::TzData;

const EXAMPLES: [&str; 7] = [
    "promise",
    "servicenow",
    "servicenow-two-days",
    "servicenow-by-priority",
    "itil",
    "boston-2011",
    "boston-2015",
];

fn path(name: &str) -> String {
    format!("examples/policies/{name}.toml")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

fn example(name: &str) -> Policy {
    Policy::load(path(name)).unwrap_or_else(|error| panic!("{error}"))
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Everything that a policy says, for comparison.
fn meaning(policy: &Policy) -> String {
    let calendars: Vec<_> = policy.calendars().iter().map(|calendar| calendar.spec()).collect();
    let mut said = format!(
        "{} {} {:?} {:?} {:?} {calendars:#?}\n",
        policy.name(),
        policy.version(),
        policy.statement(),
        policy.review_at(),
        policy.interruptions()
    );
    for clock in policy.clocks() {
        let header = (
            &clock.name,
            &clock.start,
            &clock.stop,
            &clock.restart,
            &clock.pause,
            clock.reopen,
            clock.attainment,
        );
        said += &format!("{header:#?}\n");
        for rule in &clock.rules {
            let body =
                (&rule.when, &rule.receipt, &rule.target, rule.roll_forward, &rule.backstop, &rule.warn_at);
            said += &format!("{} {body:#?}\n", rule.calendar.name());
        }
    }
    said
}

/// The same document as JSON.
fn to_json(value: toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(to_json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, to_json(value))).collect(),
    }
}

#[test]
fn every_example_policy_loads_and_reads_back_from_its_source() {
    let files = std::fs::read_dir("examples/policies").unwrap();
    let policies =
        files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|e| e == "toml"));
    assert_eq!(policies.count(), EXAMPLES.len());
    for name in EXAMPLES {
        let policy = example(name);
        assert_eq!(policy.source(), text(name));
        let again = Policy::from_text(policy.source(), &TzData::bundled()).unwrap();
        assert_eq!(meaning(&again), meaning(&policy), "{name}");
    }
}

#[test]
fn toml_and_json_mean_the_same() {
    for name in EXAMPLES {
        let value: toml::Value = toml::from_str(&text(name)).unwrap();
        let json = serde_json::to_string_pretty(&to_json(value)).unwrap();
        let policy = Policy::from_json(&json).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(meaning(&policy), meaning(&example(name)), "{name}");
        assert_eq!(meaning(&Policy::from_text(&json, &TzData::bundled()).unwrap()), meaning(&policy));
    }
}

#[test]
fn the_reference_promise_says_what_it_says() {
    let policy = example("promise");
    assert_eq!((policy.name(), policy.version()), ("customer-care", 1));
    assert!(policy.statement().starts_with("95 % of requests received before 14:00"));
    let resolution = policy.clock("resolution").unwrap();
    assert_eq!(resolution.start, [Trigger::Event(EventTag::Received)]);
    assert_eq!(resolution.pause, ["waiting_customer"]);
    assert_eq!(resolution.reopen, Reopen::Remaining);
    assert_eq!(resolution.attainment.unwrap().share_bp, 9_500);
    assert_eq!(resolution.rules[0].warn_at, [50, 75]);
    let update = policy.clock("update").unwrap();
    assert_eq!(update.start, [Trigger::Late(0)]);
    assert_eq!(update.reopen, Reopen::Full);
    let error = policy.clock("resolutin").unwrap_err();
    assert_eq!(
        error.message(),
        "unknown clock `resolutin`; did you mean `resolution`? known: `resolution`, `update`"
    );
}

/// The table of the specification, each edge one second below, at and above.
#[test]
fn the_reference_promise_gives_the_reference_deadlines() {
    let policy = example("promise");
    let resolution = policy.clock("resolution").unwrap();
    // March 2026: the 2nd and the 16th are Mondays; Sunday the 8th is a holiday.
    for (received, due, limit) in [
        ("2026-03-16T07:00:00", "2026-03-16T18:00:00", "2026-03-19T18:00:00"),
        ("2026-03-16T10:00:00", "2026-03-16T18:00:00", "2026-03-19T18:00:00"),
        ("2026-03-16T13:59:59", "2026-03-16T18:00:00", "2026-03-19T18:00:00"),
        ("2026-03-16T14:00:00", "2026-03-17T11:00:00", "2026-03-19T18:00:00"),
        ("2026-03-16T14:00:01", "2026-03-17T11:00:00", "2026-03-19T18:00:00"),
        ("2026-03-16T19:30:00", "2026-03-17T11:00:00", "2026-03-19T18:00:00"),
        ("2026-03-16T23:59:59", "2026-03-17T11:00:00", "2026-03-19T18:00:00"),
        ("2026-03-17T00:00:00", "2026-03-17T18:00:00", "2026-03-20T18:00:00"),
        ("2026-03-20T13:59:59", "2026-03-20T18:00:00", "2026-03-25T18:00:00"),
        ("2026-03-20T15:00:00", "2026-03-23T11:00:00", "2026-03-25T18:00:00"),
        ("2026-03-21T10:00:00", "2026-03-23T11:00:00", "2026-03-25T18:00:00"),
        ("2026-03-22T23:59:59", "2026-03-23T11:00:00", "2026-03-25T18:00:00"),
        // Friday 2026-05-01 is a holiday.
        ("2026-04-30T14:00:00", "2026-05-04T11:00:00", "2026-05-06T18:00:00"),
        ("2026-05-01T10:00:00", "2026-05-04T11:00:00", "2026-05-06T18:00:00"),
    ] {
        let at = |text: &str| Instant::parse(&format!("{text}+03:00")).unwrap();
        let facts = Facts::none();
        assert_eq!(resolution.due(at(received), &facts).unwrap(), at(due), "{received}");
        assert_eq!(resolution.limit(at(received), &facts).unwrap(), Some(at(limit)), "{received}");
    }
}

#[test]
fn the_linter_names_what_the_reference_promise_is_silent_on() {
    let lints = example("promise").check(date("2026-03-01"));
    let said: Vec<String> = lints.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("promise_lints", said.join("\n"));
}

#[test]
fn the_linter_is_content_with_the_larger_examples() {
    let codes = |name: &str, on: &str| -> Vec<&str> {
        example(name).check(date(on)).into_iter().map(|lint| lint.code).collect()
    };
    assert_eq!(
        codes("itil", "2026-03-01"),
        ["silent-on-care", "rule-without-example", "vendor-beyond-promise"]
    );
    assert_eq!(
        codes("servicenow", "2016-03-01"),
        ["no-first-response", "no-vendor-handling", "silent-on-care"]
    );
    let expired = codes("boston-2015", "2024-06-01");
    assert!(expired.contains(&"holidays-expire"), "{expired:?}");
}

#[test]
fn the_linter_finds_what_can_hardly_be_meant() {
    let text = r#"
[policy]
name = "odd"
version = 1
statement = " "
review_at = 2025-01-01

[calendar.office]
zone = "Europe/Berlin"
hours = { mon-thu = "09:00-12:00", fri = "09:00-11:00" }
holidays = ["2026-03-14", { on = "2026-05-16", name = "make-up" }]
extra_days = [{ on = "2026-05-16", hours = "09:00-12:00" }]

[calendar.spare]
zone = "Europe/Berlin"
hours = "24x7"

[calendar.shut]
zone = "Europe/Berlin"
hours = { mon = "09:00-12:00" }
holidays = ["01-01..12-31"]
holidays_known_until = 2030-12-31

[[clock]]
name = "resolution"
calendar = "office"
start = "received"
stop = "resolved"
target = [{ received_before = "13:00", due = "next day, 18:00" }, { due = "same day, close" }]
backstop = { elapsed = "1h" }
attainment = { share = "90 %", per = "quarter" }
rules = [
    { when = { priority = ["high", "low"], type = "a" }, target = { working_days = 1, at = "11:30" } },
    { when = { priority = "high", channel = "phone" }, target = { working_days = 1 }, backstop = "none" },
]

[[clock]]
name = "other"
calendar = "shut"
start = "received"
stop = "assigned"
rules = [{ when = { priority = "low" }, target = { working = "1h" } }]
"#;
    let lints = Policy::from_toml(text).unwrap().check(date("2026-03-02"));
    let said: Vec<String> = lints.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("odd_lints", said.join("\n"));
}

#[test]
fn many_rules_match_as_one_by_one() {
    for name in ["boston-2011", "boston-2015", "itil"] {
        let policy = example(name);
        let values =
            ["Tree Emergencies", "Zoning", "Street Light Outages", "no such type", "Parking Enforcement"];
        for clock in policy.clocks() {
            for kind in values {
                for priority in [None, Some("critical"), Some("medium"), Some("none")] {
                    let mut facts = Facts::none().with("type", kind);
                    facts.set("priority", priority.unwrap_or_default());
                    let expected = clock.rules.iter().position(|rule| rule.matches(&facts));
                    assert_eq!(
                        clock.rule_for(&facts).map(|(number, _)| number),
                        expected,
                        "{name} {facts:?}"
                    );
                    let matched = clock.match_rules(&facts);
                    assert_eq!(matched.chosen.map(|(number, _)| number), expected);
                    assert_eq!(matched.considered.len() + usize::from(expected.is_some()), clock.rules.len());
                }
            }
        }
    }
    let itil = example("itil");
    let matched = itil.clock("first_response").unwrap().match_rules(&Facts::none().with("priority", "high"));
    let differs = Mismatch::Differs { fact: "priority".into(), found: Some("high".into()) };
    assert_eq!(matched.considered, [(0, differs.clone()), (2, differs), (3, Mismatch::ComesLater)]);
    assert!(itil.interruptions().contains(&(Interruption::Disaster, Handling::Stop)));
}

#[test]
fn a_thousand_rules_are_found_by_value() {
    let mut text = r#"
policy = { name = "many", version = 1 }
calendar.office = { zone = "UTC", hours = "24x7" }
[[clock]]
name = "resolution"
start = "received"
stop = "resolved"
"#
    .to_owned();
    for number in 1..=999 {
        // Every tenth asks for another fact, in between the others.
        let fact = if number % 10 == 0 { "customer" } else { "type" };
        text += &format!(
            "[[clock.rules]]\nwhen = {{ {fact} = \"{number}\" }}\ntarget = {{ elapsed = \"{number}h\" }}\n"
        );
    }
    let policy = Policy::from_toml(&text).unwrap();
    let clock = policy.clock("resolution").unwrap();
    let rule = |kind: &str, customer: &str| {
        clock
            .rule_for(&Facts::none().with("type", kind).with("customer", customer))
            .map(|(number, _)| number + 1)
    };
    assert_eq!(rule("7", "x"), Some(7));
    assert_eq!(rule("777", "20"), Some(20));
    assert_eq!(rule("7", "20"), Some(7));
    assert_eq!(rule("x", "990"), Some(990));
    assert_eq!(rule("x", "x"), None);
}

#[test]
fn holiday_files_travel_with_the_policy() {
    let folder = tempfile::tempdir().unwrap();
    let ics = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Founders' \"Day\"\r\n\
               DTSTART;VALUE=DATE:20260320\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    std::fs::write(folder.path().join("days.ics"), ics).unwrap();
    let toml =
        text("promise").replace("[calendar.office]", "[calendar.office]\nholiday_files = [\"days.ics\"]");
    let value: toml::Value = toml::from_str(&toml).unwrap();
    let json = serde_json::to_string(&to_json(value)).unwrap();
    for (name, text) in [("policy.toml", toml), ("policy.json", json)] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let policy = Policy::load(&path).unwrap();
        assert!(!policy.calendars()[0].is_working_day(date("2026-03-20")));
        let stored = Policy::from_text(policy.source(), &TzData::bundled()).unwrap();
        assert_eq!(meaning(&stored), meaning(&policy), "{name}");
        assert_eq!(stored.source(), policy.source(), "storing it again adds nothing");
    }
}

/// Texts near good ones: a stretch of one policy put in the place of a stretch of another.
fn near_policies() -> impl Strategy<Value = String> {
    let sources: Vec<String> = ["promise", "itil", "servicenow"].map(text).into();
    let more = sources.clone();
    let stretch = (any::<prop::sample::Index>(), 0_usize..40);
    let one = (0..3_usize, stretch.clone(), 0..3_usize, stretch);
    prop::collection::vec(one, 1..4).prop_map(move |edits| {
        let mut bytes = sources[0].clone().into_bytes();
        for (base, (at, len), donor, (from, count)) in edits {
            if at.index(4) == 0 {
                bytes = more[base].clone().into_bytes();
            }
            let donor = more[donor].as_bytes();
            let from = from.index(donor.len());
            let piece = donor[from..donor.len().min(from + count)].to_vec();
            let at = at.index(bytes.len());
            bytes.splice(at..bytes.len().min(at + len), piece);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_a_policy_or_an_error(text in near_policies()) {
        match Policy::from_toml(&text) {
            Ok(policy) => drop(policy.check(date("2026-03-01"))),
            Err(error) => prop_assert!(!error.message().is_empty()),
        }
        if let Ok(value) = toml::from_str::<toml::Value>(&text) {
            let json = serde_json::to_string(&to_json(value)).unwrap();
            prop_assert_eq!(Policy::from_json(&json).is_ok(), Policy::from_toml(&text).is_ok());
            let cut = (0..=json.len() / 2).rev().find(|at| json.is_char_boundary(*at)).unwrap();
            prop_assert!(Policy::from_json(&json[..cut]).is_err());
        }
    }

    #[test]
    fn any_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(Policy::from_toml(&text).is_err());
        prop_assert!(Policy::from_json(&text).is_err());
    }
}
