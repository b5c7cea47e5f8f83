"""The values of a minute's events in their order: read once, and again only when its sums moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from psycopg import sql

from metering.store import measured_value
from metering.store.corrections import counted


@dataclass(frozen=True, slots=True)
class Stretch:
    """A minute or less of one customer, as one series reads it."""

    series_id: int
    customer_id: int
    start: datetime
    end: datetime


class Ordered(NamedTuple):
    """The values in order, over every event up to `seq`, and by which sums they can be told to be still these."""

    seq: int
    last_row: int
    event_count: int
    values: tuple[Decimal, ...]


_ASKED = sql.SQL(
    """
    WITH asked AS (
        SELECT * FROM unnest(%(numbers)s::int[], %(series)s::bigint[], %(customers)s::bigint[],
                             %(starts)s::timestamptz[], %(ends)s::timestamptz[])
             AS asked (number, series_id, customer_id, from_at, to_at)
    ), marked AS (
        SELECT asked.*, w.seq, coalesce(max(r.id), 0) AS last_row,
               coalesce(sum(r.event_count), 0)::bigint AS event_count
        FROM asked JOIN metering_rollupseries w ON w.id = asked.series_id
        LEFT JOIN metering_usagerollup r ON r.series_id = asked.series_id AND r.customer_id = asked.customer_id
         AND r.grain = 'minute' AND r.starts_at = date_trunc('minute', asked.from_at, 'UTC')
        GROUP BY asked.number, asked.series_id, asked.customer_id, asked.from_at, asked.to_at, w.seq
    )
    """
)
_KEPT = sql.SQL(
    """
    {asked}
    SELECT marked.number, marked.seq, marked.last_row, marked.event_count, known.values
    FROM marked JOIN metering_orderedminute known ON known.series_id = marked.series_id
     AND known.customer_id = marked.customer_id AND known.starts_at = marked.from_at AND known.ends_at = marked.to_at
     AND known.last_row = marked.last_row AND known.event_count = marked.event_count
    """
).format(asked=_ASKED)
# In the order in which a price looks at events, as in `breakdown`.
_READ = sql.SQL(
    """
    {asked}
    SELECT marked.number, marked.seq, marked.last_row, marked.event_count, coalesce(array_agg(
               read.value
               ORDER BY read.occurred_at, read.received_at, read.event_id COLLATE "C", read.source COLLATE "C"
           ) FILTER (WHERE {is_usable}), '{{}}')
    FROM marked LEFT JOIN LATERAL (
        SELECT {value} AS value, e.occurred_at, e.received_at, e.event_id, e.source
        FROM metering_rollupseries w JOIN metering_usageevent e ON e.customer_id = marked.customer_id
         AND e.contract_id = w.contract_id AND e.occurred_at >= marked.from_at AND e.occurred_at < marked.to_at
         AND e.seq <= w.seq
        WHERE w.id = marked.series_id AND {counted} AND {matches}
        OFFSET 0
    ) read ON true
    GROUP BY marked.number, marked.seq, marked.last_row, marked.event_count
    """
).format(
    asked=_ASKED,
    value=measured_value.SUMMED,
    is_usable=measured_value.IS_USABLE_NUMBER,
    counted=counted("w.seq"),
    matches=measured_value.MATCHES,
)


def read_kept(stretches: Sequence[Stretch]) -> dict[int, Ordered]:
    """Give by place what was read before and still holds: of these no event is looked at."""
    return _fetch(_KEPT, stretches)


def read_events(stretches: Sequence[Stretch]) -> dict[int, Ordered]:
    """Give by place what the events say, each up to the last that its series has."""
    return _fetch(_READ, stretches)


def _fetch(statement: sql.Composed, stretches: Sequence[Stretch]) -> dict[int, Ordered]:
    if not stretches:
        return {}
    parameters: dict[str, Any] = {
        "numbers": list(range(len(stretches))),
        "series": [each.series_id for each in stretches],
        "customers": [each.customer_id for each in stretches],
        "starts": [each.start for each in stretches],
        "ends": [each.end for each in stretches],
    }
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(), parameters)
        return {
            number: Ordered(seq, last_row, events, tuple(values))
            for number, seq, last_row, events, values in cursor.fetchall()
        }
