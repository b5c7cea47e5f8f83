"""Usage that no price covers: accepted in the period of a bill, outside every priced window of its customer."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from core.periods import Period
from invoicing.cycle.bills import Bill
from invoicing.cycle.rules import tie_out
from invoicing.pricing import segments as pricing_segments
from invoicing.pricing.models import Subscription
from invoicing.pricing.queries import DuePeriod
from metering import queries as metering_queries
from metering.aggregate import UsageWindow
from metering.models import EventContract, Watermark
from metering.queries import CustomerPeriod, StrayUsage


def find_strays(bills: Sequence[Bill], *, watermark: Watermark) -> None:
    """Note stray usage on the first bill whose period it falls in; a fixed number of statements."""
    periods = sorted({(bill.customer.pk, bill.period.start, bill.period.end) for bill in bills})
    found = metering_queries.stray_usage(
        [CustomerPeriod(*period) for period in periods],
        windows=[*_own_windows(bills), *_windows_of_others(bills)],
        watermark=watermark,
    )
    contracts = EventContract.objects.in_bulk({stray.contract_id for stray in found})
    by_customer = _by_customer(bills)
    for stray in found:
        bill = next(bill for bill in by_customer[stray.customer_id] if bill.period.contains(stray.first_at))
        bill.strays.append(_named(stray, contract=contracts[stray.contract_id]))


def _by_customer(bills: Iterable[Bill]) -> dict[int, list[Bill]]:
    found: dict[int, list[Bill]] = defaultdict(list)
    for bill in bills:
        found[bill.customer.pk].append(bill)
    return found


def _own_windows(bills: Iterable[Bill]) -> list[UsageWindow]:
    return [
        UsageWindow(
            line.snapshot.customer_id, line.snapshot.meter_id, line.snapshot.window_start, line.snapshot.window_end
        )
        for bill in bills
        for line in bill.lines
        if line.snapshot is not None and line.adjusts is None
    ]


def _windows_of_others(bills: Sequence[Bill]) -> list[UsageWindow]:
    """What the customer's other subscriptions price in the same periods is not stray."""
    by_customer = _by_customer(bills)
    others = [
        DuePeriod(subscription.pk, subscription.customer_id, shared)
        for subscription in Subscription.objects.filter(customer__in=by_customer)
        for bill in by_customer[subscription.customer_id]
        if bill.due.subscription_id != subscription.pk
        for shared in (_shared(subscription, bill.period),)
        if shared is not None
    ]
    return [
        UsageWindow(segment.customer_id, segment.meter_id, segment.start, segment.end)
        for segment in pricing_segments.price_segments(others)
        if segment.meter_id is not None
    ]


def _shared(subscription: Subscription, period: Period) -> Period | None:
    start = max(subscription.starts_at, period.start)
    end = period.end if subscription.ends_at is None else min(subscription.ends_at, period.end)
    return Period(start, end) if start < end else None


def _named(stray: StrayUsage, *, contract: EventContract) -> tie_out.Stray:
    facts = {
        "event_type": contract.event_type,
        "first_at": stray.first_at.isoformat(),
        "last_at": stray.last_at.isoformat(),
    }
    return tie_out.Stray(label=f"type {contract.event_type}", events=stray.event_count, facts=facts)
