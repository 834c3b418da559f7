"""The pages that are made from something else, and the site as a whole. What could go wrong: a name of an interface that no
page has, an input that is read wrongly instead of refused, a link that leads nowhere, a page that nobody finds.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import slaclock

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

from pages import header, python, schema  # noqa: E402

HEADER = ROOT / "include" / "slaclock.h"


@pytest.fixture(scope="module")
def c_page() -> str:
    return header.page(header.read(HEADER))


def test_every_function_of_the_header_has_an_entry(c_page: str) -> None:
    # Counted by another road than the reader's: every name that is followed by a bracket where code stands.
    code = re.sub(r"/\*.*?\*/", "", HEADER.read_text(encoding="utf-8"), flags=re.S)
    code = re.sub(r"^#.*(\\\n.*)*", "", code, flags=re.M)
    functions = set(re.findall(r"\b(slaclock_\w+)\s*\(", code))
    assert len(functions) > 100
    for name in functions:
        assert len(re.findall(rf"\{{c:function\}} [^\n]*\b{name}\(", c_page)) == 1, name


def test_every_constant_and_type_of_the_header_has_an_entry(c_page: str) -> None:
    code = re.sub(r"/\*.*?\*/", "", HEADER.read_text(encoding="utf-8"), flags=re.S)
    bodies = re.findall(r"typedef enum (\w+) \{(.*?)\}", code, re.S)
    values = {name for _, body in bodies for name in re.findall(r"\b(SLACLOCK_\w+)", body)}
    assert len(values) > 80
    for name in values:
        assert f"{{c:enumerator}} {name} = " in c_page, name
    for name in [name for name, _ in bodies]:
        assert f"{{c:enum}} {name}\n" in c_page, name
    for name in re.findall(r"typedef struct (\w+)", code):
        assert f"{{c:struct}} {name}\n" in c_page, name


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("int no_comment_at_the_top;\n", "slaclock.h:1: must begin with a comment"),
        ("/*\n * A.\n */\n/** Odd. */\nunion slaclock_x { int a; };\n", "slaclock.h:5: `union slaclock_x"),
        ("/*\n * A.\n */\n/** Early. */\nSLACLOCK_API void slaclock_f(void);\n", "slaclock_f stands before the first section"),
        ("/*\n * A.\n */\n/**\n * E.\n */\ntypedef enum slaclock_e {\n    A = 0\n} slaclock_e;\n", "`A = 0` has no comment"),
        ("/*\n * A.\n */\n/**\n * Open\n", "slaclock.h:4: this comment does not end"),
    ],
)
def test_an_unknown_header_is_refused(tmp_path: Path, wrong: str, said: str) -> None:
    path = tmp_path / "slaclock.h"
    path.write_text(wrong, encoding="utf-8")
    with pytest.raises(header.HeaderError, match=re.escape(said)):
        header.read(path)


def test_every_key_of_the_schema_has_a_row() -> None:
    parsed = schema.read(ROOT / "docs" / "policy.schema.json")
    page = schema.page(parsed)
    keys: list[str] = []

    def walk(part: object) -> None:
        if isinstance(part, dict):
            keys.extend(part.get("properties", {}))
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list):
            for inner in part:
                walk(inner)

    walk(parsed)
    assert len(keys) > 50
    for key in set(keys):
        assert page.count(f"| `{key}` |") >= 1, key
    for name in parsed["$defs"]:
        assert page.count(f"(schema-{name.lower()})=") == 1, name
    assert "None" not in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda parsed: parsed["$defs"]["ClockDoc"].update({"if": {}}), "ClockDoc: `if` is no key word known here"),
        (lambda parsed: parsed["$defs"].update({"Lost": {"type": "string"}}), "`Lost` is defined and never used"),
    ],
)
def test_an_unknown_schema_is_refused(tmp_path: Path, change, said: str) -> None:
    parsed = json.loads((ROOT / "docs" / "policy.schema.json").read_text(encoding="utf-8"))
    change(parsed)
    path = tmp_path / "policy.schema.json"
    path.write_text(json.dumps(parsed), encoding="utf-8")
    with pytest.raises(schema.SchemaError, match=re.escape(said)):
        schema.page(schema.read(path))


def test_the_schema_is_the_one_of_the_package() -> None:
    assert json.loads(slaclock.Policy.json_schema()) == schema.read(ROOT / "docs" / "policy.schema.json")


def test_every_public_name_and_member_of_the_package_has_an_entry() -> None:
    page = python.page(slaclock, ROOT / "python" / "slaclock" / "_slaclock.pyi")
    for name in slaclock.__all__:
        assert re.search(rf"\{{py:(class|exception|function|data)\}} {name}\b", page), name
    for kind in (slaclock.Policy, slaclock.Calendar, slaclock.Db, slaclock.Feed, slaclock.Table):
        entry = page.split(f"{{py:class}} {kind.__name__}", 1)[1].split("\n:::::\n", 1)[0]
        for member in vars(kind):
            if not member.startswith("_"):
                assert re.search(rf"\{{py:(method|property)\}} {member}\b", entry), f"{kind.__name__}.{member}"


class _Page(HTMLParser):
    """The ids and links of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if value and key == "id":
                self.ids.add(value)
            elif value and key in ("href", "src"):
                self.links.add(value)


@pytest.fixture(scope="module")
def site() -> Path:
    """The site, built from scratch where `make docs` builds it: every warning is an error."""
    folder, cache = ROOT / "target" / "docs", ROOT / "target" / "docs-cache"
    for old in (folder, cache):
        shutil.rmtree(old, ignore_errors=True)
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", cache, ROOT / "docs", folder],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_links_lead_somewhere(site: Path) -> None:
    pages = {path: _Page(path) for path in site.rglob("*.html")}
    assert len(pages) > 15
    checked = 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name in ("search.html", "404.html"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.exists(), f"{path.relative_to(site)}: {link}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].ids, f"{path.relative_to(site)}: {link}"
            checked += 1
    assert checked > 1000


def test_every_page_is_in_the_menu(site: Path) -> None:
    menu = _Page(site / "index.html").links
    for path in site.rglob("*.html"):
        name = path.relative_to(site).as_posix()
        if name not in ("index.html", "search.html", "genindex.html", "py-modindex.html") and not name.startswith("_"):
            assert name in menu, name


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        loaded = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"(https?:[^\"]+)", path.read_text(encoding="utf-8"))
        assert not loaded, f"{path.relative_to(site)}: {loaded}"
