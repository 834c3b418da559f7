"""The C reference: every comment and declaration of include/slaclock.h, as entries that can be linked and searched.

The header is itself generated and regular. Whatever this reader does not know is an error, so that nothing of the
interface goes missing from the page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_COMMENT = re.compile(r"/\*\*\n(?P<long>.*?)\*/|/\*\* (?P<short>.*?) \*/", re.S)
_BANNER = re.compile(r"/\*\n \* =+\n(?P<text>.*?) \* =+\n \*/", re.S)
_MACRO = re.compile(r"#define (?P<name>SLACLOCK_\w+)(?P<value>(?:[^\\\n]|\\\n)*)")
_ENUM = re.compile(r"typedef enum (?P<name>\w+) \{(?P<body>.*?)\n\} (?P=name);", re.S)
_STRUCT = re.compile(r"typedef struct (?P<name>\w+) \{(?P<body>.*?)\n\} (?P=name);", re.S)
_OPAQUE = re.compile(r"typedef struct (?P<name>\w+) (?P=name);")
_CALLBACK = re.compile(r"typedef (?P<gives>[\w *]+?) ?\(\*(?P<name>\w+)\)(?P<takes>\([^;]*\));")
_FUNCTION = re.compile(r"SLACLOCK_API\s+(?P<text>[^;{]*?(?P<name>slaclock_\w+)\([^;]*\));")
_VALUE = re.compile(r"(?P<name>\w+)(?: = (?P<value>-?\d+))?,?\s*")
_MEMBER = re.compile(r"(?P<text>[^;]+);\s*")


class HeaderError(Exception):
    """The header has something that this reader does not know."""


@dataclass
class Entry:
    """A documented declaration: the directive that shows it, its signature, its words, and what it consists of."""

    directive: str
    signature: str
    text: str
    parts: list[Entry] = field(default_factory=list)


@dataclass
class Section:
    """A noun of the interface and its functions."""

    title: str
    text: str
    entries: list[Entry] = field(default_factory=list)


@dataclass
class Header:
    """What the header has, in its order."""

    introduction: str
    macros: list[Entry]
    enums: list[Entry]
    types: list[Entry]
    sections: list[Section]


def read(path: Path) -> Header:
    """Reads the header. Raises `HeaderError` with the line of what is unknown."""
    text = path.read_text(encoding="utf-8")
    first = re.match(r"/\*\n(?P<text>.*?)\*/", text, re.S)
    if first is None:
        raise HeaderError(f"{path.name}:1: must begin with a comment")
    header = Header(_words(first["text"]), [], [], [], [])
    place = first.end()
    opening = re.compile(f"{_BANNER.pattern}|/\\*\\*[ \\n]", re.S)
    while found := opening.search(text, place):
        if text.startswith("/**", found.start()):
            place = _documented(header, text, found.start(), path.name)
        else:
            title, _, rest = _words(found["text"]).partition("\n\n")
            header.sections.append(Section(title, rest))
            place = found.end()
    return header


def _documented(header: Header, text: str, start: int, file: str) -> int:
    """Takes the comment at `start` and the declaration after it; gives the place behind both."""
    comment = _COMMENT.match(text, start)
    if comment is None:
        raise HeaderError(f"{file}:{_line(text, start)}: this comment does not end")
    place = comment.end() + 1
    words = _words(comment["long"] or comment["short"])
    if found := _MACRO.match(text, place):
        value = " ".join(found["value"].replace("\\\n", " ").split())
        words += f"\n\n```c\n{value}\n```" if value else ""
        header.macros.append(Entry("c:macro", found["name"], words))
    elif found := _ENUM.match(text, place):
        values = [_value(*pair) for pair in _body(found["body"], _VALUE, f"{file}: {found['name']}")]
        header.enums.append(Entry("c:enum", found["name"], words, values))
    elif found := _STRUCT.match(text, place):
        members = _body(found["body"], _MEMBER, f"{file}: {found['name']}")
        parts = [Entry("c:member", " ".join(member["text"].split()), said) for said, member in members]
        header.types.append(Entry("c:struct", found["name"], words, parts))
    elif found := _OPAQUE.match(text, place):
        header.types.append(Entry("c:struct", found["name"], words))
    elif found := _CALLBACK.match(text, place):
        takes = " ".join(found["takes"].split())
        header.types.append(Entry("c:type", f"{found['gives']} (*{found['name']}){takes}", words))
    elif found := _FUNCTION.match(text, place):
        if not header.sections:
            raise HeaderError(f"{file}:{_line(text, place)}: {found['name']} stands before the first section")
        header.sections[-1].entries.append(Entry("c:function", " ".join(found["text"].split()), words))
    else:
        line = text[place:].splitlines()[0]
        raise HeaderError(f"{file}:{_line(text, place)}: `{line}` is no declaration known here")
    return found.end()


def _body(body: str, kind: re.Pattern[str], where: str) -> list[tuple[str, re.Match[str]]]:
    """Pairs of comment and what it documents, in the body of an enum or struct."""
    pairs, place = [], 0
    while body[place:].strip():
        place += len(body[place:]) - len(body[place:].lstrip())
        comment = _COMMENT.match(body, place)
        if comment is None:
            raise HeaderError(f"{where}: `{body[place:].splitlines()[0]}` has no comment")
        place = comment.end() + re.match(r"\s*", body[comment.end() :]).end()  # type: ignore[union-attr]
        found = kind.match(body, place)
        if found is None:
            raise HeaderError(f"{where}: `{body[place:].splitlines()[0]}` is not known here")
        pairs.append((_words(comment["long"] or comment["short"]), found))
        place = found.end()
    return pairs


def _value(words: str, found: re.Match[str]) -> Entry:
    value = f" = {found['value']}" if found["value"] else ""
    return Entry("c:enumerator", found["name"] + value, words)


def _words(comment: str) -> str:
    """The text of a comment without its frame."""
    lines = [re.sub(r"^ *\*? ?", "", line, count=1) if "*" in line[:8] else line for line in comment.splitlines()]
    return "\n".join(line.rstrip() for line in lines).strip()


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def page(header: Header) -> str:
    """The reference as Markdown."""
    names = {entry.signature.split("(")[0].split()[-1].lstrip("*") for s in header.sections for entry in s.entries}
    names |= {entry.signature for entry in [*header.macros, *header.enums] if " " not in entry.signature}
    names |= {entry.signature for entry in header.types if entry.directive == "c:struct"}
    lines = [
        "# The C header",
        "",
        "Made from `include/slaclock.h`, which has the same words. {download}`Download the header <../../include/slaclock.h>`.",
        "",
        _introduction(header.introduction, names),
        "",
        "## All functions",
        "",
    ]
    for section in header.sections:
        functions = ", ".join("{c:func}`" + _name(entry) + "`" for entry in section.entries)
        lines += [f"**{_title(section)}**", f": {functions}", ""]
    for section in header.sections:
        lines += [f"## {_title(section)}", "", _sentence(section, names), ""]
        lines += [line for entry in section.entries for line in _shown(entry, names)]
    for title, entries in (("Structs and handles", header.types), ("Enums", header.enums), ("Macros", header.macros)):
        lines += [f"## {title}", "", *[line for entry in entries for line in _shown(entry, names)]]
    return "\n".join(lines) + "\n"


def _name(entry: Entry) -> str:
    found = re.search(r"slaclock_\w+(?=\()", entry.signature)
    if found is None:
        raise HeaderError(f"`{entry.signature}` is no function")
    return found[0]


def _title(section: Section) -> str:
    """The first sentence of a section, as a heading."""
    first = " ".join(section.title.split())
    return re.split(r"(?<=\w)[.:;](?: |$)", first)[0]


def _sentence(section: Section, names: set[str]) -> str:
    first = " ".join(section.title.split())
    text = f"{first}\n\n{section.text}" if first.rstrip(".") != _title(section) else section.text
    return _linked(text, names)


def _introduction(text: str, names: set[str]) -> str:
    """The comment at the top: its headings become bold, its list a list, its program a block."""
    parts, program = [], []
    for line in text.splitlines():
        if line.startswith("     "):
            program.append(line[5:])
        elif not line and program:
            program.append("")
        else:
            if program:
                parts += ["```c", *"\n".join(program).strip("\n").splitlines(), "```"]
                program = []
            line = line[1:] if line.startswith(" ") else line
            parts.append(f"**{line.capitalize()}**" if line.isupper() else _linked(line, names))
    if program:
        parts += ["```c", *"\n".join(program).strip("\n").splitlines(), "```"]
    return "\n".join(parts)


def _shown(entry: Entry, names: set[str], depth: int = 4) -> list[str]:
    fence = ":" * depth
    inner = [line for part in entry.parts for line in _shown(part, names, depth - 1)]
    return [f"{fence}{{{entry.directive}}} {entry.signature}", "", _fields(_linked(entry.text, names)), "", *inner, fence, ""]


def _linked(text: str, names: set[str]) -> str:
    def link(found: re.Match[str]) -> str:
        return "{c:expr}`" + found[1] + "`" if found[1] in names else found[0]

    # In the header names stand with and without quotes. Blocks of code have no links.
    parts = re.split(r"(```.*?```)", text, flags=re.S)
    name = r"`?\b((?:SLACLOCK|slaclock)_\w+)\b(?:\(\))?`?"
    return "".join(part if part.startswith("```") else re.sub(name, link, part) for part in parts)


def _fields(text: str) -> str:
    """`\\param name  words` and `\\return words` become a list of fields."""
    lines = []
    indent = ""
    for line in text.splitlines():
        if found := re.match(r"\\(param \w+|return)\s+(.*)", line):
            lines.append(f":{found[1]}: {found[2]}")
            indent = "    "
        else:
            indent = indent if line else ""
            lines.append(indent + line.strip() if indent else line)
    return "\n".join(lines)
