//! Mapping files: how a CSV file becomes requests and events.
//!
//! A mapping is TOML. `docs/import.md` describes every key; `examples/mappings/` holds the ones for real logs.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::stamp::Stamp;
use crate::error::{Error, ErrorKind, Position, Result};
use crate::model::{EventTag, Facts};
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
    pub(super) enter: Option<EventTag>,
    pub(super) leave: Option<EventTag>,
    pub(super) stay: Option<EventTag>,
}

/// A column of the cases layout whose instant is an event.
#[derive(Clone, Debug)]
pub(super) struct DatedEvent {
    pub(super) column: Column,
    pub(super) is: EventTag,
    /// Of a pause.
    pub(super) reason: Option<String>,
    /// Of a waiver: the clock, and the number of its cycle.
    pub(super) waives: Option<(String, u32)>,
    /// Columns of what else it carries.
    pub(super) carries: Carried<Column>,
    /// The date should be there when this column has one of these values.
    pub(super) expected: Option<(Column, Vec<String>)>,
}

/// What an event of the cases layout takes from columns of its row.
#[derive(Clone, Debug, Default)]
pub(super) struct Carried<C> {
    pub(super) by: Option<C>,
    pub(super) text: Option<C>,
    pub(super) to: Option<C>,
    pub(super) vendor: Option<C>,
    pub(super) due: Option<C>,
    pub(super) approved_by: Option<C>,
}

impl<C> Carried<C> {
    /// The same in another form.
    pub(super) fn map<D>(&self, mut form: impl FnMut(&C) -> Result<D>) -> Result<Carried<D>> {
        let mut form = |field: &Option<C>| field.as_ref().map(&mut form).transpose();
        Ok(Carried {
            by: form(&self.by)?,
            text: form(&self.text)?,
            to: form(&self.to)?,
            vendor: form(&self.vendor)?,
            due: form(&self.due)?,
            approved_by: form(&self.approved_by)?,
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
        let file: File = toml::from_str(text).map_err(|cause| {
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

// The file as written. Names here are the keys that people write.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mapping: Spanned<Head>,
    time: TimeTable,
    request: RequestTable,
    update: Option<UpdateTable>,
    #[serde(default)]
    state: Vec<Spanned<StateTable>>,
    #[serde(default)]
    event: Vec<Spanned<EventTable>>,
    compare: Option<CompareTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    name: String,
    layout: Spanned<String>,
    #[serde(default)]
    delimiter: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            OneOrMore::One(one) => vec![one],
            OneOrMore::More(more) => more,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeTable {
    format: Spanned<OneOrMore<String>>,
    zone: Spanned<String>,
    #[serde(default)]
    missing: Vec<String>,
    shift: Option<Spanned<String>>,
    #[serde(default)]
    midnight_is_date_only: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestTable {
    id: Spanned<String>,
    received: Spanned<String>,
    customer: Option<Spanned<String>>,
    priority: Option<Spanned<String>>,
    category: Option<Spanned<String>>,
    channel: Option<Spanned<String>>,
    subject: Option<Spanned<String>>,
    #[serde(default)]
    attributes: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateTable {
    at: Spanned<String>,
    by: Option<Spanned<String>>,
    key: Spanned<String>,
    state: Spanned<String>,
    #[serde(default)]
    order: Vec<Spanned<String>>,
    #[serde(default = "yes")]
    grouped: bool,
    #[serde(default)]
    assigned: Vec<Spanned<String>>,
    #[serde(default)]
    changed: Vec<Spanned<String>>,
    reopen_count: Option<Spanned<String>>,
    vendor: Option<Spanned<String>>,
    resolved_at: Option<Spanned<String>>,
    #[serde(default = "yes")]
    acknowledge: bool,
    otherwise: Option<Spanned<String>>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateTable {
    values: Vec<Spanned<String>>,
    is: Spanned<String>,
    reason: Option<Spanned<String>>,
    enter: Option<Spanned<String>>,
    leave: Option<Spanned<String>>,
    stay: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventTable {
    column: Spanned<String>,
    is: Spanned<String>,
    reason: Option<Spanned<String>>,
    by: Option<Spanned<String>>,
    text: Option<Spanned<String>>,
    to: Option<Spanned<String>>,
    vendor: Option<Spanned<String>>,
    due: Option<Spanned<String>>,
    approved_by: Option<Spanned<String>>,
    clock: Option<Spanned<String>>,
    cycle: Option<Spanned<u32>>,
    expected: Option<ExpectedTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedTable {
    column: Spanned<String>,
    values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompareTable {
    clock: String,
    target: Spanned<String>,
    closed: Spanned<String>,
    tolerance: Spanned<String>,
    exact_from: Option<Spanned<String>>,
    verdict: Option<VerdictTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerdictTable {
    column: Spanned<String>,
    met: Vec<String>,
    missed: Vec<String>,
    as_of: Option<Spanned<String>>,
}

/// Events that a mapping may name by themselves: they carry nothing that a row would have to give.
const PLAIN_EVENTS: [EventTag; 7] = [
    EventTag::Acknowledged,
    EventTag::Replied,
    EventTag::CustomerReplied,
    EventTag::Updated,
    EventTag::VendorContacted,
    EventTag::VendorReplied,
    EventTag::Note,
];

/// Events that a dated column may stand for.
const DATED_EVENTS: [EventTag; 21] = [
    EventTag::Acknowledged,
    EventTag::Replied,
    EventTag::CustomerReplied,
    EventTag::Updated,
    EventTag::Paused,
    EventTag::Resumed,
    EventTag::VendorContacted,
    EventTag::VendorReplied,
    EventTag::Resolved,
    EventTag::Reopened,
    EventTag::Cancelled,
    EventTag::Note,
    EventTag::Assigned,
    EventTag::Promised,
    EventTag::Expedited,
    EventTag::ExpediteWithdrawn,
    EventTag::RefusalProposed,
    EventTag::RefusalApproved,
    EventTag::RefusalWithdrawn,
    EventTag::Waived,
    EventTag::WaiverWithdrawn,
];

fn words(tags: &[EventTag]) -> String {
    tags.iter().map(|tag| tag.word()).collect::<Vec<_>>().join(", ")
}

/// Turns the tables as written into a mapping, with the text at hand to point into.
struct Checker<'a> {
    text: &'a str,
}

impl Checker<'_> {
    fn mapping(&self, file: File) -> Result<Mapping> {
        let head_at = self.place(&file.mapping);
        let head = file.mapping.into_inner();
        let layout = match head.layout.get_ref().as_str() {
            "audit-log" => Layout::AuditLog,
            "cases" => Layout::Cases,
            other => {
                let message = format!("layout `{other}`: must be `audit-log` or `cases`");
                return Err(self.wrong(&head.layout, message));
            }
        };
        let request = self.request(file.request)?;
        let update = file.update.map(|table| self.update(table, &request)).transpose()?;
        let states = self.states(&file.state)?;
        match layout {
            Layout::AuditLog => {
                let missing = if update.is_none() { Some("[update]") } else { None };
                if let Some(table) = missing.or(if states.is_empty() { Some("[[state]]") } else { None }) {
                    let message = format!("layout `audit-log`: needs a table {table}");
                    return Err(Error::new(ErrorKind::InvalidMapping, message).at(head_at));
                }
                if let Some(event) = file.event.first() {
                    let message =
                        "[[event]]: is for the layout `cases`; an audit log has [update] and [[state]]";
                    return Err(self.wrong(event, message));
                }
            }
            Layout::Cases => {
                if update.is_some() || !states.is_empty() {
                    let message = "layout `cases`: has no [update] and no [[state]]; its events are columns named in [[event]]";
                    return Err(Error::new(ErrorKind::InvalidMapping, message).at(head_at));
                }
            }
        }
        Ok(Mapping {
            origin: format!("mapping `{}`", head.name),
            name: head.name,
            layout,
            delimiter: self.delimiter(head.delimiter)?,
            stamp: self.stamp(file.time)?,
            request,
            update,
            states,
            dated: file.event.into_iter().map(|event| self.dated(event)).collect::<Result<_>>()?,
            compare: file.compare.map(|table| self.compare(table)).transpose()?,
        })
    }

    fn place<T>(&self, spanned: &Spanned<T>) -> Position {
        place_of(self.text, spanned.span().start)
    }

    fn wrong<T>(&self, spanned: &Spanned<T>, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::InvalidMapping, message).at(self.place(spanned))
    }

    fn column(&self, spanned: Spanned<String>) -> Result<Column> {
        if spanned.get_ref().is_empty() {
            return Err(
                self.wrong(&spanned, "column ``: give the column's name as in the file's header line")
            );
        }
        Ok(Column { place: self.place(&spanned), name: spanned.into_inner() })
    }

    fn columns(&self, list: Vec<Spanned<String>>) -> Result<Vec<Column>> {
        list.into_iter().map(|column| self.column(column)).collect()
    }

    fn optional(&self, column: Option<Spanned<String>>) -> Result<Option<Column>> {
        column.map(|column| self.column(column)).transpose()
    }

    fn delimiter(&self, written: Option<Spanned<String>>) -> Result<u8> {
        let Some(written) = written else { return Ok(b',') };
        match written.get_ref().as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
            _ => {
                let message =
                    format!("delimiter `{}`: must be one ASCII character like `,` or `;`", written.get_ref());
                Err(self.wrong(&written, message))
            }
        }
    }

    fn stamp(&self, table: TimeTable) -> Result<Stamp> {
        let place = self.place(&table.format);
        let formats = table.format.into_inner().into_vec();
        if formats.is_empty() {
            let message = "format: needs at least one, like \"%Y-%m-%d %H:%M:%S\"";
            return Err(Error::new(ErrorKind::InvalidMapping, message).at(place));
        }
        let shifted = match &table.shift {
            None => false,
            Some(shift) if shift.get_ref() == "local-read-as-utc" => true,
            Some(shift) => {
                let message = format!(
                    "shift `{}`: must be `local-read-as-utc` (the exporter took local times for UTC and converted them \
                     to local time once more), or left out",
                    shift.get_ref()
                );
                return Err(self.wrong(shift, message));
            }
        };
        let zone =
            Stamp::zone(table.zone.get_ref()).map_err(|error| self.wrong(&table.zone, error.message()))?;
        Stamp::new(&formats, zone, table.missing, shifted, table.midnight_is_date_only)
            .map_err(|error| Error::new(ErrorKind::InvalidMapping, error.message()).at(place))
    }

    fn request(&self, table: RequestTable) -> Result<RequestColumns> {
        let mut facts = BTreeMap::new();
        let named = [
            ("customer", table.customer),
            ("priority", table.priority),
            ("category", table.category),
            ("channel", table.channel),
        ];
        for (fact, column) in named {
            if let Some(column) = column {
                facts.insert(fact.to_owned(), self.column(column)?);
            }
        }
        for (name, column) in table.attributes {
            if name.get_ref().is_empty() || Facts::RESERVED.contains(&name.get_ref().as_str()) {
                let message = format!(
                    "attribute `{}`: must not be empty or one of {}, which have keys of their own in [request]",
                    name.get_ref(),
                    Facts::RESERVED.join(", ")
                );
                return Err(self.wrong(&name, message));
            }
            facts.insert(name.into_inner(), self.column(column)?);
        }
        Ok(RequestColumns {
            id: self.column(table.id)?,
            received: self.column(table.received)?,
            subject: self.optional(table.subject)?,
            facts,
        })
    }

    fn update(&self, table: UpdateTable, request: &RequestColumns) -> Result<Update> {
        for fact in &table.changed {
            if !request.facts.contains_key(fact.get_ref()) {
                let known: Vec<&str> = request.facts.keys().map(String::as_str).collect();
                let message = format!(
                    "changed `{}`: must be a fact that [request] names a column for; there are: {}",
                    fact.get_ref(),
                    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
                );
                return Err(self.wrong(fact, message));
            }
        }
        let otherwise = match table.otherwise {
            Some(word) => self.plain_event(&word)?,
            None => EventTag::Updated,
        };
        Ok(Update {
            at: self.column(table.at)?,
            by: self.optional(table.by)?,
            key: self.column(table.key)?,
            state: self.column(table.state)?,
            order: self.columns(table.order)?,
            grouped: table.grouped,
            assigned: self.columns(table.assigned)?,
            changed: table.changed.into_iter().map(Spanned::into_inner).collect(),
            reopen_count: self.optional(table.reopen_count)?,
            vendor: self.optional(table.vendor)?,
            resolved_at: self.optional(table.resolved_at)?,
            acknowledge: table.acknowledge,
            otherwise,
        })
    }

    fn states(&self, tables: &[Spanned<StateTable>]) -> Result<Vec<State>> {
        let mut seen = BTreeSet::new();
        let mut states = Vec::with_capacity(tables.len());
        for spanned in tables {
            let table = spanned.get_ref();
            if table.values.is_empty() {
                return Err(self.wrong(spanned, "[[state]]: `values` is empty; name at least one value"));
            }
            for value in &table.values {
                if !seen.insert(value.get_ref().clone()) {
                    let message =
                        format!("state `{}`: is named twice; each value has one meaning", value.get_ref());
                    return Err(self.wrong(value, message));
                }
            }
            let event =
                |word: &Option<Spanned<String>>| word.as_ref().map(|w| self.plain_event(w)).transpose();
            states.push(State {
                values: table.values.iter().map(|value| value.get_ref().clone()).collect(),
                meaning: self.meaning(table)?,
                enter: event(&table.enter)?,
                leave: event(&table.leave)?,
                stay: event(&table.stay)?,
            });
        }
        Ok(states)
    }

    fn meaning(&self, table: &StateTable) -> Result<Meaning> {
        let meaning = match (table.is.get_ref().as_str(), &table.reason) {
            ("paused", Some(reason)) if !reason.get_ref().is_empty() => {
                return Ok(Meaning::Paused { reason: reason.get_ref().clone() });
            }
            ("paused", _) => {
                let message = "is `paused`: needs a reason, like reason = \"waiting_customer\"";
                return Err(self.wrong(&table.is, message));
            }
            ("new", _) => Meaning::New,
            ("open", _) => Meaning::Open,
            ("resolved", _) => Meaning::Resolved,
            ("cancelled", _) => Meaning::Cancelled,
            (other, _) => {
                let message = format!("is `{other}`: must be new, open, paused, resolved or cancelled");
                return Err(self.wrong(&table.is, message));
            }
        };
        match &table.reason {
            Some(reason) => Err(self.wrong(reason, "reason: only a state that is `paused` has one")),
            None => Ok(meaning),
        }
    }

    fn plain_event(&self, word: &Spanned<String>) -> Result<EventTag> {
        self.event(word, &PLAIN_EVENTS)
    }

    fn event(&self, word: &Spanned<String>, allowed: &[EventTag]) -> Result<EventTag> {
        EventTag::from_word(word.get_ref()).filter(|tag| allowed.contains(tag)).ok_or_else(|| {
            self.wrong(word, format!("event `{}`: must be one of {}", word.get_ref(), words(allowed)))
        })
    }

    fn dated(&self, spanned: Spanned<EventTable>) -> Result<DatedEvent> {
        let table = spanned.into_inner();
        let is = self.event(&table.is, &DATED_EVENTS)?;
        let reason = match (is, table.reason) {
            (EventTag::Paused, Some(reason)) if !reason.get_ref().is_empty() => Some(reason.into_inner()),
            (EventTag::Paused, _) => {
                let message = "event `paused`: needs a reason, like reason = \"waiting_customer\"";
                return Err(self.wrong(&table.is, message));
            }
            (_, Some(reason)) => return Err(self.wrong(&reason, "reason: only an event `paused` has one")),
            (_, None) => None,
        };
        let is_waiver = matches!(is, EventTag::Waived | EventTag::WaiverWithdrawn);
        let waives = match (is_waiver, table.clock, table.cycle) {
            (true, Some(clock), cycle) => {
                if let Some(cycle) = cycle.as_ref().filter(|cycle| *cycle.get_ref() == 0) {
                    return Err(self.wrong(cycle, "cycle 0: cycles are counted from 1"));
                }
                Some((clock.into_inner(), cycle.map_or(1, Spanned::into_inner)))
            }
            (true, None, _) => {
                let message = format!("event `{}`: needs a clock, like clock = \"resolution\"", is.word());
                return Err(self.wrong(&table.is, message));
            }
            (false, Some(clock), _) => return Err(self.wrong(&clock, "clock: only a waiver has one")),
            (false, None, Some(cycle)) => return Err(self.wrong(&cycle, "cycle: only a waiver has one")),
            (false, None, None) => None,
        };
        let written = Carried {
            by: table.by,
            text: table.text,
            to: table.to,
            vendor: table.vendor,
            due: table.due,
            approved_by: table.approved_by,
        };
        self.carries(is, &table.is, &written)?;
        let carries = written.map(|name| self.column(name.clone()))?;
        let expected = match table.expected {
            Some(table) => Some((self.column(table.column)?, table.values)),
            None => None,
        };
        Ok(DatedEvent { column: self.column(table.column)?, is, reason, waives, carries, expected })
    }

    /// An event has the columns that its kind needs, and none that it does not carry.
    fn carries(&self, is: EventTag, at: &Spanned<String>, written: &Carried<Spanned<String>>) -> Result<()> {
        let about_vendor = matches!(is, EventTag::VendorContacted | EventTag::VendorReplied);
        let with_reason = matches!(is, EventTag::RefusalProposed | EventTag::Waived);
        // Name, column, whether it is needed, whether it may be there.
        let rules = [
            ("by", &written.by, is.needs_actor(), true),
            ("text", &written.text, with_reason, true),
            ("to", &written.to, is == EventTag::Assigned, is == EventTag::Assigned),
            ("vendor", &written.vendor, false, about_vendor),
            ("due", &written.due, is == EventTag::Promised, is == EventTag::Promised),
            ("approved_by", &written.approved_by, false, is == EventTag::Expedited),
        ];
        for (name, column, needed, allowed) in rules {
            match column {
                None if needed => {
                    let message = format!("event `{}`: needs a column, like {name} = \"{name}\"", is.word());
                    return Err(self.wrong(at, message));
                }
                Some(column) if !allowed => {
                    let message = format!("{name}: an event `{}` carries none", is.word());
                    return Err(self.wrong(column, message));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn compare(&self, table: CompareTable) -> Result<Compare> {
        let tolerance = Span::parse(table.tolerance.get_ref())
            .map_err(|error| self.wrong(&table.tolerance, error.message()))?;
        let exact_from = table
            .exact_from
            .map(|text| TimeOfDay::parse(text.get_ref()).map_err(|error| self.wrong(&text, error.message())));
        let exact_from = exact_from.transpose()?;
        let verdict = match table.verdict {
            None => None,
            Some(verdict) => Some(Verdict {
                column: self.column(verdict.column)?,
                met: verdict.met,
                missed: verdict.missed,
                as_of: match verdict.as_of {
                    None => None,
                    Some(text) => Some(
                        Instant::parse(text.get_ref()).map_err(|error| self.wrong(&text, error.message()))?,
                    ),
                },
            }),
        };
        Ok(Compare {
            clock: table.clock,
            target: self.column(table.target)?,
            closed: self.column(table.closed)?,
            tolerance,
            exact_from,
            verdict,
        })
    }
}
