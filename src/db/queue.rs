//! A queue whose jobs are done together: one of the threads that wait leads and works for all.
//!
//! Nothing here knows what a job is, so that every way in which a few threads can meet is tried out by a model
//! (`fuzz/models`), which puts locks of its own in the place of [`sync`](super::sync).

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::sync::{Condvar, Mutex, MutexGuard, moment};

/// Most jobs that one leader takes.
const MOST: usize = 4_096;
/// How often a leader looks whether those are back who were served together.
const MOMENTS: usize = 8;
/// How often a waiting thread asks whether to go on waiting.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The jobs that wait for somebody to lead.
#[derive(Debug)]
pub(super) struct Queue<J, A> {
    line: Mutex<Line<J, A>>,
    moved: Condvar,
}

#[derive(Debug)]
struct Line<J, A> {
    waiting: VecDeque<Arc<Job<J, A>>>,
    /// A thread leads. What it has not taken yet, it or the next leader will take.
    led: bool,
    /// Jobs that were taken last.
    taken: usize,
}

/// What a thread wants done, and the answer to it.
#[derive(Debug)]
pub(super) struct Job<J, A> {
    pub(super) work: J,
    answer: Mutex<Option<A>>,
}

impl<J, A> Job<J, A> {
    /// Answers the thread that waits for it, once.
    pub(super) fn answer(&self, answer: A) {
        *self.place() = Some(answer);
    }

    fn place(&self) -> MutexGuard<'_, Option<A>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J, A> Default for Queue<J, A> {
    fn default() -> Self {
        let line = Line { waiting: VecDeque::new(), led: false, taken: 0 };
        Queue { line: Mutex::new(line), moved: Condvar::new() }
    }
}

impl<J, A> Queue<J, A> {
    /// Puts a job into the queue, and returns its answer when somebody has done it.
    ///
    /// `lead` is called when nobody leads. It takes jobs and answers every job that it took, whatever happens; an error of
    /// its own is for this thread alone. `patience` is asked while another leads: its error is returned if nobody has
    /// taken the job yet, and then nobody will.
    pub(super) fn wait<E>(
        &self,
        work: J,
        patience: impl Fn() -> Result<(), E>,
        lead: impl Fn(&Lead<'_, J, A>) -> Result<(), E>,
    ) -> Result<A, E> {
        let job = Arc::new(Job { work, answer: Mutex::new(None) });
        let mut line = self.line();
        line.waiting.push_back(job.clone());
        loop {
            if let Some(answer) = job.place().take() {
                return Ok(answer);
            }
            if !line.led {
                line.led = true;
                drop(line);
                let right = Lead(self);
                if let Err(error) = lead(&right) {
                    // While nobody else can lead, who would do it for a thread that has gone.
                    Self::give_up(&mut self.line(), &job);
                    return Err(error);
                }
                drop(right);
                line = self.line();
                continue;
            }
            if let Err(error) = patience()
                && Self::give_up(&mut line, &job)
            {
                return Err(error);
            }
            let waited = self.moved.wait_timeout(line, LOOK_EVERY);
            line = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn line(&self) -> MutexGuard<'_, Line<J, A>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a job out of the queue; false if a leader has taken it.
    fn give_up(line: &mut Line<J, A>, job: &Arc<Job<J, A>>) -> bool {
        let before = line.waiting.len();
        line.waiting.retain(|other| !Arc::ptr_eq(other, job));
        line.waiting.len() < before
    }
}

/// The right to lead; ends when dropped.
pub(super) struct Lead<'a, J, A>(&'a Queue<J, A>);

impl<J, A> Lead<'_, J, A> {
    /// What waits, in its order. Whoever takes a job answers it.
    ///
    /// Threads that were served together mostly come back together, and the first of them leads: without a moment for the
    /// others it would take its own job only, and every second transaction were one for a single job.
    pub(super) fn take(&self) -> Vec<Arc<Job<J, A>>> {
        let mut line = self.0.line();
        for _ in 0..MOMENTS {
            if line.waiting.len() >= line.taken {
                break;
            }
            drop(line);
            moment();
            line = self.0.line();
        }
        let most = line.waiting.len().min(MOST);
        line.taken = most;
        line.waiting.drain(..most).collect()
    }
}

impl<J, A> Drop for Lead<'_, J, A> {
    fn drop(&mut self) {
        self.0.line().led = false;
        self.0.moved.notify_all();
    }
}
