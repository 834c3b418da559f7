//! Search. What could go wrong: something that was said is not found, or found where it was never said; the index is believed
//! although its files are cut, flipped, of another database or of a later state than a restored backup; a search waits for
//! ever for another process; a filter lets through what it should not.
//!
//! Random lives and random sabotage are held against a naive scan of all that was recorded.
#![cfg(all(feature = "search", feature = "sim"))]
#![allow(clippy::print_stderr, reason = "figures are part of the outcome")]

#[path = "support/desk.rs"]
mod desk;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant as Moment;

use desk::{Dice, at, policy};
use slaclock::search::{FoundIn, HitKind};
use slaclock::{
    Db, ErrorKind, Event, EventKind, FaqDraft, Hits, Instant, OnError, Operation, Options, Outcome, Request,
    SearchQuery, sim,
};

/// Says something in a few words.
fn words(dice: &mut Dice, most: usize) -> String {
    (0..1 + dice.roll(most))
        .map(|_| dice.of(&WORDS))
        .collect::<Vec<_>>()
        .join([" ", ", ", "\n"][dice.roll(3)])
}

/// As customers write them.
const WORDS: [&str; 14] = [
    "VPN",
    "vpn",
    "printer",
    "Printers",
    "print",
    "Café",
    "cafe",
    "outage",
    "Übertragung",
    "ubertragung",
    "reset",
    "Reset!",
    "42",
    "Ёлка",
];
/// The same, plain.
const PLAIN: [(&str, &str); 6] = [
    ("Café", "cafe"),
    ("Übertragung", "ubertragung"),
    ("Reset!", "reset"),
    ("Ёлка", "елка"),
    ("VPN", "vpn"),
    ("Printers", "printers"),
];
const CUSTOMERS: [&str; 3] = ["acme", "borealis", "x"];

fn plain(text: &str) -> BTreeSet<String> {
    let parts = text.split([' ', ',', '\n']).filter(|word| !word.is_empty());
    parts
        .map(|word| {
            PLAIN.iter().find(|(written, _)| *written == word).map_or(word, |(_, plain)| plain).to_owned()
        })
        .collect()
}

#[derive(Clone, Default)]
struct Model {
    requests: Vec<(Request, Vec<Event>)>,
    /// Question, answer, whether it is given.
    faq: BTreeMap<String, (String, String, bool)>,
}

impl Model {
    fn sorted(&self, slot: usize) -> Vec<&Event> {
        let mut events: Vec<&Event> = self.requests[slot].1.iter().collect();
        events.sort_by_key(|event| event.at);
        events
    }

    fn customer(&self, slot: usize) -> Option<String> {
        let mut customer = self.requests[slot].0.customer.clone();
        for event in self.sorted(slot) {
            if let EventKind::Changed { facts } = &event.kind
                && let Some(new) = facts.get("customer")
            {
                customer = Some(new.clone());
            }
        }
        customer
    }

    fn is_answered(&self, slot: usize) -> bool {
        let told = |event: &Event| {
            matches!(event.kind, EventKind::Replied | EventKind::Resolved) && event.text.is_some()
        };
        self.requests[slot].1.iter().any(told)
    }

    /// Ids of all that has this word, or one that begins so.
    fn scan(&self, query: &SearchQuery) -> BTreeSet<String> {
        let wanted = query.text.to_lowercase();
        let has = |text: &str| {
            let matches =
                |word: &String| if query.prefix { word.starts_with(&wanted) } else { *word == wanted };
            plain(text).iter().any(matches)
        };
        let is_within =
            |at: Instant| query.from.is_none_or(|from| at >= from) && query.to.is_none_or(|to| at < to);
        let mut found = BTreeSet::new();
        for (slot, (request, events)) in self.requests.iter().enumerate() {
            let said = events.iter().filter_map(|event| event.text.as_deref());
            if query.kind != Some(HitKind::Faq)
                && said.chain(request.subject.as_deref()).any(has)
                && is_within(request.received_at)
                && (!query.answered || self.is_answered(slot))
                && (query.customer.is_none() || query.customer == self.customer(slot))
            {
                found.insert(request.id.clone());
            }
        }
        for (id, (question, answer, given)) in &self.faq {
            let wanted = *given && query.kind != Some(HitKind::Request) && query.customer.is_none();
            if wanted && is_within(at(0)) && (has(question) || has(answer)) {
                found.insert(id.clone());
            }
        }
        found
    }
}

fn ids(hits: &Hits) -> BTreeSet<String> {
    hits.hits.iter().map(|hit| hit.id.clone()).collect()
}

/// Something happens, in the database and in the model.
fn live(dice: &mut Dice, db: &Db, model: &mut Model) {
    let mut operations = Vec::new();
    for _ in 0..1 + dice.roll(8) {
        let text = (dice.roll(4) > 0).then(|| words(dice, 5));
        if model.requests.is_empty() || dice.roll(3) == 0 {
            let mut request =
                Request::new(format!("R-{}", model.requests.len()), at(dice.roll(50) as i64 * 60));
            request.customer = Some(dice.of(&CUSTOMERS).to_owned());
            request.subject = text;
            operations.push(Operation::Submit(request.clone()));
            model.requests.push((request, Vec::new()));
            continue;
        }
        let slot = dice.roll(model.requests.len());
        let (request, events) = &mut model.requests[slot];
        let kind = match dice.roll(6) {
            0 | 1 => EventKind::Note,
            2 => EventKind::Replied,
            3 => EventKind::Resolved,
            4 => EventKind::CustomerReplied,
            _ => {
                let customer = dice.of(&CUSTOMERS).to_owned();
                EventKind::Changed { facts: BTreeMap::from([("customer".to_owned(), customer)]) }
            }
        };
        let when = Instant::from_secs(request.received_at.as_secs() + dice.roll(3_000) as i64).unwrap();
        let mut event = Event::new(kind, when).by("ann");
        event.text = text;
        operations.push(Operation::Record { id: request.id.clone(), event: event.clone() });
        events.push(event);
    }
    if dice.roll(4) == 0 {
        operations.iter().for_each(|one| drop(db.apply(std::slice::from_ref(one), OnError::Abort).unwrap()));
    } else {
        db.apply(&operations, OnError::Abort).unwrap();
    }
    let id = format!("F-{}", dice.roll(6));
    let (question, answer) = (words(dice, 3), words(dice, 6));
    match (dice.roll(4), model.faq.get(&id).cloned()) {
        (0, None) => {
            let draft = FaqDraft {
                id: id.clone(),
                question: Some(question.clone()),
                answer: Some(answer.clone()),
                request: None,
            };
            assert_eq!(db.publish(&draft, at(0), "ann").unwrap(), Outcome::Recorded);
            model.faq.insert(id, (question, answer, true));
        }
        (1, Some((question, _, true))) => {
            db.amend_faq(&id, None, Some(&answer), at(9), "bob").unwrap();
            model.faq.insert(id, (question, answer, true));
        }
        (2, Some((question, answer, true))) if dice.roll(3) == 0 => {
            db.withdraw_faq(&id, at(9), "bob").unwrap();
            model.faq.insert(id, (question, answer, false));
        }
        _ => {}
    }
    if dice.roll(8) == 0 {
        db.compact().unwrap();
    }
}

fn same(dice: &mut Dice, db: &Db, model: &Model, what: &str) {
    for word in [
        "vpn",
        "print",
        "printer",
        "printers",
        "cafe",
        "ubertragung",
        "reset",
        "42",
        "елка",
        "outage",
        "none",
        "r",
    ] {
        let mut query = SearchQuery::new(word).limit(1_000);
        // One letter is no beginning.
        query.prefix = word.chars().count() > 1 && dice.roll(2) == 0;
        if dice.roll(3) == 0 {
            query.customer = Some(dice.of(&CUSTOMERS).to_owned());
        }
        if dice.roll(3) == 0 {
            query.kind = Some(if dice.roll(2) == 0 { HitKind::Request } else { HitKind::Faq });
        }
        if dice.roll(3) == 0 {
            query.from = Some(at(dice.roll(50) as i64 * 60));
        }
        if dice.roll(3) == 0 {
            query.to = Some(at(dice.roll(50) as i64 * 60));
        }
        query.answered = dice.roll(3) == 0;
        let hits = db.search(&query).unwrap_or_else(|error| panic!("{what}: {error}"));
        let expected = model.scan(&query);
        assert_eq!(ids(&hits), expected, "{what}, {query:?}");
        assert_eq!(hits.hits.len(), expected.len(), "{what}: each once");
        assert_eq!(hits.matches, expected.len() as u64, "{what}");
        assert!(hits.complete, "{what}");
        assert!(hits.hits.is_sorted_by(|one, other| one.score >= other.score));
        for hit in &hits.hits {
            assert!(hit.snippet.iter().any(|piece| piece.hit), "{hit:?}");
        }
    }
}

fn index_of(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(".search");
    path.into()
}

fn copy_folder(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// What may happen to files that nobody guards.
fn sabotage(dice: &mut Dice, index: &Path) -> String {
    let mut files: Vec<PathBuf> = fs::read_dir(index).map_or(vec![], |entries| {
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.metadata().unwrap().len() > 0).collect()
    });
    files.sort();
    if files.is_empty() {
        return "nothing".to_owned();
    }
    let file = files[dice.roll(files.len())].clone();
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let mut bytes = fs::read(&file).unwrap();
    match dice.roll(5) {
        0 => {
            fs::remove_dir_all(index).unwrap();
            "the folder is gone".to_owned()
        }
        1 => {
            fs::remove_file(&file).unwrap();
            format!("{name} is gone")
        }
        2 => {
            bytes.truncate(dice.roll(bytes.len()));
            fs::write(&file, bytes).unwrap();
            format!("{name} is cut")
        }
        3 => {
            let bit = dice.roll(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, bytes).unwrap();
            format!("bit {bit} of {name} is flipped")
        }
        _ => {
            fs::write(&file, b"").unwrap();
            format!("{name} is empty")
        }
    }
}

#[test]
fn whatever_happens_to_the_index_the_hits_are_those_of_a_scan() {
    for seed in 0..6 {
        let mut dice = Dice(seed);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("care.slaclock");
        let options = || sim::fold_after(Options::default(), [6, 30, 1_000][seed as usize % 3]);
        Db::create(&path, &policy(), options()).unwrap().close().unwrap();
        let mut db = Db::open(&path, options()).unwrap();
        let mut model = Model::default();
        let (backup, mut kept) = (folder.path().join("backup"), None);
        for round in 0..40 {
            for _ in 0..dice.roll(4) {
                live(&mut dice, &db, &mut model);
            }
            let mut what = format!("seed {seed}, round {round}");
            match dice.roll(8) {
                0..3 => what = format!("{what}, {}", sabotage(&mut dice, &index_of(&path))),
                3 => {
                    // Another handle may have searched before, and goes on with what it knows.
                    let other = Db::open(&path, options()).unwrap();
                    same(&mut dice, &other, &model, "another handle");
                    live(&mut dice, &other, &mut model);
                }
                4 => {
                    db.close().unwrap();
                    fs::copy(&path, &backup).unwrap();
                    kept = Some(model.clone());
                    db = Db::open(&path, options()).unwrap();
                }
                5 => {
                    if let Some(before) = kept.clone() {
                        what = format!("{what}, a backup is restored");
                        db.close().unwrap();
                        fs::copy(&backup, &path).unwrap();
                        model = before;
                        db = Db::open(&path, options()).unwrap();
                        // Others things happen now, perhaps as many as the index knows of.
                        for _ in 0..dice.roll(6) {
                            live(&mut dice, &db, &mut model);
                        }
                    }
                }
                6 => {
                    db.close().unwrap();
                    db = Db::open(&path, options()).unwrap();
                }
                _ => {}
            }
            same(&mut dice, &db, &model, &what);
        }
        assert_eq!(db.verify().unwrap().differing, 0);
    }
}

/// The index of one database under the name of another.
#[test]
fn an_index_of_another_file_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut dice, mut made) = (Dice(3), Vec::new());
    for name in ["one", "two"] {
        let path = folder.path().join(name);
        let db = Db::create(&path, &policy(), Options::default()).unwrap();
        let mut model = Model::default();
        // Two files with the same numbers of everything.
        for number in 0..30 {
            let request =
                Request::new(format!("R-{number}"), at(number)).customer("acme").subject(words(&mut dice, 4));
            db.submit(&request).unwrap();
            model.requests.push((request, vec![]));
        }
        same(&mut dice, &db, &model, name);
        made.push((path, db, model));
    }
    let (one, two) = (&made[0], &made[1]);
    copy_folder(&index_of(&one.0), &index_of(&two.0));
    same(&mut dice, &two.1, &two.2, "with the index of the other");
    let fresh = Db::open(&two.0, Options::default()).unwrap();
    same(&mut dice, &fresh, &two.2, "opened anew");
    // Also where both are asked to use one folder by turns.
    let shared = folder.path().join("shared");
    for (_, db, model) in [one, two, one] {
        let query = SearchQuery::new("vpn").limit(1_000).index(&shared).whole_words();
        let hits = db.search(&query).unwrap();
        assert_eq!((ids(&hits), hits.complete), (model.scan(&query), true));
    }
    // A folder that holds other things loses nothing but an index.
    fs::write(shared.join("letter.txt"), "mine").unwrap();
    fs::write(shared.join("meta.json"), "{}").unwrap();
    assert!(one.1.search(&SearchQuery::new("vpn").index(&shared)).unwrap().complete);
    assert_eq!(fs::read_to_string(shared.join("letter.txt")).unwrap(), "mine");
}

/// While another process builds, others search what is there, or say that there is nothing yet.
#[test]
fn nobody_waits_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    let options = || Options::default().busy_timeout(std::time::Duration::from_millis(50));
    Db::create(&path, &policy(), options()).unwrap().close().unwrap();
    let db = Db::open(&path, options()).unwrap();
    db.submit(&Request::new("R-1", at(0)).subject("VPN drops")).unwrap();
    let index = index_of(&path);
    fs::create_dir_all(&index).unwrap();
    let lock = fs::File::create(index.join(".slaclock.lock")).unwrap();
    lock.lock().unwrap();
    let query = SearchQuery::new("vpn");
    assert_eq!(db.search(&query).unwrap_err().kind(), ErrorKind::Busy);
    lock.unlock().unwrap();
    assert!(db.search(&query).unwrap().complete);
    lock.lock().unwrap();
    db.submit(&Request::new("R-2", at(0)).subject("VPN drops again")).unwrap();
    let hits = db.search(&query).unwrap();
    assert_eq!((ids(&hits).len(), hits.complete), (1, false), "what is there");
    lock.unlock().unwrap();
    let hits = db.search(&query).unwrap();
    assert_eq!((ids(&hits).len(), hits.complete), (2, true));
}

/// Writers and searchers at once, each with a handle of its own.
#[test]
fn many_search_while_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    Db::create(&path, &policy(), Options::default()).unwrap().close().unwrap();
    std::thread::scope(|scope| {
        let path = &path;
        for writer in 0..2 {
            scope.spawn(move || {
                let db = Db::open(path, Options::default()).unwrap();
                for number in 0..40 {
                    db.submit(&Request::new(format!("R-{writer}-{number}"), at(0)).subject("needle"))
                        .unwrap();
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(move || {
                let db = Db::open(path, Options::default()).unwrap();
                let mut last = 0;
                for _ in 0..25 {
                    let hits = db.search(&SearchQuery::new("needle").limit(1_000)).unwrap();
                    assert!(hits.hits.len() >= last, "{} after {last}", hits.hits.len());
                    last = hits.hits.len();
                }
            });
        }
    });
    let db = Db::open(&path, Options::default().read_only()).unwrap();
    let hits = db.search(&SearchQuery::new("needle").limit(1_000)).unwrap();
    assert_eq!((hits.hits.len(), hits.complete), (80, true), "a handle for reading searches, too");
}

#[test]
fn what_helped_comes_with_the_hit() {
    let db = Db::in_memory(&policy()).unwrap();
    let submit = |id: &str, subject: &str| {
        db.submit(&Request::new(id, at(0)).customer("acme").subject(subject)).unwrap();
    };
    let say = |id: &str, kind: EventKind, text: &str| {
        db.record(id, Event::new(kind, at(60)).by("ann").text(text)).unwrap();
    };
    submit("R-1", "VPN drops after the update");
    say("R-1", EventKind::Replied, "Please reinstall the client.");
    say("R-1", EventKind::Note, "third time this week: the update breaks the VPN profile");
    submit("R-2", "Printer jams");
    say("R-2", EventKind::Note, "he mentions the vpn in passing");
    submit("R-3", "Holiday request");
    let text = |text: &str| Some(text.to_owned());
    let draft = FaqDraft {
        id: "vpn".into(),
        question: text("Why does the VPN drop?"),
        answer: text("Reinstall it."),
        request: None,
    };
    db.publish(&draft, at(70), "ann").unwrap();
    db.link_faq("R-1", "vpn", at(80), "ann").unwrap();

    let found = |query: SearchQuery| -> Vec<String> {
        db.search(&query).unwrap().hits.into_iter().map(|hit| hit.id).collect()
    };
    let hits = db.search(&SearchQuery::new("vpn update drop")).unwrap();
    assert_eq!((hits.matches, hits.complete), (3, true));
    assert_eq!(hits.hits[0].id, "R-1", "has most of the words, and in the subject");
    assert_eq!(hits.hits[2].id, "R-2", "a note in passing comes last");
    let best = &hits.hits[0];
    assert_eq!((best.kind, best.customer.as_deref()), (HitKind::Request, Some("acme")));
    assert_eq!(best.answer.as_deref(), Some("Please reinstall the client."));
    assert_eq!((best.found_in, best.faq.as_slice()), (FoundIn::Subject, &["vpn".to_owned()][..]));
    let words: Vec<&str> = best.snippet.iter().filter(|it| it.hit).map(|it| it.text.as_str()).collect();
    assert_eq!(words, ["VPN", "drops", "update"]);

    assert_eq!(found(SearchQuery::new("vpn update").every_word()), ["R-1"]);
    assert_eq!(found(SearchQuery::new("vpn").kind(HitKind::Faq)), ["vpn"]);
    assert_eq!(found(SearchQuery::new("vpn").answered().kind(HitKind::Request)), ["R-1"]);
    assert_eq!(found(SearchQuery::new("vpn").limit(1).skip(2)), ["R-2"]);
    assert_eq!(found(SearchQuery::new("vpn").from(at(1))), ["vpn"], "published at 70");
    assert_eq!(found(SearchQuery::new("vpn").to(at(0))), [""; 0], "received before 0");
    assert_eq!(found(SearchQuery::new("holi")), ["R-3"]);
    assert_eq!(found(SearchQuery::new("holi").whole_words()), [""; 0]);
    for (query, kind) in [
        (SearchQuery::new(" ?"), ErrorKind::InvalidArgument),
        (SearchQuery::new("x".repeat(1_001)), ErrorKind::OutOfRange),
        (SearchQuery::new("vpn").limit(0), ErrorKind::OutOfRange),
    ] {
        assert_eq!(db.search(&query).unwrap_err().kind(), kind);
    }
}

/// A folder that nobody may write is said to be so.
#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::in_memory(&policy()).unwrap();
    db.submit(&Request::new("R-1", at(0)).subject("vpn")).unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "no folder").unwrap();
    let error = db.search(&SearchQuery::new("vpn").index(&file)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.message().contains("file"), "{error}");
}

/// `SLACLOCK_REQUESTS` sets how many (10,000 unless set): how long building, following and looking up take.
#[test]
fn the_cost_follows_what_is_new() {
    let requests: i64 = std::env::var("SLACLOCK_REQUESTS").map_or(10_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    let db = Db::create(&path, &policy(), Options::default()).unwrap();
    let mut dice = Dice(1);
    let mut text = |words: usize| {
        (0..words).map(|_| format!("w{}", dice.roll(200) * dice.roll(100))).collect::<Vec<_>>().join(" ")
    };
    for from in (0..requests).step_by(5_000) {
        let mut operations = Vec::new();
        for number in from..requests.min(from + 5_000) {
            let id = format!("R-{number}");
            operations.push(Operation::Submit(
                Request::new(&id, at(number)).customer(format!("c{}", number % 1_000)).subject(text(8)),
            ));
            for (step, kind) in [(1, EventKind::Note), (2, EventKind::Replied), (3, EventKind::Resolved)] {
                let event = Event::new(kind, at(number + step)).by("ann").text(text(25));
                operations.push(Operation::Record { id: id.clone(), event });
            }
        }
        db.apply(&operations, OnError::Abort).unwrap();
    }
    let timed = |what: &str, query: SearchQuery| {
        let since = Moment::now();
        let hits = db.search(&query).unwrap();
        let took = since.elapsed();
        eprintln!("{what}: {took:?}, {} matches", hits.matches);
        assert!(hits.complete);
        (hits, took)
    };
    let (_, build) = timed("build", SearchQuery::new("w9"));
    eprintln!("{:.0} requests a second", requests as f64 / build.as_secs_f64());
    let bytes: u64 =
        fs::read_dir(index_of(&path)).unwrap().map(|it| it.unwrap().metadata().unwrap().len()).sum();
    eprintln!("{bytes} bytes of index, {} of database", fs::metadata(&path).unwrap().len());
    timed("one word", SearchQuery::new("w9801").whole_words());
    timed("five words", SearchQuery::new("w12 w90 w100 w1001 w36").whole_words());
    timed("the beginning of a word", SearchQuery::new("w98"));
    timed("of one customer", SearchQuery::new("w9").customer("c7").whole_words());
    for round in 0..20 {
        let id = format!("R-{round}");
        db.record(&id, Event::new(EventKind::Note, at(requests * 2)).text("needle")).unwrap();
        let (hits, took) = timed("after one event", SearchQuery::new("needle").whole_words());
        assert_eq!(hits.matches, round + 1);
        assert!(took < build, "{took:?}, building took {build:?}");
    }
    db.close().unwrap();
    let db = Db::open(&path, Options::default()).unwrap();
    let since = Moment::now();
    assert_eq!(db.search(&SearchQuery::new("needle")).unwrap().matches, 20);
    eprintln!("in a new process, every file verified: {:?}", since.elapsed());
}
