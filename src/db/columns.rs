//! Scans by the column: when clocks are due and which they are, many at once, from one snapshot.

use super::Db;
use super::names::Names;
use super::scan::{AsOf, Query, loads, merged};
use super::status::stage_of;
use crate::clock::Stage;
use crate::error::Result;
use crate::store::index::{IndexKind, key_of, row, slot_of};
use crate::store::snapshot::Snapshot;
use crate::time::Instant;

/// When running clocks are due, and which they are: row `i` of both columns is one clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// When it is due, in seconds since 1970-01-01T00:00:00Z; rising.
    pub due_at: Vec<u32>,
    /// The clock's number: the same for as long as the database exists. Ties are in its order.
    pub clock: Vec<u32>,
}

impl Columns {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.due_at.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.due_at.is_empty()
    }

    fn push(&mut self, found: &Found<'_>) {
        match *found {
            Found::Rows(rows, _) => {
                self.due_at.extend(rows.iter().map(|row| key_of(*row)));
                self.clock.extend(rows.iter().map(|row| slot_of(*row)));
            }
            Found::Runs(one, other, count) => self.push_merged(one, other, count),
        }
    }

    /// Adds the first `count` rows of two sorted runs in one order.
    fn push_merged(&mut self, one: &[u64], other: &[u64], count: usize) {
        let from = self.len();
        self.due_at.resize(from + count, 0);
        self.clock.resize(from + count, 0);
        let (due, clock) = (&mut self.due_at[from..], &mut self.clock[from..]);
        let (one, other) = first_of(one, other, count);
        let middle = one.len() / 2;
        let cut = one[..middle].last().map_or(0, |row| other.partition_point(|other| other < row));
        let mut low = Merge::new(&one[..middle], &other[..cut]);
        let mut high = Merge::new(&one[middle..], &other[cut..]);
        let (due_low, due_high) = due.split_at_mut(middle + cut);
        let (clock_low, clock_high) = clock.split_at_mut(middle + cut);
        // Each row of a merge waits for the one before it, so two merges at once take hardly longer than one.
        let both = due_low.len().min(due_high.len());
        for at in 0..both {
            let (row, later) = (low.take(), high.take());
            (due_low[at], clock_low[at]) = (key_of(row), slot_of(row));
            (due_high[at], clock_high[at]) = (key_of(later), slot_of(later));
        }
        for (due, clock) in due_low.iter_mut().zip(clock_low).skip(both) {
            let row = low.take();
            (*due, *clock) = (key_of(row), slot_of(row));
        }
        for (due, clock) in due_high.iter_mut().zip(clock_high).skip(both) {
            let row = high.take();
            (*due, *clock) = (key_of(row), slot_of(row));
        }
    }
}

/// For lists of at most so many rows it does not pay to look how many there are.
const SHORT: usize = 4_096;

/// Rows that a scan found, in order.
pub(super) enum Found<'a> {
    /// Rows as they are; those of the past with what is different there.
    Rows(&'a [u64], Option<&'a AsOf>),
    /// The first so many of the rows of two runs that are each in order.
    Runs(&'a [u64], &'a [u64], usize),
}

/// A due index, and whether its rows must be looked at one by one.
type Wanted = (IndexKind, bool);

/// The beginnings of two sorted runs that hold their first `count` rows.
fn first_of<'a>(one: &'a [u64], other: &'a [u64], count: usize) -> (&'a [u64], &'a [u64]) {
    let (mut least, mut most) = (count.saturating_sub(other.len()), count.min(one.len()));
    while least < most {
        let middle = least.midpoint(most);
        // That many of `one` are too few if the next of them comes before the last of `other`.
        if one[middle] < other[count - middle - 1] { least = middle + 1 } else { most = middle }
    }
    (&one[..least], &other[..count - least])
}

/// Two sorted runs as one, without a branch that depends on the rows.
pub(super) struct Merge<'a> {
    one: &'a [u64],
    other: &'a [u64],
    at: (usize, usize),
}

impl<'a> Merge<'a> {
    pub(super) fn new(one: &'a [u64], other: &'a [u64]) -> Merge<'a> {
        Merge { one, other, at: (0, 0) }
    }

    /// The next row; past the end, a row that there is not.
    pub(super) fn take(&mut self) -> u64 {
        let row = |run: &[u64], at: usize| run.get(at).copied().unwrap_or(u64::MAX);
        let (one, other) = (row(self.one, self.at.0), row(self.other, self.at.1));
        let first = one < other;
        self.at.0 += usize::from(first);
        self.at.1 += usize::from(!first);
        if first { one } else { other }
    }
}

impl Db {
    /// The first `limit` running clocks that a query asks for, earliest due first, as two columns from one snapshot.
    ///
    /// The fastest way to a long list: what a query wants of every clock of an index is copied without a look at
    /// the clock.
    ///
    /// # Errors
    /// `NotFound` if no policy of the database has the clock asked for; the errors of the file.
    pub fn scan_columns(&self, query: &Query, limit: usize) -> Result<Columns> {
        self.store.read(|snapshot| {
            let mut columns = Columns::default();
            self.visit_rows(snapshot, query, limit, &mut |found| {
                columns.push(&found);
                Ok(())
            })?;
            Ok(columns)
        })
    }

    /// Hands over the first `limit` rows (due, clock) that a query wants, in order, many at a time; those of the past
    /// with what is different there.
    pub(super) fn visit_rows(
        &self,
        snapshot: &Snapshot<'_>,
        query: &Query,
        limit: usize,
        visit: &mut dyn FnMut(Found<'_>) -> Result<()>,
    ) -> Result<()> {
        self.check_clock_name(snapshot, query.clock.as_deref())?;
        let range = row(query.since.map_or(0, Instant::raw), 0)..row(query.end(), 0);
        if snapshot.head().latest_event_at > query.now.raw() {
            return self.visit_past(snapshot, query, range, limit, visit);
        }
        let (kinds, count) = query.kinds(snapshot);
        match kinds[..count] {
            [kind] => self.visit_one(snapshot, query, kind, range, limit, visit),
            ref kinds => self.visit_several(snapshot, query, kinds, range, limit, visit),
        }
    }

    /// Hands over rows of one index as they lie there.
    fn visit_one(
        &self,
        snapshot: &Snapshot<'_>,
        query: &Query,
        (kind, checks): Wanted,
        range: std::ops::Range<u64>,
        limit: usize,
        visit: &mut dyn FnMut(Found<'_>) -> Result<()>,
    ) -> Result<()> {
        let (mut left, mut names, mut wanted) = (limit, Names::default(), Vec::new());
        snapshot.visit_slices(kind, range, &mut |rows| {
            let mut rows = rows;
            if checks {
                wanted.clear();
                for row in rows {
                    if wanted.len() < left && self.is_wanted(snapshot, query, &mut names, *row)? {
                        wanted.push(*row);
                    }
                }
                rows = &wanted;
            }
            let rows = &rows[..rows.len().min(left)];
            left -= rows.len();
            visit(Found::Rows(rows, None))?;
            Ok(left > 0)
        })?;
        Ok(())
    }

    /// Hands over rows of several indexes, each gathered up to the limit, then put into one order.
    fn visit_several(
        &self,
        snapshot: &Snapshot<'_>,
        query: &Query,
        kinds: &[Wanted],
        range: std::ops::Range<u64>,
        limit: usize,
        visit: &mut dyn FnMut(Found<'_>) -> Result<()>,
    ) -> Result<()> {
        let (mut runs, mut names) = (Vec::with_capacity(kinds.len()), Names::default());
        for &(kind, checks) in kinds {
            let most = if limit <= SHORT { limit } else { limit.min(rows_within(snapshot, query, kind)?) };
            let mut run: Vec<u64> = self.spare.column(most);
            snapshot.visit_slices(kind, range.clone(), &mut |rows| {
                if checks {
                    for row in rows {
                        if run.len() < limit && self.is_wanted(snapshot, query, &mut names, *row)? {
                            run.push(*row);
                        }
                    }
                } else {
                    run.extend_from_slice(&rows[..rows.len().min(limit - run.len())]);
                }
                Ok(run.len() < limit)
            })?;
            runs.push(run);
        }
        while runs.len() > 2 {
            let (one, other) = (runs.pop().unwrap_or_default(), runs.pop().unwrap_or_default());
            let mut merge = Merge::new(&one, &other);
            let count = limit.min(one.len() + other.len());
            let mut both = self.spare.column(count);
            both.extend((0..count).map(|_| merge.take()));
            runs.push(both);
            [one, other].into_iter().for_each(|run| self.spare.keep(run));
        }
        let (one, other) = (runs.pop().unwrap_or_default(), runs.pop().unwrap_or_default());
        visit(Found::Runs(&one, &other, limit.min(one.len() + other.len())))?;
        [one, other].into_iter().for_each(|run| self.spare.keep(run));
        Ok(())
    }

    fn visit_past(
        &self,
        snapshot: &Snapshot<'_>,
        query: &Query,
        range: std::ops::Range<u64>,
        limit: usize,
        visit: &mut dyn FnMut(Found<'_>) -> Result<()>,
    ) -> Result<()> {
        let past = AsOf::at(self, snapshot, query.now)?;
        let loads = loads(snapshot);
        let mut left = limit;
        let mut names = Names::default();
        for found in merged(snapshot, &past, &loads, range.start) {
            let (found, is_past) = found?;
            if left == 0 || found >= range.end {
                break;
            }
            let then = if is_past { Some(&past) } else { None };
            if self.row(snapshot, &mut names, &past.displaced, then, query, found)?.is_some() {
                visit(Found::Rows(&[found], then))?;
                left -= 1;
            }
        }
        Ok(())
    }

    fn is_wanted(&self, snapshot: &Snapshot<'_>, query: &Query, names: &mut Names, row: u64) -> Result<bool> {
        let clock = snapshot.listed_clock(row)?;
        if !query.wants(stage_of(&clock, query.now)) {
            return Ok(false);
        }
        match &query.clock {
            None => Ok(true),
            Some(wanted) => Ok(names.name_of(self, snapshot, &clock)? == wanted),
        }
    }
}

/// No more rows of a due index than this lie within a query.
pub(super) fn rows_within(snapshot: &Snapshot<'_>, query: &Query, kind: IndexKind) -> Result<usize> {
    let (since, end) = (query.since.map_or(0, Instant::raw), query.end());
    let load = |block: u64| snapshot.load_block(kind, block);
    let index = snapshot.index(kind);
    let rows = index.count_below(end, &load)?.saturating_sub(index.count_below(since, &load)?);
    Ok(usize::try_from(rows).unwrap_or(usize::MAX))
}

impl Query {
    /// The due indexes that have rows it may want, and how many those are.
    fn kinds(&self, snapshot: &Snapshot<'_>) -> ([Wanted; IndexKind::DUE.len()], usize) {
        let all_started = snapshot.index(IndexKind::Armed).len() == 0;
        let (mut kinds, mut count) = ([(IndexKind::Due, false); IndexKind::DUE.len()], 0);
        for kind in IndexKind::DUE {
            if snapshot.index(kind).len() > 0
                && let Some(checks) = self.checks(kind, all_started)
            {
                kinds[count] = (kind, checks);
                count += 1;
            }
        }
        (kinds, count)
    }

    /// Whether the rows of a due index must be looked at one by one; `None` if the query wants none of them.
    fn checks(&self, kind: IndexKind, all_started: bool) -> Option<bool> {
        let backstop = matches!(kind, IndexKind::DueLimit | IndexKind::DueLimitWarn);
        let (late, breached) = (self.stages.contains(&Stage::Late), self.stages.contains(&Stage::Breached));
        let past_due_only = self.stages.iter().all(|stage| matches!(stage, Stage::Late | Stage::Breached));
        let by_stage = match (self.stages.is_empty(), past_due_only) {
            // A clock that has yet to be started by another's threshold is not running.
            (true, _) => !all_started,
            // Without a backstop all that are past due are breached.
            (_, true) if !backstop && !breached => return None,
            (_, true) => backstop && !(late && breached),
            _ => true,
        };
        Some(by_stage || self.clock.is_some())
    }
}
