//! Random lives of requests under one policy that has every kind of clock.

use std::collections::BTreeMap;

use slaclock::model::{Event, EventKind, EventTag, Request};
use slaclock::policy::Policy;
use slaclock::time::{Instant, Span};

/// The clocks that `simulator.rs` simulates, in its order.
pub(crate) fn policy() -> Policy {
    Policy::from_toml(
        r#"
        [policy]
        name = "everything"
        version = 1

        [calendar.office]
        zone = "UTC"
        hours = { mon-fri = "09:00-17:00" }

        [calendar.vendor]
        zone = "UTC"
        hours = { mon-sun = "00:00-08:00" }

        [[clock]]
        name = "resolution"
        calendar = "office"
        start = "received"
        stop = "resolved"
        pause = ["waiting_customer"]
        [[clock.rules]]
        when = { priority = "high" }
        target = { working = "6h" }
        backstop = { working_days = 2 }
        warn_at = "50 %"
        [[clock.rules]]
        when = { priority = "medium" }
        target = [{ received_before = "14:00", due = "same day, close" }, { due = "next day, 11:00" }]
        backstop = { elapsed = "60h" }
        [[clock.rules]]
        when = { priority = "low" }
        target = { elapsed = "20h" }
        [[clock.rules]]
        when = { priority = "none" }
        target = "none"

        [[clock]]
        name = "first_response"
        calendar = "office"
        start = "received"
        stop = ["replied", "resolved"]
        pause = ["waiting_customer", "waiting_vendor"]
        reopen = "none"
        target = { working = "2h" }

        [[clock]]
        name = "next_response"
        calendar = "office"
        start = "customer_replied"
        stop = ["replied", "resolved"]
        pause = ["waiting_vendor"]
        target = { working = "3h" }

        [[clock]]
        name = "update"
        calendar = "office"
        start = "resolution.late"
        restart = "updated"
        stop = "resolved"
        pause = ["waiting_vendor"]
        target = { working_days = 1, at = "same time" }

        [[clock]]
        name = "vendor"
        calendar = "vendor"
        start = "vendor_contacted"
        stop = ["vendor_replied", "resolved"]
        target = { working = "4h" }

        [[clock]]
        name = "call_back"
        calendar = "office"
        start = "promised"
        stop = ["replied", "resolved"]
        pause = ["waiting_customer"]
        target = "promised"

        [[clock]]
        name = "escalation"
        calendar = "office"
        start = "resolution.breached"
        stop = "resolved"
        pause = ["waiting_vendor"]
        target = { calendar_days = 1, at = "12:00" }

        [[clock]]
        name = "assignment"
        calendar = "office"
        start = "received"
        stop = ["assigned", "resolved"]
        pause = ["waiting_customer"]
        receipt = [{ outside = "hours", counts_as = "next opening" }]
        target = { elapsed = "4h" }
        "#,
    )
    .unwrap()
}

/// A small generator of random numbers, so that a seed names a life.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) % u64::from(limit.max(1))) as u32
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u32 + 1) as usize);
        }
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u32) as usize]
    }

    /// Any instant, the first and the last more often than others.
    pub(crate) fn instant(&mut self) -> Instant {
        match self.below(5) {
            0 => Instant::MIN,
            1 => Instant::MAX,
            _ => Instant::from_secs(i64::from(self.below(4_102_444)) * 1_000).unwrap(),
        }
    }
}

/// Ten minutes, the grid of all events: two steps of the simulator, so that half of every target is a step.
const GRID_S: i64 = 600;
/// Monday 2026-03-02 00:00 UTC.
const MONDAY_S: i64 = 1_772_409_600;

pub(crate) fn request(dice: &mut Dice) -> Request {
    let at = MONDAY_S + i64::from(dice.below(7 * 144)) * GRID_S;
    Request::new("CASE-1", Instant::from_secs(at).unwrap()).priority(dice.pick(&PRIORITIES))
}

const PRIORITIES: [&str; 6] = ["high", "high", "medium", "medium", "low", "none"];

/// Up to twenty events in the days after the receipt, in order; some in the same second.
pub(crate) fn life(dice: &mut Dice, received_at: Instant) -> Vec<Event> {
    let mut at = received_at;
    let busy = [6, 30, 120, 200][dice.below(4) as usize];
    (0..dice.below(20))
        .map(|_| {
            if dice.below(6) > 0 {
                at = at.checked_add(Span::from_secs(i64::from(dice.below(busy)) * GRID_S)).unwrap();
            }
            Event::new(kind(dice, at), at)
        })
        .collect()
}

fn kind(dice: &mut Dice, at: Instant) -> EventKind {
    match dice.below(28) {
        0..=4 => {
            EventKind::Paused { reason: dice.pick(&["waiting_customer", "waiting_vendor", "lunch"]).into() }
        }
        5..=8 => EventKind::Resumed,
        9..=11 => {
            let value = dice.pick(&["high", "medium", "low", "none", "unheard_of", ""]);
            EventKind::Changed { facts: BTreeMap::from([("priority".to_owned(), value.to_owned())]) }
        }
        12..=14 => EventKind::Resolved,
        15..=17 => EventKind::Reopened,
        18 => EventKind::Cancelled,
        19 => EventKind::Replied,
        20..=21 => EventKind::CustomerReplied,
        22 => EventKind::Updated,
        23 => EventKind::VendorContacted { vendor: "acme".into() },
        24 => EventKind::VendorReplied { vendor: "acme".into() },
        25 => {
            let later = i64::from(1 + dice.below(200)) * GRID_S;
            EventKind::Promised { due: at.checked_add(Span::from_secs(later)).unwrap() }
        }
        26 => EventKind::Assigned { to: "ann".into() },
        _ => EventKind::Note,
    }
}

/// Events of every kind at any instants in any order, promises in the past among them.
pub(crate) fn wild_life(dice: &mut Dice) -> Vec<Event> {
    (0..dice.below(40))
        .map(|_| {
            let at = dice.instant();
            let kind = match dice.below(10) {
                0 => EventKind::Promised { due: dice.instant() },
                1 => EventKind::Received,
                2 => EventKind::Changed { facts: BTreeMap::new() },
                3 => EventKind::Paused { reason: String::new() },
                _ => kind(dice, Instant::MIN),
            };
            Event::new(kind, at)
        })
        .collect()
}

/// The events up to `now`, one on a line.
pub(crate) fn told(events: &[Event], now: Instant) -> String {
    let known = events.iter().filter(|event| event.at <= now);
    let lines = known.map(|event| match event.kind.tag() {
        EventTag::Paused | EventTag::Changed | EventTag::Promised => format!("{} {:?}", event.at, event.kind),
        tag => format!("{} {}", event.at, tag.word()),
    });
    lines.collect::<Vec<_>>().join("\n")
}
