//! Holding a policy against the targets and verdicts that a file of cases recorded.

use std::path::Path;

use serde::Serialize;

use super::mapping::{Compare, Mapping, Verdict};
use super::source::{Next, Row, Rows};
use super::{facts_of, request_of};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Request;
use crate::policy::{Clock, Policy};
use crate::time::{Instant, Span};

/// A recorded target that the policy does not reproduce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deviation {
    /// Line of the file.
    pub row: u64,
    /// The request's id.
    pub id: String,
    /// Its category, if it has one.
    pub category: Option<String>,
    /// When it was received.
    pub received_at: Instant,
    /// What the file says.
    pub recorded: Instant,
    /// What the policy gives; `None` if it has no deadline.
    pub computed: Option<Instant>,
}

/// How well a policy reproduces recorded targets and verdicts. Shares are in hundredths of a percent, rounded down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Rows read.
    pub rows: u64,
    /// Rows that cannot be read.
    pub bad_rows: u64,
    /// Rows with a recorded target.
    pub targets: u64,
    /// Of these, how many the policy gives within the tolerance.
    pub within: u64,
    /// Of these, how many it gives to the second.
    pub exact: u64,
    /// Of these, how many for which it has no deadline.
    pub without_deadline: u64,
    /// The tolerance.
    pub tolerance: Span,
    /// Rows with a target, received at or after the mapping's `exact_from`, whose receipt a receipt rule moves.
    pub moved: u64,
    /// Of these, how many the policy gives to the second.
    pub moved_exact: u64,
    /// Rows without a recorded target for which the policy has a deadline.
    pub unrecorded: u64,
    /// Rows with a recorded verdict that can be judged: closed, without target, or open at a known instant.
    pub verdicts: u64,
    /// Of these, how many `closed <= recorded target` agrees with; a row without target is in time.
    pub verdicts_agree: u64,
    /// Of these, how many the verdict by the policy's own due agrees with.
    pub verdicts_agree_by_policy: u64,
    /// The first deviations, at most as many as asked for.
    pub deviations: Vec<Deviation>,
}

impl Comparison {
    /// Share of the recorded targets within the tolerance; `None` if there are none.
    pub fn within_bp(&self) -> Option<u64> {
        share(self.within, self.targets)
    }

    /// Share of the moved receipts whose target is exact; `None` if there are none.
    pub fn moved_exact_bp(&self) -> Option<u64> {
        share(self.moved_exact, self.moved)
    }

    /// Share of the verdicts that `closed <= recorded target` agrees with; `None` if there are none.
    pub fn verdicts_agree_bp(&self) -> Option<u64> {
        share(self.verdicts_agree, self.verdicts)
    }
}

fn share(part: u64, whole: u64) -> Option<u64> {
    (part * 10_000).checked_div(whole)
}

/// The comparison's columns in the file.
struct Columns<'m> {
    id: usize,
    received: usize,
    facts: Vec<(&'m str, usize)>,
    target: usize,
    closed: usize,
    verdict: Option<(usize, &'m Verdict)>,
}

/// Compares a policy with the targets and verdicts recorded in a file, as the mapping's `[compare]` says where they are.
///
/// Keeps the first `keep` deviations.
///
/// # Errors
/// `InvalidArgument` if the mapping has no `[compare]`, `NotFound` if the policy has no such clock or there is no such
/// file; otherwise as [`import`](super::import()).
pub fn compare_targets(
    mapping: &Mapping,
    path: impl AsRef<Path>,
    policy: &Policy,
    keep: usize,
) -> Result<Comparison> {
    let path = path.as_ref();
    let Some(compare) = &mapping.compare else {
        let message = format!(
            "mapping `{}`: has no [compare], which names the columns of targets and verdicts",
            mapping.name
        );
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    };
    let clock = policy.clock(&compare.clock)?;
    let mut rows = Rows::open(path, mapping)?;
    compared(mapping, compare, &mut rows, clock, keep).map_err(|error| match error.kind() {
        ErrorKind::InvalidMapping => error.context(&mapping.origin),
        _ => error.context(path.display()),
    })
}

fn compared(
    mapping: &Mapping,
    compare: &Compare,
    rows: &mut Rows,
    clock: &Clock,
    keep: usize,
) -> Result<Comparison> {
    let columns = Columns {
        id: rows.column(&mapping.request.id)?,
        received: rows.column(&mapping.request.received)?,
        facts: facts_of(mapping, rows)?,
        target: rows.column(&compare.target)?,
        closed: rows.column(&compare.closed)?,
        verdict: match &compare.verdict {
            Some(verdict) => Some((rows.column(&verdict.column)?, verdict)),
            None => None,
        },
    };
    let mut result = Comparison { tolerance: compare.tolerance, ..Comparison::default() };
    loop {
        let row = match rows.next()? {
            Next::End => return Ok(result),
            Next::Row(row) => row,
            Next::Bad { .. } => {
                result.rows += 1;
                result.bad_rows += 1;
                continue;
            }
        };
        result.rows += 1;
        match Case::read(mapping, &columns, &row) {
            Ok(case) => case.judge(compare, clock, keep, &mut result),
            Err(_) => result.bad_rows += 1,
        }
    }
}

/// One row's facts, dates and verdict.
struct Case {
    row: u64,
    request: Request,
    target: Option<Instant>,
    closed: Option<Instant>,
    /// The recorded verdict, if it is one the mapping knows.
    met: Option<bool>,
}

impl Case {
    fn read(mapping: &Mapping, columns: &Columns<'_>, row: &Row) -> Result<Case> {
        let stamp = &mapping.stamp;
        let date = |column: usize| -> Result<Option<Instant>> {
            let text = row.get(column);
            if stamp.is_missing(text) { Ok(None) } else { Ok(Some(stamp.read(text)?.at)) }
        };
        let received = stamp.read(row.get(columns.received))?.at;
        let met = columns.verdict.and_then(|(column, verdict)| {
            let word = row.get(column);
            let is = |words: &[String]| words.iter().any(|known| known == word);
            if is(&verdict.met) { Some(true) } else { is(&verdict.missed).then_some(false) }
        });
        Ok(Case {
            row: row.line,
            request: request_of(row.get(columns.id), received, row, stamp, None, &columns.facts),
            target: date(columns.target)?,
            closed: date(columns.closed)?,
            met,
        })
    }

    fn judge(self, compare: &Compare, clock: &Clock, keep: usize, result: &mut Comparison) {
        let received = self.request.received_at;
        let rule = clock.rule_for(&self.request.facts()).map(|(_, rule)| rule);
        let computed = rule.and_then(|rule| rule.due(received).ok());
        let as_of = compare.verdict.as_ref().and_then(|verdict| verdict.as_of);
        if let Some(met) = self.met
            && let Some(expected) = verdict(self.closed, self.target, as_of)
        {
            result.verdicts += 1;
            result.verdicts_agree += u64::from(met == expected);
            let ours = verdict(self.closed, self.target.and(computed), as_of);
            result.verdicts_agree_by_policy += u64::from(ours == Some(met));
        }
        let Some(recorded) = self.target else {
            result.unrecorded += u64::from(computed.is_some());
            return;
        };
        result.targets += 1;
        result.without_deadline += u64::from(computed.is_none());
        let off = computed.map(|computed| computed.since(recorded).as_secs().abs());
        let within = off.is_some_and(|off| off <= compare.tolerance.as_secs());
        result.within += u64::from(within);
        result.exact += u64::from(off == Some(0));
        if let (Some(rule), Some(from)) = (rule, compare.exact_from)
            && rule.counted_from(received) != received
            && crate::time::TimeOfDay::from(rule.calendar.local(received).time()) >= from
        {
            result.moved += 1;
            result.moved_exact += u64::from(off == Some(0));
        }
        if !within && result.deviations.len() < keep {
            let category = self.request.category;
            let id = self.request.id;
            result.deviations.push(Deviation {
                row: self.row,
                id,
                category,
                received_at: received,
                recorded,
                computed,
            });
        }
    }
}

/// Whether a case met its target; `None` if it was open and nobody knows until when.
fn verdict(closed: Option<Instant>, target: Option<Instant>, as_of: Option<Instant>) -> Option<bool> {
    match (closed, target) {
        (_, None) => Some(true),
        (Some(closed), Some(target)) => Some(closed <= target),
        (None, Some(target)) => as_of.map(|as_of| as_of <= target),
    }
}
