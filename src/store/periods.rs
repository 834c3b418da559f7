//! The cohorts of promised shares as the feed follows them, so that advancing it looks only at what became late and at who
//! came. Derived from the events like the clocks' rows.
//!
//! Keys are edition << 32 | clock << 16 | month: the first edition of the version of the policy that judges the period, the
//! clock's place in it, and the period's first month, counted from January 1970.

use super::codec;
use super::tables::{Reader, Table};
use crate::attainment::Cohort;
use crate::error::Result;

codec::coded!(Cohort);

/// Whose cohort: which promise, and of which period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CohortKey {
    /// The first edition of the version that made the promise.
    pub(crate) edition: u32,
    /// The clock's place in it.
    pub(crate) clock: u8,
    /// The period's first month, 0 for January 1970.
    pub(crate) month: u16,
}

impl CohortKey {
    pub(crate) fn key(self) -> u64 {
        u64::from(self.edition) << 32 | u64::from(self.clock) << 16 | u64::from(self.month)
    }

    fn of(key: u64) -> CohortKey {
        CohortKey { edition: (key >> 32) as u32, clock: (key >> 16) as u8, month: key as u16 }
    }
}

/// The bytes of a cohort.
pub(crate) fn write(cohort: &Cohort) -> Result<Vec<u8>> {
    codec::encode(cohort)
}

/// One cohort; empty if nothing is known of it.
pub(crate) fn read(reader: &Reader, key: CohortKey) -> Result<Cohort> {
    Ok(reader.with(Table::Periods, key.key(), codec::decode_all)?.unwrap_or_default())
}

/// The cohorts from one key to another, both included, those that are empty left out.
pub(crate) fn visit(
    reader: &Reader,
    keys: std::ops::RangeInclusive<u64>,
    mut visit: impl FnMut(CohortKey, Cohort),
) -> Result<()> {
    reader.visit(Table::Periods, keys, |key, payload| {
        let cohort: Cohort = codec::decode_all(payload)?;
        if !cohort.is_empty() {
            visit(CohortKey::of(key), cohort);
        }
        Ok(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_value_are_pinned() {
        let cohort = Cohort::of(vec![5, 300], vec![(300, true)]);
        let bytes = write(&cohort).unwrap();
        assert_eq!(bytes, [2, 1, 251, 44, 1, 1, 2]);
        assert_eq!(codec::decode_all::<Cohort>(&bytes).unwrap(), cohort);
        let key = CohortKey { edition: 3, clock: 2, month: 674 };
        assert_eq!((key.key(), CohortKey::of(key.key())), (3 << 32 | 2 << 16 | 674, key));
    }
}
