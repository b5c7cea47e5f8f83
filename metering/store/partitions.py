"""One table of raw events per month of event time; what has no month yet lies in the rest until it gets one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import structlog
from django.db import Error, connection, transaction

from core import locks
from core.statements import fetch_all

# Whoever reads the rest makes us wait, and capture waits for us: better to leave the rows there for the next time.
LOCK_TIMEOUT = "2s"
_MONTHS = """
SELECT to_date(right(child.relname, 6), 'YYYYMM')
FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
WHERE inhparent = 'metering_usageevent'::regclass AND child.relname ~ '^metering_usageevent_[0-9]{6}$'
ORDER BY 1
"""
_REST = """
SELECT date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date, count(*) FROM metering_usageevent_rest
GROUP BY 1 ORDER BY 1
"""

log = structlog.get_logger(__name__)
_seen: set[str] = set()  # months, as `2026-11`, that this process has seen or tried to make


@dataclass(frozen=True, slots=True)
class Waiting:
    """Events of a month without a table of its own: counted and billed all the same, only slower to find."""

    month: date
    events: int


def find_months() -> list[date]:
    """Give the first day of every month that has a table, the earliest first."""
    return [month for (month,) in fetch_all(_MONTHS, [])]


def find_rest() -> list[Waiting]:
    """Count what lies in the rest, by month."""
    return [Waiting(*row) for row in fetch_all(_REST, [])]


def add_month(month: date) -> int:
    """Make the table of a month and move what waits for it in the rest; how many events moved.

    A transaction of its own, alone with capture's lock: nobody writes into the rest meanwhile.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        locks.lock_exclusive(locks.LockClass.CAPTURE)
        with connection.cursor() as cursor:
            cursor.execute("SELECT metering_add_partition(%s)", [month.replace(day=1)])
            ((moved,),) = cursor.fetchall()
    return int(moved)


def prepare_months(instants: Iterable[str]) -> None:
    """See that the months of these canonical instants have tables; where that fails the rest takes the events.

    Tried once per month and process, `months.keep_months` does it again. Inside a transaction nothing is made, for
    capture's lock would be held until its end.
    """
    if connection.in_atomic_block or are_prepared(instants := list(instants)):
        return
    missing = {text[:7] for text in instants}
    for text in sorted(missing - _seen):
        _seen.add(text)
        try_to_add(date.fromisoformat(f"{text}-01"))


def are_prepared(instants: Iterable[str]) -> bool:
    """Say that the months of these canonical instants have tables, or that making them was tried."""
    missing = {text[:7] for text in instants} - _seen
    if missing:
        _seen.update(f"{month:%Y-%m}" for month in find_months())
    return missing <= _seen


def try_to_add(month: date) -> int | None:
    """Add the month; None where a lock or the lack of a right to make tables stood in the way."""
    try:
        return add_month(month)
    except Error as error:
        log.warning("month_not_prepared", month=str(month), error=str(error).strip())
        return None


def forget_months() -> None:
    """Look again, for a month was taken away or the making of one was rolled back."""
    _seen.clear()
