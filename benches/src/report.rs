//! The report: every bench appends its lines, and a table is written from all of them. No number is typed by hand.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::machine;

/// What a figure should reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// At least so many times as fast as the peer.
    AtLeast(f64),
    /// At most so many nanoseconds per item.
    AtMostNs(f64),
    /// At most so many units of a [`figure`].
    AtMost(f64),
}

/// One figure of the report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) bench: String,
    pub(crate) question: String,
    pub(crate) unit: String,
    pub(crate) wall: bool,
    pub(crate) name: String,
    /// Median per item; for a [`figure`] the figure itself.
    pub(crate) ns: f64,
    pub(crate) peer: Option<String>,
    pub(crate) peer_ns: Option<f64>,
    pub(crate) ratio: Option<f64>,
    pub(crate) quartiles: Option<(f64, f64)>,
    pub(crate) goal: Option<Goal>,
}

/// Forgets what the last run of a bench reported. Every bench begins with it.
///
/// # Panics
/// If the file of the last run cannot be removed.
pub fn begin(bench: &str) {
    let path = folder().join(format!("{bench}.jsonl"));
    if path.exists() {
        fs::remove_file(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    println!("\n{bench}: {}", machine::load());
}

/// Reports a figure that is no time of a race, such as the size of a table in KiB.
pub fn figure(bench: &str, question: &str, name: &str, value: f64, unit: &str, goal: Option<Goal>) {
    let line = Line {
        bench: bench.to_owned(),
        question: question.to_owned(),
        unit: unit.to_owned(),
        wall: false,
        name: name.to_owned(),
        ns: value,
        peer: None,
        peer_ns: None,
        ratio: None,
        quartiles: None,
        goal,
    };
    line.add();
}

/// Writes `target/bench-report.md` from the lines of all benches run so far. Every bench ends with it.
///
/// # Panics
/// If a file cannot be read or written, or a line is not of this report.
pub fn write() {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    files.sort();
    let mut text = String::from("# Benchmarks\n\n");
    let _ = writeln!(text, "{}\n", machine::facts());
    text.push_str("Medians of rounds in which slaclock and its peers take turns; in brackets the quartiles of the ratios. ");
    text.push_str("Processor time, except where it says wall clock.\n");
    for path in files {
        let lines = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let lines: Vec<Line> = lines
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            })
            .collect();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let _ =
            write!(text, "\n## {name}\n\n| question | | time | beside | its time | times as fast | goal |\n");
        text.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
        for line in lines {
            text.push_str(&line.row());
        }
    }
    let path = target().join("bench-report.md");
    fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    println!("report: {}", path.display());
}

impl Line {
    /// Prints the line and keeps it for the report.
    pub(crate) fn add(&self) {
        println!("{}", self.sentence());
        let folder = folder();
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let path = folder.join(format!("{}.jsonl", self.bench));
        let text = serde_json::to_string(self).unwrap_or_else(|error| panic!("{error}"));
        let file = fs::OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| writeln!(file, "{text}"))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    fn sentence(&self) -> String {
        let mut text = format!("  {:<58} {:<22} {:>14}", self.question, self.name, self.time(self.ns));
        if let (Some(peer), Some(peer_ns), Some(ratio), Some((low, high))) =
            (&self.peer, self.peer_ns, self.ratio, self.quartiles)
        {
            let other = self.time(peer_ns);
            let _ =
                write!(text, "  {peer:<16} {other:>14}  {}x [{} {}]", short(ratio), short(low), short(high));
        }
        if self.goal.is_some() {
            let _ =
                write!(text, "  goal {} {}", self.goal_text(), if self.is_met() { "met" } else { "MISSED" });
        }
        text
    }

    fn row(&self) -> String {
        let wall = if self.wall { " (wall clock)" } else { "" };
        let (peer, other) = (self.peer.as_deref().unwrap_or(""), self.peer_ns.map(|ns| self.time(ns)));
        let ratio = match (self.ratio, self.quartiles) {
            (Some(ratio), Some((low, high))) => format!("{}× [{} {}]", short(ratio), short(low), short(high)),
            _ => String::new(),
        };
        let goal = match self.goal {
            None => String::new(),
            Some(_) => format!("{} {}", self.goal_text(), if self.is_met() { "✓" } else { "✗" }),
        };
        format!(
            "| {}{wall} | {} | {} | {peer} | {} | {ratio} | {goal} |\n",
            self.question,
            self.name,
            self.time(self.ns),
            other.unwrap_or_default()
        )
    }

    /// A time per unit, or a figure in its unit.
    fn time(&self, ns: f64) -> String {
        if self.is_figure() {
            return format!("{} {}", short(ns), self.unit);
        }
        let (value, unit) = match ns {
            ns if ns < 1e3 => (ns, "ns"),
            ns if ns < 1e6 => (ns / 1e3, "µs"),
            ns if ns < 1e9 => (ns / 1e6, "ms"),
            ns => (ns / 1e9, "s"),
        };
        format!("{} {unit}/{}", short(value), self.unit)
    }

    /// Units of a race are words of one item; those of a figure are units of measure.
    fn is_figure(&self) -> bool {
        matches!(self.goal, Some(Goal::AtMost(_)))
            || matches!(self.unit.as_str(), "KiB" | "MiB" | "B" | "ms" | "µs" | "ns")
    }

    fn goal_text(&self) -> String {
        match self.goal {
            Some(Goal::AtLeast(times)) => format!("≥ {}×", short(times)),
            Some(Goal::AtMostNs(ns)) => format!("≤ {}", self.time(ns)),
            Some(Goal::AtMost(most)) => format!("≤ {} {}", short(most), self.unit),
            None => String::new(),
        }
    }

    fn is_met(&self) -> bool {
        match self.goal {
            Some(Goal::AtLeast(times)) => self.ratio.is_some_and(|ratio| ratio >= times),
            Some(Goal::AtMostNs(most) | Goal::AtMost(most)) => self.ns <= most,
            None => true,
        }
    }
}

/// Three digits that count.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Where cargo builds, also if it was told another place.
fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"),
    }
}

fn folder() -> PathBuf {
    target().join("bench")
}
