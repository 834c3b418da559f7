//! Output: tables and lines for people, JSON for programs.

use std::io::{IsTerminal, Write};

use crate::clock::Stage;
use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::{Map, Value};

use super::failure::Failure;
use super::when::Zones;

/// Where a command writes its answer.
pub(crate) struct Out {
    stream: anstream::Stdout,
    json: bool,
}

impl Out {
    pub(crate) fn new(json: bool) -> Out {
        Out { stream: anstream::stdout(), json }
    }

    /// Whether the answer is for programs.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// One line for people.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) -> Result<(), Failure> {
        Ok(writeln!(self.stream, "{}", text.as_ref().trim_end())?)
    }

    /// An empty line and a heading.
    pub(crate) fn heading(&mut self, text: &str) -> Result<(), Failure> {
        Ok(writeln!(self.stream, "\n\x1b[1m{text}\x1b[0m")?)
    }

    pub(crate) fn table(&mut self, table: &Table) -> Result<(), Failure> {
        // The first column needs no room on its left.
        table.lines().try_for_each(|line| self.line(line.strip_prefix(' ').unwrap_or(&line)))
    }

    /// One object on one line, each instant with its text in the zone beside it.
    pub(crate) fn object(&mut self, value: &impl Serialize, zones: &Zones) -> Result<(), Failure> {
        let value = serde_json::to_value(value).map_err(|error| Failure::text(error.to_string()))?;
        Ok(writeln!(self.stream, "{}", with_texts(value, zones))?)
    }

    /// Everything is with the reader: an acknowledgement may follow.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        Ok(self.stream.flush()?)
    }
}

/// Adds to every `…_at` (or `at`) in seconds its text in local time with the offset, as `…` (or `time`).
fn with_texts(value: Value, zones: &Zones) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| with_texts(item, zones)).collect(),
        Value::Object(fields) => {
            let clock = fields.get("clock").and_then(Value::as_str).map(str::to_owned);
            let mut shown = Map::new();
            for (name, value) in fields {
                let text = value.as_i64().and_then(|seconds| zones.rfc3339(clock.as_deref(), seconds));
                let beside = if name == "at" { Some("time") } else { name.strip_suffix("_at") };
                shown.insert(name.clone(), with_texts(value, zones));
                if let (Some(beside), Some(text)) = (beside, text) {
                    shown.insert(beside.to_owned(), Value::String(text));
                }
            }
            Value::Object(shown)
        }
        other => other,
    }
}

/// A table without lines, in the width that its texts need.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    // Whether colours reach the screen is the stream's business.
    table.enforce_styling();
    table.style_text_only();
    if !header.is_empty() {
        table.set_header(header.iter().map(|text| {
            let cell = Cell::new(text);
            if text.is_empty() { cell } else { cell.fg(Color::DarkGrey) }
        }));
    }
    table
}

/// A number, aligned to the right.
pub(crate) fn number(value: impl std::fmt::Display) -> Cell {
    Cell::new(value).set_alignment(CellAlignment::Right)
}

/// A stage in words and its colour.
pub(crate) fn stage(stage: Stage) -> Cell {
    let cell = Cell::new(stage_words(stage));
    match stage {
        Stage::AtRisk => cell.fg(Color::Yellow),
        Stage::Late | Stage::Breached | Stage::Missed => cell.fg(Color::Red),
        Stage::Met => cell.fg(Color::Green),
        Stage::Idle | Stage::Cancelled => cell.fg(Color::DarkGrey),
        Stage::OnTrack | Stage::Paused => cell,
    }
}

pub(crate) fn stage_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Idle => "idle",
        Stage::OnTrack => "on track",
        Stage::AtRisk => "at risk",
        Stage::Late => "late",
        Stage::Breached => "breached",
        Stage::Paused => "paused",
        Stage::Met => "met",
        Stage::Missed => "missed",
        Stage::Cancelled => "cancelled",
    }
}

/// `1,234,567`
pub(crate) fn grouped(number: impl Into<i128>) -> String {
    let number: i128 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// Hundredths of a percent as `95.10 %`.
pub(crate) fn percent(basis_points: Option<u64>) -> String {
    basis_points.map_or_else(|| "–".to_owned(), |share| format!("{}.{:02} %", share / 100, share % 100))
}

/// A long span in days and hours, for sums over many requests.
pub(crate) fn long_span(span: crate::time::Span) -> String {
    let hours = span.as_secs() / 3600;
    if hours >= 48 { format!("{} d {} h", grouped(hours / 24), hours % 24) } else { span.to_string() }
}

/// Shows an error. Standard error may be closed; then there is nobody to tell.
pub(crate) fn error(text: &dyn std::fmt::Display) {
    let _ = writeln!(anstream::stderr(), "\x1b[1;31merror:\x1b[0m {text}");
}

/// Shows a remark that is not the answer.
pub(crate) fn note(text: &dyn std::fmt::Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Whether somebody watches standard error.
pub(crate) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}
