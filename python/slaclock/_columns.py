"""Columns of instants in whatever package people have them, and back in the same package and type.

Nothing here is imported before a column of that package is seen, and nothing knows what is computed: a kernel fills a buffer of
64-bit integers from another, or turns an Arrow column into one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from slaclock._errors import InvalidArgumentError, OutOfRangeError

if TYPE_CHECKING:
    from slaclock._slaclock import Kernel

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_NAIVE = "column of timestamps without a time zone: give the zone they are in as zone=, or convert them to UTC"


def through(kernel: Kernel, column: Any, zone: Any = None, out: Any = None) -> Any:
    """The column with every instant replaced by what the kernel makes of it."""
    kind = type(column).__module__.partition(".")[0]
    if kind == "numpy":
        return _numpy(kernel, column, zone, out)
    if out is not None:
        raise InvalidArgumentError("out: only a numpy column can fill an array of the caller's")
    if kind == "pandas":
        return _pandas(kernel, column, zone)
    if kind == "polars":
        return _polars(kernel, column, zone)
    if kind == "pyarrow":
        return _pyarrow(kernel, column, zone)
    if hasattr(column, "__arrow_c_array__") or hasattr(column, "__arrow_c_stream__"):
        return _arrow(kernel, column, zone)
    if isinstance(column, Sequence) and not isinstance(column, str | bytes):
        return _list(kernel, column)
    raise TypeError(
        f"column of type {type(column).__qualname__}: must be a numpy array, a pandas or polars series, an Arrow column or a "
        "list of datetime"
    )


def texts(name: str, column: Any) -> list[str | None]:
    """The texts of a column of facts; `None` where one is missing."""
    for take in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, take):
            values = getattr(column, take)()
            break
    else:
        if not isinstance(column, Sequence) or isinstance(column, bytes):
            raise TypeError(f"{name} of type {type(column).__qualname__}: must be a text (str), None or a column of texts")
        values = list(column)
    for row, value in enumerate(values):
        # A missing text of pandas may be a NaN, which is a float, or of a type of its own.
        is_missing = (
            value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
        )
        if not (is_missing or isinstance(value, str)):
            raise TypeError(f"{name}, row {row} of type {type(value).__qualname__}: must be text or missing")
    return [value if isinstance(value, str) else None for value in values]


def _filled(kernel: Kernel, values: Any, per_second: int, out: Any = None) -> Any:
    """An int64 array from one, both with so many units in a second: a new one, or `out`."""
    import numpy as np

    values = np.ascontiguousarray(values)
    if out is None:
        out = np.empty_like(values)
    kernel.fill(values.reshape(-1), out.reshape(-1), per_second)
    return out


def _numpy(kernel: Kernel, column: Any, zone: Any, out: Any = None) -> Any:
    dtype = column.dtype
    if zone is not None:
        raise InvalidArgumentError("zone: numpy has no time zones, and its datetime64 means UTC; leave it out")
    if dtype.kind == "M":
        values = _native(column)
        per_second = _unit(values.dtype)
        into = _checked(out, values, values.dtype)
        made = _filled(kernel, values.view("i8"), per_second, None if into is None else into.view("i8"))
        return made.view(values.dtype) if into is None else into
    if dtype.kind in "iu" and dtype.itemsize <= 8 and dtype != "u8":
        values = column.astype("i8", copy=False)
        return _filled(kernel, values, 1, _checked(out, values, values.dtype))
    raise InvalidArgumentError(
        f"column of {dtype}: must be datetime64[s], [ms], [us] or [ns], or whole seconds since 1970 as int64"
    )


def _checked(out: Any, values: Any, dtype: Any) -> Any:
    """The caller's array, if it is one that can be filled."""
    if out is None:
        return None
    found = getattr(out, "dtype", None)
    if found != dtype or out.shape != values.shape or not out.flags.c_contiguous or not out.flags.writeable:
        raise InvalidArgumentError(
            f"out: must be a writeable, contiguous numpy array of {dtype} with shape {values.shape}, "
            f"not {type(out).__name__} of {found} with shape {getattr(out, 'shape', None)}"
        )
    return out


def _native(column: Any) -> Any:
    """The array in the byte order of this machine."""
    return column if column.dtype.isnative else column.astype(column.dtype.newbyteorder("="))


def _unit(dtype: Any) -> int:
    import numpy as np

    unit, count = np.datetime_data(dtype)
    if unit not in _PER_SECOND or count != 1:
        step = unit if count == 1 else f"{count}{unit}"
        raise InvalidArgumentError(
            f"column of datetime64[{step}]: must be instants in s, ms, us or ns; a date has no time of day"
        )
    return _PER_SECOND[unit]


def _pandas(kernel: Kernel, column: Any, zone: Any) -> Any:
    import pandas as pd

    if isinstance(column, pd.DataFrame):
        raise TypeError("column of type DataFrame: give one of its columns")
    if isinstance(column, pd.Index):
        return pd.Index(_pandas(kernel, column.to_series(), zone), name=column.name)
    dtype = column.dtype
    made = {"index": column.index, "name": column.name, "copy": False}
    if isinstance(dtype, pd.DatetimeTZDtype):
        values = column.array.view("i8")
        out = _filled(kernel, values, _PER_SECOND[dtype.unit]).view(f"M8[{dtype.unit}]")
        return pd.Series(out, **made).dt.tz_localize("UTC").dt.tz_convert(dtype.tz)
    if dtype.kind == "M" and isinstance(dtype, pd.ArrowDtype) is False:
        if zone is None:
            raise InvalidArgumentError(_NAIVE)
        # In a gap the instant of the change, in a fold the first occurrence, as in the core.
        first = column.to_numpy() == column.to_numpy()
        aware = column.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
        return _pandas(kernel, aware, None)
    if isinstance(dtype, pd.ArrowDtype):
        import pyarrow as pa

        result = _pyarrow(kernel, pa.chunked_array(column), zone)
        return pd.Series(pd.array(result, dtype=pd.ArrowDtype(result.type)), **made)
    if pd.api.types.is_integer_dtype(dtype):
        missing = column.isna().to_numpy()
        values = column.to_numpy(dtype="i8", na_value=_missing()) if missing.any() else column.to_numpy(dtype="i8")
        out = _filled(kernel, values, 1)
        if isinstance(dtype, pd.api.extensions.ExtensionDtype):
            result = pd.array(out, dtype="Int64")
            result[out == _missing()] = pd.NA
            return pd.Series(result, **made)
        return pd.Series(out, **made)
    if pd.api.types.is_object_dtype(dtype):
        return pd.Series(_list(kernel, column.tolist()), **made)
    raise InvalidArgumentError(f"column of {dtype}: must be datetime64 with a time zone, or whole seconds since 1970 as int64")


def _missing() -> int:
    from slaclock._slaclock import NO_DEADLINE

    return NO_DEADLINE


def _polars(kernel: Kernel, column: Any, zone: Any) -> Any:
    import polars as pl

    if not isinstance(column, pl.Series):
        raise TypeError(f'column of type {type(column).__qualname__}: must be a series, such as frame["received"]')
    chunks = [pl.Series(chunk).alias(column.name) for chunk in kernel.arrow(column, zone)]
    return pl.concat(chunks) if len(chunks) > 1 else chunks[0] if chunks else column.clone()


def _pyarrow(kernel: Kernel, column: Any, zone: Any) -> Any:
    import pyarrow as pa

    if not isinstance(column, pa.Array | pa.ChunkedArray):
        raise TypeError(f'column of type {type(column).__qualname__}: must be a column, such as table["received"]')
    if column.num_chunks == 0 if isinstance(column, pa.ChunkedArray) else False:
        return _pyarrow(kernel, pa.chunked_array([pa.array([], column.type)]), zone)
    chunks = [pa.array(chunk) for chunk in kernel.arrow(column, zone)]
    return pa.chunked_array(chunks) if isinstance(column, pa.ChunkedArray) else chunks[0]


def _arrow(kernel: Kernel, column: Any, zone: Any) -> Any:
    """One chunk is a column; several come back as a list of columns, in order."""
    chunks = kernel.arrow(column, zone)
    return chunks[0] if len(chunks) == 1 else chunks


def _list(kernel: Kernel, column: Sequence[datetime | None]) -> list[datetime | None]:
    """Datetimes, each back in the zone it came in."""
    import array

    received = array.array("q", (_seconds(value, row) for row, value in enumerate(column)))
    due = array.array("q", bytes(8 * len(received)))
    kernel.fill(received, due, 1)
    missing = _missing()
    return [
        None if second == missing or value is None else datetime.fromtimestamp(second, value.tzinfo)
        for second, value in zip(due, column, strict=True)
    ]


def _seconds(value: datetime | None, row: int) -> int:
    if value is None or _is_missing(value):
        return _missing()
    if not isinstance(value, datetime):
        raise TypeError(f"row {row} of type {type(value).__qualname__}: must be an aware datetime or None")
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidArgumentError(f"row {row}, {value}: has no time zone, so it is no instant; add one with .replace(tzinfo=…)")
    seconds = (value - _EPOCH) // _SECOND
    if not -(2**63) < seconds < 2**63:
        raise OutOfRangeError(f"row {row}, {value}: must lie in 1970 to 2099")
    return seconds


def _is_missing(value: Any) -> bool:
    """Whether it is pandas' `NaT`, which calls itself a datetime."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and value is pandas.NaT
