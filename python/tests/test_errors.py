"""Exceptions. What could go wrong: a kind without a class, a class that is not the built-in people catch, a number that is
not C's, an exception that cannot cross a process border.
"""

from __future__ import annotations

import copy
import pickle
import re
from datetime import datetime

import pytest
from conftest import MOSCOW, PROMISE, ROOT, moscow

import slaclock
from slaclock import _errors, _slaclock

BUILT_IN = {
    "NotFound": KeyError,
    "OutOfRange": ValueError,
    "InvalidArgument": ValueError,
    "InvalidPolicy": ValueError,
    "InvalidCalendar": ValueError,
    "UnknownZone": KeyError,
    "InvalidEvent": ValueError,
    "Conflict": ValueError,
    "NoDeadline": ValueError,
    "Paused": ValueError,
    "AlreadyExists": FileExistsError,
    "Busy": TimeoutError,
    "ForkedHandle": RuntimeError,
    "Closed": RuntimeError,
    "ReadOnly": PermissionError,
    "Damaged": OSError,
    "NotADatabase": OSError,
    "NewerFormat": OSError,
    "Io": OSError,
    "StorageFull": OSError,
    "InvalidMapping": ValueError,
    "InvalidRow": ValueError,
    "Cancelled": RuntimeError,
    "Unsupported": RuntimeError,
    "Internal": RuntimeError,
    "QuotaExceeded": RuntimeError,
}


def test_every_kind_has_its_class_and_number() -> None:
    kinds = _slaclock.error_kinds()
    assert [name for name, _, _ in kinds] == list(BUILT_IN)
    for name, code, _ in kinds:
        kind = _errors.BY_CODE[code]
        assert kind.__name__ == ("InputOutput" if name == "Io" else name) + "Error"
        assert issubclass(kind, slaclock.Error)
        assert issubclass(kind, BUILT_IN[name])
        assert kind.code == code
        assert getattr(slaclock, kind.__name__) is kind
        assert kind.__doc__
    assert len(_errors.BY_CODE) == len(kinds)
    # The numbers are those of the Rust table, read here as text.
    table = re.findall(r"^    (\w+) = (\d+), \"", (ROOT / "src" / "error.rs").read_text(), re.M)
    assert [(name, int(code)) for name, code in table] == [(name, code) for name, code, _ in kinds]


@pytest.mark.parametrize("kind", _errors.BY_CODE.values(), ids=lambda kind: kind.__name__)
def test_exceptions_pickle_and_copy(kind: type[slaclock.Error]) -> None:
    error = kind("asked for `x`, found `y`")
    error.line, error.column = 3, 7
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is kind
        assert (str(other), other.code, other.line, other.column) == ("asked for `x`, found `y`", kind.code, 3, 7)


def test_a_message_is_not_quoted_as_keys_are(promise: slaclock.Policy) -> None:
    with pytest.raises(slaclock.NotFoundError) as caught:
        promise.due("resolutoin", moscow(2026, 3, 2, 10))
    assert str(caught.value).startswith("unknown clock `resolutoin`; did you mean `resolution`?")
    with pytest.raises(KeyError):
        promise.due("resolutoin", moscow(2026, 3, 2, 10))


def test_a_wrong_policy_says_where() -> None:
    with pytest.raises(slaclock.InvalidPolicyError) as caught:
        slaclock.Policy.from_toml(PROMISE.replace("warn_at", "warn_att"))
    error = caught.value
    line = PROMISE[: PROMISE.index("warn_at")].count("\n") + 1
    assert (error.line, error.column, error.code) == (line, 1, 4)
    assert "`warn_att`" in str(error)


def test_a_missing_file_is_one_to_python_too(tmp_path) -> None:
    for call in (slaclock.Policy.load, slaclock.open):
        with pytest.raises(FileNotFoundError) as caught:
            call(tmp_path / "nothing.slaclock")
        assert isinstance(caught.value, slaclock.NotFoundError)
        assert caught.value.code == 1
        assert "nothing.slaclock" in str(caught.value)


def test_no_deadline_says_why() -> None:
    policy = slaclock.Policy.from_toml(PROMISE.replace("target     = [", 'target     = "none" #'))
    with pytest.raises(slaclock.NoDeadlineError) as caught:
        policy.due("resolution", moscow(2026, 3, 2, 10))
    assert caught.value.reason == "no_target"
    assert pickle.loads(pickle.dumps(caught.value)).reason == "no_target"


def test_naive_datetimes_are_refused_with_the_cure(promise: slaclock.Policy, db: slaclock.Db) -> None:
    naive = datetime(2026, 3, 2, 10)
    office = promise.calendar("office")
    calls = [
        lambda: promise.due("resolution", naive),
        lambda: promise.limit("resolution", naive),
        lambda: promise.explain("resolution", naive),
        lambda: office.is_open(naive),
        lambda: office.working_time(naive, moscow(2026, 3, 2)),
        lambda: db.submit("A-1", received=naive),
        lambda: db.late(naive),
        lambda: db.counts(naive),
        lambda: promise.due_many("resolution", [naive]),
    ]
    for call in calls:
        with pytest.raises(slaclock.InvalidArgumentError, match=r"has no time zone, so it is no instant; add one with"):
            call()
        with pytest.raises(ValueError):
            call()


def test_what_is_no_datetime_is_a_type_error(promise: slaclock.Policy) -> None:
    for wrong in (1_772_798_400, "2026-03-06T15:00:00Z", None, 1.5, moscow(2026, 3, 6).date()):
        with pytest.raises(TypeError, match="must be an aware datetime"):
            promise.due("resolution", wrong)  # type: ignore[arg-type]


def test_the_range_is_1970_to_2099(promise: slaclock.Policy) -> None:
    first, last = datetime(1970, 1, 1, 3, tzinfo=MOSCOW), datetime(2100, 1, 1, 2, 59, 59, 999_999, tzinfo=MOSCOW)
    office = promise.calendar("office")
    assert not office.is_open(first)
    assert not office.is_open(last)
    for outside in (first.replace(hour=2), datetime(2100, 1, 1, 3, tzinfo=MOSCOW), datetime.max.replace(tzinfo=MOSCOW)):
        with pytest.raises(slaclock.OutOfRangeError, match="1970"):
            office.is_open(outside)
