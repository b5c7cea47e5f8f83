"""What a meter reads from events, in SQL: the same definitions as `rules.aggregation`, written once.

`e` is an event and `w` a window, with the `value_property`, `operation_property` and `filters` of its meter version as
columns. Whatever a person wrote is a value in a row: no name and no value ever becomes part of a statement's text.
"""

from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

# A number in JSON needs no look at its text; a text must be a plain decimal.
_NUMBER = sql.SQL(
    r"""
    CASE jsonb_typeof({value})
        WHEN 'number' THEN ({value})::numeric
        WHEN 'string' THEN CASE
            WHEN {value} #>> '{{}}' ~ '^-?(0|[1-9][0-9]{{0,20}})(\.[0-9]{{1,40}})?$'
            THEN ({value} #>> '{{}}')::numeric END
    END
    """
)


def number_of(name: sql.SQL) -> sql.Composed:
    """The number that an event carries under the name that this expression gives; NULL where it is none."""
    return number_in(sql.SQL("(e.data -> {name})").format(name=name))


def number_in(value: sql.Composable) -> sql.Composed:
    """The number that a JSON value is; NULL where it is none."""
    return _NUMBER.format(value=value)


# Capture guarantees a usable value for every meter there was; an event from before may lack it.
NUMBER = number_of(sql.SQL("w.value_property"))
# What sums add up: the number, or whether the event adds or removes the value that it has.
SUMMED = sql.SQL(
    """
    CASE WHEN w.operation_property = '' THEN {number} WHEN e.data ->> w.value_property IS NOT NULL THEN
        CASE e.data ->> w.operation_property WHEN 'add' THEN 1 WHEN 'remove' THEN 0 END
    END
    """
).format(number=NUMBER)
AMOUNT = number_of(sql.SQL("w.amount_property"))
TEXT = sql.SQL("e.data ->> w.value_property")
OPERATION = sql.SQL("CASE w.operation_property WHEN '' THEN 'add' ELSE e.data ->> w.operation_property END")
IS_USABLE_NUMBER = sql.SQL("read.value BETWEEN -1e15 AND 1e15 AND scale(read.value) <= 18")
IS_USABLE_AMOUNT = sql.SQL("read.amount BETWEEN -1e15 AND 1e15 AND scale(read.amount) <= 18")
IS_USABLE_TEXT = sql.SQL("read.value IS NOT NULL AND read.operation IN ('add', 'remove')")
# Of one instant the arrival decides, then the identity: a total order, so that counting again gives the same.
LATEST_FIRST = sql.SQL("read.occurred_at DESC, read.arrival DESC, read.event_id DESC, read.source DESC")
EARLIEST_FIRST = sql.SQL("read.occurred_at, read.arrival, read.event_id, read.source")
DAY = sql.SQL("(e.occurred_at AT TIME ZONE w.zone)::date")

# Each condition is one of `filters.Filter.as_parameter`. Its property is looked up by a value; an absent one gives
# NULL, which is no match. `@>` finds a plain value among the members of an array.
MATCHES = sql.SQL(
    """
    (w.filters IS NULL OR NOT EXISTS (
        SELECT FROM jsonb_array_elements(w.filters) AS condition (rule)
        WHERE CASE rule ->> 'kind'
            WHEN 'range' THEN
                {number} BETWEEN -1e15 AND 1e15 AND scale({number}) <= 18
                AND {number} >= coalesce((rule ->> 'from')::numeric, -1e15)
                AND {number} < coalesce((rule ->> 'below')::numeric, 1e16)
            WHEN 'number' THEN scale({number}) <= 18 AND rule -> 'values' @> to_jsonb({number})
            WHEN 'text' THEN jsonb_typeof({value}) = 'string' AND rule -> 'values' @> ({value})
            ELSE jsonb_typeof({value}) = 'boolean' AND rule -> 'values' @> ({value})
        END IS NOT TRUE
    ))
    """
).format(
    value=sql.SQL("e.data -> (rule ->> 'property')"),
    number=number_of(sql.SQL("(rule ->> 'property')")),
)

NO_COLUMN = sql.SQL("1 AS nothing")
OPERATION_COLUMN = sql.SQL("{operation} AS operation").format(operation=OPERATION)
ORDER_COLUMNS = sql.SQL(
    "e.occurred_at, w.arrival_sign * extract(epoch FROM e.received_at) AS arrival, e.event_id, e.source"
)
_READ = sql.SQL(
    """
    SELECT read.number, count(*) FILTER (WHERE ({is_usable}) IS NOT TRUE), coalesce({quantity}, 0),
           count(*) FILTER (WHERE {is_usable})
    FROM ({read}) read
    GROUP BY read.number
    """
)
_HELD = sql.SQL(
    """
    SELECT one.number, sum(one.unusable)::bigint, count(*) FILTER (WHERE one.last = 'add'), count(*)
    FROM (
        SELECT read.number, count(*) FILTER (WHERE ({is_usable}) IS NOT TRUE) AS unusable,
               (array_agg(read.operation ORDER BY {latest_first}) FILTER (WHERE {is_usable}))[1] AS last
        FROM ({read}) read
        GROUP BY read.number, read.value
    ) one
    GROUP BY one.number
    """
)
# What changes nothing, such as adding again what is held, is passed over; then each adding lasts to the next removing.
# The day of both counts, and of a day on which one stay ends and the next begins only once.
_DAYS_HELD = sql.SQL(
    """
    SELECT stay.number, count(*) FILTER (WHERE NOT stay.is_usable),
           coalesce(sum(greatest(
               least(coalesce(stay.removed_on + 1, stay.end_day), stay.end_day)
               - greatest(stay.day, stay.first_day, coalesce(stay.free_on + 1, stay.first_day)), 0
           )) FILTER (WHERE stay.is_usable AND stay.operation = 'add'), 0)::numeric,
           count(*)
    FROM (
        SELECT change.*, lead(change.day) OVER one AS removed_on, lag(change.day) OVER one AS free_on
        FROM (
            SELECT read.*, lag(read.operation) OVER one AS former
            FROM (SELECT read.*, ({is_usable}) IS TRUE AS is_usable FROM ({read}) read) read
            WINDOW one AS (PARTITION BY read.number, read.value, read.is_usable ORDER BY {earliest_first})
        ) change
        WHERE NOT change.is_usable OR change.operation IS DISTINCT FROM coalesce(change.former, 'remove')
        WINDOW one AS (PARTITION BY change.number, change.value, change.is_usable
                       ORDER BY change.occurred_at, change.arrival, change.event_id, change.source)
    ) stay
    GROUP BY stay.number
    """
)


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of aggregation reads an event, what it makes of the values in `read`, and of one event by itself."""

    value: sql.Composable
    is_usable: sql.SQL
    quantity: sql.Composable
    unit: sql.SQL
    columns: sql.Composable
    statement: sql.SQL

    def select(self, events: sql.Composable) -> sql.Composed:
        """Give per window its number, its events without a usable value, the quantity undivided, and the others.

        `events` joins `w` and `e`. `OFFSET 0` keeps the planner from working out each value once per use of it.
        """
        read = sql.SQL("SELECT w.number, {value} AS value, {columns} {events} OFFSET 0").format(
            value=self.value, columns=self.columns, events=events
        )
        return self.statement.format(
            read=read,
            is_usable=self.is_usable,
            quantity=self.quantity,
            latest_first=LATEST_FIRST,
            earliest_first=EARLIEST_FIRST,
        )


def _numbers(quantity: LiteralString, columns: sql.Composable = NO_COLUMN) -> Kind:
    words = {"is_usable": IS_USABLE_NUMBER, "latest_first": LATEST_FIRST}
    return Kind(NUMBER, IS_USABLE_NUMBER, sql.SQL(quantity).format(**words), sql.SQL("read.value"), columns, _READ)


def _texts(quantity: LiteralString, columns: sql.Composable, statement: sql.SQL = _READ) -> Kind:
    return Kind(TEXT, IS_USABLE_TEXT, sql.SQL(quantity), sql.SQL("1"), columns, statement)


_WEIGHED: LiteralString = "sum(read.value * read.weight) FILTER (WHERE {is_usable})"
_MICROSECONDS_LEFT = sql.SQL("1000000 * extract(epoch FROM w.ends_at - greatest(w.starts_at, e.occurred_at)) AS weight")
# An increase holds from its day, a decrease from the next.
_DAYS_LEFT = sql.SQL(
    "greatest(w.end_day - greatest(w.first_day, {day} + CASE WHEN {number} < 0 THEN 1 ELSE 0 END), 0) AS weight"
).format(day=DAY, number=NUMBER)
_EACH_CHANGE = sql.SQL("{}, {}").format(OPERATION_COLUMN, ORDER_COLUMNS)

KINDS = {
    "count": Kind(sql.SQL("true"), sql.SQL("true"), sql.SQL("count(*)"), sql.SQL("1"), NO_COLUMN, _READ),
    "sum": _numbers("sum(read.value) FILTER (WHERE {is_usable})"),
    "average": _numbers("sum(read.value) FILTER (WHERE {is_usable})"),
    "max": _numbers("max(read.value) FILTER (WHERE {is_usable})"),
    "min": _numbers("min(read.value) FILTER (WHERE {is_usable})"),
    "last": _numbers("(array_agg(read.value ORDER BY {latest_first}) FILTER (WHERE {is_usable}))[1]", ORDER_COLUMNS),
    "time_weighted_sum": _numbers(_WEIGHED, _MICROSECONDS_LEFT),
    "prorated_sum": _numbers(_WEIGHED, _DAYS_LEFT),
    "unique_count": _texts("count(DISTINCT read.value)", OPERATION_COLUMN),
    "unique_count held": _texts("", _EACH_CHANGE, _HELD),
    "prorated_unique_count": _texts(
        "", sql.SQL("{}, {} AS day, w.first_day, w.end_day").format(_EACH_CHANGE, DAY), _DAYS_HELD
    ),
}
