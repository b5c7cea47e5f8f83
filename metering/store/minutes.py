"""Minutes of capture: recorded once each, when nothing can be added to them, and read back as sums and rhythms."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db import connection, transaction

from metering.store import elsewhere
from metering.store.arrivals import IS_FRESH, IS_LIVE, Lag


class MinuteRow(NamedTuple):
    """One minute of one stream, or with empty texts and `is_whole` of all of them."""

    is_whole: bool
    source: str
    type: str
    minute: datetime
    accepted: int
    duplicates: int
    quarantined: int
    lag: Lag
    lag_count: int


# Batches say between which numbers their events lie, so that no index on the hot table is needed for the lag.
_COUNT = f"""
WITH batch AS MATERIALIZED (
    SELECT id, received_at, tallies, channel, accepted, first_seq, last_seq FROM metering_capturebatch
    WHERE received_at >= %(start)s AND received_at < %(end)s AND {IS_FRESH}
), counted AS (
    SELECT line.source, line.type, date_trunc('minute', batch.received_at, 'UTC') AS minute,
           GROUPING(line.source) AS is_whole, sum(line.accepted) AS accepted, sum(line.duplicates) AS duplicates,
           sum(line.quarantined) AS quarantined
    FROM batch, jsonb_to_recordset(batch.tallies)
         AS line (source text, type text, accepted bigint, duplicates bigint, quarantined bigint)
    GROUP BY GROUPING SETS ((minute), (line.source, line.type, minute))
), live AS MATERIALIZED (
    SELECT id, first_seq, last_seq FROM batch WHERE accepted > 0 AND {IS_LIVE}
), lagging AS (
    SELECT event.source, contract.event_type AS type, date_trunc('minute', event.received_at, 'UTC') AS minute,
           extract(epoch FROM event.received_at - event.occurred_at)::numeric(20, 6) AS lag
    FROM metering_usageevent AS event
    JOIN live ON live.id = event.batch_id
    JOIN metering_eventcontract AS contract ON contract.id = event.contract_id
    WHERE event.seq BETWEEN (SELECT min(first_seq) FROM live) AND (SELECT max(last_seq) FROM live)
), lags AS (
    SELECT source, type, minute, GROUPING(source) AS is_whole,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY lag) AS p50,
           percentile_disc(0.95) WITHIN GROUP (ORDER BY lag) AS p95, max(lag) AS highest, count(*) AS events
    FROM lagging GROUP BY GROUPING SETS ((minute), (source, type, minute))
)
SELECT counted.is_whole = 1, coalesce(counted.source, ''), coalesce(counted.type, ''), counted.minute,
       counted.accepted::bigint, counted.duplicates::bigint, counted.quarantined::bigint,
       lags.p50, lags.p95, lags.highest, coalesce(lags.events, 0)
FROM counted LEFT JOIN lags
  ON lags.is_whole = counted.is_whole AND lags.minute = counted.minute
 AND (lags.is_whole = 1 OR (lags.source = counted.source AND lags.type = counted.type))
ORDER BY counted.minute, counted.source, counted.type
"""  # noqa: S608  put together from the texts above

_NUMBERS = f"""
SELECT min(first_seq), max(last_seq) FROM metering_capturebatch
WHERE received_at >= %(start)s AND received_at < %(end)s AND {IS_LIVE}
"""  # noqa: S608  as above


def count_minutes(*, start: datetime, end: datetime) -> list[MinuteRow]:
    """Count what was received in `[start, end)` by minute, by stream and as a whole, from the rows of capture.

    Events that have left the table since are shown beside it, so inside a transaction nothing can be captured after.
    """
    stretch = {"start": start, "end": end}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NUMBERS, stretch)
        ((first, last),) = cursor.fetchall()
        with nullcontext() if first is None else elsewhere.showing_numbers(after=first - 1, up_to=last):
            cursor.execute(_COUNT, stretch)
            return [MinuteRow._make([*row[:7], Lag(*row[7:10]), row[10]]) for row in cursor.fetchall()]


_STREAMS = """
INSERT INTO metering_arrivalstream (source, event_type, first_minute, last_minute)
SELECT * FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])
ON CONFLICT (source, event_type) DO UPDATE
SET last_minute = greatest(metering_arrivalstream.last_minute, excluded.last_minute)
RETURNING source, event_type, id
"""


def note_streams(rows: Sequence[MinuteRow]) -> dict[tuple[str, str], int]:
    """Give the stream of each row, with its last minute moved on."""
    minutes: dict[tuple[str, str], list[datetime]] = {}
    for row in rows:
        if not row.is_whole:
            minutes.setdefault((row.source, row.type), []).append(row.minute)
    names = sorted(minutes)
    columns = [[name[0] for name in names], [name[1] for name in names]]
    spans = [[min(minutes[name]) for name in names], [max(minutes[name]) for name in names]]
    with connection.cursor() as cursor:
        cursor.execute(_STREAMS, [*columns, *spans])
        return {(source, event_type): number for source, event_type, number in cursor.fetchall()}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSums:
    """A stream's counts in one stretch of time, and the p95 of each of its minutes, newest first."""

    stream_id: int
    is_recent: bool
    accepted: int
    duplicates: int
    quarantined: int
    lags: tuple[Decimal, ...]


# Minutes without events are no rows, so a stream that sleeps at night, or sends once an hour, is held against what it
# sent before it slept, and not against an hour of nothing.
_SUMS = """
WITH newest AS (
    SELECT stream.id AS stream_id, own.*
    FROM metering_arrivalstream stream
    CROSS JOIN LATERAL (
        SELECT minute, accepted, duplicates, quarantined, lag_p95 FROM metering_arrivalminute own
        WHERE own.stream_id = stream.id AND own.minute >= %(since)s AND own.minute < %(end)s
        ORDER BY minute DESC LIMIT %(minutes)s
    ) own
    WHERE stream.last_minute >= %(split)s
), placed AS (
    SELECT *, row_number() OVER newer AS place, max(minute) OVER (PARTITION BY stream_id) >= %(split)s AS is_awake,
           coalesce(sum(accepted + duplicates + quarantined)
                    OVER (newer ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS newer_events
    FROM newest WINDOW newer AS (PARTITION BY stream_id ORDER BY minute DESC)
), split AS (
    SELECT *, minute >= %(split)s OR (newer_events < %(events_min)s AND place <= %(before)s) AS is_recent FROM placed
), counted AS (
    SELECT *, count(*) FILTER (WHERE is_recent) OVER (PARTITION BY stream_id) AS recent FROM split WHERE is_awake
)
SELECT stream_id, is_recent, sum(accepted)::bigint, sum(duplicates)::bigint, sum(quarantined)::bigint,
       coalesce(array_agg(lag_p95 ORDER BY minute DESC) FILTER (WHERE lag_p95 IS NOT NULL), '{}')
FROM counted WHERE is_recent OR place <= recent + %(before)s
GROUP BY 1, 2
"""


def sum_minutes(*, since: datetime, split: datetime, end: datetime, before: int, events_min: int) -> list[StreamSums]:
    """Add up the newest minutes of every stream that sent something in `[split, end)`, and the `before` ones before.

    Where those of `[split, end)` have fewer than `events_min` events, earlier minutes count as recent until they have.
    """
    values: dict[str, datetime | int] = {
        "since": since,
        "split": split,
        "end": end,
        "before": before,
        "events_min": events_min,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, values | {"minutes": 2 * before + (end - split) // timedelta(minutes=1)})
        return [
            StreamSums(
                stream_id=row[0],
                is_recent=row[1],
                accepted=row[2],
                duplicates=row[3],
                quarantined=row[4],
                lags=tuple(row[5]),
            )
            for row in cursor.fetchall()
        ]


class StreamRhythm(NamedTuple):
    """A stream's last minute, the pauses between its minutes before that, and how often it sent in these hours."""

    stream_id: int
    last_minute: datetime
    longest: int
    gaps: int
    same_hours: list[int]


# Only streams that are silent now are looked at more closely. A pause that began before the first day counts whole, or
# the night and the weekend in which that day lies would be forgotten. The same hours of a week before are also looked
# at an hour earlier and later, for clocks change twice a year and people do as the clock says.
_RHYTHMS = """
SELECT stream.id, stream.last_minute, paused.longest, paused.gaps, weekly.same_hours
FROM metering_arrivalstream stream
CROSS JOIN LATERAL (
    SELECT (max(gap) / 60)::int AS longest, count(gap) AS gaps
    FROM (
        SELECT extract(epoch FROM minute - lag(minute) OVER (ORDER BY minute)) AS gap
        FROM metering_arrivalminute own
        WHERE own.stream_id = stream.id AND own.minute >= coalesce(
            (SELECT max(minute) FROM metering_arrivalminute earlier
             WHERE earlier.stream_id = stream.id AND earlier.minute < %(start)s),
            %(start)s
        )
    ) pauses
) paused
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(least ORDER BY week), '{}') AS same_hours
    FROM (
        SELECT week, min(sent) AS least
        FROM generate_series(1, %(weeks)s) AS week, generate_series(-1, 1) AS hour
        CROSS JOIN LATERAL (
            SELECT count(*)::int AS sent FROM metering_arrivalminute own
            WHERE own.stream_id = stream.id
              AND own.minute > greatest(stream.last_minute, %(end)s - interval '24 hours')
                               - week * interval '7 days' + hour * interval '1 hour'
              AND own.minute < %(end)s - week * interval '7 days' + hour * interval '1 hour'
        ) own
        GROUP BY week
    ) weeks
) weekly
WHERE stream.last_minute >= %(start)s AND stream.last_minute <= %(silent_since)s
"""


def find_rhythms(*, start: datetime, silent_since: datetime, end: datetime, weeks: int) -> list[StreamRhythm]:
    """Give the rhythm since `start` of every stream that has sent nothing after the minute `silent_since`.

    Of the silence that goes on until `end`, its last day is held against the same hours of `weeks` weeks before.
    """
    values: dict[str, datetime | int] = {"start": start, "silent_since": silent_since, "end": end, "weeks": weeks}
    with connection.cursor() as cursor:
        cursor.execute(_RHYTHMS, values)
        return [StreamRhythm(row[0], row[1], row[2] or 0, *row[3:]) for row in cursor.fetchall()]
