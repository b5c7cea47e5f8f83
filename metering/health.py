"""How well usage comes in: counts, rates, and how long events take from happening to being countable."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.errors import InvalidInputError
from metering.minutes import floor_minute
from metering.models import ArrivalProgress
from metering.store import arrivals, lags, minutes
from metering.store.arrivals import Lag, Stream

PERIOD_MAX = timedelta(days=31)
NEWEST = timedelta(minutes=10)
STREAMS_MAX = 500
RATE_STEP = Decimal("0.000001")
NO_LAG = Lag(None, None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What came in; the lag is that of accepted events sent by HTTP, for files bring usage of long ago.

    Its p50 and p95 are never lower than those of the events: see `store/lags.py`.
    """

    accepted: int
    duplicates: int
    quarantined: int
    lag: Lag

    @property
    def received(self) -> int:
        return self.accepted + self.duplicates + self.quarantined

    @property
    def acceptance_rate(self) -> Decimal | None:
        """The share that was not held back: a duplicate is a success."""
        return _rate(self.accepted + self.duplicates, self.received)

    @property
    def duplicate_suppression_rate(self) -> Decimal | None:
        """The share that had been accepted before and was not counted again."""
        return _rate(self.duplicates, self.received)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Arrivals in `[start, end)`, as a whole and by source and type."""

    start: datetime
    end: datetime
    whole: Arrivals
    streams: dict[Stream, Arrivals]


def measure_health(*, start: datetime, end: datetime) -> Health:
    """Add up what was received in `[start, end)`; a release from quarantine was received when it first came."""
    if not start < end or end - start > PERIOD_MAX:
        raise InvalidInputError(
            f"Ask for a stretch of at most {PERIOD_MAX.days} days, start before end.", pointer="/start"
        )
    counts = arrivals.count_arrivals(start=start, end=end)
    late = _measure_lags(start=start, end=end)
    streams = sorted(counts, key=lambda stream: (-sum(counts[stream]), stream))[:STREAMS_MAX]
    totals = [sum(column) for column in zip(*counts.values(), strict=True)] or [0, 0, 0]
    return Health(
        start=start,
        end=end,
        whole=_arrivals(totals, late.get(None)),
        streams={stream: _arrivals(counts[stream], late.get(stream)) for stream in streams},
    )


def _measure_lags(*, start: datetime, end: datetime) -> dict[Stream | None, Lag]:
    """By whole minutes, each as it was recorded; only the newest ones are measured from their events.

    So it takes no longer where more events come. Where no worker has recorded minutes for longer than `NEWEST`, those
    before have no lag.
    """
    first = floor_minute(start)
    progress = ArrivalProgress.objects.first()
    recorded_until = progress.recorded_until if progress else first
    split = min(max(first, recorded_until, floor_minute(end) - NEWEST), end)
    newest = minutes.count_minutes(start=split, end=end) if split < end else []
    return lags.weigh_minutes(start=first, end=split, newest=newest)


def count_suppressed(*, streams: Collection[tuple[str, str]], start: datetime, end: datetime) -> int:
    """How many resends these streams (source, type) had in `[start, end)`; which events they were is not kept."""
    counts = arrivals.count_arrivals(start=start, end=end)
    return sum(counted.duplicates for stream, counted in counts.items() if tuple(stream) in streams)


def _arrivals(counts: Iterable[int], lag: Lag | None) -> Arrivals:
    accepted, duplicates, quarantined = counts
    return Arrivals(accepted=accepted, duplicates=duplicates, quarantined=quarantined, lag=lag or NO_LAG)


def _rate(part: int, whole: int) -> Decimal | None:
    return (Decimal(part) / whole).quantize(RATE_STEP) if whole else None
