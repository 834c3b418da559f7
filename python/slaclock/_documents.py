"""Answers that the core gives as documents, as small tuples: the annotations of a class say how each field is read."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from slaclock import _agreement, _history


def decoded(name: str, text: str, zone: tzinfo) -> Any:
    """The document `text` as the class `name` of `slaclock._agreement` or `slaclock._history`, or a tuple of them for a list.

    Instants are shown in `zone`. Raises `KeyError` or `TypeError` where document and class differ, which would be a defect.
    """
    wanted = getattr(_history if hasattr(_history, name) else _agreement, name)
    document = json.loads(text)
    if isinstance(document, list):
        return _each(_reader(wanted))(document, zone)
    return _one(_reader(wanted), document, zone)


_Reader = Callable[[Any, tzinfo], Any]
"""Reads a value that is not `None`."""


_KNOWN: dict[Any, _Reader | None] = {}
"""By annotation. Lists of a hundred thousand moved clocks are read, so what can be known of a class is found out once."""


def _reader(wanted: Any) -> _Reader | None:
    """How a value of this annotation is read; `None` if it is what it is."""
    if wanted not in _KNOWN:
        _KNOWN[wanted] = _made(wanted)
    return _KNOWN[wanted]


def _made(wanted: Any) -> _Reader | None:
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        return _reader(next(choice for choice in arguments if choice is not type(None)))
    if origin is tuple and arguments[-1] is Ellipsis:
        return _each(_reader(arguments[0]))
    if origin is tuple:
        return _pair([_reader(kind) for kind in arguments])
    if origin is Mapping:
        return _values(_reader(arguments[1]))
    if wanted is datetime:
        return datetime.fromtimestamp
    if wanted is timedelta:
        return lambda value, _: timedelta(seconds=value)
    if wanted is date:
        return lambda value, _: date.fromisoformat(value)
    if isinstance(wanted, type) and issubclass(wanted, tuple):
        return _record(wanted)
    return None


def _one(reader: _Reader | None, value: Any, zone: tzinfo) -> Any:
    return value if reader is None or value is None else reader(value, zone)


def _each(reader: _Reader | None) -> _Reader:
    return lambda values, zone: tuple([_one(reader, value, zone) for value in values])


def _pair(readers: list[_Reader | None]) -> _Reader:
    return lambda values, zone: tuple([_one(reader, value, zone) for reader, value in zip(readers, values, strict=True)])


def _values(reader: _Reader | None) -> _Reader:
    return lambda values, zone: {name: _one(reader, value, zone) for name, value in values.items()}


def _record(wanted: Any) -> _Reader:
    hints = typing.get_type_hints(wanted)
    names = {own: other for other, own in _agreement.OTHER_NAMES.get(wanted, {}).items()}
    fields = [(names.get(name, name), _reader(hints[name])) for name in wanted._fields]

    def read(document: dict[str, Any], zone: tzinfo) -> Any:
        if len(document) != len(fields):
            raise KeyError(f"{wanted.__name__}: {sorted(document)} are not its fields")
        return wanted._make([_one(reader, document[name], zone) for name, reader in fields])

    return read
