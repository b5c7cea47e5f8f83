"""The SQL of sealing properties of events that were captured before a contract marked them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import pgtrigger
from django.db import connection

from metering.rules import exact_json

APPEND_ONLY = "metering.UsageEvent:append_only"
# A null says nothing; whatever else is not sealed yet is to be.
_IN_CLEAR = """
EXISTS (SELECT FROM unnest(%(names)s::text[]) AS name
        WHERE event.data -> name <> 'null' AND event.data -> name <> '""'
          AND NOT (jsonb_typeof(event.data -> name) = 'string'
                   AND event.data ->> name ~ '^sealed:1:[0-9]{1,19}:[A-Za-z0-9_-]{38,}$'))
"""
_FIND = f"""
SELECT event.seq, event.customer_id, event.source, event.event_id, contract.event_type, customer.code,
       event.occurred_at, event.fingerprint, event.data::text, event.extras::text
FROM metering_usageevent AS event
JOIN metering_eventcontract AS contract ON contract.id = event.contract_id
JOIN accounts_customer AS customer ON customer.id = event.customer_id
WHERE event.contract_id = %(contract)s AND event.customer_id = ANY(%(customers)s::bigint[]) AND {_IN_CLEAR}
ORDER BY event.seq LIMIT %(limit)s
"""  # noqa: S608  put together from the text above
_LEFT = f"""
SELECT event.seq FROM metering_usageevent AS event WHERE event.contract_id = %(contract)s AND {_IN_CLEAR}
ORDER BY event.seq LIMIT 20
"""  # noqa: S608  as above
_WRITE = """
UPDATE metering_usageevent AS event SET data = row.data
FROM unnest(%s::bigint[], %s::timestamptz[], %s::jsonb[]) AS row (seq, occurred_at, data)
WHERE event.seq = row.seq AND event.occurred_at = row.occurred_at
"""


@dataclass(frozen=True, slots=True)
class ClearEvent:
    """An event with something in clear that is to be sealed."""

    seq: int
    customer_id: int
    source: str
    event_id: str
    event_type: str
    subject: str
    occurred_at: datetime
    fingerprint: bytes
    data: dict[str, Any]
    extras: dict[str, Any]


_COLUMNS = [field.name for field in fields(ClearEvent)]


def find_clear(
    *, contract_id: int, customer_ids: Collection[int], names: Sequence[str], limit: int
) -> list[ClearEvent]:
    """Give the first events of these customers that hold one of these properties in clear."""
    given: dict[str, Any] = {
        "contract": contract_id,
        "customers": sorted(customer_ids),
        "names": list(names),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIND, given)
        return [_clear_event(row) for row in cursor.fetchall()]


def _clear_event(row: tuple[Any, ...]) -> ClearEvent:
    found = dict(zip(_COLUMNS, row, strict=True))
    data, extras = exact_json.read(found["data"]), exact_json.read(found["extras"] or "{}")
    return ClearEvent(**found | {"fingerprint": bytes(found["fingerprint"]), "data": data, "extras": extras})


def left_in_clear(*, contract_id: int, names: Sequence[str]) -> list[int]:
    """Give the numbers of some events, of whomever, that still hold one of these properties in clear."""
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, {"contract": contract_id, "names": list(names)})
        return [seq for (seq,) in cursor.fetchall()]


def write_sealed(events: Iterable[tuple[ClearEvent, bytes]]) -> None:
    """Put what was sealed in the place of what stood there; nothing else of the rows changes."""
    rows = [(event.seq, event.occurred_at, data.decode()) for event, data in events]
    assert rows  # noqa: S101  the caller found some
    with pgtrigger.ignore(APPEND_ONLY), connection.cursor() as cursor:
        cursor.execute(_WRITE, [list(column) for column in zip(*rows, strict=True)])
