//! The index of external ids: sealed runs of (hash of the id, slot), sorted.
//!
//! Ids come in random order, and one row per id is the slowest thing the engine can be asked for. So the
//! hashes of a fold become one sorted run, and runs of similar size are merged, which leaves few of them. A
//! hash only finds candidates: whoever asks compares the text.
//!
//! One directory value names all runs and the first hash of each of their blocks. A block is its hashes, then
//! its slots. All integers are little-endian.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use twox_hash::XxHash3_64;

use crate::error::{Error, ErrorKind, Result};

/// Part of the file format.
const SEED: u64 = 0x736c_6163_6c6f_636b;
/// Entries in a full block: with its frame it stays just under 4 KiB, since a look-up reads and verifies all of it.
pub(crate) const ENTRIES_PER_BLOCK: usize = 336;
const ENTRY_BYTES: usize = 12;
/// No merge makes a longer run, so that none takes much longer than a write may.
const MAX_MERGED: u64 = 2 << 20;
/// An older run is taken into a merge while it has at most this many times the entries gathered so far.
const TIER: u64 = 4;

/// Hands over the payload of a block by its [key](block_key).
pub(crate) type Load<'a> = &'a dyn Fn(u64) -> Result<Vec<u8>>;
/// The same without a copy.
pub(crate) type With<'a> = &'a dyn Fn(u64, &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>;

/// The hash of an external id, for ever the same.
pub(crate) fn hash(id: &str) -> u64 {
    XxHash3_64::oneshot_with_seed(SEED, id.as_bytes())
}

/// The key of a block: the run's number, from 1, and the block's, from 0.
pub(crate) const fn block_key(run: u32, block: u32) -> u64 {
    (run as u64) << 32 | block as u64
}

/// All runs, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Directory {
    runs: Vec<Run>,
    /// Numbers are not used again, so that a block of a dropped run is never taken for one of a new run.
    last_run: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    number: u32,
    entries: u64,
    /// The first hash of each block.
    firsts: Vec<u64>,
}

/// What to write so that a new run is part of the index.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Runs whose blocks are all to be removed.
    pub(crate) dropped_runs: Vec<u32>,
    /// New blocks by key, in rising order.
    pub(crate) blocks: Vec<(u64, Vec<u8>)>,
    /// The new directory.
    pub(crate) directory: Vec<u8>,
}

impl Directory {
    /// Reads a directory.
    ///
    /// # Errors
    /// `Damaged` if these bytes are none.
    pub(crate) fn read(bytes: &[u8]) -> Result<Directory> {
        let wrong = || damaged("the directory of external ids is no directory".to_owned());
        let mut rest = bytes;
        let last_run = take(&mut rest).map(u32::from_le_bytes).ok_or_else(wrong)?;
        let count = take(&mut rest).map(u32::from_le_bytes).ok_or_else(wrong)?;
        let mut directory = Directory { runs: Vec::new(), last_run };
        for _ in 0..count {
            let run = Run::read(&mut rest).filter(|run| run.number <= last_run).ok_or_else(wrong)?;
            if directory.runs.iter().any(|other| other.number >= run.number) {
                return Err(wrong());
            }
            directory.runs.push(run);
        }
        if rest.is_empty() { Ok(directory) } else { Err(wrong()) }
    }

    /// The directory as a value.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&self.last_run.to_le_bytes());
        bytes.extend_from_slice(&(self.runs.len() as u32).to_le_bytes());
        for run in &self.runs {
            bytes.extend_from_slice(&run.number.to_le_bytes());
            bytes.extend_from_slice(&run.entries.to_le_bytes());
            bytes.extend(run.firsts.iter().flat_map(|first| first.to_le_bytes()));
        }
        bytes
    }

    #[cfg(test)]
    fn len(&self) -> u64 {
        self.runs.iter().map(|run| run.entries).sum()
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

    /// Plans a run with these entries (in any order), merged with runs of similar size.
    ///
    /// # Errors
    /// Of `load`; `Damaged` if a block is not what the directory says.
    pub(crate) fn add_run(&self, mut entries: Vec<(u64, u32)>, load: Load<'_>) -> Result<Plan> {
        entries.sort_unstable();
        let keep = self.runs_to_keep(entries.len() as u64);
        let (kept, merged) = self.runs.split_at(keep);
        let number = self.last_run.checked_add(1).ok_or_else(|| {
            Error::new(
                ErrorKind::OutOfRange,
                format!("external ids: {} runs were written, no more can be", u32::MAX),
            )
        })?;
        let mut writer = RunWriter::new(number);
        merge(merged, entries, load, |hash, slot| writer.push(hash, slot))?;
        let (run, blocks) = writer.finish();
        let runs = kept.iter().cloned().chain((run.entries > 0).then_some(run)).collect();
        Ok(Plan {
            dropped_runs: merged.iter().map(|run| run.number).collect(),
            blocks,
            directory: Directory { runs, last_run: number }.write(),
        })
    }

    /// How many of the oldest runs stay as they are beside `entries` new ones.
    fn runs_to_keep(&self, entries: u64) -> usize {
        let (mut keep, mut gathered) = (self.runs.len(), entries);
        while let Some(run) = keep.checked_sub(1).and_then(|last| self.runs.get(last))
            && run.entries <= gathered.saturating_mul(TIER)
            && run.entries + gathered <= MAX_MERGED
        {
            gathered += run.entries;
            keep -= 1;
        }
        keep
    }
}

impl Run {
    fn read(rest: &mut &[u8]) -> Option<Run> {
        let number = take(rest).map(u32::from_le_bytes)?;
        let entries = take(rest).map(u64::from_le_bytes)?;
        let blocks = usize::try_from(entries.div_ceil(ENTRIES_PER_BLOCK as u64)).ok()?;
        let (firsts, after) = rest.split_at_checked(blocks.checked_mul(8)?)?;
        *rest = after;
        let firsts: Vec<u64> = firsts.as_chunks().0.iter().map(|first| u64::from_le_bytes(*first)).collect();
        (number > 0 && entries > 0 && firsts.is_sorted()).then_some(Run { number, entries, firsts })
    }

    fn find(&self, hash: u64, with: With<'_>, slots: &mut Vec<u32>) -> Result<()> {
        // Entries of one hash may begin in the block before the first that starts with it.
        let mut block = lower_bound(self.firsts.len(), |at| self.firsts[at], hash).saturating_sub(1);
        while self.firsts.get(block).is_some_and(|first| *first <= hash) {
            with(block_key(self.number, block as u32), &mut |bytes| {
                let found = self.block(block, bytes)?;
                let from = lower_bound(found.len(), |at| found.hash(at), hash);
                let same = (from..found.len()).take_while(|at| found.hash(*at) == hash);
                slots.extend(same.map(|at| found.slot(at)));
                Ok(())
            })?;
            block += 1;
        }
        Ok(())
    }

    /// A look-up takes the order of a verified block on trust; `lower_bound` ends whatever the order is.
    fn block<B: AsRef<[u8]>>(&self, block: usize, bytes: B) -> Result<Block<B>> {
        let before = (block * ENTRIES_PER_BLOCK) as u64;
        let expected = (self.entries - before).min(ENTRIES_PER_BLOCK as u64) as usize;
        let found = Block { bytes, len: expected };
        if found.bytes.as_ref().len() == expected * ENTRY_BYTES && found.hash(0) == self.firsts[block] {
            return Ok(found);
        }
        let run = self.number;
        Err(damaged(format!("block {block} of run {run} of external ids is not what its directory says")))
    }
}

/// A block; its length fits its bytes.
struct Block<B> {
    bytes: B,
    len: usize,
}

impl<B: AsRef<[u8]>> Block<B> {
    fn len(&self) -> usize {
        self.len
    }

    fn hash(&self, at: usize) -> u64 {
        let (hashes, _) = self.bytes.as_ref().as_chunks::<8>();
        u64::from_le_bytes(hashes[at])
    }

    fn slot(&self, at: usize) -> u32 {
        let (slots, _) = self.bytes.as_ref()[self.len * 8..].as_chunks::<4>();
        u32::from_le_bytes(slots[at])
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

/// Merges sorted runs and sorted entries, in order of hash and then slot.
fn merge(
    runs: &[Run],
    entries: Vec<(u64, u32)>,
    load: Load<'_>,
    mut push: impl FnMut(u64, u32),
) -> Result<()> {
    let mut sources: Vec<Source<'_>> =
        runs.iter().map(|run| Source { run, next: 0, block: None, at: 0 }).collect();
    let mut new = entries.into_iter();
    let mut heads = BinaryHeap::with_capacity(sources.len() + 1);
    let new_entries = sources.len();
    for (at, source) in sources.iter_mut().enumerate() {
        heads.extend(source.take(load)?.map(|entry| Reverse((entry, at))));
    }
    heads.extend(new.next().map(|entry| Reverse((entry, new_entries))));
    while let Some(mut head) = heads.peek_mut() {
        let Reverse(((hash, slot), at)) = *head;
        push(hash, slot);
        let next = match sources.get_mut(at) {
            Some(source) => source.take(load)?,
            None => new.next(),
        };
        match next {
            Some(entry) => *head = Reverse((entry, at)),
            None => drop(std::collections::binary_heap::PeekMut::pop(head)),
        }
    }
    Ok(())
}

/// Reads the entries of a run one by one, holding one block.
struct Source<'a> {
    run: &'a Run,
    next: usize,
    block: Option<Block<Vec<u8>>>,
    at: usize,
}

impl Source<'_> {
    fn take(&mut self, load: Load<'_>) -> Result<Option<(u64, u32)>> {
        loop {
            if let Some(block) = self.block.as_ref().filter(|block| self.at < block.len()) {
                self.at += 1;
                return Ok(Some((block.hash(self.at - 1), block.slot(self.at - 1))));
            }
            if self.next == self.run.firsts.len() {
                return Ok(None);
            }
            let bytes = load(block_key(self.run.number, self.next as u32))?;
            let block = self.run.block(self.next, bytes)?;
            if (1..block.len()).any(|at| block.hash(at - 1) > block.hash(at)) {
                return Err(damaged(format!("block {} of external ids is not in order", self.next)));
            }
            self.block = Some(block);
            self.next += 1;
            self.at = 0;
        }
    }
}

/// Packs entries in order of hash into blocks.
struct RunWriter {
    run: Run,
    blocks: Vec<(u64, Vec<u8>)>,
    hashes: Vec<u8>,
    slots: Vec<u8>,
}

impl RunWriter {
    fn new(number: u32) -> Self {
        let run = Run { number, entries: 0, firsts: Vec::new() };
        RunWriter { run, blocks: Vec::new(), hashes: Vec::new(), slots: Vec::new() }
    }

    fn push(&mut self, hash: u64, slot: u32) {
        if self.hashes.is_empty() {
            self.run.firsts.push(hash);
        }
        self.hashes.extend_from_slice(&hash.to_le_bytes());
        self.slots.extend_from_slice(&slot.to_le_bytes());
        self.run.entries += 1;
        if self.hashes.len() == ENTRIES_PER_BLOCK * 8 {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        if !self.hashes.is_empty() {
            let mut bytes = Vec::with_capacity(self.hashes.len() + self.slots.len());
            bytes.append(&mut self.hashes);
            bytes.append(&mut self.slots);
            self.blocks.push((block_key(self.run.number, self.blocks.len() as u32), bytes));
        }
    }

    fn finish(mut self) -> (Run, Vec<(u64, Vec<u8>)>) {
        self.end_block();
        (self.run, self.blocks)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*taken)
}

fn damaged(what: String) -> Error {
    Error::new(ErrorKind::Damaged, what)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

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

        fn add(&mut self, entries: Vec<(u64, u32)>) {
            let plan = self.directory.add_run(entries, &|key| self.load(key)).unwrap();
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
                let _ = directory.add_run(Vec::new(), &|key| kept.load(key));
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
