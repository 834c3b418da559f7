//! Damaged database files: a good one with bytes changed, moved and cut off, as accidents do it or with every checksum made
//! right again. Opened verified, asked everything, checked, written to and salvaged; unverified as well where no checksum
//! was repaired. An error with its kind, or an answer; and the answer of the undamaged file unless checksums were repaired.

#[path = "../../tests/damage/reseal.rs"]
#[allow(dead_code, unreachable_pub)]
mod reseal;

/// What `reseal.rs` expects beside it.
mod images {
    pub(crate) struct Dice(pub(crate) u64);

    impl Dice {
        pub(crate) fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed ^ (mixed >> 31)
        }

        pub(crate) fn below(&mut self, end: usize) -> usize {
            (self.next() % end.max(1) as u64) as usize
        }
    }
}

use std::sync::OnceLock;

use arbitrary::{Result, Unstructured};
use slaclock::db::{Mode, Verify};
use slaclock::{
    AttainmentQuery, Db, ErrorKind, Event, EventKind, Instant, Options, Page, Policy, Query, Request,
    SalvageOptions,
};

use super::memory::Memory;

const POLICY: &str = r#"
[policy]
name = "care"
version = 1
[calendar.office]
zone = "UTC"
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

struct Base {
    policy: Policy,
    bytes: Vec<u8>,
    answers: String,
    known: Db,
}

fn at(secs: i64) -> Instant {
    Instant::from_secs(super::MONDAY_S + secs).expect("in range")
}

/// Requests of the file whose images are tried.
const REQUESTS: i64 = 240;

fn options() -> Options {
    slaclock::sim::fold_after(Options::default().mode(Mode::Exclusive).cache_bytes(1 << 20), 30)
}

fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let policy = Policy::from_toml(POLICY).expect("a policy");
        let file = Memory::default();
        slaclock::sim::create(&file, &policy, &options()).expect("a database");
        let db = slaclock::sim::open(file.handle(), &options()).expect("a database");
        // Enough for tables of several pages, so that there are references between pages to change.
        for number in 0..REQUESTS {
            let request = Request::new(format!("CASE-{number}"), at(number * 900)).customer("acme");
            db.submit(&request).expect("a request");
            let kind = match number % 3 {
                0 => EventKind::Resolved,
                1 => EventKind::Paused { reason: "waiting_customer".into() },
                _ => EventKind::Replied,
            };
            let event = Event::new(kind, at(number * 900 + 60)).by("ann").key("k");
            db.record(&format!("CASE-{}", number / 2), event).map(drop).unwrap_or_default();
        }
        db.advance(at(500_000)).expect("notices");
        db.feed("mail").expect("a feed").acknowledge(2).expect("two notices");
        db.compact().expect("a fold");
        let last = Request::new(format!("CASE-{REQUESTS}"), at(REQUESTS * 900 + 600));
        db.submit(&last).expect("a request");
        let answers = answers(&db).expect("answers");
        db.close().expect("closed");
        Base { policy, bytes: file.content(), answers, known: db }
    })
}

fn answers(db: &Db) -> slaclock::Result<String> {
    let info = db.info()?;
    let mut told = format!("{} {} {} {:?}", info.requests, info.events, info.notices, info.advanced_to);
    told += &format!("{:?}", db.scan(&Query::at(at(100_000)), Page::first(1_000))?.rows);
    told += &format!("{:?}", db.counts(at(100_000))?);
    told += &format!("{:?}", db.attainment_by(&AttainmentQuery::at(at(100_000)))?);
    told += &format!("{:?}", db.feed("mail")?.pending(1_000)?);
    for number in (0..=REQUESTS).step_by(23) {
        told += &format!("{:?}", db.get(&format!("CASE-{number}"))?);
    }
    Ok(told)
}

/// Changes an image as the input says.
fn damage(bytes: &mut Vec<u8>, input: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..input.int_in_range(1..=12_u8)? {
        let length = bytes.len();
        if length == 0 {
            return Ok(());
        }
        let place = if input.ratio(1_u8, 4)? { 320.min(length) } else { length } - 1;
        let place = input.int_in_range(0..=place)?;
        match input.int_in_range(0..=7_u8)? {
            0 => bytes[place] = input.arbitrary()?,
            1 => bytes[place] ^= 1 << input.int_in_range(0..=7_u8)?,
            2 | 3 => {
                let number: u64 = match input.int_in_range(0..=3_u8)? {
                    0 => input.arbitrary()?,
                    _ => *input.choose(&[0, 1, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, u64::MAX])?,
                };
                let size = (*input.choose(&[2_usize, 4, 8])?).min(length - place);
                bytes[place..place + size].copy_from_slice(&number.to_le_bytes()[..size]);
            }
            4 => {
                let other = input.int_in_range(0..=length - 1)?;
                let count = (*input.choose(&[16_usize, 512, 4_096])?).min(length - place.max(other));
                bytes.copy_within(other..other + count, place);
            }
            5 => {
                let count = (*input.choose(&[16_usize, 512, 4_096])?).min(length - place);
                bytes[place..place + count].fill(0);
            }
            6 => bytes.truncate(place),
            _ => bytes.resize(length + input.int_in_range(1..=9_000_usize)?, 0x5a),
        }
    }
    Ok(())
}

fn about_the_file(error: &slaclock::Error) {
    let kinds = [ErrorKind::Damaged, ErrorKind::NotADatabase, ErrorKind::NewerFormat];
    assert!(kinds.contains(&error.kind()), "{:?}: {error}", error.kind());
}

fn open_and_ask(bytes: &[u8], options: &Options, moved: bool, hostile: bool) {
    let base = base();
    let db = match slaclock::sim::open_like(&base.known, Memory::with(bytes.to_vec()).handle(), options) {
        Ok(db) => db,
        Err(error) => return about_the_file(&error),
    };
    match answers(&db) {
        Err(error) => about_the_file(&error),
        Ok(told) if hostile || moved => drop(told),
        Ok(told) => assert_eq!(told, base.answers, "a wrong answer without an error"),
    }
    if let Err(error) = db.submit(&Request::new("LATER", at(0))) {
        about_the_file(&error);
    }
    if let Err(error) = db.check() {
        about_the_file(&error);
        assert_eq!(
            db.info().map(drop).map_err(|error| error.kind()),
            Err(ErrorKind::Damaged),
            "it is latched"
        );
    }
}

/// Tries one input. Panics of the engine below are caught by the library and told as `Damaged`: one that comes out of this
/// reached the caller.
pub fn run(bytes: &[u8]) {
    // An input that is too short for what it asks for ends there.
    let _ = image(&mut Unstructured::new(bytes));
}

fn image(input: &mut Unstructured<'_>) -> Result<()> {
    let base = base();
    let mut bytes = base.bytes.clone();
    let hostile = input.ratio(1_u8, 2)?;
    if hostile && input.ratio(2_u8, 3)? {
        let pages = reseal::Pages::of(&bytes);
        let mut dice = images::Dice(input.arbitrary()?);
        match input.int_in_range(0..=3_u8)? {
            0 => reseal::payload(&mut bytes, &pages, &mut dice),
            1 => reseal::structure(&mut bytes, &pages, &mut dice),
            2 => reseal::pointer(&mut bytes, &pages, &mut dice),
            _ => reseal::header(&mut bytes, &mut dice),
        };
    } else {
        damage(&mut bytes, input)?;
    }
    if hostile
        && bytes.len() > 4_096
        && std::panic::catch_unwind(|| reseal_all(bytes.clone())).map(|whole| bytes = whole).is_err()
    {
        // Too broken for even its author to repair.
        return Ok(());
    }
    open_and_ask(&bytes, &options().verify(Verify::Always), false, hostile);
    if !hostile {
        // A page of the file that lies in another's place passes its values' checksums: only a full check shows it.
        open_and_ask(&bytes, &options().verify(Verify::Never), true, false);
    }
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder");
    let (from, to) = (folder.path().join("image"), folder.path().join("saved"));
    std::fs::write(&from, &bytes).expect("room in memory");
    match Db::salvage(&from, &to, &SalvageOptions::default().policy(base.policy.clone()).stand_ins()) {
        Err(error) => about_the_file(&error),
        Ok(saved) => {
            let db = Db::open(&to, options()).expect("what was saved opens");
            assert_eq!(db.info().expect("counts").requests, saved.requests);
            assert_eq!(db.verify().expect("a check").differing, 0);
        }
    }
    Ok(())
}

fn reseal_all(mut bytes: Vec<u8>) -> Vec<u8> {
    reseal::seal(&mut bytes);
    bytes
}
