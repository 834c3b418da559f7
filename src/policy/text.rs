//! TOML and JSON texts as one tree of nodes, each with its place in the text.

use std::collections::HashSet;

use jsonc_parser::ast;
use toml::de::{DeTable, DeValue};

use super::words::shown;
use crate::error::{Error, ErrorKind, Position, Result};

/// Longest text, in bytes.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
/// Deepest nesting of tables and lists.
pub(crate) const MAX_DEPTH: usize = 32;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Toml,
    Json,
}

impl Format {
    /// JSON if the first character that is no white space is a brace, with which no TOML text begins.
    pub(crate) fn of(text: &str) -> Format {
        if text.trim_start().starts_with('{') { Format::Json } else { Format::Toml }
    }
}

/// A value and the byte at which it begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: u32,
    pub(crate) kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    /// A number that is no 64-bit integer, as written.
    Float(String),
    Text(String),
    /// A TOML date, time or both, as written.
    Date(String),
    List(Vec<Node>),
    Table(Vec<(Key, Node)>),
}

/// A key and the byte at which it begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) at: u32,
    pub(crate) name: String,
}

/// Something wrong at a byte of the text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) at: u32,
    pub(crate) message: String,
    /// The message is a predicate (`must be …`) and waits for the key it is about.
    bare: bool,
    /// A kind more telling than the text's own.
    kind: Option<ErrorKind>,
}

impl Fault {
    pub(crate) fn new(at: u32, message: impl Into<String>) -> Fault {
        Fault { at, message: message.into(), bare: false, kind: None }
    }

    /// `must be {allowed}; found {the node}`, to be completed by [`Fault::about`].
    pub(crate) fn unexpected(node: &Node, allowed: impl std::fmt::Display) -> Fault {
        Fault::predicate(node.at, format!("must be {allowed}; found {}", node.found()))
    }

    /// A message that begins with a verb, to be completed by [`Fault::about`].
    pub(crate) fn predicate(at: u32, message: impl Into<String>) -> Fault {
        Fault { at, message: message.into(), bare: true, kind: None }
    }

    /// An error from elsewhere, at this place.
    pub(crate) fn from_error(at: u32, error: &Error) -> Fault {
        Fault { at, message: one_line(error.message()), bare: false, kind: Some(error.kind()) }
    }

    /// Names the key that a predicate is about; the innermost key counts.
    pub(crate) fn about(mut self, key: &str) -> Fault {
        if self.bare {
            self.message = format!("`{}` {}", shown(key), self.message);
            self.bare = false;
        }
        self
    }

    /// The fault as an error of this kind, with line and column in `text`.
    pub(crate) fn into_error(self, kind: ErrorKind, text: &str) -> Error {
        Error::new(self.kind.unwrap_or(kind), self.message).at(position(text, self.at))
    }
}

impl Node {
    /// What the node is, for messages: `the text "x"`, `a list`.
    pub(crate) fn found(&self) -> String {
        match &self.kind {
            Kind::Null => "null".into(),
            Kind::Bool(value) => format!("`{value}`"),
            Kind::Int(value) => format!("the number {value}"),
            Kind::Float(value) => format!("the number {}", shown(value)),
            Kind::Text(value) => format!("the text \"{}\"", shown(value)),
            Kind::Date(value) => format!("the date or time {}", shown(value)),
            Kind::List(items) if items.is_empty() => "an empty list".into(),
            Kind::List(_) => "a list".into(),
            Kind::Table(_) => "a table".into(),
        }
    }
}

/// Line and column of a byte; a byte inside a character counts as its start.
pub(crate) fn position(text: &str, at: u32) -> Position {
    let mut at = (at as usize).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = text.get(..at).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1);
    Position {
        line: number(before.bytes().filter(|byte| *byte == b'\n').count()),
        column: number(before.get(line_start..).unwrap_or_default().chars().count()),
    }
}

/// The text in these bytes, without the byte order mark that some editors put before it.
///
/// # Errors
/// `kind` if there are more than 1 MiB or they are no UTF-8.
pub(crate) fn decode(mut bytes: Vec<u8>, kind: ErrorKind) -> Result<String> {
    check_size(bytes.len(), kind)?;
    if bytes.starts_with("\u{feff}".as_bytes()) {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|wrong| {
        let good = wrong.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(wrong.as_bytes().get(..good).unwrap_or_default());
        Error::new(kind, "the text is not UTF-8 from here on").at(position(&text, offset(good)))
    })
}

/// Reads a text into its tree; the root is a table.
///
/// # Errors
/// A fault for a text over 1 MiB, a syntax error, nesting deeper than 32, a repeated key or a root that is no table.
pub(crate) fn parse(text: &str, format: Format, kind: ErrorKind) -> Result<Node> {
    check_size(text.len(), kind)?;
    let node = match format {
        Format::Toml => parse_toml(text),
        Format::Json => parse_json(text),
    };
    node.map_err(|fault| fault.into_error(kind, text))
}

fn check_size(size: usize, kind: ErrorKind) -> Result<()> {
    if size > MAX_BYTES {
        return Err(Error::new(kind, format!("the text has {size} bytes: at most {MAX_BYTES} are allowed")));
    }
    Ok(())
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn too_deep(at: u32) -> Fault {
    Fault::new(at, format!("tables and lists are nested deeper than {MAX_DEPTH}"))
}

fn parse_toml(text: &str) -> Result<Node, Fault> {
    let root = DeTable::parse(text).map_err(|wrong| {
        let span = wrong.span().unwrap_or(0..0);
        let message = match (wrong.message(), text.get(span.clone())) {
            ("duplicate key", Some(key)) if !key.is_empty() => {
                format!("the key `{}` is given twice", shown(key))
            }
            (message, _) => format!("not TOML: {}", one_line(message)),
        };
        Fault::new(offset(span.start), message)
    })?;
    toml_table(0, root.get_ref(), 1)
}

fn toml_table(at: u32, table: &DeTable<'_>, depth: usize) -> Result<Node, Fault> {
    let mut entries = Vec::with_capacity(table.len());
    for (key, value) in table.iter() {
        let name = Key { at: offset(key.span().start), name: key.get_ref().to_string() };
        let at = offset(value.span().start);
        entries.push((name, toml_value(at, value.get_ref(), depth + 1)?));
    }
    // The parser sorts keys by name; a document is read in the order in which it is written.
    entries.sort_by_key(|(key, _)| key.at);
    Ok(Node { at, kind: Kind::Table(entries) })
}

fn toml_value(at: u32, value: &DeValue<'_>, depth: usize) -> Result<Node, Fault> {
    if depth > MAX_DEPTH {
        return Err(too_deep(at));
    }
    let kind = match value {
        DeValue::String(value) => Kind::Text(value.to_string()),
        DeValue::Boolean(value) => Kind::Bool(*value),
        DeValue::Integer(value) => match i64::from_str_radix(value.as_str(), value.radix()) {
            Ok(number) => Kind::Int(number),
            Err(_) => Kind::Float(value.as_str().to_owned()),
        },
        DeValue::Float(value) => Kind::Float(value.as_str().to_owned()),
        DeValue::Datetime(value) => Kind::Date(value.to_string()),
        DeValue::Array(items) => {
            let items =
                items.iter().map(|item| toml_value(offset(item.span().start), item.get_ref(), depth + 1));
            Kind::List(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => return toml_table(at, table, depth),
    };
    Ok(Node { at, kind })
}

fn parse_json(text: &str) -> Result<Node, Fault> {
    let strict = jsonc_parser::ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let root = jsonc_parser::parse_to_ast(text, &Default::default(), &strict).map_err(|wrong| {
        Fault::new(
            offset(wrong.range().start),
            format!("not JSON: {}", lower_first(&wrong.kind().to_string())),
        )
    })?;
    match root.value {
        Some(value @ ast::Value::Object(_)) => json_value(value, 1),
        Some(_) | None => Err(Fault::new(0, "not JSON for slaclock: the text must be one object")),
    }
}

fn json_value(value: ast::Value<'_>, depth: usize) -> Result<Node, Fault> {
    use jsonc_parser::common::Ranged;
    let at = offset(value.range().start);
    if depth > MAX_DEPTH {
        return Err(too_deep(at));
    }
    let kind = match value {
        ast::Value::NullKeyword(_) => Kind::Null,
        ast::Value::BooleanLit(value) => Kind::Bool(value.value),
        ast::Value::NumberLit(value) => match value.value.parse::<i64>() {
            Ok(number) => Kind::Int(number),
            Err(_) => Kind::Float(value.value.to_owned()),
        },
        ast::Value::StringLit(value) => Kind::Text(value.value.into_owned()),
        ast::Value::Array(list) => {
            let items = list.elements.into_iter().map(|item| json_value(item, depth + 1));
            Kind::List(items.collect::<Result<_, _>>()?)
        }
        ast::Value::Object(object) => {
            let (mut entries, mut names) = (Vec::with_capacity(object.properties.len()), HashSet::new());
            for property in object.properties {
                let key = Key { at: offset(property.range.start), name: property.name.into_string() };
                if !names.insert(key.name.clone()) {
                    return Err(Fault::new(key.at, format!("the key `{}` is given twice", shown(&key.name))));
                }
                entries.push((key, json_value(property.value, depth + 1)?));
            }
            Kind::Table(entries)
        }
    };
    Ok(Node { at, kind })
}

fn one_line(message: &str) -> String {
    message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_at_line_feeds() {
        let text = "a = \"ж€\"\r\nb = 1";
        let place = |at: usize| {
            let Position { line, column } = position(text, offset(at));
            (line, column)
        };
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(text.find('€').unwrap()), (1, 7));
        // Inside a character is at its start, beyond the end at the end.
        assert_eq!(place(text.find('€').unwrap() + 1), (1, 7));
        assert_eq!(place(text.find('b').unwrap()), (2, 1));
        assert_eq!(place(1_000), (2, 6));
    }

    #[test]
    fn both_formats_give_the_same_tree() {
        fn plain(node: &Node) -> String {
            match &node.kind {
                Kind::List(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(" ")),
                Kind::Table(entries) => {
                    let entries = entries.iter().map(|(key, value)| format!("{}={}", key.name, plain(value)));
                    format!("{{{}}}", entries.collect::<Vec<_>>().join(" "))
                }
                kind => format!("{kind:?}"),
            }
        }
        let read = |text: &str| plain(&parse(text, Format::of(text), ErrorKind::InvalidPolicy).unwrap());
        assert_eq!(
            read("z = [1, 0x10, \"x\"]\na.b = { c = true, \"d e\" = 1.5 }\n[[t]]\nk = -1\n[[t]]"),
            read(r#" {"z": [1, 16, "\u0078"], "a": {"b": {"c": true, "d e": 1.5}}, "t": [{"k": -1}, {}]}"#),
        );
    }

    #[test]
    fn bytes_become_text_without_their_mark() {
        let text = |bytes: &[u8]| decode(bytes.to_vec(), ErrorKind::InvalidPolicy);
        assert_eq!(text(b"\xef\xbb\xbfa = 1").unwrap(), "a = 1");
        let error = text(b"a = 1\nb = \"\xff\"").unwrap_err();
        assert_eq!(error.position(), Some(Position { line: 2, column: 6 }));
        assert!(text(&vec![b' '; MAX_BYTES + 1]).is_err());
    }
}
