"""The wheel and the source package, as they are shipped. What could go wrong: a file that is missing or too much, a wheel that
is too large, a wheel that an older or newer interpreter cannot use.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

WHEELS = sorted((ROOT / "target" / "wheels").glob("slaclock-*.whl"))
needs_wheel = pytest.mark.skipif(not WHEELS, reason="no wheel in target/wheels (scripts/python wheel)")


@needs_wheel
def test_the_wheel_is_complete_and_small() -> None:
    (wheel,) = WHEELS
    assert "-cp311-abi3-" in wheel.name
    assert wheel.stat().st_size <= 6 * 2**20
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
        scripts = archive.read(next(name for name in names if name.endswith("/entry_points.txt"))).decode()
    package = {name.removeprefix("slaclock/") for name in names if name.startswith("slaclock/")}
    tree = {path.name for path in (ROOT / "python" / "slaclock").iterdir() if path.suffix in {".py", ".pyi", ".typed"}}
    assert {name for name in package if not name.endswith(".so")} == tree | {"py.typed"}
    assert len([name for name in package if name.endswith(".so")]) == 1
    assert not [name for name in names if "tests" in name or "conftest" in name]
    assert "slaclock=slaclock.__main__:main" in scripts.replace(" ", "")
    assert "Requires-Python: >=3.11" in metadata
    # Nothing is needed at run time; extras only.
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:")]
    assert all("extra ==" in line for line in needed)
    assert {"Provides-Extra: pandas", "Provides-Extra: polars"} <= set(metadata.splitlines())
    assert len([name for name in names if "/licenses/" in name]) == 2


@needs_wheel
def test_the_tests_run_what_is_shipped() -> None:
    import slaclock

    place = Path(slaclock.__file__)
    if place.is_relative_to(ROOT / "python"):
        pytest.skip("the tree's own copy is in use (scripts/python develop)")
    with zipfile.ZipFile(WHEELS[0]) as archive:
        for name in archive.namelist():
            if name.startswith("slaclock/"):
                assert (place.parent / name.removeprefix("slaclock/")).read_bytes() == archive.read(name), name


def interpreters() -> list[str]:
    """Other CPythons that can be found: on the path, or beside this one's installation under another version."""
    found: dict[str, str] = {}
    base = Path(sys.base_prefix)
    beside = [path / "bin" / "python3" for path in sorted(base.parent.glob("3.*"))] if base.parent.name == "versions" else []
    names = ["python3.11", "python3.12", "python3.13", "python3.14", "python3.15", "python3.14t", "python3.15t"]
    for candidate in [*map(shutil.which, names), *map(str, beside)]:
        if candidate is None or not os.access(candidate, os.X_OK):
            continue
        asked = "import sys, json; print(json.dumps([list(sys.version_info[:2]), sys.implementation.name, sys.abiflags]))"
        done = subprocess.run([candidate, "-c", asked], capture_output=True, text=True)
        if done.returncode == 0:
            version, name, flags = json.loads(done.stdout)
            if name == "cpython" and tuple(version) >= (3, 11):
                found.setdefault(f"{version[0]}.{version[1]}{flags}", candidate)
    return [f"{version}={path}" for version, path in sorted(found.items())]


SMOKE = """
import pickle, sys
from datetime import datetime, timedelta, timezone
import slaclock
policy = slaclock.Policy.from_toml(open(sys.argv[1]).read())
received = datetime(2026, 3, 6, 12, tzinfo=timezone.utc)
assert policy.due("resolution", received).isoformat() == "2026-03-09T11:00:00+03:00"
assert pickle.loads(pickle.dumps(policy)) == policy
assert policy.due_many("resolution", [received]) == [policy.due("resolution", received)]
with slaclock.in_memory(policy) as db:
    db.submit("A", received=received)
    late = db.late(received + timedelta(days=4))
    assert late[0].request == "A" and pickle.loads(pickle.dumps(late)) == late
    assert list(db.feed("x").advance(received + timedelta(days=4)))
    try:
        db.get("B")
    except KeyError as error:
        assert isinstance(error, slaclock.NotFoundError) and "`B`" in str(error)
    else:
        raise AssertionError
"""


@needs_wheel
@pytest.mark.parametrize("interpreter", interpreters())
def test_every_interpreter_that_can_be_found(interpreter: str, tmp_path) -> None:
    version, path = interpreter.split("=", 1)
    if version.endswith("t"):
        pytest.skip(f"{version} is a free-threaded build, which no stable ABI serves; it builds a wheel of its own")
    with zipfile.ZipFile(WHEELS[0]) as archive:
        archive.extractall(tmp_path / "site")
    done = subprocess.run(
        [path, "-c", SMOKE, str(ROOT / "examples" / "policies" / "promise.toml")],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site"), "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_the_oldest_supported_interpreter_is_among_them() -> None:
    versions = [interpreter.split("=")[0] for interpreter in interpreters()]
    if "3.11" not in versions:
        pytest.skip(f"no CPython 3.11 can be found, only {', '.join(versions)}")
    assert versions[0] == "3.11"


@needs_wheel
def test_the_source_package_holds_what_a_build_needs(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "maturin", "sdist", "--out", tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    (package,) = tmp_path.glob("slaclock-*.tar.gz")
    with tarfile.open(package) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    needed = {
        "Cargo.toml",
        "Cargo.lock",
        "pyproject.toml",
        "README.md",
        "src/lib.rs",
        "bindings/python/Cargo.toml",
        "bindings/python/src/lib.rs",
        "python/slaclock/py.typed",
        "python/slaclock/_slaclock.pyi",
    }
    assert needed <= names, needed - names
    assert not [name for name in names if name.startswith(("target/", ".venv/", "python/tests/"))]
    # The workspace in it is one that cargo takes as it is, and builds from the very versions that are locked here.
    with tarfile.open(package) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (root,) = (tmp_path / "unpacked").iterdir()
    host = subprocess.run(["rustc", "--print", "host-tuple"], capture_output=True, text=True, check=True).stdout.strip()
    ask = ["cargo", "metadata", "--offline", "--format-version", "1", "--filter-platform", host]
    read = subprocess.run(ask, cwd=root, capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
    built = {(package["name"], package["version"]) for package in json.loads(read.stdout)["packages"]}
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    assert "pyo3" in {name for name, _ in built}
    assert built <= {(package["name"], package["version"]) for package in locked}
