//! Dates and times as files write them, read as instants.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{NaiveDateTime, NaiveTime};

use crate::error::{Error, ErrorKind, Result};
use crate::time::Instant;
use crate::zone::{Edge, TzData, Zone};

/// Reads the date columns of a file.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    formats: Vec<Format>,
    zone: Zone,
    missing: Vec<String>,
    shifted: bool,
    midnight_is_date_only: bool,
}

#[derive(Clone, Debug)]
enum Format {
    /// Seconds since 1970, a fraction is floored.
    Unix,
    /// chrono's format items; `text` is kept for messages.
    Pattern { text: String, items: Vec<Item<'static>> },
}

/// A date column of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamped {
    pub(super) at: Instant,
    /// The file says midnight, and the mapping says that this means: only the date is known.
    pub(super) date_only: bool,
}

impl Stamp {
    /// The zone of this name.
    pub(super) fn zone(name: &str) -> Result<Zone> {
        TzData::bundled().zone(name)
    }

    pub(super) fn new(
        formats: &[String],
        zone: Zone,
        missing: Vec<String>,
        shifted: bool,
        midnight_is_date_only: bool,
    ) -> Result<Stamp> {
        let formats = formats.iter().map(|text| Format::new(text)).collect::<Result<_>>()?;
        Ok(Stamp { formats, zone, missing, shifted, midnight_is_date_only })
    }

    /// Whether this text stands for no value.
    pub(super) fn is_missing(&self, text: &str) -> bool {
        text.trim().is_empty() || self.missing.iter().any(|missing| missing == text)
    }

    /// Reads a date that is there.
    ///
    /// Civil times in a gap are the first instant after it, repeated ones the first occurrence.
    pub(super) fn read(&self, text: &str) -> Result<Stamped> {
        let mut found = None;
        for format in &self.formats {
            found = format.read(text);
            if found.is_some() {
                break;
            }
        }
        match found {
            Some(Moment::Utc(seconds)) => Ok(Stamped {
                at: Instant::from_secs(seconds).map_err(|error| error.context(quoted(text)))?,
                date_only: false,
            }),
            Some(Moment::Civil(civil)) => {
                let local = if self.shifted { self.instant(civil, text)?.to_utc() } else { civil };
                let date_only = self.midnight_is_date_only && civil.time() == NaiveTime::MIN;
                Ok(Stamped { at: self.instant(local, text)?, date_only })
            }
            None => {
                let allowed: Vec<String> = self.formats.iter().map(Format::text).collect();
                Err(Error::new(
                    ErrorKind::InvalidRow,
                    format!("{} is no date of the form {}", quoted(text), allowed.join(" or ")),
                ))
            }
        }
    }

    fn instant(&self, civil: NaiveDateTime, text: &str) -> Result<Instant> {
        Instant::from_secs(self.zone.from_local(civil, Edge::Open)).map_err(|_| {
            Error::new(ErrorKind::OutOfRange, format!("{}: must lie in 1970 to 2099", quoted(text)))
        })
    }
}

/// The text between back-quotes, shortened: a broken file may hold megabytes in one field.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

enum Moment {
    Utc(i64),
    Civil(NaiveDateTime),
}

impl Format {
    fn new(text: &str) -> Result<Format> {
        if text == "unix" {
            return Ok(Format::Unix);
        }
        let wrong = |why: &str| {
            let message = format!(
                "format `{text}`: {why}; write it like %Y-%m-%d %H:%M:%S (%d day, %m month, %Y year, %H hour, %I and %p \
                 hour of 12, %M minute, %S second, %.f fraction, %z offset), or `unix` or `rfc3339`"
            );
            Error::new(ErrorKind::InvalidMapping, message)
        };
        let pattern = if text == "rfc3339" { "%Y-%m-%dT%H:%M:%S%.f%:z" } else { text };
        let items: Vec<Item<'static>> =
            StrftimeItems::new(pattern).parse_to_owned().map_err(|_| wrong("has an unknown % code"))?;
        let format = Format::Pattern { text: text.to_owned(), items };
        // What the format writes it must read back: otherwise it lacks the year, the day or the hour.
        let sample = chrono::DateTime::from_timestamp(1_457_625_600, 0).unwrap_or_default().fixed_offset();
        // %#z (an offset with or without minutes) can be read but not written.
        let written = sample.format(&pattern.replace("%#z", "%z")).to_string();
        match format.read(&written) {
            Some(_) => Ok(format),
            None => Err(wrong("must give year, month, day and hour")),
        }
    }

    fn text(&self) -> String {
        match self {
            Format::Unix => "`unix` (seconds since 1970)".to_owned(),
            Format::Pattern { text, .. } => format!("`{text}`"),
        }
    }

    fn read(&self, text: &str) -> Option<Moment> {
        match self {
            Format::Unix => {
                let whole = text.split_once('.').map_or(text, |(whole, fraction)| {
                    if fraction.bytes().all(|byte| byte.is_ascii_digit()) { whole } else { text }
                });
                whole.parse().ok().map(Moment::Utc)
            }
            Format::Pattern { items, .. } => {
                let mut parsed = Parsed::new();
                parse(&mut parsed, text.trim(), items.iter()).ok()?;
                if parsed.offset().is_some() || parsed.timestamp().is_some() {
                    let moment = match parsed.offset() {
                        Some(_) => parsed.to_datetime().ok()?.timestamp(),
                        None => parsed.timestamp()?,
                    };
                    return Some(Moment::Utc(moment));
                }
                parsed.to_naive_datetime_with_offset(0).ok().map(Moment::Civil)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(format: &str, zone: &str, shifted: bool) -> Stamp {
        Stamp::new(&[format.to_owned()], Stamp::zone(zone).unwrap(), vec!["?".into()], shifted, false)
            .unwrap()
    }

    #[test]
    fn forms_of_real_files_are_read() {
        let cases = [
            ("%d/%m/%Y %H:%M", "America/Sao_Paulo", "29/2/2016 01:16", "2016-02-29T04:16:00Z"),
            ("%Y-%m-%d %H:%M:%S", "America/New_York", "2011-07-01 01:32:33", "2011-07-01T05:32:33Z"),
            (
                "%Y-%m-%d %H:%M:%S%.f%#z",
                "America/New_York",
                "2025-08-01 06:35:06.539+00",
                "2025-08-01T06:35:06Z",
            ),
            ("%Y-%m-%d %H:%M:%S%.f%#z", "UTC", "2025-08-01 06:35:06+02", "2025-08-01T04:35:06Z"),
            ("%m/%d/%Y %I:%M:%S %p", "America/New_York", "12/25/2013 12:00:00 AM", "2013-12-25T05:00:00Z"),
            ("rfc3339", "UTC", "2026-03-06T15:00:00.9+03:00", "2026-03-06T12:00:00Z"),
            ("unix", "UTC", "1457625600.75", "2016-03-10T16:00:00Z"),
        ];
        for (format, zone, text, instant) in cases {
            assert_eq!(stamp(format, zone, false).read(text).unwrap().at.to_string(), instant, "{text}");
        }
    }

    #[test]
    fn gaps_and_repeats_take_the_first_instant() {
        let new_york = stamp("%Y-%m-%d %H:%M:%S", "America/New_York", false);
        assert_eq!(new_york.read("2011-03-13 02:30:00").unwrap().at.to_string(), "2011-03-13T07:00:00Z");
        assert_eq!(new_york.read("2011-11-06 01:30:00").unwrap().at.to_string(), "2011-11-06T05:30:00Z");
    }

    #[test]
    fn a_double_conversion_is_undone() {
        // Boston's export: 08:30 local was taken for UTC and written as 04:30 (summer) or 03:30 (winter).
        let boston = stamp("%Y-%m-%d %H:%M:%S", "America/New_York", true);
        assert_eq!(boston.read("2019-09-05 04:30:00").unwrap().at.to_string(), "2019-09-05T12:30:00Z");
        assert_eq!(boston.read("2019-01-15 03:30:00").unwrap().at.to_string(), "2019-01-15T13:30:00Z");
    }

    #[test]
    fn a_format_must_give_a_whole_date_and_time() {
        for (format, why) in
            [("%d/%m %H:%M", "must give"), ("%Y-%m-%d", "must give"), ("%Y %Q", "unknown % code")]
        {
            let error = Format::new(format).unwrap_err();
            assert!(error.message().contains(why), "{format}: {error}");
        }
    }
}
