"""What a meter makes of the events of a window: the reference that the set-based SQL is held to."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from core import rounding
from metering.rules.aggregation import levels, totals, uniques
from metering.rules.aggregation.observing import (
    ADD,
    REMOVE,
    ZERO,
    Measure,
    Observation,
    Ratio,
    read_operation,
    read_value,
)
from metering.rules.aggregation.spans import Span
from metering.rules.readings import Reading

__all__ = [
    "ADD",
    "REMOVE",
    "ZERO",
    "Measure",
    "Observation",
    "Ratio",
    "Span",
    "digest",
    "measure",
    "measure_groups",
    "quantity_of",
    "read_operation",
    "read_value",
]

QUANTITIES: Mapping[str, Callable[[Sequence[Observation], Reading], Ratio]] = {
    "sum": lambda measured, _reading: totals.total(measured),
    "average": lambda measured, _reading: totals.average(measured),
    "max": lambda measured, _reading: totals.highest(measured),
    "min": lambda measured, _reading: totals.lowest(measured),
    "last": totals.last,
    "unique_count": uniques.held,
}
WEIGHED: Mapping[str, Callable[[Sequence[Observation], Reading, Span], Ratio]] = {
    "time_weighted_sum": lambda measured, _reading, span: levels.time_weighted(measured, span),
    "prorated_sum": lambda measured, _reading, span: levels.prorated(measured, span),
    "prorated_unique_count": uniques.prorated,
}


def measure(observations: Iterable[Observation], *, reading: Reading, span: Span | None = None) -> Measure:
    """Aggregate the events that count for one window; no event is 0.

    Only levels look at the `span`; ValueError where they are given none.
    """
    seen = list(observations)
    if reading.aggregation == "count":
        return Measure(quantity=Decimal(len(seen)), event_count=len(seen), unmeasured_count=0)
    measured = [each for each in seen if each.value is not None]
    with rounding.exactly():
        ratio = _ratio(measured, reading, span) if measured else Ratio(ZERO)
    quantity = quantity_of(ratio, reading=reading)
    return Measure(quantity=quantity, event_count=len(seen), unmeasured_count=len(seen) - len(measured))


def measure_groups(
    observations: Iterable[tuple[tuple[str | None, ...], Observation]], *, reading: Reading, span: Span | None = None
) -> dict[tuple[str | None, ...], Measure]:
    """Aggregate each group by itself; the groups are those that the events name."""
    groups: dict[tuple[str | None, ...], list[Observation]] = defaultdict(list)
    for group, observation in observations:
        groups[group].append(observation)
    return {group: measure(seen, reading=reading, span=span) for group, seen in groups.items()}


def _ratio(measured: Sequence[Observation], reading: Reading, span: Span | None) -> Ratio:
    if reading.aggregation in QUANTITIES:
        return QUANTITIES[reading.aggregation](measured, reading)
    if span is None:
        raise ValueError(f"a {reading.aggregation} is weighed over a span, and none was given")
    return WEIGHED[reading.aggregation](measured, reading, span)


def quantity_of(ratio: Ratio, *, reading: Reading) -> Decimal:
    """Divide once, rounded as the meter says, and let a negative total be what the meter says it is."""
    quantity = ratio.numerator
    if ratio.denominator != 1:
        quantity = rounding.divide(quantity, ratio.denominator, scale=reading.decimals, mode=reading.rounding)
    return ZERO if reading.negative_total == "zero" and quantity < 0 else quantity


def digest(fingerprints: Iterable[bytes]) -> str:
    """SHA-256, in hex, over the events' fingerprints in capture order: the same events give the same digest."""
    total = hashlib.sha256()
    for fingerprint in fingerprints:
        total.update(fingerprint)
    return total.hexdigest()
