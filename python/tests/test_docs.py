"""Every example in a docstring runs, every public name has one, and the examples of the repository work."""

from __future__ import annotations

import doctest
import inspect
import runpy
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from conftest import ROOT

import slaclock
from slaclock import _slaclock

CLASSES = [value for value in vars(_slaclock).values() if inspect.isclass(value) and value.__module__ == "slaclock"]
NAMES = {
    "slaclock": slaclock,
    "date": date,
    "datetime": datetime,
    "timedelta": timedelta,
    "timezone": timezone,
    "ZoneInfo": ZoneInfo,
}


def documented() -> list[tuple[str, str]]:
    found = []
    for kind in CLASSES:
        found.append((kind.__name__, kind.__doc__ or ""))
        for name, member in sorted(vars(kind).items()):
            if not name.startswith("_"):
                found.append((f"{kind.__name__}.{name}", member.__doc__ or ""))
    for name in ("open", "create", "in_memory", "shutdown"):
        found.append((name, getattr(slaclock, name).__doc__ or ""))
    return found


@pytest.mark.parametrize(("name", "text"), documented(), ids=[name for name, _ in documented()])
def test_docstrings_run(name: str, text: str) -> None:
    assert text.strip(), f"{name} has no docstring"
    example = doctest.DocTestParser().get_doctest(text, dict(NAMES), name, None, None)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(example)
    assert runner.failures == 0


def test_there_are_examples() -> None:
    assert sum(">>>" in text for _, text in documented()) >= 4


def test_all_is_everything_public() -> None:
    assert len(set(slaclock.__all__)) == len(slaclock.__all__)
    for name in slaclock.__all__:
        assert getattr(slaclock, name) is not None
    public = {name for name in vars(slaclock) if not name.startswith("_") and not inspect.ismodule(getattr(slaclock, name))}
    assert public <= set(slaclock.__all__)
    # What is private stays so, and nothing public is forgotten.
    private = {"Kernel", "TableRows", "cli", "error_kinds", "calendar_of_policy", "table_of"}
    assert {name for name in vars(_slaclock) if not name.startswith("__")} - private <= set(slaclock.__all__)
    assert slaclock.__version__ in (ROOT / "Cargo.toml").read_text()


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "python").glob("*.py")), ids=lambda path: path.name)
def test_examples_run(path, capsys) -> None:
    runpy.run_path(str(path), run_name="__main__")
    shown = capsys.readouterr().out
    assert "2026-03-09 11:00:00+03:00" in shown
    assert "CASE-1042" in shown


def test_python_docs_find_it() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "import slaclock; help(slaclock.Policy.due)"], capture_output=True, text=True, check=True
    ).stdout
    assert "clock, received, /, **facts" in shown
    assert "NoDeadlineError" in shown
