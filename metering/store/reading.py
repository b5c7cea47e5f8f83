"""Read accepted events for people and checks: unpriced ones, and those behind a snapshot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from metering.models import AggregationSnapshot
from metering.rules import aggregation, exact_json
from metering.rules.readings import Reading
from metering.store import corrections, measured_value, measuring

STREAM_ROWS = 2000
PAGED_BY_INDEX_MAX = 20_000


@dataclass(frozen=True, slots=True)
class UsageGap:
    """A stretch of time for which nobody counts a customer's events of a contract; `period` is the caller's number.

    Of interest are the events that were accepted after a number.
    """

    customer_id: int
    contract_id: int
    period: int
    start: datetime
    end: datetime
    after_seq: int = 0


@dataclass(frozen=True, slots=True)
class StrayUsage:
    """Accepted events of a metered contract that no window covers: usage without a price."""

    customer_id: int
    contract_id: int
    event_count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An accepted event as the trace shows it; `value` is what the meter reads from it, None for nothing usable."""

    seq: int
    source: str
    event_id: str
    occurred_at: datetime
    received_at: datetime
    batch_id: int
    fingerprint: bytes
    data: dict[str, Any]
    extras: dict[str, Any]
    value: Decimal | str | None
    operation: str


_STRAYS = f"""
SELECT gap.customer_id, gap.contract_id, count(*), min(e.occurred_at), max(e.occurred_at)
FROM unnest(%(customers)s::bigint[], %(contracts)s::bigint[], %(periods)s::int[], %(starts)s::timestamptz[],
            %(ends)s::timestamptz[], %(after)s::bigint[])
  AS gap (customer_id, contract_id, period, starts_at, ends_at, after_seq)
JOIN metering_usageevent e ON e.customer_id = gap.customer_id AND e.contract_id = gap.contract_id
 AND e.occurred_at >= gap.starts_at AND e.occurred_at < gap.ends_at AND e.seq > gap.after_seq AND e.seq <= %(up_to_seq)s
 AND {corrections.counted("%(up_to_seq)s").as_string()}
GROUP BY gap.customer_id, gap.contract_id, gap.period
ORDER BY gap.customer_id, gap.period, gap.contract_id
"""  # noqa: S608  as above


def find_strays(gaps: Sequence[UsageGap], *, up_to_seq: int) -> list[StrayUsage]:
    """Count what was accepted in these gaps, up to a watermark, per customer, contract and period."""
    if not gaps:
        return []
    columns: dict[str, list[Any]] = {
        "customers": [gap.customer_id for gap in gaps],
        "contracts": [gap.contract_id for gap in gaps],
        "periods": [gap.period for gap in gaps],
        "starts": [gap.start for gap in gaps],
        "ends": [gap.end for gap in gaps],
        "after": [gap.after_seq for gap in gaps],
    }
    with connection.cursor() as cursor:
        cursor.execute(_STRAYS, columns | {"up_to_seq": up_to_seq})
        return [StrayUsage(*row) for row in cursor.fetchall()]


OF_SNAPSHOT = f"""
    e.customer_id = %(customer_id)s AND e.contract_id = %(contract_id)s
    AND e.occurred_at >= %(start)s AND e.occurred_at < %(end)s AND e.seq <= %(up_to_seq)s
    AND {corrections.counted("%(up_to_seq)s").as_string()} AND {measured_value.MATCHES.as_string()}
"""
WINDOW = "(SELECT %(filters)s::jsonb AS filters) w"
_COLUMNS = f"""
    e.seq, e.source, e.event_id, e.occurred_at, e.received_at, e.batch_id, e.fingerprint, e.data, e.extras
    FROM metering_usageevent e, {WINDOW}
"""
# The page is found in the index alone; only its rows are then read.
_PAGE = f"""
SELECT {_COLUMNS}
WHERE (e.seq, e.occurred_at) IN (
    SELECT e.seq, e.occurred_at FROM metering_usageevent e, {WINDOW}
    WHERE {OF_SNAPSHOT} AND e.seq > %(after_seq)s ORDER BY e.seq LIMIT %(limit)s
)
ORDER BY e.seq
"""  # noqa: S608  put together from the texts above
# Of very many events the next few are soonest found by walking the table in its own order.
_PAGE_OF_MANY = f"SELECT {_COLUMNS} WHERE {OF_SNAPSHOT} AND e.seq > %(after_seq)s ORDER BY e.seq LIMIT %(limit)s"
# An identity is known by source and id; there are few sources, each one look away from the one before.
_OF_ID = f"""
WITH RECURSIVE sender (source) AS (
    (SELECT source FROM metering_eventkey ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT k.source FROM metering_eventkey k WHERE k.source > sender.source ORDER BY k.source LIMIT 1)
    FROM sender WHERE sender.source IS NOT NULL
), known AS MATERIALIZED (
    SELECT k.seq, k.occurred_at FROM sender
    JOIN metering_eventkey k ON k.source = sender.source AND k.event_id = %(event_id)s
)
SELECT {_COLUMNS} WHERE (e.seq, e.occurred_at) IN (SELECT seq, occurred_at FROM known) AND {OF_SNAPSHOT}
ORDER BY e.seq LIMIT %(limit)s
"""  # noqa: S608  as above
_ALL = f"SELECT {_COLUMNS} WHERE {OF_SNAPSHOT} ORDER BY e.seq"


def page_of_events(snapshot: AggregationSnapshot, *, after_seq: int, limit: int) -> list[EventRow]:
    """Give the next events of a snapshot in capture order."""
    with connection.cursor() as cursor:
        statement = _PAGE if snapshot.event_count <= PAGED_BY_INDEX_MAX else _PAGE_OF_MANY
        after_seq = max(after_seq, snapshot.first_seq - 1)  # walking past whatever came before takes its time
        cursor.execute(statement, bounds_of(snapshot) | {"after_seq": after_seq, "limit": limit})
        reading = snapshot.meter_version.as_reading()
        return [_event_row(row, reading) for row in cursor.fetchall()]


def events_of_id(snapshot: AggregationSnapshot, *, event_id: str, limit: int) -> list[EventRow]:
    """Give the events of a snapshot that have this id, one for each source, in capture order."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_ID, bounds_of(snapshot) | {"event_id": event_id, "limit": limit})
        reading = snapshot.meter_version.as_reading()
        return [_event_row(row, reading) for row in cursor.fetchall()]


def stream_events(snapshot: AggregationSnapshot) -> Iterator[EventRow]:
    """Give all events of a snapshot in capture order, in bounded memory."""
    reading = snapshot.meter_version.as_reading()
    with connection.chunked_cursor() as cursor:
        cursor.execute(_ALL, bounds_of(snapshot))
        while rows := cursor.fetchmany(STREAM_ROWS):
            for row in rows:
                yield _event_row(row, reading)


def bounds_of(snapshot: AggregationSnapshot) -> dict[str, Any]:
    reading = snapshot.meter_version.as_reading()
    return {
        "customer_id": snapshot.customer_id,
        "contract_id": snapshot.meter.contract_id,
        "filters": measuring.filters_parameter(reading),
        "start": snapshot.since,
        "end": snapshot.window_end,
        "up_to_seq": snapshot.watermark.seq,
    }


def _event_row(row: Sequence[Any], reading: Reading) -> EventRow:
    seq, source, event_id, occurred_at, received_at, batch_id, fingerprint, text, extras = row
    data = exact_json.read(text)
    return EventRow(
        seq=seq,
        source=source,
        event_id=event_id,
        occurred_at=occurred_at,
        received_at=received_at,
        batch_id=batch_id,
        fingerprint=bytes(fingerprint),
        data=data,
        extras=exact_json.read(extras) if extras else {},
        value=aggregation.read_value(data, reading=reading),
        operation=aggregation.read_operation(data, reading=reading),
    )
