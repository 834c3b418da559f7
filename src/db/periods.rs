//! Promised shares in the feed: the misses of a period used up, and the period broken, told once and taken back if untrue.
//!
//! A period is judged by the version of the policy that is in force when it begins. Counted are the requests received in it
//! whose own version promises a share for the clock of that name.

use std::collections::{BTreeMap, HashSet};

use super::Db;
use super::judges::{Judge, Judges, Term, first_of, month_of};
use super::moves::Moves;
use super::report::local_date;
use crate::attainment::{Cohort, Membership, PeriodRange};
use crate::clock::Timeline;
use crate::error::{Error, ErrorKind, Result};
use crate::policy::Policy;
use crate::store::index::{IndexKind, key_of, row, slot_of};
use crate::store::notices::NoticeRow;
use crate::store::periods::{self, CohortKey};
use crate::store::records::{ClockRow, FLAG_ARMED, FLAG_BY_CHANGE, FLAG_WAIVED, NONE, PhaseCode};
use crate::store::snapshot::Snapshot;
use crate::store::tables::Table;
use crate::time::Instant;

/// A value that a transaction writes.
type Value = (Table, u64, Vec<u8>);

/// What a transaction learned about one clock of one request, below the feed's position.
#[derive(Debug)]
pub(super) struct Swing {
    pub(super) received_at: Instant,
    pub(super) policy: Policy,
    pub(super) clock: usize,
    pub(super) old: Membership,
    pub(super) new: Membership,
}

/// The misses of requests that were derived.
#[derive(Default)]
pub(super) struct Missed {
    derived: HashSet<u32>,
    misses: Vec<(u32, u8, (u32, bool))>,
}

impl Missed {
    pub(super) fn add(&mut self, slot: u32, policy: &Policy, timeline: &Timeline) {
        self.derived.insert(slot);
        for clock in goals(policy) {
            let missed = Membership::of(timeline.cycles_of(clock)).missed;
            self.misses.extend(missed.map(|missed| (slot, clock as u8, missed)));
        }
    }
}

/// What comes to a cohort.
#[derive(Default)]
struct News {
    joined: Vec<u32>,
    missed: Vec<(u32, bool)>,
}

/// Cohorts by key, with who judges them.
type Cohorts<T> = BTreeMap<CohortKey, (usize, Term, T)>;

/// The clocks of a policy that promise a share.
pub(super) fn goals(policy: &Policy) -> impl Iterator<Item = usize> {
    let clocks = policy.clocks().iter().enumerate();
    clocks.filter(|(_, clock)| clock.attainment.is_some()).map(|(index, _)| index)
}

impl Db {
    /// The promised shares, with those of a version that is about to be installed as edition `new`.
    pub(super) fn judges(
        &self,
        snapshot: &Snapshot<'_>,
        new: Option<(u32, &Policy, Instant)>,
    ) -> Result<Judges> {
        let mut versions: Vec<(u32, Policy, Instant)> = Vec::new();
        for number in 1..=snapshot.head().policy {
            let edition = self.edition(snapshot, number)?;
            if !versions.iter().any(|(_, policy, _)| policy.version() == edition.policy.version()) {
                versions.push((number, edition.policy.clone(), edition.in_force_from));
            }
        }
        versions.extend(new.map(|(number, policy, from)| (number, policy.clone(), from)));
        let mut judges = Vec::new();
        for (place, (edition, policy, from)) in versions.iter().enumerate() {
            let until = versions.get(place + 1).map(|(_, _, from)| *from);
            for clock in goals(policy) {
                let Some(goal) = policy.clocks().get(clock).and_then(|clock| clock.attainment) else {
                    continue;
                };
                judges.push(Judge {
                    edition: *edition,
                    clock: clock as u8,
                    goal,
                    policy: policy.clone(),
                    from: if place == 0 { Instant::MIN } else { *from },
                    until,
                });
            }
        }
        let last = vec![None; judges.len()];
        Ok(Judges { judges, last })
    }

    /// The period that a notice is about, and the clock's name.
    pub(super) fn period_of_notice(
        &self,
        snapshot: &Snapshot<'_>,
        row: &NoticeRow,
    ) -> Result<(String, PeriodRange)> {
        let edition = self.edition(snapshot, u32::from(row.cycle))?;
        let clock = edition.policy.clocks().get(usize::from(row.clock));
        let goal = clock.and_then(|clock| clock.attainment);
        let first = u16::try_from(row.request).ok().and_then(first_of);
        match (clock, goal, first) {
            (Some(clock), Some(goal), Some(first)) => {
                Ok((clock.name.clone(), PeriodRange::around(first.first(), goal.per)?))
            }
            _ => Err(Error::new(ErrorKind::Damaged, "a notice about a promise that nobody made")),
        }
    }

    /// What the feed's way from `from` to `until` does to the cohorts: the values that change, and the notices. `lates`
    /// are clocks that run and become late on it; `missed` tells of the requests that had to be derived.
    pub(super) fn advance_periods(
        &self,
        snapshot: &Snapshot<'_>,
        from: u32,
        until: u32,
        lates: Vec<u32>,
        missed: &Missed,
    ) -> Result<(Vec<Value>, Vec<NoticeRow>)> {
        let mut judges = self.judges(snapshot, None)?;
        if judges.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut news: Cohorts<News> = BTreeMap::new();
        let (mut keys, mut slots) = (Vec::new(), Vec::new());
        let load = |block: u64| snapshot.load_block(IndexKind::Joined, block);
        snapshot.index(IndexKind::Joined).visit_slices(row(from, 0)..row(until, 0), &load, &mut |rows| {
            keys.extend(rows.iter().map(|row| key_of(*row)));
            slots.extend(rows.iter().map(|row| slot_of(*row)));
            Ok(true)
        })?;
        snapshot.each_clock(slots.into_iter(), |at, clock| {
            if let Some(news) = self.news_of(snapshot, &mut judges, &mut news, clock.request, clock.clock)? {
                news.joined.extend(keys.get(at));
            }
            Ok(())
        })?;
        let is_new = |key: &u32| (from..until).contains(key);
        snapshot.each_clock(lates.into_iter(), |_, clock| {
            if missed.derived.contains(&clock.request) {
                return Ok(());
            }
            let Some(news) = self.news_of(snapshot, &mut judges, &mut news, clock.request, clock.clock)?
            else {
                return Ok(());
            };
            let membership = match membership_of(clock) {
                Some(membership) => membership,
                None => {
                    let timeline = self.facts_of(snapshot, clock.request)?.timeline();
                    Membership::of(timeline.cycles_of(usize::from(clock.clock)))
                }
            };
            news.missed.extend(membership.missed.filter(|(key, _)| is_new(key)));
            Ok(())
        })?;
        for (slot, clock, miss) in missed.misses.iter().filter(|(.., (key, _))| is_new(key)) {
            if let Some(news) = self.news_of(snapshot, &mut judges, &mut news, *slot, *clock)? {
                news.missed.push(*miss);
            }
        }
        self.ending(snapshot, &judges, from, until, &mut news)?;
        let (mut values, mut notices) = (Vec::new(), Vec::new());
        for (key, (judge, term, News { mut joined, mut missed })) in news {
            let judge = &judges.judges[judge];
            let before = periods::read(snapshot.reader()?, key)?;
            let mut after = before.clone();
            joined.sort_unstable();
            missed.sort_unstable();
            for (key, by_change) in missed {
                let came = joined.partition_point(|joined| *joined <= key) as u32;
                after.miss(key, by_change, before.counted.saturating_add(came));
            }
            after.counted = after.counted.saturating_add(joined.len() as u32);
            let (old, new) = (judge.notices(&term, &before, from), judge.notices(&term, &after, until));
            notices.extend(only(&new, &old));
            notices.extend(only(&old, &new).map(|row| NoticeRow { retracted: true, ..row }));
            if after != before {
                values.push((Table::Periods, key.key(), periods::write(&after)?));
            }
        }
        Ok((values, notices))
    }

    /// Adds the cohorts whose periods end in [from, until).
    fn ending(
        &self,
        snapshot: &Snapshot<'_>,
        judges: &Judges,
        from: u32,
        until: u32,
        news: &mut Cohorts<News>,
    ) -> Result<()> {
        for (place, judge) in judges.judges.iter().enumerate() {
            let month = |raw: u32| {
                let date = local_date(judge.clock()?, Instant::from_raw(raw)?)?;
                PeriodRange::around(date, judge.goal.per).ok().map(month_of)
            };
            // A period that ends at `from` is that of the second before.
            let first = month(from.saturating_sub(1)).unwrap_or(0);
            let last = month(until).unwrap_or(u16::MAX);
            let key = |month: u16| CohortKey { edition: judge.edition, clock: judge.clock, month }.key();
            let mut ended = Vec::new();
            periods::visit(snapshot.reader()?, key(first)..=key(last), |key, _| ended.push(key.month))?;
            let terms = ended.into_iter().filter_map(|month| judge.term_of(month));
            for term in terms.filter(|term| (from..until).contains(&term.end.raw())) {
                news.entry(term.key).or_insert_with(|| (place, term, News::default()));
            }
        }
        Ok(())
    }

    /// The cohort of a clock of a stored request.
    fn news_of<'n>(
        &self,
        snapshot: &Snapshot<'_>,
        judges: &mut Judges,
        news: &'n mut Cohorts<News>,
        slot: u32,
        clock: u8,
    ) -> Result<Option<&'n mut News>> {
        let row = snapshot.request_row(slot)?;
        let edition = self.edition(snapshot, row.policy)?;
        let received_at = Instant::from_raw(row.received_at);
        let found = received_at.and_then(|at| judges.of(&edition.policy, usize::from(clock), at));
        Ok(found.map(|(judge, term)| {
            &mut news.entry(term.key).or_insert_with(|| (judge, term, News::default())).2
        }))
    }

    /// What a transaction that learned this does to the cohorts below the feed's position: values and notices.
    fn settle(&self, snapshot: &Snapshot<'_>, swings: &[Swing]) -> Result<(Vec<Value>, Vec<NoticeRow>)> {
        let (mut values, mut notices) = (Vec::new(), Vec::new());
        if swings.is_empty() {
            return Ok((values, notices));
        }
        let now = snapshot.head().advanced_to;
        let mut judges = self.judges(snapshot, None)?;
        let mut of: Cohorts<Vec<&Swing>> = BTreeMap::new();
        for swing in swings {
            if let Some((judge, term)) = judges.of(&swing.policy, swing.clock, swing.received_at) {
                of.entry(term.key).or_insert_with(|| (judge, term, Vec::new())).2.push(swing);
            }
        }
        for (key, (judge, term, swings)) in of {
            let before = periods::read(snapshot.reader()?, key)?;
            let after = self.swung(snapshot, &mut judges, &before, key, &swings)?;
            let judge = &judges.judges[judge];
            let (old, new) = (judge.notices(&term, &before, now), judge.notices(&term, &after, now));
            notices.extend(only(&old, &new).map(|row| NoticeRow { retracted: true, ..row }));
            notices.extend(only(&new, &old));
            if after != before {
                values.push((Table::Periods, key.key(), periods::write(&after)?));
            }
        }
        Ok((values, notices))
    }

    /// The values that a transaction writes of the cohorts; it tells their notices itself.
    pub(super) fn settled(&self, snapshot: &Snapshot<'_>, moves: &mut Moves) -> Result<Vec<Value>> {
        let (values, notices) = self.settle(snapshot, &moves.swings)?;
        moves.tell(notices);
        Ok(values)
    }

    /// A cohort after what was learned of some of its requests.
    fn swung(
        &self,
        snapshot: &Snapshot<'_>,
        judges: &mut Judges,
        before: &Cohort,
        key: CohortKey,
        swings: &[&Swing],
    ) -> Result<Cohort> {
        let mut after = before.clone();
        let mut come = Vec::new();
        for swing in swings {
            if swing.old.missed != swing.new.missed {
                if let Some((key, by_change)) = swing.old.missed {
                    after.take_back(key, by_change);
                }
                come.extend(swing.new.missed);
            }
        }
        let moved = swings.iter().filter(|swing| swing.old.joined != swing.new.joined);
        for swing in moved {
            if let Some(gone) = swing.old.joined {
                after.join(gone, false);
            }
            if let Some(came) = swing.new.joined {
                after.join(came, true);
            }
        }
        for (at, by_change) in come {
            // Counted back from the next miss, whose count is known.
            let next = before.misses.iter().find(|miss| miss.key >= at);
            let (counted, last) = next
                .map_or((before.counted, snapshot.head().advanced_to), |next| (next.counted, next.key + 1));
            let since = self.joined_in(snapshot, judges, key, at.saturating_add(1)..last)?;
            let is_until = |joined: Option<u32>| u32::from(joined.is_some_and(|joined| joined <= at));
            let came: u32 = swings.iter().map(|swing| is_until(swing.new.joined)).sum();
            let gone: u32 = swings.iter().map(|swing| is_until(swing.old.joined)).sum();
            after.miss(at, by_change, (counted.saturating_sub(since) + came).saturating_sub(gone));
        }
        Ok(after)
    }

    /// How many joined a cohort at these keys, as stored.
    fn joined_in(
        &self,
        snapshot: &Snapshot<'_>,
        judges: &mut Judges,
        key: CohortKey,
        keys: std::ops::Range<u32>,
    ) -> Result<u32> {
        let (mut slots, mut count) = (Vec::new(), 0);
        if keys.is_empty() {
            return Ok(0);
        }
        let load = |block: u64| snapshot.load_block(IndexKind::Joined, block);
        let rows = row(keys.start, 0)..row(keys.end, 0);
        snapshot.index(IndexKind::Joined).visit_slices(rows, &load, &mut |rows| {
            slots.extend(rows.iter().map(|row| slot_of(*row)));
            Ok(true)
        })?;
        snapshot.each_clock(slots.into_iter(), |_, clock| {
            let row = snapshot.request_row(clock.request)?;
            let edition = self.edition(snapshot, row.policy)?;
            let received_at = Instant::from_raw(row.received_at);
            let found = received_at.and_then(|at| judges.of(&edition.policy, usize::from(clock.clock), at));
            count += u32::from(found.is_some_and(|(_, term)| term.key == key));
            Ok(())
        })?;
        Ok(count)
    }

    /// The cohorts under the versions there are and a new one, as values, and the notices by which they differ from those
    /// given so far. Derives every request.
    pub(super) fn rejudged(
        &self,
        snapshot: &Snapshot<'_>,
        new: Option<(u32, &Policy, Instant)>,
    ) -> Result<(Vec<Value>, Vec<NoticeRow>)> {
        let now = snapshot.head().advanced_to;
        let mut recount = Recount::new(self.judges(snapshot, new)?);
        for slot in 0..snapshot.head().requests {
            let life = self.facts_of(snapshot, slot)?;
            recount.add(&life.policy, life.request.received_at, &life.timeline(), now);
        }
        let (after, told) = recount.cohorts(now);
        let judges = self.judges(snapshot, None)?;
        let (mut before, mut given, mut values) = (BTreeMap::new(), Vec::new(), Vec::new());
        periods::visit(snapshot.reader()?, 0..=u64::MAX, |key, cohort| drop(before.insert(key, cohort)))?;
        for (key, cohort) in &before {
            let is_it = |judge: &&Judge| judge.edition == key.edition && judge.clock == key.clock;
            let judge = judges.judges.iter().find(is_it);
            if let Some((judge, term)) = judge.and_then(|judge| Some((judge, judge.term_of(key.month)?))) {
                given.extend(judge.notices(&term, cohort, now));
            }
            if !after.contains_key(key) {
                values.push((Table::Periods, key.key(), periods::write(&Cohort::default())?));
            }
        }
        for (key, cohort) in &after {
            if before.get(key) != Some(cohort) {
                values.push((Table::Periods, key.key(), periods::write(cohort)?));
            }
        }
        let gone = only(&given, &told).map(|row| NoticeRow { retracted: true, ..row });
        Ok((values, gone.chain(only(&told, &given)).collect()))
    }
}

/// All cohorts, being counted.
pub(super) struct Recount {
    judges: Judges,
    news: Cohorts<News>,
}

impl Recount {
    pub(super) fn new(judges: Judges) -> Recount {
        Recount { judges, news: BTreeMap::new() }
    }

    /// Every cohort, and the notices that follow with the feed at `now`.
    pub(super) fn cohorts(self, now: u32) -> (BTreeMap<CohortKey, Cohort>, Vec<NoticeRow>) {
        let (mut cohorts, mut notices) = (BTreeMap::new(), Vec::new());
        for (key, (judge, term, news)) in self.news {
            let cohort = Cohort::of(news.joined, news.missed);
            if let Some(judge) = self.judges.judges.get(judge) {
                notices.extend(judge.notices(&term, &cohort, now));
            }
            cohorts.insert(key, cohort);
        }
        (cohorts, notices)
    }

    /// Adds what had happened to a request at `now`.
    pub(super) fn add(&mut self, policy: &Policy, received_at: Instant, timeline: &Timeline, now: u32) {
        for clock in goals(policy) {
            let membership = Membership::of(timeline.cycles_of(clock)).until(now);
            if membership == Membership::default() {
                continue;
            }
            if let Some((judge, term)) = self.judges.of(policy, clock, received_at) {
                let news = &mut self.news.entry(term.key).or_insert_with(|| (judge, term, News::default())).2;
                news.joined.extend(membership.joined);
                news.missed.extend(membership.missed);
            }
        }
    }
}

/// What these have and those have not.
fn only(these: &[NoticeRow], those: &[NoticeRow]) -> impl Iterator<Item = NoticeRow> {
    these.iter().filter(|row| !those.contains(row)).copied()
}

/// What a clock's row tells; `None` if only the events do.
fn membership_of(clock: &ClockRow) -> Option<Membership> {
    if clock.cycle > 1 || clock.flags & (FLAG_BY_CHANGE | FLAG_WAIVED) != 0 {
        return None;
    }
    let key = match clock.flags & FLAG_ARMED {
        0 => clock.started_at.saturating_sub(1),
        _ => clock.started_at,
    };
    let missed = Some((clock.due, false)).filter(|_| clock.due != NONE);
    Some(match clock.phase {
        PhaseCode::Running | PhaseCode::Missed => Membership { joined: Some(key), missed },
        PhaseCode::Paused | PhaseCode::Met => Membership { joined: Some(key), missed: None },
        _ => Membership::default(),
    })
}
