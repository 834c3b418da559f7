//! The command `salvage`.

use crate::db::{Db, Salvage, SalvageOptions};
use crate::policy::Policy;

use super::Verdict;
use super::args;
use super::failure::Failure;
use super::out::{Out, grouped};
use super::when::Zones;

pub(crate) fn salvage(args: &args::Salvage, out: &mut Out) -> Result<Verdict, Failure> {
    let mut options = SalvageOptions::default();
    if let Some(path) = &args.policy {
        options = options.policy(Policy::load(path)?);
    }
    if args.stand_ins {
        options = options.stand_ins();
    }
    let saved = Db::salvage(&args.from, &args.to, &options)?;
    if out.is_json() {
        out.object(&saved, &Zones::utc())?;
        return Ok(Verdict::Fine);
    }
    out.line(format!(
        "{}: {} requests and {} events under {} of {}'s {} bytes",
        args.to.display(),
        grouped(saved.requests),
        grouped(saved.events),
        policies(&saved),
        args.from.display(),
        grouped(saved.file_bytes),
    ))?;
    if saved.is_complete() {
        out.line("nothing is missing")?;
    } else {
        let known = |count: Option<u64>| count.map_or("an unknown number of".to_owned(), grouped);
        out.line(format!(
            "missing: {} requests, {} events; {} places could not be read or used",
            known(saved.lost_requests),
            known(saved.lost_events),
            grouped(saved.unreadable)
        ))?;
    }
    let remarks = [
        (saved.stand_ins, "requests stand in for ones whose text cannot be read"),
        (saved.orphaned_events, "events can be read, but not their request"),
        (saved.unproven, "requests and events lie on pages that are not proven to be of the latest commit"),
        (saved.repinned, "requests are under another policy version than before"),
    ];
    for (count, text) in remarks.into_iter().filter(|(count, _)| *count > 0) {
        out.line(format!("{} {text}", grouped(count)))?;
    }
    if saved.feed_advanced_to.is_some() || !saved.consumers.is_empty() {
        out.line("the feed begins anew: its consumers will be handed the notices again")?;
    }
    saved.places.iter().try_for_each(|missed| out.line(format!("{}: {}", missed.place, missed.text)))?;
    Ok(Verdict::Fine)
}

fn policies(saved: &Salvage) -> String {
    let titles: Vec<String> =
        saved.policies.iter().map(|policy| format!("{} v{}", policy.name, policy.version)).collect();
    titles.join(", ")
}
