//! The facts that policy rules match on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What policy rules match on: `customer`, `priority`, `category`, `channel` and free attributes, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(BTreeMap<String, String>);

impl Facts {
    /// Names that are fields of a request, and so no attribute names.
    pub const RESERVED: [&'static str; 4] = ["customer", "priority", "category", "channel"];

    /// The fact that an expedited request has, with the value `yes`. Only the events `expedited` and
    /// `expedite_withdrawn` set it.
    pub const EXPEDITE: &'static str = "expedite";

    /// No facts at all.
    pub fn none() -> Self {
        Facts::default()
    }

    /// The same facts with one more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets or replaces one fact; an empty value removes it.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        if value.is_empty() {
            self.0.remove(&name);
        } else {
            self.0.insert(name, value);
        }
    }

    /// The fact of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All facts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
