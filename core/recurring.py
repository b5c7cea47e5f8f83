"""Work that comes round by the clock: once per stretch of time, however many workers look."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from core import job_rows, work

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
KEY = "recurring"
ATTEMPTS_MAX = 3

_intervals: dict[str, timedelta] = {}
_due: dict[str, datetime] = {}  # what this process knows not to be due before, so that a round usually asks nothing


def every(interval: timedelta, *, kind: str, is_long: bool = False) -> Callable[[work.Function], work.Function]:
    """Register a function without arguments to run as a job once in each `interval`, counted from midnight UTC.

    It may run twice or be left out while no worker lives, so it looks at the state of things, not at the last run.
    One that takes longer than its interval is not joined by the next.
    """

    def register(function: work.Function) -> work.Function:
        registered = work.handles(kind, attempts_max=ATTEMPTS_MAX, is_long=is_long)(function)
        _intervals[kind] = interval
        return registered

    return register


# One row per kind says when it is due next. Two workers that ask at once wait for each other here, and the second
# finds the row moved on.
_TAKE_DUE = """
INSERT INTO core_recurrence AS own (kind, due_at)
SELECT kind, due_at FROM unnest(%(kinds)s::text[], %(next)s::timestamptz[]) AS given (kind, due_at) ORDER BY kind
ON CONFLICT (kind) DO UPDATE SET due_at = excluded.due_at WHERE own.due_at <= %(at)s
RETURNING kind
"""
# What came of earlier rounds says nothing new: one row per kind shows how the latest ended.
_FORGET = """
DELETE FROM core_job WHERE kind = ANY(%(kinds)s) AND key = %(key)s AND state IN ('done', 'dead') AND id NOT IN (
    SELECT max(id) FROM core_job
    WHERE kind = ANY(%(kinds)s) AND key = %(key)s AND state IN ('done', 'dead') GROUP BY kind
)
"""


def enqueue_due(*, at: datetime) -> None:
    """Queue what has not been queued in its present stretch of time."""
    asked = {kind: _next_slot(interval, at=at) for kind, interval in _intervals.items() if not _is_early(kind, at=at)}
    if not asked:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE_DUE, {"kinds": list(asked), "next": list(asked.values()), "at": at})
        due = sorted(row[0] for row in cursor.fetchall())
        if due:
            cursor.execute(_FORGET, {"kinds": due, "key": KEY})
        for kind in due:
            job_rows.insert_job(kind=kind, key=KEY, arguments={}, attempts_max=ATTEMPTS_MAX, at=at)
    _due.update(asked)


def _is_early(kind: str, *, at: datetime) -> bool:
    return kind in _due and at < _due[kind]


def _next_slot(interval: timedelta, *, at: datetime) -> datetime:
    return EPOCH + ((at - EPOCH) // interval + 1) * interval
