"""Capture by the minute: recorded minutes, and the newest ones straight from the deliveries."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import InvalidInputError, NotFoundError
from metering.health import Arrivals
from metering.minutes import MINUTE, floor_minute
from metering.models import ArrivalMinute, ArrivalProgress, ArrivalStream
from metering.store import minutes
from metering.store.arrivals import Lag
from metering.store.minutes import MinuteRow

SPAN_MAX = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MinuteArrivals:
    """One minute in which something came in."""

    minute: datetime
    arrivals: Arrivals


def measure_minutes(*, start: datetime, end: datetime, stream: ArrivalStream | None = None) -> list[MinuteArrivals]:
    """Give the minutes of `[start, end)` in which something came in from a stream, or from all of them together."""
    start = floor_minute(start)
    if not start < end or end - start > SPAN_MAX + MINUTE:
        raise InvalidInputError("Ask for at most a day of minutes, start before end.", pointer="/start")
    progress = ArrivalProgress.objects.first()
    recorded_until = progress.recorded_until if progress else start
    recorded = ArrivalMinute.objects.filter(stream=stream, minute__gte=start, minute__lt=min(end, recorded_until))
    found = [_recorded(row) for row in recorded.order_by("minute")]
    if end <= recorded_until:
        return found
    newest = minutes.count_minutes(start=max(start, recorded_until), end=end)
    return found + [_counted(row) for row in newest if _is_of(row, stream)]


def find_stream(*, source: str, event_type: str) -> ArrivalStream:
    """Give the stream of this source and type; NotFoundError where nothing ever came from it."""
    stream = ArrivalStream.objects.filter(source=source, event_type=event_type).first()
    if stream is None:
        raise NotFoundError("No minute with events of this source and type is recorded.")
    return stream


def _recorded(row: ArrivalMinute) -> MinuteArrivals:
    lag = Lag(row.lag_p50, row.lag_p95, row.lag_max)
    counts = Arrivals(accepted=row.accepted, duplicates=row.duplicates, quarantined=row.quarantined, lag=lag)
    return MinuteArrivals(row.minute, counts)


def _counted(row: MinuteRow) -> MinuteArrivals:
    counts = Arrivals(accepted=row.accepted, duplicates=row.duplicates, quarantined=row.quarantined, lag=row.lag)
    return MinuteArrivals(row.minute, counts)


def _is_of(row: MinuteRow, stream: ArrivalStream | None) -> bool:
    if stream is None:
        return row.is_whole
    return not row.is_whole and (row.source, row.type) == (stream.source, stream.event_type)
