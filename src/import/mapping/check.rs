//! Turns a mapping as written into one that can be used, or says where it is wrong.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::super::stamp::Stamp;
use super::written::{CompareTable, EventTable, File, RequestTable, StateTable, TimeTable, UpdateTable};
use super::{
    Carried, Column, ColumnChange, Compare, DatedEvent, Happening, Layout, Mapping, Meaning, RequestColumns,
    State, Update, Verdict, place_of,
};
use crate::error::{Error, ErrorKind, Position, Result};
use crate::model::{EventTag, Facts};
use crate::time::{Instant, Span, TimeOfDay};

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

/// Events that a dated column may stand for: all but those that the database records by itself.
fn dated_events() -> Vec<EventTag> {
    let own = [EventTag::Received, EventTag::Migrated];
    EventTag::ALL.iter().copied().filter(|tag| !own.contains(tag)).collect()
}

/// Events that a new value in a column of an audit log may stand for: all of those but what its states and the facts of its
/// requests say, and what follows from another change.
fn change_events() -> Vec<EventTag> {
    let otherwise = [
        EventTag::Paused,
        EventTag::Resumed,
        EventTag::Resolved,
        EventTag::Reopened,
        EventTag::Cancelled,
        EventTag::Changed,
        EventTag::FaqUnlinked,
    ];
    dated_events().into_iter().filter(|tag| !otherwise.contains(tag)).collect()
}

fn words(tags: &[EventTag]) -> String {
    tags.iter().map(|tag| tag.word()).collect::<Vec<_>>().join(", ")
}

/// Turns the tables as written into a mapping, with the text at hand to point into.
pub(super) struct Checker<'a> {
    pub(super) text: &'a str,
}

impl Checker<'_> {
    pub(super) fn mapping(&self, file: File) -> Result<Mapping> {
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
                    let message = "[[event]]: is for the layout `cases`; an audit log has [update], [[state]] and [[change]]";
                    return Err(self.wrong(event, message));
                }
            }
            Layout::Cases => {
                if update.is_some() || !states.is_empty() || !file.change.is_empty() {
                    let message = "layout `cases`: has no [update], no [[state]] and no [[change]]; its events are columns \
                                   named in [[event]]";
                    return Err(Error::new(ErrorKind::InvalidMapping, message).at(head_at));
                }
            }
        }
        let changes = match &update {
            Some(update) => {
                file.change.into_iter().map(|change| self.change(change, update)).collect::<Result<_>>()?
            }
            None => Vec::new(),
        };
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
            changes,
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
                text: self.text_of(table)?,
                enter: event(&table.enter)?,
                leave: event(&table.leave)?,
                resume: event(&table.resume)?,
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

    /// Only a state whose meaning is an event has a text for it.
    fn text_of(&self, table: &StateTable) -> Result<Option<Column>> {
        match &table.text {
            Some(text) if matches!(table.is.get_ref().as_str(), "new" | "open") => {
                let message =
                    "text: only a state that is paused, resolved or cancelled is an event with a text";
                Err(self.wrong(text, message))
            }
            text => self.optional(text.clone()),
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
        if let Some(values) = &table.values {
            return Err(self.wrong(
                values,
                "values: a column of dates has none; `expected` says on which rows it is filled",
            ));
        }
        let what = self.happening(&table, &dated_events(), None)?;
        let expected = match table.expected.map(Spanned::into_inner) {
            Some(table) => Some((self.column(table.column)?, table.values)),
            None => None,
        };
        Ok(DatedEvent { column: self.column(table.column)?, what, expected })
    }

    fn change(&self, spanned: Spanned<EventTable>, update: &Update) -> Result<ColumnChange> {
        let mut table = spanned.into_inner();
        if let Some(expected) = &table.expected {
            return Err(self.wrong(expected, "expected: only a column of dates of the layout `cases` has it"));
        }
        // What was linked is what the column says.
        if table.is.get_ref() == EventTag::FaqLinked.word() && table.faq.is_none() {
            table.faq = Some(table.column.clone());
        }
        let what = self.happening(&table, &change_events(), Some(update))?;
        let values = match table.values {
            Some(values) if values.get_ref().is_empty() => {
                return Err(
                    self.wrong(&values, "values: is empty; name at least one value, or leave it out for any")
                );
            }
            values => values.map(Spanned::into_inner).unwrap_or_default(),
        };
        Ok(ColumnChange { column: self.column(table.column)?, values, what })
    }

    /// What an event is. Of a row of an audit log it is known who wrote it, and perhaps the vendor.
    fn happening(&self, table: &EventTable, allowed: &[EventTag], row: Option<&Update>) -> Result<Happening> {
        let is = self.event(&table.is, allowed)?;
        let reason = match (is, &table.reason) {
            (EventTag::Paused, Some(reason)) if !reason.get_ref().is_empty() => {
                Some(reason.get_ref().clone())
            }
            (EventTag::Paused, _) => {
                let message = "event `paused`: needs a reason, like reason = \"waiting_customer\"";
                return Err(self.wrong(&table.is, message));
            }
            (_, Some(reason)) => return Err(self.wrong(reason, "reason: only an event `paused` has one")),
            (_, None) => None,
        };
        let waives = self.waives(is, table)?;
        let mut set = BTreeMap::new();
        for (fact, column) in &table.set {
            if fact.get_ref().is_empty() || fact.get_ref() == Facts::EXPEDITE {
                let message = format!(
                    "set `{}`: must be a fact like priority; `{}` is set by the events of expedites only",
                    fact.get_ref(),
                    Facts::EXPEDITE
                );
                return Err(self.wrong(fact, message));
            }
            set.insert(fact.get_ref().clone(), column.clone());
        }
        let written = Carried {
            by: table.by.clone(),
            text: table.text.clone(),
            to: table.to.clone(),
            vendor: table.vendor.clone(),
            due: table.due.clone(),
            approved_by: table.approved_by.clone(),
            faq: table.faq.clone(),
            set,
        };
        self.carries(is, &table.is, &written, row.is_some_and(|row| row.by.is_some()))?;
        let carries = written.map(|name| self.column(name.clone()))?;
        Ok(Happening { is, reason, waives, carries })
    }

    fn waives(&self, is: EventTag, table: &EventTable) -> Result<Option<(String, u32)>> {
        let is_waiver = matches!(is, EventTag::Waived | EventTag::WaiverWithdrawn);
        match (is_waiver, &table.clock, &table.cycle) {
            (true, Some(clock), cycle) => {
                if let Some(cycle) = cycle.as_ref().filter(|cycle| *cycle.get_ref() == 0) {
                    return Err(self.wrong(cycle, "cycle 0: cycles are counted from 1"));
                }
                Ok(Some((clock.get_ref().clone(), cycle.as_ref().map_or(1, |cycle| *cycle.get_ref()))))
            }
            (true, None, _) => {
                let message = format!("event `{}`: needs a clock, like clock = \"resolution\"", is.word());
                Err(self.wrong(&table.is, message))
            }
            (false, Some(clock), _) => Err(self.wrong(clock, "clock: only a waiver has one")),
            (false, None, Some(cycle)) => Err(self.wrong(cycle, "cycle: only a waiver has one")),
            (false, None, None) => Ok(None),
        }
    }

    /// An event has the columns that its kind needs, and none that it does not carry.
    fn carries(
        &self,
        is: EventTag,
        at: &Spanned<String>,
        written: &Carried<Spanned<String>>,
        actor_known: bool,
    ) -> Result<()> {
        let about_vendor = matches!(is, EventTag::VendorContacted | EventTag::VendorReplied);
        let about_faq = matches!(is, EventTag::FaqLinked | EventTag::FaqUnlinked);
        let with_reason = matches!(is, EventTag::RefusalProposed | EventTag::Waived);
        // Name, column, whether it is needed, whether it may be there.
        let set = written.set.values().next().cloned();
        let rules = [
            ("by", &written.by, is.needs_actor() && !actor_known, true),
            ("text", &written.text, with_reason, true),
            ("to", &written.to, is == EventTag::Assigned, is == EventTag::Assigned),
            ("vendor", &written.vendor, false, about_vendor),
            ("due", &written.due, is == EventTag::Promised, is == EventTag::Promised),
            ("approved_by", &written.approved_by, false, is == EventTag::Expedited),
            ("faq", &written.faq, about_faq, about_faq),
            ("set", &set, is == EventTag::Changed, is == EventTag::Changed),
        ];
        for (name, column, needed, allowed) in rules {
            match column {
                None if needed => {
                    let like = if name == "set" {
                        "set = { priority = \"new_priority\" }".to_owned()
                    } else {
                        format!("{name} = \"{name}\"")
                    };
                    let message = format!("event `{}`: needs a column, like {like}", is.word());
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
