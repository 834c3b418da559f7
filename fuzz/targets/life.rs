//! Lives: see `src/life.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slaclock_fuzz::life::run(bytes));
