//! Reading typed values from nodes: the building blocks of the document's types.
//!
//! Each type states once how it is written: [`Read`] takes it from a node, `JsonSchema` describes it. Faults point at
//! the innermost node that is wrong.

#[cfg(test)]
use std::borrow::Cow;

use chrono::NaiveDate;
#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::text::{Fault, Key, Kind, Node};
use super::words::{list, nearest, shown};
use crate::time::{Span, TimeOfDay, parse_date};

/// A value that can be written in a policy.
pub(super) trait Read: Sized {
    fn read(node: &Node) -> Result<Self, Fault>;
}

/// A value at a key: required, or `Option` where it may be left out.
pub(super) trait Field: Sized {
    fn field(table: &Table<'_>, key: &'static str) -> Result<Self, Fault>;
}

impl<T: Read> Field for T {
    fn field(table: &Table<'_>, key: &'static str) -> Result<Self, Fault> {
        let node = table.get(key).ok_or_else(|| {
            Fault::new(table.at, format!("the {} has no `{key}`, which is required", table.what))
        })?;
        T::read(node).map_err(|fault| fault.about(key))
    }
}

impl<T: Read> Field for Option<T> {
    fn field(table: &Table<'_>, key: &'static str) -> Result<Self, Fault> {
        table.get(key).map(T::read).transpose().map_err(|fault| fault.about(key))
    }
}

/// A table whose keys have been checked.
pub(super) struct Table<'a> {
    at: u32,
    what: &'static str,
    entries: &'a [(Key, Node)],
}

impl<'a> Table<'a> {
    /// The node as a table in which no key but `allowed` occurs.
    pub(super) fn of(node: &'a Node, what: &'static str, allowed: &[&'static str]) -> Result<Self, Fault> {
        let entries = entries(node)?;
        for (key, _) in entries {
            if !allowed.contains(&key.name.as_str()) {
                let near = nearest(&key.name, allowed);
                let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or(";".into());
                let name = shown(&key.name);
                let allowed = list(allowed);
                return Err(Fault::new(
                    key.at,
                    format!("unknown key `{name}` in the {what}{near} allowed: {allowed}"),
                ));
            }
        }
        Ok(Table { at: node.at, what, entries })
    }

    fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(name, _)| name.name == key).map(|(_, value)| value)
    }
}

/// The entries of a table.
pub(super) fn entries(node: &Node) -> Result<&[(Key, Node)], Fault> {
    match &node.kind {
        Kind::Table(entries) => Ok(entries),
        _ => Err(Fault::unexpected(node, "a table")),
    }
}

/// The key among `known` that a table has; decides between forms of tables.
pub(super) fn tag<'a>(node: &Node, known: &[&'a str]) -> Option<&'a str> {
    let entries = entries(node).ok()?;
    known.iter().copied().find(|tag| entries.iter().any(|(key, _)| key.name == *tag))
}

/// Declares a table of the document with its schema: one field per key, `Option` where it may be left out.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident($what:literal) {
        $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[cfg_attr(test, schemars(deny_unknown_fields))]
        pub(super) struct $name { $($(#[$field_doc])* pub(super) $field: $type,)* }

        impl $crate::policy::read::Read for $name {
            fn read(
                node: &$crate::policy::text::Node,
            ) -> Result<Self, $crate::policy::text::Fault> {
                let table = $crate::policy::read::Table::of(node, $what, &[$(stringify!($field)),*])?;
                Ok($name { $($field: $crate::policy::read::Field::field(&table, stringify!($field))?,)* })
            }
        }
    };
}
pub(super) use table;

/// Declares a choice of words with its schema.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub(super) enum $name { $($(#[$word_doc])* #[cfg_attr(test, schemars(rename = $text))] $word,)* }

        impl $crate::policy::read::Read for $name {
            fn read(
                node: &$crate::policy::text::Node,
            ) -> Result<Self, $crate::policy::text::Fault> {
                match &node.kind {
                    $($crate::policy::text::Kind::Text(text) if text == $text => Ok($name::$word),)*
                    _ => {
                        let words = $crate::policy::words::list(&[$($text),*]);
                        Err($crate::policy::text::Fault::unexpected(node, format!("one of {words}")))
                    }
                }
            }
        }
    };
}
pub(super) use choice;

/// Declares a value that is written as text of its own form.
macro_rules! written {
    ($(#[doc = $doc:literal])* $name:ident($inner:ty) = $parse:expr, $pattern:expr) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub(super) struct $name(pub(super) $inner);

        impl $crate::policy::read::Read for $name {
            fn read(
                node: &$crate::policy::text::Node,
            ) -> Result<Self, $crate::policy::text::Fault> {
                let parse: fn(&$crate::policy::text::Node) -> Result<$inner, $crate::policy::text::Fault> = $parse;
                parse(node).map($name)
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let doc: &[&str] = &[$($doc.trim_ascii()),*];
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "description": doc.join("\n") })
            }
        }
    };
}
pub(super) use written;

/// A value and the byte at which it is written.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) at: u32,
    pub(super) value: T,
}

impl<T: Read> Read for At<T> {
    fn read(node: &Node) -> Result<Self, Fault> {
        Ok(At { at: node.at, value: T::read(node)? })
    }
}

#[cfg(test)]
impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// One value or a list of them.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(untagged, inline))]
pub(super) enum Many<T> {
    /// One.
    One(Box<T>),
    /// Several.
    List(Vec<T>),
}

impl<T> Many<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Many::One(one) => std::slice::from_ref(one),
            Many::List(list) => list,
        }
    }
}

impl<T: Read> Read for Many<T> {
    fn read(node: &Node) -> Result<Self, Fault> {
        match &node.kind {
            Kind::List(items) => Ok(Many::List(items.iter().map(T::read).collect::<Result<_, _>>()?)),
            _ => Ok(Many::One(Box::new(T::read(node)?))),
        }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(node: &Node) -> Result<Self, Fault> {
        match &node.kind {
            Kind::List(items) => items.iter().map(T::read).collect(),
            _ => Err(Fault::unexpected(node, "a list")),
        }
    }
}

/// A table with free keys, in the order of the text.
#[derive(Clone, Debug)]
pub(super) struct Map<T>(pub(super) Vec<(At<String>, T)>);

impl<T: Read> Read for Map<T> {
    fn read(node: &Node) -> Result<Self, Fault> {
        let read = |(key, value): &(Key, Node)| {
            check_name(&key.name, key.at)?;
            let value = T::read(value).map_err(|fault| fault.about(&key.name))?;
            Ok((At { at: key.at, value: key.name.clone() }, value))
        };
        entries(node)?.iter().map(read).collect::<Result<_, _>>().map(Map)
    }
}

#[cfg(test)]
impl<T: JsonSchema> JsonSchema for Map<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("MapOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}

impl Read for bool {
    fn read(node: &Node) -> Result<Self, Fault> {
        match node.kind {
            Kind::Bool(value) => Ok(value),
            _ => Err(Fault::unexpected(node, "true or false")),
        }
    }
}

/// Any text.
impl Read for String {
    fn read(node: &Node) -> Result<Self, Fault> {
        match &node.kind {
            Kind::Text(text) => Ok(text.clone()),
            _ => Err(Fault::unexpected(node, "a text")),
        }
    }
}

/// The text of a node that is a text or a TOML date or time.
pub(super) fn text_or_date<'a>(node: &'a Node, allowed: &str) -> Result<&'a str, Fault> {
    match &node.kind {
        Kind::Text(text) | Kind::Date(text) => Ok(text),
        _ => Err(Fault::unexpected(node, allowed)),
    }
}

fn check_name(name: &str, at: u32) -> Result<(), Fault> {
    if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        let found = format!(
            "a name of {} bytes must be 1 to 255 bytes of text without control characters",
            name.len()
        );
        return Err(Fault::new(at, found));
    }
    Ok(())
}

written! {
    /// A name: 1 to 255 bytes without control characters.
    Name(String) = |node| {
        let text = String::read(node)?;
        check_name(&text, node.at)?;
        Ok(text)
    }, "^.{1,255}$"
}

written! {
    /// A date like `2026-03-06`, in 1970 to 2099.
    Date(NaiveDate) = |node| {
        let allowed = "a date like 2026-03-06, in 1970 to 2099";
        parse_date(text_or_date(node, allowed)?).map_err(|_| Fault::unexpected(node, allowed))
    }, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
}

written! {
    /// A time of day like `14:00` or `08:30:15`, from `00:00` to `24:00`.
    Time(TimeOfDay) = |node| {
        let allowed = "a time of day like \"14:00\", from \"00:00\" to \"24:00\"";
        TimeOfDay::parse(text_or_date(node, allowed)?).map_err(|_| Fault::unexpected(node, allowed))
    }, "^([01][0-9]|2[0-4]):[0-5][0-9](:[0-5][0-9])?$"
}

/// Longest target, in seconds: a hundred years of 366 days.
const MAX_LENGTH_S: i64 = 36_600 * 86_400;

written! {
    /// A length of time in hours, minutes and seconds: `8h`, `1h30m`, `90s`. Days are refused, since a day could mean
    /// 24 hours, a working day or a calendar day.
    Length(Span) = |node| {
        let allowed = "a length of time like \"8h\", \"1h30m\" or \"90s\"";
        let Kind::Text(text) = &node.kind else { return Err(Fault::unexpected(node, allowed)) };
        let length = Span::parse(text).map_err(|wrong| Fault::predicate(node.at, format!("is wrong: \
         {}", wrong.message())))?;
        if !(1..=MAX_LENGTH_S).contains(&length.as_secs()) {
            let limit = MAX_LENGTH_S / 3600;
            let message = format!("must be 1 second to {limit} hours; found \"{}\"", shown(text));
            return Err(Fault::predicate(node.at, message + "; write \"none\" if nothing is promised"));
        }
        Ok(length)
    }, "^ *([0-9]+ *h *)?([0-9]+ *(m|min) *)?([0-9]+ *s *)?$"
}

written! {
    /// A percentage of a target's time, in whole percent from `1 %` to `99 %`.
    Percent(u8) = |node| {
        let wrong = || Fault::unexpected(node, "a percentage like \"75 %\", from \"1 %\" to \"99 %\"");
        let Kind::Text(text) = &node.kind else { return Err(wrong()) };
        hundredths(text).filter(|share| share % 100 == 0).map(|share| share / 100)
            .and_then(|percent| u8::try_from(percent).ok())
            .filter(|percent| (1..=99).contains(percent)).ok_or_else(wrong)
    }, "^[1-9][0-9]? ?%$"
}

written! {
    /// A share of requests, `0.01 %` to `100 %` with at most two decimals: `95 %`, `99.5 %`.
    Share(u32) = |node| {
        let wrong = || Fault::unexpected(node, "a percentage like \"95 %\" or \"99.5 %\", from \"0.01 \
         %\" to \"100 %\"");
        let Kind::Text(text) = &node.kind else { return Err(wrong()) };
        hundredths(text).filter(|share| (1..=10_000).contains(share)).ok_or_else(wrong)
    }, "^[0-9]{1,3}(\\.[0-9]{1,2})? ?%$"
}

/// `99.5 %` as 9,950.
fn hundredths(text: &str) -> Option<u32> {
    let number = text.strip_suffix('%')?.trim_end();
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(whole, 3) || !digits(part, 2) {
        return None;
    }
    let (whole, hundredths): (u32, u32) = (whole.parse().ok()?, part.parse().ok()?);
    whole.checked_mul(100)?.checked_add(if part.len() == 1 { hundredths * 10 } else { hundredths })
}

/// A number of days, 1 to 36,600.
#[derive(Clone, Copy, Debug)]
pub(super) struct Days(pub(super) u32);

impl Read for Days {
    fn read(node: &Node) -> Result<Self, Fault> {
        whole(node, 1, 36_600, "a number of days from 1 to 36600").map(Days)
    }
}

#[cfg(test)]
impl JsonSchema for Days {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Days".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": 36_600 })
    }
}

/// A number of things, 0 to 10,000.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count(pub(super) u32);

impl Read for Count {
    fn read(node: &Node) -> Result<Self, Fault> {
        whole(node, 0, 10_000, "a whole number from 0 to 10000").map(Count)
    }
}

#[cfg(test)]
impl JsonSchema for Count {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": 10_000 })
    }
}

/// A version number, from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version(pub(super) u32);

impl Read for Version {
    fn read(node: &Node) -> Result<Self, Fault> {
        whole(node, 1, i64::from(i32::MAX), "a whole number from 1 to 2147483647").map(Version)
    }
}

#[cfg(test)]
impl JsonSchema for Version {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": i32::MAX })
    }
}

fn whole(node: &Node, least: i64, most: i64, allowed: &str) -> Result<u32, Fault> {
    match node.kind {
        Kind::Int(number) if (least..=most).contains(&number) => {
            u32::try_from(number).map_err(|_| Fault::unexpected(node, allowed))
        }
        _ => Err(Fault::unexpected(node, allowed)),
    }
}
