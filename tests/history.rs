//! History and FAQ. What could go wrong: a request is missing from its customer's history, or twice in it, after its
//! customer was corrected, late, by a fold, a merge of runs, a repair or a salvage; a page is wrong where instants are equal;
//! an entry counts a request twice, or one that was unlinked; a repeated call records twice; what an entry said is lost.
//!
//! Random lives are held against plain maps, by customer and by entry.
#![cfg(feature = "sim")]

#[path = "support/desk.rs"]
mod desk;

use std::collections::BTreeMap;
use std::path::Path;

use desk::{Dice, at, policy};
use redb::{ReadableDatabase, ReadableTable, TableDefinition};
use slaclock::{
    Db, ErrorKind, Event, EventKind, FaqAct, FaqDraft, History, Instant, Mode, OnError, Operation, Options,
    Outcome, Page, PageKey, Request, SalvageOptions, sim,
};

const CUSTOMERS: [&str; 5] = ["acme", "borealis", "Åkerman & Söhne", "acme ", "x"];
const ENTRIES: [&str; 3] = ["vpn", "printer", "пароль"];

/// Everything that was recorded, by request in the order of submission.
#[derive(Default)]
struct Model {
    requests: Vec<(Request, Vec<Event>)>,
}

impl Model {
    fn events(&self, slot: usize) -> Vec<&Event> {
        let mut events: Vec<&Event> = self.requests[slot].1.iter().collect();
        events.sort_by_key(|event| event.at);
        events
    }

    fn customer(&self, slot: usize) -> Option<String> {
        let mut customer = self.requests[slot].0.customer.clone();
        for event in self.events(slot) {
            if let EventKind::Changed { facts } = &event.kind
                && let Some(new) = facts.get("customer")
            {
                customer = Some(new.clone()).filter(|new| !new.is_empty());
            }
        }
        customer
    }

    fn linked_at(&self, slot: usize, entry: &str) -> Option<Instant> {
        let mut linked = None;
        for event in self.events(slot) {
            match &event.kind {
                EventKind::FaqLinked { faq } if faq == entry => linked = linked.or(Some(event.at)),
                EventKind::FaqUnlinked { faq } if faq == entry => linked = None,
                _ => {}
            }
        }
        linked
    }

    /// Ids, newest first.
    fn sorted(&self, mut found: Vec<(Instant, usize)>) -> Vec<String> {
        found.sort();
        found.into_iter().rev().map(|(_, slot)| self.requests[slot].0.id.clone()).collect()
    }

    fn history(&self, customer: &str) -> Vec<String> {
        let of = (0..self.requests.len()).filter(|slot| self.customer(*slot).as_deref() == Some(customer));
        self.sorted(of.map(|slot| (self.requests[slot].0.received_at, slot)).collect())
    }

    fn linked(&self, entry: &str) -> Vec<(Instant, usize)> {
        let slots = 0..self.requests.len();
        slots.filter_map(|slot| Some((self.linked_at(slot, entry)?, slot))).collect()
    }
}

/// All ids, page by page.
fn pages(limit: usize, mut page: impl FnMut(Page) -> slaclock::Result<History>) -> Vec<String> {
    let (mut ids, mut next) = (Vec::new(), Page::first(limit));
    loop {
        let history = page(next).unwrap();
        assert!(history.rows.len() <= limit);
        ids.extend(history.rows.into_iter().map(|row| row.request));
        match history.next {
            Some(key) => next = Page::after(PageKey::from_bits(key.to_bits()), limit),
            None => return ids,
        }
    }
}

fn same(db: &Db, model: &Model, dice: &mut Dice) {
    for customer in CUSTOMERS {
        let limit = [1, 3, 7, 1_000][dice.roll(4)];
        assert_eq!(pages(limit, |page| db.history(customer, page)), model.history(customer), "{customer}");
    }
    for entry in ENTRIES {
        let linked = model.linked(entry);
        let told = db.faq_entry(entry).unwrap();
        assert_eq!(told.uses, linked.len() as u64, "{entry}");
        assert_eq!(told.last_used_at, linked.iter().map(|(at, _)| *at).max(), "{entry}");
        assert_eq!(pages(4, |page| db.faq_requests(entry, page)), model.sorted(linked), "{entry}");
    }
}

/// What may happen next to request `slot`, and is allowed.
fn event(dice: &mut Dice, model: &Model, slot: usize) -> Event {
    let received = model.requests[slot].0.received_at;
    let at = Instant::from_secs(received.as_secs() + dice.roll(2_000) as i64).unwrap();
    let kind = match dice.roll(8) {
        0..3 => {
            let name = if dice.roll(6) == 0 { "" } else { dice.of(&CUSTOMERS) };
            EventKind::Changed { facts: BTreeMap::from([("customer".to_owned(), name.to_owned())]) }
        }
        3 | 4 => EventKind::FaqLinked { faq: dice.of(&ENTRIES).to_owned() },
        5 => {
            let entry = dice.of(&ENTRIES);
            let mut until = Model::default();
            let known = model.requests[slot].1.iter().filter(|event| event.at <= at).cloned().collect();
            until.requests.push((model.requests[slot].0.clone(), known));
            match until.linked_at(0, entry) {
                Some(_) => EventKind::FaqUnlinked { faq: entry.to_owned() },
                None => EventKind::Note,
            }
        }
        6 => EventKind::Resolved,
        _ => EventKind::Reopened,
    };
    Event::new(kind, at).by("ann")
}

fn request(dice: &mut Dice, number: usize) -> Request {
    // Few different seconds, so that many are received at the same.
    let request = Request::new(format!("R-{number}"), at(dice.roll(40) as i64 * 60));
    if dice.roll(8) == 0 { request } else { request.customer(dice.of(&CUSTOMERS)) }
}

fn publish(db: &Db, entry: &str) {
    let text = |text: &str| Some(text.to_owned());
    let draft =
        FaqDraft { id: entry.into(), question: text("Why?"), answer: text("Because."), request: None };
    assert_eq!(db.publish(&draft, at(0), "ann").unwrap(), Outcome::Recorded);
}

#[test]
fn histories_and_links_are_those_of_plain_maps() {
    for seed in 0..6 {
        let mut dice = Dice(seed);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("care.slaclock");
        let options = || sim::fold_after(Options::default(), [5, 40, 200][seed as usize % 3]);
        Db::create(&path, &policy(), options()).unwrap().close().unwrap();
        let mut db = Db::open(&path, options()).unwrap();
        // Follows the other handle's commits, folds and repairs.
        let follower = Db::open(&path, options()).unwrap();
        ENTRIES.iter().for_each(|entry| publish(&db, entry));
        let mut model = Model::default();
        for round in 0..60 {
            let mut operations = Vec::new();
            for _ in 0..1 + dice.roll(12) {
                if model.requests.is_empty() || dice.roll(3) == 0 {
                    let request = request(&mut dice, model.requests.len());
                    operations.push(Operation::Submit(request.clone()));
                    model.requests.push((request, Vec::new()));
                } else {
                    let slot = dice.roll(model.requests.len());
                    let event = event(&mut dice, &model, slot);
                    let id = model.requests[slot].0.id.clone();
                    operations.push(Operation::Record { id, event: event.clone() });
                    model.requests[slot].1.push(event);
                }
            }
            if dice.roll(2) == 0 {
                db.apply(&operations, OnError::Abort).unwrap();
            } else {
                for operation in &operations {
                    db.apply(std::slice::from_ref(operation), OnError::Abort).unwrap();
                }
            }
            match dice.roll(12) {
                0 => drop(db.compact()),
                1 => {
                    db.close().unwrap();
                    db = Db::open(&path, options()).unwrap();
                }
                _ => {}
            }
            if round % 4 == 0 {
                same(&db, &model, &mut dice);
                same(&follower, &model, &mut dice);
            }
        }
        let verified = db.verify().unwrap();
        assert_eq!(verified.differing, 0, "seed {seed}: {:?}", verified.differences);
        same(&db, &model, &mut dice);
        db.close().unwrap();
        follower.close().unwrap();
        let saved = folder.path().join("saved.slaclock");
        let done = Db::salvage(&path, &saved, &SalvageOptions::default()).unwrap();
        assert!(done.is_complete(), "{:?}", done.places);
        let saved = Db::open(&saved, Options::default()).unwrap();
        same(&saved, &model, &mut dice);
        assert_eq!(saved.verify().unwrap().differing, 0);
    }
}

type Values = Vec<(u64, Vec<u8>)>;

fn table(path: &Path, name: &str) -> Values {
    let database = redb::Builder::new().open_read_only(path).unwrap();
    let definition: TableDefinition<u64, &[u8]> = TableDefinition::new(name);
    let table = database.begin_read().unwrap().open_table(definition).unwrap();
    table
        .iter()
        .unwrap()
        .map(|it| it.unwrap())
        .map(|(key, value)| (key.value(), value.value().to_vec()))
        .collect()
}

fn replace(path: &Path, name: &str, values: &Values) {
    let database = redb::Database::open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let definition: TableDefinition<u64, &[u8]> = TableDefinition::new(name);
        let mut table = transaction.open_table(definition).unwrap();
        table.retain(|_, _| false).unwrap();
        for (key, value) in values {
            table.insert(key, value.as_slice()).unwrap();
        }
    }
    transaction.commit().unwrap();
}

/// The index and the entries as they were before: `verify` names it, `rebuild` makes them anew.
#[test]
fn what_does_not_follow_is_found_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    let open = || Db::open(&path, Options::default().mode(Mode::Exclusive)).unwrap();
    Db::create(&path, &policy(), Options::default()).unwrap().close().unwrap();
    let submit = |db: &Db, numbers: std::ops::Range<i64>| {
        for number in numbers {
            db.submit(&Request::new(format!("R-{number}"), at(number)).customer("acme")).unwrap();
        }
    };
    let db = open();
    publish(&db, "vpn");
    submit(&db, 0..10);
    db.link_faq("R-3", "vpn", at(50), "ann").unwrap();
    db.compact().unwrap();
    db.close().unwrap();
    let (topics, entries) = (table(&path, "topics"), table(&path, "faq"));
    let db = open();
    submit(&db, 10..20);
    db.link_faq("R-4", "vpn", at(60), "ann").unwrap();
    db.amend_faq("vpn", None, Some("Restart it."), at(70), "bob").unwrap();
    db.record(
        "R-0",
        Event::new(EventKind::Changed { facts: BTreeMap::from([("customer".into(), "x".into())]) }, at(80)),
    )
    .unwrap();
    db.compact().unwrap();
    // One stays in the log.
    submit(&db, 20..21);
    db.close().unwrap();
    replace(&path, "topics", &topics);
    replace(&path, "faq", &entries);

    let db = open();
    assert_eq!(
        db.history("acme", Page::first(100)).unwrap().rows.len(),
        10 + 1 - 1,
        "R-0 is read again, and is not acme's"
    );
    let verified = db.verify().unwrap();
    let places: Vec<&str> = verified.differences.iter().map(|it| it.place.as_str()).collect();
    assert_eq!(places, ["topics", "faq"]);
    db.rebuild().unwrap();
    assert_eq!(db.verify().unwrap().differing, 0);
    assert_eq!(db.history("acme", Page::first(100)).unwrap().rows.len(), 20);
    assert_eq!(db.history("x", Page::first(100)).unwrap().rows[0].request, "R-0");
    let entry = db.faq_entry("vpn").unwrap();
    assert_eq!((entry.uses, entry.answer.as_str(), entry.changed_by.as_str()), (2, "Restart it.", "bob"));
    db.compact().unwrap();
    db.close().unwrap();
    assert_eq!(open().check().unwrap().differing, 0);
}

/// A page of a customer with many requests reads no more than one of a customer with few, whatever left it.
#[test]
fn a_history_has_everything_that_was_said() {
    let db = Db::in_memory(&policy()).unwrap();
    let request = Request::new("R-1", at(0)).customer("acme").subject("VPN drops").category("network");
    db.submit(&request).unwrap();
    let say = |kind: EventKind, secs: i64, text: &str| {
        db.record("R-1", Event::new(kind, at(secs)).by("ann").text(text)).unwrap();
    };
    say(EventKind::Note, 60, "the same as last week?");
    say(EventKind::Replied, 120, "Please restart the client.");
    say(EventKind::CustomerReplied, 180, "It works, thanks");
    say(EventKind::Resolved, 240, "Restarted the client");
    db.record("R-1", Event::new(EventKind::Updated, at(30))).unwrap();
    publish(&db, "vpn");
    db.link_faq("R-1", "vpn", at(250), "ann").unwrap();
    let row = &db.history("acme", Page::first(10)).unwrap().rows[0];
    assert_eq!((row.subject.as_deref(), row.received_at), (Some("VPN drops"), at(0)));
    assert_eq!((row.state, row.handled_at), ("resolved", Some(at(240))));
    assert_eq!(row.clocks[0].stage, slaclock::Stage::Met);
    assert_eq!(row.faq, ["vpn"]);
    let said: Vec<(&str, bool, &str)> =
        row.answers.iter().map(|it| (it.event.as_str(), it.to_customer, it.text.as_str())).collect();
    assert_eq!(
        said,
        [
            ("note", false, "the same as last week?"),
            ("replied", true, "Please restart the client."),
            ("customer_replied", false, "It works, thanks"),
            ("resolved", true, "Restarted the client"),
        ]
    );
    assert!(db.history("nobody", Page::first(1)).unwrap().rows.is_empty());
    for limit in [0, 1_001] {
        let kind = db.history("acme", Page::first(limit)).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::OutOfRange, "{limit}");
    }
    assert!(db.history("acme", Page::first(1_000)).is_ok());
    assert_eq!(db.history("", Page::first(1)).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(db.faq_requests("none", Page::first(1)).unwrap_err().kind(), ErrorKind::NotFound);
}

fn kind<T: std::fmt::Debug>(result: slaclock::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn entries_are_published_amended_and_withdrawn_once() {
    let db = Db::in_memory(&policy()).unwrap();
    db.submit(&Request::new("R-1", at(0)).subject("VPN drops")).unwrap();
    db.submit(&Request::new("R-2", at(0))).unwrap();
    let text = |text: &str| Some(text.to_owned());
    let of = |id: &str, question, answer, request| FaqDraft { id: id.to_owned(), question, answer, request };

    // What is left out comes from the request.
    let from_request = of("vpn", None, None, text("R-1"));
    assert_eq!(kind(db.publish(&from_request, at(9), "ann")), ErrorKind::InvalidArgument, "no answer yet");
    db.record("R-1", Event::new(EventKind::Replied, at(5)).text("Restart it.")).unwrap();
    db.record("R-1", Event::new(EventKind::Note, at(6)).text("not for customers")).unwrap();
    assert_eq!(db.publish(&from_request, at(9), "ann").unwrap(), Outcome::Recorded);
    assert_eq!(db.publish(&from_request, at(9), "ann").unwrap(), Outcome::AlreadyRecorded);
    let entry = db.faq_entry("vpn").unwrap();
    assert_eq!((entry.question.as_str(), entry.answer.as_str()), ("VPN drops", "Restart it."));
    assert_eq!((entry.request.as_deref(), entry.published_by.as_str()), (Some("R-1"), "ann"));
    assert_eq!((entry.uses, entry.last_used_at, entry.withdrawn), (0, None, false));

    for (draft, by, expected) in [
        (of("", text("q"), text("a"), None), "ann", ErrorKind::InvalidArgument),
        (of("x\n", text("q"), text("a"), None), "ann", ErrorKind::InvalidArgument),
        (of(&"x".repeat(256), text("q"), text("a"), None), "ann", ErrorKind::InvalidArgument),
        (of("x", text(" "), text("a"), None), "ann", ErrorKind::InvalidArgument),
        (of("x", text("q"), text(&"a".repeat(65_537)), None), "ann", ErrorKind::InvalidArgument),
        (of("x", text("q"), None, None), "ann", ErrorKind::InvalidArgument),
        (of("x", None, text("a"), text("R-2")), "ann", ErrorKind::InvalidArgument),
        (of("x", text("q"), text("a"), text("R-3")), "ann", ErrorKind::NotFound),
        (of("x", text("q"), text("a"), None), "", ErrorKind::InvalidArgument),
        (of("vpn", text("q"), text("a"), None), "ann", ErrorKind::Conflict),
    ] {
        assert_eq!(kind(db.publish(&draft, at(9), by)), expected, "{draft:?}");
    }
    assert_eq!(
        db.publish(&of(&"x".repeat(255), text("q"), text(&"a".repeat(65_536)), None), at(9), "ann").unwrap(),
        Outcome::Recorded
    );

    let amend = |answer: &str, secs| db.amend_faq("vpn", None, Some(answer), at(secs), "bob");
    assert_eq!(amend("Restart the client.", 20).unwrap(), Outcome::Recorded);
    assert_eq!(amend("Restart the client.", 20).unwrap(), Outcome::AlreadyRecorded);
    assert_eq!(amend("Restart the client.", 21).unwrap(), Outcome::AlreadyRecorded, "it says so already");
    assert_eq!(kind(amend("Do not.", 19)), ErrorKind::Conflict);
    assert_eq!(kind(amend(" ", 30)), ErrorKind::InvalidArgument);
    assert_eq!(kind(db.amend_faq("none", None, Some("a"), at(30), "bob")), ErrorKind::NotFound);
    assert_eq!(
        db.publish(&from_request, at(9), "ann").unwrap(),
        Outcome::AlreadyRecorded,
        "still the same call"
    );

    assert_eq!(kind(db.link_faq("R-2", "none", at(30), "ann")), ErrorKind::NotFound);
    assert_eq!(kind(db.link_faq("R-9", "vpn", at(30), "ann")), ErrorKind::NotFound);
    assert_eq!(kind(db.unlink_faq("R-2", "vpn", at(30), "ann")), ErrorKind::InvalidEvent);
    assert_eq!(db.link_faq("R-2", "vpn", at(30), "ann").unwrap().outcome, Outcome::Recorded);
    assert_eq!(db.link_faq("R-2", "vpn", at(30), "ann").unwrap().outcome, Outcome::AlreadyRecorded);
    db.link_faq("R-2", "vpn", at(40), "bob").unwrap();
    db.link_faq("R-1", "vpn", at(35), "bob").unwrap();
    let entry = db.faq_entry("vpn").unwrap();
    assert_eq!((entry.uses, entry.last_used_at), (2, Some(at(35))), "R-2 counts since its first link");
    assert_eq!(kind(db.unlink_faq("R-1", "vpn", at(34), "bob")), ErrorKind::InvalidEvent, "not linked then");
    db.unlink_faq("R-1", "vpn", at(45), "bob").unwrap();
    assert_eq!(db.faq_entry("vpn").unwrap().last_used_at, Some(at(30)));

    assert_eq!(db.withdraw_faq("vpn", at(50), "ann").unwrap(), Outcome::Recorded);
    assert_eq!(db.withdraw_faq("vpn", at(50), "ann").unwrap(), Outcome::AlreadyRecorded);
    assert_eq!(kind(db.withdraw_faq("vpn", at(51), "ann")), ErrorKind::Conflict);
    assert_eq!(kind(amend("again", 60)), ErrorKind::Conflict);
    assert_eq!(kind(db.link_faq("R-1", "vpn", at(60), "ann")), ErrorKind::InvalidEvent);
    assert_eq!(kind(db.publish(&of("vpn", text("q"), text("a"), None), at(70), "ann")), ErrorKind::Conflict);
    assert_eq!(db.faq(false).unwrap().len(), 1);
    let all = db.faq(true).unwrap();
    assert_eq!(all.iter().map(|entry| (entry.id.len(), entry.uses)).collect::<Vec<_>>(), [(3, 1), (255, 0)]);
    let acts: Vec<(FaqAct, String)> =
        db.faq_records("vpn").unwrap().into_iter().map(|record| (record.act, record.answer)).collect();
    let expected = [
        (FaqAct::Published, "Restart it."),
        (FaqAct::Amended, "Restart the client."),
        (FaqAct::Withdrawn, "Restart the client."),
    ];
    assert_eq!(acts, expected.map(|(act, answer)| (act, answer.to_owned())));
    assert_eq!(kind(db.faq_records("none")), ErrorKind::NotFound);
    assert_eq!(db.verify().unwrap().differing, 0);
}
