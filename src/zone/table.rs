//! A zone as a sorted table of stretches of constant offset, and the conversions both ways.

use chrono::{DateTime, NaiveDateTime};

use crate::time::Instant;

/// 1969-01-01T00:00:00Z and 2101-01-01T00:00:00Z: the zone is exact between them.
const FIRST_S: i64 = -31_536_000;
const LAST_S: i64 = 4_133_980_800;
/// The index has one entry for each 2^22 s (48.5 days).
const BUCKET_SHIFT: u32 = 22;

/// Which occurrence a civil time means that comes twice, as the clock is set back.
///
/// A civil time that is left out, as the clock is set forward, is the instant of that change for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The first: openings, cut-offs, due times.
    Open,
    /// The second: closings.
    Close,
}

/// From an instant on, one offset and one abbreviation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) from: i64,
    pub(super) offset_s: i32,
    pub(super) abbreviation: Box<str>,
}

/// The civil time of one place, exact for all supported instants.
#[derive(Clone, Debug)]
pub struct Zone {
    name: Box<str>,
    /// The TZif data it was read from; empty for [`Zone::utc`].
    data: Box<[u8]>,
    /// Starts of the segments, rising; the first is `i64::MIN`.
    from: Vec<i64>,
    offsets_s: Vec<i32>,
    abbreviations: Vec<Box<str>>,
    /// For each bucket of time the segment in which it begins.
    index: Vec<u16>,
}

impl Zone {
    /// Coordinated universal time, without any data.
    pub fn utc() -> Zone {
        let only = Segment { from: i64::MIN, offset_s: 0, abbreviation: "UTC".into() };
        Zone::build("UTC", vec![only])
    }

    /// `None` unless the segments begin with `i64::MIN` and rise. Segments that change nothing are left out, and
    /// those outside 1969 to 2100 too.
    pub(super) fn new(name: &str, segments: Vec<Segment>) -> Option<Zone> {
        if segments.first()?.from != i64::MIN || !segments.is_sorted_by(|a, b| a.from < b.from) {
            return None;
        }
        let mut kept: Vec<Segment> = Vec::with_capacity(segments.len());
        for mut segment in segments {
            match kept.last() {
                Some(last)
                    if last.offset_s == segment.offset_s && last.abbreviation == segment.abbreviation => {}
                Some(_) if segment.from <= FIRST_S => {
                    segment.from = i64::MIN;
                    kept = vec![segment];
                }
                Some(_) if segment.from > LAST_S => break,
                _ => kept.push(segment),
            }
        }
        if kept.len() > usize::from(u16::MAX) { None } else { Some(Zone::build(name, kept)) }
    }

    fn build(name: &str, segments: Vec<Segment>) -> Zone {
        let from: Vec<i64> = segments.iter().map(|segment| segment.from).collect();
        let buckets = (LAST_S - FIRST_S) >> BUCKET_SHIFT;
        let index = (0..=buckets)
            .map(|bucket| {
                let begin = FIRST_S + (bucket << BUCKET_SHIFT);
                (from.partition_point(|&from| from <= begin) - 1) as u16
            })
            .collect();
        Zone {
            name: name.into(),
            data: Box::default(),
            from,
            offsets_s: segments.iter().map(|segment| segment.offset_s).collect(),
            abbreviations: segments.into_iter().map(|segment| segment.abbreviation).collect(),
            index,
        }
    }

    /// The same zone with the data it was read from.
    pub(super) fn with_data(mut self, data: &[u8]) -> Zone {
        self.data = data.into();
        self
    }

    /// The TZif data it was read from, so that the very same zone can be read again later.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Its name in the time zone data, such as `Europe/Moscow`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seconds east of UTC at `t`.
    pub fn offset_at(&self, t: Instant) -> i32 {
        self.offset_at_secs(t.as_secs())
    }

    /// The first instant after `t` from which on the offset or the abbreviation is another; `None` if they stay to the end of
    /// 2099.
    ///
    /// ```
    /// # use slaclock::{Instant, zone::TzData};
    /// let new_york = TzData::bundled().zone("America/New_York")?;
    /// let spring = new_york.steady_until(Instant::parse("2026-03-06T15:00:00Z")?);
    /// assert_eq!(spring, Some(Instant::parse("2026-03-08T07:00:00Z")?));
    /// # Ok::<(), slaclock::Error>(())
    /// ```
    pub fn steady_until(&self, t: Instant) -> Option<Instant> {
        Instant::checked(self.end_of(self.segment_at(t.as_secs())))
    }

    /// The abbreviation in use at `t`, such as `MSK` or `+03`.
    pub fn abbreviation_at(&self, t: Instant) -> &str {
        self.abbreviations.get(self.segment_at(t.as_secs())).map_or("", |text| text)
    }

    /// The civil date and time at `t`.
    pub fn local(&self, t: Instant) -> NaiveDateTime {
        DateTime::from_timestamp(self.local_secs(t.as_secs()), 0).unwrap_or_default().naive_utc()
    }

    /// The instant of a civil date and time, as seconds since 1970-01-01T00:00:00Z, which may lie outside the
    /// supported range.
    ///
    /// A civil time in a gap is the instant of the change; one that comes twice is the first occurrence for
    /// [`Edge::Open`] and the second for [`Edge::Close`].
    pub fn from_local(&self, civil: NaiveDateTime, edge: Edge) -> i64 {
        self.utc_of_civil_secs(civil.and_utc().timestamp(), edge)
    }

    /// The civil time at `t`, both in seconds since the midnight that began 1970-01-01.
    pub(crate) fn local_secs(&self, t: i64) -> i64 {
        t + i64::from(self.offset_at_secs(t))
    }

    /// As [`Zone::from_local`]; the civil time in seconds since the midnight that began 1970-01-01.
    pub(crate) fn utc_of_civil_secs(&self, civil: i64, edge: Edge) -> i64 {
        // No offset reaches 26 hours, so the right segment is one of the few near here.
        match edge {
            Edge::Open => {
                let mut at = self.segment_at(civil - 26 * 3600);
                while civil - self.offset_of(at) >= self.end_of(at) {
                    at += 1;
                }
                (civil - self.offset_of(at)).max(self.begin_of(at))
            }
            Edge::Close => {
                let mut at = self.segment_at(civil + 26 * 3600);
                while civil - self.offset_of(at) < self.begin_of(at) {
                    at -= 1;
                }
                (civil - self.offset_of(at)).min(self.end_of(at))
            }
        }
    }

    /// The offset at `t`, and the first instant after `t` at which there may be another.
    pub(crate) fn offset_until(&self, t: i64) -> (i64, i64) {
        let at = self.segment_at(t);
        (self.offset_of(at), self.end_of(at))
    }

    /// As [`Zone::utc_of_civil_secs`] for [`Edge::Open`]; with it whether the instant moves along as the civil time
    /// grows, and for how many seconds it goes on as it does.
    pub(crate) fn first_utc_of_civil(&self, civil: i64) -> (i64, bool, i64) {
        let mut at = self.segment_at(civil - 26 * 3600);
        while civil - self.offset_of(at) >= self.end_of(at) {
            at += 1;
        }
        let (utc, begin) = (civil - self.offset_of(at), self.begin_of(at));
        if utc >= begin {
            (utc, true, self.end_of(at).saturating_sub(utc))
        } else {
            (begin, false, begin - utc)
        }
    }

    pub(crate) fn offset_at_secs(&self, t: i64) -> i32 {
        self.offsets_s.get(self.segment_at(t)).copied().unwrap_or(0)
    }

    fn segment_at(&self, t: i64) -> usize {
        let bucket = ((t - FIRST_S) >> BUCKET_SHIFT).clamp(0, self.index.len() as i64 - 1) as usize;
        let mut at = if t < FIRST_S { 0 } else { usize::from(self.index[bucket]) };
        while at + 1 < self.from.len() && self.from[at + 1] <= t {
            at += 1;
        }
        at
    }

    fn begin_of(&self, at: usize) -> i64 {
        self.from[at]
    }

    fn end_of(&self, at: usize) -> i64 {
        self.from.get(at + 1).copied().unwrap_or(i64::MAX)
    }

    fn offset_of(&self, at: usize) -> i64 {
        i64::from(self.offsets_s[at])
    }
}
