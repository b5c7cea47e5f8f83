"""What is asked of the sums of usage, and what they answer: plain values, so that rules can put windows together."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from metering.rules.aggregation import Ratio
from metering.rules.parts import UsagePart
from metering.rules.readings import Reading


@dataclass(frozen=True, slots=True)
class Adding:
    """One way to read the events of a contract whose values are added up; `by_minute` where an hour is too long.

    With an operation the value of an event is 1 where it adds and 0 where it removes.
    """

    reading: Reading
    by_minute: bool = False


class Told(StrEnum):
    """What is made of the sums of a stretch of time.

    A part for each combination of groups, also for each minute; how many different values one property has, or how many
    of them were last added; or each value by itself in the order of events, which is only asked of a minute or less.
    """

    PARTS = "parts"
    MINUTES = "minutes"
    DISTINCT = "distinct"
    HELD = "held"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Question:
    """What one stretch of a window is to be told by, and which groups are told apart."""

    adding: Adding
    start: datetime
    end: datetime
    names: tuple[str, ...] = ()
    told: Told = Told.PARTS

    def within(self, start: datetime, end: datetime) -> "Question":
        """The same of another stretch."""
        return replace(self, start=start, end=end)


class SummedPart(NamedTuple):
    """What the events of one combination come to, whatever the meter then makes of it.

    `moment` is the sum of the values each times its seconds since 1970, `below` that of the values below 0; both None
    where some row is from before it was kept. A count of different values is the measured count.
    """

    groups: tuple[str | None, ...]
    event_count: int
    measured_count: int
    total: Decimal | None
    highest: Decimal | None
    lowest: Decimal | None
    last: Decimal | None
    moment: Decimal | None
    below: Decimal | None
    minute: datetime | None = None


@dataclass(frozen=True, slots=True)
class SummedStretch:
    """The parts of a stretch, each event up to `seq` in one of them."""

    seq: int
    parts: tuple[SummedPart, ...]

    @property
    def event_count(self) -> int:
        return sum(part.event_count for part in self.parts)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a window comes to; the quantity is not divided yet."""

    ratio: Ratio
    event_count: int
    parts: tuple[UsagePart, ...] = ()


# A window is put together by asking, once or several times over; None where rows from before cannot tell it.
Steps = Generator[list[Question], list[SummedStretch], Answer | None]
