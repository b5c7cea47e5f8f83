"""Reads agreements as they were known at one instant, over however many transactions the reading takes.

Who rates for minutes fixes an instant first. What is agreed from then on is dated after it, whatever clock its author
had (trigger), and what reads agreements leaves it out for as long as `as_of` holds.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

import pgtrigger
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from core import locks
from core.locks import LockClass
from core.models import KnownInstant

_as_of: ContextVar[datetime | None] = ContextVar("known_as_of", default=None)


@contextmanager
def as_of(instant: datetime) -> Iterator[None]:
    """Inside this block nothing is known that was agreed later."""
    token = _as_of.set(instant)
    try:
        yield
    finally:
        _as_of.reset(token)


def is_known(field: str) -> Q:
    """Which rows are known, by the column that says when each was agreed; all of them outside `as_of`."""
    instant = _as_of.get()
    return Q() if instant is None else Q(**{f"{field}__lte": instant})


def instant_or(at: datetime) -> datetime:
    """The instant that is read as of; `at` outside `as_of`."""
    return _as_of.get() or at


@transaction.atomic
def fix_instant(*, reader: str, at: datetime, newest: Callable[[], datetime | None]) -> KnownInstant:
    """Wait for agreements that are being written, and fix an instant: none appears any more that is not after it.

    That is `at`, or when the `newest` of them was made, where another clock is ahead: what is there is known. To be
    committed before anything is read. It binds until `release`.
    """
    locks.lock_exclusive(LockClass.AGREED)
    return KnownInstant.objects.create(reader=reader, known_at=max(at, newest() or at))


def release(instant_id: int | None) -> None:
    """The reader is done, if it ever began; no agreement is dated after its instant on its account any more."""
    if instant_id is not None:
        KnownInstant.objects.filter(pk=instant_id, released_at=None).update(released_at=Now())


def agreed_after_readers(
    *, field: str, operation: pgtrigger.core.Operation = pgtrigger.Insert, condition: pgtrigger.Condition | None = None
) -> pgtrigger.Trigger:
    """A trigger for a table of agreements: `field` comes to lie after every instant that somebody still reads as of.

    It waits for an instant that is being fixed, and that waits for it, so that each agreement was there before, or is
    dated after.
    """
    return pgtrigger.Trigger(
        name="agreed_after_readers",
        when=pgtrigger.Before,
        operation=operation,
        condition=condition,
        declare=[("latest", "TIMESTAMP WITH TIME ZONE")],
        func=f"""
            PERFORM pg_advisory_xact_lock_shared({int(LockClass.AGREED)}, 0);
            SELECT max(known_at) INTO latest FROM core_knowninstant
            WHERE released_at IS NULL AND known_at >= NEW.{field};
            IF latest IS NOT NULL THEN
                NEW.{field} := latest + INTERVAL '1 microsecond';
            END IF;
            RETURN NEW;
        """,  # noqa: S608  a lock's number and the name of a column of this program
    )
