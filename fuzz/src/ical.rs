//! iCalendar files: any text gives holidays or an error, within its limits; what is accepted compiles.

use std::time::Duration;

use slaclock::zone::TzData;
use slaclock::{Calendar, CalendarSpec, ErrorKind, TimeOfDay, calendar::Hours};

use super::within;

/// Tries one input.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let zones = TzData::bundled();
    let mut spec = CalendarSpec::new("office", "Europe/Moscow");
    let nine_to_six = Hours {
        opens: TimeOfDay::parse("09:00").expect("a time"),
        closes: TimeOfDay::parse("18:00").expect("a time"),
    };
    spec.week[..5].fill(vec![nine_to_six]);
    let before = spec.clone();
    within(Duration::from_secs(4), "an iCalendar file", || match spec.add_ical(text, &zones) {
        Ok(()) => {
            assert!(spec.holidays.len() <= 10_000 && spec.closures.len() <= 10_000);
            match Calendar::compile(spec, &zones) {
                Ok(calendar) => drop(calendar.next_open(slaclock::Instant::MIN)),
                Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidCalendar, "{error}"),
            }
        }
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::InvalidCalendar | ErrorKind::UnknownZone), "{error}");
            assert_eq!(spec, before, "a file that is refused adds nothing");
        }
    });
}
