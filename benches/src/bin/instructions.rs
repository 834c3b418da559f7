//! Counts the instructions of the hot paths, item by item, and holds them against the bounds of `instructions.tsv`.
//!
//! Counts are the same at every run and on every machine of a kind, unlike times, so that a change which makes a path
//! slower is seen. Each path runs under valgrind with a number of items and with twice as many; the difference is what the
//! items cost. Without arguments all paths are counted; with a path and a number of items this is the program that is.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

use std::env;
use std::hint::black_box;
use std::process::{Command, ExitCode};

use slaclock::{Db, Facts, Instant, OnError, Page, Query, Span};
use slaclock_benches::{data, desk};

/// Path and most instructions for each item.
const BOUNDS: &str = include_str!("../../instructions.tsv");
const ITEMS: usize = 128_000;
/// Of the paths of a database, each item of which takes thousands of instructions.
const ROWS: usize = 4_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => count_all(),
        [path, items] => match items.parse() {
            Ok(items) => run(path, items),
            Err(_) => fail(&format!("items `{items}`: must be a whole number")),
        },
        _ => fail("usage: instructions [PATH ITEMS]"),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("instructions: {why}");
    ExitCode::from(2)
}

fn count_all() -> ExitCode {
    println!("{:<28} {:>12} {:>8}", "path", "instructions", "at most");
    let mut too_many = 0;
    for line in BOUNDS.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [path, bound] = fields[..] else {
            return fail(&format!("instructions.tsv: `{line}`: must be PATH, tab, NUMBER"));
        };
        let Ok(bound) = bound.parse::<f64>() else {
            return fail(&format!("instructions.tsv: `{bound}`: must be a number"));
        };
        let few = if path.starts_with("db ") { ROWS } else { ITEMS };
        let counts = [few, 2 * few].map(|items| collected(path, items));
        let [Ok(once), Ok(twice)] = counts else {
            let why = counts.into_iter().find_map(Result::err);
            return fail(&why.unwrap_or_default());
        };
        let each = (twice as f64 - once as f64) / few as f64;
        let is_over = each > bound;
        too_many += usize::from(is_over);
        println!("{path:<28} {each:>12.1} {bound:>8}{}", if is_over { "  TOO MANY" } else { "" });
    }
    if too_many > 0 {
        return fail(&format!("{too_many} paths take more instructions than instructions.tsv allows"));
    }
    ExitCode::SUCCESS
}

/// Instructions of a whole run.
fn collected(path: &str, items: usize) -> Result<u64, String> {
    let program = env::current_exe().map_err(|error| format!("this program: {error}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([path, &items.to_string()])
        .output()
        .map_err(|error| format!("valgrind, which counts the instructions: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let count = text.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    match count {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(format!("valgrind {path} {items}: {}: {text}", output.status)),
    }
}

/// Runs a path of a database for so many rows. What is not counted is made alike for both numbers of rows.
fn run_rows(path: &str, rows: usize) -> ExitCode {
    let policy = desk::policy();
    let requests = desk::requests(2 * ROWS);
    let submits = desk::submits(&requests);
    let db = Db::in_memory(&policy).expect("a database");
    if path == "db submit" {
        db.apply(black_box(&submits[..rows.min(submits.len())]), OnError::Abort).expect("submits");
        return ExitCode::SUCCESS;
    }
    db.apply(&submits, OnError::Abort).expect("submits");
    db.compact().expect("a compaction");
    let query = Query::at(Instant::from_secs(4_000_000_000).expect("an instant"));
    match path {
        "db scan column" => {
            black_box(db.scan_columns(&query, rows).expect("columns"));
        }
        "db scan row" => {
            black_box(db.scan(&query, Page::first(rows)).expect("rows"));
        }
        "db get" => requests.iter().take(rows).for_each(|request| {
            black_box(db.get(&request.id).expect("a request"));
        }),
        _ => return fail(&format!("no path `{path}`")),
    }
    ExitCode::SUCCESS
}

/// Runs a path for so many items.
fn run(path: &str, items: usize) -> ExitCode {
    if path.starts_with("db ") {
        return run_rows(path, items);
    }
    let policy = data::policy();
    // All columns are made before, alike for both numbers of items.
    let receipts = data::receipts(2 * ITEMS, 1);
    // One every ten seconds, so that blocks mostly lie between two changes of anything.
    let sorted: Vec<i64> = (0..2 * ITEMS as i64).map(|item| data::FIRST_S + 10 * item).collect();
    let instants: Vec<Instant> =
        receipts.iter().map(|at| Instant::from_secs(*at).expect("an instant")).collect();
    let instants = &instants[..items.min(2 * ITEMS)];
    let receipts = &receipts[..instants.len()];
    let mut out = vec![0; 2 * ITEMS];
    let out = &mut out[..instants.len()];
    let calendar = data::calendar(&policy);
    let clock = policy.clock("working").expect("a clock");
    let rule = data::rule(&policy, if path.starts_with("cutoff") { "cutoff" } else { "working" });
    if path.ends_with("tabled") || path.starts_with("batch") {
        let last = data::FIRST_S + 2 * data::YEAR_S;
        rule.prepare(
            instants[0].min(Instant::from_secs(data::FIRST_S).expect("an instant")),
            Instant::from_secs(last).expect("an instant"),
        );
    }
    match path {
        "cutoff counted" => {
            for at in instants {
                let _ =
                    black_box(rule.due_shifted(black_box(*at), slaclock::target::Paused::default(), None));
            }
        }
        "single" | "cutoff tabled" => {
            for at in instants {
                let _ = black_box(rule.due(black_box(*at)));
            }
        }
        "clock" => {
            let facts = Facts::none();
            for at in instants {
                let _ = black_box(clock.due(black_box(*at), &facts));
            }
        }
        "countdown" => {
            let mut countdown = rule.countdown(instants[0]);
            for at in instants {
                countdown.pause(black_box(instants[0]));
                // Never more than a second, so that it goes on counting.
                let end = instants[0].checked_add(Span::from_secs(at.as_secs() & 1));
                countdown.resume(black_box(end.unwrap_or(instants[0])));
                let _ = black_box(countdown.due());
            }
        }
        "batch random" => rule.due_many(black_box(receipts), out).expect("all are instants"),
        "batch in order" => rule.due_many(black_box(&sorted[..out.len()]), out).expect("all are instants"),
        "batch of spans" => {
            let spans: Vec<i64> = (0..2 * ITEMS as i64).map(|item| 3_600 * (1 + item % 40)).collect();
            let (t, spans) = (black_box(receipts), &spans[..out.len()]);
            calendar.add_working_time_many(t, spans, out).expect("all are instants");
        }
        _ => return fail(&format!("no path `{path}`")),
    }
    black_box(out);
    ExitCode::SUCCESS
}
