"""Fix a watermark: from then on, which accepted events lie below it can never change."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from core import locks
from metering import shipping
from metering.models import Store, UsageEvent, Watermark
from metering.store import chosen, elsewhere, postgres


def fix_watermark(*, at: datetime) -> Watermark:
    """Wait for captures in flight, name the last accepted event, and let capture go on.

    This must be a transaction of its own: as long as it is open, nobody can capture.
    """
    _ship(at)
    with transaction.atomic(durable=True):
        _settle()
        return Watermark.objects.create(seq=_find_complete_seq(), fixed_at=at)


def _ship(at: datetime) -> None:
    """Where raw events live in another store, a watermark is fixed over what has arrived there."""
    if chosen.find_name() != Store.POSTGRES:
        shipping.ship_all(settled_seq=settle().seq, at=at)


def _find_complete_seq() -> int:
    return find_last_seq() if chosen.find_name() == Store.POSTGRES else chosen.find_shipped_seq()


def find_settled_seq() -> int:
    """Give what a watermark fixed now would say, without fixing one; a transaction of its own like that."""
    with transaction.atomic(durable=True):
        _settle()
        return find_last_seq()


def _settle() -> None:
    # Every capture holds this lock, shared, from before it numbers its events until its commit. Alone with it, we know
    # that all numbers up to the last have committed; the next statement sees them, and later ones are higher.
    locks.lock_exclusive(locks.LockClass.CAPTURE)


def find_last_seq() -> int:
    """Give the number of the last event accepted so far; captures in flight may still commit lower ones."""
    last: int | None = UsageEvent.objects.aggregate(last=Max("seq"))["last"]
    return max(last or 0, elsewhere.find_last_seq())


@dataclass(frozen=True, slots=True)
class Settled:
    """The last accepted event, and the database's clock; nothing appears below either of them any more."""

    seq: int
    at: datetime


def settle() -> Settled:
    """Wait for captures in flight as `fix_watermark` does, for those who note for themselves how far they came."""
    with transaction.atomic(durable=True):
        locks.lock_exclusive(locks.LockClass.CAPTURE)
        return Settled(find_last_seq(), postgres.read_clock())
