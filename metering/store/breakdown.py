"""Split windows into parts, any number at once, over the very events that a count at the same watermark sees."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection, transaction
from psycopg import sql

from metering.rules.parts import PartsBy, Split, UsagePart
from metering.rules.windows import UsageWindow
from metering.store import corrections, measured_value, measuring
from metering.store.measuring import MeterReading

FETCH_ROWS = 5000
PartStream = Iterator[tuple[int, Iterator[UsagePart]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitWindow:
    """A window as one meter reads it, up to a watermark, and how it is to be split."""

    window: UsageWindow
    meter: MeterReading
    split: Split
    up_to_seq: int


# A table with statistics, as for the windows of a count: the planner knows nothing of the rows of an array.
_STAGE = """
CREATE TEMPORARY TABLE split_window (
    number int, customer_id bigint, contract_id bigint, value_property text, operation_property text, aggregation text,
    filters jsonb, arrival_sign int, span tstzrange, up_to_seq bigint, parts_by text, properties text[], bucket text,
    zone text, amount_property text
) ON COMMIT DROP
"""
_EVENTS = sql.SQL(
    """
    FROM split_window w
    JOIN metering_usageevent e ON e.customer_id = w.customer_id AND w.span @> e.occurred_at
    WHERE w.contract_id = e.contract_id AND e.seq <= w.up_to_seq
      AND e.contract_id = ANY(%(contracts)s) AND e.occurred_at >= %(first)s AND e.occurred_at < %(last)s
      AND w.parts_by = %(parts_by)s AND w.aggregation = %(aggregation)s
      AND {counted} AND {matches}
    """
).format(counted=corrections.counted("w.up_to_seq"), matches=measured_value.MATCHES)
# In the order in which a price looks at events: by their time, then arrival, then identity.
_EACH_EVENT = sql.SQL(
    """
    SELECT read.number, ({unit})::numeric, 1, CASE WHEN {is_usable_amount} THEN read.amount END, NULL, NULL
    FROM ({read}) read
    WHERE {is_usable}
    ORDER BY read.number, read.occurred_at, read.received_at, read.event_id, read.source
    """
)
_EACH_COMBINATION = sql.SQL(
    """
    SELECT read.number, ({quantity})::numeric, count(*), sum(read.amount) FILTER (WHERE {is_usable_amount}),
           read.names, read.combination
    FROM ({read}) read
    WHERE {is_usable}
    GROUP BY read.number, read.names, read.combination
    ORDER BY read.number, read.combination COLLATE "C"
    """
)
_EACH_BUCKET = sql.SQL(
    """
    SELECT read.number, ({quantity})::numeric, count(*), sum(read.amount) FILTER (WHERE {is_usable_amount}),
           NULL, read.bucket
    FROM ({read}) read
    WHERE {is_usable}
    GROUP BY read.number, read.bucket
    ORDER BY read.number, read.bucket
    """
)
_READ = sql.SQL(
    """
    SELECT w.number, {value} AS value, {amount} AS amount, {own}, {operation}, e.received_at, {order}
    {events} OFFSET 0
    """
)
# What an event shares with the others of its part. Names of properties are data, bound like any other value.
_COMBINATION = sql.SQL(
    """
    w.properties AS names, ARRAY(
        SELECT e.data ->> p.name FROM unnest(w.properties) WITH ORDINALITY AS p (name, place) ORDER BY p.place
    ) AS combination
    """
)
_BUCKET = sql.SQL("greatest(date_trunc(w.bucket, e.occurred_at, w.zone), lower(w.span)) AS bucket")
OWN = {PartsBy.EVENT: sql.SQL("NULL"), PartsBy.COMBINATION: _COMBINATION, PartsBy.BUCKET: _BUCKET}
_SHAPES = {PartsBy.EVENT: _EACH_EVENT, PartsBy.COMBINATION: _EACH_COMBINATION, PartsBy.BUCKET: _EACH_BUCKET}


def stream_parts(windows: Sequence[SplitWindow]) -> PartStream:
    """Give the place of each window that has parts, and these in order; to be read to the end, one after the other.

    Events come by time, arrival and identity, combinations by their texts, buckets by time. An event without a value
    that the meter can read is in no part, as it is in no quantity. Memory does not grow with the number of events.
    """
    if not windows:
        return
    with transaction.atomic():
        _write_stage(windows)
        for parts_by, aggregation in sorted({_shape(each) for each in windows}):
            here = [each for each in windows if _shape(each) == (parts_by, aggregation)]
            bounds = {
                "contracts": sorted({each.meter.contract_id for each in here}),
                "first": min(each.window.start for each in here),
                "last": max(each.window.end for each in here),
                "parts_by": parts_by.value,
                "aggregation": aggregation,
            }
            yield from read_parts(_statement(parts_by, aggregation), bounds)
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE split_window")


def _shape(each: SplitWindow) -> tuple[PartsBy, str]:
    return each.split.by, each.meter.reading.aggregation


def _statement(parts_by: PartsBy, aggregation: str) -> str:
    kind = measured_value.KINDS[aggregation]
    read = _READ.format(
        value=kind.value,
        amount=measured_value.AMOUNT,
        own=OWN[parts_by],
        operation=measured_value.OPERATION_COLUMN,
        order=measured_value.ORDER_COLUMNS,
        events=_EVENTS,
    )
    return (
        _SHAPES[parts_by]
        .format(
            unit=kind.unit,
            quantity=kind.quantity,
            is_usable=kind.is_usable,
            is_usable_amount=measured_value.IS_USABLE_AMOUNT,
            read=read,
        )
        .as_string()
    )


def read_parts(statement: str, parameters: Mapping[str, Any]) -> PartStream:
    """Run a statement of parts in bounded memory."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, parameters)
        for number, rows in groupby(_fetch(cursor), key=itemgetter(0)):
            yield number, map(_part, rows)


def _fetch(cursor: Any) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchmany(FETCH_ROWS):
        yield from rows


def _part(row: tuple[Any, ...]) -> UsagePart:
    _, quantity, events, amount, names, own = row
    if names is None:
        return UsagePart(quantity, events, bucket=own, amount=amount)
    carried = tuple((name, text) for name, text in zip(names, own, strict=True) if text is not None)
    return UsagePart(quantity, events, properties=carried, amount=amount)


def _write_stage(windows: Sequence[SplitWindow]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy("COPY split_window FROM STDIN") as copy:
            for number, each in enumerate(windows):
                copy.write_row(_stage_row(number, each))
        cursor.execute("ANALYZE split_window")


def _stage_row(number: int, each: SplitWindow) -> tuple[Any, ...]:
    window, meter, split = each.window, each.meter, each.split
    span = f"[{window.start.isoformat()},{window.end.isoformat()})"
    reading = meter.reading
    owner = (window.customer_id, meter.contract_id, reading.value_property, reading.operation_property)
    measure = (reading.aggregation, measuring.filters_parameter(reading), measuring.arrival_sign(reading))
    how = (split.by.value, list(split.properties), split.bucket, split.zone, split.amount_property)
    return (number, *owner, *measure, span, each.up_to_seq, *how)
