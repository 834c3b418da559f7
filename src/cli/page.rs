//! `report --html`: the report as one page in a file.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::attainment::{Attainment, GoalVerdict, PeriodRange};
use crate::db::Db;
use crate::html;
use crate::policy::Period;
use crate::report::{Report, ReportQuery};

use super::Verdict;
use super::args;
use super::failure::Failure;
use super::out::{Out, grouped};
use super::report::period;
use super::when::Zones;

pub(crate) fn write(
    db: &Db,
    args: &args::Report,
    file: &Path,
    zones: &Zones,
    out: &mut Out,
) -> Result<Verdict, Failure> {
    let cohort = &args.cohort;
    let now = zones.now("--now", cohort.now.as_deref())?;
    let period = match period(cohort)? {
        Some(period) => period,
        None => PeriodRange::around(zones.date(now), Period::Month)?,
    };
    let mut query = ReportQuery::at(now, period);
    query.clock.clone_from(&cohort.clock);
    query.most_ids = args.ids.unwrap_or(query.most_ids);
    for fact in &cohort.by {
        if !query.by.contains(fact) {
            query.by.push(fact.clone());
        }
    }
    let report = db.report(&query)?;
    known(&report, &cohort.by)?;
    let page = html::page(&report, &db.policy()?)?;
    put(file, page.as_bytes())?;
    if out.is_json() {
        let answer = json!({ "file": file, "bytes": page.len(), "report": report });
        out.object(&answer, zones)?;
    } else {
        out.line(format!("{}: {}, {} bytes", file.display(), report.period, grouped(page.len() as i128)))?;
        for clock in &report.clocks {
            out.line(clock.attainment.to_string())?;
        }
    }
    let broken = |attainment: &Attainment| attainment.verdict() == Some(GoalVerdict::Broken);
    let periods = || report.clocks.iter().flat_map(|clock| &clock.burndown);
    Ok(if periods().any(|period| broken(&period.attainment)) { Verdict::Late } else { Verdict::Fine })
}

/// Refuses a fact that no request has: most likely it is mistyped.
fn known(report: &Report, asked: &[String]) -> Result<(), Failure> {
    let counted = |clock: &&crate::report::ClockReport| clock.attainment.tally.counted() > 0;
    let Some(clock) = report.clocks.iter().find(counted) else { return Ok(()) };
    let is_known = |fact: &&String| clock.fairness.iter().any(|fairness| fairness.by == [(*fact).clone()]);
    match asked.iter().find(|fact| !is_known(fact)) {
        None => Ok(()),
        Some(fact) => Err(Failure::text(format!(
            "--by {fact}: no request received in {} has this; give customer, priority, category, channel or the name of \
             an attribute",
            report.period
        ))),
    }
}

/// Writes beside the file and renames, so that a reader never meets half a page.
pub(super) fn put(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let about = |error: std::io::Error| Failure::text(format!("{}: {error}", file.display()));
    let Some(name) = file.file_name() else {
        return Err(Failure::text(format!("{}: names no file", file.display())));
    };
    let mut part = name.to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = file.with_file_name(part);
    let done = fs::write(&part, bytes).and_then(|()| fs::rename(&part, file));
    if done.is_err() {
        // Best effort: the error that matters is the one before.
        let _ = fs::remove_file(&part);
    }
    done.map_err(about)
}
