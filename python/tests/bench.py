"""The package beside what Python people use instead: `python python/tests/bench.py [rows]`, or `make bench-python`.

Peers take turns with slaclock in every round, so that a busy machine slows both; figures are medians of processor time. The
slow ones get fewer items, since their time per item does not depend on how many there are. Writes lines of the common report.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from zoneinfo import ZoneInfo

import businesstimedelta
import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytz

import slaclock

ROOT = Path(__file__).resolve().parents[2]
LINES = ROOT / "target" / "bench" / "python.jsonl"
ROUNDS = 9
ZONE = "America/New_York"
HOLIDAYS = [
    date(year, month, day)
    for year in range(2024, 2030)
    for month, day in ((1, 1), (1, 20), (2, 17), (5, 26), (6, 19), (7, 4), (9, 1), (10, 13), (11, 27), (12, 25))
]
POLICY = """
[policy]
name = "desk"
version = 1
statement = "Handled within eight working hours."
[calendar.office]
zone = "America/New_York"
hours = { mon-fri = "09:00-17:00" }
holidays = [HOLIDAYS]
[[clock]]
name = "hours"
start = "received"
stop = "resolved"
target = { working = "8h" }
[[clock]]
name = "days"
start = "received"
stop = "replied"
target = { working_days = 3 }
""".replace("HOLIDAYS", ", ".join(f'"{day}"' for day in HOLIDAYS))
SECONDS_PER_DAY = 86_400

Call = Callable[[], object]


def spent(call: Call) -> float:
    """Processor time of a call."""
    begin = time.process_time()
    call()
    return time.process_time() - begin


def race(question: str, unit: str, peer: str, goal: float | None, ours: tuple[int, Call], theirs: tuple[int, Call]) -> None:
    """Runs both in turns, each with its number of items, and keeps the line."""
    (our_items, our_call), (their_items, their_call) = ours, theirs
    our_call()  # Tables are made at the first call.
    our_times, their_times = [], []
    for _ in range(ROUNDS):
        our_times.append(spent(our_call) / our_items * 1e9)
        their_times.append(spent(their_call) / their_items * 1e9)
    ratios = [theirs / ours for ours, theirs in zip(our_times, their_times, strict=True)]
    low, ratio, high = statistics.quantiles(ratios, n=4)
    line = {
        "bench": "python",
        "question": question,
        "unit": unit,
        "wall": False,
        "name": "slaclock",
        "ns": statistics.median(our_times),
        "peer": peer,
        "peer_ns": statistics.median(their_times),
        "ratio": ratio,
        "quartiles": [low, high],
        "goal": None if goal is None else {"at_least": goal},
    }
    with LINES.open("a") as file:
        file.write(json.dumps(line) + "\n")
    goal_text = "" if goal is None else f"  goal {goal:g}x {'met' if ratio >= goal else 'MISSED'}"
    took = f"slaclock {statistics.median(our_times):.1f} ns/{unit}, {peer} {statistics.median(their_times):.1f}"
    print(f"{question}: {took}: {ratio:.1f}x [{low:.1f} {high:.1f}]{goal_text}")


def receipts(rows: int) -> np.ndarray:
    """Instants of two years, in no order, within working hours and without."""
    first = int(datetime(2026, 1, 2, tzinfo=UTC).timestamp())
    return np.random.default_rng(1).integers(first, first + 700 * SECONDS_PER_DAY, rows)


def deadlines(rows: int) -> None:
    """Columns of deadlines."""
    policy = slaclock.Policy.from_toml(POLICY)
    office = slaclock.Calendar(ZONE, hours={"mon-fri": "09:00-17:00"}, holidays=HOLIDAYS)
    at = receipts(rows)
    out = np.empty_like(at)
    days = at.astype("M8[s]").astype("M8[D]")
    closed = np.array(HOLIDAYS, "M8[D]")
    race(
        "three working days, a column of int64",
        "deadline",
        "numpy busday_offset",
        25,
        (rows, lambda: policy.due_many("days", at, out=out)),
        (rows, lambda: np.busday_offset(days, 3, roll="backward", holidays=closed)),
    )
    stamps = at.astype("M8[s]")
    eight = pd.offsets.CustomBusinessHour(n=8, start="09:00", end="17:00", holidays=HOLIDAYS)
    some = pd.Series(stamps[:300])
    race(
        "eight working hours, a column of datetime64",
        "deadline",
        "pandas CustomBusinessHour",
        30_000,
        (rows, lambda: office.add_working_time_many(stamps, timedelta(hours=8))),
        (len(some), lambda: some.map(lambda stamp: stamp + eight)),
    )
    rule = businesstimedelta.WorkDayRule(clock_time(9), clock_time(17), working_days=[0, 1, 2, 3, 4], tz=pytz.timezone(ZONE))
    closing = businesstimedelta.HolidayRule(dict.fromkeys(HOLIDAYS, "closed"), tz=pytz.timezone(ZONE))
    hours = businesstimedelta.BusinessTimeDelta(businesstimedelta.Rules([rule, closing]), hours=8)
    few = [datetime.fromtimestamp(int(second), UTC) for second in at[:100]]
    race(
        "eight working hours, one datetime after the other",
        "deadline",
        "businesstimedelta",
        None,
        (len(few), lambda: [office.add_working_time(moment, timedelta(hours=8)) for moment in few]),
        (len(few), lambda: [moment + hours for moment in few]),
    )


def singles() -> None:
    """One datetime in, one out, as a web service asks."""
    policy = slaclock.Policy.from_toml(POLICY)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    second = timedelta(seconds=1)
    new_york = ZoneInfo(ZONE)
    calls = 20_000
    for name, zone in (("New York", new_york), ("UTC", UTC)):
        moments = [moment.replace(tzinfo=zone) for moment in (datetime(2026, 3, 4, 11), datetime(2026, 7, 8, 15, 30))] * (
            calls // 2
        )

        def convert(moments: list[datetime] = moments) -> None:
            for moment in moments:
                datetime.fromtimestamp((moment - epoch) // second, new_york)

        def ask(moments: list[datetime] = moments) -> None:
            for moment in moments:
                policy.due("hours", moment)

        race(
            f"eight working hours, policy.due of a datetime in {name}",
            "call",
            "Python's conversion to seconds and back alone",
            None,
            (calls, ask),
            (calls, convert),
        )


def scans(rows: int) -> None:
    """Everything that is due, as an Arrow table with texts."""
    policy = slaclock.Policy.from_toml(POLICY)
    at = np.sort(receipts(rows))
    ids = [f"CASE-{number:07}" for number in range(rows)]
    with slaclock.in_memory(policy) as db:
        for begin in range(0, rows, 50_000):
            part = slice(begin, begin + 50_000)
            table = pa.table({"id": ids[part], "received_at": pa.array(at[part], pa.timestamp("s", "UTC"))})
            db.submit_many(table)
        until = datetime(2099, 1, 1, tzinfo=UTC)
        late = datetime(2026, 6, 1, tzinfo=UTC)
        everything = pa.table(db.due_before(until))
        peer = duckdb.connect()
        peer.execute("SET threads = 1")
        peer.register("everything", everything)
        peer.execute("CREATE TABLE clocks AS SELECT * FROM everything ORDER BY due_at")

        def fetch(end: datetime) -> pa.Table:
            query = f"SELECT * FROM clocks WHERE due_at < TIMESTAMPTZ '{end.isoformat()}' ORDER BY due_at"
            return peer.sql(query).to_arrow_table()

        for question, end in (("every running clock to Arrow", until), ("what is due in five months to Arrow", late)):
            found = len(db.due_before(end))
            assert len(fetch(end)) == found
            race(
                f"{question}, {found:,} of {len(everything):,} rows",
                "row",
                "DuckDB, 1 thread",
                None,
                (found, lambda end=end: pa.table(db.due_before(end))),
                (found, lambda end=end: fetch(end)),
            )
        peer.close()


def main() -> None:
    """All of it; the number of rows may be given."""
    rows = int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000
    LINES.parent.mkdir(parents=True, exist_ok=True)
    LINES.write_text("")
    deadlines(rows)
    singles()
    scans(rows)


if __name__ == "__main__":
    main()
