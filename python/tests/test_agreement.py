"""Living with an agreement. What could go wrong: a document of the core has a field that no class has, an instant comes as a
number, a wrong word is taken, a dry run writes."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from conftest import PROMISE, moscow

import slaclock

FRIDAY = moscow(2026, 3, 6, 15)
MONDAY = moscow(2026, 3, 9, 10)


@pytest.fixture
def desk(db: slaclock.Db) -> slaclock.Db:
    """Three requests of Friday 15:00, due on Monday at 11:00."""
    for number, customer in enumerate(["acme", "acme", "bolt"], 1):
        db.submit(f"CASE-{number}", received=FRIDAY, customer=customer)
    return db


def test_the_outlook_says_what_decides_the_month(desk: slaclock.Db) -> None:
    (outlook,) = desk.outlook(MONDAY)
    assert (outlook.misses_allowed, outlook.misses_left, outlook.must_finish) == (0, 0, 3)
    assert outlook.attainment.period == slaclock.Period(date(2026, 3, 1), date(2026, 3, 31))
    assert [open.request for open in outlook.deciding] == ["CASE-1", "CASE-2", "CASE-3"]
    assert outlook.deciding[0].due_at == moscow(2026, 3, 9, 11)
    assert outlook.breaks_at == outlook.deciding[0].due_at and outlook.breaks_at.tzinfo is not None
    assert pickle.loads(pickle.dumps(outlook)) == outlook
    with pytest.raises(slaclock.NotFoundError):
        desk.outlook(MONDAY, clock="resolutoin")
    with pytest.raises(slaclock.InvalidArgumentError):
        desk.outlook(MONDAY, until=FRIDAY)


def test_interruptions_move_deadlines_and_say_which(desk: slaclock.Db) -> None:
    since, until = moscow(2026, 3, 9, 9), moscow(2026, 3, 9, 10)
    tried = desk.declare_interruption("power", since=since, until=until, by="ann", at=MONDAY, dry_run=True)
    assert tried.dry_run and desk.interruptions() == ()
    done = desk.declare_interruption("power", since=since, until=until, by="ann", at=MONDAY, text="the street is dark")
    assert (done.entry.number, done.entry.act, done.entry.window.since) == (1, "declared", since)
    assert done.moved == tried.moved
    amended = desk.amend_interruption(1, "power", since=since, until=until, scope={"customer": "bolt"}, by="ann", at=MONDAY)
    assert amended.entry.window.scope == {"customer": "bolt"}
    desk.withdraw_interruption(1, by="bob", at=MONDAY)
    assert [entry.act for entry in desk.interruptions()] == ["declared", "amended", "withdrawn"]
    opened = desk.declare_interruption("internet_telecom", since=since, by="ann", at=MONDAY)
    ended = desk.end_interruption(opened.entry.number, until, by="ann", at=MONDAY)
    assert ended.entry.window.until == until
    with pytest.raises(slaclock.InvalidArgumentError, match="earthquake"):
        desk.declare_interruption("earthquake", since=since, by="ann", at=MONDAY)
    with pytest.raises(slaclock.InvalidArgumentError, match="scope"):
        desk.declare_interruption("power", since=since, scope={"planet": "earth"}, by="ann", at=MONDAY)
    with pytest.raises(slaclock.ConflictError):
        desk.withdraw_interruption(1, by="bob", at=MONDAY)


def test_a_new_version_is_brought_in_with_a_list_of_what_moves(desk: slaclock.Db) -> None:
    later = PROMISE.replace("version   = 1", "version   = 2").replace("next day, 11:00", "next day, 12:00")
    desk.install(slaclock.Policy.from_toml(later), MONDAY)
    tried = desk.migrate(by="ann", at=MONDAY, scope={"customer": "acme"}, dry_run=True)
    assert tried.requests == 2 and tried.to[0].version == 2
    shift = tried.moved[0]
    assert shift.before is not None and shift.after is not None
    assert shift.before.due_at == moscow(2026, 3, 9, 11) and shift.after.due_at == moscow(2026, 3, 9, 12)
    assert desk.get("CASE-1").policy == "customer-care v1"
    assert desk.migrate(2, by="ann", at=MONDAY).requests == 3
    assert desk.get("CASE-1").policy == "customer-care v2"
    assert desk.retz(by="ann", at=MONDAY, dry_run=True).moved == ()
    with pytest.raises(slaclock.NotFoundError):
        desk.migrate(9, by="ann", at=MONDAY)


def test_copies_and_salvage(tmp_path: Path, promise: slaclock.Policy) -> None:
    with slaclock.create(tmp_path / "care.slaclock", promise) as db:
        db.submit("CASE-1", received=FRIDAY)
        db.event("CASE-1", "replied", at=MONDAY)
        assert db.fork(tmp_path / "fork.slaclock") > 4096
        with pytest.raises(slaclock.AlreadyExistsError):
            db.fork(tmp_path / "fork.slaclock")
    saved = slaclock.salvage(tmp_path / "care.slaclock", tmp_path / "saved.slaclock")
    assert (saved.requests, saved.events, saved.lost_requests, saved.unreadable) == (1, 1, 0, 0)
    with slaclock.open(tmp_path / "saved.slaclock") as db:
        assert db.get("CASE-1").events[0].event == "replied"
    with pytest.raises(slaclock.FileMissingError):
        slaclock.salvage(tmp_path / "none.slaclock", tmp_path / "other.slaclock")


def test_figures_come_with_their_ids(desk: slaclock.Db, tmp_path: Path) -> None:
    april = moscow(2026, 4, 1, 9)
    (fairness,) = desk.fairness(["customer"], "2026-03", now=april)
    assert [group.values for group in fairness.groups] == [("acme",), ("bolt",)]
    assert fairness.groups[0].missed.first == ("CASE-1", "CASE-2")
    assert fairness.groups[0].handled.median == timedelta(0)
    report = desk.report("2026-03", now=april)
    assert report.to_dict()["clocks"][0]["ids"]["missed"]["total"] == 3
    report.save(tmp_path / "march.html")
    assert (tmp_path / "march.html").read_text(encoding="utf-8").startswith("<!")
    assert [judged.verdict for judged in desk.judged("2026-03", now=april)] == ["missed"] * 3
    with pytest.raises(slaclock.NotFoundError):
        desk.fairness(["planet"], now=april)


def test_expedites_have_a_quota_and_misses_can_be_waived() -> None:
    text = PROMISE + '[expedites]\nper_month = 1\n[waivers]\nby = ["bob"]\n'
    with slaclock.in_memory(slaclock.Policy.from_toml(text)) as db:
        for number in (1, 2):
            db.submit(f"CASE-{number}", received=FRIDAY, customer="acme")
        db.event("CASE-1", "expedited", at=FRIDAY, by="ann")
        with pytest.raises(slaclock.QuotaExceededError, match="acme"):
            db.event("CASE-2", "expedited", at=FRIDAY, by="ann")
        db.event("CASE-2", "expedited", at=FRIDAY, by="ann", approved_by="bob")
        quota = db.expedite_quota("acme", FRIDAY)
        assert (quota.used, quota.per_month, quota.next_free_at) == (2, 1, moscow(2026, 4, 1))
        (use,) = db.expedites("2026-03")
        assert [entry.approved_by for entry in use.expedites] == [None, "bob"]
        late = moscow(2026, 3, 10, 9)
        db.event("CASE-1", "waived", at=late, by="bob", text="their own power cut", clock="resolution", cycle=1)
        waived = [judged for judged in db.judged("2026-03", now=late) if judged.waived]
        assert waived[0].request == "CASE-1" and waived[0].waivers[0].reason == "their own power cut"


def test_waits_name_the_vendor(desk: slaclock.Db) -> None:
    desk.event("CASE-1", "vendor_contacted", at=MONDAY, vendor="acme pumps")
    waits = desk.waits(now=MONDAY + timedelta(hours=2))
    (group,) = waits.groups
    assert group.party == {"vendor": "acme pumps"} and group.open.elapsed == timedelta(hours=2)
    assert waits.vendor_requests[0].awaited == ("acme pumps",)


def test_people_read_the_version_in_force() -> None:
    text = PROMISE.replace("[calendar.office]", 'readers = ["ann"]\nread_by = 2026-03-31\n\n[calendar.office]')
    with slaclock.in_memory(slaclock.Policy.from_toml(text)) as db:
        (reminder,) = db.reminders(FRIDAY)
        assert (reminder.duty, reminder.reader, reminder.overdue) == ("reading", "ann", False)
        assert db.acknowledge_policy(1, by="ann", at=FRIDAY) == "recorded"
        assert db.acknowledge_policy(1, by="ann", at=FRIDAY) == "already_recorded"
        assert db.reminders(FRIDAY) == ()
        assert isinstance(db.acknowledgements()[0].at, datetime)
        with pytest.raises(slaclock.InvalidArgumentError, match="bob"):
            db.acknowledge_policy(1, by="bob", at=FRIDAY)
        with pytest.raises(slaclock.InvalidArgumentError, match="duty"):
            db.acknowledge_policy(1, by="ann", duty="listening")  # type: ignore[arg-type]
