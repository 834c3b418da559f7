//! Columns in and out, by the Arrow data model: what dataframes, DuckDB and every Arrow reader take as it is.
//!
//! Out: the rows of a [scan], [`notices`], attainment [`groups`] and [`waiting`] times, each as one record batch;
//! [`reader`] makes the stream that crosses a language border. In: a column of [`Instants`] in any of Arrow's time
//! types, and tables of [`requests`] and [`events`].
//!
//! ```
//! use slaclock::arrow;
//! # use slaclock::{Db, Instant, Policy, Query, Request};
//! # let policy = Policy::from_toml(r#"
//! #     [policy]
//! #     name = "care"
//! #     version = 1
//! #     statement = "Handled within a day."
//! #     [calendar.always]
//! #     zone = "UTC"
//! #     hours = "24x7"
//! #     [[clock]]
//! #     name = "resolution"
//! #     start = "received"
//! #     stop = "resolved"
//! #     target = { elapsed = "24h" }
//! # "#)?;
//! # let db = Db::in_memory(&policy)?;
//! let received = Instant::parse("2026-03-06T12:00:00Z")?;
//! db.submit(&Request::new("CASE-1", received))?;
//! let late = arrow::scan(&db, &Query::at(Instant::parse("2026-03-08T12:00:00Z")?))?;
//! assert_eq!((late.num_rows(), late.schema().field(0).name().as_str()), (1, "request"));
//! # Ok::<(), slaclock::Error>(())
//! ```

mod cells;
mod instants;
mod lent;
mod out;
mod table;

pub use instants::Instants;
pub use out::{groups, notices, reader, rows, scan, waiting};
pub use table::{events, requests};
