"""Usage that no price covers: accepted in the period of a bill, outside every priced window of its customer."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from core.periods import Period
from invoicing.cycle import watches
from invoicing.cycle.bills import Bill
from invoicing.cycle.models import Invoice
from invoicing.cycle.rules import coverage, tie_out
from invoicing.cycle.watches import Watch
from invoicing.pricing import segments as pricing_segments
from invoicing.pricing.models import Subscription
from invoicing.pricing.queries import DuePeriod
from metering import queries as metering_queries
from metering.aggregate import UsageWindow
from metering.models import AggregationSnapshot, EventContract, Watermark
from metering.queries import CustomerPeriod, StrayUsage

EVENTS_MAX = 1000  # of each gap, to be shown; how many there are is counted


def find_strays(bills: Sequence[Bill], *, watermark: Watermark) -> None:
    """Note stray usage on the bill that answers for it; a fixed number of statements.

    Only the bill of a whole period answers for anything, whichever bills are looked at together (`watches.py`).
    """
    bills = [bill for bill in bills if bill.kind == Invoice.Kind.CYCLE]
    subscriptions: dict[int, list[Subscription]] = defaultdict(list)
    for subscription in Subscription.objects.filter(customer__in={bill.customer.pk for bill in bills}).order_by("pk"):
        subscriptions[subscription.customer_id].append(subscription)
    watching = watches.find_watches(bills, subscriptions)
    periods = [
        CustomerPeriod(watch.bill.customer.pk, watch.stretch.start, watch.stretch.end, watch.after_seq)
        for watch in watching
    ]
    windows = [*_own_windows(bills), *_windows_of_others(bills, subscriptions), *_counted_windows(watching)]
    found = metering_queries.stray_usage(periods, windows=windows, watermark=watermark)
    if not found:
        return
    events = metering_queries.stray_events(periods, windows=windows, watermark=watermark, limit=EVENTS_MAX)
    contracts = EventContract.objects.in_bulk({stray.contract_id for stray in found})
    by_customer: dict[int, list[Watch]] = defaultdict(list)
    for watch in watching:
        by_customer[watch.bill.customer.pk].append(watch)
    for stray in found:
        watch = next(one for one in by_customer[stray.customer_id] if one.stretch.contains(stray.first_at))
        watch.bill.strays.append(_named(stray, contract=contracts[stray.contract_id]))
        of_contract = events.get((stray.customer_id, stray.contract_id), [])
        watch.bill.stray_events.append(
            [event for event in of_contract if stray.first_at <= event.occurred_at <= stray.last_at]
        )


def _own_windows(bills: Iterable[Bill]) -> list[UsageWindow]:
    return [
        UsageWindow(
            line.snapshot.customer_id, line.snapshot.meter_id, line.snapshot.window_start, line.snapshot.window_end
        )
        for bill in bills
        for line in bill.lines
        if line.snapshot is not None and line.adjusts is None
    ]


def _windows_of_others(bills: Iterable[Bill], subscriptions: Mapping[int, Iterable[Subscription]]) -> list[UsageWindow]:
    """What the customer's other subscriptions will bill of the same periods is not stray.

    Of a period that was drafted already that is nothing more than its invoice counted: a price that came later, from a
    past instant, bills nothing of it.
    """
    others = [
        DuePeriod(one.pk, one.customer_id, shared)
        for bill in bills
        for one in subscriptions[bill.customer.pk]
        if one.pk != bill.due.subscription_id and (shared := watches.shared_period(one, bill.period)) is not None
    ]
    drafted = _drafted_periods(others)
    still_open = [
        replace(each, period=piece)
        for each in others
        for piece in coverage.uncovered(each.period, closed=drafted.get(each.subscription_id, ()))
    ]
    return [
        UsageWindow(segment.customer_id, segment.meter_id, segment.start, segment.end)
        for segment in pricing_segments.price_segments(still_open)
        if segment.meter_id is not None
    ]


def _drafted_periods(others: Sequence[DuePeriod]) -> dict[int, list[Period]]:
    """The periods of these subscriptions that have a live invoice, by subscription."""
    live = Invoice.objects.filter(
        cycle__subscription__in={each.subscription_id for each in others}, kind=Invoice.Kind.CYCLE
    ).exclude(status=Invoice.Status.DISCARDED)
    found: dict[int, list[Period]] = defaultdict(list)
    for subscription_id, start, end in live.values_list("cycle__subscription", "period_start", "period_end"):
        found[subscription_id].append(Period(start, end))
    return dict(found)


def _counted_windows(watching: Sequence[Watch]) -> list[UsageWindow]:
    """What live snapshots of these customers counted in these stretches, of whatever subscription.

    Also of one that was ended since, at an instant before: what was counted is billed, or corrected where it is billed.
    """
    if not watching:
        return []
    counted = AggregationSnapshot.objects.filter(
        kind=AggregationSnapshot.Kind.CYCLE,
        retired_at=None,
        customer__in={watch.bill.customer.pk for watch in watching},
        window_start__lt=max(watch.stretch.end for watch in watching),
        window_end__gt=min(watch.stretch.start for watch in watching),
    )
    return [UsageWindow(*row) for row in counted.values_list("customer", "meter", "window_start", "window_end")]


def _named(stray: StrayUsage, *, contract: EventContract) -> tie_out.Stray:
    facts = {
        "event_type": contract.event_type,
        "first_at": stray.first_at.isoformat(),
        "last_at": stray.last_at.isoformat(),
    }
    return tie_out.Stray(label=f"type {contract.event_type}", events=stray.event_count, facts=facts)
