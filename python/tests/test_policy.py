"""Policies and their deadlines, against the fixtures that every language reads. What could go wrong: a conversion that is an
hour or a second off, a zone that gets lost, a proof that is not the answer's.
"""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from conftest import FIXTURES, MOSCOW, PROMISE, ROOT, moscow

import slaclock


def read_targets() -> tuple[dict[str, dict], list[dict]]:
    lines = [json.loads(line) for line in (FIXTURES / "targets.jsonl").read_text().splitlines()]
    policies = {line["id"]: line["policy"] for line in lines if "id" in line}
    return policies, [line for line in lines if "in" in line]


def instant(text: str, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def test_every_case_of_the_shared_targets() -> None:
    policies, cases = read_targets()
    by_text = {name: slaclock.Policy.from_json(json.dumps(policy)) for name, policy in policies.items()}
    by_dict = {name: slaclock.Policy.from_dict(policy) for name, policy in policies.items()}
    assert len(cases) >= 162
    for case in cases:
        written = policies[case["in"]]
        clock = next(clock for clock in written["clock"] if clock["name"] == case["clock"])
        calendar = clock.get("calendar", next(iter(written["calendar"])))
        for policy in (by_text[case["in"]], by_dict[case["in"]]):
            zone = ZoneInfo(policy.calendar(calendar).zone)
            received = instant(case["received"], zone)
            if case["due"] == "none":
                with pytest.raises(slaclock.NoDeadlineError) as caught:
                    policy.due(case["clock"], received)
                assert caught.value.reason == case["reason"], case
            else:
                due = policy.due(case["clock"], received)
                # Not the datetimes: where the clock is set back, Python calls no two of different zones equal.
                assert due.timestamp() == instant(case["due"], zone).timestamp(), case
                assert due.tzinfo == zone
                assert [at.timestamp() for at in policy.due_many(case["clock"], [received])] == [due.timestamp()], case
            if "limit" in case and case["limit"] != "none":
                assert policy.limit(case["clock"], received).timestamp() == instant(case["limit"], zone).timestamp(), case


def test_answers_are_in_the_zone_of_the_agreement(promise: slaclock.Policy) -> None:
    received = moscow(2026, 3, 6, 15)
    due = promise.due("resolution", received)
    assert due == moscow(2026, 3, 9, 11)
    assert due.tzinfo == MOSCOW
    assert due.isoformat() == "2026-03-09T11:00:00+03:00"
    for zone in (UTC, timezone(timedelta(hours=-7)), ZoneInfo("Asia/Kathmandu")):
        assert promise.due("resolution", received.astimezone(zone)) == due


def test_fractions_are_floored(promise: slaclock.Policy) -> None:
    cutoff = moscow(2026, 3, 2, 14)
    assert promise.due("resolution", cutoff - timedelta(microseconds=1)) == moscow(2026, 3, 2, 18)
    assert promise.due("resolution", cutoff + timedelta(microseconds=999_999)) == moscow(2026, 3, 3, 11)


def test_the_fold_is_heard() -> None:
    policy = slaclock.Policy.from_dict(
        {
            "policy": {"name": "p", "version": 1},
            "calendar": {"c": {"zone": "America/New_York", "hours": "24x7"}},
            "clock": [{"name": "r", "start": "received", "stop": "resolved", "target": {"elapsed": "1h"}}],
        }
    )
    first = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York"))
    second = first.replace(fold=1)
    due = policy.due("r", first)
    assert (due.hour, due.fold) == (1, 1)
    assert due.timestamp() == first.timestamp() + 3600
    assert policy.due("r", second).hour == 2


def test_facts_choose_the_rule() -> None:
    rules = 'rules = [{ when = { priority = "high", floor = ["1", "2"] }, target = { working = "1h" } }]\ntarget     = ['
    policy = slaclock.Policy.from_toml(PROMISE.replace("target     = [", rules))
    received = moscow(2026, 3, 2, 10)
    assert policy.due("resolution", received) == moscow(2026, 3, 2, 18)
    assert policy.due("resolution", received, priority="high") == moscow(2026, 3, 2, 18)
    assert policy.due("resolution", received, priority="high", floor="2") == moscow(2026, 3, 2, 11)
    assert policy.due_many("resolution", [received], priority="high", floor="2") == [moscow(2026, 3, 2, 11)]
    assert policy.due("resolution", received, priority=None) == moscow(2026, 3, 2, 18)
    # What the arguments are called does not get in the way of a fact of the same name.
    assert policy.due("resolution", received, clock="x", received="y") == moscow(2026, 3, 2, 18)
    with pytest.raises(TypeError, match="priority of type int"):
        policy.due("resolution", received, priority=3)  # type: ignore[arg-type]


def test_the_proof_is_of_the_answer(promise: slaclock.Policy) -> None:
    received = moscow(2026, 3, 6, 15)
    proof = promise.explain("resolution", received)
    story = proof.to_dict()
    assert story["due"]["at"] == promise.due("resolution", received).timestamp()
    assert story["zone"] == "Europe/Moscow"
    assert "next day, 11:00" in str(proof)
    assert str(proof).splitlines()[0].startswith("received  Fri 2026-03-06 15:00 MSK")
    html = proof._repr_html_()
    assert html.count("<tr>") == len(proof.lines)
    assert "&quot;office&quot;" in html
    assert pickle.loads(pickle.dumps(proof)) == proof


def test_policies_are_values(promise: slaclock.Policy) -> None:
    same = slaclock.Policy.from_toml(PROMISE)
    other = slaclock.Policy.from_toml(PROMISE.replace("version   = 1", "version   = 2"))
    assert promise == same
    assert promise != other
    assert promise != PROMISE
    assert len({promise, same, other}) == 2
    for again in (pickle.loads(pickle.dumps(promise)), copy.deepcopy(promise), copy.copy(promise)):
        assert again == promise
        assert again.due("resolution", moscow(2026, 3, 6, 15)) == moscow(2026, 3, 9, 11)
    assert repr(promise) == "<slaclock.Policy customer-care v1: resolution>"
    assert (promise.name, promise.version, promise.clocks, promise.calendars) == (
        "customer-care",
        1,
        ("resolution",),
        ("office",),
    )
    assert promise.statement.startswith("95 %")
    assert promise.review_at is None
    with pytest.raises(AttributeError):
        promise.name = "x"  # type: ignore[misc]


def test_policies_with_holiday_files_travel(tmp_path) -> None:
    event = ["BEGIN:VEVENT", "UID:1", "SUMMARY:Feast", "DTSTART;VALUE=DATE:20260309", "END:VEVENT"]
    ical = "".join(f"{line}\r\n" for line in ["BEGIN:VCALENDAR", *event, "END:VCALENDAR"])
    (tmp_path / "days.ics").write_text(ical)
    written = PROMISE.replace("hours = {", 'holiday_files = "days.ics"\nhours = {')
    (tmp_path / "promise.toml").write_text(written)
    policy = slaclock.Policy.load(str(tmp_path / "promise.toml"))
    assert policy.due("resolution", moscow(2026, 3, 6, 15)) == moscow(2026, 3, 10, 11)
    again = pickle.loads(pickle.dumps(policy))
    assert again.due("resolution", moscow(2026, 3, 6, 15)) == moscow(2026, 3, 10, 11)
    office = pickle.loads(pickle.dumps(policy.calendar("office")))
    assert office == policy.calendar("office")
    assert not office.is_working_day(date(2026, 3, 9))


def test_dicts_may_hold_dates_times_and_calendars() -> None:
    office = slaclock.Calendar("Europe/Berlin", hours={"mon-fri": "09:00-17:00"}, holidays=[date(2026, 3, 9)])
    data = {
        "policy": {"name": "care", "version": 1, "review_at": date(2027, 1, 1)},
        "calendar": {"office": {key: value for key, value in office.to_dict().items() if key != "name"}},
        "clock": [
            {
                "name": "resolution",
                "start": "received",
                "stop": "resolved",
                "target": {"working": timedelta(hours=8)},
            }
        ],
    }
    policy = slaclock.Policy.from_dict(data)
    assert policy.review_at == date(2027, 1, 1)
    received = datetime(2026, 3, 6, 16, tzinfo=ZoneInfo("Europe/Berlin"))
    assert policy.due("resolution", received).isoformat() == "2026-03-10T16:00:00+01:00"
    data["calendar"] = {"office": office}  # type: ignore[dict-item]
    assert slaclock.Policy.from_dict(data).due("resolution", received).isoformat() == "2026-03-10T16:00:00+01:00"
    with pytest.raises(TypeError, match="type object cannot stand in a policy"):
        slaclock.Policy.from_dict({"policy": object()})


def test_lints_are_named_and_placed(promise: slaclock.Policy) -> None:
    lints = promise.check(on=date(2026, 3, 1))
    codes = {lint.code for lint in lints}
    assert "no-first-response" in codes
    for lint in lints:
        assert str(lint) == f"{lint.line}:{lint.column}: {lint.severity}: {lint.message} [{lint.code}]"
    assert promise.check() != []


def test_the_schema_is_the_published_one() -> None:
    published = (ROOT / "docs" / "policy.schema.json").read_text()
    assert json.loads(slaclock.Policy.json_schema()) == json.loads(published)
