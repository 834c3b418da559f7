//! What a request's events say about care beyond deadlines: expedites, refusals, waivers.

use crate::time::Instant;

/// An expedite that took effect and was not given back.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Expedite {
    /// When.
    pub at: Instant,
    /// Whose quota it uses: the customer at that time.
    pub customer: Option<String>,
    /// Who asked for it.
    pub by: Option<String>,
    /// Who allowed it beyond the quota.
    pub approved_by: Option<String>,
}

/// The last proposal to refuse the request.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Refusal {
    /// When it was proposed.
    pub proposed_at: Instant,
    /// Who proposes it.
    pub proposed_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When a second person approved it.
    pub approved_at: Option<Instant>,
    /// Who did.
    pub approved_by: Option<String>,
}

impl Refusal {
    /// Whether it waits for a second person.
    pub fn is_open(&self) -> bool {
        self.approved_at.is_none()
    }
}

/// A missed cycle that somebody excused.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Waiver {
    /// Index of the clock in the policy.
    pub clock: usize,
    /// Number of its cycle.
    pub cycle: u32,
    /// When it was excused.
    pub at: Instant,
    /// Who did.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
}
