//! What was said about a request, and which FAQ entries answer it: read from its events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::{Event, EventKind, EventTag};
use super::request::{MAX_ID_BYTES, validate_text};
use crate::error::{Error, ErrorKind, Result};
use crate::time::Instant;

/// Something that was said about a request: an answer to the customer, or a note for the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// When.
    pub at: Instant,
    /// The word of the event that carries the text.
    pub event: String,
    /// Who said it.
    pub by: Option<String>,
    /// What was said.
    pub text: String,
    /// The customer was told so: `acknowledged`, `replied`, `updated`, `promised` or `resolved`. All others are notes.
    pub to_customer: bool,
}

impl EventTag {
    /// Whether the text of such an event is what the customer was told; else it is a note for the record.
    pub const fn tells_customer(self) -> bool {
        matches!(
            self,
            EventTag::Acknowledged
                | EventTag::Replied
                | EventTag::Updated
                | EventTag::Promised
                | EventTag::Resolved
        )
    }
}

/// The texts of events, in their order; empty ones are left out.
pub(crate) fn answers(events: &[Event]) -> Vec<Answer> {
    let said = events.iter().filter_map(|event| {
        let text = event.text.as_ref().filter(|text| !text.trim().is_empty())?;
        let tag = event.kind.tag();
        Some(Answer {
            at: event.at,
            event: tag.word().to_owned(),
            by: event.by.clone(),
            text: text.clone(),
            to_customer: tag.tells_customer(),
        })
    });
    said.collect()
}

/// The FAQ entries that events link a request to, and since when. Events of the same second count in the order given.
pub(crate) fn links<'e>(events: impl Iterator<Item = &'e Event>) -> BTreeMap<&'e str, Instant> {
    let is_link = |event: &&Event| matches!(event.kind.tag(), EventTag::FaqLinked | EventTag::FaqUnlinked);
    let mut events: Vec<&Event> = events.filter(is_link).collect();
    events.sort_by_key(|event| event.at);
    let mut links = BTreeMap::new();
    for event in events {
        match &event.kind {
            // Linking what is linked already changes nothing.
            EventKind::FaqLinked { faq } => drop(links.entry(faq.as_str()).or_insert(event.at)),
            EventKind::FaqUnlinked { faq } => drop(links.remove(faq.as_str())),
            _ => {}
        }
    }
    links
}

/// # Errors
/// `InvalidArgument` unless it is 1 to 255 bytes of text without control characters.
pub(crate) fn validate_faq_id(id: &str) -> Result<()> {
    if id.trim().is_empty() || id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
        let message = format!(
            "FAQ entry id of {} bytes: must be 1 to {MAX_ID_BYTES} bytes of text without control characters",
            id.len()
        );
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(())
}

/// # Errors
/// `InvalidArgument` if it is empty or over 64 KiB.
pub(crate) fn validate_said(name: &str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("`{name}`: is empty; it must say something"),
        ));
    }
    validate_text(name, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_follow_time_and_then_arrival() {
        let at = |secs: i64| Instant::from_secs(secs).unwrap();
        let link = |faq: &str, secs| Event::new(EventKind::FaqLinked { faq: faq.into() }, at(secs));
        let unlink = |faq: &str, secs| Event::new(EventKind::FaqUnlinked { faq: faq.into() }, at(secs));
        let found = |events: &[Event]| -> Vec<(String, i64)> {
            links(events.iter()).into_iter().map(|(faq, at)| (faq.to_owned(), at.as_secs())).collect()
        };
        assert_eq!(found(&[link("a", 5), link("b", 3), link("a", 9)]), [("a".into(), 5), ("b".into(), 3)]);
        assert_eq!(found(&[link("a", 5), unlink("a", 4)]), [("a".into(), 5)], "recorded late");
        assert_eq!(found(&[link("a", 5), unlink("a", 5)]), [], "the same second: in the order of arrival");
        assert_eq!(found(&[link("a", 5), unlink("a", 6), link("a", 7)]), [("a".into(), 7)]);
    }

    #[test]
    fn answers_are_what_has_a_text() {
        let at = Instant::from_secs(7).unwrap();
        let events = [
            Event::new(EventKind::Note, at).text("look at the fan").by("ann"),
            Event::new(EventKind::Replied, at).text("Replaced it"),
            Event::new(EventKind::Resolved, at).text(" "),
            Event::new(EventKind::Updated, at),
        ];
        let found: Vec<_> = answers(&events).into_iter().map(|it| (it.event, it.to_customer)).collect();
        assert_eq!(found, [("note".to_owned(), false), ("replied".to_owned(), true)]);
    }

    #[test]
    fn ids_and_texts_have_edges() {
        for (id, good) in [("", false), (" ", false), ("vpn", true), ("a\nb", false)] {
            assert_eq!(validate_faq_id(id).is_ok(), good, "{id:?}");
        }
        assert!(validate_faq_id(&"x".repeat(255)).is_ok());
        assert!(validate_faq_id(&"x".repeat(256)).is_err());
        assert!(validate_said("answer", &"x".repeat(65_536)).is_ok());
        assert!(validate_said("answer", &"x".repeat(65_537)).is_err());
        assert!(validate_said("answer", "\t\n").is_err());
    }
}
