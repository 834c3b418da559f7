//! The proof of a deadline in sentences.

use std::fmt;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};

use super::trace::{
    Choice, Day, Derivation, How, Moment, Outcome, Parts, PauseEffect, PauseStep, Stretch, TimeUsed, Trace,
    TriedBranch, Verdict, Walk,
};
use super::{Branch, CountsAs, DayTime, Measure, ReceiptRule, ReceiptWhen, Target};
use crate::time::Span;

/// Lists longer than this are shortened to their first three and their last.
const LONG: usize = 8;
/// Where the text after a label begins.
const TEXT_AT: usize = 10;
/// Where the provenance beside the due instant begins, if there is room.
const PROVENANCE_AT: usize = 84;

/// A target in words: `8 h of working time`.
pub(super) fn target(target: &Target) -> String {
    match target {
        Target::None => "nothing is promised".to_owned(),
        Target::Promised => "the promised instant".to_owned(),
        Target::Elapsed(span) => format!("{span} of {}", Measure::Elapsed),
        Target::Working(span) => format!("{span} of {}", Measure::Working),
        Target::WorkingDays { days, at } => format!("{}, {}", counted(*days, "working day"), day_time(*at)),
        Target::CalendarDays { days, at } => format!("{}, {}", counted(*days, "calendar day"), day_time(*at)),
        Target::Cutoff { branches, .. } => {
            let branches: Vec<String> = branches
                .iter()
                .map(|branch| format!("{}: {}", branch_when(branch), branch_promise(branch)))
                .collect();
            branches.join("; ")
        }
        Target::Earliest(parts) => format!("the earliest of {}", parts.len()),
        Target::Latest(parts) => format!("the latest of {}", parts.len()),
    }
}

/// What a branch asks of the receipt: `before 14:00`.
pub(super) fn branch_when(branch: &Branch) -> String {
    branch.received_before.map_or_else(|| "otherwise".to_owned(), |time| format!("before {time}"))
}

/// What a branch promises: `same day, close`.
pub(super) fn branch_promise(branch: &Branch) -> String {
    let day = match branch.working_days {
        0 => "same day".to_owned(),
        1 => "next day".to_owned(),
        days => format!("+{days} working days"),
    };
    format!("{day}, {}", day_time(branch.at))
}

/// A receipt rule in words: `from 17:00 on, the next working day 08:30`.
pub(super) fn receipt_rule(rule: &ReceiptRule) -> String {
    let when = match rule.when {
        ReceiptWhen::ClosedDay => "on a closed day".to_owned(),
        ReceiptWhen::From(time) => format!("from {time} on"),
        ReceiptWhen::Before(time) => format!("before {time}"),
        ReceiptWhen::OutsideHours => "outside working hours".to_owned(),
    };
    let counts_as = match rule.counts_as {
        CountsAs::NextOpening => "the next opening".to_owned(),
        CountsAs::SameDay(time) => format!("the same day {time}"),
        CountsAs::NextWorkingDay(time) => format!("the next working day {time}"),
        CountsAs::NextWorkingDaySameTime => "the next working day, same time".to_owned(),
        CountsAs::NextWorkingDayOpening => "the first opening of the next working day".to_owned(),
    };
    format!("{when}, {counts_as}")
}

fn day_time(at: DayTime) -> String {
    match at {
        DayTime::Close => "close".to_owned(),
        DayTime::At(time) => time.to_string(),
        DayTime::SameTime => "same time".to_owned(),
    }
}

fn counted(number: u32, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

impl Trace {
    /// The proof as pairs of a short label and a sentence. A line that continues the one before has no label.
    pub fn lines(&self) -> Vec<(String, String)> {
        let mut lines = Lines { year: self.received.local.year(), lines: Vec::new() };
        lines.add("received", format!("{}, {}", self.received.in_full(), self.received_day()));
        for step in &self.receipt_rules {
            let counts_as = match &step.after {
                Outcome::At(moment) => moment.to_string(),
                Outcome::NoDeadline(reason) => format!("nothing: {reason}"),
            };
            lines.add("counts as", format!("{counts_as}, by the rule: {}", step.rule));
        }
        lines.derivation("rule", &self.target);
        for pause in &self.pauses {
            lines.pause(pause, self);
        }
        if let Some(from) = &self.rolled_from {
            lines.add("rolled", format!("{from} is outside working hours, so the next opening"));
        }
        lines.add("due", self.due_line());
        if let (Some(backstop), Some(limit)) = (&self.backstop, &self.limit) {
            lines.limit(backstop, limit, self);
        }
        if let (true, Some(until)) = (self.beyond_known_holidays, self.holidays_known_until) {
            lines.add(
                "caution",
                format!(
                    "the holidays of calendar \"{}\" are known until {until} only, and this counts past it",
                    self.calendar
                ),
            );
        }
        lines.lines
    }

    fn received_day(&self) -> String {
        let day = &self.received_on;
        let of = format!("of calendar \"{}\"", self.calendar);
        match (day.working, &day.why) {
            (true, None) => format!("a working day {of}"),
            (true, Some(why)) => format!("a working day {of} ({why})"),
            (false, None) => format!("a closed day {of}"),
            (false, Some(why)) => format!("a closed day {of} ({why})"),
        }
    }

    fn instant_line(&self, instant: &Outcome) -> String {
        match instant {
            Outcome::At(moment) if self.stopped.is_some() => {
                format!("none while on hold; {moment} without it")
            }
            Outcome::At(moment) => moment.in_full(),
            Outcome::NoDeadline(reason) => format!("none: {reason}"),
        }
    }

    fn due_line(&self) -> String {
        let due = self.instant_line(&self.due);
        let provenance = match &self.policy {
            Some(policy) => format!("policy {policy}, tzdb {}", self.tzdb),
            None => format!("tzdb {}", self.tzdb),
        };
        let width = (PROVENANCE_AT - TEXT_AT)
            .saturating_sub(provenance.len().saturating_sub(36))
            .max(due.chars().count() + 3);
        format!("{due:<width$}{provenance}")
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (label, text)) in self.lines().iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{label:<TEXT_AT$}{text}")?;
        }
        Ok(())
    }
}

impl Moment {
    /// `Fri 2026-03-06 15:00 MSK (12:00 UTC)`; UTC with its date where that is another one.
    fn in_full(&self) -> String {
        let utc = self.at.to_utc();
        let time = clock_time(utc);
        if utc == self.local {
            self.to_string()
        } else if utc.date() == self.local.date() {
            format!("{self} ({time} UTC)")
        } else {
            format!("{self} ({} {time} UTC)", utc.format("%a %m-%d"))
        }
    }
}

impl fmt::Display for Moment {
    /// `Fri 2026-03-06 15:00 MSK`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.local.format("%a %Y-%m-%d"), clock_time(self.local), self.abbreviation)
    }
}

/// `15:00`, with seconds only where there are some.
fn clock_time(local: NaiveDateTime) -> impl fmt::Display {
    let seconds = chrono::Timelike::second(&local) != 0;
    local.format(if seconds { "%H:%M:%S" } else { "%H:%M" })
}

/// Collects lines. Dates of the receipt's year are written without it.
struct Lines {
    year: i32,
    lines: Vec<(String, String)>,
}

impl Lines {
    fn add(&mut self, label: &str, text: String) {
        self.lines.push((label.to_owned(), text));
    }

    fn derivation(&mut self, label: &str, derivation: &Derivation) {
        match &derivation.how {
            How::Cutoff(choice) => self.choice(label, choice),
            How::Earliest(parts) => self.parts(label, derivation, parts, "earliest"),
            How::Latest(parts) => self.parts(label, derivation, parts, "latest"),
            How::Nothing | How::Promised => self.add(label, derivation.rule.clone()),
            How::Time(used) => {
                self.add(label, derivation.rule.clone());
                self.time_used(used);
            }
            How::Days(walk) => {
                self.add(label, derivation.rule.clone());
                self.walk(walk);
            }
        }
    }

    fn parts(&mut self, label: &str, derivation: &Derivation, parts: &Parts, which: &str) {
        self.add(label, derivation.rule.clone());
        for (index, part) in parts.parts.iter().enumerate() {
            self.derivation(&format!("part {}", index + 1), part);
            let taken = if parts.taken == Some(index) { format!(", the {which}") } else { String::new() };
            let leads = match &part.due {
                Outcome::At(moment) => format!("so {moment}{taken}"),
                Outcome::NoDeadline(reason) => format!("so no instant: {reason}"),
            };
            self.add("", leads);
        }
    }

    fn choice(&mut self, label: &str, choice: &Choice) {
        if let Some(moment) = &choice.counts_as {
            self.add("counts as", format!("{moment}, since the day of receipt is closed"));
        }
        let (last, passed) = match choice.tried.split_last() {
            Some((last, passed)) if last.verdict == Verdict::Taken => (Some(last), passed),
            _ => (None, choice.tried.as_slice()),
        };
        let mut reasons: Vec<String> = Vec::new();
        for branch in passed {
            let reason = self.passed_over(choice, branch);
            // A closed date passes over all branches but the last for one reason.
            if reasons.last() != Some(&reason) {
                reasons.push(reason);
            }
        }
        let text = match last {
            Some(taken) if reasons.is_empty() && choice.on.working => {
                let compared = chrono_time(choice);
                match taken.when.as_str() {
                    "otherwise" => taken.promise.clone(),
                    when => format!("{compared} is {when}, so: {}", taken.promise),
                }
            }
            Some(taken) if reasons.is_empty() => {
                format!("{} is closed, so the last branch: {}", self.date(choice.on.date), taken.promise)
            }
            Some(taken) => format!("{}, so: {}", reasons.join("; "), taken.promise),
            None => format!("{}; there is no other branch", reasons.join("; ")),
        };
        self.add(label, text);
        self.walk(&choice.walk);
    }

    fn passed_over(&self, choice: &Choice, branch: &TriedBranch) -> String {
        let compared = chrono_time(choice);
        match branch.verdict {
            Verdict::TooLate => format!("{compared} is not {}", branch.when),
            Verdict::ClosedDate => {
                format!("{} is closed and takes the last branch", self.date(choice.on.date))
            }
            Verdict::SameDayClosed if choice.tried.len() > 1 => {
                format!("\"{}\" needs a working day", branch.promise)
            }
            Verdict::SameDayClosed => {
                format!(
                    "{} is closed, and \"{}\" needs a working day",
                    self.date(choice.on.date),
                    branch.promise
                )
            }
            Verdict::NotAfterReceipt | Verdict::Taken => {
                let due = branch.due.as_ref().map(Moment::to_string).unwrap_or_default();
                format!(
                    "\"{}: {}\" would be {due}, which is not after the receipt",
                    branch.when, branch.promise
                )
            }
        }
    }

    fn time_used(&mut self, used: &TimeUsed) {
        if used.stretches.is_empty() {
            return;
        }
        let last = used.stretches.len() - 1;
        let items = used.stretches.iter().enumerate().map(|(index, stretch)| {
            // A stretch after a hold needs its date only where the one before it may be left out.
            let before = index.checked_sub(1).filter(|_| index < last || last < LONG);
            let before = before.and_then(|before| used.stretches.get(before));
            let same_date = before.is_some_and(|it| it.to_local.date() == stretch.from_local.date());
            self.stretch(stretch, !same_date)
        });
        let items = shorten(items.collect(), used.more);
        self.add("counted", items.join(", "));
        if !used.closed.is_empty() {
            self.add("closed", self.closed_runs(&used.closed));
        }
    }

    /// `Fri 03-06 15:00–18:00 (3 h)`
    fn stretch(&self, stretch: &Stretch, dated: bool) -> String {
        let (from, to) = (stretch.from_local, stretch.to_local);
        let ends_date = to.time() == NaiveTime::MIN && from.date().succ_opt() == Some(to.date());
        let until = if from.date() == to.date() {
            clock_time(to).to_string()
        } else if ends_date {
            "24:00".to_owned()
        } else {
            format!("{} {}", self.date(to.date()), clock_time(to))
        };
        let date = if dated { self.date(from.date()) + " " } else { String::new() };
        format!("{date}{}–{until} ({})", clock_time(from), stretch.length)
    }

    /// The closed dates and the counted ones, as in `Sat 03-07 and Sun 03-08 are closed; Mon 03-09 is open`.
    fn walk(&mut self, walk: &Walk) {
        if walk.dates.is_empty() {
            return;
        }
        let closed: Vec<Day> =
            walk.dates.iter().filter(|date| date.number.is_none()).map(|date| date.day.clone()).collect();
        let numbered: Vec<_> =
            walk.dates.iter().filter_map(|date| Some((date.day.date, date.number?))).collect();
        let counted = match numbered.as_slice() {
            [(date, 1)] => format!(
                "{} is {}",
                self.date(*date),
                if walk.measure == Measure::Elapsed { "the next day" } else { "open" }
            ),
            _ => {
                let days = numbered.iter().enumerate().map(|(index, (date, number))| {
                    let is = if index == 0 { "is " } else { "" };
                    format!("{} {is}day {number}", self.date(*date))
                });
                shorten(days.collect(), walk.more).join(", ")
            }
        };
        let label = if walk.days == 1 { "next day".to_owned() } else { format!("day {}", walk.days) };
        if closed.is_empty() {
            self.add(&label, counted);
        } else {
            let runs = self.closed_runs(&closed);
            let verb = if closed.len() == 1 { "is" } else { "are" };
            self.add(&label, format!("{runs} {verb} closed; {counted}"));
        }
    }

    /// Closed dates, neighbours of one reason together: `Sat 03-07 to Sun 03-08 and Mon 03-09 (Women's Day)`.
    fn closed_runs(&self, days: &[Day]) -> String {
        let runs: Vec<&[Day]> =
            days.chunk_by(|a, b| a.why == b.why && a.date.succ_opt() == Some(b.date)).collect();
        // A lone pair reads best with "and", which in a list of runs would be taken for the end of the list.
        let alone = runs.len() == 1;
        let texts = runs.iter().map(|run| {
            let dates = match run {
                [only] => self.date(only.date),
                [first, last] if alone => format!("{} and {}", self.date(first.date), self.date(last.date)),
                [first, .., last] => format!("{} to {}", self.date(first.date), self.date(last.date)),
                [] => String::new(),
            };
            match run.first().and_then(|day| day.why.as_deref()) {
                Some(why) if why != "weekend" => format!("{dates} ({why})"),
                _ => dates,
            }
        });
        list(shorten(texts.collect(), 0))
    }

    fn pause(&mut self, pause: &PauseStep, trace: &Trace) {
        let when = match &pause.to {
            Some(to) => format!("{} to {}", self.moment(&pause.from), self.moment(to)),
            None => format!("since {}", self.moment(&pause.from)),
        };
        let effect = match &pause.effect {
            PauseEffect::Counted { paused, due } => {
                let length = self.counted_pause(paused.working, paused.elapsed, trace);
                match due {
                    Outcome::At(due) => format!("{length}; due moves to {due}"),
                    Outcome::NoDeadline(reason) => format!("{length}; no deadline any more: {reason}"),
                }
            }
            PauseEffect::Stopped => match &trace.stopped {
                Some(stopped) => {
                    format!("the clock stands with {} of {} left", stopped.remaining, stopped.measure)
                }
                None => "the clock stands".to_owned(),
            },
            PauseEffect::AfterDue => "after due, so it changes nothing".to_owned(),
            PauseEffect::Covered => "already on hold".to_owned(),
        };
        self.add("on hold", format!("{when} ({}): {effect}", pause.reason));
    }

    fn counted_pause(&self, working: Span, elapsed: Span, trace: &Trace) -> String {
        match measures(&trace.target) {
            (true, true) => format!("{working} of {}, {elapsed} of {}", Measure::Working, Measure::Elapsed),
            (true, false) => format!("{working} of {}", Measure::Working),
            _ => format!("{elapsed} of {}", Measure::Elapsed),
        }
    }

    fn limit(&mut self, backstop: &Derivation, limit: &Outcome, trace: &Trace) {
        let (due, text) = (&trace.due, trace.instant_line(limit));
        let not_before_due = matches!((&backstop.due, due), (Outcome::At(own), Outcome::At(due)) if own.at < due.at && limit.as_due() == Ok(due.at));
        let why = if not_before_due { ", never before due" } else { "" };
        self.add("limit", format!("{text}: {}{why}", backstop.rule));
        match &backstop.how {
            How::Days(walk) => self.walk(walk),
            How::Time(used) => self.time_used(used),
            How::Nothing | How::Promised => {}
            How::Cutoff(_) | How::Earliest(_) | How::Latest(_) => self.derivation("", backstop),
        }
    }

    /// `Fri 03-06`, with the year if it is not the receipt's.
    fn date(&self, date: NaiveDate) -> String {
        date.format(if date.year() == self.year { "%a %m-%d" } else { "%a %Y-%m-%d" }).to_string()
    }

    fn moment(&self, moment: &Moment) -> String {
        format!("{} {}", self.date(moment.local.date()), clock_time(moment.local))
    }
}

fn chrono_time(choice: &Choice) -> String {
    clock_time(choice.on.date.and_time(choice.compared)).to_string()
}

/// Whether a derivation has parts in working time, and whether in wall-clock time.
fn measures(derivation: &Derivation) -> (bool, bool) {
    match &derivation.how {
        How::Time(used) => (used.measure == Measure::Working, used.measure == Measure::Elapsed),
        How::Days(walk) => (walk.measure == Measure::Working, walk.measure == Measure::Elapsed),
        How::Cutoff(_) => (true, false),
        How::Promised | How::Nothing => (false, true),
        How::Earliest(parts) | How::Latest(parts) => {
            parts.parts.iter().fold((false, false), |(working, elapsed), part| {
                let (also_working, also_elapsed) = measures(part);
                (working || also_working, elapsed || also_elapsed)
            })
        }
    }
}

/// `a, b and c`
fn list(mut items: Vec<String>) -> String {
    match items.pop() {
        Some(last) if !items.is_empty() => format!("{} and {last}", items.join(", ")),
        last => last.unwrap_or_default(),
    }
}

/// More than eight items become the first three, the number of those left out, and the last; `more` follow unlisted.
fn shorten(items: Vec<String>, more: u64) -> Vec<String> {
    if items.len() <= LONG && more == 0 {
        return items;
    }
    let listed_last = if more == 0 { items.last().cloned() } else { None };
    let left_out =
        (items.len().saturating_sub(3) as u64 + more).saturating_sub(u64::from(listed_last.is_some()));
    let mut short: Vec<String> = items.into_iter().take(3).collect();
    short.push(format!("… {left_out} more …"));
    short.extend(listed_last);
    short
}
