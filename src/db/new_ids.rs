//! The ids of the requests that a batch adds, each with its slot.
//!
//! A batch may add a million. A table of hashes and slots alone grows without looking at the texts again, which lie all
//! over the memory; they are compared when a hash is found.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use foldhash::quality::RandomState;

/// Slots by external id.
#[derive(Default)]
pub(super) struct NewIds<'a> {
    /// Nobody can choose ids so that their hashes are the same.
    hasher: RandomState,
    slots: HashMap<u64, u32, FixedState>,
    /// The second and further ones of one hash.
    more: HashMap<&'a str, u32, RandomState>,
}

impl<'a> NewIds<'a> {
    pub(super) fn reserve(&mut self, ids: usize) {
        self.slots.reserve(ids);
    }

    /// The slot of an id. `id_of` gives the id at a slot that was inserted.
    pub(super) fn get<'i>(&self, id: &str, id_of: impl Fn(u32) -> Option<&'i str>) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let slot = *self.slots.get(&self.hasher.hash_one(id))?;
        if id_of(slot) == Some(id) { Some(slot) } else { self.more.get(id).copied() }
    }

    /// Adds an id that is not there.
    pub(super) fn insert(&mut self, id: &'a str, slot: u32) {
        self.insert_hashed(self.hasher.hash_one(id), id, slot);
    }

    fn insert_hashed(&mut self, hash: u64, id: &'a str, slot: u32) {
        if *self.slots.entry(hash).or_insert(slot) != slot {
            self.more.insert(id, slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_hash_are_told_apart() {
        let ids = ["a", "b", "c", "d"];
        let id_of = |slot: u32| ids.get(slot as usize).copied();
        let mut new = NewIds::default();
        assert_eq!(new.get("a", id_of), None);
        // As if `b` and `c` had the hash of `a`.
        let hash = new.hasher.hash_one("a");
        for (slot, id) in (0..).zip(ids) {
            let hash = if id == "d" { new.hasher.hash_one(id) } else { hash };
            new.insert_hashed(hash, id, slot);
        }
        assert_eq!((new.get("a", id_of), new.get("d", id_of), new.get("e", id_of)), (Some(0), Some(3), None));
        assert_eq!(new.more.len(), 2);
        // Asked for by the hash that they are found under.
        assert_eq!((new.more.get("b"), new.more.get("c")), (Some(&1), Some(&2)));
    }
}
