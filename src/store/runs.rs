//! Sealed runs: rows that come in random order, kept sorted.
//!
//! One row per key is the slowest thing the engine can be asked for. So the rows of a fold become one sorted run, and runs
//! of similar size are merged, which leaves few of them. One directory value names all runs and the first key of each of
//! their blocks. All integers are little-endian.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::bytes::Input;
use crate::error::{Error, ErrorKind, Result};

/// No merge makes a longer run, so that none takes much longer than a write may.
const MAX_MERGED: u64 = 2 << 20;
/// An older run is taken into a merge while it has at most this many times the rows gathered so far.
const TIER: u64 = 4;

/// The key of the directory.
pub(crate) const DIRECTORY: u64 = 0;

/// Hands over the payload of a block by its [key](block_key).
pub(crate) type Load<'a> = &'a dyn Fn(u64) -> Result<Arc<[u8]>>;

/// What runs are made of, and how a block holds it.
pub(crate) trait Row: Copy + Ord + Debug {
    /// What blocks are found by. Rows are in its order.
    type Key: Copy + Ord + Debug;
    /// What decides which of two rows of different runs comes first.
    type Turn: Ord;
    /// What messages call the rows.
    const WHAT: &'static str;
    /// Rows in a full block.
    const PER_BLOCK: usize;
    /// Bytes of a row.
    const BYTES: usize;
    /// Bytes of a key in the directory.
    const KEY_BYTES: usize;

    fn key(&self) -> Self::Key;
    /// `source` rises from the oldest run to the rows that are new.
    fn turn(&self, source: usize) -> Self::Turn;
    /// Whether the row before it in a merge makes this one void.
    fn is_hidden_by(&self, before: &Self) -> bool;
    /// Whether it says something even where no older run is left.
    fn says_something(&self) -> bool;
    fn write_key(key: Self::Key, out: &mut Vec<u8>);
    /// Of `KEY_BYTES` bytes.
    fn read_key(bytes: &[u8]) -> Self::Key;
    fn pack(rows: &[Self], out: &mut Vec<u8>);
    /// The key of a row of a block, of which there are as many as its length says.
    fn key_at(block: &[u8], at: usize) -> Self::Key;
    /// A row of a block, likewise.
    fn row_at(block: &[u8], at: usize) -> Result<Self>;
}

/// The key of a block: the run's number, from 1, and the block's, from 0.
pub(crate) const fn block_key(run: u32, block: u32) -> u64 {
    (run as u64) << 32 | block as u64
}

/// The keys of all blocks of a run.
pub(crate) const fn keys_of(run: u32) -> RangeInclusive<u64> {
    block_key(run, 0)..=block_key(run, u32::MAX)
}

/// All runs, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directory<R: Row> {
    pub(super) runs: Vec<Run<R>>,
    /// Numbers are not used again, so that a block of a dropped run is never taken for one of a new run.
    pub(super) last_run: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run<R: Row> {
    pub(super) number: u32,
    pub(super) rows: u64,
    /// The first key of each block.
    pub(super) firsts: Vec<R::Key>,
}

/// What to write so that a new run is there.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Runs whose blocks are all to be removed.
    pub(crate) dropped_runs: Vec<u32>,
    /// New blocks by key, in rising order.
    pub(crate) blocks: Vec<(u64, Vec<u8>)>,
    /// The new directory.
    pub(crate) directory: Vec<u8>,
}

impl<R: Row> Default for Directory<R> {
    fn default() -> Self {
        Directory { runs: Vec::new(), last_run: 0 }
    }
}

impl<R: Row> Directory<R> {
    /// # Errors
    /// `Damaged` if these bytes are none.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let wrong = || damaged(format!("the directory of {} is no directory", R::WHAT));
        let mut input = Input::new(bytes);
        let mut directory = Directory { last_run: input.u32()?, runs: Vec::new() };
        for _ in 0..input.count(12)? {
            let (number, rows) = (input.u32()?, input.u64()?);
            let blocks = usize::try_from(rows.div_ceil(R::PER_BLOCK as u64)).map_err(|_| wrong())?;
            let firsts = input.take(blocks.checked_mul(R::KEY_BYTES).ok_or_else(wrong)?)?;
            let firsts: Vec<R::Key> = firsts.chunks_exact(R::KEY_BYTES).map(R::read_key).collect();
            let known = directory.runs.last().map_or(0, |run: &Run<R>| run.number);
            if number <= known || number > directory.last_run || rows == 0 || !firsts.is_sorted() {
                return Err(wrong());
            }
            directory.runs.push(Run { number, rows, firsts });
        }
        input.end()?;
        Ok(directory)
    }

    /// The directory of a run of one block, this one.
    ///
    /// # Errors
    /// `Damaged` if it has no row, or more than fit a block.
    #[cfg(feature = "sim")]
    pub(crate) fn of_block(block: &[u8]) -> Result<Self> {
        let rows = rows_of::<R>(block);
        if !(1..=R::PER_BLOCK).contains(&rows) {
            return Err(damaged(format!("a block of {} with {rows} rows", R::WHAT)));
        }
        let run = Run { number: 1, rows: rows as u64, firsts: vec![R::key_at(block, 0)] };
        Ok(Directory { runs: vec![run], last_run: 1 })
    }

    /// The directory as a value.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&self.last_run.to_le_bytes());
        bytes.extend_from_slice(&(self.runs.len() as u32).to_le_bytes());
        for run in &self.runs {
            bytes.extend_from_slice(&run.number.to_le_bytes());
            bytes.extend_from_slice(&run.rows.to_le_bytes());
            run.firsts.iter().for_each(|first| R::write_key(*first, &mut bytes));
        }
        bytes
    }

    /// Plans a run with these rows, which are in order, merged with runs of similar size.
    ///
    /// # Errors
    /// Of `load`; `Damaged` if a block is not what the directory says.
    pub(crate) fn add_run(&self, rows: Vec<R>, load: Load<'_>) -> Result<Plan> {
        let keep = self.runs_to_keep(rows.len() as u64);
        let (kept, merged) = self.runs.split_at(keep);
        self.plan(kept, merged, rows, load)
    }

    /// Plans a run with these rows, which are in order, in the place of all.
    pub(crate) fn replaced(&self, rows: Vec<R>) -> Result<Plan> {
        let load = |_: u64| Err(Error::new(ErrorKind::Internal, "nothing is read to be replaced"));
        let mut plan = self.plan(&[], &[], rows, &load)?;
        plan.dropped_runs = self.runs.iter().map(|run| run.number).collect();
        Ok(plan)
    }

    fn plan(&self, kept: &[Run<R>], merged: &[Run<R>], rows: Vec<R>, load: Load<'_>) -> Result<Plan> {
        let number = self.last_run.checked_add(1).ok_or_else(|| {
            Error::new(
                ErrorKind::OutOfRange,
                format!("{}: {} runs were written, no more can be", R::WHAT, u32::MAX),
            )
        })?;
        let mut writer = RunWriter::new(number);
        let oldest = kept.is_empty();
        merge(merged, rows, load, |row| {
            if !oldest || row.says_something() {
                writer.push(row);
            }
        })?;
        let (run, blocks) = writer.finish();
        let runs = kept.iter().cloned().chain((run.rows > 0).then_some(run)).collect();
        Ok(Plan {
            dropped_runs: merged.iter().map(|run| run.number).collect(),
            blocks,
            directory: Directory { runs, last_run: number }.write(),
        })
    }

    /// How many of the oldest runs stay as they are beside `rows` new ones.
    fn runs_to_keep(&self, rows: u64) -> usize {
        let (mut keep, mut gathered) = (self.runs.len(), rows);
        while let Some(run) = keep.checked_sub(1).and_then(|last| self.runs.get(last))
            && run.rows <= gathered.saturating_mul(TIER)
            && run.rows + gathered <= MAX_MERGED
        {
            gathered += run.rows;
            keep -= 1;
        }
        keep
    }

    /// Hands over every row of the sealed ones that counts, in order.
    pub(crate) fn each(&self, load: Load<'_>, mut visit: impl FnMut(R)) -> Result<()> {
        merge(&self.runs, Vec::new(), load, |row| {
            if row.says_something() {
                visit(row);
            }
        })
    }
}

impl<R: Row> Run<R> {
    /// A block, if it has the length and the first row that the directory says. Its order is taken on trust.
    pub(super) fn block<B: AsRef<[u8]>>(&self, block: usize, bytes: B) -> Result<B> {
        let before = (block * R::PER_BLOCK) as u64;
        let expected = (self.rows - before).min(R::PER_BLOCK as u64) as usize;
        let found = bytes.as_ref();
        if found.len() == expected * R::BYTES && R::key_at(found, 0) == self.firsts[block] {
            return Ok(bytes);
        }
        let (what, run) = (R::WHAT, self.number);
        Err(damaged(format!("block {block} of run {run} of {what} is not what its directory says")))
    }
}

/// Rows of a block.
pub(crate) fn rows_of<R: Row>(block: &[u8]) -> usize {
    block.len() / R::BYTES
}

/// Merges runs, oldest first, and rows newer than all, in order.
fn merge<R: Row>(runs: &[Run<R>], rows: Vec<R>, load: Load<'_>, mut push: impl FnMut(R)) -> Result<()> {
    if runs.is_empty() {
        let mut last: Option<R> = None;
        for row in rows {
            if !last.is_some_and(|last| row.is_hidden_by(&last)) {
                last = Some(row);
                push(row);
            }
        }
        return Ok(());
    }
    let mut sources: Vec<Source<'_, R>> =
        runs.iter().map(|run| Source { run, next: 0, block: None, at: 0 }).collect();
    let mut new = rows.into_iter();
    let newest = sources.len();
    let head = |row: R, at: usize| Reverse((row.turn(at), at, row));
    let mut heads = BinaryHeap::with_capacity(sources.len() + 1);
    for (at, source) in sources.iter_mut().enumerate() {
        heads.extend(source.take(load)?.map(|row| head(row, at)));
    }
    heads.extend(new.next().map(|row| head(row, newest)));
    let mut last: Option<R> = None;
    while let Some(mut first) = heads.peek_mut() {
        let Reverse((_, at, row)) = *first;
        if !last.is_some_and(|last| row.is_hidden_by(&last)) {
            last = Some(row);
            push(row);
        }
        let next = match sources.get_mut(at) {
            Some(source) => source.take(load)?,
            None => new.next(),
        };
        match next {
            Some(row) => *first = head(row, at),
            None => drop(PeekMut::pop(first)),
        }
    }
    Ok(())
}

/// Reads the rows of a run one by one, holding one block.
struct Source<'a, R: Row> {
    run: &'a Run<R>,
    next: usize,
    block: Option<Arc<[u8]>>,
    at: usize,
}

impl<R: Row> Source<'_, R> {
    fn take(&mut self, load: Load<'_>) -> Result<Option<R>> {
        loop {
            if let Some(block) = self.block.as_ref().filter(|block| self.at < rows_of::<R>(block)) {
                self.at += 1;
                return R::row_at(block, self.at - 1).map(Some);
            }
            if self.next == self.run.firsts.len() {
                return Ok(None);
            }
            let bytes = load(block_key(self.run.number, self.next as u32))?;
            let block = self.run.block(self.next, bytes)?;
            if (1..rows_of::<R>(&block)).any(|at| R::key_at(&block, at - 1) > R::key_at(&block, at)) {
                return Err(damaged(format!("block {} of {} is not in order", self.next, R::WHAT)));
            }
            self.block = Some(block);
            self.next += 1;
            self.at = 0;
        }
    }
}

/// Packs rows in order into blocks.
struct RunWriter<R: Row> {
    run: Run<R>,
    blocks: Vec<(u64, Vec<u8>)>,
    /// Of the block that is not full yet.
    rows: Vec<R>,
}

impl<R: Row> RunWriter<R> {
    fn new(number: u32) -> Self {
        let run = Run { number, rows: 0, firsts: Vec::new() };
        RunWriter { run, blocks: Vec::new(), rows: Vec::with_capacity(R::PER_BLOCK) }
    }

    fn push(&mut self, row: R) {
        if self.rows.is_empty() {
            self.run.firsts.push(row.key());
        }
        self.rows.push(row);
        self.run.rows += 1;
        if self.rows.len() == R::PER_BLOCK {
            self.close();
        }
    }

    fn close(&mut self) {
        let mut bytes = Vec::with_capacity(self.rows.len() * R::BYTES);
        R::pack(&self.rows, &mut bytes);
        self.rows.clear();
        self.blocks.push((block_key(self.run.number, self.blocks.len() as u32), bytes));
    }

    fn finish(mut self) -> (Run<R>, Vec<(u64, Vec<u8>)>) {
        if !self.rows.is_empty() {
            self.close();
        }
        (self.run, self.blocks)
    }
}

pub(super) fn damaged(what: String) -> Error {
    Error::new(ErrorKind::Damaged, what)
}
