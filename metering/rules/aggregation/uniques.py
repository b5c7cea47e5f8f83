"""Counts of different values: how many were seen, how many are still held, and for how many days each was."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from metering.rules.aggregation.observing import ADD, REMOVE, Observation, Ratio
from metering.rules.aggregation.spans import Span
from metering.rules.readings import Reading

_DAY = timedelta(days=1)


def held(measured: Sequence[Observation], reading: Reading) -> Ratio:
    """Count the values whose last event added them; without an operation every event does."""
    last = {each.value: each.operation for each in sorted(measured, key=lambda one: one.order_by(reading.tie_break))}
    return Ratio(Decimal(sum(operation == ADD for operation in last.values())))


def prorated(measured: Sequence[Observation], reading: Reading, span: Span) -> Ratio:
    """Days on which each value was held, of the days of the period; the day of adding and that of removing both count.

    Lago `unique_count_service_spec` (prorated).
    """
    by_value: dict[Decimal | str | None, list[Observation]] = defaultdict(list)
    for each in sorted(measured, key=lambda one: one.order_by(reading.tie_break)):
        by_value[each.value].append(each)
    days = sum(_days_held(events, span) for events in by_value.values())
    return Ratio(Decimal(days), Decimal(span.period_days))


def _days_held(events: Sequence[Observation], span: Span) -> int:
    days, free_from = 0, date.min
    for added, removed in _stays(events):
        first = max(span.day_of(added.occurred_at), free_from)
        after = None if removed is None else span.day_of(removed.occurred_at) + _DAY
        days += span.days_between(first, after)
        free_from = after or date.max
    return days


def _stays(events: Sequence[Observation]) -> Iterator[tuple[Observation, Observation | None]]:
    """Pair each adding with the removing that ends it; what changes nothing is passed over."""
    since: Observation | None = None
    for each in events:
        if since is None and each.operation == ADD:
            since = each
        elif since is not None and each.operation == REMOVE:
            yield since, each
            since = None
    if since is not None:
        yield since, None
