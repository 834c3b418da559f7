//! What people talk about: requests, and the events that happen to them.

mod event;
mod facts;
mod faq;
mod fields;
mod history;
mod request;

pub use event::{Event, EventKind, EventTag};
pub use facts::Facts;
pub use faq::{FaqAct, FaqDraft, FaqEntry, FaqRecord, faq_markdown};
pub use fields::EventFields;
pub use history::Answer;
pub(crate) use history::{answers, links, validate_faq_id, validate_said};
pub use request::{MAX_ATTRIBUTES, MAX_ID_BYTES, MAX_TEXT_BYTES, Request};
pub(crate) use request::{validate_id, validate_text};
