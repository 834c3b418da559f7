//! What a report is asked for.

use serde::{Deserialize, Serialize};

use crate::attainment::PeriodRange;
use crate::error::{Error, ErrorKind, Result};
use crate::time::Instant;

/// What to report.
///
/// The cohort is what was received in the period, by the local date in the zone of each clock's calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportQuery {
    /// Judge at this instant.
    pub now_at: Instant,
    /// The requests received in it.
    pub period: PeriodRange,
    /// Only the clock of this name; otherwise all that promise a share.
    #[serde(default)]
    pub clock: Option<String>,
    /// Facts to compare groups by: `customer`, `priority`, `category`, `channel` or an attribute. At most 16.
    #[serde(default = "usual_facts")]
    pub by: Vec<String>,
    /// The most ids in each list, 0 to 1,000.
    #[serde(default = "usual_ids")]
    pub most_ids: u32,
    /// The most groups of each fact, 1 to 10,000: those that stand out first, then the largest.
    #[serde(default = "usual_groups")]
    pub most_groups: u32,
    /// How many of the latest and of the nearest to list, 0 to 1,000.
    #[serde(default = "usual_rows")]
    pub most_rows: u32,
}

/// Most facts to compare by.
const MAX_FACTS: usize = 16;

fn usual_facts() -> Vec<String> {
    ["priority", "customer", "channel", "category"].map(str::to_owned).to_vec()
}

fn usual_ids() -> u32 {
    25
}

fn usual_groups() -> u32 {
    12
}

fn usual_rows() -> u32 {
    10
}

impl ReportQuery {
    /// What was received in the period, judged at `now`: all clocks that promise a share; by priority, customer,
    /// channel and category; at most 25 ids behind each figure, 12 groups of each fact, 10 rows of the latest.
    pub fn at(now: Instant, period: PeriodRange) -> ReportQuery {
        ReportQuery {
            now_at: now,
            period,
            clock: None,
            by: usual_facts(),
            most_ids: usual_ids(),
            most_groups: usual_groups(),
            most_rows: usual_rows(),
        }
    }

    /// Checks the limits.
    ///
    /// # Errors
    /// `InvalidArgument`, `OutOfRange`.
    pub(crate) fn validate(&self) -> Result<()> {
        if self.by.len() > MAX_FACTS {
            return Err(Error::new(
                ErrorKind::OutOfRange,
                format!("report by {} facts: at most {MAX_FACTS} are allowed", self.by.len()),
            ));
        }
        if let Some(twice) = self.by.iter().enumerate().find(|(at, fact)| self.by[..*at].contains(fact)) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("report by `{}`: named twice", twice.1),
            ));
        }
        let limits = [
            ("most_ids", self.most_ids, 0..=1_000),
            ("most_groups", self.most_groups, 1..=10_000),
            ("most_rows", self.most_rows, 0..=1_000),
        ];
        for (name, asked, allowed) in limits {
            if !allowed.contains(&asked) {
                return Err(Error::new(
                    ErrorKind::OutOfRange,
                    format!("{name} {asked}: must be {} to {}", allowed.start(), allowed.end()),
                ));
            }
        }
        Ok(())
    }
}
