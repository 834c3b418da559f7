//! The rules of calendars, each one below, at and above its edge.

use chrono::NaiveDate;

use super::{
    Calendar, CalendarSpec, Closure, DateRule, DayStatus, Exception, ExtraDay, Holiday, Hours, Interval,
    Observed,
};
use crate::error::ErrorKind;
use crate::target::NoDeadline;
use crate::time::{Instant, Span, TimeOfDay};
use crate::zone::TzData;

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn hours(text: &str) -> Vec<Hours> {
    let stretch = |part: &str| {
        let (opens, closes) = part.split_once('-').unwrap();
        Hours { opens: TimeOfDay::parse(opens).unwrap(), closes: TimeOfDay::parse(closes).unwrap() }
    };
    text.split_whitespace().map(stretch).collect()
}

fn spec(zone: &str, weekdays: &str, weekend: &str) -> CalendarSpec {
    let mut spec = CalendarSpec::new("test", zone);
    for (weekday, list) in spec.week.iter_mut().enumerate() {
        *list = hours(if weekday < 5 { weekdays } else { weekend });
    }
    spec
}

fn compile(spec: CalendarSpec) -> Calendar {
    Calendar::compile(spec, &TzData::bundled()).unwrap()
}

fn holiday(on: DateRule, name: &str) -> Holiday {
    Holiday { on, name: Some(name.into()), observed: Observed::SameDate }
}

#[test]
fn opening_is_inside_and_closing_is_outside() {
    let office = compile(spec("UTC", "09:00-12:00 13:00-17:00", ""));
    for (instant, open, next_open, next_close) in [
        ("2026-03-06T08:59:59Z", false, "2026-03-06T09:00:00Z", "2026-03-06T12:00:00Z"),
        ("2026-03-06T09:00:00Z", true, "2026-03-06T09:00:00Z", "2026-03-06T12:00:00Z"),
        ("2026-03-06T11:59:59Z", true, "2026-03-06T11:59:59Z", "2026-03-06T12:00:00Z"),
        ("2026-03-06T12:00:00Z", false, "2026-03-06T13:00:00Z", "2026-03-06T17:00:00Z"),
        ("2026-03-06T16:59:59Z", true, "2026-03-06T16:59:59Z", "2026-03-06T17:00:00Z"),
        ("2026-03-06T17:00:00Z", false, "2026-03-09T09:00:00Z", "2026-03-09T12:00:00Z"),
    ] {
        assert_eq!(office.is_open(at(instant)), open, "{instant}");
        assert_eq!(office.next_open(at(instant)), Ok(at(next_open)), "{instant}");
        assert_eq!(office.next_close(at(instant)), Ok(at(next_close)), "{instant}");
    }
}

#[test]
fn adding_gives_the_earliest_and_subtracting_the_latest_instant() {
    let office = compile(spec("UTC", "09:00-17:00", ""));
    let add = |from: &str, seconds: i64| office.add_working_time(at(from), Span::from_secs(seconds)).unwrap();
    let sub = |from: &str, seconds: i64| office.sub_working_time(at(from), Span::from_secs(seconds)).unwrap();
    assert_eq!(add("2026-03-02T09:00:00Z", 28_799), at("2026-03-02T16:59:59Z"));
    assert_eq!(add("2026-03-02T09:00:00Z", 28_800), at("2026-03-02T17:00:00Z"));
    assert_eq!(add("2026-03-02T09:00:00Z", 28_801), at("2026-03-03T09:00:01Z"));
    assert_eq!(add("2026-03-01T03:00:00Z", 0), at("2026-03-01T03:00:00Z"));
    assert_eq!(sub("2026-03-03T17:00:00Z", 28_799), at("2026-03-03T09:00:01Z"));
    assert_eq!(sub("2026-03-03T17:00:00Z", 28_800), at("2026-03-03T09:00:00Z"));
    assert_eq!(sub("2026-03-03T17:00:00Z", 28_801), at("2026-03-02T16:59:59Z"));
    let (friday, monday) = (at("2026-03-06T16:00:00Z"), at("2026-03-09T10:00:00Z"));
    assert_eq!(office.working_time(friday, monday), Span::from_hours(2));
    assert_eq!(office.working_time(monday, friday), Span::from_hours(-2));
    let negative = Span::from_secs(-1);
    assert_eq!(office.add_working_time(friday, negative).unwrap_err().kind(), ErrorKind::OutOfRange);
    assert_eq!(office.sub_working_time(friday, negative).unwrap_err().kind(), ErrorKind::OutOfRange);
}

#[test]
fn the_ends_of_the_range_are_working_time_too() {
    let always = compile(spec("Pacific/Kiritimati", "00:00-24:00", "00:00-24:00"));
    let all: Vec<_> = always.intervals(Instant::MIN, Instant::MAX).collect();
    assert_eq!(all, [Interval { opens: Instant::MIN, closes: Instant::MAX }]);
    assert!(always.is_open(Instant::MIN) && always.is_open(Instant::MAX));
    assert_eq!(always.next_close(Instant::MIN), Err(NoDeadline::BeyondRange));
    let near_end = Instant::from_secs(Instant::MAX.as_secs() - 10).unwrap();
    assert_eq!(always.work_after(near_end, Span::from_secs(10)), Ok(Instant::MAX));
    assert_eq!(always.work_after(near_end, Span::from_secs(11)), Err(NoDeadline::BeyondRange));
    assert_eq!(always.work_after(Instant::MIN, Span::from_secs(i64::MAX)), Err(NoDeadline::BeyondRange));
    let near_begin = Instant::from_secs(10).unwrap();
    assert_eq!(always.sub_working_time(near_begin, Span::from_secs(10)).unwrap(), Instant::MIN);
    let before = always.sub_working_time(near_begin, Span::from_secs(11)).unwrap_err();
    assert_eq!(before.kind(), ErrorKind::OutOfRange);

    // 1969-12-31 was a Wednesday; its evening in New York lies in 1970 UTC.
    let evenings = compile(spec("America/New_York", "18:00-20:00", ""));
    assert_eq!(evenings.next_open(Instant::MIN), Ok(Instant::MIN));
    assert_eq!(evenings.next_close(Instant::MIN), Ok(at("1970-01-01T01:00:00Z")));
    assert_eq!(evenings.next_open(at("2099-12-31T23:00:00Z")), Ok(at("2099-12-31T23:00:00Z")));
    assert_eq!(evenings.first_open_of(date("1969-12-31")), None);
    assert_eq!(evenings.close_of(date("1969-12-31")), Some(at("1970-01-01T01:00:00Z")));
}

#[test]
fn no_working_time_left_is_told_from_the_end_of_the_range() {
    let mut only_once = CalendarSpec::new("fair", "UTC");
    only_once.extra_days.push(ExtraDay { date: date("2026-05-01"), hours: hours("10:00-12:00") });
    let fair = compile(only_once);
    assert_eq!(fair.next_open(at("2026-05-01T11:59:59Z")), Ok(at("2026-05-01T11:59:59Z")));
    assert_eq!(fair.next_open(at("2026-05-01T12:00:00Z")), Err(NoDeadline::NeverOpen));
    assert_eq!(fair.work_after(at("2026-05-01T11:59:59Z"), Span::from_secs(2)), Err(NoDeadline::BeyondRange));
    assert_eq!(fair.work_after(at("2026-05-01T12:00:00Z"), Span::from_secs(1)), Err(NoDeadline::NeverOpen));
    assert_eq!(fair.add_working_days(date("2026-05-01"), 1), Err(NoDeadline::NeverOpen));
    assert_eq!(fair.add_working_days(date("2026-04-30"), 2), Err(NoDeadline::BeyondRange));
    let error = fair.add_working_time(at("2027-01-01T00:00:00Z"), Span::from_hours(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoDeadline);

    let office = compile(spec("UTC", "09:00-17:00", ""));
    assert_eq!(office.next_open(at("2099-12-31T17:00:00Z")), Err(NoDeadline::BeyondRange));
}

#[test]
fn a_night_belongs_to_the_date_on_which_it_opens() {
    let mut night = spec("UTC", "22:00-06:00", "");
    night.holidays.push(holiday(DateRule::On(date("2026-03-04")), "closed"));
    let night = compile(night);
    // The holiday takes its own evening, not what spills over into it.
    assert!(night.is_open(at("2026-03-04T05:59:59Z")));
    assert!(!night.is_open(at("2026-03-04T22:00:00Z")));
    assert!(!night.is_open(at("2026-03-05T05:00:00Z")));
    assert_eq!(night.close_of(date("2026-03-03")), Some(at("2026-03-04T06:00:00Z")));
    assert!(!night.is_working_day(date("2026-03-04")));
    assert_eq!(night.day_status(date("2026-03-04")), DayStatus::Holiday(Some("closed")));
    // Saturday has the rest of Friday's night, but no stretch opens on it.
    assert!(night.is_open(at("2026-03-07T03:00:00Z")));
    assert!(!night.is_working_day(date("2026-03-07")));
}

#[test]
fn a_closure_cuts_its_own_date_and_what_spills_into_it() {
    let closure = |on: &str, from: &str, to: &str| Closure {
        on: DateRule::On(date(on)),
        from: TimeOfDay::parse(from).unwrap(),
        to: TimeOfDay::parse(to).unwrap(),
        name: Some("outage".into()),
    };
    let mut night = spec("UTC", "22:00-06:00", "");
    night.closures.push(closure("2026-03-04", "02:00", "03:00"));
    night.closures.push(closure("2026-03-05", "21:00", "24:00"));
    night.closures.push(closure("2026-03-06", "00:00", "07:00"));
    let night = compile(night);
    let open: Vec<_> = night
        .intervals(at("2026-03-03T12:00:00Z"), at("2026-03-06T12:00:00Z"))
        .map(|interval| (interval.opens.to_string(), interval.closes.to_string()))
        .collect();
    assert_eq!(
        open,
        [
            ("2026-03-03T22:00:00Z".into(), "2026-03-04T02:00:00Z".into()),
            ("2026-03-04T03:00:00Z".into(), "2026-03-04T06:00:00Z".into()),
            ("2026-03-04T22:00:00Z".into(), "2026-03-05T06:00:00Z".into()),
        ]
    );
    assert_eq!(night.close_of(date("2026-03-03")), Some(at("2026-03-04T06:00:00Z")));
    assert_eq!(night.day_status(date("2026-03-05")), DayStatus::Closure(Some("outage")));
}

#[test]
fn holiday_beats_extra_day_beats_exception_beats_week() {
    let mut office = spec("UTC", "09:00-17:00", "");
    let week = |text: &str| std::array::from_fn(|_| hours(text));
    let exception = |first: &str, last: &str, text: &str| Exception {
        first: date(first),
        last: date(last),
        week: week(text),
        name: Some("summer".into()),
    };
    office.exceptions.push(exception("2026-07-01", "2026-07-31", "08:00-12:00"));
    office.exceptions.push(exception("2026-07-13", "2026-07-14", ""));
    office.extra_days.push(ExtraDay { date: date("2026-07-14"), hours: hours("10:00-11:00") });
    office.extra_days.push(ExtraDay { date: date("2026-07-15"), hours: hours("10:00-11:00") });
    office.holidays.push(holiday(DateRule::Yearly { month: 7, day: 15 }, "feast"));
    office.holidays.push(holiday(DateRule::Yearly { month: 7, day: 16 }, "not this year"));
    office.not_holidays.push(date("2026-07-16"));
    let office = compile(office);
    let day = |text: &str| office.first_open_of(date(text)).zip(office.close_of(date(text)));
    let pair = |from: &str, to: &str| Some((at(from), at(to)));
    assert_eq!(day("2026-06-30"), pair("2026-06-30T09:00:00Z", "2026-06-30T17:00:00Z"));
    assert_eq!(day("2026-07-01"), pair("2026-07-01T08:00:00Z", "2026-07-01T12:00:00Z"));
    assert_eq!(day("2026-07-31"), pair("2026-07-31T08:00:00Z", "2026-07-31T12:00:00Z"));
    assert_eq!(day("2026-08-03"), pair("2026-08-03T09:00:00Z", "2026-08-03T17:00:00Z"));
    assert_eq!(day("2026-07-13"), None);
    assert_eq!(day("2026-07-14"), pair("2026-07-14T10:00:00Z", "2026-07-14T11:00:00Z"));
    assert_eq!(day("2026-07-15"), None);
    assert_eq!(day("2026-07-16"), pair("2026-07-16T08:00:00Z", "2026-07-16T12:00:00Z"));
    assert_eq!(office.day_status(date("2026-07-13")), DayStatus::Exception(Some("summer")));
    assert_eq!(office.day_status(date("2026-07-14")), DayStatus::Working);
    assert_eq!(office.day_status(date("2026-07-15")), DayStatus::Holiday(Some("feast")));
    assert_eq!(office.day_status(date("2026-08-01")), DayStatus::Weekend);
}

#[test]
fn the_clock_changes_do_not_lose_or_invent_working_time() {
    let length = |zone: &str, text: &str, on: &str| {
        let calendar = compile(spec(zone, text, text));
        let day = (calendar.first_open_of(date(on)), calendar.close_of(date(on)));
        match day {
            (Some(opens), Some(closes)) => calendar.working_time(opens, closes).as_secs(),
            _ => 0,
        }
    };
    for (zone, text, on, seconds) in [
        // Half an hour back, and forward.
        ("Australia/Lord_Howe", "01:00-03:00", "2026-04-05", 9_000),
        ("Australia/Lord_Howe", "01:00-03:00", "2026-10-04", 5_400),
        // The repeated hour counts twice, from its first begin to its second end.
        ("America/New_York", "01:00-02:00", "2026-11-01", 7_200),
        ("America/New_York", "01:30-01:45", "2026-11-01", 4_500),
        // The hour left out is no working time.
        ("America/New_York", "02:00-03:00", "2026-03-08", 0),
        ("America/New_York", "02:30-03:30", "2026-03-08", 1_800),
        // Midnight was left out, and the hour before it repeated.
        ("America/Sao_Paulo", "00:00-02:00", "2018-11-04", 3_600),
        ("America/Sao_Paulo", "22:00-24:00", "2018-02-17", 10_800),
        // Ramadan: the clock goes back and forth again.
        ("Africa/Casablanca", "00:00-24:00", "2026-02-15", 90_000),
        ("Africa/Casablanca", "00:00-24:00", "2026-03-22", 82_800),
        // A whole date left out.
        ("Pacific/Apia", "00:00-24:00", "2011-12-29", 86_400),
        ("Pacific/Apia", "00:00-24:00", "2011-12-30", 0),
        ("Asia/Kathmandu", "00:00-24:00", "1985-12-31", 86_400),
        ("Asia/Kathmandu", "00:00-01:00", "1986-01-01", 2_700),
    ] {
        assert_eq!(length(zone, text, on), seconds, "{zone} {on} {text}");
    }
    let apia = compile(spec("Pacific/Apia", "09:00-17:00", "09:00-17:00"));
    assert_eq!(apia.day_status(date("2011-12-30")), DayStatus::NoSuchDate);
    assert_eq!(apia.add_working_days(date("2011-12-29"), 1), Ok(date("2011-12-31")));
    let early = compile(spec("America/New_York", "02:00-03:00", "02:00-03:00"));
    assert_eq!(early.day_status(date("2026-03-08")), DayStatus::NoSuchTime);
}

#[test]
fn working_days_are_counted_after_the_first_and_up_to_the_last() {
    let mut office = spec("UTC", "09:00-17:00", "");
    office.holidays.push(holiday(DateRule::On(date("2026-03-09")), "closed"));
    let office = compile(office);
    for (from, n, expected) in [
        ("2026-03-06", 1, "2026-03-10"),
        ("2026-03-07", 1, "2026-03-10"),
        ("2026-03-10", 1, "2026-03-11"),
        ("2026-03-10", -1, "2026-03-06"),
        ("2026-03-08", -1, "2026-03-06"),
        ("2026-03-08", 0, "2026-03-08"),
        ("2026-03-06", 5, "2026-03-16"),
    ] {
        assert_eq!(office.add_working_days(date(from), n), Ok(date(expected)), "{from} {n}");
    }
    assert_eq!(office.working_days(date("2026-03-06"), date("2026-03-11")), 2);
    assert_eq!(office.working_days(date("2026-03-11"), date("2026-03-06")), -2);
    assert_eq!(office.working_days(date("2026-03-06"), date("2026-03-06")), 0);
    assert_eq!(office.working_days(NaiveDate::MIN, NaiveDate::MIN), 0);
    assert_eq!(office.add_working_days(NaiveDate::MAX, i64::MAX), Err(NoDeadline::BeyondRange));
    assert_eq!(office.add_working_days(NaiveDate::MIN, i64::MIN), Err(NoDeadline::BeyondRange));
    assert!(!office.is_working_day(NaiveDate::MAX) && !office.is_working_day(NaiveDate::MIN));
}

#[test]
fn bad_calendars_are_refused_by_name_and_place() {
    let refused = |spec: CalendarSpec, part: &str| {
        let error = Calendar::compile(spec, &TzData::bundled()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCalendar);
        assert!(error.message().starts_with("calendar `test`: "), "{error}");
        assert!(error.message().contains(part), "{error}");
    };
    let with_monday = |monday: &str, tuesday: &str| {
        let mut spec = CalendarSpec::new("test", "UTC");
        spec.week[0] = hours(monday);
        spec.week[1] = hours(tuesday);
        spec
    };
    compile(with_monday("09:00-12:00 12:00-17:00", ""));
    compile(with_monday("22:00-06:00", "06:00-08:00"));
    compile(with_monday("00:00-00:00", "00:00-24:00"));
    refused(with_monday("09:00-12:01 12:00-17:00", ""), "Monday 09:00-12:01 overlaps 12:00-17:00");
    refused(with_monday("22:00-06:00", "05:59-08:00"), "Monday 22:00-06:00 overlaps Tuesday 05:59-08:00");
    refused(with_monday("24:00-02:00", ""), "must open before 24:00");
    refused(with_monday("", ""), "no working hours");
    let mut over_sunday = with_monday("05:00-08:00", "");
    over_sunday.week[6] = hours("22:00-06:00");
    refused(over_sunday, "Sunday 22:00-06:00 overlaps Monday 05:00-08:00");
    let mut many = with_monday("", "");
    let stretch = |at: u32| Hours {
        opens: TimeOfDay::from_secs(at * 20).unwrap(),
        closes: TimeOfDay::from_secs(at * 20 + 10).unwrap(),
    };
    many.week[0] = (0..64).map(stretch).collect();
    compile(many.clone());
    many.week[0] = (0..65).map(stretch).collect();
    refused(many, "65 stretches");
    for (rule, part) in [
        (DateRule::Yearly { month: 13, day: 1 }, "month 13"),
        (DateRule::Yearly { month: 2, day: 30 }, "month 2, day 30"),
        (DateRule::YearlyBetween { first: (1, 1), last: (0, 1) }, "month 0"),
        (DateRule::On(date("2100-01-01")), "1970 to 2099"),
        (DateRule::On(date("1969-12-31")), "1970 to 2099"),
        (DateRule::Between(date("2026-01-02"), date("2026-01-01")), "must not end before"),
        (DateRule::Easter { offset_days: 367 }, "-366 to 366"),
        (
            DateRule::NthWeekday { month: 1, nth: 0, weekday: chrono::Weekday::Mon, offset_days: 0 },
            "0. Monday: must be 1 to 5",
        ),
    ] {
        let mut spec = with_monday("09:00-17:00", "");
        spec.holidays.push(holiday(rule, "feast"));
        refused(spec, part);
    }
    let mut many_holidays = with_monday("09:00-17:00", "");
    many_holidays.holidays = vec![holiday(DateRule::On(date("2026-01-01")), "x"); 10_000];
    compile(many_holidays.clone());
    many_holidays.holidays.push(holiday(DateRule::On(date("2026-01-01")), "x"));
    refused(many_holidays, "10001 holidays");
    let mut wide = with_monday("09:00-17:00", "");
    wide.holidays = vec![holiday(DateRule::Between(date("1970-01-01"), date("2099-12-31")), "x"); 22];
    refused(wide, "more than 1000000 dates");
    let unknown = CalendarSpec { zone: "Moscow".into(), ..with_monday("09:00-17:00", "") };
    let error = Calendar::compile(unknown, &TzData::bundled()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownZone);
    assert!(error.message().contains("did you mean Europe/Moscow?"), "{error}");
}

#[test]
fn a_child_calendar_adds_to_its_parent() {
    let mut parent = spec("UTC", "09:00-17:00", "");
    parent.holidays.push(holiday(DateRule::Yearly { month: 1, day: 1 }, "new year"));
    parent.holidays_known_until = Some(date("2027-12-31"));
    parent.extra_days.push(ExtraDay { date: date("2026-03-07"), hours: hours("10:00-12:00") });
    let mut child = CalendarSpec::new("branch", "");
    child.not_holidays.push(date("2026-01-01"));
    child.extra_days.push(ExtraDay { date: date("2026-03-07"), hours: hours("10:00-11:00") });
    let branch = compile(child.extend(&parent));
    assert_eq!((branch.name(), branch.zone().name()), ("branch", "UTC"));
    assert!(branch.is_working_day(date("2026-01-01")) && !branch.is_working_day(date("2027-01-01")));
    assert_eq!(branch.close_of(date("2026-03-07")), Some(at("2026-03-07T11:00:00Z")));
    assert_eq!(branch.holidays_known_until(), Some(date("2027-12-31")));
    let mut child = spec("Europe/Moscow", "10:00-11:00", "");
    child.holidays_known_until = Some(date("2026-12-31"));
    let child = child.extend(&parent);
    assert_eq!((child.zone.as_str(), child.week[0].clone()), ("Europe/Moscow", hours("10:00-11:00")));
    assert_eq!(child.holidays_known_until, Some(date("2026-12-31")));
}

#[test]
fn the_tables_of_a_hundred_and_thirty_years_stay_small() {
    let mut new_york = spec("America/New_York", "09:00-12:30 13:30-17:30", "");
    for (month, day) in [(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)] {
        let on = DateRule::Yearly { month, day };
        new_york.holidays.push(Holiday { on, name: None, observed: Observed::Nearest });
    }
    for (month, nth) in [(1, 3), (2, 3), (5, -1), (9, 1), (10, 2)] {
        let on = DateRule::NthWeekday { month, nth, weekday: chrono::Weekday::Mon, offset_days: 0 };
        new_york.holidays.push(holiday(on, "Monday"));
    }
    let thanksgiving =
        DateRule::NthWeekday { month: 11, nth: 4, weekday: chrono::Weekday::Thu, offset_days: 0 };
    new_york.holidays.push(holiday(thanksgiving, "Thanksgiving"));
    let new_york = compile(new_york);
    assert_eq!(new_york.table_size(), 0, "nothing was asked yet");
    assert!(new_york.is_open(at("2026-03-06T15:00:00Z")));
    let size = new_york.table_size();
    assert!((1..1_258_291).contains(&size), "{size} bytes");
    // The worst: no two dates are alike.
    let mut varied = spec("America/New_York", "", "");
    for number in 0..10_000_u32 {
        let on = "1980-01-01".parse::<NaiveDate>().unwrap() + chrono::Days::new(u64::from(number));
        let stretch = |at: u32| Hours {
            opens: TimeOfDay::from_secs(at * 1_300 + number % 1_000).unwrap(),
            closes: TimeOfDay::from_secs(at * 1_300 + 1_100 + number % 97).unwrap(),
        };
        varied.extra_days.push(ExtraDay { date: on, hours: (0..64).map(stretch).collect() });
    }
    let varied = compile(varied);
    varied.prepare();
    assert!(varied.table_size() < 16 << 20, "{} bytes", varied.table_size());
}

#[test]
fn threads_that_ask_a_calendar_at_once_get_the_same_answers() {
    let office = compile(spec("America/New_York", "09:00-12:30 13:30-17:30", ""));
    let receipts = ["1970-01-01T00:00:00Z", "2026-03-06T15:00:00Z", "2099-12-01T00:00:00Z"].map(at);
    let ask = || receipts.map(|at| office.add_working_time(at, Span::from_hours(10)).unwrap());
    let answers: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|found| *found == answers[0]));
    assert_eq!(answers[0][1], at("2026-03-09T16:30:00Z"));
}
