//! Scans: what is late, what is about to be, how many of each. The cost is the answer's size, not the table's.
//!
//! A scan at a `now` that lies before recorded events answers as of that instant: requests with later events are
//! derived anew from the events up to it, which costs as much as there are such requests.

use std::collections::{BTreeMap, HashSet};
use std::iter::Peekable;

use super::names::Names;
use super::status::{Counts, Row, stage_of};
use super::{Db, policies::Edition};
use crate::clock::{Cycle, Stage, Timeline};
use crate::error::{Error, ErrorKind, Result};
use crate::store::index::{IndexKind, key_of, row, slot_of};
use crate::store::records::{ClockRow, FLAG_WAIVED, NONE, PhaseCode};
use crate::store::snapshot::Snapshot;
use crate::time::Instant;

/// Most rows of a page.
pub const MAX_PAGE: usize = 10_000;
/// Room for so many rows is made at once; larger pages are rarely full.
const USUAL_PAGE: usize = 100;

/// Where a page begins and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    limit: usize,
    after: Option<PageKey>,
}

/// The place where a page ended. Stays valid whatever is written meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct PageKey(u64);

impl PageKey {
    /// As a number, to hand to other languages and back.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// From [`to_bits`](Self::to_bits).
    pub const fn from_bits(bits: u64) -> PageKey {
        PageKey(bits)
    }
}

impl Page {
    /// The first `limit` rows, 1 to 10,000.
    pub const fn first(limit: usize) -> Page {
        Page { limit, after: None }
    }

    /// The `limit` rows after a page that ended at `key`.
    pub const fn after(key: PageKey, limit: usize) -> Page {
        Page { limit, after: Some(key) }
    }

    /// Its length, and where it ends, of pages in falling order and of at most `most` rows.
    pub(super) fn falling(self, most: usize) -> Result<(usize, Option<u64>)> {
        self.check_length(most)?;
        Ok((self.limit, self.after.map(PageKey::to_bits)))
    }

    fn check_length(self, most: usize) -> Result<()> {
        if !(1..=most).contains(&self.limit) {
            return Err(Error::new(
                ErrorKind::OutOfRange,
                format!("page of {} rows: must be 1 to {most}", self.limit),
            ));
        }
        Ok(())
    }

    fn check(self) -> Result<u64> {
        self.check_length(MAX_PAGE)?;
        Ok(self.after.map_or(0, |key| key.0.saturating_add(1)))
    }
}

/// A page of rows, earliest due first, ties in the order of submission.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rows {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where the next page begins; `None` if this was the last.
    pub next: Option<PageKey>,
}

impl IntoIterator for Rows {
    type Item = Row;
    type IntoIter = std::vec::IntoIter<Row>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

/// What a scan looks for.
#[derive(Clone, Debug)]
pub struct Query {
    /// The instant to judge by.
    pub now: Instant,
    /// Only clocks due at or after this instant.
    pub since: Option<Instant>,
    /// Only clocks due before this instant.
    pub until: Option<Instant>,
    /// Only clocks in one of these stages; empty for all running clocks.
    pub stages: Vec<Stage>,
    /// Only clocks of this name.
    pub clock: Option<String>,
}

impl Query {
    /// Every running clock, judged at `now`.
    pub fn at(now: Instant) -> Query {
        Query { now, since: None, until: None, stages: Vec::new(), clock: None }
    }

    /// Only clocks due before `until`.
    #[must_use]
    pub fn until(mut self, until: Instant) -> Query {
        self.until = Some(until);
        self
    }

    /// Only clocks due at or after `since`.
    #[must_use]
    pub fn since(mut self, since: Instant) -> Query {
        self.since = Some(since);
        self
    }

    /// Only clocks in this stage, or in another one named before.
    #[must_use]
    pub fn stage(mut self, stage: Stage) -> Query {
        self.stages.push(stage);
        self
    }

    /// Only clocks of this name.
    #[must_use]
    pub fn clock(mut self, name: impl Into<String>) -> Query {
        self.clock = Some(name.into());
        self
    }

    pub(super) fn wants(&self, stage: Stage) -> bool {
        let running = matches!(stage, Stage::OnTrack | Stage::AtRisk | Stage::Late | Stage::Breached);
        running && (self.stages.is_empty() || self.stages.contains(&stage))
    }

    /// The first instant that is too late for the stages asked for.
    pub(super) fn end(&self) -> u32 {
        let past_due = !self.stages.is_empty()
            && self.stages.iter().all(|stage| matches!(stage, Stage::Late | Stage::Breached));
        let until = self.until.map_or(u32::MAX, Instant::raw);
        if past_due { until.min(self.now.raw()) } else { until }
    }
}

impl Db {
    /// Running clocks due before `until`, judged at `until`; earliest first.
    ///
    /// # Errors
    /// `OutOfRange` for a page of 0 or more than 10,000 rows; the errors of the file.
    pub fn due_before(&self, until: Instant, page: Page) -> Result<Rows> {
        self.store.read(|snapshot| self.page(snapshot, &due_query(snapshot, until), page))
    }

    /// The query that [`due_before`](Self::due_before) asks: running clocks due before `until`, judged at `until`.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn due_query(&self, until: Instant) -> Result<Query> {
        self.store.read(|snapshot| Ok(due_query(snapshot, until)))
    }

    /// Clocks that are late at `now`: due has passed, the backstop has not.
    ///
    /// # Errors
    /// As for [`due_before`](Self::due_before).
    pub fn late(&self, now: Instant, page: Page) -> Result<Rows> {
        self.scan(&Query::at(now).stage(Stage::Late), page)
    }

    /// Clocks that are breached at `now`: the limit has passed, or due where there is no backstop.
    ///
    /// # Errors
    /// As for [`due_before`](Self::due_before).
    pub fn breached(&self, now: Instant, page: Page) -> Result<Rows> {
        self.scan(&Query::at(now).stage(Stage::Breached), page)
    }

    /// Clocks that are at risk at `now`: a warning threshold has passed, due has not.
    ///
    /// # Errors
    /// As for [`due_before`](Self::due_before).
    pub fn at_risk(&self, now: Instant, page: Page) -> Result<Rows> {
        self.scan(&Query::at(now).stage(Stage::AtRisk), page)
    }

    /// Clocks that passed due from `last` on and before `now`, and still run: newly late since the last look.
    ///
    /// # Errors
    /// As for [`due_before`](Self::due_before).
    pub fn newly_late(&self, last: Instant, now: Instant, page: Page) -> Result<Rows> {
        self.scan(&Query::at(now).since(last).until(now), page)
    }

    /// The running clock that is due first at or after `now`: the next instant to look again.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn next_due(&self, now: Instant) -> Result<Option<Row>> {
        Ok(self.scan(&Query::at(now).since(now), Page::first(1))?.rows.pop())
    }

    /// One page of the running clocks that a query asks for, from one snapshot.
    ///
    /// # Errors
    /// `NotFound` if no policy of the database has the clock asked for, else as for
    /// [`due_before`](Self::due_before).
    pub fn scan(&self, query: &Query, page: Page) -> Result<Rows> {
        self.store.read(|snapshot| self.page(snapshot, query, page))
    }

    fn page(&self, snapshot: &Snapshot<'_>, query: &Query, page: Page) -> Result<Rows> {
        let after = page.check()?;
        let start = after.max(row(query.since.map_or(0, Instant::raw), 0));
        self.check_clock_name(snapshot, query.clock.as_deref())?;
        let past = AsOf::at(self, snapshot, query.now)?;
        let mut rows = Vec::with_capacity(page.limit.min(USUAL_PAGE));
        let mut last = None;
        let mut names = Names::default();
        let end = query.end();
        let loads = loads(snapshot);
        for found in merged(snapshot, &past, &loads, start) {
            let (found, is_past) = found?;
            if key_of(found) >= end {
                break;
            }
            let then = if is_past { Some(&past) } else { None };
            let Some(row) = self.row(snapshot, &mut names, &past.displaced, then, query, found)? else {
                continue;
            };
            if rows.len() == page.limit {
                return Ok(Rows { rows, next: last });
            }
            rows.push(row);
            last = Some(PageKey(found));
        }
        Ok(Rows { rows, next: None })
    }

    /// Visits every row of a query, earliest first, in pages of their own snapshots, until `visit` returns false.
    ///
    /// # Errors
    /// As for [`scan`](Self::scan).
    pub fn visit(&self, query: &Query, mut visit: impl FnMut(Row) -> bool) -> Result<()> {
        let mut page = Page::first(1_000);
        loop {
            let found = self.scan(query, page)?;
            for row in found.rows {
                if !visit(row) {
                    return Ok(());
                }
            }
            match found.next {
                Some(key) => page = Page::after(key, MAX_PAGE),
                None => return Ok(()),
            }
        }
    }

    /// The row of a clock, found in an index, if the query wants it. `then` for a row of the past; the rows that the indexes
    /// have of a displaced request speak of what came later.
    pub(super) fn row(
        &self,
        snapshot: &Snapshot<'_>,
        names: &mut Names,
        displaced: &HashSet<u32>,
        then: Option<&AsOf>,
        query: &Query,
        found: u64,
    ) -> Result<Option<Row>> {
        let slot = slot_of(found);
        let clock = match then.and_then(|past| past.clocks.get(&slot)) {
            Some(clock) => *clock,
            None => snapshot.listed_clock(found)?,
        };
        if then.is_none() && !displaced.is_empty() && displaced.contains(&clock.request) {
            return Ok(None);
        }
        let stage = stage_of(&clock, query.now);
        if !query.wants(stage) {
            return Ok(None);
        }
        let name = names.name_of(self, snapshot, &clock)?;
        if query.clock.as_deref().is_some_and(|wanted| wanted != name) {
            return Ok(None);
        }
        let damaged =
            || Error::new(ErrorKind::Damaged, format!("clock slot {slot}: a running clock without due"));
        Ok(Some(Row {
            request: snapshot.request_id(clock.request)?,
            clock: name.to_owned(),
            cycle: u32::from(clock.cycle),
            stage,
            due_at: ClockRow::instant(clock.due).ok_or_else(damaged)?,
            limit_at: ClockRow::instant(clock.limit),
            started_at: ClockRow::instant(clock.started_at).ok_or_else(damaged)?,
            waived: clock.flags & FLAG_WAIVED != 0,
        }))
    }

    /// All clocks by stage at `now`, in O(log n) unless `now` lies before recorded events.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn counts(&self, now: Instant) -> Result<Counts> {
        self.store.read(|snapshot| {
            if snapshot.head().latest_event_at <= now.raw() {
                counted(snapshot, now)
            } else {
                self.counted_as_of(snapshot, now)
            }
        })
    }

    fn derived_at(&self, snapshot: &Snapshot<'_>, slot: u32, now: Instant) -> Result<Timeline> {
        Ok(self.facts_of(snapshot, slot)?.timeline_at(now))
    }

    fn counted_as_of(&self, snapshot: &Snapshot<'_>, now: Instant) -> Result<Counts> {
        let mut counts = Counts::default();
        let unknown = self.declared(snapshot)?.any_after(now);
        for slot in 0..snapshot.head().requests {
            let request = snapshot.request_row(slot)?;
            if request.last_event_at <= now.raw() && !unknown {
                for clock in snapshot.clock_rows(&request)? {
                    counts.add(stage_of(&clock, now));
                }
            } else if request.received_at <= now.raw() {
                let timeline = self.derived_at(snapshot, slot, now)?;
                for clock in 0..usize::from(request.clocks) {
                    counts.add(timeline.current(clock).map_or(Stage::Idle, |cycle| cycle.stage(now)));
                }
            }
        }
        Ok(counts)
    }
}

fn due_query(snapshot: &Snapshot<'_>, until: Instant) -> Query {
    let latest = Instant::from_raw(snapshot.head().latest_event_at).unwrap_or(until);
    Query::at(until.max(latest)).until(until)
}

/// Counts by subtracting counts: below due, below limit, below the first warning.
fn counted(snapshot: &Snapshot<'_>, now: Instant) -> Result<Counts> {
    let below = |kind: IndexKind, key: u32| -> Result<u64> {
        snapshot.index(kind).count_below(key, &|block| snapshot.load_block(kind, block))
    };
    let key = now.raw();
    let (mut running, mut past_due) = (0, [0_u64; 4]);
    for (at, kind) in IndexKind::DUE.into_iter().enumerate() {
        running += snapshot.index(kind).len();
        past_due[at] = below(kind, key)?;
    }
    let [plain, limit, warn, limit_warn] = past_due;
    let past_limit = below(IndexKind::Limit, key)?;
    let past_warning = below(IndexKind::Warn, key)?;
    let ahead = snapshot.index(IndexKind::Armed).len() - below(IndexKind::Armed, key)?;
    let phases = &snapshot.head().phases;
    let of = |phase: PhaseCode| phases[phase as usize];
    let past_all = plain + limit + warn + limit_warn;
    let at_risk = past_warning - (warn + limit_warn);
    Ok(Counts {
        on_track: running - past_all - at_risk - ahead,
        at_risk,
        late: limit + limit_warn - past_limit,
        breached: plain + warn + past_limit,
        paused: of(PhaseCode::Paused),
        idle: of(PhaseCode::Unstarted) + of(PhaseCode::NoDeadline) + of(PhaseCode::Finished) + ahead,
        met: of(PhaseCode::Met),
        missed: of(PhaseCode::Missed),
        cancelled: of(PhaseCode::Cancelled),
    })
}

/// What is different at a `now` that lies before recorded events.
pub(super) struct AsOf {
    /// Requests whose rows speak of later events.
    pub(super) displaced: HashSet<u32>,
    /// Their clocks as they were then, by slot.
    pub(super) clocks: BTreeMap<u32, ClockRow>,
    /// (due, clock) of those that ran then, sorted.
    rows: Vec<u64>,
}

impl AsOf {
    pub(super) fn at(db: &Db, snapshot: &Snapshot<'_>, now: Instant) -> Result<AsOf> {
        let mut past = AsOf { displaced: HashSet::new(), clocks: BTreeMap::new(), rows: Vec::new() };
        if snapshot.head().latest_event_at <= now.raw() {
            return Ok(past);
        }
        // What was declared later was not known then, and any request may stand differently without it.
        let unknown = db.declared(snapshot)?.any_after(now);
        for slot in 0..snapshot.head().requests {
            let request = snapshot.request_row(slot)?;
            if request.last_event_at <= now.raw() && !unknown {
                continue;
            }
            past.displaced.insert(slot);
            if request.received_at > now.raw() {
                continue;
            }
            let timeline = db.derived_at(snapshot, slot, now)?;
            let rows = super::derived::clock_rows(slot, request.clocks, &timeline);
            for (clock, clock_slot) in rows.into_iter().zip(request.first_clock..) {
                if clock.phase == PhaseCode::Running && clock.due != NONE {
                    past.rows.push(row(clock.due, clock_slot));
                    past.clocks.insert(clock_slot, clock);
                }
            }
        }
        past.rows.sort_unstable();
        Ok(past)
    }
}

/// The rows of all due indexes and of what is different in the past, in one rising order, each with whether it is one
/// of the past.
///
/// `loads` hand over the sealed blocks of each due index.
pub(super) fn merged<'a>(
    snapshot: &'a Snapshot<'_>,
    past: &'a AsOf,
    loads: &'a [Box<LoadBlock<'a>>],
    start: u64,
) -> impl Iterator<Item = Result<(u64, bool)>> + 'a {
    type Source<'a> = Peekable<Box<dyn Iterator<Item = Result<u64>> + 'a>>;
    let mut sources: Vec<(bool, Source<'a>)> = Vec::new();
    for (kind, load) in IndexKind::DUE.into_iter().zip(loads) {
        if snapshot.index(kind).len() > 0 {
            let rows: Box<dyn Iterator<Item = Result<u64>> + 'a> =
                Box::new(snapshot.index(kind).iter_from(start, load.as_ref()));
            sources.push((false, rows.peekable()));
        }
    }
    if !past.rows.is_empty() {
        let from = past.rows.partition_point(|row| *row < start);
        let rows: Box<dyn Iterator<Item = Result<u64>> + 'a> =
            Box::new(past.rows[from..].iter().map(|row| Ok(*row)));
        sources.push((true, rows.peekable()));
    }
    std::iter::from_fn(move || {
        let mut first: Option<(usize, u64)> = None;
        for (at, (is_past, source)) in sources.iter_mut().enumerate() {
            match source.peek() {
                Some(Ok(row)) if first.is_none_or(|(_, best)| *row < best) => first = Some((at, *row)),
                Some(Err(_)) => return source.next().map(|error| error.map(|row| (row, *is_past))),
                _ => {}
            }
        }
        let (is_past, source) = sources.get_mut(first?.0)?;
        source.next().map(|row| row.map(|row| (row, *is_past)))
    })
}

pub(super) type LoadBlock<'a> = dyn Fn(u64) -> Result<Vec<u8>> + 'a;

pub(super) fn loads<'a>(snapshot: &'a Snapshot<'_>) -> Vec<Box<LoadBlock<'a>>> {
    let load =
        |kind: IndexKind| -> Box<LoadBlock<'a>> { Box::new(move |block| snapshot.load_block(kind, block)) };
    IndexKind::DUE.into_iter().map(load).collect()
}

impl Edition {
    pub(crate) fn clock_name(&self, clock: u8) -> Result<&str> {
        let found = self.policy.clocks().get(usize::from(clock)).map(|clock| clock.name.as_str());
        found.ok_or_else(|| {
            Error::new(
                ErrorKind::Damaged,
                format!("clock {clock} is not in the policy edition {}", self.number),
            )
        })
    }
}

impl Cycle {
    /// The cycle's number as stored.
    pub(crate) fn stored_number(&self) -> u16 {
        u16::try_from(self.number).unwrap_or(u16::MAX)
    }
}
