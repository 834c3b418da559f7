//! Counts by weekday and hour.

use chrono::{Datelike, NaiveDateTime, Timelike};
use serde::{Deserialize, Serialize};

use super::Ids;

/// Requests by the weekday and hour at which they were received, in the clock's zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heat {
    /// The hours in which anything was, by weekday, then hour.
    pub cells: Vec<HeatCell>,
}

/// One hour of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeatCell {
    /// 0 Monday to 6 Sunday.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// The requests.
    pub ids: Ids,
}

impl Heat {
    pub(crate) fn add(&mut self, local: NaiveDateTime, id: &str, most: usize) {
        let place = (local.weekday().num_days_from_monday() as u8, local.hour() as u8);
        let at = match self.cells.binary_search_by_key(&place, |cell| (cell.weekday, cell.hour)) {
            Ok(at) => at,
            Err(at) => {
                let (weekday, hour) = place;
                self.cells.insert(at, HeatCell { weekday, hour, ids: Ids::default() });
                at
            }
        };
        self.cells[at].ids.add(id, most);
    }

    /// The requests of one hour of the week; `None` if there were none.
    pub fn get(&self, weekday: u8, hour: u8) -> Option<&Ids> {
        let at = self.cells.binary_search_by_key(&(weekday, hour), |cell| (cell.weekday, cell.hour)).ok()?;
        self.cells.get(at).map(|cell| &cell.ids)
    }

    /// The most requests of any one hour.
    pub fn most(&self) -> u64 {
        self.cells.iter().map(|cell| cell.ids.total).max().unwrap_or(0)
    }
}
