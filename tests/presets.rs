//! Presets in policies. What could go wrong: a preset that one way of asking follows and another does not (single, column,
//! with time on hold, in a database), one that moves what it should not, a proof that does not say so.

use slaclock::calendar::{ClockChange, Conventions, ExactFit, NoTime, Preset};
use slaclock::{Db, ErrorKind, Event, EventKind, Facts, Instant, Policy, Request};

fn text(preset: &str) -> String {
    format!(
        r#"
        [policy]
        name = "care"
        version = 1
        statement = "Handled within eight working hours."
        [calendar.office]
        zone = "Europe/Moscow"
        hours = {{ mon-fri = "09:00-17:00" }}
        {preset}
        [calendar.summer]
        extends = "office"
        hours = {{ mon-fri = "09:00-17:00" }}
        [[clock]]
        name = "resolution"
        calendar = "office"
        start = "received"
        stop = "resolved"
        pause = ["waiting_customer"]
        target = {{ working = "8h" }}
        [[clock]]
        name = "summer"
        calendar = "summer"
        start = "received"
        stop = "resolved"
        target = {{ working = "8h" }}
        [[clock]]
        name = "same day"
        calendar = "office"
        start = "received"
        stop = "resolved"
        target = [{{ received_before = "14:00", due = "same day, close" }}, {{ due = "next day, 11:00" }}]
        "#
    )
}

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

/// Monday to Tuesday; the office is in Moscow.
const MONDAY: &str = "2026-03-02T09:00:00+03:00";
const CLOSING: &str = "2026-03-02T17:00:00+03:00";
const TUESDAY: &str = "2026-03-03T09:00:00+03:00";

#[test]
fn an_exact_fit_is_up_when_the_preset_says() {
    let presets = Preset::ALL.map(|preset| (format!("preset = \"{}\"", preset.word()), preset.conventions()));
    for (line, conventions) in presets.into_iter().chain([(String::new(), Conventions::default())]) {
        let policy = Policy::from_toml(&text(&line)).unwrap();
        let due = if conventions.exact_fit == ExactFit::NextOpening { TUESDAY } else { CLOSING };
        for clock in ["resolution", "summer"] {
            let clock = policy.clock(clock).unwrap();
            assert_eq!(clock.due(at(MONDAY), &Facts::none()).unwrap(), at(due), "{line}");
            // A column long enough for tables says the same as one question.
            let received: Vec<i64> = (0..50_000).map(|n| at(MONDAY).as_secs() + n * 60).collect();
            let mut column = vec![0; received.len()];
            clock.rules[0].due_many(&received, &mut column).unwrap();
            for (received, due) in received.iter().zip(&column).step_by(7) {
                let one = clock.rules[0].due(Instant::from_secs(*received).unwrap()).unwrap();
                assert_eq!(one.as_secs(), *due, "{line} {received}");
            }
        }
        // A cut-off's close is a time of day, not a sum.
        let same_day = policy.clock("same day").unwrap();
        assert_eq!(same_day.due(at(MONDAY), &Facts::none()).unwrap(), at(CLOSING));
        let calendar = &policy.calendars()[0];
        assert_eq!(calendar.working_time(at(MONDAY), at(TUESDAY)).as_secs(), 8 * 3_600);
        let saturday = at("2026-03-07T10:00:00+03:00");
        let none = calendar.add_working_time(saturday, slaclock::Span::ZERO).unwrap();
        let opens = at("2026-03-09T09:00:00+03:00");
        assert_eq!(none, if conventions.no_time == NoTime::NextOpening { opens } else { saturday }, "{line}");
    }
}

#[test]
fn a_database_keeps_to_it_through_a_hold_and_says_why() {
    let policy = Policy::from_toml(&text("preset = \"rt\"")).unwrap();
    let db = Db::in_memory(&policy).unwrap();
    let clocks = db.submit(&Request::new("A", at(MONDAY))).unwrap().clocks;
    assert_eq!(clocks[0].due_at, Some(at(TUESDAY)));
    // Two hours on hold leave six: at the closing of Tuesday's second hour nothing is moved.
    let reason = "waiting_customer".to_owned();
    db.record("A", Event::new(EventKind::Paused { reason }, at("2026-03-02T10:00:00+03:00"))).unwrap();
    let resumed = Event::new(EventKind::Resumed, at("2026-03-02T12:00:00+03:00"));
    let clocks = db.record("A", resumed).unwrap().clocks;
    assert_eq!(clocks[0].due_at, Some(at("2026-03-03T11:00:00+03:00")));
    assert_eq!(db.verify().unwrap().differing, 0);
    let proof = policy.clock("resolution").unwrap().rules[0].trace(at(MONDAY), &[], None);
    assert!(proof.target.rule.contains("up at the next opening"), "{}", proof.target.rule);
}

#[test]
fn an_hour_that_the_clock_skips_or_repeats_is_read_as_the_preset_reads_it() {
    use slaclock::calendar::{Calendar, CalendarSpec, Hours};
    use slaclock::time::TimeOfDay;
    use slaclock::zone::TzData;
    let length = |clock_change: ClockChange, from: &str, to: &str| {
        let mut spec = CalendarSpec::new("night", "Europe/Berlin");
        let time = |text: &str| TimeOfDay::parse(text).unwrap();
        spec.week[6].push(Hours { opens: time("02:30"), closes: time("04:00") });
        spec.conventions = Some(Conventions { clock_change, ..Conventions::default() });
        let calendar = Calendar::compile(spec, &TzData::bundled()).unwrap();
        calendar.working_time(at(from), at(to)).as_secs() / 60
    };
    // On 2026-03-29 02:00 becomes 03:00, on 2026-10-25 03:00 becomes 02:00.
    let both = |change| {
        let spring = length(change, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z");
        (spring, length(change, "2026-10-25T00:00:00Z", "2026-10-25T12:00:00Z"))
    };
    assert_eq!(both(ClockChange::Outer), (60, 150));
    assert_eq!(both(ClockChange::First), (30, 150));
    assert_eq!(both(ClockChange::Second), (30, 90));
}

#[test]
fn an_unknown_preset_is_refused_with_those_there_are() {
    let error = Policy::from_toml(&text("preset = \"zammad\"")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidPolicy);
    for preset in Preset::ALL {
        assert!(error.message().contains(preset.word()), "{error}");
        assert_eq!(Preset::from_word(preset.word()), Some(preset));
    }
    assert_eq!(Preset::from_word("zammad"), None);
}
