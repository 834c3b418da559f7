//! `search`: has this been asked before, and what helped?

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::db::{Db, Options};
use crate::search::{Hit, HitKind, SearchQuery};

use super::Verdict;
use super::failure::Failure;
use super::out::{Out, grouped};
use super::when::Zones;

/// What is looked for.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    Request,
    Faq,
}

#[derive(Args)]
pub(crate) struct SearchArgs {
    /// The database.
    db: PathBuf,
    /// The words: any of them is enough, the last also finds what begins with it. Case and accents do not count.
    #[arg(required = true)]
    words: Vec<String>,
    /// Every word must be there.
    #[arg(long)]
    all: bool,
    /// The last word must be there as it is.
    #[arg(long)]
    whole: bool,
    /// Only requests of this customer.
    #[arg(long)]
    customer: Option<String>,
    /// Only what was received or published at or after this time.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only what was received or published before this time.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Only what was answered.
    #[arg(long)]
    answered: bool,
    /// Only requests, or only FAQ entries.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// How many hits, 1 to 1,000.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,
    /// Leave so many hits out before them, at most 1,000.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1_000))]
    skip: u16,
    /// The folder of the index; DB.search if left out.
    #[arg(long, value_name = "FOLDER")]
    index: Option<PathBuf>,
}

impl SearchArgs {
    pub(crate) fn db(&self) -> &PathBuf {
        &self.db
    }
}

pub(crate) fn search(args: &SearchArgs, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let zones = Zones::of(&db.policy()?);
    let time = |option: &str, text: &Option<String>| {
        text.as_deref().map(|text| zones.read(option, text)).transpose()
    };
    let query = SearchQuery {
        text: args.words.join(" "),
        customer: args.customer.clone(),
        from: time("--from", &args.from)?,
        to: time("--to", &args.to)?,
        answered: args.answered,
        kind: args.kind.map(|kind| match kind {
            Kind::Request => HitKind::Request,
            Kind::Faq => HitKind::Faq,
        }),
        every_word: args.all,
        prefix: !args.whole,
        limit: usize::from(args.limit),
        skip: usize::from(args.skip),
        index: args.index.clone(),
    };
    let found = db.search(&query)?;
    if out.is_json() {
        out.object(&found, &zones)?;
        return Ok(Verdict::Fine);
    }
    match found.matches {
        0 => out.line("nothing was found")?,
        1 => out.line("1 hit")?,
        matches => out.line(format!("{} hits", grouped(matches)))?,
    }
    for hit in &found.hits {
        out.line("")?;
        show(hit, &zones, out)?;
    }
    if !found.complete {
        out.line("\nThe index does not cover the latest yet: another process is building it, or it cannot be written.")?;
    }
    Ok(Verdict::Fine)
}

fn show(hit: &Hit, zones: &Zones, out: &mut Out) -> Result<(), Failure> {
    let title = hit.subject.as_deref().unwrap_or_default();
    let what = match hit.kind {
        HitKind::Faq => "FAQ ",
        HitKind::Request => "",
    };
    out.line(format!("{what}{}  {title}", hit.id))?;
    let shown: String = hit
        .snippet
        .iter()
        .map(|piece| if piece.hit { format!("\x1b[1m{}\x1b[0m", piece.text) } else { piece.text.clone() })
        .collect();
    let customer = hit.customer.as_ref().map_or_else(String::new, |customer| format!("{customer}, "));
    let state = match (hit.state, hit.handled_at) {
        (Some("resolved"), Some(at)) => format!(", handled {}", zones.main(at)),
        (Some(state), _) => format!(", {state}"),
        (None, _) => String::new(),
    };
    out.line(format!("  {customer}{}{state}", zones.main(hit.at)))?;
    out.line(format!("  {shown}"))?;
    if let Some(answer) = &hit.answer {
        out.line(format!("  → {}", answer.trim()))?;
    }
    if !hit.faq.is_empty() {
        out.line(format!("  FAQ: {}", hit.faq.join(", ")))?;
    }
    Ok(())
}
