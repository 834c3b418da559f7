//! The mirror: what long lists tell of sealed clocks and requests, in memory by slot.
//!
//! A list of many clocks comes in the order of due, so looking each of them up in its sealed value reads the file in
//! no order at all. Twenty bytes a clock and, for lists that name requests, the external ids are gathered once instead, in
//! the order of the file, when the lists that were asked for are long enough, or many enough, to pay for it. Sealed values do not change
//! while their epoch lasts; requests that were touched since are looked up as ever.

use std::sync::atomic::Ordering;

use super::codec;
use super::index::{key_of, slot_of};
use super::records::{ClockRow, NONE, PhaseCode, row_at};
use super::snapshot::{CLOCKS_PER_BLOCK, RECORDS_PER_BLOCK, Snapshot, packed_record};
use super::tables::Table;
use crate::error::{Error, ErrorKind, Result};

/// Lists that in all told this part of the sealed clocks pay for the mirror: to look that many up, one by one, has taken as long.
const PAYS_FROM: u64 = 32;
/// Ids are copied by so many bytes, which most of them fit.
const STRIDE: usize = 16;
/// Room for ids beyond the usual, so that a list does not grow by copying for the last of them.
const AT_LEAST: usize = 4_096;

/// A sealed clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MirroredClock {
    /// Slot of its request.
    pub(crate) request: u32,
    started_at: u32,
    limit: u32,
    warn: u32,
    cycle: u16,
    flags: u8,
    /// Which clock of which edition, as a position in `Mirror::kinds`; `NOT_RUNNING` if it does not run.
    kind: u8,
}

const NOT_RUNNING: u8 = u8::MAX;

/// Sealed clocks by slot.
#[derive(Debug)]
pub(crate) struct Mirror {
    clocks: Vec<MirroredClock>,
    /// Policy edition and index of the clock in it.
    kinds: Vec<(u32, u8)>,
}

impl Mirror {
    /// Whether lists of so many rows in all have paid, or now pay, for the mirror of so many clocks.
    pub(super) fn pays(rows: u64, clocks: u32) -> bool {
        rows > 0 && rows.saturating_mul(PAYS_FROM) >= u64::from(clocks)
    }

    /// Gathers what is sealed; `None` if it takes more than `most` bytes, or has more kinds of clock than are told
    /// apart.
    pub(super) fn of(snapshot: &Snapshot<'_>, most: usize) -> Result<Option<Mirror>> {
        let count = snapshot.head().sealed_clocks as usize;
        if count.saturating_mul(size_of::<MirroredClock>()) > most {
            return Ok(None);
        }
        let (mut clocks, mut kinds) = (Vec::with_capacity(count), Vec::new());
        let mut fits = true;
        snapshot.each_sealed_clock(|clock| {
            let runs = clock.phase == PhaseCode::Running && clock.due != NONE && clock.started_at != NONE;
            let kind = if runs { kind_of(snapshot, clock, &mut kinds)? } else { NOT_RUNNING };
            fits &= !runs || kind != NOT_RUNNING;
            clocks.push(MirroredClock {
                request: clock.request,
                started_at: clock.started_at,
                limit: clock.limit,
                warn: clock.warn,
                cycle: clock.cycle,
                flags: clock.flags,
                kind,
            });
            Ok(())
        })?;
        Ok(fits.then_some(Mirror { clocks, kinds }))
    }

    /// The sealed clock at `slot`; one that does not run if there is none.
    #[inline]
    pub(crate) fn clock(&self, slot: u32) -> MirroredClock {
        self.clocks.get(slot as usize).copied().unwrap_or(MirroredClock::NONE)
    }

    /// Policy edition and index of each kind of clock there is.
    pub(crate) fn kinds(&self) -> &[(u32, u8)] {
        &self.kinds
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        self.clocks.capacity() * size_of::<MirroredClock>()
    }
}

/// The position of a clock's kind, added if it is not there yet.
fn kind_of(snapshot: &Snapshot<'_>, clock: &ClockRow, kinds: &mut Vec<(u32, u8)>) -> Result<u8> {
    let edition =
        if snapshot.head().policy == 1 { 1 } else { snapshot.sealed_request_row(clock.request)?.policy };
    let kind = (edition, clock.clock);
    let at = kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
        kinds.push(kind);
        kinds.len() - 1
    });
    Ok(u8::try_from(at).unwrap_or(NOT_RUNNING))
}

impl MirroredClock {
    /// Stands for what is not sealed.
    const NONE: MirroredClock = MirroredClock {
        request: 0,
        started_at: NONE,
        limit: NONE,
        warn: NONE,
        cycle: 0,
        flags: 0,
        kind: NOT_RUNNING,
    };

    /// Whether it is sealed and runs.
    #[inline]
    pub(super) fn runs(&self) -> bool {
        self.kind != NOT_RUNNING
    }

    /// Which kind of clock it is, as a position in [`Mirror::kinds`].
    #[inline]
    pub(crate) fn kind(&self) -> u8 {
        self.kind
    }

    /// What lists tell of it, as a row; `due` is in the index, `clock` is the index in the policy.
    #[inline]
    pub(crate) fn row(&self, due: u32, clock: u8) -> ClockRow {
        ClockRow {
            phase: PhaseCode::Running,
            flags: self.flags,
            cycle: self.cycle,
            started_at: self.started_at,
            due,
            limit: self.limit,
            warn: self.warn,
            ..ClockRow::unstarted(self.request, clock)
        }
    }
}

/// Where an id lies: begin and end.
pub(crate) type Place = (u32, u32);
/// As much of an id as is copied at once, and what follows it.
pub(crate) type Stride = [u8; STRIDE];

/// External ids of sealed requests by slot.
#[derive(Debug)]
pub(crate) struct MirroredIds {
    /// Where the id of each request begins in `text`; one more than there are requests.
    begins: Vec<u32>,
    /// The ids one after the other, and a stride more.
    text: String,
}

impl MirroredIds {
    /// Gathers the ids of what is sealed; `None` if that takes more than `most` bytes.
    pub(super) fn of(snapshot: &Snapshot<'_>, most: usize) -> Result<Option<MirroredIds>> {
        let requests = snapshot.head().sealed_requests as usize;
        let fixed = (requests + 1).saturating_mul(size_of::<u32>());
        let Some(room) = most.min(u32::MAX as usize).checked_sub(fixed + STRIDE) else { return Ok(None) };
        let mut begins = Vec::with_capacity(requests + 1);
        let mut text = String::with_capacity(room.min(requests * STRIDE) + STRIDE);
        begins.push(0);
        let fits = snapshot.each_sealed_id(|id| {
            text.push_str(id);
            begins.push(text.len() as u32);
            text.len() <= room
        })?;
        text.extend(["\0"; STRIDE]);
        Ok(fits.then_some(MirroredIds { begins, text }))
    }

    /// Where the id of a sealed request lies; nowhere if there is none.
    #[inline]
    pub(crate) fn place(&self, request: u32) -> Place {
        match self.begins.get(request as usize..).and_then(<[u32]>::first_chunk) {
            Some([begin, end]) => (*begin, *end),
            None => (0, 0),
        }
    }

    /// What lies there.
    #[inline]
    pub(crate) fn stride(&self, (begin, _): Place) -> Stride {
        self.text.as_bytes()[begin as usize..].first_chunk().copied().unwrap_or_default()
    }

    /// Bytes that the ids of so many rows usually take.
    pub(crate) fn usual_bytes(&self, rows: usize) -> usize {
        let requests = self.begins.len().saturating_sub(1).max(1);
        rows.saturating_mul(self.text.len().div_ceil(requests) + 1) + AT_LEAST
    }

    /// Appends the ids that lie at these places, of which the strides are at hand, and where each ends.
    pub(crate) fn append(
        &self,
        places: &[Place],
        strides: &[Stride],
        out: &mut Vec<u8>,
        ends: &mut Vec<i64>,
    ) {
        let mut at = out.len();
        let bytes: usize = places.iter().map(|(begin, end)| (end - begin) as usize).sum();
        out.resize(at + bytes + STRIDE, 0);
        ends.extend(places.iter().zip(strides).map(|(&(begin, end), stride)| {
            let length = (end - begin) as usize;
            if length <= STRIDE {
                // A copy of fixed length is a store; one of the id's own length is a call.
                out[at..at + STRIDE].copy_from_slice(stride);
            } else {
                out[at..at + length].copy_from_slice(&self.text.as_bytes()[begin as usize..end as usize]);
            }
            at += length;
            at as i64
        }));
        out.truncate(at);
    }
}

impl Snapshot<'_> {
    /// Hands over every sealed clock's row, by slot.
    pub(super) fn each_sealed_clock(&self, mut visit: impl FnMut(&ClockRow) -> Result<()>) -> Result<()> {
        let clocks = self.head().sealed_clocks;
        self.each_sealed(Table::Clocks, 1, clocks.div_ceil(CLOCKS_PER_BLOCK), |number, block| {
            for place in 0..CLOCKS_PER_BLOCK.min(clocks - number * CLOCKS_PER_BLOCK) {
                visit(&ClockRow::read(row_at(block, place as usize)?)?)?;
            }
            Ok(true)
        })?;
        Ok(())
    }

    /// Hands over every sealed request's external id, by slot, until `visit` returns false. Returns whether it never did.
    pub(super) fn each_sealed_id(&self, mut visit: impl FnMut(&str) -> bool) -> Result<bool> {
        let requests = self.head().sealed_requests;
        let blocks = requests.div_ceil(RECORDS_PER_BLOCK);
        self.each_sealed(Table::Records, RECORDS_PER_BLOCK, blocks, |number, block| {
            for place in 0..RECORDS_PER_BLOCK.min(requests - number * RECORDS_PER_BLOCK) {
                if !visit(codec::first_text(packed_record(block, u64::from(place))?)?) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// Hands over the first `blocks` values of a table whose keys are so far apart, until `visit` returns false. Returns
    /// whether it never did. Goes through the file once, past all that is kept of it.
    fn each_sealed(
        &self,
        table: Table,
        apart: u32,
        blocks: u32,
        mut visit: impl FnMut(u32, &[u8]) -> Result<bool>,
    ) -> Result<bool> {
        let Some(last) = blocks.checked_sub(1) else { return Ok(true) };
        let (mut expected, mut goes_on) = (0, true);
        self.reader()?.visit(table, 0..=u64::from(last) * u64::from(apart), |key, block| {
            if key != u64::from(expected) * u64::from(apart) {
                return Err(Error::new(ErrorKind::Damaged, "a value before it is missing"));
            }
            goes_on = visit(expected, block)?;
            expected += 1;
            Ok(goes_on)
        })?;
        if goes_on && expected != blocks {
            let text = format!("table {}: {expected} of {blocks} values are there", table.name());
            return Err(Error::new(ErrorKind::Damaged, text));
        }
        Ok(goes_on)
    }

    /// Sealed clocks, in memory by slot, if lists have paid for it, with one of `rows` rows now, and they are not too large.
    pub(crate) fn mirror(&self, rows: u64) -> Result<Option<&Mirror>> {
        if let Some(known) = self.view.mirror.get() {
            return Ok(known.as_ref());
        }
        let told = self.view.told.fetch_add(rows, Ordering::Relaxed).saturating_add(rows);
        if !Mirror::pays(told, self.head().sealed_clocks) {
            return Ok(None);
        }
        let gathered = Mirror::of(self, self.file.mirror_bytes())?;
        Ok(self.view.mirror.get_or_init(|| gathered).as_ref())
    }

    /// External ids of sealed requests, in memory by slot, if they are not too large beside the mirror of the clocks.
    pub(crate) fn mirrored_ids(&self, clocks: &Mirror) -> Result<Option<&MirroredIds>> {
        if let Some(known) = self.view.mirrored_ids.get() {
            return Ok(known.as_ref());
        }
        let most = self.file.mirror_bytes().saturating_sub(clocks.size());
        let gathered = MirroredIds::of(self, most)?;
        Ok(self.view.mirrored_ids.get_or_init(|| gathered).as_ref())
    }

    /// Whether all these clocks of the mirror are sure to run, as they were sealed.
    pub(crate) fn are_as_sealed(&self, clocks: &[MirroredClock]) -> bool {
        let untouched = self.view.is_untouched();
        clocks.iter().all(|clock| clock.runs() && (untouched || !self.view.is_touched(clock.request)))
    }

    /// What lists tell of the clock of a row of a due index: its stage, its cycle and its instants.
    pub(crate) fn listed_clock(&self, row: u64) -> Result<ClockRow> {
        if let Some(Some(mirror)) = self.view.mirror.get() {
            let clock = mirror.clock(slot_of(row));
            if let Some((_, index)) = mirror.kinds.get(usize::from(clock.kind))
                && self.are_as_sealed(&[clock])
            {
                return Ok(clock.row(key_of(row), *index));
            }
        }
        self.clock_row(slot_of(row))
    }

    /// The external id of a sealed request, if it is in memory.
    pub(super) fn mirrored_id(&self, slot: u32) -> Option<&str> {
        let ids = self.view.mirrored_ids.get()?.as_ref()?;
        let (begin, end) = ids.place(slot);
        ids.text.get(begin as usize..end as usize).filter(|id| !id.is_empty())
    }
}
