//! From events to cycles: the pure function that every clock's state is.

use super::finish::{Ahead, Taken};
use super::lane::{Lane, Origin};
use super::{
    Cycle, Expedite, Hold, Interruptions, NO_INTERRUPTIONS, Refusal, RequestState, Threshold, Timeline,
    Waiver,
};
use crate::model::{Event, EventKind, EventTag, Facts, Request};
use crate::policy::{Clock, Policy, Reopen, Trigger};
use crate::time::Instant;

/// What a request's events come to under a policy.
///
/// `events` may come in any order and may be any events at all; those of the same second count in the order given.
/// The receipt is the request's own and comes first: an event dated before it counts as of the receipt.
///
/// Cycles armed by another clock's threshold are given although nothing has happened yet, with a `started_at` that
/// may lie in the future: they begin then if nothing happens before.
pub fn derive(policy: &Policy, request: &Request, events: &[Event]) -> Timeline {
    derive_over(Given::policy(policy), request, events.iter())
}

/// What a derivation goes by, besides the request and its events.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    /// The policy in force at first.
    pub(crate) policy: &'a Policy,
    /// Those that `migrated` events move the request to, by edition. Events that name another are passed over.
    pub(crate) editions: &'a [(u32, Policy)],
    /// All that were declared.
    pub(crate) interruptions: &'a Interruptions,
}

impl<'a> Given<'a> {
    /// One policy for all time, and nothing declared.
    pub(crate) fn policy(policy: &'a Policy) -> Given<'a> {
        Given { policy, editions: &[], interruptions: &NO_INTERRUPTIONS }
    }
}

/// The derivation for events that do not lie side by side.
pub(crate) fn derive_over<'e>(
    given: Given<'e>,
    request: &'e Request,
    events: impl Iterator<Item = &'e Event> + Clone,
) -> Timeline {
    let sorted = events.clone().is_sorted_by_key(|event| event.at);
    Run::new(given, request, None).over(events, sorted)
}

/// The derivations without and with the events that come last in arrival.
///
/// Where they are the last in time too, as most are, both go the same way up to there.
pub(crate) fn derive_before_and_after<'e>(
    given: Given<'e>,
    request: &'e Request,
    known: &'e [Event],
    added: &[&'e Event],
) -> (Timeline, Timeline) {
    let all = known.iter().chain(added.iter().copied());
    // With interruptions a cycle goes by how it will end, from its beginning on.
    if !given.interruptions.is_empty() || !all.clone().is_sorted_by_key(|event| event.at) {
        return (derive_over(given, request, known.iter()), derive_over(given, request, all));
    }
    let mut run = Run::new(given, request, None);
    run.begin_all();
    known.iter().for_each(|event| run.event(event));
    let mut before = run.clone();
    before.arm_before(i64::MAX);
    added.iter().for_each(|event| run.event(event));
    run.arm_before(i64::MAX);
    (before.finished(), run.finished())
}

/// The derivation of all events if `now` is `None`, else as of `now`: what happened or was declared later is left out.
pub(crate) fn derive_given(
    given: Given<'_>,
    request: &Request,
    events: &[Event],
    now: Option<Instant>,
) -> Timeline {
    let run = Run::new(given, request, now);
    if now.is_some_and(|now| now < request.received_at) {
        return run.unstarted();
    }
    let known = events.iter().filter(|event| now.is_none_or(|now| event.at <= now));
    run.over(known, events.is_sorted_by_key(|event| event.at))
}

/// The same as [`derive()`] beside interruptions, and as of `now` unless it is `None`: what happened or was declared later
/// is left out.
pub fn derive_interrupted(
    policy: &Policy,
    request: &Request,
    events: &[Event],
    interruptions: &Interruptions,
    now: Option<Instant>,
) -> Timeline {
    derive_given(Given { interruptions, ..Given::policy(policy) }, request, events, now)
}

/// The same as of `now`: later events are left out. Before the receipt there are no cycles.
pub fn derive_at(policy: &Policy, request: &Request, events: &[Event], now: Instant) -> Timeline {
    derive_given(Given::policy(policy), request, events, Some(now))
}

#[derive(Clone)]
struct Run<'a> {
    received_at: Instant,
    lanes: Vec<Lane<'a>>,
    /// Some clock is started by another's threshold.
    chained: bool,
    done: Vec<Cycle>,
    holds: Vec<Hold>,
    facts: Facts,
    state: RequestState,
    last_event_at: Instant,
    unanswered_since: Option<Instant>,
    given: Given<'a>,
    request: &'a Request,
    /// What has happened, where a later version of the policy asks how it would have been under that.
    seen: Vec<&'a Event>,
    /// What was declared later is not known.
    now: Option<Instant>,
    /// What happens, where interruptions ask how a cycle will end; the next one is at `next`.
    ahead: Ahead<'a>,
    next: usize,
    /// So many events are replayed under another version: their migrations move nothing.
    replayed: usize,
    /// What migrations took away: the place of the event, and the clock.
    lost: Vec<(usize, usize)>,
    expedites: Vec<Expedite>,
    refusal: Option<Refusal>,
    waivers: Vec<Waiver>,
}

impl<'a> Run<'a> {
    fn new(given: Given<'a>, request: &'a Request, now: Option<Instant>) -> Run<'a> {
        let clocks = given.policy.clocks();
        let threshold = |trigger: &Trigger| !matches!(trigger, Trigger::Event(_));
        Run {
            received_at: request.received_at,
            lanes: clocks.iter().enumerate().map(|(index, clock)| Lane::new(clock, index)).collect(),
            chained: clocks.iter().any(|clock| clock.start.iter().any(threshold)),
            done: Vec::with_capacity(clocks.len()),
            holds: Vec::new(),
            facts: request.facts(),
            state: RequestState::Open,
            last_event_at: request.received_at,
            unanswered_since: Some(request.received_at),
            given,
            request,
            seen: Vec::new(),
            now,
            ahead: Ahead::default(),
            next: 0,
            replayed: 0,
            lost: Vec::new(),
            expedites: Vec::new(),
            refusal: None,
            waivers: Vec::new(),
        }
    }

    fn unstarted(mut self) -> Timeline {
        self.unanswered_since = None;
        self.finished()
    }

    fn over(mut self, events: impl Iterator<Item = &'a Event> + Clone, sorted: bool) -> Timeline {
        if !self.given.interruptions.is_empty() {
            self.ahead = Ahead::new(events.clone(), self.received_at);
            self.know_taken();
        }
        if sorted {
            self.play(events);
        } else {
            let mut events: Vec<&'a Event> = events.collect();
            events.sort_by_key(|event| event.at);
            self.play(events.into_iter());
        }
        self.finished()
    }

    /// Takes all events, in their order, and goes on to the end of time.
    fn play(&mut self, events: impl Iterator<Item = &'a Event>) {
        self.begin_all();
        events.for_each(|event| self.event(event));
        self.arm_before(i64::MAX);
    }

    /// The receipt.
    fn begin_all(&mut self) {
        self.start_all(EventTag::Received, self.received_at);
    }

    /// Finds out which cycles migrations take away, and since when that is known.
    ///
    /// Whether one does depends on whether the cycle is missed by then, and so on interruptions; which of these count depends
    /// on when the cycle is finished. So it is asked at each instant at which something about it became known, the first one
    /// first: what was taken away by then is finished, and goes by what was known then.
    fn know_taken(&mut self) {
        for known in self.ahead.decisive(self.given.editions, self.given.interruptions, self.now) {
            let mut then = Run::new(self.given, self.request, Some(known));
            then.ahead = self.ahead.until(known);
            let events: Vec<&'a Event> = then.ahead.events().collect();
            then.play(events.into_iter());
            for (event, clock) in then.lost {
                self.ahead.take_away(Taken { event, clock, known });
            }
        }
    }

    fn finished(mut self) -> Timeline {
        self.done.extend(self.lanes.iter_mut().filter_map(|lane| lane.cycle.take()));
        self.done.sort_unstable_by_key(|cycle| (cycle.clock, cycle.number));
        let done = &mut self.done;
        self.waivers.retain(|waiver| {
            let of = |cycle: &&mut Cycle| cycle.clock == waiver.clock && cycle.number == waiver.cycle;
            let waived = done.iter_mut().find(of).map(|cycle| {
                cycle.waive(waiver.at);
                cycle.waived_at.is_some()
            });
            waived == Some(true)
        });
        Timeline {
            cycles: self.done,
            holds: self.holds,
            facts: self.facts,
            state: self.state,
            last_event_at: self.last_event_at,
            unanswered_since: self.unanswered_since,
            expedites: self.expedites,
            refusal: self.refusal,
            waivers: self.waivers,
        }
    }

    fn event(&mut self, event: &'a Event) {
        let at = event.at.max(self.received_at);
        self.last_event_at = at;
        // What begins before the event may be finished by it.
        self.arm_before(at.as_secs());
        self.next += 1;
        if !self.given.editions.is_empty() && self.replayed == 0 {
            self.seen.push(event);
        }
        if let EventKind::Migrated { to, .. } = event.kind {
            if self.replayed == 0 {
                self.migrate(at, to);
            }
            return;
        }
        let closed = matches!(self.state, RequestState::Cancelled { .. } | RequestState::Refused { .. });
        if closed && event.kind != EventKind::Reopened {
            match &event.kind {
                EventKind::Changed { facts } => self.learn(facts.iter()),
                EventKind::Waived { .. } | EventKind::WaiverWithdrawn { .. } => self.waive(at, event),
                EventKind::ExpediteWithdrawn => self.end_expedite(at),
                _ => {}
            }
            return;
        }
        match &event.kind {
            EventKind::Paused { reason } => self.hold(at, reason),
            EventKind::Resumed => self.release(at),
            EventKind::Changed { facts } => self.change(at, facts.iter()),
            EventKind::Promised { due } => return self.promise(at, *due),
            EventKind::Cancelled => return self.cancel(at),
            EventKind::Reopened if self.state == RequestState::Open => return,
            EventKind::Reopened => return self.reopen(at),
            EventKind::Resolved => {
                if self.state == RequestState::Open {
                    self.state = RequestState::Resolved { at };
                }
                self.unanswered_since = None;
                self.drop_proposal();
            }
            EventKind::Replied => self.unanswered_since = None,
            EventKind::CustomerReplied => self.unanswered_since = self.unanswered_since.or(Some(at)),
            EventKind::VendorContacted { vendor } | EventKind::VendorReplied { vendor } => {
                return self.vendor(at, event.kind.tag(), vendor);
            }
            EventKind::Expedited { .. } => self.expedite(at, event),
            EventKind::ExpediteWithdrawn => self.end_expedite(at),
            EventKind::RefusalProposed => self.propose_refusal(at, event),
            EventKind::RefusalApproved => return self.approve_refusal(at, event),
            EventKind::RefusalWithdrawn => self.drop_proposal(),
            EventKind::Waived { .. } | EventKind::WaiverWithdrawn { .. } => return self.waive(at, event),
            _ => {}
        }
        for lane in 0..self.lanes.len() {
            self.ordinary(lane, at, event.kind.tag());
        }
    }

    /// Another version of the policy is in force from `at` on: open cycles are as if it always had been, what is finished
    /// stays.
    fn migrate(&mut self, at: Instant, edition: u32) {
        let editions = self.given.editions;
        let Some((_, policy)) = editions.iter().find(|(known, _)| *known == edition) else { return };
        let mut fresh = Run::new(Given { policy, ..self.given }, self.request, self.now);
        fresh.ahead.clone_from(&self.ahead);
        fresh.replayed = self.next;
        fresh.begin_all();
        self.seen.iter().for_each(|event| fresh.event(event));
        fresh.arm_before(at.as_secs());
        self.given.policy = policy;
        self.chained = fresh.chained;
        let mut old = std::mem::take(&mut self.lanes).into_iter();
        for new in fresh.lanes {
            self.lanes.push(match old.next() {
                None => new.joined(at),
                Some(old) => {
                    let rule = new.clock().rule_for(&self.facts).map(|(index, _)| index);
                    let was_open = old.open().is_some();
                    let lane = old.migrated(new, rule, at);
                    if was_open && lane.open().is_none() {
                        self.lost.push((self.next - 1, self.lanes.len()));
                    }
                    lane
                }
            });
        }
    }

    /// An event about a vendor reaches the clocks about any vendor, and those about this one.
    fn vendor(&mut self, at: Instant, tag: EventTag, vendor: &str) {
        for lane in 0..self.lanes.len() {
            let about = |lane: &Lane<'_>| lane.clock().is_about_vendor(vendor);
            if self.lanes.get(lane).is_some_and(about) {
                self.ordinary(lane, at, tag);
            }
        }
    }

    /// The fact `expedite` is there from now on, so that rules that ask for it match.
    fn expedite(&mut self, at: Instant, event: &Event) {
        let EventKind::Expedited { approved_by } = &event.kind else { return };
        if self.state != RequestState::Open || self.facts.get(Facts::EXPEDITE).is_some() {
            return;
        }
        let customer = self.facts.get("customer").map(str::to_owned);
        let (by, approved_by) = (event.by.clone(), approved_by.clone());
        self.expedites.push(Expedite { at, customer, by, approved_by });
        self.facts.set(Facts::EXPEDITE, "yes");
        self.rematch(at);
    }

    fn end_expedite(&mut self, at: Instant) {
        if self.facts.get(Facts::EXPEDITE).is_some() {
            self.expedites.pop();
            self.facts.set(Facts::EXPEDITE, "");
            self.rematch(at);
        }
    }

    fn propose_refusal(&mut self, at: Instant, event: &Event) {
        if self.state == RequestState::Open && !self.refusal.as_ref().is_some_and(Refusal::is_open) {
            self.refusal = Some(Refusal {
                proposed_at: at,
                proposed_by: event.by.clone(),
                reason: event.text.clone(),
                approved_at: None,
                approved_by: None,
            });
        }
    }

    /// An open proposal is off the table: withdrawn, or the request was handled or withdrawn.
    fn drop_proposal(&mut self) {
        self.refusal = self.refusal.take().filter(|refusal| !refusal.is_open());
    }

    /// Two people make a refusal: without an open proposal, or by the one who proposed it, nothing happens. Clocks that
    /// the approval stops are fulfilled by it, all others are withdrawn.
    fn approve_refusal(&mut self, at: Instant, event: &Event) {
        let open = self.refusal.as_mut().filter(|refusal| refusal.is_open());
        let Some(refusal) = open.filter(|refusal| refusal.proposed_by != event.by) else { return };
        refusal.approved_at = Some(at);
        refusal.approved_by.clone_from(&event.by);
        self.release(at);
        self.state = RequestState::Refused { at };
        self.unanswered_since = None;
        for lane in &mut self.lanes {
            let fulfilled = lane.clock().stop.contains(&EventTag::RefusalApproved);
            lane.finish(at, EventTag::RefusalApproved, !fulfilled);
        }
    }

    /// Waivers are held against the cycles at the end, when these are known.
    fn waive(&mut self, at: Instant, event: &Event) {
        let (EventKind::Waived { clock, cycle } | EventKind::WaiverWithdrawn { clock, cycle }) = &event.kind
        else {
            return;
        };
        let Some(clock) = self.lanes.iter().position(|lane| lane.clock().name == *clock) else { return };
        self.waivers.retain(|waiver| waiver.clock != clock || waiver.cycle != *cycle);
        if let EventKind::Waived { .. } = event.kind {
            let (by, reason) = (event.by.clone(), event.text.clone());
            self.waivers.push(Waiver { clock, cycle: *cycle, at, by, reason });
        }
    }

    /// What an event's mere kind does to a clock: restart, stop or start.
    fn ordinary(&mut self, lane: usize, at: Instant, tag: EventTag) {
        let Some(this) = self.lanes.get_mut(lane) else { return };
        let clock = this.clock();
        if this.open().is_some() {
            let restarts = clock.restart.contains(&tag);
            if restarts || clock.stop.contains(&tag) {
                this.finish(at, tag, false);
            }
            if restarts {
                self.begin(lane, at, None, Origin::Event);
            }
        } else if clock.start.contains(&Trigger::Event(tag)) {
            self.begin(lane, at, None, Origin::Event);
        }
    }

    fn start_all(&mut self, tag: EventTag, at: Instant) {
        for lane in 0..self.lanes.len() {
            self.ordinary(lane, at, tag);
        }
    }

    /// Begins a cycle with the full target under the facts of the moment, stopped if the request is on hold.
    fn begin(&mut self, lane: usize, at: Instant, promise: Option<Instant>, origin: Origin) {
        let Some(this) = self.lanes.get_mut(lane) else { return };
        let rule = this.clock().rule_for(&self.facts).map(|(index, _)| index);
        let last = this.cycle.take();
        let number = last.as_ref().map_or(1, |cycle| cycle.number.saturating_add(1));
        self.done.extend(last);
        this.begin(number, at, rule, promise, origin);
        if self.holds.last().is_some_and(|hold| hold.to.is_none() && stops(this.clock(), &hold.reason)) {
            this.hold(at, true);
        }
        self.foresee(lane);
    }

    /// Works out what interrupts a cycle that has just begun: what is known when it will be finished, if it will.
    fn foresee(&mut self, lane: usize) {
        if self.given.interruptions.is_empty() {
            return;
        }
        let Some(this) = self.lanes.get(lane) else { return };
        let from = (self.next, self.replayed);
        let refusal = self.refusal.as_ref();
        let finish =
            self.ahead.finish_of((lane, this.clock()), from, self.given.editions, self.state, refusal);
        let known = finish.or(self.now);
        let entries = self.given.interruptions.stopping(self.given.policy, known);
        let Some(this) = self.lanes.get_mut(lane) else { return };
        this.foresee(&entries);
        let begun = this.open().map(|cycle| cycle.started_at);
        while begun.is_some() && self.lanes.get(lane).and_then(|lane| lane.next_edge()) == begun {
            self.take_edge(lane);
        }
    }

    fn take_edge(&mut self, lane: usize) {
        let facts = &self.facts;
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.take_edge(|entry, calendar| entry.window.is_about(facts, calendar));
        }
    }

    /// The next edge at or before `until`: its instant and lane.
    fn next_edge(&self, until: i64) -> Option<(Instant, usize)> {
        let edges =
            self.lanes.iter().enumerate().filter_map(|(index, lane)| Some((lane.next_edge()?, index)));
        edges.min().filter(|(at, _)| at.as_secs() <= until)
    }

    fn hold(&mut self, at: Instant, reason: &str) {
        if let Some(hold) = self.holds.last_mut().filter(|hold| hold.to.is_none()) {
            if hold.reason == reason {
                return;
            }
            hold.to = Some(at);
        }
        self.holds.push(Hold { reason: reason.to_owned(), from: at, to: None });
        for lane in &mut self.lanes {
            lane.hold(at, stops(lane.clock(), reason));
        }
    }

    fn release(&mut self, at: Instant) {
        if let Some(hold) = self.holds.last_mut().filter(|hold| hold.to.is_none()) {
            hold.to = Some(at);
            self.lanes.iter_mut().for_each(|lane| lane.hold(at, false));
        }
    }

    fn learn<'s>(&mut self, facts: impl Iterator<Item = (&'s String, &'s String)>) {
        for (name, value) in facts.filter(|(name, _)| *name != Facts::EXPEDITE) {
            self.facts.set(name.as_str(), value.as_str());
        }
    }

    fn change<'s>(&mut self, at: Instant, facts: impl Iterator<Item = (&'s String, &'s String)>) {
        self.learn(facts);
        self.rematch(at);
    }

    /// The facts are others from `at` on: another rule may count.
    fn rematch(&mut self, at: Instant) {
        for lane in &mut self.lanes {
            if lane.open().is_some() {
                let rule = lane.clock().rule_for(&self.facts).map(|(index, _)| index);
                lane.change(at, rule);
            }
        }
    }

    /// A promise supersedes the cycle of a clock that promises start, and tells every other open one.
    fn promise(&mut self, at: Instant, due: Instant) {
        let due = due.max(at);
        for lane in 0..self.lanes.len() {
            let Some(this) = self.lanes.get_mut(lane) else { return };
            if this.clock().start.contains(&Trigger::Event(EventTag::Promised)) {
                this.finish(at, EventTag::Promised, true);
                self.begin(lane, at, Some(due), Origin::Event);
            } else {
                this.promise(at, due);
                self.ordinary(lane, at, EventTag::Promised);
            }
        }
    }

    fn cancel(&mut self, at: Instant) {
        self.release(at);
        self.state = RequestState::Cancelled { at };
        self.drop_proposal();
        self.unanswered_since = None;
        for lane in &mut self.lanes {
            lane.finish(at, EventTag::Cancelled, true);
        }
    }

    /// Work goes on, so a hold from before is over.
    fn reopen(&mut self, at: Instant) {
        self.release(at);
        self.state = RequestState::Open;
        for lane in 0..self.lanes.len() {
            let Some(this) = self.lanes.get_mut(lane) else { return };
            let clock = this.clock();
            let ended = matches!(
                this.finished_by(),
                EventTag::Resolved | EventTag::Cancelled | EventTag::RefusalApproved
            );
            if this.open().is_some() || clock.start.contains(&Trigger::Event(EventTag::Reopened)) || !ended {
                self.ordinary(lane, at, EventTag::Reopened);
            } else if clock.reopen == Reopen::Full {
                self.begin(lane, at, None, Origin::Event);
            } else if clock.reopen == Reopen::Remaining {
                let rule = clock.rule_for(&self.facts).map(|(index, _)| index);
                if let Some(last) = this.cycle.take() {
                    this.reopen(&last, at, rule);
                    self.done.push(last);
                    self.foresee(lane);
                }
            }
        }
    }

    /// Begins the cycles that thresholds before `until` start, in the order in which these are crossed.
    ///
    /// Interruptions begin and end in between, also at `until` itself.
    fn arm_before(&mut self, until: i64) {
        if self.given.interruptions.is_empty() {
            return self.arm_until(until);
        }
        loop {
            let edge = self.next_edge(until);
            let crossed = self.arm_next(edge.map_or(until, |(at, _)| at.as_secs()));
            match (crossed, edge) {
                (true, _) => {}
                (false, Some((_, lane))) => self.take_edge(lane),
                (false, None) => return,
            }
        }
    }

    fn arm_until(&mut self, until: i64) {
        while self.arm_next(until) {}
    }

    /// Begins what the first threshold before `until` starts; false if there is none.
    fn arm_next(&mut self, until: i64) -> bool {
        if !self.chained {
            return false;
        }
        if let Some((trigger, crossed)) = self.next_crossed(until) {
            for lane in 0..self.lanes.len() {
                let Some(this) = self.lanes.get(lane) else { break };
                let clock = this.clock();
                // A request that is resolved needs no clock that `resolved` would stop.
                let over = self.state != RequestState::Open && clock.stop.contains(&EventTag::Resolved);
                if clock.start.contains(&trigger) && this.open().is_none() && !over {
                    let origin = Origin::Threshold { by_change: crossed.by_change };
                    self.begin(lane, crossed.at, None, origin);
                }
            }
            return true;
        }
        false
    }

    /// Takes the first threshold before `until` that no clock was started for yet.
    fn next_crossed(&mut self, until: i64) -> Option<(Trigger, Threshold)> {
        let mut first: Option<(Trigger, Threshold)> = None;
        for (index, lane) in self.lanes.iter().enumerate() {
            let Some(cycle) = lane.open() else { continue };
            let late = cycle.due_threshold().filter(|_| !lane.late_fired);
            let breach = cycle.breach_threshold().filter(|_| !lane.breach_fired);
            let candidates = [(Trigger::Late(index), late), (Trigger::Breached(index), breach)];
            for (trigger, threshold) in candidates {
                if let Some(threshold) = threshold
                    && threshold.at.as_secs() < until
                    && first.is_none_or(|(_, best)| threshold.at < best.at)
                {
                    first = Some((trigger, threshold));
                }
            }
        }
        match first {
            Some((Trigger::Late(index), _)) => self.lanes.get_mut(index)?.late_fired = true,
            Some((Trigger::Breached(index), _)) => self.lanes.get_mut(index)?.breach_fired = true,
            _ => {}
        }
        first
    }
}

fn stops(clock: &Clock, reason: &str) -> bool {
    clock.pause.iter().any(|known| known == reason)
}
