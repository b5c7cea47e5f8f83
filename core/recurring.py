"""Work that comes round by the clock: once per stretch of time, however many workers look."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import transaction

from core import locks, work
from core.models import Job

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

_intervals: dict[str, timedelta] = {}
_enqueued: dict[str, str] = {}  # what this process knows to be queued, so that a round usually asks nothing


def every(interval: timedelta, *, kind: str) -> Callable[[work.Function], work.Function]:
    """Register a function without arguments to run as a job once in each `interval`, counted from midnight UTC.

    It may run twice or be left out while no worker lives, so it looks at the state of things, not at the last run.
    """

    def register(function: work.Function) -> work.Function:
        registered = work.handles(kind)(function)
        _intervals[kind] = interval
        return registered

    return register


def enqueue_due(*, at: datetime) -> None:
    """Queue what has not been queued in its present stretch of time."""
    slots = {kind: _slot(interval, at=at) for kind, interval in _intervals.items()}
    due = {kind: slot for kind, slot in slots.items() if _enqueued.get(kind) != slot}
    if not due:
        return
    with transaction.atomic():
        locks.lock_exclusive(locks.LockClass.RECURRING)
        known = set(Job.objects.filter(kind__in=due, key__in=set(due.values())).values_list("kind", "key"))
        for kind, slot in due.items():
            if (kind, slot) not in known:
                work.enqueue(kind=kind, key=slot, arguments={}, at=at)
    _enqueued.update(due)


def _slot(interval: timedelta, *, at: datetime) -> str:
    return (EPOCH + (at - EPOCH) // interval * interval).isoformat()
