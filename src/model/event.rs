//! What happens to a request: kinds of events, and what each carries.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::request::validate_text;
use crate::error::{Error, ErrorKind, Result};
use crate::time::Instant;

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
    /// The request moved to another version of the policy. Recorded by migrating, never on its own.
    Migrated = 24, "migrated";
}

impl EventTag {
    /// The kind with this word, for words that come from outside.
    ///
    /// # Errors
    /// `InvalidEvent` with every word there is.
    pub fn parse(word: &str) -> Result<EventTag> {
        EventTag::from_word(word).ok_or_else(|| {
            let words: Vec<&str> = EventTag::ALL.iter().map(|tag| tag.word()).collect();
            Error::new(
                ErrorKind::InvalidEvent,
                format!("event `{word}`: must be one of {}", words.join(", ")),
            )
        })
    }
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
    /// The request moved to another version of the policy, or to the same with other zone data. Recorded by migrating,
    /// never on its own.
    Migrated {
        /// The edition it was under: 1 for the policy that was installed first, then rising by 1.
        from: u32,
        /// The edition it is under from then on.
        to: u32,
    },
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
            EventKind::Migrated { .. } => EventTag::Migrated,
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
    /// `InvalidEvent` for a `received` or `migrated` event, a promise that is not after its event, a pause without reason,
    /// or a change without facts; `InvalidArgument` for a text over 64 KiB.
    pub fn validate(&self) -> Result<()> {
        let wrong = |why: String| Err(Error::new(ErrorKind::InvalidEvent, why));
        match &self.kind {
            EventKind::Received => wrong(
                "event `received`: is recorded by submitting the request, not as an event of its own".into(),
            ),
            EventKind::Migrated { .. } => {
                wrong("event `migrated`: is recorded by migrating, not as an event of its own".into())
            }
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
