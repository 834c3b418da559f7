"""The Python reference: types from the stub, words from the package as it runs.

The extension module has the docstrings and the stub has the types; a reader wants both in one place.
"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any


class MismatchError(Exception):
    """Package and stub do not fit together."""


# What to call the stub's private names in signatures; the first two are written out.
_PRIVATE = {
    "_Path": "str | PathLike[str]",
    "_Zone": "str | ZoneInfo",
    "_Period": "str | date | tuple[date, date]",
    "_Table": "TableLike",
    "_T": "T",
    "_R": "R",
}
_CLASSES = ("Policy", "Calendar", "Db", "Feed", "Notices", "Table", "Column")


def page(slaclock: ModuleType, stub: Path) -> str:
    """The reference as Markdown. Raises `MismatchError` for a public name that the page would leave out."""
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    opening = [name for name in slaclock.__all__ if name in functions]
    answers = [name for name in slaclock.__all__ if _is_answer(getattr(slaclock, name), name)]
    errors = [name for name in slaclock.__all__ if _is_error(getattr(slaclock, name))]
    shown = {*opening, *_CLASSES, *answers, *errors, "NO_DEADLINE", "Stage", "__version__"}
    if left := set(slaclock.__all__) - shown:
        raise MismatchError(f"`{min(left)}` is public and has no place on the page")
    links = _Links(slaclock, shown)

    lines = ["# Python", "", "```{py:module} slaclock", "```", "", links.linked(_doc(slaclock)), ""]
    lines += ["## Opening and closing databases", ""]
    for name in opening:
        lines += _directive("py:function", [_signature(functions[name])], _doc(getattr(slaclock, name)), links)
    for name in _CLASSES:
        lines += [f"## {name}", "", *_class(name, getattr(slaclock, name), classes[name], links)]
    lines += ["## Answers", "", "Tuples with names, unless said otherwise.", ""]
    for name in answers:
        lines += _answer(name, getattr(slaclock, name), links)
    lines += ["## Errors", "", "`code` is the number that C and Rust give the same kind.", ""]
    for name in errors:
        lines += _error(name, getattr(slaclock, name), links)
    lines += ["## Constants and types", "", *_constants(slaclock, links)]
    return "\n".join(lines) + "\n"


class _Links:
    """Turns `` `Name` `` and `` `Class.member` `` in prose into links, where there is something to link to."""

    def __init__(self, slaclock: ModuleType, shown: set[str]) -> None:
        self.targets = set(shown) - {"open"}
        for name in _CLASSES:
            self.targets |= {f"{name}.{member}" for member in vars(getattr(slaclock, name)) if member[0] != "_"}

    def linked(self, text: str) -> str:
        def link(found: re.Match[str]) -> str:
            return "{py:obj}`" + found[1] + "`" if found[1] in self.targets else found[0]

        return re.sub(r"`([A-Za-z_.]+)`", link, _examples(text))


def _examples(text: str) -> str:
    """Puts `>>>` lines and what follows them into blocks."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.startswith(">>>") and not inside:
            lines += ["", "```pycon"]
            inside = True
        elif not line and inside:
            lines.append("```")
            inside = False
        lines.append(line)
    return "\n".join([*lines, "```"] if inside else lines)


def _directive(kind: str, signatures: list[str], text: str, links: _Links, options: str = "") -> list[str]:
    """A directive with one or more signatures, which MyST takes as lines of its own only from reStructuredText."""
    fence = "::::" if kind != "py:class" else ":::::"
    more = [f"    {signature}" for signature in signatures[1:]]
    body = options.splitlines()
    if more:
        # Two ways to call: the first is the entry, the others are shown under it.
        text = "Also: " + ", ".join(f"`{signature.strip()}`" for signature in more) + "\n\n" + text
    return [f"{fence}{{{kind}}} {signatures[0]}", *body, "", links.linked(text), "", fence, ""]


def _class(name: str, kind: type, node: ast.ClassDef, links: _Links) -> list[str]:
    members: dict[str, list[ast.FunctionDef]] = {}
    for part in node.body:
        if isinstance(part, ast.FunctionDef):
            members.setdefault(part.name, []).append(part)
    constructor = members.pop("__new__", None)
    signature = _signature(constructor[0], bound=True, name=name) if constructor else name
    lines = [f":::::{{py:class}} {signature.removesuffix(' -> Self')}", "", links.linked(_doc(kind)), ""]
    for member, nodes in members.items():
        if member.startswith("_"):
            continue
        lines += _member(kind, member, nodes, links)
    return [*lines, ":::::", ""]


def _member(kind: type, member: str, nodes: list[ast.FunctionDef], links: _Links) -> list[str]:
    decorators = {ast.unparse(decorator) for decorator in nodes[0].decorator_list}
    text = _doc(getattr(kind, member, None))
    if not text:
        raise MismatchError(f"`{kind.__name__}.{member}` has no docstring")
    if "property" in decorators:
        gives = _type(nodes[0].returns)
        return _directive("py:property", [member], text, links, f":type: {gives}")
    options = ":classmethod:" if "classmethod" in decorators else ":staticmethod:" if "staticmethod" in decorators else ""
    signatures = [_signature(node, bound="staticmethod" not in decorators) for node in nodes]
    return _directive("py:method", signatures, text, links, options)


def _answer(name: str, kind: Any, links: _Links) -> list[str]:
    lines = [f":::::{{py:class}} {name}", "", links.linked(_doc(kind)), ""]
    fields = _fields(kind)
    for part, (annotation, words) in fields.items():
        lines += _directive("py:attribute", [part], words, links, f":type: {annotation}")
    for member, value in vars(kind).items():
        if member.startswith("_") or member in fields:
            continue
        if isinstance(value, property):
            lines += _directive("py:property", [member], _doc(value), links)
        elif inspect.isfunction(value):
            signature = str(inspect.signature(value)).replace("(self, ", "(").replace("(self)", "()").replace("'", "")
            lines += _directive("py:method", [member + signature], _doc(value), links)
    return [*lines, ":::::", ""]


def _fields(kind: Any) -> dict[str, tuple[str, str]]:
    """Type and text of each field. Python keeps the text in the source only."""
    body = ast.parse(inspect.getsource(kind)).body[0].body  # type: ignore[attr-defined]
    fields = {}
    for field, text in zip(body, [*body[1:], None], strict=True):
        if not isinstance(field, ast.AnnAssign) or (name := ast.unparse(field.target)).startswith("_"):
            continue
        if not (isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)):
            raise MismatchError(f"`{kind.__name__}.{name}` has no text under it")
        fields[name] = ast.unparse(field.annotation), inspect.cleandoc(str(text.value.value))
    return fields


def _error(name: str, kind: Any, links: _Links) -> list[str]:
    bases = [base.__name__ for base in kind.__bases__]
    said = " and ".join("{py:obj}`" + base + "`" if base in links.targets else f"`{base}`" for base in bases)
    code = f"Code {kind.code}; bases " if kind.code else "Base "
    return [f"::::{{py:exception}} {name}", "", links.linked(_doc(kind)), "", f"{code}{said}.", "", "::::", ""]


def _constants(slaclock: ModuleType, links: _Links) -> list[str]:
    stages = ", ".join(f"`{stage!r}`" for stage in slaclock.Stage.__args__)
    number = str(slaclock.NO_DEADLINE)
    said = "What stands in a column of plain integers where there is no deadline."
    table = (
        "What the calls that take many rows accept: anything with `__arrow_c_stream__` or `__arrow_c_array__` (pyarrow, polars, "
        "pandas from 3.0 on, DuckDB, a `Table`), or an iterable of mappings."
    )
    return [
        *_directive("py:data", ["NO_DEADLINE"], said, links, f":type: int\n:value: {number}"),
        *_directive("py:data", ["Stage"], f"Where a clock stands, one of {stages}: see `Counts`.", links),
        *_directive("py:data", ["__version__"], "The version of the package.", links, ":type: str"),
        *_directive("py:data", ["TableLike"], table, links),
        *_directive("py:data", ["T"], "A type: what goes in is what comes back.", links),
    ]


def _signature(node: ast.FunctionDef, *, bound: bool = False, name: str | None = None) -> str:
    """A function's signature as Python writes it, without `self`."""
    arguments = node.args
    if bound:
        (arguments.posonlyargs or arguments.args).pop(0)
    text = ast.unparse(arguments).removeprefix("/, ").removeprefix("/")
    text = _private(f"({text})")
    gives = "" if node.returns is None else f" -> {_type(node.returns)}"
    return f"{name or node.name}{text}{gives}"


def _type(node: ast.expr | None) -> str:
    return "" if node is None else _private(ast.unparse(node))


def _private(text: str) -> str:
    return re.sub(r"\b_[A-Z]\w*", lambda found: _PRIVATE[found[0]], text)


def _doc(thing: Any) -> str:
    return inspect.cleandoc(getattr(thing, "__doc__", None) or "")


def _flat(text: str) -> str:
    return " ".join(text.split())


def _is_error(thing: Any) -> bool:
    return inspect.isclass(thing) and issubclass(thing, Exception)


def _is_answer(thing: Any, name: str) -> bool:
    return inspect.isclass(thing) and name not in _CLASSES and not _is_error(thing)
