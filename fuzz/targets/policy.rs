//! Policy text, TOML and JSON: see `src/policy.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slaclock_fuzz::policy::run(bytes));
