//! Damaged and hostile files: what could go wrong is a wrong answer without an error, a panic that reaches the caller, a
//! hang, memory without bound, a handle that goes on after damage, a check that passes, a salvage that invents.
//!
//! Every image is opened in a process of 512 MiB ([`LIMIT_KIB`]), checked and unchecked, read whole, written to, checked
//! and salvaged, and each answer is held against that of the undamaged file. `SLACLOCK_IMAGES` and `SLACLOCK_SEED` ask
//! for more images or others; the seed of a failure is printed and reproduces it.
#![cfg(unix)]
#![allow(clippy::print_stdout, reason = "counts and seeds are part of the outcome")]

mod answers;
mod images;
mod reseal;

use std::collections::BTreeMap;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant as Clock};

use answers::{answers, known};
use images::{Base, Image};
use slaclock::{Db, Error, ErrorKind, Mode, Options, Request, SalvageOptions, Verify};

/// Address space of a process that reads damaged files.
const LIMIT_KIB: u64 = 512 * 1024;
/// The longest that one image may take; an undamaged one takes some milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// Images that one process reads.
const SHARE: u64 = 100;
const CHILD: &str = "SLACLOCK_DAMAGE_CHILD";
static LAST: Mutex<String> = Mutex::new(String::new());

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

/// Files that only memory holds, where there is a place for them: a thousand images are thousands of syncs.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

#[test]
fn damage_is_an_error_or_makes_no_difference() {
    run_all("damaged", number("SLACLOCK_IMAGES", 1_000));
}

#[test]
fn a_hostile_author_gets_errors_or_answers_but_no_more() {
    run_all("hostile", number("SLACLOCK_IMAGES", 1_000) / 2);
}

/// Gives each process its share of the images, and adds up what they counted.
fn run_all(kind: &str, images: u64) {
    let first = number("SLACLOCK_SEED", 1);
    let mut total: BTreeMap<String, u64> = BTreeMap::new();
    let mut from = first;
    while from < first + images {
        let to = (from + SHARE).min(first + images);
        for (what, count) in run_share(kind, from, to) {
            *total.entry(what).or_default() += count;
        }
        from = to;
    }
    println!("{images} {kind} images: {total:?}");
    assert_eq!(total["images"], images);
}

fn run_share(kind: &str, from: u64, to: u64) -> BTreeMap<String, u64> {
    let limited = format!(
        "ulimit -v {LIMIT_KIB} && exec \"$0\" --exact in_a_small_process --nocapture --test-threads=1"
    );
    let mut child = Command::new("sh")
        .args(["-c", &limited])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, format!("{kind} {from} {to}"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "images {from} to {to}: {status}: {said}");
    let line = said.lines().find_map(|line| line.strip_prefix("counted ")).expect("the counts");
    serde_json::from_str(line).unwrap()
}

/// Not a test of its own: what the small processes do.
#[test]
fn in_a_small_process() {
    let Ok(work) = std::env::var(CHILD) else { return };
    let mut words = work.split(' ');
    let kind = words.next().unwrap();
    let [from, to] = [(); 2].map(|()| words.next().unwrap().parse::<u64>().unwrap());
    // Those that the library catches say nothing; the last one is told if it reaches the caller.
    std::panic::set_hook(Box::new(|info| *LAST.lock().unwrap() = info.to_string()));
    let folder = folder();
    let base = Base::make(folder.path());
    let mut run =
        Run { folder: folder.path().to_owned(), base, counts: BTreeMap::new(), hostile: kind == "hostile" };
    for seed in from..to {
        let image = if run.hostile { run.base.hostile(seed) } else { run.base.damaged(seed) };
        run.watched(seed, &image);
    }
    println!("\ncounted {}", serde_json::to_string(&run.counts).unwrap());
}

struct Run {
    folder: PathBuf,
    base: Base,
    counts: BTreeMap<String, u64>,
    hostile: bool,
}

impl Run {
    fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    /// Reads one image; whatever it takes too long for, or panics at, ends the process with its seed.
    fn watched(&mut self, seed: u64, image: &Image) {
        let (said, what) = (seed, image.what.clone());
        let (done, waits) = std::sync::mpsc::channel::<()>();
        let watch = std::thread::spawn(move || {
            if waits.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                println!("\nseed {said}: {what}: still not done after {PATIENCE:?}");
                std::process::abort();
            }
        });
        let begun = Clock::now();
        let read = catch_unwind(AssertUnwindSafe(|| self.read(image)));
        let wrong = match read {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(why),
            Err(_) => Some(format!("a panic reached the caller: {}", LAST.lock().unwrap())),
        };
        drop(done);
        watch.join().unwrap();
        if let Some(why) = wrong {
            println!("\nseed {seed}: {}: {why}", image.what);
            let _ = std::fs::write(std::env::temp_dir().join(format!("slaclock-image-{seed}")), &image.bytes);
            std::process::exit(1);
        }
        self.count("images");
        let slow = begun.elapsed().as_millis() as u64;
        let longest = self.counts.entry("longest_ms".to_owned()).or_default();
        *longest = slow.max(*longest);
    }

    fn read(&mut self, image: &Image) -> Result<(), String> {
        let path = self.folder.join("image");
        let write = || std::fs::write(&path, &image.bytes).unwrap();
        let mut found = false;
        for (name, verify, mode) in [
            ("checked", Verify::Always, Mode::Shared),
            ("unchecked", Verify::Auto, Mode::Shared),
            ("alone", Verify::Auto, Mode::Exclusive),
        ] {
            write();
            // What redb itself does not look at is for whoever asks for it: see docs/reliability.md.
            if image.needs_check
                && verify != Verify::Always
                && std::env::var_os("SLACLOCK_UNCHECKED").is_none()
            {
                continue;
            }
            let options = Options::default().verify(verify).mode(mode).cache_bytes(4 << 20);
            let outcome = self.open_and_ask(&path, options)?;
            found |= outcome != "same answers";
            self.count(&format!("{name}: {outcome}"));
        }
        write();
        // A file by somebody else is opened checked, or not at all.
        let verify = if self.hostile { Verify::Always } else { Verify::Never };
        let checked = match Db::open(&path, Options::default().verify(verify)) {
            Err(error) => self.acceptable("opening", &error).map(|()| false)?,
            Ok(db) => match db.check() {
                Err(error) => self.acceptable("checking", &error).map(|()| false)?,
                Ok(rebuild) => rebuild.differing == 0,
            },
        };
        self.count(if checked { "check: passed" } else { "check: found it" });
        // A page of the engine's own bookkeeping is written anew before a check: then the file must be whole again.
        let whole = Options::default().verify(Verify::Always).cache_bytes(4 << 20);
        if checked && found && !self.hostile && self.open_and_ask(&path, whole)? != "same answers" {
            return Err("answers showed the damage, and the check did not find it".to_owned());
        }
        write();
        self.salvage(&path, image)
    }

    /// Errors are acceptable if they are about the file, and say where.
    fn acceptable(&mut self, doing: &str, error: &Error) -> Result<(), String> {
        let kinds = [ErrorKind::Damaged, ErrorKind::NotADatabase, ErrorKind::NewerFormat];
        let about_the_file = kinds.contains(&error.kind());
        if !about_the_file || error.message().is_empty() {
            let last = LAST.lock().unwrap();
            return Err(format!("{doing}: {:?}: {error} ({last})", error.kind()));
        }
        self.count(&format!("error {}", error.kind().name()));
        Ok(())
    }

    fn open_and_ask(&mut self, path: &Path, options: Options) -> Result<&'static str, String> {
        let db = match Db::open(path, options) {
            Ok(db) => db,
            Err(error) => return self.acceptable("opening", &error).map(|()| "refused"),
        };
        match answers(&db) {
            Ok(same) if same == self.base.answers => {
                let wrote = db.submit(&Request::new("AFTERWARDS", answers::at(0)));
                match wrote {
                    Ok(_) => return Ok("same answers"),
                    Err(error) if error.kind() == ErrorKind::Damaged => {}
                    Err(error) => return Err(format!("writing: {:?}: {error}", error.kind())),
                }
            }
            Ok(_) if self.hostile => return Ok("other answers"),
            Ok(other) => {
                return Err(format!("wrong answers: {}", answers::differences(&other, &self.base.answers)));
            }
            Err(error) => self.acceptable("reading", &error)?,
        }
        // The handle is latched, whatever is asked of it.
        let after = [
            db.info().map(drop).err().map(|error| error.kind()),
            db.counts(answers::at(0)).map(drop).err().map(|error| error.kind()),
            db.submit(&Request::new("LATER", answers::at(0))).map(drop).err().map(|error| error.kind()),
            db.check().map(drop).err().map(|error| error.kind()),
        ];
        let latched = after.iter().all(|kind| *kind == Some(ErrorKind::Damaged));
        if latched {
            Ok("error while reading")
        } else {
            Err(format!("the handle went on after damage: {after:?}"))
        }
    }

    fn salvage(&mut self, from: &Path, image: &Image) -> Result<(), String> {
        let to = self.folder.join("saved");
        let _ = std::fs::remove_file(&to);
        let options = SalvageOptions::default().policy(self.base.policy.clone());
        let saved = match Db::salvage(from, &to, &options) {
            Ok(saved) => saved,
            Err(error) => {
                return self.acceptable("salvaging", &error).map(|()| self.count("salvage: nothing left"));
            }
        };
        if std::fs::read(from).unwrap() != image.bytes {
            return Err("the salvage wrote to the damaged file".to_owned());
        }
        let db =
            Db::open(&to, Options::default()).map_err(|error| format!("opening what was saved: {error}"))?;
        if self.hostile {
            self.count("salvage: done");
            return Ok(());
        }
        let now = known(&db).map_err(|error| format!("reading what was saved: {error}"))?;
        for (id, status) in &now {
            let then =
                self.base.known.get(id).ok_or_else(|| format!("{id} was salvaged, but never there"))?;
            answers::is_part_of(status, then).map_err(|why| format!("salvaged {id}: {why}"))?;
        }
        let all = now.len() == self.base.known.len() && saved.events == self.base.events;
        let lost = self.base.known.len() - now.len();
        if !all && saved.unreadable == 0 {
            return Err(format!("{lost} requests are missing, and nothing says so: {saved:?}"));
        }
        self.count(if all { "salvage: all" } else { "salvage: some" });
        *self.counts.entry("salvage: requests lost".to_owned()).or_default() += lost as u64;
        *self.counts.entry("salvage: requests got".to_owned()).or_default() += now.len() as u64;
        Ok(())
    }
}
