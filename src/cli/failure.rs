//! What can go wrong in a command.

use std::fmt;
use std::path::Path;

use crate::error::ErrorKind;

/// An error to show, or the silent end of a command whose output nobody reads any more.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library refused.
    Library(crate::error::Error),
    /// The command itself refused.
    Text(String),
    /// The reader of our output went away, as `head` does.
    NobodyReads,
}

impl Failure {
    pub(crate) fn text(text: impl Into<String>) -> Failure {
        Failure::Text(text.into())
    }

    /// The same failure; one that is about the database's file names the file.
    pub(crate) fn about(self, database: Option<&Path>) -> Failure {
        let (Failure::Library(error), Some(path)) = (&self, database) else { return self };
        let about_the_file = matches!(
            error.kind(),
            ErrorKind::Damaged
                | ErrorKind::NotADatabase
                | ErrorKind::NewerFormat
                | ErrorKind::Io
                | ErrorKind::StorageFull
                | ErrorKind::Busy
        );
        let path = path.display().to_string();
        if about_the_file && !error.message().contains(&path) {
            Failure::Text(format!("{path}: {error}"))
        } else {
            self
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A message that begins with a file's name has the place after it, as compilers write it.
            Failure::Library(error) => match (error.position(), error.message().split_once(": ")) {
                (Some(place), Some((file, rest))) if file.contains('.') && !file.contains(' ') => {
                    write!(f, "{file}:{place}: {rest}")
                }
                _ => write!(f, "{error}"),
            },
            Failure::Text(text) => f.write_str(text),
            Failure::NobodyReads => Ok(()),
        }
    }
}

impl From<crate::error::Error> for Failure {
    fn from(error: crate::error::Error) -> Failure {
        Failure::Library(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Failure::NobodyReads
        } else {
            Failure::Text(format!("output: {error}"))
        }
    }
}
