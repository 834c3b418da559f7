//! Putting requests and their events together again, a window of slots at a time.
//!
//! A request's text lies in a record block or in the log; its events lie in sealed groups, each pointing at the one
//! before it, and in the log, where each change says how many events the request had after it. So every event can be
//! given its place in the order of arrival, and what is found twice is known to be the same.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::rc::Rc;

use super::Wreck;
use super::values::{Rank, Value};
use crate::model::{Event, Request};
use crate::store::bytes::Input;
use crate::store::records::{NO_EVENTS, RequestRow, row_at};
use crate::store::snapshot::{REQUESTS_PER_BLOCK, packed_record};
use crate::store::tables::Table;
use crate::store::{codec, log};

/// Slots in the buckets by which windows are cut.
const BUCKET_SLOTS: u32 = 4_096;
/// Most slots, and most groups of events, in a window.
const WINDOW_SLOTS: u32 = 64 * BUCKET_SLOTS;
const WINDOW_GROUPS: u64 = 1 << 20;
/// Entries of the log that a window holds before it passes by those of earlier commits.
const WINDOW_LOGGED: usize = 1 << 20;
/// Most losses that are named.
const KEPT_LOSSES: usize = 1_000;
/// Memory for values that were read lately.
const KEPT_BYTES: usize = 32 << 20;

/// A request as it was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its slot in the damaged file.
    pub(crate) slot: u32,
    /// What was submitted; `None` if only events of it can be read.
    pub(crate) request: Option<Request>,
    /// What the row says of when it was received, if the row can be read.
    pub(crate) received_at: Option<u32>,
    /// The edition of the policy it is pinned to, if that can be read.
    pub(crate) edition: Option<u32>,
    /// Its events in arrival order.
    pub(crate) events: Vec<Event>,
    /// How many events it had, if that can be read.
    pub(crate) expected: Option<u32>,
    /// How much of it lies on pages that are not proven to be of the latest commit: the request, and events.
    pub(crate) unproven: u64,
}

/// A value that should be there and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    /// The table and key.
    pub(crate) place: String,
    /// What of it is missing.
    pub(crate) text: String,
}

/// What could not be read.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// How many values.
    pub(crate) count: u64,
    /// The first of them.
    pub(crate) first: Vec<Loss>,
}

/// Hands over requests by rising slot.
pub(crate) struct Gatherer<'a> {
    wreck: &'a Wreck,
    windows: VecDeque<Range<u32>>,
    kept: Kept,
    /// First slot and number of records of each record block that can be read.
    records: Vec<(u32, u32, Value)>,
    /// Log values that may be used, in order, with whether they are of the tail.
    logs: Vec<Value>,
    losses: Losses,
    /// Groups beyond what a window may hold.
    pub(crate) left_out: u64,
}

/// A sealed group of events.
struct Group {
    slot: u32,
    pointer: u64,
    previous: u64,
    count: u32,
    block: Value,
    at: u32,
}

/// What the log says of a request in one commit.
struct Logged {
    slot: u32,
    value: Value,
    row: RequestRow,
    request: Option<Range<usize>>,
    events: u32,
    place: Range<usize>,
}

impl<'a> Gatherer<'a> {
    /// Cuts the work into windows. Reads every block of events once.
    pub(crate) fn new(wreck: &'a Wreck) -> Gatherer<'a> {
        let mut gatherer = Gatherer {
            wreck,
            windows: VecDeque::new(),
            kept: Kept::default(),
            records: Vec::new(),
            logs: Vec::new(),
            losses: Losses::default(),
            left_out: 0,
        };
        gatherer.read_records();
        gatherer.choose_logs();
        gatherer.note_missing_events();
        gatherer.cut_windows();
        gatherer
    }

    /// What could not be read, found out while gathering.
    pub(crate) fn losses(&self) -> &Losses {
        &self.losses
    }

    fn lose(&mut self, place: String, text: impl Into<String>) {
        self.losses.count += 1;
        if self.losses.first.len() < KEPT_LOSSES {
            self.losses.first.push(Loss { place, text: text.into() });
        }
    }

    fn read_records(&mut self) {
        let mut keys: Vec<u64> = self.wreck.values.of(Table::Records).iter().map(|value| value.key).collect();
        keys.dedup();
        let mut next = 0;
        for key in keys {
            let Some(first) = u32::try_from(key).ok().filter(|first| self.is_sealed(*first)) else {
                continue;
            };
            // A block is only ever written anew with more records, so of two that are as sure the longer one is right.
            let candidates = self.wreck.values.at(Table::Records, key);
            let best = candidates.first().map(|value| value.rank);
            let counted = candidates.iter().filter(|value| Some(value.rank) == best).filter_map(|value| {
                let payload = self.wreck.payload(value)?;
                let count = Input::new(&payload).count(4).ok()? as u32;
                Some((*value, count))
            });
            let longest = counted.max_by_key(|(_, count)| *count);
            let Some((value, count)) = longest else {
                self.lose(format!("table records, key {key}"), "no value can be read");
                continue;
            };
            if first > next {
                self.note_missing_records(next, first);
            }
            next = next.max(first.saturating_add(count));
            self.records.push((first, count, value));
        }
        let sealed = self.wreck.head().map_or(0, |head| head.sealed_requests);
        if sealed > next {
            self.note_missing_records(next, sealed);
        }
    }

    /// Whether records of this slot can be of a commit: a transaction that was never committed may have written more.
    fn is_sealed(&self, slot: u32) -> bool {
        !self.wreck.is_head_sure() || self.wreck.head().is_some_and(|head| slot < head.sealed_requests)
    }

    fn note_missing_records(&mut self, from: u32, to: u32) {
        let count = to - from;
        self.lose(
            format!("table records, key {from}"),
            format!("the texts of {count} requests are not in any sound value"),
        );
    }

    /// Of log values with one number the best is used; where none is better, none.
    fn choose_logs(&mut self) {
        let values = self.wreck.values.of(Table::Log);
        let (sure, last, folded) = match &self.wreck.head {
            Some((head, rank)) => (*rank == Rank::Tree, head.seq, head.folded),
            None => (false, u64::MAX, 0),
        };
        let mut keys: Vec<u64> = values.iter().map(|value| value.key).collect();
        keys.dedup();
        // A number past the head's is of a commit that never was, if the head is the latest.
        keys.retain(|key| !sure || *key <= last);
        self.logs = keys.iter().filter_map(|key| self.wreck.values.best(Table::Log, *key)).copied().collect();
        if self.wreck.head.is_some() {
            let there: Vec<u64> = self.logs.iter().map(|value| value.key).collect();
            for seq in (folded + 1..=last).filter(|seq| there.binary_search(seq).is_err()).take(1_000) {
                self.lose(format!("table log, key {seq}"), "what one commit wrote is not in any sound value");
            }
        }
    }

    fn note_missing_events(&mut self) {
        let blocks = self.wreck.head().map_or(0, |head| head.event_blocks);
        let missing: Vec<u32> = (0..blocks)
            .filter(|block| self.wreck.values.best(Table::Events, u64::from(*block)).is_none())
            .take(1_000)
            .collect();
        for block in missing {
            self.lose(
                format!("table events, key {block}"),
                "events of several requests are not in any sound value",
            );
        }
    }

    /// Slots per bucket that anything is known of, and groups of events, make the windows.
    fn cut_windows(&mut self) {
        let mut groups: BTreeMap<u32, u64> = BTreeMap::new();
        for (first, count, _) in &self.records {
            let last = first.saturating_add(count.saturating_sub(1));
            (first / BUCKET_SLOTS..=last / BUCKET_SLOTS)
                .for_each(|bucket| *groups.entry(bucket).or_default() += 0);
        }
        let blocks: Vec<Value> = self.event_blocks().collect();
        for block in blocks {
            self.each_group(&block, |slot, _, _, _, _| *groups.entry(slot / BUCKET_SLOTS).or_default() += 1);
        }
        let logs = self.logs.clone();
        for value in logs {
            self.each_logged(&value, |logged| *groups.entry(logged.slot / BUCKET_SLOTS).or_default() += 0);
        }
        let mut open: Option<(Range<u32>, u64)> = None;
        for (bucket, count) in groups {
            let from = bucket * BUCKET_SLOTS;
            let to = from.saturating_add(BUCKET_SLOTS);
            open = Some(match open.take() {
                Some((window, sum)) if to - window.start <= WINDOW_SLOTS && sum + count <= WINDOW_GROUPS => {
                    (window.start..to, sum + count)
                }
                Some((window, _)) => {
                    self.windows.push_back(window);
                    (from..to, count)
                }
                None => (from..to, count),
            });
        }
        self.windows.extend(open.map(|(window, _)| window));
    }

    fn event_blocks(&self) -> impl Iterator<Item = Value> + use<'a> {
        let wreck = self.wreck;
        let mut keys: Vec<u64> = wreck.values.of(Table::Events).iter().map(|value| value.key).collect();
        keys.dedup();
        let sure = wreck.head().filter(|_| wreck.is_head_sure());
        let end = sure.map_or(u64::from(u32::MAX), |head| u64::from(head.event_blocks));
        keys.retain(|key| *key < end);
        keys.into_iter().filter_map(|key| wreck.values.best(Table::Events, key).copied())
    }

    /// Visits the groups of a block: slot, pointer, the pointer before, count, where the events begin.
    fn each_group(&self, block: &Value, mut visit: impl FnMut(u32, u64, u64, u32, u32)) {
        let Some(payload) = self.wreck.payload(block) else { return };
        let mut at = 0;
        while let Ok(mut input) = Input::from(&payload, at)
            && !input.rest().is_empty()
        {
            let (Ok(slot), Ok(previous), Ok(count)) = (input.u32(), input.u64(), input.count(2)) else {
                return;
            };
            let begins = input.at();
            for _ in 0..count {
                if input.value::<Event>().is_err() {
                    return;
                }
            }
            visit(slot, block.key << 32 | at as u64, previous, count as u32, begins as u32);
            at = input.at();
        }
    }

    fn each_logged(&self, value: &Value, mut visit: impl FnMut(Logged)) {
        let Some(payload) = self.wreck.payload(value) else { return };
        // A value that was sealed is whole; if it does not read all the same, what was read of it counts.
        let _ = log::read(&payload, |change| {
            visit(Logged {
                slot: change.slot,
                value: *value,
                row: change.row,
                request: change.request.map(|request| request.place),
                events: change.events,
                place: change.place,
            });
            Ok(())
        });
    }

    /// The requests of the next window, by slot; `None` at the end.
    pub(crate) fn next_window(&mut self) -> Option<Window> {
        let slots = self.windows.pop_front()?;
        let mut groups = Vec::new();
        let blocks: Vec<Value> = self.event_blocks().collect();
        for block in blocks {
            let mut left_out = 0;
            self.each_group(&block, |slot, pointer, previous, count, at| {
                if slots.contains(&slot) {
                    if (groups.len() as u64) < 2 * WINDOW_GROUPS {
                        groups.push(Group { slot, pointer, previous, count, block, at });
                    } else {
                        left_out += 1;
                    }
                }
            });
            self.left_out += left_out;
        }
        groups.sort_by_key(|group| (group.slot, group.pointer));
        let mut logged = Vec::new();
        // What is of the latest commit first: earlier ones only fill gaps.
        let mut values = self.logs.clone();
        values.sort_by_key(|value| std::cmp::Reverse(value.rank));
        for value in values {
            self.each_logged(&value, |found| {
                let has_room = value.rank > Rank::Page || logged.len() < WINDOW_LOGGED;
                if slots.contains(&found.slot) && has_room {
                    logged.push(found);
                }
            });
        }
        logged.sort_by_key(|found| (found.slot, std::cmp::Reverse(found.value.rank), found.value.key));
        let mut order: Vec<u32> = groups.iter().map(|group| group.slot).collect();
        order.extend(logged.iter().map(|found| found.slot));
        for (first, count, _) in &self.records {
            let end = first.saturating_add(*count).min(slots.end);
            order.extend((*first).max(slots.start)..end);
        }
        order.sort_unstable();
        order.dedup();
        Some(Window { slots: order.into(), groups, logged })
    }

    /// The next request of a window.
    pub(crate) fn next(&mut self, window: &mut Window) -> Option<Found> {
        let slot = window.slots.pop_front()?;
        let of_slot = |from: &dyn Fn(u32) -> usize| from(slot)..from(slot + 1);
        let groups = of_slot(&|slot| window.groups.partition_point(|group| group.slot < slot));
        let logged = of_slot(&|slot| window.logged.partition_point(|found| found.slot < slot));
        let (groups, logged) = (&window.groups[groups], &window.logged[logged]);
        let sealed = self.sealed_row(slot);
        let newest =
            logged.iter().filter(|found| found.value.rank > Rank::Page).max_by_key(|found| found.value.key);
        let row = newest
            .map(|found| found.row)
            .or(sealed.filter(|(_, rank)| *rank > Rank::Page).map(|(row, _)| row));
        let any_row = row.or(sealed.map(|(row, _)| row)).or(logged.last().map(|found| found.row));
        let mut found = Found {
            slot,
            request: None,
            received_at: any_row.map(|row| row.received_at),
            edition: any_row.map(|row| row.policy),
            events: Vec::new(),
            expected: row.map(|row| row.events),
            unproven: 0,
        };
        self.find_request(slot, logged, any_row.as_ref(), &mut found);
        let sealed = sealed.filter(|(_, rank)| *rank > Rank::Page).map(|(row, _)| row);
        self.find_events(groups, logged, sealed.as_ref(), &mut found);
        Some(found)
    }

    fn sealed_row(&mut self, slot: u32) -> Option<(RequestRow, Rank)> {
        let key = u64::from(slot / REQUESTS_PER_BLOCK);
        let value = *self.wreck.values.best(Table::Requests, key)?;
        let block = self.kept.get(self.wreck, &value)?;
        let row = row_at(&block, (slot % REQUESTS_PER_BLOCK) as usize).and_then(RequestRow::read).ok()?;
        // A row of zeros fills the place of one that is not sealed yet.
        (row.clocks > 0 && row.policy > 0).then_some((row, value.rank))
    }

    fn find_request(&mut self, slot: u32, logged: &[Logged], row: Option<&RequestRow>, found: &mut Found) {
        let block = self.records.partition_point(|(first, ..)| *first <= slot).checked_sub(1);
        if let Some((first, count, value)) = block.map(|block| self.records[block])
            && slot - first < count
            && let Some(bytes) = self.kept.get(self.wreck, &value)
        {
            let record =
                packed_record(&bytes, u64::from(slot - first)).and_then(codec::decode_all::<Request>);
            found.unproven += u64::from(value.rank == Rank::Page);
            found.request = record.ok();
        }
        for submitted in logged {
            let (None, Some(place)) = (&found.request, &submitted.request) else { continue };
            let older = submitted.value.rank == Rank::Page;
            // What an earlier commit has in this slot must be what the row speaks of.
            let same = |row: &RequestRow| {
                (row.received_at, row.first_clock) == (submitted.row.received_at, submitted.row.first_clock)
            };
            if older && !row.is_some_and(same) {
                continue;
            }
            let bytes = self.kept.get(self.wreck, &submitted.value);
            let request = bytes.and_then(|bytes| codec::decode_all(bytes.get(place.clone())?).ok());
            found.unproven += u64::from(older && request.is_some());
            found.request = request;
        }
    }

    fn find_events(
        &mut self,
        groups: &[Group],
        logged: &[Logged],
        sealed: Option<&RequestRow>,
        found: &mut Found,
    ) {
        let starts = starts(groups, sealed);
        // By place in the order of arrival; a group whose place is unknown goes right behind the one before it.
        let mut placed: BTreeMap<(u32, u64, u32), Event> = BTreeMap::new();
        let mut behind = 0;
        for (group, start) in groups.iter().zip(&starts) {
            let events = self.decode(&group.block, group.at as usize, group.count);
            found.unproven += if group.block.rank == Rank::Page { events.len() as u64 } else { 0 };
            for (event, index) in events.into_iter().zip(0..) {
                match start {
                    Some(start) => drop(placed.insert((start.saturating_add(index), 0, 0), event)),
                    None => drop(placed.insert((behind, group.pointer.saturating_add(1), index), event)),
                }
            }
            behind = start.map_or(behind, |start| start.saturating_add(group.count.saturating_sub(1)));
        }
        let all_placed = starts.iter().all(Option::is_some);
        for change in logged.iter().filter(|change| all_placed || change.value.rank > Rank::Page) {
            let Some(start) = change.row.events.checked_sub(change.events) else { continue };
            let wanted = (0..change.events).any(|index| !placed.contains_key(&(start + index, 0, 0)));
            if !wanted {
                continue;
            }
            for (event, index) in
                self.decode(&change.value, change.place.start, change.events).into_iter().zip(0..)
            {
                if let std::collections::btree_map::Entry::Vacant(place) = placed.entry((start + index, 0, 0))
                {
                    found.unproven += u64::from(change.value.rank == Rank::Page);
                    place.insert(event);
                }
            }
        }
        found.events = placed.into_values().collect();
    }

    fn decode(&mut self, value: &Value, at: usize, count: u32) -> Vec<Event> {
        let Some(bytes) = self.kept.get(self.wreck, value) else { return Vec::new() };
        let Ok(mut input) = Input::from(&bytes, at) else { return Vec::new() };
        (0..count).map_while(|_| input.value().ok()).collect()
    }
}

/// The number of the first event of each group in the order of arrival, as far as the groups tell.
fn starts(groups: &[Group], sealed: Option<&RequestRow>) -> Vec<Option<u32>> {
    let index: HashMap<u64, usize> = groups.iter().zip(0..).map(|(group, at)| (group.pointer, at)).collect();
    let mut starts = vec![None; groups.len()];
    let forward = |starts: &mut Vec<Option<u32>>| {
        for (at, group) in groups.iter().enumerate() {
            let after = match group.previous {
                NO_EVENTS => Some(0),
                // Only what lies before: a damaged pointer may lead anywhere.
                pointer => index
                    .get(&pointer)
                    .filter(|before| **before < at)
                    .and_then(|before| starts[*before]?.checked_add(groups[*before].count)),
            };
            starts[at] = starts[at].or(after);
        }
    };
    forward(&mut starts);
    if let Some(row) = sealed
        && let Some(newest) = index.get(&row.newest_events)
    {
        starts[*newest] = starts[*newest].or(row.events.checked_sub(groups[*newest].count));
    }
    for at in (0..groups.len()).rev() {
        if let (Some(start), Some(before)) =
            (starts[at], index.get(&groups[at].previous).filter(|before| **before < at))
        {
            starts[*before] = starts[*before].or(start.checked_sub(groups[*before].count));
        }
    }
    forward(&mut starts);
    starts
}

/// The requests of some slots.
pub(crate) struct Window {
    slots: VecDeque<u32>,
    groups: Vec<Group>,
    logged: Vec<Logged>,
}

/// Values that were read lately.
#[derive(Default)]
struct Kept {
    values: HashMap<(u8, u64), Rc<Vec<u8>>>,
    order: VecDeque<(u8, u64)>,
    bytes: usize,
}

impl Kept {
    fn get(&mut self, wreck: &Wreck, value: &Value) -> Option<Rc<Vec<u8>>> {
        let key = (value.table, value.key);
        if let Some(bytes) = self.values.get(&key) {
            return Some(bytes.clone());
        }
        let bytes: Rc<Vec<u8>> = Rc::new(wreck.payload(value)?);
        while self.bytes + bytes.len() > KEPT_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            self.bytes -= self.values.remove(&oldest).map_or(0, |bytes| bytes.len());
        }
        self.bytes += bytes.len();
        self.order.push_back(key);
        self.values.insert(key, bytes.clone());
        Some(bytes)
    }
}
