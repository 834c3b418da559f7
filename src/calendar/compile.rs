//! From civil hours to stretches of UTC: closures are cut out in civil time, then the edges are converted.

use super::days::DayTable;
use super::holidays::{FIRST_DAY, LAST_DAY};
use super::plan::{Cut, Plan};
use super::spec::CalendarSpec;
use super::work::{END_S, WorkTable};
use crate::time::DAY_S;
use crate::zone::{Edge, Zone};

/// The tables of a calendar that has passed its checks.
pub(super) fn tables(spec: &CalendarSpec, plan: &Plan, zone: &Zone) -> (WorkTable, DayTable) {
    let mut stretches: Vec<(i64, i64)> = Vec::with_capacity(48_000);
    let mut dates = Vec::with_capacity((LAST_DAY - FIRST_DAY + 1) as usize);
    let mut civil = Vec::new();
    let mut clock = Clock { zone, offset_s: 0, until: i64::MIN };
    for day in FIRST_DAY..=LAST_DAY {
        civil_stretches(spec, plan, day, &mut civil);
        clock.turn_to(day);
        let mut edges: Option<(i64, i64)> = None;
        for &(from, to) in &civil {
            let opens = clock.utc(from, Edge::Open);
            let closes = clock.utc(to, Edge::Close);
            // Nothing is left of a stretch that the clock skips.
            if opens < closes {
                stretches.push((opens, closes));
                let (first, last) = edges.unwrap_or((opens, closes));
                edges = Some((first.min(opens), last.max(closes)));
            }
        }
        dates.push(edges);
    }
    (WorkTable::build(&join(stretches)), DayTable::build(&dates))
}

/// A zone's clock, read date by date: between two changes it is one subtraction.
struct Clock<'a> {
    zone: &'a Zone,
    offset_s: i64,
    /// Civil times of the date before this one are that offset from UTC.
    until: i64,
}

impl Clock<'_> {
    fn turn_to(&mut self, day: i32) {
        // A stretch ends before the next date has ended, and no offset reaches 26 hours.
        let (midnight, end) = (i64::from(day) * DAY_S, i64::from(day + 2) * DAY_S);
        if end < self.until {
            return;
        }
        let (offset_s, changes) = self.zone.offset_until(midnight - 26 * 3600);
        (self.offset_s, self.until) = (offset_s, changes.saturating_sub(26 * 3600));
        if end >= self.until {
            self.until = i64::MIN;
        }
    }

    fn utc(&self, civil: i64, edge: Edge) -> i64 {
        if self.until > i64::MIN { civil - self.offset_s } else { self.zone.utc_of_civil_secs(civil, edge) }
    }
}

/// What opens on a date in civil seconds since the midnight that began 1970-01-01, without what is closed.
fn civil_stretches(spec: &CalendarSpec, plan: &Plan, day: i32, out: &mut Vec<(i64, i64)>) {
    out.clear();
    let midnight = i64::from(day) * DAY_S;
    for hours in plan.hours(spec, day) {
        let (opens, mut closes) = (hours.opens.as_secs(), hours.closes.as_secs());
        if closes <= opens {
            closes += DAY_S;
        }
        if !plan.has_cuts() {
            out.push((midnight + opens, midnight + closes));
            continue;
        }
        let mut from = opens;
        let shifted =
            |shift: i64| move |cut: &Cut| (i64::from(cut.from_s) + shift, i64::from(cut.to_s) + shift);
        let today = plan.cuts(day).iter().map(shifted(0));
        let tomorrow = plan.cuts(day + 1).iter().map(shifted(DAY_S));
        for (cut_from, cut_to) in today.chain(tomorrow) {
            if cut_from >= closes {
                break;
            }
            if cut_from > from {
                out.push((midnight + from, midnight + cut_from));
            }
            from = from.max(cut_to);
        }
        if from < closes {
            out.push((midnight + from, midnight + closes));
        }
    }
}

/// The same stretches in order, joined where they touch or overlap, clipped to the supported range.
fn join(mut stretches: Vec<(i64, i64)>) -> Vec<(u32, u32)> {
    if !stretches.is_sorted() {
        stretches.sort_unstable();
    }
    let mut joined: Vec<(u32, u32)> = Vec::with_capacity(stretches.len());
    for (opens, closes) in stretches {
        let clipped = |t: i64| t.clamp(0, i64::from(END_S)) as u32;
        let (opens, closes) = (clipped(opens), clipped(closes));
        match joined.last_mut() {
            _ if opens == closes => {}
            Some(last) if opens <= last.1 => last.1 = last.1.max(closes),
            _ => joined.push((opens, closes)),
        }
    }
    joined
}
