"""The notebooks run, and what is committed is what they say. What could go wrong: a cell fails, an answer differs from the one
that readers see, outputs with warnings or paths of one machine, a file too large to carry.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

from pages import notebook  # noqa: E402

PATHS = sorted(notebook.NOTEBOOKS.glob("*.ipynb"))


def texts(read: nbformat.NotebookNode) -> list[str]:
    """What the cells print and show, without pictures, whose bytes depend on the machine's fonts."""
    found = []
    for cell in read.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" not in data:
                found.append(output.get("text") or data.get("text/html") or data.get("text/plain") or "")
    return found


def pictures(read: nbformat.NotebookNode) -> int:
    outputs = [output for cell in read.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def test_there_is_one() -> None:
    assert [path.name for path in PATHS] == ["servicenow.ipynb"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_notebook_says_what_is_committed(path: Path) -> None:
    committed = nbformat.read(path, as_version=4)
    nbformat.validate(committed)
    ran = notebook.run(path)
    assert texts(ran) == texts(committed)
    assert pictures(ran) == pictures(committed) >= 4


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_committed_notebook_is_fit_to_be_read(path: Path) -> None:
    assert path.stat().st_size < 1_000_000
    read = nbformat.read(path, as_version=4)
    for cell in read.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", output.get("text")
            assert output["output_type"] != "error", output
    assert str(ROOT) not in path.read_text(encoding="utf-8")
