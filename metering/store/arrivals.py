"""Counts of deliveries, and the time between happening and capture, straight from the rows of capture."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from core.statements import fetch_all

# A release is the second life of an event that was counted when it first came.
IS_FRESH = "channel <> 'release'"
# The lag is that of events sent as they happen; files bring usage of long ago.
IS_LIVE = "channel NOT IN ('release', 'import')"
_COUNTS = f"""
SELECT line.source, line.type, sum(line.accepted)::bigint, sum(line.duplicates)::bigint, sum(line.quarantined)::bigint
FROM metering_capturebatch AS batch,
     jsonb_to_recordset(batch.tallies)
       AS line (source text, type text, accepted bigint, duplicates bigint, quarantined bigint)
WHERE batch.received_at >= %s AND batch.received_at < %s AND {IS_FRESH}
GROUP BY line.source, line.type
"""  # noqa: S608  put together from the text above


class Stream(NamedTuple):
    """Events of one type from one source."""

    source: str
    type: str


class Counts(NamedTuple):
    """What became of them."""

    accepted: int
    duplicates: int
    quarantined: int


class Lag(NamedTuple):
    """Seconds from happening to capture; capture commits before it answers, so that is when an event counts."""

    p50: Decimal | None
    p95: Decimal | None
    max: Decimal | None


def count_arrivals(*, start: datetime, end: datetime) -> dict[Stream, Counts]:
    """Count the events received in `[start, end)` by source and type."""
    return {Stream(*row[:2]): Counts(*row[2:]) for row in fetch_all(_COUNTS, [start, end])}
