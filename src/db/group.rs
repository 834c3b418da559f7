//! Group commit: threads that write one operation each at the same time share a transaction.
//!
//! A durable commit waits for the disk, whatever it holds. So one of the threads that wait leads: once it has the
//! right to write, it takes everything that was queued meanwhile into its transaction, and hands each its own answer.

use std::cell::{Cell, OnceCell};
use std::time::Instant;

use super::batch::Batch;
use super::queue::{Lead, Queue};
use super::write::is_about_the_row;
use super::{Db, Operation, Recorded};
use crate::error::Result;

/// The operations that wait for a transaction.
pub(super) type Operations = Queue<Operation, Result<Recorded>>;

impl Db {
    /// Writes one operation, together with those of other threads.
    pub(super) fn queued(&self, operation: Operation) -> Result<Recorded> {
        // First of all: in a fork, the queue and its locks are as the parent's threads left them.
        self.store.file().may_write()?;
        let since = Instant::now();
        let patience = || self.store.file().patience(since);
        let led = Cell::new(false);
        let recorded = self.queue.wait(operation, patience, |lead| {
            led.set(true);
            self.lead(lead)
        })?;
        if led.get() {
            self.store.fold_if_due()?;
        }
        recorded
    }

    /// Writes what waits in one transaction. The error is for the leader alone; whatever was taken has its answer.
    fn lead(&self, lead: &Lead<'_, Operation, Result<Recorded>>) -> Result<()> {
        let taken = OnceCell::new();
        let written = self.store.write(|snapshot| {
            let jobs = taken.get_or_init(|| lead.take());
            let mut batch = Batch::new(self, snapshot, true);
            let mut outcomes = Vec::with_capacity(jobs.len());
            for job in jobs {
                match batch.add(&job.work) {
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
                    job.answer(outcome.map(|(outcome, slot)| Recorded {
                        outcome,
                        clocks: answers.get(&slot).cloned().unwrap_or_default(),
                    }));
                }
                Ok(())
            }
            // What nobody took waits for the next leader; only this thread's patience is at an end.
            Err(error) if jobs.is_empty() => Err(error),
            Err(error) => {
                jobs.iter().for_each(|job| job.answer(Err(error.copy())));
                Ok(())
            }
        }
    }
}
