"""Count snapshots once more, from the stored rows and by other SQL than took them: this is the reconciliation.

Filters are read as people wrote them, levels are followed step by step, and days are counted one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from metering.rules import aggregation
from metering.rules.aggregation import Span
from metering.rules.readings import Reading
from metering.store import measured_value, measuring, recounted_events, recounted_totals


@dataclass(frozen=True, slots=True)
class Recount:
    """What the raw events of a snapshot's window say, up to the snapshot's own watermark."""

    event_count: int
    quantity: Decimal
    digest: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A snapshot to be counted again, as the version it names reads, over the span it says."""

    snapshot_id: int
    reading: Reading
    span: Span


# A table with statistics: without them a join that the planner believed small would be done over for every row, and a
# close of everybody would fetch each event by the index instead of reading the month once from end to end.
_WANTED = """
CREATE TEMPORARY TABLE recounted_snapshot ON COMMIT DROP AS
        SELECT s.id, s.customer_id, m.contract_id, v.aggregation, v.value_property, v.operation_property,
               v.is_recurring, nullif(v.filters, '[]') AS filters, s.window_start, s.window_end, k.seq AS up_to_seq,
               CASE WHEN v.is_recurring THEN timestamptz '1900-01-01 00:00Z' ELSE s.window_start END AS since,
               CASE v.tie_break WHEN 'first_received' THEN -1 ELSE 1 END AS arrival_sign, s.time_zone AS zone,
               (s.window_start AT TIME ZONE s.time_zone)::date AS first_day,
               (s.window_end AT TIME ZONE s.time_zone)::date AS end_day,
               CASE WHEN v.aggregation IN ('sum', 'average', 'max', 'min') THEN dense_rank() OVER (
                   PARTITION BY m.contract_id, v.aggregation IN ('sum', 'average', 'max', 'min')
                   ORDER BY v.value_property
               ) END AS place
        FROM metering_aggregationsnapshot s
        JOIN metering_meter m ON m.id = s.meter_id
        JOIN metering_meterversion v ON v.id = s.meter_version_id
        JOIN metering_watermark k ON k.id = s.watermark_id
        WHERE s.id = ANY(%s)
"""
# By contract and over the time that its windows span, so that the planner knows how many events each join will meet.
_PASSES = """
SELECT contract_id, min(since), max(window_end), array_agg(DISTINCT aggregation),
       array_agg(DISTINCT value_property ORDER BY value_property) FILTER (WHERE place IS NOT NULL)
FROM recounted_snapshot GROUP BY contract_id ORDER BY contract_id
"""
_EVENTS = sql.SQL("metering_usageevent e ON {}").format(recounted_events.IN_WINDOW)


def _statement(body: str) -> str:
    words = {
        "events": _EVENTS,
        "number": measured_value.NUMBER,
        "text": measured_value.TEXT,
        "operation": measured_value.OPERATION,
        "day": measured_value.DAY,
        "is_usable": measured_value.IS_USABLE_NUMBER,
        "is_usable_text": measured_value.IS_USABLE_TEXT,
    }
    return sql.SQL(body).format(**words).as_string()


_LAST_VALUES = _statement(
    """
    SELECT DISTINCT ON (read.id) read.id, read.value, 1
    FROM (
        SELECT w.id, {number} AS value, e.occurred_at, e.received_at, e.event_id, e.source, w.arrival_sign
        FROM recounted_snapshot w JOIN {events} WHERE w.aggregation = 'last' OFFSET 0
    ) read
    WHERE {is_usable}
    ORDER BY read.id, read.occurred_at DESC, extract(epoch FROM read.received_at) * read.arrival_sign DESC,
             read.event_id DESC, read.source DESC
    """
)
_UNIQUE_VALUES = _statement(
    """
    SELECT one.id, count(*) FILTER (WHERE one.operation = 'add'), 1
    FROM (
        SELECT DISTINCT ON (read.id, read.value) read.id, read.operation
        FROM (
            SELECT w.id, {text} AS value, {operation} AS operation, e.occurred_at, e.event_id, e.source,
                   extract(epoch FROM e.received_at) * w.arrival_sign AS arrival
            FROM recounted_snapshot w JOIN {events} WHERE w.aggregation = 'unique_count' OFFSET 0
        ) read
        WHERE {is_usable_text}
        ORDER BY read.id, read.value, read.occurred_at DESC, read.arrival DESC, read.event_id DESC, read.source DESC
    ) one
    GROUP BY one.id
    """
)
# From change to change: how high the level stood, and how long.
_LEVELS = _statement(
    """
    SELECT step.id, sum(step.level * step.length), 1
    FROM (
        SELECT one.id, sum(one.value) OVER up_to AS level, CASE one.aggregation
            WHEN 'time_weighted_sum' THEN 1000000 * extract(epoch FROM
                coalesce(lead(one.at) OVER up_to, one.window_end) - one.at)
            ELSE coalesce(lead(one.day) OVER up_to, one.end_day) - one.day END AS length
        FROM (
            SELECT read.id, read.aggregation, read.window_end, read.end_day, sum(read.value) AS value,
                   CASE read.aggregation WHEN 'time_weighted_sum' THEN greatest(read.at, read.window_start) END AS at,
                   CASE read.aggregation WHEN 'prorated_sum' THEN
                       least(greatest(read.day + (read.value < 0)::int, read.first_day), read.end_day) END AS day
            FROM (
                SELECT w.id, w.aggregation, w.window_start, w.window_end, w.first_day, w.end_day, {number} AS value,
                       e.occurred_at AS at, {day} AS day
                FROM recounted_snapshot w JOIN {events}
                WHERE w.aggregation IN ('time_weighted_sum', 'prorated_sum') OFFSET 0
            ) read
            WHERE {is_usable}
            GROUP BY 1, 2, 3, 4, 6, 7
        ) one
        WINDOW up_to AS (PARTITION BY one.id ORDER BY one.at, one.day)
    ) step
    GROUP BY step.id
    """
)
# The local days that follow each adding, up to that of the next change; a day of a value counts once.
_DAYS_HELD = _statement(
    """
    SELECT held.id, count(*), 1
    FROM (
        SELECT DISTINCT one.id, one.value, day.starts
        FROM (
            SELECT read.*, lead(read.day) OVER (
                PARTITION BY read.id, read.value ORDER BY read.occurred_at, read.arrival, read.event_id, read.source
            ) AS changed_on
            FROM (
                SELECT w.id, w.first_day, w.end_day, {text} AS value, {operation} AS operation, {day} AS day,
                       e.occurred_at, extract(epoch FROM e.received_at) * w.arrival_sign AS arrival, e.event_id,
                       e.source
                FROM recounted_snapshot w JOIN {events} WHERE w.aggregation = 'prorated_unique_count' OFFSET 0
            ) read
            WHERE {is_usable_text}
        ) one
        CROSS JOIN LATERAL generate_series(
            greatest(one.day, one.first_day)::timestamp,
            least(coalesce(one.changed_on, one.end_day - 1), one.end_day - 1)::timestamp, interval '1 day'
        ) AS day (starts)
        WHERE one.operation = 'add'
    ) held
    GROUP BY held.id
    """
)
_QUANTITIES = {
    "last": _LAST_VALUES,
    "unique_count": _UNIQUE_VALUES,
    "time_weighted_sum": _LEVELS,
    "prorated_sum": _LEVELS,
    "prorated_unique_count": _DAYS_HELD,
}


def recount(snapshots: Sequence[Counted]) -> dict[int, Recount]:
    """Count these snapshots again; statements do not grow with their number."""
    if not snapshots:
        return {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_WANTED, [[each.snapshot_id for each in snapshots]])
        cursor.execute("ANALYZE recounted_snapshot")
        found: dict[int, recounted_totals.Window] = {}
        quantities: dict[int, tuple[Decimal, int]] = {}
        for contract_id, first, last, kinds, properties in _rows(cursor, _PASSES):
            bounds = {"contract_id": contract_id, "first": first, "last": last}
            for asked in recounted_totals.ask(properties or []):
                for ids, *row in _rows(cursor, asked.statement, bounds):
                    asked.add(found, ids, row)
            for statement in {_QUANTITIES[kind] for kind in kinds if kind in _QUANTITIES}:
                quantities |= {number: tuple(rest) for number, *rest in _rows(cursor, statement, bounds)}
        cursor.execute("DROP TABLE recounted_snapshot")
    nothing = recounted_totals.Window()
    return {
        each.snapshot_id: _put_together(each, found.get(each.snapshot_id, nothing), quantities.get(each.snapshot_id))
        for each in snapshots
    }


def _put_together(each: Counted, window: recounted_totals.Window, read: tuple[Decimal, int] | None) -> Recount:
    quantity, measured = read or window.total(each.reading.aggregation, each.reading.value_property)
    ratio = measuring.ratio_of(quantity, measured_count=measured, reading=each.reading, span=each.span)
    quantity = aggregation.quantity_of(ratio, reading=each.reading)
    return Recount(event_count=window.event_count, quantity=quantity, digest=window.digest)


def _rows(cursor: CursorWrapper, statement: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    cursor.execute(statement, parameters)
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
