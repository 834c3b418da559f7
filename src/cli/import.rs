//! The command `import`, with its progress.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::db::{Db, Durability, Mode, Options};
use crate::error::ErrorKind;
use crate::import::{ImportOptions, ImportReport, Mapping, OnBadRow, Progress, Sink, import as import_file};
use crate::policy::Policy;
use indicatif::{ProgressBar, ProgressStyle};

use super::Verdict;
use super::args::{self, BadRow};
use super::failure::Failure;
use super::out::{self, Out, grouped};
use super::when::Zones;

pub(crate) fn import(args: &args::Import, out: &mut Out) -> Result<Verdict, Failure> {
    let mapping = Mapping::load(&args.mapping)?;
    let policy = args.policy.as_ref().map(Policy::load).transpose()?;
    if args.dry_run {
        let zones = policy.as_ref().map_or_else(Zones::utc, Zones::of);
        let (report, took) = read(args, &mapping, &mut Nowhere)?;
        return tell(&report, took, args, &zones, out);
    }
    let was_there = args.db.exists();
    let db = open_or_create(args, policy.as_ref())?;
    let zones = Zones::of(&db.policy()?);
    let (report, took) = match read(args, &mapping, &mut &db) {
        Ok(done) => done,
        Err(failure) => {
            // A file that was made for this import and holds nothing of it is not left behind.
            if !was_there && db.info().is_ok_and(|info| info.requests == 0) && db.close().is_ok() {
                std::fs::remove_file(&args.db)?;
            }
            return Err(failure);
        }
    };
    db.close()?;
    tell(&report, took, args, &zones, out)
}

fn open_or_create(args: &args::Import, policy: Option<&Policy>) -> Result<Db, Failure> {
    let mut options = Options::default();
    if args.bulk {
        options = options.mode(Mode::Exclusive).durability(Durability::BULK);
    }
    match Db::open(&args.db, options.clone()) {
        Ok(db) => {
            let installed = db.policy()?;
            match policy {
                Some(policy)
                    if (policy.name(), policy.version()) != (installed.name(), installed.version()) =>
                {
                    Err(Failure::text(format!(
                        "{}: is under {} v{}, not {} v{}; leave --policy out, or change it with `slaclock install`",
                        args.db.display(),
                        installed.name(),
                        installed.version(),
                        policy.name(),
                        policy.version()
                    )))
                }
                _ => Ok(db),
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => match policy {
            Some(policy) => Ok(Db::create(&args.db, policy, options)?),
            None => Err(Failure::text(format!(
                "{}: there is no such database; give --policy to make it",
                args.db.display()
            ))),
        },
        Err(error) => Err(error.into()),
    }
}

/// Takes everything and keeps nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn write(
        &mut self,
        entries: &[crate::import::Entry],
        _: OnBadRow,
    ) -> crate::error::Result<Vec<crate::import::Written>> {
        let written = entries.iter().map(|entry| crate::import::Written {
            request: Ok(false),
            events: entry.events.iter().map(|_| Ok(false)).collect(),
        });
        Ok(written.collect())
    }
}

fn read(
    args: &args::Import,
    mapping: &Mapping,
    sink: &mut dyn Sink,
) -> Result<(ImportReport, Duration), Failure> {
    let bar = if out::is_watched() { ProgressBar::no_length() } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}  {elapsed}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    let mut show = |progress: Progress| {
        bar.set_length(progress.total.unwrap_or(progress.bytes));
        bar.set_position(progress.bytes);
        bar.set_message(format!(
            "{} requests, {} events",
            grouped(progress.requests),
            grouped(progress.events)
        ));
        ControlFlow::Continue(())
    };
    let options = ImportOptions {
        on_bad_row: match args.on_bad_row {
            BadRow::Skip => OnBadRow::Skip,
            BadRow::Abort => OnBadRow::Abort,
        },
        keep_oddities: args.show,
        progress: Some(&mut show),
    };
    let began = std::time::Instant::now();
    let report = import_file(mapping, &args.file, sink, options);
    bar.finish_and_clear();
    Ok((report?, began.elapsed()))
}

fn tell(
    report: &ImportReport,
    took: Duration,
    args: &args::Import,
    zones: &Zones,
    out: &mut Out,
) -> Result<Verdict, Failure> {
    if out.is_json() {
        out.object(report, zones)?;
        return Ok(Verdict::Fine);
    }
    let total = u128::from(report.requests + report.events);
    let speed = (total * 1_000).checked_div(took.as_millis()).unwrap_or(total);
    out.line(format!(
        "{} rows: {} used, {} left out; {} requests ({} new), {} events ({} new)",
        grouped(report.rows),
        grouped(report.rows_used),
        grouped(report.rows_skipped),
        grouped(report.requests),
        grouped(report.requests_new),
        grouped(report.events),
        grouped(report.events_new),
    ))?;
    let verb = if args.dry_run { "read" } else { "written" };
    out.line(format!(
        "{verb} in {}.{:02} s: {} requests and events a second",
        took.as_secs(),
        took.subsec_millis() / 10,
        grouped(i128::try_from(speed).unwrap_or(i128::MAX))
    ))?;
    if let (Some(first), Some(last)) = (report.first_at, report.last_at) {
        out.line(format!("from {} to {}", zones.main(first), zones.main(last)))?;
    }
    let kinds: Vec<String> =
        report.events_by_kind.iter().map(|(kind, count)| format!("{} {kind}", grouped(*count))).collect();
    if !kinds.is_empty() {
        out.line(format!("events: {}", kinds.join(", ")))?;
    }
    out.line(format!(
        "requests reopened: {}, paused: {}",
        grouped(report.requests_reopened),
        grouped(report.requests_paused)
    ))?;
    oddities(report, out)?;
    Ok(Verdict::Fine)
}

fn oddities(report: &ImportReport, out: &mut Out) -> Result<(), Failure> {
    if report.oddity_counts.is_empty() {
        return out.line("nothing odd");
    }
    out.heading("Odd rows, all read under the rules of docs/import.md")?;
    let mut table = out::table(&["what", "times", "requests"]);
    for (code, count) in &report.oddity_counts {
        table.add_row(vec![
            (*code).into(),
            out::number(grouped(count.rows)),
            out::number(grouped(count.requests)),
        ]);
    }
    out.table(&table)?;
    for odd in &report.oddities {
        let id = if odd.id.is_empty() { String::new() } else { format!("{}: ", odd.id) };
        out.line(format!("line {}: {id}{} ({})", odd.row, odd.text, odd.code.word()))?;
    }
    let left = report.oddity_total().saturating_sub(report.oddities.len() as u64);
    if left > 0 && !report.oddities.is_empty() {
        out.line(format!("and {} more; --show {} shows all", grouped(left), report.oddity_total()))?;
    }
    Ok(())
}
