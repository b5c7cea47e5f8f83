"""Fix a watermark: from then on, which accepted events lie below it can never change."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from core import locks
from metering.models import UsageEvent, Watermark


def fix_watermark(*, at: datetime) -> Watermark:
    """Wait for captures in flight, name the last accepted event, and let capture go on.

    This must be a transaction of its own: as long as it is open, nobody can capture.
    """
    with transaction.atomic(durable=True):
        return Watermark.objects.create(seq=_settled_seq(), fixed_at=at)


def find_settled_seq() -> int:
    """Give the same line without storing it, for figures that nobody keeps."""
    with transaction.atomic(durable=True):
        return _settled_seq()


def _settled_seq() -> int:
    # Every capture holds this lock, shared, from before it numbers its events until its commit. Alone with it, we know
    # that all events up to the last number have committed; the next statement sees them, and later ones number higher.
    locks.lock_exclusive(locks.LockClass.CAPTURE)
    return UsageEvent.objects.aggregate(last=Max("seq"))["last"] or 0
