"""What a price is applied to: a quantity, and its parts where the price looks closer than at the total."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the usage: one event, one combination of properties or one time bucket.

    `quantity` is what the meter measures of these events, `events` how many they are. A property that they do not carry
    is left out of `properties`. `amount` is the sum of the amounts that they bring, as written there. `times` says how
    many parts like this one there are, where these are events and their order is no matter.
    """

    quantity: Decimal
    events: int = 1
    properties: tuple[tuple[str, str], ...] = ()
    bucket: datetime | str | None = None
    amount: Decimal | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Usage:
    """What one segment used; `Usage(quantity)` is enough for every price without a breakdown.

    `parts` may be too many to be held at once: they are read through once, in their order.

    Parts that are events stand in the order of their time, then of their id; so no answer depends on arrival.
    """

    quantity: Decimal
    parts: Iterable[Part] = ()


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Which parts a price asks for beside the quantity.

    - `events`: one part for each event, in the order of time, then id.
    - `properties`: one part for each combination of `properties` that occurs; with no properties at most one part.
    - `buckets`: one part for each time bucket of `width` that has usage; `zone` says whose midnights count.

    With `amount_property` each part also has the sum of what its events carry there. Of `events` in any order those of
    one value may be given as one part that occurs so many times. Where the first of them are free, those before the
    one with which that ends may be given together, and those after it as well: with `free_by_value` those of one value.
    """

    kind: Literal["events", "properties", "buckets"]
    properties: tuple[str, ...] = ()
    width: Literal["minute", "hour", "day", "month"] | None = None
    zone: Literal["customer", "UTC"] | None = None
    amount_property: str | None = None
    in_any_order: bool = False
    free_events: int | None = None
    free_amount: Decimal | None = None
    free_by_value: bool = False

    @property
    def has_free_part(self) -> bool:
        return self.free_events is not None or self.free_amount is not None
