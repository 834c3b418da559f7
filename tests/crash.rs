//! Power cuts at every write. What could go wrong: a call that returned is not there afterwards, half a transaction is,
//! the file does not open, an index or a notice does not fit the records, a cursor has moved back or ahead, a second cut
//! during recovery makes it worse, a file half made is found under its name.
//!
//! A history of calls runs on a disk in memory that notes each write, sync and change of length (`sim/disk.rs`). Then for
//! each of these steps images are made of what a power cut right there leaves: nothing, all or part of what was not
//! synced, whole writes or sectors, in any order (`sim/platter.rs`). Each image is opened and compared with the model
//! (`sim/model.rs`) of the calls that had returned.
//!
//! `SLACLOCK_COUNT` sets the number of images (30,000 unless set), `SLACLOCK_SEED` where the seeds begin.
#![cfg(feature = "sim")]
#![allow(clippy::print_stderr, reason = "counts and seeds are part of the outcome")]

mod sim;

use std::time::Duration;

use sim::dice::Dice;
use sim::disk::{Disk, Step};
use sim::history::History;
use sim::model::{Answer, Call, Model, is_sound, perform, text};
use sim::platter::{Cut, Platter};
use sim::policies::policy;
use sim::run;
use slaclock::db::{Durability, Mode, Verify};
use slaclock::{Db, ErrorKind, Options, Outcome};

/// Images of one history, about.
const IMAGES: usize = 200;
const CALLS: usize = 24;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// One handle that has the file for itself.
    Alone,
    /// Two handles, as of two processes.
    Shared,
    /// Relaxed commits, a durable one every so many rows.
    Bulk(u64),
    /// As `Alone`, on a disk whose syncs return without having synced, now and then.
    Lying,
}

impl Kind {
    fn of(dice: &mut Dice) -> Kind {
        match dice.below(8) {
            0..=2 => Kind::Alone,
            3 | 4 => Kind::Shared,
            5 | 6 => Kind::Bulk(1 + dice.below(12) as u64),
            _ => Kind::Lying,
        }
    }

    fn options(self, fold_after: u32) -> Options {
        let options = Options::default().busy_timeout(Duration::from_millis(200)).cache_bytes(4 << 20);
        let options = match self {
            Kind::Shared => options,
            Kind::Alone => options.mode(Mode::Exclusive),
            // Lies leave what no honest disk does: only a full check finds out.
            Kind::Lying => options.mode(Mode::Exclusive).verify(Verify::Always),
            Kind::Bulk(every_rows) => {
                let every = Duration::from_secs(86_400);
                options.mode(Mode::Exclusive).durability(Durability::Bulk { every, every_rows })
            }
        };
        slaclock::sim::fold_after(options, fold_after)
    }
}

/// A history that ran without a crash.
struct Run {
    kind: Kind,
    options: Options,
    calls: Vec<Call>,
    answers: Vec<Answer>,
    /// `states[0]` is after creation, `states[n]` after call n.
    states: Vec<Model>,
    /// Steps taken when a call had returned, by state.
    marks: Vec<usize>,
    /// By state, the newest that is durable then.
    durable: Vec<usize>,
    steps: Vec<Step>,
    /// Has the policies compiled.
    known: Db,
}

impl Run {
    fn of(seed: u64, dice: &mut Dice) -> Result<Run, String> {
        let kind = Kind::of(dice);
        let options = kind.options(*dice.pick(&[4, 12, 40, 65_536]));
        let disk = Disk::default();
        text(slaclock::sim::create(&disk, policy(1), &options))?;
        let known = text(slaclock::sim::open(disk.handle(), &options))?;
        text(known.policies())?;
        text(known.close())?;
        let created = disk.steps();
        let mut history = History::new(seed);
        let mut run = Run {
            kind,
            options,
            calls: vec![],
            answers: vec![],
            states: vec![Model::new()],
            marks: vec![created],
            durable: vec![0],
            steps: vec![],
            known,
        };
        let mut handles = vec![run.open(&disk)?];
        if kind == Kind::Shared {
            handles.push(run.open(&disk)?);
        }
        let mut rows = 0;
        for _ in 0..CALLS {
            let call = history.draw(&run.states[run.calls.len()]);
            let at = dice.below(handles.len());
            run.call(&disk, &mut handles[at], call, &mut rows)?;
        }
        for handle in &handles {
            text(handle.close())?;
        }
        run.steps = disk.take_steps();
        run.known = run.open(&disk)?;
        text(run.known.policies())?;
        text(run.known.close())?;
        Ok(run)
    }

    fn open(&self, disk: &Disk) -> Result<Db, String> {
        text(slaclock::sim::open_like(&self.known, disk.handle(), &self.options))
    }

    fn call(&mut self, disk: &Disk, db: &mut Db, call: Call, rows: &mut u64) -> Result<(), String> {
        let mut model = self.states[self.calls.len()].clone();
        let expected = model.apply(&call);
        if matches!(call, Call::Reopen) {
            text(db.close())?;
            *db = self.open(disk)?;
        }
        let answer = text(perform(db, &call)).map_err(|why| format!("{call:?}: {why}"))?;
        if answer != expected {
            return Err(format!("{call:?}: {answer:?}, expected {expected:?}"));
        }
        model.learn(db)?;
        // How many requests an interruption moves is for deadlines to say, of which the model knows nothing.
        let uncounted = matches!((self.kind, &call), (Kind::Bulk(_), Call::Interrupt(..)));
        if uncounted {
            text(db.flush())?;
        }
        *rows += written(&answer, &self.states[self.calls.len()], &model);
        let settles = match (self.kind, &call) {
            (Kind::Bulk(every), _) if uncounted || *rows >= every => true,
            (Kind::Bulk(_), call) => matches!(call, Call::Flush | Call::Reopen | Call::Compact | Call::Check),
            (Kind::Lying, _) => false,
            _ => true,
        };
        if settles {
            *rows = 0;
        }
        self.calls.push(call);
        self.answers.push(answer);
        self.states.push(model);
        self.marks.push(disk.steps());
        self.durable.push(if settles { self.calls.len() } else { self.durable[self.calls.len() - 1] });
        Ok(())
    }

    /// The calls, with the steps taken when each had returned and the newest durable state then.
    fn told(&self) -> String {
        let calls = self.calls.iter().zip(&self.answers).zip(self.marks[1..].iter().zip(&self.durable[1..]));
        let lines = calls.zip(1..).map(|(((call, answer), (mark, durable)), number)| {
            let call: String = format!("{call:?}").chars().take(150).collect();
            format!("{number}: {call} -> {answer:?}; {mark} steps, durable {durable}")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The states that an image made after `taken` steps may hold.
    fn allowed(&self, taken: usize) -> std::ops::RangeInclusive<usize> {
        let returned = self.marks.partition_point(|mark| *mark <= taken);
        // In creation, a file that is there is whole.
        let returned = returned.saturating_sub(1);
        self.durable[returned]..=(returned + 1).min(self.calls.len())
    }
}

/// Operations that a call put into the log: what counts towards the next durable commit of a bulk load.
fn written(answer: &Answer, before: &Model, after: &Model) -> u64 {
    match answer {
        Answer::Rows(rows) => rows.iter().filter(|row| matches!(row, Ok(Outcome::Recorded))).count() as u64,
        Answer::Moved(requests) if before != after => requests + 1,
        _ => u64::from(before != after),
    }
}

#[derive(Debug, Default)]
struct Tally {
    histories: u64,
    calls: u64,
    points: u64,
    images: u64,
    second: u64,
    continued: u64,
    refused: u64,
    unnamed: u64,
    by_kind: std::collections::BTreeMap<String, u64>,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.histories += other.histories;
        self.calls += other.calls;
        self.points += other.points;
        self.images += other.images;
        self.second += other.second;
        self.continued += other.continued;
        self.refused += other.refused;
        self.unnamed += other.unnamed;
        for (kind, count) in other.by_kind {
            *self.by_kind.entry(kind).or_default() += count;
        }
    }
}

/// Runs a history, then cuts the power at its steps.
fn history(seed: u64) -> Result<Tally, String> {
    let mut dice = Dice::new(seed);
    let run = Run::of(seed, &mut dice)?;
    let mut tally = Tally { histories: 1, calls: run.calls.len() as u64, ..Tally::default() };
    let mut platter = Platter::default();
    // Most steps get an image or two; which ones and of which kind, the dice say.
    let chance = IMAGES as f64 / run.steps.len() as f64;
    for (taken, step) in (1..).zip(&run.steps) {
        platter.take(step, run.kind == Kind::Lying && dice.one_in(6));
        let wanted = if platter.is_settled() { chance / 6.0 } else { chance };
        let images =
            wanted.floor() as usize + usize::from(dice.below(1_000) < (wanted.fract() * 1_000.0) as usize);
        tally.points += u64::from(images > 0);
        for _ in 0..images {
            let cut = *dice.pick(&Cut::ALL);
            image(&run, &platter, taken, cut, &mut dice, &mut tally)
                .map_err(|why| format!("{:?}, cut {cut:?} after step {taken}: {why}", run.kind))?;
        }
    }
    *tally
        .by_kind
        .entry(format!("{:?}", run.kind).split('(').next().unwrap_or("").to_owned())
        .or_default() += tally.images;
    Ok(tally)
}

/// Makes one image, opens it, and maybe cuts the power again while it opens, or goes on with the history.
fn image(
    run: &Run,
    platter: &Platter,
    taken: usize,
    cut: Cut,
    dice: &mut Dice,
    tally: &mut Tally,
) -> Result<(), String> {
    let content = platter.image(cut, dice);
    let named = platter.is_named(dice);
    tally.images += 1;
    let disk = Disk::with(content.clone());
    let opened = if dice.one_in(24) {
        slaclock::sim::open(disk.handle(), &run.options)
    } else {
        slaclock::sim::open_like(&run.known, disk.handle(), &run.options)
    };
    if !named {
        // Nobody finds it. Whoever looked would find a whole file or be told that it is none.
        tally.unnamed += 1;
        return match opened {
            Ok(db) => run.states[0].compare(&db),
            Err(error) => is_named_error(error.kind(), &error),
        };
    }
    if run.kind == Kind::Lying
        && let Err(error) = &opened
    {
        tally.refused += 1;
        return is_named_error(error.kind(), error);
    }
    let db = text(opened)?;
    let allowed = run.allowed(taken);
    let state = same_state(run, &db, allowed.clone())?;
    if dice.one_in(3) || run.kind == Kind::Lying {
        drop(db);
        second(run, content, disk, state, dice, tally)?;
    } else if dice.one_in(12) {
        resume(run, disk, db, state, allowed)?;
        tally.continued += 1;
    }
    Ok(())
}

fn is_named_error(kind: ErrorKind, error: &slaclock::Error) -> Result<(), String> {
    match kind {
        // A state that cannot be is a panic that was caught.
        ErrorKind::Damaged | ErrorKind::NotADatabase if !error.message().contains("cannot be in") => Ok(()),
        kind => Err(format!("{kind:?}: {error}")),
    }
}

/// Which of the allowed states an image holds; and that it is in order.
fn same_state(run: &Run, db: &Db, allowed: std::ops::RangeInclusive<usize>) -> Result<usize, String> {
    let mut why = String::new();
    for state in allowed.clone().rev() {
        match run.states[state].compare(db) {
            Ok(()) => {
                is_sound(db)?;
                return Ok(state);
            }
            Err(difference) => why = format!("{why}\nnot state {state}: {difference}"),
        }
    }
    Err(format!("none of the states {allowed:?}: {why}\n{}", run.told()))
}

/// Cuts the power while an image opens, recovers and closes.
fn second(
    run: &Run,
    content: Vec<u8>,
    opened: Disk,
    state: usize,
    dice: &mut Dice,
    tally: &mut Tally,
) -> Result<(), String> {
    let steps = opened.take_steps();
    let mut platter = Platter::with(content);
    let at = dice.below(steps.len().max(1));
    for step in steps.iter().take(at + 1) {
        platter.take(step, false);
    }
    let cut = *dice.pick(&Cut::ALL);
    let disk = Disk::with(platter.image(cut, dice));
    tally.second += 1;
    let place = |why: String| format!("second cut {cut:?} after step {at} of {}: {why}", steps.len());
    match slaclock::sim::open_like(&run.known, disk.handle(), &run.options) {
        Ok(db) => same_state(run, &db, state..=state).map(drop).map_err(place),
        Err(error) if run.kind == Kind::Lying => is_named_error(error.kind(), &error).map_err(place),
        Err(error) => Err(place(format!("{:?}: {error}", error.kind()))),
    }
}

/// Goes on after a crash: repeats the call whose outcome was unknown, then the others, and ends where the history without
/// a crash ended, notice by notice.
fn resume(
    run: &Run,
    disk: Disk,
    mut db: Db,
    state: usize,
    allowed: std::ops::RangeInclusive<usize>,
) -> Result<(), String> {
    let mut model = run.states[state].clone();
    if state == *allowed.end() && state > 0 && run.calls[state - 1].is_idempotent() {
        let expected = model.apply(&run.calls[state - 1]);
        let again = text(perform(&db, &run.calls[state - 1]))?;
        if again != expected {
            return Err(format!("{:?} repeated: {again:?}, expected {expected:?}", run.calls[state - 1]));
        }
    }
    for (call, answer) in run.calls.iter().zip(&run.answers).skip(state) {
        if matches!(call, Call::Reopen) {
            text(db.close())?;
            db = text(slaclock::sim::open_like(&run.known, disk.handle(), &run.options))?;
        }
        let again = text(perform(&db, call))?;
        if again != *answer {
            return Err(format!("{call:?} after a crash: {again:?}, without one {answer:?}"));
        }
    }
    run.states[run.states.len() - 1].compare(&db).map_err(|why| format!("in the end: {why}"))?;
    is_sound(&db)
}

#[test]
fn nothing_that_returned_is_lost_in_a_power_cut() {
    let wanted = run::number("SLACLOCK_COUNT", 30_000);
    let since = std::time::Instant::now();
    let enough = |tally: &Tally| tally.images + tally.second >= wanted && tally.second * 30 >= wanted * 8;
    let tally = run::seeds(history, Tally::add, enough);
    eprintln!(
        "crash: from SLACLOCK_SEED={}, {:.0} s, {tally:?}",
        run::first_seed(),
        since.elapsed().as_secs_f64()
    );
    // A run of one history reproduces a failure; a whole one must have met everything.
    if tally.histories > 20 {
        assert!(tally.second * 5 > tally.images && tally.continued * 100 > tally.images, "{tally:?}");
        assert!(tally.by_kind.len() == 4 && tally.unnamed > 0 && tally.refused > 0, "{tally:?}");
    }
}
