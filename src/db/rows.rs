//! The rows (due, clock) that a query wants, many at a time, from all the due indexes in one order.

use std::ops::Range;

use super::Db;
use super::names::Names;
use super::scan::{AsOf, Query, loads, merged};
use super::status::stage_of;
use crate::clock::Stage;
use crate::error::Result;
use crate::store::index::{IndexKind, row};
use crate::store::pieces::{Piece, Pieces};
use crate::store::snapshot::Snapshot;
use crate::time::Instant;

/// Rows that a scan found, in order.
pub(super) enum Found<'a> {
    /// Rows as they are; those of the past with what is different there.
    Rows(&'a [u64], Option<&'a AsOf>),
    /// The first so many of the rows of two runs that are each in order.
    Runs(&'a [u64], &'a [u64], usize),
}

impl Found<'_> {
    /// How many rows these are.
    pub(super) fn len(&self) -> usize {
        match self {
            Found::Rows(rows, _) => rows.len(),
            Found::Runs(_, _, count) => *count,
        }
    }
}

/// Rows of each index that are merged at once: few enough to stay in the processor's first cache.
const AT_ONCE: usize = 2_048;

/// A due index, and whether its rows must be looked at one by one.
type Wanted = (IndexKind, bool);

/// The rows of one due index, as far as they are at hand.
struct Stream<'a> {
    pieces: Pieces<'a>,
    piece: Option<Piece<'a>>,
    /// Rows of the piece that were handed over.
    done: usize,
    /// Where rows must be looked at one by one: those that come next, and how many of them were.
    unseen: Option<(Piece<'a>, usize)>,
    checks: bool,
}

impl<'a> Stream<'a> {
    fn new(pieces: Pieces<'a>, checks: bool) -> Stream<'a> {
        Stream { pieces, piece: None, done: 0, unseen: None, checks }
    }

    /// The rows at hand, at most `most`; none when there are no more.
    fn rows(&self, most: usize) -> &[u64] {
        let rows = self.piece.as_ref().map_or(&[][..], |piece| &piece[self.done..]);
        &rows[..rows.len().min(most)]
    }

    /// Sees to it that there are rows at hand, if there are more. Looks for no more than `most` that are wanted.
    fn fill(&mut self, most: usize, is_wanted: &mut dyn FnMut(u64) -> Result<bool>) -> Result<()> {
        while self.rows(1).is_empty() {
            self.done = 0;
            self.piece = if self.checks { self.look(most, is_wanted)? } else { self.pieces.next()? };
            if self.piece.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// The wanted ones of the next rows, perhaps none; `None` if there are no more rows.
    fn look(
        &mut self,
        most: usize,
        is_wanted: &mut dyn FnMut(u64) -> Result<bool>,
    ) -> Result<Option<Piece<'a>>> {
        let (unseen, mut at) = match self.unseen.take() {
            Some(unseen) => unseen,
            None => match self.pieces.next()? {
                Some(piece) => (piece, 0),
                None => return Ok(None),
            },
        };
        let mut wanted = Vec::new();
        while at < unseen.len() && wanted.len() < most {
            if is_wanted(unseen[at])? {
                wanted.push(unseen[at]);
            }
            at += 1;
        }
        if at < unseen.len() {
            self.unseen = Some((unseen, at));
        }
        Ok(Some(Piece::Made(wanted)))
    }
}

/// Two sorted runs as one, without a branch that depends on the rows.
pub(super) struct Merge<'a> {
    one: &'a [u64],
    other: &'a [u64],
    at: (usize, usize),
}

impl<'a> Merge<'a> {
    pub(super) fn new(one: &'a [u64], other: &'a [u64]) -> Merge<'a> {
        Merge { one, other, at: (0, 0) }
    }

    /// The next row; past the end, a row that there is not.
    pub(super) fn take(&mut self) -> u64 {
        let row = |run: &[u64], at: usize| run.get(at).copied().unwrap_or(u64::MAX);
        let (one, other) = (row(self.one, self.at.0), row(self.other, self.at.1));
        let first = one < other;
        self.at.0 += usize::from(first);
        self.at.1 += usize::from(!first);
        if first { one } else { other }
    }
}

impl Db {
    /// Hands over the first `limit` rows that a query wants, in order, many at a time; those of the past with what is
    /// different there.
    pub(super) fn visit_rows(
        &self,
        snapshot: &Snapshot<'_>,
        query: &Query,
        limit: usize,
        visit: &mut dyn FnMut(Found<'_>) -> Result<()>,
    ) -> Result<()> {
        self.check_clock_name(snapshot, query.clock.as_deref())?;
        let range = row(query.since.map_or(0, Instant::raw), 0)..row(query.end(), 0);
        if snapshot.head().latest_event_at > query.now.raw() {
            return self.visit_past(snapshot, query, range, limit, visit);
        }
        let (kinds, count) = query.kinds(snapshot);
        let kinds = &kinds[..count];
        let load = |&(kind, _): &Wanted| move |block: u64| snapshot.load_block(kind, block);
        let loads: Vec<_> = kinds.iter().map(load).collect();
        let pieces =
            |(&(kind, checks), load)| Stream::new(snapshot.index(kind).pieces(range.clone(), load), checks);
        let loads = loads.iter().map(|load| load as _);
        let mut streams: Vec<Stream<'_>> = kinds.iter().zip(loads).map(pieces).collect();
        let (mut left, mut names) = (limit, Names::default());
        while left > 0 {
            let most = left.min(AT_ONCE);
            for stream in &mut streams {
                stream.fill(left, &mut |row| self.is_wanted(snapshot, query, &mut names, row))?;
            }
            streams.retain(|stream| !stream.rows(1).is_empty());
            // Up to the first end of what is at hand of an index, the rows at hand are all that there are.
            let ends = streams.iter().filter_map(|stream| stream.rows(most).last());
            let Some(end) = ends.min().copied() else { break };
            let mut parts: [&[u64]; IndexKind::DUE.len()] = Default::default();
            let mut lengths = [0; IndexKind::DUE.len()];
            for (at, stream) in streams.iter().enumerate() {
                let rows = stream.rows(most);
                lengths[at] = rows.partition_point(|row| *row <= end);
                parts[at] = &rows[..lengths[at]];
            }
            left -= hand_over(&parts[..streams.len()], left, visit)?;
            streams.iter_mut().zip(lengths).for_each(|(stream, length)| stream.done += length);
        }
        Ok(())
    }

    fn visit_past(
        &self,
        snapshot: &Snapshot<'_>,
        query: &Query,
        range: Range<u64>,
        limit: usize,
        visit: &mut dyn FnMut(Found<'_>) -> Result<()>,
    ) -> Result<()> {
        let past = AsOf::at(self, snapshot, query.now)?;
        let loads = loads(snapshot);
        let mut left = limit;
        let mut names = Names::default();
        for found in merged(snapshot, &past, &loads, range.start) {
            let (found, is_past) = found?;
            if left == 0 || found >= range.end {
                break;
            }
            let then = if is_past { Some(&past) } else { None };
            if self.row(snapshot, &mut names, &past.displaced, then, query, found)?.is_some() {
                visit(Found::Rows(&[found], then))?;
                left -= 1;
            }
        }
        Ok(())
    }

    fn is_wanted(&self, snapshot: &Snapshot<'_>, query: &Query, names: &mut Names, row: u64) -> Result<bool> {
        let clock = snapshot.listed_clock(row)?;
        if !query.wants(stage_of(&clock, query.now)) {
            return Ok(false);
        }
        match &query.clock {
            None => Ok(true),
            Some(wanted) => Ok(names.name_of(self, snapshot, &clock)? == wanted),
        }
    }
}

/// Hands over the first `most` rows of several runs that are each in order. Returns how many those are.
fn hand_over(parts: &[&[u64]], most: usize, visit: &mut dyn FnMut(Found<'_>) -> Result<()>) -> Result<usize> {
    let count = most.min(parts.iter().map(|part| part.len()).sum());
    match *parts {
        [] => {}
        [rows] | [rows, []] | [[], rows] => visit(Found::Rows(&rows[..count], None))?,
        [one, other] => visit(Found::Runs(one, other, count))?,
        [one, other, ref rest @ ..] => {
            let mut merge = Merge::new(one, other);
            let both: Vec<u64> = (0..count.min(one.len() + other.len())).map(|_| merge.take()).collect();
            let parts: Vec<&[u64]> = std::iter::once(both.as_slice()).chain(rest.iter().copied()).collect();
            return hand_over(&parts, most, visit);
        }
    }
    Ok(count)
}

/// No more rows than this lie within a query.
pub(super) fn rows_within(snapshot: &Snapshot<'_>, query: &Query) -> Result<usize> {
    let (since, end) = (query.since.map_or(0, Instant::raw), query.end());
    IndexKind::DUE.into_iter().try_fold(0_usize, |rows, kind| {
        let load = |block: u64| snapshot.load_block(kind, block);
        let index = snapshot.index(kind);
        let within = index.count_below(end, &load)?.saturating_sub(index.count_below(since, &load)?);
        Ok(rows.saturating_add(usize::try_from(within).unwrap_or(usize::MAX)))
    })
}

impl Query {
    /// The due indexes that have rows it may want, and how many those are.
    fn kinds(&self, snapshot: &Snapshot<'_>) -> ([Wanted; IndexKind::DUE.len()], usize) {
        let all_started = snapshot.index(IndexKind::Armed).len() == 0;
        let (mut kinds, mut count) = ([(IndexKind::Due, false); IndexKind::DUE.len()], 0);
        for kind in IndexKind::DUE {
            if snapshot.index(kind).len() > 0
                && let Some(checks) = self.checks(kind, all_started)
            {
                kinds[count] = (kind, checks);
                count += 1;
            }
        }
        (kinds, count)
    }

    /// Whether the rows of a due index must be looked at one by one; `None` if the query wants none of them.
    fn checks(&self, kind: IndexKind, all_started: bool) -> Option<bool> {
        let backstop = matches!(kind, IndexKind::DueLimit | IndexKind::DueLimitWarn);
        let (late, breached) = (self.stages.contains(&Stage::Late), self.stages.contains(&Stage::Breached));
        let past_due_only = self.stages.iter().all(|stage| matches!(stage, Stage::Late | Stage::Breached));
        let by_stage = match (self.stages.is_empty(), past_due_only) {
            // A clock that has yet to be started by another's threshold is not running.
            (true, _) => !all_started,
            // Without a backstop all that are past due are breached.
            (_, true) if !backstop && !breached => return None,
            (_, true) => backstop && !(late && breached),
            _ => true,
        };
        Some(by_stage || self.clock.is_some())
    }
}
