//! Reports over cohorts: attainment against the promised share, and time spent waiting, for whom.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Db;
use super::request::Life;
use crate::attainment::{Attainment, GoalVerdict, GroupBy, IntoPeriod, Outcome, PeriodRange, Tally};
use crate::calendar::Calendar;
use crate::clock::Timeline;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, Facts, Request};
use crate::policy::{Clock, Period, Policy};
use crate::report::Ids;
use crate::store::snapshot::Snapshot;
use crate::time::{Instant, Span};

/// What to report.
///
/// A cohort is what was received in the period, by the local date in the zone of the clock's calendar.
#[derive(Clone, Debug)]
pub struct AttainmentQuery {
    pub(super) now: Instant,
    pub(super) period: Option<PeriodRange>,
    per: Option<Period>,
    pub(super) clock: Option<String>,
    pub(super) by: Vec<GroupBy>,
}

impl AttainmentQuery {
    /// Everything received so far, judged at `now`, all clocks that promise a share.
    pub fn at(now: Instant) -> AttainmentQuery {
        AttainmentQuery { now, period: None, per: None, clock: None, by: Vec::new() }
    }

    /// Only what was received in this period.
    #[must_use]
    pub fn period(mut self, period: PeriodRange) -> AttainmentQuery {
        self.period = Some(period);
        self
    }

    /// Judges every month, quarter or year apart.
    #[must_use]
    pub fn per(mut self, per: Period) -> AttainmentQuery {
        self.per = Some(per);
        self
    }

    /// Only the clock of this name, whether it promises a share or not.
    #[must_use]
    pub fn clock(mut self, name: impl Into<String>) -> AttainmentQuery {
        self.clock = Some(name.into());
        self
    }

    /// Counts apart by a fact: `customer`, `priority`, `category`, `channel` or an attribute.
    #[must_use]
    pub fn by(mut self, fact: impl Into<String>) -> AttainmentQuery {
        self.by.push(GroupBy::Fact(fact.into()));
        self
    }

    /// What a request is counted apart by, with its values.
    pub(super) fn values(&self, clock: &str, facts: &Facts) -> Vec<(String, Option<String>)> {
        let value = |by: &GroupBy| (by.name().to_owned(), by.value(clock, facts).map(str::to_owned));
        self.by.iter().map(value).collect()
    }
}

/// One line of a report. Written out, it carries what follows from its counts too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The facts counted apart by, with this group's values; `None` where requests do not have the fact.
    pub by: Vec<(String, Option<String>)>,
    /// Its counts against the goal.
    pub attainment: Attainment,
}

impl Serialize for Group {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line<'a> {
            by: &'a [(String, Option<String>)],
            attainment: &'a Attainment,
            share_bp: Option<u32>,
            share_interval_bp: Option<(u32, u32)>,
            best_share_bp: Option<u32>,
            worst_share_bp: Option<u32>,
            verdict: Option<GoalVerdict>,
            misses_allowed: Option<u64>,
            budget_left: Option<i64>,
            adjusted: Adjusted,
        }
        /// The same without the waived misses, always beside the raw figures.
        #[derive(Serialize)]
        struct Adjusted {
            missed: u64,
            share_bp: Option<u32>,
            verdict: Option<GoalVerdict>,
            misses_allowed: Option<u64>,
            budget_left: Option<i64>,
        }
        let (attainment, tally) = (&self.attainment, &self.attainment.tally);
        let goal = attainment.goal.as_ref();
        let adjusted = attainment.adjusted();
        Line {
            by: &self.by,
            attainment,
            share_bp: tally.share_bp(),
            share_interval_bp: tally.share_interval_bp(),
            best_share_bp: tally.best_share_bp(),
            worst_share_bp: tally.worst_share_bp(),
            verdict: attainment.verdict(),
            misses_allowed: goal.map(|goal| tally.allowed_misses(goal)),
            budget_left: goal.map(|goal| tally.budget_left(goal)),
            adjusted: Adjusted {
                missed: adjusted.tally.missed,
                share_bp: adjusted.tally.share_bp(),
                verdict: adjusted.verdict(),
                misses_allowed: goal.map(|goal| adjusted.tally.allowed_misses(goal)),
                budget_left: goal.map(|goal| adjusted.tally.budget_left(goal)),
            },
        }
        .serialize(serializer)
    }
}

/// Time on hold for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// `waiting_customer`, `waiting_vendor` or a reason of the policy's own.
    pub reason: String,
    /// Requests that were on hold for it.
    pub requests: u64,
    /// Stretches on hold.
    pub holds: u64,
    /// Wall-clock time on hold, summed over the requests.
    pub elapsed: Span,
    /// Working time on hold in the calendar of the policy's first clock, summed over the requests.
    pub working: Span,
    /// The median stretch, wall-clock time.
    pub median: Span,
}

/// Clock index, first date of the period, group values.
type GroupKey = (usize, NaiveDate, Vec<Option<String>>);

impl Db {
    /// Attainment of one period, for each clock that promises a share, judged at `now`.
    ///
    /// # Errors
    /// `InvalidArgument` or `OutOfRange` if there is no such period; the errors of the file.
    pub fn attainment(&self, period: impl IntoPeriod, now: Instant) -> Result<Vec<Attainment>> {
        let groups = self.attainment_by(&AttainmentQuery::at(now).period(period.period()?))?;
        Ok(groups.into_iter().map(|group| group.attainment).collect())
    }

    /// Attainment by clock, then period, then group, in the order of the newest policy's clocks.
    ///
    /// Goals are those of the newest policy. A single period that nothing was received in still has its line.
    ///
    /// # Errors
    /// `NotFound` if the newest policy has no clock of the name asked for; the errors of the file.
    pub fn attainment_by(&self, query: &AttainmentQuery) -> Result<Vec<Group>> {
        self.store.read(|snapshot| {
            let newest = self.edition(snapshot, snapshot.head().policy)?.policy.clone();
            let mut count = Count::new(&newest, query)?;
            self.each_cohort_member(snapshot, &[&newest], query, |member| {
                count.add(&member.policy, member.received_at, &member.lived(query.now))
            })?;
            Ok(count.groups())
        })
    }

    /// Time on hold by reason, for requests received in the period (all if `None`), up to `now`.
    ///
    /// A hold that nobody ended counts until the request was handled, or until `now`.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn waiting(&self, period: Option<PeriodRange>, now: Instant) -> Result<Vec<Waiting>> {
        let mut query = AttainmentQuery::at(now);
        query.period = period;
        self.store.read(|snapshot| {
            let newest = self.edition(snapshot, snapshot.head().policy)?.policy.clone();
            let mut count = WaitingCount::default();
            self.each_cohort_member(snapshot, &[&newest], &query, |member| {
                let Some(clock) = member.policy.clocks().first() else { return Ok(()) };
                let date = local_date(clock, member.received_at);
                if date.map(|date| period_of(&query, date)).transpose()?.flatten().is_some() {
                    count.add(member, &member.lived(now), now, 0);
                }
                Ok(())
            })?;
            Ok(count.waiting().map(|(waiting, _)| waiting).collect())
        })
    }

    /// Hands over every request received by `now` that may count, in the order of submission.
    ///
    /// Whether one is received in the period depends on the zone of a clock; `judges` are the policies whose clocks
    /// will say.
    pub(super) fn each_cohort_member(
        &self,
        snapshot: &Snapshot<'_>,
        judges: &[&Policy],
        query: &AttainmentQuery,
        mut visit: impl FnMut(&Member) -> Result<()>,
    ) -> Result<()> {
        for slot in 0..snapshot.head().requests {
            let row = snapshot.request_row(slot)?;
            let Some(received_at) = Instant::from_raw(row.received_at) else { continue };
            if received_at > query.now || !judges.iter().any(|judge| may_be_in(judge, query, received_at)) {
                continue;
            }
            let life = self.facts_of(snapshot, slot)?;
            visit(&Member { received_at, policy: life.policy.clone(), life })?;
        }
        Ok(())
    }
}

/// A request that may belong to a cohort.
pub(super) struct Member {
    pub(super) received_at: Instant,
    /// The policy it is pinned to.
    pub(super) policy: Policy,
    life: Life,
}

impl Member {
    /// The request's external id.
    pub(super) fn id(&self) -> &str {
        &self.life.request.id
    }

    /// The request as submitted.
    pub(super) fn request(&self) -> &Request {
        &self.life.request
    }

    /// Its events in the order that counts.
    pub(super) fn events(&self) -> &[Event] {
        &self.life.events
    }

    /// Its life as it was, as of `now`.
    pub(super) fn lived(&self, now: Instant) -> Timeline {
        self.life.timeline_at(now)
    }

    /// Its life if another policy had been in force from the start, as of `now`.
    pub(super) fn timeline(&self, policy: &Policy, now: Instant) -> Timeline {
        self.life.timeline_under(policy, now)
    }
}

/// Attainment being counted, against the goals of one policy.
pub(super) struct Count<'a> {
    goals: &'a Policy,
    query: &'a AttainmentQuery,
    clocks: Vec<(usize, &'a Clock)>,
    tallies: BTreeMap<GroupKey, (PeriodRange, Tally)>,
}

impl<'a> Count<'a> {
    pub(super) fn new(goals: &'a Policy, query: &'a AttainmentQuery) -> Result<Count<'a>> {
        let clocks = asked_clocks(goals, query.clock.as_deref())?;
        let mut tallies = BTreeMap::new();
        if let (Some(period), true) = (query.period, query.by.is_empty() && query.per.is_none()) {
            for (at, _) in &clocks {
                tallies.insert((*at, period.first(), vec![]), (period, Tally::default()));
            }
        }
        Ok(Count { goals, query, clocks, tallies })
    }

    /// The clocks that are counted.
    pub(super) fn clocks(&self) -> impl Iterator<Item = &'a Clock> {
        self.clocks.iter().map(|(_, clock)| *clock)
    }

    /// Counts one request, whose life is the one under `policy`.
    pub(super) fn add(&mut self, policy: &Policy, received_at: Instant, timeline: &Timeline) -> Result<()> {
        for (at, clock) in &self.clocks {
            let Some(period) = self.period(clock, received_at)? else { continue };
            let Some(own) = policy.clocks().iter().position(|own| own.name == clock.name) else { continue };
            let outcome = Outcome::of(timeline.cycles_of(own), self.query.now);
            let values =
                self.query.by.iter().map(|by| by.value(&clock.name, &timeline.facts).map(str::to_owned));
            let key = (*at, period.first(), values.collect());
            self.tallies.entry(key).or_insert((period, Tally::default())).1.add(&outcome);
        }
        Ok(())
    }

    /// The period that a request counts to by this clock; `None` if it is not asked for.
    pub(super) fn period(&self, clock: &Clock, received_at: Instant) -> Result<Option<PeriodRange>> {
        local_date(clock, received_at).map_or(Ok(None), |date| period_of(self.query, date))
    }

    pub(super) fn groups(self) -> Vec<Group> {
        let (goals, query) = (self.goals, self.query);
        let group = |((at, _, values), (period, tally)): (GroupKey, (PeriodRange, Tally))| {
            let clock = goals.clocks().get(at)?;
            let names = query.by.iter().map(|by| by.name().to_owned());
            Some(Group {
                by: names.zip(values).collect(),
                attainment: Attainment {
                    period,
                    clock: clock.name.clone(),
                    tally,
                    goal: clock.attainment,
                    period_over: local_date(clock, query.now).is_some_and(|today| today > period.last()),
                },
            })
        };
        self.tallies.into_iter().filter_map(group).collect()
    }
}

/// Time on hold, being counted by reason.
#[derive(Default)]
pub(super) struct WaitingCount {
    reasons: BTreeMap<String, Holds>,
}

#[derive(Default)]
struct Holds {
    lengths: Vec<i64>,
    working: i64,
    ids: Ids,
}

impl WaitingCount {
    /// Counts one request's holds up to `now`; keeps the ids of at most `most` requests for each reason.
    pub(super) fn add(&mut self, member: &Member, timeline: &Timeline, now: Instant, most: usize) {
        let calendar = member.policy.clocks().first().and_then(calendar_of);
        let mut seen: Vec<&str> = Vec::new();
        for (reason, from, to) in timeline.stretches(now) {
            let holds = self.reasons.entry(reason.to_owned()).or_default();
            holds.lengths.push(to.since(from).as_secs());
            holds.working += calendar.map_or(0, |calendar| calendar.working_time(from, to).as_secs());
            if !seen.contains(&reason) {
                seen.push(reason);
                holds.ids.add(member.id(), most);
            }
        }
    }

    /// The figures by reason, with the requests.
    pub(super) fn waiting(self) -> impl Iterator<Item = (Waiting, Ids)> {
        self.reasons.into_iter().map(|(reason, Holds { mut lengths, working, ids })| {
            lengths.sort_unstable();
            let waiting = Waiting {
                reason,
                requests: ids.total,
                holds: lengths.len() as u64,
                elapsed: Span::from_secs(lengths.iter().sum()),
                working: Span::from_secs(working),
                median: Span::from_secs(lengths.get(lengths.len() / 2).copied().unwrap_or(0)),
            };
            (waiting, ids)
        })
    }
}

/// The clocks asked for, with their index: one by name, else those that promise a share.
pub(super) fn asked_clocks<'a>(policy: &'a Policy, name: Option<&str>) -> Result<Vec<(usize, &'a Clock)>> {
    let clocks = policy.clocks().iter().enumerate();
    let asked: Vec<_> = match name {
        Some(name) => {
            policy.clock(name)?;
            clocks.filter(|(_, clock)| clock.name == name).collect()
        }
        None => clocks.filter(|(_, clock)| clock.attainment.is_some()).collect(),
    };
    if asked.is_empty() {
        return Err(Error::new(
            ErrorKind::NotFound,
            "no clock of the policy promises a share (`attainment`): name the clock to report on",
        ));
    }
    Ok(asked)
}

/// A quick look, a day of zone difference generous on each side, before events are read.
fn may_be_in(judge: &Policy, query: &AttainmentQuery, received_at: Instant) -> bool {
    let Some(period) = query.period else { return true };
    let dates = judge.clocks().iter().filter_map(|clock| local_date(clock, received_at));
    dates.into_iter().any(|date| {
        let (first, last) = (period.first().pred_opt(), period.last().succ_opt());
        first.is_none_or(|first| date >= first) && last.is_none_or(|last| date <= last)
    })
}

pub(super) fn calendar_of(clock: &Clock) -> Option<&Calendar> {
    clock.rules.first().map(|rule| rule.calendar.as_ref())
}

/// The local date; the hours by which a zone lies beyond 1970 to 2099 count to the first or last date of the range.
pub(super) fn local_date(clock: &Clock, at: Instant) -> Option<NaiveDate> {
    let (first, last) = (NaiveDate::from_ymd_opt(1970, 1, 1)?, NaiveDate::from_ymd_opt(2099, 12, 31)?);
    Some(calendar_of(clock)?.local(at).date().clamp(first, last))
}

/// The period that a date of receipt counts to; `None` if it is not asked for.
pub(super) fn period_of(query: &AttainmentQuery, date: NaiveDate) -> Result<Option<PeriodRange>> {
    if query.period.is_some_and(|period| date < period.first() || date > period.last()) {
        return Ok(None);
    }
    match (query.per, query.period) {
        (Some(per), _) => PeriodRange::around(date, per).map(Some),
        (None, Some(period)) => Ok(Some(period)),
        // Everything: one period from the first to the last date there is.
        (None, None) => {
            let date = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
            PeriodRange::between(date(1970, 1, 1), date(2099, 12, 31)).map(Some)
        }
    }
}
