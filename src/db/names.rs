//! The names of clocks, as lists in columns tell them: each once, and a position for every row.

use super::Db;
use crate::error::Result;
use crate::store::records::ClockRow;
use crate::store::snapshot::Snapshot;

/// Names of clocks, and which clocks have them.
#[derive(Default)]
pub(super) struct Names {
    /// Each once, in the order in which they were met.
    pub(super) all: Vec<String>,
    /// Positions in `all`, by policy edition and the clock's index in it.
    places: Vec<Vec<Option<i32>>>,
}

impl Names {
    /// The position of a clock's name.
    pub(super) fn place_of(&mut self, db: &Db, snapshot: &Snapshot<'_>, clock: &ClockRow) -> Result<i32> {
        let newest = snapshot.head().policy;
        let number = if newest == 1 { 1 } else { snapshot.request_row(clock.request)?.policy };
        let (edition, index) = (number as usize, usize::from(clock.clock));
        if let Some(Some(at)) = self.places.get(edition).and_then(|clocks| clocks.get(index)) {
            return Ok(*at);
        }
        let at = self.place(db.edition(snapshot, number)?.clock_name(clock.clock)?);
        if self.places.len() <= edition {
            self.places.resize(edition + 1, Vec::new());
        }
        let clocks = &mut self.places[edition];
        if clocks.len() <= index {
            clocks.resize(index + 1, None);
        }
        clocks[index] = Some(at);
        Ok(at)
    }

    /// The name of a clock.
    pub(super) fn name_of(&mut self, db: &Db, snapshot: &Snapshot<'_>, clock: &ClockRow) -> Result<&str> {
        let place = self.place_of(db, snapshot, clock)?;
        Ok(self.all.get(place as usize).map_or("", String::as_str))
    }

    /// The position of a name, added if it is not there yet.
    pub(super) fn place(&mut self, name: &str) -> i32 {
        let known = self.all.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            self.all.push(name.to_owned());
            self.all.len() - 1
        }) as i32
    }
}
