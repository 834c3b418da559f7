"""The policy language, key by key, from docs/policy.schema.json."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any


class SchemaError(Exception):
    """The schema has something that this reader does not know."""


# What the parts are called in a policy file; parts that are not here go by their own name.
_TITLES = {
    "HeaderDoc": "[policy]",
    "CalendarDoc": "[calendar.NAME]",
    "ClockDoc": "[[clock]]",
    "RuleDoc": "[[clock.rules]]",
    "InterruptionsDoc": "[interruptions]",
    "ExampleDoc": "[[example]]",
    "AttachedDoc": "[[attached]]",
}
_OTHERS = {
    "DateText": "Date rule",
    "HolidayTable": "Holiday table",
    "TargetWord": "Target word",
    "MomentText": "Moment",
    "Received": "Receipt day",
}
_KNOWN = {
    *("type", "properties", "required", "additionalProperties", "description", "$ref", "anyOf", "oneOf", "allOf"),
    *("items", "enum", "const", "default", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
    *("pattern", "format", "examples", "title", "not", "minProperties", "maxProperties", "propertyNames"),
    *("$defs", "$schema", "$id", "deprecated", "uniqueItems"),
}


def read(path: Path) -> dict[str, Any]:
    """Reads the schema. Raises `SchemaError` naming a key word that the page would leave out."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    _check(schema, path.name)
    return schema


def _check(part: Any, where: str) -> None:
    if not isinstance(part, dict):
        return
    if unknown := set(part) - _KNOWN:
        raise SchemaError(f"{where}: `{min(unknown)}` is no key word known here")
    for key in ("properties", "$defs"):
        for name, inner in part.get(key, {}).items():
            _check(inner, f"{where}/{name}")
    for key in ("anyOf", "oneOf", "allOf"):
        for place, inner in enumerate(part.get(key, [])):
            _check(inner, f"{where}/{key}/{place}")
    for key in ("items", "additionalProperties", "propertyNames", "not"):
        _check(part.get(key), f"{where}/{key}")


def page(schema: dict[str, Any]) -> str:
    """The reference as Markdown: what a file consists of, then each part, in the order of first mention."""
    parts = schema["$defs"]
    lines = [
        "# The policy language, key by key",
        "",
        "Made from {download}`policy.schema.json <../policy.schema.json>`, the JSON Schema that editors use to complete and",
        "check a policy as it is typed. [The policy language](../policy.md) explains it with examples.",
        "",
        "## A policy file",
        "",
        schema["description"],
        "",
        *_properties(schema, parts),
        "",
    ]
    for name in _order(schema, parts):
        lines += [f"({_label(name)})=", f"## {_title(name)}", "", parts[name].get("description", ""), ""]
        lines += _body(parts[name], parts)
        lines.append("")
    return "\n".join(lines)


def _order(schema: dict[str, Any], parts: dict[str, Any]) -> list[str]:
    found: list[str] = []

    def walk(part: Any) -> None:
        if isinstance(part, list):
            for inner in part:
                walk(inner)
        elif isinstance(part, dict):
            for key, inner in part.items():
                if key == "$ref":
                    name = _name(inner)
                    if name not in found:
                        found.append(name)
                        walk(parts[name])
                elif key != "$defs":
                    walk(inner)

    walk(schema)
    if left := set(parts) - set(found):
        raise SchemaError(f"`{min(left)}` is defined and never used")
    titles = [_title(name) for name in found]
    if twice := next((title for title in titles if titles.count(title) > 1), None):
        raise SchemaError(f"two parts would be called `{twice}`")
    # Tables of a file first, then the values they are made of.
    return [name for name in found if name in _TITLES] + [name for name in found if name not in _TITLES]


def _body(part: dict[str, Any], parts: dict[str, Any]) -> list[str]:
    lines = []
    if part.get("properties"):
        lines += _properties(part, parts)
    choices = part.get("anyOf") or part.get("oneOf")
    if choices:
        lines += ["One of:", ""]
        for choice in choices:
            said = choice.get("description") or _described(choice, parts)
            lines.append(f"- {_kind(choice, parts)}{': ' + _flat(said) if said else ''}")
            if choice.get("properties"):
                lines += ["", *("  " + line for line in _properties(choice, parts)), ""]
    elif "properties" not in part:
        lines.append(f"Is {_kind(part, parts)}.")
    return lines


def _properties(part: dict[str, Any], parts: dict[str, Any]) -> list[str]:
    lines = ["| key | value | meaning |", "| --- | --- | --- |"]
    required = part.get("required", [])
    for key, inner in part["properties"].items():
        need = ", required" if key in required else ""
        default = inner.get("default")
        said = _flat(inner.get("description") or _described(inner, parts))
        if default is not None and default != []:
            said += f" Default: `{json.dumps(default, ensure_ascii=False)}`."
        lines.append(f"| `{key}` | {_cell(_kind(inner, parts))}{need} | {_cell(said)} |")
    return lines


def _described(part: dict[str, Any], parts: dict[str, Any]) -> str:
    """The words of what a part refers to, where it has none of its own."""
    return parts[_name(part["$ref"])].get("description", "") if "$ref" in part else ""


def _kind(part: dict[str, Any], parts: dict[str, Any]) -> str:
    """What a value is, in words."""
    if "$ref" in part:
        name = _name(part["$ref"])
        return f"[{_title(name)}](#{_label(name)})"
    if "const" in part:
        return f"`{json.dumps(part['const'], ensure_ascii=False)}`"
    if "enum" in part:
        return ", ".join(f"`{json.dumps(value, ensure_ascii=False)}`" for value in part["enum"] if value is not None)
    if choices := part.get("anyOf") or part.get("oneOf") or part.get("allOf"):
        kinds = [_kind(choice, parts) for choice in choices if choice.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    kinds = part.get("type", "any value")
    words = [_plain(kind, part, parts) for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind != "null"]
    return " or ".join(words)


def _plain(kind: str, part: dict[str, Any], parts: dict[str, Any]) -> str:
    if kind == "array":
        inner = part.get("items")
        return f"list of {_kind(inner, parts)}" if inner else "list"
    if kind == "object":
        inner = part.get("additionalProperties")
        return f"table from names to {_kind(inner, parts)}" if isinstance(inner, dict) and inner else "table"
    if kind in ("integer", "number"):
        low, high = part.get("minimum"), part.get("maximum")
        ends = (f" from {low}" if low is not None else "") + (f" to {high}" if high is not None else "")
        return "whole number" + ends if kind == "integer" else "number" + ends
    if kind == "string":
        return f"text that matches `{part['pattern']}`" if "pattern" in part else "text"
    return {"boolean": "`true` or `false`"}.get(kind, kind)


def _name(reference: str) -> str:
    return reference.removeprefix("#/$defs/")


def _label(name: str) -> str:
    return "schema-" + name.lower()


def _title(name: str) -> str:
    if name in _TITLES:
        return f"`{_TITLES[name]}`"
    if name in _OTHERS:
        return _OTHERS[name]
    words = re.sub(r"(Doc|Word|Text|Table)$", "", name)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words).capitalize()


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
