"""Windows of usage, and which stretches of a period no window covers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class UsageWindow:
    """What one meter is to count for one customer: events in `[start, end)`."""

    customer_id: int
    meter_id: int
    start: datetime
    end: datetime


Stretch = tuple[datetime, datetime]


def find_gaps(start: datetime, end: datetime, *, covered: Iterable[Stretch]) -> list[Stretch]:
    """Give the stretches of `[start, end)` that lie in none of the `covered` ones, in order."""
    gaps, reached = [], start
    for covered_start, covered_end in sorted(covered):
        if min(covered_start, end) > reached:
            gaps.append((reached, min(covered_start, end)))
        reached = max(reached, covered_end)
    return [*gaps, (reached, end)] if reached < end else gaps
