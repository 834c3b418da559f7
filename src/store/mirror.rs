//! The mirror: what long lists tell of sealed clocks and requests, in memory by slot.
//!
//! A list of many clocks comes in the order of due, so looking each of them up in its sealed value reads the file in
//! no order at all. Twenty bytes a clock and, for lists that name requests, the external ids are gathered once instead, in
//! the order of the file, when a list is first asked for that is long enough to pay for it. Sealed values do not change
//! while their epoch lasts; requests that were touched since are looked up as ever.

use super::records::{ClockRow, NONE, PhaseCode};
use super::snapshot::Snapshot;
use crate::error::Result;

/// A list of at least this part of all sealed clocks pays for the mirror.
const PAYS_FROM: u64 = 8;
/// Ids are copied by so many bytes, which most of them fit.
const STRIDE: usize = 16;

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
    /// Whether a list of so many rows pays for the mirror of so many clocks.
    pub(crate) fn pays(rows: u64, clocks: u32) -> bool {
        rows > 0 && rows.saturating_mul(PAYS_FROM) >= u64::from(clocks)
    }

    /// Gathers what is sealed; `None` if it takes more than `most` bytes, or has more kinds of clock than are told
    /// apart.
    pub(super) fn of(snapshot: &Snapshot<'_>, most: usize) -> Result<Option<Mirror>> {
        let clocks = snapshot.head().sealed_clocks as usize;
        if clocks.saturating_mul(size_of::<MirroredClock>()) > most {
            return Ok(None);
        }
        let mut mirror = Mirror { clocks: Vec::with_capacity(clocks), kinds: Vec::new() };
        let mut fits = true;
        snapshot.each_sealed_clock(|clock| {
            let runs = clock.phase == PhaseCode::Running && clock.due != NONE && clock.started_at != NONE;
            let kind = match runs {
                true => mirror.kind_of(snapshot, clock)?,
                false => NOT_RUNNING,
            };
            fits &= !runs || kind != NOT_RUNNING;
            mirror.clocks.push(MirroredClock {
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
        Ok(fits.then_some(mirror))
    }

    fn kind_of(&mut self, snapshot: &Snapshot<'_>, clock: &ClockRow) -> Result<u8> {
        let edition =
            if snapshot.head().policy == 1 { 1 } else { snapshot.sealed_request_row(clock.request)?.policy };
        let kind = (edition, clock.clock);
        let at = self.kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
            self.kinds.push(kind);
            self.kinds.len() - 1
        });
        Ok(u8::try_from(at).unwrap_or(NOT_RUNNING))
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
    pub(crate) fn kind(&self) -> usize {
        usize::from(self.kind)
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

/// External ids of sealed requests by slot.
#[derive(Debug)]
pub(crate) struct MirroredIds {
    /// Where the id of each request begins in `text`; one more than there are requests.
    begins: Vec<u32>,
    /// The ids one after the other, and a stride more.
    text: Vec<u8>,
}

impl MirroredIds {
    /// Gathers the ids of what is sealed; `None` if that takes more than `most` bytes.
    pub(super) fn of(snapshot: &Snapshot<'_>, most: usize) -> Result<Option<MirroredIds>> {
        let requests = snapshot.head().sealed_requests;
        let fixed = (requests as usize + 1).saturating_mul(size_of::<u32>());
        let Some(room) = most.min(u32::MAX as usize).checked_sub(fixed + STRIDE) else { return Ok(None) };
        let mut begins = Vec::with_capacity(requests as usize + 1);
        let mut text = Vec::with_capacity(room.min(requests as usize * STRIDE) + STRIDE);
        begins.push(0);
        for slot in 0..requests {
            snapshot.with_request_id(slot, |id| text.extend_from_slice(id.as_bytes()))?;
            if text.len() > room {
                return Ok(None);
            }
            begins.push(text.len() as u32);
        }
        text.extend_from_slice(&[0; STRIDE]);
        Ok(Some(MirroredIds { begins, text }))
    }

    /// Where the id of a sealed request lies; nowhere if there is none.
    #[inline]
    pub(crate) fn place(&self, request: u32) -> (u32, u32) {
        match self.begins.get(request as usize..).and_then(<[u32]>::first_chunk) {
            Some([begin, end]) => (*begin, *end),
            None => (0, 0),
        }
    }

    /// As much of the id that lies there as is copied at once, and what follows it.
    #[inline]
    pub(crate) fn stride(&self, (begin, _): (u32, u32)) -> [u8; STRIDE] {
        self.text[begin as usize..].first_chunk().copied().unwrap_or_default()
    }

    /// Appends the id that lies there, of which the stride is at hand.
    #[inline]
    pub(crate) fn append(&self, (begin, end): (u32, u32), stride: &[u8; STRIDE], out: &mut Vec<u8>) {
        let length = (end - begin) as usize;
        if length <= STRIDE {
            // A copy of fixed length is a store; one of the id's own length is a call.
            let end = out.len() + length;
            out.extend_from_slice(stride);
            out.truncate(end);
        } else {
            out.extend_from_slice(&self.text[begin as usize..end as usize]);
        }
    }
}
