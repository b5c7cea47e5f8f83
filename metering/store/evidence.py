"""The raw events behind snapshots as lines of JSON, for whoever checks a bill without us."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from metering.models import EventSealing

STREAM_ROWS = 5000
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One customer's events of one contract with a time in `[start, end)`, up to a watermark."""

    customer_id: int
    customer_code: str
    contract_id: int
    event_type: str
    start: datetime
    end: datetime
    up_to_seq: int

    def parameters(self) -> dict[str, Any]:
        names = ("customer_id", "customer_code", "contract_id", "event_type", "start", "end", "up_to_seq")
        return {name: getattr(self, name) for name in names}


# What was corrected is there with its correction, wherever in time that lies: which events count can be worked out.
_LINES = """
SELECT '{"seq":' || e.seq || ',"source":' || to_json(e.source)::text || ',"id":' || to_json(e.event_id)::text
       || ',"type":' || to_json(%(event_type)s::text)::text || ',"subject":' || to_json(%(customer_code)s::text)::text
       || ',"time":"' || to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
       || '","received_at":"' || to_char(e.received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
       || '","data":' || e.data::text || ',"extras":' || coalesce(e.extras::text, '{}')
       || ',"fingerprint":"' || encode(e.fingerprint, 'hex') || '"' || {since} || '}'
FROM metering_usageevent e
WHERE e.customer_id = %(customer_id)s AND e.contract_id = %(contract_id)s AND e.seq <= %(up_to_seq)s
  AND ((e.occurred_at >= %(start)s AND e.occurred_at < %(end)s) OR e.seq = ANY(%(corrections)s))
ORDER BY e.seq
"""
_SINCE = """coalesce((SELECT ',"fingerprint_since":"' || encode(one.fingerprint, 'hex') || '"'
                     FROM metering_eventsealing AS one WHERE one.seq = e.seq ORDER BY one.id DESC LIMIT 1), '')"""
_CORRECTIONS = """
SELECT c.since_seq, c.since_occurred_at FROM metering_eventcorrection c
WHERE c.customer_id = %(customer_id)s AND c.contract_id = %(contract_id)s
  AND c.occurred_at >= %(start)s AND c.occurred_at < %(end)s AND c.since_seq <= %(up_to_seq)s AND c.kind <> 'cancels'
  AND NOT (c.since_occurred_at >= %(start)s AND c.since_occurred_at < %(end)s)
"""
# Only where something was corrected from outside of the window; the plain statement can go by its index.
_PLAIN = _LINES.replace(" OR e.seq = ANY(%(corrections)s)", "")


def find_corrections(stream: Stream) -> list[tuple[int, datetime]]:
    """Give number and time of the corrections of these events that lie outside of their window."""
    with connection.cursor() as cursor:
        cursor.execute(_CORRECTIONS, stream.parameters())
        return list(cursor.fetchall())


def span_of(stream: Stream, corrections: list[tuple[int, datetime]]) -> tuple[datetime, datetime]:
    """Give the time in which all of it lies."""
    times = [at for _, at in corrections]
    return min([stream.start, *times]), max([stream.end, *(at + _MOMENT for at in times)])


def stream_lines(stream: Stream, corrections: list[tuple[int, datetime]]) -> Iterator[str]:
    """Give each event as one JSON object, in capture order and bounded memory."""
    with connection.chunked_cursor() as cursor:
        numbers = [seq for seq, _ in corrections]
        since = _SINCE if EventSealing.objects.exists() else "''"  # most installations never sealed anything later
        cursor.execute(
            (_LINES if numbers else _PLAIN).replace("{since}", since), stream.parameters() | {"corrections": numbers}
        )
        while rows := cursor.fetchmany(STREAM_ROWS):
            for (line,) in rows:
                yield line
