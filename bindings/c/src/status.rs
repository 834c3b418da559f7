//! The number that a call returns: 0 for success, else what went wrong.
//!
//! The numbers are the same in every language and are never given another meaning. Later releases may add some, so
//! treat an unknown one as a failure.

use std::ffi::c_char;

use slaclock_core::ErrorKind;

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        impl slaclock_status {
            /// The status of a kind of error; a kind that came after this table counts as `Internal`.
            pub(crate) fn of(kind: ErrorKind) -> slaclock_status {
                match kind.code() { $($code => slaclock_status::$name,)* _ => slaclock_status::Internal }
            }

            fn texts(code: i32) -> Option<(&'static [u8], &'static [u8])> {
                match code {
                    $($code => Some((
                        concat!(stringify!($name), "\0").as_bytes(),
                        concat!($text, "\0").as_bytes(),
                    )),)*
                    _ => None,
                }
            }
        }
    };
}

/// What a call came to.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_status {
    /// Success.
    Ok = 0,
    /// No such request, clock, calendar, policy version or file.
    NotFound = 1,
    /// An instant, span or limit lies outside the supported range.
    OutOfRange = 2,
    /// An argument is malformed: NULL, no handle of this library, not UTF-8, an unknown number; the message says which.
    InvalidArgument = 3,
    /// The policy text is wrong; the error carries line and column.
    InvalidPolicy = 4,
    /// A calendar is wrong: overlapping hours, an unknown rule, a bad holiday file.
    InvalidCalendar = 5,
    /// The time zone name is not in the time zone data.
    UnknownZone = 6,
    /// The event cannot be recorded on this request as written.
    InvalidEvent = 7,
    /// The same key was used before with other content.
    Conflict = 8,
    /// There is no deadline; the error's `reason` says why.
    NoDeadline = 9,
    /// The clock is paused: it has remaining time, but no due instant.
    Paused = 10,
    /// `slaclock_create` found something at the path.
    AlreadyExists = 11,
    /// Another process held the file for longer than the busy timeout.
    Busy = 12,
    /// The handle was inherited through `fork`; the child must open its own.
    ForkedHandle = 13,
    /// The handle was freed or closed.
    Closed = 14,
    /// The handle cannot write: it was opened read-only, or a write failed and it must be reopened.
    ReadOnly = 15,
    /// The file is damaged; the message names the place.
    Damaged = 16,
    /// The file is not a slaclock database.
    NotADatabase = 17,
    /// The file was written by a newer release.
    NewerFormat = 18,
    /// The operating system reported an input or output error.
    Io = 19,
    /// The disk or quota is full.
    StorageFull = 20,
    /// A mapping file is wrong; the error carries line and column.
    InvalidMapping = 21,
    /// A row of an imported file is wrong; the message carries its line.
    InvalidRow = 22,
    /// The call was cancelled by the caller.
    Cancelled = 23,
    /// The call is not possible in the mode the database was opened in, or this library is older than the header that
    /// the program was built with.
    Unsupported = 24,
    /// A defect in slaclock itself. Please report it.
    Internal = 25,
    /// The customer's expedites of the month are used up; the text says how many, and when one is free again.
    QuotaExceeded = 26,
}

statuses! {
    Ok = 0, "success";
    NotFound = 1, "not found";
    OutOfRange = 2, "out of range";
    InvalidArgument = 3, "invalid argument";
    InvalidPolicy = 4, "invalid policy";
    InvalidCalendar = 5, "invalid calendar";
    UnknownZone = 6, "unknown time zone";
    InvalidEvent = 7, "invalid event";
    Conflict = 8, "conflict";
    NoDeadline = 9, "no deadline";
    Paused = 10, "paused";
    AlreadyExists = 11, "already exists";
    Busy = 12, "busy";
    ForkedHandle = 13, "forked handle";
    Closed = 14, "closed";
    ReadOnly = 15, "read-only";
    Damaged = 16, "damaged";
    NotADatabase = 17, "not a slaclock database";
    NewerFormat = 18, "newer file format";
    Io = 19, "input or output error";
    StorageFull = 20, "storage full";
    InvalidMapping = 21, "invalid mapping";
    InvalidRow = 22, "invalid row";
    Cancelled = 23, "cancelled";
    Unsupported = 24, "unsupported";
    Internal = 25, "internal error";
    QuotaExceeded = 26, "quota exceeded";
}

/// The name of a status, like `NotFound`; `Unknown` for a number that is none.
///
/// `status` takes any number. The text is static. Never fails; any thread.
#[unsafe(no_mangle)]
pub extern "C" fn slaclock_status_name(status: i32) -> *const c_char {
    let name = slaclock_status::texts(status).map_or(&b"Unknown\0"[..], |(name, _)| name);
    crate::guard::value(c"Unknown".as_ptr(), || Ok(name.as_ptr().cast()))
}

/// A short text for a status, without particulars, like `not found`; `unknown status` for a number that is none.
///
/// `status` takes any number. The text is static. Never fails; any thread.
#[unsafe(no_mangle)]
pub extern "C" fn slaclock_status_text(status: i32) -> *const c_char {
    let text = slaclock_status::texts(status).map_or(&b"unknown status\0"[..], |(_, text)| text);
    crate::guard::value(c"unknown status".as_ptr(), || Ok(text.as_ptr().cast()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_error_has_its_status() {
        for kind in ErrorKind::ALL {
            let status = slaclock_status::of(*kind);
            assert_eq!(status as i32, kind.code(), "{kind:?} has no status of its own");
            assert_eq!(format!("{status:?}"), kind.name());
            let (name, text) = slaclock_status::texts(kind.code()).unwrap();
            assert_eq!(name, format!("{}\0", kind.name()).as_bytes());
            assert_eq!(text, format!("{}\0", kind.text()).as_bytes());
        }
        assert_eq!(slaclock_status::texts(ErrorKind::ALL.len() as i32 + 1), None);
    }
}
