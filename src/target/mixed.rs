//! Columns of receipts that follow rules of their own, looked up together.

use super::Target;
use super::batch::{COUNTED_NS, LOOKED_UP_NS};
use super::flow::Which;
use super::plain::Several;
use super::rows::{MixedColumn, OfRule, Rows};
use super::table::Table;
use crate::lanes::{self, BLOCK};
use crate::policy::Rule;

/// With more rules than this, items of the same rule are better brought together.
const MAX_RULES: usize = 256;

/// The rules of a column, looked up together.
pub(crate) struct Together<'a> {
    rules: &'a [Rule],
    /// Of their tables.
    copy: Option<Several>,
}

impl<'a> Together<'a> {
    /// For so many items, which mostly follow all of the rules.
    pub(crate) fn of(rules: &'a [Rule], items: usize) -> Together<'a> {
        for rule in rules.iter().filter(|_| rules.len() <= MAX_RULES) {
            let is_added = matches!(rule.plain_target(), Some(Target::Working(_) | Target::Elapsed(_)));
            let cost_ns = if is_added { LOOKED_UP_NS } else { COUNTED_NS };
            rule.tables.of(Which::Due).spend(items.div_ceil(rules.len()), cost_ns);
        }
        Together { rules, copy: None }
    }

    /// The due instants of blocks of receipts, each by the rule of its number, as far as tables on one grid know them. Gives
    /// how many blocks were done: in the next one something is not known, or a receipt is no instant, or a number no rule.
    pub(crate) fn due(
        &mut self,
        received: &[[i64; BLOCK]],
        numbers: &[[u32; BLOCK]],
        out: &mut [[i64; BLOCK]],
    ) -> usize {
        if self.rules.len() > MAX_RULES || received.is_empty() {
            return 0;
        }
        let mut done = 0;
        loop {
            if let Some(tables) = on_one_grid(self.rules) {
                let (received, rules, out) = (&received[done..], &numbers[done..], &mut out[done..]);
                let known_days = tables.iter().map(|(table, _)| table.known_days()).sum();
                self.copy = Several::renewed(self.copy.take(), known_days, received.len(), &tables);
                let (grid, copy) = (tables[0].1, self.copy.as_mut());
                let tables: &[OfRule<'_>] =
                    &tables.iter().map(|(table, rows)| (table.days(), rows.entries())).collect::<Vec<_>>();
                done += lanes::run(MixedColumn { grid, tables, copy, known_days, received, rules, out });
                if self.copy.as_ref().is_some_and(|copy| copy.is_old(known_days)) {
                    continue;
                }
            }
            if done == received.len() || !learn(self.rules, &received[done], &numbers[done]) {
                return done;
            }
        }
    }
}

/// The tables of all rules, if all have one and the same grid.
fn on_one_grid(rules: &[Rule]) -> Option<Vec<(&Table, &Rows)>> {
    let grid = rules.first()?.due_table()?.rows()?;
    let tables = rules.iter().map(|rule| {
        let table = rule.due_table()?;
        let rows = table.rows().filter(|rows| rows.unit_s() == grid.unit_s())?;
        Some((table, rows))
    });
    tables.collect()
}

/// Makes known what is not known of a block; whether there was anything.
fn learn(rules: &[Rule], received: &[i64; BLOCK], numbers: &[u32; BLOCK]) -> bool {
    let mut has_learned = false;
    for (number, rule) in (0_u32..).zip(rules) {
        let own = received.iter().zip(numbers).filter(|(_, of)| **of == number).map(|(at, _)| *at);
        has_learned |= rule.tables.of(Which::Due).learn_days(rule, Which::Due, own);
    }
    has_learned
}
