//! Input by somebody who means harm: each limit below, at and above it, and what costs most within the limits.
//!
//! What could go wrong is a text, a calendar, a call or a time that takes memory or time without bound, a limit that
//! is not named, a name that leads to a file the caller did not mean. Every test runs in a process of 512 MiB of
//! address space, and says how long it may take. The limits are listed in docs/reliability.md.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant as Clock};

use slaclock::calendar::{
    Calendar, CalendarSpec, Closure, DateRule, Exception, ExtraDay, Holiday, Hours, Observed,
};
use slaclock::db::{MAX_EVENTS, MAX_PAGE, MAX_ROWS};
use slaclock::model::{MAX_ATTRIBUTES, MAX_ID_BYTES, MAX_TEXT_BYTES};
use slaclock::zone::TzData;
use slaclock::{
    Db, Error, ErrorKind, Event, EventKind, Facts, Instant, NoDeadline, OnError, Operation, Page, Policy,
    Query, Request, Span, TimeOfDay,
};

const LIMIT_KIB: u64 = 512 * 1024;
const CHILD: &str = "SLACLOCK_LIMITS_CHILD";

/// Runs the named test's work in a small process, within `seconds` (ten times that where nothing is optimised away).
fn small(test: &str, seconds: u64, work: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        let begun = Clock::now();
        work();
        let (took, bound) = (begun.elapsed(), Duration::from_secs(seconds));
        assert!(took < bound, "took {took:?}, and must take less than {bound:?}");
        return;
    }
    let limited = format!("ulimit -v {LIMIT_KIB} && exec \"$0\" --exact {test} --test-threads=1 --nocapture");
    let exe = std::env::current_exe().unwrap();
    let output = Command::new("sh").args(["-c", &limited]).arg(exe).env(CHILD, "1").output().unwrap();
    assert!(
        output.status.success(),
        "{}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn refused<T>(result: Result<T, Error>, kind: ErrorKind, says: &str) {
    let error = result.err().unwrap_or_else(|| panic!("must be refused: {says}"));
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(says), "`{error}` does not say `{says}`");
    assert!(error.message().len() < 2_000, "a message of {} bytes", error.message().len());
}

/// A policy with a calendar, and whatever follows.
fn text(more: &str) -> String {
    format!(
        "[policy]\nname = \"care\"\nversion = 1\n\n[calendar.office]\nzone = \"Europe/Moscow\"\n\
         hours = {{ mon-fri = \"09:00-18:00\" }}\n\n[[clock]]\nname = \"resolution\"\nstart = \"received\"\n\
         stop = \"resolved\"\ntarget = {{ working = \"8h\" }}\n{more}"
    )
}

fn policy() -> Policy {
    Policy::from_toml(&text("")).unwrap()
}

fn at(secs: i64) -> Instant {
    Instant::from_secs(1_772_434_800 + secs).unwrap()
}

#[test]
fn policy_texts_are_bounded() {
    small("policy_texts_are_bounded", 20, || {
        let fill = |bytes: usize| text(&format!("#{}\n", "x".repeat(bytes - text("#\n").len())));
        Policy::from_toml(&fill(1 << 20)).unwrap();
        refused(Policy::from_toml(&fill((1 << 20) + 1)), ErrorKind::InvalidPolicy, "at most 1048576");
        let deep = |levels: usize| format!("x = {}{}", "[".repeat(levels), "]".repeat(levels));
        refused(Policy::from_toml(&deep(40)), ErrorKind::InvalidPolicy, "nested deeper than 32");
        refused(Policy::from_toml(&deep(500_000)), ErrorKind::InvalidPolicy, "");
        let json = |levels: usize| format!("{{\"x\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        refused(Policy::from_json(&json(40)), ErrorKind::InvalidPolicy, "nested deeper than 32");
        refused(Policy::from_json(&json(500_000)), ErrorKind::InvalidPolicy, "");
        refused(Policy::from_toml(&text("unknown = 1\n")), ErrorKind::InvalidPolicy, "unknown");
        refused(Policy::from_toml(&text("name = \"again\"\n")), ErrorKind::InvalidPolicy, "");
        let long = format!("name = \"{}\"", "n".repeat(256));
        refused(
            Policy::from_toml(&text("").replacen("name = \"care\"", &long, 1)),
            ErrorKind::InvalidPolicy,
            "255",
        );
    });
}

#[test]
fn many_clocks_rules_and_calendars_are_bounded() {
    small("many_clocks_rules_and_calendars_are_bounded", 60, || {
        let clocks = |count: usize| {
            (0..count).fold(text(""), |mut text, clock| {
                let _ = write!(
                    text,
                    "[[clock]]\nname = \"c{clock}\"\nstart = \"received\"\nstop = \"resolved\"\n"
                );
                text.push_str("target = { elapsed = \"72h\" }\n");
                text
            })
        };
        Policy::from_toml(&clocks(63)).unwrap();
        refused(Policy::from_toml(&clocks(64)), ErrorKind::InvalidPolicy, "at most 64");
        let calendars = |count: usize| {
            let one = text("").replacen("start =", "calendar = \"office\"\nstart =", 1);
            (0..count).fold(one, |mut text, calendar| {
                let _ = write!(text, "[calendar.c{calendar}]\nextends = \"office\"\n");
                text
            })
        };
        Policy::from_toml(&calendars(63)).unwrap();
        refused(Policy::from_toml(&calendars(64)), ErrorKind::InvalidPolicy, "at most 64");
    });
}

/// A stretch for every 22.5 minutes of every day, in 64 calendars of different zones.
#[test]
fn the_most_crowded_calendars_cost_bounded_time_and_memory() {
    small("the_most_crowded_calendars_cost_bounded_time_and_memory", 120, || {
        let stretches = |count: i64| -> Vec<Hours> {
            let at = |secs: i64| TimeOfDay::from_secs(secs as u32).unwrap();
            let end = |n: i64| at((n * 1_350 + 1 + n).min(86_400));
            (0..count).map(|n| Hours { opens: at(n * 1_350), closes: end(n) }).collect()
        };
        let crowded = |count: i64| {
            let mut spec = CalendarSpec::new("crowded", "America/New_York");
            spec.week = std::array::from_fn(|_| stretches(count));
            spec
        };
        let calendar = Calendar::compile(crowded(64), &TzData::bundled()).unwrap();
        let day = calendar.working_time(at(0), at(86_400)).as_secs();
        assert_eq!(day, (0..64).map(|n| 1 + n).sum::<i64>());
        let due = calendar.add_working_time(at(0), Span::from_secs(day * 1_000)).unwrap();
        assert_eq!(calendar.working_time(at(0), due).as_secs(), day * 1_000);
        refused(Calendar::compile(crowded(65), &TzData::bundled()), ErrorKind::InvalidCalendar, "at most 64");
    });
}

#[test]
fn lists_of_a_calendar_are_bounded() {
    small("lists_of_a_calendar_are_bounded", 60, || {
        let base = || {
            let mut spec = CalendarSpec::new("office", "Europe/Moscow");
            let at = |secs: i64| TimeOfDay::from_secs(secs as u32).unwrap();
            spec.week[0].push(Hours { opens: at(9 * 3600), closes: at(18 * 3600) });
            spec
        };
        let first: chrono::NaiveDate = "1970-01-01".parse().unwrap();
        let date = |n: u64| first + chrono::Days::new(n);
        // A holiday on every date that there is, in ranges: nothing is ever open, and that is an answer.
        let mut closed = base();
        let every = DateRule::Between(date(0), "2099-12-31".parse().unwrap());
        closed.holidays.push(Holiday { on: every, name: None, observed: Observed::SameDate });
        let never = Calendar::compile(closed, &TzData::bundled()).unwrap();
        assert_eq!(
            never.add_working_time(at(0), Span::from_secs(1)).unwrap_err().kind(),
            ErrorKind::NoDeadline
        );
        let holiday =
            |n: u64| Holiday { on: DateRule::On(date(n)), name: None, observed: Observed::SameDate };
        let mut many = base();
        many.holidays = (0..10_000).map(holiday).collect();
        Calendar::compile(many.clone(), &TzData::bundled()).unwrap();
        many.holidays.push(holiday(10_000));
        refused(Calendar::compile(many, &TzData::bundled()), ErrorKind::InvalidCalendar, "at most 10000");
        // Few rules that name every date, again and again.
        let mut wide = base();
        let all_year = DateRule::YearlyBetween { first: (1, 1), last: (12, 31) };
        wide.holidays = vec![Holiday { on: all_year, name: None, observed: Observed::SameDate }; 10_000];
        refused(Calendar::compile(wide, &TzData::bundled()), ErrorKind::InvalidCalendar, "1000000");
        let mut cut = base();
        let at = |secs: i64| TimeOfDay::from_secs(secs as u32).unwrap();
        cut.closures = vec![Closure { on: all_year, from: at(3), to: at(7), name: None }; 10_000];
        refused(Calendar::compile(cut, &TzData::bundled()), ErrorKind::InvalidCalendar, "1000000");
        let mut other = base();
        let exception =
            Exception { first: date(0), last: date(47_000), week: base().week, name: Some("summer".into()) };
        other.exceptions = vec![exception; 10_000];
        refused(Calendar::compile(other, &TzData::bundled()), ErrorKind::InvalidCalendar, "1000000");
        let mut extra = base();
        extra.extra_days = vec![ExtraDay { date: date(3), hours: base().week[0].clone() }; 2];
        refused(Calendar::compile(extra, &TzData::bundled()), ErrorKind::InvalidCalendar, "given twice");
        let mut over = base();
        over.week[1] = vec![Hours { opens: at(0), closes: at(10) }, Hours { opens: at(9), closes: at(20) }];
        refused(Calendar::compile(over, &TzData::bundled()), ErrorKind::InvalidCalendar, "overlaps");
    });
}

/// Edges on every second, so that no grid fits; one second of work a year; a target that is never reached.
#[test]
fn calendars_without_a_grid_answer_in_bounded_time() {
    small("calendars_without_a_grid_answer_in_bounded_time", 60, || {
        let at_s = |secs: i64| TimeOfDay::from_secs(secs as u32).unwrap();
        let mut odd = CalendarSpec::new("odd", "Australia/Lord_Howe");
        for (day, week) in odd.week.iter_mut().enumerate() {
            let day = day as i64;
            *week = (0..60)
                .map(|n| Hours {
                    opens: at_s(n * 1_399 + day * 7),
                    closes: at_s(n * 1_399 + day * 7 + 1 + n * 13),
                })
                .collect();
        }
        let odd = std::sync::Arc::new(Calendar::compile(odd, &TzData::bundled()).unwrap());
        let begun = Clock::now();
        for n in 0..1_000 {
            let due = odd.add_working_time(at(n * 7_001), Span::from_secs(40_000 * (n + 1))).unwrap();
            assert_eq!(odd.working_time(at(n * 7_001), due).as_secs(), 40_000 * (n + 1));
        }
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?} for 1,000 deadlines", begun.elapsed());
        let mut rare = CalendarSpec::new("rare", "UTC");
        for year in 1970..2100 {
            let date = chrono::NaiveDate::from_ymd_opt(year, 7, 1).unwrap();
            rare.extra_days.push(ExtraDay { date, hours: vec![Hours { opens: at_s(5), closes: at_s(6) }] });
        }
        let rare = Calendar::compile(rare, &TzData::bundled()).unwrap();
        let due = |seconds: i64| rare.add_working_time(Instant::MIN, Span::from_secs(seconds));
        assert_eq!(due(130).unwrap(), Instant::parse("2099-07-01T00:00:06Z").unwrap());
        assert_eq!(due(131).unwrap_err().kind(), ErrorKind::NoDeadline);
        let yearly = text("").replace("working = \"8h\"", "working = \"876000h\"");
        let unreachable = Policy::from_toml(&yearly).unwrap();
        let error = unreachable.clock("resolution").unwrap().due(at(0), &Facts::none()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoDeadline, "{error}");
    });
}

#[test]
fn holiday_files_are_bounded_in_size_and_in_what_they_name() {
    small("holiday_files_are_bounded_in_size_and_in_what_they_name", 60, || {
        let mut spec = CalendarSpec::new("office", "Europe/Moscow");
        let zones = TzData::bundled();
        let event = |n: usize, more: &str| {
            format!("BEGIN:VEVENT\nUID:{n}\nSUMMARY:x\nDTSTART;VALUE=DATE:20260101\n{more}END:VEVENT\n")
        };
        let file = |events: &str| format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n");
        let many = |count: usize, more: &str| file(&(0..count).map(|n| event(n, more)).collect::<String>());
        spec.add_ical(&many(10_000, ""), &zones).unwrap();
        let mut spec = CalendarSpec::new("office", "Europe/Moscow");
        refused(
            spec.add_ical(&many(10_001, ""), &zones),
            ErrorKind::InvalidCalendar,
            "more than 10000 holidays",
        );
        // Each event repeats in every year, most often on every day of it.
        refused(
            spec.add_ical(&many(50_000, "RRULE:FREQ=YEARLY\n"), &zones),
            ErrorKind::InvalidCalendar,
            "more than 10000",
        );
        let days: Vec<String> = (0..200_000).map(|n| (1 + n % 31).to_string()).collect();
        let rule = format!("RRULE:FREQ=YEARLY;BYMONTHDAY={}\n", days.join(","));
        refused(spec.add_ical(&many(9, &rule), &zones), ErrorKind::InvalidCalendar, "more than 10000");
        let weekdays: Vec<String> = (0..200_000).map(|n| format!("{}MO", 1 + n % 53)).collect();
        let rule = format!("RRULE:FREQ=YEARLY;BYDAY={}\n", weekdays.join(","));
        refused(spec.add_ical(&many(9, &rule), &zones), ErrorKind::InvalidCalendar, "");
        assert!(spec.holidays.is_empty(), "a refused file adds nothing");
        let huge = file(&"X-COMMENT:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(17 << 20 >> 5));
        refused(spec.add_ical(&huge, &zones), ErrorKind::InvalidCalendar, "at most 16777216");
        let nested = "BEGIN:VEVENT\n".repeat(100_000);
        refused(spec.add_ical(&file(&nested), &zones), ErrorKind::InvalidCalendar, "");
        let folded = format!("BEGIN:VCALENDAR\nX-A:a\n{}END:VCALENDAR\n", " b\n".repeat(1 << 20));
        spec.add_ical(&folded, &zones).unwrap();
    });
}

#[test]
fn policies_name_no_files_but_their_own() {
    small("policies_name_no_files_but_their_own", 20, || {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("own");
        std::fs::create_dir_all(own.join("below")).unwrap();
        let ical =
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260101\nEND:VEVENT\nEND:VCALENDAR\n";
        std::fs::write(folder.path().join("secret.ics"), ical).unwrap();
        std::fs::write(own.join("below/days.ics"), ical).unwrap();
        std::os::unix::fs::symlink("../secret.ics", own.join("link.ics")).unwrap();
        std::os::unix::fs::symlink("below/days.ics", own.join("inside.ics")).unwrap();
        std::os::unix::fs::symlink("..", own.join("up")).unwrap();
        assert!(Command::new("mkfifo").arg(own.join("pipe.ics")).status().unwrap().success());
        let load = |name: &str| {
            let hours = "hours = { mon-fri = \"09:00-18:00\" }\n";
            let with_file = format!("{hours}holiday_files = [{name:?}]\n");
            let path = own.join("policy.toml");
            std::fs::write(&path, text("").replacen(hours, &with_file, 1)).unwrap();
            Policy::load(path)
        };
        load("below/days.ics").unwrap();
        load("inside.ics").unwrap();
        let secret = folder.path().join("secret.ics");
        for name in
            ["../secret.ics", "below/../../secret.ics", secret.to_str().unwrap(), "/dev/zero", "", "."]
        {
            assert!(load(name).is_err(), "{name}");
        }
        refused(load("../secret.ics"), ErrorKind::InvalidPolicy, "beside the policy or below it");
        refused(load("link.ics"), ErrorKind::InvalidPolicy, "leads out of the folder");
        refused(load("up/secret.ics"), ErrorKind::InvalidPolicy, "leads out of the folder");
        refused(load("pipe.ics"), ErrorKind::Io, "no regular file");
        refused(load("missing.ics"), ErrorKind::NotFound, "missing.ics");
        refused(Policy::load(own.join("pipe.ics")), ErrorKind::Io, "no regular file");
        refused(Policy::load("/dev/zero"), ErrorKind::Io, "no regular file");
        // What comes as text, from a database or another tenant, names no file at all.
        let named = text("").replacen("zone =", "holiday_files = [\"secret.ics\"]\nzone =", 1);
        refused(Policy::from_toml(&named), ErrorKind::InvalidPolicy, "has no folder");
    });
}

#[test]
fn texts_and_attributes_are_bounded() {
    small("texts_and_attributes_are_bounded", 20, || {
        let db = Db::in_memory(&policy()).unwrap();
        let long = |bytes: usize| "x".repeat(bytes);
        db.submit(&Request::new(long(MAX_ID_BYTES), at(0))).unwrap();
        refused(
            db.submit(&Request::new(long(MAX_ID_BYTES + 1), at(0))),
            ErrorKind::InvalidArgument,
            "1 to 255 bytes",
        );
        refused(db.submit(&Request::new("", at(0))), ErrorKind::InvalidArgument, "1 to 255 bytes");
        db.submit(&Request::new("A", at(0)).subject(long(MAX_TEXT_BYTES))).unwrap();
        refused(
            db.submit(&Request::new("B", at(0)).subject(long(MAX_TEXT_BYTES + 1))),
            ErrorKind::InvalidArgument,
            "at most 65536",
        );
        let with = |count: usize| {
            (0..count).fold(Request::new("C", at(0)), |request, n| request.attribute(format!("a{n}"), "v"))
        };
        refused(db.submit(&with(MAX_ATTRIBUTES + 1)), ErrorKind::InvalidArgument, "257 attributes");
        db.submit(&with(MAX_ATTRIBUTES)).unwrap();
        refused(
            db.submit(&Request::new("D", at(0)).attribute(long(1 << 20), "v")),
            ErrorKind::InvalidArgument,
            "1048576 bytes",
        );
        let record = |kind: EventKind| db.record("A", Event::new(kind, at(60)));
        let too_long = || long(MAX_TEXT_BYTES + 1);
        for kind in [
            EventKind::Assigned { to: too_long() },
            EventKind::Paused { reason: too_long() },
            EventKind::VendorContacted { vendor: too_long() },
            EventKind::VendorReplied { vendor: too_long() },
            EventKind::Changed { facts: BTreeMap::from([(too_long(), "v".into())]) },
            EventKind::Changed { facts: BTreeMap::from([("priority".into(), too_long())]) },
        ] {
            refused(record(kind), ErrorKind::InvalidArgument, "at most 65536");
        }
        let facts = (0..=MAX_ATTRIBUTES).map(|n| (format!("f{n}"), "v".to_owned())).collect();
        refused(record(EventKind::Changed { facts }), ErrorKind::InvalidArgument, "257 facts");
        for event in [
            Event::new(EventKind::Note, at(60)).text(too_long()),
            Event::new(EventKind::Note, at(60)).by(too_long()),
            Event::new(EventKind::Note, at(60)).key(too_long()),
        ] {
            refused(db.record("A", event), ErrorKind::InvalidArgument, "at most 65536");
        }
        assert_eq!((db.info().unwrap().requests, db.info().unwrap().events), (3, 0));
        refused(db.feed(&long(256)).map(drop), ErrorKind::InvalidArgument, "1 to 255");
    });
}

#[test]
fn calls_and_answers_are_bounded() {
    small("calls_and_answers_are_bounded", 60, || {
        let db = Db::in_memory(&policy()).unwrap();
        let note = |text: &str| Operation::Record {
            id: "A".into(),
            event: Event::new(EventKind::Note, at(60)).text(text),
        };
        db.submit(&Request::new("A", at(0))).unwrap();
        let rows = vec![note(""); MAX_ROWS + 1];
        refused(db.apply(&rows, OnError::Skip).map(drop), ErrorKind::OutOfRange, "at most 1000000");
        drop(rows);
        let heavy = vec![note(&"x".repeat(MAX_TEXT_BYTES)); (256 << 20) / MAX_TEXT_BYTES];
        refused(
            db.apply(&heavy, OnError::Skip).map(drop),
            ErrorKind::OutOfRange,
            "bytes of texts in one call",
        );
        assert_eq!(db.info().unwrap().events, 0);
        for limit in [0, MAX_PAGE + 1] {
            refused(db.scan(&Query::at(at(0)), Page::first(limit)).map(drop), ErrorKind::OutOfRange, "");
            refused(db.feed("mail").unwrap().pending(limit).map(drop), ErrorKind::OutOfRange, "");
        }
    });
}

#[test]
fn one_request_has_a_bounded_number_of_events() {
    small("one_request_has_a_bounded_number_of_events", 60, || {
        let db = Db::in_memory(&policy()).unwrap();
        db.submit(&Request::new("A", at(0))).unwrap();
        let rows: Vec<Operation> = (0..i64::from(MAX_EVENTS))
            .map(|n| Operation::Record { id: "A".into(), event: Event::new(EventKind::Replied, at(n)) })
            .collect();
        db.apply(&rows, OnError::Abort).unwrap();
        let one_more = db.record("A", Event::new(EventKind::Replied, at(0)));
        refused(one_more, ErrorKind::OutOfRange, "100000 events");
        assert_eq!(db.info().unwrap().events, u64::from(MAX_EVENTS));
    });
}

/// Every way to count, at the first and last second there is and one beyond.
#[test]
fn both_ends_of_time_give_answers_or_reasons() {
    small("both_ends_of_time_give_answers_or_reasons", 60, || {
        for secs in [-1, 4_102_444_800, i64::MIN, i64::MAX] {
            refused(Instant::from_secs(secs), ErrorKind::OutOfRange, "");
        }
        let targets = [
            "target = { elapsed = \"72h\" }",
            "target = { working = \"8h\" }",
            "target = { working_days = 3 }",
            "target = { calendar_days = 3 }",
            "target = [{ received_before = \"14:00\", due = \"same day, close\" }, { due = \"next day, 11:00\" }]",
        ];
        for target in targets {
            let text = text("").replacen("target = { working = \"8h\" }", target, 1);
            let text = text.replacen(
                "stop = \"resolved\"",
                "stop = \"resolved\"\npause = [\"waiting_customer\"]\nbackstop = { working_days = 3 }",
                1,
            );
            let policy = Policy::from_toml(&text).unwrap();
            for zone in ["Europe/Moscow", "Pacific/Kiritimati", "Pacific/Niue"] {
                let policy = Policy::from_toml(&text.replace("Europe/Moscow", zone)).unwrap();
                let clock = policy.clock("resolution").unwrap();
                let first = clock.due(Instant::MIN, &Facts::none()).unwrap();
                assert!(first > Instant::MIN, "{target}");
                let last = clock.due(Instant::MAX, &Facts::none()).unwrap_err();
                assert_eq!(
                    (last.kind(), last.message().contains("2100")),
                    (ErrorKind::NoDeadline, true),
                    "{target}: {last}"
                );
            }
            let db = Db::in_memory(&policy).unwrap();
            for (id, received) in [("FIRST", Instant::MIN), ("LAST", Instant::MAX)] {
                db.submit(&Request::new(id, received)).unwrap();
                let paused = EventKind::Paused { reason: "waiting_customer".into() };
                db.record(id, Event::new(paused, received)).unwrap();
                db.record(id, Event::new(EventKind::Resumed, Instant::MAX)).unwrap();
            }
            db.advance(Instant::MAX).unwrap();
            assert_eq!(db.verify().unwrap().differences, []);
            db.counts(Instant::MIN).unwrap();
            db.counts(Instant::MAX).unwrap();
        }
        assert_eq!(NoDeadline::BeyondRange.to_string(), "the target is not reached before 2100");
    });
}
