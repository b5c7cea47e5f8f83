"""One round: whose exposure may have changed since the last, and theirs alone is worked out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q

from accounts.models import Customer
from invoicing.cycle.models import InvoiceTransition
from invoicing.exposure import measure
from invoicing.exposure.models import Exposure, ExposureProgress
from invoicing.ledger.models import JournalEntry
from invoicing.pricing.models import Subscription
from metering import sums

CUSTOMERS_AT_ONCE = 500
IN_FLIGHT = timedelta(minutes=1)  # a decision is dated when it begins and seen when it commits
AGED = timedelta(hours=1)  # prices, taxes and terms begin with time, without an event
AGED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did."""

    customers: int
    rows: int
    watermark_seq: int


def keep_exposures(*, at: datetime) -> Round:
    """Bring the exposures of customers with new usage, moved invoices or old figures up to date.

    The cost is that of these customers and of the events that came since: never of all events, or of everybody. A
    killed round is made again: nothing is passed over before it is written.
    """
    progress, _ = ExposureProgress.objects.get_or_create(defaults={"looked_at": at})
    watermark_seq = sums.find_watermark()
    found = _with_new_usage(after=progress.seq, up_to=watermark_seq)
    changed = sorted({*found, *_with_moved_invoices(at=at), *_with_old_figures(at=at)})
    rows = 0
    for chunk in _chunks(changed):
        rows += measure.measure_customers(chunk, watermark_seq=watermark_seq, at=at)
    ExposureProgress.objects.filter(seq__lte=watermark_seq).update(seq=watermark_seq, looked_at=at)
    return Round(customers=len(changed), rows=rows, watermark_seq=watermark_seq)


def _with_new_usage(*, after: int, up_to: int) -> list[int]:
    return sums.find_customers(after=after, up_to=up_to) if after >= 0 else _everybody()


def _everybody() -> list[int]:
    """Before the first round nothing is known of anybody, and no past event has to be asked."""
    return list(Subscription.objects.values_list("customer", flat=True).distinct())


def _with_moved_invoices(*, at: datetime) -> set[int]:
    """Whose invoices or books moved since the figures were made, or so shortly before that these may not have seen it.

    A round looks again until that time is over.
    """
    stale = Exposure.objects.filter(customer=OuterRef("invoice__customer"), as_of__gte=OuterRef("moved_at") + IN_FLIGHT)
    since = at - AGED - IN_FLIGHT
    moved = InvoiceTransition.objects.filter(~Exists(stale), moved_at__gte=since)
    booked = JournalEntry.objects.filter(
        ~Exists(Exposure.objects.filter(customer=OuterRef("customer"), as_of__gte=OuterRef("posted_at") + IN_FLIGHT)),
        posted_at__gte=since,
    )
    return {*moved.values_list("invoice__customer", flat=True), *booked.values_list("customer", flat=True)}


def _with_old_figures(*, at: datetime) -> list[int]:
    """The oldest first, so many at once; and whoever subscribed and was never looked at."""
    aged = Exposure.objects.filter(Q(as_of__lt=at - AGED) | Q(is_behind=True))
    found = list(aged.order_by("as_of").values_list("customer", flat=True)[:AGED_AT_ONCE])
    fresh = Customer.objects.filter(
        ~Exists(Exposure.objects.filter(customer=OuterRef("pk"))),
        Exists(Subscription.objects.filter(customer=OuterRef("pk"), starts_at__lte=at)),
    )
    return [*found, *fresh.order_by(F("pk")).values_list("pk", flat=True)[:AGED_AT_ONCE]]


def _chunks(customer_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(customer_ids), CUSTOMERS_AT_ONCE):
        yield customer_ids[start : start + CUSTOMERS_AT_ONCE]
