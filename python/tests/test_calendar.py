"""Calendars, against every answer that other software gave (tests/fixtures/vectors). What could go wrong: a conversion at the
border of days, clock changes or holidays; a calendar that says something else after a trip through a pickle.
"""

from __future__ import annotations

import json
import pickle
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from conftest import FIXTURES, PROMISE, moscow
from hypothesis import given
from hypothesis import strategies as st

import slaclock

# The conventions that differ from those of `expected`.
OURS = {"dst_endpoint=outer", "overnight_holiday=keep", "reversed_range=negative"}
UTC = UTC


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def expected(case: dict):
    for outcome in case.get("outcomes", []):
        if outcome["when"] in OURS:
            return outcome["expected"]
    return case["expected"]


def shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def or_none(call, *arguments):
    try:
        return shown(call(*arguments))
    except slaclock.NoDeadlineError:
        return None


def answer(calendar: slaclock.Calendar, case: dict):
    """The answer in the form of the vectors; `...` for kinds that need events and so a database."""
    match case["kind"]:
        case "is_open":
            return calendar.is_open(instant(case["at"]))
        case "next_open":
            return or_none(calendar.next_open, instant(case["at"]))
        case "next_close":
            return or_none(calendar.next_close, instant(case["at"]))
        case "add_business":
            return or_none(calendar.add_working_time, instant(case["start"]), timedelta(seconds=case["amount_s"]))
        case "sub_business":
            return or_none(calendar.sub_working_time, instant(case["start"]), timedelta(seconds=case["amount_s"]))
        case "elapsed_business":
            return calendar.working_time(instant(case["start"]), instant(case["end"])) // timedelta(seconds=1)
        case "is_business_day":
            return calendar.is_working_day(date.fromisoformat(case["date"]))
        case "add_business_days":
            day = date.fromisoformat(case["date"])
            roll = {"forward": 1, "backward": -1}.get(case["roll"], 0)
            if roll and not calendar.is_working_day(day):
                day = calendar.add_working_days(day, roll)
            return calendar.add_working_days(day, case["days"]).isoformat()
        case "add_business_days_at":
            return shown(calendar.add_working_days(instant(case["start"]), case["days"], at="same time"))
        case "business_days_between":
            first, last = date.fromisoformat(case["from"]), date.fromisoformat(case["to"])
            return calendar.working_days(first, last)
    return ...


def test_every_answer_of_other_software() -> None:
    calendars: dict[str, slaclock.Calendar] = {}
    counts: Counter[str] = Counter()
    differences = []
    for path in sorted((FIXTURES / "vectors").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            case = json.loads(line)
            key = json.dumps(case["calendar"])
            if key not in calendars:
                calendars[key] = slaclock.Calendar.from_dict(case["calendar"])
            found = answer(calendars[key], case)
            counts[case["kind"] if found is not ... else "for databases"] += 1
            if found is not ... and found != expected(case):
                differences.append((case["id"], case["kind"], expected(case), found))
    assert not differences, differences[:10]
    assert len(counts) == 11
    assert counts["for databases"] < 250
    assert sum(counts.values()) >= 1_479

    for calendar in calendars.values():
        assert pickle.loads(pickle.dumps(calendar)) == calendar
        again = slaclock.Calendar.from_dict(calendar.to_dict())
        assert again == calendar
        assert hash(again) == hash(calendar)


def office(**more) -> slaclock.Calendar:
    return slaclock.Calendar("Europe/Berlin", hours={"mon-fri": "09:00-17:00"}, **more)


def berlin(*civil: int) -> datetime:
    return datetime(*civil, tzinfo=ZoneInfo("Europe/Berlin"))  # type: ignore[arg-type, misc]


def test_keywords_are_those_of_the_policy_language() -> None:
    calendar = slaclock.Calendar(
        ZoneInfo("Europe/Berlin"),
        hours={"mon-thu": ["08:00-12:00", "13:00-17:00"], "fri": "08:00-14:00"},
        holidays=["01-01", "easter -2", {"on": ["12-25", "12-26"], "name": "Christmas"}, date(2026, 3, 10)],
        not_holidays=[date(2025, 12, 26)],
        closures=[{"on": ["12-24", "12-31"], "from": time(12), "name": "half day"}],
        exceptions=[{"on": "2026-07-01..2026-08-31", "hours": {"mon-fri": "07:00-13:00"}}],
        extra_days=[{"on": date(2026, 5, 16), "hours": "09:00-15:00"}],
        holidays_known_until=date(2027, 12, 31),
        name="office",
    )
    assert (calendar.name, calendar.zone, calendar.holidays_known_until) == (
        "office",
        "Europe/Berlin",
        date(2027, 12, 31),
    )
    assert not calendar.is_working_day(date(2026, 3, 10))
    assert calendar.is_working_day(date(2025, 12, 26))
    assert calendar.is_working_day(date(2026, 5, 16))
    assert calendar.next_close(berlin(2026, 12, 24, 8)) == berlin(2026, 12, 24, 12)
    assert calendar.next_open(berlin(2026, 7, 3, 13)) == berlin(2026, 7, 6, 7)
    assert slaclock.Calendar.from_dict(calendar.to_dict()) == calendar
    assert slaclock.Calendar("UTC", hours="24x7", holidays="12-25") == slaclock.Calendar("UTC", hours="24x7", holidays=["12-25"])


@pytest.mark.parametrize(
    ("keywords", "error", "said"),
    [
        ({"hours": {"mon": "09:00-08:60"}}, slaclock.InvalidPolicyError, "08:60"),
        ({"hours": {}}, slaclock.InvalidPolicyError, "never opens"),
        ({"hours": {"mon": ["09:00-12:00", "11:00-13:00"]}}, slaclock.InvalidPolicyError, "overlap"),
        ({"hours": "24x7", "holidays": ["2026-02-30"]}, slaclock.InvalidPolicyError, "2026-02-30"),
        ({"hours": "24x7", "holidays": [object()]}, TypeError, "cannot stand in a policy"),
        ({"hours": "24x7", "zone": "Europe/Atlantis"}, slaclock.UnknownZoneError, "Europe/Atlantis"),
        ({"hours": "24x7", "zone": 3}, TypeError, "zone of type int"),
        ({"hours": "24x7", "name": ""}, slaclock.Error, "name"),
    ],
)
def test_wrong_calendars_are_refused_by_name(keywords, error, said) -> None:
    zone = keywords.pop("zone", "Europe/Berlin")
    with pytest.raises(error) as caught:
        slaclock.Calendar(zone, **keywords)
    assert said in str(caught.value)
    if isinstance(caught.value, slaclock.Error):
        # The place would be one in a text that nobody wrote.
        assert caught.value.line is None


@pytest.mark.parametrize(
    "data",
    [
        {"tz": "UTC", "week": {"monday": []}},
        {"tz": "UTC", "week": {"mon": [["09:00"]]}},
        {"tz": "UTC", "week": {"mon": [["25:00", "26:00"]]}},
        {"tz": "UTC", "week": {"mon": [["09:00", "10:00"]]}, "holidays": ["2026-13-01"]},
        {"tz": "UTC", "week": {"mon": [["09:00", "10:00"]]}, "holiday": []},
        {"tz": 3},
        {"tz": "UTC", "week": {}},
    ],
)
def test_wrong_vectors_are_refused(data) -> None:
    with pytest.raises(slaclock.InvalidCalendarError):
        slaclock.Calendar.from_dict(data)


def test_days_take_dates_and_instants() -> None:
    calendar = office(holidays=["2026-03-09"])
    friday = date(2026, 3, 6)
    assert calendar.add_working_days(friday, 1) == date(2026, 3, 10)
    assert calendar.add_working_days(friday, -1) == date(2026, 3, 5)
    assert calendar.add_working_days(friday, 0) == friday
    assert type(calendar.add_working_days(friday, 1)) is date
    at = berlin(2026, 3, 6, 10, 30)
    assert calendar.add_working_days(at, 1) == berlin(2026, 3, 10, 17)
    assert calendar.add_working_days(at, 1, at="same time") == berlin(2026, 3, 10, 10, 30)
    assert calendar.add_working_days(at, 2, at="11:00") == berlin(2026, 3, 11, 11)
    assert calendar.add_working_days(at, 2, at=time(11, 15)) == berlin(2026, 3, 11, 11, 15)
    for wrong, error in ((0, slaclock.OutOfRangeError), (-1, slaclock.OutOfRangeError)):
        with pytest.raises(error, match="must be 1 or more after an instant"):
            calendar.add_working_days(at, wrong)
    with pytest.raises(slaclock.InvalidArgumentError, match="noon"):
        calendar.add_working_days(at, 1, at="noon")
    with pytest.raises(TypeError, match="a date has no time of day"):
        calendar.add_working_days(friday, 1, at="close")
    with pytest.raises(TypeError, match="must be a date"):
        calendar.is_working_day(at)


def test_spans_are_timedeltas() -> None:
    calendar = office()
    friday = berlin(2026, 3, 6, 16)
    assert calendar.working_time(friday, berlin(2026, 3, 9, 10)) == timedelta(hours=2)
    assert calendar.working_time(berlin(2026, 3, 9, 10), friday) == timedelta(hours=-2)
    assert calendar.add_working_time(friday, timedelta(hours=2)) == berlin(2026, 3, 9, 10)
    assert calendar.sub_working_time(berlin(2026, 3, 9, 10), timedelta(hours=2)) == friday
    assert calendar.add_working_time(friday, timedelta(seconds=59, microseconds=999_999)) == friday + timedelta(seconds=59)
    assert calendar.intervals(friday, berlin(2026, 3, 9, 10)) == [
        (friday, berlin(2026, 3, 6, 17)),
        (berlin(2026, 3, 9, 9), berlin(2026, 3, 9, 10)),
    ]
    with pytest.raises(slaclock.OutOfRangeError, match="sub_working_time"):
        calendar.add_working_time(friday, timedelta(hours=-1))
    with pytest.raises(TypeError, match="must be a timedelta"):
        calendar.add_working_time(friday, 3600)  # type: ignore[arg-type]
    assert calendar.working_time(datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)).days > 10_000


def test_holidays_come_from_the_holidays_package() -> None:
    holidays = pytest.importorskip("holidays")
    germany = holidays.country_holidays("DE", subdiv="BY")
    calendar = slaclock.Calendar.from_holidays(
        germany, zone="Europe/Berlin", hours={"mon-fri": "09:00-17:00"}, years=range(2024, 2028)
    )
    for day in (date(2026, 10, 3), date(2026, 12, 25), date(2026, 1, 6), date(2026, 4, 3)):
        assert not calendar.is_working_day(day)
    assert calendar.is_working_day(date(2026, 12, 24))
    assert calendar.holidays_known_until == date(2027, 12, 31)
    every = holidays.country_holidays("DE", subdiv="BY", years=range(2024, 2028))
    day = date(2024, 1, 1)
    while day.year < 2028:
        assert calendar.is_working_day(day) == (day.weekday() < 5 and day not in every), day
        day += timedelta(days=1)
    more = slaclock.Calendar.from_holidays(
        every, zone="Europe/Berlin", hours="24x7", holidays=["12-24"], holidays_known_until=date(2026, 6, 30), name="x"
    )
    assert not more.is_working_day(date(2026, 12, 24))
    assert (more.holidays_known_until, more.name) == (date(2026, 6, 30), "x")
    with pytest.raises(slaclock.InvalidArgumentError, match="has no dates"):
        slaclock.Calendar.from_holidays(holidays.country_holidays("DE"), zone="Europe/Berlin", hours="24x7")
    assert slaclock.Calendar.from_holidays([date(2026, 5, 1)], zone="UTC", hours="24x7").name == "calendar"


def test_a_calendar_of_a_policy_is_the_same() -> None:
    calendar = slaclock.Policy.from_toml(PROMISE).calendar("office")
    same = slaclock.Calendar("Europe/Moscow", hours={"mon-fri": "09:00-18:00"}, name="office")
    assert calendar == same
    assert hash(calendar) == hash(same)
    assert calendar != slaclock.Calendar("Europe/Moscow", hours={"mon-fri": "09:00-18:01"}, name="office")
    assert repr(calendar) == "<slaclock.Calendar office in Europe/Moscow>"
    with pytest.raises(slaclock.NotFoundError, match="`office`"):
        slaclock.Policy.from_toml(PROMISE).calendar("offfice")


moments = st.datetimes(
    min_value=datetime(1970, 1, 2),
    max_value=datetime(2096, 1, 1),
    timezones=st.sampled_from([UTC, ZoneInfo("Europe/Berlin")]),
)
spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=200))


@given(moments, spans)
def test_adding_and_measuring_are_inverse(start: datetime, span: timedelta) -> None:
    calendar = BERLIN_OFFICE
    whole = timedelta(seconds=span // timedelta(seconds=1))
    end = calendar.add_working_time(start, span)
    assert calendar.working_time(start, end) == whole
    if whole:
        assert calendar.working_time(start, end - timedelta(seconds=1)) < whole
    assert BERLIN_OFFICE.add_working_time_many([start], span) == [end]


@given(moments)
def test_open_and_close_agree(t: datetime) -> None:
    calendar = BERLIN_OFFICE
    opens = calendar.next_open(t)
    assert calendar.is_open(opens)
    assert (opens.timestamp() <= t.timestamp()) == calendar.is_open(t)
    closes = calendar.next_close(t)
    assert not calendar.is_open(closes)
    assert calendar.is_open(closes - timedelta(seconds=1))


BERLIN_OFFICE = office(holidays=["12-25", "01-01"], closures=[{"on": "12-24", "from": "12:00"}])


def test_a_preset_counts_as_its_product_does() -> None:
    monday = moscow(2026, 3, 2, 9)
    kept = slaclock.Calendar("Europe/Moscow", hours={"mon-fri": "09:00-17:00"})
    for preset, due in [("biz", 3), ("rt", 3), ("pandas", 3), ("glpi", 3), ("business_time", 2)]:
        calendar = slaclock.Calendar("Europe/Moscow", hours={"mon-fri": "09:00-17:00"}, preset=preset)  # type: ignore[arg-type]
        hour = 9 if due == 3 else 17
        assert calendar.add_working_time(monday, timedelta(hours=8)) == moscow(2026, 3, due, hour)
        assert kept.add_working_time(monday, timedelta(hours=8)) == moscow(2026, 3, 2, 17)
        again = slaclock.Calendar.from_dict(calendar.to_dict())
        assert again.add_working_time(monday, timedelta(hours=8)) == moscow(2026, 3, due, hour)
    with pytest.raises(slaclock.Error, match="jira"):
        slaclock.Calendar("UTC", hours="24x7", preset="jira")  # type: ignore[arg-type]
