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


def test_another_promise_is_tried_on_the_stored_history(desk: slaclock.Db) -> None:
    april = moscow(2026, 4, 1, 9)
    desk.event("CASE-1", "resolved", at=moscow(2026, 3, 9, 11, 30))
    later = slaclock.Policy.from_toml(PROMISE.replace("version   = 1", "version   = 2").replace("11:00", "12:00"))
    lived, tried = desk.simulate([later], "2026-03", now=april)
    assert (lived.policy, tried.policy) == ("as promised", "customer-care v2") and lived.changes == ()
    assert lived.groups[0].attainment.tally.missed == 3 and tried.groups[0].attainment.tally.met == 1
    assert (tried.changes[0].later, tried.changes[0].newly_met) == (3, 1)
    by = desk.simulate([later], "2026-03", by=["customer"], per="month", now=april)[1]
    assert [group.by for group in by.groups] == [(("customer", "acme"),), (("customer", "bolt"),)]
    assert by.groups[0].adjusted.missed == 1 and by.groups[0].verdict == "broken"
    with pytest.raises(slaclock.InvalidArgumentError, match="at least one policy"):
        desk.simulate([], now=april)
    with pytest.raises(slaclock.InvalidArgumentError, match="week"):
        desk.simulate([later], per="week", now=april)  # type: ignore[arg-type]
    with pytest.raises(slaclock.NotFoundError):
        desk.simulate([later], clock="resolutoin", now=april)


def test_a_promised_share_is_told_when_it_is_lost(desk: slaclock.Db) -> None:
    notices = [notice for notice in desk.feed("boss").advance(moscow(2026, 4, 2)) if notice.period is not None]
    assert [(notice.threshold, notice.period) for notice in notices] == [
        ("budget_exhausted", "2026-03"),
        ("period_breached", "2026-03"),
    ]
    assert (notices[0].request, notices[0].clock) == ("", "resolution")
    assert (notices[0].at, notices[1].at) == (moscow(2026, 3, 9, 11), moscow(2026, 4, 1))
    assert desk.attainment(notices[0].period, now=moscow(2026, 4, 2))[0].missed == 3
    assert desk.feed("boss").pending().to_dicts()[-1]["period"] == "2026-03"
    assert pickle.loads(pickle.dumps(notices[0])) == notices[0]


def test_refusals_wait_for_a_second_person(desk: slaclock.Db) -> None:
    desk.event("CASE-3", "refusal_proposed", at=FRIDAY, by="ann", text="not our product")
    (refusal,) = desk.refusals(MONDAY)
    assert (refusal.request, refusal.customer, refusal.proposed_by) == ("CASE-3", "bolt", "ann")
    assert (refusal.proposed_at, refusal.reason, refusal.approvers) == (FRIDAY, "not our product", ())
    assert desk.refusals(FRIDAY - timedelta(hours=1)) == ()
    desk.event("CASE-3", "refusal_approved", at=MONDAY, by="bob")
    assert desk.refusals(MONDAY) == () and desk.get("CASE-3").state == "refused"


def test_every_kind_of_event_comes_as_a_row_and_is_read_back() -> None:
    text = PROMISE + '[expedites]\nper_month = 1\n[waivers]\nby = ["bob"]\n'
    late = moscow(2026, 3, 10, 9)
    with slaclock.in_memory(slaclock.Policy.from_toml(text)) as db:
        db.submit_many([{"id": "CASE-1", "received_at": FRIDAY, "customer": "acme"}])
        rows = [
            {"request": "CASE-1", "event": "expedited", "at": FRIDAY, "by": "ann", "approved_by": "bob"},
            {"request": "CASE-1", "event": "refusal_proposed", "at": FRIDAY, "by": "ann", "text": "not ours"},
            {"request": "CASE-1", "event": "refusal_withdrawn", "at": FRIDAY, "by": "ann"},
            {"request": "CASE-1", "event": "expedite_withdrawn", "at": FRIDAY, "by": "ann"},
            {"request": "CASE-1", "event": "waived", "at": late, "by": "bob", "text": "power", "clock": "resolution", "cycle": 1},
            {"request": "CASE-1", "event": "waiver_withdrawn", "at": late, "by": "bob", "clock": "resolution", "cycle": 1},
        ]
        assert db.import_events(rows).events_new == 6
        events = db.get("CASE-1").events
        assert [event.event for event in events] == [row["event"] for row in rows]
        assert events[0].approved_by == "bob" and (events[4].clock, events[4].cycle) == ("resolution", 1)
        for wrong, said in [({"cycle": "one"}, "cycle"), ({"cycle": None}, "needs `cycle`"), ({"clock": None}, "needs `clock`")]:
            with pytest.raises((slaclock.Error, TypeError), match=said):
                db.import_events([rows[4] | wrong])


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
