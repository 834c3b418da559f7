//! Runs every answer that other software gave about working time (see `fixtures/vectors/README.md`).
//!
//! What could go wrong: an off-by-one at an edge, a clock change, a holiday or a night that is read differently from what
//! everybody else reads. Each line is one comparison, and a single difference fails the test with the line's id.
//!
//! Where conventions differ, slaclock keeps to these: an amount used up exactly at closing is due at the closing instant;
//! a night belongs to the date on which it opens; an edge that the clock skips is the instant of the change, one that comes
//! twice opens at the first and closes at the second; a span backwards is negative.

// The counts and the seed are for whoever runs the test.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use serde_json::{Value, json};
use slaclock::calendar::{
    Calendar, CalendarSpec, Closure, DateRule, ExtraDay, Holiday, Hours, Observed, Preset,
};
use slaclock::policy::Rule;
use slaclock::target::{Branch, ClosedDay, DayTime, Paused, Target};
use slaclock::time::{Instant, Span, TimeOfDay};
use slaclock::zone::TzData;

/// The conventions that differ from those of `expected`.
const OURS: [&str; 3] = ["dst_endpoint=outer", "overnight_holiday=keep", "reversed_range=negative"];

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

#[test]
fn every_answer_of_other_software_is_ours() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vectors");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut differences = Vec::new();
    let mut calendars = Calendars::default();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        for line in fs::read_to_string(&path).unwrap().lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let kind = text(&case["kind"]);
            let calendar = calendars.get(&case["calendar"], None);
            let (found, wanted) = (answer(calendar, kind, &case), expected(&case));
            *counts.entry(kind.to_owned()).or_default() += 1;
            if found != *wanted {
                differences.push(format!("{} {kind}: expected {wanted}, found {found}", text(&case["id"])));
            }
        }
    }
    for (kind, count) in &counts {
        println!("{count:5} {kind}");
    }
    println!("{:5} in all, {} differences", counts.values().sum::<usize>(), differences.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    // A file that went missing must not pass as agreement.
    assert!(counts.values().sum::<usize>() >= 1_479, "{counts:?}");
    assert_eq!(counts.len(), 13, "{counts:?}");
}

/// Who answers by a preset, as the vectors name them.
fn answers_by(preset: Preset) -> &'static [&'static str] {
    match preset {
        Preset::Biz => &["zendesk/biz 1.8.2", "spec: zendesk/biz", "spec: zammad/zammad"],
        Preset::Rt => &["Business::Hours 0.13", "spec: bestpractical/"],
        Preset::Pandas => &["pandas 3.1.1", "spec: pandas-dev/pandas"],
        Preset::Glpi => &["spec: glpi-project/glpi"],
        Preset::BusinessTime => &["business_time 0.13.0", "spec: bokmann/business_time"],
    }
}

/// What a product answered to a case, if it was asked.
fn answered<'a>(case: &'a Value, who: &[&str]) -> Option<&'a Value> {
    let is_theirs = |name: &Value| who.iter().any(|who| text(name).starts_with(who));
    let names = |list: &'a Value| list.as_array().into_iter().flatten();
    let peers = names(&case["peers"]).find(|peer| names(&peer["who"]).any(is_theirs));
    let agrees = || names(&case["source"]).any(is_theirs).then_some(&case["expected"]);
    peers.map(|peer| &peer["answer"]).or_else(agrees)
}

/// Under its preset every answer of a product is ours, but for those in the snapshot, each of which is accounted for in
/// `docs/presets.md`.
#[test]
fn each_preset_gives_its_products_answers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vectors");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let mut calendars = Calendars::default();
    let (mut summary, mut differences) = (String::new(), String::new());
    for preset in Preset::ALL {
        let (mut asked, mut differing, mut without) = (0, 0, 0);
        for path in &files {
            for line in fs::read_to_string(path).unwrap().lines() {
                let case: Value = serde_json::from_str(line).unwrap();
                let Some(theirs) = answered(&case, answers_by(preset)) else { continue };
                asked += 1;
                let kind = text(&case["kind"]);
                let plain = answer(calendars.get(&case["calendar"], None), kind, &case);
                without += usize::from(plain != *theirs);
                let ours = answer(calendars.get(&case["calendar"], Some(preset)), kind, &case);
                if ours != *theirs {
                    differing += 1;
                    let word = preset.word();
                    let (id, about) = (text(&case["id"]), &case["sensitive_to"]);
                    differences
                        .push_str(&format!("{word} {id} {kind} {about}: theirs {theirs}, ours {ours}\n"));
                }
            }
        }
        let word = preset.word();
        summary.push_str(&format!(
            "{word}: {asked} answers, {differing} differ; without the preset {without}\n"
        ));
        assert!(differing <= without, "{summary}");
    }
    insta::assert_snapshot!(format!("{summary}\n{differences}"));
}

/// The answer under our conventions.
fn expected(case: &Value) -> &Value {
    let outcomes = case["outcomes"].as_array().map(Vec::as_slice).unwrap_or(&[]);
    let ours = outcomes.iter().find(|outcome| OURS.contains(&text(&outcome["when"])));
    ours.map_or(&case["expected"], |outcome| &outcome["expected"])
}

fn answer(calendar: &Arc<Calendar>, kind: &str, case: &Value) -> Value {
    match kind {
        "is_open" => json!(calendar.is_open(instant(&case["at"]))),
        "next_open" => or_null(calendar.next_open(instant(&case["at"])).ok()),
        "next_close" => or_null(calendar.next_close(instant(&case["at"])).ok()),
        "add_business" => or_null(calendar.add_working_time(instant(&case["start"]), span(case)).ok()),
        "sub_business" => or_null(calendar.sub_working_time(instant(&case["start"]), span(case)).ok()),
        "elapsed_business" => {
            json!(calendar.working_time(instant(&case["start"]), instant(&case["end"])).as_secs())
        }
        "paused" => paused(calendar, case),
        "paused_elapsed" => paused_elapsed(calendar, case),
        "is_business_day" => json!(calendar.is_working_day(date(&case["date"]))),
        "add_business_days" => add_days(calendar, case),
        "add_business_days_at" => add_days_at(calendar, case),
        "business_days_between" => json!(calendar.working_days(date(&case["from"]), date(&case["to"]))),
        "cutoff" => cutoff(calendar, case),
        _ => panic!("unknown kind {kind}"),
    }
}

/// The rule's due instant moves by each pause that begins before it.
fn paused(calendar: &Arc<Calendar>, case: &Value) -> Value {
    let rule = rule(calendar, Target::Working(span(case)));
    let start = instant(&case["start"]);
    let mut paused = Paused::default();
    let mut due = rule.due(start);
    for pause in case["pauses"].as_array().unwrap() {
        let begin = instant(&pause[0]);
        if due.is_ok_and(|due| due <= begin) {
            break;
        }
        if pause[1].is_null() {
            return Value::Null;
        }
        paused = paused.plus(rule.paused_between(start, begin, instant(&pause[1])));
        due = rule.due_shifted(start, paused, None);
    }
    or_null(due.ok())
}

fn paused_elapsed(calendar: &Calendar, case: &Value) -> Value {
    let (start, end) = (instant(&case["start"]), instant(&case["end"]));
    let inside = |value: &Value| if value.is_null() { end } else { instant(value).clamp(start, end) };
    let pauses = case["pauses"].as_array().unwrap().iter();
    let paused: i64 =
        pauses.map(|pause| calendar.working_time(inside(&pause[0]), inside(&pause[1])).as_secs()).sum();
    json!(calendar.working_time(start, end).as_secs() - paused)
}

fn add_days(calendar: &Calendar, case: &Value) -> Value {
    let mut from = date(&case["date"]);
    let roll = match text(&case["roll"]) {
        "forward" => 1,
        "backward" => -1,
        _ => 0,
    };
    if roll != 0 && !calendar.is_working_day(from) {
        from = calendar.add_working_days(from, roll).unwrap();
    }
    let nth = calendar.add_working_days(from, case["days"].as_i64().unwrap()).unwrap();
    json!(nth.to_string())
}

fn add_days_at(calendar: &Arc<Calendar>, case: &Value) -> Value {
    let days = u32::try_from(case["days"].as_u64().unwrap()).unwrap();
    let rule = rule(calendar, Target::WorkingDays { days, at: DayTime::SameTime });
    or_null(rule.due(instant(&case["start"])).ok())
}

fn cutoff(calendar: &Arc<Calendar>, case: &Value) -> Value {
    let written = &case["rule"];
    let branch = |part: &Value, received_before: Option<TimeOfDay>| Branch {
        received_before,
        working_days: u32::try_from(part["days"].as_u64().unwrap()).unwrap(),
        at: match text(&part["at"]) {
            "close" => DayTime::Close,
            // No target of ours is due at an opening; noon of the same date stands in for it.
            "open" => DayTime::At(TimeOfDay::from_secs(43_200).unwrap()),
            _ => DayTime::At(time(&part["at"])),
        },
    };
    let branches =
        vec![branch(&written["before"], Some(time(&written["cutoff"]))), branch(&written["after"], None)];
    let rule = rule(calendar, Target::Cutoff { branches, closed_day: ClosedDay::Otherwise });
    let start = instant(&case["start"]);
    let due = rule.due(start).ok();
    let local = calendar.local(start);
    let before =
        TimeOfDay::from(local.time()) < time(&written["cutoff"]) && calendar.is_working_day(local.date());
    if written[if before { "before" } else { "after" }]["at"] == "open" {
        return or_null(due.and_then(|due| calendar.first_open_of(calendar.local(due).date())));
    }
    or_null(due)
}

fn rule(calendar: &Arc<Calendar>, target: Target) -> Rule {
    Rule {
        when: Vec::new(),
        calendar: Arc::clone(calendar),
        receipt: Vec::new(),
        target,
        roll_forward: false,
        backstop: None,
        warn_at: Vec::new(),
        tables: Default::default(),
    }
}

/// Compiled once each: many lines ask the same calendar.
#[derive(Default)]
struct Calendars(BTreeMap<String, Arc<Calendar>>);

impl Calendars {
    fn get(&mut self, written: &Value, preset: Option<Preset>) -> &Arc<Calendar> {
        let key = format!("{preset:?} {written}");
        self.0.entry(key).or_insert_with(|| Arc::new(compile(written, preset)))
    }
}

fn compile(written: &Value, preset: Option<Preset>) -> Calendar {
    let mut spec = CalendarSpec::new("vector", text(&written["tz"]));
    spec.conventions = preset.map(Preset::conventions);
    for (list, weekday) in spec.week.iter_mut().zip(WEEKDAYS) {
        *list = hours(&written["week"][weekday]);
    }
    for on in written["holidays"].as_array().into_iter().flatten() {
        let on = DateRule::On(date(on));
        spec.holidays.push(Holiday { on, name: None, observed: Observed::SameDate });
    }
    for (on, list) in written["extra_days"].as_object().into_iter().flatten() {
        spec.extra_days.push(ExtraDay { date: on.parse().unwrap(), hours: hours(list) });
    }
    for (on, list) in written["breaks"].as_object().into_iter().flatten() {
        for stretch in hours(list) {
            let on = DateRule::On(on.parse().unwrap());
            spec.closures.push(Closure { on, from: stretch.opens, to: stretch.closes, name: None });
        }
    }
    Calendar::compile(spec, &TzData::bundled()).unwrap_or_else(|error| panic!("{written}: {error}"))
}

fn hours(list: &Value) -> Vec<Hours> {
    let stretches = list.as_array().into_iter().flatten();
    stretches.map(|pair| Hours { opens: time(&pair[0]), closes: time(&pair[1]) }).collect()
}

fn or_null(instant: Option<Instant>) -> Value {
    instant.map_or(Value::Null, |instant| json!(instant.to_string()))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn instant(value: &Value) -> Instant {
    Instant::parse(text(value)).unwrap()
}

fn date(value: &Value) -> NaiveDate {
    text(value).parse().unwrap()
}

fn time(value: &Value) -> TimeOfDay {
    TimeOfDay::parse(text(value)).unwrap()
}

fn span(case: &Value) -> Span {
    Span::from_secs(case["amount_s"].as_i64().unwrap())
}
