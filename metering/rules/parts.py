"""Usage in parts: what a price asks of a window beyond its quantity."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class PartsBy(StrEnum):
    """One part for each event, each combination of properties, or each stretch of local time.

    Sums also tell one part for each value that events have, and how many have it.
    """

    EVENT = "events"
    COMBINATION = "properties"
    BUCKET = "buckets"
    VALUE = "values"


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How a window is split; with an `amount_property` each part also sums what its events carry there."""

    by: PartsBy
    properties: tuple[str, ...] = ()
    bucket: str = ""  # "minute", "hour", "day" or "month" of `zone`
    zone: str = "UTC"
    amount_property: str = ""


@dataclass(frozen=True, slots=True)
class UsagePart:
    """Some of the usage of a window: what it measures, of how many events, and what they have in common.

    A property that the events do not carry is left out; so is an amount that none of them brings.
    """

    quantity: Decimal
    events: int = 1
    properties: tuple[tuple[str, str], ...] = ()
    bucket: datetime | None = None
    amount: Decimal | None = None
