//! What could go wrong with one file: two who make it at once, writers that die or never end, forks, full
//! disks, damage, panics. Other processes are this test program again, running [`in_a_child`].

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::Bound;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{BackendError, ReadableTable as _, StorageBackend, TableDefinition};

use super::*;

const TABLE: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("test");
const ROLE: &str = "SLACLOCK_TEST_ROLE";
const PATH: &str = "SLACLOCK_TEST_PATH";

fn put(txn: &WriteTxn, key: u64, value: &[u8]) -> Result<()> {
    txn.open_table(TABLE).store("opening")?.insert(key, value).store("inserting")?;
    Ok(())
}

fn write(file: &OpenFile, key: u64, value: &[u8]) -> Result<()> {
    let txn = file.begin_write()?;
    file.guard(|| put(&txn, key, value))?;
    file.commit(txn)
}

fn keys(file: &OpenFile) -> Result<Vec<u64>> {
    let txn = file.begin_read()?;
    file.guard(|| {
        let table = txn.open_table(TABLE).store("opening")?;
        let keys = table.iter().store("reading")?.map(|entry| Ok(entry.store("reading")?.0.value()));
        keys.collect()
    })
}

fn kind<T>(result: Result<T>) -> ErrorKind {
    result.err().expect("must fail").kind()
}

fn create(path: &Path, options: &Options) -> OpenFile {
    OpenFile::create(Some(path), options, |txn| put(txn, 0, b"first")).unwrap()
}

fn impatient() -> Options {
    Options { busy_timeout: Duration::from_millis(100), ..Options::default() }
}

fn exclusive() -> Options {
    Options { mode: Mode::Exclusive, ..impatient() }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn child(role: &str, path: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "store::file::tests::in_a_child", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role).env(PATH, path).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// Reads lines until one begins with `word`, and returns the rest of it.
fn wait_for(lines: &mut impl BufRead, word: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the child ended before it said {word}");
        if let Some((_, rest)) = line.split_once(word) {
            return rest.trim().to_owned();
        }
    }
}

/// Not a test of its own: what the other processes of these tests do.
#[test]
fn in_a_child() {
    let (Ok(role), Ok(path)) = (std::env::var(ROLE), std::env::var(PATH)) else { return };
    let path = Path::new(&path);
    let say = |text: String| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{text}").and_then(|()| out.flush()).unwrap();
    };
    match role.as_str() {
        "create" => {
            say("ready".to_owned());
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
            let made = OpenFile::create(Some(path), &Options::default(), |txn| put(txn, 0, b"first"));
            std::process::exit(made.map_or_else(|error| error.kind().code(), |_| 0));
        }
        "write" => {
            let file = OpenFile::open(path, &Options::default()).unwrap();
            for key in 1.. {
                write(&file, key, &[7; 300]).unwrap();
                say(format!("wrote {key}"));
            }
        }
        "hold" => {
            let file = OpenFile::open(path, &Options::default()).unwrap();
            let txn = file.begin_write().unwrap();
            say("held".to_owned());
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
            put(&txn, 50, b"held").unwrap();
            file.commit(txn).unwrap();
        }
        other => panic!("no role {other}"),
    }
}

#[test]
fn a_new_file_appears_complete_private_and_alone() {
    let folder = Folder::new();
    let path = folder.path("a.slaclock");
    let failed = OpenFile::create(Some(&path), &Options::default(), |_| {
        Err(Error::new(ErrorKind::InvalidPolicy, "for the test"))
    });
    assert_eq!((kind(failed), folder.names().len()), (ErrorKind::InvalidPolicy, 0));

    let file = create(&path, &Options::default());
    assert_eq!(folder.names(), ["a.slaclock"]);
    write(&file, 1, b"second").unwrap();
    file.close().unwrap();
    assert_eq!(kind(file.begin_read()), ErrorKind::Closed);
    assert_eq!(kind(file.begin_write()), ErrorKind::Closed);
    let file = OpenFile::open(&path, &Options::default()).unwrap();
    assert_eq!(keys(&file).unwrap(), [0, 1]);
    assert!(file.is_current(&path) && !file.is_read_only());
    fs::rename(&path, folder.path("b")).unwrap();
    fs::copy(folder.path("b"), &path).unwrap();
    assert!(!file.is_current(&path) && file.is_current(&folder.path("b")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(folder.path("b")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn creating_refuses_whatever_is_there() {
    let folder = Folder::new();
    fs::write(folder.path("empty"), b"").unwrap();
    fs::create_dir(folder.path("folder")).unwrap();
    let mut names = vec!["empty", "folder"];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", folder.path("dangling")).unwrap();
        names.push("dangling");
    }
    for name in names {
        let made = OpenFile::create(Some(&folder.path(name)), &Options::default(), |_| Ok(()));
        assert_eq!(kind(made), ErrorKind::AlreadyExists, "{name}");
    }
    assert_eq!(fs::read(folder.path("empty")).unwrap(), b"");
    let lost = OpenFile::create(Some(&folder.path("no/where")), &Options::default(), |_| Ok(()));
    assert_eq!(kind(lost), ErrorKind::NotFound);
}

#[test]
fn of_twelve_processes_exactly_one_creates() {
    let folder = Folder::new();
    let path = folder.path("race.slaclock");
    let mut children: Vec<Child> = (0..12).map(|_| child("create", &path)).collect();
    for child in &mut children {
        wait_for(&mut BufReader::new(child.stdout.as_mut().unwrap()), "ready");
    }
    children.iter_mut().for_each(|child| drop(child.stdin.take()));
    let mut codes: Vec<_> =
        children.into_iter().map(|mut child| child.wait().unwrap().code().unwrap()).collect();
    codes.sort_unstable();
    let exists = ErrorKind::AlreadyExists.code();
    assert_eq!(
        codes,
        [0, exists, exists, exists, exists, exists, exists, exists, exists, exists, exists, exists]
    );
    assert_eq!(folder.names(), ["race.slaclock"]);
    assert_eq!(keys(&OpenFile::open(&path, &Options::default()).unwrap()).unwrap(), [0]);
}

#[test]
fn opening_refuses_what_is_no_database_without_waiting_on_it() {
    let folder = Folder::new();
    let open = |name: &str| OpenFile::open(&folder.path(name), &Options::default());
    assert_eq!(kind(open("missing")), ErrorKind::NotFound);
    let foreign: [(&str, &[u8]); 4] = [
        ("empty", b""),
        ("text", b"hello"),
        ("zeros", &[0; 4096]),
        ("sqlite", b"SQLite format 3\0 and so on"),
    ];
    for (name, content) in foreign {
        fs::write(folder.path(name), content).unwrap();
        assert_eq!(kind(open(name)), ErrorKind::NotADatabase, "{name}");
        let path = folder.path(name);
        assert_eq!(
            kind(OpenFile::open_read_only(&path, &Options::default())),
            ErrorKind::NotADatabase,
            "{name}"
        );
        assert_eq!(fs::read(path).unwrap(), content);
    }
    assert_eq!(kind(OpenFile::open(folder.0.path(), &Options::default())), ErrorKind::NotADatabase);
    create(&folder.path("real"), &Options::default()).close().unwrap();
    let mut bytes = fs::read(folder.path("real")).unwrap();
    fs::write(folder.path("cut"), &bytes[..100]).unwrap();
    assert_eq!(kind(open("cut")), ErrorKind::Damaged);
    (bytes[64], bytes[192]) = (9, 9);
    fs::write(folder.path("newer"), &bytes).unwrap();
    assert_eq!(kind(open("newer")), ErrorKind::NewerFormat);
    #[cfg(unix)]
    {
        assert_eq!(
            kind(OpenFile::open(Path::new("/dev/null"), &Options::default())),
            ErrorKind::NotADatabase
        );
        assert!(Command::new("mkfifo").arg(folder.path("fifo")).status().unwrap().success());
        assert_eq!(kind(open("fifo")), ErrorKind::NotADatabase);
        assert_eq!(
            kind(OpenFile::open_read_only(&folder.path("fifo"), &Options::default())),
            ErrorKind::NotADatabase
        );
        std::os::unix::fs::symlink("real", folder.path("link")).unwrap();
        assert_eq!(keys(&open("link").unwrap()).unwrap(), [0]);
    }
}

#[test]
fn waiting_for_another_writer_ends() {
    let folder = Folder::new();
    let path = folder.path("busy.slaclock");
    let file = create(&path, &impatient());
    let mut holder = child("hold", &path);
    wait_for(&mut BufReader::new(holder.stdout.as_mut().unwrap()), "held");

    let since = Instant::now();
    let busy = file.begin_write().err().unwrap();
    assert_eq!(busy.kind(), ErrorKind::Busy);
    assert!(busy.message().contains("100 ms") && since.elapsed() < Duration::from_secs(4), "{busy}");
    assert_eq!(kind(OpenFile::open(&path, &impatient())), ErrorKind::Busy);
    // Readers wait for nobody.
    assert_eq!(keys(&file).unwrap(), [0]);

    let patient = Options { busy_timeout: Duration::from_secs(60), ..Options::default() };
    let waiting = OpenFile::open_read_only(&path, &patient).unwrap();
    assert_eq!(keys(&waiting).unwrap(), [0]);
    patient.cancel.store(true, Ordering::Relaxed);
    assert_eq!(kind(OpenFile::open(&path, &patient)), ErrorKind::Cancelled);
    file.options.cancel.store(true, Ordering::Relaxed);
    assert_eq!(kind(file.begin_write()), ErrorKind::Cancelled);
    file.options.cancel.store(false, Ordering::Relaxed);

    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    assert_eq!(file.state(), State::Ok);
    write(&file, 60, b"after").unwrap();
    assert_eq!(keys(&file).unwrap(), [0, 50, 60]);
    assert_eq!(keys(&waiting).unwrap(), [0, 50, 60]);
}

#[test]
fn threads_of_one_process_wait_in_the_same_way() {
    let folder = Folder::new();
    let file = create(&folder.path("a"), &impatient());
    let held = file.begin_write().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| assert_eq!(kind(file.begin_write()), ErrorKind::Busy));
        scope.spawn(|| assert_eq!(kind(file.close()), ErrorKind::Busy));
        scope.spawn(|| assert_eq!(kind(file.compact()), ErrorKind::Busy));
    });
    drop(held);
    // However slow the disk is, these come to their turn.
    drop(file);
    let file = OpenFile::open(&folder.path("a"), &Options::default()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let file = &file;
            scope.spawn(move || (0..5).for_each(|at| write(file, thread * 100 + at, b"x").unwrap()));
        }
    });
    assert_eq!(keys(&file).unwrap().len(), 20);
}

#[test]
fn exclusive_and_shared_exclude_each_other() {
    let folder = Folder::new();
    let path = folder.path("a");
    let alone = create(&path, &exclusive());
    assert_eq!(kind(OpenFile::open(&path, &impatient())), ErrorKind::Busy);
    assert_eq!(kind(OpenFile::open_read_only(&path, &impatient())), ErrorKind::Busy);
    alone.close().unwrap();
    let _shared = OpenFile::open(&path, &impatient()).unwrap();
    assert_eq!(kind(OpenFile::open(&path, &exclusive())), ErrorKind::Busy);
    assert!(OpenFile::open(&path, &impatient()).is_ok());
}

#[test]
fn nothing_acknowledged_is_lost_when_a_writer_is_killed() {
    let folder = Folder::new();
    let path = folder.path("killed.slaclock");
    create(&path, &Options::default()).close().unwrap();
    let mut acknowledged = 0;
    for round in 1..=4 {
        let mut writer = child("write", &path);
        let mut lines = BufReader::new(writer.stdout.take().unwrap());
        for _ in 0..round * 4 {
            acknowledged = acknowledged.max(wait_for(&mut lines, "wrote ").parse().unwrap());
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        // Every second time through a reader's opening, which has to repair first.
        let found = match round % 2 {
            0 => keys(&OpenFile::open_read_only(&path, &Options::default()).unwrap()).unwrap(),
            _ => keys(&OpenFile::open(&path, &Options::default()).unwrap()).unwrap(),
        };
        assert!(found.len() as u64 > acknowledged, "{} keys, {acknowledged} acknowledged", found.len());
        assert!(found.iter().copied().eq(0..found.len() as u64));
    }
    let file = OpenFile::open(&path, &Options { verify: Verify::Always, ..Options::default() }).unwrap();
    assert_eq!(file.check_integrity().unwrap(), Integrity::Sound);
}

#[cfg(unix)]
#[test]
fn a_forked_child_is_refused_and_harms_nothing() {
    let folder = Folder::new();
    let path = folder.path("forked.slaclock");
    let file = create(&path, &impatient());
    let txn = file.begin_write().unwrap();
    put(&txn, 1, b"before").unwrap();
    // SAFETY: the child touches only this handle and ends with `_exit`.
    #[allow(unsafe_code)]
    let status = unsafe {
        match libc::fork() {
            0 => {
                let refused = kind(file.begin_read()) == ErrorKind::ForkedHandle
                    && kind(file.begin_write()) == ErrorKind::ForkedHandle
                    && kind(file.guard(|| Ok(()))) == ErrorKind::ForkedHandle
                    && kind(file.commit(txn)) == ErrorKind::ForkedHandle
                    && kind(file.close()) == ErrorKind::ForkedHandle
                    && kind(file.file_bytes()) == ErrorKind::ForkedHandle
                    && !file.is_current(&path);
                drop(file);
                // The right way: a handle of the child's own. The parent is in a write, so it is busy.
                let own = kind(OpenFile::open(&path, &impatient()));
                libc::_exit(if !refused {
                    1
                } else if own != ErrorKind::Busy {
                    2
                } else {
                    0
                });
            }
            child => {
                let mut status = 0;
                assert!(child > 0 && libc::waitpid(child, &raw mut status, 0) == child);
                status
            }
        }
    };
    assert_eq!(status, 0);
    // The parent still has its lock, and its transaction.
    let second = OpenFile::open_read_only(&path, &impatient()).unwrap();
    assert_eq!(kind(OpenFile::open(&path, &impatient())), ErrorKind::Busy);
    put(&txn, 2, b"after").unwrap();
    file.commit(txn).unwrap();
    assert_eq!(keys(&second).unwrap(), [0, 1, 2]);
    drop((file, second));
    let file = OpenFile::open(&path, &Options { verify: Verify::Always, ..Options::default() }).unwrap();
    assert_eq!(keys(&file).unwrap(), [0, 1, 2]);
}

/// A storage whose writing fails while told so.
#[derive(Debug)]
struct Faulty<B> {
    storage: Arc<B>,
    fault: Arc<AtomicU8>,
}

const WORKS: u8 = 0;
const FULL: u8 = 1;
const BROKEN: u8 = 2;
const SYNC_FAILS: u8 = 3;

impl<B> Faulty<B> {
    fn check(&self, syncing: bool) -> std::io::Result<()> {
        match self.fault.load(Ordering::Relaxed) {
            FULL if !syncing => Err(std::io::ErrorKind::StorageFull.into()),
            BROKEN => Err(std::io::Error::from_raw_os_error(5)),
            SYNC_FAILS if syncing => Err(std::io::Error::from_raw_os_error(5)),
            _ => Ok(()),
        }
    }
}

impl<B: StorageBackend> StorageBackend for Faulty<B> {
    fn len(&self) -> std::io::Result<u64> {
        self.storage.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.storage.read(offset, out)
    }
    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.check(false)?;
        self.storage.set_len(len)
    }
    fn sync_data(&self) -> std::io::Result<()> {
        self.check(true)?;
        self.storage.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.check(false)?;
        self.storage.write(offset, data)
    }
    fn close(&self) -> std::io::Result<()> {
        self.storage.close()
    }
    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<bool, BackendError> {
        self.storage.try_lock_range(start, end)
    }
    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> std::result::Result<bool, BackendError> {
        self.storage.try_lock_shared_range(start, end)
    }
    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<(), BackendError> {
        self.storage.unlock_range(start, end)
    }
    fn query_lock_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> std::result::Result<bool, BackendError> {
        self.storage.query_lock_range(start, end)
    }
}

#[test]
fn after_a_failed_write_the_handle_only_reads_until_reopened() {
    for (fault, expected) in
        [(FULL, ErrorKind::StorageFull), (BROKEN, ErrorKind::Io), (SYNC_FAILS, ErrorKind::Io)]
    {
        let (storage, works) = (Arc::new(InMemoryBackend::new()), Arc::new(AtomicU8::new(WORKS)));
        let open = || {
            let faulty = Faulty { storage: storage.clone(), fault: works.clone() };
            open::on_backend(faulty, &exclusive(), None).unwrap()
        };
        let file = open();
        write(&file, 1, b"safe").unwrap();
        works.store(fault, Ordering::Relaxed);
        let failed = write(&file, 2, b"unknown").unwrap_err();
        assert_eq!(failed.kind(), expected);
        assert!(failed.message().contains("outcome is unknown until the file is reopened"), "{failed}");
        works.store(WORKS, Ordering::Relaxed);
        assert_eq!(file.state(), State::ReadOnly);
        let refused = write(&file, 3, b"refused").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ReadOnly);
        assert!(refused.message().contains("until the file is reopened"), "{refused}");
        assert_eq!(kind(file.flush()), ErrorKind::ReadOnly);
        drop(file);
        let file = open();
        let found = keys(&file).unwrap();
        assert!(found == [1] || found == [1, 2], "{found:?}");
        write(&file, 4, b"again").unwrap();
    }
}

#[test]
fn a_shared_file_is_still_read_after_a_failed_write() {
    let folder = Folder::new();
    let path = folder.path("full.slaclock");
    create(&path, &impatient()).close().unwrap();
    let works = Arc::new(AtomicU8::new(WORKS));
    let raw = fs::File::options().read(true).write(true).open(&path).unwrap();
    let faulty = Faulty { storage: Arc::new(FileBackend::new(raw).unwrap()), fault: works.clone() };
    let identity = Identity::of_path(&path).unwrap();
    let file = open::on_backend(faulty, &impatient(), Some((&path, identity))).unwrap();
    write(&file, 1, b"safe").unwrap();
    works.store(FULL, Ordering::Relaxed);
    assert_eq!(kind(write(&file, 2, &[1; 100_000])), ErrorKind::StorageFull);
    assert_eq!(keys(&file).unwrap(), [0, 1]);
    assert_eq!(kind(file.begin_write()), ErrorKind::ReadOnly);
    // Others are not held up, and are followed.
    let other = OpenFile::open(&path, &impatient()).unwrap();
    write(&other, 3, b"other").unwrap();
    assert_eq!(keys(&file).unwrap(), [0, 1, 3]);
    drop(file);
    write(&other, 4, b"more").unwrap();
    drop(other);
    let file = OpenFile::open(&path, &Options { verify: Verify::Always, ..impatient() }).unwrap();
    assert_eq!(keys(&file).unwrap(), [0, 1, 3, 4]);
}

#[test]
fn a_panic_ends_the_handle_but_neither_the_file_nor_the_others() {
    let folder = Folder::new();
    let path = folder.path("panic.slaclock");
    let (file, other) = (create(&path, &impatient()), OpenFile::open(&path, &impatient()).unwrap());
    let reader = file.begin_read().unwrap();
    let txn = file.begin_write().unwrap();
    let caught = file.guard::<()>(|| {
        put(&txn, 1, b"half")?;
        panic!("for the test");
    });
    assert_eq!(kind(caught), ErrorKind::Damaged);
    assert_eq!(file.state(), State::Damaged);
    for refused in [file.begin_read().map(drop), file.begin_write().map(drop), file.commit(txn), file.close()]
    {
        assert_eq!(kind(refused), ErrorKind::Damaged);
    }
    // At once, although the transactions still lie about.
    write(&other, 2, b"other").unwrap();
    drop((reader, file));
    assert_eq!(keys(&other).unwrap(), [0, 2]);
    drop(other);
    let file = OpenFile::open(&path, &Options { verify: Verify::Always, ..impatient() }).unwrap();
    assert_eq!(keys(&file).unwrap(), [0, 2]);

    let txn = file.begin_write().unwrap();
    let unguarded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let txn = txn;
        put(&txn, 5, b"half").unwrap();
        panic!("for the test");
    }));
    assert!(unguarded.is_err());
    assert_eq!(kind(file.begin_write()), ErrorKind::Damaged);
}

#[test]
fn damage_is_an_error_and_never_a_panic_or_a_wrong_answer() {
    let folder = Folder::new();
    let path = folder.path("whole.slaclock");
    let file = create(&path, &exclusive());
    for key in 1..40 {
        write(&file, key, &[key as u8; 700]).unwrap();
    }
    file.close().unwrap();
    let whole = fs::read(&path).unwrap();
    let expected: Vec<u64> = (0..40).collect();
    let checked = Options { verify: Verify::Always, cache_bytes: 1 << 20, ..exclusive() };
    let damaged = folder.path("damaged.slaclock");
    let mut refused = 0;
    let header = (0..320).step_by(9);
    for at in header.chain((4_096..whole.len()).step_by(whole.len() / 40)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x5a;
        fs::write(&damaged, &bytes).unwrap();
        match OpenFile::open(&damaged, &checked).and_then(|file| keys(&file)) {
            Ok(keys) => assert_eq!(keys, expected, "byte {at}"),
            Err(error) => {
                let known = [ErrorKind::Damaged, ErrorKind::NotADatabase, ErrorKind::NewerFormat];
                assert!(known.contains(&error.kind()), "byte {at}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 5, "only {refused} refused");
    for len in [321, 4_096, whole.len() / 2] {
        fs::write(&damaged, &whole[..len]).unwrap();
        assert_eq!(kind(OpenFile::open(&damaged, &checked)), ErrorKind::Damaged, "{len} bytes");
    }
}

#[test]
fn a_bulk_load_is_durable_every_so_many_rows_and_when_told() {
    let bulk =
        |every, every_rows| Options { durability: Durability::Bulk { every, every_rows }, ..exclusive() };
    let folder = Folder::new();
    let shared = Options { mode: Mode::Shared, ..bulk(Duration::ZERO, 0) };
    assert_eq!(kind(OpenFile::create(Some(&folder.path("no")), &shared, |_| Ok(()))), ErrorKind::Unsupported);

    let path = folder.path("bulk.slaclock");
    let hour = Duration::from_secs(3600);
    let file = create(&path, &bulk(hour, 10));
    let add = |file: &OpenFile, key| {
        let txn = file.begin_write().unwrap();
        put(&txn, key, b"row").unwrap();
        txn.count_rows(4);
        file.commit(txn).unwrap();
    };
    // As a crash would: no closing, no flushing.
    let crash = |file: OpenFile| {
        file.core.retire().unwrap();
        std::mem::forget(file);
    };
    for key in 1..=5 {
        add(&file, key);
        assert_eq!(file.pending().commits == 0, key == 3, "key {key}");
    }
    assert_eq!(keys(&file).unwrap(), [0, 1, 2, 3, 4, 5]);
    crash(file);
    let file = OpenFile::open(&path, &bulk(hour, 10)).unwrap();
    assert_eq!(keys(&file).unwrap(), [0, 1, 2, 3]);
    add(&file, 6);
    file.flush().unwrap();
    assert_eq!(file.pending().commits, 0);
    crash(file);
    let file = OpenFile::open(&path, &bulk(Duration::ZERO, u64::MAX)).unwrap();
    add(&file, 7);
    crash(file);
    let file = OpenFile::open(&path, &bulk(hour, u64::MAX)).unwrap();
    assert_eq!(keys(&file).unwrap(), [0, 1, 2, 3, 6, 7]);
    add(&file, 8);
    file.close().unwrap();
    assert_eq!(keys(&OpenFile::open(&path, &exclusive()).unwrap()).unwrap(), [0, 1, 2, 3, 6, 7, 8]);
}

#[test]
fn a_reader_follows_and_never_writes() {
    let folder = Folder::new();
    let path = folder.path("a");
    let writer = create(&path, &impatient());
    let reader = OpenFile::open_read_only(&path, &impatient()).unwrap();
    assert!(reader.is_read_only());
    write(&writer, 1, b"x").unwrap();
    assert_eq!(keys(&reader).unwrap(), [0, 1]);
    let refused = reader.begin_write().err().unwrap();
    assert!(refused.kind() == ErrorKind::ReadOnly && refused.message().contains("for reading only"));
    assert_eq!(kind(reader.guard(|| reader.begin_write().map(drop))), ErrorKind::ReadOnly);
    assert_eq!(kind(reader.compact()), ErrorKind::ReadOnly);
    assert_eq!(keys(&reader).unwrap(), [0, 1]);
    writer.close().unwrap();
    assert_eq!(keys(&reader).unwrap(), [0, 1]);
    reader.close().unwrap();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    assert_eq!(keys(&OpenFile::open_read_only(&path, &impatient()).unwrap()).unwrap(), [0, 1]);
}

#[test]
fn compaction_gives_space_back_and_waits_for_readers() {
    let folder = Folder::new();
    let file = create(&folder.path("a"), &impatient());
    write(&file, 1, &vec![1; 3 << 20]).unwrap();
    let before = file.sizes().unwrap();
    assert!(before.file > before.stored && before.stored > 3 << 20 && before.overhead < before.stored);
    write(&file, 1, b"small").unwrap();
    let reader = file.begin_read().unwrap();
    assert_eq!(kind(file.compact()), ErrorKind::Busy);
    drop(reader);
    assert_eq!(file.state(), State::Ok);
    file.compact().unwrap();
    assert!(file.file_bytes().unwrap() < before.file / 4, "{:?}", file.sizes());
    assert_eq!(file.check_integrity().unwrap(), Integrity::Sound);
    write(&file, 2, b"on").unwrap();
    assert_eq!(keys(&file).unwrap(), [0, 1, 2]);
}

#[test]
fn memory_needs_no_file() {
    let file = OpenFile::create(None, &Options::default(), |txn| put(txn, 0, b"x")).unwrap();
    write(&file, 1, b"y").unwrap();
    assert_eq!(keys(&file).unwrap(), [0, 1]);
    assert_eq!((file.pending().commits, file.is_current(Path::new("a"))), (0, false));
    assert!(file.file_bytes().unwrap() > 0);
    let memory = Options { durability: Durability::Memory, ..Options::default() };
    assert_eq!(kind(OpenFile::open(Path::new("a"), &memory)), ErrorKind::Unsupported);
    file.close().unwrap();
    assert_eq!(kind(file.begin_read()), ErrorKind::Closed);
}
