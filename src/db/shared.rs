//! Handles that a process opens once and lends again: the second opening of a file costs microseconds.
//!
//! A web worker opens the same database for every request that it serves. The handle stays open between them, with
//! its policies compiled and its indexes read, and follows what other processes commit.
//!
//! A fork inherits the parent's handles but may not use them, nor end them, since that would free the parent's
//! locks. So each process has a registry of its own, and those of its parents are left as they are.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::{Db, Options};
use crate::error::{Error, Result};
use crate::store::file::{Durability, Identity, Mode};

/// How long a handle stays open after it was last handed out, once nobody uses it.
const LINGER: Duration = Duration::from_secs(60);
/// Handles that stay open without a user. Beyond that, the one not asked for the longest is closed.
const MOST_IDLE: usize = 16;

impl Db {
    /// The open handle that this process has of the database at `path`, or a new one. Never makes a database.
    ///
    /// The same handle goes to everyone who asks for the same file (by whatever path) with the same options, and may
    /// be used by all of them at once. It stays open for 60 seconds after it was last asked for, unless it is
    /// exclusive; what is overdue is closed whenever anything is asked for. At most 16 handles stay open unused. A
    /// file that was replaced, a handle that was closed, found damaged or stopped writing after a failure, and a
    /// handle of the process that this one was forked from are never handed out: then it is opened anew.
    ///
    /// Give it up by dropping it. [`close`](Db::close) closes it for all its users, and so does [`shutdown`].
    ///
    /// # Errors
    /// As for [`open`](Db::open).
    pub fn shared(path: impl AsRef<Path>, options: Options) -> Result<Arc<Db>> {
        let asked = path.as_ref();
        let at = |cause| Error::from(cause).context(format_args!("{}: opening", asked.display()));
        let path = std::fs::canonicalize(asked).map_err(at)?;
        let identity = Identity::of_path(&path).map_err(at)?;
        let key = Key { path, identity, options };
        Registry::of_this_process().place(&key).lend(&key)
    }
}

/// Closes every handle that this process got from [`Db::shared`], whoever still has one: later calls on it are
/// `Closed`. For the end of a process, so that the files are left as cleanly closed. Handles of a parent process are
/// left alone.
///
/// # Errors
/// The first error of a close; the others are closed all the same. `Busy` if a write does not end within the busy
/// timeout; that handle is closed when its last user drops it.
pub fn shutdown() -> Result<()> {
    let known = std::mem::take(&mut *Registry::of_this_process().known());
    let mut first = Ok(());
    for db in known.into_iter().filter_map(|known| known.place.state().db()) {
        first = first.and(db.close());
    }
    first
}

/// What makes two openings the same.
#[derive(Clone)]
struct Key {
    path: PathBuf,
    identity: Identity,
    options: Options,
}

impl Key {
    fn is(&self, other: &Key) -> bool {
        self.path == other.path && self.identity == other.identity && self.options.is_same_as(&other.options)
    }

    /// Whether the handle stays open without a user. An exclusive one would shut everybody else out.
    fn lingers(&self) -> bool {
        self.options.file.mode == Mode::Shared && self.options.file.durability == Durability::Safe
    }
}

/// The handles of one process, and the way to those of the processes forked from it.
struct Registry {
    owner: u32,
    known: Mutex<Vec<Known>>,
    next: OnceLock<Box<Registry>>,
}

static FIRST: OnceLock<Box<Registry>> = OnceLock::new();

struct Known {
    key: Key,
    place: Arc<Place>,
}

impl Registry {
    /// A lock that a thread of the parent held at the fork is never asked for: each process has its own.
    fn of_this_process() -> &'static Registry {
        let owner = std::process::id();
        let mut place = &FIRST;
        loop {
            let new = || Box::new(Registry { owner, known: Mutex::default(), next: OnceLock::new() });
            let registry = place.get_or_init(new);
            if registry.owner == owner {
                return registry;
            }
            place = &registry.next;
        }
    }

    fn known(&self) -> MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place for handles of this key. Closes what nobody uses any more.
    fn place(&self, key: &Key) -> Arc<Place> {
        let mut overdue = Vec::new();
        let mut known = self.known();
        let mut at = 0;
        while at < known.len() {
            let Known { key: other, place } = &known[at];
            let replaced = other.path == key.path && other.identity != key.identity;
            // One that is being opened just now is in use.
            let ended = !other.is(key) && place.state.try_lock().is_ok_and(|state| state.is_overdue());
            if replaced || ended {
                overdue.push(known.swap_remove(at));
            } else {
                at += 1;
            }
        }
        if known.len() > MOST_IDLE
            && let Some(oldest) = oldest_idle(&known, key)
        {
            overdue.push(known.swap_remove(oldest));
        }
        let place = match known.iter().find(|known| known.key.is(key)) {
            Some(known) => known.place.clone(),
            None => {
                let place = Arc::<Place>::default();
                known.push(Known { key: key.clone(), place: place.clone() });
                place
            }
        };
        drop(known);
        // Closing can take a sync of the disk; nobody waits for it.
        drop(overdue);
        place
    }
}

fn oldest_idle(known: &[Known], but: &Key) -> Option<usize> {
    let idle_since = |known: &Known| {
        let state = known.place.state.try_lock().ok()?;
        if state.is_used() || known.key.is(but) { None } else { Some(state.lent_at) }
    };
    let idle = known.iter().enumerate().filter_map(|(at, known)| Some((idle_since(known)?, at)));
    idle.min().map(|(_, at)| at)
}

/// Where the handle of one key is kept. Locked while it is opened, so that it is opened once.
#[derive(Default)]
struct Place {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Keeps the handle open.
    kept: Option<Arc<Db>>,
    open: Weak<Db>,
    lent_at: Option<Instant>,
}

impl Place {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lend(&self, key: &Key) -> Result<Arc<Db>> {
        let mut state = self.state();
        let db = match state.db() {
            Some(db) if db.store.file().is_usable() => db,
            _ => {
                *state = State::default();
                let db = Arc::new(Db::open(&key.path, key.options.clone())?);
                if !db.store.file().is(key.identity) {
                    // Replaced since it was looked at. The next to ask comes with the new file's key.
                    return Ok(db);
                }
                db
            }
        };
        state.open = Arc::downgrade(&db);
        state.kept = key.lingers().then(|| db.clone());
        state.lent_at = Some(Instant::now());
        Ok(db)
    }
}

impl State {
    fn db(&self) -> Option<Arc<Db>> {
        self.open.upgrade()
    }

    fn is_used(&self) -> bool {
        self.open.strong_count() > usize::from(self.kept.is_some())
    }

    fn is_overdue(&self) -> bool {
        let lingers = self.kept.is_some() && self.lent_at.is_some_and(|at| at.elapsed() < LINGER);
        !self.is_used() && !lingers
    }
}
