//! The FAQ: `faq publish`, `amend`, `withdraw`, `link`, `unlink`, `list`, `show`, `export`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use comfy_table::Cell;
use serde_json::json;

use crate::db::{Db, Options, Outcome};
use crate::html;
use crate::model::{FaqAct, FaqDraft, FaqEntry, faq_markdown};

use super::Verdict;
use super::failure::Failure;
use super::out::{self, Out, grouped, number};
use super::page::put;
use super::request::tell;
use super::when::Zones;

#[derive(Subcommand)]
pub(crate) enum FaqCommand {
    /// Publish an answer: the last one that a request's customer was told, or one of your own words.
    Publish(Publish),
    /// Say otherwise what an entry asks or answers.
    Amend(Amend),
    /// Withdraw an entry: it is no longer listed, exported or found.
    Withdraw(Withdraw),
    /// Say that an entry answers a request.
    Link(Link),
    /// Say that an entry does not answer a request after all.
    Unlink(Link),
    /// List the entries and how often they were used.
    List(List),
    /// Show an entry and what was done about it.
    Show(Show),
    /// Write the FAQ as one HTML page or as Markdown.
    Export(Export),
}

/// Who does it and when.
#[derive(Args)]
pub(crate) struct Record {
    /// Who does it.
    #[arg(long, value_name = "WHO")]
    by: String,
    /// When; the system's time if left out.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

#[derive(Args)]
pub(crate) struct Publish {
    /// The database.
    db: PathBuf,
    /// The entry's id, your own: 1 to 255 bytes, like vpn-after-update.
    id: String,
    /// The request it comes from.
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// The question; the request's subject if left out.
    #[arg(long)]
    question: Option<String>,
    /// The answer; the last thing that the request's customer was told if left out.
    #[arg(long)]
    answer: Option<String>,
    #[command(flatten)]
    record: Record,
}

#[derive(Args)]
pub(crate) struct Amend {
    /// The database.
    db: PathBuf,
    /// The entry's id.
    id: String,
    /// The question as it should be.
    #[arg(long)]
    question: Option<String>,
    /// The answer as it should be.
    #[arg(long, required_unless_present = "question")]
    answer: Option<String>,
    #[command(flatten)]
    record: Record,
}

#[derive(Args)]
pub(crate) struct Withdraw {
    /// The database.
    db: PathBuf,
    /// The entry's id.
    id: String,
    #[command(flatten)]
    record: Record,
}

#[derive(Args)]
pub(crate) struct Link {
    /// The database.
    db: PathBuf,
    /// The request's id.
    request: String,
    /// The entry's id.
    id: String,
    #[command(flatten)]
    record: Record,
}

#[derive(Args)]
pub(crate) struct List {
    /// The database.
    db: PathBuf,
    /// Withdrawn entries too.
    #[arg(long)]
    withdrawn: bool,
}

#[derive(Args)]
pub(crate) struct Show {
    /// The database.
    db: PathBuf,
    /// The entry's id.
    id: String,
}

/// As what the FAQ is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Html,
    Markdown,
}

#[derive(Args)]
pub(crate) struct Export {
    /// The database.
    db: PathBuf,
    /// The file to write, replacing it: .html, or .md for Markdown.
    file: PathBuf,
    /// As what, whatever the file is called.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The title of the page.
    #[arg(long, default_value = "Frequently asked questions")]
    title: String,
}

impl FaqCommand {
    pub(crate) fn db(&self) -> &PathBuf {
        match self {
            FaqCommand::Publish(args) => &args.db,
            FaqCommand::Amend(args) => &args.db,
            FaqCommand::Withdraw(args) => &args.db,
            FaqCommand::Link(args) | FaqCommand::Unlink(args) => &args.db,
            FaqCommand::List(args) => &args.db,
            FaqCommand::Show(args) => &args.db,
            FaqCommand::Export(args) => &args.db,
        }
    }
}

pub(crate) fn faq(command: &FaqCommand, out: &mut Out) -> Result<Verdict, Failure> {
    let (record, id) = match command {
        FaqCommand::List(args) => return list(args, out),
        FaqCommand::Show(args) => return show(args, out),
        FaqCommand::Export(args) => return export(args, out),
        FaqCommand::Publish(args) => (&args.record, &args.id),
        FaqCommand::Amend(args) => (&args.record, &args.id),
        FaqCommand::Withdraw(args) => (&args.record, &args.id),
        FaqCommand::Link(args) | FaqCommand::Unlink(args) => (&args.record, &args.id),
    };
    let db = Db::open(command.db(), Options::default())?;
    let zones = Zones::of(&db.policy()?);
    let (at, by) = (zones.now("--at", record.at.as_deref())?, record.by.as_str());
    let outcome = match command {
        FaqCommand::Link(args) => {
            let recorded = db.link_faq(&args.request, id, at, by)?;
            db.close()?;
            return tell(&recorded, &zones, out);
        }
        FaqCommand::Unlink(args) => {
            let recorded = db.unlink_faq(&args.request, id, at, by)?;
            db.close()?;
            return tell(&recorded, &zones, out);
        }
        FaqCommand::Publish(args) => {
            let (question, answer) = (args.question.clone(), args.answer.clone());
            let draft = FaqDraft { id: id.clone(), question, answer, request: args.request.clone() };
            db.publish(&draft, at, by)?
        }
        FaqCommand::Amend(args) => {
            db.amend_faq(id, args.question.as_deref(), args.answer.as_deref(), at, by)?
        }
        _ => db.withdraw_faq(id, at, by)?,
    };
    let entry = db.faq_entry(id)?;
    db.close()?;
    if out.is_json() {
        out.object(&json!({ "outcome": outcome, "entry": entry }), &zones)?;
        return Ok(Verdict::Fine);
    }
    let done = match command {
        FaqCommand::Publish(_) => "published",
        FaqCommand::Amend(_) => "amended",
        _ => "withdrawn",
    };
    out.line(match outcome {
        Outcome::Recorded => format!("{id}: {done}"),
        Outcome::AlreadyRecorded => format!("{id}: nothing changed"),
    })?;
    text(&entry, out)?;
    Ok(Verdict::Fine)
}

fn text(entry: &FaqEntry, out: &mut Out) -> Result<(), Failure> {
    out.line(format!("Q: {}", entry.question))?;
    out.line(format!("A: {}", entry.answer))
}

fn list(args: &List, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let entries = db.faq(args.withdrawn)?;
    if out.is_json() {
        out.object(&json!({ "entries": entries }), &zones)?;
        return Ok(Verdict::Fine);
    }
    if entries.is_empty() {
        out.line("the FAQ has no entries")?;
        return Ok(Verdict::Fine);
    }
    let mut table = out::table(&["entry", "question", "uses", "last used", "changed", "by"]);
    for entry in entries {
        let id = if entry.withdrawn { format!("({})", entry.id) } else { entry.id };
        table.add_row(vec![
            Cell::new(id),
            Cell::new(entry.question),
            number(grouped(entry.uses)),
            Cell::new(entry.last_used_at.map_or_else(String::new, |at| zones.main(at))),
            Cell::new(zones.main(entry.changed_at)),
            Cell::new(entry.changed_by),
        ]);
    }
    out.table(&table)?;
    Ok(Verdict::Fine)
}

fn show(args: &Show, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let (entry, records) = (db.faq_entry(&args.id)?, db.faq_records(&args.id)?);
    if out.is_json() {
        out.object(&json!({ "entry": entry, "records": records }), &zones)?;
        return Ok(Verdict::Fine);
    }
    text(&entry, out)?;
    let from =
        entry.request.as_deref().map_or_else(String::new, |request| format!(", from request {request}"));
    let times = if entry.uses == 1 { "request" } else { "requests" };
    let last = entry.last_used_at.map_or_else(String::new, |at| format!(", last {}", zones.main(at)));
    out.line(format!("answered {} {times}{last}{from}", grouped(entry.uses)))?;
    let mut table = out::table(&["at", "", "by"]);
    for record in records {
        let act = match record.act {
            FaqAct::Published => "published",
            FaqAct::Amended => "amended",
            FaqAct::Withdrawn => "withdrawn",
        };
        table.add_row([zones.main(record.at), act.to_owned(), record.by]);
    }
    out.table(&table)?;
    Ok(Verdict::Fine)
}

fn export(args: &Export, out: &mut Out) -> Result<Verdict, Failure> {
    let ends = args.file.extension().and_then(|end| end.to_str()).map(str::to_lowercase);
    let format = match (args.format, ends.as_deref()) {
        (Some(format), _) => format,
        (None, Some("html" | "htm")) => Format::Html,
        (None, Some("md" | "markdown")) => Format::Markdown,
        _ => {
            let message = format!("{}: ends neither in .html nor in .md; give --format", args.file.display());
            return Err(Failure::text(message));
        }
    };
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let entries = db.faq(false)?;
    let changed = entries.iter().map(|entry| entry.changed_at).max();
    let page = match format {
        Format::Markdown => faq_markdown(&entries, &args.title),
        Format::Html => {
            let as_of = changed.map(|at| zones.date(at).to_string());
            html::faq_page(&entries, &args.title, as_of.as_deref())?
        }
    };
    put(&args.file, page.as_bytes())?;
    if out.is_json() {
        out.object(&json!({ "file": args.file, "bytes": page.len(), "entries": entries.len() }), &zones)?;
    } else {
        let entries =
            if entries.len() == 1 { "1 entry".to_owned() } else { format!("{} entries", entries.len()) };
        out.line(format!("{}: {entries}, {} bytes", args.file.display(), grouped(page.len() as i128)))?;
    }
    Ok(Verdict::Fine)
}
