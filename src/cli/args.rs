//! The arguments of every command.

use std::path::PathBuf;

use crate::clock::Stage;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Deadlines, breaches and attainment of promises to customers.
///
/// Times are written as "2026-03-06 15:00" in the zone of the policy's first clock, in RFC 3339
/// (2026-03-06T15:00:00+03:00) or as @ and seconds since 1970.
///
/// Exit codes: 0 nothing is late, 1 something is late or a promised share is broken, 2 an error.
#[derive(Parser)]
#[command(name = "slaclock", version, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Answer in JSON: one object, or one object on each line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Read a policy, run its worked examples and name what it is silent on.
    Check(Check),
    /// Work out when a request received at some time is due.
    Due(Due),
    /// Prove a deadline step by step: of a policy, or of a request in a database.
    Explain(Explain),
    /// Make a database under a policy.
    Create(Create),
    /// Install a new version of the policy for requests received from some time on.
    Install(Install),
    /// Import a log of requests from a CSV file, plain or gzip.
    Import(Import),
    /// Submit a request.
    Submit(Submit),
    /// Record an event on a request.
    Event(Event),
    /// Show what is known of a request.
    Show(Show),
    /// List running clocks, most urgent first, and count all by stage.
    Scan(Scan),
    /// Show the queue live in a terminal: what is due next, what is late. q quits.
    Watch(Watch),
    /// Hand out notices of crossed thresholds, each exactly once.
    Feed(Feed),
    /// Judge the promised shares: attainment, error budget, tail, time spent waiting.
    Report(Report),
    /// What is left to lose in the running period, and what must be handled today for the promised share to hold.
    Outlook(super::outlook::OutlookArgs),
    /// Declare, amend, end, withdraw and list interruptions: a power cut, a strike, a flood.
    Interruption {
        #[command(subcommand)]
        command: super::interruption::InterruptionCommand,
    },
    /// Move open requests to another version of the policy, with the list of what moves.
    Migrate(super::migrate::MigrateArgs),
    /// Move open requests to other time zone data, with the list of what moves.
    Retz(super::migrate::RetzArgs),
    /// Copy a database to a new file, for experiments.
    Fork(super::migrate::ForkArgs),
    /// Show how many of their expedites customers have used, by month, and when the next is free.
    ///
    /// Expedites are recorded with `slaclock event DB ID expedited --by WHO`. Beyond the quota of the policy's [expedites]
    /// one is refused unless a second person allows it: --approved-by WHO.
    Expedites(Expedites),
    /// Show with whom requests spent their time: each vendor and customer, waits that are over and waits that last.
    ///
    /// A vendor is awaited from `vendor_contacted` until `vendor_replied` or the end of the request; the customer while the
    /// request is on hold for waiting_customer.
    Waits(Waits),
    /// Show the refusals that wait for a second person. Exit code 1 if there are any.
    ///
    /// One is proposed with `slaclock event DB ID refusal_proposed --by WHO --text WHY` and approved by another person with
    /// `slaclock event DB ID refusal_approved --by WHO`.
    Refusals(Refusals),
    /// Show what is to be read or reviewed, by whom and until when, and who has done it.
    ///
    /// The policy says so: `review_at`, `readers` and `read_by` in [policy]. Exit code 1 if something is overdue.
    Reminders(Reminders),
    /// Record that somebody has read (or, with --review, reviewed) a version of the policy.
    Acknowledge(Acknowledge),
    /// Show what a customer asked before and what was said, newest first; or the requests that an FAQ entry answered.
    History(super::history::HistoryArgs),
    /// Publish, amend, withdraw, link, list and export answers for all to read.
    Faq {
        #[command(subcommand)]
        command: super::faq::FaqCommand,
    },
    /// Find requests and FAQ entries by their words: has this been asked before, and what helped?
    ///
    /// Looks through subjects, notes, answers and questions. The index is made when first asked for and follows by itself.
    Search(super::search::SearchArgs),
    /// What if something else had been promised: replays the stored requests under other policies. Writes nothing.
    Simulate(Simulate),
    /// Derive all state anew from the events and compare.
    Rebuild(Rebuild),
    /// Show facts about a database.
    Info(Database),
    /// Verify every page and every record of a database.
    CheckFile(Database),
    /// Give free space in the file back.
    Compact(Database),
    /// Make a new database from what can still be read of a damaged one, which is not touched.
    Salvage(Salvage),
    /// Hold a policy against the targets and verdicts that a file recorded.
    CompareTargets(CompareTargets),
}

#[derive(Args)]
pub(crate) struct Check {
    /// The policy file, TOML or JSON.
    pub(crate) policy: PathBuf,
    /// Judge by this date (are the holidays known long enough?) instead of today.
    #[arg(long, value_name = "DATE")]
    pub(crate) on: Option<String>,
}

#[derive(Args)]
pub(crate) struct Due {
    /// The policy file, TOML or JSON.
    pub(crate) policy: PathBuf,
    /// When the request was received.
    #[arg(long, value_name = "TIME")]
    pub(crate) received: String,
    /// A fact of the request, such as priority=high; may be repeated.
    #[arg(long = "attr", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) facts: Vec<(String, String)>,
    /// Only this clock.
    #[arg(long)]
    pub(crate) clock: Option<String>,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["received", "request"]))]
pub(crate) struct Explain {
    /// A policy file (with --received) or a database (with --request).
    pub(crate) file: PathBuf,
    /// The clock. May be left out if there is only one.
    pub(crate) clock: Option<String>,
    /// Explain the policy: when the request was received.
    #[arg(long, value_name = "TIME")]
    pub(crate) received: Option<String>,
    /// A fact of the request, such as priority=high; may be repeated.
    #[arg(long = "attr", value_name = "NAME=VALUE", value_parser = pair, requires = "received")]
    pub(crate) facts: Vec<(String, String)>,
    /// Explain a request of the database: its id.
    #[arg(long, value_name = "ID")]
    pub(crate) request: Option<String>,
    /// The same as naming the clock after the file.
    #[arg(long = "clock", value_name = "CLOCK", conflicts_with = "clock")]
    pub(crate) named_clock: Option<String>,
    /// Judge by this time instead of the system's.
    #[arg(long, value_name = "TIME", requires = "request")]
    pub(crate) now: Option<String>,
}

#[derive(Args)]
pub(crate) struct Create {
    /// The database to make; nothing may be there.
    pub(crate) db: PathBuf,
    /// The policy file, TOML or JSON.
    #[arg(long)]
    pub(crate) policy: PathBuf,
}

#[derive(Args)]
pub(crate) struct Install {
    /// The database.
    pub(crate) db: PathBuf,
    /// The policy file, TOML or JSON.
    #[arg(long)]
    pub(crate) policy: PathBuf,
    /// In force for requests received from here on.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: String,
}

/// What to do with a row that cannot be used.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum BadRow {
    /// Report it and go on.
    Skip,
    /// Stop there.
    Abort,
}

#[derive(Args)]
pub(crate) struct Import {
    /// The database; made first if --policy is given and nothing is there.
    pub(crate) db: PathBuf,
    /// The CSV file, plain or gzip.
    pub(crate) file: PathBuf,
    /// The mapping file: how rows become requests and events.
    #[arg(long)]
    pub(crate) mapping: PathBuf,
    /// The policy file for a new database.
    #[arg(long)]
    pub(crate) policy: Option<PathBuf>,
    /// What to do with a row that cannot be used.
    #[arg(long, value_enum, default_value = "skip")]
    pub(crate) on_bad_row: BadRow,
    /// How many odd rows to show.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) show: usize,
    /// Read the file and report, but write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write faster: alone on the file, durable once a second instead of at every chunk.
    #[arg(long)]
    pub(crate) bulk: bool,
}

#[derive(Args)]
pub(crate) struct Submit {
    /// The database.
    pub(crate) db: PathBuf,
    /// The request's id, the CRM's own key.
    pub(crate) id: String,
    /// When it was received; the system's time if left out.
    #[arg(long, value_name = "TIME")]
    pub(crate) received: Option<String>,
    /// Who asked.
    #[arg(long)]
    pub(crate) customer: Option<String>,
    /// The CRM's own priority.
    #[arg(long)]
    pub(crate) priority: Option<String>,
    /// What it is about.
    #[arg(long)]
    pub(crate) category: Option<String>,
    /// How it arrived.
    #[arg(long)]
    pub(crate) channel: Option<String>,
    /// One line for people.
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// Another attribute; may be repeated.
    #[arg(long = "attr", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) attributes: Vec<(String, String)>,
}

#[derive(Args)]
pub(crate) struct Event {
    /// The database.
    pub(crate) db: PathBuf,
    /// The request's id.
    pub(crate) id: String,
    /// What happened: acknowledged, replied, customer_replied, updated, assigned, paused, resumed, vendor_contacted,
    /// vendor_replied, promised, resolved, reopened, cancelled, changed, note, expedited, expedite_withdrawn,
    /// refusal_proposed, refusal_approved, refusal_withdrawn, waived, waiver_withdrawn, faq_linked or
    /// faq_unlinked.
    pub(crate) kind: String,
    /// When it happened; the system's time if left out.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Why it was paused.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Who took it (assigned).
    #[arg(long, value_name = "WHO")]
    pub(crate) to: Option<String>,
    /// Which vendor (vendor_contacted, vendor_replied).
    #[arg(long)]
    pub(crate) vendor: Option<String>,
    /// The promised time.
    #[arg(long, value_name = "TIME")]
    pub(crate) due: Option<String>,
    /// A fact's new value (changed); may be repeated; an empty value removes the fact.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
    /// Who allowed it beyond the quota (expedited).
    #[arg(long, value_name = "WHO")]
    pub(crate) approved_by: Option<String>,
    /// The clock whose miss is excused (waived, waiver_withdrawn).
    #[arg(long)]
    pub(crate) clock: Option<String>,
    /// Number of the missed cycle (waived, waiver_withdrawn); the first if left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) cycle: Option<u32>,
    /// The id of the FAQ entry (faq_linked, faq_unlinked).
    #[arg(long, value_name = "ENTRY")]
    pub(crate) faq: Option<String>,
    /// Who did it. Expedites, refusals and waivers must say so.
    #[arg(long, value_name = "WHO")]
    pub(crate) by: Option<String>,
    /// Idempotency key: the same event with the same key, time and text is recorded once.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// Free text for the record; the reason of a proposed refusal or a waiver.
    #[arg(long)]
    pub(crate) text: Option<String>,
}

#[derive(Args)]
pub(crate) struct Show {
    /// The database.
    pub(crate) db: PathBuf,
    /// The request's id.
    pub(crate) id: String,
    /// Judge by this time instead of the system's.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

/// Stages that running clocks can be in.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum RunningStage {
    OnTrack,
    AtRisk,
    Late,
    Breached,
}

impl From<RunningStage> for Stage {
    fn from(stage: RunningStage) -> Stage {
        match stage {
            RunningStage::OnTrack => Stage::OnTrack,
            RunningStage::AtRisk => Stage::AtRisk,
            RunningStage::Late => Stage::Late,
            RunningStage::Breached => Stage::Breached,
        }
    }
}

#[derive(Args)]
pub(crate) struct Scan {
    /// The database.
    pub(crate) db: PathBuf,
    /// Judge by this time instead of the system's.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    /// Only clocks due before this time.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only clocks due at or after this time.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only clocks in these stages.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) stage: Vec<RunningStage>,
    /// Only this clock.
    #[arg(long)]
    pub(crate) clock: Option<String>,
    /// How many rows to list, 0 to 10,000.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    pub(crate) limit: u16,
    /// Go on after the page that ended with this key.
    #[arg(long, value_name = "KEY", value_parser = page_key)]
    pub(crate) after: Option<u64>,
}

#[derive(Args)]
pub(crate) struct Watch {
    /// The database.
    pub(crate) db: PathBuf,
    /// Begin at this time instead of the system's; it goes on from there.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    /// Only this clock.
    #[arg(long)]
    pub(crate) clock: Option<String>,
    /// Seconds between two looks, 1 to 3,600.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=3_600))]
    pub(crate) every: u16,
    /// Stop after so many looks, 1 to 1,000,000. Without it: until q, Escape or Ctrl-C.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) times: Option<u32>,
}

#[derive(Args)]
pub(crate) struct Feed {
    /// The database.
    pub(crate) db: PathBuf,
    /// Whose notices: each consumer has a durable cursor of its own.
    #[arg(long, value_name = "NAME")]
    pub(crate) consumer: String,
    /// First turn every threshold that passed before this time into a notice.
    #[arg(long, value_name = "TIME")]
    pub(crate) advance_to: Option<String>,
    /// The same up to the system's time.
    #[arg(long, conflicts_with = "advance_to")]
    pub(crate) advance: bool,
    /// Acknowledge the notices once they are written out: the next call goes on after them. Calls of one consumer that
    /// run at the same time get the same notices; give each a name of its own.
    #[arg(long)]
    pub(crate) ack: bool,
    /// How many notices to hand out, 1 to 10,000.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) limit: u16,
}

/// Cohorts to judge apart.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Per {
    Month,
    Quarter,
    Year,
}

#[derive(Args)]
pub(crate) struct Report {
    /// The database.
    pub(crate) db: PathBuf,
    #[command(flatten)]
    pub(crate) cohort: Cohort,
    /// Write a page for people to this file instead, replacing it: one file that needs nothing else. Of the month of
    /// --now, unless a period is given; --by adds facts to compare groups by.
    #[arg(long, value_name = "FILE", conflicts_with = "per")]
    pub(crate) html: Option<PathBuf>,
    /// With --html: the most ids that each number of the page leads to, 0 to 1,000.
    #[arg(long, value_name = "N", requires = "html", value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub(crate) ids: Option<u32>,
    /// List the requests behind the figures: all, or those that count as these.
    #[arg(long, value_enum, value_name = "WHICH", value_delimiter = ',', num_args = 0.., default_missing_value = "all")]
    pub(crate) requests: Vec<CountsAs>,
}

/// What a request counts as.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CountsAs {
    All,
    Met,
    Missed,
    /// Missed, and every miss excused.
    Waived,
    Undecided,
    Excluded,
}

#[derive(Args)]
pub(crate) struct Expedites {
    /// The database.
    pub(crate) db: PathBuf,
    /// Only this customer's, with what is left of the quota.
    #[arg(long)]
    pub(crate) customer: Option<String>,
    /// Only months of this period: 2016-03, 2016-Q1, 2016 or 2016-03-01..2016-06-30.
    #[arg(long)]
    pub(crate) period: Option<String>,
    /// Judge the quota at this time instead of the system's.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

#[derive(Args)]
pub(crate) struct Refusals {
    /// The database.
    pub(crate) db: PathBuf,
    /// Judge by this time instead of the system's.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

#[derive(Args)]
pub(crate) struct Reminders {
    /// The database.
    pub(crate) db: PathBuf,
    /// Judge by this time instead of the system's.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

#[derive(Args)]
pub(crate) struct Acknowledge {
    /// The database.
    pub(crate) db: PathBuf,
    /// Who has read it: one of the policy's readers, if it names any.
    #[arg(long, value_name = "WHO")]
    pub(crate) by: String,
    /// Which version; the newest installed if left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) version: Option<u32>,
    /// It was reviewed: read again, and found to hold still.
    #[arg(long)]
    pub(crate) review: bool,
    /// When; the system's time if left out.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}

#[derive(Args)]
pub(crate) struct Waits {
    /// The database.
    pub(crate) db: PathBuf,
    /// Only waits for this vendor.
    #[arg(long)]
    pub(crate) vendor: Option<String>,
    /// Only this customer's requests.
    #[arg(long)]
    pub(crate) customer: Option<String>,
    /// Only requests received in this period: 2016-03, 2016-Q1, 2016, 2016-03-01 or 2016-03-01..2016-03-15.
    #[arg(long)]
    pub(crate) period: Option<String>,
    /// Each customer's requests apart.
    #[arg(long)]
    pub(crate) by_customer: bool,
    /// List every wait behind the sums.
    #[arg(long)]
    pub(crate) requests: bool,
    /// Judge by this time instead of the system's.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

#[derive(Args)]
pub(crate) struct Simulate {
    /// The database.
    pub(crate) db: PathBuf,
    /// The policies to try, TOML or JSON.
    #[arg(required = true, value_name = "POLICY")]
    pub(crate) policies: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) cohort: Cohort,
}

/// Which requests a report is about, and how they are counted.
#[derive(Args)]
pub(crate) struct Cohort {
    /// Judge by this time instead of the system's.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    /// Only requests received in this month, like 2016-03.
    #[arg(long, value_name = "MONTH", conflicts_with = "period")]
    pub(crate) month: Option<String>,
    /// Only requests received in this period: 2016-03, 2016-Q1, 2016, 2016-03-01 or 2016-03-01..2016-03-15.
    #[arg(long)]
    pub(crate) period: Option<String>,
    /// Judge each month, quarter or year apart. Months, unless a period is given.
    #[arg(long, value_enum)]
    pub(crate) per: Option<Per>,
    /// Only this clock, whether it promises a share or not.
    #[arg(long)]
    pub(crate) clock: Option<String>,
    /// Count apart by a fact: customer, priority, category, channel or an attribute; may be repeated.
    #[arg(long, value_name = "FACT")]
    pub(crate) by: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Rebuild {
    /// The database.
    pub(crate) db: PathBuf,
    /// Only compare; repair nothing.
    #[arg(long)]
    pub(crate) verify: bool,
}

#[derive(Args)]
pub(crate) struct Database {
    /// The database.
    pub(crate) db: PathBuf,
}

#[derive(Args)]
pub(crate) struct Salvage {
    /// The damaged database. It is only read.
    pub(crate) from: PathBuf,
    /// The database to make; nothing may be there.
    pub(crate) to: PathBuf,
    /// The policy to use if none in the damaged database can be read.
    #[arg(long)]
    pub(crate) policy: Option<PathBuf>,
    /// Keep events whose request cannot be read, under stand-ins named `salvaged:` and a number.
    #[arg(long)]
    pub(crate) stand_ins: bool,
}

#[derive(Args)]
pub(crate) struct CompareTargets {
    /// The policy file, TOML or JSON.
    pub(crate) policy: PathBuf,
    /// The CSV file, plain or gzip.
    pub(crate) file: PathBuf,
    /// The mapping file; its [compare] names the columns.
    #[arg(long)]
    pub(crate) mapping: PathBuf,
    /// Fail (exit code 1) if less than this share of the targets, in percent, is within the tolerance.
    #[arg(long, value_name = "PERCENT", value_parser = basis_points)]
    pub(crate) at_least: Option<u64>,
    /// How many deviations to show.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) show: usize,
}

pub(super) fn page_key(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "must be the key that a page before ended with, a number".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("must be NAME=VALUE, like priority=high".to_owned()),
    }
}

/// `98.9` as 9890 hundredths of a percent, without a detour over floating point.
fn basis_points(text: &str) -> Result<u64, String> {
    let wrong = || "must be a percentage from 0 to 100 with at most two decimals, like 98.9".to_owned();
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty()
        || decimals.len() > 2
        || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return Err(wrong());
    }
    let decimals: u64 = format!("{decimals:0<2}").parse().map_err(|_| wrong())?;
    let points = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(100)?.checked_add(decimals));
    points.filter(|points| *points <= 10_000).ok_or_else(wrong)
}
