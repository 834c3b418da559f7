//! A rule as a function of the receipt: what it gives now, and how long it goes on like that.
//!
//! As the receipt moves on by a second, a due instant stays where it is or moves along, until something changes: a
//! midnight, an opening, a clock change, a branch that falls away. This walks the same way as [`Rule::due`] and notes the
//! first such change. Tables are built from it; [`Rule::due`] remains what they must agree with.

use super::{Branch, ClosedDay, CountsAs, DayTime, ReceiptRule, ReceiptWhen, Target};
use crate::calendar::{Calendar, Edge};
use crate::policy::Rule;
use crate::time::{DAY_S, Instant, Span, TimeOfDay};

/// The first instant beyond the range.
pub(super) const END_S: i64 = Instant::MAX.as_secs() + 1;

/// An instant, in seconds, and whether it moves along with the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moving {
    pub(super) at: i64,
    pub(super) moves: bool,
}

/// What a rule gives for receipts from one instant up to, not including, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// For the first of these receipts; `None` if there is no deadline.
    pub(super) due: Option<Moving>,
    pub(super) until: i64,
}

/// Which instant of a rule is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Due,
    Limit,
}

/// The piece of a rule that begins with a receipt at `at`.
pub(super) fn piece(rule: &Rule, which: Which, at: Instant) -> Piece {
    let received = at.as_secs();
    let mut flow = Flow { calendar: &rule.calendar, received, until: END_S };
    let due = flow.instant(rule, which);
    Piece { due, until: flow.until }
}

struct Flow<'a> {
    calendar: &'a Calendar,
    received: i64,
    /// Up to here everything found so far holds.
    until: i64,
}

/// Where a count begins.
#[derive(Clone, Copy)]
struct From {
    received: Moving,
    at: Moving,
}

impl Flow<'_> {
    fn instant(&mut self, rule: &Rule, which: Which) -> Option<Moving> {
        let received = Moving { at: self.received, moves: true };
        let at = rule.receipt.iter().try_fold(received, |at, rule| self.counts_as(rule, at))?;
        let from = From { received, at };
        match which {
            Which::Due => self.rolled(rule, from, &rule.target),
            Which::Limit => {
                let limit = self.rolled(rule, from, rule.backstop.as_ref()?)?;
                match self.rolled(rule, from, &rule.target) {
                    Some(due) => Some(self.later(limit, due)),
                    None => Some(limit),
                }
            }
        }
    }

    /// What holds now holds for so many seconds at most.
    fn holds_for(&mut self, seconds: i64) {
        self.until = self.until.min(self.received.saturating_add(seconds));
    }

    fn counts_as(&mut self, rule: &ReceiptRule, at: Moving) -> Option<Moving> {
        let applies = match rule.when {
            ReceiptWhen::ClosedDay => {
                let (day, _) = self.local(at);
                !self.calendar.is_working(day)
            }
            ReceiptWhen::From(time) => !self.is_before(at, time),
            ReceiptWhen::Before(time) => self.is_before(at, time),
            ReceiptWhen::OutsideHours => !self.is_open(at),
        };
        if !applies {
            return Some(at);
        }
        let (day, time) = self.local(at);
        match rule.counts_as {
            CountsAs::NextOpening => self.next_open(at),
            CountsAs::SameDay(time) => self.civil(day, fixed(time)),
            CountsAs::NextWorkingDay(time) => {
                let day = self.calendar.nth_working(day, 1)?;
                self.civil(day, fixed(time))
            }
            CountsAs::NextWorkingDaySameTime => {
                let day = self.calendar.nth_working(day, 1)?;
                self.civil(day, time)
            }
            CountsAs::NextWorkingDayOpening => self.first_open(self.calendar.nth_working(day, 1)?),
        }
    }

    fn rolled(&mut self, rule: &Rule, from: From, target: &Target) -> Option<Moving> {
        let due = self.target(from, target)?;
        if !rule.roll_forward || self.is_open(due) || self.is_closing(due) {
            return Some(due);
        }
        self.next_open(due)
    }

    fn target(&mut self, from: From, target: &Target) -> Option<Moving> {
        match target {
            Target::Earliest(parts) => {
                let mut best: Option<Moving> = None;
                for part in parts {
                    best = match (best, self.target(from, part)) {
                        (Some(best), Some(due)) => Some(self.earlier(best, due)),
                        (best, due) => best.or(due),
                    };
                }
                best
            }
            Target::Latest(parts) => {
                let mut latest: Option<Moving> = None;
                for part in parts {
                    let due = self.target(from, part)?;
                    latest = Some(latest.map_or(due, |latest| self.later(latest, due)));
                }
                latest
            }
            single => {
                let due = self.single(from, single)?;
                Some(self.later(due, from.received))
            }
        }
    }

    fn single(&mut self, from: From, target: &Target) -> Option<Moving> {
        match target {
            Target::None | Target::Promised | Target::Earliest(_) | Target::Latest(_) => None,
            Target::Elapsed(span) => {
                let at = from.at.at.checked_add(span.as_secs().max(0))?;
                self.in_range(Moving { at, ..from.at })
            }
            Target::Working(span) => self.add_working(from.at, span.as_secs().max(0)),
            Target::WorkingDays { days, at } => {
                let (day, time) = self.local(from.at);
                let day = self.calendar.nth_working(day, *days)?;
                self.on(day, *at, time)
            }
            Target::CalendarDays { days, at } => {
                let (day, time) = self.local(from.at);
                self.on(day + i64::from(*days), *at, time)
            }
            Target::Cutoff { branches, closed_day } => self.cutoff(from, branches, *closed_day),
        }
    }

    fn cutoff(&mut self, from: From, branches: &[Branch], closed_day: ClosedDay) -> Option<Moving> {
        let (day, time) = self.local(from.at);
        let at = if closed_day == ClosedDay::Otherwise || self.calendar.is_working(day) {
            from.at
        } else {
            let next = self.calendar.nth_working(day, 1)?;
            match closed_day {
                ClosedDay::NextOpenDaySameTime => self.civil(next, time)?,
                ClosedDay::NextOpenDay | ClosedDay::Otherwise => self.first_open(next)?,
            }
        };
        let floor = self.later(at, from.received);
        let (day, time) = self.local(at);
        let working = self.calendar.is_working(day);
        for (index, branch) in branches.iter().enumerate() {
            let stands_for_closed = index + 1 == branches.len() && branch.working_days > 0;
            if !working && !stands_for_closed {
                continue;
            }
            if let Some(before) = branch.received_before
                && working
                && !self.is_before(at, before)
            {
                continue;
            }
            let day = self.calendar.nth_working(day, branch.working_days)?;
            let due = self.on(day, branch.at, time)?;
            if self.is_after(due, floor) {
                return Some(due);
            }
        }
        None
    }

    /// The local date of an instant, in days since 1970-01-01, and its time of day in seconds.
    fn local(&mut self, at: Moving) -> (i64, Moving) {
        let (offset, end) = self.calendar.zone().offset_until(at.at);
        let local = at.at + offset;
        let day = local.div_euclid(DAY_S);
        if at.moves {
            self.holds_for(end.saturating_sub(at.at));
            self.holds_for((day + 1) * DAY_S - local);
        }
        (day, Moving { at: local - day * DAY_S, ..at })
    }

    fn on(&mut self, day: i64, at: DayTime, same: Moving) -> Option<Moving> {
        match at {
            DayTime::Close => self.close(day),
            DayTime::At(time) => self.civil(day, fixed(time)),
            DayTime::SameTime => self.civil(day, same),
        }
    }

    fn civil(&mut self, day: i64, time: Moving) -> Option<Moving> {
        let civil = day * DAY_S + time.at;
        let (at, along, left) = self.calendar.zone().first_utc_of_civil(civil);
        if time.moves {
            self.holds_for(left);
        }
        let moves = time.moves && along;
        if at < 0 {
            // Counts as the first instant of the range.
            if moves {
                self.holds_for(-at);
            }
            return Some(Moving { at: 0, moves: false });
        }
        self.in_range(Moving { at, moves })
    }

    fn in_range(&mut self, at: Moving) -> Option<Moving> {
        if at.at >= END_S {
            return None;
        }
        if at.moves {
            self.holds_for(END_S - at.at);
        }
        Some(at)
    }

    fn close(&mut self, day: i64) -> Option<Moving> {
        let at = match self.calendar.edges_of(day) {
            Some((_, closes)) if closes >= END_S => return None,
            Some((_, closes)) => closes,
            None => self.calendar.zone().utc_of_civil_secs((day + 1) * DAY_S, Edge::Close),
        };
        self.in_range(Moving { at: at.max(0), moves: false })
    }

    fn first_open(&mut self, day: i64) -> Option<Moving> {
        let (opens, _) = self.calendar.edges_of(day)?;
        Some(Moving { at: Instant::checked(opens)?.as_secs(), moves: false })
    }

    fn is_open(&mut self, at: Moving) -> bool {
        let Some(instant) = Instant::checked(at.at) else { return false };
        if at.moves
            && let Some(edge) = self.calendar.edge_after(instant)
        {
            self.holds_for(edge - at.at);
        }
        self.calendar.is_open_time(instant)
    }

    fn is_closing(&mut self, at: Moving) -> bool {
        let is_open = |at: i64| Instant::checked(at).is_some_and(|at| self.calendar.is_open_time(at));
        let is_closing = !is_open(at.at) && is_open(at.at - 1);
        if at.moves && is_closing {
            self.holds_for(1);
        }
        is_closing
    }

    fn next_open(&mut self, at: Moving) -> Option<Moving> {
        if self.is_open(at) {
            return Some(at);
        }
        let opens = self.calendar.next_open(Instant::checked(at.at)?).ok()?;
        Some(Moving { at: opens.as_secs(), moves: false })
    }

    fn add_working(&mut self, from: Moving, span_s: i64) -> Option<Moving> {
        if span_s == 0 {
            return Some(from);
        }
        let begins = Instant::checked(from.at)?;
        let due = self.calendar.work_after(begins, Span::from_secs(span_s)).ok()?;
        if !from.moves {
            return Some(Moving { at: due.as_secs(), moves: false });
        }
        let is_open = self.calendar.is_open_time(begins);
        if let Some(edge) = self.calendar.edge_after(begins) {
            // At the edge itself as much working time has passed as the piece says.
            self.holds_for(edge - from.at + 1);
        }
        if is_open {
            // The due instant may be a closing; the next second of working time begins after the gap.
            let last = Instant::checked(due.as_secs() - 1)?;
            let closes = self.calendar.edge_after(last)?;
            self.holds_for(closes.min(END_S - 1) - due.as_secs() + 1);
        }
        Some(Moving { at: due.as_secs(), moves: is_open })
    }

    fn is_before(&mut self, at: Moving, time: TimeOfDay) -> bool {
        let (day, _) = self.local(at);
        let limit = self.calendar.zone().utc_of_civil_secs(day * DAY_S + time.as_secs(), Edge::Open);
        if at.at < limit && at.moves {
            self.holds_for(limit - at.at);
        }
        at.at < limit
    }

    fn is_after(&mut self, due: Moving, floor: Moving) -> bool {
        if due.at > floor.at {
            if floor.moves && !due.moves {
                self.holds_for(due.at - floor.at);
            }
            return true;
        }
        if due.moves && !floor.moves {
            self.holds_for(floor.at - due.at + 1);
        }
        false
    }

    fn later(&mut self, a: Moving, b: Moving) -> Moving {
        // Of two that are equal the one that moves gets ahead.
        let (winner, loser) = if (a.at, a.moves) >= (b.at, b.moves) { (a, b) } else { (b, a) };
        if loser.moves && !winner.moves {
            self.holds_for(winner.at - loser.at + 1);
        }
        winner
    }

    fn earlier(&mut self, a: Moving, b: Moving) -> Moving {
        // Of two that are equal the one that moves falls behind.
        let (winner, loser) = if (a.at, a.moves) <= (b.at, b.moves) { (a, b) } else { (b, a) };
        if winner.moves && !loser.moves {
            self.holds_for(loser.at - winner.at + 1);
        }
        winner
    }
}

fn fixed(time: TimeOfDay) -> Moving {
    Moving { at: time.as_secs(), moves: false }
}
