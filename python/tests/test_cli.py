"""The command line. What could go wrong: `python -m slaclock`, the console script and the binary that differ."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from conftest import ROOT

import slaclock

PROMISE = ROOT / "examples" / "policies" / "promise.toml"
DUE = ["due", str(PROMISE), "--received", "2026-03-06 15:00"]


def run(command: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120)


def script() -> str:
    """The console script that was installed beside this interpreter."""
    found = Path(sysconfig.get_path("scripts")) / "slaclock"
    assert found.exists(), f"no console script at {found}"
    return str(found)


@pytest.fixture(params=["module", "script"])
def command(request) -> list[str]:
    return [sys.executable, "-m", "slaclock"] if request.param == "module" else [script()]


def test_deadlines(command) -> None:
    done = run(command, *DUE)
    assert done.returncode == 0, done.stderr
    assert "Mon 2026-03-09 11:00" in done.stdout
    assert done.stderr == ""


def test_version_and_help(command) -> None:
    assert run(command, "--version").stdout.strip() == f"slaclock {slaclock.__version__}"
    helped = run(command, "--help")
    assert helped.returncode == 0
    assert "Usage: slaclock" in helped.stdout


def test_errors_are_two(command) -> None:
    for arguments in (["due", "/nowhere.toml", "--received", "2026-03-06 15:00"], ["no-such-command"], []):
        done = run(command, *arguments)
        assert done.returncode == 2, arguments
        assert done.stderr
        assert done.stdout == ""
        assert "Traceback" not in done.stderr


def test_late_is_one(command, tmp_path, promise: slaclock.Policy) -> None:
    from conftest import moscow

    with slaclock.create(tmp_path / "care.slaclock", promise) as db:
        db.submit("A", received=moscow(2026, 3, 9, 12))
    done = run(command, "scan", str(tmp_path / "care.slaclock"), "--now", "2026-03-09 19:00")
    assert done.returncode == 1
    assert "A" in done.stdout


def test_a_closed_pipe_is_no_traceback(command) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$@" | head -1', "sh", *command, "explain", str(PROMISE), "resolution", "--received", "2026-03-06 15:00"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) == 1


def test_the_binary_says_the_same(command) -> None:
    builds = [ROOT / "target" / profile / "slaclock" for profile in ("release", "debug")]
    built = [binary for binary in builds if binary.exists()]
    if not built:
        pytest.skip("the Rust binary is not built (make build, or make tests)")
    newest = max(built, key=lambda binary: binary.stat().st_mtime)
    ours, theirs = run(command, *DUE), run([str(newest)], *DUE)
    assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout)
