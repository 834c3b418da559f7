"""What the tests share: the repository's files, a policy, a database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import slaclock

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
MOSCOW = ZoneInfo("Europe/Moscow")

PROMISE = """
[policy]
name      = "customer-care"
version   = 1
statement = "95 % of requests received before 14:00 are handled by the end of that day, later ones by 11:00."

[calendar.office]
zone  = "Europe/Moscow"
hours = { mon-fri = "09:00-18:00" }

[[clock]]
name       = "resolution"
start      = "received"
stop       = "resolved"
pause      = ["waiting_customer"]
target     = [{ received_before = "14:00", due = "same day, close" }, { due = "next day, 11:00" }]
backstop   = { working_days = 3 }
warn_at    = ["50 %", "75 %"]
attainment = { share = "95 %", per = "month" }
"""


def moscow(*civil: int) -> datetime:
    return datetime(*civil, tzinfo=MOSCOW)  # type: ignore[arg-type, misc]


@pytest.fixture(scope="session")
def promise() -> slaclock.Policy:
    return slaclock.Policy.from_toml(PROMISE)


@pytest.fixture
def db(promise: slaclock.Policy) -> Iterator[slaclock.Db]:
    with slaclock.in_memory(promise) as db:
        yield db
