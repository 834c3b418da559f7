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
        let mut ahead: Vec<(Child, Rows)> = roots.into_iter().map(|root| (root, Rows::Names)).collect();
        while let Some((child, rows)) = ahead.pop() {
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
            follow(&source, child, (at, length), rows, &mut ahead);
        }
    }
    Ok(())
}

/// Looks at the engine's own tables, which tell it what pages are free, page by page with their checksums. It believes them
/// unseen whenever it writes, and at some damage there it panics while it unwinds, which ends the process. `read` as for
/// [`check`].
///
/// # Errors
/// `Damaged` with the place.
pub(crate) fn check_engine(
    bytes: u64,
    read: impl Fn(u64, &mut [u8]) -> io::Result<()> + 'static,
) -> Result<()> {
    let source = Source::over(bytes, read);
    let (layout, root) = pages::engine_root(&source);
    let mut seen = HashSet::new();
    let mut ahead: Vec<(Child, Rows)> = root.into_iter().map(|root| (root, Rows::Names)).collect();
    while let Some((child, rows)) = ahead.pop() {
        let damaged =
            || Error::new(ErrorKind::Damaged, format!("page {:#x} of the engine's own tables", child.page));
        let place = layout.place(child.page, bytes).filter(|(at, _)| seen.insert(*at)).ok_or_else(damaged)?;
        let is_leaf = || {
            let Rows::Table { key_bytes, value_bytes } = rows else { return false };
            let end = pages::leaf_end(&source, place.0, key_bytes, value_bytes);
            end.is_some_and(|end| is_whole(&source, child, place, end))
        };
        if !follow(&source, child, place, rows, &mut ahead) && !is_leaf() {
            return Err(damaged());
        }
    }
    Ok(())
}

/// What a tree holds.
#[derive(Clone, Copy)]
enum Rows {
    /// That of tables: their names.
    Names,
    /// That of a table: keys and values, with their length if they have one.
    Table { key_bytes: Option<u64>, value_bytes: Option<u64> },
}

/// Whether the page, up to where its content ends, is what its branch says.
fn is_whole(source: &Source, child: Child, (at, length): (u64, u64), end: u64) -> bool {
    (at..=at + length).contains(&end) && source.sum_128(at, end - at) == Some(child.checksum)
}

/// Adds what a page leads to, if the page is what its branch says; whether it is. What is not, a crash left: the engine
/// goes by the other commit then, and never looks further here.
fn follow(
    source: &Source,
    child: Child,
    (at, length): (u64, u64),
    rows: Rows,
    ahead: &mut Vec<(Child, Rows)>,
) -> bool {
    let is_whole = |end: u64| is_whole(source, child, (at, length), end);
    if let Some((children, end)) = pages::branch(source, at, length) {
        let end = match rows {
            Rows::Table { key_bytes: Some(bytes), .. } => Some(end.of_keys(bytes)),
            Rows::Table { key_bytes: None, .. } | Rows::Names => end.of_texts(source, at),
        };
        if end.is_some_and(is_whole) {
            ahead.extend(children.into_iter().map(|child| (child, rows)));
            return true;
        }
    } else if matches!(rows, Rows::Names)
        && let Some((tables, end)) = pages::tables(source, at, length)
        && is_whole(end)
    {
        ahead.extend(tables.into_iter().map(|named| {
            let (key_bytes, value_bytes) = (named.key_bytes, named.value_bytes);
            (named.root, Rows::Table { key_bytes, value_bytes })
        }));
        return true;
    }
    false
}
