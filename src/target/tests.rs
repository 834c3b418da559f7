//! What only rules built by hand can ask: empty lists, absurd lengths, promised instants. Nothing may panic.

use std::sync::Arc;

use super::*;
use crate::calendar::{Calendar, CalendarSpec, Hours};
use crate::error::ErrorKind;
use crate::policy::Rule;
use crate::zone::TzData;

fn office() -> Arc<Calendar> {
    let mut spec = CalendarSpec::new("office", "Europe/Moscow");
    let time = |text: &str| TimeOfDay::parse(text).unwrap();
    for day in 0..5 {
        spec.week[day].push(Hours { opens: time("09:00"), closes: time("18:00") });
    }
    Arc::new(Calendar::compile(spec, &TzData::bundled()).unwrap())
}

fn rule(target: Target) -> Rule {
    Rule {
        when: Vec::new(),
        calendar: office(),
        receipt: Vec::new(),
        target,
        roll_forward: false,
        backstop: None,
        warn_at: Vec::new(),
        tables: Tables::default(),
    }
}

fn at(text: &str) -> Instant {
    Instant::parse(&format!("{text}+03:00")).unwrap()
}

fn paused(working: i64, elapsed: i64) -> Paused {
    Paused { working: Span::from_secs(working), elapsed: Span::from_secs(elapsed) }
}

#[test]
fn absurd_rules_have_reasons_or_the_receipt_itself() {
    let received = at("2026-03-06T15:00:00");
    let lengths = [i64::MIN, -1, 0, i64::MAX].map(Span::from_secs);
    for span in lengths {
        for target in [Target::Elapsed(span), Target::Working(span)] {
            let wanted = if span > Span::ZERO { Err(NoDeadline::BeyondRange) } else { Ok(received) };
            assert_eq!(rule(target).due(received), wanted, "{span:?}");
        }
    }
    let late = Branch { received_before: Some(TimeOfDay::START), working_days: 0, at: DayTime::Close };
    let far = Branch { received_before: None, working_days: u32::MAX, at: DayTime::SameTime };
    let cutoff = |branches| Target::Cutoff { branches, closed_day: ClosedDay::Otherwise };
    for (target, reason) in [
        (Target::WorkingDays { days: u32::MAX, at: DayTime::SameTime }, NoDeadline::BeyondRange),
        (Target::CalendarDays { days: u32::MAX, at: DayTime::Close }, NoDeadline::BeyondRange),
        (cutoff(Vec::new()), NoDeadline::NoBranch),
        (cutoff(vec![late]), NoDeadline::NoBranch),
        (cutoff(vec![far]), NoDeadline::BeyondRange),
        (Target::Earliest(Vec::new()), NoDeadline::NoTarget),
        (Target::Latest(Vec::new()), NoDeadline::NoTarget),
        (Target::Earliest(vec![Target::Promised, Target::None]), NoDeadline::NotPromised),
        (Target::Latest(vec![Target::Elapsed(Span::from_hours(1)), Target::None]), NoDeadline::NoTarget),
    ] {
        let rule = Rule { backstop: Some(target.clone()), ..rule(target) };
        for received in [received, Instant::MIN, Instant::MAX] {
            let due = rule.due(received);
            assert!(due.is_err(), "{:?}", rule.target);
            if received != Instant::MAX {
                assert_eq!(due, Err(reason), "{:?}", rule.target);
            }
            assert_eq!(rule.limit(received), Some(due));
            let trace = rule.trace(received, &[(received, None, "x".to_owned())], None);
            assert_eq!((trace.due(), trace.stopped), (due, None));
            assert!(rule.warn_shifted(received, 200, paused(i64::MAX, i64::MAX), None).is_err());
        }
    }
}

#[test]
fn time_on_hold_beyond_all_bounds_leads_out_of_the_range() {
    let received = at("2026-03-06T15:00:00");
    for target in [Target::Working(Span::from_hours(8)), Target::Elapsed(Span::from_hours(8))] {
        let rule = rule(target);
        assert_eq!(
            rule.due_shifted(received, paused(i64::MAX, i64::MAX), None),
            Err(NoDeadline::BeyondRange)
        );
        // Less than none is none.
        assert_eq!(rule.due_shifted(received, paused(i64::MIN, i64::MIN), None), rule.due(received));
    }
    assert_eq!(paused(i64::MAX, 1).plus(paused(1, 1)), paused(i64::MAX, 2));
}

#[test]
fn a_promised_instant_is_kept_moves_by_wall_clock_time_and_is_never_before_the_receipt() {
    let (received, promised) = (at("2026-03-06T15:00:00"), at("2026-03-07T10:00:00"));
    let rule = rule(Target::Promised);
    assert_eq!(rule.due(received), Err(NoDeadline::NotPromised));
    assert_eq!(rule.due_shifted(received, Paused::default(), Some(promised)), Ok(promised));
    assert_eq!(rule.due_shifted(received, paused(60, 3600), Some(promised)), Ok(at("2026-03-07T11:00:00")));
    assert_eq!(rule.due_shifted(promised, Paused::default(), Some(received)), Ok(promised));
}

#[test]
fn each_component_moves_in_its_own_measure() {
    let received = at("2026-03-06T15:00:00");
    let parts = vec![Target::Working(Span::from_hours(4)), Target::Elapsed(Span::from_hours(72))];
    let (earliest, latest) = (rule(Target::Earliest(parts.clone())), rule(Target::Latest(parts)));
    assert_eq!(earliest.due(received), Ok(at("2026-03-09T10:00:00")));
    assert_eq!(latest.due(received), Ok(at("2026-03-09T15:00:00")));
    // On hold from Friday 16:00 to Monday 11:00: four working hours, 67 hours on the wall.
    let hold = earliest.paused_between(received, at("2026-03-06T16:00:00"), at("2026-03-09T11:00:00"));
    assert_eq!(hold, paused(4 * 3600, 67 * 3600));
    assert_eq!(earliest.due_shifted(received, hold, None), Ok(at("2026-03-09T14:00:00")));
    assert_eq!(latest.due_shifted(received, hold, None), Ok(at("2026-03-12T10:00:00")));
    assert_eq!(
        (earliest.measure(), Rule::measure_of(&Target::Promised)),
        (Measure::Working, Measure::Elapsed)
    );
}

#[test]
fn warnings_and_the_rest_are_counted_in_the_targets_own_time() {
    let received = at("2026-03-06T15:00:00");
    let rule = rule(Target::Working(Span::from_hours(8)));
    let warn = |percent, hold| rule.warn_shifted(received, percent, hold, None);
    assert_eq!(warn(50, Paused::default()), Ok(at("2026-03-09T10:00:00")));
    assert_eq!(warn(75, paused(3600, 0)), Ok(at("2026-03-09T13:00:00")));
    // A hundredth of 8 h is 288 s; of 8 h and a second it is rounded up.
    assert_eq!(warn(1, Paused::default()), Ok(at("2026-03-06T15:04:48")));
    let second = Rule { target: Target::Working(Span::from_secs(28_801)), ..rule.clone() };
    assert_eq!(second.warn_shifted(received, 1, Paused::default(), None), Ok(at("2026-03-06T15:04:49")));
    let left = |at| rule.remaining(received, at, Paused::default(), None);
    assert_eq!(left(at("2026-03-08T12:00:00")), Ok(Span::from_hours(5)));
    assert_eq!(left(at("2026-03-01T12:00:00")), Ok(Span::from_hours(8)));
    assert_eq!(left(at("2026-03-20T12:00:00")), Ok(Span::ZERO));
}

#[test]
fn a_column_has_an_answer_for_every_receipt_and_names_the_first_that_is_none() {
    let rule = rule(Target::Elapsed(Span::from_hours(1)));
    let mut out = [7; 3];
    let short = rule.due_many(&[0, 1], &mut out).unwrap_err();
    assert_eq!((short.kind(), out), (ErrorKind::InvalidArgument, [7; 3]));
    let range = rule.due_many(&[0, 4_102_444_800, -1], &mut out).unwrap_err();
    assert_eq!((range.kind(), out), (ErrorKind::OutOfRange, [3600, NO_DEADLINE, NO_DEADLINE]));
    assert!(range.message().starts_with("receipt 1: instant 4102444800 s"), "{range}");
    rule.due_many(&[0, 4_102_444_799, 4_102_441_199], &mut out).unwrap();
    assert_eq!(out, [3600, NO_DEADLINE, 4_102_444_799]);
}

/// The machine at hand runs one form of the loop; here are both.
#[test]
fn receipts_in_order_of_time_are_found_by_machines_of_both_kinds() {
    use super::flow::Which;
    use super::plain::One;
    use super::rows::Column;
    use crate::lanes::{BLOCK, Loop};
    let step = Span::from_secs(7);
    for target in [Target::Working(Span::from_hours(10)), Target::WorkingDays { days: 2, at: DayTime::Close }]
    {
        let rule = rule(target);
        let first = at("2026-03-06T08:00:00");
        rule.prepare(first, first.checked_add(Span::from_hours(24 * 40)).unwrap());
        let receipts: Vec<i64> =
            (0..512 * BLOCK as i64).map(|item| first.as_secs() + item * step.as_secs()).collect();
        let blocks = receipts.as_chunks::<BLOCK>().0;
        let table = rule.tables.of(Which::Due).table(&rule).unwrap();
        let rows = table.rows().unwrap();
        let column = |gathers: bool, copied: bool| {
            let mut copy = One::renewed(
                None,
                table.known_days(),
                if copied { blocks.len() } else { 0 },
                &[(table, rows)],
            );
            assert_eq!(copy.is_some(), copied);
            let mut out = vec![[7; BLOCK]; blocks.len()];
            let column = Column { table, rows, copy: copy.as_mut(), received: blocks, out: &mut out };
            let done = if gathers { column.run::<true>() } else { column.run::<false>() };
            assert_eq!(done, blocks.len());
            out.into_flattened()
        };
        let wanted: Vec<i64> = receipts
            .iter()
            .map(|received| rule.count_due(Instant::from_secs(*received).unwrap()).unwrap().as_secs())
            .collect();
        for (gathers, copied) in [(false, false), (false, true), (true, false), (true, true)] {
            assert!(column(gathers, copied) == wanted, "gathers: {gathers}, copied: {copied}");
        }
    }
}
