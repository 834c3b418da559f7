//! Disks that fail. What could go wrong: an error without a name or a panic, a handle that goes on writing after one, a
//! call that was answered and is lost, a call that failed and is there twice after it was repeated, a file that never opens
//! again, a sync that failed and is taken for done.
//!
//! The same short histories run again and again on the simulated disk, each time with another operation failing: a write,
//! a change of length, a sync or a read, once or from there on. `SLACLOCK_FAULTS` sets the number of faults (5,000 unless
//! set), `SLACLOCK_SEED` where the seeds begin.
#![cfg(feature = "sim")]
#![allow(clippy::print_stderr, reason = "counts and seeds are part of the outcome")]

mod sim;

use std::time::Duration;

use sim::dice::Dice;
use sim::disk::{Disk, Failure, Fault};
use sim::history::History;
use sim::model::{Answer, Call, Model, is_sound, perform, text};
use sim::platter::{Cut, Platter};
use sim::policies::policy;
use sim::run;
use slaclock::db::Mode;
use slaclock::{Db, ErrorKind, Options};

const CALLS: usize = 8;

fn options(shared: bool) -> Options {
    let mode = if shared { Mode::Shared } else { Mode::Exclusive };
    let options = Options::default().mode(mode).busy_timeout(Duration::from_millis(200)).cache_bytes(1 << 20);
    slaclock::sim::fold_after(options, 6)
}

/// The calls of one history and what they come to without a fault.
struct Script {
    calls: Vec<Call>,
    answers: Vec<Answer>,
    states: Vec<Model>,
    options: Options,
    shared: bool,
    /// Has the policies compiled.
    known: Db,
}

impl Script {
    fn of(seed: u64) -> Result<Script, String> {
        let shared = Dice::new(seed).one_in(3);
        let options = options(shared);
        let disk = Disk::default();
        text(slaclock::sim::create(&disk, policy(1), &options))?;
        let mut db = text(slaclock::sim::open(disk.handle(), &options))?;
        let mut history = History::new(seed).keyed();
        let (mut calls, mut answers, mut states) = (vec![], vec![], vec![Model::new()]);
        for _ in 0..CALLS {
            let mut model = states[states.len() - 1].clone();
            let call = history.draw(&model);
            if matches!(call, Call::Reopen) {
                text(db.close())?;
                db = text(slaclock::sim::open_like(&db, disk.handle(), &options))?;
            }
            let expected = model.apply(&call);
            let answer = text(perform(&db, &call))?;
            if answer != expected {
                return Err(format!("{call:?}: {answer:?}, expected {expected:?}"));
            }
            model.learn(&db)?;
            calls.push(call);
            answers.push(answer);
            states.push(model);
        }
        text(db.policies())?;
        text(db.close())?;
        Ok(Script { calls, answers, states, options, shared, known: db })
    }

    fn open(&self, disk: &Disk) -> slaclock::Result<Db> {
        slaclock::sim::open_like(&self.known, disk.handle(), &self.options)
    }

    /// Opens, and opens a second handle beside it if the file is shared, as another process would.
    fn open_with_peer(&self, disk: &Disk) -> slaclock::Result<(Db, Option<Db>)> {
        let db = self.open(disk)?;
        let peer = if self.shared { Some(self.open(disk)?) } else { None };
        Ok((db, peer))
    }

    /// Does one call.
    fn step(&self, disk: &Disk, db: &mut Db, at: usize) -> Result<Option<slaclock::Error>, String> {
        let call = &self.calls[at];
        if matches!(call, Call::Reopen) {
            // A failure to close is told, and the next opening repairs what it left.
            let closed = db.close();
            match closed.and_then(|()| self.open(disk)) {
                Ok(opened) => *db = opened,
                Err(error) => return Ok(Some(error)),
            }
        }
        match perform(db, call) {
            Ok(answer) if answer == self.answers[at] => Ok(None),
            Ok(answer) => Err(format!("{call:?}: {answer:?}, expected {:?}", self.answers[at])),
            Err(error) => Ok(Some(error)),
        }
    }

    /// Does the calls from `from` on, until one fails. Returns how many were answered, and the error.
    fn play(
        &self,
        disk: &Disk,
        db: &mut Db,
        from: usize,
    ) -> Result<(usize, Option<slaclock::Error>), String> {
        for at in from..self.calls.len() {
            if let Some(error) = self.step(disk, db, at)? {
                return Ok((at, Some(error)));
            }
        }
        Ok((self.calls.len(), None))
    }

    /// Repeats a call that was found done: nothing may change.
    fn repeat(&self, db: &Db, at: usize) -> Result<(), String> {
        if !self.calls[at].is_idempotent() {
            return Ok(());
        }
        let expected = self.states[at + 1].clone().apply(&self.calls[at]);
        let again = text(perform(db, &self.calls[at]))?;
        match again == expected {
            true => Ok(()),
            false => Err(format!("{:?} repeated: {again:?}, expected {expected:?}", self.calls[at])),
        }
    }

    /// The calls, for whoever looks into a failure.
    fn told(&self) -> String {
        let short = |call: &Call| format!("{call:?}").chars().take(100).collect::<String>();
        self.calls.iter().map(short).collect::<Vec<_>>().join("\n")
    }

    /// Which of two states a file holds after call `at` failed.
    fn state_after(&self, db: &Db, at: usize) -> Result<usize, String> {
        is_sound(db)?;
        let after = (at + 1).min(self.calls.len());
        match self.states[after].compare(db) {
            Ok(()) => Ok(after),
            Err(not_after) => self.states[at].compare(db).map(|()| at).map_err(|not_before| {
                format!("neither before nor after call {at}: {not_before}\n{not_after}")
            }),
        }
    }

    /// Opens what a fault left, repeats the call that failed, and goes on to the end.
    fn recover(&self, disk: &Disk, at: usize) -> Result<(bool, Db), String> {
        let mut db = text(self.open(disk)).map_err(|why| format!("reopening: {why}"))?;
        let state = self.state_after(&db, at)?;
        let survived = state > at;
        if survived {
            self.repeat(&db, at)?;
        }
        match self.play(disk, &mut db, state)? {
            (_, Some(error)) => return Err(format!("after reopening: {:?}: {error}", error.kind())),
            (done, None) => self.states[done].compare(&db).map_err(|why| format!("in the end: {why}"))?,
        }
        is_sound(&db)?;
        Ok((survived, db))
    }
}

#[derive(Debug, Default)]
struct Tally {
    scripts: u64,
    faults: u64,
    survived: u64,
    creations: u64,
    reads: u64,
    kinds: std::collections::BTreeMap<String, u64>,
    cut_points: u64,
    cuts: u64,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.scripts += other.scripts;
        self.faults += other.faults;
        self.survived += other.survived;
        self.creations += other.creations;
        self.reads += other.reads;
        self.cut_points += other.cut_points;
        self.cuts += other.cuts;
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
    }

    /// Counts an error; only some kinds are an answer to a failing disk.
    fn named(&mut self, error: &slaclock::Error) -> Result<(), String> {
        match error.kind() {
            ErrorKind::Io | ErrorKind::StorageFull | ErrorKind::ReadOnly => {
                *self.kinds.entry(format!("{:?}", error.kind())).or_default() += 1;
                Ok(())
            }
            kind => Err(format!("a failing disk gave {kind:?}: {error}")),
        }
    }
}

const FAILURES: [Failure; 3] = [Failure::Broken, Failure::Full, Failure::Short];

/// Every operation of a script fails in turn.
fn every_operation(seed: u64) -> Result<Tally, String> {
    let script = Script::of(seed)?;
    let mut tally = Tally { scripts: 1, ..Tally::default() };
    for (failure, sticky, reads) in FAILURES
        .into_iter()
        .flat_map(|failure| [(failure, false, false), (failure, true, false)])
        .chain([(Failure::Broken, false, true), (Failure::Broken, true, true)])
    {
        // Reads are many and alike: every third of them fails.
        let by = if reads { 3 } else { 1 };
        for at in (seed % by..).step_by(by as usize) {
            let fault = Fault { at, failure, sticky, reads };
            let hit = one_fault(&script, fault, &mut tally).map_err(|why| format!("{fault:?}: {why}"))?;
            if !hit {
                break;
            }
        }
    }
    Ok(tally)
}

/// Runs a script with one fault. False if it has fewer operations than that.
fn one_fault(script: &Script, fault: Fault, tally: &mut Tally) -> Result<bool, String> {
    let disk = Disk::default();
    disk.set_fault(Some(fault));
    if let Err(error) = slaclock::sim::create(&disk, policy(1), &script.options) {
        tally.named(&error)?;
        tally.faults += 1;
        tally.creations += 1;
        // A file that did not get its name is made anew; one that did is whole.
        disk.set_fault(None);
        return match disk.take_steps().iter().any(|step| matches!(step, sim::disk::Step::Named)) {
            true => script.recover(&disk, 0).map(|_| true),
            false => Ok(true),
        };
    }
    let (answered, error) = match script.open(&disk) {
        Ok(mut db) => {
            let (answered, error) = script.play(&disk, &mut db, 0)?;
            if let Some(error) = &error
                && disk.operations().1 > 0
            {
                after_the_error(script, &disk, &db, answered, fault)
                    .map_err(|why| format!("{error}; then {why}"))?;
            }
            (answered, error)
        }
        Err(error) => (0, Some(error)),
    };
    let hits = disk.operations().1;
    disk.set_fault(None);
    disk.free_locks();
    match error {
        Some(error) => tally.named(&error)?,
        // Closing or giving up a transaction failed, or a read that was only to save time.
        None if hits > 0 => {}
        None => return Ok(false),
    }
    tally.faults += 1;
    tally.reads += u64::from(fault.reads);
    let (survived, _) = script.recover(&disk, answered)?;
    tally.survived += u64::from(survived);
    Ok(true)
}

/// After an error of a write the handle writes no more, whatever the disk does now.
fn after_the_error(script: &Script, disk: &Disk, db: &Db, at: usize, fault: Fault) -> Result<(), String> {
    if matches!(script.calls[at], Call::Reopen) {
        return Ok(());
    }
    disk.set_fault(None);
    let request = slaclock::Request::new("AFTERWARDS", sim::history::History::new(0).now());
    let after = db.submit(&request);
    match after.map_err(|error| error.kind()) {
        Err(ErrorKind::ReadOnly) => Ok(()),
        // A read that failed once, before anything was written, leaves the handle as it was.
        other => Err(format!("a write after {fault:?} gave {other:?}")),
    }
}

/// Every sync of a script fails in turn; the disk drops what was to be synced, as Linux does, and goes on. Then the power
/// goes at every later step.
fn every_failed_sync(seed: u64) -> Result<Tally, String> {
    let script = Script::of(seed)?;
    let mut dice = Dice::new(seed ^ 0x5359_4e43);
    let mut tally = Tally { scripts: 1, ..Tally::default() };
    let healthy = Disk::default();
    text(slaclock::sim::create(&healthy, policy(1), &script.options))?;
    let creation = healthy.steps();
    let (mut db, _peer) = script.open_with_peer(&healthy).map_err(|error| error.to_string())?;
    script.play(&healthy, &mut db, 0)?;
    drop(db);
    let steps = healthy.take_steps();
    let syncs = steps.iter().enumerate().filter(|(_, step)| matches!(step, sim::disk::Step::Sync));
    for at in syncs.map(|(at, _)| at).filter(|at| *at >= creation) {
        tally.cut_points += 1;
        failed_sync(&script, at as u64, &mut dice, &mut tally).map_err(|why| {
            format!("shared {}, sync at step {at}: {why}\n{}", script.shared, script.told())
        })?;
    }
    Ok(tally)
}

fn failed_sync(script: &Script, at: u64, dice: &mut Dice, tally: &mut Tally) -> Result<(), String> {
    let disk = Disk::default();
    disk.set_fault(Some(Fault { at, failure: Failure::Broken, sticky: false, reads: false }));
    text(slaclock::sim::create(&disk, policy(1), &script.options))?;
    let mut peer = None;
    let answered = match script.open_with_peer(&disk) {
        Ok((mut db, other)) => {
            peer = other;
            script.play(&disk, &mut db, 0)?.0
        }
        Err(error) => tally.named(&error).map(|()| 0)?,
    };
    disk.set_fault(None);
    // The same boot: what was not synced is still read. Whatever is answered now must outlive the power cut.
    let beside = peer.is_some();
    let mut db = match peer {
        Some(peer) => peer,
        None => text(script.open(&disk))?,
    };
    let mut state = script.state_after(&db, answered)?;
    let opened = disk.steps();
    let mut marks = vec![(opened, answered)];
    if beside && state == answered && answered < script.calls.len() {
        // Readers do not look at a commit whose sync is outstanding; the next writer finds it and completes it.
        text(text(db.feed("nobody"))?.acknowledge(0))?;
        state = script.state_after(&db, answered)?;
    }
    if state > answered {
        // This may take no write at all, and is an answer all the same.
        script.repeat(&db, answered)?;
        marks.push((disk.steps(), state));
    }
    for at in state..script.calls.len() {
        if let Some(error) = script.step(&disk, &mut db, at)? {
            return Err(format!("after reopening: {error}"));
        }
        marks.push((disk.steps(), at + 1));
    }
    drop(db);
    let steps = disk.take_steps();
    let mut platter = Platter::default();
    for (taken, step) in (1..).zip(&steps) {
        platter.take(step, false);
        if taken < opened || !dice.one_in(3) {
            continue;
        }
        let floor = marks.iter().filter(|(mark, _)| *mark <= taken).map(|(_, state)| *state).max();
        let cut = *dice.pick(&Cut::ALL);
        cut_after(script, &platter, floor.unwrap_or(answered), cut, dice)
            .map_err(|why| format!("cut {cut:?} after step {taken} of {opened} and more: {why}"))?;
        tally.cuts += 1;
    }
    Ok(())
}

/// After a power cut, state `floor` or a later one is there.
fn cut_after(
    script: &Script,
    platter: &Platter,
    floor: usize,
    cut: Cut,
    dice: &mut Dice,
) -> Result<(), String> {
    let image = Disk::with(platter.image(cut, dice));
    let db = text(script.open(&image))?;
    is_sound(&db)?;
    match (floor..=script.calls.len()).any(|state| script.states[state].compare(&db).is_ok()) {
        true => Ok(()),
        false => Err(format!("not even state {floor}: {:?}", script.states[floor].compare(&db))),
    }
}

#[test]
fn every_operation_fails_in_turn_and_nothing_answered_is_lost() {
    let wanted = run::number("SLACLOCK_FAULTS", 5_000);
    let since = std::time::Instant::now();
    let tally = run::seeds(every_operation, Tally::add, |tally| tally.faults >= wanted);
    eprintln!(
        "faults: from SLACLOCK_SEED={}, {:.0} s, {tally:?}",
        run::first_seed(),
        since.elapsed().as_secs_f64()
    );
    assert!(
        tally.survived > 0 && tally.creations > 0 && tally.reads > 0 && tally.kinds.len() >= 2,
        "{tally:?}"
    );
}

#[test]
fn a_failed_sync_and_a_later_power_cut_lose_nothing_answered() {
    let wanted = run::number("SLACLOCK_FAULTS", 5_000) / 25;
    let since = std::time::Instant::now();
    let tally = run::seeds(every_failed_sync, Tally::add, |tally| tally.cut_points >= wanted);
    eprintln!(
        "syncs: from SLACLOCK_SEED={}, {:.0} s, {tally:?}",
        run::first_seed(),
        since.elapsed().as_secs_f64()
    );
    assert!(tally.cuts > tally.cut_points, "{tally:?}");
}
