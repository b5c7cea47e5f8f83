"""How late events came over a stretch of many minutes, from what each of its minutes says."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from metering.store.arrivals import Lag, Stream
from metering.store.minutes import MinuteRow

WHOLE = 0
# Of the events of a minute half were no later than its p50, 95 of 100 no later than its p95 and all no later than its
# max, so each is taken to be as late as that; three digits, rounded up, leave few different lags of however many
# minutes. So p50 and p95 are never lower than those of the events themselves. What was recorded before `lag_count`
# counts by its accepted events. Lags are microseconds in here; a stream that is not recorded yet has a number below 0.
_WEIGH = """
WITH minute AS MATERIALIZED (
    SELECT coalesce(stream_id, 0) AS stream, coalesce(lag_count, accepted)::bigint AS events,
           (lag_p50::float8 * 1e6)::bigint AS p50, (lag_p95::float8 * 1e6)::bigint AS p95,
           (lag_max::float8 * 1e6)::bigint AS highest
    FROM metering_arrivalminute WHERE minute >= %(start)s AND minute < %(end)s AND lag_max IS NOT NULL
    UNION ALL
    SELECT coalesce(known.id, own.stream), events, (p50 * 1e6)::bigint, (p95 * 1e6)::bigint, (highest * 1e6)::bigint
    FROM unnest(%(streams)s::bigint[], %(sources)s::text[], %(types)s::text[], %(events)s::bigint[],
                %(p50)s::numeric[], %(p95)s::numeric[], %(highest)s::numeric[])
         AS own (stream, source, type, events, p50, p95, highest)
    LEFT JOIN metering_arrivalstream AS known
      ON own.stream < 0 AND known.source = own.source AND known.event_type = own.type
), point AS (
    SELECT stream, p50 AS lag, (events + 1) / 2 AS events FROM minute
    UNION ALL
    SELECT stream, p95, (events * 95 + 99) / 100 - (events + 1) / 2 FROM minute
    UNION ALL
    SELECT stream, highest, events - (events * 95 + 99) / 100 FROM minute
), digits AS (
    SELECT stream, lag, events, CASE
        WHEN lag < 1000000 THEN 1000 WHEN lag < 10000000 THEN 10000 WHEN lag < 100000000 THEN 100000
        WHEN lag < 1000000000 THEN 1000000 WHEN lag < 10000000000 THEN 10000000 ELSE 100000000
    END::bigint AS unit FROM point
), summed AS (
    SELECT stream, lag + mod(unit - mod(lag, unit), unit) AS lag, sum(events) AS events, max(lag) AS highest
    FROM digits GROUP BY 1, 2
), running AS (
    SELECT stream, lag, highest, sum(events) OVER (PARTITION BY stream) AS whole,
           sum(events) OVER (PARTITION BY stream ORDER BY lag) AS events
    FROM summed
), weighed AS (
    SELECT stream, min(lag) FILTER (WHERE events >= whole * 0.50) AS p50,
           min(lag) FILTER (WHERE events >= whole * 0.95) AS p95, max(highest) AS highest
    FROM running GROUP BY stream
)
SELECT stream, known.source, known.event_type, (least(p50, highest) / 1e6)::numeric(20, 6),
       (least(p95, highest) / 1e6)::numeric(20, 6), (highest / 1e6)::numeric(20, 6)
FROM weighed LEFT JOIN metering_arrivalstream AS known ON known.id = stream
"""


def weigh_minutes(*, start: datetime, end: datetime, newest: Sequence[MinuteRow]) -> dict[Stream | None, Lag]:
    """Put together the recorded minutes of `[start, end)` and newer ones; by source and type, None for all of them.

    p50 and p95 have three digits and are never lower than those of the events; max is exact.
    """
    rows = [row for row in newest if row.lag_count]
    names = sorted({Stream(row.source, row.type) for row in rows if not row.is_whole})
    numbers = {name: -number for number, name in enumerate(names, start=1)}
    values: dict[str, Any] = {
        "start": start,
        "end": end,
        "streams": [WHOLE if row.is_whole else numbers[Stream(row.source, row.type)] for row in rows],
        "sources": [row.source for row in rows],
        "types": [row.type for row in rows],
        "events": [row.lag_count for row in rows],
        "p50": [row.lag.p50 for row in rows],
        "p95": [row.lag.p95 for row in rows],
        "highest": [row.lag.max for row in rows],
    }
    with connection.cursor() as cursor:
        cursor.execute(_WEIGH, values)
        found = {row[0]: (Stream(*row[1:3]), Lag(*row[3:])) for row in cursor.fetchall()}
    return {
        None if number == WHOLE else names[-number - 1] if number < 0 else name: lag
        for number, (name, lag) in found.items()
    }
