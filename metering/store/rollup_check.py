"""Hold the sums of a month against its raw events, row by row, and put right what differs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg import sql

from metering.store import rollups
from metering.store.corrections import counted
from metering.store.rollups import PARTS

_FIGURES = sql.SQL(
    """
    CASE WHEN {row}.grain IS NOT NULL THEN jsonb_build_object(
        'events', {row}.event_count, 'measured', {row}.measured_count, 'total', trim_scale({row}.total)::text,
        'highest', trim_scale({row}.highest)::text, 'lowest', trim_scale({row}.lowest)::text,
        'last', trim_scale({row}.last_value)::text, 'last_event', {row}.last_event_id,
        'moment', CASE WHEN stored.moment IS NOT NULL OR stored.grain IS NULL THEN trim_scale({row}.moment)::text END,
        'below', CASE WHEN stored.below IS NOT NULL OR stored.grain IS NULL THEN trim_scale({row}.below)::text END
    ) END
    """
)
# Each series as far as it is: what came later is in neither.
_DIFFERENCES = sql.SQL(
    """
    CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
    WITH read AS (
        {read}
        FROM metering_rollupseries w
        JOIN metering_usageevent e ON e.contract_id = w.contract_id AND e.seq <= w.seq
        WHERE e.occurred_at >= %(start)s AND e.occurred_at < %(end)s AND {counted} AND {matches}
        OFFSET 0
    ), stretched AS ({stretched}), counted AS (
        SELECT series_id, customer_id, grain, starts_at, groups, {hash} AS groups_hash, {summed}
        FROM stretched AS read GROUP BY series_id, customer_id, grain, starts_at, groups
    ), stored AS (
        SELECT * FROM metering_usagerollup WHERE starts_at >= %(start)s AND starts_at < %(end)s
    ), compared AS (
        SELECT coalesce(stored.series_id, counted.series_id) AS series_id,
               coalesce(stored.customer_id, counted.customer_id) AS customer_id,
               coalesce(stored.grain, counted.grain) AS grain,
               coalesce(stored.starts_at, counted.starts_at) AS starts_at,
               coalesce(stored.groups, counted.groups) AS groups, {found} AS found, {figures} AS counted
        FROM stored FULL JOIN counted
          ON counted.series_id = stored.series_id AND counted.customer_id = stored.customer_id
         AND counted.grain = stored.grain AND counted.starts_at = stored.starts_at
         AND counted.groups_hash = stored.groups_hash
    )
    SELECT compared.*, w.seq
    FROM compared JOIN metering_rollupseries w ON w.id = compared.series_id
    WHERE found IS DISTINCT FROM compared.counted
    """
)
_REPORT = """
INSERT INTO metering_rolluprepair (series_id, customer_id, grain, starts_at, groups, found, counted, seq, repaired_at)
SELECT series_id, customer_id, grain, starts_at, groups, found, counted, seq, %s FROM difference
ORDER BY series_id, customer_id, starts_at, grain
"""
_BROKEN = """
CREATE TEMPORARY TABLE broken ON COMMIT DROP AS
SELECT DISTINCT series_id, customer_id, date_trunc('hour', starts_at, 'UTC') AS hour, seq FROM difference
"""
_LISTED = """
SELECT 'series ' || series_id || ', customer ' || customer_id || ', ' || grain || ' ' || starts_at || ': '
       || coalesce(found ->> 'events', 'no row') || ' events, counted ' || coalesce(counted ->> 'events', 'none')
FROM difference ORDER BY series_id, customer_id, starts_at, grain
"""


@contextmanager
def _differences(*, start: datetime, end: datetime) -> Iterator[Any]:
    statement = _DIFFERENCES.format(
        **PARTS | {"counted": counted("w.seq")},
        found=_FIGURES.format(row=sql.Identifier("stored")),
        figures=_FIGURES.format(row=sql.Identifier("counted")),
    ).as_string()
    with connection.cursor() as cursor:
        cursor.execute(statement, {"start": start, "end": end})
        yield cursor
        cursor.execute("DROP TABLE difference")


def list_differences(*, start: datetime, end: datetime) -> list[str]:
    """Give one sentence for each sum of a month that does not say what its events say."""
    with _differences(start=start, end=end) as cursor:
        cursor.execute(_LISTED)
        return [row[0] for row in cursor.fetchall()]


def repair(*, start: datetime, end: datetime, at: datetime) -> int:
    """Report every sum of a month that differs and make it anew; how many there were.

    The caller holds the series, so that none moves on between the look and the repair.
    """
    with _differences(start=start, end=end) as cursor:
        cursor.execute(_REPORT, [at])
        found = int(cursor.rowcount)
        cursor.execute(_BROKEN)
        rollups.count_again(cursor)
        cursor.execute("DROP TABLE broken")
    return found
