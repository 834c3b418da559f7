//! A request as it is submitted, and what is checked of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use crate::error::{Error, ErrorKind, Result};
use crate::time::Instant;

/// Longest external id, in bytes.
pub const MAX_ID_BYTES: usize = 255;
/// Longest value of a text field, in bytes.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;
/// Most attributes of a request, and most facts that one event changes.
pub const MAX_ATTRIBUTES: usize = 256;

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
        let fields = [
            ("category", &self.category),
            ("channel", &self.channel),
            ("customer", &self.customer),
            ("priority", &self.priority),
        ];
        let values = fields.iter().filter_map(|(_, value)| value.as_ref()).map(String::len).sum::<usize>();
        let pairs = self.attributes.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        // With room for one more: the fact that the request is expedited.
        let room = (fields.len() + self.attributes.len() + 1, values + pairs + Facts::EXPEDITE.len() + 3);
        let mut facts = Facts::with_room(room.0, room.1);
        for (name, value) in fields {
            if let Some(value) = value {
                facts.put(Some(name), name, value);
            }
        }
        self.attributes.iter().for_each(|(name, value)| facts.put(None, name, value));
        facts
    }

    /// Checks lengths and characters.
    ///
    /// # Errors
    /// `InvalidArgument` for an empty or too long id, an id with control characters, a field over 64 KiB, or more than
    /// 256 attributes.
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
        validate_count("attributes", self.attributes.len())?;
        for (name, value) in &self.attributes {
            if name.is_empty() || name == Facts::EXPEDITE || Facts::RESERVED.contains(&name.as_str()) {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!(
                        "attribute name `{name}`: must not be empty or one of {}, {}",
                        Facts::RESERVED.join(", "),
                        Facts::EXPEDITE
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
    // Ids are mostly plain ASCII, of which a look at the bytes is enough.
    let plain = id.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if id.is_empty() || id.len() > MAX_ID_BYTES || !plain && id.chars().any(char::is_control) {
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

/// A name in a message: whoever gives one of megabytes need not read it again.
fn shown(name: &str) -> String {
    name.chars().take(80).collect()
}

pub(crate) fn validate_text(name: &str, value: &str) -> Result<()> {
    if value.len() > MAX_TEXT_BYTES {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("`{}` of {} bytes: must be at most {MAX_TEXT_BYTES}", shown(name), value.len()),
        ));
    }
    Ok(())
}

pub(crate) fn validate_count(what: &str, count: usize) -> Result<()> {
    if count > MAX_ATTRIBUTES {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{count} {what}: must be at most {MAX_ATTRIBUTES}"),
        ));
    }
    Ok(())
}
