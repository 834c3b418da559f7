//! Reminders: policies to be reviewed, and people who have yet to read the version in force. What is due is in the feed,
//! exactly once, and follows from the installed versions and the acknowledgements alone.

use serde::{Deserialize, Serialize};

use super::{Db, Outcome};
use crate::clock::ThresholdKind;
use crate::error::{Error, ErrorKind, Result};
use crate::model::MAX_ID_BYTES;
use crate::policy::Policy;
use crate::policy::care::end_of;
use crate::store::Commit;
use crate::store::log::LogEntry;
use crate::store::notices::{NO_REQUEST, NoticeRow};
use crate::store::reminders::{self, Asked, Done, Schedule};
use crate::store::snapshot::Snapshot;
use crate::store::tables::Table;
use crate::time::Instant;

/// Most acknowledgements of one version.
const MOST_DONE: usize = 100_000;

/// What a policy version asks of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// Somebody reads the agreement again and says whether it still holds: by the end of `review_at`.
    Review,
    /// A reader knows this version: by the end of `read_by`.
    Reading,
}

/// Somebody did a duty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Version of the policy.
    pub version: u32,
    /// What was done.
    pub duty: Duty,
    /// Who did it.
    pub by: String,
    /// When.
    pub at: Instant,
}

/// A duty that nobody has done yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
    /// What is to be done.
    pub duty: Duty,
    /// The policy's name.
    pub policy: String,
    /// Its version.
    pub version: u32,
    /// Who must read it; `None` for a review, which anybody may do.
    pub reader: Option<String>,
    /// Until when it is in time.
    pub due_at: Instant,
    /// That has passed.
    pub overdue: bool,
}

impl Db {
    /// Records that somebody has read or reviewed a version of the policy. The same again changes nothing.
    ///
    /// # Errors
    /// `NotFound` if no such version is installed; `InvalidArgument` for an empty or too long name, or one that is not
    /// among the version's readers; `Conflict` if the person acknowledged it before at another instant; the errors of the
    /// file.
    pub fn acknowledge_policy(&self, done: &Acknowledgement) -> Result<Outcome> {
        if done.by.is_empty() || done.by.len() > MAX_ID_BYTES {
            let message = format!("`by` of {} bytes: must be 1 to {MAX_ID_BYTES}", done.by.len());
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        self.store.write(|snapshot| {
            let mut head = *snapshot.head();
            let editions = (1..=head.policy).rev();
            let mut found = None;
            for number in editions {
                let edition = self.edition(snapshot, number)?;
                if edition.policy.version() == done.version {
                    found = Some(edition);
                    break;
                }
            }
            let edition = found.ok_or_else(|| {
                let message = format!("policy version {}: no such version is installed", done.version);
                Error::new(ErrorKind::NotFound, message)
            })?;
            check_reader(&edition.policy, done)?;
            let before = reminders::read(snapshot.reader()?, head.policy, Instant::MIN)?;
            let mut after = before.clone();
            let Some(asked) = after.iter_mut().find(|asked| asked.edition == edition.number) else {
                return Err(Error::new(ErrorKind::Damaged, "the policy version has no schedule"));
            };
            let record = Done { review: done.duty == Duty::Review, by: done.by.clone(), at: done.at };
            let same = |known: &&Done| known.review == record.review && known.by == record.by;
            match asked.done.iter().find(same) {
                Some(known) if known.at == done.at => return Ok((Outcome::AlreadyRecorded, None)),
                Some(known) => {
                    let message = format!(
                        "acknowledgement of {} by `{}` at {}: was recorded before, at {}",
                        edition.policy.title(),
                        done.by,
                        done.at,
                        known.at
                    );
                    return Err(Error::new(ErrorKind::Conflict, message));
                }
                None if asked.done.len() >= MOST_DONE => {
                    let message =
                        format!("{MOST_DONE} acknowledgements of one version: at most as many are kept");
                    return Err(Error::new(ErrorKind::OutOfRange, message));
                }
                None => asked.done.push(record.clone()),
            }
            let place = reminders::key(edition.number, asked.done.len() as u32);
            let notices = changed(&before, &after, head.advanced_to);
            let values = vec![(Table::Reminders, place, reminders::write(&record)?)];
            head.unfolded = head.unfolded.saturating_add(1);
            Ok((
                Outcome::Recorded,
                Some(Commit { entry: LogEntry::new(head), notices, values, dropped: vec![] }),
            ))
        })
    }

    /// Who has read or reviewed which version, by version, in the order of arrival.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn acknowledgements(&self) -> Result<Vec<Acknowledgement>> {
        self.store.read(|snapshot| {
            let (mut found, mut versions) = (Vec::new(), Vec::new());
            let asked = reminders::read(snapshot.reader()?, snapshot.head().policy, Instant::MIN)?;
            for asked in asked {
                let version = self.edition(snapshot, asked.edition)?.policy.version();
                // A version's edition with other zone data took over what was done about it before.
                if versions.iter().all(|(known, _)| *known != version) {
                    versions.push((version, asked.done));
                }
            }
            for (version, done) in versions.into_iter().rev() {
                found.extend(done.into_iter().map(|done| Acknowledgement {
                    version,
                    duty: if done.review { Duty::Review } else { Duty::Reading },
                    by: done.by,
                    at: done.at,
                }));
            }
            Ok(found)
        })
    }

    /// What is yet to be read or reviewed at `now`, by due instant: of the version in force and of those that will be.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn reminders(&self, now: Instant) -> Result<Vec<Reminder>> {
        self.store.read(|snapshot| {
            let mut found = Vec::new();
            for asked in reminders::read(snapshot.reader()?, snapshot.head().policy, now)? {
                let policy = self.edition(snapshot, asked.edition)?.policy.clone();
                for (index, due_at) in asked.duties() {
                    if asked.done_at(index).is_some_and(|at| at <= now) {
                        continue;
                    }
                    found.push(Reminder {
                        duty: if index == 0 { Duty::Review } else { Duty::Reading },
                        policy: policy.name().to_owned(),
                        version: policy.version(),
                        reader: asked.reader(index).map(str::to_owned),
                        due_at,
                        overdue: due_at < now,
                    });
                }
            }
            found.sort_by_key(|reminder| reminder.due_at);
            Ok(found)
        })
    }

    /// What a notice about a duty speaks of: its kind, the policy's version and the reader.
    pub(super) fn reminder_of(&self, snapshot: &Snapshot<'_>, row: &NoticeRow) -> Result<Reminder> {
        let edition = self.edition(snapshot, u32::from(row.cycle))?;
        let readers = edition.policy.reading().map_or(&[][..], |reading| reading.readers.as_slice());
        let at = Instant::from_raw(row.at)
            .ok_or_else(|| Error::new(ErrorKind::Damaged, "a reminder at an impossible instant"))?;
        Ok(Reminder {
            duty: if row.kind == ThresholdKind::Review { Duty::Review } else { Duty::Reading },
            policy: edition.policy.name().to_owned(),
            version: edition.policy.version(),
            reader: usize::from(row.clock).checked_sub(1).and_then(|index| readers.get(index).cloned()),
            due_at: at,
            overdue: true,
        })
    }
}

fn check_reader(policy: &Policy, done: &Acknowledgement) -> Result<()> {
    match policy.reading() {
        Some(reading) if done.duty == Duty::Reading && !reading.readers.contains(&done.by) => {
            let message = format!(
                "acknowledgement of {} by `{}`: must be one of its readers, {}",
                policy.title(),
                done.by,
                reading.readers.join(", ")
            );
            Err(Error::new(ErrorKind::InvalidArgument, message))
        }
        _ => Ok(()),
    }
}

/// What a policy asks of people, in its first calendar's zone.
pub(super) fn schedule(policy: &Policy, in_force_from: Instant) -> Schedule {
    let due = |date| policy.calendars().first().and_then(|calendar| end_of(calendar, date));
    let reading = policy.reading();
    Schedule {
        in_force_from,
        review_due: policy.review_at().and_then(due),
        reading_due: reading.and_then(|reading| due(reading.by)),
        readers: reading.map_or_else(Vec::new, |reading| reading.readers.clone()),
    }
}

impl Asked {
    /// Its duties with their due instants: 0 for the review, then the readers from 1 on.
    fn duties(&self) -> impl Iterator<Item = (usize, Instant)> {
        let review = self.schedule.review_due.map(|due| (0, due));
        let readers = 1..=self.schedule.readers.len();
        let reading = self.schedule.reading_due.map(|due| readers.map(move |index| (index, due)));
        review.into_iter().chain(reading.into_iter().flatten())
    }

    fn reader(&self, duty: usize) -> Option<&str> {
        self.schedule.readers.get(duty.checked_sub(1)?).map(String::as_str)
    }

    /// When a duty was done first.
    fn done_at(&self, duty: usize) -> Option<Instant> {
        let reader = self.reader(duty);
        let is_it = |done: &&Done| match reader {
            None => done.review,
            Some(reader) => !done.review && done.by == reader,
        };
        self.done.iter().filter(is_it).map(|done| done.at).min()
    }
}

/// The notices for duties whose due instant lies in [from, until), and that nobody had done by then. A later version in
/// force takes the duties of the one before away. `asked` is newest first.
pub(super) fn notices(asked: &[Asked], from: u32, until: u32) -> Vec<NoticeRow> {
    let mut rows = Vec::new();
    let mut superseded_at: Option<Instant> = None;
    for asked in asked {
        for (index, due) in asked.duties() {
            let passed = (from..until).contains(&due.raw());
            let in_force = superseded_at.is_none_or(|at| at > due);
            if passed && in_force && asked.done_at(index).is_none_or(|at| at > due) {
                rows.push(NoticeRow {
                    request: NO_REQUEST,
                    at: due.raw(),
                    cycle: u16::try_from(asked.edition).unwrap_or(u16::MAX),
                    clock: u8::try_from(index).unwrap_or(u8::MAX),
                    kind: if index == 0 { ThresholdKind::Review } else { ThresholdKind::Reading },
                    by_change: false,
                    retracted: false,
                });
            }
        }
        // Editions with other zone data are newer than ones that come into force after them.
        let from = asked.schedule.in_force_from;
        superseded_at = Some(superseded_at.map_or(from, |at| at.min(from)));
    }
    rows
}

/// The notices that a write makes true or untrue among those the feed has passed already.
pub(super) fn changed(before: &[Asked], after: &[Asked], advanced_to: u32) -> Vec<NoticeRow> {
    let (old, new) = (notices(before, 0, advanced_to), notices(after, 0, advanced_to));
    let gone = old.iter().filter(|row| !new.contains(row)).map(|row| NoticeRow { retracted: true, ..*row });
    gone.chain(new.iter().filter(|row| !old.contains(row)).copied()).collect()
}
