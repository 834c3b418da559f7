//! Commands on the database as a whole: `create`, `install`, `info`, `rebuild`, `check-file`, `compact`.

use crate::db::{Db, Options, Rebuild, Verify};
use crate::policy::Policy;
use serde_json::json;

use super::Verdict;
use super::args;
use super::failure::Failure;
use super::out::{self, Out, grouped};
use super::when::Zones;

pub(crate) fn create(args: &args::Create, out: &mut Out) -> Result<Verdict, Failure> {
    let policy = Policy::load(&args.policy)?;
    Db::create(&args.db, &policy, Options::default())?.close()?;
    if out.is_json() {
        let answer = json!({ "created": args.db, "policy": policy.name(), "version": policy.version() });
        out.object(&answer, &Zones::utc())?;
    } else {
        out.line(format!("{}: made under {} v{}", args.db.display(), policy.name(), policy.version()))?;
    }
    Ok(Verdict::Fine)
}

pub(crate) fn install(args: &args::Install, out: &mut Out) -> Result<Verdict, Failure> {
    let policy = Policy::load(&args.policy)?;
    let zones = Zones::of(&policy);
    let from = zones.read("--from", &args.from)?;
    let db = Db::open(&args.db, Options::default())?;
    db.install(&policy, from)?;
    db.close()?;
    if out.is_json() {
        let answer = json!({ "policy": policy.name(), "version": policy.version(), "in_force_from_at": from.as_secs() });
        out.object(&answer, &zones)?;
    } else {
        let from = zones.main(from);
        out.line(format!(
            "{} v{}: in force for requests received from {from} on",
            policy.name(),
            policy.version()
        ))?;
    }
    Ok(Verdict::Fine)
}

pub(crate) fn info(args: &args::Database, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default().read_only())?;
    let (info, policies) = (db.info()?, db.policies()?);
    let zones = Zones::of(&db.policy()?);
    if out.is_json() {
        let mut answer = serde_json::to_value(&info).map_err(|error| Failure::text(error.to_string()))?;
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("policies".to_owned(), json!(policies));
        }
        out.object(&answer, &zones)?;
        return Ok(Verdict::Fine);
    }
    let mut table = out::table(&[]);
    let mut row = |name: &str, value: String| {
        table.add_row([name.to_owned(), value]);
    };
    row("file", format!("{}, format {}, {} bytes", args.db.display(), info.format, grouped(info.file_bytes)));
    for policy in &policies {
        let since = if policy.in_force_from == crate::time::Instant::MIN {
            "from the beginning".to_owned()
        } else {
            format!("from {}", zones.main(policy.in_force_from))
        };
        row("policy", format!("{} v{}, {since}, tzdb {}", policy.name, policy.version, policy.tzdb));
    }
    row("requests", grouped(info.requests));
    row("events", grouped(info.events));
    row("clocks", grouped(info.clocks));
    row("notices", grouped(info.notices));
    row(
        "feed",
        info.advanced_to.map_or("never advanced".to_owned(), |at| format!("advanced to {}", zones.main(at))),
    );
    row("latest event", info.latest_event_at.map_or("none".to_owned(), |at| zones.main(at)));
    row(
        "indexes",
        format!(
            "{} bytes in memory, {} operations not folded",
            grouped(info.index_bytes),
            grouped(info.unfolded)
        ),
    );
    out.table(&table)?;
    Ok(Verdict::Fine)
}

pub(crate) fn rebuild(args: &args::Rebuild, out: &mut Out) -> Result<Verdict, Failure> {
    let (done, word) = if args.verify {
        (Db::open(&args.db, Options::default().read_only())?.verify()?, "found")
    } else {
        let db = Db::open(&args.db, Options::default())?;
        let done = db.rebuild()?;
        db.close()?;
        (done, "repaired")
    };
    tell(&done, word, out)?;
    let unrepaired = done.differing > 0 && args.verify;
    if unrepaired { Err(differs(&done)) } else { Ok(Verdict::Fine) }
}

pub(crate) fn check_file(args: &args::Database, out: &mut Out) -> Result<Verdict, Failure> {
    // Whoever asks for this may not trust the file: nothing of it is read before all of it is verified.
    let done = Db::open(&args.db, Options::default().verify(Verify::Always))?.check()?;
    tell(&done, "found", out)?;
    if done.differing > 0 { Err(differs(&done)) } else { Ok(Verdict::Fine) }
}

fn differs(done: &Rebuild) -> Failure {
    Failure::text(format!(
        "{} differences: the stored state does not follow from the events",
        grouped(done.differing)
    ))
}

fn tell(done: &Rebuild, word: &str, out: &mut Out) -> Result<(), Failure> {
    if out.is_json() {
        return out.object(done, &Zones::utc());
    }
    out.line(format!(
        "{} requests derived anew from {} events; compared: {} clocks, {} index rows, {} notices; differences {word}: {}",
        grouped(done.requests),
        grouped(done.events),
        grouped(done.clocks),
        grouped(done.index_rows),
        grouped(done.notices),
        grouped(done.differing),
    ))?;
    done.differences
        .iter()
        .try_for_each(|difference| out.line(format!("{}: {}", difference.place, difference.text)))
}

pub(crate) fn compact(args: &args::Database, out: &mut Out) -> Result<Verdict, Failure> {
    let db = Db::open(&args.db, Options::default())?;
    let before = db.info()?.file_bytes;
    db.compact()?;
    let after = db.info()?.file_bytes;
    db.close()?;
    if out.is_json() {
        out.object(&json!({ "bytes_before": before, "bytes_after": after }), &Zones::utc())?;
    } else {
        out.line(format!(
            "{}: {} bytes before, {} after",
            args.db.display(),
            grouped(before),
            grouped(after)
        ))?;
    }
    Ok(Verdict::Fine)
}
