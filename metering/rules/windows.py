"""Windows of usage, and which stretches of a period no window covers."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from metering.rules.aggregation import Span

EVER = datetime(1900, 1, 1, tzinfo=UTC)  # no contract accepts an event from before


@dataclass(frozen=True, slots=True)
class UsageWindow:
    """What one meter is to count for one customer: events in `[start, end)`.

    Levels are weighed over the whole `period` that the window is a part of (left out: over the window), by the days
    of `zone`. These decide nothing about which window it is.
    """

    customer_id: int
    meter_id: int
    start: datetime
    end: datetime
    period: tuple[datetime, datetime] | None = field(default=None, compare=False)
    zone: str = field(default="UTC", compare=False)

    @property
    def span(self) -> Span:
        return Span(self.start, self.end, *(self.period or (self.start, self.end)), self.zone)


Stretch = tuple[datetime, datetime]


def find_gaps(start: datetime, end: datetime, *, covered: Iterable[Stretch]) -> list[Stretch]:
    """Give the stretches of `[start, end)` that lie in none of the `covered` ones, in order."""
    gaps, reached = [], start
    for covered_start, covered_end in sorted(covered):
        if min(covered_start, end) > reached:
            gaps.append((reached, min(covered_start, end)))
        reached = max(reached, covered_end)
    return [*gaps, (reached, end)] if reached < end else gaps
