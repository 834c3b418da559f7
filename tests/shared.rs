//! Handles shared within a process. What could go wrong: a file is opened twice, a handle of a file that was replaced,
//! damaged or closed is handed out again, a fork uses or frees what is its parent's, an idle handle shuts others out.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slaclock::db::shutdown;
use slaclock::{Db, ErrorKind, Instant, Mode, Options, Page, Policy, Request};

/// `shutdown` closes the handles of the whole process, so one test runs at a time.
static ALONE: Mutex<()> = Mutex::new(());

struct Bench {
    _alone: MutexGuard<'static, ()>,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        Bench { _alone: alone, folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        let policy = Policy::load("examples/policies/promise.toml").unwrap();
        Db::create(&path, &policy, Options::default()).unwrap().close().unwrap();
        path
    }
}

fn shared(path: &Path) -> Arc<Db> {
    Db::shared(path, Options::default()).unwrap()
}

fn request(id: &str) -> Request {
    Request::new(id, Instant::parse("2026-03-06T12:00:00Z").unwrap())
}

#[test]
fn everyone_gets_the_same_handle_and_it_stays() {
    let bench = Bench::new();
    let path = bench.file("a");
    let handles: Vec<Arc<Db>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| shared(&path))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(handles.iter().all(|handle| Arc::ptr_eq(handle, &handles[0])));
    handles[0].submit(&request("CASE-1")).unwrap();
    let kept = Arc::downgrade(&handles[0]);
    drop(handles);
    assert!(kept.upgrade().is_some());

    // By another path, too.
    let detour = bench.folder.path().join("..").join(bench.folder.path().file_name().unwrap()).join("a");
    assert_eq!(Arc::as_ptr(&shared(&detour)), kept.as_ptr());
    #[cfg(unix)]
    {
        let link = bench.folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(Arc::as_ptr(&shared(&link)), kept.as_ptr());
    }
    // It follows what others write.
    Db::open(&path, Options::default()).unwrap().submit(&request("CASE-2")).unwrap();
    assert_eq!(shared(&path).info().unwrap().requests, 2);
    shutdown().unwrap();
    assert!(kept.upgrade().is_none());
}

#[test]
fn other_options_are_another_handle() {
    let bench = Bench::new();
    let path = bench.file("a");
    let plain = shared(&path);
    let flag = Arc::<AtomicBool>::default();
    let others = [
        Options::default().busy_timeout(Duration::from_millis(1)),
        Options::default().cache_bytes(1 << 20),
        Options::default().read_only(),
        Options::default().cancel(flag.clone()),
        Options::default().cancel(Arc::default()),
    ];
    for options in others {
        let other = Db::shared(&path, options.clone()).unwrap();
        assert!(!Arc::ptr_eq(&other, &plain));
        assert!(Arc::ptr_eq(&other, &Db::shared(&path, options).unwrap()));
    }
    let own = Db::shared(&path, Options::default().cancel(flag.clone())).unwrap();
    assert!(Arc::ptr_eq(&own, &Db::shared(&path, Options::default().cancel(flag)).unwrap()));
    assert!(Arc::ptr_eq(&plain, &shared(&path)));
    shutdown().unwrap();
}

#[test]
fn what_is_not_the_file_any_more_is_not_handed_out() {
    let bench = Bench::new();
    let (path, other) = (bench.file("a"), bench.file("b"));
    let before = shared(&path);
    before.submit(&request("CASE-1")).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(Db::shared(&path, Options::default()).unwrap_err().kind(), ErrorKind::NotFound);
    std::fs::rename(&other, &path).unwrap();
    let after = shared(&path);
    assert!(!Arc::ptr_eq(&before, &after));
    assert_eq!((before.info().unwrap().requests, after.info().unwrap().requests), (1, 0));
    // The handle of the file that is gone ends with its last user.
    let gone = Arc::downgrade(&before);
    drop(before);
    assert!(gone.upgrade().is_none());

    after.close().unwrap();
    assert_eq!(after.info().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(shared(&path).info().unwrap().requests, 0);
    assert_eq!(
        Db::shared(bench.folder.path(), Options::default()).unwrap_err().kind(),
        ErrorKind::NotADatabase
    );
    shutdown().unwrap();
}

#[test]
fn a_damaged_handle_is_opened_anew() {
    let bench = Bench::new();
    let path = bench.file("a");
    let db = shared(&path);
    db.submit(&request("CASE-1")).unwrap();
    db.compact().unwrap();
    let whole = std::fs::read(&path).unwrap();
    // Everything behind the header turns to zeros under the handle.
    let mut broken = whole.clone();
    broken[4096..].fill(0);
    std::fs::write(&path, &broken).unwrap();
    Db::open(&path, Options::default()).unwrap_err();
    let failed = db.check().unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Damaged);
    std::fs::write(&path, &whole).unwrap();
    let again = shared(&path);
    assert!(!Arc::ptr_eq(&db, &again));
    assert_eq!(again.get("CASE-1").unwrap().request, request("CASE-1"));
    shutdown().unwrap();
}

#[test]
fn an_exclusive_handle_is_shared_while_used_and_does_not_linger() {
    let bench = Bench::new();
    let path = bench.file("a");
    let options = Options::default().mode(Mode::Exclusive);
    let first = Db::shared(&path, options.clone()).unwrap();
    assert!(Arc::ptr_eq(&first, &Db::shared(&path, options).unwrap()));
    drop(first);
    Db::open(&path, Options::default()).unwrap();
}

#[test]
fn few_handles_stay_open_unused() {
    let bench = Bench::new();
    let used = shared(&bench.file("used"));
    let kept: Vec<_> = (0..40).map(|at| Arc::downgrade(&shared(&bench.file(&format!("idle{at}"))))).collect();
    let open: Vec<bool> = kept.iter().map(|kept| kept.upgrade().is_some()).collect();
    assert!(open.iter().filter(|open| **open).count() <= 16, "{open:?}");
    assert!(open[39] && open[38] && !open[0]);
    assert!(Arc::ptr_eq(&used, &shared(&bench.folder.path().join("used"))));
    shutdown().unwrap();
    assert_eq!(used.info().unwrap_err().kind(), ErrorKind::Closed);
}

/// A preloading server opens the database and forks its workers. Each opens its own and leaves the parent's alone.
#[cfg(unix)]
#[test]
fn forks_have_handles_of_their_own() {
    let bench = Bench::new();
    let path = bench.file("a");
    let inherited = shared(&path);
    inherited.submit(&request("CASE-0")).unwrap();
    let mut children = Vec::new();
    for child in 1..=4 {
        // SAFETY: the child touches only its own handles, and ends with `_exit`.
        #[allow(unsafe_code)]
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let code = std::panic::catch_unwind(|| worker(&path, &inherited, child)).unwrap_or(9);
            // SAFETY: nothing of the parent's is ended.
            #[allow(unsafe_code)]
            unsafe {
                libc::_exit(code)
            }
        }
        assert!(pid > 0);
        children.push(pid);
    }
    for at in 0..20 {
        inherited.submit(&request(&format!("PARENT-{at}"))).unwrap();
    }
    for pid in children {
        let mut status = 0;
        // SAFETY: waits for a child of this test.
        #[allow(unsafe_code)]
        let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
        assert_eq!((waited, status), (pid, 0));
    }
    assert!(Arc::ptr_eq(&inherited, &shared(&path)));
    assert_eq!(inherited.info().unwrap().requests, 1 + 4 * 10 + 20);
    assert_eq!(inherited.check().unwrap().differences, []);
    shutdown().unwrap();
}

#[cfg(unix)]
fn worker(path: &Path, inherited: &Arc<Db>, child: u32) -> i32 {
    let refused = |kind: Option<ErrorKind>| kind == Some(ErrorKind::ForkedHandle);
    if !refused(inherited.info().err().map(|error| error.kind()))
        || !refused(inherited.submit(&request("NEVER")).err().map(|error| error.kind()))
        || !refused(inherited.close().err().map(|error| error.kind()))
    {
        return 1;
    }
    let own = shared(path);
    if Arc::ptr_eq(&own, inherited) || !Arc::ptr_eq(&own, &shared(path)) {
        return 2;
    }
    for at in 0..10 {
        if own.submit(&request(&format!("CHILD-{child}-{at}"))).is_err() {
            return 3;
        }
    }
    if own.due_before(Instant::parse("2030-01-01T00:00:00Z").unwrap(), Page::first(100)).is_err() {
        return 4;
    }
    if shutdown().is_err() || own.info().is_ok() { 5 } else { 0 }
}
