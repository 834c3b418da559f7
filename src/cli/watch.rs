//! Watching: `scan` and `feed`.

use crate::clock::{Stage, ThresholdKind};
use crate::db::{Counts, Db, Notice, Options, Page, PageKey, Query, Rows};
use serde_json::json;

use super::Verdict;
use super::args;
use super::failure::Failure;
use super::out::{self, Out, grouped};
use super::when::Zones;

pub(crate) fn scan(args: &args::Scan, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let now = zones.now("--now", args.now.as_deref())?;
    let mut query = Query::at(now);
    if let Some(until) = &args.until {
        query = query.until(zones.read("--until", until)?);
    }
    if let Some(since) = &args.since {
        query = query.since(zones.read("--since", since)?);
    }
    for stage in &args.stage {
        query = query.stage((*stage).into());
    }
    if let Some(clock) = &args.clock {
        query = query.clock(clock);
    }
    let counts = db.counts(now)?;
    let limit = usize::from(args.limit);
    let reminders = db.reminders(now)?;
    let rows = match (limit, args.after) {
        (0, _) => Rows { rows: Vec::new(), next: None },
        (_, None) => db.scan(&query, Page::first(limit))?,
        (_, Some(key)) => db.scan(&query, Page::after(PageKey::from_bits(key), limit))?,
    };
    if out.is_json() {
        let answer = json!({ "now_at": now.as_secs(), "counts": counts, "rows": rows.rows, "next": rows.next,
            "reminders": reminders });
        out.object(&answer, &zones)?;
    } else {
        out.line(format!("{}: {}", zones.main(now), summary(&counts)))?;
        list(&rows, args, &zones, out)?;
        let overdue: Vec<_> = reminders.into_iter().filter(|reminder| reminder.overdue).collect();
        if !overdue.is_empty() {
            out.heading("Reminders")?;
            super::reports::remind(&overdue, &zones, out)?;
        }
    }
    Ok(if counts.late + counts.breached > 0 { Verdict::Late } else { Verdict::Fine })
}

pub(crate) fn summary(counts: &Counts) -> String {
    let parts = [
        (counts.breached, Stage::Breached),
        (counts.late, Stage::Late),
        (counts.at_risk, Stage::AtRisk),
        (counts.on_track, Stage::OnTrack),
        (counts.paused, Stage::Paused),
        (counts.idle, Stage::Idle),
        (counts.met, Stage::Met),
        (counts.missed, Stage::Missed),
        (counts.cancelled, Stage::Cancelled),
    ];
    let shown = parts.iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> =
        shown.map(|(count, stage)| format!("{} {}", grouped(*count), out::stage_words(*stage))).collect();
    if words.is_empty() { "no clocks".to_owned() } else { words.join(", ") }
}

fn list(rows: &Rows, args: &args::Scan, zones: &Zones, out: &mut Out) -> Result<(), Failure> {
    if rows.rows.is_empty() {
        if args.limit > 0 {
            out.line("no running clock is asked for by these options")?;
        }
        return Ok(());
    }
    let mut table = out::table(&["request", "clock", "stage", "due", "limit"]);
    for row in &rows.rows {
        let show = |at| zones.show(Some(&row.clock), at);
        let clock = if row.cycle > 1 { format!("{} #{}", row.clock, row.cycle) } else { row.clock.clone() };
        table.add_row(vec![
            row.request.clone().into(),
            clock.into(),
            out::stage(row.stage),
            show(row.due_at).into(),
            row.limit_at.map_or_else(String::new, show).into(),
        ]);
    }
    out.table(&table)?;
    match rows.next {
        Some(key) => out.line(format!("more follow: --after {}", key.to_bits())),
        None => Ok(()),
    }
}

pub(crate) fn feed(args: &args::Feed, out: &mut Out) -> Result<Verdict, Failure> {
    let writes = args.ack || args.advance || args.advance_to.is_some();
    let options = if writes { Options::default() } else { Options::default().read_only() };
    let db = Db::open(&args.db, options)?;
    let zones = Zones::of(&db.policy()?);
    if writes && (args.advance || args.advance_to.is_some()) {
        db.advance(zones.now("--advance-to", args.advance_to.as_deref())?)?;
    }
    let feed = db.feed(&args.consumer)?;
    let notices = feed.pending(usize::from(args.limit))?;
    let mut table = out::table(&["no.", "at", "request", "clock", "notice"]);
    for notice in &notices {
        if out.is_json() {
            out.object(notice, &zones)?;
        } else {
            let clock = if notice.cycle > 1 {
                format!("{} #{}", notice.clock, notice.cycle)
            } else {
                notice.clock.clone()
            };
            let reminder = notice.reminder.as_ref();
            let about = reminder.map(|reminder| format!("{} v{}", reminder.policy, reminder.version));
            let about = about.or_else(|| notice.period.map(|period| period.to_string()));
            let clock = reminder.map_or(clock, |reminder| reminder.reader.clone().unwrap_or_default());
            table.add_row(vec![
                out::number(notice.number),
                zones.show(Some(&notice.clock), notice.at).into(),
                about.unwrap_or_else(|| notice.request.clone()).into(),
                clock.into(),
                words(notice).into(),
            ]);
        }
    }
    if !out.is_json() {
        if notices.is_empty() { out.line("no new notices")? } else { out.table(&table)? }
    }
    // Only what the reader has received is acknowledged: a crash before this hands the same notices out again.
    out.finish()?;
    if let (true, Some(last)) = (args.ack, notices.last()) {
        feed.acknowledge(last.number)?;
    }
    let is_bad = |notice: &Notice| {
        !notice.retracted && !matches!(notice.threshold, ThresholdKind::Warning(_) | ThresholdKind::Waived)
    };
    Ok(if notices.iter().any(is_bad) { Verdict::Late } else { Verdict::Fine })
}

fn words(notice: &Notice) -> String {
    let crossed = match notice.threshold {
        ThresholdKind::Warning(percent) => format!("{percent} % used"),
        ThresholdKind::Late => "late".to_owned(),
        ThresholdKind::Breached => "breached".to_owned(),
        ThresholdKind::Waived => "waived".to_owned(),
        ThresholdKind::Review => "to be reviewed".to_owned(),
        ThresholdKind::Reading => "to be read".to_owned(),
        ThresholdKind::BudgetExhausted => "no misses left".to_owned(),
        ThresholdKind::PeriodBreached => "promise broken".to_owned(),
    };
    let by_change = if notice.by_change { ", by a change" } else { "" };
    if notice.retracted {
        format!("retracted: {crossed}{by_change}")
    } else {
        format!("{crossed}{by_change}")
    }
}
