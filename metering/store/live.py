"""Totals straight from raw events: nothing is rolled up, so nothing can lag behind what was accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from psycopg import sql

from core.locks import LockClass
from metering.models import Meter
from metering.store import corrections, measured_value


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
_TOTALS = sql.SQL(
    """
    SELECT read.bucket, read.grouping, coalesce({quantity}, 0), count(*)
    FROM (
        SELECT width_bucket(e.occurred_at, %(starts)s::timestamptz[]) - 1 AS bucket, {grouping} AS grouping,
               {value} AS value, e.occurred_at, e.received_at, e.event_id, e.source
        FROM metering_usageevent e, (SELECT %(value_property)s::text AS value_property) w
        WHERE e.customer_id = %(customer_id)s AND e.contract_id = %(contract_id)s
          AND e.occurred_at >= %(start)s AND e.occurred_at < %(end)s
          AND {counted}
        OFFSET 0
    ) read
    GROUP BY read.bucket, read.grouping
    ORDER BY read.bucket, read.grouping
    LIMIT %(rows_max)s
    """
)


def read_freshness() -> tuple[datetime, float]:
    """Give the database's clock, and for how many seconds the oldest capture in flight has been running."""
    with connection.cursor() as cursor:
        cursor.execute(_FRESHNESS, [int(LockClass.CAPTURE)])
        ((at, seconds),) = cursor.fetchall()
    return at, seconds


def read_totals(
    *,
    customer_id: int,
    meter: Meter,
    starts: Sequence[datetime],
    end: datetime,
    group_by: Sequence[str],
    rows_max: int,
) -> list[LiveRow]:
    """Total the events of a customer since `starts[0]`, by bucket and by properties of `data`."""
    kind = measured_value.KINDS[meter.aggregation]
    names = {f"group_{number}": name for number, name in enumerate(group_by)}
    properties = sql.SQL(", ").join(sql.SQL("e.data ->> {}").format(sql.Placeholder(name)) for name in names)
    statement = _TOTALS.format(
        quantity=kind.quantity,
        value=kind.value,
        counted=corrections.counted(None),
        grouping=sql.SQL("ARRAY[{}]::text[]").format(properties),
    ).as_string()
    parameters: dict[str, Any] = {
        "starts": list(starts),
        "value_property": meter.value_property,
        "customer_id": customer_id,
        "contract_id": meter.contract_id,
        "start": starts[0],
        "end": end,
        "rows_max": rows_max,
        **names,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [
            LiveRow(bucket, tuple(group), Decimal(quantity), events)
            for bucket, group, quantity, events in cursor.fetchall()
        ]
