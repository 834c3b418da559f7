"""Columns in every package. What could go wrong: a unit, a zone, a missing value or a slice that is read as something else; a
type that comes back as another.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from conftest import MOSCOW, PROMISE, moscow

import slaclock

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

RECEIVED = [moscow(2026, 3, 2, 10), moscow(2026, 3, 2, 14), moscow(2026, 3, 6, 15), moscow(2026, 3, 7, 10)]
DUE = [moscow(2026, 3, 2, 18), moscow(2026, 3, 3, 11), moscow(2026, 3, 9, 11), moscow(2026, 3, 9, 11)]
SECONDS = [int(moment.timestamp()) for moment in RECEIVED]
DUE_SECONDS = [int(moment.timestamp()) for moment in DUE]
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@pytest.fixture(params=["policy", "calendar"])
def through(request, promise: slaclock.Policy):
    """Both functions over columns; the calendar's adds nothing, so that it gives the receipts back."""
    if request.param == "policy":
        return lambda column, **more: promise.due_many("resolution", column, **more), DUE_SECONDS
    office = promise.calendar("office")
    return lambda column, **more: office.add_working_time_many(column, timedelta(seconds=1), **more), [
        int(office.add_working_time(moment, timedelta(seconds=1)).timestamp()) for moment in RECEIVED
    ]


def test_numpy_seconds(through) -> None:
    call, due = through
    found = call(np.array(SECONDS))
    assert (found.dtype, found.tolist()) == (np.dtype("int64"), due)
    assert call(np.array(SECONDS, dtype="uint32")).tolist() == due
    assert call(np.array(SECONDS)[::2]).tolist() == due[::2]
    assert call(np.array(SECONDS).reshape(2, 2)).tolist() == [due[:2], due[2:]]
    assert call(np.array(SECONDS, dtype=">i8")).tolist() == due
    assert call(np.array([], dtype="i8")).tolist() == []
    read_only = np.array(SECONDS)
    read_only.flags.writeable = False
    assert call(read_only).tolist() == due
    missing = call(np.array([SECONDS[0], slaclock.NO_DEADLINE]))
    assert missing.tolist() == [due[0], slaclock.NO_DEADLINE]


def test_an_array_of_the_callers_is_filled(through) -> None:
    call, _due = through
    for values in (np.array(SECONDS), np.array(SECONDS, dtype="M8[s]"), np.array(SECONDS, dtype="M8[s]").astype("M8[us]")):
        out = np.zeros_like(values)
        assert call(values, out=out) is out
        assert (out == call(values)).all()
    values = np.array(SECONDS)
    for wrong in (np.zeros(3, "i8"), np.zeros(4, "M8[s]"), np.zeros(8, "i8")[::2], [0] * 4, np.zeros(4, "i4")):
        with pytest.raises(slaclock.InvalidArgumentError, match="out: must be"):
            call(values, out=wrong)
    with pytest.raises(BufferError, match="shares its memory"):
        call(values, out=values)
    with pytest.raises(slaclock.InvalidArgumentError, match="only a numpy column"):
        call(pl.Series(SECONDS), out=values)


RULES = """rules = [
    { when = { priority = "high", floor = ["1", "2"] }, target = { working = "1h" } },
    { when = { priority = "none" }, target = "none" },
]
target = ["""


@pytest.mark.parametrize("package", ["list", "numpy", "pandas", "polars", "pyarrow", "categories"])
def test_facts_by_row(package: str) -> None:
    policy = slaclock.Policy.from_toml(PROMISE.replace("target     = [", RULES))
    priorities = ["high", "low", None, "none", "high"] * 2_000
    received = np.array([SECONDS[0]] * len(priorities))
    make = {
        "list": list,
        "numpy": lambda values: np.array(values, dtype=object),
        "pandas": pd.Series,
        "polars": pl.Series,
        "pyarrow": lambda values: pa.chunked_array([values[:7], values[7:]]),
        "categories": lambda values: pd.Series(values, dtype="category"),
    }[package]
    hour = int(moscow(2026, 3, 2, 11).timestamp())
    wanted = [hour, DUE_SECONDS[0], DUE_SECONDS[0], slaclock.NO_DEADLINE, hour] * 2_000
    assert policy.due_many("resolution", received, priority=make(priorities), floor="2").tolist() == wanted
    floors = make(["2"] * len(priorities))
    for column in (
        received,
        received.astype("M8[s]").astype("M8[us]"),
        pl.Series(received),
        pa.chunked_array([received[:9], received[9:]]),
    ):
        found = policy.due_many("resolution", column, priority=make(priorities), floor=floors)
        seconds = np.asarray(pa.array(found).fill_null(slaclock.NO_DEADLINE)) if not isinstance(found, np.ndarray) else found
        if seconds.dtype.kind == "M":
            seconds = np.where(np.isnat(seconds), slaclock.NO_DEADLINE, seconds.astype("M8[s]").astype("i8"))
        assert seconds.tolist() == wanted
    with pytest.raises(slaclock.InvalidArgumentError, match="must be as many"):
        policy.due_many("resolution", received[1:], priority=make(priorities))
    with pytest.raises(slaclock.InvalidArgumentError, match="must be as many"):
        policy.due_many("resolution", received, priority=make(priorities), floor=["2"])
    with pytest.raises(TypeError, match="priority, row 1 of type int"):
        policy.due_many("resolution", received[:2], priority=["high", 3])
    with pytest.raises(TypeError, match="priority of type int"):
        policy.due_many("resolution", received, priority=3)


@pytest.mark.parametrize("unit", PER_SECOND)
def test_numpy_datetimes_of_every_unit(through, unit: str) -> None:
    call, due = through
    values = np.array(SECONDS, dtype="M8[s]").astype(f"M8[{unit}]")
    found = call(values)
    assert found.dtype == np.dtype(f"M8[{unit}]")
    assert found.tolist() == np.array(due, dtype="M8[s]").astype(f"M8[{unit}]").tolist()
    fraction = np.timedelta64(PER_SECOND[unit] - 1, unit)
    assert (call(values + fraction) == found).all()
    assert np.isnat(call(np.array(["NaT", "2026-03-02T07:00"], dtype=f"M8[{unit}]"))).tolist() == [True, False]
    assert (call(values[::-2]) == found[::-2]).all()
    assert (call(values.astype(f">M8[{unit}]")) == found).all()


def test_long_columns_agree_with_single_deadlines(promise: slaclock.Policy) -> None:
    seconds = np.arange(SECONDS[0], SECONDS[0] + 86_400 * 30, 61)
    found = promise.due_many("resolution", seconds)
    for place in range(0, len(seconds), 997):
        single = promise.due("resolution", datetime.fromtimestamp(int(seconds[place]), UTC))
        assert found[place] == single.timestamp()
    assert (promise.due_many("resolution", seconds.astype("M8[s]").astype("M8[ns]")).astype("M8[s]").astype("i8") == found).all()


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (lambda: np.array(["2026-03-02"], dtype="M8[D]"), "a date has no time of day"),
        (lambda: np.array([1], dtype="M8[25s]"), "25s"),
        (lambda: np.array([1.5]), "float64"),
        (lambda: np.array(["x"]), "must be datetime64"),
        (lambda: np.array([1], dtype="u8"), "uint64"),
        (lambda: pd.Series([1.5]), "float64"),
        (lambda: pd.Series(pd.to_datetime(["2026-03-02"])), "without a time zone"),
        (lambda: pl.Series([datetime(2026, 3, 2)]), "without a time zone"),
        (lambda: pl.Series(["x"]), "must be timestamps"),
        (lambda: pl.Series([RECEIVED[0].date()]), "date has no time of day"),
        (lambda: pa.array([datetime(2026, 3, 2)]), "without a time zone"),
        (lambda: pa.array([1.5]), "Float64"),
    ],
)
def test_other_columns_are_refused(promise: slaclock.Policy, column, said: str) -> None:
    with pytest.raises(slaclock.InvalidArgumentError, match=said):
        promise.due_many("resolution", column())


@pytest.mark.parametrize("column", [3, "2026", {"a": 1}, object(), [3], ["x"]])
def test_what_is_no_column_is_a_type_error(promise: slaclock.Policy, column) -> None:
    with pytest.raises(TypeError):
        promise.due_many("resolution", column)


def test_the_first_wrong_row_is_named(promise: slaclock.Policy) -> None:
    seconds = np.full(10_000, SECONDS[0])
    seconds[9_876] = -1
    for column in (seconds, seconds.astype("M8[s]").astype("M8[us]"), pl.Series(seconds), pa.array(seconds)):
        with pytest.raises(slaclock.OutOfRangeError, match="9876"):
            promise.due_many("resolution", column)
    with pytest.raises(slaclock.NotFoundError):
        promise.due_many("resolutoin", seconds)


def test_lists(promise: slaclock.Policy) -> None:
    kathmandu = ZoneInfo("Asia/Kathmandu")
    column = [*RECEIVED, None, RECEIVED[0].astimezone(kathmandu)]
    found = promise.due_many("resolution", column)  # type: ignore[type-var]
    assert found == [*DUE, None, DUE[0]]
    assert [moment.tzinfo for moment in found if moment] == [MOSCOW] * 4 + [kathmandu]
    assert promise.due_many("resolution", tuple(RECEIVED)) == DUE
    with pytest.raises(slaclock.InvalidArgumentError, match=r"row 1, .* has no time zone"):
        promise.due_many("resolution", [RECEIVED[0], datetime(2026, 3, 2)])


@pytest.mark.parametrize("unit", PER_SECOND)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_pandas(through, unit: str, zone: str) -> None:
    call, due = through
    column = pd.Series(RECEIVED, name="received", index=[7, 5, 3, 1]).dt.tz_convert(zone).dt.as_unit(unit)
    found = call(column)
    wanted = pd.Series(pd.to_datetime(due, unit="s", utc=True), name="received", index=column.index)
    pd.testing.assert_series_equal(found, wanted.dt.tz_convert(zone).dt.as_unit(unit))
    pd.testing.assert_series_equal(call(column.iloc[1:3]), found.iloc[1:3])
    assert call(pd.Series([column.iloc[0], pd.NaT])).isna().tolist() == [False, True]
    index = call(pd.DatetimeIndex(column))
    assert isinstance(index, pd.DatetimeIndex)
    assert list(index) == list(found)


def test_pandas_of_other_kinds(through) -> None:
    call, due = through
    pd.testing.assert_series_equal(call(pd.Series(SECONDS, name="r")), pd.Series(due, name="r"))
    nullable = pd.Series([SECONDS[0], None], dtype="Int64")
    pd.testing.assert_series_equal(call(nullable), pd.Series([due[0], None], dtype="Int64"))
    arrow = pd.Series(RECEIVED).astype(pd.ArrowDtype(pa.timestamp("us", "Europe/Moscow")))
    assert call(arrow).dtype == arrow.dtype
    assert [int(moment.timestamp()) for moment in call(arrow)] == due
    objects = pd.Series([*RECEIVED, None], dtype=object)
    assert [int(moment.timestamp()) for moment in call(objects)[:4]] == due
    naive = pd.Series(pd.to_datetime([moment.replace(tzinfo=None) for moment in RECEIVED]))
    found = call(naive, zone="Europe/Moscow")
    assert [int(moment.timestamp()) for moment in found] == due
    assert str(found.dt.tz) == "Europe/Moscow"
    with pytest.raises(TypeError, match="give one of its columns"):
        call(pd.DataFrame({"a": SECONDS}))


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_polars(through, unit: str, zone: str) -> None:
    call, due = through
    column = pl.Series("received", [*RECEIVED, None]).dt.convert_time_zone(zone).cast(pl.Datetime(unit, zone))
    found = call(column)
    assert (found.name, found.dtype) == ("received", column.dtype)
    assert [moment and int(moment.timestamp()) for moment in found] == [*due, None]
    assert call(column[1:3]).to_list() == found[1:3].to_list()
    assert call(column.append(column)).to_list() == found.to_list() * 2
    assert call(column[:0]).to_list() == []


def test_polars_of_other_kinds(through) -> None:
    call, due = through
    assert call(pl.Series("r", SECONDS)).to_list() == due
    assert call(pl.Series("r", [SECONDS[0], None])).to_list() == [due[0], None]
    naive = pl.Series([moment.replace(tzinfo=None) for moment in RECEIVED])
    assert [int(moment.timestamp()) for moment in call(naive, zone=MOSCOW)] == due
    frame = pl.DataFrame({"received": RECEIVED}).with_columns(due=call(pl.Series(RECEIVED)))
    assert frame.columns == ["received", "due"]
    with pytest.raises(TypeError, match="must be a series"):
        call(pl.DataFrame({"a": SECONDS}))


@pytest.mark.parametrize("unit", PER_SECOND)
def test_pyarrow(through, unit: str) -> None:
    call, due = through
    kind = pa.timestamp(unit, "America/New_York")
    column = pa.array([*RECEIVED, None], type=kind)
    found = call(column)
    assert isinstance(found, pa.Array)
    assert found.type == kind
    found.validate(full=True)
    assert [moment and int(moment.timestamp()) for moment in found.to_pylist()] == [*due, None]
    assert call(column.slice(1, 3)).to_pylist() == found.slice(1, 3).to_pylist()
    chunked = call(pa.chunked_array([column, column.slice(2)]))
    assert isinstance(chunked, pa.ChunkedArray)
    assert chunked.to_pylist() == found.to_pylist() + found.to_pylist()[2:]
    assert call(pa.chunked_array([], type=kind)).to_pylist() == []
    assert call(pa.array(SECONDS)).to_pylist() == due
    assert call(pa.array(SECONDS, type=pa.int32())).to_pylist() == due


def test_any_other_producer(through) -> None:
    call, due = through

    class Producer:
        def __arrow_c_array__(self, requested_schema: object = None) -> object:
            return pa.array(SECONDS).__arrow_c_array__(requested_schema)

    found = call(Producer())
    assert isinstance(found, slaclock.Column)
    assert (len(found), found.null_count, found.type) == (4, 0, "Int64")
    assert pa.array(found).to_pylist() == due
    assert pl.Series(found).to_list() == due
    assert found == call(found.__class__ and Producer())

    class Broken:
        def __arrow_c_array__(self, requested_schema: object = None) -> object:
            return 3

    with pytest.raises(TypeError):
        call(Broken())


def test_a_stream_is_taken_once(promise: slaclock.Policy) -> None:
    capsule = pa.chunked_array([pa.array(SECONDS)]).__arrow_c_stream__()

    class Spent:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return capsule

    assert pa.array(promise.due_many("resolution", Spent())).to_pylist() == DUE_SECONDS
    with pytest.raises(ValueError, match="released"):
        promise.due_many("resolution", Spent())


def test_nothing_is_copied_on_the_way_in(promise: slaclock.Policy) -> None:
    import tracemalloc

    seconds = np.full(1_000_000, SECONDS[0])
    tracemalloc.start()
    promise.due_many("resolution", seconds)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The result is 8 MB; a copy of the input would be another 8.
    assert peak < 9_000_000
