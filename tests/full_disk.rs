//! A file system that is really full. What could go wrong: what the operating system answers is not what the simulation
//! answers (`faults.rs`): another error, a short write, a page that is promised and then not there.
//!
//! Three ways: a limit on the length of files, which every Unix has; a file system in memory; and ext4 on a loop device.
//! The last two need the right to mount; where it is missing, that is printed, and the first one has been run.
#![cfg(all(feature = "sim", target_os = "linux"))]
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a way that could not be gone is said aloud")]

mod sim;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sim::policies::policy;
use slaclock::db::{Mode, Verify};
use slaclock::{Db, ErrorKind, Instant, Options, Outcome, Request};

const PATH: &str = "SLACLOCK_FULL_DISK_PATH";
const MODE: &str = "SLACLOCK_FULL_DISK_MODE";

fn options(mode: Mode) -> Options {
    slaclock::sim::fold_after(Options::default().mode(mode).cache_bytes(1 << 20), 40)
}

fn request(number: u64) -> Request {
    let received = Instant::from_secs(1_772_416_800 + number as i64).unwrap();
    Request::new(format!("CASE-{number}"), received).subject("s".repeat(8_000))
}

/// Not a test of its own: writes until there is no more room.
#[test]
fn in_a_child() {
    let Ok(path) = std::env::var(PATH) else { return };
    let mode =
        if std::env::var(MODE).is_ok_and(|mode| mode == "shared") { Mode::Shared } else { Mode::Exclusive };
    let db = Db::open(&path, options(mode)).unwrap();
    let say = |text: String| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{text}").and_then(|()| out.flush()).unwrap();
    };
    for number in 0..100_000 {
        match db.submit(&request(number)) {
            Ok(_) => say(format!("done {number}")),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
                let after = db.submit(&request(number + 1)).unwrap_err();
                assert_eq!(after.kind(), ErrorKind::ReadOnly, "{after}");
                if mode == Mode::Shared {
                    // The other handle that reads in its place needs no room.
                    assert_eq!(db.get("CASE-0").unwrap().request, request(0));
                }
                say("full".to_owned());
                return;
            }
        }
    }
    panic!("there is room without end");
}

/// Fills up a database in `folder` in another process, makes room, and looks what is there.
fn fill(folder: &Path, mode: Mode, limit_blocks: Option<u64>, make_room: impl FnOnce()) -> u64 {
    let path = folder.join("full.slaclock");
    Db::create(&path, policy(1), options(mode)).unwrap().close().unwrap();
    let limit = limit_blocks.map_or("unlimited".to_owned(), |blocks| blocks.to_string());
    // A process that ignores the signal gets the error instead.
    let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "in_a_child", "--nocapture", "--test-threads=1"]);
    command.env(PATH, &path).env(MODE, if mode == Mode::Shared { "shared" } else { "exclusive" });
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.lines().any(|line| line == "full"), "{said}");
    let answered = said.lines().filter(|line| line.starts_with("done ")).count() as u64;
    assert!(answered > 10, "only {answered} before there was no more room");
    make_room();
    let db = Db::open(&path, options(mode).verify(Verify::Always)).unwrap();
    let there = db.info().unwrap().requests;
    assert!(there == answered || there == answered + 1, "{there} requests, {answered} were answered");
    for number in 0..there {
        assert_eq!(db.get(&format!("CASE-{number}")).unwrap().request, request(number));
    }
    // The one that failed is repeated, whether or not it is there; and there is room again.
    let again = db.submit(&request(answered)).unwrap().outcome;
    let expected = if there == answered { Outcome::Recorded } else { Outcome::AlreadyRecorded };
    assert_eq!(again, expected);
    for number in answered + 1..answered + 20 {
        assert_eq!(db.submit(&request(number)).unwrap().outcome, Outcome::Recorded);
    }
    assert_eq!(db.check().unwrap().differences, []);
    answered
}

#[test]
fn a_limit_on_the_length_of_files_is_a_full_disk() {
    for mode in [Mode::Exclusive, Mode::Shared] {
        let folder = tempfile::tempdir().unwrap();
        // In units of 512 bytes: some MiB, beyond what a new file has.
        let answered = fill(folder.path(), mode, Some(3_000), || ());
        eprintln!("full disk: {answered} requests before the limit on the length of files, {mode:?}");
    }
}

/// A mounted file system, unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn by(folder: &Path, arguments: &[&str]) -> Option<Mounted> {
        let output = Command::new("mount").args(arguments).arg(folder).output().ok()?;
        output.status.success().then(|| Mounted(folder.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// Fills up a mounted file system beside some ballast, which is then thrown overboard.
fn fill_mounted(kind: &str, mounted: Option<&Mounted>) {
    let Some(Mounted(folder)) = mounted else {
        eprintln!("full disk: NOT RUN on {kind}: this process may not mount one");
        return;
    };
    for mode in [Mode::Exclusive, Mode::Shared] {
        let ballast = folder.join("ballast");
        std::fs::write(&ballast, vec![7; 2 << 20]).unwrap();
        let answered = fill(folder, mode, None, || std::fs::remove_file(&ballast).unwrap());
        std::fs::remove_file(folder.join("full.slaclock")).unwrap();
        eprintln!("full disk: {answered} requests before {kind} was full, {mode:?}");
    }
}

#[test]
fn a_file_system_in_memory_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Mounted::by(folder.path(), &["-t", "tmpfs", "-o", "size=6m", "tmpfs"]);
    fill_mounted("tmpfs", mounted.as_ref());
}

#[test]
fn a_disk_is_full() {
    let (folder, at) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let image = folder.path().join("disk");
    std::fs::File::create(&image).unwrap().set_len(8 << 20).unwrap();
    let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image).output();
    let made = made.is_ok_and(|output| output.status.success());
    let image = image.to_str().unwrap();
    let mounted = if made { Mounted::by(at.path(), &["-o", "loop", image]) } else { None };
    fill_mounted("ext4 on a loop device", mounted.as_ref());
}
