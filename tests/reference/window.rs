//! A few days of a calendar, walked step by step: at each step, what the wall clock shows and whether it is open.
//!
//! A stretch of civil time is open from the first instant at which the wall clock shows its begin or later, until the
//! last at which it shows its end, or after the last at which it shows less if it never shows its end. In plain hours
//! that is the stretch itself; in a gap and in a repeated hour it is what slaclock promises.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, Weekday};
use slaclock::calendar::{CalendarSpec, DateRule, Holiday, Hours, Observed};

use super::random::Random;
use super::zones::{RANGE_END, ReferenceZone};

const DAY_S: i64 = 86_400;

pub(crate) struct Window {
    from: i64,
    step: i64,
    civil: Vec<i64>,
    open: Vec<bool>,
    /// Working seconds of the window before each step, and in all.
    work: Vec<i64>,
    /// First opening and last close of each date whose stretches lie wholly in the window.
    dates: BTreeMap<NaiveDate, Option<(i64, i64)>>,
}

impl Window {
    pub(crate) fn walk(spec: &CalendarSpec, zone: &ReferenceZone, center: i64, by_second: bool) -> Window {
        let (step, half) = if by_second { (1, 7 * 3600) } else { (60, 84 * 3600) };
        // Dates are only judged when the window holds them wholly; times outside the range are walked, not asked.
        // What is walked beyond the window is not asked: a clock set back there (by 3 h in Casey) has its say inside.
        let hidden = 4 * 3600;
        let from = (center - half - hidden).div_euclid(step) * step;
        let civil: Vec<i64> =
            (0..2 * (half + hidden) / step).map(|at| zone.civil(from + at * step)).collect();
        let mut window = Window {
            from,
            step,
            open: vec![false; civil.len()],
            civil,
            work: Vec::new(),
            dates: BTreeMap::new(),
        };
        let lowest = window.civil.iter().min().unwrap().div_euclid(DAY_S);
        let highest = window.civil.iter().max().unwrap().div_euclid(DAY_S);
        for day in lowest - 2..=highest + 1 {
            window.open_date(spec, day);
        }
        for (at, open) in window.open.iter_mut().enumerate() {
            let t = from + at as i64 * step;
            *open &= (0..RANGE_END).contains(&t);
        }
        let (hidden, asked) = ((hidden / step) as usize, (2 * half / step) as usize);
        window.from = window.instant(hidden);
        window.civil = window.civil[hidden..hidden + asked].to_vec();
        window.open = window.open[hidden..hidden + asked].to_vec();
        let mut sum = 0;
        for open in &window.open {
            window.work.push(sum);
            sum += if *open { step } else { 0 };
        }
        window.work.push(sum);
        window
    }

    /// Marks what opens on a date.
    fn open_date(&mut self, spec: &CalendarSpec, day: i64) {
        let mut edges: Option<(i64, i64)> = None;
        let mut whole = self.shows(day * DAY_S - DAY_S) && self.shows((day + 2) * DAY_S);
        for (begin, end) in civil_stretches(spec, day, self.step) {
            let first = self.civil.iter().position(|&shown| shown >= begin).unwrap_or(self.civil.len());
            let last = self.last(end);
            if first < last {
                self.open[first..last].fill(true);
                let (opens, closes) = (self.instant(first), self.instant(last));
                let (earliest, latest) = edges.unwrap_or((opens, closes));
                edges = Some((earliest.min(opens), latest.max(closes)));
            }
        }
        let inside = |t: i64| (0..RANGE_END).contains(&t);
        whole &= inside(day * DAY_S) && inside((day + 1) * DAY_S);
        whole &= edges.is_none_or(|(opens, closes)| inside(opens) && inside(closes));
        if whole {
            self.dates.insert(date_of(day), edges);
        }
    }

    /// Whether the wall clock passes this civil time inside the window.
    fn shows(&self, civil: i64) -> bool {
        self.civil.first().is_some_and(|&first| first < civil)
            && self.civil.last().is_some_and(|&last| last > civil)
    }

    fn instant(&self, at: usize) -> i64 {
        self.from + at as i64 * self.step
    }

    fn step_of(&self, t: i64) -> usize {
        usize::try_from((t - self.from).div_euclid(self.step)).unwrap()
    }

    fn first(&self) -> i64 {
        self.from.max(0)
    }

    /// The last instant that may be asked.
    pub(crate) fn end(&self) -> i64 {
        self.instant(self.civil.len()).min(RANGE_END) - 1
    }

    pub(crate) fn is_open(&self, t: i64) -> bool {
        self.open[self.step_of(t)]
    }

    pub(crate) fn civil(&self, t: i64) -> i64 {
        self.civil[self.step_of(t)] + (t - self.from).rem_euclid(self.step)
    }

    /// Working seconds of the window before `t`.
    pub(crate) fn work(&self, t: i64) -> i64 {
        let at = self.step_of(t);
        self.work[at] + if self.open[at] { (t - self.from).rem_euclid(self.step) } else { 0 }
    }

    pub(crate) fn next_open(&self, t: i64) -> Option<i64> {
        let at = self.step_of(t);
        if self.open[at] {
            return Some(t);
        }
        let further = self.open[at..].iter().position(|&open| open)?;
        Some(self.instant(at + further))
    }

    pub(crate) fn next_close(&self, t: i64) -> Option<i64> {
        let opens = self.step_of(self.next_open(t)?);
        let further = self.open[opens..].iter().position(|&open| !open)?;
        let closes = self.instant(opens + further);
        (closes < RANGE_END).then_some(closes)
    }

    /// The earliest instant by which `d` working seconds have passed since `t`, found by walking.
    pub(crate) fn earliest_after(&self, t: i64, d: i64) -> i64 {
        if d == 0 {
            return t;
        }
        let wanted = self.work(t) + d;
        let step = (self.step_of(t)..self.open.len()).find(|&at| self.work[at + 1] >= wanted).unwrap();
        self.instant(step) + wanted - self.work[step]
    }

    /// The latest instant from which `d` working seconds pass until `t`, found by walking back.
    pub(crate) fn latest_before(&self, t: i64, d: i64) -> i64 {
        if d == 0 {
            return t;
        }
        let wanted = self.work(t) - d;
        let step = (0..=self.step_of(t)).rev().find(|&at| self.open[at] && self.work[at] <= wanted).unwrap();
        self.instant(step) + wanted - self.work[step]
    }

    /// The runs of open steps in `[from, to)`.
    pub(crate) fn runs(&self, from: i64, to: i64) -> Vec<(i64, i64)> {
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for at in self.step_of(from)..=self.step_of(to) {
            let (begin, end) = (self.instant(at).max(from), self.instant(at + 1).min(to));
            if self.open[at] && begin < end {
                match runs.last_mut() {
                    Some(last) if last.1 == begin => last.1 = end,
                    _ => runs.push((begin, end)),
                }
            }
        }
        runs
    }

    /// The first instant at which the wall clock shows this or later.
    pub(crate) fn first_at_or_after(&self, date: NaiveDate, seconds: u32) -> Option<i64> {
        let wanted = day_of(date) * DAY_S + i64::from(seconds);
        let at = self.civil.iter().position(|&shown| shown >= wanted)?;
        self.surely(at, wanted)
    }

    /// The last instant at which the wall clock shows this, or the end of the last at which it shows less.
    pub(crate) fn last_at_or_before(&self, date: NaiveDate, seconds: u32) -> Option<i64> {
        let wanted = day_of(date) * DAY_S + i64::from(seconds);
        self.surely(self.last(wanted), wanted)
    }

    fn last(&self, wanted: i64) -> usize {
        match self.civil.iter().rposition(|&shown| shown <= wanted) {
            Some(at) if self.civil[at] == wanted => at,
            Some(at) => at + 1,
            None => 0,
        }
    }

    /// An edge found at a step, unless the window may hide an earlier or later one, or the range ends before it.
    fn surely(&self, at: usize, wanted: i64) -> Option<i64> {
        let t = self.instant(at);
        // No clock is ever set by more than a day.
        let margin = if self.step == 1 { 3 * 3600 } else { 25 * 3600 };
        let inside = self.shows(wanted - margin) && self.shows(wanted + margin);
        (inside && (0..RANGE_END).contains(&t)).then_some(t)
    }

    pub(crate) fn whole_dates(&self) -> Vec<(NaiveDate, Option<(i64, i64)>)> {
        self.dates.iter().map(|(date, edges)| (*date, *edges)).collect()
    }

    /// An instant of the window: at an edge of working time or of the clock, one second beside it, or anywhere.
    pub(crate) fn interesting_instant(&self, random: &mut Random) -> i64 {
        let (first, end) = (self.first(), self.end());
        let anywhere = first + random.below(end - first + 1);
        if random.one_in(4) {
            return anywhere;
        }
        let at = self.step_of(anywhere);
        let is_edge = |at: &usize| {
            self.open[*at] != self.open[*at - 1] || self.civil[*at] - self.civil[*at - 1] != self.step
        };
        match (at.max(1)..self.open.len()).find(is_edge) {
            Some(edge) => (self.instant(edge) + random.below(3) - 1).clamp(first, end),
            None => anywhere,
        }
    }

    /// A civil time that the wall clock shows or skips in the window, whole minutes when it is walked by the minute.
    pub(crate) fn interesting_civil(&self, random: &mut Random) -> (NaiveDate, u32) {
        let at = self.step_of(self.interesting_instant(random));
        let near = [0, 0, 1_800, -1_800, 3_600, -3_600][random.below(6) as usize];
        let civil = self.civil[at] + near;
        let day = civil.div_euclid(DAY_S);
        match civil.rem_euclid(DAY_S) {
            // Midnight has two names.
            0 if random.one_in(2) => (date_of(day - 1), 86_400),
            seconds => (date_of(day), seconds as u32),
        }
    }
}

/// What opens on a date, in civil seconds: every step of every stretch is asked whether a closure covers it.
fn civil_stretches(spec: &CalendarSpec, day: i64, step: i64) -> Vec<(i64, i64)> {
    let mut pieces: Vec<(i64, i64)> = Vec::new();
    for hours in hours_of(spec, date_of(day)) {
        let (opens, closes) = (hours.opens.as_secs(), hours.closes.as_secs());
        let length = if closes > opens { closes - opens } else { closes + DAY_S - opens };
        let begin = day * DAY_S + opens;
        let mut run: Option<i64> = None;
        if spec.closures.is_empty() {
            pieces.push((begin, begin + length));
            continue;
        }
        for civil in (begin..begin + length).step_by(step as usize) {
            if is_cut(spec, civil) {
                pieces.extend(run.take().map(|from| (from, civil)));
            } else {
                run.get_or_insert(civil);
            }
        }
        pieces.extend(run.map(|from| (from, begin + length)));
    }
    pieces
}

fn is_cut(spec: &CalendarSpec, civil: i64) -> bool {
    let (date, of_day) = (date_of(civil.div_euclid(DAY_S)), civil.rem_euclid(DAY_S));
    spec.closures.iter().any(|closure| {
        closure.from.as_secs() <= of_day && of_day < closure.to.as_secs() && names(&closure.on, date)
    })
}

fn hours_of(spec: &CalendarSpec, date: NaiveDate) -> &[Hours] {
    let weekday = date.weekday().num_days_from_monday() as usize;
    let is_exempt = |date: NaiveDate| spec.not_holidays.contains(&date);
    let kept = |holiday: &Holiday| {
        !is_exempt(date)
            && came_from(holiday.observed, date)
                .iter()
                .any(|&from| names(&holiday.on, from) && !is_exempt(from))
    };
    if spec.holidays.iter().any(kept) {
        return &[];
    }
    if let Some(extra) = spec.extra_days.iter().find(|extra| extra.date == date) {
        return &extra.hours;
    }
    let covers = spec.exceptions.iter().rev().find(|it| it.first <= date && date <= it.last);
    covers.map_or(&spec.week[weekday], |exception| &exception.week[weekday])
}

/// The dates whose holiday is kept on this date.
fn came_from(observed: Observed, date: NaiveDate) -> Vec<NaiveDate> {
    let day = day_of(date);
    let moved = |days: &[i64]| days.iter().map(|back| date_of(day + back)).collect();
    match (observed, date.weekday()) {
        (Observed::SameDate, _) => moved(&[0]),
        (Observed::Nearest, Weekday::Fri) => moved(&[0, 1]),
        (Observed::Nearest | Observed::SundayToMonday, Weekday::Mon) => moved(&[0, -1]),
        (Observed::Monday, Weekday::Mon) => moved(&[0, -1, -2]),
        (Observed::SundayToMonday, Weekday::Sat) => moved(&[0]),
        (_, Weekday::Sat | Weekday::Sun) => moved(&[]),
        _ => moved(&[0]),
    }
}

/// Whether a rule names a date, read straight from what the rule says.
fn names(rule: &DateRule, date: NaiveDate) -> bool {
    match *rule {
        DateRule::On(on) => on == date,
        DateRule::Between(first, last) => first <= date && date <= last,
        DateRule::Yearly { month, day } => (date.month(), date.day()) == (month, day),
        DateRule::YearlyBetween { first, last } => {
            let at = (date.month(), date.day());
            if first <= last { first <= at && at <= last } else { first <= at || at <= last }
        }
        DateRule::NthWeekday { month, nth, weekday, offset_days } => {
            let named = date_of(day_of(date) - i64::from(offset_days));
            let from_end = (date_of(day_of(named) + 7 * i64::from(nth.unsigned_abs())).month() != month)
                && (date_of(day_of(named) + 7 * (i64::from(nth.unsigned_abs()) - 1)).month() == month);
            let from_start = (named.day() as i32 - 1) / 7 + 1 == nth;
            named.month() == month && named.weekday() == weekday && (from_start || nth < 0 && from_end)
        }
        DateRule::Easter { .. } => {
            unreachable!("the generator leaves Easter to the tests of the rule itself")
        }
    }
}

pub(crate) fn day_of(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::from_ymd_opt(1970, 1, 1).unwrap()).num_days()
}

fn date_of(day: i64) -> NaiveDate {
    chrono::DateTime::from_timestamp(day * DAY_S, 0).unwrap().date_naive()
}
