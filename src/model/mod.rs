//! What people talk about: requests, and the events that happen to them.

mod event;
mod facts;
mod fields;
mod request;

pub use event::{Event, EventKind, EventTag};
pub use facts::Facts;
pub use fields::EventFields;
pub use request::{MAX_ATTRIBUTES, MAX_ID_BYTES, MAX_TEXT_BYTES, Request};
pub(crate) use request::{validate_id, validate_text};
