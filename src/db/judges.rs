//! Who judges a promised share: each version of the policy, over the periods that begin while it is in force.

use super::report::{calendar_of, local_date};
use crate::attainment::{Cohort, Crossed, IntoPeriod, Month, PeriodRange};
use crate::clock::ThresholdKind;
use crate::policy::{AttainmentGoal, Clock, Policy};
use crate::store::notices::NoticeRow;
use crate::store::periods::CohortKey;
use crate::time::Instant;

/// A promised share of one version of the policy.
pub(super) struct Judge {
    /// The first edition of the version: later ones differ in zone data alone, and move no period.
    pub(super) edition: u32,
    pub(super) clock: u8,
    pub(super) goal: AttainmentGoal,
    pub(super) policy: Policy,
    /// It judges the periods that begin in [from, until).
    pub(super) from: Instant,
    pub(super) until: Option<Instant>,
}

impl Judge {
    pub(super) fn clock(&self) -> Option<&Clock> {
        self.policy.clocks().get(usize::from(self.clock))
    }

    /// The period that a request received at `at` counts to; `None` if another version judges that.
    pub(super) fn period(&self, at: Instant) -> Option<Term> {
        let clock = self.clock()?;
        self.term(PeriodRange::around(local_date(clock, at)?, self.goal.per).ok()?)
    }

    pub(super) fn term(&self, period: PeriodRange) -> Option<Term> {
        let (from, end) = period.instants(calendar_of(self.clock()?)?);
        let is_judged = self.from <= from && self.until.is_none_or(|until| from < until);
        let key = CohortKey { edition: self.edition, clock: self.clock, month: month_of(period) };
        is_judged.then_some(Term { key, from, end })
    }

    /// The period of a stored cohort.
    pub(super) fn term_of(&self, month: u16) -> Option<Term> {
        self.term(PeriodRange::around(first_of(month)?.first(), self.goal.per).ok()?)
    }

    /// The notices about a period, with the feed at `now`.
    pub(super) fn notices(&self, term: &Term, cohort: &Cohort, now: u32) -> Vec<NoticeRow> {
        let end = Some(term.end).filter(|end| end.raw() < now);
        let row = |kind: ThresholdKind, crossed: Crossed| {
            crossed.map(|(at, by_change)| NoticeRow {
                request: u32::from(term.key.month),
                at: at.raw(),
                cycle: u16::try_from(term.key.edition).unwrap_or(u16::MAX),
                clock: term.key.clock,
                kind,
                by_change,
                retracted: false,
            })
        };
        let exhausted = row(ThresholdKind::BudgetExhausted, cohort.exhausted(&self.goal));
        exhausted
            .into_iter()
            .chain(row(ThresholdKind::PeriodBreached, cohort.broken(&self.goal, end)))
            .collect()
    }
}

/// A period with its instants [from, end).
#[derive(Clone, Copy)]
pub(super) struct Term {
    pub(super) key: CohortKey,
    pub(super) from: Instant,
    pub(super) end: Instant,
}

/// The first month of a period, counted from January 1970.
pub(super) fn month_of(period: PeriodRange) -> u16 {
    use chrono::Datelike;
    let first = period.first();
    u16::try_from((first.year() - 1970) * 12 + first.month0() as i32).unwrap_or(0)
}

pub(super) fn first_of(month: u16) -> Option<PeriodRange> {
    Month::of(1970 + i32::from(month / 12), u32::from(month % 12) + 1).period().ok()
}

/// The promised shares of all versions, and whose cohort a request belongs to.
pub(super) struct Judges {
    pub(super) judges: Vec<Judge>,
    /// The last answer of each: requests mostly come in the order of time.
    pub(super) last: Vec<Option<Term>>,
}

impl Judges {
    /// No version promises a share.
    pub(super) fn is_empty(&self) -> bool {
        self.judges.is_empty()
    }

    /// Which cohort a request counts to by a clock of its own policy: the judge's place and the period.
    pub(super) fn of(&mut self, own: &Policy, clock: usize, received_at: Instant) -> Option<(usize, Term)> {
        let own = own.clocks().get(clock).filter(|clock| clock.attainment.is_some())?;
        for (place, (judge, last)) in self.judges.iter().zip(&mut self.last).enumerate() {
            if judge.clock().is_none_or(|clock| clock.name != own.name) {
                continue;
            }
            let known = last.filter(|term| (term.from..term.end).contains(&received_at));
            if let Some(term) = known.or_else(|| judge.period(received_at)) {
                *last = Some(term);
                return Some((place, term));
            }
        }
        None
    }
}
