//! The targets and verdicts that the City of Boston's own systems recorded, worked out again.
//!
//! What could go wrong: a receipt rule in the wrong order, a cut-off off by a second, days counted in 24-hour blocks over a
//! change of the clocks, a holiday too many. The city's targets were worked out a few seconds before the opening was
//! stamped, and some were changed by hand, so that shares are asserted, not every row; the verdict must agree in every row.
//! `examples/data/README.md` has the rules and the data's quirks.
#![cfg(feature = "import")]
#![allow(clippy::print_stdout, reason = "the shares are worth reading")]

mod support;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime};
use slaclock::calendar::{Calendar, DateRule, Edge, Holiday, Observed};
use slaclock::model::Facts;
use slaclock::policy::{Policy, Rule};
use slaclock::target::{CountsAs, DayTime, ReceiptRule, ReceiptWhen, Target};
use slaclock::time::{Instant, TimeOfDay};

const ZONE: &str = "America/New_York";

#[test]
fn targets_of_2011_with_weekends_at_the_same_time_and_evenings_on_the_next_morning() {
    let by_hand = rules_2011();
    let rules = by_policy("boston-2011.toml", by_hand.keys());
    let cases = cases("boston311-2011-07-to-10.csv.gz", LOWER, local);
    let all = compare(&rules, &cases, 60, |_, _| true);
    let five = NaiveDate::default().and_hms_opt(17, 0, 0).expect("a time").time();
    let evening = compare(&rules, &cases, 0, |case, rule| {
        rule.is_some_and(|rule| {
            let counts_working_days = matches!(rule.target, Target::WorkingDays { .. });
            counts_working_days && rule.calendar.local(case.received).time() >= five
        })
    });
    println!("2011: {all} within 60 s; received from 17:00 on: {evening} exact");
    assert_eq!(all.cases, 35_754, "rows with a target");
    assert!(all.is_at_least(9_890), "{all}");
    assert!(evening.cases > 3_000 && evening.is_at_least(9_900), "{evening}");
    let verdicts = verdicts(&cases);
    println!("2011: {verdicts} verdicts");
    assert_eq!(verdicts.hits, verdicts.cases, "{verdicts}");
    assert_eq!(verdicts.cases, 41_713, "all rows but the 114 without verdict");
}

#[test]
fn targets_of_2015_to_2019_clamped_to_office_hours() {
    let by_hand = rules_2015();
    let rules = by_policy("boston-2015.toml", by_hand.keys());
    let cases = cases("boston311-sample-2015-2019.csv.gz", UPPER, unshift);
    let all = compare(&rules, &cases, 90, |_, _| true);
    println!("2015-2019: {all} within 90 s");
    assert_eq!(all.cases, 1_780, "rows with a target");
    assert!(all.is_at_least(9_800), "{all}");
    let verdicts = verdicts(&cases);
    println!("2015-2019: {verdicts} verdicts");
    assert_eq!((verdicts.hits, verdicts.cases), (2_134, 2_134), "all rows but the one without verdict");
}

#[test]
fn the_policy_files_say_the_same_as_rules_built_by_hand() {
    for (policy, by_hand, log, columns) in [
        ("boston-2011.toml", rules_2011(), "boston311-2011-07-to-10.csv.gz", LOWER),
        ("boston-2015.toml", rules_2015(), "boston311-sample-2015-2019.csv.gz", UPPER),
    ] {
        let by_policy = by_policy(policy, by_hand.keys());
        let cases = cases(log, columns, local);
        for case in &cases {
            let due = |rules: &Rules| rules.get(&case.kind).map(|rule| rule.due(case.received));
            assert_eq!(
                due(&by_policy),
                due(&by_hand),
                "{policy}: {} received at {}",
                case.kind,
                case.received
            );
        }
        println!("{policy}: {} cases", cases.len());
    }
}

/// By type of request.
type Rules = HashMap<String, Rule>;

/// As a policy file has them.
fn by_policy<'a>(file: &str, kinds: impl Iterator<Item = &'a String>) -> Rules {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/policies").join(file);
    let policy = Policy::load(path).expect("the policy loads");
    let clock = policy.clock("resolution").expect("the clock");
    let rule = |kind: &String| {
        let facts = Facts::none().with("type", kind.as_str()).with("category", kind.as_str());
        clock.rule_for(&facts).map(|(_, rule)| (kind.clone(), rule.clone()))
    };
    kinds.filter_map(rule).collect()
}

/// As the rule file has them.
fn rules_2011() -> Rules {
    let calendar = support::compile(support::weekly("boston-2011", ZONE, 0..5, "08:30", "17:00"));
    let morning = TimeOfDay::parse("08:30").expect("a time");
    let evening = TimeOfDay::parse("17:00").expect("a time");
    let receipt = [
        ReceiptRule { when: ReceiptWhen::ClosedDay, counts_as: CountsAs::NextWorkingDaySameTime },
        ReceiptRule { when: ReceiptWhen::From(evening), counts_as: CountsAs::NextWorkingDay(morning) },
    ];
    rules(&calendar, &receipt, "boston-2011-rules.csv")
}

fn rules_2015() -> Rules {
    let mut spec = support::weekly("boston-2015", ZONE, 0..5, "08:30", "17:00");
    for row in rows(&data("boston-2015-2024-holidays.csv"), &["date", "name"]) {
        let on = DateRule::On(row[0].parse().expect("a date"));
        spec.holidays.push(Holiday { on, name: Some(row[1].clone()), observed: Observed::SameDate });
    }
    let clamp = ReceiptRule { when: ReceiptWhen::OutsideHours, counts_as: CountsAs::NextOpening };
    rules(&support::compile(spec), &[clamp], "boston-2015-2019-rules.csv")
}

/// N working days, which the receipt rules are for, or N calendar days.
fn rules(calendar: &Arc<Calendar>, receipt: &[ReceiptRule], file: &str) -> Rules {
    let rows = rows(&data(file), &["type", "kind", "n"]).into_iter();
    rows.map(|row| {
        let (days, at) = (row[2].parse().expect("days"), DayTime::SameTime);
        let rule = match row[1].as_str() {
            "business_days" => Rule {
                receipt: receipt.to_vec(),
                ..support::rule(Arc::clone(calendar), Target::WorkingDays { days, at })
            },
            "calendar_days" => support::rule(Arc::clone(calendar), Target::CalendarDays { days, at }),
            kind => panic!("kind `{kind}`"),
        };
        (row[0].clone(), rule)
    })
    .collect()
}

/// One row of a log.
struct Case {
    kind: String,
    received: Instant,
    target: Option<Instant>,
    closed: Option<Instant>,
    verdict: String,
}

const LOWER: [&str; 5] = ["type", "open_dt", "target_dt", "closed_dt", "ontime"];
const UPPER: [&str; 5] = ["TYPE", "OPEN_DT", "TARGET_DT", "CLOSED_DT", "OnTime_Status"];

fn cases(file: &str, columns: [&str; 5], read: impl Fn(&Calendar, &str) -> Instant) -> Vec<Case> {
    let zone = support::compile(support::weekly("zone", ZONE, 0..7, "00:00", "24:00"));
    let maybe = |text: &str| if text.is_empty() { None } else { Some(read(&zone, text)) };
    let rows = rows(&data(file), &columns).into_iter();
    rows.map(|row| Case {
        received: read(&zone, &row[1]),
        target: maybe(&row[2]),
        closed: maybe(&row[3]),
        kind: row[0].clone(),
        verdict: row[4].clone(),
    })
    .collect()
}

fn civil(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").expect("a time")
}

fn local(calendar: &Calendar, text: &str) -> Instant {
    let civil = civil(text);
    calendar.instant_at(civil.date(), civil.time().into(), Edge::Open).expect("a supported time")
}

/// Reads a time that was once taken for UTC and converted to local time: the UTC reading is the wall clock.
fn unshift(calendar: &Calendar, text: &str) -> Instant {
    let wall = local(calendar, text).to_utc();
    calendar.instant_at(wall.date(), wall.time().into(), Edge::Open).expect("a supported time")
}

/// How many of some cases came out as recorded.
struct Share {
    hits: u64,
    cases: u64,
}

impl Share {
    /// In hundredths of a percent.
    fn is_at_least(&self, share: u64) -> bool {
        self.hits * 10_000 >= share * self.cases
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = (self.hits * 20_000 + self.cases) / (2 * self.cases).max(1);
        write!(f, "{} of {} ({}.{:02} %)", self.hits, self.cases, share / 100, share % 100)
    }
}

/// Rows with a target whose due instant is within so many seconds of it.
fn compare(
    rules: &Rules,
    cases: &[Case],
    tolerance: i64,
    of: impl Fn(&Case, Option<&Rule>) -> bool,
) -> Share {
    let mut share = Share { hits: 0, cases: 0 };
    let mut wrong: BTreeMap<&str, u64> = BTreeMap::new();
    for case in cases {
        let Some(target) = case.target else { continue };
        let rule = rules.get(&case.kind);
        if of(case, rule) {
            let due = rule.and_then(|rule| rule.due(case.received).ok());
            let hit = due.is_some_and(|due| (due.as_secs() - target.as_secs()).abs() <= tolerance);
            share.cases += 1;
            share.hits += u64::from(hit);
            if !hit {
                *wrong.entry(&case.kind).or_default() += 1;
            }
        }
    }
    let mut worst: Vec<_> = wrong.into_iter().collect();
    worst.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    worst.truncate(5);
    println!("  most that differ: {worst:?}");
    share
}

/// Rows with a verdict for which `closed <= target` says the same: on time without a target; overdue if still open, since
/// every target that is not decades away had passed when the files were made.
fn verdicts(cases: &[Case]) -> Share {
    let exported = Instant::parse("2023-01-01T00:00:00Z").expect("an instant");
    let mut share = Share { hits: 0, cases: 0 };
    for case in cases.iter().filter(|case| !case.verdict.is_empty()) {
        let met = case.target.is_none_or(|target| case.closed.unwrap_or(exported) <= target);
        share.cases += 1;
        share.hits += u64::from(case.verdict == if met { "ONTIME" } else { "OVERDUE" });
    }
    share
}

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(file)
}

/// The named columns of a CSV file, which may be gzip. The list of holidays has two names with a bare comma in them.
fn rows(path: &Path, columns: &[&str]) -> Vec<Vec<String>> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let plain: Box<dyn Read> = match path.extension() {
        Some(extension) if extension == "gz" => Box::new(flate2::read::GzDecoder::new(file)),
        _ => Box::new(file),
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(plain);
    let header = reader.headers().expect("a header").clone();
    let places: Vec<usize> = columns
        .iter()
        .map(|column| {
            header.iter().position(|name| name == *column).unwrap_or_else(|| panic!("column `{column}`"))
        })
        .collect();
    let records = reader.records().map(|record| record.expect("a row"));
    records.map(|record| places.iter().map(|place| record[*place].to_owned()).collect()).collect()
}
