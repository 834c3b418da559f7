//! Mapping files: how a CSV file becomes requests and events.
//!
//! A mapping is TOML. `docs/import.md` describes every key; `examples/mappings/` holds the ones for real logs.

mod check;
mod written;

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::path::Path;

use check::Checker;

use super::stamp::Stamp;
use crate::error::{Error, ErrorKind, Position, Result};
use crate::model::EventTag;
use crate::time::{Instant, Span, TimeOfDay};

/// Largest mapping file.
const MAX_BYTES: u64 = 1 << 20;

/// How the rows of a file make up requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One row per update; the rows of one request share its id.
    AuditLog,
    /// One row per request, with a column for each thing that happened to it.
    Cases,
}

/// A checked mapping: says how a CSV file becomes requests and events.
///
/// ```
/// use slaclock::import::{Layout, Mapping};
/// let mapping = Mapping::parse(r#"
///     [mapping]
///     name   = "help desk"
///     layout = "cases"
///     [time]
///     format = "%Y-%m-%d %H:%M:%S"
///     zone   = "Europe/Berlin"
///     [request]
///     id       = "case"
///     received = "opened"
///     [[event]]
///     column = "closed"
///     is     = "resolved"
/// "#)?;
/// assert_eq!(mapping.layout(), Layout::Cases);
/// # Ok::<(), slaclock::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(super) name: String,
    /// The file it was read from, or its name: what messages about it begin with.
    pub(super) origin: String,
    pub(super) layout: Layout,
    pub(super) delimiter: u8,
    pub(super) stamp: Stamp,
    pub(super) request: RequestColumns,
    pub(super) update: Option<Update>,
    pub(super) states: Vec<State>,
    pub(super) dated: Vec<DatedEvent>,
    pub(super) changes: Vec<ColumnChange>,
    pub(super) compare: Option<Compare>,
}

/// A column's name and where the mapping names it, so that a wrong name can be pointed at.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) place: Position,
}

#[derive(Clone, Debug)]
pub(super) struct RequestColumns {
    pub(super) id: Column,
    pub(super) received: Column,
    pub(super) subject: Option<Column>,
    /// By fact: `customer`, `priority`, … and attributes.
    pub(super) facts: BTreeMap<String, Column>,
}

/// How the rows of an audit log are read.
#[derive(Clone, Debug)]
pub(super) struct Update {
    pub(super) at: Column,
    pub(super) by: Option<Column>,
    pub(super) key: Column,
    pub(super) state: Column,
    pub(super) order: Vec<Column>,
    pub(super) grouped: bool,
    pub(super) assigned: Vec<Column>,
    pub(super) changed: Vec<String>,
    pub(super) reopen_count: Option<Column>,
    pub(super) vendor: Option<Column>,
    pub(super) resolved_at: Option<Column>,
    pub(super) acknowledge: bool,
    pub(super) otherwise: EventTag,
}

/// What a value of the state column means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    New,
    Open,
    Paused { reason: String },
    Resolved,
    Cancelled,
}

#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) values: Vec<String>,
    pub(super) meaning: Meaning,
    /// Text of the event that the meaning is.
    pub(super) text: Option<Column>,
    pub(super) enter: Option<EventTag>,
    pub(super) leave: Option<EventTag>,
    /// On leaving it for a state in which work goes on.
    pub(super) resume: Option<EventTag>,
    pub(super) stay: Option<EventTag>,
}

/// A column of the cases layout whose instant is an event.
#[derive(Clone, Debug)]
pub(super) struct DatedEvent {
    pub(super) column: Column,
    pub(super) what: Happening,
    /// The date should be there when this column has one of these values.
    pub(super) expected: Option<(Column, Vec<String>)>,
}

/// A column of an audit log whose new value is an event.
#[derive(Clone, Debug)]
pub(super) struct ColumnChange {
    pub(super) column: Column,
    /// Only these values; any if empty.
    pub(super) values: Vec<String>,
    pub(super) what: Happening,
}

/// An event, and where what it carries comes from.
#[derive(Clone, Debug)]
pub(super) struct Happening {
    pub(super) is: EventTag,
    /// Of a pause.
    pub(super) reason: Option<String>,
    /// Of a waiver: the clock, and the number of its cycle.
    pub(super) waives: Option<(String, u32)>,
    /// Columns of what else it carries.
    pub(super) carries: Carried<Column>,
}

/// What an event takes from columns of its row.
#[derive(Clone, Debug, Default)]
pub(super) struct Carried<C> {
    pub(super) by: Option<C>,
    pub(super) text: Option<C>,
    pub(super) to: Option<C>,
    pub(super) vendor: Option<C>,
    pub(super) due: Option<C>,
    pub(super) approved_by: Option<C>,
    pub(super) faq: Option<C>,
    /// By fact.
    pub(super) set: BTreeMap<String, C>,
}

impl<C> Carried<C> {
    /// The same in another form.
    pub(super) fn map<D>(&self, mut form: impl FnMut(&C) -> Result<D>) -> Result<Carried<D>> {
        let set = self.set.iter().map(|(fact, column)| Ok((fact.clone(), form(column)?)));
        let set = set.collect::<Result<_>>()?;
        let mut form = |field: &Option<C>| field.as_ref().map(&mut form).transpose();
        Ok(Carried {
            by: form(&self.by)?,
            text: form(&self.text)?,
            to: form(&self.to)?,
            vendor: form(&self.vendor)?,
            due: form(&self.due)?,
            approved_by: form(&self.approved_by)?,
            faq: form(&self.faq)?,
            set,
        })
    }
}

/// The columns in which a file records its own targets and verdicts.
#[derive(Clone, Debug)]
pub(super) struct Compare {
    pub(super) clock: String,
    pub(super) target: Column,
    pub(super) closed: Column,
    pub(super) tolerance: Span,
    /// Receipts from this time of day on that a receipt rule moves must be exact.
    pub(super) exact_from: Option<TimeOfDay>,
    pub(super) verdict: Option<Verdict>,
}

#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) column: Column,
    pub(super) met: Vec<String>,
    pub(super) missed: Vec<String>,
    /// When the file was written: a case that was open then is missed if its target had passed.
    pub(super) as_of: Option<Instant>,
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// `NotFound` or `Io` if it cannot be read, otherwise as [`Mapping::parse`]; messages begin with the path.
    pub fn load(path: impl AsRef<Path>) -> Result<Mapping> {
        let path = path.as_ref();
        let named = |cause: std::io::Error| Error::from(cause).context(path.display());
        let mut bytes = Vec::new();
        // One byte more than allowed is enough to see that a file is too large, whatever it is.
        if !std::fs::metadata(path).map_err(named)?.is_file() {
            return Err(Error::new(
                ErrorKind::Io,
                format!("{}: is no regular file, and must be one", path.display()),
            ));
        }
        let limited = std::fs::File::open(path).map_err(named)?.take(MAX_BYTES + 1);
        BufReader::new(limited).read_to_end(&mut bytes).map_err(named)?;
        if bytes.len() as u64 > MAX_BYTES {
            let message = format!("{}: a mapping must be at most {MAX_BYTES} bytes", path.display());
            return Err(Error::new(ErrorKind::InvalidMapping, message));
        }
        let text = String::from_utf8(bytes).map_err(|_| {
            Error::new(ErrorKind::InvalidMapping, format!("{}: is not UTF-8 text", path.display()))
        })?;
        let mapping = Mapping::parse(&text).map_err(|error| error.context(path.display()))?;
        Ok(Mapping { origin: path.display().to_string(), ..mapping })
    }

    /// Reads a mapping from TOML text.
    ///
    /// # Errors
    /// `InvalidMapping` with line and column.
    pub fn parse(text: &str) -> Result<Mapping> {
        let file: written::File = toml::from_str(text).map_err(|cause| {
            let place = place_of(text, cause.span().map_or(0, |span| span.start));
            Error::new(ErrorKind::InvalidMapping, cause.message()).at(place)
        })?;
        Checker { text }.mapping(file)
    }

    /// The mapping's own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How rows make up requests.
    pub fn layout(&self) -> Layout {
        self.layout
    }
}

/// Line and column of a byte offset.
fn place_of(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position {
        line: count(before.matches('\n').count() + 1),
        column: count(before[line_start..].chars().count() + 1),
    }
}
