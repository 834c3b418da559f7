//! Commands on a policy file: `check`, `due`, `explain`.

use std::fmt::Write;

use crate::db::{Db, Options};
use crate::explain::{Explanation, explain as explain_events};
use crate::model::{EventTag, Facts, Request};
use crate::policy::{Clock, Policy, Trigger};
use crate::target::NoDeadline;
use crate::time::Instant;
use serde_json::{Value, json};

use super::Verdict;
use super::args;
use super::clock;
use super::failure::Failure;
use super::out::{self, Out};
use super::when::Zones;

pub(crate) fn check(args: &args::Check, out: &mut Out) -> Result<Verdict, Failure> {
    let policy = Policy::load(&args.policy)?;
    let on = match &args.on {
        Some(text) => text
            .parse()
            .map_err(|_| Failure::text(format!("--on `{text}`: must be a date like 2026-03-06")))?,
        None => clock::now()?.to_utc().date(),
    };
    let lints = policy.check(on);
    if out.is_json() {
        let clocks: Vec<Value> = policy.clocks().iter().map(clock_facts).collect();
        let answer = json!({
            "policy": policy.name(),
            "version": policy.version(),
            "statement": policy.statement(),
            "review": policy.review_at().map(|date| date.to_string()),
            "examples": policy.example_count(),
            "clocks": clocks,
            "lints": lints,
        });
        out.object(&answer, &Zones::of(&policy))?;
        return Ok(Verdict::Fine);
    }
    let count = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let (clocks, examples) = (policy.clocks().len(), policy.example_count());
    out.line(format!(
        "{} v{}: {}, {}, {}",
        policy.name(),
        policy.version(),
        count(clocks, "clock"),
        count(policy.calendars().len(), "calendar"),
        match examples {
            0 => "no worked example".to_owned(),
            1 => "1 worked example holds".to_owned(),
            several => format!("{several} worked examples hold"),
        }
    ))?;
    for lint in &lints {
        out.line(format!("{}:{lint}", args.policy.display()))?;
    }
    Ok(Verdict::Fine)
}

fn clock_facts(clock: &Clock) -> Value {
    let zone = clock.rules.first().map(|rule| rule.calendar.zone().name().to_owned());
    json!({ "clock": clock.name, "rules": clock.rules.len(), "zone": zone })
}

pub(crate) fn due(args: &args::Due, out: &mut Out) -> Result<Verdict, Failure> {
    let policy = Policy::load(&args.policy)?;
    let zones = Zones::of(&policy);
    let received = zones.read("--received", &args.received)?;
    let facts = facts(&args.facts);
    if let Some(name) = &args.clock {
        policy.clock(name)?;
    }
    let asked = |clock: &&Clock| args.clock.as_ref().is_none_or(|name| *name == clock.name);
    let mut table = out::table(&[]);
    for clock in policy.clocks().iter().filter(asked) {
        let answer = Answer::of(clock, received, &facts);
        if out.is_json() {
            out.object(&answer.json(clock, received), &zones)?;
        } else {
            table.add_row(answer.cells(clock, &zones));
        }
    }
    out.table(&table)?;
    Ok(Verdict::Fine)
}

fn facts(pairs: &[(String, String)]) -> Facts {
    pairs.iter().fold(Facts::none(), |facts, (name, value)| facts.with(name.clone(), value.clone()))
}

/// What a clock promises to a request at its receipt.
enum Answer {
    Due {
        due: Instant,
        limit: Option<Instant>,
        beyond_known_holidays: bool,
    },
    None(NoDeadline),
    /// The clock is not started by the receipt.
    Later,
}

impl Answer {
    fn of(clock: &Clock, received: Instant, facts: &Facts) -> Answer {
        if !clock.start.contains(&Trigger::Event(EventTag::Received)) {
            return Answer::Later;
        }
        let Some((_, rule)) = clock.rule_for(facts) else { return Answer::None(NoDeadline::NoRule) };
        match rule.due(received) {
            Ok(due) => Answer::Due {
                due,
                limit: rule.limit(received).and_then(Result::ok),
                beyond_known_holidays: rule.beyond_known_holidays(received, due),
            },
            Err(reason) => Answer::None(reason),
        }
    }

    fn json(&self, clock: &Clock, received: Instant) -> Value {
        let (due, limit, beyond, reason) = match self {
            Answer::Due { due, limit, beyond_known_holidays } => {
                (Some(due.as_secs()), limit.map(Instant::as_secs), *beyond_known_holidays, None)
            }
            Answer::None(reason) => (None, None, false, Some(reason.to_string())),
            Answer::Later => (None, None, false, Some(STARTS_LATER.to_owned())),
        };
        json!({
            "clock": clock.name,
            "received_at": received.as_secs(),
            "due_at": due,
            "limit_at": limit,
            "beyond_known_holidays": beyond,
            "no_deadline": reason,
        })
    }

    fn cells(&self, clock: &Clock, zones: &Zones) -> Vec<String> {
        let show = |at: Instant| zones.show(Some(&clock.name), at);
        match self {
            Answer::Due { due, limit, beyond_known_holidays } => vec![
                clock.name.clone(),
                format!("due  {}", show(*due)),
                limit.map_or_else(String::new, |limit| format!("limit  {}", show(limit))),
                if *beyond_known_holidays {
                    "counts past the known holidays".to_owned()
                } else {
                    String::new()
                },
            ],
            Answer::None(reason) => vec![clock.name.clone(), format!("no deadline: {reason}")],
            Answer::Later => vec![clock.name.clone(), STARTS_LATER.to_owned()],
        }
    }
}

const STARTS_LATER: &str = "does not start with the receipt";

pub(crate) fn explain(args: &args::Explain, out: &mut Out) -> Result<Verdict, Failure> {
    let wanted = args.clock.as_deref().or(args.named_clock.as_deref());
    let (explanation, zones) = match (&args.received, &args.request) {
        (Some(received), _) => {
            let policy = Policy::load(&args.file)?;
            let zones = Zones::of(&policy);
            let received = zones.read("--received", received)?;
            let request = with_facts(Request::new("example", received), &args.facts);
            let explanation = explain_events(&policy, &request, &[], the_clock(&policy, wanted)?, received)?;
            (explanation, zones)
        }
        (None, Some(id)) => {
            let db = Db::open(&args.file, Options::default().read_only())?;
            let policy = db.policy()?;
            let zones = Zones::of(&policy);
            let now = zones.now("--now", args.now.as_deref())?;
            (db.explain(id, the_clock(&policy, wanted)?, now)?, zones)
        }
        (None, None) => {
            return Err(Failure::text("give --received (with a policy) or --request (with a database)"));
        }
    };
    print(&explanation, &zones, out)?;
    Ok(Verdict::Fine)
}

fn print(explanation: &Explanation, zones: &Zones, out: &mut Out) -> Result<(), Failure> {
    if out.is_json() {
        return out.object(explanation, zones);
    }
    let mut text = String::new();
    write!(text, "{explanation}").map_err(|_| Failure::text("the explanation cannot be written"))?;
    text.lines().try_for_each(|line| out.line(line))
}

/// The clock asked for, or the only one there is.
fn the_clock<'a>(policy: &'a Policy, wanted: Option<&'a str>) -> Result<&'a str, Failure> {
    match (wanted, policy.clocks()) {
        (Some(name), _) => Ok(&policy.clock(name)?.name),
        (None, [only]) => Ok(&only.name),
        (None, clocks) => {
            let names: Vec<&str> = clocks.iter().map(|clock| clock.name.as_str()).collect();
            Err(Failure::text(format!("which clock? The policy has {}", names.join(", "))))
        }
    }
}

/// Adds facts to a request, each in its own field.
pub(crate) fn with_facts(mut request: Request, pairs: &[(String, String)]) -> Request {
    for (name, value) in pairs {
        request = match name.as_str() {
            "customer" => request.customer(value),
            "priority" => request.priority(value),
            "category" => request.category(value),
            "channel" => request.channel(value),
            _ => request.attribute(name, value),
        };
    }
    request
}
