"""The raw events behind snapshots as lines of JSON, for whoever checks a bill without us."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from metering.models import EventSealing

STREAM_ROWS = 5000


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
# Only where something was corrected from outside of the window; the plain statement can go by its index.
_PLAIN = _LINES.replace(" OR e.seq = ANY(%(corrections)s)", "")


def stream_lines(stream: Stream, *, corrections: Collection[int]) -> Iterator[str]:
    """Give each event as one JSON object, in capture order and bounded memory.

    `corrections` are the numbers of what corrected some of them and happened at another time.
    """
    with connection.chunked_cursor() as cursor:
        numbers = list(corrections)
        since = _SINCE if EventSealing.objects.exists() else "''"  # most installations never sealed anything later
        cursor.execute(
            (_LINES if numbers else _PLAIN).replace("{since}", since), stream.parameters() | {"corrections": numbers}
        )
        while rows := cursor.fetchmany(STREAM_ROWS):
            for (line,) in rows:
                yield line
