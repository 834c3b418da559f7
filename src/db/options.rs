//! How a database is opened.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::store::file;

/// When a commit is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// When the call returns: a power cut afterwards does not lose it. The default.
    #[default]
    Safe,
    /// For loading much at once, in one process: commits become durable together, every `every` or every
    /// `every_rows` rows, whichever comes first, and at [`Db::flush`](super::Db::flush) and close. A crash loses what
    /// was written since, whole calls only. Needs [`Mode::Exclusive`].
    Bulk {
        /// The longest time between durable commits while writes go on.
        every: Duration,
        /// The most rows between durable commits.
        every_rows: u64,
    },
}

impl Durability {
    /// Bulk with a loss window of one second or 100,000 rows.
    pub const BULK: Durability = Durability::Bulk { every: Duration::from_secs(1), every_rows: 100_000 };
}

/// Who may use the file at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// Any number of processes on this machine, one writing at a time. The default.
    #[default]
    Shared,
    /// This handle only; others get `Busy`. Faster, for servers that are one process.
    Exclusive,
}

/// When opening verifies every page of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Verify {
    /// When the file was not closed cleanly and has at most 16 MiB. The default.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a database is opened. [`Options::default`] suits most programs.
///
/// ```
/// use std::time::Duration;
/// use slaclock::Options;
///
/// let options = Options::default().busy_timeout(Duration::from_secs(1)).cache_bytes(16 << 20);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(crate) file: file::Options,
    pub(crate) read_only: bool,
    /// The caller gave the cancellation flag.
    cancels: bool,
}

impl Options {
    /// Sets when commits are durable.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.file.durability = match durability {
            Durability::Safe => file::Durability::Safe,
            Durability::Bulk { every, every_rows } => file::Durability::Bulk { every, every_rows },
        };
        self
    }

    /// Sets who may use the file at the same time. Every program that opens a file must agree on it.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.file.mode = match mode {
            Mode::Shared => file::Mode::Shared,
            Mode::Exclusive => file::Mode::Exclusive,
        };
        self
    }

    /// Sets when opening verifies every page.
    #[must_use]
    pub fn verify(mut self, verify: Verify) -> Self {
        self.file.verify = match verify {
            Verify::Auto => file::Verify::Auto,
            Verify::Always => file::Verify::Always,
            Verify::Never => file::Verify::Never,
        };
        self
    }

    /// Sets the memory for pages of the file, in bytes. 64 MiB unless set. Verified values take up to half as much
    /// again, and what long lists are told from as much again, once they are asked for: 20 bytes a clock and about 16 a
    /// request. Without room for that, each row of a list is looked up in the file. Beside that, up to 64 MiB of the
    /// columns of lists that are no longer used are kept for the next list until the database is closed.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.file.cache_bytes = bytes;
        self
    }

    /// Sets how long a call waits for other writers before `Busy`. 5 s unless set.
    #[must_use]
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.file.busy_timeout = timeout;
        self
    }

    /// Opens for reading only, beside writers.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Sets the flag that, while raised from any thread, ends every wait of the handle with `Cancelled`.
    #[must_use]
    pub fn cancel(mut self, flag: Arc<AtomicBool>) -> Self {
        self.file.cancel = flag;
        self.cancels = true;
        self
    }

    /// Whether both ask for the same: a given cancellation flag must be the very same one.
    pub(crate) fn is_same_as(&self, other: &Options) -> bool {
        let of = |options: &Options| {
            let file::Options { mode, durability, verify, cache_bytes, busy_timeout, cancel: _, fold_after } =
                options.file;
            (
                mode,
                durability,
                verify,
                cache_bytes,
                busy_timeout,
                fold_after,
                options.read_only,
                options.cancels,
            )
        };
        let same_flag = !self.cancels || Arc::ptr_eq(&self.file.cancel, &other.file.cancel);
        of(self) == of(other) && same_flag
    }
}
