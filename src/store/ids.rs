//! The index of external ids: sealed runs of (hash of the id, slot), sorted.
//!
//! They come in random order and are kept in sorted runs (`runs.rs`). A hash only finds candidates: whoever asks compares
//! the text. A block is its hashes, then its slots.

use twox_hash::XxHash3_64;

use super::runs::{self, Row, block_key, rows_of};
use crate::error::Result;

/// Part of the file format.
const SEED: u64 = 0x736c_6163_6c6f_636b;
/// Entries in a full block: with its frame it stays just under 4 KiB, since a look-up reads and verifies all of it.
const ENTRIES_PER_BLOCK: usize = 336;
const ENTRY_BYTES: usize = 12;
/// Hands over a block by its key, without a copy.
pub(crate) type With<'a> = &'a dyn Fn(u64, &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>;

/// The hash of an external id, for ever the same.
pub(crate) fn hash(id: &str) -> u64 {
    XxHash3_64::oneshot_with_seed(SEED, id.as_bytes())
}

/// A hash and the slot of a request whose id has it.
pub(crate) type Entry = (u64, u32);

impl Row for Entry {
    type Key = u64;
    type Turn = Entry;
    const WHAT: &'static str = "external ids";
    const PER_BLOCK: usize = ENTRIES_PER_BLOCK;
    const BYTES: usize = ENTRY_BYTES;
    const KEY_BYTES: usize = 8;

    fn key(&self) -> u64 {
        self.0
    }

    fn turn(&self, _: usize) -> Entry {
        *self
    }

    fn is_hidden_by(&self, _: &Self) -> bool {
        false
    }

    fn says_something(&self) -> bool {
        true
    }

    fn write_key(hash: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&hash.to_le_bytes());
    }

    fn read_key(bytes: &[u8]) -> u64 {
        bytes.first_chunk().map_or(0, |hash| u64::from_le_bytes(*hash))
    }

    fn pack(entries: &[Self], out: &mut Vec<u8>) {
        entries.iter().for_each(|(hash, _)| out.extend_from_slice(&hash.to_le_bytes()));
        entries.iter().for_each(|(_, slot)| out.extend_from_slice(&slot.to_le_bytes()));
    }

    fn key_at(block: &[u8], at: usize) -> u64 {
        u64::from_le_bytes(block.as_chunks::<8>().0[at])
    }

    fn row_at(block: &[u8], at: usize) -> Result<Entry> {
        Ok((Self::key_at(block, at), slot_at(block, at)))
    }
}

fn slot_at(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(block[rows_of::<Entry>(block) * 8..].as_chunks::<4>().0[at])
}

/// The runs of external ids.
pub(crate) type Directory = runs::Directory<Entry>;
type Run = runs::Run<Entry>;

impl Directory {
    #[cfg(test)]
    fn len(&self) -> u64 {
        self.runs.iter().map(|run| run.rows).sum()
    }

    #[cfg(test)]
    fn runs(&self) -> usize {
        self.runs.len()
    }

    /// The slots of every entry with this hash, from the newest run to the oldest. Loads one block of each
    /// run, or a few when many entries share the hash.
    pub(crate) fn find(&self, hash: u64, with: With<'_>) -> Result<Vec<u32>> {
        let mut slots = Vec::new();
        for run in self.runs.iter().rev() {
            run.find(hash, with, &mut slots)?;
        }
        Ok(slots)
    }
}

impl Run {
    fn find(&self, hash: u64, with: With<'_>, slots: &mut Vec<u32>) -> Result<()> {
        // The order of a verified block is taken on trust; `lower_bound` ends whatever it is.
        // Entries of one hash may begin in the block before the first that starts with it.
        let mut block = lower_bound(self.firsts.len(), |at| self.firsts[at], hash).saturating_sub(1);
        while self.firsts.get(block).is_some_and(|first| *first <= hash) {
            with(block_key(self.number, block as u32), &mut |bytes| {
                let found = self.block(block, bytes)?;
                let (count, hash_at) = (rows_of::<Entry>(found), |at| Entry::key_at(found, at));
                let from = lower_bound(count, hash_at, hash);
                let same = (from..count).take_while(|at| hash_at(*at) == hash);
                slots.extend(same.map(|at| slot_at(found, at)));
                Ok(())
            })?;
            block += 1;
        }
        Ok(())
    }
}

/// The first position whose hash is not less than `hash`, among `len` in rising order. Hashes are spread
/// evenly, so a guess by proportion lands beside the answer; doubling steps then enclose it.
fn lower_bound(len: usize, hash_at: impl Fn(usize) -> u64, hash: u64) -> usize {
    if len == 0 || hash <= hash_at(0) {
        return 0;
    }
    let (first, last) = (hash_at(0), hash_at(len - 1));
    if hash > last {
        return len;
    }
    // first < hash <= last
    let guess = (u128::from(hash - first) * (len - 1) as u128 / u128::from(last - first)) as usize;
    let (mut low, mut high) = (guess, guess);
    let mut step = 1;
    // hash_at(low) < hash <= hash_at(high) when both loops are done
    while hash_at(low) >= hash {
        high = low;
        low = low.saturating_sub(step);
        step *= 2;
    }
    while hash_at(high) < hash {
        low = high;
        high = (high + step).min(len - 1);
        step *= 2;
    }
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if hash_at(middle) < hash { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::runs::damaged;
    use super::*;
    use crate::error::ErrorKind;

    /// The index as a store keeps it: values by key, rewritten as plans say.
    #[derive(Default)]
    struct Kept {
        directory: Directory,
        blocks: BTreeMap<u64, Vec<u8>>,
        loads: Cell<usize>,
    }

    impl Kept {
        fn load(&self, key: u64) -> Result<Vec<u8>> {
            self.loads.set(self.loads.get() + 1);
            self.blocks.get(&key).cloned().ok_or_else(|| damaged(format!("{key:x} is missing")))
        }

        fn add(&mut self, mut entries: Vec<(u64, u32)>) {
            entries.sort_unstable();
            let plan = self.directory.add_run(entries, &|key| self.load(key).map(Into::into)).unwrap();
            for run in plan.dropped_runs {
                self.blocks.retain(|key, _| key >> 32 != u64::from(run));
            }
            for (key, bytes) in plan.blocks {
                assert!(self.blocks.insert(key, bytes).is_none());
            }
            self.directory = Directory::read(&plan.directory).unwrap();
            assert_eq!(self.directory.write(), plan.directory);
        }

        fn find(&self, hash: u64) -> Vec<u32> {
            let mut slots = self.directory.find(hash, &|key, with| with(&self.load(key)?)).unwrap();
            slots.sort_unstable();
            slots
        }
    }

    #[test]
    fn the_hash_is_for_ever() {
        assert_eq!(hash(""), 10_303_722_634_438_813_049);
        assert_eq!(hash("CASE-1041"), 12_239_669_636_097_648_329);
        // The published value of XXH3-64 for no bytes and no seed.
        assert_eq!(XxHash3_64::oneshot(b""), 0x2d06_8005_38d3_94c2);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn finds_exactly_what_was_added(
            // Few distinct hashes force collisions within and across blocks, runs and merges.
            batches in proptest::collection::vec(
                proptest::collection::vec(prop_oneof![2 => 0..6_u64, 1 => any::<u64>(), 1 => Just(u64::MAX)], 0..3_000),
                0..6,
            ),
            probes in proptest::collection::vec(any::<u64>(), 0..5),
        ) {
            let (mut kept, mut model) = (Kept::default(), BTreeMap::<u64, Vec<u32>>::new());
            let mut slot = 0;
            for batch in batches {
                let entries: Vec<(u64, u32)> = batch.into_iter().map(|hash| { slot += 1; (hash, slot) }).collect();
                for (hash, slot) in &entries {
                    model.entry(*hash).or_default().push(*slot);
                }
                kept.add(entries);
            }
            prop_assert_eq!(kept.directory.len(), u64::from(slot));
            for (hash, slots) in &model {
                prop_assert_eq!(&kept.find(*hash), slots);
            }
            for probe in probes {
                prop_assert_eq!(kept.find(probe), model.get(&probe).cloned().unwrap_or_default());
            }
        }

        #[test]
        fn the_guess_never_changes_the_answer(
            mut hashes in proptest::collection::vec(prop_oneof![0..9_u64, any::<u64>(), Just(u64::MAX)], 0..200),
            probe in prop_oneof![0..10_u64, any::<u64>(), Just(u64::MAX)],
        ) {
            hashes.sort_unstable();
            let found = lower_bound(hashes.len(), |at| hashes[at], probe);
            prop_assert_eq!(found, hashes.partition_point(|hash| *hash < probe));
        }

        #[test]
        fn any_bytes_give_a_directory_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..80),
            block in proptest::collection::vec(any::<u8>(), 0..80),
            at in any::<prop::sample::Index>(),
            bit in 0..8_u32,
        ) {
            if let Ok(directory) = Directory::read(&bytes) {
                let _ = directory.find(7, &|_, with| with(&block));
            }
            let mut kept = Kept::default();
            kept.add((0..3_000).map(|slot| (u64::from(slot) << 40, slot)).collect());
            let mut bytes = kept.directory.write();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(directory) = Directory::read(&bytes) {
                let _ = directory.add_run(Vec::new(), &|key| kept.load(key).map(Into::into));
            }
        }
    }

    #[test]
    fn runs_stay_few_and_look_ups_cheap() {
        let mut kept = Kept::default();
        for batch in 0..200_u32 {
            kept.add(
                (0..500).map(|at| batch * 500 + at).map(|slot| (hash(&slot.to_string()), slot)).collect(),
            );
            assert!(kept.directory.runs() <= 6, "{} runs", kept.directory.runs());
        }
        kept.loads.set(0);
        for slot in (0..100_000).step_by(997) {
            assert_eq!(kept.find(hash(&slot.to_string())), [slot]);
        }
        assert!(kept.loads.get() <= 101 * (kept.directory.runs() + 1));
        assert!(kept.find(hash("never added")).is_empty());
    }

    #[test]
    fn a_block_of_another_run_is_damage() {
        let mut kept = Kept::default();
        kept.add((0..600).map(|slot| (u64::from(slot) * 3, slot)).collect());
        let run = kept.directory.last_run;
        let moved = kept.blocks[&block_key(run, 1)].clone();
        kept.blocks.insert(block_key(run, 0), moved);
        let error = kept.directory.find(30, &|key, with| with(&kept.load(key)?)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged);
    }
}
