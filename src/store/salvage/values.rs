//! Finding our values in a file of any content: first along the trees, as far as they are whole, then page by page.
//!
//! A value is known by the checksum in its frame, which is bound to its table and its key; so nothing is believed of
//! the pages around it. What the trees lead to is of the latest commit. What only the pages show may be of an earlier
//! one: pages are written anew, never over, and old ones stay until their place is needed.

use std::collections::HashMap;

use super::pages::{self, Child, Entry, Layout, PAGE_BYTES};
use super::source::Source;
use crate::store::frame;
use crate::store::tables::Table;

/// Most values that are remembered, 32 bytes each. A file of ours has one for some kilobytes.
const MOST_VALUES: usize = 4 << 20;
/// Trees are not deeper: a branch of 4 KiB has over a hundred children.
const MOST_LEVELS: u32 = 16;
/// Most places that are remembered, of each kind of damage; all are counted.
const KEPT_PLACES: usize = 100;
/// Most entries that a leaf of one page can hold, for leaves whose count is damaged.
const MOST_ENTRIES: u64 = 340;

/// How a value was found; more is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// On a page that no tree leads to: of an earlier commit, or its way there is lost.
    Page = 0,
    /// Along a tree whose upper pages are damaged.
    Branch = 1,
    /// Along an undamaged tree.
    Tree = 2,
}

/// A value whose checksum holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value {
    pub(crate) table: u8,
    pub(crate) rank: Rank,
    pub(crate) key: u64,
    at: u64,
    length: u32,
    sum: u32,
}

/// All values found.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// By table, key, then the best first.
    all: Vec<Value>,
    /// Values with a format that this release does not know.
    pub(crate) newer: u64,
    /// Pages that do not have the checksum they should have: how many, and where the first ones begin.
    pub(crate) damaged_pages: u64,
    pub(crate) damaged_at: Vec<u64>,
    /// More values than are remembered were found.
    pub(crate) overflowed: bool,
}

impl Values {
    /// Finds all values. Reads the whole file once, and what lies in trees twice.
    pub(super) fn find(source: &Source) -> Values {
        let (layout, roots) = pages::header(source);
        let mut search =
            Search { source, layout, seen: HashMap::new(), found: Values::default(), rank: Rank::Tree };
        // The older commit only if nothing of the newer is left: both share most pages.
        for root in roots {
            search.rank = Rank::Tree;
            search.tables(root, MOST_LEVELS);
            if !search.found.all.is_empty() {
                break;
            }
        }
        search.pages();
        let mut found = search.found;
        found.all.sort_unstable_by_key(|value| {
            (value.table, value.key, std::cmp::Reverse(value.rank), value.length, value.sum, value.at)
        });
        found.all.dedup_by_key(|value| (value.table, value.key, value.length, value.sum));
        found
    }

    /// The values of a table by rising key; of several with one key the best first.
    pub(crate) fn of(&self, table: Table) -> &[Value] {
        let from = self.all.partition_point(|value| value.table < table as u8);
        let to = self.all.partition_point(|value| value.table <= table as u8);
        &self.all[from..to]
    }

    /// The values at a key, the best first.
    pub(crate) fn at(&self, table: Table, key: u64) -> &[Value] {
        let values = self.of(table);
        let from = values.partition_point(|value| value.key < key);
        let to = values.partition_point(|value| value.key <= key);
        &values[from..to]
    }

    /// The best value at a key; none if several are equally good and differ.
    pub(crate) fn best(&self, table: Table, key: u64) -> Option<&Value> {
        match self.at(table, key) {
            [] => None,
            [only] => Some(only),
            [best, next, ..] => (best.rank > next.rank).then_some(best),
        }
    }

    /// How many were found.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

impl Value {
    /// The payload, verified once more.
    pub(super) fn payload(&self, source: &Source) -> Option<Vec<u8>> {
        let mut framed = source.take(self.at, self.length as usize)?;
        frame::open(self.table, &self.key.to_be_bytes(), &framed).ok()?;
        framed.drain(..frame::HEADER_BYTES);
        Some(framed)
    }

    /// Bytes of the payload.
    pub(crate) fn payload_bytes(&self) -> usize {
        self.length as usize - frame::HEADER_BYTES
    }
}

struct Search<'a> {
    source: &'a Source,
    layout: Layout,
    /// Pages that a tree led to, with their length; none is looked at twice, whatever the branches say.
    seen: HashMap<u64, u64>,
    found: Values,
    /// What is found along the present path.
    rank: Rank,
}

impl Search<'_> {
    /// Where a page lies, unless it was seen before.
    fn visit(&mut self, child: Child) -> Option<(u64, u64)> {
        let Some((at, length)) = self.layout.place(child.page, self.source.bytes()) else {
            self.damaged(None);
            return None;
        };
        self.seen.insert(at, length).is_none().then_some((at, length))
    }

    fn damaged(&mut self, at: Option<u64>) {
        self.found.damaged_pages += 1;
        if let Some(at) = at
            && self.found.damaged_at.len() < KEPT_PLACES
        {
            self.found.damaged_at.push(at);
        }
    }

    /// Whether the page is what its parent says; what hangs on one that is not is less sure.
    fn holds(&mut self, child: Child, at: u64, end: u64) -> bool {
        let holds = end > at && self.source.sum_128(at, end - at) == Some(child.checksum);
        if !holds {
            self.damaged(Some(at));
        }
        holds
    }

    /// Walks the tree of tables.
    fn tables(&mut self, root: Child, levels: u32) {
        let Some((at, length)) = self.visit(root).filter(|_| levels > 0) else { return };
        let rank = self.rank;
        if let Some((children, end)) = pages::branch(self.source, at, length) {
            let end = end.of_texts(self.source, at).filter(|end| *end <= at + length).unwrap_or(at);
            if !self.holds(root, at, end) {
                self.rank = Rank::Branch;
            }
            children.into_iter().for_each(|child| self.tables(child, levels - 1));
        } else if let Some((named, end)) = pages::tables(self.source, at, length) {
            if !self.holds(root, at, end.min(at + length)) {
                self.rank = Rank::Branch;
            }
            for named in named {
                if let Some(table) = Table::ALL.iter().find(|table| table.name() == named.name) {
                    self.tree(*table, named.root, MOST_LEVELS);
                }
            }
        } else {
            self.damaged(Some(at));
        }
        self.rank = rank;
    }

    /// Walks the tree of one of our tables.
    fn tree(&mut self, table: Table, root: Child, levels: u32) {
        let Some((at, length)) = self.visit(root).filter(|_| levels > 0) else { return };
        let rank = self.rank;
        if let Some((children, end)) = pages::branch(self.source, at, length) {
            let end = end.of_keys(8);
            if end > at + length || !self.holds(root, at, end) {
                self.rank = Rank::Branch;
            }
            children.into_iter().for_each(|child| self.tree(table, child, levels - 1));
        } else if let Some((entries, end)) = pages::leaf(self.source, at, at + length) {
            if self.holds(root, at, end.min(at + length)) {
                for entry in &entries {
                    self.take(entry, Some(table));
                }
            } else {
                // What is left of it is found with the pages; it is no longer sure of which commit it is.
                self.seen.remove(&at);
            }
        } else {
            self.damaged(Some(at));
            self.seen.remove(&at);
        }
        self.rank = rank;
    }

    /// Looks at every page that no tree led to.
    fn pages(&mut self) {
        self.rank = Rank::Page;
        let mut at = PAGE_BYTES;
        while at < self.source.bytes() {
            if let Some(length) = self.seen.get(&at) {
                at += length;
                continue;
            }
            // A leaf's values may lie in pages beyond; those need not be looked at for themselves.
            let end = self.page(at);
            at = (end / PAGE_BYTES * PAGE_BYTES).max(at + PAGE_BYTES);
        }
    }

    /// Takes the values of what may be a leaf, and returns where the last one ends.
    fn page(&mut self, at: u64) -> u64 {
        let limit = self.source.bytes();
        let mut last = at;
        if let Some((entries, _)) = pages::leaf(self.source, at, limit) {
            last = self.take_all(&entries, at);
        }
        if last > at {
            return last;
        }
        // Its type or count may be what is damaged. A value betrays itself by how its frame begins.
        let Some(page) = self.source.take(at, PAGE_BYTES.min(limit - at) as usize) else { return at };
        for count in 1..=MOST_ENTRIES {
            let begins = 4 + count as usize * 12;
            let like_a_frame = page.get(begins..begins + 2).is_some_and(|start| {
                start[0] == frame::FORMAT && Table::ALL.iter().any(|table| *table as u8 == start[1])
            });
            if like_a_frame && let Some((entries, _)) = pages::entries(self.source, at, limit, count) {
                last = last.max(self.take_all(&entries, at));
                if last > at {
                    break;
                }
            }
        }
        last
    }

    fn take_all(&mut self, entries: &[Entry], at: u64) -> u64 {
        entries
            .iter()
            .fold(at, |last, entry| if self.take(entry, None) { entry.at + entry.length } else { last })
    }

    /// Remembers a value if its checksum holds. True if it does.
    fn take(&mut self, entry: &Entry, expected: Option<Table>) -> bool {
        let mut header = [0; frame::HEADER_BYTES];
        if entry.length < frame::HEADER_BYTES as u64 || !self.source.read(entry.at, &mut header) {
            return false;
        }
        let [format, kind, sum @ ..] = header;
        let known = Table::ALL.iter().any(|table| *table as u8 == kind);
        if !known || format == 0 || expected.is_some_and(|table| table as u8 != kind) {
            return false;
        }
        let seed = frame::seed(format, kind, &entry.key.to_be_bytes());
        let payload = (entry.at + frame::HEADER_BYTES as u64, entry.length - frame::HEADER_BYTES as u64);
        if self.source.sum_64(seed, payload.0, payload.1) != Some(u64::from_le_bytes(sum)) {
            return false;
        }
        if format > frame::FORMAT {
            self.found.newer += 1;
            return true;
        }
        if self.found.all.len() == MOST_VALUES {
            self.found.overflowed = true;
            return true;
        }
        let Ok(length) = u32::try_from(entry.length) else { return true };
        let sum = u64::from_le_bytes(sum) as u32;
        let (rank, key, at) = (self.rank, entry.key, entry.at);
        self.found.all.push(Value { table: kind, rank, key, at, length, sum });
        true
    }
}
