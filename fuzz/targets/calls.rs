//! Calls of the C library: see `capi/calls.rs`.
#![no_main]

#[path = "../capi/calls.rs"]
mod calls;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slaclock_fuzz::caught_inside(|| calls::run(bytes)));
