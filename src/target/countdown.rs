//! One request's time as it runs, stops and runs again.

use super::{Due, Measure, NoDeadline, Paused, Target};
use crate::policy::Rule;
use crate::time::{Instant, Span};

/// The due instant of one request, kept through any number of holds.
///
/// Made by [`Rule::countdown`]. Each hold moves the due instant by the time on hold in the target's own measure, as
/// [`due_shifted`](Rule::due_shifted) does, without counting again from the start. Holds come in order of time and do not
/// overlap.
///
/// ```
/// # use slaclock::{policy::Policy, time::Instant};
/// # let text = r#"
/// # [policy]
/// # name = "care"
/// # version = 1
/// # [calendar.office]
/// # zone = "Europe/Moscow"
/// # hours = { mon-fri = "09:00-18:00" }
/// # [[clock]]
/// # name = "resolution"
/// # start = "received"
/// # stop = "resolved"
/// # target = { working = "8h" }
/// # "#;
/// let policy = Policy::from_toml(text)?;
/// let rule = &policy.clock("resolution")?.rules[0];
/// let mut countdown = rule.countdown(Instant::parse("2026-03-06T15:00:00+03:00")?); // a Friday
/// assert_eq!(countdown.due()?, Instant::parse("2026-03-09T14:00:00+03:00")?);
/// countdown.pause(Instant::parse("2026-03-06T17:00:00+03:00")?);
/// countdown.resume(Instant::parse("2026-03-09T10:00:00+03:00")?); // two working hours later
/// assert_eq!(countdown.due()?, Instant::parse("2026-03-09T16:00:00+03:00")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Countdown<'a> {
    rule: &'a Rule,
    received: Instant,
    from: Instant,
    base: Base,
    paused: Paused,
    due: Due,
    /// Since when it is on hold, and the working seconds before that.
    held: Option<(Instant, u32)>,
}

/// The due instant without time on hold, as far as holds only move it.
#[derive(Clone, Copy, Debug)]
enum Base {
    /// With the working seconds before it.
    Working(Instant, u32),
    Elapsed(Instant),
    /// Parts move differently, or what moved is moved once more: counted again each time.
    Counted,
}

impl Rule {
    /// The countdown of a request received at `received`, running.
    pub fn countdown(&self, received: Instant) -> Countdown<'_> {
        let due = self.due(received);
        let moves_at_once =
            !self.roll_forward && !matches!(self.target, Target::Earliest(_) | Target::Latest(_));
        let base = match (due, self.measure()) {
            (Ok(due), Measure::Working) if moves_at_once => Base::Working(due, self.calendar.work_at(due)),
            (Ok(due), Measure::Elapsed) if moves_at_once => Base::Elapsed(due),
            _ => Base::Counted,
        };
        let from = if self.receipt.is_empty() { received } else { self.counted_from(received) };
        Countdown { rule: self, received, from, base, paused: Paused::default(), due, held: None }
    }
}

impl Countdown<'_> {
    /// The due instant after all holds so far; while it is paused, as if it were resumed at once.
    ///
    /// # Errors
    /// The reason why there is no deadline.
    #[inline]
    pub fn due(&self) -> Due {
        self.due
    }

    /// The time on hold so far, without a hold that lasts.
    pub fn paused(&self) -> Paused {
        self.paused
    }

    /// Whether a hold lasts.
    pub fn is_paused(&self) -> bool {
        self.held.is_some()
    }

    /// Puts it on hold from `at` on. Does nothing while it is on hold, after the due instant, or without one.
    #[inline]
    pub fn pause(&mut self, at: Instant) {
        let since = at.max(self.from);
        if self.held.is_none() && self.due.is_ok_and(|due| since <= due) {
            self.held = Some((since, self.rule.calendar.work_at(since)));
        }
    }

    /// Ends the hold at `at`, which moves the due instant; an end before the start is no time. Does nothing while it is
    /// not on hold.
    #[inline]
    pub fn resume(&mut self, at: Instant) {
        let Some((since, worked)) = self.held.take() else { return };
        if at <= since {
            return;
        }
        let working = i64::from(self.rule.calendar.work_at(at)) - i64::from(worked);
        self.paused =
            self.paused.plus(Paused { working: Span::from_secs(working), elapsed: at.since(since) });
        self.due = self.moved();
    }

    /// What is left at `at` until the due instant, in the rule's own measure; while it is paused, what was left then.
    ///
    /// # Errors
    /// The reason why there is no deadline.
    pub fn remaining(&self, at: Instant) -> Result<Span, NoDeadline> {
        let at = self.held.map_or(at.max(self.from), |(since, _)| since);
        Ok(self.rule.measured(at, self.due?).max(Span::ZERO))
    }

    #[inline]
    fn moved(&self) -> Due {
        match self.base {
            Base::Working(base, _) if self.paused.working <= Span::ZERO => Ok(base),
            Base::Working(base, worked) => {
                self.rule.calendar.work_after_that(base, worked, self.paused.working)
            }
            Base::Elapsed(base) => base.checked_add(self.paused.elapsed).ok_or(NoDeadline::BeyondRange),
            Base::Counted => self.rule.due_shifted(self.received, self.paused, None),
        }
    }
}
