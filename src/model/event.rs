//! What happens to a request: kinds of events, and what each carries.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::request::{validate_count, validate_text};
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

            /// The kinds that show that somebody attended to the request: all but what the customer does and what only
            /// judges a deadline afterwards. Policies call them `activity`.
            pub const ACTIVITY: &'static [EventTag] = &[
                EventTag::Acknowledged,
                EventTag::Replied,
                EventTag::Updated,
                EventTag::Assigned,
                EventTag::Paused,
                EventTag::Resumed,
                EventTag::VendorContacted,
                EventTag::VendorReplied,
                EventTag::Promised,
                EventTag::Changed,
                EventTag::Note,
                EventTag::Expedited,
                EventTag::ExpediteWithdrawn,
                EventTag::RefusalProposed,
                EventTag::RefusalWithdrawn,
                EventTag::FaqLinked,
                EventTag::FaqUnlinked,
            ];
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
    /// The customer's crisis goes first: one of the customer's expedites of the month is used.
    Expedited = 16, "expedited";
    /// It was no crisis: the expedite is given back.
    ExpediteWithdrawn = 17, "expedite_withdrawn";
    /// Somebody proposes to refuse the request.
    RefusalProposed = 18, "refusal_proposed";
    /// A second person agrees: the request is refused.
    RefusalApproved = 19, "refusal_approved";
    /// The proposal is off the table.
    RefusalWithdrawn = 20, "refusal_withdrawn";
    /// A missed cycle of a clock is excused: it leaves the adjusted figure, never the raw one.
    Waived = 21, "waived";
    /// The excuse is taken back.
    WaiverWithdrawn = 22, "waiver_withdrawn";
    /// The request moved to another version of the policy. Recorded by migrating, never on its own.
    Migrated = 24, "migrated";
    /// An entry of the FAQ answers it.
    FaqLinked = 28, "faq_linked";
    /// It does not after all.
    FaqUnlinked = 29, "faq_unlinked";
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
    /// The customer's crisis goes first. [`Event::by`] says who asks for it.
    Expedited {
        /// Who allowed it beyond the quota: another person than the one who asks.
        approved_by: Option<String>,
    },
    /// It was no crisis: the expedite is given back.
    ExpediteWithdrawn,
    /// Somebody proposes to refuse the request; [`Event::text`] says why. Clocks run on.
    RefusalProposed,
    /// A second person agrees with the open proposal: the request is refused.
    RefusalApproved,
    /// The open proposal is off the table.
    RefusalWithdrawn,
    /// A missed cycle is excused; [`Event::text`] says why.
    Waived {
        /// The clock's name.
        clock: String,
        /// Number of its cycle, from 1.
        cycle: u32,
    },
    /// The excuse is taken back.
    WaiverWithdrawn {
        /// The clock's name.
        clock: String,
        /// Number of its cycle, from 1.
        cycle: u32,
    },
    /// The request moved to another version of the policy, or to the same with other zone data. Recorded by migrating,
    /// never on its own.
    Migrated {
        /// The edition it was under: 1 for the policy that was installed first, then rising by 1.
        from: u32,
        /// The edition it is under from then on.
        to: u32,
    },
    /// An entry of the FAQ answers it.
    FaqLinked {
        /// The entry's id.
        faq: String,
    },
    /// It does not after all.
    FaqUnlinked {
        /// The entry's id.
        faq: String,
    },
}

impl EventTag {
    /// Whether somebody must answer for it by name.
    pub const fn needs_actor(self) -> bool {
        matches!(
            self,
            EventTag::Expedited
                | EventTag::ExpediteWithdrawn
                | EventTag::RefusalProposed
                | EventTag::RefusalApproved
                | EventTag::RefusalWithdrawn
                | EventTag::Waived
                | EventTag::WaiverWithdrawn
        )
    }
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
            EventKind::Expedited { .. } => EventTag::Expedited,
            EventKind::ExpediteWithdrawn => EventTag::ExpediteWithdrawn,
            EventKind::RefusalProposed => EventTag::RefusalProposed,
            EventKind::RefusalApproved => EventTag::RefusalApproved,
            EventKind::RefusalWithdrawn => EventTag::RefusalWithdrawn,
            EventKind::Waived { .. } => EventTag::Waived,
            EventKind::WaiverWithdrawn { .. } => EventTag::WaiverWithdrawn,
            EventKind::Migrated { .. } => EventTag::Migrated,
            EventKind::FaqLinked { .. } => EventTag::FaqLinked,
            EventKind::FaqUnlinked { .. } => EventTag::FaqUnlinked,
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
    /// a change without facts or of the fact `expedite`, which only an expedite sets; for an expedite, a refusal or a
    /// waiver that does not say by whom, an expedite approved by the one who asks, a proposal or a waiver without its
    /// reason in `text`, a waiver of cycle 0; `InvalidArgument` for a text over 64 KiB, more than 256 facts or a malformed
    /// id of an FAQ entry.
    pub fn validate(&self) -> Result<()> {
        let wrong = |why: String| Err(Error::new(ErrorKind::InvalidEvent, why));
        match &self.kind {
            EventKind::Received => wrong(
                "event `received`: is recorded by submitting the request, not as an event of its own".into(),
            ),
            EventKind::Migrated { .. } => {
                wrong("event `migrated`: is recorded by migrating, not as an event of its own".into())
            }
            EventKind::FaqLinked { faq } | EventKind::FaqUnlinked { faq } => super::validate_faq_id(faq),
            EventKind::Paused { reason } if reason.is_empty() => {
                wrong("event `paused`: the reason is empty; give one like `waiting_customer`".into())
            }
            EventKind::Promised { due } if *due <= self.at => {
                wrong(format!("event `promised` at {}: the promised instant {due} must be later", self.at))
            }
            EventKind::Changed { facts } if facts.is_empty() => {
                wrong("event `changed`: names no fact; give at least one like priority = \"high\"".into())
            }
            EventKind::Changed { facts } if facts.contains_key(Facts::EXPEDITE) => wrong(format!(
                "event `changed`: the fact `{}` is set by the events `expedited` and `expedite_withdrawn` only",
                Facts::EXPEDITE
            )),
            EventKind::Expedited { approved_by: Some(approver) } if Some(approver) == self.by.as_ref() => {
                wrong(format!(
                    "event `expedited`: approved by `{approver}`, who asks for it; a second person must approve"
                ))
            }
            EventKind::Waived { cycle: 0, .. } | EventKind::WaiverWithdrawn { cycle: 0, .. } => {
                wrong(format!("event `{}`: cycle 0; cycles are counted from 1", self.kind.tag().word()))
            }
            _ => Ok(()),
        }?;
        let tag = self.kind.tag();
        if tag.needs_actor() && self.by.as_deref().is_none_or(str::is_empty) {
            return wrong(format!("event `{}`: must say who does it, in `by`", tag.word()));
        }
        let needs_reason = matches!(tag, EventTag::RefusalProposed | EventTag::Waived);
        if needs_reason && self.text.as_deref().is_none_or(|text| text.trim().is_empty()) {
            return wrong(format!("event `{}`: must say why, in `text`", tag.word()));
        }
        for (name, value) in [("by", &self.by), ("key", &self.key), ("text", &self.text)] {
            if let Some(value) = value {
                validate_text(name, value)?;
            }
        }
        self.kind.validate_texts()
    }
}

impl EventKind {
    fn validate_texts(&self) -> Result<()> {
        match self {
            EventKind::Assigned { to } => validate_text("to", to),
            EventKind::Paused { reason } => validate_text("reason", reason),
            EventKind::VendorContacted { vendor } | EventKind::VendorReplied { vendor } => {
                validate_text("vendor", vendor)
            }
            EventKind::Expedited { approved_by: Some(approver) } => validate_text("approved_by", approver),
            EventKind::Waived { clock, .. } | EventKind::WaiverWithdrawn { clock, .. } => {
                validate_text("clock", clock)
            }
            EventKind::Changed { facts } => {
                validate_count("facts", facts.len())?;
                facts.iter().try_for_each(|(name, value)| {
                    validate_text("fact name", name)?;
                    validate_text(name, value)
                })
            }
            _ => Ok(()),
        }
    }
}
