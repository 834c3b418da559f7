//! The real ServiceNow log, end to end through its mapping.
//!
//! What could go wrong: a row lost without a word, a pause or a reopening missed, an odd row that nobody is told about.
//! So the file is read here a second time, by code of its own (no CSV crate, no time zone data: Brazil's two clock
//! changes are written out), and the two accounts are compared.
#![cfg(feature = "import")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use slaclock::error::ErrorKind;
use slaclock::import::{Entry, ImportOptions, ImportReport, Mapping, OddityCode, import};
use slaclock::model::EventKind;

const LOG: &str = "examples/data/uci498-incident-events-opened-to-2016-04-30.csv.gz";
const MAPPING: &str = "examples/mappings/servicenow.toml";

/// Minutes since 1970 of `29/2/2016 01:16`, by counting days.
fn minutes(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(' ')?;
    let mut date = date.split('/').map(|part| part.parse::<i64>().unwrap());
    let (day, month, year) = (date.next()?, date.next()?, date.next()?);
    let (hour, minute) = time.split_once(':')?;
    let leap = |y: i64| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    let months = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days: i64 = (1970..year).map(|y| if leap(y) { 366 } else { 365 }).sum::<i64>()
        + months[..month as usize - 1].iter().sum::<i64>()
        + day
        - 1;
    Some(days * 1440 + hour.parse::<i64>().ok()? * 60 + minute.parse::<i64>().ok()?)
}

/// Seconds since 1970 UTC. The last updates reach into Brazil's summer time of 2016/17, UTC-2 instead of UTC-3.
fn instant(text: &str) -> Option<i64> {
    let civil = minutes(text)?;
    let summer = minutes("16/10/2016 00:00")?..minutes("19/2/2017 00:00")?;
    Some((civil + if summer.contains(&civil) { 120 } else { 180 }) * 60)
}

struct Line {
    number: u64,
    fields: Vec<String>,
}

struct Log {
    columns: BTreeMap<String, usize>,
    incidents: Vec<Vec<Line>>,
}

impl Log {
    fn read() -> Log {
        let mut text = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(LOG).unwrap()).read_to_string(&mut text).unwrap();
        assert!(!text.contains('"'), "no field is quoted, so a plain split is right");
        let mut lines = text.lines();
        let header = lines.next().unwrap().split(',');
        let columns: BTreeMap<String, usize> =
            header.enumerate().map(|(at, name)| (name.to_owned(), at)).collect();
        let mut incidents: Vec<Vec<Line>> = Vec::new();
        for (at, line) in lines.enumerate() {
            let fields: Vec<String> = line.split(',').map(str::to_owned).collect();
            match incidents.last_mut() {
                Some(group) if group[0].fields[0] == fields[0] => {
                    group.push(Line { number: at as u64 + 2, fields })
                }
                _ => incidents.push(vec![Line { number: at as u64 + 2, fields }]),
            }
        }
        Log { columns, incidents }
    }

    fn get<'a>(&self, line: &'a Line, column: &str) -> &'a str {
        &line.fields[self.columns[column]]
    }

    /// The rows of an incident as they happened.
    fn in_order<'a>(&self, incident: &'a [Line]) -> Vec<&'a Line> {
        let mut rows: Vec<&Line> = incident.iter().collect();
        rows.sort_by_key(|row| {
            (minutes(self.get(row, "sys_updated_at")), self.get(row, "sys_mod_count").parse::<i64>().unwrap())
        });
        rows
    }
}

static IMPORTED: LazyLock<(Vec<Entry>, ImportReport)> = LazyLock::new(read_log);

fn imported() -> &'static (Vec<Entry>, ImportReport) {
    &IMPORTED
}

fn read_log() -> (Vec<Entry>, ImportReport) {
    let mapping = Mapping::load(MAPPING).unwrap();
    let mut entries = Vec::new();
    let options = ImportOptions { keep_oddities: usize::MAX, ..ImportOptions::default() };
    let report = import(&mapping, LOG, &mut entries, options).unwrap();
    (entries, report)
}

fn rows_of(report: &ImportReport, code: OddityCode) -> Vec<u64> {
    let mut rows: Vec<u64> =
        report.oddities.iter().filter(|odd| odd.code == code).map(|odd| odd.row).collect();
    rows.sort_unstable();
    rows
}

#[test]
fn every_row_is_accounted_for() {
    let (entries, report) = imported();
    assert_eq!((report.rows, report.requests), (101_045, 17_136));
    assert_eq!((report.rows_used, report.rows_skipped), (101_045, 0));
    assert_eq!(entries.iter().map(|entry| entry.rows).sum::<u64>(), 101_045);
    assert_eq!(report.events, entries.iter().map(|entry| entry.events.len() as u64).sum::<u64>());
    assert_eq!(report.events, report.events_by_kind.values().sum::<u64>());
    // Every row gives an event, but for the first of a request that is merely new, unassigned and without a note: that is
    // the request.
    let log = Log::read();
    let with_event: BTreeSet<u64> =
        entries.iter().flat_map(|entry| entry.event_rows.iter().copied()).collect();
    let mut silent = 0_u64;
    for incident in &log.incidents {
        let first = log.in_order(incident)[0];
        let plain = log.get(first, "incident_state") == "New"
            && log.get(first, "assigned_to") == "?"
            && log.get(first, "assignment_group") == "?"
            && log.get(first, "problem_id") == "?"
            && log.get(first, "rfc") == "?";
        silent += u64::from(plain);
        for row in incident {
            assert_eq!(
                with_event.contains(&row.number),
                !(plain && row.number == first.number),
                "line {}",
                row.number
            );
        }
    }
    assert_eq!(with_event.len() as u64 + silent, 101_045);
}

#[test]
fn reopenings_and_resolutions_agree_with_the_file() {
    let (_, report) = imported();
    let log = Log::read();
    let done = |state: &str| state == "Resolved" || state == "Closed";
    let (mut reopenings, mut reopened, mut resolutions) = (0, 0, 0);
    for incident in &log.incidents {
        let rows = log.in_order(incident);
        // INC0000137 has a `New` row, number 1 of its updates, stamped seven minutes after number 2, `Resolved`.
        let states: Vec<&str> = rows
            .iter()
            .filter(|row| {
                !(row.fields[0] == "INC0000137" && log.get(row, "sys_updated_at") == "29/2/2016 11:10")
            })
            .map(|row| log.get(row, "incident_state"))
            .collect();
        let again = states.windows(2).filter(|pair| done(pair[0]) && !done(pair[1])).count() as u64;
        let counts: Vec<u64> = rows.iter().map(|row| log.get(row, "reopen_count").parse().unwrap()).collect();
        let rises = counts.windows(2).filter(|pair| pair[1] > pair[0]).count() as u64;
        assert_eq!(again, rises, "{}: states and the file's own counter", rows[0].fields[0]);
        reopenings += again;
        reopened += u64::from(again > 0);
        let first = u64::from(states.first().is_some_and(|state| done(state)));
        resolutions +=
            first + states.windows(2).filter(|pair| !done(pair[0]) && done(pair[1])).count() as u64;
    }
    assert_eq!(rows_of(report, OddityCode::NotReopened).len(), 1);
    assert_eq!(report.events_by_kind["reopened"], reopenings);
    assert_eq!(report.requests_reopened, reopened);
    assert_eq!(report.events_by_kind["resolved"], resolutions);
    let mentioned =
        log.incidents.iter().filter(|rows| rows.iter().any(|row| log.get(row, "reopen_count") != "0"));
    assert_eq!(reopened, mentioned.count() as u64, "the file's own counter names the same incidents");
}

#[test]
fn time_on_hold_agrees_with_the_file() {
    let (_, report) = imported();
    let log = Log::read();
    let reasons = [
        ("Awaiting User Info", "waiting_customer"),
        ("Awaiting Vendor", "waiting_vendor"),
        ("Awaiting Problem", "waiting_problem"),
        ("Awaiting Evidence", "waiting_evidence"),
    ];
    let (mut paused, mut holds) = (0_u64, 0_u64);
    let mut dwell: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
    for incident in &log.incidents {
        let rows = log.in_order(incident);
        let opened = instant(log.get(rows[0], "opened_at")).unwrap();
        let mut seen = BTreeSet::new();
        for (at, row) in rows.iter().enumerate() {
            let state = log.get(row, "incident_state");
            let Some((_, reason)) = reasons.iter().find(|(name, _)| *name == state) else { continue };
            let entered = at == 0 || log.get(rows[at - 1], "incident_state") != state;
            holds += u64::from(entered);
            let total = dwell.entry(reason).or_default();
            total.0 += u64::from(seen.insert(state));
            if let Some(next) = rows.get(at + 1) {
                let time = |row: &Line| instant(log.get(row, "sys_updated_at")).unwrap().max(opened);
                total.1 += time(next) - time(row);
            }
        }
        paused += u64::from(!seen.is_empty());
    }
    assert_eq!(report.requests_paused, paused);
    assert_eq!(report.events_by_kind["paused"], holds);
    let found: BTreeMap<&str, (u64, i64)> =
        report.held.iter().map(|(reason, held)| (reason.as_str(), (held.requests, held.total_s))).collect();
    assert_eq!(found, dwell);
}

#[test]
fn vendors_are_awaited_by_their_names() {
    let (entries, _) = imported();
    let log = Log::read();
    // By vendor, in the file: stays in `Awaiting Vendor`, by whatever name a row of the stay gives.
    let mut stays: BTreeMap<String, u64> = BTreeMap::new();
    for incident in &log.incidents {
        let rows = log.in_order(incident);
        let waits = |row: &&&Line| log.get(row, "incident_state") == "Awaiting Vendor";
        let mut rest = rows.as_slice();
        while let Some(start) = rest.iter().position(|row| waits(&row)) {
            rest = &rest[start..];
            let length = rest.iter().take_while(|row| waits(row)).count();
            let named = rest[..length].iter().map(|row| log.get(row, "vendor")).find(|vendor| *vendor != "?");
            *stays.entry(named.unwrap_or("").to_owned()).or_default() += 1;
            rest = &rest[length..];
        }
    }
    let mut contacted: BTreeMap<String, u64> = BTreeMap::new();
    let mut replied = contacted.clone();
    for entry in entries {
        let mut awaited = None;
        for event in &entry.events {
            match &event.kind {
                EventKind::VendorContacted { vendor } => {
                    *contacted.entry(vendor.clone()).or_default() += 1;
                    assert_eq!(awaited.replace(vendor), None, "{}", entry.request.id);
                }
                EventKind::VendorReplied { vendor } => {
                    *replied.entry(vendor.clone()).or_default() += 1;
                    assert_eq!(awaited.take(), Some(vendor), "{}", entry.request.id);
                }
                _ => {}
            }
        }
    }
    assert_eq!(contacted, stays);
    assert_eq!(contacted.keys().collect::<Vec<_>>(), ["", "Vendor 1", "Vendor 2", "Vendor 3", "code 8s"]);
    // Every stay of the log ends.
    assert_eq!(contacted, replied);
}

/// Who was asked and answered, notes, facts and the closing code, against the file's own columns.
#[test]
fn what_else_the_log_holds_agrees_with_the_file() {
    let (entries, report) = imported();
    let log = Log::read();
    let (mut asked, mut answered, mut notes, mut changed) = (0, 0, Vec::new(), 0);
    let asks = |row: &Line| log.get(row, "incident_state") == "Awaiting User Info";
    let works = |row: &Line| ["New", "Active"].contains(&log.get(row, "incident_state"));
    let facts = [
        "priority",
        "category",
        "caller_id",
        "contact_type",
        "location",
        "subcategory",
        "impact",
        "urgency",
        "knowledge",
    ];
    for incident in &log.incidents {
        let rows = log.in_order(incident);
        asked += u64::from(asks(rows[0]));
        for column in ["problem_id", "rfc"] {
            let before = std::iter::once("?").chain(rows.iter().map(|row| log.get(row, column)));
            let new = rows.iter().zip(before).map(|(row, before)| (log.get(row, column), before));
            notes.extend(new.filter(|(now, before)| now != before && *now != "?").map(|(now, _)| now));
        }
        for pair in rows.windows(2) {
            asked += u64::from(!asks(pair[0]) && asks(pair[1]));
            // INC0000137 is `New` after it was resolved, which its counter of reopenings denies.
            answered += u64::from(asks(pair[0]) && works(pair[1]));
            changed += u64::from(facts.iter().any(|fact| log.get(pair[0], fact) != log.get(pair[1], fact)));
        }
    }
    assert_eq!(report.events_by_kind["customer_replied"], answered);
    assert_eq!(report.events_by_kind["changed"], changed);
    let events = || entries.iter().flat_map(|entry| &entry.events);
    let mut found: Vec<&str> = events()
        .filter(|event| event.kind == EventKind::Note)
        .filter_map(|event| event.text.as_deref())
        .collect();
    found.sort_unstable();
    notes.sort_unstable();
    assert_eq!(found, notes);
    // An update where the caller is asked comes right after the hold, on the same row.
    let held = |reason: &str| EventKind::Paused { reason: reason.to_owned() };
    let pairs = entries.iter().flat_map(|entry| entry.events.windows(2));
    let questions = pairs.filter(|pair| {
        pair[0].kind == held("waiting_customer")
            && pair[1].kind == EventKind::Updated
            && pair[0].at == pair[1].at
    });
    assert_eq!(questions.count() as u64, asked);
    for (entry, incident) in entries.iter().zip(&log.incidents) {
        for (event, row) in entry.events.iter().zip(&entry.event_rows) {
            if event.kind == EventKind::Resolved {
                let row = incident.iter().find(|line| line.number == *row).unwrap();
                let code = Some(log.get(row, "closed_code")).filter(|code| *code != "?");
                assert_eq!(event.text.as_deref(), code, "{}", entry.request.id);
            }
        }
    }
}

#[test]
fn every_odd_row_is_named() {
    let (_, report) = imported();
    let log = Log::read();
    let mut early = Vec::new();
    let mut undated = Vec::new();
    let mut repeated = Vec::new();
    let mut unordered = Vec::new();
    for incident in &log.incidents {
        let mut keys = BTreeSet::new();
        let mut last = (0, 0);
        for row in incident {
            let number = row.number;
            let at = minutes(log.get(row, "sys_updated_at")).unwrap();
            if at < minutes(log.get(row, "opened_at")).unwrap() {
                early.push(number);
            }
            if ["Resolved", "Closed"].contains(&log.get(row, "incident_state"))
                && log.get(row, "resolved_at") == "?"
            {
                undated.push(number);
            }
            if !keys.insert(log.get(row, "sys_mod_count").to_owned()) {
                repeated.push(number);
            }
            let key = (at, log.get(row, "sys_mod_count").parse::<i64>().unwrap());
            if key < last {
                unordered.push(number);
            }
            last = key;
        }
    }
    assert_eq!(early.len(), 5);
    assert_eq!(rows_of(report, OddityCode::BeforeReceived), early);
    assert_eq!(rows_of(report, OddityCode::MissingDate), undated);
    assert_eq!(rows_of(report, OddityCode::RepeatedKey), repeated);
    assert_eq!(rows_of(report, OddityCode::OutOfOrder), unordered);
    assert_eq!(report.oddity_total(), report.oddities.len() as u64, "all were kept");
    let counts: BTreeMap<&str, (u64, u64)> =
        report.oddity_counts.iter().map(|(code, count)| (*code, (count.rows, count.requests))).collect();
    insta::assert_snapshot!(format!("{counts:#?}"));
}

#[test]
fn the_file_s_own_dates_of_resolution_are_checked() {
    let (entries, report) = imported();
    let log = Log::read();
    let mut differing = 0;
    for (entry, incident) in entries.iter().zip(&log.incidents) {
        let recorded = instant(log.get(incident.last().unwrap(), "resolved_at"));
        let resolved = entry.events.iter().rfind(|event| event.kind == EventKind::Resolved).unwrap();
        differing += u64::from(recorded.is_some_and(|recorded| recorded != resolved.at.as_secs()));
    }
    assert_eq!(report.oddity_counts["resolved_differs"].rows, differing);
}

#[test]
fn keys_are_unique_and_events_in_order() {
    let (entries, _) = imported();
    let (again, _) = &read_log();
    assert_eq!(entries, again, "the same file gives the same keys");
    for entry in entries {
        let keys: BTreeSet<&str> = entry.events.iter().map(|event| event.key.as_deref().unwrap()).collect();
        assert_eq!(keys.len(), entry.events.len(), "{}", entry.request.id);
        assert!(entry.events.is_sorted_by_key(|event| event.at), "{}", entry.request.id);
        assert!(
            entry
                .events
                .iter()
                .all(|event| event.validate().is_ok() && event.at >= entry.request.received_at)
        );
    }
}

#[test]
fn progress_rises_and_can_stop() {
    let mapping = Mapping::load(MAPPING).unwrap();
    let mut last = 0;
    let mut watch = |progress: slaclock::import::Progress| {
        assert!(progress.bytes >= last && progress.bytes <= progress.total.unwrap());
        last = progress.bytes;
        ControlFlow::Continue(())
    };
    let options = ImportOptions { progress: Some(&mut watch), ..ImportOptions::default() };
    import(&mapping, LOG, &mut Vec::new(), options).unwrap();
    assert_eq!(last, std::fs::metadata(LOG).unwrap().len());

    let mut entries = Vec::new();
    let mut stop = |_: slaclock::import::Progress| ControlFlow::Break(());
    let options = ImportOptions { progress: Some(&mut stop), ..ImportOptions::default() };
    let error = import(&mapping, LOG, &mut entries, options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(!entries.is_empty() && entries.len() < 17_136, "chunks before the stop were written");
}
