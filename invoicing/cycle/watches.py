"""Which bill answers for usage without a price, when: in its own period, and for what came late for closed ones."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.periods import Period
from invoicing.cycle.bills import Bill
from invoicing.cycle.models import Invoice
from invoicing.cycle.rules import coverage
from invoicing.pricing.models import Subscription

LOOK_BACK = timedelta(
    days=92
)  # before the period of the bill; usage that comes later than that is looked for by nobody
Subscriptions = Mapping[int, Sequence[Subscription]]  # by customer, the first of them first


@dataclass(frozen=True, slots=True)
class Watch:
    """A stretch of time in which one bill answers for all usage of its customer that is numbered after `after_seq`."""

    bill: Bill
    stretch: Period
    after_seq: int = 0


@dataclass(frozen=True, slots=True)
class _Closed:
    """A period with a live invoice, and the number of the last event that it saw."""

    period: Period
    seq: int


def find_watches(bills: Sequence[Bill], subscriptions: Subscriptions) -> list[Watch]:
    """The watches of these bills, of which no two of a customer overlap.

    Where several subscriptions of a customer run, the first of them answers. Its bill also looks for what came for
    closed periods after the last bill that looked there.
    """
    looking_back = [bill for bill in bills if not list(_running_before(bill, subscriptions))]
    closed = _closed_periods(looking_back, subscriptions)
    return [
        *(watch for bill in bills for watch in _own_watches(bill, subscriptions)),
        *(watch for bill in looking_back for watch in _late_watches(bill, closed[bill.customer.pk])),
    ]


def _own_watches(bill: Bill, subscriptions: Subscriptions) -> Iterator[Watch]:
    """The parts of the bill's period in which no earlier subscription of the customer runs."""
    answered = _running_before(bill, subscriptions)
    yield from (Watch(bill, stretch) for stretch in coverage.uncovered(bill.period, closed=answered))


def _running_before(bill: Bill, subscriptions: Subscriptions) -> Iterator[Period]:
    """When earlier subscriptions of the customer run in the bill's period."""
    for one in subscriptions[bill.customer.pk]:
        shared = shared_period(one, bill.period) if one.pk < bill.due.subscription_id else None
        if shared is not None:
            yield shared


def _late_watches(bill: Bill, closed: Iterable[_Closed]) -> Iterator[Watch]:
    """Closed periods before the bill's, from the last on: each was looked at by its own bill and by all after it."""
    seen, end = 0, bill.period.start
    for one in sorted(closed, key=lambda each: each.period, reverse=True):
        start = max(one.period.start, bill.period.start - LOOK_BACK)
        if start < one.period.end <= end:
            seen, end = max(seen, one.seq), start
            yield Watch(bill, Period(start, one.period.end), seen)


def _closed_periods(bills: Iterable[Bill], subscriptions: Subscriptions) -> dict[int, list[_Closed]]:
    """By customer: the periods with a live invoice whose subscription was the first to run in them."""
    first: dict[int, list[_Closed]] = defaultdict(list)
    customers = {bill.customer.pk for bill in bills}
    if not customers:
        return first
    live = Invoice.objects.filter(customer__in=customers, kind=Invoice.Kind.CYCLE).exclude(
        status=Invoice.Status.DISCARDED
    )
    since = min(bill.period.start for bill in bills) - LOOK_BACK
    rows = live.filter(period_end__gt=since).values_list(
        "customer", "cycle__subscription", "period_start", "period_end", "watermark__seq"
    )
    for customer_id, subscription_id, start, end, seq in rows:
        period = Period(start, end)
        earlier = (one for one in subscriptions[customer_id] if one.pk < subscription_id)
        if all(shared_period(one, period) is None for one in earlier):
            first[customer_id].append(_Closed(period, seq))
    return first


def shared_period(subscription: Subscription, period: Period) -> Period | None:
    """The part of the period in which the subscription runs."""
    start = max(subscription.starts_at, period.start)
    end = period.end if subscription.ends_at is None else min(subscription.ends_at, period.end)
    return Period(start, end) if start < end else None
