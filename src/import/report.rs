//! What an import did: every row of the file is accounted for here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::{Event, EventKind};
use crate::time::Instant;

macro_rules! oddity_codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// Kinds of odd rows. The words are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum OddityCode { $($(#[$doc])* $name,)* }

        impl OddityCode {
            /// Every code.
            pub const ALL: &'static [OddityCode] = &[$(OddityCode::$name,)*];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self { $(OddityCode::$name => $word,)* }
            }
        }
    };
}

oddity_codes! {
    /// An event is stamped before its request was received. It counts as at the receipt.
    BeforeReceived = "before_received";
    /// A date that should be there is missing. The row's other facts count.
    MissingDate = "missing_date";
    /// The state is not in the mapping. The request keeps the state it had; the row's other facts count.
    UnknownState = "unknown_state";
    /// The state is open again after a resolution, but the file's count of reopenings did not rise. The request stays
    /// resolved; the row's other facts count.
    NotReopened = "not_reopened";
    /// The row stands after a row of the same request that it should come before. It is put in order.
    OutOfOrder = "out_of_order";
    /// Two rows of a request carry the same row key. Both count; the second key gets a number.
    RepeatedKey = "repeated_key";
    /// The row gives another time of receipt than the request's first row. The first counts.
    ReceivedDiffers = "received_differs";
    /// The file's own date of resolution is not the time of the row that resolved. The row's time counts.
    ResolvedDiffers = "resolved_differs";
    /// The receipt is stamped midnight exactly: only its date is known. It counts as written.
    DateOnly = "date_only";
    /// The row repeats another row of its request word for word. It is left out.
    RepeatedRow = "repeated_row";
    /// The row cannot be read: wrong number of fields, no id, a date of another form. It is left out.
    BadRow = "bad_row";
    /// No row of the request gives a time of receipt. Its rows are left out.
    NoReceived = "no_received";
    /// The request's id came up before. The row is left out.
    RepeatedId = "repeated_id";
    /// The database refused the request or the event; the text says why.
    Refused = "refused";
}

/// One odd thing about one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Oddity {
    /// Line of the file on which the row begins; the header is line 1.
    pub row: u64,
    /// The request's id; empty if the row has none.
    pub id: String,
    /// What is odd.
    pub code: OddityCode,
    /// The particulars, for people.
    pub text: String,
}

/// How often something odd was met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OddityCount {
    /// Times it was met.
    pub rows: u64,
    /// Requests it was met on.
    pub requests: u64,
}

/// Time that requests spent on hold for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Requests held at least once.
    pub requests: u64,
    /// Holds begun.
    pub holds: u64,
    /// Seconds on hold, holds still open not counted.
    pub total_s: i64,
}

/// The account of an import. `rows` is always `rows_used + rows_skipped`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Rows read, the header not counted.
    pub rows: u64,
    /// Rows that gave a request, an event or both.
    pub rows_used: u64,
    /// Rows left out; each is an oddity.
    pub rows_skipped: u64,
    /// Requests found.
    pub requests: u64,
    /// Requests that the database did not have yet.
    pub requests_new: u64,
    /// Events found, `received` not counted.
    pub events: u64,
    /// Events that the database did not have yet.
    pub events_new: u64,
    /// Events found, by kind.
    pub events_by_kind: BTreeMap<&'static str, u64>,
    /// Requests reopened at least once.
    pub requests_reopened: u64,
    /// Requests paused at least once.
    pub requests_paused: u64,
    /// Time on hold, by reason.
    pub held: BTreeMap<String, Held>,
    /// How often each kind of oddity was met.
    pub oddity_counts: BTreeMap<&'static str, OddityCount>,
    /// The first oddities, at most as many as asked for.
    pub oddities: Vec<Oddity>,
    /// The earliest receipt.
    pub first_at: Option<Instant>,
    /// The latest receipt or event.
    pub last_at: Option<Instant>,
    #[serde(skip)]
    pub(super) keep: usize,
    /// The request last counted under each code: requests come one after the other.
    #[serde(skip)]
    last_odd: BTreeMap<&'static str, String>,
}

impl ImportReport {
    pub(super) fn keeping(keep: usize) -> ImportReport {
        ImportReport { keep, ..ImportReport::default() }
    }

    /// Times anything odd was met.
    pub fn oddity_total(&self) -> u64 {
        self.oddity_counts.values().map(|count| count.rows).sum()
    }

    pub(super) fn odd(&mut self, row: u64, id: &str, code: OddityCode, text: impl Into<String>) {
        let count = self.oddity_counts.entry(code.word()).or_default();
        count.rows += 1;
        if self.last_odd.get(code.word()).is_none_or(|last| last != id || id.is_empty()) {
            count.requests += 1;
            self.last_odd.insert(code.word(), id.to_owned());
        }
        if self.oddities.len() < self.keep {
            self.oddities.push(Oddity { row, id: id.to_owned(), code, text: text.into() });
        }
    }

    /// Counts a request with its events, which are in order.
    pub(super) fn count(&mut self, received_at: Instant, events: &[Event]) {
        self.requests += 1;
        self.events += events.len() as u64;
        self.first_at = Some(self.first_at.map_or(received_at, |first| first.min(received_at)));
        let last = events.iter().map(|event| event.at).fold(received_at, Instant::max);
        self.last_at = Some(self.last_at.map_or(last, |latest| latest.max(last)));
        let mut hold: Option<(&str, Instant)> = None;
        let mut reasons = BTreeSet::new();
        let mut reopened = false;
        for event in events {
            *self.events_by_kind.entry(event.kind.tag().word()).or_default() += 1;
            let next = match &event.kind {
                EventKind::Paused { reason } => Some((reason.as_str(), event.at)),
                EventKind::Resumed => None,
                EventKind::Reopened => {
                    reopened = true;
                    continue;
                }
                _ => continue,
            };
            self.release(hold, event.at);
            if let Some((reason, _)) = next {
                let held = self.held.entry(reason.to_owned()).or_default();
                held.holds += 1;
                if reasons.insert(reason) {
                    held.requests += 1;
                }
            }
            hold = next;
        }
        self.requests_reopened += u64::from(reopened);
        self.requests_paused += u64::from(!reasons.is_empty());
    }

    fn release(&mut self, hold: Option<(&str, Instant)>, at: Instant) {
        if let Some((reason, since)) = hold {
            self.held.entry(reason.to_owned()).or_default().total_s += at.since(since).as_secs();
        }
    }
}
