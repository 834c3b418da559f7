//! What people talk about: requests, and the events that happen to them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::time::Instant;

/// Longest external id, in bytes.
pub const MAX_ID_BYTES: usize = 255;
/// Longest value of a text field, in bytes.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// What a customer asked.
///
/// `id` is the CRM's own key (1 to 255 bytes of text); it is unique in a database. All other fields are optional.
/// Build one with [`Request::new`] and the methods named after the fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The CRM's own key.
    pub id: String,
    /// When the request was received; never moved, whatever a receipt rule says.
    pub received_at: Instant,
    /// Who asked.
    pub customer: Option<String>,
    /// The CRM's own priority, as text: `high`, `P1`, `1 - Critical`.
    pub priority: Option<String>,
    /// What it is about.
    pub category: Option<String>,
    /// How it arrived: `phone`, `email`.
    pub channel: Option<String>,
    /// One line for people.
    pub subject: Option<String>,
    /// Anything else that policies match on.
    pub attributes: BTreeMap<String, String>,
}

impl Request {
    /// A request with nothing but its key and the time it was received.
    pub fn new(id: impl Into<String>, received_at: Instant) -> Self {
        Request {
            id: id.into(),
            received_at,
            customer: None,
            priority: None,
            category: None,
            channel: None,
            subject: None,
            attributes: BTreeMap::new(),
        }
    }

    /// Sets the customer.
    #[must_use]
    pub fn customer(mut self, value: impl Into<String>) -> Self {
        self.customer = Some(value.into());
        self
    }

    /// Sets the priority.
    #[must_use]
    pub fn priority(mut self, value: impl Into<String>) -> Self {
        self.priority = Some(value.into());
        self
    }

    /// Sets the category.
    #[must_use]
    pub fn category(mut self, value: impl Into<String>) -> Self {
        self.category = Some(value.into());
        self
    }

    /// Sets the channel.
    #[must_use]
    pub fn channel(mut self, value: impl Into<String>) -> Self {
        self.channel = Some(value.into());
        self
    }

    /// Sets the subject.
    #[must_use]
    pub fn subject(mut self, value: impl Into<String>) -> Self {
        self.subject = Some(value.into());
        self
    }

    /// Sets one attribute.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// The facts that policies match on.
    pub fn facts(&self) -> Facts {
        let mut facts = Facts::none();
        let fields = [
            ("customer", &self.customer),
            ("priority", &self.priority),
            ("category", &self.category),
            ("channel", &self.channel),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                facts.set(name, value.clone());
            }
        }
        for (name, value) in &self.attributes {
            facts.set(name.clone(), value.clone());
        }
        facts
    }

    /// Checks lengths and characters.
    ///
    /// # Errors
    /// `InvalidArgument` for an empty or too long id, an id with control characters, or a field over 64 KiB.
    pub fn validate(&self) -> Result<()> {
        validate_id(&self.id)?;
        let fields = [
            ("customer", &self.customer),
            ("priority", &self.priority),
            ("category", &self.category),
            ("channel", &self.channel),
            ("subject", &self.subject),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                validate_text(name, value)?;
            }
        }
        for (name, value) in &self.attributes {
            if name.is_empty() || Facts::RESERVED.contains(&name.as_str()) {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!(
                        "attribute name `{name}`: must not be empty or one of {}",
                        Facts::RESERVED.join(", ")
                    ),
                ));
            }
            validate_text(name, name)?;
            validate_text(name, value)?;
        }
        Ok(())
    }
}

pub(crate) fn validate_id(id: &str) -> Result<()> {
    if id.is_empty() || id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "request id of {} bytes: must be 1 to {MAX_ID_BYTES} bytes of text without control characters",
                id.len()
            ),
        ));
    }
    Ok(())
}

pub(crate) fn validate_text(name: &str, value: &str) -> Result<()> {
    if value.len() > MAX_TEXT_BYTES {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("`{name}` of {} bytes: must be at most {MAX_TEXT_BYTES}", value.len()),
        ));
    }
    Ok(())
}

/// What policy rules match on: `customer`, `priority`, `category`, `channel` and free attributes, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(BTreeMap<String, String>);

impl Facts {
    /// Names that are fields of a request, and so no attribute names.
    pub const RESERVED: [&'static str; 4] = ["customer", "priority", "category", "channel"];

    /// No facts at all.
    pub fn none() -> Self {
        Facts::default()
    }

    /// The same facts with one more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets or replaces one fact; an empty value removes it.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        if value.is_empty() {
            self.0.remove(&name);
        } else {
            self.0.insert(name, value);
        }
    }

    /// The fact of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All facts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

macro_rules! event_tags {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// The kinds of events, without what they carry. The numbers are part of the file format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum EventTag { $($(#[$doc])* $name = $code,)* }

        impl EventTag {
            /// Every kind, by rising number.
            pub const ALL: &'static [EventTag] = &[$(EventTag::$name,)*];

            /// The word for it in policies, mappings and reports.
            pub const fn word(self) -> &'static str {
                match self { $(EventTag::$name => $text,)* }
            }

            /// The kind with this word.
            pub fn from_word(word: &str) -> Option<EventTag> {
                EventTag::ALL.iter().copied().find(|tag| tag.word() == word)
            }

            /// The kind with this number.
            pub const fn from_code(code: u8) -> Option<EventTag> {
                match code { $($code => Some(EventTag::$name),)* _ => None }
            }
        }
    };
}

event_tags! {
    /// The request arrived. Recorded by `submit`, never on its own.
    Received = 0, "received";
    /// Somebody confirmed to the customer that it arrived.
    Acknowledged = 1, "acknowledged";
    /// A person answered the customer. Automatic replies are no replies.
    Replied = 2, "replied";
    /// The customer wrote again.
    CustomerReplied = 3, "customer_replied";
    /// The customer was told the state of the request.
    Updated = 4, "updated";
    /// A person or group took it.
    Assigned = 5, "assigned";
    /// Work stops, for a reason.
    Paused = 6, "paused";
    /// Work goes on.
    Resumed = 7, "resumed";
    /// A third party was contacted.
    VendorContacted = 8, "vendor_contacted";
    /// The third party answered.
    VendorReplied = 9, "vendor_replied";
    /// The customer was promised an instant.
    Promised = 10, "promised";
    /// Handled.
    Resolved = 11, "resolved";
    /// Not handled after all.
    Reopened = 12, "reopened";
    /// Withdrawn, merged or a mistake.
    Cancelled = 13, "cancelled";
    /// A fact changed: priority, category, customer, channel or an attribute.
    Changed = 14, "changed";
    /// Something for the record.
    Note = 15, "note";
}

/// What happened, with what it carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The request arrived. Recorded by `submit`, never on its own.
    Received,
    /// Somebody confirmed to the customer that it arrived.
    Acknowledged,
    /// A person answered the customer.
    Replied,
    /// The customer wrote again.
    CustomerReplied,
    /// The customer was told the state of the request.
    Updated,
    /// A person or group took it.
    Assigned {
        /// Who took it.
        to: String,
    },
    /// Work stops. A second pause with another reason replaces the first.
    Paused {
        /// `waiting_customer`, `waiting_vendor` or a reason of the policy's own.
        reason: String,
    },
    /// Work goes on, whatever the pause was for.
    Resumed,
    /// A third party was contacted.
    VendorContacted {
        /// Who was contacted.
        vendor: String,
    },
    /// The third party answered.
    VendorReplied {
        /// Who answered.
        vendor: String,
    },
    /// The customer was promised an instant.
    Promised {
        /// The promised instant; after the event's own.
        due: Instant,
    },
    /// Handled.
    Resolved,
    /// Not handled after all.
    Reopened,
    /// Withdrawn, merged or a mistake.
    Cancelled,
    /// Facts changed; an empty value removes a fact.
    Changed {
        /// The new values by name: `priority`, `customer`, `category`, `channel` or an attribute.
        facts: BTreeMap<String, String>,
    },
    /// Something for the record; the text is in [`Event::text`].
    Note,
}

impl EventKind {
    /// The kind without what it carries.
    pub fn tag(&self) -> EventTag {
        match self {
            EventKind::Received => EventTag::Received,
            EventKind::Acknowledged => EventTag::Acknowledged,
            EventKind::Replied => EventTag::Replied,
            EventKind::CustomerReplied => EventTag::CustomerReplied,
            EventKind::Updated => EventTag::Updated,
            EventKind::Assigned { .. } => EventTag::Assigned,
            EventKind::Paused { .. } => EventTag::Paused,
            EventKind::Resumed => EventTag::Resumed,
            EventKind::VendorContacted { .. } => EventTag::VendorContacted,
            EventKind::VendorReplied { .. } => EventTag::VendorReplied,
            EventKind::Promised { .. } => EventTag::Promised,
            EventKind::Resolved => EventTag::Resolved,
            EventKind::Reopened => EventTag::Reopened,
            EventKind::Cancelled => EventTag::Cancelled,
            EventKind::Changed { .. } => EventTag::Changed,
            EventKind::Note => EventTag::Note,
        }
    }
}

/// One thing that happened to a request at an instant. Events are only ever added.
///
/// Order is (`at`, arrival): events of the same second keep the order in which they were recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When it happened, which may be long before it is recorded.
    pub at: Instant,
    /// Who did it.
    pub by: Option<String>,
    /// The caller's idempotency key, unique within the request.
    pub key: Option<String>,
    /// Free text for the record.
    pub text: Option<String>,
}

impl Event {
    /// An event of this kind at this instant.
    pub fn new(kind: EventKind, at: Instant) -> Self {
        Event { kind, at, by: None, key: None, text: None }
    }

    /// Sets who did it.
    #[must_use]
    pub fn by(mut self, actor: impl Into<String>) -> Self {
        self.by = Some(actor.into());
        self
    }

    /// Sets the idempotency key: recording the same event with the same key again changes nothing.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the free text.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Checks what can be checked without the request.
    ///
    /// # Errors
    /// `InvalidEvent` for a `received` event, a promise that is not after its event, a pause without reason,
    /// or a change without facts; `InvalidArgument` for a text over 64 KiB.
    pub fn validate(&self) -> Result<()> {
        let wrong = |why: String| Err(Error::new(ErrorKind::InvalidEvent, why));
        match &self.kind {
            EventKind::Received => wrong(
                "event `received`: is recorded by submitting the request, not as an event of its own".into(),
            ),
            EventKind::Paused { reason } if reason.is_empty() => {
                wrong("event `paused`: the reason is empty; give one like `waiting_customer`".into())
            }
            EventKind::Promised { due } if *due <= self.at => {
                wrong(format!("event `promised` at {}: the promised instant {due} must be later", self.at))
            }
            EventKind::Changed { facts } if facts.is_empty() => {
                wrong("event `changed`: names no fact; give at least one like priority = \"high\"".into())
            }
            _ => Ok(()),
        }?;
        for (name, value) in [("by", &self.by), ("key", &self.key), ("text", &self.text)] {
            if let Some(value) = value {
                validate_text(name, value)?;
            }
        }
        Ok(())
    }
}
