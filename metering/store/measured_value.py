"""What a meter reads from events, in SQL: the same definitions as `rules.aggregation`, written once."""

from dataclasses import dataclass

from psycopg import sql

# `e` is an event, `w` carries the meter's value_property. A number in JSON needs no look at its text; a text must be a
# plain decimal. Capture guarantees a usable value for every meter there was; an event from before may lack it.
_NUMBER = sql.SQL(
    r"""
    CASE jsonb_typeof(e.data -> {name})
        WHEN 'number' THEN (e.data -> {name})::numeric
        WHEN 'string' THEN CASE
            WHEN e.data ->> {name} ~ '^-?(0|[1-9][0-9]{{0,20}})(\.[0-9]{{1,40}})?$'
            THEN (e.data ->> {name})::numeric END
    END
    """
)


def number_of(name: sql.SQL) -> sql.Composed:
    """The number that an event carries under the name that this expression gives; NULL where it is none."""
    return _NUMBER.format(name=name)


NUMBER = number_of(sql.SQL("w.value_property"))
AMOUNT = number_of(sql.SQL("w.amount_property"))
TEXT = sql.SQL("e.data ->> w.value_property")
IS_USABLE_NUMBER = sql.SQL("read.value BETWEEN -1e15 AND 1e15 AND scale(read.value) <= 18")
IS_USABLE_AMOUNT = sql.SQL("read.amount BETWEEN -1e15 AND 1e15 AND scale(read.amount) <= 18")
IS_USABLE_TEXT = sql.SQL("read.value IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of aggregation reads an event, what it makes of the values in `read`, and of one event by itself."""

    value: sql.Composable
    is_usable: sql.SQL
    quantity: sql.Composed
    unit: sql.SQL


def _numbers(quantity: sql.SQL) -> Kind:
    return Kind(NUMBER, IS_USABLE_NUMBER, quantity.format(is_usable=IS_USABLE_NUMBER), sql.SQL("read.value"))


KINDS = {
    "count": Kind(sql.SQL("true"), sql.SQL("true"), sql.SQL("count(*)").format(), sql.SQL("1")),
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
    "unique_count": Kind(TEXT, IS_USABLE_TEXT, sql.SQL("count(DISTINCT read.value)").format(), sql.SQL("1")),
}
