//! The damaged file, read and never written: any part of it, within a fixed memory, whatever the disk refuses.

use std::cell::{Cell, RefCell};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use twox_hash::{XxHash3_64, XxHash3_128};

use crate::error::Result;
use crate::store::file;

/// What is read ahead, and the most that is held of a value while its checksum is worked out.
const WINDOW_BYTES: usize = 1 << 20;
/// After an error of the disk, what is given up as unreadable before the next try.
const SECTOR_BYTES: usize = 4096;

/// Fills a slice from a byte on.
type Reader = Box<dyn Fn(u64, &mut [u8]) -> io::Result<()>>;

/// A file of any content.
pub(super) struct Source {
    reader: Reader,
    bytes: u64,
    window: RefCell<Window>,
    /// Sectors that the disk refused to read.
    refused: Cell<u64>,
}

struct Window {
    at: u64,
    bytes: Vec<u8>,
}

impl Source {
    /// # Errors
    /// `NotFound`; `NotADatabase` for anything but a regular file; `Busy` while somebody has it open; `Io`.
    pub(super) fn open(path: &Path) -> Result<Source> {
        let file = file::raw(path)?;
        let bytes = file.metadata()?.len();
        Ok(Source::over(bytes, move |at, out| {
            let mut file = &file;
            file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(out))
        }))
    }

    /// Something of a file's length that can be read like one.
    pub(super) fn over(bytes: u64, read: impl Fn(u64, &mut [u8]) -> io::Result<()> + 'static) -> Source {
        let window = RefCell::new(Window { at: 0, bytes: Vec::new() });
        Source { reader: Box::new(read), bytes, window, refused: Cell::new(0) }
    }

    /// Length of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sectors that the disk refused to read, each counted as often as it was asked for.
    pub(super) fn refused(&self) -> u64 {
        self.refused.get()
    }

    /// Fills `out` from `at` on; false if that is past the end, or the disk refuses.
    pub(super) fn read(&self, at: u64, out: &mut [u8]) -> bool {
        let Some(end) = at.checked_add(out.len() as u64).filter(|end| *end <= self.bytes) else {
            return false;
        };
        if out.len() > WINDOW_BYTES / 4 {
            return self.read_now(at, out);
        }
        let mut window = self.window.borrow_mut();
        if at < window.at || end > window.at + window.bytes.len() as u64 {
            let length = (WINDOW_BYTES as u64).min(self.bytes - at) as usize;
            window.bytes.resize(length, 0);
            window.at = at;
            let mut bytes = std::mem::take(&mut window.bytes);
            if !self.read_now(at, &mut bytes) {
                // Some of it is bad: read no more than what was asked for.
                return self.read_now(at, out);
            }
            window.bytes = bytes;
        }
        let from = (at - window.at) as usize;
        out.copy_from_slice(&window.bytes[from..from + out.len()]);
        true
    }

    fn read_now(&self, at: u64, out: &mut [u8]) -> bool {
        let read = (self.reader)(at, out);
        if read.is_err() && out.len() <= SECTOR_BYTES {
            self.refused.set(self.refused.get() + 1);
        }
        read.is_ok()
    }

    /// So many bytes from `at` on.
    pub(super) fn take(&self, at: u64, length: usize) -> Option<Vec<u8>> {
        // Before the memory is asked for: a damaged length promises anything.
        at.checked_add(length as u64).filter(|end| *end <= self.bytes)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).ok()?;
        bytes.resize(length, 0);
        self.read(at, &mut bytes).then_some(bytes)
    }

    /// The checksum of a value's payload.
    pub(super) fn sum_64(&self, seed: u64, at: u64, length: u64) -> Option<u64> {
        let mut sum = XxHash3_64::with_seed(seed);
        self.pieces(at, length, |piece| std::hash::Hasher::write(&mut sum, piece))?;
        Some(std::hash::Hasher::finish(&sum))
    }

    /// The checksum of a page.
    pub(super) fn sum_128(&self, at: u64, length: u64) -> Option<u128> {
        let mut sum = XxHash3_128::new();
        self.pieces(at, length, |piece| sum.write(piece))?;
        Some(sum.finish_128())
    }

    fn pieces(&self, at: u64, length: u64, mut visit: impl FnMut(&[u8])) -> Option<()> {
        let end = at.checked_add(length).filter(|end| *end <= self.bytes)?;
        let mut buffer = [0; 16 << 10];
        let mut at = at;
        while at < end {
            let piece = &mut buffer[..(end - at).min(16 << 10) as usize];
            if !self.read(at, piece) {
                return None;
            }
            visit(piece);
            at += piece.len() as u64;
        }
        Some(())
    }
}
