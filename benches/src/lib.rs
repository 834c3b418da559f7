//! What the benchmarks share: the data, the race between slaclock and its peers, and the report.
//!
//! A benchmark is a file beside this folder with one question. It puts slaclock and its peers into a [`Race`], which
//! lets them take turns on the same data in the same process and takes the ratio of every round, so that a busy machine
//! slows all of them alike. The outcome goes to the screen and, as a line of JSON, to `target/bench`; from all lines
//! there [`report`] writes `target/bench-report.md`.
//!
//! `SLACLOCK_BENCH_SIZE` (such as `1e7`) sets the number of items, `SLACLOCK_BENCH_ROUNDS` the number of rounds.
#![allow(clippy::print_stdout, reason = "the outcome is for people to read")]

pub mod data;
pub mod desk;
pub mod machine;
pub mod race;
pub mod report;

pub use race::{Outcome, Race, Timer, median};
pub use report::Goal;

/// The number of items to measure with: `SLACLOCK_BENCH_SIZE`, or `usual`.
///
/// # Panics
/// If the variable is no number of at least 1.
#[must_use]
pub fn size(usual: usize) -> usize {
    from_environment("SLACLOCK_BENCH_SIZE", usual)
}

/// The number of rounds of a race: `SLACLOCK_BENCH_ROUNDS`, or `usual`.
///
/// # Panics
/// If the variable is no number of at least 1.
#[must_use]
pub fn rounds(usual: usize) -> usize {
    from_environment("SLACLOCK_BENCH_ROUNDS", usual)
}

fn from_environment(name: &str, usual: usize) -> usize {
    let Ok(text) = std::env::var(name) else { return usual };
    match text.parse::<f64>() {
        Ok(number) if (1.0..=1e9).contains(&number) => number as usize,
        _ => panic!("{name}={text}: must be a number from 1 to 1e9, such as 1000000 or 1e6"),
    }
}
