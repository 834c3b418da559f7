//! All that a database answers, as one value that can be compared.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use slaclock::{AttainmentQuery, Db, Error, ErrorKind, Instant, Page, Query};

/// Requests of the base file.
pub(crate) const COUNT: i64 = 240;

/// Seconds after a Monday morning in 2026.
pub(crate) fn at(secs: i64) -> Instant {
    Instant::from_secs(1_772_434_800 + secs).unwrap()
}

/// Asks everything there is to ask.
pub(crate) fn answers(db: &Db) -> Result<Value, Error> {
    let now = at(200 * 3600);
    let info = db.info()?;
    let feed = db.feed("mail")?;
    let requests = known(db)?;
    let rows = |page: Page| db.scan(&Query::at(now), page).map(|rows| rows.rows);
    Ok(json!({
        "info": [info.requests, info.events, info.clocks, info.notices, u64::from(info.format)],
        "advanced_to": info.advanced_to,
        "counts": db.counts(now)?,
        "then": db.counts(at(3600))?,
        "scan": rows(Page::first(10_000))?,
        "late": db.late(now, Page::first(10_000))?.rows,
        "next": db.next_due(now)?,
        "attainment": db.attainment_by(&AttainmentQuery::at(now).by("customer"))?,
        "waiting": db.waiting(None, now)?,
        "notices": feed.pending(10_000)?,
        "acknowledged": feed.acknowledged()?,
        "policies": db.policies()?,
        "requests": requests,
        "nobody": matches!(db.get("NOBODY"), Err(error) if error.kind() == ErrorKind::NotFound),
    }))
}

/// What is known of every request that is there.
pub(crate) fn known(db: &Db) -> Result<BTreeMap<String, Value>, Error> {
    let mut found = BTreeMap::new();
    for number in 0..COUNT {
        let id = format!("CASE-{number}");
        match db.get(&id) {
            Ok(status) => drop(found.insert(id, json!(status))),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Where two answers differ, for the message.
pub(crate) fn differences(found: &Value, expected: &Value) -> String {
    let (Some(found), Some(expected)) = (found.as_object(), expected.as_object()) else {
        return "all".into();
    };
    let differing = expected.iter().filter(|(name, value)| found.get(*name) != Some(value));
    differing
        .map(|(name, value)| {
            let (mut found, mut value) = (found[name].to_string(), value.to_string());
            found.truncate(200);
            value.truncate(200);
            format!("{name}: {found} instead of {value}")
        })
        .collect::<Vec<_>>()
        .join("; ")
}

/// A salvaged request has the text it had, and events it had, in their order.
pub(crate) fn is_part_of(now: &Value, then: &Value) -> Result<(), String> {
    if now["request"] != then["request"] {
        return Err(format!("{} instead of {}", now["request"], then["request"]));
    }
    let mut rest = then["events"].as_array().unwrap().iter();
    match now["events"].as_array().unwrap().iter().find(|event| !rest.any(|other| other == *event)) {
        Some(extra) => Err(format!("event {extra} was not there, or not in this order")),
        None => Ok(()),
    }
}
