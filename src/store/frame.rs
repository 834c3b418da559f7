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
//! These ten bytes keep their layout for ever, so that a newer format is told from damage. Errors say what
//! is wrong; whoever knows the table and the key says where.

use twox_hash::XxHash3_64;

use crate::error::{Error, ErrorKind, Result};

/// Bytes that a frame adds before its payload.
pub(crate) const HEADER_BYTES: usize = 10;

/// The payload format that this release writes, and the newest it reads.
pub(crate) const FORMAT: u8 = 1;

/// Wraps `payload` for storage under `key`, in the place of what `framed` holds.
pub(crate) fn seal_into(framed: &mut Vec<u8>, kind: u8, key: &[u8], payload: &[u8]) {
    framed.clear();
    seal_as(framed, FORMAT, kind, key, payload);
}

/// Verifies a value read under `key` and returns its payload.
///
/// # Errors
/// `Damaged` if the value is not exactly what was sealed under this key as this kind; `NewerFormat` if
/// it is, in a format this release does not know.
pub(crate) fn open<'a>(kind: u8, key: &[u8], framed: &'a [u8]) -> Result<&'a [u8]> {
    let damaged = |what: String| Err(Error::new(ErrorKind::Damaged, what));
    let Some((header, payload)) = framed.split_first_chunk::<HEADER_BYTES>() else {
        return damaged(format!("{} bytes are too few for a value", framed.len()));
    };
    let [format, found, sum @ ..] = *header;
    if found != kind {
        return damaged(format!("found a value of kind {found} where kind {kind} belongs"));
    }
    if u64::from_le_bytes(sum) != checksum(format, kind, key, payload) {
        return damaged("the checksum of the value does not match".to_owned());
    }
    match format {
        0 => damaged("format 0 was never written".to_owned()),
        1..=FORMAT => Ok(payload),
        newer => Err(Error::new(
            ErrorKind::NewerFormat,
            format!("the value has format {newer}; this release reads up to {FORMAT}"),
        )),
    }
}

fn seal_as(framed: &mut Vec<u8>, format: u8, kind: u8, key: &[u8], payload: &[u8]) {
    framed.reserve(HEADER_BYTES + payload.len());
    framed.extend_from_slice(&[format, kind]);
    framed.extend_from_slice(&checksum(format, kind, key, payload).to_le_bytes());
    framed.extend_from_slice(payload);
}

fn checksum(format: u8, kind: u8, key: &[u8], payload: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(seed(format, kind, key), payload)
}

/// The seed of a payload's checksum: for whoever must look at a value too long to hold.
pub(super) fn seed(format: u8, kind: u8, key: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(u64::from(kind) << 8 | u64::from(format), key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROWS: u8 = 1;
    const IDS: u8 = 3;

    fn seal(kind: u8, key: &[u8], payload: &[u8]) -> Vec<u8> {
        let mut framed = vec![7; 3];
        seal_into(&mut framed, kind, key, payload);
        framed
    }

    #[test]
    fn a_value_keeps_its_bytes_for_ever() {
        let framed = seal(ROWS, &[0, 7], b"abc");
        assert_eq!(framed, [1, 1, 25, 151, 87, 245, 202, 212, 150, 11, b'a', b'b', b'c']);
    }

    #[test]
    fn another_kind_key_or_format_is_refused() {
        let framed = seal(ROWS, b"k", b"payload");
        assert_eq!(open(ROWS, b"k", &framed).unwrap(), b"payload");
        assert_eq!(open(ROWS, b"j", &framed).unwrap_err().kind(), ErrorKind::Damaged);
        assert_eq!(open(IDS, b"k", &framed).unwrap_err().kind(), ErrorKind::Damaged);
        let mut newer = Vec::new();
        seal_as(&mut newer, 2, ROWS, b"k", b"payload");
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
