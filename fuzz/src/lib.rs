//! What the fuzz targets try, each with any bytes, and what they share. `tests/corpus.rs` replays the corpora through it.

pub mod calendar;
pub mod ical;
pub mod image;
pub mod import;
pub mod life;
pub mod memory;
pub mod policy;
pub mod record;
pub mod replay;

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use arbitrary::Unstructured;
use slaclock::Instant;

/// Monday, 2 March 2026, 09:00 UTC.
pub const MONDAY_S: i64 = 1_772_442_000;

/// An instant: mostly in the weeks around a Monday, sometimes any, sometimes one of the two ends.
pub fn instant(input: &mut Unstructured<'_>) -> arbitrary::Result<Instant> {
    let secs = match input.int_in_range(0..=9_u8)? {
        0 => input.int_in_range(Instant::MIN.as_secs()..=Instant::MAX.as_secs())?,
        1 => *input.choose(&[0, 1, Instant::MAX.as_secs() - 1, Instant::MAX.as_secs()])?,
        2..=4 => MONDAY_S + i64::from(input.int_in_range(-2_000_i32..=2_000)?) * 600,
        _ => MONDAY_S + i64::from(input.int_in_range(-300_000_i32..=3_000_000)?),
    };
    Ok(Instant::from_secs(secs).expect("within the range"))
}

/// Runs what may panic inside, where a panic is caught and told as an error by whoever is tested. One that gets out of it is
/// printed and ends the process.
pub fn caught_inside(work: impl FnOnce()) {
    static LAST: Mutex<String> = Mutex::new(String::new());
    static ONCE: Once = Once::new();
    // The fuzzer's own hook would end the process at once.
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            *LAST.lock().unwrap_or_else(PoisonError::into_inner) = info.to_string();
        }));
    });
    if std::panic::catch_unwind(AssertUnwindSafe(work)).is_err() {
        eprintln!("a panic reached the caller: {}", LAST.lock().unwrap_or_else(PoisonError::into_inner));
        std::process::abort();
    }
}

/// Fails if one input took more time on a processor than this: libFuzzer's own limit is for hangs, this one for needless work.
pub fn within(limit: Duration, what: &str, work: impl FnOnce()) {
    let begun = busy();
    work();
    let took = busy().saturating_sub(begun);
    assert!(took < limit, "{what} took {took:?}: at most {limit:?} is allowed");
}

/// How long this thread has been on a processor; what else the machine does is no needless work of ours.
fn busy() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|ns| ns.parse().ok()).map_or(Duration::ZERO, Duration::from_nanos)
}
