//! Policy editions: each installed version of the agreement, kept whole, and the requests pinned to it.

use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};

use super::{Db, reminders};
use crate::clock::{Given, Interruptions};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, EventKind};
use crate::policy::Policy;
use crate::store::head::Head;
use crate::store::log::LogEntry;
use crate::store::reminders::{self as stored_reminders, Asked};
use crate::store::snapshot::Snapshot;
use crate::store::tables::Table;
use crate::store::{Commit, codec};
use crate::time::Instant;
use crate::zone::TzData;

/// An installed version of a policy.
#[derive(Debug)]
pub(crate) struct Edition {
    /// 1 for the first installed, then rising by 1.
    pub(crate) number: u32,
    pub(crate) policy: Policy,
    pub(crate) in_force_from: Instant,
}

/// As stored: everything that is needed to compile the same policy again, the zones' data included, so that a
/// deadline does not move because a later release knows other clock changes.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    name: String,
    version: u32,
    in_force_from: Instant,
    /// The policy as written, holiday files included.
    text: String,
    /// The version of the time zone data.
    tzdb: String,
    /// The TZif data of each zone that it names.
    zones: Vec<(String, Vec<u8>)>,
}

codec::coded!(Stored);

/// What is known of an installed policy version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyInfo {
    /// The policy's name.
    pub name: String,
    /// Its version, as written in it.
    pub version: u32,
    /// Requests received from here on are pinned to it, until a later version.
    pub in_force_from: Instant,
    /// The version of the time zone data it was compiled with.
    pub tzdb: String,
}

/// The value of an edition.
pub(crate) fn stored_edition(policy: &Policy, in_force_from: Instant) -> Result<Vec<u8>> {
    let mut zones: Vec<(String, Vec<u8>)> = Vec::new();
    for zone in policy.calendars().iter().map(|calendar| calendar.zone()) {
        if !zones.iter().any(|(name, _)| name == zone.name()) {
            zones.push((zone.name().to_owned(), zone.data().to_vec()));
        }
    }
    codec::encode(&Stored {
        name: policy.name().to_owned(),
        version: policy.version(),
        in_force_from,
        text: policy.source().to_owned(),
        tzdb: tzdb_of(policy).to_owned(),
        zones,
    })
}

/// Compiles a stored edition.
pub(super) fn readable_edition(number: u32, stored: Stored) -> Result<Edition> {
    let zones = TzData::kept(stored.tzdb, stored.zones);
    // Its examples were run when it was installed, with these very zones.
    let policy = Policy::from_proved_text(&stored.text, &zones).map_err(|error| {
        Error::new(ErrorKind::Damaged, format!("policy edition {number} no longer loads: {error}"))
            .because(error)
    })?;
    Ok(Edition { number, policy, in_force_from: stored.in_force_from })
}

/// The version of the time zone data that a policy was compiled with.
fn tzdb_of(policy: &Policy) -> &str {
    policy.calendars().first().map_or("none", |calendar| calendar.tz_version())
}

impl Db {
    /// Installs a new version of the policy, in force for requests received from `from` on. Existing requests keep
    /// the version they are pinned to.
    ///
    /// # Errors
    /// `Conflict` if the version is not above the newest installed one, or `from` is before that one's; installing
    /// the newest version again with the same text changes nothing. The errors of the file.
    pub fn install(&self, policy: &Policy, from: Instant) -> Result<()> {
        self.store.write(|snapshot| {
            let mut head: Head = *snapshot.head();
            let newest = self.edition(snapshot, head.policy)?;
            if newest.policy.version() == policy.version() && newest.policy.source() == policy.source() {
                return Ok(((), None));
            }
            if policy.version() <= newest.policy.version() {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!(
                        "policy `{}` version {}: must be above the newest installed version, {}",
                        policy.name(),
                        policy.version(),
                        newest.policy.version()
                    ),
                ));
            }
            if from < newest.in_force_from {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!(
                        "policy `{}` version {} in force from {from}: must not be before version {}'s, {}",
                        policy.name(),
                        policy.version(),
                        newest.policy.version(),
                        newest.in_force_from
                    ),
                ));
            }
            head.policy += 1;
            head.unfolded = head.unfolded.saturating_add(1);
            let before = stored_reminders::read(snapshot.reader()?, head.policy - 1, Instant::MIN)?;
            let asked =
                Asked { edition: head.policy, schedule: reminders::schedule(policy, from), done: vec![] };
            let place = stored_reminders::key(head.policy, 0);
            let mut values = vec![
                (Table::Policies, u64::from(head.policy), stored_edition(policy, from)?),
                (Table::Reminders, place, stored_reminders::write(&asked.schedule)?),
            ];
            let after = [&[asked][..], &before].concat();
            let mut notices = reminders::changed(&before, &after, head.advanced_to);
            if from.raw() < head.advanced_to {
                // Periods that the feed knows are judged by another promise now.
                let (changed, told) = self.rejudged(snapshot, Some((head.policy, policy, from)))?;
                values.extend(changed);
                notices.extend(told);
            }
            Ok(((), Some(Commit { entry: LogEntry::new(head), notices, values, dropped: vec![] })))
        })
    }

    /// The installed policy versions, oldest first.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn policies(&self) -> Result<Vec<PolicyInfo>> {
        self.store.read(|snapshot| self.policies_of(snapshot))
    }

    /// The editions, by number.
    pub(super) fn policies_of(&self, snapshot: &Snapshot<'_>) -> Result<Vec<PolicyInfo>> {
        let editions = (1..=snapshot.head().policy).map(|number| self.edition(snapshot, number));
        editions.map(|edition| edition.map(|edition| edition.info())).collect()
    }

    /// The editions that a request is under one after the other. `pinned` is the last, as its row says.
    pub(super) fn eras<'e>(
        &self,
        snapshot: &Snapshot<'_>,
        pinned: u32,
        events: impl Iterator<Item = &'e Event>,
    ) -> Result<Eras> {
        let mut first: Option<(Instant, u32)> = None;
        let mut later: Vec<(u32, Policy)> = Vec::new();
        for event in events {
            let EventKind::Migrated { from, to } = event.kind else { continue };
            if first.is_none_or(|(at, _)| event.at < at) {
                first = Some((event.at, from));
            }
            if !later.iter().any(|(known, _)| *known == to) {
                later.push((to, self.edition(snapshot, to)?.policy.clone()));
            }
        }
        let first = first.map_or(pinned, |(_, from)| from);
        Ok(Eras { first: self.edition(snapshot, first)?.policy.clone(), later })
    }

    /// The newest installed policy.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn policy(&self) -> Result<Policy> {
        self.store.read(|snapshot| Ok(self.edition(snapshot, snapshot.head().policy)?.policy.clone()))
    }

    /// The edition of this number.
    pub(crate) fn edition(&self, snapshot: &Snapshot<'_>, number: u32) -> Result<Arc<Edition>> {
        if let Some(known) = self.editions.read().unwrap_or_else(PoisonError::into_inner).get(&number) {
            return Ok(known.clone());
        }
        let stored =
            snapshot.reader()?.must(Table::Policies, u64::from(number), codec::decode_all::<Stored>)?;
        let edition = Arc::new(readable_edition(number, stored)?);
        let mut editions = self.editions.write().unwrap_or_else(PoisonError::into_inner);
        Ok(editions.entry(number).or_insert(edition).clone())
    }

    /// The edition in force at the receipt of a request: the newest that began by then, else the first.
    pub(crate) fn edition_for(&self, snapshot: &Snapshot<'_>, received_at: Instant) -> Result<Arc<Edition>> {
        for number in (2..=snapshot.head().policy).rev() {
            let edition = self.edition(snapshot, number)?;
            if edition.in_force_from <= received_at {
                return Ok(edition);
            }
        }
        self.edition(snapshot, 1)
    }

    /// A clock's name must be one that some edition has.
    pub(crate) fn check_clock_name(&self, snapshot: &Snapshot<'_>, name: Option<&str>) -> Result<()> {
        let Some(name) = name else { return Ok(()) };
        let mut last = None;
        for number in (1..=snapshot.head().policy).rev() {
            match self.edition(snapshot, number)?.policy.clock(name) {
                Ok(_) => return Ok(()),
                Err(error) => last = last.or(Some(error)),
            }
        }
        Err(last.unwrap_or_else(|| Error::new(ErrorKind::Damaged, "there is no policy")))
    }
}

/// The versions of the policy that a request is under one after the other.
pub(crate) struct Eras {
    /// That it was pinned to when it was received.
    pub(crate) first: Policy,
    /// Those that migrations moved it to, by edition.
    pub(crate) later: Vec<(u32, Policy)>,
}

impl Eras {
    pub(crate) fn given<'a>(&'a self, interruptions: &'a Interruptions) -> Given<'a> {
        Given { policy: &self.first, editions: &self.later, interruptions }
    }
}

impl Edition {
    pub(crate) fn info(&self) -> PolicyInfo {
        PolicyInfo {
            name: self.policy.name().to_owned(),
            version: self.policy.version(),
            in_force_from: self.in_force_from,
            tzdb: tzdb_of(&self.policy).to_owned(),
        }
    }
}
