//! Mapping files as people write them: the names here are their keys. What they mean is checked in `check.rs`.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) mapping: Spanned<Head>,
    pub(super) time: TimeTable,
    pub(super) request: RequestTable,
    pub(super) update: Option<UpdateTable>,
    #[serde(default)]
    pub(super) state: Vec<Spanned<StateTable>>,
    #[serde(default)]
    pub(super) event: Vec<Spanned<EventTable>>,
    #[serde(default)]
    pub(super) change: Vec<Spanned<EventTable>>,
    pub(super) compare: Option<CompareTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) layout: Spanned<String>,
    #[serde(default)]
    pub(super) delimiter: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    pub(super) fn into_vec(self) -> Vec<T> {
        match self {
            OneOrMore::One(one) => vec![one],
            OneOrMore::More(more) => more,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeTable {
    pub(super) format: Spanned<OneOrMore<String>>,
    pub(super) zone: Spanned<String>,
    #[serde(default)]
    pub(super) missing: Vec<String>,
    pub(super) shift: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) midnight_is_date_only: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestTable {
    pub(super) id: Spanned<String>,
    pub(super) received: Spanned<String>,
    pub(super) customer: Option<Spanned<String>>,
    pub(super) priority: Option<Spanned<String>>,
    pub(super) category: Option<Spanned<String>>,
    pub(super) channel: Option<Spanned<String>>,
    pub(super) subject: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateTable {
    pub(super) at: Spanned<String>,
    pub(super) by: Option<Spanned<String>>,
    pub(super) key: Spanned<String>,
    pub(super) state: Spanned<String>,
    #[serde(default)]
    pub(super) order: Vec<Spanned<String>>,
    #[serde(default = "yes")]
    pub(super) grouped: bool,
    #[serde(default)]
    pub(super) assigned: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) changed: Vec<Spanned<String>>,
    pub(super) reopen_count: Option<Spanned<String>>,
    pub(super) vendor: Option<Spanned<String>>,
    pub(super) resolved_at: Option<Spanned<String>>,
    #[serde(default = "yes")]
    pub(super) acknowledge: bool,
    pub(super) otherwise: Option<Spanned<String>>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateTable {
    pub(super) values: Vec<Spanned<String>>,
    pub(super) is: Spanned<String>,
    pub(super) reason: Option<Spanned<String>>,
    pub(super) text: Option<Spanned<String>>,
    pub(super) enter: Option<Spanned<String>>,
    pub(super) leave: Option<Spanned<String>>,
    pub(super) resume: Option<Spanned<String>>,
    pub(super) stay: Option<Spanned<String>>,
}

/// An `[[event]]` or a `[[change]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventTable {
    pub(super) column: Spanned<String>,
    pub(super) is: Spanned<String>,
    pub(super) reason: Option<Spanned<String>>,
    pub(super) by: Option<Spanned<String>>,
    pub(super) text: Option<Spanned<String>>,
    pub(super) to: Option<Spanned<String>>,
    pub(super) vendor: Option<Spanned<String>>,
    pub(super) due: Option<Spanned<String>>,
    pub(super) approved_by: Option<Spanned<String>>,
    pub(super) faq: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) set: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(super) clock: Option<Spanned<String>>,
    pub(super) cycle: Option<Spanned<u32>>,
    /// Of a `[[change]]`.
    pub(super) values: Option<Spanned<Vec<String>>>,
    /// Of an `[[event]]`.
    pub(super) expected: Option<Spanned<ExpectedTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedTable {
    pub(super) column: Spanned<String>,
    pub(super) values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CompareTable {
    pub(super) clock: String,
    pub(super) target: Spanned<String>,
    pub(super) closed: Spanned<String>,
    pub(super) tolerance: Spanned<String>,
    pub(super) exact_from: Option<Spanned<String>>,
    pub(super) verdict: Option<VerdictTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerdictTable {
    pub(super) column: Spanned<String>,
    pub(super) met: Vec<String>,
    pub(super) missed: Vec<String>,
    pub(super) as_of: Option<Spanned<String>>,
}
