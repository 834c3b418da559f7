//! The queue of group commits, as it is in the library, under loom's locks: every order in which the steps of a few threads
//! can follow one another. What could go wrong: a job that nobody does, one that is done twice, an answer that goes to
//! another thread, a thread that is never woken, one that gives up a job that is then done all the same.
#![cfg(test)]

mod sync {
    pub(super) use loom::sync::{Condvar, Mutex, MutexGuard};
    pub(super) use loom::thread::yield_now as moment;
}

#[path = "../../../src/db/queue.rs"]
mod queue;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::sync::Mutex;
use queue::{Lead, Queue};

/// The right to write, and what was written: the number of each job, in order.
#[derive(Default)]
struct File {
    written: Mutex<Vec<usize>>,
}

impl File {
    /// One transaction: takes what waits once it may write, and answers each job with its place in the file.
    fn commit(&self, lead: &Lead<'_, usize, usize>) -> Result<(), &'static str> {
        let mut written = self.written.lock().unwrap();
        for job in lead.take() {
            written.push(job.work);
            job.answer(written.len() - 1);
        }
        Ok(())
    }
}

/// Threads beyond the first, the most preemptions of a run, and what each does.
fn every_order(
    threads: usize,
    preemptions: usize,
    work: impl Fn(usize, &Queue<usize, usize>, &File) + Clone + Send + Sync + 'static,
) -> usize {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::new((Queue::<usize, usize>::default(), File::default()));
        let others: Vec<_> = (1..=threads)
            .map(|number| {
                let (shared, work) = (shared.clone(), work.clone());
                loom::thread::spawn(move || work(number, &shared.0, &shared.1))
            })
            .collect();
        work(0, &shared.0, &shared.1);
        others.into_iter().for_each(|thread| thread.join().unwrap());
        let mut written = shared.1.written.lock().unwrap().clone();
        let count = written.len();
        written.sort_unstable();
        written.dedup();
        assert_eq!(written.len(), count, "a job is done once");
    });
    runs.load(Ordering::Relaxed)
}

fn told(name: &str, runs: usize) {
    println!("{name}: {runs} orders of the threads' steps");
    assert!(runs > 20, "{runs} orders are no test");
}

#[test]
fn every_job_is_done_once_and_answered_to_its_own_thread() {
    let work = |number: usize, queue: &Queue<usize, usize>, file: &File| {
        let place = queue.wait(number, || Ok::<(), &str>(()), |lead| file.commit(lead)).unwrap();
        assert_eq!(file.written.lock().unwrap()[place], number, "the answer is another's");
    };
    told("two threads", every_order(1, 8, work));
    told("three threads", every_order(2, 4, work));
}

/// A leader that fails before it took anything: the others' jobs wait for the next one, its own is done by nobody.
#[test]
fn a_leader_that_fails_takes_nobody_with_it() {
    let work = |number: usize, queue: &Queue<usize, usize>, file: &File| {
        let lead = |lead: &Lead<'_, usize, usize>| {
            if number == 0 { Err("no right to write") } else { file.commit(lead) }
        };
        let answer = queue.wait(number, || Ok(()), lead);
        let written = file.written.lock().unwrap();
        match answer {
            Ok(place) => assert_eq!(written[place], number),
            Err(_) => assert!(number == 0 && !written.contains(&0), "{written:?}"),
        }
    };
    told("a leader fails", every_order(2, 4, work));
}

/// A thread that loses patience: either nobody ever does its job, or it gets its answer.
#[test]
fn whoever_gives_up_is_not_served_later() {
    let work = |number: usize, queue: &Queue<usize, usize>, file: &File| {
        let patience = || if number == 0 { Err("enough") } else { Ok(()) };
        let answer = queue.wait(number, patience, |lead| file.commit(lead));
        let written = file.written.lock().unwrap();
        match answer {
            Ok(place) => assert_eq!(written[place], number),
            Err(_) => assert!(number == 0 && !written.contains(&0), "{written:?}"),
        }
    };
    told("impatience", every_order(2, 4, work));
}
