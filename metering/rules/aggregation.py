"""What a meter makes of the events in a window: the reference that the set-based SQL is held to."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from core import rounding
from metering.rules import exact_json, values

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """An event as a meter sees it: when, which, and the value it carries (None: none that can be used)."""

    occurred_at: datetime
    received_at: datetime
    event_id: str
    source: str = ""
    value: Decimal | str | None = None

    @property
    def order(self) -> tuple[datetime, datetime, str, str]:
        """Place it in the one total order: time, arrival, then identity, so that "last" never depends on luck."""
        return self.occurred_at, self.received_at, self.event_id, self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The quantity of a window, the events in it, and how many of them carried no usable value."""

    quantity: Decimal
    event_count: int
    unmeasured_count: int


def measure(observations: Iterable[Observation], *, aggregation: str) -> Measure:
    """Aggregate the events of one window; no event is 0, and a negative total, highest or last value stays as it is."""
    seen = list(observations)
    if aggregation == "count":
        return Measure(quantity=Decimal(len(seen)), event_count=len(seen), unmeasured_count=0)
    measured = [each for each in seen if each.value is not None]
    quantity = QUANTITIES[aggregation](measured) if measured else ZERO
    return Measure(quantity=quantity, event_count=len(seen), unmeasured_count=len(seen) - len(measured))


def _sum(measured: Sequence[Observation]) -> Decimal:
    with rounding.exactly():
        return sum(map(_number, measured), ZERO)


def _highest(measured: Sequence[Observation]) -> Decimal:
    return max(map(_number, measured))


def _last(measured: Sequence[Observation]) -> Decimal:
    return _number(max(measured, key=lambda each: each.order))


def _unique(measured: Sequence[Observation]) -> Decimal:
    return Decimal(len({each.value for each in measured}))


QUANTITIES: Mapping[str, Callable[[Sequence[Observation]], Decimal]] = {
    "sum": _sum,
    "max": _highest,
    "last": _last,
    "unique_count": _unique,
}


def _number(observation: Observation) -> Decimal:
    assert isinstance(observation.value, Decimal)  # noqa: S101  only "unique_count" reads texts
    return observation.value


def read_value(data: Mapping[str, Any], *, aggregation: str, value_property: str) -> Decimal | str | None:
    """Give what this meter reads from an event's `data`: a number, for "unique_count" the text of anything, or None."""
    value = data.get(value_property)
    if aggregation == "count" or value is None:
        return None
    if aggregation == "unique_count":
        return value if isinstance(value, str) else exact_json.write(value).decode()
    return None if values.find_flaw(value) else Decimal(value)


def digest(fingerprints: Iterable[bytes]) -> str:
    """SHA-256, in hex, over the events' fingerprints in capture order: the same events give the same digest."""
    total = hashlib.sha256()
    for fingerprint in fingerprints:
        total.update(fingerprint)
    return total.hexdigest()
