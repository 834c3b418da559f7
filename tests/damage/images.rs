//! Images of one small database, each damaged in one way that a seed chooses.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use slaclock::{Db, Event, EventKind, Mode, OnError, Operation, Options, Policy, Request};

use super::answers::{COUNT, answers, at, known};
use super::reseal::{self, Pages};

const PAGE: usize = 4096;

const POLICY: &str = r#"
    [policy]
    name = "care"
    version = 1
    statement = "Handled within eight working hours; the rest within three working days."

    [calendar.office]
    zone = "Europe/Moscow"
    hours = { mon-fri = "09:00-18:00" }

    [[clock]]
    name = "resolution"
    start = "received"
    stop = "resolved"
    pause = ["waiting_customer"]
    target = { working = "8h" }
    backstop = { working_days = 3 }
    warn_at = ["75 %"]
    attainment = { share = "95 %", per = "month" }
"#;

/// The undamaged file, earlier states of it, and what it answers.
pub(crate) struct Base {
    pub(crate) policy: Policy,
    pub(crate) answers: Value,
    pub(crate) known: BTreeMap<String, Value>,
    pub(crate) events: u64,
    bytes: Vec<u8>,
    earlier: Vec<Vec<u8>>,
}

/// One damaged file.
pub(crate) struct Image {
    pub(crate) what: String,
    pub(crate) bytes: Vec<u8>,
    /// The damage is whole pages of this very file in wrong places, which only a check of all pages can see.
    pub(crate) needs_check: bool,
}

/// A stream of numbers that a seed determines.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn fill(&mut self, out: &mut [u8]) {
        out.iter_mut().for_each(|byte| *byte = self.next() as u8);
    }
}

impl Base {
    /// Sealed twice, with a tail, notices, a consumer and a second policy version.
    pub(crate) fn make(folder: &Path) -> Base {
        let path = folder.join("base");
        let policy = Policy::from_toml(POLICY).unwrap();
        let open = || Db::open(&path, Options::default().mode(Mode::Exclusive)).unwrap();
        let mut earlier = Vec::new();
        let db = Db::create(&path, &policy, Options::default()).unwrap();
        submit(&db, 0..COUNT / 2);
        events(&db, 0..COUNT / 2, 0);
        db.close().unwrap();
        earlier.push(std::fs::read(&path).unwrap());
        let db = open();
        db.compact().unwrap();
        let second = Policy::from_toml(&POLICY.replace("version = 1", "version = 2")).unwrap();
        db.install(&second, at(COUNT / 2 * 900)).unwrap();
        submit(&db, COUNT / 2..COUNT * 3 / 4);
        events(&db, 0..COUNT * 3 / 4, 1);
        db.advance(at(60 * 3600)).unwrap();
        db.feed("mail").unwrap().acknowledge(5).unwrap();
        db.compact().unwrap();
        db.close().unwrap();
        earlier.push(std::fs::read(&path).unwrap());
        let db = open();
        submit(&db, COUNT * 3 / 4..COUNT);
        events(&db, 0..COUNT, 2);
        db.advance(at(100 * 3600)).unwrap();
        db.close().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let db = open();
        let (answers, known) = (answers(&db).unwrap(), known(&db).unwrap());
        let events = db.info().unwrap().events;
        db.close().unwrap();
        Base { policy, answers, known, events, bytes, earlier }
    }

    /// An image as accidents make them: no checksum is repaired.
    pub(crate) fn damaged(&self, seed: u64) -> Image {
        let mut dice = Dice::new(seed);
        let mut bytes = self.bytes.clone();
        let length = bytes.len();
        let pages = length / PAGE;
        let mut needs_check = false;
        let what = match seed % 20 {
            0 => {
                let end = [dice.below(length), dice.below(pages) * PAGE, dice.below(700)][dice.below(3)];
                bytes.truncate(end);
                format!("cut to {end} bytes")
            }
            1 => {
                let sectors = 1 + dice.below(32);
                bytes.truncate(length - (sectors * 512).min(length));
                format!("{sectors} sectors cut off the end")
            }
            2..=6 => {
                let at = self.used(&mut dice);
                let bit = dice.below(8);
                bytes[at] ^= 1 << bit;
                format!("bit {bit} of byte {at} flipped")
            }
            7 => {
                let at = dice.below(320);
                bytes[at] ^= 1 << dice.below(8);
                format!("a bit of byte {at} of the header flipped")
            }
            8..=9 => {
                let at = self.used(&mut dice).min(length - 16);
                dice.fill(&mut bytes[at..at + 16]);
                format!("16 bytes at {at} overwritten")
            }
            10 => {
                let at = self.used(&mut dice) / 512 * 512;
                bytes[at..at + 512].fill(0);
                format!("the sector at {at} zeroed")
            }
            11 => {
                let at = self.used(&mut dice) / PAGE * PAGE;
                bytes[at..at + PAGE].fill(0);
                format!("the page at {at} zeroed")
            }
            12 => {
                let at = self.used(&mut dice) / PAGE * PAGE;
                dice.fill(&mut bytes[at..at + PAGE]);
                format!("the page at {at} overwritten at random")
            }
            13 => {
                let (one, other) = (1 + dice.below(pages - 1), 1 + dice.below(pages - 1));
                let copy = bytes[one * PAGE..(one + 1) * PAGE].to_vec();
                bytes.copy_within(other * PAGE..(other + 1) * PAGE, one * PAGE);
                bytes[other * PAGE..(other + 1) * PAGE].copy_from_slice(&copy);
                needs_check = true;
                format!("pages {one} and {other} swapped")
            }
            14 => {
                let old = &self.earlier[dice.below(self.earlier.len())];
                let page = dice.below(pages.min(old.len() / PAGE));
                bytes[page * PAGE..(page + 1) * PAGE].copy_from_slice(&old[page * PAGE..(page + 1) * PAGE]);
                needs_check = true;
                format!("page {page} as it was earlier")
            }
            15 => {
                let from = dice.below(pages) * PAGE;
                bytes[from..].fill(0);
                format!("zeros from {from} on")
            }
            16 => {
                let more = 1 + dice.below(3 * PAGE);
                bytes.resize(length + more, 0x5a);
                format!("{more} bytes added")
            }
            17 => {
                let count = 2 + dice.below(40);
                for _ in 0..count {
                    let at = self.used(&mut dice);
                    bytes[at] ^= 1 << dice.below(8);
                }
                format!("{count} bits flipped")
            }
            18 => {
                bytes = foreign(&mut dice);
                "another file".to_owned()
            }
            _ => {
                let at = [64, 192][dice.below(2)];
                let version = dice.next() as u8;
                bytes[at] = version;
                if dice.below(2) == 0 {
                    (bytes[64], bytes[192]) = (version, version);
                }
                format!("storage format {version}")
            }
        };
        Image { what, bytes, needs_check }
    }

    /// An image by somebody who knows the format and repairs every checksum.
    pub(crate) fn hostile(&self, seed: u64) -> Image {
        let mut dice = Dice::new(seed);
        let mut bytes = self.bytes.clone();
        let pages = Pages::of(&bytes);
        let what = match seed % 8 {
            // Values with right frames and wrong payloads.
            0..=3 => reseal::payload(&mut bytes, &pages, &mut dice),
            // Pages with right checksums and wrong counts, offsets and keys.
            4..=5 => reseal::structure(&mut bytes, &pages, &mut dice),
            // Branches that lead elsewhere: outside, to huge pages, to pages of other tables, upwards.
            6 => reseal::pointer(&mut bytes, &pages, &mut dice),
            _ => reseal::header(&mut bytes, &mut dice),
        };
        reseal::seal(&mut bytes);
        Image { what, bytes, needs_check: true }
    }

    /// A byte that is most likely of something that is used.
    fn used(&self, dice: &mut Dice) -> usize {
        let at = dice.below(self.bytes.len());
        (0..400).map(|_| dice.below(self.bytes.len())).find(|at| self.bytes[*at] != 0).unwrap_or(at)
    }
}

fn foreign(dice: &mut Dice) -> Vec<u8> {
    match dice.below(6) {
        0 => Vec::new(),
        1 => vec![0; 1 + dice.below(100_000)],
        2 => b"SQLite format 3\0 and so on".to_vec(),
        3 => b"redb\x1a\x0a\xa9\x0d\x0a".to_vec(),
        4 => {
            let mut bytes = vec![0; 1 + dice.below(100_000)];
            dice.fill(&mut bytes);
            bytes
        }
        _ => {
            let mut bytes = vec![0; PAGE * (1 + dice.below(30))];
            dice.fill(&mut bytes);
            bytes[..9].copy_from_slice(b"redb\x1a\x0a\xa9\x0d\x0a");
            bytes
        }
    }
}

fn submit(db: &Db, numbers: std::ops::Range<i64>) {
    let rows: Vec<Operation> = numbers
        .map(|number| {
            let request = Request::new(format!("CASE-{number}"), at(number * 900));
            let request = request.customer(format!("customer {}", number % 7)).subject("something is broken");
            Operation::Submit(request.attribute("type", ["pump", "valve", "seal"][(number % 3) as usize]))
        })
        .collect();
    rows.chunks(20).for_each(|rows| drop(db.apply(rows, OnError::Abort).unwrap()));
}

fn events(db: &Db, numbers: std::ops::Range<i64>, step: i64) {
    let rows: Vec<Operation> = numbers
        .filter(|number| (number + step) % 3 > 0)
        .map(|number| {
            let kind = match (number + step) % 4 {
                0 => EventKind::Resolved,
                1 => EventKind::Paused { reason: "waiting_customer".into() },
                2 => EventKind::Resumed,
                _ => EventKind::Replied,
            };
            let event =
                Event::new(kind, at(number * 900 + step * 3_600 + 60)).by("ann").key(format!("k{step}"));
            Operation::Record { id: format!("CASE-{number}"), event }
        })
        .collect();
    rows.chunks(30).for_each(|rows| drop(db.apply(rows, OnError::Abort).unwrap()));
}
