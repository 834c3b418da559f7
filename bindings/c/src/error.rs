//! The particulars of a failed call.
//!
//! Pass a `slaclock_error` of your own as the last argument, or NULL to do without. It is written only when a call
//! fails, so read it only then. It holds no memory to free, may be reused, and is right from any language and thread.
//! The same text, at greater length, is given by `slaclock_last_error` until the thread's next failure.

use std::cell::RefCell;
use std::ffi::c_char;
use std::mem::size_of;

use crate::fault::Fault;
use crate::status::slaclock_status;

/// Bytes of a message in a `slaclock_error`, the NUL at its end included.
pub const SLACLOCK_MESSAGE_SIZE: usize = 240;

/// Why there is no deadline. Found in the `reason` of a `slaclock_error` with status `SLACLOCK_STATUS_NO_DEADLINE`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_no_deadline {
    /// The calendar has no working time after the receipt.
    NeverOpen = 1,
    /// The target lies in 2100 or later.
    BeyondRange = 2,
    /// No branch of a cut-off target gives an instant after the receipt.
    NoBranch = 3,
    /// The policy says `none`: nothing is promised.
    NoTarget = 4,
    /// No rule of the clock matches the request.
    NoRule = 5,
    /// The clock waits for a promised instant, and none was promised.
    NotPromised = 6,
}

/// What went wrong. Set it up with `SLACLOCK_ERROR_INIT`, or with zeros.
#[repr(C)]
#[derive(Debug)]
pub struct slaclock_error {
    /// Size of this struct in bytes, set by the caller.
    pub size: u32,
    /// The status that the call returned.
    pub code: i32,
    /// For `SLACLOCK_STATUS_NO_DEADLINE` one of `slaclock_no_deadline`, else 0.
    pub reason: i32,
    /// Line of the policy or mapping that is wrong, from 1; 0 where the trouble is not in a text.
    pub line: i32,
    /// Column in that line, from 1, in characters; 0 likewise.
    pub column: i32,
    /// What was asked, found and allowed, for people: UTF-8, ends with NUL. One that is too long ends with `...`;
    /// `slaclock_last_error` has up to 2,047 bytes of it.
    pub message: [c_char; SLACLOCK_MESSAGE_SIZE],
}

/// Bytes of a thread's last message, the NUL at its end included.
const LAST_SIZE: usize = 2_048;

thread_local! {
    /// A buffer of the thread's own that is never moved or freed while the thread lives, so that the pointer handed
    /// out stays good. It has no destructor, and so works in those of other thread-locals too.
    static LAST: RefCell<[u8; LAST_SIZE]> = const { RefCell::new([0; LAST_SIZE]) };
}

/// The message of the last call that failed on this thread, whatever object it was about; empty if none did.
///
/// \return (borrowed) UTF-8 that ends with NUL, valid while the thread lives; the thread's next failing call replaces
/// the text. Where calls hop between threads, as with asynchronous calls, use a `slaclock_error` instead.
///
/// Never fails; any thread.
#[unsafe(no_mangle)]
pub extern "C" fn slaclock_last_error() -> *const c_char {
    LAST.with(|last| last.as_ptr().cast_const().cast())
}

/// Keeps a fault as the thread's last and tells it to the caller, who may have declined to hear it.
#[cold]
pub(crate) fn report(fault: &Fault, error: *mut slaclock_error) -> slaclock_status {
    LAST.with(|last| {
        if let Ok(mut last) = last.try_borrow_mut() {
            fill(&mut *last, fault.message());
        }
    });
    if !error.is_null() && error.is_aligned() {
        let mut message = [0; SLACLOCK_MESSAGE_SIZE];
        fill(&mut message, fault.message());
        let (line, column) = fault.place();
        let whole = slaclock_error {
            // SAFETY: the caller's promise for `error`: a slaclock_error of this or a later header. `size` is read only
            // to be kept.
            size: unsafe { (&raw const (*error).size).read() },
            code: fault.status() as i32,
            reason: fault.reason(),
            line: i32::try_from(line).unwrap_or(i32::MAX),
            column: i32::try_from(column).unwrap_or(i32::MAX),
            message: message.map(|byte| byte as c_char),
        };
        // SAFETY: as above. Every header has declared at least these fields, whatever `size` holds, so they have room.
        unsafe { error.write(whole) };
    }
    fault.status()
}

const _: () = assert!(size_of::<slaclock_error>() == 260, "part of the ABI");

/// Writes as much of the text as there is room for, cut between characters, with NUL after it.
fn fill(out: &mut [u8], text: &str) {
    const CUT: &str = "...";
    let room = out.len() - 1;
    // A NUL within would hide the rest.
    let clean = text.replace('\0', "\u{fffd}");
    let (kept, mark) = if clean.len() <= room {
        (clean.as_str(), "")
    } else {
        let most = room - CUT.len();
        let end = (0..=most).rev().find(|end| clean.is_char_boundary(*end)).unwrap_or(0);
        (&clean[..end], CUT)
    };
    let length = kept.len() + mark.len();
    out[..kept.len()].copy_from_slice(kept.as_bytes());
    out[kept.len()..length].copy_from_slice(mark.as_bytes());
    out[length] = 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_cut_between_characters() {
        let mut out = [1; 10];
        fill(&mut out, "éééééé");
        assert_eq!(out[..], *"ééé...\0".as_bytes());
        fill(&mut out, "short");
        assert_eq!(out[..6], *b"short\0");
        fill(&mut out, "a\0b");
        assert_eq!(out[..6], *"a\u{fffd}b\0".as_bytes());
    }
}
