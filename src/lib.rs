//! slaclock: an embedded database library for promises to customers.
//!
//! A CRM, help desk or script links it, keeps its requests in one file, and asks it:
//!
//! - *When is this due?* A deadline, exact to the second in every zone, with the proof of how it was derived.
//! - *What is late, what is about to be, what just became so?* A breach scan whose cost is the answer's size, and a
//!   feed that reports each breach exactly once.
//! - *Are we keeping our word?* Attainment against percentile promises, with the error budget left.
//!
//! A promise is written as a [`Policy`]. Its clocks give deadlines without any file:
//!
//! ```
//! use slaclock::{Facts, Instant, Policy};
//!
//! let policy = Policy::from_toml(r#"
//!     [policy]
//!     name      = "customer-care"
//!     version   = 1
//!     statement = "95 % of requests received before 14:00 are handled by the end of that day, later ones by 11:00."
//!
//!     [calendar.office]
//!     zone  = "Europe/Moscow"
//!     hours = { mon-fri = "09:00-18:00" }
//!
//!     [[clock]]
//!     name       = "resolution"
//!     start      = "received"
//!     stop       = "resolved"
//!     target     = [{ received_before = "14:00", due = "same day, close" }, { due = "next day, 11:00" }]
//!     attainment = { share = "95 %", per = "month" }
//!     backstop   = { working_days = 3 }
//! "#)?;
//! let received = Instant::parse("2026-03-06T15:00:00+03:00")?; // a Friday
//! let due = policy.clock("resolution")?.due(received, &Facts::none())?;
//! assert_eq!(due, Instant::parse("2026-03-09T11:00:00+03:00")?);
//! # Ok::<(), slaclock::Error>(())
//! ```
//!
//! A [`Db`] keeps requests and their events under such a policy, and answers scans, feeds and reports.
//!
//! # Time
//!
//! Instants are whole seconds since 1970-01-01T00:00:00Z, below 2100. The library never reads a clock and knows no
//! local time zone: `now` is always an argument. Time zones are the bundled tzdb's.
//!
//! # Threads and processes
//!
//! Everything public is `Send + Sync`. Any number of processes may use one file; a handle must not be used after
//! `fork`, and says so.
#![deny(unsafe_code)]

#[cfg(feature = "arrow")]
pub mod arrow;
pub mod attainment;
pub mod calendar;
#[cfg(feature = "cli")]
pub mod cli;
pub mod clock;
pub mod db;
pub mod error;
pub mod explain;
#[cfg(feature = "html")]
pub mod html;
#[cfg(feature = "import")]
pub mod import;
mod lanes;
pub mod model;
pub mod policy;
pub mod report;
#[cfg(feature = "search")]
pub mod search;
#[cfg(feature = "sim")]
#[doc(hidden)]
pub mod sim;
mod store;
pub mod target;
pub mod time;
pub mod zone;

pub use attainment::{Attainment, Month, PeriodRange, Quarter, Tally, Year};
pub use calendar::{Calendar, CalendarSpec};
pub use clock::{Stage, ThresholdKind};
pub use db::{
    AttainmentQuery, ClockStatus, Columns, Counts, Db, Durability, Feed, History, HistoryRow, Info, Mode,
    Notice, OnError, Operation, Options, Outcome, Page, PageKey, Query, Recorded, RequestStatus, Row, Rows,
    Salvage, SalvageOptions, ScanTable, Verify,
};
pub use error::{Error, ErrorKind, Result};
pub use model::{
    Answer, Event, EventFields, EventKind, EventTag, Facts, FaqAct, FaqDraft, FaqEntry, FaqRecord, Request,
    faq_markdown,
};
pub use policy::Policy;
pub use report::{Fairness, Report, ReportQuery};
#[cfg(feature = "search")]
pub use search::{Hit, Hits, SearchQuery};
pub use target::{NO_DEADLINE, NoDeadline};
pub use time::{Instant, Span, TimeOfDay};

/// The README's examples, run with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// The Rust page of the documentation site, likewise.
#[cfg(doctest)]
#[doc = include_str!("../docs/quickstart-rust.md")]
pub struct QuickStart;

/// The page on reports, likewise.
#[cfg(doctest)]
#[doc = include_str!("../docs/reports.md")]
pub struct Reports;
