//! A race: slaclock and its peers take turns, round by round, and each round gives one ratio.

use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

use crate::report::{Goal, Line};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Processor time of this thread, for what only computes: others on the machine do not count.
    Cpu,
    /// Wall-clock time, for what waits for a disk or runs on several threads.
    Wall,
}

impl Timer {
    fn time(self, run: impl FnOnce()) -> Duration {
        match self {
            Timer::Cpu => {
                let start = ThreadTime::now();
                run();
                start.elapsed()
            }
            Timer::Wall => {
                let start = Instant::now();
                run();
                start.elapsed()
            }
        }
    }
}

type Run<'a, C> = Box<dyn FnMut(&mut C) + 'a>;

struct Runner<'a, C> {
    name: String,
    /// Items of one run; the time is divided by it.
    items: usize,
    run: Run<'a, C>,
}

/// Runners on the same data. `C` is what they share, such as the column they write to.
pub struct Race<'a, C> {
    bench: String,
    question: String,
    unit: String,
    timer: Timer,
    context: C,
    runners: Vec<Runner<'a, C>>,
}

/// How long each runner took, round by round.
pub struct Outcome<C> {
    bench: String,
    question: String,
    unit: String,
    timer: Timer,
    names: Vec<String>,
    /// By runner, then by round: nanoseconds per item.
    ns: Vec<Vec<f64>>,
    /// What the runners shared.
    pub context: C,
}

impl<'a, C> Race<'a, C> {
    /// A race of the bench file `bench` about `question`; the time is given per `unit`, such as "deadline".
    pub fn new(bench: &str, question: &str, unit: &str, timer: Timer, context: C) -> Race<'a, C> {
        Race {
            bench: bench.to_owned(),
            question: question.to_owned(),
            unit: unit.to_owned(),
            timer,
            context,
            runners: Vec::new(),
        }
    }

    /// Adds a runner. `run` does `items` items at each call.
    #[must_use]
    pub fn with(mut self, name: &str, items: usize, run: impl FnMut(&mut C) + 'a) -> Race<'a, C> {
        assert!(items > 0, "{name}: a run has at least one item");
        self.runners.push(Runner { name: name.to_owned(), items, run: Box::new(run) });
        self
    }

    /// Runs once without the clock and then `rounds` times with it, each round in another order.
    #[must_use]
    pub fn run(mut self, rounds: usize) -> Outcome<C> {
        for runner in &mut self.runners {
            (runner.run)(&mut self.context);
        }
        let mut ns = vec![Vec::with_capacity(rounds); self.runners.len()];
        let count = self.runners.len();
        for round in 0..rounds {
            for turn in 0..count {
                // Who ran before leaves its data in the caches, so nobody always follows the same one.
                let at = if round % 2 == 0 {
                    (round / 2 + turn) % count
                } else {
                    (round / 2 + count - turn) % count
                };
                let (runner, context) = (&mut self.runners[at], &mut self.context);
                let took = self.timer.time(|| (runner.run)(context));
                ns[at].push(took.as_secs_f64() * 1e9 / runner.items as f64);
            }
        }
        let names = self.runners.into_iter().map(|runner| runner.name).collect();
        Outcome {
            bench: self.bench,
            question: self.question,
            unit: self.unit,
            timer: self.timer,
            names,
            ns,
            context: self.context,
        }
    }
}

impl<C> Outcome<C> {
    /// Median nanoseconds per item of a runner.
    #[must_use]
    pub fn ns(&self, name: &str) -> f64 {
        quartiles(self.of(name).to_vec()).1
    }

    /// Reports how many times as fast as `peer` the runner `name` is, against a goal if there is one.
    pub fn compare(&self, name: &str, peer: &str, goal: Option<Goal>) -> &Self {
        let ratios = self.of(name).iter().zip(self.of(peer)).map(|(own, other)| other / own).collect();
        let (low, ratio, high) = quartiles(ratios);
        let line = Line {
            bench: self.bench.clone(),
            question: self.question.clone(),
            unit: self.unit.clone(),
            wall: self.timer == Timer::Wall,
            name: name.to_owned(),
            ns: self.ns(name),
            peer: Some(peer.to_owned()),
            peer_ns: Some(self.ns(peer)),
            ratio: Some(ratio),
            quartiles: Some((low, high)),
            goal,
        };
        line.add();
        self
    }

    /// Reports how long the runner `name` takes, against a goal if there is one.
    pub fn absolute(&self, name: &str, goal: Option<Goal>) -> &Self {
        let line = Line {
            bench: self.bench.clone(),
            question: self.question.clone(),
            unit: self.unit.clone(),
            wall: self.timer == Timer::Wall,
            name: name.to_owned(),
            ns: self.ns(name),
            peer: None,
            peer_ns: None,
            ratio: None,
            quartiles: None,
            goal,
        };
        line.add();
        self
    }

    fn of(&self, name: &str) -> &[f64] {
        let at = self.names.iter().position(|known| known == name);
        let at = at.unwrap_or_else(|| panic!("no runner `{name}` in the race `{}`", self.question));
        &self.ns[at]
    }
}

/// The median of what was measured.
///
/// # Panics
/// If nothing was.
#[must_use]
pub fn median(values: Vec<f64>) -> f64 {
    quartiles(values).1
}

/// Lower quartile, median and upper quartile.
fn quartiles(mut values: Vec<f64>) -> (f64, f64, f64) {
    assert!(!values.is_empty(), "a race has at least one round");
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    (at(0.25), at(0.5), at(0.75))
}
