"""Runs the notebooks of examples/notebooks and writes them back with their outputs: `python -m pages.notebook` in docs/.

What changes from run to run (times, versions, memory addresses) is left out, so that a notebook changes only if an
answer does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[2] / "examples" / "notebooks"


def run(path: Path) -> nbformat.NotebookNode:
    """The notebook with fresh outputs. Raises `nbclient.exceptions.CellExecutionError` for a cell that fails."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def main() -> None:
    """Runs all of them, or those that are named."""
    for path in [Path(name) for name in sys.argv[1:]] or sorted(NOTEBOOKS.glob("*.ipynb")):
        nbformat.write(run(path), path)
        print(f"{path.name}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
