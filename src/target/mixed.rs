//! Columns of receipts that follow rules of their own, looked up together.

use super::Target;
use std::sync::atomic::AtomicU16;

use super::batch::{COUNTED_NS, LOOKED_UP_NS};
use super::flow::Which;
use super::rows::{MixedColumn, Rows};
use super::table::Days;
use crate::lanes::{self, BLOCK};
use crate::policy::Rule;

/// With more rules than this, items of the same rule are better brought together.
const MAX_RULES: usize = 256;

/// The due instants of blocks of receipts, each by the rule of its number, as far as tables on one grid know them. Gives
/// how many blocks were done: in the next one something is not known, or a receipt is no instant, or a number no rule.
pub(crate) fn due_by_tables(
    rules: &[Rule],
    received: &[[i64; BLOCK]],
    numbers: &[[u32; BLOCK]],
    out: &mut [[i64; BLOCK]],
) -> usize {
    if rules.len() > MAX_RULES || received.is_empty() {
        return 0;
    }
    for rule in rules {
        let is_added = matches!(rule.plain_target(), Some(Target::Working(_) | Target::Elapsed(_)));
        let cost_ns = if is_added { LOOKED_UP_NS } else { COUNTED_NS };
        rule.tables.of(Which::Due).spend((received.len() * BLOCK).div_ceil(rules.len()), cost_ns);
    }
    let mut done = 0;
    loop {
        if let Some((grid, tables)) = on_one_grid(rules) {
            let (received, rules) = (&received[done..], &numbers[done..]);
            done += lanes::run(MixedColumn { grid, tables: &tables, received, rules, out: &mut out[done..] });
        }
        if done == received.len() || !learn(rules, &received[done], &numbers[done]) {
            return done;
        }
    }
}

/// A grid, and for each rule its days and its entries.
type OneGrid<'a> = (&'a Rows, Vec<(&'a Days, &'a [AtomicU16])>);

/// Days and entries of all rules, if all have one and the same grid.
fn on_one_grid<'a>(rules: &'a [Rule]) -> Option<OneGrid<'a>> {
    let grid = rules.first()?.due_table()?.rows()?;
    let table = |rule: &'a Rule| {
        let table = rule.due_table()?;
        let rows = table.rows().filter(|rows| rows.unit_s() == grid.unit_s())?;
        Some((table.days(), rows.entries()))
    };
    Some((grid, rules.iter().map(table).collect::<Option<_>>()?))
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
