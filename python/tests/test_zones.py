"""Datetimes in time zones, in and out. What could go wrong: an offset that is remembered and no longer true, or true of our zone
data and not of the interpreter's; a repeated hour taken for the other one; a class derived from `datetime` taken for a plain one.
The reference is Python itself: subtraction from the epoch on the way in, `fromtimestamp` on the way out.
"""

from __future__ import annotations

import io
import random
import subprocess
import sys
import zoneinfo
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import slaclock

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END_S = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
DAY_S = 86_400
HOUR_S = 3600
# Half hours and quarters, changes of a whole day and of twenty minutes, seconds, changes twice a year at midnight, in Ramadan, on
# the other half of the earth, back to back, and none.
ZONES = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "America/Caracas",
    "America/Havana",
    "America/New_York",
    "America/Noronha",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/London",
    "Europe/Moscow",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Kwajalein",
    "UTC",
]


@cache
def policy(zone: str) -> slaclock.Policy:
    """One hour after receipt; answers are in this zone."""
    clock = {"name": "r", "start": "received", "stop": "resolved", "target": {"elapsed": "1h"}}
    calendar = {"c": {"zone": zone, "hours": "24x7"}}
    return slaclock.Policy.from_dict({"policy": {"name": "p", "version": 1}, "calendar": calendar, "clock": [clock]})


def seconds(moment: datetime) -> int:
    """Python's word, fractions floored; the types of pandas aside."""
    plain = moment.to_pydatetime(warn=False) if isinstance(moment, pd.Timestamp) else moment
    return (plain - EPOCH) // timedelta(seconds=1)


def same(found: datetime, expected: datetime) -> bool:
    """All that can be seen of them, the very zone included. Equality of datetimes would let another fold pass."""
    return (
        type(found) is type(expected)
        and found.replace(tzinfo=None) == expected.replace(tzinfo=None)
        and found.fold == expected.fold
        and found.tzinfo is expected.tzinfo
        and repr(found) == repr(expected)
    )


def check(received: datetime, answers_in: str) -> None:
    at = seconds(received)
    if not 0 <= at < END_S - HOUR_S:
        with pytest.raises((slaclock.OutOfRangeError, slaclock.NoDeadlineError)):
            policy(answers_in).due("r", received)
        return
    expected = datetime.fromtimestamp(at + HOUR_S, ZoneInfo(answers_in))
    for _ in range(2):  # What is learned by the first question must not change the answer to the next.
        found = policy(answers_in).due("r", received)
        assert same(found, expected), (received, received.fold, found, expected)


def changes(zone: tzinfo) -> Iterator[int]:
    """Every instant at which Python's zone changes its offset, found by halving."""

    def offset(at: int) -> timedelta | None:
        return datetime.fromtimestamp(at, zone).utcoffset()

    for midnight in range(0, END_S - DAY_S, DAY_S):
        low, high = midnight, midnight + DAY_S
        if offset(low) != offset(high):
            before = offset(low)
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            yield high


@pytest.mark.parametrize("name", ZONES)
def test_around_every_change_of_a_zone(name: str) -> None:
    zone = ZoneInfo(name)
    jumps = [0, 1, HOUR_S - 1, HOUR_S, 2 * HOUR_S, DAY_S - 1, DAY_S, DAY_S + 1, 2 * DAY_S, 3 * DAY_S, 4 * DAY_S]
    found = list(changes(zone))
    assert found or name == "UTC"
    for change in found:
        for jump in sorted({sign * jump for jump in jumps for sign in (-1, 1)}):
            moment = datetime.fromtimestamp(change + jump, zone)
            check(moment, name)
            # The civil time of the instants on both sides, in the fold that they have and in the other; gaps too.
            for fold in (0, 1):
                check(moment.replace(fold=fold), name)
                check(datetime.fromtimestamp(change - 1, zone).replace(fold=fold) + timedelta(seconds=jump), name)


@pytest.mark.parametrize("name", ZONES)
def test_the_first_and_the_last_days(name: str) -> None:
    zone = ZoneInfo(name)
    for edge in (0, END_S):
        for day in range(-4, 5):
            for second in (-1, 0, 1, HOUR_S):
                naive = datetime(1970, 1, 1) + timedelta(seconds=edge + day * DAY_S + second)
                check(naive.replace(tzinfo=zone), name)
                check(naive.replace(tzinfo=UTC).astimezone(zone), name)
    for far in (datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999)):
        with pytest.raises(slaclock.OutOfRangeError):
            policy(name).due("r", far.replace(tzinfo=zone))


@settings(max_examples=1000, deadline=None)
@given(
    st.integers(0, END_S * 1_000_000 - 1),
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
    st.integers(0, 1),
)
@example(1_772_809_445_999_999, "America/New_York", "Pacific/Apia", 1)
@example(1_772_809_446_000_000, "America/New_York", "Pacific/Apia", 0)
def test_any_instant(micros: int, given_in: str, answers_in: str, fold: int) -> None:
    civil = datetime(1970, 1, 1) + timedelta(microseconds=micros)
    check(civil.replace(tzinfo=ZoneInfo(given_in), fold=fold), answers_in)


def data_of(name: str) -> bytes:
    found = [path for path in (Path(folder) / name for folder in zoneinfo.TZPATH) if path.is_file()]
    assert found, f"no data of {name} in {zoneinfo.TZPATH}"
    return found[0].read_bytes()


def each_week(zone: tzinfo) -> Iterator[datetime]:
    for day in range(0, 366, 3):
        yield datetime(2026, 1, 1, 15, 30, tzinfo=zone) + timedelta(days=day)


def test_objects_with_the_key_of_another_zone() -> None:
    name = "America/New_York"
    for liar in ("America/Chicago", "America/Panama", "Asia/Tokyo", "Europe/London"):
        zone = ZoneInfo.from_file(io.BytesIO(data_of(liar)), key=name)
        assert zone.key == name
        for moment in each_week(zone):
            check(moment, name)
            assert policy(name).due("r", moment).timestamp() == moment.replace(tzinfo=ZoneInfo(liar)).timestamp() + HOUR_S


def test_objects_outside_the_cache() -> None:
    name = "America/New_York"
    for zone in (ZoneInfo.no_cache(name), ZoneInfo.from_file(io.BytesIO(data_of(name)))):
        for moment in each_week(zone):
            check(moment, name)


ANOTHER_DATABASE = """
import sys
sys.path.insert(0, {tests!r})
from zoneinfo import ZoneInfo
import test_zones as t

name = "America/New_York"
own = ZoneInfo(name)
assert own.utcoffset(t.datetime(2026, 7, 1)) == t.timedelta(hours={summer}), own.utcoffset(t.datetime(2026, 7, 1))
for moment in t.each_week(own):
    t.check(moment, name)
for change in list(t.changes(own))[:40] + [1_772_953_200, 1_793_512_800]:
    for jump in (-4 * t.DAY_S, -t.HOUR_S, -1, 0, 1, t.HOUR_S, 4 * t.DAY_S):
        for fold in (0, 1):
            t.check(t.datetime.fromtimestamp(change + jump, own).replace(fold=fold), name)
print("done")
"""


@pytest.mark.parametrize(
    ("data", "summer"),
    # The last one differs in summer alone.
    [("America/New_York", -4), ("America/Chicago", -5), ("Australia/Lord_Howe", 10.5), ("America/Panama", -5)],
)
def test_an_interpreter_with_another_database(tmp_path: Path, data: str, summer: float) -> None:
    for name in ZONES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data_of(name))
    (tmp_path / "America" / "New_York").write_bytes(data_of(data))
    script = ANOTHER_DATABASE.format(tests=str(Path(__file__).parent), summer=summer)
    environment = {"PYTHONTZPATH": str(tmp_path), "PATH": ""}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=300)
    assert ran.stdout == "done\n", ran.stderr


MORE_ZONES_THAN_ARE_KEPT = """
import sys
sys.path.insert(0, {tests!r})
from zoneinfo import ZoneInfo
import test_zones as t

names = sorted(t.slaclock_zones())
assert len(names) > 500
for _ in range(2):
    for name in names:
        for moment in (t.datetime(2026, 1, 7, 12), t.datetime(2026, 7, 8, 12)):
            t.check(moment.replace(tzinfo=ZoneInfo(name)), "UTC")
            t.check(moment.replace(tzinfo=ZoneInfo.no_cache(name)), "UTC")
print("done")
"""


def slaclock_zones() -> Iterator[str]:
    for name in zoneinfo.available_timezones():
        try:
            slaclock.Calendar(name, hours="24x7")
        except slaclock.UnknownZoneError:
            continue
        yield name


def test_more_zones_than_are_kept() -> None:
    script = MORE_ZONES_THAN_ARE_KEPT.format(tests=str(Path(__file__).parent))
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert ran.stdout == "done\n", ran.stderr


def test_the_cache_of_zones_may_be_cleared() -> None:
    name = "Europe/Paris"
    first = ZoneInfo(name)
    moment = datetime(2026, 3, 4, 11, tzinfo=first)
    due = policy(name).due("r", moment)
    ZoneInfo.clear_cache(only_keys=[name])
    assert ZoneInfo(name) is not first
    # A policy goes on with the zone that it was made with.
    assert same(policy(name).due("r", moment.replace(tzinfo=ZoneInfo(name))), due)
    assert same(policy(name).due("r", moment), due)


class Later(datetime):
    """Means another instant than its fields say."""

    def __sub__(self, other: datetime) -> timedelta:  # type: ignore[override]
        return super().__sub__(other) + timedelta(hours=2)


class Shifted(ZoneInfo):
    """Is three hours off."""

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        offset = super().utcoffset(moment)
        return offset and offset + timedelta(hours=3)


def test_derived_classes_are_asked_themselves() -> None:
    new_york, kolkata = ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")
    plain = datetime(2026, 3, 4, 11, tzinfo=new_york)
    due = policy("Asia/Kolkata").due("r", plain)
    assert due == datetime(2026, 3, 4, 22, 30, tzinfo=kolkata)
    assert policy("Asia/Kolkata").due("r", Later(2026, 3, 4, 11, tzinfo=new_york)) == due + timedelta(hours=2)
    assert policy("Asia/Kolkata").due("r", plain.replace(tzinfo=Shifted("America/New_York"))) == due - timedelta(hours=3)
    assert policy("Asia/Kolkata").due("r", pd.Timestamp("2026-03-04 11:00", tz="America/New_York")) == due
    for moment in each_week(new_york):
        check(pd.Timestamp(moment), "Asia/Kolkata")


def test_threads_that_meet_a_zone_for_the_first_time() -> None:
    name = "America/Denver"
    moments = list(each_week(ZoneInfo(name)))

    def ask(seed: int) -> None:
        for moment in random.Random(seed).sample(moments, len(moments)):
            check(moment, name)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(16)))


def test_rows_and_columns_are_in_the_same_zones() -> None:
    name = "America/New_York"
    zone = ZoneInfo(name)
    with slaclock.in_memory(policy(name)) as db:
        for number, moment in enumerate(each_week(zone)):
            db.submit(f"CASE-{number}", received=moment)
        rows = list(db.due_before(datetime(2099, 1, 1, tzinfo=UTC)))
    assert len(rows) == 122
    for row, moment in zip(rows, each_week(zone), strict=True):
        assert same(row.due_at, datetime.fromtimestamp(seconds(moment) + HOUR_S, zone))
