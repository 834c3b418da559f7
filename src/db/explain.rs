//! Why a request's deadlines are what they are.

use super::{Db, no_request};
use crate::error::Result;
use crate::explain::{Explanation, explain_given};
use crate::time::Instant;

impl Db {
    /// Why a request's clock stands where it stands at `now`, step by step.
    ///
    /// # Errors
    /// `NotFound` if there is no such request or its policy has no such clock; the errors of the file.
    pub fn explain(&self, id: &str, clock: &str, now: Instant) -> Result<Explanation> {
        self.store.read(|snapshot| {
            let slot = snapshot.find(id)?.ok_or_else(|| no_request(id))?;
            let life = self.facts_of(snapshot, slot)?;
            explain_given(life.given(), &life.request, &life.events, clock, now)
        })
    }
}
