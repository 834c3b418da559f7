"""Tables and the packages that take them, none of which our code knows. What could go wrong: an instant in another zone, a null
that becomes a value, a buffer that is freed too early.
"""

from __future__ import annotations

import gc
from datetime import UTC, date, timedelta

import pytest
from conftest import moscow

import slaclock

pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")
pd = pytest.importorskip("pandas")
duckdb = pytest.importorskip("duckdb")

NOON = moscow(2026, 3, 9, 12)
EVENING = moscow(2026, 3, 9, 19)


@pytest.fixture
def table(db: slaclock.Db) -> slaclock.Table[slaclock.Row]:
    for number in range(300):
        db.submit(f"R{number:03}", received=NOON + timedelta(seconds=number), priority="high" if number % 3 else "low")
    return db.late(EVENING)


def test_pyarrow(table) -> None:
    taken = pa.table(table)
    taken.validate(full=True)
    assert taken.num_rows == 300
    assert taken.schema.field("due_at").type == pa.timestamp("s", "UTC")
    assert taken.schema.field("limit_at").nullable
    assert [row["due_at"] for row in taken.to_pylist()] == [row.due_at for row in table]
    assert taken["clock"].type.value_type == pa.string()
    assert pa.schema(table) == taken.schema


def test_polars(table) -> None:
    # Since version 2 polars' from_arrow makes one column of structures of anything but pyarrow's own tables.
    for frame in (pl.DataFrame(table), table.to_polars(), pl.from_arrow(table).struct.unnest()):
        assert frame.shape == (300, 7)
        assert frame["due_at"].to_list() == [row.due_at for row in table]
        assert frame["request"].to_list() == [row.request for row in table]


def test_pandas(table) -> None:
    for frame in (pd.DataFrame.from_arrow(table), table.to_pandas()):
        assert frame.shape == (300, 7)
        assert str(frame["due_at"].dt.tz) == "UTC"
        assert frame["due_at"].tolist() == [row.due_at for row in table]
        assert frame["cycle"].tolist() == [1] * 300


def test_duckdb(table) -> None:
    late = table  # noqa: F841  duckdb finds it by its name
    ((count, first),) = duckdb.sql("select count(*), min(due_at) from late").fetchall()
    assert count == 300
    assert first.astimezone(UTC) == moscow(2026, 3, 9, 18)


def test_every_table(db: slaclock.Db, table) -> None:
    db.event("R000", "paused", reason="waiting_customer", at=NOON + timedelta(hours=1))
    db.feed("a").advance(EVENING)
    attainment = pa.table(db.attainment("2026-03", by=["priority"], now=EVENING))
    assert attainment.column_names[:4] == ["priority", "period_first", "period_last", "clock"]
    assert attainment["period_last"].to_pylist() == [date(2026, 3, 31)] * 2
    assert attainment["verdict"].to_pylist() == ["open", "open"]
    waiting = pl.DataFrame(db.waiting(now=EVENING))
    assert waiting["reason"].to_list() == ["waiting_customer"]
    assert waiting["elapsed_s"].to_list() == [6 * 3600]
    notices = db.feed("a").pending()
    taken = pa.table(notices)
    assert taken["number"].to_pylist() == [notice.number for notice in notices]
    assert taken["percent"].null_count == len([notice for notice in notices if notice.percent is None]) > 0
    empty = db.late(NOON)
    assert (len(empty), pa.table(empty).num_rows, len(pl.DataFrame(empty))) == (0, 0, 0)


def test_columns_outlive_everything(promise: slaclock.Policy) -> None:
    with slaclock.in_memory(promise) as db:
        db.submit("R", received=NOON)
        table = db.late(EVENING)
    taken = pa.table(table)
    del table, db
    gc.collect()
    assert taken["request"].to_pylist() == ["R"]


def test_a_stream_nobody_takes_is_freed(table) -> None:
    for _ in range(1_000):
        table.__arrow_c_stream__()
        table.__arrow_c_schema__()


@pytest.mark.parametrize("package", ["pyarrow", "polars", "pandas"])
def test_requests_and_events_from_tables(db: slaclock.Db, package: str) -> None:
    requests = {
        "number": ["A", "B", "C"],
        "received_at": [NOON, NOON + timedelta(microseconds=999_999), NOON],
        "priority": ["high", None, "low"],
        "floor": [1, 2, None],
    }
    events = {
        "request": ["A", "B", "A"],
        "event": ["paused", "resolved", "changed"],
        "at": [NOON, NOON, NOON + timedelta(hours=1)],
        "reason": ["waiting_customer", None, None],
        "priority": [None, None, "low"],
        "key": ["1", "2", "3"],
    }
    make = {"pyarrow": pa.table, "polars": pl.DataFrame, "pandas": pd.DataFrame}[package]
    if package == "pandas":
        requests["floor"] = pd.array([1, 2, None], dtype="Int64")
    assert db.submit_many(make(requests), columns={"id": "number"}).recorded == 3
    assert db.get("A").request == slaclock.Request("A", NOON, None, "high", attributes={"floor": "1"})
    assert db.get("B").request == slaclock.Request("B", NOON, attributes={"floor": "2"})
    assert db.get("C").request == slaclock.Request("C", NOON, priority="low")
    assert db.import_events(make(events)).events_new == 3
    assert db.import_events(make(events)).events_new == 0
    assert [event.event for event in db.get("A").events] == ["paused", "changed"]
    assert db.get("A").facts == {"priority": "low", "floor": "1"}


def test_wrong_tables_are_refused(db: slaclock.Db) -> None:
    good = {"id": ["A"], "received_at": [NOON]}
    for wrong, said in (
        ({**good, "id": [None]}, "`id`"),
        ({"id": ["A"]}, "`received_at` is missing"),
        ({**good, "received_at": [NOON.replace(tzinfo=None)]}, "without a time zone"),
        ({**good, "x": [1.5]}, "`x`"),
    ):
        with pytest.raises(slaclock.InvalidArgumentError, match=said):
            db.submit_many(pa.table(wrong))
    naive = pa.table({**good, "received_at": [NOON.replace(tzinfo=None)]})
    assert db.submit_many(naive, zone="Europe/Moscow").recorded == 1
    assert db.get("A").request.received_at == NOON
    with pytest.raises(slaclock.UnknownZoneError):
        db.submit_many(naive, zone="Europe/Atlantis")
    with pytest.raises(ValueError, match="column `number`"):
        db.submit_many(pa.table(good), columns={"id": "number"})
    with pytest.raises(TypeError, match="must be a table"):
        db.submit_many(pa.array([1]))
    assert db.info().requests == 1
