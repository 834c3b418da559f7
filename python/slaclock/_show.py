"""The first rows of a table, for people: as text, and as HTML for notebooks."""

from __future__ import annotations

import html as _html
from collections.abc import Sequence
from datetime import datetime


def text(names: Sequence[str], rows: Sequence[Sequence[object]], total: int) -> str:
    """The rows under their names, in columns as wide as they need; the last line says how many more there are."""
    lines = [list(names), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    laid = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*laid, *_more(len(rows), total)])


def html(names: Sequence[str], rows: Sequence[Sequence[object]], total: int) -> str:
    """The same as an HTML table."""
    head = "".join(f"<th>{_html.escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{_html.escape(_cell(value))}</td>" for value in row) + "</tr>" for row in rows)
    more = "".join(f"<p>{line}</p>" for line in _more(len(rows), total))
    return f"<table class='slaclock-table'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S %Z" if value.second else "%Y-%m-%d %H:%M %Z")
    return str(value)


def _more(shown: int, total: int) -> list[str]:
    return [f"… {total - shown} more, {total} in all"] if total > shown else []
