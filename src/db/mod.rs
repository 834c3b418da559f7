//! The database: requests and their events in one file, with their deadlines kept ready.
//!
//! A [`Db`] is safe to share between threads. Writes are one transaction each and wait for one another, in this and
//! in other processes; reads see every commit made before them and never wait for a writer.

mod batch;
mod columns;
mod derived;
mod explain;
mod faq;
mod feed;
mod figures;
mod fork;
mod group;
mod history;
mod interruptions;
mod judged;
mod judges;
mod maintain;
mod migrate;
mod moves;
mod names;
mod new_ids;
mod options;
mod outlook;
mod periods;
mod permit;
mod policies;
mod queue;
mod quota;
mod refusals;
mod reminders;
mod report;
mod request;
#[cfg(feature = "sim")]
pub(crate) mod reread;
mod rows;
mod salvage;
mod scan;
#[cfg(feature = "search")]
mod search;
mod shared;
mod shifts;
#[cfg(feature = "sim")]
pub(crate) mod sim;
mod simulate;
pub(crate) mod spare;
mod status;
mod table;
mod told;
mod waiting;
mod write;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, RwLock};

pub use batch::MAX_EVENTS;
pub use columns::Columns;
pub use faq::MAX_FAQ_RECORDS;
pub use feed::{Feed, MAX_NOTICES, Notice};
pub use history::{History, HistoryRow, MAX_HISTORY};
pub use interruptions::{Interrupted, Order};
pub use judged::{Judged, WaivedCycle};
pub use maintain::{Difference, Info, Rebuild};
pub use migrate::Migration;
pub use options::{Durability, Mode, Options, Verify};
pub use outlook::OutlookQuery;
pub use policies::PolicyInfo;
pub use quota::{ExpediteEntry, ExpediteQuota, ExpediteUse};
pub use refusals::OpenRefusal;
pub use reminders::{Acknowledgement, Duty, Reminder};
pub use report::{AttainmentQuery, Group, Waiting};
pub use request::RequestStatus;
pub use salvage::{Salvage, SalvageOptions, SalvagedConsumer, Unreadable};
pub use scan::{MAX_PAGE, Page, PageKey, Query, Rows};
pub use shared::shutdown;
pub use shifts::{Fate, Shift};
pub use simulate::{Changes, Simulation};
pub use status::{ClockStatus, Counts, Row};
pub use table::Table as ScanTable;
pub use waiting::{VendorRequest, WaitEntry, WaitGroup, WaitReport, WaitSum};
pub use write::{MAX_ROWS, OnError, Operation, Outcome, Recorded};

use foldhash::fast::FixedState;

use crate::clock::Interruptions;
use crate::error::{Error, ErrorKind, Result};
use crate::policy::Policy;
use crate::store::Store;
use crate::store::head::Head;
use crate::store::reminders as stored_reminders;
use crate::store::tables::Table;
use crate::time::Instant;
use group::Operations;
use policies::{Edition, stored_edition};

/// The locks of the queue: a model of it has others in their place.
mod sync {
    pub(super) use std::sync::{Condvar, Mutex, MutexGuard};

    /// Lets other threads run: a small part of what a durable commit takes.
    pub(super) fn moment() {
        std::thread::sleep(std::time::Duration::from_micros(40));
    }
}

/// An open database.
///
/// ```
/// use slaclock::{Db, Event, EventKind, Instant, Page, Policy, Request};
///
/// let policy = Policy::from_toml(r#"
///     [policy]
///     name = "care"
///     version = 1
///     statement = "Handled within eight working hours."
///
///     [calendar.office]
///     zone = "Europe/Moscow"
///     hours = { mon-fri = "09:00-18:00" }
///
///     [[clock]]
///     name = "resolution"
///     start = "received"
///     stop = "resolved"
///     target = { working = "8h" }
/// "#)?;
/// let db = Db::in_memory(&policy)?;
/// let received = Instant::parse("2026-03-06T12:00:00+03:00")?; // a Friday
/// let clocks = db.submit(&Request::new("CASE-1041", received).customer("acme"))?.clocks;
/// assert_eq!(clocks[0].due_at, Some(Instant::parse("2026-03-09T11:00:00+03:00")?));
///
/// let now = Instant::parse("2026-03-09T12:00:00+03:00")?;
/// assert_eq!(db.breached(now, Page::first(100))?.rows[0].request, "CASE-1041");
/// db.record("CASE-1041", Event::new(EventKind::Resolved, now).by("ann"))?;
/// assert!(db.breached(now, Page::first(100))?.rows.is_empty());
/// # Ok::<(), slaclock::Error>(())
/// ```
pub struct Db {
    store: Store,
    /// Compiled policies by edition; editions never change.
    editions: RwLock<HashMap<u32, Arc<Edition>, FixedState>>,
    queue: Operations,
    /// The journal of interruptions as last read; entries are only ever added.
    declared: RwLock<Arc<Interruptions>>,
    /// Memory of lists that were given back.
    pub(crate) spare: Arc<spare::Spare>,
    /// The index of the last search.
    #[cfg(feature = "search")]
    engine: std::sync::Mutex<Option<crate::search::index::Engine>>,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("file", self.store.file()).finish_non_exhaustive()
    }
}

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Db>();
};

impl Db {
    /// Makes a new database at `path` under this policy, complete and on the disk when the call returns.
    ///
    /// # Errors
    /// `AlreadyExists` if anything at all is at `path`, even an empty file; `Unsupported` for bulk durability
    /// without exclusive mode; `Io`, `StorageFull`.
    pub fn create(path: impl AsRef<Path>, policy: &Policy, options: Options) -> Result<Db> {
        Db::make(Some(path.as_ref()), policy, &options)
    }

    /// Makes a database in memory, gone when dropped: for tests and experiments.
    ///
    /// # Errors
    /// None that a caller could cause.
    pub fn in_memory(policy: &Policy) -> Result<Db> {
        Db::make(None, policy, &Options::default())
    }

    fn make(path: Option<&Path>, policy: &Policy, options: &Options) -> Result<Db> {
        let head = Head { policy: 1, ..Head::default() };
        let store = Store::create(path, &options.file, head, &Db::first_edition(policy)?)?;
        Ok(Db::over(store))
    }

    /// What a new database holds of its policy: the policy, and what it asks of people.
    fn first_edition(policy: &Policy) -> Result<[(Table, u64, Vec<u8>); 2]> {
        let schedule = reminders::schedule(policy, Instant::MIN);
        Ok([
            (Table::Policies, 1, stored_edition(policy, Instant::MIN)?),
            (Table::Reminders, stored_reminders::key(1, 0), stored_reminders::write(&schedule)?),
        ])
    }

    fn over(store: Store) -> Db {
        Db {
            store,
            editions: RwLock::default(),
            queue: Operations::default(),
            declared: RwLock::default(),
            spare: Arc::default(),
            #[cfg(feature = "search")]
            engine: std::sync::Mutex::default(),
        }
    }

    /// Opens an existing database. Never makes one.
    ///
    /// # Errors
    /// `NotFound`; `NotADatabase` for any other kind of file; `NewerFormat`; `Damaged`; `Busy` if another process
    /// has it for itself; `Io`.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Db> {
        Ok(Db::over(Store::open(path.as_ref(), &options.file, options.read_only)?))
    }

    /// Puts everything written so far on the disk. Only bulk durability leaves anything to do.
    ///
    /// # Errors
    /// The errors of the file.
    pub fn flush(&self) -> Result<()> {
        self.store.file().flush()
    }

    /// Closes the database; every later call on it is `Closed`. Dropping it does the same but hides errors.
    ///
    /// # Errors
    /// `Busy` if a write does not end within the busy timeout, and then it stays open; `Io`.
    pub fn close(&self) -> Result<()> {
        self.store.file().close()
    }
}

pub(crate) fn no_request(id: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("request `{id}`: there is no such request"))
}
