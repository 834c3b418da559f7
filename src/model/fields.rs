//! What an event carries, as forms, tables and other languages hand it over: texts by name.

use std::collections::BTreeMap;

use super::event::{EventKind, EventTag};
use crate::error::{Error, ErrorKind, Result};
use crate::time::Instant;

/// The particulars of an event of any kind. [`EventKind::from_fields`] checks that they are those of its kind.
///
/// | field | needed by, and refused by all others |
/// | --- | --- |
/// | `to` | `assigned` |
/// | `reason` | `paused` |
/// | `vendor` | `vendor_contacted`, `vendor_replied` |
/// | `due` | `promised` |
/// | `facts` | `changed` |
/// | `clock`, `cycle` | `waived`, `waiver_withdrawn` |
/// | `faq` | `faq_linked`, `faq_unlinked` |
///
/// `approved_by` may be left out, and is refused by all kinds but `expedited`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFields {
    /// Who took it.
    pub to: Option<String>,
    /// Why work stops.
    pub reason: Option<String>,
    /// The third party.
    pub vendor: Option<String>,
    /// The promised instant.
    pub due: Option<Instant>,
    /// Facts with their new values; an empty value removes a fact.
    pub facts: BTreeMap<String, String>,
    /// Who allowed an expedite beyond the quota.
    pub approved_by: Option<String>,
    /// The clock whose miss is excused.
    pub clock: Option<String>,
    /// Number of the missed cycle, from 1.
    pub cycle: Option<u32>,
    /// The id of the FAQ entry.
    pub faq: Option<String>,
}

impl EventKind {
    /// The kind of this tag with what it carries.
    ///
    /// # Errors
    /// `InvalidEvent` if a field that the kind needs is missing, or one is given that it does not carry.
    ///
    /// ```
    /// use slaclock::{EventFields, EventKind, EventTag};
    ///
    /// let fields = EventFields { reason: Some("waiting_customer".into()), ..EventFields::default() };
    /// let kind = EventKind::from_fields(EventTag::Paused, fields)?;
    /// assert_eq!(kind, EventKind::Paused { reason: "waiting_customer".into() });
    /// # Ok::<(), slaclock::Error>(())
    /// ```
    pub fn from_fields(tag: EventTag, mut fields: EventFields) -> Result<EventKind> {
        let kind = match tag {
            EventTag::Received => EventKind::Received,
            EventTag::Acknowledged => EventKind::Acknowledged,
            EventTag::Replied => EventKind::Replied,
            EventTag::CustomerReplied => EventKind::CustomerReplied,
            EventTag::Updated => EventKind::Updated,
            EventTag::Assigned => EventKind::Assigned { to: need(tag, "to", fields.to.take())? },
            EventTag::Paused => EventKind::Paused { reason: need(tag, "reason", fields.reason.take())? },
            EventTag::Resumed => EventKind::Resumed,
            EventTag::VendorContacted => {
                EventKind::VendorContacted { vendor: need(tag, "vendor", fields.vendor.take())? }
            }
            EventTag::VendorReplied => {
                EventKind::VendorReplied { vendor: need(tag, "vendor", fields.vendor.take())? }
            }
            EventTag::Promised => EventKind::Promised { due: need(tag, "due", fields.due.take())? },
            EventTag::Resolved => EventKind::Resolved,
            EventTag::Reopened => EventKind::Reopened,
            EventTag::Cancelled => EventKind::Cancelled,
            EventTag::Changed => EventKind::Changed { facts: std::mem::take(&mut fields.facts) },
            EventTag::Note => EventKind::Note,
            EventTag::Expedited => EventKind::Expedited { approved_by: fields.approved_by.take() },
            EventTag::ExpediteWithdrawn => EventKind::ExpediteWithdrawn,
            EventTag::RefusalProposed => EventKind::RefusalProposed,
            EventTag::RefusalApproved => EventKind::RefusalApproved,
            EventTag::RefusalWithdrawn => EventKind::RefusalWithdrawn,
            EventTag::Waived => EventKind::Waived {
                clock: need(tag, "clock", fields.clock.take())?,
                cycle: need(tag, "cycle", fields.cycle.take())?,
            },
            EventTag::WaiverWithdrawn => EventKind::WaiverWithdrawn {
                clock: need(tag, "clock", fields.clock.take())?,
                cycle: need(tag, "cycle", fields.cycle.take())?,
            },
            EventTag::FaqLinked => EventKind::FaqLinked { faq: need(tag, "faq", fields.faq.take())? },
            EventTag::FaqUnlinked => EventKind::FaqUnlinked { faq: need(tag, "faq", fields.faq.take())? },
            EventTag::Migrated => {
                return Err(Error::new(
                    ErrorKind::InvalidEvent,
                    "event `migrated`: is recorded by migrating, not as an event of its own",
                ));
            }
        };
        match fields.first() {
            None => Ok(kind),
            Some(extra) => Err(Error::new(
                ErrorKind::InvalidEvent,
                format!("event `{}`: carries no `{extra}`", tag.word()),
            )),
        }
    }
}

impl EventFields {
    /// The name of a field that is there.
    fn first(&self) -> Option<&'static str> {
        let there = [
            ("to", self.to.is_some()),
            ("reason", self.reason.is_some()),
            ("vendor", self.vendor.is_some()),
            ("due", self.due.is_some()),
            ("facts", !self.facts.is_empty()),
            ("approved_by", self.approved_by.is_some()),
            ("clock", self.clock.is_some()),
            ("cycle", self.cycle.is_some()),
            ("faq", self.faq.is_some()),
        ];
        there.into_iter().find_map(|(name, is_there)| is_there.then_some(name))
    }
}

fn need<T>(tag: EventTag, name: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| {
        Error::new(ErrorKind::InvalidEvent, format!("event `{}`: needs `{name}`, and has none", tag.word()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> EventFields {
        EventFields {
            to: Some("ann".into()),
            reason: Some("waiting_vendor".into()),
            vendor: Some("acme".into()),
            due: Some(Instant::MAX),
            facts: BTreeMap::from([("priority".into(), "high".into())]),
            approved_by: Some("bob".into()),
            clock: Some("resolution".into()),
            cycle: Some(1),
            faq: Some("vpn".into()),
        }
    }

    #[test]
    fn a_kind_takes_its_own_fields_and_no_others() {
        for tag in EventTag::ALL {
            let error = EventKind::from_fields(*tag, all()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidEvent);
            let said = if *tag == EventTag::Migrated { "recorded by migrating" } else { "carries no `" };
            assert!(error.message().contains(said), "{error}");
        }
        let bare: Vec<&str> = EventTag::ALL
            .iter()
            .filter(|tag| EventKind::from_fields(**tag, EventFields::default()).is_err())
            .map(|tag| tag.word())
            .collect();
        assert_eq!(
            bare,
            [
                "assigned",
                "paused",
                "vendor_contacted",
                "vendor_replied",
                "promised",
                "waived",
                "waiver_withdrawn",
                "migrated",
                "faq_linked",
                "faq_unlinked"
            ]
        );
        for tag in EventTag::ALL.iter().filter(|tag| **tag != EventTag::Migrated) {
            let mut fields = all();
            let is = |tags: &[EventTag]| tags.contains(tag);
            fields.to = fields.to.filter(|_| is(&[EventTag::Assigned]));
            fields.reason = fields.reason.filter(|_| is(&[EventTag::Paused]));
            fields.vendor =
                fields.vendor.filter(|_| is(&[EventTag::VendorContacted, EventTag::VendorReplied]));
            fields.due = fields.due.filter(|_| is(&[EventTag::Promised]));
            if !is(&[EventTag::Changed]) {
                fields.facts.clear();
            }
            let waiver = is(&[EventTag::Waived, EventTag::WaiverWithdrawn]);
            fields.approved_by = fields.approved_by.filter(|_| is(&[EventTag::Expedited]));
            fields.clock = fields.clock.filter(|_| waiver);
            fields.cycle = fields.cycle.filter(|_| waiver);
            fields.faq = fields.faq.filter(|_| is(&[EventTag::FaqLinked, EventTag::FaqUnlinked]));
            assert_eq!(EventKind::from_fields(*tag, fields).unwrap().tag(), *tag);
        }
    }
}
