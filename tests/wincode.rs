//! The way out, should bincode have to go: what could go wrong is a stored record that the maintained codec of the same
//! format, wincode, reads otherwise, or not at all.
//!
//! The values of the pinned file are taken apart as docs/design.md says. Each record in them is read by both codecs, must be
//! the same, come back byte for byte, and be what the database answers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use redb::{ReadableDatabase, ReadableTable, TableDefinition, TableHandle};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use slaclock::{Db, Options};
use wincode::config::Configuration;
use wincode::{SchemaRead, SchemaWrite};

/// An instant, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, SchemaRead, SchemaWrite)]
struct At(i64);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        slaclock::Instant::from_secs(self.0).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

macro_rules! records {
    ($($item:item)*) => {
        $(#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SchemaRead, SchemaWrite)]
        #[serde(rename_all = "snake_case")]
        $item)*
    };
}

records! {
    struct Request {
        id: String,
        received_at: At,
        customer: Option<String>,
        priority: Option<String>,
        category: Option<String>,
        channel: Option<String>,
        subject: Option<String>,
        attributes: BTreeMap<String, String>,
    }

    enum Kind {
        Received,
        Acknowledged,
        Replied,
        CustomerReplied,
        Updated,
        Assigned { to: String },
        Paused { reason: String },
        Resumed,
        VendorContacted { vendor: String },
        VendorReplied { vendor: String },
        Promised { due: At },
        Resolved,
        Reopened,
        Cancelled,
        Changed { facts: BTreeMap<String, String> },
        Note,
        Expedited { approved_by: Option<String> },
        ExpediteWithdrawn,
        RefusalProposed,
        RefusalApproved,
        RefusalWithdrawn,
        Waived { clock: String, cycle: u32 },
        WaiverWithdrawn { clock: String, cycle: u32 },
        Migrated { from: u32, to: u32 },
        FaqLinked { faq: String },
        FaqUnlinked { faq: String },
    }

    struct Event {
        kind: Kind,
        at: At,
        by: Option<String>,
        key: Option<String>,
        text: Option<String>,
    }

    struct Stored {
        name: String,
        version: u32,
        in_force_from: At,
        text: String,
        tzdb: String,
        zones: Vec<(String, Vec<u8>)>,
    }

    enum Scope {
        All,
        Calendar(String),
        Customer(String),
        Category(String),
    }

    struct Window {
        category: String,
        scope: Scope,
        from: At,
        to: Option<At>,
    }

    enum Act {
        Declared,
        Amended,
        Ended,
        Withdrawn,
    }

    struct Entry {
        number: u32,
        act: Act,
        at: At,
        by: String,
        window: Window,
        text: Option<String>,
    }

    struct Expedite {
        customer: String,
        at: u32,
        request: u32,
    }

    struct Schedule {
        in_force_from: At,
        review_due: Option<At>,
        reading_due: Option<At>,
        readers: Vec<String>,
    }

    struct Done {
        review: bool,
        by: String,
        at: At,
    }

    enum FaqAct {
        Published,
        Amended,
        Withdrawn,
    }

    struct FaqRecord {
        id: String,
        act: FaqAct,
        at: At,
        by: String,
        question: String,
        answer: String,
        request: Option<String>,
    }

    struct FaqEntry {
        last: FaqRecord,
        published_at: At,
        published_by: String,
        records: Vec<u32>,
    }

    struct Miss {
        key: u32,
        by_change: bool,
        counted: u32,
    }

    struct Cohort {
        counted: u32,
        misses: Vec<Miss>,
    }
}

/// Reads one record with both codecs, says what it is and how many bytes it took.
macro_rules! read {
    ($kind:ty, $bytes:expr) => {{
        let bytes: &[u8] = $bytes;
        let (one, used) = bincode_reads::<$kind>(bytes);
        let config = Configuration::default().with_varint_encoding();
        let other: $kind = wincode::config::deserialize(&bytes[..used], config).expect("wincode reads it");
        assert_eq!(one, other);
        let again = wincode::config::serialize(&other, config).expect("wincode writes it");
        assert_eq!(again, bytes[..used], "{other:?}");
        (other, used)
    }};
}

fn bincode_reads<T: DeserializeOwned>(bytes: &[u8]) -> (T, usize) {
    bincode::serde::decode_from_slice(bytes, bincode::config::standard()).expect("bincode reads it")
}

/// A stored value that is read front to back.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    fn events(&mut self, count: u32) -> Vec<Event> {
        let read = (0..count).map(|_| {
            let (event, used) = read!(Event, self.0);
            self.take(used);
            event
        });
        read.collect()
    }
}

/// Payloads by table and key, without their frames.
fn values(path: &Path) -> BTreeMap<(String, u64), Vec<u8>> {
    let database = redb::Builder::new().open_read_only(path).unwrap();
    let transaction = database.begin_read().unwrap();
    let mut found = BTreeMap::new();
    for table in transaction.list_tables().unwrap() {
        let definition: TableDefinition<u64, &[u8]> = TableDefinition::new(table.name());
        for entry in transaction.open_table(definition).unwrap().iter().unwrap() {
            let (key, value) = entry.unwrap();
            found.insert((table.name().to_owned(), key.value()), value.value()[10..].to_vec());
        }
    }
    found
}

/// Everything that bincode wrote into a file.
#[derive(Default)]
struct Found {
    requests: BTreeMap<u32, Request>,
    events: BTreeMap<u32, Vec<Event>>,
    policies: Vec<Stored>,
    entries: Vec<Entry>,
    expedites: Vec<Expedite>,
    schedules: Vec<Schedule>,
    done: Vec<Done>,
    consumers: Vec<(u64, String)>,
    faq: Vec<FaqEntry>,
    faq_records: Vec<FaqRecord>,
    cohorts: Vec<Cohort>,
}

impl Found {
    fn take(&mut self, table: &str, key: u64, payload: &[u8]) {
        let mut bytes = Bytes(payload);
        match table {
            "records" => {
                let count = bytes.u32();
                let lengths: Vec<u32> = (0..count).map(|_| bytes.u32()).collect();
                let mut from = 0;
                for (end, slot) in lengths.into_iter().zip(key as u32..) {
                    let (request, used) = read!(Request, bytes.take((end - from) as usize));
                    assert_eq!(used as u32, end - from);
                    self.requests.insert(slot, request);
                    from = end;
                }
            }
            "events" => {
                while !bytes.0.is_empty() {
                    let slot = bytes.u32();
                    bytes.take(8);
                    let count = bytes.u32();
                    let events = bytes.events(count);
                    self.events.entry(slot).or_default().extend(events);
                }
            }
            "log" => {
                for _ in 0..bytes.u32() {
                    let slot = bytes.u32();
                    bytes.take(32);
                    let length = bytes.u32() as usize;
                    if length > 0 {
                        self.requests.insert(slot, read!(Request, &bytes.take(length)[8..]).0);
                    }
                    let count = bytes.u32();
                    let length = bytes.u32() as usize;
                    let mut within = Bytes(bytes.take(length));
                    self.events.entry(slot).or_default().extend(within.events(count));
                    assert!(within.0.is_empty());
                    for size in [40, 17] {
                        let rows = bytes.u32() as usize;
                        bytes.take(rows * size);
                    }
                }
                assert!(bytes.0.is_empty());
            }
            "policies" => self.policies.push(read!(Stored, payload).0),
            "interruptions" => self.entries.push(read!(Entry, payload).0),
            "expedites" => self.expedites.extend(read!(Vec<Expedite>, payload).0),
            "reminders" if key as u32 == 0 => self.schedules.push(read!(Schedule, payload).0),
            "reminders" => self.done.push(read!(Done, payload).0),
            "consumers" => {
                let cursor = u64::from_le_bytes(payload[..8].try_into().unwrap());
                self.consumers.push((cursor, read!(String, &payload[8..]).0));
            }
            "faq" => self.faq.push(read!(FaqEntry, payload).0),
            "faq_acts" => self.faq_records.push(read!(FaqRecord, payload).0),
            "periods" => self.cohorts.push(read!(Cohort, payload).0),
            // Of fixed layout: no codec wrote them.
            "meta" | "requests" | "clocks" | "ids" | "index" | "notices" | "moves" | "topics" => {}
            new => panic!("table {new} is new: say here what its values are"),
        }
    }
}

/// What two values look like to people, which is the same for the mirror and the library's own.
fn same(one: &impl Serialize, other: &impl Serialize) {
    assert_eq!(serde_json::to_value(one).unwrap(), serde_json::to_value(other).unwrap());
}

#[test]
fn wincode_reads_every_record_that_bincode_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format/1/care.slaclock");
    std::fs::copy(pinned, &path).unwrap();
    let mut found = Found::default();
    for ((table, key), payload) in &values(&path) {
        found.take(table, *key, payload);
    }
    let db = Db::open(&path, Options::default()).unwrap();
    let info = db.info().unwrap();
    assert_eq!(found.requests.len() as u64, info.requests);
    assert_eq!(found.events.values().map(Vec::len).sum::<usize>() as u64, info.events);
    for (slot, request) in &found.requests {
        let status = db.get(&request.id).unwrap();
        same(request, &status.request);
        let mut events = found.events.get(slot).cloned().unwrap_or_default();
        events.sort_by_key(|event| event.at.0);
        same(&events, &status.events);
    }
    let told: BTreeSet<String> = found.events.values().flatten().map(|event| name(&event.kind)).collect();
    let all = slaclock::EventTag::ALL.iter().map(|tag| tag.word().to_owned());
    // A receipt is the request's own.
    assert_eq!(
        told,
        all.filter(|word| word != "received").collect(),
        "an event of every kind is in the file"
    );
    let policies = db.policies().unwrap();
    assert_eq!(found.policies.len(), policies.len());
    for (stored, info) in found.policies.iter().zip(&policies) {
        assert_eq!((&stored.name, stored.version, &stored.tzdb), (&info.name, info.version, &info.tzdb));
        same(&stored.in_force_from, &info.in_force_from);
    }
    same(&found.entries, &db.interruptions().unwrap());
    let acts: BTreeSet<String> = found.entries.iter().map(|entry| name(&entry.act)).collect();
    assert_eq!(acts.len(), 4, "an entry of every kind is in the file: {acts:?}");
    let expedites = db.expedites(None).unwrap();
    assert_eq!(found.expedites.len(), expedites.iter().map(|of| of.expedites.len()).sum::<usize>());
    let acknowledged = db.acknowledgements().unwrap();
    assert!(!acknowledged.is_empty() && found.done.len() == acknowledged.len());
    for (done, told) in found.done.iter().zip(&acknowledged) {
        assert_eq!(done.by, told.by);
        same(&done.at, &told.at);
    }
    assert_eq!(found.schedules.len(), policies.len());
    assert!(
        found.schedules.iter().any(|schedule| schedule.review_due.is_some() && !schedule.readers.is_empty())
    );
    assert!(!found.consumers.is_empty());
    for (cursor, name) in &found.consumers {
        assert_eq!(db.feed(name).unwrap().acknowledged().unwrap(), *cursor);
    }
    compare_faq_and_cohorts(&db, &found);
}

/// What the journal of the FAQ, its entries and the cohorts say, beside what the database answers.
fn compare_faq_and_cohorts(db: &Db, found: &Found) {
    let acts: BTreeSet<String> = found.faq_records.iter().map(|record| name(&record.act)).collect();
    assert_eq!(acts.len(), 3, "a record of every kind is in the file: {acts:?}");
    let told = db.faq(true).unwrap();
    assert_eq!(found.faq.len(), told.len());
    for entry in &found.faq {
        let of = |record: &&FaqRecord| record.id == entry.last.id;
        let records: Vec<&FaqRecord> = found.faq_records.iter().filter(of).collect();
        same(&records, &db.faq_records(&entry.last.id).unwrap());
        let numbers = found.faq_records.iter().zip(1_u32..).filter(|(record, _)| of(record));
        assert_eq!(entry.records, numbers.map(|(_, number)| number).collect::<Vec<_>>());
        let told = told.iter().find(|told| told.id == entry.last.id).unwrap();
        same(&(&entry.last.answer, &entry.last.at), &(&told.answer, &told.changed_at));
        same(&(&entry.published_by, &entry.published_at), &(&told.published_by, &told.published_at));
    }
    assert!(found.cohorts.iter().any(|cohort| !cohort.misses.is_empty()), "a miss is in the file");
    for cohort in &found.cohorts {
        let rises = cohort.misses.is_sorted_by_key(|miss| miss.key);
        assert!(rises && cohort.misses.iter().all(|miss| miss.counted <= cohort.counted), "{cohort:?}");
    }
}

/// The name of a variant.
fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value).unwrap() {
        serde_json::Value::String(name) => name,
        serde_json::Value::Object(object) => object.keys().next().unwrap().clone(),
        other => panic!("{other}"),
    }
}
