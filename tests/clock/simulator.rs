//! A slow life: time passes in steps of five minutes, meters count them, and deadlines are where a meter is full.
//! It shares no code and no idea with the library but the meaning of the words.

use std::fmt;

use slaclock::clock::Stage;
use slaclock::model::{Event, EventKind, Request};
use slaclock::time::Instant;

/// One step.
pub(crate) const TICK_S: i64 = 300;
/// Clocks of the policy in `lives.rs`.
pub(crate) const CLOCKS: usize = 8;
const DAY: i64 = 288;
const HOUR: i64 = 12;

/// A cycle in the words of both sides; instants in steps since 1970.
pub(crate) struct Line {
    pub(crate) clock: usize,
    pub(crate) number: u32,
    pub(crate) started: i64,
    pub(crate) phase: &'static str,
    pub(crate) at: Option<i64>,
    pub(crate) remaining: Option<i64>,
    pub(crate) due: Option<i64>,
    pub(crate) limit: Option<i64>,
    pub(crate) late_by_change: Option<i64>,
    pub(crate) limit_by_change: Option<i64>,
    pub(crate) stage: Stage,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line { clock, number, started, phase, at, remaining, due, limit, stage, .. } = self;
        write!(
            f,
            "{clock}#{number} from {started}: {phase} {at:?} left {remaining:?} due {due:?} limit {limit:?}"
        )?;
        write!(f, " by change {:?} {:?}, {stage:?}", self.late_by_change, self.limit_by_change)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Hours {
    Office,
    Vendor,
    Always,
}

/// Whether the step that begins at `t` is working time.
fn open(hours: Hours, t: i64) -> bool {
    // 1970-01-01 was a Thursday; 0 is Monday here.
    let weekday = (t.div_euclid(DAY) + 3).rem_euclid(7);
    let time = t.rem_euclid(DAY);
    match hours {
        Hours::Office => weekday < 5 && (9 * HOUR..17 * HOUR).contains(&time),
        Hours::Vendor => time < 8 * HOUR,
        Hours::Always => true,
    }
}

fn office_day(day: i64) -> bool {
    (day + 3).rem_euclid(7) < 5
}

fn nth_office_day(mut day: i64, count: i64) -> i64 {
    let mut found = 0;
    while found < count {
        day += 1;
        found += i64::from(office_day(day));
    }
    day
}

/// What fills a meter.
#[derive(Clone, Copy)]
enum Need {
    /// So many steps of its hours.
    Steps(i64),
    /// This instant, and as many steps of its hours after it as it stood still before.
    Until(i64),
}

#[derive(Clone, Copy)]
struct Meter {
    need: Need,
    hours: Hours,
    from: i64,
    used: i64,
    owed: i64,
    full_at: Option<i64>,
}

impl Meter {
    fn new(need: Need, hours: Hours, from: i64) -> Meter {
        Meter { need, hours, from, used: 0, owed: 0, full_at: None }
    }

    fn step(&mut self, t: i64, still: bool) {
        if t < self.from || !open(self.hours, t) {
            return;
        }
        match self.need {
            Need::Steps(_) => self.used += i64::from(!still),
            Need::Until(instant) if t < instant => self.owed += i64::from(still),
            Need::Until(_) => self.owed -= i64::from(!still && self.owed > 0),
        }
    }

    fn full(&self, t: i64) -> bool {
        match self.need {
            Need::Steps(steps) => self.used >= steps,
            Need::Until(instant) => t >= instant && self.owed == 0,
        }
    }
}

/// A target and its backstop under one rule.
#[derive(Clone)]
struct Track {
    due: Meter,
    limit: Option<Meter>,
    still: bool,
}

impl Track {
    fn step(&mut self, t: i64) {
        self.due.step(t, self.still);
        if let Some(limit) = &mut self.limit {
            limit.step(t, self.still);
        }
    }

    fn mark(&mut self, t: i64) {
        if self.still {
            return;
        }
        if self.due.full_at.is_none() && self.due.full(t) {
            self.due.full_at = Some(t);
        }
        if let Some(limit) = &mut self.limit
            && self.due.full_at.is_some()
            && limit.full_at.is_none()
            && limit.full(t)
        {
            limit.full_at = Some(t);
        }
    }

    fn unmark_from(&mut self, t: i64) {
        for meter in std::iter::once(&mut self.due).chain(&mut self.limit) {
            meter.full_at = meter.full_at.filter(|at| *at < t);
        }
    }

    fn stand(&mut self, t: i64) {
        self.still = true;
        self.unmark_from(t);
    }

    /// When it will be due and at its limit if nothing happens from `t` on.
    fn ahead(&self, t: i64) -> (Option<i64>, Option<i64>) {
        let mut track = self.clone();
        let mut at = t;
        track.mark(at);
        while at < t + 60 * DAY
            && (track.due.full_at.is_none() || track.limit.is_some_and(|l| l.full_at.is_none()))
        {
            track.step(at);
            at += 1;
            track.mark(at);
        }
        (track.due.full_at, track.limit.and_then(|limit| limit.full_at))
    }
}

fn track(clock: usize, rule: usize, from: i64, promised: i64) -> Option<Track> {
    let (day, time) = (from.div_euclid(DAY), from.rem_euclid(DAY));
    let opening = (from..).find(|t| open(Hours::Office, *t)).unwrap();
    let working = |steps, hours| Meter::new(Need::Steps(steps), hours, from);
    let until = |instant, hours| Meter::new(Need::Until(instant), hours, from);
    let (due, limit) = match (clock, rule) {
        (0, 0) => {
            let limit = until(nth_office_day(day, 2) * DAY + 17 * HOUR, Hours::Office);
            (working(6 * HOUR, Hours::Office), Some(limit))
        }
        (0, 1) => {
            let instant = if office_day(day) && time < 14 * HOUR {
                day * DAY + 17 * HOUR
            } else {
                nth_office_day(day, 1) * DAY + 11 * HOUR
            };
            (until(instant, Hours::Office), Some(working(60 * HOUR, Hours::Always)))
        }
        (0, 2) => (working(20 * HOUR, Hours::Always), None),
        (1, 0) => (working(2 * HOUR, Hours::Office), None),
        (2, 0) => (working(3 * HOUR, Hours::Office), None),
        (3, 0) => (until(nth_office_day(day, 1) * DAY + time, Hours::Office), None),
        (4, 0) => (working(4 * HOUR, Hours::Vendor), None),
        (5, 0) => (until(promised, Hours::Always), None),
        (6, 0) => (until((day + 1) * DAY + 12 * HOUR, Hours::Always), None),
        (7, 0) => (Meter::new(Need::Steps(4 * HOUR), Hours::Always, opening), None),
        _ => return None,
    };
    Some(Track { due, limit, still: false })
}

fn rules(clock: usize) -> usize {
    if clock == 0 { 4 } else { 1 }
}

fn rule_for(clock: usize, priority: &str) -> Option<usize> {
    if clock > 0 {
        return Some(0);
    }
    ["high", "medium", "low", "none"].iter().position(|known| *known == priority)
}

fn stands(clock: usize, hold: Option<&str>) -> bool {
    match hold {
        Some("waiting_customer") => [0, 1, 5, 7].contains(&clock),
        Some("waiting_vendor") => [1, 2, 3, 6].contains(&clock),
        _ => false,
    }
}

struct Cycle {
    number: u32,
    started: i64,
    armed: bool,
    armed_by_change: bool,
    rule: Option<usize>,
    late_by_change: Option<i64>,
    limit_by_change: Option<i64>,
    /// Due passed and then facts changed: the rule whose limit counts, `Some(None)` if nothing is promised.
    limit_from: Option<Option<usize>>,
    /// There was a backstop when due passed.
    had_backstop: bool,
    late_fired: bool,
    breach_fired: bool,
    end: Option<(i64, &'static str)>,
    end_due: Option<i64>,
    end_limit: Option<i64>,
}

struct Stop {
    from: i64,
    to: Option<i64>,
    counts: bool,
    settled: bool,
    /// The request was finished meanwhile.
    closed: bool,
}

/// A clock with its finished cycles and the meters of the current one.
struct Clock {
    index: usize,
    cycles: Vec<Cycle>,
    /// By rule, each standing still by its own due instant.
    tracks: Vec<Option<Track>>,
    /// Since the start that the target counts from: when it stood still, and whether that counts once due is settled.
    stops: Vec<Stop>,
    received: i64,
    spent: Option<Track>,
    /// Another rule's limit, after due had passed.
    limit_track: Option<Track>,
    /// Reopened after a miss: when, and whether the limit had passed too.
    gone: Option<(i64, bool)>,
    ended_by: &'static str,
    standing_since: Option<i64>,
}

impl Clock {
    fn open(&self) -> Option<&Cycle> {
        self.cycles.last().filter(|cycle| cycle.end.is_none())
    }

    fn every_track(&mut self) -> impl Iterator<Item = &mut Track> {
        self.tracks.iter_mut().flatten().chain(&mut self.spent).chain(&mut self.limit_track)
    }

    /// The meters that count for the cycle.
    fn current(&self) -> Option<&Track> {
        let cycle = self.cycles.last()?;
        let track = self.tracks.get(cycle.rule?)?.as_ref()?;
        Some(self.spent.as_ref().unwrap_or(track))
    }

    /// When due and limit come if nothing happens, seen from `t`.
    fn instants(&self, t: i64) -> (Option<i64>, Option<i64>) {
        let Some(track) = self.current() else { return (None, None) };
        if track.still {
            return (None, None);
        }
        let (due, limit) = track.ahead(t);
        let cycle = self.cycles.last().unwrap();
        match cycle.limit_from {
            None => (due, limit),
            Some(None) => (due, None),
            Some(Some(_)) => {
                let other = self.limit_track.as_ref().unwrap();
                // A rule without a second tier was broken when due passed.
                let limit = if other.limit.is_some() { other.ahead(t).1 } else { due };
                (due, limit.map(|limit| limit.max(due.unwrap())))
            }
        }
    }

    /// The meters of a rule, standing still only where that counts.
    fn settled_track(&self, rule: usize, now: i64) -> Option<Track> {
        let mut track = self.tracks[rule].as_ref()?.clone();
        track.still = false;
        for meter in std::iter::once(&mut track.due).chain(&mut track.limit) {
            *meter = Meter::new(meter.need, meter.hours, meter.from);
        }
        for t in self.received..=now {
            for stop in self.stops.iter().filter(|stop| stop.counts) {
                if stop.from == t {
                    track.stand(t);
                }
                if stop.to == Some(t) {
                    track.still = false;
                    if stop.closed {
                        track.unmark_from(i64::MIN);
                    }
                }
                track.mark(t);
            }
            track.mark(t);
            if t < now {
                track.step(t);
            }
        }
        Some(track)
    }

    /// The cycle's due instant is settled: of its stops those count that began no later.
    fn settle(&mut self, due: Option<i64>) {
        for stop in self.stops.iter_mut().filter(|stop| !stop.settled) {
            stop.settled = true;
            stop.counts = due.is_none_or(|due| stop.from <= due);
        }
    }

    fn backstop(&self) -> bool {
        let cycle = self.cycles.last().unwrap();
        match cycle.limit_from {
            Some(_) => cycle.had_backstop,
            None => self.current().is_some_and(|track| track.limit.is_some()),
        }
    }

    /// Due and limit as thresholds: the change's instant where a change put them into the past.
    fn thresholds(&self, t: i64) -> (Option<i64>, Option<i64>) {
        let cycle = self.cycles.last().unwrap();
        let (due, limit) = self.instants(t);
        let late = due.map(|due| cycle.late_by_change.unwrap_or(due));
        let breach = limit.map(|limit| cycle.limit_by_change.unwrap_or(limit));
        (late, if self.backstop() { breach } else { late })
    }

    fn late_before(&self, t: i64) -> bool {
        self.open().is_some() && self.thresholds(t).0.is_some_and(|late| late < t)
    }

    fn begin(&mut self, t: i64, priority: &str, promised: i64, armed: Option<bool>) {
        self.spent = None;
        self.gone = None;
        self.standing_since = None;
        self.stops.clear();
        self.received = t;
        self.tracks = (0..rules(self.index)).map(|rule| track(self.index, rule, t, promised)).collect();
        self.push(t, rule_for(self.index, priority), armed);
    }

    fn push(&mut self, t: i64, rule: Option<usize>, armed: Option<bool>) {
        self.limit_track = None;
        self.cycles.push(Cycle {
            number: self.cycles.len() as u32 + 1,
            started: t,
            armed: armed.is_some(),
            armed_by_change: armed == Some(true),
            rule,
            late_by_change: None,
            limit_by_change: None,
            limit_from: None,
            had_backstop: false,
            late_fired: false,
            breach_fired: false,
            end: None,
            end_due: None,
            end_limit: None,
        });
        self.every_track().for_each(|track| track.mark(t));
    }

    fn pause(&mut self, t: i64) {
        if self.open().is_none() || self.standing_since.is_some() || self.late_before(t) {
            return;
        }
        self.standing_since = Some(t);
        self.stops.push(Stop { from: t, to: None, counts: true, settled: false, closed: false });
        for track in self.tracks.iter_mut().flatten().chain(&mut self.spent) {
            if track.due.full_at.is_none_or(|due| due >= t) {
                track.stand(t);
            }
        }
    }

    fn resume(&mut self, t: i64) {
        if self.open().is_some() && self.standing_since.take().is_some() {
            self.stops.last_mut().unwrap().to = Some(t);
            for track in self.every_track() {
                track.still = false;
                track.mark(t);
            }
        }
    }

    fn finish(&mut self, t: i64, by: &'static str, withdrawn: bool) {
        self.resume(t);
        if self.open().is_none() {
            return;
        }
        let (due, limit) = self.instants(t);
        let late = self.late_before(t) || self.cycles.last().unwrap().late_by_change.is_some();
        let none = self.current().is_none();
        let cycle = self.cycles.last_mut().unwrap();
        cycle.end_due = due;
        cycle.end_limit = limit;
        cycle.end = Some(match (none, late, withdrawn) {
            (true, _, false) => (t, "finished"),
            (false, true, _) => (t, "missed"),
            (_, _, true) => (t, "cancelled"),
            _ => (t, "met"),
        });
        self.ended_by = by;
        self.settle(due);
    }

    fn change(&mut self, t: i64, rule: Option<usize>) {
        let Some(cycle) = self.open() else { return };
        let in_force = cycle.limit_from.unwrap_or(cycle.rule);
        if rule == in_force {
            return;
        }
        if self.spent.is_some() || self.late_before(t) {
            let (backstop, (due, _)) = (self.backstop(), self.instants(t));
            let broken = self.thresholds(t).1.is_some_and(|breach| breach < t);
            if !backstop || broken {
                // Only the rule in force is remembered, for the next change.
                if let Some(from) = self.frozen_limit() {
                    self.cycles.last_mut().unwrap().limit_from = Some(from);
                }
                return;
            }
            self.settle(due);
            let promised = rule.filter(|rule| self.tracks[*rule].is_some());
            self.limit_track = promised.and_then(|rule| self.settled_track(rule, t));
            let cycle = self.cycles.last_mut().unwrap();
            cycle.had_backstop = true;
            cycle.limit_from = Some(promised);
            cycle.limit_by_change = None;
            let limit = self.instants(t).1;
            let passed = limit.is_some_and(|limit| limit < t) && due.is_some();
            self.cycles.last_mut().unwrap().limit_by_change = passed.then_some(t);
        } else {
            if self.gone.is_some() {
                self.settle(self.cycles.last().map(|cycle| cycle.started));
            }
            self.spend(rule, t);
            let cycle = self.cycles.last_mut().unwrap();
            cycle.rule = rule;
            cycle.late_by_change = None;
            cycle.limit_by_change = None;
            let (due, limit) = self.instants(t);
            let cycle = self.cycles.last_mut().unwrap();
            cycle.late_by_change = due.filter(|due| *due < t).map(|_| t);
            cycle.limit_by_change = limit.filter(|limit| *limit < t).map(|_| t);
        }
    }

    /// Whose limit it keeps when nothing may move any more.
    fn frozen_limit(&self) -> Option<Option<usize>> {
        self.cycles.last().unwrap().limit_from
    }

    fn reopen(&mut self, t: i64, priority: &str) {
        let rule = rule_for(self.index, priority);
        let last = self.cycles.last().unwrap();
        let (closed, how) = last.end.unwrap();
        let missed = how == "missed" || self.gone.is_some();
        let limit = if self.backstop() {
            last.end_limit.map(|limit| last.limit_by_change.map_or(limit, |change| change - 1))
        } else {
            last.end_due.map(|due| last.late_by_change.map_or(due, |change| change - 1))
        };
        let broken = limit.is_some_and(|limit| limit < closed) || self.gone.is_some_and(|(_, broken)| broken);
        self.every_track().for_each(|track| {
            track.still = false;
            track.due.full_at = None;
            if let Some(limit) = &mut track.limit {
                limit.full_at = None;
            }
            track.mark(t);
        });
        self.spent = None;
        self.gone = missed.then_some((t, broken));
        self.stops.push(Stop { from: closed, to: Some(t), counts: true, settled: true, closed: true });
        self.spend(rule, t);
        self.standing_since = None;
        self.push(t, rule, None);
    }

    /// Where nothing remained on reopening, due is the reopening and only the limit has meters.
    fn spend(&mut self, rule: Option<usize>, now: i64) {
        let (Some((t, broken)), Some(rule)) = (self.gone, rule) else { return };
        let Some(settled) = self.settled_track(rule, now) else { return };
        let nothing = Meter { full_at: Some(t), ..Meter::new(Need::Steps(0), Hours::Always, t) };
        let limit = settled.limit.map(|limit| if broken { nothing } else { limit });
        self.spent = Some(Track { due: nothing, limit, still: false });
    }

    /// Time stands still for a finished cycle, in case the request is reopened.
    fn stand_finished(&mut self) {
        if self.open().is_none() {
            self.every_track().for_each(|track| track.still = true);
        }
    }
}

struct World {
    clocks: Vec<Clock>,
    priority: String,
    hold: Option<String>,
    resolved: bool,
    cancelled: bool,
}

const STARTS: [&str; CLOCKS] =
    ["received", "received", "customer_replied", "", "vendor_contacted", "promised", "", "received"];
const STOPS: [&[&str]; CLOCKS] = [
    &["resolved"],
    &["replied", "resolved"],
    &["replied", "resolved"],
    &["resolved"],
    &["vendor_replied", "resolved"],
    &["replied", "resolved"],
    &["resolved"],
    &["assigned", "resolved"],
];

impl World {
    fn begin(&mut self, clock: usize, t: i64, promised: i64, armed: Option<bool>) {
        let (priority, hold) = (self.priority.clone(), self.hold.clone());
        self.clocks[clock].begin(t, &priority, promised, armed);
        if stands(clock, hold.as_deref()) {
            self.clocks[clock].pause(t);
        }
    }

    fn event(&mut self, t: i64, kind: &EventKind) {
        let word = kind.tag().word();
        if self.cancelled && word != "reopened" {
            if let EventKind::Changed { facts } = kind {
                self.priority = facts["priority"].clone();
            }
            return;
        }
        match kind {
            EventKind::Paused { reason } => {
                self.hold = Some(reason.clone());
                for clock in &mut self.clocks {
                    if stands(clock.index, Some(reason)) { clock.pause(t) } else { clock.resume(t) }
                }
            }
            EventKind::Resumed => self.release(t),
            EventKind::Changed { facts } => {
                self.priority = facts["priority"].clone();
                for clock in &mut self.clocks {
                    clock.change(t, rule_for(clock.index, &self.priority));
                }
            }
            EventKind::Cancelled => {
                self.release(t);
                self.cancelled = true;
                self.clocks.iter_mut().for_each(|clock| clock.finish(t, "cancelled", true));
            }
            EventKind::Reopened if self.resolved || self.cancelled => {
                self.release(t);
                (self.resolved, self.cancelled) = (false, false);
                for clock in 0..CLOCKS {
                    let this = &mut self.clocks[clock];
                    let ended = ["resolved", "cancelled"].contains(&this.ended_by);
                    if this.open().is_some() || this.cycles.is_empty() || !ended || clock == 1 {
                        continue;
                    }
                    if clock == 3 {
                        self.begin(clock, t, 0, None);
                    } else {
                        let priority = self.priority.clone();
                        self.clocks[clock].reopen(t, &priority);
                    }
                }
            }
            EventKind::Promised { due } => {
                self.clocks[5].finish(t, "promised", true);
                self.begin(5, t, due.as_secs() / TICK_S, None);
            }
            _ => {
                self.resolved |= word == "resolved";
                for clock in 0..CLOCKS {
                    let running = self.clocks[clock].open().is_some();
                    if running && clock == 3 && word == "updated" {
                        self.clocks[clock].finish(t, "updated", false);
                        self.begin(clock, t, 0, None);
                    } else if running && STOPS[clock].contains(&word) {
                        self.clocks[clock].finish(t, word, false);
                    } else if !running && STARTS[clock] == word {
                        self.begin(clock, t, 0, None);
                    }
                }
            }
        }
    }

    fn release(&mut self, t: i64) {
        self.hold = None;
        self.clocks.iter_mut().for_each(|clock| clock.resume(t));
    }

    /// Starts the clocks that wait for resolution to be late or breached.
    fn arm(&mut self, t: i64) {
        let resolution = &self.clocks[0];
        if resolution.open().is_none() {
            return;
        }
        let (late, breach) = resolution.thresholds(t);
        let cycle = self.clocks[0].cycles.last_mut().unwrap();
        let fired =
            [(3, late == Some(t) && !cycle.late_fired), (6, breach == Some(t) && !cycle.breach_fired)];
        cycle.late_fired |= fired[0].1;
        cycle.breach_fired |= fired[1].1;
        let late_by_change = cycle.late_by_change.is_some();
        let breach_by_change = if self.clocks[0].backstop() {
            self.clocks[0].cycles.last().unwrap().limit_by_change.is_some()
        } else {
            late_by_change
        };
        for (clock, fires) in fired {
            let by_change = if clock == 3 { late_by_change } else { breach_by_change };
            if fires && self.clocks[clock].open().is_none() && !self.resolved && !self.cancelled {
                self.begin(clock, t, 0, Some(by_change));
            }
        }
    }
}

/// The cycles that have begun at `now`.
pub(crate) fn run(request: &Request, events: &[Event], now: Instant) -> Vec<Line> {
    let (start, end) = (request.received_at.as_secs() / TICK_S, now.as_secs() / TICK_S);
    let clocks = (0..CLOCKS).map(|index| Clock {
        index,
        cycles: Vec::new(),
        tracks: Vec::new(),
        stops: Vec::new(),
        received: 0,
        spent: None,
        limit_track: None,
        gone: None,
        ended_by: "",
        standing_since: None,
    });
    let mut world = World {
        clocks: clocks.collect(),
        priority: request.priority.clone().unwrap(),
        hold: None,
        resolved: false,
        cancelled: false,
    };
    let mut coming = events.iter().filter(|event| event.at <= now).peekable();
    for t in start..=end {
        world.clocks.iter_mut().flat_map(Clock::every_track).for_each(|track| track.mark(t));
        if t == start {
            world.event(t, &EventKind::Received);
        }
        while let Some(event) = coming.next_if(|event| event.at.as_secs() / TICK_S == t) {
            world.event(t, &event.kind);
        }
        world.arm(t);
        if t < end {
            world.clocks.iter_mut().for_each(Clock::stand_finished);
            world.clocks.iter_mut().flat_map(Clock::every_track).for_each(|track| track.step(t));
        }
    }
    world.clocks.iter().flat_map(|clock| lines(clock, end)).collect()
}

fn lines(clock: &Clock, now: i64) -> Vec<Line> {
    let last = clock.cycles.len();
    let begun =
        clock.cycles.iter().filter(|cycle| !cycle.armed || cycle.armed_by_change || cycle.started < now);
    begun
        .map(|cycle| {
            let current = cycle.number as usize == last;
            line(clock, cycle, if current { now } else { i64::MIN })
        })
        .collect()
}

fn line(clock: &Clock, cycle: &Cycle, now: i64) -> Line {
    let mut line = Line {
        clock: clock.index,
        number: cycle.number,
        started: cycle.started,
        phase: "running",
        at: None,
        remaining: None,
        due: cycle.end_due,
        limit: cycle.end_limit,
        late_by_change: cycle.late_by_change,
        limit_by_change: cycle.limit_by_change,
        stage: Stage::Idle,
    };
    if let Some((at, how)) = cycle.end {
        line.phase = how;
        line.at = Some(at);
        line.stage = match how {
            "met" => Stage::Met,
            "missed" => Stage::Missed,
            "cancelled" => Stage::Cancelled,
            _ => Stage::Idle,
        };
        return line;
    }
    let Some(track) = clock.current() else {
        line.phase = "no deadline";
        return line;
    };
    if track.still {
        let since = clock.standing_since.unwrap();
        let mut free = track.clone();
        free.still = false;
        let due = free.ahead(now).0.unwrap();
        let counts = |t: &i64| *t >= track.due.from && open(track.due.hours, *t);
        line.phase = "paused";
        line.at = Some(since);
        line.remaining = Some((now..due).filter(counts).count() as i64);
        line.stage = Stage::Paused;
        return line;
    }
    (line.due, line.limit) = clock.instants(now);
    let passed = |at: Option<i64>, by_change: bool| at.is_some_and(|at| at - i64::from(by_change) < now);
    let (late, breach) = clock.thresholds(now);
    let breach_by_change = if clock.backstop() { cycle.limit_by_change } else { cycle.late_by_change };
    line.stage = if passed(breach, breach_by_change.is_some()) {
        Stage::Breached
    } else if passed(late, cycle.late_by_change.is_some()) {
        Stage::Late
    } else {
        Stage::OnTrack
    };
    line
}
