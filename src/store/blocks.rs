//! Sealed values that were read and verified before. They do not change until the next fold, so they are kept.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::{FixedState, RandomState};

use super::tables::Table;

/// Keeps what was used lately, within a limit in bytes.
///
/// Two generations: what is asked for moves to the young one, and when that is full it becomes the old one.
#[derive(Debug)]
pub(crate) struct Blocks {
    /// Most bytes of a generation.
    limit: usize,
    kept: Mutex<Kept>,
}

/// What keeping a value takes beside its bytes, roughly.
const ENTRY_BYTES: usize = 64;

/// How many of the values that were asked for lately are remembered, for each that could be kept.
const ASKED_PER_KEPT: usize = 2;
/// About the size of a value, for that.
const USUAL_BYTES: usize = 4 << 10;

type Generation = HashMap<(u8, u64), Arc<[u8]>, RandomState>;

#[derive(Debug, Default)]
struct Kept {
    young: Generation,
    old: Generation,
    young_bytes: usize,
    /// Values that were asked for, each in the place that its hash gives it, by another part of the hash.
    asked: Vec<u32>,
}

impl Blocks {
    /// Keeps at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Blocks {
        Blocks { limit: limit / 2, kept: Mutex::default() }
    }

    /// The value at `key`, if it is kept.
    pub(crate) fn get(&self, table: Table, key: u64) -> Option<Arc<[u8]>> {
        let mut kept = self.kept();
        let place = (table as u8, key);
        if let Some(found) = kept.young.get(&place) {
            return Some(found.clone());
        }
        let found = kept.old.remove(&place)?;
        self.put_into(&mut kept, place, found.clone());
        Some(found)
    }

    /// Whether it pays to keep the value at `key`: it was asked for before, and not much else since.
    ///
    /// Whoever goes through a file larger than this never comes back in time, and would only copy.
    pub(crate) fn is_worth_keeping(&self, table: Table, key: u64) -> bool {
        let mut kept = self.kept();
        if kept.asked.is_empty() {
            let places = self.limit * 2 / USUAL_BYTES * ASKED_PER_KEPT;
            kept.asked.resize(places.next_power_of_two().max(64), 0);
        }
        let hash = FixedState::default().hash_one((table as u8, key));
        let (place, mark) = (hash as usize & (kept.asked.len() - 1), (hash >> 32) as u32 | 1);
        std::mem::replace(&mut kept.asked[place], mark) == mark
    }

    /// Keeps a value.
    pub(crate) fn put(&self, table: Table, key: u64, value: Arc<[u8]>) {
        self.put_into(&mut self.kept(), (table as u8, key), value);
    }

    #[cfg(test)]
    fn memory_bytes(&self) -> usize {
        let kept = self.kept();
        kept.young_bytes + kept.old.values().map(|value| value.len() + ENTRY_BYTES).sum::<usize>()
    }

    fn put_into(&self, kept: &mut Kept, place: (u8, u64), value: Arc<[u8]>) {
        let bytes = value.len() + ENTRY_BYTES;
        if kept.young_bytes + bytes > self.limit {
            kept.old = std::mem::take(&mut kept.young);
            kept.young_bytes = 0;
        }
        kept.young_bytes += bytes;
        if let Some(replaced) = kept.young.insert(place, value) {
            kept.young_bytes -= replaced.len() + ENTRY_BYTES;
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(byte: u8) -> Arc<[u8]> {
        vec![byte; 100].into()
    }

    #[test]
    fn keeps_what_is_used_within_its_limit() {
        let blocks = Blocks::new(2_000);
        for key in 0..100 {
            blocks.put(Table::Clocks, key, value(key as u8));
            assert_eq!(blocks.get(Table::Clocks, 0).as_deref(), Some(&[0; 100][..]));
            assert!(blocks.memory_bytes() <= 2_000);
        }
        assert_eq!(blocks.get(Table::Clocks, 99), Some(value(99)));
        assert_eq!(blocks.get(Table::Clocks, 50), None);
        assert_eq!(blocks.get(Table::Requests, 99), None);
    }

    #[test]
    fn what_is_asked_for_again_soon_is_worth_keeping() {
        let blocks = Blocks::new(1 << 20);
        assert!(!blocks.is_worth_keeping(Table::Clocks, 7));
        assert!(blocks.is_worth_keeping(Table::Clocks, 7));
        assert!(!blocks.is_worth_keeping(Table::Requests, 7), "another table");
        for _ in 0..2 {
            let again = (0..100_000).filter(|key| blocks.is_worth_keeping(Table::Events, *key)).count();
            assert!(again < 100, "{again}: a walk through everything comes back too late");
        }
        let few = 0..100;
        let first = few.clone().filter(|key| blocks.is_worth_keeping(Table::Clocks, *key)).count();
        assert_eq!(first, 0);
        let again = few.filter(|key| blocks.is_worth_keeping(Table::Clocks, *key)).count();
        assert!(again >= 70, "{again} of 100");
    }
}
