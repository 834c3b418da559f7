"""A promise, a database, and what becomes of both: the tour of `slaclock` in Python."""

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import slaclock

PROMISE = """
[policy]
name      = "customer-care"
version   = 1
statement = "95 % of requests received before 14:00 are handled the same day, later ones by 11:00 the next day."

[calendar.office]
zone  = "Europe/Moscow"
hours = { mon-fri = "09:00-18:00" }

[[clock]]
name       = "resolution"
start      = "received"
stop       = "resolved"
pause      = ["waiting_customer"]
target     = [{ received_before = "14:00", due = "same day, close" }, { due = "next day, 11:00" }]
backstop   = { working_days = 3 }
attainment = { share = "95 %", per = "month" }
"""


def main(folder: Path) -> None:
    """Promises, receives, is late, tells it once, and counts."""
    policy = slaclock.Policy.from_toml(PROMISE)
    friday = datetime(2026, 3, 6, 15, 0, tzinfo=ZoneInfo("Europe/Moscow"))
    print(policy.due("resolution", friday))
    print(policy.explain("resolution", friday))

    # A whole column at once; numpy, pandas, polars and pyarrow come back as what they were.
    print(policy.due_many("resolution", [friday, friday + timedelta(days=3)]))

    with slaclock.open(folder / "care.slaclock", policy=policy, create=True) as db:
        db.submit("CASE-1041", received=friday, customer="acme", priority="high")
        db.submit("CASE-1042", received=friday, customer="initech", priority="low")
        db.event("CASE-1041", "resolved", at=friday + timedelta(hours=1), by="ann")

        now = friday + timedelta(days=4)
        for row in db.late(now):
            print(row.request, row.clock, row.due_at)
        for notice in db.feed("mailer").advance(now):
            print(notice.number, notice.request, notice.threshold)
            notice.ack()
        print(db.counts(now))
        print(db.attainment("2026-03", by=["priority"], now=now))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(temporary))
