//! Expedites by customer, so that a quota is counted without looking at requests. Derived from the events like the
//! clocks' rows; the key is the hash of the customer's name, and customers of one hash share a value.

use serde::{Deserialize, Serialize};

use super::codec;
use super::ids::hash;
use super::tables::{Reader, Table};
use crate::error::Result;

/// One expedite that counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct ExpediteRow {
    /// Whose quota it uses; empty for nobody's.
    pub(crate) customer: String,
    /// When.
    pub(crate) at: u32,
    /// Slot of the request.
    pub(crate) request: u32,
}

codec::coded!(Vec<ExpediteRow>);

/// The key under which a customer's expedites are kept.
pub(crate) fn key_of(customer: &str) -> u64 {
    hash(customer)
}

/// The bytes of a value; its rows are sorted.
pub(crate) fn write(rows: &[ExpediteRow]) -> Result<Vec<u8>> {
    codec::encode(&rows.to_vec())
}

/// What is kept under a key, sorted.
pub(crate) fn read(reader: &Reader, key: u64) -> Result<Vec<ExpediteRow>> {
    Ok(reader.with(Table::Expedites, key, codec::decode_all)?.unwrap_or_default())
}

/// Everything that is kept, by key.
pub(crate) fn visit(reader: &Reader, mut visit: impl FnMut(u64, Vec<ExpediteRow>)) -> Result<()> {
    reader.visit(Table::Expedites, 0..=u64::MAX, |key, payload| {
        visit(key, codec::decode_all(payload)?);
        Ok(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_value_are_pinned() {
        let row = ExpediteRow { customer: "acme".into(), at: 7, request: 300 };
        let bytes = write(std::slice::from_ref(&row)).unwrap();
        assert_eq!(bytes, [&[1, 4][..], b"acme", &[7, 251, 44, 1]].concat());
        assert_eq!(codec::decode_all::<Vec<ExpediteRow>>(&bytes).unwrap(), [row]);
    }
}
