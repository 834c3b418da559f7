//! What a hostile author does: change a page or a value, and make every checksum above it right again.

use std::collections::HashSet;

use twox_hash::{XxHash3_64, XxHash3_128};

use super::images::Dice;

const PAGE: usize = 4096;
const COMMITS: [usize; 2] = [64, 192];

/// The pages of the tables, as the newest commit has them.
pub(crate) struct Pages {
    pub(crate) leaves: Vec<usize>,
    pub(crate) branches: Vec<usize>,
}

fn word(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..at + 4).map_or(0, |word| u32::from_le_bytes(word.try_into().unwrap()) as usize)
}

fn half(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..at + 2).map_or(0, |half| u16::from_le_bytes(half.try_into().unwrap()) as usize)
}

/// Where a page begins. The base has one region and no region header.
fn place(bytes: &[u8], at: usize) -> Option<usize> {
    let number = u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().unwrap());
    let order = (number >> 59) as usize;
    let index = (number & (0xf_ffff >> order.min(20))) as usize;
    let place = PAGE + index.checked_mul(PAGE << order.min(20))?;
    (place < bytes.len()).then_some(place)
}

impl Pages {
    pub(crate) fn of(bytes: &[u8]) -> Pages {
        let mut pages = Pages { leaves: Vec::new(), branches: Vec::new() };
        let commit = COMMITS[usize::from(bytes[9] & 1)];
        if let Some(root) = place(bytes, commit + 8) {
            for table in roots(bytes, root) {
                pages.walk(bytes, table);
            }
        }
        assert!(pages.leaves.len() > 10 && !pages.branches.is_empty(), "the base has trees");
        pages
    }

    fn walk(&mut self, bytes: &[u8], at: usize) {
        if bytes[at] == 2 {
            self.branches.push(at);
            let children = half(bytes, at + 2) + 1;
            for child in 0..children {
                if let Some(child) = place(bytes, at + 8 + children * 16 + child * 8) {
                    self.walk(bytes, child);
                }
            }
        } else {
            self.leaves.push(at);
        }
    }
}

/// Where the root of each table stands in the leaf of tables: `(place of the root, place of its reference)`.
fn definitions(bytes: &[u8], leaf: usize) -> Vec<usize> {
    let count = half(bytes, leaf + 2);
    let mut from = leaf + word(bytes, leaf + 4 + (count.max(1) - 1) * 4);
    let mut found = Vec::new();
    for index in 0..count {
        let end = leaf + word(bytes, leaf + 4 + (count + index) * 4);
        if bytes.get(from + 9).is_some_and(|there| *there != 0) && from + 34 <= bytes.len() {
            found.push(from + 10);
        }
        from = end;
    }
    found
}

fn roots(bytes: &[u8], names: usize) -> Vec<usize> {
    definitions(bytes, names).into_iter().filter_map(|at| place(bytes, at)).collect()
}

/// Makes the checksums of both commits right, as far as their trees can be followed.
pub(crate) fn seal(bytes: &mut [u8]) {
    for commit in COMMITS {
        if bytes[commit + 1] != 0
            && let Some(names) = place(bytes, commit + 8)
        {
            let mut seen = HashSet::new();
            for definition in definitions(bytes, names) {
                if let Some(root) = place(bytes, definition)
                    && let Some(sum) = tree(bytes, root, &mut seen)
                {
                    bytes[definition + 8..definition + 24].copy_from_slice(&sum.to_le_bytes());
                }
            }
            let count = half(bytes, names + 2);
            let end = names + word(bytes, names + 4 + (2 * count).max(1) * 4 - 4);
            if let Some(page) = bytes.get(names..end) {
                let sum = XxHash3_128::oneshot(page);
                bytes[commit + 16..commit + 32].copy_from_slice(&sum.to_le_bytes());
            }
        }
        let sum = XxHash3_128::oneshot(&bytes[commit..commit + 112]);
        bytes[commit + 112..commit + 128].copy_from_slice(&sum.to_le_bytes());
    }
}

fn tree(bytes: &mut [u8], at: usize, seen: &mut HashSet<usize>) -> Option<u128> {
    if !seen.insert(at) {
        return None;
    }
    let count = half(bytes, at + 2);
    if bytes[at] != 2 {
        let end = at + word(bytes, at + 4 * count);
        return bytes.get(at..end).map(XxHash3_128::oneshot);
    }
    for child in 0..=count {
        let reference = at + 8 + (count + 1) * 16 + child * 8;
        if let Some(below) = place(bytes, reference)
            && let Some(sum) = tree(bytes, below, seen)
        {
            let stands = at + 8 + child * 16;
            bytes.get_mut(stands..stands + 16)?.copy_from_slice(&sum.to_le_bytes());
        }
    }
    let end = at + 8 + (count + 1) * 24 + count * 8;
    bytes.get(at..end).map(XxHash3_128::oneshot)
}

/// Numbers that have surprised many a reader.
fn nasty(dice: &mut Dice) -> u64 {
    let numbers =
        [0, 1, 2, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 40, u64::MAX >> 1, u64::MAX];
    if dice.below(4) == 0 { dice.next() } else { numbers[dice.below(numbers.len())] }
}

/// Changes a value's payload and makes its frame right.
pub(crate) fn payload(bytes: &mut [u8], pages: &Pages, dice: &mut Dice) -> String {
    let leaf = pages.leaves[dice.below(pages.leaves.len())];
    let count = half(bytes, leaf + 2);
    let entry = dice.below(count);
    let from = leaf + if entry == 0 { 4 + 12 * count } else { word(bytes, leaf + 4 * entry) };
    let end = leaf + word(bytes, leaf + 4 + 4 * entry);
    let key = u64::from_le_bytes(bytes[leaf + 4 + 4 * count + 8 * entry..][..8].try_into().unwrap());
    let length = end - from - 10;
    let changes = 1 + dice.below(4);
    for _ in 0..changes {
        let at = from + 10 + if dice.below(3) == 0 { dice.below(length.min(64)) } else { dice.below(length) };
        let size = [1, 2, 4, 8][dice.below(4)].min(end - at);
        let number = nasty(dice).to_le_bytes();
        bytes[at..at + size].copy_from_slice(&number[..size]);
    }
    let (format, kind) = (bytes[from], bytes[from + 1]);
    let seed = XxHash3_64::oneshot_with_seed(u64::from(kind) << 8 | u64::from(format), &key.to_be_bytes());
    let sum = XxHash3_64::oneshot_with_seed(seed, &bytes[from + 10..end]);
    bytes[from + 2..from + 10].copy_from_slice(&sum.to_le_bytes());
    format!("{changes} numbers in the value of kind {kind} at key {key} changed")
}

/// Changes a page's counts, offsets and keys.
pub(crate) fn structure(bytes: &mut [u8], pages: &Pages, dice: &mut Dice) -> String {
    let of = if dice.below(3) == 0 { &pages.branches } else { &pages.leaves };
    let at = of[dice.below(of.len())];
    let used = 4 + 12 * half(bytes, at + 2);
    let place = at + if dice.below(4) == 0 { dice.below(4) } else { dice.below(used) };
    let size = [1, 2, 4, 8][dice.below(4)];
    let number = nasty(dice).to_le_bytes();
    bytes[place..place + size].copy_from_slice(&number[..size]);
    format!("{size} bytes at {} of the page at {at} changed", place - at)
}

/// Leads a branch, or a table, to another page.
pub(crate) fn pointer(bytes: &mut [u8], pages: &Pages, dice: &mut Dice) -> String {
    let own = |at: usize| ((at - PAGE) / PAGE) as u64;
    let target = match dice.below(5) {
        0 => own(pages.leaves[dice.below(pages.leaves.len())]),
        1 => own(pages.branches[dice.below(pages.branches.len())]),
        2 => (dice.below(31) as u64) << 59 | dice.below(40) as u64,
        3 => (dice.below(1 << 20) as u64) << 20,
        _ => dice.next(),
    };
    let place = if dice.below(3) == 0 {
        let commit = COMMITS[usize::from(bytes[9] & 1)];
        let names = place(bytes, commit + 8).unwrap();
        let all = definitions(bytes, names);
        all[dice.below(all.len())]
    } else {
        let at = pages.branches[dice.below(pages.branches.len())];
        let children = half(bytes, at + 2) + 1;
        at + 8 + children * 16 + dice.below(children) * 8
    };
    bytes[place..place + 8].copy_from_slice(&target.to_le_bytes());
    format!("the reference at {place} leads to page {target:#x}")
}

/// Changes what the header says of the file.
pub(crate) fn header(bytes: &mut [u8], dice: &mut Dice) -> String {
    let at = 9 + dice.below(311);
    let size = [1, 2, 4, 8][dice.below(4)];
    let number = nasty(dice).to_le_bytes();
    bytes[at..at + size].copy_from_slice(&number[..size]);
    format!("{size} bytes at {at} of the header changed")
}
