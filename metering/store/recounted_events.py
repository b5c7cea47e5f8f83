"""Which events a recount counts: filters are read as people wrote them, by other SQL than when they were measured."""

from psycopg import sql

from metering.store import corrections, measured_value

PASSES = sql.SQL(
    """
    (w.filters IS NULL OR (
        SELECT bool_and(coalesce(CASE rule ->> 'operator'
            WHEN 'range' THEN
                read.number BETWEEN coalesce((rule ->> 'from')::numeric, -1e15) AND 1e15 AND scale(read.number) <= 18
                AND (rule ->> 'below' IS NULL OR read.number < (rule ->> 'below')::numeric)
            ELSE EXISTS (
                SELECT FROM jsonb_array_elements(coalesce(rule -> 'values', jsonb_build_array(rule -> 'value'))) one
                WHERE CASE jsonb_typeof(one)
                    WHEN 'number' THEN one::numeric = read.number AND scale(read.number) <= 18
                    ELSE one = read.value END
            )
        END, false))
        FROM jsonb_array_elements(w.filters) AS rule
        CROSS JOIN LATERAL (
            SELECT e.data -> (rule ->> 'property') AS value, {number} AS number
        ) read
    ))
    """
).format(number=measured_value.number_of(sql.SQL("(rule ->> 'property')")))
# `w` is a row of `recounted_snapshot`, or several that share their events.
IN_WINDOW = sql.SQL(
    """
    e.customer_id = w.customer_id AND w.contract_id = %(contract_id)s
     AND e.occurred_at >= w.since AND e.occurred_at < w.window_end AND e.seq <= w.up_to_seq
     AND e.contract_id = %(contract_id)s AND e.occurred_at >= %(first)s AND e.occurred_at < %(last)s
     AND {counted} AND {passes}
    """
).format(counted=corrections.counted("w.up_to_seq"), passes=PASSES)
