"""Runs every example of the documentation, page by page, as a reader would: top to bottom, in one folder, in one session.

```python and ```pycon  run in a namespace that the page shares
```console              `$ command` runs in bash; the lines below it are what it must print, `…` alone stands for any lines
```c                    a block with `main` is compiled with every warning an error, linked with the library, and run
```text                 after a C or Python block: what it must print
A first line that is a comment with a file name, like `# promise.toml`, writes the block to that file in the page's folder.

Rust blocks run with `cargo test --doc`. ```sh blocks install software; only docs/install.md may have any, and they are
what the build itself does.
"""

from __future__ import annotations

import contextlib
import difflib
import doctest
import importlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser
from sybil.typing import Evaluator

ROOT = Path(__file__).resolve().parents[1]
INCLUDE = ROOT / "include"
_NAMED = re.compile(r"(?:#|//|/\*) (?P<name>[\w./-]+\.\w+)(?: \*/)?\n")


def _setup(namespace: dict[str, Any]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="slaclock-docs-"))
    (folder / "examples").symlink_to(ROOT / "examples")
    namespace["_before"] = (folder, Path.cwd(), os.environ.get("PATH", ""))
    # The console script of the interpreter that runs the tests, not another one.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    sys.path.insert(0, str(folder))
    os.chdir(folder)


def _teardown(namespace: dict[str, Any]) -> None:
    folder, before, path = namespace.pop("_before")
    os.chdir(before)
    os.environ["PATH"] = path
    sys.path.remove(str(folder))
    for name in [name for name, module in sys.modules.items() if str(folder) in str(getattr(module, "__file__", None))]:
        del sys.modules[name]
    shutil.rmtree(folder)


def _written(text: str) -> bool:
    """Writes a block that names a file; whether it did."""
    found = _NAMED.match(text)
    if found is None:
        return False
    path = Path(found["name"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    importlib.invalidate_caches()
    return True


def evaluate_file(example: Example) -> str | None:
    _written(example.parsed)
    return None


def evaluate_console(example: Example) -> str | None:
    for command, expected in commands(example.parsed):
        run = subprocess.run(
            ["bash", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            env={**os.environ, "NO_COLOR": "1", "LC_ALL": "C.UTF-8"},
        )
        if difference := compare(expected, run.stdout):
            return f"$ {command}\n{difference}\nexit code {run.returncode}"
    return None


def commands(block: str) -> list[tuple[str, str]]:
    """The commands of a block, lines continued with a backslash joined, each with what it must print."""
    found: list[tuple[list[str], list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif not found:
            raise ValueError(f"a console block must begin with `$ `, not with {line!r}")
        elif found[-1][0][-1].endswith("\\") and not found[-1][1]:
            found[-1][0].append(line)
        else:
            found[-1][1].append(line)
    return [("\n".join(command), "\n".join(output)) for command, output in found]


def compare(expected: str, found: str) -> str:
    """What differs; empty if nothing does. A line `…` stands for any number of lines."""
    wanted, got = expected.strip("\n"), "\n".join(line.rstrip() for line in found.strip("\n").splitlines())
    pattern = re.escape("\n".join(line.rstrip() for line in wanted.splitlines()))
    pattern = re.sub(r"(?m)^…(\\\n)?", lambda line: "(?:.*\n)*" if line[1] else "(?:.*\n?)*", pattern)
    if re.fullmatch(pattern, got) or re.fullmatch(pattern, got + "\n"):
        return ""
    return "\n".join(difflib.unified_diff(wanted.splitlines(), got.splitlines(), "the page", "the command", lineterm=""))


def evaluate_c(example: Example) -> str | None:
    program = example.parsed
    if "int main(" not in program:
        return f"line {example.line}: a C block must be a whole program"
    Path("program.c").write_text(program, encoding="utf-8")
    library = _library()
    if library is None:
        return f"no libslaclock.so in {ROOT / 'target'}: run `cargo build -p slaclock-capi`, or set SLACLOCK_LIB"
    # The build folder has the library under its plain name; programs look for its soname.
    link = Path("libslaclock.so.0")
    if not link.exists():
        link.symlink_to(library / "libslaclock.so")
    warnings = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    command = [os.environ.get("CC", "cc"), *warnings, f"-I{INCLUDE}", "program.c", "-o", "program", f"-L{library}", "-lslaclock"]
    compiled = subprocess.run([*command, f"-Wl,-rpath,{Path.cwd()}:{library}"], capture_output=True, text=True)
    if compiled.returncode != 0:
        return compiled.stderr
    run = subprocess.run(["./program"], capture_output=True, text=True, timeout=60)
    example.namespace["_printed"] = run.stdout
    return None if run.returncode == 0 else f"exit code {run.returncode}\n{run.stdout}{run.stderr}"


def _library() -> Path | None:
    """Where libslaclock is: SLACLOCK_LIB, or what cargo built last; `None` if it is nowhere."""
    if given := os.environ.get("SLACLOCK_LIB"):
        return Path(given).resolve()
    built = [path for path in (ROOT / "target").glob("*/libslaclock.so") if path.is_file()]
    if not built:
        return None
    return max(built, key=lambda path: path.stat().st_mtime).parent


def evaluate_text(example: Example) -> str | None:
    if "_printed" not in example.namespace:
        return f"line {example.line}: a text block must follow a program"
    return compare(example.parsed, example.namespace.pop("_printed")) or None


class Output:
    """Takes what Python blocks print, for the text block that follows; an exception becomes the block's failure."""

    def __init__(self, evaluate: Evaluator) -> None:
        self.evaluate = evaluate

    def __call__(self, example: Example) -> str | None:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            try:
                answer = self.evaluate(example)
            except Exception:
                answer = traceback.format_exc(limit=-3)
        example.namespace["_printed"] = printed.getvalue()
        return answer


def evaluate_install(example: Example) -> str | None:
    if Path(example.path).name != "install.md":
        return f"line {example.line}: sh blocks stand in install.md only; use console, which runs"
    return None


class PythonBlocks:
    """Python that runs, or is written to the file that it names."""

    def __init__(self) -> None:
        self.blocks = PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS)

    def __call__(self, document: Document) -> Iterator[Region]:
        for region in self.blocks(document):
            if isinstance(region.parsed, str) and _NAMED.match(region.parsed):
                region.evaluator = evaluate_file
            elif isinstance(region.parsed, str):
                region.evaluator = Output(region.evaluator)
            yield region


PAGES = ("index.md", "install.md", "quickstart-*.md", "agreement.md", "reports.md", "cookbook/*.md")

pytest_collect_file = Sybil(
    parsers=[
        PythonBlocks(),
        CodeBlockParser("pycon", lambda example: "write ```python with `>>>` instead"),
        CodeBlockParser("console", evaluate_console),
        CodeBlockParser("c", evaluate_c),
        CodeBlockParser("text", evaluate_text),
        CodeBlockParser("toml", evaluate_file),
        CodeBlockParser("ini", evaluate_file),
        CodeBlockParser("sh", evaluate_install),
    ],
    patterns=PAGES,
    setup=_setup,
    teardown=_teardown,
).pytest()

collect_ignore = ["conf.py"]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT
