"""Answers that the core gives as documents, as small tuples: the annotations of a class say how each field is read."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
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
        return tuple(_read(wanted, entry, zone) for entry in document)
    return _read(wanted, document, zone)


_KNOWN: dict[type, dict[str, Any]] = {}


def _fields(wanted: type) -> dict[str, Any]:
    if wanted not in _KNOWN:
        _KNOWN[wanted] = typing.get_type_hints(wanted)
    return _KNOWN[wanted]


def _read(wanted: Any, value: Any, zone: tzinfo) -> Any:
    if value is None or wanted is Any:
        return value
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        return _read(next(choice for choice in arguments if choice is not type(None)), value, zone)
    if origin is tuple:
        inner = arguments if arguments[-1] is not Ellipsis else (arguments[0],) * len(value)
        return tuple(_read(kind, entry, zone) for kind, entry in zip(inner, value, strict=True))
    if origin is Mapping:
        return {key: _read(arguments[1], entry, zone) for key, entry in value.items()}
    if wanted is datetime:
        return datetime.fromtimestamp(value, zone)
    if wanted is timedelta:
        return timedelta(seconds=value)
    if wanted is date:
        return date.fromisoformat(value)
    if isinstance(wanted, type) and issubclass(wanted, tuple):
        fields, others = _fields(wanted), _agreement.OTHER_NAMES.get(wanted, {})
        named = {others.get(name, name): entry for name, entry in value.items()}
        return wanted(**{name: _read(fields[name], entry, zone) for name, entry in named.items()})
    return value
