//! Scans by the column: many rows at once, from one snapshot, without a value of its own for each.

use super::Db;
use super::scan::{AsOf, Query, loads, merged};
#[cfg(feature = "arrow")]
use super::status::Row;
use super::status::stage_of;
use crate::clock::Stage;
use crate::error::{Error, ErrorKind, Result};
use crate::store::index::{IndexKind, key_of, row, slot_of};
use crate::store::mirror::{Mirror, MirroredClock, MirroredIds};
use crate::store::records::{ClockRow, NONE, PhaseCode};
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
        let all = count == one.len() + other.len();
        let middle = if all { one.len() / 2 } else { 0 };
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

/// Rows of a table that are filled in at once, so that all their columns are in the processor's cache.
const AT_ONCE: usize = 2_048;

/// Rows that a scan found, in order.
enum Found<'a> {
    /// Rows as they are; those of the past with what is different there.
    Rows(&'a [u64], Option<&'a AsOf>),
    /// The first so many of the rows of two runs that are each in order.
    Runs(&'a [u64], &'a [u64], usize),
}

/// Two sorted runs as one, without a branch that depends on the rows.
struct Merge<'a> {
    one: &'a [u64],
    other: &'a [u64],
    at: (usize, usize),
}

impl<'a> Merge<'a> {
    fn new(one: &'a [u64], other: &'a [u64]) -> Merge<'a> {
        Merge { one, other, at: (0, 0) }
    }

    /// The next row; past the end, a row that there is not.
    fn take(&mut self) -> u64 {
        let row = |run: &[u64], at: usize| run.get(at).copied().unwrap_or(u64::MAX);
        let (one, other) = (row(self.one, self.at.0), row(self.other, self.at.1));
        let first = one < other;
        self.at.0 += usize::from(first);
        self.at.1 += usize::from(!first);
        if first { one } else { other }
    }
}

/// Room for runs of rows, which each thread keeps from one list to the next: to ask the system for fresh memory takes as long as to
/// fill it.
struct Spare;

impl Spare {
    /// Runs that a thread keeps, and rows of each at most: 8 MiB.
    const RUNS: usize = 3;
    const ROWS: usize = 1 << 20;

    /// An empty run.
    fn take() -> Vec<u64> {
        SPARE.with_borrow_mut(Vec::pop).unwrap_or_default()
    }

    fn keep(mut run: Vec<u64>) {
        if (1..=Spare::ROWS).contains(&run.capacity()) {
            run.clear();
            SPARE.with_borrow_mut(|kept| {
                if kept.len() < Spare::RUNS {
                    kept.push(run);
                }
            });
        }
    }
}

thread_local! {
    static SPARE: std::cell::RefCell<Vec<Vec<u64>>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Everything a scan tells of its rows, by the column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The requests' external ids one after the other, without anything between them.
    pub ids: String,
    /// Where each id ends in `ids`, in bytes; one more than there are rows, the first is 0.
    pub id_ends: Vec<i64>,
    /// The names that `clock` speaks of.
    pub clock_names: Vec<String>,
    /// The clock, as a position in `clock_names`.
    pub clock: Vec<i32>,
    /// Number of its cycle.
    pub cycle: Vec<i64>,
    /// Where it stands.
    pub stage: Vec<Stage>,
    /// When it is due, in seconds since 1970-01-01T00:00:00Z; rising, ties in the order of submission.
    pub due_at: Vec<i64>,
    /// When it is breached; [`NO_LIMIT`](Table::NO_LIMIT) without a backstop.
    pub limit_at: Vec<i64>,
    /// When the cycle started.
    pub started_at: Vec<i64>,
}

impl Table {
    /// Stands in `limit_at` for a clock without a backstop, or with one that is never reached.
    pub const NO_LIMIT: i64 = i64::MIN;

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.due_at.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.due_at.is_empty()
    }

    /// The external id of a row; empty if there is no such row.
    pub fn id(&self, row: usize) -> &str {
        let end = |at: usize| self.id_ends.get(at).map_or(0, |end| *end as usize);
        self.ids.get(end(row)..end(row + 1)).unwrap_or_default()
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

    /// Every running clock that a query asks for, earliest due first, with all that a scan tells of it, from one
    /// snapshot.
    ///
    /// # Errors
    /// As for [`scan_columns`](Self::scan_columns).
    pub fn scan_table(&self, query: &Query) -> Result<Table> {
        self.store.read(|snapshot| {
            let most = self.most_rows(snapshot, query)?;
            let mut table = Table::with_room(most as usize);
            let is_past = snapshot.head().latest_event_at > query.now.raw();
            let clocks = if is_past { None } else { snapshot.mirror(most)? };
            let ids = clocks.map(|clocks| snapshot.mirrored_ids(clocks)).transpose()?.flatten();
            match clocks.zip(ids) {
                Some((clocks, ids)) => self.fill_mirrored(snapshot, query, clocks, ids, &mut table)?,
                None => self.fill(snapshot, query, &mut table)?,
            }
            Ok(table)
        })
    }

    /// No more rows than this lie within a query.
    fn most_rows(&self, snapshot: &Snapshot<'_>, query: &Query) -> Result<u64> {
        let (since, end) = (query.since.map_or(0, Instant::raw), query.end());
        IndexKind::DUE.into_iter().try_fold(0, |rows, kind| {
            let load = |block: u64| snapshot.load_block(kind, block);
            let index = snapshot.index(kind);
            Ok(rows + index.count_below(end, &load)?.saturating_sub(index.count_below(since, &load)?))
        })
    }

    /// Adds the rows of a query, their clocks and ids read in the order of the file.
    fn fill(&self, snapshot: &Snapshot<'_>, query: &Query, table: &mut Table) -> Result<()> {
        let mut names = Names::default();
        let mut ids = Ids::default();
        self.visit_rows(snapshot, query, usize::MAX, &mut |found| {
            let merged: Vec<u64>;
            let (rows, past) = match found {
                Found::Rows(rows, past) => (rows, past),
                Found::Runs(one, other, count) => {
                    let mut merge = Merge::new(one, other);
                    merged = (0..count).map(|_| merge.take()).collect();
                    (merged.as_slice(), None)
                }
            };
            let from = table.grow(rows);
            ids.places.resize(from + rows.len(), (0, 0));
            let clock_at = |at: usize| past.and_then(|past| past.clocks.get(&slot_of(rows[at])));
            snapshot.each_clock(rows.iter().map(|row| slot_of(*row)), |at, stored| {
                let clock = clock_at(at).unwrap_or(stored);
                let name = names.of(self, snapshot, clock, &mut table.clock_names)?;
                table.set(from + at, clock, name, query.now)?;
                snapshot.with_request_id(clock.request, |id| ids.put(from + at, id))
            })?;
            ids.move_to(from, table);
            Ok(())
        })
    }

    /// Adds the rows of a query, most of them told by the mirror.
    fn fill_mirrored(
        &self,
        snapshot: &Snapshot<'_>,
        query: &Query,
        mirror: &Mirror,
        mirrored_ids: &MirroredIds,
        table: &mut Table,
    ) -> Result<()> {
        let mut names = Names::default();
        let mut kinds = Vec::with_capacity(mirror.kinds().len());
        for (edition, clock) in mirror.kinds() {
            let edition = self.edition(snapshot, *edition)?;
            kinds.push((place(&mut table.clock_names, edition.clock_name(*clock)?), *clock));
        }
        let mut ids = Vec::with_capacity(table.due_at.capacity().saturating_mul(16));
        let (mut clocks, mut places, mut strides) = (Vec::new(), Vec::new(), Vec::new());
        let mut add = |rows: &[u64]| -> Result<()> {
            // First all that lies far away, one kind at a time: loads that wait for nothing but memory are many at once.
            clocks.clear();
            clocks.extend(rows.iter().map(|row| mirror.clock(slot_of(*row))));
            places.clear();
            places.extend(clocks.iter().map(|clock| mirrored_ids.place(clock.request)));
            strides.clear();
            strides.extend(places.iter().map(|place| mirrored_ids.stride(*place)));
            let from = table.len();
            table.extend_mirrored(rows, &clocks, &kinds, query.now);
            for (at, clock) in clocks.iter().enumerate() {
                if snapshot.is_as_sealed(clock) {
                    mirrored_ids.append(places[at], &strides[at], &mut ids);
                } else {
                    let clock = snapshot.clock_row(slot_of(rows[at]))?;
                    let name = names.of(self, snapshot, &clock, &mut table.clock_names)?;
                    table.set(from + at, &clock, name, query.now)?;
                    snapshot.with_request_id(clock.request, |id| ids.extend_from_slice(id.as_bytes()))?;
                }
                table.id_ends.push(ids.len() as i64);
            }
            Ok(())
        };
        self.visit_rows(snapshot, query, usize::MAX, &mut |found| match found {
            Found::Rows(rows, _) => rows.chunks(AT_ONCE).try_for_each(&mut add),
            Found::Runs(one, other, count) => {
                let mut merge = Merge::new(one, other);
                let mut rows = Vec::with_capacity(AT_ONCE);
                for from in (0..count).step_by(AT_ONCE) {
                    rows.clear();
                    rows.extend((from..count.min(from + AT_ONCE)).map(|_| merge.take()));
                    add(&rows)?;
                }
                Ok(())
            }
        })?;
        table.ids = String::from_utf8(ids).map_err(|cause| {
            Error::new(ErrorKind::Damaged, "external ids that are no text").because(cause)
        })?;
        Ok(())
    }

    /// Hands over the first `limit` rows (due, clock) that a query wants, in order, many at a time; those of the past
    /// with what is different there.
    fn visit_rows(
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
        let all_started = snapshot.index(IndexKind::Armed).len() == 0;
        let kinds: Vec<(IndexKind, bool)> = IndexKind::DUE
            .into_iter()
            .filter(|kind| snapshot.index(*kind).len() > 0)
            .filter_map(|kind| Some((kind, query.checks(kind, all_started)?)))
            .collect();
        let mut names = Names::default();
        let mut left = limit;
        let mut wanted = Vec::new();
        if let [(kind, checks)] = kinds[..] {
            let load = |block: u64| snapshot.load_block(kind, block);
            snapshot.index(kind).visit_slices(range, &load, &mut |rows| {
                let mut rows = rows;
                if checks {
                    wanted.clear();
                    for row in rows {
                        if wanted.len() < left
                            && self.is_wanted(snapshot, query, &mut names, slot_of(*row))?
                        {
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
            return Ok(());
        }
        // Rows of several indexes, each gathered up to the limit, then put into one order.
        let mut runs: Vec<Vec<u64>> = Vec::with_capacity(kinds.len());
        for (kind, checks) in kinds {
            let load = |block: u64| snapshot.load_block(kind, block);
            let mut run = Spare::take();
            snapshot.index(kind).visit_slices(range.clone(), &load, &mut |rows| {
                if checks {
                    for row in rows {
                        if run.len() < limit && self.is_wanted(snapshot, query, &mut names, slot_of(*row))? {
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
            let mut both = Spare::take();
            both.extend((0..limit.min(one.len() + other.len())).map(|_| merge.take()));
            runs.push(both);
            [one, other].into_iter().for_each(Spare::keep);
        }
        let (one, other) = (runs.pop().unwrap_or_default(), runs.pop().unwrap_or_default());
        visit(Found::Runs(&one, &other, limit.min(one.len() + other.len())))?;
        [one, other].into_iter().for_each(Spare::keep);
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
        for found in merged(snapshot, &past, &loads, range.start) {
            let (found, is_past) = found?;
            if left == 0 || found >= range.end {
                break;
            }
            let then = if is_past { Some(&past) } else { None };
            if self.row(snapshot, &past.displaced, then, query, slot_of(found))?.is_some() {
                visit(Found::Rows(&[found], then))?;
                left -= 1;
            }
        }
        Ok(())
    }

    fn is_wanted(
        &self,
        snapshot: &Snapshot<'_>,
        query: &Query,
        names: &mut Names,
        slot: u32,
    ) -> Result<bool> {
        let clock = snapshot.clock_row(slot)?;
        if !query.wants(stage_of(&clock, query.now)) {
            return Ok(false);
        }
        match &query.clock {
            None => Ok(true),
            Some(wanted) => {
                let mut known = std::mem::take(&mut names.known);
                let name = names.of(self, snapshot, &clock, &mut known)?;
                let is_it = known.get(name as usize) == Some(wanted);
                names.known = known;
                Ok(is_it)
            }
        }
    }
}

impl Query {
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

/// Positions of clock names, by policy edition and the clock's index in it.
#[derive(Default)]
struct Names {
    places: Vec<Vec<Option<i32>>>,
    known: Vec<String>,
}

impl Names {
    /// The position of a clock's name in `names`, added if it is not there yet.
    fn of(
        &mut self,
        db: &Db,
        snapshot: &Snapshot<'_>,
        clock: &ClockRow,
        names: &mut Vec<String>,
    ) -> Result<i32> {
        let newest = snapshot.head().policy;
        let number = if newest == 1 { 1 } else { snapshot.request_row(clock.request)?.policy };
        let place = (number as usize, usize::from(clock.clock));
        if let Some(Some(at)) = self.places.get(place.0).and_then(|clocks| clocks.get(place.1)) {
            return Ok(*at);
        }
        let edition = db.edition(snapshot, number)?;
        let name = edition.clock_name(clock.clock)?;
        let at = self::place(names, name);
        if self.places.len() <= place.0 {
            self.places.resize(place.0 + 1, Vec::new());
        }
        let clocks = &mut self.places[place.0];
        if clocks.len() <= place.1 {
            clocks.resize(place.1 + 1, None);
        }
        clocks[place.1] = Some(at);
        Ok(at)
    }
}

/// The position of a name, added if it is not there yet.
fn place(names: &mut Vec<String>, name: &str) -> i32 {
    let known = names.iter().position(|known| known == name);
    known.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    }) as i32
}

impl Table {
    /// An empty table with room for rows.
    fn with_room(rows: usize) -> Table {
        let mut id_ends = Vec::with_capacity(rows + 1);
        id_ends.push(0);
        Table {
            id_ends,
            clock: Vec::with_capacity(rows),
            cycle: Vec::with_capacity(rows),
            stage: Vec::with_capacity(rows),
            due_at: Vec::with_capacity(rows),
            limit_at: Vec::with_capacity(rows),
            started_at: Vec::with_capacity(rows),
            ..Table::default()
        }
    }

    /// A table of rows that were found one by one.
    #[cfg(feature = "arrow")]
    pub(crate) fn of(rows: &[Row]) -> Table {
        let mut table = Table::with_room(rows.len());
        for row in rows {
            table.ids.push_str(&row.request);
            table.id_ends.push(table.ids.len() as i64);
            let name = place(&mut table.clock_names, &row.clock);
            table.clock.push(name);
            table.cycle.push(i64::from(row.cycle));
            table.stage.push(row.stage);
            table.due_at.push(row.due_at.as_secs());
            table.limit_at.push(row.limit_at.map_or(Table::NO_LIMIT, Instant::as_secs));
            table.started_at.push(row.started_at.as_secs());
        }
        table
    }

    /// Makes room for rows and fills in what they tell themselves. Returns the position of the first.
    fn grow(&mut self, rows: &[u64]) -> usize {
        let from = self.len();
        let len = from + rows.len();
        self.due_at.extend(rows.iter().map(|row| i64::from(key_of(*row))));
        self.clock.resize(len, 0);
        self.cycle.resize(len, 0);
        self.stage.resize(len, Stage::Idle);
        self.limit_at.resize(len, Table::NO_LIMIT);
        self.started_at.resize(len, 0);
        from
    }

    /// Adds rows as the mirror tells them, whether they are as they were sealed or not.
    fn extend_mirrored(&mut self, rows: &[u64], clocks: &[MirroredClock], kinds: &[(i32, u8)], now: Instant) {
        let kind = |clock: &MirroredClock| kinds.get(clock.kind()).copied().unwrap_or_default();
        let told = || rows.iter().zip(clocks).map(|(row, clock)| clock.row(key_of(*row), kind(clock).1));
        self.due_at.extend(rows.iter().map(|row| i64::from(key_of(*row))));
        self.clock.extend(clocks.iter().map(|clock| kind(clock).0));
        self.cycle.extend(told().map(|clock| i64::from(clock.cycle)));
        self.stage.extend(told().map(|clock| stage_of(&clock, now)));
        self.limit_at.extend(told().map(|clock| limit_of(&clock)));
        self.started_at.extend(told().map(|clock| i64::from(clock.started_at)));
    }

    fn set(&mut self, at: usize, clock: &ClockRow, name: i32, now: Instant) -> Result<()> {
        if clock.phase != PhaseCode::Running || clock.due == NONE || clock.started_at == NONE {
            let text = format!("request slot {}: a running clock without due", clock.request);
            return Err(Error::new(ErrorKind::Damaged, text));
        }
        self.clock[at] = name;
        self.cycle[at] = i64::from(clock.cycle);
        self.stage[at] = stage_of(clock, now);
        self.limit_at[at] = limit_of(clock);
        self.started_at[at] = i64::from(clock.started_at);
        Ok(())
    }
}

fn limit_of(clock: &ClockRow) -> i64 {
    if clock.limit == NONE { Table::NO_LIMIT } else { i64::from(clock.limit) }
}

/// External ids in the order in which they are read, until they are put into the order of the rows.
#[derive(Default)]
struct Ids {
    text: String,
    /// Where each row's id lies in `text`.
    places: Vec<(usize, usize)>,
}

impl Ids {
    fn put(&mut self, at: usize, id: &str) {
        let from = self.text.len();
        self.text.push_str(id);
        self.places[at] = (from, self.text.len());
    }

    fn move_to(&mut self, from: usize, table: &mut Table) {
        table.ids.reserve(self.text.len());
        for (start, end) in &self.places[from..] {
            table.ids.push_str(&self.text[*start..*end]);
            table.id_ends.push(table.ids.len() as i64);
        }
        self.text.clear();
    }
}
