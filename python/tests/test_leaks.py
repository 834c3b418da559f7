"""Memory stays flat. What could go wrong: a capsule, an exception, a handle or a callback that is never freed."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from conftest import PROMISE, moscow

import slaclock

NOON = moscow(2026, 3, 9, 12)
STATM = Path("/proc/self/statm")

pytestmark = pytest.mark.skipif(not STATM.exists(), reason="this system does not say how much memory a process has")


def resident() -> int:
    gc.collect()
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def grows(step: Callable[[], object], count: int) -> int:
    """Bytes by which the process grows over `count` steps, once warm."""
    for _ in range(max(count // 10, 100)):
        step()
    before = resident()
    for _ in range(count):
        step()
    return resident() - before


def test_exceptions(promise: slaclock.Policy) -> None:
    def step() -> None:
        for call in (
            lambda: promise.due("resolutoin", NOON),
            lambda: promise.due("resolution", datetime(2026, 3, 9)),
            lambda: slaclock.Policy.from_toml("x"),
        ):
            try:
                call()
            except slaclock.Error:
                continue
            raise AssertionError

    assert grows(step, 33_334) < 4_000_000


def test_deadlines_and_proofs(promise: slaclock.Policy) -> None:
    def step() -> None:
        promise.due("resolution", NOON, priority="high")
        promise.due_many("resolution", [NOON])

    assert grows(step, 100_000) < 4_000_000
    assert grows(lambda: promise.explain("resolution", NOON).to_dict(), 3_000) < 4_000_000


@pytest.mark.parametrize(("shared", "count"), [(True, 100_000), (False, 1_000)])
def test_handles(tmp_path, promise: slaclock.Policy, shared: bool, count: int) -> None:
    path = tmp_path / "care.slaclock"
    slaclock.create(path, promise).close()

    def step() -> None:
        with slaclock.open(path, shared=shared) as db:
            assert not db.closed

    step()
    files = Path("/proc/self/fd")
    before = len(list(files.iterdir()))
    assert grows(step, count) < 6_000_000
    assert len(list(files.iterdir())) == before


def test_databases_in_memory_that_nobody_closes(promise: slaclock.Policy) -> None:
    assert grows(lambda: slaclock.in_memory(promise).submit("A", received=NOON), 300) < 30_000_000


def test_tables_and_columns(db: slaclock.Db, promise: slaclock.Policy) -> None:
    db.submit_many([{"id": f"{number}", "received_at": NOON} for number in range(1_000)])

    def step() -> None:
        table = db.late(moscow(2026, 3, 9, 19), limit=1_000)
        table.__arrow_c_stream__()
        list(table)
        for _ in iter(table):
            break

    assert grows(step, 300) < 6_000_000


def test_policies_and_calendars() -> None:
    assert grows(lambda: slaclock.Policy.from_toml(PROMISE), 200) < 30_000_000
