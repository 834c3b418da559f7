//! What a database must hold and answer, as plain maps. Knows the rules of idempotency, order and pinning; of deadlines it
//! knows nothing, and of notices only what it was told.

use std::collections::BTreeMap;
use std::sync::Arc;

use slaclock::clock::{
    Act, Entry, Interruptions, RequestState, Scope, Timeline, Window, derive, derive_interrupted,
};
use slaclock::db::{Acknowledgement, Duty, MAX_NOTICES, Order};
use slaclock::{
    Db, ErrorKind, Event, EventKind, FaqRecord, Instant, Notice, OnError, Operation, Outcome, Request,
    Result, Stage,
};

use super::faq::{self, FaqCall};
use super::policies::{VERSIONS, policy, zones};

/// One call that writes, or cares for the file.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Submit(Request),
    Record(String, Event),
    Apply(Vec<Operation>, OnError),
    Install(usize, Instant),
    Interrupt(Order, Instant),
    /// To this version, or to the newest.
    Migrate(Option<usize>, Scope, Instant),
    /// To the zone data of this number.
    Retz(usize, Instant),
    ReadPolicy(Acknowledgement),
    Faq(FaqCall),
    Advance(Instant),
    Acknowledge(&'static str, u64),
    Compact,
    Rebuild,
    Check,
    Flush,
    Reopen,
}

impl Call {
    /// Whether doing it twice is doing it once.
    pub(crate) fn is_idempotent(&self) -> bool {
        let keyed = |event: &Event| event.key.is_some();
        match self {
            Call::Record(_, event) => keyed(event),
            Call::Apply(rows, _) => rows.iter().all(|row| match row {
                Operation::Record { event, .. } => keyed(event),
                Operation::Submit(_) => true,
            }),
            // Each order is an entry of its own.
            Call::Interrupt(..) => false,
            _ => true,
        }
    }
}

/// What a call answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Done,
    One(Outcome),
    Rows(Vec<Result<Outcome, ErrorKind>>),
    /// So many requests were moved.
    Moved(u64),
    /// An error of the caller's.
    Refused(ErrorKind),
}

/// A request and its events in the order of arrival.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) request: Request,
    pub(crate) events: Vec<Event>,
    /// The edition of the policy that it is under, from 1.
    pub(crate) edition: u32,
}

impl Kept {
    /// What its events say of its state, its facts and its expedites, on which policies and zones have no say.
    pub(super) fn life(&self) -> Timeline {
        derive(policy(1), &self.request, &self.events)
    }

    fn is_moved(&self) -> bool {
        self.events.iter().any(|event| matches!(event.kind, EventKind::Migrated { .. }))
    }
}

/// An installed version, or one with other zone data.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Edition {
    pub(crate) version: usize,
    pub(crate) from: Instant,
    zones: usize,
}

/// What the events of each request come to, by id.
pub(super) type Lives<'a> = BTreeMap<&'a str, Timeline>;

/// What a database must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) policies: Vec<Edition>,
    pub(crate) declared: Vec<Entry>,
    /// By edition, in the order of arrival.
    read: Vec<(u32, Acknowledgement)>,
    pub(crate) requests: BTreeMap<String, Arc<Kept>>,
    /// What was done about each FAQ entry.
    pub(super) faq: BTreeMap<String, Vec<FaqRecord>>,
    pub(crate) advanced_to: Option<Instant>,
    pub(crate) cursors: BTreeMap<&'static str, u64>,
    pub(crate) notices: Arc<Vec<Notice>>,
}

/// Who reads the feed.
pub(crate) const CONSUMERS: [&str; 3] = ["mail", "pager", "wall"];

impl Model {
    pub(crate) fn new() -> Model {
        let first = Edition { version: 1, from: Instant::MIN, zones: 0 };
        Model { policies: vec![first], ..Model::default() }
    }

    /// Does a call, and says what the database must answer.
    pub(crate) fn apply(&mut self, call: &Call) -> Answer {
        let one = |outcome: Result<Outcome, ErrorKind>| outcome.map_or_else(Answer::Refused, Answer::One);
        let done = |done: Result<(), ErrorKind>| done.map_or_else(Answer::Refused, |()| Answer::Done);
        match call {
            Call::Submit(request) => one(self.submit(request)),
            Call::Record(id, event) => one(self.record(id, event)),
            Call::Apply(rows, on_error) => self.batch(rows, *on_error),
            Call::Install(version, from) => self.install(*version, *from),
            Call::Interrupt(order, at) => done(self.interrupt(order, *at)),
            Call::Migrate(version, scope, at) => self.migrate(*version, scope, *at),
            Call::Retz(which, at) => self.retz(*which, *at),
            Call::ReadPolicy(read) => one(self.read_policy(read)),
            Call::Faq(call) => one(self.about_faq(call)),
            Call::Advance(now) => {
                self.advanced_to = self.advanced_to.max(Some(*now));
                Answer::Done
            }
            Call::Acknowledge(_, number) if *number > self.notices.len() as u64 => {
                Answer::Refused(ErrorKind::OutOfRange)
            }
            Call::Acknowledge(consumer, number) => {
                if *number > 0 {
                    let cursor = self.cursors.entry(consumer).or_default();
                    *cursor = (*number).max(*cursor);
                }
                Answer::Done
            }
            Call::Compact | Call::Rebuild | Call::Check | Call::Flush | Call::Reopen => Answer::Done,
        }
    }

    fn batch(&mut self, rows: &[Operation], on_error: OnError) -> Answer {
        let before = self.clone();
        let mut outcomes = Vec::new();
        for row in rows {
            let outcome = match row {
                Operation::Submit(request) => self.submit(request),
                Operation::Record { id, event } => self.record(id, event),
            };
            if let (Err(kind), OnError::Abort) = (&outcome, on_error) {
                *self = before;
                return Answer::Refused(*kind);
            }
            outcomes.push(outcome);
        }
        Answer::Rows(outcomes)
    }

    fn submit(&mut self, request: &Request) -> Result<Outcome, ErrorKind> {
        request.validate().map_err(|error| error.kind())?;
        if let Some(known) = self.requests.get(&request.id) {
            let same = known.request == *request;
            return if same { Ok(Outcome::AlreadyRecorded) } else { Err(ErrorKind::Conflict) };
        }
        let in_force = self.policies.iter().rposition(|edition| edition.from <= request.received_at);
        let edition = in_force.map_or(1, |at| at as u32 + 1);
        let kept = Kept { request: request.clone(), events: vec![], edition };
        self.requests.insert(request.id.clone(), Arc::new(kept));
        Ok(Outcome::Recorded)
    }

    fn record(&mut self, id: &str, event: &Event) -> Result<Outcome, ErrorKind> {
        event.validate().map_err(|error| error.kind())?;
        let kept = self.requests.get(id).ok_or(ErrorKind::NotFound)?;
        if event.at < kept.request.received_at {
            return Err(ErrorKind::InvalidEvent);
        }
        let known = kept.events.iter().find(|known| known.key.is_some() && known.key == event.key);
        match known {
            Some(known) if known == event => Ok(Outcome::AlreadyRecorded),
            Some(_) => Err(ErrorKind::Conflict),
            None => {
                self.permit(kept, event)?;
                let kept = self.requests.get_mut(id).ok_or(ErrorKind::NotFound)?;
                Arc::make_mut(kept).events.push(event.clone());
                Ok(Outcome::Recorded)
            }
        }
    }

    /// Whether people may do that: by what is known of the request at the event's instant, and of expedites by all that
    /// is known.
    fn permit(&self, kept: &Kept, event: &Event) -> Result<(), ErrorKind> {
        let by = event.by.as_deref().unwrap_or_default();
        let allowed = |is: bool| if is { Ok(()) } else { Err(ErrorKind::InvalidEvent) };
        let is_link = matches!(event.kind, EventKind::FaqLinked { .. } | EventKind::FaqUnlinked { .. });
        if !event.kind.tag().needs_actor() && !is_link {
            return Ok(());
        }
        let known: Vec<Event> = kept.events.iter().filter(|known| known.at <= event.at).cloned().collect();
        let then = derive(policy(1), &kept.request, &known);
        let proposed = then.refusal.as_ref().filter(|refusal| refusal.approved_at.is_none());
        let with = |event: &Event| {
            let mut more = kept.clone();
            more.events.push(event.clone());
            more.life().expedites
        };
        match &event.kind {
            EventKind::FaqLinked { .. } | EventKind::FaqUnlinked { .. } => {
                self.permit_link(&event.kind, &known)
            }
            EventKind::RefusalProposed => allowed(then.state == RequestState::Open && proposed.is_none()),
            EventKind::RefusalApproved => allowed(
                proposed.is_some_and(|refusal| refusal.proposed_by.as_deref() != Some(by))
                    && ["ann", "bob"].contains(&by),
            ),
            EventKind::RefusalWithdrawn => allowed(proposed.is_some()),
            EventKind::Expedited { approved_by } => {
                let (before, after) = (kept.life().expedites, with(event));
                let new =
                    after.iter().find(|one| !before.contains(one)).filter(|_| after.len() > before.len());
                let new = new.ok_or(ErrorKind::InvalidEvent)?;
                let customer = new.customer.as_deref().ok_or(ErrorKind::InvalidEvent)?;
                match approved_by {
                    Some(approver) => allowed(approver == "bob"),
                    None if self.expedites_of(customer, event.at) < 2 => Ok(()),
                    None => Err(ErrorKind::QuotaExceeded),
                }
            }
            EventKind::ExpediteWithdrawn => allowed(with(event).len() < kept.life().expedites.len()),
            EventKind::Waived { clock, cycle } => allowed(
                by == "bob" && self.cycle(kept, &known, event.at, clock, *cycle) == Some((true, false)),
            ),
            EventKind::WaiverWithdrawn { clock, cycle } => allowed(
                self.cycle(kept, &known, event.at, clock, *cycle).is_some_and(|(_, is_waived)| is_waived),
            ),
            _ => Ok(()),
        }
    }

    /// How many expedites a customer has in the calendar month of an instant.
    fn expedites_of(&self, customer: &str, at: Instant) -> usize {
        let month = |at: Instant| policy(1).calendars()[0].local(at).format("%Y-%m").to_string();
        let all = self
            .requests
            .values()
            .filter(|kept| kept.events.iter().any(|event| matches!(event.kind, EventKind::Expedited { .. })));
        let used = all.flat_map(|kept| kept.life().expedites);
        used.filter(|used| used.customer.as_deref() == Some(customer) && month(used.at) == month(at)).count()
    }

    /// Whether a cycle that has begun is missed, and whether it is waived. Only asked of requests that were never moved.
    fn cycle(
        &self,
        kept: &Kept,
        known: &[Event],
        at: Instant,
        clock: &str,
        number: u32,
    ) -> Option<(bool, bool)> {
        assert!(self.is_at_home(kept), "histories waive nothing of requests that were moved");
        let policy = policy(self.policies[kept.edition as usize - 1].version);
        let journal = Interruptions::new(self.declared.clone());
        let timeline = derive_interrupted(policy, &kept.request, known, &journal, Some(at));
        let index = policy.clocks().iter().position(|known| known.name == clock)?;
        let cycle =
            timeline.cycles_of(index).iter().find(|cycle| cycle.number == number && cycle.has_started(at))?;
        let missed = matches!(cycle.stage(at), Stage::Missed | Stage::Late | Stage::Breached);
        let is_waived = timeline.waivers.iter().any(|waiver| (waiver.clock, waiver.cycle) == (index, number));
        Some((missed, is_waived))
    }

    /// Whether a request is under the version that it was received under, with the bundled zone data.
    pub(crate) fn is_at_home(&self, kept: &Kept) -> bool {
        !kept.is_moved() && self.policies[kept.edition as usize - 1].zones == 0
    }

    fn interrupt(&mut self, order: &Order, at: Instant) -> Result<(), ErrorKind> {
        let last = |number: u32| {
            let last =
                self.declared.iter().rfind(|entry| entry.number == number).ok_or(ErrorKind::NotFound)?;
            if last.act == Act::Withdrawn || at < last.at { Err(ErrorKind::Conflict) } else { Ok(last) }
        };
        let (number, act, window) = match order {
            Order::Declare(window) => {
                let count = self.declared.iter().map(|entry| entry.number).max().unwrap_or(0);
                (count + 1, Act::Declared, window.clone())
            }
            Order::Amend { number, window } => {
                last(*number)?;
                (*number, Act::Amended, window.clone())
            }
            Order::End { number, to } => match last(*number)?.window.clone() {
                Window { to: Some(_), .. } => return Err(ErrorKind::Conflict),
                window => (*number, Act::Ended, Window { to: Some(*to), ..window }),
            },
            Order::Withdraw { number } => (*number, Act::Withdrawn, last(*number)?.window.clone()),
        };
        let known = ["power", "internet_telecom", "personnel"].contains(&window.category.as_str());
        let ends_after = window.to.map_or(window.from <= at, |to| to > window.from);
        if !known || !ends_after {
            return Err(ErrorKind::InvalidArgument);
        }
        if matches!(&window.scope, Scope::Calendar(name) if name != "office") {
            return Err(ErrorKind::NotFound);
        }
        self.declared.push(Entry { number, act, at, by: "ann".to_owned(), window, text: None });
        Ok(())
    }

    fn migrate(&mut self, version: Option<usize>, scope: &Scope, at: Instant) -> Answer {
        if matches!(scope, Scope::Calendar(_)) {
            return Answer::Refused(ErrorKind::InvalidArgument);
        }
        let wanted = version.unwrap_or(self.newest().version);
        let Some(target) = self.policies.iter().rposition(|edition| edition.version == wanted) else {
            return Answer::Refused(ErrorKind::NotFound);
        };
        self.move_all(|_| Some(target as u32 + 1), scope, at)
    }

    fn retz(&mut self, which: usize, at: Instant) -> Answer {
        let before = self.policies.clone();
        let mut to = BTreeMap::new();
        for (index, edition) in before.iter().enumerate() {
            let is_last = before[index + 1..].iter().all(|later| later.version != edition.version);
            let is_same = edition.zones == which;
            // Later versions follow, so that the newest edition is of the newest version.
            if is_last && (!is_same || self.policies.len() > before.len()) {
                self.policies.push(Edition { zones: which, ..edition.clone() });
                let number = self.policies.len() as u32;
                if !is_same {
                    to.insert(edition.version, number);
                }
                let done = self.read.iter().filter(|(of, _)| *of == index as u32 + 1);
                let done: Vec<_> = done.map(|(_, done)| (number, done.clone())).collect();
                self.read.extend(done);
            }
        }
        let versions: Vec<usize> = before.iter().map(|edition| edition.version).collect();
        let answer =
            self.move_all(|edition| to.get(versions.get(edition as usize - 1)?).copied(), &Scope::All, at);
        if matches!(answer, Answer::Refused(_)) {
            self.policies = before;
            let count = self.policies.len() as u32;
            self.read.retain(|(edition, _)| *edition <= count);
        }
        answer
    }

    /// Moves open requests to other editions, all or none.
    fn move_all(&mut self, to: impl Fn(u32) -> Option<u32>, scope: &Scope, at: Instant) -> Answer {
        let before = self.requests.clone();
        let mut moved = 0;
        for kept in self.requests.values_mut() {
            let Some(target) = to(kept.edition).filter(|target| *target != kept.edition) else { continue };
            let life = kept.life();
            if kept.request.received_at > at || life.state != RequestState::Open || !scope.is_of(&life.facts)
            {
                continue;
            }
            let is_later = |event: &Event| matches!(event.kind, EventKind::Migrated { .. }) && event.at > at;
            if kept.events.iter().any(is_later) {
                self.requests = before;
                return Answer::Refused(ErrorKind::Conflict);
            }
            let kept = Arc::make_mut(kept);
            let kind = EventKind::Migrated { from: kept.edition, to: target };
            kept.events.push(Event::new(kind, at).by("ann"));
            kept.edition = target;
            moved += 1;
        }
        Answer::Moved(moved)
    }

    fn read_policy(&mut self, read: &Acknowledgement) -> Result<Outcome, ErrorKind> {
        let at = self.policies.iter().rposition(|edition| edition.version == read.version as usize);
        let edition = at.ok_or(ErrorKind::NotFound)? as u32 + 1;
        if read.duty == Duty::Reading && !["ann", "bob"].contains(&read.by.as_str()) {
            return Err(ErrorKind::InvalidArgument);
        }
        let same = |(of, known): &&(u32, Acknowledgement)| {
            (*of, known.duty, &known.by) == (edition, read.duty, &read.by)
        };
        match self.read.iter().find(same) {
            Some((_, known)) if known.at == read.at => Ok(Outcome::AlreadyRecorded),
            Some(_) => Err(ErrorKind::Conflict),
            None => {
                self.read.push((edition, read.clone()));
                Ok(Outcome::Recorded)
            }
        }
    }

    /// The newest edition.
    pub(crate) fn newest(&self) -> &Edition {
        &self.policies[self.policies.len() - 1]
    }

    fn install(&mut self, version: usize, from: Instant) -> Answer {
        let newest = self.newest();
        if version == newest.version {
            return Answer::Done;
        }
        if version < newest.version || from < newest.from {
            return Answer::Refused(ErrorKind::Conflict);
        }
        self.policies.push(Edition { version, from, zones: 0 });
        Answer::Done
    }

    /// Takes over the notices that a call made known. They must follow those known before, without a gap.
    pub(crate) fn learn(&mut self, db: &Db) -> Result<(), String> {
        let said = text(db.info())?.notices;
        let known = self.notices.len() as u64;
        if said == known {
            return Ok(());
        }
        let mut told = text(text(db.feed("nobody"))?.pending(MAX_NOTICES))?;
        if told.len() as u64 != said || told[..self.notices.len()] != self.notices[..] {
            return Err(format!(
                "{said} notices are said to be there, told are {told:#?}; known {:#?}",
                self.notices
            ));
        }
        if told.iter().zip(1..).any(|(notice, number)| notice.number != number) {
            return Err(format!("numbers with a gap: {told:#?}"));
        }
        Arc::make_mut(&mut self.notices).extend(told.drain(known as usize..));
        Ok(())
    }

    /// What a database holds that this model does not, or the other way round.
    pub(crate) fn compare(&self, db: &Db) -> Result<(), String> {
        let info = text(db.info())?;
        let events = self.requests.values().map(|kept| kept.events.len() as u64).sum();
        let found = (info.requests, info.events, info.notices, info.advanced_to);
        let expected = (self.requests.len() as u64, events, self.notices.len() as u64, self.advanced_to);
        if found != expected {
            return Err(format!("requests, events, notices, advanced to: {found:?}, expected {expected:?}"));
        }
        let policies = text(db.policies())?;
        let found: Vec<_> = policies.iter().map(|info| (info.version as usize, info.in_force_from)).collect();
        let expected: Vec<_> = self.policies.iter().map(|edition| (edition.version, edition.from)).collect();
        differs("policies", &found, &expected)?;
        let lives: Lives<'_> = self.requests.iter().map(|(id, kept)| (id.as_str(), kept.life())).collect();
        for (id, kept) in &self.requests {
            let found = text(db.get(id))?;
            differs("request", &found.request, &kept.request)?;
            let mut events = kept.events.clone();
            events.sort_by_key(|event| event.at);
            differs(id, &found.events, &events)?;
            let version = self.policies[kept.edition as usize - 1].version;
            differs(id, &found.policy, &format!("care v{version}"))?;
            let life = &lives[id.as_str()];
            differs(id, &found.state, &life.state)?;
            differs(id, &found.facts, &life.facts)?;
        }
        self.compare_care(db, &lives)?;
        self.compare_faq(db, &lives)?;
        for consumer in CONSUMERS {
            let cursor = text(text(db.feed(consumer))?.acknowledged())?;
            differs(consumer, &cursor, &self.cursors.get(consumer).copied().unwrap_or(0))?;
        }
        let notices =
            if info.notices == 0 { vec![] } else { text(text(db.feed("nobody"))?.pending(MAX_NOTICES))? };
        differs("notices", &notices, &self.notices)
    }
}

impl Model {
    /// Interruptions, acknowledgements and expedites.
    fn compare_care(&self, db: &Db, lives: &Lives<'_>) -> Result<(), String> {
        differs("interruptions", &text(db.interruptions())?.entries().to_vec(), &self.declared)?;
        let last_of = |version: usize| self.policies.iter().rposition(|edition| edition.version == version);
        let found = text(db.acknowledgements())?;
        let mut expected: Vec<(u32, Acknowledgement)> = self.read.clone();
        // A version's newest edition has all that was done about it.
        expected.retain(|(edition, done)| last_of(done.version as usize) == Some(*edition as usize - 1));
        expected.sort_by_key(|(edition, _)| *edition);
        differs("acknowledgements", &found, &expected.into_iter().map(|(_, done)| done).collect())?;
        let used = lives.values().map(|life| life.expedites.len()).sum::<usize>();
        let found = text(db.expedites(None))?;
        differs("expedites", &found.iter().map(|of| of.expedites.len()).sum::<usize>(), &used)?;
        Ok(())
    }
}

pub(super) fn differs<T: PartialEq + std::fmt::Debug>(
    what: &str,
    found: &T,
    expected: &T,
) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:#?}, expected {expected:#?}")) }
}

/// An error as a text that names its kind.
pub(crate) fn text<T>(result: Result<T>) -> Result<T, String> {
    result.map_err(|error| format!("{:?}: {error}", error.kind()))
}

/// What the database says of itself: its indexes, clocks and notices are what its events come to.
pub(crate) fn is_sound(db: &Db) -> Result<(), String> {
    let rebuild = text(db.verify())?;
    if rebuild.differing == 0 { Ok(()) } else { Err(format!("{:#?}", rebuild.differences)) }
}

/// Does a call. Errors of the caller's are answers, errors of the file are errors.
pub(crate) fn perform(db: &Db, call: &Call) -> Result<Answer> {
    let refused = |error: slaclock::Error| match error.kind() {
        kind @ (ErrorKind::InvalidArgument
        | ErrorKind::InvalidEvent
        | ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::QuotaExceeded
        | ErrorKind::OutOfRange) => Ok(Answer::Refused(kind)),
        _ => Err(error),
    };
    let done = |result: Result<()>| result.map(|()| Answer::Done).or_else(refused);
    match call {
        Call::Submit(request) => {
            db.submit(request).map(|answer| Answer::One(answer.outcome)).or_else(refused)
        }
        Call::Record(id, event) => {
            db.record(id, event.clone()).map(|answer| Answer::One(answer.outcome)).or_else(refused)
        }
        Call::Apply(rows, on_error) => match db.apply(rows, *on_error) {
            Ok(outcomes) => {
                let kinds = outcomes.into_iter().map(|outcome| outcome.map_err(|error| error.kind()));
                Ok(Answer::Rows(kinds.collect()))
            }
            Err(error) => refused(error),
        },
        Call::Install(version, from) => done(db.install(policy((*version).min(VERSIONS)), *from)),
        Call::Interrupt(order, at) => done(db.interrupt(order, *at, "ann", None, false).map(drop)),
        Call::Migrate(version, scope, at) => {
            let version = version.map(|version| version as u32);
            let moved = db.migrate(version, scope, *at, "ann", false);
            moved.map(|moved| Answer::Moved(moved.requests)).or_else(refused)
        }
        Call::Retz(which, at) => {
            let moved = db.retz(zones(*which), *at, "ann", false);
            moved.map(|moved| Answer::Moved(moved.requests)).or_else(refused)
        }
        Call::ReadPolicy(read) => db.acknowledge_policy(read).map(Answer::One).or_else(refused),
        Call::Faq(call) => faq::perform(db, call).map(Answer::One).or_else(refused),
        Call::Advance(now) => done(db.advance(*now).map(drop)),
        Call::Acknowledge(consumer, number) => done(db.feed(consumer)?.acknowledge(*number)),
        Call::Compact => done(db.compact().map(drop)),
        Call::Rebuild => {
            let rebuild = db.rebuild()?;
            assert_eq!((rebuild.differing, rebuild.repaired), (0, 0), "{:#?}", rebuild.differences);
            Ok(Answer::Done)
        }
        Call::Check => {
            let found = db.check()?;
            assert_eq!(found.differing, 0, "{:#?}", found.differences);
            Ok(Answer::Done)
        }
        Call::Flush => done(db.flush()),
        Call::Reopen => Ok(Answer::Done),
    }
}
