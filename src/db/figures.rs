//! The whole report and the fairness of groups: one walk over the requests received in a period.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::report::{Member, WaitingCount, asked_clocks, calendar_of, local_date, period_of};
use super::{AttainmentQuery, Db, Page, Query};
use crate::attainment::{Attainment, Exclusion, GroupBy, Outcome, PeriodRange, Tail, Verdict};
use crate::clock::{Cycle, Phase, Timeline};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{Clock, Policy};
use crate::report::{
    ClockReport, Fairness, FairnessCount, Fate, Handling, Heat, Latest, Quantiles, Report, ReportQuery,
    Spending, VerdictIds, WaitingFigures,
};
use crate::time::{Instant, Span};

impl Db {
    /// Everything that there is to say about the requests received in a period: attainment against the promise, the
    /// error budget day by day, handling times against the deadline, arrivals and misses by weekday and hour, groups
    /// beside one another, the latest and the nearest, time on hold. Each figure with the ids behind it.
    ///
    /// Goals and clocks are those of the newest policy; each request is judged by the policy that it is pinned to.
    ///
    /// # Errors
    /// `NotFound` if the newest policy has no clock of the name asked for, or none that promises a share;
    /// `OutOfRange` or `InvalidArgument` for a query beyond its limits; the errors of the file.
    pub fn report(&self, query: &ReportQuery) -> Result<Report> {
        query.validate()?;
        let mut cohort = AttainmentQuery::at(query.now_at).period(query.period);
        cohort.clock.clone_from(&query.clock);
        let (newest, figures, waiting) = self.store.read(|snapshot| {
            let newest = self.edition(snapshot, snapshot.head().policy)?.policy.clone();
            let clocks = asked_clocks(&newest, query.clock.as_deref())?;
            let mut figures: Vec<_> = clocks.iter().map(|(_, clock)| Figures::new(clock, query)).collect();
            let mut waiting = WaitingCount::default();
            self.each_cohort_member(snapshot, &[&newest], &cohort, |member| {
                let timeline = member.timeline(&member.policy, query.now_at);
                let first = member.policy.clocks().first();
                if first.is_some_and(|first| is_received_in(first, query.period, member.received_at)) {
                    waiting.add(member, &timeline, query.now_at, query.most_ids as usize);
                }
                figures.iter_mut().try_for_each(|figures| figures.add(member, &timeline))
            })?;
            let figures: Vec<_> = figures.into_iter().map(Figures::report).collect();
            Ok((newest.clone(), figures, waiting))
        })?;
        let mut clocks = figures;
        for clock in &mut clocks {
            clock.nearest = self.nearest(&clock.attainment.clock, query)?;
        }
        let waiting = waiting.waiting().map(|(waiting, ids)| WaitingFigures { waiting, ids }).collect();
        let main = newest.clocks().first().and_then(calendar_of);
        Ok(Report {
            policy: newest.title(),
            statement: newest.statement().trim().to_owned(),
            zone: main.map_or_else(|| "UTC".to_owned(), |calendar| calendar.zone().name().to_owned()),
            now_at: query.now_at,
            period: query.period,
            most_ids: query.most_ids,
            clocks,
            waiting,
        })
    }

    /// How groups of requests fare beside one another: attainment with Wilson intervals, time until handled, time on
    /// hold, and whether a group's difference from the rest is more than chance would make.
    ///
    /// One answer for each clock asked for and each period, in this order; the groups by their values, all of them,
    /// each with at most 25 ids of those that missed. Without a period everything received so far is one.
    ///
    /// # Errors
    /// `InvalidArgument` if the query names no fact; `NotFound` if no request of the cohort has any of the facts, or
    /// if the newest policy has no clock of the name asked for; the errors of the file.
    pub fn fairness(&self, query: &AttainmentQuery) -> Result<Vec<Fairness>> {
        const MOST_IDS: usize = 25;
        if query.by.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "fairness by nothing: name at least one fact, such as `priority` or `customer`",
            ));
        }
        let by: Vec<String> = query.by.iter().map(|by| by.name().to_owned()).collect();
        self.store.read(|snapshot| {
            let newest = self.edition(snapshot, snapshot.head().policy)?.policy.clone();
            let clocks = asked_clocks(&newest, query.clock.as_deref())?;
            let mut counts: BTreeMap<(usize, NaiveDate), (PeriodRange, FairnessCount)> = BTreeMap::new();
            let mut known: Vec<String> = Vec::new();
            self.each_cohort_member(snapshot, &[&newest], query, |member| {
                let timeline = member.lived(query.now);
                for (at, clock) in &clocks {
                    let date = local_date(clock, member.received_at);
                    let Some(period) = date.map(|date| period_of(query, date)).transpose()?.flatten() else {
                        continue;
                    };
                    let Some(life) = Course::of(member, &timeline, clock, query.now) else { continue };
                    let (_, count) = counts
                        .entry((*at, period.first()))
                        .or_insert_with(|| (period, FairnessCount::default()));
                    let values = query.by.iter().map(|by| owned(by.value(&clock.name, &timeline.facts)));
                    count.add(values.collect(), &life.fate(member.id()), MOST_IDS);
                    for (name, _) in timeline.facts.iter() {
                        if !known.iter().any(|known| known == name) {
                            known.push(name.to_owned());
                        }
                    }
                }
                Ok(())
            })?;
            if !counts.is_empty() && !counts.values().any(|(_, count)| count.has_values()) {
                known.sort();
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!(
                        "fairness by `{}`: no request received then has this; there are: {}",
                        by.join("`, `"),
                        if known.is_empty() { "no facts at all".to_owned() } else { known.join(", ") }
                    ),
                ));
            }
            let fairness = |((at, _), (period, count)): (_, (_, FairnessCount))| {
                let clock = newest.clocks().get(at).map_or("", |clock: &Clock| clock.name.as_str());
                count.fairness(clock, period, by.clone())
            };
            Ok(counts.into_iter().map(fairness).collect())
        })
    }

    /// What is open and due next by a clock.
    fn nearest(&self, clock: &str, query: &ReportQuery) -> Result<Vec<super::Row>> {
        if query.most_rows == 0 {
            return Ok(Vec::new());
        }
        let asked = Query::at(query.now_at).since(query.now_at).clock(clock);
        Ok(self.scan(&asked, Page::first(query.most_rows as usize))?.rows)
    }
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn is_received_in(clock: &Clock, period: PeriodRange, received_at: Instant) -> bool {
    local_date(clock, received_at).is_some_and(|date| date >= period.first() && date <= period.last())
}

/// One request by one clock.
struct Course<'a> {
    cycles: &'a [Cycle],
    policy: &'a Policy,
    outcome: Outcome,
    now: Instant,
    held: BTreeMap<&'a str, i64>,
}

impl<'a> Course<'a> {
    /// `None` if the policy that the request is pinned to has no such clock.
    fn of(member: &'a Member, timeline: &'a Timeline, clock: &Clock, now: Instant) -> Option<Course<'a>> {
        let own = member.policy.clocks().iter().position(|own| own.name == clock.name)?;
        let cycles = timeline.cycles_of(own);
        let mut held: BTreeMap<&str, i64> = BTreeMap::new();
        for (reason, from, to) in timeline.stretches(now) {
            *held.entry(reason).or_default() += to.since(from).as_secs();
        }
        Some(Course { cycles, policy: &member.policy, outcome: Outcome::of(cycles, now), now, held })
    }

    fn begun(&self) -> impl Iterator<Item = &'a Cycle> {
        let now = self.now;
        self.cycles.iter().filter(move |cycle| cycle.has_started(now))
    }

    /// From the start of the first cycle to the finish of the last; `None` if it is open, or does not count.
    fn handled(&self) -> Option<(Instant, Instant)> {
        if !matches!(self.outcome.verdict, Verdict::Met | Verdict::Missed) {
            return None;
        }
        let (first, last) = (self.begun().next()?, self.begun().last()?);
        Some((first.started_at, last.finished_at()?.max(first.started_at)))
    }

    /// The instant at which it missed its first deadline.
    fn missed_at(&self) -> Option<Instant> {
        let missed = self.begun().filter(|cycle| Verdict::of_cycle(cycle, self.now) == Verdict::Missed);
        missed.filter_map(|cycle| cycle.due_threshold()).map(|due| due.at).min()
    }

    /// The same, as groups count it.
    fn fate(&self, id: &'a str) -> Fate<'_> {
        let handled = self.handled().map(|(from, to)| to.since(from).as_secs());
        Fate { id, outcome: &self.outcome, handled, held: &self.held }
    }
}

/// One clock's figures, being counted.
struct Figures<'a> {
    clock: &'a Clock,
    query: &'a ReportQuery,
    ids: VerdictIds,
    all: Spending,
    periods: BTreeMap<NaiveDate, (PeriodRange, Spending)>,
    handling: Handling,
    elapsed: Vec<i64>,
    working: Vec<i64>,
    arrivals: Heat,
    misses: Heat,
    fairness: Vec<FairnessCount>,
    latest: Vec<Latest>,
}

impl<'a> Figures<'a> {
    fn new(clock: &'a Clock, query: &'a ReportQuery) -> Figures<'a> {
        Figures {
            clock,
            query,
            ids: VerdictIds::default(),
            all: Spending::default(),
            periods: BTreeMap::new(),
            handling: Handling::default(),
            elapsed: Vec::new(),
            working: Vec::new(),
            arrivals: Heat::default(),
            misses: Heat::default(),
            fairness: query.by.iter().map(|_| FairnessCount::default()).collect(),
            latest: Vec::new(),
        }
    }

    fn most(&self) -> usize {
        self.query.most_ids as usize
    }

    fn add(&mut self, member: &Member, timeline: &Timeline) -> Result<()> {
        let (clock, period, most) = (self.clock, self.query.period, self.most());
        let Some(date) = local_date(clock, member.received_at) else { return Ok(()) };
        if date < period.first() || date > period.last() {
            return Ok(());
        }
        let Some(life) = Course::of(member, timeline, clock, self.query.now_at) else { return Ok(()) };
        let id = member.id();
        let missed_at = life.missed_at();
        let missed_on = missed_at.and_then(|at| local_date(clock, at));
        self.add_verdict(&life.outcome, id);
        self.all.add(&life.outcome, id, date, missed_on, 0);
        if let Some(goal) = &clock.attainment {
            let around = PeriodRange::around(date, goal.per)?;
            let (_, spending) =
                self.periods.entry(around.first()).or_insert_with(|| (around, Spending::default()));
            spending.add(&life.outcome, id, date, missed_on, most);
        }
        if let Some(calendar) = calendar_of(clock) {
            let local = calendar.local(member.received_at);
            self.arrivals.add(local, id, most);
            if missed_at.is_some() {
                self.misses.add(local, id, most);
            }
        }
        self.add_handling(&life, id);
        for (count, fact) in self.fairness.iter_mut().zip(&self.query.by) {
            let value = GroupBy::Fact(fact.clone()).value(&clock.name, &timeline.facts).map(str::to_owned);
            count.add(vec![value], &life.fate(id), most);
        }
        if let Some(due_at) = missed_at {
            self.add_late(member, timeline, &life, due_at);
        }
        Ok(())
    }

    fn add_verdict(&mut self, outcome: &Outcome, id: &str) {
        let most = self.most();
        let ids = &mut self.ids;
        match outcome.verdict {
            Verdict::Met => &mut ids.met,
            Verdict::Missed => &mut ids.missed,
            Verdict::Undecided => &mut ids.undecided,
            Verdict::Excluded(Exclusion::NotStarted | Exclusion::NoDeadline | Exclusion::Cancelled) => {
                &mut ids.excluded
            }
        }
        .add(id, most);
        if outcome.verdict == Verdict::Missed {
            match outcome.tail {
                Some(Tail::WithinLimit) => &mut ids.within_limit,
                Some(Tail::Undecided) => &mut ids.limit_open,
                Some(Tail::Breached) | None => &mut ids.breached,
            }
            .add(id, most);
        }
    }

    fn add_handling(&mut self, life: &Course<'_>, id: &str) {
        let most = self.most();
        let mut is_open_late = false;
        for cycle in life.begun() {
            match (cycle.phase, cycle.due_at) {
                (Phase::Met { at } | Phase::Missed { at }, Some(due)) => self.handling.add(due, at, id, most),
                (Phase::Met { .. } | Phase::Missed { .. }, None) => self.handling.on_hold.add(id, most),
                (Phase::Running, _) => {
                    is_open_late |= Verdict::of_cycle(cycle, life.now) == Verdict::Missed;
                }
                _ => {}
            }
        }
        if is_open_late {
            self.handling.open_late.add(id, most);
        }
        if let Some((from, to)) = life.handled() {
            self.elapsed.push(to.since(from).as_secs());
            let rule = life.begun().next().and_then(|cycle| cycle.rule(life.policy));
            self.working.extend(rule.map(|rule| rule.calendar.working_time(from, to).as_secs()));
        }
    }

    /// Keeps the latest; of equally late ones those submitted first.
    fn add_late(&mut self, member: &Member, timeline: &Timeline, life: &Course<'_>, due_at: Instant) {
        let handled_at = life.handled().map(|(_, at)| at);
        let late_by = handled_at.unwrap_or(self.query.now_at).since(due_at).max(Span::ZERO);
        let place = self.latest.partition_point(|other| other.late_by >= late_by);
        if place >= self.query.most_rows as usize {
            return;
        }
        let fact = |name: &str| timeline.facts.get(name).map(str::to_owned);
        let late = Latest {
            request: member.id().to_owned(),
            customer: fact("customer"),
            priority: fact("priority"),
            subject: member.request().subject.clone(),
            received_at: member.received_at,
            due_at,
            handled_at,
            late_by,
        };
        self.latest.insert(place, late);
        self.latest.truncate(self.query.most_rows as usize);
    }

    fn report(self) -> ClockReport {
        let (clock, query) = (self.clock, self.query);
        let today = local_date(clock, query.now_at).unwrap_or(query.period.last());
        let attainment = |period: PeriodRange, tally| Attainment {
            period,
            clock: clock.name.clone(),
            tally,
            goal: clock.attainment,
            period_over: today > period.last(),
        };
        let burndown = self.periods.into_values().map(|(period, spending)| {
            let attainment = attainment(period, spending.tally);
            spending.burndown(attainment, today)
        });
        let by = self.fairness.into_iter().zip(&query.by);
        let fairness = by.filter(|(count, _)| count.has_values()).map(|(count, fact)| {
            let mut fairness = count.fairness(&clock.name, query.period, vec![fact.clone()]);
            fairness.shorten(query.most_groups as usize);
            fairness
        });
        ClockReport {
            attainment: attainment(query.period, self.all.tally),
            ids: self.ids,
            burndown: burndown.collect(),
            handling: Handling {
                elapsed: Quantiles::of(self.elapsed),
                working: Quantiles::of(self.working),
                ..self.handling
            },
            arrivals: self.arrivals,
            misses: self.misses,
            fairness: fairness.collect(),
            latest: self.latest,
            nearest: Vec::new(),
        }
    }
}
