"""What was asked before and what helped: small immutable tuples, as those of `slaclock._types`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

__all__ = ["Answer", "FaqEntry", "FaqRecord", "FaqStory", "History", "HistoryRow", "Hit", "Hits", "PastClock", "Piece"]


class Answer(NamedTuple):
    """Something that was said about a request: an answer to the customer, or a note for the record."""

    at: datetime
    """When."""
    event: str
    """The word of the event that carries the text."""
    by: str | None
    """Who said it."""
    text: str
    """What was said."""
    to_customer: bool
    """The customer was told so. All others are notes."""


class PastClock(NamedTuple):
    """A clock of a request in a history, as of the request's latest event."""

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
    waived_at: datetime | None
    """When somebody excused its miss."""
    stage: str
    """Where it stands."""


class HistoryRow(NamedTuple):
    """A request in a history."""

    request: str
    """The request's id."""
    subject: str | None
    """One line for people."""
    received_at: datetime
    """When it was received."""
    facts: Mapping[str, str]
    """Customer, priority, category, channel and attributes after all changes."""
    state: Literal["open", "resolved", "cancelled", "refused"]
    """What became of it."""
    handled_at: datetime | None
    """When it came to that; `None` while open."""
    clocks: tuple[PastClock, ...]
    """Its clocks with their verdicts, in the order of the policy."""
    answers: tuple[Answer, ...]
    """What was said, by instant."""
    faq: tuple[str, ...]
    """The FAQ entries it is linked to, by id."""


class History(NamedTuple):
    """A page of a history, newest first."""

    rows: tuple[HistoryRow, ...]
    """The requests."""
    next: int | None
    """Where the next page begins: its `after`; `None` if this was the last."""


class FaqEntry(NamedTuple):
    """An entry of the FAQ."""

    id: str
    """Its id."""
    question: str
    """The question."""
    answer: str
    """The answer."""
    request: str | None
    """The id of the request it came from."""
    published_at: datetime
    """When it was published."""
    published_by: str
    """By whom."""
    changed_at: datetime
    """When it was published, amended or withdrawn last."""
    changed_by: str
    """By whom."""
    withdrawn: bool
    """It is no longer given."""
    uses: int
    """Requests linked to it."""
    last_used_at: datetime | None
    """When a request was linked to it last, of those that are."""


class FaqRecord(NamedTuple):
    """What was done about an FAQ entry, and what it says after that."""

    id: str
    """The entry's id."""
    act: Literal["published", "amended", "withdrawn"]
    """What was done."""
    at: datetime
    """When."""
    by: str
    """By whom."""
    question: str
    """The question."""
    answer: str
    """The answer."""
    request: str | None
    """The id of the request it came from."""


class FaqStory(NamedTuple):
    """An FAQ entry and what was done about it."""

    entry: FaqEntry
    """As it is."""
    records: tuple[FaqRecord, ...]
    """In the order of recording."""


class Piece(NamedTuple):
    """A piece of a text: as it is, or one of the words that were looked for."""

    text: str
    """The text."""
    hit: bool
    """It was looked for."""


class Hit(NamedTuple):
    """A request or an FAQ entry that was found."""

    kind: Literal["request", "faq"]
    """Which of both."""
    id: str
    """Its id."""
    score: int
    """How well it fits, in thousandths: compares hits of one answer, and nothing else."""
    customer: str | None
    """The customer of a request, after all changes."""
    subject: str | None
    """The subject, or the question."""
    at: datetime
    """When it was received, or published."""
    state: Literal["open", "resolved", "cancelled", "refused"] | None
    """What became of a request."""
    handled_at: datetime | None
    """When it came to that; `None` while open."""
    answer: str | None
    """What helped: the last thing that the customer was told, or the entry's answer."""
    faq: tuple[str, ...]
    """The FAQ entries that a request is linked to."""
    found_in: Literal["subject", "answer", "note"]
    """Where the snippet is from."""
    snippet: tuple[Piece, ...]
    """The text around what was looked for."""


class Hits(NamedTuple):
    """What a search found."""

    hits: tuple[Hit, ...]
    """Best first, those of equal score newest first."""
    matches: int
    """How many there are in all."""
    complete: bool
    """The index covered everything that was recorded before the search."""
