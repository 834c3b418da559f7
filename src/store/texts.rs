//! Digests of texts: what was submitted, what happened, what was published.
//!
//! The head keeps the sum of all. Sums do not depend on the order in which texts came, so whoever keeps something
//! derived from texts adds up what it was made from, and knows by one comparison whether that is all there is: after a
//! restored backup, another file of the same name, or a gap.

use twox_hash::XxHash3_64;

/// The number of a request's own record among its texts.
pub(crate) const REQUEST: u32 = 0;
/// The number of its first event; the others follow in arrival order.
pub(crate) const FIRST_EVENT: u32 = 1;
/// What stands for the slot of an act about an FAQ entry, whose number is its own.
pub(crate) const FAQ: u32 = u32::MAX;

/// The digest of one text from its codec bytes, bound to its place. Part of the file format.
pub(crate) fn digest(slot: u32, number: u32, bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(u64::from(slot) << 32 | u64::from(number), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_bound_to_its_place() {
        let places = [(0, 0), (0, 1), (1, 0), (FAQ, 1)];
        let digests: Vec<u64> = places.iter().map(|(slot, number)| digest(*slot, *number, b"text")).collect();
        for (at, one) in digests.iter().enumerate() {
            assert!(!digests[at + 1..].contains(one));
        }
        assert_eq!(digest(7, REQUEST, b"text"), 0x8118_8748_89d9_17b3, "part of the file format");
    }
}
