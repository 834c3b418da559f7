//! iCalendar files: what each form of event adds, and what is refused by name.

use super::{Calendar, CalendarSpec, DateRule, Hours};
use crate::error::ErrorKind;
use crate::time::TimeOfDay;
use crate::zone::TzData;

fn file(events: &[&str]) -> String {
    let mut text = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//slaclock//tests//EN\r\n");
    for (number, event) in events.iter().enumerate() {
        text += &format!("BEGIN:VEVENT\r\nUID:uid-{number}\r\n");
        for line in event.lines() {
            text += &format!("{}\r\n", line.trim());
        }
        text += "END:VEVENT\r\n";
    }
    text + "END:VCALENDAR\r\n"
}

fn read(zone: &str, text: &str) -> Result<CalendarSpec, crate::error::Error> {
    let mut spec = CalendarSpec::new("office", zone);
    spec.add_ical(text, &TzData::bundled()).map(|()| spec)
}

/// The holidays of the events as `first..last name`, the closures as `date from-to`.
fn added(zone: &str, events: &[&str]) -> (Vec<String>, Vec<String>) {
    let spec = read(zone, &file(events)).unwrap();
    let on = |rule: &DateRule| match rule {
        DateRule::On(date) => date.to_string(),
        DateRule::Between(first, last) => format!("{first}..{last}"),
        other => panic!("{other:?}"),
    };
    let holidays =
        spec.holidays.iter().map(|it| format!("{} {}", on(&it.on), it.name.as_deref().unwrap_or("-")));
    let closures = spec.closures.iter().map(|it| format!("{} {}-{}", on(&it.on), it.from, it.to));
    (holidays.collect(), closures.collect())
}

#[test]
fn all_day_events_are_holidays() {
    let (holidays, closures) = added(
        "Europe/Moscow",
        &[
            "SUMMARY:New Year\\, first day\nDTSTART;VALUE=DATE:20260101",
            "SUMMARY:Break\nDTSTART;VALUE=DATE:20261228\nDTEND;VALUE=DATE:20270101\nTRANSP:TRANSPARENT",
            "SUMMARY:Two days\nDTSTART:20260501\nDURATION:P2D",
            "DTSTART;VALUE=DATE:20260612\nDTEND;VALUE=DATE:20260613\nBEGIN:VALARM\nTRIGGER:-PT15M\nEND:VALARM",
            "SUMMARY:Called off\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20260613",
            "SUMMARY:Over the end\nDTSTART;VALUE=DATE:20991230\nDTEND;VALUE=DATE:21000110",
            "SUMMARY:Long ago\nDTSTART;VALUE=DATE:19690101",
        ],
    );
    assert_eq!(
        holidays,
        [
            "2026-01-01 New Year, first day",
            "2026-12-28..2026-12-31 Break",
            "2026-05-01..2026-05-02 Two days",
            "2026-06-12 -",
            "2099-12-30..2099-12-31 Over the end",
        ]
    );
    assert!(closures.is_empty());
}

#[test]
fn yearly_events_repeat_until_they_end() {
    let (holidays, _) = added(
        "UTC",
        &[
            "SUMMARY:a\nDTSTART;VALUE=DATE:20240704\nRRULE:FREQ=YEARLY;COUNT=3\nEXDATE;VALUE=DATE:20250704",
            "SUMMARY:b\nDTSTART;VALUE=DATE:20241128\nRRULE:FREQ=YEARLY;UNTIL=20261126;BYMONTH=11;BYDAY=4TH",
            "SUMMARY:c\nDTSTART;VALUE=DATE:20241128\nRRULE:FREQ=YEARLY;UNTIL=20251126T235959Z;BYMONTH=11;BYDAY=4TH",
            "SUMMARY:d\nDTSTART;VALUE=DATE:20250102\nRDATE;VALUE=DATE:20250303,20250505",
            "SUMMARY:e\nDTSTART;VALUE=DATE:20971224\nDTEND;VALUE=DATE:20971227\nRRULE:FREQ=YEARLY",
        ],
    );
    assert_eq!(
        holidays,
        [
            "2024-07-04 a",
            "2026-07-04 a",
            "2024-11-28 b",
            "2025-11-27 b",
            "2026-11-26 b",
            "2024-11-28 c",
            "2025-01-02 d",
            "2025-03-03 d",
            "2025-05-05 d",
            "2097-12-24..2097-12-26 e",
            "2098-12-24..2098-12-26 e",
            "2099-12-24..2099-12-26 e",
        ]
    );
}

#[test]
fn timed_events_are_closures_in_the_calendars_zone() {
    let (holidays, closures) = added(
        "Europe/Moscow",
        &[
            "DTSTART:20260306T150000\nDTEND:20260306T180000",
            "DTSTART:20260306T120000Z\nDURATION:PT1H30M",
            "DTSTART;TZID=Europe/Moscow:20260307T220000\nDTEND;TZID=Europe/Moscow:20260310T060000",
            "DTSTART;TZID=\"America/New_York\":20260105T120000\nDTEND;TZID=\"America/New_York\":20260105T160000",
            "DTSTART;TZID=Europe/Moscow:20260401T230000\nDTEND:20260401T210000Z",
            "DTSTART;TZID=Europe/Moscow:20241231T120000\nDTEND;TZID=Europe/Moscow:20241231T180000\n\
             RRULE:FREQ=YEARLY;UNTIL=20261231T090000Z\nEXDATE:20251231T090000Z",
        ],
    );
    assert!(holidays.is_empty());
    assert_eq!(
        closures,
        [
            "2026-03-06 15:00-18:00",
            "2026-03-06 15:00-16:30",
            "2026-03-07 22:00-24:00",
            "2026-03-08..2026-03-09 00:00-24:00",
            "2026-03-10 00:00-06:00",
            "2026-01-05 20:00-24:00",
            "2026-04-01 23:00-24:00",
            "2024-12-31 12:00-18:00",
            "2026-12-31 12:00-18:00",
        ]
    );
}

#[test]
fn a_folded_file_closes_the_calendar() {
    let text = file(&["SUMMARY:A very long\r\n  name of a holiday\nDTSTART;VALUE=DATE:20260306"]);
    let text = text.replace("long\r\nname", "long\r\n  name");
    let mut spec = read("UTC", &format!("\u{feff}{text}")).unwrap();
    assert_eq!(spec.holidays[0].name.as_deref(), Some("A very long name of a holiday"));
    spec.week[4].push(Hours { opens: TimeOfDay::START, closes: TimeOfDay::END });
    let calendar = Calendar::compile(spec, &TzData::bundled()).unwrap();
    assert!(!calendar.is_working_day("2026-03-06".parse().unwrap()));
    assert!(calendar.is_working_day("2026-03-13".parse().unwrap()));
}

#[test]
fn what_is_not_understood_is_refused_by_the_events_name() {
    for (event, part) in [
        ("SUMMARY:x", "has no DTSTART"),
        ("DTSTART:tomorrow", "DTSTART `tomorrow` is not understood"),
        ("DTSTART;VALUE=DATE:20260230", "DTSTART `20260230` is not understood"),
        ("DTSTART;VALUE=PERIOD:20260101T000000", "is not understood"),
        ("DTSTART;VALUE=DATE:20260101T000000", "is not understood"),
        ("DTSTART;VALUE=DATE:20260102\nDTEND;VALUE=DATE:20260102", "must end after it begins"),
        ("DTSTART;VALUE=DATE:20260102\nDTEND;VALUE=DATE:20260101", "must end after it begins"),
        ("DTSTART;VALUE=DATE:20260102\nDTEND:20260103T000000", "DTEND has a time of day"),
        ("DTSTART;VALUE=DATE:20260102\nDURATION:PT3H", "no whole number of days"),
        ("DTSTART;VALUE=DATE:20260102\nDURATION:3 days", "DURATION `3 days` is not understood"),
        ("DTSTART;VALUE=DATE:20260102\nDTEND;VALUE=DATE:20460102", "at most 3660"),
        ("DTSTART;VALUE=DATE:20260102\nDTSTART;VALUE=DATE:20260103", "more than one DTSTART"),
        ("DTSTART:20260102T090000", "neither DTEND nor DURATION"),
        ("DTSTART:20260102T090000\nDTEND:20260102T090000", "must end after it begins"),
        ("DTSTART:20260102T090000\nDTEND;VALUE=DATE:20260103", "DTEND has no time of day"),
        ("DTSTART;TZID=Moscow:20260102T090000\nDURATION:PT1H", "did you mean Europe/Moscow?"),
        ("DTSTART;VALUE=DATE:20260102\nRRULE:FREQ=WEEKLY", "FREQ=WEEKLY"),
        ("DTSTART;VALUE=DATE:20260102\nRRULE:FREQ=YEARLY;BYMONTH=3", "not one of the dates of its RRULE"),
        ("DTSTART;VALUE=DATE:20260102\nRRULE:FREQ=YEARLY;UNTIL=never", "UNTIL=never"),
        ("DTSTART;VALUE=DATE:20260102\nEXDATE:20260102T000000Z", "not of DTSTART's kind"),
        ("DTSTART;VALUE=DATE:20260102\nRECURRENCE-ID;VALUE=DATE:20260102", "RECURRENCE-ID is not understood"),
    ] {
        let named = format!("SUMMARY:Feast\n{event}");
        let events =
            ["DTSTART;VALUE=DATE:20260101", if event.starts_with("SUMMARY") { event } else { &named }];
        let error = read("UTC", &file(&events)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCalendar, "{event}");
        assert!(error.message().contains("UID `uid-1`"), "{error}");
        assert!(error.message().contains(part), "{event}: {error}");
    }
}

#[test]
fn what_is_no_calendar_is_refused() {
    let deep = "BEGIN:A\n".repeat(100_000);
    let with_todo = file(&[]).replace("END:VCALENDAR", "BEGIN:VTODO\r\nUID:1\r\nEND:VTODO\r\nEND:VCALENDAR");
    for text in ["", "holidays", "BEGIN:VCALENDAR", "BEGIN:VEVENT\nEND:VEVENT", "BEGIN:", &deep, &with_todo] {
        assert_eq!(read("UTC", text).unwrap_err().kind(), ErrorKind::InvalidCalendar, "{:.40}", text);
    }
    assert_eq!(read("Nowhere", &file(&[])).unwrap_err().kind(), ErrorKind::UnknownZone);
    assert!(read("UTC", &file(&[])).unwrap().holidays.is_empty());
}

#[test]
fn damaged_files_give_an_error_or_a_calendar_but_never_panic() {
    let whole = file(&[
        "SUMMARY:é\nDTSTART;VALUE=DATE:20240704\nDTEND;VALUE=DATE:20240705\nRRULE:FREQ=YEARLY;COUNT=3;BYMONTH=7",
        "DTSTART;TZID=Europe/Moscow:20260307T220000\nDURATION:P1DT2H\nEXDATE;TZID=Europe/Moscow:20260307T220000",
    ]);
    let bytes = whole.as_bytes();
    for at in 0..bytes.len() {
        for byte in [b'9', b':', b';', b'\n', b'Z', 0xff] {
            let mut damaged = bytes.to_vec();
            damaged[at] = byte;
            drop(read("Europe/Moscow", &String::from_utf8_lossy(&damaged)));
        }
        drop(read("Europe/Moscow", &String::from_utf8_lossy(&bytes[..at])));
    }
}
