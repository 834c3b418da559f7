//! Random calendars, thick with everything near the instants that will be asked.

use chrono::{Datelike, NaiveDate, Weekday};
use slaclock::calendar::{CalendarSpec, Closure, DateRule, Exception, ExtraDay, Holiday, Hours, Observed};
use slaclock::time::TimeOfDay;

use super::zones::ReferenceZone;

/// A small generator of its own, so that a seed means the same for ever.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 up to, not including, `end`.
    pub(crate) fn below(&mut self, end: i64) -> i64 {
        (self.next() % end as u64) as i64
    }

    pub(crate) fn one_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }

    /// A number from 0 to `most`, often at an end or a whole hour.
    pub(crate) fn amount(&mut self, most: i64) -> i64 {
        match self.below(6) {
            0 => 0,
            1 => most,
            2 => most.min(1),
            3 => most / 3_600 * 3_600,
            _ => self.below(most + 1),
        }
    }
}

/// A calendar in this zone whose lists name dates near the given instants.
pub(crate) fn calendar_near(
    random: &mut Random,
    zone: &ReferenceZone,
    centers: &[i64],
    by_second: bool,
) -> CalendarSpec {
    let mut spec = CalendarSpec::new("random", zone.name);
    spec.week = week(random, by_second);
    for &center in centers {
        for _ in 0..random.below(4) {
            let on = rule(random, zone, center);
            let observed =
                [Observed::SameDate, Observed::SundayToMonday, Observed::Nearest, Observed::Monday]
                    [random.below(4) as usize];
            spec.holidays.push(Holiday { on, name: None, observed });
        }
        if random.one_in(3) {
            spec.not_holidays.push(date_near(random, zone, center));
        }
        for _ in 0..random.below(4) {
            let on = rule(random, zone, center);
            let stretch = stretch(random, by_second);
            let (from, to) = if stretch.closes > stretch.opens {
                (stretch.opens, stretch.closes)
            } else {
                (stretch.opens, TimeOfDay::END)
            };
            spec.closures.push(Closure { on, from, to, name: None });
        }
        if random.one_in(2) {
            let (a, b) = (date_near(random, zone, center), date_near(random, zone, center));
            let week = if random.one_in(4) { Default::default() } else { week(random, by_second) };
            spec.exceptions.push(Exception { first: a.min(b), last: a.max(b), week, name: None });
        }
        if random.one_in(2) {
            let date = date_near(random, zone, center);
            if spec.extra_days.iter().all(|extra| extra.date != date) {
                spec.extra_days.push(ExtraDay { date, hours: vec![stretch(random, by_second)] });
            }
        }
    }
    spec
}

fn date_near(random: &mut Random, zone: &ReferenceZone, center: i64) -> NaiveDate {
    let civil = zone.civil(center) + (random.below(7) - 3) * 86_400;
    // The last date of the range at most: lists may not name others.
    chrono::DateTime::from_timestamp(civil.clamp(0, super::zones::RANGE_END - 1), 0).unwrap().date_naive()
}

fn rule(random: &mut Random, zone: &ReferenceZone, center: i64) -> DateRule {
    let date = date_near(random, zone, center);
    match random.below(7) {
        0 => {
            let other = date_near(random, zone, center);
            DateRule::Between(date.min(other), date.max(other))
        }
        1 => DateRule::Yearly { month: date.month(), day: date.day() },
        2 => {
            let other = date_near(random, zone, center);
            let (first, last) = (date.min(other), date.max(other));
            DateRule::YearlyBetween { first: (first.month(), first.day()), last: (last.month(), last.day()) }
        }
        3 => {
            let nth = (date.day() as i32 - 1) / 7 + 1;
            let offset_days = random.below(3) as i32 - 1;
            DateRule::NthWeekday { month: date.month(), nth, weekday: date.weekday(), offset_days }
        }
        4 => DateRule::NthWeekday {
            month: date.month(),
            nth: -1 - random.below(5) as i32,
            weekday: Weekday::try_from(random.below(7) as u8).unwrap(),
            offset_days: 0,
        },
        _ => DateRule::On(date),
    }
}

fn week(random: &mut Random, by_second: bool) -> [Vec<Hours>; 7] {
    let every_day = |hours: &[(u32, u32)], days: usize| -> [Vec<Hours>; 7] {
        std::array::from_fn(|weekday| {
            let list = if weekday < days { hours } else { &[] };
            list.iter().map(|&(opens, closes)| hours_of(opens, closes)).collect()
        })
    };
    match random.below(8) {
        0 => every_day(&[(0, 1_440)], 7),
        1 => every_day(&[(0, 1_440)], 5),
        2 => every_day(&[(540, 720), (780, 1_080)], 5),
        3 => every_day(&[(1_320, 360)], 5),
        4 => every_day(&[(60, 120), (120, 150), (180, 1_435)], 7),
        5 => every_day(&[(540, 540)], 7),
        _ => scattered_week(random, by_second),
    }
}

/// Stretches one after the other through the week, the last perhaps over Sunday's midnight.
fn scattered_week(random: &mut Random, by_second: bool) -> [Vec<Hours>; 7] {
    let mut week: [Vec<Hours>; 7] = Default::default();
    const WEEK_S: i64 = 7 * 86_400;
    let unit = if by_second { 1 } else { 60 };
    let first = random.below(86_400) / unit * unit;
    let mut at = first;
    while at < WEEK_S {
        let length = match random.below(5) {
            0 => 1_800,
            1 => 86_400,
            _ => unit + random.below(12 * 3_600) / unit * unit,
        };
        // The last one must not run into the week's first.
        let length = length.min(WEEK_S + first - at);
        let (opens, closes) = (at % 86_400, (at + length) % 86_400);
        let closes = if closes == 0 && random.one_in(2) { 86_400 } else { closes };
        // Twenty-four hours from midnight have both spellings too.
        week[(at / 86_400) as usize].push(Hours {
            opens: TimeOfDay::from_secs(opens as u32).unwrap(),
            closes: TimeOfDay::from_secs(closes as u32).unwrap(),
        });
        let gap = if random.one_in(4) { 0 } else { random.below(20 * 3_600) / unit * unit };
        at += length + gap;
    }
    week
}

/// Often at the hours at which clocks are set.
fn stretch(random: &mut Random, by_second: bool) -> Hours {
    let time = |random: &mut Random| {
        let usual = [0, 30, 60, 90, 120, 150, 180, 540, 1_080, 1_380];
        let minutes =
            if random.one_in(3) { random.below(1_440) as u32 } else { usual[random.below(10) as usize] };
        let seconds = if by_second { random.below(60) as u32 } else { 0 };
        minutes * 60 + seconds
    };
    let (opens, closes) = (time(random), time(random));
    Hours { opens: TimeOfDay::from_secs(opens).unwrap(), closes: TimeOfDay::from_secs(closes).unwrap() }
}

fn hours_of(opens_min: u32, closes_min: u32) -> Hours {
    Hours {
        opens: TimeOfDay::from_secs(opens_min * 60).unwrap(),
        closes: TimeOfDay::from_secs(closes_min * 60).unwrap(),
    }
}
