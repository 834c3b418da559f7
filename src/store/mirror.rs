//! The mirror: what long lists tell of sealed clocks and requests, in memory by slot.
//!
//! A list of many clocks comes in the order of due, so looking each of them up in its sealed value reads the file in
//! no order at all. Twenty bytes a clock and the external ids are gathered once instead, in the order of the file,
//! when a list is first asked for that is long enough to pay for it. Sealed values do not change while their epoch
//! lasts; requests that were touched since are looked up as ever.

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

/// Sealed clocks and external ids by slot.
#[derive(Debug)]
pub(crate) struct Mirror {
    clocks: Vec<MirroredClock>,
    /// Policy edition and index of the clock in it.
    kinds: Vec<(u32, u8)>,
    /// Where the id of each request ends in `ids`.
    id_ends: Vec<u32>,
    /// The ids one after the other, and a stride more.
    ids: Vec<u8>,
}

impl Mirror {
    /// Whether a list of so many rows pays for the mirror of so many clocks.
    pub(crate) fn pays(rows: u64, clocks: u32) -> bool {
        rows > 0 && rows.saturating_mul(PAYS_FROM) >= u64::from(clocks)
    }

    /// Gathers what is sealed; `None` if it takes more than `most` bytes, or has more kinds of clock than are told
    /// apart.
    pub(super) fn of(snapshot: &Snapshot<'_>, most: usize) -> Result<Option<Mirror>> {
        let head = snapshot.head();
        let (requests, clocks) = (head.sealed_requests as usize, head.sealed_clocks as usize);
        let fixed = clocks.saturating_mul(size_of::<MirroredClock>()).saturating_add(requests * 4);
        if fixed > most {
            return Ok(None);
        }
        let mut mirror = Mirror {
            clocks: Vec::with_capacity(clocks),
            kinds: Vec::new(),
            id_ends: Vec::with_capacity(requests),
            ids: Vec::with_capacity(most.saturating_sub(fixed).min(requests.saturating_mul(STRIDE))),
        };
        for slot in 0..head.sealed_requests {
            snapshot.with_request_id(slot, |id| mirror.ids.extend_from_slice(id.as_bytes()))?;
            mirror.id_ends.push(mirror.ids.len() as u32);
            if fixed + mirror.ids.len() + STRIDE > most {
                return Ok(None);
            }
        }
        mirror.ids.extend_from_slice(&[0; STRIDE]);
        for slot in 0..head.sealed_clocks {
            let clock = snapshot.sealed_clock_row(slot)?;
            let runs = clock.phase == PhaseCode::Running && clock.due != NONE && clock.started_at != NONE;
            let kind = match runs {
                true => mirror.kind_of(snapshot, &clock)?,
                false => NOT_RUNNING,
            };
            if runs && kind == NOT_RUNNING {
                return Ok(None);
            }
            mirror.clocks.push(MirroredClock {
                request: clock.request,
                started_at: clock.started_at,
                limit: clock.limit,
                warn: clock.warn,
                cycle: clock.cycle,
                flags: clock.flags,
                kind,
            });
        }
        Ok(Some(mirror))
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

    /// The sealed clock at `slot`, if it runs.
    pub(crate) fn running(&self, slot: u32) -> Option<&MirroredClock> {
        self.clocks.get(slot as usize).filter(|clock| clock.kind != NOT_RUNNING)
    }

    /// Policy edition and index of each kind of clock there is.
    pub(crate) fn kinds(&self) -> &[(u32, u8)] {
        &self.kinds
    }

    /// Appends the external id of a sealed request; false if it is not sealed.
    pub(crate) fn append_id(&self, request: u32, out: &mut Vec<u8>) -> bool {
        let at = request as usize;
        let Some(to) = self.id_ends.get(at) else { return false };
        let from = if at == 0 { 0 } else { self.id_ends[at - 1] as usize };
        let length = *to as usize - from;
        match self.ids[from..].first_chunk::<STRIDE>() {
            // A copy of fixed length is a store; one of the id's own length is a call.
            Some(stride) if length <= STRIDE => {
                let end = out.len() + length;
                out.extend_from_slice(stride);
                out.truncate(end);
            }
            _ => out.extend_from_slice(&self.ids[from..from + length]),
        }
        true
    }
}

impl MirroredClock {
    /// Which kind of clock it is, as a position in [`Mirror::kinds`].
    pub(crate) fn kind(&self) -> usize {
        usize::from(self.kind)
    }

    /// What lists tell of it, as a row; `due` is in the index, `clock` is the index in the policy.
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
