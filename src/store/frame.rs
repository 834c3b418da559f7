//! The frame around every stored value: format, kind and a checksum bound to the key.
//!
//! The engine below verifies its pages only when asked, so every value is verified here whenever it
//! is read. The checksum covers the key as well: a value that turns up under another key is damage.
//!
//! ```text
//! byte 0      format of the payload, from 1
//! byte 1      kind
//! bytes 2..10 xxh3-64 of the payload, seeded with the xxh3-64 of the key, kind and format; little-endian
//! bytes 10..  payload
//! ```
//!
//! These ten bytes keep their layout for ever, so that a newer format is told from damage.

use twox_hash::XxHash3_64;

use crate::error::{Error, ErrorKind, Result};

/// Bytes that a frame adds before its payload.
pub(crate) const HEADER_BYTES: usize = 10;

/// What a value is: its number in the file, the newest format this release reads, its name in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// The number in the file; never reused.
    pub(crate) code: u8,
    /// The newest payload format this release knows, from 1; also the one it writes.
    pub(crate) format: u8,
    /// The name in messages.
    pub(crate) name: &'static str,
}

/// Blocks of sealed rows.
pub(crate) const ROWS: Kind = Kind { code: 1, format: 1, name: "block of due rows" };
/// The directory over blocks of sealed rows.
pub(crate) const ROWS_DIRECTORY: Kind = Kind { code: 2, format: 1, name: "directory of due rows" };
/// Blocks of a sealed run of external-id hashes.
pub(crate) const IDS: Kind = Kind { code: 3, format: 1, name: "block of id hashes" };
/// The directory over a sealed run of external-id hashes.
pub(crate) const IDS_DIRECTORY: Kind = Kind { code: 4, format: 1, name: "directory of id hashes" };

/// Wraps `payload` for storage under `key`.
pub(crate) fn seal(kind: Kind, key: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(HEADER_BYTES + payload.len());
    begin(&mut framed);
    framed.extend_from_slice(payload);
    finish(kind, key, &mut framed);
    framed
}

/// Starts a value whose payload is appended in place; [`finish`] completes it.
pub(crate) fn begin(framed: &mut Vec<u8>) {
    framed.clear();
    framed.resize(HEADER_BYTES, 0);
}

/// Completes a value begun with [`begin`], once its payload is appended.
pub(crate) fn finish(kind: Kind, key: &[u8], framed: &mut [u8]) {
    let (header, payload) = framed.split_at_mut(HEADER_BYTES);
    let sum = checksum(kind.code, kind.format, key, payload);
    header[0] = kind.format;
    header[1] = kind.code;
    header[2..].copy_from_slice(&sum.to_le_bytes());
}

/// Verifies a value read under `key` and returns its payload.
///
/// # Errors
/// `Damaged` if the value is not exactly what was sealed under this key as this kind; `NewerFormat` if
/// it is, in a format this release does not know.
pub(crate) fn open<'a>(kind: Kind, key: &[u8], framed: &'a [u8]) -> Result<&'a [u8]> {
    let Some((header, payload)) = framed.split_first_chunk::<HEADER_BYTES>() else {
        return Err(damaged(kind, key, format_args!("{} bytes are no value", framed.len())));
    };
    let [format, code, sum @ ..] = *header;
    if code != kind.code {
        return Err(damaged(kind, key, format_args!("found kind {code}, expected {}", kind.code)));
    }
    if u64::from_le_bytes(sum) != checksum(code, format, key, payload) {
        return Err(damaged(kind, key, "its checksum does not match"));
    }
    match format {
        0 => Err(damaged(kind, key, "format 0 was never written")),
        format if format > kind.format => Err(Error::new(
            ErrorKind::NewerFormat,
            format!("{} at {} has format {format}; this release reads up to {}", kind.name, hex(key), kind.format),
        )),
        _ => Ok(payload),
    }
}

/// The error for a value of this kind under this key that is not what was stored.
pub(crate) fn damaged(kind: Kind, key: &[u8], what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Damaged, format!("{} at {} is damaged: {what}", kind.name, hex(key)))
}

fn checksum(code: u8, format: u8, key: &[u8], payload: &[u8]) -> u64 {
    let seed = XxHash3_64::oneshot_with_seed(u64::from(code) << 8 | u64::from(format), key);
    XxHash3_64::oneshot_with_seed(seed, payload)
}

/// Keys are shown by number, never as text: they may hold what a customer wrote.
fn hex(key: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("key ");
    for byte in key.iter().take(16) {
        let _ = write!(text, "{byte:02x}");
    }
    if key.len() > 16 {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_keeps_its_bytes_for_ever() {
        let framed = seal(ROWS, &[0, 7], b"abc");
        assert_eq!(framed, [1, 1, 90, 109, 120, 63, 205, 70, 137, 120, b'a', b'b', b'c']);
    }

    #[test]
    fn another_kind_key_or_format_is_refused() {
        let framed = seal(ROWS, b"k", b"payload");
        assert_eq!(open(ROWS, b"k", &framed).unwrap(), b"payload");
        assert_eq!(open(ROWS, b"j", &framed).unwrap_err().kind(), ErrorKind::Damaged);
        assert_eq!(open(IDS, b"k", &framed).unwrap_err().kind(), ErrorKind::Damaged);
        let newer = seal(Kind { format: 2, ..ROWS }, b"k", b"payload");
        assert_eq!(open(ROWS, b"k", &newer).unwrap_err().kind(), ErrorKind::NewerFormat);
    }

    proptest! {
        #[test]
        fn every_flipped_bit_and_every_cut_is_noticed(
            key in proptest::collection::vec(any::<u8>(), 0..12),
            payload in proptest::collection::vec(any::<u8>(), 0..400),
            at in any::<prop::sample::Index>(),
            bit in 0..8u32,
        ) {
            let framed = seal(ROWS, &key, &payload);
            prop_assert_eq!(open(ROWS, &key, &framed).unwrap(), &payload[..]);
            let mut flipped = framed.clone();
            flipped[at.index(framed.len())] ^= 1 << bit;
            prop_assert_eq!(open(ROWS, &key, &flipped).unwrap_err().kind(), ErrorKind::Damaged);
            let cut = &framed[..at.index(framed.len())];
            prop_assert_eq!(open(ROWS, &key, cut).unwrap_err().kind(), ErrorKind::Damaged);
        }

        #[test]
        fn any_bytes_give_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = open(ROWS, b"k", &bytes);
        }
    }
}
