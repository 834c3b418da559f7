//! The shape of a file's trees, looked at before the engine does: no page that a branch names may be larger than the file,
//! and none may be named twice.
//!
//! The engine's own check believes a page's number and size before it verifies the page: it asks for gigabytes of memory
//! where a hostile branch says so, and walks a page as often as branches name it. Checksums are the engine's business.

use std::collections::HashSet;
use std::io;

use super::pages::{self, Child, Layout};
use super::source::Source;
use crate::error::{Error, ErrorKind, Result};

/// Looks at the trees of both commits. `read` fills a slice from a byte of the file on.
///
/// # Errors
/// `Damaged` with the place.
pub(crate) fn check(bytes: u64, read: impl Fn(u64, &mut [u8]) -> io::Result<()> + 'static) -> Result<()> {
    let source = Source::over(bytes, read);
    let (layout, commits) = pages::all_roots(&source);
    for roots in commits {
        let mut seen = HashSet::new();
        let mut ahead: Vec<(Child, Keys)> = roots.into_iter().map(|root| (root, Keys::Names)).collect();
        while let Some((child, keys)) = ahead.pop() {
            let damaged = |what: &str| {
                Err(Error::new(
                    ErrorKind::Damaged,
                    format!("page {:#x} of {bytes} bytes: {what}", child.page),
                ))
            };
            let Some((at, length)) = layout.place(child.page, bytes) else {
                if Layout::length(child.page) > bytes {
                    return damaged("a branch names it, and it is larger than the file");
                }
                continue;
            };
            if !seen.insert(at) {
                return damaged("two branches name it");
            }
            follow(&source, child, (at, length), keys, &mut ahead);
        }
    }
    Ok(())
}

/// Whose keys a tree has.
#[derive(Clone, Copy)]
enum Keys {
    /// Those of the tree of tables: names.
    Names,
    /// Those of a table, with their length if they have one.
    Table(Option<u64>),
}

/// Adds what a page leads to, if the page is what its branch says. What is not, a crash left: the engine goes by the other
/// commit then, and never looks further here.
fn follow(
    source: &Source,
    child: Child,
    (at, length): (u64, u64),
    keys: Keys,
    ahead: &mut Vec<(Child, Keys)>,
) {
    let is_whole =
        |end: u64| (at..=at + length).contains(&end) && source.sum_128(at, end - at) == Some(child.checksum);
    if let Some((children, end)) = pages::branch(source, at, length) {
        let end = match keys {
            Keys::Table(Some(bytes)) => Some(end.of_keys(bytes)),
            Keys::Table(None) | Keys::Names => end.of_texts(source, at),
        };
        if end.is_some_and(is_whole) {
            ahead.extend(children.into_iter().map(|child| (child, keys)));
        }
    } else if matches!(keys, Keys::Names)
        && let Some((tables, end)) = pages::tables(source, at, length)
        && is_whole(end)
    {
        ahead.extend(tables.into_iter().map(|named| (named.root, Keys::Table(named.key_bytes))));
    }
}
