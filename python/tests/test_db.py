"""The database through Python. What could go wrong: an argument that gets lost or mixed up, an answer in another zone, a
handle that outlives its closing, a table whose rows and columns differ.
"""

from __future__ import annotations

import gc
import pickle
from datetime import UTC, date, datetime, timedelta

import pytest
from conftest import MOSCOW, PROMISE, moscow

import slaclock

FRIDAY = moscow(2026, 3, 6, 12)
MONDAY = moscow(2026, 3, 9, 12)


def test_a_request_from_receipt_to_resolution(db: slaclock.Db) -> None:
    answer = db.submit("CASE-1", received=FRIDAY, customer="acme", priority="high", subject="printer", floor="3")
    assert answer.outcome == "recorded"
    clock = answer.clock("resolution")
    assert clock.due_at == moscow(2026, 3, 6, 18)
    assert clock.due_at.tzinfo == MOSCOW
    assert (clock.limit_at, clock.started_at, clock.stage) == (moscow(2026, 3, 11, 18), FRIDAY, "on_track")
    assert db.submit("CASE-1", received=FRIDAY, customer="acme", priority="high", subject="printer", floor="3").outcome == (
        "already_recorded"
    )
    with pytest.raises(slaclock.ConflictError, match="another priority"):
        db.submit("CASE-1", received=FRIDAY, customer="acme", priority="low", subject="printer", floor="3")

    paused = db.event("CASE-1", "paused", reason="waiting_customer", at=FRIDAY + timedelta(hours=1), by="ann", key="k1")
    assert paused.clock("resolution").stage == "paused"
    assert paused.clock("resolution").remaining == timedelta(hours=5)
    assert paused.clock("resolution").due_at is None
    again = db.event("CASE-1", "paused", reason="waiting_customer", at=FRIDAY + timedelta(hours=1), by="ann", key="k1")
    assert again.outcome == "already_recorded"
    db.event("CASE-1", "resumed", at=MONDAY)
    db.event("CASE-1", "changed", at=MONDAY, priority="low", facts={"floor": None})
    db.event("CASE-1", "assigned", to="bob", at=MONDAY, text="please")
    db.event("CASE-1", "promised", due=MONDAY + timedelta(hours=1), at=MONDAY)
    db.event("CASE-1", "vendor_contacted", vendor="paperco", at=MONDAY)
    done = db.event("CASE-1", "resolved", at=MONDAY + timedelta(hours=2))
    assert (done.clock("resolution").stage, done.clock("resolution").finished_at) == (
        "met",
        MONDAY + timedelta(hours=2),
    )

    known = db.get("CASE-1")
    assert known.request == slaclock.Request("CASE-1", FRIDAY, "acme", "high", None, None, "printer", {"floor": "3"})
    assert known.facts == {"customer": "acme", "priority": "low"}
    assert (known.policy, known.state, known.closed_at) == ("customer-care v1", "resolved", MONDAY + timedelta(hours=2))
    assert [event.event for event in known.events] == [
        "paused",
        "resumed",
        "changed",
        "assigned",
        "promised",
        "vendor_contacted",
        "resolved",
    ]
    by_word = {event.event: event for event in known.events}
    assert by_word["paused"] == slaclock.Event(
        "paused", FRIDAY + timedelta(hours=1), by="ann", key="k1", reason="waiting_customer"
    )
    assert by_word["changed"].facts == {"priority": "low", "floor": ""}
    assert (by_word["assigned"].to, by_word["assigned"].text) == ("bob", "please")
    assert by_word["promised"].due == MONDAY + timedelta(hours=1)
    assert by_word["vendor_contacted"].vendor == "paperco"
    assert db.get("CASE-1", now=FRIDAY + timedelta(hours=2)).clock("resolution").stage == "paused"
    assert pickle.loads(pickle.dumps(known)) == known
    with pytest.raises(slaclock.NotFoundError, match="`resolution`"):
        known.clock("resolutoin")


@pytest.mark.parametrize(
    ("event", "fields", "said"),
    [
        ("pause", {}, "must be one of received, acknowledged"),
        ("paused", {}, "reason"),
        ("resolved", {"reason": "x"}, "carries no `reason`"),
        ("changed", {}, "names no fact"),
        ("replied", {"mood": "good"}, "carries no"),
        ("received", {}, "submitting"),
        ("promised", {"due": FRIDAY}, "must be later"),
    ],
)
def test_wrong_events_are_refused(db: slaclock.Db, event: str, fields: dict, said: str) -> None:
    db.submit("A", received=FRIDAY)
    with pytest.raises(slaclock.InvalidEventError, match=said):
        db.event("A", event, at=FRIDAY, **fields)
    assert db.info().events == 0


def test_unknown_requests_are_not_found(db: slaclock.Db) -> None:
    for call in (lambda: db.get("X"), lambda: db.event("X", "replied"), lambda: db.explain("X", "resolution")):
        with pytest.raises(slaclock.NotFoundError, match="`X`"):
            call()
        with pytest.raises(KeyError):
            call()
    with pytest.raises(slaclock.InvalidArgumentError, match="1 to 255"):
        db.submit("", received=FRIDAY)


@pytest.fixture
def busy(db: slaclock.Db) -> slaclock.Db:
    """100 requests, one a minute, on a Monday from 12:00: all due at 18:00, 41 % handled at 17:00."""
    for number in range(100):
        received = MONDAY + timedelta(minutes=number)
        db.submit(f"R{number:03}", received=received, priority="high" if number % 4 == 0 else "low")
        if number % 100 < 41:
            db.event(f"R{number:03}", "resolved", at=MONDAY.replace(hour=17))
    return db


def test_scans_are_tables(busy: slaclock.Db) -> None:
    after = MONDAY.replace(hour=18, minute=0, second=1)
    late = busy.late(after)
    assert len(late) == 59
    assert late.columns == ("request", "clock", "cycle", "stage", "due_at", "limit_at", "started_at")
    first = late[0]
    assert first == slaclock.Row(
        "R041",
        "resolution",
        1,
        "late",
        moscow(2026, 3, 9, 18),
        moscow(2026, 3, 12, 18),
        MONDAY + timedelta(minutes=41),
    )
    assert isinstance(first, slaclock.Row)
    assert first.due_at.tzinfo == MOSCOW
    rows = list(late)
    assert rows == [late[place] for place in range(59)]
    assert rows[-1] == late[-1] == late[58]
    assert late[1:4] == rows[1:4]
    assert late[::-20] == rows[::-20]
    assert [row.request for row in rows] == sorted(row.request for row in rows)
    for place in (59, -60):
        with pytest.raises(IndexError, match="the table has 59"):
            late[place]
    assert late.next is None
    dicts = late.to_dicts()
    assert dicts[0]["due_at"] == first.due_at
    assert [tuple(row.values()) for row in dicts] == [tuple(row) for row in rows]
    assert late == busy.late(after)
    assert late != busy.late(MONDAY)
    assert pickle.loads(pickle.dumps(late)) == late
    assert list(pickle.loads(pickle.dumps(late))) == rows
    assert repr(late).startswith("<slaclock.Table of 59 × Row: request, clock")
    assert "… 39 more, 59 in all" in str(late)
    assert late._repr_html_().count("<tr>") == 21
    assert "R041" in str(late)


def test_pages_join_to_the_whole(busy: slaclock.Db) -> None:
    after = MONDAY.replace(hour=19)
    whole, pages, key = list(busy.late(after)), [], None
    while True:
        page = busy.late(after, limit=7, after=key)
        pages += page
        if (key := page.next) is None:
            break
    assert pages == whole
    for limit in (0, 10_001):
        with pytest.raises(slaclock.OutOfRangeError):
            busy.late(after, limit=limit)


def test_every_scan(busy: slaclock.Db) -> None:
    six = MONDAY.replace(hour=18)
    assert len(busy.late(six)) == 0
    assert len(busy.at_risk(MONDAY.replace(hour=17, minute=59))) == 59
    assert len(busy.due_before(six)) == 0
    assert len(busy.due_before(six + timedelta(seconds=1))) == 59
    assert len(busy.breached(moscow(2026, 3, 12, 18, 0, 1))) == 59
    assert len(busy.scan(six)) == 59
    assert len(busy.scan(six, stages=["late", "breached"])) == 0
    assert len(busy.scan(six, since=six, until=six + timedelta(seconds=1), clock="resolution")) == 59
    next_due = busy.next_due(six)
    assert next_due is not None
    assert next_due._replace(stage="late") == busy.due_before(six + timedelta(seconds=1))[0]
    assert busy.next_due(six + timedelta(seconds=1)) is None
    counts = busy.counts(six + timedelta(seconds=1))
    assert counts == slaclock.Counts(0, 0, 59, 0, 0, 0, 41, 0, 0)
    assert (counts.open, counts.total) == (59, 100)
    with pytest.raises(slaclock.InvalidArgumentError, match="must be on_track"):
        busy.scan(six, stages=["paused"])  # type: ignore[list-item]
    with pytest.raises(slaclock.NotFoundError):
        busy.late(six, clock="resolutoin")
    # Without `now` it is the system clock's, which is long after.
    assert len(busy.breached()) == 59


def test_attainment_counts_apart(busy: slaclock.Db) -> None:
    now = moscow(2026, 4, 2)
    table = busy.attainment("2026-03", now=now)
    assert len(table) == 1
    line = table[0]
    assert isinstance(line, slaclock.Attainment)
    assert (line.by, line.clock, line.met, line.missed, line.share_bp, line.goal_bp) == (
        {},
        "resolution",
        41,
        59,
        4100,
        9500,
    )
    assert (line.period_first, line.period_last, line.verdict) == (date(2026, 3, 1), date(2026, 3, 31), "broken")
    assert (line.allowed_misses, line.budget_left) == (5, -54)
    assert str(table).startswith("March 2026: 41 % of 100 by resolution; goal 95 %: broken")
    groups = busy.attainment((date(2026, 3, 1), date(2026, 3, 31)), by=["priority", "mood"], now=now)
    assert [group.by for group in groups] == [{"priority": "high", "mood": None}, {"priority": "low", "mood": None}]
    assert sum(group.met for group in groups) == 41
    assert str(groups).splitlines()[0].startswith("priority high, mood -: March 2026")
    assert pickle.loads(pickle.dumps(groups)) == groups
    assert [group.by for group in pickle.loads(pickle.dumps(groups))] == [group.by for group in groups]
    months = busy.attainment(per="month", now=now)
    assert [(group.period_first, group.met) for group in months] == [(date(2026, 3, 1), 41)]
    assert busy.attainment("2026-02", by=["priority"], now=now)[:] == []
    for wrong in ("March", "2026-13"):
        with pytest.raises((slaclock.InvalidArgumentError, slaclock.OutOfRangeError)):
            busy.attainment(wrong, now=now)
    with pytest.raises(slaclock.InvalidArgumentError, match='must be "month"'):
        busy.attainment(per="week", now=now)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="period of type float"):
        busy.attainment(2026.3, now=now)  # type: ignore[arg-type]


def test_waiting_is_in_timedeltas(db: slaclock.Db) -> None:
    db.submit("A", received=FRIDAY)
    db.event("A", "paused", reason="waiting_customer", at=FRIDAY + timedelta(hours=1))
    db.event("A", "resumed", at=MONDAY)
    (line,) = db.waiting(now=MONDAY)
    assert line == slaclock.Waiting(
        "waiting_customer", 1, 1, MONDAY - FRIDAY - timedelta(hours=1), timedelta(hours=8), timedelta(days=2, hours=23)
    )
    assert db.waiting("2026-02", now=MONDAY)[:] == []


def test_the_feed_hands_out_each_notice_once(busy: slaclock.Db) -> None:
    feed = busy.feed("mailer")
    assert (feed.consumer, feed.acknowledged, list(feed)) == ("mailer", 0, [])
    notices = feed.advance(MONDAY.replace(hour=19))
    assert len(notices) > 59
    seen = []
    for notice in notices:
        seen.append(notice)
        if notice.number == 10:
            notice.ack()
    assert [notice.number for notice in seen] == list(range(1, len(seen) + 1))
    assert feed.acknowledged == 10
    late = [notice for notice in seen if notice.threshold == "late"]
    assert len(late) == 59
    assert (late[0].at, late[0].percent, late[0].by_change, late[0].retracted) == (
        moscow(2026, 3, 9, 18),
        None,
        False,
        False,
    )
    assert late[0].at.tzinfo == MOSCOW
    assert {notice.percent for notice in seen if notice.threshold == "warning"} == {50, 75}
    # Another handle sees the same cursor; another consumer its own.
    assert next(iter(busy.feed("mailer"))).number == 11
    assert len(busy.feed("pager").pending()) == len(seen)
    assert list(busy.feed("mailer").pending(3)) == seen[10:13]
    feed.ack()
    assert feed.acknowledged == len(seen)
    assert len(feed.advance(MONDAY.replace(hour=19))) == 0
    alone = pickle.loads(pickle.dumps(seen[0]))
    assert alone == seen[0]
    with pytest.raises(slaclock.ClosedError, match=r"use db\.feed"):
        alone.ack()
    with pytest.raises(slaclock.OutOfRangeError):
        feed.acknowledge(len(seen) + 1)
    with pytest.raises(slaclock.InvalidArgumentError):
        busy.feed("")


def test_batches_are_one_transaction(db: slaclock.Db) -> None:
    rows = [{"id": f"B{number}", "received_at": FRIDAY, "priority": "high", "floor": "2"} for number in range(5)]
    assert db.submit_many(rows) == slaclock.Batch(5, 5, 0, ())
    assert db.submit_many(rows) == slaclock.Batch(5, 0, 5, ())
    assert db.get("B0").request.attributes == {"floor": "2"}
    wrong = [*({**row, "id": row["id"] + "x"} for row in rows), {**rows[0], "priority": "low"}]
    with pytest.raises(slaclock.ConflictError, match="row 5 of 6"):
        db.submit_many(wrong)
    assert db.info().requests == 5
    batch = db.submit_many(wrong, on_error="skip")
    assert batch[:3] == (6, 5, 0)
    ((row, error),) = batch.errors
    assert row == 5
    assert isinstance(error, slaclock.ConflictError)
    with pytest.raises(slaclock.InvalidArgumentError, match="row 1: `received_at`: is missing"):
        db.submit_many([rows[0], {"id": "C"}])
    with pytest.raises(TypeError, match="row 0 of type int"):
        db.submit_many([3])  # type: ignore[list-item]
    with pytest.raises(slaclock.InvalidArgumentError, match="on_error"):
        db.submit_many(rows, on_error="ignore")  # type: ignore[arg-type]


def test_policies_are_installed_in_versions(db: slaclock.Db, promise: slaclock.Policy) -> None:
    assert db.policy == promise
    second = slaclock.Policy.from_toml(PROMISE.replace("version   = 1", "version   = 2"))
    db.install(second, MONDAY)
    assert db.policy == second
    assert [(info.version, info.in_force_from) for info in db.policies()] == [
        (1, datetime(1970, 1, 1, tzinfo=UTC)),
        (2, MONDAY),
    ]
    db.submit("OLD", received=FRIDAY)
    db.submit("NEW", received=MONDAY)
    assert [db.get(request).policy[-1] for request in ("OLD", "NEW")] == ["1", "2"]
    with pytest.raises(slaclock.ConflictError):
        db.install(promise, MONDAY)


def test_explaining_a_request(db: slaclock.Db) -> None:
    db.submit("A", received=FRIDAY, priority="high")
    story = db.explain("A", "resolution", now=MONDAY)
    assert story.to_dict()["request"] == "A"
    assert "priority `high`" in str(story)
    assert story == db.explain("A", "resolution", now=MONDAY)


def test_checking_and_rebuilding(tmp_path, promise: slaclock.Policy) -> None:
    with slaclock.create(tmp_path / "care.slaclock", promise) as db:
        db.submit_many([{"id": f"B{number}", "received_at": FRIDAY} for number in range(50)])
        db.event("B1", "resolved", at=FRIDAY)
        for outcome in (db.rebuild(verify=True), db.check(), db.rebuild()):
            assert (outcome.requests, outcome.events, outcome.differing, outcome.repaired) == (50, 1, 0, 0)
            assert outcome.differences == ()
        info = db.info()
        assert (info.requests, info.events, info.latest_event_at, info.advanced_to) == (50, 1, FRIDAY, None)
        assert info.file_bytes == (tmp_path / "care.slaclock").stat().st_size
        db.flush()
        assert db.compact() in (True, False)


def test_opening(tmp_path, promise: slaclock.Policy) -> None:
    path = tmp_path / "care.slaclock"
    with pytest.raises(slaclock.FileMissingError):
        slaclock.open(path)
    with pytest.raises(slaclock.InvalidArgumentError, match="needs a policy"):
        slaclock.open(path, create=True)
    assert not path.exists()
    with slaclock.open(path, policy=promise, create=True) as db:
        db.submit("A", received=FRIDAY)
        assert repr(db) == f"<slaclock.Db {path}>"
    with slaclock.open(str(path), policy=promise, create=True) as db:
        assert db.info().requests == 1
        assert db.path == path
    with pytest.raises(slaclock.AlreadyExistsError):
        slaclock.create(path, promise)
    second = slaclock.Policy.from_toml(PROMISE.replace("version   = 1", "version   = 2"))
    with pytest.raises(slaclock.ConflictError, match=r"bring it in with db\.install"):
        slaclock.open(path, policy=second)
    other = slaclock.Policy.from_toml(PROMISE.replace("11:00", "12:00"))
    with pytest.raises(slaclock.ConflictError, match="another text"):
        slaclock.open(path, policy=other)
    with slaclock.open(path) as db:
        db.install(second, MONDAY)
    with slaclock.open(path, policy=promise) as db:
        assert db.policy == second
    with slaclock.open(path, read_only=True) as db, pytest.raises(slaclock.ReadOnlyError):
        db.submit("B", received=FRIDAY)
    (tmp_path / "text.slaclock").write_text("no database")
    with pytest.raises(slaclock.NotADatabaseError):
        slaclock.open(tmp_path / "text.slaclock")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"durability": "fast"}, slaclock.InvalidArgumentError),
        ({"durability": "bulk"}, slaclock.UnsupportedError),
        ({"verify": "maybe"}, slaclock.InvalidArgumentError),
        ({"wait": -1}, slaclock.OutOfRangeError),
        ({"wait": float("nan")}, slaclock.OutOfRangeError),
        ({"wait": "5s"}, TypeError),
        ({"cache": 3}, TypeError),
    ],
)
def test_wrong_options_are_refused(tmp_path, promise: slaclock.Policy, options: dict, error: type[Exception]) -> None:
    with pytest.raises(error):
        slaclock.open(tmp_path / "care.slaclock", policy=promise, create=True, **options)
    assert not (tmp_path / "care.slaclock").exists()


def test_right_options_are_taken(tmp_path, promise: slaclock.Policy) -> None:
    options: dict = {"wait": timedelta(seconds=1), "durability": "bulk", "exclusive": True, "cache_bytes": 1 << 20}
    with slaclock.open(tmp_path / "care.slaclock", policy=promise, create=True, verify="always", **options) as db:
        db.submit("A", received=FRIDAY)
        with pytest.raises(slaclock.BusyError), slaclock.open(tmp_path / "care.slaclock", wait=0.1):
            pass


def test_after_closing_everything_is_closed(promise: slaclock.Policy) -> None:
    db = slaclock.in_memory(promise)
    feed = db.feed("mailer")
    table = db.late(MONDAY)
    with db as same:
        assert same is db
    assert db.closed
    db.close()
    calls = [
        lambda: db.submit("A"),
        lambda: db.get("A"),
        lambda: db.late(),
        lambda: db.policy,
        lambda: feed.advance(),
        lambda: list(feed),
        lambda: db.import_events([]),
    ]
    for call in calls:
        with pytest.raises(slaclock.ClosedError, match="the database is closed"):
            call()
    assert len(table) == 0
    assert repr(db) == "<slaclock.Db database in memory, closed>"


def test_an_exception_inside_with_closes(promise: slaclock.Policy) -> None:
    with pytest.raises(ZeroDivisionError), slaclock.in_memory(promise) as db:
        raise ZeroDivisionError
    assert db.closed
    del db
    gc.collect()
