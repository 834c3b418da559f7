//! From events to cycles: the pure function that every clock's state is.

use super::lane::{Lane, Origin};
use super::{Cycle, Hold, RequestState, Threshold, Timeline};
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
    derive_over(policy, request, events.iter())
}

/// The same for events that do not lie side by side.
pub(crate) fn derive_over<'e>(
    policy: &Policy,
    request: &Request,
    events: impl Iterator<Item = &'e Event> + Clone,
) -> Timeline {
    let sorted = events.clone().is_sorted_by_key(|event| event.at);
    Run::new(policy, request).over(events, sorted)
}

/// The same as of `now`: later events are left out. Before the receipt there are no cycles.
pub fn derive_at(policy: &Policy, request: &Request, events: &[Event], now: Instant) -> Timeline {
    let run = Run::new(policy, request);
    if now < request.received_at {
        return run.unstarted();
    }
    let known = events.iter().filter(|event| event.at <= now);
    run.over(known, events.is_sorted_by_key(|event| event.at))
}

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
}

impl<'a> Run<'a> {
    fn new(policy: &'a Policy, request: &Request) -> Run<'a> {
        let clocks = policy.clocks();
        let threshold = |trigger: &Trigger| !matches!(trigger, Trigger::Event(_));
        Run {
            received_at: request.received_at,
            lanes: clocks.iter().enumerate().map(|(index, clock)| Lane::new(clock, index)).collect(),
            chained: clocks.iter().any(|clock| clock.start.iter().any(threshold)),
            done: Vec::new(),
            holds: Vec::new(),
            facts: request.facts(),
            state: RequestState::Open,
            last_event_at: request.received_at,
            unanswered_since: Some(request.received_at),
        }
    }

    fn unstarted(mut self) -> Timeline {
        self.unanswered_since = None;
        self.finished()
    }

    fn over<'e>(mut self, events: impl Iterator<Item = &'e Event>, sorted: bool) -> Timeline {
        self.start_all(EventTag::Received, self.received_at);
        if sorted {
            events.for_each(|event| self.event(event));
        } else {
            let mut events: Vec<&Event> = events.collect();
            events.sort_by_key(|event| event.at);
            events.into_iter().for_each(|event| self.event(event));
        }
        self.arm_before(i64::MAX);
        self.finished()
    }

    fn finished(mut self) -> Timeline {
        self.done.extend(self.lanes.into_iter().filter_map(|lane| lane.cycle));
        self.done.sort_unstable_by_key(|cycle| (cycle.clock, cycle.number));
        Timeline {
            cycles: self.done,
            holds: self.holds,
            facts: self.facts,
            state: self.state,
            last_event_at: self.last_event_at,
            unanswered_since: self.unanswered_since,
        }
    }

    fn event(&mut self, event: &Event) {
        let at = event.at.max(self.received_at);
        self.last_event_at = at;
        self.arm_before(at.as_secs());
        if matches!(self.state, RequestState::Cancelled { .. }) && event.kind != EventKind::Reopened {
            if let EventKind::Changed { facts } = &event.kind {
                self.learn(facts.iter());
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
            }
            EventKind::Replied => self.unanswered_since = None,
            EventKind::CustomerReplied => self.unanswered_since = self.unanswered_since.or(Some(at)),
            _ => {}
        }
        for lane in 0..self.lanes.len() {
            self.ordinary(lane, at, event.kind.tag());
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
            this.pause(at);
        }
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
            if stops(lane.clock(), reason) { lane.pause(at) } else { lane.resume(at) }
        }
    }

    fn release(&mut self, at: Instant) {
        if let Some(hold) = self.holds.last_mut().filter(|hold| hold.to.is_none()) {
            hold.to = Some(at);
            self.lanes.iter_mut().for_each(|lane| lane.resume(at));
        }
    }

    fn learn<'s>(&mut self, facts: impl Iterator<Item = (&'s String, &'s String)>) {
        for (name, value) in facts {
            self.facts.set(name.as_str(), value.as_str());
        }
    }

    fn change<'s>(&mut self, at: Instant, facts: impl Iterator<Item = (&'s String, &'s String)>) {
        self.learn(facts);
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
            let ended = matches!(this.finished_by(), EventTag::Resolved | EventTag::Cancelled);
            if this.open().is_some() || clock.start.contains(&Trigger::Event(EventTag::Reopened)) || !ended {
                self.ordinary(lane, at, EventTag::Reopened);
            } else if clock.reopen == Reopen::Full {
                self.begin(lane, at, None, Origin::Event);
            } else if clock.reopen == Reopen::Remaining {
                let rule = clock.rule_for(&self.facts).map(|(index, _)| index);
                if let Some(last) = this.cycle.take() {
                    this.reopen(&last, at, rule);
                    self.done.push(last);
                }
            }
        }
    }

    /// Begins the cycles that thresholds before `until` start, in the order in which these are crossed.
    fn arm_before(&mut self, until: i64) {
        if !self.chained {
            return;
        }
        while let Some((trigger, crossed)) = self.next_crossed(until) {
            for lane in 0..self.lanes.len() {
                let Some(this) = self.lanes.get(lane) else { return };
                let clock = this.clock();
                // A request that is resolved needs no clock that `resolved` would stop.
                let over = self.state != RequestState::Open && clock.stop.contains(&EventTag::Resolved);
                if clock.start.contains(&trigger) && this.open().is_none() && !over {
                    let origin = Origin::Threshold { by_change: crossed.by_change };
                    self.begin(lane, crossed.at, None, origin);
                }
            }
        }
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
