"""Levels that values raise and lower, weighed by how long they lasted: by the microsecond, or by the local day."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from metering.rules.aggregation.observing import ZERO, Observation, Ratio
from metering.rules.aggregation.spans import Span

_DAY = timedelta(days=1)


def time_weighted(measured: Sequence[Observation], span: Span) -> Ratio:
    """The level times how long it lasted, over the length of the whole period (Lago `weighted_sum_service_spec`)."""
    weighed = sum((each.number * span.left_after(each.occurred_at) for each in measured), ZERO)
    return Ratio(weighed, span.period_length)


def prorated(measured: Sequence[Observation], span: Span) -> Ratio:
    """The level of each local day, over the days of the whole period (Lago `sum_service_spec`, prorated).

    The day of adding and the day of removing both count: an increase holds from its day, a decrease from the next.
    """
    weighed = sum((each.number * _days_left(each, span) for each in measured), ZERO)
    return Ratio(weighed, Decimal(span.period_days))


def _days_left(each: Observation, span: Span) -> int:
    day = span.day_of(each.occurred_at)
    return span.days_between(day + _DAY if each.number < 0 else day, None)
