"""How fast the package is: `python python/tests/speed.py [rows]`. Prints one figure a line; best of several rounds.

Columns and scans are set against what the machine itself needs to copy as many bytes; single deadlines against what Python needs
to turn an aware datetime into seconds and back, which every such function must do.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

import slaclock

ROOT = Path(__file__).resolve().parents[2]
MOSCOW = ZoneInfo("Europe/Moscow")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def best(call: Callable[[], object], rounds: int = 7) -> float:
    """Seconds of the fastest of several calls."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times)


def each(call: Callable[[], object], count: int = 100_000) -> float:
    """Nanoseconds of one of many calls."""

    def many() -> None:
        for _ in range(count):
            call()

    return best(many, 5) / count * 1e9


def singles(policy: slaclock.Policy) -> None:
    """One deadline at a time."""
    for zone in (MOSCOW, UTC):
        received = datetime(2026, 3, 6, 15, tzinfo=zone)
        bare = each(lambda received=received: datetime.fromtimestamp((received - EPOCH).seconds, MOSCOW))
        due = each(lambda received=received: policy.due("resolution", received))
        print(f"policy.due of a datetime in {zone}: {due:.0f} ns; converting alone: {bare:.0f} ns")


def columns(policy: slaclock.Policy, rows: int) -> None:
    """A column at a time, of sorted and of shuffled receipts."""
    chance = np.random.default_rng(1)
    shuffled = chance.integers(1_577_836_800, 1_893_456_000, rows)
    for name, received in (("shuffled", shuffled), ("sorted", np.sort(shuffled))):
        out = np.empty_like(received)
        policy.due_many("resolution", received, out=out)
        copying = best(lambda received=received, out=out: np.copyto(out, received))
        filled = best(lambda received=received, out=out: policy.due_many("resolution", received, out=out))
        new = best(lambda received=received: policy.due_many("resolution", received))
        micro = received.astype("M8[s]").astype("M8[us]")
        scaled = best(lambda micro=micro: policy.due_many("resolution", micro))
        arrow = pa.array(received)
        through = best(lambda arrow=arrow: policy.due_many("resolution", arrow))
        for what, seconds in (
            ("copying alone", copying),
            ("int64 into out", filled),
            ("int64", new),
            ("datetime64[us]", scaled),
            ("pyarrow int64", through),
        ):
            print(f"due_many of {rows:,} {name}, {what}: {seconds * 1e3:.1f} ms, {rows / seconds / 1e6:.0f} M/s")


def database(policy: slaclock.Policy, rows: int) -> None:
    """A scan of everything that is due, and the import of a real log."""
    received = datetime(2026, 3, 2, 10, tzinfo=MOSCOW)
    with slaclock.in_memory(policy) as db:
        for start in range(0, rows, 50_000):
            numbers = np.arange(start, min(start + 50_000, rows))
            seconds = int(received.timestamp()) + numbers % 1_000_000
            table = pa.table({"id": numbers.astype("U"), "received_at": pa.array(seconds, pa.timestamp("s", "UTC"))})
            db.submit_many(table)
        until = received + timedelta(days=60)
        first = time.perf_counter()
        found = len(db.due_before(until))
        first = time.perf_counter() - first
        seconds = best(lambda: pa.table(db.due_before(until)), 5)
        rate = f"{found / seconds / 1e6:.1f} M rows/s"
        print(f"due_before to Arrow, {found:,} rows: {seconds * 1e3:.1f} ms, {rate} ({first:.2f} s at first)")

    log = ROOT / "examples" / "data" / "uci498-incident-events-opened-to-2016-04-30.csv.gz"
    care = slaclock.Policy.load(ROOT / "examples" / "policies" / "servicenow.toml")
    with tempfile.TemporaryDirectory() as folder, slaclock.create(Path(folder) / "care.slaclock", care) as db:
        begin = time.perf_counter()
        report = db.import_events(log, ROOT / "examples" / "mappings" / "servicenow.toml")
        took = time.perf_counter() - begin
        print(f"import of {report.rows:,} rows, {report.requests_new:,} requests and {report.events_new:,} events: {took:.2f} s")


def main() -> None:
    """All of it; the number of rows may be given."""
    rows = int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000_000
    policy = slaclock.Policy.load(ROOT / "examples" / "policies" / "promise.toml")
    singles(policy)
    columns(policy, rows)
    database(policy, min(rows, 1_000_000))


if __name__ == "__main__":
    main()
