//! What a transaction writes of requests whose state moved: rows, thresholds ahead, notices made true or untrue.

use super::derived::{NoticeKey, index_moves, notices_until, pending_keys, put_clock_rows};
use super::periods::{Swing, goals};
use crate::attainment::Membership;
use crate::clock::Timeline;
use crate::error::Result;
use crate::model::{Event, Request};
use crate::policy::Policy;
use crate::store::Commit;
use crate::store::head::Head;
use crate::store::index::{IndexKind, row, rows_of};
use crate::store::log::{Change, IndexRow, LogEntry};
use crate::store::notices::NoticeRow;
use crate::store::records::{ClockRow, RequestRow};
use crate::store::tables::Table;
use crate::store::topics::TopicRow;
use crate::time::Instant;

/// A transaction's changes, gathered.
pub(super) struct Moves {
    pub(super) head: Head,
    entry: LogEntry,
    notices: Vec<NoticeRow>,
    /// What it learns about promised shares where the feed has passed.
    pub(super) swings: Vec<Swing>,
    /// What was gathered of the request before, so that the next one needs no memory of its own.
    gathered: Gathered,
}

/// Rows of one request.
#[derive(Default)]
struct Gathered {
    clocks: Vec<ClockRow>,
    removed: Vec<IndexRow>,
    added: Vec<IndexRow>,
}

/// A request before and after.
pub(super) struct Moved<'a> {
    pub(super) slot: u32,
    /// Its row afterwards.
    pub(super) row: RequestRow,
    /// Its clock rows before; none of a new request.
    pub(super) old: &'a [ClockRow],
    /// The slot of the first of those.
    pub(super) old_first: u32,
    /// `None` of a new request.
    pub(super) before: Option<&'a Timeline>,
    pub(super) after: &'a Timeline,
    /// The versions that it was and is pinned to.
    pub(super) policies: [&'a Policy; 2],
    /// Of a new request, what was submitted.
    pub(super) request: Option<&'a Request>,
    /// New events, in arrival order.
    pub(super) events: &'a [&'a Event],
    /// The topics that it came to or left.
    pub(super) topics: &'a [TopicRow],
}

impl Moves {
    pub(super) fn new(head: Head) -> Moves {
        Moves {
            head,
            entry: LogEntry::new(head),
            notices: Vec::new(),
            swings: Vec::new(),
            gathered: Gathered::default(),
        }
    }

    /// Adds notices that are about no request.
    pub(super) fn tell(&mut self, notices: Vec<NoticeRow>) {
        self.notices.extend(notices);
    }

    /// Adds a request.
    pub(super) fn add(&mut self, moved: &Moved<'_>) -> Result<()> {
        let &Moved { slot, row: request_row, old, old_first, before, after, request, events, topics, .. } =
            moved;
        let advanced_to = self.head.advanced_to;
        let mut gathered = std::mem::take(&mut self.gathered);
        let Gathered { clocks, removed, added } = &mut gathered;
        removed.clear();
        added.clear();
        // Where the clocks went to new slots, nobody looks at the old ones any more.
        let (old, left) = if old_first == request_row.first_clock { (old, &[][..]) } else { (&[][..], old) };
        for (clock, slot) in left.iter().zip(old_first..) {
            removed.extend(rows_of(slot, clock));
            let count = &mut self.head.phases[clock.phase as usize];
            *count = count.saturating_sub(1);
        }
        put_clock_rows(slot, request_row.clocks, after, clocks);
        for (index, row) in clocks.iter().enumerate() {
            self.head.move_phase(old.get(index).map(|old| old.phase), row.phase);
        }
        index_moves(request_row.first_clock, old, clocks, removed, added);
        let old_keys = before.map_or_else(Vec::new, |timeline| pending_keys(timeline, advanced_to));
        let new_keys = pending_keys(after, advanced_to);
        let pending = |key: &u32| (IndexKind::Pending, row(*key, slot));
        removed.extend(old_keys.iter().filter(|key| !new_keys.contains(key)).map(pending));
        added.extend(new_keys.iter().filter(|key| !old_keys.contains(key)).map(pending));
        self.join(moved, removed, added);
        self.notice(slot, before, after);
        let mut at = 0;
        clocks.retain(|clock| {
            at += 1;
            old.get(at - 1) != Some(clock)
        });
        let pushed = self.entry.push_change(&Change {
            slot,
            row: request_row,
            request,
            events,
            clocks,
            topics,
            removed,
            added,
        });
        self.gathered = gathered;
        pushed
    }

    /// What the change does to the cohorts of promised shares.
    fn join(&mut self, moved: &Moved<'_>, removed: &mut Vec<IndexRow>, added: &mut Vec<IndexRow>) {
        let [was, is] = moved.policies;
        let place = |first: u32, clock: usize, membership: &Membership| {
            membership.joined.map(|key| (IndexKind::Joined, row(key, first + clock as u32)))
        };
        let membership = |policy: &Policy, timeline: Option<&Timeline>, clock: usize| {
            let promises = policy.clocks().get(clock).is_some_and(|clock| clock.attainment.is_some());
            let cycles = timeline.filter(|_| promises).map(|timeline| timeline.cycles_of(clock));
            cycles.map(Membership::of).unwrap_or_default()
        };
        let new_only = goals(is).filter(|clock| !goals(was).any(|other| other == *clock));
        for clock in goals(was).chain(new_only) {
            let (old, new) = (membership(was, moved.before, clock), membership(is, Some(moved.after), clock));
            let (from, to) = (place(moved.old_first, clock, &old), place(moved.row.first_clock, clock, &new));
            if from != to {
                removed.extend(from);
                added.extend(to);
            }
            let (old, new) = (old.until(self.head.advanced_to), new.until(self.head.advanced_to));
            let received_at = Instant::from_raw(moved.row.received_at);
            if let (true, Some(received_at)) = (old != new, received_at) {
                let policy = if new == Membership::default() { was } else { is };
                self.swings.push(Swing { received_at, policy: policy.clone(), clock, old, new });
            }
        }
    }

    /// Notices that the change makes true or untrue among the thresholds the feed has passed already.
    fn notice(&mut self, slot: u32, before: Option<&Timeline>, after: &Timeline) {
        let advanced_to = self.head.advanced_to;
        let old = before.map_or_else(Vec::new, |timeline| notices_until(timeline, 0, advanced_to));
        let new = notices_until(after, 0, advanced_to);
        let only = |these: &[NoticeKey], those: &[NoticeKey]| -> Vec<NoticeKey> {
            these.iter().filter(|key| !those.contains(key)).copied().collect()
        };
        self.notices.extend(only(&old, &new).into_iter().map(|key| key.row(slot, true)));
        self.notices.extend(only(&new, &old).into_iter().map(|key| key.row(slot, false)));
    }

    /// The transaction, of so many operations.
    pub(super) fn commit(mut self, operations: u32, values: Vec<(Table, u64, Vec<u8>)>) -> Commit {
        self.head.unfolded = self.head.unfolded.saturating_add(operations);
        self.entry.head = self.head;
        // What is taken back comes first, so that who keeps one notice for each threshold ends with what is true.
        self.notices
            .sort_by_key(|notice| (!notice.retracted, notice.at, notice.request, notice.clock, notice.cycle));
        Commit { entry: self.entry, notices: self.notices, values, dropped: vec![] }
    }
}
