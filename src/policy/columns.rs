//! Due instants of many requests of one clock: columns of receipts, and which rule each request matches.

use std::sync::Arc;

use super::{Clock, Rule};
use crate::error::{Error, ErrorKind, Result};
use crate::lanes::BLOCK;
use crate::model::Facts;
use crate::target::{NO_DEADLINE, Target, Together};
use crate::time::Instant;

/// In a column of rule numbers: no rule matches.
pub const NO_RULE: u32 = u32::MAX;

/// Items that are sorted by rule together; they stay in the nearest caches.
const CHUNK: usize = 4_096;

impl Clock {
    /// The number in [`Clock::rules`] of the rule that matches, [`NO_RULE`] if none does. For
    /// [`due_many_by_rule`](Clock::due_many_by_rule): requests with equal facts match the same rule.
    pub fn rule_index_for(&self, facts: &Facts) -> u32 {
        // A clock has at most 1,000 rules.
        self.rule_for(facts).map_or(NO_RULE, |(index, _)| index as u32)
    }

    /// The due instants of many receipts of requests with the same facts, in seconds since 1970-01-01T00:00:00Z.
    ///
    /// `out` has as many entries as `received` and gets the due instants in the same order, [`NO_DEADLINE`] where
    /// there is none, no rule matches or the receipt is no instant. The same answers as [`due`](Clock::due), one by one.
    ///
    /// # Errors
    /// `InvalidArgument` if the lengths differ; then nothing is written. `OutOfRange` naming the first receipt that is no
    /// instant (before 1970, from 2100 on); then all of `out` is written all the same.
    pub fn due_many(&self, received: &[i64], facts: &Facts, out: &mut [i64]) -> Result<()> {
        match self.rule_for(facts) {
            Some((_, rule)) => rule.due_many(received, out),
            None => {
                same_lengths(received.len(), received.len(), out.len())?;
                out.fill(NO_DEADLINE);
                all_instants(received)
            }
        }
    }

    /// The due instants of many receipts, each of a request that matches a rule of its own.
    ///
    /// `rules` has the number in [`Clock::rules`] of each request's rule, as
    /// [`rule_index_for`](Clock::rule_index_for) gives it. `out` is as for [`due_many`](Clock::due_many).
    ///
    /// # Errors
    /// `InvalidArgument` if the lengths differ or a number is that of no rule; then nothing is written. `OutOfRange` as
    /// for [`due_many`](Clock::due_many).
    pub fn due_many_by_rule(&self, received: &[i64], rules: &[u32], out: &mut [i64]) -> Result<()> {
        same_lengths(received.len(), rules.len(), out.len())?;
        let count = self.rules.len() as u32;
        let is_wrong = |rule: &u32| *rule >= count && *rule != NO_RULE;
        // All of them first, without a jump for each.
        let is_any_wrong = rules.iter().fold(false, |found, rule| found | is_wrong(rule));
        if let Some(index) = is_any_wrong.then(|| rules.iter().position(is_wrong)).flatten() {
            let message = format!(
                "item {index}: rule {}: clock `{}` has {count} rules, and {NO_RULE} stands for none",
                rules[index], self.name
            );
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let mut sorter = Sorter::new(self.rules.len());
        let mut together = Together::of(&self.rules, received.len());
        let mut is_good = true;
        let mut begin = 0;
        while begin < received.len() {
            let (receipt_blocks, rule_blocks) =
                (received[begin..].as_chunks().0, rules[begin..].as_chunks().0);
            begin += together.due(receipt_blocks, rule_blocks, out[begin..].as_chunks_mut().0) * BLOCK;
            let end = received.len().min(begin + CHUNK);
            let (received, rules, out) = (&received[begin..end], &rules[begin..end], &mut out[begin..end]);
            is_good &= match self.spans_of(rules, &mut sorter.spans) {
                _ if out.is_empty() => true,
                // One loop for all rules, since they differ in nothing but how much time they add.
                Some(rule) => rule.calendar.add_working_time_many(received, &sorter.spans, out).is_ok(),
                None => sorter.due(&self.rules, received, rules, out),
            };
            begin = end;
        }
        if is_good { Ok(()) } else { all_instants(received) }
    }

    /// The working time that each item's rule adds, if all of them only do that, in one calendar; and one of the rules.
    fn spans_of(&self, rules: &[u32], spans: &mut Vec<i64>) -> Option<&Rule> {
        let first = self.rules.first()?;
        spans.clear();
        for rule in rules {
            let rule = self.rules.get(*rule as usize)?;
            let Some(Target::Working(span)) = rule.plain_target() else { return None };
            if !Arc::ptr_eq(&rule.calendar, &first.calendar) {
                return None;
            }
            spans.push(span.as_secs().max(0));
        }
        Some(first)
    }
}

/// Brings items of the same rule together, since each rule has tables of its own.
struct Sorter {
    spans: Vec<i64>,
    /// By rule, and one for none: where its items begin.
    begins: Vec<u32>,
    places: Vec<u16>,
    received: Vec<i64>,
    due: Vec<i64>,
}

impl Sorter {
    fn new(rules: usize) -> Sorter {
        Sorter {
            spans: Vec::with_capacity(CHUNK),
            begins: vec![0; rules + 2],
            places: vec![0; CHUNK],
            received: vec![0; CHUNK],
            due: vec![0; CHUNK],
        }
    }

    /// The due instants of a chunk; false if a receipt is no instant.
    fn due(&mut self, all: &[Rule], received: &[i64], rules: &[u32], out: &mut [i64]) -> bool {
        let class = |rule: u32| (rule as usize).min(all.len());
        self.begins.fill(0);
        for rule in rules {
            self.begins[class(*rule) + 1] += 1;
        }
        for class in 0..all.len() {
            self.begins[class + 1] += self.begins[class];
        }
        let mut next = self.begins.clone();
        for (item, (receipt, rule)) in received.iter().zip(rules).enumerate() {
            let next = &mut next[class(*rule)];
            self.places[*next as usize] = item as u16;
            self.received[*next as usize] = *receipt;
            *next += 1;
        }
        let mut is_good = true;
        for (class, rule) in all.iter().enumerate() {
            let of_rule = self.begins[class] as usize..self.begins[class + 1] as usize;
            if !of_rule.is_empty() {
                is_good &= rule.due_many(&self.received[of_rule.clone()], &mut self.due[of_rule]).is_ok();
            }
        }
        let without = self.begins[all.len()] as usize..received.len();
        self.due[without.clone()].fill(NO_DEADLINE);
        is_good &= all_instants(&self.received[without]).is_ok();
        for (place, due) in self.places.iter().zip(&self.due).take(received.len()) {
            out[usize::from(*place)] = *due;
        }
        is_good
    }
}

fn same_lengths(received: usize, rules: usize, room: usize) -> Result<()> {
    if received == rules && received == room {
        return Ok(());
    }
    let message = format!("{received} receipts, {rules} rules and room for {room} instants: must be as many");
    Err(Error::new(ErrorKind::InvalidArgument, message))
}

/// The error that names the first receipt that is no instant.
fn all_instants(received: &[i64]) -> Result<()> {
    received.iter().enumerate().try_for_each(|(index, receipt)| match Instant::from_secs(*receipt) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.context(format_args!("receipt {index}"))),
    })
}
