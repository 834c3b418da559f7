//! Many due instants at once, column in, column out.

use crate::error::{Error, ErrorKind, Result};
use crate::policy::Rule;
use crate::time::Instant;

/// What a column of due instants holds where there is no deadline.
pub const NO_DEADLINE: i64 = i64::MIN;

impl Rule {
    /// The due instants of many receipts, in seconds since 1970-01-01T00:00:00Z.
    ///
    /// `out` has as many entries as `received` and gets the due instants in the same order, [`NO_DEADLINE`] where
    /// there is none. The same answers as [`due`](Rule::due), one by one; ascending receipts are fastest.
    ///
    /// # Errors
    /// `InvalidArgument` if the lengths differ, else `OutOfRange` naming the first receipt that is no instant
    /// (before 1970, from 2100 on). In both cases nothing is written.
    pub fn due_many(&self, received: &[i64], out: &mut [i64]) -> Result<()> {
        if received.len() != out.len() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "{} receipts and room for {} due instants: must be as many",
                    received.len(),
                    out.len()
                ),
            ));
        }
        // Everything is checked before anything is written.
        for (index, seconds) in received.iter().enumerate() {
            Instant::from_secs(*seconds).map_err(|error| error.context(format_args!("receipt {index}")))?;
        }
        for (seconds, out) in received.iter().zip(out) {
            let due = Instant::checked(*seconds).map(|at| self.due(at));
            *out = due.and_then(std::result::Result::ok).map_or(NO_DEADLINE, Instant::as_secs);
        }
        Ok(())
    }
}
