//! Random rules, receipts and pauses against a slow reference written straight from the specification, and the laws
//! that deadlines keep.
//!
//! What could go wrong: an edge of a table, a change of the clocks, a date that belongs to the wrong stretch. Set
//! `SLACLOCK_SEED` to repeat a run; every failure prints it.
#![allow(clippy::print_stdout, reason = "the seed must be seen")]

#[path = "support/random.rs"]
mod random;
#[path = "support/reference.rs"]
mod reference;

use random::{Case, Random, World, seed, worlds};
use reference::Slow;
use slaclock::policy::Rule;
use slaclock::target::{
    Branch, ClosedDay, DayTime, Due, How, Measure, NoDeadline, Paused, ReceiptRule, ReceiptWhen, Target,
    Trace,
};
use slaclock::time::{Instant, Span, TimeOfDay};

const CASES: usize = 24_000;

fn at(seconds: i64) -> Instant {
    Instant::from_secs(seconds).expect("a supported instant")
}

fn secs(due: Due) -> Result<i64, NoDeadline> {
    due.map(Instant::as_secs)
}

/// Runs `cases` random cases, spread over the worlds.
fn run(what: &str, cases: usize, mut check: impl FnMut(&World, &Case, &mut Random) -> Result<(), String>) {
    let seed = seed();
    println!("SLACLOCK_SEED={seed} ({what})");
    let mut random = Random::new(seed);
    let worlds = worlds(&mut random);
    assert!(worlds.len() >= 24);
    let each = cases.div_ceil(worlds.len());
    let mut failures = Vec::new();
    for world in &worlds {
        for _ in 0..each {
            let case = world.case(&mut random);
            if let Err(why) = check(world, &case, &mut random) {
                failures.push(format!("{why}\n  zone {}, {:?}", world.zone, case));
            }
        }
    }
    let shown: Vec<_> = failures.iter().take(5).map(String::as_str).collect();
    assert!(
        failures.is_empty(),
        "SLACLOCK_SEED={seed}: {} of {cases} cases\n{}",
        failures.len(),
        shown.join("\n")
    );
}

fn slow<'a>(world: &'a World, rule: &'a Rule, target: &'a Target) -> Slow<'a> {
    Slow { calendar: &world.reference, receipt: &rule.receipt, target, roll_forward: rule.roll_forward }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: found {found:?}, wanted {wanted:?}")) }
}

fn holds(law: &str, holds: bool) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("broken: {law}")) }
}

#[test]
fn every_instant_is_that_of_the_slow_reference() {
    run("reference", CASES, |world, case, _| {
        let Case { rule, received, promised, pauses } = case;
        let (target, backstop) = (slow(world, rule, &rule.target), rule.backstop.as_ref());
        let promised_secs = promised.map(Instant::as_secs);
        let from = target.counted_from(received.as_secs());
        same("counted from", rule.counted_from(*received).as_secs(), from.unwrap_or(received.as_secs()))?;
        same("due", secs(rule.due(*received)), target.due(received.as_secs(), (0, 0), None))?;
        // Time on hold, measured both ways.
        let (mut paused, mut slow_paused) = (Paused::default(), (0, 0));
        for (begin, end) in pauses {
            paused = paused.plus(rule.paused_between(*received, *begin, *end));
            let (begin, end) = (begin.as_secs().max(from.unwrap_or(received.as_secs())), end.as_secs());
            if end > begin {
                slow_paused.0 += world.reference.working(begin, end);
                slow_paused.1 += end - begin;
            }
        }
        same("paused", (paused.working.as_secs(), paused.elapsed.as_secs()), slow_paused)?;
        let due = target.due(received.as_secs(), slow_paused, promised_secs);
        same("shifted due", secs(rule.due_shifted(*received, paused, *promised)), due)?;
        if let Some(backstop) = backstop {
            let limit = slow(world, rule, backstop).due(received.as_secs(), slow_paused, promised_secs);
            let limit = limit.map(|limit| due.map_or(limit, |due| limit.max(due)));
            same("limit", rule.limit_shifted(*received, paused, *promised).map(secs), Some(limit))?;
        }
        warning(world, case, paused, slow_paused)
    });
}

/// The instant at which three quarters are used up, by the specification's sentence.
fn warning(world: &World, case: &Case, paused: Paused, slow_paused: (i64, i64)) -> Result<(), String> {
    let Case { rule, received, promised, .. } = case;
    let target = slow(world, rule, &rule.target);
    let promised_secs = promised.map(Instant::as_secs);
    let warn = secs(rule.warn_shifted(*received, 75, paused, *promised));
    let (unpaused, due) = (
        target.due(received.as_secs(), (0, 0), promised_secs),
        target.due(received.as_secs(), slow_paused, promised_secs),
    );
    let (Ok(unpaused), Ok(due), Ok(from)) = (unpaused, due, target.counted_from(received.as_secs())) else {
        return holds("no warning without deadline", warn.is_err());
    };
    let c = &world.reference;
    let used = |total: i64| (total.max(0) * 75 + 99) / 100;
    let wanted = match rule.measure() {
        Measure::Working => c.add(from, used(c.working(from, unpaused)) + slow_paused.0),
        Measure::Elapsed => Ok(from + used(unpaused - from) + slow_paused.1),
    };
    same("warning", warn, Ok(wanted.map_or(due, |wanted| wanted.min(due))))
}

#[test]
fn time_on_hold_never_makes_anything_earlier_and_nothing_precedes_the_receipt() {
    run("laws", 6_000, |_, case, random| {
        let Case { rule, received, promised, .. } = case;
        let more = |random: &mut Random, paused: Paused| {
            let working = random.below(30_000);
            let longer = Paused {
                working: Span::from_secs(working),
                elapsed: Span::from_secs(working + random.below(90_000)),
            };
            paused.plus(longer)
        };
        let some = more(random, Paused::default());
        let longer = more(random, some);
        let dues: Vec<Due> = [Paused::default(), some, longer]
            .map(|paused| rule.due_shifted(*received, paused, *promised))
            .to_vec();
        holds(
            "more time on hold, no earlier due",
            dues.windows(2).all(|two| match (two[0], two[1]) {
                (Ok(less), Ok(more)) => less <= more,
                // An earliest target may lose the component that led beyond the range, never gain one.
                (Err(_), Ok(_)) => false,
                (_, Err(_)) => true,
            }),
        )?;
        for (due, paused) in dues.iter().zip([Paused::default(), some, longer]) {
            let Ok(due) = *due else { continue };
            holds("due is not before the receipt", due >= *received)?;
            if let Some(Ok(limit)) = rule.limit_shifted(*received, paused, *promised) {
                holds("limit is not before due", limit >= due)?;
            }
            let warns: Vec<Instant> = [1, 50, 99, 100]
                .iter()
                .filter_map(|p| rule.warn_shifted(*received, *p, paused, *promised).ok())
                .collect();
            holds("warnings rise up to due", warns.is_sorted() && warns.iter().all(|warn| *warn <= due))?;
            holds(
                "nothing remains at due",
                rule.remaining(*received, due, paused, *promised) == Ok(Span::ZERO),
            )?;
        }
        Ok(())
    });
}

#[test]
fn a_hold_keeps_exactly_what_remained() {
    run("remaining", 6_000, |_, case, random| {
        let Case { rule, received, promised, .. } = case;
        // Where all components share one measure and nothing rolls, what remains at the start of a hold remains at its end.
        if rule.roll_forward || matches!(rule.target, Target::Earliest(_) | Target::Latest(_)) {
            return Ok(());
        }
        let Ok(due) = rule.due_shifted(*received, Paused::default(), *promised) else { return Ok(()) };
        let from = rule.counted_from(*received);
        if due <= from {
            return Ok(());
        }
        let begin = at(from.as_secs() + random.below(due.since(from).as_secs() + 1));
        let Ok(end) = Instant::from_secs(begin.as_secs() + random.below(9 * 86_400)) else { return Ok(()) };
        let paused = rule.paused_between(*received, begin, end);
        if rule.due_shifted(*received, paused, *promised).is_err() {
            return Ok(());
        }
        let before = rule.remaining(*received, begin, Paused::default(), *promised);
        let after = rule.remaining(*received, end, paused, *promised);
        same("remaining after the hold", after, before)
    });
}

#[test]
fn a_countdown_says_what_all_holds_together_say() {
    run("countdown", 9_000, |_, case, random| {
        let Case { rule, received, pauses, .. } = case;
        let (mut countdown, mut paused) = (rule.countdown(*received), Paused::default());
        let due = |paused| rule.due_shifted(*received, paused, None);
        same("due before any hold", countdown.due(), due(paused))?;
        for (begin, end) in pauses {
            countdown.pause(*begin);
            let counts = due(paused).is_ok_and(|due| (*begin).max(rule.counted_from(*received)) <= due);
            same("on hold", countdown.is_paused(), counts)?;
            if counts {
                let at = at(begin.as_secs() + random.below(100_000));
                let left = rule.remaining(*received, *begin, paused, None);
                same("remaining while on hold", countdown.remaining(at), left)?;
                paused = paused.plus(rule.paused_between(*received, *begin, *end));
            }
            countdown.resume(*end);
            same("time on hold", countdown.paused(), paused)?;
            same("due after the hold", countdown.due(), due(paused))?;
            let left = rule.remaining(*received, *end, paused, None);
            same("remaining after the hold", countdown.remaining(*end), left)?;
        }
        Ok(())
    });
}

#[test]
fn working_time_is_reached_at_the_first_instant_and_not_a_second_earlier() {
    run("left-continuity", 6_000, |world, case, random| {
        let calendar = &case.rule.calendar;
        let span = 1 + random.below(400_000);
        let rule = Rule { target: Target::Working(Span::from_secs(span)), ..plain(&case.rule) };
        let Ok(due) = rule.due(case.received) else { return Ok(()) };
        same("working time to due", calendar.working_time(case.received, due).as_secs(), span)?;
        let before = at(due.as_secs() - 1);
        same("to a second before", calendar.working_time(case.received, before).as_secs(), span - 1)?;
        same("the reference's", world.reference.working(case.received.as_secs(), due.as_secs()), span)
    });
}

/// The rule without receipt rules and rolling.
fn plain(rule: &Rule) -> Rule {
    Rule { receipt: Vec::new(), roll_forward: false, backstop: None, ..rule.clone() }
}

/// Targets that promise to be monotone: everything but `same time` and cut-offs that read closed dates as another time.
fn monotone_targets() -> Vec<Target> {
    let time = |text: &str| TimeOfDay::parse(text).expect("a time");
    let branch = |before: Option<&str>, working_days, at| Branch {
        received_before: before.map(time),
        working_days,
        at,
    };
    let promise = vec![branch(Some("14:00"), 0, DayTime::Close), branch(None, 1, DayTime::At(time("11:00")))];
    vec![
        Target::Elapsed(Span::from_hours(72)),
        Target::Working(Span::from_hours(9)),
        Target::WorkingDays { days: 3, at: DayTime::Close },
        Target::WorkingDays { days: 1, at: DayTime::At(time("11:00")) },
        Target::CalendarDays { days: 2, at: DayTime::Close },
        Target::CalendarDays { days: 2, at: DayTime::At(time("02:30")) },
        Target::Cutoff { branches: promise, closed_day: ClosedDay::Otherwise },
    ]
}

#[test]
fn deadlines_never_decrease_as_receipt_time_grows() {
    run("monotone", 2_400, |world, case, random| {
        let targets = monotone_targets();
        let mut rule = Rule { target: random.pick(&targets).clone(), ..plain(&case.rule) };
        rule.roll_forward = random.one_in(3);
        if random.one_in(3) {
            let counts_as = slaclock::target::CountsAs::NextOpening;
            rule.receipt = vec![ReceiptRule { when: ReceiptWhen::OutsideHours, counts_as }];
        }
        // The reference promise is about days that are open when it says so; a night shift's close is another promise.
        if matches!(rule.target, Target::Cutoff { .. }) && !world.day_shifts {
            return Ok(());
        }
        let mut receipts: Vec<Instant> = (0..60)
            .filter_map(|_| Instant::from_secs(case.received.as_secs() + random.below(12 * 86_400)).ok())
            .collect();
        receipts.extend(world.edges_near(case.received, random));
        receipts.sort_unstable();
        for two in receipts.windows(2) {
            let (Ok(earlier), Ok(later)) = (rule.due(two[0]), rule.due(two[1])) else { continue };
            // As the clock is set back, civil time itself decreases.
            let set_back = rule.calendar.local(two[0]) >= rule.calendar.local(two[1]);
            holds(
                &format!("{:?} at {} is due {earlier}, at {} it is due {later}", rule.target, two[0], two[1]),
                earlier <= later || set_back || two[0] == two[1],
            )?;
        }
        Ok(())
    });
}

#[test]
fn the_proof_adds_up_to_the_target_and_ends_where_due_says() {
    run("trace", 5_000, |_, case, _| {
        let Case { rule, received, promised, pauses } = case;
        let pauses: Vec<_> =
            pauses.iter().map(|(from, to)| (*from, Some(*to), "waiting".to_owned())).collect();
        let trace = rule.trace(*received, &pauses, *promised);
        let counted = trace.pauses.iter().filter_map(|pause| match &pause.effect {
            slaclock::target::PauseEffect::Counted { paused, .. } => Some(*paused),
            _ => None,
        });
        let paused = counted.fold(Paused::default(), Paused::plus);
        same("traced due", secs(trace.due()), secs(rule.due_shifted(*received, paused, *promised)))?;
        let limit = trace.limit.as_ref().map(|limit| secs(limit.as_due()));
        same("traced limit", limit, rule.limit_shifted(*received, paused, *promised).map(secs))?;
        let without = rule.trace(*received, &[], None);
        same("due without pauses", secs(without.due()), secs(rule.due(*received)))?;
        adds_up(&trace.target, &trace)?;
        trace.backstop.iter().try_for_each(|backstop| adds_up(backstop, &trace))?;
        holds("the sentences end with the outcome", trace.to_string().contains("\ndue"))
    });
}

fn adds_up(derivation: &slaclock::target::Derivation, trace: &Trace) -> Result<(), String> {
    match &derivation.how {
        How::Time(used) if derivation.due.as_due().is_ok() => {
            same("sum of the stretches", used.total(), used.target)?;
            let begins = trace.counted_from.at;
            let in_order = used.stretches.windows(2).all(|two| two[0].to <= two[1].from);
            let apart = trace.pauses.iter().all(|pause| match (&pause.effect, &pause.to) {
                (slaclock::target::PauseEffect::Counted { .. }, Some(to)) => {
                    used.stretches.iter().all(|stretch| stretch.to <= pause.from.at || stretch.from >= to.at)
                }
                _ => true,
            });
            let lengths =
                used.stretches.iter().all(|stretch| stretch.to.since(stretch.from) == stretch.length);
            holds(
                "stretches in order, from the receipt on",
                in_order && used.stretches.iter().all(|it| it.from >= begins),
            )?;
            holds("no stretch on hold, each as long as it says", apart && lengths)
        }
        How::Earliest(parts) | How::Latest(parts) => {
            parts.parts.iter().try_for_each(|part| adds_up(part, trace))
        }
        _ => Ok(()),
    }
}
