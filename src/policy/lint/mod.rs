//! What a policy is silent on, and what it says that nobody can have meant.

mod care;
mod silence;
mod times;

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::doc::PolicyDoc;
use super::words::{list, shown};
use super::{Body, Policy, Rule, example};
use crate::error::Position;

/// How much a lint matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Somebody will be surprised one day.
    Warning,
}

/// Something that a policy should say, or should say otherwise. The policy works as it is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Lint {
    /// A stable name for programs, like `no-first-response`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was found and what could be done, for people.
    pub message: String,
    /// Where in the text.
    pub position: Position,
}

impl std::fmt::Display for Lint {
    /// `12:1: warning: … [no-first-response]`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let severity = match self.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
        };
        write!(f, "{}: {severity}: {} [{}]", self.position, self.message, self.code)
    }
}

impl Policy {
    /// What the policy is silent on, and what it says that can hardly be meant; by place in the text.
    ///
    /// `on` is the date for which it is asked: whether the holidays are known long enough depends on it, and receipts
    /// are tried out in the weeks after it.
    ///
    /// ```
    /// # let text = r#"
    /// # [policy]
    /// # name = "care"
    /// # version = 1
    /// # [calendar.office]
    /// # zone = "Europe/Moscow"
    /// # hours = { mon-fri = "09:00-18:00" }
    /// # [[clock]]
    /// # name = "resolution"
    /// # start = "received"
    /// # stop = "resolved"
    /// # target = { working = "8h" }
    /// # "#;
    /// let policy = slaclock::policy::Policy::from_toml(text)?;
    /// let lints = policy.check("2026-03-01".parse().unwrap());
    /// assert!(lints.iter().any(|lint| lint.code == "no-first-response"));
    /// # Ok::<(), slaclock::error::Error>(())
    /// ```
    pub fn check(&self, on: NaiveDate) -> Vec<Lint> {
        let mut linter = Linter { body: &self.0, doc: &self.0.doc, on, found: Vec::new() };
        linter.silences();
        linter.care();
        linter.times();
        linter.overlaps();
        linter.examples();
        linter.placed()
    }
}

/// A lint that is not yet placed.
struct Finding {
    at: u32,
    code: &'static str,
    severity: Severity,
    message: String,
}

struct Linter<'a> {
    body: &'a Body,
    doc: &'a PolicyDoc,
    on: NaiveDate,
    found: Vec<Finding>,
}

impl Linter<'_> {
    fn warn(&mut self, at: u32, code: &'static str, message: impl Into<String>) {
        self.found.push(Finding { at, code, severity: Severity::Warning, message: message.into() });
    }

    fn info(&mut self, at: u32, code: &'static str, message: impl Into<String>) {
        self.found.push(Finding { at, code, severity: Severity::Info, message: message.into() });
    }

    /// Where a lint about the policy as a whole points.
    fn top(&self) -> u32 {
        self.doc.policy.name.at
    }

    /// The place of a clock's name.
    fn clock_at(&self, clock: usize) -> u32 {
        self.doc.clock.get(clock).map_or(0, |written| written.value.name.at)
    }

    /// The place of a rule of a clock; the last one may be the clock's own target.
    fn rule_at(&self, clock: usize, rule: usize) -> u32 {
        let Some(written) = self.doc.clock.get(clock) else { return 0 };
        match written.value.rules.as_ref().and_then(|rules| rules.get(rule)) {
            Some(rule) => rule.at,
            None => written.value.target.as_ref().map_or(written.at, |target| target.at),
        }
    }

    /// Rules of which the first takes some of the requests that the second names.
    fn overlaps(&mut self) {
        for (number, clock) in self.body.clocks.iter().enumerate() {
            let mut first_with: HashMap<(&str, &str), usize> = HashMap::new();
            let mut told = HashSet::new();
            for (later, rule) in clock.rules.iter().enumerate() {
                for condition in &rule.when {
                    for value in &condition.values {
                        let earlier =
                            *first_with.entry((condition.fact.as_str(), value.as_str())).or_insert(later);
                        let both =
                            clock.rules.get(earlier).is_some_and(|earlier| can_both_hold(earlier, rule));
                        if earlier != later && both && told.insert((earlier, later)) {
                            let message = format!(
                                "a request whose `{}` is `{}` may match this rule and rule {} of clock \
                                 `{}`; the first counts",
                                shown(&condition.fact),
                                shown(value),
                                earlier + 1,
                                shown(&clock.name)
                            );
                            self.info(self.rule_at(number, later), "rule-overlap", message);
                        }
                    }
                }
            }
        }
    }

    /// Clocks and rules that no worked example shows.
    fn examples(&mut self) {
        let examples = self.doc.example.as_deref().unwrap_or_default();
        if examples.is_empty() {
            let message = "there is no worked example; add an [[example]] with received and due, and it \
             is checked whenever the policy is read";
            self.warn(self.top(), "no-examples", message);
            return;
        }
        for (number, clock) in self.body.clocks.iter().enumerate() {
            let mut shown_rules = HashSet::new();
            let mut named = false;
            for example in examples.iter().map(|example| &example.value) {
                let maps = [&example.due, &example.limit];
                if maps
                    .into_iter()
                    .flatten()
                    .any(|map| map.0.iter().any(|(name, _)| name.value == clock.name))
                {
                    named = true;
                    shown_rules.extend(clock.rule_for(&example::facts(example)).map(|(rule, _)| rule));
                }
            }
            if !named {
                let message = format!("no example shows a due time of clock `{}`", shown(&clock.name));
                self.info(self.clock_at(number), "clock-without-example", message);
            } else if shown_rules.len() < clock.rules.len() {
                let (some, all) = (shown_rules.len(), clock.rules.len());
                let message =
                    format!("the examples show {some} of the {all} rules of clock `{}`", shown(&clock.name));
                self.info(self.clock_at(number), "rule-without-example", message);
            }
        }
    }

    /// The findings by place, with line and column.
    fn placed(mut self) -> Vec<Lint> {
        self.found.sort_by(|a, b| (a.at, a.code, &a.message).cmp(&(b.at, b.code, &b.message)));
        let (mut line, mut column, mut passed) = (1_u32, 1_u32, 0_usize);
        let text = self.body.source.as_str();
        let place = |finding: Finding| {
            let at = (finding.at as usize).min(text.len());
            for letter in text.get(passed..at).unwrap_or_default().chars() {
                (line, column) = if letter == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            passed = passed.max(at);
            let Finding { code, severity, message, .. } = finding;
            Lint { code, severity, message, position: Position { line, column } }
        };
        self.found.into_iter().map(place).collect()
    }
}

/// Whether a request can meet the conditions of both rules, as far as facts that both ask for can tell.
fn can_both_hold(one: &Rule, other: &Rule) -> bool {
    one.when.iter().all(|condition| {
        let same = other.when.iter().find(|same| same.fact == condition.fact);
        same.is_none_or(|same| same.values.iter().any(|value| condition.values.contains(value)))
    })
}

/// `` `a`, `b` `` for owned words.
fn listed(words: &[String]) -> String {
    list(&words.iter().map(String::as_str).collect::<Vec<_>>())
}
