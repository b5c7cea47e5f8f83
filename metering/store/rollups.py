"""Add events up by hour, day and month (UTC): each event once, in the order of capture, any number at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from psycopg import sql

from metering.store import live, measured_value
from metering.store.corrections import counted

_KEY = sql.SQL("series_id, customer_id, grain, starts_at, groups, groups_hash")
_SUMS = sql.SQL(
    "event_count, measured_count, total, highest, lowest, last_value, last_at, last_arrival, last_event_id,"
    " last_source, moment, below"
)
# Stretches are those of UTC, the same for everybody; what a customer calls a day is put together of hours.
_READ = sql.SQL(
    """
    SELECT w.id AS series_id, e.customer_id, date_trunc('hour', e.occurred_at, 'UTC') AS hour,
           w.by_minute, {grouping} AS groups, {number} AS value, {order}
    """
).format(grouping=live.GROUPING, number=measured_value.SUMMED, order=measured_value.ORDER_COLUMNS)
_LATEST = sql.SQL("ORDER BY {latest_first}").format(latest_first=measured_value.LATEST_FIRST)
_SUMMED = sql.SQL(
    """
    count(*) AS event_count, count(*) FILTER (WHERE {usable}) AS measured_count,
    sum(read.value) FILTER (WHERE {usable}) AS total, max(read.value) FILTER (WHERE {usable}) AS highest,
    min(read.value) FILTER (WHERE {usable}) AS lowest,
    (array_agg(read.value {latest}) FILTER (WHERE {usable}))[1] AS last_value,
    (array_agg(read.occurred_at {latest}) FILTER (WHERE {usable}))[1] AS last_at,
    (array_agg(read.arrival {latest}) FILTER (WHERE {usable}))[1] AS last_arrival,
    (array_agg(read.event_id {latest}) FILTER (WHERE {usable}))[1] AS last_event_id,
    (array_agg(read.source {latest}) FILTER (WHERE {usable}))[1] AS last_source,
    sum(read.value * extract(epoch FROM read.occurred_at)) FILTER (WHERE {usable}) AS moment,
    coalesce(sum(read.value) FILTER (WHERE {usable} AND read.value < 0), 0) AS below
    """
).format(usable=measured_value.IS_USABLE_NUMBER, latest=_LATEST)
# Of most rows from before it was kept, the others tell it.
BELOW = sql.SQL(
    "coalesce({row}.below, CASE WHEN {row}.measured_count = 0 OR {row}.lowest >= 0 THEN 0"
    " WHEN {row}.highest <= 0 THEN {row}.total END)"
)
_HASH = sql.SQL("sha256(convert_to(array_to_json(groups)::text, 'UTF8'))")

# Hours with an event that was rolled up before it was corrected: what cannot be subtracted is counted again.
_BROKEN = sql.SQL(
    """
    broken AS MATERIALIZED (
        SELECT DISTINCT w.id AS series_id, c.customer_id, date_trunc('hour', c.occurred_at, 'UTC') AS hour,
               %(up_to)s::bigint AS seq
        FROM metering_eventcorrection c
        JOIN metering_rollupseries w ON w.contract_id = c.contract_id AND w.id = ANY(%(series)s)
        WHERE c.kind <> 'cancels' AND c.since_seq > %(after)s AND c.since_seq <= %(up_to)s AND c.seq <= %(after)s
    )
    """
)
# `OFFSET 0` keeps the condition on `seq` by itself: new events are found by their number, never by a scan of a month.
STRETCHED = sql.SQL(
    """
    SELECT read.*, stretch.grain, date_trunc(stretch.grain, read.occurred_at, 'UTC') AS starts_at
    FROM read JOIN (VALUES ('minute'), ('hour'), ('day'), ('month')) AS stretch (grain)
      ON read.by_minute OR stretch.grain <> 'minute'
    """
)
_ADD = sql.SQL(
    """
    WITH {broken}, read AS (
        {read}
        FROM (
            SELECT * FROM metering_usageevent WHERE seq > %(after)s AND seq <= %(up_to)s OFFSET 0
        ) e
        JOIN metering_rollupseries w ON w.contract_id = e.contract_id AND w.id = ANY(%(series)s)
        WHERE {counted} AND {matches} AND NOT EXISTS (
            SELECT FROM broken b WHERE b.series_id = w.id AND b.customer_id = e.customer_id
               AND b.hour = date_trunc('hour', e.occurred_at, 'UTC')
        )
        OFFSET 0
    ), stretched AS (
        {stretched}
    ), summed AS (
        SELECT series_id, customer_id, grain, starts_at, groups, {hash} AS groups_hash, {summed}
        FROM stretched AS read GROUP BY series_id, customer_id, grain, starts_at, groups
    )
    INSERT INTO metering_usagerollup AS own ({key}, {sums})
    SELECT {key}, {sums} FROM summed ORDER BY series_id, customer_id, grain, starts_at, groups_hash
    ON CONFLICT (series_id, customer_id, grain, starts_at, groups_hash) DO UPDATE SET
        event_count = own.event_count + excluded.event_count,
        measured_count = own.measured_count + excluded.measured_count,
        total = coalesce(own.total + excluded.total, own.total, excluded.total),
        highest = greatest(own.highest, excluded.highest),
        lowest = least(own.lowest, excluded.lowest),
        moment = CASE WHEN own.measured_count = 0 THEN excluded.moment WHEN excluded.measured_count = 0 THEN own.moment
                      ELSE own.moment + excluded.moment END,
        below = {own_below} + excluded.below,
        (last_value, last_at, last_arrival, last_event_id, last_source) = (
            SELECT one.last_value, one.last_at, one.last_arrival, one.last_event_id, one.last_source
            FROM (VALUES
                (own.last_value, own.last_at, own.last_arrival, own.last_event_id, own.last_source),
                (excluded.last_value, excluded.last_at, excluded.last_arrival, excluded.last_event_id,
                 excluded.last_source)
            ) AS one (last_value, last_at, last_arrival, last_event_id, last_source)
            ORDER BY one.last_at DESC NULLS LAST, one.last_arrival DESC, one.last_event_id COLLATE "C" DESC,
                     one.last_source COLLATE "C" DESC
            LIMIT 1
        )
    """
)
_STAGE_BROKEN = sql.SQL("CREATE TEMPORARY TABLE broken ON COMMIT DROP AS WITH {broken} SELECT * FROM broken")
_FORGET_HOURS = """
DELETE FROM metering_usagerollup r USING broken b
WHERE r.series_id = b.series_id AND r.customer_id = b.customer_id AND r.grain IN ('hour', 'minute')
  AND r.starts_at >= b.hour AND r.starts_at < b.hour + interval '1 hour'
"""
_COUNT_HOURS = sql.SQL(
    """
    WITH read AS (
        {read}
        FROM broken b
        JOIN metering_rollupseries w ON w.id = b.series_id
        JOIN metering_usageevent e ON e.customer_id = b.customer_id AND e.contract_id = w.contract_id
         AND e.occurred_at >= b.hour AND e.occurred_at < b.hour + interval '1 hour' AND e.seq <= b.seq
        WHERE {counted_again} AND {matches}
        OFFSET 0
    )
    INSERT INTO metering_usagerollup ({key}, {sums})
    SELECT series_id, customer_id, grain, starts_at, groups, {hash}, {summed}
    FROM ({stretched}) read WHERE grain IN ('hour', 'minute')
    GROUP BY series_id, customer_id, grain, starts_at, groups
    """
)
_FORGET_COARSE = """
DELETE FROM metering_usagerollup r USING broken b
WHERE r.series_id = b.series_id AND r.customer_id = b.customer_id AND r.grain = %(grain)s
  AND r.starts_at = date_trunc(%(grain)s, b.hour, 'UTC')
"""
_ADD_UP = sql.SQL(
    """
    INSERT INTO metering_usagerollup ({key}, {sums})
    SELECT one.series_id, one.customer_id, %(grain)s, one.starts_at, r.groups, r.groups_hash,
           sum(r.event_count), sum(r.measured_count), sum(r.total), max(r.highest), min(r.lowest),
           (array_agg(r.last_value {latest}))[1], (array_agg(r.last_at {latest}))[1],
           (array_agg(r.last_arrival {latest}))[1], (array_agg(r.last_event_id {latest}))[1],
           (array_agg(r.last_source {latest}))[1],
           CASE WHEN NOT bool_or(r.measured_count > 0 AND r.moment IS NULL) THEN sum(r.moment) END,
           CASE WHEN NOT bool_or({row_below} IS NULL) THEN sum({row_below}) END
    FROM (
        SELECT DISTINCT series_id, customer_id, date_trunc(%(grain)s, hour, 'UTC') AS starts_at FROM broken
    ) one
    JOIN metering_usagerollup r ON r.series_id = one.series_id AND r.customer_id = one.customer_id
     AND r.grain = %(finer)s AND r.starts_at >= one.starts_at
     AND r.starts_at < one.starts_at + ('1 ' || %(grain)s)::interval
    GROUP BY one.series_id, one.customer_id, one.starts_at, r.groups, r.groups_hash
    """
)
PARTS = {
    "broken": _BROKEN,
    "read": _READ,
    "counted": counted("%(up_to)s"),
    "counted_again": counted("b.seq"),
    "stretched": STRETCHED,
    "matches": measured_value.MATCHES,
    "own_below": BELOW.format(row=sql.Identifier("own")),
    "row_below": BELOW.format(row=sql.Identifier("r")),
    "hash": _HASH,
    "summed": _SUMMED,
    "key": _KEY,
    "sums": _SUMS,
    "latest": sql.SQL(
        "ORDER BY r.last_at DESC NULLS LAST, r.last_arrival DESC, r.last_event_id DESC, r.last_source DESC"
    ),
}
_FINER = {"day": "hour", "month": "day"}


_BROKEN_DAYS = """
SELECT DISTINCT date_trunc('day', c.occurred_at, 'UTC')
FROM metering_eventcorrection c
WHERE c.kind <> 'cancels' AND c.since_seq > %s AND c.since_seq <= %s AND c.seq <= %s
"""


def find_broken_days(*, after: int, up_to: int) -> list[tuple[datetime, datetime]]:
    """Give the days whose sums this step must count again."""
    with connection.cursor() as cursor:
        cursor.execute(_BROKEN_DAYS, [after, up_to, after])
        return [(day, day + timedelta(days=1)) for (day,) in cursor.fetchall()]


def add_events(*, series_ids: Sequence[int], after: int, up_to: int) -> None:
    """Add the events with a number in `(after, up_to]` to these series, and count again what they correct.

    Inside the caller's transaction, which moves the series on; nothing below `up_to` may still be being captured.
    """
    bounds: dict[str, Any] = {"series": list(series_ids), "after": after, "up_to": up_to}
    with connection.cursor() as cursor:
        cursor.execute(_ADD.format(**PARTS).as_string(), bounds)
        cursor.execute(_STAGE_BROKEN.format(**PARTS).as_string(), bounds)
        count_again(cursor)
        cursor.execute("DROP TABLE broken")


def count_again(cursor: Any) -> None:
    """Make the rows of the hours in the table `broken`, and of their days and months, anew from the raw events.

    Each up to the event `seq` that its row there names.
    """
    cursor.execute("SELECT FROM broken LIMIT 1")
    if not cursor.fetchall():
        return
    cursor.execute(_FORGET_HOURS)
    cursor.execute(_COUNT_HOURS.format(**PARTS).as_string())
    for grain, finer in _FINER.items():
        cursor.execute(_FORGET_COARSE, {"grain": grain})
        cursor.execute(_ADD_UP.format(**PARTS).as_string(), {"grain": grain, "finer": finer})
