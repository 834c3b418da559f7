//! Calendars: see `src/calendar.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slaclock_fuzz::calendar::run(bytes));
