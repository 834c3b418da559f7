//! Moving requests to another version of the policy or to other zone data, and copies to try it on.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::clock::Scope;
use crate::db::{Db, Migration, Options};
use crate::zone::TzData;

use super::Verdict;
use super::failure::Failure;
use super::interruption::moved;
use super::out::{Out, grouped};
use super::when::Zones;

/// Who orders it, when, and whether it is only tried.
#[derive(Args)]
pub(crate) struct Record {
    /// Who orders it.
    #[arg(long, value_name = "WHO")]
    by: String,
    /// When it comes into force; the system's time if left out.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Show what would move, but write nothing.
    #[arg(long)]
    dry_run: bool,
    /// How many of the clocks that move to show. JSON has all.
    #[arg(long, value_name = "N", default_value_t = 20)]
    show: usize,
}

#[derive(Args)]
pub(crate) struct MigrateArgs {
    /// The database.
    pub(crate) db: PathBuf,
    /// The version to move to; the newest installed one if left out.
    #[arg(long, value_name = "N")]
    version: Option<u32>,
    /// Only this customer's requests.
    #[arg(long, group = "scope")]
    customer: Option<String>,
    /// Only requests of this category.
    #[arg(long, group = "scope")]
    category: Option<String>,
    #[command(flatten)]
    record: Record,
}

#[derive(Args)]
pub(crate) struct RetzArgs {
    /// The database.
    pub(crate) db: PathBuf,
    /// A folder of compiled zone files, as zic writes it, instead of the data that this release carries.
    #[arg(long, value_name = "FOLDER")]
    zones: Option<PathBuf>,
    #[command(flatten)]
    record: Record,
}

#[derive(Args)]
pub(crate) struct ForkArgs {
    /// The database.
    pub(crate) db: PathBuf,
    /// The copy to make; nothing may be there.
    to: PathBuf,
}

fn open(args: &PathBuf, record: &Record) -> crate::Result<Db> {
    Db::open(args, if record.dry_run { Options::default().read_only() } else { Options::default() })
}

pub(crate) fn migrate(args: &MigrateArgs, out: &mut Out) -> Result<Verdict, Failure> {
    let db = open(&args.db, &args.record)?;
    let zones = Zones::of(&db.policy()?);
    let at = zones.now("--at", args.record.at.as_deref())?;
    let scope = match (&args.customer, &args.category) {
        (Some(name), _) => Scope::Customer(name.clone()),
        (None, Some(name)) => Scope::Category(name.clone()),
        (None, None) => Scope::All,
    };
    let done = db.migrate(args.version, &scope, at, &args.record.by, args.record.dry_run)?;
    db.close()?;
    tell(&done, &args.record, &zones, out)
}

pub(crate) fn retz(args: &RetzArgs, out: &mut Out) -> Result<Verdict, Failure> {
    let data = match &args.zones {
        Some(folder) => TzData::folder(folder)?,
        None => TzData::bundled(),
    };
    let db = open(&args.db, &args.record)?;
    let zones = Zones::of(&db.policy()?);
    let at = zones.now("--at", args.record.at.as_deref())?;
    let done = db.retz(&data, at, &args.record.by, args.record.dry_run)?;
    db.close()?;
    if done.to.is_empty() && !out.is_json() {
        out.line(format!("the zones' data is that of tzdb {} already", data.version()))?;
        return Ok(Verdict::Fine);
    }
    tell(&done, &args.record, &zones, out)
}

fn tell(done: &Migration, record: &Record, zones: &Zones, out: &mut Out) -> Result<Verdict, Failure> {
    if out.is_json() {
        out.object(done, zones)?;
        return Ok(Verdict::Fine);
    }
    let to: Vec<String> =
        done.to.iter().map(|info| format!("{} v{} (tzdb {})", info.name, info.version, info.tzdb)).collect();
    let tried = if done.dry_run { "; nothing is written" } else { "" };
    out.line(format!("to {}{tried}", to.join(", ")))?;
    moved(&done.moved, done.requests, "moved", record.show, zones, out)?;
    Ok(Verdict::Fine)
}

pub(crate) fn fork(args: &ForkArgs, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let bytes = db.fork(&args.to)?;
    if out.is_json() {
        out.object(&json!({ "forked": args.to, "bytes": bytes }), &Zones::utc())?;
    } else {
        out.line(format!(
            "{}: a copy of {}, {} bytes",
            args.to.display(),
            args.db.display(),
            grouped(bytes)
        ))?;
    }
    Ok(Verdict::Fine)
}
