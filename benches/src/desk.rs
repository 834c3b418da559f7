//! A service desk's requests, with two promises each, for the benchmarks of the store. Everything follows from a seed.

use slaclock::{Event, EventKind, Facts, Instant, Operation, Policy, Request};

use crate::data::Random;

/// 2026-01-05T00:00:00Z: the first requests are received here.
pub const FIRST_S: i64 = 1_767_571_200;
/// Requests are received within so many seconds: thirty days.
pub const RECEIVED_WITHIN_S: i64 = 30 * 86_400;

/// A policy with an answer by priority and a handling by category, with a backstop; long enough that nothing is due while
/// requests still arrive.
///
/// # Panics
/// If it does not load.
#[must_use]
pub fn policy() -> Policy {
    let mut text = String::from(
        r#"
[policy]
name = "desk"
version = 1

[calendar.office]
zone = "Europe/Moscow"
hours = { mon-fri = "09:00-18:00" }
holidays = ["01-01..01-08", "02-23", "03-08", "05-01", "05-09", "06-12", "11-04"]

[[clock]]
name = "answer"
start = "received"
stop = "replied"
rules = [
  { when = { priority = "P1" }, target = { working = "240h" } },
  { when = { priority = "P2" }, target = { working = "280h" } },
  { when = { priority = "P3" }, target = { working = "320h" } },
  { when = { priority = "P4" }, target = { working = "360h" } },
]

[[clock]]
name = "handling"
start = "received"
stop = "resolved"
pause = ["waiting_customer"]
rules = [
"#,
    );
    for category in 0..CATEGORIES {
        let hours = 220 + category * 3;
        text.push_str(&format!(
            "  {{ when = {{ category = \"c{category:02}\" }}, target = {{ working = \"{hours}h\" }}, backstop = {{ working = \"{}h\" }} }},\n",
            hours + 60
        ));
    }
    text.push_str("]\n");
    Policy::from_toml(&text).unwrap_or_else(|error| panic!("{error}"))
}

const CATEGORIES: u32 = 48;

/// `count` requests by rising receipt, with ids in random order, as trackers give them.
///
/// # Panics
/// Never: all instants are in range.
#[must_use]
pub fn requests(count: usize) -> Vec<Request> {
    let mut random = Random::new(20_261_122);
    let mut received: Vec<i64> = (0..count).map(|_| FIRST_S + random.below(RECEIVED_WITHIN_S)).collect();
    received.sort_unstable();
    received.into_iter().enumerate().map(|(number, at)| request(&mut random, number, at)).collect()
}

fn request(random: &mut Random, number: usize, at: i64) -> Request {
    let at = Instant::from_secs(at).unwrap_or_else(|error| panic!("{error}"));
    Request::new(id(number), at)
        .customer(format!("customer {}", random.below(5_000)))
        .priority(format!("P{}", 1 + random.below(4)))
        .category(format!("c{:02}", random.below(i64::from(CATEGORIES))))
        .channel(["phone", "email", "portal"][random.below(3) as usize])
        .subject(format!("Something is not as it should be, case {number}"))
}

/// The external id of the request of this number: unique, in no order.
#[must_use]
pub fn id(number: usize) -> String {
    format!("{:012x}-{number}", Random::new(number as u64).draw() >> 16)
}

/// The requests as operations.
#[must_use]
pub fn submits(requests: &[Request]) -> Vec<Operation> {
    requests.iter().cloned().map(Operation::Submit).collect()
}

/// What a peer stores of a request's clocks: due, and limit where there is one.
///
/// # Panics
/// If the policy gives no deadline.
#[must_use]
pub fn clocks(policy: &Policy, request: &Request) -> [(u32, Option<u32>); 2] {
    let facts: Facts = request.facts();
    let clock = |at: usize| {
        let clock = &policy.clocks()[at];
        let due = clock.due(request.received_at, &facts).unwrap_or_else(|error| panic!("{error}"));
        let limit = clock.limit(request.received_at, &facts).unwrap_or_else(|error| panic!("{error}"));
        (due.as_secs() as u32, limit.map(|limit| limit.as_secs() as u32))
    };
    [clock(0), clock(1)]
}

/// The instant at which so large a share of all clocks is past due.
///
/// # Panics
/// If there are no requests.
#[must_use]
pub fn when_late(policy: &Policy, requests: &[Request], share: f64) -> Instant {
    let mut due: Vec<u32> =
        requests.iter().flat_map(|request| clocks(policy, request)).map(|(due, _)| due).collect();
    due.sort_unstable();
    let at = due[((due.len() - 1) as f64 * share) as usize];
    Instant::from_secs(i64::from(at) + 1).unwrap_or_else(|error| panic!("{error}"))
}

/// Six events of a request's life, in the order of time.
///
/// # Panics
/// Never: all instants are in range.
#[must_use]
pub fn life(request: &Request) -> Vec<Event> {
    let at = |seconds: i64| {
        Instant::from_secs(request.received_at.as_secs() + seconds).unwrap_or_else(|error| panic!("{error}"))
    };
    let paused = EventKind::Paused { reason: "waiting_customer".into() };
    vec![
        Event::new(EventKind::Assigned { to: "ann".into() }, at(600)).by("desk"),
        Event::new(EventKind::Replied, at(3_600)).by("ann").key("r1"),
        Event::new(paused, at(7_200)).by("ann").key("p1"),
        Event::new(EventKind::CustomerReplied, at(90_000)).key("c1"),
        Event::new(EventKind::Resumed, at(90_060)).by("ann").key("p2"),
        Event::new(EventKind::Resolved, at(180_000)).by("ann").key("d1"),
    ]
}
