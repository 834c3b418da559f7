//! The tables that a rule has made of itself so far.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::flow::{END_S, Which};
use super::table::Table;
use super::{ReceiptRule, Target};
use crate::calendar::Calendar;
use crate::lanes::BLOCK;
use crate::policy::Rule;
use crate::time::DAY_S;

/// The last one covers the whole range.
const VERSIONS: usize = 5;
/// Days of the whole range.
const DAYS: u32 = (END_S / DAY_S) as u32;
/// A table covers at least so many days more than were asked for.
const MARGIN_DAYS: u32 = 370;
/// What a day of a table costs to make, and what the table spends on an item without it: nanoseconds, roughly.
const BUILD_NS_PER_DAY: u64 = 500;

/// What a rule remembers of itself so that columns of receipts are fast: tables for the years that were asked for, made
/// when enough was asked. Answers never depend on it.
///
/// A copy begins without any. Tables of a rule whose fields were changed since are not used.
#[derive(Default)]
pub struct Tables {
    due: Versions,
    limit: Versions,
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
    /// Bytes of memory that they hold.
    pub fn size(&self) -> usize {
        self.due.size() + self.limit.size()
    }

    pub(super) fn of(&self, which: Which) -> &Versions {
        match which {
            Which::Due => &self.due,
            Which::Limit => &self.limit,
        }
    }
}

/// Tables of the same rule, each covering more than the one before.
#[derive(Default)]
pub(super) struct Versions {
    kept: [OnceLock<Kept>; VERSIONS],
    /// How many there are.
    count: AtomicUsize,
    /// Items asked for so far, times what each costs without a table.
    spent_ns: AtomicU64,
    building: Mutex<()>,
}

struct Kept {
    made_for: MadeFor,
    table: Table,
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
    fn is(&self, rule: &Rule) -> bool {
        Arc::ptr_eq(&self.calendar, &rule.calendar)
            && self.roll_forward == rule.roll_forward
            && self.target == rule.target
            && self.receipt == rule.receipt
            && self.backstop == rule.backstop
    }
}

impl Versions {
    /// The table that covers most, if there is one.
    #[inline]
    pub(super) fn latest(&self, rule: &Rule) -> Option<&Table> {
        let count = self.count.load(Ordering::Acquire);
        let kept = self.kept.get(count.checked_sub(1)?)?.get()?;
        kept.made_for.is(rule).then_some(&kept.table)
    }

    /// Notes that so many items are asked for which cost so much each without a table.
    pub(super) fn spend(&self, items: usize, ns: u64) {
        self.spent_ns.fetch_add((items as u64).saturating_mul(ns), Ordering::Relaxed);
    }

    /// Whether there is a table that covers all of these receipts.
    pub(super) fn covers(&self, rule: &Rule, receipts: &[i64; BLOCK]) -> bool {
        let Some((first, end)) = days_of(receipts) else { return false };
        self.latest(rule).is_some_and(|table| table.first_day <= first && end <= table.end_day())
    }

    /// Makes a table that covers these receipts too, if they are instants and enough was asked for; whether it did.
    pub(super) fn grow(&self, rule: &Rule, which: Which, receipts: &[i64; BLOCK]) -> bool {
        days_of(receipts).is_some_and(|(first, end)| self.cover(rule, which, first, end, false))
    }

    /// Makes a table for receipts on the days from `first` up to, not including, `end`, if there is none; whether it did.
    /// Unless it `must`, only where the table pays.
    pub(super) fn cover(&self, rule: &Rule, which: Which, first: u32, end: u32, must: bool) -> bool {
        let spent = self.spent_ns.load(Ordering::Relaxed);
        let pays = |days: u32| must || spent >= u64::from(days) * BUILD_NS_PER_DAY;
        if !pays(end.saturating_sub(first)) {
            return false;
        }
        let _building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let count = self.count.load(Ordering::Acquire);
        let (mut from, mut until) =
            (first.saturating_sub(MARGIN_DAYS), end.saturating_add(MARGIN_DAYS).min(DAYS));
        if count > 0 {
            let Some(table) = self.latest(rule) else { return false };
            if table.first_day <= first && table.end_day() >= end {
                // Another thread has made it meanwhile.
                return true;
            }
            // Each table covers half as much again, so that there are few of them.
            let more = (table.end_day() - table.first_day) / 2;
            if first < table.first_day {
                from = from.min(table.first_day.saturating_sub(more));
            }
            if end > table.end_day() {
                until = until.max(table.end_day() + more).min(DAYS);
            }
            (from, until) = (from.min(table.first_day), until.max(table.end_day()));
        }
        if count + 1 == VERSIONS {
            (from, until) = (0, DAYS);
        }
        if !pays(until - from) {
            return false;
        }
        let made_for = MadeFor {
            calendar: Arc::clone(&rule.calendar),
            receipt: rule.receipt.clone(),
            target: rule.target.clone(),
            roll_forward: rule.roll_forward,
            backstop: rule.backstop.clone(),
        };
        let kept = Kept { made_for, table: Table::build(rule, which, from, until) };
        let is_new = self.kept.get(count).is_some_and(|place| place.set(kept).is_ok());
        self.count.store(count + usize::from(is_new), Ordering::Release);
        is_new
    }

    fn size(&self) -> usize {
        self.kept.iter().filter_map(OnceLock::get).map(|kept| kept.table.size()).sum()
    }
}

/// The days of these receipts, from the first up to, not including, the last; `None` if one is no instant.
fn days_of(receipts: &[i64; BLOCK]) -> Option<(u32, u32)> {
    let first = receipts.iter().copied().fold(i64::MAX, i64::min);
    let last = receipts.iter().copied().fold(i64::MIN, i64::max);
    (first >= 0 && last < END_S).then_some(((first / DAY_S) as u32, (last / DAY_S) as u32 + 1))
}
