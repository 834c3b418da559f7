//! Interruptions. What could go wrong: time that two of them (or a hold) cover counts twice, a cycle that was finished
//! before anybody declared anything changes its verdict, a notice stays that is no longer true, a scan of the past
//! knows what was declared later.
//!
//! Random journals and lives are held against a reference that lets time pass second by second and counts.
#![allow(clippy::print_stdout, reason = "how long a large move takes is worth reading")]

use slaclock::clock::{Act, Entry, Phase, Scope, Stage, Window, derive_interrupted};
use slaclock::db::Order;
use slaclock::{Db, ErrorKind, Event, EventKind, Instant, Page, Policy, Request};

const POLICY: &str = r#"
    [policy]
    name = "care"
    version = 1

    [calendar.office]
    zone = "Europe/Moscow"
    hours = { mon-sun = ["09:00-10:00", "10:20-11:00", "11:30-13:00"] }

    [calendar.always]
    zone = "Europe/Moscow"
    hours = "24x7"

    [interruptions]
    power = "stop"
    disaster = "stop"
    internet_telecom = "extend"
    personnel = "record"
    own = "stop"

    [[clock]]
    name = "working"
    calendar = "office"
    start = "received"
    stop = "resolved"
    pause = "waiting_customer"
    target = { working = "50m" }
    backstop = { working = "100m" }

    [[clock]]
    name = "elapsed"
    calendar = "always"
    start = "received"
    stop = "resolved"
    pause = "waiting_customer"
    target = { elapsed = "40m" }
"#;

/// Monday, 2 March 2026, 00:00 in Moscow.
const DAY: i64 = 1_772_398_800;

fn instant(secs: i64) -> Instant {
    Instant::from_secs(DAY + secs).unwrap()
}

fn at(text: &str) -> Instant {
    Instant::parse(&format!("2026-03-02T{text}:00+03:00")).unwrap()
}

fn window(category: &str, from: &str, to: Option<&str>) -> Window {
    Window { category: category.into(), scope: Scope::All, from: at(from), to: to.map(at) }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, below: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64) % below
    }
}

fn policy() -> Policy {
    Policy::from_toml(POLICY).unwrap()
}

/// What the reference says of one clock: due, or what is left while it stands still, and the verdict once finished.
#[derive(Debug, PartialEq)]
enum Told {
    Due(i64),
    Left(i64),
    Met,
    Missed,
}

struct Reference<'a> {
    journal: &'a [Entry],
    received: i64,
    /// (from, to) on hold.
    holds: Vec<(i64, Option<i64>)>,
    finished: Option<i64>,
}

impl Reference<'_> {
    fn tell(&self, clock: &str, target: i64, is_open: impl Fn(i64) -> bool) -> Told {
        let finished = self.finished.unwrap_or(i64::MAX);
        let mut known: Vec<Option<&Entry>> = vec![None; 100];
        for entry in self.journal.iter().filter(|entry| entry.at.as_secs() - DAY <= finished) {
            known[entry.number as usize] = Some(entry);
        }
        let mut stops = self.holds.clone();
        for entry in known.into_iter().flatten().filter(|entry| entry.act != Act::Withdrawn) {
            let Window { category, scope, from, to } = &entry.window;
            let in_scope = match scope {
                Scope::All => true,
                Scope::Calendar(name) => name == if clock == "working" { "office" } else { "always" },
                Scope::Customer(name) => name == "acme",
                Scope::Category(name) => name == "printer",
            };
            let counts = match category.as_str() {
                "personnel" => false,
                "internet_telecom" => to.is_some(),
                _ => true,
            };
            if in_scope && counts {
                stops.push((from.as_secs() - DAY, to.map(|to| to.as_secs() - DAY)));
            }
        }
        let stopped = |t: i64| stops.iter().any(|(from, to)| *from <= t && to.is_none_or(|to| t < to));
        let (mut t, mut left) = (self.received, target);
        loop {
            if t >= finished {
                return Told::Met;
            }
            if stopped(t) {
                if self.finished.is_none() && stops.iter().any(|(from, to)| *from <= t && to.is_none()) {
                    return Told::Left(left);
                }
            } else if left == 0 {
                return if self.finished.is_some() { Told::Missed } else { Told::Due(t) };
            } else if is_open(t) {
                left -= 1;
            }
            t += 1;
        }
    }
}

fn office(t: i64) -> bool {
    let of_day = t.rem_euclid(86_400);
    [(9 * 60, 10 * 60), (10 * 60 + 20, 11 * 60), (11 * 60 + 30, 13 * 60)]
        .iter()
        .any(|(from, to)| (from * 60..to * 60).contains(&of_day))
}

fn random_window(dice: &mut Dice, at: i64) -> Window {
    let categories = ["power", "internet_telecom", "personnel", "disaster", "own:courier_strike"];
    let from = 30_000 + dice.below(15_000);
    let to = (dice.below(4) > 0).then(|| from + 1 + dice.below(6_000));
    // One without an end must have begun.
    let from = if to.is_none() { from.min(at) } else { from };
    Window {
        category: categories[dice.below(5) as usize].into(),
        scope: match dice.below(7) {
            0 => Scope::Customer("other".into()),
            1 => Scope::Customer("acme".into()),
            2 => Scope::Calendar("office".into()),
            3 => Scope::Category("printer".into()),
            _ => Scope::All,
        },
        from: instant(from),
        to: to.map(instant),
    }
}

fn random_order(dice: &mut Dice, journal: &[Entry], at: i64) -> Order {
    let number = 1 + dice.below(journal.len().max(1) as i64) as u32;
    match dice.below(6) {
        0 => Order::Amend { number, window: random_window(dice, at) },
        1 => Order::End { number, to: instant(at - dice.below(3_000)) },
        2 => Order::Withdraw { number },
        _ => Order::Declare(random_window(dice, at)),
    }
}

#[test]
fn random_journals_are_as_counted_second_by_second() {
    let (mut moved, mut met, mut missed, mut left, mut due, mut retracted) = (0, 0, 0, 0, 0, 0);
    for seed in 0..150 {
        let mut dice = Dice(seed);
        let db = Db::in_memory(&policy()).unwrap();
        let mut lives = Vec::new();
        for number in 0..4 {
            let received = 30_600 + dice.below(9_000);
            let id = format!("CASE-{number}");
            let request = Request::new(&id, instant(received)).customer("acme").category("printer");
            let mut holds = Vec::new();
            if dice.below(2) == 0 {
                let from = received + dice.below(3_000);
                holds.push((from, Some(from + dice.below(4_000))));
            }
            let resolved = (dice.below(3) > 0).then(|| received + 4_000 + dice.below(12_000));
            // A hold that lies beyond the end is none.
            holds.retain(|(_, to)| resolved.is_none_or(|at| to.unwrap() <= at));
            lives.push((request, holds, resolved));
        }
        let mut steps: Vec<(i64, u8, usize)> = Vec::new();
        for (index, _) in lives.iter().enumerate() {
            steps.push((dice.below(100), 0, index));
        }
        for _ in 0..1 + dice.below(6) {
            steps.push((dice.below(100), 1, 0));
        }
        for _ in 0..3 {
            steps.push((dice.below(100), 2, 0));
        }
        steps.sort();
        for (_, step, index) in steps {
            match step {
                0 => {
                    let (request, holds, resolved) = &lives[index];
                    db.submit(request).unwrap();
                    for (from, to) in holds {
                        let pause = EventKind::Paused { reason: "waiting_customer".into() };
                        db.record(&request.id, Event::new(pause, instant(*from))).unwrap();
                        db.record(&request.id, Event::new(EventKind::Resumed, instant(to.unwrap()))).unwrap();
                    }
                    if let Some(resolved) = resolved {
                        db.record(&request.id, Event::new(EventKind::Resolved, instant(*resolved))).unwrap();
                    }
                }
                1 => {
                    let journal = db.interruptions().unwrap();
                    let at = 36_000 + dice.below(12_000);
                    let order = random_order(&mut dice, journal.entries(), at);
                    let tried = db.interrupt(&order, instant(at), "ann", None, true);
                    assert_eq!(db.interruptions().unwrap(), journal, "a dry run writes nothing");
                    match (tried, db.interrupt(&order, instant(at), "ann", None, false)) {
                        (Ok(tried), Ok(done)) => {
                            assert_eq!((&tried.moved, tried.requests), (&done.moved, done.requests));
                            moved += done.moved.len();
                        }
                        (Err(tried), Err(done)) => assert_eq!(tried.message(), done.message()),
                        (tried, done) => panic!("seed {seed}: {tried:?}, then {done:?}"),
                    }
                }
                _ => drop(db.advance(instant(36_000 + dice.below(20_000))).unwrap()),
            }
        }
        let found = db.verify().unwrap();
        assert_eq!(found.differing, 0, "seed {seed}: {:#?}", found.differences);
        let journal = db.interruptions().unwrap();
        for (request, holds, resolved) in &lives {
            let reference = Reference {
                journal: journal.entries(),
                received: request.received_at.as_secs() - DAY,
                holds: holds.clone(),
                finished: *resolved,
            };
            let events = db.get(&request.id).unwrap().events;
            let timeline = derive_interrupted(&policy(), request, &events, &journal, None);
            for (index, clock, told) in [
                (0, "working", reference.tell("working", 3_000, office)),
                (1, "elapsed", reference.tell("elapsed", 2_400, |_| true)),
            ] {
                let cycle = timeline.current(index).unwrap();
                let ours = match cycle.phase {
                    Phase::Met { .. } => Told::Met,
                    Phase::Missed { .. } => Told::Missed,
                    Phase::Paused { remaining, .. } => Told::Left(remaining.as_secs()),
                    Phase::Running => Told::Due(cycle.due_at.unwrap().as_secs() - DAY),
                    phase => panic!("{phase:?}"),
                };
                assert_eq!(ours, told, "seed {seed}, {clock} of {}: {journal:#?} {holds:?}", request.id);
                match told {
                    Told::Due(_) => due += 1,
                    Told::Left(_) => left += 1,
                    Told::Met => met += 1,
                    Told::Missed => missed += 1,
                }
                // The proof names every stop, and ends where the clock does.
                let said = db.explain(&request.id, clock, Instant::MAX).unwrap();
                let story = said.cycles.last().unwrap();
                assert!(story.departs.is_none() || !cycle.interruptions.is_empty() || !holds.is_empty());
                if cycle.is_open() && cycle.due_at.is_some() && story.departs.is_none() {
                    assert_eq!(story.trace.as_ref().unwrap().due().ok(), cycle.due_at, "seed {seed}");
                }
            }
        }
        retracted +=
            db.feed("all").unwrap().pending(10_000).unwrap().iter().filter(|it| it.retracted).count();
    }
    // The dice must reach every end, often.
    let reached = [moved, met, missed, left, due, retracted];
    assert!(reached.iter().all(|count| *count >= 20), "{reached:?}");
}

#[test]
fn a_power_cut_stops_the_clocks_until_it_is_over() {
    let db = Db::in_memory(&policy()).unwrap();
    db.submit(&Request::new("A", at("09:00"))).unwrap();
    db.submit(&Request::new("DONE", at("09:00"))).unwrap();
    db.record("DONE", Event::new(EventKind::Resolved, at("09:55"))).unwrap();
    assert_eq!(db.advance(at("10:00")).unwrap(), 4, "both clocks of both were late at 09:40 and 09:50");

    // Declared at 10:00: since 09:30 there is no power. What was finished before keeps its verdict.
    let done = db.declare(window("power", "09:30", None), at("10:00"), "ann").unwrap();
    assert_eq!((done.entry.number, done.entry.act, done.requests), (1, Act::Declared, 1));
    let names: Vec<_> = done.moved.iter().map(|it| (it.request.as_str(), it.clock.as_str())).collect();
    assert_eq!(names, [("A", "working"), ("A", "elapsed")]);
    let (before, after) = (done.moved[1].before.unwrap(), done.moved[1].after.unwrap());
    assert_eq!((before.due_at, before.stage), (Some(at("09:40")), Stage::Breached));
    assert_eq!((after.due_at, after.stage), (None, Stage::Paused));
    assert_eq!(after.remaining.unwrap().as_secs(), 600);
    let notices = db.feed("all").unwrap().pending(100).unwrap();
    let retracted: Vec<_> = notices.iter().filter(|it| it.retracted).map(|it| it.clock.as_str()).collect();
    assert_eq!(retracted, ["elapsed", "working"]);
    assert!(notices.iter().map(|it| it.number).eq(1..=6));
    assert_eq!(db.counts(at("10:00")).unwrap().paused, 2);
    // At 09:59 nobody knew.
    assert_eq!(db.counts(at("09:59")).unwrap().paused, 0);
    assert_eq!(db.breached(at("09:59"), Page::first(9)).unwrap().rows.len(), 1);

    // A request that comes meanwhile stands still at once.
    db.submit(&Request::new("B", at("10:05"))).unwrap();
    assert_eq!(db.counts(at("10:06")).unwrap().paused, 4);

    let done = db.end(1, at("10:10"), at("10:15"), "bob").unwrap();
    assert_eq!(done.moved.len(), 4);
    let due = |id: &str, clock: usize| db.get(id).unwrap().clocks[clock].due_at.unwrap();
    assert_eq!(due("A", 1), at("10:20"), "ten minutes were left");
    assert_eq!(due("A", 0), at("10:40"), "twenty working minutes from 10:20 on");
    assert_eq!(due("B", 1), at("10:50"));
    let proof = db.explain("A", "elapsed", at("10:16")).unwrap().to_string();
    assert!(proof.contains("interruption 1 (power)"), "{proof}");

    db.amend(1, window("personnel", "09:30", Some("10:10")), at("10:30"), "ann").unwrap();
    assert_eq!(due("A", 1), at("09:40"), "the policy only records personnel");
    db.amend(1, window("power", "09:30", Some("10:00")), at("10:31"), "ann").unwrap();
    assert_eq!(due("A", 1), at("10:10"));
    db.withdraw(1, at("10:32"), "ann").unwrap();
    assert_eq!(due("A", 1), at("09:40"));
    assert_eq!(db.verify().unwrap().differing, 0);
    let acts: Vec<_> = db.interruptions().unwrap().entries().iter().map(|entry| entry.act).collect();
    assert_eq!(acts, [Act::Declared, Act::Ended, Act::Amended, Act::Amended, Act::Withdrawn]);
}

/// A refusal that two people made ends every cycle, as a cancellation does: what is declared later, it does not know. One
/// that only its proposer approved ends none, nor does the answer of a vendor that a clock is not about.
#[test]
fn what_ends_a_cycle_is_what_ends_it_when_it_comes() {
    let policy = Policy::from_toml(
        r#"
        [policy]
        name = "care"
        version = 1

        [calendar.office]
        zone = "Europe/Moscow"
        hours = "24x7"

        [interruptions]
        power = "stop"

        [refusals]
        approvers = ["ann", "bob"]

        [[clock]]
        name = "resolution"
        start = "received"
        stop = ["resolved", "refusal_approved"]
        target = { elapsed = "4h" }

        [[clock]]
        name = "pumps"
        start = "vendor_contacted"
        stop = "vendor_replied"
        vendor = "acme pumps"
        target = { elapsed = "4h" }
        "#,
    )
    .unwrap();
    let db = Db::in_memory(&policy).unwrap();
    let record = |id: &str, kind: EventKind, time: &str, by: &str| {
        db.record(id, Event::new(kind, at(time)).by(by).text("why")).map(drop)
    };
    for id in ["REFUSED", "PROPOSED"] {
        db.submit(&Request::new(id, at("09:00"))).unwrap();
        let vendor = || "acme pumps".to_owned();
        record(id, EventKind::VendorContacted { vendor: vendor() }, "09:00", "ann").unwrap();
        record(id, EventKind::VendorReplied { vendor: "another".into() }, "09:30", "ann").unwrap();
        record(id, EventKind::RefusalProposed, "09:20", "ann").unwrap();
    }
    record("REFUSED", EventKind::RefusalApproved, "09:40", "bob").unwrap();
    assert!(record("PROPOSED", EventKind::RefusalApproved, "09:40", "ann").is_err());
    db.declare(window("power", "09:10", Some("09:15")), at("10:00"), "ann").unwrap();
    db.declare(window("power", "09:35", Some("09:50")), at("10:00"), "ann").unwrap();
    assert_eq!(db.verify().unwrap().differences, []);
    // By what was known at 09:40, nothing stood still. What is open yet, or ended by nobody, stood still for twenty minutes.
    for (id, due) in [("REFUSED", "13:00"), ("PROPOSED", "13:20")] {
        for clock in db.get(id).unwrap().clocks {
            assert_eq!(clock.due_at, Some(at(due)), "{id}, {}", clock.clock);
        }
    }
}

/// A cycle that another clock's lateness began may be finished by the very next event.
#[test]
fn what_ends_a_cycle_that_lateness_began_is_foreseen() {
    let policy = Policy::from_toml(
        r#"
        [policy]
        name = "care"
        version = 1

        [calendar.always]
        zone = "Europe/Moscow"
        hours = "24x7"

        [interruptions]
        power = "stop"

        [[clock]]
        name = "resolution"
        start = "received"
        stop = "resolved"
        target = { elapsed = "60m" }

        [[clock]]
        name = "update"
        start = "resolution.late"
        restart = "updated"
        stop = "resolved"
        target = { elapsed = "60m" }
        "#,
    )
    .unwrap();
    for (kind, stage) in [(EventKind::Resolved, Stage::Met), (EventKind::Cancelled, Stage::Cancelled)] {
        let db = Db::in_memory(&policy).unwrap();
        db.submit(&Request::new("A", at("09:00"))).unwrap();
        db.record("A", Event::new(kind, at("10:30"))).unwrap();
        db.declare(window("power", "10:10", Some("10:20")), at("12:00"), "ann").unwrap();
        assert_eq!(db.verify().unwrap().differences, []);
        let update = db.get("A").unwrap().clocks.remove(1);
        assert_eq!((update.due_at, update.stage), (Some(at("11:00")), stage));
    }
}

/// Versions of one agreement: the second has no updates where nobody asked, the third ends them with an answer, the fourth
/// stops no clock.
fn versions() -> [Policy; 4] {
    let of = |version: u32, clock: &str| {
        let power = if version == 4 { "record" } else { "stop" };
        let text = format!(
            r#"
            [policy]
            name = "care"
            version = {version}

            [calendar.always]
            zone = "Europe/Moscow"
            hours = "24x7"

            [interruptions]
            power = "{power}"

            [[clock]]
            name = "update"
            {clock}
            target = {{ elapsed = "60m" }}
            "#
        );
        Policy::from_toml(&text).unwrap()
    };
    [
        of(1, "start = \"received\"\nstop = \"resolved\""),
        of(2, "start = \"customer_replied\"\nstop = \"resolved\""),
        of(3, "start = \"received\"\nstop = [\"resolved\", \"replied\"]"),
        of(4, "start = \"received\"\nstop = \"resolved\""),
    ]
}

/// A request of 09:00 in a database of the first version, which has another from noon on, moved to that one.
fn migrated(version: usize, migrated_at: &str) -> Db {
    let policies = versions();
    let db = Db::in_memory(&policies[0]).unwrap();
    db.submit(&Request::new("A", at("09:00"))).unwrap();
    db.install(&policies[version - 1], at("12:00")).unwrap();
    assert_eq!(db.migrate(None, &Scope::All, at(migrated_at), "ann", false).unwrap().requests, 1);
    db
}

fn update(db: &Db) -> (Option<Instant>, Stage) {
    assert_eq!(db.verify().unwrap().differences, []);
    let status = db.get("A").unwrap().clocks.remove(0);
    (status.due_at, status.stage)
}

/// What a migration takes away is finished: what is declared later, it does not know.
#[test]
fn what_a_migration_takes_away_goes_by_what_was_known_then() {
    let db = migrated(2, "09:50");
    assert_eq!(update(&db), (Some(at("10:00")), Stage::Cancelled));
    db.declare(window("power", "09:10", Some("09:30")), at("11:00"), "ann").unwrap();
    assert_eq!(update(&db), (Some(at("10:00")), Stage::Cancelled));
    // Known by then, to the second.
    let db = migrated(2, "09:50");
    db.declare(window("power", "09:10", Some("09:30")), at("09:50"), "ann").unwrap();
    assert_eq!(update(&db), (Some(at("10:20")), Stage::Cancelled));
    // A cycle that begins later is finished by an event of its own.
    db.record("A", Event::new(EventKind::CustomerReplied, at("11:00"))).unwrap();
    db.record("A", Event::new(EventKind::Resolved, at("11:30"))).unwrap();
    db.declare(window("power", "09:05", Some("11:20")), at("12:00"), "ann").unwrap();
    assert_eq!(update(&db), (Some(at("12:00")), Stage::Met));
    db.interrupt(&Order::Withdraw { number: 1 }, at("12:30"), "ann", None, false).unwrap();
    assert_eq!(update(&db), (Some(at("12:00")), Stage::Met));
}

/// A miss outlives the migration. If an interruption shows later that it was none, the cycle is taken away as of the
/// migration, by what was known when that was declared; from then on it is finished.
#[test]
fn what_turns_out_to_be_taken_away_is_finished_from_then_on() {
    let db = migrated(2, "10:30");
    assert_eq!(update(&db), (Some(at("10:00")), Stage::Breached));
    db.declare(window("power", "09:10", Some("09:50")), at("12:00"), "ann").unwrap();
    assert_eq!(update(&db), (Some(at("10:40")), Stage::Cancelled));
    db.interrupt(&Order::Withdraw { number: 1 }, at("13:00"), "ann", None, false).unwrap();
    assert_eq!(update(&db), (Some(at("10:40")), Stage::Cancelled));
    // Recorded now, but for an hour at which the miss was still one: so it was taken away by what was known then.
    db.declare(window("power", "09:20", Some("10:10")), at("11:00"), "ann").unwrap();
    assert_eq!(update(&db), (Some(at("10:50")), Stage::Cancelled));
}

/// The version that a request is under does nothing about an interruption; the one that it was under did.
#[test]
fn what_an_earlier_version_stops_stands_still_while_it_was_in_force() {
    let db = migrated(4, "10:30");
    assert_eq!(update(&db), (Some(at("10:00")), Stage::Breached));
    let moved = db.declare(window("power", "09:10", Some("09:50")), at("12:00"), "ann").unwrap();
    assert_eq!(moved.requests, 1);
    assert_eq!(
        update(&db),
        (Some(at("10:00")), Stage::Breached),
        "as if the fourth always had been in force"
    );
}

/// What goes on under another version ends as that one says.
#[test]
fn what_goes_on_after_a_migration_ends_as_the_new_version_says() {
    for migrated_at in ["09:30", "10:30"] {
        let db = migrated(3, migrated_at);
        db.record("A", Event::new(EventKind::Replied, at("11:00"))).unwrap();
        assert_eq!(update(&db), (Some(at("10:00")), Stage::Missed));
        db.declare(window("power", "09:05", Some("10:55")), at("12:00"), "ann").unwrap();
        assert_eq!(update(&db), (Some(at("10:00")), Stage::Missed), "migrated at {migrated_at}");
    }
}

#[test]
fn an_extension_moves_deadlines_once_its_end_is_known() {
    let db = Db::in_memory(&policy()).unwrap();
    db.submit(&Request::new("A", at("09:00"))).unwrap();
    let due = || db.get("A").unwrap().clocks[1].due_at;
    assert!(
        db.declare(window("internet_telecom", "09:10", None), at("09:10"), "ann").unwrap().moved.is_empty()
    );
    db.advance(at("09:41")).unwrap();
    assert_eq!(db.breached(at("09:41"), Page::first(9)).unwrap().rows.len(), 1, "it runs on");
    db.end(1, at("09:25"), at("09:45"), "ann").unwrap();
    assert_eq!(due(), Some(at("09:55")));
    let notices = db.feed("all").unwrap().pending(100).unwrap();
    assert_eq!(notices.iter().map(|it| it.retracted).collect::<Vec<_>>(), [false, true]);
    // A planned one moves what lies behind its start, as soon as it is declared; time on hold counts once.
    db.declare(window("power", "09:50", Some("10:20")), at("09:46"), "ann").unwrap();
    assert_eq!(due(), Some(at("10:25")));
    db.declare(window("own:fire_drill", "10:00", Some("10:30")), at("09:46"), "ann").unwrap();
    assert_eq!(due(), Some(at("10:35")));
    assert_eq!(db.verify().unwrap().differing, 0);
}

#[test]
fn wrong_orders_are_refused_by_name_and_write_nothing() {
    let db = Db::in_memory(&policy()).unwrap();
    db.declare(window("power", "09:00", None), at("10:00"), "ann").unwrap();
    db.declare(window("disaster", "09:00", Some("09:30")), at("10:00"), "ann").unwrap();
    db.withdraw(2, at("11:00"), "ann").unwrap();
    let scoped = |scope: Scope| Window { scope, ..window("power", "09:00", Some("09:30")) };
    let number = 1;
    use ErrorKind::{Conflict, InvalidArgument, NotFound};
    let cases = [
        (
            Order::Declare(window("pwoer", "09:00", None)),
            "12:00",
            InvalidArgument,
            "must be one of personnel",
        ),
        (Order::Declare(window("own:", "09:00", None)), "12:00", InvalidArgument, "own:NAME"),
        (Order::Declare(window("power", "09:00", Some("09:00"))), "12:00", InvalidArgument, "must end after"),
        (Order::Declare(window("power", "12:01", None)), "12:00", InvalidArgument, "must have begun"),
        (Order::Declare(scoped(Scope::Calendar("offcie".into()))), "12:00", NotFound, "office, always"),
        (Order::Declare(scoped(Scope::Customer(String::new()))), "12:00", InvalidArgument, "is empty"),
        (Order::End { number, to: at("09:00") }, "12:00", InvalidArgument, "must end after"),
        (Order::End { number: 3, to: at("09:00") }, "12:00", NotFound, "2 were declared"),
        (Order::End { number: 2, to: at("09:40") }, "12:00", Conflict, "was withdrawn"),
        (
            Order::Amend { number: 2, window: window("power", "09:00", None) },
            "12:00",
            Conflict,
            "was withdrawn",
        ),
        (
            Order::Amend { number, window: window("power", "09:00", None) },
            "09:59",
            Conflict,
            "which is later",
        ),
        (Order::Withdraw { number: 9 }, "12:00", NotFound, "no such interruption"),
    ];
    let before = db.info().unwrap();
    for (order, now, kind, said) in cases {
        let error = db.interrupt(&order, at(now), "ann", None, false).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(said), "{error}");
    }
    let nobody = db.interrupt(&Order::Withdraw { number: 1 }, at("12:00"), " ", None, false).unwrap_err();
    assert_eq!(nobody.kind(), InvalidArgument);
    assert_eq!(db.interruptions().unwrap().entries().len(), 3);
    assert_eq!(db.info().unwrap().latest_event_at, before.latest_event_at);
    db.end(1, at("09:20"), at("12:00"), "ann").unwrap();
    let again = db.end(1, at("09:25"), at("12:00"), "ann").unwrap_err();
    assert_eq!(again.kind(), Conflict);
    assert!(again.message().contains("has an end already"), "{again}");
}

#[test]
fn a_journal_outlives_folds_closing_and_other_handles() {
    use slaclock::Options;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("care.slaclock");
    let db = Db::create(&path, &policy(), Options::default()).unwrap();
    db.submit(&Request::new("A", at("09:00"))).unwrap();
    let other = Db::open(&path, Options::default()).unwrap();
    assert!(other.interruptions().unwrap().is_empty());
    db.declare(window("power", "09:10", None), at("09:15"), "ann").unwrap();
    assert_eq!(other.interruptions().unwrap().entries().len(), 1);
    assert_eq!(other.counts(at("09:20")).unwrap().paused, 2);
    other.submit(&Request::new("B", at("09:12"))).unwrap();
    other.close().unwrap();
    db.compact().unwrap();
    db.close().unwrap();
    let db = Db::open(&path, Options::default()).unwrap();
    assert_eq!(db.counts(at("09:20")).unwrap().paused, 4);
    assert_eq!(db.check().unwrap().differing, 0);
    let document = serde_json::to_string(&Order::Declare(window("power", "09:10", None))).unwrap();
    let order: Order = serde_json::from_str(&document).unwrap();
    assert_eq!(order, Order::Declare(window("power", "09:10", None)));
    assert!(db.interrupt(&order, at("09:16"), "ann", Some("the substation"), true).unwrap().dry_run);
}

/// `cargo test --release --test interruptions -- --nocapture a_hundred` tells how long it takes.
#[test]
fn a_hundred_thousand_open_clocks_move_in_one_transaction() {
    use slaclock::{OnError, Operation, Options};
    let folder = tempfile::tempdir().unwrap();
    let db = Db::create(folder.path().join("care.slaclock"), &policy(), Options::default()).unwrap();
    let submit = |number: i64| {
        Operation::Submit(Request::new(format!("CASE-{number}"), instant(32_400 + number % 900)))
    };
    let operations: Vec<Operation> = (0..50_000).map(submit).collect();
    db.apply(&operations, OnError::Abort).unwrap();
    for (dry_run, wanted) in [(true, 100_000), (false, 100_000)] {
        let since = std::time::Instant::now();
        let order = Order::Declare(window("power", "09:20", None));
        let done = db.interrupt(&order, at("09:30"), "ann", None, dry_run).unwrap();
        println!("dry run {dry_run}: {:?}", since.elapsed());
        assert_eq!(done.moved.len(), wanted);
    }
}
