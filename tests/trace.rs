//! The proof of a deadline as people read it.
//!
//! What could go wrong: a sentence that says something else than the data, that hides why a day was skipped, or that
//! drowns the reader. That the data add up is held by `target_properties.rs`.

mod support;

use serde_json::{Value, json};
use slaclock::policy::Rule;
use slaclock::target::{DayTime, How, Outcome, Target, Trace};
use slaclock::time::{Instant, Span};

fn policy() -> Value {
    json!({
        "calendar": { "office": {
            "zone": "Europe/Moscow",
            "hours": { "mon-fri": "09:00-18:00" },
            "holidays": [{ "on": "2026-03-09", "name": "Women's Day" }],
            "closures": [{ "on": "2026-03-12", "from": "13:00", "to": "24:00" }],
        } },
        "clock": [
            { "name": "resolution", "backstop": { "working_days": 3 }, "target": [
                { "received_before": "14:00", "due": "same day, close" },
                { "due": "next day, 11:00" },
            ] },
            { "name": "moved", "target": { "closed_day": "next_open_day", "cutoff": [
                { "received_before": "14:00", "due": "same day, close" },
                { "due": "next day, 11:00" },
            ] } },
            { "name": "same day", "target": [
                { "received_before": "10:00", "due": "same day, 12:00" },
                { "due": "same day, close" },
            ] },
            { "name": "working", "target": { "working": "20h" }, "backstop": { "elapsed": "200h" } },
            { "name": "long", "target": { "working": "200h" } },
            { "name": "rolled", "target": { "calendar_days": 3, "at": "12:00" }, "roll_forward": true },
            { "name": "earliest", "target": { "earliest": [{ "working": "9h" }, { "elapsed": "24h" }] } },
            { "name": "too far", "target": { "working": "2000000h" } },
            { "name": "boston", "target": { "working_days": 2, "at": "same time" }, "receipt": [
                { "on": "closed day", "counts_as": "next working day, same time" },
                { "from": "17:00", "counts_as": "next working day, 08:30" },
            ] },
        ],
    })
}

fn rule(clock: &str) -> Rule {
    support::rule_of(&policy(), clock)
}

type Hold<'a> = (&'a str, Option<&'a str>, &'a str);

fn trace(clock: &str, received: &str, holds: &[Hold<'_>]) -> Trace {
    let rule = rule(clock);
    let at = |text: &str| support::instant(&rule.calendar, text);
    let holds: Vec<(Instant, Option<Instant>, String)> =
        holds.iter().map(|(from, to, reason)| (at(from), to.map(at), (*reason).to_owned())).collect();
    rule.trace(at(received), &holds, None)
}

fn says(trace: &Trace, wanted: &str) {
    let version = format!("tzdb {}", trace.tzdb);
    // The version of the zone data is that of the build.
    let lines: Vec<String> = trace
        .to_string()
        .lines()
        .map(|line| line.trim_end_matches(version.as_str()).trim_end().to_owned())
        .collect();
    assert_eq!(lines.join("\n"), wanted.trim());
}

#[test]
fn a_cut_off_names_the_branch_and_the_days_skipped() {
    says(
        &trace("resolution", "2026-03-06 15:00", &[]),
        r#"
received  Fri 2026-03-06 15:00 MSK (12:00 UTC), a working day of calendar "office"
rule      15:00 is not before 14:00, so: next day, 11:00
next day  Sat 03-07 to Sun 03-08 and Mon 03-09 (Women's Day) are closed; Tue 03-10 is open
due       Tue 2026-03-10 11:00 MSK (08:00 UTC)
limit     Thu 2026-03-12 13:00 MSK (10:00 UTC): 3 working days, close
day 3     Sat 03-07 to Sun 03-08 and Mon 03-09 (Women's Day) are closed; Tue 03-10 is day 1, Wed 03-11 day 2, Thu 03-12 day 3"#,
    );
    says(
        &trace("resolution", "2026-03-13 15:00", &[]),
        r#"
received  Fri 2026-03-13 15:00 MSK (12:00 UTC), a working day of calendar "office"
rule      15:00 is not before 14:00, so: next day, 11:00
next day  Sat 03-14 and Sun 03-15 are closed; Mon 03-16 is open
due       Mon 2026-03-16 11:00 MSK (08:00 UTC)
limit     Wed 2026-03-18 18:00 MSK (15:00 UTC): 3 working days, close
day 3     Sat 03-14 and Sun 03-15 are closed; Mon 03-16 is day 1, Tue 03-17 day 2, Wed 03-18 day 3"#,
    );
}

#[test]
fn a_cut_off_says_why_branches_were_passed_over() {
    let rules = [
        ("resolution", "2026-03-06 10:00", "10:00 is before 14:00, so: same day, close"),
        (
            "resolution",
            "2026-03-07 10:00",
            "Sat 03-07 is closed and takes the last branch, so: next day, 11:00",
        ),
        (
            "resolution",
            "2026-03-12 13:30",
            "\"before 14:00: same day, close\" would be Thu 2026-03-12 13:00 MSK, which is not after the receipt, \
             so: next day, 11:00",
        ),
        (
            "same day",
            "2026-03-07 10:00",
            "Sat 03-07 is closed and takes the last branch; \"same day, close\" needs a working day; there is no other \
             branch",
        ),
        (
            "same day",
            "2026-03-06 18:00",
            "18:00 is not before 10:00; \"otherwise: same day, close\" would be Fri 2026-03-06 18:00 MSK, which is not \
             after the receipt; there is no other branch",
        ),
    ];
    for (clock, received, wanted) in rules {
        let lines = trace(clock, received, &[]).lines();
        let rule = lines.iter().find(|(label, _)| label == "rule").map(|(_, text)| text.as_str());
        assert_eq!(rule, Some(wanted), "{clock} received {received}");
    }
    let moved = trace("moved", "2026-03-07 15:00", &[]).to_string();
    assert!(
        moved.contains("counts as Tue 2026-03-10 09:00 MSK, since the day of receipt is closed"),
        "{moved}"
    );
}

#[test]
fn working_time_shows_what_was_used_up_and_where_it_stood_still() {
    let holds = [
        ("2026-03-06 16:00", Some("2026-03-06 17:30"), "waiting_customer"),
        ("2026-03-10 10:00", Some("2026-03-10 11:00"), "waiting_vendor"),
        ("2026-03-30 10:00", Some("2026-03-30 11:00"), "waiting_vendor"),
    ];
    says(
        &trace("working", "2026-03-06 15:00", &holds),
        r#"
received  Fri 2026-03-06 15:00 MSK (12:00 UTC), a working day of calendar "office"
rule      20 h of working time
counted   Fri 03-06 15:00–16:00 (1 h), 17:30–18:00 (30 min), Tue 03-10 09:00–10:00 (1 h), 11:00–18:00 (7 h), Wed 03-11 09:00–18:00 (9 h), Thu 03-12 09:00–10:30 (1 h 30 min)
closed    Sat 03-07 to Sun 03-08 and Mon 03-09 (Women's Day)
on hold   Fri 03-06 16:00 to Fri 03-06 17:30 (waiting_customer): 1 h 30 min of working time; due moves to Thu 2026-03-12 09:30 MSK
on hold   Tue 03-10 10:00 to Tue 03-10 11:00 (waiting_vendor): 1 h of working time; due moves to Thu 2026-03-12 10:30 MSK
on hold   Mon 03-30 10:00 to Mon 03-30 11:00 (waiting_vendor): after due, so it changes nothing
due       Thu 2026-03-12 10:30 MSK (07:30 UTC)
limit     Sun 2026-03-15 01:30 MSK (Sat 03-14 22:30 UTC): 200 h of wall-clock time
counted   Fri 03-06 15:00–16:00 (1 h), 17:30–Tue 03-10 10:00 (88 h 30 min), 11:00–Sun 03-15 01:30 (110 h 30 min)"#,
    );
}

#[test]
fn a_clock_on_hold_has_no_due_instant() {
    let stopped = trace("working", "2026-03-06 15:00", &[("2026-03-10 10:00", None, "waiting_vendor")]);
    assert_eq!(stopped.stopped.as_ref().map(|stopped| stopped.remaining), Some(Span::from_hours(16)));
    let text = stopped.to_string();
    assert!(text.contains("(waiting_vendor): the clock stands with 16 h of working time left"), "{text}");
    assert!(text.contains("due       none while on hold; Wed 2026-03-11 17:00 MSK without it"), "{text}");
    assert!(text.contains("limit     none while on hold; Sat 2026-03-14 23:00 MSK without it"), "{text}");
}

#[test]
fn long_lists_are_shortened_in_sentences_and_kept_in_data() {
    let long = trace("long", "2026-03-06 15:00", &[]);
    let text = long.to_string();
    assert!(
        text.contains(
            "counted   Fri 03-06 15:00–18:00 (3 h), Tue 03-10 09:00–18:00 (9 h), Wed 03-11 09:00–18:00 (9 h), \
             … 20 more …, Thu 04-09 09:00–13:00 (4 h)"
        ),
        "{text}"
    );
    let How::Time(used) = &long.target.how else { panic!("{:?}", long.target.how) };
    assert_eq!((used.stretches.len(), used.more, used.total()), (24, 0, Span::from_hours(200)));
}

#[test]
fn receipt_rules_rolling_and_parts_are_told() {
    says(
        &trace("boston", "2026-03-07 18:00", &[]),
        r#"
received  Sat 2026-03-07 18:00 MSK (15:00 UTC), a closed day of calendar "office" (weekend)
counts as Tue 2026-03-10 18:00 MSK, by the rule: on a closed day, the next working day, same time
counts as Wed 2026-03-11 08:30 MSK, by the rule: from 17:00 on, the next working day 08:30
rule      2 working days, same time
day 2     Thu 03-12 is day 1, Fri 03-13 day 2
due       Fri 2026-03-13 08:30 MSK (05:30 UTC)"#,
    );
    let rolled = trace("rolled", "2026-03-04 10:00", &[]).to_string();
    assert!(rolled.contains("rolled    Sat 2026-03-07 12:00 MSK is outside working hours, so the next opening\ndue       Tue 2026-03-10 09:00"), "{rolled}");
    says(
        &trace("earliest", "2026-03-06 15:00", &[]),
        r#"
received  Fri 2026-03-06 15:00 MSK (12:00 UTC), a working day of calendar "office"
rule      the earliest of 2
part 1    9 h of working time
counted   Fri 03-06 15:00–18:00 (3 h), Tue 03-10 09:00–15:00 (6 h)
closed    Sat 03-07 to Sun 03-08 and Mon 03-09 (Women's Day)
          so Tue 2026-03-10 15:00 MSK
part 2    24 h of wall-clock time
counted   Fri 03-06 15:00–Sat 03-07 15:00 (24 h)
          so Sat 2026-03-07 15:00 MSK, the earliest
due       Sat 2026-03-07 15:00 MSK (12:00 UTC)"#,
    );
}

#[test]
fn no_deadline_comes_with_its_reason_and_provenance_with_the_due() {
    let far = trace("too far", "2026-03-06 15:00", &[]);
    assert!(far.to_string().contains("due       none: the target is not reached before 2100"), "{far}");
    assert_eq!(serde_json::to_value(&far.due).unwrap(), json!({ "no_deadline": "beyond_range" }));
    let due = trace("resolution", "2026-03-06 15:00", &[]).of_policy("customer-care", 1);
    let line = due.lines().into_iter().find(|(label, _)| label == "due").map(|(_, text)| text).unwrap();
    assert!(line.ends_with(&format!("   policy customer-care v1, tzdb {}", due.tzdb)), "{line}");
    let value = serde_json::to_value(&due).unwrap();
    assert_eq!(
        value["due"],
        json!({ "at": 1_773_129_600, "local": "2026-03-10 11:00:00", "abbreviation": "MSK" })
    );
    assert_eq!(value["target"]["how"]["walk"]["dates"][2]["why"], "Women's Day");
    assert!(matches!(due.due, Outcome::At(_)));
}

#[test]
fn counting_past_the_known_holidays_is_flagged() {
    let mut spec = support::weekly("office", "Europe/Moscow", 0..5, "09:00", "18:00");
    spec.holidays_known_until = Some("2026-12-31".parse().unwrap());
    let calendar = support::compile(spec);
    let mut rule = support::rule(calendar, rule("working").target);
    let at = |text: &str| support::instant(&rule.calendar, text);
    let (within, past) = (at("2026-12-29 16:00"), at("2026-12-29 16:00:01"));
    assert_eq!(
        rule.due(within).map(|due| rule.calendar.local(due).to_string()).as_deref(),
        Ok("2026-12-31 18:00:00")
    );
    for (received, beyond) in [(within, false), (past, true)] {
        let trace = rule.trace(received, &[], None);
        assert_eq!(trace.beyond_known_holidays, beyond);
        assert_eq!(rule.beyond_known_holidays(received, rule.due(received).unwrap()), beyond);
        let caution =
            "the holidays of calendar \"office\" are known until 2026-12-31 only, and this counts past it";
        assert_eq!(trace.to_string().contains(caution), beyond);
    }
    // Wall-clock time does not ask for holidays; a backstop in working days does.
    rule.target = Target::Elapsed(Span::from_hours(240));
    assert!(!rule.trace(past, &[], None).beyond_known_holidays);
    rule.backstop = Some(Target::WorkingDays { days: 3, at: DayTime::Close });
    assert!(!rule.beyond_known_holidays(past, rule.due(past).unwrap()));
    assert!(rule.trace(past, &[], None).beyond_known_holidays);
}
