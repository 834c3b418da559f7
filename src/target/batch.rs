//! Many due instants at once, column in, column out.

use super::flow::{END_S, Which};
use super::rows::Column;
use super::{Due, NoDeadline, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::lanes::{self, BLOCK, Loop};
use crate::policy::Rule;
use crate::time::Instant;

/// What a column of due instants holds where there is no deadline.
pub const NO_DEADLINE: i64 = i64::MIN;

/// What an item costs without a table: a count through the calendar, or two look-ups. Nanoseconds, roughly.
const COUNTED_NS: u64 = 100;
const LOOKED_UP_NS: u64 = 2;

impl Rule {
    /// The due instants of many receipts, in seconds since 1970-01-01T00:00:00Z.
    ///
    /// `out` has as many entries as `received` and gets the due instants in the same order, [`NO_DEADLINE`] where
    /// there is none or the receipt is no instant. The same answers as [`due`](Rule::due), one by one; receipts in order
    /// of time are fastest. Long columns make a table for the years they cover, which the rule keeps (at most about 100
    /// KiB) and [`due`](Rule::due) uses too; see [`prepare`](Rule::prepare).
    ///
    /// # Errors
    /// `InvalidArgument` if the lengths differ; then nothing is written. `OutOfRange` naming the first receipt that is no
    /// instant (before 1970, from 2100 on); then all of `out` is written all the same.
    pub fn due_many(&self, received: &[i64], out: &mut [i64]) -> Result<()> {
        Many { rule: self, which: Which::Due, first_bad: None }.run(received, out)
    }

    /// The limit instants of many receipts, as [`due_many`](Rule::due_many) gives due instants; [`NO_DEADLINE`]
    /// throughout if the rule has no backstop.
    ///
    /// # Errors
    /// As for [`due_many`](Rule::due_many).
    pub fn limit_many(&self, received: &[i64], out: &mut [i64]) -> Result<()> {
        Many { rule: self, which: Which::Limit, first_bad: None }.run(received, out)
    }

    /// Makes the tables for receipts from `first` to `last` now, so that single instants are found in them from the first
    /// call on. Takes about a fifth of a millisecond for each year and kind of instant.
    pub fn prepare(&self, first: Instant, last: Instant) {
        let day = |at: Instant| (at.as_secs() / crate::time::DAY_S) as u32;
        let (first, end) = (day(first), day(last) + 1);
        for which in [Which::Due, Which::Limit] {
            if first < end && (which == Which::Due || self.backstop.is_some()) {
                let tables = self.tables.of(which);
                let covered = tables
                    .latest(self)
                    .is_some_and(|table| table.first_day <= first && table.end_day() >= end);
                if !covered {
                    tables.cover(self, which, first, end, true);
                }
            }
        }
    }

    /// The target if its due instant is no more than time added to the receipt.
    pub(crate) fn plain_target(&self) -> Option<&Target> {
        (self.receipt.is_empty() && !self.roll_forward).then_some(&self.target)
    }

    /// One instant, from a table if there is one.
    #[inline]
    pub(super) fn tabled(&self, which: Which, received: Instant) -> Option<Instant> {
        let table = self.tables.of(which).latest(self)?;
        table.look_up(received.as_secs()).and_then(Instant::checked)
    }
}

/// One column of one rule.
struct Many<'a> {
    rule: &'a Rule,
    which: Which,
    /// The first receipt that is no instant.
    first_bad: Option<usize>,
}

impl Many<'_> {
    fn run(mut self, received: &[i64], out: &mut [i64]) -> Result<()> {
        if received.len() != out.len() {
            let message = format!(
                "{} receipts and room for {} due instants: must be as many",
                received.len(),
                out.len()
            );
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let tables = self.rule.tables.of(self.which);
        match (self.which, self.rule.plain_target()) {
            (Which::Due, Some(Target::Elapsed(span))) => {
                let span = span.as_secs().clamp(0, END_S);
                if !lanes::run(Elapsed { received, out, span }) {
                    self.first_bad = received.iter().position(|receipt| Instant::checked(*receipt).is_none());
                }
            }
            (Which::Due, Some(Target::Working(span))) => {
                tables.spend(received.len(), LOOKED_UP_NS);
                let is_tabled = received.as_chunks().0.first().is_some_and(|block| self.has_table(block));
                if is_tabled {
                    self.by_table(received, out);
                } else {
                    self.first_bad = self.rule.calendar.add_to_column(received, *span, out).err();
                }
            }
            _ => {
                tables.spend(received.len(), COUNTED_NS);
                self.by_table(received, out);
            }
        }
        match self.first_bad {
            None => Ok(()),
            Some(index) => Instant::from_secs(received[index])
                .map(|_| ())
                .map_err(|error| error.context(format_args!("receipt {index}"))),
        }
    }

    /// Whether a table covers a block by rows, made now if it pays.
    fn has_table(&self, block: &[i64; BLOCK]) -> bool {
        let tables = self.rule.tables.of(self.which);
        if !tables.covers(self.rule, block) {
            tables.grow(self.rule, self.which, block);
        }
        tables.covers(self.rule, block) && tables.latest(self.rule).is_some_and(|table| table.rows.is_some())
    }

    fn by_table(&mut self, received: &[i64], out: &mut [i64]) {
        let tables = self.rule.tables.of(self.which);
        let (blocks, rest) = received.as_chunks::<BLOCK>();
        let (out_blocks, out_rest) = out.as_chunks_mut::<BLOCK>();
        let mut done = 0;
        while done < blocks.len() {
            let table = tables.latest(self.rule);
            if let Some((table, rows)) = table.and_then(|table| Some((table, table.rows.as_ref()?))) {
                let (received, out) = (&blocks[done..], &mut out_blocks[done..]);
                done += lanes::run(Column { table, rows, received, out });
                if done == blocks.len() {
                    break;
                }
            }
            // The next block lies outside the table, or there is none.
            if !tables.covers(self.rule, &blocks[done]) && tables.grow(self.rule, self.which, &blocks[done]) {
                continue;
            }
            self.one_by_one(done * BLOCK, &blocks[done], &mut out_blocks[done]);
            done += 1;
        }
        self.one_by_one(done * BLOCK, rest, out_rest);
    }

    fn one_by_one(&mut self, first: usize, received: &[i64], out: &mut [i64]) {
        let table = self.rule.tables.of(self.which).latest(self.rule);
        for (index, (received, out)) in received.iter().zip(out).enumerate() {
            *out = match table.and_then(|table| table.look_up(*received)) {
                Some(due) => due,
                None => match Instant::checked(*received) {
                    Some(received) => self.counted(received).map_or(NO_DEADLINE, Instant::as_secs),
                    None => {
                        self.first_bad = self.first_bad.or(Some(first + index));
                        NO_DEADLINE
                    }
                },
            };
        }
    }

    fn counted(&self, received: Instant) -> Due {
        match self.which {
            Which::Due => self.rule.due(received),
            Which::Limit => self.rule.count_limit(received).unwrap_or(Err(NoDeadline::NoTarget)),
        }
    }
}

/// Wall-clock time added to a column.
struct Elapsed<'a> {
    received: &'a [i64],
    out: &'a mut [i64],
    span: i64,
}

impl Loop for Elapsed<'_> {
    /// Whether all receipts are instants.
    type Outcome = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let mut is_outside = false;
        for (received, out) in self.received.iter().zip(self.out) {
            is_outside |= *received as u64 >= END_S as u64;
            let due = received.wrapping_add(self.span);
            let is_due = (*received as u64) < END_S as u64 && due < END_S;
            *out = if is_due { due } else { NO_DEADLINE };
        }
        !is_outside
    }
}
