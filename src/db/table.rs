//! Scans as tables: everything that a list tells of its rows, by the column, without a value of its own for each row.

use super::Db;
use super::names::Names;
use super::rows::{Found, Merge, rows_within};
use super::scan::Query;
use super::spare::Spare;
#[cfg(feature = "arrow")]
use super::status::Row;
use super::status::stage_of;
use crate::clock::Stage;
use crate::error::{Error, ErrorKind, Result};
use crate::store::index::{key_of, slot_of};
use crate::store::mirror::{Mirror, MirroredClock, MirroredIds, Place, Stride};
use crate::store::records::{ClockRow, NONE, PhaseCode};
use crate::store::snapshot::Snapshot;
use crate::time::Instant;

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

/// Rows that are filled in at once, so that all their columns are in the processor's cache.
const AT_ONCE: usize = 2_048;

impl Db {
    /// Every running clock that a query asks for, earliest due first, with all that a scan tells of it, from one
    /// snapshot.
    ///
    /// # Errors
    /// `NotFound` if no policy of the database has the clock asked for; the errors of the file.
    pub fn scan_table(&self, query: &Query) -> Result<Table> {
        self.store.read(|snapshot| {
            let most = rows_within(snapshot, query)?;
            let mut table = Table::with_room(most, &self.spare);
            let is_past = snapshot.head().latest_event_at > query.now.raw();
            let clocks = if is_past { None } else { snapshot.mirror(most as u64)? };
            let ids = clocks.map(|clocks| snapshot.mirrored_ids(clocks)).transpose()?.flatten();
            match clocks.zip(ids) {
                Some(mirrored) => self.fill_mirrored(snapshot, query, mirrored, &mut table)?,
                None => self.fill(snapshot, query, &mut table)?,
            }
            Ok(table)
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
                table.set(from + at, clock, names.place_of(self, snapshot, clock)?, query.now)?;
                snapshot.with_request_id(clock.request, |id| ids.put(from + at, id))
            })?;
            ids.move_to(from, table);
            Ok(())
        })?;
        table.clock_names = names.all;
        Ok(())
    }

    /// Adds the rows of a query, most of them told by the mirror.
    fn fill_mirrored(
        &self,
        snapshot: &Snapshot<'_>,
        query: &Query,
        (mirror, mirrored_ids): (&Mirror, &MirroredIds),
        table: &mut Table,
    ) -> Result<()> {
        let mut names = Names::default();
        let mut kinds = [(0, 0); 256];
        for ((edition, clock), kind) in mirror.kinds().iter().zip(&mut kinds) {
            let edition = self.edition(snapshot, *edition)?;
            *kind = (names.place(edition.clock_name(*clock)?), *clock);
        }
        let mut ids: Vec<u8> = self.spare.column(mirrored_ids.usual_bytes(table.due_at.capacity()));
        let mut told = Told::default();
        let mut add = |rows: &[u64]| -> Result<()> {
            told.look_up(rows, mirror, mirrored_ids);
            let from = table.len();
            table.extend_mirrored(rows, &told.clocks, &kinds, query.now);
            if snapshot.are_as_sealed(&told.clocks) {
                mirrored_ids.append(&told.places, &told.strides, &mut ids, &mut table.id_ends);
                return Ok(());
            }
            for (at, clock) in told.clocks.iter().enumerate() {
                if snapshot.are_as_sealed(std::slice::from_ref(clock)) {
                    let (place, stride) = (&told.places[at..=at], &told.strides[at..=at]);
                    mirrored_ids.append(place, stride, &mut ids, &mut table.id_ends);
                } else {
                    let clock = snapshot.clock_row(slot_of(rows[at]))?;
                    table.set(from + at, &clock, names.place_of(self, snapshot, &clock)?, query.now)?;
                    snapshot.with_request_id(clock.request, |id| ids.extend_from_slice(id.as_bytes()))?;
                    table.id_ends.push(ids.len() as i64);
                }
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
        table.clock_names = names.all;
        table.ids = String::from_utf8(ids).map_err(|cause| {
            Error::new(ErrorKind::Damaged, "external ids that are no text").because(cause)
        })?;
        Ok(())
    }
}

/// What the mirror tells of some rows, one kind of thing at a time: loads that wait for nothing but memory are many at once.
#[derive(Default)]
struct Told {
    clocks: Vec<MirroredClock>,
    places: Vec<Place>,
    strides: Vec<Stride>,
}

impl Told {
    fn look_up(&mut self, rows: &[u64], mirror: &Mirror, ids: &MirroredIds) {
        self.clocks.clear();
        self.clocks.extend(rows.iter().map(|row| mirror.clock(slot_of(*row))));
        self.places.clear();
        self.places.extend(self.clocks.iter().map(|clock| ids.place(clock.request)));
        self.strides.clear();
        self.strides.extend(self.places.iter().map(|place| ids.stride(*place)));
    }
}

impl Table {
    /// An empty table with room for rows.
    fn with_room(rows: usize, spare: &Spare) -> Table {
        let mut id_ends = spare.column(rows + 1);
        id_ends.push(0);
        Table {
            id_ends,
            clock: spare.column(rows),
            cycle: spare.column(rows),
            stage: Vec::with_capacity(rows),
            due_at: spare.column(rows),
            limit_at: spare.column(rows),
            started_at: spare.column(rows),
            ..Table::default()
        }
    }

    /// A table of rows that were found one by one.
    #[cfg(feature = "arrow")]
    pub(crate) fn of(rows: &[Row]) -> Table {
        let (mut table, mut names) = (Table::with_room(rows.len(), &Spare::default()), Names::default());
        for row in rows {
            table.ids.push_str(&row.request);
            table.id_ends.push(table.ids.len() as i64);
            table.clock.push(names.place(&row.clock));
            table.cycle.push(i64::from(row.cycle));
            table.stage.push(row.stage);
            table.due_at.push(row.due_at.as_secs());
            table.limit_at.push(row.limit_at.map_or(Table::NO_LIMIT, Instant::as_secs));
            table.started_at.push(row.started_at.as_secs());
        }
        table.clock_names = names.all;
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
    fn extend_mirrored(
        &mut self,
        rows: &[u64],
        clocks: &[MirroredClock],
        kinds: &[(i32, u8); 256],
        now: Instant,
    ) {
        let kind = |clock: &MirroredClock| kinds[usize::from(clock.kind())];
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
