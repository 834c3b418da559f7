//! Notices as stored: fixed rows, packed by commit, at most 4,600 in a value, keyed by the number of the first.

use super::bytes::Input;
use super::tables::{Reader, Table};
use crate::clock::ThresholdKind;
use crate::error::{Error, ErrorKind, Result};

/// One notice without its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NoticeRow {
    /// Slot of the request; `NO_REQUEST` for reminders; of a promised share the period's first month, 0 for January 1970.
    pub(crate) request: u32,
    /// The instant it is about.
    pub(crate) at: u32,
    /// Number of the clock's cycle; the edition of the policy for reminders and promised shares.
    pub(crate) cycle: u16,
    /// Index of the clock in the request's policy; for reminders 0, or the reader's place in the policy from 1 on.
    pub(crate) clock: u8,
    pub(crate) kind: ThresholdKind,
    pub(crate) by_change: bool,
    pub(crate) retracted: bool,
}

/// Instead of a request's slot, for notices about none.
pub(crate) const NO_REQUEST: u32 = u32::MAX;

impl NoticeRow {
    /// It is about a request, and not about a duty or a promised share.
    pub(crate) fn is_about_request(&self) -> bool {
        use ThresholdKind::{BudgetExhausted, PeriodBreached};
        self.request != NO_REQUEST && !matches!(self.kind, BudgetExhausted | PeriodBreached)
    }
}

const SIZE: usize = 14;

/// Most notices in one value: just under 64 KiB.
pub(crate) const ROWS_PER_VALUE: usize = 4_600;

/// Packs notices that follow one another.
pub(crate) fn write(rows: &[NoticeRow]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(rows.len() * SIZE);
    for row in rows {
        let (kind, level) = match row.kind {
            ThresholdKind::Warning(percent) => (1, percent),
            ThresholdKind::Late => (2, 0),
            ThresholdKind::Breached => (3, 0),
            ThresholdKind::Waived => (4, 0),
            ThresholdKind::Review => (5, 0),
            ThresholdKind::Reading => (6, 0),
            ThresholdKind::BudgetExhausted => (7, 0),
            ThresholdKind::PeriodBreached => (8, 0),
        };
        out.extend_from_slice(&row.request.to_le_bytes());
        out.extend_from_slice(&row.at.to_le_bytes());
        out.extend_from_slice(&row.cycle.to_le_bytes());
        out.extend_from_slice(&[
            row.clock,
            kind,
            level,
            u8::from(row.by_change) | u8::from(row.retracted) << 1,
        ]);
    }
    Ok(out)
}

/// Reads the notices of one value.
#[cfg(feature = "sim")]
pub(crate) fn read(payload: &[u8]) -> Result<Vec<NoticeRow>> {
    if !payload.len().is_multiple_of(SIZE) {
        return Err(Error::new(ErrorKind::Damaged, "half a notice"));
    }
    payload.chunks_exact(SIZE).map(read_row).collect()
}

fn read_row(bytes: &[u8]) -> Result<NoticeRow> {
    let mut input = Input::new(bytes);
    let (request, at, cycle) = (input.u32()?, input.u32()?, input.u16()?);
    let [clock, kind, level, flags] = *input.array()?;
    let kind = match (kind, level) {
        (1, 1..=99) => ThresholdKind::Warning(level),
        (2, 0) => ThresholdKind::Late,
        (3, 0) => ThresholdKind::Breached,
        (4, 0) => ThresholdKind::Waived,
        (5, 0) => ThresholdKind::Review,
        (6, 0) => ThresholdKind::Reading,
        (7, 0) => ThresholdKind::BudgetExhausted,
        (8, 0) => ThresholdKind::PeriodBreached,
        _ => return Err(Error::new(ErrorKind::Damaged, format!("notice of unknown kind {kind}.{level}"))),
    };
    Ok(NoticeRow { request, at, cycle, clock, kind, by_change: flags & 1 != 0, retracted: flags & 2 != 0 })
}

/// Reads at most `limit` notices after number `after`, with their numbers.
pub(crate) fn read_after(
    reader: &Reader,
    after: u64,
    last: u64,
    limit: usize,
) -> Result<Vec<(u64, NoticeRow)>> {
    let mut found = Vec::new();
    if after >= last || limit == 0 {
        return Ok(found);
    }
    let first = reader.with_last_until(Table::Notices, after + 1, |first, _| Ok(first))?;
    let first =
        first.ok_or_else(|| Error::new(ErrorKind::Damaged, format!("notice {} is missing", after + 1)))?;
    let mut expected = first;
    reader.visit(Table::Notices, first..=last, |number, payload| {
        if number != expected || payload.len() % SIZE != 0 {
            return Err(Error::new(ErrorKind::Damaged, format!("notice {expected} is missing")));
        }
        for bytes in payload.chunks_exact(SIZE) {
            if expected > after && found.len() < limit {
                found.push((expected, read_row(bytes)?));
            }
            expected += 1;
        }
        Ok(found.len() < limit)
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_pinned() {
        let row = NoticeRow {
            request: 1,
            at: 2,
            cycle: 3,
            clock: 4,
            kind: ThresholdKind::Warning(75),
            by_change: false,
            retracted: true,
        };
        let bytes = write(&[row]).unwrap();
        assert_eq!(bytes, [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 4, 1, 75, 2]);
        assert_eq!(read_row(&bytes).unwrap(), row);
        assert_eq!(read_row(&[0; SIZE]).unwrap_err().kind(), ErrorKind::Damaged);
    }
}
