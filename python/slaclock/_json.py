"""Writes what people put into policies and calendars as JSON, dates and times included."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from datetime import date, datetime, time, timedelta

from slaclock._slaclock import Calendar


def dumps(value: object) -> str:
    """JSON text of plain data; dates, times and spans as the policy language writes them.

    Raises `TypeError` for anything else, naming it.
    """
    return json.dumps(value, default=_written, allow_nan=False)


def _written(value: object) -> object:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S") if value.tzinfo is None else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.strftime("%H:%M:%S" if value.second else "%H:%M")
    if isinstance(value, timedelta):
        return f"{value // timedelta(seconds=1)}s"
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        return sorted(value)
    if isinstance(value, Calendar):
        # Its name there is the key it stands under.
        return {key: part for key, part in value.to_dict().items() if key != "name"}
    raise TypeError(f"a value of type {type(value).__name__} cannot stand in a policy: use text, numbers and dates")
