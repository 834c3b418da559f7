//! Topics: which requests belong together, by customer and by FAQ entry, newest first.
//!
//! Rows of a topic come in random order and are kept in sorted runs (`runs.rs`). A row that leaves its topic (a corrected
//! customer, an unlinked entry) is written once more, as gone, and hides the earlier one in an older run until a merge drops
//! both.
//!
//! A topic is known by a hash. It only finds candidates: whoever asks compares the text.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use twox_hash::XxHash3_64;

use super::bytes::Input;
use super::runs::{self, DIRECTORY, Load, Row, block_key, damaged, rows_of};
use super::tables::{Reader, Table};
use crate::error::Result;

/// Rows in a full block: with its frame it stays just under 16 KiB.
const ROWS_PER_BLOCK: usize = 960;
/// A row: the topic, its place, and whether it came.
pub(crate) const ROW_BYTES: usize = 17;
/// The bytes of a row's topic and place.
const KEY_BYTES: usize = 16;

/// What a topic is about. The numbers are part of the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum About {
    /// The requests of a customer, by the instant of receipt.
    Customer = 1,
    /// The requests linked to an FAQ entry, by the instant of linking.
    Faq = 2,
}

/// The hash of a topic, for ever the same.
pub(crate) fn topic(about: About, name: &str) -> u64 {
    XxHash3_64::oneshot_with_seed(0x746f_7069_6373_0000 + about as u64, name.as_bytes())
}

/// A place within a topic: its instant, then the request's slot.
pub(crate) const fn place(at: u32, slot: u32) -> u64 {
    (at as u64) << 32 | slot as u64
}

/// A request came to a topic or left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TopicRow {
    pub(crate) topic: u64,
    pub(crate) place: u64,
    pub(crate) came: bool,
}

impl TopicRow {
    /// The slot of the request.
    pub(crate) const fn slot(&self) -> u32 {
        self.place as u32
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.topic.to_le_bytes());
        out.extend_from_slice(&self.place.to_le_bytes());
        out.push(u8::from(self.came));
    }

    pub(crate) fn read(bytes: &[u8; ROW_BYTES]) -> Result<TopicRow> {
        let mut input = Input::new(bytes);
        let (topic, place) = (input.u64()?, input.u64()?);
        let came = match input.array::<1>()? {
            [0] => false,
            [1] => true,
            [other] => return Err(damaged(format!("a row of a topic neither came nor went: {other}"))),
        };
        Ok(TopicRow { topic, place, came })
    }
}

impl Row for TopicRow {
    type Key = (u64, u64);
    /// Of one place the newest comes first, since its word counts.
    type Turn = ((u64, u64), Reverse<usize>);
    const WHAT: &'static str = "topics";
    const PER_BLOCK: usize = ROWS_PER_BLOCK;
    const BYTES: usize = ROW_BYTES;
    const KEY_BYTES: usize = KEY_BYTES;

    fn key(&self) -> (u64, u64) {
        (self.topic, self.place)
    }

    fn turn(&self, source: usize) -> Self::Turn {
        (self.key(), Reverse(source))
    }

    fn is_hidden_by(&self, before: &Self) -> bool {
        self.key() == before.key()
    }

    /// What went has nothing to hide if nothing older is left.
    fn says_something(&self) -> bool {
        self.came
    }

    fn write_key((topic, place): (u64, u64), out: &mut Vec<u8>) {
        out.extend_from_slice(&topic.to_le_bytes());
        out.extend_from_slice(&place.to_le_bytes());
    }

    fn read_key(bytes: &[u8]) -> (u64, u64) {
        bytes.first_chunk().map_or((0, 0), key_of)
    }

    fn pack(rows: &[Self], out: &mut Vec<u8>) {
        rows.iter().for_each(|row| row.write(out));
    }

    fn key_at(block: &[u8], at: usize) -> (u64, u64) {
        Self::read_key(&block.as_chunks::<ROW_BYTES>().0[at])
    }

    fn row_at(block: &[u8], at: usize) -> Result<Self> {
        TopicRow::read(&block.as_chunks::<ROW_BYTES>().0[at])
    }
}

/// The runs of topics.
pub(crate) type Directory = runs::Directory<TopicRow>;
type Run = runs::Run<TopicRow>;

impl Directory {
    /// The live places of a topic below `below`, newest first. `recent` are the topic's rows since the last fold: the
    /// last word about each place.
    pub(crate) fn newest_first<'a>(
        &'a self,
        topic: u64,
        below: Option<u64>,
        recent: &'a BTreeMap<u64, bool>,
        load: Load<'a>,
    ) -> impl Iterator<Item = Result<u64>> + 'a {
        let until = below.unwrap_or(u64::MAX);
        // The newest comes first, since its word counts.
        let sources = self.runs.iter().rev().map(|run| Backwards::new(run, (topic, until), load)).collect();
        NewestFirst { topic, recent: recent.range(..until).rev().peekable(), sources, failed: false }
    }
}

/// The directory as of the reader's commit. Repairs change it without a fold, so it is not kept.
pub(crate) fn read_directory(reader: &Reader) -> Result<Directory> {
    Ok(reader.with(Table::Topics, DIRECTORY, Directory::read)?.unwrap_or_default())
}

/// The rows of a topic in a run, last first.
struct Backwards<'a> {
    run: &'a Run,
    /// Rows below this one are wanted.
    until: (u64, u64),
    load: Load<'a>,
    block: Option<(usize, Arc<[u8]>)>,
    /// Rows of the block that are still to come.
    left: usize,
    /// The next row, once it was looked up; `None` inside at the end of the topic.
    next: Option<Option<TopicRow>>,
}

impl<'a> Backwards<'a> {
    fn new(run: &'a Run, until: (u64, u64), load: Load<'a>) -> Self {
        Backwards { run, until, load, block: None, left: 0, next: None }
    }

    fn peek(&mut self) -> Result<Option<TopicRow>> {
        if let Some(known) = self.next {
            return Ok(known);
        }
        let found = self.step()?.filter(|row| row.topic == self.until.0);
        self.next = Some(found);
        Ok(found)
    }

    fn block_at(&self, block: usize) -> Result<Arc<[u8]>> {
        self.run.block(block, (self.load)(block_key(self.run.number, block as u32))?)
    }

    fn step(&mut self) -> Result<Option<TopicRow>> {
        loop {
            if let Some((number, block)) = &self.block {
                if let Some(at) = self.left.checked_sub(1) {
                    self.left = at;
                    return TopicRow::read(&block.as_chunks().0[at]).map(Some);
                }
                let Some(before) = number.checked_sub(1) else { return Ok(None) };
                let block = self.block_at(before)?;
                self.left = rows_of::<TopicRow>(&block);
                self.block = Some((before, block));
                continue;
            }
            // The last block that begins below the bound.
            let blocks = self.run.firsts.partition_point(|first| *first < self.until);
            let Some(number) = blocks.checked_sub(1) else { return Ok(None) };
            let block = self.block_at(number)?;
            let (rows, _) = block.as_chunks::<ROW_BYTES>();
            self.left = rows.partition_point(|row| TopicRow::read_key(row) < self.until);
            self.block = Some((number, block));
        }
    }
}

/// Merges the runs' rows of a topic and the recent ones, newest first.
struct NewestFirst<'a> {
    topic: u64,
    recent: std::iter::Peekable<std::iter::Rev<std::collections::btree_map::Range<'a, u64, bool>>>,
    /// The newest run first.
    sources: Vec<Backwards<'a>>,
    failed: bool,
}

impl NewestFirst<'_> {
    fn advance(&mut self) -> Result<Option<u64>> {
        loop {
            let mut newest = self.recent.peek().map(|(place, came)| (**place, **came));
            for source in &mut self.sources {
                if let Some(row) = source.peek()?
                    && newest.is_none_or(|(place, _)| row.place > place)
                {
                    newest = Some((row.place, row.came));
                }
            }
            let Some((place, came)) = newest else { return Ok(None) };
            self.recent.next_if(|(recent, _)| **recent == place);
            for source in &mut self.sources {
                if source.peek()?.is_some_and(|row| row.place == place) {
                    source.next = None;
                }
            }
            debug_assert!(self.sources.iter().all(|source| source.until.0 == self.topic));
            if came {
                return Ok(Some(place));
            }
        }
    }
}

impl Iterator for NewestFirst<'_> {
    type Item = Result<u64>;

    fn next(&mut self) -> Option<Result<u64>> {
        if self.failed {
            return None;
        }
        let found = self.advance();
        self.failed = found.is_err();
        found.transpose()
    }
}

fn key_of(bytes: &[u8; KEY_BYTES]) -> (u64, u64) {
    let [topic, place] = bytes.as_chunks::<8>().0 else { return (0, 0) };
    (u64::from_le_bytes(*topic), u64::from_le_bytes(*place))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use super::super::runs::Plan;
    use super::*;
    use crate::error::ErrorKind;

    /// A table of blocks in memory.
    #[derive(Default)]
    struct Blocks {
        blocks: HashMap<u64, Arc<[u8]>>,
        directory: Directory,
    }

    impl Blocks {
        fn take(&mut self, plan: Plan) {
            for run in plan.dropped_runs {
                self.blocks.retain(|key, _| key >> 32 != u64::from(run));
            }
            self.blocks.extend(plan.blocks.into_iter().map(|(key, bytes)| (key, bytes.into())));
            self.directory = Directory::read(&plan.directory).unwrap();
        }

        fn add(&mut self, rows: Vec<TopicRow>) {
            let plan = self.directory.add_run(rows, &|key| Ok(self.blocks[&key].clone())).unwrap();
            self.take(plan);
        }
    }

    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    }

    /// Many runs, with rows that leave and come back, against a plain set.
    #[test]
    fn runs_answer_as_a_plain_set() {
        let (mut state, mut blocks) = (7, Blocks::default());
        let mut model: BTreeSet<(u64, u64)> = BTreeSet::new();
        for round in 0..40 {
            let mut rows: BTreeMap<(u64, u64), bool> = BTreeMap::new();
            for _ in 0..random(&mut state) % 3_000 {
                let topic = 10 + random(&mut state) % 4;
                let at = place((random(&mut state) % 300) as u32, (random(&mut state) % 20) as u32);
                let came = !model.contains(&(topic, at)) || !random(&mut state).is_multiple_of(3);
                rows.insert((topic, at), came);
                if came {
                    model.insert((topic, at))
                } else {
                    model.remove(&(topic, at))
                };
            }
            let rows = rows.into_iter().map(|((topic, place), came)| TopicRow { topic, place, came });
            if round == 25 {
                blocks.add(rows.collect());
                let all =
                    model.iter().map(|(topic, place)| TopicRow { topic: *topic, place: *place, came: true });
                let plan = blocks.directory.replaced(all.collect()).unwrap();
                blocks.take(plan);
                assert_eq!(blocks.directory.runs.len(), 1);
            } else {
                blocks.add(rows.collect());
            }
            assert_eq!(
                blocks.blocks.len(),
                blocks.directory.runs.iter().map(|run| run.firsts.len()).sum::<usize>()
            );
            let load = |key: u64| Ok(blocks.blocks[&key].clone());
            let mut seen = Vec::new();
            blocks.directory.each(&load, |row| seen.push(row.key())).unwrap();
            assert!(seen.iter().eq(&model));
            for topic in 9..15 {
                let recent =
                    BTreeMap::from([(place(17, 3), false), (place(1_000, 1), true), (place(5, 5), true)]);
                let mut expected: BTreeSet<u64> =
                    model.iter().filter(|(other, _)| *other == topic).map(|(_, place)| *place).collect();
                for (place, came) in &recent {
                    if *came {
                        expected.insert(*place)
                    } else {
                        expected.remove(place)
                    };
                }
                for below in [None, Some(place(100, 0)), Some(place(17, 4)), Some(0)] {
                    let found = blocks.directory.newest_first(topic, below, &recent, &load);
                    let found: Vec<u64> = found.collect::<Result<_>>().unwrap();
                    let expected = expected.range(..below.unwrap_or(u64::MAX)).rev().copied();
                    assert!(found.iter().copied().eq(expected), "round {round}, topic {topic}, {below:?}");
                }
            }
        }
        assert!(blocks.directory.runs.len() < 12, "{} runs", blocks.directory.runs.len());
    }

    /// A page reads a few blocks of each run, whatever the topic holds.
    #[test]
    fn a_page_reads_few_blocks() {
        let mut blocks = Blocks::default();
        let rows = (0..100_000).map(|at| TopicRow { topic: 5, place: place(at, at), came: true });
        blocks.add(rows.collect());
        let loads = std::cell::Cell::new(0);
        let load = |key: u64| {
            loads.set(loads.get() + 1);
            Ok(blocks.blocks[&key].clone())
        };
        let none = BTreeMap::new();
        let found = blocks.directory.newest_first(5, Some(place(50_000, 0)), &none, &load).take(100);
        assert_eq!(
            found.map(|it| it.unwrap() as u32).collect::<Vec<_>>(),
            (49_900..50_000).rev().collect::<Vec<_>>()
        );
        assert!(loads.get() <= 2, "{} blocks", loads.get());
    }

    #[test]
    fn damaged_bytes_are_named() {
        let mut blocks = Blocks::default();
        blocks.add((0..2_000).map(|at| TopicRow { topic: 5, place: place(at, at), came: true }).collect());
        let directory = blocks.directory.write();
        for length in 0..directory.len() {
            assert_eq!(Directory::read(&directory[..length]).unwrap_err().kind(), ErrorKind::Damaged);
        }
        let none = BTreeMap::new();
        let kind = |load: Load<'_>| {
            let first = blocks.directory.newest_first(5, None, &none, load).next();
            first.expect("a row or an error").map(drop).unwrap_err().kind()
        };
        assert_eq!(kind(&|key| Ok(blocks.blocks[&key][1..].into())), ErrorKind::Damaged);
        let mut wrong = blocks.blocks[&block_key(1, 2)].to_vec();
        let last = wrong.len() - 1;
        wrong[last] = 7;
        assert_eq!(kind(&|_| Ok(wrong.clone().into())), ErrorKind::Damaged);
    }

    #[test]
    fn the_bytes_of_a_row_and_the_hash_of_a_topic_are_pinned() {
        let mut bytes = Vec::new();
        TopicRow { topic: 1, place: place(2, 3), came: true }.write(&mut bytes);
        assert_eq!(bytes, [1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1]);
        assert_ne!(topic(About::Customer, "acme"), topic(About::Faq, "acme"));
        assert_eq!(topic(About::Customer, "acme"), 0x7c88_dde1_baec_8f6a);
    }
}
