//! How many, from where, and who reproduces it: the numbers that simulations are started with, and work for every core.

use std::sync::atomic::{AtomicU64, Ordering};

/// The number in an environment variable, or the one for CI.
pub(crate) fn number(name: &str, in_ci: u64) -> u64 {
    match std::env::var(name) {
        Err(_) => in_ci,
        Ok(text) => text
            .replace('_', "")
            .parse()
            .unwrap_or_else(|_| panic!("{name}=`{text}`: must be a whole number")),
    }
}

/// Where the seeds begin: `SLACLOCK_SEED`, else 1.
pub(crate) fn first_seed() -> u64 {
    number("SLACLOCK_SEED", 1)
}

/// Works through seeds on every core until `enough` says so, and adds up what they come to. What a seed does depends on
/// the seed alone, so that a failure's seed reproduces it.
pub(crate) fn seeds<T: Default + Send>(
    work: impl Fn(u64) -> Result<T, String> + Sync,
    mut add: impl FnMut(&mut T, T) + Send,
    enough: impl Fn(&T) -> bool + Sync,
) -> T {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let next = AtomicU64::new(first_seed());
    let total = std::sync::Mutex::new((T::default(), &mut add));
    let failed = std::sync::Mutex::new(None);
    let over = || failed.lock().unwrap().is_some() || enough(&total.lock().unwrap().0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !over() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(seed))) {
                        Ok(Ok(part)) => {
                            let mut total = total.lock().unwrap();
                            let (sum, add) = &mut *total;
                            add(sum, part);
                        }
                        Ok(Err(why)) => fail(&failed, seed, why),
                        Err(cause) => {
                            let text = cause.downcast_ref::<String>().cloned();
                            let text =
                                text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                            fail(&failed, seed, format!("panicked: {}", text.unwrap_or_default()));
                        }
                    }
                }
            });
        }
    });
    if let Some((seed, why)) = failed.into_inner().unwrap() {
        panic!("SLACLOCK_SEED={seed} reproduces this.\n{why}");
    }
    total.into_inner().unwrap().0
}

fn fail(failed: &std::sync::Mutex<Option<(u64, String)>>, seed: u64, why: String) {
    failed.lock().unwrap().get_or_insert((seed, why));
}
