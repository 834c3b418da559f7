//! Mappings and the logs read through them: see `src/import.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slaclock_fuzz::import::run(bytes));
