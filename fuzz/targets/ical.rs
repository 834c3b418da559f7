//! iCalendar files: see `src/ical.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slaclock_fuzz::ical::run(bytes));
