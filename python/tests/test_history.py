"""History, FAQ and search: the same answers as the core gives, as typed tuples."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import slaclock

POLICY = """
[policy]
name = "care"
version = 1
statement = "Handled within eight working hours."

[calendar.office]
zone = "Europe/Moscow"
hours = { mon-fri = "09:00-18:00" }

[[clock]]
name = "resolution"
start = "received"
stop = "resolved"
target = { working = "8h" }
"""
MONDAY = datetime(2026, 3, 2, 10, tzinfo=ZoneInfo("Europe/Moscow"))
HOUR = timedelta(hours=1)


@pytest.fixture
def db(tmp_path: Path) -> slaclock.Db:
    db = slaclock.create(tmp_path / "care.slaclock", slaclock.Policy.from_toml(POLICY))
    db.submit("R-1", received=MONDAY, customer="acme", subject="VPN drops after the update")
    db.event("R-1", "note", at=MONDAY, by="ann", text="third time this week")
    db.event("R-1", "replied", at=MONDAY + HOUR, by="ann", text="Reinstall the client.")
    db.event("R-1", "resolved", at=MONDAY + 2 * HOUR, by="ann")
    db.submit("R-2", received=MONDAY, customer="acme", subject="Café printer jams")
    db.submit("R-3", received=MONDAY, customer="borealis", subject="No VPN")
    return db


def test_a_history_is_paged_and_typed(db: slaclock.Db) -> None:
    page = db.history("acme", limit=1)
    assert [row.request for row in page.rows] == ["R-2"]
    page = db.history("acme", limit=1, after=page.next)
    (row,) = page.rows
    assert page.next is None
    assert (row.request, row.subject, row.state) == ("R-1", "VPN drops after the update", "resolved")
    assert (row.received_at, row.handled_at) == (MONDAY, MONDAY + 2 * HOUR)
    assert row.facts == {"customer": "acme"}
    assert (row.clocks[0].clock, row.clocks[0].stage) == ("resolution", "met")
    assert [(said.event, said.to_customer) for said in row.answers] == [("note", False), ("replied", True)]
    assert db.history("nobody").rows == ()
    db.event("R-2", "changed", at=MONDAY + HOUR, customer="borealis")
    assert [row.request for row in db.history("borealis").rows] == ["R-3", "R-2"]
    for limit in (0, 1001):
        with pytest.raises(slaclock.OutOfRangeError):
            db.history("acme", limit=limit)
    with pytest.raises(slaclock.InvalidArgumentError):
        db.history("")


def test_an_entry_lives_its_life(db: slaclock.Db) -> None:
    assert db.publish_faq("vpn", request="R-1", by="ann", at=MONDAY + 3 * HOUR) == "recorded"
    assert db.publish_faq("vpn", request="R-1", by="ann", at=MONDAY + 3 * HOUR) == "already_recorded"
    with pytest.raises(slaclock.ConflictError):
        db.publish_faq("vpn", "other", "words", by="ann", at=MONDAY)
    with pytest.raises(slaclock.InvalidArgumentError):
        db.publish_faq("empty", by="ann")
    with pytest.raises(slaclock.NotFoundError):
        db.publish_faq("none", request="R-9", by="ann")
    assert db.amend_faq("vpn", answer="Reinstall it, <then> restart.", by="bob", at=MONDAY + 4 * HOUR) == "recorded"
    db.link_faq("R-3", "vpn", by="ann", at=MONDAY + 5 * HOUR)
    db.event("R-1", "faq_linked", at=MONDAY + 6 * HOUR, by="ann", faq="vpn")
    db.unlink_faq("R-1", "vpn", by="ann", at=MONDAY + 7 * HOUR)
    with pytest.raises(slaclock.InvalidEventError):
        db.unlink_faq("R-1", "vpn", by="ann", at=MONDAY + 8 * HOUR)
    (entry,) = db.faq()
    assert (entry.question, entry.uses, entry.last_used_at) == ("VPN drops after the update", 1, MONDAY + 5 * HOUR)
    assert (entry.published_by, entry.changed_by, entry.withdrawn) == ("ann", "bob", False)
    assert [row.request for row in db.faq_requests("vpn").rows] == ["R-3"]
    assert [record.act for record in db.faq_entry("vpn").records] == ["published", "amended"]
    assert "&lt;then&gt;" in db.faq_markdown("Help")
    assert "&lt;then&gt;" in db.faq_html() and "<script" not in db.faq_html()
    assert db.withdraw_faq("vpn", by="ann", at=MONDAY + 9 * HOUR) == "recorded"
    assert db.faq() == ()
    assert db.faq(withdrawn=True)[0].withdrawn
    with pytest.raises(slaclock.NotFoundError):
        db.faq_entry("none")


def test_search_finds_what_helped(db: slaclock.Db, tmp_path: Path) -> None:
    found = db.search("vpn client")
    assert (found.matches, found.complete) == (2, True)
    best = found.hits[0]
    assert (best.kind, best.id, best.customer, best.state) == ("request", "R-1", "acme", "resolved")
    assert best.answer == "Reinstall the client."
    assert any(piece.hit for piece in best.snippet)
    assert (best.at, best.handled_at) == (MONDAY, MONDAY + 2 * HOUR)
    db.publish_faq("vpn", "Why does the VPN drop?", "Reinstall it.", by="ann", at=MONDAY)
    assert [hit.id for hit in db.search("vpn", kind="faq").hits] == ["vpn"]
    assert [hit.id for hit in db.search("CAFE").hits] == ["R-2"]
    assert [hit.id for hit in db.search("vpn", customer="borealis").hits] == ["R-3"]
    assert {hit.id for hit in db.search("vpn", answered=True).hits} == {"R-1", "vpn"}
    assert db.search("vpn", since=MONDAY + HOUR).hits == ()
    assert db.search("vpn", until=MONDAY).hits == ()
    assert db.search("vp", prefix=False).matches == 0
    assert db.search("vpn printer", every_word=True).matches == 0
    assert len(db.search("vpn", limit=1, skip=1).hits) == 1
    assert db.search("vpn", index=tmp_path / "elsewhere").matches == 3
    assert (tmp_path / "elsewhere").is_dir()
    for text in ("", "?!"):
        with pytest.raises(slaclock.InvalidArgumentError):
            db.search(text)
    with pytest.raises(slaclock.OutOfRangeError):
        db.search("x" * 1001)
    with pytest.raises(slaclock.InvalidArgumentError):
        db.search("vpn", kind="letter")  # type: ignore[arg-type]
