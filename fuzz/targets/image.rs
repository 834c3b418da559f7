//! Damaged database files: see `src/image.rs`.
#![no_main]

// Panics of the engine below on damaged files are caught by the library and told as `Damaged`.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slaclock_fuzz::caught_inside(|| slaclock_fuzz::image::run(bytes)));
