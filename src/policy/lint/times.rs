//! Dates and times that can hardly be meant: tried out on the calendars of the policy.

use chrono::{Days, NaiveDate, Weekday};

use super::Linter;
use crate::calendar::{Calendar, DateRule, DayStatus};
use crate::policy::Rule;
use crate::policy::doc::{At, BranchDoc, HolidayDoc, TargetDoc};
use crate::policy::words::shown;
use crate::target::{DayTime, Measure, ReceiptRule, Target};
use crate::time::{Instant, TimeOfDay};
use crate::zone::Edge;

/// Receipts are tried out at every hour of this many days.
const TRIED_DAYS: u64 = 15;
/// Times of day are held against the hours of this many days.
const YEAR: u64 = 366;

impl Linter<'_> {
    pub(super) fn times(&mut self) {
        self.calendars();
        for clock in 0..self.doc.clock.len() {
            let count = self.body.clocks.get(clock).map_or(0, |clock| clock.rules.len());
            for rule in 0..count {
                self.rule(clock, rule);
            }
        }
    }

    fn calendars(&mut self) {
        let in_year = self.on.checked_add_days(Days::new(YEAR));
        for ((name, written), calendar) in self.doc.calendar.0.iter().zip(&self.body.calendars) {
            let shown_name = shown(&name.value);
            let rules = || {
                self.body
                    .clocks
                    .iter()
                    .flat_map(|clock| &clock.rules)
                    .filter(|rule| rule.calendar.name() == calendar.name())
            };
            let extended = self.doc.calendar.0.iter().any(|(_, other)| {
                other.value.extends.as_ref().is_some_and(|extends| extends.value.0 == name.value)
            });
            if rules().next().is_none() {
                if !extended {
                    self.info(name.at, "calendar-unused", format!("no clock uses calendar `{shown_name}`"));
                }
                continue;
            }
            if opens_in(calendar, self.on, YEAR).is_none() {
                let message =
                    format!("calendar `{shown_name}` does not open in the year from {} on", self.on);
                self.warn(name.at, "calendar-never-open", message);
            }
            let counts = rules().any(|rule| rule.measure() == Measure::Working || !rule.receipt.is_empty());
            match calendar.holidays_known_until() {
                None if counts => {
                    let message = format!(
                        "calendar `{shown_name}` does not say until when its holidays are known; add \
                         `holidays_known_until`"
                    );
                    self.warn(name.at, "holidays-unknown", message);
                }
                Some(until) if counts && in_year.is_some_and(|in_year| until < in_year) => {
                    let at = written.value.holidays_known_until.as_ref().map_or(name.at, |date| date.at);
                    let message = format!(
                        "the holidays of calendar `{shown_name}` are known until {until}, less than a \
                         year from {}",
                        self.on
                    );
                    self.warn(at, "holidays-expire", message);
                }
                _ => {}
            }
            self.dates(&written.value, calendar);
        }
    }

    /// Extra days and holidays that change nothing.
    fn dates(&mut self, written: &crate::policy::doc::CalendarDoc, calendar: &Calendar) {
        for extra in written.extra_days.iter().flatten() {
            let date = extra.value.on.value.0;
            if matches!(calendar.day_status(date), DayStatus::Holiday(_)) {
                let message =
                    format!("the extra day {date} is a holiday, and holidays win: list it in `not_holidays`");
                self.warn(extra.value.on.at, "extra-day-on-holiday", message);
            }
        }
        for holiday in written.holidays.iter().flatten() {
            let on: Vec<DateRule> = match &holiday.value {
                HolidayDoc::Dates(date) => vec![date.0],
                HolidayDoc::Table(table) if table.observed.is_none() => {
                    table.on.as_slice().iter().map(|date| date.0).collect()
                }
                HolidayDoc::Table(_) => Vec::new(),
            };
            for rule in on {
                let DateRule::On(date) = rule else { continue };
                let weekday = chrono::Datelike::weekday(&date);
                let hours = calendar.spec().week.get(weekday.num_days_from_monday() as usize);
                if hours.is_some_and(Vec::is_empty) {
                    let message = format!(
                        "the holiday {date} is a {}, on which the calendar is closed anyway",
                        long_name(weekday)
                    );
                    self.info(holiday.at, "holiday-on-closed-day", message);
                }
            }
        }
    }

    fn rule(&mut self, clock: usize, number: usize) {
        let (body, doc) = (self.body, self.doc);
        let Some(rule) = body.clocks.get(clock).and_then(|clock| clock.rules.get(number)) else { return };
        let Some(written) = doc.clock.get(clock).map(|written| &written.value) else { return };
        let listed = written.rules.as_ref().and_then(|rules| rules.get(number));
        // What a rule takes from its clock is looked at with the clock's own.
        let target = match listed {
            Some(listed) => listed.value.target.as_ref(),
            None => written.target.as_ref(),
        };
        if let Some(target) = target {
            self.written_times(target, rule);
        }
        self.tried(self.rule_at(clock, number), rule);
    }

    /// Times of day that the target names.
    fn written_times(&mut self, written: &At<TargetDoc>, rule: &Rule) {
        match &written.value {
            TargetDoc::Branches(branches) => self.branches(branches, rule),
            TargetDoc::Cutoff(doc) => self.branches(&doc.cutoff, rule),
            TargetDoc::WorkingDays(doc) => {
                if let Some(at) = &doc.at {
                    self.named_time(at.at, at.value.0, rule);
                }
            }
            TargetDoc::Earliest(doc) => doc.earliest.iter().for_each(|part| self.written_times(part, rule)),
            TargetDoc::Latest(doc) => doc.latest.iter().for_each(|part| self.written_times(part, rule)),
            TargetDoc::Word(_)
            | TargetDoc::Elapsed(_)
            | TargetDoc::Working(_)
            | TargetDoc::CalendarDays(_) => {}
        }
    }

    fn branches(&mut self, branches: &[At<BranchDoc>], rule: &Rule) {
        let mut after = TimeOfDay::START;
        for branch in branches {
            let due = &branch.value.due;
            self.named_time(due.at, due.value.0.at, rule);
            if due.value.0.working_days == 0 && due.value.0.at == DayTime::Close {
                let late_close = |date: NaiveDate| {
                    let close = rule.calendar.close_of(date)?;
                    let from = rule.calendar.instant_at(date, after, Edge::Open)?;
                    (close > from).then_some(())
                };
                if dates(self.on, YEAR).all(|date| late_close(date).is_none()) {
                    let message = format!(
                        "the branch takes receipts from {after} on and is due at the close of the same \
                         day, but every day closes by then"
                    );
                    self.warn(due.at, "branch-unreachable", message);
                }
            }
            after = branch.value.received_before.as_ref().map_or(after, |time| time.value.0);
        }
    }

    /// A time of day outside the working hours of some days.
    fn named_time(&mut self, at: u32, time: DayTime, rule: &Rule) {
        let DayTime::At(time) = time else { return };
        if rule.roll_forward {
            return;
        }
        let calendar = &rule.calendar;
        let closed = |date: &NaiveDate| {
            let instant = calendar.instant_at(*date, time, Edge::Open);
            instant.is_some_and(|instant| !calendar.is_open_time(instant) && !closes_at(calendar, instant))
        };
        let (mut all, mut outside, mut example) = (0, 0, None);
        for date in dates(self.on, YEAR).filter(|date| calendar.is_working_day(*date)) {
            all += 1;
            if closed(&date) {
                outside += 1;
                example = example.or(Some(date));
            }
        }
        let Some(example) = example else { return };
        let often = if outside == all {
            "on every working day".into()
        } else {
            format!("on {outside} of {all} working days, {example} the first")
        };
        let message = format!(
            "{time} lies outside the hours of calendar `{}` {often}; `roll_forward = true` moves it to \
             the next opening",
            shown(calendar.name())
        );
        self.warn(at, "due-outside-hours", message);
    }

    /// Receipts at every hour of some weeks.
    fn tried(&mut self, at: u32, rule: &Rule) {
        let receipts: Vec<Instant> = receipts(&rule.calendar, self.on).collect();
        if let Some(backstop) = &rule.backstop {
            let alone = Rule { target: backstop.clone(), backstop: None, ..rule.clone() };
            let before =
                receipts.iter().find(|received| match (rule.due(**received), alone.due(**received)) {
                    (Ok(due), Ok(limit)) => limit < due,
                    _ => false,
                });
            if let Some(received) = before {
                let received = rule.calendar.local(*received).format("%a %Y-%m-%d %H:%M");
                let message = format!(
                    "the backstop lies before the target, as for a receipt on {received}; the limit is \
                     then the due time itself"
                );
                self.warn(at, "backstop-before-target", message);
            }
        }
        if !may_fall(&rule.target, &rule.receipt) {
            return;
        }
        let mut last: Option<(Instant, Instant)> = None;
        for received in receipts {
            let Ok(due) = rule.due(received) else { continue };
            if let Some((earlier, earlier_due)) = last
                && due < earlier_due
            {
                let form = |at: Instant| rule.calendar.local(at).format("%a %Y-%m-%d %H:%M").to_string();
                let message = format!(
                    "a later receipt can be due earlier: {} is due {}, but {} is due {}",
                    form(earlier),
                    form(earlier_due),
                    form(received),
                    form(due)
                );
                self.info(at, "later-receipt-due-earlier", message);
                return;
            }
            last = Some((received, due));
        }
    }
}

/// Whether due times may fall as the receipt grows: only where a time of day decides.
fn may_fall(target: &Target, receipt: &[ReceiptRule]) -> bool {
    !receipt.is_empty()
        || match target {
            Target::Cutoff { .. } => true,
            Target::Earliest(parts) | Target::Latest(parts) => parts.iter().any(|part| may_fall(part, &[])),
            _ => false,
        }
}

fn dates(from: NaiveDate, count: u64) -> impl Iterator<Item = NaiveDate> {
    (0..count).map_while(move |days| from.checked_add_days(Days::new(days)))
}

pub(super) fn receipts(calendar: &Calendar, from: NaiveDate) -> impl Iterator<Item = Instant> {
    let hours = (0..24).filter_map(|hour| TimeOfDay::from_secs(hour * 3600));
    let hours: Vec<TimeOfDay> = hours.collect();
    dates(from, TRIED_DAYS).flat_map(move |date| {
        let at = |time: &TimeOfDay| calendar.instant_at(date, *time, Edge::Open);
        hours.iter().filter_map(at).collect::<Vec<_>>()
    })
}

fn opens_in(calendar: &Calendar, from: NaiveDate, count: u64) -> Option<NaiveDate> {
    dates(from, count).find(|date| calendar.is_working_day(*date))
}

fn closes_at(calendar: &Calendar, at: Instant) -> bool {
    at.checked_add(crate::time::Span::from_secs(-1)).is_some_and(|before| calendar.is_open_time(before))
}

fn long_name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}
