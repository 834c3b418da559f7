//! The facts that policy rules match on.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What policy rules match on: `customer`, `priority`, `category`, `channel` and free attributes, by name.
///
/// Sorted by name. Most requests have a handful, each derivation makes them anew, and every rule asks for one or two: so
/// their texts lie one after the other in one piece of memory.
#[derive(Clone, Default)]
pub struct Facts {
    places: Vec<Place>,
    text: String,
    /// Bytes of the text that no fact has any more.
    left: usize,
}

#[derive(Clone)]
struct Place {
    name: Name,
    value: Range<usize>,
}

#[derive(Clone)]
enum Name {
    Field(&'static str),
    Written(Range<usize>),
}

/// Texts that no fact has any more may take so many bytes, and as much again as the facts do.
const MOST_LEFT: usize = 4_096;

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
        self.put(None, &name.into(), &value.into());
    }

    /// As [`set`](Self::set); `field` is the name if it is one of a request's fields.
    pub(super) fn put(&mut self, field: Option<&'static str>, name: &str, value: &str) {
        match self.places.binary_search_by(|place| self.name_of(place).cmp(name)) {
            Ok(at) if value.is_empty() => {
                let Place { name, value } = self.places.remove(at);
                self.left += value.len();
                if let Name::Written(name) = name {
                    self.left += name.len();
                }
            }
            Ok(at) => {
                self.left += self.places[at].value.len();
                self.places[at].value = self.written(value);
            }
            Err(_) if value.is_empty() => {}
            Err(at) => {
                let name = field.map_or_else(|| Name::Written(self.written(name)), Name::Field);
                let value = self.written(value);
                self.places.insert(at, Place { name, value });
            }
        }
        if self.left > MOST_LEFT && self.left > self.text.len() / 2 {
            let all = std::mem::take(self);
            *self = Facts::with_room(all.places.len(), all.text.len() - all.left);
            for place in &all.places {
                let field = match place.name {
                    Name::Field(name) => Some(name),
                    Name::Written(_) => None,
                };
                self.put(field, all.name_of(place), &all.text[place.value.clone()]);
            }
        }
    }

    fn written(&mut self, text: &str) -> Range<usize> {
        let from = self.text.len();
        self.text.push_str(text);
        from..self.text.len()
    }

    fn name_of<'s>(&'s self, place: &'s Place) -> &'s str {
        match &place.name {
            Name::Field(name) => name,
            Name::Written(name) => &self.text[name.clone()],
        }
    }

    /// No facts, with room for so many and so many bytes of texts.
    pub(super) fn with_room(count: usize, bytes: usize) -> Self {
        Facts { places: Vec::with_capacity(count), text: String::with_capacity(bytes), left: 0 }
    }

    /// The fact of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.places.iter().find(|place| self.name_of(place) == name)?;
        Some(&self.text[found.value.clone()])
    }

    /// All facts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.places.iter().map(|place| (self.name_of(place), &self.text[place.value.clone()]))
    }
}

impl PartialEq for Facts {
    fn eq(&self, other: &Facts) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Facts {}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Facts").field(&self.iter().collect::<Vec<_>>()).finish()
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
        let bytes = facts.iter().map(|(name, value)| name.len() + value.len()).sum();
        let mut read = Facts::with_room(facts.len(), bytes);
        for (name, value) in &facts {
            let name = Name::Written(read.written(name));
            let value = read.written(value);
            read.places.push(Place { name, value });
        }
        Ok(read)
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

    #[test]
    fn facts_that_change_for_ever_take_no_more_memory() {
        let mut facts = Facts::none().with("a", "1").with("b", "2");
        for number in 0..10_000 {
            facts.set("b", format!("{number:0>100}"));
            facts.set("c", if number % 2 == 0 { "3" } else { "" });
            assert_eq!(facts.get("a"), Some("1"));
        }
        assert!(facts.text.len() < 3 * MOST_LEFT, "{}", facts.text.len());
        assert_eq!(facts, Facts::none().with("b", format!("{:0>100}", 9_999)).with("a", "1"));
    }
}
