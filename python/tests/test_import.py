"""Imports. What could go wrong: a row lost without a word, half a chunk written at Ctrl-C, a second import that adds again, a
progress that never ends or comes inside a transaction.
"""

from __future__ import annotations

import gzip
import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from conftest import ROOT, moscow

import slaclock
from slaclock import _progress

LOG = ROOT / "examples" / "data" / "uci498-incident-events-opened-to-2016-04-30.csv.gz"
MAPPING = ROOT / "examples" / "mappings" / "servicenow.toml"
POLICY = ROOT / "examples" / "policies" / "servicenow.toml"
FRIDAY = moscow(2026, 3, 6, 12)


@pytest.fixture(scope="module")
def log() -> str:
    """The first 3,000 rows of the real log."""
    with gzip.open(LOG, "rt", encoding="utf-8") as file:
        return "".join(line for _, line in zip(range(3_001), file, strict=False))


@pytest.fixture
def servicenow(tmp_path):
    with slaclock.create(tmp_path / "care.slaclock", slaclock.Policy.load(POLICY)) as db:
        yield db


def test_the_real_log(servicenow: slaclock.Db, log: str, tmp_path) -> None:
    (tmp_path / "log.csv").write_text(log)
    seen: list[tuple[int, int | None]] = []
    report = servicenow.import_events(tmp_path / "log.csv", MAPPING, progress=lambda *at: seen.append(at))
    assert report.rows == 3_000 == report.rows_used + report.rows_skipped
    assert report.requests == report.requests_new == servicenow.info().requests
    assert report.events == report.events_new == servicenow.info().events
    assert sum(report.events_by_kind.values()) == report.events
    assert sum(report.oddity_counts.values()) >= len(report.oddities) > 0
    assert report.first_at is not None
    assert report.first_at.tzinfo is not None
    size = (tmp_path / "log.csv").stat().st_size
    assert seen == sorted(seen)
    assert seen[-1] == (size, size)
    again = servicenow.import_events(tmp_path / "log.csv", str(MAPPING))
    assert (again.requests_new, again.events_new, again.requests) == (0, 0, report.requests)
    # Bytes, plain or compressed, are the same log.
    for content in (log.encode(), gzip.compress(log.encode())):
        with slaclock.in_memory(servicenow.policy) as other:
            assert other.import_events(content, MAPPING) == report
    assert servicenow.rebuild(verify=True).differing == 0


def test_a_wrong_row_skips_or_ends_it(servicenow: slaclock.Db, log: str) -> None:
    lines = log.splitlines(keepends=True)[:50]
    lines[20] = "no row\n"
    content = "".join(lines).encode()
    report = servicenow.import_events(content, MAPPING)
    assert (report.rows, report.rows_skipped) == (49, 1)
    assert [(odd.row, odd.code) for odd in report.oddities if odd.code == "bad_row"] == [(21, "bad_row")]
    with pytest.raises(slaclock.InvalidRowError, match="line 21"):
        servicenow.import_events(content, MAPPING, on_error="abort")


def test_what_cannot_be_imported(servicenow: slaclock.Db, tmp_path) -> None:
    with pytest.raises(slaclock.FileMissingError):
        servicenow.import_events(tmp_path / "no.csv", MAPPING)
    with pytest.raises(slaclock.FileMissingError):
        servicenow.import_events(b"", tmp_path / "no.toml")
    with pytest.raises(TypeError, match="needs the path of a mapping file"):
        servicenow.import_events(b"", None)  # type: ignore[call-overload]
    (tmp_path / "bad.toml").write_text("[mapping]\nname = 3\n")
    with pytest.raises(slaclock.InvalidMappingError) as caught:
        servicenow.import_events(b"", tmp_path / "bad.toml")
    assert caught.value.line == 2
    with pytest.raises(slaclock.DamagedError):
        servicenow.import_events(gzip.compress(b"x" * 1000)[:-4], MAPPING)


def events(count: int) -> list[dict]:
    return [
        {"request": "A", "event": "note", "at": FRIDAY + timedelta(seconds=number), "key": f"k{number}", "text": "x"}
        for number in range(count)
    ]


def test_events_from_mappings(db: slaclock.Db) -> None:
    db.submit("A", received=FRIDAY)
    rows = [
        {"request": "A", "event": "paused", "at": FRIDAY, "reason": "waiting_customer", "key": "1", "by": "ann"},
        {"request": "A", "event": "changed", "at": FRIDAY, "priority": "low", "key": "2", "reason": None},
        {"request": "A", "event": "resolved", "at": FRIDAY + timedelta(hours=1), "key": "3"},
        {"request": "B", "event": "resolved", "at": FRIDAY},
    ]
    report = db.import_events(rows)
    assert (report.rows, report.rows_used, report.rows_skipped, report.events_new) == (4, 3, 1, 3)
    assert report.events_by_kind == {"paused": 1, "changed": 1, "resolved": 1}
    assert report.oddity_counts == {"refused": 1}
    assert (report.oddities[0].row, report.oddities[0].id, report.oddities[0].code) == (3, "B", "refused")
    assert (report.first_at, report.last_at) == (FRIDAY, FRIDAY + timedelta(hours=1))
    assert db.get("A").facts == {"priority": "low"}
    with pytest.raises(slaclock.NotFoundError, match="row 3 of 4"):
        db.import_events(rows, on_error="abort")
    renamed = [{"ticket": "A", "what": "note", "at": FRIDAY, "text": "hello"}]
    assert db.import_events(renamed, {"request": "ticket", "event": "what"}).events_new == 1
    with pytest.raises(slaclock.InvalidEventError, match="row 0: event `done`"):
        db.import_events([{"request": "A", "event": "done", "at": FRIDAY}])
    with pytest.raises(slaclock.InvalidArgumentError, match="row 0: `request`: is missing"):
        db.import_events([{"event": "note", "at": FRIDAY}])


def test_progress_comes_between_chunks(db: slaclock.Db) -> None:
    db.submit("A", received=FRIDAY)
    seen = []

    def report(done: int, total: int | None) -> None:
        # No transaction is open: another write goes through, and everything up to here can be read.
        seen.append((done, total))
        assert db.info().events == done + len(seen) - 1
        db.event("A", "note", at=FRIDAY, key=f"progress {done}")

    db.import_events(events(5_000), progress=report)
    assert len(seen) > 1
    assert seen[-1] == (5_000, 5_000)


def test_an_exception_in_progress_ends_the_import(db: slaclock.Db) -> None:
    db.submit("A", received=FRIDAY)

    def report(done: int, total: int | None) -> None:
        raise ZeroDivisionError(done)

    with pytest.raises(ZeroDivisionError) as caught:
        db.import_events(events(5_000), progress=report)
    assert db.info().events == caught.value.args[0] < 5_000
    assert db.rebuild(verify=True).differing == 0


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Python's own handler: it is not there where the tests were started in the background of a shell, which ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_it_between_two_chunks(db: slaclock.Db) -> None:
    db.submit("A", received=FRIDAY)
    chunks = []

    def report(done: int, total: int | None) -> None:
        chunks.append(done)
        if len(chunks) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        db.import_events(events(20_000), progress=report)
    assert db.info().events in chunks
    assert db.info().events < 20_000
    assert db.rebuild(verify=True).differing == 0
    assert db.import_events(events(20_000)).events_new == 20_000 - chunks[-1]


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_from_outside_ends_it_without_a_progress(servicenow: slaclock.Db) -> None:
    with gzip.open(LOG, "rb") as file:
        content = file.read()
    timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            for _ in range(50):
                servicenow.import_events(content, MAPPING)
    finally:
        timer.cancel()
    assert servicenow.rebuild(verify=True).differing == 0


def test_bars(db: slaclock.Db, monkeypatch, capsys) -> None:
    db.submit("A", received=FRIDAY)
    for missing, drawn in (((), "slaclock"), (("tqdm",), "slaclock"), (("tqdm", "rich.progress"), "slaclock: 100 %")):
        real = _progress.importlib.import_module

        def without(name: str, missing=missing, real=real):
            if name in missing:
                raise ModuleNotFoundError(name)
            return real(name)

        with monkeypatch.context() as patch:
            patch.setattr(_progress.importlib, "import_module", without)
            db.import_events(events(10), progress=True)
        shown = capsys.readouterr()
        assert drawn in shown.err + shown.out
    db.import_events(events(10), progress=False)
    assert capsys.readouterr() == ("", "")
    with pytest.raises(TypeError, match="must be True, False or a callable"):
        db.import_events(events(10), progress=3)  # type: ignore[call-overload]
