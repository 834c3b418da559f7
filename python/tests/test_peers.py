"""Other libraries on the same calendar. Where they agree, every answer is compared; where they differ, the difference is stated
here, with who is right and why.

businesstimedelta 1.0.1: elapsed and added working time and holidays agree.

numpy `busday_offset`: working days agree, once numpy is told to go back from a closed date before it counts. It has no times
of day.

pandas `CustomBusinessHour`: added working hours agree, but for two things. Where the hours are used up exactly at a close, it
names the next opening, by its own convention; the work is done at the close, and a promise kept until then is kept. On a day
whose clock changes inside the hours it counts on the wall, an hour too few or too many; an hour of work is an hour that passes.
It refuses hours over midnight and closures of part of a day.
"""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

import slaclock

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")

BERLIN = ZoneInfo("Europe/Berlin")
HOLIDAYS = [date(2026, 1, 1), date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1), date(2026, 12, 25), date(2026, 12, 26)]
OFFICE = slaclock.Calendar("Europe/Berlin", hours={"mon-fri": "09:00-17:00"}, holidays=HOLIDAYS)
FIRST = datetime(2026, 1, 5, tzinfo=BERLIN)


def moments(count: int, seed: int) -> list[datetime]:
    """Instants of 2026 that come once on the clock: repeated hours are nobody's office hours here."""
    chance = random.Random(seed)
    return [(FIRST + timedelta(minutes=chance.randrange(340 * 24 * 60))).replace(fold=0) for _ in range(count)]


def test_businesstimedelta() -> None:
    businesstimedelta = pytest.importorskip("businesstimedelta")
    zone = pytest.importorskip("pytz").timezone("Europe/Berlin")  # It knows no others.
    days = businesstimedelta.WorkDayRule(start_time=time(9), end_time=time(17), working_days=[0, 1, 2, 3, 4], tz=zone)
    holidays = businesstimedelta.HolidayRule(dict.fromkeys(HOLIDAYS, "holiday"), tz=zone)
    hours = businesstimedelta.Rules([days, holidays])
    chance = random.Random(1)
    for start in moments(60, seed=1):
        end = start + timedelta(minutes=chance.randrange(60 * 24 * 20))
        theirs = hours.difference(start, end)
        assert OFFICE.working_time(start, end) == timedelta(hours=theirs.hours, seconds=theirs.seconds), (start, end)
        amount = timedelta(minutes=chance.randrange(1, 60 * 80))
        added = start + businesstimedelta.BusinessTimeDelta(hours, timedelta=amount)
        assert OFFICE.add_working_time(start, amount) == added, (start, amount)


def test_pandas_business_hours() -> None:
    chance = random.Random(2)
    # Naive, as most people use it: the wall clock, on which no clock ever changes.
    for start in moments(300, seed=2):
        whole = chance.randrange(1, 60)
        offset = pd.offsets.CustomBusinessHour(n=whole, start="09:00", end="17:00", holidays=HOLIDAYS)
        theirs = (pd.Timestamp(start.replace(tzinfo=None)) + offset).to_pydatetime().replace(tzinfo=BERLIN)
        ours = OFFICE.add_working_time(start, timedelta(hours=whole))
        if ours.time() == time(17):
            # Used up exactly at the close: pandas says when work goes on, slaclock when it is done.
            assert theirs == OFFICE.next_open(ours), (start, whole)
        else:
            assert ours == theirs, (start, whole)


NIGHT = slaclock.Calendar("Europe/Berlin", hours={"mon-fri": "00:00-08:00", "sun": "00:00-08:00"})


@pytest.mark.parametrize(
    ("day", "open_hours", "change"),
    [(date(2026, 3, 29), 7, "the clock skips 02:00 to 03:00"), (date(2026, 10, 25), 9, "the hour from 02:00 comes twice")],
)
def test_pandas_at_a_clock_change(day: date, open_hours: int, change: str) -> None:
    """Midnight to 08:00 on the Sunday of the change. slaclock is right: it counts the hours that pass."""
    midnight = datetime.combine(day, time(0), BERLIN)
    close = datetime.combine(day, time(8), BERLIN)
    real = timedelta(seconds=close.timestamp() - midnight.timestamp())
    assert real == timedelta(hours=open_hours)
    assert NIGHT.working_time(midnight, close) == real
    for hours in (1, 4, 6):
        due = NIGHT.add_working_time(midnight, timedelta(hours=hours))
        assert due.timestamp() - midnight.timestamp() == hours * 3600
    offset = pd.offsets.CustomBusinessHour(n=4, start="00:00", end="08:00", weekmask="Mon Tue Wed Thu Fri Sun")
    theirs = (pd.Timestamp(midnight.replace(tzinfo=None)) + offset).tz_localize(BERLIN)
    # Four hours by the wall clock: three that passed, or five.
    assert (theirs.timestamp() - midnight.timestamp()) / 3600 == (3 if open_hours == 7 else 5)
    ours = NIGHT.add_working_time(midnight, timedelta(hours=4))
    assert (ours.hour, theirs.hour) == ((5, 4) if open_hours == 7 else (3, 4))


def test_numpy_business_days() -> None:
    chance = random.Random(3)
    days = [date(2026, 1, 1) + timedelta(days=chance.randrange(300)) for _ in range(500)]
    for day in days:
        n = chance.randrange(1, 40)
        # slaclock counts strictly after the date, also from a closed one; numpy has to be told to go back first.
        theirs = np.busday_offset(day, n, roll="backward", holidays=HOLIDAYS).astype(date)
        assert OFFICE.add_working_days(day, n) == theirs, (day, n)
        theirs = np.busday_offset(day, -n, roll="forward", holidays=HOLIDAYS).astype(date)
        assert OFFICE.add_working_days(day, -n) == theirs, (day, -n)
        assert OFFICE.is_working_day(day) == np.is_busday(day, holidays=HOLIDAYS)
        other = chance.choice(days)
        # numpy counts [a, b), slaclock (a, b].
        one = np.timedelta64(1, "D")
        if day <= other:
            count = np.busday_count(np.datetime64(day) + one, np.datetime64(other) + one, holidays=HOLIDAYS)
            assert OFFICE.working_days(day, other) == count, (day, other)


def test_a_column_agrees_with_numpy() -> None:
    starts = np.array([moment.date() for moment in moments(2_000, seed=4)], dtype="M8[D]")
    policy = slaclock.Policy.from_dict(
        {
            "policy": {"name": "p", "version": 1},
            "calendar": {"office": OFFICE},
            "clock": [{"name": "r", "start": "received", "stop": "resolved", "target": {"working_days": 3, "at": "12:00"}}],
        }
    )
    noon = pd.Series(starts.astype("M8[us]") + np.timedelta64(12, "h")).dt.tz_localize(BERLIN)
    due = policy.due_many("r", noon).dt.tz_localize(None).to_numpy().astype("M8[D]")
    assert (due == np.busday_offset(starts, 3, roll="backward", holidays=HOLIDAYS)).all()
