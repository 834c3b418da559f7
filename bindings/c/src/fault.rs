//! What a call failed with, on its way from the core to the caller.

use slaclock_core::{Error, ErrorKind, NoDeadline};

use crate::status::slaclock_status;

/// A failed call: what [`crate::error::slaclock_error`] will say.
#[derive(Debug)]
pub(crate) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    reason: i32,
    line: u32,
    column: u32,
}

impl Fault {
    #[cold]
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Fault {
        Fault(Box::new(Inner { kind, message: message.into(), reason: 0, line: 0, column: 0 }))
    }

    /// An argument of the caller is wrong; `text` names it.
    #[cold]
    pub(crate) fn argument(text: impl Into<String>) -> Fault {
        Fault::new(ErrorKind::InvalidArgument, text)
    }

    /// There is no deadline, for this reason; `what` is in front of it.
    #[cold]
    pub(crate) fn no_deadline(what: &str, reason: NoDeadline) -> Fault {
        let mut fault = Fault::new(ErrorKind::NoDeadline, format!("{what}: {reason}"));
        fault.0.reason = reason as i32;
        fault
    }

    /// The same with `prefix` before its message.
    #[must_use]
    pub(crate) fn context(mut self, prefix: &str) -> Fault {
        self.0.message = format!("{prefix}: {}", self.0.message);
        self
    }

    pub(crate) fn status(&self) -> slaclock_status {
        slaclock_status::of(self.0.kind)
    }

    #[cfg(test)]
    pub(crate) fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    /// One of `slaclock_no_deadline`, 0 where that is not the trouble.
    pub(crate) fn reason(&self) -> i32 {
        self.0.reason
    }

    /// Line and column in the text it is about, from 1; zeros where it is about none.
    pub(crate) fn place(&self) -> (u32, u32) {
        (self.0.line, self.0.column)
    }
}

impl From<Error> for Fault {
    #[cold]
    fn from(error: Error) -> Fault {
        let mut fault = Fault::new(error.kind(), error.to_string());
        if let Some(place) = error.position() {
            (fault.0.line, fault.0.column) = (place.line, place.column);
        }
        let cause = std::error::Error::source(&error);
        if let Some(reason) = cause.and_then(|cause| cause.downcast_ref::<NoDeadline>()) {
            fault.0.reason = *reason as i32;
        }
        fault
    }
}
