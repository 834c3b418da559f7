//! The queue of single operations: threads that write at the same time share one transaction.
//!
//! A durable commit waits for the disk, whatever it holds. So one of the threads that wait leads: once it has the
//! right to write, it takes everything that was queued meanwhile into its transaction, and hands each its own answer.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::batch::Batch;
use super::write::is_about_the_row;
use super::{Db, Operation, Recorded};
use crate::error::Result;

/// Most operations in one transaction.
const MOST: usize = 4_096;
/// How often a waiting thread looks at the cancellation flag.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The operations that wait for a transaction.
#[derive(Debug, Default)]
pub(super) struct Queue {
    line: Mutex<Line>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Arc<Job>>,
    /// A thread leads. What it has not taken yet, it or the next leader will take.
    led: bool,
}

#[derive(Debug)]
struct Job {
    operation: Operation,
    answer: Mutex<Option<Result<Recorded>>>,
}

impl Job {
    fn answer(&self) -> MutexGuard<'_, Option<Result<Recorded>>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Vec<Arc<Job>> {
        let mut line = self.line();
        let most = line.waiting.len().min(MOST);
        line.waiting.drain(..most).collect()
    }

    /// Takes a job out of the queue; false if a leader has taken it.
    fn give_up(line: &mut Line, job: &Arc<Job>) -> bool {
        let before = line.waiting.len();
        line.waiting.retain(|other| !Arc::ptr_eq(other, job));
        line.waiting.len() < before
    }
}

/// The right to lead; ends when dropped.
struct Lead<'a>(&'a Queue);

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        self.0.line().led = false;
        self.0.moved.notify_all();
    }
}

impl Db {
    /// Writes one operation, together with those of other threads.
    pub(super) fn queued(&self, operation: Operation) -> Result<Recorded> {
        // First of all: in a fork, the queue and its locks are as the parent's threads left them.
        self.store.file().may_write()?;
        let since = Instant::now();
        let job = Arc::new(Job { operation, answer: Mutex::default() });
        let mut line = self.queue.line();
        line.waiting.push_back(job.clone());
        loop {
            if let Some(answer) = job.answer().take() {
                return answer;
            }
            if !line.led {
                line.led = true;
                drop(line);
                self.lead(&job)?;
                line = self.queue.line();
                continue;
            }
            if let Err(error) = self.store.file().patience(since)
                && Queue::give_up(&mut line, &job)
            {
                return Err(error);
            }
            let waited = self.queue.moved.wait_timeout(line, LOOK_EVERY);
            line = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Writes what waits in one transaction. The error is for `own` alone; whatever was taken has its answer.
    fn lead(&self, own: &Arc<Job>) -> Result<()> {
        let lead = Lead(&self.queue);
        let taken = OnceCell::new();
        let written = self.store.write(|snapshot| {
            let jobs: &Vec<Arc<Job>> = taken.get_or_init(|| self.queue.take());
            let mut batch = Batch::new(self, snapshot, true);
            let mut outcomes = Vec::with_capacity(jobs.len());
            for job in jobs {
                match batch.add(&job.operation) {
                    Err(error) if !is_about_the_row(error.kind()) => return Err(error),
                    outcome => outcomes.push(outcome),
                }
            }
            let (commit, answers) = batch.finish()?;
            Ok(((outcomes, answers), commit))
        });
        let jobs = taken.get().map_or(&[][..], Vec::as_slice);
        match written {
            Ok((outcomes, answers)) => {
                for (job, outcome) in jobs.iter().zip(outcomes) {
                    let recorded = outcome.map(|(outcome, slot)| Recorded {
                        outcome,
                        clocks: answers.get(&slot).cloned().unwrap_or_default(),
                    });
                    *job.answer() = Some(recorded);
                }
            }
            // What nobody took waits for the next leader; only this thread's patience is at an end.
            Err(error) if jobs.is_empty() => {
                Queue::give_up(&mut self.queue.line(), own);
                return Err(error);
            }
            Err(error) => jobs.iter().for_each(|job| *job.answer() = Some(Err(error.copy()))),
        }
        drop(lead);
        self.store.fold_if_due()
    }
}
