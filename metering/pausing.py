"""The last step of what moves a month of events: done while nobody captures, in a moment or not at all."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

from core import locks
from core.errors import DomainError
from metering.store import partitions

TRIES = 20
PAUSE_SECONDS = 1.0
_TIMED_OUT = "55P03"  # lock_not_available


class EventsInUseError(DomainError):
    """Somebody reads or captures events for long; nothing was changed."""

    code = "events_in_use"

    def __init__(self) -> None:
        super().__init__("Somebody reads or captures events for long. Nothing was changed; run this again.")


@contextmanager
def saying_in_use() -> Iterator[None]:
    """Raise EventsInUseError where a lock was waited for in vain."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == _TIMED_OUT:
            raise EventsInUseError from error
        raise


def while_nobody_captures(step: Callable[[], None]) -> None:
    """Do the step alone with capture's lock, which is then held until the caller's transaction ends.

    Whoever captures waits as long as we wait for a lock: so each try gives up after `partitions.LOCK_TIMEOUT`, undoes
    its step and lets them go on for a while. EventsInUseError after the last.
    """
    for _try in range(TRIES):
        try:
            with saying_in_use(), transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL lock_timeout = '{partitions.LOCK_TIMEOUT}'")
                locks.lock_exclusive(locks.LockClass.CAPTURE)
                step()
        except EventsInUseError:
            time.sleep(PAUSE_SECONDS)
        else:
            return
    raise EventsInUseError
