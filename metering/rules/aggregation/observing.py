"""What a meter sees of an event, and what it makes of all it saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from metering.rules import exact_json, values
from metering.rules.readings import UNIQUE, Reading

ZERO = Decimal(0)
ADD, REMOVE = "add", "remove"
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """An event as a meter sees it: when, which, and the value it carries (None: none that can be used)."""

    occurred_at: datetime
    received_at: datetime
    event_id: str
    source: str = ""
    value: Decimal | str | None = None
    operation: str = ADD

    @property
    def order(self) -> tuple[datetime, datetime, str, str]:
        """Place it in the one total order: time, arrival, then identity, so that "last" never depends on luck."""
        return self.occurred_at, self.received_at, self.event_id, self.source

    def order_by(self, tie_break: str) -> tuple[datetime, int, str, str]:
        """The same order; of events of one instant the last received comes last, or the first received does."""
        arrival = (self.received_at - datetime(1970, 1, 1, tzinfo=self.received_at.tzinfo)) // _MICROSECOND
        sign = -1 if tie_break == "first_received" else 1
        return self.occurred_at, sign * arrival, self.event_id, self.source

    @property
    def number(self) -> Decimal:
        assert isinstance(self.value, Decimal)  # noqa: S101  only unique counts read texts
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The quantity of a window, the events in it, and how many of them carried no usable value."""

    quantity: Decimal
    event_count: int
    unmeasured_count: int


class Ratio(NamedTuple):
    """An exact quantity: nothing is rounded before the one division at the end."""

    numerator: Decimal
    denominator: Decimal = Decimal(1)


def read_value(data: Any, *, reading: Reading) -> Decimal | str | None:
    """Give what this meter reads from an event's `data`: a number, for a unique count the text of anything, or None."""
    if not isinstance(data, Mapping):  # where billing needs no property, there may be none
        return None
    value = data.get(reading.value_property)
    if reading.aggregation == "count" or value is None:
        return None
    if reading.aggregation in UNIQUE:
        if reading.operation_property and data.get(reading.operation_property) not in (ADD, REMOVE):
            return None
        return value if isinstance(value, str) else exact_json.write(value).decode()
    return None if values.find_flaw(value) else Decimal(value)


def read_operation(data: Any, *, reading: Reading) -> str:
    """Give whether the event adds its value to what is held, or removes it."""
    if not reading.operation_property or not isinstance(data, Mapping):
        return ADD
    return REMOVE if data.get(reading.operation_property) == REMOVE else ADD
