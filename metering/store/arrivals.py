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
# Batches say between which numbers their events lie, so that no index on the hot table is needed for this.
_LAGS = f"""
WITH batch AS MATERIALIZED (
    SELECT id, first_seq, last_seq FROM metering_capturebatch
    WHERE received_at >= %s AND received_at < %s AND {IS_LIVE} AND accepted > 0
), late AS (
    SELECT event.source, contract.event_type,
           extract(epoch FROM event.received_at - event.occurred_at)::numeric(20, 6) AS lag
    FROM metering_usageevent AS event
    JOIN batch ON batch.id = event.batch_id
    JOIN metering_eventcontract AS contract ON contract.id = event.contract_id
    WHERE event.seq BETWEEN (SELECT min(first_seq) FROM batch) AND (SELECT max(last_seq) FROM batch)
)
SELECT source, event_type, percentile_disc(0.5) WITHIN GROUP (ORDER BY lag),
       percentile_disc(0.95) WITHIN GROUP (ORDER BY lag), max(lag)
FROM late
GROUP BY GROUPING SETS ((), (source, event_type))
"""  # noqa: S608  as above


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


def measure_lags(*, start: datetime, end: datetime) -> dict[Stream | None, Lag]:
    """Measure the lag of events sent by HTTP in `[start, end)`, by source and type; None stands for all of them."""
    rows = fetch_all(_LAGS, [start, end])
    return {None if row[0] is None else Stream(*row[:2]): Lag(*row[2:]) for row in rows}
