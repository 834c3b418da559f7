//! The command `compare-targets`.

use crate::import::{Mapping, compare_targets as compare};
use crate::policy::Policy;
use serde_json::json;

use super::Verdict;
use super::args;
use super::failure::Failure;
use super::out::{self, Out, grouped, number, percent};
use super::when::Zones;

pub(crate) fn compare_targets(args: &args::CompareTargets, out: &mut Out) -> Result<Verdict, Failure> {
    let mapping = Mapping::load(&args.mapping)?;
    let policy = Policy::load(&args.policy)?;
    let zones = Zones::of(&policy);
    let found = compare(&mapping, &args.file, &policy, args.show)?;
    if out.is_json() {
        let mut answer = serde_json::to_value(&found).map_err(|error| Failure::text(error.to_string()))?;
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("within_bp".to_owned(), json!(found.within_bp()));
            fields.insert("moved_exact_bp".to_owned(), json!(found.moved_exact_bp()));
            fields.insert("verdicts_agree_bp".to_owned(), json!(found.verdicts_agree_bp()));
        }
        out.object(&answer, &zones)?;
    } else {
        out.line(format!(
            "{}: {} rows, {} with a recorded target",
            mapping.name(),
            grouped(found.rows),
            grouped(found.targets)
        ))?;
        if found.bad_rows > 0 {
            out.line(format!("{} rows cannot be read", grouped(found.bad_rows)))?;
        }
        let share = |part: u64, whole: u64| percent((part * 10_000).checked_div(whole));
        let mut table = out::table(&["", "rows", "of", "share"]);
        let mut row = |what: String, part: u64, whole: u64| {
            if whole > 0 {
                table.add_row(vec![
                    what.into(),
                    number(grouped(part)),
                    number(grouped(whole)),
                    number(share(part, whole)),
                ]);
            }
        };
        row(format!("targets reproduced within {}", found.tolerance), found.within, found.targets);
        row("targets reproduced to the second".to_owned(), found.exact, found.targets);
        row("receipts moved by the evening rule, to the second".to_owned(), found.moved_exact, found.moved);
        row("targets without a deadline of the policy".to_owned(), found.without_deadline, found.targets);
        row(
            "verdicts that `closed <= recorded target` gives".to_owned(),
            found.verdicts_agree,
            found.verdicts,
        );
        row(
            "verdicts that the policy's own due gives".to_owned(),
            found.verdicts_agree_by_policy,
            found.verdicts,
        );
        out.table(&table)?;
        if !found.deviations.is_empty() {
            out.heading("Deviations")?;
            let mut table =
                out::table(&["line", "request", "category", "received", "recorded", "by the policy"]);
            for odd in &found.deviations {
                table.add_row(vec![
                    number(odd.row),
                    odd.id.clone().into(),
                    odd.category.clone().unwrap_or_default().into(),
                    zones.main(odd.received_at).into(),
                    zones.main(odd.recorded).into(),
                    odd.computed.map_or_else(|| "no deadline".to_owned(), |at| zones.main(at)).into(),
                ]);
            }
            out.table(&table)?;
        }
    }
    let reached = args.at_least.is_none_or(|least| found.within_bp().is_some_and(|share| share >= least));
    if !reached {
        let least = percent(args.at_least);
        out::note(&format!("less than {least} of the targets are reproduced"));
    }
    Ok(if reached { Verdict::Fine } else { Verdict::Late })
}
