"""Many windows at once from rolled-up rows: one statement, whose cost is that of the rows and never of the events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg import sql

from metering.rules.covering import Span
from metering.rules.summed import SummedPart, SummedStretch, Told
from metering.store import live, measured_value, rollups
from metering.store.corrections import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledWindow:
    """A stretch of time of one customer as one series has it, and by which of the series' properties it is split."""

    series_id: int
    customer_id: int
    spans: tuple[Span, ...]
    places: tuple[int, ...] = ()
    told: Told = Told.PARTS


_SPANS = sql.SQL(
    """
    one AS (
        SELECT number, series_id, customer_id, places::int[] AS places, by_minute
        FROM unnest(%(numbers)s::int[], %(series)s::bigint[], %(customers)s::bigint[], %(places)s::text[],
                    %(by_minute)s::boolean[])
             AS one (number, series_id, customer_id, places, by_minute)
    ), span AS (
        SELECT * FROM unnest(%(span_numbers)s::int[], %(grains)s::text[], %(starts)s::timestamptz[],
                             %(ends)s::timestamptz[]) AS span (number, grain, from_at, to_at)
    )
    """
)
# `OFFSET 0` keeps each stretch to its own place in the index, however many there are: joined, they would be compared
# with every row of their customer.
_ROWS = sql.SQL(
    """
    SELECT one.number, one.places, r.groups, r.event_count, r.measured_count, r.total, r.highest, r.lowest,
           r.last_value, r.last_at, r.last_arrival, r.last_event_id, r.last_source, r.moment,
           {below} AS below, CASE WHEN one.by_minute THEN r.starts_at END AS minute
    FROM one JOIN span USING (number) CROSS JOIN LATERAL (
        SELECT * FROM metering_usagerollup r
        WHERE r.series_id = one.series_id AND r.customer_id = one.customer_id AND r.grain = span.grain
          AND r.starts_at >= span.from_at AND r.starts_at < span.to_at
        OFFSET 0
    ) r
    """
).format(below=rollups.BELOW.format(row=sql.Identifier("r")))
# The ends of a stretch that begins or ends within an hour: at most an hour of one customer each, up to the same event.
_ENDS = sql.SQL(
    """
    UNION ALL
    SELECT read.number, read.places, read.groups, 1, usable.one, usable.value, usable.value, usable.value, usable.value,
           CASE WHEN usable.one = 1 THEN read.occurred_at END, read.arrival, read.event_id, read.source,
           usable.value * extract(epoch FROM read.occurred_at), least(usable.value, 0),
           CASE WHEN read.by_minute THEN date_trunc('minute', read.occurred_at, 'UTC') END
    FROM (
        SELECT one.number, one.places, one.by_minute, {grouping} AS groups, {number} AS value, {order}
        FROM one JOIN span USING (number) JOIN metering_rollupseries w ON w.id = one.series_id
        JOIN metering_usageevent e ON e.customer_id = one.customer_id AND e.contract_id = w.contract_id
         AND e.occurred_at >= span.from_at AND e.occurred_at < span.to_at AND e.seq <= w.seq
        WHERE span.grain = '' AND {counted} AND {matches}
        OFFSET 0
    ) read
    CROSS JOIN LATERAL (
        SELECT CASE WHEN {is_usable} THEN 1 ELSE 0 END AS one, CASE WHEN {is_usable} THEN read.value END AS value
    ) usable
    """
).format(
    grouping=live.GROUPING,
    number=measured_value.SUMMED,
    order=measured_value.ORDER_COLUMNS,
    counted=counted("w.seq"),
    matches=measured_value.MATCHES,
    is_usable=measured_value.IS_USABLE_NUMBER,
)
_SUMS = sql.SQL(
    """
    WITH {spans}, part AS ({rows} {ends}), summed AS (
        SELECT number, ARRAY(
                   SELECT part.groups[one.place] FROM unnest(part.places) WITH ORDINALITY AS one (place, turn)
                   ORDER BY one.turn
               ) AS grouping, sum(event_count) AS events, sum(measured_count) AS measured, sum(total) AS total,
               max(highest) AS highest, min(lowest) AS lowest,
               (array_agg(last_value ORDER BY last_at DESC NULLS LAST, last_arrival DESC,
                          last_event_id COLLATE "C" DESC, last_source COLLATE "C" DESC))[1] AS last,
               CASE WHEN NOT bool_or(measured_count > 0 AND moment IS NULL) THEN coalesce(sum(moment), 0) END AS moment,
               CASE WHEN NOT bool_or(measured_count > 0 AND below IS NULL) THEN coalesce(sum(below), 0) END AS below,
               minute
        FROM part GROUP BY 1, 2, minute
    )
    SELECT one.number, w.seq, summed.grouping, summed.events, summed.measured, summed.total, summed.highest,
           summed.lowest, summed.last, summed.moment, summed.below, summed.minute
    FROM one JOIN metering_rollupseries w ON w.id = one.series_id LEFT JOIN summed USING (number)
    ORDER BY one.number, summed.minute, summed.grouping COLLATE "C"
    """
)
# The same for unique counts: one part, whose measured count is how many different values there are, or are held.
_COUNTED = sql.SQL(
    """
    WITH {spans}, part AS ({rows} {ends}), value AS (
        SELECT number, part.groups[part.places[1]] AS value, sum(event_count) AS events,
               (array_agg(last_value ORDER BY last_at DESC NULLS LAST, last_arrival DESC,
                          last_event_id COLLATE "C" DESC, last_source COLLATE "C" DESC))[1] AS last
        FROM part GROUP BY 1, 2
    ), summed AS (
        SELECT number, sum(events) AS events, count(*) FILTER (WHERE value IS NOT NULL AND {counts}) AS found
        FROM value GROUP BY number
    )
    SELECT one.number, w.seq, ARRAY[]::text[], summed.events, summed.found, NULL::numeric, NULL::numeric, NULL::numeric,
           NULL::numeric, NULL::numeric, NULL::numeric, NULL::timestamptz
    FROM one JOIN metering_rollupseries w ON w.id = one.series_id LEFT JOIN summed USING (number)
    """
)
_SHAPES = {
    Told.PARTS: (_SUMS, sql.SQL("")),
    Told.MINUTES: (_SUMS, sql.SQL("")),
    Told.DISTINCT: (_COUNTED, sql.SQL("true")),
    Told.HELD: (_COUNTED, sql.SQL("last = 1")),
}
_STATEMENTS = {
    (told, has_ends): statement.format(
        spans=_SPANS, rows=_ROWS, ends=_ENDS if has_ends else sql.SQL(""), counts=counts
    ).as_string()
    for told, (statement, counts) in _SHAPES.items()
    for has_ends in (False, True)
}


def statement_of(windows: Sequence[RolledWindow]) -> tuple[str, dict[str, Any]]:
    """Give the statement and its parameters; where every span has a grain it names no raw event.

    The windows are all told alike.
    """
    spans = [(number, span) for number, window in enumerate(windows) for span in window.spans]
    statement = _STATEMENTS[windows[0].told, not all(span.grain for _, span in spans)]
    return statement, {
        "numbers": list(range(len(windows))),
        "series": [window.series_id for window in windows],
        "customers": [window.customer_id for window in windows],
        "places": ["{" + ",".join(map(str, window.places)) + "}" for window in windows],
        "by_minute": [window.told is Told.MINUTES for window in windows],
        "span_numbers": [number for number, _ in spans],
        "grains": [span.grain or "" for _, span in spans],
        "starts": [span.start for _, span in spans],
        "ends": [span.end for _, span in spans],
    }


def read_sums(windows: Sequence[RolledWindow]) -> list[SummedStretch]:
    """Give the sums of each window in their order; all that are told alike in one view of the database."""
    found: dict[int, SummedStretch] = {}
    for told in _SHAPES:
        places = [place for place, window in enumerate(windows) if window.told is told]
        found |= zip(places, _read([windows[place] for place in places]), strict=True)
    return [found[place] for place in range(len(windows))]


def _read(windows: Sequence[RolledWindow]) -> list[SummedStretch]:
    if not windows:
        return []
    seqs = [0] * len(windows)
    parts: list[list[SummedPart]] = [[] for _ in windows]
    with connection.cursor() as cursor:
        cursor.execute(*statement_of(windows))
        for number, seq, groups, events, measured, *figures in cursor.fetchall():
            seqs[number] = seq
            if events is not None:
                parts[number].append(SummedPart(tuple(groups), int(events), int(measured), *figures))
    return [SummedStretch(seq, tuple(found)) for seq, found in zip(seqs, parts, strict=True)]


_CUSTOMERS = """
SELECT DISTINCT customer_id FROM (
    SELECT customer_id FROM metering_usageevent WHERE seq > %s AND seq <= %s OFFSET 0
) arrived ORDER BY 1
"""


def find_customers(*, after: int, up_to: int) -> list[int]:
    """Give whose events have a number in `(after, up_to]`, by number alone."""
    with connection.cursor() as cursor:
        cursor.execute(_CUSTOMERS, [after, up_to])
        return [customer_id for (customer_id,) in cursor.fetchall()]


def bare_stretches(windows: Sequence[RolledWindow]) -> list[tuple[datetime, datetime]]:
    """Give the stretches that must be read event by event."""
    return sorted({(span.start, span.end) for window in windows for span in window.spans if span.grain is None})
