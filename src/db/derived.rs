//! From a derived timeline to what is stored of it: clock rows, thresholds ahead of the feed, notices.

use crate::clock::{Cycle, Phase, Threshold, ThresholdKind, Timeline};
use crate::store::index::rows_of;
use crate::store::log::IndexRow;
use crate::store::notices::NoticeRow;
use crate::store::records::{
    ClockRow, FLAG_ARMED, FLAG_BACKSTOP, FLAG_BEYOND_HOLIDAYS, FLAG_BY_CHANGE, FLAG_LIMIT_BY_CHANGE,
    FLAG_WAIVED, NONE, PhaseCode,
};
use crate::time::Instant;

/// The rows of a request's clocks: the latest cycle of each, and how its cycles ended.
pub(crate) fn clock_rows(request: u32, clocks: u8, timeline: &Timeline) -> Vec<ClockRow> {
    let mut rows = Vec::new();
    put_clock_rows(request, clocks, timeline, &mut rows);
    rows
}

/// The same in the place of what `rows` holds.
pub(crate) fn put_clock_rows(request: u32, clocks: u8, timeline: &Timeline, rows: &mut Vec<ClockRow>) {
    rows.clear();
    rows.extend((0..clocks).map(|clock| ClockRow::unstarted(request, clock)));
    for cycle in &timeline.cycles {
        if let Some(row) = rows.get_mut(cycle.clock) {
            let (met, missed) = (row.met, row.missed);
            *row = clock_row(request, cycle);
            row.met = row.met.saturating_add(met);
            row.missed = row.missed.saturating_add(missed);
        }
    }
}

/// The index rows that go and come when the clocks from slot `first` on change from `old` to `new`.
pub(crate) fn index_moves(
    first: u32,
    old: &[ClockRow],
    new: &[ClockRow],
    removed: &mut Vec<IndexRow>,
    added: &mut Vec<IndexRow>,
) {
    for (at, (clock, slot)) in new.iter().zip(first..).enumerate() {
        let Some(before) = old.get(at) else {
            added.extend(rows_of(slot, clock));
            continue;
        };
        if before != clock {
            removed.extend(rows_of(slot, before).filter(|row| !rows_of(slot, clock).any(|new| new == *row)));
            added.extend(rows_of(slot, clock).filter(|row| !rows_of(slot, before).any(|old| old == *row)));
        }
    }
}

fn raw(instant: Option<Instant>) -> u32 {
    instant.map_or(NONE, Instant::raw)
}

/// A threshold has passed iff its key < now. The change of the very first second has no key before it.
fn key_of(threshold: &Threshold) -> u32 {
    u32::try_from(threshold.key()).unwrap_or(0)
}

/// The key of the first warning, which the index of warnings holds.
fn first_warning(cycle: &Cycle) -> u32 {
    let is_warning = |threshold: &Threshold| matches!(threshold.kind, ThresholdKind::Warning(_));
    cycle.thresholds().find(is_warning).map_or(NONE, |threshold| key_of(&threshold))
}

fn clock_row(request: u32, cycle: &Cycle) -> ClockRow {
    let (phase, at, remaining, reason) = match cycle.phase {
        Phase::Running => (PhaseCode::Running, None, 0, 0),
        Phase::Paused { since, remaining } => (PhaseCode::Paused, Some(since), remaining.as_secs(), 0),
        Phase::NoDeadline(reason) => (PhaseCode::NoDeadline, None, 0, reason as u8),
        Phase::Met { at } => (PhaseCode::Met, Some(at), 0, 0),
        Phase::Missed { at } => (PhaseCode::Missed, Some(at), 0, 0),
        Phase::Cancelled { at } => (PhaseCode::Cancelled, Some(at), 0, 0),
        Phase::Finished { at, reason } => (PhaseCode::Finished, Some(at), 0, reason as u8),
    };
    let flag = |holds: bool, flag: u8| if holds { flag } else { 0 };
    let is_ahead = cycle.armed && !cycle.armed_by_change;
    ClockRow {
        request,
        clock: cycle.clock as u8,
        phase,
        flags: flag(is_ahead, FLAG_ARMED)
            | flag(cycle.beyond_known_holidays, FLAG_BEYOND_HOLIDAYS)
            | flag(cycle.late_by_change.is_some(), FLAG_BY_CHANGE)
            | flag(cycle.limit_by_change.is_some(), FLAG_LIMIT_BY_CHANGE)
            | flag(cycle.backstop, FLAG_BACKSTOP)
            | flag(cycle.waived_at.is_some(), FLAG_WAIVED),
        reason,
        cycle: cycle.stored_number(),
        rule: cycle.rule.map_or(u16::MAX, |rule| rule as u16),
        started_at: cycle.started_at.raw(),
        due: raw(cycle.due_at),
        limit: raw(cycle.limit_at),
        warn: first_warning(cycle),
        at: raw(at),
        remaining: u32::try_from(remaining).unwrap_or(0),
        met: u16::from(phase == PhaseCode::Met),
        missed: u16::from(phase == PhaseCode::Missed),
    }
}

/// What makes a notice one and the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoticeKey {
    at: Instant,
    cycle: u16,
    clock: u8,
    kind: ThresholdKind,
    by_change: bool,
}

impl NoticeKey {
    pub(crate) fn row(self, request: u32, retracted: bool) -> NoticeRow {
        NoticeRow {
            request,
            at: self.at.raw(),
            cycle: self.cycle,
            clock: self.clock,
            kind: self.kind,
            by_change: self.by_change,
            retracted,
        }
    }
}

/// The notice for the due instant of a running clock, or for its limit, told from its row; `None` if a change of facts put
/// one of them into the past, which the row does not tell the instant of.
pub(crate) fn notice_of(clock: &ClockRow, limit: bool) -> Option<NoticeRow> {
    if clock.flags & (FLAG_BY_CHANGE | FLAG_LIMIT_BY_CHANGE) != 0 {
        return None;
    }
    let two_tiers = clock.flags & FLAG_BACKSTOP != 0;
    Some(NoticeRow {
        request: clock.request,
        at: if limit { clock.limit } else { clock.due },
        cycle: clock.cycle,
        clock: clock.clock,
        kind: if two_tiers && !limit { ThresholdKind::Late } else { ThresholdKind::Breached },
        by_change: false,
        retracted: false,
    })
}

/// The notices for thresholds that passed from `from` on and before `until`.
pub(crate) fn notices_until(timeline: &Timeline, from: u32, until: u32) -> Vec<NoticeKey> {
    if from >= until {
        return Vec::new();
    }
    let thresholds = timeline.cycles.iter().flat_map(|cycle| cycle.thresholds().map(move |it| (cycle, it)));
    thresholds
        .filter(|(_, threshold)| (from..until).contains(&key_of(threshold)))
        .map(|(cycle, threshold)| NoticeKey {
            at: threshold.at,
            cycle: cycle.stored_number(),
            clock: cycle.clock as u8,
            kind: threshold.kind,
            by_change: threshold.by_change,
        })
        .collect()
}

/// The keys of thresholds that the feed has yet to pass and that no index of running clocks holds: those of finished
/// cycles, those by change, all warnings but the first, and waivers.
pub(crate) fn pending_keys(timeline: &Timeline, advanced_to: u32) -> Vec<u32> {
    let mut keys = Vec::new();
    for cycle in timeline.cycles.iter().filter(|cycle| !is_all_indexed(timeline, cycle)) {
        let indexed = if cycle.phase == Phase::Running && is_latest(timeline, cycle) {
            [raw(cycle.due_at), raw(cycle.limit_at), first_warning(cycle)]
        } else {
            [NONE; 3]
        };
        for threshold in cycle.thresholds() {
            let key = key_of(&threshold);
            let told = indexed.contains(&key) && threshold.kind != ThresholdKind::Waived;
            if key >= advanced_to && !told && !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys
}

/// Whether the indexes of running clocks tell all that a cycle crosses: most cycles, so it is asked first.
fn is_all_indexed(timeline: &Timeline, cycle: &Cycle) -> bool {
    cycle.phase == Phase::Running
        && cycle.warnings.len() <= 1
        && cycle.late_by_change.is_none()
        && cycle.limit_by_change.is_none()
        && cycle.waived_at.is_none()
        && is_latest(timeline, cycle)
}

fn is_latest(timeline: &Timeline, cycle: &Cycle) -> bool {
    !timeline.cycles.iter().any(|other| other.clock == cycle.clock && other.number > cycle.number)
}
