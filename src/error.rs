//! The error table: every way a call can fail, with its stable number and its text.
//!
//! Programs branch on [`Error::kind`]; people read the message, which names what was asked, what was
//! found and what is allowed. The numbers are shared by all languages and are never reused.

use std::fmt;

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// What went wrong, for programs to branch on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind { $($(#[$doc])* $name = $code,)* }

        impl ErrorKind {
            /// Every kind, by rising number.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$name,)*];

            /// The stable number, the same in every language. Never 0, never reused.
            pub const fn code(self) -> i32 { self as i32 }

            /// A short text without particulars.
            pub const fn text(self) -> &'static str {
                match self { $(ErrorKind::$name => $text,)* }
            }

            /// The name as written in this table.
            pub const fn name(self) -> &'static str {
                match self { $(ErrorKind::$name => stringify!($name),)* }
            }
        }
    };
}

error_kinds! {
    /// No such request, clock, consumer, policy version or file.
    NotFound = 1, "not found";
    /// An instant, span or limit lies outside the supported range.
    OutOfRange = 2, "out of range";
    /// An argument is malformed; the message says what is allowed.
    InvalidArgument = 3, "invalid argument";
    /// The policy text is wrong; the message carries line and column.
    InvalidPolicy = 4, "invalid policy";
    /// A calendar is wrong: overlapping hours, an unknown rule, a bad holiday file.
    InvalidCalendar = 5, "invalid calendar";
    /// The time zone name is not in the time zone data.
    UnknownZone = 6, "unknown time zone";
    /// The event cannot be recorded on this request as written.
    InvalidEvent = 7, "invalid event";
    /// The same key was used before with other content.
    Conflict = 8, "conflict";
    /// There is no deadline, and the message says why.
    NoDeadline = 9, "no deadline";
    /// The clock is paused: it has remaining time, but no due instant.
    Paused = 10, "paused";
    /// `create` found something at the path.
    AlreadyExists = 11, "already exists";
    /// Another process held the file for longer than the busy timeout.
    Busy = 12, "busy";
    /// The handle was inherited through `fork`; the child must open its own.
    ForkedHandle = 13, "forked handle";
    /// The handle is closed.
    Closed = 14, "closed";
    /// The handle cannot write: it was opened read-only, or a write failed and it must be reopened.
    ReadOnly = 15, "read-only";
    /// The file is damaged; the message names the place.
    Damaged = 16, "damaged";
    /// The file is not a slaclock database.
    NotADatabase = 17, "not a slaclock database";
    /// The file was written by a newer release.
    NewerFormat = 18, "newer file format";
    /// The operating system reported an input or output error.
    Io = 19, "input or output error";
    /// The disk or quota is full.
    StorageFull = 20, "storage full";
    /// A mapping file is wrong; the message carries line and column.
    InvalidMapping = 21, "invalid mapping";
    /// A row of an imported file is wrong; the message carries its line.
    InvalidRow = 22, "invalid row";
    /// The call was cancelled by the caller.
    Cancelled = 23, "cancelled";
    /// The call is not possible in the mode the database was opened in.
    Unsupported = 24, "unsupported";
    /// A defect in slaclock itself. Please report it.
    Internal = 25, "internal error";
    /// The customer's expedites of the month are used up; the message says how many, and when one is free again.
    QuotaExceeded = 26, "quota exceeded";
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A place in a text, counted from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// An error: a [kind](ErrorKind), a message for people and, where there is one, a cause.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    position: Option<Position>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of every fallible call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of this kind with this message.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner { kind, message: message.into(), position: None, source: None }))
    }

    /// The same error, pointing at a place in the text it is about.
    #[must_use]
    pub(crate) fn at(mut self, position: Position) -> Self {
        self.0.position = Some(position);
        self
    }

    /// The same error with its cause.
    #[must_use]
    pub(crate) fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error with `prefix` before its message, as in `row 7: …`.
    #[must_use]
    pub(crate) fn context(mut self, prefix: impl fmt::Display) -> Self {
        self.0.message = format!("{prefix}: {}", self.0.message);
        self
    }

    /// The same error for another caller who waited for the same thing; without its cause.
    pub(crate) fn copy(&self) -> Self {
        let Inner { kind, ref message, position, source: _ } = *self.0;
        Error(Box::new(Inner { kind, message: message.clone(), position, source: None }))
    }

    /// What went wrong, for programs.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was asked, found and allowed, for people. Without the position.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where in the text the error lies, if it is about a text.
    pub fn position(&self) -> Option<Position> {
        self.0.position
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.position {
            Some(position) => write!(f, "{position}: {}", self.0.message),
            None => f.write_str(&self.0.message),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|cause| cause as _)
    }
}

impl From<std::io::Error> for Error {
    fn from(cause: std::io::Error) -> Self {
        let kind = match cause.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ErrorKind::StorageFull,
            _ => ErrorKind::Io,
        };
        Error::new(kind, cause.to_string()).because(cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_rising_and_never_zero() {
        assert!(ErrorKind::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code()));
        assert!(ErrorKind::ALL.iter().all(|kind| kind.code() > 0 && !kind.text().is_empty()));
    }

    #[test]
    fn display_puts_the_place_first() {
        let error =
            Error::new(ErrorKind::InvalidPolicy, "unknown key `clok`").at(Position { line: 3, column: 7 });
        assert_eq!(error.to_string(), "3:7: unknown key `clok`");
        assert_eq!(error.context("promise.toml").message(), "promise.toml: unknown key `clok`");
    }
}
