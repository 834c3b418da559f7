//! What the database says of one request, of its clocks, and of itself, as small tuples.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use slaclock::clock::RequestState;
use slaclock::db::Rebuild;
use slaclock::{
    ClockStatus, Counts, Event, EventKind, Info, Outcome, Recorded, Request, RequestStatus, Row, Stage,
    ThresholdKind,
};

use crate::shape::{class, dict, make};
use crate::table::Zones;
use crate::time::delta;

/// The stage of this word.
pub(crate) fn stage_of(word: &str) -> Option<Stage> {
    let running = [Stage::OnTrack, Stage::AtRisk, Stage::Late, Stage::Breached];
    running.into_iter().find(|stage| stage.word() == word)
}

pub(crate) fn row<'py>(py: Python<'py>, row: &Row, zones: &Zones) -> PyResult<Bound<'py, PyAny>> {
    let zone = zones.of_clock(&row.clock);
    make(
        py,
        "Row",
        (
            &row.request,
            &row.clock,
            row.cycle,
            row.stage.word(),
            zone.datetime(py, row.due_at)?,
            zone.optional(py, row.limit_at)?,
            zone.datetime(py, row.started_at)?,
        ),
    )
}

fn clocks<'py>(py: Python<'py>, clocks: &[ClockStatus], zones: &Zones) -> PyResult<Bound<'py, PyTuple>> {
    let status = |status: &ClockStatus| {
        let zone = zones.of_clock(&status.clock);
        let fields = (
            &status.clock,
            status.cycle,
            zone.optional(py, status.started_at)?,
            zone.optional(py, status.due_at)?,
            zone.optional(py, status.limit_at)?,
            zone.optional(py, status.finished_at)?,
            status.remaining.map(|span| delta(py, span)).transpose()?,
            &status.no_deadline,
            status.beyond_known_holidays,
            status.stage.word(),
        );
        make(py, "ClockStatus", fields)
    };
    PyTuple::new(py, clocks.iter().map(status).collect::<PyResult<Vec<_>>>()?)
}

pub(crate) fn recorded<'py>(
    py: Python<'py>,
    answer: &Recorded,
    zones: &Zones,
) -> PyResult<Bound<'py, PyAny>> {
    make(py, "Recorded", (outcome_word(answer.outcome), clocks(py, &answer.clocks, zones)?))
}

pub(crate) fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Recorded => "recorded",
        Outcome::AlreadyRecorded => "already_recorded",
    }
}

fn request<'py>(py: Python<'py>, request: &Request, zones: &Zones) -> PyResult<Bound<'py, PyAny>> {
    let attributes = request.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let fields = (
        &request.id,
        zones.main().datetime(py, request.received_at)?,
        &request.customer,
        &request.priority,
        &request.category,
        &request.channel,
        &request.subject,
        dict(py, attributes)?,
    );
    make(py, "Request", fields)
}

fn event<'py>(py: Python<'py>, event: &Event, zones: &Zones) -> PyResult<Bound<'py, PyAny>> {
    let (mut to, mut reason, mut vendor, mut due, mut facts) =
        (None, None, None, None, dict(py, [].into_iter())?);
    let (mut approved_by, mut clock, mut cycle) = (None, None, None);
    match &event.kind {
        EventKind::Assigned { to: who } => to = Some(who),
        EventKind::Paused { reason: why } => reason = Some(why),
        EventKind::VendorContacted { vendor: who } | EventKind::VendorReplied { vendor: who } => {
            vendor = Some(who)
        }
        EventKind::Expedited { approved_by: who } => approved_by = who.as_ref(),
        EventKind::Waived { clock: name, cycle: number }
        | EventKind::WaiverWithdrawn { clock: name, cycle: number } => {
            (clock, cycle) = (Some(name), Some(*number));
        }
        EventKind::Promised { due: at } => due = Some(zones.main().datetime(py, *at)?),
        EventKind::Changed { facts: changed } => {
            facts = dict(py, changed.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        }
        _ => {}
    }
    let at = zones.main().datetime(py, event.at)?;
    let word = event.kind.tag().word();
    let said = (word, at, &event.by, &event.key, &event.text, to, reason, vendor, due, facts);
    let said = said.into_pyobject(py)?;
    let rest = (approved_by, clock, cycle).into_pyobject(py)?;
    class(py, "Event")?.call1(said.as_sequence().concat(rest.as_sequence())?.to_tuple()?)
}

pub(crate) fn status<'py>(
    py: Python<'py>,
    status: &RequestStatus,
    zones: &Zones,
) -> PyResult<Bound<'py, PyAny>> {
    let (state, closed_at) = match status.state {
        RequestState::Open => ("open", None),
        RequestState::Resolved { at } => ("resolved", Some(at)),
        RequestState::Cancelled { at } => ("cancelled", Some(at)),
        RequestState::Refused { at } => ("refused", Some(at)),
    };
    let events = status.events.iter().map(|one| event(py, one, zones)).collect::<PyResult<Vec<_>>>()?;
    let fields = (
        request(py, &status.request, zones)?,
        dict(py, status.facts.iter())?,
        &status.policy,
        state,
        zones.main().optional(py, closed_at)?,
        clocks(py, &status.clocks, zones)?,
        PyTuple::new(py, events)?,
    );
    make(py, "RequestStatus", fields)
}

pub(crate) fn counts<'py>(py: Python<'py>, counts: &Counts) -> PyResult<Bound<'py, PyAny>> {
    let fields = (
        counts.on_track,
        counts.at_risk,
        counts.late,
        counts.breached,
        counts.paused,
        counts.idle,
        counts.met,
        counts.missed,
        counts.cancelled,
    );
    make(py, "Counts", fields)
}

pub(crate) fn info<'py>(py: Python<'py>, info: &Info, zones: &Zones) -> PyResult<Bound<'py, PyAny>> {
    let fields = (
        info.format,
        info.requests,
        info.events,
        info.clocks,
        info.notices,
        zones.main().optional(py, info.advanced_to)?,
        zones.main().optional(py, info.latest_event_at)?,
        info.unfolded,
        info.file_bytes,
        info.index_bytes,
    );
    make(py, "Info", fields)
}

pub(crate) fn rebuild<'py>(py: Python<'py>, outcome: &Rebuild) -> PyResult<Bound<'py, PyAny>> {
    let differences = outcome.differences.iter().map(|one| make(py, "Difference", (&one.place, &one.text)));
    let fields = (
        outcome.requests,
        outcome.events,
        outcome.clocks,
        outcome.index_rows,
        outcome.notices,
        outcome.differing,
        PyTuple::new(py, differences.collect::<PyResult<Vec<_>>>()?)?,
        outcome.repaired,
    );
    make(py, "Rebuild", fields)
}

/// What was crossed, and of a warning the percentage.
pub(crate) fn threshold(threshold: ThresholdKind) -> (&'static str, Option<u8>) {
    match threshold {
        ThresholdKind::Warning(percent) => ("warning", Some(percent)),
        ThresholdKind::Late => ("late", None),
        ThresholdKind::Breached => ("breached", None),
        ThresholdKind::Waived => ("waived", None),
        ThresholdKind::Review => ("review", None),
        ThresholdKind::Reading => ("reading", None),
        ThresholdKind::BudgetExhausted => ("budget_exhausted", None),
        ThresholdKind::PeriodBreached => ("period_breached", None),
    }
}
