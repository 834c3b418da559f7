//! The engine's pages as they lie in the file, read without the engine: where trees begin, where a page lies, what a
//! leaf and a branch hold.
//!
//! Every number read is a claim that is checked against the file's length before anything is done with it. All
//! integers are little-endian.
//!
//! ```text
//! header  12 page size u32, 16 pages of a region's header u32, 20 pages of a region u32; from 64 and 192 a commit each
//! commit   1 whether there is a root u8, 8 root: page u64, checksum u128, length u64; 112 checksum of bytes 0..112
//! leaf     0 the number 1 u8, 2 count u16, 4 where each value ends u32, the keys, the values
//! branch   0 the number 2 u8, 2 count u16, 8 checksums u128 of count + 1 pages, their numbers u64, count keys
//! ```

use twox_hash::XxHash3_128;

use super::source::Source;

/// The smallest page, and what every page's place is a multiple of.
pub(super) const PAGE_BYTES: u64 = 4096;
const HEADER_BYTES: usize = 320;
/// Which of the two commits is the newer, and whether it was put on the disk before it was called that.
const GOD_BYTE: usize = 9;
const TWO_PHASE_FLAG: u8 = 4;
const COMMITS_AT: [usize; 2] = [64, 192];
const COMMIT_BYTES: usize = 128;
/// What the engine makes regions of, for files whose header says something impossible.
const USUAL_REGION_PAGES: u64 = 1 << 20;

/// A page that is said to exist, with the checksum it must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Child {
    pub(super) page: u64,
    pub(super) checksum: u128,
}

/// Where pages lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    header_pages: u64,
    region_pages: u64,
}

/// What the start of the file tells: the layout, and the roots of the two commits, the newer first.
pub(super) fn header(source: &Source) -> (Layout, Vec<Child>) {
    let usual = Layout { header_pages: 0, region_pages: USUAL_REGION_PAGES };
    let Some(bytes) = source.take(0, HEADER_BYTES) else { return (usual, Vec::new()) };
    let (header_pages, region_pages) = (u64::from(u32_at(&bytes, 16)), u64::from(u32_at(&bytes, 20)));
    let fits =
        u64::from(u32_at(&bytes, 12)) == PAGE_BYTES && (1..=USUAL_REGION_PAGES).contains(&region_pages);
    let layout = if fits { Layout { header_pages, region_pages } } else { usual };
    let newer = usize::from(bytes[GOD_BYTE] & 1);
    let commits = [newer, 1 - newer].map(|slot| &bytes[COMMITS_AT[slot]..COMMITS_AT[slot] + COMMIT_BYTES]);
    let (sound, torn): (Vec<&[u8]>, Vec<&[u8]>) =
        commits.into_iter().partition(|commit| XxHash3_128::oneshot(&commit[..112]) == u128_at(commit, 112));
    let roots = sound.into_iter().chain(torn).filter(|commit| commit[1] != 0);
    (layout, roots.map(|commit| child_at(commit, 8)).collect())
}

/// The layout, and of each sound commit the roots of its trees of tables: ours, and the engine's own.
pub(super) fn all_roots(source: &Source) -> (Layout, Vec<Vec<Child>>) {
    let (layout, _) = header(source);
    let Some(bytes) = source.take(0, HEADER_BYTES) else { return (layout, Vec::new()) };
    let commits = COMMITS_AT.map(|at| &bytes[at..at + COMMIT_BYTES]);
    let sound =
        commits.into_iter().filter(|commit| XxHash3_128::oneshot(&commit[..112]) == u128_at(commit, 112));
    let roots = |commit: &[u8]| {
        let there = [(1, 8), (2, 40)].into_iter().filter(|(flag, _)| commit[*flag] != 0);
        there.map(|(_, at)| child_at(commit, at)).collect()
    };
    (layout, sound.map(roots).collect())
}

/// The layout, and the root of the engine's own tables in the commit that the engine must go by, if that is certain.
pub(super) fn engine_root(source: &Source) -> (Layout, Option<Child>) {
    let (layout, _) = header(source);
    let Some(bytes) = source.take(0, HEADER_BYTES) else { return (layout, None) };
    let at = COMMITS_AT[usize::from(bytes[GOD_BYTE] & 1)];
    let commit = &bytes[at..at + COMMIT_BYTES];
    let is_sound = XxHash3_128::oneshot(&commit[..112]) == u128_at(commit, 112);
    let is_certain = is_sound && bytes[GOD_BYTE] & TWO_PHASE_FLAG != 0 && commit[2] != 0;
    (layout, is_certain.then(|| child_at(commit, 40)))
}

/// Where a leaf ends, if the page is one: its last value's end, or where its rows of one length do.
pub(super) fn leaf_end(
    source: &Source,
    at: u64,
    key_bytes: Option<u64>,
    value_bytes: Option<u64>,
) -> Option<u64> {
    let mut head = [0; 4];
    if !source.read(at, &mut head) || head[0] != 1 {
        return None;
    }
    let count = u64::from(u16::from_le_bytes([head[2], head[3]]));
    let last_end = match (key_bytes, value_bytes) {
        (Some(key), Some(value)) => return Some(at + 4 + count * (key + value)),
        // The ends of the keys, then those of the values, whichever have them; keys come first, values last.
        (None, Some(value)) => {
            let mut end = [0; 4];
            let read = source.read(at + count.max(1) * 4, &mut end);
            return read.then(|| at + u64::from(u32::from_le_bytes(end)) + count * value);
        }
        (Some(_), None) => count,
        (None, None) => count * 2,
    };
    let mut end = [0; 4];
    source.read(at + last_end.max(1) * 4, &mut end).then(|| at + u64::from(u32::from_le_bytes(end)))
}

impl Layout {
    /// How long a page says it is.
    pub(super) fn length(page: u64) -> u64 {
        PAGE_BYTES << (page >> 59)
    }

    /// Where a page lies and how long it is, if that is within the file.
    pub(super) fn place(&self, page: u64, file_bytes: u64) -> Option<(u64, u64)> {
        let order = page >> 59;
        let region = page >> 20 & 0xf_ffff;
        let index = page & (0xf_ffff_u64.checked_shr(order as u32)?);
        let length = PAGE_BYTES.checked_shl(order as u32)?;
        let region_bytes = (self.header_pages + self.region_pages) * PAGE_BYTES;
        let within = self.header_pages * PAGE_BYTES + index.checked_mul(length)?;
        let at = PAGE_BYTES.checked_add(region.checked_mul(region_bytes)?)?.checked_add(within)?;
        (at.checked_add(length)? <= file_bytes).then_some((at, length))
    }
}

/// A value in a leaf: its key, where its bytes begin and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: u64,
    pub(super) at: u64,
    pub(super) length: u64,
}

/// The entries of what may be a leaf with keys of eight bytes at `at`, if it says that it is one, and where they end.
pub(super) fn leaf(source: &Source, at: u64, limit: u64) -> Option<(Vec<Entry>, u64)> {
    let mut head = [0; 4];
    if !source.read(at, &mut head) || head[0] != 1 {
        return None;
    }
    entries(source, at, limit, u16::from_le_bytes([head[2], head[3]]).into())
}

/// The entries of what would be a leaf at `at` if it held `count` of them.
pub(super) fn entries(source: &Source, at: u64, limit: u64, count: u64) -> Option<(Vec<Entry>, u64)> {
    let table = source.take(at + 4, count as usize * 12)?;
    let (ends, keys) = table.split_at(count as usize * 4);
    let mut found = Vec::new();
    let mut from = at + 4 + count * 12;
    for (end, key) in ends.as_chunks().0.iter().zip(keys.as_chunks().0) {
        let end = at + u64::from(u32::from_le_bytes(*end));
        // One wrong end spoils two entries; the others are found all the same.
        if end > from && end <= limit {
            found.push(Entry { key: u64::from_le_bytes(*key), at: from, length: end - from });
        }
        from = end;
    }
    (count > 0).then_some((found, from))
}

/// The children of a branch, if the page is one, and what tells where it ends.
pub(super) fn branch(source: &Source, at: u64, length: u64) -> Option<(Vec<Child>, BranchEnd)> {
    let mut head = [0; 8];
    if !source.read(at, &mut head) || head[0] != 2 {
        return None;
    }
    let keys = u64::from(u16::from_le_bytes([head[2], head[3]]));
    let children = keys + 1;
    if keys == 0 || 8 + children * 24 > length {
        return None;
    }
    let table = source.take(at + 8, children as usize * 24)?;
    let (sums, pages) = table.split_at(children as usize * 16);
    let pages = pages.as_chunks().0.iter().map(|page| u64::from_le_bytes(*page));
    let sums = sums.as_chunks().0.iter().map(|sum| u128::from_le_bytes(*sum));
    let children: Vec<Child> = pages.zip(sums).map(|(page, checksum)| Child { page, checksum }).collect();
    Some((children, BranchEnd { at: at + 8 + (keys + 1) * 24, keys }))
}

/// Where the keys of a branch begin, and how many there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct BranchEnd {
    at: u64,
    keys: u64,
}

impl BranchEnd {
    /// Where the branch ends if its keys have so many bytes each.
    pub(super) fn of_keys(self, bytes: u64) -> u64 {
        self.at.saturating_add(self.keys.saturating_mul(bytes))
    }

    /// Where the branch ends if its keys are texts: their ends stand before them.
    pub(super) fn of_texts(self, source: &Source, page_at: u64) -> Option<u64> {
        let mut end = [0; 4];
        let read = source.read(self.at + (self.keys - 1) * 4, &mut end);
        read.then(|| page_at + u64::from(u32::from_le_bytes(end)))
    }
}

/// A table as the tree of tables names it.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) root: Child,
    /// Bytes of a key; `None` if they differ.
    pub(super) key_bytes: Option<u64>,
    /// Bytes of a value; `None` if they differ.
    pub(super) value_bytes: Option<u64>,
}

/// The tables that a leaf of the tree of tables names, and where the leaf ends.
pub(super) fn tables(source: &Source, at: u64, length: u64) -> Option<(Vec<Named>, u64)> {
    let bytes = source.take(at, length.min(1 << 20) as usize)?;
    let count = match bytes[..4] {
        [1, _, low, high] => usize::from(u16::from_le_bytes([low, high])),
        _ => return None,
    };
    let end_at = |index: usize| bytes.get(4 + index * 4..8 + index * 4).map(|end| u32_at(end, 0) as usize);
    let mut found = Vec::new();
    let mut key_from = 4 + count * 8;
    let mut value_from = end_at(count.checked_sub(1)?)?;
    for index in 0..count {
        let (key_end, value_end) = (end_at(index)?, end_at(count + index)?);
        let key = bytes.get(key_from..key_end).and_then(|name| std::str::from_utf8(name).ok());
        // A definition: its kind u8, the number of values u64, whether there is a root u8, the root, whether keys have
        // one length u8, that length u32, and the same of values.
        let root = bytes.get(value_from..value_end).filter(|value| value.len() >= 52 && value[9] != 0);
        if let (Some(name), Some(value)) = (key, root) {
            let bytes_at = |at: usize| (value[at] != 0).then(|| u64::from(u32_at(value, at + 1)));
            let (key_bytes, value_bytes) = (bytes_at(42), bytes_at(47));
            found.push(Named { name: name.to_owned(), root: child_at(value, 10), key_bytes, value_bytes });
        }
        (key_from, value_from) = (key_end, value_end);
    }
    Some((found, at + value_from as u64))
}

fn child_at(bytes: &[u8], at: usize) -> Child {
    let page = [0, 1, 2, 3, 4, 5, 6, 7].map(|byte| bytes[at + byte]);
    Child { page: u64::from_le_bytes(page), checksum: u128_at(bytes, at + 8) }
}

fn u128_at(bytes: &[u8], at: usize) -> u128 {
    let mut sum = [0; 16];
    sum.copy_from_slice(&bytes[at..at + 16]);
    u128::from_le_bytes(sum)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
