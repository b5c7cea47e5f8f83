"""Live totals from rolled-up rows, the raw events above them, and the raw events of what no row covers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from psycopg import sql

from metering.rules.covering import Span
from metering.rules.readings import Reading
from metering.store import live, measured_value
from metering.store.corrections import counted
from metering.store.live import LiveRow


class Mark(NamedTuple):
    """How far a series is, and how many corrections above that take back what is in it: while both stand, sums hold."""

    seq: int
    pending: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What is read: whose events, by which series, and what a meter makes of its sums."""

    series_id: int
    customer_id: int
    contract_id: int
    group_by: tuple[str, ...]
    reading: Reading


_PENDING = sql.SQL(
    """
    FROM metering_eventcorrection c
    WHERE c.customer_id = %(customer_id)s AND c.contract_id = %(contract_id)s AND c.occurred_at >= %(start)s
      AND c.occurred_at < %(end)s AND c.kind <> 'cancels' AND c.since_seq > %(seq)s AND c.seq <= %(seq)s
    """
)
_HOLES = sql.SQL("SELECT date_trunc('hour', c.occurred_at, 'UTC'), count(*) {pending} GROUP BY 1").format(
    pending=_PENDING
)
_EVENT = sql.SQL(
    """
    SELECT e.occurred_at AS starts_at, {grouping} AS groups, {number} AS value, {order}
    """
).format(grouping=live.GROUPING, number=measured_value.NUMBER, order=measured_value.ORDER_COLUMNS)
# The newest events are found by their number alone, which `OFFSET 0` keeps the planner to: they are what everybody sent
# in a few seconds, while by customer and time they would be looked for among all that the customer ever used.
_TOTALS = sql.SQL(
    """
    WITH w AS (SELECT * FROM metering_rollupseries WHERE id = %(series_id)s),
    span AS (SELECT * FROM unnest(%(grains)s::text[], %(span_starts)s::timestamptz[], %(span_ends)s::timestamptz[])
             AS span (grain, from_at, to_at)),
    raw AS (
        {event}
        FROM w, span JOIN metering_usageevent e ON e.customer_id = %(customer_id)s AND e.contract_id = %(contract_id)s
         AND e.occurred_at >= span.from_at AND e.occurred_at < span.to_at
        WHERE span.grain = '' AND {counted} AND {matches}
        UNION ALL
        {event}
        FROM w, (SELECT * FROM metering_usageevent WHERE seq > %(seq)s OFFSET 0) e
        WHERE e.customer_id = %(customer_id)s AND e.contract_id = %(contract_id)s
          AND e.occurred_at >= %(start)s AND e.occurred_at < %(end)s AND {counted} AND {matches}
          AND NOT EXISTS (SELECT FROM span WHERE span.grain = '' AND e.occurred_at >= span.from_at
                             AND e.occurred_at < span.to_at)
    ),
    part AS (
        SELECT r.starts_at, r.groups, r.event_count, r.measured_count, r.total, r.highest, r.lowest, r.last_value,
               r.last_at, r.last_arrival,
               r.last_event_id, r.last_source
        FROM span JOIN metering_usagerollup r ON r.series_id = %(series_id)s AND r.customer_id = %(customer_id)s
         AND r.grain = span.grain AND r.starts_at >= span.from_at AND r.starts_at < span.to_at
        UNION ALL
        SELECT read.starts_at, read.groups, 1, usable.one, usable.value, usable.value, usable.value, usable.value,
               CASE WHEN usable.one = 1 THEN read.occurred_at END, read.arrival, read.event_id, read.source
        FROM raw AS read
        CROSS JOIN LATERAL (
            SELECT CASE WHEN {is_usable} THEN 1 ELSE 0 END AS one, CASE WHEN {is_usable} THEN read.value END AS value
        ) usable
    ),
    total AS (
        SELECT width_bucket(starts_at, %(starts)s::timestamptz[]) - 1 AS bucket, ARRAY(
                   SELECT part.groups[one.place] FROM unnest(%(places)s::int[]) WITH ORDINALITY AS one (place, number)
                   ORDER BY one.number
               ) AS grouping, {quantity} AS quantity, sum(measured_count) AS measured, sum(event_count) AS events
        FROM part GROUP BY 1, 2 ORDER BY 1, 2 LIMIT %(rows_max)s
    )
    SELECT (SELECT seq FROM metering_rollupseries WHERE id = %(series_id)s), (SELECT count(*) {pending}),
           total.bucket, total.grouping, coalesce(total.quantity, 0), total.measured, total.events
    FROM (SELECT) AS always LEFT JOIN total ON true
    """
)
# The aggregations whose parts can be put together; the others are read event by event.
_QUANTITIES = {
    "count": sql.SQL("sum(event_count)"),
    "sum": sql.SQL("sum(total)"),
    "average": sql.SQL("sum(total)"),
    "min": sql.SQL("min(lowest)"),
    "max": sql.SQL("max(highest)"),
    "last": sql.SQL(
        "(array_agg(last_value ORDER BY last_at DESC NULLS LAST, last_arrival DESC, last_event_id DESC,"
        " last_source DESC))[1]"
    ),
}
_STATEMENTS = {
    name: _TOTALS.format(
        event=_EVENT,
        counted=counted(None),
        matches=measured_value.MATCHES,
        is_usable=measured_value.IS_USABLE_NUMBER,
        quantity=quantity,
        pending=_PENDING,
    ).as_string()
    for name, quantity in _QUANTITIES.items()
}
ROLLED_UP = frozenset(_QUANTITIES)


def find_holes(series: Series, *, seq: int, start: datetime, end: datetime) -> dict[datetime, int]:
    """Give the hours whose sums hold events that were corrected since, and how many of these each has."""
    bounds: dict[str, Any] = {
        "customer_id": series.customer_id,
        "contract_id": series.contract_id,
        "start": start,
        "end": end,
        "seq": seq,
    }
    with connection.cursor() as cursor:
        cursor.execute(_HOLES.as_string(), bounds)
        return dict(cursor.fetchall())


def statement_of(
    series: Series,
    *,
    seq: int,
    spans: Sequence[Span],
    starts: Sequence[datetime],
    end: datetime,
    group_by: Sequence[str],
    rows_max: int,
) -> tuple[str, dict[str, Any]]:
    """Give the statement and its parameters: one reading of rows and of events, in one view of the database."""
    return _STATEMENTS[series.reading.aggregation], {
        "series_id": series.series_id,
        "customer_id": series.customer_id,
        "contract_id": series.contract_id,
        "seq": seq,
        "grains": [span.grain or "" for span in spans],
        "span_starts": [span.start for span in spans],
        "span_ends": [span.end for span in spans],
        "starts": list(starts),
        "start": starts[0],
        "end": end,
        "places": [series.group_by.index(name) + 1 for name in group_by],
        "rows_max": rows_max,
    }


def read_rolled(statement: str, parameters: dict[str, Any], *, reading: Reading) -> tuple[Mark, list[LiveRow]]:
    """Give the totals, and the mark as it stood while they were read."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows = cursor.fetchall()
    totals = [
        LiveRow(bucket, tuple(group), live.quantity_of(quantity, int(measured), reading), int(events))
        for _seq, _pending, bucket, group, quantity, measured, events in rows
        if bucket is not None
    ]
    return Mark(rows[0][0], rows[0][1]), totals
