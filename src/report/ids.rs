//! The requests behind a figure.

use serde::{Deserialize, Serialize};

/// How many requests are behind a figure, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// All of them.
    pub total: u64,
    /// External ids in the order of submission, at most as many as were asked for.
    pub first: Vec<String>,
}

impl Ids {
    /// Counts one more; keeps its id if fewer than `most` are kept.
    pub(crate) fn add(&mut self, id: &str, most: usize) {
        self.total += 1;
        if self.first.len() < most {
            self.first.push(id.to_owned());
        }
    }

    /// How many are not listed.
    pub fn unlisted(&self) -> u64 {
        self.total.saturating_sub(self.first.len() as u64)
    }
}
