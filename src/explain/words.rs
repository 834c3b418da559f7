//! The explanation in sentences.

use std::fmt;

use super::{CycleStory, Explanation, RuleNote};
use crate::attainment::{Exclusion, Verdict};
use crate::clock::{Phase, RequestState, Stage};
use crate::target::{Measure, Moment};

/// Where the text after a label begins, as in the proof.
const TEXT_AT: usize = 10;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines();
        for (index, (label, text)) in lines.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            if label.chars().count() < TEXT_AT {
                write!(f, "{label:<TEXT_AT$}{text}")?;
            } else {
                write!(f, "{label} {text}")?;
            }
        }
        Ok(())
    }
}

impl Explanation {
    /// Pairs of a short label and a sentence. A line that continues the one before has no label.
    pub fn lines(&self) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        let mut add = |label: &str, text: String| lines.push((label.to_owned(), text));
        add(
            "request",
            format!("{}, clock \"{}\", policy {}, tzdb {}", self.request, self.clock, self.policy, self.tzdb),
        );
        add("as of", self.as_of());
        let facts: Vec<String> = self.facts.iter().map(|(name, value)| format!("{name} `{value}`")).collect();
        if !facts.is_empty() {
            add("facts", facts.join(", "));
        }
        if !self.vendors.is_empty() {
            add("vendors", format!("only contacts with {} count", self.vendors.join(", ")));
        }
        if let Some(refusal) = &self.refusal {
            add("refusal", refusal.clone());
        }
        // A single rule for any request is no choice.
        if self.rules.len() > 1 || self.rules.iter().any(|rule| rule.lost.is_some()) {
            self.rules.iter().for_each(|rule| add(&format!("rule {}", rule.index + 1), rule_line(rule)));
        }
        for cycle in &self.cycles {
            lines.extend(cycle.lines(&self.received_at));
        }
        let mut add = |label: &str, text: String| lines.push((label.to_owned(), text));
        if let Some(at) = &self.arms_at {
            add("begins", format!("{at}, if nothing happens before"));
        } else if self.cycles.is_empty() {
            add("cycles", "none: the clock has not begun".to_owned());
        }
        add("verdict", self.verdict_line());
        lines
    }

    fn as_of(&self) -> String {
        let state = match self.state {
            RequestState::Open => "open",
            RequestState::Resolved { .. } => "resolved",
            RequestState::Cancelled { .. } => "cancelled",
            RequestState::Refused { .. } => "refused",
        };
        format!("{}; the request, received {}, is {state}", self.now, self.received_at)
    }

    fn verdict_line(&self) -> String {
        match self.verdict {
            Verdict::Met => "met".to_owned(),
            Verdict::Missed => "missed".to_owned(),
            Verdict::Undecided => "undecided".to_owned(),
            Verdict::Excluded(Exclusion::NotStarted) => "does not count: the clock has not begun".to_owned(),
            Verdict::Excluded(Exclusion::NoDeadline) => "does not count: no deadline".to_owned(),
            Verdict::Excluded(Exclusion::Cancelled) => "does not count: withdrawn before due".to_owned(),
        }
    }
}

fn rule_line(rule: &RuleNote) -> String {
    match &rule.lost {
        None => format!("counts: {}", rule.asks),
        Some(why) => format!("does not count: {}; {why}", rule.asks),
    }
}

impl CycleStory {
    fn lines(&self, received_at: &Moment) -> Vec<(String, String)> {
        let mut lines = vec![(
            format!("cycle {}", self.number),
            format!("begun {} by {}", self.started_at, self.begun_by),
        )];
        if !self.nothing_remained {
            lines.extend(self.trace.iter().flat_map(|trace| trace.lines()));
        }
        if let Some((label, _)) = lines.get_mut(1)
            && self.trace.as_ref().is_some_and(|trace| trace.received.at != received_at.at)
        {
            // The request was not received then; its clock counts from there.
            "from".clone_into(label);
        }
        let mut add = |label: &str, text: String| lines.push((label.to_owned(), text));
        for change in &self.changes {
            add("changed", format!("{}: {}; {}", change.at, change.what, change.effect));
        }
        let limit = self.limit_at.as_ref().map(|limit| format!(", limit {limit}")).unwrap_or_default();
        if let (true, Some(due)) = (self.nothing_remained, &self.due_at) {
            add(
                "due",
                format!("{due}{limit}: it was missed before the request was reopened, so nothing remained"),
            );
        } else if let (Some(why), Some(due)) = (&self.departs, &self.due_at) {
            add("in effect", format!("due {due}{limit}: {why}"));
        }
        let warnings: Vec<String> = self
            .warnings
            .iter()
            .map(|warning| {
                let by_change = if warning.by_change { " by the change" } else { "" };
                let passed = if warning.passed { ", passed" } else { "" };
                format!("{} % {}{by_change}{passed}", warning.percent, warning.at)
            })
            .collect();
        if !warnings.is_empty() {
            add("warnings", warnings.join("; "));
        }
        add("stage", self.stage_line());
        if let Some(waived) = &self.waived {
            add("waived", waived.clone());
        }
        lines
    }

    fn stage_line(&self) -> String {
        let left = match (self.remaining, self.measure) {
            (Some(left), Some(measure)) => format!("{left} of {measure} left"),
            _ => String::new(),
        };
        let past = |due: &Option<Moment>, change: &Option<Moment>| match (change, due) {
            (Some(change), _) => format!("since the change of {change}"),
            (None, Some(due)) => format!("since {due}"),
            (None, None) => "since before it was reopened".to_owned(),
        };
        let finished = self.finished_at.as_ref().map(Moment::to_string).unwrap_or_default();
        match (self.stage, self.phase) {
            (Stage::Idle, Phase::NoDeadline(reason)) => format!("no deadline: {reason}"),
            (Stage::Idle, Phase::Finished { reason, .. }) => {
                format!("finished {finished} without a deadline: {reason}")
            }
            (Stage::Idle, _) => "not begun".to_owned(),
            (Stage::OnTrack, _) => format!("on track, {left}"),
            (Stage::AtRisk, _) => format!("at risk, {left}"),
            (Stage::Late, _) => format!("late {}", past(&self.due_at, &self.late_by_change)),
            (Stage::Breached, _) if self.limit_at.is_some() => {
                format!("breached {}", past(&self.limit_at, &self.limit_by_change))
            }
            (Stage::Breached, _) => format!("breached {}", past(&self.due_at, &self.late_by_change)),
            (Stage::Paused, _) => format!("on hold, {left}"),
            (Stage::Met, _) => format!("met: finished {finished}"),
            (Stage::Missed, _) => format!("missed: finished {finished}, {}", self.overdue()),
            (Stage::Cancelled, _) => format!("withdrawn or superseded {finished}, before due"),
        }
    }

    /// How long after due it was finished, on the wall clock.
    fn overdue(&self) -> String {
        match (&self.finished_at, &self.due_at) {
            (Some(finished), Some(due)) => {
                format!("{} of {} after due", finished.at.since(due.at), Measure::Elapsed)
            }
            _ => "after due".to_owned(),
        }
    }
}
