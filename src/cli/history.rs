//! `history`: what a customer asked before, or what an FAQ entry answered.

use std::path::PathBuf;

use clap::Args;
use comfy_table::Cell;

use crate::clock::Stage;
use crate::db::{Db, HistoryRow, Options, Page, PageKey};
use crate::model::Answer;

use super::Verdict;
use super::args::page_key;
use super::failure::Failure;
use super::out::{self, Out};
use super::when::Zones;

#[derive(Args)]
#[command(group = clap::ArgGroup::new("whose").required(true).args(["customer", "faq"]))]
pub(crate) struct HistoryArgs {
    /// The database.
    db: PathBuf,
    /// The customer, after all changes.
    customer: Option<String>,
    /// Instead: the requests linked to this FAQ entry, latest link first.
    #[arg(long, value_name = "ENTRY")]
    faq: Option<String>,
    /// How many requests to show, 1 to 1,000.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,
    /// Go on after the page that ended with this key.
    #[arg(long, value_name = "KEY", value_parser = page_key)]
    after: Option<u64>,
}

impl HistoryArgs {
    pub(crate) fn db(&self) -> &PathBuf {
        &self.db
    }
}

pub(crate) fn history(args: &HistoryArgs, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let limit = usize::from(args.limit);
    let page = args.after.map_or(Page::first(limit), |key| Page::after(PageKey::from_bits(key), limit));
    let history = match (&args.faq, &args.customer) {
        (Some(entry), _) => db.faq_requests(entry, page)?,
        (None, customer) => db.history(customer.as_deref().unwrap_or_default(), page)?,
    };
    if out.is_json() {
        out.object(&history, &zones)?;
        return Ok(Verdict::Fine);
    }
    if history.rows.is_empty() {
        out.line("no requests")?;
    }
    for (at, row) in history.rows.iter().enumerate() {
        if at > 0 {
            out.line("")?;
        }
        request(row, &zones, out)?;
    }
    if let Some(next) = history.next {
        out.line(format!("\nmore: --after {}", next.to_bits()))?;
    }
    Ok(Verdict::Fine)
}

fn request(row: &HistoryRow, zones: &Zones, out: &mut Out) -> Result<(), Failure> {
    let subject = row.subject.as_deref().map_or_else(String::new, |subject| format!("  {subject}"));
    out.line(format!("{}{subject}", row.request))?;
    let done = match row.state {
        "resolved" => "handled",
        "cancelled" => "withdrawn",
        other => other,
    };
    let state = row.handled_at.map_or_else(|| done.to_owned(), |at| format!("{done} {}", zones.main(at)));
    let verdicts: Vec<String> = row
        .clocks
        .iter()
        .filter(|clock| clock.stage != Stage::Idle)
        .map(|clock| format!("{} {}", clock.clock, out::stage_words(clock.stage)))
        .collect();
    let verdicts = if verdicts.is_empty() { String::new() } else { format!("; {}", verdicts.join(", ")) };
    out.line(format!("  received {}, {state}{verdicts}", zones.main(row.received_at)))?;
    if !row.faq.is_empty() {
        out.line(format!("  FAQ: {}", row.faq.join(", ")))?;
    }
    if !row.answers.is_empty() {
        let mut table = out::table(&[]);
        table.add_rows(row.answers.iter().map(|answer| told(answer, zones)));
        out.table(&table)?;
    }
    Ok(())
}

fn told(answer: &Answer, zones: &Zones) -> Vec<Cell> {
    // Notes are for the record only; the mark tells them from what the customer knows.
    let mark = if answer.to_customer { "→" } else { " " };
    vec![
        Cell::new(mark),
        Cell::new(zones.main(answer.at)),
        Cell::new(&answer.event),
        Cell::new(answer.by.as_deref().unwrap_or_default()),
        Cell::new(answer.text.trim()),
    ]
}
