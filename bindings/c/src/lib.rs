//! The C interface of slaclock.
//!
//! Each file is one noun of the header `include/slaclock.h`, which is generated from here; the first lines of a file
//! become the introduction of its group. The rules that hold for every function stand in `docs/capi.md`.
#![allow(unsafe_code, reason = "a C interface reads and writes through the caller's pointers")]
#![allow(non_camel_case_types, reason = "these are the names of the header")]
#![allow(
    clippy::missing_safety_doc,
    reason = "one contract holds for every function and stands once, in docs/capi.md"
)]

mod document;
mod fault;
mod guard;
mod handle;
pub mod input;
mod output;

pub mod status;

pub mod error;

pub mod version;

pub mod log;

pub mod text;

pub mod facts;

pub mod policy;

pub mod rule;

pub mod calendar;

pub mod db;

pub mod request;

pub mod event;

pub mod batch;

pub mod scan;

pub mod feed;

pub mod report;

pub mod figures;

pub mod agreement;

pub mod desk;

pub mod history;

pub mod explain;

pub mod care;

pub mod import;

pub mod arrow;

// The script of calls names this crate as the fuzzer does.
#[cfg(test)]
extern crate self as slaclock_capi;

#[cfg(test)]
mod corpus;
