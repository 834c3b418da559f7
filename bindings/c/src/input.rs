//! Reading what the caller passes: texts, columns, structs and numbers, each checked and named when it is wrong.

use std::ffi::{CStr, OsStr, c_char};
use std::mem::{MaybeUninit, size_of};
use std::path::Path;

use chrono::NaiveDate;
use slaclock_core::{ErrorKind, Instant, Span};

use crate::fault::Fault;

/// Stands for an instant that is not given, or that there is not.
/// cbindgen:ignore
pub const SLACLOCK_NONE: i64 = i64::MIN;

/// Length of a text that ends with NUL.
pub(crate) const NTS: usize = usize::MAX;

/// The bytes of a text; `None` for NULL with a length of 0 or [`NTS`].
///
/// # Safety
/// `data` is NULL, or readable for `len` bytes, or up to its NUL if `len` is [`NTS`]; it stays so for `'a`.
unsafe fn bytes<'a>(name: &str, data: *const c_char, len: usize) -> Result<Option<&'a [u8]>, Fault> {
    if data.is_null() {
        return match len {
            0 | NTS => Ok(None),
            _ => Err(Fault::argument(format!("`{name}` is NULL with a length of {len} bytes"))),
        };
    }
    if len == NTS {
        // SAFETY: the caller's promise: it ends with NUL.
        return Ok(Some(unsafe { CStr::from_ptr(data) }.to_bytes()));
    }
    if len > isize::MAX as usize {
        return Err(Fault::argument(format!(
            "`{name}` has a length of {len} bytes: must be its length, or SLACLOCK_NTS if it ends with NUL"
        )));
    }
    // SAFETY: the caller's promise; not NULL, and no object is larger than `isize::MAX`.
    Ok(Some(unsafe { std::slice::from_raw_parts(data.cast(), len) }))
}

fn utf8<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, Fault> {
    std::str::from_utf8(bytes).map_err(|error| {
        Fault::argument(format!("`{name}` is not UTF-8 from byte {} on", error.valid_up_to()))
    })
}

/// A text that must be there, if only empty: then NULL with length 0 will do.
///
/// # Safety
/// As for [`bytes`].
pub(crate) unsafe fn text<'a>(name: &str, data: *const c_char, len: usize) -> Result<&'a str, Fault> {
    // SAFETY: the same promise.
    match unsafe { bytes(name, data, len) }? {
        Some(bytes) => utf8(name, bytes),
        None if len == 0 => Ok(""),
        None => Err(Fault::argument(format!("`{name}` is NULL: must be a text"))),
    }
}

/// A text that may be left out with NULL.
///
/// # Safety
/// As for [`bytes`].
pub(crate) unsafe fn optional_text<'a>(
    name: &str,
    data: *const c_char,
    len: usize,
) -> Result<Option<&'a str>, Fault> {
    // SAFETY: the same promise.
    unsafe { bytes(name, data, len) }?.map(|bytes| utf8(name, bytes)).transpose()
}

/// A path: bytes as they are on Unix, UTF-8 elsewhere.
///
/// # Safety
/// As for [`bytes`].
pub(crate) unsafe fn path<'a>(name: &str, data: *const c_char, len: usize) -> Result<&'a Path, Fault> {
    // SAFETY: the same promise.
    let bytes = unsafe { bytes(name, data, len) }?.unwrap_or_default();
    if bytes.is_empty() {
        return Err(Fault::argument(format!("`{name}` is empty: must be the path of a file")));
    }
    if bytes.contains(&0) {
        return Err(Fault::argument(format!("`{name}` contains a NUL byte: is the length right?")));
    }
    #[cfg(unix)]
    let path: &OsStr = std::os::unix::ffi::OsStrExt::from_bytes(bytes);
    #[cfg(not(unix))]
    let path: &OsStr = utf8(name, bytes)?.as_ref();
    Ok(Path::new(path))
}

/// A column of `n` values.
///
/// # Safety
/// `data` is NULL, not aligned, or readable for `n` values for `'a`.
pub(crate) unsafe fn column<'a, T>(name: &str, data: *const T, n: usize) -> Result<&'a [T], Fault> {
    if n == 0 {
        return Ok(&[]);
    }
    check_column(name, data, n)?;
    // SAFETY: the caller's promise; not NULL, aligned, no larger than an object can be.
    Ok(unsafe { std::slice::from_raw_parts(data, n) })
}

/// The place and length of a column are possible.
pub(crate) fn check_column<T>(name: &str, data: *const T, n: usize) -> Result<(), Fault> {
    if data.is_null() {
        return Err(Fault::argument(format!("`{name}` is NULL: must have {n} entries")));
    }
    if !data.is_aligned() {
        return Err(Fault::argument(format!("`{name}` is not aligned to {} bytes", align_of::<T>())));
    }
    if n.checked_mul(size_of::<T>()).is_none_or(|size| size > isize::MAX as usize) {
        return Err(Fault::argument(format!("`{name}` has {n} entries: more than fit into memory")));
    }
    Ok(())
}

/// A struct of the caller's that begins with its size.
///
/// # Safety
/// The type consists of integers and pointers, for which every pattern of bits is a value; its first field is a `u32`.
pub(crate) unsafe trait Sized32: Copy {
    /// For messages, and the name of its initialiser.
    const NAME: &'static str;
    /// Its size in the first release, from which it can only grow.
    const FIRST_SIZE: usize;
}

/// Larger than any struct of ours will become.
pub(crate) const MAX_STRUCT: usize = 4_096;

/// Copies a struct of the caller's, who may have been built with an older or newer header.
///
/// # Safety
/// `given` is NULL, not aligned, or readable for as many bytes as its first field says.
pub(crate) unsafe fn sized<T: Sized32>(name: &str, given: *const T) -> Result<T, Fault> {
    if given.is_null() {
        return Err(Fault::argument(format!("`{name}` is NULL: must be a {}", T::NAME)));
    }
    if !given.is_aligned() {
        return Err(Fault::argument(format!("`{name}` is not aligned to {} bytes", align_of::<T>())));
    }
    // SAFETY: the caller's promise, and the trait's: it begins with a u32.
    let size = unsafe { given.cast::<u32>().read() } as usize;
    if size < T::FIRST_SIZE || size > MAX_STRUCT {
        return Err(Fault::argument(format!(
            "`{name}` has size {size}: must be sizeof({}), set by {}_INIT or {}_init",
            T::NAME,
            T::NAME.to_ascii_uppercase(),
            T::NAME
        )));
    }
    let known = size.min(size_of::<T>());
    // SAFETY: the caller's promise: `size` bytes are readable.
    let all = unsafe { std::slice::from_raw_parts(given.cast::<u8>(), size) };
    if all[known..].iter().any(|byte| *byte != 0) {
        return Err(Fault::new(
            ErrorKind::Unsupported,
            format!(
                "`{name}` has size {size} and sets a field beyond the {} bytes that version {} knows: the library is \
                 older than the header",
                size_of::<T>(),
                env!("CARGO_PKG_VERSION")
            ),
        ));
    }
    let mut copy = MaybeUninit::<T>::zeroed();
    // SAFETY: `known` is no more than either size, and the two do not overlap.
    unsafe { std::ptr::copy_nonoverlapping(all.as_ptr(), copy.as_mut_ptr().cast(), known) };
    // SAFETY: the trait's promise: zeros and any other bits are values.
    Ok(unsafe { copy.assume_init() })
}

/// The same, with what `otherwise` says for NULL.
///
/// # Safety
/// As for [`sized`].
pub(crate) unsafe fn optional_sized<T: Sized32>(
    name: &str,
    given: *const T,
    otherwise: T,
) -> Result<T, Fault> {
    // SAFETY: the same promise.
    if given.is_null() { Ok(otherwise) } else { unsafe { sized(name, given) } }
}

/// An instant.
pub(crate) fn instant(name: &str, seconds: i64) -> Result<Instant, Fault> {
    Instant::try_from(seconds).map_err(|error| {
        let none = if seconds == SLACLOCK_NONE { " (SLACLOCK_NONE)" } else { "" };
        Fault::new(error.kind(), format!("`{name}`{none}: {error}"))
    })
}

/// Checks that every entry of a column is an instant, before anything is written.
pub(crate) fn instants(name: &str, column: &[i64]) -> Result<(), Fault> {
    const LAST: u64 = Instant::MAX.as_secs() as u64;
    // One comparison for both ends, and no early exit, so that it costs a fraction of a nanosecond an entry.
    let some_wrong = column.iter().fold(false, |wrong, seconds| wrong | (seconds.cast_unsigned() > LAST));
    if some_wrong {
        for (row, seconds) in column.iter().enumerate() {
            instant(&format!("{name}[{row}]"), *seconds)?;
        }
    }
    Ok(())
}

/// An instant, or none for [`SLACLOCK_NONE`].
pub(crate) fn optional_instant(name: &str, seconds: i64) -> Result<Option<Instant>, Fault> {
    if seconds == SLACLOCK_NONE { Ok(None) } else { instant(name, seconds).map(Some) }
}

/// A length of time; anything goes, what it is used for checks it.
pub(crate) fn span(seconds: i64) -> Span {
    Span::from_secs(seconds)
}

/// Days of the supported range and one on each side, which zones reach: 1969-12-31 to 2100-01-01.
const DAYS: std::ops::RangeInclusive<i64> = -1..=47_482;

/// A date, as days since 1970-01-01.
pub(crate) fn date(name: &str, day: i64) -> Result<NaiveDate, Fault> {
    let date = if DAYS.contains(&day) { NaiveDate::from_epoch_days(day as i32) } else { None };
    date.ok_or_else(|| {
        Fault::new(
            ErrorKind::OutOfRange,
            format!("`{name}` is day {day} since 1970-01-01: must be {} to {}", DAYS.start(), DAYS.end()),
        )
    })
}

/// Days since 1970-01-01.
pub(crate) fn day_of(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days())
}

/// A flag: 0 or 1.
pub(crate) fn flag(name: &str, value: i32) -> Result<bool, Fault> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Fault::argument(format!("`{name}` is {value}: must be 0 or 1"))),
    }
}

/// One of the numbers of an enum.
pub(crate) fn choice<T: Copy>(name: &str, value: i32, choices: &[(i32, &str, T)]) -> Result<T, Fault> {
    let found = choices.iter().find(|(number, _, _)| *number == value);
    found.map(|(_, _, choice)| *choice).ok_or_else(|| {
        let allowed: Vec<String> =
            choices.iter().map(|(number, word, _)| format!("{number} ({word})")).collect();
        Fault::argument(format!("`{name}` is {value}: must be {}", allowed.join(", ")))
    })
}

/// A number that must not be negative.
pub(crate) fn count(name: &str, value: i64) -> Result<u64, Fault> {
    u64::try_from(value)
        .map_err(|_| Fault::new(ErrorKind::OutOfRange, format!("`{name}` is {value}: must not be negative")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Grown {
        size: u32,
        first: u32,
        second: u64,
    }
    // SAFETY: integers only, the size first.
    unsafe impl Sized32 for Grown {
        const NAME: &'static str = "grown";
        const FIRST_SIZE: usize = 8;
    }

    fn read(words: &[u64]) -> Result<Grown, Fault> {
        // SAFETY: the tests' sizes lie within `words`, or are refused before anything is read.
        unsafe { sized("given", words.as_ptr().cast()) }
    }

    #[test]
    fn structs_of_older_and_newer_headers_are_read() {
        let sized = |size: u64, first: u64| size | first << 32;
        let older = read(&[sized(8, 5), 77]).unwrap();
        assert_eq!((older.size, older.first, older.second), (8, 5, 0), "what an older header lacks is zero");
        assert_eq!(read(&[sized(16, 5), 77]).unwrap().second, 77);
        assert_eq!(
            read(&[sized(24, 5), 77, 0]).unwrap().second,
            77,
            "a newer header's field that is not used"
        );
        assert_eq!(read(&[sized(24, 5), 77, 1]).err().unwrap().kind(), ErrorKind::Unsupported);
        for size in [0, 7, 4_097, u64::from(u32::MAX)] {
            assert_eq!(read(&[sized(size, 5), 77]).err().unwrap().kind(), ErrorKind::InvalidArgument);
        }
    }
}
