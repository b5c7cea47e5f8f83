"""What a meter reads from an event `e`, in SQL: the same definition as `rules.aggregation.read_value`."""

from psycopg import sql

# `w` carries the meter's value_property. A number in JSON needs no look at its text; a text must be a plain decimal.
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

# Capture guarantees this for every meter there was; events from before a meter was made may lack its value.
IS_USABLE_NUMBER = sql.SQL("read.value BETWEEN -1e15 AND 1e15 AND scale(read.value) <= 18")
IS_USABLE_TEXT = sql.SQL("read.value IS NOT NULL")
