"""One round: whose exposure may have changed since the last, and theirs alone is worked out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, Min, OuterRef, Q

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

    The cost is that of these customers and of what came since: never of all events, all invoices, or everybody. A
    killed round is made again: nothing is passed over before it is written.
    """
    progress, _ = ExposureProgress.objects.get_or_create(defaults={"looked_at": at})
    watermark_seq = sums.find_watermark()
    moved = _moved(progress, at=at)
    found = _with_new_usage(after=progress.seq, up_to=watermark_seq)
    changed = sorted({*found, *moved.customers, *_with_old_figures(at=at)})
    rows = 0
    for chunk in _chunks(changed):
        rows += measure.measure_customers(chunk, watermark_seq=watermark_seq, at=at)
    ExposureProgress.objects.filter(seq__lte=watermark_seq).update(
        seq=watermark_seq, transition_id=moved.transition_id, entry_id=moved.entry_id, looked_at=at
    )
    return Round(customers=len(changed), rows=rows, watermark_seq=watermark_seq)


def _with_new_usage(*, after: int, up_to: int) -> list[int]:
    return sums.find_customers(after=after, up_to=up_to) if after >= 0 else _everybody()


def _everybody() -> list[int]:
    """Before the first round nothing is known of anybody, and no past event has to be asked."""
    return list(Subscription.objects.values_list("customer", flat=True).distinct())


@dataclass(frozen=True, slots=True)
class _Moved:
    """Whose invoices or books moved, and up to where all that moved before is seen."""

    customers: frozenset[int]
    transition_id: int
    entry_id: int


def _moved(progress: ExposureProgress, *, at: datetime) -> _Moved:
    """By the numbers of moves and entries. What is younger than a minute is looked at again.

    A transaction with a lower number may commit after one with a higher one, but not so long after it.
    """
    moves = InvoiceTransition.objects.filter(pk__gt=progress.transition_id)
    entries = JournalEntry.objects.filter(pk__gt=progress.entry_id)
    moved = list(moves.values_list("pk", "invoice__customer", "moved_at"))
    posted = list(entries.values_list("pk", "customer", "posted_at"))
    whose = {customer_id for _, customer_id, _ in (*moved, *posted)}
    made = dict(
        Exposure.objects.filter(customer__in=whose).values_list("customer").annotate(first=Min("as_of")).order_by()
    )
    customers = {
        customer_id
        for _, customer_id, since in (*moved, *posted)
        if customer_id not in made or made[customer_id] < since + IN_FLIGHT
    }
    settled = [
        max([number for number, _, since in rows if since < at - IN_FLIGHT], default=seen)
        for rows, seen in ((moved, progress.transition_id), (posted, progress.entry_id))
    ]
    return _Moved(frozenset(customers), *settled)


def _with_old_figures(*, at: datetime) -> list[int]:
    """The oldest first, so many at once; and whoever subscribed and was never looked at."""
    aged = Exposure.objects.filter(Q(as_of__lt=at - AGED) | Q(is_behind=True) | Q(recount_at__lte=at))
    found = list(aged.order_by("as_of").values_list("customer", flat=True)[:AGED_AT_ONCE])
    fresh = Customer.objects.filter(
        ~Exists(Exposure.objects.filter(customer=OuterRef("pk"))),
        Exists(Subscription.objects.filter(customer=OuterRef("pk"), starts_at__lte=at)),
    )
    return [*found, *fresh.order_by(F("pk")).values_list("pk", flat=True)[:AGED_AT_ONCE]]


def _chunks(customer_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(customer_ids), CUSTOMERS_AT_ONCE):
        yield customer_ids[start : start + CUSTOMERS_AT_ONCE]
