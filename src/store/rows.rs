//! An ordered set of 64-bit rows in memory that counts as fast as it finds.
//!
//! Rows lie in sorted chunks of up to 512, which fit a cache line run and move with one short copy. The first
//! row of each chunk is kept apart, so that finding a chunk touches little memory, and a Fenwick tree holds the
//! lengths, so that a count is a walk of O(log n). No operation allocates, except one in some hundred
//! insertions, which splits a full chunk.

use std::ops::Range;

const CHUNK: usize = 512;
/// A chunk this small is merged with a neighbour, if both then fill at most three quarters of one.
const SPARSE: usize = CHUNK / 4;
const MERGED: usize = CHUNK / 4 * 3;

/// An ordered set of rows. A row is an instant in its upper half and a slot in its lower half.
#[derive(Clone, Default)]
pub(crate) struct SortedRows {
    firsts: Vec<u64>,
    lens: Vec<u32>,
    chunks: Vec<Box<[u64; CHUNK]>>,
    sums: Fenwick,
    /// A chunk that was emptied, for the next split.
    spare: Option<Box<[u64; CHUNK]>>,
    len: usize,
}

impl SortedRows {
    /// A set of rows that are already in strictly rising order.
    pub(crate) fn from_sorted(rows: &[u64]) -> Self {
        assert!(rows.is_sorted_by(|before, after| before < after), "rows must be in strictly rising order");
        let mut set = SortedRows::default();
        // Not quite full, so that the first insertion into a chunk does not split it.
        for rows in rows.chunks(CHUNK - CHUNK / 8) {
            let mut chunk = Box::new([0; CHUNK]);
            chunk[..rows.len()].copy_from_slice(rows);
            set.firsts.push(rows[0]);
            set.lens.push(rows.len() as u32);
            set.chunks.push(chunk);
        }
        set.sums = Fenwick::new(&set.lens);
        set.len = rows.len();
        set
    }

    /// Rows in the set.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a row; `false` if it was there.
    pub(crate) fn insert(&mut self, row: u64) -> bool {
        if self.chunks.is_empty() {
            self.insert_chunk(0, row, 0);
        }
        let mut chunk = self.chunk_of(row);
        let mut at = lower_bound(self.rows_of(chunk), row);
        if self.rows_of(chunk).get(at) == Some(&row) {
            return false;
        }
        if self.lens[chunk] as usize == CHUNK {
            (chunk, at) = self.make_room(chunk, at, row);
        }
        let len = self.lens[chunk] as usize;
        let rows = &mut self.chunks[chunk];
        rows.copy_within(at..len, at + 1);
        rows[at] = row;
        self.firsts[chunk] = rows[0];
        self.lens[chunk] += 1;
        self.sums.add(chunk, 1);
        self.len += 1;
        true
    }

    /// Removes a row; `false` if it was not there.
    pub(crate) fn remove(&mut self, row: u64) -> bool {
        if self.chunks.is_empty() {
            return false;
        }
        let chunk = self.chunk_of(row);
        let at = lower_bound(self.rows_of(chunk), row);
        if self.rows_of(chunk).get(at) != Some(&row) {
            return false;
        }
        let len = self.lens[chunk] as usize;
        let rows = &mut self.chunks[chunk];
        rows.copy_within(at + 1..len, at);
        self.firsts[chunk] = rows[0];
        self.lens[chunk] -= 1;
        self.sums.sub(chunk, 1);
        self.len -= 1;
        if len - 1 < SPARSE {
            self.merge_around(chunk);
        }
        true
    }

    /// How many rows are less than `row`.
    pub(crate) fn count_below(&self, row: u64) -> usize {
        if self.chunks.is_empty() {
            return 0;
        }
        let chunk = self.chunk_of(row);
        self.sums.before(chunk) + lower_bound(self.rows_of(chunk), row)
    }

    /// The rows from `start` on, in rising order.
    pub(crate) fn iter_from(&self, start: u64) -> Iter<'_> {
        if self.chunks.is_empty() {
            return Iter { set: self, chunk: 0, rows: [].iter() };
        }
        let chunk = self.chunk_of(start);
        let rows = self.rows_of(chunk);
        Iter { set: self, chunk, rows: rows[lower_bound(rows, start)..].iter() }
    }

    /// The rows of a range as slices, in rising order; for whoever copies many at once.
    pub(crate) fn slices(&self, range: Range<u64>) -> impl Iterator<Item = &[u64]> {
        let first = if range.start < range.end { self.chunk_of(range.start) } else { self.chunks.len() };
        (first..self.chunks.len()).take_while(move |&chunk| self.firsts[chunk] < range.end).map(
            move |chunk| {
                let rows = self.rows_of(chunk);
                &rows[lower_bound(rows, range.start)..lower_bound(rows, range.end)]
            },
        )
    }

    /// Bytes held in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        let chunks = self.chunks.len() + usize::from(self.spare.is_some());
        let words = self.firsts.capacity() + self.chunks.capacity() + chunks * CHUNK;
        size_of::<Self>() + words * 8 + (self.lens.capacity() + self.sums.0.capacity()) * 4
    }

    /// The last chunk that begins at or before `row`, or the first. There must be one.
    fn chunk_of(&self, row: u64) -> usize {
        self.firsts.partition_point(|first| *first <= row).saturating_sub(1)
    }

    fn rows_of(&self, chunk: usize) -> &[u64] {
        &self.chunks[chunk][..self.lens[chunk] as usize]
    }

    /// Splits the full `chunk` and returns where the row that belongs at `at` goes now.
    fn make_room(&mut self, chunk: usize, at: usize, row: u64) -> (usize, usize) {
        // Rows that come in rising order fill chunk after chunk; halving would leave each half empty.
        if at == CHUNK && chunk + 1 == self.chunks.len() {
            self.insert_chunk(chunk + 1, row, 0);
            return (chunk + 1, 0);
        }
        const HALF: usize = CHUNK / 2;
        self.insert_chunk(chunk + 1, self.chunks[chunk][HALF], HALF);
        let (left, right) = self.chunks.split_at_mut(chunk + 1);
        right[0][..HALF].copy_from_slice(&left[chunk][HALF..]);
        self.lens[chunk] = HALF as u32;
        self.sums = Fenwick::new(&self.lens);
        if at <= HALF { (chunk, at) } else { (chunk + 1, at - HALF) }
    }

    fn insert_chunk(&mut self, at: usize, first: u64, len: usize) {
        let chunk = self.spare.take().unwrap_or_else(|| Box::new([0; CHUNK]));
        self.firsts.insert(at, first);
        self.lens.insert(at, len as u32);
        self.chunks.insert(at, chunk);
        if at + 1 == self.chunks.len() && len == 0 {
            self.sums.push_empty();
        } else {
            self.sums = Fenwick::new(&self.lens);
        }
    }

    fn remove_chunk(&mut self, at: usize) {
        self.firsts.remove(at);
        self.lens.remove(at);
        self.spare = Some(self.chunks.remove(at));
        self.sums = Fenwick::new(&self.lens);
    }

    fn merge_around(&mut self, chunk: usize) {
        if self.lens[chunk] == 0 {
            return self.remove_chunk(chunk);
        }
        let fits = |left: usize| {
            let both = (self.lens[left] + self.lens.get(left + 1)?) as usize;
            (both <= MERGED).then_some(left)
        };
        let Some(left) = fits(chunk).or_else(|| fits(chunk.checked_sub(1)?)) else { return };
        let (kept, moved) = (self.lens[left] as usize, self.lens[left + 1] as usize);
        let (before, after) = self.chunks.split_at_mut(left + 1);
        before[left][kept..kept + moved].copy_from_slice(&after[0][..moved]);
        self.lens[left] += moved as u32;
        self.remove_chunk(left + 1);
    }
}

impl std::fmt::Debug for SortedRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SortedRows").field("len", &self.len).field("chunks", &self.chunks.len()).finish()
    }
}

impl FromIterator<u64> for SortedRows {
    /// Rows in any order.
    fn from_iter<I: IntoIterator<Item = u64>>(rows: I) -> Self {
        let mut rows: Vec<u64> = rows.into_iter().collect();
        rows.sort_unstable();
        rows.dedup();
        SortedRows::from_sorted(&rows)
    }
}

/// The rows of a [`SortedRows`] in rising order.
#[derive(Clone)]
pub(crate) struct Iter<'a> {
    set: &'a SortedRows,
    chunk: usize,
    rows: std::slice::Iter<'a, u64>,
}

impl Iterator for Iter<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        loop {
            if let Some(row) = self.rows.next() {
                return Some(*row);
            }
            self.chunk += 1;
            if self.chunk >= self.set.chunks.len() {
                return None;
            }
            self.rows = self.set.rows_of(self.chunk).iter();
        }
    }
}

/// The first position whose row is not less than `row`.
fn lower_bound(rows: &[u64], row: u64) -> usize {
    rows.partition_point(|other| *other < row)
}

/// Sums of the lengths of chunks; position `i` holds the sum of the `i & -i` lengths that end with it.
#[derive(Clone, Debug, Default)]
struct Fenwick(Vec<u32>);

impl Fenwick {
    fn new(lens: &[u32]) -> Self {
        let mut sums = lens.to_vec();
        for at in 1..=sums.len() {
            let parent = at + lowest_bit(at);
            if parent <= sums.len() {
                sums[parent - 1] += sums[at - 1];
            }
        }
        Fenwick(sums)
    }

    /// Adds a chunk without rows at the end.
    fn push_empty(&mut self) {
        let at = self.0.len() + 1;
        let sum = self.before(at - 1) - self.before(at - lowest_bit(at));
        self.0.push(sum as u32);
    }

    fn add(&mut self, chunk: usize, rows: u32) {
        let mut at = chunk + 1;
        while at <= self.0.len() {
            self.0[at - 1] += rows;
            at += lowest_bit(at);
        }
    }

    fn sub(&mut self, chunk: usize, rows: u32) {
        let mut at = chunk + 1;
        while at <= self.0.len() {
            self.0[at - 1] -= rows;
            at += lowest_bit(at);
        }
    }

    /// Rows in the chunks before `chunk`.
    fn before(&self, chunk: usize) -> usize {
        let (mut at, mut sum) = (chunk, 0);
        while at > 0 {
            sum += self.0[at - 1] as usize;
            at -= lowest_bit(at);
        }
        sum
    }
}

fn lowest_bit(at: usize) -> usize {
    at & at.wrapping_neg()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64),
        Remove(u64),
        /// Many rows in rising order, as new requests bring them.
        Run(u64, u16),
        /// Everything below, as passing time takes it.
        Drain(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let row = || prop_oneof![0..4_000_u64, any::<u64>()];
        prop_oneof![
            8 => row().prop_map(Step::Insert),
            6 => row().prop_map(Step::Remove),
            1 => (0..4_000_u64, 0..900_u16).prop_map(|(from, count)| Step::Run(from, count)),
            1 => (0..2_000_u64).prop_map(Step::Drain),
        ]
    }

    fn check(set: &SortedRows, model: &BTreeSet<u64>, probe: u64) {
        assert_eq!(set.len(), model.len());
        assert_eq!(set.is_empty(), model.is_empty());
        assert_eq!(set.count_below(probe), model.range(..probe).count());
        assert!(set.iter_from(probe).eq(model.range(probe..).copied()));
        assert!(set.slices(probe / 2..probe).flatten().eq(model.range(probe / 2..probe)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn behaves_as_a_tree_set(
            bulk in proptest::collection::btree_set(0..4_000_u64, 0..1_500),
            steps in proptest::collection::vec(step(), 0..120),
        ) {
            let mut set: SortedRows = bulk.iter().copied().collect();
            let mut model = bulk;
            for step in steps {
                let probe = match step {
                    Step::Insert(row) => {
                        prop_assert_eq!(set.insert(row), model.insert(row));
                        row
                    }
                    Step::Remove(row) => {
                        prop_assert_eq!(set.remove(row), model.remove(&row));
                        row
                    }
                    Step::Run(from, count) => {
                        for row in from..from + u64::from(count) {
                            prop_assert_eq!(set.insert(row), model.insert(row));
                        }
                        from
                    }
                    Step::Drain(below) => {
                        while let Some(row) = model.first().copied().filter(|row| *row < below) {
                            prop_assert!(set.remove(row) && model.remove(&row));
                        }
                        below
                    }
                };
                check(&set, &model, probe);
            }
            check(&set, &model, u64::MAX);
        }
    }

    #[test]
    fn rising_insertions_fill_their_chunks() {
        let mut set = SortedRows::default();
        assert!((0..100_000).all(|row| set.insert(row)));
        assert!(set.memory_bytes() < 100_000 * 9);
        assert!((0..99_900).all(|row| set.remove(row)));
        assert!(set.memory_bytes() < 20_000, "{}", set.memory_bytes());
    }
}
