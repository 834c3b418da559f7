//! Reading and writing plain little-endian integers; reading never runs past the end.

use crate::error::{Error, ErrorKind, Result};

/// Reads from a byte slice, front to back.
pub(crate) struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Input { bytes, at: 0 }
    }

    /// Starts at an offset; past the end is damage.
    pub(crate) fn from(bytes: &'a [u8], at: usize) -> Result<Self> {
        if at <= bytes.len() { Ok(Input { bytes, at }) } else { Err(short(at, bytes.len())) }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| short(self.at.saturating_add(count), self.bytes.len()))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N]> {
        let length = self.bytes.len();
        self.take(N)?.try_into().map_err(|_| short(N, length))
    }

    pub(crate) fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(*self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(*self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(*self.array()?))
    }

    /// A count of items of at least `size` bytes each, so that a damaged count cannot ask for unbounded memory.
    pub(crate) fn count(&mut self, size: usize) -> Result<usize> {
        let count = self.u32()? as usize;
        let left = self.bytes.len() - self.at;
        if count.saturating_mul(size.max(1)) > left {
            return Err(Error::new(
                ErrorKind::Damaged,
                format!("count {count} of items of {size} bytes: only {left} bytes are left"),
            ));
        }
        Ok(count)
    }

    /// A count and so many rows of fixed size.
    pub(crate) fn rows<const SIZE: usize>(&mut self) -> Result<&'a [[u8; SIZE]]> {
        let count = self.count(SIZE)?;
        Ok(self.take(count * SIZE)?.as_chunks().0)
    }

    /// How many bytes were read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The bytes not yet read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Reads one codec value.
    pub(crate) fn value<T: super::codec::Coded>(&mut self) -> Result<T> {
        let (value, used) = super::codec::decode(self.rest())?;
        self.at += used;
        Ok(value)
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<()> {
        match self.bytes.len() - self.at {
            0 => Ok(()),
            left => Err(Error::new(ErrorKind::Damaged, format!("{left} bytes are left over"))),
        }
    }
}

fn short(wanted: usize, length: usize) -> Error {
    Error::new(ErrorKind::Damaged, format!("byte {wanted} is wanted of a value of {length} bytes"))
}

/// Appends a count as `u32`; our values stay far below its range.
pub(crate) fn put_count(out: &mut Vec<u8>, count: usize) -> Result<()> {
    let count = u32::try_from(count).map_err(|_| {
        Error::new(ErrorKind::OutOfRange, format!("{count} items in one value: at most {}", u32::MAX))
    })?;
    out.extend_from_slice(&count.to_le_bytes());
    Ok(())
}
