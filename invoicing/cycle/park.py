"""Park customers whose close failed, so that the others go on; let them go when a close has nothing against them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby

from django.db.models import F, QuerySet

from core import bulk
from invoicing.cycle.bills import CloseFailure
from invoicing.cycle.models import CloseRun, ParkedCustomer


def note_outcome(*, tried: Collection[int], failures: Sequence[CloseFailure], run: CloseRun, at: datetime) -> None:
    """Of the customers (ids) that a chunk tried: park those that failed, let the others go; in its transaction."""
    failed = {
        customer_id: list(own)
        for customer_id, own in groupby(
            sorted(failures, key=lambda each: (each.due.customer_id, each.period)),
            key=lambda each: each.due.customer_id,
        )
    }
    parked = {row.customer_id: row for row in open_parkings().filter(customer__in=set(tried) | failed.keys())}
    _let_go([row.pk for customer_id, row in parked.items() if customer_id not in failed], run=run, at=at)
    for customer_id, row in parked.items():
        if customer_id in failed:
            _keep(row, failed[customer_id], run=run, at=at)
    bulk.insert_rows([_new(own, run=run, at=at) for customer_id, own in failed.items() if customer_id not in parked])


def let_go_without_periods(run: CloseRun, *, tried: Collection[int], at: datetime) -> None:
    """Let customers go whose failed period no close will draft any more, such as one whose subscription was ended."""
    waiting = open_parkings().filter(period_end__lte=run.as_of).exclude(customer__in=set(tried))
    if run.customer_codes is not None:
        waiting = waiting.filter(customer__code__in=run.customer_codes)
    _let_go(list(waiting.values_list("pk", flat=True)), run=run, at=at)


def open_parkings() -> QuerySet[ParkedCustomer]:
    """Who is parked now, longest first."""
    return ParkedCustomer.objects.filter(left_at=None).select_related("customer", "run").order_by("parked_at", "pk")


def _let_go(ids: Iterable[int], *, run: CloseRun, at: datetime) -> None:
    ParkedCustomer.objects.filter(pk__in=list(ids), left_at=None).update(left_at=at, left_by=run)


def _keep(row: ParkedCustomer, failures: Sequence[CloseFailure], *, run: CloseRun, at: datetime) -> None:
    ParkedCustomer.objects.filter(pk=row.pk).update(
        attempts=F("attempts") + 1, last_tried_at=at, run=run, **_facts(failures)
    )


def _new(failures: Sequence[CloseFailure], *, run: CloseRun, at: datetime) -> ParkedCustomer:
    return ParkedCustomer(
        customer_id=failures[0].due.customer_id, run=run, parked_at=at, last_tried_at=at, **_facts(failures)
    )


def _facts(failures: Sequence[CloseFailure]) -> dict[str, object]:
    first = failures[0]
    return {
        "code": first.code,
        "reason": first.reason.replace("\x00", ""),
        "periods": len(failures),
        "subscription_id": first.due.subscription_id,
        "period_start": first.period.start,
        "period_end": first.period.end,
    }
