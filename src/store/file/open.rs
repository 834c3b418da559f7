//! Creating and opening: what counts as our file, and how one comes to exist.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use redb::StorageBackend;
use redb::backends::FileBackend;

use super::backend::{Core, Guarded, Waits};
use super::errors::StoreResult;
use super::health::Health;
use super::{Durability, Handle, Mode, OpenFile, Options, Pending, VERIFY_UP_TO_BYTES, Verify, WriteTxn};
use crate::error::{Error, ErrorKind, Result};
use crate::store::salvage::shape;

/// First bytes of every file of the engine.
const MAGIC: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";
/// Where the engine's header keeps its flags.
const FLAGS_AT: usize = 9;
/// A writer is at work, or died at it; a commit's last sync is outstanding, or never came.
const UNCLEAN_FLAGS: u8 = 2 | 8;
/// Where each of the two commit slots keeps the version of the engine's format, and the newest we read.
const FORMATS_AT: [usize; 2] = [64, 192];
const NEWEST_FORMAT: u8 = 3;
const HEADER_BYTES: usize = 320;
/// The lock byte that every writing process holds while it is past recovery. If somebody does, the
/// flags above mean a writer at work.
const WRITER_AT_WORK_BYTE: u64 = (1 << 62) + 4;

/// Which file a path leads to, whatever the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// Follows symbolic links.
    pub(crate) fn of_path(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::of(&metadata))
    }

    #[cfg(unix)]
    fn of(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Identity { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Without inode numbers, the time of creation has to do.
    #[cfg(not(unix))]
    fn of(metadata: &fs::Metadata) -> Self {
        let created = metadata.created().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        Identity { device: 0, inode: created.map_or(0, |since| since.as_nanos() as u64) }
    }
}

pub(super) fn create(
    path: &Path,
    options: &Options,
    init: impl FnOnce(&WriteTxn) -> Result<()>,
) -> Result<OpenFile> {
    check(options)?;
    if fs::symlink_metadata(path).is_ok() {
        return Err(already_exists(path));
    }
    let draft = FileDraft::new(path).map_err(|cause| io_at(path, "creating", cause))?;
    build(&draft, options, init).map_err(|error| of_creation(path, error))?;
    open(path, options)
}

/// A file in the making, under a name that nobody looks for until it is published.
#[allow(unreachable_pub, reason = "simulations bring their own, with the feature `sim`")]
pub trait Draft {
    /// The empty file.
    fn storage(&self) -> io::Result<Box<dyn StorageBackend>>;
    /// Puts its content and its length on the disk.
    fn sync(&self) -> io::Result<()>;
    /// Gives it its name; `AlreadyExists` if anything has that name by now.
    fn publish(&self) -> io::Result<()>;
    /// Puts the name on the disk.
    fn sync_folder(&self) -> io::Result<()>;
}

/// Fills a draft and publishes it. The name comes after the content is on the disk, so that a crash leaves a whole file
/// or none.
pub(super) fn build(
    draft: &impl Draft,
    options: &Options,
    init: impl FnOnce(&WriteTxn) -> Result<()>,
) -> Result<()> {
    let building = Options { mode: Mode::Exclusive, durability: Durability::Safe, ..options.clone() };
    let storage = draft.storage().map_err(|cause| Error::from(cause).context("creating"))?;
    let core = core_of(storage, true, &building);
    let file = finish(&core, open_engine(&core, &building, false), &building, None)?;
    file.initialise(init)?;
    file.close()?;
    publish_draft(draft)
}

/// Puts a filled draft on the disk and gives it its name for good.
fn publish_draft(draft: &impl Draft) -> Result<()> {
    let failed = |cause: io::Error| match cause.kind() {
        io::ErrorKind::AlreadyExists => Error::new(ErrorKind::AlreadyExists, "creating: the name is taken"),
        _ => Error::from(cause).context("creating"),
    };
    draft.sync().map_err(failed)?;
    draft.publish().map_err(failed)?;
    draft.sync_folder().map_err(failed)
}

fn of_creation(path: &Path, error: Error) -> Error {
    match error.kind() {
        ErrorKind::AlreadyExists => already_exists(path),
        _ => at(path, error),
    }
}

pub(super) fn open(path: &Path, options: &Options) -> Result<OpenFile> {
    check(options)?;
    retry_while_busy(options, || {
        let (file, identity) = existing(path, true)?;
        open_storage(storage_of(file)?, options, Some((path, identity))).map_err(|error| at(path, error))
    })
}

/// Opens what is in a storage already.
pub(super) fn open_storage(
    storage: Box<dyn StorageBackend>,
    options: &Options,
    file: Option<(&Path, Identity)>,
) -> Result<OpenFile> {
    let core = core_of(storage, false, options);
    let header = Header::read(&core)?;
    let verify = match options.verify {
        Verify::Always => true,
        Verify::Never => false,
        Verify::Auto => header.unclean && header.file_bytes <= VERIFY_UP_TO_BYTES && !writer_at_work(&core),
    };
    if verify {
        check_shape(&core)?;
    }
    finish(&core, open_engine(&core, options, verify), options, file)
}

pub(super) fn open_read_only(path: &Path, options: &Options) -> Result<OpenFile> {
    let first = read_only_beside_writer(path, options);
    match &first {
        Err(error) if error.kind() == ErrorKind::ReadOnly => {}
        _ => return first,
    }
    // Nobody has it open, and its last writer died: one opening for writing repairs it.
    match open(path, options) {
        Ok(repaired) => repaired.close()?,
        Err(error) if error.kind() == ErrorKind::Io => return first,
        Err(error) => return Err(error),
    }
    read_only_beside_writer(path, options)
}

/// As [`open_read_only`], but a file that its last writer left unclean is refused with `ReadOnly`.
pub(super) fn read_only_beside_writer(path: &Path, options: &Options) -> Result<OpenFile> {
    check(options)?;
    retry_while_busy(options, || {
        let (file, identity) = existing(path, false)?;
        let core = core_of(storage_of(file)?, false, options);
        Header::read(&core).map_err(|error| at(path, error))?;
        let engine = Health::default().guard(|| {
            let database = builder(options).open_read_only_with_backend(Guarded(core.clone()));
            database.map(Handle::Read).store("opening")
        });
        finish(&core, engine, options, Some((path, identity))).map_err(|error| at(path, error))
    })
}

/// A handle on a storage of the caller's: memory, or a file that fails on purpose.
pub(super) fn on_backend(
    storage: impl StorageBackend,
    options: &Options,
    file: Option<(&Path, Identity)>,
) -> Result<OpenFile> {
    let core = core_of(Box::new(storage), file.is_none(), options);
    finish(&core, open_engine(&core, options, false), options, file)
}

/// Looks at the file's trees before the engine does. What a writer changes meanwhile is looked at again.
pub(super) fn check_shape(core: &Arc<Core>) -> Result<()> {
    settled(core, shape::check)
}

/// Looks at the engine's own tables before it writes by them, as [`check_shape`] does at all of them.
pub(super) fn check_engine(core: &Arc<Core>) -> Result<()> {
    settled(core, shape::check_engine)
}

/// Reads bytes of the file from a place on.
type Read = Box<dyn Fn(u64, &mut [u8]) -> std::io::Result<()>>;

/// Looks at a file of so many bytes, and once more if that failed and the header changed meanwhile.
fn settled(core: &Arc<Core>, look: fn(u64, Read) -> Result<()>) -> Result<()> {
    let header = || {
        let mut bytes = [0; HEADER_BYTES];
        core.read(0, &mut bytes).map(|()| bytes)
    };
    loop {
        let before = header().map_err(Error::from)?;
        let reads = core.clone();
        let looked = look(core.len()?, Box::new(move |at, out| reads.read(at, out)));
        if looked.is_ok() || header().map_err(Error::from)? == before {
            return looked;
        }
    }
}

/// A file of any content to read as it is, while nobody has it open.
pub(super) fn raw(path: &Path) -> Result<File> {
    let (file, _) = existing(path, false)?;
    let copy = file.try_clone().map_err(|cause| io_at(path, "opening", cause))?;
    let locks = core_of(storage_of(copy)?, false, &Options::default());
    // Where there are no such locks, nobody can have it open by them.
    if Guarded(locks).query_lock_range(Bound::Unbounded, Bound::Unbounded).unwrap_or(false) {
        return Err(at(
            path,
            Error::new(ErrorKind::Busy, "somebody has the file open; it must be closed first"),
        ));
    }
    Ok(file)
}

/// Gives a finished file its name, complete and on the disk.
pub(super) fn publish(draft: &Path, path: &Path) -> Result<()> {
    let draft = FileDraft { path: draft.to_owned(), folder: folder_of(path), wanted: path.to_owned() };
    publish_draft(&draft).map_err(|error| of_creation(path, error))
}

/// A name beside `path` that nothing has, for a file in the making; and a guard that removes what has it.
pub(super) fn draft(path: &Path) -> Result<(PathBuf, impl Drop + use<>)> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(already_exists(path));
    }
    let draft = FileDraft::new(path).map_err(|cause| io_at(path, "creating", cause))?;
    fs::remove_file(&draft.path).map_err(|cause| io_at(path, "creating", cause))?;
    Ok((draft.path.clone(), draft))
}

fn open_engine(core: &Arc<Core>, options: &Options, verify: bool) -> Result<Handle> {
    // A damaged file that is not verified may make the engine panic as early as here.
    Health::default().guard(|| {
        let mut builder = builder(options);
        builder.set_check_integrity_on_open(verify);
        builder.create_with_backend(Guarded(core.clone())).map(Handle::Write).store("opening")
    })
}

fn finish(
    core: &Arc<Core>,
    engine: Result<Handle>,
    options: &Options,
    file: Option<(&Path, Identity)>,
) -> Result<OpenFile> {
    let handle = engine.inspect_err(|_| {
        // A panic may have left the engine's own handle, with its locks, in nobody's hands.
        let _ = core.retire();
    })?;
    Ok(OpenFile {
        read_only: matches!(handle, Handle::Read(_)),
        core: core.clone(),
        handle: RwLock::new(Some(handle)),
        fallback: Mutex::new(None),
        health: Arc::default(),
        turnstile: Arc::default(),
        pending: Mutex::new(Pending::none()),
        options: options.clone(),
        path: file.map(|(path, _)| path.to_owned()),
        identity: file.map(|(_, identity)| identity),
        was_looked_at: AtomicBool::new(false),
    })
}

fn builder(options: &Options) -> redb::Builder {
    let mut builder = redb::Builder::new();
    builder.set_cache_size(options.cache_bytes).set_concurrency_mode(match options.mode {
        Mode::Shared => redb::ConcurrencyMode::MultiWriter,
        Mode::Exclusive => redb::ConcurrencyMode::ExclusiveWriter,
    });
    builder
}

fn storage_of(file: File) -> Result<Box<dyn StorageBackend>> {
    Ok(Box::new(FileBackend::new(file).store("opening")?))
}

fn core_of(storage: Box<dyn StorageBackend>, may_be_empty: bool, options: &Options) -> Arc<Core> {
    Core::new(storage, may_be_empty, options.busy_timeout, options.cancel.clone())
}

fn writer_at_work(core: &Arc<Core>) -> bool {
    let byte = Bound::Included(WRITER_AT_WORK_BYTE);
    // Where there are no such locks, there is no other writer to tell from a crash.
    Guarded(core.clone()).query_lock_range(byte, byte).unwrap_or(false)
}

fn check(options: &Options) -> Result<()> {
    let refuse = |text: &str| Err(Error::new(ErrorKind::Unsupported, text));
    match (options.durability, options.mode) {
        (Durability::Memory, _) => refuse("durability `memory` has no file"),
        (Durability::Bulk { .. }, Mode::Shared) => refuse("durability `bulk` needs mode `exclusive`"),
        _ => Ok(()),
    }
}

/// Opens a regular file, without waiting on anything else that may be at the path.
fn existing(path: &Path, writable: bool) -> Result<(File, Identity)> {
    let regular = |metadata: &fs::Metadata| match metadata.is_file() {
        true => Ok(Identity::of(metadata)),
        false => Err(Error::new(ErrorKind::NotADatabase, format!("{}: not a regular file", path.display()))),
    };
    let failed = |cause| io_at(path, "opening", cause);
    // Asked first, since opening a device can have effects of its own; asked again of what was opened.
    regular(&fs::metadata(path).map_err(failed)?)?;
    let mut how = OpenOptions::new();
    how.read(true).write(writable);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut how, libc::O_NONBLOCK);
    let file = how.open(path).map_err(failed)?;
    let identity = regular(&file.metadata().map_err(failed)?)?;
    Ok((file, identity))
}

/// What the first bytes of a file tell before the engine sees it.
struct Header {
    unclean: bool,
    file_bytes: u64,
}

impl Header {
    fn read(core: &Core) -> Result<Self> {
        let not_ours = |what: &str| Err(Error::new(ErrorKind::NotADatabase, what));
        let file_bytes = core.len()?;
        let mut bytes = vec![0; file_bytes.min(HEADER_BYTES as u64) as usize];
        core.read(0, &mut bytes)?;
        if bytes.is_empty() {
            return not_ours("the file is empty");
        }
        if !bytes.starts_with(&MAGIC) {
            return not_ours("the file does not begin like a database");
        }
        if bytes.len() < HEADER_BYTES {
            return Err(Error::new(ErrorKind::Damaged, "the file ends within its header"));
        }
        if FORMATS_AT.iter().all(|&at| bytes[at] > NEWEST_FORMAT) {
            let found = bytes[FORMATS_AT[0]];
            return Err(Error::new(
                ErrorKind::NewerFormat,
                format!("the file has storage format {found}; this release reads up to {NEWEST_FORMAT}"),
            ));
        }
        Ok(Header { unclean: bytes[FLAGS_AT] & UNCLEAN_FLAGS != 0, file_bytes })
    }
}

fn retry_while_busy(options: &Options, mut attempt: impl FnMut() -> Result<OpenFile>) -> Result<OpenFile> {
    let mut waits = Waits::new();
    loop {
        match attempt() {
            Err(error) if error.kind() == ErrorKind::Busy => {
                // The other's reason is the better message; only cancellation replaces it.
                match waits.pause(options.busy_timeout, Some(&*options.cancel)) {
                    Ok(()) => {}
                    Err(super::Fault::Busy(_)) => return Err(error),
                    Err(fault) => return Err(fault.error()),
                }
            }
            result => return result,
        }
    }
}

/// A file under a temporary name, which goes when this is dropped.
struct FileDraft {
    path: PathBuf,
    folder: PathBuf,
    wanted: PathBuf,
}

impl FileDraft {
    fn new(wanted: &Path) -> io::Result<Self> {
        // Counts the drafts of this process; another's, or one that a crash left, is simply passed over.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = folder_of(wanted);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".slaclock-{}-{number}.new", std::process::id()));
            let mut how = OpenOptions::new();
            how.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
            match how.open(&path) {
                Ok(_) => return Ok(FileDraft { path, folder, wanted: wanted.to_owned() }),
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(cause),
            }
        }
    }

    fn reopen(&self) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(&self.path)
    }

    /// For file systems without hard links: an empty file reserves the name, which nobody opens.
    fn rename(&self) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).open(&self.wanted)?;
        fs::rename(&self.path, &self.wanted).inspect_err(|_| {
            let _ = fs::remove_file(&self.wanted);
        })
    }
}

impl Draft for FileDraft {
    fn storage(&self) -> io::Result<Box<dyn StorageBackend>> {
        let backend = FileBackend::new(self.reopen()?).map_err(io::Error::other)?;
        Ok(Box::new(backend))
    }

    fn sync(&self) -> io::Result<()> {
        self.reopen()?.sync_all()
    }

    fn publish(&self) -> io::Result<()> {
        // A link fails if anything, even a dangling symbolic link, is there; a renaming would replace it.
        match fs::hard_link(&self.path, &self.wanted) {
            Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => self.rename()?,
            linked => linked?,
        }
        let _ = fs::remove_file(&self.path);
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        sync_folder(&self.folder)
    }
}

impl Drop for FileDraft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened to be synced.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

fn already_exists(path: &Path) -> Error {
    Error::new(
        ErrorKind::AlreadyExists,
        format!("{}: already exists; `create` makes new files only", path.display()),
    )
}

fn io_at(path: &Path, doing: &str, cause: io::Error) -> Error {
    at(path, Error::from(cause).context(doing))
}

fn at(path: &Path, error: Error) -> Error {
    error.context(path.display())
}
