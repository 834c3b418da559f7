"""What answers are made of: small immutable tuples with names, which compare, hash, unpack and pickle as tuples do.

Instants are aware `datetime`s in the zone of the agreement, spans are `timedelta`s.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from slaclock._errors import Error
    from slaclock._slaclock import Feed

__all__ = [
    "Attainment",
    "Batch",
    "ClockStatus",
    "Counts",
    "Difference",
    "Event",
    "Explanation",
    "ImportReport",
    "Info",
    "Lint",
    "Notice",
    "Oddity",
    "PolicyInfo",
    "Rebuild",
    "Recorded",
    "Request",
    "RequestStatus",
    "Row",
    "Stage",
    "Waiting",
]

Stage: TypeAlias = Literal["idle", "on_track", "at_risk", "late", "breached", "paused", "met", "missed", "cancelled"]
"""Where a clock stands: see the words of `Counts`."""


class Row(NamedTuple):
    """A running clock in the answer to a scan."""

    request: str
    """External id of the request."""
    clock: str
    """The clock's name."""
    cycle: int
    """Number of its cycle, from 1."""
    stage: Stage
    """Where it stands."""
    due_at: datetime
    """When it is due."""
    limit_at: datetime | None
    """When it is breached, if the rule has a backstop."""
    started_at: datetime
    """When the cycle started."""


class ClockStatus(NamedTuple):
    """A clock of one request."""

    clock: str
    """The clock's name."""
    cycle: int
    """Number of the latest cycle; 0 if it has not started."""
    started_at: datetime | None
    """When that cycle started, or will if nothing happens before."""
    due_at: datetime | None
    """When it is due; `None` while paused, without deadline, or not started."""
    limit_at: datetime | None
    """When it is breached, if the rule has a backstop."""
    finished_at: datetime | None
    """When it finished."""
    remaining: timedelta | None
    """What is left of the target, in its own time, while paused."""
    no_deadline: str | None
    """Why there is no deadline, if there is none."""
    beyond_known_holidays: bool
    """The deadline counts past the last date up to which the holidays are known."""
    stage: Stage
    """Where it stands."""


class Request(NamedTuple):
    """A request as it was submitted."""

    id: str
    """The CRM's own key."""
    received_at: datetime
    """When it was received."""
    customer: str | None = None
    """Who asked."""
    priority: str | None = None
    """The CRM's own priority."""
    category: str | None = None
    """What it is about."""
    channel: str | None = None
    """How it arrived."""
    subject: str | None = None
    """One line for people."""
    attributes: Mapping[str, str] = {}
    """Anything else that policies match on."""


class Event(NamedTuple):
    """Something that happened to a request."""

    event: str
    """The word for it: `replied`, `paused`, `resolved`, …"""
    at: datetime
    """When it happened."""
    by: str | None = None
    """Who did it."""
    key: str | None = None
    """The caller's idempotency key."""
    text: str | None = None
    """Free text for the record."""
    to: str | None = None
    """Of `assigned`: who took it."""
    reason: str | None = None
    """Of `paused`: what for."""
    vendor: str | None = None
    """Of `vendor_contacted` and `vendor_replied`: who."""
    due: datetime | None = None
    """Of `promised`: the promised instant."""
    facts: Mapping[str, str] = {}
    """Of `changed`: the new values by name."""
    approved_by: str | None = None
    """Of `expedited`: who allowed it beyond the quota."""
    clock: str | None = None
    """Of `waived` and `waiver_withdrawn`: the clock whose miss is excused."""
    cycle: int | None = None
    """Of `waived` and `waiver_withdrawn`: number of the missed cycle, from 1."""


class RequestStatus(NamedTuple):
    """What is known of a request."""

    request: Request
    """As it was submitted."""
    facts: Mapping[str, str]
    """Priority, category, customer, channel and attributes after all changes."""
    policy: str
    """The policy it is pinned to, as in `customer-care v1`."""
    state: Literal["open", "resolved", "cancelled", "refused"]
    """Where the request itself stands."""
    closed_at: datetime | None
    """When it was resolved, cancelled or refused."""
    clocks: tuple[ClockStatus, ...]
    """Its clocks, in the order of the policy."""
    events: tuple[Event, ...]
    """Its events by instant, those of one second in the order of arrival; the receipt is not among them."""

    def clock(self, name: str) -> ClockStatus:
        """The clock of this name; `NotFoundError` if the policy has none."""
        return _clock_of(self.clocks, name)


class Recorded(NamedTuple):
    """The answer to a submit or an event."""

    outcome: Literal["recorded", "already_recorded"]
    """`already_recorded` if the same content was there before, under the same key."""
    clocks: tuple[ClockStatus, ...]
    """The request's clocks after it, in the order of the policy."""

    def clock(self, name: str) -> ClockStatus:
        """The clock of this name; `NotFoundError` if the policy has none."""
        return _clock_of(self.clocks, name)


def _clock_of(clocks: tuple[ClockStatus, ...], name: str) -> ClockStatus:
    for clock in clocks:
        if clock.clock == name:
            return clock
    from slaclock._errors import NotFoundError

    names = ", ".join(f"`{clock.clock}`" for clock in clocks)
    raise NotFoundError(f"clock `{name}`: the policy has {names or 'none'}")


class Batch(NamedTuple):
    """What became of a batch."""

    rows: int
    """Rows in all."""
    recorded: int
    """Rows that were new."""
    already_recorded: int
    """Rows whose content was there before, under the same key."""
    errors: tuple[tuple[int, Error], ...]
    """Rows that were left out, counted from 0, with the reason."""


class Counts(NamedTuple):
    """Clocks by stage."""

    on_track: int
    """Running, no warning threshold has passed."""
    at_risk: int
    """Running, a warning threshold has passed."""
    late: int
    """Running, due has passed, the limit has not."""
    breached: int
    """Running, the promise is broken."""
    paused: int
    """Stopped by a pause."""
    idle: int
    """Not started, or without deadline."""
    met: int
    """Latest cycle finished in time."""
    missed: int
    """Latest cycle finished late."""
    cancelled: int
    """Latest cycle withdrawn."""

    @property
    def open(self) -> int:
        """Running and paused clocks."""
        return self.on_track + self.at_risk + self.late + self.breached + self.paused

    @property
    def total(self) -> int:
        """All clocks."""
        return sum(self)


@dataclass(frozen=True, slots=True)
class Notice:
    """One crossing of a threshold."""

    number: int
    """1, 2, 3, … without gaps, in the order in which they became known."""
    request: str
    """External id of the request."""
    clock: str
    """The clock's name."""
    cycle: int
    """Number of the clock's cycle."""
    threshold: Literal["warning", "late", "breached", "waived", "review", "reading", "budget_exhausted", "period_breached"]
    """What was crossed."""
    percent: int | None
    """Of a warning: the share of the target's time."""
    at: datetime
    """The instant it is about, not that of the scan."""
    by_change: bool
    """A change of facts, not the passing of time, put it into the past."""
    retracted: bool
    """The same notice was given before and turned out not to be true."""
    period: str | None = None
    """Of a notice about a promised share: the period, such as `2026-03`; `request` is empty then."""
    _feed: Feed | None = field(default=None, repr=False, compare=False)

    def ack(self) -> None:
        """Acknowledges this notice and all before it, durably.

        Raises `ClosedError` on a notice that was pickled: it has lost its feed; use `Feed.acknowledge`.
        """
        if self._feed is None:
            from slaclock._errors import ClosedError

            raise ClosedError(f"notice {self.number}: came without its feed; use db.feed(consumer).acknowledge({self.number})")
        self._feed.acknowledge(self.number)

    def __reduce__(self) -> tuple[type[Notice], tuple[Any, ...]]:
        """Everything but the feed."""
        fields = (self.number, self.request, self.clock, self.cycle, self.threshold, self.percent, self.at)
        return type(self), (*fields, self.by_change, self.retracted, self.period)


class Attainment(NamedTuple):
    """One clock's attainment over a period, of one group of requests."""

    by: Mapping[str, str | None]
    """The facts counted apart by, with this group's values; `None` where requests do not have the fact."""
    period_first: date
    """First date of receipt."""
    period_last: date
    """Last date of receipt, included."""
    clock: str
    """Judged by which clock."""
    met: int
    """Met their target."""
    missed: int
    """Missed it, the waived ones included."""
    undecided: int
    """Not decided yet."""
    not_started: int
    """Left out: the clock never started."""
    no_deadline: int
    """Left out: no deadline."""
    cancelled: int
    """Left out: withdrawn before due."""
    waived: int
    """Of the missed, those that somebody excused."""
    missed_within_limit: int
    """Of the missed, those finished within the limit."""
    missed_limit_open: int
    """Of the missed, those still open whose limit has not passed."""
    missed_breached: int
    """Of the missed, those whose limit passed unmet, or that have none."""
    cycles_met: int
    """Single cycles finished in time."""
    cycles_missed: int
    """Single cycles whose due instant passed unmet."""
    share_bp: int | None
    """The share met of those decided, in hundredths of a percent, rounded down; `None` if none is decided."""
    goal_bp: int | None
    """The promised share, in hundredths of a percent, if one is promised."""
    allowed_misses: int | None
    """Misses that the promise allows, if one is made."""
    budget_left: int | None
    """Misses still allowed; negative once the promise is broken."""
    verdict: Literal["kept", "open", "broken"] | None
    """Whether the promised share is kept."""


class Waiting(NamedTuple):
    """Time on hold for one reason."""

    reason: str
    """`waiting_customer`, `waiting_vendor` or a reason of the policy's own."""
    requests: int
    """Requests that were on hold for it."""
    holds: int
    """Stretches on hold."""
    elapsed: timedelta
    """Wall-clock time on hold, summed over the requests."""
    working: timedelta
    """Working time on hold in the calendar of the policy's first clock, summed over the requests."""
    median: timedelta
    """The median stretch, wall-clock time."""


class PolicyInfo(NamedTuple):
    """An installed version of a policy."""

    name: str
    """The policy's name."""
    version: int
    """Its version, as written in it."""
    in_force_from: datetime
    """Requests received from here on are pinned to it, until a later version."""
    tzdb: str
    """The version of the time zone data it was compiled with."""


class Info(NamedTuple):
    """Facts about a database."""

    format: int
    """The file format."""
    requests: int
    """Requests."""
    events: int
    """Events, the receipts not counted."""
    clocks: int
    """Clocks."""
    notices: int
    """Notices so far."""
    advanced_to: datetime | None
    """Up to where the feed was advanced; `None` if never."""
    latest_event_at: datetime | None
    """The latest instant of any receipt or event; `None` in an empty database."""
    unfolded: int
    """Operations in the log that are not folded into the sealed values yet."""
    file_bytes: int
    """Length of the file in bytes."""
    index_bytes: int
    """Memory of the indexes in bytes."""


class Difference(NamedTuple):
    """Something stored that does not follow from the events."""

    place: str
    """External id of the request, or the name of the index."""
    text: str
    """What is stored and what follows from the events."""


class Rebuild(NamedTuple):
    """The outcome of a rebuild, a verification or a check."""

    requests: int
    """Requests derived anew."""
    events: int
    """Events they were derived from."""
    clocks: int
    """Clocks compared, byte by byte."""
    index_rows: int
    """Index rows compared."""
    notices: int
    """Notices compared."""
    differing: int
    """Differences found."""
    differences: tuple[Difference, ...]
    """The first 100 of them."""
    repaired: int
    """Requests whose stored state was replaced."""


class Lint(NamedTuple):
    """Something that a policy should say, or should say otherwise. The policy works as it is."""

    code: str
    """A stable name for programs, like `no-first-response`."""
    severity: Literal["info", "warning"]
    """How much it matters."""
    message: str
    """What was found and what could be done."""
    line: int
    """Line in the text, from 1."""
    column: int
    """Column in that line, from 1."""

    def __str__(self) -> str:
        """`12:1: warning: … [no-first-response]`."""
        return f"{self.line}:{self.column}: {self.severity}: {self.message} [{self.code}]"


class Oddity(NamedTuple):
    """One odd thing about one row of an imported file."""

    row: int
    """Line of the file; the header is line 1."""
    id: str
    """The request's id; empty if the row has none."""
    code: str
    """What is odd, as a stable word."""
    text: str
    """The particulars."""


class ImportReport(NamedTuple):
    """The account of an import: `rows` is always `rows_used + rows_skipped`."""

    rows: int
    """Rows read, the header not counted."""
    rows_used: int
    """Rows that gave a request, an event or both."""
    rows_skipped: int
    """Rows left out; each is an oddity."""
    requests: int
    """Requests found."""
    requests_new: int
    """Requests that the database did not have yet."""
    events: int
    """Events found, the receipts not counted."""
    events_new: int
    """Events that the database did not have yet."""
    events_by_kind: Mapping[str, int]
    """Events found, by the word for them."""
    oddity_counts: Mapping[str, int]
    """How often each kind of oddity was met."""
    oddities: tuple[Oddity, ...]
    """The first 1,000 oddities."""
    first_at: datetime | None
    """The earliest receipt."""
    last_at: datetime | None
    """The latest receipt or event."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The proof of a deadline, step by step: `print` it, show it in a notebook, or take it as data."""

    lines: tuple[tuple[str, str], ...]
    """Pairs of a short label and a sentence; a line that continues the one before has no label."""
    text: str = field(repr=False)
    """The sentences, one a line."""
    json: str = field(repr=False)
    """The whole story as JSON, with instants in seconds since 1970-01-01T00:00:00Z."""

    def __str__(self) -> str:
        """The sentences."""
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """The whole story as data: every move, branch, date and stretch of time; instants in seconds since 1970."""
        story: dict[str, Any] = json.loads(self.json)
        return story

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left;vertical-align:top'>{html.escape(label)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for label, text in self.lines
        )
        return f"<table class='slaclock-explanation'><tbody>{rows}</tbody></table>"
