//! The fixed rows: one per request, one per clock. Read in place, rewritten when they change.
//!
//! All integers little-endian; `NONE` (all ones) stands for an instant that is not there.

use crate::error::{Error, ErrorKind, Result};
use crate::time::Instant;

/// No instant, no pointer.
pub(crate) const NONE: u32 = u32::MAX;

/// What is known of a request without its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestRow {
    /// When it was received.
    pub(crate) received_at: u32,
    /// Its latest event's instant.
    pub(crate) last_event_at: u32,
    /// The edition of the policy it is pinned to.
    pub(crate) policy: u32,
    /// Slot of its first clock; the others follow.
    pub(crate) first_clock: u32,
    /// Number of clocks of its policy.
    pub(crate) clocks: u8,
    /// Number of its events, the receipt not counted.
    pub(crate) events: u32,
    /// Block and offset of its newest sealed group of events, or `NO_EVENTS`.
    pub(crate) newest_events: u64,
}

/// No sealed events.
pub(crate) const NO_EVENTS: u64 = u64::MAX;

impl RequestRow {
    /// Bytes of a row.
    pub(crate) const SIZE: usize = 32;

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes());
    }

    #[inline]
    pub(crate) fn bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let words = [self.received_at, self.last_event_at, self.policy, self.first_clock, self.events];
        for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
        bytes[20..28].copy_from_slice(&self.newest_events.to_le_bytes());
        bytes[28] = self.clocks;
        bytes
    }

    pub(crate) fn read(bytes: &[u8; Self::SIZE]) -> Result<RequestRow> {
        let word = |at: usize| le32(bytes, at);
        let row = RequestRow {
            received_at: word(0),
            last_event_at: word(4),
            policy: word(8),
            first_clock: word(12),
            events: word(16),
            newest_events: u64::from(word(20)) | u64::from(word(24)) << 32,
            clocks: bytes[28],
        };
        match (Instant::from_raw(row.received_at), Instant::from_raw(row.last_event_at), &bytes[29..]) {
            (Some(_), Some(_), [0, 0, 0]) => Ok(row),
            _ => Err(Error::new(ErrorKind::Damaged, "request row: impossible instants or padding")),
        }
    }
}

/// How far a clock's latest cycle has come, as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum PhaseCode {
    /// Has never started.
    Unstarted = 0,
    Running = 1,
    Paused = 2,
    NoDeadline = 3,
    Met = 4,
    Missed = 5,
    Cancelled = 6,
    Finished = 7,
}

impl PhaseCode {
    pub(crate) const COUNT: usize = 8;

    fn read(code: u8) -> Option<PhaseCode> {
        use PhaseCode::{Cancelled, Finished, Met, Missed, NoDeadline, Paused, Running, Unstarted};
        [Unstarted, Running, Paused, NoDeadline, Met, Missed, Cancelled, Finished]
            .into_iter()
            .find(|phase| *phase as u8 == code)
    }
}

/// The latest cycle of one clock of one request, and how its earlier cycles ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockRow {
    /// Slot of the request.
    pub(crate) request: u32,
    /// Index of the clock in its policy.
    pub(crate) clock: u8,
    pub(crate) phase: PhaseCode,
    /// See the `FLAG_` constants.
    pub(crate) flags: u8,
    /// `NoDeadline` as a number, 0 for none.
    pub(crate) reason: u8,
    /// Number of the latest cycle, 0 if it never started.
    pub(crate) cycle: u16,
    /// Index of the rule in the clock, all ones for none.
    pub(crate) rule: u16,
    pub(crate) started_at: u32,
    pub(crate) due: u32,
    pub(crate) limit: u32,
    /// The first warning instant.
    pub(crate) warn: u32,
    /// When it finished, or since when it is paused.
    pub(crate) at: u32,
    /// What was left when it was paused, in seconds of the target's own time.
    pub(crate) remaining: u32,
    /// Cycles met, this one included.
    pub(crate) met: u16,
    /// Cycles missed, this one included.
    pub(crate) missed: u16,
}

/// The cycle starts at `started_at` only if nothing happens before.
pub(crate) const FLAG_ARMED: u8 = 1;
/// The policy counts past the last date up to which the calendar's holidays are known.
pub(crate) const FLAG_BEYOND_HOLIDAYS: u8 = 2;
/// Late by a change of facts, not by the passing of time.
pub(crate) const FLAG_BY_CHANGE: u8 = 4;
/// There is a second tier, so that due passing makes it late and not yet breached, even where the limit is never reached.
pub(crate) const FLAG_BACKSTOP: u8 = 8;
/// The limit was put into the past by a change of facts.
pub(crate) const FLAG_LIMIT_BY_CHANGE: u8 = 16;
/// Somebody excused the miss.
pub(crate) const FLAG_WAIVED: u8 = 32;

impl ClockRow {
    /// Bytes of a row.
    pub(crate) const SIZE: usize = 40;

    /// A clock that has not started.
    #[inline]
    pub(crate) fn unstarted(request: u32, clock: u8) -> ClockRow {
        ClockRow {
            request,
            clock,
            phase: PhaseCode::Unstarted,
            flags: 0,
            reason: 0,
            cycle: 0,
            rule: u16::MAX,
            started_at: NONE,
            due: NONE,
            limit: NONE,
            warn: NONE,
            at: NONE,
            remaining: 0,
            met: 0,
            missed: 0,
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes());
    }

    #[inline]
    pub(crate) fn bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..4].copy_from_slice(&self.request.to_le_bytes());
        bytes[4..8].copy_from_slice(&[self.clock, self.phase as u8, self.flags, self.reason]);
        let halves = [self.cycle, self.rule, self.met, self.missed];
        for (place, half) in bytes[8..].as_chunks_mut().0.iter_mut().zip(halves) {
            *place = half.to_le_bytes();
        }
        let words = [self.started_at, self.due, self.limit, self.warn, self.at, self.remaining];
        for (place, word) in bytes[16..].as_chunks_mut().0.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
        bytes
    }

    pub(crate) fn read(bytes: &[u8; Self::SIZE]) -> Result<ClockRow> {
        let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let phase = PhaseCode::read(bytes[5]).ok_or_else(|| {
            Error::new(ErrorKind::Damaged, format!("clock row: there is no phase {}", bytes[5]))
        })?;
        let row = ClockRow {
            request: le32(bytes, 0),
            clock: bytes[4],
            phase,
            flags: bytes[6],
            reason: bytes[7],
            cycle: half(8),
            rule: half(10),
            met: half(12),
            missed: half(14),
            started_at: le32(bytes, 16),
            due: le32(bytes, 20),
            limit: le32(bytes, 24),
            warn: le32(bytes, 28),
            at: le32(bytes, 32),
            remaining: le32(bytes, 36),
        };
        let instants = [row.started_at, row.due, row.limit, row.warn, row.at];
        if instants.iter().any(|raw| *raw != NONE && Instant::from_raw(*raw).is_none()) {
            return Err(Error::new(ErrorKind::Damaged, "clock row: an instant lies outside 1970 to 2099"));
        }
        Ok(row)
    }

    /// Whether no event has finished it.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, PhaseCode::Running | PhaseCode::Paused | PhaseCode::NoDeadline)
    }

    /// An instant of the row.
    pub(crate) fn instant(raw: u32) -> Option<Instant> {
        Instant::from_raw(raw)
    }
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Row `index` of a packed block of `SIZE`-byte rows.
pub(crate) fn row_at<const SIZE: usize>(block: &[u8], index: usize) -> Result<&[u8; SIZE]> {
    index
        .checked_mul(SIZE)
        .and_then(|from| block.get(from..from + SIZE))
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Damaged,
                format!("row {index} of a block of {} rows does not exist", block.len() / SIZE),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_rows_are_pinned() {
        let row = RequestRow {
            received_at: 0x0102_0304,
            last_event_at: 0x0506_0708,
            policy: 9,
            first_clock: 10,
            clocks: 3,
            events: 11,
            newest_events: 0x0000_0001_0000_0002,
        };
        let mut bytes = Vec::new();
        row.write(&mut bytes);
        let expected: [u8; RequestRow::SIZE] = [
            4, 3, 2, 1, 8, 7, 6, 5, 9, 0, 0, 0, 10, 0, 0, 0, 11, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0,
        ];
        assert_eq!(bytes, expected);
        assert_eq!(RequestRow::read(&expected).unwrap(), row);
    }

    #[test]
    fn clock_rows_are_pinned() {
        let row = ClockRow {
            phase: PhaseCode::Paused,
            flags: FLAG_BY_CHANGE,
            cycle: 2,
            rule: 1,
            started_at: 100,
            at: 0x0201,
            remaining: 60,
            met: 1,
            ..ClockRow::unstarted(7, 1)
        };
        let mut bytes = Vec::new();
        row.write(&mut bytes);
        let expected: [u8; ClockRow::SIZE] = [
            7, 0, 0, 0, 1, 2, 4, 0, 2, 0, 1, 0, 1, 0, 0, 0, 100, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255,
            255, 255, 255, 255, 255, 1, 2, 0, 0, 60, 0, 0, 0,
        ];
        assert_eq!(bytes, expected);
        assert_eq!(ClockRow::read(&expected).unwrap(), row);
    }

    #[test]
    fn impossible_rows_are_damage() {
        let mut bytes = Vec::new();
        ClockRow::unstarted(0, 0).write(&mut bytes);
        let mut bytes: [u8; ClockRow::SIZE] = bytes.try_into().unwrap();
        bytes[5] = 99;
        assert_eq!(ClockRow::read(&bytes).unwrap_err().kind(), ErrorKind::Damaged);
        bytes[5] = 1;
        bytes[20..24].copy_from_slice(&4_102_444_800_u32.to_le_bytes());
        assert_eq!(ClockRow::read(&bytes).unwrap_err().kind(), ErrorKind::Damaged);
        assert!(row_at::<{ ClockRow::SIZE }>(&bytes, 1).is_err());
    }
}
