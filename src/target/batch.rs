//! Many due instants at once, column in, column out.

use super::flow::{END_S, Which};
use super::plain::One;
use super::rows::Column;
use super::table::Table;
use super::{Due, NoDeadline, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::lanes::{self, BLOCK, Loop};
use crate::policy::Rule;
use crate::time::Instant;

/// What a column of due instants holds where there is no deadline.
pub const NO_DEADLINE: i64 = i64::MIN;

/// What an item costs without a table: a count through the calendar, or two look-ups, alone or in a column. Nanoseconds,
/// roughly.
pub(super) const COUNTED_NS: u64 = 200;
pub(super) const ADDED_NS: u64 = 40;
pub(super) const LOOKED_UP_NS: u64 = 4;
/// So many blocks go without a table once one has to.
const UNTABLED_BLOCKS: usize = 16;

impl Rule {
    /// The due instants of many receipts, in seconds since 1970-01-01T00:00:00Z.
    ///
    /// `out` has as many entries as `received` and gets the due instants in the same order, [`NO_DEADLINE`] where
    /// there is none or the receipt is no instant. The same answers as [`due`](Rule::due), one by one.
    /// Where enough is asked, the rule keeps what it found out about the days that were asked for (at
    /// most about 100 KiB), which [`due`](Rule::due) uses too; see [`prepare`](Rule::prepare).
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
    /// call on. Takes about a quarter of a millisecond for each year and kind of instant.
    pub fn prepare(&self, first: Instant, last: Instant) {
        let day = |at: Instant| (at.as_secs() / crate::time::DAY_S) as u32;
        let (first, end) = (day(first), day(last) + 1);
        for which in [Which::Due, Which::Limit] {
            if first < end && (which == Which::Due || self.backstop.is_some()) {
                self.tables.of(which).learn(self, which, first, end, true);
            }
        }
    }

    /// The target if its due instant is no more than time added to the receipt.
    pub(crate) fn plain_target(&self) -> Option<&Target> {
        (self.receipt.is_empty() && !self.roll_forward).then_some(&self.target)
    }

    /// The table of due instants, if there is one.
    pub(super) fn due_table(&self) -> Option<&Table> {
        self.tables.of(Which::Due).table(self)
    }

    /// One instant, from a table if it is known.
    #[inline(always)]
    pub(super) fn tabled(&self, which: Which, received: Instant) -> Option<Instant> {
        let table = self.tables.of(which).table(self)?;
        table.look_up(received.raw()).and_then(Instant::from_raw)
    }

    /// One instant that has no place on the grid of a table, as long as it is known all the same; else makes its day known
    /// if enough of them cost so much without a table.
    pub(super) fn searched(&self, which: Which, received: Instant, cost_ns: u64) -> Option<Instant> {
        let tables = self.tables.of(which);
        let day = received.raw() / crate::time::DAY_S as u32;
        match tables.table(self).filter(|table| table.is_known(day)) {
            Some(table) => table.search(received.raw()).and_then(Instant::from_raw),
            None => {
                tables.spend(1, cost_ns);
                tables.learn(self, which, day, day + 1, false);
                None
            }
        }
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
            (Which::Due, Some(Target::Working(_))) => {
                tables.spend(received.len(), LOOKED_UP_NS);
                self.by_table(received, out);
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

    fn by_table(&mut self, received: &[i64], out: &mut [i64]) {
        let tables = self.rule.tables.of(self.which);
        let (blocks, rest) = received.as_chunks::<BLOCK>();
        let (out_blocks, out_rest) = out.as_chunks_mut::<BLOCK>();
        let mut copy: Option<One> = None;
        let mut done = 0;
        while done < blocks.len() {
            let table = tables.table(self.rule);
            if let Some((table, rows)) = table.and_then(|table| Some((table, table.rows()?))) {
                let (received, out) = (&blocks[done..], &mut out_blocks[done..]);
                copy = One::renewed(copy, table.known_days(), received.len(), &[(table, rows)]);
                done += lanes::run(Column { table, rows, copy: copy.as_mut(), received, out });
                if done == blocks.len() {
                    break;
                }
                if copy.as_ref().is_some_and(|copy| copy.is_old(table.known_days())) {
                    continue;
                }
            }
            // Of the next block something is not known.
            if tables.learn_days(self.rule, self.which, blocks[done].iter().copied()) {
                continue;
            }
            let end = blocks.len().min(done + UNTABLED_BLOCKS);
            let (received, out) =
                (blocks[done..end].as_flattened(), out_blocks[done..end].as_flattened_mut());
            self.untabled(done * BLOCK, received, out);
            done = end;
        }
        self.untabled(done * BLOCK, rest, out_rest);
    }

    /// Receipts of which at least one has no place in the table.
    fn untabled(&mut self, first: usize, received: &[i64], out: &mut [i64]) {
        if let (Which::Due, Some(Target::Working(span))) = (self.which, self.rule.plain_target()) {
            if let Err(index) = self.rule.calendar.add_to_column(received, *span, out) {
                self.first_bad = self.first_bad.or(Some(first + index));
            }
            return;
        }
        let table = self.rule.tables.of(self.which).table(self.rule);
        for (index, (received, out)) in received.iter().zip(out).enumerate() {
            let Some(receipt) = Instant::checked(*received) else {
                self.first_bad = self.first_bad.or(Some(first + index));
                *out = NO_DEADLINE;
                continue;
            };
            let known =
                table.and_then(|table| table.look_up(receipt.raw()).or_else(|| table.search(receipt.raw())));
            *out = match known {
                Some(due) => i64::from(due),
                None => self.counted(receipt).map_or(NO_DEADLINE, Instant::as_secs),
            };
        }
    }

    fn counted(&self, received: Instant) -> Due {
        match self.which {
            Which::Due => self.rule.count_due(received),
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
    fn run<const GATHERS: bool>(self) -> bool {
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
