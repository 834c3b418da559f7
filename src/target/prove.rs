//! Builds the proof of a deadline: the same steps as `due`, with what happened on the way written down.

use chrono::{NaiveDate, NaiveDateTime};

use super::ask::Ask;
use super::cutoff::Arrival;
use super::due::Count;
use super::trace::{
    Choice, Day, Derivation, How, MAX_STEPS, Moment, Outcome, Parts, PauseEffect, PauseStep, ReceiptStep,
    Stopped, Stretch, TimeUsed, Trace, TriedBranch, Verdict, Walk, WalkedDay,
};
use super::{Due, Measure, NoDeadline, Paused, Target, cutoff, words};
use crate::calendar::ExactFit;
use crate::policy::Rule;
use crate::time::{Instant, Span};

impl Rule {
    /// The proof of the due and limit instants of a request received at `received`.
    ///
    /// `pauses` are the times on hold as (start, end, reason), the end missing while one lasts; they are taken by their
    /// start, and where two overlap the later one counts from the end of the earlier. One that begins after the due
    /// instant so far changes nothing. `promised` is for targets that wait for a promise. Without pauses the due and
    /// limit instants are those of [`due`](Rule::due) and [`limit`](Rule::limit).
    pub fn trace(
        &self,
        received: Instant,
        pauses: &[(Instant, Option<Instant>, String)],
        promised: Option<Instant>,
    ) -> Trace {
        let ask = Ask(&self.calendar);
        let counted_from = self.counted_from(received);
        let holds = Holds::of(self, received, pauses, promised);
        let (paused, cut) = (holds.paused, &holds.cut);
        let count = self.count(received, paused, promised);
        let derive = |target: &Target| match &count {
            Ok(count) => Prover { count, cut }.derive(target),
            Err(reason) => nowhere(target, *reason),
        };
        let target = derive(&self.target);
        let due = self.due_shifted(received, paused, promised);
        let limit = self.limit_shifted(received, paused, promised);
        let before_roll = target.due.as_due();
        let beyond =
            |target: &Target, due: Due| due.is_ok_and(|due| self.counts_beyond(target, received, due));
        Trace {
            calendar: self.calendar.spec().name.clone(),
            zone: self.calendar.spec().zone.clone(),
            tzdb: self.calendar.tz_version().to_owned(),
            policy: None,
            received: moment(ask, received),
            received_on: ask.day(ask.local(received).date()),
            receipt_rules: receipt_steps(self, received),
            counted_from: moment(ask, counted_from),
            pauses: holds.steps,
            rolled_from: before_roll.ok().filter(|from| due != Ok(*from)).map(|from| moment(ask, from)),
            target,
            due: outcome(ask, due),
            stopped: holds.stopped,
            backstop: self.backstop.as_ref().map(derive),
            limit: limit.map(|limit| outcome(ask, limit)),
            beyond_known_holidays: beyond(&self.target, due)
                || self.backstop.as_ref().zip(limit).is_some_and(|(backstop, limit)| beyond(backstop, limit)),
            holidays_known_until: self.calendar.spec().holidays_known_until,
        }
    }
}

fn moment(ask: Ask<'_>, at: Instant) -> Moment {
    Moment { at, local: ask.local(at), abbreviation: ask.abbreviation(at).into() }
}

fn outcome(ask: Ask<'_>, due: Due) -> Outcome {
    due.map_or_else(Outcome::NoDeadline, |at| Outcome::At(moment(ask, at)))
}

/// A target whose count has nowhere to begin.
fn nowhere(target: &Target, reason: NoDeadline) -> Derivation {
    let none = Outcome::NoDeadline(reason);
    Derivation { rule: words::target(target), how: How::Nothing, unpaused: none.clone(), due: none }
}

fn receipt_steps(rule: &Rule, received: Instant) -> Vec<ReceiptStep> {
    let ask = Ask(&rule.calendar);
    let (mut steps, mut at) = (Vec::new(), received);
    for (index, receipt) in rule.receipt.iter().enumerate() {
        let after = match receipt.apply(ask, at) {
            Ok(None) => continue,
            Ok(Some(after)) => Ok(after),
            Err(reason) => Err(reason),
        };
        steps.push(ReceiptStep {
            index,
            rule: words::receipt_rule(receipt),
            before: moment(ask, at),
            after: outcome(ask, after),
        });
        match after {
            Ok(after) => at = after,
            Err(_) => break,
        }
    }
    steps
}

/// The times on hold, sorted out.
struct Holds {
    steps: Vec<PauseStep>,
    /// Those that counted, together.
    paused: Paused,
    /// The same as instants, in order and without overlap.
    cut: Vec<(Instant, Instant)>,
    stopped: Option<Stopped>,
}

impl Holds {
    fn of(
        rule: &Rule,
        received: Instant,
        pauses: &[(Instant, Option<Instant>, String)],
        promised: Option<Instant>,
    ) -> Holds {
        let ask = Ask(&rule.calendar);
        let mut sorted: Vec<_> = pauses.iter().collect();
        sorted.sort_by_key(|(from, ..)| *from);
        let mut holds =
            Holds { steps: Vec::new(), paused: Paused::default(), cut: Vec::new(), stopped: None };
        let mut free_from = Instant::MIN;
        for (from, to, reason) in sorted {
            let due = rule.due_shifted(received, holds.paused, promised);
            let begins = (*from).max(free_from);
            let effect = if holds.stopped.is_some() || to.is_some_and(|to| to < begins) {
                PauseEffect::Covered
            } else if due.is_ok_and(|due| begins > due) {
                PauseEffect::AfterDue
            } else if let Some(to) = *to {
                let more = rule.paused_between(received, begins, to);
                holds.paused = holds.paused.plus(more);
                holds.cut.push((begins, to));
                free_from = to;
                let due = rule.due_shifted(received, holds.paused, promised);
                PauseEffect::Counted { paused: more, due: outcome(ask, due) }
            } else {
                // Without a deadline there is nothing that could remain.
                holds.stopped =
                    rule.remaining(received, begins, holds.paused, promised).ok().map(|remaining| Stopped {
                        since: moment(ask, begins),
                        reason: reason.clone(),
                        remaining,
                        measure: rule.measure(),
                    });
                PauseEffect::Stopped
            };
            holds.steps.push(PauseStep {
                from: moment(ask, *from),
                to: to.map(|to| moment(ask, to)),
                reason: reason.clone(),
                effect,
            });
        }
        holds
    }
}

/// Writes down how targets are worked out.
struct Prover<'a> {
    count: &'a Count<'a>,
    cut: &'a [(Instant, Instant)],
}

impl Prover<'_> {
    fn derive(&self, target: &Target) -> Derivation {
        let (count, ask) = (self.count, self.count.ask);
        let due = count.shifted(target);
        let unpaused = Count { paused: Paused::default(), ..*count }.shifted(target);
        let how = match target {
            Target::None => How::Nothing,
            Target::Promised => How::Promised,
            Target::Elapsed(span) => How::Time(self.time_used(Measure::Elapsed, *span, due)),
            Target::Working(span) => How::Time(self.time_used(Measure::Working, *span, due)),
            Target::WorkingDays { days, .. } => {
                let last = ask.working_day(count.date(), *days);
                How::Days(walk(ask, count.date(), *days, last, Measure::Working))
            }
            Target::CalendarDays { days, .. } => {
                let last = count.calendar_day(*days);
                How::Days(walk(ask, count.date(), *days, last, Measure::Elapsed))
            }
            Target::Cutoff { branches, closed_day } => match Arrival::of(count, *closed_day) {
                Ok(arrival) => How::Cutoff(self.choice(arrival, branches)),
                Err(_) => How::Nothing,
            },
            Target::Earliest(parts) => How::Earliest(self.parts(parts, due)),
            Target::Latest(parts) => How::Latest(self.parts(parts, due)),
        };
        let mut rule = words::target(target);
        let is_moved = ask.0.conventions().exact_fit == ExactFit::NextOpening;
        if is_moved && matches!(target, Target::Working(_)) {
            rule.push_str(" (what ends at a closing is up at the next opening)");
        }
        Derivation { rule, how, unpaused: outcome(ask, unpaused), due: outcome(ask, due) }
    }

    fn parts(&self, parts: &[Target], due: Due) -> Parts {
        let parts: Vec<Derivation> = parts.iter().map(|part| self.derive(part)).collect();
        let taken = parts.iter().position(|part| due.is_ok() && part.due.as_due() == due);
        Parts { parts, taken }
    }

    fn choice(&self, arrival: Arrival<'_>, branches: &[super::Branch]) -> Choice {
        let ask = self.count.ask;
        let mut tried = Vec::new();
        let mut taken_days = None;
        // The outcome itself is already known; here only the way to it is of interest.
        let _ = arrival.choose(branches, |index, verdict| {
            let Some(branch) = branches.get(index) else { return };
            let (verdict, due) = match verdict {
                cutoff::Verdict::TooLate => (Verdict::TooLate, None),
                cutoff::Verdict::ClosedDate => (Verdict::ClosedDate, None),
                cutoff::Verdict::SameDayClosed => (Verdict::SameDayClosed, None),
                cutoff::Verdict::NotAfter(due) => (Verdict::NotAfterReceipt, Some(due)),
                cutoff::Verdict::Taken(due) => (Verdict::Taken, Some(due)),
            };
            if verdict == Verdict::Taken {
                taken_days = Some(branch.working_days);
            }
            tried.push(TriedBranch {
                when: words::branch_when(branch),
                promise: words::branch_promise(branch),
                verdict,
                due: due.map(|due| moment(ask, due)),
            });
        });
        let days = taken_days.unwrap_or(0);
        let walk = walk(ask, arrival.date(), days, ask.working_day(arrival.date(), days), Measure::Working);
        Choice {
            counts_as: (arrival.at != self.count.from).then(|| moment(ask, arrival.at)),
            on: ask.day(arrival.date()),
            compared: ask.local(arrival.at).time(),
            tried,
            walk,
        }
    }

    /// The stretches from the receipt on that make up `target`, times on hold cut out.
    fn time_used(&self, measure: Measure, target: Span, due: Due) -> TimeUsed {
        let (ask, from) = (self.count.ask, self.count.from);
        let mut used = TimeUsed {
            measure,
            target,
            stretches: Vec::new(),
            more: 0,
            more_length: Span::ZERO,
            closed: Vec::new(),
        };
        let Ok(due) = due else { return used };
        let mut left = target.as_secs();
        match measure {
            Measure::Elapsed => self.consume(from, due, &mut left, &mut used),
            Measure::Working => {
                for interval in ask.intervals(from, due) {
                    self.consume(interval.opens.max(from), interval.closes.min(due), &mut left, &mut used);
                    if left <= 0 {
                        break;
                    }
                }
                used.closed = closed_dates(ask, ask.local(from).date(), ask.local(due).date());
            }
        }
        used
    }

    /// Uses up to `left` seconds of the time between two instants, less the times on hold.
    fn consume(&self, from: Instant, to: Instant, left: &mut i64, used: &mut TimeUsed) {
        let mut at = from;
        let first = self.cut.partition_point(|(_, end)| *end <= from);
        let holds = self.cut.iter().skip(first).copied().chain([(to, to)]);
        for (begin, end) in holds {
            let stop = begin.min(to);
            if stop > at && *left > 0 {
                let length = stop.since(at).as_secs().min(*left);
                *left -= length;
                self.note(at, length, used);
            }
            at = at.max(end);
            if at >= to || *left <= 0 {
                return;
            }
        }
    }

    fn note(&self, from: Instant, length: i64, used: &mut TimeUsed) {
        let length = Span::from_secs(length);
        if used.stretches.len() >= MAX_STEPS {
            used.more += 1;
            used.more_length = Span::from_secs(used.more_length.as_secs() + length.as_secs());
        } else if let Some(to) = from.checked_add(length) {
            let local = |at: Instant| -> NaiveDateTime { self.count.ask.local(at) };
            used.stretches.push(Stretch { from, to, from_local: local(from), to_local: local(to), length });
        }
    }
}

fn closed_dates(ask: Ask<'_>, first: NaiveDate, last: NaiveDate) -> Vec<Day> {
    let dates = first.iter_days().take_while(|date| *date <= last);
    dates.filter(|date| !ask.is_working_day(*date)).take(MAX_STEPS).map(|date| ask.day(date)).collect()
}

/// The dates after `from` up to `last`, counted if they are working days, or all of them in wall-clock time.
fn walk(
    ask: Ask<'_>,
    from: NaiveDate,
    days: u32,
    last: Result<NaiveDate, NoDeadline>,
    measure: Measure,
) -> Walk {
    let mut walk = Walk { measure, days, dates: Vec::new(), more: 0 };
    let Ok(last) = last else { return walk };
    let mut number = 0;
    for date in from.iter_days().skip(1).take_while(|date| *date <= last) {
        if walk.dates.len() >= MAX_STEPS {
            walk.more = u64::try_from((last - date).num_days() + 1).unwrap_or(0);
            break;
        }
        let day = ask.day(date);
        let counts = measure == Measure::Elapsed || day.working;
        number += u32::from(counts);
        walk.dates.push(WalkedDay { day, number: counts.then_some(number) });
    }
    walk
}
