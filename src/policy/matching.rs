//! Matching: which rule of a clock speaks about a request.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{Clock, Condition, Rule};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Facts;
use crate::target::NoDeadline;
use crate::time::Instant;

/// Above this many rules a clock looks its rules up by value instead of trying them in order.
const INDEX_FROM: usize = 16;

/// Why a rule was not the one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// The request has another value for this fact, or none.
    Differs {
        /// The fact's name.
        fact: String,
        /// What the request has.
        found: Option<String>,
    },
    /// A rule before it matches, and the first that matches counts.
    ComesLater,
}

/// Which rule of a clock counts for a request, and why the others do not.
#[derive(Clone, Debug)]
pub struct Matched<'a> {
    /// The rule that counts, with its index in [`Clock::rules`]; `None` if none matches.
    pub chosen: Option<(usize, &'a Rule)>,
    /// Every other rule by rising index, with the reason.
    pub considered: Vec<(usize, Mismatch)>,
}

/// Rule numbers by the value of the fact that most rules ask for. Empty for short lists.
#[derive(Clone, Debug, Default)]
pub struct Index {
    fact: Option<String>,
    by_value: HashMap<String, Vec<u32>, RandomState>,
    /// Rules that do not ask for the fact, by rising number.
    rest: Vec<u32>,
}

impl Index {
    /// An index over `rules`; stays empty where trying them in order is as good.
    pub(super) fn of(rules: &[Rule]) -> Index {
        let mut asked: HashMap<&str, usize> = HashMap::new();
        for condition in rules.iter().flat_map(|rule| &rule.when) {
            *asked.entry(condition.fact.as_str()).or_default() += 1;
        }
        // Ties go to the name that sorts first, so that equal policies give equal indexes.
        let most = asked.into_iter().max_by_key(|(fact, count)| (*count, std::cmp::Reverse(*fact)));
        let Some((fact, _)) = most.filter(|(_, count)| rules.len() > INDEX_FROM && *count > 1) else {
            return Index::default();
        };
        let mut index = Index { fact: Some(fact.to_owned()), ..Index::default() };
        for (number, rule) in (0u32..).zip(rules) {
            match rule.when.iter().find(|condition| condition.fact == fact) {
                None => index.rest.push(number),
                Some(condition) => {
                    for value in &condition.values {
                        let numbers = index.by_value.entry(value.clone()).or_default();
                        if numbers.last() != Some(&number) {
                            numbers.push(number);
                        }
                    }
                }
            }
        }
        index
    }
}

impl Condition {
    /// Whether the fact has one of the values.
    pub fn holds(&self, facts: &Facts) -> bool {
        facts.get(&self.fact).is_some_and(|found| self.values.iter().any(|value| value == found))
    }
}

impl Rule {
    /// Whether all conditions hold.
    pub fn matches(&self, facts: &Facts) -> bool {
        self.when.iter().all(|condition| condition.holds(facts))
    }
}

impl Clock {
    /// The first rule that matches, with its index in [`Clock::rules`].
    #[inline]
    pub fn rule_for(&self, facts: &Facts) -> Option<(usize, &Rule)> {
        match self.rules.first() {
            // It asks for nothing, and the first that matches counts.
            Some(first) if first.when.is_empty() => Some((0, first)),
            _ => self.find_rule(facts),
        }
    }

    fn find_rule(&self, facts: &Facts) -> Option<(usize, &Rule)> {
        let Some(fact) = &self.index.fact else {
            return self.rules.iter().enumerate().find(|(_, rule)| rule.matches(facts));
        };
        let keyed = facts.get(fact).and_then(|value| self.index.by_value.get(value));
        let keyed = keyed.map_or(&[][..], Vec::as_slice);
        let first = |numbers: &[u32], below: u32| {
            let candidates = numbers.iter().copied().take_while(|number| *number < below);
            candidates.into_iter().find(|number| self.rule(*number).is_some_and(|rule| rule.matches(facts)))
        };
        let by_value = first(keyed, u32::MAX);
        let number = first(&self.index.rest, by_value.unwrap_or(u32::MAX)).or(by_value)?;
        Some((number as usize, self.rule(number)?))
    }

    /// The rule that counts, and for each other rule why it does not.
    pub fn match_rules(&self, facts: &Facts) -> Matched<'_> {
        let chosen = self.rule_for(facts);
        let considered = self.rules.iter().enumerate().filter_map(|(number, rule)| {
            if chosen.is_some_and(|(at, _)| at == number) {
                return None;
            }
            let failed = rule.when.iter().find(|condition| !condition.holds(facts));
            Some((
                number,
                match failed {
                    Some(condition) => Mismatch::Differs {
                        fact: condition.fact.clone(),
                        found: facts.get(&condition.fact).map(str::to_owned),
                    },
                    None => Mismatch::ComesLater,
                },
            ))
        });
        Matched { considered: considered.collect(), chosen }
    }

    /// When a request received at `received` is due, if this clock starts then and is never paused.
    ///
    /// ```
    /// # use slaclock::{model::Facts, policy::Policy, time::Instant};
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
    /// let policy = Policy::from_toml(text)?;
    /// let received = Instant::parse("2026-03-06T15:00:00+03:00")?;
    /// let due = policy.clock("resolution")?.due(received, &Facts::none())?;
    /// assert_eq!(due, Instant::parse("2026-03-09T14:00:00+03:00")?);
    /// # Ok::<(), slaclock::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// `NoDeadline` with the reason as its cause.
    pub fn due(&self, received: Instant, facts: &Facts) -> Result<Instant> {
        let (_, rule) = self.rule_for(facts).ok_or_else(|| self.none(NoDeadline::NoRule))?;
        rule.due(received).map_err(|reason| self.none(reason))
    }

    /// The outer limit of a request received at `received`, or `None` if the clock has no backstop for it.
    ///
    /// # Errors
    /// `NoDeadline` with the reason as its cause.
    pub fn limit(&self, received: Instant, facts: &Facts) -> Result<Option<Instant>> {
        let (_, rule) = self.rule_for(facts).ok_or_else(|| self.none(NoDeadline::NoRule))?;
        rule.limit(received).transpose().map_err(|reason| self.none(reason))
    }

    fn none(&self, reason: NoDeadline) -> Error {
        Error::new(ErrorKind::NoDeadline, format!("clock `{}`: {reason}", self.name)).because(reason)
    }

    fn rule(&self, number: u32) -> Option<&Rule> {
        self.rules.get(number as usize)
    }
}
