//! JSON documents that calls read, and how the library's own values look in JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use slaclock_core::model::EventTag;
use slaclock_core::{Event, EventFields, EventKind, Operation, Outcome, Request};

use crate::fault::Fault;
use crate::status::slaclock_status;

/// Reads a document; unknown keys are refused with line and column.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(name: &str, json: &str) -> Result<T, Fault> {
    serde_json::from_str(json).map_err(|error| Fault::argument(format!("`{name}`: {error}")))
}

/// A request as a document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestDoc {
    id: String,
    received_at: i64,
    customer: Option<String>,
    priority: Option<String>,
    category: Option<String>,
    channel: Option<String>,
    subject: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

impl RequestDoc {
    pub(crate) fn into_request(self) -> Result<Request, Fault> {
        Ok(Request {
            received_at: crate::input::instant("received_at", self.received_at)?,
            id: self.id,
            customer: self.customer,
            priority: self.priority,
            category: self.category,
            channel: self.channel,
            subject: self.subject,
            attributes: self.attributes,
        })
    }
}

/// An event as a document: the word for its kind, and what the kind carries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventDoc {
    event: String,
    at: i64,
    by: Option<String>,
    key: Option<String>,
    text: Option<String>,
    reason: Option<String>,
    to: Option<String>,
    vendor: Option<String>,
    due: Option<i64>,
    #[serde(default)]
    facts: BTreeMap<String, String>,
    approved_by: Option<String>,
    clock: Option<String>,
    cycle: Option<u32>,
    faq: Option<String>,
}

impl EventDoc {
    pub(crate) fn into_event(self) -> Result<Event, Fault> {
        let tag = EventTag::parse(&self.event).map_err(|error| Fault::argument(error.to_string()))?;
        let fields = EventFields {
            to: self.to,
            reason: self.reason,
            vendor: self.vendor,
            due: self.due.map(|due| crate::input::instant("due", due)).transpose()?,
            facts: self.facts,
            approved_by: self.approved_by,
            clock: self.clock,
            cycle: self.cycle,
            faq: self.faq,
        };
        let kind = EventKind::from_fields(tag, fields)?;
        let at = crate::input::instant("at", self.at)?;
        Ok(Event { kind, at, by: self.by, key: self.key, text: self.text })
    }
}

/// A row of a batch as a document: `{"submit": {…}}` or `{"request": ID, "record": {…}}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperationDoc {
    submit: Option<RequestDoc>,
    request: Option<String>,
    record: Option<EventDoc>,
}

impl OperationDoc {
    pub(crate) fn into_operation(self) -> Result<Operation, Fault> {
        match self {
            OperationDoc { submit: Some(request), request: None, record: None } => {
                Ok(Operation::Submit(request.into_request()?))
            }
            OperationDoc { submit: None, request: Some(id), record: Some(event) } => {
                Ok(Operation::Record { id, event: event.into_event()? })
            }
            _ => Err(Fault::argument(
                "must be {\"submit\": {...}} or {\"request\": ID, \"record\": {...}}".to_owned(),
            )),
        }
    }
}

/// What became of a row of a batch, as a document.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum OutcomeDoc {
    Done { outcome: Outcome },
    Failed { status: i32, name: &'static str, message: String },
}

impl From<Result<Outcome, slaclock_core::Error>> for OutcomeDoc {
    fn from(result: Result<Outcome, slaclock_core::Error>) -> OutcomeDoc {
        match result {
            Ok(outcome) => OutcomeDoc::Done { outcome },
            Err(error) => OutcomeDoc::Failed {
                status: slaclock_status::of(error.kind()) as i32,
                name: error.kind().name(),
                message: error.to_string(),
            },
        }
    }
}
