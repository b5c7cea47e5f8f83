"""Minutes, hours, days and months of a time zone, as usage is shown by them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from core import periods
from core.periods import Interval

BUCKETS_MAX = 10_000
STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}


def bucket_starts(start: datetime, end: datetime, *, window: str, zone: str) -> list[datetime]:
    """Give where each bucket of `[start, end)` begins: at `start` itself, then at each minute, hour, midnight or month.

    Hours count from local midnight, so a day on which clocks change has 23 or 25 of them and none twice.
    ValueError for more than BUCKETS_MAX.
    """
    starts = [start]
    for boundary in _boundaries(start, window=window, zone=zone):
        if boundary >= end:
            return starts
        if boundary > starts[-1]:  # a zone that crosses the date line may skip a whole local day
            starts.append(boundary)
        if len(starts) > BUCKETS_MAX:
            break
    raise ValueError(f"more than {BUCKETS_MAX} {window}s")


def _boundaries(start: datetime, *, window: str, zone: str) -> Iterator[datetime]:
    """Walk the boundaries from the one at or before `start`, without end."""
    interval = Interval.MONTH if window == "month" else Interval.DAY
    first = periods.local_date(start, zone=zone)
    anchor = first.replace(day=1) if interval is Interval.MONTH else first
    count = 0
    while True:
        begins, ends = (
            periods.local_midnight(periods.add_intervals(anchor, interval=interval, count=number), zone=zone)
            for number in (count, count + 1)
        )
        yield begins
        if step := STEPS.get(window):
            yield from _steps(max(begins, start - (start - begins) % step) + step, ends, step)
        count += 1


def _steps(instant: datetime, ends: datetime, step: timedelta) -> Iterator[datetime]:
    while instant < ends:
        yield instant
        instant += step
