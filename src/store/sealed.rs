//! Sealed rows: sorted 64-bit rows in large values that are written once, under a directory.
//!
//! Bytes in, bytes out; where they are kept and how they are verified is the caller's. The directory is a
//! count, the last row, and for each block its first row and its number of rows; a block is its rows. All
//! integers are little-endian. Blocks are numbered from 1.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, ErrorKind, Result};

/// Rows in a full block: with the frame and the engine's own header it stays just under 64 KiB, which the
/// engine rounds up to.
pub(crate) const ROWS_PER_BLOCK: usize = 8_000;
/// Rows of decoded blocks that a reader keeps: 128 MiB.
const KEPT_ROWS: usize = 16 << 20;

/// Hands over the payload of a block by its number.
pub(crate) type Load<'a> = &'a dyn Fn(u64) -> Result<Vec<u8>>;

/// The directory and the blocks, in order, of rows in strictly rising order.
pub(crate) fn seal_rows(rows: &[u64]) -> (Vec<u8>, Vec<Vec<u8>>) {
    debug_assert!(rows.is_sorted_by(|before, after| before < after));
    let chunks = rows.chunks(ROWS_PER_BLOCK);
    let mut directory = Vec::with_capacity(12 + chunks.len() * 12);
    directory.extend_from_slice(&(chunks.len() as u32).to_le_bytes());
    directory.extend_from_slice(&rows.last().copied().unwrap_or(0).to_le_bytes());
    let blocks = chunks.map(|rows| {
        directory.extend_from_slice(&rows[0].to_le_bytes());
        directory.extend_from_slice(&(rows.len() as u32).to_le_bytes());
        rows.iter().flat_map(|row| row.to_le_bytes()).collect()
    });
    let blocks = blocks.collect();
    (directory, blocks)
}

/// Reads sealed rows, loading no more blocks than an answer needs. May be shared between threads.
#[derive(Debug, Default)]
pub(crate) struct SealedRows {
    firsts: Vec<u64>,
    /// Rows before each block, and at the end all of them.
    before: Vec<u64>,
    last: u64,
    cache: Mutex<Cache>,
}

impl SealedRows {
    /// Reads a directory.
    ///
    /// # Errors
    /// `Damaged` if these bytes are none.
    pub(crate) fn from_directory(directory: &[u8]) -> Result<Self> {
        let wrong = || damaged("the directory of sealed rows is no directory".to_owned());
        let (head, entries) = directory.split_first_chunk::<12>().ok_or_else(wrong)?;
        let [c0, c1, c2, c3, last @ ..] = *head;
        let (entries, rest) = entries.as_chunks::<12>();
        if u32::from_le_bytes([c0, c1, c2, c3]) as usize != entries.len() || !rest.is_empty() {
            return Err(wrong());
        }
        let mut sealed = SealedRows { last: u64::from_le_bytes(last), before: vec![0], ..Self::default() };
        let mut total = 0;
        for entry in entries {
            let [f0, f1, f2, f3, f4, f5, f6, f7, count @ ..] = *entry;
            let first = u64::from_le_bytes([f0, f1, f2, f3, f4, f5, f6, f7]);
            let count = u32::from_le_bytes(count) as usize;
            let rises = sealed.firsts.last().is_none_or(|before| *before < first);
            if !rises || first > sealed.last || count == 0 || count > ROWS_PER_BLOCK {
                return Err(wrong());
            }
            total += count as u64;
            sealed.firsts.push(first);
            sealed.before.push(total);
        }
        Ok(sealed)
    }

    /// Rows in all.
    pub(crate) fn len(&self) -> u64 {
        self.before.last().copied().unwrap_or(0)
    }

    /// How many rows are less than `row`. Loads at most one block.
    pub(crate) fn count_below(&self, row: u64, load: Load<'_>) -> Result<u64> {
        if row > self.last {
            return Ok(self.len());
        }
        let Some(block) = self.block_of(row) else { return Ok(0) };
        if self.firsts[block] == row {
            return Ok(self.before[block]);
        }
        let rows = self.block(block, load)?;
        Ok(self.before[block] + rows.partition_point(|other| *other < row) as u64)
    }

    /// The rows from `start` on, in rising order. Loads a block when its first row is asked for; an error
    /// is the last item.
    pub(crate) fn iter_from<'a>(&'a self, start: u64, load: Load<'a>) -> Iter<'a> {
        let block = self.first_block(start);
        Iter { sealed: self, load, block, start, rows: Arc::new([]), at: 0 }
    }

    /// Bytes held in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        let cached = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = cached.rows;
        size_of::<Self>() + (self.firsts.capacity() + self.before.capacity() + rows) * 8
    }

    /// The first block that may hold rows from `start` on; the number of blocks if there is none.
    pub(super) fn first_block(&self, start: u64) -> usize {
        if start > self.last { self.firsts.len() } else { self.block_of(start).unwrap_or(0) }
    }

    /// Where the block after `block` begins; `None` if there is no such block.
    pub(super) fn end_of(&self, block: usize) -> Option<u64> {
        (block < self.firsts.len()).then(|| self.firsts.get(block + 1).copied().unwrap_or(u64::MAX))
    }

    /// The last block that begins at or before `row`.
    fn block_of(&self, row: u64) -> Option<usize> {
        self.firsts.partition_point(|first| *first <= row).checked_sub(1)
    }

    /// The rows of a block.
    pub(crate) fn block(&self, block: usize, load: Load<'_>) -> Result<Arc<[u64]>> {
        if let Some(rows) = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(block) {
            return Ok(rows);
        }
        // Loaded without the lock: two threads may both load, but none waits for the other's disk.
        let rows = self.decode(block, &load(block as u64 + 1)?)?;
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).put(block, &rows);
        Ok(rows)
    }

    fn decode(&self, block: usize, payload: &[u8]) -> Result<Arc<[u64]>> {
        let (words, rest) = payload.as_chunks::<8>();
        let rows: Arc<[u64]> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let count = self.before[block + 1] - self.before[block];
        let last_fits = match self.firsts.get(block + 1) {
            Some(next) => rows.last() < Some(next),
            None => rows.last() == Some(&self.last),
        };
        let first_fits = rows.first() == Some(&self.firsts[block]);
        let fits = rest.is_empty() && rows.len() as u64 == count && first_fits && last_fits;
        if !fits || !rows.is_sorted_by(|before, after| before < after) {
            return Err(damaged(format!(
                "block {} of sealed rows is not what its directory says",
                block + 1
            )));
        }
        Ok(rows)
    }
}

/// The rows of a [`SealedRows`] in rising order.
pub(crate) struct Iter<'a> {
    sealed: &'a SealedRows,
    load: Load<'a>,
    /// The next block to load.
    block: usize,
    start: u64,
    rows: Arc<[u64]>,
    at: usize,
}

impl Iterator for Iter<'_> {
    type Item = Result<u64>;

    fn next(&mut self) -> Option<Result<u64>> {
        loop {
            if let Some(row) = self.rows.get(self.at) {
                self.at += 1;
                return Some(Ok(*row));
            }
            if self.block >= self.sealed.firsts.len() {
                return None;
            }
            match self.sealed.block(self.block, self.load) {
                Ok(rows) => {
                    self.at = rows.partition_point(|row| *row < self.start);
                    self.rows = rows;
                    self.block += 1;
                }
                Err(error) => {
                    self.block = self.sealed.firsts.len();
                    return Some(Err(error));
                }
            }
        }
    }
}

/// Decoded blocks by number. Beyond the limit, those that were not used since the hand last passed go.
#[derive(Debug)]
struct Cache {
    blocks: Vec<Option<(bool, Arc<[u64]>)>>,
    rows: usize,
    limit: usize,
    hand: usize,
}

impl Default for Cache {
    fn default() -> Cache {
        Cache { blocks: Vec::new(), rows: 0, limit: KEPT_ROWS, hand: 0 }
    }
}

impl Cache {
    fn get(&mut self, block: usize) -> Option<Arc<[u64]>> {
        let (used, rows) = self.blocks.get_mut(block)?.as_mut()?;
        *used = true;
        Some(rows.clone())
    }

    fn put(&mut self, block: usize, rows: &Arc<[u64]>) {
        if self.blocks.len() <= block {
            self.blocks.resize(block + 1, None);
        }
        while self.rows + rows.len() > self.limit && self.rows > 0 {
            self.hand = (self.hand + 1) % self.blocks.len();
            match &mut self.blocks[self.hand] {
                Some((used, _)) if *used => *used = false,
                place => self.rows -= place.take().map_or(0, |(_, rows)| rows.len()),
            }
        }
        let replaced = self.blocks[block].replace((false, rows.clone()));
        self.rows += rows.len();
        self.rows -= replaced.map_or(0, |(_, rows)| rows.len());
    }
}

fn damaged(what: String) -> Error {
    Error::new(ErrorKind::Damaged, what)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn sealed(rows: &[u64]) -> (SealedRows, Vec<Vec<u8>>) {
        let (directory, blocks) = seal_rows(rows);
        (SealedRows::from_directory(&directory).unwrap(), blocks)
    }

    fn none(_: u64) -> Result<Vec<u8>> {
        Err(Error::new(ErrorKind::Internal, "no block is needed"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn behaves_as_a_tree_set_and_loads_no_block_twice_in_a_row(
            model in proptest::collection::btree_set(0..90_000_u64, 0..40_000),
            probes in proptest::collection::vec(0..100_000_u64, 1..20),
        ) {
            let rows: Vec<u64> = model.iter().copied().collect();
            let (sealed, blocks) = sealed(&rows);
            let loaded = RefCell::new(Vec::new());
            let load = |block: u64| {
                loaded.borrow_mut().push(block);
                Ok(blocks[block as usize - 1].clone())
            };
            prop_assert_eq!(sealed.len(), model.len() as u64);
            for probe in probes {
                let before = loaded.borrow().len();
                prop_assert_eq!(sealed.count_below(probe, &load).unwrap(), model.range(..probe).count() as u64);
                prop_assert!(loaded.borrow().len() <= before + 1);
                let from: Vec<u64> = sealed.iter_from(probe, &load).map(Result::unwrap).collect();
                prop_assert!(from.iter().eq(model.range(probe..)));
            }
            let distinct: BTreeSet<u64> = loaded.borrow().iter().copied().collect();
            prop_assert_eq!(distinct.len(), loaded.borrow().len());
        }

        #[test]
        fn any_bytes_give_rows_or_an_error(
            directory in proptest::collection::vec(any::<u8>(), 0..64),
            rows in proptest::collection::btree_set(any::<u64>(), 1..50),
            at in any::<prop::sample::Index>(),
            bit in 0..8_u32,
        ) {
            if let Ok(sealed) = SealedRows::from_directory(&directory) {
                let _ = sealed.count_below(7, &none);
                let _ = sealed.iter_from(0, &none).count();
            }
            let rows: Vec<u64> = rows.into_iter().collect();
            let (mut directory, blocks) = seal_rows(&rows);
            let at = at.index(directory.len());
            directory[at] ^= 1 << bit;
            let load = |block: u64| blocks.get(block as usize - 1).cloned().ok_or_else(|| damaged(String::new()));
            if let Ok(sealed) = SealedRows::from_directory(&directory) {
                let read: Result<Vec<u64>> = sealed.iter_from(0, &load).collect();
                prop_assert_eq!(read.unwrap_err().kind(), ErrorKind::Damaged);
            }
        }
    }

    #[test]
    fn the_directory_alone_answers_what_it_can() {
        let rows: Vec<u64> = (0..20_000).map(|row| row * 2 + 1).collect();
        let (sealed, blocks) = sealed(&rows);
        assert_eq!(blocks.iter().map(Vec::len).collect::<Vec<_>>(), [64_000, 64_000, 32_000]);
        for (probe, below) in
            [(0, 0), (1, 0), (16_001, 8_000), (32_001, 16_000), (40_000, 20_000), (u64::MAX, 20_000)]
        {
            assert_eq!(sealed.count_below(probe, &none).unwrap(), below);
        }
        assert!(sealed.iter_from(40_000, &none).next().is_none());
        assert!(SealedRows::default().iter_from(0, &none).next().is_none());
        assert_eq!(SealedRows::default().count_below(9, &none).unwrap(), 0);
        let failed: Vec<_> = sealed.iter_from(5, &none).collect();
        assert!(matches!(&failed[..], [Err(error)] if error.kind() == ErrorKind::Internal));
    }

    #[test]
    fn a_block_in_the_wrong_place_is_damage() {
        let rows: Vec<u64> = (0..20_000).collect();
        let (sealed, blocks) = sealed(&rows);
        let swapped = |block: u64| Ok(blocks[2 - block as usize].clone());
        assert_eq!(sealed.count_below(5, &swapped).unwrap_err().kind(), ErrorKind::Damaged);
    }

    #[test]
    fn the_cache_keeps_the_blocks_in_use() {
        let rows: Vec<u64> = (0..8_000 * 20).collect();
        let (sealed, blocks) = sealed(&rows);
        sealed.cache.lock().unwrap().limit = 8_000 * 4;
        let loads = RefCell::new(0);
        let load = |block: u64| {
            *loads.borrow_mut() += 1;
            Ok(blocks[block as usize - 1].clone())
        };
        assert_eq!(sealed.iter_from(0, &load).count(), rows.len());
        assert_eq!(sealed.iter_from(8_000 * 19 + 5, &load).count(), 7_995);
        assert_eq!(*loads.borrow(), 20);
        assert!(sealed.memory_bytes() < 300_000, "{}", sealed.memory_bytes());
        // What is asked for again and again stays while others pass.
        for block in 0..19 {
            assert_eq!(sealed.count_below(8_000 * 19 + 5, &load).unwrap(), 8_000 * 19 + 5);
            assert_eq!(sealed.count_below(8_000 * block + 5, &load).unwrap(), 8_000 * block + 5);
        }
        assert!(*loads.borrow() <= 20 + 19, "{}", loads.borrow());
    }
}
