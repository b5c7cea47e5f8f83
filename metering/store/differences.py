"""Which events differ between what was acknowledged, what was counted and what lies there now.

Read where a recount found a difference, so rarely: these statements look at every event of one window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from metering.models import AggregationSnapshot
from metering.store import corrections, reading
from metering.store.reading import UsageGap

TWICE = "twice"
UNKNOWN = "not_acknowledged"
ALTERED = "altered"
AFTER = "after_the_count"
GONE = "gone"
UNPRICED = "without_price"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDifference:
    """One event and how its two sides differ; `kept` is the fingerprint of when it was acknowledged, `raw` of now."""

    what: str
    seq: int
    source: str
    event_id: str
    occurred_at: datetime
    received_at: datetime | None
    channel: str
    kept: bytes | None
    raw: bytes | None


# An identity was given one number for ever, so a second row of it has another.
_THERE = f"""
SELECT CASE WHEN k.seq IS NULL THEN '{UNKNOWN}' WHEN k.seq <> e.seq THEN '{TWICE}'
            WHEN k.fingerprint <> e.fingerprint THEN '{ALTERED}' ELSE '{AFTER}' END,
       e.seq, e.source, e.event_id, e.occurred_at, e.received_at, coalesce(b.channel, ''), k.fingerprint, e.fingerprint
FROM {reading.WINDOW}, metering_usageevent e
LEFT JOIN metering_eventkey k ON k.source = e.source AND k.event_id = e.event_id
LEFT JOIN metering_capturebatch b ON b.id = e.batch_id
WHERE {reading.OF_SNAPSHOT}
  AND (k.seq IS NULL OR k.seq <> e.seq OR k.fingerprint <> e.fingerprint OR e.received_at > %(last_at)s)
ORDER BY (k.seq = e.seq AND k.fingerprint = e.fingerprint) IS TRUE, e.seq LIMIT %(limit)s
"""  # noqa: S608  put together from the texts of this house
# By PostgreSQL's clock as every arrival; what has a number below the watermark's event and came later is out of order.
_LAST_AT = """
SELECT coalesce(max(received_at), timestamptz '9999-01-01Z') FROM metering_usageevent WHERE seq = %(up_to_seq)s
"""
# An identity names no customer: those of the senders that report this customer are looked at.
_GONE = f"""
SELECT '{GONE}', k.seq, k.source, k.event_id, k.occurred_at, b.received_at, coalesce(b.channel, ''), k.fingerprint, NULL
FROM metering_eventkey k LEFT JOIN metering_capturebatch b ON b.id = k.batch_id
WHERE k.occurred_at >= %(start)s AND k.occurred_at < %(end)s AND k.seq <= %(up_to_seq)s
  AND (k.source = ANY(%(sources)s::text[]) OR cardinality(%(sources)s::text[]) = 0)
  AND NOT EXISTS (
    SELECT FROM metering_usageevent e
    WHERE e.seq = k.seq AND e.occurred_at = k.occurred_at AND e.source = k.source AND e.event_id = k.event_id)
ORDER BY k.seq LIMIT %(limit)s
"""  # noqa: S608  as above
_SOURCES = """
SELECT DISTINCT source FROM metering_usageevent WHERE customer_id = %(customer_id)s AND contract_id = %(contract_id)s
"""
_STRAY = f"""
SELECT gap.customer_id, gap.contract_id, '{UNPRICED}', e.seq, e.source, e.event_id, e.occurred_at, e.received_at,
       coalesce(b.channel, ''), NULL::bytea, e.fingerprint
FROM unnest(%(customers)s::bigint[], %(contracts)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[],
            %(after)s::bigint[])
  AS gap (customer_id, contract_id, starts_at, ends_at, after_seq)
CROSS JOIN LATERAL (
    SELECT e.* FROM metering_usageevent e
    WHERE e.customer_id = gap.customer_id AND e.contract_id = gap.contract_id
      AND e.occurred_at >= gap.starts_at AND e.occurred_at < gap.ends_at
      AND e.seq > gap.after_seq AND e.seq <= %(up_to_seq)s
      AND {corrections.counted("%(up_to_seq)s").as_string()}
    ORDER BY e.seq LIMIT %(limit)s
) e
LEFT JOIN metering_capturebatch b ON b.id = e.batch_id
ORDER BY e.seq
"""  # noqa: S608  as above


def of_snapshot(snapshot: AggregationSnapshot, *, limit: int, knows_all_rows: bool) -> list[EventDifference]:
    """What differs in one window, first what contradicts itself.

    An event whose row is gone is looked for only where `knows_all_rows`: all of them lie in the table.
    """
    bounds = reading.bounds_of(snapshot) | {"limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_LAST_AT, bounds)
        (bounds["last_at"],) = cursor.fetchone()
        cursor.execute(_THERE, bounds)
        found = [_difference(row) for row in cursor.fetchall()]
        if not knows_all_rows:
            return found
        cursor.execute(_SOURCES, bounds)
        sources = [source for (source,) in cursor.fetchall()]
        cursor.execute(_GONE, bounds | {"sources": sources})
        return [*(_difference(row) for row in cursor.fetchall()), *found][:limit]


def of_gaps(gaps: Sequence[UsageGap], *, up_to_seq: int, limit: int) -> dict[tuple[int, int], list[EventDifference]]:
    """The first events of each gap, by customer and contract."""
    columns: dict[str, list[Any]] = {
        "customers": [gap.customer_id for gap in gaps],
        "contracts": [gap.contract_id for gap in gaps],
        "starts": [gap.start for gap in gaps],
        "ends": [gap.end for gap in gaps],
        "after": [gap.after_seq for gap in gaps],
    }
    found: dict[tuple[int, int], list[EventDifference]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_STRAY, columns | {"up_to_seq": up_to_seq, "limit": limit})
        for customer_id, contract_id, *row in cursor.fetchall():
            found.setdefault((customer_id, contract_id), []).append(_difference(row))
    return found


def _difference(row: Sequence[Any]) -> EventDifference:
    what, seq, source, event_id, occurred_at, received_at, channel, kept, raw = row
    return EventDifference(
        what=what,
        seq=seq,
        source=source,
        event_id=event_id,
        occurred_at=occurred_at,
        received_at=received_at,
        channel=channel,
        kept=None if kept is None else bytes(kept),
        raw=None if raw is None else bytes(raw),
    )
