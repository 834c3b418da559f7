//! What a database must hold and answer, as plain maps. Knows the rules of idempotency, order and pinning; of deadlines it
//! knows nothing, and of notices only what it was told.

use std::collections::BTreeMap;
use std::sync::Arc;

use slaclock::{
    Db, ErrorKind, Event, Instant, Notice, OnError, Operation, Outcome, Request, Result, db::MAX_NOTICES,
};

use super::policies::{VERSIONS, policy};

/// One call that writes, or cares for the file.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Submit(Request),
    Record(String, Event),
    Apply(Vec<Operation>, OnError),
    Install(usize, Instant),
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
    /// An error of the caller's.
    Refused(ErrorKind),
}

/// A request and its events in the order of arrival.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) request: Request,
    pub(crate) events: Vec<Event>,
    /// The version it is pinned to.
    pub(crate) version: usize,
}

/// What a database must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) policies: Vec<(usize, Instant)>,
    pub(crate) requests: BTreeMap<String, Arc<Kept>>,
    pub(crate) advanced_to: Option<Instant>,
    pub(crate) cursors: BTreeMap<&'static str, u64>,
    pub(crate) notices: Arc<Vec<Notice>>,
}

/// Who reads the feed.
pub(crate) const CONSUMERS: [&str; 3] = ["mail", "pager", "wall"];

impl Model {
    pub(crate) fn new() -> Model {
        Model { policies: vec![(1, Instant::MIN)], ..Model::default() }
    }

    /// Does a call, and says what the database must answer.
    pub(crate) fn apply(&mut self, call: &Call) -> Answer {
        let one = |outcome: Result<Outcome, ErrorKind>| outcome.map_or_else(Answer::Refused, Answer::One);
        match call {
            Call::Submit(request) => one(self.submit(request)),
            Call::Record(id, event) => one(self.record(id, event)),
            Call::Apply(rows, on_error) => self.batch(rows, *on_error),
            Call::Install(version, from) => self.install(*version, *from),
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
        let in_force = self.policies.iter().rev().find(|(_, from)| *from <= request.received_at);
        let version = in_force.map_or(1, |(version, _)| *version);
        let kept = Kept { request: request.clone(), events: vec![], version };
        self.requests.insert(request.id.clone(), Arc::new(kept));
        Ok(Outcome::Recorded)
    }

    fn record(&mut self, id: &str, event: &Event) -> Result<Outcome, ErrorKind> {
        event.validate().map_err(|error| error.kind())?;
        let kept = Arc::make_mut(self.requests.get_mut(id).ok_or(ErrorKind::NotFound)?);
        if event.at < kept.request.received_at {
            return Err(ErrorKind::InvalidEvent);
        }
        let known = kept.events.iter().find(|known| known.key.is_some() && known.key == event.key);
        match known {
            Some(known) if known == event => Ok(Outcome::AlreadyRecorded),
            Some(_) => Err(ErrorKind::Conflict),
            None => {
                kept.events.push(event.clone());
                Ok(Outcome::Recorded)
            }
        }
    }

    fn install(&mut self, version: usize, from: Instant) -> Answer {
        let (newest, since) = self.policies[self.policies.len() - 1];
        if version == newest {
            return Answer::Done;
        }
        if version < newest || from < since {
            return Answer::Refused(ErrorKind::Conflict);
        }
        self.policies.push((version, from));
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
        differs("policies", &found, &self.policies)?;
        for (id, kept) in &self.requests {
            let found = text(db.get(id))?;
            differs("request", &found.request, &kept.request)?;
            let mut events = kept.events.clone();
            events.sort_by_key(|event| event.at);
            differs(id, &found.events, &events)?;
            differs(id, &found.policy, &format!("care v{}", kept.version))?;
        }
        for consumer in CONSUMERS {
            let cursor = text(text(db.feed(consumer))?.acknowledged())?;
            differs(consumer, &cursor, &self.cursors.get(consumer).copied().unwrap_or(0))?;
        }
        let notices =
            if info.notices == 0 { vec![] } else { text(text(db.feed("nobody"))?.pending(MAX_NOTICES))? };
        differs("notices", &notices, &self.notices)
    }
}

fn differs<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
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
