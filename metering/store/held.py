"""Where events that were not accepted wait: one row per different event, however often it is sent."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from accounts import queries
from core import personal_keys
from core.statements import run
from metering.rules import exact_json, tally
from metering.rules.envelope import SUBJECT
from metering.rules.reading import Delivery, Unreadable
from metering.rules.reasons import Reason
from metering.rules.sorting import Held
from metering.store.literals import nullable_array, plain_array

RAW_LENGTH_MAX = 256 * 1024
NOT_KEPT = '"Not kept: the customer was erased."'
_HOLD = """
INSERT INTO metering_quarantinedevent (source, event_id, event_type, subject, raw, raw_hash, reasons, times_seen,
                                       batch_id, received_at, status, decision_reason)
SELECT row.*, %s, %s, 'open', ''
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::int[]) AS row
ON CONFLICT (raw_hash) WHERE status = 'open' DO UPDATE
SET times_seen = metering_quarantinedevent.times_seen + excluded.times_seen, reasons = excluded.reasons
"""


@dataclass
class _Waiting:
    """One different event of the delivery, and how often it stands in it."""

    delivery: Delivery
    raw: str
    reasons: tuple[Reason, ...]
    times: int = 0


def hold_events(deliveries: Sequence[Delivery], held: Sequence[Held], *, batch_id: int, received_at: datetime) -> None:
    """Keep them as sent; one that waits already is counted again and shows its newest reasons."""
    if not held:
        return
    waiting: dict[str, _Waiting] = {}
    for index, reasons in held:
        raw = raw_text(deliveries[index])
        mark = hashlib.sha256(raw.encode()).hexdigest()
        entry = waiting.setdefault(mark, _Waiting(deliveries[index], raw[:RAW_LENGTH_MAX], reasons))
        entry.reasons, entry.times = reasons, entry.times + 1
    # In the order of the hash, so that two deliveries of the same bad events wait for each other, not in a circle.
    marks = sorted(waiting)
    rows = [waiting[mark] for mark in marks]
    names = (nullable_array(tally.attribute_of(row.delivery, name) for row in rows) for name in _NAMES)
    reasons_json = (orjson.dumps([found.as_json() for found in row.reasons]).decode() for row in rows)
    parameters = [batch_id, received_at, *names, nullable_array(_seal(rows)), plain_array(marks)]
    run(_HOLD, [*parameters, nullable_array(reasons_json), plain_array(row.times for row in rows)])


def _seal(rows: Sequence[_Waiting]) -> list[str]:
    """What is kept of each: nobody has looked at it yet, so all of it lies under the key of the customer it names."""
    owners = keys_of([row.delivery for row in rows])
    return [_sealed(row.raw, key_id) for row, key_id in zip(rows, owners, strict=True)]


def keys_of(deliveries: Sequence[Delivery]) -> list[int | None]:
    """The key of the customer whom each names by code or by an id of another system; None where it names none."""
    named = [_names_of(delivery) for delivery in deliveries]
    aliases = queries.find_aliases(sorted({(system, name) for names in named for system, name in names if name}))
    codes = [[aliases.get(one, one[1] if one[0] == SUBJECT else "") for one in names] for names in named]
    customers = queries.find_customer_ids(sorted({code for found in codes for code in found if code}))
    keys = queries.find_personal_keys(sorted(customers.values()))
    return [next((keys[customers[code]] for code in found if customers.get(code) in keys), None) for found in codes]


def _names_of(delivery: Delivery) -> list[tuple[str, str]]:
    """What it calls its customer: a code or an id that stands for one, and an id of another system."""
    subject, system, name = (tally.attribute_of(delivery, one) for one in ("subject", "subjectsystem", "subjectid"))
    return [(SUBJECT, subject), *([(system, name)] if system and name else [])]


def _sealed(raw: str, key_id: int | None) -> str:
    try:
        return raw if key_id is None else personal_keys.seal_text(raw, key_id=key_id)
    except personal_keys.PersonErasedError:
        return NOT_KEPT


_NAMES = ("source", "id", "type", "subject")


def raw_text(delivery: Delivery) -> str:
    """Give the event as JSON text: as sent where it could not be read exactly, else with its names in order."""
    if isinstance(delivery, Unreadable):
        return delivery.raw
    try:
        return exact_json.write(delivery).decode()
    except TypeError:  # a text or number that only Python can hold; escaped, it is still the event as it came
        return json.dumps(delivery, default=str)
