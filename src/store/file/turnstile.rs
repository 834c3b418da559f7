//! The line of this process's writers, with an end to its patience.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::errors::Fault;
use crate::error::Result;

/// How often a waiting writer looks at the cancellation flag.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Lets one writer pass at a time, first come first served.
///
/// The engine has such a line of its own, but waits in it without limit.
#[derive(Debug, Default)]
pub(super) struct Turnstile {
    line: Mutex<Line>,
    moved: Condvar,
}

/// Tickets are served in order; those given up are skipped.
#[derive(Debug, Default)]
struct Line {
    next: u64,
    serving: u64,
    given_up: std::collections::BTreeSet<u64>,
}

/// The right to write; ends when dropped.
#[derive(Debug)]
pub(super) struct Turn(Arc<Turnstile>);

impl Turnstile {
    /// Waits for the turn of this thread. `Busy` after `patience`, `Cancelled` when the flag is raised.
    pub(super) fn enter(self: &Arc<Self>, patience: Duration, cancel: &AtomicBool) -> Result<Turn> {
        let since = Instant::now();
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = line.next;
        line.next += 1;
        while line.serving != ticket {
            let left = patience.saturating_sub(since.elapsed());
            let fault = match cancel.load(Ordering::Relaxed) {
                true => Some(Fault::Cancelled),
                false if left.is_zero() => Some(Fault::Busy(patience.as_millis())),
                false => None,
            };
            if let Some(fault) = fault {
                line.given_up.insert(ticket);
                return Err(fault.error());
            }
            let waited = self.moved.wait_timeout(line, left.min(LOOK_EVERY));
            line = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(line);
        Ok(Turn(self.clone()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut line = self.0.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.serving += 1;
        while let Some(&ticket) = line.given_up.first()
            && ticket == line.serving
        {
            line.given_up.pop_first();
            line.serving += 1;
        }
        drop(line);
        self.0.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn gives_up_in_time_and_lets_the_next_pass() {
        let turnstile = Arc::<Turnstile>::default();
        let never = AtomicBool::new(false);
        let turn = turnstile.enter(Duration::ZERO, &never).unwrap();
        let busy = turnstile.enter(Duration::from_millis(5), &never).unwrap_err();
        assert_eq!(busy.kind(), ErrorKind::Busy);
        let cancelled = turnstile.enter(Duration::from_secs(60), &AtomicBool::new(true)).unwrap_err();
        assert_eq!(cancelled.kind(), ErrorKind::Cancelled);
        drop(turn);
        drop(turnstile.enter(Duration::ZERO, &never).unwrap());
        assert!(turnstile.enter(Duration::ZERO, &never).is_ok());
    }

    #[test]
    fn one_at_a_time() {
        let (turnstile, never) = (Arc::<Turnstile>::default(), AtomicBool::new(false));
        let inside = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let _turn = turnstile.enter(Duration::from_secs(60), &never).unwrap();
                        assert!(!inside.swap(true, Ordering::SeqCst));
                        inside.store(false, Ordering::SeqCst);
                    }
                });
            }
        });
    }
}
