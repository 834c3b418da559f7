//! Interruptions: declared, amended, ended, withdrawn, each with the list of what it moves, and what it would move.

use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};

use super::moves::{Moved, Moves};
use super::{Db, Fate, Shift};
use crate::clock::{Act, Entry, Interruptions, Scope, Window};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::Handling;
use crate::store::codec;
use crate::store::snapshot::Snapshot;
use crate::store::tables::Table;
use crate::time::Instant;

/// Longest name of an actor, in bytes.
const MAX_ACTOR_BYTES: usize = 255;

/// What to do about an interruption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Declare one. One without an end must not begin after the declaration.
    Declare(Window),
    /// Say otherwise what was declared.
    Amend {
        /// Its number.
        number: u32,
        /// The window as it should have been.
        window: Window,
    },
    /// Say when one without an end ended.
    End {
        /// Its number.
        number: u32,
        /// The first instant after it.
        to: Instant,
    },
    /// It never was.
    Withdraw {
        /// Its number.
        number: u32,
    },
}

/// What was done about an interruption, and what moved by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interrupted {
    /// The entry of the journal.
    pub entry: Entry,
    /// Nothing was written.
    pub dry_run: bool,
    /// Requests looked at: those with a clock that is open, or was when it was declared.
    pub requests: u64,
    /// Every clock that moves, in the order of submission.
    pub moved: Vec<Shift>,
}

impl Db {
    /// Declares, amends, ends or withdraws an interruption at `at`, and derives the clocks in its scope anew, in one
    /// transaction. With `dry_run` it tells what would move and writes nothing.
    ///
    /// A cycle that was finished before `at` keeps its verdict. Notices that are no longer true are retracted, as after
    /// an event that is recorded late.
    ///
    /// # Errors
    /// `InvalidArgument` for an unknown category, an end that is not after the start, an open end that begins after
    /// `at`, or no actor; `NotFound` if there is no such interruption or no policy has the calendar; `Conflict` if it
    /// is withdrawn, has an end already, or was changed after `at`; the errors of the file.
    pub fn interrupt(
        &self,
        order: &Order,
        at: Instant,
        by: &str,
        text: Option<&str>,
        dry_run: bool,
    ) -> Result<Interrupted> {
        check_actor(by)?;
        crate::model::validate_text("text", text.unwrap_or_default())?;
        if dry_run {
            return self.store.read(|snapshot| Ok(self.interrupted(snapshot, order, at, by, text, true)?.0));
        }
        let done = self.store.write(|snapshot| {
            let (done, moves) = self.interrupted(snapshot, order, at, by, text, false)?;
            let mut moves = moves;
            moves.head.interruptions += 1;
            moves.head.latest_event_at = moves.head.latest_event_at.max(at.raw());
            let key = u64::from(moves.head.interruptions);
            let mut values = vec![(Table::Interruptions, key, codec::encode(&done.entry)?)];
            values.extend(self.settled(snapshot, &mut moves)?);
            let operations = u32::try_from(done.moved.len()).unwrap_or(u32::MAX).saturating_add(1);
            Ok((done, Some(moves.commit(operations, values))))
        })?;
        self.store.fold_if_due()?;
        Ok(done)
    }

    /// Declares an interruption; see [`interrupt`](Self::interrupt).
    ///
    /// # Errors
    /// As for [`interrupt`](Self::interrupt).
    pub fn declare(&self, window: Window, at: Instant, by: &str) -> Result<Interrupted> {
        self.interrupt(&Order::Declare(window), at, by, None, false)
    }

    /// Says otherwise what was declared; see [`interrupt`](Self::interrupt).
    ///
    /// # Errors
    /// As for [`interrupt`](Self::interrupt).
    pub fn amend(&self, number: u32, window: Window, at: Instant, by: &str) -> Result<Interrupted> {
        self.interrupt(&Order::Amend { number, window }, at, by, None, false)
    }

    /// Says when an interruption ended; see [`interrupt`](Self::interrupt).
    ///
    /// # Errors
    /// As for [`interrupt`](Self::interrupt).
    pub fn end(&self, number: u32, to: Instant, at: Instant, by: &str) -> Result<Interrupted> {
        self.interrupt(&Order::End { number, to }, at, by, None, false)
    }

    /// Withdraws an interruption; see [`interrupt`](Self::interrupt).
    ///
    /// # Errors
    /// As for [`interrupt`](Self::interrupt).
    pub fn withdraw(&self, number: u32, at: Instant, by: &str) -> Result<Interrupted> {
        self.interrupt(&Order::Withdraw { number }, at, by, None, false)
    }

    /// The journal of all interruptions, in the order of recording.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn interruptions(&self) -> Result<Interruptions> {
        self.store.read(|snapshot| Ok(Interruptions::clone(&*self.declared(snapshot)?)))
    }

    /// The journal as of a snapshot.
    pub(crate) fn declared(&self, snapshot: &Snapshot<'_>) -> Result<Arc<Interruptions>> {
        let count = snapshot.head().interruptions;
        let known = self.declared.read().unwrap_or_else(PoisonError::into_inner).clone();
        if known.entries().len() == count as usize {
            return Ok(known);
        }
        let mut entries: Vec<Entry> = Vec::new();
        if count > 0 {
            snapshot.reader()?.visit(Table::Interruptions, 1..=u64::from(count), |key, payload| {
                if key != entries.len() as u64 + 1 {
                    return Err(Error::new(ErrorKind::Damaged, "an entry before it is missing"));
                }
                entries.push(codec::decode_all(payload)?);
                Ok(true)
            })?;
        }
        if entries.len() != count as usize {
            let message = format!("{} entries about interruptions, the head says {count}", entries.len());
            return Err(Error::new(ErrorKind::Damaged, message));
        }
        let read = Arc::new(Interruptions::new(entries));
        let mut kept = self.declared.write().unwrap_or_else(PoisonError::into_inner);
        // Entries are only added, so the longer journal is the newer one.
        if kept.entries().len() < read.entries().len() {
            *kept = read.clone();
        }
        Ok(read)
    }

    fn interrupted(
        &self,
        snapshot: &Snapshot<'_>,
        order: &Order,
        at: Instant,
        by: &str,
        text: Option<&str>,
        dry_run: bool,
    ) -> Result<(Interrupted, Moves)> {
        let old = self.declared(snapshot)?;
        let (number, act, window, before) = written(order, &old, at)?;
        self.check_scope(snapshot, &window.scope)?;
        let entry = Entry { number, act, at, by: by.to_owned(), window, text: text.map(str::to_owned) };
        let mut entries = old.entries().to_vec();
        entries.push(entry.clone());
        let new = Arc::new(Interruptions::new(entries));
        let mut moves = Moves::new(*snapshot.head());
        let mut done = Interrupted { entry, dry_run, requests: 0, moved: Vec::new() };
        let windows: Vec<&Window> = before.iter().chain([&done.entry.window]).collect();
        let last =
            windows.iter().map(|window| window.to.unwrap_or(Instant::MAX)).max().unwrap_or(Instant::MAX);
        if !self.is_handled(snapshot, &windows)? {
            return Ok((done, moves));
        }
        // What a migration took away may go by later entries than the request's last event, where such are recorded already.
        let is_late = snapshot.head().policy > 1 && old.entries().iter().any(|entry| entry.at >= at);
        for slot in 0..snapshot.head().requests {
            let row = snapshot.request_row(slot)?;
            if row.received_at >= last.raw() {
                continue;
            }
            let clocks = snapshot.clock_rows(&row)?;
            // A cycle finished before the declaration goes by what was known then.
            if !is_late && row.last_event_at < at.raw() && !clocks.iter().any(|clock| clock.is_open()) {
                continue;
            }
            done.requests += 1;
            let mut life = self.facts_of(snapshot, slot)?;
            let before = life.timeline();
            life.interruptions = new.clone();
            let after = life.timeline();
            if before == after {
                continue;
            }
            let judged = at.max(after.last_event_at);
            Fate::shifts(
                &life.request.id,
                &life.policy,
                &before,
                &life.policy,
                &after,
                judged,
                &mut done.moved,
            );
            if !dry_run {
                let (old, before, after) = (&clocks[..], Some(&before), &after);
                let old_first = row.first_clock;
                let policies = [&life.policy; 2];
                moves.add(&Moved {
                    slot,
                    row,
                    old,
                    old_first,
                    before,
                    after,
                    policies,
                    request: None,
                    events: &[],
                    topics: &[],
                })?;
            }
        }
        Ok((done, moves))
    }

    /// Whether some policy does more about these windows than to record them. A request that was migrated has clocks that go
    /// by what an earlier one does.
    fn is_handled(&self, snapshot: &Snapshot<'_>, windows: &[&Window]) -> Result<bool> {
        for number in 1..=snapshot.head().policy {
            let policy = &self.edition(snapshot, number)?.policy;
            if windows.iter().any(|window| window.handling(policy) != Handling::Record) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A calendar that no policy has is a mistake in writing. Customers and categories may be yet to come.
    fn check_scope(&self, snapshot: &Snapshot<'_>, scope: &Scope) -> Result<()> {
        let Scope::Calendar(name) = scope else { return Ok(()) };
        let mut names: Vec<String> = Vec::new();
        for number in 1..=snapshot.head().policy {
            let edition = self.edition(snapshot, number)?;
            for calendar in edition.policy.calendars() {
                if !names.iter().any(|known| known == calendar.name()) {
                    names.push(calendar.name().to_owned());
                }
            }
        }
        if names.contains(name) {
            return Ok(());
        }
        let message =
            format!("calendar `{name}`: no installed policy has it; there are {}", names.join(", "));
        Err(Error::new(ErrorKind::NotFound, message))
    }
}

/// Whoever moves clocks must be named.
pub(super) fn check_actor(by: &str) -> Result<()> {
    if by.trim().is_empty() || by.len() > MAX_ACTOR_BYTES {
        let message =
            format!("actor of {} bytes: who does it must be named in 1 to {MAX_ACTOR_BYTES}", by.len());
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(())
}

/// Number, act and window of the entry that an order makes, and the window before it.
fn written(order: &Order, old: &Interruptions, at: Instant) -> Result<(u32, Act, Window, Option<Window>)> {
    let last = |number: u32| -> Result<&Entry> {
        let last = old.entries().iter().rfind(|entry| entry.number == number).ok_or_else(|| {
            let count = old.entries().iter().map(|entry| entry.number).max().unwrap_or(0);
            let message =
                format!("interruption {number}: there is no such interruption; {count} were declared");
            Error::new(ErrorKind::NotFound, message)
        })?;
        let conflict = |why: String| {
            Err(Error::new(ErrorKind::Conflict, format!("interruption {number} at {at}: {why}")))
        };
        if last.act == Act::Withdrawn {
            return conflict(format!("it was withdrawn at {}", last.at));
        }
        if at < last.at {
            return conflict(format!("it was {} at {}, which is later", last.act.word(), last.at));
        }
        Ok(last)
    };
    let (number, act, window, before) = match order {
        Order::Declare(window) => {
            let number = old.entries().iter().map(|entry| entry.number).max().unwrap_or(0) + 1;
            (number, Act::Declared, window.clone(), None)
        }
        Order::Amend { number, window } => {
            (*number, Act::Amended, window.clone(), Some(last(*number)?.window.clone()))
        }
        Order::End { number, to } => {
            let last = last(*number)?;
            if let Some(ended) = last.window.to {
                let message =
                    format!("interruption {number}: has an end already, {ended}; amend it to say another");
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            let window = Window { to: Some(*to), ..last.window.clone() };
            (*number, Act::Ended, window, Some(last.window.clone()))
        }
        Order::Withdraw { number } => {
            let window = last(*number)?.window.clone();
            (*number, Act::Withdrawn, window.clone(), Some(window))
        }
    };
    window.validate()?;
    if window.to.is_none() && window.from > at {
        let message = format!(
            "interruption from {} without an end, declared at {at}: must have begun; declare it then, or say its end",
            window.from
        );
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok((number, act, window, before))
}
