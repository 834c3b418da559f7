//! The outlook of the promised shares: what is left to lose in the running period, and what must be handled for it.

use serde::{Deserialize, Serialize};

use super::report::{Member, asked_clocks, local_date, period_of};
use super::{AttainmentQuery, Db};
use crate::attainment::{Attainment, Outcome, Outlook, PeriodRange, Pressing, Pulse, Tally, Verdict};
use crate::clock::Cycle;
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{Clock, Policy};
use crate::store::snapshot::Snapshot;
use crate::time::{Instant, Span};

/// What an outlook is asked of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutlookQuery {
    /// Judged at this instant; what happened later is left out.
    pub now: Instant,
    /// Only the clock of this name; all that promise a share if `None`.
    #[serde(default)]
    pub clock: Option<String>,
    /// The period; the one that `now` lies in, by the clock's own `per`, if `None`.
    #[serde(default)]
    pub period: Option<PeriodRange>,
    /// The horizon of what must be finished; the end of the local day if `None`.
    #[serde(default)]
    pub until: Option<Instant>,
}

impl OutlookQuery {
    /// Every clock that promises a share, the period and the day that `now` lies in.
    pub fn at(now: Instant) -> OutlookQuery {
        OutlookQuery { now, clock: None, period: None, until: None }
    }

    /// Only the clock of this name.
    #[must_use]
    pub fn clock(mut self, name: impl Into<String>) -> OutlookQuery {
        self.clock = Some(name.into());
        self
    }

    /// This period instead of the running one.
    #[must_use]
    pub fn period(mut self, period: PeriodRange) -> OutlookQuery {
        self.period = Some(period);
        self
    }

    /// This horizon instead of the end of the local day.
    #[must_use]
    pub fn until(mut self, until: Instant) -> OutlookQuery {
        self.until = Some(until);
        self
    }
}

impl Db {
    /// Where each promised share stands at `now` and what its verdict hangs on, in the order of the newest policy's
    /// clocks.
    ///
    /// Costs as much as the requests of the periods asked for.
    ///
    /// # Errors
    /// `NotFound` if the newest policy has no clock of the name asked for, or none that promises a share;
    /// `InvalidArgument` if the clock asked for promises none, or the horizon lies before `now`; the errors of the
    /// file.
    pub fn outlook(&self, query: &OutlookQuery) -> Result<Vec<Outlook>> {
        if let Some(until) = query.until.filter(|until| *until < query.now) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("horizon {until}: must not lie before now, {}", query.now),
            ));
        }
        self.store.read(|snapshot| {
            let newest = self.edition(snapshot, snapshot.head().policy)?.policy.clone();
            let clocks = asked_clocks(&newest, query.clock.as_deref())?;
            clocks.into_iter().map(|(_, clock)| self.outlook_of(snapshot, &newest, clock, query)).collect()
        })
    }

    fn outlook_of(
        &self,
        snapshot: &Snapshot<'_>,
        newest: &Policy,
        clock: &Clock,
        query: &OutlookQuery,
    ) -> Result<Outlook> {
        let no_goal = || {
            let message =
                format!("clock `{}`: promises no share (`attainment`), so it has no outlook", clock.name);
            Error::new(ErrorKind::InvalidArgument, message)
        };
        let goal = clock.attainment.ok_or_else(no_goal)?;
        let today = local_date(clock, query.now).ok_or_else(no_goal)?;
        let period = query.period.map_or_else(|| PeriodRange::around(today, goal.per), Ok)?;
        let until = match query.until {
            Some(until) => until,
            None => end_of_day(clock, query.now)?,
        };
        let cohort = AttainmentQuery::at(query.now).period(period);
        let (mut tally, mut members) = (Tally::default(), Vec::new());
        self.each_cohort_member(snapshot, &[newest], &cohort, |member| {
            let date = local_date(clock, member.received_at);
            if date.map(|date| period_of(&cohort, date)).transpose()?.flatten().is_none() {
                return Ok(());
            }
            if let Some(pulse) = pulse(member, &clock.name, query.now) {
                tally.add(&pulse.outcome);
                if matches!(pulse.outcome.verdict, Verdict::Undecided | Verdict::Missed) {
                    members.push(pulse);
                }
            }
            Ok(())
        })?;
        let attainment = Attainment {
            period,
            clock: clock.name.clone(),
            tally,
            goal: Some(goal),
            period_over: today > period.last(),
        };
        Outlook::of(attainment, until, members).ok_or_else(no_goal)
    }
}

/// What the outlook takes of a request; `None` if its policy has no such clock.
fn pulse(member: &Member, clock: &str, now: Instant) -> Option<Pulse> {
    let timeline = member.lived(now);
    let clocks = member.policy.clocks();
    let own = clocks.iter().position(|own| own.name == clock)?;
    let open_of =
        |clock: usize| timeline.current(clock).filter(|cycle| cycle.is_open() && cycle.has_started(now));
    let restarting = || clocks.iter().enumerate().filter(|(_, clock)| clock.informs_customer());
    let cycle = open_of(own);
    let update_due_at = restarting().filter_map(|(at, _)| open_of(at)?.due_at).min();
    Some(Pulse {
        outcome: Outcome::of(timeline.cycles_of(own), now),
        open: Pressing {
            due_at: cycle.and_then(|cycle: &Cycle| cycle.due_at),
            limit_at: cycle.and_then(|cycle| cycle.limit_at),
            request: member.id().to_owned(),
            update_due_at,
        },
        updates: restarting()
            .filter(|(at, _)| *at != own)
            .map(|(at, clock)| (clock.name.clone(), Outcome::of(timeline.cycles_of(at), now)))
            .collect(),
    })
}

/// The midnight that ends the local day of `now`.
fn end_of_day(clock: &Clock, now: Instant) -> Result<Instant> {
    let day = local_date(clock, now).map(|date| PeriodRange::between(date, date)).transpose()?;
    let calendar = clock.rules.first().map(|rule| &rule.calendar);
    Ok(match (day, calendar) {
        (Some(day), Some(calendar)) => day.instants(calendar).1.max(now),
        _ => now.checked_add(Span::from_hours(24)).unwrap_or(Instant::MAX),
    })
}
