"""Progress of long calls: a callable of the caller's, or a bar drawn by tqdm or rich where one of them is installed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

Report: TypeAlias = Callable[[int, "int | None"], object]


def reporter(progress: bool | Report | None) -> tuple[Report | None, Callable[[], object]]:
    """What to call with (done, total) between chunks, and what to call at the end.

    `True` draws a bar with tqdm, else with rich, else a line of text on the standard error stream.
    """
    if progress is None or progress is False:
        return None, _nothing
    if callable(progress):
        return progress, _nothing
    if progress is not True:
        raise TypeError(f"progress of type {type(progress).__name__}: must be True, False or a callable of (done, total)")
    for bar in (_tqdm, _rich):
        try:
            return bar()
        except ImportError:
            continue
    return _line()


def _nothing() -> None:
    pass


def _tqdm() -> tuple[Report, Callable[[], object]]:
    bar: Any = importlib.import_module("tqdm").tqdm(total=None, unit="B", unit_scale=True, desc="slaclock")

    def report(done: int, total: int | None) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return report, bar.close


def _rich() -> tuple[Report, Callable[[], object]]:
    progress: Any = importlib.import_module("rich.progress").Progress()
    task = progress.add_task("slaclock", total=None)
    progress.start()

    def report(done: int, total: int | None) -> None:
        progress.update(task, completed=done, total=total)

    return report, progress.stop


def _line() -> tuple[Report, Callable[[], object]]:
    def report(done: int, total: int | None) -> None:
        share = f"{100 * done // total:3} %" if total else f"{done}"
        print(f"\rslaclock: {share}", end="", file=sys.stderr, flush=True)

    return report, lambda: print(file=sys.stderr)
