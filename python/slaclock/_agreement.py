"""What a service manager asks of an agreement in force: small immutable tuples, as those of `slaclock._types`.

Instants are aware `datetime`s in the zone of the agreement, spans are `timedelta`s, shares are hundredths of a percent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import Any, Literal, NamedTuple

__all__ = [
    "Acknowledgement",
    "Adjusted",
    "Cadence",
    "Changes",
    "Comparison",
    "Expedite",
    "ExpediteQuota",
    "ExpediteUse",
    "Fairness",
    "Fate",
    "Figures",
    "Goal",
    "Group",
    "GroupFairness",
    "Held",
    "Ids",
    "Interrupted",
    "Interruption",
    "Judged",
    "Migration",
    "OpenRefusal",
    "Outlook",
    "Period",
    "Pressing",
    "Quantiles",
    "Reminder",
    "Report",
    "Salvage",
    "SalvagedConsumer",
    "Share",
    "Shift",
    "Simulation",
    "Tally",
    "Unreadable",
    "VendorRequest",
    "Version",
    "Wait",
    "WaitGroup",
    "WaitReport",
    "WaitSum",
    "Waiver",
    "Window",
]


class Period(NamedTuple):
    """A stretch of dates, both included."""

    first: date
    """Its first date."""
    last: date
    """Its last date."""


class Tally(NamedTuple):
    """Requests counted by what became of them."""

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


class Goal(NamedTuple):
    """The promised share."""

    share_bp: int
    """In hundredths of a percent."""
    per: Literal["month", "quarter", "year"]
    """Judged over which period."""


class Figures(NamedTuple):
    """What the requests of a period came to by one clock."""

    period: Period
    """Received when."""
    clock: str
    """By which clock."""
    tally: Tally
    """The counts."""
    goal: Goal | None
    """The promised share, if one is promised."""
    period_over: bool
    """The period is over, so that no more requests join the cohort."""


class Adjusted(NamedTuple):
    """The same figures without the waived misses."""

    missed: int
    """Misses that nobody excused."""
    share_bp: int | None
    """The share met of those decided."""
    verdict: Literal["kept", "open", "broken"] | None
    """On the promised share, if one is promised."""
    misses_allowed: int | None
    """How many may be missed."""
    budget_left: int | None
    """Misses still allowed; negative if there were more."""


class Group(NamedTuple):
    """The requests of one period and group, judged by one clock. Shares are in hundredths of a percent."""

    by: tuple[tuple[str, str | None], ...]
    """The facts counted apart by, with this group's values."""
    attainment: Figures
    """The counts and the goal."""
    share_bp: int | None
    """The share met of those decided."""
    share_interval_bp: tuple[int, int] | None
    """Its Wilson interval at 95 %."""
    best_share_bp: int | None
    """If every undecided one is met."""
    worst_share_bp: int | None
    """If every undecided one is missed."""
    verdict: Literal["kept", "open", "broken"] | None
    """On the promised share, if one is promised."""
    misses_allowed: int | None
    """How many may be missed."""
    budget_left: int | None
    """Misses still allowed; negative if there were more."""
    adjusted: Adjusted
    """Without the waived misses."""


class Changes(NamedTuple):
    """How many requests would have fared differently by one clock."""

    clock: str
    """The clock's name."""
    earlier: int
    """Requests with a deadline that is earlier."""
    later: int
    """Requests with a deadline that is later."""
    unmatched: int
    """Requests that have the clock under one of the two policies only."""
    newly_met: int
    """Requests that would have met their target and did not."""
    newly_missed: int
    """Requests that met their target and would not have."""


class Simulation(NamedTuple):
    """The stored history as it would have been under one policy."""

    policy: str
    """The policy's name and version; `as promised` for what requests are pinned to."""
    groups: tuple[Group, ...]
    """Attainment against this policy's goals."""
    changes: tuple[Changes, ...]
    """What differs from what was promised, by clock; empty for `as promised`."""


class OpenRefusal(NamedTuple):
    """A proposal to refuse a request that waits for a second person."""

    request: str
    """External id of the request."""
    customer: str | None
    """Whose request it is."""
    proposed_at: datetime
    """When it was proposed."""
    proposed_by: str | None
    """Who proposes it, and so cannot approve it."""
    reason: str | None
    """Why."""
    approvers: tuple[str, ...]
    """Who may approve it; empty for anybody but the one who proposed it."""


class Pressing(NamedTuple):
    """An open request that can still change a period's figures, or its tail."""

    due_at: datetime | None
    """When it is due (of the tail: was due); `None` while it is paused."""
    limit_at: datetime | None
    """When its second tier ends, if the clock has one."""
    request: str
    """External id of the request."""
    update_due_at: datetime | None
    """When the next periodic update to the customer is due, where one runs."""


class Cadence(NamedTuple):
    """How the updates that the missed requests are owed were kept."""

    clock: str
    """The clock's name."""
    kept: int
    """Updates given in time."""
    missed: int
    """Updates given late, or owed and not given."""


class Outlook(NamedTuple):
    """Where one clock's promised share stands in one period, while something can still be done about it."""

    attainment: Figures
    """The cohort so far and its goal."""
    misses_allowed: int
    """How many of the cohort so far may be missed."""
    misses_left: int
    """Misses left; negative if there were more than allowed."""
    must_meet: int | None
    """How many of the open requests must still be met; `None` if not even all of them are enough."""
    best_share_bp: int | None
    """The share if every open request is met."""
    worst_share_bp: int | None
    """The share if every open request is missed."""
    so_far: Literal["kept", "open", "broken"]
    """The verdict on the cohort so far."""
    verdict: Literal["kept", "open", "broken"]
    """The verdict on the period: `open` while requests may still join the cohort."""
    breaks_at: datetime | None
    """When the promise breaks for the cohort so far if nothing open is handled."""
    until_at: datetime
    """The horizon of `must_finish` and `deciding`."""
    must_finish: int
    """How many of `deciding` must be handled in time, so that the misses left last until the horizon."""
    deciding: tuple[Pressing, ...]
    """Open requests due before the horizon, earliest due first."""
    later: int
    """Open requests due later."""
    on_hold: int
    """Open requests on hold."""
    tail: tuple[Pressing, ...]
    """Missed requests that are still open, earliest limit first."""
    cadence: tuple[Cadence, ...]
    """Updates owed to the customers of the missed requests, by clock."""


class Fate(NamedTuple):
    """Where a clock stands, before or after a move."""

    due_at: datetime | None
    """When it is due; `None` while paused or without deadline."""
    limit_at: datetime | None
    """When it is breached, if the rule has a backstop."""
    remaining: timedelta | None
    """What is left of the target, while paused."""
    stage: str
    """Its stage: see `slaclock.Stage`."""
    verdict: str | Mapping[str, str]
    """`met`, `missed`, `undecided`, or `{"excluded": why}`."""


class Shift(NamedTuple):
    """A clock that moved."""

    request: str
    """External id of the request."""
    clock: str
    """The clock's name."""
    before: Fate | None
    """As it was; `None` if there was no such clock, or it had not begun."""
    after: Fate | None
    """As it is."""


class Window(NamedTuple):
    """What is declared of an interruption."""

    category: str
    """`personnel`, `facilities`, `power`, `internet_telecom`, `merger_acquisition`, `disaster`, `own` or `own:NAME`."""
    scope: str | Mapping[str, str]
    """Whom it is about: `"all"`, or one of `{"calendar": name}`, `{"customer": name}`, `{"category": name}`."""
    since: datetime
    """Its first instant."""
    until: datetime | None
    """The first instant after it; `None` while nobody knows."""


class Interruption(NamedTuple):
    """One entry of the journal of interruptions."""

    number: int
    """The interruption's number: 1, 2, 3, …"""
    act: Literal["declared", "amended", "ended", "withdrawn"]
    """What was done."""
    at: datetime
    """When."""
    by: str
    """Who did it."""
    window: Window
    """The window as it stands from then on; of a withdrawn one, as it stood."""
    text: str | None
    """Free text for the record."""


class Interrupted(NamedTuple):
    """What was done about an interruption, and what moved by it."""

    entry: Interruption
    """The entry of the journal."""
    dry_run: bool
    """Nothing was written."""
    requests: int
    """Requests looked at."""
    moved: tuple[Shift, ...]
    """Every clock that moves, in the order of submission."""


class Version(NamedTuple):
    """A version of a policy."""

    name: str
    """The policy's name."""
    version: int
    """Its version, as written in it."""
    in_force_from: datetime
    """Requests received from here on are pinned to it, until a later version."""
    tzdb: str
    """The version of the time zone data it was compiled with."""


class Migration(NamedTuple):
    """What a migration did, or would do."""

    to: tuple[Version, ...]
    """The versions that requests move to, oldest first."""
    dry_run: bool
    """Nothing was written."""
    requests: int
    """Requests that move."""
    moved: tuple[Shift, ...]
    """Every clock that stands elsewhere afterwards, in the order of submission."""


class Unreadable(NamedTuple):
    """Something that a salvage could not read, or not keep."""

    place: str
    """A table and key, a page of the file, or a request."""
    code: int
    """The number of the kind of error, as `slaclock.Error.code`."""
    text: str
    """What is missing, or why it was refused."""


class SalvagedConsumer(NamedTuple):
    """A consumer of the feed in the damaged database."""

    name: str
    """Its name."""
    acknowledged: int
    """The number of the last notice that it acknowledged there."""


class Salvage(NamedTuple):
    """What a salvage got out, and what it could not."""

    requests: int
    """Requests in the new database, stand-ins included."""
    events: int
    """Events in the new database, the receipts not counted."""
    policies: tuple[Version, ...]
    """Policy versions in the new database, oldest first."""
    lost_requests: int | None
    """Requests that are known to be missing; `None` if the damaged file does not say how many it had."""
    lost_events: int | None
    """Events likewise."""
    orphaned_events: int
    """Events whose request cannot be read."""
    stand_ins: int
    """Requests that stand in for one that cannot be read."""
    unproven: int
    """Rows that were read without the proof of a checksum of their own."""
    repinned: int
    """Requests whose version of the policy cannot be read: they are under another."""
    feed_advanced_to: datetime | None
    """Up to where the feed was advanced in the damaged database."""
    consumers: tuple[SalvagedConsumer, ...]
    """The consumers of the feed there. Their cursors are not taken along."""
    file_bytes: int
    """Length of the damaged file."""
    damaged_pages: int
    """Pages that do not match their checksum."""
    unreadable: int
    """Places that could not be read, and requests and events that were refused."""
    places: tuple[Unreadable, ...]
    """The first 100 of them."""


class ExpediteQuota(NamedTuple):
    """How many expedites a customer has used in a month, and when the next is free."""

    customer: str
    """The customer."""
    month: Period
    """The calendar month."""
    used: int
    """Expedites dated in it."""
    per_month: int
    """How many a month the newest policy allows without approval."""
    next_free_at: datetime | None
    """When the next is free without approval; `None` if never."""


class Expedite(NamedTuple):
    """An expedited request."""

    request: str
    """External id of the request."""
    at: datetime
    """When it was expedited."""
    by: str | None
    """Who asked for it."""
    approved_by: str | None
    """Who allowed it beyond the quota."""


class ExpediteUse(NamedTuple):
    """What a customer used in a calendar month."""

    customer: str | None
    """The customer."""
    month: Period
    """The calendar month."""
    used: int
    """Expedites dated in it."""
    approved: int
    """Of these, those that a second person approved."""
    per_month: int | None
    """How many a month the newest policy allows without approval."""
    expedites: tuple[Expedite, ...]
    """The requests, by instant."""


class Wait(NamedTuple):
    """One stretch of waiting."""

    request: str
    """External id of the request."""
    from_at: datetime
    """Since when."""
    to_at: datetime | None
    """Until when; `None` while it lasts."""
    contacts: int
    """Contacts with the vendor meanwhile."""
    elapsed: timedelta
    """Wall-clock time."""
    working: timedelta
    """Working time in the calendar of the group."""


class WaitSum(NamedTuple):
    """Waits together."""

    waits: int
    """How many."""
    requests: int
    """Requests among them."""
    elapsed: timedelta
    """Wall-clock time, summed."""
    working: timedelta
    """Working time, summed."""


class WaitGroup(NamedTuple):
    """All waits of one customer's requests for one party."""

    party: str | Mapping[str, str]
    """`{"vendor": name}` or `"customer"`."""
    customer: str | None
    """Whose requests."""
    calendar: str
    """The calendar that working time is counted in."""
    closed: WaitSum
    """Waits that are over."""
    open: WaitSum
    """Waits that last."""
    entries: tuple[Wait, ...]
    """Every wait, by start."""


class VendorRequest(NamedTuple):
    """A request that needed a vendor."""

    request: str
    """External id."""
    customer: str | None
    """Who asked."""
    vendors: tuple[str, ...]
    """The vendors contacted, in the order of the first contact."""
    contacts: int
    """Contacts."""
    replies: int
    """Answers."""
    awaited: tuple[str, ...]
    """The vendors still awaited."""
    is_open: bool
    """Whether the request is open."""


class WaitReport(NamedTuple):
    """Which requests waited for whom."""

    groups: tuple[WaitGroup, ...]
    """By party, vendors by name before the customer, then by customer."""
    vendor_requests: tuple[VendorRequest, ...]
    """Requests that needed a vendor, in the order of submission."""
    requests: int
    """Requests looked at."""


class Waiver(NamedTuple):
    """A waived miss."""

    cycle: int
    """Number of the clock's cycle."""
    at: datetime
    """When it was waived."""
    by: str | None
    """Who did."""
    reason: str | None
    """Why."""


class Judged(NamedTuple):
    """What one request counts as by one clock."""

    request: str
    """External id of the request."""
    clock: str
    """The clock's name."""
    period: Period
    """The period of the cohort that it counts to."""
    by: tuple[tuple[str, str | None], ...]
    """The facts counted apart by, with its values."""
    verdict: str | Mapping[str, str]
    """`met`, `missed`, `undecided`, or `{"excluded": why}`."""
    tail: str | None
    """Of a missed one, what became of the second tier."""
    waived: bool
    """Every missed cycle is waived: it is left out of the adjusted figure."""
    waivers: tuple[Waiver, ...]
    """Its waived cycles."""


class Acknowledgement(NamedTuple):
    """Somebody read or reviewed a version of the policy."""

    version: int
    """The version."""
    duty: Literal["review", "reading"]
    """What was done."""
    by: str
    """Who did it."""
    at: datetime
    """When."""


class Reminder(NamedTuple):
    """Something that is yet to be read or reviewed."""

    duty: Literal["review", "reading"]
    """What is to be done."""
    policy: str
    """The policy's name."""
    version: int
    """Its version."""
    reader: str | None
    """Who must read it; `None` for a review."""
    due_at: datetime
    """Until when it is in time."""
    overdue: bool
    """That has passed."""


class Ids(NamedTuple):
    """How many requests are behind a figure, and the first of them."""

    total: int
    """All of them."""
    first: tuple[str, ...]
    """External ids in the order of submission."""


class Share(NamedTuple):
    """So many of so many."""

    part: int
    """Those that did."""
    whole: int
    """All that are decided."""


class Comparison(NamedTuple):
    """A group's share beside that of all others."""

    rest: Share
    """The others' share."""
    difference_bp: tuple[int, int]
    """Where the true difference lies, lowest and highest: Newcombe's interval."""
    standing: Literal["better", "worse", "noise"]
    """Better or worse only if the interval does not contain zero."""


class Quantiles(NamedTuple):
    """The spread of a set of lengths."""

    lengths: int
    """How many lengths."""
    median: timedelta
    """Half take at most this."""
    p90: timedelta
    """90 % take at most this."""
    p95: timedelta
    """95 % take at most this."""
    longest: timedelta
    """The longest."""


class Held(NamedTuple):
    """A group's time on hold for one reason."""

    reason: str
    """`waiting_customer`, `waiting_vendor` or a reason of the policy's own."""
    requests: int
    """Requests that were on hold for it."""
    elapsed: timedelta
    """Wall-clock time, summed over the requests."""


class GroupFairness(NamedTuple):
    """One group of requests beside the rest."""

    values: tuple[str | None, ...]
    """One value for each fact; `None` where its requests do not have the fact."""
    tally: Tally
    """Its counts."""
    share_bp: int | None
    """The share met of those decided."""
    share_interval_bp: tuple[int, int] | None
    """Its Wilson interval at 95 %."""
    attainment: Comparison | None
    """Its share met beside that of all other groups."""
    handled: Quantiles
    """Time until handled, wall clock."""
    within_median: int
    """How many of the handled took no longer than the median of all groups."""
    speed: Comparison | None
    """That share beside that of all other groups: better means handled sooner."""
    held: tuple[Held, ...]
    """Time on hold by reason."""
    counted: Ids
    """Those that count: met, missed and undecided."""
    missed: Ids
    """Those that missed their target."""


class Fairness(NamedTuple):
    """How groups of requests fare beside one another, by one clock in one period."""

    clock: str
    """The clock."""
    period: Period
    """Received when."""
    by: tuple[str, ...]
    """The facts that make a group, in the order of its `values`."""
    groups_total: int
    """How many groups there are."""
    compared_at_once: int
    """How many of them share the confidence of the comparisons."""
    median: timedelta
    """All groups: the median time until handled."""
    groups: tuple[GroupFairness, ...]
    """The groups, by their values."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about the requests received in a period: a page to look at, and the same figures as data."""

    page: str = field(repr=False)
    """A page of HTML that needs nothing else."""
    json: str = field(repr=False)
    """The figures as JSON, instants in seconds since 1970-01-01T00:00:00Z."""

    def to_dict(self) -> dict[str, Any]:
        """The figures as data: `clocks` with `attainment`, `burndown`, `handling`, `arrivals`, `fairness`, `latest`, …"""
        figures: dict[str, Any] = json.loads(self.json)
        return figures

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the page to a file."""
        Path(path).write_text(self.page, encoding="utf-8")


OTHER_NAMES: Mapping[type[Any], Mapping[str, str]] = {
    Quantiles: {"count": "lengths"},
    Window: {"from": "since", "to": "until"},
}
"""Fields that the core names by words which Python keeps for itself."""
