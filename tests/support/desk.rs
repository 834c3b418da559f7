//! A small desk for tests of what is said on it: its policy, its time, and dice that fall the same at every run.

use slaclock::{Instant, Policy};

pub(crate) fn policy() -> Policy {
    Policy::from_toml(
        r#"
        [policy]
        name = "care"
        version = 1
        statement = "Handled within eight working hours."

        [calendar.office]
        zone = "Europe/Moscow"
        hours = { mon-fri = "09:00-18:00" }

        [[clock]]
        name = "resolution"
        start = "received"
        stop = "resolved"
        target = { working = "8h" }
    "#,
    )
    .unwrap()
}

/// Monday, 2 March 2026, 10:00 in Moscow.
pub(crate) fn at(secs: i64) -> Instant {
    Instant::from_secs(1_772_434_800 + secs).unwrap()
}

pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    pub(crate) fn of<'a>(&mut self, names: &[&'a str]) -> &'a str {
        names[self.roll(names.len())]
    }
}
