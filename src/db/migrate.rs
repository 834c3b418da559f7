//! Migration: open requests go to another version of the policy, or to the same with other zone data, by order of a named
//! person, with the list of what moves. Nothing else ever moves a request from the version it is pinned to.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::moves::{Moved, Moves};
use super::policies::stored_edition;
use super::{Db, Fate, PolicyInfo, Shift, reminders};
use crate::clock::{RequestState, Scope, order};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, EventKind};
use crate::policy::Policy;
use crate::store::records::RequestRow;
use crate::store::reminders::{self as stored_reminders, Asked};
use crate::store::snapshot::Snapshot;
use crate::store::tables::Table;
use crate::time::Instant;
use crate::zone::TzData;

/// What a migration did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migration {
    /// The versions that requests move to, oldest first.
    pub to: Vec<PolicyInfo>,
    /// Nothing was written.
    pub dry_run: bool,
    /// Requests that move.
    pub requests: u64,
    /// Every clock that stands elsewhere afterwards, in the order of submission.
    pub moved: Vec<Shift>,
}

/// Who orders a move, when, of whom, and whether it is only tried.
struct Move<'a> {
    scope: &'a Scope,
    at: Instant,
    by: &'a str,
    dry_run: bool,
    /// The edition that requests of each edition go to.
    to: HashMap<u32, u32>,
    /// Editions that are not stored yet.
    new: HashMap<u32, Policy>,
}

impl Db {
    /// Moves open requests that were received by `at` to another installed version of the policy: `version`, or the
    /// newest if `None`. With `dry_run` it tells what would move and writes nothing.
    ///
    /// An open clock is derived as if the version had been in force from its start; where that puts a deadline into the
    /// past, the notice says `by_change` and carries `at`. What is finished keeps its verdict, and so does an earned
    /// miss. A clock for which the version has nothing open is withdrawn. `scope` takes all requests, a customer's, or
    /// those of a category.
    ///
    /// # Errors
    /// `NotFound` if there is no such version; `InvalidArgument` for a scope of a calendar or no actor; `Conflict` if
    /// the version lacks a clock that a request has, or has it in another place, or a request was migrated after `at`;
    /// the errors of the file.
    pub fn migrate(
        &self,
        version: Option<u32>,
        scope: &Scope,
        at: Instant,
        by: &str,
        dry_run: bool,
    ) -> Result<Migration> {
        if let Scope::Calendar(name) = scope {
            let message =
                format!("migrating calendar `{name}`: must be all requests, a customer's or a category's");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        self.moving(by, dry_run, |snapshot| {
            let policies = self.policies_of(snapshot)?;
            let newest = policies.last().map(|info| info.version);
            let wanted = version.or(newest).unwrap_or(0);
            let Some(target) = policies.iter().rposition(|info| info.version == wanted) else {
                let mut versions: Vec<String> =
                    policies.iter().map(|info| info.version.to_string()).collect();
                versions.dedup();
                let message =
                    format!("policy version {wanted}: is not installed; there are {}", versions.join(", "));
                return Err(Error::new(ErrorKind::NotFound, message));
            };
            let to = (1..=snapshot.head().policy).map(|edition| (edition, target as u32 + 1)).collect();
            let info = policies.into_iter().nth(target).into_iter().collect();
            let order = Move { scope, at, by, dry_run, to, new: HashMap::new() };
            self.moved(snapshot, &order, info, Moves::new(*snapshot.head()), vec![])
        })
    }

    /// Moves open requests to other zone data, such as that of a newer release. The versions of the policy stay what
    /// they are; each gets an edition with the data. With `dry_run` it tells what would move and writes nothing.
    ///
    /// Requests that come later are under the new data too. A version whose zones have the same data is left alone.
    ///
    /// # Errors
    /// `UnknownZone` if the data lacks a zone; `InvalidPolicy` if a worked example no longer holds; `InvalidArgument`
    /// without an actor; `Conflict` if a request was migrated after `at`; the errors of the file.
    pub fn retz(&self, zones: &TzData, at: Instant, by: &str, dry_run: bool) -> Result<Migration> {
        self.moving(by, dry_run, |snapshot| {
            let mut moves = Moves::new(*snapshot.head());
            let mut order =
                Move { scope: &Scope::All, at, by, dry_run, to: HashMap::new(), new: HashMap::new() };
            let (mut infos, mut values) = (Vec::new(), Vec::new());
            let last = snapshot.head().policy;
            let editions =
                (1..=last).map(|number| self.edition(snapshot, number)).collect::<Result<Vec<_>>>()?;
            let before = stored_reminders::read(snapshot.reader()?, last, Instant::MIN)?;
            let mut after = before.clone();
            for (index, edition) in editions.iter().enumerate() {
                let version = edition.policy.version();
                if editions.iter().skip(index + 1).any(|later| later.policy.version() == version) {
                    continue;
                }
                let policy = Policy::from_text(edition.policy.source(), zones)
                    .map_err(|error| error.context(format_args!("policy {}", edition.policy.title())))?;
                // Versions after one that gets an edition get one as well: the newest of each must follow one another.
                let is_same = same_zones(&edition.policy, &policy);
                if is_same && moves.head.policy == last {
                    continue;
                }
                moves.head.policy += 1;
                let number = moves.head.policy;
                values.push((
                    Table::Policies,
                    u64::from(number),
                    stored_edition(&policy, edition.in_force_from)?,
                ));
                let known = before.iter().find(|asked| asked.edition == edition.number);
                let asked = Asked {
                    edition: number,
                    schedule: reminders::schedule(&policy, edition.in_force_from),
                    done: known.map(|asked| asked.done.clone()).unwrap_or_default(),
                };
                values.extend(reminder_values(&asked)?);
                after.insert(0, asked);
                if is_same {
                    continue;
                }
                infos.push(PolicyInfo { tzdb: zones.version().to_owned(), ..edition.info() });
                let same = editions.iter().filter(|other| other.policy.version() == version);
                order.to.extend(same.map(|other| (other.number, number)));
                order.new.insert(number, policy);
            }
            let advanced_to = moves.head.advanced_to;
            moves.tell(reminders::changed(&before, &after, advanced_to));
            self.moved(snapshot, &order, infos, moves, values)
        })
    }

    /// Runs a move as a reader or as the writer.
    fn moving(
        &self,
        by: &str,
        dry_run: bool,
        work: impl Fn(&Snapshot<'_>) -> Result<(Migration, Moves, Values)>,
    ) -> Result<Migration> {
        super::interruptions::check_actor(by)?;
        if dry_run {
            return self.store.read(|snapshot| Ok(work(snapshot)?.0));
        }
        let done = self.store.write(|snapshot| {
            let (done, mut moves, mut values) = work(snapshot)?;
            if done.requests == 0 && values.is_empty() {
                return Ok((done, None));
            }
            values.extend(self.settled(snapshot, &mut moves)?);
            let operations = u32::try_from(done.requests).unwrap_or(u32::MAX).saturating_add(1);
            Ok((done, Some(moves.commit(operations, values))))
        })?;
        self.store.fold_if_due()?;
        Ok(done)
    }

    fn moved(
        &self,
        snapshot: &Snapshot<'_>,
        asked: &Move<'_>,
        to: Vec<PolicyInfo>,
        mut moves: Moves,
        values: Values,
    ) -> Result<(Migration, Moves, Values)> {
        let mut done = Migration { to, dry_run: asked.dry_run, requests: 0, moved: Vec::new() };
        for slot in 0..snapshot.head().requests {
            let row = snapshot.request_row(slot)?;
            let Some(target) = asked.to.get(&row.policy).copied().filter(|target| *target != row.policy)
            else {
                continue;
            };
            if row.received_at > asked.at.raw() {
                continue;
            }
            let mut life = self.facts_of(snapshot, slot)?;
            let before = life.timeline();
            if before.state != RequestState::Open || !asked.scope.is_of(&before.facts) {
                continue;
            }
            let id = life.request.id.clone();
            if let Some(later) = life.events.iter().find(|event| is_move(event) && event.at > asked.at) {
                let message = format!("request `{id}`: was migrated at {}, after {}", later.at, asked.at);
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            let policy = match asked.new.get(&target) {
                Some(new) => new.clone(),
                None => self.edition(snapshot, target)?.policy.clone(),
            };
            let was = std::mem::replace(&mut life.policy, policy.clone());
            fits(&was, &policy).map_err(|error| error.context(format_args!("request `{id}`")))?;
            let event =
                Event::new(EventKind::Migrated { from: row.policy, to: target }, asked.at).by(asked.by);
            life.editions.push((target, policy));
            life.events.push(event.clone());
            order(&mut life.events);
            let after = life.timeline();
            done.requests += 1;
            let judged = asked.at.max(after.last_event_at);
            Fate::shifts(&id, &was, &before, &life.policy, &after, judged, &mut done.moved);
            if !asked.dry_run {
                let old = snapshot.clock_rows(&row)?;
                let new_row = moves.moved_row(&row, target, life.policy.clocks().len(), asked.at)?;
                moves.add(&Moved {
                    slot,
                    row: new_row,
                    old: &old,
                    old_first: row.first_clock,
                    before: Some(&before),
                    after: &after,
                    policies: [&was, &life.policy],
                    request: None,
                    events: &[&event],
                    topics: &[],
                })?;
            }
        }
        Ok((done, moves, values))
    }
}

type Values = Vec<(Table, u64, Vec<u8>)>;

impl Moves {
    /// The row of a request that a `migrated` event moves to another edition. If that has more clocks, all get new
    /// slots.
    fn moved_row(
        &mut self,
        row: &RequestRow,
        edition: u32,
        clocks: usize,
        at: Instant,
    ) -> Result<RequestRow> {
        let head = &mut self.head;
        let mut moved = RequestRow { policy: edition, events: row.events + 1, ..*row };
        moved.last_event_at = moved.last_event_at.max(at.raw());
        if clocks != usize::from(row.clocks) {
            moved.first_clock = head.clocks;
            moved.clocks = clocks as u8;
            let next = head.clocks.checked_add(clocks as u32).filter(|next| *next < u32::MAX);
            head.clocks = next.ok_or_else(|| {
                Error::new(ErrorKind::OutOfRange, "the database is full: 4,294,967,294 clocks")
            })?;
        }
        head.events += 1;
        head.latest_event_at = head.latest_event_at.max(at.raw());
        Ok(moved)
    }
}

/// What is stored of an edition's duties: what was done about a version counts for it with other zone data, too.
fn reminder_values(asked: &Asked) -> Result<Values> {
    let place =
        |number: usize| stored_reminders::key(asked.edition, u32::try_from(number).unwrap_or(u32::MAX));
    let mut values = vec![(Table::Reminders, place(0), stored_reminders::write(&asked.schedule)?)];
    for (index, done) in asked.done.iter().enumerate() {
        values.push((Table::Reminders, place(index + 1), stored_reminders::write(done)?));
    }
    Ok(values)
}

pub(super) fn is_move(event: &Event) -> bool {
    matches!(event.kind, EventKind::Migrated { .. })
}

/// Clocks are known by their place: what was noticed of the first clock stays a notice of the first clock.
fn fits(old: &Policy, new: &Policy) -> Result<()> {
    for (at, clock) in old.clocks().iter().enumerate() {
        if new.clocks().get(at).is_none_or(|other| other.name != clock.name) {
            let message = format!(
                "policy {} has no clock `{}` in place {}, as {} has: keep it there, with target = \"none\" if it is no \
                 longer promised",
                new.title(),
                clock.name,
                at + 1,
                old.title()
            );
            return Err(Error::new(ErrorKind::Conflict, message));
        }
    }
    Ok(())
}

fn same_zones(old: &Policy, new: &Policy) -> bool {
    let data = |policy: &Policy| -> Vec<Vec<u8>> {
        policy.calendars().iter().map(|calendar| calendar.zone().data().to_vec()).collect()
    };
    data(old) == data(new)
}
