"""Totals straight from raw events: nothing is rolled up, so nothing can lag behind what was accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from psycopg import sql

from core.locks import LockClass
from metering.rules import aggregation
from metering.rules.aggregation import Ratio
from metering.rules.arrivals import ALWAYS, Arrived
from metering.rules.readings import Reading
from metering.store import corrections, measured_value, measuring
from metering.store.measuring import MeterReading


@dataclass(frozen=True, slots=True)
class LiveRow:
    """One total: of which bucket (its place in the list of starts), of which group, and from how many events."""

    bucket: int
    group: tuple[str | None, ...]
    quantity: Decimal
    event_count: int


# Events being captured at this moment are in no total yet; the oldest such capture says how far back that goes.
_FRESHNESS = """
SELECT now.at, coalesce(extract(epoch FROM now.at - min(activity.xact_start)), 0)::float
FROM (SELECT clock_timestamp() AS at) now
LEFT JOIN pg_locks held
  ON held.locktype = 'advisory' AND held.classid = %s AND held.mode = 'ShareLock' AND held.granted
 AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
 AND held.pid <> pg_backend_pid()
LEFT JOIN pg_stat_activity activity ON activity.pid = held.pid
GROUP BY now.at
"""
# The names are values like any other, and no part of the statement.
GROUPING = sql.SQL(
    "ARRAY(SELECT e.data ->> one.name FROM unnest(w.group_by) WITH ORDINALITY AS one (name, place) ORDER BY one.place)"
)
_TOTALS = sql.SQL(
    """
    SELECT read.bucket, read.grouping, coalesce({quantity}, 0), count(*) FILTER (WHERE {is_usable}), count(*)
    FROM (
        SELECT width_bucket(e.occurred_at, %(starts)s::timestamptz[]) - 1 AS bucket, {grouping} AS grouping,
               {value} AS value, {columns}
        FROM metering_usageevent e, (
            SELECT %(value_property)s::text AS value_property, ''::text AS operation_property,
                   %(filters)s::jsonb AS filters, %(arrival_sign)s::int AS arrival_sign,
                   %(group_by)s::text[] AS group_by
        ) w
        WHERE e.customer_id = %(customer_id)s AND e.contract_id = %(contract_id)s
          AND e.occurred_at >= %(start)s AND e.occurred_at < %(end)s
          AND {counted} AND {matches}
        OFFSET 0
    ) read
    GROUP BY read.bucket, read.grouping
    ORDER BY read.bucket, read.grouping
    LIMIT %(rows_max)s
    """
)


# Usage as it was known then: what arrived in that stretch, without what had been corrected by an event of it.
_ARRIVED = sql.SQL(
    "({event}.received_at >= coalesce(%(since)s::timestamptz, '-infinity')"
    " AND {event}.received_at < coalesce(%(before)s::timestamptz, 'infinity'))"
)
_KNOWN_THEN = sql.SQL(
    """
    {arrived} AND NOT EXISTS (
        SELECT FROM metering_eventcorrection corrected
        JOIN metering_usageevent by ON by.seq = corrected.since_seq AND by.occurred_at = corrected.since_occurred_at
        WHERE corrected.seq = e.seq AND {arrived_by})
    """
).format(arrived=_ARRIVED.format(event=sql.Identifier("e")), arrived_by=_ARRIVED.format(event=sql.Identifier("by")))


def read_freshness() -> tuple[datetime, float]:
    """Give the database's clock, and for how many seconds the oldest capture in flight has been running."""
    with connection.cursor() as cursor:
        cursor.execute(_FRESHNESS, [int(LockClass.CAPTURE)])
        ((at, seconds),) = cursor.fetchall()
    return at, seconds


def read_totals(
    *,
    customer_id: int,
    meter: MeterReading,
    starts: Sequence[datetime],
    end: datetime,
    group_by: Sequence[str],
    rows_max: int,
    arrived: Arrived = ALWAYS,
) -> list[LiveRow]:
    """Total the events of a customer since `starts[0]`, by bucket and by properties of `data`; not for levels.

    With `arrived` only what was received in that stretch of time.
    """
    reading = meter.reading
    kind = measured_value.KINDS[reading.aggregation]
    statement = _TOTALS.format(
        quantity=kind.quantity,
        is_usable=kind.is_usable,
        value=kind.value,
        counted=corrections.counted(None) if arrived.is_everything else _KNOWN_THEN,
        columns=kind.columns,
        grouping=GROUPING,
        matches=measured_value.MATCHES,
    ).as_string()
    parameters: dict[str, Any] = {
        "starts": list(starts),
        "value_property": reading.value_property,
        "filters": measuring.filters_parameter(reading),
        "arrival_sign": measuring.arrival_sign(reading),
        "group_by": list(group_by),
        "customer_id": customer_id,
        "contract_id": meter.contract_id,
        "start": starts[0],
        "end": end,
        "rows_max": rows_max,
        "since": arrived.since,
        "before": arrived.before,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows = cursor.fetchall()
    return [
        LiveRow(bucket, tuple(group), quantity_of(quantity, measured, reading), events)
        for bucket, group, quantity, measured, events in rows
    ]


def quantity_of(quantity: Decimal | int, measured: int, reading: Reading) -> Decimal:
    """Make the quantity of a total: divided where it is an average, and what the meter says of negative ones."""
    divisor = Decimal(measured or 1) if reading.aggregation == "average" else Decimal(1)
    return aggregation.quantity_of(Ratio(Decimal(quantity), divisor), reading=reading)
