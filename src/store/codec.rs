//! The variable part of records as bytes: bincode 2, standard configuration (variable-length little-endian integers).
//!
//! The only file that knows the codec, so that it can be replaced; a test reads its bytes with another, maintained
//! implementation of the same format. Requests and events have the same bytes, written and read by hand (`coded.rs`).

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Entry;
use crate::error::{Error, ErrorKind, Result};

const CONFIG: bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<MAX_BYTES>,
> = bincode::config::standard().with_limit::<MAX_BYTES>();

/// The largest value that is written or read, so that damaged lengths cannot ask for unbounded memory.
pub(crate) const MAX_BYTES: usize = 256 << 20;

/// What the codec writes and reads.
pub(crate) trait Coded: Sized {
    /// Its bytes, appended to `out`.
    fn append(&self, out: &mut Vec<u8>) -> Result<()>;

    /// Reads it from the start of `bytes` and returns it with the number of bytes it took.
    fn decode(bytes: &[u8]) -> Result<(Self, usize)>;
}

/// The general way for these.
macro_rules! coded {
    ($($name:ty),* $(,)?) => {
        $(impl $crate::store::codec::Coded for $name {
            fn append(&self, out: &mut Vec<u8>) -> $crate::error::Result<()> {
                $crate::store::codec::general::append(out, self)
            }

            fn decode(bytes: &[u8]) -> $crate::error::Result<(Self, usize)> {
                $crate::store::codec::general::decode(bytes)
            }
        })*
    };
}
pub(crate) use coded;

coded!(String, Entry);

/// The bytes of `value`, appended to `out`.
pub(crate) fn append<T: Coded>(out: &mut Vec<u8>, value: &T) -> Result<()> {
    value.append(out)
}

/// The bytes of `value`.
pub(crate) fn encode<T: Coded>(value: &T) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    append(&mut out, value)?;
    Ok(out)
}

/// Reads one value from the start of `bytes` and returns it with the number of bytes it took.
pub(crate) fn decode<T: Coded>(bytes: &[u8]) -> Result<(T, usize)> {
    T::decode(bytes)
}

/// Reads one value that must take all of `bytes`.
pub(crate) fn decode_all<T: Coded>(bytes: &[u8]) -> Result<T> {
    match decode(bytes)? {
        (value, used) if used == bytes.len() => Ok(value),
        (_, used) => Err(Error::new(
            ErrorKind::Damaged,
            format!("record of {} bytes: {} bytes are left over", bytes.len(), bytes.len() - used),
        )),
    }
}

/// The text that a value begins with.
pub(crate) fn first_text(bytes: &[u8]) -> Result<&str> {
    super::coded::first_text(bytes)
}

/// Every type in one way.
pub(crate) mod general {
    use super::*;

    /// The bytes of `value`, appended to `out`.
    pub(crate) fn append<T: Serialize>(out: &mut Vec<u8>, value: &T) -> Result<()> {
        let mut writer = Appender(out);
        bincode::serde::encode_into_writer(value, &mut writer, CONFIG).map_err(|cause| {
            Error::new(ErrorKind::OutOfRange, format!("record: must be at most {MAX_BYTES} bytes"))
                .because(cause)
        })
    }

    /// Reads one value from the start of `bytes` and returns it with the number of bytes it took.
    pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize)> {
        bincode::serde::decode_from_slice(bytes, CONFIG)
            .map_err(|cause| Error::new(ErrorKind::Damaged, "record bytes do not decode").because(cause))
    }

    #[cfg(test)]
    pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        append(&mut out, value)?;
        Ok(out)
    }

    struct Appender<'a>(&'a mut Vec<u8>);

    impl bincode::enc::write::Writer for Appender<'_> {
        fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, EventKind, Request};
    use crate::time::Instant;

    #[test]
    fn what_is_written_is_read() {
        let at = Instant::from_secs(1_456_740_000).unwrap();
        let request = Request::new("INC1", at).customer("acme").attribute("type", "Pothole");
        let bytes = encode(&request).unwrap();
        assert_eq!(decode_all::<Request>(&bytes).unwrap(), request);
        assert_eq!(decode_all::<Request>(&bytes[..bytes.len() - 1]).unwrap_err().kind(), ErrorKind::Damaged);
        let longer = [bytes, vec![0]].concat();
        assert_eq!(decode_all::<Request>(&longer).unwrap_err().kind(), ErrorKind::Damaged);
    }

    /// `wincode` is maintained and reads the same format: the way out, should bincode have to go.
    #[test]
    fn the_maintained_codec_reads_the_same_bytes() {
        use wincode::config::Configuration;
        let event =
            (7_u32, 300_u64, String::from("waiting_customer"), Some(String::from("ann")), None::<String>);
        let bytes = general::encode(&event).unwrap();
        let config = Configuration::default().with_varint_encoding();
        let read: (u32, u64, String, Option<String>, Option<String>) =
            wincode::config::deserialize(&bytes, config).unwrap();
        assert_eq!(read, event);
    }

    #[test]
    fn the_bytes_of_an_event_are_pinned() {
        let at = Instant::from_secs(1_456_740_000).unwrap();
        let event = Event::new(EventKind::Paused { reason: "waiting_customer".into() }, at).by("ann");
        assert_eq!(
            encode(&event).unwrap(),
            [&[6, 16][..], b"waiting_customer", &[252, 64, 45, 168, 173], &[1, 3], b"ann", &[0, 0],].concat()
        );
    }
}
