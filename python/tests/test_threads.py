"""Threads and processes. What could go wrong: a call that holds the interpreter, a deadlock, a child that uses or closes its
parent's file, a handle that is closed under a running call.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta

import pytest
from conftest import moscow

import slaclock

NOON = moscow(2026, 3, 9, 12)
EVENING = moscow(2026, 3, 9, 19)


def test_eight_scan_while_one_writes(tmp_path, promise: slaclock.Policy) -> None:
    with slaclock.create(tmp_path / "care.slaclock", promise) as db:
        stop = threading.Event()

        def scan() -> int:
            scans = 0
            while not stop.is_set():
                rows = db.late(EVENING)
                requests = [row.request for row in rows]
                # A batch of ten is there as a whole or not at all.
                assert len(requests) % 10 == 0
                assert requests == sorted(requests)
                assert db.counts(EVENING).late % 10 == 0
                scans += 1
            return scans

        with ThreadPoolExecutor(8) as pool:
            running = [pool.submit(scan) for _ in range(8)]
            try:
                for batch in range(30):
                    rows = [{"id": f"{batch:03}-{number}", "received_at": NOON} for number in range(10)]
                    db.submit_many(rows)
            finally:
                stop.set()
            assert all(scans.result(timeout=60) > 0 for scans in running)
        assert len(db.late(EVENING)) == 300


def test_long_calls_let_other_threads_run(promise: slaclock.Policy) -> None:
    seconds = pytest.importorskip("numpy").full(20_000_000, int(NOON.timestamp()))
    ticks, done = [], threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    begin = time.perf_counter()
    promise.due_many("resolution", seconds)
    end = time.perf_counter()
    done.set()
    thread.join()
    inside = [tick for tick in ticks if begin < tick < end]
    assert end - begin > 0.01
    assert len(inside) >= 3, (end - begin, len(inside))


def test_closing_from_another_thread(tmp_path, promise: slaclock.Policy) -> None:
    for _ in range(5):
        path = tmp_path / f"care{_}.slaclock"
        db = slaclock.create(path, promise)
        db.submit_many([{"id": str(number), "received_at": NOON} for number in range(200)])
        closed: list[int] = []
        started = threading.Barrier(5)

        def use(db=db, closed=closed, started=started) -> None:
            started.wait()
            try:
                while True:
                    assert len(db.late(EVENING)) == 200
            except slaclock.ClosedError:
                closed.append(1)

        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        started.wait()
        db.close()
        for thread in threads:
            thread.join(timeout=60)
        assert len(closed) == 4


def test_one_table_in_many_threads(db: slaclock.Db) -> None:
    db.submit_many([{"id": f"{number:04}", "received_at": NOON} for number in range(2_000)])
    rows = iter(db.late(EVENING))
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda _: list(rows), range(8)))
    assert sorted(row.request for part in parts for row in part) == [f"{number:04}" for number in range(2_000)]


def due_in_child(policy: slaclock.Policy) -> slaclock.Policy:
    assert policy.due("resolution", NOON) == moscow(2026, 3, 9, 18)
    return policy


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_values_cross_processes(promise: slaclock.Policy, method: str) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
        assert pool.submit(due_in_child, promise).result(timeout=120) == promise


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_opens_its_own(tmp_path, promise: slaclock.Policy) -> None:
    """As gunicorn --preload does it: opened before the fork, used after it."""
    path = tmp_path / "care.slaclock"
    with slaclock.create(path, promise) as db:
        db.submit("parent", received=NOON)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for call in (lambda: db.get("parent"), lambda: db.submit("x", received=NOON), lambda: db.late(EVENING)):
                    try:
                        call()
                    except slaclock.ForkedHandleError as error:
                        code = 0 if error.code == 13 else 2
                    else:
                        os._exit(3)
                with slaclock.open(path) as own:
                    own.submit("child", received=NOON)
                    assert len(own.late(EVENING)) == 2
            except BaseException:
                os._exit(4)
            os._exit(code)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        # The parent goes on, and sees what the child wrote.
        db.submit("parent 2", received=NOON)
        assert [row.request for row in db.late(EVENING)] == ["parent", "child", "parent 2"]
    with slaclock.open(path) as db:
        assert db.check().differing == 0


def test_shared_handles_are_one(tmp_path, promise: slaclock.Policy) -> None:
    path = tmp_path / "care.slaclock"
    with slaclock.open(path, promise, create=True, shared=True) as one, slaclock.open(path, shared=True) as other:
        one.submit("A", received=NOON)
        assert len(other.late(EVENING)) == 1
        one.close()
        assert one.closed
        assert not other.closed
        other.submit("B", received=NOON)
    with slaclock.open(path, shared=True) as again:
        assert len(again.late(EVENING)) == 2
        slaclock.shutdown()
        with pytest.raises(slaclock.ClosedError):
            again.late(EVENING)
    with slaclock.open(path, exclusive=True) as alone:
        assert alone.info().requests == 2


WORKER = """
import sys
from datetime import datetime, timedelta, timezone
import slaclock
path, name = sys.argv[1:]
with slaclock.open(path, wait=60) as db:
    for number in range(50):
        db.submit(f"{name}-{number}", received=datetime(2026, 3, 9, 9, tzinfo=timezone.utc))
"""


def test_processes_write_to_one_file(tmp_path, promise: slaclock.Policy) -> None:
    path = tmp_path / "care.slaclock"
    slaclock.create(path, promise).close()
    workers = [subprocess.Popen([sys.executable, "-c", WORKER, path, str(number)]) for number in range(4)]
    assert [worker.wait(timeout=300) for worker in workers] == [0] * 4
    with slaclock.open(path) as db:
        assert db.info().requests == 200
        assert db.check().differing == 0


def test_waiting_ends_with_busy(tmp_path, promise: slaclock.Policy) -> None:
    path = tmp_path / "care.slaclock"
    with slaclock.create(path, promise, exclusive=True):
        begin = time.perf_counter()
        with pytest.raises(TimeoutError) as caught:
            slaclock.open(path, wait=timedelta(milliseconds=300))
        assert isinstance(caught.value, slaclock.BusyError)
        assert time.perf_counter() - begin < 10


def test_the_module_says_that_it_needs_no_gil() -> None:
    """On a free-threaded interpreter the import must not switch the interpreter's lock on again."""
    if getattr(sys, "_is_gil_enabled", None) is None or sys._is_gil_enabled():
        pytest.skip("this interpreter has its lock on; the classes are frozen and the module declares gil_used = false")
    import slaclock._slaclock  # noqa: F401

    assert not sys._is_gil_enabled()
