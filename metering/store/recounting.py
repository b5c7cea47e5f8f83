"""Count snapshots once more, from the stored rows and by other SQL than took them: this is the reconciliation."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from psycopg import sql

from metering.rules import aggregation
from metering.store import corrections, measured_value


@dataclass(frozen=True, slots=True)
class Recount:
    """What the raw events of a snapshot's window say, up to the snapshot's own watermark."""

    event_count: int
    quantity: Decimal
    digest: str


_WANTED = sql.SQL(
    """
    WITH wanted AS MATERIALIZED (
        SELECT s.id, s.customer_id, m.contract_id, m.aggregation, m.value_property, s.window_start, s.window_end,
               k.seq AS up_to_seq
        FROM metering_aggregationsnapshot s
        JOIN metering_meter m ON m.id = s.meter_id
        JOIN metering_watermark k ON k.id = s.watermark_id
        WHERE s.id = ANY(%s)
    )
    """
)
_EVENTS = sql.SQL(
    """
    metering_usageevent e ON e.customer_id = w.customer_id AND e.contract_id = w.contract_id
     AND e.occurred_at >= w.window_start AND e.occurred_at < w.window_end AND e.seq <= w.up_to_seq
     AND e.occurred_at >= (SELECT min(window_start) FROM wanted) -- leaves the other months' tables alone
     AND e.occurred_at < (SELECT max(window_end) FROM wanted)
     AND {counted}
    """
).format(counted=corrections.counted("w.up_to_seq"))


def _statement(body: sql.SQL) -> str:
    return sql.Composed(
        [
            _WANTED,
            body.format(
                events=_EVENTS,
                number=measured_value.NUMBER,
                text=measured_value.TEXT,
                is_usable=measured_value.IS_USABLE_NUMBER,
            ),
        ]
    ).as_string()


# Meters on one contract share the events of a window, so these are counted once for all of them. Each statement is one
# pass by the index from what is wanted: snapshots just taken have no statistics, and a join that the planner believed
# small would be done over for every row.
_COUNTS = _statement(
    sql.SQL(
        """
        SELECT w.ids, count(*), encode(sha256(string_agg(e.fingerprint, ''::bytea ORDER BY e.seq)), 'hex')
        FROM (
            SELECT array_agg(id) AS ids, customer_id, contract_id, window_start, window_end, up_to_seq
            FROM wanted GROUP BY customer_id, contract_id, window_start, window_end, up_to_seq
        ) w JOIN {events}
        GROUP BY w.ids
        """
    )
)
_TOTALS = _statement(
    sql.SQL(
        """
        SELECT read.id, CASE read.aggregation WHEN 'sum' THEN sum(read.value) ELSE max(read.value) END
        FROM (
            SELECT w.id, w.aggregation, {number} AS value
            FROM wanted w JOIN {events} WHERE w.aggregation IN ('sum', 'max') OFFSET 0
        ) read
        WHERE {is_usable} GROUP BY read.id, read.aggregation
        """
    )
)
_LAST_VALUES = _statement(
    sql.SQL(
        """
        SELECT DISTINCT ON (read.id) read.id, read.value
        FROM (
            SELECT w.id, {number} AS value, e.occurred_at, e.received_at, e.event_id, e.source
            FROM wanted w JOIN {events} WHERE w.aggregation = 'last' OFFSET 0
        ) read
        WHERE {is_usable}
        ORDER BY read.id, read.occurred_at DESC, read.received_at DESC, read.event_id DESC, read.source DESC
        """
    )
)
_UNIQUE_VALUES = _statement(
    sql.SQL(
        """
        SELECT one.id, count(one.value)
        FROM (SELECT w.id, {text} AS value FROM wanted w JOIN {events}
              WHERE w.aggregation = 'unique_count' GROUP BY 1, 2) one
        GROUP BY one.id
        """
    )
)
_QUANTITIES = {
    "sum": _TOTALS,
    "max": _TOTALS,
    "last": _LAST_VALUES,
    "unique_count": _UNIQUE_VALUES,
}


def recount(snapshots: Iterable[tuple[int, str]]) -> dict[int, Recount]:
    """Count these snapshots, each given as its id and kind of aggregation; statements do not grow with their number."""
    kinds = dict(snapshots)
    counts = {number: (events, digest) for ids, events, digest in _rows(_COUNTS, kinds) for number in ids}
    quantities: dict[int, Decimal] = {}
    for statement in {_QUANTITIES[kind] for kind in kinds.values() if kind != "count"}:
        quantities |= {number: Decimal(quantity) for number, quantity in _rows(statement, kinds)}
    found = {}
    for number, kind in kinds.items():
        events, digest = counts.get(number, (0, aggregation.digest([])))
        quantity = Decimal(events) if kind == "count" else quantities.get(number, aggregation.ZERO)
        found[number] = Recount(event_count=events, quantity=quantity, digest=digest)
    return found


def _rows(statement: str, ids: Iterable[int]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(ids)])
        yield from cursor.fetchall()
