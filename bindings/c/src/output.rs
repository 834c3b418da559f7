//! Writing what the caller gets. A place is checked before anything is worked out, and written after everything
//! that can fail.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use slaclock_core::ErrorKind;

use crate::fault::Fault;
use crate::input::{MAX_STRUCT, Sized32, check_column};

/// A place for one value.
pub(crate) struct Out<'a, T>(&'a mut MaybeUninit<T>);

impl<T> Out<'_, T> {
    #[inline]
    pub(crate) fn set(self, value: T) {
        self.0.write(value);
    }
}

/// A place that must be there.
///
/// # Safety
/// `place` is NULL, not aligned, or writable for `'a` and used by nobody else meanwhile.
#[inline]
pub(crate) unsafe fn out<'a, T>(name: &str, place: *mut T) -> Result<Out<'a, T>, Fault> {
    // SAFETY: the same promise.
    unsafe { optional_out(name, place) }?
        .ok_or_else(|| Fault::argument(format!("`{name}` is NULL: must be a place for the result")))
}

/// A place that the caller may decline with NULL.
///
/// # Safety
/// As for [`out`].
#[inline]
pub(crate) unsafe fn optional_out<'a, T>(name: &str, place: *mut T) -> Result<Option<Out<'a, T>>, Fault> {
    if place.is_null() {
        return Ok(None);
    }
    if !place.is_aligned() {
        return Err(Fault::argument(format!("`{name}` is not aligned to {} bytes", align_of::<T>())));
    }
    // SAFETY: the caller's promise; MaybeUninit, since nothing need be there yet.
    Ok(Some(Out(unsafe { &mut *place.cast::<MaybeUninit<T>>() })))
}

/// A column to fill.
pub(crate) struct Column<'a, T>(&'a mut [MaybeUninit<T>]);

impl<T> Column<'_, T> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Writes rows from the first entry on; there are no more rows than entries.
    pub(crate) fn fill(self, rows: impl IntoIterator<Item = T>) {
        for (place, row) in self.0.iter_mut().zip(rows) {
            place.write(row);
        }
    }
}

/// A column of room for `n` values.
///
/// # Safety
/// `data` is NULL, not aligned, or writable for `n` values for `'a` and used by nobody else meanwhile.
pub(crate) unsafe fn column_out<'a, T>(name: &str, data: *mut T, n: usize) -> Result<Column<'a, T>, Fault> {
    if n == 0 {
        return Ok(Column(&mut []));
    }
    check_column(name, data, n)?;
    // SAFETY: the caller's promise; not NULL, aligned, no larger than an object can be.
    Ok(Column(unsafe { std::slice::from_raw_parts_mut(data.cast(), n) }))
}

/// A column of numbers to fill, which the core writes in place, and which must not overlap the column it reads.
///
/// # Safety
/// As for [`column_out`].
pub(crate) unsafe fn numbers_out<'a>(
    name: &str,
    data: *mut i64,
    n: usize,
    read: &[i64],
) -> Result<&'a mut [i64], Fault> {
    if n == 0 {
        return Ok(&mut []);
    }
    check_column(name, data, n)?;
    let (from, to) = (data.addr(), data.addr() + n * size_of::<i64>());
    let other = read.as_ptr_range();
    if from < other.end.addr() && other.start.addr() < to {
        return Err(Fault::argument(format!("`{name}` overlaps the column that is read")));
    }
    // SAFETY: the caller's promise; not NULL, aligned, apart from what is read. The entries are integers, of which any
    // pattern of bits is a value, and they are not read before they are written.
    Ok(unsafe { std::slice::from_raw_parts_mut(data, n) })
}

/// A text in a struct of the caller's: `N` bytes with the NUL that ends it.
///
/// # Errors
/// `Internal` if it is longer: ids and names have at most 255 bytes, so that cannot be.
pub(crate) fn inline<const N: usize>(what: &str, text: &str) -> Result<[c_char; N], Fault> {
    let mut out = [0; N];
    if text.len() >= N {
        return Err(Fault::new(
            ErrorKind::Internal,
            format!("{what} of {} bytes: at most {} fit", text.len(), N - 1),
        ));
    }
    for (place, byte) in out.iter_mut().zip(text.bytes()) {
        *place = byte as c_char;
    }
    Ok(out)
}

/// A count for the caller.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Sets a struct of the caller's to its defaults; `size` is that of the caller's header.
///
/// # Safety
/// `place` is NULL, not aligned, or writable for `size` bytes.
pub(crate) unsafe fn initialise<T: Sized32>(
    name: &str,
    place: *mut T,
    size: usize,
    defaults: T,
) -> Result<(), Fault> {
    if size < T::FIRST_SIZE || size > MAX_STRUCT {
        return Err(Fault::argument(format!("`size` is {size}: must be sizeof({})", T::NAME)));
    }
    if place.is_null() || !place.is_aligned() {
        return Err(Fault::argument(format!("`{name}` is NULL or not aligned: must be a {}", T::NAME)));
    }
    let known = size.min(size_of::<T>());
    // SAFETY: the caller's promise: `size` bytes are writable. What a newer header has beyond ours is zero, and the
    // struct begins with its size, which is the caller's.
    unsafe {
        place.cast::<u8>().write_bytes(0, size);
        std::ptr::copy_nonoverlapping((&raw const defaults).cast::<u8>(), place.cast::<u8>(), known);
        place.cast::<u32>().write(size as u32);
    }
    Ok(())
}
