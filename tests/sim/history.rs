//! Histories: calls as a CRM makes them, drawn by dice, in virtual time. To add a new operation, give it a variant in
//! `model::Call`, a line in `History::draw`, and what it does in `Model::apply` and `perform`.

use std::collections::BTreeMap;

use slaclock::clock::{Scope, Window};
use slaclock::db::{Acknowledgement, Duty, Order};
use slaclock::{Event, EventKind, FaqDraft, Instant, OnError, Operation, Request};

use super::dice::Dice;
use super::faq::{CUSTOMERS, ENTRIES, FaqCall};
use super::model::{CONSUMERS, Call, Model};
use super::policies::VERSIONS;

/// Monday, 2 March 2026; the clocks go forward on the 8th.
const START: i64 = 1_772_416_800;

/// Draws the calls of one history.
#[derive(Debug)]
pub(crate) struct History {
    dice: Dice,
    /// The virtual clock.
    now: i64,
    requests: usize,
    keys: usize,
    /// It has the database for itself: draws compactions, checks and reopenings too, and what concerns all requests.
    cares: bool,
    /// Draws events without a key, which cannot be repeated.
    keyless: bool,
    prefix: String,
}

impl History {
    pub(crate) fn new(seed: u64) -> History {
        let dice = Dice::new(seed ^ 0x4849_5354);
        History { dice, now: START, requests: 0, keys: 0, cares: true, keyless: true, prefix: String::new() }
    }

    /// One of several threads on one database: its ids are its own, and it leaves the file alone.
    pub(crate) fn of_thread(seed: u64, thread: usize) -> History {
        History { cares: false, prefix: format!("T{thread}-"), ..History::new(seed) }
    }

    /// Every event has a key.
    pub(crate) fn keyed(mut self) -> History {
        self.keyless = false;
        self
    }

    /// The virtual clock.
    pub(crate) fn now(&self) -> Instant {
        Instant::from_secs(self.now).expect("histories end before 2100")
    }

    /// The next call.
    pub(crate) fn draw(&mut self, model: &Model) -> Call {
        self.now += [0, 60, 900, 7_200, 40_000][self.dice.below(5)];
        match self.dice.below(if self.cares { 51 } else { 34 }) {
            0..=6 => Call::Submit(self.request(model)),
            7..=19 => match self.record(model) {
                Operation::Record { id, event } => Call::Record(id, event),
                Operation::Submit(request) => Call::Submit(request),
            },
            20..=24 => self.batch(model),
            25..=29 => Call::Advance(self.about_now(3_600)),
            30..=32 => self.acknowledge(model),
            33 => {
                let newest = model.newest().version;
                let version = (newest + self.dice.below(2)).min(VERSIONS);
                Call::Install(version, self.about_now(86_400))
            }
            34 | 35 => Call::Compact,
            36 => Call::Rebuild,
            37 => Call::Check,
            38 => Call::Flush,
            39 => Call::Reopen,
            40..=42 => Call::Interrupt(self.order(model), self.about_now(3_600)),
            43 | 44 => {
                let version = self.dice.one_in(2).then(|| 1 + self.dice.below(model.newest().version + 1));
                Call::Migrate(version, self.scope(), self.about_now(3_600))
            }
            45 => Call::Retz(self.dice.below(2), self.about_now(3_600)),
            46 | 47 => {
                let duty = *self.dice.pick(&[Duty::Review, Duty::Reading]);
                let version = 1 + self.dice.below(model.newest().version + 1) as u32;
                let by = (*self.dice.pick(&["ann", "bob", "eve"])).to_owned();
                Call::ReadPolicy(Acknowledgement { version, duty, by, at: self.about_now(3_600) })
            }
            _ => Call::Faq(self.about_faq(model)),
        }
    }

    /// An instant before or after now, mostly shortly before.
    fn about_now(&mut self, span: i64) -> Instant {
        let back = (self.dice.next() % (span as u64 + 1)) as i64;
        let at = if self.dice.one_in(6) { self.now + back } else { self.now - back / 4 };
        Instant::from_secs(at.max(START - 86_400)).expect("histories end before 2100")
    }

    fn scope(&mut self) -> Scope {
        match self.dice.below(6) {
            0 => Scope::Customer("acme".to_owned()),
            1 => Scope::Category("lamp".to_owned()),
            2 => Scope::Calendar((*self.dice.pick(&["office", "office", "nowhere"])).to_owned()),
            _ => Scope::All,
        }
    }

    fn window(&mut self) -> Window {
        let kinds = ["power", "power", "internet_telecom", "personnel", "weather"];
        let category = (*self.dice.pick(&kinds)).to_owned();
        let from = self.about_now(40_000);
        let to = from.as_secs() + self.dice.below(60_000) as i64 - 600;
        let to = (!self.dice.one_in(3)).then(|| Instant::from_secs(to).expect("before 2100"));
        Window { category, scope: self.scope(), from, to }
    }

    fn order(&mut self, model: &Model) -> Order {
        let number = 1 + self.dice.below(model.declared.len() + 1) as u32;
        match self.dice.below(8) {
            0 | 1 => Order::Amend { number, window: self.window() },
            2 | 3 => Order::End { number, to: self.about_now(3_600) },
            4 => Order::Withdraw { number },
            _ => Order::Declare(self.window()),
        }
    }

    /// What is done about an entry of the FAQ; sometimes without a question or an answer, or about one that is not there.
    fn about_faq(&mut self, model: &Model) -> FaqCall {
        let id = (*self.dice.pick(&ENTRIES)).to_owned();
        let at = self.about_now(3_600);
        let by = *self.dice.pick(&["ann", "bob"]);
        let said = |dice: &mut Dice, what: &str| {
            let text = format!("{what} {}", "why ".repeat(dice.below(40)));
            [Some(text), Some(" ".to_owned()), None][[0, 0, 0, 0, 0, 1, 2, 2][dice.below(8)]].clone()
        };
        let (question, answer) = (said(&mut self.dice, "question"), said(&mut self.dice, "answer"));
        match self.dice.below(8) {
            0..=2 => {
                let request = if self.dice.one_in(2) { self.known(model) } else { None };
                FaqCall::Publish(FaqDraft { id, question, answer, request }, at, by)
            }
            3..=6 => FaqCall::Amend { id, question, answer, at, by },
            _ => FaqCall::Withdraw { id, at, by },
        }
    }

    fn known(&mut self, model: &Model) -> Option<String> {
        if model.requests.is_empty() || self.dice.one_in(30) {
            return self.dice.one_in(2).then(|| "NOBODY".to_owned());
        }
        let at = self.dice.below(model.requests.len().min(24));
        // The latest ones, mostly: ids rise.
        model.requests.keys().nth_back(at).cloned()
    }

    fn request(&mut self, model: &Model) -> Request {
        if self.dice.one_in(6)
            && let Some(kept) = self.known(model).and_then(|id| model.requests.get(&id))
        {
            // The same again, or another with its id.
            let again = kept.request.clone();
            return if self.dice.one_in(3) { again.customer("somebody else") } else { again };
        }
        self.requests += 1;
        let id = format!("{}CASE-{:05}", self.prefix, self.requests);
        let request = Request::new(id, self.about_now(200_000));
        let request = request.priority(*self.dice.pick(&["high", "medium", "low", "none"]));
        match self.dice.below(4) {
            0 | 3 => request.customer("acme").subject("s".repeat(self.dice.below(3_000))),
            1 => request.attribute("site", "north").channel("phone").category("lamp"),
            _ => request,
        }
    }

    fn record(&mut self, model: &Model) -> Operation {
        let Some(id) = self.known(model) else { return Operation::Submit(self.request(model)) };
        if let Some(kept) = model.requests.get(&id)
            && self.dice.one_in(8)
            && let Some(event) = kept.events.iter().find(|event| event.key.is_some())
        {
            // The same event again, or another with its key.
            let mut event = event.clone();
            if self.dice.one_in(3) {
                event.text = Some("something else".to_owned());
            }
            return Operation::Record { id, event };
        }
        let at = self.about_now(40_000);
        let at_home = self.cares && model.requests.get(&id).is_some_and(|kept| model.is_at_home(kept));
        let mut event = Event::new(self.kind(at, at_home), at);
        if !self.keyless || !self.dice.one_in(5) {
            self.keys += 1;
            event = event.key(format!("{}key-{}", self.prefix, self.keys));
        }
        if event.kind.tag().needs_actor() {
            // Bob may do more than the others.
            event = event.by(*self.dice.pick(&["ann", "bob", "bob", "eve"])).text("a reason");
        } else if self.dice.one_in(5) {
            event = event.by("ann").text("t".repeat(self.dice.below(2_000)));
        }
        Operation::Record { id, event }
    }

    /// What happens to a request; a miss is waived only where the model can tell one.
    fn kind(&mut self, at: Instant, at_home: bool) -> EventKind {
        let cares = self.cares;
        let dice = &mut self.dice;
        let cycle = |dice: &mut Dice| {
            let clock = *dice.pick(&["resolution", "resolution", "first_response", "promise", "nothing"]);
            (clock.to_owned(), 1 + dice.below(2) as u32)
        };
        match dice.below(33) {
            0 | 1 => EventKind::Replied,
            2 | 3 => EventKind::CustomerReplied,
            4 => EventKind::Updated,
            5 => EventKind::Assigned { to: "ann".into() },
            6..=8 => EventKind::Paused { reason: (*dice.pick(&["waiting_customer", "lunch"])).to_owned() },
            9 | 10 => EventKind::Resumed,
            11 => {
                let due = at.as_secs() + 600 + dice.below(90_000) as i64;
                EventKind::Promised { due: Instant::from_secs(due).expect("before 2100") }
            }
            12..=14 => EventKind::Resolved,
            15 => EventKind::Reopened,
            16 => EventKind::Cancelled,
            17 | 18 => {
                let value = *dice.pick(&["high", "medium", "low", "none", ""]);
                let (fact, value) = match cares && dice.one_in(3) {
                    true => ("customer", *dice.pick(&CUSTOMERS)),
                    false => ("priority", value),
                };
                EventKind::Changed { facts: BTreeMap::from([(fact.to_owned(), value.to_owned())]) }
            }
            19 => EventKind::VendorContacted { vendor: "acme pumps".into() },
            20 => EventKind::VendorReplied { vendor: "acme pumps".into() },
            // A customer's quota is shared by all its requests.
            21 | 22 if cares => {
                EventKind::Expedited { approved_by: dice.one_in(3).then(|| "bob".to_owned()) }
            }
            23 if cares => EventKind::ExpediteWithdrawn,
            24 => EventKind::RefusalProposed,
            25 => EventKind::RefusalApproved,
            26 => EventKind::RefusalWithdrawn,
            27 | 28 if at_home => {
                let (clock, cycle) = cycle(dice);
                EventKind::Waived { clock, cycle }
            }
            29 if at_home => {
                let (clock, cycle) = cycle(dice);
                EventKind::WaiverWithdrawn { clock, cycle }
            }
            30 | 31 if cares => EventKind::FaqLinked { faq: (*dice.pick(&ENTRIES)).to_owned() },
            32 if cares => EventKind::FaqUnlinked { faq: (*dice.pick(&ENTRIES)).to_owned() },
            _ => EventKind::Note,
        }
    }

    fn batch(&mut self, model: &Model) -> Call {
        let on_error = if self.dice.one_in(2) { OnError::Skip } else { OnError::Abort };
        let mut rows = Vec::new();
        for _ in 0..1 + self.dice.below(8) {
            let row =
                if self.dice.one_in(3) { Operation::Submit(self.request(model)) } else { self.record(model) };
            // What follows may be about what came before in the same batch.
            if let Operation::Submit(request) = &row
                && self.dice.one_in(2)
            {
                self.keys += 1;
                let event = Event::new(EventKind::Replied, request.received_at)
                    .key(format!("{}key-{}", self.prefix, self.keys));
                let id = request.id.clone();
                rows.extend([row, Operation::Record { id, event }]);
                continue;
            }
            rows.push(row);
        }
        Call::Apply(rows, on_error)
    }

    fn acknowledge(&mut self, model: &Model) -> Call {
        let consumer = *self.dice.pick(&CONSUMERS);
        let last = model.notices.len();
        let number = if self.dice.one_in(10) { last + 1 } else { self.dice.below(last + 1) };
        Call::Acknowledge(consumer, number as u64)
    }
}
