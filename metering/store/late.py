"""What is late: events that came, or were corrected, after their window was counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from metering.store import corrections, recounted_events


@dataclass(frozen=True, slots=True)
class LateWindow:
    """A live snapshot, and how many events its window has that neither it nor a correction has counted."""

    snapshot_id: int
    event_count: int


_PASSES = recounted_events.PASSES.as_string()
_SNAPSHOT = """
snapshot AS (
    SELECT s.id, s.customer_id, m.contract_id, s.window_end, nullif(v.filters, '[]') AS filters,
           CASE WHEN v.is_recurring THEN timestamptz '1900-01-01 00:00Z' ELSE s.window_start END AS since,
           greatest(own.seq, max(seen.seq)) AS up_to_seq
    FROM metering_aggregationsnapshot s
    JOIN metering_meter m ON m.id = s.meter_id
    JOIN metering_meterversion v ON v.id = s.meter_version_id
    JOIN metering_watermark own ON own.id = s.watermark_id
    LEFT JOIN metering_aggregationsnapshot c ON c.corrects_id = s.id AND c.retired_at IS NULL
    LEFT JOIN metering_watermark seen ON seen.id = c.watermark_id
    WHERE s.kind = 'cycle' AND s.retired_at IS NULL
      AND (%(customer_ids)s::bigint[] IS NULL OR s.customer_id = ANY(%(customer_ids)s::bigint[]))
    GROUP BY s.id, m.contract_id, v.id, own.seq
)
"""
_CORRECTED_SINCE = """
    c.customer_id = w.customer_id AND c.contract_id = w.contract_id
    AND c.occurred_at >= w.since AND c.occurred_at < w.window_end AND c.seq <= w.up_to_seq
    AND c.since_seq > w.up_to_seq AND (%(last_seq)s::bigint IS NULL OR c.since_seq <= %(last_seq)s)
"""
# Without filters every column asked of the events is in the index, so this reads no event itself; and what meters on
# one contract share is looked at once for all of them. Late is what came later, and what was corrected later.
_LATE = f"""
WITH {_SNAPSHOT}, counted AS MATERIALIZED (
    SELECT array_agg(id) AS ids, customer_id, contract_id, window_end, filters, since, up_to_seq FROM snapshot
    GROUP BY customer_id, contract_id, window_end, filters, since, up_to_seq
), found AS MATERIALIZED (
SELECT w.ids, late.events
FROM counted w
CROSS JOIN LATERAL (
    SELECT (
        SELECT count(*) FROM metering_usageevent e
        WHERE e.customer_id = w.customer_id AND e.contract_id = w.contract_id
          AND e.occurred_at >= w.since AND e.occurred_at < w.window_end AND e.seq > w.up_to_seq
          AND (%(last_seq)s::bigint IS NULL OR e.seq <= %(last_seq)s)
          AND {corrections.counted("coalesce(%(last_seq)s::bigint, 9223372036854775807)").as_string()}
          AND {_PASSES}
    ) + (
        SELECT count(*) FROM metering_eventcorrection c
        WHERE {_CORRECTED_SINCE}
          AND (w.filters IS NULL OR EXISTS (
            SELECT FROM metering_usageevent e
            WHERE e.seq = c.seq AND e.occurred_at = c.occurred_at AND {_PASSES}))
    ) AS events
) late
WHERE late.events > 0
)
SELECT unnest(ids) AS id, events FROM found ORDER BY id
"""  # noqa: S608  put together from the texts of this house
# Whether a filter had let an event pass, only its own row tells.
_CORRECTED_AWAY = f"""
WITH {_SNAPSHOT}
SELECT DISTINCT c.seq, c.occurred_at
FROM snapshot w JOIN metering_eventcorrection c ON {_CORRECTED_SINCE}
WHERE w.filters IS NOT NULL
  AND NOT EXISTS (SELECT FROM metering_usageevent e WHERE e.seq = c.seq AND e.occurred_at = c.occurred_at)
"""  # noqa: S608  as above


def count_late_events(*, customer_ids: Sequence[int] | None, last_seq: int | None) -> list[LateWindow]:
    """Look behind the highest watermark of every live snapshot, of these customers or of all, up to `last_seq`."""
    with connection.cursor() as cursor:
        cursor.execute(_LATE, _parameters(customer_ids, last_seq))
        return [LateWindow(*row) for row in cursor.fetchall()]


def find_corrected_away(*, customer_ids: Sequence[int] | None, last_seq: int | None) -> dict[int, datetime]:
    """Give number and time of the events that `count_late_events` has to read and that do not lie in the table."""
    with connection.cursor() as cursor:
        cursor.execute(_CORRECTED_AWAY, _parameters(customer_ids, last_seq))
        return dict(cursor.fetchall())


def _parameters(customer_ids: Sequence[int] | None, last_seq: int | None) -> dict[str, Any]:
    return {"customer_ids": None if customer_ids is None else list(customer_ids), "last_seq": last_seq}
