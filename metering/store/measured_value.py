"""What a meter reads from events, in SQL: the same definitions as `rules.aggregation`, written once."""

from dataclasses import dataclass

from psycopg import sql

# `e` is an event, `w` carries the meter's value_property. A number in JSON needs no look at its text; a text must be a
# plain decimal. Capture guarantees a usable value for every meter there was; an event from before may lack it.
NUMBER = sql.SQL(
    r"""
    CASE jsonb_typeof(e.data -> w.value_property)
        WHEN 'number' THEN (e.data -> w.value_property)::numeric
        WHEN 'string' THEN CASE
            WHEN e.data ->> w.value_property ~ '^-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,40})?$'
            THEN (e.data ->> w.value_property)::numeric END
    END
    """
)
TEXT = sql.SQL("e.data ->> w.value_property")
IS_USABLE_NUMBER = sql.SQL("read.value BETWEEN -1e15 AND 1e15 AND scale(read.value) <= 18")
IS_USABLE_TEXT = sql.SQL("read.value IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of aggregation reads an event, and what it makes of the values in `read`."""

    value: sql.SQL
    is_usable: sql.SQL
    quantity: sql.Composed


def _numbers(quantity: sql.SQL) -> Kind:
    return Kind(NUMBER, IS_USABLE_NUMBER, quantity.format(is_usable=IS_USABLE_NUMBER))


KINDS = {
    "count": Kind(sql.SQL("true"), sql.SQL("true"), sql.SQL("count(*)").format()),
    "sum": _numbers(sql.SQL("sum(read.value) FILTER (WHERE {is_usable})")),
    "max": _numbers(sql.SQL("max(read.value) FILTER (WHERE {is_usable})")),
    "last": _numbers(
        sql.SQL(
            """
            (array_agg(read.value ORDER BY
                read.occurred_at DESC, read.received_at DESC, read.event_id DESC, read.source DESC
            ) FILTER (WHERE {is_usable}))[1]
            """
        )
    ),
    "unique_count": Kind(TEXT, IS_USABLE_TEXT, sql.SQL("count(DISTINCT read.value)").format()),
}
