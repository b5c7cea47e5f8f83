"""Usage in parts: what a price asks of a window beyond its quantity."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class PartsBy(StrEnum):
    """One part for each event, each combination of properties, or each stretch of local time.

    Sums also tell one part for each value that events have, and how many have it; and where the first events are free,
    parts in which no more is told apart than a price with that free part looks at.
    """

    EVENT = "events"
    COMBINATION = "properties"
    BUCKET = "buckets"
    VALUE = "values"
    AFTER_FREE = "after_free"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreePart:
    """The events or the amount that come first and cost nothing; it ends for good at the first event beyond either.

    `by_value` says that of the others each value is priced by itself.
    """

    events: int | None = None
    amount: Decimal | None = None
    by_value: bool = False

    def ends_before(self, *, events: int, amount: Decimal) -> bool:
        """Whether so many first events, worth so much, are more than the free part."""
        beyond_events = self.events is not None and events > self.events
        return beyond_events or (self.amount is not None and amount > self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How a window is split; with an `amount_property` each part also sums what its events carry there."""

    by: PartsBy
    properties: tuple[str, ...] = ()
    bucket: str = ""  # "minute", "hour", "day" or "month" of `zone`
    zone: str = "UTC"
    amount_property: str = ""
    free: FreePart | None = None


@dataclass(frozen=True, slots=True)
class UsagePart:
    """Some of the usage of a window: what it measures, of how many events, and what they have in common.

    A property that the events do not carry is left out; so is an amount that none of them brings. `times` says how many
    such parts there are, where nothing tells them apart.
    """

    quantity: Decimal
    events: int = 1
    properties: tuple[tuple[str, str], ...] = ()
    bucket: datetime | None = None
    amount: Decimal | None = None
    times: int = 1
