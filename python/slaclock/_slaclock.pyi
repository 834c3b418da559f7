from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Generic, Literal, Protocol, Self, TypeAlias, TypeVar, final, overload
from zoneinfo import ZoneInfo

from slaclock._agreement import (
    Acknowledgement,
    ExpediteQuota,
    ExpediteUse,
    Fairness,
    Interrupted,
    Interruption,
    Judged,
    Migration,
    OpenRefusal,
    Outlook,
    Reminder,
    Report,
    Salvage,
    Simulation,
    WaitReport,
)
from slaclock._history import FaqEntry, FaqStory, History, Hits
from slaclock._types import (
    Attainment,
    Batch,
    Counts,
    Explanation,
    ImportReport,
    Info,
    Lint,
    Notice,
    PolicyInfo,
    Rebuild,
    Recorded,
    RequestStatus,
    Row,
    Waiting,
)

__all__ = [
    "NO_DEADLINE",
    "Calendar",
    "Column",
    "Db",
    "Feed",
    "Kernel",
    "Notices",
    "Policy",
    "Table",
    "TableRows",
    "__version__",
    "calendar_of_policy",
    "cli",
    "create",
    "error_kinds",
    "in_memory",
    "open",
    "salvage",
    "shutdown",
    "table_of",
]

__version__: Final[str]
NO_DEADLINE: Final[int]

_Path: TypeAlias = str | PathLike[str]
_Zone: TypeAlias = str | ZoneInfo
_Period: TypeAlias = str | date | tuple[date, date]
_T = TypeVar("_T")
_R = TypeVar("_R", Row, Waiting, Attainment, Notice)

class _ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

class _ArrowArray(Protocol):
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...

_Table: TypeAlias = _ArrowStream | _ArrowArray | Iterable[Mapping[str, Any]]

@final
class Policy:
    @classmethod
    def load(cls, path: _Path, /) -> Policy: ...
    @classmethod
    def from_toml(cls, text: str, /) -> Policy: ...
    @classmethod
    def from_json(cls, text: str, /) -> Policy: ...
    @classmethod
    def from_text(cls, text: str, /) -> Policy: ...
    @classmethod
    def from_dict(cls, data: Mapping[str, Any], /) -> Policy: ...
    @staticmethod
    def json_schema() -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def statement(self) -> str: ...
    @property
    def review_at(self) -> date | None: ...
    @property
    def source(self) -> str: ...
    @property
    def clocks(self) -> tuple[str, ...]: ...
    @property
    def calendars(self) -> tuple[str, ...]: ...
    def calendar(self, name: str, /) -> Calendar: ...
    def check(self, *, on: date | None = None) -> list[Lint]: ...
    def due(self, clock: str, received: datetime, /, **facts: str | None) -> datetime: ...
    def limit(self, clock: str, received: datetime, /, **facts: str | None) -> datetime | None: ...
    @overload
    def due_many(
        self, clock: str, received: list[datetime], /, *, zone: _Zone | None = None, out: None = None, **facts: Any
    ) -> list[datetime | None]: ...
    @overload
    def due_many(self, clock: str, received: _T, /, *, zone: _Zone | None = None, out: _T | None = None, **facts: Any) -> _T: ...
    def explain(self, clock: str, received: datetime, /, **facts: str | None) -> Explanation: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Callable[[str], Policy], tuple[str]]: ...

@final
class Calendar:
    def __new__(
        cls,
        zone: _Zone,
        *,
        hours: str | Mapping[str, Any],
        holidays: Iterable[Any] | None = None,
        not_holidays: Iterable[Any] | None = None,
        closures: Iterable[Any] | None = None,
        exceptions: Iterable[Any] | None = None,
        extra_days: Iterable[Any] | None = None,
        holidays_known_until: date | str | None = None,
        preset: Literal["biz", "rt", "pandas", "glpi", "business_time"] | None = None,
        name: str = "calendar",
    ) -> Self: ...
    @classmethod
    def from_dict(cls, data: Mapping[str, Any], /, *, name: str | None = None) -> Calendar: ...
    @classmethod
    def from_holidays(
        cls,
        holidays: Mapping[date, str] | Iterable[date],
        /,
        *,
        zone: _Zone,
        hours: str | Mapping[str, Any],
        years: int | Iterable[int] | None = None,
        **rest: Any,
    ) -> Calendar: ...
    @property
    def name(self) -> str: ...
    @property
    def zone(self) -> str: ...
    @property
    def tzdb(self) -> str: ...
    @property
    def holidays_known_until(self) -> date | None: ...
    def is_open(self, t: datetime, /) -> bool: ...
    def next_open(self, t: datetime, /) -> datetime: ...
    def next_close(self, t: datetime, /) -> datetime: ...
    def working_time(self, a: datetime, b: datetime, /) -> timedelta: ...
    def add_working_time(self, t: datetime, d: timedelta, /) -> datetime: ...
    @overload
    def add_working_time_many(
        self, t: list[datetime], d: timedelta, /, *, zone: _Zone | None = None, out: None = None
    ) -> list[datetime | None]: ...
    @overload
    def add_working_time_many(self, t: _T, d: timedelta, /, *, zone: _Zone | None = None, out: _T | None = None) -> _T: ...
    def sub_working_time(self, t: datetime, d: timedelta, /) -> datetime: ...
    @overload
    def add_working_days(self, t: datetime, n: int, /, *, at: str | time | None = None) -> datetime: ...
    @overload
    def add_working_days(self, t: date, n: int, /, *, at: None = None) -> date: ...
    def is_working_day(self, day: date, /) -> bool: ...
    def working_days(self, a: date, b: date, /) -> int: ...
    def intervals(self, a: datetime, b: datetime, /) -> list[tuple[datetime, datetime]]: ...
    def to_dict(self) -> dict[str, Any]: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Callable[..., Calendar], tuple[Any, ...]]: ...

@final
class Db:
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None: ...
    @property
    def closed(self) -> bool: ...
    @property
    def path(self) -> Path | None: ...
    @property
    def policy(self) -> Policy: ...
    def submit(
        self,
        id: str,
        /,
        *,
        received: datetime | None = None,
        customer: str | None = None,
        priority: str | None = None,
        category: str | None = None,
        channel: str | None = None,
        subject: str | None = None,
        attributes: Mapping[str, str | None] | None = None,
        **more: str | None,
    ) -> Recorded: ...
    def event(
        self,
        request: str,
        event: str,
        /,
        *,
        at: datetime | None = None,
        by: str | None = None,
        key: str | None = None,
        text: str | None = None,
        to: str | None = None,
        reason: str | None = None,
        vendor: str | None = None,
        due: datetime | None = None,
        facts: Mapping[str, str | None] | None = None,
        approved_by: str | None = None,
        clock: str | None = None,
        cycle: int | None = None,
        faq: str | None = None,
        **more: str | None,
    ) -> Recorded: ...
    def submit_many(
        self,
        table: _Table,
        /,
        *,
        columns: Mapping[str, str] | None = None,
        zone: _Zone | None = None,
        on_error: Literal["abort", "skip"] = "abort",
    ) -> Batch: ...
    @overload
    def import_events(
        self,
        source: _Path | bytes,
        /,
        mapping: _Path,
        *,
        on_error: Literal["abort", "skip"] = "skip",
        progress: bool | Callable[[int, int | None], object] | None = None,
    ) -> ImportReport: ...
    @overload
    def import_events(
        self,
        source: _Table,
        /,
        mapping: Mapping[str, str] | None = None,
        *,
        zone: _Zone | None = None,
        on_error: Literal["abort", "skip"] = "skip",
        progress: bool | Callable[[int, int | None], object] | None = None,
    ) -> ImportReport: ...
    def get(self, request: str, /, *, now: datetime | None = None) -> RequestStatus: ...
    def due_before(
        self, until: datetime, /, *, clock: str | None = None, limit: int | None = None, after: int | None = None
    ) -> Table[Row]: ...
    def next_due(self, now: datetime | None = None) -> Row | None: ...
    def late(
        self,
        now: datetime | None = None,
        *,
        clock: str | None = None,
        limit: int | None = None,
        after: int | None = None,
    ) -> Table[Row]: ...
    def breached(
        self,
        now: datetime | None = None,
        *,
        clock: str | None = None,
        limit: int | None = None,
        after: int | None = None,
    ) -> Table[Row]: ...
    def at_risk(
        self,
        now: datetime | None = None,
        *,
        clock: str | None = None,
        limit: int | None = None,
        after: int | None = None,
    ) -> Table[Row]: ...
    def scan(
        self,
        now: datetime | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        stages: Sequence[Literal["on_track", "at_risk", "late", "breached"]] | None = None,
        clock: str | None = None,
        limit: int | None = None,
        after: int | None = None,
    ) -> Table[Row]: ...
    def counts(self, now: datetime | None = None) -> Counts: ...
    def feed(self, consumer: str, /) -> Feed: ...
    def attainment(
        self,
        period: _Period | None = None,
        *,
        by: Sequence[str] | None = None,
        clock: str | None = None,
        per: Literal["month", "quarter", "year"] | None = None,
        now: datetime | None = None,
    ) -> Table[Attainment]: ...
    def waiting(self, period: _Period | None = None, *, now: datetime | None = None) -> Table[Waiting]: ...
    def explain(self, request: str, clock: str, /, *, now: datetime | None = None) -> Explanation: ...
    def install(self, policy: Policy, /, since: datetime | None = None) -> None: ...
    def policies(self) -> list[PolicyInfo]: ...
    def info(self) -> Info: ...
    def rebuild(self, *, verify: bool = False) -> Rebuild: ...
    def check(self) -> Rebuild: ...
    def compact(self) -> bool: ...
    def flush(self) -> None: ...
    def outlook(
        self,
        now: datetime | None = None,
        *,
        clock: str | None = None,
        period: _Period | None = None,
        until: datetime | None = None,
    ) -> tuple[Outlook, ...]: ...
    def declare_interruption(
        self,
        category: str,
        /,
        *,
        since: datetime,
        until: datetime | None = None,
        scope: str | Mapping[str, str] | None = None,
        by: str,
        at: datetime | None = None,
        text: str | None = None,
        dry_run: bool = False,
    ) -> Interrupted: ...
    def amend_interruption(
        self,
        number: int,
        /,
        category: str,
        *,
        since: datetime,
        until: datetime | None = None,
        scope: str | Mapping[str, str] | None = None,
        by: str,
        at: datetime | None = None,
        text: str | None = None,
        dry_run: bool = False,
    ) -> Interrupted: ...
    def end_interruption(
        self,
        number: int,
        /,
        until: datetime,
        *,
        by: str,
        at: datetime | None = None,
        text: str | None = None,
        dry_run: bool = False,
    ) -> Interrupted: ...
    def withdraw_interruption(
        self, number: int, /, *, by: str, at: datetime | None = None, text: str | None = None, dry_run: bool = False
    ) -> Interrupted: ...
    def interruptions(self) -> tuple[Interruption, ...]: ...
    def migrate(
        self,
        version: int | None = None,
        /,
        *,
        scope: str | Mapping[str, str] | None = None,
        by: str,
        at: datetime | None = None,
        dry_run: bool = False,
    ) -> Migration: ...
    def retz(self, *, folder: _Path | None = None, by: str, at: datetime | None = None, dry_run: bool = False) -> Migration: ...
    def fork(self, path: _Path, /) -> int: ...
    def expedite_quota(self, customer: str, /, at: datetime | None = None) -> ExpediteQuota: ...
    def expedites(self, period: _Period | None = None, /) -> tuple[ExpediteUse, ...]: ...
    def waits(self, period: _Period | None = None, /, *, now: datetime | None = None) -> WaitReport: ...
    def judged(
        self,
        period: _Period | None = None,
        /,
        *,
        by: Sequence[str] | None = None,
        clock: str | None = None,
        now: datetime | None = None,
    ) -> tuple[Judged, ...]: ...
    def acknowledge_policy(
        self, version: int, /, *, by: str, duty: Literal["reading", "review"] = "reading", at: datetime | None = None
    ) -> Literal["recorded", "already_recorded"]: ...
    def acknowledgements(self) -> tuple[Acknowledgement, ...]: ...
    def refusals(self, now: datetime | None = None, /) -> tuple[OpenRefusal, ...]: ...
    def reminders(self, now: datetime | None = None, /) -> tuple[Reminder, ...]: ...
    def history(self, customer: str, /, *, limit: int = 100, after: int | None = None) -> History: ...
    def faq_requests(self, id: str, /, *, limit: int = 100, after: int | None = None) -> History: ...
    def publish_faq(
        self,
        id: str,
        /,
        question: str | None = None,
        answer: str | None = None,
        *,
        request: str | None = None,
        by: str,
        at: datetime | None = None,
    ) -> Literal["recorded", "already_recorded"]: ...
    def amend_faq(
        self,
        id: str,
        /,
        question: str | None = None,
        answer: str | None = None,
        *,
        by: str,
        at: datetime | None = None,
    ) -> Literal["recorded", "already_recorded"]: ...
    def withdraw_faq(self, id: str, /, *, by: str, at: datetime | None = None) -> Literal["recorded", "already_recorded"]: ...
    def link_faq(self, request: str, id: str, /, *, by: str, at: datetime | None = None) -> Recorded: ...
    def unlink_faq(self, request: str, id: str, /, *, by: str, at: datetime | None = None) -> Recorded: ...
    def faq(self, *, withdrawn: bool = False) -> tuple[FaqEntry, ...]: ...
    def faq_entry(self, id: str, /) -> FaqStory: ...
    def faq_markdown(self, title: str = "Frequently asked questions", /) -> str: ...
    def faq_html(self, title: str = "Frequently asked questions", /) -> str: ...
    def search(
        self,
        text: str,
        /,
        *,
        customer: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        answered: bool = False,
        kind: Literal["request", "faq"] | None = None,
        every_word: bool = False,
        prefix: bool = True,
        limit: int = 20,
        skip: int = 0,
        index: _Path | None = None,
    ) -> Hits: ...
    def simulate(
        self,
        policies: Sequence[Policy],
        period: _Period | None = None,
        /,
        *,
        by: Sequence[str] | None = None,
        clock: str | None = None,
        per: Literal["month", "quarter", "year"] | None = None,
        now: datetime | None = None,
    ) -> tuple[Simulation, ...]: ...
    def fairness(
        self,
        by: Sequence[str],
        /,
        period: _Period | None = None,
        *,
        clock: str | None = None,
        now: datetime | None = None,
    ) -> tuple[Fairness, ...]: ...
    def report(
        self,
        period: _Period,
        /,
        *,
        clock: str | None = None,
        by: Sequence[str] | None = None,
        most_ids: int | None = None,
        now: datetime | None = None,
    ) -> Report: ...

@final
class Feed:
    @property
    def consumer(self) -> str: ...
    @property
    def acknowledged(self) -> int: ...
    def advance(self, now: datetime | None = None) -> Notices: ...
    def pending(self, limit: int = 10_000) -> Table[Notice]: ...
    def acknowledge(self, number: int, /) -> None: ...
    def ack(self) -> None: ...
    def __iter__(self) -> Notices: ...

@final
class Notices(Iterator[Notice]):
    def __iter__(self) -> Self: ...
    def __next__(self) -> Notice: ...
    def __len__(self) -> int: ...

@final
class Table(Generic[_R]):
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def next(self) -> int | None: ...
    def to_dicts(self) -> list[dict[str, Any]]: ...
    def to_pandas(self) -> Any: ...
    def to_polars(self) -> Any: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: int, /) -> _R: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[_R]: ...
    def __iter__(self) -> Iterator[_R]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __arrow_c_schema__(self) -> object: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Callable[..., Table[Any]], tuple[Any, ...]]: ...
    def _repr_html_(self) -> str: ...

@final
class Column:
    @property
    def null_count(self) -> int: ...
    @property
    def type(self) -> str: ...
    def __len__(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...
    def __arrow_c_schema__(self) -> object: ...
    def __eq__(self, value: object, /) -> bool: ...

@final
class Kernel:
    def fill(self, received: object, out: object, per_second: int, /) -> None: ...
    def arrow(self, column: object, zone: _Zone | None = None, /) -> list[Column]: ...

@final
class TableRows(Iterator[Any]):
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...
    def __length_hint__(self) -> int: ...

def open(
    path: _Path,
    /,
    policy: Policy | None = None,
    *,
    create: bool = False,
    wait: float | timedelta | None = None,
    durability: Literal["safe", "bulk"] = "safe",
    exclusive: bool = False,
    read_only: bool = False,
    verify: Literal["auto", "always", "never"] = "auto",
    cache_bytes: int | None = None,
    shared: bool = False,
) -> Db: ...
def create(
    path: _Path,
    policy: Policy,
    /,
    *,
    wait: float | timedelta | None = None,
    durability: Literal["safe", "bulk"] = "safe",
    exclusive: bool = False,
    cache_bytes: int | None = None,
) -> Db: ...
def in_memory(policy: Policy, /) -> Db: ...
def salvage(source: _Path, to: _Path, /, *, policy: Policy | None = None, stand_ins: bool = False) -> Salvage: ...
def shutdown() -> None: ...
def cli(arguments: Sequence[str], /) -> int: ...
def error_kinds() -> list[tuple[str, int, str]]: ...
def calendar_of_policy(source: str, name: str, /) -> Calendar: ...
def table_of(
    kind: str,
    facts: int,
    lines: list[str],
    main: object,
    zones: dict[str, object],
    columns: list[Any],
    next: int | None,
    /,
) -> Table[Any]: ...
