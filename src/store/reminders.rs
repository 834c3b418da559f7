//! What each edition of the policy asks of people, and who has done it: when it is to be reviewed, who must have read it
//! until when, and the acknowledgements.
//!
//! Keys are edition << 32: the schedule, made from the policy when it is installed, so that advancing the feed reads no
//! policy; then, from 1 on, the acknowledgements in the order of arrival.

use serde::{Deserialize, Serialize};

use super::codec;
use super::tables::{Reader, Table};
use crate::error::Result;
use crate::time::Instant;

/// What an edition asks of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Schedule {
    /// The edition before it asks nothing any more from here on.
    pub(crate) in_force_from: Instant,
    /// Until when somebody should have reviewed it.
    pub(crate) review_due: Option<Instant>,
    /// Until when the readers must have read it.
    pub(crate) reading_due: Option<Instant>,
    /// Who must have read it.
    pub(crate) readers: Vec<String>,
}

codec::coded!(Schedule, Done);

/// Somebody read or reviewed an edition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// A review, and not only that it was read.
    pub(crate) review: bool,
    /// Who.
    pub(crate) by: String,
    /// When.
    pub(crate) at: Instant,
}

/// An edition with what was done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) edition: u32,
    pub(crate) schedule: Schedule,
    pub(crate) done: Vec<Done>,
}

/// The key of an edition's schedule (0) or of an acknowledgement.
pub(crate) fn key(edition: u32, number: u32) -> u64 {
    u64::from(edition) << 32 | u64::from(number)
}

/// The bytes of a schedule or an acknowledgement.
pub(crate) fn write<T: codec::Coded>(value: &T) -> Result<Vec<u8>> {
    codec::encode(value)
}

/// The editions from `newest` down to the one in force at `since`, newest first: earlier ones asked nothing after it.
pub(crate) fn read(reader: &Reader, newest: u32, since: Instant) -> Result<Vec<Asked>> {
    let mut found = Vec::new();
    for edition in (1..=newest).rev() {
        let schedule: Schedule = reader.must(Table::Reminders, key(edition, 0), codec::decode_all)?;
        let mut done = Vec::new();
        reader.visit(Table::Reminders, key(edition, 1)..=key(edition, u32::MAX), |_, payload| {
            done.push(codec::decode_all(payload)?);
            Ok(true)
        })?;
        let last = schedule.in_force_from <= since;
        found.push(Asked { edition, schedule, done });
        if last {
            break;
        }
    }
    Ok(found)
}
