//! The feed: one durable notice for each threshold that a clock crosses, exactly once, whatever the scan interval.
//!
//! Advancing the feed to `now` turns every threshold that passed since the last advance into a notice, in one
//! transaction. Notices are numbered without gaps. Each consumer has a durable cursor: it reads what follows, and
//! acknowledges what it has dealt with. A crash between reading and acknowledging hands out the same notices again,
//! under the same numbers; so do two processes that read as the same consumer at the same time.
//!
//! A late event that makes a notice untrue is followed by the same notice marked `retracted`; none is ever deleted.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::derived::{notice_of, notices_until};
use super::periods::Missed;
use super::{Db, Reminder, reminders};
use crate::attainment::PeriodRange;
use crate::clock::ThresholdKind;
use crate::error::{Error, ErrorKind, Result};
use crate::store::bytes::Input;
use crate::store::index::{IndexKind, key_of, row, slot_of};
use crate::store::log::LogEntry;
use crate::store::notices::{self, NO_REQUEST, NoticeRow};
use crate::store::records::{ClockRow, NONE};
use crate::store::reminders as stored_reminders;
use crate::store::snapshot::Snapshot;
use crate::store::tables::Table;
use crate::store::{Commit, codec};
use crate::time::Instant;

/// Most notices handed out at once.
pub const MAX_NOTICES: usize = 10_000;

/// Longest name of a consumer, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// One crossing of a threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its number: 1, 2, 3, … without gaps, in the order in which they became known.
    pub number: u64,
    /// External id of the request.
    pub request: String,
    /// The clock's name.
    pub clock: String,
    /// Number of the clock's cycle.
    pub cycle: u32,
    /// What was crossed.
    pub threshold: ThresholdKind,
    /// The instant it is about: when the warning, due or limit instant was, or when the change was made that put it
    /// into the past. Not the instant of the scan.
    pub at: Instant,
    /// A change of facts, not the passing of time, put it into the past.
    pub by_change: bool,
    /// The same notice was given before and turned out not to be true.
    pub retracted: bool,
    /// What a notice of the kinds `Review` and `Reading` reminds of. Such a notice is about no request: `request` and
    /// `clock` are empty, `cycle` is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub reminder: Option<Reminder>,
    /// The period that a notice of the kinds `BudgetExhausted` and `PeriodBreached` is about. Such a notice is about no
    /// request: `request` is empty, `cycle` is 0, and `clock` is the one that promises the share.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub period: Option<PeriodRange>,
}

/// A consumer of notices.
#[derive(Debug)]
pub struct Feed<'a> {
    db: &'a Db,
    name: String,
}

impl Db {
    /// The feed as the consumer `name` sees it. A new name begins with the first notice.
    ///
    /// # Errors
    /// `InvalidArgument` for a name that is empty or over 255 bytes.
    pub fn feed(&self, name: &str) -> Result<Feed<'_>> {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("consumer name of {} bytes: must be 1 to {MAX_NAME_BYTES}", name.len()),
            ));
        }
        Ok(Feed { db: self, name: name.to_owned() })
    }

    /// Advances the feed to `now`: every threshold that passed since the last advance becomes a notice. Returns how
    /// many. A `now` at or before the last advance changes nothing.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn advance(&self, now: Instant) -> Result<u64> {
        let count = self.store.write(|snapshot| {
            let mut head = *snapshot.head();
            let (from, until) = (head.advanced_to, now.raw());
            if until <= from {
                return Ok((0, None));
            }
            let mut rows: Vec<NoticeRow> = Vec::new();
            let (derived, lates) = told_by_rows(snapshot, from, until, &mut rows)?;
            let mut missed = Missed::default();
            for slot in derived {
                let life = self.facts_of(snapshot, slot)?;
                let timeline = life.timeline();
                rows.extend(
                    notices_until(&timeline, from, until).into_iter().map(|key| key.row(slot, false)),
                );
                missed.add(slot, &life.policy, &timeline);
            }
            let (values, shares) = self.advance_periods(snapshot, from, until, lates, &missed)?;
            rows.extend(shares);
            let since = Instant::from_raw(from).unwrap_or(Instant::MIN);
            let asked = stored_reminders::read(snapshot.reader()?, head.policy, since)?;
            rows.extend(reminders::notices(&asked, from, until));
            rows.sort_by_key(|notice| {
                (notice.at, !notice.is_about_request(), notice.request, notice.clock, notice.cycle)
            });
            head.advanced_to = until;
            head.unfolded = head.unfolded.saturating_add(1);
            let entry = LogEntry::new(head);
            Ok((rows.len() as u64, Some(Commit { entry, notices: rows, values, dropped: vec![] })))
        })?;
        self.store.fold_if_due()?;
        Ok(count)
    }
}

impl Feed<'_> {
    /// Advances the feed to `now` and returns the notices that this consumer has not acknowledged, at most 10,000.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn advance(&self, now: Instant) -> Result<Vec<Notice>> {
        self.db.advance(now)?;
        self.pending(MAX_NOTICES)
    }

    /// The notices that this consumer has not acknowledged, by number, at most `limit`.
    ///
    /// # Errors
    /// `OutOfRange` for a limit of 0 or more than 10,000; the errors of the file.
    pub fn pending(&self, limit: usize) -> Result<Vec<Notice>> {
        if !(1..=MAX_NOTICES).contains(&limit) {
            return Err(Error::new(
                ErrorKind::OutOfRange,
                format!("{limit} notices: must be 1 to {MAX_NOTICES}"),
            ));
        }
        self.db.store.read(|snapshot| {
            let cursor = find_consumer(snapshot, &self.name)?.cursor;
            let rows = notices::read_after(snapshot.reader()?, cursor, snapshot.head().notices, limit)?;
            rows.into_iter().map(|(number, row)| self.notice(snapshot, number, &row)).collect()
        })
    }

    /// The number of the last notice that this consumer acknowledged, 0 if none.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn acknowledged(&self) -> Result<u64> {
        self.db.store.read(|snapshot| Ok(find_consumer(snapshot, &self.name)?.cursor))
    }

    /// Acknowledges all notices up to `number`, durably. A number acknowledged before changes nothing.
    ///
    /// # Errors
    /// `OutOfRange` if there is no such notice yet; the errors of the file.
    pub fn acknowledge(&self, number: u64) -> Result<()> {
        self.db.store.write(|snapshot| {
            let mut head = *snapshot.head();
            if number > head.notices {
                return Err(Error::new(
                    ErrorKind::OutOfRange,
                    format!("notice {number}: the last notice is number {}", head.notices),
                ));
            }
            let consumer = find_consumer(snapshot, &self.name)?;
            if number <= consumer.cursor {
                return Ok(((), None));
            }
            let mut payload = number.to_le_bytes().to_vec();
            codec::append(&mut payload, &self.name)?;
            head.unfolded = head.unfolded.saturating_add(1);
            let entry = LogEntry::new(head);
            let values = vec![(Table::Consumers, consumer.key, payload)];
            Ok(((), Some(Commit { entry, notices: vec![], values, dropped: vec![] })))
        })
    }

    fn notice(&self, snapshot: &Snapshot<'_>, number: u64, row: &NoticeRow) -> Result<Notice> {
        if row.request == NO_REQUEST {
            let reminder = self.db.reminder_of(snapshot, row)?;
            return Ok(Notice {
                number,
                request: String::new(),
                clock: String::new(),
                cycle: 0,
                threshold: row.kind,
                at: reminder.due_at,
                by_change: false,
                retracted: row.retracted,
                reminder: Some(reminder),
                period: None,
            });
        }
        if !row.is_about_request() {
            let (clock, period) = self.db.period_of_notice(snapshot, row)?;
            return Ok(Notice {
                number,
                request: String::new(),
                clock,
                cycle: 0,
                threshold: row.kind,
                at: instant_of(number, row)?,
                by_change: row.by_change,
                retracted: row.retracted,
                reminder: None,
                period: Some(period),
            });
        }
        let request = snapshot.request_row(row.request)?;
        let edition = self.db.edition(snapshot, request.policy)?;
        let at = instant_of(number, row)?;
        Ok(Notice {
            number,
            request: snapshot.request_id(row.request)?,
            clock: edition.clock_name(row.clock)?.to_owned(),
            cycle: u32::from(row.cycle),
            threshold: row.kind,
            at,
            by_change: row.by_change,
            retracted: row.retracted,
            reminder: None,
            period: None,
        })
    }
}

fn instant_of(number: u64, row: &NoticeRow) -> Result<Instant> {
    let wrong = || Error::new(ErrorKind::Damaged, format!("notice {number}: an impossible instant"));
    Instant::from_raw(row.at).ok_or_else(wrong)
}

struct Consumer {
    key: u64,
    cursor: u64,
}

/// The consumer of this name, or the place where it will be kept.
fn find_consumer(snapshot: &Snapshot<'_>, name: &str) -> Result<Consumer> {
    let mut found = Consumer { key: 0, cursor: 0 };
    snapshot.reader()?.visit(Table::Consumers, 0..=u64::MAX, |key, payload| {
        let mut input = Input::new(payload);
        let cursor = input.u64()?;
        let is_it = input.value::<String>()? == name;
        found = if is_it { Consumer { key, cursor } } else { Consumer { key: key + 1, cursor: 0 } };
        Ok(!is_it)
    })?;
    Ok(found)
}

/// Adds the notices for thresholds in [from, until) that the clocks' rows tell, and returns the requests that must be
/// derived to know theirs: those with warnings, changes or finished cycles there. Of these no notice is added. Last come the
/// slots of the running clocks that become late there.
fn told_by_rows(
    snapshot: &Snapshot<'_>,
    from: u32,
    until: u32,
    rows: &mut Vec<NoticeRow>,
) -> Result<(BTreeSet<u32>, Vec<u32>)> {
    let rows_in = |kind: IndexKind| -> Result<Vec<u64>> {
        let mut found = Vec::new();
        let load = |block: u64| snapshot.load_block(kind, block);
        snapshot.index(kind).visit_slices(row(from, 0)..row(until, 0), &load, &mut |rows| {
            found.extend_from_slice(rows);
            Ok(true)
        })?;
        Ok(found)
    };
    let slots_in = |kind: IndexKind| Ok::<_, Error>(rows_in(kind)?.into_iter().map(slot_of));
    let mut derived: BTreeSet<u32> = slots_in(IndexKind::Pending)?.collect();
    snapshot.each_clock(slots_in(IndexKind::Warn)?, |_, clock| {
        derived.insert(clock.request);
        Ok(())
    })?;
    // Due comes before limit, so that notices of the same second keep that order.
    let mut lates = Vec::new();
    for kind in IndexKind::DUE.into_iter().chain([IndexKind::Limit]) {
        let (passed, limit) = (rows_in(kind)?, kind == IndexKind::Limit);
        if !limit {
            lates.extend(passed.iter().map(|row| slot_of(*row)));
        }
        each_passed(snapshot, limit, passed, |clock| match notice_of(clock, limit) {
            Some(notice) => rows.push(notice),
            None => drop(derived.insert(clock.request)),
        })?;
    }
    if !derived.is_empty() {
        rows.retain(|notice| !derived.contains(&notice.request));
    }
    Ok((derived, lates))
}

/// Hands over the clocks of index rows whose due instant, or limit, has passed, as their notices tell of them: from the
/// mirror if there is one, or if so many of them pay for it.
fn each_passed(
    snapshot: &Snapshot<'_>,
    limit: bool,
    mut rows: Vec<u64>,
    mut visit: impl FnMut(&ClockRow),
) -> Result<()> {
    if let Some(mirror) = snapshot.mirror(rows.len() as u64)? {
        rows.retain(|row| {
            let clock = mirror.clock(slot_of(*row));
            let known = mirror.kinds().get(usize::from(clock.kind()));
            let known = known.filter(|_| snapshot.are_as_sealed(&[clock]));
            if let Some((_, index)) = known {
                // A row of limits tells the limit; notices of limits do not tell the due instant.
                visit(&clock.row(if limit { NONE } else { key_of(*row) }, *index));
            }
            known.is_none()
        });
    }
    snapshot.each_clock(rows.into_iter().map(slot_of), |_, clock| {
        visit(clock);
        Ok(())
    })
}
