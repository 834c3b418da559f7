//! Requests and events in the codec's bytes, written and read by hand.
//!
//! These two are all but a few of the values there are, and a rebuild reads every one of them: going through the
//! codec's general way costs several times as much. Its bytes are simple: integers below 251 are one byte, larger ones a
//! byte that says how long they are and two, four or eight bytes; signed ones are doubled first, negative ones less one;
//! texts and maps have their length before them, options a byte, kinds their number. A test holds both ways against each
//! other.

use std::collections::BTreeMap;

use super::codec::Coded;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, EventKind, Request};
use crate::time::Instant;

/// Before an integer of two, four and eight bytes.
const TWO: u8 = 251;
const FOUR: u8 = 252;
const EIGHT: u8 = 253;

impl Coded for Request {
    fn append(&self, out: &mut Vec<u8>) -> Result<()> {
        let options = [&self.customer, &self.priority, &self.category, &self.channel, &self.subject];
        let texts = options.iter().filter_map(|text| text.as_ref()).map(String::len).sum::<usize>();
        out.reserve(self.id.len() + texts + 64);
        put_text(out, &self.id);
        put_instant(out, self.received_at);
        options.into_iter().for_each(|text| put_option(out, text.as_deref()));
        put_map(out, &self.attributes);
        Ok(())
    }

    fn decode(bytes: &[u8]) -> Result<(Request, usize)> {
        read_by(bytes, |input| {
            Some(Request {
                id: input.text()?,
                received_at: input.instant()?,
                customer: input.option()?,
                priority: input.option()?,
                category: input.option()?,
                channel: input.option()?,
                subject: input.option()?,
                attributes: input.map()?,
            })
        })
    }
}

impl Coded for Event {
    fn append(&self, out: &mut Vec<u8>) -> Result<()> {
        put_kind(out, &self.kind);
        put_instant(out, self.at);
        [&self.by, &self.key, &self.text].into_iter().for_each(|text| put_option(out, text.as_deref()));
        Ok(())
    }

    fn decode(bytes: &[u8]) -> Result<(Event, usize)> {
        read_by(bytes, |input| {
            Some(Event {
                kind: input.kind()?,
                at: input.instant()?,
                by: input.option()?,
                key: input.option()?,
                text: input.option()?,
            })
        })
    }
}

/// The text that a value begins with.
pub(super) fn first_text(bytes: &[u8]) -> Result<&str> {
    Coding(bytes).str().ok_or_else(damaged)
}

fn read_by<T>(bytes: &[u8], read: impl FnOnce(&mut Coding<'_>) -> Option<T>) -> Result<(T, usize)> {
    let mut input = Coding(bytes);
    let value = read(&mut input).ok_or_else(damaged)?;
    Ok((value, bytes.len() - input.0.len()))
}

#[cold]
fn damaged() -> Error {
    Error::new(ErrorKind::Damaged, "record bytes do not decode")
}

fn put_number(out: &mut Vec<u8>, number: u64) {
    if number < u64::from(TWO) {
        out.push(number as u8);
    } else if number <= u64::from(u16::MAX) {
        let [a, b] = (number as u16).to_le_bytes();
        out.extend_from_slice(&[TWO, a, b]);
    } else if number <= u64::from(u32::MAX) {
        let [a, b, c, d] = (number as u32).to_le_bytes();
        out.extend_from_slice(&[FOUR, a, b, c, d]);
    } else {
        out.push(EIGHT);
        out.extend_from_slice(&number.to_le_bytes());
    }
}

fn put_instant(out: &mut Vec<u8>, instant: Instant) {
    // Never negative.
    put_number(out, u64::from(instant.raw()) << 1);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put_option(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => out.push(0),
        Some(text) => {
            out.push(1);
            put_text(out, text);
        }
    }
}

fn put_map(out: &mut Vec<u8>, map: &BTreeMap<String, String>) {
    put_number(out, map.len() as u64);
    for (name, value) in map {
        put_text(out, name);
        put_text(out, value);
    }
}

fn put_kind(out: &mut Vec<u8>, kind: &EventKind) {
    out.push(place_of(kind));
    match kind {
        EventKind::Assigned { to: text }
        | EventKind::Paused { reason: text }
        | EventKind::VendorContacted { vendor: text }
        | EventKind::VendorReplied { vendor: text }
        | EventKind::FaqLinked { faq: text }
        | EventKind::FaqUnlinked { faq: text } => put_text(out, text),
        EventKind::Promised { due } => put_instant(out, *due),
        EventKind::Changed { facts } => put_map(out, facts),
        EventKind::Expedited { approved_by } => put_option(out, approved_by.as_deref()),
        EventKind::Waived { clock, cycle } | EventKind::WaiverWithdrawn { clock, cycle } => {
            put_text(out, clock);
            put_number(out, u64::from(*cycle));
        }
        EventKind::Migrated { from, to } => {
            put_number(out, u64::from(*from));
            put_number(out, u64::from(*to));
        }
        _ => {}
    }
}

/// The place of a kind among all, in the order in which [`EventKind`] lists them. Part of the file format.
const fn place_of(kind: &EventKind) -> u8 {
    match kind {
        EventKind::Received => 0,
        EventKind::Acknowledged => 1,
        EventKind::Replied => 2,
        EventKind::CustomerReplied => 3,
        EventKind::Updated => 4,
        EventKind::Assigned { .. } => 5,
        EventKind::Paused { .. } => 6,
        EventKind::Resumed => 7,
        EventKind::VendorContacted { .. } => 8,
        EventKind::VendorReplied { .. } => 9,
        EventKind::Promised { .. } => 10,
        EventKind::Resolved => 11,
        EventKind::Reopened => 12,
        EventKind::Cancelled => 13,
        EventKind::Changed { .. } => 14,
        EventKind::Note => 15,
        EventKind::Expedited { .. } => 16,
        EventKind::ExpediteWithdrawn => 17,
        EventKind::RefusalProposed => 18,
        EventKind::RefusalApproved => 19,
        EventKind::RefusalWithdrawn => 20,
        EventKind::Waived { .. } => 21,
        EventKind::WaiverWithdrawn { .. } => 22,
        EventKind::Migrated { .. } => 23,
        EventKind::FaqLinked { .. } => 24,
        EventKind::FaqUnlinked { .. } => 25,
    }
}

/// Reads the codec's bytes front to back; `None` where they are none.
struct Coding<'a>(&'a [u8]);

impl<'a> Coding<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    #[inline]
    fn number(&mut self) -> Option<u64> {
        let [first] = self.array()?;
        match first {
            TWO => self.array().map(|bytes| u64::from(u16::from_le_bytes(bytes))),
            FOUR => self.array().map(|bytes| u64::from(u32::from_le_bytes(bytes))),
            EIGHT => self.array().map(u64::from_le_bytes),
            0..TWO => Some(u64::from(first)),
            _ => None,
        }
    }

    /// A number that is written as one of 32 bits: never in eight bytes.
    fn word(&mut self) -> Option<u32> {
        if self.0.first() == Some(&EIGHT) { None } else { u32::try_from(self.number()?).ok() }
    }

    fn instant(&mut self) -> Option<Instant> {
        match self.number()? {
            odd if odd & 1 == 1 => None,
            even => Instant::checked((even >> 1) as i64),
        }
    }

    #[inline]
    fn str(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(taken).ok()
    }

    fn text(&mut self) -> Option<String> {
        self.str().map(str::to_owned)
    }

    fn option(&mut self) -> Option<Option<String>> {
        match self.array()? {
            [0] => Some(None),
            [1] => self.text().map(Some),
            _ => None,
        }
    }

    fn map(&mut self) -> Option<BTreeMap<String, String>> {
        let mut map = BTreeMap::new();
        for _ in 0..self.number()? {
            let (name, value) = (self.text()?, self.text()?);
            map.insert(name, value);
        }
        Some(map)
    }

    fn kind(&mut self) -> Option<EventKind> {
        Some(match self.word()? {
            0 => EventKind::Received,
            1 => EventKind::Acknowledged,
            2 => EventKind::Replied,
            3 => EventKind::CustomerReplied,
            4 => EventKind::Updated,
            5 => EventKind::Assigned { to: self.text()? },
            6 => EventKind::Paused { reason: self.text()? },
            7 => EventKind::Resumed,
            8 => EventKind::VendorContacted { vendor: self.text()? },
            9 => EventKind::VendorReplied { vendor: self.text()? },
            10 => EventKind::Promised { due: self.instant()? },
            11 => EventKind::Resolved,
            12 => EventKind::Reopened,
            13 => EventKind::Cancelled,
            14 => EventKind::Changed { facts: self.map()? },
            15 => EventKind::Note,
            16 => EventKind::Expedited { approved_by: self.option()? },
            17 => EventKind::ExpediteWithdrawn,
            18 => EventKind::RefusalProposed,
            19 => EventKind::RefusalApproved,
            20 => EventKind::RefusalWithdrawn,
            21 => EventKind::Waived { clock: self.text()?, cycle: self.word()? },
            22 => EventKind::WaiverWithdrawn { clock: self.text()?, cycle: self.word()? },
            23 => EventKind::Migrated { from: self.word()?, to: self.word()? },
            24 => EventKind::FaqLinked { faq: self.text()? },
            25 => EventKind::FaqUnlinked { faq: self.text()? },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::codec::general;
    use super::*;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![4 => "[a-zä€]{0,9}", 1 => (0..70_000_usize).prop_map(|length| "x".repeat(length))]
    }

    fn instant() -> impl Strategy<Value = Instant> {
        let raw = prop_oneof![0..400_u32, 32_700..32_800_u32, 0..=Instant::MAX.raw()];
        raw.prop_map(|raw| Instant::from_raw(raw).unwrap())
    }

    fn option() -> impl Strategy<Value = Option<String>> {
        proptest::option::of(text())
    }

    fn map() -> impl Strategy<Value = BTreeMap<String, String>> {
        proptest::collection::btree_map(text(), text(), 0..4)
    }

    fn kind() -> impl Strategy<Value = EventKind> {
        let plain = [
            EventKind::Received,
            EventKind::Acknowledged,
            EventKind::Replied,
            EventKind::CustomerReplied,
            EventKind::Updated,
            EventKind::Resumed,
            EventKind::Resolved,
            EventKind::Reopened,
            EventKind::Cancelled,
            EventKind::Note,
            EventKind::ExpediteWithdrawn,
            EventKind::RefusalProposed,
            EventKind::RefusalApproved,
            EventKind::RefusalWithdrawn,
        ];
        prop_oneof![
            3 => proptest::sample::select(plain.to_vec()),
            1 => text().prop_map(|to| EventKind::Assigned { to }),
            1 => text().prop_map(|reason| EventKind::Paused { reason }),
            1 => text().prop_map(|vendor| EventKind::VendorContacted { vendor }),
            1 => text().prop_map(|vendor| EventKind::VendorReplied { vendor }),
            1 => instant().prop_map(|due| EventKind::Promised { due }),
            1 => map().prop_map(|facts| EventKind::Changed { facts }),
            1 => option().prop_map(|approved_by| EventKind::Expedited { approved_by }),
            1 => (text(), any::<u32>()).prop_map(|(clock, cycle)| EventKind::Waived { clock, cycle }),
            1 => (text(), any::<u32>()).prop_map(|(clock, cycle)| EventKind::WaiverWithdrawn { clock, cycle }),
            1 => any::<(u32, u32)>().prop_map(|(from, to)| EventKind::Migrated { from, to }),
            1 => text().prop_map(|faq| EventKind::FaqLinked { faq }),
            1 => text().prop_map(|faq| EventKind::FaqUnlinked { faq }),
        ]
    }

    proptest! {
        #[test]
        fn events_have_the_bytes_of_the_codec(
            (kind, at, by, key, text) in (kind(), instant(), option(), option(), option()),
        ) {
            let event = Event { kind, at, by, key, text };
            let mut bytes = Vec::new();
            event.append(&mut bytes).unwrap();
            prop_assert_eq!(&bytes, &general::encode(&event).unwrap());
            prop_assert_eq!(Event::decode(&bytes).unwrap(), (event, bytes.len()));
        }

        #[test]
        fn requests_have_the_bytes_of_the_codec(
            (id, received_at, attributes) in (text(), instant(), map()),
            (customer, priority, category, channel, subject) in (option(), option(), option(), option(), option()),
        ) {
            let request = Request { id, received_at, customer, priority, category, channel, subject, attributes };
            let mut bytes = Vec::new();
            request.append(&mut bytes).unwrap();
            prop_assert_eq!(&bytes, &general::encode(&request).unwrap());
            prop_assert_eq!(first_text(&bytes).unwrap(), request.id.as_str());
            prop_assert_eq!(Request::decode(&bytes).unwrap(), (request, bytes.len()));
        }

        /// Whatever one way reads, and where it stops, the other reads too.
        #[test]
        fn any_bytes_are_read_alike(
            kind in 0..28_u8,
            some in proptest::collection::vec(prop_oneof![4 => 0..6_u8, 1 => Just(TWO), 1 => Just(FOUR), 1 => Just(EIGHT), 1 => any::<u8>()], 0..40),
        ) {
            prop_assert_eq!(Event::decode(&some).ok(), general::decode(&some).ok());
            prop_assert_eq!(Request::decode(&some).ok(), general::decode(&some).ok());
            let event = [&[kind][..], &some].concat();
            prop_assert_eq!(Event::decode(&event).ok(), general::decode(&event).ok());
        }
    }
}
