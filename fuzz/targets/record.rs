//! Stored values: see `src/record.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slaclock_fuzz::record::run(bytes));
