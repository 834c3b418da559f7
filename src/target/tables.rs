//! What a rule has found out about itself so far.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::flow::Which;
use super::table::Table;
use super::{ReceiptRule, Target};
use crate::calendar::Calendar;
use crate::policy::Rule;
use crate::time::DAY_S;

/// UTC days of the whole range.
const DAYS: u32 = 47_482;
/// What a table costs before anything is known, and what each day costs: nanoseconds, roughly.
const TABLE_NS: u64 = 10_000;
const DAY_NS: u64 = 700;

/// What a rule remembers of itself so that it answers at once: tables of the days that were asked for, a day at a time,
/// when enough was asked. Answers never depend on it.
///
/// A copy begins without any. Tables of a rule whose fields were changed since are not used; the rules of a policy, which
/// nobody can change, need not be compared with what their tables were made for, and so answer soonest.
#[derive(Default)]
pub struct Tables {
    /// Whether the rule cannot be changed.
    is_final: bool,
    due: Lazy,
    limit: Lazy,
}

impl Clone for Tables {
    fn clone(&self) -> Tables {
        Tables::default()
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").field("size", &self.size()).finish_non_exhaustive()
    }
}

impl Tables {
    /// For a rule that nobody can change.
    pub(crate) fn of_final_rule() -> Tables {
        Tables { is_final: true, ..Tables::default() }
    }

    /// Bytes of memory that they hold.
    pub fn size(&self) -> usize {
        self.due.size() + self.limit.size()
    }

    #[inline(always)]
    pub(super) fn of(&self, which: Which) -> &Lazy {
        match which {
            Which::Due => &self.due,
            Which::Limit => &self.limit,
        }
    }
}

/// The table of one instant of a rule, made when it pays.
#[derive(Default)]
pub(super) struct Lazy {
    kept: OnceLock<Box<Kept>>,
    /// What was spent on items that no table knew.
    spent_ns: AtomicU64,
}

struct Kept {
    made_for: MadeFor,
    table: Table,
}

impl Lazy {
    /// The table, if there is one.
    #[inline(always)]
    pub(super) fn table(&self, rule: &Rule) -> Option<&Table> {
        let kept = self.kept.get()?;
        (rule.tables.is_final || kept.made_for.is(rule)).then_some(&kept.table)
    }

    /// Notes that so many items are asked for which cost so much each without a table.
    pub(super) fn spend(&self, items: usize, ns: u64) {
        self.spent_ns.fetch_add((items as u64).saturating_mul(ns), Ordering::Relaxed);
    }

    /// Makes days known, from `first` up to, not including, `end`; whether it did, or they were. Unless it `must`, only if
    /// that costs no more than what was spent without.
    pub(super) fn learn(&self, rule: &Rule, which: Which, first: u32, end: u32, must: bool) -> bool {
        // A table follows slaclock's own conventions.
        if rule.calendar.fits_otherwise() {
            return false;
        }
        let known = self.kept.get().map_or(0, |kept| kept.table.known_days());
        let cost_ns = TABLE_NS + (u64::from(known) + u64::from(end - first)) * DAY_NS;
        if !must && cost_ns > self.spent_ns.load(Ordering::Relaxed) {
            return false;
        }
        self.kept.get_or_init(|| Box::new(Kept { made_for: MadeFor::of(rule), table: Table::new() }));
        match self.table(rule) {
            Some(table) => table.learn(rule, which, first, end),
            None => return false,
        }
        true
    }

    /// As [`Lazy::learn`] for the days of receipts that are not known; whether any has become known.
    pub(super) fn learn_days(&self, rule: &Rule, which: Which, receipts: impl Iterator<Item = i64>) -> bool {
        let is_unknown = |day: &u32| self.table(rule).is_none_or(|table| !table.is_known(*day));
        let days = receipts.filter_map(|at| u32::try_from(at.div_euclid(DAY_S)).ok());
        let mut days: Vec<u32> = days.filter(|day| *day < DAYS).filter(is_unknown).collect();
        days.sort_unstable();
        days.dedup();
        // Days in a row at once: they mostly share pieces.
        let mut has_learned = false;
        for row in days.chunk_by(|day, next| day + 1 == *next) {
            let (Some(first), Some(last)) = (row.first(), row.last()) else { continue };
            if !self.learn(rule, which, *first, last + 1, false) {
                break;
            }
            has_learned = true;
        }
        has_learned
    }

    fn size(&self) -> usize {
        self.kept.get().map_or(0, |kept| kept.table.size())
    }
}

/// The fields of a rule that its instants follow from.
struct MadeFor {
    calendar: Arc<Calendar>,
    receipt: Vec<ReceiptRule>,
    target: Target,
    roll_forward: bool,
    backstop: Option<Target>,
}

impl MadeFor {
    fn of(rule: &Rule) -> MadeFor {
        MadeFor {
            calendar: Arc::clone(&rule.calendar),
            receipt: rule.receipt.clone(),
            target: rule.target.clone(),
            roll_forward: rule.roll_forward,
            backstop: rule.backstop.clone(),
        }
    }

    fn is(&self, rule: &Rule) -> bool {
        Arc::ptr_eq(&self.calendar, &rule.calendar)
            && self.roll_forward == rule.roll_forward
            && self.target == rule.target
            && self.receipt == rule.receipt
            && self.backstop == rule.backstop
    }
}
