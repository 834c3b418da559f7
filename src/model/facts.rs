//! The facts that policy rules match on.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What policy rules match on: `customer`, `priority`, `category`, `channel` and free attributes, by name.
///
/// Sorted by name. Most requests have a handful, each derivation makes them anew, and every rule asks for one or two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(Vec<(Cow<'static, str>, String)>);

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
        self.put(Cow::Owned(name.into()), value.into());
    }

    /// As [`set`](Self::set).
    pub(super) fn put(&mut self, name: Cow<'static, str>, value: String) {
        match self.0.binary_search_by(|(known, _)| known.as_ref().cmp(&name)) {
            Ok(at) if value.is_empty() => drop(self.0.remove(at)),
            Ok(at) => self.0[at].1 = value,
            Err(_) if value.is_empty() => {}
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    /// No facts, with room for so many.
    pub(super) fn with_room(count: usize) -> Self {
        Facts(Vec::with_capacity(count))
    }

    /// The fact of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All facts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_str()))
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let facts = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(Facts(facts.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_as_a_map_would_hold_them() {
        let (mut facts, mut map) = (Facts::none(), BTreeMap::new());
        for (name, value) in [("b", "1"), ("a", "2"), ("c", "3"), ("b", "4"), ("a", ""), ("d", ""), ("", "5")]
        {
            facts.set(name, value);
            match value {
                "" => map.remove(name),
                _ => map.insert(name.to_owned(), value.to_owned()),
            };
            assert!(facts.iter().eq(map.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
            for name in ["a", "b", "c", "d", ""] {
                assert_eq!(facts.get(name), map.get(name).map(String::as_str));
            }
            let text = serde_json::to_string(&facts).unwrap();
            assert_eq!(text, serde_json::to_string(&map).unwrap());
            assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
        }
    }
}
