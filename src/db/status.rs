//! What the database answers with: clocks, rows of scans, counts.

use serde::{Deserialize, Serialize};

use crate::clock::{Cycle, Phase, Stage};
use crate::policy::Policy;
use crate::store::records::{ClockRow, FLAG_ARMED, FLAG_BACKSTOP, PhaseCode};
use crate::time::{Instant, Span};

/// A clock of a request, as of its latest event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClockStatus {
    /// The clock's name.
    pub clock: String,
    /// Number of the latest cycle; 0 if it has not started.
    pub cycle: u32,
    /// When that cycle started, or will if nothing happens before.
    pub started_at: Option<Instant>,
    /// When it is due; `None` while paused, without deadline, or not started.
    pub due_at: Option<Instant>,
    /// When it is breached, if the rule has a backstop.
    pub limit_at: Option<Instant>,
    /// When it finished.
    pub finished_at: Option<Instant>,
    /// What is left of the target, while paused.
    pub remaining: Option<Span>,
    /// Why there is no deadline, if there is none.
    pub no_deadline: Option<String>,
    /// The deadline counts past the last date up to which the holidays are known.
    pub beyond_known_holidays: bool,
    /// When somebody excused its miss.
    pub waived_at: Option<Instant>,
    /// Where it stood right after the latest event of its request.
    pub stage: Stage,
}

impl ClockStatus {
    pub(crate) fn of(policy: &Policy, clock: usize, cycle: Option<&Cycle>, now: Instant) -> ClockStatus {
        let name = policy.clocks().get(clock).map_or_else(String::new, |clock| clock.name.clone());
        let Some(cycle) = cycle else {
            return ClockStatus {
                clock: name,
                cycle: 0,
                started_at: None,
                due_at: None,
                limit_at: None,
                finished_at: None,
                remaining: None,
                no_deadline: None,
                beyond_known_holidays: false,
                waived_at: None,
                stage: Stage::Idle,
            };
        };
        let (remaining, no_deadline) = match cycle.phase {
            Phase::Paused { remaining, .. } => (Some(remaining), None),
            Phase::NoDeadline(reason) | Phase::Finished { reason, .. } => (None, Some(reason.to_string())),
            _ => (None, None),
        };
        ClockStatus {
            clock: name,
            cycle: cycle.number,
            started_at: Some(cycle.started_at),
            due_at: cycle.due_at,
            limit_at: cycle.limit_at,
            finished_at: cycle.finished_at(),
            remaining,
            no_deadline,
            beyond_known_holidays: cycle.beyond_known_holidays,
            waived_at: cycle.waived_at,
            stage: cycle.stage(now),
        }
    }
}

/// A running clock in the answer to a scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// External id of the request.
    pub request: String,
    /// The clock's name.
    pub clock: String,
    /// Number of its cycle.
    pub cycle: u32,
    /// Where it stands.
    pub stage: Stage,
    /// When it is due.
    pub due_at: Instant,
    /// When it is breached, if the rule has a backstop.
    pub limit_at: Option<Instant>,
    /// When the cycle started.
    pub started_at: Instant,
    /// Somebody excused the miss.
    pub waived: bool,
}

/// Clocks by stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Running, no warning threshold has passed.
    pub on_track: u64,
    /// Running, a warning threshold has passed.
    pub at_risk: u64,
    /// Running, due has passed, the limit has not.
    pub late: u64,
    /// Running, the promise is broken.
    pub breached: u64,
    /// Stopped by a pause.
    pub paused: u64,
    /// Not started, or without deadline.
    pub idle: u64,
    /// Latest cycle finished in time.
    pub met: u64,
    /// Latest cycle finished late.
    pub missed: u64,
    /// Latest cycle withdrawn.
    pub cancelled: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, stage: Stage) {
        *self.of(stage) += 1;
    }

    fn of(&mut self, stage: Stage) -> &mut u64 {
        match stage {
            Stage::Idle => &mut self.idle,
            Stage::OnTrack => &mut self.on_track,
            Stage::AtRisk => &mut self.at_risk,
            Stage::Late => &mut self.late,
            Stage::Breached => &mut self.breached,
            Stage::Paused => &mut self.paused,
            Stage::Met => &mut self.met,
            Stage::Missed => &mut self.missed,
            Stage::Cancelled => &mut self.cancelled,
        }
    }

    /// All clocks.
    pub fn total(&self) -> u64 {
        self.open() + self.idle + self.met + self.missed + self.cancelled
    }

    /// Running and paused clocks.
    pub fn open(&self) -> u64 {
        self.on_track + self.at_risk + self.late + self.breached + self.paused
    }
}

/// Where a stored clock stands at `now`, which is not before its request's latest event.
#[inline]
pub(crate) fn stage_of(row: &ClockRow, now: Instant) -> Stage {
    let passed = |raw: u32| Instant::from_raw(raw).is_some_and(|instant| instant < now);
    match row.phase {
        PhaseCode::Unstarted | PhaseCode::NoDeadline | PhaseCode::Finished => Stage::Idle,
        PhaseCode::Met => Stage::Met,
        PhaseCode::Missed => Stage::Missed,
        PhaseCode::Cancelled => Stage::Cancelled,
        _ if row.flags & FLAG_ARMED != 0 && !passed(row.started_at) => Stage::Idle,
        PhaseCode::Paused => Stage::Paused,
        PhaseCode::Running if !passed(row.due) && !passed(row.warn) => Stage::OnTrack,
        PhaseCode::Running if !passed(row.due) => Stage::AtRisk,
        PhaseCode::Running if row.flags & FLAG_BACKSTOP != 0 && !passed(row.limit) => Stage::Late,
        PhaseCode::Running => Stage::Breached,
    }
}
