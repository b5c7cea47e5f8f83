"""Which time of which subscriptions no invoice stands for: the running periods, and ended ones without a draft."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from core.periods import Period
from invoicing.cycle.models import BillingCycle, Invoice
from invoicing.cycle.rules import coverage
from invoicing.pricing import queries as pricing_queries
from invoicing.pricing.models import Subscription
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.rules import timeline
from invoicing.pricing.rules.timeline import Terms


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one subscription to be priced whole; `running` is the period around now that it is a part of."""

    due: DuePeriod
    running: Period | None


def open_pieces(customer_ids: Sequence[int], *, at: datetime) -> list[Piece]:
    """The open time of these customers, in a fixed number of statements."""
    subscriptions = dict(
        Subscription.objects.filter(customer__in=customer_ids, starts_at__lte=at).values_list("pk", "customer_id")
    )
    closed = _closed(list(subscriptions))
    terms = pricing_queries.terms_by_subscription(list(subscriptions))
    return [
        Piece(DuePeriod(subscription_id, subscriptions[subscription_id], part), running)
        for subscription_id, own in sorted(terms.items())
        for period, running in _periods(own, at=at)
        for part in coverage.uncovered(period, closed=closed[subscription_id])
    ]


def _periods(terms: Terms, *, at: datetime) -> Iterator[tuple[Period, Period | None]]:
    for period in timeline.ended_periods(terms, as_of=at):
        yield period, None
    if terms.ends_at is not None and terms.ends_at <= at:
        return
    whole = timeline.whole_period(terms, instant=at)
    end = whole.end if terms.ends_at is None else min(whole.end, terms.ends_at)
    running = Period(max(whole.start, terms.starts_at), end)
    yield running, running


def _closed(subscription_ids: Sequence[int]) -> dict[int, list[Period]]:
    """The periods that an invoice stands for; one whose invoice was discarded is open again."""
    live = Invoice.objects.exclude(status=Invoice.Status.DISCARDED).filter(
        kind=Invoice.Kind.CYCLE, cycle=OuterRef("pk")
    )
    cycles = BillingCycle.objects.filter(Exists(live), subscription__in=subscription_ids)
    closed: dict[int, list[Period]] = defaultdict(list)
    for subscription_id, start, end in cycles.values_list("subscription_id", "period_start", "period_end"):
        closed[subscription_id].append(Period(start, end))
    return closed
