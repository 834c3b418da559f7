//! Interruptions: `interruption declare`, `amend`, `end`, `withdraw`, `list`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use comfy_table::Cell;
use serde_json::json;

use crate::clock::{Act, Entry, Scope, Window};
use crate::db::{Db, Fate, Interrupted, Options, Order, Shift};

use super::Verdict;
use super::failure::Failure;
use super::out::{self, Out, grouped, number};
use super::when::Zones;

#[derive(Subcommand)]
pub(crate) enum InterruptionCommand {
    /// Say that something larger than a request went wrong: the clocks in its scope stop or are extended, as the policy says.
    Declare(Declare),
    /// Say otherwise what was declared.
    Amend(Amend),
    /// Say when an interruption without an end ended.
    End(End),
    /// Say that there was no such interruption.
    Withdraw(Withdraw),
    /// List interruptions, or the journal of all that was said about them.
    List(List),
}

/// Kind, scope, start and end.
#[derive(Args)]
pub(crate) struct Said {
    /// personnel, facilities, power, internet_telecom, merger_acquisition, disaster, own or own:NAME.
    category: String,
    /// When it began, or will.
    #[arg(long, value_name = "TIME")]
    from: String,
    /// When it ended, or will; left out while nobody knows.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Only clocks that count in this calendar.
    #[arg(long, group = "scope")]
    calendar: Option<String>,
    /// Only this customer's requests.
    #[arg(long, group = "scope")]
    customer: Option<String>,
    /// Only requests of this category.
    #[arg(long = "about", value_name = "CATEGORY", group = "scope")]
    about: Option<String>,
}

/// Who says it, when, and whether it is only tried.
#[derive(Args)]
pub(crate) struct Record {
    /// Who says it.
    #[arg(long, value_name = "WHO")]
    by: String,
    /// When it was said; the system's time if left out. What was finished before keeps its verdict.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Free text for the record.
    #[arg(long)]
    text: Option<String>,
    /// Show what would move, but write nothing.
    #[arg(long)]
    dry_run: bool,
    /// How many of the clocks that move to show. JSON has all.
    #[arg(long, value_name = "N", default_value_t = 20)]
    show: usize,
}

#[derive(Args)]
pub(crate) struct Declare {
    /// The database.
    db: PathBuf,
    #[command(flatten)]
    said: Said,
    #[command(flatten)]
    record: Record,
}

#[derive(Args)]
pub(crate) struct Amend {
    /// The database.
    db: PathBuf,
    /// The interruption's number.
    number: u32,
    #[command(flatten)]
    said: Said,
    #[command(flatten)]
    record: Record,
}

#[derive(Args)]
pub(crate) struct End {
    /// The database.
    db: PathBuf,
    /// The interruption's number.
    number: u32,
    /// When it ended.
    #[arg(long, value_name = "TIME")]
    to: String,
    #[command(flatten)]
    record: Record,
}

#[derive(Args)]
pub(crate) struct Withdraw {
    /// The database.
    db: PathBuf,
    /// The interruption's number.
    number: u32,
    #[command(flatten)]
    record: Record,
}

#[derive(Args)]
pub(crate) struct List {
    /// The database.
    db: PathBuf,
    /// Every entry: what was declared, amended, ended and withdrawn, when and by whom.
    #[arg(long)]
    journal: bool,
}

impl InterruptionCommand {
    pub(crate) fn db(&self) -> &PathBuf {
        match self {
            InterruptionCommand::Declare(args) => &args.db,
            InterruptionCommand::Amend(args) => &args.db,
            InterruptionCommand::End(args) => &args.db,
            InterruptionCommand::Withdraw(args) => &args.db,
            InterruptionCommand::List(args) => &args.db,
        }
    }
}

pub(crate) fn interruption(command: &InterruptionCommand, out: &mut Out) -> Result<Verdict, Failure> {
    let db = |dry_run: bool| {
        let options = if dry_run { Options::default().read_only() } else { Options::default() };
        Db::open(command.db(), options)
    };
    let (record, number) = match command {
        InterruptionCommand::List(args) => return list(args, out),
        InterruptionCommand::Declare(args) => (&args.record, 0),
        InterruptionCommand::Amend(args) => (&args.record, args.number),
        InterruptionCommand::End(args) => (&args.record, args.number),
        InterruptionCommand::Withdraw(args) => (&args.record, args.number),
    };
    let db = db(record.dry_run)?;
    let zones = Zones::of(&db.policy()?);
    let order = match command {
        InterruptionCommand::Declare(args) => Order::Declare(window(&args.said, &zones)?),
        InterruptionCommand::Amend(args) => Order::Amend { number, window: window(&args.said, &zones)? },
        InterruptionCommand::End(args) => Order::End { number, to: zones.read("--to", &args.to)? },
        InterruptionCommand::Withdraw(_) | InterruptionCommand::List(_) => Order::Withdraw { number },
    };
    let at = zones.now("--at", record.at.as_deref())?;
    let done = db.interrupt(&order, at, &record.by, record.text.as_deref(), record.dry_run)?;
    db.close()?;
    if out.is_json() {
        out.object(&done, &zones)?;
    } else {
        people(&done, record.show, &zones, out)?;
    }
    Ok(Verdict::Fine)
}

fn window(said: &Said, zones: &Zones) -> Result<Window, Failure> {
    let scope = match (&said.calendar, &said.customer, &said.about) {
        (Some(name), ..) => Scope::Calendar(name.clone()),
        (_, Some(name), _) => Scope::Customer(name.clone()),
        (.., Some(name)) => Scope::Category(name.clone()),
        _ => Scope::All,
    };
    Ok(Window {
        category: said.category.clone(),
        scope,
        from: zones.read("--from", &said.from)?,
        to: said.to.as_deref().map(|to| zones.read("--to", to)).transpose()?,
    })
}

fn people(done: &Interrupted, show: usize, zones: &Zones, out: &mut Out) -> Result<(), Failure> {
    let tried = if done.dry_run { "; nothing is written" } else { "" };
    let entry = &done.entry;
    out.line(format!("interruption {}: {}{tried}", entry.number, entry.act.word()))?;
    out.line(told(&entry.window, zones))?;
    moved(&done.moved, done.requests, "looked at", show, zones, out)
}

/// What moved, for every command that moves clocks.
pub(super) fn moved(
    moved: &[Shift],
    requests: u64,
    what: &str,
    show: usize,
    zones: &Zones,
    out: &mut Out,
) -> Result<(), Failure> {
    let requests_word = if requests == 1 { "request" } else { "requests" };
    let clocks = if moved.len() == 1 { "clock moves" } else { "clocks move" };
    out.line(format!(
        "{} {requests_word} {what}, {} {clocks}",
        grouped(requests),
        grouped(moved.len() as i128)
    ))?;
    if moved.is_empty() || show == 0 {
        return Ok(());
    }
    let mut table = out::table(&["request", "clock", "before", "", "after", ""]);
    for shift in moved.iter().take(show) {
        let mut cells = vec![Cell::new(&shift.request), Cell::new(&shift.clock)];
        for fate in [&shift.before, &shift.after] {
            cells.push(Cell::new(due(fate.as_ref(), &shift.clock, zones)));
            cells.push(fate.map_or_else(|| Cell::new(""), |fate| out::stage(fate.stage)));
        }
        table.add_row(cells);
    }
    out.table(&table)?;
    match moved.len().checked_sub(show) {
        Some(more) if more > 0 => out.line(format!("and {} more", grouped(more as i128))),
        _ => Ok(()),
    }
}

fn due(fate: Option<&Fate>, clock: &str, zones: &Zones) -> String {
    match fate {
        None => "not begun".to_owned(),
        Some(Fate { due_at: Some(due), .. }) => format!("due {}", zones.show(Some(clock), *due)),
        Some(Fate { remaining: Some(left), .. }) => format!("{left} left"),
        Some(_) => "no deadline".to_owned(),
    }
}

/// ``power, all clocks, from … to …``
fn told(window: &Window, zones: &Zones) -> String {
    let scope = match &window.scope {
        Scope::All => "all clocks".to_owned(),
        Scope::Calendar(name) => format!("clocks of calendar {name}"),
        Scope::Customer(name) => format!("requests of customer {name}"),
        Scope::Category(name) => format!("requests about {name}"),
    };
    let to =
        window.to.map_or_else(|| "until further notice".to_owned(), |to| format!("to {}", zones.main(to)));
    format!("{}, {scope}, from {} {to}", window.category, zones.main(window.from))
}

fn list(args: &List, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let journal = db.interruptions()?;
    let shown: Vec<&Entry> =
        if args.journal { journal.entries().iter().collect() } else { journal.known(None) };
    if out.is_json() {
        out.object(&json!({ "interruptions": shown }), &zones)?;
        return Ok(Verdict::Fine);
    }
    if shown.is_empty() {
        out.line("no interruption was declared")?;
        return Ok(Verdict::Fine);
    }
    let mut table = out::table(&["no.", "said", "", "by", "what", "text"]);
    for entry in shown {
        let what = told(&entry.window, &zones);
        table.add_row(vec![
            number(entry.number),
            Cell::new(zones.main(entry.at)),
            Cell::new(entry.act.word()),
            Cell::new(&entry.by),
            Cell::new(if entry.act == Act::Withdrawn { format!("({what})") } else { what }),
            Cell::new(entry.text.as_deref().unwrap_or_default()),
        ]);
    }
    out.table(&table)?;
    Ok(Verdict::Fine)
}
