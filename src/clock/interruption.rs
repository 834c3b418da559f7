//! Interruptions: declared windows of time in which something larger than a request went wrong.
//!
//! Each is a journal: declared, amended, ended, withdrawn, every entry with its instant and actor. A cycle goes by what
//! had been declared when it was finished; an open one by all that has been. So a finished cycle keeps its verdict,
//! whatever is declared later.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::model::Facts;
use crate::policy::{Handling, Interruption, Policy};
use crate::time::Instant;

/// Which clocks an interruption is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All of them.
    All,
    /// Those that count in the calendar of this name.
    Calendar(String),
    /// Those of this customer's requests.
    Customer(String),
    /// Those of requests of this category.
    Category(String),
}

/// What is declared: a kind of interruption, whom it is about, from when to when.
///
/// A request is in scope by the calendar and facts that it has when the interruption begins, or the clock does if later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// `personnel`, `facilities`, `power`, `internet_telecom`, `merger_acquisition`, `disaster`, `own`, or a kind of
    /// the agreement's own as `own:NAME`.
    pub category: String,
    /// Whom it is about.
    pub scope: Scope,
    /// Its first instant.
    pub from: Instant,
    /// The first instant after it; `None` while nobody knows.
    #[serde(default)]
    pub to: Option<Instant>,
}

/// What an entry of the journal did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Said for the first time.
    Declared,
    /// Said otherwise.
    Amended,
    /// Its end became known.
    Ended,
    /// It never was.
    Withdrawn,
}

impl Act {
    /// The word for it in every language.
    pub const fn word(self) -> &'static str {
        match self {
            Act::Declared => "declared",
            Act::Amended => "amended",
            Act::Ended => "ended",
            Act::Withdrawn => "withdrawn",
        }
    }
}

/// One entry of an interruption's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The interruption's number: 1, 2, 3, …
    pub number: u32,
    /// What was done.
    pub act: Act,
    /// When it was declared, amended, ended or withdrawn.
    pub at: Instant,
    /// Who did it.
    pub by: String,
    /// The window as it stands from then on; of a withdrawn one, as it stood.
    pub window: Window,
    /// Free text for the record.
    pub text: Option<String>,
}

/// All that was declared, in the order of its recording.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Interruptions(Vec<Entry>);

/// Nothing was declared.
pub(crate) static NO_INTERRUPTIONS: Interruptions = Interruptions(Vec::new());

/// A stretch in which an interruption stopped a cycle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The interruption's number.
    pub number: u32,
    /// Its category.
    pub category: String,
    /// Since when it stopped the cycle.
    pub from: Instant,
    /// Until when; `None` while nobody knows.
    pub to: Option<Instant>,
}

impl Scope {
    /// Whether a request with these facts is in it, as far as facts tell: every request is in that of a calendar.
    pub fn is_of(&self, facts: &Facts) -> bool {
        match self {
            Scope::All | Scope::Calendar(_) => true,
            Scope::Customer(name) => facts.get("customer") == Some(name),
            Scope::Category(name) => facts.get("category") == Some(name),
        }
    }
}

impl Window {
    /// The kind that its category is of.
    ///
    /// # Errors
    /// `InvalidArgument` for an unknown category.
    pub fn kind(&self) -> Result<Interruption> {
        const KNOWN: [(&str, Interruption); 7] = [
            ("personnel", Interruption::Personnel),
            ("facilities", Interruption::Facilities),
            ("power", Interruption::Power),
            ("internet_telecom", Interruption::InternetTelecom),
            ("merger_acquisition", Interruption::MergerAcquisition),
            ("disaster", Interruption::Disaster),
            ("own", Interruption::Own),
        ];
        let category = self.category.as_str();
        if category.strip_prefix("own:").is_some_and(|name| !name.trim().is_empty()) {
            return Ok(Interruption::Own);
        }
        KNOWN.iter().find(|(word, _)| *word == category).map(|(_, kind)| *kind).ok_or_else(|| {
            let words: Vec<&str> = KNOWN.iter().map(|(word, _)| *word).collect();
            let message = format!(
                "interruption category `{category}`: must be one of {}, or a kind of your own as own:NAME",
                words.join(", ")
            );
            Error::new(ErrorKind::InvalidArgument, message)
        })
    }

    /// Checks what can be checked without a database: category, names, and that it ends after it begins.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn validate(&self) -> Result<()> {
        self.kind()?;
        let wrong = |why: String| Err(Error::new(ErrorKind::InvalidArgument, why));
        if let Some(to) = self.to.filter(|to| *to <= self.from) {
            return wrong(format!("interruption from {} to {to}: must end after it begins", self.from));
        }
        match &self.scope {
            Scope::Calendar(name) | Scope::Customer(name) | Scope::Category(name) if name.is_empty() => {
                wrong("interruption scope: the name of the calendar, customer or category is empty".into())
            }
            _ => Ok(()),
        }
    }

    /// What a policy does about it.
    pub fn handling(&self, policy: &Policy) -> Handling {
        let kind = self.kind().ok();
        let said = policy.interruptions().iter().find(|(known, _)| Some(*known) == kind);
        said.map_or(Handling::Record, |(_, handling)| *handling)
    }

    /// Whether it is about a clock of a request with these facts that counts in this calendar.
    pub fn is_about(&self, facts: &Facts, calendar: Option<&str>) -> bool {
        match &self.scope {
            Scope::Calendar(name) => calendar == Some(name),
            other => other.is_of(facts),
        }
    }
}

impl Interruptions {
    /// From a journal, in the order of its recording.
    pub fn new(entries: Vec<Entry>) -> Interruptions {
        Interruptions(entries)
    }

    /// The journal.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Whether nothing was ever declared.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last entry about each interruption that was recorded at or before `at`, by number; of all if `None`.
    pub fn known(&self, at: Option<Instant>) -> Vec<&Entry> {
        let mut known: Vec<&Entry> = Vec::new();
        for entry in self.0.iter().filter(|entry| at.is_none_or(|at| entry.at <= at)) {
            match known.binary_search_by_key(&entry.number, |known| known.number) {
                Ok(at) => known[at] = entry,
                Err(at) => known.insert(at, entry),
            }
        }
        known
    }

    /// Whether anything was recorded after `now`.
    pub(crate) fn any_after(&self, now: Instant) -> bool {
        self.0.iter().any(|entry| entry.at > now)
    }

    /// The windows that stop a cycle which goes by what was known at `at`: number, window, in the order of their start.
    ///
    /// An extending one counts once its end is known.
    pub(crate) fn stopping<'a>(&'a self, policy: &Policy, at: Option<Instant>) -> Vec<&'a Entry> {
        let stops = |entry: &&Entry| match entry.window.handling(policy) {
            _ if entry.act == Act::Withdrawn => false,
            Handling::Stop => true,
            Handling::Extend => entry.window.to.is_some(),
            Handling::Record => false,
        };
        self.known(at).into_iter().filter(stops).collect()
    }
}
